//! Which records are next, those that are not sent, and the claim that must be durable before the first byte.

use flow::codes;
use flow::ids::{AttemptId, Ms, RecordId, RunId};
use flow::op::{ClaimRefused, ClaimRow, LedgerReply, Picked, RecordState, Refusal, WAIT_GAP, WriteAction};
use rusqlite::{OptionalExtension, params};

use super::record::{Cause, Rec, TargetKey};
use super::{Cx, integer};
use crate::error::{StoreError, reason};

/// How a target key without parts is written.
pub(crate) const NO_KEY: &str = "[]";

/// A send that may have been executed, for all that is known. "Not there" of the target is an answer about an instant;
/// "exists" is a refusal, whoever made the document that is there.
pub(crate) fn in_doubt() -> String {
    format!(
        "settlement IN ('unknown', 'held') AND code IS NOT '{}'
            AND coalesce(resolution, '') NOT IN ('done', 'dead', 'person_done', 'person_not_there')",
        codes::EXISTS
    )
}

impl Cx<'_> {
    /// A pending record whose key is frozen is the only one with that key (unique index), so none of them can have
    /// another record sending or unknown under its key; a key not frozen yet is looked at by the claim.
    pub(super) fn pick(
        &mut self,
        scheme: &str,
        now: Ms,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<LedgerReply, StoreError> {
        if let Some(pair) = self.pair_of(scheme)? {
            self.weigh(&pair, scheme, now, after, limit)?;
        }
        let alone = !self.gathers(scheme)?;
        let mut statement = self.conn.prepare_cached(
            "SELECT id, version, void, target_id IS NOT NULL, attempts, maybe_sent, step, doubted_ms FROM record
             WHERE scheme = ?1 AND state = 'pending' AND id > ?2 AND (bundle = id OR bundle IS NULL AND (?5 OR maybe_sent <> 0 OR target_id IS NOT NULL
                    OR done_version IS NOT NULL OR step IS NOT NULL))
               AND (not_before_ms IS NULL OR not_before_ms <= ?3)
             ORDER BY id LIMIT ?4",
        )?;
        let records: Vec<Picked> = statement
            .query_map(
                (scheme, after.map_or(0, |after| after.0), now, limit, alone),
                |row| {
                    Ok(Picked {
                        record: RecordId(row.get(0)?),
                        version: row.get(1)?,
                        void: row.get(2)?,
                        has_target: row.get(3)?,
                        attempts: row.get(4)?,
                        maybe_sent: row.get(5)?,
                        step: row.get(6)?,
                        doubted: row.get(7)?,
                    })
                },
            )?
            .collect::<Result<_, _>>()?;
        if let (Some(first), Some(last)) = (records.first(), records.last()) {
            // What is made of them from now on knows what people said so far.
            self.conn
                .prepare_cached(
                    "UPDATE record SET retargeted = 0
                     WHERE scheme = ?1 AND retargeted <> 0 AND id BETWEEN ?2 AND ?3",
                )?
                .execute((scheme, first.record.0, last.record.0))?;
        }
        let next_due = self
            .conn
            .prepare_cached(
                "SELECT min(not_before_ms) FROM record
                 WHERE scheme = ?1 AND state = 'pending' AND not_before_ms > ?2",
            )?
            .query_row((scheme, now), |row| row.get(0))?;
        Ok(LedgerReply::Picked { records, next_due })
    }

    pub(super) fn refuse(
        &mut self,
        rows: &[(RecordId, String, Refusal)],
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut hit = 0;
        for (record, version, refusal) in rows {
            let mut rec = self.record(*record)?;
            if rec.state() != RecordState::Pending || rec.version != *version {
                continue;
            }
            let (to, why, not_before) = match refusal {
                Refusal::Dead(why) => (RecordState::Dead, why, None),
                Refusal::Held(why) => (RecordState::Held, why, None),
                Refusal::Skipped(why) => (RecordState::Skipped, why, None),
                Refusal::Later { not_before, reason } => (RecordState::Pending, reason, Some(*not_before)),
            };
            self.enter(&mut rec, to, Cause::Refuse, now)?;
            rec.reason = Some(why.clone());
            if not_before.is_some() {
                rec.waits_since.get_or_insert(now);
                let gap = rec.tried.map_or(0, |tried| (now - tried).clamp(0, WAIT_GAP));
                rec.waited += gap;
                rec.tried = Some(now);
            }
            rec.not_before = not_before;
            self.promote(rec, now)?;
            hit += 1;
        }
        Ok(LedgerReply::Count(hit))
    }

    pub(super) fn adopt(
        &mut self,
        rows: &[(RecordId, String, Option<String>)],
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut hit = 0;
        for (record, id, number) in rows {
            let mut rec = self.record(*record)?;
            // What a person said meanwhile counts more than what was found.
            if rec.state() != RecordState::Pending || rec.retargeted {
                continue;
            }
            self.is_there(&mut rec)?;
            if rec.target_id.as_ref().is_some_and(|known| known != id) {
                self.leave_lines(&rec)?;
                rec.target_number = None;
            }
            rec.target_id = Some(id.clone());
            rec.target_number = number.clone().or(rec.target_number);
            self.keep_step_doubt(&rec)?;
            rec.suspect = None;
            rec.changed = now;
            self.save(&rec)?;
            hit += 1;
        }
        Ok(LedgerReply::Count(hit))
    }

    pub(super) fn claim(
        &mut self,
        run: RunId,
        target: &str,
        rows: &[ClaimRow],
        resolve_after: Ms,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut attempt = None;
        let (mut claimed, mut refused) = (0, Vec::new());
        for row in rows {
            let mut rec = self.record(row.record)?;
            let stored = rec.clone();
            if rec.state() != RecordState::Pending || rec.version != row.version || rec.step != row.step {
                refused.push((row.record, ClaimRefused::Stale));
                continue;
            }
            if self.is_no_document(&rec)? {
                // It became a row of a document since it was picked.
                refused.push((row.record, ClaimRefused::Stale));
                continue;
            }
            if !row.wrote.is_empty() && self.pair_of(&rec.scheme)?.is_none() {
                // Its plan was one of a pair when the run began, and the pair was taken away since: nothing guards the
                // other side any more.
                refused.push((row.record, ClaimRefused::Stale));
                continue;
            }
            if rec.retargeted {
                // The document was made before a person said which one it is: it would be a second one, or the wrong one.
                refused.push((row.record, ClaimRefused::Stale));
                continue;
            }
            if let Some(kind) = rec.doubtful() {
                // The wall: whatever brought it back to pending, it is not sent before the target was asked.
                self.doubt(&mut rec, kind, now, now)?;
                self.save(&rec)?;
                refused.push((row.record, ClaimRefused::Stale));
                continue;
            }
            if row.action == WriteAction::Create
                && row.step.is_none()
                && rec.target_id.is_some()
                && self.is_voided(&rec)?
                && self.pair_of(&rec.scheme)?.is_none()
            {
                // Nothing is left of the one that was voided: from here on it is a record that was never written, and what
                // guards a first create guards this one.
                self.leave_voided(&mut rec, now)?;
                if let Some(kind) = rec.doubtful() {
                    // A life that the ledger has forgotten may have come this far.
                    let ask_after = self.ask_after(&rec.scheme, now)?;
                    self.doubt(&mut rec, kind, ask_after, now)?;
                    self.save(&rec)?;
                    refused.push((row.record, ClaimRefused::Stale));
                    continue;
                }
            }
            let wanted = TargetKey::of(connection_of(target), &row.form, &row.tkey);
            if row.step.is_none() && !self.agrees_with_mapping(&mut rec, &wanted, now)? {
                refused.push((row.record, ClaimRefused::Stale));
                continue;
            }
            // A further call names its own document, or none: the record's key stays what it is.
            if row.step.is_none()
                && let Some(holder) = self.freeze_key(&mut rec, wanted, Cause::Claim, now)?
            {
                refused.push((row.record, ClaimRefused::KeyTaken { holder }));
                continue;
            }
            if let Some(step) = &row.step
                && matches!(row.action, WriteAction::Create | WriteAction::Update)
            {
                let wanted = TargetKey::of(connection_of(target), &row.form, &row.tkey);
                if let Some(why) = self.claim_step(&mut rec, step, (&wanted, row.action), now)? {
                    refused.push((row.record, why));
                    continue;
                }
            }
            // What the other side, or a row of the document, looks at is written whole.
            let is_followed = rec.is_part() || self.pair_of(&rec.scheme)?.is_some();
            if is_followed {
                self.save_target(&rec)?;
            }
            if !self.may_be_claimed(&rec, now)? {
                refused.push((row.record, ClaimRefused::Stale));
                continue;
            }
            let attempt = match attempt {
                Some(attempt) => attempt,
                None => *attempt.insert(self.insert_attempt(run, target, now)?),
            };
            self.enter(&mut rec, RecordState::Sending, Cause::Claim, now)?;
            rec.attempt = Some(attempt);
            rec.action = Some(row.action);
            rec.resolve_after = Some(resolve_after);
            rec.not_before = None;
            rec.doubted.get_or_insert(now);
            match is_followed {
                true => self.save(&rec)?,
                false => self.save_changed(&rec, &stored)?,
            }
            self.insert_attempt_row(attempt, &rec, row)?;
            self.intends(&rec, row, attempt)?;
            claimed += 1;
        }
        if let Some(attempt) = attempt {
            self.conn
                .prepare_cached("UPDATE attempt SET n_rows = ?2 WHERE id = ?1")?
                .execute((attempt.0, integer(claimed)))?;
        }
        Ok(LedgerReply::Claimed { attempt, refused })
    }

    /// The key of the document of a step is frozen, and the target is asked first where somebody else may have made it.
    fn claim_step(
        &mut self,
        rec: &mut Rec,
        step: &str,
        (wanted, action): (&TargetKey, WriteAction),
        now: Ms,
    ) -> Result<Option<ClaimRefused>, StoreError> {
        let known = self.step_document(rec.id, step)?;
        if let Some((known, _)) = known.as_ref().filter(|(known, _)| known != wanted)
            && (self.is_step_made(rec.id, step)? || self.may_be_made(rec.id, step)?)
        {
            let why = self.own_reason(
                reason::KEY_CHANGED,
                &[("old", key_and_place(known)), ("new", key_and_place(wanted))],
            );
            let own_key = rec.key.clone();
            self.hold(rec, why, Cause::Claim, now)?;
            return Ok(Some(ClaimRefused::KeyTaken { holder: own_key }));
        }
        if wanted.tkey.is_some() {
            let holder = match self.holder_of_step(wanted, rec.id, step)? {
                Some(holder) => Some(holder),
                None => self.holder(wanted, RecordId(0))?,
            };
            if let Some(holder) = holder {
                let why = self.own_reason(reason::KEY_TAKEN, &[("holder", holder.clone())]);
                self.hold(rec, why, Cause::Claim, now)?;
                return Ok(Some(ClaimRefused::KeyTaken { holder }));
            }
        }
        let asked = known.is_some_and(|(known, asked)| known == *wanted && asked);
        let doubt = (action == WriteAction::Create && !asked)
            .then(|| self.step_doubt(rec))
            .transpose()?
            .flatten();
        self.conn
            .prepare_cached(
                "INSERT INTO step_document (record, step, target, form, tkey, asked) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (record, step) DO UPDATE SET target = excluded.target, form = excluded.form,
                    tkey = excluded.tkey, asked = excluded.asked, said = 0",
            )?
            .execute(params![
                rec.id.0,
                step,
                wanted.target,
                wanted.form,
                wanted.tkey,
                asked || doubt.is_some(),
            ])?;
        self.step_documents.set(Some(true));
        let Some(kind) = doubt else { return Ok(None) };
        let ask_after = self.ask_after(&rec.scheme, now)?;
        self.doubt(rec, kind, ask_after, now)?;
        self.save(rec)?;
        Ok(Some(ClaimRefused::Stale))
    }

    fn has_step_documents(&self) -> Result<bool, StoreError> {
        if let Some(known) = self.step_documents.get() {
            return Ok(known);
        }
        let mut statement = self.conn.prepare_cached("SELECT 1 FROM step_document LIMIT 1")?;
        let found = statement.exists([])?;
        self.step_documents.set(Some(found));
        Ok(found)
    }

    /// The document of a step, as far as it was ever claimed, and whether the target was asked about it.
    fn step_document(&self, record: RecordId, step: &str) -> Result<Option<(TargetKey, bool)>, StoreError> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT target, form, tkey, asked FROM step_document WHERE record = ?1 AND step = ?2",
            )?
            .query_row((record.0, step), |row| {
                Ok((
                    TargetKey {
                        target: row.get(0)?,
                        form: row.get(1)?,
                        tkey: row.get(2)?,
                    },
                    row.get(3)?,
                ))
            })
            .optional()?;
        Ok(found)
    }

    fn is_step_made(&self, record: RecordId, step: &str) -> Result<bool, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT 1 FROM record_step WHERE record = ?1 AND step = ?2")?;
        Ok(statement.exists((record.0, step))?)
    }

    /// A send of a step was lost, or half accepted, and nothing has proved since that it was not executed. What became of
    /// the record's own document in the meantime says nothing about that.
    fn may_be_made(&self, record: RecordId, step: &str) -> Result<bool, StoreError> {
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT 1 FROM attempt_row WHERE record = ?1 AND step = ?2 AND {}",
            in_doubt()
        ))?;
        Ok(statement.exists((record.0, step))?)
    }

    /// A person says that the document of a step is not there: none of its sends was executed.
    pub(super) fn proved_unmade(&self, record: RecordId, step: &str, now: Ms) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(&format!(
                "UPDATE attempt_row SET resolution = 'person_not_there', resolved_ms = ?3, resolution_code = NULL,
                        resolution_text = NULL
                 WHERE record = ?1 AND step = ?2 AND {}",
                in_doubt()
            ))?
            .execute((record.0, step, now))?;
        Ok(())
    }

    /// Another record one of whose steps has this key, or another step of this one, with that step.
    fn holder_of_step(
        &self,
        at: &TargetKey,
        record: RecordId,
        step: &str,
    ) -> Result<Option<String>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.src_key || ' ' || s.step FROM step_document s JOIN record r ON r.id = s.record
             WHERE s.target = ?1 AND s.form = ?2 AND s.tkey = ?3 AND (s.record <> ?4 OR s.step <> ?5)",
        )?;
        Ok(statement
            .query_row((&at.target, &at.form, &at.tkey, record.0, step), |row| row.get(0))
            .optional()?)
    }

    /// Freezes the key of a record's document; the caller saves it. `Some` = it may not have this key and is held now; the source key of the
    /// record that has it (the record itself, when a document may exist under its own former key).
    pub(super) fn freeze_key(
        &mut self,
        rec: &mut Rec,
        wanted: TargetKey,
        cause: Cause,
        now: Ms,
    ) -> Result<Option<String>, StoreError> {
        if rec.target.as_ref() == Some(&wanted) {
            return Ok(None);
        }
        let frozen = rec.target.as_ref().filter(|at| at.tkey.is_some());
        if let Some(frozen) = frozen {
            let elsewhere = frozen.target != wanted.target || frozen.form != wanted.form;
            if wanted.tkey.is_none() && !elsewhere {
                // A write by id names no key; the frozen one stays.
                return Ok(None);
            }
            if rec.document_known() {
                let old = frozen.tkey.clone().unwrap_or_default();
                let why = self.own_reason(
                    reason::KEY_CHANGED,
                    &[
                        ("old", old),
                        ("new", wanted.tkey.unwrap_or_else(|| NO_KEY.to_owned())),
                    ],
                );
                let own_key = rec.key.clone();
                self.hold(rec, why, cause, now)?;
                return Ok(Some(own_key));
            }
        }
        if let Some(at) = rec
            .target
            .as_ref()
            .filter(|at| at.target != wanted.target || at.form != wanted.form)
            && rec.target_id.is_some()
        {
            let why = self.own_reason(
                reason::KEY_CHANGED,
                &[("old", at.place()), ("new", wanted.place())],
            );
            let own_key = rec.key.clone();
            self.hold(rec, why, cause, now)?;
            return Ok(Some(own_key));
        }
        let holder = match self.holder(&wanted, rec.id)? {
            None if wanted.tkey.is_some() && self.has_step_documents()? => {
                self.holder_of_step(&wanted, RecordId(0), "")?
            }
            holder => holder,
        };
        if let Some(holder) = holder {
            let why = self.own_reason(reason::KEY_TAKEN, &[("holder", holder.clone())]);
            self.hold(rec, why, cause, now)?;
            return Ok(Some(holder));
        }
        rec.target = Some(wanted);
        Ok(None)
    }

    pub(super) fn hold(
        &mut self,
        rec: &mut Rec,
        why: flow::op::Reason,
        cause: Cause,
        now: Ms,
    ) -> Result<(), StoreError> {
        self.enter(rec, RecordState::Held, cause, now)?;
        rec.reason = Some(why);
        rec.not_before = None;
        self.save(rec)
    }

    fn insert_attempt(&self, run: RunId, target: &str, now: Ms) -> Result<AttemptId, StoreError> {
        self.conn
            .prepare_cached(
                // The numbers of a restored ledger go on behind those of the life it has forgotten.
                "INSERT INTO attempt (id, run, target, n_rows, sent_ms)
                 SELECT 1 + max(coalesce((SELECT max(id) FROM attempt), 0),
                                coalesce((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'claims_from'), 0)),
                        ?1, ?2, 0, ?3",
            )?
            .execute((run.0, target, now))?;
        Ok(AttemptId(self.conn.last_insert_rowid()))
    }

    fn insert_attempt_row(&self, attempt: AttemptId, rec: &Rec, row: &ClaimRow) -> Result<(), StoreError> {
        let payload = self.blob(row.payload)?;
        self.conn
            .prepare_cached(
                "INSERT INTO attempt_row (attempt, record, version, action, form, tkey, payload, step)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                attempt.0,
                rec.id.0,
                rec.version,
                row.action.word(),
                row.form,
                row.tkey,
                payload,
                row.step,
            ])?;
        Ok(())
    }
}

/// A key with its place, for a sentence.
fn key_and_place(at: &TargetKey) -> String {
    format!("{} {}", at.place(), at.tkey.as_deref().unwrap_or(NO_KEY))
}

/// The connection in the name of a target: what stands before the operation. A document's key belongs to the system,
/// whichever operation writes it.
pub(super) fn connection_of(target: &str) -> &str {
    target.split([' ', '/', ':']).next().unwrap_or(target)
}
