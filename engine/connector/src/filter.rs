//! Conditions asked of a source, and how they are printed in its language.
//!
//! A filter is built from fields, comparisons and values, never from text with values in it: a field is checked
//! against a short list of characters, a value is quoted, and whatever could break out of the quotes is refused.

use dsl::catalogue::source;
use dsl::{Failure, Value};

/// Most characters of one value. Keys and codes have a few dozen; a longer text is a mistake or an attack.
const VALUE_MAX: usize = 256;

/// Most characters of a field name.
const FIELD_MAX: usize = 128;

/// Most tests in one filter: fifty keys of four fields each, and room for a window.
const TESTS_MAX: usize = 256;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// `eq`
    Eq,
    /// `neq`
    Neq,
    /// `gt`
    Gt,
    /// `gte`
    Gte,
    /// `lt`
    Lt,
    /// `lte`
    Lte,
    /// `like`
    Like,
    /// `not_like`
    NotLike,
    /// `in`, with a list
    In,
    /// `not_in`, with a list
    NotIn,
    /// `between`, with a list of two
    Between,
    /// `is: null`
    IsNull,
    /// `is: empty`
    IsEmpty,
}

impl Op {
    const ALL: [Op; 13] = [
        Op::Eq,
        Op::Neq,
        Op::Gt,
        Op::Gte,
        Op::Lt,
        Op::Lte,
        Op::Like,
        Op::NotLike,
        Op::In,
        Op::NotIn,
        Op::Between,
        Op::IsNull,
        Op::IsEmpty,
    ];

    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Op::Eq => "eq",
            Op::Neq => "neq",
            Op::Gt => "gt",
            Op::Gte => "gte",
            Op::Lt => "lt",
            Op::Lte => "lte",
            Op::Like => "like",
            Op::NotLike => "not_like",
            Op::In => "in",
            Op::NotIn => "not_in",
            Op::Between => "between",
            Op::IsNull => "is_null",
            Op::IsEmpty => "is_empty",
        }
    }

    /// The comparison with this word.
    pub fn parse(word: &str) -> Option<Op> {
        Op::ALL.into_iter().find(|op| op.name() == word)
    }
}

/// Conditions whose values are known.
#[derive(Debug, Clone, PartialEq)]
pub enum Conditions {
    /// All hold.
    All(Vec<Conditions>),
    /// At least one holds.
    Any(Vec<Conditions>),
    /// It does not hold.
    Not(Box<Conditions>),
    /// One comparison.
    Test {
        /// The source's field.
        field: String,
        /// How it is compared.
        op: Op,
        /// With what: a scalar, or a list where the comparison takes one.
        value: Value,
    },
}

/// The filter of one call.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterValue {
    /// Structured.
    Conditions(Conditions),
    /// A scheme's own text in the source's language. It holds no values but the window's and the run's instant.
    Text(String),
}

impl Conditions {
    /// One comparison.
    pub fn test(field: impl Into<String>, op: Op, value: impl Into<Value>) -> Conditions {
        Conditions::Test { field: field.into(), op, value: value.into() }
    }

    fn tests(&self) -> usize {
        match self {
            Conditions::All(parts) | Conditions::Any(parts) => parts.iter().map(Conditions::tests).sum(),
            Conditions::Not(inner) => inner.tests(),
            Conditions::Test { value: Value::List(list), .. } => list.len(),
            Conditions::Test { .. } => 1,
        }
    }
}

