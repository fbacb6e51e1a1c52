//! Hostile texts for the language: what is fed with them, how they are made, and what they may cost.
//!
//! Three doors take text from people: a template, an expression, a scheme file ([`Target`]). Each input goes all the
//! way a text of a scheme goes (read, compile, draw every problem in both languages, and evaluate over a few rows when
//! nothing is wrong), and must neither panic nor take longer than [`Limits::default`] says.
//!
//! Inputs come from libFuzzer where a C++ compiler is there (`src/guided.rs`, coverage counted by the stable compiler's
//! own instrumentation), with [`mutate`] as its second hand, or from [`mutate`] alone, which knows the tokens of the
//! language but not what they reach. Texts that once went wrong are kept in `tests/corpus/fuzz/`.

pub mod bombs;
pub mod corpus;
pub mod judge;
pub mod minimise;
pub mod mutate;
pub mod pairs;
pub mod report;
mod rng;
mod rows;
pub mod seeds;
pub mod target;
mod world;

pub use judge::{Figures, Judge, Limits, Offence, cpu, peak_kib};
pub use rng::Rng;
pub use target::{Reached, Target};
pub use world::World;
