//! What people decide about records: whom a word means, what a retry would send, and the ledger that keeps it.
//!
//! Nothing here calls a system. A decision takes the ledger for itself, so it never meets a record in flight.

use std::path::Path;
use std::sync::Arc;

use connector::MASK;
use dsl::diagnostic::Lang;
use dsl::plan::Plan;
use dsl::value::Value;
use flow::classify::{Manner, manner};
use flow::decision::{Content, Decided, Ruling};
use flow::ids::{AttemptId, Ms};
use flow::op::{LedgerOp, LedgerReply, Reason, Refusal, WriteAction};
use flow::{PICK, TransformItem, Transformed};
use ledger::read::{RecordFilter, RecordRow};
use ledger::{Blobs, Ledger, OpenOptions, Reader};

use crate::error::AppError;
use crate::failpoint::Failpoint;
use crate::mask::shown;
use crate::payloads::BlobStore;
use crate::preview::Preview;
use crate::query::key_text;
use crate::run::{Engine, words};
use crate::target::Sending;

/// Records that one retry may take: what a person can have meant, and what fits the memory of the comparison.
pub const MAX_RETRIED: u32 = 100_000;

/// The ledger, taken for decisions.
pub struct Desk(Ledger);

impl Desk {
    /// Takes the ledger of a data directory. It must be there; nothing is created.
    pub fn open(
        dir: &Path,
        environment: &str,
        lang: Lang,
        failpoint: Option<&Arc<Failpoint>>,
    ) -> Result<Self, AppError> {
        Ledger::open_read_only(dir)?;
        let options = OpenOptions {
            watch: failpoint.map(Failpoint::watch),
            ..OpenOptions::new(environment)
        };
        Ok(Desk(Ledger::open(dir, options)?.with_words(words(lang))))
    }

    /// Carries decisions out in one transaction, and notes who took them and why.
    pub fn decide(
        &mut self,
        rows: Vec<Decided>,
        who: &str,
        reason: &str,
        now: Ms,
    ) -> Result<Vec<Ruling>, AppError> {
        let op = LedgerOp::Decide {
            rows,
            who: who.to_owned(),
            reason: reason.to_owned(),
            now,
        };
        match self.0.apply(&[op], &Blobs::new())?.pop() {
            Some(LedgerReply::Decided(rulings)) => Ok(rulings),
            other => Err(AppError::bug(format!("a decision answered with {other:?}"))),
        }
    }

    /// For questions after it.
    pub fn reader(&self) -> Reader {
        self.0.reader()
    }
}

/// The one record a person means by a key, name, number or id.
pub fn one(reader: &Reader, scheme: Option<&str>, key: &str) -> Result<RecordRow, AppError> {
    let lives = crate::query::show(reader, scheme, key)?;
    only(lives.into_iter().map(|life| life.record).collect(), key)
}

/// The only one of the records that a word means.
pub fn only(mut rows: Vec<RecordRow>, key: &str) -> Result<RecordRow, AppError> {
    if rows.len() > 1 {
        let all: Vec<String> = rows
            .iter()
            .map(|row| format!("{} ({})", key_text(&row.key), row.scheme))
            .collect();
        return Err(AppError::wrong_use(
            format!(
                "`{key}` 指的不止一条数据:{};用 --scheme 或完整的键",
                all.join("、")
            ),
            format!(
                "`{key}` means more than one record: {}; give --scheme, or the whole key",
                all.join(", ")
            ),
        ));
    }
    rows.pop()
        .ok_or_else(|| AppError::bug("a key that means nothing"))
}

/// The records a filter means, oldest first.
pub fn meant(reader: &Reader, filter: &RecordFilter) -> Result<Vec<RecordRow>, AppError> {
    let filter = RecordFilter {
        limit: MAX_RETRIED + 1,
        ..filter.clone()
    };
    let mut rows = reader.list_records(&filter)?;
    if rows.len() > MAX_RETRIED as usize {
        return Err(AppError::wrong_use(
            format!("一次最多重试 {MAX_RETRIED} 条;用 --scheme、--error、--run 缩小范围"),
            format!(
                "at most {MAX_RETRIED} records are retried at once; narrow them with --scheme, --error, --run"
            ),
        ));
    }
    rows.reverse();
    Ok(rows)
}

