//! E7000-E7099: credentials, sessions and secrets.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
