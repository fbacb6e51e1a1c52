//! What rows of another scheme are asked beyond equality: `$gt`, `$in`, `$regex` and their like, as plain data.
//!
//! A [`Condition`] holds typed values, never text of a query language: whoever stores rows binds them as parameters,
//! or filters candidates with [`Condition::matches`], which says exactly what each comparison means.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use regex::{Regex, RegexBuilder};

use crate::decimal::Decimal;
use crate::json;
use crate::path::{Path, Segment};
use crate::value::{Map, Value};

/// Bytes of a compiled pattern. The engine is linear in the text; this bounds what a pattern may unfold to.
const PATTERN_BYTES: usize = 1 << 20;

/// A condition on a stored row.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A comparison of one field.
    Test {
        /// The field.
        field: Field,
        /// The comparison.
        test: Test,
    },
    /// All must hold.
    All(Vec<Condition>),
    /// One must hold.
    Any(Vec<Condition>),
    /// Must not hold.
    Not(Box<Condition>),
}

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    /// A field of the row.
    Row(Path),
    /// Its key.
    Key,
    /// What people call it.
    Label,
    /// What the target calls it.
    TargetId,
    /// The target's number of it.
    TargetNumber,
}

/// How a field is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equal. Null equals null and a field that is absent; a text equals the number or truth value that is written so.
    Eq(Value),
    /// Equal to one of these.
    In(Vec<Value>),
    /// Greater: two numbers by value, or two texts by code point; anything else never is.
    Gt(Value),
    /// Greater or equal.
    Gte(Value),
    /// Less.
    Lt(Value),
    /// Less or equal.
    Lte(Value),
    /// There, be it null.
    Exists,
    /// The text, or how the number is written, has this form somewhere.
    Regex(Pattern),
}

/// A regular expression without look-around and back references, so that matching takes linear time.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    flags: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern; `flags` are any of `i`, `m` and `s`. The error is the engine's own words.
    pub fn new(text: &str, flags: &str) -> Result<Pattern, String> {
        let regex = RegexBuilder::new(text)
            .case_insensitive(flags.contains('i'))
            .multi_line(flags.contains('m'))
            .dot_matches_new_line(flags.contains('s'))
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES)
            .build();
        Ok(Pattern {
            text: text.to_owned(),
            flags: flags.to_owned(),
            regex: regex.map_err(|error| last_line(&error.to_string()))?,
        })
    }

    /// The pattern as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its flags.
    pub fn flags(&self) -> &str {
        &self.flags
    }
}

/// The engine draws the pattern above its words.
fn last_line(words: &str) -> String {
    let last = words.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.text == other.text && self.flags == other.flags
    }
}

/// What the ledger knows of a stored row, as texts. A key of several fields is their JSON list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// Its key.
    pub key: Option<&'a str>,
    /// What people call it.
    pub label: Option<&'a str>,
    /// What the target calls it.
    pub target_id: Option<&'a str>,
    /// The target's number of it.
    pub target_number: Option<&'a str>,
}

/// Whether a row has what a condition asks for, when nothing is known beside the row.
///
/// ```
/// use dsl::lookup::{Condition, Field, Test, matches};
/// use dsl::{Path, Value, json};
/// let field = Field::Row(Path::parse("qty").unwrap());
/// let row = json::parse(br#"{"qty": 1.50}"#).unwrap();
/// let more = Condition::Test { field, test: Test::Gte(Value::from(1)) };
/// assert!(matches(&more, &row));
/// ```
pub fn matches(condition: &Condition, row: &Value) -> bool {
    condition.matches(row, &Known::default())
}

impl Condition {
    /// Whether a row has what is asked for. Takes time in proportion to the row and the condition.
    pub fn matches(&self, row: &Value, known: &Known<'_>) -> bool {
        match self {
            Condition::Test { field, test } => test.holds(&field.values(row, known)),
            Condition::All(parts) => parts.iter().all(|part| part.matches(row, known)),
            Condition::Any(parts) => parts.iter().any(|part| part.matches(row, known)),
            Condition::Not(part) => !part.matches(row, known),
        }
    }

