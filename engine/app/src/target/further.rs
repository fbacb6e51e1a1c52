//! Documents that steps write for themselves: each step has a writer of its own, which makes, sends and asks about them as
//! if they were those of a scheme; what comes after them is decided by the writer of the record.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::diagnostic::{Failure, Lang};
use dsl::facts::Action;
use dsl::plan::{Plan, StepDone};
use dsl::value::{Map, Value};
use flow::ids::{Blob, Ms, RecordId};
use flow::op::{LedgerOp, Refusal, Resolution, Settlement, WriteAction, step_of};
use flow::{Found, Purpose, ReadFailure, TransformItem, Transformed};
use ledger::Reader;
use ledger::read::{AttemptMark, SourceRow, StepMade};

use super::{NO_ID, Sending, Sent, TargetWriter, Work};
use crate::caller::{Caller, Ended};
use crate::error::AppError;
use crate::payloads::BlobStore;

/// What stands for the number of a document that a rehearsal did not write.
const NO_NUMBER: &str = "$target.number";

/// What the steps of a record came to; and, where one of them is being written, the document of the record itself.
pub(super) fn results(source: &SourceRow) -> (Option<StepDone>, Vec<StepDone>) {
    let done = |made: &StepMade| StepDone {
        name: made.step.clone(),
        id: made.id.clone(),
        number: made.number.clone(),
    };
    let main = source.steps.iter().find(|made| made.step.is_empty());
    let steps = source.steps.iter().filter(|made| !made.step.is_empty());
    (main.map(done), steps.map(done).collect())
}

