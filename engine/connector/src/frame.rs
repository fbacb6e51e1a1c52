//! The names that a connector's value places see, and their evaluation.

use std::borrow::Cow;

use dsl::catalogue::source;
use dsl::cond::{Asked, Cond};
use dsl::facts::Action;
use dsl::lookup::Hits;
use dsl::path::Segment;
use dsl::tree::{Scope, Tree, eval_value};
use dsl::{Failure, Instant, Map, Path, Value};
use jiff::tz::TimeZone;

use crate::recipe::urlenc;

/// What a value place of a connector is evaluated with.
pub(crate) struct Frame<'a> {
    /// `$param`, `$option` and so on, each a member whose name begins with `$`.
    names: Value,
    /// The fields that may be read: an item, or the body of an answer.
    fields: Option<&'a Value>,
    /// What has no value prints as empty text: for sentences, which are better short than not there.
    blank: bool,
    now_ms: i64,
    tz: &'a TimeZone,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(now_ms: i64, tz: &'a TimeZone) -> Frame<'a> {
        Frame {
            names: Value::Map(Map::new()),
            fields: None,
            blank: false,
            now_ms,
            tz,
        }
    }

    /// For sentences over the fields of an item or an answer.
    pub(crate) fn sentence(fields: &'a Value, tz: &'a TimeZone) -> Frame<'a> {
        Frame {
            names: Value::Map(Map::new()),
            fields: Some(fields),
            blank: true,
            now_ms: 0,
            tz,
        }
    }

    /// The same for this path of a URL: a text of a record or a request is one part of it, whatever it holds. What the
    /// connection and the connector say may be several. Where the path puts quotes around a name, as a key of OData
    /// does, quotes within are doubled.
    pub(crate) fn in_path(&self, path: &str) -> Frame<'a> {
        let quoted = ["'<<", "'{{"].iter().any(|open| path.contains(open));
        let mut names = self.names.clone();
        if let Value::Map(names) = &mut names {
            for (_, value) in names.iter_mut().filter(|(name, _)| DATA.contains(&name.as_str())) {
                as_part(value, quoted);
            }
        }
        Frame { names, ..*self }
    }

    /// The same about one record of several.
    pub(crate) fn about(&self, record: &Value) -> Frame<'a> {
        let names = self.names.clone();
        let mut frame = Frame { names, ..*self };
        frame.set("$record", record.clone());
        frame
    }

    /// The names and their values.
    pub(crate) fn names(&self) -> &Value {
        &self.names
    }

    /// The same place with these names.
    pub(crate) fn with_names(self, names: Value) -> Frame<'a> {
        Frame { names, ..self }
    }

    /// Gives a name its value.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Value::Map(names) = &mut self.names {
            names.insert(name.to_owned(), value.into());
        }
    }

    /// Gives a name an instant.
    pub(crate) fn set_instant(&mut self, name: &str, ms: i64) {
        self.set(name, Value::Instant(Instant { ms }));
    }

    /// The value of a place; `None` when it is left out.
    pub(crate) fn value(&self, tree: &Tree, place: &str) -> Result<Option<Value>, Failure> {
        eval_value(tree, self, &Hits::default()).map_err(|failure| explain(place, &failure))
    }

    /// The text of a place that holds a single value.
    pub(crate) fn text(&self, tree: &Tree, place: &str) -> Result<Option<String>, Failure> {
        let Some(value) = self.value(tree, place)? else {
            return Ok(None);
        };
        let text = value.to_plain_text();
        if text.is_none() && !value.is_null() {
            return Err(Failure::new(&source::FRAME)
                .with("place", place)
                .with("why", value.kind().name()));
        }
        Ok(text)
    }

    /// Names and texts, such as headers; a member without a value is left out.
    pub(crate) fn pairs(
        &self,
        trees: &[(String, Tree)],
        place: &str,
    ) -> Result<Vec<(String, String)>, Failure> {
        let mut pairs = Vec::with_capacity(trees.len());
        for (name, tree) in trees {
            let text = self.text(tree, &format!("{place}.{name}"))?;
            pairs.extend(text.map(|text| (self.pair_name(name), text)));
        }
        Ok(pairs)
    }

    /// The name of a header or a member of a query: a parameter may say it.
    pub(crate) fn pair_name(&self, name: &str) -> String {
        let param = param_of(name).map(|param| Path::names(["$param".to_owned(), param.to_owned()]));
        let told = param.and_then(|path| path.get(&self.names)?.to_plain_text());
        told.unwrap_or_else(|| name.to_owned())
    }

    /// A condition with its values.
    pub(crate) fn asked(&self, cond: &Cond, place: &str) -> Result<Asked, Failure> {
        cond.asked(self, &Hits::default())
            .map_err(|failure| explain(place, &failure))
    }
}

/// The parameter that stands for a name, as in `<<$param.key_name>>: ...`.
pub(crate) fn param_of(name: &str) -> Option<&str> {
    name.strip_prefix("<<$param.")?.strip_suffix(">>")
}

/// Names whose values may come from records, pages and answers.
const DATA: [&str; 7] = [
    "$record", "$records", "$request", "$option", "$page", "$filter", "$auth",
];

/// Percent-encodes every text.
fn as_part(value: &mut Value, quoted: bool) {
    match value {
        Value::Text(text) if quoted => *text = urlenc(text.replace('\'', "''").as_bytes()),
        Value::Text(text) => *text = urlenc(text.as_bytes()),
        Value::List(list) => list.iter_mut().for_each(|value| as_part(value, quoted)),
        Value::Map(map) => map.values_mut().for_each(|value| as_part(value, quoted)),
        _ => {}
    }
}

/// The failure of a frame: its code without the values that it read, which may be secret.
fn explain(place: &str, failure: &Failure) -> Failure {
    Failure::new(&source::FRAME)
        .with("place", place)
        .with("why", failure.code())
}

impl Scope for Frame<'_> {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        self.blanked(self.fields.and_then(|fields| path.get(fields)))
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        if path.first_name() == Some("$now") {
            return Some(Cow::Owned(Value::Instant(Instant { ms: self.now_ms })));
        }
        if path.segments().contains(&Segment::All) {
            return Some(Cow::Owned(each(&self.names, path.segments())?));
        }
        self.blanked(path.get(&self.names))
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn zone(&self) -> &TimeZone {
        self.tz
    }

    fn action(&self) -> Option<Action> {
        None
    }
}

impl Frame<'_> {
    fn blanked<'v>(&self, value: Option<&'v Value>) -> Option<Cow<'v, Value>> {
        match value {
            None | Some(Value::Null) if self.blank => Some(Cow::Owned(Value::Text(String::new()))),
            // A sentence may quote a list or a map; it is shown as it came.
            Some(value @ (Value::List(_) | Value::Map(_))) if self.blank => {
                Some(Cow::Owned(Value::Text(dsl::json::to_string(value))))
            }
            other => other.map(Cow::Borrowed),
        }
    }
}

/// What stands at a path through lists, such as `$records.*.id`: a list of what each element has there.
fn each(value: &Value, path: &[Segment]) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else {
        return Some(value.clone());
    };
    match (first, value) {
        (Segment::Name(name), Value::Map(map)) => each(map.get(name)?, rest),
        (Segment::Index(index), Value::List(list)) => each(list.get(*index)?, rest),
        (Segment::All, Value::List(list)) => {
            let found = list.iter().filter_map(|element| each(element, rest));
            Some(Value::List(found.collect()))
        }
        _ => None,
    }
}
