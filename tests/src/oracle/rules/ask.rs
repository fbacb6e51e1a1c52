//! Rules that put the question again, written so that the server cannot take it in two ways: they hold when its
//! answer is then ours.

use super::super::Answer;
use super::super::node::{Case, Cell, LINES, Lines, Node, Shape, quoted};
use super::Rule;
use super::seen::{Seen, around, number, with_operands};

/// The rules.
pub(super) const ALL: &[Rule] = &[
    Rule {
        name: "bare text",
        why: "the text of a bare placeholder is text where text will do and an exact number where one is needed; \
              as a literal, of digits or in quotes, it gives what the server gives, or differs for another reason",
        holds: is_bare_text,
    },
    Rule {
        name: "exact comparison",
        why: "text and an exact number are compared exactly; the server compares them as floating point, which takes \
              two ids of 19 digits for one, and agrees when the text is cast to a decimal",
        holds: |seen| seen.agrees_when(&long_text_as_decimal),
    },
    Rule {
        name: "characters beyond the basic plane",
        why: "compared by code point; utf8mb4_general_ci takes all of them for one",
        holds: |seen| {
            let plain = |text: &str| {
                text.chars()
                    .map(|c| if u32::from(c) > 0xffff { '\u{fffd}' } else { c })
                    .collect()
            };
            seen.both_agree_on(&seen.case.map_text(&plain))
        },
    },
    Rule {
        name: "a time with an offset",
        why: "is an instant, shown in the scheme's zone; MariaDB cuts the offset off",
        holds: |seen| agrees_with_texts(seen, without_offset),
    },
    Rule {
        name: "a sign behind a length of time",
        why: "is left out, as any other character behind it; MariaDB gives NULL for it, and agrees where it is not written",
        holds: |seen| {
            *seen.server == Answer::Null
                && matches!(seen.label(), "ADDTIME" | "SUBTIME" | "TIMEDIFF" | "TIMESTAMP")
                && agrees_with_texts(seen, without_tail)
        },
    },
    Rule {
        name: "a text of minus zero",
        why: "read as a time has no sign, nor has a number that is rounded to it; MariaDB keeps the sign of a zero",
        holds: |seen| agrees_with_texts(seen, without_sign) || is_rounded_to_zero(seen),
    },
    Rule {
        name: "CAST AS CHAR used as a number",
        why: "a text, so floating point, as in MySQL; MariaDB computes with the digits before the point or with none \
              of the declared ones, and agrees when CONCAT makes the text",
        holds: |seen| seen.agrees_when(&cast_as_text),
    },
    Rule {
        name: "LEAST and GREATEST used as a number",
        why: "what they show: the text that is least by the collation, or the number; MariaDB compares again, as whole \
              numbers, and agrees when CONCAT asks for the text or 0e0 is added",
        holds: |seen| {
            const BOTH: [&str; 2] = ["LEAST", "GREATEST"];
            let added = |node: &Node| {
                BOTH.contains(&node.label.as_str())
                    .then(|| around("(", node, " + 0e0)"))
            };
            seen.agrees_when(&|node| as_text(node, &BOTH)) || seen.agrees_when(&added)
        },
    },
    Rule {
        name: "digits of a text",
        why: "a text used as a number shows the digits it has; MariaDB declares none for what DATE_FORMAT, HEX and their \
              like give, and agrees when CONCAT makes the text",
        holds: |seen| seen.agrees_when(&|node| as_text(node, TEXTS)),
    },
    Rule {
        name: "digits of a time as text",
        why: "a text that shows a time has the digits it has, and an empty one six; MariaDB declares some for it, and agrees \
              when CONCAT makes the text, 0e0 is added to it, or it is cast to a time",
        holds: |seen| {
            seen.agrees_when(&|node| as_text(node, MOMENTS))
                || seen.agrees_when(&|node| as_text(node, CHOICES))
                || seen.agrees_when(&|node| is_moment(node).then(|| around("(", node, " + 0e0)")))
                || (0..=6).any(|digits| {
                    let after = format!(" AS TIME({digits}))");
                    let change = |node: &Node| is_moment(node).then(|| around("CAST(", node, &after));
                    seen.agrees_when(&change)
                })
        },
    },
    Rule {
        name: "a text list as a number",
        why: "shows the digits it has; MariaDB gives what GROUP_CONCAT joins the digits of its operand, and agrees when \
              CONCAT makes the text",
        holds: |seen| seen.agrees_when(&|node| as_text(node, &["GROUP_CONCAT"])),
    },
    Rule {
        name: "QUOTE, JSON_QUOTE and JSON_UNQUOTE in MariaDB",
        why: "texts as all others; MariaDB compares them byte by byte, and agrees when CONCAT and a conversion make the text",
        holds: |seen| {
            seen.agrees_when(&|node| {
                matches!(
                    node.label.as_str(),
                    "QUOTE" | "JSON_QUOTE" | "JSON_UNQUOTE" | "->>"
                )
                .then(|| around("CONVERT(", node, " USING utf8mb4) COLLATE utf8mb4_general_ci"))
            })
        },
    },
    Rule {
        name: "JSON that breaks off",
        why: "is NULL; MariaDB reads as far as the path goes, and agrees when JSON_VALID is asked first",
        holds: |seen| seen.agrees_when(&json_if_valid),
    },
    Rule {
        name: "a JSON path inside another function",
        why: "NULL; MariaDB gives a value for JSON_EXTRACT alone and refuses it inside another function, and agrees when that \
              value is written",
        holds: |seen| {
            let refused = matches!(seen.server, Answer::Failed(code) if ["4042", "4078", "4079"].contains(&code.as_str()));
            let json: Vec<(usize, String)> = seen
                .agreed()
                .into_iter()
                .filter(|(_, node, _)| is_json(node))
                .filter_map(|(position, _, answer)| match answer {
                    Answer::Null => Some((position, "NULL".to_owned())),
                    Answer::Text(text) => Some((position, quoted(&text))),
                    _ => None,
                })
                .collect();
            let root = json
                .iter()
                .rev()
                .fold(seen.case.root.clone(), |root, (position, value)| {
                    root.replaced(*position, &Node::literal(value.as_str()))
                });
            refused && !json.is_empty() && seen.agrees_as(root)
        },
    },
    Rule {
        name: "a time that is none, compared",
        why: "is NULL; MariaDB compares the zero it leaves behind, and agrees when NULL is written",
        holds: |seen| is_null_written(seen, TIMES, "CAST(NULL AS DATE)"),
    },
    Rule {
        name: "REPLACE by NULL where nothing is found",
        why: "NULL, as in MySQL, or the text as it was, as MariaDB gives it for the NULL that is written",
        holds: |seen| seen.agrees_when(&replace_null) || seen.agrees_when(&replace_by_null),
    },
    Rule {
        name: "INSERT, MAKE_SET and JSON with a number or bytes",
        why: "the texts keep their characters; MariaDB writes the bytes of the others as Latin letters, and agrees when \
              the arguments are utf8mb4",
        holds: |seen| {
            seen.agrees_when(&|node| {
                utf8_arguments(
                    node,
                    &[
                        "INSERT",
                        "MAKE_SET",
                        "ELT",
                        "LPAD",
                        "RPAD",
                        "JSON_ARRAY",
                        "JSON_OBJECT",
                    ],
                )
            }) || seen.agrees_when(&utf8_bytes_in_json)
        },
    },
    Rule {
        name: "bytes as a format or a pattern",
        why: "text as far as they are; MariaDB takes them for Latin letters, or refuses them, and agrees when they are utf8mb4",
        holds: |seen| {
            seen.agrees_when(&|node| utf8_arguments(node, FORMATS)) || seen.agrees_when(&utf8_format)
        },
    },
    Rule {
        name: "bytes beside CONVERT USING",
        why: "make bytes of the whole, as beside every other text; MariaDB takes the named character set for the stronger one, \
              and agrees when CONCAT makes the text",
        holds: |seen| seen.agrees_when(&using_as_text),
    },
    Rule {
        name: "CAST AS BINARY(n) of a text",
        why: "has n bytes, as in MySQL; MariaDB takes n characters, and agrees when the text is cast to bytes before",
        holds: |seen| {
            seen.agrees_when(&|node| {
                (node.label == "CAST AS BINARY")
                    .then(|| with_operands(node, |_, kid| Some(around("CAST(", kid, " AS BINARY)"))))
                    .flatten()
            })
        },
    },
    Rule {
        name: "INSERT of bytes that inserts nothing",
        why: "gives bytes, as any other; MariaDB gives the text as it was, and agrees when it is cast to bytes",
        holds: |seen| {
            seen.agrees_when(&|node| (node.label == "INSERT").then(|| around("CAST(", node, " AS BINARY)")))
        },
    },
    Rule {
        name: "IN with bytes",
        why: "each is compared by what it is; MariaDB compares all of them byte by byte when one is bytes, and agrees when \
              they are utf8mb4",
        holds: |seen| seen.agrees_when(&|node| utf8_arguments(node, &["IN"])),
    },
    Rule {
        name: "bytes of no value",
        why: "NULL, which is of no kind; MariaDB makes bytes of all beside them, which shows in comparisons, and agrees when \
              NULL is written",
        holds: |seen| is_null_written(seen, BYTES, "NULL"),
    },
    Rule {
        name: "TIMEDIFF used as a day",
        why: "a time counts from today, as any other; MariaDB makes NULL of this one, and agrees when it is cast to a time",
        holds: |seen| {
            // With as many digits of a second as it has, so that the rest shows the same.
            (0..=6).any(|digits| {
                let after = format!(" AS TIME({digits}))");
                seen.agrees_when(&|node| (node.label == "TIMEDIFF").then(|| around("CAST(", node, &after)))
            })
        },
    },
    Rule {
        name: "rounding a time",
        why: "rounds the number a time is, as in MySQL; MariaDB rounds the time, and agrees when it is a number",
        holds: |seen| seen.agrees_when(&rounded_as_number),
    },
    Rule {
        name: "ROUND of a long whole number to tens",
        why: "stays a whole number; MariaDB makes a decimal of one with ten digits and more, which shows where it is rounded \
              again, and agrees when it is cast to a whole number or 0 is added",
        holds: |seen| {
            let written = [
                ("CAST(", " AS SIGNED)"),
                ("CAST(", " AS UNSIGNED)"),
                ("(", " + 0)"),
            ];
            written.into_iter().any(|(before, after)| {
                let change = |node: &Node| {
                    let whole = matches!(node.label.as_str(), "ROUND" | "TRUNCATE") && node.kids().len() == 2;
                    whole.then(|| around(before, node, after))
                };
                seen.agrees_when(&change)
            })
        },
    },
    Rule {
        name: "LAST_DAY of the day 0",
        why: "is the last day of that month; MariaDB gives it too, but NULL where another function asks for it, and agrees \
              when it is cast to a day again",
        holds: |seen| {
            seen.agrees_when(&|node| {
                (node.label == "LAST_DAY").then(|| around("CAST(CONCAT(", node, ") AS DATE)"))
            })
        },
    },
    Rule {
        name: "days before the year 1",
        why: "FROM_DAYS gives a day that is none, and what is asked of it is NULL; MariaDB counts on, and agrees when it is \
              cast to a day again",
        holds: |seen| {
            seen.agrees_when(&|node| {
                (node.label == "FROM_DAYS").then(|| around("CAST(CONCAT(", node, ") AS DATE)"))
            })
        },
    },
    Rule {
        name: "a number beyond counting",
        why: "is no time and no length of time; MariaDB takes the lower bits, or the longest time, of numbers of 19 digits \
              and more, and agrees when NULL, 9223372036854775807 or 99999999999 is written",
        holds: is_beyond_counting,
    },
    Rule {
        name: "a time beside a number of twenty digits",
        why: "is the number it shows; MariaDB then computes with 64 bits, and agrees when 0 is added to it",
        holds: |seen| {
            const ARITHMETIC: &[&str] = &["+", "-", "*", "/", "%", "MOD", "DIV"];
            seen.agrees_when(&|node| {
                ARITHMETIC
                    .contains(&node.label.as_str())
                    .then(|| with_operands(node, |_, kid| Some(around("(0 + ", kid, ")"))))
                    .flatten()
            })
        },
    },
    Rule {
        name: "a text of places beyond counting in a column",
        why: "counts by its bits, as one that is written does; MariaDB takes it for the most places, and agrees when it is \
              cast to a whole number",
        holds: |seen| {
            seen.agrees_when(&|node| {
                matches!(node.label.as_str(), "ROUND" | "TRUNCATE")
                    .then(|| {
                        with_operands(node, |index, kid| {
                            (index == 1).then(|| around("CAST(", kid, " AS SIGNED)"))
                        })
                    })
                    .flatten()
            })
        },
    },
    Rule {
        name: "TRUE and FALSE below zero in JSON",
        why: "are numbers, as in MySQL; MariaDB forgets the sign of a word, and agrees when it is taken from zero",
        holds: |seen| {
            seen.agrees_when(&|node| {
                (node.label == "-x" || node.label == "-").then(|| around("(0", node, ")"))
            })
        },
    },
    Rule {
        name: "MIN and MAX of numbers without a sign",
        why: "stay without one; MariaDB takes them for signed ones where a float is asked for, and agrees when they are \
              decimals",
        holds: |seen| {
            seen.agrees_when(&|node| {
                matches!(node.label.as_str(), "MIN" | "MAX")
                    .then(|| {
                        with_operands(node, |_, kid| {
                            is_unsigned(kid).then(|| around("CAST(", kid, " AS DECIMAL(20,0))"))
                        })
                    })
                    .flatten()
            })
        },
    },
    Rule {
        name: "PERIOD_ADD in a column",
        why: "has 64 bits; MariaDB keeps 32 of them in a column, and agrees when it is a decimal",
        holds: |seen| {
            seen.agrees_when(&|node| {
                matches!(node.label.as_str(), "PERIOD_ADD" | "PERIOD_DIFF")
                    .then(|| around("CAST(", node, " AS DECIMAL(30,0))"))
            })
        },
    },
    Rule {
        name: "a pattern that NULL is searched for",
        why: "is not read; MariaDB reads it, and both refuse it for another text",
        holds: |seen| {
            if *seen.ours != Answer::Null || !matches!(seen.server, Answer::Failed(_)) {
                return false;
            }
            let searching = with_operands(&seen.case.root, |index, _| {
                (index == 0).then(|| Node::literal("'a'"))
            });
            let Some(root) =
                searching.filter(|_| seen.label().contains("REGEXP") || seen.label().contains("RLIKE"))
            else {
                return false;
            };
            matches!(
                seen.ask(&seen.case.with(root)),
                (Answer::Failed(_), Answer::Failed(_))
            )
        },
    },
    Rule {
        name: "a list of nothing",
        why: "NULL; MariaDB gives an empty text or the day that is none where its types say that the operand is never NULL, \
              and counts no value",
        holds: is_nothing_listed,
    },
    Rule {
        name: "the type of no value",
        why: "without a line, or with NULL on all, a list function has no type; the server's has one, which shows in the \
              digits of a number beside it, and it agrees when NULL is written",
        holds: |seen| {
            let nothing = lists(seen, |answer| *answer == Answer::Null);
            let root = nothing
                .iter()
                .fold(seen.case.root.clone(), |root, (position, _)| {
                    root.replaced(*position, &Node::literal("NULL"))
                });
            !nothing.is_empty() && seen.agrees_as(root)
        },
    },
    Rule {
        name: "digits of a list's value",
        why: "a value read as a time has the digits it shows; MariaDB declares six for what a list function gives, and agrees \
              when its value is written",
        holds: |seen| {
            let texts = lists(seen, |answer| matches!(answer, Answer::Text(_)));
            let written = |value: fn(&str) -> String| {
                texts
                    .iter()
                    .fold(seen.case.root.clone(), |root, (position, answer)| match answer {
                        Answer::Text(text) => root.replaced(*position, &Node::literal(value(text))),
                        _ => root,
                    })
            };
            let roots = [
                written(quoted),
                written(|text| format!("({text})")),
                written(|text| format!("CAST({} AS DATETIME(6))", quoted(text))),
            ];
            !texts.is_empty() && roots.into_iter().any(|root| seen.agrees_as(root))
        },
    },
    Rule {
        name: "DISTINCT of floats with fixed digits",
        why: "takes the values as they are; MariaDB keeps the digits that are shown, and agrees without DISTINCT where all \
              values differ",
        holds: |seen| {
            seen.agrees_when(&|node| match &node.shape {
                Shape::Build {
                    ours,
                    server: Some(server),
                    kids,
                } => {
                    let without = |pieces: &[String]| -> Vec<String> {
                        pieces
                            .iter()
                            .map(|piece| piece.replace("DISTINCT ", ""))
                            .collect()
                    };
                    let plain = Node::build(node.label.clone(), without(ours), kids.clone());
                    matches!(node.label.as_str(), "SUM" | "AVG").then(|| plain.for_server(without(server)))
                }
                _ => None,
            })
        },
    },
    Rule {
        name: "the values of a column",
        why: "a list function takes its operand's values; MariaDB takes the operand's declared type, and agrees when the \
              values are written out",
        holds: is_column_of_values,
    },
];

