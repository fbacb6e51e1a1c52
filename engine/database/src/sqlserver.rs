//! Microsoft SQL Server.
//!
//! The library speaks the protocol and no TLS of ours: encryption is put around it ([`tls`]), with the rules of every
//! other connection.

mod tls;
mod value;

use std::borrow::Cow;
use std::time::Duration;

use futures_util::StreamExt as _;
use tiberius::{AuthMethod, Client, ColumnData, ColumnType, Config, EncryptionLevel, ToSql};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt as _};
use transport::Reason;

use crate::cell::Cell;
use crate::net;
use crate::pool::Place;
use crate::session::{Bounds, Opening, Refusal, Rows, Trouble, not_sent};
use crate::statement::Bind;

/// From this severity on the server closes the connection.
const ENDS: u8 = 20;

/// What the library talks over.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A connection that is logged in.
pub(crate) struct Session(Client<Compat<Box<dyn Stream>>>);

impl Session {
    pub(crate) async fn open(place: &Place, within: Duration) -> Result<Session, Opening> {
        let until = tokio::time::Instant::now() + within;
        let stream = net::connect(place, within).await.map_err(Opening::Failed)?;
        let mut config = Config::new();
        config.host(&place.host);
        config.port(place.port);
        config.database(&place.name);
        config.application_name("integration-scheme-engine");
        config.authentication(AuthMethod::sql_server(&place.user, &place.password));
        config.encryption(EncryptionLevel::NotSupported);
        let opened = async {
            let (stream, trust): (Box<dyn Stream>, _) = match place.tls {
                true => {
                    let config = net::tls_12(place).map_err(Opening::Failed)?;
                    let (near, trust) = tls::around(stream, config, place.host.clone());
                    (Box::new(near), Some(trust))
                }
                false => (Box::new(stream), None),
            };
            let connected = Client::connect(config, stream.compat()).await;
            // Where the handshake failed, the library saw only an end.
            if let Some(why) = trust.and_then(|mut trust| trust.try_recv().ok()) {
                return Err(Opening::Failed(not_sent(Reason::Tls, why)));
            }
            connected.map(Session).map_err(opening)
        };
        let timed_out = || Opening::Failed(not_sent(Reason::ConnectTimeout, format!("{within:?}")));
        let mut session = tokio::time::timeout_at(until, opened)
            .await
            .map_err(|_| timed_out())??;
        // Texts are read as ISO dates whatever the login's language is, and an error takes the whole transaction back.
        let set_up = format!(
            "SET LANGUAGE us_english; SET DATEFORMAT ymd; SET XACT_ABORT ON; SET ANSI_WARNINGS ON; SET LOCK_TIMEOUT {}",
            place.patience.as_millis().clamp(1000, 600_000)
        );
        match session.run(&set_up).await {
            Ok(()) => Ok(session),
            Err(Trouble::Refused(refusal)) => Err(Opening::Refused(refusal)),
            Err(Trouble::Broken(detail) | Trouble::TooLarge(detail)) => {
                Err(Opening::Failed(not_sent(Reason::Connect, detail)))
            }
        }
    }

    pub(crate) async fn is_alive(&mut self) -> bool {
        self.run("SELECT 1").await.is_ok()
    }

    pub(crate) async fn query(
        &mut self,
        sql: &str,
        binds: &[Bind],
        mut bounds: Bounds,
    ) -> Result<Rows, Trouble> {
        let params: Vec<&dyn ToSql> = binds.iter().map(|bind| bind as &dyn ToSql).collect();
        let mut stream = self.0.query(sql, &params).await.map_err(trouble)?;
        let columns = stream.columns().await.map_err(trouble)?.unwrap_or_default();
        let mut found = Rows {
            columns: columns.iter().map(|column| column.name().to_owned()).collect(),
            rows: Vec::new(),
            with_offset: columns
                .iter()
                .filter(|column| column.column_type() == ColumnType::DatetimeOffsetn)
                .map(|column| column.name().to_owned())
                .collect(),
        };
        let mut rows = stream.into_row_stream();
        while let Some(row) = rows.next().await {
            let row = row.map_err(trouble)?;
            if found.rows.len() >= bounds.rows {
                bounds.bytes = bounds
                    .bytes
                    .checked_sub(1)
                    .ok_or_else(|| Trouble::TooLarge("rows behind the page".to_owned()))?;
                continue;
            }
            let mut cells: Vec<Cell> = Vec::with_capacity(found.columns.len());
            for (column, value) in row.cells() {
                let (cell, way) = match column.column_type() {
                    ColumnType::Money | ColumnType::Money4 => (value::money(value), "decimal(19,4)"),
                    _ => (value::cell(value), "nvarchar"),
                };
                let cell = cell.ok_or_else(|| {
                    Trouble::Refused(Refusal {
                        code: "type".to_owned(),
                        message: format!("{}: CAST it AS {way}", column.name()),
                    })
                })?;
                cells.push(cell);
            }
            bounds.count(&cells)?;
            found.rows.push(cells);
        }
        Ok(found)
    }

    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<(), Trouble> {
        if binds.is_empty() {
            return self.run(sql).await;
        }
        let written: Vec<Written<'_>> = binds.iter().map(Written).collect();
        let params: Vec<&dyn ToSql> = written.iter().map(|bind| bind as &dyn ToSql).collect();
        self.0.execute(sql, &params).await.map(drop).map_err(trouble)
    }

    pub(crate) async fn begin(&mut self) -> Result<(), Trouble> {
        self.0.begin_transaction().await.map_err(trouble)
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Trouble> {
        self.0.commit_transaction().await.map_err(trouble)
    }

    /// An error has taken the transaction back already.
    pub(crate) async fn roll_back(&mut self) -> Result<(), Trouble> {
        self.run("IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION").await
    }

    async fn run(&mut self, sql: &str) -> Result<(), Trouble> {
        let stream = self.0.simple_query(sql).await.map_err(trouble)?;
        stream.into_results().await.map(drop).map_err(trouble)
    }
}

impl ToSql for Bind {
    fn to_sql(&self) -> ColumnData<'_> {
        match self {
            Bind::Null => ColumnData::String(None),
            Bind::Bool(truth) => ColumnData::Bit(Some(*truth)),
            Bind::Number(digits) => match Bind::whole(digits) {
                Some(number) => ColumnData::I64(Some(number)),
                // The server takes the digits for a decimal of the column.
                None => ColumnData::String(Some(Cow::Borrowed(digits))),
            },
            Bind::Text(text) => ColumnData::String(Some(Cow::Borrowed(text))),
        }
    }
}

/// A value that is written: every number is a text. A column of several rows has one type, and that of a whole number
/// would be taken for all of them.
struct Written<'a>(&'a Bind);

impl ToSql for Written<'_> {
    fn to_sql(&self) -> ColumnData<'_> {
        match self.0 {
            Bind::Number(digits) => ColumnData::String(Some(Cow::Borrowed(digits))),
            other => other.to_sql(),
        }
    }
}

fn trouble(error: tiberius::error::Error) -> Trouble {
    match error {
        tiberius::error::Error::Server(token) if token.class() < ENDS => Trouble::Refused(Refusal {
            code: token.code().to_string(),
            message: token.message().to_owned(),
        }),
        other => Trouble::Broken(other.to_string()),
    }
}

fn opening(error: tiberius::error::Error) -> Opening {
    match trouble(error) {
        Trouble::Refused(refusal) => Opening::Refused(refusal),
        Trouble::Broken(detail) | Trouble::TooLarge(detail) => {
            Opening::Failed(not_sent(Reason::Connect, detail))
        }
    }
}
