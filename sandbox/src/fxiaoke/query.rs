//! Queries of the simulated Fxiaoke: conditions that hold together, pages by offset, an order, some of the fields.

use std::cmp::Ordering;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::objects::{Row, has_field};
use super::{Refused, Whose, api_name, code, refused};
use crate::kingdee::store::{Fields, scalar};
use crate::state::World;
use crate::twist::Twist;

const MAX_LIMIT: usize = 100;
/// Deeper rows are asked for by a condition on `_id`.
const MAX_OFFSET: usize = 10_000;
const MAX_CONDITIONS: usize = 100;
const MAX_VALUES: usize = 1000;
const MAX_ORDERS: usize = 10;
const MAX_PROJECTION: usize = 500;

#[derive(Debug, Deserialize)]
struct Search {
    limit: usize,
    offset: usize,
    #[serde(default)]
    filters: Vec<Condition>,
    #[serde(default)]
    orders: Vec<Order>,
    #[serde(default, rename = "fieldProjection")]
    projection: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Condition {
    field_name: String,
    operator: String,
    field_values: Vec<Box<RawValue>>,
}

#[derive(Debug, Deserialize)]
struct Order {
    #[serde(rename = "fieldName")]
    field: String,
    #[serde(rename = "isAsc")]
    is_asc: bool,
}

/// A condition that was understood.
#[derive(Debug)]
struct Test {
    field: String,
    op: Op,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    In,
    NotIn,
    Compare { less: bool, equal: bool },
    Like,
    NotLike,
    Between,
    Empty,
    NotEmpty,
}

/// The words, and how many values go with each.
const OPS: &[(&str, Op, (usize, usize))] = &[
    ("EQ", Op::In, (1, 1)),
    ("N", Op::NotIn, (1, 1)),
    ("GT", compare(false, false), (1, 1)),
    ("GTE", compare(false, true), (1, 1)),
    ("LT", compare(true, false), (1, 1)),
    ("LTE", compare(true, true), (1, 1)),
    ("LIKE", Op::Like, (1, 1)),
    ("NLIKE", Op::NotLike, (1, 1)),
    ("IN", Op::In, (1, MAX_VALUES)),
    ("NIN", Op::NotIn, (1, MAX_VALUES)),
    ("BETWEEN", Op::Between, (2, 2)),
    ("IS", Op::Empty, (0, 1)),
    ("ISN", Op::NotEmpty, (0, 1)),
];

const fn compare(less: bool, equal: bool) -> Op {
    Op::Compare { less, equal }
}

/// What stands in a field.
enum Cell {
    Nothing,
    /// Times are whole numbers; nothing else is compared by its size.
    Number(i128),
    Text(String),
    List(Vec<String>),
}

impl Cell {
    fn of(raw: Option<&RawValue>) -> Cell {
        let Some(raw) = raw else { return Cell::Nothing };
        if let Ok(list) = serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) {
            return Cell::List(list.iter().filter_map(|one| scalar(one)).collect());
        }
        match (scalar(raw), raw.get().starts_with('"')) {
            (None, _) => Cell::Nothing,
            (Some(text), true) if text.is_empty() => Cell::Nothing,
            (Some(text), false) if text.parse::<i128>().is_ok() => Cell::Number(text.parse().unwrap_or(0)),
            (Some(text), _) => Cell::Text(text),
        }
    }

    /// `None` when the two cannot be compared.
    fn compare(&self, value: &str) -> Option<Ordering> {
        match self {
            Cell::Number(number) => Some(number.cmp(&value.parse().ok()?)),
            Cell::Text(text) => Some(text.as_str().cmp(value)),
            Cell::Nothing | Cell::List(_) => None,
        }
    }

    fn is(&self, value: &str) -> bool {
        match self {
            Cell::List(list) => list.iter().any(|one| one == value),
            _ => self.compare(value) == Some(Ordering::Equal),
        }
    }

    fn holds(&self, value: &str) -> bool {
        matches!(self, Cell::Text(text) if text.contains(value))
    }

    /// A place in an order; nothing comes first.
    fn sort_key(&self) -> (u8, i128, String) {
        match self {
            Cell::Nothing => (0, 0, String::new()),
            Cell::Number(number) => (1, *number, String::new()),
            Cell::Text(text) => (2, 0, text.clone()),
            Cell::List(list) => (2, 0, list.join(",")),
        }
    }
}

impl Test {
    fn read(api_name: &str, condition: &Condition) -> Result<Test, Refused> {
        let (field, word) = (&condition.field_name, condition.operator.as_str());
        if !has_field(api_name, field) {
            return Err(bad(format!("filters：{api_name} 没有字段 {field}")));
        }
        let known = OPS.iter().find(|(known, ..)| *known == word);
        let (_, op, (least, most)) = known.ok_or_else(|| bad(format!("filters：没有操作符 {word}")))?;
        let values: Option<Vec<String>> = condition.field_values.iter().map(|raw| scalar(raw)).collect();
        let values = values.ok_or_else(|| bad(format!("filters：{field} 的值应为文本或数字")))?;
        if !(*least..=*most).contains(&values.len()) {
            return Err(bad(format!("filters：{word} 的 field_values 个数不对")));
        }
        Ok(Test {
            field: field.clone(),
            op: *op,
            values,
        })
    }

