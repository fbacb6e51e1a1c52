//! Which source record became which document: noted after each write, and set by people.
//!
//! A mapping and the id that its record carries are one truth and change in one transaction. Setting one changes no
//! state. It is refused while a send is under way or in doubt, and a document that was made before it and not yet sent
//! is not sent any more (`retargeted`, looked at by the claim): so no mapping makes a record booked twice.

use flow::ids::{Ms, RecordId};
use flow::op::{AuditNote, RecordState};
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};

use super::record::{Cause, Rec, TargetKey};
use super::{Cx, audit, cut};
use crate::error::{StoreError, reason};
use crate::read::IS_VOIDED;
use crate::service::mapping::{MadeBy, Manner, MappingKey, MappingRuling, SetMapping};
use crate::two_way::TwoWay;
use crate::{Blobs, Ledger};

/// Who writes what the engine learns by itself.
const ENGINE: &str = "engine";

/// Who lets go of a document that was voided, in the history of its mapping.
pub(crate) const LEFT: &str = "voided";

/// A mapping in hand.
struct Known {
    id: i64,
    target_id: Option<String>,
}

/// What somebody said of a source record: the document, and where it is.
struct Said {
    at: TargetKey,
    id: String,
    number: Option<String>,
}

/// Who changed a mapping.
#[derive(Clone, Copy)]
struct By<'a> {
    by: MadeBy,
    who: &'a str,
}

impl Ledger {
    /// Sets mappings, in order, as one transaction. Each is judged by itself.
    pub fn set_mappings(&mut self, wanted: &[SetMapping], now: Ms) -> Result<Vec<MappingRuling>, StoreError> {
        self.on_mappings(|cx| wanted.iter().map(|set| cx.set_mapping(set, now)).collect())
    }

    /// Says what setting them would come to, and leaves everything as it is.
    pub fn try_mappings(&mut self, wanted: &[SetMapping], now: Ms) -> Result<Vec<MappingRuling>, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let blobs = Blobs::new();
        let mut cx = Cx::new(&tx, &blobs, &self.words);
        // Dropped without a commit.
        wanted.iter().map(|set| cx.set_mapping(set, now)).collect()
    }

    /// Takes a mapping away that no write depends on. `seen` as in [`SetMapping::seen`].
    pub fn remove_mapping(
        &mut self,
        at: &MappingKey,
        seen: Option<&Option<String>>,
        (by, who): (MadeBy, &str),
        now: Ms,
    ) -> Result<MappingRuling, StoreError> {
        self.on_mappings(|cx| cx.remove_mapping(at, seen, By { by, who }, now))
    }

    fn on_mappings<T>(
        &mut self,
        work: impl FnOnce(&mut Cx<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let blobs = Blobs::new();
        let mut cx = Cx::new(&tx, &blobs, &self.words);
        let done = work(&mut cx)?;
        cx.write_counts()?;
        drop(cx);
        tx.commit()?;
        Ok(done)
    }
}

