//! JSON to values and back, without losing a digit.
//!
//! Numbers keep their text and maps their order, which is why this is not a general JSON library: their numbers are
//! floats beyond 15 digits. Compact output; what is not ASCII is written as it is.

mod read;
mod write;

use std::fmt;

use crate::diagnostic::Lang;
use crate::value::Value;

pub use read::parse;
pub(crate) use read::parse_own;
pub use write::{pretty, to_string, write, write_text};

/// Deepest nesting that is read: no vendor comes near, and a deeper text is an attack on the stack.
pub const MAX_DEPTH: usize = 128;

/// Why bytes are not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    /// The byte where reading stopped.
    pub offset: usize,
    /// What is wrong there.
    pub what: JsonFault,
}

/// What is wrong with bytes that should be JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonFault {
    /// Not UTF-8.
    Utf8,
    /// The end came too early.
    End,
    /// Something else should stand here.
    Unexpected,
    /// More text after the value.
    Trailing,
    /// Not a number in JSON's syntax.
    Number,
    /// An escape that JSON does not have, or half a surrogate pair.
    Escape,
    /// A control character inside a text.
    Control,
    /// Nested more than [`MAX_DEPTH`] deep.
    Depth,
    /// The same name twice in one map.
    Duplicate(String),
}

impl JsonFault {
    /// In words.
    pub fn words(&self, lang: Lang) -> String {
        let (zh, en) = match self {
            JsonFault::Utf8 => ("不是 UTF-8 文本", "not UTF-8"),
            JsonFault::End => ("JSON 没有写完", "the JSON ends too early"),
            JsonFault::Unexpected => ("此处不是 JSON", "not JSON here"),
            JsonFault::Trailing => ("JSON 之后还有多余的内容", "more text after the JSON"),
            JsonFault::Number => ("不是合法的 JSON 数字", "not a JSON number"),
            JsonFault::Escape => ("不是合法的 JSON 转义", "not a JSON escape"),
            JsonFault::Control => ("文本中有未转义的控制字符", "a control character inside a text"),
            JsonFault::Depth => ("嵌套超过 128 层", "nested more than 128 deep"),
            JsonFault::Duplicate(name) => {
                return match lang {
                    Lang::Zh => format!("名称 “{name}” 重复出现"),
                    Lang::En => format!("the name \"{name}\" appears twice"),
                };
            }
        };
        lang.pick(zh, en).to_owned()
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.what.words(Lang::En), self.offset)
    }
}

impl std::error::Error for JsonError {}

impl fmt::Display for Value {
    /// The value as compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_string(self))
    }
}

#[cfg(test)]
mod tests;