    fn holds(&self, row: &Row<'_>) -> bool {
        let cell = Cell::of(row.field(&self.field).as_deref());
        let first = self.values.first().map_or("", String::as_str);
        let compared = |value: &str, less: bool, equal: bool| match cell.compare(value) {
            None => false,
            Some(Ordering::Equal) => equal,
            Some(order) => less == (order == Ordering::Less),
        };
        match self.op {
            Op::In => self.values.iter().any(|value| cell.is(value)),
            Op::NotIn => !self.values.iter().any(|value| cell.is(value)),
            Op::Compare { less, equal } => compared(first, less, equal),
            Op::Like => cell.holds(first),
            Op::NotLike => !cell.holds(first),
            Op::Between => compared(first, false, true) && compared(&self.values[1], true, true),
            Op::Empty => matches!(cell, Cell::Nothing),
            Op::NotEmpty => !matches!(cell, Cell::Nothing),
        }
    }
}

fn bad(what: impl Into<String>) -> Refused {
    refused(code::PARAMETER, what)
}

fn read(data: &Fields, api_name: &str) -> Result<(Search, Vec<Test>), Refused> {
    let raw = data.get("search_query_info");
    let raw = raw.ok_or_else(|| bad("search_query_info 不能为空"))?;
    let search: Search =
        serde_json::from_str(raw.get()).map_err(|e| bad(format!("search_query_info：{e}")))?;
    if !(1..=MAX_LIMIT).contains(&search.limit) {
        return Err(bad(format!("limit 应在 1 到 {MAX_LIMIT} 之间")));
    }
    if search.offset > MAX_OFFSET {
        return Err(bad(format!("offset 最大为 {MAX_OFFSET}")));
    }
    if !search.offset.is_multiple_of(search.limit) {
        return Err(bad("offset 应为 limit 的整数倍"));
    }
    let (filters, orders, fields) = (&search.filters, &search.orders, &search.projection);
    if filters.len() > MAX_CONDITIONS || orders.len() > MAX_ORDERS || fields.len() > MAX_PROJECTION {
        return Err(bad("filters、orders 或 fieldProjection 过多"));
    }
    let mut named = orders.iter().map(|order| &order.field).chain(fields);
    if let Some(field) = named.find(|field| !has_field(api_name, field)) {
        return Err(bad(format!("{api_name} 没有字段 {field}")));
    }
    let tests: Result<Vec<Test>, Refused> = filters.iter().map(|one| Test::read(api_name, one)).collect();
    Ok((search, tests?))
}

/// Rows in the order that was asked for; without one those that were changed last come first.
fn sort(rows: &mut [Row<'_>], orders: &[Order]) {
    let usual = [Order {
        field: "last_modified_time".to_owned(),
        is_asc: false,
    }];
    let orders = if orders.is_empty() { &usual } else { orders };
    // They stand by rising id already.
    if matches!(orders, [Order { field, is_asc: true }] if field == "_id") {
        return;
    }
    for order in orders.iter().rev() {
        let key = |row: &Row<'_>| Cell::of(row.field(&order.field).as_deref()).sort_key();
        if order.is_asc {
            rows.sort_by_cached_key(key);
        } else {
            rows.sort_by_cached_key(|row| std::cmp::Reverse(key(row)));
        }
    }
}

/// Gives the members of the answer, as JSON.
pub(super) fn run(world: &World, data: &Fields, whose: Whose, twist: &Twist) -> Result<String, Refused> {
    let api_name = api_name(data, whose)?;
    let (search, tests) = read(data, &api_name)?;
    let mut rows: Vec<Row<'_>> = Row::all(world, &api_name)
        .filter(|row| tests.iter().all(|test| test.holds(row)))
        .collect();
    sort(&mut rows, &search.orders);
    let is_asked = data
        .get("find_explicit_total_num")
        .is_some_and(|raw| raw.get() == "true");
    let total = if is_asked {
        twist.total(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    } else {
        0
    };
    let first = twist.first_row(search.offset, search.limit).unwrap_or(usize::MAX);
    let page = rows.iter().skip(first).take(search.limit);
    let list: Vec<String> = page.map(|row| row.json(&search.projection)).collect();
    let (offset, limit, list) = (search.offset, search.limit, list.join(","));
    Ok(format!(
        r#""data":{{"total":{total},"offset":{offset},"limit":{limit},"dataList":[{list}]}}"#
    ))
}
