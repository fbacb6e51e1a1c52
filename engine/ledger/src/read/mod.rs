//! Questions to the ledger, on connections apart from the writer.

mod adoption;
mod audit;
mod counts;
mod find;
mod list;
mod mapping;
mod pool;
mod show;
mod sighted;
mod story;
mod waiting;

pub use adoption::AlikeRow;
pub use audit::{AuditFilter, AuditRow};
pub(crate) use counts::{closed_intervals, count_run, states};
pub use find::{AttemptMark, Found, SourceRow, StepMade, StoredRow};
pub(crate) use find::{IS_VOIDED, optional_bytes};
pub use list::{HiddenOf, RecordFilter, RecordRow, RunFilter, RunRow, SchemeRow};
pub(crate) use list::{hidden_name, hidden_text, one_key};
pub(crate) use mapping::list_text;
pub use mapping::{From as MappedFrom, Mapped, MappedRow, MappingFilter};
pub use pool::Reader;
pub use show::{
    AttemptRow, InDocument, MOST_MEMBERS, MemberRow, RecordLife, RunLife, SightingRow, StepRow, WindowRow,
};
pub use sighted::Sighted;
pub use story::{MappingRow, QuestionRow, WriteRow};
pub use waiting::WaitingRow;
