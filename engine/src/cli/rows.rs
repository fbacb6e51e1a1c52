//! `engine rows`: what became of single records.

use app::query::{self, Moment, Story};
use app::{AppError, sentence_of};
use dsl::{Lang, Value};
use flow::ids::RunId;
use flow::op::{Reason, RecordState};
use ledger::read::{
    AttemptRow, AuditRow, InDocument, MappingRow, MemberRow, QuestionRow, RecordFilter, RecordLife,
    RecordRow, SightingRow, StepRow,
};
use ledger::two_way::TwoWayNote;

use super::Done;
use super::args::{Global, LedgerArgs, RecordArgs, RowPart, RowsListArgs, RowsShowArgs};
use super::env::Environment;
use super::json::{object, stored};
use super::ledgers;
use super::out::Out;
use super::remote::Remote;
use super::run::grouped;
use super::table::{Table, cut, one_line};
use super::time;

/// Cells of an answer in a life; the whole is shown by `--show answer`.
const ANSWER: usize = 160;
/// Cells of a name in a list; the whole is in `rows show`.
const NAME: usize = 28;

/// `engine rows list`
pub(crate) fn list(args: RowsListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let filter = filter(&args.records, args.limit)?;
    let local = [("--sandbox", args.ledger.is_simulated())];
    let remote = Remote::meant(&local, global, out, environment)?;
    if let Some(code) = &filter.error
        && dsl::catalogue::find(&code.to_ascii_uppercase()).is_none()
    {
        out.note("rows-no-code", &[("code", code.clone())]);
    }
    let (rows, more) = match remote {
        Some(remote) => remote.records(&filter)?,
        None => {
            let reader = ledgers::open(&args.ledger, global, environment)?;
            ledgers::known(&reader, filter.scheme.as_deref())?;
            query::rows(&reader, &filter)?
        }
    };
    if out.json {
        let rows: Vec<Value> = rows.iter().map(|row| record(row, out.lang)).collect();
        out.document(&object! {"schema" => "engine.rows-list/1", "rows" => rows, "more" => more});
        return Ok(0);
    }
    if rows.is_empty() {
        out.say("rows-none", &[]);
        return Ok(0);
    }
    let head = [
        "column-state",
        "column-key",
        "column-name",
        "column-scheme",
        "column-changed",
        "column-reason",
    ];
    let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
    for row in &rows {
        let reason = row
            .reason
            .as_ref()
            .map(|reason| coded(reason, out.lang))
            .unwrap_or_default();
        table.row(vec![
            out.state(row.state),
            cut(&one_line(&query::key_text(&row.key)), NAME),
            cut(&one_line(&row.label), NAME),
            row.scheme.clone(),
            time::shown(row.changed),
            one_line(&reason),
        ]);
    }
    out.table(&table);
    if more {
        out.note("rows-more", &[("limit", args.limit.to_string())]);
    }
    Ok(0)
}

/// `engine rows show`
pub(crate) fn show(args: RowsShowArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let ledger = LedgerArgs::from(&args.simulated);
    let local = [("--sandbox", ledger.is_simulated()), ("--curl", args.curl)];
    let lives = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => remote.stories(args.scheme.as_deref(), &args.key)?,
        None => {
            let reader = ledgers::open(&ledger, global, environment)?;
            ledgers::known(&reader, args.scheme.as_deref())?;
            if args.curl {
                let row = app::operate::one(&reader, args.scheme.as_deref(), &args.key)?;
                return super::curl::curl(&args, row, global, out, environment);
            }
            query::stories(&reader, args.scheme.as_deref(), &args.key)?
        }
    };
    if out.json {
        let rows: Vec<Value> = lives
            .iter()
            .map(|story| story_document(story, out.lang))
            .collect();
        out.document(&object! {"schema" => "engine.rows-show/1", "rows" => rows});
        return Ok(0);
    }
    if let Some(part) = args.show {
        for story in &lives {
            out.line(part_of(&story.life, part).unwrap_or_else(|| out.text("part-none", &[])));
        }
        return Ok(0);
    }
    for (nth, story) in lives.iter().enumerate() {
        if nth > 0 {
            out.line("");
        }
        tell(story, out);
    }
    Ok(0)
}

