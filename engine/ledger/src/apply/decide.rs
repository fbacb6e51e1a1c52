//! Decisions of people. Each is noted in the transaction that carries it out.
//!
//! A record that may have been executed is never made pending by a retry: it is `unknown`, so that the target is asked.
//! Only "it is not there" makes it pending, and that is somebody's word, with a name and a reason. What is skipped in
//! doubt stays in doubt: a later version of it is asked about before it is written.

use flow::decision::{Content, Decided, Decision, Ruling};
use std::collections::BTreeSet;

use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{AuditNote, LedgerReply, Reason, RecordState, SuspectKind, WriteAction};
use rusqlite::{OptionalExtension, params};

use super::record::{Cause, Rec};
use super::{Cx, audit, cut};
use crate::error::{StoreError, reason};

/// The flow's code for a number that a document of somebody else has (its table of codes is not ours to name).
const KEY_CONFLICT: &str = flow::codes::KEY_CONFLICT;

impl Rec {
    /// An earlier attempt may have made its document, or what a further call makes, under no id that is known: a second
    /// send may make a second one.
    fn maybe_made(&self) -> bool {
        self.doubtful().is_some() || self.maybe_sent && (self.target_id.is_none() || self.step.is_some())
    }

    /// Its number was refused because another document has it, and no earlier send may have been executed.
    fn is_refused(&self) -> bool {
        let conflict = self.reason.as_ref().is_some_and(|why| why.code == KEY_CONFLICT);
        conflict || self.told_it_exists() && !self.maybe_sent
    }

    /// Its row has a key; one without is stored under a hash of itself.
    fn has_key(&self) -> bool {
        !flow::ids::is_keyless(&self.key)
    }
}

