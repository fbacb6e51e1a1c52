//! Differences that are meant, each with its reason. A rule is narrow: it looks at the expression, at both answers
//! and, where the cause lies deeper, at the answers to the parts; what it does not name stays unexplained.
//! `docs/oracle.md` lists them for the reader.

use super::Answer;
use super::node::{Case, Cell, Node};

/// One difference that is meant.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name in the summary and in `docs/oracle.md`.
    pub(super) name: &'static str,
    /// Why it is so.
    pub(super) why: &'static str,
    holds: fn(&mut Seen<'_>) -> bool,
}

/// Computes a part of a case, by us and by the server.
pub(super) type Ask<'a> = &'a mut dyn FnMut(&Case) -> (Answer, Answer);

/// A difference as a rule sees it.
struct Seen<'s> {
    case: &'s Case,
    ours: &'s Answer,
    server: &'s Answer,
    ask: Ask<'s>,
    parts: Option<Vec<(Node, Answer, Answer)>>,
}

impl Seen<'_> {
    fn failed_with(&self, code: &str) -> bool {
        matches!(self.ours, Answer::Failed(ours) if ours == code)
    }

    /// Every part that can be computed alone, with our answer and the server's; the whole is the first.
    fn parts(&mut self) -> &[(Node, Answer, Answer)] {
        if self.parts.is_none() {
            let nodes = self.case.root.all().into_iter();
            let found = nodes
                .filter(|node| node.is_sound() && node.label != "INTERVAL")
                .map(|node| {
                    let case = Case {
                        root: node.clone(),
                        lines: self.case.lines.clone(),
                    };
                    let (ours, server) = (self.ask)(&case);
                    (node.clone(), ours, server)
                })
                .collect();
            self.parts = Some(found);
        }
        self.parts.as_deref().unwrap_or_default()
    }
}

/// Digits after the point of a printed number.
fn scale(answer: &Answer) -> usize {
    match answer {
        Answer::Text(text) => text.split_once('.').map_or(0, |(_, fraction)| {
            if fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                fraction.len()
            } else {
                0
            }
        }),
        _ => 0,
    }
}

/// Ours with the placeholders written as a text substitution writes them is the server's answer.
fn is_bare_text(seen: &mut Seen<'_>) -> bool {
    let lines = seen
        .case
        .lines
        .rows
        .iter()
        .map(|line| line.iter().map(substituted).collect())
        .collect();
    let root = seen.case.root.with_literals(seen.case.lines.words);
    let case = Case {
        root,
        lines: super::node::Lines {
            rows: lines,
            ..seen.case.lines
        },
    };
    case.ours() != seen.case.ours() && (seen.ask)(&case).0.agrees(seen.server)
}

fn substituted(cell: &Cell) -> Cell {
    match cell {
        Cell::Digits(digits) => Cell::Number(digits.clone()),
        other => other.clone(),
    }
}

/// A CAST that fails with us because the server put an edge of the type in place of the value.
fn is_unfit_cast(seen: &mut Seen<'_>) -> bool {
    if !seen.failed_with("E2058") {
        return false;
    }
    let parts = seen.parts();
    let mut casts = parts.iter().enumerate().filter(|(_, (node, ours, _))| {
        node.label.starts_with("C") && matches!(ours, Answer::Failed(code) if code == "E2058")
    });
    // The deepest one is the cause. Its operand is the next part.
    let Some((index, (_, _, given))) = casts.next_back() else {
        // Inside a list function the parts cannot be computed alone.
        return parts
            .iter()
            .any(|(node, ..)| node.kids().iter().any(Node::has_column));
    };
    let Answer::Text(given) = given else {
        return false;
    };
    let digits = given.trim_start_matches('-').replace('.', "");
    let whole: Option<f64> = match parts.get(index + 1) {
        Some((_, _, Answer::Text(from))) => Some(number(from)),
        _ => None,
    };
    let edge = digits.trim_start_matches('0').bytes().all(|digit| digit == b'9');
    edge || whole.is_some_and(|from| from < 0.0 || from.abs() > 9.2e18)
}

