//! What is counted, as Prometheus reads it. Labels name schemes, states, connections and outcomes: never a record.
//!
//! Written by hand: the format is a line per number, and a crate for it would bring a registry of its own beside the
//! ledger, which has most of the numbers.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use app::meter;
use app::service::Loaded;
use flow::ids::Ms;
use flow::op::RecordState;
use ledger::read::WaitingRow;

use crate::problem::Problem;
use crate::state::State;

/// Schemes of one answer; a folder has at most 5,000 files, and services of more are asked scheme by scheme.
const MOST_SCHEMES: usize = 20_000;

/// What is counted of requests.
#[derive(Debug, Default)]
pub struct Counters {
    /// Answers by the first digit of their status.
    answers: [AtomicU64; 5],
}

impl Counters {
    /// A request was answered.
    pub(crate) fn answered(&self, status: u16) {
        if let Some(count) = self.answers.get(usize::from(status / 100).wrapping_sub(1)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Scheme -> the connection it writes to.
pub(crate) fn targets(loaded: &Arc<Loaded>) -> BTreeMap<String, String> {
    let members = loaded.fleet.iter();
    members
        .filter_map(|(id, member)| {
            let target = member.plan()?.target.as_ref()?;
            Some((id.to_owned(), target.connection.clone()))
        })
        .collect()
}

/// What waits for each target: how many, and since when the oldest.
pub(crate) fn queues(
    targets: &BTreeMap<String, String>,
    waiting: &[WaitingRow],
) -> BTreeMap<String, (u64, Option<Ms>)> {
    let mut queues: BTreeMap<String, (u64, Option<Ms>)> = targets
        .values()
        .map(|target| (target.clone(), (0, None)))
        .collect();
    for row in waiting {
        let Some(queue) = targets.get(&row.scheme).and_then(|target| queues.get_mut(target)) else {
            continue;
        };
        queue.0 += row.records;
        queue.1 = queue.1.into_iter().chain(row.oldest).min();
    }
    queues
}

/// A family of numbers, as Prometheus is told of it. Dashboards and alert rules name them: a name that was released stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// Its name.
    pub name: &'static str,
    /// `gauge`, `counter` or `histogram`.
    pub kind: &'static str,
    /// What it is.
    pub help: &'static str,
    /// The names of its labels; a histogram's buckets have `le` beside them.
    pub labels: &'static [&'static str],
}

const fn family(
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    labels: &'static [&'static str],
) -> Described {
    Described {
        name,
        kind,
        help,
        labels,
    }
}

const SCHEMES: Described = family("engine_schemes", "gauge", "Schemes by state.", &["state"]);
const RECORDS: Described = family(
    "engine_records_total",
    "gauge",
    "Records by scheme and state.",
    &["scheme", "state"],
);
const LAG: Described = family(
    "engine_lag_seconds",
    "gauge",
    "How far reading is behind now.",
    &["scheme"],
);
const LAST_OK: Described = family(
    "engine_last_ok_seconds",
    "gauge",
    "Since when a run of the scheme has not ended well.",
    &["scheme"],
);
const RUNS: Described = family(
    "engine_runs_total",
    "counter",
    "Runs begun since the service was started.",
    &["scheme"],
);
const RUNNING: Described = family("engine_runs_running", "gauge", "Runs under way.", &[]);
const QUEUE: Described = family(
    "engine_queue_records",
    "gauge",
    "Records that are not settled, by target.",
    &["connection"],
);
const QUEUE_OLDEST: Described = family(
    "engine_queue_oldest_seconds",
    "gauge",
    "Age of the oldest record that is not settled, by target.",
    &["connection"],
);
const CALLS: Described = family(
    "engine_target_requests_total",
    "counter",
    "Calls by connection and outcome.",
    &["connection", "outcome"],
);
const SECONDS: Described = family(
    "engine_target_seconds",
    "histogram",
    "How long calls took.",
    &["connection"],
);
const ANSWERS: Described = family(
    "engine_http_requests_total",
    "counter",
    "Answers of this server by class of status.",
    &["status"],
);

/// All of them.
pub const ALL: [Described; 11] = [
    SCHEMES,
    RECORDS,
    LAG,
    LAST_OK,
    RUNS,
    RUNNING,
    QUEUE,
    QUEUE_OLDEST,
    CALLS,
    SECONDS,
    ANSWERS,
];

/// A family that is being written.
struct Family<'o> {
    out: &'o mut String,
    of: Described,
}

impl<'o> Family<'o> {
    fn new(out: &'o mut String, of: Described) -> Self {
        let Described { name, kind, help, .. } = of;
        out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        Family { out, of }
    }

    fn number(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        debug_assert!(
            labels
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| *name != "le")
                .eq(self.of.labels.iter().copied()),
            "{labels:?} are not the labels of {}",
            self.of.name
        );
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let name = self.of.name;
        self.out.push_str(&format!("{name}{suffix}{labels} {value}\n"));
    }
}

