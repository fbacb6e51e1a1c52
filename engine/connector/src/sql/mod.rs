//! Calls to a database: a structured frame in, one statement with bound values out.
//!
//! `encode: sql` makes of an operation's body a *statement*: SQL text with placeholders, and beside it the values, as
//! JSON. Names of tables and columns are checked and quoted; a value is never part of the text. What differs from one
//! system to the next is a row of [`Driver`]. Connecting, sending and reading are left to whoever takes the statement;
//! what comes back is a JSON document that is judged like every other answer.

mod bind;
mod change;
mod kinds;
mod made;
mod names;
mod notes;
mod outbox;
mod own;
mod place;
mod read;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod tests;
mod write;

use dsl::catalogue::source;
use dsl::{Failure, Map, Value};
use jiff::tz::TimeZone;

pub(crate) use names::check_name;
pub(crate) use own::fault as own_text_fault;
pub use place::Database;

use bind::Times;

/// A system that speaks SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Driver {
    /// PostgreSQL, and what speaks its protocol.
    Postgresql,
    /// MySQL and MariaDB.
    Mysql,
    /// Microsoft SQL Server.
    Sqlserver,
    /// A file of SQLite.
    Sqlite,
    /// The files of a folder.
    Files,
}

impl Driver {
    /// All of them.
    pub const ALL: [Driver; 5] = [
        Driver::Postgresql,
        Driver::Mysql,
        Driver::Sqlserver,
        Driver::Sqlite,
        Driver::Files,
    ];

    /// The word in files and addresses.
    pub fn name(self) -> &'static str {
        match self {
            Driver::Postgresql => "postgresql",
            Driver::Mysql => "mysql",
            Driver::Sqlserver => "sqlserver",
            Driver::Sqlite => "sqlite",
            Driver::Files => "files",
        }
    }

    /// The driver with this word.
    pub fn parse(word: &str) -> Option<Driver> {
        Driver::ALL.into_iter().find(|driver| driver.name() == word)
    }

    /// The port where nobody names one.
    pub fn port(self) -> u16 {
        match self {
            Driver::Postgresql => 5432,
            Driver::Mysql => 3306,
            Driver::Sqlserver => 1433,
            Driver::Sqlite | Driver::Files => 0,
        }
    }

    /// Most values that one statement binds: the protocol's own ceiling, and for SQL Server a little below it, because
    /// its libraries use some themselves.
    pub(crate) fn binds_max(self) -> usize {
        match self {
            Driver::Postgresql | Driver::Mysql => 65_535,
            Driver::Sqlserver => 2_000,
            Driver::Sqlite | Driver::Files => 32_766,
        }
    }

    /// Most rows behind one VALUES.
    pub(crate) fn rows_max(self) -> usize {
        match self {
            Driver::Sqlserver => 1_000,
            Driver::Postgresql | Driver::Mysql | Driver::Sqlite | Driver::Files => 5_000,
        }
    }

    /// The placeholder of the nth value, counted from 1.
    pub(crate) fn placeholder(self, nth: usize) -> String {
        match self {
            Driver::Postgresql => format!("${nth}"),
            Driver::Sqlserver => format!("@P{nth}"),
            Driver::Mysql | Driver::Sqlite | Driver::Files => "?".to_owned(),
        }
    }

    /// A part of a name in the quotes of this system. The part has been checked and holds no quote.
    pub(crate) fn quote(self, part: &str) -> String {
        match self {
            Driver::Mysql => format!("`{part}`"),
            Driver::Sqlserver => format!("[{part}]"),
            Driver::Postgresql | Driver::Sqlite | Driver::Files => format!("\"{part}\""),
        }
    }
}

/// What the body of a statement may be.
const FRAMES: &str = "one of: select query upsert insert update void delete files file noted";

/// What a statement is built with beside its body.
pub(crate) struct Cx<'a> {
    pub(crate) driver: Driver,
    /// The zone of clock times in the database.
    pub(crate) zone: &'a TimeZone,
}

