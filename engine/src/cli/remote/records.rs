//! Records as a server tells them, and what is decided about them through it.

use std::time::Duration;

use app::AppError;
use app::operate;
use app::query::{self, Story};
use dsl::Value;
use flow::ids::{AttemptId, RecordId, RunId, WindowId};
use flow::op::{AuditNote, FromRow, RecordState};
use ledger::read::{
    AttemptRow, AuditRow, InDocument, MappingRow, MemberRow, QuestionRow, RecordFilter, RecordLife,
    RecordRow, SightingRow, StepRow,
};
use ledger::two_way::TwoWayNote;

use super::{Doc, MOST_PAGES, PAGE, Remote};
use crate::cli::json::object;
use crate::cli::time;

/// Records that one word may mean; the ledger shows no more either.
const MOST_MEANT: usize = 20;
/// How often is looked how far an operation is.
const LOOK: Duration = Duration::from_millis(300);

/// What became of decisions.
pub(crate) struct Decided {
    pub(crate) moved: u64,
    /// The first of those that were left: record, state, why.
    pub(crate) examples: Vec<(RecordId, RecordState, String)>,
}

impl Remote {
    /// Records, newest first, and whether there are more. The limit 0 means all.
    pub(crate) fn records(&self, filter: &RecordFilter) -> Result<(Vec<RecordRow>, bool), AppError> {
        let mut query: Vec<(&str, String)> = Vec::new();
        let mut add = |name, value: Option<String>| query.extend(value.map(|value| (name, value)));
        add("scheme", filter.scheme.clone());
        add("state", filter.state.map(|state| state.word().to_owned()));
        add("key", filter.key.clone());
        add("error", filter.error.clone());
        add("since", filter.since.map(time::rfc3339));
        add("run", filter.run.map(|run| run.0.to_string()));
        let most = match filter.limit {
            0 => MOST_PAGES * PAGE as usize,
            limit => limit as usize,
        };
        let (items, more) = self.list("/records", &query, most)?;
        if items.is_empty() {
            self.knows(filter.scheme.as_deref())?;
        }
        let rows: Result<Vec<RecordRow>, AppError> =
            items.iter().map(|item| record(self.doc(item))).collect();
        Ok((rows?, more))
    }

    /// Refuses the name of a scheme that the server does not know: a slip must not look like "nothing found".
    pub(crate) fn knows(&self, scheme: Option<&str>) -> Result<(), AppError> {
        match scheme {
            Some(scheme) => {
                let path = format!("/schemes/{}", super::escaped(scheme));
                self.get(&path, &[]).map(|_| ())
            }
            None => Ok(()),
        }
    }

    /// The records that a word means: those with this key, else those with this label, number or id.
    fn meant_by(&self, scheme: Option<&str>, key: &str) -> Result<Vec<RecordRow>, AppError> {
        let filter = RecordFilter {
            scheme: scheme.map(str::to_owned),
            key: Some(key.to_owned()),
            limit: u32::try_from(MOST_MEANT).unwrap_or(u32::MAX),
            ..RecordFilter::default()
        };
        let (mut rows, _) = self.records(&filter)?;
        let has_key = |row: &RecordRow| row.key == key || row.key == one_key(key);
        if rows.iter().any(has_key) {
            rows.retain(has_key);
        }
        if rows.is_empty() {
            return Err(query::nobody(scheme, key));
        }
        Ok(rows)
    }

    /// The one record that a word means.
    pub(crate) fn one(&self, scheme: Option<&str>, key: &str) -> Result<RecordRow, AppError> {
        operate::only(self.meant_by(scheme, key)?, key)
    }

    /// The stories of the records that a word means.
    pub(crate) fn stories(&self, scheme: Option<&str>, key: &str) -> Result<Vec<Story>, AppError> {
        let rows = self.meant_by(scheme, key)?.into_iter();
        rows.map(|row| {
            let body = self.get(&format!("/records/{}", row.record.0), &[])?;
            story(self.doc(&body))
        })
        .collect()
    }

    /// One record by its number.
    pub(crate) fn record(&self, id: RecordId) -> Result<RecordRow, AppError> {
        let body = self.get(&format!("/records/{}", id.0), &[])?;
        record(self.doc(&body).doc("record")?)
    }

    /// Decides about records as they were seen, and waits until that is done.
    pub(crate) fn decide(
        &self,
        action: &str,
        rows: &[RecordRow],
        reason: &str,
        more: Vec<(&str, Value)>,
    ) -> Result<Decided, AppError> {
        let ids = rows.iter().map(|row| Value::from(row.record.0)).collect();
        let seen = rows.iter().map(|row| (row.record.0.to_string(), seen(row)));
        let mut body = dsl::Map::new();
        body.insert("ids".to_owned(), Value::List(ids));
        body.insert("seen".to_owned(), Value::Map(seen.collect()));
        body.insert("reason".to_owned(), Value::from(reason));
        body.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let path = format!("/records/actions/{action}");
        let mut answer = self.post(&path, Some(&Value::Map(body)))?;
        // Bounded by the operation itself: the server carries it out part by part and then says so; a server that ends
        // before that does not answer.
        while self.doc(&answer).text("state")? == "running" {
            self.sleep(LOOK);
            let id = self.doc(&answer).number("id")?;
            answer = self.get(&format!("/operations/{id}"), &[])?;
        }
        self.decided(self.doc(&answer))
    }

