//! From rows and refusals to the JSON document that is judged.

use jiff::tz::TimeZone;

use crate::cell::{Cell, quote};
use crate::session::{Refusal, Rows};
use crate::statement::Read;

/// Code of a key that is null: no later page could begin behind it.
const NULL_KEY: &str = "null_key";
/// Code of a key that two rows share: a page that ends between them would leave one out.
const SAME_KEY: &str = "same_key";
/// Code of a key that is bytes: it would be compared as a text that the database reads in its own way.
const BINARY_KEY: &str = "binary_key";
/// Code of an update time that a clock's text is compared with wrongly.
const OFFSET_TIME: &str = "offset_time";
/// Code of a key that the SELECT does not give.
const NO_KEY: &str = "no_key";
/// Code of a SELECT without `:limit` that gives more rows than a page has.
const TOO_MANY: &str = "too_many_rows";

/// A refusal in the words of an answer.
pub(crate) struct Refused {
    code: String,
    message: String,
    at: &'static str,
    of: Option<String>,
}

impl Refused {
    pub(crate) fn new(refusal: &Refusal, at: &'static str) -> Refused {
        Refused {
            code: refusal.code.clone(),
            message: refusal.message.clone(),
            at,
            of: None,
        }
    }

    /// What was being done.
    pub(crate) fn of(self, of: Option<&str>) -> Refused {
        Refused {
            of: of.map(str::to_owned),
            ..self
        }
    }

    fn ours(code: &str, message: String) -> Refused {
        let code = code.to_owned();
        Refused::new(&Refusal { code, message }, "rows")
    }

    pub(crate) fn text(&self) -> String {
        let mut out = String::from("{\"error\":{\"code\":");
        quote(&self.code, &mut out);
        out.push_str(",\"message\":");
        quote(&self.message, &mut out);
        out.push_str(",\"at\":");
        quote(self.at, &mut out);
        if let Some(of) = &self.of {
            out.push_str(",\"of\":");
            quote(of, &mut out);
        }
        out.push_str("}}");
        out
    }
}

/// A page of rows, and where the next one begins.
pub(crate) fn rows(read: &Read, found: Rows, zone: &TimeZone) -> Result<String, Refused> {
    let Rows {
        columns,
        mut rows,
        with_offset,
    } = found;
    let shown = columns.len().saturating_sub(read.keys);
    if let Some(name) = columns
        .get(shown)
        .filter(|name| read.clock && with_offset.contains(name))
    {
        let way = "its values have an offset of their own; write options: {time: utc}";
        return Err(Refused::ours(OFFSET_TIME, format!("{name}: {way}")));
    }
    let keys = keys(read, &columns, shown)?;
    let is_paged = !keys.is_empty() && (read.paged || read.by.is_empty());
    let more = rows.len() > read.limit;
    if more && !is_paged {
        return Err(Refused::ours(TOO_MANY, format!("> {} rows", read.limit)));
    }
    let key_of = |row: &[Cell]| {
        let mut out = String::from("[");
        for (nth, key) in keys.iter().enumerate() {
            out.push_str(if nth == 0 { "" } else { "," });
            row[*key].write_key(&mut out);
        }
        out.push(']');
        out
    };
    if is_paged {
        for row in &rows {
            if let Some(key) = keys.iter().find(|key| row[**key] == Cell::Null) {
                return Err(Refused::ours(NULL_KEY, columns[*key].clone()));
            }
            if let Some(key) = keys.iter().find(|key| matches!(row[**key], Cell::Bytes(_))) {
                let name = &columns[*key];
                let way =
                    "read by api: query, whose SELECT gives it as text (HEX, encode) and orders by that";
                return Err(Refused::ours(BINARY_KEY, format!("{name}: binary; {way}")));
            }
        }
        let same = rows.windows(2).find(|two| key_of(&two[0]) == key_of(&two[1]));
        if let Some(two) = same {
            return Err(Refused::ours(SAME_KEY, key_of(&two[0])));
        }
    }
    rows.truncate(read.limit);
    let mut out = String::from("{\"rows\":[");
    for (nth, row) in rows.iter().enumerate() {
        out.push_str(if nth == 0 { "" } else { "," });
        out.push(if read.is_named() { '{' } else { '[' });
        for (nth, (name, cell)) in columns.iter().zip(row).take(shown).enumerate() {
            out.push_str(if nth == 0 { "" } else { "," });
            if read.is_named() {
                quote(name, &mut out);
                out.push(':');
            }
            cell.write(&mut out, zone);
        }
        out.push(if read.is_named() { '}' } else { ']' });
    }
    out.push(']');
    if let Some(last) = rows.last().filter(|_| more) {
        out.push_str(",\"next\":");
        quote(&key_of(last), &mut out);
    }
    out.push('}');
    Ok(out)
}

/// The columns whose values say where the next page begins.
fn keys(read: &Read, columns: &[String], shown: usize) -> Result<Vec<usize>, Refused> {
    if read.by.is_empty() {
        return Ok((shown..columns.len()).collect());
    }
    read.by
        .iter()
        .map(|name| {
            columns
                .iter()
                .position(|column| column.eq_ignore_ascii_case(name))
                .ok_or_else(|| Refused::ours(NO_KEY, name.clone()))
        })
        .collect()
}

/// What was written, document by document.
pub(crate) fn written(ids: &[String]) -> String {
    let mut out = String::from("{\"items\":[");
    for (nth, id) in ids.iter().enumerate() {
        out.push_str(if nth == 0 { "" } else { "," });
        out.push_str(&format!("{{\"index\":{nth},\"id\":"));
        quote(id, &mut out);
        out.push('}');
    }
    out.push_str("]}");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(read: &str, columns: &[&str], row: Vec<Cell>) -> String {
        let Ok(crate::statement::Statement::Read(read)) = crate::statement::parse(read.as_bytes()) else {
            panic!("{read}");
        };
        let found = Rows {
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: vec![row],
            with_offset: vec!["at".to_owned()],
        };
        rows(&read, found, &TimeZone::UTC).unwrap_or_else(|refused| refused.text())
    }

    /// What would leave rows out in silence is refused, also where nothing is left out yet.
    #[test]
    fn places_that_no_page_can_begin_behind() {
        let row = |key: Cell| vec![Cell::Number("1".to_owned()), Cell::Text("t".to_owned()), key];
        let (bytes, number) = (Cell::Bytes(vec![0x80]), Cell::Number("1".to_owned()));
        let lists = |more: &str| {
            format!(r#"{{"read": {{"sql": "", "binds": [], "limit": 2, "keys": 2, "rows": "lists"{more}}}}}"#)
        };
        for (read, columns, key, want) in [
            (lists(""), ["no", "at", "id"], bytes.clone(), r#""code":"binary_key","message":"id: "#),
            (lists(""), ["no", "at", "id"], number.clone(), r#""rows":[[1]]"#),
            // A clock's text beside a column with offsets.
            (lists(r#", "clock": true"#), ["no", "at", "id"], number.clone(), r#""code":"offset_time","message":"at: "#),
            (lists(r#", "clock": true"#), ["no", "on", "id"], number.clone(), r#""rows":[[1]]"#),
            (
                r#"{"read": {"sql": "", "binds": [], "limit": 2, "by": ["id"], "paged": true, "rows": "maps"}}"#.to_owned(),
                ["no", "at", "id"],
                bytes,
                "binary_key",
            ),
        ] {
            let told = told(&read, &columns, row(key));
            assert!(told.contains(want), "{read}: {told}");
        }
    }
}
