//! What a replay does otherwise than the recording, for people.

use std::collections::BTreeMap;

use dsl::Value;
use dsl::diagnostic::Lang;
use dsl::facts::Text2;
use dsl::json;
use dsl::testing::{Difference, differences};

use super::{Recording, Replayed, both};
use crate::tape::Said;

/// Differences that are told one by one: a template that changed does so in every document.
const MOST: usize = 30;
/// Characters of a request that are shown whole.
const SHOWN: usize = 300;

/// Everything that differs.
pub(crate) fn compare(recording: &Recording, replayed: &Replayed) -> Vec<Text2> {
    let mut told = calls_that_differ(recording, replayed);
    for (nth, (said, request)) in recording.calls.iter().zip(&replayed.heard.requests).enumerate() {
        let Some(request) = request else { continue };
        let place = call_place(nth, said);
        told.extend(lines(&place, &said.request, request));
    }
    told.extend(records_that_differ(&recording.records, &replayed.records));
    let more = told.len().saturating_sub(MOST);
    told.truncate(MOST);
    if more > 0 {
        told.push(both(format!("……另有 {more} 处"), format!("... and {more} more")));
    }
    told
}

/// Calls and look-ups that are missing, and those that were not recorded.
pub(super) fn calls_that_differ(recording: &Recording, replayed: &Replayed) -> Vec<Text2> {
    let heard = &replayed.heard;
    let missing = recording.calls.iter().zip(&heard.requests).enumerate();
    let missing = missing.filter(|(_, (_, request))| request.is_none());
    let missing = missing.map(|(nth, (said, _))| {
        let place = call_place(nth, said);
        both(
            format!("{}:没有发出", place.zh),
            format!("{}: was not made", place.en),
        )
    });
    let extra = heard.extra.iter().map(|(connection, operation, request)| {
        let request = short(request);
        both(
            format!("录制里没有的调用 {connection} {operation}:{request}"),
            format!("a call that was not recorded, {connection} {operation}: {request}"),
        )
    });
    let unknown = heard.unknown.iter().map(|shown| {
        both(
            format!("录制里没有的查找:{shown}"),
            format!("a look-up that was not recorded: {shown}"),
        )
    });
    missing.chain(extra).chain(unknown).collect()
}

/// The number counts from 1, in the order of the file.
fn call_place(nth: usize, said: &Said) -> Text2 {
    let nth = nth + 1;
    let (connection, operation) = (&said.connection, &said.operation);
    both(
        format!("第 {nth} 次调用 {connection} {operation}"),
        format!("call {nth}, {connection} {operation}"),
    )
}

fn records_that_differ(want: &[Value], got: &[Value]) -> Vec<Text2> {
    let by_key = |records: &[Value]| -> BTreeMap<String, Value> {
        let keyed = records.iter().filter_map(|record| {
            let key = record.get("key")?.as_text()?.to_owned();
            Some((key, record.clone()))
        });
        keyed.collect()
    };
    let (want, got) = (by_key(want), by_key(got));
    let mut keys: Vec<&String> = want.keys().chain(got.keys()).collect();
    keys.sort();
    keys.dedup();
    let place = |key: &String| both(format!("记录 {key}"), format!("record {key}"));
    keys.into_iter()
        .flat_map(|key| match (want.get(key), got.get(key)) {
            (Some(want), Some(got)) => lines(&place(key), want, got),
            (Some(_), None) => vec![both(
                format!("记录 {key}:没有出现"),
                format!("record {key}: is not there"),
            )],
            _ => vec![both(
                format!("记录 {key}:录制里没有"),
                format!("record {key}: was not recorded"),
            )],
        })
        .collect()
}

fn lines(place: &Text2, want: &Value, got: &Value) -> Vec<Text2> {
    let line = |difference: Difference| {
        both(
            format!("{} {}", place.zh, difference.line(Lang::Zh)),
            format!("{} {}", place.en, difference.line(Lang::En)),
        )
    };
    differences(want, got).into_iter().map(line).collect()
}

fn short(value: &Value) -> String {
    let text = json::to_string(value);
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
