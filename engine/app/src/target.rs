//! The target side of a run: records into documents, documents into calls, lost answers into questions.

mod ask;
mod fast;
mod further;
mod group;
mod present;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use connector::{Call, Class, Connection, Records, Redactor};
use dsl::diagnostic::{Failure, Lang};
use dsl::facts::{Action, Proof};
use dsl::lines::{KeyedList, LineIds, LineList};
use dsl::lookup::LookupWant;
use dsl::payload::Payload;
use dsl::plan::{Build, Built, Plan, RecordCx, StepDone, TargetPlan};
use dsl::tree::Trace;
use dsl::value::{Map, Value};
use flow::ids::{AttemptId, Blob, Ms, RecordId};
use flow::op::{Facet, Reason, Refusal, WAIT_GAP, WriteAction};
use flow::{Answer, Ready, RowAnswer, TransformItem, Transformed};
use ledger::Reader;
use ledger::read::{AttemptMark, SourceRow};
use sha2::{Digest, Sha256};

use crate::caller::{Caller, Effect, Ended};
use crate::error::AppError;
use crate::lines::KeptLines;
use crate::lookups::{Memo, shown};
use crate::mask;
use crate::objects::{self, Objects};
use crate::payloads::BlobStore;
use crate::preview::{Preview, PreviewRow, TraceLine, masks};
use crate::reason;
use crate::two_way::Pair;
use fast::FastWays;
pub use fast::Ways;
use steps::NO_ID;

/// A look-up that found nothing is tried again after these pauses, and then after each of the last; the next run tries
/// it in any case.
const DEFER: [Ms; 4] = [60_000, 5 * 60_000, 30 * 60_000, WAIT_GAP];
/// After a day of trying for a row that does not come, a record is dead. Only time in which it was tried counts.
pub const WAIT_FOR: Ms = 24 * 3_600_000;
/// Documents at hand while thousands are asked about, one page after the other: some megabytes of them.
const MOST_ASKED: usize = 5_000;
/// The start of an answer that is kept with an attempt.
const EXCERPT: usize = 512;

/// What is to be done for a claimed call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sending<'a> {
    /// Send it.
    Call,
    /// Ask about the task that it became.
    Question {
        /// The task's id.
        task: &'a str,
        /// Not asked about later.
        until: Ms,
    },
}

/// What came of it.
pub(crate) enum Sent {
    /// How it ended.
    Answered(Answer),
    /// The target took it on as a task.
    Taken {
        /// The task's id.
        task: String,
        /// How long it is asked about.
        limit: Ms,
    },
}

impl From<Sent> for flow::Event {
    fn from(sent: Sent) -> Self {
        match sent {
            Sent::Answered(answer) => flow::Event::Answered(answer),
            Sent::Taken { task, limit } => flow::Event::Taken { task, limit },
        }
    }
}

/// A document on its way.
struct Document {
    key: String,
    /// The id of the one that is known.
    target_id: Option<String>,
    /// Of its row. It stays as long as an answer to it may be lost.
    version: String,
    /// The last send of another version.
    behind: Option<AttemptId>,
    /// Its key at the target, as it was frozen before the first send.
    frozen: Option<String>,
    label: String,
    payload: Payload,
    options: Arc<Value>,
    /// The texts of its identifying fields.
    tkey: Vec<String>,
    /// Lines that the scheme gives keys.
    lines: Vec<LineList>,
    operation: Arc<str>,
    /// The lines that the target had before.
    kept: Option<KeptLines>,
    trace: Vec<TraceLine>,
}

/// Writes records of one scheme.
pub(crate) struct TargetWriter {
    plan: Arc<Plan>,
    caller: Arc<Caller>,
    instant: Ms,
    lang: Lang,
    pub(crate) memo: Memo,
    /// What documents may be of.
    objects: Objects,
    documents: BTreeMap<RecordId, Document>,
    ways: FastWays,
    /// By which way they were made.
    pub(crate) made: Ways,
    /// The step whose documents are written; `None` = those of the records themselves.
    step: Option<String>,
    /// Who writes the documents of steps.
    further: BTreeMap<String, TargetWriter>,
    /// The answers to calls about one document that have not been settled, where the scheme keeps something of them.
    heard: BTreeMap<RecordId, Value>,
    /// Another scheme carries the same documents the other way.
    pub(crate) pair: Option<Arc<Pair>>,
    /// Rehearse: nothing is sent.
    dry: bool,
    /// Records count as what they were before the write that they are compared with.
    pub(crate) as_before: bool,
    /// A rehearsal asks what is there of each document that it shows.
    pub(crate) compares: bool,
    /// Trace fields for the preview.
    traced: bool,
    /// What a rehearsal would have sent, in order.
    pub(crate) previews: Vec<Preview>,
}

impl TargetWriter {
    pub(crate) fn new(
        plan: Arc<Plan>,
        caller: Arc<Caller>,
        instant: Ms,
        lang: Lang,
        dry: bool,
        objects: Objects,
    ) -> Self {
        TargetWriter {
            memo: Memo::on(caller.tape()),
            objects,
            plan,
            caller,
            instant,
            lang,
            documents: BTreeMap::new(),
            ways: FastWays::default(),
            made: Ways::default(),
            step: None,
            further: BTreeMap::new(),
            heard: BTreeMap::new(),
            pair: None,
            dry,
            as_before: false,
            compares: false,
            traced: dry,
            previews: Vec::new(),
        }
    }

