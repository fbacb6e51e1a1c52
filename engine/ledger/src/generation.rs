//! The note beside the ledger by which an old copy of it is recognised.
//!
//! The file `generation` says how often the ledger has been opened for work, and the number of its last claim. Both
//! stand in the ledger too and only grow. A ledger that knows less than its note has been put back from a copy,
//! however that was done: what happened since is unknown to it, and sending on would write records twice. A note that
//! is missing beside a ledger that has one says the same: the file was copied here alone.
//!
//! The number of a claim is written behind its commit without a sync of its own, in place: after a power cut the note
//! may know less than the ledger, never more. What it cannot see is a whole data directory put back together with its
//! note; for that there is `--suspect-until`.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::error::StoreError;

/// Name of the note in the data directory.
pub const GENERATION_FILE: &str = "generation";

/// Under which name of `meta` a ledger keeps what tells it from every other one: drawn once, when it is first opened.
pub(crate) const LEDGER_NAME: &str = "ledger";

/// What the note or the ledger says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Noted {
    /// How often the ledger was opened for work or put back.
    pub generation: i64,
    /// The number of the last claim.
    pub claims: i64,
}

impl Noted {
    /// Ten and nineteen digits: the length never changes, so that the note is overwritten in place.
    fn text(self) -> String {
        format!("generation {:010}\nclaims {:019}\n", self.generation, self.claims)
    }

    fn parse(text: &str) -> Option<Self> {
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().parse().ok()
        };
        Some(Noted {
            generation: value("generation ")?,
            claims: value("claims ")?,
        })
    }
}

/// The note, open to be written.
#[derive(Debug)]
pub(crate) struct Note {
    file: File,
    noted: Noted,
}

impl Note {
    /// Reads the note of a data directory; `None` when there is none that can be read.
    pub(crate) fn read(dir: &Path) -> Result<Option<Noted>, StoreError> {
        let path = dir.join(GENERATION_FILE);
        let mut text = String::new();
        match File::open(&path).and_then(|file| file.take(256).read_to_string(&mut text)) {
            Ok(_) => Ok(Noted::parse(&text)),
            Err(e)
                if matches!(
                    e.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidData
                ) =>
            {
                Ok(None)
            }
            Err(e) => Err(StoreError::file(&path, &e)),
        }
    }

    /// Writes the note, durably, and keeps it open.
    pub(crate) fn write(dir: &Path, noted: Noted) -> Result<Self, StoreError> {
        let path = dir.join(GENERATION_FILE);
        let failed = |e: std::io::Error| StoreError::file(&path, &e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut note = Note {
            file: options.open(&path).map_err(failed)?,
            noted,
        };
        note.put().and_then(|()| note.file.sync_all()).map_err(failed)?;
        sync_dir(dir)?;
        Ok(note)
    }

    /// A claim has been committed. The note is no wall of its own, so a disk that refuses it stops nothing.
    pub(crate) fn claimed(&mut self, attempt: i64) {
        if attempt > self.noted.claims {
            self.noted.claims = attempt;
            drop(self.put());
        }
    }

    fn put(&mut self) -> std::io::Result<()> {
        let text = self.noted.text();
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::write_all_at(&self.file, text.as_bytes(), 0);
        #[cfg(not(unix))]
        {
            use std::io::{Seek, Write};
            self.file.rewind()?;
            self.file.write_all(text.as_bytes())
        }
    }
}

/// Makes new and renamed files of a folder durable, where the system can.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    if cfg!(unix) {
        let folder = File::open(dir).and_then(|folder| folder.sync_all());
        folder.map_err(|e| StoreError::file(dir, &e))?;
    }
    Ok(())
}

/// What the ledger says; `None` for one that never had a note.
pub(crate) fn stored(conn: &Connection) -> Result<Option<Noted>, StoreError> {
    let Some(generation) = meta(conn, "generation")? else {
        return Ok(None);
    };
    Ok(Some(Noted {
        generation,
        claims: last_claim(conn)?,
    }))
}

