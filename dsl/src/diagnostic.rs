//! Problems, as data, and how they are shown.
//!
//! A problem is an entry of the catalogue, the facts that fill its words, and a byte range *in the file*. The words
//! stand in [`crate::catalogue`]; wording in a language, drawing and JSON happen here and nowhere else.

mod draw;
mod fill;

use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;

use crate::catalogue::Entry;

pub use draw::{render, to_json};
#[cfg(test)]
pub(crate) use fill::names as placeholders;

/// The language a message is worded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

/// Whether a problem stops the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// It does.
    Error,
    /// It does not, but deserves a look.
    Warning,
}

impl Severity {
    /// The word in machine-readable output, the same in both languages.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A file as it was read, shared by everything that points into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// How the user named it; shown as it is.
    pub name: String,
    /// Its text, byte for byte.
    pub text: String,
}

impl SourceFile {
    /// A file to be shared.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<SourceFile> {
        Arc::new(SourceFile {
            name: name.into(),
            text: text.into(),
        })
    }

    /// Line and column of a byte, both from 1; the column counts characters. A place beyond the end is the end.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..self.floor_char(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let in_line = before[line_start..].trim_start_matches('\u{feff}');
        (line, in_line.chars().count() + 1)
    }

    /// The nearest character boundary at or before `offset`.
    fn floor_char(&self, offset: usize) -> usize {
        let offset = offset.min(self.text.len());
        (0..=offset)
            .rev()
            .find(|at| self.text.is_char_boundary(*at))
            .unwrap_or(0)
    }
}

/// The facts of a problem: what stands for each `{name}` in its words.
pub type Facts = Vec<(&'static str, String)>;

/// One problem in one file, ready to be shown to the person who wrote the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The row of the catalogue.
    pub entry: &'static Entry,
    /// What fills its words.
    pub facts: Facts,
    /// The bytes of the file it is about.
    pub span: Range<usize>,
    /// The file.
    pub file: Arc<SourceFile>,
    /// Names near the one that was not found.
    pub similar: Vec<String>,
}

impl Diagnostic {
    /// A problem at a place, without facts yet.
    pub fn new(entry: &'static Entry, file: &Arc<SourceFile>, span: Range<usize>) -> Self {
        Diagnostic {
            entry,
            facts: Vec::new(),
            span,
            file: Arc::clone(file),
            similar: Vec::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    /// Names to suggest, nearest first.
    #[must_use]
    pub fn similar(mut self, names: Vec<String>) -> Self {
        self.similar = names;
        self
    }

    /// What happened.
    pub fn message(&self, lang: Lang) -> String {
        fill::fill(self.entry.text(lang), &self.facts)
    }

    /// What to do, with the suggestion of near names first. `None` when there is nothing to say.
    pub fn help(&self, lang: Lang) -> Option<String> {
        let suggestion = suggest(&self.similar, lang);
        let help = fill::fill(self.entry.help(lang), &self.facts);
        match (suggestion, help.is_empty()) {
            (Some(suggestion), true) => Some(suggestion),
            // The suggestion is a question and ends as one.
            (Some(suggestion), false) => Some(format!("{suggestion} {help}")),
            (None, false) => Some(help),
            (None, true) => None,
        }
    }

    /// Line and column of the beginning, both from 1; the column counts characters.
    pub fn position(&self) -> (usize, usize) {
        self.file.position(self.span.start)
    }

    /// Whether this stops the work.
    pub fn is_error(&self) -> bool {
        self.entry.severity == Severity::Error
    }

    /// How many problems this stands for: one, or all that are no longer listed.
    pub(crate) fn stands_for(&self) -> usize {
        let count = self.facts.iter().find(|(name, _)| *name == "count");
        match self.entry.code == crate::catalogue::yaml::MORE_PROBLEMS.code {
            true => count.and_then(|(_, count)| count.parse().ok()).unwrap_or(1),
            false => 1,
        }
    }
}

/// A problem of one record or one call at run time, worded from the same catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The row of the catalogue.
    pub entry: &'static Entry,
    /// What fills its words.
    pub facts: Facts,
    /// The request field, row field or parameter it is about.
    pub field: Option<String>,
    /// What the other system said, in full and unchanged.
    pub vendor: Option<String>,
}

impl Failure {
    /// A failure without facts yet.
    pub fn new(entry: &'static Entry) -> Self {
        Failure {
            entry,
            facts: Vec::new(),
            field: None,
            vendor: None,
        }
    }

    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.facts.push((name, value.to_string()));
        self
    }