/// The records that the flags mean.
pub(crate) fn filter(args: &RecordArgs, limit: u32) -> Result<RecordFilter, AppError> {
    Ok(RecordFilter {
        scheme: args.scheme.clone(),
        state: args.state.as_deref().map(state).transpose()?,
        key: args.key.clone(),
        error: args.error.clone(),
        since: args.since.as_deref().map(time::instant).transpose()?,
        run: args.run.map(RunId),
        documents: false,
        before: None,
        limit,
    })
}

fn state(word: &str) -> Result<RecordState, AppError> {
    RecordState::from_word(word).ok_or_else(|| {
        let all = RecordState::ALL.map(RecordState::word);
        AppError::wrong_use(
            format!("没有状态 `{word}`;可用:{}", all.join("、")),
            format!("there is no state `{word}`; there are {}", all.join(", ")),
        )
    })
}

fn part_of(life: &RecordLife, part: RowPart) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let newest = life.attempts.last();
    match part {
        RowPart::Source => Some(text(&life.source)),
        RowPart::Payload => newest?.payload.as_deref().map(text),
        RowPart::Answer => newest?.excerpt.clone(),
    }
}

/// Code and sentence of a stored reason.
pub(crate) fn coded(reason: &Reason, lang: Lang) -> String {
    format!("{} {}", reason.code, sentence_of(reason, lang))
        .trim_end()
        .to_owned()
}

fn tell(story: &Story, out: &Out) {
    let life = &story.life;
    let row = &life.record;
    let mut head = format!(
        "{}  {}",
        one_line(&query::key_text(&row.key)),
        out.state(row.state)
    );
    if !row.label.is_empty() && row.label != query::key_text(&row.key) {
        head.push_str(&format!("  {}", one_line(&row.label)));
    }
    out.line(head);
    out.say_in(
        "row-facts",
        &[("scheme", row.scheme.clone()), ("attempts", grouped(row.sends))],
    );
    if let Some(id) = &row.target_id {
        let number = row.number.clone().unwrap_or_else(|| "-".to_owned());
        let form = row.form.clone().unwrap_or_default();
        out.say_in(
            "row-target",
            &[("form", form), ("id", id.clone()), ("number", number)],
        );
    }
    if let Some(reason) = &row.reason {
        out.say_in("row-reason", &[("reason", coded(reason, out.lang))]);
    }
    say_next(row, out);
    if let Some(waiting) = &row.waiting_version {
        out.say_in("row-waiting", &[("version", short(waiting))]);
    }
    if row.as_stored.is_some() {
        out.say_in("row-as-stored", &[]);
    }
    for mapping in story.mappings.iter().filter(|one| one.target_id != row.target_id) {
        out.say_in(
            "row-mapping",
            &[
                ("target", mapping.target.clone()),
                ("form", mapping.form.clone()),
                ("id", mapping.target_id.clone().unwrap_or_else(|| "-".to_owned())),
                ("number", mapping.number.clone().unwrap_or_else(|| "-".to_owned())),
            ],
        );
    }
    if let Some(from) = &life.from {
        let facts = [
            ("scheme", from.scheme.clone()),
            ("key", one_line(&query::key_text(&from.key))),
        ];
        out.say_in("row-from", &facts);
    }
    tell_bundle(life, out);
    for step in &life.steps {
        let name = step
            .step
            .clone()
            .unwrap_or_else(|| out.text("step-document", &[]));
        let made = step.number.clone().or_else(|| step.target_id.clone());
        let facts = [
            ("step", name),
            ("made", one_line(&made.unwrap_or_else(|| "-".to_owned()))),
            ("version", short(&step.version)),
            ("at", time::shown(step.done)),
        ];
        out.say_in("row-step-made", &facts);
    }
    if let Some(step) = &row.step {
        out.say_in("row-step-next", &[("step", step.clone())]);
    }
    if let Some(saved) = &life.saved {
        let saved = String::from_utf8_lossy(saved).into_owned();
        out.say_in("row-saved", &[("saved", one_line(&saved))]);
    }
    let shown = u64::try_from(life.sightings.len()).unwrap_or(0);
    if shown < life.sightings_total {
        let facts = [
            ("shown", grouped(shown)),
            ("total", grouped(life.sightings_total)),
        ];
        out.say_in("row-cut", &facts);
    }
    for (at, moment) in query::moments(story) {
        out.line(format!("{}  {}", time::shown(at), what(&moment, out)));
    }
}