    fn target(&self) -> Result<&TargetPlan, AppError> {
        self.plan
            .target
            .as_ref()
            .ok_or_else(|| AppError::bug("a scheme without target is written"))
    }

    /// Waits until a call could go out at once. A rehearsal sends nothing and waits for nothing.
    pub(crate) async fn can_send(&self, step: Option<&str>) {
        if self.dry {
            return;
        }
        if let Some(further) = step.and_then(|step| self.further.get(step)) {
            return Box::pin(further.can_send(None)).await;
        }
        let Some(target) = &self.plan.target else { return };
        let actions = [&target.create, &target.update, &target.void];
        let own = target.steps.iter().filter(|step| step.document.is_none());
        let steps = own.map(|step| step.operation.as_str());
        let apis: Vec<&str> = actions
            .into_iter()
            .filter_map(|api| api.as_deref())
            .chain(steps)
            .collect();
        self.caller.ready(&apis).await;
    }

    /// A new page of records: the documents of the last one are settled.
    pub(crate) fn next_page(&mut self) {
        self.documents.clear();
        self.heard.clear();
        self.memo.next_page();
        self.ways.next_page();
        for further in self.further.values_mut() {
            further.next_page();
        }
    }

    /// Where many are asked about and none is written, no page of records comes to an end: only the documents of those
    /// that are about to be asked about stay.
    pub(crate) fn keep_asked(&mut self, asked: impl Iterator<Item = RecordId>) {
        if self.documents.len() > MOST_ASKED {
            let asked: BTreeSet<RecordId> = asked.collect();
            self.documents.retain(|record, _| asked.contains(record));
            self.memo.next_page();
            self.ways.next_page();
        }
    }

    /// Evaluates records: look-ups level by level for all of them, then document by document.
    pub(crate) fn transform(
        &mut self,
        reader: &Reader,
        items: &[TransformItem],
        blobs: &mut BlobStore,
        now: Ms,
    ) -> Result<Vec<Transformed>, AppError> {
        let ids: Vec<RecordId> = items.iter().map(|item| item.record).collect();
        let mut sources = self.sources(reader, &ids)?;
        if let Some(by_step) = self.by_step(&sources) {
            return self.transform_steps(reader, items, &by_step, blobs, now);
        }
        if !sources.iter().map(|source| source.record).eq(ids.iter().copied()) {
            return Err(AppError::bug("a picked record has no source row"));
        }
        let anew = self.makes_anew()?;
        for (source, item) in sources.iter_mut().zip(items) {
            if anew && source.voided || self.as_before && !item.has_target {
                leave(source);
            }
        }
        let mut picked = Vec::with_capacity(items.len());
        for (source, item) in sources.iter().zip(items) {
            let has_target = match self.step {
                Some(_) => source.target_id.is_some(),
                None => item.has_target && !(anew && source.voided),
            };
            let item = TransformItem { has_target, ..*item };
            picked.push(Picked {
                item,
                source,
                action: self.action(&item, source)?,
            });
        }
        let plan = Arc::clone(&self.plan);
        let target = plan.target.as_ref().ok_or_else(|| AppError::bug("no target"))?;
        let fast = self.fast_documents(reader, target, &picked, blobs)?;
        let mut rows = Vec::with_capacity(picked.len());
        for (picked, _) in picked.iter().zip(&fast).filter(|(_, made)| made.is_none()) {
            let mut row = dsl::json::parse(&picked.source.source)
                .map_err(|_| AppError::bug("a stored row is not JSON"))?;
            // It may have been stored before the scheme said so.
            self.plan.source.make_lists(&mut row);
            rows.push(Work::new(
                target,
                picked.item,
                picked.source,
                row,
                picked.action.clone(),
            )?);
        }
        self.made.plain += rows.len() as u64;
        self.made.slots += (fast.len() - rows.len()) as u64;
        for level in 0..target.lookup_levels() {
            let mut wants: Vec<LookupWant> = Vec::new();
            for work in &rows {
                // A key that fails to evaluate fails its record below, with its place.
                if let Ok(action) = &work.action
                    && let Ok(mut keys) = target.lookup_keys(level, &self.cx(work, *action), self.memo.hits())
                {
                    wants.append(&mut keys);
                }
            }
            self.memo.fetch(reader, wants)?;
        }
        let mut rows = rows.into_iter();
        let mut outcomes = Vec::with_capacity(fast.len());
        for made in fast {
            outcomes.push(match made {
                Some(made) => made,
                None => {
                    let work = rows.next();
                    let work = work.ok_or_else(|| AppError::bug("a record was not evaluated"))?;
                    self.document(target, work, blobs, now)
                }
            });
        }
        Ok(outcomes)
    }

    /// Whether a record whose document was voided becomes a new one. Of a pair, the other side has the document under its
    /// id: it stays with it.
    fn makes_anew(&self) -> Result<bool, AppError> {
        let void = self.target()?.void.as_deref();
        let connection = &self.caller.connection;
        Ok(self.pair.is_none() && void.is_some_and(|void| connection.ends_documents(void)))
    }

    /// FORMAT 4.4: which action.
    fn action(&self, item: &TransformItem, source: &SourceRow) -> Result<Result<Action, Refusal>, AppError> {
        let plan = self.target()?;
        // Where the same key makes the same document, its id is not needed to write it again.
        let remakes = plan.proof == Proof::Upsert || plan.unnamed;
        let nameless = is_nameless([source.written, item.has_target], item.void, remakes);
        let can = [&plan.create, &plan.update, &plan.void].map(Option::is_some);
        Ok(action_of(can, item.void, item.has_target, nameless))
    }

