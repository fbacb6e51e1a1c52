//! E1200-E1299: values, templates and look-ups in a file.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