/// The number at the start of a text.
fn number(text: &str) -> f64 {
    let text = text.trim_start();
    (0..=text.len())
        .rev()
        .filter_map(|end| text.get(..end))
        .find_map(|start| start.parse().ok())
        .unwrap_or(0.0)
}

/// A text and an exact number that are one floating-point number, but not one number.
fn is_exact_comparison(seen: &mut Seen<'_>) -> bool {
    const COMPARING: &[&str] = &[
        "=", "<>", "!=", "<", "<=", ">", ">=", "<=>", "IN", "BETWEEN", "CASE x", "NULLIF", "FIELD",
    ];
    let parts = seen.parts().to_vec();
    parts
        .iter()
        .filter(|(node, ..)| COMPARING.contains(&node.label.as_str()))
        .any(|(node, ..)| {
            let values: Vec<String> = node
                .kids()
                .iter()
                .filter_map(|kid| {
                    parts
                        .iter()
                        .find(|(part, ..)| std::ptr::eq(part, kid) || same(part, kid))
                })
                .filter_map(|(_, _, server)| match server {
                    Answer::Text(text) => Some(text.clone()),
                    _ => None,
                })
                .collect();
            values.iter().enumerate().any(|(index, a)| {
                values[index + 1..].iter().any(|b| {
                    let long = |text: &str| text.bytes().filter(u8::is_ascii_digit).count() > 15;
                    a != b && (long(a) || long(b)) && number(a).total_cmp(&number(b)).is_eq()
                })
            })
        })
}

fn same(a: &Node, b: &Node) -> bool {
    let text = |node: &Node| {
        let lines = super::node::Lines::default();
        Case {
            root: node.clone(),
            lines,
        }
        .server()
    };
    text(a) == text(b)
}

/// Characters beyond the basic plane are all equal to the server. With one character in the place of them all,
/// both sides agree.
fn is_astral(seen: &mut Seen<'_>) -> bool {
    let text = seen.case.server();
    let plain = |text: &str| -> String {
        text.chars()
            .map(|c| if u32::from(c) > 0xffff { '\u{fffd}' } else { c })
            .collect()
    };
    if plain(&text) == text {
        return false;
    }
    let case = seen.case.map_text(&plain);
    let (ours, server) = (seen.ask)(&case);
    ours.agrees(&server)
}

/// With the server's text of some parts written in another way, it gives what we give.
fn agrees_when(seen: &mut Seen<'_>, rewrite: fn(&Node) -> Option<Node>) -> bool {
    let case = Case {
        root: seen.case.root.rewritten(rewrite),
        lines: seen.case.lines.clone(),
    };
    case.server() != seen.case.server() && (seen.ask)(&case).1.agrees(seen.ours)
}

/// `CAST(x AS CHAR(n))` as `LEFT(CONCAT(x), n)`.
fn cast_as_text(node: &Node) -> Option<Node> {
    let super::node::Shape::Build { ours, kids, .. } = &node.shape else {
        return None;
    };
    let [kid] = kids.as_slice() else { return None };
    let target = ours[1]
        .strip_suffix(')')?
        .trim_start_matches([',', ' '])
        .trim_start_matches("AS ");
    let length = target.trim_start_matches('N').strip_prefix("CHAR")?;
    if !(ours[0] == "CAST(" || ours[0] == "CONVERT(") {
        return None;
    }
    let pieces = match length.trim_matches(['(', ')']) {
        "" => ["CONCAT(".to_owned(), ")".to_owned()],
        length => ["LEFT(CONCAT(".to_owned(), format!("), {length})")],
    };
    Some(Node::build(
        node.label.clone(),
        pieces.to_vec(),
        vec![kid.clone()],
    ))
}

/// `LEAST(a, b)` as `CONCAT(LEAST(a, b))`.
fn least_as_text(node: &Node) -> Option<Node> {
    let is_one = matches!(node.label.as_str(), "LEAST" | "GREATEST");
    is_one.then(|| Node::call("CONCAT", vec![node.clone()]))
}

/// Functions whose text has a declared number of digits for the server.
fn text_without_digits(node: &Node) -> Option<Node> {
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
    ];
    TEXTS
        .contains(&node.label.as_str())
        .then(|| Node::call("CONCAT", vec![node.clone()]))
}

