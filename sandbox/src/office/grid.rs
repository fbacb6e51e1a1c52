//! Tables of records that people keep in an office suite: one is seeded with the customers, any other begins empty.
//!
//! A record has an id that the system makes and fields with names of the user's own; nothing is unique. Fields are kept
//! as they were sent, and a change leaves the others as they were. What a written record is like on the wire is told by
//! the system that asks.

use serde_json::json;
use serde_json::value::RawValue;

use super::{Problem, Writing, text};
use crate::data::cid;
use crate::journal::RowLine;
use crate::kingdee::store::{Fields, scalar};
use crate::reply::Request;
use crate::state::World;
use crate::twist::Twist;

/// Fields of the seeded table.
pub(super) const NUMBER: &str = "编号";
const NAME: &str = "名称";
/// First id of the seeded records; written ones are far above.
const FIRST_SEEDED: u64 = 1001;
const MAX_FIELDS: usize = 300;

/// One record, as it stands.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) id: u64,
    /// Names, and values as JSON.
    pub(super) fields: Vec<(String, String)>,
    pub(super) created_ms: i64,
    pub(super) modified_ms: i64,
}

impl Record {
    fn value(&self, field: &str) -> Option<String> {
        let found = self.fields.iter().find(|(name, _)| name == field);
        let raw = serde_json::value::RawValue::from_string(found?.1.clone()).ok()?;
        scalar(&raw)
    }
}

/// A comparison of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Is,
    IsNot,
    Holds,
    HoldsNot,
    Empty,
    NotEmpty,
    Compare { less: bool, equal: bool },
}

/// A comparison with its field and its value.
#[derive(Debug)]
pub(super) struct Test {
    pub(super) field: String,
    pub(super) op: Op,
    pub(super) value: String,
}

impl Test {
    fn holds(&self, record: &Record) -> bool {
        let found = record.value(&self.field).unwrap_or_default();
        match self.op {
            Op::Is => found == self.value,
            Op::IsNot => found != self.value,
            Op::Holds => found.contains(&self.value),
            Op::HoldsNot => !found.contains(&self.value),
            Op::Empty => found.is_empty(),
            Op::NotEmpty => !found.is_empty(),
            Op::Compare { less, equal } => {
                let numbers = (found.parse::<i128>(), self.value.parse::<i128>());
                match numbers {
                    (Ok(found), Ok(value)) => {
                        (found < value) == less && found != value || equal && found == value
                    }
                    _ => false,
                }
            }
        }
    }
}

/// How a system writes the conditions of a query.
pub(super) struct Asking {
    /// The member that says how they are joined, which must be `and`; the one that names a field.
    pub(super) joined: &'static str,
    pub(super) field: &'static str,
    /// What each comparison is called.
    pub(super) ops: &'static [(&'static str, Op)],
    pub(super) wrong: Problem,
}

impl Asking {
    /// The conditions under `filter` of a body; none when there is no such member.
    pub(super) fn read(&self, body: &Fields) -> Result<Vec<Test>, Problem> {
        let wrong = || self.wrong.clone();
        let Some(filter) = body.get("filter") else {
            return Ok(Vec::new());
        };
        let filter: Fields = serde_json::from_str(filter.get()).map_err(|_| wrong())?;
        if text(&filter, self.joined) != "and" {
            return Err(wrong());
        }
        let conditions = super::list(&filter, "conditions", self.wrong.code)?;
        let test = |raw: &RawValue| {
            let condition: Fields = serde_json::from_str(raw.get()).map_err(|_| wrong())?;
            let written = text(&condition, "operator");
            let known = self.ops.iter().find(|(word, _)| *word == written);
            let (_, op) = known.ok_or_else(wrong)?;
            let values = super::list(&condition, "value", self.wrong.code)?;
            if values.len() > 1 {
                return Err(wrong());
            }
            let value = values.first().and_then(|raw| scalar(raw)).unwrap_or_default();
            Ok(Test {
                field: text(&condition, self.field),
                op: *op,
                value,
            })
        };
        conditions.iter().map(|raw| test(raw)).collect()
    }
}

/// The table that is seeded, and the only other names a table may have begin like it.
pub(super) fn has_table(table: &str) -> bool {
    table.starts_with("tbl") && table.bytes().all(|b| b.is_ascii_alphanumeric())
}

pub(super) const SEEDED: &str = "tblCustomers";

