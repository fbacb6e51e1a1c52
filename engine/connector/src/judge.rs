//! What an answer means: a class for the call, and a verdict for each record.
//!
//! The HTTP status proves nothing by itself, and an answer that is not JSON proves nothing at all. Rows of the table
//! are tried in order: the auth mode's, the operation's, the connector's. A record that the answer does not name is
//! [`Verdict::Absent`], never accepted by default.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::facts::{Action, OpKind};
use dsl::tree::Tree;
use dsl::{Map, Path, Value};

use crate::answer::{HttpAnswer, Reading};
use crate::batch;
use crate::connection::Connection;
use crate::frame::Frame;
use crate::login::{self, LoggingIn};
use crate::model::{
    Class, CodePlace, Encode, ItemIndex, ItemLists, Items, Operation, Row, RowTest, UntilPlace,
};
use crate::recipe::{Names, Recipe, data, map};
use crate::request::{Call, Records};

/// Characters of an answer that are kept as its words when the table names none.
const EXCERPT: usize = 512;

/// Characters of what an answer calls itself; those that were seen have some forty.
const TRACE: usize = 128;

/// The longest wait that an answer may ask for.
const WAIT_MAX_MS: i64 = 3_600_000;

/// What an answer says about one record of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Named as accepted.
    Accepted {
        /// The target's internal id.
        id: Option<String>,
        /// The number a person knows it by.
        number: Option<String>,
        /// The ids of its lines, list by list, as far as the answer tells them.
        lines: Vec<LineList>,
    },
    /// Named as refused.
    Rejected {
        /// The target's words.
        message: String,
        /// The field they are about.
        field: Option<String>,
        /// Whether they mean that the document is already there.
        exists: bool,
    },
    /// Not named, or named as both.
    Absent,
}

/// The ids of the lines of one list of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineList {
    /// What the answer calls the list; empty where it knows only one.
    pub name: String,
    /// One for each line, in the order of the answer; `None` where a line has none.
    pub ids: Vec<Option<String>>,
    /// What the answer calls each line, where it does not tell them by their order.
    pub keys: Option<Vec<String>>,
}

/// What a call carried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    /// How many records.
    pub(crate) n: usize,
    /// Their documents, where they are at hand.
    pub(crate) records: &'a Records,
}

/// When calls go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// At the next midnight in the system's zone.
    Midnight,
    /// At this instant, in Unix milliseconds.
    At(i64),
}

/// An answer, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What it means for the call.
    pub class: Class,
    /// Whether a row of the table said so; otherwise the class is [`Class::Fault`].
    pub matched: bool,
    /// The other system's words, in full.
    pub message: String,
    /// Its business code.
    pub code: Option<String>,
    /// How long to wait before the next call.
    pub wait_ms: Option<i64>,
    /// When calls go on, where the answer or its row says so.
    pub until: Option<Until>,
    /// What the other system calls this call, for a question to its people.
    pub trace: Option<String>,
    /// Whether a write may be repeated after renewing the session.
    pub replay_write: bool,
    /// One for each record; empty when nothing is said about single records.
    pub verdicts: Vec<Verdict>,
    /// The answer to a reading call as it was read for this.
    pub read: Read,
}

/// An answer that was read, for whoever takes the rows out of it: a page is not read twice.
#[derive(Clone, Default)]
pub struct Read(Option<Arc<Reading>>);

impl Read {
    /// Gives it away, where nobody else has it.
    pub(crate) fn take(&mut self) -> Option<Reading> {
        Arc::into_inner(self.0.take()?)
    }
}

impl std::fmt::Debug for Read {
    // An answer holds business data: none of it is printed by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Read")
    }
}

impl PartialEq for Read {
    /// It says nothing that the rest does not.
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Read {}

impl Connection {
    /// Judges the answer to a call of `n` records; a read has none.
    pub fn judge(&self, operation: &str, options: &Map, n: usize, answer: &HttpAnswer) -> Judged {
        let records = &Records::default();
        self.judge_sent(operation, options, Sent { n, records }, answer)
    }

