//! What OData writes in ways of its own: the text of a `$filter`, and dates as `/Date(ms)/`.
//!
//! A filter is built from fields, comparisons and values; a value is quoted with its quotes doubled, or must be exactly
//! what its literal wants. Nothing of a record is ever read as a part of the language.

use dsl::catalogue::source;
use dsl::cond::{Asked, Op};
use dsl::{Failure, Number, Value};
use jiff::tz::TimeZone;

use crate::filter::{FilterValue, check_field, quoted};
use crate::model::Literal;

/// What can be said: what both versions of OData have, in the same words.
pub(crate) const WORDS: &[&str] = &[
    "eq", "neq", "gt", "gte", "lt", "lte", "in", "not_in", "between", "is", "any", "not",
];

/// Most comparisons of one filter: an address has an end.
const TESTS_MAX: usize = 256;

/// Several filters of one call, all of which must hold; `None` when there are none.
pub(crate) fn filter(
    filters: &[FilterValue],
    types: &[(String, Literal)],
) -> Result<Option<String>, Failure> {
    let mut printer = Printer { types, tests: 0 };
    let mut parts = Vec::new();
    for filter in filters {
        match filter {
            FilterValue::Text(text) if text.trim().is_empty() => {}
            FilterValue::Text(_) => return Err(Failure::new(&source::FILTER_OP).with("op", "text").at("*")),
            FilterValue::Asked(asked) => parts.extend(printer.print(asked)?),
        }
    }
    Ok(match parts.len() {
        0 | 1 => parts.pop().map(|(text, _)| text),
        _ => Some(parts.into_iter().map(bracket).collect::<Vec<_>>().join(" and ")),
    })
}

/// The text of a condition, and whether it can stand beside `and` and `or` without brackets.
type Printed = (String, bool);

fn bracket((text, bare): Printed) -> String {
    if bare { text } else { format!("({text})") }
}

struct Printer<'a> {
    types: &'a [(String, Literal)],
    tests: usize,
}

impl Printer<'_> {
    fn print(&mut self, asked: &Asked) -> Result<Option<Printed>, Failure> {
        match asked {
            Asked::All(parts) => self.joined(parts, " and "),
            Asked::Any(parts) => self.joined(parts, " or "),
            Asked::Not(inner) => Ok(self
                .print(inner)?
                .map(|(text, _)| (format!("not ({text})"), true))),
            Asked::Test { field, op, values } => self.test(&field.to_string(), *op, values).map(Some),
        }
    }

    fn joined(&mut self, parts: &[Asked], with: &str) -> Result<Option<Printed>, Failure> {
        let mut printed = Vec::new();
        for part in parts {
            printed.extend(self.print(part)?);
        }
        Ok(match printed.len() {
            0 | 1 => printed.pop(),
            _ => {
                let parts: Vec<String> = printed.into_iter().map(bracket).collect();
                Some((parts.join(with), false))
            }
        })
    }

    fn test(&mut self, field: &str, op: Op, values: &[Value]) -> Result<Printed, Failure> {
        check_field(field)?;
        self.tests += values.len().max(1);
        if self.tests > TESTS_MAX {
            return Err(refused("*", &format!("> {TESTS_MAX}")));
        }
        let literal = self.types.iter().find(|(known, _)| known == field);
        let literal = literal.map_or(Literal::Text, |(_, literal)| *literal);
        let name = field.replace('.', "/");
        let printed: Vec<String> = match op {
            Op::Is => Vec::new(),
            _ => values
                .iter()
                .map(|value| print(field, literal, value))
                .collect::<Result<_, _>>()?,
        };
        let each = |sign: &str, with: &str| {
            let tests: Vec<String> = printed
                .iter()
                .map(|value| format!("{name} {sign} {value}"))
                .collect();
            (tests.join(with), tests.len() == 1)
        };
        let one = |sign: &str| match printed.as_slice() {
            [value] => Ok((format!("{name} {sign} {value}"), true)),
            _ => Err(refused(field, op.name())),
        };
        match op {
            Op::Eq => one("eq"),
            Op::Neq => one("ne"),
            Op::Gt => one("gt"),
            Op::Gte => one("ge"),
            Op::Lt => one("lt"),
            Op::Lte => one("le"),
            Op::In | Op::NotIn if printed.is_empty() => Err(refused(field, "[]")),
            Op::In => Ok(each("eq", " or ")),
            Op::NotIn => Ok(each("ne", " and ")),
            Op::Between => match printed.as_slice() {
                [low, high] => Ok((format!("{name} ge {low} and {name} le {high}"), false)),
                _ => Err(refused(field, op.name())),
            },
            Op::Is => match values.first().and_then(Value::as_text) {
                Some("null") => Ok((format!("{name} eq null"), true)),
                Some("empty") => Ok((format!("{name} eq ''"), true)),
                _ => Err(Failure::new(&source::FILTER_OP)
                    .with("op", "is: missing")
                    .at(field)),
            },
            Op::Like | Op::NotLike => Err(Failure::new(&source::FILTER_OP).with("op", op.name()).at(field)),
        }
    }
}

