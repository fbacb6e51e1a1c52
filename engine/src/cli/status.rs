//! `engine status`: how every scheme stands, from the ledger alone, so that a server that works with it is not disturbed;
//! or as a server tells it.

use std::collections::BTreeMap;
use std::path::Path;

use app::{AppError, Clock, SystemClock};
use dsl::Value;
use flow::op::{Reason, RecordState};
use flow::timetable::{DueRow, Paused};
use ledger::read::{RunFilter, RunRow, SchemeRow};

use super::Done;
use super::args::{Global, StatusArgs};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::objects::SCHEMES;
use super::out::Out;
use super::remote::{Remote, State};
use super::run::{self, grouped};
use super::table::{Table, one_line};
use super::time;

/// One scheme, as far as the ledger knows it.
struct Stand {
    scheme: String,
    rows: Vec<DueRow>,
    paused: Option<Paused>,
    /// Up to where its source was read for good.
    watermark: Option<i64>,
    /// Stored rows of another scheme that it has not taken.
    rows_behind: Option<u64>,
    states: [u64; 7],
    last: Option<RunRow>,
}

impl Stand {
    fn due(&self) -> Option<i64> {
        self.rows.iter().filter_map(|row| row.next).min()
    }

    fn behind(&self, now: i64) -> Option<i64> {
        Some((now - self.watermark?).max(0))
    }

    fn of(&self, state: RecordState) -> u64 {
        let place = RecordState::ALL.iter().position(|of| *of == state);
        place.map_or(0, |place| self.states[place])
    }

    fn open(&self) -> u64 {
        let open = RecordState::ALL.into_iter().filter(|state| state.is_open());
        open.map(|state| self.of(state)).sum()
    }
}

/// `engine status`
pub(crate) fn status(args: StatusArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [("--sandbox", args.ledger.is_simulated())];
    let (served, stands, troubles) = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => {
            let schemes = remote.schemes(args.scheme.as_deref())?;
            let stands = schemes.into_iter().map(Stand::from).collect();
            let troubles = match args.scheme {
                Some(_) => Vec::new(),
                None => remote.object_troubles()?,
            };
            (Served::At(remote.base().to_owned()), stands, troubles)
        }
        None => {
            let (served, stands) = here(&args, global, environment)?;
            let troubles = match args.scheme {
                Some(_) => Vec::new(),
                None => objects_here(global, out, environment),
            };
            (served, stands, troubles)
        }
    };
    told(&served, &stands, &troubles, out)
}

/// Who works with the ledger.
enum Served {
    By(Option<u32>),
    At(String),
}

impl From<State> for Stand {
    fn from(state: State) -> Self {
        Stand {
            scheme: state.id,
            rows: state.rows,
            paused: state.paused,
            watermark: state.watermark,
            rows_behind: state.rows_behind,
            states: state.states,
            last: state.last,
        }
    }
}

/// How every scheme stands, as far as the ledger knows it.
fn here(
    args: &StatusArgs,
    global: &Global,
    environment: &Environment,
) -> Result<(Served, Vec<Stand>), AppError> {
    let dir = ledgers::dir(&args.ledger, global, environment)?;
    let served_by = match ledger::lock::is_free(&dir) {
        true => None,
        false => ledger::lock::holder_of(&dir),
    };
    let reader = ledgers::open(&args.ledger, global, environment)?;
    ledgers::known(&reader, args.scheme.as_deref())?;
    let mut remembered = reader.timetable()?;
    let mut known: BTreeMap<String, SchemeRow> = reader
        .schemes()?
        .into_iter()
        .map(|scheme| (scheme.id.clone(), scheme))
        .collect();
    let mut all: Vec<String> = remembered.keys().chain(known.keys()).cloned().collect();
    all.sort_unstable();
    all.dedup();
    let meant = args.scheme.as_ref();
    let mut stands = Vec::new();
    for scheme in all
        .into_iter()
        .filter(|scheme| meant.is_none_or(|meant| meant == scheme))
    {
        let filter = RunFilter {
            scheme: Some(scheme.clone()),
            limit: 1,
            ..RunFilter::default()
        };
        let remembered = remembered.remove(&scheme).unwrap_or_default();
        let known = known.remove(&scheme);
        stands.push(Stand {
            rows: remembered.rows,
            paused: remembered.paused,
            watermark: known
                .as_ref()
                .and_then(|known| known.closed.last())
                .map(|closed| closed.to),
            rows_behind: reader.rows_behind(&scheme)?,
            states: known.map(|known| known.states).unwrap_or_default(),
            last: reader.list_runs(&filter)?.pop(),
            scheme,
        });
    }
    Ok((Served::By(served_by), stands))
}

