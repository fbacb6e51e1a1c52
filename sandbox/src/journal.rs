//! The append-only journal: what the target side executed, and what control changed.
//!
//! Promises: a line is handed to the operating system before the write is answered, so a killed
//! process forgets nothing it admitted; a line torn by a crash is cut off at the next start; entries
//! are numbered without gaps. With a folder the bodies live on disk only, without one they are kept
//! in memory up to a bound; nothing is executed any more when there is no room to write it down.
//!
//! An entry says how the request came to be executed ([`Delivery`]), by which call, and as which version
//! of its document, so that effects can be counted per key.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Most bytes of a journal on disk: a day of the heaviest test, not a full disk.
const MAX_FILE: u64 = 4 << 30;
/// Most bytes of bodies kept in memory; older and newer entries stay, later bodies are left out.
const MAX_MEMORY: usize = 256 << 20;
/// Most bytes of executed documents kept in memory: a million of a kilobyte.
const MAX_CONTENT: usize = 1 << 30;

/// How a request came to be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// Before the client was answered, or cut off.
    #[default]
    Call,
    /// After the client was cut off, or could have given up.
    Late,
    /// A second time, because a proxy replayed it.
    Again,
}

/// One write the simulator executed: one document of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct JournalEntry {
    /// Counts executed documents from 1.
    pub seq: u64,
    /// The sandbox's clock, epoch milliseconds.
    pub at_ms: i64,
    /// Last word of the path: `BatchSave`, `Save`, `Audit`, ...
    pub endpoint: String,
    /// Form id, as `BD_Customer`.
    pub form: String,
    /// `create`, `update`, `submit`, `audit`, `unaudit` or `delete`.
    pub action: String,
    /// Organisation of the document.
    pub org: String,
    /// Number of the document.
    pub number: String,
    /// Internal id of the document.
    pub id: u64,
    /// Place in the request, from 0.
    pub dindex: usize,
    /// The n-th saved state of the document, from 1; steps keep it.
    pub version: u64,
    /// Number of the call on the wire; a call that is executed twice has two entries with one number.
    pub call: u64,
    /// How it came to be executed.
    pub delivery: Delivery,
    /// The document exactly as it was sent; empty for steps.
    pub content: String,
    /// SHA-256 of the request body, hex.
    pub body_sha256: String,
    /// The request body; empty when the bound on memory was reached.
    pub body: Arc<str>,
}

/// A line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Line {
    Write(Write),
    Change(Change),
    Drift(Drift),
    Kept(Kept),
}

/// One executed request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Write {
    /// Number of the first document.
    pub(crate) seq: u64,
    pub(crate) at_ms: i64,
    pub(crate) endpoint: String,
    pub(crate) form: String,
    pub(crate) sha256: String,
    pub(crate) body: Arc<str>,
    #[serde(default)]
    pub(crate) call: u64,
    #[serde(default)]
    pub(crate) delivery: Delivery,
    /// Answer of a call that carried an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) replay: Option<Replay>,
    pub(crate) rows: Vec<RowLine>,
}

/// What is answered when the same idempotency key comes again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Replay {
    pub(crate) key: String,
    pub(crate) status: u16,
    pub(crate) answer: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RowLine {
    pub(crate) dindex: usize,
    pub(crate) action: Action,
    pub(crate) org: String,
    pub(crate) number: String,
    pub(crate) id: u64,
    pub(crate) status: char,
    pub(crate) content: String,
    /// `IsDeleteEntry` of the call: lines that are not sent go.
    #[serde(default)]
    pub(crate) keeps_lines: bool,
    #[serde(default)]
    pub(crate) version: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Create,
    Update,
    Submit,
    Audit,
    Unaudit,
    Delete,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Update => "update",
            Action::Submit => "submit",
            Action::Audit => "audit",
            Action::Unaudit => "unaudit",
            Action::Delete => "delete",
        }
    }
}

/// Customers renamed or added by control.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) at_ms: i64,
    pub(crate) renamed: Vec<u64>,
    pub(crate) new: u64,
    pub(crate) cursor: u64,
}

/// Rows of the source that moved while somebody read them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Drift {
    pub(crate) at_ms: i64,
    pub(crate) inserted: u64,
    /// The time of the inserted ones.
    pub(crate) inserted_ms: i64,
    /// Seeded trades that got `at_ms`.
    pub(crate) updated: Vec<u64>,
    pub(crate) deleted: Vec<u64>,
}

/// What a system wants to know after a restart, in its own words.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) system: String,
    pub(crate) text: String,
}

#[derive(Debug)]
pub(crate) struct Journal {
    place: Place,
    next_seq: u64,
}

#[derive(Debug)]
enum Place {
    Memory {
        lines: Vec<Write>,
        bytes: usize,
        content: usize,
    },
    File {
        file: File,
        path: PathBuf,
        bytes: u64,
    },
}

impl Journal {
    pub(crate) fn in_memory() -> Self {
        Journal {
            place: Place::Memory {
                lines: Vec::new(),
                bytes: 0,
                content: 0,
            },
            next_seq: 1,
        }
    }

