//! Every word a user reads in a problem: one row per code, in Chinese and English.
//!
//! One file per family of codes. A code is never reused once released: the manual, tests and support questions
//! quote it. Where a problem is found and where it is drawn is not decided here.

use crate::diagnostic::Severity;

pub mod aggregate;
pub mod auth;
pub mod connector;
pub mod erp;
pub mod evaluation;
pub mod expression;
pub mod files;
pub mod imported;
pub mod internal;
pub mod mapping;
pub mod object;
pub mod pasted;
pub mod reading;
pub mod receive;
pub mod record;
pub mod scheme;
pub mod server;
pub mod source;
pub mod store;
pub mod target;
pub mod value;
pub mod yaml;

/// One row of the catalogue. `{name}` in a text is filled from the facts of the problem; doubled braces, as in
/// `{{x}}`, and braces around anything that is not a small-letter word stand for themselves. A fact that is worded
/// in both languages comes twice, with `_zh` or `_en` behind its name.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// The code, `E1301` or `W1301`.
    pub code: &'static str,
    /// Whether it stops the work.
    pub severity: Severity,
    /// What happened, in Chinese.
    pub zh: &'static str,
    /// What happened, in English.
    pub en: &'static str,
    /// What to do, in Chinese; may be empty.
    pub help_zh: &'static str,
    /// What to do, in English; may be empty.
    pub help_en: &'static str,
    /// Cause and fix at length, in Chinese.
    pub long_zh: &'static str,
    /// Cause and fix at length, in English.
    pub long_en: &'static str,
    /// Something that produces it.
    pub example: &'static str,
}

const FAMILIES: &[&[&Entry]] = &[
    yaml::ALL,
    files::ALL,
    scheme::ALL,
    value::ALL,
    expression::ALL,
    pasted::ALL,
    object::ALL,
    connector::ALL,
    receive::ALL,
    erp::ALL,
    record::ALL,
    evaluation::ALL,
    source::ALL,
    reading::ALL,
    target::ALL,
    aggregate::ALL,
    store::ALL,
    server::ALL,
    mapping::ALL,
    imported::ALL,
    auth::ALL,
    internal::ALL,
];

/// Every entry, in the order of the families.
pub fn all() -> impl Iterator<Item = &'static Entry> {
    FAMILIES.iter().flat_map(|family| family.iter().copied())
}

/// The entry with this code; case does not matter.
pub fn find(code: &str) -> Option<&'static Entry> {
    all().find(|entry| entry.code.eq_ignore_ascii_case(code))
}

#[cfg(test)]
mod tests;