    fn cx<'w>(&'w self, work: &'w Work<'_>, action: Action) -> RecordCx<'w> {
        let (target_id, target_number) = match &work.main {
            // The names mean the document of the record, in the document of a step as well.
            Some(main) => (main.id.as_deref(), main.number.as_deref()),
            None => (work.source.target_id.as_deref(), work.source.number.as_deref()),
        };
        RecordCx {
            row: &work.row,
            key: &work.source.key,
            label: &work.source.label,
            target_id,
            target_number,
            action,
            line: work.line.as_ref().map(|line| (&line.value, line.index)),
            now_ms: self.instant,
            zone: &self.plan.zone,
            line_ids: &work.line_ids,
            steps: &work.steps,
        }
    }

    fn document(
        &mut self,
        target: &TargetPlan,
        work: Work<'_>,
        blobs: &mut BlobStore,
        now: Ms,
    ) -> Transformed {
        if let Some(name) = &work.source.step {
            return self.step_document(target, &work, name, blobs);
        }
        if work.source.in_document {
            let code = dsl::catalogue::aggregate::IN_A_DOCUMENT.code;
            return Transformed::Refused(Refusal::Held(Reason::new(code, "")));
        }
        let action = match &work.action {
            Ok(action) => *action,
            Err(refusal) => return Transformed::Refused(refusal.clone()),
        };
        if target.aggregate.is_some() && work.row.get("$number").is_none() {
            // A row that may have been sent by itself before the scheme made documents of several rows.
            let code = dsl::catalogue::aggregate::MAYBE_IN_A_DOCUMENT.code;
            return Transformed::Refused(Refusal::Held(Reason::new(code, "")));
        }
        let built = self
            .build(target, &work, action)
            .and_then(|built| Ok((built, self.after(target, &work, action)?)));
        match built {
            Ok((Ok((document, looked)), after)) => {
                if let Some(refusal) = self.too_wide(looked.iter().map(|(want, _)| want)) {
                    return Transformed::Refused(refusal);
                }
                let (line, tkey) = (work.source.line.as_deref(), &document.tkey[..]);
                if let Some(refusal) = further::sent_otherwise(line, &work.steps, action, tkey) {
                    return Transformed::Refused(refusal);
                }
                if action != Action::Void
                    && let Some(refusal) = further::will_be_sent_otherwise(target, &work.row, &work.steps)
                {
                    return Transformed::Refused(refusal);
                }
                let caller = &self.caller;
                self.memo.count(&looked, |example| caller.redact(&example));
                let appends = asks_updates(target, &self.caller.connection);
                match lines_in_doubt(target, &work, action, &document, appends) {
                    Some(refusal) => Transformed::Refused(refusal),
                    None => self.ready(work.item.record, action, document, after, blobs),
                }
            }
            Ok((Err(want), _)) => Transformed::Refused(match self.too_wide([&want]) {
                Some(refusal) => refusal,
                None => self.unplaced(&want, waits(self.what(&want), waited(work.source, now), now)),
            }),
            Err(failure) => {
                let reason = reason::of_failure(&failure, self.lang);
                Transformed::Refused(Refusal::Dead(Reason::new(
                    reason.code,
                    self.caller.redact(&reason.text),
                )))
            }
        }
    }

    /// A look-up that was read and not decided within its reach fails its record.
    fn too_wide<'l>(&self, looked: impl IntoIterator<Item = &'l LookupWant>) -> Option<Refusal> {
        let want = looked.into_iter().find(|want| self.memo.is_undecided(want))?;
        Some(undecided(self.caller.redact(&shown(want))))
    }

    /// A record that waits for a table that is in several places is told so.
    fn unplaced(&self, want: &LookupWant, waits: Refusal) -> Refusal {
        match (self.memo.unplaced(want), waits) {
            (Some(failure), Refusal::Later { not_before, .. }) => Refusal::Later {
                not_before,
                reason: reason::of_failure(failure, self.lang),
            },
            (_, waits) => waits,
        }
    }

    /// What a record waits for, in words, with secrets taken out.
    fn what(&self, want: &LookupWant) -> String {
        let mut what = self.caller.redact(&shown(want));
        if self.memo.is_dead(want) {
            what.push_str(self.lang.pick("(该行已失败)", " (that row is dead)"));
        }
        what
    }

    fn build(
        &self,
        target: &TargetPlan,
        work: &Work<'_>,
        action: Action,
    ) -> Result<Result<Made, LookupWant>, Failure> {
        let mut trace = self.traced.then(Trace::default);
        let built = target.build(&self.cx(work, action), self.memo.hits(), trace.as_mut())?;
        let mut built = match built {
            Build::Built(built) => built,
            Build::Defer(want) => return Ok(Err(want)),
        };
        let operation = target.operation(action).unwrap_or_default().to_owned();
        if let Some(stored) = &work.source.as_stored {
            as_stored(&mut built, stored, work.source)?;
        }
        let connection = &self.caller.connection;
        if let Some(object) = self
            .objects
            .meant(connection, &operation, &as_map(&built.options))
            && let Some(failure) = objects::misfit(object, &built.payload, false, None, &target.sensitive)
        {
            return Err(failure);
        }
        if let (Action::Update | Action::Void, Some(id)) = (action, work.source.target_id.as_deref()) {
            let options = as_map(&built.options);
            self.caller
                .connection
                .put_id(&operation, &options, &mut built.payload, id)?;
        }
        let document = Document {
            key: work.source.key.clone(),
            target_id: work.source.target_id.clone(),
            // The same version makes a write for each of its documents.
            version: match &self.step {
                Some(step) => format!(
                    "{} {}",
                    work.source.version,
                    work.source.line.as_deref().unwrap_or(step)
                ),
                None => work.source.version.clone(),
            },
            behind: work.source.behind,
            frozen: work.source.tkey.clone(),
            label: match &work.source.line {
                Some(line) => format!("{} · {line}", work.source.label),
                None => work.source.label.clone(),
            },
            payload: built.payload.into(),
            options: Arc::new(built.options),
            tkey: built.tkey,
            lines: built.lines,
            operation: operation.into(),
            kept: work.kept.clone(),
            trace: trace.map(TraceLine::of).unwrap_or_default(),
        };
        Ok(Ok((document, built.looked)))
    }

    fn ready(
        &mut self,
        record: RecordId,
        action: Action,
        document: Document,
        (next, half): (Option<String>, Option<String>),
        blobs: &mut BlobStore,
    ) -> Transformed {
        let options = as_map(&document.options);
        let ready = Ready {
            action: match action {
                Action::Create | Action::Step => WriteAction::Create,
                Action::Update => WriteAction::Update,
                Action::Void => WriteAction::Void,
            },
            group: group(&document.operation, &document.options),
            form: self.caller.connection.form(&options),
            tkey: key_text(&document.tkey),
            payload: self.keep(&document.payload, blobs),
            wrote: self.wrote(action, &document.payload),
            next,
            half,
        };
        self.documents.insert(record, document);
        Transformed::Ready(ready)
    }

    /// What is kept of a document, which is for people; the document itself is built anew for each send.
    fn keep(&self, payload: &Payload, blobs: &mut BlobStore) -> Blob {
        let target = self.plan.target.as_ref();
        match target.is_none_or(|target| target.sensitive.is_empty()) {
            true => blobs.add(Arc::clone(payload.json())),
            false => blobs.add(dsl::json::to_string(&self.shown(payload.tree())).into_bytes()),
        }
    }

    /// What the scheme of the other direction will read of a document.
    fn wrote(&self, action: Action, document: &Payload) -> Vec<Facet> {
        let under = self
            .plan
            .target
            .as_ref()
            .and_then(|target| target.key_under.as_ref());
        let pair = self.pair.as_ref();
        pair.map_or_else(Vec::new, |pair| pair.document(under, action, document.tree()))
    }

    /// A document as people may see it: places marked sensitive are masked.
    fn shown(&self, payload: &Value) -> Value {
        let target = self.plan.target.as_ref();
        mask::shown(payload, target.map_or(&[], |target| &target.sensitive))
    }

    /// Options as people may see them.
    fn shown_options(&self, options: &Value) -> Map {
        let target = self.plan.target.as_ref();
        as_map(&mask::shown(
            options,
            target.map_or(&[], |target| &target.sensitive_options),
        ))
    }

    /// Takes out what these documents hold of sensitive values: a refusal likes to quote what it refuses.
    fn hush(&self, documents: &[&Document]) -> Redactor {
        let redactor = Redactor::default();
        if let Some(target) = &self.plan.target {
            for document in documents {
                if !target.sensitive.is_empty() {
                    mask::learn(&redactor, document.payload.tree(), &target.sensitive);
                }
                mask::learn(&redactor, &document.options, &target.sensitive_options);
            }
        }
        redactor
    }

    /// Sends one claimed call, or asks about the task that an earlier one became.
    pub(crate) async fn send(
        &mut self,
        what: Sending<'_>,
        action: WriteAction,
        rows: &[(RecordId, Blob)],
        mark: Option<&AttemptMark>,
        blobs: &mut BlobStore,
    ) -> Sent {
        if let Some(step) = self.step_of(rows) {
            return Box::pin(self.send_step(&step, what, (action, rows, mark), blobs)).await;
        }
        let documents: Vec<&Document> = rows
            .iter()
            .filter_map(|(record, _)| self.documents.get(record))
            .collect();
        let Some(first) = documents.first().filter(|_| documents.len() == rows.len()) else {
            return Sent::Answered(bug("a claimed record has no document"));
        };
        let options = as_map(&first.options);
        let operation = Arc::clone(&first.operation);
        let records: Vec<Payload> = documents
            .iter()
            .map(|document| document.payload.clone())
            .collect();
        let texts: Vec<String> = documents
            .iter()
            .map(|document| match &document.frozen {
                // One that is voided is not made once more.
                Some(frozen) if document.tkey.is_empty() => frozen.clone(),
                _ => key_text(&document.tkey),
            })
            .collect();
        let mut call = self.write_call(&operation, &options, records.into(), texts.clone());
        // A database notes it beside what it writes.
        call.attempt = mark.filter(|_| self.caller.is_database()).map(attempt_bytes);
        if let (Some(mark), [(record, _)]) = (mark, rows) {
            call.identity = Some(identity(mark, *record, first));
        }
        if self.dry {
            let masked: Vec<Value> = documents
                .iter()
                .map(|document| self.shown(document.payload.tree()))
                .collect();
            let options = self.shown_options(&first.options);
            // A key may be made of a sensitive field.
            let hush = self.hush(&documents);
            let texts = texts.iter().map(|text| hush.redact(text)).collect();
            let call = self.write_call(&operation, &options, masked.into(), texts);
            let mut preview = self.preview(action, &call, &documents);
            let is_document = matches!(action, WriteAction::Create | WriteAction::Update);
            if self.compares && is_document {
                let present = self.present(&documents).await;
                for (row, present) in preview.rows.iter_mut().zip(present) {
                    row.present = Some(present);
                }
            }
            self.previews.push(preview);
            return Sent::Answered(rehearsed(rows.len()));
        }
        let ended = match what {
            Sending::Call => match self.caller.submit(&call, rows.len(), Effect::Writes).await {
                Ok(task) => {
                    return Sent::Taken {
                        task: task.id,
                        limit: task.timeout_ms,
                    };
                }
                Err(ended) => *ended,
            },
            Sending::Question { task, until } => {
                match self.caller.connection.task_of(&operation, &options, task) {
                    Some(task) => self.caller.follow(&task, &call, rows.len(), until).await,
                    // Whether it was executed is as open as before: the target is asked by key.
                    None => return Sent::Answered(lost("the operation knows no tasks any more")),
                }
            }
        };
        let answer = self.told(&ended, &documents, (&operation, action), blobs);
        self.hear(&ended, rows);
        Sent::Answered(answer)
    }

    /// What the end of a call says about its documents.
    fn told(
        &self,
        ended: &Ended,
        documents: &[&Document],
        (operation, action): (&str, WriteAction),
        blobs: &mut BlobStore,
    ) -> Answer {
        let (delivery, reason) = reason::delivery(ended, &self.caller, self.lang);
        let mut answer = Answer {
            delivery,
            reason,
            wait: None,
            http_status: None,
            excerpt: None,
            vendor_trace: None,
            rows: Vec::new(),
        };
        if let Ended::Answered { answer: raw, judged } = ended {
            answer.wait = judged.wait_ms;
            answer.vendor_trace.clone_from(&judged.trace);
            answer.http_status = (!self.caller.is_database()).then_some(raw.status);
            answer.excerpt = Some(self.excerpt(self.caller.connection.readable(raw).as_bytes()));
            answer.rows = match (judged.class, judged.verdicts.is_empty()) {
                // A system that says nothing of single records has accepted all of them.
                (Class::Ok, true) => vec![accepted(); documents.len()],
                _ => judged
                    .verdicts
                    .iter()
                    .map(|verdict| reason::row_answer(verdict, &self.caller))
                    .map(|row| self.with_id(action, operation, row))
                    .collect(),
            };
            let keyed = match &self.plan.target {
                Some(target) => target.keyed.as_slice(),
                None => &[],
            };
            let writes_lines = matches!(action, WriteAction::Create | WriteAction::Update);
            if writes_lines && !keyed.is_empty() {
                for (nth, (row, document)) in answer.rows.iter_mut().zip(documents).enumerate() {
                    if row.verdict == flow::classify::Verdict::Accepted {
                        let lines = lines_after(document, keyed, judged.verdicts.get(nth));
                        row.lines = Some(blobs.add(lines.to_bytes()));
                    }
                }
            }
        } else if let Ended::Broken(error) = ended
            && let Some(partial) = &error.partial
        {
            answer.http_status = Some(partial.status);
            answer.excerpt = Some(self.excerpt(&partial.excerpt));
        }
        let hush = self.hush(documents);
        let texts = answer.rows.iter_mut().map(|row| &mut row.reason.text);
        let told = [&mut answer.excerpt, &mut answer.vendor_trace]
            .into_iter()
            .flatten();
        for text in texts.chain([&mut answer.reason.text]).chain(told) {
            *text = hush.redact(text);
        }
        answer
    }

    /// A new document whose id the answer does not tell could not be updated later, only made once more: it is asked for.
    fn with_id(&self, action: WriteAction, operation: &str, row: RowAnswer) -> RowAnswer {
        let must_know = action == WriteAction::Create
            && row.id.is_none()
            && row.verdict == flow::classify::Verdict::Accepted
            && self
                .plan
                .target
                .as_ref()
                .is_some_and(|target| target.update.is_some())
            && self.caller.connection.can_ask(operation, Action::Create);
        if must_know {
            RowAnswer {
                verdict: flow::classify::Verdict::Absent,
                ..row
            }
        } else {
            row
        }
    }

    fn write_call<'c>(
        &'c self,
        operation: &'c str,
        options: &'c Map,
        records: Records,
        texts: Vec<String>,
    ) -> Call<'c> {
        let fields = self.plan.target.as_ref().map_or(&[][..], |target| &target.key);
        Call {
            records: Some(records),
            keys: Some(connector::Keys { fields, texts }),
            ..Call::new(operation, options, self.instant)
        }
    }

    /// The start of an answer, with secrets taken out before it is cut (a cut secret would not be recognised).
    fn excerpt(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(&body[..body.len().min(64 * EXCERPT)]);
        let text = self.caller.redact(&text);
        let mut start: String = text.chars().take(EXCERPT).collect();
        if start.len() < text.len() {
            start.push('…');
        }
        start
    }

    fn preview(&self, action: WriteAction, call: &Call<'_>, documents: &[&Document]) -> Preview {
        // What cannot be built is told by the run itself; a rehearsal shows an empty request for it.
        let request = self.caller.connection.prepare(call).map(|prepared| {
            let url = format!("{}{}", prepared.origin, prepared.path);
            let named = |(name, _): &&(String, String)| name.eq_ignore_ascii_case("content-type");
            (
                prepared.method,
                url,
                String::from_utf8_lossy(&prepared.body).into_owned(),
                prepared
                    .headers
                    .iter()
                    .find(named)
                    .map(|(_, value)| value.clone()),
            )
        });
        let (method, url, body, content_type) = request.unwrap_or_default();
        let shown = self.caller.redact(&body);
        Preview {
            action: action.word(),
            operation: call.operation.to_owned(),
            target: self.caller.connection.form(call.options),
            method,
            url: self.caller.redact(&url),
            masks: masks(&body, &shown),
            body: shown,
            content_type,
            rows: documents
                .iter()
                .map(|document| PreviewRow {
                    key: document.key.clone(),
                    label: document.label.clone(),
                    payload: self.shown(document.payload.tree()),
                    trace: document.trace.clone(),
                    present: None,
                })
                .collect(),
        }
    }
}

