//! Whose document a row is: the record of the other scheme, where there is one, and whether there may be one that nobody
//! knows yet.

use flow::ids::{Ms, RecordId};
use flow::op::{Reason, RecordState};
use rusqlite::OptionalExtension;

use super::Doubtful;
use crate::apply::Cx;
use crate::apply::record::{Cause, Rec};
use crate::error::{StoreError, reason};
use crate::two_way::{NamedBy, TwoWay};

/// A record that waits for the end of the partner's write is tried again after this; every run tries it in any case.
const TRY_AGAIN: Ms = 60_000;

impl Cx<'_> {
    /// The record of the partner whose document the row is, or whose row the document of this one is: by the row's key,
    /// by the id of this record's document, by the id of the row (`own_id`, where the record has none yet).
    pub(super) fn partner_id(
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
    pub(super) fn meets_nobody(
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
    pub(super) fn text_of_key(&self, key: &str) -> Result<Option<String>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT CAST(json_extract(?1, '$[0]') AS TEXT) WHERE json_valid(?1) AND json_array_length(?1) = 1",
        )?;
        let text: Option<Option<String>> = statement.query_row([key], |row| row.get(0)).optional()?;
        Ok(text.flatten())
    }

    /// The key of the partner's record that has the row for its document because somebody said so, and whether it was
    /// read; no document of it is known otherwise.
    pub(super) fn said_ahead(&self, pair: &TwoWay, rec: &Rec) -> Result<Option<(String, bool)>, StoreError> {
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

    /// Another record of the partner that has the row for its document.
    pub(super) fn other_claimant(
        &self,
        pair: &TwoWay,
        key: &str,
        known: RecordId,
    ) -> Result<Option<Rec>, StoreError> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT record FROM pair_record WHERE scheme = ?1 AND name = ?2 AND record <> ?3 LIMIT 1",
            )?
            .query_row((&pair.partner, key, known.0), |row| row.get(0))
            .optional()?;
        found.map(|id| self.record(RecordId(id))).transpose()
    }

    /// Records of the partner that have a record's row for their document, and whose row is not the document with this
    /// id.
    pub(in crate::apply) fn linked_besides(&self, rec: &Rec, id: &str) -> Result<Vec<Rec>, StoreError> {
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

    /// A record of the partner that may have made a document under a name that nobody knows. One that the target was
    /// asked about because it was suspect, and that was never sent by this ledger, has made none: else two such records
    /// would wait for each other. What was given up in doubt counts until somebody says what became of it.
    pub(super) fn somebody_unnamed(&self, pair: &TwoWay) -> Result<Option<String>, StoreError> {
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

    /// A document of the other side that has two here.
    pub(in crate::apply) fn doubled(&self, one: &Option<String>, other: &str, holder: &Rec) -> Reason {
        let facts = [
            ("one", one.clone().unwrap_or_default()),
            ("other", other.to_owned()),
            ("holder", holder.title()),
        ];
        self.own_reason(reason::DOUBLED, &facts)
    }

    /// Nobody knows yet whose value the row holds, or whose document it is.
    pub(super) fn wait(&mut self, mut rec: Rec, holder: String, now: Ms) -> Result<bool, StoreError> {
        self.enter(&mut rec, RecordState::Pending, Cause::Refuse, now)?;
        rec.reason = Some(self.own_reason(reason::PARTNER_IN_DOUBT, &[("holder", holder)]));
        rec.waits_since.get_or_insert(now);
        rec.not_before = Some(now + TRY_AGAIN);
        self.save(&rec)?;
        Ok(false)
    }
}
