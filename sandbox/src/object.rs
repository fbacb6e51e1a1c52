//! JSON objects written member by member, so that order and digits stay as they are given.

use std::fmt::{Display, Write as _};

/// An object that is being written.
#[derive(Debug)]
pub(crate) struct Object(String);

impl Object {
    pub(crate) fn new() -> Object {
        Object("{".to_owned())
    }

    /// `"name":"text"`
    pub(crate) fn text(&mut self, name: &str, text: &str) -> &mut Object {
        let quoted = serde_json::to_string(text).expect("text is always JSON");
        self.raw(name, quoted)
    }

    /// `"name":value`, where the value is JSON already.
    pub(crate) fn raw(&mut self, name: &str, value: impl Display) -> &mut Object {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        write!(self.0, "\"{name}\":{value}").expect("a String takes any text");
        self
    }

    /// `"name":[objects]`
    pub(crate) fn list(&mut self, name: &str, objects: &[String]) -> &mut Object {
        self.raw(name, format_args!("[{}]", objects.join(",")))
    }

    pub(crate) fn end(&mut self) -> String {
        self.0.push('}');
        std::mem::take(&mut self.0)
    }
}
