//! Objects: what a document of an ERP has, declared in a file beside the schemes.
//!
//! An object has a master with fields and any number of details, each a list of lines with fields of its own. From one
//! table of keys ([`keys::OBJECT`]) come the strict reader, the JSON Schema and the reference page. [`Standard`] is the
//! form in which such a document travels, [`Object::fits`] whether one is as it was declared.
//!
//! Promised: what is refused is told by its place; nothing of a value that is declared `sensitive` is in a message.

mod example;
mod fits;
pub mod keys;
mod read;
mod standard;

use crate::facts::Text2;
use crate::path::Path;
use crate::value::Value;

pub use read::read_object;
pub use standard::{Misfit, Standard};

/// An object as its file declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The other system's name of it.
    pub name: String,
    /// What people call it.
    pub label: Text2,
    /// The field of the master that identifies one.
    pub id: String,
    /// What the header `id` of a push says.
    pub push_id: PushId,
    /// The field of the master by which people know one.
    pub shown: String,
    /// The fields of the master, in the order of the file.
    pub fields: Vec<Field>,
    /// Further fields are taken as they come.
    pub open: bool,
    /// The details, in the order of the file.
    pub details: Vec<Detail>,
    /// What tells those who read that one was cancelled.
    pub void: Option<VoidMark>,
    /// Where we are the ERP for it.
    pub serve: Option<Serve>,
}

/// What the header `id` of a push says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushId {
    /// What the field `id` says.
    Same,
    /// A number of the sender's own.
    Any,
}

impl PushId {
    /// The words of files.
    pub const WORDS: &'static [&'static str] = &["same", "any"];
}

/// A field of the master, and what it says of one that was cancelled.
#[derive(Debug, Clone, PartialEq)]
pub struct VoidMark {
    /// The field.
    pub field: String,
    /// What it says.
    pub value: Value,
}

/// One kind of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Detail {
    /// The other system's name of it.
    pub name: String,
    /// What people call it.
    pub label: Text2,
    /// The field that identifies a line.
    pub id: Option<String>,
    /// At least one line must be there.
    pub required: bool,
    /// The fields of a line.
    pub fields: Vec<Field>,
    /// Further fields are taken as they come.
    pub open: bool,
}

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub label: Text2,
    /// What it holds.
    pub ty: Type,
    /// It must be there and not be empty.
    pub required: bool,
    /// Its value is for no eyes.
    pub sensitive: bool,
    /// Where it is in a stored row that has not the standard form; else under its own name.
    pub from: Option<Path>,
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Text of at most so many characters; a number counts as its digits.
    Text(Option<usize>),
    /// A whole number, also as text.
    Int,
    /// A number, also as text, without exponent.
    Decimal,
    /// `true` or `false`, also as text.
    Bool,
    /// `2026-11-23`
    Date,
    /// `2026-11-23 08:00:00`, also with `T`, fractions and an offset.
    Datetime,
    /// Milliseconds since 1970, also as text.
    Ms,
    /// One of these texts.
    Choice(Vec<String>),
    /// A list of anything.
    List,
    /// A map of anything.
    Map,
}

impl Type {
    /// The words of files.
    pub const WORDS: &'static [&'static str] = &[
        "text", "int", "decimal", "bool", "date", "datetime", "ms", "choice", "list", "map",
    ];

    /// The word of files.
    pub fn word(&self) -> &'static str {
        match self {
            Type::Text(_) => "text",
            Type::Int => "int",
            Type::Decimal => "decimal",
            Type::Bool => "bool",
            Type::Date => "date",
            Type::Datetime => "datetime",
            Type::Ms => "ms",
            Type::Choice(_) => "choice",
            Type::List => "list",
            Type::Map => "map",
        }
    }
}

/// Where we are the ERP for an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Serve {
    /// The connection whose token may call.
    pub connection: String,
    /// The scheme whose stored rows are read.
    pub rows: Option<String>,
    /// The scheme that takes what is written.
    pub receive: Option<String>,
}
