//! A scheme takes over from another tool: its rows are read, the target is asked about each of them by key, and what is
//! there becomes known. Nothing is written; what is not there is the next run's work.
//!
//! The dry report is the same over a copy of the ledger, with everything that it would have kept.

use std::sync::Arc;

use dsl::Failure;
use dsl::catalogue::target::{NOT_ADOPTABLE, NOT_OURS};
use dsl::plan::Plan;
use flow::classify::{Manner, Proof, manner};
use flow::codes;
use flow::ids::Ms;
use flow::op::{AuditNote, Reason, RecordState, RunStatus};
use flow::{Stages, TargetFacts};
use ledger::error::reason::KEY_TAKEN;
use ledger::read::{AlikeRow, RecordRow};

use crate::error::AppError;
use crate::operate::{Outlook, Retried};
use crate::run::{Engine, RunOptions, RunReport};
use crate::shell::Progress;

/// What the question about a record came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// Its document is there, and known from now on.
    Found,
    /// The same, and the steps behind it are not made yet: the next run makes them.
    Unfinished,
    /// It is not there: the next run writes it.
    NotThere,
    /// There are several documents with its key.
    Several,
    /// There is one that is somebody else's.
    Foreign,
    /// Another record has the same key at the target.
    Shared,
    /// The target cannot be asked about it.
    CannotAsk,
    /// No document can be made of it, so nobody knows its key.
    NotMade,
    /// The target has not answered yet, or not often enough: the next run asks again.
    Unsettled,
    /// The target takes the same key for the same document: there is nothing to ask, and the next run writes it over.
    WrittenOver,
    /// It was written or known before.
    Known,
    /// It is none of the target's business: skipped.
    Skipped,
    /// Its row is no good.
    Dead,
}

impl Outcome {
    /// All of them, in the order in which they are told.
    pub const ALL: [Outcome; 13] = [
        Outcome::Found,
        Outcome::Unfinished,
        Outcome::NotThere,
        Outcome::WrittenOver,
        Outcome::Several,
        Outcome::Foreign,
        Outcome::Shared,
        Outcome::CannotAsk,
        Outcome::NotMade,
        Outcome::Unsettled,
        Outcome::Known,
        Outcome::Skipped,
        Outcome::Dead,
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Found => "found",
            Outcome::Unfinished => "unfinished",
            Outcome::NotThere => "not_there",
            Outcome::Several => "several",
            Outcome::Foreign => "foreign",
            Outcome::Shared => "shared",
            Outcome::CannotAsk => "cannot_ask",
            Outcome::NotMade => "not_made",
            Outcome::Unsettled => "unsettled",
            Outcome::WrittenOver => "written_over",
            Outcome::Known => "known",
            Outcome::Skipped => "skipped",
            Outcome::Dead => "dead",
        }
    }

    /// Whether somebody must look, or ask again.
    pub fn is_open(self) -> bool {
        match self {
            Outcome::Several
            | Outcome::Foreign
            | Outcome::Shared
            | Outcome::CannotAsk
            | Outcome::NotMade
            | Outcome::Unsettled
            | Outcome::Dead => true,
            Outcome::Found
            | Outcome::Unfinished
            | Outcome::NotThere
            | Outcome::WrittenOver
            | Outcome::Known
            | Outcome::Skipped => false,
        }
    }

    /// What has come of records that are alike. `asks`: the target is asked by key; `dry`: only once.
    fn of(alike: &AlikeRow, asks: bool, dry: bool) -> Outcome {
        match alike.state {
            RecordState::Done if alike.has_target && alike.unsent => Outcome::Found,
            RecordState::Done => Outcome::Known,
            RecordState::Pending if alike.has_target && alike.unsent => Outcome::Unfinished,
            RecordState::Pending if alike.has_target => Outcome::Known,
            RecordState::Pending if alike.suspect => Outcome::NotMade,
            RecordState::Pending if asks => Outcome::NotThere,
            RecordState::Pending => Outcome::WrittenOver,
            // A rehearsal does not wait until it may ask a second time.
            RecordState::Unknown if dry && alike.missed => Outcome::NotThere,
            RecordState::Unknown | RecordState::Sending => Outcome::Unsettled,
            RecordState::Held => match alike.code.as_str() {
                codes::KEY_AMBIGUOUS => Outcome::Several,
                codes::KEY_CONFLICT => Outcome::Foreign,
                code if code == NOT_OURS.code => Outcome::Foreign,
                KEY_TAKEN => Outcome::Shared,
                _ => Outcome::CannotAsk,
            },
            RecordState::Skipped => Outcome::Skipped,
            RecordState::Dead => Outcome::Dead,
        }
    }
}

