//! The lines of a record's document: which id the target gave to which line, kept from one write to the next.
//!
//! A line whose id is not known must never be sent as a new one again: the target would have it twice. So a line is
//! either unknown to the target, or known with its id, or *sent without an id being told*; a document with lines of the
//! last kind is not updated before a person has looked.

use std::collections::{BTreeMap, BTreeSet};

use connector::LineList as Told;
use dsl::json;
use dsl::lines::{KeyedList, LineIds, LineList};
use dsl::path::Path;
use dsl::value::{Map, Value};

/// By list ([`filed`]) and key of the line; `None` = sent, and no id was told.
///
/// Keys say which line is meant only while they are texts of the same fields: after the scheme names other ones, what
/// was kept says that there are lines, and not which.
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
    pub(crate) fn ids(&self, keyed: &[KeyedList]) -> LineIds {
        let lists = keyed.iter().filter_map(|known| {
            let lines = self.0.get(&filed(&known.list, keyed))?;
            Some((known.list.to_string(), lines))
        });
        let lines = lists.flat_map(|(list, lines)| {
            lines
                .iter()
                .filter_map(move |(key, id)| Some(((list.clone(), key.clone()), id.clone()?)))
        });
        lines.collect()
    }

    fn get(&self, list: &str, key: &str) -> Option<&Option<String>> {
        self.0.get(list)?.get(key)
    }

    /// A line of the document that was sent before and whose id nobody told, or that may have been: the list has lines
    /// that are known by other fields.
    pub(crate) fn untold<'l>(&self, document: &'l [LineList], keyed: &[KeyedList]) -> Option<&'l str> {
        document.iter().find_map(|lines| {
            let list = filed(&lines.list, keyed);
            let is_renamed = self.has_other_keys(&lines.list, &list);
            let untold = |key: &&String| match self.get(&list, key) {
                Some(id) => id.is_none(),
                None => is_renamed,
            };
            lines.keys.iter().find(untold).map(String::as_str)
        })
    }

    /// A line of the document that the target does not have yet.
    pub(crate) fn fresh<'l>(&self, document: &'l [LineList], keyed: &[KeyedList]) -> Option<&'l str> {
        document.iter().find_map(|lines| {
            let list = filed(&lines.list, keyed);
            let fresh = |key: &&String| self.get(&list, key).is_none();
            lines.keys.iter().find(fresh).map(String::as_str)
        })
    }

    /// Whether lines of a list are kept under keys of other fields, or of fields that nobody wrote down.
    fn has_other_keys(&self, place: &Path, current: &str) -> bool {
        let place = place.to_string();
        let mut front = json::to_string(&Value::List(vec![Value::from(place.as_str())]));
        front.pop();
        front.push(',');
        let is_of_it = |list: &str| list == place || list.starts_with(&front);
        self.0
            .iter()
            .any(|(list, lines)| list != current && !lines.is_empty() && is_of_it(list))
    }

    /// What is known after the document was accepted with this answer. A line that is no longer in the document stays:
    /// whether the target dropped it is not known, and its id would be wanted if it came back.
    pub(crate) fn after(&self, document: &[LineList], keyed: &[KeyedList], told: &[Told]) -> KeptLines {
        let mut kept = self.clone();
        for lines in document {
            let list = filed(&lines.list, keyed);
            let ids = match told_of(lines, document, told) {
                Some(told) if told.keys.is_some() => self.by_key(&list, lines, told),
                told => self.assign(&list, lines, told),
            };
            let known = kept.0.entry(list).or_default();
            for (key, id) in lines.keys.iter().zip(ids) {
                let known = known.entry(key.clone()).or_default();
                *known = id.or_else(|| known.take());
            }
        }
        kept
    }

    /// The ids of the lines sent, of an answer that tells them by the lines' keys; of a list with one line by the name of
    /// the list, too. An answer that contradicts what is known tells nothing.
    fn by_key(&self, list: &str, lines: &LineList, told: &Told) -> Vec<Option<String>> {
        let keys = told.keys.as_deref().unwrap_or_default();
        let id_of = |key: &str| {
            let mut found = keys.iter().zip(&told.ids).filter(|(told, _)| *told == key);
            let one = found.next().and_then(|(_, id)| id.clone());
            one.filter(|_| found.next().is_none())
        };
        let alone = match lines.keys.as_slice() {
            [_] => lines.at.last_name().and_then(id_of),
            _ => None,
        };
        let ids: Vec<Option<String>> = lines
            .keys
            .iter()
            .map(|key| id_of(&own_key(key)).or_else(|| alone.clone()))
            .collect();
        let known = self.0.get(list);
        let is_told_otherwise = |(key, id): (&String, &Option<String>)| {
            let Some(id) = id else { return false };
            let others = known.into_iter().flatten();
            others
                .filter_map(|(known, kept)| Some((known, kept.as_ref()?)))
                .any(|(known, kept)| (known == key) != (kept == id))
        };
        let some: Vec<&String> = ids.iter().flatten().collect();
        let is_doubled = some.iter().collect::<BTreeSet<_>>().len() < some.len();
        if is_doubled || lines.keys.iter().zip(&ids).any(is_told_otherwise) {
            return vec![None; lines.keys.len()];
        }
        ids
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

/// Under which name the lines of a list are kept: a JSON list of its place and of the fields of its keys, those of the
/// lines around it first.
fn filed(list: &Path, keyed: &[KeyedList]) -> String {
    let mut around: Vec<&KeyedList> = keyed
        .iter()
        .filter(|known| known.list == *list || list.below(&known.list).is_some())
        .collect();
    around.sort_by_key(|known| known.list.segments().len());
    let fields = around.into_iter().map(|known| known.key.to_string());
    let parts = [list.to_string()].into_iter().chain(fields);
    json::to_string(&Value::List(parts.map(Value::Text).collect()))
}

/// What a line is called in its own list.
fn own_key(key: &str) -> String {
    match json::parse(key.as_bytes()) {
        Ok(Value::List(parts)) => {
            let last = parts.last().and_then(Value::to_plain_text);
            last.unwrap_or_default()
        }
        _ => key.to_owned(),
    }
}

/// Whether no other list of the document has a line that is called as one of these.
fn has_own_keys(lines: &LineList, document: &[LineList]) -> bool {
    let own: BTreeSet<String> = lines.keys.iter().map(|key| own_key(key)).collect();
    let others = document.iter().filter(|other| other.at != lines.at);
    own.len() == lines.keys.len()
        && others
            .flat_map(|other| &other.keys)
            .all(|key| !own.contains(&own_key(key)))
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
        (None, _) => {
            let mut nameless = told.iter().filter(|told| told.name.is_empty());
            let only = nameless.next().filter(|_| nameless.next().is_none())?;
            match (&only.keys, told, document) {
                (None, [_], [_]) => Some(only),
                // Keys say which line is meant, as long as no other list has the same.
                (Some(_), _, _) if has_own_keys(lines, document) => Some(only),
                _ => None,
            }
        }
        (Some(_), Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyed(lists: &[(&str, &str)]) -> Vec<KeyedList> {
        let lists = lists.iter().map(|(list, key)| KeyedList {
            list: Path::parse(list).unwrap(),
            source: Path::parse("lines").unwrap(),
            key: Path::parse(key).unwrap(),
        });
        lists.collect()
    }

    fn by_oid() -> Vec<KeyedList> {
        keyed(&[("FEntry", "oid"), ("FOther", "oid")])
    }

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
            keys: None,
        }]
    }

    /// `a=1 b=?`
    fn kept(text: &str) -> KeptLines {
        let lines = text.split_whitespace().map(|line| {
            let (key, id) = line.split_once('=').unwrap();
            (key.to_owned(), (id != "?").then(|| id.to_owned()))
        });
        KeptLines([(r#"["FEntry","oid"]"#.to_owned(), lines.collect())].into())
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
            let got = kept(before).after(&document(sent), &by_oid(), &told("FEntry", ids));
            assert_eq!(got, kept(after), "{before} + {sent:?} -> {ids:?}");
            assert_eq!(KeptLines::parse(&got.to_bytes()), Some(got));
        }
    }

    #[test]
    fn lists_are_known_by_name() {
        let sent = document(&["a"]);
        for (name, is_told) in [("FEntry", true), ("", true), ("FOther", false)] {
            let got = KeptLines::default().after(&sent, &by_oid(), &told(name, &["1"]));
            assert_eq!(got, kept(if is_told { "a=1" } else { "a=?" }), "{name}");
        }
        // An answer without names does not say which of two lists it means.
        let mut two = sent.clone();
        two.push(LineList {
            list: Path::parse("FOther").unwrap(),
            at: Path::parse("FOther").unwrap(),
            keys: vec!["x".to_owned()],
        });
        let got = KeptLines::default().after(&two, &by_oid(), &told("", &["1"]));
        assert!(got.untold(&sent, &by_oid()).is_some() && got.untold(&two[1..], &by_oid()).is_some());
        // Below a path, the last name is enough.
        let path = Path::parse("details.SalesOrderProductObj").unwrap();
        let deep = [LineList {
            list: path.clone(),
            at: path,
            keys: vec!["L1".to_owned()],
        }];
        let keyed = keyed(&[("details.SalesOrderProductObj", "no")]);
        let got = KeptLines::default().after(&deep, &keyed, &told("SalesOrderProductObj", &["7"]));
        assert_eq!(
            got.ids(&keyed).get("details.SalesOrderProductObj", "L1"),
            Some("7")
        );
    }

    #[test]
    fn ids_are_told_by_the_keys_of_lines() {
        // Known before, lines sent, name of the list and `key=id` of the answer, known after.
        for (before, sent, name, ids, after) in [
            ("", &["a", "b"][..], "FEntry", "b=2 a=1", "a=1 b=2"),
            ("", &["a", "b"], "", "x=9 b=2 a=1", "a=1 b=2"),
            ("a=1", &["b", "a"], "", "b=2 a=1", "a=1 b=2"),
            // The lines that it names alone.
            ("", &["a", "b"], "FEntry", "a=1", "a=1 b=?"),
            ("a=1", &["a", "b"], "FEntry", "b=2", "a=1 b=2"),
            // The only line of a list, by the list's name.
            ("", &["a"], "", "FEntry=7", "a=7"),
            ("", &["a", "b"], "", "FEntry=7", "a=? b=?"),
            // Another list, one id for two lines, one line twice, an id that another line has, another id than before.
            ("", &["a"], "FOther", "a=1", "a=?"),
            ("", &["a", "b"], "FEntry", "a=1 b=1", "a=? b=?"),
            ("", &["a", "b"], "FEntry", "a=1 a=2 b=3", "a=? b=3"),
            ("a=1", &["b"], "FEntry", "b=1", "a=1 b=?"),
            ("a=1", &["a", "b"], "FEntry", "a=3 b=2", "a=1 b=?"),
        ] {
            let pairs: Vec<(&str, &str)> = ids.split(' ').filter_map(|pair| pair.split_once('=')).collect();
            let (keys, ids): (Vec<String>, Vec<&str>) =
                pairs.iter().map(|(key, id)| ((*key).to_owned(), *id)).unzip();
            let mut told = told(name, &ids);
            told[0].keys = Some(keys.clone());
            // As they are in truth: a JSON list.
            let mut lines = document(sent);
            lines[0].keys = sent.iter().map(|key| (*key).to_owned()).collect();
            let got = kept(before).after(&lines, &by_oid(), &told);
            assert_eq!(
                got,
                kept(after),
                "{before} + {sent:?} -> {name}: {keys:?} {ids:?}"
            );
        }
        assert_eq!(own_key(r#"["7","04270002-0001"]"#), "04270002-0001");
        // Two lists, told apart by the keys of their lines; not where both have a line of one key.
        let two = |other: &str| {
            let mut lists = document(&[r#"["a"]"#]);
            lists.push(LineList {
                list: Path::parse("FOther").unwrap(),
                at: Path::parse("FOther").unwrap(),
                keys: vec![format!("[\"{other}\"]")],
            });
            lists
        };
        let mut told = told("", &["1", "2"]);
        told[0].keys = Some(vec!["a".to_owned(), "x".to_owned()]);
        let got = KeptLines::default().after(&two("x"), &by_oid(), &told);
        assert_eq!(
            (
                got.untold(&two("x"), &by_oid()),
                got.ids(&by_oid()).get("FOther", r#"["x"]"#)
            ),
            (None, Some("2"))
        );
        let got = KeptLines::default().after(&two("a"), &by_oid(), &told);
        assert!(got.untold(&two("a"), &by_oid()).is_some());
    }

    #[test]
    fn keys_of_other_fields_say_nothing() {
        let known = kept("a=1 b=2");
        let by_number = keyed(&[("FEntry", "lineNo")]);
        assert_eq!(known.untold(&document(&["1"]), &by_number), Some("1"));
        // Not even where the texts happen to be the same.
        assert_eq!(known.untold(&document(&["a"]), &by_number), Some("a"));
        assert_eq!(known.ids(&by_number), LineIds::new());
        assert_eq!(known.untold(&document(&[]), &by_number), None);
        // Back again, and they are known.
        assert_eq!(known.untold(&document(&["a", "c"]), &by_oid()), None);
        assert_eq!(known.ids(&by_oid()).get("FEntry", "b"), Some("2"));
        // Another list of the same scheme is not concerned, nor a list that never had lines.
        let other = keyed(&[("FEntry2", "lineNo"), ("FEntry", "oid")]);
        let mut lines = document(&["1"]);
        lines[0].list = Path::parse("FEntry2").unwrap();
        assert_eq!(known.untold(&lines, &other), None);
        assert_eq!(kept("").untold(&document(&["1"]), &by_number), None);
        // Kept before the fields were written down.
        let old = KeptLines::parse(br#"{"FEntry":{"a":"1"}}"#).unwrap();
        assert_eq!(old.untold(&document(&["a"]), &by_oid()), Some("a"));
        assert_eq!(old.ids(&by_oid()), LineIds::new());
        // The keys of lines within lines begin with those around them.
        let nested = |outer: &str| keyed(&[("orders.*.batches", "b"), ("orders", outer)]);
        let mut lines = document(&[r#"["1","x"]"#]);
        lines[0].list = Path::parse("orders.*.batches").unwrap();
        let got = KeptLines::default().after(&lines, &nested("no"), &told("", &["7"]));
        assert_eq!(got.untold(&lines, &nested("no")), None);
        assert!(got.untold(&lines, &nested("id")).is_some());
    }

    #[test]
    fn lines_in_doubt() {
        let known = kept("a=1 b=?");
        assert_eq!(known.untold(&document(&["a", "b"]), &by_oid()), Some("b"));
        assert_eq!(known.untold(&document(&["a", "c"]), &by_oid()), None);
        assert_eq!(known.fresh(&document(&["a", "b"]), &by_oid()), None);
        assert_eq!(known.fresh(&document(&["a", "c"]), &by_oid()), Some("c"));
        for damaged in ["", "[]", r#"{"a":1}"#, r#"{"a":{"b":1}}"#] {
            assert_eq!(KeptLines::parse(damaged.as_bytes()), None, "{damaged}");
        }
        assert_eq!(KeptLines::parse(b"{}"), Some(KeptLines::default()));
    }
}
