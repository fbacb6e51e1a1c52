//! What the language costs: the expressions people write, and the field mapping of the reference record, beside others.
//!
//! Figures are processor time of one thread: warmed up, cut into samples, the median taken. Ratios of one run count, not
//! the nanoseconds of one machine. A mapping whose output differs from the hand-written one has no figure.
//!
//! * [`expressions`]: twelve texts from published schemes.
//! * [`trade`]: the reference record, made from its number.
//! * [`mapping`]: the interface of a mapping, and how outputs are compared; [`ceiling`] is written by hand, [`ours`] is
//!   a scheme by the plain evaluator and [`slots`] the same over slots, [`jinja`] a template. `bench/peers`, a workspace of its own, adds VRL.
//! * [`counted`]: the same under a counter of instructions.

pub mod ceiling;
pub mod counted;
pub mod expressions;
pub mod given;
pub mod jinja;
pub mod mapping;
pub mod measure;
pub mod ours;
pub mod slots;
pub mod table;
pub mod trade;
