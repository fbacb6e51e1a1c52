//! Rows of a page become records: `explode`, `derive`, `keep`, then key, label, void and version.
//!
//! Nothing is lost here without a word: a row is kept, or dropped with a reason, or carries the failure that stopped
//! it. What happens to a record afterwards is the ledger's.

use std::fmt::Write as _;
use std::io::Write as _;

use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::catalogue::record;
use crate::cond::Cond;
use crate::diagnostic::Failure;
use crate::filter::{moment, shown};
use crate::json;
use crate::lookup::Hits;
use crate::path::{Path, Segment};
use crate::plan::{SourcePlan, VoidRule};
use crate::scope::{ClockScope, ROW_NUMBER, RowScope};
use crate::tree::{Tree, eval_value, from_segments};
use crate::value::{Map, Value};

/// The member of a row of XML that has it as it came; a root of that name stands alone.
pub const XML_TEXT: &str = "text";

/// What ingesting needs besides the plan.
#[derive(Debug, Clone, Copy)]
pub struct IngestCx<'a> {
    /// The one instant of the run, in milliseconds since 1970.
    pub now_ms: i64,
    /// The zone of times in rows.
    pub zone: &'a TimeZone,
    /// The push that brought the row; `None` for a row that was asked for.
    pub push: Option<&'a PushFacts>,
    /// Whether the row came as XML, in which a list of one looks like one value.
    pub xml: bool,
}

/// What is known of a push beside its rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PushFacts {
    /// The sender's id of what it is about.
    pub id: Option<String>,
    /// It says that this was cancelled.
    pub void: bool,
    /// The headers that the scheme reads, by names in small letters.
    pub headers: Vec<(String, String)>,
}

impl IngestCx<'_> {
    /// Whether a push says that what it is about was cancelled.
    fn cancels(&self) -> bool {
        self.push.is_some_and(|push| push.void)
    }
}

impl PushFacts {
    /// The value behind `$push.id`, `$push.void` or `$push.headers.NAME`; `None` where there is none.
    pub(crate) fn value(&self, path: &Path) -> Option<Value> {
        let mut names = path
            .segments()
            .iter()
            .skip(1)
            .map(crate::tree::term::segment_name);
        match (names.next()??.as_str(), names.next()) {
            ("id", None) => self.id.as_deref().map(Value::from),
            ("void", None) => Some(Value::from(self.void)),
            ("headers", Some(name)) => {
                let name = name?.to_ascii_lowercase();
                let known = self.headers.iter().find(|(known, _)| *known == name);
                known.map(|(_, value)| Value::from(value.as_str()))
            }
            _ => None,
        }
    }
}

/// One record of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingested {
    /// The row as it is stored.
    pub row: Value,
    /// Its identity: a JSON list of texts.
    pub key: Result<String, Failure>,
    /// What people see.
    pub label: String,
    /// Sixteen hexadecimal digits that change with what the target reads.
    pub version: String,
    /// Where the scheme names a field that grows with every change: its value.
    pub rank: Option<i64>,
    /// Whether it is kept; if not, why.
    pub kept: Result<(), &'static str>,
    /// Whether it means "cancelled".
    pub void: bool,
    /// A push says of it that it was cancelled, and nothing else that is taken over: it names it alone, or `keep` refuses
    /// what it has.
    pub bare: bool,
    /// What went wrong in `derive`, `keep` or `void`. A record with a fault is dead under its key.
    pub fault: Option<Failure>,
}

/// The author's own bounds for a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Proposal {
    /// Start, in milliseconds since 1970.
    pub start_ms: Option<i64>,
    /// End, in milliseconds since 1970.
    pub end_ms: Option<i64>,
}

impl SourcePlan {
    /// The author's own bounds for a run that begins now.
    pub fn proposal(&self, now_ms: i64, zone: &TimeZone, hits: &Hits) -> Result<Proposal, Failure> {
        let bound = |tree: &Option<Tree>| {
            tree.as_ref()
                .map(|tree| proposed(tree, now_ms, zone, hits))
                .transpose()
        };
        Ok(Proposal {
            start_ms: bound(&self.window.proposal_start)?,
            end_ms: bound(&self.window.proposal_end)?,
        })
    }