/// Records with the same outcome.
#[derive(Debug, Clone)]
pub struct Found {
    /// The outcome.
    pub outcome: Outcome,
    /// How many.
    pub count: u64,
    /// The first of them, and why where there is a reason.
    pub examples: Vec<(RecordRow, Option<Reason>)>,
}

/// How to take over.
#[derive(Debug, Clone)]
pub struct TakeOver {
    /// Rows from before are asked about.
    pub until: Ms,
    /// Who decided it, and why.
    pub note: AuditNote,
    /// Window, limit, wait, language, and whether it is only rehearsed.
    pub options: RunOptions,
    /// Records told one by one, of each outcome.
    pub examples: u32,
}

/// What taking over came to.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// Stored records that were put under suspicion before anything was read.
    pub marked: u64,
    /// How reading and asking went.
    pub run: RunReport,
    /// Documents known before and after.
    pub mapped: (u64, u64),
    /// What came of the records, none twice, only what there is.
    pub found: Vec<Found>,
    /// Somebody said how much was to be read.
    pub is_cut: bool,
}

impl Adoption {
    /// The exit code: what is not there is no trouble.
    pub fn exit_code(&self) -> u8 {
        let is_open = self.found.iter().any(|found| found.outcome.is_open());
        match self.run.summary.status {
            RunStatus::Failed => 3,
            RunStatus::Canceled => 130,
            _ if is_open => 1,
            _ if self.run.summary.windows_left > 0 && !self.is_cut => 1,
            RunStatus::Ok | RunStatus::Partial => 0,
        }
    }

    /// How many have an outcome.
    pub fn count(&self, outcome: Outcome) -> u64 {
        let found = self.found.iter().find(|found| found.outcome == outcome);
        found.map_or(0, |found| found.count)
    }
}

impl Engine {
    /// Whether the target of a scheme can say what another tool has written; the error says why not. Where `is_own`, the
    /// other tool was an engine like this one, whose notes count.
    pub fn may_adopt(&self, plan: &Arc<Plan>, is_own: bool, now: Ms) -> Result<(), AppError> {
        let Some(target) = &plan.target else {
            return Err(AppError::wrong_use(
                format!("方案 {} 没有目标,无需接管", plan.scheme),
                format!(
                    "the scheme {} has no target: there is nothing to take over",
                    plan.scheme
                ),
            ));
        };
        let (_, facts, _) = self.desk(plan, now, dsl::Lang::En)?;
        let is_blind = !asks(&facts) && facts.proof != Proof::Upsert && manner_of(&facts) == Manner::Resend;
        let by_note = self.asks_notes(plan)?;
        // Where a second write takes the place of the first, it does no harm that nobody knows of the first.
        let is_refused = by_note == Some(true) && !is_own && asks(&facts);
        if is_refused || is_blind {
            return Err(Failure::new(&NOT_ADOPTABLE)
                .with("scheme", plan.scheme.clone())
                .with("connection", target.connection.clone())
                .into());
        }
        Ok(())
    }

    /// Whether the target is asked for notes of our own sends only, and then, whether what another has written is not
    /// simply written over.
    fn asks_notes(&self, plan: &Plan) -> Result<Option<bool>, AppError> {
        let Some(target) = &plan.target else {
            return Ok(None);
        };
        let caller = self.target_caller(&plan.scheme, target)?;
        let operation = target.create.as_ref().or(target.update.as_ref());
        let noted = operation.filter(|operation| caller.connection.asks_notes(operation));
        Ok(noted.map(|operation| caller.connection.refuses_second(operation)))
    }

