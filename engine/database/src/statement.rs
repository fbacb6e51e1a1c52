//! A statement as it arrives: text and values, as data.

use serde::Deserialize;
use serde_json::value::RawValue;

/// What is asked of a database.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Statement {
    Read(Read),
    Write(Write),
    #[cfg(feature = "files")]
    Files(crate::files::Files),
    #[cfg(not(feature = "files"))]
    Files(serde::de::IgnoredAny),
}

/// One SELECT.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Read {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Bind>,
    /// Most rows of a page. The statement asks for one more, which says whether there is another page.
    pub(crate) limit: usize,
    /// How many columns at the end say where the next page begins; they are not part of the rows.
    #[serde(default)]
    pub(crate) keys: usize,
    /// The same, by name, where the rows are shown whole.
    #[serde(default)]
    pub(crate) by: Vec<String>,
    /// Whether there may be another page, where `by` names its keys.
    #[serde(default)]
    pub(crate) paged: bool,
    pub(crate) rows: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Shape {
    Lists,
    Maps,
}

/// Statements that are one transaction.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Write {
    /// Fails where the table of notes is not there.
    pub(crate) probe: String,
    /// Creates it.
    pub(crate) make: String,
    pub(crate) steps: Vec<Step>,
    /// The id of each document.
    pub(crate) ids: Vec<String>,
}

/// One statement of a transaction.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) sql: String,
    pub(crate) binds: Vec<Bind>,
    /// It must give no row; these are the words when it does.
    #[serde(default)]
    pub(crate) none: Option<String>,
    /// What it is about, told where it is refused.
    #[serde(default)]
    pub(crate) of: Option<String>,
}

/// A value beside a statement.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Bind {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
}

impl std::fmt::Debug for Bind {
    // Nothing of a record is printed by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Bind::Null => "Null",
            Bind::Bool(_) => "Bool",
            Bind::Number(_) => "Number",
            Bind::Text(_) => "Text",
        })
    }
}

impl Bind {
    /// The number, where it is a whole one that fits.
    pub(crate) fn whole(number: &str) -> Option<i64> {
        number.parse().ok()
    }
}

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Raw, so that no digit of a number is lost.
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match raw.as_bytes().first() {
            Some(b'n') => Ok(Bind::Null),
            Some(b't') => Ok(Bind::Bool(true)),
            Some(b'f') => Ok(Bind::Bool(false)),
            Some(b'"') => serde_json::from_str(raw)
                .map(Bind::Text)
                .map_err(serde::de::Error::custom),
            Some(b'-' | b'0'..=b'9') => Ok(Bind::Number(raw.to_owned())),
            _ => Err(serde::de::Error::custom("a single value is bound")),
        }
    }
}

/// Reads a statement.
pub(crate) fn parse(bytes: &[u8]) -> Result<Statement, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
