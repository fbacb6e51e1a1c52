//! SQLite: a file, and a thread that may wait for it.

use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags, ToSql};
use transport::Reason;

use crate::cell::Cell;
use crate::pool::Place;
use crate::session::{Bounds, Opening, Refusal, Rows, Trouble, not_sent};
use crate::statement::Bind;

/// How long another writer of the file is waited for.
const BUSY: Duration = Duration::from_secs(30);

/// Statements kept ready for one connection.
const STATEMENTS: usize = 32;

/// A connection to a file. It is away while a thread works with it; one that does not come back is gone.
pub(crate) struct Session(Option<Connection>);

impl Session {
    pub(crate) async fn open(place: &Place, _within: Duration) -> Result<Session, Opening> {
        let path = place.name.clone();
        // A file that is not there is a mistake of a path, not a wish for an empty database.
        let flags =
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let opened = blocking(move || {
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(BUSY)?;
            connection.set_prepared_statement_cache_capacity(STATEMENTS);
            connection.pragma_update(None, "foreign_keys", true)?;
            // Reads the head of the file: one that is no database is told now.
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
            Ok::<Connection, rusqlite::Error>(connection)
        });
        match opened.await {
            Ok(Ok(connection)) => Ok(Session(Some(connection))),
            Ok(Err(error)) => Err(Opening::Failed(not_sent(Reason::Connect, error.to_string()))),
            Err(detail) => Err(Opening::Failed(not_sent(Reason::Connect, detail))),
        }
    }

    pub(crate) async fn is_alive(&mut self) -> bool {
        self.0.is_some()
    }

    pub(crate) async fn query(
        &mut self,
        sql: &str,
        binds: &[Bind],
        mut bounds: Bounds,
    ) -> Result<Rows, Trouble> {
        let (sql, binds) = (sql.to_owned(), binds.to_vec());
        self.with(move |connection| {
            let mut statement = connection.prepare_cached(&sql)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let width = columns.len();
            let mut found = Rows {
                columns,
                rows: Vec::new(),
                with_offset: Vec::new(),
            };
            // What is written keeps its digits; what is only compared must be a number, because an expression of a view
            // has no affinity that would make one of a text.
            let compared = statement.readonly();
            let binds = binds.iter().map(|bind| Bound { bind, compared });
            let mut rows = statement.query(rusqlite::params_from_iter(binds))?;
            while found.rows.len() < bounds.rows {
                let Some(row) = rows.next()? else { break };
                let mut cells = Vec::with_capacity(width);
                for nth in 0..width {
                    cells.push(cell(row.get_ref(nth)?));
                }
                bounds.count(&cells)?;
                found.rows.push(cells);
            }
            Ok(found)
        })
        .await
    }

    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<(), Trouble> {
        let (sql, binds) = (sql.to_owned(), binds.to_vec());
        self.with(move |connection| {
            connection
                .prepare_cached(&sql)?
                .execute(rusqlite::params_from_iter(binds.iter()))?;
            Ok(())
        })
        .await
    }

    /// The lock of a writer at once: a transaction that begins as a reader may find out too late that another wrote.
    pub(crate) async fn begin(&mut self) -> Result<(), Trouble> {
        self.execute("BEGIN IMMEDIATE", &[]).await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Trouble> {
        self.execute("COMMIT", &[]).await
    }

    pub(crate) async fn roll_back(&mut self) -> Result<(), Trouble> {
        self.with(|connection| {
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK")?;
            }
            Ok(())
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Trouble> {
        let connection = self
            .0
            .take()
            .ok_or_else(|| Trouble::Broken("the file is closed".to_owned()))?;
        // Nobody waits any more: the thread is told, and what it had begun is taken back with the connection.
        let mut waiting = Waiting(Some(connection.get_interrupt_handle()));
        let worked = blocking(move || {
            let done = work(&connection);
            (connection, done)
        });
        let worked = worked.await;
        waiting.0 = None;
        let (connection, done) = worked.map_err(Trouble::Broken)?;
        self.0 = Some(connection);
        done.map_err(|failed| match failed {
            Failed::Trouble(trouble) => trouble,
            Failed::Sqlite(error) => trouble(error),
        })
    }
}

/// Interrupts a statement when it is dropped before the statement has ended.
struct Waiting(Option<InterruptHandle>);

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            handle.interrupt();
        }
    }
}

