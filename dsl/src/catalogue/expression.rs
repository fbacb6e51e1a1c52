//! E1300-E1399: the expression language, before anything runs.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
