//! The account of an input: every leaf of it has exactly one fate.
//!
//! A leaf is a value that has no parts: a text, a number, a truth value, null, an empty list or map. Leaves are named by
//! their path, `source.request[2].value`. A leaf gets the first fate that is given to it and keeps it; what has none in
//! the end is an omission of the importer, and is reported as such.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use dsl::catalogue::imported as words;
use dsl::{Lang, Value};
use indexmap::IndexMap;

/// What a leaf is, for the totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LeafKind {
    /// The name of a field.
    Field,
    /// A value of a field that is no expression.
    Value,
    /// `_function`, `_findCollection`, `_mongoQuery`.
    Expression,
    /// A schedule.
    Crontab,
    /// Anything else.
    Key,
}

impl LeafKind {
    /// The word in machine-readable output.
    pub fn name(self) -> &'static str {
        match self {
            LeafKind::Field => "fields",
            LeafKind::Value => "values",
            LeafKind::Expression => "expressions",
            LeafKind::Crontab => "crontabs",
            LeafKind::Key => "keys",
        }
    }
}

impl LeafKind {
    /// In words.
    pub fn words(self, lang: Lang) -> &'static str {
        match self {
            LeafKind::Field => lang.pick("字段", "fields"),
            LeafKind::Value => lang.pick("字段的值", "values"),
            LeafKind::Expression => lang.pick("表达式", "expressions"),
            LeafKind::Crontab => lang.pick("计划", "crontabs"),
            LeafKind::Key => lang.pick("其它设置", "other keys"),
        }
    }
}

/// What became of a leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is in the file, at this place.
    Carried(String),
    /// It is not, and the report says why under this code.
    Reported(&'static str),
}

/// A leaf and its fate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// What it is.
    pub kind: LeafKind,
    /// What became of it.
    pub fate: Option<Fate>,
}

/// How many leaves of a kind there are, and what became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// All of them.
    pub total: usize,
    /// Those that are in the file.
    pub carried: usize,
    /// Those that are in the report.
    pub reported: usize,
}

impl Total {
    /// Whether nothing is missing.
    pub fn adds_up(&self) -> bool {
        self.carried + self.reported == self.total
    }
}

/// The account of one scheme.
#[derive(Debug, Default)]
pub struct Book {
    leaves: IndexMap<String, Leaf>,
    /// Where the leaves below a place stand: those of one place are beside each other.
    below: HashMap<String, Range<usize>>,
}

impl Book {
    /// Opens the account of a scheme: all leaves, no fates.
    pub fn of(value: &Value) -> Book {
        let mut book = Book::default();
        leaves(value, "", &mut |path, value| {
            let kind = kind(path, value);
            let (index, _) = book
                .leaves
                .insert_full(path.to_owned(), Leaf { kind, fate: None });
            let marks = path.char_indices().filter(|(_, char)| matches!(char, '.' | '['));
            for end in marks.map(|(at, _)| at).chain([path.len()]) {
                let range = book.below.entry(path[..end].to_owned()).or_insert(index..index);
                range.end = index + 1;
            }
        });
        book
    }

    /// The leaves at a place and below it are in the file.
    pub fn carried(&mut self, at: &str, to: &str) {
        self.settle(at, &Fate::Carried(to.to_owned()));
    }

    /// The leaves at a place and below it are in the report.
    pub fn reported(&mut self, at: &str, code: &'static str) {
        self.settle(at, &Fate::Reported(code));
    }

    fn settle(&mut self, at: &str, fate: &Fate) {
        for index in self.range(at) {
            if let Some((_, leaf)) = self.leaves.get_index_mut(index) {
                leaf.fate.get_or_insert_with(|| fate.clone());
            }
        }
    }

    fn range(&self, at: &str) -> Range<usize> {
        match at.is_empty() {
            true => 0..self.leaves.len(),
            false => self.below.get(at).cloned().unwrap_or_default(),
        }
    }

    /// What a leaf is.
    pub fn kind(&self, at: &str) -> Option<LeafKind> {
        self.leaves.get(at).map(|leaf| leaf.kind)
    }

    /// Whether a leaf is in the report under this code.
    pub fn is(&self, at: &str, code: &str) -> bool {
        let fate = self.leaves.get(at).and_then(|leaf| leaf.fate.as_ref());
        matches!(fate, Some(Fate::Reported(reported)) if *reported == code)
    }

    /// The leaves at a place and below it that have no fate.
    pub fn open(&self, at: &str) -> Vec<String> {
        self.range(at)
            .filter_map(|index| self.leaves.get_index(index))
            .filter(|(_, leaf)| leaf.fate.is_none())
            .map(|(path, _)| path.clone())
            .collect()
    }

    /// Closes the account: what nobody thought of is reported.
    pub fn close(&mut self) {
        for leaf in self.leaves.values_mut() {
            leaf.fate.get_or_insert(Fate::Reported(words::KEPT.code));
        }
    }

    /// The totals by kind.
    pub fn totals(&self) -> BTreeMap<LeafKind, Total> {
        let mut totals: BTreeMap<LeafKind, Total> = BTreeMap::new();
        for leaf in self.leaves.values() {
            let total = totals.entry(leaf.kind).or_default();
            total.total += 1;
            match leaf.fate {
                Some(Fate::Carried(_)) => total.carried += 1,
                Some(Fate::Reported(_)) => total.reported += 1,
                None => {}
            }
        }
        totals
    }

    /// All leaves.
    pub fn into_leaves(self) -> IndexMap<String, Leaf> {
        self.leaves
    }
}

/// Calls `each` with every leaf and its path.
pub fn leaves(value: &Value, path: &str, each: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Map(map) if !map.is_empty() => {
            for (name, inner) in map {
                leaves(inner, &member(path, name), each);
            }
        }
        Value::List(items) if !items.is_empty() => {
            for (index, inner) in items.iter().enumerate() {
                leaves(inner, &format!("{path}[{index}]"), each);
            }
        }
        leaf => each(path, leaf),
    }
}

/// The path of a member. Marks that paths are made of do not appear in names.
pub fn member(path: &str, name: &str) -> String {
    let name = name.replace(['.', '[', ']'], "·");
    match path.is_empty() {
        true => name,
        false => format!("{path}.{name}"),
    }
}

/// Whether a text is an expression of the other tool.
pub fn is_expression(text: &str) -> bool {
    ["_function", "_findCollection", "_mongoQuery"]
        .iter()
        .any(|word| text.trim_start().starts_with(word))
}

fn kind(path: &str, value: &Value) -> LeafKind {
    let name = path.rsplit('.').next().unwrap_or(path);
    let in_field = path.strip_suffix(name).is_some_and(|front| front.ends_with("]."));
    match (name, value) {
        ("field", _) if in_field => LeafKind::Field,
        (_, Value::Text(text)) if is_expression(text) => LeafKind::Expression,
        ("value", _) if in_field => LeafKind::Value,
        (name, _) if name.to_ascii_lowercase().contains("cron") => LeafKind::Crontab,
        _ => LeafKind::Key,
    }
}