/// Functions whose text has a declared number of digits for the server.
const TEXTS: &[&str] = &[
    "HEX",
    "UNHEX",
    "BIN",
    "OCT",
    "CONV",
    "DATE_FORMAT",
    "TIME_FORMAT",
    "FROM_UNIXTIME",
    "BINARY",
    "CAST AS BINARY",
    "MD5",
    "SHA1",
    "SHA",
    "SHA2",
    "TO_BASE64",
    "FROM_BASE64",
    "DAYNAME",
    "MONTHNAME",
    "SPACE",
    "ELT",
];

/// What gives a time as text.
const MOMENTS: &[&str] = &[
    "DATE_ADD",
    "DATE_SUB",
    "ADDDATE",
    "SUBDATE",
    "+ INTERVAL",
    "- INTERVAL",
    "TIMESTAMPADD",
    "ADDTIME",
    "SUBTIME",
    "STR_TO_DATE",
];

/// What chooses among values.
const CHOICES: &[&str] = &[
    "CASE", "CASE x", "IF", "IFNULL", "NVL", "NVL2", "COALESCE", "NULLIF",
];

/// What gives bytes.
const BYTES: &[&str] = &["UNHEX", "FROM_BASE64", "BINARY", "CAST AS BINARY", "CHAR", "SHA2"];

