//! Questions to the target: what it has under the keys of records.

use std::collections::BTreeMap;

use connector::{Found as Had, WhenNone};
use dsl::diagnostic::Failure;
use dsl::facts::Action;
use dsl::lookup::Hits;
use dsl::path::Path;
use dsl::plan::TargetPlan;
use dsl::value::{Map, Value};
use flow::ids::RecordId;
use flow::op::WriteAction;
use flow::{Found, Purpose, ReadFailure, ReadFailureKind, TransformItem};
use ledger::Reader;

use super::{TargetWriter, Work, as_map, attempt_bytes, group};
use crate::caller::{Effect, Ended};
use crate::error::AppError;
use crate::reason;

/// Pages of the answer to one question; its keys are few.
const ASK_PAGES: u32 = 100;

impl TargetWriter {
    /// Asks the target what it has under the keys of some records, in the order of the records.
    pub(crate) async fn ask(
        &self,
        reader: &Reader,
        purpose: Purpose,
        records: &[RecordId],
    ) -> Result<Result<Vec<Found>, ReadFailure>, AppError> {
        if let Some(by_step) = self.by_step(&self.sources(reader, records)?) {
            return self.ask_steps(reader, purpose, records, &by_step).await;
        }
        let mut found: BTreeMap<RecordId, Found> = BTreeMap::new();
        // What a look-up of the options found when the document was sent is not kept: without its document a record of
        // such a scheme cannot be asked about.
        let Some(mut questions) = self.questions(reader, purpose, records, &mut found)? else {
            return Ok(Err(self.cannot_ask()));
        };
        if purpose == Purpose::Resolve {
            self.recall(reader, &mut questions)?;
        }
        for group in questions {
            match self.ask_group(&group).await {
                Ok(answers) => {
                    let told = group.rows.iter().zip(answers);
                    found.extend(told.map(|(row, answer)| {
                        (row.record, self.believed(purpose, &group.operation, row, answer))
                    }));
                }
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(records
            .iter()
            .map(|record| found.remove(record).unwrap_or(Found::None))
            .collect()))
    }

    /// Of a lost answer "not there" is no proof where the connector says so: then a person decides.
    fn believed(&self, purpose: Purpose, operation: &str, asked: &Asked, found: Found) -> Found {
        let holds = || self.caller.connection.when_none(operation) == WhenNone::Hold;
        if purpose != Purpose::Resolve || found != Found::None || !holds() {
            return found;
        }
        let failure = Failure::new(&dsl::catalogue::target::CANNOT_ASK)
            .with("vendor", format!("{} → none", asked.key.join(", ")));
        Found::Foreign(reason::of_failure(&failure, self.lang))
    }

    fn cannot_ask(&self) -> ReadFailure {
        self.unusable(&Failure::new(&dsl::catalogue::target::CANNOT_ASK))
    }

    pub(super) fn unusable(&self, failure: &Failure) -> ReadFailure {
        ReadFailure {
            kind: ReadFailureKind::Unusable,
            wait: None,
            reason: reason::of_failure(failure, self.lang),
        }
    }

    /// Records with the same operation and options are asked about together. `None` when it is not known with which
    /// options one of them was sent. Those that are not asked about, because their rows do not say which calls they get,
    /// are put to what is known already.
    fn questions(
        &self,
        reader: &Reader,
        purpose: Purpose,
        records: &[RecordId],
        told: &mut BTreeMap<RecordId, Found>,
    ) -> Result<Option<Vec<Question>>, AppError> {
        let target = self.target()?;
        let by_id = purpose == Purpose::Resolve && super::asks_updates(target, &self.caller.connection);
        let sources = self.sources(reader, records)?;
        let mut groups: BTreeMap<u64, Question> = BTreeMap::new();
        for record in records {
            let source = sources
                .iter()
                .find(|source| source.record == *record)
                .ok_or_else(|| AppError::bug("a record that is asked about has no source row"))?;
            let mut row =
                dsl::json::parse(&source.source).map_err(|_| AppError::bug("a stored row is not JSON"))?;
            self.plan.source.make_lists(&mut row);
            let item = TransformItem {
                record: *record,
                has_target: false,
                void: false,
            };
            let work = Work::new(target, item, source, row, Ok(Action::Create))?;
            if let Some(name) = &source.step {
                let (Some(at), Some(id)) = (target.step(name), &source.target_id) else {
                    return Ok(None);
                };
                let step = &target.steps[at];
                let options = target.step_options(&self.cx(&work, Action::Step), step)?;
                let next = match self.step_from(target, &work, at + 1, None) {
                    Ok(next) => next,
                    Err(failure) => {
                        told.insert(*record, self.cannot_tell(&failure));
                        continue;
                    }
                };
                groups
                    .entry(group(&step.operation, &options))
                    .or_insert_with(|| Question {
                        operation: step.operation.clone(),
                        options: as_map(&options),
                        key_fields: Vec::new(),
                        by_id: true,
                        rows: Vec::new(),
                    })
                    .rows
                    .push(Asked {
                        record: *record,
                        line: source.line.clone(),
                        key: vec![id.clone()],
                        steps: vec![next],
                        sent: None,
                        sends: Vec::new(),
                    });
                continue;
            }
            let (options, tkey) = match self.documents.get(record) {
                Some(document) => (document.options.as_ref().clone(), document.tkey.clone()),
                None => {
                    let options = target.call_options(&self.cx(&work, Action::Create), &Hits::new())?;
                    let Some(options) = options else { return Ok(None) };
                    (options, source.tkey.as_deref().map(key_parts).unwrap_or_default())
                }
            };
            if by_id
                && source.action == Some(WriteAction::Update)
                && let (Some(update), Some(id)) = (&target.update, &source.target_id)
            {
                // New lines that it brought would have ids that nobody told: the writing half lets a person decide.
                let sent = match target.reads_line_ids && self.may_bring_lines(target, *record) {
                    true => None,
                    false => reader.doubtful_payload(*record)?,
                };
                let sent = sent.map(|payload| dsl::json::parse(&payload)).transpose();
                let sent = sent.map_err(|_| AppError::bug("a stored document is not JSON"))?;
                groups
                    .entry(group(update, &options))
                    .or_insert_with(|| Question {
                        operation: update.clone(),
                        options: as_map(&options),
                        key_fields: Vec::new(),
                        by_id: true,
                        rows: Vec::new(),
                    })
                    .rows
                    .push(Asked {
                        record: *record,
                        line: source.line.clone(),
                        key: vec![id.clone()],
                        steps: Vec::new(),
                        sent: Some(sent.unwrap_or(Value::Null)),
                        sends: Vec::new(),
                    });
                continue;
            }
            // Which step follows, for each place up to which the document may have come.
            let steps = (0..=target.steps.len())
                .map(|made| self.step_from(target, &work, made, None))
                .collect::<Result<Vec<_>, Failure>>();
            let steps = match steps {
                Ok(steps) => steps,
                Err(failure) => {
                    told.insert(*record, self.cannot_tell(&failure));
                    continue;
                }
            };
            let operation = target
                .create
                .clone()
                .or_else(|| target.update.clone())
                .unwrap_or_default();
            groups
                .entry(group(&operation, &options))
                .or_insert_with(|| Question {
                    operation,
                    options: as_map(&options),
                    key_fields: target.key.clone(),
                    by_id: false,
                    rows: Vec::new(),
                })
                .rows
                .push(Asked {
                    record: *record,
                    line: source.line.clone(),
                    key: tkey,
                    steps,
                    sent: None,
                    sends: Vec::new(),
                });
        }
        Ok(Some(groups.into_values().collect()))
    }

    /// Whether the document of a record has lines that the target did not tell the ids of; one that is not at hand may.
    fn may_bring_lines(&self, target: &TargetPlan, record: RecordId) -> bool {
        let Some(document) = self.documents.get(&record) else {
            return true;
        };
        let lines = &document.lines;
        match &document.kept {
            Some(kept) => kept.fresh(lines, &target.keyed).is_some(),
            None => lines.iter().any(|list| !list.keys.is_empty()),
        }
    }

    /// Puts to each record which sends are in doubt, and what was sent of the fields by which its document is told from
    /// another one.
    fn recall(&self, reader: &Reader, questions: &mut [Question]) -> Result<(), AppError> {
        let target = self.target()?;
        if self.caller.is_database() {
            let asked = questions.iter_mut().filter(|question| !question.by_id);
            for row in asked.flat_map(|question| &mut question.rows) {
                let sends = reader.sends_of(row.record, row.line.as_deref().or(self.step.as_deref()))?;
                row.sends = sends
                    .iter()
                    .map(|mark| connector::uuid4(attempt_bytes(mark)))
                    .collect();
            }
        }
        if target.fingerprint.is_empty() {
            return Ok(());
        }
        let asked = questions.iter_mut().filter(|question| !question.by_id);
        for row in asked.flat_map(|question| &mut question.rows) {
            if let Some(payload) = reader.doubtful_payload(row.record)? {
                let sent = dsl::json::parse(&payload);
                row.sent = Some(sent.map_err(|_| AppError::bug("a stored document is not JSON"))?);
            }
        }
        Ok(())
    }

    /// The document that was found is not as it was sent: the sentence, where it is so.
    fn foreign(
        &self,
        question: &Question,
        ask: &connector::Ask,
        nth: usize,
        rows: &[Value],
    ) -> Option<flow::op::Reason> {
        if ask.is_noted() {
            let failure = Failure::new(&dsl::catalogue::target::NOT_OURS)
                .with("fields", "attempt")
                .with("vendor", question.rows.get(nth)?.key.join(", "));
            return self
                .is_noted_by_others(question, ask, nth, rows)
                .then(|| reason::of_failure(&failure, self.lang));
        }
        if question.by_id {
            return None;
        }
        let (row, target) = (question.rows.get(nth)?, self.plan.target.as_ref()?);
        let sent = row.sent.as_ref()?;
        let under = match &target.key_under {
            Some(under) => under.get(sent)?,
            None => sent,
        };
        let pairs: Vec<(String, Option<&Value>)> = target
            .fingerprint
            .iter()
            .map(|path| (path.to_string(), path.get(under)))
            .collect();
        let differ = self.caller.connection.differs(ask, nth, rows, &pairs);
        if differ.is_empty() {
            return None;
        }
        let failure = Failure::new(&dsl::catalogue::target::NOT_OURS)
            .with("fields", differ.join(", "))
            .with("vendor", row.key.join(", "));
        Some(reason::of_failure(&failure, self.lang))
    }

    /// The note names a send that is none of those in doubt: it tells of another write, by another scheme, by an engine
    /// with another ledger, or of a life that this one has forgotten.
    fn is_noted_by_others(
        &self,
        question: &Question,
        ask: &connector::Ask,
        nth: usize,
        rows: &[Value],
    ) -> bool {
        let sends = question.rows.get(nth).map_or(&[][..], |row| &row.sends);
        let by = self.caller.connection.noted_by(ask, nth, rows);
        ask.is_noted() && !sends.is_empty() && by.is_some_and(|by| !sends.contains(&by))
    }

    /// All rows of the calls of a question.
    pub(super) async fn answers(&self, ask: &connector::Ask) -> Result<Vec<Value>, ReadFailure> {
        let connection = &self.caller.connection;
        let mut rows = Vec::new();
        for call in &ask.calls {
            let mut call = call.as_call();
            // "Not there" is believed only of an answer that was read to its end.
            for page in 1.. {
                let ended = self.caller.call(&call, 0, Effect::None).await;
                if let Some(failure) =
                    reason::read_failure(&ended, &self.caller, self.lang, reason::Side::Target)
                {
                    return Err(failure);
                }
                let Ended::Answered { answer, .. } = &ended else {
                    break;
                };
                let found = connection
                    .rows(call.operation, &call, answer)
                    .map_err(|failure| self.unusable(&failure))?;
                rows.extend(found.rows);
                match &mut call.page {
                    Some(next) if found.more && page < ASK_PAGES => {
                        next.number += 1;
                        next.offset += i64::from(next.size);
                    }
                    _ if found.more => {
                        return Err(self.cannot_ask());
                    }
                    _ => break,
                }
            }
        }
        Ok(rows)
    }

    async fn ask_group(&self, question: &Question) -> Result<Vec<Found>, ReadFailure> {
        let unusable = |failure: Failure| self.unusable(&failure);
        let tkeys: Vec<Vec<String>> = question.rows.iter().map(|row| row.key.clone()).collect();
        let ids: Vec<String> = tkeys.iter().flatten().cloned().collect();
        let connection = &self.caller.connection;
        let ask = connection
            .ask(
                &question.operation,
                &question.options,
                &question.key_fields,
                &tkeys,
                question.by_id.then_some(ids.as_slice()),
                self.instant,
            )
            .map_err(unusable)?;
        let Some(mut ask) = ask else {
            return Err(self.cannot_ask());
        };
        if let Some(target) = &self.plan.target
            && !question.by_id
            && question.rows.iter().any(|row| row.sent.is_some())
            && !ask.is_noted()
        {
            ask.show(&target.fingerprint);
        }
        let rows = self.answers(&ask).await?;
        connection
            .ask_rows(&ask, &rows)
            .into_iter()
            .enumerate()
            .map(|(nth, had)| match had {
                // What was not written takes the place of what is there, where the operation does so.
                Had::One { .. }
                    if !connection.refuses_second(&question.operation)
                        && self.is_noted_by_others(question, &ask, nth, &rows) =>
                {
                    Ok(Found::None)
                }
                // An update that the document does not show was not made, or was written over: it is sent again.
                Had::One { .. }
                    if question.by_id
                        && question
                            .rows
                            .get(nth)
                            .and_then(|row| row.sent.as_ref())
                            .is_some_and(|sent| !connection.shows(&ask, nth, &rows, sent)) =>
                {
                    Ok(Found::None)
                }
                Had::One { id: Some(id), number } => Ok(match self.foreign(question, &ask, nth, &rows) {
                    Some(reason) => Found::Foreign(reason),
                    None => Found::One {
                        id,
                        number,
                        next: self.next_of(question, &ask, nth, &rows),
                    },
                }),
                // Without its id a document can be neither updated nor told from another.
                Had::One { id: None, .. } => Err(self.cannot_ask()),
                Had::None => Ok(Found::None),
                Had::Many => Ok(Found::Many),
            })
            .collect()
    }
}

impl TargetWriter {
    /// The step that follows, from how far the document shows that it came.
    fn next_of(
        &self,
        question: &Question,
        ask: &connector::Ask,
        nth: usize,
        rows: &[Value],
    ) -> Option<String> {
        let steps = &question.rows.get(nth)?.steps;
        let all = self.plan.target.iter().flat_map(|target| &target.steps);
        let made = if question.by_id {
            0
        } else {
            let connection = &self.caller.connection;
            all.take_while(|step| connection.passed(ask, nth, rows, &step.operation))
                .count()
        };
        steps.get(made).cloned().flatten()
    }
}

/// A record that is asked about.
struct Asked {
    record: RecordId,
    /// The call that it is about, where its step is made for each line.
    line: Option<String>,
    /// Its key at the target, or the id of its document.
    key: Vec<String>,
    /// The step that follows, by how many are made.
    steps: Vec<Option<String>>,
    /// The document whose answer was lost: of an update, or where the scheme tells its own by more than the key.
    sent: Option<Value>,
    /// The sends of which one may have written it, as its note would name them; empty where that is not known.
    sends: Vec<String>,
}

/// Records asked about in the same calls.
struct Question {
    operation: String,
    options: Map,
    key_fields: Vec<Path>,
    /// The documents are known.
    by_id: bool,
    rows: Vec<Asked>,
}

fn key_parts(text: &str) -> Vec<String> {
    match dsl::json::parse(text.as_bytes()) {
        Ok(Value::List(parts)) => parts.iter().filter_map(Value::to_plain_text).collect(),
        _ => Vec::new(),
    }
}
