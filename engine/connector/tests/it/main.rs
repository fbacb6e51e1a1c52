//! The connector crate from outside: files, calls, answers.

mod allocate;
mod builtin;
mod calls;
mod common;
mod files;
mod injection;
mod logins;
mod receive;
mod schema;
mod standard_channel;
mod verdicts;
mod xml;
