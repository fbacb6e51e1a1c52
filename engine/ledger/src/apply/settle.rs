//! How a send ended, and what the target answered about one whose answer was lost.

use flow::codes;
use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{LedgerReply, Reason, RecordState, Resolution, Settlement, SuspectKind, Unknown, WriteAction};
use rusqlite::params;

use super::claim::NO_KEY;
use super::record::{Cause, Rec, suspect};
use super::{Cx, cut};
use crate::error::{StoreError, reason};

/// How an attempt as a whole ended.
pub(super) struct AttemptEnd<'a> {
    pub(super) outcome: &'a str,
    pub(super) http_status: Option<u16>,
    pub(super) excerpt: Option<&'a str>,
    pub(super) vendor_trace: Option<&'a str>,
}

/// A call that was accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Accepted {
    /// It was the last one.
    pub(super) is_done: bool,
    /// Somebody else may have handed it on.
    pub(super) doubt: Option<SuspectKind>,
}

impl Cx<'_> {
    pub(super) fn settle(
        &mut self,
        attempt: AttemptId,
        end: &AttemptEnd<'_>,
        rows: &[(RecordId, Settlement)],
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut known = self.conn.prepare_cached("SELECT 1 FROM attempt WHERE id = ?1")?;
        if !known.exists([attempt.0])? {
            return Err(StoreError::Bug(format!("settle: no attempt {attempt}")));
        }
        drop(known);
        let task = self.is_task_open(attempt)?;
        self.conn
            .prepare_cached(
                "UPDATE attempt SET ended_ms = ?2, outcome = ?3, http_status = ?4, excerpt = ?5, vendor_trace = ?6,
                        task_until_ms = NULL
                 WHERE id = ?1 AND (ended_ms IS NULL OR task_until_ms IS NOT NULL)",
            )?
            .execute((
                attempt.0,
                now,
                end.outcome,
                end.http_status,
                end.excerpt.map(cut),
                end.vendor_trace.map(cut),
            ))?;
        let mut hit = 0;
        for (record, settlement) in rows {
            let rec = self.record(*record)?;
            let cause = match rec.state() {
                RecordState::Sending => Cause::Settle,
                // Another process heard the end of the task that the one which sent it left.
                RecordState::Unknown if task => Cause::Resolve,
                _ => continue,
            };
            if rec.attempt == Some(attempt) {
                self.settle_row(rec, (attempt, cause), settlement, now)?;
                hit += 1;
            }
        }
        Ok(LedgerReply::Count(hit))
    }

    fn settle_row(
        &mut self,
        mut rec: Rec,
        (attempt, cause): (AttemptId, Cause),
        settlement: &Settlement,
        now: Ms,
    ) -> Result<(), StoreError> {
        let stored = rec.clone();
        let (to, word, why) = match settlement {
            Settlement::Done { .. } => (RecordState::Done, "done", None),
            Settlement::Stepped { .. } => (RecordState::Pending, "done", None),
            Settlement::Dead(why) => (RecordState::Dead, "dead", Some(why)),
            Settlement::Retry { reason, .. } => (RecordState::Pending, "retry", Some(reason)),
            Settlement::Unknown { reason, .. } => (RecordState::Unknown, "unknown", Some(reason)),
            Settlement::Held(why) => (RecordState::Held, "held", Some(why)),
        };
        self.enter(&mut rec, to, cause, now)?;
        rec.reason = why.cloned();
        match settlement {
            Settlement::Done { id, number, lines }
            | Settlement::Stepped {
                id, number, lines, ..
            } => {
                let next = match settlement {
                    Settlement::Stepped { next, .. } => Some(next.as_str()),
                    _ => None,
                };
                self.accept(&mut rec, next.is_none(), Cause::Settle);
                self.written(&mut rec, id.as_ref(), number.as_ref(), next, now)?;
                if let Some(lines) = lines {
                    let lines = self.blob(*lines)?;
                    self.conn
                        .prepare_cached(
                            "INSERT INTO document_lines (record, lines) VALUES (?1, ?2)
                             ON CONFLICT (record) DO UPDATE SET lines = excluded.lines",
                        )?
                        .execute((rec.id.0, lines))?;
                }
            }
            Settlement::Dead(_) => {
                rec.doubted = None;
                self.intended_nothing(&rec)?;
            }
            Settlement::Retry {
                not_before, spend, ..
            } => {
                // This send is proven not to have happened; an earlier one may be in doubt still.
                if !rec.maybe_sent {
                    rec.doubted = None;
                    self.intended_nothing(&rec)?;
                }
                rec.not_before = Some(*not_before);
                rec.attempts += u32::from(*spend);
            }
            Settlement::Unknown { resolve_after, .. } => {
                rec.resolve_after = Some(*resolve_after);
                rec.unknown_since.get_or_insert(now);
            }
            // Nobody proved that it was not executed.
            Settlement::Held(_) => {
                rec.maybe_sent = true;
                self.may_have_made(&rec)?;
            }
        }
        self.conn
            .prepare_cached(
                "UPDATE attempt_row SET settlement = ?3, code = ?4, text = ?5 WHERE attempt = ?1 AND record = ?2",
            )?
            .execute((
                attempt.0,
                rec.id.0,
                word,
                why.map(|why| why.code.as_str()),
                why.map(|why| cut(&why.text)),
            ))?;
        // What waits takes its place, or the other side looks at it: then all of it is written.
        if rec.waiting.is_some() || rec.is_part() || self.pair_of(&rec.scheme)?.is_some() {
            return self.promote(rec, now);
        }
        self.save_changed(&rec, &stored)
    }

    /// What follows from an accepted call may be carried out behind it.
    fn accept(&mut self, rec: &mut Rec, is_done: bool, cause: Cause) {
        let is_found = cause == Cause::Resolve && rec.attempt.is_none() && !rec.maybe_sent;
        let doubt = match rec.handed {
            // The tool that made it has handed it on; a change of it is handed on by us, to a taker that may know nothing.
            Some(SuspectKind::Adopted) if is_found && is_done => Some(SuspectKind::Adopted),
            Some(SuspectKind::Adopted) if is_found || rec.done_version.is_some() => {
                Some(SuspectKind::Restored)
            }
            // It was not there, and is ours.
            Some(SuspectKind::Adopted) => None,
            other => other,
        };
        rec.handed = doubt.filter(|kind| !is_done || *kind == SuspectKind::Adopted);
        self.accepted.insert(rec.id, Accepted { is_done, doubt });
    }

    /// What is kept beside records once they are written.
    pub(super) fn keep(&mut self, rows: &[(RecordId, flow::ids::Blob)]) -> Result<LedgerReply, StoreError> {
        for (record, body) in rows {
            if !self.accepted.contains_key(record) {
                continue;
            }
            let body = self.blob(*body)?;
            self.conn
                .prepare_cached(
                    "INSERT INTO saved (record, body) VALUES (?1, ?2)
                     ON CONFLICT (record) DO UPDATE SET body = excluded.body",
                )?
                .execute((record.0, body))?;
        }
        Ok(LedgerReply::Ok)
    }

    pub(super) fn pick_unknown(
        &mut self,
        scheme: &str,
        now: Ms,
        limit: u32,
    ) -> Result<LedgerReply, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.id, r.action, r.form,
                    CASE WHEN r.step IS NULL THEN r.tkey
                         ELSE coalesce(
                            (SELECT s.tkey FROM step_document s WHERE s.record = r.id AND s.step = r.step),
                            (SELECT a.tkey FROM attempt_row a WHERE a.attempt = r.attempt AND a.record = r.id)) END,
                    r.resolve_misses, r.unknown_since_ms, r.maybe_sent, r.err_code, r.err_text, r.version, r.suspect,
                    r.step, r.doubted_ms,
                    EXISTS (SELECT 1 FROM step_document s WHERE s.record = r.id AND s.step = r.step AND s.said)
             FROM record r
             WHERE r.scheme = ?1 AND r.state = 'unknown' AND r.resolve_after_ms <= ?2
             ORDER BY r.resolve_after_ms, r.id LIMIT ?3",
        )?;
        let mut rows = statement.query((scheme, now, limit))?;
        let mut records = Vec::new();
        while let Some(row) = rows.next()? {
            let record = RecordId(row.get(0)?);
            let action: String = row.get(1)?;
            let tkey: Option<String> = row.get(3)?;
            let since: Option<Ms> = row.get(5)?;
            records.push(Unknown {
                record,
                action: WriteAction::from_word(&action).ok_or_else(|| StoreError::Damaged {
                    what: format!("action `{action}`"),
                })?,
                form: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                tkey: tkey.unwrap_or_else(|| NO_KEY.to_owned()),
                misses: row.get(4)?,
                since: since.unwrap_or(now),
                maybe_sent: row.get(6)?,
                version: row.get(9)?,
                suspect: suspect(row.get(10)?),
                step: row.get(11)?,
                said: row.get(13)?,
                doubted: row.get::<_, Option<Ms>>(12)?.or(since).unwrap_or(now),
                reason: Reason::new(
                    row.get::<_, Option<String>>(7)?.unwrap_or_default(),
                    row.get::<_, Option<String>>(8)?.unwrap_or_default(),
                ),
            });
        }
        let (next_due, total): (Option<Ms>, i64) = self
            .conn
            .prepare_cached(
                "SELECT min(CASE WHEN resolve_after_ms > ?2 THEN resolve_after_ms END), count(*) FROM record
                 WHERE scheme = ?1 AND state = 'unknown'",
            )?
            .query_row((scheme, now), |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(LedgerReply::Unknowns {
            records,
            next_due,
            total: total.unsigned_abs(),
        })
    }

    pub(super) fn resolve(
        &mut self,
        rows: &[(RecordId, Resolution)],
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut hit = 0;
        for (record, resolution) in rows {
            let rec = self.record(*record)?;
            if rec.state() == RecordState::Unknown {
                self.resolve_row(rec, resolution, now)?;
                hit += 1;
            }
        }
        Ok(LedgerReply::Count(hit))
    }

    fn resolve_row(&mut self, mut rec: Rec, resolution: &Resolution, now: Ms) -> Result<(), StoreError> {
        let former = match self.forgotten(&rec, resolution)? {
            Some(held) => Some(held),
            None => self.former_found(&rec, resolution)?,
        };
        let resolution = former.as_ref().unwrap_or(resolution);
        let (to, word, why) = match resolution {
            Resolution::Done { .. } => (RecordState::Done, "done", None),
            Resolution::Stepped { .. } => (RecordState::Pending, "done", None),
            Resolution::Dead(why) => (RecordState::Dead, "dead", Some(why)),
            Resolution::Resend => (RecordState::Pending, "resend", None),
            Resolution::Known { .. } => (RecordState::Pending, "known", None),
            Resolution::Unasked => (RecordState::Pending, "unasked", None),
            Resolution::AskAgain { reason, .. } => (RecordState::Unknown, "ask_again", Some(reason)),
            Resolution::Held(why) => (RecordState::Held, "held", Some(why)),
        };
        self.enter(&mut rec, to, Cause::Resolve, now)?;
        let at_step = rec.step.is_some();
        match resolution {
            Resolution::Done { id, number } => {
                rec.reason = None;
                self.accept(&mut rec, true, Cause::Resolve);
                self.written(&mut rec, id.as_ref(), number.as_ref(), None, now)?;
            }
            Resolution::Stepped { id, number, next } => {
                rec.reason = None;
                self.accept(&mut rec, false, Cause::Resolve);
                self.written(&mut rec, id.as_ref(), number.as_ref(), Some(next), now)?;
            }
            Resolution::Dead(why) => {
                rec.maybe_sent = false;
                rec.doubted = None;
                rec.reason = Some(why.clone());
                self.intended_nothing(&rec)?;
            }
            Resolution::Resend => {
                // It was really sent, and "not there" is an answer about now: the target may still execute it.
                // Whether a suspect was sent is not known: it has used up none of its sends.
                rec.attempts += u32::from(rec.doubtful().is_none());
                if rec.target_id.is_none() {
                    rec.suspect = None;
                }
                rec.maybe_sent = true;
                rec.not_before = None;
            }
            Resolution::Known { id, number } if rec.step.is_some() => {
                self.made_before(&rec, id, number.as_deref(), now)?;
                rec.reason = None;
                rec.not_before = None;
            }
            Resolution::Known { id, number } => {
                self.is_there(&mut rec)?;
                rec.target_id = Some(id.clone());
                rec.target_number = number.clone().or(rec.target_number);
                self.keep_step_doubt(&rec)?;
                rec.suspect = None;
                rec.reason = None;
                rec.not_before = None;
            }
            Resolution::Unasked => rec.not_before = None,
            Resolution::AskAgain { at, missed, reason } => {
                rec.resolve_after = Some(*at);
                rec.misses += u32::from(*missed);
                rec.reason = Some(reason.clone());
            }
            Resolution::Held(why) => {
                // The number was refused because another document has it: nothing of this send was executed, also where
                // nobody could be asked whose that is.
                let unasked = [codes::EXISTS_NOT_FOUND, codes::UNKNOWN_TOO_LONG].contains(&why.code.as_str());
                let refused = why.code == codes::KEY_CONFLICT || unasked && rec.told_it_exists();
                rec.maybe_sent |= !refused;
                rec.reason = Some(why.clone());
            }
        }
        let answered = matches!(
            resolution,
            Resolution::Done { .. }
                | Resolution::Stepped { .. }
                | Resolution::Known { .. }
                | Resolution::Resend
        );
        if at_step && answered {
            // It was about this call. What a life that is forgotten may have made of the others is in `step_doubt`.
            rec.suspect = None;
        }
        self.note_question(&rec, word, why, now)?;
        self.conn
            .prepare_cached(
                "UPDATE attempt_row SET resolution = ?3, resolved_ms = ?4, resolution_code = ?5, resolution_text = ?6
                 WHERE attempt = ?1 AND record = ?2",
            )?
            .execute(params![
                rec.attempt.map(|attempt| attempt.0),
                rec.id.0,
                word,
                now,
                why.map(|why: &Reason| why.code.as_str()),
                why.map(|why| cut(&why.text)),
            ])?;
        self.promote(rec, now)
    }

    /// See [`Cx::forgotten_part`].
    fn forgotten(&self, rec: &Rec, resolution: &Resolution) -> Result<Option<Resolution>, StoreError> {
        let found = match resolution {
            Resolution::Done { .. } | Resolution::Stepped { .. } | Resolution::Known { .. } => true,
            Resolution::Resend => false,
            _ => return Ok(None),
        };
        Ok(self.forgotten_part(rec, found)?.map(Resolution::Held))
    }

    /// A lost create was found as the document that was voided before it: somebody brought that one back, and whether the
    /// new one will come, too, nobody knows.
    fn former_found(&self, rec: &Rec, resolution: &Resolution) -> Result<Option<Resolution>, StoreError> {
        let id = match resolution {
            Resolution::Done { id, .. } | Resolution::Stepped { id, .. } => id.as_ref(),
            _ => None,
        };
        let Some(id) = id.filter(|_| rec.step.is_none() && rec.target_id.is_none()) else {
            return Ok(None);
        };
        if !self.was_voided(rec, id)? {
            return Ok(None);
        }
        let why = self.own_reason(reason::CAME_BACK, &[("id", id.clone())]);
        Ok(Some(Resolution::Held(why)))
    }

    /// The document of the step at which a record stands is there, in a version that nobody knows: the step updates it.
    fn made_before(&self, rec: &Rec, id: &str, number: Option<&str>, now: Ms) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO record_step (record, step, version, target_id, target_number, done_ms)
                 VALUES (?1, ?2, '', ?3, ?4, ?5)
                 ON CONFLICT (record, step) DO UPDATE SET target_id = excluded.target_id,
                    target_number = coalesce(excluded.target_number, target_number)",
            )?
            .execute(params![rec.id.0, rec.step, id, number, now])?;
        Ok(())
    }

    /// A call of the current version was accepted: the document itself, or a further one. With the last of them the
    /// version is at the target.
    pub(super) fn written(
        &mut self,
        rec: &mut Rec,
        id: Option<&String>,
        number: Option<&String>,
        next: Option<&str>,
        now: Ms,
    ) -> Result<(), StoreError> {
        let made = rec.step.take();
        if let Some(step) = &made {
            self.conn
                .prepare_cached("UPDATE step_document SET said = 0 WHERE record = ?1 AND step = ?2 AND said")?
                .execute((rec.id.0, step))?;
        }
        rec.step = next.map(str::to_owned);
        rec.maybe_sent = false;
        rec.doubted = None;
        rec.attempts = 0;
        rec.not_before = None;
        if next.is_none() {
            rec.done_version = Some(rec.version.clone());
            rec.done_ms = Some(now);
        } else if made.is_none() {
            // What was done before is not there any more, and this version is not done yet.
            rec.done_version = None;
        }
        if made.is_some() || next.is_some() {
            self.conn
                .prepare_cached(
                    "INSERT INTO record_step (record, step, version, target_id, target_number, done_ms)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                     ON CONFLICT (record, step) DO UPDATE SET version = excluded.version,
                        target_id = coalesce(excluded.target_id, target_id),
                        target_number = coalesce(excluded.target_number, target_number), done_ms = excluded.done_ms",
                )?
                .execute(params![
                    rec.id.0,
                    made.as_deref().unwrap_or_default(),
                    rec.version,
                    id,
                    number,
                    now
                ])?;
        }
        if made.is_none() {
            // With the document, and not with the last step: what the partner writes in between is newer.
            self.took_over(rec)?;
            self.wrote(rec)?;
        }
        if made.is_some() {
            // What a further call wrote is not the record's document.
            return Ok(());
        }
        rec.target_id = id.cloned().or(rec.target_id.take());
        rec.target_number = number.cloned().or(rec.target_number.take());
        if !rec.void {
            // That one is void says nothing about what may have been made in its place.
            self.keep_step_doubt(rec)?;
            rec.suspect = None;
        }
        self.map_written(rec, now)
    }
}