    /// Judges the answer to a call of `n` records, whose documents it may name by their keys.
    pub fn judge_call(&self, call: &Call<'_>, n: usize, answer: &HttpAnswer) -> Judged {
        let none = Records::default();
        let records = call.records.as_ref().unwrap_or(&none);
        self.judge_sent(call.operation, call.options, Sent { n, records }, answer)
    }

    pub(crate) fn judge_sent(
        &self,
        operation: &str,
        options: &Map,
        sent: Sent<'_>,
        answer: &HttpAnswer,
    ) -> Judged {
        let n = sent.n;
        let mut reading = self.reading(answer);
        let Ok(operation) = self.operation(operation) else {
            return self.fault(&reading, None);
        };
        if operation.encode == Encode::OdataBatch
            && let Some(parts) = batch::read(answer, n)
        {
            reading.body = parts.map(Arc::new);
        }
        let (mut names, lets) = self.answer_names(answer, &reading);
        // How many records the call had: an answer that names fewer may mean all of them.
        names.set("sent", minijinja::Value::from(n));
        if let Some(csrf) = &self.connector.csrf
            && operation.kind != OpKind::Read
            && login::refuses(csrf, &names)
        {
            return Judged {
                class: Class::Auth,
                matched: true,
                // The flow sends it again, once a new token is there: nothing was looked at.
                replay_write: true,
                ..self.fault(&reading, None)
            };
        }
        let code = self.code(operation.code.as_ref(), &reading, &lets);
        let rows = self
            .mode()
            .outcome
            .iter()
            .chain(&operation.outcome)
            .chain(&self.connector.outcome);
        let frame = self.frame(operation, options, 0);
        // A success needs a status that may be one, and an answer that could be read.
        let believable = reading.body.is_ok() && self.connector.transport.ok_status.contains(&answer.status);
        let is_success = |row: &Row| matches!(row.class, Class::Ok | Class::Rows);
        let Some(row) = rows
            .into_iter()
            // Of a read, the rows that follow may know better; a write that may have succeeded is in doubt.
            .filter(|row| believable || operation.is_write() || !is_success(row))
            .find(|row| matches(row, &names, code.as_deref(), &frame))
        else {
            return self.fault(&reading, code);
        };
        let success = is_success(row);
        if success && !believable {
            return self.fault(&reading, code);
        }
        let body = reading.body.as_ref().map_or(Arc::new(Value::Null), Arc::clone);
        let said = row
            .message
            .as_ref()
            .and_then(|tree| self.sentence(tree, &body, lets.clone()));
        let message = said.unwrap_or_else(|| {
            if success {
                String::new()
            } else {
                self.excerpt(&reading.text)
            }
        });
        // Where each record has a verdict, a success of the call as a whole says nothing about any of them.
        let class = match row.class {
            Class::Ok if operation.is_write() && operation.items.is_some() => Class::Rows,
            class => class,
        };
        let verdicts = self.verdicts(class, operation, sent, &names, &lets, &body, &message);
        let trace = self.trace(&reading);
        let read = match operation.kind {
            OpKind::Read => Read(Some(Arc::new(reading))),
            _ => Read::default(),
        };
        Judged {
            class,
            matched: true,
            message,
            code,
            wait_ms: row.wait_ms.or_else(|| retry_after(row.class, answer)),
            until: until(row, &names),
            trace,
            replay_write: row.replay_write,
            verdicts,
            read,
        }
    }