/// The objects of this folder that cannot be used, and why. A folder without files that can be read has none: what is
/// wrong with them is for `engine check`, and a ledger can be looked at anywhere.
fn objects_here(global: &Global, out: &Out, environment: &Environment) -> Vec<(String, Reason)> {
    let Ok(workspace) = run::seen(Path::new(SCHEMES), global, environment) else {
        return Vec::new();
    };
    let troubles = workspace.object_troubles().iter();
    troubles
        .map(|(object, error)| (object.clone(), app::objects::reason(error, out.lang)))
        .collect()
}

fn told(served: &Served, stands: &[Stand], troubles: &[(String, Reason)], out: &Out) -> Done {
    let now = SystemClock::default().now_ms();
    if out.json {
        let schemes: Vec<Value> = stands.iter().map(|stand| document(stand, now)).collect();
        out.document(&object! {
            "schema" => "engine.status/1",
            "served_by" => match served {
                Served::By(pid) => pid.map(i64::from),
                Served::At(_) => None,
            },
            "server" => match served {
                Served::By(_) => None,
                Served::At(server) => Some(server),
            },
            "schemes" => schemes,
            "objects" => Value::List(troubles.iter().map(|(object, why)| object! {
                "object" => object, "code" => why.code, "message" => why.text,
            }).collect()),
        });
        return Ok(0);
    }
    match served {
        Served::At(server) => out.note("status-served-at", &[("server", server.clone())]),
        Served::By(Some(pid)) => out.note("status-served", &[("pid", pid.to_string())]),
        Served::By(None) => out.note("status-not-served", &[]),
    }
    for (object, why) in troubles {
        let facts = [
            ("object", object.clone()),
            ("why", format!("{} {}", why.code, why.text)),
        ];
        out.say("status-object", &facts);
    }
    if stands.is_empty() {
        out.say("status-none", &[]);
        return Ok(0);
    }
    let heads = [
        "column-scheme",
        "column-last-run",
        "column-due",
        "column-behind",
        "column-open",
        "column-dead",
        "column-held",
    ];
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    for stand in stands {
        table.row(row(stand, now, out));
    }
    out.table(&table);
    for stand in stands {
        if let Some(rows) = stand.rows_behind.filter(|rows| *rows > 0) {
            let facts = [("scheme", stand.scheme.clone()), ("count", rows.to_string())];
            out.say("status-rows-behind", &facts);
        }
        if let Some(paused) = &stand.paused {
            let facts = [
                ("scheme", stand.scheme.clone()),
                ("by", paused.by.clone()),
                ("since", time::shown(paused.since)),
                ("why", app::sentence_of(&paused.reason, out.lang)),
            ];
            out.say("status-paused", &facts);
        }
    }
    Ok(0)
}

fn row(stand: &Stand, now: i64, out: &Out) -> Vec<String> {
    let dash = || "-".to_owned();
    let last = stand.last.as_ref().map_or_else(dash, |run| {
        let status = out.text(&format!("status-{}", run.status), &[]);
        format!("{} {status}", time::shown(run.started))
    });
    let due = match (&stand.paused, stand.due()) {
        (Some(_), _) => out.text("scheme-paused", &[]),
        (None, Some(due)) => time::shown(due),
        (None, None) => dash(),
    };
    vec![
        one_line(&stand.scheme),
        last,
        due,
        stand.behind(now).map_or_else(dash, time::span),
        grouped(stand.open()),
        grouped(stand.of(RecordState::Dead)),
        grouped(stand.of(RecordState::Held)),
    ]
}

fn document(stand: &Stand, now: i64) -> Value {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let states: dsl::Map = RecordState::ALL
        .into_iter()
        .map(|state| (state.word().to_owned(), Value::from(count(stand.of(state)))))
        .collect();
    let halves: Vec<Value> = stand.rows.iter().map(half).collect();
    object! {
        "scheme" => stand.scheme.as_str(),
        "paused" => stand.paused.as_ref().map(|paused| object! {
            "since" => time::rfc3339(paused.since),
            "by" => paused.by.as_str(),
            "code" => paused.reason.code.as_str(),
            "reason" => paused.reason.text.as_str(),
        }),
        "due" => stand.due().map(time::rfc3339),
        "behind_ms" => stand.behind(now),
        "rows_behind" => stand.rows_behind.map(count),
        "last_run" => stand.last.as_ref().map(|run| object! {
            "started" => time::rfc3339(run.started),
            "ended" => run.ended.map(time::rfc3339),
            "status" => run.status.as_str(),
        }),
        "states" => states,
        "schedule" => halves,
    }
}

fn half(row: &DueRow) -> Value {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    object! {
        "half" => row.half.word(),
        "rule" => row.rule.as_str(),
        "due" => row.next.map(time::rfc3339),
        "started" => row.started.map(time::rfc3339),
        "ended" => row.ended.map(time::rfc3339),
        "starts" => count(row.tally.starts),
        "overlaps" => count(row.tally.overlaps),
        "skipped" => count(row.tally.skipped),
        "late" => count(row.tally.late),
        "worst_late_ms" => row.tally.worst,
    }
}