/// How a record goes on after a retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Written by the next run.
    Written,
    /// It may have been executed: the next run asks the target first.
    Asked,
    /// It may have been executed, and the target cannot be asked: somebody must look.
    Looked,
    /// Its row has no usable key.
    Keyless,
    /// Nothing of the current version was stored that could be sent as it is.
    NothingStored,
}

/// What a retry of one record comes to.
#[derive(Debug, Clone)]
pub struct Prospect {
    /// The record, as it was seen.
    pub row: RecordRow,
    /// How it goes on.
    pub way: Way,
    /// What would be sent.
    pub outlook: Outlook,
    /// The attempt whose document is stored.
    pub stored: Option<AttemptId>,
    /// Sensitive places: they are not kept, so nobody knows whether they differ.
    pub uncompared: Vec<String>,
}

/// What would be sent.
#[derive(Debug, Clone)]
pub enum Outlook {
    /// This document; against the one stored with the last attempt, where there is one.
    Document {
        /// `create`, `update`, `void` ...
        action: &'static str,
        /// Places that differ; `None` = nothing was ever sent to compare with.
        changes: Option<Vec<Change>>,
    },
    /// Nothing: it would be refused again.
    Refused {
        /// The state it would come to.
        state: &'static str,
        /// Why.
        reason: Reason,
    },
}

/// One place of a document that differs. Sensitive places are masked on both sides, and so never differ.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The place, such as `FEntity[0].FQty`.
    pub field: String,
    /// What was stored; `None` = it was not there.
    pub before: Option<Value>,
    /// What it would be now; `None` = it would not be there.
    pub after: Option<Value>,
}

/// Why the stored documents of a scheme cannot be sent as they are; `None` = they can.
pub fn not_as_stored(plan: &Plan) -> Option<AppError> {
    let target = plan.target.as_ref()?;
    if !target.sensitive.is_empty() {
        let fields: Vec<String> = target.sensitive.iter().map(ToString::to_string).collect();
        let fields = fields.join(", ");
        return Some(AppError::wrong_use(
            format!("敏感字段({fields})没有保存,不能原样重发;用 --latest"),
            format!(
                "sensitive fields ({fields}) are not kept, so nothing can be sent as stored; use --latest"
            ),
        ));
    }
    (!target.keyed.is_empty()).then(|| {
        AppError::wrong_use(
            "该方案的单据行按键更新,行的 id 会变,不能原样重发;用 --latest",
            "this scheme updates lines by their keys, and the ids of lines change: nothing can be sent as stored; use --latest",
        )
    })
}