    /// Reads what a scheme would read, and asks its target about all of it. What is found is durable page by page: begun
    /// anew, it goes on where it ended.
    pub async fn take_over(
        &self,
        plan: &Arc<Plan>,
        order: &TakeOver,
        progress: &dyn Progress,
    ) -> Result<Adoption, AppError> {
        let scheme = &plan.scheme;
        let before = self.reader().count_mapped(scheme)?;
        let marked = self.adopt(plan, order.until, order.note.clone()).await?;
        let options = RunOptions {
            stages: Stages::Ask,
            // Nothing is written, so nothing is unusual.
            confirmed: true,
            ..order.options.clone()
        };
        let run = self.run(Arc::clone(plan), &options, progress).await?;
        let (_, facts, _) = self.desk(plan, run.instant, options.lang)?;
        let asks = asks(&facts) && self.asks_notes(plan)? != Some(false);
        let dry = options.dry;
        let alike = self.reader().alike(scheme)?;
        let mut found = Vec::new();
        for outcome in Outcome::ALL {
            let mut one = Found {
                outcome,
                count: 0,
                examples: Vec::new(),
            };
            for rows in alike
                .iter()
                .filter(|rows| Outcome::of(rows, asks, dry) == outcome)
            {
                one.count += rows.count;
                let room = order
                    .examples
                    .saturating_sub(u32::try_from(one.examples.len()).unwrap_or(u32::MAX));
                let some = self.reader().some_alike(scheme, rows, room)?;
                one.examples
                    .extend(self.with_reasons(plan, outcome, some, &run, options.lang)?);
            }
            if one.count > 0 {
                found.push(one);
            }
        }
        Ok(Adoption {
            marked,
            mapped: (before, self.reader().count_mapped(scheme)?),
            found,
            is_cut: options
                .limit
                .is_some_and(|limit| run.summary.counts.fetched >= limit),
            run,
        })
    }

    /// Why each is where it is. A record that cannot be evaluated is evaluated once more: its reason is not stored before
    /// the writing half refuses it.
    fn with_reasons(
        &self,
        plan: &Arc<Plan>,
        outcome: Outcome,
        rows: Vec<RecordRow>,
        run: &RunReport,
        lang: dsl::Lang,
    ) -> Result<Vec<(RecordRow, Option<Reason>)>, AppError> {
        if outcome != Outcome::NotMade {
            let is_told = outcome.is_open();
            let told = rows.into_iter().map(|row| {
                let reason = row.reason.clone().filter(|_| is_told);
                (row, reason)
            });
            return Ok(told.collect());
        }
        let prospects = self.prospects(plan, rows, Retried::Latest, run.instant, lang)?;
        let told = prospects.into_iter().map(|prospect| {
            let reason = match prospect.outlook {
                Outlook::Refused { reason, .. } => Some(reason),
                Outlook::Document { .. } => prospect.row.reason.clone(),
            };
            (prospect.row, reason)
        });
        Ok(told.collect())
    }
}

fn manner_of(facts: &TargetFacts) -> Manner {
    manner(facts.proof, facts.on_unknown)
}

/// Whether the target is asked about each record by its key.
fn asks(facts: &TargetFacts) -> bool {
    matches!(facts.proof, Proof::UniqueKey | Proof::Query) && manner_of(facts) != Manner::Hold
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alike(state: RecordState, code: &str, flags: &str) -> AlikeRow {
        AlikeRow {
            state,
            code: code.to_owned(),
            has_target: flags.contains('t'),
            unsent: !flags.contains('s'),
            missed: flags.contains('m'),
            suspect: flags.contains('?'),
            count: 1,
        }
    }

    /// `t` a document is known, `s` this ledger has sent, `m` it was not there, `?` nobody has asked.
    #[test]
    fn what_came_of_a_record() {
        use RecordState::{Dead, Done, Held, Pending, Sending, Skipped, Unknown};
        for (state, code, flags, want) in [
            (Done, "", "t", Outcome::Found),
            (Done, "", "ts", Outcome::Known),
            (Done, "", "", Outcome::Known),
            (Pending, "", "t", Outcome::Unfinished),
            (Pending, "", "ts", Outcome::Known),
            (Pending, "", "", Outcome::NotThere),
            (Pending, "", "?", Outcome::NotMade),
            (Unknown, "E4015", "m?", Outcome::Unsettled),
            (Unknown, "E5031", "?", Outcome::Unsettled),
            (Sending, "", "s", Outcome::Unsettled),
            (Held, codes::KEY_AMBIGUOUS, "", Outcome::Several),
            (Held, codes::KEY_CONFLICT, "", Outcome::Foreign),
            (Held, "E4030", "", Outcome::Foreign),
            (Held, KEY_TAKEN, "", Outcome::Shared),
            (Held, codes::CANNOT_ASK, "", Outcome::CannotAsk),
            (Held, codes::UNKNOWN_TOO_LONG, "", Outcome::CannotAsk),
            (Skipped, "", "", Outcome::Skipped),
            (Dead, "E3001", "", Outcome::Dead),
        ] {
            let rows = alike(state, code, flags);
            assert_eq!(Outcome::of(&rows, true, false), want, "{state:?} {code} {flags}");
        }
        let once = alike(Unknown, "E4015", "m?");
        assert_eq!(Outcome::of(&once, true, true), Outcome::NotThere);
        let pending = alike(Pending, "", "");
        assert_eq!(Outcome::of(&pending, false, false), Outcome::WrittenOver);
    }
}