    /// Waits.
    pub(super) fn sleep(&self, time: Duration) {
        self.runtime.block_on(tokio::time::sleep(time));
    }

    fn decided(&self, doc: Doc<'_>) -> Result<Decided, AppError> {
        if doc.text("state")? == "failed" {
            let code = doc.text_or_none("code")?.unwrap_or_default();
            return Err(AppError::Answered(Box::new(app::Answered {
                status: 503,
                title: super::worded(&code, self.lang),
                code,
                ..app::Answered::default()
            })));
        }
        let mut examples = Vec::new();
        for one in doc.docs("examples")? {
            examples.push((
                RecordId(one.number("record")?),
                state(&one, "state")?,
                one.text("why")?,
            ));
        }
        Ok(Decided {
            moved: doc.count("moved")?,
            examples,
        })
    }
}

/// A key of one part as the ledger writes it.
fn one_key(key: &str) -> String {
    dsl::json::to_string(&Value::List(vec![Value::from(key)]))
}

fn state(doc: &Doc<'_>, name: &str) -> Result<RecordState, AppError> {
    RecordState::from_word(&doc.text(name)?).ok_or_else(|| doc.odd(name))
}

fn bytes(value: &Value) -> Vec<u8> {
    dsl::json::to_string(value).into_bytes()
}

fn bytes_or_none(doc: &Doc<'_>, name: &str) -> Option<Vec<u8>> {
    let value = doc.value(name);
    (!value.is_null()).then(|| bytes(&value))
}

/// The key of a record: JSON, or a text where it was none.
fn key(doc: &Doc<'_>, name: &str) -> Option<String> {
    match doc.value(name) {
        Value::Null => None,
        Value::Text(text) => Some(text),
        value => Some(dsl::json::to_string(&value)),
    }
}

/// What people see of a record. What only the engine works with is not told by a server.
pub(super) fn record(doc: Doc<'_>) -> Result<RecordRow, AppError> {
    Ok(RecordRow {
        record: RecordId(doc.number("record")?),
        scheme: doc.text("scheme")?,
        key: key(&doc, "key").unwrap_or_default(),
        label: doc.text("label")?,
        state: state(&doc, "state")?,
        version: doc.text("version")?,
        done_version: doc.text_or_none("done_version")?,
        waiting_version: doc.text_or_none("waiting_version")?,
        void: doc.is("void")?,
        action: None,
        attempts: 0,
        sends: doc.count("sends")?,
        not_before: doc.at_or_none("not_before")?,
        resolve_after: doc.at_or_none("resolve_after")?,
        target: doc.text_or_none("target")?,
        form: doc.text_or_none("form")?,
        tkey: None,
        target_id: doc.text_or_none("target_id")?,
        number: doc.text_or_none("number")?,
        reason: doc.reason("reason")?,
        first: doc.at("first")?,
        seen: doc.at("seen")?,
        changed: doc.at("changed")?,
        done: doc.at_or_none("done")?,
        waits_since: doc.at_or_none("waits_since")?,
        step: doc.text_or_none("step")?,
        maybe_sent: false,
        suspect: false,
        attempt: None,
        as_stored: None,
    })
}

