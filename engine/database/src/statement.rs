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
    #[cfg(feature = "files")]
    File(crate::outbox::File),
    #[cfg(feature = "files")]
    Noted(crate::outbox::Noted),
    #[cfg(not(feature = "files"))]
    #[serde(alias = "file", alias = "noted")]
    Files(serde::de::IgnoredAny),
}

impl Statement {
    /// Whether a folder is asked, and no database.
    pub(crate) fn is_of_files(&self) -> bool {
        match self {
            Statement::Read(_) | Statement::Write(_) => false,
            Statement::Files(_) => true,
            #[cfg(feature = "files")]
            Statement::File(_) | Statement::Noted(_) => true,
        }
    }

    /// Whether something is written.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Statement::Write(_) => true,
            Statement::Read(_) | Statement::Files(_) => false,
            #[cfg(feature = "files")]
            Statement::File(_) => true,
            #[cfg(feature = "files")]
            Statement::Noted(_) => false,
        }
    }
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
    /// The first of them is an update time that is compared with a clock's text.
    #[serde(default)]
    pub(crate) clock: bool,
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
    pub(crate) binds: Vec<Slot>,
    /// It must give no row; these are the words when it does.
    #[serde(default)]
    pub(crate) none: Option<String>,
    /// The code of that refusal.
    #[serde(default)]
    pub(crate) code: Option<String>,
    /// Its one value is the id that the database made for this document of the call.
    #[serde(default)]
    pub(crate) made: Option<usize>,
    /// What it is about, told where it is refused.
    #[serde(default)]
    pub(crate) of: Option<String>,
}

/// A value beside a statement of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    Bind(Bind),
    /// The id that an earlier statement made for this document of the call.
    Made(usize),
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Made {
            made: usize,
        }
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        match raw.as_bytes().first() {
            Some(b'{') => serde_json::from_str(raw)
                .map(|Made { made }| Slot::Made(made))
                .map_err(serde::de::Error::custom),
            _ => Bind::of(raw)
                .map(Slot::Bind)
                .ok_or_else(|| serde::de::Error::custom(SINGLE)),
        }
    }
}

/// What is said of a list.
const SINGLE: &str = "a single value is bound";

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

    /// From its JSON, digit by digit.
    fn of(raw: &str) -> Option<Bind> {
        match raw.as_bytes().first()? {
            b'n' => Some(Bind::Null),
            b't' => Some(Bind::Bool(true)),
            b'f' => Some(Bind::Bool(false)),
            b'"' => serde_json::from_str(raw).map(Bind::Text).ok(),
            b'-' | b'0'..=b'9' => Some(Bind::Number(raw.to_owned())),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Bind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Raw, so that no digit of a number is lost.
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        Bind::of(raw).ok_or_else(|| serde::de::Error::custom(SINGLE))
    }
}

/// Reads a statement.
pub(crate) fn parse(bytes: &[u8]) -> Result<Statement, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