fn print(field: &str, literal: Literal, value: &Value) -> Result<String, Failure> {
    let text = match value {
        Value::Bool(truth) => return Ok(truth.to_string()),
        Value::Number(number) if literal == Literal::Text => return Ok(number.to_string()),
        Value::Text(_) | Value::Number(_) => value.to_plain_text().unwrap_or_default(),
        other => return Err(refused(field, other.kind().name())),
    };
    let wanted = |fine: bool, printed: String| match fine {
        true => Ok(printed),
        false => Err(refused(field, literal.name())),
    };
    match literal {
        Literal::Text => quoted(field, &text),
        Literal::Number => wanted(Number::parse(&text).is_some(), text),
        Literal::Instant => wanted(is_instant(&text), text),
        Literal::DateTimeOffset => wanted(is_instant(&text), format!("datetimeoffset'{text}'")),
        Literal::DateTime => {
            let bare = text.strip_suffix('Z').unwrap_or(&text);
            wanted(is_instant(&format!("{bare}Z")), format!("datetime'{bare}'"))
        }
        Literal::Guid => {
            let is_digit = |(at, byte): (usize, u8)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            };
            let fine = text.len() == 36 && text.bytes().enumerate().all(is_digit);
            wanted(fine, format!("guid'{text}'"))
        }
    }
}

impl Literal {
    fn name(self) -> &'static str {
        match self {
            Literal::Text => "text",
            Literal::Number => "number",
            Literal::Instant => "instant",
            Literal::DateTime => "datetime",
            Literal::DateTimeOffset => "datetimeoffset",
            Literal::Guid => "guid",
        }
    }
}

/// An instant in RFC 3339, and nothing that could end a literal.
fn is_instant(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_digit() || b"-:.TZ+".contains(&byte);
    text.len() <= 40 && text.bytes().all(known) && text.parse::<jiff::Timestamp>().is_ok()
}

fn refused(field: &str, why: &str) -> Failure {
    Failure::new(&source::FILTER_VALUE)
        .with("name", field)
        .with("why", why)
        .at(field)
}

/// Makes times that can be read of all texts that are exactly `/Date(ms)/` or `/Date(ms+0000)/`. The first is a time of
/// no zone, the second, whatever offset it names, an instant of UTC.
pub(crate) fn read_dates(value: &mut Value) {
    match value {
        Value::Text(text) => {
            if let Some(time) = date(text) {
                *text = time;
            }
        }
        Value::List(list) => list.iter_mut().for_each(read_dates),
        Value::Map(map) => map.values_mut().for_each(read_dates),
        _ => {}
    }
}

