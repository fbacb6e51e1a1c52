//! Which brakes a run has: those of its scheme, reckoned from the runs before.

use dsl::plan::Plan;
use flow::brake;
use flow::op::{RecordState, RunStatus, Trigger};
use ledger::read::{RunFilter, RunRow};

use crate::error::AppError;
use crate::run::{Engine, RunOptions};

/// Runs among which those are looked for that brought any records: more than a day of polls every six minutes.
const RUNS: u32 = 300;

impl Engine {
    /// A rehearsal is not braked, nor what somebody has confirmed. Whoever runs by hand looks at it, and has asked for all
    /// of it: only what cannot be called back is asked about. A replay has no brakes of its own; it does not write what
    /// an ordinary run's brake holds back.
    pub(crate) fn brakes(&self, plan: &Plan, options: &RunOptions) -> Result<flow::Brakes, AppError> {
        let is_free = options.dry || options.confirmed;
        let is_replay = options.replay.is_some();
        let is_scheduled = matches!(options.trigger, Some(Trigger::Schedule | Trigger::Push));
        let written = plan.brakes;
        if is_free || written == dsl::plan::Brakes::default() {
            return Ok(flow::Brakes::default());
        }
        let filter = RunFilter {
            scheme: Some(plan.scheme.clone()),
            limit: RUNS,
            ..RunFilter::default()
        };
        let runs = self.reader().list_runs(&filter)?;
        let confirmed = self.reader().confirmed(&plan.scheme)?;
        let has_written = self.reader().states(&plan.scheme)?[done()] > 0;
        let changes = written
            .max_change
            .and_then(|times| brake::most_changes(times, runs.iter().filter_map(brought)));
        Ok(flow::Brakes {
            records: written.max_records.filter(|_| is_scheduled),
            changes: changes.filter(|_| !is_replay),
            first: written
                .max_first
                .filter(|_| !is_replay && !has_written && confirmed.is_none()),
            held: held(&runs, confirmed).or_else(|| cut_off(&runs, confirmed, changes?)),
        })
    }
}

fn done() -> usize {
    let place = RecordState::ALL
        .iter()
        .position(|state| *state == RecordState::Done);
    place.unwrap_or(0)
}

/// New and changed records of a run that read; one that a brake stopped says nothing about what is usual.
fn brought(run: &RunRow) -> Option<u64> {
    let reads = [Trigger::Schedule, Trigger::Manual]
        .iter()
        .any(|trigger| trigger.word() == run.trigger);
    let braked = run
        .reason
        .as_ref()
        .is_some_and(|reason| brake::asks(&reason.code));
    let counts = run.counts.as_ref().filter(|_| reads && !braked)?;
    let known = counts.unchanged + counts.superseded + counts.filtered;
    Some(counts.fetched.saturating_sub(known))
}

/// The newest run that is no replay: one that came in between releases no brake.
fn newest(runs: &[RunRow]) -> Option<&RunRow> {
    runs.iter().find(|run| run.trigger != Trigger::Replay.word())
}

/// The brake of the newest run, where nobody has released it since: also where the process ended before the scheme was
/// paused.
fn held(runs: &[RunRow], confirmed: Option<i64>) -> Option<flow::op::Reason> {
    let newest = newest(runs)?;
    let reason = newest
        .reason
        .as_ref()
        .filter(|reason| brake::asks(&reason.code))?;
    let ended = newest.ended.unwrap_or(newest.started);
    let is_released = confirmed.is_some_and(|confirmed| confirmed >= ended);
    (!is_released).then(|| reason.clone())
}

/// The newest run had read more than is usual when it was told to end (the process, say), before its brake was looked at:
/// what it stored is not written either.
fn cut_off(runs: &[RunRow], confirmed: Option<i64>, most: u64) -> Option<flow::op::Reason> {
    let newest = newest(runs).filter(|run| run.status == RunStatus::Canceled.word())?;
    let count = brought(newest).filter(|count| *count > most)?;
    let ended = newest.ended.unwrap_or(newest.started);
    let is_released = confirmed.is_some_and(|confirmed| confirmed >= ended);
    let reason = || flow::op::Reason::new(flow::codes::UNUSUAL_CHANGE, format!("{count} > {most}"));
    (!is_released).then(reason)
}

#[cfg(test)]
mod tests {
    use flow::ids::RunId;
    use flow::op::{Counts, Reason};

    use super::*;

    fn run(trigger: Trigger, new: u64, reason: Option<&str>) -> RunRow {
        RunRow {
            run: RunId(1),
            scheme: "s".to_owned(),
            revision: String::new(),
            trigger: trigger.word().to_owned(),
            started: 100,
            ended: Some(200),
            status: "ok".to_owned(),
            reason: reason.map(|code| Reason::new(code, "900 > 500")),
            counts: Some(Counts {
                fetched: new + 7,
                unchanged: 4,
                superseded: 2,
                filtered: 1,
                ..Counts::default()
            }),
        }
    }

    #[test]
    fn what_runs_brought() {
        for (run, want) in [
            (run(Trigger::Schedule, 5, None), Some(5)),
            (run(Trigger::Manual, 0, None), Some(0)),
            (run(Trigger::Replay, 5, None), None),
            (run(Trigger::Schedule, 5, Some("E3082")), None),
            (run(Trigger::Schedule, 5, Some("E3081")), Some(5)),
        ] {
            assert_eq!(brought(&run), want, "{run:?}");
        }
    }

    #[test]
    fn what_a_canceled_run_read_is_braked_by_the_next() {
        let canceled = |trigger, new| RunRow {
            status: "canceled".to_owned(),
            ..run(trigger, new, None)
        };
        for (newest, confirmed, want) in [
            (canceled(Trigger::Schedule, 501), None, Some("501 > 500")),
            (canceled(Trigger::Schedule, 501), Some(199), Some("501 > 500")),
            (canceled(Trigger::Schedule, 501), Some(200), None),
            (canceled(Trigger::Schedule, 500), None, None),
            (canceled(Trigger::Manual, 501), None, Some("501 > 500")),
            // Its numbers say nothing about what is usual.
            (canceled(Trigger::Replay, 501), None, None),
            (run(Trigger::Schedule, 501, None), None, None),
        ] {
            let reason = cut_off(&[newest], confirmed, 500).map(|reason| reason.text);
            assert_eq!(reason.as_deref(), want);
        }
        assert_eq!(cut_off(&[], None, 500), None);
        let behind_a_replay = [run(Trigger::Replay, 0, None), canceled(Trigger::Schedule, 501)];
        assert!(cut_off(&behind_a_replay, None, 500).is_some());
    }

    #[test]
    fn a_brake_holds_until_it_is_released() {
        let braked = [run(Trigger::Schedule, 900, Some("E3082"))];
        for (runs, confirmed, want) in [
            (&braked[..], None, true),
            (&braked, Some(199), true),
            (&braked, Some(200), false),
            (&[run(Trigger::Manual, 900, None), braked[0].clone()], None, false),
            (&[run(Trigger::Replay, 900, None), braked[0].clone()], None, true),
            (&[], None, false),
        ] {
            assert_eq!(held(runs, confirmed).is_some(), want, "{confirmed:?}");
        }
    }
}
