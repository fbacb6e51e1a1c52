//! From a draft to a document in our words, with the fate of every leaf.

mod rows;
mod schedule;
mod source;
mod target;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use dsl::catalogue::Entry;
use dsl::catalogue::imported as words;
use dsl::diagnostic::{Failure, Lang};
use dsl::{Map, Value};

use crate::account::{Book, leaves, member};
use crate::model::{Blocked, Draft, Field, last};
use crate::report::Note;
use crate::world::{System, World};
use crate::write::{Body, Item};

/// What is written.
#[derive(Debug, Default)]
pub(crate) struct Document {
    /// Comments at the top.
    pub(crate) head: Vec<String>,
    /// The members of the file.
    pub(crate) items: Vec<Item>,
    /// The id that other schemes of the other tool use.
    pub(crate) uuid: Option<String>,
    /// The connections it names.
    pub(crate) connections: Vec<String>,
    /// Fields that may be put into a comment, with their names.
    names: BTreeMap<String, String>,
}

impl Document {
    /// Whether what came from this place can be left out by itself.
    pub(crate) fn may_block(&self, at: &str) -> bool {
        self.names.contains_key(at)
    }

    /// The name of a field, as the other tool has it.
    pub(crate) fn name_of<'d>(&'d self, at: &'d str) -> &'d str {
        self.names.get(at).map_or(last(at), String::as_str)
    }
}

/// One scheme being mapped.
pub(crate) struct Mapper<'m> {
    draft: &'m Draft,
    blocked: &'m Blocked,
    pub(crate) book: &'m mut Book,
    notes: &'m mut Vec<Note>,
    names: BTreeMap<String, String>,
    /// What is kept under `x-qeasy`, side by side.
    kept: Map,
    /// Names of fields without a value.
    empty: Vec<String>,
    /// Expressions of which pasted values make something else, each with the codes that say why.
    pasted: Vec<(String, BTreeSet<&'static str>)>,
    /// Fields that are a look-up and nothing else.
    found: Vec<String>,
    registry: &'m dsl::builtin::Registry,
}

/// Keys of a field that only screens used.
const OF_SCREENS: [&str; 10] = [
    "id",
    "parent_id",
    "parent",
    "describe",
    "is_required",
    "display",
    "enableDisplay",
    "is_request",
    "sort",
    "hidden",
];

/// Maps a draft.
pub(crate) fn map(
    draft: &Draft,
    blocked: &Blocked,
    book: &mut Book,
    notes: &mut Vec<Note>,
    world: &mut World<'_>,
) -> Document {
    let mut mapper = Mapper {
        draft,
        blocked,
        book,
        notes,
        names: BTreeMap::new(),
        kept: Map::new(),
        empty: Vec::new(),
        pasted: Vec::new(),
        found: Vec::new(),
        registry: world.registry(),
    };
    mapper.document(world)
}