    /// The fields it compares, each as often as it does.
    pub fn fields(&self) -> Vec<&Field> {
        match self {
            Condition::Test { field, .. } => vec![field],
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().flat_map(Condition::fields).collect()
            }
            Condition::Not(part) => part.fields(),
        }
    }

    fn shown(&self) -> Value {
        let list = |name: &str, parts: &[Condition]| {
            one(name, Value::List(parts.iter().map(Condition::shown).collect()))
        };
        match self {
            Condition::Test { field, test } => one(&field.to_string(), test.shown()),
            Condition::All(parts) => list("$and", parts),
            Condition::Any(parts) => list("$or", parts),
            Condition::Not(part) => list("$nor", std::slice::from_ref(part)),
        }
    }
}

/// As a query would be written, for messages; two conditions are the same when this is.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&json::to_string(&self.shown()))
    }
}

// No part of a value is a float, so equality is an equivalence.
impl Eq for Condition {}

impl Hash for Condition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.to_string().hash(state);
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Row(path) => path.fmt(f),
            Field::Key => f.write_str("$key"),
            Field::Label => f.write_str("$label"),
            Field::TargetId => f.write_str("$target.id"),
            Field::TargetNumber => f.write_str("$target.number"),
        }
    }
}

impl Field {
    /// The field that a path of a look-up names.
    pub fn of(path: &Path) -> Field {
        if !path.is_special() {
            return Field::Row(path.clone());
        }
        match (path.first_name(), path.last_name()) {
            (Some("$label"), _) => Field::Label,
            (Some("$target"), Some("number")) => Field::TargetNumber,
            (Some("$target"), _) => Field::TargetId,
            _ => Field::Key,
        }
    }

    /// Every value of the field: through a list each element's, and of a list that stands there its elements, too.
    fn values(&self, row: &Value, known: &Known<'_>) -> Vec<Value> {
        let text = |text: Option<&str>| text.map(Value::from).into_iter().collect();
        match self {
            Field::Row(path) => {
                let mut found = Vec::new();
                reach(row, path.segments(), &mut found);
                found.into_iter().cloned().collect()
            }
            Field::Key => text(known.key),
            Field::Label => text(known.label),
            Field::TargetId => text(known.target_id),
            Field::TargetNumber => text(known.target_number),
        }
    }
}

fn reach<'v>(value: &'v Value, segments: &[Segment], found: &mut Vec<&'v Value>) {
    match (segments.split_first(), value) {
        (None, value) => {
            found.push(value);
            found.extend(value.as_list().into_iter().flatten());
        }
        (Some((Segment::All, rest)), Value::List(list)) => {
            list.iter().for_each(|element| reach(element, rest, found));
        }
        (Some((Segment::Index(index), rest)), Value::List(list)) => {
            if let Some(element) = list.get(*index) {
                reach(element, rest, found);
            }
        }
        (Some((Segment::Name(_), _)), Value::List(list)) => {
            list.iter().for_each(|element| reach(element, segments, found));
        }
        (Some((first, rest)), value) => {
            let name = crate::tree::term::segment_name(first);
            if let Some(inner) = name.and_then(|name| value.get(&name)) {
                reach(inner, rest, found);
            }
        }
    }
}

impl Test {
    fn holds(&self, values: &[Value]) -> bool {
        let any = |test: &dyn Fn(&Value) -> bool| values.iter().any(test);
        let is = |wanted: &Value| {
            any(&|value| equal(value, wanted)) || (values.is_empty() && matches!(wanted, Value::Null))
        };
        let ordered = |right: &Value, wanted: &[Ordering]| {
            any(&|left| order(left, right).is_some_and(|it| wanted.contains(&it)))
        };
        match self {
            Test::Eq(wanted) => is(wanted),
            Test::In(wanted) => wanted.iter().any(is),
            Test::Gt(right) => ordered(right, &[Ordering::Greater]),
            Test::Gte(right) => ordered(right, &[Ordering::Greater, Ordering::Equal]),
            Test::Lt(right) => ordered(right, &[Ordering::Less]),
            Test::Lte(right) => ordered(right, &[Ordering::Less, Ordering::Equal]),
            Test::Exists => !values.is_empty(),
            Test::Regex(pattern) => any(&|value| {
                let text = (!matches!(value, Value::Bool(_))).then(|| value.to_plain_text());
                text.flatten().is_some_and(|text| pattern.regex.is_match(&text))
            }),
        }
    }

