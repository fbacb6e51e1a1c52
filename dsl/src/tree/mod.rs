//! Trees of values: what `request`, `options`, `body`, `derive` and `let` hold, in schemes and connectors alike.
//!
//! A tree is compiled once ([`compile_tree`]), may be laid over another ([`Tree::merge`]), and is evaluated against
//! a [`Scope`] into a [`Sink`]. Evaluation is pure: same tree, scope and look-up results give the same output, and
//! what comes from a record is only ever a value, never read again as text of the language.

mod ask;
mod collect;
mod columns;
mod compile;
mod eval;
mod find;
mod formula;
mod get;
mod make;
mod maker;
mod merge;
mod names;
mod query;
mod sink;
mod slips;
pub(crate) mod term;
mod text;

pub use collect::lookup_keys;
pub use columns::Columns;
pub(crate) use compile::{Around, from_segments, path_of};
pub use compile::{Compile, Schemes, Table, compile_tree};
pub(crate) use eval::{Eval, Flow, Left, Lines, eval_noting, line_key, masked, value_of};
pub use eval::{Evaluated, Scope, Trace, TraceEntry, eval, eval_value};
pub(crate) use formula::Formula;
pub(crate) use get::{gives_null, says_null};
pub use names::TreePlace;
pub use sink::{Mark, Sink, ValueSink, write_value};
pub use term::Tree;
pub(crate) use term::overlap;