impl Mapper<'_> {
    fn document(&mut self, world: &mut World<'_>) -> Document {
        let mut document = Document::default();
        let source = self.draft.value.get("source").and_then(Value::as_map).cloned();
        let target = self.draft.value.get("target").and_then(Value::as_map).cloned();
        let source_system = self.system(source.as_ref(), "source", world);
        let target_system = self.system(target.as_ref(), "target", world);
        for system in [&source_system, &target_system].into_iter().flatten() {
            if !document.connections.contains(&system.connection) {
                document.connections.push(system.connection.clone());
            }
        }
        document.uuid = self.uuid();
        let platform =
            |side: &Option<Map>| text_of(side.as_ref(), "platform").unwrap_or_else(|| "?".to_owned());
        document.head = vec![
            format!("{} → {}", platform(&source), platform(&target)),
            format!(
                "engine import qeasy {}{}",
                file_name(&self.draft.file),
                at_words(&self.draft.at)
            ),
        ];
        let mut items = vec![Item::text("scheme", self.draft.id.clone())];
        if let Some(name) = self.name(source.as_ref(), target.as_ref()) {
            items.push(Item::text("name", name));
        }
        if let Some(uuid) = &document.uuid {
            items.push(Item::text("uuid", uuid.clone()));
        }
        items.push(
            Item::raw("enabled", "false").label("旧平台停用之后再打开 · switch on once the old tool is off"),
        );
        items.push(Item::raw("compat", "qeasy"));
        // A system without a connector says nothing of its zone, and UTC would move each time by eight hours.
        if source_system.as_ref().is_none_or(|system| system.is_generic) {
            items.push(Item::raw("zone", "Asia/Shanghai").label("旧平台的时区 · the zone of the old tool"));
        }
        let schedule = self.schedule(source_system.as_ref());
        let stores_only = self.stores_only(target.as_ref());
        let side = source::Given {
            side: source.as_ref(),
            system: source_system.as_ref(),
            target: target.as_ref().filter(|_| !stores_only),
            target_system: target_system.as_ref(),
            every_s: schedule.every_s,
        };
        match &source {
            Some(_) => {
                let inner = self.source(&side);
                items.push(Item::new("source", Body::Map(inner)).apart());
            }
            None => {
                self.note("", Failure::new(&words::NO_SOURCE));
                items.push(Item::raw("source", "{}").off("E1714").apart());
            }
        }
        match &target {
            Some(map) if !stores_only => {
                let inner = self.target(map, target_system.as_ref(), source.as_ref());
                items.push(Item::new("target", Body::Map(inner)).apart());
            }
            _ => {
                if target.is_none() {
                    self.note("", Failure::new(&words::NO_TARGET));
                }
                items.push(
                    Item::raw("target", "none")
                        .label("只存储,供查找 · stored only")
                        .apart(),
                );
            }
        }
        items.push(schedule.item.apart());
        for part in ["source", "target", ""] {
            self.rest(part);
        }
        self.unknown_leaves();
        if !self.kept.is_empty() {
            let kept = std::mem::take(&mut self.kept);
            items.push(Item::new("x-qeasy", Body::Data(Value::Map(kept))).apart());
        }
        if !self.empty.is_empty() {
            let failure = Failure::new(&words::NO_VALUE)
                .with("count", self.empty.len())
                .with("names", some(&self.empty));
            self.note("", failure);
        }
        self.values_are_values();
        self.screens();
        self.book.close();
        document.items = items;
        document.names = std::mem::take(&mut self.names);
        document
    }

    /// What is true of nearly every expression is told once.
    fn values_are_values(&mut self) {
        if !self.pasted.is_empty() {
            let named = |(field, codes): &(String, BTreeSet<&'static str>)| {
                format!(
                    "{field} ({})",
                    codes.iter().copied().collect::<Vec<_>>().join(" ")
                )
            };
            let names: Vec<String> = self.pasted.iter().map(named).collect();
            let codes: BTreeSet<&str> = self
                .pasted
                .iter()
                .flat_map(|(_, codes)| codes.iter().copied())
                .collect();
            let failure = Failure::new(&words::NOT_PASTED)
                .with("names", some(&names))
                .with("codes", codes.into_iter().collect::<Vec<_>>().join(" "));
            self.note("", failure);
        }
        if !self.found.is_empty() {
            let failure = Failure::new(&words::FOUND_NOTHING)
                .with("names", some(&self.found))
                .with("codes", words::FOUND_NOTHING.code);
            self.note("", failure);
        }
    }

    /// Adds a note.
    fn note(&mut self, at: &str, failure: Failure) {
        self.notes.push(Note {
            at: at.to_owned(),
            line: None,
            failure,
            by_check: false,
        });
    }

    /// A note about a field, whose leaf is in the report under its code.
    fn left(&mut self, at: &str, failure: Failure) {
        self.book.reported(at, failure.code());
        self.note(at, failure);
    }

    fn system(&mut self, side: Option<&Map>, name: &str, world: &mut World<'_>) -> Option<System> {
        let side = side?;
        let adapter = text_of(Some(side), "adapter").unwrap_or_default();
        let platform = text_of(Some(side), "platform").unwrap_or_default();
        if self.stores_only(Some(side)) {
            return None;
        }
        let system = world.system(&adapter, &platform)?;
        let to = format!("{name}.connection");
        self.book.carried(&member(name, "adapter"), &to);
        self.book.carried(&member(name, "platform"), &to);
        if system.is_generic {
            let failure = Failure::new(&words::NO_CONNECTOR)
                .with("name", if platform.is_empty() { &adapter } else { &platform });
            self.note(&member(name, "platform"), failure);
        }
        Some(system)
    }

    /// A target that is written to by nobody: the scheme feeds look-ups.
    fn stores_only(&mut self, side: Option<&Map>) -> bool {
        const WORDS: &str = "写入空操作";
        let Some(side) = side else { return false };
        let mut is_one = false;
        for key in ["platform", "label", "api"] {
            if text_of(Some(side), key).is_some_and(|text| text.contains(WORDS)) {
                self.book.carried(&format!("target.{key}"), "target");
                is_one = true;
            }
        }
        if is_one {
            self.book.carried("target.platform", "target");
        }
        is_one
    }

    fn uuid(&mut self) -> Option<String> {
        for key in ["uuid", "strategyId", "strategy_id", "id"] {
            let text = self.draft.value.get(key).and_then(Value::to_plain_text);
            if let Some(text) = text.filter(|text| !text.is_empty() && text.len() <= 64) {
                self.book.carried(key, "uuid");
                return Some(text);
            }
        }
        None
    }

    fn name(&mut self, source: Option<&Map>, target: Option<&Map>) -> Option<String> {
        if let Some(name) = self.draft.value.get("name").and_then(Value::to_plain_text) {
            self.book.carried("name", "name");
            return Some(name).filter(|name| !name.is_empty());
        }
        let part = |side: Option<&Map>| {
            let platform = text_of(side, "platform");
            let label = text_of(side, "label");
            match (platform, label) {
                (Some(platform), Some(label)) => Some(format!("{platform} {label}")),
                (one, other) => one.or(other),
            }
        };
        self.book.carried("source.label", "name");
        self.book.carried("target.label", "name");
        match (part(source), part(target)) {
            (Some(source), Some(target)) => Some(format!("{source} → {target}")),
            (one, other) => one.or(other),
        }
    }

    /// What only screens used, in one note.
    fn screens(&mut self) {
        let code = words::SCREEN_ONLY.code;
        let mut names: Vec<String> = Vec::new();
        let mut count = 0;
        let mut open = Vec::new();
        leaves(&self.draft.value, "", &mut |path, _| open.push(path.to_owned()));
        for path in open {
            if self.book.is(&path, code) {
                count += 1;
                let declared = [
                    "source.response",
                    "source.otherResponse",
                    "target.response",
                    "target.otherResponse",
                ];
                let declared = declared.iter().find(|front| path.starts_with(**front));
                let name = declared.map_or(path.as_str(), |front| front);
                let name = last(name).split('[').next().unwrap_or_default().to_owned();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        if count > 0 {
            let failure = Failure::new(&words::SCREEN_ONLY)
                .with("count", count)
                .with("names", some(&names));
            self.note("", failure);
        }
    }

    /// Keys of a part that nobody understood are kept, and reported.
    fn rest(&mut self, part: &str) {
        let value = match part {
            "" => Some(&self.draft.value),
            part => self.draft.value.get(part),
        };
        let Some(map) = value.and_then(Value::as_map).cloned() else {
            return;
        };
        for (key, value) in &map {
            let at = member(part, key);
            let is_side =
                part.is_empty() && matches!(key.as_str(), "source" | "target") && value.as_map().is_some();
            if is_side || self.book.open(&at).is_empty() {
                continue;
            }
            // Notes of people, not settings.
            let is_remark = key.starts_with('_');
            let is_declared = matches!(key.as_str(), "response" | "otherResponse");
            if matches!(key.as_str(), "request" | "otherRequest") {
                // Members of fields that nobody knows: they are kept one by one.
                continue;
            }
            if is_remark || is_declared {
                self.book.reported(&at, words::SCREEN_ONLY.code);
            } else {
                self.keep(&at, value, &words::KEPT);
            }
        }
    }

    /// What still has no fate: members of fields that nobody knows. They are kept by their paths.
    fn unknown_leaves(&mut self) {
        let open: BTreeSet<String> = self.book.open("").into_iter().collect();
        if open.is_empty() {
            return;
        }
        let mut kept = Map::new();
        leaves(&self.draft.value, "", &mut |path, value| {
            if open.contains(path) {
                kept.insert(path.to_owned(), value.clone());
            }
        });
        self.kept.insert("leaves".to_owned(), Value::Map(kept));
        let names: Vec<String> = open.iter().cloned().collect();
        self.note("", Failure::new(&words::KEPT).with("key", some(&names)));
        for path in &open {
            self.book.reported(path, words::KEPT.code);
        }
    }

    /// Keeps a value under `x-qeasy`, and reports it.
    fn keep(&mut self, at: &str, value: &Value, entry: &'static Entry) {
        let (side, key) = match at.split_once('.') {
            Some((side, key)) => (side, key),
            None => ("", at),
        };
        let place = match side {
            "" => &mut self.kept,
            side => {
                let place = self
                    .kept
                    .entry(side.to_owned())
                    .or_insert_with(|| Value::Map(Map::new()));
                match place {
                    Value::Map(map) => map,
                    _ => return,
                }
            }
        };
        place.insert(key.to_owned(), value.clone());
        self.left(at, Failure::new(entry).with("key", key));
    }

    /// The members of a field that say nothing about its value; those that nobody knows are kept.
    fn beside(&mut self, field: &Field<'_>, to: &str) {
        for part in ["field", "label", "type"] {
            self.book.carried(&member(&field.at, part), to);
        }
        for part in OF_SCREENS {
            self.book
                .reported(&member(&field.at, part), words::SCREEN_ONLY.code);
        }
    }

    /// The value of a field that is in the file, and what says how it is made.
    fn rest_of(&mut self, field: &Field<'_>, to: &str) {
        for part in ["value", "parser"] {
            self.book.carried(&member(&field.at, part), to);
        }
        if field.children.is_empty() {
            self.book
                .reported(&member(&field.at, "children"), words::SCREEN_ONLY.code);
        }
    }

    /// A field that is not in the file: every leaf of it is in the report under this code.
    fn drop_field(&mut self, field: &Field<'_>, code: &'static str) {
        for part in OF_SCREENS {
            self.book
                .reported(&member(&field.at, part), words::SCREEN_ONLY.code);
        }
        self.book.reported(&field.at, code);
        // Those that stand elsewhere and only name it as their parent.
        for child in &field.children {
            self.drop_field(child, code);
        }
    }

    /// A field that the compiler refused: it stands in a comment, and the report says why.
    fn refused(&mut self, field: &Field<'_>) -> Option<String> {
        let (problem, column) = self.blocked.get(&field.at)?.clone();
        let code = problem.entry.code;
        let is_expression = field
            .text()
            .is_some_and(|text| crate::account::is_expression(&text));
        let (why, why_en) = (problem.message(Lang::Zh), problem.message(Lang::En));
        let unknown_scheme = dsl::catalogue::value::LOOKUP_SCHEME.code;
        let failure = if code == unknown_scheme {
            let name = problem.facts.iter().find(|(name, _)| *name == "name");
            Failure::new(&words::LOOKUP_ELSEWHERE)
                .with("field", &field.name)
                .with("scheme", name.map_or("", |(_, name)| name.as_str()))
        } else if is_expression && code.starts_with("E13") {
            Failure::new(&words::EXPRESSION)
                .with("field", &field.name)
                .with("column", column)
                .with("code", code)
                .with("why", why)
                .with("why_en", why_en)
        } else {
            Failure::new(&words::BLOCKED)
                .with("field", &field.name)
                .with("code", code)
                .with("why", why)
                .with("why_en", why_en)
        };
        let told = failure.code();
        self.note(&field.at, failure);
        self.drop_field(field, told);
        Some(format!("{told} {code}"))
    }
}

/// The text of a member.
pub(super) fn text_of(map: Option<&Map>, key: &str) -> Option<String> {
    let text = map?.get(key)?.to_plain_text()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Names in a row, as many as a person reads.
pub(super) fn some(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut text = names.iter().take(MOST).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        text.push_str(", …");
    }
    text
}

fn file_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or_default();
    name.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

fn at_words(at: &str) -> String {
    match at {
        "" => String::new(),
        at => format!(
            " ({})",
            at.chars().filter(|char| !char.is_control()).collect::<String>()
        ),
    }
}
