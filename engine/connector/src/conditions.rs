//! A filter as a list of conditions that hold together, for sources that take one so.
//!
//! Values stay values: nothing is quoted, because nothing becomes text. What such a list cannot say (one of several,
//! the opposite, a comparison without a word) is refused; `check` has refused it before where a scheme wrote it.

use dsl::catalogue::source;
use dsl::cond::{Asked, Op};
use dsl::{Failure, Map, Value};

use crate::filter::{FilterValue, check_field};
use crate::model::Conditions;

/// Most conditions of one call; forms of vendors have a few dozen fields to filter by.
const CONDITIONS_MAX: usize = 100;

/// The conditions of several filters, all of which must hold.
pub(crate) fn list(filters: &[FilterValue], words: &Conditions) -> Result<Vec<Value>, Failure> {
    let mut list = Vec::new();
    for filter in filters {
        match filter {
            FilterValue::Text(text) if text.trim().is_empty() => {}
            FilterValue::Text(_) => return Err(cannot("text", "*")),
            FilterValue::Asked(asked) => add(asked, words, &mut list)?,
        }
    }
    if list.len() > CONDITIONS_MAX {
        return Err(Failure::new(&source::FILTER_VALUE)
            .with("name", "*")
            .with("why", format!("> {CONDITIONS_MAX}")));
    }
    Ok(list)
}

/// The members of several filters, all of which must hold: only that a field has a value can be said.
pub(crate) fn members(filters: &[FilterValue]) -> Result<Map, Failure> {
    let words = Conditions {
        field: "f".to_owned(),
        op: "o".to_owned(),
        value: "v".to_owned(),
        many: false,
        ops: vec![(Op::Eq, "eq".to_owned())],
        fields: Vec::new(),
    };
    let mut members = Map::new();
    for condition in list(filters, &words)? {
        let part = |name: &str| condition.get(name).cloned().unwrap_or(Value::Null);
        let field = part("f").to_plain_text().unwrap_or_default();
        if members.insert(field.clone(), part("v")).is_some() {
            return Err(cannot("eq eq", &field));
        }
    }
    Ok(members)
}

fn add(asked: &Asked, words: &Conditions, list: &mut Vec<Value>) -> Result<(), Failure> {
    match asked {
        Asked::All(parts) => parts.iter().try_for_each(|part| add(part, words, list)),
        // One of one is that one.
        Asked::Any(parts) if parts.len() == 1 => add(&parts[0], words, list),
        Asked::Any(_) => Err(cannot("any", "*")),
        Asked::Not(_) => Err(cannot("not", "*")),
        Asked::Test { field, op, values } => {
            list.push(condition(&field.to_string(), *op, values, words)?);
            Ok(())
        }
    }
}

fn condition(field: &str, op: Op, values: &[Value], words: &Conditions) -> Result<Value, Failure> {
    check_field(field)?;
    if !words.fields.is_empty() && !words.fields.iter().any(|known| known == field) {
        return Err(cannot(field, field));
    }
    let word = words.ops.iter().find(|(known, _)| *known == op);
    let (_, word) = word.ok_or_else(|| cannot(op.name(), field))?;
    let values = match op {
        Op::Is => match values.first().and_then(Value::as_text) {
            Some("null" | "empty") => &[][..],
            _ => return Err(cannot("is: missing", field)),
        },
        _ => values,
    };
    let simple = |value: &Value| matches!(value, Value::Text(_) | Value::Number(_) | Value::Bool(_));
    let enough = match op {
        Op::Is => true,
        Op::Between => values.len() == 2,
        _ => !values.is_empty(),
    };
    if !enough || !values.iter().all(simple) {
        return Err(Failure::new(&source::FILTER_VALUE)
            .with("name", field)
            .with("why", op.name())
            .at(field));
    }
    let value = match (words.many, values) {
        (true, values) => Value::List(values.to_vec()),
        (false, []) => Value::Null,
        (false, [value]) => value.clone(),
        (false, values) => Value::List(values.to_vec()),
    };
    let mut map = Map::new();
    map.insert(words.field.clone(), field.into());
    map.insert(words.op.clone(), word.as_str().into());
    map.insert(words.value.clone(), value);
    Ok(Value::Map(map))
}

