//! Records whose document may be at the target without this ledger's knowledge.
//!
//! A ledger that was restored has forgotten what was sent since its copy was taken; one that takes over from another
//! tool never knew. Such a record is `unknown` until the target has been asked, and no claim takes it before.

use flow::ids::Ms;
use flow::op::{Identity, LedgerReply, RecordState, SuspectKind, WriteAction};
use rusqlite::{OptionalExtension, params};

use super::claim::connection_of;
use super::cover::LIVE;
use super::record::{Cause, Rec, TargetKey, suspect};

pub(super) use super::record::suspect as suspect_kind;
use super::stage::Page;
use super::{Cx, length};
use crate::error::{StoreError, reason};
use crate::generation;
use crate::read::IS_VOIDED;
use crate::service::inbox::REPEATED_FOR;

/// So many runs read up to the instant of a suspicion before what comes after it is trusted.
const READ_FIRST: i64 = 2;

/// How the rows of a page are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubt {
    pub(super) kind: SuspectKind,
    pub(super) ask_after: Ms,
}

impl Rec {
    /// It may not be sent before the target was asked.
    pub(super) fn doubtful(&self) -> Option<SuspectKind> {
        self.suspect.filter(|_| self.target_id.is_none())
    }

    /// Its row comes where somebody else may have given it before: a life that is forgotten any version of it, another
    /// tool what that tool has made.
    pub(super) fn may_be_given(&mut self, doubt: Option<Doubt>) {
        let kind = doubt.map(|doubt| doubt.kind);
        let kind = kind.filter(|kind| {
            *kind == SuspectKind::Restored || self.done_version.is_none() && self.handed.is_none()
        });
        self.handed = kind.or(self.handed);
    }
}

