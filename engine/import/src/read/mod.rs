//! The three forms in which schemes of the other tool are found, all read to the same [`Draft`].

mod forum;
mod sides;
mod table;

use dsl::catalogue::imported as words;
use dsl::diagnostic::{Failure, Lang, SourceFile};
use dsl::{Value, json};

use crate::model::{Draft, slug, too_much};
use crate::{Input, MAX_BYTES, MAX_DEPTH, MAX_FIELDS, MAX_SCHEMES, pages};

/// Reads one file.
pub(crate) fn read(input: &Input) -> Result<Vec<Draft>, Failure> {
    if input.bytes.len() > MAX_BYTES {
        return Err(too_much(
            &input.name,
            ("字节", "bytes"),
            input.bytes.len(),
            MAX_BYTES,
        ));
    }
    let text = text_of(input)?.trim_start_matches('\u{feff}');
    let value = match text.trim_start().starts_with(['{', '[']) {
        true => parse(&input.name, text, 0)?,
        false => match forum::read(&input.name, text)? {
            Some(value) => value,
            None => table::read(text)
                .ok_or_else(|| Failure::new(&words::NOT_METADATA).with("file", &input.name))?,
        },
    };
    let schemes = sides::schemes(value);
    if schemes.is_empty() {
        return Err(Failure::new(&words::NOT_METADATA).with("file", &input.name));
    }
    if schemes.len() > MAX_SCHEMES {
        return Err(too_much(
            &input.name,
            ("方案", "schemes"),
            schemes.len(),
            MAX_SCHEMES,
        ));
    }
    let stem = input.name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let mut drafts = Vec::new();
    for (at, value) in schemes {
        let (fields, depth) = size(&value, 0);
        if fields > MAX_FIELDS {
            return Err(too_much(&input.name, ("字段", "fields"), fields, MAX_FIELDS));
        }
        if depth > MAX_DEPTH {
            return Err(too_much(
                &input.name,
                ("字段嵌套层数", "levels of fields"),
                depth,
                MAX_DEPTH,
            ));
        }
        if let Some((place, found)) = pages::lost_braces(&value) {
            return Err(Failure::new(&words::BRACES_LOST)
                .with("file", &input.name)
                .with("value", found)
                .with("place", place));
        }
        let id = slug(&format!("{stem}-{at}"));
        drafts.push(Draft {
            file: input.name.clone(),
            at,
            id,
            value,
        });
    }
    Ok(drafts)
}

/// The text of a file, or where it stops being UTF-8 and what it may be instead.
fn text_of(input: &Input) -> Result<&str, Failure> {
    let bytes = input.bytes.as_slice();
    std::str::from_utf8(bytes).map_err(|error| {
        let good = &bytes[..error.valid_up_to()];
        let file = SourceFile::new(&input.name, String::from_utf8_lossy(good));
        let (line, column) = file.position(good.len());
        // Only a guess for the words: a text is never read in a form that it may not have.
        let is_marked = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
        let (zh, en, from) = match (is_marked, is_gbk(bytes)) {
            (true, _) => (",看起来是 UTF-16", ", it looks like UTF-16", "UTF-16"),
            (_, true) => (",看起来是 GBK", ", it looks like GBK", "GB18030"),
            _ => ("", "", "GB18030"),
        };
        Failure::new(&words::NOT_UTF8)
            .with("file", &input.name)
            .with("line", line)
            .with("column", column)
            .with("guess", zh)
            .with("guess_en", en)
            .with("from", from)
    })
}

/// Whether bytes could be GBK: pairs of its two ranges, and ASCII between them.
fn is_gbk(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        let fits = match byte {
            0x00..=0x7f => true,
            0x81..=0xfe => matches!(rest.next(), Some(0x40..=0x7e | 0x80..=0xfe)),
            _ => false,
        };
        if !fits {
            return false;
        }
    }
    true
}

/// JSON that begins at a byte of a text, with the place of a mistake in the whole.
fn parse(name: &str, text: &str, from: usize) -> Result<Value, Failure> {
    let part = text.get(from..).unwrap_or_default();
    json::parse(part.as_bytes()).map_err(|error| {
        let file = SourceFile::new(name, text);
        let (line, column) = file.position(from + error.offset);
        Failure::new(&words::NOT_JSON)
            .with("file", name)
            .with("line", line)
            .with("column", column)
            .with("why", error.what.words(Lang::Zh))
            .with("why_en", error.what.words(Lang::En))
    })
}

/// How many fields there are, and how deep they are nested.
fn size(value: &Value, depth: usize) -> (usize, usize) {
    let parts: Box<dyn Iterator<Item = &Value>> = match value {
        Value::Map(map) => Box::new(map.values()),
        Value::List(items) => Box::new(items.iter()),
        _ => return (0, depth),
    };
    let own = value.get("field").is_some();
    let depth = depth + usize::from(own);
    parts.fold((usize::from(own), depth), |(count, deepest), part| {
        let (more, deep) = size(part, depth);
        (count + more, deepest.max(deep))
    })
}
