//! Rows whose key the database makes: SERIAL, AUTO_INCREMENT, IDENTITY.
//!
//! Each is a statement of its own that gives the id back; the id goes into the note of the document in the same
//! transaction, so that a lost answer is found with its id, and a later update goes by it.

use dsl::{Failure, Value};

use super::bind::{Given, Text, unbindable};
use super::names::{column, quoted};
use super::write::{Write, listed, values};
use super::{Driver, map};

/// The statements that add the rows of a call and keep their ids.
pub(super) fn rows(write: &Write<'_>, id: &str, steps: &mut Vec<Value>) -> Result<(), Failure> {
    let (driver, table) = (write.driver, &write.quoted);
    let made = column(driver, id)?;
    if driver == Driver::Mysql {
        steps.push(counts_itself(write, id));
    }
    for (nth, record) in write.records.iter().enumerate() {
        // What is given is not made, and the id that is told would be that of another row.
        if record.has(id) {
            return Err(unbindable(id, "generated"));
        }
        let columns: Vec<&str> = record.names().collect();
        let names = listed(driver, columns.iter().copied())?;
        let mut text = Text::new(driver, None);
        match driver {
            Driver::Mysql => {
                // The id of an earlier row is never taken for that of a row which has none.
                steps.push(map([
                    ("sql", "DO LAST_INSERT_ID(0)".into()),
                    ("binds", Value::List(Vec::new())),
                ]));
                text.push(&format!("INSERT INTO {table} ({names}) VALUES "));
                values(&mut text, &columns, &[record.values()])?;
                steps.push(text.step());
                text = Text::new(driver, None);
                text.push("SELECT NULLIF(LAST_INSERT_ID(), 0)");
            }
            // By way of a variable: a table with triggers gives nothing back directly.
            Driver::Sqlserver => {
                text.push(&format!(
                    "SET NOCOUNT ON; DECLARE @made TABLE ([id] NVARCHAR(400)); INSERT INTO {table} ({names}) \
                     OUTPUT CAST(INSERTED.{made} AS NVARCHAR(400)) INTO @made VALUES "
                ));
                values(&mut text, &columns, &[record.values()])?;
                text.push("; SELECT [id] FROM @made");
            }
            Driver::Postgresql | Driver::Sqlite | Driver::Files => {
                text.push(&format!("INSERT INTO {table} ({names}) VALUES "));
                values(&mut text, &columns, &[record.values()])?;
                text.push(&format!(" RETURNING {made}"));
            }
        }
        let mut step = text.step();
        if let Value::Map(members) = &mut step {
            members.insert("made".to_owned(), i64::try_from(nth).unwrap_or(i64::MAX).into());
        }
        steps.push(step);
        steps.push(noted(write, nth)?);
    }
    Ok(())
}

/// Puts the id into the note of the document.
fn noted(write: &Write<'_>, nth: usize) -> Result<Value, Failure> {
    let mut text = Text::new(write.driver, None);
    text.push("UPDATE ")
        .push(&quoted(write.driver, &write.attempts)?)
        .push(" SET ")
        .push(&column(write.driver, "doc_id")?)
        .push(" = ")
        .bind("doc_id", Given::Made(nth))?;
    super::change::where_noted(write, &write.records[nth], &mut text)?;
    Ok(text.step())
}

/// MySQL tells the id of the one column that counts by itself, whichever it is: it must be the one that is named.
fn counts_itself(write: &Write<'_>, id: &str) -> Value {
    let (schema, name) = match write.table.rsplit_once('.') {
        Some((schema, name)) => ("?", (Some(schema), name)),
        None => ("DATABASE()", (None, write.table.as_str())),
    };
    let sql = format!(
        "SELECT 1 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = {schema} \
         AND table_name = ? AND column_name = ? AND extra LIKE '%auto_increment%')"
    );
    let binds: Vec<Value> = name.0.into_iter().chain([name.1, id]).map(Value::from).collect();
    map([
        ("sql", sql.into()),
        ("binds", binds.into()),
        ("none", format!("{}.{id}: not AUTO_INCREMENT", write.table).into()),
    ])
}
