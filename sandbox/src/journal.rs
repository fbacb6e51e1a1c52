//! The append-only journal: what the target side executed, and what control changed.
//!
//! Promises: a line is handed to the operating system before the write is answered, so a killed
//! process forgets nothing it admitted; a line torn by a crash is cut off at the next start; entries
//! are numbered without gaps. With a folder the bodies live on disk only, without one they are kept
//! in memory up to a bound.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Most bytes of a journal on disk: a day of the heaviest test, not a full disk.
const MAX_FILE: u64 = 4 << 30;
/// Most bytes of bodies kept in memory; older and newer entries stay, later bodies are left out.
const MAX_MEMORY: usize = 256 << 20;

/// One write the simulator executed: one document of one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    pub(crate) rows: Vec<RowLine>,
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

#[derive(Debug)]
pub(crate) struct Journal {
    place: Place,
    next_seq: u64,
}

#[derive(Debug)]
enum Place {
    Memory { lines: Vec<Write>, bytes: usize },
    File { file: File, path: PathBuf, bytes: u64 },
}

impl Journal {
    pub(crate) fn in_memory() -> Self {
        Journal {
            place: Place::Memory {
                lines: Vec::new(),
                bytes: 0,
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
        matches!(self.place, Place::File { bytes, .. } if bytes > MAX_FILE)
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
            Place::Memory { lines, bytes } => {
                if let Line::Write(mut write) = line {
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
        match &self.place {
            Place::Memory { lines, .. } => {
                for write in lines {
                    push(&mut out, write, from, limit);
                }
            }
            Place::File { path, bytes, .. } => {
                let mut reader = BufReader::new(io::Read::take(File::open(path)?, *bytes));
                let mut line = Vec::new();
                while out.len() < limit && reader.read_until(b'\n', &mut line)? > 0 {
                    if let Line::Write(write) = serde_json::from_slice(&line)? {
                        push(&mut out, &write, from, limit);
                    }
                    line.clear();
                }
            }
        }
        Ok(out)
    }
}

fn push(out: &mut Vec<JournalEntry>, write: &Write, from: u64, limit: usize) {
    for (seq, row) in (write.seq..).zip(&write.rows) {
        if seq < from || out.len() >= limit {
            continue;
        }
        out.push(JournalEntry {
            seq,
            at_ms: write.at_ms,
            endpoint: write.endpoint.clone(),
            form: write.form.clone(),
            action: row.action.word().to_owned(),
            org: row.org.clone(),
            number: row.number.clone(),
            id: row.id,
            dindex: row.dindex,
            content: row.content.clone(),
            body_sha256: write.sha256.clone(),
            body: Arc::clone(&write.body),
        });
    }
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
        };
        Line::Write(Write {
            seq,
            at_ms: 5,
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
        assert_eq!(journal.entries(1, 2).unwrap().len(), 2);
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