/// Several filters of one call, all of which must hold, as text in a language like SQL. `None` when there are none.
pub(crate) fn sql_text(filters: &[FilterValue]) -> Result<Option<String>, Failure> {
    let mut parts = Vec::new();
    for filter in filters {
        match filter {
            FilterValue::Text(text) if text.trim().is_empty() => {}
            FilterValue::Text(text) => parts.push((text.clone(), false)),
            FilterValue::Conditions(conditions) => {
                if conditions.tests() > TESTS_MAX {
                    return Err(Failure::new(&source::FILTER_VALUE).with("name", "*").with("why", "> 256"));
                }
                if let Some(part) = sql(conditions)? {
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

fn sql(conditions: &Conditions) -> Result<Option<Printed>, Failure> {
    match conditions {
        Conditions::All(parts) => joined(parts, " AND "),
        Conditions::Any(parts) => joined(parts, " OR "),
        Conditions::Not(inner) => Ok(sql(inner)?.map(|(text, _)| (format!("NOT ({text})"), true))),
        Conditions::Test { field, op, value } => test(field, *op, value).map(|text| Some((text, true))),
    }
}

fn joined(parts: &[Conditions], with: &str) -> Result<Option<Printed>, Failure> {
    let mut printed = Vec::new();
    for part in parts {
        printed.extend(sql(part)?);
    }
    Ok(match printed.len() {
        0 => None,
        1 => printed.pop(),
        _ => Some((printed.into_iter().map(bracket).collect::<Vec<_>>().join(with), false)),
    })
}

fn test(field: &str, op: Op, value: &Value) -> Result<String, Failure> {
    check_field(field)?;
    let one = |sign: &str| Ok(format!("{field} {sign} {}", literal(field, value)?));
    let many = |sign: &str| {
        let list = value.as_list().filter(|list| !list.is_empty()).ok_or_else(|| refused(field, "[]"))?;
        let values = list.iter().map(|value| literal(field, value)).collect::<Result<Vec<_>, _>>()?;
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
        Op::Between => match value.as_list() {
            Some([low, high]) => {
                Ok(format!("{field} BETWEEN {} AND {}", literal(field, low)?, literal(field, high)?))
            }
            _ => Err(refused(field, "between")),
        },
        Op::IsNull => Ok(format!("{field} IS NULL")),
        Op::IsEmpty => Ok(format!("{field} = ''")),
    }
}

/// Letters, digits, `_` and `.` only. Everything else could end the name and begin something new.
pub(crate) fn check_field(field: &str) -> Result<(), Failure> {
    let fine = !field.is_empty()
        && field.len() <= FIELD_MAX
        && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
    if fine { Ok(()) } else { Err(Failure::new(&source::FILTER_FIELD).with("name", field).at(field)) }
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

fn quoted(field: &str, text: &str) -> Result<String, Failure> {
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
    Failure::new(&source::FILTER_VALUE).with("name", field).with("why", why).at(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(conditions: Conditions) -> Result<String, &'static str> {
        sql_text(&[FilterValue::Conditions(conditions)])
            .map(Option::unwrap_or_default)
            .map_err(|failure| failure.code())
    }

    #[track_caller]
    fn check(conditions: Conditions, want: &str) {
        assert_eq!(text(conditions).as_deref(), Ok(want));
    }

    fn list(values: &[&str]) -> Value {
        Value::List(values.iter().map(|text| Value::from(*text)).collect())
    }

    #[test]
    fn comparisons() {
        let number = |text: &str| Value::Number(dsl::Number::parse(text).unwrap());
        check(Conditions::test("FNumber", Op::Eq, "00123"), "FNumber = '00123'");
        check(Conditions::test("FOrg.FNumber", Op::Neq, "甲"), "FOrg.FNumber <> '甲'");
        check(Conditions::test("FQty", Op::Gte, number("1.50")), "FQty >= 1.50");
        check(Conditions::test("FOk", Op::Eq, true), "FOk = '1'");
        check(Conditions::test("F", Op::In, list(&["a", "b'c"])), "F IN ('a', 'b''c')");
        check(Conditions::test("F", Op::Between, list(&["1", "2"])), "F BETWEEN '1' AND '2'");
        check(Conditions::test("F", Op::IsNull, Value::Null), "F IS NULL");
        check(Conditions::test("F", Op::NotLike, "a%"), "F NOT LIKE 'a%'");
    }

    #[test]
    fn nesting_is_bracketed() {
        let eq = |field: &str| Conditions::test(field, Op::Eq, "x");
        let both = || Conditions::All(vec![eq("a"), eq("b")]);
        check(both(), "a = 'x' AND b = 'x'");
        check(Conditions::Any(vec![both(), eq("c")]), "(a = 'x' AND b = 'x') OR c = 'x'");
        check(Conditions::Not(Box::new(both())), "NOT (a = 'x' AND b = 'x')");
        check(Conditions::All(vec![Conditions::Any(vec![both()]), Conditions::All(vec![])]), "a = 'x' AND b = 'x'");
        let joined = sql_text(&[
            FilterValue::Text("FStatus = 'C' OR 1 = 1".into()),
            FilterValue::Conditions(eq("a")),
            FilterValue::Text(" ".into()),
        ]);
        assert_eq!(joined.unwrap().as_deref(), Some("(FStatus = 'C' OR 1 = 1) AND a = 'x'"));
        assert_eq!(sql_text(&[]).unwrap(), None);
    }

    #[test]
    fn nothing_breaks_out() {
        for text in ["x' OR '1'='1", "'; DROP TABLE T_BD_CUSTOMER--", "''", "\\'", "’ OR 1=1", "a'/*"] {
            let printed = self::text(Conditions::test("FNumber", Op::Eq, text)).unwrap();
            let inner = printed.strip_prefix("FNumber = '").and_then(|rest| rest.strip_suffix('\'')).unwrap();
            // Every quote inside stands in a pair, so the text ends where we ended it.
            assert!(inner.split("''").all(|part| !part.contains('\'')), "{printed}");
            assert_eq!(inner.replace("''", "'"), text);
        }
        for text in ["a\nb", "a\0b", "\u{2028}", "\u{7f}", "\u{feff}", "x".repeat(257).as_str()] {
            assert_eq!(self::text(Conditions::test("F", Op::Eq, text)), Err("E3008"), "{text:?}");
        }
        for field in ["", "F OR 1=1", "F--", "F'", "字段", "F(x)", "F;", "F\n"] {
            assert_eq!(self::text(Conditions::test(field, Op::Eq, "x")), Err("E3007"), "{field:?}");
        }
        for value in [Value::Null, Value::List(vec![]), Value::Map(dsl::Map::new())] {
            assert_eq!(self::text(Conditions::test("F", Op::Eq, value)), Err("E3008"));
        }
        assert_eq!(self::text(Conditions::test("F", Op::In, list(&[]))), Err("E3008"));
        let many = vec![Value::from("x"); 257];
        assert_eq!(self::text(Conditions::test("F", Op::In, many)), Err("E3008"));
    }
}