fn all<T>(
    doc: &Doc<'_>,
    name: &str,
    read: impl Fn(Doc<'_>) -> Result<T, AppError>,
) -> Result<Vec<T>, AppError> {
    doc.docs(name)?.into_iter().map(read).collect()
}

fn story(doc: Doc<'_>) -> Result<Story, AppError> {
    Ok(Story {
        life: RecordLife {
            record: record(doc.doc("record")?)?,
            source: bytes(&doc.value("source")),
            waiting: bytes_or_none(&doc, "waiting"),
            saved: bytes_or_none(&doc, "saved"),
            from: doc.doc_or_none("from").map(from).transpose()?,
            sightings: all(&doc, "sightings", sighting)?,
            sightings_total: doc.count("sightings_total")?,
            attempts: all(&doc, "attempts", attempt)?,
            steps: all(&doc, "steps", step)?,
            document: doc.doc_or_none("document").map(bundle).transpose()?,
            members: all(&doc, "members", bundled)?,
            members_total: doc.count("members_total")?,
        },
        questions: all(&doc, "questions", question)?,
        decisions: all(&doc, "decisions", audit)?,
        mappings: all(&doc, "mappings", mapping)?,
        two_way: all(&doc, "two_way", met)?,
    })
}

fn from(doc: Doc<'_>) -> Result<FromRow, AppError> {
    Ok(FromRow {
        scheme: doc.text("scheme")?,
        key: key(&doc, "key").unwrap_or_default(),
    })
}

fn sighting(doc: Doc<'_>) -> Result<SightingRow, AppError> {
    Ok(SightingRow {
        run: RunId(doc.number("run")?),
        window: WindowId(0),
        asked: doc
            .doc_or_none("window")
            .map(|window| window.interval())
            .transpose()?,
        page: doc.count("page")?,
        version: doc.text("version")?,
        outcome: doc.text("outcome")?,
        seen: doc.at("seen")?,
    })
}

fn attempt(doc: Doc<'_>) -> Result<AttemptRow, AppError> {
    Ok(AttemptRow {
        attempt: AttemptId(doc.number("attempt")?),
        run: RunId(doc.number("run")?),
        target: doc.text("target")?,
        rows: doc.count("rows")?,
        version: doc.text("version")?,
        step: doc.text_or_none("step")?,
        action: doc.text("action")?,
        form: doc.text("form")?,
        tkey: String::new(),
        payload: bytes_or_none(&doc, "payload"),
        sent: doc.at("sent")?,
        ended: doc.at_or_none("ended")?,
        outcome: doc.text_or_none("outcome")?,
        http_status: doc
            .number_or_none("http_status")?
            .map(|_| doc.count("http_status"))
            .transpose()?,
        excerpt: doc.text_or_none("answer")?,
        vendor_trace: doc.text_or_none("vendor_trace")?,
        task: doc.text_or_none("task")?,
        settlement: doc.text_or_none("settlement")?,
        reason: doc.reason("reason")?,
        resolution: doc.text_or_none("resolution")?,
        resolved: doc.at_or_none("resolved")?,
        resolution_reason: doc.reason("resolution_reason")?,
    })
}

fn bundle(doc: Doc<'_>) -> Result<InDocument, AppError> {
    Ok(InDocument {
        record: RecordId(doc.number("record")?),
        key: key(&doc, "key").unwrap_or_default(),
        number: doc.text("number")?,
        part: doc.count("part")?,
        state: state(&doc, "state")?,
        target_id: doc.text_or_none("target_id")?,
    })
}

fn bundled(doc: Doc<'_>) -> Result<MemberRow, AppError> {
    Ok(MemberRow {
        key: key(&doc, "key").unwrap_or_default(),
        label: doc.text("label")?,
        state: state(&doc, "state")?,
    })
}

fn step(doc: Doc<'_>) -> Result<StepRow, AppError> {
    Ok(StepRow {
        step: doc.text_or_none("step")?,
        version: doc.text("version")?,
        target_id: doc.text_or_none("target_id")?,
        number: doc.text_or_none("number")?,
        done: doc.at("done")?,
    })
}

fn question(doc: Doc<'_>) -> Result<QuestionRow, AppError> {
    Ok(QuestionRow {
        at: doc.at("at")?,
        attempt: doc.number_or_none("attempt")?.map(AttemptId),
        answer: doc.text("answer")?,
        reason: doc.reason("reason")?,
    })
}

fn met(doc: Doc<'_>) -> Result<TwoWayNote, AppError> {
    let fields = doc.value("fields");
    let fields = fields.as_list().unwrap_or_default().iter();
    Ok(TwoWayNote {
        at: doc.at("at")?,
        what: doc.text("what")?,
        version: doc.text("version")?,
        partner: RecordId(0),
        scheme: doc.text("scheme")?,
        key: key(&doc, "key").unwrap_or_default(),
        partner_version: String::new(),
        attempt: None,
        run: doc.number_or_none("run")?,
        fields: fields.filter_map(Value::to_plain_text).collect(),
        row: bytes_or_none(&doc, "lost"),
    })
}

fn mapping(doc: Doc<'_>) -> Result<MappingRow, AppError> {
    Ok(MappingRow {
        target: doc.text("target")?,
        form: doc.text("form")?,
        tkey: key(&doc, "key"),
        target_id: doc.text_or_none("target_id")?,
        number: doc.text_or_none("number")?,
        changed: doc.at("changed")?,
    })
}

/// A note of who decided what.
pub(super) fn audit(doc: Doc<'_>) -> Result<AuditRow, AppError> {
    Ok(AuditRow {
        id: doc.number("id")?,
        at: doc.at("at")?,
        note: AuditNote {
            who: doc.text("who")?,
            action: doc.text("action")?,
            scheme: doc.text_or_none("scheme")?,
            record: doc.number_or_none("record")?.map(RecordId),
            what: doc.text("what")?,
            reason: doc.text("reason")?,
        },
        key: key(&doc, "key"),
    })
}

/// What a decision is held against: a record that is not so any more is left as it is.
fn seen(row: &RecordRow) -> Value {
    object! {"state" => row.state.word(), "version" => row.version, "sends" => row.sends}
}

/// The document that a record became, for a decision.
pub(crate) fn done_as(id: &str, number: Option<&str>) -> Value {
    object! {"id" => id, "number" => number}
}
