//! What is kept of the records of a pair: what was written, what is being written, what a row said, what was decided.

use std::fmt::Write;

use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{ClaimRow, Facet, Paired, RecordState};
use rusqlite::{OptionalExtension, params};

use crate::apply::Cx;
use crate::apply::record::Rec;
use crate::error::StoreError;
use crate::read::one_key;
use crate::two_way::NamedBy;

/// Notes kept of one record, the newest: a document that is edited on both sides every minute.
const NOTES: i64 = 20;

/// What is kept of a record of a pair.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) own_id: Option<String>,
    pub(super) wrote: Vec<Facet>,
    pub(super) attempt: Option<i64>,
    pub(super) intent: Vec<Facet>,
    pub(super) won: bool,
}

impl Cx<'_> {
    /// Keeps under which key the partner meets the record's document.
    pub(in crate::apply) fn note_name(&self, rec: &Rec) -> Result<(), StoreError> {
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
    pub(in crate::apply) fn may_have_made(&self, rec: &Rec) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE pair_record SET not_made = 0 WHERE record = ?1 AND not_made <> 0")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// A person says that nothing came of its sends so far.
    pub(in crate::apply) fn made_nothing(&self, rec: &Rec) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE pair_record SET not_made = 1 WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// A claim: what its document will say once it is executed.
    pub(in crate::apply) fn intends(
        &self,
        rec: &Rec,
        row: &ClaimRow,
        attempt: AttemptId,
    ) -> Result<(), StoreError> {
        if row.step.is_some() || self.pair_of(&rec.scheme)?.is_none() {
            return Ok(());
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET intent = ?2, attempt = ?3 WHERE record = ?1")?
            .execute((rec.id.0, written(&row.wrote), attempt.0))?;
        Ok(())
    }

    /// The last claim was not executed.
    pub(in crate::apply) fn intended_nothing(&self, rec: &Rec) -> Result<(), StoreError> {
        if rec.maybe_sent || self.pair_of(&rec.scheme)?.is_none() {
            return Ok(());
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET intent = NULL WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// The last claim was executed: its fields say what it meant them to.
    pub(in crate::apply) fn wrote(&self, rec: &Rec) -> Result<(), StoreError> {
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
    pub(in crate::apply) fn took_over(&self, rec: &Rec) -> Result<(), StoreError> {
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
    pub(in crate::apply) fn gave_up(&self, rec: &Rec) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("UPDATE pair_record SET won = 0 WHERE record = ?1 AND won <> 0")?
            .execute([rec.id.0])?;
        Ok(())
    }

    pub(super) fn kept(&self, record: RecordId) -> Result<Kept, StoreError> {
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

    pub(super) fn facets_of(
        &self,
        record: RecordId,
        version: &str,
    ) -> Result<Option<Vec<Facet>>, StoreError> {
        let text: Option<String> = self
            .conn
            .prepare_cached("SELECT facets FROM row_facets WHERE record = ?1 AND version = ?2")?
            .query_row((record.0, version), |row| row.get(0))
            .optional()?;
        Ok(text.as_deref().map(read))
    }

    /// What of a row must be known later, when it was taken.
    pub(in crate::apply) fn keep_facets(
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

    /// What a row that is taken over says in the place of what the partner wrote, and how often it has said just that
    /// for just that. A row that says what was written has ended it.
    pub(super) fn note_said(&self, rec: &Rec, partner: RecordId) -> Result<(), StoreError> {
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

    /// What was written is said by a document that is not the record's any more. False: it is one of no pair.
    pub(in crate::apply) fn forget_written(&self, rec: &Rec) -> Result<bool, StoreError> {
        if self.pair_of(&rec.scheme)?.is_none() {
            return Ok(false);
        }
        self.conn
            .prepare_cached("UPDATE pair_record SET wrote = NULL, intent = NULL WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(true)
    }

    pub(super) fn note(
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

/// A line a field: hash, field. A line break in a name would be read as two names, of which none is met again: its
/// field is news then.
pub(super) fn written(facets: &[Facet]) -> String {
    let mut text = String::new();
    for facet in facets {
        writeln!(text, "{:016x} {}", facet.hash, facet.field).expect("writing to a text");
    }
    text
}

pub(super) fn read(text: &str) -> Vec<Facet> {
    let facet = |line: &str| {
        let (hash, field) = line.split_once(' ')?;
        Some(Facet {
            field: field.to_owned(),
            hash: u64::from_str_radix(hash, 16).ok()?,
        })
    };
    text.lines().filter_map(facet).collect()
}