    /// An answer to a call of a login, or to the one that fetches a token for writes (`under_way` is `None`), that says
    /// "too many calls" or "busy", and nothing about the credentials.
    pub fn login_throttled(&self, under_way: Option<&LoggingIn>, answer: &HttpAnswer) -> Option<Judged> {
        let reading = self.reading(answer);
        let (names, lets) = self.answer_names(answer, &reading);
        let ok = under_way.and_then(|under_way| self.login_ok(under_way));
        let is_ok = match ok {
            Some(ok) => ok.holds(&names),
            None => self.connector.transport.ok_status.contains(&answer.status),
        };
        if answer.status != 429 && is_ok {
            return None;
        }
        let code = self.code(None, &reading, &lets);
        let frame = self.param_frame(0);
        let mut rows = self.mode().outcome.iter().chain(&self.connector.outcome);
        let row = rows.find(|row| matches(row, &names, code.as_deref(), &frame));
        let row = row.filter(|row| matches!(row.class, Class::Throttled | Class::Transient));
        let class = match (row, answer.status) {
            (Some(row), _) => row.class,
            (None, 429) => Class::Throttled,
            (None, _) => return None,
        };
        Some(Judged {
            class,
            matched: true,
            message: format!("HTTP {}: {}", answer.status, self.excerpt(&self.readable(answer))),
            code,
            wait_ms: row
                .and_then(|row| row.wait_ms)
                .or_else(|| retry_after(class, answer)),
            until: row.and_then(|row| until(row, &names)),
            trace: self.trace(&reading),
            replay_write: false,
            verdicts: Vec::new(),
            read: Read::default(),
        })
    }

    fn fault(&self, reading: &Reading, code: Option<String>) -> Judged {
        Judged {
            class: Class::Fault,
            matched: false,
            message: self.excerpt(&reading.text),
            code,
            wait_ms: None,
            until: None,
            trace: self.trace(reading),
            replay_write: false,
            verdicts: Vec::new(),
            read: Read::default(),
        }
    }

    /// What an answer calls itself. It is the other system's text, kept short.
    fn trace(&self, reading: &Reading) -> Option<String> {
        let found = plain(self.connector.trace.as_ref()?, reading.body.as_ref().ok()?)?;
        Some(self.redact(found.trim()).chars().take(TRACE).collect())
    }

    /// An answer as text, in its charset: as far as it can be decoded, and the rest as it looks. For people only.
    pub fn readable(&self, answer: &HttpAnswer) -> String {
        let reading = self.reading(answer);
        match reading.body {
            Err(failure) if failure.code() == dsl::catalogue::source::CHARSET.code => {
                String::from_utf8_lossy(&answer.body).into_owned()
            }
            _ => reading.text,
        }
    }

    /// The first characters of a text, without secrets.
    pub(crate) fn excerpt(&self, text: &str) -> String {
        // Secrets are taken out first: one that is cut would not be recognised.
        let text = text.trim();
        let head = &text[..text.floor_char_boundary(64 * EXCERPT)];
        self.redact(head).chars().take(EXCERPT).collect()
    }

    /// Names of a recipe over an answer, with everything that `let` makes of it.
    pub(crate) fn answer_names(&self, answer: &HttpAnswer, reading: &Reading) -> (Names, Map) {
        let mut names = self.param_names();
        self.set_answer(&mut names, answer, reading);
        let mut lets = Map::new();
        for (name, recipe) in &self.connector.lets {
            // A recipe that cannot be computed over this answer is undefined: answers come in many shapes.
            if let Ok(value) = recipe.eval(&names) {
                if !value.is_undefined()
                    && let Some(value) = data::take(&value)
                {
                    lets.insert(name.clone(), value);
                }
                names.set(name.clone(), value);
            }
        }
        (names, lets)
    }

    pub(crate) fn set_answer(&self, names: &mut Names, answer: &HttpAnswer, reading: &Reading) {
        let mut header = Map::new();
        for (name, value) in &answer.headers {
            header
                .entry(name.to_ascii_lowercase())
                .or_insert_with(|| Value::from(value.as_str()));
        }
        let status = minijinja::Value::from(answer.status);
        names.set(
            "http",
            map([("status", status), ("header", data::give(Value::Map(header)))]),
        );
        names.set("body_text", minijinja::Value::from(reading.text.as_str()));
        if let Ok(body) = &reading.body {
            names.set("body", data::share(body));
        }
    }

    fn code(&self, own: Option<&CodePlace>, reading: &Reading, lets: &Map) -> Option<String> {
        let value = match own.or(self.connector.code.as_ref())? {
            CodePlace::Let(name) => lets.get(name)?,
            CodePlace::Body(path) => path.get(reading.body.as_ref().ok()?)?,
        };
        value.to_plain_text().filter(|text| !text.is_empty())
    }

