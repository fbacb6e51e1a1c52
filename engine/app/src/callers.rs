//! The callers of a process: one a connection, made once, shared by every run.
//!
//! A service takes further ones in while runs go on, and replaces one when its entry in connections.yaml changes; what
//! is counted of a credential, and its session, go over to the new one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use connector::{Connection, Redactor};
use dsl::diagnostic::Lang;
use dsl::plan::OwnLimits;
use transport::{Client, Settings};

use crate::caller::{Caller, Refusal};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::AppError;
use crate::notify::sight::{Credentials, Said};
use crate::own_pace::{OwnPace, OwnSide};
use crate::tape::Tape;
use crate::workspace::{Workspace, parent};

/// One per connection. Session and limits are shared by all schemes, and by connections with the same credential.
pub(crate) struct Callers {
    known: RwLock<BTreeMap<String, Arc<Caller>>>,
    /// What schemes say of their own pace, by scheme, side and connection; it outlives their runs.
    own: Mutex<BTreeMap<(String, OwnSide, String), Arc<OwnPace>>>,
    client: Arc<Client>,
    clock: Arc<dyn Clock>,
    /// The data directory.
    dir: PathBuf,
    /// Knows the secrets of all of them, so that none shows what it came to know of another.
    common: Redactor,
}

impl Callers {
    /// Nobody yet.
    pub(crate) fn new(clock: Arc<dyn Clock>, dir: PathBuf) -> Result<Self, AppError> {
        let client = Client::new(Settings::default()).map_err(|error| AppError::bug(error.to_string()))?;
        Ok(Callers {
            known: RwLock::default(),
            own: Mutex::default(),
            client: Arc::new(client),
            clock,
            dir,
            common: Redactor::default(),
        })
    }

    /// Takes connections in; those that are there already are replaced.
    pub(crate) fn admit(
        &self,
        workspace: &Workspace,
        mut connections: Vec<Connection>,
    ) -> Result<(), AppError> {
        for connection in &mut connections {
            connection.share(&self.common);
        }
        let connections: Vec<Arc<Connection>> = connections.into_iter().map(Arc::new).collect();
        let beside = workspace.connections_path().map(parent);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for connection in &connections {
            let twin = known
                .values()
                .find(|known| known.connection.is_same_credential(connection));
            let client = crate::settings::client(connection, &self.client, beside)?;
            let connection = Arc::clone(connection);
            let name = connection.name.clone();
            let caller = match twin {
                Some(twin) => twin.beside(connection)?.by(client),
                None => {
                    let clock = Arc::clone(&self.clock);
                    Caller::new(
                        connection,
                        &connections,
                        client,
                        clock,
                        Entropy::default(),
                        &self.dir,
                    )?
                    .counted_with(known.values())
                }
            };
            known.insert(name, Arc::new(caller));
        }
        Ok(())
    }

    /// Who calls a connection.
    pub(crate) fn of(&self, connection: &str) -> Option<Arc<Caller>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(connection).cloned()
    }

    /// Who calls for one side of a scheme: at its own pace, where it has one.
    pub(crate) fn for_scheme(
        &self,
        caller: Arc<Caller>,
        scheme: &str,
        side: OwnSide,
        limits: &OwnLimits,
    ) -> Result<Arc<Caller>, AppError> {
        if !limits.hold_calls() {
            return Ok(caller);
        }
        let connection = &caller.connection;
        let key = (scheme.to_owned(), side, connection.name.clone());
        let mut known = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let own = match known.get(&key).filter(|own| own.is_of(limits)) {
            Some(own) => Arc::clone(own),
            None => {
                let own = Arc::new(OwnPace::new(&self.dir, connection, scheme, side, limits));
                known.insert(key, Arc::clone(&own));
                own
            }
        };
        Ok(Arc::new(caller.at_own_pace(own)?))
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Caller>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.values().cloned().collect()
    }

    /// The credentials of every connection, with what the other systems made of them.
    pub(crate) fn credentials(&self, lang: Lang) -> Vec<Credentials> {
        let of = |caller: Arc<Caller>| {
            let said = |code: &str, sentence: &str| Said {
                code: code.to_owned(),
                sentence: caller.redact(sentence),
                of_record: false,
            };
            let refused = |refusal| match refusal {
                Refusal::Login(failure) => said(failure.code(), &failure.message(lang)),
                Refusal::Call(words) => said("", &words),
            };
            Credentials {
                connection: caller.connection.name.clone(),
                until: caller.connection.expires_ms,
                accepted: caller.accepted().map(|accepted| accepted.map_err(refused)),
            }
        };
        self.all().into_iter().map(of).collect()
    }

    /// From now on another one calls for this connection.
    pub(crate) fn replace(&self, connection: &str, caller: Caller) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(connection.to_owned(), Arc::new(caller));
    }

    /// From now on the calls of all go by way of a tape. To be said before anybody calls.
    pub(crate) fn put_in(&self, tape: &Arc<Tape>) -> Result<(), AppError> {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for caller in known.values_mut() {
            Arc::get_mut(caller)
                .ok_or_else(|| AppError::bug("a tape is put in while calls are made"))?
                .put_in(tape);
        }
        Ok(())
    }

    /// Knows the secrets of all connections.
    pub(crate) fn redactor(&self) -> &Redactor {
        &self.common
    }
}
