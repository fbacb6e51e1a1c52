//! What the schedule of a scheme means for the timetable.

use std::sync::Arc;

use dsl::cron::Part;
use dsl::plan::{Missed, Plan, Schedule, When};
use flow::ids::Ms;
use flow::timetable::{self, First, Half, Rule, Spec, Timing};

use crate::run::Engine;

/// Starts of `every` are spread over so long where the scheme says nothing: hundreds of schemes begin at the full hour.
const JITTER: Ms = 30_000;

/// A scheme as the timetable knows it.
pub(crate) fn spec(plan: &Plan, engine: &Engine) -> Spec {
    let targets = plan.target.iter().flat_map(|target| target.connections());
    let connections = std::iter::once(&plan.source.connection).chain(targets);
    let mut spec = Spec {
        priority: plan.priority,
        credentials: connections.map(|name| engine.credential(name)).collect(),
        least: engine.least_interval(plan),
        // A run lets the partner read: the two of a pair go one after the other.
        alone: plan.two_way.as_ref().map(|two_way| {
            let mut pair = [plan.scheme.as_str(), two_way.with.as_str()];
            pair.sort_unstable();
            pair.join(" ")
        }),
        ..Spec::new(&plan.scheme)
    };
    if let Some(schedule) = &plan.schedule {
        spec.after = schedule.after.clone();
        spec.timings = timings(&Arc::new(schedule.clone()));
        // A window reads on from where it closed last: there is nothing to leave out.
        if schedule.missed == Missed::Skip && plan.source.window.none {
            spec.missed = timetable::Missed::Skip;
        }
    }
    spec
}

pub(super) fn timings(schedule: &Arc<Schedule>) -> Vec<Timing> {
    let usual = match schedule.when {
        When::Every(every) => JITTER.min(every / 10),
        // Whoever writes down a minute wants that minute.
        When::Cron(_) | When::Both { .. } | When::OnPush | When::After => 0,
    };
    // What is started by others keeps its hours, too.
    let only_hours = [Part::All];
    let parts = match schedule.parts() {
        [] if schedule.hours.is_empty() && schedule.quiet.is_empty() => &[],
        [] => &only_hours[..],
        parts => parts,
    };
    let timing = |part: &Part| Timing {
        half: half(*part),
        rule: Arc::new(ByPlan {
            schedule: Arc::clone(schedule),
            part: *part,
        }),
        text: schedule.rule(*part),
        first: match schedule.when {
            // Nobody waits an hour to see whether `every: 1h` works.
            When::Every(_) => First::AtOnce,
            When::Cron(_) | When::Both { .. } | When::OnPush | When::After => First::AtNext,
        },
        jitter: schedule.jitter_ms.unwrap_or(usual),
    };
    parts.iter().map(timing).collect()
}

fn half(part: Part) -> Half {
    match part {
        Part::All => Half::All,
        Part::Source => Half::Source,
        Part::Target => Half::Target,
    }
}

struct ByPlan {
    schedule: Arc<Schedule>,
    part: Part,
}

impl Rule for ByPlan {
    fn next(&self, after: Ms) -> Option<Ms> {
        self.schedule.next(self.part, after)
    }

    fn opens(&self, at: Ms) -> Ms {
        self.schedule.opens(at)
    }
}

#[cfg(test)]
mod tests {
    use dsl::cron::{Cron, Hours};
    use jiff::tz::TimeZone;

    use super::*;

    fn schedule(when: When) -> Schedule {
        Schedule {
            when,
            after: None,
            zone: TimeZone::UTC,
            hours: Hours::default(),
            quiet: Hours::default(),
            missed: Missed::Once,
            jitter_ms: None,
        }
    }

    #[test]
    fn schedules_become_rules() {
        let cron = |text| Cron::parse(text).expect("a cron text");
        let both = When::Both {
            source: cron("*/10 * * * *"),
            target: cron("5 * * * *"),
        };
        let mut after = schedule(When::After);
        assert!(after.quiet.add("00:00-06:00"));
        for (schedule, want) in [
            (
                schedule(When::Every(360_000)),
                "all every 360000ms in UTC: AtOnce, 30000, next 360000",
            ),
            (
                schedule(When::Every(60_000)),
                "all every 60000ms in UTC: AtOnce, 6000, next 60000",
            ),
            (
                schedule(When::Cron(cron("0 2 * * *"))),
                "all cron 0 2 * * * in UTC: AtNext, 0, next 7200000",
            ),
            (
                schedule(both),
                "source cron */10 * * * * in UTC: AtNext, 0, next 600000; target cron 5 * * * * in UTC: AtNext, 0, next 300000",
            ),
            (schedule(When::OnPush), ""),
            (schedule(When::After), ""),
            (after, "all  in UTC quiet 00:00-06:00: AtNext, 0, never"),
        ] {
            let timings = timings(&Arc::new(schedule));
            let lines: Vec<String> = timings
                .iter()
                .map(|timing| {
                    let next = timing
                        .rule
                        .next(0)
                        .map_or("never".to_owned(), |next| format!("next {next}"));
                    let (half, text) = (timing.half.word(), &timing.text);
                    format!("{half} {text}: {:?}, {}, {next}", timing.first, timing.jitter)
                })
                .collect();
            assert_eq!(lines.join("; "), want);
        }
    }
}