/// A document, and what its look-ups did not find once.
type Made = (Document, Vec<(LookupWant, usize)>);

/// One record to be written, and what is to be done with it.
struct Picked<'s> {
    item: TransformItem,
    source: &'s SourceRow,
    action: Result<Action, Refusal>,
}

/// One record being evaluated.
struct Work<'s> {
    item: TransformItem,
    source: &'s SourceRow,
    row: Value,
    action: Result<Action, Refusal>,
    /// The lines that the target has, where the engine was told of them.
    kept: Option<KeptLines>,
    line_ids: LineIds,
    /// What its further steps came to.
    steps: Vec<StepDone>,
    /// The document of the record itself, where that of a step is made.
    main: Option<StepDone>,
    /// The line for which the document of a step is made.
    line: Option<Line>,
}

/// A line of a row.
struct Line {
    value: Value,
    /// From 1.
    index: usize,
}

impl<'s> Work<'s> {
    fn new(
        target: &TargetPlan,
        item: TransformItem,
        source: &'s SourceRow,
        row: Value,
        action: Result<Action, Refusal>,
    ) -> Result<Self, AppError> {
        let kept = match &source.lines {
            Some(lines) => {
                Some(KeptLines::parse(lines).ok_or_else(|| AppError::bug("stored lines are damaged"))?)
            }
            None => None,
        };
        let line_ids = kept
            .as_ref()
            .map(|kept| kept.ids(&target.keyed))
            .unwrap_or_default();
        let (main, steps) = further::results(source);
        let line = match (&target.each, &source.line) {
            // Lines that cannot be told apart were refused before.
            (Some(each), Some(call)) => each.line(call, &row).ok().flatten().map(|line| Line {
                value: line.value.clone(),
                index: line.index,
            }),
            _ => None,
        };
        Ok(Work {
            item,
            source,
            row,
            action,
            kept,
            line_ids,
            steps,
            main,
            line,
        })
    }
}

