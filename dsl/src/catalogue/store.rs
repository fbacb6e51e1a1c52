//! E5000-E5099: the ledger and the data directory.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
