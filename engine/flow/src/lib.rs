//! The order of everything in one run of one scheme: windows, paging, staging, batching, claim, classification,
//! settlement, resolution.
//!
//! Pure: no I/O, no clock, no async, no values and no bytes. [`Job::step`] takes an instant and an [`Event`] and gives
//! the [`Action`]s to carry out; the shell (`app`, or a simulation) carries them out and reports. Rows, pages and
//! payloads are handles of the shell; ledger work is a list of [`op::LedgerOp`], one transaction each.
//!
//! It promises the order that makes "nothing lost, nothing booked twice" true: a page is staged before its interval
//! closes, a claim is durable before the first byte of a write goes out, a write whose answer was lost is asked about
//! after the quiet period and never blindly repeated. It leaves to others what a row, a request and an answer mean.

pub mod brake;
mod circuit;
pub mod classify;
pub mod codes;
pub mod decision;
mod event;
mod grouper;
pub mod ids;
mod job;
pub mod op;
pub mod point;
mod reader;
mod reading;
mod resolver;
mod retry;
mod settle;
pub mod skew;
mod task;
pub mod timetable;
mod to_read;
mod trouble;
pub mod version;
pub mod window;
mod writer;

pub use brake::Brakes;
pub use circuit::{MAX_UNREACHABLE, PROBE_EVERY, is_gateway};
pub use event::*;
pub use job::{Job, PARTNER_FRESH, reason_of};
pub use reader::{HIGH_WATER, MAX_PAGES, PAGE_TRIES, WINDOW_READINGS};
pub use resolver::GIVE_UP;
pub use retry::Retry;
pub use settle::{MAX_AUTH, MAX_BUSY};
pub use writer::{ASK, PICK};
