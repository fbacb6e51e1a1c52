//! PostgreSQL. Values go out as texts, which the server reads as the type of their place; what comes back is binary.

mod value;

use std::collections::HashMap;
use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::config::SslMode;
use tokio_postgres::tls::{ChannelBinding, NoTls, TlsConnect};
use tokio_postgres::types::{Format, IsNull, ToSql, Type};
use tokio_postgres::{Client, Config, Statement};
use transport::Reason;

use crate::cell::Cell;
use crate::net;
use crate::pool::Place;
use crate::session::{Bounds, Opening, Refusal, Rows, Trouble, not_sent};
use crate::statement::Bind;

/// Statements kept ready for one connection.
const STATEMENTS: usize = 32;

/// A connection that is logged in, and the task that carries its bytes.
pub(crate) struct Session {
    client: Client,
    carrier: JoinHandle<()>,
    ready: HashMap<String, Statement>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

impl Session {
    pub(crate) async fn open(place: &Place, within: Duration) -> Result<Session, Opening> {
        let until = tokio::time::Instant::now() + within;
        let stream = net::connect(place, within).await.map_err(Opening::Failed)?;
        let mut config = Config::new();
        config
            .user(&place.user)
            .password(&place.password)
            .dbname(&place.name)
            .application_name("integration-scheme-engine");
        let opened = async {
            match place.tls {
                true => {
                    config.ssl_mode(SslMode::Require);
                    let tls = Tls {
                        config: net::tls(place).map_err(Opening::Failed)?,
                        host: place.host.clone(),
                    };
                    let (client, connection) = config.connect_raw(stream, tls).await.map_err(opening)?;
                    Ok((client, tokio::spawn(async move { drop(connection.await) })))
                }
                false => {
                    config.ssl_mode(SslMode::Disable);
                    let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(opening)?;
                    Ok((client, tokio::spawn(async move { drop(connection.await) })))
                }
            }
        };
        let timed_out = || Opening::Failed(not_sent(Reason::ConnectTimeout, format!("{within:?}")));
        let (client, carrier) = tokio::time::timeout_at(until, opened)
            .await
            .map_err(|_| timed_out())??;
        let session = Session {
            client,
            carrier,
            ready: HashMap::new(),
        };
        // Clock times are compared and told in the declared zone; a statement that nobody waits for any more is given
        // up by the server.
        let set_up = format!(
            "SET TIME ZONE '{}'; SET statement_timeout = {}; SET standard_conforming_strings = on",
            place.zone.iana_name().unwrap_or("UTC"),
            place.patience.as_millis().max(1000)
        );
        session.client.batch_execute(&set_up).await.map_err(opening)?;
        Ok(session)
    }

    pub(crate) async fn is_alive(&mut self) -> bool {
        !self.client.is_closed() && self.client.simple_query("").await.is_ok()
    }

