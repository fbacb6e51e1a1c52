//! Which stored records would get another document, now that the scheme says something else.
//!
//! Records that are done are evaluated once more, page by page, each as it was before the write that is stored with it
//! (one that was created as if it had no document), and compared with what was sent. Nothing is asked and nothing is
//! changed. A difference may come of the scheme, or of rows that look-ups find today and did not find then; what differs
//! from one instant to the next is told apart, because it differs in any case.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector::MASK;
use dsl::diagnostic::Lang;
use dsl::plan::Plan;
use dsl::value::Value;
use flow::ids::{Ms, RecordId};
use flow::op::{Reason, RecordState, Refusal, WriteAction};
use flow::{TransformItem, Transformed};
use ledger::read::{RecordFilter, RecordRow, WriteRow};

use crate::error::AppError;
use crate::mask::shown;
use crate::operate::{Change, changes, document};
use crate::payloads::BlobStore;
use crate::run::Engine;

/// Records evaluated at once: documents of some hundred are some megabytes.
const PAGE: u32 = 500;
/// Fields counted by name. Documents have some dozens; one whose names are data has as many as it likes.
const MOST_FIELDS: usize = 1_000;
/// Codes of refusals that are counted one by one.
const MOST_CODES: usize = 100;
/// Another year, month, day and hour: what the clock says stands in no two of them alike.
const LATER: Ms = (400 * 24 + 25) * 3_600_000 + 61_001;

/// What to compare.
#[derive(Debug, Clone, Copy)]
pub struct Compared {
    /// At most so many records, the newest ones; `None` = all.
    pub limit: Option<u64>,
    /// Records told one by one.
    pub examples: usize,
    /// The instant.
    pub now: Ms,
    /// Language of reasons.
    pub lang: Lang,
}

/// What came of it. Every record looked at is counted once: same, changed, refused, or in one of the unknown.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Records looked at.
    pub records: u64,
    /// The document is the one that was sent.
    pub same: u64,
    /// It is another one.
    pub changed: u64,
    /// No document can be made of them any more, or none would be sent, by code, with the words of one of them.
    pub refused: BTreeMap<String, (Reason, u64)>,
    /// This engine never wrote them: taken over, or stored for look-ups.
    pub never_written: u64,
    /// What was written is kept no longer.
    pub not_kept: u64,
    /// Records with a difference in a field, by its name; the numbers of lines are left out.
    pub fields: BTreeMap<String, u64>,
    /// There are more fields than are counted.
    pub more_fields: bool,
    /// Fields that are not compared, because the clock stands in them.
    pub by_clock: BTreeMap<String, u64>,
    /// Places that are masked in what is stored or shown: nobody knows whether they differ.
    pub uncompared: Vec<String>,
    /// The newest of the changed ones.
    pub examples: Vec<Example>,
    /// Not all records were looked at.
    pub is_cut: bool,
    /// Somebody wanted it to stop.
    pub is_canceled: bool,
}

/// A record that would get another document.
#[derive(Debug, Clone)]
pub struct Example {
    /// The record.
    pub row: RecordRow,
    /// What was done with the document that is stored.
    pub action: WriteAction,
    /// Where they differ.
    pub changes: Vec<Change>,
}

/// A record and what was last sent of it.
type Sent = (RecordRow, WriteRow);

impl Engine {
    /// Compares what was sent of the records of a scheme with what it makes of them now.
    pub fn difference(&self, plan: &Arc<Plan>, order: Compared) -> Result<Difference, AppError> {
        let mut found = Difference::default();
        if let Some(target) = &plan.target {
            found.uncompared = target.sensitive.iter().map(ToString::to_string).collect();
        }
        let mut before: Option<RecordId> = None;
        loop {
            if self.cancel.is_canceled() {
                found.is_canceled = true;
                return Ok(found);
            }
            let left = order
                .limit
                .map_or(u64::MAX, |limit| limit.saturating_sub(found.records));
            let filter = RecordFilter {
                scheme: Some(plan.scheme.clone()),
                state: Some(RecordState::Done),
                // A row that went into a document with others has none of its own.
                documents: true,
                before,
                limit: PAGE.min(u32::try_from(left).unwrap_or(PAGE).max(1)),
                ..RecordFilter::default()
            };
            let rows = self.reader().list_records(&filter)?;
            let Some(last) = rows.last().map(|row| row.record) else {
                return Ok(found);
            };
            if left == 0 {
                found.is_cut = true;
                return Ok(found);
            }
            before = Some(last);
            self.compare_page(plan, rows, order, &mut found)?;
        }
    }

