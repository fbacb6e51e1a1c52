//! Several rows that are one document.
//!
//! The document, a *part* of its group, is itself a record of the scheme, so that claim, settlement, question, decision
//! and further calls are those of any other record; its row is what was made of its *members*. Members are frozen with
//! it: each names it (`record.bundle`; a part names itself) and follows it, open as long as it is open, and ended as it
//! is ended. None of them is ever claimed. A row of such a scheme that is in no document yet is *loose*, and is not
//! claimed either.

use flow::ids::{Ms, RecordId};
use flow::op::{LedgerReply, Loose, NewPart, OnSeen, RecordState, SightingOutcome, StagedRow, SuspectKind};
use rusqlite::OptionalExtension as _;

use super::record::{Cause, NewRecord, Rec};
use super::stage::Page;
use super::{Cx, cut};
use crate::Ledger;
use crate::error::{StoreError, reason};

/// A row that may become a part of a document: none of its own was ever sent.
const IS_LOOSE: &str = "state = 'pending' AND bundle IS NULL AND maybe_sent = 0 AND target_id IS NULL
    AND done_version IS NULL AND step IS NULL";

impl Rec {
    /// It is the document of several rows.
    pub(super) fn is_part(&self) -> bool {
        self.bundle == Some(self.id)
    }

    /// It is one of the rows of a document.
    pub(super) fn is_member(&self) -> bool {
        self.bundle.is_some_and(|part| part != self.id)
    }

    /// A part of which nothing can be at the target, now or later.
    fn is_unwritten(&self) -> bool {
        let ended = matches!(
            self.state(),
            RecordState::Pending | RecordState::Dead | RecordState::Skipped
        );
        ended && self.step.is_none() && !self.document_known() && self.doubtful().is_none()
    }

    /// It is held because its number is that of a document that this ledger has forgotten.
    fn has_number_of_another(&self) -> bool {
        let code = self.reason.as_ref().map(|why| why.code.as_str());
        self.state() == RecordState::Held && code == Some(reason::NUMBER_FOUND)
    }
}

/// A row of which nobody knows whether it is in a document stays in doubt until somebody says that it is not: skipped
/// (it is in one), a later version of it is asked about too.
fn doubt_of_loose(to: RecordState) -> Option<&'static str> {
    (to == RecordState::Held).then(|| SuspectKind::Restored.word())
}

impl Ledger {
    /// Whether the rows of a scheme become documents several at a time. Said before its first run, and whenever it
    /// changes.
    pub fn gather(&mut self, scheme: &str, gathers: bool) -> Result<(), StoreError> {
        let conn = self.lock();
        conn.prepare_cached(match gathers {
            true => "INSERT OR IGNORE INTO gathering (scheme) VALUES (?1)",
            false => "DELETE FROM gathering WHERE scheme = ?1",
        })?
        .execute([scheme])?;
        Ok(())
    }
}