    /// Opens the file, hands every whole line to `replay` and cuts a torn last line off.
    pub(crate) fn open(path: &Path, mut replay: impl FnMut(Line)) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let (mut good, mut next_seq) = (0, 1);
        let mut reader = BufReader::new(&file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = reader.read_until(b'\n', &mut line)?;
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            let parsed: Line = serde_json::from_slice(&line).map_err(|e| {
                let what = format!("{}: line at byte {good} is damaged: {e}", path.display());
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?;
            if let Line::Write(write) = &parsed {
                next_seq = write.seq + count(write.rows.len());
            }
            replay(parsed);
            good += count(read);
        }
        file.set_len(good)?;
        file.seek(SeekFrom::End(0))?;
        Ok(Journal {
            place: Place::File {
                file,
                path: path.to_owned(),
                bytes: good,
            },
            next_seq,
        })
    }

    pub(crate) fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Whether there is room for another request.
    pub(crate) fn is_full(&self) -> bool {
        match self.place {
            Place::File { bytes, .. } => bytes > MAX_FILE,
            Place::Memory { content, .. } => content > MAX_CONTENT,
        }
    }

    /// Appends one event; durable against the death of this process when it returns.
    pub(crate) fn append(&mut self, line: Line) -> io::Result<()> {
        if let Line::Write(write) = &line {
            self.next_seq = write.seq + count(write.rows.len());
        }
        match &mut self.place {
            Place::File { file, bytes, .. } => {
                let mut text = serde_json::to_vec(&line)?;
                text.push(b'\n');
                file.write_all(&text)?;
                *bytes += count(text.len());
            }
            Place::Memory {
                lines,
                bytes,
                content,
            } => {
                if let Line::Write(mut write) = line {
                    *content += write.rows.iter().map(|row| row.content.len()).sum::<usize>();
                    *bytes += write.body.len();
                    if *bytes > MAX_MEMORY {
                        write.body = Arc::from("");
                    }
                    lines.push(write);
                }
            }
        }
        Ok(())
    }

    /// Up to `limit` entries from number `from` on.
    pub(crate) fn entries(&self, from: u64, limit: usize) -> io::Result<Vec<JournalEntry>> {
        let mut out = Vec::new();
        self.each(|entry| {
            if entry.seq >= from && out.len() < limit {
                out.push(entry);
            }
            out.len() < limit
        })?;
        Ok(out)
    }

    /// Shows every entry, one at a time and in order, until `show` says that it has seen enough.
    pub(crate) fn each(&self, mut show: impl FnMut(JournalEntry) -> bool) -> io::Result<()> {
        match &self.place {
            Place::Memory { lines, .. } => {
                let _enough = lines.iter().all(|write| push(write, &mut show));
            }
            Place::File { path, bytes, .. } => {
                let mut reader = BufReader::new(io::Read::take(File::open(path)?, *bytes));
                let mut line = Vec::new();
                while reader.read_until(b'\n', &mut line)? > 0 {
                    if let Line::Write(write) = serde_json::from_slice(&line)?
                        && !push(&write, &mut show)
                    {
                        break;
                    }
                    line.clear();
                }
            }
        }
        Ok(())
    }
}

fn push(write: &Write, show: &mut impl FnMut(JournalEntry) -> bool) -> bool {
    (write.seq..).zip(&write.rows).all(|(seq, row)| {
        show(JournalEntry {
            seq,
            at_ms: write.at_ms,
            endpoint: write.endpoint.clone(),
            form: write.form.clone(),
            action: row.action.word().to_owned(),
            org: row.org.clone(),
            number: row.number.clone(),
            id: row.id,
            dindex: row.dindex,
            version: row.version,
            call: write.call,
            delivery: write.delivery,
            content: row.content.clone(),
            body_sha256: write.sha256.clone(),
            body: Arc::clone(&write.body),
        })
    })
}

fn count(n: usize) -> u64 {
    u64::try_from(n).expect("a length fits 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(seq: u64, rows: usize) -> Line {
        let row = |dindex| RowLine {
            dindex,
            action: Action::Create,
            org: "100".to_owned(),
            number: format!("0{dindex}"),
            id: 1,
            status: 'A',
            content: "{\"FName\":\"张三\"}".to_owned(),
            keeps_lines: false,
            version: 1,
        };
        Line::Write(Write {
            seq,
            at_ms: 5,
            call: 1,
            delivery: Delivery::Late,
            replay: None,
            endpoint: "BatchSave".to_owned(),
            form: "BD_Customer".to_owned(),
            sha256: String::new(),
            body: Arc::from("{}\n"),
            rows: (0..rows).map(row).collect(),
        })
    }

    #[test]
    fn survives_reopening_and_a_torn_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let mut journal = Journal::open(&path, |_| panic!("nothing to replay")).unwrap();
        journal.append(write(1, 2)).unwrap();
        journal.append(write(3, 1)).unwrap();
        drop(journal);
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"event\":\"wri")
            .unwrap();
        let mut seen = 0;
        let mut journal = Journal::open(&path, |_| seen += 1).unwrap();
        assert_eq!((seen, journal.next_seq()), (2, 4));
        journal.append(write(4, 1)).unwrap();
        let seqs: Vec<u64> = journal.entries(2, 10).unwrap().iter().map(|e| e.seq).collect();
        assert_eq!(seqs, [2, 3, 4]);
        let two = journal.entries(1, 2).unwrap();
        assert_eq!(two.len(), 2);
        assert_eq!(
            (two[1].version, two[1].call, two[1].delivery),
            (1, 1, Delivery::Late)
        );
    }

    #[test]
    fn damage_in_the_middle_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        std::fs::write(&path, "{\"event\":\"write\"}\n").unwrap();
        let error = Journal::open(&path, |_| {}).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }
}
