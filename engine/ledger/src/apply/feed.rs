//! When rows became visible to those who ask by time.

use flow::ids::{Ms, RecordId};

use super::Cx;
use crate::error::StoreError;
use crate::service::feed::{IS_ROW, stamp_of};

impl Cx<'_> {
    pub(super) fn is_served(&self, scheme: &str) -> Result<bool, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT 1 FROM served WHERE scheme = ?1 AND active = 1")?
            .exists([scheme])?)
    }

    /// The record is to be met by whoever asks for what comes from now on. An entry that nobody can have read yet says so
    /// already: its row is read when it is asked for.
    pub(super) fn note_feed(&self, scheme: &str, record: RecordId, now: Ms) -> Result<(), StoreError> {
        let (floor, stamp) = stamp_of(self.conn, scheme, now)?;
        self.conn
            .prepare_cached(&format!(
                "INSERT INTO feed (scheme, stamp_ms, record)
                 SELECT ?1, ?2, r.id FROM record r WHERE r.id = ?3 AND {IS_ROW}
                   AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.record = r.id AND f.stamp_ms >= ?4)"
            ))?
            .execute((scheme, stamp, record.0, floor))?;
        Ok(())
    }
}
