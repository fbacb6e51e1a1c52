//! What a driver can do, whichever it is, and what can go wrong with it.

use std::time::Duration;

use transport::{Reason, SendError, Stage};

use crate::cell::Cell;
use crate::pool::{Driver, Place};
use crate::statement::Bind;

/// What came of one step.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The database answered with a refusal.
    Refused(Refusal),
    /// The connection is no more, or says things that nobody understands.
    Broken(String),
    /// More bytes than are read.
    TooLarge(String),
}

/// A refusal, in the database's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// Its code, as a text: `23505`, `1062`.
    pub(crate) code: String,
    pub(crate) message: String,
}

/// Rows of a query.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
    /// Columns whose values have an offset of their own, where the database takes a clock's text beside them for UTC.
    pub(crate) with_offset: Vec<String>,
}

/// Bounds of one query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Rows that are taken; those behind them are left.
    pub(crate) rows: usize,
    /// Bytes of them.
    pub(crate) bytes: usize,
}

impl Bounds {
    /// Counts a row; an error when they are too many bytes.
    pub(crate) fn count(&mut self, row: &[Cell]) -> Result<(), Trouble> {
        let weight: usize = row.iter().map(|cell| cell.weight() + 1).sum();
        match self.bytes.checked_sub(weight) {
            Some(left) => {
                self.bytes = left;
                Ok(())
            }
            None => Err(Trouble::TooLarge("the rows of a page".to_owned())),
        }
    }
}

/// A connection that is logged in.
pub(crate) enum Session {
    #[cfg(feature = "sqlite")]
    Sqlite(crate::sqlite::Session),
    #[cfg(feature = "postgresql")]
    Postgresql(Box<crate::postgresql::Session>),
    #[cfg(feature = "mysql")]
    Mysql(Box<crate::mysql::Session>),
    #[cfg(feature = "sqlserver")]
    Sqlserver(Box<crate::sqlserver::Session>),
}

/// Calls the same thing of whichever driver it is.
macro_rules! each {
    ($self:expr, $session:ident => $call:expr) => {
        match $self {
            #[cfg(feature = "sqlite")]
            Session::Sqlite($session) => $call,
            #[cfg(feature = "postgresql")]
            Session::Postgresql($session) => $call,
            #[cfg(feature = "mysql")]
            Session::Mysql($session) => $call,
            #[cfg(feature = "sqlserver")]
            Session::Sqlserver($session) => $call,
        }
    };
}

impl Session {
    /// Connects and logs in. Whatever comes of it, nothing was executed.
    pub(crate) async fn open(place: &Place, within: Duration) -> Result<Session, Opening> {
        match place.driver {
            #[cfg(feature = "sqlite")]
            Driver::Sqlite => crate::sqlite::Session::open(place, within)
                .await
                .map(Session::Sqlite),
            #[cfg(feature = "postgresql")]
            Driver::Postgresql => crate::postgresql::Session::open(place, within)
                .await
                .map(|session| Session::Postgresql(Box::new(session))),
            #[cfg(feature = "mysql")]
            Driver::Mysql => crate::mysql::Session::open(place, within)
                .await
                .map(|session| Session::Mysql(Box::new(session))),
            #[cfg(feature = "sqlserver")]
            Driver::Sqlserver => crate::sqlserver::Session::open(place, within)
                .await
                .map(|session| Session::Sqlserver(Box::new(session))),
            #[allow(unreachable_patterns, reason = "a build without some of the drivers")]
            driver => Err(Opening::Failed(not_sent(
                Reason::BadRequest,
                format!("this build has no driver `{}`", driver.name()),
            ))),
        }
    }

    /// Whether it still answers.
    pub(crate) async fn is_alive(&mut self) -> bool {
        each!(self, session => session.is_alive().await)
    }

    /// Rows of a query, no more than the bounds say.
    pub(crate) async fn query(&mut self, sql: &str, binds: &[Bind], bounds: Bounds) -> Result<Rows, Trouble> {
        each!(self, session => session.query(sql, binds, bounds).await)
    }

    /// Executes a statement that gives no rows.
    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<(), Trouble> {
        each!(self, session => session.execute(sql, binds).await)
    }

    /// Begins a transaction.
    pub(crate) async fn begin(&mut self) -> Result<(), Trouble> {
        each!(self, session => session.begin().await)
    }

    /// Ends it, and keeps what it wrote.
    pub(crate) async fn commit(&mut self) -> Result<(), Trouble> {
        each!(self, session => session.commit().await)
    }

    /// Ends it, and keeps nothing.
    pub(crate) async fn roll_back(&mut self) -> Result<(), Trouble> {
        each!(self, session => session.roll_back().await)
    }
}

/// Why there is no connection.
#[derive(Debug)]
pub(crate) enum Opening {
    /// The server answered: it does not let us in.
    Refused(Refusal),
    /// It could not be asked.
    Failed(SendError),
}

/// An error before anything could have been executed.
pub(crate) fn not_sent(reason: Reason, detail: impl Into<String>) -> SendError {
    SendError {
        stage: Stage::NotSent,
        reason,
        detail: detail.into(),
        partial: None,
    }
}
