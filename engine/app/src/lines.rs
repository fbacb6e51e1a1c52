//! The lines of a record's document: which id the target gave to which line, kept from one write to the next.
//!
//! A line whose id is not known must never be sent as a new one again: the target would have it twice. So a line is
//! either unknown to the target, or known with its id, or *sent without an id being told*; a document with lines of the
//! last kind is not updated before a person has looked.

use std::collections::{BTreeMap, BTreeSet};

use connector::LineList as Told;
use dsl::json;
use dsl::lines::{LineIds, LineList};
use dsl::value::{Map, Value};

/// By list (its place in every document) and key of the line; `None` = sent, and no id was told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct KeptLines(BTreeMap<String, BTreeMap<String, Option<String>>>);

impl KeptLines {
    /// Reads what [`KeptLines::to_bytes`] wrote; `None` when it is something else.
    pub(crate) fn parse(bytes: &[u8]) -> Option<KeptLines> {
        let Ok(Value::Map(lists)) = json::parse(bytes) else {
            return None;
        };
        let mut kept = KeptLines::default();
        for (list, lines) in lists {
            let Value::Map(lines) = lines else { return None };
            let lines = lines.into_iter().map(|(key, id)| match id {
                Value::Text(id) => Some((key, Some(id))),
                Value::Null => Some((key, None)),
                _ => None,
            });
            kept.0.insert(list, lines.collect::<Option<_>>()?);
        }
        Some(kept)
    }

    /// As it is stored.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let lists = self.0.iter().map(|(list, lines)| {
            let lines = lines.iter().map(|(key, id)| {
                let id = id.as_deref().map_or(Value::Null, Value::from);
                (key.clone(), id)
            });
            (list.clone(), Value::Map(lines.collect::<Map>()))
        });
        json::to_string(&Value::Map(lists.collect::<Map>())).into_bytes()
    }

    /// For `$line_id`.
    pub(crate) fn ids(&self) -> LineIds {
        let lines = self.0.iter().flat_map(|(list, lines)| {
            lines
                .iter()
                .filter_map(|(key, id)| Some(((list.clone(), key.clone()), id.clone()?)))
        });
        lines.collect()
    }

    fn get(&self, list: &str, key: &str) -> Option<&Option<String>> {
        self.0.get(list)?.get(key)
    }

    /// A line of the document that was sent before and whose id nobody told.
    pub(crate) fn untold<'l>(&self, document: &'l [LineList]) -> Option<&'l str> {
        first(document, |list, key| matches!(self.get(list, key), Some(None)))
    }

    /// A line of the document that the target does not have yet.
    pub(crate) fn fresh<'l>(&self, document: &'l [LineList]) -> Option<&'l str> {
        first(document, |list, key| self.get(list, key).is_none())
    }

    /// What is known after the document was accepted with this answer. A line that is no longer in the document stays:
    /// whether the target dropped it is not known, and its id would be wanted if it came back.
    pub(crate) fn after(&self, document: &[LineList], told: &[Told]) -> KeptLines {
        let mut kept = self.clone();
        for lines in document {
            let list = lines.list.to_string();
            let ids = self.assign(&list, lines, told_of(lines, document, told));
            let known = kept.0.entry(list).or_default();
            for (key, id) in lines.keys.iter().zip(ids) {
                let known = known.entry(key.clone()).or_default();
                *known = id.or_else(|| known.take());
            }
        }
        kept
    }

    /// The ids of the lines sent, in their order. An answer that lists exactly these lines is taken as it stands; one
    /// that lists more (all lines of the document) tells the new ones, which follow in the order in which they were
    /// sent. An answer that contradicts what is known tells nothing.
    fn assign(&self, list: &str, lines: &LineList, told: Option<&Told>) -> Vec<Option<String>> {
        let nothing = vec![None; lines.keys.len()];
        let Some(told) = told else { return nothing };
        let Some(ids) = told.ids.iter().cloned().collect::<Option<Vec<String>>>() else {
            return nothing;
        };
        if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
            return nothing;
        }
        let known: Vec<Option<&str>> = lines
            .keys
            .iter()
            .map(|key| self.get(list, key).and_then(Option::as_deref))
            .collect();
        let fits = |(known, id): (&Option<&str>, &String)| known.is_none_or(|known| known == id);
        let taken: BTreeSet<&str> = self
            .0
            .get(list)
            .into_iter()
            .flat_map(BTreeMap::values)
            .filter_map(Option::as_deref)
            .collect();
        let is_free = |id: &String| !taken.contains(id.as_str());
        let in_place = |(known, id): (&Option<&str>, &String)| known.is_some() || is_free(id);
        if ids.len() == known.len() && known.iter().zip(&ids).all(|pair| fits(pair) && in_place(pair)) {
            return ids.into_iter().map(Some).collect();
        }
        let mut free = ids.into_iter().filter(is_free);
        let wanted = known.iter().filter(|known| known.is_none()).count();
        let given: Vec<String> = free.by_ref().take(wanted + 1).collect();
        if given.len() != wanted {
            return nothing;
        }
        let mut given = given.into_iter();
        known
            .iter()
            .map(|known| match known {
                Some(known) => Some((*known).to_owned()),
                None => given.next(),
            })
            .collect()
    }
}

fn first(document: &[LineList], which: impl Fn(&str, &str) -> bool) -> Option<&str> {
    document.iter().find_map(|lines| {
        let list = lines.list.to_string();
        lines
            .keys
            .iter()
            .find(|key| which(&list, key))
            .map(String::as_str)
    })
}

