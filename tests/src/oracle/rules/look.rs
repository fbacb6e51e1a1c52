//! Rules that know what the server does at this very place, and compute it.

use super::super::Answer;
use super::super::node::{Case, Node, Shape};
use super::Rule;
use super::seen::{Ask, Operand, Seen, number, with_operands};

/// Our bound of a value, in bytes.
const MOST_BYTES: usize = 1 << 20;

const BYTES: &str = "bytes that are no UTF-8 show a replacement character; the server takes them for Latin letters or \
                     leaves them out";

/// The rules.
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
        holds: |seen| seen.failed_with("E2055") && is_too_long(seen),
    },
    Rule {
        name: "CAST that does not fit",
        why: "a failure; the server puts the nearest value that fits, or the bits of a negative number, and warns nobody",
        holds: |seen| seen.failed_with("E2058") && is_unfit_cast(seen),
    },
    Rule {
        name: "more arguments than MySQL takes",
        why: "refused; MariaDB has a language for DATE_FORMAT and a second argument of CRC32",
        holds: |seen| {
            let most = match seen.label() {
                "DATE_FORMAT" => 2,
                "CRC32" => 1,
                _ => return false,
            };
            seen.failed_with("E1302") && seen.case.root.kids().len() > most
        },
    },
    Rule {
        name: "bytes in a text function",
        why: BYTES,
        holds: |seen| has_lost_bytes(seen),
    },
    Rule {
        name: "bytes that are no text",
        why: "a failure where text is made of them; the server puts question marks",
        holds: |seen| seen.failed_with("E2059") && has_bytes(seen),
    },
    Rule {
        name: "negative zero",
        why: "an exact zero, and a length of time of zero, has no sign; the server prints -0.0 for -3 % 1.5",
        holds: |seen| {
            let zero = |text: &str| text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b':'));
            seen.texts()
                .is_some_and(|(ours, server)| server.strip_prefix('-') == Some(ours) && zero(ours))
        },
    },
    Rule {
        name: "a part that fails",
        why: "one that is not needed for the result may be computed or not: NULL arguments, decided conditions",
        holds: |seen| {
            let fails = |answer: &Answer| matches!(answer, Answer::Failed(_));
            let one = fails(seen.ours) != fails(seen.server);
            let both = |operand: &Operand| fails(&operand.ours) && fails(&operand.server);
            one && seen.operands().iter().any(both)
        },
    },
    Rule {
        name: "zero minus the least whole number",
        why: "is out of range; MariaDB gives the number itself",
        holds: |seen| {
            let least = i64::MIN.to_string();
            seen.label() == "-" && seen.failed_with("E2054") && *seen.server == Answer::Text(least)
        },
    },
    Rule {
        name: "order of GROUP_CONCAT",
        why: "the lines keep their order, also with DISTINCT and where ORDER BY finds them equal; MariaDB sorts the \
              different ones and takes NULL for zero when it orders",
        holds: |seen| is_other_order(seen),
    },
    Rule {
        name: "the least of days that are none",
        why: "a list function leaves out what is no day; MariaDB takes the zero it leaves behind for the least",
        holds: |seen| {
            matches!(seen.label(), "MIN" | "MAX")
                && is_no_day(seen.server)
                && !is_no_day(seen.ours)
                && seen.parts_here()
                && seen.operands().iter().any(|line| line.server == Answer::Null)
        },
    },
    Rule {
        name: "a sum beyond floating point",
        why: "out of range, as any other; MariaDB gives 0",
        holds: |seen| {
            let sum: f64 = numbers(seen).iter().sum();
            matches!(seen.label(), "SUM" | "AVG")
                && seen.failed_with("E2054")
                && !sum.is_finite()
                && seen.parts_here()
        },
    },
    Rule {
        name: "order of a sum",
        why: "the lines are added in their order; MariaDB sorts the different ones first, which changes the last digit of a float",
        holds: |seen| is_sum_in_order(seen),
    },
    Rule {
        name: "a day that does not exist in TIME_FORMAT",
        why: "the clock of a text or a number is read without its day; MariaDB gives NULL",
        holds: |seen| {
            if seen.label() != "TIME_FORMAT" || *seen.server != Answer::Null || !seen.parts_here() {
                return false;
            }
            let Some(time) = seen.operands().first().cloned() else {
                return false;
            };
            let day = time.case.with(Node::call("DATE", vec![time.case.root.clone()]));
            time.server != Answer::Null && seen.ask(&day) == (Answer::Null, Answer::Null)
        },
    },
    Rule {
        name: "a JSON path that is none",
        why: "NULL or a failure when it is computed; MariaDB refuses some of them and gives NULL for others",
        holds: |seen| {
            let json = seen.label().starts_with("JSON_") || seen.label().starts_with("->");
            let refused = matches!(seen.server, Answer::Failed(code) if ["4042", "4078", "4079"].contains(&code.as_str()));
            json && refused && *seen.ours == Answer::Null && seen.parts_here()
        },
    },
    Rule {
        name: "a number behind a backslash in a pattern",
        why: "is a back-reference, which cannot be had in linear time, also where MariaDB takes it for a character",
        holds: |seen| {
            let refused = seen.failed_with("E2057") || seen.failed_with("E1329");
            let numbered = |text: &str| {
                let behind = text.split('\\').skip(1);
                behind
                    .into_iter()
                    .any(|rest| rest.starts_with(|c: char| ('1'..='9').contains(&c)))
            };
            refused
                && matches!(seen.operands().get(1), Some(Operand { server: Answer::Text(text), .. }) if numbered(text))
        },
    },
    Rule {
        name: "FORMAT beyond 65 digits",
        why: "shows the zeros that were asked for; MariaDB loses the last digits before the point where both together are \
              more than a decimal has",
        holds: is_longer_than_a_decimal,
    },
    Rule {
        name: "30 digits after the point",
        why: "a decimal has at most 30 of them, as in MySQL 8; MariaDB allows 38",
        holds: |seen| {
            seen.texts()
                .is_some_and(|(ours, server)| is_cut_to_30(ours, server))
        },
    },
];

