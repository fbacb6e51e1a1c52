//! What a service keeps beside the work of its schemes. No run touches these tables: each method is a transaction of its
//! own, between those of runs.

pub mod access;
pub mod feed;
pub mod fields;
pub mod inbox;
pub mod mapping;
pub mod notices;
pub mod operating;
pub mod publish;
mod retention;
pub mod revisions;
pub mod schedule;
pub mod taking;
pub mod usage;
