//! Scheme text to a checked plan, and the evaluation of one record. No I/O, no async, no clock, no environment.

pub mod builtin;
pub mod catalogue;
pub mod cond;
pub mod cron;
pub mod decimal;
pub mod diagnostic;
pub mod edit;
pub mod expr;
pub mod facts;
pub mod filter;
mod fix;
pub mod ingest;
pub mod json;
pub mod keys;
pub mod layout;
pub mod lines;
mod lists;
pub mod lookup;
mod names;
pub mod object;
pub mod path;
pub mod plan;
pub mod schema;
pub mod scheme;
mod scope;
pub mod target;
pub mod template;
pub mod testing;
pub mod tree;
pub mod two_way;
pub mod value;
pub mod yaml;

pub use diagnostic::{Diagnostic, Facts, Failure, Lang, Severity, SourceFile};
pub use names::SafeName;
pub use path::Path;
pub use value::{Instant, Kind, Map, Number, Value};
