//! What answers are made of. A value of a record is kept as it was written: digits are never read as floats.

mod record;
mod run;

use app::query;
use dsl::Lang;
use flow::op::{Counts, Reason};
use flow::window::Interval;
use ledger::read::AuditRow;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

pub(crate) use record::{AttemptDoc, RecordDoc, RecordList, StoryDoc};
pub(crate) use run::{RunDoc, RunLifeDoc, RunList};

use crate::time;

/// Rows are counted no further.
pub(crate) const COUNTED: u32 = 10_000;

/// JSON as it is stored.
pub(crate) type Raw = Box<RawValue>;

/// Stored bytes as the JSON they are; what cannot be read is shown as text.
pub(crate) fn raw(bytes: &[u8]) -> Option<Raw> {
    let text = match dsl::json::parse(bytes) {
        Ok(value) => dsl::json::to_string(&value),
        Err(_) => serde_json::to_string(&String::from_utf8_lossy(bytes)).ok()?,
    };
    RawValue::from_string(text).ok()
}

/// A value as JSON.
pub(crate) fn raw_value(value: &dsl::Value) -> Option<Raw> {
    RawValue::from_string(dsl::json::to_string(value)).ok()
}

/// A list of things, and how it goes on.
macro_rules! list {
    ($(#[$about:meta])* $name:ident, $item:ty) => {
        $(#[$about])*
        #[derive(Debug, serde::Serialize, utoipa::ToSchema)]
        pub(crate) struct $name {
            /// A page of them.
            pub(crate) items: Vec<$item>,
            /// The cursor of the next page; null = this is the last.
            pub(crate) next: Option<String>,
            /// How many there are on all pages, counted to 10000.
            pub(crate) total: u32,
            /// Whether there are more than `total`.
            pub(crate) more: bool,
        }

        impl $name {
            /// From a count that may go one beyond the bound.
            pub(crate) fn new(items: Vec<$item>, next: Option<String>, counted: u32) -> Self {
                $name {
                    items,
                    next,
                    total: counted.min($crate::document::COUNTED),
                    more: counted > $crate::document::COUNTED,
                }
            }

            /// All of them on one page.
            #[allow(dead_code, reason = "not every list is short")]
            pub(crate) fn whole(items: Vec<$item>) -> Self {
                let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
                $name::new(items, None, count)
            }
        }
    };
}
pub(crate) use list;

/// Why something is as it is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reason)]
pub(crate) struct ReasonDoc {
    /// The code: `engine explain CODE` tells more.
    pub(crate) code: String,
    /// In the language asked for, where it was kept as facts.
    pub(crate) message: String,
}

impl ReasonDoc {
    pub(crate) fn of(reason: Option<&Reason>, lang: Lang) -> Option<Self> {
        reason.map(|reason| ReasonDoc {
            code: reason.code.clone(),
            message: query::sentence_of(reason, lang),
        })
    }
}

/// A stretch of time, half open.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Interval)]
pub(crate) struct IntervalDoc {
    /// Its first instant.
    #[schema(format = DateTime)]
    pub(crate) from: String,
    /// The instant behind its last.
    #[schema(format = DateTime)]
    pub(crate) to: String,
}

impl From<Interval> for IntervalDoc {
    fn from(interval: Interval) -> Self {
        IntervalDoc {
            from: time::text(interval.from),
            to: time::text(interval.to),
        }
    }
}

/// Sightings of a run by what became of them: `fetched` is the sum of `done`, `dead`, `held`, `skipped`, `pending`,
/// `sending` and `unknown`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Counts)]
pub(crate) struct CountsDoc {
    fetched: u64,
    done: u64,
    dead: u64,
    held: u64,
    skipped: u64,
    pending: u64,
    sending: u64,
    unknown: u64,
    unchanged: u64,
    superseded: u64,
    filtered: u64,
}

impl From<&Counts> for CountsDoc {
    fn from(counts: &Counts) -> Self {
        CountsDoc {
            fetched: counts.fetched,
            done: counts.done,
            dead: counts.dead,
            held: counts.held,
            skipped: counts.skipped,
            pending: counts.pending,
            sending: counts.sending,
            unknown: counts.unknown,
            unchanged: counts.unchanged,
            superseded: counts.superseded,
            filtered: counts.filtered,
        }
    }
}

/// Records of a scheme by state.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = States)]
pub(crate) struct StatesDoc {
    pending: u64,
    sending: u64,
    done: u64,
    unknown: u64,
    dead: u64,
    held: u64,
    skipped: u64,
}

impl From<[u64; 7]> for StatesDoc {
    fn from(counts: [u64; 7]) -> Self {
        let of = |wanted: flow::op::RecordState| {
            let all = flow::op::RecordState::ALL.iter().zip(counts);
            all.filter(|(state, _)| **state == wanted)
                .map(|(_, count)| count)
                .sum()
        };
        use flow::op::RecordState::{Dead, Done, Held, Pending, Sending, Skipped, Unknown};
        StatesDoc {
            pending: of(Pending),
            sending: of(Sending),
            done: of(Done),
            unknown: of(Unknown),
            dead: of(Dead),
            held: of(Held),
            skipped: of(Skipped),
        }
    }
}

/// A note of who decided what and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditNote)]
pub(crate) struct AuditDoc {
    /// Its number; it grows.
    id: i64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who: an account, a user or a token.
    who: String,
    /// What kind of decision: `skip`, `restore` ...
    action: String,
    /// The scheme it is about.
    scheme: Option<String>,
    /// The number of the record it is about.
    record: Option<i64>,
    /// The key of that record.
    #[schema(value_type = Option<Vec<String>>)]
    key: Option<Raw>,
    /// What exactly.
    what: String,
    /// Why.
    reason: String,
}

impl AuditDoc {
    pub(crate) fn of(row: &AuditRow) -> Self {
        AuditDoc {
            id: row.id,
            at: time::text(row.at),
            who: row.note.who.clone(),
            action: row.note.action.clone(),
            scheme: row.note.scheme.clone(),
            record: row.note.record.map(|record| record.0),
            key: row.key.as_deref().and_then(|key| raw(key.as_bytes())),
            what: row.note.what.clone(),
            reason: row.note.reason.clone(),
        }
    }
}

list! {
    /// Notes of who decided what and why, newest first.
    AuditList, AuditDoc
}
