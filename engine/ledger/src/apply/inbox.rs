//! What other systems send: stored before it is answered, taken in the transaction that stages its rows.

use flow::ids::{Ms, PushId, RecordId, RunId};
use flow::op::{LedgerReply, NewPush, Stored, SuspectKind};
use rusqlite::OptionalExtension as _;

use super::{Cx, integer, length};
use crate::error::StoreError;
use crate::service::inbox::{REPEATED_FOR, last_push};

impl Cx<'_> {
    /// A row that a record gives another scheme, where this transaction has made it done.
    pub(super) fn give(
        &mut self,
        giver: RecordId,
        scheme: &str,
        push: &NewPush,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let accepted = self.accepted.get(&giver).copied();
        let Some(accepted) = accepted.filter(|accepted| accepted.is_done) else {
            return Ok(LedgerReply::Ok);
        };
        match accepted.doubt {
            // The tool that made it has handed it on.
            Some(SuspectKind::Adopted) => Ok(LedgerReply::Ok),
            doubt => self.store_push(scheme, push, doubt, now),
        }
    }

    pub(super) fn store_push(
        &mut self,
        scheme: &str,
        push: &NewPush,
        doubt: Option<SuspectKind>,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        if let Some(known) = self.known_push(scheme, push, now)? {
            // It is told, never taken again: what was answered before is in the ledger.
            self.conn
                .prepare_cached("UPDATE push SET repeats = repeats + 1, repeated_ms = ?2 WHERE id = ?1")?
                .execute((known.0, now))?;
            return Ok(LedgerReply::Pushed(Stored::Repeated(known)));
        }
        if let Some(behind) = push.creates
            && self.has_pushed(scheme, &push.sender, behind)?
        {
            return Ok(LedgerReply::Pushed(Stored::Taken));
        }
        let (rows, bytes): (i64, i64) = self
            .conn
            .prepare_cached("SELECT n_rows, bytes FROM inbox WHERE scheme = ?1")?
            .query_row([scheme], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .unwrap_or_default();
        let content = self.blob(push.content)?;
        let size = length(content.0.len());
        let full = rows.unsigned_abs().saturating_add(u64::from(push.rows)) > push.most_rows
            || bytes.unsigned_abs().saturating_add(size) > push.most_bytes;
        // One push alone is always taken, however large: it could never come otherwise.
        if full && (rows, bytes) != (0, 0) {
            return Ok(LedgerReply::Pushed(Stored::Full));
        }
        self.conn
            .prepare_cached(
                "INSERT INTO push (scheme, sender, hash, void, n_rows, bytes, arrived_ms, state, content, back, doubt)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting', ?8, ?2 <> '' AND EXISTS (SELECT 1 FROM push
                    WHERE scheme = ?1 AND sender = ?2 AND hash = ?3 AND (state = 'waiting' OR arrived_ms >= ?9)), ?10)",
            )?
            .execute((
                scheme,
                &push.sender,
                &push.hash[..],
                push.void,
                push.rows,
                integer(size),
                now,
                content,
                now.saturating_sub(REPEATED_FOR),
                doubt.map(SuspectKind::word),
            ))?;
        let id = PushId(self.conn.last_insert_rowid());
        self.conn
            .prepare_cached(
                "INSERT INTO inbox (scheme, pushes, n_rows, bytes) VALUES (?1, 1, ?2, ?3)
                 ON CONFLICT (scheme) DO UPDATE SET pushes = pushes + 1, n_rows = n_rows + excluded.n_rows,
                    bytes = bytes + excluded.bytes",
            )?
            .execute((scheme, push.rows, integer(size)))?;
        Ok(LedgerReply::Pushed(Stored::New(id)))
    }

    /// The push that this one is again, if it is known: the last one about the same thing, or, where it says of nothing
    /// what it is about or can come once only, any; but what was cancelled since may be made once more. One that was taken
    /// and came too long ago is not known any more, given up or not: who gives it up is late where nothing runs.
    fn known_push(&self, scheme: &str, push: &NewPush, now: Ms) -> Result<Option<PushId>, StoreError> {
        let question = if push.sender.is_empty() || push.creates.is_some() {
            "SELECT id FROM push p WHERE scheme = ?1 AND sender = ?2 AND hash = ?3 AND id > ?5
                AND (state = 'waiting' OR arrived_ms >= ?4)
                AND NOT EXISTS (SELECT 1 FROM push v WHERE v.scheme = p.scheme AND v.sender = p.sender
                    AND p.sender <> '' AND v.sender <> '' AND v.id > p.id AND v.void <> 0)
             ORDER BY id DESC LIMIT 1"
        } else {
            "SELECT id FROM (SELECT id, hash, state, arrived_ms FROM push
                    WHERE scheme = ?1 AND sender = ?2 AND sender <> '' ORDER BY id DESC LIMIT 1)
                WHERE id > ?5 AND hash = ?3 AND (state = 'waiting' OR arrived_ms >= ?4)"
        };
        let since = now.saturating_sub(REPEATED_FOR);
        let behind = push.creates.unwrap_or(PushId(0));
        Ok(self
            .conn
            .prepare_cached(question)?
            .query_row((scheme, &push.sender, &push.hash[..], since, behind.0), |row| {
                row.get(0)
            })
            .optional()?
            .map(PushId))
    }

    /// Whether something about this waits, or was taken not long ago, that came behind a push and does not say that it was
    /// cancelled.
    fn has_pushed(&self, scheme: &str, sender: &str, behind: PushId) -> Result<bool, StoreError> {
        Ok(last_push(self.conn, scheme, sender)?.is_some_and(|last| last.id > behind && !last.void))
    }

    pub(super) fn count_pushes(&self, scheme: &str) -> Result<LedgerReply, StoreError> {
        let waiting: Option<i64> = self
            .conn
            .prepare_cached("SELECT pushes FROM inbox WHERE scheme = ?1")?
            .query_row([scheme], |row| row.get(0))
            .optional()?;
        let behind = crate::service::taking::behind(self.conn, scheme)?;
        Ok(LedgerReply::Waiting(
            waiting.unwrap_or_default().unsigned_abs() + behind,
        ))
    }

    pub(super) fn take_pushes(
        &self,
        run: RunId,
        scheme: &str,
        pushes: &[PushId],
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut take = self.conn.prepare_cached(
            "UPDATE push SET state = 'staged', run = ?3, staged_ms = ?4, content = NULL
             WHERE id = ?1 AND scheme = ?2 AND state = 'waiting' RETURNING n_rows, bytes",
        )?;
        let mut gone = self.conn.prepare_cached(
            "UPDATE inbox SET pushes = pushes - 1, n_rows = n_rows - ?2, bytes = bytes - ?3 WHERE scheme = ?1",
        )?;
        for push in pushes {
            let taken: Option<(i64, i64)> = take
                .query_row((push.0, scheme, run.0, now), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((rows, bytes)) = taken else {
                return Err(StoreError::Bug(format!("push {push} of {scheme} does not wait")));
            };
            gone.execute((scheme, rows, bytes))?;
        }
        Ok(LedgerReply::Ok)
    }
}
