//! What a `$template` sees of a row, and its filters and tests.
//!
//! Numbers are exact and print as they were written. A name or a member that is not there is undefined, which is an
//! error where it is used; what was asked for last is remembered, so that the error can name it.

use std::cmp::Ordering;
use std::fmt;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use minijinja::value::{DynObject, Enumerator, Kwargs, Object, ObjectRepr, Value as Jinja, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State};

use crate::cond;
use crate::decimal::Decimal;
use crate::filter::Filter;
use crate::value::{Number, Value};

/// Names of the filters.
pub(super) const FILTERS: &[&str] = &[
    "default", "d", "length", "count", "first", "last", "join", "map", "replace", "date", "datetime", "ms",
    "s", "rfc3339", "text", "number", "json", "trim", "upper", "lower",
];

/// Names of the tests.
pub(super) const TESTS: &[&str] = &[
    "defined",
    "undefined",
    "none",
    "empty",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
];

/// The hidden name of the zone.
pub(super) const ZONE: &str = "__zone";

/// Bytes that one filter may make.
const GROWN: usize = 1 << 20;

/// What was asked for last and is not there.
pub(super) type Missed = Arc<Mutex<Option<String>>>;

/// The names of a template.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) values: Vec<(String, Jinja)>,
    pub(super) missed: Missed,
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let name = key.as_str()?;
        let found = self.values.iter().find(|(known, _)| known == name);
        if found.is_none() {
            miss(&self.missed, name.to_owned());
        }
        found.map(|(_, value)| value.clone())
    }
}

fn miss(missed: &Missed, name: String) {
    if let Ok(mut last) = missed.lock() {
        *last = Some(name);
    }
}

/// A number as it was written.
#[derive(Debug)]
struct Exact(Number);

impl Object for Exact {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        !Decimal::parse_json(self.0.as_str()).is_some_and(|number| number.is_zero())
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Exact>()?;
        cond::order(&Value::Number(self.0.clone()), &Value::Number(other.0.clone()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// A list or a map.
#[derive(Debug)]
struct Part {
    value: Value,
    /// How the author names it.
    path: String,
    missed: Missed,
}

impl Object for Part {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        match &self.value {
            Value::List(_) => ObjectRepr::Seq,
            _ => ObjectRepr::Map,
        }
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let (name, found) = match &self.value {
            Value::List(list) => {
                let index = key
                    .as_usize()
                    .or_else(|| key.downcast_object_ref::<Exact>()?.0.as_str().parse().ok())?;
                (index.to_string(), list.get(index))
            }
            value => {
                let name = key.as_str()?;
                (name.to_owned(), value.get(name))
            }
        };
        let path = format!("{}.{name}", self.path);
        if found.is_none() {
            miss(&self.missed, path.clone());
        }
        found.map(|value| give(value, &path, &self.missed))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match &self.value {
            Value::List(list) => Enumerator::Seq(list.len()),
            Value::Map(map) => {
                Enumerator::Values(map.keys().map(|name| Jinja::from(name.as_str())).collect())
            }
            _ => Enumerator::Empty,
        }
    }
}

/// A value as a template sees it.
pub(super) fn give(value: &Value, path: &str, missed: &Missed) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(truth) => Jinja::from(*truth),
        Value::Text(text) => Jinja::from(text.as_str()),
        Value::Number(number) => exact(number.clone()),
        Value::Instant(instant) => exact(Number::from(instant.ms)),
        Value::List(_) | Value::Map(_) => Jinja::from_object(Part {
            value: value.clone(),
            path: path.to_owned(),
            missed: Arc::clone(missed),
        }),
    }
}

pub(super) fn exact(number: Number) -> Jinja {
    Jinja::from_object(Exact(number))
}

/// The zone, for filters that print times.
#[derive(Debug)]
pub(super) struct Zone(pub(super) TimeZone);

impl Object for Zone {}

/// A value of ours again. `None` for what templates have and we have not.
fn take(value: &Jinja) -> Option<Value> {
    if let Some(number) = value.downcast_object_ref::<Exact>() {
        return Some(Value::Number(number.0.clone()));
    }
    if let Some(part) = value.downcast_object_ref::<Part>() {
        return Some(part.value.clone());
    }
    match value.kind() {
        ValueKind::None => Some(Value::Null),
        ValueKind::Bool => Some(Value::Bool(value.is_true())),
        ValueKind::Number => Number::parse(&value.to_string()).map(Value::Number),
        ValueKind::String => value.as_str().map(Value::from),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Option<Vec<Value>> = value.try_iter().ok()?.map(|item| take(&item)).collect();
            items.map(Value::List)
        }
        _ => None,
    }
}

fn wrong(zh: &str, en: &str) -> Error {
    // Both languages travel in one text and are taken apart where the failure is made.
    Error::new(ErrorKind::InvalidOperation, format!("{zh}\n{en}"))
}

fn undefined() -> Error {
    Error::from(ErrorKind::UndefinedError)
}

fn own(value: &Jinja) -> Result<Value, Error> {
    if value.is_undefined() {
        return Err(undefined());
    }
    take(value).ok_or_else(|| wrong("值的类型不适合", "a value is of a kind that does not fit"))
}

/// The text of a single value.
fn text(value: &Jinja) -> Result<String, Error> {
    match own(value)? {
        Value::Null => Ok(String::new()),
        value => value.to_plain_text().ok_or_else(not_text),
    }
}

fn not_text() -> Error {
    wrong(
        "列表或对象不能直接打印,用 `|join` 或 `|json`",
        "a list or map is not printed; use `|join` or `|json`",
    )
}