/// The document of a row that is one of several, and the rows of such a document.
fn tell_bundle(life: &RecordLife, out: &Out) {
    if let Some(document) = &life.document {
        let facts = [
            ("number", one_line(&document.number)),
            ("part", document.part.to_string()),
            ("state", out.state(document.state)),
            ("id", document.target_id.clone().unwrap_or_else(|| "-".to_owned())),
        ];
        out.say_in("row-document", &facts);
    }
    if life.members_total > 0 {
        out.say_in("row-members", &[("count", grouped(life.members_total))]);
    }
    for member in &life.members {
        let facts = [
            ("key", one_line(&query::key_text(&member.key))),
            ("state", out.state(member.state)),
        ];
        out.say_in("row-member", &facts);
    }
}

/// What happens next to a record.
pub(crate) fn say_next(row: &RecordRow, out: &Out) {
    let at = row
        .waits_since
        .map(|since| since + app::WAIT_FOR)
        .or(row.resolve_after)
        .or(row.not_before)
        .unwrap_or(row.changed);
    out.say_in(next(row), &[("at", time::shown(at))]);
}

/// What happens next to a record, as the key of a text.
fn next(row: &RecordRow) -> &'static str {
    match row.state {
        RecordState::Pending if row.waits_since.is_some() => "next-waits",
        RecordState::Pending if row.not_before.is_some() => "next-later",
        // The next run knows whether the scheme changes a document that is written.
        RecordState::Pending if row.target_id.is_some() && row.step.is_none() => "next-newer",
        RecordState::Pending => "next-run",
        RecordState::Sending => "next-sending",
        RecordState::Unknown => "next-question",
        RecordState::Held => "next-person",
        RecordState::Dead => "next-none",
        RecordState::Done | RecordState::Skipped => "next-changed",
    }
}