impl Cx<'_> {
    /// After a write: the document that the record became.
    pub(super) fn map_written(&self, rec: &Rec, now: Ms) -> Result<(), StoreError> {
        match &rec.target {
            Some(at) => self.map_record(rec, at, now),
            None => Ok(()),
        }
    }

    /// A record whose document came from the scheme that carries the same ones the other way.
    pub(super) fn map_linked(&self, rec: &Rec, pair: &TwoWay, now: Ms) -> Result<(), StoreError> {
        if rec.target_id.is_none() {
            return Ok(());
        }
        let announced = pair.form.as_ref().map(|form| TargetKey {
            target: pair.target.clone(),
            form: form.clone(),
            tkey: None,
        });
        // Else it writes several kinds, and has not said which this one is.
        let Some(at) = rec.target.as_ref().or(announced.as_ref()) else {
            return Ok(());
        };
        let key = MappingKey {
            scheme: rec.scheme.clone(),
            key: rec.key.clone(),
            target: at.target.clone(),
            form: at.form.clone(),
        };
        match self.mapping(&key)? {
            Some(known) if known.target_id == rec.target_id => Ok(()),
            Some(_) | None => self.map_record(rec, at, now),
        }
    }

    fn map_record(&self, rec: &Rec, at: &TargetKey, now: Ms) -> Result<(), StoreError> {
        let key = MappingKey {
            scheme: rec.scheme.clone(),
            key: rec.key.clone(),
            target: at.target.clone(),
            form: at.form.clone(),
        };
        // Nearly every document is a new one: it is looked for only where it is not.
        let made = self
            .conn
            .prepare_cached(
                "INSERT INTO data_mapping (scheme, src_key, target, form, record, label, tkey, target_id,
                                           target_number, made_by, created_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'engine', ?10, ?10)
                 ON CONFLICT (scheme, src_key, target, form) DO NOTHING",
            )?
            .execute(params![
                rec.scheme,
                rec.key,
                at.target,
                at.form,
                rec.id.0,
                rec.label,
                at.tkey,
                rec.target_id,
                rec.target_number,
                now
            ])?;
        if made == 1 {
            return Ok(());
        }
        let known = self.mapping(&key)?;
        self.conn
            .prepare_cached(
                "UPDATE data_mapping SET record = ?5, label = ?6, tkey = ?7, target_id = ?8, target_number = ?9,
                    changed_ms = ?10
                 WHERE scheme = ?1 AND src_key = ?2 AND target = ?3 AND form = ?4",
            )?
            .execute(params![
                rec.scheme,
                rec.key,
                at.target,
                at.form,
                rec.id.0,
                rec.label,
                at.tkey,
                rec.target_id,
                rec.target_number,
                now
            ])?;
        match known {
            Some(known) if known.target_id != rec.target_id => {
                let by = By {
                    by: MadeBy::Engine,
                    who: ENGINE,
                };
                self.note_remapped(known.id, &key, by, &known.target_id, &rec.target_id, now)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A record that has just come takes what was said about it before. Where several systems or kinds of documents are
    /// named, the place counts to which it is written, and that is known when it is claimed.
    pub(super) fn take_mapping(&self, scheme: &str, key: &str, record: RecordId) -> Result<(), StoreError> {
        if !self.has_ahead(scheme)? {
            return Ok(());
        }
        let ahead = self.said_of(scheme, key)?;
        if ahead.is_empty() {
            return Ok(());
        }
        self.conn
            .prepare_cached("UPDATE data_mapping SET record = ?3 WHERE scheme = ?1 AND src_key = ?2")?
            .execute((scheme, key, record.0))?;
        match &ahead[..] {
            [one] => self.take(&mut self.record(record)?, one),
            _ => Ok(()),
        }
    }

    /// Whether anything was said about rows of a scheme that had not come. A record that has just come can have no other
    /// mapping: what is said about one that is there names it.
    fn has_ahead(&self, scheme: &str) -> Result<bool, StoreError> {
        if let Some(known) = self.ahead.borrow().get(scheme) {
            return Ok(*known);
        }
        let found = self
            .conn
            .prepare_cached("SELECT 1 FROM data_mapping WHERE scheme = ?1 AND record IS NULL LIMIT 1")?
            .exists([scheme])?;
        self.ahead.borrow_mut().insert(scheme.to_owned(), found);
        Ok(found)
    }

    fn take(&self, rec: &mut Rec, said: &Said) -> Result<(), StoreError> {
        rec.target_id = Some(said.id.clone());
        rec.target_number.clone_from(&said.number);
        self.bind(rec, &said.at)?;
        self.save(rec)
    }

    /// An id is one of its own system and kind of document: it is not written elsewhere by it.
    fn bind(&self, rec: &mut Rec, at: &TargetKey) -> Result<(), StoreError> {
        if rec.target.is_none() {
            rec.target = Some(at.clone());
            self.save_target(rec)?;
        }
        Ok(())
    }

    /// The document that was named for a source record before its row came, if it is one.
    pub(super) fn document_ahead(&self, scheme: &str, key: &str) -> Result<Option<String>, StoreError> {
        Ok(match &self.said_of(scheme, key)?[..] {
            [one] => Some(one.id.clone()),
            _ => None,
        })
    }

    fn said_of(&self, scheme: &str, key: &str) -> Result<Vec<Said>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT target, form, target_id, target_number FROM data_mapping
             WHERE scheme = ?1 AND src_key = ?2 AND target_id IS NOT NULL AND made_by <> 'engine'
             ORDER BY target, form",
        )?;
        let said = statement.query_map((scheme, key), |row| {
            Ok(Said {
                at: TargetKey {
                    target: row.get(0)?,
                    form: row.get(1)?,
                    tkey: None,
                },
                id: row.get(2)?,
                number: row.get(3)?,
            })
        })?;
        Ok(said.collect::<Result<_, _>>()?)
    }

    /// A record that is about to be written for the first time: what was said about it, now that the place is known.
    /// Whether it may go on; else it is another write, or held, as no document of this place was named.
    pub(super) fn agrees_with_mapping(
        &mut self,
        rec: &mut Rec,
        wanted: &TargetKey,
        now: Ms,
    ) -> Result<bool, StoreError> {
        if rec.target.is_some() {
            return Ok(true);
        }
        let said = self.said_of(&rec.scheme, &rec.key)?;
        let here = said
            .iter()
            .find(|said| said.at.target == wanted.target && said.at.form == wanted.form);
        match (here, said.first()) {
            (Some(here), _) if rec.target_id.as_ref() == Some(&here.id) => Ok(true),
            (Some(here), _) => {
                self.take(rec, here)?;
                Ok(false)
            }
            (None, Some(other)) => {
                let why = self.own_reason(
                    reason::KEY_CHANGED,
                    &[("old", other.at.place()), ("new", wanted.place())],
                );
                self.hold(rec, why, Cause::Claim, now)?;
                Ok(false)
            }
            (None, None) => Ok(true),
        }
    }

    /// A person says that the documents of a record are not there any more: its mappings end.
    pub(super) fn note_forgotten(&self, record: RecordId, now: Ms) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO mapping_change (mapping, scheme, src_key, at_ms, by, who, before)
                 SELECT id, scheme, src_key, ?2, 'engine', 'not there', target_id FROM data_mapping WHERE record = ?1
                 ORDER BY id",
            )?
            .execute((record.0, now))?;
        Ok(())
    }

    /// The document of a record was voided and nothing is left of it: its id goes to the history of the mapping, and the
    /// record has none. The caller saves it.
    pub(super) fn leave_voided(&mut self, rec: &mut Rec, now: Ms) -> Result<(), StoreError> {
        let place = rec.target.as_ref().map(|at| (&at.target, &at.form)).unzip();
        let mapping: Option<i64> = self
            .conn
            .prepare_cached(
                "DELETE FROM data_mapping WHERE scheme = ?1 AND src_key = ?2 AND target = ?3 AND form = ?4 RETURNING id",
            )?
            .query_row((&rec.scheme, &rec.key, place.0, place.1), |row| row.get(0))
            .optional()?;
        self.conn
            .prepare_cached(
                "INSERT INTO mapping_change (mapping, scheme, src_key, at_ms, by, who, before)
                 VALUES (?1, ?2, ?3, ?4, 'engine', ?5, ?6)",
            )?
            .execute((
                mapping.unwrap_or(0),
                &rec.scheme,
                &rec.key,
                now,
                LEFT,
                &rec.target_id,
            ))?;
        self.leave_lines(rec)?;
        rec.target_id = None;
        rec.target_number = None;
        rec.done_version = None;
        Ok(())
    }

    /// What the target accepted last was that the document of a record is void. Where its connector says that nothing is
    /// left of such a one, the next version becomes a document of its own.
    pub(super) fn is_voided(&self, rec: &Rec) -> Result<bool, StoreError> {
        let sql = format!("SELECT 1 FROM record r WHERE r.id = ?1 AND {IS_VOIDED}");
        Ok(self.conn.prepare_cached(&sql)?.exists([rec.id.0])?)
    }

    /// The target says which document a record in hand is: that one is there, whatever was voided before.
    pub(super) fn is_there(&self, rec: &mut Rec) -> Result<(), StoreError> {
        if rec.state() != RecordState::Done && self.is_voided(rec)? {
            rec.done_version = None;
        }
        Ok(())
    }

    /// The ids of lines, and what further calls made, belong to the document that it was.
    pub(super) fn leave_lines(&self, rec: &Rec) -> Result<(), StoreError> {
        self.conn
            .prepare_cached("DELETE FROM document_lines WHERE record = ?1")?
            .execute([rec.id.0])?;
        // What a step wrote for itself is still there.
        self.conn
            .prepare_cached(
                "DELETE FROM record_step WHERE record = ?1 AND NOT EXISTS (SELECT 1 FROM step_document d
                    WHERE d.record = record_step.record AND d.step = record_step.step)",
            )?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// Whether a record had this document before, and it was voided.
    pub(super) fn was_voided(&self, rec: &Rec, id: &str) -> Result<bool, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT 1 FROM mapping_change WHERE scheme = ?1 AND src_key = ?2 AND before = ?3 AND who = ?4 AND after IS NULL",
        )?;
        Ok(statement.exists((&rec.scheme, &rec.key, id, LEFT))?)
    }

    fn set_mapping(&mut self, set: &SetMapping, now: Ms) -> Result<MappingRuling, StoreError> {
        let at = &set.at;
        let known = self.mapping(at)?;
        let rec = self.record_of_key(&at.scheme, &at.key)?;
        let own = match &rec {
            Some(rec) => rec.target_id.clone(),
            None => None,
        };
        // A record whose document is known has a mapping in all but the row.
        let before = known.as_ref().and_then(|known| known.target_id.clone()).or(own);
        if let Some(seen) = &set.seen
            && *seen != before
        {
            return Ok(MappingRuling::Stale { id: before });
        }
        let is_same = before.as_deref() == Some(set.id.as_str());
        match set.manner {
            Manner::Create if !is_same => {
                if let Some(id) = before {
                    return Ok(MappingRuling::Taken { id });
                }
            }
            Manner::Update if known.is_none() && before.is_none() => return Ok(MappingRuling::Missing),
            Manner::Create | Manner::Update | Manner::Put => {}
        }
        let restored = match &rec {
            Some(rec) if is_same => self.restored_by_hand(rec, at)?,
            _ => None,
        };
        if set.manner == Manner::Create && known.is_some() && restored.is_none() {
            return Ok(MappingRuling::Same);
        }
        let holder = match is_same || set.allow_double {
            true => None,
            false => self.other_holder(at, &set.id)?,
        };
        if !is_same
            && let Some(rec) = &rec
            && let Some(ruling) = refusal(rec, at)
        {
            return Ok(ruling);
        }
        let by = By {
            by: set.by,
            who: &set.who,
        };
        if let Some(holder) = holder {
            // Only what no row hangs on may be given to another source record.
            let given_up = set.may_move
                && self.remove_mapping(&holder, None, by, now)? == MappingRuling::Removed
                && self.other_holder(at, &set.id)?.is_none();
            if !given_up {
                return Ok(MappingRuling::Double { holder: holder.key });
            }
        }
        let record = rec.as_ref().map(|rec| rec.id);
        let label = rec.as_ref().map(|rec| rec.label.clone());
        // What counts is that it was said after the void, whatever the clock says.
        let said = rec.as_ref().and_then(|rec| rec.done_ms).unwrap_or(now).max(now);
        if let Some(rec) = rec.filter(|_| !is_same) {
            self.retarget(rec, set, before.as_deref(), now)?;
        }
        let names = &set.names;
        self.conn
            .prepare_cached(
                "INSERT INTO data_mapping (scheme, src_key, target, form, record, label, target_id, target_label, master,
                                           remark, made_by, created_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, coalesce(?6, ?7, ''), ?8, ?9, ?10, ?11, ?12, ?13, ?13)
                 ON CONFLICT (scheme, src_key, target, form) DO UPDATE SET record = excluded.record,
                    label = coalesce(?6, ?7, label),
                    target_number = CASE WHEN target_id IS excluded.target_id THEN target_number END,
                    target_id = excluded.target_id, target_label = coalesce(excluded.target_label, target_label),
                    master = coalesce(excluded.master, master), remark = coalesce(excluded.remark, remark),
                    changed_ms = excluded.changed_ms",
            )?
            .execute(params![
                at.scheme,
                at.key,
                at.target,
                at.form,
                record.map(|record| record.0),
                names.source.as_deref().map(cut),
                label,
                set.id,
                names.dest.as_deref().map(cut),
                names.master.as_deref().map(cut),
                names.remark.as_deref().map(cut),
                set.by.word(),
                now,
            ])?;
        if let Some(rec) = restored {
            self.restore(rec, set, now)?;
        } else if is_same && known.is_some() {
            return Ok(MappingRuling::Same);
        }
        let known_id = match &known {
            Some(known) => known.id,
            None => self.mapping(at)?.map_or(0, |made| made.id),
        };
        let after = Some(set.id.clone());
        if known.is_none() || before != after || is_same {
            let before = before.clone().filter(|_| !is_same);
            self.note_remapped(known_id, at, by, &before, &after, said)?;
        }
        Ok(match before {
            None => MappingRuling::Made,
            Some(_) if is_same => MappingRuling::Same,
            Some(_) => MappingRuling::Changed { before },
        })
    }

    /// The document of a record in hand is another one from now on.
    fn retarget(
        &mut self,
        mut rec: Rec,
        set: &SetMapping,
        before: Option<&str>,
        now: Ms,
    ) -> Result<(), StoreError> {
        if rec.target_id.is_some() {
            self.leave_lines(&rec)?;
        }
        self.let_go(&rec, &set.id, now)?;
        if rec.state() == RecordState::Done && self.forget_written(&rec)? {
            // The other document has not got this version.
            rec.done_version = None;
            self.enter(&mut rec, RecordState::Pending, Cause::Pair, now)?;
        }
        rec.target_id = Some(set.id.clone());
        rec.target_number = None;
        self.bind(
            &mut rec,
            &TargetKey {
                target: set.at.target.clone(),
                form: set.at.form.clone(),
                tkey: None,
            },
        )?;
        // That somebody else may have written it stays noted: it counts again if the mapping is taken away.
        rec.retargeted = rec.state() == RecordState::Pending;
        self.save(&rec)?;
        self.audit_mapping(&rec, set, before.unwrap_or("-"), now)
    }

    /// The record, where its document was voided, and somebody names this very document again.
    fn restored_by_hand(&self, rec: &Rec, at: &MappingKey) -> Result<Option<Rec>, StoreError> {
        let is_here = |own: &TargetKey| own.target == at.target && own.form == at.form;
        let voided = rec.target.as_ref().is_none_or(is_here) && self.is_voided(rec)?;
        Ok(voided.then(|| rec.clone()))
    }

    /// The voided document of a record was brought back at the target. That it is there again is told by the history of
    /// its mapping, which the caller writes; a document that was made in its place is not sent any more.
    fn restore(&mut self, mut rec: Rec, set: &SetMapping, now: Ms) -> Result<(), StoreError> {
        rec.retargeted = rec.state() == RecordState::Pending;
        self.save(&rec)?;
        self.audit_mapping(&rec, set, "void", now)
    }

    fn audit_mapping(&self, rec: &Rec, set: &SetMapping, before: &str, now: Ms) -> Result<(), StoreError> {
        let note = AuditNote {
            who: set.who.clone(),
            action: "map".to_owned(),
            scheme: Some(rec.scheme.clone()),
            record: Some(rec.id),
            what: format!("{before} -> {}", set.id),
            reason: match set.names.remark.as_deref().map(str::trim) {
                Some(remark) if !remark.is_empty() => remark.to_owned(),
                _ => set.by.word().to_owned(),
            },
        };
        audit::write(self.conn, &note, now)?;
        Ok(())
    }

    /// The document of a record in hand is another one: records of the partner that were linked to it without being
    /// that one are nobody's, and a person says whose they are.
    fn let_go(&mut self, rec: &Rec, id: &str, now: Ms) -> Result<(), StoreError> {
        for mut other in self.linked_besides(rec, id)? {
            let state = other.state();
            if matches!(state, RecordState::Sending | RecordState::Unknown) || other.step.is_some() {
                continue;
            }
            let before = other.target_id.take();
            other.target_number = None;
            if state != RecordState::Held {
                self.enter(&mut other, RecordState::Held, Cause::Pair, now)?;
            }
            other.reason = Some(self.doubled(&before, id, rec));
            other.not_before = None;
            self.save(&other)?;
            for (mapping, at) in self.mappings_of(&other, &before)? {
                self.conn
                    .prepare_cached(
                        "UPDATE data_mapping SET target_id = NULL, changed_ms = ?2 WHERE id = ?1",
                    )?
                    .execute((mapping, now))?;
                let by = By {
                    by: MadeBy::Engine,
                    who: ENGINE,
                };
                self.note_remapped(mapping, &at, by, &before, &None, now)?;
            }
        }
        Ok(())
    }

    fn mappings_of(&self, rec: &Rec, id: &Option<String>) -> Result<Vec<(i64, MappingKey)>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, target, form FROM data_mapping WHERE scheme = ?1 AND src_key = ?2 AND target_id = ?3",
        )?;
        let found = statement.query_map((&rec.scheme, &rec.key, id), |row| {
            let at = MappingKey {
                scheme: rec.scheme.clone(),
                key: rec.key.clone(),
                target: row.get(1)?,
                form: row.get(2)?,
            };
            Ok((row.get(0)?, at))
        })?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    fn remove_mapping(
        &mut self,
        at: &MappingKey,
        seen: Option<&Option<String>>,
        by: By<'_>,
        now: Ms,
    ) -> Result<MappingRuling, StoreError> {
        let Some(known) = self.mapping(at)? else {
            return Ok(MappingRuling::Missing);
        };
        if let Some(seen) = seen
            && *seen != known.target_id
        {
            return Ok(MappingRuling::Stale { id: known.target_id });
        }
        if let Some(mut rec) = self.record_of_key(&at.scheme, &at.key)? {
            if let Some(ruling) = refusal(&rec, at) {
                return Ok(ruling);
            }
            // It would be created again.
            if rec.done_version.is_some() || rec.attempt.is_some() {
                return Ok(MappingRuling::Written);
            }
            rec.target_id = None;
            rec.target_number = None;
            rec.retargeted = rec.state() == RecordState::Pending;
            if rec.target.as_ref().is_some_and(|at| at.tkey.is_none()) {
                rec.target = None;
                self.save_target(&rec)?;
            }
            self.save(&rec)?;
        }
        self.conn
            .prepare_cached("DELETE FROM data_mapping WHERE id = ?1")?
            .execute([known.id])?;
        self.note_remapped(known.id, at, by, &known.target_id, &None, now)?;
        Ok(MappingRuling::Removed)
    }

    fn mapping(&self, at: &MappingKey) -> Result<Option<Known>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, target_id FROM data_mapping
             WHERE scheme = ?1 AND src_key = ?2 AND target = ?3 AND form = ?4",
        )?;
        Ok(statement
            .query_row((&at.scheme, &at.key, &at.target, &at.form), |row| {
                Ok(Known {
                    id: row.get(0)?,
                    target_id: row.get(1)?,
                })
            })
            .optional()?)
    }

    /// The mapping of another source record of the scheme that has this document.
    fn other_holder(&self, at: &MappingKey, id: &str) -> Result<Option<MappingKey>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT src_key FROM data_mapping
             WHERE target = ?3 AND form = ?4 AND target_id = ?5 AND scheme = ?1 AND src_key <> ?2 LIMIT 1",
        )?;
        let key: Option<String> = statement
            .query_row((&at.scheme, &at.key, &at.target, &at.form, id), |row| row.get(0))
            .optional()?;
        Ok(key.map(|key| MappingKey { key, ..at.clone() }))
    }

    fn note_remapped(
        &self,
        mapping: i64,
        at: &MappingKey,
        by: By<'_>,
        before: &Option<String>,
        after: &Option<String>,
        now: Ms,
    ) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "INSERT INTO mapping_change (mapping, scheme, src_key, at_ms, by, who, before, after)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                mapping,
                at.scheme,
                at.key,
                now,
                by.by.word(),
                by.who,
                before,
                after
            ])?;
        Ok(())
    }
}

/// Why the document of a record may not become another one now.
fn refusal(rec: &Rec, at: &MappingKey) -> Option<MappingRuling> {
    let state = rec.state();
    let is_out = matches!(state, RecordState::Sending | RecordState::Unknown);
    // What a person has given up is not sent: which document came of it may be said.
    let in_doubt = rec.maybe_sent && state != RecordState::Skipped;
    if is_out || in_doubt || rec.step.is_some() || rec.as_stored.is_some() {
        return Some(MappingRuling::Busy { state });
    }
    let own = rec.target.as_ref()?;
    (own.target != at.target || own.form != at.form).then(|| MappingRuling::Elsewhere {
        target: own.target.clone(),
        form: own.form.clone(),
    })
}
