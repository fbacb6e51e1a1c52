//! Files of a folder, read like the pages of a table: CSV, JSON lines and the sheets of a workbook.
//!
//! A row is known by the hash of its file's content and its line, so that the ledger takes it once: the same content
//! under another name brings nothing new, a changed file brings new rows. A file that is still being written is left
//! for the next run. What cannot be read is told as a row that says so (`_broken`), and keeps nobody else from being
//! read. Files are never changed or deleted. They are moved into [`DONE`] where that is wished for, each once the page
//! behind its last row is asked for: whoever asks for it has stored what came before.

mod separated;
mod settled;
mod sheet;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use crate::answer::Refused;
use crate::cell::quote;
use crate::session::Refusal;
use settled::whole;

/// Entries of a folder that are looked at; one with more is no inbox.
const ENTRIES_MAX: usize = 20_000;

/// Largest file: it is read whole, because its hash comes before its rows.
const FILE_MAX: u64 = 64 << 20;

/// The folder below for files that were read wholly and are stored.
const DONE: &str = "done";

/// Names that are tried for a file in [`DONE`] whose own is taken.
const NAMES_MAX: usize = 1000;

/// Endings of files that somebody is still writing.
const UNFINISHED: [&str; 5] = [".tmp", ".part", ".partial", ".crdownload", "~"];

/// What is asked of a folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    /// Names, with `*` for any characters.
    pattern: String,
    format: Format,
    #[serde(default)]
    charset: Option<String>,
    #[serde(default)]
    separator: Option<char>,
    /// Of a workbook; the first one when nothing is said.
    #[serde(default)]
    sheet: Option<String>,
    /// Seconds for which a file must not have changed.
    settle: u64,
    size: usize,
    #[serde(default)]
    after: Option<String>,
    #[serde(default)]
    finish: Finish,
}

/// What becomes of a file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Finish {
    #[default]
    Keep,
    Move,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Csv,
    Ndjson,
    Xlsx,
}

/// A row of a file: its line, and its members or what is wrong with it.
struct Row {
    line: u64,
    members: Result<Vec<(String, String)>, String>,
}

impl Row {
    fn is_broken(&self) -> bool {
        self.members.is_err()
    }
}

/// A row of a file: its name, its hash, its line.
type Place = (String, String, u64);

/// Where the page before ended.
#[derive(Debug, Clone, Default)]
struct After {
    place: Option<Place>,
    /// Names and hashes of the files that ended in it, where they are to be moved.
    ended: Vec<(String, String)>,
}

impl After {
    fn parse(text: &str) -> Option<After> {
        if let Ok(place) = serde_json::from_str(text) {
            return Some(After {
                place: Some(place),
                ended: Vec::new(),
            });
        }
        let (name, hash, line, ended) = serde_json::from_str(text).ok()?;
        Some(After {
            place: Some((name, hash, line)),
            ended,
        })
    }
}

/// One page, as an answer. Nothing is moved unless `moves` says that what was read is stored for good.
pub(crate) fn read(folder: &str, files: &Files, moves: bool) -> String {
    let after = files.after.as_deref().and_then(After::parse).unwrap_or_default();
    let moves = moves && files.finish == Finish::Move;
    let folder = Path::new(folder);
    if moves && let Err(message) = after.ended.iter().try_for_each(|file| put_away(folder, file)) {
        return refused("folder", message);
    }
    let after = after.place;
    let names = match names(folder, files) {
        Ok(names) => names,
        Err(message) => return refused("folder", message),
    };
    let mut page: Vec<(String, Place)> = Vec::new();
    let mut ended: Vec<(String, String)> = Vec::new();
    for name in names {
        if after.as_ref().is_some_and(|(last, ..)| name < *last) {
            continue;
        }
        let Some(bytes) = whole(&folder.join(&name), files.settle) else {
            continue;
        };
        let (hash, rows) = match bytes {
            Ok(bytes) => (hash(&bytes), rows(&bytes, files)),
            Err(why) => (hash(name.as_bytes()), broken(why)),
        };
        // A file that changed since the page before is another one, and begins anew.
        let from = match &after {
            Some((last, known, line)) if *last == name && *known == hash => *line,
            _ => 0,
        };
        let is_whole = !rows.is_empty() && !rows.iter().any(|row| row.is_broken());
        for row in rows.into_iter().filter(|row| row.line > from) {
            page.push((shown(&name, &hash, &row), (name.clone(), hash.clone(), row.line)));
            if page.len() > files.size {
                return answer(&page[..files.size], true, moves.then_some(&ended));
            }
        }
        // One with a row that could not be read stays where somebody will look for it; one without rows may be one that
        // somebody has only begun to write.
        if is_whole {
            ended.push((name, hash));
        }
    }
    let more = moves && !page.is_empty();
    answer(&page, more, moves.then_some(&ended))
}

/// Moves a file that is as it was read. One that is not there any more was moved by somebody else; one that has changed
/// is read again.
fn put_away(folder: &Path, (name, known): &(String, String)) -> Result<(), String> {
    // A name of a cursor is one of this folder.
    if name.contains(['/', '\\']) {
        return Err(format!("{name}: no file of this folder"));
    }
    let path = folder.join(name);
    match std::fs::read(&path) {
        Ok(bytes) if hash(&bytes) == *known => {}
        _ => return Ok(()),
    }
    let done = folder.join(DONE);
    let told = |error: std::io::Error| format!("{}: {error}", done.join(name).display());
    match std::fs::create_dir(&done) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(told(error)),
        _ => {}
    }
    let names = (0..NAMES_MAX).map(|nth| match nth {
        0 => name.clone(),
        1 => format!("{}-{name}", &known[..8]),
        nth => format!("{}-{nth}-{name}", &known[..8]),
    });
    for name in names {
        let place = done.join(name);
        // Nobody else puts files there.
        if std::fs::symlink_metadata(&place).is_err() {
            return match std::fs::rename(&path, &place) {
                // Somebody else moves the files of this folder, too.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
                Err(error) => Err(told(error)),
                Ok(()) => brought_back(&place, &path, known).map_err(told),
            };
        }
    }
    Err(told(std::io::ErrorKind::AlreadyExists.into()))
}