fn what(moment: &Moment<'_>, out: &Out) -> String {
    let coded = |reason: &Option<Reason>| {
        reason
            .as_ref()
            .map(|reason| format!("  {}", one_line(&coded(reason, out.lang))))
            .unwrap_or_default()
    };
    let word = |family: &str, word: &str| out.text(&format!("{family}-{}", word.replace('_', "-")), &[]);
    match moment {
        Moment::Seen(row) => out.text(
            "moment-seen",
            &[
                ("run", row.run.to_string()),
                ("page", row.page.to_string()),
                ("version", short(&row.version)),
                ("outcome", word("outcome", &row.outcome)),
            ],
        ),
        Moment::Sent(row) => {
            let sent = out.text(
                "moment-sent",
                &[
                    ("target", row.target.clone()),
                    (
                        "action",
                        row.step.clone().unwrap_or_else(|| word("action", &row.action)),
                    ),
                    ("form", row.form.clone()),
                    ("attempt", row.attempt.to_string()),
                    ("rows", grouped(row.rows)),
                    ("version", short(&row.version)),
                ],
            );
            match &row.task {
                Some(task) => format!("{sent}  {}", out.text("moment-task", &[("task", one_line(task))])),
                None => sent,
            }
        }
        Moment::Settled(row) => {
            let status = row
                .http_status
                .map(|status| format!("HTTP {status}  "))
                .unwrap_or_default();
            let took = time::span(row.ended.unwrap_or(row.sent) - row.sent);
            let settled = row
                .settlement
                .as_deref()
                .map(|settled| word("settled", settled))
                .unwrap_or_default();
            let text = out.text(
                "moment-settled",
                &[("took", format!("{status}{took}")), ("settled", settled)],
            );
            let answer = row
                .excerpt
                .as_deref()
                .filter(|_| row.settlement.as_deref() != Some("done"))
                .map(|excerpt| format!("\n                     {}", cut(&one_line(excerpt), ANSWER)))
                .unwrap_or_default();
            let trace = row
                .vendor_trace
                .as_deref()
                .map(|trace| format!("  {}", out.text("moment-trace", &[("trace", one_line(trace))])))
                .unwrap_or_default();
            format!("{text}{trace}{}{answer}", coded(&row.reason))
        }
        Moment::Asked(row) => format!(
            "{}{}",
            out.text("moment-resolved", &[("said", word("resolved", &row.answer))]),
            coded(&row.reason)
        ),
        Moment::Decided(row) => out.text(
            "moment-decided",
            &[
                ("who", one_line(&row.note.who)),
                ("action", out.text(&format!("decision-{}", row.note.action), &[])),
                ("what", one_line(&row.note.what)),
                ("reason", one_line(&row.note.reason)),
            ],
        ),
        Moment::Met(row) => out.text(
            &format!("moment-{}", row.what),
            &[
                ("other", format!("{} {}", row.scheme, query::key_text(&row.key))),
                ("run", row.run.map(|run| run.to_string()).unwrap_or_default()),
                ("fields", one_line(&row.fields.join(", "))),
            ],
        ),
        Moment::Resolved(row) => {
            let said = row
                .resolution
                .as_deref()
                .map(|said| word("resolved", said))
                .unwrap_or_default();
            format!(
                "{}{}",
                out.text("moment-resolved", &[("said", said)]),
                coded(&row.resolution_reason)
            )
        }
    }
}

/// Enough of a version to tell two apart.
fn short(version: &str) -> String {
    version.chars().take(4).collect()
}

/// The JSON form of a record. Its shape is fixed by `schemas/rows-list.json`.
pub(crate) fn record(row: &RecordRow, lang: Lang) -> Value {
    object! {
        "record" => row.record.0,
        "scheme" => row.scheme,
        "key" => stored(row.key.as_bytes()),
        "label" => row.label,
        "state" => row.state.word(),
        "version" => row.version,
        "done_version" => row.done_version,
        "waiting_version" => row.waiting_version,
        "void" => row.void,
        "sends" => row.sends,
        "step" => row.step,
        "not_before" => row.not_before.map(time::rfc3339),
        "waits_since" => row.waits_since.map(time::rfc3339),
        "resolve_after" => row.resolve_after.map(time::rfc3339),
        "target" => row.target,
        "form" => row.form,
        "target_id" => row.target_id,
        "number" => row.number,
        "reason" => reason_document(row.reason.as_ref(), lang),
        "first" => time::rfc3339(row.first),
        "seen" => time::rfc3339(row.seen),
        "changed" => time::rfc3339(row.changed),
        "done" => row.done.map(time::rfc3339),
    }
}

/// A stored reason for programs.
pub(crate) fn reason_document(reason: Option<&Reason>, lang: Lang) -> Option<Value> {
    reason.map(|reason| object! {"code" => reason.code, "message" => sentence_of(reason, lang)})
}

fn story_document(story: &Story, lang: Lang) -> Value {
    let life = &story.life;
    let sightings: Vec<Value> = life.sightings.iter().map(sighting_document).collect();
    let attempts: Vec<Value> = life
        .attempts
        .iter()
        .map(|row| attempt_document(row, lang))
        .collect();
    object! {
        "row" => record(&life.record, lang),
        "source" => stored(&life.source),
        "waiting" => life.waiting.as_deref().map(stored),
        "saved" => life.saved.as_deref().map(stored),
        "from" => life.from.as_ref().map(|from| object! {
            "scheme" => from.scheme, "key" => stored(from.key.as_bytes()),
        }),
        "sightings_total" => life.sightings_total,
        "sightings" => sightings,
        "attempts" => attempts,
        "steps" => life.steps.iter().map(step_document).collect::<Vec<Value>>(),
        "document" => life.document.as_ref().map(bundle_document),
        "members_total" => life.members_total,
        "members" => life.members.iter().map(member_document).collect::<Vec<Value>>(),
        "questions" => story.questions.iter().map(|row| question_document(row, lang)).collect::<Vec<_>>(),
        "decisions" => story.decisions.iter().map(decision_document).collect::<Vec<_>>(),
        "mappings" => story.mappings.iter().map(mapping_document).collect::<Vec<_>>(),
        "two_way" => story.two_way.iter().map(note_document).collect::<Vec<_>>(),
    }
}

