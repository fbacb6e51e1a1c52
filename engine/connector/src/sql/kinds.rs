//! What MySQL compares with what, where a row is found by its key.
//!
//! Beside a number it takes a column of texts for numbers as well: 123 finds `0123` and `123 old`, which are other
//! documents. Which columns are texts only the database knows, so that it is asked before anything is written.

use dsl::Value;

use super::map;
use super::write::{List, Record, Write};

/// Statements that give a row where a number is to be compared with a column of texts.
pub(super) fn guards(write: &Write<'_>) -> Vec<Value> {
    let is_number = |record: &Record<'_>, column: &str| matches!(record.value(column), Ok(Value::Number(_)));
    let in_any = |column: &str| write.records.iter().any(|record| is_number(record, column));
    let own = write
        .key
        .iter()
        .map(String::as_str)
        .chain(write.generated.as_deref());
    let own: Vec<&str> = own.filter(|column| in_any(column)).collect();
    let lines = write.lists.iter().map(|list: &List| {
        let by = list.by.iter().filter(|(_, document)| in_any(document));
        (
            &list.table,
            by.map(|(line, _)| line.as_str()).collect::<Vec<&str>>(),
        )
    });
    std::iter::once((&write.table, own))
        .chain(lines)
        .filter(|(_, columns)| !columns.is_empty())
        .map(|(table, columns)| guard(table, &columns))
        .collect()
}

fn guard(table: &str, columns: &[&str]) -> Value {
    let (schema, name) = match table.rsplit_once('.') {
        Some((schema, name)) => ("?", [Some(schema), Some(name)]),
        None => ("DATABASE()", [None, Some(table)]),
    };
    let places = vec!["?"; columns.len()].join(", ");
    let sql = format!(
        "SELECT 1 FROM information_schema.columns WHERE table_schema = {schema} AND table_name = ? \
         AND column_name IN ({places}) \
         AND (character_set_name IS NOT NULL OR data_type LIKE '%binary' OR data_type LIKE '%blob')"
    );
    let binds: Vec<Value> = name
        .into_iter()
        .flatten()
        .chain(columns.iter().copied())
        .map(Value::from)
        .collect();
    let columns = columns.join(", ");
    map([
        ("sql", sql.into()),
        ("binds", binds.into()),
        (
            "none",
            format!("{table}: {columns}: a column of texts is given a number as its key, and 123 would find '0123' too; give a text").into(),
        ),
    ])
}
