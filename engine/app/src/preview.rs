//! What a rehearsal would have sent, and what a scheme makes of a row that somebody gives.

mod row;

use connector::MASK;
use dsl::tree::Trace;
use dsl::value::Value;
use flow::op::Reason;

use crate::operate::Change;

pub use row::{Given, MOST_SHOWN, Made, Outcome, Shown, of_row};

/// One call that was not sent.
#[derive(Debug, Clone)]
pub struct Preview {
    /// `create`, `update` or `void`.
    pub action: &'static str,
    /// The operation.
    pub operation: String,
    /// Kind of document at the target.
    pub target: String,
    /// HTTP method.
    pub method: String,
    /// Address, without secrets.
    pub url: String,
    /// The body as it would go out; signatures and login headers are not part of it.
    pub body: String,
    /// Where in the body [`MASK`] stands for something, in bytes: data may hold the same characters.
    pub masks: Vec<usize>,
    /// Type of the body, where it has one.
    pub content_type: Option<String>,
    /// Its records.
    pub rows: Vec<PreviewRow>,
}

/// One record of such a call.
#[derive(Debug, Clone)]
pub struct PreviewRow {
    /// Key of the record.
    pub key: String,
    /// What people call it.
    pub label: String,
    /// Its document.
    pub payload: Value,
    /// Where each field comes from.
    pub trace: Vec<TraceLine>,
    /// What the target has of it; `None` = nobody wanted to know.
    pub present: Option<Present>,
}

/// What the target has of a document.
#[derive(Debug, Clone)]
pub enum Present {
    /// It is there.
    There {
        /// Its id.
        id: Option<String>,
        /// Its number.
        number: Option<String>,
        /// The fields that would be something else.
        changes: Vec<Change>,
        /// Fields that were compared.
        compared: usize,
        /// Places that were not, and why.
        left: Vec<(String, Why)>,
    },
    /// It is not there.
    Absent,
    /// Several have its key.
    Several,
    /// Nobody could be asked; `None` = the operation has no question.
    Unasked(Option<Reason>),
}

/// Why a place of a document was not compared with what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// A list: which line is which is not known.
    Lines,
    /// It is sensitive.
    Sensitive,
    /// The target does not let itself be asked for it.
    NotTold,
}

impl Why {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Why::Lines => "lines",
            Why::Sensitive => "sensitive",
            Why::NotTold => "not_told",
        }
    }
}

/// Where one field of a document comes from.
#[derive(Debug, Clone)]
pub struct TraceLine {
    /// The field.
    pub field: String,
    /// What the scheme says.
    pub expression: String,
    /// What came out; `None` = left out of the document.
    pub value: Option<Value>,
    /// How many rows a look-up found.
    pub matches: Option<usize>,
}

/// Where a text was masked. What follows a mask is looked for in the text as it was; where that cannot be told, the
/// characters count as data, which shows nothing that was hidden.
pub(crate) fn masks(was: &str, shown: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let (mut left, mut at) = (was, 0);
    while let Some(rest) = shown.get(at..) {
        let Some(char) = rest.chars().next() else { break };
        if let Some(after) = left.strip_prefix(char) {
            (left, at) = (after, at + char.len_utf8());
            continue;
        }
        let Some(after) = rest.strip_prefix(MASK) else {
            break;
        };
        found.push(at);
        at += MASK.len();
        let next = after.split(MASK).next().unwrap_or_default();
        // Two masks side by side leave nothing to look for: the text goes on behind the second.
        if !next.is_empty() {
            left = left
                .find(next)
                .and_then(|start| left.get(start..))
                .unwrap_or_default();
        }
    }
    found
}

impl TraceLine {
    /// The lines of an evaluation's trace.
    pub(crate) fn of(trace: Trace) -> Vec<TraceLine> {
        trace
            .entries
            .into_iter()
            .map(|entry| TraceLine {
                field: entry.field,
                expression: entry.source,
                value: if entry.sensitive {
                    Some(Value::Text(MASK.to_owned()))
                } else {
                    entry.value
                },
                matches: entry.matches,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_looks_like_a_mask_is_data() {
        for (was, shown, want) in [
            (r#"{"a":"x"}"#, r#"{"a":"x"}"#, vec![]),
            (r#"{"card":"6222"}"#, r#"{"card":"***"}"#, vec![9]),
            (r#"{"note":"5***"}"#, r#"{"note":"5***"}"#, vec![]),
            (
                r#"{"note":"***","card":"6222","x":"***"}"#,
                r#"{"note":"***","card":"***","x":"***"}"#,
                vec![22],
            ),
            ("张三6222李四7333", "张三***李四***", vec![6, 15]),
            ("6222", "***", vec![0]),
        ] {
            assert_eq!(masks(was, shown), want, "{was}");
        }
    }
}
