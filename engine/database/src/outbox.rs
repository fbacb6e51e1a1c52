//! Files that are written into a folder: one call is one file, and it appears whole or not at all.
//!
//! A file is written beside, in `.engine`, and put to the disk; then its documents are noted there, in one transaction;
//! then it is renamed into the folder. So there is always an answer to whether a document stands in a file: it is noted,
//! and the file that was written beside is not there any more. A document is noted once, so that no second file takes
//! it, also when the folder has been emptied meanwhile by whoever reads it. Whoever asks about a document whose file is
//! still beside takes that file away first: a writer that wakes up later finds nothing to rename.
//!
//! What a record cannot say in the declared charset is told of that record. Files are never changed once they are there.

use std::fs::{File as Handle, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};
use serde::Deserialize;
use transport::{Reason, SendError, Stage};

use crate::answer::Refused;
use crate::cell::quote;
use crate::exchange::{Progress, failed};
use crate::session::Refusal;

/// Where files are written and noted, below the folder. Whoever reads the folder passes it over: it begins with a dot.
const BESIDE: &str = ".engine";
/// The notes.
const NOTES: &str = "notes.db";
/// Behind the name of a file that is being written, and of one that was given up.
const PART: &str = "part";
const DEAD: &str = "dead";

/// How long another writer of the notes is waited for.
const BUSY: Duration = Duration::from_secs(30);

/// Characters that are named in a refusal; one is enough to find the place.
const NAMED: usize = 5;

/// A file, as it is to be.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// What its documents are noted under.
    of: String,
    file: String,
    /// The send, as the notes name it.
    attempt: String,
    charset: String,
    head: String,
    rows: Vec<Row>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    error: Option<Unsaid>,
}

impl std::fmt::Debug for Row {
    // Nothing of a record is printed by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Row")
    }
}

/// What a record cannot say.
#[derive(Clone, Deserialize)]
struct Unsaid {
    code: String,
    message: String,
}

/// Documents that are asked about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Noted {
    of: String,
    keys: Vec<String>,
}

/// Why a file is not there. Nothing of it was seen by anybody.
enum Trouble {
    Io(std::io::Error),
    Notes(rusqlite::Error),
    /// What the names of the columns have that the charset lacks.
    Head(String),
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Trouble::Io(error)
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Notes(error)
    }
}

impl Trouble {
    fn text(&self) -> String {
        use rusqlite::ErrorCode as C;
        let (code, message) = match self {
            Trouble::Io(error) => {
                let code = match error.kind() {
                    ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => "full",
                    ErrorKind::NotFound
                    | ErrorKind::PermissionDenied
                    | ErrorKind::ReadOnlyFilesystem
                    | ErrorKind::NotADirectory => "folder",
                    _ => "io",
                };
                (code, error.to_string())
            }
            Trouble::Head(message) => ("charset", message.clone()),
            Trouble::Notes(error) => {
                let code = match error.sqlite_error_code() {
                    Some(C::DiskFull) => "full",
                    Some(C::DatabaseBusy | C::DatabaseLocked) => "busy",
                    Some(C::CannotOpen | C::ReadOnly | C::PermissionDenied) => "folder",
                    _ => "notes",
                };
                (code, format!("{BESIDE}/{NOTES}: {error}"))
            }
        };
        let code = code.to_owned();
        Refused::new(&Refusal { code, message }, "file").text()
    }
}

/// Writes a file, and says of every record where it stands or why it does not.
pub(crate) fn write(folder: &str, file: &File, progress: &Progress) -> Result<String, SendError> {
    let folder = Path::new(folder);
    match prepare(folder, file, progress) {
        Err(Trouble::Io(error)) if progress.stage() == Stage::Lost => Err(lost(&error.to_string())),
        Err(Trouble::Notes(error)) if progress.stage() == Stage::Lost => Err(lost(&error.to_string())),
        Err(trouble) => Ok(trouble.text()),
        Ok(Prepared {
            answer,
            has_file: false,
        }) => Ok(answer),
        Ok(Prepared {
            answer,
            has_file: true,
        }) => publish(folder, &file.file).map(|refused| refused.unwrap_or(answer)),
    }
}

