//! Calls that the target took on as tasks.

use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{LedgerReply, TaskLeft, TaskRow, WriteAction};

use super::{Cx, integer, length};
use crate::error::StoreError;

impl Cx<'_> {
    pub(super) fn note_task(
        &self,
        attempt: AttemptId,
        task: &str,
        group: u64,
        until: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let hit = self
            .conn
            .prepare_cached(
                "UPDATE attempt SET task = ?2, task_group = ?3, task_until_ms = ?4
                 WHERE id = ?1 AND ended_ms IS NULL AND task IS NULL",
            )?
            .execute((attempt.0, task, integer(group), until))?;
        if hit == 1 {
            Ok(LedgerReply::Ok)
        } else {
            Err(StoreError::Bug(format!("attempt {attempt} cannot become a task")))
        }
    }

    /// Whether the end of an attempt's task is still to come.
    pub(super) fn is_task_open(&self, attempt: AttemptId) -> Result<bool, StoreError> {
        let mut open = self
            .conn
            .prepare_cached("SELECT 1 FROM attempt WHERE id = ?1 AND task_until_ms IS NOT NULL")?;
        Ok(open.exists([attempt.0])?)
    }

    pub(super) fn pick_tasks(&self, scheme: &str, now: Ms) -> Result<LedgerReply, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT DISTINCT a.id, a.task, a.task_group, a.task_until_ms, a.n_rows
             FROM record r JOIN attempt a ON a.id = r.attempt
             WHERE r.scheme = ?1 AND r.state = 'unknown' AND a.task_until_ms > ?2 ORDER BY a.id",
        )?;
        let mut found = statement.query((scheme, now))?;
        let mut tasks = Vec::new();
        while let Some(row) = found.next()? {
            let attempt = AttemptId(row.get(0)?);
            let sent: i64 = row.get(4)?;
            let rows = self.task_rows(attempt)?;
            // An answer tells its records by their places in the call: all of them, or none.
            if integer(length(rows.len())) == rusqlite::types::Value::Integer(sent) {
                tasks.push(TaskLeft {
                    attempt,
                    task: row.get(1)?,
                    group: row.get::<_, i64>(2)?.cast_unsigned(),
                    until: row.get(3)?,
                    rows,
                });
            }
        }
        Ok(LedgerReply::Tasks(tasks))
    }

    /// The records of a call that are as it left them.
    fn task_rows(&self, attempt: AttemptId) -> Result<Vec<TaskRow>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.id, r.version, a.action, a.step, a.form, a.tkey, r.void, r.target_id IS NOT NULL
             FROM attempt_row a JOIN record r ON r.id = a.record
             WHERE a.attempt = ?1 AND r.attempt = ?1 AND r.state = 'unknown' AND r.suspect IS NULL
               AND r.version = a.version AND r.step IS a.step AND a.resolution IS NULL
             ORDER BY a.id",
        )?;
        let mut found = statement.query([attempt.0])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let action: String = row.get(2)?;
            rows.push(TaskRow {
                record: RecordId(row.get(0)?),
                version: row.get(1)?,
                action: WriteAction::from_word(&action).ok_or_else(|| StoreError::Damaged {
                    what: format!("action `{action}`"),
                })?,
                step: row.get(3)?,
                form: row.get(4)?,
                tkey: row.get(5)?,
                void: row.get(6)?,
                has_target: row.get(7)?,
            });
        }
        Ok(rows)
    }
}