impl Cx<'_> {
    pub(super) fn suspect(
        &mut self,
        scheme: &str,
        kind: SuspectKind,
        until: Ms,
        ask_after: Ms,
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let generation = generation::meta(self.conn, "suspect_generation")?;
        self.conn
            .prepare_cached(
                "INSERT INTO scheme (id, revision, enabled_ms, suspect, suspect_until_ms, suspect_ask_ms,
                                     suspect_generation)
                 VALUES (?1, '', ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (id) DO UPDATE SET suspect = excluded.suspect,
                    suspect_until_ms = excluded.suspect_until_ms, suspect_ask_ms = excluded.suspect_ask_ms,
                    suspect_generation = excluded.suspect_generation",
            )?
            .execute(params![scheme, now, kind.word(), until, ask_after, generation])?;
        self.conn
            .prepare_cached(
                "UPDATE record SET suspect = ?2 WHERE scheme = ?1 AND target_id IS NULL AND state <> 'done'",
            )?
            .execute((scheme, kind.word()))?;
        // What it gives may have been given: by a forgotten life in any version, by another tool what we have never written.
        self.conn
            .prepare_cached(
                "UPDATE record SET handed = ?2 WHERE scheme = ?1 AND state <> 'done'
                    AND (?3 OR done_version IS NULL AND handed IS NULL)",
            )?
            .execute((scheme, kind.word(), kind == SuspectKind::Restored))?;
        if kind == SuspectKind::Restored {
            self.doubt_changes(scheme)?;
        }
        // What was voided, or is about to be, may have become a new document since. As long as the old one is written,
        // nothing is to be asked: the claim of a new one does that.
        self.conn
            .prepare_cached(&format!(
                "UPDATE record AS r SET suspect = ?2 WHERE r.scheme = ?1 AND r.target_id IS NOT NULL
                   AND (r.void <> 0 OR coalesce(r.waiting_void, 0) <> 0 OR {IS_VOIDED})"
            ))?
            .execute((scheme, kind.word()))?;
        // Whatever is known of their documents: steps of theirs may have been made, too.
        self.conn
            .prepare_cached(
                "INSERT OR IGNORE INTO step_doubt (record) SELECT id FROM record WHERE scheme = ?1",
            )?
            .execute([scheme])?;
        self.conn
            .prepare_cached(
                "UPDATE step_document SET asked = 0 WHERE record IN (SELECT id FROM record WHERE scheme = ?1)",
            )?
            .execute([scheme])?;
        let pending = self.ids(
            "SELECT id FROM record WHERE scheme = ?1 AND state = 'pending' AND target_id IS NULL
               AND (bundle IS NULL OR bundle = id)",
            scheme,
        )?;
        for id in &pending {
            let mut rec = self.record(flow::ids::RecordId(*id))?;
            self.doubt(&mut rec, kind, ask_after, now)?;
            self.save(&rec)?;
        }
        // What was lost or in flight when the copy was taken is asked about no earlier either.
        self.conn
            .prepare_cached(
                "UPDATE record SET resolve_after_ms = max(resolve_after_ms, ?2)
                 WHERE scheme = ?1 AND state IN ('unknown', 'sending')",
            )?
            .execute((scheme, ask_after))?;
        Ok(LedgerReply::Count(length(pending.len())))
    }

    /// Why a document of a step may be there that this ledger knows nothing of.
    pub(super) fn step_doubt(&self, rec: &Rec) -> Result<Option<SuspectKind>, StoreError> {
        if rec.suspect.is_some() {
            return Ok(rec.suspect);
        }
        // What another tool has made is taken as it is; but once a version was written by this engine, what that tool made
        // for an earlier one is not what the record says.
        let found: Option<(Option<String>, bool)> = self
            .conn
            .prepare_cached(
                "SELECT s.suspect, EXISTS (SELECT 1 FROM attempt_row a
                    WHERE a.record = d.record AND a.step IS NULL AND a.version = ?2)
                 FROM step_doubt d JOIN record r ON r.id = d.record JOIN scheme s ON s.id = r.scheme
                 WHERE d.record = ?1",
            )?
            .query_row((rec.id.0, &rec.version), |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(found.map(|(kind, written)| match suspect(kind) {
            Some(SuspectKind::Adopted) if !written => SuspectKind::Adopted,
            _ => SuspectKind::Restored,
        }))
    }

    /// The document of a record is known now; of its steps nothing is.
    pub(super) fn keep_step_doubt(&self, rec: &Rec) -> Result<(), StoreError> {
        if rec.suspect.is_none() {
            return Ok(());
        }
        self.conn
            .prepare_cached("INSERT OR IGNORE INTO step_doubt (record) VALUES (?1)")?
            .execute([rec.id.0])?;
        self.conn
            .prepare_cached("UPDATE step_document SET asked = 0 WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// When what a life that is forgotten may have sent just before its end is executed for certain.
    pub(super) fn ask_after(&self, scheme: &str, now: Ms) -> Result<Ms, StoreError> {
        let asked: Option<Option<Ms>> = self
            .conn
            .prepare_cached("SELECT suspect_ask_ms FROM scheme WHERE id = ?1")?
            .query_row([scheme], |row| row.get(0))
            .optional()?;
        Ok(asked.flatten().unwrap_or(now).max(now))
    }

    /// A restored ledger is not worked with before each scheme was put under suspicion.
    pub(super) fn settled_suspicion(&self, scheme: &str) -> Result<(), StoreError> {
        let Some(generation) = generation::meta(self.conn, "suspect_generation")? else {
            return Ok(());
        };
        let of_scheme: Option<Option<i64>> = self
            .conn
            .prepare_cached("SELECT suspect_generation FROM scheme WHERE id = ?1")?
            .query_row([scheme], |row| row.get(0))
            .optional()?;
        if of_scheme.flatten() == Some(generation) {
            return Ok(());
        }
        Err(StoreError::Bug(format!(
            "the ledger was restored (generation {generation}), and the scheme {scheme} would send without asking"
        )))
    }

    /// Makes a record in hand one that the target is asked about. The caller saves it.
    pub(super) fn doubt(
        &mut self,
        rec: &mut Rec,
        kind: SuspectKind,
        ask_after: Ms,
        now: Ms,
    ) -> Result<(), StoreError> {
        self.enter(rec, RecordState::Unknown, Cause::Suspect, now)?;
        rec.suspect = Some(kind);
        if self.is_no_document(rec)? {
            // It has no key by which the target could be asked.
            return self.hold_loose(rec, Cause::Suspect, now);
        }
        rec.action = Some(WriteAction::Create);
        // The attempts of the past are settled; this is not about one of them.
        rec.attempt = None;
        rec.resolve_after = Some(ask_after.max(now));
        rec.unknown_since = Some(now);
        // When it may first have been sent is not known: too long ago for a target that remembers calls for a time.
        rec.doubted = Some(0);
        rec.not_before = None;
        rec.reason = Some(self.own_reason(reason::SUSPECT, &[]));
        Ok(())
    }

    /// Whether the rows of a page may have been written by somebody else: those of a window that begins before the
    /// instant of the suspicion, and all rows of a scheme without windows until it was read once to its end.
    ///
    /// A row that was written before that instant may have changed after it, and then the source shows it only in later
    /// windows. So these are suspect too until two earlier runs have read up to that instant: the first brings every
    /// row that has not changed since, the second those that changed while the first one read.
    pub(super) fn doubt_of(&self, page: &Page<'_>) -> Result<Option<Doubt>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT s.suspect, s.suspect_ask_ms FROM scheme s JOIN window_run w ON w.scheme = s.id
             WHERE s.id = ?1 AND w.id = ?2 AND s.suspect IS NOT NULL AND s.suspect_until_ms IS NOT NULL
               AND (w.from_ms < s.suspect_until_ms OR ?3 >
                    (SELECT count(DISTINCT c.run) FROM window_run c WHERE c.scheme = s.id AND c.state = 'closed'
                        AND c.cursor = ?4 AND c.closed_to >= s.suspect_until_ms AND c.run < w.run))",
        )?;
        let found: Option<(Option<String>, Option<Ms>)> = statement
            .query_row((page.scheme, page.window.0, READ_FIRST, LIVE), |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        Ok(found.and_then(|(word, ask_after)| {
            Some(Doubt {
                kind: suspect(word)?,
                ask_after: ask_after.unwrap_or(page.now),
            })
        }))
    }

    /// A scheme without windows was read to its end: what it shows from now on is new. What is sent to us is new once
    /// no sender repeats any more what was not answered before that instant, and what came before it was taken.
    pub(super) fn end_doubt(&self, page: &Page<'_>) -> Result<(), StoreError> {
        self.conn
            .prepare_cached(
                "UPDATE scheme SET suspect_until_ms = NULL WHERE id = ?1 AND suspect_until_ms IS NOT NULL
                    AND EXISTS (SELECT 1 FROM window_run WHERE id = ?2 AND from_ms = 0 AND to_ms = 0
                        AND (cursor <> 'inbox' OR ?3 > suspect_until_ms))
                    AND NOT EXISTS (SELECT 1 FROM push WHERE push.scheme = ?1 AND push.state = 'waiting'
                        AND arrived_ms <= suspect_until_ms)",
            )?
            .execute((page.scheme, page.window.0, page.now - REPEATED_FOR))?;
        Ok(())
    }

    pub(super) fn identify(
        &mut self,
        target: &str,
        rows: &[Identity],
        now: Ms,
    ) -> Result<LedgerReply, StoreError> {
        let mut hit = 0;
        for row in rows {
            let mut rec = self.record(row.record)?;
            if rec.state() != RecordState::Unknown || rec.suspect.is_none() || rec.version != row.version {
                continue;
            }
            let wanted = TargetKey::of(connection_of(target), &row.form, &row.tkey);
            if self.freeze_key(&mut rec, wanted, Cause::Suspect, now)?.is_none() {
                self.save_target(&rec)?;
                self.note_name(&rec)?;
                hit += 1;
            }
        }
        Ok(LedgerReply::Count(hit))
    }
}