    /// Names the field it is about.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds the other system's own words.
    #[must_use]
    pub fn vendor(mut self, words: impl Into<String>) -> Self {
        self.vendor = Some(words.into());
        self
    }

    /// The code of the catalogue.
    pub fn code(&self) -> &'static str {
        self.entry.code
    }

    /// What happened. `{field}` and `{vendor}` may be used in the catalogue without being among the facts.
    pub fn message(&self, lang: Lang) -> String {
        let mut text = fill::fill(self.entry.text(lang), &self.all_facts());
        // What an expression read explains any failure of it; the catalogue's rows need not say so one by one.
        if let Some((_, read)) = self
            .facts
            .iter()
            .find(|(name, read)| *name == "read" && !read.is_empty())
        {
            text.push_str(lang.pick(";读到 ", "; it read "));
            text.push_str(read);
        }
        text
    }

    /// What to do; `None` when there is nothing to say.
    pub fn help(&self, lang: Lang) -> Option<String> {
        let help = fill::fill(self.entry.help(lang), &self.all_facts());
        (!help.is_empty()).then_some(help)
    }

    fn all_facts(&self) -> Facts {
        let mut facts = self.facts.clone();
        facts.extend(self.field.iter().map(|field| ("field", field.clone())));
        facts.extend(self.vendor.iter().map(|words| ("vendor", words.clone())));
        facts
    }
}

impl Entry {
    /// What happened, with its placeholders.
    pub fn text(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }

    /// What to do, with its placeholders; may be empty.
    pub fn help(&self, lang: Lang) -> &'static str {
        lang.pick(self.help_zh, self.help_en)
    }

    /// Cause and fix at length.
    pub fn long(&self, lang: Lang) -> &'static str {
        lang.pick(self.long_zh, self.long_en)
    }

    /// What happened, with `…` for what only an actual problem knows.
    pub fn text_outline(&self, lang: Lang) -> String {
        fill::outline(self.text(lang))
    }

    /// What to do, with `…` likewise; `None` when only an actual problem has a help.
    pub fn help_outline(&self, lang: Lang) -> Option<String> {
        let help = fill::outline(self.help(lang));
        help.chars().any(char::is_alphanumeric).then_some(help)
    }
}

impl Lang {
    /// One of two texts.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

fn suggest(similar: &[String], lang: Lang) -> Option<String> {
    if similar.is_empty() {
        return None;
    }
    let names: Vec<String> = similar.iter().map(|name| format!("`{name}`")).collect();
    let names = names.join(lang.pick("、", ", "));
    Some(match lang {
        Lang::Zh => format!("是否想写 {names}?"),
        Lang::En => format!("did you mean {names}?"),
    })
}

/// The names nearest to `word`: at most three, all equally near. Only names that differ by little: a wrong
/// suggestion costs more than none.
pub fn did_you_mean<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    const MOST: usize = 3;
    /// No name anybody types is longer, and comparing takes the product of the lengths.
    const LONGEST: usize = 200;
    let wanted = word.to_lowercase();
    let length = wanted.chars().count();
    let bound = (length / 3).max(1);
    if length > LONGEST {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = candidates
        .filter(|name| *name != word)
        // Names differ by at least as much as their lengths do.
        .filter(|name| name.chars().count().abs_diff(length) <= bound)
        .map(|name| (strsim::osa_distance(&wanted, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= bound && *distance < name.chars().count())
        .collect();
    near.sort();
    near.dedup();
    let nearest = near.first().map_or(0, |(distance, _)| *distance);
    near.into_iter()
        .take_while(|(distance, _)| *distance == nearest)
        .take(MOST)
        .map(|(_, name)| name.to_owned())
        .collect()
}

#[cfg(test)]
mod tests;