/// Whether an update would bring lines to the target that it may have already.
fn lines_in_doubt(
    target: &TargetPlan,
    work: &Work<'_>,
    action: Action,
    document: &Document,
    appends: bool,
) -> Option<Refusal> {
    use dsl::catalogue::target::{LINES_IN_DOUBT, LINES_UNKNOWN};
    if action != Action::Update {
        return None;
    }
    if !target.reads_line_ids {
        // Its lines carry no ids: a target that adds such lines would have them twice.
        let in_doubt = appends && work.source.maybe_sent;
        let list = in_doubt
            .then(|| list_of_lines(document.payload.tree()))
            .flatten()?;
        return Some(Refusal::Held(Reason::new(LINES_IN_DOUBT.code, list)));
    }
    let document = &document.lines[..];
    let any = || document.iter().flat_map(|lines| &lines.keys).next();
    let untold = match &work.kept {
        Some(kept) => kept.untold(document, &target.keyed),
        None => any().map(String::as_str),
    };
    if let Some(key) = untold {
        return Some(Refusal::Held(Reason::new(LINES_UNKNOWN.code, key)));
    }
    let fresh = work.kept.as_ref()?.fresh(document, &target.keyed)?;
    let is_repeated = work.source.maybe_sent;
    is_repeated.then(|| Refusal::Held(Reason::new(LINES_IN_DOUBT.code, fresh)))
}

