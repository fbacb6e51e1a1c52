//! What becomes of rows between the answer and the store: exploded, derived, kept, identified, read a second time.

use dsl::catalogue::imported as words;
use dsl::diagnostic::Failure;
use dsl::{Map, Value};

use super::value::{Piece, Place, converted, paths, pieces};
use super::{Mapper, text_of};
use crate::account::member;
use crate::model::fields;
use crate::write::{Body, Item};

/// Conditions of a scheme, and of one alternative of it: people type them in by hand.
const CONDITIONS: usize = 200;

impl Mapper<'_> {
    /// `explode`
    pub(super) fn explode(&mut self, side: &Map) -> Option<Item> {
        let lists: Vec<String> = side
            .get("beatFlat")?
            .as_list()?
            .iter()
            .filter_map(Value::to_plain_text)
            .collect();
        if lists.is_empty() {
            return None;
        }
        let at = "source.beatFlat";
        self.book.carried(at, "source.explode");
        let body = Body::Seq(lists.into_iter().map(Body::Text).collect());
        Some(self.blockable(Item::new("explode", body), at, "beatFlat"))
    }

    /// A member that may be put into a comment by itself.
    pub(super) fn blockable(&mut self, item: Item, at: &str, name: &str) -> Item {
        self.names.insert(at.to_owned(), name.to_owned());
        let item = item.at(at);
        let Some((problem, _)) = self.blocked.get(at).cloned() else {
            return item;
        };
        let failure = Failure::new(&words::BLOCKED)
            .with("field", name)
            .with("code", problem.entry.code)
            .with("why", problem.message(dsl::Lang::Zh))
            .with("why_en", problem.message(dsl::Lang::En));
        self.note(at, failure);
        item.off(format!("{} {}", words::BLOCKED.code, problem.entry.code))
    }

    /// `derive`
    pub(super) fn derive(&mut self, side: &Map) -> Option<Item> {
        let list = side.get("formatResponse")?.as_list()?.to_vec();
        let mut derived = Vec::new();
        for (index, one) in list.iter().enumerate() {
            let at = format!("source.formatResponse[{index}]");
            let Some(map) = one.as_map() else { continue };
            let (Some(old), Some(new)) = (text_of(Some(map), "old"), text_of(Some(map), "new")) else {
                continue;
            };
            let format = text_of(Some(map), "format").unwrap_or_default();
            let Some(text) = self.formatted(&at, &old, &format) else {
                self.book.reported(&at, words::NOT_MAPPED.code);
                continue;
            };
            let is_blocked = self.blocked.contains_key(&at);
            if is_blocked {
                self.book.reported(&at, words::BLOCKED.code);
            }
            self.book.carried(&at, &format!("source.derive.{new}"));
            let item = self.blockable(Item::text(new.clone(), text), &at, &new);
            derived.push(item);
        }
        (!derived.is_empty()).then(|| Item::new("derive", Body::Map(derived)))
    }

    /// A format of the other tool as a value.
    fn formatted(&mut self, at: &str, old: &str, format: &str) -> Option<String> {
        let (name, argument) = match format.split_once('(') {
            Some((name, rest)) => (
                name.trim(),
                rest.trim_end_matches(')').trim_matches(['\'', '"', ' ']),
            ),
            None => (format.trim(), ""),
        };
        let is_number = !argument.is_empty() && argument.bytes().all(|byte| byte.is_ascii_digit());
        Some(match name {
            "date" => format!("<<{old}|date>>"),
            "dateTime" | "datetime" => format!("<<{old}|datetime>>"),
            "time" => format!("_function DATE_FORMAT(<<{old}>>, '%H:%i:%s')"),
            "shortDate" => format!("_function DATE_FORMAT(<<{old}>>, '%m-%d')"),
            "shortTime" => format!("_function DATE_FORMAT(<<{old}>>, '%H:%i')"),
            "shortDateTime" => format!("_function DATE_FORMAT(<<{old}>>, '%m-%d %H:%i')"),
            "longText" if is_number => format!("_function LEFT(<<{old}>>, {argument})"),
            "intval" => format!("_function TRUNCATE(<<{old}>>, 0)"),
            "round" if is_number => format!("_function ROUND(<<{old}>>, {argument})"),
            _ => {
                let failure =
                    Failure::new(&words::NOT_MAPPED).with("key", format!("formatResponse {old}: {format}"));
                self.note(at, failure);
                if let Some(value) = self
                    .draft
                    .value
                    .get("source")
                    .and_then(|side| side.get("formatResponse"))
                    .cloned()
                {
                    self.keep_quietly("source", "formatResponse", value);
                }
                return None;
            }
        })
    }

    /// Keeps a value under `x-qeasy` of which the report says why by itself.
    pub(super) fn keep_quietly(&mut self, side: &str, key: &str, value: Value) {
        let place = self
            .kept
            .entry(side.to_owned())
            .or_insert_with(|| Value::Map(Map::new()));
        if let Value::Map(map) = place {
            map.insert(key.to_owned(), value);
        }
    }

    /// `keep`, with `on_line` where a condition drops the whole record.
    pub(super) fn conditions(&mut self, side: &Map) -> Vec<Item> {
        let Some(Value::List(alternatives)) = side.get("condition").cloned() else {
            return Vec::new();
        };
        let mut any = Vec::new();
        for alternative in alternatives.iter().take(CONDITIONS) {
            let tests = match alternative {
                Value::List(tests) => tests.as_slice(),
                one => std::slice::from_ref(one),
            };
            let mut all = Vec::new();
            for test in tests.iter().take(CONDITIONS) {
                let Some(written) = test.as_map().and_then(condition) else {
                    let failure = Failure::new(&words::NOT_MAPPED).with("key", "condition");
                    self.note("source.condition", failure);
                    self.book.reported("source.condition", words::NOT_MAPPED.code);
                    self.keep_quietly("source", "condition", Value::List(alternatives.clone()));
                    return Vec::new();
                };
                let is_line = text_of(test.as_map(), "field").is_some_and(|field| field.contains('.'));
                let is_strict =
                    text_of(test.as_map(), "strictMode").is_some_and(|text| text == "true" || text == "1");
                all.push(match written.strip_suffix('}') {
                    Some(open) if is_line && is_strict => format!("{open}, on_line: drop_record}}"),
                    _ => written,
                });
            }
            any.push(match all.len() {
                0 => continue,
                1 => all.remove(0),
                _ => format!("{{all: [{}]}}", all.join(", ")),
            });
        }
        let at = "source.condition";
        if alternatives.len() > CONDITIONS || any.is_empty() {
            return Vec::new();
        }
        if self.blocked.contains_key(at) {
            self.book.reported(at, words::BLOCKED.code);
        }
        self.book.carried(at, "source.keep");
        let body = match any.as_slice() {
            [one] => Body::Raw(one.clone()),
            _ => Body::Map(vec![Item::new(
                "any",
                Body::Seq(any.into_iter().map(Body::Raw).collect()),
            )]),
        };
        vec![self.blockable(Item::new("keep", body), at, "condition")]
    }

    /// The key of a row, from `id`; else from what the target identifies its documents by, or from what is declared.
    pub(super) fn key(
        &mut self,
        side: &Map,
        exploded: bool,
        derived: Option<(String, (&str, &str))>,
    ) -> (Item, Vec<String>) {
        let text = text_of(Some(side), "id");
        let mut names = match &text {
            Some(text) => {
                self.book.carried("source.id", "source.key");
                names_in(text)
            }
            None => Vec::new(),
        };
        if let (true, Some((key, (why, why_en)))) = (names.is_empty(), derived) {
            let failure = Failure::new(&words::KEY_GUESSED)
                .with("key", &key)
                .with("why", why)
                .with("why_en", why_en);
            self.note("source.id", failure);
            names = vec![key];
        }
        self.book.reported("source.id", words::NO_KEY.code);
        if names.is_empty() {
            self.note("source.id", Failure::new(&words::NO_KEY));
            return (Item::raw("key", "\"\"").off("E1716"), names);
        }
        let fields = names.clone();
        let mut written = names;
        // The old tool adds a number to the ids of rows that it takes apart.
        if exploded && written.len() == 1 {
            written.push("$row".to_owned());
        }
        let body = match written.as_slice() {
            [one] => Body::Text(one.clone()),
            _ => Body::Seq(written.into_iter().map(Body::Text).collect()),
        };
        (Item::new("key", body).at("source.id"), fields)
    }

    /// `label`, from `number`.
    pub(super) fn label(&mut self, side: &Map) -> Option<(Item, String)> {
        let text = text_of(Some(side), "number")?;
        let name = names_in(&text).into_iter().next()?;
        let at = "source.number";
        if self.blocked.contains_key(at) {
            self.book.reported(at, words::BLOCKED.code);
        }
        self.book.carried(at, "source.label");
        let item = self.blockable(Item::text("label", name.clone()), at, "number");
        Some((item, name))
    }

    /// `on_seen`, from `idCheck`, and whether rows that are known are taken again.
    pub(super) fn on_seen(&mut self, side: &Map) -> (Item, bool) {
        let again = text_of(Some(side), "idCheck").is_some_and(|text| text == "false" || text == "0");
        self.book.carried("source.idCheck", "source.on_seen");
        let item = match again {
            true => Item::raw("on_seen", "update")
                .label("idCheck: false,已存过的重新处理 · rows that are known are taken again"),
            false => Item::raw("on_seen", "skip")
                .label("idCheck,已存过的不再处理 · rows that are known are not taken again"),
        };
        (item, again)
    }

    /// `sweep`, from `omissionRemedy`.
    pub(super) fn sweep(&mut self, side: &Map) -> Option<Item> {
        let remedy = side.get("omissionRemedy")?.as_map()?.clone();
        let at = "source.omissionRemedy";
        let mut inner = Vec::new();
        if let Some(text) = text_of(Some(&remedy), "crontab") {
            let place = member(at, "crontab");
            if let Some(cron) = self.cron(&place, &text, "source.sweep.cron") {
                inner.push(Item::raw("cron", format!("\"{cron}\"")).at(place));
            }
        }
        if remedy.contains_key("adapter") {
            let failure = Failure::new(&words::ENGINE_DOES)
                .with("field", "omissionRemedy.adapter")
                .with("why", "补漏用同一个连接器")
                .with("why_en", "the second pass uses the same connector");
            self.left(&member(at, "adapter"), failure);
        }
        let taken = member(at, "takeOverRequest");
        let all = fields(remedy.get("takeOverRequest"), &taken, 0);
        let (mut start, mut end) = (None, None);
        let mut request = Vec::new();
        for field in &all {
            let text = field.text().unwrap_or_default();
            let days = match pieces(&text).as_slice() {
                [Piece::Field(name)] => days_ago(name),
                _ => None,
            };
            let name = field.name.to_lowercase();
            let is_end = name.contains("end") || field.label.contains("结束");
            let place = if is_end {
                "source.sweep.window.end"
            } else {
                "source.sweep.window.start"
            };
            self.beside(field, place);
            match days {
                Some(days) if is_end => end = Some((days, field.at.clone())),
                Some(days) => start = Some((days, field.at.clone())),
                None => {
                    let body = self.single(field, Place::Source, "source.sweep.request");
                    request.extend(body.map(|body| Item::new(field.name.clone(), body).label(&field.label)));
                }
            }
            self.rest_of(field, place);
        }
        let bound = |key: &str, days: Option<(u32, String)>, otherwise: u32| {
            let (days, at) = days.unwrap_or((otherwise, taken.clone()));
            Item::raw(
                key,
                if days == 0 {
                    "now".to_owned()
                } else {
                    format!("-{days}d")
                },
            )
            .at(at)
        };
        if start.is_none() {
            let failure = Failure::new(&words::INFERRED)
                .with("field", "omissionRemedy")
                .with("why", "没有写出范围,取前两天到前一天")
                .with("why_en", "its stretch is not said: two days ago to one day ago");
            self.note(at, failure);
        }
        inner.push(Item::new(
            "window",
            Body::Map(vec![bound("start", start, 2), bound("end", end, 1)]),
        ));
        if !request.is_empty() {
            inner.push(Item::new("request", Body::Map(request)));
        }
        Some(Item::new("sweep", Body::Map(inner)).at(at))
    }
}

