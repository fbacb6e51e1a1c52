//! A SELECT of one's own: taken apart at its names, so that values are bound and never written into it.
//!
//! It is one statement that reads. Who may run it, and on which tables, is the database's business: the account should
//! have no right to write.

use dsl::Failure;
use dsl::catalogue::source;

/// Longest text, in bytes.
const TEXT_MAX: usize = 16 << 10;

/// A part of the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// As it is written.
    Text(&'t str),
    /// A name without its colon.
    Name(&'t str),
}

/// Which of the last row's keys a name means: `after`, or `after_2` for the second of several.
pub(super) fn after_place(name: &str) -> Option<usize> {
    match name.strip_prefix("after")? {
        "" | "_1" => Some(0),
        nth => {
            let nth: usize = nth.strip_prefix('_')?.parse().ok()?;
            (2..=9).contains(&nth).then(|| nth - 1)
        }
    }
}

/// What is wrong with a text, as far as can be seen without values.
pub(crate) fn fault(sql: &str) -> Option<Failure> {
    let names = match pieces(sql) {
        Ok(pieces) => pieces,
        Err(failure) => return Some(failure),
    };
    names.iter().find_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Name("from" | "to" | "limit") => None,
        Piece::Name(name) if after_place(name).is_some() => None,
        Piece::Name(name) => Some(refused(&format!(":{name}"))),
    })
}

/// Takes a text apart. Names in quotes and comments are none, and `::` of a cast is none either.
pub(super) fn pieces(sql: &str) -> Result<Vec<Piece<'_>>, Failure> {
    if sql.len() > TEXT_MAX {
        return Err(refused(&format!("> {TEXT_MAX}")));
    }
    let first: String = sql
        .trim_start()
        .chars()
        .take_while(|char| char.is_ascii_alphabetic())
        .collect();
    if !["select", "with"].contains(&first.to_ascii_lowercase().as_str()) {
        return Err(refused(&first));
    }
    let bytes = sql.as_bytes();
    let mut pieces = Vec::new();
    let (mut from, mut at) = (0, 0);
    while at < bytes.len() {
        let rest = &sql[at..];
        let skip = match bytes[at] {
            b'\'' => closed(rest, "'")?,
            b'"' => closed(rest, "\"")?,
            b'`' => closed(rest, "`")?,
            b'-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => rest.find("*/").ok_or_else(|| refused("/*"))? + 2,
            b';' if rest[1..].trim().is_empty() => {
                pieces.push(Piece::Text(&sql[from..at]));
                return Ok(pieces);
            }
            b';' => return Err(refused(";")),
            b':' if rest.starts_with("::") => 2,
            b':' => {
                let name = name_of(&rest[1..]);
                if !name.is_empty() {
                    pieces.push(Piece::Text(&sql[from..at]));
                    pieces.push(Piece::Name(name));
                    from = at + 1 + name.len();
                }
                1 + name.len()
            }
            // `?` would be counted as a place for a value.
            b'?' => return Err(refused("?")),
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        at += skip;
    }
    pieces.push(Piece::Text(&sql[from..]));
    Ok(pieces)
}

/// Length of what stands in quotes, both included.
fn closed(rest: &str, quote: &str) -> Result<usize, Failure> {
    // A doubled quote is read as the end of one text and the begin of another: that gives the same places.
    let end = rest[1..].find(quote).ok_or_else(|| refused(quote))?;
    let inner = &rest[1..=end];
    // MySQL takes `\'` for a quote inside; the others take it for the end. Nobody needs to find out.
    if quote == "'" && inner.contains('\\') {
        return Err(refused("\\"));
    }
    Ok(end + 2)
}

fn name_of(rest: &str) -> &str {
    let end = rest.find(|char: char| !(char.is_ascii_alphanumeric() || char == '_'));
    let name = &rest[..end.unwrap_or(rest.len())];
    match name.bytes().next() {
        Some(byte) if byte.is_ascii_alphabetic() => name,
        _ => "",
    }
}

fn refused(why: &str) -> Failure {
    Failure::new(&source::SQL_TEXT).with("why", why)
}
