//! A recording, played: the real flow over an empty ledger in memory, with a clock that nobody waits for.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::diagnostic::Lang;
use dsl::plan::Plan;
use dsl::{Map, Value};
use flow::Stages;
use flow::window::Interval;
use ledger::Reader;
use ledger::read::RecordFilter;

use super::{Recording, code_of};
use crate::error::AppError;
use crate::run::{Engine, RunOptions};
use crate::shell::Silent;
use crate::tape::{Heard, Match, Tape, TapeClock};
use crate::workspace::Workspace;

/// What came of it.
pub(crate) struct Replayed {
    /// What was said to the tape.
    pub(crate) heard: Heard,
    /// How the records ended.
    pub(crate) records: Vec<Value>,
}

/// Plays a recording.
pub(crate) async fn replay(
    recording: &Recording,
    workspace: &Arc<Workspace>,
    plan: &Arc<Plan>,
    by: Match,
) -> Result<Replayed, AppError> {
    let tape = Tape::playing(recording.calls.clone(), recording.lookups.clone(), by);
    let tape = Arc::new(tape);
    let clock = Arc::new(TapeClock::at(recording.now_ms));
    let engine = Engine::replaying(Arc::clone(workspace), plan, recording, &tape, clock)?;
    let options = RunOptions {
        from: None,
        now: Some(recording.now_ms),
        window: recording.window.and_then(|(from, to)| Interval::new(from, to)),
        replay: None,
        limit: recording.limit,
        settle_wait: recording.settle_wait,
        stages: Stages::All,
        dry: false,
        lang: Lang::En,
        trigger: None,
        confirmed: false,
        cancel: None,
    };
    engine.run(Arc::clone(plan), &options, &Silent).await?;
    let records = records(engine.reader(), &plan.scheme)?;
    Ok(Replayed {
        heard: tape.heard(),
        records,
    })
}

/// How the records of a scheme ended, by key.
pub(super) fn records(reader: &Reader, scheme: &str) -> Result<Vec<Value>, AppError> {
    let filter = RecordFilter {
        scheme: Some(scheme.to_owned()),
        ..RecordFilter::default()
    };
    let mut rows = reader.list_records(&filter)?;
    rows.sort_by(|one, other| one.key.cmp(&other.key));
    let texts = rows.iter().map(|row| {
        let code = code_of(row.reason.as_ref());
        [
            ("key", Some(row.key.as_str())),
            ("state", Some(row.state.word())),
            ("id", row.target_id.as_deref()),
            ("number", row.number.as_deref()),
            ("code", code),
        ]
    });
    Ok(texts
        .map(|members| {
            let there = members
                .into_iter()
                .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text?))));
            Value::Map(there.collect::<Map>())
        })
        .collect())
}

/// How many records ended in which state.
pub(super) fn states(records: &[Value]) -> BTreeMap<String, usize> {
    let mut states = BTreeMap::new();
    for state in records.iter().filter_map(|record| record.get("state")?.as_text()) {
        *states.entry(state.to_owned()).or_default() += 1;
    }
    states
}
