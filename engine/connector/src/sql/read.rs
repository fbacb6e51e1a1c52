//! Reading: a table page by page along its keys, or a SELECT of one's own.

use dsl::catalogue::source;
use dsl::{Failure, Value};

use super::bind::{Text, unbindable};
use super::names::quoted;
use super::{Cx, Driver, Parts, frame_fault, map, own};

/// Rows of a page when a frame says nothing.
const SIZE: u32 = 500;

/// Most comparisons of one filter: fifty keys of four parts, and room for a window.
const TESTS_MAX: usize = 256;

/// A page of a table. Rows come in the order of the update time and the key; the next page begins behind the last row,
/// wherever rows were changed meanwhile. One row more than asked for is fetched: it says whether there is another page,
/// and shows a key that is not unique.
pub(super) fn select(parts: &Parts<'_>, cx: &Cx<'_>) -> Result<Value, Failure> {
    let driver = cx.driver;
    let table = quoted(driver, &parts.text("table")?)?;
    let columns = parts.texts("columns")?;
    let updated = parts.optional_text("updated");
    let order: Vec<String> = updated.clone().into_iter().chain(parts.texts("key")?).collect();
    let size = size(parts)?;
    let times = parts.times(cx)?;
    let mut text = Text::new(driver, Some(times));
    text.push("SELECT ");
    if driver == Driver::Sqlserver {
        text.push(&format!("TOP ({}) ", size + 1));
    }
    let named: Result<Vec<String>, Failure> = columns
        .iter()
        .chain(&order)
        .map(|column| quoted(driver, column))
        .collect();
    text.push(&named?.join(", "));
    if columns.is_empty() {
        text.push(if order.is_empty() { "*" } else { ", *" });
        return Err(frame_fault("select.columns", "[]"));
    }
    text.push(" FROM ").push(&table);
    let mut joined = false;
    for filter in parts.get("where").and_then(Value::as_list).unwrap_or_default() {
        text.push(if joined { " AND (" } else { " WHERE (" });
        let mut tests = 0;
        condition(filter, &mut text, cx, &mut tests)?;
        text.push(")");
        joined = true;
    }
    let stretch = stretch(parts)?;
    if let (Some(column), Some((from, to))) = (&updated, stretch) {
        let column = quoted(driver, column)?;
        text.push(if joined { " AND (" } else { " WHERE (" });
        text.push(&column).push(" >= ").bind("from", &instant(from))?;
        text.push(" AND ")
            .push(&column)
            .push(" < ")
            .bind("to", &instant(to))?;
        text.push(")");
        joined = true;
    }
    if let Some(of) = parts.optional_text("of") {
        text.push(if joined { " AND " } else { " WHERE " });
        text.push(&quoted(driver, "target")?)
            .push(" = ")
            .bind("of", &of.into())?;
        joined = true;
    }
    if let Some(after) = after(parts, order.len())? {
        text.push(if joined { " AND (" } else { " WHERE (" });
        behind(&order, &after, &mut text, cx)?;
        text.push(")");
    }
    if !order.is_empty() {
        let order: Result<Vec<String>, Failure> = order.iter().map(|column| quoted(driver, column)).collect();
        text.push(" ORDER BY ").push(&order?.join(", "));
    }
    if driver != Driver::Sqlserver {
        text.push(&format!(" LIMIT {}", size + 1));
    }
    let mut read = map([
        ("sql", text.sql.into()),
        ("binds", text.binds.into()),
        ("limit", i64::from(size).into()),
        ("keys", count(order.len())),
        ("rows", "lists".into()),
    ]);
    // A column with offsets takes a clock's text for UTC there, and only the database knows which columns have them.
    if driver == Driver::Sqlserver
        && updated.is_some()
        && times.is_clock()
        && let Value::Map(members) = &mut read
    {
        members.insert("clock".to_owned(), true.into());
    }
    Ok(map([("read", read)]))
}

/// A SELECT of one's own. Its rows come as maps; those of the columns `key` say where the next page begins.
pub(super) fn query(parts: &Parts<'_>, cx: &Cx<'_>) -> Result<Value, Failure> {
    let size = size(parts)?;
    let keys = parts.texts("key")?;
    let sql = parts.text("sql")?;
    let after = after(parts, keys.len())?;
    let stretch = stretch(parts)?;
    let mut text = Text::new(cx.driver, Some(parts.times(cx)?));
    let mut is_paged = false;
    for piece in own::pieces(&sql)? {
        match piece {
            own::Piece::Text(sql) => {
                text.push(sql);
            }
            own::Piece::Name(name) => {
                let nth = own::after_place(name);
                let value = match (name, nth) {
                    ("from", _) => instant(stretch.ok_or_else(|| refused(name))?.0),
                    ("to", _) => instant(stretch.ok_or_else(|| refused(name))?.1),
                    ("limit", _) => {
                        is_paged = true;
                        i64::from(size + 1).into()
                    }
                    (_, Some(nth)) => match &after {
                        Some(after) => after.get(nth).cloned().ok_or_else(|| refused(name))?,
                        None => Value::Null,
                    },
                    _ => return Err(refused(name)),
                };
                text.name(name, &value)?;
            }
        }
    }
    if is_paged && keys.is_empty() {
        return Err(Failure::new(&source::SQL_TEXT).with("why", ":limit, key: []"));
    }
    Ok(map([(
        "read",
        map([
            ("sql", text.sql.into()),
            ("binds", text.binds.into()),
            ("limit", i64::from(size).into()),
            ("by", Value::List(keys.into_iter().map(Value::from).collect())),
            ("paged", is_paged.into()),
            ("rows", "maps".into()),
        ]),
    )]))
}