fn cannot(op: &str, field: &str) -> Failure {
    Failure::new(&source::FILTER_OP).with("op", op).at(field)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl::Path;

    fn words(many: bool) -> Conditions {
        Conditions {
            field: "field_name".into(),
            op: "operator".into(),
            value: "field_values".into(),
            many,
            ops: [
                (Op::Eq, "EQ"),
                (Op::In, "IN"),
                (Op::Between, "BETWEEN"),
                (Op::Is, "IS"),
            ]
            .map(|(op, word)| (op, word.to_owned()))
            .into(),
            fields: Vec::new(),
        }
    }

    #[test]
    fn only_some_fields_can_be_asked_by() {
        let mut words = words(true);
        words.fields = vec!["platformOrderId".into()];
        let asked = |field: &str| {
            let one = test(field, Op::Eq, [Value::from("1")]);
            list(&[FilterValue::Asked(one)], &words)
        };
        assert_eq!(asked("platformOrderId").unwrap().len(), 1);
        assert_eq!(asked("status").unwrap_err().code(), source::FILTER_OP.code);
    }

    fn test(field: &str, op: Op, values: impl IntoIterator<Item = Value>) -> Asked {
        Asked::Test {
            field: Path::parse(field).unwrap(),
            op,
            values: values.into_iter().collect(),
        }
    }

    fn printed(filters: &[Asked], many: bool) -> Result<String, &'static str> {
        let filters: Vec<FilterValue> = filters.iter().cloned().map(FilterValue::Asked).collect();
        list(&filters, &words(many))
            .map(|list| dsl::json::to_string(&Value::List(list)))
            .map_err(|failure| failure.code())
    }

    #[test]
    fn what_holds_together_is_a_list() {
        let a = || test("name", Op::Eq, ["x' OR '1'='1".into()]);
        let b = || test("_id", Op::In, ["1".into(), "2".into()]);
        let nested = Asked::All(vec![a(), Asked::Any(vec![b()]), Asked::All(vec![])]);
        let one = r#"{"field_name":"name","operator":"EQ","field_values":["x' OR '1'='1"]}"#;
        let two = r#"{"field_name":"_id","operator":"IN","field_values":["1","2"]}"#;
        assert_eq!(printed(&[nested], true), Ok(format!("[{one},{two}]")));
        assert_eq!(printed(&[a(), b()], true), Ok(format!("[{one},{two}]")));
        assert_eq!(printed(&[], true), Ok("[]".to_owned()));
        let single = r#"[{"field_name":"name","operator":"EQ","field_values":"x' OR '1'='1"}]"#;
        assert_eq!(printed(&[a()], false), Ok(single.to_owned()));
        let empty = r#"[{"field_name":"name","operator":"IS","field_values":[]}]"#;
        assert_eq!(
            printed(&[test("name", Op::Is, ["empty".into()])], true),
            Ok(empty.to_owned())
        );
    }

    #[test]
    fn what_it_cannot_say_is_refused() {
        let a = || test("name", Op::Eq, ["1".into()]);
        for (asked, code) in [
            (Asked::Any(vec![a(), a()]), "E3009"),
            (Asked::Not(Box::new(a())), "E3009"),
            (test("name", Op::Like, ["a%".into()]), "E3009"),
            (test("name", Op::Is, ["missing".into()]), "E3009"),
            (test("name", Op::In, []), "E3008"),
            (test("name", Op::Between, ["1".into()]), "E3008"),
            (test("name", Op::Eq, [Value::Null]), "E3008"),
            (test("na me", Op::Eq, ["1".into()]), "E3007"),
        ] {
            assert_eq!(
                printed(std::slice::from_ref(&asked), true),
                Err(code),
                "{asked:?}"
            );
        }
        let many = Asked::All(vec![a(); CONDITIONS_MAX + 1]);
        assert_eq!(printed(&[many], true), Err("E3008"));
        let text = [FilterValue::Text("a = 1".to_owned())];
        assert_eq!(
            list(&text, &words(true)).map_err(|failure| failure.code()),
            Err("E3009")
        );
    }
}
