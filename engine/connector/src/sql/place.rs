//! Where a database is, and who asks it.

use dsl::catalogue::source;
use dsl::{Failure, Value};
use jiff::tz::TimeZone;

use super::Driver;
use crate::connection::{Connection, Tls};
use crate::secret::MASK;

/// The parameter that says in which zone a database keeps the times of its clock.
const ZONE: &str = "zone";

/// A database and a credential for it.
#[derive(Clone, PartialEq, Eq)]
pub struct Database {
    /// How it speaks.
    pub driver: Driver,
    /// Its host; empty for a file.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database's name on its server, or the path of a file.
    pub name: String,
    /// Who asks.
    pub user: String,
    /// The password.
    pub password: String,
    /// Whether the connection is encrypted and the server's certificate looked at.
    pub tls: bool,
    /// The zone of clock times in it.
    pub zone: TimeZone,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let driver = self.driver.name();
        write!(
            f,
            "Database({driver}://{}:{}/{} {MASK})",
            self.host, self.port, self.name
        )
    }
}

impl Database {
    /// The host as it stands before a port.
    pub fn host_text(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }
}

impl Connection {
    /// How the system speaks, where it is a database.
    pub fn driver(&self) -> Option<Driver> {
        self.connector.transport.driver?;
        self.server.driver.or(self.connector.transport.driver)
    }

    /// The database, where this is one.
    pub fn database(&self) -> Result<Option<Database>, Failure> {
        let Some(driver) = self.driver() else {
            return Ok(None);
        };
        let frame = self.param_frame(0);
        let (user, password) = match &self.mode().basic {
            Some((user, password)) => (
                frame.text(user, "auth.basic")?.unwrap_or_default(),
                frame.text(password, "auth.basic")?.unwrap_or_default(),
            ),
            None => (String::new(), String::new()),
        };
        Ok(Some(Database {
            driver,
            host: match driver {
                Driver::Sqlite | Driver::Files => String::new(),
                _ => self.server.host.clone(),
            },
            port: self.server.port,
            name: self.server.database.clone(),
            user,
            password,
            // Who says which certificate is trusted wants one to be shown, on this machine too.
            // And whoever does has not asked for none.
            tls: self.tls != Tls::default() || self.server.https && !self.allow_plain_http,
            zone: self.zone()?,
        }))
    }

    /// The zone of clock times: the connection's own word, where its connector takes one.
    pub(crate) fn zone(&self) -> Result<TimeZone, Failure> {
        match self.zone_name() {
            None => Ok(self.connector.tz.clone()),
            Some(name) => TimeZone::get(name).map_err(|_| {
                Failure::new(&source::FRAME)
                    .with("place", format!("params.{ZONE}"))
                    .with("why", name)
            }),
        }
    }

    /// What the connection calls that zone.
    pub(crate) fn zone_name(&self) -> Option<&str> {
        self.connector.transport.driver?;
        self.params.get(ZONE).and_then(Value::as_text)
    }
}
