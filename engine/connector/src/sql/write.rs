//! Writing: rows by key and, in the same transaction, the note that they were written.
//!
//! The note (`engine_attempts`) is what a lost answer is asked about: it stands there exactly when the rows do. A table
//! that nothing keeps from taking a row twice is safe with [`insert`], because the note itself is unique. Where the
//! database makes the key (`generated`), its id is given back by the statement that adds the row, and put into the note
//! and into the lines before the transaction ends.

use dsl::catalogue::source;
use dsl::{Failure, Value};

use super::bind::{Given, Text, unbindable};
use super::names::{column, quoted};
use super::notes::notes_ddl;
use super::{Cx, Driver, Parts, frame_fault, map};

/// Characters of a document's key, of a table's name and of an id: what the columns of the notes take.
const KEY_MAX: usize = 400;
const NAME_MAX: usize = 128;

/// Lines of one document.
const LINES_MAX: usize = 10_000;

/// What is written, taken out of the frame.
pub(super) struct Write<'a> {
    pub(super) driver: Driver,
    /// As it is written in the scheme: the notes remember it so.
    pub(super) table: String,
    /// Its name in quotes.
    pub(super) quoted: String,
    pub(super) key: Vec<String>,
    pub(super) records: Vec<Record<'a>>,
    pub(super) attempts: String,
    pub(super) attempt: String,
    id: Option<String>,
    /// The column whose value the database makes.
    pub(super) generated: Option<String>,
    pub(super) lists: Vec<List>,
}

pub(super) struct Record<'a> {
    /// The text of its key, as the ledger has it.
    pub(super) text: String,
    /// Columns and values, without its lists.
    pub(super) columns: Vec<(&'a str, &'a Value)>,
    lists: Vec<(usize, &'a [Value])>,
}

/// Lines of a document in a table of their own.
pub(super) struct List {
    name: String,
    pub(super) table: String,
    /// Column of the line, and the document's column that it repeats.
    pub(super) by: Vec<(String, String)>,
}

/// New rows, and changed ones under the same key.
pub(super) fn upsert(parts: &Parts<'_>, cx: &Cx<'_>) -> Result<Value, Failure> {
    let write = Write::of(parts, cx)?;
    let mut steps = write.guards();
    for group in write.groups() {
        match write.driver {
            Driver::Mysql => {
                for record in group {
                    steps.extend(write.change_or_add(record)?);
                }
            }
            Driver::Postgresql | Driver::Sqlite | Driver::Sqlserver | Driver::Files => {
                let columns: Vec<&str> = group[0].columns.iter().map(|(name, _)| *name).collect();
                let rows: Vec<Vec<Given<'_>>> = group.iter().map(|record| record.values()).collect();
                steps.extend(merge(write.driver, &write.quoted, &write.key, &columns, &rows)?);
            }
        }
    }
    write.lines(&mut steps)?;
    write.notes(&mut steps, Note::Again)?;
    write.request(steps)
}