/// The number of the last claim; those of a ledger that was put back go on behind what its note knew.
fn last_claim(conn: &Connection) -> Result<i64, StoreError> {
    let last: Option<i64> = conn.query_row("SELECT max(id) FROM attempt", [], |row| row.get(0))?;
    Ok(last.unwrap_or(0).max(meta(conn, "claims_from")?.unwrap_or(0)))
}

/// Counts one more opening, in the ledger first, so that the note never knows more. Gives what the note is to say.
pub(crate) fn next(conn: &Connection, noted: Option<Noted>) -> Result<Noted, StoreError> {
    let known = stored(conn)?.unwrap_or_default();
    let noted = noted.unwrap_or_default();
    let next = Noted {
        generation: known.generation.max(noted.generation) + 1,
        claims: last_claim(conn)?.max(noted.claims),
    };
    set_meta(conn, "generation", next.generation)?;
    conn.execute(
        "INSERT OR IGNORE INTO meta (name, value) VALUES (?1, lower(hex(randomblob(16))))",
        [LEDGER_NAME],
    )?;
    if next.claims > last_claim(conn)? {
        // Numbers that were given to calls of a life this ledger has forgotten are not given again.
        set_meta(conn, "claims_from", next.claims)?;
    }
    Ok(next)
}

/// Whether the ledger knows less than its note: it is a copy from an earlier day, or one that was brought here alone.
pub(crate) fn is_behind(stored: Option<Noted>, noted: Option<Noted>) -> bool {
    match (stored, noted) {
        (None, None) => false,
        // Nothing was ever sent from here.
        (None, Some(noted)) => noted.claims > 0,
        (Some(_), None) => true,
        (Some(stored), Some(noted)) => stored.generation < noted.generation || stored.claims < noted.claims,
    }
}

pub(crate) fn meta(conn: &Connection, name: &str) -> Result<Option<i64>, StoreError> {
    let text: Option<String> = conn
        .prepare_cached("SELECT value FROM meta WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    let Some(text) = text else { return Ok(None) };
    let damaged = || StoreError::Damaged {
        what: format!("meta {name}: `{text}`"),
    };
    text.parse().map(Some).map_err(|_| damaged())
}

pub(crate) fn set_meta(conn: &Connection, name: &str, value: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?
    .execute((name, value.to_string()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(generation: i64, claims: i64) -> Option<Noted> {
        Some(Noted { generation, claims })
    }

    #[test]
    fn who_knows_less() {
        for (stored, note, behind) in [
            (None, None, false),
            (None, noted(1, 0), false),
            (None, noted(1, 1), true),
            (noted(1, 0), None, true),
            (noted(3, 7), noted(3, 7), false),
            // The process died between the commit and the note.
            (noted(4, 9), noted(3, 7), false),
            (noted(2, 7), noted(3, 7), true),
            (noted(3, 6), noted(3, 7), true),
            (noted(9, 6), noted(3, 7), true),
        ] {
            assert_eq!(is_behind(stored, note), behind, "{stored:?} {note:?}");
        }
    }

    #[test]
    fn a_note_is_written_in_place_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Note::read(dir.path()).unwrap(), None);
        let mut note = Note::write(dir.path(), noted(7, 12).unwrap()).unwrap();
        assert_eq!(Note::read(dir.path()).unwrap(), noted(7, 12));
        note.claimed(13);
        note.claimed(5);
        assert_eq!(Note::read(dir.path()).unwrap(), noted(7, 13));
        let length = std::fs::metadata(dir.path().join(GENERATION_FILE)).unwrap().len();
        note.claimed(i64::MAX);
        drop(note);
        Note::write(dir.path(), noted(8, i64::MAX).unwrap()).unwrap();
        assert_eq!(Note::read(dir.path()).unwrap(), noted(8, i64::MAX));
        assert_eq!(
            std::fs::metadata(dir.path().join(GENERATION_FILE)).unwrap().len(),
            length
        );
        for torn in [
            &b""[..],
            b"generation 7\n",
            b"\xff\xfe",
            b"generation x\nclaims 1\n",
        ] {
            std::fs::write(dir.path().join(GENERATION_FILE), torn).unwrap();
            assert_eq!(Note::read(dir.path()).unwrap(), None);
        }
    }
}
