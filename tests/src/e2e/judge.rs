//! What must hold of counts and of the target's journal.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::JournalEntry;
use serde_json::Value;

/// The identity of a run: `fetched = done + dead + held + skipped + open`, and what open and skipped are made of.
#[track_caller]
pub fn adds_up(run: &Value) {
    let count = |name: &str| {
        run["counts"][name]
            .as_u64()
            .unwrap_or_else(|| panic!("counts.{name} is missing in {run:#}"))
    };
    let ended = count("done") + count("dead") + count("held") + count("skipped") + count("open");
    assert_eq!(count("fetched"), ended, "{run:#}");
    assert_eq!(
        count("open"),
        count("pending") + count("sending") + count("unknown"),
        "{run:#}"
    );
    // Some records are skipped for reasons of the record, not of the sighting.
    assert!(
        count("skipped") >= count("unchanged") + count("superseded") + count("filtered"),
        "{run:#}"
    );
}

/// Numbers of the documents the target has executed writes for.
pub fn numbers(journal: &[JournalEntry]) -> BTreeSet<String> {
    journal.iter().map(|entry| entry.number.clone()).collect()
}

/// Executed contents per document number, in order.
pub fn versions(journal: &[JournalEntry]) -> BTreeMap<(String, String), Vec<&JournalEntry>> {
    let mut found: BTreeMap<_, Vec<&JournalEntry>> = BTreeMap::new();
    for entry in journal {
        let key = (entry.form.clone(), entry.number.clone());
        found.entry(key).or_default().push(entry);
    }
    found
}

/// What counts as doubled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// One executed write per document and version.
    Writes,
    /// One effect: an update whose answer was lost may be sent again, unchanged and under the same id.
    Effects,
}

/// [`judge_with`], at its strictest.
pub fn judge(journal: &[JournalEntry]) -> Vec<String> {
    judge_with(journal, Strictness::Writes)
}

/// Everything that is wrong with a journal of saves: a document that was created twice, updated before it was
/// created, written under two ids, or given the same content twice in a row. Empty when nothing is.
pub fn judge_with(journal: &[JournalEntry], strictness: Strictness) -> Vec<String> {
    let mut wrong = Vec::new();
    for ((form, number), entries) in versions(journal) {
        let saves: Vec<_> = entries
            .iter()
            .filter(|entry| ["create", "update"].contains(&entry.action.as_str()))
            .collect();
        let ids: BTreeSet<u64> = saves.iter().map(|entry| entry.id).collect();
        let mut complain = |what: &str| wrong.push(format!("{form} {number}: {what}"));
        if ids.len() != 1 {
            complain(&format!("is {} documents: {ids:?}", ids.len()));
        }
        match saves.iter().filter(|entry| entry.action == "create").count() {
            1 if saves.first().is_some_and(|first| first.action == "create") => {}
            creates => complain(&format!("was created {creates} times, or updated before")),
        }
        for pair in saves.windows(2) {
            let is_repeated = pair[0].action == "update" && strictness == Strictness::Effects;
            if document(&pair[0].content) == document(&pair[1].content) && !is_repeated {
                complain(&format!("got the same content twice: {}", pair[1].content));
            }
        }
    }
    wrong
}

/// A document without the internal id that an update carries and a create does not.
fn document(content: &str) -> Value {
    let mut value: Value = serde_json::from_str(content).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.remove("FCUSTID");
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn entry(action: &str, id: u64, name: &str) -> JournalEntry {
        JournalEntry {
            seq: 1,
            at_ms: 0,
            endpoint: "BatchSave".to_owned(),
            form: "BD_Customer".to_owned(),
            action: action.to_owned(),
            org: "100".to_owned(),
            number: "00123".to_owned(),
            id,
            dindex: 0,
            content: json!({"FCUSTID": id, "FName": name}).to_string(),
            ..JournalEntry::default()
        }
    }

    #[test]
    fn what_is_wrong_is_found() {
        for (journal, problems) in [
            (vec![entry("create", 1, "a")], 0),
            (vec![entry("create", 1, "a"), entry("update", 1, "b")], 0),
            (
                vec![
                    entry("create", 1, "a"),
                    entry("update", 1, "b"),
                    entry("update", 1, "a"),
                ],
                0,
            ),
            (vec![entry("create", 1, "a"), entry("update", 1, "a")], 1),
            (vec![entry("update", 1, "a")], 1),
            (vec![entry("create", 1, "a"), entry("create", 1, "b")], 1),
            (vec![entry("create", 1, "a"), entry("create", 2, "b")], 2),
        ] {
            let found = judge(&journal);
            assert_eq!(found.len(), problems, "{found:?}");
        }
    }

    #[test]
    fn an_update_may_be_repeated_where_answers_are_lost() {
        let again = vec![
            entry("create", 1, "a"),
            entry("update", 1, "b"),
            entry("update", 1, "b"),
        ];
        assert_eq!(judge(&again).len(), 1);
        assert_eq!(judge_with(&again, Strictness::Effects), Vec::<String>::new());
        let made_again = vec![entry("create", 1, "a"), entry("update", 1, "a")];
        assert_eq!(judge_with(&made_again, Strictness::Effects).len(), 1);
    }

    #[test]
    fn the_identity_is_checked() {
        let counts = |done: u64| {
            json!({"counts": {
                "fetched": 10, "done": done, "dead": 1, "held": 0, "skipped": 2, "open": 3, "pending": 1,
                "sending": 0, "unknown": 2, "unchanged": 2, "superseded": 0, "filtered": 0,
            }})
        };
        adds_up(&counts(4));
        assert!(std::panic::catch_unwind(|| adds_up(&counts(5))).is_err());
    }
}