fn is_moment(node: &Node) -> bool {
    MOMENTS.contains(&node.label.as_str())
}

/// What takes a format, or a text letter by letter.
const FORMATS: &[&str] = &[
    "DATE_FORMAT",
    "TIME_FORMAT",
    "FROM_UNIXTIME",
    "STR_TO_DATE",
    "JSON_QUOTE",
    "REGEXP_SUBSTR",
    "REGEXP_REPLACE",
    "REGEXP_INSTR",
];

/// What gives a time, or NULL for what is none.
const TIMES: &[&str] = &[
    "DATE",
    "TIME",
    "TIMESTAMP",
    "CONVERT",
    "CONVERT_TZ",
    "LAST_DAY",
    "STR_TO_DATE",
    "MAKEDATE",
    "MAKETIME",
    "FROM_DAYS",
    "FROM_UNIXTIME",
    "SEC_TO_TIME",
    "TIMEDIFF",
    "CAST",
    "CAST AS DATE",
    "CAST AS TIME",
    "CAST AS DATETIME",
];

/// Ours with the placeholders written as a text substitution writes them is the server's answer.
fn is_bare_text(seen: &mut Seen<'_>) -> bool {
    let substituted = |cell: &Cell| match cell {
        Cell::Digits(digits) => Cell::Number(digits.clone()),
        other => other.clone(),
    };
    let lines = &seen.case.lines;
    let rows = lines
        .rows
        .iter()
        .map(|line| line.iter().map(substituted).collect())
        .collect();
    let case = Case {
        root: seen.case.root.with_literals(lines.words),
        lines: Lines { rows, ..*lines },
    };
    if case.ours() == seen.case.ours() {
        return false;
    }
    let (ours, _) = seen.ask(&case);
    ours.agrees(seen.server) || ours != *seen.ours && seen.is_explained_as(&case, &ours)
}