/// The records of a table that pass all tests, seeded ones first, each by rising id.
pub(super) fn records(world: &World, system: &str, table: &str, tests: &[Test]) -> Vec<Record> {
    let mut records = Vec::new();
    if table == SEEDED {
        let (_, codes) = world.data.customer_codes(&world.changes, 0, u64::MAX);
        for (id, customer) in (FIRST_SEEDED..).zip(codes) {
            let fields = vec![
                (NUMBER.to_owned(), json!(cid(customer)).to_string()),
                (
                    NAME.to_owned(),
                    json!(world.data.nick(&world.changes, customer)).to_string(),
                ),
            ];
            records.push(Record {
                id,
                fields,
                created_ms: world.data.base_ms,
                modified_ms: world.data.base_ms,
            });
        }
    }
    let written = world.docs(system).into_iter().flat_map(|docs| docs.all(table));
    for (id, doc) in written {
        let place = records.iter().position(|known| known.id == id);
        let place = place.unwrap_or_else(|| {
            records.push(Record {
                id,
                fields: Vec::new(),
                created_ms: doc.created_ms,
                modified_ms: doc.modified_ms,
            });
            records.len() - 1
        });
        let record = &mut records[place];
        record.modified_ms = doc.modified_ms;
        for (name, raw) in &doc.fields {
            record.fields.retain(|(known, _)| known != name);
            if raw.get() != "null" {
                record.fields.push((name.clone(), raw.get().to_owned()));
            }
        }
    }
    records.retain(|record| tests.iter().all(|test| test.holds(record)));
    records
}

pub(super) fn id_text(id: u64) -> String {
    format!("rec{id:010}")
}

fn parse_id(text: &str) -> Option<u64> {
    let digits = text.strip_prefix("rec").filter(|digits| digits.len() == 10)?;
    digits.parse().ok()
}

fn is_there(world: &World, system: &str, table: &str, id: u64) -> bool {
    let seeded = table == SEEDED
        && id
            .checked_sub(FIRST_SEEDED)
            .is_some_and(|n| n < world.data.customer_count(&world.changes));
    let doc = world.docs(system).and_then(|docs| docs.get(id));
    seeded || doc.is_some_and(|doc| *doc.org == *table)
}

/// A call that adds records, or changes them by the id under this name.
pub(super) struct Batch<'a> {
    pub(super) system: &'static str,
    pub(super) form: &'static str,
    pub(super) request: &'a Request,
    pub(super) endpoint: &'a str,
    pub(super) table: &'a str,
    pub(super) id: Option<&'static str>,
    pub(super) twist: &'a Twist,
    /// Most records, and the words for more or none.
    pub(super) most: (usize, Problem),
    pub(super) refusals: Refusals,
}

impl Batch<'_> {
    /// Writes the records of the body; the lines of those that are told.
    pub(super) fn write(&self, world: &mut World, body: &Fields) -> Result<Vec<RowLine>, Problem> {
        let (most, too_many) = &self.most;
        let records = super::list(body, "records", self.refusals.no_fields.code)?;
        if records.is_empty() || records.len() > *most {
            return Err(too_many.clone());
        }
        let documents: Vec<&str> = records.iter().map(|raw| raw.get()).collect();
        let writing = Writing {
            system: self.system,
            form: self.form,
            request: self.request,
            endpoint: self.endpoint,
            twist: self.twist,
            rule: self.refusals.rule.clone(),
            is_whole: true,
        };
        let told = writing.run(world, &documents, |world, place, raw| {
            judge(
                world,
                self.system,
                self.table,
                place,
                raw,
                self.id,
                &self.refusals,
            )
        })?;
        Ok(told.into_iter().filter_map(|(_, judged)| judged.ok()).collect())
    }
}

/// What a record of a write lacks.
pub(super) struct Refusals {
    pub(super) no_record: Problem,
    pub(super) no_fields: Problem,
    pub(super) rule: Problem,
}

/// The line of a record: new without an id, a change with one.
fn judge(
    world: &mut World,
    system: &'static str,
    table: &str,
    place: usize,
    raw: &str,
    id: Option<&str>,
    refusals: &Refusals,
) -> Result<RowLine, Problem> {
    let record: Fields = serde_json::from_str(raw).map_err(|_| refusals.no_fields.clone())?;
    let content = record.get("fields").map_or("", |raw| raw.get());
    let fields: Fields = serde_json::from_str(content).map_err(|_| refusals.no_fields.clone())?;
    if fields.is_empty() || fields.len() > MAX_FIELDS {
        return Err(refusals.no_fields.clone());
    }
    let number = text(&fields, NUMBER);
    super::against(world, &number, &refusals.rule)?;
    let Some(name) = id else {
        let docs = &world.office(system).docs;
        return Ok(docs.create(place, table, &number, content));
    };
    let id = parse_id(&text(&record, name)).filter(|id| is_there(world, system, table, *id));
    let id = id.ok_or_else(|| refusals.no_record.clone())?;
    let known = records(world, system, table, &[]);
    let known = known.iter().find(|record| record.id == id);
    let known = known.and_then(|record| record.value(NUMBER)).unwrap_or(number);
    Ok(world
        .office(system)
        .docs
        .update(place, table, &known, id, content))
}
