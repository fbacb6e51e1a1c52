//! Two schemes that carry the same documents in opposite directions: what came back, and what met.
//!
//! A record has a partner where its row is the document that a record of the other scheme became, or the other way
//! round. What of its row is news is judged by hashes of fields, against what the partner wrote last and against the
//! row that was taken over last. Here is the only place where that is decided: when a row is staged, and again, with
//! what is known by then, when the record is picked.

use std::fmt::Write;
use std::rc::Rc;

use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{ClaimRow, EMPTY, Facet, OnSeen, Paired, Reason, RecordState, StagedRow};
use rusqlite::{OptionalExtension, params};

use super::Cx;
use super::record::{Cause, NewRecord, Rec};
use super::stage::Page;
use crate::error::{StoreError, reason};
use crate::read::one_key;
use crate::two_way::{Conflict, NamedBy, TwoWay, of_scheme};

/// Notes kept of one record, the newest: a document that is edited on both sides every minute.
const NOTES: i64 = 20;

/// A record that waits for the end of the partner's write is tried again after this; every run tries it in any case.
const TRY_AGAIN: Ms = 60_000;

/// A value that was written and came back as another one so often, each time the same two, is held the next time: two
/// people may undo each other's edit twice, two systems do it for ever.
const TO_AND_FRO: i64 = 2;

/// Fields named in a reason.
const NAMED: usize = 5;

/// Records weighed at a time.
const PAGE: i64 = 500;

/// What a row of a pair is.
pub(super) enum Met {
    /// Nothing is known against it.
    Usual,
    /// It says what the partner wrote.
    Echo(Box<Rec>),
    /// It says something else, although the scheme has seen it say so before.
    News,
}

/// What is kept of a record of a pair.
#[derive(Default)]
struct Kept {
    own_id: Option<String>,
    wrote: Vec<Facet>,
    attempt: Option<i64>,
    intent: Vec<Facet>,
    won: bool,
}

/// Somebody of the partner whose document nobody knows yet; looked up once a transaction.
type Doubtful = Option<Option<String>>;

impl Rec {
    /// Nobody knows what its document says.
    fn in_doubt(&self) -> bool {
        match self.state() {
            RecordState::Sending | RecordState::Unknown => true,
            RecordState::Pending | RecordState::Held => self.maybe_sent,
            RecordState::Done | RecordState::Dead | RecordState::Skipped => false,
        }
    }

    /// Its row may still have to be carried over.
    fn is_undelivered(&self) -> bool {
        match self.state() {
            RecordState::Pending => self.step.is_none(),
            RecordState::Held | RecordState::Dead => true,
            RecordState::Sending | RecordState::Unknown | RecordState::Done | RecordState::Skipped => false,
        }
    }

    /// Its version was taken over, or lost and was replaced by the partner's: it is there once more because somebody
    /// wrote it once more.
    fn comes_again(&self, version: &str, partner: &Rec) -> bool {
        let lost = self
            .reason
            .as_ref()
            .is_some_and(|why| why.code == reason::LOST_CONFLICT);
        self.done_version.as_deref() == Some(version) || lost && partner.state() == RecordState::Done
    }

    fn title(&self) -> String {
        format!("{} {}", self.scheme, self.key)
    }
}

