//! Databases by place: connections that are kept between calls, and one statement over one of them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::tz::TimeZone;
use rustls::pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};
use transport::{AllowList, Reason, SendError, Stage, Timeouts, Trust};

use crate::answer::Refused;
use crate::exchange::{self, Done, Progress, failed};
use crate::session::{Opening, Session};
use crate::statement::{self, Statement};

/// Connections kept for one place; no credential makes more calls at once.
const KEPT: usize = 4;

/// How long an unused connection is kept. Servers and the firewalls before them close what is silent for minutes.
const IDLE: Duration = Duration::from_secs(60);

/// One that was used this short a time ago is not looked at before it is used again.
const FRESH: Duration = Duration::from_secs(1);

/// A system that speaks SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Driver {
    /// PostgreSQL.
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
    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Driver::Postgresql => "postgresql",
            Driver::Mysql => "mysql",
            Driver::Sqlserver => "sqlserver",
            Driver::Sqlite => "sqlite",
            Driver::Files => "files",
        }
    }
}

/// A database, and who asks it.
#[derive(Clone)]
pub struct Place {
    /// How it speaks.
    pub driver: Driver,
    /// Its host; empty for a file.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The database on its server, or the path of a file.
    pub name: String,
    /// Who asks.
    pub user: String,
    /// The password.
    pub password: String,
    /// Whether the connection is encrypted, and the server's certificate must be good for its host.
    pub tls: bool,
    /// Which certificate it may show.
    pub trust: Trust,
    /// Authorities beside those of the machine.
    pub authorities: Vec<CertificateDer<'static>>,
    /// Files that were read may be moved away; a rehearsal leaves everything where it is.
    pub moves: bool,
    /// The zone in which clock times are told.
    pub zone: TimeZone,
    /// Where the connection may go.
    pub allow: AllowList,
    /// How long the server may work on one statement.
    pub patience: Duration,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let driver = self.driver.name();
        write!(f, "Place({driver}://{}:{}/{})", self.host, self.port, self.name)
    }
}

/// Databases of a process. Cloning shares the connections.
#[derive(Clone, Default)]
pub struct Databases {
    places: Arc<Mutex<HashMap<Key, Arc<Kept>>>>,
}

impl std::fmt::Debug for Databases {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Databases")
    }
}

/// What tells one place from another, the password included: a changed one begins anew.
type Key = (
    Driver,
    String,
    u16,
    String,
    String,
    String,
    bool,
    Trust,
    Vec<CertificateDer<'static>>,
);