    /// Whether a row has nothing but its key, `id`, the field that tells the newest, and the name of its object. Beside
    /// the root of XML all of it stands as text once more.
    fn names_only(&self, row: &Value, id: Option<&Path>, xml: bool) -> bool {
        let mut rest = row.clone();
        for path in self.key.iter().chain(id).chain(&self.newest_by) {
            path.remove(&mut rest);
        }
        if let (Value::Map(members), true) = (&mut rest, row.get("masterFieldVal").is_some()) {
            members.shift_remove("objAPIName");
        }
        if let (Value::Map(members), true) = (&mut rest, xml)
            && row.as_map().is_some_and(|members| members.len() > 1)
            && matches!(members.get(XML_TEXT), Some(Value::Text(_)))
        {
            members.shift_remove(XML_TEXT);
        }
        says_nothing(&rest)
    }

    /// Whether a row is stored as it was read: nothing is made of it, put into it or taken out of it.
    pub fn stores_as_read(&self, xml: bool) -> bool {
        !xml && self.lists.is_empty()
            && self.explode.is_empty()
            && self.derive.is_empty()
            && self.keep.is_none()
    }

    /// The records of one row, in order.
    pub fn ingest(&self, row: Value, cx: &IngestCx<'_>) -> Vec<Ingested> {
        self.ingest_of(row, None, cx)
    }

    /// The same for a row of a declared object: `id` is where its documents have their id.
    pub fn ingest_of(&self, mut row: Value, id: Option<&Path>, cx: &IngestCx<'_>) -> Vec<Ingested> {
        let bare = cx.cancels() && self.names_only(&row, id, cx.xml);
        self.read_lists(&mut row, cx.xml);
        let mut rows = vec![Exploded { row, empty: false }];
        for path in &self.explode {
            rows = rows
                .into_iter()
                .flat_map(|row| self.explode_one(row, path))
                .collect();
        }
        let numbered = !self.explode.is_empty();
        rows.into_iter()
            .zip(1i64..)
            .map(|(mut exploded, number)| {
                // What is cancelled without its lines says of none of them which it was.
                let numbered = numbered && !(exploded.empty && cx.cancels());
                if numbered && let Value::Map(map) = &mut exploded.row {
                    map.insert(ROW_NUMBER.to_owned(), Value::from(number));
                }
                self.record(exploded, bare, cx)
            })
            .collect()
    }

    fn explode_one(&self, exploded: Exploded, path: &Path) -> Vec<Exploded> {
        let elements = match path.get(&exploded.row) {
            Some(Value::List(list)) if !list.is_empty() => list.clone(),
            // A system that sends one element without a list around it means a list of one.
            Some(Value::Map(_)) => return vec![self.flattened(exploded, path)],
            _ => {
                return vec![Exploded {
                    empty: true,
                    ..exploded
                }];
            }
        };
        let list = Value::List(elements.clone());
        elements
            .into_iter()
            .map(|element| {
                let mut row = exploded.row.clone();
                if self.compat_qeasy {
                    unlisted(&mut row, path, &list, &element);
                }
                let placed = path.set(&mut row, element);
                debug_assert!(placed, "the list was there");
                self.flattened(
                    Exploded {
                        row,
                        empty: exploded.empty,
                    },
                    path,
                )
            })
            .collect()
    }

    /// Old ways: the fields of the one element also stand in the row, their path joined by `_`.
    fn flattened(&self, mut exploded: Exploded, path: &Path) -> Exploded {
        if !self.compat_qeasy {
            return exploded;
        }
        let prefix = path.to_string().replace('.', "_");
        let fields = match path.get(&exploded.row) {
            Some(Value::Map(element)) => element.clone(),
            _ => return exploded,
        };
        if let Value::Map(row) = &mut exploded.row {
            lay_flat(row, &prefix, &fields);
        }
        exploded
    }

    /// Of what names a document alone nothing is asked but its key: it has no other fields, and what fails for want of
    /// them says nothing about the cancellation.
    fn record(&self, exploded: Exploded, bare: bool, cx: &IngestCx<'_>) -> Ingested {
        let mut row = exploded.row;
        let mut fault = self.derive(&mut row, bare, cx).err();
        let mut kept = if exploded.empty {
            Err("explode_empty")
        } else {
            Ok(())
        };
        if let (Some(cond), None, Ok(())) = (&self.keep, &fault, kept) {
            match self.keeps(cond, &mut row, cx) {
                Ok(true) => {}
                Ok(false) => kept = Err("filter"),
                Err(_) if cx.cancels() => kept = Err("filter"),
                Err(failure) => fault = Some(failure),
            }
        }
        let key = self.key_of(&row);
        let cancelled = cx.cancels();
        let void = match self.is_void(&row, cx) {
            Ok(void) => void || cancelled,
            Err(_) if bare => true,
            Err(failure) => {
                fault = fault.or(Some(failure));
                cancelled
            }
        };
        let rank = match self.rank_of(&row, bare, cx) {
            Ok(rank) => rank,
            Err(failure) => {
                fault = fault.or(Some(failure));
                None
            }
        };
        // The sender says that it was cancelled, so that what else it says decides nothing.
        let bare = bare || cancelled && kept.is_err();
        let label = self.label_of(&row, &key);
        let version = self.version_of(&row, void);
        Ingested {
            row,
            key,
            label,
            version,
            rank,
            kept,
            void,
            bare,
            fault,
        }
    }

