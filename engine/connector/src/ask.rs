//! Asking for the documents of a lost answer, by key or by id.
//!
//! Keys go into a structured filter, never into text; what comes back is compared as text with what was asked, so
//! that a target which finds more than that cannot settle the wrong record.

use std::borrow::Cow;

use dsl::catalogue::source;
use dsl::cond::{Asked, Op};
use dsl::decimal::Decimal;
use dsl::facts::{Action, Proof};
use dsl::{Failure, Map, Number, Path, Value};

use crate::connection::Connection;
use crate::filter::FilterValue;
use crate::model::{AskBy, Encode, FilterPrint, KeyPlace, Operation, ProofPlace, Unknown, WhenNone};
use crate::recipe::{Recipe, data};
use crate::request::{Call, PageState, complete_options};

/// Keys in one call. A longer filter meets limits of web servers.
const KEYS_MAX: usize = 50;

/// Name in the row for the internal id.
const ID: &str = "id";
/// Column of a note that holds the key's text.
const DOC_KEY: &str = "doc_key";
/// Column of a note that names the send that wrote it.
const ATTEMPT: &str = "attempt";
/// The name in `types` of the id, wherever `id_field` puts it.
const ID_ANYWHERE: &str = "$id";
/// Name in the row for the number.
const NUMBER: &str = "number";

/// A call that owns what it says.
#[derive(Debug, Clone, PartialEq)]
pub struct OwnedCall {
    /// The operation.
    pub operation: String,
    /// Its options.
    pub options: Map,
    /// Name in the row, and field asked for.
    pub fields: Vec<(String, String)>,
    /// The condition; none where an option names the document.
    pub filter: Option<FilterValue>,
    /// The page.
    pub page: Option<PageState>,
    /// The one instant of the run.
    pub now_ms: i64,
}

impl OwnedCall {
    /// The call.
    pub fn as_call(&self) -> Call<'_> {
        Call {
            fields: Some(&self.fields),
            filter: self.filter.clone(),
            page: self.page.clone(),
            ..Call::new(&self.operation, &self.options, self.now_ms)
        }
    }
}

/// How the documents of a lost answer are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The calls; their rows together are the answer.
    pub calls: Vec<OwnedCall>,
    /// What it means when nothing is found.
    pub none: WhenNone,
    operation: String,
    /// Name in the row, and field asked for, where rows come with the target's own names.
    renamed: Vec<(String, String)>,
    columns: Vec<String>,
    wanted: Vec<Vec<String>>,
    /// Name in the row, and the values which the rows of a document must show together.
    all_of: Vec<(String, Vec<String>)>,
    noted: bool,
}

impl Ask {
    /// Whether it is our own notes that are asked for: they tell our documents from others', and show no fields.
    pub fn is_noted(&self) -> bool {
        self.noted
    }

    /// Asks for further fields of each document, which [`Connection::differs`] compares.
    pub fn show(&mut self, fields: &[Path]) {
        for field in fields.iter().map(Path::to_string) {
            for call in &mut self.calls {
                if call.fields.iter().all(|(_, known)| *known != field) {
                    call.fields.push((field.clone(), field.clone()));
                }
            }
        }
    }

    /// The name under which a row has a field.
    fn name_of<'a>(&'a self, field: &'a str) -> &'a str {
        let fields = self.calls.first().map_or(&[][..], |call| &call.fields);
        let named = fields.iter().find(|(_, known)| known == field);
        named.map_or(field, |(name, _)| name)
    }

    /// A row under the names of `unknown.fields`. Rows that are lists have them already.
    fn named<'r>(&self, row: &'r Value) -> Cow<'r, Value> {
        let Some(members) = row.as_map().filter(|_| !self.renamed.is_empty()) else {
            return Cow::Borrowed(row);
        };
        let mut named = members.clone();
        for (name, field) in &self.renamed {
            let nested = || Path::parse(field).ok().and_then(|path| path.get(row));
            if let Some(value) = members.get(field).or_else(nested) {
                named.insert(name.clone(), value.clone());
            }
        }
        Cow::Owned(Value::Map(named))
    }

    /// Whether a row has this key.
    fn names(&self, row: &Value, wanted: &[String], same: impl Fn(&str, &str) -> bool) -> bool {
        self.columns
            .iter()
            .zip(wanted)
            .all(|(column, wanted)| text(row, column).is_some_and(|text| same(&text, wanted)))
    }
}

