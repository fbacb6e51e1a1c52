//! `engine tap`: what a scheme reads, as it reads it. A sample from the ledger: a server that works with it is not
//! disturbed, and values that are marked as sensitive are masked as everywhere.

use std::collections::BTreeSet;
use std::time::Duration;

use app::query;
use app::{AppError, Clock, SystemClock};
use dsl::{Value, json};
use flow::op::RecordState;
use ledger::Reader;
use ledger::read::{RunFilter, RunRow, Sighted};

use super::Done;
use super::args::{Global, TapArgs};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::table::one_line;
use super::time;

/// How often is looked for more.
const LOOK: Duration = Duration::from_millis(300);
/// Records that are shown, and how long is waited for them: whoever wants all of them takes `rows export`.
const MOST: usize = 1_000;
const LONGEST: i64 = 86_400_000;
/// Runs and sightings that one look asks for: the newest of a busy scheme.
const RUNS: u32 = 20;

/// `engine tap SCHEME`
pub(crate) fn tap(args: TapArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let limit = usize::try_from(args.limit).unwrap_or(MOST);
    let span = time::duration(&args.duration)?;
    if limit == 0 || limit > MOST || span > LONGEST {
        return Err(AppError::wrong_use(
            format!("--limit 为 1 到 {MOST},--duration 最长 1d"),
            format!("--limit is 1 to {MOST}, --duration 1d at most"),
        ));
    }
    let reader = ledgers::open(&args.ledger, global, environment)?;
    ledgers::known(&reader, Some(&args.scheme))?;
    let clock = SystemClock::default();
    let began = clock.now_ms();
    let mut tap = Tap {
        reader: &reader,
        scheme: &args.scheme,
        shown: BTreeSet::new(),
        limit,
    };
    // What is there when it begins is not shown, but for the rows of a run that goes on.
    tap.pass_over()?;
    super::block_on(async {
        loop {
            for (sighted, row) in tap.more()? {
                show(&sighted, &row, args.ndjson || out.json, out);
            }
            if tap.is_full() || clock.now_ms() - began >= span {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                // Whoever looks ends it, and that is no failure.
                _ = tokio::signal::ctrl_c() => break,
            }
        }
        if tap.count() == 0 {
            out.note("tap-none", &[("scheme", args.scheme.clone())]);
        }
        Ok::<_, AppError>(())
    })??;
    Ok(0)
}

/// A row as it is shown.
struct Row {
    key: String,
    label: String,
    state: RecordState,
    fields: Value,
}

struct Tap<'a> {
    reader: &'a Reader,
    scheme: &'a str,
    /// Sightings that were shown or passed over; `None` = a whole run.
    shown: BTreeSet<(i64, Option<(i64, i64)>)>,
    limit: usize,
}

impl Tap<'_> {
    fn runs(&self) -> Result<Vec<RunRow>, AppError> {
        let filter = RunFilter {
            scheme: Some(self.scheme.to_owned()),
            limit: RUNS,
            ..RunFilter::default()
        };
        Ok(self.reader.list_runs(&filter)?)
    }

    fn pass_over(&mut self) -> Result<(), AppError> {
        let over = self.runs()?.into_iter().filter(|run| run.ended.is_some());
        self.shown.extend(over.map(|run| (run.run.0, None)));
        Ok(())
    }

    fn count(&self) -> usize {
        self.shown
            .iter()
            .filter(|(_, sighting)| sighting.is_some())
            .count()
    }

    fn is_full(&self) -> bool {
        self.count() >= self.limit
    }

    /// Sightings that were not shown yet, oldest first, with their rows.
    fn more(&mut self) -> Result<Vec<(Sighted, Row)>, AppError> {
        let mut all = Vec::new();
        for run in self.runs()?.into_iter().rev() {
            if self.shown.contains(&(run.run.0, None)) {
                continue;
            }
            let most = u32::try_from(self.limit).unwrap_or(u32::MAX);
            let mut sighted = self.reader.newest_sightings(run.run, most)?;
            sighted.reverse();
            for one in sighted {
                let name = (one.run.0, Some((one.record.0, one.seq)));
                if self.is_full() || !self.shown.insert(name) {
                    continue;
                }
                let Some(source) = self.reader.sources(&[one.record])?.pop() else {
                    continue;
                };
                let shown = query::shown_row(self.reader, self.scheme, &source.source)?;
                let row = Row {
                    key: query::key_text(&source.key),
                    label: source.label,
                    state: source.state,
                    // What cannot be read is masked as a whole, and is no JSON.
                    fields: json::parse(&shown).unwrap_or(Value::Null),
                };
                all.push((one, row));
            }
        }
        Ok(all)
    }
}

fn show(sighted: &Sighted, row: &Row, ndjson: bool, out: &Out) {
    if ndjson {
        out.line(json::to_string(&object! {
            "schema" => "engine.tap/1",
            "at" => time::rfc3339(sighted.seen),
            "run" => sighted.run.0,
            "page" => sighted.page,
            "outcome" => sighted.outcome,
            "key" => row.key,
            "label" => row.label,
            "state" => row.state.word(),
            "row" => row.fields,
        }));
        return;
    }
    let outcome = out.text(&format!("outcome-{}", sighted.outcome), &[]);
    out.line(format!(
        "{}  {}  {outcome}  {}  {}",
        time::shown(sighted.seen),
        one_line(&row.key),
        out.state(row.state),
        one_line(&row.label),
    ));
    out.line(format!("  {}", one_line(&json::to_string(&row.fields))));
}
