//! Tests of several crates together, and what they share.

pub mod e2e;
pub mod oracle;
pub mod sim;
pub mod tidy;
pub mod trial;
