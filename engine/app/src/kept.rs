//! Sessions that outlive the process: those whose login gives the only word by which the next login is known, and what
//! a step of a login gave for longer than a session.
//!
//! One file a credential, in the data directory, readable by its owner alone and in no backup. Whoever renews holds
//! the lock beside it, so that a rehearsal and a run, or a run and a backfill, never use one refresh token twice. A
//! process that dies between the answer and the file loses the token; no order of steps can prevent that, because only
//! the other system knows it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use connector::{Connection, Session};
use dsl::catalogue::auth as words;
use dsl::diagnostic::Failure;

/// The folder in the data directory.
const FOLDER: &str = "sessions";
/// A session is a few hundred bytes.
const BYTES_MAX: u64 = 64 << 10;
/// How often the lock is asked for, and the pause between: longer than one login may take.
const LOCK_TRIES: u32 = 1200;
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Where the session of one credential is kept.
#[derive(Debug)]
pub(crate) struct Kept {
    path: PathBuf,
    connection: String,
}

/// The right to renew it.
#[derive(Debug)]
pub(crate) struct Renewal<'a> {
    kept: &'a Kept,
    // Unlocked when it is closed.
    _lock: File,
}

impl Kept {
    /// The place of a connection's session below a data directory; `None` when it needs none.
    pub(crate) fn new(dir: &Path, connection: &Connection) -> Result<Option<Self>, Failure> {
        if !connection.keeps_sessions() {
            return Ok(None);
        }
        let name = format!("{}.json", connection.session_name()?);
        Ok(Some(Kept {
            path: dir.join(FOLDER).join(name),
            connection: connection.name.clone(),
        }))
    }

    /// Waits until nobody else renews it.
    pub(crate) async fn renew(&self) -> Result<Renewal<'_>, Failure> {
        let folder = self.path.parent().unwrap_or(&self.path);
        std::fs::create_dir_all(folder).map_err(|error| self.failed(&error))?;
        let lock = private(&self.path.with_extension("lock")).map_err(|error| self.failed(&error))?;
        for _ in 0..LOCK_TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Renewal {
                        kept: self,
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_PAUSE).await,
                Err(TryLockError::Error(error)) => return Err(self.failed(&error)),
            }
        }
        Err(self.failed(&std::io::Error::from(std::io::ErrorKind::WouldBlock)))
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        Failure::new(&words::SESSION_KEPT)
            .with("connection", &self.connection)
            .with("path", self.path.display())
            .with("why", error)
    }
}

impl Renewal<'_> {
    /// The session that was saved last; `None` when there is none, or none that can be read.
    pub(crate) fn load(&self) -> Result<Option<Session>, Failure> {
        let mut text = String::new();
        match File::open(&self.kept.path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text)) {
            Ok(_) => Ok(Session::from_text(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.kept.failed(&error)),
        }
    }

    /// Finds out whether [`Renewal::save`] could write, before the other system gives what must be saved.
    pub(crate) fn rehearse(&self) -> Result<(), Failure> {
        // As much as a session may ever be: a full disk takes an empty file.
        let room = " ".repeat(usize::try_from(BYTES_MAX).unwrap_or(0));
        self.write(&room)
            .map(drop)
            .map_err(|error| self.kept.failed(&error))
    }

    /// Saves a session durably, in place of the one before.
    pub(crate) fn save(&self, session: &Session) -> Result<(), Failure> {
        let put = || {
            let new = self.write(&session.to_text())?;
            std::fs::rename(new, &self.kept.path)?;
            match self.kept.path.parent() {
                Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
                _ => Ok(()),
            }
        };
        put().map_err(|error| self.kept.failed(&error))
    }

    fn write(&self, text: &str) -> std::io::Result<PathBuf> {
        let new = self.kept.path.with_extension("new");
        let mut file = private(&new)?;
        // Over what the rehearsal wrote, so that the room it found is the room it uses.
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)?;
        file.sync_all()?;
        Ok(new)
    }
}

/// A file that only its owner can read, made when it is not there.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path) -> Kept {
        Kept {
            path: folder.join(FOLDER).join("shop-1.json"),
            connection: "shop".to_owned(),
        }
    }

    fn session(refresh: &str) -> Session {
        let text = format!(r#"{{"taken":{{"access":"a","refresh":"{refresh}"}},"until_ms":5}}"#);
        Session::from_text(&text).expect("a session")
    }

    #[tokio::test]
    async fn what_is_saved_is_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = kept(folder.path());
        {
            let renewal = kept.renew().await.expect("nobody else renews");
            assert!(renewal.load().expect("readable").is_none());
            renewal.rehearse().expect("writable");
            assert!(
                renewal.load().expect("readable").is_none(),
                "a rehearsal saves nothing"
            );
            for refresh in ["one", "two"] {
                renewal.save(&session(refresh)).expect("writable");
                assert!(renewal.load().expect("readable") == Some(session(refresh)));
            }
        }
        let path = folder.path().join("sessions/shop-1.json");
        #[cfg(unix)]
        {
            let rights = std::fs::metadata(&path).expect("a file").permissions();
            let mode = std::os::unix::fs::PermissionsExt::mode(&rights);
            assert_eq!(mode & 0o777, 0o600);
        }
        // A file of somebody else, or half of one, is no session.
        std::fs::write(&path, "{\"taken\":").expect("our own file");
        let again = kept.renew().await.expect("nobody else renews");
        assert!(again.load().expect("readable").is_none());
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_is_told_before_the_login() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FOLDER), "no folder").expect("our own folder");
        let failure = kept(folder.path()).renew().await.expect_err("there is no folder");
        assert_eq!(failure.code(), "E7006");
    }
}
