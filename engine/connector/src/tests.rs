//! The tests that travel with a connector file.
//!
//! A test hands an answer to the connector and compares what it makes of it, or has a request signed and compares its
//! headers. No network, no clock: the instant stands in the test.

use std::fmt::Display;
use std::sync::Arc;

use dsl::facts::Text2;
use dsl::{Failure, Lang, Map, Value};

use crate::answer::HttpAnswer;
use crate::connection::Connection;
use crate::connections::made_up;
use crate::judge::{Sent, Until, Verdict};
use crate::login::{LoggingIn, Session};
use crate::model::{Class, Connector, Encode};
use crate::receive::{Inbound, Pushed, Received, Refusal};
use crate::request::{Call, PageState, form_text};
use crate::sign::HttpRequest;

/// One test of a file.
#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) operation: Option<String>,
    /// How many, and the documents where the test says them.
    pub(crate) records: (usize, Vec<Value>),
    pub(crate) params: Map,
    pub(crate) options: Map,
    pub(crate) fields: Vec<String>,
    pub(crate) call: Option<CallTest>,
    pub(crate) answer: Option<HttpAnswer>,
    pub(crate) push: Option<(Inbound, i64)>,
    pub(crate) sign: Option<SignTest>,
    pub(crate) expect: Expect,
}

/// A call that is made of `operation`, `options` and `records`.
#[derive(Debug)]
pub(crate) struct CallTest {
    pub(crate) now_s: i64,
    pub(crate) window: Option<(i64, i64)>,
    pub(crate) page: PageState,
    /// What a login took.
    pub(crate) auth: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct SignTest {
    pub(crate) mode: Option<String>,
    pub(crate) now_s: i64,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// A form as body; it comes before `body`.
    pub(crate) form: Vec<(String, String)>,
    pub(crate) body: String,
    /// Which call of a login is meant, from 1.
    pub(crate) step: Option<usize>,
    /// What a login took; without it the login itself is signed, where there is one.
    pub(crate) auth: Option<Vec<(String, String)>>,
    pub(crate) params: Map,
}

#[derive(Debug, Default)]
pub(crate) struct Expect {
    pub(crate) items: Option<Vec<Value>>,
    pub(crate) rows: Option<Vec<Value>>,
    pub(crate) class: Option<Class>,
    pub(crate) refused: Option<Refusal>,
    pub(crate) void: Option<bool>,
    pub(crate) id: Option<String>,
    pub(crate) reply: Option<Value>,
    pub(crate) message: Option<String>,
    pub(crate) until: Option<String>,
    pub(crate) trace: Option<String>,
    pub(crate) body: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) headers: Pairs,
    pub(crate) headers_not: Pairs,
    pub(crate) query: Pairs,
    pub(crate) query_not: Pairs,
    pub(crate) form: Pairs,
    pub(crate) form_not: Pairs,
}

/// Names and values.
type Pairs = Vec<(String, String)>;

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestOutcome {
    /// Its name.
    pub name: String,
    /// What was not as expected; empty when it passed.
    pub problems: Vec<Text2>,
}

