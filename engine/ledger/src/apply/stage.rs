//! A page of rows: which are new, which change a record, which change nothing.
//!
//! Rows are taken in the order of their keys, because scattered inserts are several times slower; two rows with the
//! same key keep the order of the page. A row that is not stored in the open (unchanged, filtered) still leaves a
//! sighting, so the counts of a run add up.

use std::borrow::Cow;

use flow::ids::{Ms, RecordId, RunId, WindowId};
use flow::op::{OnSeen, RecordState, SightingOutcome, StagedRow, SuspectKind};

use super::record::{Cause, NewRecord, Rec, Waiting};
use super::suspect::Doubt;
use super::two_way::Met;
use super::{Bytes, Cx};
use crate::error::StoreError;

/// Where the rows come from and how they are taken.
#[derive(Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) run: RunId,
    pub(super) window: WindowId,
    pub(super) scheme: &'a str,
    pub(super) number: u32,
    pub(super) on_seen: OnSeen,
    /// The scheme changes documents that are written.
    pub(super) updates: bool,
    pub(super) store_only: bool,
    /// Its rows may have been written by somebody else.
    pub(super) doubt: Option<Doubt>,
    /// Whoever takes its rows takes what somebody else may have taken before.
    pub(super) told: Option<SuspectKind>,
    /// Others read the rows of this scheme.
    pub(super) published: Option<&'a str>,
    /// Another system asks for the rows of this scheme by time.
    pub(super) served: bool,
    pub(super) now: Ms,
}

/// What a page came to.
#[derive(Default)]
pub(super) struct Counted {
    /// In the order of `SightingOutcome::ALL`.
    pub(super) outcomes: [u64; 6],
    pub(super) fresh: u64,
}

/// The version as the ledger keeps it: a cancelled row differs from the same row before.
pub(super) fn stored_version(row: &StagedRow) -> Cow<'_, str> {
    if row.void {
        Cow::Owned(format!("{}-void", row.version))
    } else {
        Cow::Borrowed(&row.version)
    }
}

/// The earlier sightings of a record in this run.
#[derive(Default)]
struct Seen {
    next: i64,
    in_window: bool,
}

