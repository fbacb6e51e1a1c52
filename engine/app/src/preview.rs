//! What a rehearsal would have sent.

use connector::MASK;
use dsl::tree::Trace;
use dsl::value::Value;

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