/// The name of a list of lines in a document; `None` when it has no line.
fn list_of_lines(document: &Value) -> Option<&str> {
    document.as_map()?.iter().find_map(|(name, value)| match value {
        Value::List(lines) if lines.iter().any(|line| line.as_map().is_some()) => Some(name.as_str()),
        inner => list_of_lines(inner),
    })
}

/// Whether a lost update of a scheme is asked about by the id of its document. A document that goes through steps is not:
/// how far it came is asked by its key.
pub(crate) fn asks_updates(target: &TargetPlan, connection: &Connection) -> bool {
    let update = target.update.as_deref();
    target.steps.is_empty() && update.is_some_and(|update| connection.asks_update(update, &Map::new()))
}

/// The lines that the target has once a document is accepted.
fn lines_after(document: &Document, keyed: &[KeyedList], verdict: Option<&connector::Verdict>) -> KeptLines {
    let told = match verdict {
        Some(connector::Verdict::Accepted { lines, .. }) => lines.as_slice(),
        _ => &[],
    };
    let before = document.kept.clone().unwrap_or_default();
    before.after(&document.lines, keyed, told)
}

/// A person wants the stored document sent: it takes the place of the one just made, under its own key.
fn as_stored(built: &mut Built, stored: &[u8], source: &SourceRow) -> Result<(), Failure> {
    let unreadable =
        |_| Failure::new(&dsl::catalogue::internal::INTERNAL).with("what", "a stored document is not JSON");
    built.payload = dsl::json::parse(stored).map_err(unreadable)?;
    if let Some(tkey) = &source.tkey
        && let Ok(Value::List(parts)) = dsl::json::parse(tkey.as_bytes())
    {
        built.tkey = parts.iter().filter_map(Value::to_plain_text).collect();
    }
    Ok(())
}