/// A quoted text of many digits as the decimal it spells, where it is compared.
fn long_text_as_decimal(node: &Node) -> Option<Node> {
    const COMPARING: &[&str] = &[
        "=", "<>", "!=", "<", "<=", ">", ">=", "<=>", "IN", "BETWEEN", "CASE x", "NULLIF", "FIELD",
    ];
    /// Fewer are one number as floating point, too.
    const FEW: usize = 15;
    if !COMPARING.contains(&node.label.as_str()) {
        return None;
    }
    with_operands(node, |_, kid| {
        let case = Case {
            root: kid.clone(),
            lines: Lines::default(),
        };
        let text = case.server();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        (text.starts_with('\'') && digits > FEW).then(|| around("CAST(", kid, " AS DECIMAL(65,30))"))
    })
}

/// `2023-11-15 06:13:20+09:00` and `…Z` without their offset, also in quotes.
fn without_offset(text: &str) -> String {
    let (body, quote) = match text.strip_suffix('\'') {
        Some(body) => (body, "'"),
        None => (text, ""),
    };
    let bare = body.trim_end();
    let cut = bare.strip_suffix(['Z', 'z']).or_else(|| {
        let sign = bare.rfind(['+', '-'])?;
        let digits = bare[sign + 1..].bytes().filter(u8::is_ascii_digit).count();
        (digits == 4 && bare[..sign].contains(':')).then(|| &bare[..sign])
    });
    match cut {
        Some(cut) if cut.contains(':') => format!("{}{quote}", cut.trim_end()),
        _ => text.to_owned(),
    }
}

