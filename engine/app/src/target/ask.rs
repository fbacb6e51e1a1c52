//! Questions to the target: what it has under the keys of records.

use std::collections::BTreeMap;

use connector::Found as Had;
use dsl::diagnostic::Failure;
use dsl::facts::Action;
use dsl::lookup::Hits;
use dsl::path::Path;
use dsl::value::{Map, Value};
use flow::ids::RecordId;
use flow::{Found, ReadFailure, ReadFailureKind, TransformItem};
use ledger::Reader;

use super::{TargetWriter, Work, as_map, group};
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
        records: &[RecordId],
    ) -> Result<Result<Vec<Found>, ReadFailure>, AppError> {
        let mut found: BTreeMap<RecordId, Found> = BTreeMap::new();
        for group in self.questions(reader, records)? {
            match self.ask_group(&group).await {
                Ok(answers) => found.extend(group.rows.iter().map(|(record, _)| *record).zip(answers)),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(records
            .iter()
            .map(|record| found.remove(record).unwrap_or(Found::None))
            .collect()))
    }

    /// Records with the same operation and options are asked about together.
    fn questions(&self, reader: &Reader, records: &[RecordId]) -> Result<Vec<Question>, AppError> {
        let target = self.target()?;
        let sources = reader.sources(records)?;
        let mut groups: BTreeMap<u64, Question> = BTreeMap::new();
        for record in records {
            let source = sources
                .iter()
                .find(|source| source.record == *record)
                .ok_or_else(|| AppError::bug("a record that is asked about has no source row"))?;
            let (options, tkey) = match self.documents.get(record) {
                Some(document) => (document.built.options.clone(), document.built.tkey.clone()),
                None => {
                    let row = dsl::json::parse(&source.source)
                        .map_err(|_| AppError::bug("a stored row is not JSON"))?;
                    let item = TransformItem {
                        record: *record,
                        has_target: false,
                        void: false,
                    };
                    let work = Work::new(target, item, source, row, Ok(Action::Create))?;
                    let options = target.call_options(&self.cx(&work, Action::Create), &Hits::new())?;
                    (options, source.tkey.as_deref().map(key_parts).unwrap_or_default())
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
                    rows: Vec::new(),
                })
                .rows
                .push((*record, tkey));
        }
        Ok(groups.into_values().collect())
    }

    async fn ask_group(&self, question: &Question) -> Result<Vec<Found>, ReadFailure> {
        let unusable = |failure: Failure| ReadFailure {
            kind: ReadFailureKind::Unusable,
            wait: None,
            reason: reason::of_failure(&failure, self.lang),
        };
        let tkeys: Vec<Vec<String>> = question.rows.iter().map(|(_, tkey)| tkey.clone()).collect();
        let connection = &self.caller.connection;
        let ask = connection
            .ask(
                &question.operation,
                &question.options,
                &question.key_fields,
                &tkeys,
                None,
                self.instant,
            )
            .map_err(unusable)?;
        let Some(ask) = ask else {
            return Err(unusable(Failure::new(&dsl::catalogue::target::CANNOT_ASK)));
        };
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
                let found = connection.rows(call.operation, &call, answer).map_err(unusable)?;
                rows.extend(found.rows);
                match &mut call.page {
                    Some(next) if found.more && page < ASK_PAGES => {
                        next.number += 1;
                        next.offset += i64::from(next.size);
                    }
                    _ if found.more => {
                        return Err(unusable(Failure::new(&dsl::catalogue::target::CANNOT_ASK)));
                    }
                    _ => break,
                }
            }
        }
        connection
            .ask_rows(&ask, &rows)
            .into_iter()
            .map(|had| match had {
                Had::One { id: Some(id), number } => Ok(Found::One { id, number }),
                // Without its id a document can be neither updated nor told from another.
                Had::One { id: None, .. } => Err(unusable(Failure::new(&dsl::catalogue::target::CANNOT_ASK))),
                Had::None => Ok(Found::None),
                Had::Many => Ok(Found::Many),
            })
            .collect()
    }
}

/// Records asked about in the same calls.
struct Question {
    operation: String,
    options: Map,
    key_fields: Vec<Path>,
    rows: Vec<(RecordId, Vec<String>)>,
}

fn key_parts(text: &str) -> Vec<String> {
    match dsl::json::parse(text.as_bytes()) {
        Ok(Value::List(parts)) => parts.iter().filter_map(Value::to_plain_text).collect(),
        _ => Vec::new(),
    }
}