enum Failed {
    Trouble(Trouble),
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Failed {
    fn from(error: rusqlite::Error) -> Self {
        Failed::Sqlite(error)
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Failed::Trouble(trouble)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| error.to_string())
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Number(number.to_string()),
        ValueRef::Real(number) => Cell::float(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cell::Text(text.to_owned()),
            Err(_) => Cell::Bytes(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

/// A value of a statement that may only read.
struct Bound<'a> {
    bind: &'a Bind,
    compared: bool,
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self.bind {
            // Only digits that say all there is: others are compared with columns of texts, digit by digit.
            Bind::Number(digits) if self.compared && Bind::whole(digits).is_none() => {
                match digits.parse::<f64>() {
                    Ok(number) if number.to_string() == *digits => {
                        Ok(ToSqlOutput::Owned(Value::Real(number)))
                    }
                    _ => self.bind.to_sql(),
                }
            }
            bind => bind.to_sql(),
        }
    }
}

impl ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Bind::Null => ToSqlOutput::Owned(Value::Null),
            Bind::Bool(truth) => ToSqlOutput::Owned(Value::Integer(i64::from(*truth))),
            Bind::Number(digits) => match Bind::whole(digits) {
                Some(number) => ToSqlOutput::Owned(Value::Integer(number)),
                // The column's affinity decides: a text column keeps every digit.
                None => ToSqlOutput::Borrowed(ValueRef::Text(digits.as_bytes())),
            },
            Bind::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn trouble(error: rusqlite::Error) -> Trouble {
    let message = error.to_string();
    let Some(code) = error.sqlite_error() else {
        let code = "sql".to_owned();
        return Trouble::Refused(Refusal { code, message });
    };
    match code.code {
        // What the disk says is no answer of a database.
        ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => {
            Trouble::Broken(message)
        }
        _ => Trouble::Refused(Refusal {
            code: code.extended_code.to_string(),
            message,
        }),
    }
}

#[cfg(test)]
mod tests {
    use transport::Timeouts;

    /// An expression of a view has no affinity: a text is greater than every number there.
    #[tokio::test]
    async fn fractions_are_compared_as_numbers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let file = rusqlite::Connection::open(&path).unwrap();
        file.execute_batch(
            "CREATE TABLE t (x REAL, n TEXT); CREATE VIEW v AS SELECT x + 0 AS a, n FROM t;
             INSERT INTO t VALUES (1.5, '1.50'), (2.5, '12345678901234567.5')",
        )
        .unwrap();
        for (test, bind, want) in [
            ("a > ?", "1.5", r#"{"rows":[[2.5]]}"#),
            ("a >= ?", "1.5", r#"{"rows":[[1.5],[2.5]]}"#),
            // What a text has of digits is compared digit by digit.
            ("n = ?", "1.50", r#"{"rows":[[1.5]]}"#),
            ("n = ?", "12345678901234567.5", r#"{"rows":[[2.5]]}"#),
        ] {
            let read = format!(
                r#"{{"read": {{"sql": "SELECT a FROM v WHERE {test} ORDER BY a", "binds": [{bind}], "limit": 9, "rows": "lists"}}}}"#
            );
            let place = crate::tests::place(&path.display().to_string());
            let databases = crate::Databases::default();
            let told = databases
                .send(&place, read.as_bytes(), Timeouts::default(), 1 << 16)
                .await;
            assert_eq!(String::from_utf8(told.unwrap()).unwrap(), want, "{test} {bind}");
        }
    }
}
