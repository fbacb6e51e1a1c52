//! A value on its way from a slot to the document.

use std::borrow::Cow;

use super::answers::Answer;
use super::formula::Val;
use super::raw::{Kind, Raw};
use crate::tree::term::Missing;
use crate::value::{Number, Value};

/// What a place gives.
pub(super) enum Got<'a> {
    Value(V<'a>),
    Missing(Missing),
    Omitted,
}

/// A value.
pub(super) enum V<'a> {
    /// A slot that is not missing.
    Raw(Raw),
    Own(Value),
    Val(Val<'a>),
    /// A constant, and how it is written.
    Const(&'a Value, &'a [u8]),
    Answer(&'a Answer),
}

impl<'a> V<'a> {
    /// What is held as a value.
    fn held(&self) -> Option<&Value> {
        match self {
            V::Own(value) => Some(value),
            V::Const(value, _) => Some(value),
            V::Answer(answer) => Some(&answer.value),
            V::Raw(_) | V::Val(_) => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        match self {
            V::Raw(raw) => raw.kind == Kind::Null,
            V::Val(value) => value.is_null(),
            held => held.held().is_some_and(Value::is_null),
        }
    }

    /// Whether it is null or empty text.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            V::Raw(raw) => raw.is_empty(),
            V::Val(Val::Text { text, .. }) => text.is_empty(),
            V::Val(value) => value.is_null(),
            held => held.held().is_some_and(Value::is_empty),
        }
    }

    /// Whether it is a list or a map.
    pub(super) fn is_nested(&self) -> bool {
        match self {
            V::Raw(raw) => matches!(raw.kind, Kind::List | Kind::Map),
            V::Val(_) => false,
            held => matches!(held.held(), Some(Value::Map(_) | Value::List(_))),
        }
    }

    pub(super) fn is_text(&self) -> bool {
        match self {
            V::Raw(raw) => raw.kind == Kind::Text,
            V::Val(value) => matches!(value, Val::Text { .. }),
            held => matches!(held.held(), Some(Value::Text(_))),
        }
    }

    pub(super) fn is_number_or_truth(&self) -> bool {
        match self {
            V::Raw(raw) => matches!(raw.kind, Kind::Number | Kind::True | Kind::False),
            V::Val(value) => matches!(value, Val::Number(_)),
            held => matches!(held.held(), Some(Value::Number(_) | Value::Bool(_))),
        }
    }

    /// As [`Value::to_plain_text`] gives it.
    pub(super) fn plain(&self, row: &'a str) -> Option<Cow<'a, str>> {
        match self {
            V::Raw(raw) => match raw.kind {
                Kind::Text => Some(raw.text(row)),
                Kind::Number | Kind::True | Kind::False => Some(Cow::Borrowed(raw.of(row))),
                Kind::Missing | Kind::Null | Kind::List | Kind::Map => None,
            },
            V::Val(Val::Null) => None,
            V::Val(Val::Number(number)) => Some(Cow::Owned(number.text())),
            V::Val(Val::Text { text, .. }) => Some(text.clone()),
            held => held.held()?.to_plain_text().map(Cow::Owned),
        }
    }

    pub(super) fn into_value(self, row: &str) -> Option<Value> {
        Some(match self {
            V::Raw(raw) => raw.value(row)?,
            V::Own(value) => value,
            V::Val(Val::Null) => Value::Null,
            V::Val(Val::Number(number)) => Value::Number(Number::parse(&number.text())?),
            V::Val(Val::Text { text, .. }) => Value::Text(text.into_owned()),
            V::Const(value, _) => value.clone(),
            V::Answer(answer) => answer.value.clone(),
        })
    }
}
