//! Records, and the story of one.

use app::query::Story;
use dsl::Lang;
use flow::op::FromRow;
use ledger::read::{
    AttemptRow, InDocument, MappingRow, MemberRow, QuestionRow, RecordRow, SightingRow, StepRow,
};
use ledger::two_way::TwoWayNote;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AuditDoc, IntervalDoc, Raw, ReasonDoc, list, raw};
use crate::time;

/// A record: a row of a source and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Record)]
pub(crate) struct RecordDoc {
    /// Its number.
    record: i64,
    /// Its scheme.
    scheme: String,
    /// Its key within the scheme: one text per field.
    #[schema(value_type = Vec<String>)]
    key: Option<Raw>,
    /// What people call it.
    label: String,
    /// `pending`, `sending`, `done`, `unknown`, `dead`, `held` or `skipped`.
    state: String,
    /// Version of its current row.
    version: String,
    /// Version that was settled last.
    done_version: Option<String>,
    /// A newer version that waits beside the current one.
    waiting_version: Option<String>,
    /// It means "cancelled".
    void: bool,
    /// Sends of any version.
    sends: u64,
    /// The further call that is next.
    step: Option<String>,
    /// Earliest next send.
    #[schema(format = DateTime)]
    not_before: Option<String>,
    /// Since when it waits for what a look-up has not found.
    #[schema(format = DateTime)]
    waits_since: Option<String>,
    /// Earliest next question to the target.
    #[schema(format = DateTime)]
    resolve_after: Option<String>,
    /// Connection it is written to.
    target: Option<String>,
    /// Kind of document there.
    form: Option<String>,
    /// Internal id there.
    target_id: Option<String>,
    /// Number there.
    number: Option<String>,
    /// Why it is in this state.
    reason: Option<ReasonDoc>,
    /// First sighting.
    #[schema(format = DateTime)]
    first: String,
    /// Newest row stored.
    #[schema(format = DateTime)]
    seen: String,
    /// Last change of state.
    #[schema(format = DateTime)]
    changed: String,
    /// Last settlement.
    #[schema(format = DateTime)]
    done: Option<String>,
    /// What may be decided about it: `retry`, `skip`, `hold`, `resolve`.
    possible: Vec<String>,
}

impl RecordDoc {
    pub(crate) fn of(row: &RecordRow, lang: Lang) -> Self {
        RecordDoc {
            record: row.record.0,
            scheme: row.scheme.clone(),
            key: raw(row.key.as_bytes()),
            label: row.label.clone(),
            state: row.state.word().to_owned(),
            version: row.version.clone(),
            done_version: row.done_version.clone(),
            waiting_version: row.waiting_version.clone(),
            void: row.void,
            sends: row.sends,
            step: row.step.clone(),
            not_before: row.not_before.map(time::text),
            waits_since: row.waits_since.map(time::text),
            resolve_after: row.resolve_after.map(time::text),
            target: row.target.clone(),
            form: row.form.clone(),
            target_id: row.target_id.clone(),
            number: row.number.clone(),
            reason: ReasonDoc::of(row.reason.as_ref(), lang),
            first: time::text(row.first),
            seen: time::text(row.seen),
            changed: time::text(row.changed),
            done: row.done.map(time::text),
            possible: flow::decision::possible(row.state)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        }
    }
}

list! {
    /// Records, newest first.
    RecordList, RecordDoc
}

/// The whole story of a record. Sensitive values are masked as everywhere.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecordStory)]
pub(crate) struct StoryDoc {
    record: RecordDoc,
    /// Its row, as it is stored.
    #[schema(value_type = serde_json::Value)]
    source: Option<Raw>,
    /// The newer row that waits beside it.
    #[schema(value_type = serde_json::Value)]
    waiting: Option<Raw>,
    /// What its scheme keeps beside it since it was written.
    #[schema(value_type = serde_json::Value)]
    saved: Option<Raw>,
    /// The row of another scheme that it is made of.
    from: Option<FromDoc>,
    /// How often it was read; the list may be shorter.
    sightings_total: u64,
    sightings: Vec<SightingDoc>,
    attempts: Vec<AttemptDoc>,
    steps: Vec<StepDoc>,
    /// The document that it is in, with other rows.
    document: Option<BundleDoc>,
    /// How many rows it is made of; the list may be shorter.
    members_total: u64,
    members: Vec<MemberDoc>,
    questions: Vec<QuestionDoc>,
    decisions: Vec<AuditDoc>,
    mappings: Vec<MappingDoc>,
    /// What came back or met, where another scheme carries the same documents the other way.
    two_way: Vec<MetDoc>,
}