/// `10:20:30 /` without what is behind the blank, also in quotes.
fn without_tail(text: &str) -> String {
    let (body, quote) = match text.strip_suffix('\'') {
        Some(body) => (body, "'"),
        None => (text, ""),
    };
    match body.rsplit_once(' ') {
        Some((time, tail)) if time.contains(':') && tail.contains(|c: char| !c.is_ascii_alphanumeric()) => {
            format!("{}{quote}", time.trim_end())
        }
        _ => text.to_owned(),
    }
}

/// `-0` and `-00:00` without the sign, also in quotes.
fn without_sign(text: &str) -> String {
    let (quote, body) = match text.strip_prefix('\'') {
        Some(body) => ("'", body),
        None => ("", text),
    };
    match body.strip_prefix('-') {
        Some(rest) if rest.starts_with('0') && !rest.contains(|c: char| c.is_ascii_digit() && c != '0') => {
            format!("{quote}{rest}")
        }
        _ => text.to_owned(),
    }
}

/// With every text written in another way, also one that a placeholder completes, both sides agree.
fn agrees_with_texts(seen: &mut Seen<'_>, change: fn(&str) -> String) -> bool {
    let case = seen.case.map_text(&|text| change(text));
    let root = case.root.rewritten(&|node| match &node.shape {
        Shape::Quoted(_) => {
            let text = case.with(node.clone()).server();
            Some(Node::literal(change(&text)))
        }
        _ => None,
    });
    seen.both_agree_on(&case) || seen.both_agree_on(&case.with(root))
}