impl Engine {
    /// What a retry of these records of one scheme comes to, in their order. Nothing is sent and nothing is changed.
    pub fn prospects(
        &self,
        plan: &Arc<Plan>,
        rows: Vec<RecordRow>,
        content: Retried,
        now: Ms,
        lang: Lang,
    ) -> Result<Vec<Prospect>, AppError> {
        let (mut writer, facts, reader) = self.desk(plan, now, lang)?;
        // A step has its own proof, and its own word about a lost answer.
        let can_ask = |row: &RecordRow| {
            let call = facts.at(row.step.as_deref());
            match call.map_or(Manner::Hold, |call| manner(call.proof, call.on_unknown)) {
                Manner::Ask { .. } => true,
                Manner::Resend => row.action.is_none_or(|action| action == WriteAction::Create),
                Manner::Hold => false,
            }
        };
        let sensitive_of = |row: &RecordRow| {
            let target = plan.target.as_ref()?;
            let step = row.step.as_deref().and_then(|step| target.step(step));
            let own = step.and_then(|at| target.steps[at].document.as_deref());
            Some(&own.unwrap_or(target).sensitive[..])
        };
        let mut prospects = Vec::with_capacity(rows.len());
        for chunk in rows.chunks(PICK as usize) {
            let items: Vec<TransformItem> = chunk
                .iter()
                .map(|row| TransformItem {
                    record: row.record,
                    has_target: row.target_id.is_some(),
                    void: row.void,
                })
                .collect();
            let mut blobs = BlobStore::default();
            let outcomes = writer.transform(reader, &items, &mut blobs, now)?;
            for (row, outcome) in chunk.iter().zip(outcomes) {
                let sensitive = sensitive_of(row).unwrap_or_default();
                let last = last_document(reader, row)?;
                // Kept without what was sensitive on that day, whatever the scheme says today.
                let is_masked = last.as_ref().is_some_and(|(_, bytes)| is_masked(bytes));
                let outlook = match (outcome, content) {
                    // It goes into the next document: what that will be, its other rows say as well.
                    (Transformed::Refused(Refusal::Held(reason)), _)
                        if reason.code == dsl::catalogue::aggregate::MAYBE_IN_A_DOCUMENT.code =>
                    {
                        Outlook::Document {
                            action: WriteAction::Create.word(),
                            changes: None,
                        }
                    }
                    (Transformed::Refused(refusal), _) => refused(refusal),
                    (Transformed::Ready(ready), Retried::AsStored) => Outlook::Document {
                        action: ready.action.word(),
                        changes: last.as_ref().map(|_| Vec::new()),
                    },
                    (Transformed::Ready(ready), Retried::Latest) => {
                        let picked = blobs.pick([ready.payload].into_iter());
                        let after = picked.get(ready.payload).map(document).transpose()?;
                        let before = last.as_ref().map(|(_, bytes)| document(bytes)).transpose()?;
                        // What became sensitive since then.
                        let before = before.map(|before| shown(&before, sensitive));
                        Outlook::Document {
                            action: ready.action.word(),
                            changes: before.zip(after).map(|(before, after)| changes(&before, &after)),
                        }
                    }
                };
                let in_doubt = row.suspect || row.maybe_sent;
                let way = if flow::ids::is_keyless(&row.key) {
                    Way::Keyless
                } else if content == Retried::AsStored && (last.is_none() || is_masked || row.step.is_some())
                {
                    Way::NothingStored
                } else if !in_doubt || row.target_id.is_some() && row.step.is_none() {
                    Way::Written
                } else if can_ask(row) {
                    Way::Asked
                } else {
                    Way::Looked
                };
                prospects.push(Prospect {
                    row: row.clone(),
                    way,
                    outlook,
                    stored: last.map(|(attempt, _)| attempt),
                    uncompared: sensitive.iter().map(ToString::to_string).collect(),
                });
            }
            writer.next_page();
        }
        Ok(prospects)
    }
}

impl Engine {
    /// The request that would carry this record's document if it were written now, as people may see it; or why there
    /// is none. Nothing is sent.
    pub async fn request(
        &self,
        plan: &Arc<Plan>,
        row: &RecordRow,
        now: Ms,
        lang: Lang,
    ) -> Result<Result<Preview, Reason>, AppError> {
        let (mut writer, _, reader) = self.desk(plan, now, lang)?;
        let item = TransformItem {
            record: row.record,
            has_target: row.target_id.is_some(),
            void: row.void,
        };
        let mut blobs = BlobStore::default();
        match writer.transform(reader, &[item], &mut blobs, now)?.pop() {
            Some(Transformed::Ready(ready)) => {
                // A writer made for looking sends nothing; it shows.
                writer
                    .send(
                        Sending::Call,
                        ready.action,
                        &[(row.record, ready.payload)],
                        None,
                        &mut blobs,
                    )
                    .await;
                let shown = writer.previews.pop();
                shown.map(Ok).ok_or_else(|| AppError::bug("nothing was shown"))
            }
            Some(Transformed::Refused(refusal)) => Ok(Err(match refusal {
                Refusal::Dead(reason)
                | Refusal::Held(reason)
                | Refusal::Skipped(reason)
                | Refusal::Later { reason, .. } => reason,
            })),
            None => Err(AppError::bug("a record was not evaluated")),
        }
    }
}

impl Engine {
    /// Carries decisions out in one transaction beside the runs that are under way, and notes who took them and why. A
    /// record that a run has in hand, or that is not as it was seen, is left.
    pub async fn decide(
        &self,
        rows: Vec<Decided>,
        who: &str,
        reason: &str,
        now: Ms,
    ) -> Result<Vec<Ruling>, AppError> {
        let op = LedgerOp::Decide {
            rows,
            who: who.to_owned(),
            reason: reason.to_owned(),
            now,
        };
        match self.replies(vec![op]).await?.pop() {
            Some(LedgerReply::Decided(rulings)) => Ok(rulings),
            other => Err(AppError::bug(format!("a decision answered with {other:?}"))),
        }
    }
}

/// What a retry sends, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// What the scheme makes of the row today.
    Latest,
    /// What was stored with the last attempt.
    AsStored,
}

