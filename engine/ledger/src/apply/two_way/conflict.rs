//! Both sides changed: who is written, who lost, who waits for a person.

use flow::ids::Ms;
use flow::op::{Facet, RecordState};

use crate::apply::Cx;
use crate::apply::record::{Cause, Rec};
use crate::error::{StoreError, reason};
use crate::two_way::{Conflict, TwoWay};

/// A value that was written and came back as another one so often, each time the same two, is held the next time: two
/// people may undo each other's edit twice, two systems do it for ever.
const TO_AND_FRO: i64 = 2;

/// Fields named in a reason.
const NAMED: usize = 5;

impl Cx<'_> {
    /// Both sides changed. Whether the record in hand may be written.
    pub(super) fn decide_conflict(
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

    pub(super) fn hold_conflict(
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
    pub(super) fn win(&self, rec: &Rec, loser: &Rec, fields: &[String], now: Ms) -> Result<(), StoreError> {
        self.note(rec, "won", (loser, None), fields, now)?;
        self.conn
            .prepare_cached("UPDATE pair_record SET won = 1 WHERE record = ?1")?
            .execute([rec.id.0])?;
        Ok(())
    }

    /// The newest version of a record is not written: the other side won. Its row is kept with the note.
    pub(super) fn lose(
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
    pub(in crate::apply) fn settle_conflict(&mut self, rec: &Rec, now: Ms) -> Result<(), StoreError> {
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

    /// A field of these that has said the same for the same too often by now.
    pub(super) fn to_and_fro(
        &self,
        rec: &Rec,
        partner: &Rec,
        fields: &[String],
    ) -> Result<Option<String>, StoreError> {
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
