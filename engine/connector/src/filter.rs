//! Conditions asked of a source, and how they are printed in its language.
//!
//! A filter is built from fields, comparisons and values, never from text with values in it: a field is checked
//! against a short list of characters, a value is quoted, and whatever could break out of the quotes is refused.

use dsl::catalogue::source;
use dsl::cond::{Asked, Op};
use dsl::{Failure, Value};

/// Most characters of one value. Keys and codes have a few dozen; a longer text is a mistake or an attack.
const VALUE_MAX: usize = 256;

/// Most characters of a field name.
const FIELD_MAX: usize = 128;

/// Most values in one filter: fifty keys of four fields each, and room for a window.
const VALUES_MAX: usize = 256;

/// The filter of one call.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterValue {
    /// Structured, its values computed.
    Asked(Asked),
    /// A scheme's own text in the source's language. It holds no values but the window's and the run's instant.
    Text(String),
}

/// How many values a condition compares with.
fn values_in(asked: &Asked) -> usize {
    match asked {
        Asked::All(parts) | Asked::Any(parts) => parts.iter().map(values_in).sum(),
        Asked::Not(inner) => values_in(inner),
        Asked::Test { values, .. } => values.len(),
    }
}

/// Several filters of one call, all of which must hold, as text in a language like SQL. `None` when there are none.
pub(crate) fn sql_text(filters: &[FilterValue]) -> Result<Option<String>, Failure> {
    let mut parts = Vec::new();
    for filter in filters {
        match filter {
            FilterValue::Text(text) if text.trim().is_empty() => {}
            FilterValue::Text(text) => parts.push((text.clone(), false)),
            FilterValue::Asked(asked) => {
                if values_in(asked) > VALUES_MAX {
                    return Err(Failure::new(&source::FILTER_VALUE)
                        .with("name", "*")
                        .with("why", "> 256"));
                }
                if let Some(part) = sql(asked)? {
                    parts.push(part);
                }
            }
        }
    }
    Ok(match parts.len() {
        0 => None,
        1 => parts.pop().map(|(text, _)| text),
        _ => Some(parts.into_iter().map(bracket).collect::<Vec<_>>().join(" AND ")),
    })
}

/// The text of a condition, and whether it can stand beside AND and OR without brackets.
type Printed = (String, bool);

fn bracket((text, bare): Printed) -> String {
    if bare { text } else { format!("({text})") }
}

fn sql(asked: &Asked) -> Result<Option<Printed>, Failure> {
    match asked {
        Asked::All(parts) => joined(parts, " AND "),
        Asked::Any(parts) => joined(parts, " OR "),
        Asked::Not(inner) => Ok(sql(inner)?.map(|(text, _)| (format!("NOT ({text})"), true))),
        Asked::Test { field, op, values } => {
            test(&field.to_string(), *op, values).map(|text| Some((text, true)))
        }
    }
}

fn joined(parts: &[Asked], with: &str) -> Result<Option<Printed>, Failure> {
    let mut printed = Vec::new();
    for part in parts {
        printed.extend(sql(part)?);
    }
    Ok(match printed.len() {
        0 => None,
        1 => printed.pop(),
        _ => Some((
            printed.into_iter().map(bracket).collect::<Vec<_>>().join(with),
            false,
        )),
    })
}

fn test(field: &str, op: Op, values: &[Value]) -> Result<String, Failure> {
    check_field(field)?;
    let one = |sign: &str| match values {
        [value] => Ok(format!("{field} {sign} {}", literal(field, value)?)),
        _ => Err(refused(field, op.name())),
    };
    let many = |sign: &str| {
        if values.is_empty() {
            return Err(refused(field, "[]"));
        }
        let values = values
            .iter()
            .map(|value| literal(field, value))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(format!("{field} {sign} ({})", values.join(", ")))
    };
    match op {
        Op::Eq => one("="),
        Op::Neq => one("<>"),
        Op::Gt => one(">"),
        Op::Gte => one(">="),
        Op::Lt => one("<"),
        Op::Lte => one("<="),
        Op::Like => one("LIKE"),
        Op::NotLike => one("NOT LIKE"),
        Op::In => many("IN"),
        Op::NotIn => many("NOT IN"),
        Op::Between => match values {
            [low, high] => Ok(format!(
                "{field} BETWEEN {} AND {}",
                literal(field, low)?,
                literal(field, high)?
            )),
            _ => Err(refused(field, op.name())),
        },
        Op::Is => match values.first().and_then(Value::as_text) {
            Some("null") => Ok(format!("{field} IS NULL")),
            Some("empty") => Ok(format!("{field} = ''")),
            _ => Err(Failure::new(&source::FILTER_OP)
                .with("op", "is: missing")
                .at(field)),
        },
    }
}

/// Letters, digits, `_` and `.` only. Everything else could end the name and begin something new.
pub(crate) fn check_field(field: &str) -> Result<(), Failure> {
    let fine = !field.is_empty()
        && field.len() <= FIELD_MAX
        && field
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    if fine {
        Ok(())
    } else {
        Err(Failure::new(&source::FILTER_FIELD).with("name", field).at(field))
    }
}