/// The values of a list, or of a text with commas.
fn parts_of(value: &Value) -> Vec<String> {
    let whole = match value {
        Value::List(items) => items.iter().filter_map(Value::to_plain_text).collect(),
        other => vec![other.to_plain_text().unwrap_or_default()],
    };
    whole
        .iter()
        .flat_map(|text| text.split(','))
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// What the target knows of one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// It is there, once.
    One {
        /// The internal id.
        id: Option<String>,
        /// The number a person knows it by.
        number: Option<String>,
    },
    /// It is not there, or not in the state that was aimed at.
    None,
    /// There are several.
    Many,
}

impl Connection {
    /// The calls that ask for the documents of a write: by `ids` where the operation asks by id, else by key. `None`
    /// when the operation cannot ask.
    pub fn ask(
        &self,
        operation: &str,
        options: &Map,
        key_fields: &[Path],
        tkeys: &[Vec<String>],
        ids: Option<&[String]>,
        now_ms: i64,
    ) -> Result<Option<Ask>, Failure> {
        let operation = self.operation(operation)?;
        let Some(unknown) = operation.unknown.as_ref().filter(|unknown| self.asks(unknown)) else {
            return Ok(None);
        };
        let Some(asking) = unknown.ask.as_deref() else {
            return Ok(None);
        };
        let complete = complete_options(operation, options)?;
        let frame = self.frame(operation, &complete, now_ms);
        let mut ask_options = Map::new();
        for (name, tree) in &unknown.options {
            ask_options.extend(
                frame
                    .value(tree, "unknown.options")?
                    .map(|value| (name.clone(), value)),
            );
        }
        let mut all_of = Vec::new();
        for (name, tree) in &unknown.all_of {
            let value = frame.value(tree, "unknown.all_of")?;
            all_of.extend(value.map(|value| (name.clone(), parts_of(&value))));
        }
        let mut fields = frame.pairs(&unknown.fields, "unknown.fields")?;
        let (columns, wanted) = match (unknown.by, ids) {
            (AskBy::Id, Some(ids)) => {
                let id = fields
                    .iter()
                    .find(|(name, _)| name == ID)
                    .map(|(_, field)| field.clone());
                let Some(id) = id else { return Ok(None) };
                (vec![id], ids.iter().map(|id| vec![id.clone()]).collect())
            }
            (AskBy::Id, None) => return Ok(None),
            // The note has the key's text as the ledger has it, in one column.
            (AskBy::Note, Some(_)) => return Ok(None),
            (AskBy::Note, None) => {
                let texts = tkeys.iter().map(|key| vec![key_text(key)]);
                (vec![DOC_KEY.to_owned()], texts.collect())
            }
            (AskBy::Key, _) if key_fields.is_empty() => return Ok(None),
            (AskBy::Key, _) => (
                key_fields.iter().map(Path::to_string).collect::<Vec<_>>(),
                tkeys.to_vec(),
            ),
        };
        for column in &columns {
            if !fields.iter().any(|(_, field)| field == column) {
                fields.push((column.clone(), column.clone()));
            }
        }
        if unknown.by == AskBy::Note && !fields.iter().any(|(_, field)| field == ATTEMPT) {
            fields.push((ATTEMPT.to_owned(), ATTEMPT.to_owned()));
        }
        // A key whose field is asked for under another name is found by that name.
        let columns_in_rows = columns
            .iter()
            .filter_map(|column| {
                fields
                    .iter()
                    .find(|(_, field)| field == column)
                    .map(|(name, _)| name.clone())
            })
            .collect();
        let page = self.first_page(asking);
        let asked = self.operation(asking)?;
        // An option takes one text: a key of several fields is none.
        if unknown.option.is_some() && columns.len() != 1 {
            return Ok(None);
        }
        let is_named = asked.rows.as_ref().is_some_and(|rows| rows.by_fields);
        let renamed = if is_named { Vec::new() } else { fields.clone() };
        let print = asked.filter.as_ref();
        let has_any = print.is_some_and(FilterPrint::has_any);
        let has_in = print.is_some_and(FilterPrint::has_in);
        let many = has_any || has_in && columns.len() == 1;
        let at_once = if many && unknown.option.is_none() {
            KEYS_MAX
        } else {
            1
        };
        let calls = wanted
            .chunks(at_once)
            .map(|wanted| {
                let named = unknown
                    .option
                    .as_ref()
                    .zip(wanted.first().and_then(|key| key.first()));
                let mut options = ask_options.clone();
                options.extend(named.map(|(option, key)| (option.clone(), Value::from(key.as_str()))));
                OwnedCall {
                    operation: asking.to_owned(),
                    options,
                    fields: fields.clone(),
                    filter: match unknown.option {
                        Some(_) => None,
                        None => Some(FilterValue::Asked(any_of(&columns, wanted))),
                    },
                    page: page.clone(),
                    now_ms,
                }
            })
            .collect();
        Ok(Some(Ask {
            calls,
            none: unknown.none,
            operation: operation.name.clone(),
            renamed,
            columns: columns_in_rows,
            wanted,
            all_of,
            noted: unknown.by == AskBy::Note,
        }))
    }