fn date(text: &str) -> Option<String> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let sign = inner
        .char_indices()
        .skip(1)
        .find(|(_, char)| matches!(char, '+' | '-'));
    let (ms, offset) = match sign {
        Some((at, _)) => (&inner[..at], Some(&inner[at + 1..])),
        None => (inner, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(ms.strip_prefix('-').unwrap_or(ms)) || offset.is_some_and(|offset| !digits(offset)) {
        return None;
    }
    let instant = jiff::Timestamp::from_millisecond(ms.parse().ok()?).ok()?;
    let at = instant.to_zoned(TimeZone::UTC).datetime();
    let zone = if offset.is_some() { "Z" } else { "" };
    Some(format!("{at}{zone}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl::Path;

    fn test(field: &str, op: Op, values: impl IntoIterator<Item = Value>) -> Asked {
        Asked::Test {
            field: Path::parse(field).unwrap(),
            op,
            values: values.into_iter().collect(),
        }
    }

    fn text(asked: Asked) -> Result<String, &'static str> {
        let types = [
            ("Changed", Literal::DateTimeOffset),
            ("Day", Literal::DateTime),
            ("At", Literal::Instant),
            ("Sum", Literal::Number),
            ("Uuid", Literal::Guid),
        ]
        .map(|(field, literal)| (field.to_owned(), literal));
        filter(&[FilterValue::Asked(asked)], &types)
            .map(Option::unwrap_or_default)
            .map_err(|failure| failure.code())
    }

    #[test]
    fn filters_as_both_versions_have_them() {
        let eq = |field: &str, value: &str| test(field, Op::Eq, [value.into()]);
        let number = |text: &str| Value::Number(dsl::Number::parse(text).unwrap());
        for (asked, want) in [
            (eq("Name", "O'Neil 客户"), "Name eq 'O''Neil 客户'"),
            (
                eq("Name", "x' or 1 eq 1 or 'a' eq 'a"),
                "Name eq 'x'' or 1 eq 1 or ''a'' eq ''a'",
            ),
            (test("Qty", Op::Gte, [number("1.50")]), "Qty ge 1.50"),
            (test("Sum", Op::Lt, ["10".into()]), "Sum lt 10"),
            (test("Done", Op::Neq, [true.into()]), "Done ne true"),
            (eq("to_Partner.Customer", "1"), "to_Partner/Customer eq '1'"),
            (
                test("N", Op::In, ["a".into(), "b".into()]),
                "N eq 'a' or N eq 'b'",
            ),
            (
                Asked::All(vec![eq("A", "1"), test("N", Op::In, ["a".into(), "b".into()])]),
                "A eq '1' and (N eq 'a' or N eq 'b')",
            ),
            (test("N", Op::NotIn, ["a".into()]), "N ne 'a'"),
            (Asked::Not(Box::new(eq("A", "1"))), "not (A eq '1')"),
            (
                test("D", Op::Between, ["1".into(), "2".into()]),
                "D ge '1' and D le '2'",
            ),
            (test("D", Op::Is, ["null".into()]), "D eq null"),
            (
                eq("Changed", "2023-11-14T22:13:20.5Z"),
                "Changed eq datetimeoffset'2023-11-14T22:13:20.5Z'",
            ),
            (
                eq("Day", "2023-11-14T22:13:20Z"),
                "Day eq datetime'2023-11-14T22:13:20'",
            ),
            (eq("At", "2023-11-14T22:13:20Z"), "At eq 2023-11-14T22:13:20Z"),
            (
                eq("Uuid", "00505691-2ebd-1ed6-9dc4-3cd63a4d9b0c"),
                "Uuid eq guid'00505691-2ebd-1ed6-9dc4-3cd63a4d9b0c'",
            ),
            (Asked::All(vec![]), ""),
        ] {
            assert_eq!(text(asked).as_deref(), Ok(want));
        }
    }

    #[test]
    fn nothing_breaks_out() {
        let eq = |field: &str, value: &str| test(field, Op::Eq, [value.into()]);
        for (asked, code) in [
            (eq("Changed", "2023-11-14T22:13:20Z' or 1 eq 1"), "E3008"),
            (eq("At", "now() or true"), "E3008"),
            (eq("At", "2023-11-14"), "E3008"),
            (eq("Sum", "1 or 1 eq 1"), "E3008"),
            (eq("Uuid", "x"), "E3008"),
            (eq("A B", "1"), "E3007"),
            (eq("A", "a\nb"), "E3008"),
            (test("A", Op::Like, ["a%".into()]), "E3009"),
            (test("A", Op::Is, ["missing".into()]), "E3009"),
            (test("A", Op::In, []), "E3008"),
            (test("A", Op::In, vec![Value::from("x"); TESTS_MAX + 1]), "E3008"),
        ] {
            assert_eq!(text(asked.clone()), Err(code), "{asked:?}");
        }
    }

    #[test]
    fn dates() {
        for (text, want) in [
            ("/Date(1700000000000)/", Some("2023-11-14T22:13:20")),
            ("/Date(1700000000123+0000)/", Some("2023-11-14T22:13:20.123Z")),
            ("/Date(-86400000)/", Some("1969-12-31T00:00:00")),
            ("/Date(1700000000000+0480)/", Some("2023-11-14T22:13:20Z")),
            ("/Date()/", None),
            ("/Date(1e3)/", None),
            ("/Date(99999999999999999999)/", None),
            ("x /Date(1)/", None),
        ] {
            assert_eq!(date(text).as_deref(), want, "{text}");
        }
    }
}