#[derive(Default)]
struct Kept {
    idle: Mutex<Vec<(Session, Instant)>>,
    /// The probes of the tables of notes that are known to be there.
    ready: Mutex<HashSet<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Databases {
    /// Sends one statement, and gives the answer as JSON.
    pub async fn send(
        &self,
        place: &Place,
        statement: &[u8],
        timeouts: Timeouts,
        read_cap: usize,
    ) -> Result<Vec<u8>, SendError> {
        let statement =
            statement::parse(statement).map_err(|why| failed(Stage::NotSent, Reason::BadRequest, why))?;
        let kept = self.kept(place);
        let progress = Arc::new(Progress::default());
        let deadline = Instant::now() + timeouts.total;
        let exchange = async {
            if place.driver == Driver::Files || statement.is_of_files() {
                return folder(place, &statement, read_cap, &progress).await;
            }
            let mut session = match self.session(place, &kept, timeouts.connect).await {
                Ok(session) => session,
                Err(Opening::Refused(refusal)) => return Ok(Refused::new(&refusal, "login").text()),
                Err(Opening::Failed(error)) => return Err(error),
            };
            let Done { answer, is_clean } = match &statement {
                Statement::Read(read) => exchange::read(&mut session, read, &place.zone, read_cap).await?,
                Statement::Write(write) => {
                    exchange::write(&mut session, write, &kept.ready, &progress).await?
                }
                _ => return Err(failed(Stage::NotSent, Reason::BadRequest, "files")),
            };
            if is_clean {
                keep(&kept, session);
            }
            self.sweep(Instant::now());
            Ok(answer)
        };
        // A connection that is dropped in the middle is closed, and what it had begun is taken back.
        match timeout_at(deadline, exchange).await {
            Ok(answer) => answer.map(String::into_bytes),
            Err(_) => {
                let stage = match statement.writes() {
                    false => Stage::Lost,
                    true => progress.stage(),
                };
                Err(failed(
                    stage,
                    Reason::TotalTimeout,
                    format!("{:?}", timeouts.total),
                ))
            }
        }
    }

    fn kept(&self, place: &Place) -> Arc<Kept> {
        let key = (
            place.driver,
            place.host.clone(),
            place.port,
            place.name.clone(),
            place.user.clone(),
            place.password.clone(),
            place.tls,
            place.trust,
            place.authorities.clone(),
        );
        Arc::clone(lock(&self.places).entry(key).or_default())
    }

    /// Closes connections that nobody has used for long, and forgets places without any: what a password was is not kept
    /// after it has changed.
    fn sweep(&self, now: Instant) {
        let mut old = Vec::new();
        lock(&self.places).retain(|_, kept| {
            let mut idle = lock(&kept.idle);
            let (stale, fresh) = std::mem::take(&mut *idle)
                .into_iter()
                .partition(|(_, since)| now.saturating_duration_since(*since) > IDLE);
            *idle = fresh;
            let stale: Vec<(Session, Instant)> = stale;
            old.extend(stale);
            // Whoever is calling there holds it, too.
            !idle.is_empty() || Arc::strong_count(kept) > 1
        });
        // Closed once nobody waits for the lock.
        drop(old);
    }

    /// A connection that answers: one that is kept, or a new one.
    async fn session(&self, place: &Place, kept: &Kept, within: Duration) -> Result<Session, Opening> {
        loop {
            let found = lock(&kept.idle).pop();
            let Some((mut session, since)) = found else {
                return Session::open(place, within).await;
            };
            let idle = since.elapsed();
            if idle > IDLE {
                continue;
            }
            let alive = async { idle < FRESH || session.is_alive().await };
            if matches!(tokio::time::timeout(within, alive).await, Ok(true)) {
                return Ok(session);
            }
        }
    }
}

/// A folder instead of a database.
#[cfg(feature = "files")]
async fn folder(
    place: &Place,
    statement: &Statement,
    read_cap: usize,
    progress: &Arc<Progress>,
) -> Result<String, SendError> {
    let bad = |what: &str| Err(failed(Stage::NotSent, Reason::BadRequest, what));
    if place.driver != Driver::Files {
        return bad("a database has no files");
    }
    let (name, moves) = (place.name.clone(), place.moves);
    // Nobody waits any more: what has not begun is not begun, and what is under way says how far it came.
    let progress = Arc::clone(progress);
    let worked = match statement {
        Statement::Files(files) => {
            let files = files.clone();
            tokio::task::spawn_blocking(move || Ok(crate::files::read(&name, &files, moves)))
        }
        Statement::File(file) => {
            let file = file.clone();
            tokio::task::spawn_blocking(move || crate::outbox::write(&name, &file, &progress))
        }
        Statement::Noted(noted) => {
            let noted = noted.clone();
            tokio::task::spawn_blocking(move || Ok(crate::outbox::noted(&name, &noted)))
        }
        // Whether it is there.
        Statement::Read(_) => tokio::task::spawn_blocking(move || Ok(crate::files::look(&name))),
        Statement::Write(_) => return bad("a folder takes files"),
    };
    let answer = worked
        .await
        .unwrap_or_else(|error| Err(failed(Stage::Lost, Reason::Broken, error.to_string())))?;
    match answer.len() > read_cap {
        true => Err(failed(Stage::Lost, Reason::TooLarge, "the rows of a page")),
        false => Ok(answer),
    }
}

#[cfg(not(feature = "files"))]
async fn folder(_: &Place, _: &Statement, _: usize, _: &Arc<Progress>) -> Result<String, SendError> {
    Err(failed(
        Stage::NotSent,
        Reason::BadRequest,
        "this build reads no files",
    ))
}

fn keep(kept: &Kept, session: Session) {
    let mut idle = lock(&kept.idle);
    if idle.len() < KEPT {
        idle.push((session, Instant::now()));
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_nobody_uses_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let databases = Databases::default();
        for name in ["a.db", "b.db"] {
            let path = folder.path().join(name);
            rusqlite::Connection::open(&path)
                .unwrap()
                .execute_batch("CREATE TABLE t (x)")
                .unwrap();
            let place = crate::tests::place(&path.display().to_string());
            let read = br#"{"read": {"sql": "SELECT 1", "binds": [], "limit": 1, "rows": "maps"}}"#;
            databases
                .send(&place, read, Timeouts::default(), 1 << 16)
                .await
                .unwrap();
        }
        let count = || {
            let places = lock(&databases.places);
            (
                places.len(),
                places.values().map(|kept| lock(&kept.idle).len()).sum::<usize>(),
            )
        };
        databases.sweep(Instant::now());
        assert_eq!(count(), (2, 2));
        // One is being called; its connection is too old all the same.
        let called = lock(&databases.places).values().next().cloned();
        databases.sweep(Instant::now() + IDLE + Duration::from_secs(1));
        assert_eq!(count(), (1, 0));
        drop(called);
        databases.sweep(Instant::now());
        assert_eq!(count(), (0, 0));
    }
}