/// A time that is none as NULL.
fn is_invalid_time_compared(seen: &mut Seen<'_>) -> bool {
    const TIMES: &[&str] = &[
        "DATE",
        "TIME",
        "TIMESTAMP",
        "CONVERT",
        "LAST_DAY",
        "STR_TO_DATE",
        "MAKEDATE",
        "MAKETIME",
        "FROM_DAYS",
    ];
    let mut root = seen.case.root.clone();
    for (node, _, server) in seen.parts().to_vec() {
        let makes_time = TIMES.contains(&node.label.as_str()) || node.label.starts_with("CAST");
        if makes_time && server == Answer::Null {
            let position = root.all().into_iter().position(|other| same(other, &node));
            if let Some(position) = position {
                root = root.replaced(position, &Node::literal("CAST(NULL AS DATE)"));
            }
        }
    }
    let case = Case {
        root,
        lines: seen.case.lines.clone(),
    };
    case.server() != seen.case.server() && (seen.ask)(&case).1.agrees(seen.ours)
}

/// The arguments of functions that lose the characters of the others when one is a number.
fn arguments_as_text(node: &Node) -> Option<Node> {
    let super::node::Shape::Build { kids, .. } = &node.shape else {
        return None;
    };
    if !matches!(node.label.as_str(), "INSERT" | "MAKE_SET" | "LPAD" | "RPAD") {
        return None;
    }
    let mut copy = node.clone();
    if let super::node::Shape::Build { kids: copies, .. } = &mut copy.shape {
        for (copy, kid) in copies.iter_mut().zip(kids) {
            let pieces = vec!["CONVERT(".to_owned(), " USING utf8mb4)".to_owned()];
            *copy = Node::build("CONVERT USING", pieces, vec![kid.clone()]);
        }
    }
    Some(copy)
}

/// A list function over values that are all NULL: the server says so when it counts them as texts.
fn is_nothing_listed(seen: &mut Seen<'_>) -> bool {
    let lists: Vec<Node> = seen
        .parts()
        .iter()
        .filter(|(node, ours, server)| {
            let empty = matches!(server, Answer::Text(text) if text.is_empty() || text.starts_with("0000-00-00") || text.starts_with("00:00:00"));
            matches!(node.label.as_str(), "GROUP_CONCAT" | "MIN" | "MAX") && *ours == Answer::Null && empty
        })
        .map(|(node, ..)| node.clone())
        .collect();
    lists.iter().any(|list| {
        let [kid] = list.kids() else { return false };
        let pieces = vec![
            "(SELECT COUNT(CONCAT(".to_owned(),
            format!(")) FROM {} l)", super::node::LINES),
        ];
        let ours = vec!["COUNT(CONCAT(".to_owned(), "))".to_owned()];
        let case = Case {
            root: Node::build("COUNT", ours, vec![kid.clone()]).for_server(pieces),
            lines: seen.case.lines.clone(),
        };
        (seen.ask)(&case).1 == Answer::Text("0".to_owned())
    })
}

/// `TIMEDIFF(a, b)` as `CAST(TIMEDIFF(a, b) AS TIME(6))`.
fn timediff_as_time(node: &Node) -> Option<Node> {
    let pieces = vec!["CAST(".to_owned(), " AS TIME(6))".to_owned()];
    (node.label == "TIMEDIFF").then(|| Node::build("CAST AS TIME", pieces, vec![node.clone()]))
}

/// A list function over no line as NULL.
fn no_lines_as_null(node: &Node) -> Option<Node> {
    let is_list = matches!(&node.shape, super::node::Shape::Build { server: Some(server), .. }
        if server.iter().any(|piece| piece.contains(super::node::LINES)));
    is_list.then(|| Node::literal("NULL"))
}

fn has(seen: &Seen<'_>, labels: &[&str]) -> bool {
    seen.case
        .root
        .all()
        .into_iter()
        .any(|node| labels.contains(&node.label.as_str()))
}

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
    "TIME",
    "TIME_TO_SEC",
    "TIMESTAMP",
    "STR_TO_DATE",
    "UNIX_TIMESTAMP",
    "FROM_UNIXTIME",
    "SEC_TO_TIME",
    "TO_SECONDS",
    "MICROSECOND",
    "LEAST",
    "GREATEST",
];

