//! The only place that opens a connection to a database.
//!
//! [`Databases::send`] takes one *statement* — SQL text with placeholders, and the values beside it, as JSON — and gives
//! one answer, JSON as well: rows with every digit they have, what was written, or the database's own words of refusal. A
//! [`transport::SendError`] says the rest, and above all whether anything may have happened: a write is one transaction,
//! so that everything before its COMMIT has gone out is proven not to have been executed, and only a COMMIT without
//! an answer is lost.
//!
//! It promises bounds: on time, on rows, on bytes of an answer, on where a connection may go. Values are bound, never
//! written into a text. Connections are kept between calls and looked at before they are used again; nothing is
//! repeated behind the caller's back. What an answer means, and when to try again, are the caller's.
//!
//! | of the database | in JSON |
//! |---|---|
//! | NULL | `null` |
//! | whole numbers, DECIMAL | a number with its digits: `19.90` |
//! | floating point | a number, the shortest text that gives it back; NaN and infinities as text |
//! | BOOLEAN, SQL Server's BIT | `true`, `false`; MySQL and SQLite keep whole numbers there and give `1`, `0` |
//! | date, time, a clock's time without zone | text: `2026-11-20`, `08:15:00`, `2026-11-20 08:15:00.25` |
//! | an instant (`timestamptz`, `datetimeoffset`) | the clock's text in the connection's zone |
//! | BLOB, `bytea`, `varbinary` | text, base64 |
//! | JSON, UUID, texts, enums | text |
//!
//! A folder is asked in the same way ([`Driver::Files`]): its files are read like the pages of a table, and a call that
//! writes is a file that appears whole.

mod answer;
mod cell;
mod exchange;
#[cfg(feature = "files")]
mod files;
mod lines;
#[cfg(feature = "mysql")]
mod mysql;
mod net;
#[cfg(feature = "files")]
mod outbox;
mod pool;
#[cfg(feature = "postgresql")]
mod postgresql;
mod quotes;
mod session;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(feature = "sqlserver")]
mod sqlserver;
mod statement;
#[cfg(test)]
mod tests;

pub use lines::Lines;
pub use pool::{Databases, Driver, Place};
pub use quotes::{QuoteFault, quote_fault};
