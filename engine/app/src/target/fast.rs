//! The way of plain records: from the bytes of their rows to the bytes of their documents ([`dsl::slots`]). Whatever is out
//! of the ordinary, of a scheme, of a record or of a row, is left to the plain evaluator, which means the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use dsl::facts::Action;
use dsl::lookup::{Hit, LookupWant};
use dsl::plan::TargetPlan;
use dsl::slots::{Answers, Fast, Outcome, Page, RowAt, RowCx};
use dsl::{Payload, Value};
use flow::op::WriteAction;
use flow::{Ready, Transformed};
use ledger::Reader;
use ledger::read::SourceRow;

use super::{Document, Picked, TargetWriter, as_map, group, key_text};
use crate::error::AppError;
use crate::lookups::Memo;
use crate::payloads::BlobStore;

/// Answers to look-ups that are kept from page to page, of one action. About 200 B each, beside those of the memo.
const ANSWERS: usize = 10_000;

/// By which way the documents of a run were made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ways {
    /// Over slots.
    pub slots: u64,
    /// By the plain evaluator, what failed or waits included.
    pub plain: u64,
}

/// The ways of a writer, made when the first record wants one; `None` = there is none for this action.
#[derive(Default)]
pub(super) struct FastWays(BTreeMap<Action, Option<Box<Way>>>);

/// The way to the documents of one action, and what is the same for all of them.
struct Way {
    fast: Fast,
    page: Page,
    answers: Answers,
    operation: Arc<str>,
    options: Arc<Value>,
    group: u64,
    form: String,
    /// The first step that the target makes in the same call.
    half: Option<String>,
    /// Whether documents known by an id must hold it.
    puts_id: bool,
    /// Bytes of the document that was made last: the next one is about as long.
    out: Vec<u8>,
}

/// A row that was scanned.
struct Scanned {
    /// Its place among the records.
    nth: usize,
    action: Action,
    at: RowAt,
}

impl FastWays {
    /// A new page: what was not found is asked again.
    pub(super) fn next_page(&mut self) {
        for way in self.0.values_mut().flatten() {
            if way.answers.len() > ANSWERS {
                way.answers.clear();
            } else {
                way.answers.forget_misses();
            }
        }
    }
}