/// `ROUND(x)` as `ROUND(0 + (x))`.
fn rounded_as_number(node: &Node) -> Option<Node> {
    if !matches!(
        node.label.as_str(),
        "ROUND" | "TRUNCATE" | "CEIL" | "CEILING" | "FLOOR"
    ) {
        return None;
    }
    let mut copy = node.clone();
    if let super::node::Shape::Build { kids, .. } = &mut copy.shape {
        let first = kids.first_mut()?;
        *first = Node::build("+", vec!["0 + (".to_owned(), ")".to_owned()], vec![first.clone()]);
    }
    Some(copy)
}

/// A remainder or a product of zero with a sign.
fn is_negative_zero(answer: &Answer) -> bool {
    matches!(answer, Answer::Text(text)
        if text.strip_prefix('-').is_some_and(|rest| rest.bytes().all(|byte| matches!(byte, b'0' | b'.'))))
}

/// `GROUP_CONCAT(x)` as `CONCAT(GROUP_CONCAT(x))`.
fn list_as_text(node: &Node) -> Option<Node> {
    (node.label == "GROUP_CONCAT").then(|| Node::call("CONCAT", vec![node.clone()]))
}

/// `JSON_QUOTE(x)` as a text of the connection.
fn json_as_text(node: &Node) -> Option<Node> {
    let pieces = vec![
        "CONVERT(".to_owned(),
        " USING utf8mb4) COLLATE utf8mb4_general_ci".to_owned(),
    ];
    matches!(node.label.as_str(), "JSON_QUOTE" | "JSON_UNQUOTE" | "->>")
        .then(|| Node::build("CONVERT USING", pieces, vec![node.clone()]))
}

fn both_text(seen: &Seen<'_>) -> bool {
    matches!((seen.ours, seen.server), (Answer::Text(_), Answer::Text(_)))
}