impl Cx<'_> {
    pub(super) fn stage_page(&mut self, page: &Page<'_>, rows: &[StagedRow]) -> Result<Counted, StoreError> {
        self.check_page(page)?;
        let doubt = self.doubt_of(page)?;
        let page = &Page {
            doubt: doubt.filter(|_| !page.store_only),
            told: doubt.map(|doubt| doubt.kind),
            published: self.is_published(page.scheme)?.then_some(page.scheme),
            served: self.is_served(page.scheme)?,
            ..*page
        };
        let mut sorted: Vec<&StagedRow> = rows.iter().collect();
        sorted.sort_by(|a, b| a.key.cmp(&b.key));
        let mut counted = Counted::default();
        for row in sorted {
            let (outcome, fresh) = self.stage_row(page, row)?;
            let place = SightingOutcome::ALL.iter().position(|known| *known == outcome);
            counted.outcomes[place.expect("ALL lists every outcome")] += 1;
            counted.fresh += u64::from(fresh);
        }
        Ok(counted)
    }

    fn stage_row(&mut self, page: &Page<'_>, row: &StagedRow) -> Result<(SightingOutcome, bool), StoreError> {
        // A row carries the doubt of the record that gave it, however late it comes.
        let given = row.doubt.filter(|_| !page.store_only).map(|kind| Doubt {
            kind,
            ask_after: page.now,
        });
        let page = &Page {
            doubt: page.doubt.or(given),
            told: page.told.or(row.doubt),
            ..*page
        };
        let version = stored_version(row);
        let known = self.record_of_key(page.scheme, &row.key)?;
        let was_void = known.as_ref().is_some_and(Rec::is_newest_void);
        let (record, seen, outcome) = match known {
            None => match self.meet(page, row, &version, None)? {
                Met::Echo(partner) => {
                    let record = self.echo(page, row, &version, None, &partner)?;
                    (record, Seen::default(), SightingOutcome::Unchanged)
                }
                Met::Usual | Met::News => {
                    let (record, outcome) = self.first_sighting(page, row, &version)?;
                    (record, Seen::default(), outcome)
                }
            },
            Some(rec) => {
                let (id, seen) = (rec.id, self.seen(page, rec.id)?);
                let outcome = if self.is_older(id, row)? {
                    SightingOutcome::Superseded
                } else {
                    match self.meet(page, row, &version, Some(&rec))? {
                        Met::Echo(partner) => {
                            self.echo(page, row, &version, Some(rec), &partner)?;
                            SightingOutcome::Unchanged
                        }
                        Met::News => self.instead(page, row, &version, rec, true)?,
                        Met::Usual => self.seen_again(page, row, &version, rec)?,
                    }
                };
                (id, seen, outcome)
            }
        };
        if let (Some(paired), true) = (&row.paired, outcome.is_taken()) {
            self.keep_facets(page.scheme, record, &version, paired)?;
        }
        if let (Some(from), true) = (&row.from, outcome != SightingOutcome::Superseded) {
            self.note_origin(record, from)?;
        }
        self.note_newest(page, record, row, outcome, was_void)?;
        self.conn
            .prepare_cached(
                "INSERT INTO sighting (run, record, seq, window, page, version, outcome, seen_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                page.run.0,
                record.0,
                seen.next,
                page.window.0,
                page.number,
                &version,
                outcome.word(),
                page.now,
            ))?;
        Ok((outcome, !seen.in_window))
    }

    /// Whether the record already has a row that the scheme calls newer. Pages of a replay, of an overlap, or of a copy
    /// of the source that lags behind bring such rows.
    fn is_older(&self, record: RecordId, row: &StagedRow) -> Result<bool, StoreError> {
        let Some(rank) = row.rank else {
            return Ok(false);
        };
        let mut statement = self
            .conn
            .prepare_cached("SELECT newest FROM record WHERE id = ?1")?;
        let newest: Option<i64> = statement.query_row([record.0], |row| row.get(0))?;
        Ok(newest.is_some_and(|newest| rank < newest))
    }

    /// A row that was taken, or would have been but for the scheme's filter, is the newest from now on. A cancellation
    /// that names its record alone says nothing of its time: it is newer than all that was read before, by the least
    /// there is and once, so that a late repetition of what it cancelled is older, and what is made of the record later
    /// is not.
    fn note_newest(
        &self,
        page: &Page<'_>,
        record: RecordId,
        row: &StagedRow,
        outcome: SightingOutcome,
        was_void: bool,
    ) -> Result<(), StoreError> {
        use SightingOutcome::{Changed, Filtered, Invalid, New, Superseded, Unchanged};
        let counts = match outcome {
            New | Changed | Filtered => true,
            Unchanged => page.on_seen != OnSeen::Skip,
            Superseded | Invalid => false,
        };
        if let (Some(rank), true) = (row.rank, counts) {
            self.conn
                .prepare_cached("UPDATE record SET newest = ?2 WHERE id = ?1 AND newest IS NOT ?2")?
                .execute((record.0, rank))?;
        } else if counts && row.bare && row.void && !was_void {
            // The greatest number there is stays an integer.
            self.conn
                .prepare_cached("UPDATE record SET newest = newest + 1 WHERE id = ?1 AND newest < ?2")?
                .execute((record.0, i64::MAX))?;
        }
        Ok(())
    }

    fn seen(&self, page: &Page<'_>, record: RecordId) -> Result<Seen, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT coalesce(max(seq) + 1, 0), coalesce(max(window = ?3), 0) FROM sighting
             WHERE run = ?1 AND record = ?2",
        )?;
        Ok(statement.query_row((page.run.0, record.0, page.window.0), |row| {
            Ok(Seen {
                next: row.get(0)?,
                in_window: row.get(1)?,
            })
        })?)
    }

    fn first_sighting(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
    ) -> Result<(RecordId, SightingOutcome), StoreError> {
        let (state, outcome) = if row.invalid.is_some() {
            (RecordState::Dead, SightingOutcome::Invalid)
        } else if row.filtered.is_some() {
            (RecordState::Skipped, SightingOutcome::Filtered)
        } else if page.store_only {
            (RecordState::Done, SightingOutcome::New)
        } else {
            (RecordState::Pending, SightingOutcome::New)
        };
        let new = NewRecord {
            scheme: page.scheme,
            key: &row.key,
            label: &row.label,
            version,
            void: row.void,
            state,
            filtered: state == RecordState::Skipped,
            reason: row.invalid.as_ref().or(row.filtered.as_ref()),
            now: page.now,
        };
        let record = self.insert_record(&new, page.cause())?;
        let source = self.blob(row.source)?;
        self.conn
            .prepare_cached("INSERT INTO body (record, source) VALUES (?1, ?2)")?
            .execute((record.0, source))?;
        if outcome != SightingOutcome::Invalid {
            self.index_row(page.scheme, record, &row.indexed, false)?;
        }
        match (outcome, row.bare, page.published) {
            (SightingOutcome::New, false, _) => self.tell_of_change(page, record)?,
            // A cancellation of what was never there is no row for whoever is served whole documents.
            (SightingOutcome::New, true, Some(scheme)) => self.note_change(scheme, record, page.told)?,
            _ => {}
        }
        self.take_mapping(page.scheme, &row.key, record)?;
        if let Some(doubt) = page.doubt.filter(|_| state != RecordState::Done) {
            let mut rec = self.record(record)?;
            rec.handed = Some(doubt.kind);
            self.put_in_doubt(&mut rec, doubt, page.now)?;
            self.save(&rec)?;
        }
        Ok((record, outcome))
    }

    fn seen_again(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
        mut rec: Rec,
    ) -> Result<SightingOutcome, StoreError> {
        if row.invalid.is_some() {
            return Ok(SightingOutcome::Invalid);
        }
        let refused_before = rec.state() == RecordState::Skipped && rec.filtered;
        // What the scheme refused is nothing that others are to see.
        let whole = (row.bare && refused_before).then(|| StagedRow {
            bare: false,
            ..row.clone()
        });
        let row = whole.as_ref().unwrap_or(row);
        // A cancellation that was pushed is no matter of a filter: it is about a record that was accepted.
        if let Some(reason) = row.filtered.as_ref().filter(|_| !row.bare || refused_before) {
            // Only a record that was never accepted follows a refused row; another keeps what was accepted.
            if refused_before {
                rec.renew(version.to_owned(), label(row, &rec), row.void);
                rec.filtered = true;
                rec.reason = Some(reason.clone());
                self.replace(page, row, rec)?;
            }
            return Ok(SightingOutcome::Filtered);
        }
        if rec.is_member() {
            return self.member_seen(page, row, version, rec);
        }
        // A dead record was never written: a row that was mended at the source is a new chance, not a second writing.
        // Nor is one that waits for the steps of an older version: whether a line is still in it decides about that line.
        let waits = rec.waiting.as_ref().is_some_and(|waiting| waiting.after);
        if page.on_seen == OnSeen::Skip && !refused_before && !waits && rec.state() != RecordState::Dead {
            return Ok(SightingOutcome::Unchanged);
        }
        match rec.state() {
            RecordState::Sending | RecordState::Unknown | RecordState::Held => {
                self.beside(page, row, version, rec)
            }
            // An earlier attempt may have been executed after all: only the same version again tells what is there.
            // A document that is written goes through the steps that were meant for it.
            RecordState::Pending if rec.maybe_sent || rec.step.is_some() => {
                self.beside(page, row, version, rec)
            }
            // Nor does one that is not changed lose them because its row does.
            RecordState::Dead if rec.step.is_some() && !page.updates && !row.void => {
                self.go_on(page, row, version, rec)
            }
            RecordState::Pending | RecordState::Done | RecordState::Dead | RecordState::Skipped => {
                let again =
                    rec.state() == RecordState::Done && page.on_seen == OnSeen::Update && !page.store_only;
                if rec.version == version && !again && !refused_before {
                    self.refresh(page, row, rec.id)?;
                    return Ok(SightingOutcome::Unchanged);
                }
                self.instead(page, row, version, rec, false)
            }
        }
    }

    /// A step was refused, and the row has changed, while the scheme does not change the document that is written. That is
    /// a new chance for the step, as it is for any dead record; but what goes on is what the document says. The newer
    /// version waits until the steps are through.
    fn go_on(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
        mut rec: Rec,
    ) -> Result<SightingOutcome, StoreError> {
        if rec.newest() == version {
            if rec.waiting.is_none() {
                self.refresh(page, row, rec.id)?;
            }
            return Ok(SightingOutcome::Unchanged);
        }
        // What an earlier call of the step may have made is asked about first: that is for `retry`.
        if rec.version != version && !rec.maybe_sent {
            self.enter(&mut rec, RecordState::Pending, page.cause(), page.now)?;
            rec.attempts = 0;
            rec.not_before = None;
            rec.reason = None;
        }
        self.beside(page, row, version, rec)
    }

    /// A newer version of a record that is out (or in a person's hands): it waits, and replaces an older waiting one.
    fn beside(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
        mut rec: Rec,
    ) -> Result<SightingOutcome, StoreError> {
        if rec.newest() == version {
            return Ok(SightingOutcome::Unchanged);
        }
        let newest = label(row, &rec);
        if let Some(old) = rec.waiting.take() {
            self.supersede(page.run, rec.id, &old.version)?;
        }
        let back = rec.version == version;
        let waits = if back {
            None
        } else {
            rec.waiting = Some(Waiting {
                version: version.to_owned(),
                label: newest.clone(),
                void: row.void,
                after: !page.updates && !row.void,
            });
            Some(self.blob(row.source)?)
        };
        if row.bare && back {
            // What waited is not sent, and is what is known of the record.
            self.conn
                .prepare_cached(
                    "UPDATE body SET source = coalesce(waiting, source), waiting = NULL WHERE record = ?1",
                )?
                .execute([rec.id.0])?;
            rec.label = newest;
        } else if row.bare {
            self.conn
                .prepare_cached("UPDATE body SET waiting = coalesce(waiting, source) WHERE record = ?1")?
                .execute([rec.id.0])?;
        } else {
            self.conn
                .prepare_cached("UPDATE body SET waiting = ?2 WHERE record = ?1")?
                .execute((rec.id.0, waits))?;
        }
        rec.seen = page.now;
        rec.may_be_given(page.doubt);
        self.save(&rec)?;
        self.index_content(page, rec.id, row)?;
        self.tell_of_change(page, rec.id)?;
        Ok(if back {
            SightingOutcome::Unchanged
        } else {
            SightingOutcome::Changed
        })
    }

    /// Another version takes the place of the current one, which is not out; with `news` the same one once more.
    pub(super) fn instead(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        version: &str,
        mut rec: Rec,
        news: bool,
    ) -> Result<SightingOutcome, StoreError> {
        let was_pending = rec.state() == RecordState::Pending;
        if was_pending {
            self.supersede(page.run, rec.id, &rec.version)?;
        }
        // What was voided is to be voided once more, where somebody said that it is there.
        let settled = rec.done_version.as_deref() == Some(version)
            && (!row.void || rec.target_id.is_none() || self.is_voided(&rec)?);
        let back = was_pending && settled && page.on_seen != OnSeen::Update && !news;
        let quiet = rec.quiet_until(page.now);
        if let Some(old) = rec.waiting.take() {
            self.supersede(page.run, rec.id, &old.version)?;
            self.conn
                .prepare_cached(
                    "UPDATE body SET source = coalesce(waiting, source), waiting = NULL WHERE record = ?1",
                )?
                .execute([rec.id.0])?;
        }
        rec.may_be_given(page.doubt);
        rec.renew(version.to_owned(), label(row, &rec), row.void);
        rec.not_before = quiet;
        let outcome = if page.store_only {
            self.enter(&mut rec, RecordState::Done, page.cause(), page.now)?;
            rec.done_version = Some(version.to_owned());
            rec.done_ms = Some(page.now);
            SightingOutcome::Changed
        } else if back {
            self.enter(&mut rec, RecordState::Done, page.cause(), page.now)?;
            SightingOutcome::Unchanged
        } else {
            self.enter(&mut rec, RecordState::Pending, page.cause(), page.now)?;
            SightingOutcome::Changed
        };
        let doubt = page.doubt.or(rec.doubtful().map(|kind| Doubt {
            kind,
            ask_after: quiet.unwrap_or(page.now),
        }));
        if let Some(doubt) = doubt.filter(|_| rec.target_id.is_none() && rec.state() == RecordState::Pending)
        {
            self.put_in_doubt(&mut rec, doubt, page.now)?;
        }
        if let Some(doubt) = page.doubt
            && rec.target_id.is_some()
            && (row.void || self.is_voided(&rec)?)
        {
            // Before a new document is made of it, the target is asked.
            rec.suspect = Some(doubt.kind);
        }
        self.replace(page, row, rec)?;
        Ok(outcome)
    }

    /// A pending record is asked about; another one, and one whose document is known, only remembers that it must be
    /// before it is sent.
    fn put_in_doubt(&mut self, rec: &mut Rec, doubt: Doubt, now: Ms) -> Result<(), StoreError> {
        if rec.state() == RecordState::Pending && rec.target_id.is_none() {
            return self.doubt(rec, doubt.kind, doubt.ask_after, now);
        }
        rec.suspect = Some(doubt.kind);
        Ok(())
    }

    /// What look-ups find of a row. One that says nothing leaves what they found before.
    fn index_content(
        &mut self,
        page: &Page<'_>,
        record: RecordId,
        row: &StagedRow,
    ) -> Result<(), StoreError> {
        match row.bare {
            true => Ok(()),
            false => self.index_row(page.scheme, record, &row.indexed, true),
        }
    }

    /// The row of the current version, its index and the record. Whatever the outcome is called, what others read of the
    /// record is another row now.
    pub(super) fn replace(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        mut rec: Rec,
    ) -> Result<(), StoreError> {
        rec.seen = page.now;
        self.save(&rec)?;
        if !row.bare {
            let source = self.blob(row.source)?;
            self.conn
                .prepare_cached("UPDATE body SET source = ?2 WHERE record = ?1")?
                .execute((rec.id.0, source))?;
        }
        self.index_content(page, rec.id, row)?;
        match rec.filtered {
            true => Ok(()),
            false => self.tell_of_change(page, rec.id),
        }
    }

    /// Those who read the rows of the scheme are to meet this one again: to be called wherever the row that they see is
    /// written, never by what a sighting came to (a row that goes back to what was done is called unchanged).
    pub(super) fn tell_of_change(&self, page: &Page<'_>, record: RecordId) -> Result<(), StoreError> {
        if let Some(scheme) = page.published {
            self.note_change(scheme, record, page.told)?;
        }
        match page.served {
            true => self.note_feed(page.scheme, record, page.now),
            false => Ok(()),
        }
    }

    /// The same version, but fields that the target does not read may have changed; look-ups of other schemes see them.
    pub(super) fn refresh(
        &mut self,
        page: &Page<'_>,
        row: &StagedRow,
        record: RecordId,
    ) -> Result<(), StoreError> {
        if row.bare {
            return Ok(());
        }
        let source: Bytes<'_> = self.blob(row.source)?;
        let changed = self
            .conn
            .prepare_cached("UPDATE body SET source = ?2 WHERE record = ?1 AND source IS NOT ?2")?
            .execute((record.0, source))?;
        if changed > 0 {
            self.tell_of_change(page, record)?;
            self.conn
                .prepare_cached("UPDATE record SET seen_ms = ?2 WHERE id = ?1")?
                .execute((record.0, page.now))?;
            self.index_row(page.scheme, record, &row.indexed, true)?;
        }
        Ok(())
    }

    /// The sighting of this run that brought a version which will not be sent any more.
    pub(super) fn supersede(&self, run: RunId, record: RecordId, version: &str) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "UPDATE sighting SET outcome = 'superseded'
                 WHERE run = ?1 AND record = ?2 AND version = ?3 AND seq =
                    (SELECT max(seq) FROM sighting
                     WHERE run = ?1 AND record = ?2 AND outcome IN ('new', 'changed'))",
            )?
            .execute((run.0, record.0, version))?;
        Ok(())
    }
}

/// What people call a record from now on: what a row that names it alone calls it is its key.
fn label(row: &StagedRow, rec: &Rec) -> String {
    let known = rec.waiting.as_ref().map_or(&rec.label, |waiting| &waiting.label);
    if row.bare { known } else { &row.label }.clone()
}

impl Page<'_> {
    fn cause(&self) -> Cause {
        if self.store_only {
            Cause::Store
        } else {
            Cause::Stage
        }
    }
}