impl TestOutcome {
    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Runs every test of a connector file.
pub fn run(connector: &Arc<Connector>) -> Vec<TestOutcome> {
    connector
        .tests
        .iter()
        .map(|test| {
            let mut problems = Vec::new();
            if let Err(failure) = run_one(connector, test, &mut problems) {
                let words = |lang| format!("{}: {}", failure.code(), failure.message(lang));
                problems.push(Text2 {
                    zh: words(Lang::Zh),
                    en: words(Lang::En),
                });
            }
            TestOutcome {
                name: test.name.clone(),
                problems,
            }
        })
        .collect()
}

/// A header or a field that is not there.
const NOTHING: &str = "∅";

/// A member of `expect` that something else was found for.
fn other(what: &str, found: impl Display, wanted: impl Display) -> Text2 {
    Text2 {
        zh: format!("{what}:得到 {found},期望 {wanted}"),
        en: format!("{what}: {found}, expected {wanted}"),
    }
}

fn run_one(connector: &Arc<Connector>, test: &Test, problems: &mut Vec<Text2>) -> Result<(), Failure> {
    if let Some(call) = &test.call {
        let connection = made_up(connector, &test.params)?;
        called(&connection, test, call, problems)?;
    }
    if let Some(answer) = &test.answer {
        let connection = made_up(connector, &test.params)?;
        judged(&connection, test, answer, problems)?;
    }
    if let Some((push, now_ms)) = &test.push {
        let connection = made_up(connector, &test.params)?;
        pushed(&connection, test, push, *now_ms, problems)?;
    }
    if let Some(sign) = &test.sign {
        let mut params = test.params.clone();
        params.extend(sign.params.clone());
        if let (Some(mode), Some(choose)) = (&sign.mode, &connector.choose) {
            params.insert(choose.clone(), Value::from(mode.as_str()));
        }
        let connection = made_up(connector, &params)?;
        signed(&connection, sign, &test.expect, problems)?;
    }
    Ok(())
}

/// Bytes that every test draws.
const ENTROPY: [u8; 16] = [7; 16];

fn called(
    connection: &Connection,
    test: &Test,
    made: &CallTest,
    problems: &mut Vec<Text2>,
) -> Result<(), Failure> {
    let at_ms = made.now_s.saturating_mul(1000);
    let operation = test.operation.as_deref().unwrap_or_default();
    let records = &test.records.1;
    let call = Call {
        records: (!records.is_empty()).then(|| records.clone().into()),
        window: made.window,
        page: Some(made.page.clone()),
        ..Call::new(operation, &test.options, at_ms)
    };
    let prepared = connection.prepare(&call)?;
    let session = Session::of(&made.auth);
    let request = connection.sign(&prepared, Some(&session), at_ms, ENTROPY)?;
    compare(&request, &test.expect, problems);
    Ok(())
}

fn pushed(
    connection: &Connection,
    test: &Test,
    push: &Inbound,
    now_ms: i64,
    problems: &mut Vec<Text2>,
) -> Result<(), Failure> {
    let operation = test.operation.as_deref().unwrap_or_default();
    let received = connection.receive(operation, push, now_ms)?;
    let reply = connection.reply(operation, &received)?;
    let expect = &test.expect;
    let word = |refusal: Option<Refusal>| refusal.map_or(NOTHING, Refusal::name);
    let (refused, pushed) = match received {
        Received::Refused(refusal) => (Some(refusal), Pushed::default()),
        Received::Accepted(pushed) => (None, pushed),
    };
    if refused != expect.refused {
        problems.push(other("refused", word(refused), word(expect.refused)));
    }
    if let Some(void) = expect.void.filter(|void| *void != pushed.void) {
        problems.push(other("void", pushed.void, void));
    }
    if let Some(id) = expect.id.as_ref().filter(|id| Some(*id) != pushed.id.as_ref()) {
        problems.push(other("id", pushed.id.as_deref().unwrap_or(NOTHING), id));
    }
    let text = |rows: &[Value]| dsl::json::to_string(&Value::List(rows.to_vec()));
    if let Some(rows) = expect.rows.as_ref().filter(|rows| **rows != pushed.rows) {
        problems.push(other("rows", text(&pushed.rows), text(rows)));
    }
    if let Some(wanted) = &expect.reply {
        let found = String::from_utf8_lossy(&reply.body);
        let wanted = match wanted {
            Value::Text(text) => text.clone(),
            value => dsl::json::to_string(value),
        };
        if found != wanted {
            problems.push(other("reply", found, wanted));
        }
    }
    Ok(())
}

fn judged(
    connection: &Connection,
    test: &Test,
    answer: &HttpAnswer,
    problems: &mut Vec<Text2>,
) -> Result<(), Failure> {
    let operation = test.operation.as_deref().unwrap_or_default();
    let (n, records) = &test.records;
    let records = &records.clone().into();
    let sent = Sent { n: *n, records };
    let mut judged = connection.judge_sent(operation, &test.options, sent, answer);
    let expect = &test.expect;
    if let Some(class) = expect.class.filter(|class| *class != judged.class) {
        problems.push(other("class", judged.class.name(), class.name()));
    }
    if let Some(message) = expect
        .message
        .as_ref()
        .filter(|message| **message != judged.message)
    {
        problems.push(other("message", &judged.message, message));
    }
    if let Some(until) = &expect.until {
        let found = match judged.until {
            Some(Until::Midnight) => "midnight".to_owned(),
            Some(Until::At(at_ms)) => at_ms.to_string(),
            None => NOTHING.to_owned(),
        };
        if found != *until {
            problems.push(other("until", found, until));
        }
    }
    if expect.trace.is_some() && expect.trace != judged.trace {
        let words = |trace: &Option<String>| trace.clone().unwrap_or_else(|| NOTHING.to_owned());
        problems.push(other("trace", words(&judged.trace), words(&expect.trace)));
    }
    if let Some(items) = &expect.items {
        if items.len() != judged.verdicts.len() {
            problems.push(other("items", judged.verdicts.len(), items.len()));
        }
        for (index, (item, verdict)) in items.iter().zip(&judged.verdicts).enumerate() {
            problems.extend(differs(index, item, verdict));
        }
    }
    if let Some(rows) = &expect.rows {
        let fields: Vec<(String, String)> = test
            .fields
            .iter()
            .map(|name| (name.clone(), name.clone()))
            .collect();
        let call = Call {
            fields: Some(&fields),
            ..Call::new(operation, &test.options, 0)
        };
        let found = connection
            .rows_judged(operation, &call, answer, &mut judged)?
            .rows;
        if found != *rows {
            let text = |rows: &[Value]| dsl::json::to_string(&Value::List(rows.to_vec()));
            problems.push(other("rows", text(&found), text(rows)));
        }
    }
    Ok(())
}

/// What a verdict has other than an expected item says: `ok: true` or `false`, `unknown: true`, and members of the
/// verdict.
fn differs(index: usize, item: &Value, verdict: &Verdict) -> Option<Text2> {
    let mut found = Map::new();
    match verdict {
        Verdict::Accepted { id, number, lines } => {
            found.insert("ok".into(), true.into());
            found.extend(id.as_deref().map(|id| ("id".to_owned(), Value::from(id))));
            found.extend(
                number
                    .as_deref()
                    .map(|number| ("number".to_owned(), Value::from(number))),
            );
            let lists = lines.iter().map(|list| {
                let mut ids = list
                    .ids
                    .iter()
                    .map(|id| id.as_deref().map_or(Value::Null, Value::from));
                let told = match &list.keys {
                    None => Value::List(ids.collect()),
                    Some(keys) => Value::Map(keys.iter().cloned().zip(&mut ids).collect()),
                };
                (list.name.clone(), told)
            });
            found.insert("lines".into(), Value::Map(lists.collect()));
        }
        Verdict::Rejected {
            message,
            field,
            exists,
        } => {
            found.insert("ok".into(), false.into());
            found.insert("message".into(), message.as_str().into());
            found.extend(
                field
                    .as_deref()
                    .map(|field| ("field".to_owned(), Value::from(field))),
            );
            found.insert("exists".into(), (*exists).into());
        }
        Verdict::Absent => {
            found.insert("unknown".into(), true.into());
        }
    }
    let wrong = item
        .as_map()?
        .iter()
        .find(|(name, value)| found.get(name.as_str()) != Some(value));
    wrong.map(|(name, value)| {
        let found = dsl::json::to_string(&Value::Map(found.clone()));
        other(
            &format!("items[{index}].{name}"),
            found,
            dsl::json::to_string(value),
        )
    })
}

fn signed(
    connection: &Connection,
    test: &SignTest,
    expect: &Expect,
    problems: &mut Vec<Text2>,
) -> Result<(), Failure> {
    let at_ms = test.now_s.saturating_mul(1000);
    let entropy = ENTROPY;
    let taken = test.auth.as_deref().unwrap_or_default();
    let session = test.auth.as_ref().map(|taken| Session::of(taken));
    let login = match (test.step, &session) {
        (None, Some(_)) => None,
        (step, _) => {
            let under_way = LoggingIn::at(step.map_or(0, |step| step - 1), taken);
            connection.login_request(&under_way, at_ms, entropy)?
        }
    };
    let request = match login {
        Some(request) => request,
        None => {
            let mut prepared = connection.request(&test.method, "", Encode::None, None)?;
            prepared.path = test.path.clone();
            prepared.query = test.query.clone();
            prepared.form = test.form.clone();
            prepared.body = match test.form.is_empty() {
                true => test.body.as_bytes().to_vec(),
                false => form_text(&test.form).into_bytes(),
            };
            connection.sign(&prepared, session.as_ref(), at_ms, entropy)?
        }
    };
    compare(&request, expect, problems);
    Ok(())
}

/// What a request has other than is expected.
fn compare(request: &HttpRequest, expect: &Expect, problems: &mut Vec<Text2>) {
    // Only names of headers are read without their case.
    for (place, found, wanted, other_than) in [
        ("", &request.headers, &expect.headers, &expect.headers_not),
        ("query.", &request.query, &expect.query, &expect.query_not),
        ("form.", &request.form, &expect.form, &expect.form_not),
    ] {
        let value = |name: &str| {
            let same = |known: &str| match place {
                "" => known.eq_ignore_ascii_case(name),
                _ => known == name,
            };
            let pair = found.iter().find(|(known, _)| same(known));
            pair.map(|(_, value)| value.as_str())
        };
        for (name, wanted) in wanted {
            if value(name) != Some(wanted) {
                let found = value(name).unwrap_or(NOTHING);
                problems.push(other(&format!("{place}{name}"), found, wanted));
            }
        }
        for (name, unwanted) in other_than {
            if value(name).is_none_or(|found| found == unwanted) {
                let found = value(name).unwrap_or(NOTHING);
                problems.push(Text2 {
                    zh: format!("{place}{name}:得到 {found},应当是别的值"),
                    en: format!("{place}{name}: {found}, expected another"),
                });
            }
        }
    }
    if let Some(url) = expect.url.as_ref().filter(|url| **url != request.url) {
        problems.push(other("url", &request.url, url));
    }
    if let Some(body) = &expect.body
        && request.body != body.as_bytes()
    {
        problems.push(other("body", String::from_utf8_lossy(&request.body), body));
    }
}
