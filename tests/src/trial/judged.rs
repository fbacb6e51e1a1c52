//! What a campaign of kills has left at the target and in the ledger, judged by the simulator's journal.

use std::collections::{BTreeMap, BTreeSet};

use flow::op::RecordState;
use ledger::Ledger;
use ledger::read::{RecordFilter, RecordLife};
use sandbox::{Effects, JournalEntry, Level};
use serde_json::Value;

use crate::e2e::{Ran, World};

/// Names that the source has shown since the campaign began, by customer, in order.
pub(super) type Names = BTreeMap<String, Vec<String>>;

/// Records of one question to the ledger.
const PAGE: u32 = 500;

/// The verdict. Keys in the lists, with a word where it helps.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Judged {
    /// Customers that the source has shown.
    pub(super) customers: u64,
    /// Keys with one document.
    pub(super) written: u64,
    /// Executed writes.
    pub(super) executed: u64,
    /// Records that wait for a person.
    pub(super) held: u64,
    /// Keys that were created more than once.
    pub(super) doubled: Vec<String>,
    /// Neither at the target nor in a person's hands.
    pub(super) lost: Vec<String>,
    /// Held without evidence of the attempt.
    pub(super) unproved: Vec<String>,
    /// Everything else that must not be.
    pub(super) wrong: Vec<String>,
}

impl Judged {
    /// Everything that is wrong where nothing may be doubled, for a message.
    pub(super) fn problems(&self) -> Vec<String> {
        let of = |what: &str, keys: &[String]| {
            keys.iter()
                .map(|key| format!("{what}: {key}"))
                .collect::<Vec<_>>()
        };
        [
            of("lost", &self.lost),
            of("doubled", &self.doubled),
            of("held without evidence", &self.unproved),
            of("wrong", &self.wrong),
        ]
        .concat()
    }
}

/// A record as the ledger has it in the end.
#[derive(Debug, Clone)]
struct Record {
    key: String,
    state: RecordState,
    /// Its newest attempt says when it was sent, how it was settled and why.
    is_proved: bool,
}

/// Judges target and ledger. An error is a ledger that cannot be read.
pub(super) fn judge(world: &World, level: Level, names: &Names, last: &Ran) -> Result<Judged, String> {
    let reader = Ledger::open_read_only(&world.data()).map_err(|error| error.to_string())?;
    let mut records = Vec::new();
    let mut before = None;
    loop {
        let filter = RecordFilter {
            before,
            limit: PAGE,
            ..RecordFilter::default()
        };
        let page = reader.list_records(&filter).map_err(|error| error.to_string())?;
        let Some(last) = page.last() else { break };
        before = Some(last.record);
        for row in &page {
            let life = (row.state == RecordState::Held)
                .then(|| reader.show_record_by_id(row.record))
                .transpose()
                .map_err(|error| error.to_string())?;
            records.push(Record {
                key: key_of(&row.key),
                state: row.state,
                is_proved: life.flatten().is_none_or(|life| has_evidence(&life)),
            });
        }
    }
    let customers = world.state()["customers"].as_u64().unwrap_or(0);
    let effects = world.sandbox().effects();
    let mut judged = compare(level, customers, &records, &effects);
    let journal = world.journal();
    judged.executed = journal.len().try_into().unwrap_or(u64::MAX);
    if level == Level::Upsert {
        judged.wrong.extend(out_of_order(names, &journal));
    }
    for key in names
        .keys()
        .filter(|key| !records.iter().any(|record| record.key == **key))
    {
        judged.lost.push(format!("{key} was never stored"));
    }
    let verified = world.engine(&["verify"]);
    if verified.code != Some(0) {
        judged.wrong.push(verified.to_string());
    }
    if !judged.problems().is_empty() {
        judged.wrong.push(last.to_string());
    }
    Ok(judged)
}

/// `["00123"]` -> `00123`
fn key_of(stored: &str) -> String {
    match serde_json::from_str(stored) {
        Ok(Value::Array(parts)) => parts
            .iter()
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join("/"),
        _ => stored.to_owned(),
    }
}

/// The newest attempt is there with its time, what became of it, and why nobody knows more; an answer with its status.
fn has_evidence(life: &RecordLife) -> bool {
    life.attempts
        .iter()
        .max_by_key(|attempt| attempt.attempt.0)
        .is_some_and(|attempt| {
            let why = attempt.reason.as_ref().or(attempt.resolution_reason.as_ref());
            let says_why = why.is_some_and(|reason| !reason.code.is_empty() && !reason.text.is_empty());
            let answered = attempt.excerpt.is_some();
            attempt.sent > 0
                && attempt.payload.is_some()
                && attempt.settlement.is_some()
                && says_why
                && (!answered || attempt.http_status.is_some())
        })
}