fn too_long() -> Error {
    wrong("结果太长", "the result is too long")
}

/// Prints one value of `{{ … }}`.
pub(super) fn print(out: &mut Output<'_>, value: &Jinja) -> Result<(), Error> {
    // What an `if` without `else` leaves.
    if value.is_undefined() {
        return Ok(());
    }
    out.write_str(&text(value)?).map_err(Error::from)
}

/// What a comparison makes of an order.
type Holds = fn(Ordering) -> bool;

/// Adds filters and tests.
pub(super) fn install(env: &mut Environment<'static>) {
    for name in Filter::names() {
        let filter = Filter::parse(name).expect("a name of the table");
        env.add_filter(name, move |state: &State<'_, '_>, value: &Jinja| {
            apply(filter, state, value)
        });
    }
    for name in ["default", "d"] {
        env.add_filter(name, |value: &Jinja, other: Option<Jinja>| {
            let empty = value.is_undefined() || value.is_none() || value.as_str() == Some("");
            if empty {
                other.unwrap_or_else(|| Jinja::from(""))
            } else {
                value.clone()
            }
        });
    }
    for name in ["length", "count"] {
        env.add_filter(name, |value: &Jinja| {
            match own(value)? {
                Value::List(list) => Ok(list.len()),
                Value::Map(map) => Ok(map.len()),
                Value::Text(text) => Ok(text.chars().count()),
                _ => Err(wrong(
                    "`length` 需要列表、对象或文本",
                    "`length` takes a list, a map or a text",
                )),
            }
            .map(|count| exact(Number::from(u64::try_from(count).unwrap_or(u64::MAX))))
        });
    }
    env.add_filter("first", |value: &Jinja| element(value, |list| list.first()));
    env.add_filter("last", |value: &Jinja| element(value, |list| list.last()));
    env.add_filter("join", join);
    env.add_filter("map", map);
    env.add_filter("replace", replace);
    env.add_test("defined", |value: &Jinja| !value.is_undefined());
    env.add_test("undefined", |value: &Jinja| value.is_undefined());
    env.add_test("none", |value: &Jinja| value.is_none());
    env.add_test("empty", |value: &Jinja| Ok::<_, Error>(own(value)?.is_empty()));
    let compared: [(&str, Holds); 6] = [
        ("eq", Ordering::is_eq),
        ("ne", Ordering::is_ne),
        ("lt", Ordering::is_lt),
        ("le", Ordering::is_le),
        ("gt", Ordering::is_gt),
        ("ge", Ordering::is_ge),
    ];
    for (name, holds) in compared {
        env.add_test(name, move |left: &Jinja, right: &Jinja| {
            let order = cond::order(&own(left)?, &own(right)?);
            Ok::<_, Error>(order.map_or(name == "ne", holds))
        });
    }
}

fn apply(filter: Filter, state: &State<'_, '_>, value: &Jinja) -> Result<Jinja, Error> {
    let zone = state.lookup(ZONE);
    let zone = zone.as_ref().and_then(|zone| zone.downcast_object_ref::<Zone>());
    let zone = zone.map_or(TimeZone::UTC, |zone| zone.0.clone());
    match filter.apply(own(value)?, &zone) {
        Ok(value) => Ok(give(&value, "", &Missed::default())),
        Err(failure) => Err(wrong(
            &failure.message(crate::Lang::Zh),
            &failure.message(crate::Lang::En),
        )),
    }
}

fn element(value: &Jinja, pick: impl Fn(&[Value]) -> Option<&Value>) -> Result<Jinja, Error> {
    match own(value)? {
        Value::List(list) => {
            Ok(pick(&list).map_or(Jinja::UNDEFINED, |value| give(value, "", &Missed::default())))
        }
        _ => Err(wrong("这里需要列表", "a list is needed here")),
    }
}

fn join(value: &Jinja, with: Option<String>, options: Kwargs) -> Result<String, Error> {
    let attribute: Option<String> = options.get("attribute")?;
    options.assert_all_used()?;
    let Value::List(list) = own(value)? else {
        return Err(wrong("`join` 需要列表", "`join` takes a list"));
    };
    let with = with.unwrap_or_default();
    let mut joined = String::new();
    for (index, item) in list.iter().enumerate() {
        let item = match &attribute {
            Some(name) => item.get(name).ok_or_else(undefined)?,
            None => item,
        };
        if index > 0 {
            joined.push_str(&with);
        }
        if !item.is_null() {
            joined.push_str(&item.to_plain_text().ok_or_else(not_text)?);
        }
        if joined.len() > GROWN {
            return Err(too_long());
        }
    }
    Ok(joined)
}

fn map(value: &Jinja, options: Kwargs) -> Result<Jinja, Error> {
    let attribute: String = options.get("attribute")?;
    options.assert_all_used()?;
    let Value::List(list) = own(value)? else {
        return Err(wrong("`map` 需要列表", "`map` takes a list"));
    };
    let found: Option<Vec<Value>> = list.iter().map(|item| item.get(&attribute).cloned()).collect();
    Ok(give(
        &Value::List(found.ok_or_else(undefined)?),
        "",
        &Missed::default(),
    ))
}

fn replace(value: &Jinja, from: String, to: String) -> Result<String, Error> {
    let text = text(value)?;
    if from.is_empty() {
        return Ok(text);
    }
    let found = text.matches(from.as_str()).count();
    if text.len().saturating_add(found.saturating_mul(to.len())) > GROWN {
        return Err(too_long());
    }
    Ok(text.replace(&from, &to))
}
