//! MySQL and MariaDB.

use std::time::Duration;

use jiff::tz::TimeZone;
use mysql_async::consts::ColumnType;
use mysql_async::prelude::Queryable;
use mysql_async::{Column, Conn, Error, Opts, OptsBuilder, Params, SslOpts, Value};
use transport::{Reason, Trust};

use crate::cell::{Cell, fraction};
use crate::net;
use crate::pool::Place;
use crate::session::{Bounds, Opening, Refusal, Rows, Trouble, not_sent};
use crate::statement::Bind;

/// Statements kept ready for one connection.
const STATEMENTS: usize = 32;

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

/// Refusals with which the connection ends: they say nothing about the statement.
const ENDED: [u16; 7] = [1053, 1152, 1158, 1159, 1160, 1161, 1927];

/// A time zone that the server has no table for.
const UNKNOWN_ZONE: u16 = 1298;

/// A connection that is logged in.
pub(crate) struct Session(Conn);

impl Session {
    pub(crate) async fn open(place: &Place, within: Duration) -> Result<Session, Opening> {
        // The library asks nobody about a single certificate.
        if matches!(place.trust, Trust::Certificate(_)) {
            let what = "tls.certificate: not for MySQL; use tls.ca_file";
            return Err(Opening::Failed(not_sent(Reason::BadRequest, what)));
        }
        let addresses = net::addresses(place).await.map_err(Opening::Failed)?;
        let until = tokio::time::Instant::now() + within;
        let mut last = not_sent(Reason::Connect, "no address");
        for address in addresses {
            let opts = options(place, address);
            let conn = match tokio::time::timeout_at(until, Conn::new(opts)).await {
                Ok(Ok(conn)) => conn,
                Ok(Err(Error::Server(error))) => return Err(Opening::Refused(refusal(&error))),
                Ok(Err(error)) => {
                    let detail = error.to_string();
                    let reason = match &error {
                        Error::Io(mysql_async::IoError::Tls(_)) => Reason::Tls,
                        // Asked for TLS, and the server has none.
                        Error::Driver(_) if place.tls => Reason::Tls,
                        _ => Reason::Connect,
                    };
                    last = not_sent(reason, detail);
                    continue;
                }
                Err(_) => {
                    return Err(Opening::Failed(not_sent(
                        Reason::ConnectTimeout,
                        format!("{within:?}"),
                    )));
                }
            };
            let mut session = Session(conn);
            return match session.set_up(place).await {
                Ok(()) => Ok(session),
                Err(Trouble::Refused(refusal)) => Err(Opening::Refused(refusal)),
                Err(Trouble::Broken(detail) | Trouble::TooLarge(detail)) => {
                    Err(Opening::Failed(not_sent(Reason::Connect, detail)))
                }
            };
        }
        Err(Opening::Failed(last))
    }

    /// Texts that do not fit are refused instead of cut, instants are told in the declared zone, and a statement that
    /// nobody waits for any more is given up by the server.
    async fn set_up(&mut self, place: &Place) -> Result<(), Trouble> {
        self.run("SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'")
            .await?;
        let name = place.zone.iana_name().unwrap_or("UTC");
        let named = self.run(&format!("SET SESSION time_zone = '{name}'")).await;
        if let Err(Trouble::Refused(refusal)) = named {
            // Servers without tables of zones know offsets; for a zone with a summer that would be wrong half the year.
            let offset = offset_all_year(&place.zone)
                .filter(|_| refusal.code == UNKNOWN_ZONE.to_string())
                .ok_or(Trouble::Refused(refusal))?;
            self.run(&format!("SET SESSION time_zone = '{offset}'")).await?;
        } else {
            named?;
        }
        let version: Option<String> = self.0.query_first("SELECT VERSION()").await.map_err(trouble)?;
        let patience = place.patience;
        match version.is_some_and(|version| version.contains("MariaDB")) {
            true => {
                let seconds = patience.as_secs().max(1);
                self.run(&format!("SET SESSION max_statement_time = {seconds}"))
                    .await
            }
            // Of MySQL it holds for SELECT; what writes is bounded by us.
            false => {
                let ms = patience.as_millis().max(1000);
                self.run(&format!("SET SESSION max_execution_time = {ms}")).await
            }
        }
    }

    pub(crate) async fn is_alive(&mut self) -> bool {
        self.0.ping().await.is_ok()
    }

    pub(crate) async fn query(
        &mut self,
        sql: &str,
        binds: &[Bind],
        mut bounds: Bounds,
    ) -> Result<Rows, Trouble> {
        let mut result = self.0.exec_iter(sql, params(binds)).await.map_err(trouble)?;
        let columns = result.columns();
        let columns: &[Column] = columns.as_deref().unwrap_or_default();
        let mut found = Rows {
            columns: columns
                .iter()
                .map(|column| column.name_str().into_owned())
                .collect(),
            rows: Vec::new(),
            with_offset: Vec::new(),
        };
        // The rows behind the last one are taken and left, so that the connection is free; the statement asks for one
        // more than a page at the most.
        while let Some(row) = result.next().await.map_err(trouble)? {
            if found.rows.len() >= bounds.rows {
                bounds.bytes = bounds
                    .bytes
                    .checked_sub(1)
                    .ok_or_else(|| Trouble::TooLarge("rows behind the page".to_owned()))?;
                continue;
            }
            let cells: Vec<Cell> = columns
                .iter()
                .zip(row.unwrap())
                .map(|(column, value)| cell(column, value))
                .collect();
            bounds.count(&cells)?;
            found.rows.push(cells);
        }
        Ok(found)
    }