    fn scope<'a>(&self, row: &'a Value, cx: &IngestCx<'a>) -> RowScope<'a> {
        RowScope {
            row,
            now_ms: cx.now_ms,
            zone: cx.zone,
            push: cx.push,
            compat_qeasy: self.compat_qeasy,
        }
    }

    fn derive(&self, row: &mut Value, bare: bool, cx: &IngestCx<'_>) -> Result<(), Failure> {
        for (path, tree) in &self.derive {
            let value = match eval_value(tree, &self.scope(row, cx), &Hits::default()) {
                Ok(value) => value,
                Err(_) if bare => None,
                Err(failure) => {
                    let field = failure
                        .field
                        .as_ref()
                        .map_or_else(|| path.to_string(), |inner| format!("{path}.{inner}"));
                    return Err(failure.at(field));
                }
            };
            if let Some(value) = value {
                path.set(row, value);
            }
        }
        Ok(())
    }

    /// A condition on fields of lines drops lines; it drops the record when none is left, or when it is told to.
    fn keeps(&self, cond: &Cond, row: &mut Value, cx: &IngestCx<'_>) -> Result<bool, Failure> {
        let mut lists: Vec<Path> = cond
            .reads()
            .iter()
            .filter_map(|path| list_on_the_way(row, path))
            .collect();
        lists.dedup();
        let Some(list_path) = lists.pop() else {
            return cond.holds(&self.scope(row, cx), &Hits::default());
        };
        if let Some(other) = lists.into_iter().find(|other| *other != list_path) {
            return Err(Failure::new(&record::TWO_LISTS)
                .with("first", other)
                .with("second", list_path));
        }
        let lines = match list_path.get(row) {
            Some(Value::List(lines)) => lines.clone(),
            _ => return Ok(false),
        };
        let all = lines.len();
        let with_line = |line: &Value| {
            let mut one = row.clone();
            list_path.set(&mut one, line.clone());
            one
        };
        let cond = cond.of_record(&mut |every| {
            for line in &lines {
                if !every.holds(&self.scope(&with_line(line), cx), &Hits::default())? {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        let mut left = Vec::new();
        for line in lines.iter().cloned() {
            let one = with_line(&line);
            if cond.holds(&self.scope(&one, cx), &Hits::default())? {
                left.push(line);
            }
        }
        if left.is_empty() || (self.keep_drops_record && left.len() < all) {
            return Ok(false);
        }
        list_path.set(row, Value::List(left));
        Ok(true)
    }

    fn key_of(&self, row: &Value) -> Result<String, Failure> {
        let mut texts = Vec::with_capacity(self.key.len());
        for path in &self.key {
            let text = field(row, path)
                .and_then(Value::to_plain_text)
                .filter(|text| !text.is_empty());
            let text = text.ok_or_else(|| {
                Failure::new(&record::KEY_EMPTY)
                    .with("path", path)
                    .at(path.to_string())
            })?;
            texts.push(Value::Text(text));
        }
        Ok(json::to_string(&Value::List(texts)))
    }

    fn label_of(&self, row: &Value, key: &Result<String, Failure>) -> String {
        let own = self
            .label
            .as_ref()
            .and_then(|path| field(row, path))
            .and_then(Value::to_plain_text);
        own.filter(|label| !label.is_empty())
            .unwrap_or_else(|| key.as_ref().map_or_else(|_| String::new(), |key| key_text(key)))
    }

    /// A number as it is, a time in milliseconds.
    fn rank_of(&self, row: &Value, bare: bool, cx: &IngestCx<'_>) -> Result<Option<i64>, Failure> {
        let Some(path) = &self.newest_by else {
            return Ok(None);
        };
        let value = field(row, path).filter(|value| !value.is_null());
        if bare && value.is_none_or(says_nothing) {
            return Ok(None);
        }
        let Some(value) = value else {
            return Err(Failure::new(&record::NEWEST_BY)
                .with("path", path)
                .with("value", "-")
                .at(path.to_string()));
        };
        let number = value
            .to_plain_text()
            .and_then(|text| text.trim().parse::<i64>().ok());
        number
            .or_else(|| moment(value, cx.zone))
            .map(Some)
            .ok_or_else(|| {
                Failure::new(&record::NEWEST_BY)
                    .with("path", path)
                    .with("value", shown(value))
                    .at(path.to_string())
            })
    }

    fn is_void(&self, row: &Value, cx: &IngestCx<'_>) -> Result<bool, Failure> {
        Ok(match &self.void {
            None => false,
            Some(VoidRule::When(cond)) => cond.holds(&self.scope(row, cx), &Hits::default())?,
            Some(VoidRule::Field(path)) => match field(row, path).and_then(Value::to_plain_text) {
                None => false,
                Some(text) => !matches!(
                    text.trim().to_ascii_lowercase().as_str(),
                    "" | "0" | "false" | "no" | "n"
                ),
            },
        })
    }

    fn version_of(&self, row: &Value, void: bool) -> String {
        let mut paths: Vec<&Path> = self.version.as_ref().unwrap_or(&self.reads).iter().collect();
        paths.sort();
        let mut hash = Sha256::new();
        let mut text = Vec::new();
        for path in paths {
            text.clear();
            write!(text, "{path}\0").expect("a buffer takes everything");
            if !write_slot(row, path.segments(), &mut text) {
                text.push(b'?');
            }
            text.push(0);
            hash.update(&text);
        }
        if void {
            hash.update(b"void");
        }
        hex(&hash.finalize()[..8])
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::List(list) => list.iter().all(says_nothing),
        Value::Map(members) => members.values().all(says_nothing),
        _ => false,
    }
}

struct Exploded {
    row: Value,
    /// Whether a list that should have become rows was empty or absent.
    empty: bool,
}

fn proposed(tree: &Tree, now_ms: i64, zone: &TimeZone, hits: &Hits) -> Result<i64, Failure> {
    let value = eval_value(tree, &ClockScope { now_ms, zone }, hits)?.unwrap_or(Value::Null);
    moment(&value, zone).ok_or_else(|| Failure::new(&record::NOT_A_TIME).with("value", shown(&value)))
}

/// The fields of an object, those of objects in it too, under their paths joined by `_`. A field that the row has by
/// itself stays. Objects are as deep as JSON that was read.
fn lay_flat(row: &mut Map, prefix: &str, fields: &Map) {
    for (name, value) in fields {
        let name = format!("{prefix}_{name}");
        if let Value::Map(inner) = value {
            lay_flat(row, &name, inner);
        }
        row.entry(name).or_insert_with(|| value.clone());
    }
}

/// What an earlier `explode` put under a name with `_` is exploded along: the name means the one line, too.
fn unlisted(row: &mut Value, path: &Path, list: &Value, line: &Value) {
    let segments = path.segments();
    for end in 2..=segments.len() {
        let name = from_segments(&segments[..end]).to_string().replace('.', "_");
        let mut flat = vec![Segment::Name(name)];
        flat.extend_from_slice(&segments[end..]);
        let flat = from_segments(&flat);
        if flat.get(row) == Some(list) {
            flat.set(row, line.clone());
        }
    }
}

/// A field of the row, or the row's number.
fn field<'v>(row: &'v Value, path: &Path) -> Option<&'v Value> {
    if path.is_special() {
        row.get(path.first_name()?)
    } else {
        path.get(row)
    }
}

/// The list that a path meets where it goes on with a name.
fn list_on_the_way(row: &Value, path: &Path) -> Option<Path> {
    let segments = path.segments();
    (0..segments.len()).find_map(|end| {
        let front = from_segments(&segments[..end]);
        let on_a_list = end > 0 && matches!(front.get(row), Some(Value::List(_)));
        let by_name = matches!(segments[end], Segment::Name(_));
        (on_a_list && by_name).then_some(front)
    })
}

/// The key as people read it: `["a","b"]` as `a/b`.
pub(crate) fn key_text(key: &str) -> String {
    match json::parse(key.as_bytes()) {
        Ok(Value::List(parts)) => parts
            .iter()
            .filter_map(Value::to_plain_text)
            .collect::<Vec<_>>()
            .join("/"),
        _ => key.to_owned(),
    }
}

/// What is at a path, line by line where it says so; a line without the field stays visible as null.
fn slot(value: &Value, segments: &[Segment]) -> Option<Value> {
    let Some((first, rest)) = segments.split_first() else {
        return Some(value.clone());
    };
    if *first == Segment::All {
        let lines = value.as_list()?;
        return Some(Value::List(
            lines
                .iter()
                .map(|line| slot(line, rest).unwrap_or(Value::Null))
                .collect(),
        ));
    }
    let step = from_segments(std::slice::from_ref(first));
    match step.get(value) {
        Some(inner) => slot(inner, rest),
        None => crate::expr::gather(value, &from_segments(segments)).map(std::borrow::Cow::into_owned),
    }
}

/// The canonical text of [`slot`], without making it; `false` and nothing where there is none.
fn write_slot(value: &Value, segments: &[Segment], out: &mut Vec<u8>) -> bool {
    match (segments.split_first(), value) {
        (None, value) => {
            write_sorted(value, out);
            true
        }
        (Some((Segment::All, rest)), Value::List(lines)) => {
            out.push(b'[');
            for (position, line) in lines.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                if !write_slot(line, rest, out) {
                    out.extend_from_slice(b"null");
                }
            }
            out.push(b']');
            true
        }
        (Some((Segment::Name(name), rest)), Value::Map(members)) if members.contains_key(name) => members
            .get(name)
            .is_some_and(|inner| write_slot(inner, rest, out)),
        _ => slot(value, segments).is_some_and(|found| {
            write_sorted(&found, out);
            true
        }),
    }
}

/// JSON with the members of maps in order of their names, so that a system may change its order.
fn write_sorted(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Map(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (position, (name, member)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                json::write_text(name, out);
                out.push(b':');
                write_sorted(member, out);
            }
            out.push(b'}');
        }
        Value::List(list) => {
            out.push(b'[');
            for (position, element) in list.iter().enumerate() {
                if position > 0 {
                    out.push(b',');
                }
                write_sorted(element, out);
            }
            out.push(b']');
        }
        other => json::write(other, out),
    }
}