/// `DAYS_AGO_2|datetime`
fn days_ago(name: &str) -> Option<u32> {
    let name = name.split('|').next().unwrap_or(name).trim();
    if name == "CURRENT_TIME" {
        return Some(0);
    }
    let days = name
        .strip_prefix("DAYS_AGO_")
        .or_else(|| name.strip_prefix("DAY_AGO_"))?;
    days.parse().ok().filter(|days| (1..=366).contains(days))
}

/// The fields of an id: one name, or placeholders glued together.
fn names_in(text: &str) -> Vec<String> {
    match text.contains("{{") {
        true => paths(text),
        false => text
            .split(',')
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect(),
    }
}

/// One comparison.
fn condition(test: &Map) -> Option<String> {
    let field = text_of(Some(test), "field")?;
    let logic = text_of(Some(test), "logic")?;
    let value = test.get("value").and_then(Value::to_plain_text);
    let path = crate::write::in_flow(&field);
    let is = |word: &str| Some(format!("{{field: {path}, is: {word}}}"));
    let op = match logic.to_lowercase().as_str() {
        "eq" => "eq",
        "neq" => "neq",
        "gt" => "gt",
        "egt" => "gte",
        "lt" => "lt",
        "elt" => "lte",
        "like" => "like",
        "notlike" => "not_like",
        "in" => "in",
        "notin" => "not_in",
        "between" => "between",
        "isnull" => return is("empty"),
        "notnull" => return Some(format!("{{not: {{field: {path}, is: empty}}}}")),
        _ => return None,
    };
    let value = value?;
    // Instants of the store have another form here.
    if value.starts_with("timestamp:") {
        return None;
    }
    let value = match op {
        "between" | "in" | "not_in" => {
            let parts: Vec<String> = value
                .split(',')
                .map(|part| crate::write::in_flow(part.trim()))
                .collect();
            if op == "between" && parts.len() != 2 {
                return None;
            }
            format!("[{}]", parts.join(", "))
        }
        _ => crate::write::in_flow(&converted(&value, Place::Source)),
    };
    Some(format!("{{field: {path}, {op}: {value}}}"))
}