    /// A sentence over an answer or an item. `None` when nothing is left of it.
    pub(crate) fn sentence(&self, tree: &Tree, fields: &Value, lets: Map) -> Option<String> {
        let mut frame = Frame::sentence(fields, &self.connector.tz);
        let shown = self.params.iter().filter(|(name, _)| !self.secret.contains(name));
        frame.set(
            "$param",
            shown
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect::<Map>(),
        );
        frame.set("$let", lets);
        let text = frame.text(tree, "message").ok()??;
        // A part that has no value leaves its separator behind.
        let text = text.trim_matches(|char: char| char.is_whitespace() || char == ':');
        (!text.is_empty()).then(|| self.redact(text))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one answer, each used")]
    fn verdicts(
        &self,
        class: Class,
        operation: &Operation,
        sent: Sent<'_>,
        names: &Names,
        lets: &Map,
        body: &Value,
        message: &str,
    ) -> Vec<Verdict> {
        let n = sent.n;
        match (class, &operation.items) {
            (Class::Rows, Some(items)) => self.by_items(items, operation, sent, names, lets),
            (Class::Ok, _) if operation.is_write() => match (&operation.item, n) {
                (Some(item), 1) => {
                    let accepted = Verdict::Accepted {
                        id: item.id.as_ref().and_then(|path| plain(path, body)),
                        number: item.number.as_ref().and_then(|path| plain(path, body)),
                        lines: item
                            .lines
                            .as_ref()
                            .and_then(|path| path.get(body))
                            .map(|told| line_lists(told, item.line_id.as_ref()))
                            .unwrap_or_default(),
                    };
                    // A new document has an id; of one that is known, many systems say only that all is well.
                    let makes = operation.writes.contains(&Action::Create);
                    let named = makes && (item.id.is_some() || item.number.is_some());
                    vec![one(vec![accepted], named)]
                }
                _ => vec![
                    Verdict::Accepted {
                        id: None,
                        number: None,
                        lines: Vec::new(),
                    };
                    n
                ],
            },
            // The only record of a refused call is the one that was refused.
            (Class::Rejected, _) if n == 1 => vec![Verdict::Rejected {
                message: message.to_owned(),
                field: None,
                exists: refused_as_there(operation, names, body),
            }],
            _ => Vec::new(),
        }
    }

    fn by_items(
        &self,
        items: &Items,
        operation: &Operation,
        sent: Sent<'_>,
        names: &Names,
        lets: &Map,
    ) -> Vec<Verdict> {
        let n = sent.n;
        let mut found: BTreeMap<usize, Vec<Verdict>> = BTreeMap::new();
        let listed = listed(&items.lists, names);
        // Where places tell records apart, one entry too few or too many moves all that follow.
        let is_whole = !matches!(items.index, ItemIndex::Position) || listed.len() == n;
        for (position, good, item) in listed.into_iter().filter(|_| is_whole) {
            // An item that is told to be neither is as one that is not there.
            let Some(good) = good else { continue };
            let index = index_of(&items.index, &item, position, sent);
            let Some(index) = index.filter(|index| *index < n) else {
                continue;
            };
            let verdict = match good {
                true => Verdict::Accepted {
                    id: items.id.as_ref().and_then(|path| plain(path, &item)),
                    number: items.number.as_ref().and_then(|path| plain(path, &item)),
                    lines: lines_of(items, names, &item),
                },
                false => Verdict::Rejected {
                    message: items
                        .message
                        .as_ref()
                        .and_then(|tree| self.sentence(tree, &item, lets.clone()))
                        .unwrap_or_else(|| self.excerpt(&dsl::json::to_string(&item))),
                    field: items.field.as_ref().and_then(|path| plain(path, &item)),
                    exists: exists(operation.exists.as_ref(), names, data::give(item)),
                },
            };
            found.entry(index).or_default().push(verdict);
        }
        let named = items.id.is_some() || items.number.is_some();
        (0..n)
            .map(|index| {
                found
                    .remove(&index)
                    .map_or(Verdict::Absent, |said| one(said, named))
            })
            .collect()
    }
}

/// Everything that was said about one record, as one verdict. Accepted and refused at once is nothing to rely on, and
/// so is acceptance without the id or number that the answer should name.
fn one(said: Vec<Verdict>, named: bool) -> Verdict {
    let refusals: Vec<&Verdict> = said
        .iter()
        .filter(|verdict| matches!(verdict, Verdict::Rejected { .. }))
        .collect();
    if refusals.is_empty() {
        let first = said[0].clone();
        let same = said.iter().all(|verdict| *verdict == first);
        let nameless = named
            && matches!(
                &first,
                Verdict::Accepted {
                    id: None,
                    number: None,
                    ..
                }
            );
        return if same && !nameless { first } else { Verdict::Absent };
    }
    if refusals.len() < said.len() {
        return Verdict::Absent;
    }
    let mut words: Vec<&str> = Vec::new();
    let mut first_field = None;
    let mut already_there = false;
    for refusal in refusals {
        if let Verdict::Rejected {
            message,
            field,
            exists,
        } = refusal
        {
            if !words.contains(&message.as_str()) {
                words.push(message);
            }
            first_field = first_field.or_else(|| field.clone());
            already_there |= exists;
        }
    }
    Verdict::Rejected {
        message: words.join("; "),
        field: first_field,
        exists: already_there,
    }
}

/// The items of an answer: position in its list, whether it is accepted, and the item. `None` = said to be neither
/// accepted nor refused, or both.
fn listed(lists: &ItemLists, names: &Names) -> Vec<(usize, Option<bool>, Value)> {
    let list = |recipe: &Recipe| -> Vec<Value> {
        let value = recipe.eval(names).ok().and_then(|value| data::take(&value));
        match value {
            Some(Value::List(list)) => list,
            _ => Vec::new(),
        }
    };
    match lists {
        ItemLists::Two { good, bad } => {
            let of = |recipe: &Option<Recipe>, is_good: bool| {
                let items = recipe.as_ref().map(list).unwrap_or_default();
                items
                    .into_iter()
                    .enumerate()
                    .map(move |(position, item)| (position, Some(is_good), item))
            };
            of(good, true).chain(of(bad, false)).collect()
        }
        ItemLists::One {
            all,
            good_when,
            bad_when,
        } => list(all)
            .into_iter()
            .enumerate()
            .map(|(position, item)| {
                let mut names = names.clone();
                names.set("item", data::give(item.clone()));
                let is_good = good_when.holds(&names);
                let is_bad = bad_when.as_ref().map_or(!is_good, |bad| bad.holds(&names));
                (position, (is_good != is_bad).then_some(is_good), item)
            })
            .collect(),
    }
}

/// The record an item is about. An item that does not say is about the only record, if there is only one.
fn index_of(index: &ItemIndex, item: &Value, position: usize, sent: Sent<'_>) -> Option<usize> {
    match index {
        ItemIndex::Position => Some(position),
        ItemIndex::At(path) => match path.get(item).filter(|value| !value.is_empty()) {
            Some(value) => value.to_plain_text()?.trim().parse().ok(),
            None => (sent.n == 1).then_some(0),
        },
        ItemIndex::Key { item: at, record } => {
            let key = plain(at, item)?;
            let records = sent.records.trees();
            let mut same = (0..records.len())
                .filter(|index| plain(record, &records[*index]).is_some_and(|known| known == key));
            let index = same.next()?;
            same.next().is_none().then_some(index)
        }
    }
}

/// The ids of the lines of an accepted item. A recipe that cannot be computed tells none.
fn lines_of(items: &Items, names: &Names, item: &Value) -> Vec<LineList> {
    let Some(recipe) = &items.lines else {
        return Vec::new();
    };
    let mut names = names.clone();
    names.set("item", data::give(item.clone()));
    let told = recipe.eval(&names).ok().and_then(|value| data::take(&value));
    told.map(|told| line_lists(&told, items.line_id.as_ref()))
        .unwrap_or_default()
}

/// A list of lines; the members of a map that are such lists, or maps of ids by what the answer calls a line; single
/// ids in a map of their own.
fn line_lists(told: &Value, id: Option<&Path>) -> Vec<LineList> {
    let id_of = |line: &Value| match id {
        Some(path) => plain(path, line),
        None => line.to_plain_text().filter(|text| !text.trim().is_empty()),
    };
    let of = |name: &str, list: &[Value]| LineList {
        name: name.to_owned(),
        ids: list.iter().map(id_of).collect(),
        keys: None,
    };
    let by_key = |name: &str, lines: &mut dyn Iterator<Item = (&String, &Value)>| {
        let (keys, ids) = lines.map(|(key, line)| (key.clone(), id_of(line))).unzip();
        LineList {
            name: name.to_owned(),
            ids,
            keys: Some(keys),
        }
    };
    match told {
        Value::List(list) => vec![of("", list)],
        Value::Map(members) => {
            let mut lists: Vec<LineList> = members
                .iter()
                .filter_map(|(name, member)| match member {
                    Value::List(list) => Some(of(name, list)),
                    Value::Map(lines) => Some(by_key(name, &mut lines.iter())),
                    _ => None,
                })
                .collect();
            // Where an id stands within a line, a single value is none.
            let is_single = |member: &Value| member.as_list().is_none() && member.as_map().is_none();
            let mut single = members
                .iter()
                .filter(|(_, member)| id.is_none() && is_single(member))
                .peekable();
            if single.peek().is_some() {
                lists.push(by_key("", &mut single));
            }
            lists
        }
        _ => Vec::new(),
    }
}

fn plain(path: &Path, item: &Value) -> Option<String> {
    path.get(item)
        .and_then(Value::to_plain_text)
        .filter(|text| !text.trim().is_empty())
}

fn exists(recipe: Option<&Recipe>, names: &Names, item: minijinja::Value) -> bool {
    recipe.is_some_and(|recipe| {
        let mut names = names.clone();
        names.set("item", item);
        recipe.holds(&names)
    })
}

/// Whether the refusal of a call's only record means that the document is already there: said by the answer itself, or
/// by an item that names no record.
fn refused_as_there(operation: &Operation, names: &Names, body: &Value) -> bool {
    let recipe = operation.exists.as_ref();
    let items = operation.items.as_ref();
    let refused = items.map(|items| listed(&items.lists, names)).unwrap_or_default();
    exists(recipe, names, data::give(body.clone()))
        || refused
            .into_iter()
            .any(|(_, good, item)| good == Some(false) && exists(recipe, names, data::give(item)))
}

fn matches(row: &Row, names: &Names, code: Option<&str>, frame: &Frame<'_>) -> bool {
    match &row.test {
        RowTest::When(recipe) => recipe.holds(names),
        RowTest::AnyCode => code.is_some(),
        RowTest::Code(codes) => code.is_some_and(|code| {
            codes
                .iter()
                .any(|tree| frame.text(tree, "code").ok().flatten().as_deref() == Some(code))
        }),
    }
}

/// What a row says about when calls go on. A recipe that gives no number says nothing.
fn until(row: &Row, names: &Names) -> Option<Until> {
    match row.until.as_ref()? {
        UntilPlace::Midnight => Some(Until::Midnight),
        UntilPlace::At(recipe) => {
            let told = data::take(&recipe.eval(names).ok()?)?.to_plain_text()?;
            told.trim().parse().ok().map(Until::At)
        }
    }
}

/// `Retry-After` of an answer that asks for patience: seconds, or a time measured from the answer's own `Date`.
fn retry_after(class: Class, answer: &HttpAnswer) -> Option<i64> {
    if !matches!(class, Class::Throttled | Class::Transient) {
        return None;
    }
    let text = answer.header("retry-after")?.trim();
    let wait_ms = match text.parse::<i64>() {
        Ok(seconds) => seconds.checked_mul(1000)?,
        Err(_) => {
            let moment = |text: &str| {
                jiff::fmt::rfc2822::parse(text)
                    .ok()
                    .map(|zoned| zoned.timestamp().as_millisecond())
            };
            moment(text)? - moment(answer.header("date")?)?
        }
    };
    Some(wait_ms.clamp(0, WAIT_MAX_MS))
}