impl Cx<'_> {
    pub(super) fn gathers(&self, scheme: &str) -> Result<bool, StoreError> {
        if let Some(known) = self.gathering.borrow().get(scheme) {
            return Ok(*known);
        }
        let found = self
            .conn
            .prepare_cached("SELECT 1 FROM gathering WHERE scheme = ?1")?
            .exists([scheme])?;
        self.gathering.borrow_mut().insert(scheme.to_owned(), found);
        Ok(found)
    }

    /// Whether it is sent only as a part of something else.
    pub(super) fn is_no_document(&self, rec: &Rec) -> Result<bool, StoreError> {
        Ok(rec.is_member() || rec.bundle.is_none() && self.gathers(&rec.scheme)?)
    }

    pub(super) fn pick_loose(
        &mut self,
        scheme: &str,
        limit: u32,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        // What may be in a document that this ledger has forgotten is nobody's to decide but a person's.
        let doubtful = self.ids(
            &format!("SELECT id FROM record WHERE scheme = ?1 AND suspect IS NOT NULL AND {IS_LOOSE}"),
            scheme,
        )?;
        for id in doubtful {
            let mut rec = self.record(RecordId(id))?;
            self.hold_loose(&mut rec, Cause::Bundle, now)?;
            self.save(&rec)?;
        }
        let mut statement = self.conn.prepare_cached(&format!(
            "SELECT id, version, void FROM record WHERE scheme = ?1 AND {IS_LOOSE} ORDER BY id LIMIT ?2"
        ))?;
        let loose = statement
            .query_map((scheme, limit), |row| {
                Ok(Loose {
                    record: RecordId(row.get(0)?),
                    version: row.get(1)?,
                    void: row.get(2)?,
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(LedgerReply::Loose(loose))
    }

    /// A row of which nobody knows whether it is in a document. The caller saves it.
    pub(super) fn hold_loose(&mut self, rec: &mut Rec, cause: Cause, now: Ms) -> Result<(), StoreError> {
        self.enter(rec, RecordState::Held, cause, now)?;
        rec.reason = Some(self.own_reason(reason::MAYBE_IN_A_DOCUMENT, &[]));
        rec.not_before = None;
        Ok(())
    }

    pub(super) fn freeze(
        &mut self,
        scheme: &str,
        parts: &[NewPart],
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut hit = 0;
        for part in parts {
            hit += u64::from(self.freeze_one(scheme, part, now)?);
        }
        Ok(LedgerReply::Count(hit))
    }

    fn freeze_one(&mut self, scheme: &str, part: &NewPart, now: Ms) -> Result<bool, StoreError> {
        let last: u32 = self
            .conn
            .prepare_cached("SELECT coalesce(max(part), 0) FROM bundle WHERE scheme = ?1 AND group_key = ?2")?
            .query_row((scheme, &part.group), |row| row.get(0))?;
        if part.part != last + 1 || part.members.is_empty() {
            return Ok(false);
        }
        for (member, version) in &part.members {
            let rec = self.record(*member)?;
            let is_as_seen = rec.scheme == scheme && rec.version == *version;
            let is_loose = rec.state() == RecordState::Pending && rec.bundle.is_none() && rec.step.is_none();
            if !is_as_seen || !is_loose || rec.suspect.is_some() || rec.document_known() {
                return Ok(false);
            }
        }
        let new = NewRecord {
            scheme,
            key: &part.key,
            label: &part.number,
            version: &part.version,
            void: false,
            state: RecordState::Pending,
            filtered: false,
            reason: None,
            now,
        };
        let id = self.insert_record(&new, Cause::Bundle)?;
        let source = self.blob(part.source)?;
        self.conn
            .prepare_cached("INSERT INTO body (record, source) VALUES (?1, ?2)")?
            .execute((id.0, source))?;
        // The numbers that a life wrote which this ledger has forgotten are given once more.
        let suspect: Option<String> = self
            .conn
            .prepare_cached("SELECT suspect FROM scheme WHERE id = ?1")?
            .query_row([scheme], |row| row.get(0))
            .optional()?
            .flatten();
        self.conn
            .prepare_cached(
                "INSERT INTO bundle (record, scheme, group_key, part, number, made_ms, doubted)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                id.0,
                scheme,
                &part.group,
                part.part,
                &part.number,
                now,
                suspect.is_some(),
            ))?;
        let mut freeze = self.conn.prepare_cached(
            "UPDATE record SET bundle = ?2, apart = 0, err_code = NULL, err_text = NULL WHERE id = ?1",
        )?;
        freeze.execute((id.0, id.0))?;
        for (member, _) in &part.members {
            freeze.execute((member.0, id.0))?;
        }
        if let Some(kind) = super::suspect::suspect_kind(suspect) {
            let mut rec = self.record(id)?;
            let ask_after = self.ask_after(scheme, now)?;
            self.doubt(&mut rec, kind, ask_after, now)?;
            self.save(&rec)?;
        }
        Ok(true)
    }

    /// Members follow their document, but for those that have a fate of their own.
    pub(super) fn follow(&self, part: &Rec) -> Result<(), StoreError> {
        let to = match part.state() {
            RecordState::Pending | RecordState::Sending | RecordState::Unknown => RecordState::Pending,
            ended => ended,
        };
        let code = part.reason.as_ref().map(|why| why.code.as_str());
        let text = part.reason.as_ref().map(|why| cut(&why.text));
        let suspect = part.suspect.map(SuspectKind::word);
        let differing: Vec<(String, i64)> = self
            .conn
            .prepare_cached(
                "SELECT state, count(*) FROM record
                 WHERE bundle = ?1 AND id <> ?1 AND apart = 0
                   AND (state <> ?2 OR err_code IS NOT ?3 OR err_text IS NOT ?4 OR suspect IS NOT ?5)
                 GROUP BY state",
            )?
            .query_map((part.id.0, to.word(), code, text, suspect), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<Result<_, _>>()?;
        if differing.is_empty() {
            return Ok(());
        }
        self.conn
            .prepare_cached(
                "UPDATE record SET state = ?2, err_code = ?3, err_text = ?4, suspect = ?5, changed_ms = ?6,
                    done_version = CASE WHEN ?2 = 'done' THEN version ELSE done_version END,
                    done_ms = CASE WHEN ?2 = 'done' THEN ?7 ELSE done_ms END
                 WHERE bundle = ?1 AND id <> ?1 AND apart = 0",
            )?
            .execute((
                part.id.0,
                to.word(),
                code,
                text,
                suspect,
                part.changed,
                part.done_ms,
            ))?;
        for (state, count) in differing {
            let from = RecordState::from_word(&state).ok_or_else(|| StoreError::Damaged {
                what: format!("state `{state}`"),
            })?;
            self.count_moved(&part.scheme, from, to, count)?;
        }
        Ok(())
    }

    fn count_moved(
        &self,
        scheme: &str,
        from: RecordState,
        to: RecordState,
        n: i64,
    ) -> Result<(), StoreError> {
        if from == to {
            return Ok(());
        }
        // First what they are now: the number of no state is ever below nothing.
        self.count_state(scheme, to, n)?;
        self.count_state(scheme, from, -n)
    }

    /// A page brought a row that is in a document.
    pub(super) fn member_seen(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
        mut rec: Rec,
    ) -> Result<SightingOutcome, StoreError> {
        if row.filtered.is_some() && !row.bare {
            return Ok(SightingOutcome::Filtered);
        }
        if page.on_seen == OnSeen::Skip
            && !(rec.state() == RecordState::Dead && self.part_of(&rec)?.is_unwritten())
        {
            // A refused document was not written: only that is worth another look.
            return Ok(SightingOutcome::Unchanged);
        }
        if rec.version == version {
            self.refresh(page, row, rec.id)?;
            return Ok(SightingOutcome::Unchanged);
        }
        if row.void == rec.void && self.is_same_row(&rec, row)? {
            // It is the scheme that looks at other fields now.
            rec.version = version.to_owned();
            if rec.state() == RecordState::Done {
                rec.done_version = Some(version.to_owned());
            }
            self.save(&rec)?;
            return Ok(SightingOutcome::Unchanged);
        }
        let part = self.part_of(&rec)?;
        if part.is_unwritten() {
            self.release(&part, &rec, page.now)?;
            let rec = self.record(rec.id)?;
            return self.instead(page, row, version, rec, false);
        }
        self.enter(&mut rec, RecordState::Held, Cause::Bundle, page.now)?;
        rec.apart = true;
        rec.version = version.to_owned();
        if !row.bare {
            rec.label.clone_from(&row.label);
        }
        rec.void = row.void;
        rec.reason = Some(self.own_reason(reason::MEMBER_CHANGED, &[("document", part.label)]));
        self.replace(page, row, rec)?;
        Ok(SightingOutcome::Changed)
    }

    fn is_same_row(&self, rec: &Rec, row: &StagedRow) -> Result<bool, StoreError> {
        let source = self.blob(row.source)?;
        Ok(self
            .conn
            .prepare_cached("SELECT 1 FROM body WHERE record = ?1 AND source IS ?2")?
            .exists((rec.id.0, source))?)
    }

    pub(super) fn part_of(&self, rec: &Rec) -> Result<Rec, StoreError> {
        let part = rec
            .bundle
            .ok_or_else(|| StoreError::Bug("no member".to_owned()))?;
        self.record(part)
    }

    /// Takes a member out of a document that was not written. One that somebody skipped stays as it is, and so do its
    /// other members; any other is taken apart for good, or the member would be in two.
    fn release(&mut self, part: &Rec, rec: &Rec, now: Ms) -> Result<(), StoreError> {
        if part.state() == RecordState::Skipped {
            self.count_moved(&rec.scheme, rec.state(), RecordState::Pending, 1)?;
            return self.loosen("id = ?1", rec.id, RecordState::Pending, now);
        }
        self.take_apart(part, RecordState::Pending, &rec.label, now)
    }

    fn take_apart(&mut self, part: &Rec, to: RecordState, why: &str, now: Ms) -> Result<(), StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT state, count(*) FROM record
             WHERE bundle = ?1 AND id <> ?1 AND (apart = 0 OR state = 'held') GROUP BY state",
        )?;
        let states: Vec<(String, i64)> = statement
            .query_map([part.id.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (state, count) in states {
            if let Some(from) = RecordState::from_word(&state) {
                self.count_moved(&part.scheme, from, to, count)?;
            }
        }
        let which = "bundle = ?1 AND id <> ?1 AND (apart = 0 OR state = 'held')";
        self.loosen(which, part.id, to, now)?;
        // Those that somebody skipped stay so, and are asked for when they change, as the others are.
        self.conn
            .prepare_cached(
                "UPDATE record SET bundle = NULL, suspect = coalesce(?2, suspect) WHERE bundle = ?1 AND id <> ?1",
            )?
            .execute((part.id.0, doubt_of_loose(to)))?;
        let mut part = self.record(part.id)?;
        self.enter(&mut part, RecordState::Skipped, Cause::Bundle, now)?;
        part.suspect = None;
        part.not_before = None;
        part.reason = Some(self.own_reason(reason::DISSOLVED, &[("why", why.to_owned())]));
        self.save(&part)
    }

    fn loosen(&self, which: &str, id: RecordId, to: RecordState, now: Ms) -> Result<(), StoreError> {
        let why = (to == RecordState::Held).then(|| self.own_reason(reason::MAYBE_IN_A_DOCUMENT, &[]));
        self.conn
            .prepare_cached(&format!(
                "UPDATE record SET state = ?2, err_code = ?3, err_text = ?4, changed_ms = ?5, apart = 0, suspect = ?6,
                    bundle = NULL
                 WHERE {which}"
            ))?
            .execute((
                id.0,
                to.word(),
                why.as_ref().map(|why| why.code.as_str()),
                why.as_ref().map(|why| cut(&why.text)),
                now,
                doubt_of_loose(to),
            ))?;
        Ok(())
    }

    /// A person wants a row of a document to be processed again. `None` = the document may be at the target: nothing is
    /// done.
    pub(super) fn retry_member(&mut self, rec: &Rec, now: Ms) -> Result<Option<RecordState>, StoreError> {
        let part = self.part_of(rec)?;
        if part.has_number_of_another() {
            // Which of its rows are booked only a person can tell: each is asked for.
            self.take_apart(&part, RecordState::Held, &rec.label, now)?;
            let mut rec = self.record(rec.id)?;
            self.enter(&mut rec, RecordState::Pending, Cause::Decide, now)?;
            rec.reason = None;
            rec.suspect = None;
            self.save(&rec)?;
            return Ok(Some(RecordState::Pending));
        }
        if !part.is_unwritten() {
            return Ok(None);
        }
        self.release(&part, rec, now)?;
        Ok(Some(self.record(rec.id)?.state()))
    }

    /// What a question about a document of several rows says where the ledger has forgotten a life. Such a document was
    /// made anew, and one of its number is made of other rows; or it is older than the copy, and where it is not there
    /// its rows may be in another one.
    pub(super) fn forgotten_part(
        &self,
        rec: &Rec,
        found: bool,
    ) -> Result<Option<flow::op::Reason>, StoreError> {
        if !rec.is_part() || rec.doubtful().is_none() {
            return Ok(None);
        }
        let is_new: bool = self
            .conn
            .prepare_cached("SELECT doubted FROM bundle WHERE record = ?1")?
            .query_row([rec.id.0], |row| row.get(0))?;
        Ok(match (found, is_new) {
            (true, true) => Some(self.own_reason(reason::NUMBER_FOUND, &[("number", rec.label.clone())])),
            (false, false) => Some(self.own_reason(reason::MAYBE_IN_A_DOCUMENT, &[])),
            _ => None,
        })
    }
}