/// The statement of an evaluated body, as the bytes of a request.
pub(crate) fn statement(body: &Value, cx: &Cx<'_>) -> Result<Vec<u8>, Failure> {
    let members = body.as_map();
    let Some((kind, inner)) = members
        .filter(|members| members.len() == 1)
        .and_then(|m| m.first())
    else {
        return Err(frame_fault("body", FRAMES));
    };
    let parts = Parts {
        at: kind,
        map: inner
            .as_map()
            .ok_or_else(|| frame_fault(kind, inner.kind().name()))?,
    };
    let statement = match kind.as_str() {
        "select" => read::select(&parts, cx)?,
        "query" => read::query(&parts, cx)?,
        "upsert" => write::upsert(&parts, cx)?,
        "insert" => write::insert(&parts, cx)?,
        "update" => change::update(&parts, cx)?,
        "void" => change::void(&parts, cx)?,
        "delete" => change::delete(&parts, cx)?,
        "file" => outbox::file(&parts)?,
        "noted" => outbox::noted(&parts)?,
        // What a folder is asked has no text and no values: it is taken as it is.
        "files" => map([("files", inner.clone())]),
        _ => return Err(frame_fault("body", FRAMES)),
    };
    let mut bytes = Vec::new();
    dsl::json::write(&statement, &mut bytes);
    Ok(bytes)
}

/// The members of a statement's frame.
pub(crate) struct Parts<'a> {
    at: &'a str,
    map: &'a Map,
}

impl<'a> Parts<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    fn need(&self, name: &str) -> Result<&'a Value, Failure> {
        self.get(name)
            .ok_or_else(|| frame_fault(&format!("{}.{name}", self.at), "null"))
    }

    fn text(&self, name: &str) -> Result<String, Failure> {
        let value = self.need(name)?;
        value
            .to_plain_text()
            .ok_or_else(|| frame_fault(&format!("{}.{name}", self.at), value.kind().name()))
    }

    fn optional_text(&self, name: &str) -> Option<String> {
        self.get(name)
            .and_then(Value::to_plain_text)
            .filter(|text| !text.is_empty())
    }

    fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        let Some(value) = self.get(name) else {
            return Ok(Vec::new());
        };
        let list = match value {
            Value::List(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        list.iter()
            .map(|value| {
                value
                    .to_plain_text()
                    .ok_or_else(|| frame_fault(&format!("{}.{name}", self.at), value.kind().name()))
            })
            .collect()
    }

    fn times(&self, cx: &'a Cx<'a>) -> Result<Times<'a>, Failure> {
        Times::parse(self.optional_text("time").as_deref(), cx.zone)
            .ok_or_else(|| frame_fault(&format!("{}.time", self.at), "clock utc unix_s unix_ms"))
    }
}

/// What is wrong with the options of an operation whose values are known: names of tables and columns, and a SELECT of
/// one's own.
pub(crate) fn option_faults(options: &Map) -> Vec<(String, Failure)> {
    let mut faults = Vec::new();
    let mut tell = |name: &str, failure: Failure| faults.push((name.to_owned(), failure));
    for name in ["table", "key", "attempts", "id", "generated"] {
        let values = match options.get(name) {
            Some(Value::List(list)) => list.as_slice(),
            Some(one) => std::slice::from_ref(one),
            None => continue,
        };
        let bad = values
            .iter()
            .filter_map(Value::as_text)
            .find_map(|text| check_name(text).err());
        if let Some(failure) = bad {
            tell(name, failure);
        }
    }
    if options.get("id").is_some_and(|id| !id.is_null())
        && options.get("generated").is_some_and(|id| !id.is_null())
    {
        tell("id", frame_fault("id", "generated"));
    }
    if let Some(columns) = options.get("void").and_then(Value::as_map) {
        let bad = columns.keys().find_map(|name| check_name(name).err());
        match bad {
            Some(failure) => tell("void", failure),
            None if columns.is_empty() => tell("void", frame_fault("void", "{column: value}")),
            None => {}
        }
    }
    for (name, failure) in outbox::option_faults(options) {
        tell(name, failure);
    }
    if let Some(sql) = options.get("sql").and_then(Value::as_text)
        && let Some(failure) = own_text_fault(sql)
    {
        tell("sql", failure);
    }
    for list in options.get("lines").and_then(Value::as_map).into_iter().flatten() {
        let (name, list) = list;
        let table = list.get("table").and_then(Value::as_text);
        let by = list.get("by").and_then(Value::as_map);
        match (table, by.filter(|by| !by.is_empty())) {
            (Some(table), Some(by)) => {
                let mut names = std::iter::once(table).chain(by.keys().map(String::as_str));
                if let Some(failure) = names.find_map(|name| check_name(name).err()) {
                    tell("lines", failure);
                }
            }
            _ => {
                let place = format!("lines.{name}");
                tell("lines", frame_fault(&place, "{table, by: {column: column}}"));
            }
        }
    }
    faults
}

fn frame_fault(place: &str, why: &str) -> Failure {
    Failure::new(&source::FRAME).with("place", place).with("why", why)
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    let pairs = members.map(|(name, value)| (name.to_owned(), value));
    Value::Map(pairs.into_iter().collect())
}