/// New rows only. A document that is noted already is refused as a whole, before its rows are written.
pub(super) fn insert(parts: &Parts<'_>, cx: &Cx<'_>) -> Result<Value, Failure> {
    let write = Write::of(parts, cx)?;
    let mut steps = write.guards();
    write.notes(&mut steps, Note::Once)?;
    if let Some(id) = &write.generated {
        super::made::rows(&write, id, &mut steps)?;
    } else {
        for group in write.groups() {
            let columns: Vec<&str> = group[0].columns.iter().map(|(name, _)| *name).collect();
            let rows: Vec<Vec<Given<'_>>> = group.iter().map(|record| record.values()).collect();
            steps.extend(add(write.driver, &write.quoted, &columns, &rows)?);
        }
    }
    write.lines(&mut steps)?;
    write.request(steps)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Note {
    /// A second note for a document is refused.
    Once,
    /// It takes the place of the first.
    Again,
}

impl<'a> Write<'a> {
    pub(super) fn of(parts: &'a Parts<'_>, cx: &Cx<'_>) -> Result<Write<'a>, Failure> {
        Write::with(parts, cx, listed_records(parts)?)
    }

    /// The same with other records than those of the frame.
    pub(super) fn with(
        parts: &'a Parts<'_>,
        cx: &Cx<'_>,
        records: &'a [Value],
    ) -> Result<Write<'a>, Failure> {
        let table = parts.text("table")?;
        let keys = parts.need("keys")?;
        let key: Vec<String> = texts(keys.get("fields"));
        let names: Vec<String> = texts(keys.get("texts"));
        if key.is_empty() {
            return Err(Failure::new(&source::SQL_KEY).with("table", &table));
        }
        let lists = lists(parts)?;
        if records.len() != names.len() {
            return Err(frame_fault("keys", &names.len().to_string()));
        }
        let records: Result<Vec<Record<'_>>, Failure> = records
            .iter()
            .zip(names)
            .map(|(record, text)| Record::of(record, text, &key, &lists))
            .collect();
        if table.chars().count() > NAME_MAX {
            return Err(Failure::new(&source::SQL_NAME).with("name", &table));
        }
        Ok(Write {
            driver: cx.driver,
            quoted: quoted(cx.driver, &table)?,
            table,
            key,
            records: records?,
            attempts: parts
                .optional_text("attempts")
                .unwrap_or_else(|| "engine_attempts".to_owned()),
            attempt: parts.text("attempt")?,
            id: parts.optional_text("id"),
            generated: parts.optional_text("generated"),
            lists,
        })
    }

    /// Neighbours with the same columns: they are one statement.
    fn groups(&self) -> impl Iterator<Item = &[Record<'a>]> {
        self.records.chunk_by(|one, other| one.names().eq(other.names()))
    }

    /// What must hold before anything is written. A table of MySQL whose engine knows no transactions would keep its
    /// rows while the note is taken back.
    pub(super) fn guards(&self) -> Vec<Value> {
        if self.driver != Driver::Mysql {
            return Vec::new();
        }
        let tables = std::iter::once(&self.table)
            .chain(self.lists.iter().map(|list| &list.table))
            .chain([&self.attempts]);
        let engines = tables.map(|table| {
            let (schema, name) = match table.rsplit_once('.') {
                Some((schema, name)) => ("?", (Some(schema), name)),
                None => ("DATABASE()", (None, table.as_str())),
            };
            let sql = format!(
                "SELECT 1 FROM information_schema.tables WHERE table_schema = {schema} AND table_name = ? \
                     AND engine <> 'InnoDB'"
            );
            let binds: Vec<Value> = name.0.into_iter().chain([name.1]).map(Value::from).collect();
            map([
                ("sql", sql.into()),
                ("binds", binds.into()),
                ("none", format!("{table}: ENGINE is not InnoDB").into()),
            ])
        });
        engines.chain(super::kinds::guards(self)).collect()
    }

    /// MySQL: a changed row by its key, else a new one. `ON DUPLICATE KEY` would change the row that some other unique
    /// index finds.
    fn change_or_add(&self, record: &Record<'_>) -> Result<Vec<Value>, Failure> {
        let driver = self.driver;
        let mut steps = Vec::new();
        let others: Vec<&(&str, &Value)> = record
            .columns
            .iter()
            .filter(|(name, _)| !self.key.iter().any(|key| key == name))
            .collect();
        if !others.is_empty() {
            let mut text = Text::new(driver, None);
            text.push("UPDATE ").push(&self.quoted).push(" SET ");
            for (nth, (name, value)) in others.into_iter().enumerate() {
                text.push(if nth == 0 { "" } else { ", " });
                text.push(&column(driver, name)?).push(" = ").bind(name, *value)?;
            }
            text.push(" WHERE ");
            self.by_key(record, &mut text)?;
            steps.push(text.step());
        }
        let mut text = Text::new(driver, None);
        text.push("INSERT INTO ").push(&self.quoted).push(" (");
        text.push(&listed(driver, record.names())?).push(") SELECT ");
        for (nth, (name, value)) in record.columns.iter().enumerate() {
            text.push(if nth == 0 { "" } else { ", " }).bind(name, *value)?;
        }
        text.push(" FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM ")
            .push(&self.quoted)
            .push(" WHERE ");
        self.by_key(record, &mut text)?;
        text.push(")");
        steps.push(text.step());
        Ok(steps)
    }

    pub(super) fn by_key(&self, record: &Record<'_>, text: &mut Text<'_>) -> Result<(), Failure> {
        for (nth, key) in self.key.iter().enumerate() {
            text.push(if nth == 0 { "" } else { " AND " });
            text.push(&column(self.driver, key)?)
                .push(" = ")
                .compared(key, record.value(key)?)?;
        }
        Ok(())
    }

    /// What the lines of a document repeat of it.
    fn above<'s>(&'s self, list: &'s List, nth: usize) -> Result<Vec<(&'s str, Given<'s>)>, Failure> {
        let record = &self.records[nth];
        list.by
            .iter()
            .map(|(line, document)| {
                let is_made = self.generated.as_ref() == Some(document) && !record.has(document);
                let given = match is_made {
                    true => Given::Made(nth),
                    false => Given::Value(record.value(document)?),
                };
                Ok((line.as_str(), given))
            })
            .collect()
    }

    fn without_lines(&self, list: &List, nth: usize) -> Result<Value, Failure> {
        let driver = self.driver;
        let mut text = Text::new(driver, None);
        text.push("DELETE FROM ")
            .push(&quoted(driver, &list.table)?)
            .push(" WHERE ");
        for (nth, (name, value)) in self.above(list, nth)?.into_iter().enumerate() {
            text.push(if nth == 0 { "" } else { " AND " });
            text.push(&column(driver, name)?)
                .push(" = ")
                .compared(name, value)?;
        }
        Ok(text.step())
    }

    /// Takes the lines of every document away.
    pub(super) fn drop_lines(&self, steps: &mut Vec<Value>) -> Result<(), Failure> {
        for nth in 0..self.records.len() {
            for list in &self.lists {
                steps.push(self.without_lines(list, nth)?);
            }
        }
        Ok(())
    }

    /// The lines of each document take the place of those it had.
    pub(super) fn lines(&self, steps: &mut Vec<Value>) -> Result<(), Failure> {
        let driver = self.driver;
        for (place, record) in self.records.iter().enumerate() {
            for (nth, lines) in &record.lists {
                let list = &self.lists[*nth];
                let table = quoted(driver, &list.table)?;
                let above = self.above(list, place)?;
                let is_new = above.iter().any(|(_, given)| matches!(given, Given::Made(_)));
                if !is_new {
                    steps.push(self.without_lines(list, place)?);
                }
                let rows: Vec<Vec<(&str, Given<'_>)>> = lines
                    .iter()
                    .map(|line| {
                        let own = line
                            .as_map()
                            .ok_or_else(|| unbindable(&list.name, line.kind().name()))?;
                        let own = own
                            .iter()
                            .map(|(name, value)| (name.as_str(), Given::Value(value)));
                        Ok(above.iter().copied().chain(own).collect())
                    })
                    .collect::<Result<_, Failure>>()?;
                let same = |one: &Vec<(&str, Given<'_>)>, other: &Vec<(&str, Given<'_>)>| {
                    one.iter()
                        .map(|(name, _)| name)
                        .eq(other.iter().map(|(name, _)| name))
                };
                for group in rows.chunk_by(same) {
                    let columns: Vec<&str> = group[0].iter().map(|(name, _)| *name).collect();
                    let rows: Vec<Vec<Given<'_>>> = group
                        .iter()
                        .map(|row| row.iter().map(|(_, given)| *given).collect())
                        .collect();
                    steps.extend(add(driver, &table, &columns, &rows)?);
                }
            }
        }
        Ok(())
    }

    /// One note for each document: its table, its key, the attempt and its id.
    fn notes(&self, steps: &mut Vec<Value>, how: Note) -> Result<(), Failure> {
        const COLUMNS: [&str; 4] = ["target", "doc_key", "attempt", "doc_id"];
        let (table, attempt) = (
            Value::from(self.table.as_str()),
            Value::from(self.attempt.as_str()),
        );
        let texts: Vec<(Value, Value)> = self
            .records
            .iter()
            .map(|record| {
                if record.text.chars().count() > KEY_MAX {
                    return Err(unbindable("key", &format!("> {KEY_MAX}")));
                }
                let key = Value::from(record.text.as_str());
                // One that the database makes is put there once it is made.
                let id = match self.generated {
                    Some(_) => Value::Null,
                    None => Value::from(self.plain_id(record)?),
                };
                Ok((key, id))
            })
            .collect::<Result<_, Failure>>()?;
        let rows: Vec<Vec<Given<'_>>> = texts
            .iter()
            .map(|(key, id)| [&table, key, &attempt, id].map(Given::from).to_vec())
            .collect();
        let notes = quoted(self.driver, &self.attempts)?;
        match how {
            Note::Once => {
                for mut step in add(self.driver, &notes, &COLUMNS, &rows)? {
                    if let Value::Map(members) = &mut step {
                        members.insert("of".to_owned(), "note".into());
                    }
                    steps.push(step);
                }
            }
            Note::Again if self.driver == Driver::Mysql => {
                // The table of notes is ours: it has one unique key.
                for mut step in add(self.driver, &notes, &COLUMNS, &rows)? {
                    if let Value::Map(members) = &mut step
                        && let Some(Value::Text(sql)) = members.get_mut("sql")
                    {
                        sql.push_str(
                            " ON DUPLICATE KEY UPDATE `attempt` = VALUES(`attempt`), `doc_id` = VALUES(`doc_id`)",
                        );
                    }
                    steps.push(step);
                }
            }
            Note::Again => {
                let key = ["target".to_owned(), "doc_key".to_owned()];
                steps.extend(merge(self.driver, &notes, &key, &COLUMNS, &rows)?);
            }
        }
        Ok(())
    }

    /// The id of a document: its key, where the scheme names no column for it.
    ///
    /// Where the database made it, the document brings it with it once it is known.
    fn plain_id(&self, record: &Record<'_>) -> Result<String, Failure> {
        if let Some(made) = self.generated.as_ref().filter(|made| record.has(made)) {
            return Ok(record.value(made)?.to_plain_text().unwrap_or_default());
        }
        let name = match &self.id {
            Some(id) => return Ok(record.value(id)?.to_plain_text().unwrap_or_default()),
            None if self.key.len() == 1 => &self.key[0],
            None => return Ok(record.text.clone()),
        };
        Ok(record.value(name)?.to_plain_text().unwrap_or_default())
    }

    pub(super) fn request(&self, steps: Vec<Value>) -> Result<Value, Failure> {
        let ids: Vec<Value> = self
            .records
            .iter()
            .map(|record| self.plain_id(record).map(Value::from))
            .collect::<Result<_, Failure>>()?;
        let notes = quoted(self.driver, &self.attempts)?;
        Ok(map([(
            "write",
            map([
                ("probe", format!("SELECT 1 FROM {notes} WHERE 1 = 0").into()),
                ("make", notes_ddl(self.driver, &notes).into()),
                ("steps", steps.into()),
                ("ids", ids.into()),
            ]),
        )]))
    }
}

impl<'a> Record<'a> {
    fn of(record: &'a Value, text: String, key: &[String], lists: &[List]) -> Result<Record<'a>, Failure> {
        let members = record
            .as_map()
            .ok_or_else(|| unbindable("*", record.kind().name()))?;
        let mut of = Record {
            text,
            columns: Vec::new(),
            lists: Vec::new(),
        };
        for (name, value) in members {
            match lists.iter().position(|list| list.name == *name) {
                Some(nth) => {
                    let lines = value
                        .as_list()
                        .ok_or_else(|| unbindable(name, value.kind().name()))?;
                    if lines.len() > LINES_MAX {
                        return Err(unbindable(name, &format!("> {LINES_MAX}")));
                    }
                    of.lists.push((nth, lines));
                }
                None => of.columns.push((name, value)),
            }
        }
        for key in key {
            let value = of.value(key)?;
            // Nothing is equal to null: the same document would be a new row every time.
            if value.is_null() {
                return Err(unbindable(key, "null"));
            }
        }
        Ok(of)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        self.columns.iter().map(|(name, _)| *name)
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.names().any(|name| name == column)
    }

    pub(super) fn values(&self) -> Vec<Given<'a>> {
        self.columns
            .iter()
            .map(|(_, value)| Given::Value(value))
            .collect()
    }

    pub(super) fn value(&self, column: &str) -> Result<&'a Value, Failure> {
        self.columns
            .iter()
            .find(|(name, _)| *name == column)
            .map(|(_, value)| *value)
            .ok_or_else(|| unbindable(column, "-"))
    }
}

