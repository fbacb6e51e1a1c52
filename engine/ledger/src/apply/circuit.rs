//! What is remembered of a target that could not be reached, or asked for a pause.

use flow::ids::Ms;
use flow::op::LedgerReply;
use rusqlite::OptionalExtension;

use super::Cx;
use crate::error::StoreError;

impl Cx<'_> {
    pub(super) fn read_circuit(&self, target: &str) -> Result<LedgerReply, StoreError> {
        let found = self
            .conn
            .prepare_cached("SELECT failures, until_ms FROM circuit WHERE target = ?1")?
            .query_row([target], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let (failures, until) = found.unwrap_or((0, 0));
        Ok(LedgerReply::Circuit { failures, until })
    }

    pub(super) fn set_circuit(
        &self,
        target: &str,
        failures: u32,
        until: Ms,
    ) -> Result<LedgerReply, StoreError> {
        if failures == 0 && until == 0 {
            self.conn
                .prepare_cached("DELETE FROM circuit WHERE target = ?1")?
                .execute([target])?;
        } else {
            self.conn
                .prepare_cached(
                    "INSERT INTO circuit (target, failures, until_ms) VALUES (?1, ?2, ?3)
                     ON CONFLICT (target) DO UPDATE SET failures = excluded.failures, until_ms = excluded.until_ms",
                )?
                .execute((target, failures, until))?;
        }
        Ok(LedgerReply::Ok)
    }
}
