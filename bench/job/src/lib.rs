//! What a whole job costs: its source and its target, the same job written by hand, and the ledger alone.
//!
//! * [`serve`]: trades by the page, a target that counts what it was sent, both over HTTP on this machine.
//! * [`hand`]: the job as a person would write it, with the engine's three durable writes: a page staged, a batch
//!   claimed before its first byte goes out, and settled.
//! * [`beside`]: the engine and the job by hand, one after the other, with time, processor time and peak memory of each.
//! * [`pages`]: the three writes of a page through the engine's ledger alone.

pub mod beside;
pub mod hand;
pub mod pages;
pub mod serve;