fn lost(detail: &str) -> SendError {
    failed(Stage::Lost, Reason::Broken, detail)
}

struct Prepared {
    answer: String,
    has_file: bool,
}

/// Everything up to the instant at which the file appears.
fn prepare(folder: &Path, file: &File, progress: &Progress) -> Result<Prepared, Trouble> {
    // A folder that is not there is a mistake of a path, not a wish for a new one.
    std::fs::read_dir(folder)?;
    let mut notes = open(folder)?;
    let transaction = notes.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut given_up = Vec::new();
    let mut bytes = encoded(&file.head, &file.charset).map_err(Trouble::Head)?;
    let mut line = 1 + lines(&file.head);
    let (mut items, mut ids) = (Vec::new(), Vec::new());
    for row in &file.rows {
        let made = match &row.error {
            Some(unsaid) => Err(unsaid.clone()),
            None => match known(&transaction, folder, &file.of, &row.key, &mut given_up)? {
                Some(note) => Err(Unsaid {
                    code: "exists".to_owned(),
                    message: note.id,
                }),
                None => encoded(&row.text, &file.charset).map_err(|message| Unsaid {
                    code: "charset".to_owned(),
                    message,
                }),
            },
        };
        match made {
            Ok(text) => {
                let id = format!("{}:{line}", file.file);
                line += lines(&row.text);
                bytes.extend(text);
                ids.push((&row.key, id.clone()));
                items.push(Ok(id));
            }
            Err(unsaid) => items.push(Err(unsaid)),
        }
    }
    let answer = answer(&items);
    if ids.is_empty() {
        transaction.commit()?;
        forget(folder, &given_up);
        return Ok(Prepared {
            answer,
            has_file: false,
        });
    }
    let part = beside(folder, &file.file, PART);
    // Until it is noted it is nobody's: it goes as it came.
    if let Err(error) = put(&part, &bytes).and_then(|()| sync(&folder.join(BESIDE))) {
        drop(std::fs::remove_file(&part));
        return Err(error.into());
    }
    for (key, id) in ids {
        transaction.execute(
            "INSERT INTO notes (target, doc_key, file, doc_id, attempt) VALUES (?, ?, ?, ?, ?)",
            params![file.of, key, file.file, id, file.attempt],
        )?;
    }
    // Whether a transaction that fails here is there is for the next question.
    progress.set(Stage::Lost);
    transaction.commit()?;
    forget(folder, &given_up);
    Ok(Prepared {
        answer,
        has_file: true,
    })
}

/// The file appears. `Some` = it could not, and everything is as before.
fn publish(folder: &Path, file: &str) -> Result<Option<String>, SendError> {
    let (part, place) = (beside(folder, file, PART), folder.join(file));
    if let Err(error) = std::fs::rename(&part, &place) {
        // Somebody who asked about it took it away: what it held is not there, and may be in another file by now.
        if error.kind() == ErrorKind::NotFound {
            return Err(lost("the file was given up"));
        }
        let undone = open(folder).and_then(|notes| undo(&notes, folder, file));
        return match undone {
            Ok(()) => Ok(Some(Trouble::Io(error).text())),
            Err(_) => Err(lost(&error.to_string())),
        };
    }
    let synced = sync(folder).and_then(|()| sync(&folder.join(BESIDE)));
    synced.map(|()| None).map_err(|error| lost(&error.to_string()))
}

/// Takes back a file that nobody has seen.
fn undo(notes: &Connection, folder: &Path, file: &str) -> Result<(), Trouble> {
    if is_out(folder, file)? {
        return Ok(());
    }
    notes.execute("DELETE FROM notes WHERE file = ?", [file])?;
    forget(folder, &[file.to_owned()]);
    Ok(())
}

