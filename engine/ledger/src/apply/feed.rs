//! When rows became visible to those who ask by time.

use flow::ids::{Ms, RecordId};

use super::Cx;
use crate::error::StoreError;
use crate::service::feed::{IS_ROW, IS_SAID, place};

impl Cx<'_> {
    pub(super) fn is_served(&self, scheme: &str) -> Result<bool, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT 1 FROM served WHERE scheme = ?1 AND active = 1")?
            .exists([scheme])?)
    }

    /// The record is to be met by whoever asks for what comes from now on. An entry that nobody can have read yet, and
    /// that is read no later, says so already: its row is read when it is asked for.
    pub(super) fn note_feed(&self, scheme: &str, record: RecordId, now: Ms) -> Result<(), StoreError> {
        for entry in place(self.conn, scheme, now)?.entries() {
            self.conn
                .prepare_cached(&format!(
                    "INSERT INTO feed (scheme, stamp_ms, record, told)
                     SELECT ?1, ?2, r.id, ?5 FROM record r WHERE r.id = ?3 AND {IS_ROW} AND NOT {IS_SAID}"
                ))?
                .execute((scheme, entry.stamp, record.0, entry.behind, entry.told))?;
        }
        Ok(())
    }
}
