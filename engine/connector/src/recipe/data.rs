//! Data on its way into a recipe and back.
//!
//! An answer is handed over without copying it: an object remembers the whole answer and the place in it. Numbers
//! arrive as integers where they fit and are written as one, else as the text they were written with, so that
//! nothing is rounded and everything comes back as it was.

use std::sync::Arc;

use dsl::Number;
use dsl::value::Value;
use minijinja::value::{Enumerator, Object, ObjectRepr, Value as Jinja, ValueKind};

/// A list or a map inside an answer.
#[derive(Debug)]
struct Part {
    root: Arc<Value>,
    place: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Name(String),
    Index(usize),
}

impl Part {
    fn value(&self) -> &Value {
        self.place
            .iter()
            .try_fold(&*self.root, |value, step| match step {
                Step::Name(name) => value.get(name),
                Step::Index(index) => value.as_list()?.get(*index),
            })
            .expect("a part is made from a place that exists, and the answer does not change")
    }

    fn inner(&self, step: Step, value: &Value) -> Jinja {
        match scalar(value) {
            Some(scalar) => scalar,
            None => {
                let mut place = self.place.clone();
                place.push(step);
                Jinja::from_object(Part {
                    root: Arc::clone(&self.root),
                    place,
                })
            }
        }
    }
}

impl Object for Part {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match self.value() {
            Value::List(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        match self.value() {
            Value::List(list) => {
                let index = key.as_usize()?;
                Some(self.inner(Step::Index(index), list.get(index)?))
            }
            other => {
                let name = key.as_str()?;
                Some(self.inner(Step::Name(name.to_owned()), other.get(name)?))
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.value() {
            Value::List(list) => Enumerator::Seq(list.len()),
            Value::Map(map) => {
                Enumerator::Values(map.keys().map(|name| Jinja::from(name.as_str())).collect())
            }
            _ => Enumerator::Empty,
        }
    }
}

/// A value as the recipe sees it, if it is not a list or a map.
fn scalar(value: &Value) -> Option<Jinja> {
    match value {
        Value::Null => Some(Jinja::from(())),
        Value::Bool(truth) => Some(Jinja::from(*truth)),
        Value::Text(text) => Some(Jinja::from(text.as_str())),
        Value::Number(number) => Some(self::number(number)),
        Value::Instant(instant) => Some(Jinja::from(instant.ms)),
        Value::List(_) | Value::Map(_) => None,
    }
}

fn number(number: &Number) -> Jinja {
    let text = number.as_str();
    // `-0` is written as an integer but would come back as `0`.
    match text.parse::<i64>() {
        Ok(integer) if integer.to_string() == text => Jinja::from(integer),
        _ => text
            .parse::<u64>()
            .map_or_else(|_| Jinja::from(text), Jinja::from),
    }
}

/// Hands a value to a recipe without copying it.
pub(crate) fn share(value: &Arc<Value>) -> Jinja {
    scalar(value).unwrap_or_else(|| {
        Jinja::from_object(Part {
            root: Arc::clone(value),
            place: Vec::new(),
        })
    })
}

/// Hands a value to a recipe.
pub(crate) fn give(value: Value) -> Jinja {
    share(&Arc::new(value))
}

/// What came out of a recipe, as a value of ours. `None` for what has no such form: raw bytes, a fraction that the
/// expression computed itself, a function.
pub(crate) fn take(value: &Jinja) -> Option<Value> {
    if let Some(part) = value.downcast_object_ref::<Part>() {
        return Some(part.value().clone());
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Some(Value::Null),
        ValueKind::Bool => Some(Value::Bool(value.is_true())),
        ValueKind::Number if value.is_integer() => Number::parse(&value.to_string()).map(Value::Number),
        ValueKind::String => value.as_str().map(Value::from),
        ValueKind::Seq | ValueKind::Iterable => value
            .try_iter()
            .ok()?
            .map(|item| take(&item))
            .collect::<Option<Vec<_>>>()
            .map(Value::List),
        ValueKind::Map => {
            let mut map = dsl::Map::new();
            for name in value.try_iter().ok()? {
                map.insert(name.as_str()?.to_owned(), take(&value.get_item(&name).ok()?)?);
            }
            Some(Value::Map(map))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_as_it_went() {
        for json in [
            r#"{"z":1,"a":[{"id":1234567890123456789012},1.50,-0,"x",null,true],"m":{"b":{},"a":[]}}"#,
            "18446744073709551615",
            r#""张三""#,
        ] {
            let value = dsl::json::parse(json.as_bytes()).unwrap();
            assert_eq!(take(&give(value.clone())), Some(value), "{json}");
        }
    }

    #[test]
    fn numbers_are_integers_or_text() {
        let list = give(dsl::json::parse(b"[7, 1.50, 12345678901234567890123]").unwrap());
        let kind = |index| list.get_item_by_index(index).unwrap().kind();
        assert_eq!(
            [kind(0), kind(1), kind(2)],
            [ValueKind::Number, ValueKind::String, ValueKind::String]
        );
    }
}