/// Small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a text cannot fail.
            write!(text, "{byte:02x}").expect("a text takes everything");
            text
        })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What versions were made of before: the value at the place, its maps sorted, printed.
    fn plainly(row: &Value, path: &Path) -> String {
        fn sorted(value: &Value) -> Value {
            match value {
                Value::Map(map) => {
                    let mut members: Vec<(&String, &Value)> = map.iter().collect();
                    members.sort_by_key(|(name, _)| *name);
                    let members = members.into_iter();
                    Value::Map(
                        members
                            .map(|(name, value)| (name.clone(), sorted(value)))
                            .collect(),
                    )
                }
                Value::List(list) => Value::List(list.iter().map(sorted).collect()),
                other => other.clone(),
            }
        }
        match slot(row, path.segments()) {
            None => "?".to_owned(),
            Some(value) => json::to_string(&sorted(&value)),
        }
    }

    fn rows() -> impl Strategy<Value = Value> {
        let text = prop_oneof!["[a-c]{0,3}", "[\"\\\\\u{1}\n/é汉]{0,4}"];
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("1.50".to_owned()),
            Just("-0e7".to_owned()),
            text.prop_map(|text| json::to_string(&Value::Text(text))),
        ];
        let row = leaf.prop_recursive(4, 32, 4, |inner| {
            let name = prop_oneof![Just("a"), Just("b"), Just("c"), Just("a.b"), Just("名")];
            let map = prop::collection::btree_map(name, inner.clone(), 0..4).prop_shuffled();
            prop_oneof![
                prop::collection::vec(inner, 0..4).prop_map(|list| format!("[{}]", list.join(","))),
                map,
            ]
        });
        row.prop_map(|text| json::parse(text.as_bytes()).unwrap())
    }

    trait Shuffled {
        fn prop_shuffled(self) -> BoxedStrategy<String>;
    }

    impl<S: Strategy<Value = std::collections::BTreeMap<&'static str, String>> + 'static> Shuffled for S {
        /// A map with its members in any order.
        fn prop_shuffled(self) -> BoxedStrategy<String> {
            let members = self.prop_map(|map| map.into_iter().collect::<Vec<_>>());
            let members = members.prop_shuffle().prop_map(|members| {
                let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            });
            members.boxed()
        }
    }

    const PATHS: [&str; 12] = [
        "a",
        "b",
        "a.b",
        "a.b.c",
        "a[*]",
        "a[*].b",
        "a[*].b[*].c",
        "b[0].a",
        "a[*].a.b",
        "c[*].b[*]",
        "名",
        "a[1]",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// The versions of records that ledgers have stay what they are.
        #[test]
        fn versions_are_made_of_the_same_text(row in rows()) {
            for path in PATHS {
                let path = Path::parse(path).unwrap();
                let mut text = Vec::new();
                if !write_slot(&row, path.segments(), &mut text) {
                    prop_assert!(text.is_empty());
                    text.push(b'?');
                }
                prop_assert_eq!(String::from_utf8(text).unwrap(), plainly(&row, &path), "{} of {}", path, row);
            }
        }
    }
}