    fn compare_page(
        &self,
        plan: &Arc<Plan>,
        rows: Vec<RecordRow>,
        order: Compared,
        found: &mut Difference,
    ) -> Result<(), AppError> {
        let mut sent = Vec::with_capacity(rows.len());
        for row in rows {
            found.records += 1;
            match self.reader().last_write(row.record, &row.version)? {
                None => found.never_written += 1,
                Some(write) if write.document.is_none() => found.not_kept += 1,
                Some(write) => sent.push((row, write)),
            }
        }
        let mut differing = Vec::new();
        let made = self.made(plan, &sent, order.now, order.lang)?;
        for ((row, write), made) in sent.into_iter().zip(made) {
            let made = match made {
                Ok(made) => made,
                Err(reason) => {
                    found.refuse(reason);
                    continue;
                }
            };
            let changes = told_apart(plan, &write, &made)?;
            match changes.is_empty() {
                true => found.same += 1,
                false => differing.push(((row, write), changes)),
            }
        }
        let (again, changes): (Vec<Sent>, Vec<Vec<Change>>) = differing.into_iter().unzip();
        let later = self.made(plan, &again, order.now.saturating_add(LATER), order.lang)?;
        for (((row, write), changes), later) in again.into_iter().zip(changes).zip(later) {
            let (kept, by_clock) = match later {
                Ok(later) => steady(changes, &told_apart(plan, &write, &later)?),
                Err(_) => (changes, Vec::new()),
            };
            for field in by_clock {
                count(&mut found.by_clock, &field, &mut found.more_fields);
            }
            if kept.is_empty() {
                found.same += 1;
                continue;
            }
            found.changed += 1;
            let mut names: Vec<String> = kept.iter().map(|change| without_numbers(&change.field)).collect();
            names.sort();
            names.dedup();
            for name in names {
                count(&mut found.fields, &name, &mut found.more_fields);
            }
            if found.examples.len() < order.examples {
                found.examples.push(Example {
                    row,
                    action: write.action,
                    changes: kept,
                });
            }
        }
        Ok(())
    }

    /// What the scheme makes of records, each as it was before the write that is given with it.
    fn made(
        &self,
        plan: &Arc<Plan>,
        sent: &[Sent],
        instant: Ms,
        lang: Lang,
    ) -> Result<Vec<Result<Value, Reason>>, AppError> {
        if sent.is_empty() {
            return Ok(Vec::new());
        }
        let (mut writer, _, reader) = self.desk(plan, instant, lang)?;
        writer.as_before = true;
        let items: Vec<TransformItem> = sent
            .iter()
            .map(|(row, write)| TransformItem {
                record: row.record,
                has_target: write.action != WriteAction::Create,
                void: write.action == WriteAction::Void,
            })
            .collect();
        let mut blobs = BlobStore::default();
        let outcomes = writer.transform(reader, &items, &mut blobs, instant)?;
        let made = outcomes.into_iter().map(|outcome| match outcome {
            Transformed::Ready(ready) => {
                let picked = blobs.pick([ready.payload].into_iter());
                let bytes = picked.get(ready.payload);
                bytes
                    .map_or_else(|| Err(AppError::bug("a document was not kept")), document)
                    .map(Ok)
            }
            Transformed::Refused(refusal) => Ok(Err(match refusal {
                Refusal::Dead(reason)
                | Refusal::Held(reason)
                | Refusal::Skipped(reason)
                | Refusal::Later { reason, .. } => reason,
            })),
        });
        made.collect()
    }
}

impl Difference {
    fn refuse(&mut self, reason: Reason) {
        let is_full = self.refused.len() >= MOST_CODES && !self.refused.contains_key(&reason.code);
        let code = if is_full {
            String::new()
        } else {
            reason.code.clone()
        };
        self.refused.entry(code).or_insert((reason, 0)).1 += 1;
    }