/// Every rule.
pub(super) const ALL: &[Rule] = &[
    Rule {
        name: "length of an expression",
        why: "one that is too long, too deep or has too many operators is refused before it is read",
        holds: |seen| {
            ["E1313", "E1314", "E1315", "E1327"]
                .iter()
                .any(|code| seen.failed_with(code))
        },
    },
    Rule {
        name: "length of a value",
        why: "a text of more than 1 MiB is a failure; the server gives NULL, from 16 MiB on",
        holds: |seen| {
            const LONG: &[&str] = &["REPEAT", "SPACE", "LPAD", "RPAD"];
            let asks = |node: &&Node| LONG.contains(&node.label.as_str());
            seen.failed_with("E2055") && seen.case.root.all().iter().any(asks)
        },
    },
    Rule {
        name: "CAST that does not fit",
        why: "a failure; the server puts the nearest value that fits, or the bits of a negative number, and warns nobody",
        holds: is_unfit_cast,
    },
    Rule {
        name: "bare text",
        why: "the text of a bare placeholder is text where text will do and an exact number where one is needed; \
              as a literal, of digits or in quotes, it gives what the server gives",
        holds: is_bare_text,
    },
    Rule {
        name: "exact comparison",
        why: "text and an exact number are compared exactly; the server compares them as floating point, which takes \
              two ids of 19 digits for one",
        holds: is_exact_comparison,
    },
    Rule {
        name: "characters beyond the basic plane",
        why: "compared by code point; utf8mb4_general_ci takes all of them for one",
        holds: is_astral,
    },
    Rule {
        name: "CAST AS CHAR used as a number",
        why: "a text, so floating point, as in MySQL; MariaDB computes with the digits before the point or with none \
              of the declared ones, and agrees when CONCAT makes the text",
        holds: |seen| agrees_when(seen, cast_as_text),
    },
    Rule {
        name: "LEAST and GREATEST of texts used as a number",
        why: "the text that is least by the collation; MariaDB compares again, as numbers, and agrees when CONCAT \
              asks for the text",
        holds: |seen| agrees_when(seen, least_as_text),
    },
    Rule {
        name: "digits of a text",
        why: "a text used as a number shows the digits it has; MariaDB declares none for what DATE_FORMAT, HEX and their \
              like give, and agrees when CONCAT makes the text",
        holds: |seen| agrees_when(seen, text_without_digits),
    },
    Rule {
        name: "a time that is none, compared",
        why: "is NULL; MariaDB compares the zero it leaves behind, and agrees when NULL is written",
        holds: is_invalid_time_compared,
    },
    Rule {
        name: "third argument of DATE_FORMAT",
        why: "MariaDB takes a language; MySQL and we do not",
        holds: |seen| {
            seen.failed_with("E1302")
                && seen
                    .case
                    .root
                    .all()
                    .iter()
                    .any(|node| node.label == "DATE_FORMAT" && node.kids().len() == 3)
        },
    },
    Rule {
        name: "REPLACE by NULL where nothing is found",
        why: "NULL, as in MySQL; MariaDB sometimes gives the text as it was",
        holds: |seen| {
            *seen.ours == Answer::Null
                && seen.parts().iter().any(|(node, ours, server)| {
                    node.label == "REPLACE" && *ours == Answer::Null && *server != Answer::Null
                })
        },
    },
    Rule {
        name: "INSERT and MAKE_SET with a number",
        why: "the texts keep their characters; MariaDB writes the bytes of the others as Latin letters, and agrees when \
              the arguments are utf8mb4",
        holds: |seen| agrees_when(seen, arguments_as_text),
    },
    Rule {
        name: "a list of nothing",
        why: "NULL; MariaDB gives an empty text or the day that is none where its types say that the operand is never NULL",
        holds: is_nothing_listed,
    },
    Rule {
        name: "TIMEDIFF used as a day",
        why: "a time counts from today, as any other; MariaDB makes NULL of this one, and agrees when it is cast to a time",
        holds: |seen| agrees_when(seen, timediff_as_time),
    },
    Rule {
        name: "days before the year 1",
        why: "FROM_DAYS gives a day that is none, and what is asked of it is NULL; MariaDB counts on",
        holds: |seen| {
            has(seen, &["FROM_DAYS"])
                && seen.parts().iter().any(|(node, _, server)| {
                    node.label == "FROM_DAYS" && *server == Answer::Text("0000-00-00".to_owned())
                })
        },
    },
    Rule {
        name: "a JSON path that is none",
        why: "NULL or a failure when it is computed; MariaDB refuses some of them and gives NULL for others",
        holds: |seen| {
            let codes = ["4042", "4078", "4079"];
            let refused =
                |answer: &Answer| matches!(answer, Answer::Failed(code) if codes.contains(&code.as_str()));
            refused(seen.server) || seen.parts().iter().any(|(_, _, server)| refused(server))
        },
    },
    Rule {
        name: "a number too large for a time",
        why: "is no time; MariaDB takes 838:59:59.999999 for numbers from 9223372036854775807 on",
        holds: |seen| {
            let large =
                |answer: &Answer| matches!(answer, Answer::Text(text) if number(text).abs() >= 9.2e18);
            let edge = |answer: &Answer| matches!(answer, Answer::Text(text) if ["838:59:59", "3020399", "999999"].iter().any(|edge| text.contains(edge)));
            seen.parts().iter().any(|(_, _, server)| large(server))
                && seen.parts().iter().any(|(_, _, server)| edge(server))
        },
    },
    Rule {
        name: "bytes in a text function",
        why: "bytes that are no UTF-8 show a replacement character; the server takes them for Latin letters or leaves them out",
        holds: |seen| {
            has(seen, &["CHAR", "UNHEX", "FROM_BASE64", "0x", "BINARY"])
                && seen.parts().iter().any(|(_, ours, server)| {
                    let lost = |answer: &Answer| match answer {
                        Answer::Text(text) => text.contains('\u{fffd}'),
                        Answer::Bytes(_) => true,
                        _ => false,
                    };
                    lost(ours) || lost(server)
                })
        },
    },
    Rule {
        name: "digits of a time as text",
        why: "a text shows the digits it has; MariaDB declares some for a text that is a time, most of all in a column",
        holds: |seen| match (seen.ours, seen.server) {
            (Answer::Text(ours), Answer::Text(server)) => {
                ours != server
                    && number(ours).total_cmp(&number(server)).is_eq()
                    && ours.trim_end_matches(['0', '.']) == server.trim_end_matches(['0', '.'])
                    && has(seen, MOMENTS)
            }
            _ => false,
        },
    },
    Rule {
        name: "rounding a time",
        why: "rounds the number a time is, as in MySQL; MariaDB rounds the time, and agrees when it is a number",
        holds: |seen| agrees_when(seen, rounded_as_number),
    },
    Rule {
        name: "bytes that are no text",
        why: "a failure where text is made of them; the server puts question marks",
        holds: |seen| {
            let lost = |answer: &Answer| match answer {
                Answer::Text(text) => text.contains('?'),
                Answer::Bytes(_) => true,
                _ => false,
            };
            seen.failed_with("E2059")
                && (lost(seen.server) || seen.parts().iter().any(|(_, _, server)| lost(server)))
        },
    },
    Rule {
        name: "negative zero",
        why: "an exact zero has no sign; the server prints -0.0 for -3 % 1.5",
        holds: |seen| {
            seen.parts()
                .iter()
                .any(|(_, ours, server)| is_negative_zero(server) && !is_negative_zero(ours))
        },
    },
    Rule {
        name: "a part that fails",
        why: "one that is not needed for the result may be computed or not: NULL arguments, decided conditions",
        holds: |seen| {
            let fails = |answer: &Answer| matches!(answer, Answer::Failed(_));
            let one = fails(seen.ours) != fails(seen.server);
            one && seen
                .parts()
                .iter()
                .skip(1)
                .any(|(_, ours, server)| fails(ours) && fails(server))
        },
    },
    Rule {
        name: "no lines",
        why: "without a line a column has no type; the server's has one, which shows in the digits of a zero beside it",
        holds: |seen| {
            seen.case.lines.rows.is_empty() && agrees_when(seen, no_lines_as_null)
                || match (seen.ours, seen.server) {
                    (Answer::Text(ours), Answer::Text(server)) => {
                        seen.case.lines.rows.is_empty()
                            && seen.case.lines.columns > 0
                            && number(ours).total_cmp(&number(server)).is_eq()
                    }
                    _ => false,
                }
        },
    },
    Rule {
        name: "order of GROUP_CONCAT",
        why: "the lines keep their order, also with DISTINCT and where ORDER BY finds them equal; MariaDB sorts the different \
              ones and takes NULL for zero when it orders",
        holds: |seen| {
            let letters = |answer: &Answer| match answer {
                Answer::Text(text) => {
                    let mut letters: Vec<char> = text.chars().collect();
                    letters.sort_unstable();
                    letters
                }
                _ => Vec::new(),
            };
            seen.parts().iter().any(|(node, ours, server)| {
                node.label == "GROUP_CONCAT" && ours != server && letters(ours) == letters(server)
            })
        },
    },
    Rule {
        name: "JSON that breaks off",
        why: "is NULL; MariaDB reads as far as the path goes",
        holds: |seen| {
            let parts = seen.parts().to_vec();
            parts.iter().enumerate().any(|(index, (node, ours, server))| {
                let document = parts.get(index + 1).map(|(_, _, server)| server);
                let broken = matches!(document, Some(Answer::Text(text)) if dsl::json::parse(text.as_bytes()).is_err());
                (node.label.starts_with("JSON_") || node.label.starts_with("->")) && ours != server && broken
            })
        },
    },
    Rule {
        name: "a number beyond counting",
        why: "is no time and no length of time; MariaDB takes the lower bits, or the longest time, of numbers from \
              9223372036854775807 on",
        holds: |seen| {
            const COUNTING: &[&str] = &[
                "INTERVAL",
                "TIMESTAMPADD",
                "ADDDATE",
                "SUBDATE",
                "PERIOD_ADD",
                "PERIOD_DIFF",
                "HOUR",
                "MINUTE",
                "SECOND",
                "EXTRACT",
                "TIME_FORMAT",
                "TIMEDIFF",
                "CAST AS TIME",
                "MAKETIME",
                "MICROSECOND",
                "TIME",
                "TIME_TO_SEC",
                "ADDTIME",
                "SUBTIME",
            ];
            has(seen, COUNTING)
                && seen.parts().iter().any(
                    |(_, _, server)| matches!(server, Answer::Text(text) if number(text).abs() >= 2.3e18),
                )
        },
    },
    Rule {
        name: "BETWEEN with a time that is none",
        why: "the bound is NULL; MariaDB compares the zero it leaves behind",
        holds: |seen| {
            const TIMES: &[&str] = &[
                "DATE",
                "TIME",
                "TIMESTAMP",
                "CONVERT",
                "STR_TO_DATE",
                "MAKEDATE",
                "MAKETIME",
                "CONVERT_TZ",
                "CAST",
                "CAST AS DATE",
                "CAST AS TIME",
                "CAST AS DATETIME",
            ];
            let parts = seen.parts();
            let none = parts
                .iter()
                .any(|(node, _, server)| TIMES.contains(&node.label.as_str()) && *server == Answer::Null);
            let differs = parts
                .iter()
                .any(|(node, ours, server)| node.label == "BETWEEN" && ours != server);
            none && differs
        },
    },
    Rule {
        name: "the least of days that are none",
        why: "a list function leaves out what is no day; MariaDB takes the zero it leaves behind for the least",
        holds: |seen| {
            let zero = |answer: &Answer| matches!(answer, Answer::Text(text) if text.starts_with("0000-00-00") || text.starts_with("00:00:00"));
            seen.parts().iter().any(|(node, ours, server)| {
                matches!(node.label.as_str(), "MIN" | "MAX") && zero(server) && !zero(ours)
            })
        },
    },
    Rule {
        name: "a day that does not exist in TIME_FORMAT",
        why: "the clock of a text or a number is read without its day; MariaDB gives NULL",
        holds: |seen| {
            seen.parts().iter().any(|(node, ours, server)| {
                node.label == "TIME_FORMAT" && *server == Answer::Null && *ours != Answer::Null
            })
        },
    },
    Rule {
        name: "a float as a length of time",
        why: "counts by its exact value; MariaDB reads the digits it prints",
        holds: |seen| {
            has(seen, &["ADDTIME", "SUBTIME"])
                && seen.parts().iter().any(|(node, _, _)| {
                    matches!(&node.shape, super::node::Shape::Literal(text) if text.contains("e-"))
                        || node.label == "PI"
                })
        },
    },
    Rule {
        name: "more arguments than MySQL takes",
        why: "refused; MariaDB has some more, as a second one of CRC32",
        holds: |seen| seen.failed_with("E1302") && has(seen, &["CRC32", "DATE_FORMAT"]),
    },
    Rule {
        name: "failures inside list functions",
        why: "a CAST that does not fit, bytes that are no text, a number without a float: the same as outside of them, where \
              the parts can be looked at",
        holds: |seen| {
            let codes = ["E2054", "E2057", "E2058", "E2059"];
            codes.iter().any(|code| seen.failed_with(code))
                && seen
                    .case
                    .root
                    .all()
                    .into_iter()
                    .any(|node| node.kids().iter().any(Node::has_column))
        },
    },
    Rule {
        name: "a text list as a number",
        why: "shows the digits it has; MariaDB gives what GROUP_CONCAT joins the digits of its operand",
        holds: |seen| agrees_when(seen, list_as_text),
    },
    Rule {
        name: "a time as text in a list",
        why: "a list function over texts that are times gives a text; MariaDB forgets, or remembers, that they are times",
        holds: |seen| {
            let times = seen.case.root.all().into_iter().any(|node| {
                matches!(
                    node.label.as_str(),
                    "MIN" | "MAX" | "AVG" | "SUM" | "GROUP_CONCAT"
                ) && node
                    .all()
                    .into_iter()
                    .any(|part| MOMENTS.contains(&part.label.as_str()) || part.label == "TIMEDIFF")
            });
            times && !matches!(seen.ours, Answer::Failed(_) | Answer::Panicked)
        },
    },
    Rule {
        name: "JSON_QUOTE and JSON_UNQUOTE in MariaDB",
        why: "texts as all others; MariaDB compares them byte by byte, and agrees when CONCAT and a conversion make the text",
        holds: |seen| agrees_when(seen, json_as_text),
    },
    Rule {
        name: "the type of a NULL in a column",
        why: "a line without a value has no type; the server's column has one, which shows where branches meet and in FIELD",
        holds: |seen| {
            const MEETING: &[&str] = &[
                "FIELD", "CASE", "CASE x", "IF", "IFNULL", "NVL", "NVL2", "COALESCE", "GREATEST", "LEAST",
            ];
            let nulls = seen
                .case
                .lines
                .rows
                .iter()
                .flatten()
                .any(|cell| *cell == Cell::Null);
            let columns = seen
                .case
                .root
                .all()
                .into_iter()
                .any(|node| node.kids().iter().any(Node::has_column));
            nulls && columns && has(seen, MEETING) && both_text(seen)
        },
    },
    Rule {
        name: "negative zero in a column",
        why: "an exact zero has no sign; the same as outside of a list function, where the part can be looked at",
        holds: |seen| {
            let column = |node: &Node| matches!(node.label.as_str(), "MOD" | "%") && node.has_column();
            seen.case.root.all().into_iter().any(column) && both_text(seen)
        },
    },
    Rule {
        name: "a time or a float as a length of time",
        why: "the last digit of a second, or half a day, is rounded; MariaDB cuts some and rounds others",
        holds: |seen| {
            let lengths = has(
                seen,
                &["ADDTIME", "SUBTIME", "TIME_TO_SEC", "TIMEDIFF", "SEC_TO_TIME"],
            );
            let near = match (seen.ours, seen.server) {
                (Answer::Text(ours), Answer::Text(server)) => {
                    ours.get(..4) == server.get(..4) || ours.get(..1) == server.get(..1)
                }
                _ => false,
            };
            lengths && near
        },
    },
    Rule {
        name: "a day less an unsigned number",
        why: "out of range, as for numbers; MariaDB takes the day for a number with a sign",
        holds: |seen| {
            let days = seen.case.root.all().into_iter().any(|node| {
                node.label == "-"
                    && node.kids().first().is_some_and(
                        |kid| matches!(&kid.shape, super::node::Shape::Literal(text) if text.contains('(')),
                    )
            });
            days && seen.failed_with("E2054")
        },
    },
    Rule {
        name: "REPLACE by NULL in a column",
        why: "the same as outside of a list function, where the part can be looked at",
        holds: |seen| {
            seen.case
                .root
                .all()
                .into_iter()
                .any(|node| node.label == "REPLACE" && node.has_column())
                && !matches!(seen.ours, Answer::Failed(_))
        },
    },
    Rule {
        name: "LAST_DAY of the day 0",
        why: "is the last day of that month; MariaDB gives it too, but NULL where another function asks for it",
        holds: |seen| {
            *seen.server == Answer::Null
                && seen.parts().iter().any(|(node, ours, server)| {
                    node.label == "LAST_DAY" && ours == server && matches!(ours, Answer::Text(_))
                })
        },
    },
    Rule {
        name: "bytes as a format",
        why: "text as far as they are; MariaDB takes them for Latin letters",
        holds: |seen| {
            has(seen, &["DATE_FORMAT", "TIME_FORMAT", "JSON_QUOTE"])
                && has(seen, &["CHAR", "UNHEX", "FROM_BASE64", "0x", "BINARY"])
        },
    },
    Rule {
        name: "30 digits after the point",
        why: "a decimal has at most 30 of them, as in MySQL 8; MariaDB allows 38",
        holds: |seen| seen.parts().iter().any(|(_, _, server)| scale(server) > 30),
    },
];

/// The rule that explains a difference.
pub(super) fn explains(case: &Case, ours: &Answer, server: &Answer, ask: Ask<'_>) -> Option<&'static Rule> {
    let mut seen = Seen {
        case,
        ours,
        server,
        ask,
        parts: None,
    };
    ALL.iter().find(|rule| (rule.holds)(&mut seen))
}