/// Whether a document that was written can be found by nobody for what is wanted of it: its id was not told, and it is to
/// be cancelled, or the same key does not make the same document.
fn is_nameless([written, has_target]: [bool; 2], void: bool, remakes: bool) -> bool {
    written && !has_target && (void || !remakes)
}

/// Which action, from what the scheme can do (create, update, void), whether the row is void, and what is known of its
/// document; `nameless` is one that was written and whose id nobody told.
fn action_of(
    [creates, updates, voids]: [bool; 3],
    void: bool,
    has_target: bool,
    nameless: bool,
) -> Result<Action, Refusal> {
    use dsl::catalogue::target;
    let say = |entry: &dsl::catalogue::Entry| Reason::new(entry.code, "");
    match (void, has_target) {
        (true, true) if voids => Ok(Action::Void),
        (true, true) => Err(Refusal::Held(say(&target::VOID_UNSUPPORTED))),
        (true, false) if nameless && voids => Err(Refusal::Held(say(&target::ID_UNKNOWN))),
        (true, false) if nameless => Err(Refusal::Held(say(&target::VOID_UNSUPPORTED))),
        (true, false) => Err(Refusal::Skipped(say(&target::VOID_UNWRITTEN))),
        (false, true) if updates => Ok(Action::Update),
        (false, true) => Err(Refusal::Skipped(say(&target::NO_UPDATE))),
        (false, false) if nameless && updates => Err(Refusal::Held(say(&target::ID_UNKNOWN))),
        (false, false) if nameless => Err(Refusal::Skipped(say(&target::NO_UPDATE))),
        (false, false) if creates => Ok(Action::Create),
        (false, false) => Err(Refusal::Held(say(&target::NO_UPDATE))),
    }
}

/// Nothing is left of the document that was voided: its record is like one that was never written.
fn leave(source: &mut SourceRow) {
    source.target_id = None;
    source.number = None;
    source.lines = None;
    source.written = false;
}

/// A record whose look-up was not decided within its reach.
fn undecided(what: String) -> Refusal {
    let code = dsl::catalogue::target::LOOKUP_TOO_WIDE.code;
    Refusal::Dead(Reason::new(code, what))
}

/// How long a record has waited while it was tried, this try included.
fn waited(source: &SourceRow, now: Ms) -> Ms {
    let gap = source.tried.map_or(0, |tried| (now - tried).clamp(0, WAIT_GAP));
    source.waited + gap
}

/// A record whose look-up found nothing waits for the row, a day of trying at most.
fn waits(what: String, waited: Ms, now: Ms) -> Refusal {
    use dsl::catalogue::target::{DEFERRED, WAITED_TOO_LONG};
    if waited > WAIT_FOR {
        return Refusal::Dead(Reason::new(WAITED_TOO_LONG.code, what));
    }
    // The pauses so far say which is next: each is longer than those before it together.
    let pause = DEFER
        .into_iter()
        .find(|pause| waited < *pause)
        .unwrap_or(WAIT_GAP);
    Refusal::Later {
        not_before: now + pause,
        reason: Reason::new(DEFERRED.code, what),
    }
}

fn as_map(value: &Value) -> Map {
    match value {
        Value::Map(map) => map.clone(),
        _ => Map::new(),
    }
}

