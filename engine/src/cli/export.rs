//! `engine rows export`: records as a table for people who work with spreadsheets, or as JSON.
//!
//! A text that a spreadsheet would take for a formula is defused, because its words come from other systems. Rows are
//! written as they are read, so that a large ledger needs little memory.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use app::{AppError, query, sentence_of, separated};
use dsl::Lang;
use ledger::Reader;
use ledger::read::{RecordFilter, RecordRow};

use super::Done;
use super::args::{Global, RowsExportArgs};
use super::env::Environment;
use super::json::object;
use super::language::written;
use super::ledgers;
use super::out::Out;
use super::rows;
use super::time;

/// Records read at once.
const PAGE: u32 = 1_000;

/// The columns, in order; named as in JSON, so that scripts of both read alike.
const COLUMNS: [&str; 17] = [
    "scheme",
    "key",
    "label",
    "state",
    "code",
    "reason",
    "target",
    "form",
    "target_id",
    "number",
    "sends",
    "version",
    "first",
    "seen",
    "changed",
    "done",
    "payload",
];

/// Writes records out.
pub(crate) fn export(args: RowsExportArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let filter = rows::filter(&args.records, PAGE)?;
    let reader = ledgers::open(&args.ledger, global, environment)?;
    ledgers::known(&reader, filter.scheme.as_deref())?;
    let what = What {
        reader: &reader,
        filter,
        limit: args.limit,
        payload: args.payload,
        lang: out.lang,
    };
    let told = |to: &mut dyn Write| -> Result<u64, Failed> {
        if out.json {
            json(&what, to)
        } else {
            csv(&what, to, args.bom)
        }
    };
    match &args.out {
        Some(path) => {
            let count = file(path, told)?;
            let shown = path.display().to_string();
            if out.json {
                out.document(&object! {
                    "schema" => "engine.rows-export/1",
                    "count" => count,
                    "file" => shown,
                });
            } else {
                let facts = [("count", super::run::grouped(count)), ("file", shown)];
                out.note("export-saved", &facts);
            }
        }
        None => {
            let mut to = BufWriter::new(std::io::stdout().lock());
            match told(&mut to) {
                Ok(_) => {}
                Err(Failed::Ledger(error)) => return Err(error),
                // The reader of the pipe went away; there is nobody to tell.
                Err(Failed::Out(error)) if error.kind() == ErrorKind::BrokenPipe => {}
                Err(Failed::Out(error)) => return Err(written(Path::new("stdout"), &error)),
            }
        }
    }
    Ok(0)
}

struct What<'a> {
    reader: &'a Reader,
    filter: RecordFilter,
    limit: u64,
    payload: bool,
    lang: Lang,
}

/// Takes a record, and its document where that is wanted.
type Visit<'v> = dyn FnMut(&RecordRow, Option<String>) -> Result<(), Failed> + 'v;

pub(crate) enum Failed {
    Ledger(AppError),
    Out(std::io::Error),
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Failed::Out(error)
    }
}

/// A new file that only its owner may read, and that appears under its name when it is whole; one that is there is not
/// written over.
/// Writes a file that appears whole or not at all, and never over another one.
pub(crate) fn into_file(
    path: &Path,
    write: &mut dyn FnMut(&mut dyn Write) -> Result<(), Failed>,
) -> Result<(), AppError> {
    file(path, |to| write(to).map(|()| 0)).map(|_| ())
}

fn file(path: &Path, mut told: impl FnMut(&mut dyn Write) -> Result<u64, Failed>) -> Result<u64, AppError> {
    let refused = || {
        let path = path.display();
        AppError::wrong_use(
            format!("{path} 已存在,不会覆盖;请换一个名字"),
            format!("{path} exists already and is not written over; choose another name"),
        )
    };
    if path.symlink_metadata().is_ok() {
        return Err(refused());
    }
    let part = beside(path);
    let new = private(&part).map_err(|error| written(&part, &error))?;
    let mut to = BufWriter::new(new);
    let done = told(&mut to).and_then(|count| {
        to.flush()?;
        to.get_ref().sync_all()?;
        Ok(count)
    });
    let done = match done {
        Ok(_) if path.symlink_metadata().is_ok() => Err(refused()),
        Ok(count) => std::fs::rename(&part, path)
            .map(|()| count)
            .map_err(|error| written(path, &error)),
        Err(Failed::Ledger(error)) => Err(error),
        Err(Failed::Out(error)) => Err(written(path, &error)),
    };
    if done.is_err() {
        // What went wrong is told; half a file helps nobody.
        drop(std::fs::remove_file(&part));
    }
    done
}

/// The name a file has until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".part-{}", std::process::id()));
    path.with_file_name(name)
}