fn literal(field: &str, value: &Value) -> Result<String, Failure> {
    match value {
        // A number has JSON's syntax by construction and cannot hold anything else.
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(if *truth { "'1'" } else { "'0'" }.to_owned()),
        Value::Text(text) => quoted(field, text),
        other => Err(refused(field, other.kind().name())),
    }
}

/// A text in quotes, those inside it doubled.
pub(crate) fn quoted(field: &str, text: &str) -> Result<String, Failure> {
    if text.chars().count() > VALUE_MAX {
        return Err(refused(field, &format!("> {VALUE_MAX}")));
    }
    if let Some(bad) = text.chars().find(|char| forbidden(*char)) {
        return Err(refused(field, &format!("U+{:04X}", u32::from(bad))));
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}

/// Characters that no code or name needs and that end a line or a text somewhere.
fn forbidden(char: char) -> bool {
    char.is_control() || matches!(char, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn refused(field: &str, why: &str) -> Failure {
    Failure::new(&source::FILTER_VALUE)
        .with("name", field)
        .with("why", why)
        .at(field)
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

    fn eq(field: &str, value: &str) -> Asked {
        test(field, Op::Eq, [value.into()])
    }

    fn text(asked: Asked) -> Result<String, &'static str> {
        sql_text(&[FilterValue::Asked(asked)])
            .map(Option::unwrap_or_default)
            .map_err(|failure| failure.code())
    }

    #[track_caller]
    fn check(asked: Asked, want: &str) {
        assert_eq!(text(asked).as_deref(), Ok(want));
    }

    #[test]
    fn comparisons() {
        let number = |text: &str| Value::Number(dsl::Number::parse(text).unwrap());
        check(eq("FNumber", "00123"), "FNumber = '00123'");
        check(
            test("FOrg.FNumber", Op::Neq, ["甲".into()]),
            "FOrg.FNumber <> '甲'",
        );
        check(test("FQty", Op::Gte, [number("1.50")]), "FQty >= 1.50");
        check(test("FOk", Op::Eq, [true.into()]), "FOk = '1'");
        check(
            test("F", Op::In, ["a".into(), "b'c".into()]),
            "F IN ('a', 'b''c')",
        );
        check(
            test("F", Op::Between, ["1".into(), "2".into()]),
            "F BETWEEN '1' AND '2'",
        );
        check(test("F", Op::Is, ["null".into()]), "F IS NULL");
        check(test("F", Op::NotLike, ["a%".into()]), "F NOT LIKE 'a%'");
        assert_eq!(text(test("F", Op::Is, ["missing".into()])), Err("E3009"));
    }

    #[test]
    fn nesting_is_bracketed() {
        let x = |field: &str| eq(field, "x");
        let both = || Asked::All(vec![x("a"), x("b")]);
        check(both(), "a = 'x' AND b = 'x'");
        check(
            Asked::Any(vec![both(), x("c")]),
            "(a = 'x' AND b = 'x') OR c = 'x'",
        );
        check(Asked::Not(Box::new(both())), "NOT (a = 'x' AND b = 'x')");
        check(
            Asked::All(vec![Asked::Any(vec![both()]), Asked::All(vec![])]),
            "a = 'x' AND b = 'x'",
        );
        let joined = sql_text(&[
            FilterValue::Text("FStatus = 'C' OR 1 = 1".into()),
            FilterValue::Asked(x("a")),
            FilterValue::Text(" ".into()),
        ]);
        assert_eq!(
            joined.unwrap().as_deref(),
            Some("(FStatus = 'C' OR 1 = 1) AND a = 'x'")
        );
        assert_eq!(sql_text(&[]).unwrap(), None);
    }

    #[test]
    fn nothing_breaks_out() {
        for text in [
            "x' OR '1'='1",
            "'; DROP TABLE T_BD_CUSTOMER--",
            "''",
            "\\'",
            "’ OR 1=1",
            "a'/*",
        ] {
            let printed = self::text(eq("FNumber", text)).unwrap();
            let inner = printed
                .strip_prefix("FNumber = '")
                .and_then(|rest| rest.strip_suffix('\''))
                .unwrap();
            // Every quote inside stands in a pair, so the text ends where we ended it.
            assert!(inner.split("''").all(|part| !part.contains('\'')), "{printed}");
            assert_eq!(inner.replace("''", "'"), text);
        }
        for text in [
            "a\nb",
            "a\0b",
            "\u{2028}",
            "\u{7f}",
            "\u{feff}",
            "x".repeat(257).as_str(),
        ] {
            assert_eq!(self::text(eq("F", text)), Err("E3008"), "{text:?}");
        }
        for field in [
            "F OR 1=1", "F--", "F'", "字段", "F(x)", "F;", "F\n", "F.*", "a\\.b",
        ] {
            assert_eq!(self::text(eq(field, "x")), Err("E3007"), "{field:?}");
        }
        for value in [Value::Null, Value::List(vec![]), Value::Map(dsl::Map::new())] {
            assert_eq!(self::text(test("F", Op::Eq, [value])), Err("E3008"));
        }
        assert_eq!(self::text(test("F", Op::In, [])), Err("E3008"));
        assert_eq!(self::text(test("F", Op::Eq, [])), Err("E3008"));
        assert_eq!(
            self::text(test("F", Op::In, vec![Value::from("x"); 257])),
            Err("E3008")
        );
    }
}