/// Rules about how much of a value is shown, and in which order.
const BOUNDS: [&str; 3] = [
    "length of a value",
    "30 digits after the point",
    "order of GROUP_CONCAT",
];

/// Whether two answers differ by such a rule alone.
pub(super) fn is_bound(case: &Case, ours: &Answer, server: &Answer, ask: Ask<'_>) -> bool {
    let mut seen = Seen::new(case, ours, server, ask);
    let mut bounds = ALL.iter().filter(|rule| BOUNDS.contains(&rule.name));
    bounds.any(|rule| (rule.holds)(&mut seen))
}

/// The server's value is longer than we allow, or NULL and its length follows from the arguments.
fn is_too_long(seen: &mut Seen<'_>) -> bool {
    match seen.server {
        Answer::Text(text) => return text.len() > MOST_BYTES,
        Answer::Bytes(bytes) => return bytes.len() > MOST_BYTES,
        Answer::Null => {}
        _ => return false,
    }
    let label = seen.label();
    let mut count = |index: usize| {
        let operand = seen.case.root.kids().get(index).cloned();
        operand.map_or(0.0, |operand| {
            as_number(seen, operand).map_or(0.0, |(_, size)| size)
        })
    };
    // All are far below 2^53, or so large that it does not matter.
    let characters = match label {
        "SPACE" => count(0),
        "REPEAT" | "LPAD" | "RPAD" => count(1),
        _ => 0.0,
    };
    // A character has up to four bytes, and what is repeated as many as it has.
    let each = match seen.operands().first().map(|operand| &operand.server) {
        Some(Answer::Text(text)) if label == "REPEAT" => length(text),
        _ => 4.0,
    };
    characters * each > length_limit()
}

fn length_limit() -> f64 {
    u32::try_from(MOST_BYTES).map_or(f64::MAX, f64::from)
}

/// What the server makes of an operand as a number, printed and near enough.
fn as_number(seen: &mut Seen<'_>, operand: Node) -> Option<(String, f64)> {
    let sum = Node::build("+", vec!["0 + (".to_owned(), ")".to_owned()], vec![operand]);
    match seen.ask(&seen.case.with(sum)) {
        (_, Answer::Text(printed)) => {
            let size = number(&printed);
            Some((printed, size))
        }
        _ => None,
    }
}

fn length(text: &str) -> f64 {
    u32::try_from(text.len()).map_or(f64::MAX, f64::from)
}

/// The server's value is the edge of the type, or the number's bits, as computed here from its operand.
fn is_unfit_cast(seen: &mut Seen<'_>) -> bool {
    let Answer::Text(given) = seen.server else {
        return false;
    };
    let (Shape::Build { ours, kids, .. }, [operand]) = (&seen.case.root.shape, seen.case.root.kids()) else {
        return false;
    };
    let target = ours[1].trim_start_matches([',', ' ']).trim_start_matches("AS ");
    debug_assert_eq!(kids.len(), 1, "a CAST has one operand");
    // The operand as it prints, and as a number where that is something else, as of a time.
    let printed = match seen.operands() {
        [
            Operand {
                server: Answer::Text(text),
                ..
            },
        ] => Some((text.clone(), number(text))),
        _ => None,
    };
    let sum = as_number(seen, operand.clone());
    [printed, sum]
        .into_iter()
        .flatten()
        .any(|(from, size)| is_edge(target, given, &from, size))
}

