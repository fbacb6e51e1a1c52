//! The order in which the rows of published schemes changed, for those who read what changed since they last asked.

use flow::ids::RecordId;

use super::Cx;
use crate::error::StoreError;

impl Cx<'_> {
    pub(super) fn is_published(&self, scheme: &str) -> Result<bool, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT 1 FROM publication WHERE scheme = ?1")?
            .exists([scheme])?)
    }

    /// The record is the newest change now. A number is given once and never again, so a place in the order stays one.
    pub(super) fn note_change(&self, scheme: &str, record: RecordId) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("DELETE FROM change WHERE record = ?1")?
            .execute([record.0])?;
        self.conn
            .prepare_cached("INSERT INTO change (scheme, record) VALUES (?1, ?2)")?
            .execute((scheme, record.0))?;
        Ok(())
    }
}