/// In which files documents stand.
pub(crate) fn noted(folder: &str, noted: &Noted) -> String {
    let folder = Path::new(folder);
    let found = || -> Result<Vec<(String, Note)>, Trouble> {
        std::fs::read_dir(folder)?;
        // Nobody has ever written here.
        if !folder.join(BESIDE).join(NOTES).try_exists()? {
            return Ok(Vec::new());
        }
        let mut notes = open(folder)?;
        let transaction = notes.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut given_up = Vec::new();
        let mut found = Vec::new();
        for key in &noted.keys {
            if let Some(note) = known(&transaction, folder, &noted.of, key, &mut given_up)? {
                found.push((key.clone(), note));
            }
        }
        transaction.commit()?;
        forget(folder, &given_up);
        Ok(found)
    };
    match found() {
        Err(trouble) => trouble.text(),
        Ok(found) => {
            let mut out = String::from("{\"rows\":[");
            for (nth, (key, note)) in found.iter().enumerate() {
                out.push_str(if nth == 0 {
                    "{\"doc_key\":"
                } else {
                    ",{\"doc_key\":"
                });
                quote(key, &mut out);
                out.push_str(",\"doc_id\":");
                quote(&note.id, &mut out);
                out.push_str(",\"attempt\":");
                quote(&note.attempt, &mut out);
                out.push('}');
            }
            out.push_str("]}");
            out
        }
    }
}

/// What is noted of a document.
struct Note {
    id: String,
    /// The send that wrote it.
    attempt: String,
}

/// Where a document stands. A note whose file never appeared is taken back, and nothing of it comes any more.
fn known(
    notes: &Connection,
    folder: &Path,
    of: &str,
    key: &str,
    given_up: &mut Vec<String>,
) -> Result<Option<Note>, Trouble> {
    let found: Option<(String, Note)> = notes
        .query_row(
            "SELECT file, doc_id, attempt FROM notes WHERE target = ? AND doc_key = ?",
            [of, key],
            |row| {
                let (id, attempt) = (row.get(1)?, row.get(2)?);
                Ok((row.get(0)?, Note { id, attempt }))
            },
        )
        .optional()?;
    let Some((file, note)) = found else {
        return Ok(None);
    };
    if is_out(folder, &file)? {
        return Ok(Some(note));
    }
    notes.execute("DELETE FROM notes WHERE file = ?", [&file])?;
    given_up.push(file);
    Ok(None)
}