    /// Records that cannot be compared.
    pub fn unknown(&self) -> u64 {
        self.never_written + self.not_kept
    }

    /// Records that would not be sent as things are.
    pub fn refused(&self) -> u64 {
        self.refused.values().map(|(_, count)| count).sum()
    }
}

/// The places where the stored document and the one made now differ; a place that was masked when it was stored says
/// nothing.
fn told_apart(plan: &Plan, write: &WriteRow, made: &Value) -> Result<Vec<Change>, AppError> {
    let Some(bytes) = &write.document else {
        return Ok(Vec::new());
    };
    let target = plan.target.as_ref();
    // What became sensitive since then.
    let before = shown(
        &document(bytes)?,
        target.map_or(&[][..], |target| &target.sensitive),
    );
    let mut changes = changes(&before, made);
    let is_masked = |value: &Option<Value>| matches!(value, Some(Value::Text(text)) if text == MASK);
    changes.retain(|change| !is_masked(&change.before) && !is_masked(&change.after));
    Ok(changes)
}

/// The changes that an evaluation at another instant shows as well, and the fields of the others. A field that comes or
/// goes does so at any instant.
fn steady(changes: Vec<Change>, later: &[Change]) -> (Vec<Change>, Vec<String>) {
    let is_steady =
        |change: &Change| change.before.is_none() || change.after.is_none() || later.contains(change);
    let (kept, moved): (Vec<Change>, Vec<Change>) = changes.into_iter().partition(is_steady);
    let mut fields: Vec<String> = moved
        .iter()
        .map(|change| without_numbers(&change.field))
        .collect();
    fields.sort();
    fields.dedup();
    (kept, fields)
}

fn count(fields: &mut BTreeMap<String, u64>, name: &str, is_full: &mut bool) {
    if let Some(count) = fields.get_mut(name) {
        *count += 1;
    } else if fields.len() < MOST_FIELDS {
        fields.insert(name.to_owned(), 1);
    } else {
        *is_full = true;
    }
}

/// The place in every line: `FEntity[3].FQty` is `FEntity[].FQty`.
fn without_numbers(place: &str) -> String {
    let mut name = String::with_capacity(place.len());
    let mut rest = place;
    while let Some((head, tail)) = rest.split_once('[') {
        let digits = tail
            .find(|char: char| !char.is_ascii_digit())
            .unwrap_or(tail.len());
        name.push_str(head);
        name.push('[');
        rest = if digits > 0 && tail[digits..].starts_with(']') {
            &tail[digits..]
        } else {
            tail
        };
    }
    name.push_str(rest);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_lines_are_one_field() {
        for (place, want) in [
            ("FName", "FName"),
            ("FEntity[0].FQty", "FEntity[].FQty"),
            ("a[12].b[3]", "a[].b[]"),
            ("odd[x].b", "odd[x].b"),
            ("a[1", "a[1"),
        ] {
            assert_eq!(without_numbers(place), want);
        }
    }

    #[test]
    fn the_clock_changes_no_document() {
        let change = |field: &str, after: &str| Change {
            field: field.to_owned(),
            before: Some(Value::from("x")),
            after: Some(Value::from(after)),
        };
        let new = |after: &str| Change {
            before: None,
            ..change("FSent", after)
        };
        let now = vec![change("FName", "a"), change("FDate", "2026-11-23"), new("10:00")];
        let later = [change("FName", "a"), change("FDate", "2027-12-29"), new("11:00")];
        let (kept, by_clock) = steady(now, &later);
        assert_eq!(kept, [change("FName", "a"), new("10:00")]);
        assert_eq!(by_clock, ["FDate"]);
    }

    #[test]
    fn fields_that_are_data_are_not_counted_without_end() {
        let (mut fields, mut is_full) = (BTreeMap::new(), false);
        for nth in 0..MOST_FIELDS + 1 {
            count(&mut fields, &nth.to_string(), &mut is_full);
        }
        count(&mut fields, "0", &mut is_full);
        assert_eq!((fields.len(), fields["0"], is_full), (MOST_FIELDS, 2, true));
    }
}