    pub(crate) async fn query(
        &mut self,
        sql: &str,
        binds: &[Bind],
        mut bounds: Bounds,
    ) -> Result<Rows, Trouble> {
        let statement = self.prepared(sql).await?;
        let columns = statement.columns();
        let mut found = Rows {
            columns: columns.iter().map(|column| column.name().to_owned()).collect(),
            rows: Vec::new(),
            with_offset: Vec::new(),
        };
        let rows = self.client.query_raw(&statement, binds).await;
        let mut rows = pin!(rows.map_err(|error| self.forget(error))?);
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| self.forget(error))?;
            if found.rows.len() >= bounds.rows {
                bounds.bytes = bounds
                    .bytes
                    .checked_sub(1)
                    .ok_or_else(|| Trouble::TooLarge("rows behind the page".to_owned()))?;
                continue;
            }
            let mut cells: Vec<Cell> = Vec::with_capacity(columns.len());
            for (nth, column) in columns.iter().enumerate() {
                let raw: value::Raw<'_> = row.try_get(nth).map_err(trouble)?;
                let cell = value::cell(column.type_(), raw.0).ok_or_else(|| {
                    Trouble::Refused(Refusal {
                        code: "type".to_owned(),
                        message: format!("{}: {}; CAST it AS text", column.name(), column.type_()),
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
            return self.client.batch_execute(sql).await.map_err(trouble);
        }
        let statement = self.prepared(sql).await?;
        let done = self.client.execute_raw(&statement, binds).await;
        done.map(drop).map_err(|error| self.forget(error))
    }

    /// A plan may have become a wrong one: statements are made ready anew.
    fn forget(&mut self, error: tokio_postgres::Error) -> Trouble {
        self.ready.clear();
        trouble(error)
    }

    pub(crate) async fn begin(&mut self) -> Result<(), Trouble> {
        self.execute("BEGIN", &[]).await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Trouble> {
        self.execute("COMMIT", &[]).await
    }

    pub(crate) async fn roll_back(&mut self) -> Result<(), Trouble> {
        self.execute("ROLLBACK", &[]).await
    }

    async fn prepared(&mut self, sql: &str) -> Result<Statement, Trouble> {
        if let Some(known) = self.ready.get(sql) {
            return Ok(known.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(trouble)?;
        if self.ready.len() >= STATEMENTS {
            self.ready.clear();
        }
        self.ready.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

impl ToSql for Bind {
    fn to_sql(
        &self,
        _ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        let text = match self {
            Bind::Null => return Ok(IsNull::Yes),
            Bind::Bool(true) => "true",
            Bind::Bool(false) => "false",
            Bind::Number(text) | Bind::Text(text) => text,
        };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }

    fn encode_format(&self, _ty: &Type) -> Format {
        Format::Text
    }

    tokio_postgres::types::to_sql_checked!();
}

/// Words of an error and of what lies below it: the library's own say only where it happened.
fn words(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(below) => format!("{error}: {below}"),
        None => error.to_string(),
    }
}

fn refusal(error: &tokio_postgres::error::DbError) -> Refusal {
    let detail = error
        .detail()
        .map(|detail| format!(" ({detail})"))
        .unwrap_or_default();
    Refusal {
        code: error.code().code().to_owned(),
        message: format!("{}{detail}", error.message()),
    }
}

fn trouble(error: tokio_postgres::Error) -> Trouble {
    match error.as_db_error() {
        // 57P: the server ends; 08: the connection does. Neither says anything about the statement.
        Some(refused)
            if !["57P", "08"]
                .iter()
                .any(|class| refused.code().code().starts_with(class)) =>
        {
            Trouble::Refused(refusal(refused))
        }
        _ => Trouble::Broken(words(&error)),
    }
}

fn opening(error: tokio_postgres::Error) -> Opening {
    match error.as_db_error() {
        Some(refused) => Opening::Refused(refusal(refused)),
        None => {
            let words = words(&error);
            let reason = match words.contains("TLS") {
                true => Reason::Tls,
                false => Reason::Connect,
            };
            Opening::Failed(not_sent(reason, words))
        }
    }
}

/// TLS over a stream that is connected already.
struct Tls {
    config: Arc<rustls::ClientConfig>,
    host: String,
}

/// An encrypted stream.
struct Encrypted(Box<tokio_rustls::client::TlsStream<TcpStream>>);

impl TlsConnect<TcpStream> for Tls {
    type Stream = Encrypted;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted>> + Send>>;

    fn connect(self, stream: TcpStream) -> Self::Future {
        Box::pin(async move {
            let name = rustls::pki_types::ServerName::try_from(self.host)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
            let connector = tokio_rustls::TlsConnector::from(self.config);
            Ok(Encrypted(Box::new(connector.connect(name, stream).await?)))
        })
    }
}

impl AsyncRead for Encrypted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl tokio_postgres::tls::TlsStream for Encrypted {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