pub(super) fn listed_records<'p>(parts: &'p Parts<'_>) -> Result<&'p [Value], Failure> {
    let records = parts.need("records")?.as_list();
    records.ok_or_else(|| frame_fault("records", "list"))
}

pub(super) fn texts(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(Value::to_plain_text).collect()
}

/// `{items: {table: order_lines, by: {order_no: order_no}}}`
fn lists(parts: &Parts<'_>) -> Result<Vec<List>, Failure> {
    let Some(value) = parts.get("lines") else {
        return Ok(Vec::new());
    };
    let refused = |name: &str| frame_fault(&format!("lines.{name}"), "{table, by: {column: column}}");
    let members = value.as_map().ok_or_else(|| refused("*"))?;
    members
        .iter()
        .map(|(name, list)| {
            let table = list.get("table").and_then(Value::as_text);
            let by = list.get("by").and_then(Value::as_map);
            let (Some(table), Some(by)) = (table, by.filter(|by| !by.is_empty())) else {
                return Err(refused(name));
            };
            let by: Option<Vec<(String, String)>> = by
                .iter()
                .map(|(line, document)| Some((line.clone(), document.as_text()?.to_owned())))
                .collect();
            Ok(List {
                name: name.clone(),
                table: table.to_owned(),
                by: by.ok_or_else(|| refused(name))?,
            })
        })
        .collect()
}