/// Somebody who still had the file open has gone on with it while it was moved: it goes back and is read again, unless
/// there is another one of its name by now.
fn brought_back(place: &Path, path: &Path, known: &str) -> std::io::Result<()> {
    if hash(&std::fs::read(place)?) != *known && std::fs::symlink_metadata(path).is_err() {
        std::fs::rename(place, path)?;
    }
    Ok(())
}

/// Whether the folder can be read.
pub(crate) fn look(folder: &str) -> String {
    match std::fs::read_dir(folder) {
        Ok(_) => answer(&[], false, None),
        Err(error) => refused("folder", format!("{folder}: {error}")),
    }
}

fn answer(page: &[(String, Place)], more: bool, ended: Option<&Vec<(String, String)>>) -> String {
    let rows: Vec<&str> = page.iter().map(|(row, _)| row.as_str()).collect();
    let mut out = format!("{{\"rows\":[{}]", rows.join(","));
    if let Some((_, (name, hash, line))) = page.last().filter(|_| more) {
        let mut next = String::from("[");
        quote(name, &mut next);
        next.push(',');
        quote(hash, &mut next);
        next.push_str(&format!(",{line}"));
        if let Some(ended) = ended {
            next.push_str(",[");
            for (nth, (name, hash)) in ended.iter().enumerate() {
                next.push_str(if nth == 0 { "[" } else { ",[" });
                quote(name, &mut next);
                next.push(',');
                quote(hash, &mut next);
                next.push(']');
            }
            next.push(']');
        }
        next.push(']');
        out.push_str(",\"next\":");
        quote(&next, &mut out);
    }
    out.push('}');
    out
}

fn refused(code: &str, message: String) -> String {
    let code = code.to_owned();
    Refused::new(&Refusal { code, message }, "rows").text()
}

/// The files that are meant, in the order of their names.
fn names(folder: &Path, files: &Files) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut names = Vec::new();
    for (nth, entry) in entries.enumerate() {
        if nth >= ENTRIES_MAX {
            return Err(format!("{}: more than {ENTRIES_MAX} entries", folder.display()));
        }
        let entry = entry.map_err(|error| error.to_string())?;
        // A link could lead anywhere.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let is_hidden = name.starts_with('.') || UNFINISHED.iter().any(|end| name.ends_with(end));
        if is_file && !is_hidden && fits(&files.pattern, &name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Whether a name is meant by a pattern in which `*` stands for any characters.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, behind)) => name.strip_prefix(before).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| fits(behind, &rest[at..]))
        }),
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn broken(why: impl Into<String>) -> Vec<Row> {
    vec![Row {
        line: 1,
        members: Err(why.into()),
    }]
}

fn rows(bytes: &[u8], files: &Files) -> Vec<Row> {
    if files.format == Format::Xlsx {
        return sheet::rows(bytes, files.sheet.as_deref());
    }
    let text = match decoded(bytes, files.charset.as_deref().unwrap_or("utf-8")) {
        Ok(text) => text,
        Err(why) => return broken(why),
    };
    match files.format {
        Format::Csv => separated::rows(&text, files.separator.unwrap_or(',')),
        Format::Ndjson | Format::Xlsx => json_rows(&text),
    }
}

/// Strictly: a text in another charset is not guessed at.
fn decoded(bytes: &[u8], charset: &str) -> Result<String, String> {
    let encoding =
        encoding_rs::Encoding::for_label(charset.as_bytes()).ok_or(format!("charset {charset}"))?;
    let bytes = match encoding_rs::Encoding::for_bom(bytes) {
        Some((marked, length)) if marked == encoding => &bytes[length..],
        _ => bytes,
    };
    encoding
        .decode_without_bom_handling_and_without_replacement(bytes)
        .map(|text| text.into_owned())
        .ok_or_else(|| format!("not {charset}"))
}

fn json_rows(text: &str) -> Vec<Row> {
    let lines = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty());
    lines
        .map(|(text, line)| Row {
            line,
            members: serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text)
                .map(|members| {
                    let members = members.into_iter();
                    members
                        .map(|(name, value)| (name, value.get().to_owned()))
                        .collect()
                })
                .map_err(|error| error.to_string()),
        })
        .collect()
}

fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(text, &mut out);
    out
}

/// A row with where it stands; a column of such a name gives way, and of two columns with one name the last counts.
fn shown(file: &str, hash: &str, row: &Row) -> String {
    let line = row.line.to_string();
    let mut all: Vec<(String, String)> = vec![
        ("_file".to_owned(), quoted(file)),
        ("_line".to_owned(), line),
        ("_hash".to_owned(), quoted(hash)),
    ];
    match &row.members {
        Ok(members) => {
            for (name, value) in members {
                match all.iter().position(|(known, _)| known == name) {
                    Some(0..3) => {}
                    Some(nth) => all[nth].1.clone_from(value),
                    None => all.push((name.clone(), value.clone())),
                }
            }
        }
        Err(why) => all.push(("_broken".to_owned(), quoted(why))),
    }
    let members: Vec<String> = all
        .iter()
        .map(|(name, value)| format!("{}:{value}", quoted(name)))
        .collect();
    format!("{{{}}}", members.join(","))
}

#[cfg(test)]
mod tests;