    fn shown(&self) -> Value {
        let list = |values: &[Value]| Value::List(values.to_vec());
        match self {
            Test::Eq(value) => one("$eq", value.clone()),
            Test::In(values) => one("$in", list(values)),
            Test::Gt(value) => one("$gt", value.clone()),
            Test::Gte(value) => one("$gte", value.clone()),
            Test::Lt(value) => one("$lt", value.clone()),
            Test::Lte(value) => one("$lte", value.clone()),
            Test::Exists => one("$exists", Value::Bool(true)),
            Test::Regex(pattern) if pattern.flags.is_empty() => one("$regex", pattern.text.as_str().into()),
            Test::Regex(pattern) => Value::Map(Map::from_iter([
                ("$regex".to_owned(), Value::from(pattern.text.as_str())),
                ("$options".to_owned(), Value::from(pattern.flags.as_str())),
            ])),
        }
    }
}

fn one(name: &str, value: Value) -> Value {
    Value::Map(Map::from_iter([(name.to_owned(), value)]))
}

/// Whether two values are the same to a look-up.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(_), Value::Number(_)) => order(left, right) == Some(Ordering::Equal),
        (Value::Text(text), Value::Number(_) | Value::Bool(_)) => {
            right.to_plain_text().as_deref() == Some(text)
        }
        (Value::Number(_) | Value::Bool(_), Value::Text(text)) => {
            left.to_plain_text().as_deref() == Some(text)
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            let same =
                |(name, value): (&String, &Value)| right.get(name).is_some_and(|other| equal(value, other));
            left.len() == right.len() && left.iter().all(same)
        }
        (left, right) => left == right,
    }
}

fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            match (
                Decimal::parse_json(left.as_str()),
                Decimal::parse_json(right.as_str()),
            ) {
                (Some(left), Some(right)) => Some(left.cmp(&right)),
                // A number beyond what is computed with is equal to itself and not ordered.
                _ => (left == right).then_some(Ordering::Equal),
            }
        }
        // UTF-8 keeps the order of code points.
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = r#"{"n":1.50,"id":1001,"code":"00123","name":"张三","truth":true,"nil":null,"empty":"","big":12345678901234567890123,
        "lines":[{"sku":"a","qty":1},{"sku":"b","qty":20}],"tags":["x","y"],"m":{"a":1,"b":[2.0]},"none":[]}"#;

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error:?}"))
    }

    fn test(op: &str, operand: &str) -> Test {
        let operand = value(operand);
        match op {
            "=" => Test::Eq(operand),
            ">" => Test::Gt(operand),
            ">=" => Test::Gte(operand),
            "<" => Test::Lt(operand),
            "<=" => Test::Lte(operand),
            "in" => Test::In(operand.as_list().expect("a list").to_vec()),
            "exists" => Test::Exists,
            "regex" => Test::Regex(Pattern::new(operand.as_text().expect("a text"), "").expect("a pattern")),
            other => panic!("{other}"),
        }
    }

    #[track_caller]
    fn check(path: &str, op: &str, operand: &str, want: bool) {
        let condition = Condition::Test {
            field: Field::of(&Path::parse(path).expect("a path")),
            test: test(op, operand),
        };
        let row = value(ROW);
        assert_eq!(matches(&condition, &row), want, "{path} {op} {operand}");
        assert_eq!(
            matches(&Condition::Not(Box::new(condition)), &row),
            !want,
            "not {path} {op} {operand}"
        );
    }

    #[test]
    fn equality() {
        check("n", "=", "1.5", true);
        check("n", "=", "15e-1", true);
        check("n", "=", "1.51", false);
        check("n", "=", r#""1.50""#, true); // a text equals the number that is written so
        check("n", "=", r#""1.5""#, false);
        check("id", "=", r#""1001""#, true);
        check("code", "=", "123", false);
        check("code", "=", r#""00123""#, true);
        check("truth", "=", "true", true);
        check("truth", "=", r#""true""#, true);
        check("truth", "=", "1", false);
        check("name", "=", r#""张三""#, true);
        check("name", "=", r#""张三 ""#, false);
        check("big", "=", "12345678901234567890123", true);
        check("big", "=", "12345678901234567890124", false);
        check("m", "=", r#"{"b":[2],"a":1.0}"#, true);
        check("m", "=", r#"{"a":1}"#, false);
        check("tags", "=", r#"["x","y"]"#, true);
        check("tags", "=", r#""x""#, true); // one element is enough
        check("lines.sku", "=", r#""b""#, true);
        check("lines.*.sku", "=", r#""b""#, true);
        check("lines.0.sku", "=", r#""b""#, false);
        check("id", "in", r#"[1,"1001"]"#, true);
        check("id", "in", "[]", false);
    }

    #[test]
    fn null_and_absent() {
        check("nil", "=", "null", true);
        check("gone", "=", "null", true); // as in Mongo
        check("n", "=", "null", false);
        check("gone", "in", r#"["a",null]"#, true);
        check("nil", "exists", "1", true);
        check("gone", "exists", "1", false);
        check("none", "exists", "1", true);
        check("none.sku", "exists", "1", false);
        check("gone", "=", r#""""#, false);
        check("empty", "=", r#""""#, true);
        check("gone", ">", "0", false);
        check("nil", "<=", "null", false);
        check("gone", "regex", r#""""#, false);
    }

    #[test]
    fn order_and_forms() {
        check("n", ">", "1.49999", true);
        check("n", ">=", "1.500", true);
        check("n", "<", "1.5", false);
        check("big", ">", "12345678901234567890122", true);
        check("lines.qty", ">", "19", true);
        check("name", ">", r#""一""#, true);
        check("code", "<", r#""1""#, true);
        check("code", ">", "1", false); // a text and a number have no order
        check("id", ">", r#""0""#, false);
        check("truth", ">", "false", false);
        check("name", "regex", r#""^张""#, true);
        check("id", "regex", r#""^10+1$""#, true);
        check("truth", "regex", r#""t""#, false);
        check("tags", "regex", r#""^y$""#, true);
    }

    #[test]
    fn what_the_ledger_knows() {
        let known = Known {
            key: Some("B1"),
            target_id: Some("100"),
            ..Known::default()
        };
        let is = |path: &str, value: Value| Condition::Test {
            field: Field::of(&Path::parse(path).expect("a path")),
            test: Test::Eq(value),
        };
        let row = value("{}");
        let both = Condition::All(vec![is("$key", "B1".into()), is("$target.id", Value::from(100))]);
        assert!(both.matches(&row, &known));
        assert!(is("$label", Value::Null).matches(&row, &known));
        assert!(!is("$target.number", "1".into()).matches(&row, &known));
        assert_eq!(
            both.to_string(),
            r#"{"$and":[{"$key":{"$eq":"B1"}},{"$target.id":{"$eq":100}}]}"#
        );
    }

    #[test]
    fn patterns() {
        assert!(Pattern::new("^a", "i").expect("a pattern").regex.is_match("ABC"));
        assert!(Pattern::new("(?=a)", "").is_err(), "no look-around");
        assert!(Pattern::new(r"(a)\1", "").is_err(), "no back reference");
        let bomb = "a{1000}{1000}{1000}";
        assert!(
            Pattern::new(bomb, "").is_err(),
            "a pattern that unfolds is refused"
        );
        let slow = Pattern::new("(a|aa)+$", "").expect("a pattern");
        assert!(!slow.regex.is_match(&format!("{}b", "a".repeat(100_000))));
    }
}
