//! E1500-E1599: connector files and connections.

use super::Entry;

/// All entries of this family.
pub const ALL: &[&Entry] = &[];