fn refused(name: &str) -> Failure {
    Failure::new(&source::SQL_TEXT).with("why", format!(":{name}"))
}

/// The window, in milliseconds.
fn stretch(parts: &Parts<'_>) -> Result<Option<(i64, i64)>, Failure> {
    let (Some(from), Some(to)) = (parts.optional_text("from"), parts.optional_text("to")) else {
        return Ok(None);
    };
    match (from.parse(), to.parse()) {
        (Ok(from), Ok(to)) => Ok(Some((from, to))),
        _ => Err(frame_fault("from", &from)),
    }
}

fn instant(ms: i64) -> Value {
    Value::Instant(dsl::Instant { ms })
}

fn size(parts: &Parts<'_>) -> Result<u32, Failure> {
    let Some(text) = parts.optional_text("size") else {
        return Ok(SIZE);
    };
    text.parse::<u32>()
        .ok()
        .filter(|size| (1..u32::MAX).contains(size))
        .ok_or_else(|| frame_fault("size", &text))
}

/// The keys of the last row of the page before.
fn after(parts: &Parts<'_>, keys: usize) -> Result<Option<Vec<Value>>, Failure> {
    let Some(cursor) = parts.optional_text("after") else {
        return Ok(None);
    };
    match dsl::json::parse(cursor.as_bytes()) {
        Ok(Value::List(values)) if values.len() == keys && keys > 0 => Ok(Some(values)),
        _ => Err(frame_fault("after", &cursor)),
    }
}

/// `(a > ?) OR (a = ? AND b > ?)`: what every system understands and uses an index for.
fn behind(order: &[String], after: &[Value], text: &mut Text<'_>, cx: &Cx<'_>) -> Result<(), Failure> {
    for last in 0..order.len() {
        text.push(if last == 0 { "(" } else { " OR (" });
        for (nth, (column, value)) in order.iter().zip(after).enumerate().take(last + 1) {
            if nth > 0 {
                text.push(" AND ");
            }
            let sign = if nth == last { " > " } else { " = " };
            text.push(&quoted(cx.driver, column)?).push(sign);
            text.compared(column, value)?;
        }
        text.push(")");
    }
    Ok(())
}

/// A condition as the frame carries it: `{all}`, `{any}`, `{not}` or `{field, op, values}`.
fn condition(asked: &Value, text: &mut Text<'_>, cx: &Cx<'_>, tests: &mut usize) -> Result<(), Failure> {
    let inner = |name: &str| asked.get(name).and_then(Value::as_list);
    if let Some((parts, with, empty)) = inner("all")
        .map(|parts| (parts, " AND ", "1 = 1"))
        .or_else(|| inner("any").map(|parts| (parts, " OR ", "1 = 0")))
    {
        if parts.is_empty() {
            text.push(empty);
        }
        for (nth, part) in parts.iter().enumerate() {
            text.push(if nth == 0 { "(" } else { with });
            if nth > 0 {
                text.push("(");
            }
            condition(part, text, cx, tests)?;
            text.push(")");
        }
        return Ok(());
    }
    if let Some(not) = asked.get("not") {
        text.push("NOT (");
        condition(not, text, cx, tests)?;
        text.push(")");
        return Ok(());
    }
    *tests += 1;
    if *tests > TESTS_MAX {
        return Err(unbindable("*", &format!("> {TESTS_MAX}")));
    }
    test(asked, text, cx)
}

fn test(asked: &Value, text: &mut Text<'_>, cx: &Cx<'_>) -> Result<(), Failure> {
    let field = asked.get("field").and_then(Value::as_text).unwrap_or_default();
    let op = asked.get("op").and_then(Value::as_text).unwrap_or_default();
    let values = asked.get("values").and_then(Value::as_list).unwrap_or_default();
    let name = quoted(cx.driver, field)?;
    let sign = match op {
        "eq" => " = ",
        "neq" => " <> ",
        "gt" => " > ",
        "gte" => " >= ",
        "lt" => " < ",
        "lte" => " <= ",
        "like" => " LIKE ",
        "not_like" => " NOT LIKE ",
        "in" | "not_in" => {
            if values.is_empty() {
                return Err(unbindable(field, "[]"));
            }
            text.push(&name)
                .push(if op == "in" { " IN (" } else { " NOT IN (" });
            for (nth, value) in values.iter().enumerate() {
                text.push(if nth == 0 { "" } else { ", " });
                text.compared(field, value)?;
            }
            text.push(")");
            return Ok(());
        }
        "between" => {
            let [low, high] = values else {
                return Err(unbindable(field, op));
            };
            text.push(&name).push(" BETWEEN ");
            text.compared(field, low)?.push(" AND ").compared(field, high)?;
            return Ok(());
        }
        _ => {
            return match values.first().and_then(Value::as_text) {
                Some("null") => {
                    text.push(&name).push(" IS NULL");
                    Ok(())
                }
                Some("empty") => {
                    text.push(&format!("({name} IS NULL OR {name} = '')"));
                    Ok(())
                }
                _ => Err(Failure::new(&source::FILTER_OP).with("op", op).at(field)),
            };
        }
    };
    let [value] = values else {
        return Err(unbindable(field, op));
    };
    if value.is_null() {
        return Err(unbindable(field, "null"));
    }
    text.push(&name).push(sign);
    text.compared(field, value)?;
    Ok(())
}

fn count(number: usize) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}