/// Whether a noted file has appeared. One that has not never will.
fn is_out(folder: &Path, file: &str) -> std::io::Result<bool> {
    let dead = beside(folder, file, DEAD);
    if dead.try_exists()? {
        return Ok(false);
    }
    match std::fs::rename(beside(folder, file, PART), dead) {
        Ok(()) => sync(&folder.join(BESIDE)).map(|()| false),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Removes files that were given up and are noted no more. One that stays is in nobody's way.
fn forget(folder: &Path, files: &[String]) {
    for file in files {
        drop(std::fs::remove_file(beside(folder, file, DEAD)));
    }
}

fn beside(folder: &Path, file: &str, ending: &str) -> PathBuf {
    folder.join(BESIDE).join(format!("{file}.{ending}"))
}

fn open(folder: &Path) -> Result<Connection, Trouble> {
    let beside = folder.join(BESIDE);
    match std::fs::create_dir(&beside) {
        Ok(()) => sync(folder)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    let notes = Connection::open(beside.join(NOTES))?;
    notes.busy_timeout(BUSY)?;
    // A file may have been read by others before the power goes: its note must not be gone then.
    notes.pragma_update(None, "synchronous", "EXTRA")?;
    notes.execute_batch(
        "CREATE TABLE IF NOT EXISTS notes (target TEXT NOT NULL, doc_key TEXT NOT NULL, file TEXT NOT NULL, \
         doc_id TEXT NOT NULL, attempt TEXT NOT NULL, written_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (target, doc_key)); \
         CREATE INDEX IF NOT EXISTS notes_by_file ON notes (file)",
    )?;
    Ok(notes)
}

fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Puts the names of a folder to the disk.
fn sync(folder: &Path) -> std::io::Result<()> {
    Handle::open(folder)?.sync_all()
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// A text in a charset, or what of it the charset does not have.
fn encoded(text: &str, charset: &str) -> Result<Vec<u8>, String> {
    let encoding =
        encoding_rs::Encoding::for_label(charset.as_bytes()).ok_or_else(|| format!("charset {charset}"))?;
    let (bytes, _, is_short) = encoding.encode(text);
    if !is_short {
        return Ok(bytes.into_owned());
    }
    let mut missing: Vec<char> = Vec::new();
    for char in text.chars() {
        let has = !encoding.encode(char.encode_utf8(&mut [0; 4])).2;
        if !has && !missing.contains(&char) && missing.len() < NAMED {
            missing.push(char);
        }
    }
    let named: Vec<String> = missing
        .iter()
        .map(|char| format!("{char} (U+{:04X})", u32::from(*char)))
        .collect();
    Err(format!("not in {charset}: {}", named.join(", ")))
}

fn answer(items: &[Result<String, Unsaid>]) -> String {
    let mut out = String::from("{\"items\":[");
    for (nth, item) in items.iter().enumerate() {
        out.push_str(if nth == 0 { "" } else { "," });
        out.push_str(&format!("{{\"index\":{nth},"));
        match item {
            Ok(id) => {
                out.push_str("\"id\":");
                quote(id, &mut out);
            }
            Err(unsaid) => {
                out.push_str("\"error\":{\"code\":");
                quote(&unsaid.code, &mut out);
                out.push_str(",\"message\":");
                quote(&unsaid.message, &mut out);
                out.push('}');
            }
        }
        out.push('}');
    }
    out.push_str("]}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, charset: &str, rows: &[(&str, &str)]) -> File {
        let rows = rows.iter().map(|(key, text)| Row {
            key: (*key).to_owned(),
            text: (*text).to_owned(),
            error: None,
        });
        File {
            of: "orders".to_owned(),
            file: name.to_owned(),
            attempt: format!("by {name}"),
            charset: charset.to_owned(),
            head: "no\r\n".to_owned(),
            rows: rows.collect(),
        }
    }

    fn sent(folder: &Path, file: &File) -> String {
        write(&folder.display().to_string(), file, &Progress::default()).unwrap()
    }

    fn asked(folder: &Path, key: &str) -> String {
        let noted = Noted {
            of: "orders".to_owned(),
            keys: vec![key.to_owned()],
        };
        super::noted(&folder.display().to_string(), &noted)
    }

    /// The files that others see.
    fn seen(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != BESIDE)
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_and_where_its_records_stand() {
        let folder = tempfile::tempdir().unwrap();
        let answer = sent(
            folder.path(),
            &file("a.csv", "utf-8", &[("A", "\"x\ny\"\r\n"), ("B", "客\r\n")]),
        );
        assert_eq!(
            answer,
            r#"{"items":[{"index":0,"id":"a.csv:2"},{"index":1,"id":"a.csv:4"}]}"#
        );
        assert_eq!(
            std::fs::read_to_string(folder.path().join("a.csv")).unwrap(),
            "no\r\n\"x\ny\"\r\n客\r\n"
        );
        assert_eq!(
            asked(folder.path(), "B"),
            r#"{"rows":[{"doc_key":"B","doc_id":"a.csv:4","attempt":"by a.csv"}]}"#
        );
        assert_eq!(asked(folder.path(), "C"), r#"{"rows":[]}"#);
        // Whoever reads the folder takes its files away: what was written stays written.
        std::fs::remove_file(folder.path().join("a.csv")).unwrap();
        let again = sent(
            folder.path(),
            &file("b.csv", "utf-8", &[("A", "x\r\n"), ("C", "z\r\n")]),
        );
        assert_eq!(
            again,
            r#"{"items":[{"index":0,"error":{"code":"exists","message":"a.csv:2"}},{"index":1,"id":"b.csv:2"}]}"#
        );
        assert_eq!(
            std::fs::read_to_string(folder.path().join("b.csv")).unwrap(),
            "no\r\nz\r\n"
        );
    }

    #[test]
    fn what_a_charset_does_not_have_is_told_of_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let answer = sent(
            folder.path(),
            &file("a.csv", "gbk", &[("A", "客户\r\n"), ("B", "a😀b𠮷\r\n")]),
        );
        assert_eq!(
            answer,
            r#"{"items":[{"index":0,"id":"a.csv:2"},{"index":1,"error":{"code":"charset","message":"not in gbk: 😀 (U+1F600), 𠮷 (U+20BB7)"}}]}"#
        );
        assert_eq!(
            std::fs::read(folder.path().join("a.csv")).unwrap(),
            b"no\r\n\xbf\xcd\xbb\xa7\r\n"
        );
        // Nothing that can be written is no file.
        sent(folder.path(), &file("b.csv", "gbk", &[("B", "😀\r\n")]));
        assert_eq!(seen(folder.path()), ["a.csv"]);
    }

    /// A process that dies before the file appears, and one that dies after it and tells nobody.
    #[test]
    fn nothing_is_lost_and_nothing_stands_twice() {
        let folder = tempfile::tempdir().unwrap();
        let first = file("a.csv", "utf-8", &[("A", "x\r\n")]);
        let progress = Progress::default();
        assert!(prepare(folder.path(), &first, &progress).is_ok_and(|prepared| prepared.has_file));
        assert_eq!(progress.stage(), Stage::Lost);
        assert!(seen(folder.path()).is_empty());
        assert_eq!(asked(folder.path(), "A"), r#"{"rows":[]}"#);
        // The first writer was only slow: it comes too late.
        assert!(publish(folder.path(), "a.csv").is_err());
        sent(folder.path(), &file("b.csv", "utf-8", &[("A", "x\r\n")]));
        assert_eq!(seen(folder.path()), ["b.csv"]);

        let second = file("c.csv", "utf-8", &[("B", "y\r\n")]);
        assert!(prepare(folder.path(), &second, &Progress::default()).is_ok());
        std::fs::rename(beside(folder.path(), "c.csv", PART), folder.path().join("c.csv")).unwrap();
        assert_eq!(
            asked(folder.path(), "B"),
            r#"{"rows":[{"doc_key":"B","doc_id":"c.csv:2","attempt":"by c.csv"}]}"#
        );

        // Asked by two that die in between: given up is given up.
        let third = file("d.csv", "utf-8", &[("C", "z\r\n")]);
        assert!(prepare(folder.path(), &third, &Progress::default()).is_ok());
        assert!(!is_out(folder.path(), "d.csv").unwrap());
        assert_eq!(asked(folder.path(), "C"), r#"{"rows":[]}"#);
        assert!(publish(folder.path(), "d.csv").is_err());
        assert_eq!(seen(folder.path()), ["b.csv", "c.csv"]);
        // A second writer that began before anybody asked is refused by the note of the first.
        let fourth = file("e.csv", "utf-8", &[("D", "z\r\n")]);
        assert!(prepare(folder.path(), &fourth, &Progress::default()).is_ok());
        assert!(publish(folder.path(), "e.csv").unwrap().is_none());
        assert!(sent(folder.path(), &file("f.csv", "utf-8", &[("D", "z\r\n")])).contains("exists"));
    }

    #[test]
    fn a_folder_that_takes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let gone = folder.path().join("gone");
        let one = file("a.csv", "utf-8", &[("A", "x\r\n")]);
        assert!(sent(&gone, &one).contains(r#""code":"folder""#));
        assert!(asked(&gone, "A").contains(r#""code":"folder""#));
        assert!(!gone.exists());
        // The name is taken by a folder: the file cannot appear, and its note is taken back.
        std::fs::create_dir(folder.path().join("a.csv")).unwrap();
        let answer = sent(folder.path(), &one);
        assert!(answer.contains("\"error\""), "{answer}");
        assert_eq!(asked(folder.path(), "A"), r#"{"rows":[]}"#);
        sent(folder.path(), &file("b.csv", "utf-8", &[("A", "x\r\n")]));
        assert_eq!(seen(folder.path()), ["a.csv", "b.csv"]);
        // A disk that is full says so before anybody has seen anything.
        let full = Trouble::Io(std::io::Error::from(ErrorKind::StorageFull));
        assert!(full.text().contains(r#""code":"full""#));
    }
}
