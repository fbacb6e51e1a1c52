//! The connector crate from outside: files, calls, answers.

mod builtin;
mod calls;
mod common;
mod files;
mod injection;
mod schema;
mod verdicts;