/// Whether a line that would be made behind this document may have been made already, under an identity of other fields. It is
/// asked before anything is written: the record stands at no line then, so that the scheme can be put right.
pub(super) fn will_be_sent_otherwise(
    target: &dsl::plan::TargetPlan,
    row: &Value,
    made: &[StepDone],
) -> Option<Refusal> {
    let nameless = target.steps.iter().filter(|step| {
        let document = step.document.as_ref();
        document.is_some_and(|document| document.key.is_empty())
    });
    for step in nameless {
        // Lines that cannot be told apart are said by `check_lines`.
        let Some(Ok(lines)) = step.each().map(|each| each.lines(&step.name, row)) else {
            continue;
        };
        let mut due = lines
            .iter()
            .filter(|line| !made.iter().any(|one| one.name == line.name));
        let found = due.find_map(|line| sent_otherwise(Some(&line.name), made, Action::Create, &[]));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether a line without a key may have been made already, under an identity of other fields: no target refuses it.
pub(super) fn sent_otherwise(
    line: Option<&str>,
    steps: &[StepDone],
    action: Action,
    tkey: &[String],
) -> Option<Refusal> {
    let call = line.filter(|_| action == Action::Create && tkey.is_empty())?;
    let mut made = steps.iter().map(|made| made.name.as_str());
    let made = made.find(|made| dsl::plan::keyed_otherwise(made, call))?;
    Some(Refusal::Held(crate::reason::line_keyed_otherwise(made, call)))
}

impl TargetWriter {
    /// Writers for the documents of steps; `caller` gives who calls a connection.
    pub(crate) fn with_steps(
        mut self,
        lang: Lang,
        caller: impl Fn(&dsl::plan::TargetPlan) -> Result<Arc<Caller>, AppError>,
    ) -> Result<Self, AppError> {
        let plan = Arc::clone(&self.plan);
        let steps = plan.target.iter().flat_map(|target| &target.steps);
        for step in steps {
            let Some(document) = &step.document else { continue };
            let own = Plan {
                target: Some(document.as_ref().clone()),
                ..plan.as_ref().clone()
            };
            let caller = caller(document)?;
            let mut writer = TargetWriter::new(
                Arc::new(own),
                caller,
                self.instant,
                lang,
                self.dry,
                self.objects.clone(),
            );
            writer.step = Some(step.name.clone());
            self.further.insert(step.name.clone(), writer);
        }
        Ok(self)
    }

    /// The rows of records. To who writes the documents of a step, a record is what that step has made of it.
    pub(super) fn sources(&self, reader: &Reader, records: &[RecordId]) -> Result<Vec<SourceRow>, AppError> {
        let mut sources = reader.sources(records)?;
        if let Some(step) = &self.step {
            for source in &mut sources {
                self.as_step(step, source);
            }
        }
        Ok(sources)
    }

    fn as_step(&self, step: &str, source: &mut SourceRow) {
        let call = source.step.as_deref().unwrap_or(step);
        let made = source.steps.iter().find(|made| made.step == *call).cloned();
        let (mut id, mut number) = (source.target_id.take(), source.number.take());
        if self.dry {
            id.get_or_insert_with(|| NO_ID.to_owned());
            number.get_or_insert_with(|| NO_NUMBER.to_owned());
        }
        source.steps.push(StepMade {
            step: String::new(),
            id,
            number,
            said: false,
        });
        source.written = made.is_some();
        if let Some(made) = made {
            source.target_id = made.id;
            source.number = made.number;
        }
        source.tkey = source.step_tkey.take();
        source.line = source.step.take().filter(|call| call != step);
        source.lines = None;
        source.as_stored = None;
        source.voided = false;
    }

    /// The steps with documents at which records stand; `None` where none of them does.
    pub(super) fn by_step(&self, sources: &[SourceRow]) -> Option<BTreeMap<RecordId, String>> {
        let standing = sources.iter().filter_map(|source| {
            let step = source.step.as_ref()?;
            let is_own = self.further.contains_key(step_of(step));
            is_own.then(|| (source.record, step.clone()))
        });
        let by_step: BTreeMap<RecordId, String> = standing.collect();
        (!by_step.is_empty()).then_some(by_step)
    }

    /// Records of which some stand at steps that write documents.
    pub(super) fn transform_steps(
        &mut self,
        reader: &Reader,
        items: &[TransformItem],
        by_step: &BTreeMap<RecordId, String>,
        blobs: &mut BlobStore,
        now: Ms,
    ) -> Result<Vec<Transformed>, AppError> {
        let mut parts: BTreeMap<Option<&str>, Vec<TransformItem>> = BTreeMap::new();
        for item in items {
            let step = by_step.get(&item.record).map(|call| step_of(call));
            parts.entry(step).or_default().push(*item);
        }
        let mut found: BTreeMap<RecordId, Transformed> = BTreeMap::new();
        for (step, mut part) in parts {
            let outcomes = match step {
                None => self.transform(reader, &part, blobs, now)?,
                Some(step) => {
                    let records: Vec<RecordId> = part.iter().map(|item| item.record).collect();
                    let nexts = self.nexts(reader, &records)?;
                    let mut left = self.left_line(reader, &records)?;
                    self.forget(&records);
                    let (mut there, mut nexts_of_those) = (Vec::new(), Vec::new());
                    for (item, next) in part.iter().zip(nexts) {
                        let next = left.remove(&item.record).map_or(next, Behind::Gone);
                        match next {
                            Behind::Next(next) => {
                                there.push(*item);
                                nexts_of_those.push(next);
                            }
                            Behind::Gone(call) => {
                                let held = Refusal::Held(crate::reason::line_gone(&call));
                                found.insert(item.record, Transformed::Refused(held));
                            }
                            Behind::Failed(failure) => {
                                found.insert(item.record, self.fails(&failure));
                            }
                        }
                    }
                    part = there;
                    let writer = self.writer_of(step)?;
                    let outcomes = writer.transform(reader, &part, blobs, now)?;
                    let joined = outcomes.into_iter().zip(nexts_of_those);
                    let outcomes = joined.map(|(outcome, next)| match outcome {
                        Transformed::Ready(mut ready) => {
                            ready.next = next;
                            ready.half = None;
                            Transformed::Ready(ready)
                        }
                        refused @ Transformed::Refused(_) => refused,
                    });
                    outcomes.collect()
                }
            };
            found.extend(part.iter().map(|item| item.record).zip(outcomes));
        }
        let outcomes = items.iter().map(|item| {
            let found = found.remove(&item.record);
            found.ok_or_else(|| AppError::bug("a record was not evaluated"))
        });
        outcomes.collect()
    }

    /// The call behind the one at which a record stands that is asked about. Where it cannot be told, nothing follows from
    /// an answer: a person decides about this record, and the others are asked about.
    fn behind(&self, behind: Behind) -> Result<Option<String>, Found> {
        match behind {
            Behind::Next(next) => Ok(next),
            Behind::Gone(call) => Err(Found::Foreign(crate::reason::line_gone(&call))),
            Behind::Failed(failure) => Err(self.cannot_tell(&failure)),
        }
    }

    /// What stands for an answer about a record whose row does not say which calls it gets.
    pub(super) fn cannot_tell(&self, failure: &Failure) -> Found {
        Found::Foreign(self.refused(failure))
    }

    fn refused(&self, failure: &Failure) -> flow::op::Reason {
        let reason = crate::reason::of_failure(failure, self.lang);
        flow::op::Reason::new(reason.code, self.caller.redact(&reason.text))
    }

    fn fails(&self, failure: &Failure) -> Transformed {
        Transformed::Refused(flow::op::Refusal::Dead(self.refused(failure)))
    }

    /// A document that was made for an earlier call of these records is not what is sent now.
    fn forget(&mut self, records: &[RecordId]) {
        for record in records {
            self.documents.remove(record);
            for further in self.further.values_mut() {
                further.documents.remove(record);
            }
        }
    }

    fn writer_of(&mut self, step: &str) -> Result<&mut TargetWriter, AppError> {
        let writer = self.further.get_mut(step);
        writer.ok_or_else(|| AppError::bug("a step without a writer"))
    }

    /// The call behind the one at which each of these records stands, in their order.
    fn nexts(&self, reader: &Reader, records: &[RecordId]) -> Result<Vec<Behind>, AppError> {
        let target = self.target()?;
        let sources = reader.sources(records)?;
        let mut nexts = Vec::with_capacity(records.len());
        for record in records {
            let source = sources.iter().find(|source| source.record == *record);
            let source = source.ok_or_else(|| AppError::bug("a picked record has no source row"))?;
            let call = source.step.as_deref().unwrap_or_default();
            let Some(at) = target.step(call) else {
                // It was made for each line, or is now.
                nexts.push(Behind::Gone(call.to_owned()));
                continue;
            };
            let work = self.work(source)?;
            let each = target.steps[at].each();
            let next = match each.map(|each| each.line(call, &work.row)) {
                None => self.step_from(target, &work, at + 1, None).map(Behind::Next),
                Some(Ok(Some(_))) => self.step_from(target, &work, at, Some(call)).map(Behind::Next),
                Some(Ok(None)) => Ok(Behind::Gone(call.to_owned())),
                Some(Err(failure)) => Err(failure),
            };
            nexts.push(next.unwrap_or_else(Behind::Failed));
        }
        Ok(nexts)
    }

    /// The line at which a record stands, where its newer row has it no more: what waits says nothing of the document that
    /// is written, but a line that somebody took away is not made behind their back.
    fn left_line(
        &self,
        reader: &Reader,
        records: &[RecordId],
    ) -> Result<BTreeMap<RecordId, String>, AppError> {
        let target = self.target()?;
        let mut left = BTreeMap::new();
        for source in reader.sources(records)? {
            let (Some(call), Some(newer)) = (&source.step, &source.newer) else {
                continue;
            };
            let step = target.step(call).map(|at| &target.steps[at]);
            let Some(each) = step.and_then(|step| step.each()) else {
                continue;
            };
            let mut row = dsl::json::parse(newer).map_err(|_| AppError::bug("a stored row is not JSON"))?;
            self.plan.source.make_lists(&mut row);
            // Lines that cannot be told apart are said of that row when it is its turn.
            if let Ok(None) = each.line(call, &row) {
                left.insert(source.record, call.clone());
            }
        }
        Ok(left)
    }

    fn work<'s>(&self, source: &'s SourceRow) -> Result<Work<'s>, AppError> {
        let mut row =
            dsl::json::parse(&source.source).map_err(|_| AppError::bug("a stored row is not JSON"))?;
        self.plan.source.make_lists(&mut row);
        let item = TransformItem {
            record: source.record,
            has_target: source.target_id.is_some(),
            void: source.void,
        };
        Work::new(self.target()?, item, source, row, Ok(Action::Step))
    }

    /// The step whose document a claimed call is about.
    pub(super) fn step_of(&self, rows: &[(RecordId, Blob)]) -> Option<String> {
        let (record, _) = rows.first()?;
        let mut all = self.further.iter();
        let found = all.find(|(_, writer)| writer.documents.contains_key(record));
        found.map(|(step, _)| step.clone())
    }

    pub(super) async fn send_step(
        &mut self,
        step: &str,
        what: Sending<'_>,
        (action, rows, mark): (WriteAction, &[(RecordId, Blob)], Option<&AttemptMark>),
        blobs: &mut BlobStore,
    ) -> Sent {
        let Some(writer) = self.further.get_mut(step) else {
            return Sent::Answered(super::bug("a step without a writer"));
        };
        let sent = writer.send(what, action, rows, mark, blobs).await;
        let previews = std::mem::take(&mut writer.previews);
        self.previews.extend(previews);
        sent
    }

    /// Asks about records of which some stand at steps that write documents.
    pub(super) async fn ask_steps(
        &self,
        reader: &Reader,
        purpose: Purpose,
        records: &[RecordId],
        by_step: &BTreeMap<RecordId, String>,
    ) -> Result<Result<Vec<Found>, ReadFailure>, AppError> {
        let mut parts: BTreeMap<Option<&str>, Vec<RecordId>> = BTreeMap::new();
        for record in records {
            let step = by_step.get(record).map(|call| step_of(call));
            parts.entry(step).or_default().push(*record);
        }
        let mut all: BTreeMap<RecordId, Found> = BTreeMap::new();
        for (step, mut part) in parts {
            let answers = match step {
                None => Box::pin(self.ask(reader, purpose, &part)).await?,
                Some(step) => {
                    let writer = self.further.get(step);
                    let writer = writer.ok_or_else(|| AppError::bug("a step without a writer"))?;
                    let (said, others) = said(reader, &part, purpose)?;
                    if !said.is_empty() {
                        let records: Vec<RecordId> = said.iter().map(|(record, _)| *record).collect();
                        let nexts = self.nexts(reader, &records)?;
                        for ((record, made), next) in said.into_iter().zip(nexts) {
                            let found = match self.behind(next) {
                                Ok(next) => Found::One {
                                    id: made.id.unwrap_or_default(),
                                    number: made.number,
                                    next,
                                },
                                Err(found) => found,
                            };
                            all.insert(record, found);
                        }
                    }
                    part = others;
                    if part.is_empty() {
                        continue;
                    }
                    let nexts = self.nexts(reader, &part)?;
                    let (mut there, mut nexts_of_those) = (Vec::new(), Vec::new());
                    for (record, next) in part.iter().zip(nexts) {
                        match self.behind(next) {
                            Ok(next) => {
                                there.push(*record);
                                nexts_of_those.push(next);
                            }
                            // What its options were is not known any more.
                            Err(found) => {
                                all.insert(*record, found);
                            }
                        }
                    }
                    part = there;
                    if part.is_empty() {
                        continue;
                    }
                    let answers = Box::pin(writer.ask(reader, purpose, &part)).await?;
                    answers.map(|answers| {
                        let joined = answers.into_iter().zip(nexts_of_those);
                        let joined = joined.map(|(answer, next)| match answer {
                            // It is there, and not as far as it should be.
                            Found::One { next: Some(_), .. } if purpose == Purpose::Resolve => {
                                Found::Foreign(flow::op::Reason::new(flow::codes::STEP_HALF, ""))
                            }
                            Found::One { id, number, .. } => Found::One { id, number, next },
                            other => other,
                        });
                        joined.collect::<Vec<Found>>()
                    })
                }
            };
            match answers {
                Ok(answers) => all.extend(part.into_iter().zip(answers)),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        let answers = records
            .iter()
            .map(|record| all.remove(record).unwrap_or(Found::None));
        Ok(Ok(answers.collect()))
    }

    /// Remembers the answer to a call about one document until it is settled, where the scheme reads it.
    pub(super) fn hear(&mut self, ended: &Ended, rows: &[(RecordId, Blob)]) {
        let (Ended::Answered { answer, .. }, [(record, _)]) = (ended, rows) else {
            return;
        };
        let reads = self
            .plan
            .target
            .as_ref()
            .is_some_and(|target| !target.saves.is_empty());
        if reads && let Ok(body) = dsl::json::parse(self.caller.connection.readable(answer).as_bytes()) {
            self.heard.insert(*record, body);
        }
    }

    /// What follows from a settlement, in its own transaction: the columns that the scheme keeps beside its records, and
    /// the rows that it gives. Of records that the ledger turns down nothing follows, and it sees to that.
    pub(crate) fn follows(
        &mut self,
        reader: &Reader,
        ops: &[LedgerOp],
        blobs: &mut BlobStore,
    ) -> Result<Vec<LedgerOp>, AppError> {
        let plan = Arc::clone(&self.plan);
        let reads = |target: &&dsl::plan::TargetPlan| !target.saves.is_empty() || target.emit.is_some();
        let Some(target) = plan.target.as_ref().filter(reads) else {
            return Ok(Vec::new());
        };
        if self.dry {
            return Ok(Vec::new());
        }
        let (written, now) = written(ops);
        let ids: Vec<RecordId> = written.iter().map(|one| one.record).collect();
        let sources = reader.sources(&ids)?;
        let (mut rows, mut given) = (Vec::new(), Vec::new());
        for Written {
            record,
            id,
            number,
            is_done,
        } in written
        {
            let Some(source) = sources.iter().find(|source| source.record == record) else {
                continue;
            };
            let body = self.heard.remove(&record);
            // That a row is void leaves what was kept of its document.
            if source.void {
                continue;
            }
            let mut work = self.work(source)?;
            let (mut answer, mut kept) = (Map::new(), Map::new());
            // With the last step comes the row; what the document is called was answered before.
            let mut told = Map::new();
            let text = |name: &str, value: &Option<String>| {
                value.clone().map(|value| (name.to_owned(), Value::Text(value)))
            };
            if source.step.is_some() {
                told.extend(text("id", &source.target_id));
                told.extend(text("number", &source.number));
            }
            match &source.step {
                // The document itself: nothing of an earlier answer is true of it any more.
                None => {
                    let id = id.or_else(|| source.target_id.clone());
                    let number = number.or_else(|| source.number.clone());
                    answer.extend(id.clone().map(|id| ("id".to_owned(), Value::Text(id))));
                    answer.extend(
                        number
                            .clone()
                            .map(|number| ("number".to_owned(), Value::Text(number))),
                    );
                    answer.extend(body.map(|body| ("body".to_owned(), body)));
                    work.main = Some(StepDone {
                        name: String::new(),
                        id,
                        number,
                    });
                }
                Some(step) => {
                    if let Some(Ok(Value::Map(before))) =
                        source.saved.as_ref().map(|saved| dsl::json::parse(saved))
                    {
                        kept = before;
                    }
                    let before = work.steps.iter().find(|made| made.name == *step).cloned();
                    let before = before.unwrap_or_default();
                    work.steps.retain(|made| made.name != *step);
                    work.steps.push(StepDone {
                        name: step.clone(),
                        id: id.or(before.id),
                        number: number.or(before.number),
                    });
                }
            }
            if source.step.is_none() {
                told.clone_from(&answer);
            }
            let (cx, answer, told) = (
                self.cx(&work, Action::Create),
                Value::Map(answer),
                Value::Map(told),
            );
            let (saved, failed) = target.saved(&cx, &answer);
            for (column, failure) in failed {
                tracing::warn!(
                    scheme = plan.scheme,
                    record = record.0,
                    column,
                    code = failure.code(),
                    "a column of on_success.save cannot be computed and is left out"
                );
            }
            if let (Some(emit), true) = (&target.emit, is_done) {
                let row = match target.emitted(&cx, &told) {
                    Ok(row) => row.unwrap_or(Value::Map(Map::new())),
                    // The taker gets a row that says so: without a key it is a dead record there, which somebody sees.
                    Err(failure) => Value::Map(Map::from_iter([
                        ("$emit".to_owned(), Value::from(source.key.as_str())),
                        ("$error".to_owned(), Value::from(failure.code())),
                    ])),
                };
                let (mut push, content) = crate::inbox::given(&plan.scheme, &source.key, row);
                push.content = blobs.add(content);
                given.push(LedgerOp::StorePush {
                    giver: Some(record),
                    scheme: emit.scheme.clone(),
                    push,
                    now,
                });
            }
            if !target.saves.is_empty() {
                kept.extend(saved);
                rows.push((
                    record,
                    blobs.add(dsl::json::to_string(&Value::Map(kept)).into_bytes()),
                ));
            }
        }
        if !rows.is_empty() {
            given.push(LedgerOp::Save { rows });
        }
        Ok(given)
    }
}

/// What comes behind the call at which a record stands.
enum Behind {
    /// The next one, or nothing more.
    Next(Option<String>),
    /// The line that the call is made for is not in the row any more.
    Gone(String),
    /// It cannot be told.
    Failed(Failure),
}

/// A record whose call was accepted.
struct Written {
    record: RecordId,
    id: Option<String>,
    number: Option<String>,
    /// It was the last call.
    is_done: bool,
}

/// What people said of documents of a step.
type Said = Vec<(RecordId, StepMade)>;

/// The records of which a person said that the document of this step is there, with what was said, and the others.
fn said(reader: &Reader, records: &[RecordId], purpose: Purpose) -> Result<(Said, Vec<RecordId>), AppError> {
    let (mut said, mut others) = (Vec::new(), Vec::new());
    let sources = reader.sources(records)?;
    for record in records {
        let source = sources.iter().find(|source| source.record == *record);
        let made = source.and_then(|source| {
            let made = |made: &&StepMade| source.step.as_deref() == Some(made.step.as_str());
            source.steps.iter().find(made)
        });
        match made.filter(|made| made.said && purpose == Purpose::Resolve) {
            Some(made) => said.push((*record, made.clone())),
            None => others.push(*record),
        }
    }
    Ok((said, others))
}

/// The records whose calls are settled as accepted, and when.
fn written(ops: &[LedgerOp]) -> (Vec<Written>, Ms) {
    let (mut all, mut at) = (Vec::new(), 0);
    for op in ops {
        match op {
            LedgerOp::Settle { rows, now, .. } => {
                at = *now;
                all.extend(rows.iter().filter_map(|(record, end)| {
                    let (id, number) = match end {
                        Settlement::Done { id, number, .. } | Settlement::Stepped { id, number, .. } => {
                            (id.clone(), number.clone())
                        }
                        _ => return None,
                    };
                    Some(Written {
                        record: *record,
                        id,
                        number,
                        is_done: matches!(end, Settlement::Done { .. }),
                    })
                }));
            }
            LedgerOp::Resolve { rows, now } => {
                at = *now;
                all.extend(rows.iter().filter_map(|(record, end)| {
                    let (id, number) = match end {
                        Resolution::Done { id, number } | Resolution::Stepped { id, number, .. } => {
                            (id.clone(), number.clone())
                        }
                        _ => return None,
                    };
                    Some(Written {
                        record: *record,
                        id,
                        number,
                        is_done: matches!(end, Resolution::Done { .. }),
                    })
                }));
            }
            _ => {}
        }
    }
    (all, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_may_have_been_sent_under_another_identity() {
        let made = [StepDone {
            name: r#"tell/["1"]"#.to_owned(),
            ..StepDone::default()
        }];
        let key = ["K".to_owned()];
        for (line, action, tkey, holds) in [
            (Some(r#"tell/["a","1"]"#), Action::Create, &[][..], true),
            (Some(r#"tell/["2"]"#), Action::Create, &[], false),
            (None, Action::Create, &[], false),
            // The document is known by its key, or by its id.
            (Some(r#"tell/["a","1"]"#), Action::Create, &key, false),
            (Some(r#"tell/["a","1"]"#), Action::Update, &[], false),
        ] {
            let refusal = sent_otherwise(line, &made, action, tkey);
            assert_eq!(
                refusal.is_some(),
                holds,
                "{line:?} {action:?} {tkey:?}: {refusal:?}"
            );
        }
    }
}
