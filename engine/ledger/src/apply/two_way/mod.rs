//! Two schemes that carry the same documents in opposite directions: what came back, and what met.
//!
//! A record has a partner where its row is the document that a record of the other scheme became, or the other way
//! round. What of its row is news is judged by hashes of fields, against what the partner wrote last and against the
//! row that was taken over last. Here is the only place where that is decided: when a row is staged, and again, with
//! what is known by then, when the record is picked.

mod conflict;
mod echo;
mod kept;
mod partner;

use std::rc::Rc;

use flow::ids::{Ms, RecordId};
use flow::op::RecordState;

use super::Cx;
use super::record::{Cause, Rec};
use crate::error::{StoreError, reason};
use crate::two_way::{TwoWay, of_scheme};

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
    pub(in crate::apply) fn pair_of(&self, scheme: &str) -> Result<Option<Rc<TwoWay>>, StoreError> {
        if let Some(known) = self.pairs.borrow().get(scheme) {
            return Ok(known.clone());
        }
        let found = of_scheme(self.conn, scheme)?.map(Rc::new);
        self.pairs.borrow_mut().insert(scheme.to_owned(), found.clone());
        Ok(found)
    }

    /// Whether a record that is about to be claimed may go, with the key that its document has now. One whose document
    /// turns out to be there is made anew, as an update of it.
    pub(in crate::apply) fn may_be_claimed(&mut self, rec: &Rec, now: Ms) -> Result<bool, StoreError> {
        let Some(pair) = self.pair_of(&rec.scheme)? else {
            return Ok(true);
        };
        self.note_name(rec)?;
        let goes = self.may_go(&pair, rec.clone(), &mut None, now)?;
        Ok(goes && self.record(rec.id)?.target_id == rec.target_id)
    }

    /// Before records are picked: what came back is done, what met is decided, what cannot be judged yet waits. Goes on
    /// until enough are left to be written.
    pub(in crate::apply) fn weigh(
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
}