impl Cx<'_> {
    pub(super) fn pair_of(&self, scheme: &str) -> Result<Option<Rc<TwoWay>>, StoreError> {
        if let Some(known) = self.pairs.borrow().get(scheme) {
            return Ok(known.clone());
        }
        let found = of_scheme(self.conn, scheme)?.map(Rc::new);
        self.pairs.borrow_mut().insert(scheme.to_owned(), found.clone());
        Ok(found)
    }

    /// Keeps under which key the partner meets the record's document.
    pub(super) fn note_name(&self, rec: &Rec) -> Result<(), StoreError> {
        let Some(pair) = self.pair_of(&rec.scheme)? else {
            return Ok(());
        };
        let Some(partner) = self.pair_of(&pair.partner)? else {
            return Ok(());
        };
        let name = match partner.named_by {
            NamedBy::Id => rec.target_id.as_deref().map(one_key),
            NamedBy::Key => rec.target.as_ref().and_then(|at| at.tkey.clone()),
        };
        self.conn
            .prepare_cached(
                "INSERT INTO pair_record (record, scheme, name, document) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (record) DO UPDATE SET name = excluded.name, document = excluded.document
                 WHERE name IS NOT excluded.name OR document IS NOT excluded.document",
            )?
            .execute((rec.id.0, &rec.scheme, name, &rec.target_id))?;
        if rec.state() == RecordState::Unknown {
            self.may_have_made(rec)?;
        }
        Ok(())
    }

    /// A send of it has no known end.
    pub(super) fn may_have_made(&self, rec: &Rec) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE pair_record SET not_made = 0 WHERE record = ?1 AND not_made <> 0")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// A person says that nothing came of its sends so far.
    pub(super) fn made_nothing(&self, rec: &Rec) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE pair_record SET not_made = 1 WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// A claim: what its document will say once it is executed.
    pub(super) fn intends(&self, rec: &Rec, row: &ClaimRow, attempt: AttemptId) -> Result<(), StoreError> {
        if row.step.is_some() || self.pair_of(&rec.scheme)?.is_none() {
            return Ok(());
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET intent = ?2, attempt = ?3 WHERE record = ?1")?
            .execute((rec.id.0, written(&row.wrote), attempt.0))?;
        Ok(())
    }

    /// The last claim was not executed.
    pub(super) fn intended_nothing(&self, rec: &Rec) -> Result<(), StoreError> {
        if rec.maybe_sent || self.pair_of(&rec.scheme)?.is_none() {
            return Ok(());
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET intent = NULL WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// The last claim was executed: its fields say what it meant them to.
    pub(super) fn wrote(&self, rec: &Rec) -> Result<(), StoreError> {
        if self.pair_of(&rec.scheme)?.is_none() {
            return Ok(());
        }
        let mut kept = self.kept(rec.id)?;
        for facet in kept.intent {
            match kept.wrote.iter_mut().find(|known| known.field == facet.field) {
                Some(known) => *known = facet,
                None => kept.wrote.push(facet),
            }
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET wrote = ?2, intent = NULL, won = 0 WHERE record = ?1")?
            .execute((rec.id.0, written(&kept.wrote)))?;
        Ok(())
    }

    /// The row of the record's version is at the target, or came from there: from now on it is what its source says,
    /// whatever the partner wrote before, or won.
    pub(super) fn took_over(&self, rec: &Rec) -> Result<(), StoreError> {
        let Some(pair) = self.pair_of(&rec.scheme)? else {
            return Ok(());
        };
        if let Some(partner) = self.partner_id(&pair, &rec.key, Some(rec), None)? {
            self.note_said(rec, partner)?;
            self.conn
                .prepare_cached("UPDATE pair_record SET wrote = NULL, won = 0 WHERE record = ?1")?
                .execute([partner.0])?;
        }
        Ok(())
    }

    /// It is not written, although the other side may have lost against it.
    pub(super) fn gave_up(&self, rec: &Rec) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE pair_record SET won = 0 WHERE record = ?1 AND won <> 0")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// What a row that is taken over says in the place of what the partner wrote, and how often it has said just that
    /// for just that. A row that says what was written has ended it.
    fn note_said(&self, rec: &Rec, partner: RecordId) -> Result<(), StoreError> {
        let wrote = self.kept(partner)?.wrote;
        let Some(row) = self
            .facets_of(rec.id, &rec.version)?
            .filter(|_| !wrote.is_empty())
        else {
            return Ok(());
        };
        for facet in row {
            let Some(wrote) = wrote.iter().find(|wrote| wrote.field == facet.field) else {
                continue;
            };
            if wrote.hash == facet.hash {
                self.conn
                    .prepare_cached("DELETE FROM pair_said WHERE record = ?1 AND field = ?2")?
                    .execute((partner.0, &facet.field))?;
                continue;
            }
            self.conn
                .prepare_cached(
                    "INSERT INTO pair_said (record, field, wrote, said, times) VALUES (?1, ?2, ?3, ?4, 1)
                     ON CONFLICT (record, field) DO UPDATE SET wrote = excluded.wrote, said = excluded.said,
                        times = CASE WHEN wrote = excluded.wrote AND said = excluded.said THEN times + 1 ELSE 1 END",
                )?
                .execute((
                    partner.0,
                    &facet.field,
                    wrote.hash.cast_signed(),
                    facet.hash.cast_signed(),
                ))?;
        }
        Ok(())
    }

    /// A field of these that has said the same for the same too often by now.
    fn to_and_fro(&self, rec: &Rec, partner: &Rec, fields: &[String]) -> Result<Option<String>, StoreError> {
        let kept = self.kept(partner.id)?;
        let row = self.facets_of(rec.id, &rec.version)?.unwrap_or_default();
        for field in fields {
            let of = |facets: &[Facet]| {
                facets
                    .iter()
                    .find(|facet| facet.field == *field)
                    .map(|facet| facet.hash)
            };
            let (Some(wrote), Some(said)) = (of(&kept.wrote), of(&row)) else {
                continue;
            };
            let mut often = self.conn.prepare_cached(
                "SELECT 1 FROM pair_said WHERE record = ?1 AND field = ?2 AND wrote = ?3 AND said = ?4 AND times >= ?5",
            )?;
            if often.exists((
                partner.id.0,
                field,
                wrote.cast_signed(),
                said.cast_signed(),
                TO_AND_FRO,
            ))? {
                return Ok(Some(field.clone()));
            }
        }
        Ok(None)
    }

    fn kept(&self, record: RecordId) -> Result<Kept, StoreError> {
        let found = self
            .conn
            .prepare_cached("SELECT own_id, wrote, attempt, intent, won FROM pair_record WHERE record = ?1")?
            .query_row([record.0], |row| {
                let facets = |text: Option<String>| text.as_deref().map(read).unwrap_or_default();
                Ok(Kept {
                    own_id: row.get(0)?,
                    wrote: facets(row.get(1)?),
                    attempt: row.get(2)?,
                    intent: facets(row.get(3)?),
                    won: row.get(4)?,
                })
            })
            .optional()?;
        Ok(found.unwrap_or_default())
    }

    /// The record of the partner whose document the row is, or whose row the document of this one is: by the row's key,
    /// by the id of this record's document, by the id of the row (`own_id`, where the record has none yet).
    fn partner_id(
        &self,
        pair: &TwoWay,
        key: &str,
        rec: Option<&Rec>,
        own_id: Option<&str>,
    ) -> Result<Option<RecordId>, StoreError> {
        let named = self
            .conn
            .prepare_cached(
                "SELECT record FROM pair_record WHERE scheme = ?1 AND name = ?2 ORDER BY record LIMIT 1",
            )?
            .query_row((&pair.partner, key), |row| row.get(0))
            .optional()?;
        if let Some(named) = named {
            return Ok(Some(RecordId(named)));
        }
        if let Some(rec) = rec {
            let found = self
                .conn
                .prepare_cached(
                    "SELECT r.id FROM pair_record p JOIN record r ON r.scheme = ?1 AND r.src_key = p.name
                     WHERE p.record = ?2",
                )?
                .query_row((&pair.partner, rec.id.0), |row| row.get(0))
                .optional()?;
            if let Some(found) = found {
                return Ok(Some(RecordId(found)));
            }
        }
        // A document whose number the partner has not frozen yet, or that has another one by now.
        let kept = rec.map(|rec| self.kept(rec.id)).transpose()?;
        let Some(own_id) = own_id.or(kept.as_ref().and_then(|kept| kept.own_id.as_deref())) else {
            return Ok(None);
        };
        let found = self
            .conn
            .prepare_cached(
                "SELECT record FROM pair_record WHERE scheme = ?1 AND document = ?2 ORDER BY record LIMIT 1",
            )?
            .query_row((&pair.partner, own_id), |row| row.get(0))
            .optional()?;
        Ok(found.map(RecordId))
    }

    /// Nobody of the partner has the record's row for a document. Whether it may go.
    fn meets_nobody(
        &mut self,
        pair: &TwoWay,
        mut rec: Rec,
        doubtful: &mut Doubtful,
        now: Ms,
    ) -> Result<bool, StoreError> {
        if rec.target_id.is_some() {
            return Ok(true);
        }
        if let Some((key, is_read)) = self.said_ahead(pair, &rec)? {
            let back = self.pair_of(&pair.partner)?;
            let may_be_named = !is_read && back.is_some_and(|back| back.id_is_key);
            // What was stored is a create, and stays one.
            let may_be_named = may_be_named && rec.as_stored.is_none();
            let Some(id) = self.text_of_key(&key)?.filter(|_| may_be_named) else {
                // What its document is called is known when the partner has read it, or has begun to write it.
                return self.wait(rec, format!("{} {key}", pair.partner), now);
            };
            rec.target_id = Some(id);
            rec.suspect = None;
            self.save(&rec)?;
            return Ok(true);
        }
        // Before its first send it was certain that the partner had not made it.
        if rec.maybe_sent && rec.attempt.is_some() {
            return Ok(true);
        }
        let holder = match doubtful {
            Some(known) => known.clone(),
            None => doubtful.insert(self.somebody_unnamed(pair)?).clone(),
        };
        match holder {
            Some(holder) => self.wait(rec, holder, now),
            None => Ok(true),
        }
    }

    /// The text of a key of one field.
    fn text_of_key(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT CAST(json_extract(?1, '$[0]') AS TEXT) WHERE json_valid(?1) AND json_array_length(?1) = 1",
        )?;
        let text: Option<Option<String>> = statement.query_row([key], |row| row.get(0)).optional()?;
        Ok(text.flatten())
    }

    /// The key of the partner's record that has the row for its document because somebody said so, and whether it was
    /// read; no document of it is known otherwise.
    fn said_ahead(&self, pair: &TwoWay, rec: &Rec) -> Result<Option<(String, bool)>, StoreError> {
        let (Some(own_id), Some(back)) = (self.kept(rec.id)?.own_id, self.pair_of(&pair.partner)?) else {
            return Ok(None);
        };
        let mut statement = self.conn.prepare_cached(
            "SELECT m.src_key, m.record IS NOT NULL FROM data_mapping m LEFT JOIN record r ON r.id = m.record
             WHERE m.scheme = ?1 AND m.target_id = ?2 AND m.target = ?3 AND (?4 IS NULL OR m.form = ?4)
               AND r.target_id IS NULL ORDER BY m.id LIMIT 1",
        )?;
        Ok(statement
            .query_row((&pair.partner, own_id, &back.target, &back.form), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?)
    }

    /// Whether a record that is about to be claimed may go, with the key that its document has now. One whose document
    /// turns out to be there is made anew, as an update of it.
    pub(super) fn may_be_claimed(&mut self, rec: &Rec, now: Ms) -> Result<bool, StoreError> {
        let Some(pair) = self.pair_of(&rec.scheme)? else {
            return Ok(true);
        };
        self.note_name(rec)?;
        let goes = self.may_go(&pair, rec.clone(), &mut None, now)?;
        Ok(goes && self.record(rec.id)?.target_id == rec.target_id)
    }

    /// Another record of the partner that has the row for its document.
    fn other_claimant(&self, pair: &TwoWay, key: &str, known: RecordId) -> Result<Option<Rec>, StoreError> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT record FROM pair_record WHERE scheme = ?1 AND name = ?2 AND record <> ?3 LIMIT 1",
            )?
            .query_row((&pair.partner, key, known.0), |row| row.get(0))
            .optional()?;
        found.map(|id| self.record(RecordId(id))).transpose()
    }

    fn facets_of(&self, record: RecordId, version: &str) -> Result<Option<Vec<Facet>>, StoreError> {
        let text: Option<String> = self
            .conn
            .prepare_cached("SELECT facets FROM row_facets WHERE record = ?1 AND version = ?2")?
            .query_row((record.0, version), |row| row.get(0))
            .optional()?;
        Ok(text.as_deref().map(read))
    }

    /// The fields of a row that say neither what the partner wrote last nor what they said when the row was last taken
    /// over.
    fn news(
        &self,
        pair: &TwoWay,
        rec: Option<&Rec>,
        partner: &Rec,
        (version, facets): (&str, &[Facet]),
    ) -> Result<Vec<String>, StoreError> {
        let kept = self.kept(partner.id)?;
        // A write that somebody gave up on may have been executed all the same.
        let maybe: &[Facet] = if partner.maybe_sent { &kept.intent } else { &[] };
        let taken = rec.and_then(|rec| rec.done_version.as_deref().map(|done| (rec.id, done)));
        // Written before they were a pair, and nothing is known of what: as it is met first, so it was.
        let is_base = taken.is_none()
            && kept.wrote.is_empty()
            && kept.attempt.is_none()
            && partner.done_version.is_some()
            && partner.target_id.is_some()
            && rec.is_none_or(|rec| rec.attempt.is_none());
        if is_base {
            return Ok(Vec::new());
        }
        let before = match taken {
            Some((_, done)) if done == version => Some(facets.to_vec()),
            Some((id, done)) => self.facets_of(id, done)?,
            None => None,
        };
        let says = |facets: &[Facet], field: &str| {
            let found = facets.iter().find(|facet| facet.field == field);
            found.map(|facet| facet.hash)
        };
        let is_news = |facet: &&Facet| {
            let fits = |said: Option<u64>| said == Some(facet.hash);
            if fits(says(maybe, &facet.field)) {
                return false;
            }
            if let Some(wrote) = says(&kept.wrote, &facet.field) {
                return wrote != facet.hash;
            }
            match before.as_deref().map(|before| says(before, &facet.field)) {
                Some(Some(before)) => before != facet.hash,
                // Never seen: nothing, or what the other system fills in by itself.
                Some(None) | None => facet.hash != EMPTY && !pair.filled.contains(&facet.field),
            }
        };
        Ok(facets
            .iter()
            .filter(is_news)
            .map(|facet| facet.field.clone())
            .collect())
    }

    /// What a row on a page is, as far as that is certain.
    pub(super) fn meet(
        &self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
        rec: Option<&Rec>,
    ) -> Result<Met, StoreError> {
        let Some(paired) = &row.paired else {
            return Ok(Met::Usual);
        };
        let refused = row.invalid.is_some() || row.filtered.is_some();
        if refused || page.store_only || page.on_seen == OnSeen::Skip {
            return Ok(Met::Usual);
        }
        let Some(pair) = self.pair_of(page.scheme)? else {
            return Ok(Met::Usual);
        };
        let is_out = |rec: &Rec| {
            let state = matches!(
                rec.state(),
                RecordState::Sending | RecordState::Unknown | RecordState::Held
            );
            state || rec.maybe_sent || rec.step.is_some()
        };
        if rec.is_some_and(is_out) {
            return Ok(Met::Usual);
        }
        let Some(partner) = self.partner_id(&pair, &row.key, rec, paired.own_id.as_deref())? else {
            return Ok(Met::Usual);
        };
        let partner = self.record(partner)?;
        if partner.in_doubt() {
            return Ok(Met::Usual);
        }
        let document = match rec {
            Some(rec) => rec.target_id.clone(),
            None => self.document_ahead(page.scheme, &row.key)?,
        };
        if differ(&document, &self.kept(partner.id)?.own_id) || differ(&partner.target_id, &paired.own_id) {
            // They are not each other's: it is held when it is picked.
            return Ok(Met::Usual);
        }
        if let Some(rec) = rec
            && self.kept(rec.id)?.won
        {
            let pending = rec.state() == RecordState::Pending && rec.version != version;
            return Ok(if pending { Met::News } else { Met::Usual });
        }
        let news = self.news(&pair, rec, &partner, (version, &paired.facets))?;
        let same = rec.is_some_and(|rec| {
            rec.version == version && matches!(rec.state(), RecordState::Done | RecordState::Skipped)
        });
        Ok(match (news.is_empty(), same) {
            (true, true) | (false, false) => Met::Usual,
            (true, false) => Met::Echo(Box::new(partner)),
            (false, true) if rec.is_some_and(|rec| !rec.comes_again(version, &partner)) => Met::Usual,
            // As it was before the partner wrote. An older state that is told late says so itself.
            (false, true) if row.rank.is_some() && !self.is_newer(rec, row)? => Met::Usual,
            (false, true) => Met::News,
        })
    }

    fn is_newer(&self, rec: Option<&Rec>, row: &StagedRow) -> Result<bool, StoreError> {
        let newest = rec.map(|rec| self.newest(rec)).transpose()?.flatten();
        Ok(row.rank > newest)
    }

    fn newest(&self, rec: &Rec) -> Result<Option<i64>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT newest FROM record WHERE id = ?1")?;
        Ok(statement.query_row([rec.id.0], |row| row.get(0))?)
    }

    /// A row that the partner wrote: the record is as done as if this scheme had written it back.
    pub(super) fn echo(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
        rec: Option<Rec>,
        partner: &Rec,
    ) -> Result<RecordId, StoreError> {
        let mut rec = match rec {
            Some(mut rec) => {
                if rec.state() == RecordState::Pending {
                    self.supersede(page.run, rec.id, &rec.version)?;
                }
                rec.renew(version.to_owned(), row.label.clone(), row.void);
                rec
            }
            None => {
                let new = NewRecord {
                    scheme: page.scheme,
                    key: &row.key,
                    label: &row.label,
                    version,
                    void: row.void,
                    state: RecordState::Done,
                    filtered: false,
                    reason: None,
                    now: page.now,
                };
                let record = self.insert_record(&new, Cause::Pair)?;
                let source = self.blob(row.source)?;
                self.conn
                    .prepare_cached("INSERT INTO body (record, source) VALUES (?1, ?2)")?
                    .execute((record.0, source))?;
                self.take_mapping(page.scheme, &row.key, record)?;
                self.record(record)?
            }
        };
        let id = rec.id;
        self.come_back(&mut rec, partner, page.now)?;
        self.replace(page, row, rec)?;
        Ok(id)
    }

    /// The record is done without a write of its own. The caller saves it.
    fn come_back(&mut self, rec: &mut Rec, partner: &Rec, now: Ms) -> Result<(), StoreError> {
        self.enter(rec, RecordState::Done, Cause::Pair, now)?;
        rec.done_version = Some(rec.version.clone());
        rec.done_ms = Some(now);
        rec.reason = None;
        rec.not_before = None;
        rec.attempts = 0;
        let kept = self.kept(partner.id)?;
        self.link(rec, &kept);
        if let Some(pair) = self.pair_of(&rec.scheme)? {
            self.map_linked(rec, &pair, now)?;
        }
        self.note(rec, "echo", (partner, kept.attempt), &[], now)?;
        self.took_over(rec)
    }

    /// The document that the partner's row is becomes the document of this record.
    fn link(&self, rec: &mut Rec, kept: &Kept) {
        if rec.target_id.is_none() && kept.own_id.is_some() {
            rec.target_id.clone_from(&kept.own_id);
            rec.suspect = None;
        }
    }

    /// What of a row must be known later, when it was taken.
    pub(super) fn keep_facets(
        &self,
        scheme: &str,
        record: RecordId,
        version: &str,
        paired: &Paired,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO pair_record (record, scheme, own_id) VALUES (?1, ?2, ?3)
                 ON CONFLICT (record) DO UPDATE SET own_id = coalesce(excluded.own_id, own_id)
                 WHERE own_id IS NOT excluded.own_id",
            )?
            .execute((record.0, scheme, &paired.own_id))?;
        self.conn
            .prepare_cached(
                "INSERT INTO row_facets (record, version, facets) VALUES (?1, ?2, ?3)
                 ON CONFLICT (record, version) DO UPDATE SET facets = excluded.facets
                 WHERE facets <> excluded.facets",
            )?
            .execute((record.0, version, written(&paired.facets)))?;
        self.conn
            .prepare_cached(
                "DELETE FROM row_facets WHERE record = ?1 AND NOT EXISTS (
                    SELECT 1 FROM record r WHERE r.id = ?1
                     AND row_facets.version IN (r.version, coalesce(r.waiting_version, ''), coalesce(r.done_version, '')))",
            )?
            .execute([record.0])?;
        Ok(())
    }

    /// Before records are picked: what came back is done, what met is decided, what cannot be judged yet waits. Goes on
    /// until enough are left to be written.
    pub(super) fn weigh(
        &mut self,
        pair: &TwoWay,
        scheme: &str,
        now: Ms,
        after: Option<RecordId>,
        limit: u32,
    ) -> Result<(), StoreError> {
        let (mut after, mut left) = (after.map_or(0, |after| after.0), limit);
        let mut doubtful = None;
        loop {
            let ids: Vec<i64> = self
                .conn
                .prepare_cached(
                    "SELECT id FROM record WHERE scheme = ?1 AND state = 'pending' AND id > ?2
                       AND (not_before_ms IS NULL OR not_before_ms <= ?3) ORDER BY id LIMIT ?4",
                )?
                .query_map((scheme, after, now, PAGE), |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            let Some(last) = ids.last() else { return Ok(()) };
            after = *last;
            for id in ids {
                if self.may_go(pair, self.record(RecordId(id))?, &mut doubtful, now)? {
                    left = left.saturating_sub(1);
                    if left == 0 {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Whether a pending record may be written now; if not, it is not pending any more, or waits.
    fn may_go(
        &mut self,
        pair: &TwoWay,
        mut rec: Rec,
        doubtful: &mut Doubtful,
        now: Ms,
    ) -> Result<bool, StoreError> {
        // What is written already is brought to its end.
        if rec.step.is_some() {
            return Ok(true);
        }
        let Some(partner) = self.partner_id(pair, &rec.key, Some(&rec), None)? else {
            return self.meets_nobody(pair, rec, doubtful, now);
        };
        let partner = self.record(partner)?;
        // Who wants it as it was stored has not seen what the other side says by now.
        if rec.as_stored.is_some() || rec.maybe_sent && rec.target_id.is_some() {
            return self.may_go_again(pair, rec, partner, now);
        }
        let kept = self.kept(partner.id)?;
        let own = rec.target_id.clone().or(kept.own_id.clone());
        if let (Some(document), Some(own_id)) = (&partner.target_id, self.kept(rec.id)?.own_id)
            && *document != own_id
        {
            let why = self.doubled(&Some(own_id), document, &partner);
            self.enter(&mut rec, RecordState::Held, Cause::Pair, now)?;
            rec.reason = Some(why);
            self.save(&rec)?;
            return Ok(false);
        }
        let doubled = match (&own, self.other_claimant(pair, &rec.key, partner.id)?) {
            (Some(one), Some(other)) => Some((one, other)),
            (Some(one), None) if kept.own_id.as_ref().is_some_and(|id| id != one) => {
                Some((one, partner.clone()))
            }
            _ => None,
        };
        if let Some((one, other)) = doubled {
            let facts = [
                ("one", one.clone()),
                ("other", self.kept(other.id)?.own_id.unwrap_or_default()),
                ("holder", other.title()),
            ];
            let why = self.own_reason(reason::DOUBLED, &facts);
            self.enter(&mut rec, RecordState::Held, Cause::Pair, now)?;
            rec.reason = Some(why);
            self.save(&rec)?;
            return Ok(false);
        }
        if rec.target_id.is_none() && kept.own_id.is_some() {
            self.link(&mut rec, &kept);
            self.save(&rec)?;
        }
        if rec.maybe_sent {
            // Two that wait to be sent again do not wait for each other.
            let is_out = matches!(partner.state(), RecordState::Sending | RecordState::Unknown);
            return if is_out {
                self.wait(rec, partner.title(), now)
            } else {
                self.may_go_again(pair, rec, partner, now)
            };
        }
        if partner.in_doubt() {
            return self.wait(rec, partner.title(), now);
        }
        let Some(fields) = self.unread_news(pair, &rec, &partner)? else {
            // Staged before they were a pair: nothing is known against it.
            return Ok(true);
        };
        if fields.is_empty() && !self.kept(rec.id)?.won {
            self.has_come_back(rec, &partner, now)?;
            return Ok(false);
        }
        if let Some(field) = self.to_and_fro(&rec, &partner, &fields)? {
            let facts = [("field", field), ("holder", partner.title())];
            let why = self.own_reason(reason::TO_AND_FRO, &facts);
            self.enter(&mut rec, RecordState::Held, Cause::Pair, now)?;
            rec.reason = Some(why);
            self.save(&rec)?;
            return Ok(false);
        }
        if !partner.is_undelivered() {
            return Ok(true);
        }
        let back = self.pair_of(&pair.partner)?;
        let theirs = match &back {
            Some(back) => self.unread_news(back, &partner, &rec)?,
            None => None,
        };
        // What waits beside a held version is newer than what was compared.
        if theirs.is_some_and(|theirs| theirs.is_empty()) && partner.waiting.is_none() {
            return Ok(true);
        }
        // Cancelled on both sides: what each wants of the other is so already.
        if rec.void && partner.void && partner.state() == RecordState::Pending && partner.waiting.is_none() {
            let other = rec.clone();
            self.has_come_back(rec, &partner, now)?;
            self.has_come_back(partner, &other, now)?;
            return Ok(false);
        }
        self.decide_conflict(pair, rec, partner, &fields, now)
    }

    /// A record that was picked is done without a write of its own, and its row was no news.
    fn has_come_back(&mut self, mut rec: Rec, partner: &Rec, now: Ms) -> Result<(), StoreError> {
        self.come_back(&mut rec, partner, now)?;
        self.conn
            .prepare_cached(
                "UPDATE sighting SET outcome = 'unchanged'
                 WHERE record = ?1 AND version = ?2 AND outcome IN ('new', 'changed')
                   AND run = (SELECT max(run) FROM sighting WHERE record = ?1)",
            )?
            .execute((rec.id.0, &rec.version))?;
        self.save(&rec)
    }

    /// A record that may have been executed is sent again, unless that would bury what somebody wrote since: what says
    /// neither what was there before nor what it may have written.
    fn may_go_again(&mut self, pair: &TwoWay, rec: Rec, partner: Rec, now: Ms) -> Result<bool, StoreError> {
        let back = self.pair_of(&pair.partner)?;
        if let (Some(back), true) = (back, partner.is_undelivered())
            && let Some(theirs) = self.unread_news(&back, &partner, &rec)?
            && !theirs.is_empty()
        {
            return self.decide_conflict(pair, rec, partner, &theirs, now);
        }
        Ok(true)
    }

    fn unread_news(
        &self,
        pair: &TwoWay,
        rec: &Rec,
        partner: &Rec,
    ) -> Result<Option<Vec<String>>, StoreError> {
        match self.facets_of(rec.id, &rec.version)? {
            Some(facets) => self
                .news(pair, Some(rec), partner, (&rec.version, &facets))
                .map(Some),
            None => Ok(None),
        }
    }

    /// Both sides changed. Whether the record in hand may be written.
    fn decide_conflict(
        &mut self,
        pair: &TwoWay,
        mut rec: Rec,
        partner: Rec,
        fields: &[String],
        now: Ms,
    ) -> Result<bool, StoreError> {
        let wins = match pair.conflict {
            Conflict::Hold => None,
            Conflict::SourceWins => Some(true),
            Conflict::TargetWins => Some(false),
            Conflict::NewestWins => match (self.newest(&rec)?, self.newest(&partner)?) {
                (Some(one), Some(other)) if one != other => Some(one > other),
                _ => None,
            },
        };
        match wins {
            Some(true) => {
                self.win(&rec, &partner, fields, now)?;
                self.lose(partner, &rec, pair.conflict.word(), Cause::Pair, now)?;
                Ok(true)
            }
            // A winner that is not written stops the other one, too: somebody must look.
            Some(false) if partner.state() == RecordState::Pending => {
                self.win(&partner, &rec, &[], now)?;
                self.lose(rec, &partner, pair.conflict.word(), Cause::Pair, now)?;
                Ok(false)
            }
            Some(false) | None => {
                self.hold_conflict(&mut rec, &partner, fields, now)?;
                if partner.state() == RecordState::Pending {
                    let mut partner = partner;
                    self.hold_conflict(&mut partner, &rec, &[], now)?;
                }
                Ok(false)
            }
        }
    }

    fn hold_conflict(
        &mut self,
        rec: &mut Rec,
        other: &Rec,
        fields: &[String],
        now: Ms,
    ) -> Result<(), StoreError> {
        let facts = [("holder", other.title()), ("fields", listed(fields))];
        let why = self.own_reason(reason::CONFLICT, &facts);
        self.note(rec, "held", (other, None), fields, now)?;
        self.enter(rec, RecordState::Held, Cause::Pair, now)?;
        rec.reason = Some(why);
        rec.not_before = None;
        self.save(rec)
    }

    /// What the other side said is to be replaced by what this record's row says.
    fn win(&self, rec: &Rec, loser: &Rec, fields: &[String], now: Ms) -> Result<(), StoreError> {
        self.note(rec, "won", (loser, None), fields, now)?;
        self.conn
            .prepare_cached("UPDATE pair_record SET won = 1 WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// The newest version of a record is not written: the other side won. Its row is kept with the note.
    fn lose(
        &mut self,
        mut rec: Rec,
        winner: &Rec,
        why: &str,
        cause: Cause,
        now: Ms,
    ) -> Result<(), StoreError> {
        // A person decided about what was there to be seen when it was held; what came after meets once more.
        if let Some(waiting) = rec.waiting.take_if(|_| cause != Cause::Decide) {
            rec.renew(waiting.version, waiting.label, waiting.void);
            self.conn
                .prepare_cached("UPDATE body SET source = waiting, waiting = NULL WHERE record = ?1")?
                .execute([rec.id.0])?;
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET won = 0 WHERE record = ?1")?
            .execute([rec.id.0])?;
        let facts = [("holder", winner.title()), ("why", why.to_owned())];
        let reason = self.own_reason(reason::LOST_CONFLICT, &facts);
        self.note(&rec, "lost", (winner, None), &[], now)?;
        self.enter(&mut rec, RecordState::Skipped, cause, now)?;
        rec.reason = Some(reason);
        rec.not_before = None;
        self.promote(rec, now)
    }

    /// A person wants one side of a conflict written: the other one lost.
    pub(super) fn settle_conflict(&mut self, rec: &Rec, now: Ms) -> Result<(), StoreError> {
        let is_for = |code| rec.reason.as_ref().is_some_and(|why| why.code == code);
        let (is_conflict, is_to_and_fro) = (is_for(reason::CONFLICT), is_for(reason::TO_AND_FRO));
        let Some(pair) = self
            .pair_of(&rec.scheme)?
            .filter(|_| is_conflict || is_to_and_fro)
        else {
            return Ok(());
        };
        let Some(partner) = self.partner_id(&pair, &rec.key, Some(rec), None)? else {
            return Ok(());
        };
        if is_to_and_fro {
            self.conn
                .prepare_cached("DELETE FROM pair_said WHERE record = ?1")?
                .execute([partner.0])?;
            return Ok(());
        }
        let partner = self.record(partner)?;
        if partner.is_undelivered() {
            self.win(rec, &partner, &[], now)?;
            self.lose(partner, rec, "retry", Cause::Decide, now)?;
        }
        Ok(())
    }

    /// A document of the other side that has two here.
    pub(super) fn doubled(&self, one: &Option<String>, other: &str, holder: &Rec) -> Reason {
        let facts = [
            ("one", one.clone().unwrap_or_default()),
            ("other", other.to_owned()),
            ("holder", holder.title()),
        ];
        self.own_reason(reason::DOUBLED, &facts)
    }

    /// Records of the partner that have a record's row for their document, and whose row is not the document with this
    /// id.
    pub(super) fn linked_besides(&self, rec: &Rec, id: &str) -> Result<Vec<Rec>, StoreError> {
        let Some(pair) = self.pair_of(&rec.scheme)? else {
            return Ok(Vec::new());
        };
        let ids: Vec<i64> = self
            .conn
            .prepare_cached(
                "SELECT record FROM pair_record WHERE scheme = ?1 AND name = ?2 AND own_id <> ?3 ORDER BY record",
            )?
            .query_map((&pair.partner, &rec.key, id), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        ids.into_iter().map(|id| self.record(RecordId(id))).collect()
    }

    /// What was written is said by a document that is not the record's any more. False: it is one of no pair.
    pub(super) fn forget_written(&self, rec: &Rec) -> Result<bool, StoreError> {
        if self.pair_of(&rec.scheme)?.is_none() {
            return Ok(false);
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET wrote = NULL, intent = NULL WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(true)
    }

    /// Nobody knows yet whose value the row holds, or whose document it is.
    fn wait(&mut self, mut rec: Rec, holder: String, now: Ms) -> Result<bool, StoreError> {
        self.enter(&mut rec, RecordState::Pending, Cause::Refuse, now)?;
        rec.reason = Some(self.own_reason(reason::PARTNER_IN_DOUBT, &[("holder", holder)]));
        rec.waits_since.get_or_insert(now);
        rec.not_before = Some(now + TRY_AGAIN);
        self.save(&rec)?;
        Ok(false)
    }

    /// A record of the partner that may have made a document under a name that nobody knows. One that the target was
    /// asked about because it was suspect, and that was never sent by this ledger, has made none: else two such records
    /// would wait for each other. What was given up in doubt counts until somebody says what became of it.
    fn somebody_unnamed(&self, pair: &TwoWay) -> Result<Option<String>, StoreError> {
        let by_id = pair.named_by == NamedBy::Id;
        let mut statement = self.conn.prepare_cached(
            "SELECT src_key FROM record WHERE scheme = ?1 AND state = 'sending' AND target_id IS NULL
                AND (?2 OR tkey IS NULL)
             UNION ALL
             SELECT src_key FROM record WHERE scheme = ?1 AND state = 'unknown' AND target_id IS NULL
                AND (?2 OR tkey IS NULL)
             UNION ALL
             SELECT r.src_key FROM record r LEFT JOIN pair_record p ON p.record = r.id
             WHERE r.scheme = ?1 AND r.target_id IS NULL AND (r.maybe_sent <> 0 OR r.suspect IS NOT NULL)
                AND (?2 OR r.tkey IS NULL)
                AND CASE r.state WHEN 'pending' THEN r.maybe_sent <> 0 AND r.attempt IS NOT NULL
                        WHEN 'held' THEN 1
                        WHEN 'dead' THEN (r.maybe_sent <> 0 OR r.attempt IS NOT NULL) AND coalesce(p.not_made, 0) = 0
                        WHEN 'skipped' THEN r.maybe_sent <> 0 AND coalesce(p.not_made, 0) = 0
                        ELSE 0 END
             LIMIT 1",
        )?;
        let key: Option<String> = statement
            .query_row((&pair.partner, by_id), |row| row.get(0))
            .optional()?;
        Ok(key.map(|key| format!("{} {key}", pair.partner)))
    }

    fn note(
        &self,
        rec: &Rec,
        what: &str,
        (partner, attempt): (&Rec, Option<i64>),
        fields: &[String],
        now: Ms,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO two_way_note (record, at_ms, what, version, partner, partner_version, attempt, fields, source)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8,
                         CASE ?3 WHEN 'lost' THEN (SELECT source FROM body WHERE record = ?1) END)",
            )?
            .execute(params![
                rec.id.0,
                now,
                what,
                rec.version,
                partner.id.0,
                partner.version,
                attempt,
                fields.join("\n"),
            ])?;
        self.conn
            .prepare_cached(
                "DELETE FROM two_way_note WHERE record = ?1 AND id <= (
                    SELECT id FROM two_way_note WHERE record = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
            )?
            .execute((rec.id.0, NOTES))?;
        Ok(())
    }
}

/// Both are known, and are not the same.
fn differ(one: &Option<String>, other: &Option<String>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

/// Some of the fields, for a sentence.
fn listed(fields: &[String]) -> String {
    let mut shown: Vec<&str> = fields.iter().take(NAMED).map(String::as_str).collect();
    if fields.len() > NAMED {
        shown.push("…");
    }
    if shown.is_empty() {
        "-".to_owned()
    } else {
        shown.join(", ")
    }
}

/// A line a field: hash, field. A line break in a name would be read as two names, of which none is met again: its
/// field is news then.
fn written(facets: &[Facet]) -> String {
    let mut text = String::new();
    for facet in facets {
        writeln!(text, "{:016x} {}", facet.hash, facet.field).expect("writing to a text");
    }
    text
}

fn read(text: &str) -> Vec<Facet> {
    let facet = |line: &str| {
        let (hash, field) = line.split_once(' ')?;
        Some(Facet {
            field: field.to_owned(),
            hash: u64::from_str_radix(hash, 16).ok()?,
        })
    };
    text.lines().filter_map(facet).collect()
}
