//! Documents that are there: changed, voided, taken away.
//!
//! Each is found by the id that the database made, where the scheme names its column, and else by its key. What is done
//! a second time has the same effect, so that a lost answer is followed by the same call. The note of a document stays;
//! it tells the attempt that changed it last, and `void:` before the one that voided it.

use dsl::{Failure, Value};

use super::bind::{Given, Text};
use super::names::{column, quoted};
use super::write::{Record, Write, listed_records, texts};
use super::{Cx, Driver, Parts, frame_fault, map};

/// Changed columns, and the lines that take the place of those there were. A document that is not there is refused.
pub(super) fn update(parts: &Parts<'_>, cx: &Cx<'_>) -> Result<Value, Failure> {
    let write = Write::of(parts, cx)?;
    let mut steps = write.guards();
    for record in &write.records {
        steps.push(is_there(&write, record)?);
        steps.push(is_one(&write, record)?);
        let kept: Vec<&str> = match &write.generated {
            Some(id) => vec![id],
            None => write.key.iter().map(String::as_str).collect(),
        };
        let columns = record.columns.iter().filter(|(name, _)| !kept.contains(name));
        let columns: Vec<(&str, Given<'_>)> = columns
            .map(|(name, value)| (*name, Given::Value(value)))
            .collect();
        if !columns.is_empty() {
            steps.push(set(&write, record, &columns)?);
        }
        steps.push(noted(&write, record, &write.attempt)?);
    }
    write.lines(&mut steps)?;
    write.request(steps)
}

/// Declared columns get declared values: `{status: X}`.
pub(super) fn void(parts: &Parts<'_>, cx: &Cx<'_>) -> Result<Value, Failure> {
    let records = known(parts)?;
    let write = Write::with(parts, cx, &records)?;
    let to = parts.need("set")?;
    let to = to
        .as_map()
        .filter(|members| !members.is_empty())
        .ok_or_else(|| frame_fault("void", "{column: value}"))?;
    let columns: Vec<(&str, Given<'_>)> = to
        .iter()
        .map(|(name, value)| (name.as_str(), Given::Value(value)))
        .collect();
    let mut steps = write.guards();
    for record in &write.records {
        steps.push(is_there(&write, record)?);
        steps.push(is_one(&write, record)?);
        steps.push(set(&write, record, &columns)?);
        steps.push(noted(&write, record, &voided(&write))?);
    }
    write.request(steps)
}

/// The rows are taken away, and their lines before them. One that is not there any more is what was wanted.
pub(super) fn delete(parts: &Parts<'_>, cx: &Cx<'_>) -> Result<Value, Failure> {
    let records = known(parts)?;
    let write = Write::with(parts, cx, &records)?;
    let mut steps = write.guards();
    write.drop_lines(&mut steps)?;
    for record in &write.records {
        let mut text = Text::new(write.driver, None);
        text.push("DELETE FROM ").push(&write.quoted).push(" WHERE ");
        by_id_or_key(&write, record, &mut text)?;
        steps.push(text.step());
        steps.push(noted(&write, record, &voided(&write))?);
    }
    write.request(steps)
}

/// A document that is voided is not made once more: what is known of it are its id, where it has one, and its key.
fn known(parts: &Parts<'_>) -> Result<Vec<Value>, Failure> {
    let keys = parts.need("keys")?;
    let (fields, names) = (texts(keys.get("fields")), texts(keys.get("texts")));
    let records = listed_records(parts)?;
    let whole = records.iter().zip(&names).map(|(record, text)| {
        let mut members = record.as_map().cloned().unwrap_or_default();
        let parts = dsl::json::parse(text.as_bytes()).ok();
        let parts = parts.as_ref().and_then(Value::as_list).unwrap_or_default();
        for (field, part) in fields.iter().zip(parts) {
            members.entry(field.clone()).or_insert_with(|| part.clone());
        }
        Value::Map(members)
    });
    Ok(whole.collect())
}

fn voided(write: &Write<'_>) -> String {
    format!("void:{}", write.attempt)
}

/// Behind the note of one document.
pub(super) fn where_noted(
    write: &Write<'_>,
    record: &Record<'_>,
    text: &mut Text<'_>,
) -> Result<(), Failure> {
    let (table, key) = (
        Value::from(write.table.as_str()),
        Value::from(record.text.as_str()),
    );
    text.push(" WHERE ")
        .push(&column(write.driver, "target")?)
        .push(" = ")
        .bind("target", &table)?;
    text.push(" AND ")
        .push(&column(write.driver, "doc_key")?)
        .push(" = ")
        .bind("doc_key", &key)?;
    Ok(())
}

fn noted(write: &Write<'_>, record: &Record<'_>, attempt: &str) -> Result<Value, Failure> {
    let attempt = Value::from(attempt);
    let mut text = Text::new(write.driver, None);
    text.push("UPDATE ")
        .push(&quoted(write.driver, &write.attempts)?)
        .push(" SET ")
        .push(&column(write.driver, "attempt")?)
        .push(" = ")
        .bind("attempt", &attempt)?;
    where_noted(write, record, &mut text)?;
    Ok(text.step())
}

fn by_id_or_key(write: &Write<'_>, record: &Record<'_>, text: &mut Text<'_>) -> Result<(), Failure> {
    let Some(id) = &write.generated else {
        return write.by_key(record, text);
    };
    text.push(&column(write.driver, id)?)
        .push(" = ")
        .compared(id, record.value(id)?)?;
    Ok(())
}

fn set(write: &Write<'_>, record: &Record<'_>, columns: &[(&str, Given<'_>)]) -> Result<Value, Failure> {
    let mut text = Text::new(write.driver, None);
    text.push("UPDATE ").push(&write.quoted).push(" SET ");
    for (nth, (name, value)) in columns.iter().enumerate() {
        text.push(if nth == 0 { "" } else { ", " });
        text.push(&column(write.driver, name)?)
            .push(" = ")
            .bind(name, *value)?;
    }
    text.push(" WHERE ");
    by_id_or_key(write, record, &mut text)?;
    Ok(text.step())
}

/// Where nothing keeps a key unique, it may be that of rows of somebody else as well.
fn is_one(write: &Write<'_>, record: &Record<'_>) -> Result<Value, Failure> {
    let mut text = Text::new(write.driver, None);
    text.push(&format!("SELECT COUNT(*) FROM {} WHERE ", write.quoted));
    by_id_or_key(write, record, &mut text)?;
    text.push(" HAVING COUNT(*) > 1");
    let by = write.generated.clone().unwrap_or_else(|| write.key.join(", "));
    Ok(guard(
        text.step(),
        "several",
        format!("{}: several rows with one key (by {by})", write.table),
    ))
}

/// Somebody may have taken the document away: an update of nothing is no success.
fn is_there(write: &Write<'_>, record: &Record<'_>) -> Result<Value, Failure> {
    let mut text = Text::new(write.driver, None);
    let dual = if write.driver == Driver::Mysql {
        " FROM DUAL"
    } else {
        ""
    };
    text.push(&format!(
        "SELECT 1{dual} WHERE NOT EXISTS (SELECT 1 FROM {} WHERE ",
        write.quoted
    ));
    by_id_or_key(write, record, &mut text)?;
    text.push(")");
    let by = write.generated.clone().unwrap_or_else(|| write.key.join(", "));
    Ok(guard(
        text.step(),
        "gone",
        format!("{}: no such row any more (by {by})", write.table),
    ))
}

/// A step that refuses the write where it finds a row.
fn guard(mut step: Value, code: &str, words: String) -> Value {
    if let Value::Map(members) = &mut step {
        let more = map([("none", words.into()), ("code", code.into())]);
        members.extend(more.as_map().cloned().unwrap_or_default());
    }
    step
}
