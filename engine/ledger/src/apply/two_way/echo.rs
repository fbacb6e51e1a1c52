//! What of a row is news, and what came back.

use flow::ids::{Ms, RecordId};
use flow::op::{EMPTY, Facet, OnSeen, RecordState, StagedRow};

use super::Met;
use super::kept::Kept;
use crate::apply::Cx;
use crate::apply::record::{Cause, NewRecord, Rec};
use crate::apply::stage::Page;
use crate::error::StoreError;
use crate::two_way::TwoWay;

impl Cx<'_> {
    /// The fields of a row that say neither what the partner wrote last nor what they said when the row was last taken
    /// over.
    pub(super) fn news(
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
    pub(in crate::apply) fn meet(
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

    pub(super) fn is_newer(&self, rec: Option<&Rec>, row: &StagedRow) -> Result<bool, StoreError> {
        let newest = rec.map(|rec| self.newest(rec)).transpose()?.flatten();
        Ok(row.rank > newest)
    }

    pub(super) fn newest(&self, rec: &Rec) -> Result<Option<i64>, StoreError> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT newest FROM record WHERE id = ?1")?;
        Ok(statement.query_row([rec.id.0], |row| row.get(0))?)
    }

    /// A row that the partner wrote: the record is as done as if this scheme had written it back.
    pub(in crate::apply) fn echo(
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
    pub(super) fn come_back(&mut self, rec: &mut Rec, partner: &Rec, now: Ms) -> Result<(), StoreError> {
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

    /// A record that was picked is done without a write of its own, and its row was no news.
    pub(super) fn has_come_back(&mut self, mut rec: Rec, partner: &Rec, now: Ms) -> Result<(), StoreError> {
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

    /// The document that the partner's row is becomes the document of this record.
    pub(super) fn link(&self, rec: &mut Rec, kept: &Kept) {
        if rec.target_id.is_none() && kept.own_id.is_some() {
            rec.target_id.clone_from(&kept.own_id);
            rec.suspect = None;
        }
    }

    pub(super) fn unread_news(
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
}

/// Both are known, and are not the same.
fn differ(one: &Option<String>, other: &Option<String>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}