/// What an answer tells of one list: by its place, by its last name, or because there is only one.
fn told_of<'t>(lines: &LineList, document: &[LineList], told: &'t [Told]) -> Option<&'t Told> {
    let at = lines.at.to_string();
    let last = lines.at.last_name();
    let named = |name: &str| name == at || Some(name) == last;
    let mut fitting = told.iter().filter(|told| named(&told.name));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => {
            // Lists of one name at several places could not be told apart.
            let twins = document
                .iter()
                .filter(|other| other.at.last_name() == last)
                .count();
            (twins == 1 || one.name == at).then_some(one)
        }
        (None, _) => match (told, document) {
            ([only], [_]) if only.name.is_empty() => Some(only),
            _ => None,
        },
        (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use dsl::path::Path;

    use super::*;

    fn document(keys: &[&str]) -> Vec<LineList> {
        vec![LineList {
            list: Path::parse("FEntry").unwrap(),
            at: Path::parse("FEntry").unwrap(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        }]
    }

    fn told(name: &str, ids: &[&str]) -> Vec<Told> {
        vec![Told {
            name: name.to_owned(),
            ids: ids
                .iter()
                .map(|id| (!id.is_empty()).then(|| (*id).to_owned()))
                .collect(),
        }]
    }

    /// `a=1 b=?`
    fn kept(text: &str) -> KeptLines {
        let lines = text.split_whitespace().map(|line| {
            let (key, id) = line.split_once('=').unwrap();
            (key.to_owned(), (id != "?").then(|| id.to_owned()))
        });
        KeptLines([("FEntry".to_owned(), lines.collect())].into())
    }

    #[test]
    fn ids_find_their_lines() {
        // Known before, lines sent, what the answer lists, known after.
        for (before, sent, ids, after) in [
            ("", &["a", "b"][..], &["1", "2"][..], "a=1 b=2"),
            // Only the lines of the call are listed, or all of the document.
            ("a=1 b=2", &["b", "c"], &["2", "3"], "a=1 b=2 c=3"),
            ("a=1 b=2", &["b", "c"], &["1", "2", "3"], "a=1 b=2 c=3"),
            (
                "a=1 b=2",
                &["a", "c", "b", "d"],
                &["1", "2", "7", "8"],
                "a=1 b=2 c=7 d=8",
            ),
            // Nothing new: nothing to learn.
            ("a=1 b=2", &["a", "b"], &["1", "2"], "a=1 b=2"),
            ("a=1 b=2", &["a"], &["1", "2"], "a=1 b=2"),
            // More new ones than were sent (somebody adds lines by hand), fewer, one twice, one without an id.
            ("a=1", &["a", "b"], &["1", "8", "9"], "a=1 b=?"),
            ("a=1", &["a", "b"], &["1"], "a=1 b=?"),
            ("", &["a", "b"], &["1", "1"], "a=? b=?"),
            ("", &["a", "b"], &["1", ""], "a=? b=?"),
            // The id of a line that is not in this document is not given to another.
            ("a=1 b=2", &["c"], &["1"], "a=1 b=2 c=?"),
            ("a=1 b=2", &["a", "c"], &["2", "1"], "a=1 b=2 c=?"),
            ("a=1", &["a", "b"], &[], "a=1 b=?"),
        ] {
            let got = kept(before).after(&document(sent), &told("FEntry", ids));
            assert_eq!(got, kept(after), "{before} + {sent:?} -> {ids:?}");
            assert_eq!(KeptLines::parse(&got.to_bytes()), Some(got));
        }
    }

    #[test]
    fn lists_are_known_by_name() {
        let sent = document(&["a"]);
        for (name, is_told) in [("FEntry", true), ("", true), ("FOther", false)] {
            let got = KeptLines::default().after(&sent, &told(name, &["1"]));
            assert_eq!(got, kept(if is_told { "a=1" } else { "a=?" }), "{name}");
        }
        // An answer without names does not say which of two lists it means.
        let mut two = sent.clone();
        two.push(LineList {
            list: Path::parse("FOther").unwrap(),
            at: Path::parse("FOther").unwrap(),
            keys: vec!["x".to_owned()],
        });
        let got = KeptLines::default().after(&two, &told("", &["1"]));
        assert!(got.untold(&sent).is_some() && got.untold(&two[1..]).is_some());
        // Below a path, the last name is enough.
        let path = Path::parse("details.SalesOrderProductObj").unwrap();
        let deep = [LineList {
            list: path.clone(),
            at: path,
            keys: vec!["L1".to_owned()],
        }];
        let got = KeptLines::default().after(&deep, &told("SalesOrderProductObj", &["7"]));
        assert_eq!(got.ids().get("details.SalesOrderProductObj", "L1"), Some("7"));
    }

    #[test]
    fn lines_in_doubt() {
        let known = kept("a=1 b=?");
        assert_eq!(known.untold(&document(&["a", "b"])), Some("b"));
        assert_eq!(known.untold(&document(&["a", "c"])), None);
        assert_eq!(known.fresh(&document(&["a", "b"])), None);
        assert_eq!(known.fresh(&document(&["a", "c"])), Some("c"));
        for damaged in ["", "[]", r#"{"a":1}"#, r#"{"a":{"b":1}}"#] {
            assert_eq!(KeptLines::parse(damaged.as_bytes()), None, "{damaged}");
        }
        assert_eq!(KeptLines::parse(b"{}"), Some(KeptLines::default()));
    }
}