/// Records share a call when operation and evaluated options are equal.
fn group(operation: &str, options: &Value) -> u64 {
    let digest = Sha256::digest(format!("{operation}\n{}", dsl::json::to_string(options)));
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

fn key_text(parts: &[String]) -> String {
    dsl::json::to_string(&Value::List(parts.iter().cloned().map(Value::Text).collect()))
}

/// What is the same for the same write, however often it is sent. A version that comes back behind another one is
/// another write: a target that knows the first would do nothing.
fn identity(mark: &AttemptMark, record: RecordId, document: &Document) -> String {
    let write = format!("{} {record} {}", mark.ledger, document.version);
    match document.behind {
        Some(behind) => format!("{write} {behind}"),
        None => write,
    }
}

/// The same bytes for the same send, before it and after a restart.
fn attempt_bytes(mark: &AttemptMark) -> [u8; 16] {
    let digest = Sha256::digest(format!("{} {} {}", mark.ledger, mark.attempt, mark.sent));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes
}

fn accepted() -> RowAnswer {
    RowAnswer {
        verdict: flow::classify::Verdict::Accepted,
        id: None,
        number: None,
        lines: None,
        reason: Reason::new("", ""),
    }
}

fn rehearsed(rows: usize) -> Answer {
    Answer {
        delivery: flow::classify::Delivery::Answered(flow::classify::Class::Ok),
        reason: Reason::new("", ""),
        wait: None,
        http_status: None,
        excerpt: None,
        vendor_trace: None,
        rows: vec![accepted(); rows],
    }
}

fn bug(what: &str) -> Answer {
    unheard(
        flow::classify::Delivery::NotSent,
        Reason::new(flow::codes::BUG, what),
    )
}

/// Nobody will hear what became of a call.
fn lost(why: &str) -> Answer {
    let reason = Reason::new(dsl::catalogue::target::LOST.code, why);
    unheard(flow::classify::Delivery::Lost, reason)
}

fn unheard(delivery: flow::classify::Delivery, reason: Reason) -> Answer {
    Answer {
        delivery,
        reason,
        wait: None,
        http_status: None,
        excerpt: None,
        vendor_trace: None,
        rows: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use dsl::catalogue::target;

    use super::*;

    #[test]
    fn a_look_up_that_is_too_wide_is_an_error_of_its_record() {
        let want = LookupWant {
            spec: dsl::lookup::LookupSpec {
                id: 0,
                within: dsl::lookup::Within::Rows,
                scheme: "units".to_owned(),
                get: dsl::path::Path::parse("id").unwrap(),
                by: Vec::new(),
                only: false,
                filtered: true,
            },
            keys: Vec::new(),
            also: None,
            hidden: false,
        };
        match undecided(shown(&want)) {
            Refusal::Dead(reason) => {
                assert_eq!(reason.code, "E4025");
                assert!(reason.text.contains("units"), "{reason:?}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_record_is_tried_for_a_day_and_no_longer() {
        const MINUTE: Ms = 60_000;
        let now = 1_700_000_000_000;
        for (waited, pause) in [
            (0, Some(1)),
            (MINUTE, Some(5)),
            (6 * MINUTE, Some(30)),
            (36 * MINUTE, Some(120)),
            (WAIT_FOR, Some(120)),
            (WAIT_FOR + 1, None),
        ] {
            match (waits("units name=x".to_owned(), waited, now), pause) {
                (Refusal::Later { not_before, reason }, Some(pause)) => {
                    assert_eq!(
                        (not_before, reason.code.as_str()),
                        (now + pause * MINUTE, "E4018")
                    );
                    assert!(reason.text.contains("name=x"));
                }
                (Refusal::Dead(reason), None) => assert_eq!(reason.code, "E4022"),
                (other, _) => panic!("{waited}: {other:?}"),
            }
        }
    }

    /// A document that was written and whose id nobody told is never made a second time.
    #[test]
    fn which_action() {
        use Action::{Create, Update, Void};
        let held = |entry: &dsl::catalogue::Entry| Err(Refusal::Held(Reason::new(entry.code, "")));
        let skipped = |entry: &dsl::catalogue::Entry| Err(Refusal::Skipped(Reason::new(entry.code, "")));
        let (all, creates, updates) = ([true; 3], [true, false, false], [false, true, false]);
        // Operations, void, an id is known, written without one -> action
        let table = [
            (all, false, false, false, Ok(Create)),
            (all, false, true, false, Ok(Update)),
            (all, false, false, true, held(&target::ID_UNKNOWN)),
            (all, true, true, false, Ok(Void)),
            (all, true, false, false, skipped(&target::VOID_UNWRITTEN)),
            (all, true, false, true, held(&target::ID_UNKNOWN)),
            (creates, false, false, false, Ok(Create)),
            (creates, false, true, false, skipped(&target::NO_UPDATE)),
            (creates, false, false, true, skipped(&target::NO_UPDATE)),
            (creates, true, true, false, held(&target::VOID_UNSUPPORTED)),
            (creates, true, false, false, skipped(&target::VOID_UNWRITTEN)),
            (creates, true, false, true, held(&target::VOID_UNSUPPORTED)),
            (updates, false, false, false, held(&target::NO_UPDATE)),
        ];
        for (can, is_void, has_target, nameless, want) in table {
            assert_eq!(
                action_of(can, is_void, has_target, nameless),
                want,
                "{can:?} {is_void} {has_target} {nameless}"
            );
        }
    }

    /// What was written and is cancelled is somewhere, also where the target tells no ids and the same key makes the same
    /// document.
    #[test]
    fn whose_id_is_missed() {
        // Written, an id is known, void, the same key makes the same document -> missed
        for (known, void, remakes, want) in [
            ([true, false], false, false, true),
            ([true, false], false, true, false),
            ([true, false], true, true, true),
            ([true, false], true, false, true),
            ([true, true], true, true, false),
            ([false, false], true, true, false),
            ([false, false], false, false, false),
        ] {
            assert_eq!(
                is_nameless(known, void, remakes),
                want,
                "{known:?} {void} {remakes}"
            );
        }
    }

    /// A machine that was off for days has not tried: the first try after it does not end the wait.
    #[test]
    fn an_outage_is_no_waiting() {
        let day = 24 * 3_600_000;
        let mut row = SourceRow {
            record: RecordId(1),
            key: String::new(),
            label: String::new(),
            version: String::new(),
            void: false,
            source: Vec::new(),
            newer: None,
            state: flow::op::RecordState::Pending,
            action: None,
            form: None,
            tkey: None,
            target_id: None,
            number: None,
            since: 0,
            waits_since: Some(0),
            maybe_sent: false,
            lines: None,
            waited: 1_000,
            tried: Some(5_000),
            step: None,
            line: None,
            step_tkey: None,
            as_stored: None,
            written: false,
            voided: false,
            behind: None,
            steps: Vec::new(),
            saved: None,
            in_document: false,
        };
        assert_eq!(waited(&row, 5_000 + 60_000), 61_000);
        assert_eq!(waited(&row, 5_000 + 4 * day), 1_000 + WAIT_GAP);
        row.tried = None;
        assert_eq!(waited(&row, 4 * day), 1_000, "never tried");
    }
}