fn bundle_document(document: &InDocument) -> Value {
    object! {
        "key" => stored(document.key.as_bytes()),
        "number" => document.number,
        "part" => document.part,
        "state" => document.state.word(),
        "target_id" => document.target_id,
    }
}

fn member_document(row: &MemberRow) -> Value {
    object! {
        "key" => stored(row.key.as_bytes()),
        "label" => row.label,
        "state" => row.state.word(),
    }
}

fn step_document(row: &StepRow) -> Value {
    object! {
        "step" => row.step,
        "version" => row.version,
        "target_id" => row.target_id,
        "number" => row.number,
        "done" => time::rfc3339(row.done),
    }
}

fn question_document(row: &QuestionRow, lang: Lang) -> Value {
    object! {
        "at" => time::rfc3339(row.at),
        "attempt" => row.attempt.map(|attempt| attempt.0),
        "answer" => row.answer,
        "reason" => reason_document(row.reason.as_ref(), lang),
    }
}

fn decision_document(row: &AuditRow) -> Value {
    object! {
        "at" => time::rfc3339(row.at),
        "who" => row.note.who,
        "action" => row.note.action,
        "what" => row.note.what,
        "reason" => row.note.reason,
    }
}

fn note_document(note: &TwoWayNote) -> Value {
    object! {
        "at" => time::rfc3339(note.at),
        "what" => note.what,
        "version" => note.version,
        "scheme" => note.scheme,
        "key" => stored(note.key.as_bytes()),
        "run" => note.run,
        "fields" => note.fields.iter().map(|field| Value::from(field.as_str())).collect::<Vec<_>>(),
        "lost" => note.row.as_deref().map(stored),
    }
}

fn mapping_document(row: &MappingRow) -> Value {
    object! {
        "target" => row.target,
        "form" => row.form,
        "key" => row.tkey.as_deref().map(|key| stored(key.as_bytes())),
        "target_id" => row.target_id,
        "number" => row.number,
        "changed" => time::rfc3339(row.changed),
    }
}

fn sighting_document(row: &SightingRow) -> Value {
    object! {
        "run" => row.run.0,
        "window" => row.asked.map(|asked| {
            object! {"from" => time::rfc3339(asked.from), "to" => time::rfc3339(asked.to)}
        }),
        "page" => row.page,
        "version" => row.version,
        "outcome" => row.outcome,
        "seen" => time::rfc3339(row.seen),
    }
}

fn attempt_document(row: &AttemptRow, lang: Lang) -> Value {
    object! {
        "attempt" => row.attempt.0,
        "run" => row.run.0,
        "target" => row.target,
        "action" => row.action,
        "step" => row.step,
        "form" => row.form,
        "rows" => row.rows,
        "version" => row.version,
        "sent" => time::rfc3339(row.sent),
        "ended" => row.ended.map(time::rfc3339),
        "task" => row.task,
        "outcome" => row.outcome,
        "http_status" => row.http_status,
        "settlement" => row.settlement,
        "reason" => reason_document(row.reason.as_ref(), lang),
        "resolution" => row.resolution,
        "resolved" => row.resolved.map(time::rfc3339),
        "resolution_reason" => reason_document(row.resolution_reason.as_ref(), lang),
        "payload" => row.payload.as_deref().map(stored),
        "answer" => row.excerpt,
        "vendor_trace" => row.vendor_trace,
    }
}