impl StoryDoc {
    pub(crate) fn of(story: &Story, lang: Lang) -> Self {
        let life = &story.life;
        StoryDoc {
            record: RecordDoc::of(&life.record, lang),
            source: raw(&life.source),
            waiting: life.waiting.as_deref().and_then(raw),
            saved: life.saved.as_deref().and_then(raw),
            from: life.from.as_ref().map(FromDoc::from),
            sightings_total: life.sightings_total,
            sightings: life.sightings.iter().map(SightingDoc::from).collect(),
            attempts: life
                .attempts
                .iter()
                .map(|row| AttemptDoc::of(row, lang))
                .collect(),
            steps: life.steps.iter().map(StepDoc::from).collect(),
            document: life.document.as_ref().map(BundleDoc::from),
            members_total: life.members_total,
            members: life.members.iter().map(MemberDoc::from).collect(),
            questions: story
                .questions
                .iter()
                .map(|row| QuestionDoc::of(row, lang))
                .collect(),
            decisions: story.decisions.iter().map(AuditDoc::of).collect(),
            mappings: story.mappings.iter().map(MappingDoc::from).collect(),
            two_way: story.two_way.iter().map(MetDoc::from).collect(),
        }
    }
}

/// A row of another scheme.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FromRow)]
pub(crate) struct FromDoc {
    scheme: String,
    /// Its key.
    #[schema(value_type = Vec<String>)]
    key: Option<Raw>,
}

impl From<&FromRow> for FromDoc {
    fn from(from: &FromRow) -> Self {
        FromDoc {
            scheme: from.scheme.clone(),
            key: raw(from.key.as_bytes()),
        }
    }
}

/// A document of several rows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InDocument)]
pub(crate) struct BundleDoc {
    record: i64,
    /// Its key.
    #[schema(value_type = Vec<String>)]
    key: Option<Raw>,
    /// Its identity.
    number: String,
    /// Which document of its group.
    part: u32,
    state: String,
    /// Internal id at the target.
    target_id: Option<String>,
}

impl From<&InDocument> for BundleDoc {
    fn from(document: &InDocument) -> Self {
        BundleDoc {
            record: document.record.0,
            key: raw(document.key.as_bytes()),
            number: document.number.clone(),
            part: document.part,
            state: document.state.word().to_owned(),
            target_id: document.target_id.clone(),
        }
    }
}

/// One of its rows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub(crate) struct MemberDoc {
    /// Its key.
    #[schema(value_type = Vec<String>)]
    key: Option<Raw>,
    label: String,
    state: String,
}

impl From<&MemberRow> for MemberDoc {
    fn from(row: &MemberRow) -> Self {
        MemberDoc {
            key: raw(row.key.as_bytes()),
            label: row.label.clone(),
            state: row.state.word().to_owned(),
        }
    }
}

/// A row of a page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sighting)]
pub(crate) struct SightingDoc {
    run: i64,
    /// What was asked of the source; null where it sent by itself.
    window: Option<IntervalDoc>,
    page: u32,
    version: String,
    outcome: String,
    #[schema(format = DateTime)]
    seen: String,
}

impl From<&SightingRow> for SightingDoc {
    fn from(row: &SightingRow) -> Self {
        SightingDoc {
            run: row.run.0,
            window: row.asked.map(IntervalDoc::from),
            page: row.page,
            version: row.version.clone(),
            outcome: row.outcome.clone(),
            seen: time::text(row.seen),
        }
    }
}

/// One send.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptDoc {
    attempt: i64,
    run: i64,
    target: String,
    action: String,
    step: Option<String>,
    form: String,
    /// Records that were sent together.
    rows: u64,
    version: String,
    #[schema(format = DateTime)]
    sent: String,
    #[schema(format = DateTime)]
    ended: Option<String>,
    task: Option<String>,
    outcome: Option<String>,
    http_status: Option<u16>,
    settlement: Option<String>,
    reason: Option<ReasonDoc>,
    resolution: Option<String>,
    #[schema(format = DateTime)]
    resolved: Option<String>,
    resolution_reason: Option<ReasonDoc>,
    /// The document as it was sent.
    #[schema(value_type = serde_json::Value)]
    payload: Option<Raw>,
    /// The beginning of the answer.
    answer: Option<String>,
    /// What the target calls the call, for a question to its people.
    vendor_trace: Option<String>,
}