impl Prospect {
    /// What its retry sends.
    pub fn content(&self, retried: Retried) -> Content {
        match (retried, self.stored) {
            (Retried::AsStored, Some(attempt)) => Content::AsStored(attempt),
            (Retried::AsStored | Retried::Latest, _) => Content::Latest,
        }
    }
}

/// The document stored with the newest attempt of the current version, at the call that is next.
fn last_document(reader: &Reader, row: &RecordRow) -> Result<Option<(AttemptId, Vec<u8>)>, AppError> {
    Ok(reader.stored_document(row.record, &row.version, row.step.as_deref())?)
}

/// Whether a value of a stored document was masked when it was kept: such a document is not the one that was sent.
fn is_masked(bytes: &[u8]) -> bool {
    fn any(value: &Value) -> bool {
        match value {
            Value::Text(text) => text == MASK,
            Value::List(items) => items.iter().any(any),
            Value::Map(members) => members.values().any(any),
            _ => false,
        }
    }
    dsl::json::parse(bytes).is_ok_and(|document| any(&document))
}

/// The attempt whose stored document could be sent again as it is: of the current version, and nothing in it masked.
pub fn stored(reader: &Reader, row: &RecordRow) -> Result<Option<AttemptId>, AppError> {
    let last = last_document(reader, row)?;
    let whole = last.filter(|(_, bytes)| row.step.is_none() && !is_masked(bytes));
    Ok(whole.map(|(attempt, _)| attempt))
}

pub(crate) fn document(bytes: impl AsRef<[u8]>) -> Result<Value, AppError> {
    dsl::json::parse(bytes.as_ref()).map_err(|_| AppError::bug("a stored document is not JSON"))
}

fn refused(refusal: Refusal) -> Outlook {
    let (state, reason) = match refusal {
        Refusal::Dead(reason) => ("dead", reason),
        Refusal::Held(reason) => ("held", reason),
        Refusal::Skipped(reason) => ("skipped", reason),
        Refusal::Later { reason, .. } => ("pending", reason),
    };
    Outlook::Refused { state, reason }
}

/// The places where two documents differ, in the order of the first, then of the second.
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    differ("", Some(before), Some(after), &mut found);
    found
}

fn differ(at: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    match (before, after) {
        (Some(Value::Map(before)), Some(Value::Map(after))) => {
            let below = |name: &str| {
                if at.is_empty() {
                    name.to_owned()
                } else {
                    format!("{at}.{name}")
                }
            };
            for (name, value) in before {
                differ(&below(name), Some(value), after.get(name), found);
            }
            for (name, value) in after {
                if !before.contains_key(name) {
                    differ(&below(name), None, Some(value), found);
                }
            }
        }
        (Some(Value::List(before)), Some(Value::List(after))) => {
            for nth in 0..before.len().max(after.len()) {
                differ(&format!("{at}[{nth}]"), before.get(nth), after.get(nth), found);
            }
        }
        (before, after) if before == after => {}
        (before, after) => found.push(Change {
            field: at.to_owned(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_compared_place_by_place() {
        let check = |before: &str, after: &str, want: &[&str]| {
            let [before, after] =
                [before, after].map(|text| dsl::json::parse(text.as_bytes()).expect("JSON"));
            let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), dsl::json::to_string);
            let got: Vec<String> = changes(&before, &after)
                .iter()
                .map(|one| format!("{} {} {}", one.field, shown(&one.before), shown(&one.after)))
                .collect();
            assert_eq!(got, want);
        };
        check(r#"{"a":1,"b":"x"}"#, r#"{"a":1,"b":"x"}"#, &[]);
        check(r#"{"a":1.50}"#, r#"{"a":1.5}"#, &["a 1.50 1.5"]);
        check(r#"{"a":"1"}"#, r#"{"a":1}"#, &[r#"a "1" 1"#]);
        check(
            r#"{"FGroup":{"FNumber":"A"},"gone":1}"#,
            r#"{"FGroup":{"FNumber":"B"},"new":null}"#,
            &[r#"FGroup.FNumber "A" "B""#, "gone 1 -", "new - null"],
        );
        check(
            r#"{"FEntity":[{"q":1},{"q":2}]}"#,
            r#"{"FEntity":[{"q":1},{"q":3},{"q":4}]}"#,
            &["FEntity[1].q 2 3", r#"FEntity[2] - {"q":4}"#],
        );
        check(r#"{"a":{"b":1}}"#, r#"{"a":[]}"#, &[r#"a {"b":1} []"#]);
    }
}