impl Cx<'_> {
    pub(super) fn decide(
        &mut self,
        rows: &[Decided],
        who: &str,
        why: &str,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut order = Vec::with_capacity(rows.len());
        for (nth, row) in rows.iter().enumerate() {
            let rec = self.record(row.record)?;
            order.push((rec.is_member(), nth, rec.bundle));
        }
        // First documents, then rows of others: one that is decided about with its document follows it.
        order.sort_unstable();
        let mut rulings: Vec<Option<Ruling>> = rows.iter().map(|_| None).collect();
        let mut moved: BTreeSet<RecordId> = BTreeSet::new();
        for (is_member, nth, part) in order {
            let row = &rows[nth];
            let rec = self.record(row.record)?;
            let from = rec.state();
            let scheme = rec.scheme.clone();
            let follows = is_member && part.is_some_and(|part| moved.contains(&part));
            let ruling = match self.unfit(&rec, row)? {
                _ if follows && !rec.apart => Ruling::Moved(from),
                Some(ruling) => ruling,
                None => self.carry_out(rec, &row.decision, why, now)?,
            };
            if matches!(ruling, Ruling::Moved(_)) {
                moved.insert(row.record);
            }
            if let (Ruling::Moved(to), false) = (&ruling, follows) {
                let note = AuditNote {
                    who: who.to_owned(),
                    action: row.decision.word().to_owned(),
                    scheme: Some(scheme),
                    record: Some(row.record),
                    what: facts(from, *to, &row.decision),
                    reason: why.to_owned(),
                };
                audit::write(self.conn, &note, now)?;
            }
            rulings[nth] = Some(ruling);
        }
        Ok(LedgerReply::Decided(rulings.into_iter().flatten().collect()))
    }

    /// Why a decision cannot be carried out.
    fn unfit(&self, rec: &Rec, row: &Decided) -> Result<Option<Ruling>, StoreError> {
        let state = rec.state();
        if state != row.state || rec.version != row.version || rec.attempt != row.attempt {
            return Ok(Some(Ruling::Changed { state }));
        }
        if !row.decision.fits(state) {
            return Ok(Some(Ruling::Unfit { state }));
        }
        if rec.is_member() {
            let changed = rec.apart && state == RecordState::Held;
            let may = match row.decision {
                Decision::Skip => changed,
                Decision::Retry(_) => true,
                Decision::Hold | Decision::NotThere | Decision::DoneAs { .. } => false,
            };
            if !may {
                let document = self.part_of(rec)?.label;
                return Ok(Some(Ruling::Member { document }));
            }
        }
        Ok(match &row.decision {
            Decision::Skip | Decision::Hold => None,
            Decision::DoneAs { .. } if self.has_step_document(rec)? => None,
            // Nothing of that step was ever sent, and the record's own document has another id.
            Decision::DoneAs { id, .. }
                if rec.target_id.as_ref().is_some_and(|known| known != id) && self.is_about_step(rec)? =>
            {
                Some(Ruling::Unfit { state })
            }
            Decision::DoneAs { id, .. } => {
                let holder = self.holder_of_document(rec, id)?;
                holder.map(|holder| Ruling::Taken { holder })
            }
            Decision::NotThere | Decision::Retry(_) if !rec.has_key() => Some(Ruling::Keyless),
            Decision::NotThere | Decision::Retry(Content::Latest) => None,
            Decision::Retry(Content::AsStored(attempt)) => {
                let stored = self.stored_document(rec, *attempt)?;
                (!stored).then_some(Ruling::NothingStored)
            }
        })
    }

    fn carry_out(
        &mut self,
        mut rec: Rec,
        decision: &Decision,
        why: &str,
        now: Ms,
    ) -> Result<Ruling, StoreError> {
        let id = rec.id;
        if matches!(decision, Decision::Retry(_)) && rec.is_member() {
            return Ok(match self.retry_member(&rec, now)? {
                Some(state) => Ruling::Moved(state),
                None => Ruling::Member {
                    document: self.part_of(&rec)?.label,
                },
            });
        }
        match decision {
            Decision::Skip => {
                if rec.is_refused() {
                    // The document with its number is somebody else's: a later version is told so again.
                    rec.maybe_sent = false;
                } else if rec.maybe_made() {
                    // Somebody's later version of it must not become a second document.
                    rec.suspect = Some(rec.suspect.unwrap_or(SuspectKind::Restored));
                }
                self.gave_up(&rec)?;
                // What is out may still be executed: a later version waits for that too.
                rec.not_before = rec.quiet_until(now);
                self.enter(&mut rec, RecordState::Skipped, Cause::Decide, now)?;
                rec.reason = Some(self.by_hand(reason::SKIPPED_BY_HAND, why));
            }
            Decision::Hold => {
                let was_unknown = rec.state() == RecordState::Unknown;
                let ask_after = rec.resolve_after;
                let refused = rec.is_refused();
                self.enter(&mut rec, RecordState::Held, Cause::Decide, now)?;
                if was_unknown {
                    // What was in flight may still arrive: nothing is asked or sent earlier than it would have been.
                    rec.maybe_sent |= !refused;
                    rec.not_before = ask_after;
                    self.conclude(&rec, "person_held", now)?;
                }
                rec.reason = Some(self.by_hand(reason::HELD_BY_HAND, why));
            }
            Decision::DoneAs { id, number } if self.has_step_document(&rec)? => {
                self.say_made(&mut rec, (id, number.as_deref()), now)?;
            }
            Decision::DoneAs { id, number } => {
                self.conclude(&rec, "person_done", now)?;
                self.enter(&mut rec, RecordState::Done, Cause::Decide, now)?;
                rec.reason = None;
                // A person says that all is done, the further calls included, and which document it is.
                rec.step = None;
                self.written(&mut rec, Some(id), number.as_ref(), None, now)?;
            }
            Decision::NotThere => {
                self.conclude(&rec, "person_not_there", now)?;
                self.made_nothing(&rec)?;
                let earliest = rec.resolve_after.or(rec.not_before);
                // The number was refused because somebody else's document had it: nothing of ours was executed, and if
                // it is still there it is still not ours.
                let refused = rec.is_refused();
                rec.maybe_sent = !refused && (rec.maybe_sent || rec.state() == RecordState::Unknown);
                let of_step = self.is_about_step(&rec)?;
                if of_step {
                    self.forget_step(&rec, now)?;
                }
                let is_gone = rec.state() == RecordState::Dead && rec.target_id.is_some() && !of_step;
                let is_nameless = rec.target_id.is_none() && rec.done_version.is_some();
                if is_gone || is_nameless && rec.state() == RecordState::Held {
                    // It was there, and the target has just refused to go on with it, or nobody ever knew which one it
                    // was: it is made anew.
                    self.forget_document(&mut rec, now)?;
                }
                self.enter(&mut rec, RecordState::Pending, Cause::Decide, now)?;
                rec.suspect = None;
                rec.doubted = None;
                rec.attempts = 0;
                rec.reason = None;
                rec.not_before = earliest.filter(|at| *at > now);
            }
            Decision::Retry(content) => {
                self.settle_conflict(&rec, now)?;
                if self.is_no_document(&rec)? {
                    // It cannot be asked about: who retries it says that it is in no document.
                    rec.suspect = None;
                }
                self.retry(&mut rec, *content, now)?;
            }
        }
        self.promote(rec, now)?;
        Ok(Ruling::Moved(self.record(id)?.state()))
    }

    fn retry(&mut self, rec: &mut Rec, content: Content, now: Ms) -> Result<(), StoreError> {
        let earliest = rec.not_before.unwrap_or(now).max(now);
        rec.not_before = None;
        if rec.is_refused() {
            rec.maybe_sent = false;
        }
        if rec.maybe_made() {
            let action = *rec.action.get_or_insert(WriteAction::Create);
            self.enter(rec, RecordState::Unknown, Cause::Decide, now)?;
            // Its fate is open again: whoever sends it before an answer is found out by `verify`.
            self.conclude(rec, "ask_again", now)?;
            rec.resolve_after = Some(earliest);
            rec.unknown_since = Some(now);
            if content == Content::Latest && action == WriteAction::Create {
                // In whatever version it is there: where the target can update, the document of today follows.
                rec.suspect = Some(rec.suspect.unwrap_or(SuspectKind::Restored));
            }
        } else {
            // What is out may still be executed: the same again behind it is the same, a newer one behind it is lost.
            let quiet = Some(earliest).filter(|at| rec.maybe_sent && *at > now);
            self.enter(rec, RecordState::Pending, Cause::Decide, now)?;
            rec.reason = None;
            rec.not_before = quiet;
        }
        rec.attempts = 0;
        rec.as_stored = match content {
            Content::Latest => None,
            Content::AsStored(attempt) => Some(attempt),
        };
        Ok(())
    }

    /// What is held to be true of its last send.
    fn conclude(&self, rec: &Rec, word: &str, now: Ms) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "UPDATE attempt_row SET resolution = ?3, resolved_ms = ?4, resolution_code = NULL, resolution_text = NULL
                 WHERE attempt = ?1 AND record = ?2 AND settlement IN ('unknown', 'held')",
            )?
            .execute((rec.attempt.map(|attempt| attempt.0), rec.id.0, word, now))?;
        Ok(())
    }

    /// A person says that the document of the record is not there any more.
    fn forget_document(&self, rec: &mut Rec, now: Ms) -> Result<(), StoreError> {
        self.note_forgotten(rec.id, now)?;
        rec.target_id = None;
        rec.target_number = None;
        rec.step = None;
        rec.done_version = None;
        self.conn
            .prepare_cached("DELETE FROM data_mapping WHERE record = ?1")?
            .execute([rec.id.0])?;
        self.leave_lines(rec)?;
        // What was written went with it.
        self.conn.execute(
            "UPDATE pair_record SET wrote = NULL, intent = NULL WHERE record = ?1",
            [rec.id.0],
        )?;
        Ok(())
    }

    /// It stands at a step, and what it came to there is no answer of the target about the record's own document: the
    /// step writes a document for itself, or nothing was ever sent at it.
    fn is_about_step(&self, rec: &Rec) -> Result<bool, StoreError> {
        let Some(step) = &rec.step else { return Ok(false) };
        if self.has_step_document(rec)? {
            return Ok(true);
        }
        let mut statement = self
            .conn
            .prepare_cached("SELECT 1 FROM attempt_row WHERE record = ?1 AND step = ?2")?;
        Ok(!statement.exists((rec.id.0, step))?)
    }

    /// Its step writes a document for itself, and was claimed.
    fn has_step_document(&self, rec: &Rec) -> Result<bool, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT 1 FROM step_document WHERE record = ?1 AND step = ?2")?;
        Ok(statement.exists((rec.id.0, &rec.step))?)
    }

    /// A person says that the document of the step at which a record stands is there. What comes next is the scheme's: the
    /// word is taken for the target's answer when it is asked about.
    fn say_made(
        &mut self,
        rec: &mut Rec,
        (id, number): (&str, Option<&str>),
        now: Ms,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE step_document SET said = 1, asked = 1 WHERE record = ?1 AND step = ?2")?
            .execute((rec.id.0, &rec.step))?;
        self.conn
            .prepare_cached(
                "INSERT INTO record_step (record, step, version, target_id, target_number, done_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (record, step) DO UPDATE SET version = excluded.version, target_id = excluded.target_id,
                    target_number = excluded.target_number, done_ms = excluded.done_ms",
            )?
            .execute(params![rec.id.0, rec.step, rec.version, id, number, now])?;
        if rec.state() != RecordState::Unknown {
            self.enter(rec, RecordState::Unknown, Cause::Decide, now)?;
            rec.unknown_since = Some(now);
        }
        rec.action.get_or_insert(WriteAction::Create);
        rec.reason = None;
        rec.not_before = None;
        rec.resolve_after = Some(now);
        Ok(())
    }

    /// A person says that the document of the step at which a record stands is not there.
    fn forget_step(&self, rec: &Rec, now: Ms) -> Result<(), StoreError> {
        if let Some(step) = &rec.step {
            self.proved_unmade(rec.id, step, now)?;
        }
        let was_said = self
            .conn
            .prepare_cached("UPDATE step_document SET said = 0 WHERE record = ?1 AND step = ?2 AND said")?
            .execute((rec.id.0, &rec.step))?
            > 0;
        // Of an update whose answer was lost it only says that it was not made.
        if was_said || rec.state() == RecordState::Dead || rec.action != Some(WriteAction::Update) {
            self.conn
                .prepare_cached("DELETE FROM record_step WHERE record = ?1 AND step = ?2")?
                .execute((rec.id.0, &rec.step))?;
        }
        Ok(())
    }

    fn by_hand(&self, code: &str, why: &str) -> Reason {
        self.own_reason(code, &[("why", why.to_owned())])
    }

    /// Another record whose document has this id.
    fn holder_of_document(&self, rec: &Rec, id: &str) -> Result<Option<String>, StoreError> {
        let found: Option<(String, String)> = match &rec.target {
            Some(at) => self
                .conn
                .prepare_cached(
                    "SELECT scheme, src_key FROM data_mapping
                     WHERE target = ?1 AND form = ?2 AND target_id = ?3 AND record IS NOT ?4",
                )?
                .query_row((&at.target, &at.form, id, rec.id.0), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })
                .optional()?,
            // Never sent, so its kind of document is not known here: its own scheme writes one kind as a rule. Such a
            // record has no mapping either.
            None => self
                .conn
                .prepare_cached(
                    "SELECT scheme, src_key FROM record WHERE scheme = ?1 AND target_id = ?2 AND id <> ?3",
                )?
                .query_row((&rec.scheme, id, rec.id.0), |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?,
        };
        Ok(found.map(|(scheme, key)| format!("{scheme} {key}")))
    }

    /// The document of that attempt is kept, and is one of the current version.
    fn stored_document(&self, rec: &Rec, attempt: AttemptId) -> Result<bool, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT 1 FROM attempt_row
             WHERE attempt = ?1 AND record = ?2 AND version = ?3 AND step IS NULL AND payload IS NOT NULL",
        )?;
        Ok(statement.exists((attempt.0, rec.id.0, &rec.version))?)
    }

    /// Keeps what the target said when it was asked.
    pub(super) fn note_question(
        &self,
        rec: &Rec,
        answer: &str,
        why: Option<&Reason>,
        now: Ms,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO question (record, attempt, at_ms, answer, code, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                rec.id.0,
                rec.attempt.map(|attempt| attempt.0),
                now,
                answer,
                why.map(|why| why.code.as_str()),
                why.map(|why| cut(&why.text)),
            ])?;
        Ok(())
    }
}

/// What a decision changed, for the note.
fn facts(from: RecordState, to: RecordState, decision: &Decision) -> String {
    let change = format!("{} -> {}", from.word(), to.word());
    match decision {
        Decision::DoneAs { id, number } => {
            let number = number
                .as_ref()
                .map(|number| format!(" number={number}"))
                .unwrap_or_default();
            format!("{change} id={id}{number}")
        }
        Decision::NotThere => format!("{change} (not there)"),
        Decision::Retry(Content::AsStored(attempt)) => format!("{change} (document of call {attempt})"),
        Decision::Retry(Content::Latest) | Decision::Skip | Decision::Hold => change,
    }
}