/// Whether a number beyond a type becomes `given` there.
fn is_edge(target: &str, given: &str, from: &str, size: f64) -> bool {
    if let Some(spec) = target.strip_prefix("DEC") {
        let spec: Vec<i32> = spec
            .split(|c: char| !c.is_ascii_digit())
            .filter_map(|digits| digits.parse().ok())
            .collect();
        let (digits, scale) = (*spec.first().unwrap_or(&10), *spec.get(1).unwrap_or(&0));
        let edge = given.trim_start_matches('-').replace('.', "");
        let edge = edge.trim_start_matches('0');
        let nines = edge.bytes().all(|digit| digit == b'9')
            && i32::try_from(edge.len()).is_ok_and(|length| length == digits);
        return nines
            && given.starts_with('-') == (size < 0.0)
            && size.abs() >= 10f64.powi(digits - scale) - 1.0;
    }
    if target.starts_with("UNSIGNED") {
        // A text by its leading digits.
        let (sign, digits) = from.split_at(usize::from(from.starts_with('-')));
        let digits: String = digits.chars().take_while(char::is_ascii_digit).collect();
        let whole = format!("{sign}{digits}").parse::<i128>().ok();
        let bits = |whole: i128| i64::try_from(whole).ok().map(i64::cast_unsigned);
        // A float or a decimal is rounded, a text and a time are cut.
        let complement = whole.is_some_and(|whole| {
            [whole, whole - 1]
                .into_iter()
                .filter_map(bits)
                .any(|bits| bits.to_string() == given)
        });
        let edges = [0, u64::MAX, i64::MAX.cast_unsigned(), 1 << 63].map(|edge| edge.to_string());
        return size < 0.0 && (complement || is_one_of(&edges, given))
            || size >= 9.2e18 && is_one_of(&edges, given);
    }
    // Signed: the edge, or the bits of one without a sign.
    let edges = [i64::MAX, i64::MIN, -1].map(|edge| edge.to_string());
    let wrapped = from
        .split(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default()
        .parse::<u64>()
        .is_ok_and(|whole| whole.cast_signed().to_string() == given);
    size.abs() >= 9.2e18 && (wrapped || is_one_of(&edges, given))
}

fn is_one_of(edges: &[String], given: &str) -> bool {
    edges.iter().any(|edge| edge == given)
}

fn is_bytes(answer: &Answer) -> bool {
    matches!(answer, Answer::Bytes(_))
}

fn has_bytes(seen: &mut Seen<'_>) -> bool {
    is_bytes(seen.server) || seen.operands().iter().any(|operand| is_bytes(&operand.server))
}

/// An operand is bytes that are no UTF-8, or the bytes it is cut to are none.
fn has_lost_bytes(seen: &mut Seen<'_>) -> bool {
    let replaced = |answer: &Answer| matches!(answer, Answer::Text(text) if text.contains('\u{fffd}'));
    let failed = |answer: &Answer| matches!(answer, Answer::Failed(_));
    // A pattern of such bytes is refused.
    let refused = failed(seen.server) && !seen.label().contains("REGEXP");
    !failed(seen.ours)
        && !refused
        && seen.parts_here()
        && (has_bytes(seen) || is_bytes(seen.ours) || replaced(seen.ours))
}

fn is_no_day(answer: &Answer) -> bool {
    matches!(answer, Answer::Text(text) if text.starts_with("0000-00-00") || text.starts_with("00:00:00"))
}

/// The same values in another order, where the server may choose it.
fn is_other_order(seen: &mut Seen<'_>) -> bool {
    let Shape::Build { ours: pieces, .. } = &seen.case.root.shape else {
        return false;
    };
    let pieces = pieces.concat();
    let chosen = pieces.contains("DISTINCT") || pieces.contains("ORDER BY");
    let separator = pieces
        .split_once("SEPARATOR '")
        .map_or(",", |(_, rest)| rest.split('\'').next().unwrap_or_default());
    let sorted = |text: &str| {
        let mut values: Vec<String> = if separator.is_empty() {
            text.chars().map(String::from).collect()
        } else {
            text.split(separator).map(str::to_owned).collect()
        };
        values.sort_unstable();
        values
    };
    seen.label() == "GROUP_CONCAT"
        && chosen
        && seen
            .texts()
            .is_some_and(|(ours, server)| sorted(ours) == sorted(server))
}

/// More digits are shown than a decimal has, and without the places both agree.
fn is_longer_than_a_decimal(seen: &mut Seen<'_>) -> bool {
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let long = seen.texts().is_some_and(|(ours, _)| digits(ours) > 65);
    let whole = with_operands(&seen.case.root, |index, _| {
        (index == 1).then(|| Node::literal("0"))
    });
    match whole {
        Some(whole) if seen.label() == "FORMAT" && long => seen.both_agree_on(&seen.case.with(whole)),
        _ => false,
    }
}

/// The values of a list function's lines as floating point.
fn numbers(seen: &mut Seen<'_>) -> Vec<f64> {
    let printed = seen.operands().iter().map(|operand| &operand.server);
    printed
        .filter_map(|answer| match answer {
            Answer::Text(text) => Some(number(text)),
            _ => None,
        })
        .collect()
}

/// The sum of the different values in one of the server's orders is the server's, and that in their order is ours.
fn is_sum_in_order(seen: &mut Seen<'_>) -> bool {
    let pieces = match &seen.case.root.shape {
        Shape::Build { ours, .. } => ours.concat(),
        _ => return false,
    };
    let Some((ours, server)) = seen.texts().filter(|_| pieces.contains("DISTINCT")) else {
        return false;
    };
    let mut values: Vec<f64> = Vec::new();
    for value in numbers(seen) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    let count = u32::try_from(values.len()).map_or(1.0, f64::from);
    let of = |values: &[f64]| {
        let sum: f64 = values.iter().sum();
        if seen.label() == "AVG" { sum / count } else { sum }
    };
    let unsorted = of(&values);
    // The server's order is that of their eight bytes, the lowest first.
    values.sort_unstable_by_key(|value| value.to_le_bytes());
    let bytewise = of(&values);
    values.sort_unstable_by(f64::total_cmp);
    let is = |printed: &str, sum: f64| number(printed).total_cmp(&sum).is_eq();
    matches!(seen.label(), "SUM" | "AVG")
        && is(ours, unsorted)
        && (is(server, bytewise) || is(server, of(&values)))
}

/// Ours is the server's, cut or rounded after 30 digits behind the point.
fn is_cut_to_30(ours: &str, server: &str) -> bool {
    const DIGITS: usize = 30;
    let Some((whole, fraction)) = server.split_once('.') else {
        return false;
    };
    if fraction.len() <= DIGITS || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let (kept, rest) = fraction.split_at(DIGITS);
    let cut = format!("{whole}.{kept}");
    if ours == cut {
        return true;
    }
    // Rounded up: one more in the last place.
    let mut digits: Vec<u8> = cut.bytes().collect();
    for digit in digits.iter_mut().rev() {
        match digit {
            b'9' => *digit = b'0',
            b'0'..=b'8' => {
                *digit += 1;
                break;
            }
            _ => {}
        }
    }
    rest.as_bytes()[0] >= b'5' && ours.as_bytes() == digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_of_a_type_is_known() {
        let rows = [
            ("UNSIGNED)", "18446744073709551035", "-581.94", true),
            ("UNSIGNED)", "18446744073709551034", "-582", true),
            ("UNSIGNED)", "5", "-582", false),
            ("SIGNED)", "-6101065172474983726", "12345678901234567890.", true),
            ("SIGNED)", "9223372036854775807", "1e30", true),
            ("SIGNED)", "12", "1e30", false),
            ("DECIMAL(5,2))", "999.99", "1000", true),
            ("DECIMAL(5,2))", "-999.99", "-1000", true),
            ("DECIMAL(5,2))", "999.99", "-1000", false),
            ("DECIMAL(5,2))", "999.99", "12", false),
        ];
        for (target, given, from, want) in rows {
            assert_eq!(
                is_edge(target, given, from, number(from)),
                want,
                "{from} as {target}"
            );
        }
    }

    #[test]
    fn digits_beyond_30_are_cut_or_rounded() {
        let zeros = "0".repeat(28);
        let rows = [
            (format!("1.{zeros}12"), format!("1.{zeros}12499"), true),
            (format!("1.{zeros}13"), format!("1.{zeros}12500"), true),
            (format!("1.{zeros}13"), format!("1.{zeros}12499"), false),
            (format!("1.{zeros}20"), format!("1.{zeros}1949"), false),
            (format!("1.{zeros}20"), format!("1.{zeros}19501"), true),
            (format!("1.{zeros}12"), format!("1.{zeros}12"), false),
        ];
        for (ours, server, want) in rows {
            assert_eq!(is_cut_to_30(&ours, &server), want, "{ours} {server}");
        }
    }
}