/// A new file that only its owner may read: records hold what customers told in confidence.
fn private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl What<'_> {
    /// Every record meant, newest first; gives how many.
    fn each(&self, visit: &mut Visit<'_>) -> Result<u64, Failed> {
        let mut filter = self.filter.clone();
        let mut count = 0;
        loop {
            let rows = query::rows(self.reader, &filter).map_err(Failed::Ledger)?.0;
            for row in &rows {
                if self.limit > 0 && count == self.limit {
                    return Ok(count);
                }
                visit(row, self.document(row)?)?;
                count += 1;
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE as usize => filter.before = Some(last.record),
                Some(_) | None => return Ok(count),
            }
        }
    }

    /// The document sent last, as it was kept: without what is sensitive.
    fn document(&self, row: &RecordRow) -> Result<Option<String>, Failed> {
        if !self.payload {
            return Ok(None);
        }
        let stored = self.reader.last_payload(row.record);
        let stored = stored.map_err(|error| Failed::Ledger(error.into()))?;
        let Some(stored) = stored else { return Ok(None) };
        let shown = query::shown_document(self.reader, &row.scheme, &stored).map_err(Failed::Ledger)?;
        Ok(Some(String::from_utf8_lossy(&shown).into_owned()))
    }
}

fn csv(what: &What<'_>, to: &mut dyn Write, bom: bool) -> Result<u64, Failed> {
    if bom {
        to.write_all("\u{feff}".as_bytes())?;
    }
    let columns = if what.payload {
        &COLUMNS[..]
    } else {
        &COLUMNS[..COLUMNS.len() - 1]
    };
    let head: Vec<String> = columns.iter().map(|name| (*name).to_owned()).collect();
    to.write_all(separated::line(&head).as_bytes())?;
    let count = what.each(&mut |row, payload| {
        let mut cells = cells(row, what.lang);
        if what.payload {
            cells.push(payload.unwrap_or_default());
        }
        Ok(to.write_all(separated::line(&cells).as_bytes())?)
    })?;
    to.flush()?;
    Ok(count)
}

fn cells(row: &RecordRow, lang: Lang) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let reason = row.reason.as_ref();
    vec![
        row.scheme.clone(),
        query::key_text(&row.key),
        row.label.clone(),
        row.state.word().to_owned(),
        reason.map(|reason| reason.code.clone()).unwrap_or_default(),
        reason.map(|reason| sentence_of(reason, lang)).unwrap_or_default(),
        text(&row.target),
        text(&row.form),
        text(&row.target_id),
        text(&row.number),
        row.sends.to_string(),
        row.version.clone(),
        time::rfc3339(row.first),
        time::rfc3339(row.seen),
        time::rfc3339(row.changed),
        row.done.map(time::rfc3339).unwrap_or_default(),
    ]
}

/// One document, written row by row. Its shape is fixed by `schemas/rows-export.json`.
fn json(what: &What<'_>, to: &mut dyn Write) -> Result<u64, Failed> {
    to.write_all(b"{\n  \"schema\": \"engine.rows-export/1\",\n  \"rows\": [")?;
    let mut first = true;
    let count = what.each(&mut |row, payload| {
        let mut document = rows::record(row, what.lang);
        if let dsl::Value::Map(members) = &mut document {
            let payload = payload.map_or(dsl::Value::Null, |text| super::json::stored(text.as_bytes()));
            if what.payload {
                members.insert("payload".to_owned(), payload);
            }
        }
        let comma = if std::mem::take(&mut first) {
            "\n    "
        } else {
            ",\n    "
        };
        to.write_all(comma.as_bytes())?;
        Ok(to.write_all(dsl::json::to_string(&document).as_bytes())?)
    })?;
    to.write_all(b"\n  ]\n}\n")?;
    to.flush()?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.csv");
        let there = || std::fs::read_dir(dir.path()).unwrap().count();
        let breaks = |to: &mut dyn Write| -> Result<u64, Failed> {
            to.write_all(b"half")?;
            Err(Failed::Out(ErrorKind::StorageFull.into()))
        };
        assert!(file(&path, breaks).is_err());
        assert_eq!(there(), 0);
        let good = |to: &mut dyn Write| -> Result<u64, Failed> {
            to.write_all(b"whole")?;
            Ok(3)
        };
        assert_eq!(file(&path, good).unwrap(), 3);
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let again = file(&path, breaks).unwrap_err().to_string();
        assert!(again.contains("exists already"), "{again}");
        assert_eq!(std::fs::read(&path).unwrap(), b"whole");
    }

    #[test]
    fn nothing_is_calculated_and_nothing_breaks_the_table() {
        for (cell, want) in [
            ("B000123", "B000123"),
            ("00123", "00123"),
            ("=1+1", "'=1+1"),
            (
                "=HYPERLINK(\"http://x\",\"y\")",
                "\"'=HYPERLINK(\"\"http://x\"\",\"\"y\"\")\"",
            ),
            ("+86 10", "'+86 10"),
            ("-5", "'-5"),
            ("@sum", "'@sum"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("\t=1", "'\t=1"),
            ("a,b", "\"a,b\""),
            ("a \"b\"", "\"a \"\"b\"\"\""),
            ("两行\n文字", "\"两行\n文字\""),
            (" x", "\" x\""),
        ] {
            let one = [cell.to_owned()];
            let got = separated::line(&one);
            assert_eq!(got.strip_suffix("\r\n"), Some(want), "{cell:?}");
        }
    }
}
