//! The way to a system that is a database: the same calls and answers, over one of its connections instead of HTTP.

use connector::{Class, Connection, HttpAnswer, HttpRequest};
use database::{Databases, Driver, Place};
use transport::{Client, SendError};

use super::{Effect, Ended};
use crate::error::AppError;
use crate::settings;

/// A database, ready to be asked.
pub(super) struct Door {
    databases: Databases,
    place: Place,
}

impl Door {
    /// The door of a connection, where it leads to a database; connections are shared with `other`. It trusts the
    /// certificates that `client` trusts.
    pub(super) fn of(
        connection: &Connection,
        other: Option<&Door>,
        client: &Client,
    ) -> Result<Option<Door>, AppError> {
        let Some(database) = connection.database()? else {
            return Ok(None);
        };
        let place = Place {
            driver: match database.driver {
                connector::Driver::Postgresql => Driver::Postgresql,
                connector::Driver::Mysql => Driver::Mysql,
                connector::Driver::Sqlserver => Driver::Sqlserver,
                connector::Driver::Sqlite => Driver::Sqlite,
                connector::Driver::Files => Driver::Files,
            },
            host: database.host,
            port: database.port,
            name: database.name,
            user: database.user,
            password: database.password,
            tls: database.tls,
            trust: client.trust(),
            authorities: client.authorities().to_vec(),
            moves: other.is_some_and(|other| other.place.moves),
            zone: database.zone,
            allow: settings::allow_list(connection)?,
            patience: settings::timeouts(
                connection,
                connection.connector.transport().timeout_ms,
                Effect::Writes,
            )
            .total,
        };
        let databases = other.map(|other| other.databases.clone()).unwrap_or_default();
        Ok(Some(Door { databases, place }))
    }

    /// The same door, with the certificates that another client trusts.
    pub(super) fn trusting(&mut self, client: &Client) {
        self.place.trust = client.trust();
        self.place.authorities = client.authorities().to_vec();
    }

    /// Files that were read may be moved away.
    pub(super) fn may_move(&mut self) {
        self.place.moves = true;
    }

    /// Connects and logs in, and asks for nothing.
    pub(super) async fn knock(&self, connection: &Connection) -> Result<(), Box<Ended>> {
        const NOTHING: &[u8] = br#"{"read":{"sql":"SELECT 1","binds":[],"limit":1,"rows":"lists"}}"#;
        let timeouts = settings::timeouts(connection, None, Effect::None);
        let sent = self.databases.send(&self.place, NOTHING, timeouts, 1 << 16).await;
        let answer = match sent {
            Ok(body) => answered(body),
            Err(error) => return Err(Box::new(Ended::Broken(redacted(connection, error)))),
        };
        let first = connection.connector.operations().next();
        let operation = first.map_or("", |(name, ..)| name);
        let judged = connection.judge(operation, &dsl::Map::new(), 0, &answer);
        match judged.class {
            Class::Ok => Ok(()),
            _ => Err(Box::new(Ended::Answered { answer, judged })),
        }
    }

    /// Sends a statement. Its answer is a document like any other, and judged like one.
    pub(super) async fn send(
        &self,
        connection: &Connection,
        request: HttpRequest,
        effect: Effect,
    ) -> Result<HttpAnswer, SendError> {
        let timeouts = settings::timeouts(connection, request.timeout_ms, effect);
        let read_cap = usize::try_from(request.read_cap).unwrap_or(usize::MAX);
        let body = self
            .databases
            .send(&self.place, &request.body, timeouts, read_cap)
            .await
            .map_err(|error| redacted(connection, error))?;
        Ok(answered(body))
    }
}

/// A database has no statuses; what it says stands in the document.
fn answered(body: Vec<u8>) -> HttpAnswer {
    HttpAnswer {
        status: 200,
        headers: Vec::new(),
        body,
    }
}

fn redacted(connection: &Connection, error: SendError) -> SendError {
    SendError {
        detail: connection.redact(&error.detail),
        ..error
    }
}