fn as_text(node: &Node, labels: &[&str]) -> Option<Node> {
    labels
        .contains(&node.label.as_str())
        .then(|| around("CONCAT(", node, ")"))
}

/// `CAST(x AS CHAR(n))` as `LEFT(CONCAT(x), n)`.
fn cast_as_text(node: &Node) -> Option<Node> {
    let (Shape::Build { ours, .. }, [kid]) = (&node.shape, node.kids()) else {
        return None;
    };
    let target = ours[1]
        .strip_suffix(')')?
        .trim_start_matches([',', ' '])
        .trim_start_matches("AS ");
    let length = target.trim_start_matches('N').strip_prefix("CHAR")?;
    if !(ours[0] == "CAST(" || ours[0] == "CONVERT(") {
        return None;
    }
    Some(match length.trim_matches(['(', ')']) {
        "" => around("CONCAT(", kid, ")"),
        length => around("LEFT(CONCAT(", kid, &format!("), {length})")),
    })
}

fn is_json(node: &Node) -> bool {
    node.label.starts_with("JSON_") || node.label.starts_with("->")
}

fn is_unsigned(node: &Node) -> bool {
    const BITS: &[&str] = &["~", "&", "|", "^", "<<", ">>"];
    BITS.contains(&node.label.as_str())
        || matches!(&node.shape, Shape::Build { ours, .. } if ours[1..].concat().contains("UNSIGNED"))
}

/// `CONVERT(x USING utf8mb4)` as `CONCAT(x)`.
fn using_as_text(node: &Node) -> Option<Node> {
    let (Shape::Build { ours, .. }, [kid]) = (&node.shape, node.kids()) else {
        return None;
    };
    ours[1]
        .trim_start()
        .starts_with("USING ")
        .then(|| around("CONCAT(", kid, ")"))
}

/// `JSON_VALUE(document, path)` as NULL where the document is no JSON; of `JSON_CONTAINS` what is looked for, too.
fn json_if_valid(node: &Node) -> Option<Node> {
    let document = node.kids().first()?;
    let other = match node.kids() {
        [_, other, ..] if node.label == "JSON_CONTAINS" => other,
        _ => document,
    };
    is_json(node).then(|| {
        Node::build(
            node.label.clone(),
            ["IF(JSON_VALID(", ") AND JSON_VALID(", "), ", ", NULL)"]
                .map(str::to_owned)
                .to_vec(),
            vec![document.clone(), other.clone(), node.clone()],
        )
    })
}

