//! E2000-E2099: what can go wrong with one record.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
