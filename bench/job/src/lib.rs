//! What a whole job costs: its source and its target, the same job written by hand, and the ledger alone.

pub mod pages;
