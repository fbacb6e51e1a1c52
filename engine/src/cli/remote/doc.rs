//! Reading an answer member by member. What is missing or of another kind is told as a server that is none of ours.

use app::{Answered, AppError};
use dsl::Value;
use flow::op::{Counts, Reason};
use flow::window::Interval;
use jiff::Timestamp;
use serde_json::json;

/// An object of an answer.
#[derive(Clone, Copy)]
pub(crate) struct Doc<'a> {
    value: &'a Value,
    base: &'a str,
}

impl<'a> Doc<'a> {
    pub(super) fn new(value: &'a Value, base: &'a str) -> Self {
        Doc { value, base }
    }

    /// Something about it is not as our servers write it.
    pub(crate) fn odd(&self, what: &str) -> AppError {
        super::other_server(self.base, what)
    }

    /// A member that is there and not null.
    fn there(&self, name: &str) -> Option<&'a Value> {
        self.value.get(name).filter(|value| !value.is_null())
    }

    fn need(&self, name: &str) -> Result<&'a Value, AppError> {
        self.there(name).ok_or_else(|| self.odd(name))
    }

    /// A value as it is.
    pub(crate) fn value(&self, name: &str) -> Value {
        self.value.get(name).cloned().unwrap_or(Value::Null)
    }

    pub(crate) fn text(&self, name: &str) -> Result<String, AppError> {
        let text = self.need(name)?.as_text();
        text.map(str::to_owned).ok_or_else(|| self.odd(name))
    }

    pub(crate) fn text_or_none(&self, name: &str) -> Result<Option<String>, AppError> {
        self.there(name).map(|_| self.text(name)).transpose()
    }

    pub(crate) fn is(&self, name: &str) -> Result<bool, AppError> {
        self.need(name)?.as_bool().ok_or_else(|| self.odd(name))
    }

    pub(crate) fn number(&self, name: &str) -> Result<i64, AppError> {
        match self.need(name)? {
            Value::Number(number) => number.as_i64().ok_or_else(|| self.odd(name)),
            _ => Err(self.odd(name)),
        }
    }

    pub(crate) fn number_or_none(&self, name: &str) -> Result<Option<i64>, AppError> {
        self.there(name).map(|_| self.number(name)).transpose()
    }

    /// A number of any other width.
    pub(crate) fn count<N: TryFrom<i64>>(&self, name: &str) -> Result<N, AppError> {
        N::try_from(self.number(name)?).map_err(|_| self.odd(name))
    }

    /// An instant in milliseconds.
    pub(crate) fn at(&self, name: &str) -> Result<i64, AppError> {
        let text = self.text(name)?;
        let at: Result<Timestamp, _> = text.parse();
        Ok(at.map_err(|_| self.odd(name))?.as_millisecond())
    }

    pub(crate) fn at_or_none(&self, name: &str) -> Result<Option<i64>, AppError> {
        self.there(name).map(|_| self.at(name)).transpose()
    }

    pub(crate) fn list(&self, name: &str) -> Result<&'a [Value], AppError> {
        self.need(name)?.as_list().ok_or_else(|| self.odd(name))
    }

    pub(crate) fn docs(&self, name: &str) -> Result<Vec<Doc<'a>>, AppError> {
        let base = self.base;
        Ok(self
            .list(name)?
            .iter()
            .map(|value| Doc::new(value, base))
            .collect())
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, AppError> {
        let all = self.list(name)?.iter();
        all.map(|value| value.as_text().map(str::to_owned).ok_or_else(|| self.odd(name)))
            .collect()
    }

    pub(crate) fn doc(&self, name: &str) -> Result<Doc<'a>, AppError> {
        Ok(Doc::new(self.need(name)?, self.base))
    }

    pub(crate) fn doc_or_none(&self, name: &str) -> Option<Doc<'a>> {
        Some(Doc::new(self.there(name)?, self.base))
    }

    /// A code and its sentence, which the server worded in our language.
    pub(crate) fn reason(&self, name: &str) -> Result<Option<Reason>, AppError> {
        let read = |doc: Doc<'_>| Ok(Reason::new(doc.text("code")?, doc.text("message")?));
        self.doc_or_none(name).map(read).transpose()
    }

    pub(crate) fn interval(&self) -> Result<Interval, AppError> {
        Interval::new(self.at("from")?, self.at("to")?).ok_or_else(|| self.odd("from, to"))
    }

    /// The same; `None` for what was sent by itself, and so was not asked for.
    pub(crate) fn interval_or_none(&self) -> Result<Option<Interval>, AppError> {
        match (self.there("from"), self.there("to")) {
            (None, None) => Ok(None),
            _ => self.interval().map(Some),
        }
    }

    pub(crate) fn counts(&self) -> Result<Counts, AppError> {
        Ok(Counts {
            fetched: self.count("fetched")?,
            done: self.count("done")?,
            dead: self.count("dead")?,
            held: self.count("held")?,
            skipped: self.count("skipped")?,
            pending: self.count("pending")?,
            sending: self.count("sending")?,
            unknown: self.count("unknown")?,
            unchanged: self.count("unchanged")?,
            superseded: self.count("superseded")?,
            filtered: self.count("filtered")?,
        })
    }

    /// What the server says when it refuses, in its own words.
    pub(super) fn refusal(&self, status: u16) -> Result<AppError, AppError> {
        let diagnostics = self.docs("diagnostics")?;
        let diagnostics: Result<Vec<_>, AppError> = diagnostics.iter().map(Doc::diagnostic).collect();
        Ok(AppError::Answered(Box::new(Answered {
            status,
            code: self.text("code")?,
            title: self.text("title")?,
            help: self.text_or_none("detail")?,
            diagnostics: diagnostics?,
        })))
    }

    /// One problem of a file, as the command line tells it to programs.
    fn diagnostic(&self) -> Result<serde_json::Value, AppError> {
        Ok(json!({
            "code": self.text("code")?,
            "severity": self.text("severity")?,
            "file": self.text("file")?,
            "line": self.number("line")?,
            "column": self.number("column")?,
            "end_line": self.number("end_line")?,
            "end_column": self.number("end_column")?,
            "message": self.text("message")?,
            "help": self.text_or_none("help")?,
            "similar": self.texts("similar")?,
        }))
    }
}
