//! E4000-E4099: writing to a target.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