/// The parts with these labels that are NULL, written as NULL.
fn is_null_written(seen: &mut Seen<'_>, labels: &[&str], null: &str) -> bool {
    let none: Vec<usize> = seen
        .agreed()
        .into_iter()
        .filter(|(_, node, answer)| labels.contains(&node.label.as_str()) && *answer == Answer::Null)
        .map(|(position, ..)| position)
        .collect();
    // The last ones first: the positions before them stay what they are.
    let root = none.iter().rev().fold(seen.case.root.clone(), |root, position| {
        root.replaced(*position, &Node::literal(null))
    });
    !none.is_empty() && seen.agrees_as(root)
}

/// Numbers below zero that are zero to the microsecond, written as zero.
fn is_rounded_to_zero(seen: &mut Seen<'_>) -> bool {
    let tiny = |answer: &Answer| matches!(answer, Answer::Text(text) if (-5e-7..0.0).contains(&number(text)));
    let found: Vec<usize> = seen
        .agreed()
        .into_iter()
        .filter(|(_, _, answer)| tiny(answer))
        .map(|(position, ..)| position)
        .collect();
    found.into_iter().any(|position| {
        let root = seen.case.root.replaced(position, &Node::literal("0e0"));
        seen.agrees_as(root)
    })
}

/// `REPLACE(text, from, to)` as NULL where one of them is.
fn replace_null(node: &Node) -> Option<Node> {
    let [text, from, to] = node.kids() else {
        return None;
    };
    (node.label == "REPLACE").then(|| {
        let pieces = ["IF(CONCAT(", ", ", ", ", ") IS NULL, NULL, ", ")"].map(str::to_owned);
        Node::build(
            "REPLACE",
            pieces.to_vec(),
            vec![text.clone(), from.clone(), to.clone(), node.clone()],
        )
    })
}

/// `REPLACE(text, from, to)` with NULL written for `to`.
fn replace_by_null(node: &Node) -> Option<Node> {
    (node.label == "REPLACE")
        .then(|| with_operands(node, |index, _| (index == 2).then(|| Node::literal("NULL"))))
        .flatten()
}

/// The arguments of functions that lose the characters of the others when one is a number, or bytes.
fn utf8_arguments(node: &Node, labels: &[&str]) -> Option<Node> {
    labels
        .contains(&node.label.as_str())
        .then(|| with_operands(node, |_, kid| Some(around("CONVERT(", kid, " USING utf8mb4)"))))
        .flatten()
}

/// A format alone: what it is applied to may be a time.
fn utf8_format(node: &Node) -> Option<Node> {
    FORMATS
        .contains(&node.label.as_str())
        .then(|| {
            with_operands(node, |index, kid| {
                (index == 1).then(|| around("CONVERT(", kid, " USING utf8mb4)"))
            })
        })
        .flatten()
}

/// The arguments of JSON_ARRAY and JSON_OBJECT that are made of bytes; a number among the others stays one.
fn utf8_bytes_in_json(node: &Node) -> Option<Node> {
    let bytes = |kid: &Node| kid.all().iter().any(|part| BYTES.contains(&part.label.as_str()));
    matches!(node.label.as_str(), "JSON_ARRAY" | "JSON_OBJECT")
        .then(|| {
            with_operands(node, |_, kid| {
                bytes(kid).then(|| around("CONVERT(", kid, " USING utf8mb4)"))
            })
        })
        .flatten()
}

/// `ROUND(x)` as `ROUND(0 + (x))`.
fn rounded_as_number(node: &Node) -> Option<Node> {
    matches!(
        node.label.as_str(),
        "ROUND" | "TRUNCATE" | "CEIL" | "CEILING" | "FLOOR" | "FORMAT"
    )
    .then(|| with_operands(node, |index, kid| (index == 0).then(|| around("0 + (", kid, ")"))))
    .flatten()
}

/// A number beyond 64 bits with a sign, as NULL, as the edge, or as the longest time.
fn is_beyond_counting(seen: &mut Seen<'_>) -> bool {
    let beyond = |answer: &Answer| matches!(answer, Answer::Text(text) if number(text).abs() >= 1e18);
    let large: Vec<usize> = seen
        .agreed()
        .into_iter()
        .filter(|(_, _, answer)| beyond(answer))
        .map(|(position, ..)| position)
        .collect();
    // The last one is no time either.
    [
        "NULL",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999",
    ]
    .into_iter()
    .any(|instead| {
        large.iter().any(|position| {
            let root = seen.case.root.replaced(*position, &Node::literal(instead));
            seen.agrees_as(root)
        })
    })
}

