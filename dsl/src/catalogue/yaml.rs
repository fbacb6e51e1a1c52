//! E1000-E1049: a file that cannot be read as YAML, or that would be read as something else than was meant.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