    /// What the rows of all calls say about each document, in the order asked.
    pub fn ask_rows(&self, ask: &Ask, rows: &[Value]) -> Vec<Found> {
        let operation = self.operation(&ask.operation).ok();
        let done_when = operation
            .and_then(|operation| operation.unknown.as_ref())
            .and_then(|u| u.done_when.as_ref());
        let rows: Vec<Value> = rows.iter().map(|row| ask.named(row).into_owned()).collect();
        ask.wanted
            .iter()
            .map(|wanted| self.found(ask, wanted, &rows, done_when))
            .collect()
    }

    fn found(&self, ask: &Ask, wanted: &[String], rows: &[Value], done_when: Option<&Recipe>) -> Found {
        let is_it = |row: &&Value| ask.names(row, wanted, str::eq);
        let done = |row: &&Value| {
            done_when.is_none_or(|recipe| {
                let mut names = self.param_names();
                names.set("row", data::give((*row).clone()));
                recipe.holds(&names)
            })
        };
        // One row for each of the values that are aimed at; with a part of them nobody knows what comes of once more.
        for (name, values) in &ask.all_of {
            let shown: Vec<String> = rows
                .iter()
                .filter(is_it)
                .filter_map(|row| text(row, name))
                .collect();
            let there = values.iter().filter(|value| shown.contains(value)).count();
            // The document itself is a row, too: an answer without it, or with a row that does not say, proves nothing.
            if there == 0 && !shown.is_empty() && shown.len() == rows.iter().filter(is_it).count() {
                return Found::None;
            }
            if there < values.len() {
                return Found::Many;
            }
        }
        // One row per line of a document is still one document.
        let mut ids: Vec<Option<String>> = Vec::new();
        let mut number = None;
        for row in rows.iter().filter(is_it).filter(done) {
            let id = text(row, ID);
            number = number.or_else(|| text(row, NUMBER));
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        // A row that was found by nobody's key as it is written: the target compares without case or blanks, and this
        // document may be the one.
        let alike = |row: &Value| {
            ask.names(row, wanted, |a, b| folded(a) == folded(b))
                && !ask.wanted.iter().any(|wanted| ask.names(row, wanted, str::eq))
        };
        // A row without the key may be any document: such an answer does not prove that this one is not there.
        let nameless = |row: &Value| ask.columns.iter().any(|column| text(row, column).is_none());
        match ids.len() {
            0 if rows.iter().any(|row| alike(row) || nameless(row)) => Found::Many,
            0 => Found::None,
            1 => Found::One {
                id: ids.pop().flatten(),
                number,
            },
            _ => Found::Many,
        }
    }

    /// The send that wrote the note of the document asked about in this place.
    pub fn noted_by(&self, ask: &Ask, nth: usize, rows: &[Value]) -> Option<String> {
        let wanted = ask.wanted.get(nth)?;
        let mut rows = rows.iter().map(|row| ask.named(row));
        let row = rows.find(|row| ask.names(row, wanted, str::eq))?;
        text(&row, ask.name_of(ATTEMPT))
    }

    /// Whether a second write of a document is refused by what stands there already, instead of taking its place.
    pub fn refuses_second(&self, operation: &str) -> bool {
        let operation = self.connector.operation(operation);
        operation.is_some_and(|operation| operation.exists.is_some())
    }

    /// The fields in which the document asked about in this place is not as it was sent. `sent` are fields and the
    /// values they were sent with; one that was not sent says nothing.
    pub fn differs(
        &self,
        ask: &Ask,
        nth: usize,
        rows: &[Value],
        sent: &[(String, Option<&Value>)],
    ) -> Vec<String> {
        let Some(wanted) = ask.wanted.get(nth) else {
            return Vec::new();
        };
        let rows: Vec<Cow<'_, Value>> = rows.iter().map(|row| ask.named(row)).collect();
        let shown: Vec<&Value> = rows
            .iter()
            .map(AsRef::as_ref)
            .filter(|row| ask.names(row, wanted, str::eq))
            .collect();
        let is_so = |field: &str, sent: &Value| {
            let path = Path::parse(field).ok();
            shown.iter().all(|row| {
                let nested = || path.as_ref().and_then(|path| path.get(row));
                same(row.get(ask.name_of(field)).or_else(nested), sent)
            })
        };
        sent.iter()
            .filter_map(|(field, sent)| Some((field, (*sent)?)))
            // A part with parts of its own is not shown as it was sent.
            .filter(|(_, sent)| sent.as_map().is_none() && sent.as_list().is_none())
            .filter(|(field, sent)| !is_so(field, sent))
            .map(|(field, _)| field.clone())
            .collect()
    }

    /// A field of the document asked about in this place, as it is there; `None` = no row has it.
    pub fn present(&self, ask: &Ask, nth: usize, rows: &[Value], field: &str) -> Option<Value> {
        let wanted = ask.wanted.get(nth)?;
        let path = Path::parse(field).ok();
        rows.iter()
            .map(|row| ask.named(row))
            .filter(|row| ask.names(row, wanted, str::eq))
            .find_map(|row| {
                let nested = || path.as_ref().and_then(|path| path.get(&row));
                row.get(ask.name_of(field)).or_else(nested).cloned()
            })
    }

    /// Whether the document asked about in this place shows everything that was sent: every field, and every line as one
    /// of its own, in whatever order. What it has besides says nothing.
    pub fn shows(&self, ask: &Ask, nth: usize, rows: &[Value], sent: &Value) -> bool {
        let Some(wanted) = ask.wanted.get(nth) else {
            return false;
        };
        let mut rows = rows
            .iter()
            .filter(|row| ask.names(&ask.named(row), wanted, str::eq))
            .peekable();
        rows.peek().is_some() && rows.all(|row| has(Some(row), sent))
    }

    /// Whether our own notes are asked for instead of documents: they say nothing of what others have written.
    pub fn asks_notes(&self, operation: &str) -> bool {
        let operation = self.connector.operation(operation);
        let unknown = operation.and_then(|operation| operation.unknown.as_ref());
        unknown.is_some_and(|unknown| unknown.by == AskBy::Note)
    }

    /// Whether a lost update is asked about by the id of its document, because once more is not the same.
    pub fn asks_update(&self, operation: &str, options: &Map) -> bool {
        let Some(operation) = self.connector.operation(operation) else {
            return false;
        };
        let by_id = |unknown: &Unknown| unknown.by == AskBy::Id && unknown.ask.is_some();
        operation.writes.contains(&Action::Update)
            && operation.unknown.as_ref().is_some_and(by_id)
            && self.proof(operation, options) == Proof::Query
    }

    /// Whether the document asked about in this place shows that the step of an operation is made. An operation that
    /// cannot tell by the state of a document says no.
    pub fn passed(&self, ask: &Ask, nth: usize, rows: &[Value], operation: &str) -> bool {
        let recipe = self
            .connector
            .operation(operation)
            .and_then(|operation| operation.unknown.as_ref()?.done_when.as_ref());
        let (Some(recipe), Some(wanted)) = (recipe, ask.wanted.get(nth)) else {
            return false;
        };
        let mut shown = rows
            .iter()
            .filter(|row| ask.names(row, wanted, str::eq))
            .peekable();
        shown.peek().is_some()
            && shown.all(|row| {
                let mut names = self.param_names();
                names.set("row", data::give(row.clone()));
                recipe.holds(&names)
            })
    }

    /// The first page of an operation, as large as it may be.
    pub(crate) fn first_page(&self, operation: &str) -> Option<PageState> {
        let page = self.page_facts(self.connector.operation(operation)?)?;
        Some(PageState {
            number: page.first,
            size: page.max,
            ..PageState::default()
        })
    }

    /// Whether the same call again has the same effect, whatever its options are.
    pub fn can_repeat(&self, operation: &str) -> bool {
        self.connector
            .operation(operation)
            .filter(|operation| operation.proof_needs.is_none())
            .is_some_and(|operation| matches!(operation.proof, ProofPlace::Fixed(Proof::Upsert)))
    }

    /// Whether a document that this operation voided is not there any more: it cannot be updated, and is not found.
    pub fn ends_documents(&self, operation: &str) -> bool {
        self.connector
            .operation(operation)
            .is_some_and(|operation| operation.ends)
    }

    /// Whether a document whose id is known goes out with the id in it.
    pub fn holds_id(&self, operation: &str, options: &Map) -> bool {
        let Ok(operation) = self.operation(operation) else {
            return false;
        };
        let Some(tree) = &operation.id_field else {
            return false;
        };
        let complete = complete_options(operation, options);
        let place = complete.and_then(|options| self.frame(operation, &options, 0).text(tree, "id_field"));
        // What cannot be said is said of the document.
        !(operation.encode == Encode::Sql && matches!(place, Ok(None)))
    }

    /// Puts the internal id of a known document into its payload, in front of everything else at its place. It is a
    /// number where it reads as one, unless the operation's `types` say text.
    pub fn put_id(
        &self,
        operation: &str,
        options: &Map,
        payload: &mut Value,
        id: &str,
    ) -> Result<(), Failure> {
        let operation = self.operation(operation)?;
        let Some(tree) = &operation.id_field else {
            return Ok(());
        };
        let frame = self.frame(operation, &complete_options(operation, options)?, 0);
        // An update without its id would make a second document.
        let nowhere = || {
            Failure::new(&source::FRAME)
                .with("place", "id_field")
                .with("why", "null")
        };
        let path = match frame.text(tree, "id_field")? {
            Some(path) => path,
            // A statement that names no column for it goes by the key, which the document holds.
            None if operation.encode == Encode::Sql => return Ok(()),
            None => return Err(nowhere()),
        };
        let (above, field) = match path.rsplit_once('.') {
            Some((above, field)) => (Some(above), field),
            None => (None, path.as_str()),
        };
        let mut place = payload;
        for name in above.into_iter().flat_map(|above| above.split('.')) {
            let Value::Map(members) = place else {
                return Err(nowhere());
            };
            let inner = members.entry(name.to_owned());
            place = inner.or_insert_with(|| Value::Map(Map::new()));
        }
        let Value::Map(members) = place else {
            return Err(nowhere());
        };
        let is_text = operation
            .types
            .iter()
            .any(|(name, kind)| (name == field || name == ID_ANYWHERE) && kind == "text");
        let number = if is_text { None } else { Number::parse(id) };
        members.shift_remove(field);
        members.shift_insert(
            0,
            field.to_owned(),
            number.map_or_else(|| id.into(), Value::Number),
        );
        Ok(())
    }

    /// What it means that nothing is found for a lost write of this operation.
    pub fn when_none(&self, operation: &str) -> WhenNone {
        let unknown = self
            .connector
            .operation(operation)
            .and_then(|operation| operation.unknown.as_ref());
        unknown.map_or(WhenNone::Hold, |unknown: &Unknown| unknown.none)
    }

    /// Whether a lost write of this operation and action can be asked for.
    pub fn can_ask(&self, operation: &str, action: Action) -> bool {
        let unknown = self
            .connector
            .operation(operation)
            .and_then(|operation| operation.unknown.as_ref());
        unknown.is_some_and(|unknown| {
            unknown.ask.is_some()
                && self.asks(unknown)
                && (unknown.by != AskBy::Id || action != Action::Create)
        })
    }

    pub(crate) fn keys(&self, operation: &Operation, options: &Map) -> Vec<Path> {
        match &operation.key {
            KeyPlace::Fixed(paths) => paths.clone(),
            KeyPlace::Computed(tree) => {
                let value = self
                    .frame(operation, options, 0)
                    .value(tree, "key")
                    .ok()
                    .flatten();
                let texts = match &value {
                    Some(Value::List(list)) => list.iter().filter_map(Value::as_text).collect(),
                    Some(Value::Text(text)) => vec![text.as_str()],
                    _ => Vec::new(),
                };
                texts
                    .into_iter()
                    .filter_map(|text| Path::parse(text).ok())
                    .collect()
            }
        }
    }

    /// Whether this target can be asked about its documents.
    fn asks(&self, unknown: &Unknown) -> bool {
        let when = unknown.when.as_ref();
        when.is_none_or(|when| when.holds(&self.param_names()))
    }

    pub(crate) fn proof(&self, operation: &Operation, options: &Map) -> Proof {
        let proof = self.declared_proof(operation, options);
        // What can be proved by asking only is not proved where nobody can be asked.
        let needs = matches!(proof, Proof::Query | Proof::UniqueKey);
        match &operation.unknown {
            Some(unknown) if needs && !self.asks(unknown) => Proof::None,
            _ => proof,
        }
    }

    fn declared_proof(&self, operation: &Operation, options: &Map) -> Proof {
        match &operation.proof {
            ProofPlace::Fixed(proof) => *proof,
            ProofPlace::Computed(tree) => {
                let text = self
                    .frame(operation, options, 0)
                    .text(tree, "proof")
                    .ok()
                    .flatten();
                text.and_then(|text| Proof::parse(&text)).unwrap_or(Proof::None)
            }
        }
    }
}

/// A key as one text: the list of its parts.
fn key_text(parts: &[String]) -> String {
    let parts = parts.iter().map(|part| Value::from(part.as_str()));
    dsl::json::to_string(&Value::List(parts.collect()))
}

fn text(row: &Value, column: &str) -> Option<String> {
    row.get(column).and_then(Value::to_plain_text)
}

/// Whether a target shows what it was sent: blanks around a text and the zeros behind a number do not count, and
/// nothing is an empty text.
fn same(shown: Option<&Value>, sent: &Value) -> bool {
    let text = |value: &Value| value.to_plain_text().unwrap_or_default();
    let (shown, sent) = (shown.map(text).unwrap_or_default(), text(sent));
    let number = |text: &str| Number::parse(text).and_then(|number| Decimal::parse(number.as_str()));
    day(shown.trim()) == day(sent.trim())
        || match (number(shown.trim()), number(sent.trim())) {
            (Some(shown), Some(sent)) => shown == sent,
            _ => false,
        }
}

/// Whether what is shown has all that was sent. Each line that was sent needs one of its own: a line takes the first that
/// has all of it and that no other has taken, which may find too few and never too many.
fn has(shown: Option<&Value>, sent: &Value) -> bool {
    match (shown, sent) {
        (_, Value::Map(members)) => members
            .iter()
            .all(|(name, sent)| has(shown.and_then(|shown| shown.get(name)), sent)),
        (Some(Value::List(shown)), Value::List(lines)) => {
            let mut left: Vec<&Value> = shown.iter().collect();
            lines.iter().all(|line| {
                let at = left.iter().position(|shown| has(Some(shown), line));
                at.map(|at| left.swap_remove(at)).is_some()
            })
        }
        (_, Value::List(lines)) => lines.is_empty(),
        (shown, sent) => {
            shown.is_none_or(|shown| shown.as_map().is_none() && shown.as_list().is_none())
                && same(shown, sent)
        }
    }
}

/// A day without the midnight that a target shows behind it.
fn day(text: &str) -> &str {
    let whole = text.trim_end_matches('0').strip_suffix('.').unwrap_or(text);
    let is_day = |day: &&str| day.len() == 10 && day.as_bytes()[4] == b'-' && day.as_bytes()[7] == b'-';
    let bare = ["T00:00:00", " 00:00:00"]
        .iter()
        .find_map(|midnight| whole.strip_suffix(midnight));
    bare.filter(is_day).unwrap_or(text)
}

/// As a database that ignores case and outer blanks compares.
fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

/// One of these keys. Parts that are the same in all of them are said once, so that the text stays short.
fn any_of(columns: &[String], wanted: &[Vec<String>]) -> Asked {
    let path = |column: &String| Path::parse(column).unwrap_or_else(|_| Path::names([column.clone()]));
    let test = |column: &String, op: Op, values: Vec<Value>| Asked::Test {
        field: path(column),
        op,
        values,
    };
    let values_at = |at: usize| {
        let mut values: Vec<&str> = Vec::new();
        for key in wanted {
            let value = key.get(at).map_or("", String::as_str);
            if !values.contains(&value) {
                values.push(value);
            }
        }
        values
    };
    let differing: Vec<usize> = (0..columns.len()).filter(|at| values_at(*at).len() > 1).collect();
    if differing.len() <= 1 {
        let parts = columns.iter().enumerate().map(|(at, column)| {
            let values: Vec<Value> = values_at(at).into_iter().map(Value::from).collect();
            test(column, if values.len() > 1 { Op::In } else { Op::Eq }, values)
        });
        return Asked::All(parts.collect());
    }
    let one = |key: &Vec<String>| {
        let parts = columns
            .iter()
            .zip(key)
            .map(|(column, part)| test(column, Op::Eq, vec![part.as_str().into()]));
        Asked::All(parts.collect())
    };
    Asked::Any(wanted.iter().map(one).collect())
}