impl AttemptDoc {
    pub(crate) fn of(row: &AttemptRow, lang: Lang) -> Self {
        AttemptDoc {
            attempt: row.attempt.0,
            run: row.run.0,
            target: row.target.clone(),
            action: row.action.clone(),
            step: row.step.clone(),
            form: row.form.clone(),
            rows: row.rows,
            version: row.version.clone(),
            sent: time::text(row.sent),
            ended: row.ended.map(time::text),
            task: row.task.clone(),
            outcome: row.outcome.clone(),
            http_status: row.http_status,
            settlement: row.settlement.clone(),
            reason: ReasonDoc::of(row.reason.as_ref(), lang),
            resolution: row.resolution.clone(),
            resolved: row.resolved.map(time::text),
            resolution_reason: ReasonDoc::of(row.resolution_reason.as_ref(), lang),
            payload: row.payload.as_deref().and_then(raw),
            answer: row.excerpt.clone(),
            vendor_trace: row.vendor_trace.clone(),
        }
    }
}

/// A call that was made for a version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub(crate) struct StepDoc {
    step: Option<String>,
    version: String,
    target_id: Option<String>,
    number: Option<String>,
    #[schema(format = DateTime)]
    done: String,
}

impl From<&StepRow> for StepDoc {
    fn from(row: &StepRow) -> Self {
        StepDoc {
            step: row.step.clone(),
            version: row.version.clone(),
            target_id: row.target_id.clone(),
            number: row.number.clone(),
            done: time::text(row.done),
        }
    }
}

/// An answer of the target about a send whose own answer was lost.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Question)]
pub(crate) struct QuestionDoc {
    #[schema(format = DateTime)]
    at: String,
    attempt: Option<i64>,
    answer: String,
    reason: Option<ReasonDoc>,
}

impl QuestionDoc {
    fn of(row: &QuestionRow, lang: Lang) -> Self {
        QuestionDoc {
            at: time::text(row.at),
            attempt: row.attempt.map(|attempt| attempt.0),
            answer: row.answer.clone(),
            reason: ReasonDoc::of(row.reason.as_ref(), lang),
        }
    }
}

/// What came back from the other system, or met what was changed there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TwoWayNote)]
pub(crate) struct MetDoc {
    #[schema(format = DateTime)]
    at: String,
    /// `echo`, `lost`, `won` or `held`.
    what: String,
    version: String,
    /// The scheme of the other direction.
    scheme: String,
    /// The key of its record.
    #[schema(value_type = Vec<String>)]
    key: Option<Raw>,
    /// The run whose write came back.
    run: Option<i64>,
    /// The fields that were news.
    fields: Vec<String>,
    /// The row that lost.
    #[schema(value_type = serde_json::Value)]
    lost: Option<Raw>,
}

impl From<&TwoWayNote> for MetDoc {
    fn from(note: &TwoWayNote) -> Self {
        MetDoc {
            at: time::text(note.at),
            what: note.what.clone(),
            version: note.version.clone(),
            scheme: note.scheme.clone(),
            key: raw(note.key.as_bytes()),
            run: note.run,
            fields: note.fields.clone(),
            lost: note.row.as_deref().and_then(raw),
        }
    }
}

/// A document that a record became.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Mapping)]
pub(crate) struct MappingDoc {
    target: String,
    form: String,
    #[schema(value_type = Option<Vec<String>>)]
    key: Option<Raw>,
    target_id: Option<String>,
    number: Option<String>,
    #[schema(format = DateTime)]
    changed: String,
}

impl From<&MappingRow> for MappingDoc {
    fn from(row: &MappingRow) -> Self {
        MappingDoc {
            target: row.target.clone(),
            form: row.form.clone(),
            key: row.tkey.as_deref().and_then(|key| raw(key.as_bytes())),
            target_id: row.target_id.clone(),
            number: row.number.clone(),
            changed: time::text(row.changed),
        }
    }
}
