//! E3000-E3099: reading from a source.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
