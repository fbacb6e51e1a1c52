//! The order in which the rows of published schemes changed, for those who read what changed since they last asked.

use flow::ids::RecordId;
use flow::op::{FromRow, LedgerReply, SuspectKind};
use rusqlite::OptionalExtension as _;

use super::Cx;
use super::record::suspect;
use crate::error::StoreError;

impl Cx<'_> {
    pub(super) fn is_published(&self, scheme: &str) -> Result<bool, StoreError> {
        Ok(self
            .conn
            .prepare_cached("SELECT 1 FROM publication WHERE scheme = ?1")?
            .exists([scheme])?)
    }

    /// The record is the newest change now. A number is given once and never again, so a place in the order stays one.
    /// Doubt stays with the record for those who have not come to where it was there.
    pub(super) fn note_change(
        &self,
        scheme: &str,
        record: RecordId,
        doubt: Option<SuspectKind>,
    ) -> Result<(), StoreError> {
        let before: Option<(Option<String>, Option<i64>)> = self
            .conn
            .prepare_cached("DELETE FROM change WHERE record = ?1 RETURNING doubt, doubted")?
            .query_row([record.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (old, doubted) = before.unwrap_or_default();
        let old = suspect(old);
        let kind = match (old, doubt) {
            // What a life that is forgotten may have taken weighs more than what another tool made.
            (Some(SuspectKind::Restored), _) => old,
            (_, Some(_)) => doubt,
            (_, None) => old,
        };
        self.conn
            .prepare_cached("INSERT INTO change (scheme, record, doubt, doubted) VALUES (?1, ?2, ?3, ?4)")?
            .execute((scheme, record.0, kind.map(SuspectKind::word), doubted))?;
        if doubt.is_some() {
            self.conn
                .prepare_cached("UPDATE change SET doubted = seq WHERE record = ?1")?
                .execute([record.0])?;
        }
        Ok(())
    }

    /// What is in order now may have been taken by a life that is forgotten: the rows of this scheme, and those that it
    /// takes from another one.
    pub(super) fn doubt_changes(&self, scheme: &str) -> Result<(), StoreError> {
        let word = SuspectKind::Restored.word();
        self.conn
            .prepare_cached("UPDATE change SET doubt = ?2, doubted = seq WHERE scheme = ?1")?
            .execute((scheme, word))?;
        self.conn
            .prepare_cached(
                "UPDATE change SET doubt = ?2, doubted = seq WHERE EXISTS (SELECT 1 FROM taking t
                    WHERE t.scheme = ?1 AND t.active = 1 AND t.giver = change.scheme AND t.place < change.seq)",
            )?
            .execute((scheme, word))?;
        Ok(())
    }

    pub(super) fn move_place(
        &self,
        scheme: &str,
        giver: &str,
        from: i64,
        to: i64,
    ) -> Result<LedgerReply, StoreError> {
        let hit = self
            .conn
            .prepare_cached("UPDATE taking SET place = ?4 WHERE scheme = ?1 AND giver = ?2 AND place = ?3")?
            .execute((scheme, giver, from, to))?;
        match hit {
            1 => Ok(LedgerReply::Ok),
            _ => Err(StoreError::Bug(format!(
                "{scheme} has not taken the rows of {giver} up to {from}"
            ))),
        }
    }

    /// The row of another scheme that a record is made of from now on.
    pub(super) fn note_origin(&self, record: RecordId, from: &FromRow) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO origin (record, giver, giver_key) VALUES (?1, ?2, ?3)
                 ON CONFLICT (record) DO UPDATE SET giver = excluded.giver, giver_key = excluded.giver_key
                    WHERE giver <> excluded.giver OR giver_key <> excluded.giver_key",
            )?
            .execute((record.0, &from.scheme, &from.key))?;
        Ok(())
    }
}