impl TargetWriter {
    /// Makes the documents of the records that have a fast way; the others stay `None`.
    pub(super) fn fast_documents(
        &mut self,
        reader: &Reader,
        target: &TargetPlan,
        rows: &[Picked<'_>],
        blobs: &mut BlobStore,
    ) -> Result<Vec<Option<Transformed>>, AppError> {
        let mut outcomes: Vec<Option<Transformed>> = Vec::new();
        outcomes.resize_with(rows.len(), || None);
        if !self.has_fast_ways(target) {
            return Ok(outcomes);
        }
        let mut ways = std::mem::take(&mut self.ways);
        let made = self.over_slots(reader, target, rows, (&mut ways, blobs), &mut outcomes);
        for way in ways.0.values_mut().flatten() {
            way.page.clear();
        }
        self.ways = ways;
        made.map(|()| outcomes)
    }

    /// Whether documents of this scheme may come from the bytes of a row alone.
    fn has_fast_ways(&self, target: &TargetPlan) -> bool {
        // What the target makes in the same call reads nothing of the row.
        let mut steps = target.steps.iter();
        let has_no_calls =
            steps.all(|step| step.by_itself && step.document.is_none() && step.each().is_none());
        let is_plain = target.aggregate.is_none() && has_no_calls && self.step.is_none();
        is_plain && self.pair.is_none() && !self.traced && self.plan.source.lists.is_empty()
    }

    fn over_slots(
        &mut self,
        reader: &Reader,
        target: &TargetPlan,
        rows: &[Picked<'_>],
        (ways, blobs): (&mut FastWays, &mut BlobStore),
        outcomes: &mut [Option<Transformed>],
    ) -> Result<(), AppError> {
        let mut scanned = Vec::with_capacity(rows.len());
        let mut wants: Vec<LookupWant> = Vec::new();
        for (nth, work) in rows.iter().enumerate() {
            let Ok(action) = &work.action else { continue };
            let action = *action;
            if !is_ordinary(work.source, action) {
                continue;
            }
            let way = ways.0.entry(action).or_insert_with(|| self.way(target, action));
            let Some(way) = way else { continue };
            if way.puts_id && work.source.target_id.is_some() {
                continue;
            }
            let Some((at, row)) = way.page.scan_bytes(&way.fast, &work.source.source) else {
                continue;
            };
            let cx = self.row_cx(work.source);
            way.fast.wants(&way.page, at, row, &cx, &way.answers, &mut wants);
            scanned.push(Scanned { nth, action, at });
        }
        if !wants.is_empty() {
            self.memo.fetch(reader, wants.clone())?;
            for way in ways.0.values_mut().flatten() {
                learn(&mut way.answers, &self.memo, &wants);
            }
        }
        for Scanned { nth, action, at } in scanned {
            let (Some(work), Some(Some(way))) = (rows.get(nth), ways.0.get_mut(&action)) else {
                continue;
            };
            outcomes[nth] = self.written(way, work, (action, at), blobs);
        }
        Ok(())
    }

    fn written(
        &mut self,
        way: &mut Way,
        work: &Picked<'_>,
        (action, at): (Action, RowAt),
        blobs: &mut BlobStore,
    ) -> Option<Transformed> {
        let source = work.source;
        let row = std::str::from_utf8(&source.source).ok()?;
        let cx = self.row_cx(source);
        way.out.clear();
        let made = way
            .fast
            .write(&way.page, at, row, &cx, &way.answers, &mut way.out);
        let Outcome::Written { tkey } = made else {
            return None;
        };
        let payload = Payload::written(Arc::from(way.out.as_slice()));
        let ready = Ready {
            action: match action {
                Action::Update => WriteAction::Update,
                _ => WriteAction::Create,
            },
            group: way.group,
            form: way.form.clone(),
            tkey: key_text(&tkey),
            payload: self.keep(&payload, blobs),
            wrote: Vec::new(),
            next: None,
            half: way.half.clone(),
        };
        let document = Document {
            key: source.key.clone(),
            target_id: source.target_id.clone(),
            version: source.version.clone(),
            behind: source.behind,
            frozen: source.tkey.clone(),
            label: source.label.clone(),
            payload,
            options: Arc::clone(&way.options),
            tkey,
            lines: Vec::new(),
            operation: Arc::clone(&way.operation),
            kept: None,
            trace: Vec::new(),
        };
        self.documents.insert(work.item.record, document);
        Some(Transformed::Ready(ready))
    }

    fn row_cx<'w>(&self, source: &'w SourceRow) -> RowCx<'w> {
        RowCx {
            key: &source.key,
            label: &source.label,
            target_id: source.target_id.as_deref(),
            target_number: source.number.as_deref(),
            now_ms: self.instant,
        }
    }

    /// The way of an action, if it has one.
    fn way(&self, target: &TargetPlan, action: Action) -> Option<Box<Way>> {
        let fast = match Fast::of(target, action, &self.plan.zone) {
            Ok(fast) => fast,
            Err(why) => {
                tracing::debug!(scheme = %self.plan.scheme, ?action, why = %why, "no fast way");
                return None;
            }
        };
        let operation = target.operation(action).unwrap_or_default();
        let (options, connection) = (as_map(fast.options()), &self.caller.connection);
        // What an object says of a document is asked of its tree.
        let is_judged = self.objects.meant(connection, operation, &options).is_some();
        (!is_judged).then(|| {
            Box::new(Way {
                page: Page::new(),
                answers: fast.answers(),
                operation: operation.into(),
                group: group(operation, fast.options()),
                form: connection.form(&options),
                half: target.steps.first().map(|step| step.name.clone()),
                puts_id: connection.holds_id(operation, &options),
                options: Arc::new(fast.options().clone()),
                fast,
                out: Vec::new(),
            })
        })
    }
}

/// Whether nothing is known of a record that would make its document another one than its row says.
fn is_ordinary(source: &SourceRow, action: Action) -> bool {
    let is_written_before = action == Action::Update && source.maybe_sent;
    matches!(action, Action::Create | Action::Update)
        // What a document may have brought already is decided over its tree.
        && !is_written_before
        && source.step.is_none()
        && !source.in_document
        && source.as_stored.is_none()
        && source.lines.is_none()
}

/// Hands on what the memo knows: one row is an answer, all else is for the plain evaluator.
fn learn(answers: &mut Answers, memo: &Memo, wants: &[LookupWant]) {
    for want in wants {
        let one = match memo.hits().get(want) {
            Some(Hit::One { value, matches: 1 }) if !memo.is_undecided(want) => Some(value),
            _ => None,
        };
        answers.learn(want, one);
    }
}