pub(super) fn listed<'n>(driver: Driver, names: impl Iterator<Item = &'n str>) -> Result<String, Failure> {
    let names: Result<Vec<String>, Failure> = names.map(|name| column(driver, name)).collect();
    Ok(names?.join(", "))
}

/// Rows that go into one statement.
fn chunks<'r, 'v>(
    driver: Driver,
    columns: usize,
    rows: &'r [Vec<Given<'v>>],
) -> impl Iterator<Item = &'r [Vec<Given<'v>>]> {
    let at_once = (driver.binds_max() / columns.max(1)).clamp(1, driver.rows_max());
    rows.chunks(at_once)
}

pub(super) fn values(text: &mut Text<'_>, columns: &[&str], rows: &[Vec<Given<'_>>]) -> Result<(), Failure> {
    for (nth, row) in rows.iter().enumerate() {
        text.push(if nth == 0 { "(" } else { ", (" });
        for (nth, (name, value)) in columns.iter().zip(row).enumerate() {
            text.push(if nth == 0 { "" } else { ", " }).bind(name, *value)?;
        }
        text.push(")");
    }
    Ok(())
}

/// New rows.
fn add(
    driver: Driver,
    table: &str,
    columns: &[&str],
    rows: &[Vec<Given<'_>>],
) -> Result<Vec<Value>, Failure> {
    let names = listed(driver, columns.iter().copied())?;
    chunks(driver, columns.len(), rows)
        .map(|rows| {
            let mut text = Text::new(driver, None);
            text.push(&format!("INSERT INTO {table} ({names}) VALUES "));
            values(&mut text, columns, rows)?;
            Ok(text.step())
        })
        .collect()
}

/// Rows by key, in the words of a system that can say so for exactly this key.
fn merge(
    driver: Driver,
    table: &str,
    key: &[String],
    columns: &[&str],
    rows: &[Vec<Given<'_>>],
) -> Result<Vec<Value>, Failure> {
    let names = listed(driver, columns.iter().copied())?;
    let keys = listed(driver, key.iter().map(String::as_str))?;
    let others: Vec<String> = columns
        .iter()
        .filter(|name| !key.iter().any(|key| key == *name))
        .map(|name| column(driver, name))
        .collect::<Result<_, Failure>>()?;
    let set = |of: &str| {
        let pairs: Vec<String> = others
            .iter()
            .map(|name| format!("{name} = {of}.{name}"))
            .collect();
        pairs.join(", ")
    };
    chunks(driver, columns.len(), rows)
        .map(|rows| {
            let mut text = Text::new(driver, None);
            if driver == Driver::Sqlserver {
                text.push(&format!("MERGE INTO {table} WITH (HOLDLOCK) AS t USING (VALUES "));
                values(&mut text, columns, rows)?;
                let on: Vec<String> = key
                    .iter()
                    .map(|key| column(driver, key).map(|key| format!("t.{key} = s.{key}")))
                    .collect::<Result<_, Failure>>()?;
                text.push(&format!(") AS s ({names}) ON {}", on.join(" AND ")));
                if !others.is_empty() {
                    text.push(&format!(" WHEN MATCHED THEN UPDATE SET {}", set("s")));
                }
                let fresh: Vec<String> = columns
                    .iter()
                    .map(|name| column(driver, name).map(|name| format!("s.{name}")))
                    .collect::<Result<_, Failure>>()?;
                text.push(&format!(
                    " WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({});",
                    fresh.join(", ")
                ));
            } else {
                text.push(&format!("INSERT INTO {table} ({names}) VALUES "));
                values(&mut text, columns, rows)?;
                text.push(&format!(" ON CONFLICT ({keys}) DO "));
                match others.is_empty() {
                    true => text.push("NOTHING"),
                    false => text.push(&format!("UPDATE SET {}", set("excluded"))),
                };
            }
            Ok(text.step())
        })
        .collect()
}
