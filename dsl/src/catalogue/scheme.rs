//! E1100-E1199: the keys of a scheme file.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