    pub(crate) async fn execute(&mut self, sql: &str, binds: &[Bind]) -> Result<(), Trouble> {
        match binds.is_empty() {
            true => self.run(sql).await,
            false => self.0.exec_drop(sql, params(binds)).await.map_err(trouble),
        }
    }

    pub(crate) async fn begin(&mut self) -> Result<(), Trouble> {
        self.run("START TRANSACTION").await
    }

    pub(crate) async fn commit(&mut self) -> Result<(), Trouble> {
        self.run("COMMIT").await
    }

    pub(crate) async fn roll_back(&mut self) -> Result<(), Trouble> {
        self.run("ROLLBACK").await
    }

    async fn run(&mut self, sql: &str) -> Result<(), Trouble> {
        self.0.query_drop(sql).await.map_err(trouble)
    }
}

fn options(place: &Place, address: std::net::IpAddr) -> Opts {
    let tls = place.tls.then(|| {
        let roots = net::roots().iter().chain(&place.authorities);
        SslOpts::default()
            .with_disable_built_in_roots(true)
            .with_root_certs(roots.map(|root| root.as_ref().to_vec().into()).collect())
            .with_danger_accept_invalid_certs(place.trust == Trust::Anyone)
            // The address was looked at; the certificate is that of the name.
            .with_danger_tls_hostname_override(Some(place.host.clone()))
    });
    OptsBuilder::default()
        .ip_or_hostname(address.to_string())
        .tcp_port(place.port)
        .user(Some(place.user.clone()))
        .pass(Some(place.password.clone()))
        .db_name(Some(place.name.clone()))
        // A socket of this machine would go round the addresses that may be called.
        .prefer_socket(false)
        .stmt_cache_size(STATEMENTS)
        .ssl_opts(tls)
        .into()
}

/// The offset of a zone that has the same one in winter and in summer.
fn offset_all_year(zone: &TimeZone) -> Option<String> {
    let of = |month: i8| {
        let noon = jiff::civil::date(2026, month, 1).at(12, 0, 0, 0);
        Some(noon.to_zoned(zone.clone()).ok()?.offset().seconds())
    };
    let (winter, summer) = (of(1)?, of(7)?);
    let minutes = winter / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let text = format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
    (winter == summer).then_some(text)
}

fn params(binds: &[Bind]) -> Params {
    if binds.is_empty() {
        return Params::Empty;
    }
    let values = binds.iter().map(|bind| match bind {
        Bind::Null => Value::NULL,
        Bind::Bool(truth) => Value::Int(i64::from(*truth)),
        Bind::Number(digits) => match (Bind::whole(digits), digits.parse::<u64>()) {
            (Some(number), _) => Value::Int(number),
            (None, Ok(number)) => Value::UInt(number),
            // The server takes the digits for a decimal of the column.
            (None, Err(_)) => Value::Bytes(digits.clone().into_bytes()),
        },
        Bind::Text(text) => Value::Bytes(text.clone().into_bytes()),
    });
    Params::Positional(values.collect())
}

fn cell(column: &Column, value: Value) -> Cell {
    match value {
        Value::NULL => Cell::Null,
        Value::Int(number) => Cell::Number(number.to_string()),
        Value::UInt(number) => Cell::Number(number.to_string()),
        Value::Float(number) => Cell::short_float(number),
        Value::Double(number) => Cell::float(number),
        Value::Bytes(bytes) => of_bytes(column, bytes),
        Value::Date(year, month, day, hour, minute, second, micros) => {
            let date = format!("{year:04}-{month:02}-{day:02}");
            match column.column_type() {
                ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => Cell::Text(date),
                _ => Cell::Text(format!(
                    "{date} {hour:02}:{minute:02}:{second:02}{}",
                    fraction(micros * 1000)
                )),
            }
        }
        Value::Time(is_negative, days, hours, minutes, seconds, micros) => {
            let sign = if is_negative { "-" } else { "" };
            let hours = days * 24 + u32::from(hours);
            Cell::Text(format!(
                "{sign}{hours:02}:{minutes:02}:{seconds:02}{}",
                fraction(micros * 1000)
            ))
        }
    }
}

fn of_bytes(column: &Column, bytes: Vec<u8>) -> Cell {
    use ColumnType as T;
    match column.column_type() {
        T::MYSQL_TYPE_BIT => {
            // At most eight bytes, the highest first.
            let number = bytes.iter().fold(0u64, |all, byte| all << 8 | u64::from(*byte));
            Cell::Number(number.to_string())
        }
        T::MYSQL_TYPE_NEWDECIMAL | T::MYSQL_TYPE_DECIMAL => {
            Cell::decimal(String::from_utf8_lossy(&bytes).into_owned())
        }
        T::MYSQL_TYPE_JSON => text_or_bytes(bytes),
        _ if column.character_set() == BINARY => Cell::Bytes(bytes),
        _ => text_or_bytes(bytes),
    }
}

fn text_or_bytes(bytes: Vec<u8>) -> Cell {
    match String::from_utf8(bytes) {
        Ok(text) => Cell::Text(text),
        Err(error) => Cell::Bytes(error.into_bytes()),
    }
}

fn refusal(error: &mysql_async::ServerError) -> Refusal {
    Refusal {
        code: error.code.to_string(),
        message: error.message.clone(),
    }
}

fn trouble(error: Error) -> Trouble {
    match error {
        Error::Server(error) if !ENDED.contains(&error.code) => Trouble::Refused(refusal(&error)),
        other => Trouble::Broken(other.to_string()),
    }
}