/// The list functions on which both agree, the last one first, so that the positions before it stay what they are.
fn lists(seen: &mut Seen<'_>, wanted: fn(&Answer) -> bool) -> Vec<(usize, Answer)> {
    let mut found: Vec<(usize, Answer)> = seen
        .agreed()
        .into_iter()
        .filter(|(_, node, answer)| node.is_over_lines() && wanted(answer))
        .map(|(position, _, answer)| (position, answer))
        .collect();
    found.reverse();
    found
}

/// A list function over values that are all NULL: the server says so when it counts them as texts.
fn is_nothing_listed(seen: &mut Seen<'_>) -> bool {
    let empty = matches!(seen.server, Answer::Text(text)
        if text.is_empty() || text.starts_with("0000-00-00") || text.starts_with("00:00:00"));
    let [kid, ..] = seen.case.root.kids() else {
        return false;
    };
    if !matches!(seen.label(), "GROUP_CONCAT" | "MIN" | "MAX") || *seen.ours != Answer::Null || !empty {
        return false;
    }
    let server = vec!["(SELECT COUNT(CONCAT(".to_owned(), format!(")) FROM {LINES} l)")];
    let ours = vec!["COUNT(CONCAT(".to_owned(), "))".to_owned()];
    let count = Node::build("COUNT", ours, vec![kid.clone()]).for_server(server);
    seen.ask(&seen.case.with(count)).1 == Answer::Text("0".to_owned())
}

/// Where the column stands in what is written for it.
const COLUMN: &str = "@";

/// A list function over values on which both sides agree, line by line: with the values written out as a column of
/// their own the server says what we say.
fn is_column_of_values(seen: &mut Seen<'_>) -> bool {
    let root = &seen.case.root;
    if !root.is_over_lines() || !seen.parts_here() {
        return false;
    }
    let lines = &seen.case.lines;
    let Some(operand) = root.kids().first() else {
        return false;
    };
    let mut values = Vec::with_capacity(lines.rows.len());
    for line in &lines.rows {
        let case = Case {
            root: operand.on_line(line),
            lines: Lines::default(),
        };
        match seen.ask(&case).1 {
            Answer::Null => values.push(Cell::Null),
            Answer::Text(text) => values.push(Cell::Text(text)),
            _ => return false,
        }
    }
    let numbers = values.iter().map(|value| match value {
        Cell::Text(text) if text.parse::<f64>().is_ok_and(f64::is_finite) => Cell::Number(text.clone()),
        other => other.clone(),
    });
    let numbers: Vec<Cell> = numbers.collect();
    // A time with the digits of a second that its values show.
    let shown = values.iter().map(|value| match value {
        Cell::Text(text) => text.split_once('.').map_or(0, |(_, digits)| digits.len()),
        _ => 0,
    });
    let shown = shown.max().unwrap_or(0).min(6);
    let times =
        ["DATETIME", "TIME"].map(|kind| (values.clone(), format!("CAST({COLUMN} AS {kind}({shown}))")));
    let columns = [(values, COLUMN.to_owned()), (numbers, COLUMN.to_owned())];
    columns.into_iter().chain(times).any(|(column, written)| {
        let mut case = seen.case.clone();
        for (line, cell) in case.lines.rows.iter_mut().zip(column) {
            line.push(cell);
        }
        let index = case.lines.columns;
        case.lines.columns += 1;
        let (before, after) = written.split_once(COLUMN).unwrap_or_default();
        let operand = around(before, &Node::column(index, false), after);
        case.root = with_operands(root, |at, _| (at == 0).then(|| operand.clone())).unwrap_or(case.root);
        seen.ask(&case).1.agrees(seen.ours)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_an_offset_or_a_sign_and_nothing_else() {
        let rows = [
            ("'2024-02-29 12:00:00z'", "'2024-02-29 12:00:00'"),
            ("2024-02-29T12:00:00 +08:00", "2024-02-29T12:00:00"),
            ("'2024-02-29 12:00:00'", "'2024-02-29 12:00:00'"),
            ("'2024-02-29'", "'2024-02-29'"),
            ("'xyz'", "'xyz'"),
        ];
        for (text, want) in rows {
            assert_eq!(without_offset(text), want);
        }
        for (text, want) in [
            ("'-0'", "'0'"),
            ("-00:00", "00:00"),
            ("'-01'", "'-01'"),
            ("'-'", "'-'"),
        ] {
            assert_eq!(without_sign(text), want);
        }
    }
}