fn compare(level: Level, customers: u64, records: &[Record], effects: &[Effects]) -> Judged {
    let mut judged = Judged {
        customers,
        ..Judged::default()
    };
    let by_key: BTreeMap<&str, &Effects> = effects.iter().map(|one| (one.number.as_str(), one)).collect();
    let known: BTreeSet<&str> = records.iter().map(|record| record.key.as_str()).collect();
    for record in records {
        let creates = by_key.get(record.key.as_str()).map_or(0, |one| one.creates);
        match (record.state, creates) {
            (RecordState::Held, _) => {
                judged.held += 1;
                if level != Level::None && creates < 2 {
                    judged.wrong.push(format!("{} is held", record.key));
                }
                if !record.is_proved {
                    judged.unproved.push(record.key.clone());
                }
            }
            (RecordState::Done, 0) => judged.lost.push(format!("{} is done and nowhere", record.key)),
            (RecordState::Done, _) => {}
            (state, 0) => judged.lost.push(format!("{} is {}", record.key, state.word())),
            (state, _) => judged
                .wrong
                .push(format!("{} is there and {}", record.key, state.word())),
        }
    }
    for one in effects {
        judged.written += u64::from(one.creates == 1);
        if one.is_doubled() {
            judged
                .doubled
                .push(format!("{} is {} documents", one.number, one.creates));
        }
        if !known.contains(one.number.as_str()) {
            judged
                .wrong
                .push(format!("{} was written and is in no record", one.number));
        }
    }
    let stored = u64::try_from(records.len()).unwrap_or(u64::MAX);
    if stored != customers {
        judged
            .lost
            .push(format!("{customers} customers, {stored} records"));
    }
    judged
}

/// Keys whose documents did not follow the source: an older name after a newer one, or not the last one.
pub(super) fn out_of_order(names: &Names, journal: &[JournalEntry]) -> Vec<String> {
    let mut written: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for entry in journal {
        let document: Value = serde_json::from_str(&entry.content).unwrap_or_default();
        let name = document["name"].as_str().unwrap_or_default().to_owned();
        let list = written.entry(&entry.number).or_default();
        // The same content once more is what an upsert is asked with.
        if list.last() != Some(&name) {
            list.push(name);
        }
    }
    let follows = |key: &str, shown: &[String]| {
        let written = written.get(key).map_or(&[][..], Vec::as_slice);
        // What was shown before the campaign began is not in the list.
        let rest = match written {
            [first, rest @ ..] if !shown.contains(first) => rest,
            all => all,
        };
        let mut left = shown.iter();
        rest.iter().all(|name| left.any(|shown| shown == name)) && written.last() == shown.last()
    };
    names
        .iter()
        .filter(|(key, shown)| !follows(key, shown))
        .map(|(key, shown)| {
            format!(
                "{key} showed {shown:?} and became {:?}",
                written.get(key.as_str())
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, state: RecordState) -> Record {
        Record {
            key: key.to_owned(),
            state,
            is_proved: true,
        }
    }

    fn effect(key: &str, creates: u64) -> Effects {
        Effects {
            number: key.to_owned(),
            creates,
            ..Effects::default()
        }
    }

    #[test]
    fn what_is_lost_doubled_or_wrong_is_found() {
        use RecordState::{Dead, Done, Held, Pending, Unknown};
        // level, state and creates of the one record -> lost, doubled, wrong
        for (level, state, creates, want) in [
            (Level::Query, Done, 1, (0, 0, 0)),
            (Level::Query, Done, 0, (1, 0, 0)),
            (Level::Query, Done, 2, (0, 1, 0)),
            (Level::Query, Held, 1, (0, 0, 1)),
            (Level::Query, Held, 2, (0, 1, 0)),
            (Level::None, Held, 0, (0, 0, 0)),
            (Level::None, Held, 1, (0, 0, 0)),
            (Level::None, Held, 2, (0, 1, 0)),
            (Level::None, Pending, 0, (1, 0, 0)),
            (Level::None, Unknown, 1, (0, 0, 1)),
            (Level::UniqueKey, Dead, 0, (1, 0, 0)),
        ] {
            let effects: Vec<Effects> = (creates > 0).then(|| effect("a", creates)).into_iter().collect();
            let judged = compare(level, 1, &[record("a", state)], &effects);
            let got = (judged.lost.len(), judged.doubled.len(), judged.wrong.len());
            assert_eq!(got, want, "{level:?} {state:?} {creates}: {judged:?}");
        }
        let never_stored = compare(Level::Query, 2, &[record("a", Done)], &[effect("a", 1)]);
        assert_eq!(never_stored.lost, ["2 customers, 1 records"]);
        let of_nobody = compare(Level::Query, 0, &[], &[effect("a", 1)]);
        assert_eq!(of_nobody.wrong.len(), 1);
        let unproved = Record {
            is_proved: false,
            ..record("a", Held)
        };
        assert_eq!(compare(Level::None, 1, &[unproved], &[]).unproved, ["a"]);
    }

    #[test]
    fn an_older_name_after_a_newer_one_is_found() {
        let names =
            |shown: &[&str]| Names::from([("k".to_owned(), shown.iter().map(|n| (*n).to_owned()).collect())]);
        let journal = |written: &[&str]| -> Vec<JournalEntry> {
            let entry = |name: &&str| JournalEntry {
                number: "k".to_owned(),
                content: serde_json::json!({"key": "k", "name": name}).to_string(),
                ..JournalEntry::default()
            };
            written.iter().map(entry).collect()
        };
        for (shown, written, problems) in [
            (&["b", "c"][..], &["a", "b", "c"][..], 0),
            (&["b", "c"], &["a", "c", "c"], 0),
            (&["b", "c"], &["c"], 0),
            (&["b", "c"], &["a", "c", "b"], 1),
            (&["b", "c"], &["a", "b"], 1),
            (&["b", "c"], &["c", "a"], 1),
            (&["b"], &[], 1),
        ] {
            let found = out_of_order(&names(shown), &journal(written));
            assert_eq!(found.len(), problems, "{shown:?} {written:?}: {found:?}");
        }
    }

    #[test]
    fn a_key_is_read_as_it_is_stored() {
        assert_eq!(key_of(r#"["00123"]"#), "00123");
        assert_eq!(key_of("00123"), "00123");
    }
}