fn escaped(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// Milliseconds as seconds, without floats.
fn seconds(ms: Ms) -> String {
    let ms = ms.max(0);
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}

/// All of it, in the text format of Prometheus.
pub(crate) async fn text(state: &State) -> Result<String, Problem> {
    let asked = state.clone();
    match tokio::task::spawn_blocking(move || measured(&asked)).await {
        Ok(done) => done,
        Err(error) => Err(Problem::bug(error)),
    }
}

fn measured(state: &State) -> Result<String, Problem> {
    let service = state.service();
    let (now, loaded, reader) = (state.now_ms(), service.loaded(), state.reader());
    let mut out = String::new();
    let statuses = service.statuses(None, MOST_SCHEMES)?;

    let mut family = Family::new(&mut out, SCHEMES);
    for word in ["enabled", "draft", "paused", "invalid"] {
        let count = statuses.iter().filter(|status| status.word == word).count();
        family.number("", &[("state", word)], count);
    }
    let mut family = Family::new(&mut out, RECORDS);
    for status in &statuses {
        for (of, count) in RecordState::ALL.iter().zip(status.states) {
            family.number("", &[("scheme", &status.id), ("state", of.word())], count);
        }
    }
    let mut family = Family::new(&mut out, LAG);
    for status in &statuses {
        if let Some(lag) = status.lag_ms(now) {
            family.number("", &[("scheme", &status.id)], seconds(lag));
        }
    }
    let mut family = Family::new(&mut out, LAST_OK);
    for status in &statuses {
        if let Some(last) = status.last_ok {
            family.number("", &[("scheme", &status.id)], seconds(now - last));
        }
    }
    let mut family = Family::new(&mut out, RUNS);
    for status in &statuses {
        let starts: u64 = status.halves.iter().map(|half| half.tally.starts).sum();
        family.number("", &[("scheme", &status.id)], starts);
    }
    let mut family = Family::new(&mut out, RUNNING);
    let running = statuses.iter().filter(|status| status.running.is_some()).count();
    family.number("", &[], running);

    let queues = queues(&targets(&loaded), &reader.waiting()?);
    let mut family = Family::new(&mut out, QUEUE);
    for (connection, (count, _)) in &queues {
        family.number("", &[("connection", connection)], count);
    }
    let mut family = Family::new(&mut out, QUEUE_OLDEST);
    for (connection, (_, oldest)) in &queues {
        let age = oldest.map_or(0, |oldest| now - oldest);
        family.number("", &[("connection", connection)], seconds(age));
    }

    let calls = meter::calls();
    let mut family = Family::new(&mut out, CALLS);
    for (connection, calls) in &calls {
        for (outcome, count) in &calls.outcomes {
            family.number("", &[("connection", connection), ("outcome", outcome)], count);
        }
    }
    let mut family = Family::new(&mut out, SECONDS);
    for (connection, calls) in &calls {
        for (bound, count) in meter::BOUNDS.iter().zip(calls.within) {
            family.number(
                "_bucket",
                &[("connection", connection), ("le", &seconds(*bound))],
                count,
            );
        }
        family.number(
            "_bucket",
            &[("connection", connection), ("le", "+Inf")],
            calls.count,
        );
        let took = Ms::try_from(calls.took).unwrap_or(Ms::MAX);
        family.number("_sum", &[("connection", connection)], seconds(took));
        family.number("_count", &[("connection", connection)], calls.count);
    }

    let mut family = Family::new(&mut out, ANSWERS);
    for (at, count) in state.counters().answers.iter().enumerate() {
        let class = format!("{}xx", at + 1);
        family.number("", &[("status", &class)], count.load(Ordering::Relaxed));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_labels() {
        let mut out = String::new();
        let mut one = Family::new(&mut out, family("engine_x", "gauge", "About x.", &["scheme"]));
        one.number("", &[("scheme", "a\"b\\c\n")], seconds(1_050));
        let mut family = Family::new(&mut out, RUNNING);
        family.number("", &[], 3);
        assert_eq!(
            out,
            "# HELP engine_x About x.\n# TYPE engine_x gauge\nengine_x{scheme=\"a\\\"b\\\\c\\n\"} 1.050\n# HELP engine_runs_running Runs under way.\n# TYPE engine_runs_running gauge\nengine_runs_running 3\n"
        );
        assert_eq!(seconds(-5), "0.000");
    }

    #[test]
    fn the_oldest_of_all_schemes_of_a_target() {
        let targets = [("a", "erp"), ("b", "erp"), ("c", "crm")]
            .map(|(scheme, target)| (scheme.to_owned(), target.to_owned()))
            .into();
        let row = |scheme: &str, records, oldest| WaitingRow {
            scheme: scheme.to_owned(),
            records,
            oldest,
        };
        let waiting = [
            row("a", 2, Some(9)),
            row("b", 3, Some(4)),
            row("gone", 5, Some(1)),
        ];
        let queues = queues(&targets, &waiting);
        assert_eq!(queues["erp"], (5, Some(4)));
        assert_eq!(queues["crm"], (0, None));
    }
}
