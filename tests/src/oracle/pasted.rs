//! An expression into which values are pasted, as text and as values.

use std::collections::{BTreeMap, BTreeSet};

use dsl::value::{Number, Value};

use super::node::quoted;

/// A value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Missing,
    Null,
    Text(String),
    /// The digits of a JSON number.
    Number(String),
}

impl Cell {
    /// What is pasted.
    fn text(&self) -> &str {
        match self {
            Cell::Missing | Cell::Null => "",
            Cell::Text(text) | Cell::Number(text) => text,
        }
    }

    fn json(&self) -> Option<Value> {
        Some(match self {
            Cell::Missing => return None,
            Cell::Null => Value::Null,
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Number(digits) => {
                Value::Number(Number::parse(digits).expect("the digits of a JSON number"))
            }
        })
    }
}

/// A record, and what other schemes have stored.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// By path: one value, or one for each line that all are read of.
    pub(super) cells: BTreeMap<String, Vec<Cell>>,
    /// The list that the first part of a path may be.
    pub(super) list: Option<String>,
    /// The start of the window.
    pub(super) start_ms: i64,
    /// Rows by the scheme that stored them.
    pub(super) stored: Vec<(String, Vec<Value>)>,
}

impl Record {
    /// The row as the source gives it.
    pub(super) fn row(&self) -> Value {
        let mut row = dsl::Map::new();
        row.insert("id".to_owned(), Value::from("k1"));
        let lines = self.cells.values().map(Vec::len).max().unwrap_or_default();
        let mut all = vec![dsl::Map::new(); lines];
        for (path, cells) in &self.cells {
            let below = self
                .list
                .as_ref()
                .and_then(|list| path.strip_prefix(list)?.strip_prefix('.'));
            match below {
                Some(name) => {
                    for (line, cell) in all.iter_mut().zip(cells) {
                        put(line, name, cell);
                    }
                }
                None => cells.iter().for_each(|cell| put(&mut row, path, cell)),
            }
        }
        if let Some(list) = &self.list {
            row.insert(
                list.clone(),
                Value::List(all.into_iter().map(Value::Map).collect()),
            );
        }
        Value::Map(row)
    }

    fn cells(&self, path: &str) -> &[Cell] {
        self.cells.get(path).map_or(&[], Vec::as_slice)
    }

    /// The names that are no fields.
    fn variable(&self, path: &str) -> Option<String> {
        let ms = match path {
            "LAST_SYNC_TIME" => self.start_ms,
            "CURRENT_TIME" => dsl::testing::TEST_NOW_MS,
            _ => return None,
        };
        Some((ms / 1000).to_string())
    }

    fn pasted(&self, path: &str) -> String {
        let texts: Vec<&str> = self.cells(path).iter().map(Cell::text).collect();
        self.variable(path).unwrap_or_else(|| texts.join(","))
    }

    /// Text with placeholders.
    pub(super) fn text_of(&self, parts: &[Part]) -> String {
        parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.clone(),
                Part::Field { path, .. } => self.pasted(path),
                Part::Find(find) => self.found(find).unwrap_or_default(),
            })
            .collect()
    }

    /// The field of the newest stored row that fits.
    fn found(&self, find: &Find) -> Option<String> {
        let (_, rows) = self.stored.iter().find(|(scheme, _)| *scheme == find.scheme)?;
        let fits = |row: &&Value| {
            find.conditions.iter().all(|(name, parts)| {
                let key = self.text_of(parts);
                !key.is_empty() && row.get(name).and_then(Value::to_plain_text) == Some(key)
            })
        };
        rows.iter()
            .rev()
            .find(fits)?
            .get(&find.field)
            .and_then(Value::to_plain_text)
    }
}

fn put(map: &mut dsl::Map, path: &str, cell: &Cell) {
    let Some(value) = cell.json() else { return };
    match path.split_once('.') {
        None => {
            map.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = map
                .entry(first.to_owned())
                .or_insert_with(|| Value::Map(dsl::Map::new()));
            if let Value::Map(inner) = inner {
                put(inner, rest, cell);
            }
        }
    }
}

/// A look-up.
#[derive(Debug, Clone)]
pub(super) struct Find {
    pub(super) field: String,
    pub(super) scheme: String,
    pub(super) conditions: Vec<(String, Vec<Part>)>,
    /// Whether it stands in quotes.
    quoted: bool,
}

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(String),
    Field {
        path: String,
        quoted: bool,
        /// Digits are written on to it.
        glued: bool,
    },
    Find(Find),
}

/// An expression, taken apart where something is pasted.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) parts: Vec<Part>,
    /// A look-up and nothing else: its text is the value.
    is_find: bool,
}

impl Template {
    pub(super) fn read(text: &str) -> Template {
        let (text, is_find) = match text.strip_prefix("_function ") {
            Some(text) => (text, false),
            None => (text, true),
        };
        Template {
            parts: parts(text, is_find),
            is_find,
        }
    }

    /// Paths of fields, and whether they stand in quotes.
    pub(super) fn fields(&self) -> Vec<(String, bool)> {
        fn of(parts: &[Part], found: &mut Vec<(String, bool)>) {
            for part in parts {
                match part {
                    Part::Field { path, quoted, .. } => found.push((path.clone(), *quoted)),
                    Part::Find(find) => {
                        // A key is compared as text.
                        let mut keys = Vec::new();
                        find.conditions.iter().for_each(|(_, parts)| of(parts, &mut keys));
                        found.extend(keys.into_iter().map(|(path, _)| (path, true)));
                    }
                    Part::Text(_) => {}
                }
            }
        }
        let mut found = Vec::new();
        of(&self.parts, &mut found);
        found.retain(|(path, _)| !["LAST_SYNC_TIME", "CURRENT_TIME"].contains(&path.as_str()));
        found
    }

    /// The look-ups.
    pub(super) fn finds(&self) -> impl Iterator<Item = &Find> {
        self.parts.iter().filter_map(|part| match part {
            Part::Find(find) => Some(find),
            _ => None,
        })
    }

    /// Texts that the expression speaks of.
    pub(super) fn literals(&self) -> impl Iterator<Item = &str> {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        let words = texts.flat_map(|text| text.split('\''));
        words.filter(|text| !text.is_empty() && !text.contains([' ', '=', ',', ')']))
    }

    /// What the other tool gives to the server.
    pub(super) fn pasted(&self, record: &Record) -> String {
        match (self.is_find, self.finds().next()) {
            // Nothing is computed; the server is asked for the row.
            (true, Some(find)) => asked(find, record),
            _ => record.text_of(&self.parts),
        }
    }

    /// The codes under which a report may have named what pasting does to this record.
    pub(super) fn reasons(&self, record: &Record) -> BTreeSet<&'static str> {
        let mut codes = BTreeSet::new();
        for part in &self.parts {
            match part {
                Part::Text(_) => {}
                Part::Find(find) => {
                    let found = record.found(find);
                    match found {
                        None => {
                            codes.extend(match self.is_find {
                                true => ["W1751"; 2],
                                false => ["W1310", "W1314"],
                            });
                        }
                        Some(text) if !find.quoted && !is_number(&text) => {
                            codes.insert("W1312");
                        }
                        Some(_) => {}
                    }
                }
                Part::Field { path, quoted, glued } => {
                    let cells = record.cells(path);
                    if cells.len() != 1 && record.variable(path).is_none() {
                        codes.insert("W1311");
                    }
                    for cell in cells {
                        let text = cell.text();
                        if *quoted {
                            if text.contains(['\'', '\\']) {
                                codes.insert("W1315");
                            }
                        } else if text.is_empty() {
                            codes.extend(if *glued {
                                ["W1313", "W1313"]
                            } else {
                                ["W1314", "W1310"]
                            });
                        } else if !is_number(text) {
                            codes.insert("W1312");
                        }
                        if cells.len() == 1 && record.list.is_some() {
                            codes.insert("W1311");
                        }
                    }
                }
            }
        }
        codes
    }

    /// The expression with values instead of pasted text. A bare text of digits is a number where one is needed and a text
    /// where a text will do: it is written in all ways, up to so many together.
    pub(super) fn as_values(&self, record: &Record, most: usize) -> Vec<String> {
        if self.is_find
            && self
                .finds()
                .next()
                .is_some_and(|find| record.found(find).is_none())
        {
            return vec!["NULL".to_owned()];
        }
        if let Some(asked) = self.over_lines(record) {
            return asked;
        }
        let choices: Vec<Vec<String>> = self.parts.iter().map(|part| choices(part, record)).collect();
        let all = choices
            .iter()
            .map(Vec::len)
            .fold(1, usize::saturating_mul)
            .min(most);
        (0..all)
            .map(|mut choice| {
                let one = |texts: &Vec<String>| {
                    let text = texts[choice % texts.len()].clone();
                    choice /= texts.len();
                    text
                };
                choices.iter().map(one).collect()
            })
            .collect()
    }

    /// All lines that a function reads, as rows of a table.
    fn over_lines(&self, record: &Record) -> Option<Vec<String>> {
        let [Part::Text(open), Part::Field { path, .. }, Part::Text(close)] = self.parts.as_slice() else {
            return None;
        };
        if close != ")" || record.list.is_none() {
            return None;
        }
        let table = |ways: usize| {
            let row = |cell: &Cell| {
                let text = match cell {
                    Cell::Null => ["NULL", "0"][ways & 1].to_owned(),
                    Cell::Missing => ["0", "NULL"][ways >> 1 & 1].to_owned(),
                    Cell::Number(digits) => digits.clone(),
                    Cell::Text(text) if ways & 4 == 0 => beginning(text),
                    Cell::Text(text) => quoted(text),
                };
                format!("SELECT {text} c")
            };
            let rows: Vec<String> = record.cells(path).iter().map(row).collect();
            match rows.is_empty() {
                true => "SELECT 1 c WHERE FALSE".to_owned(),
                false => rows.join(" UNION ALL "),
            }
        };
        let asked = |ways| format!("(SELECT {open}c) FROM ({}) t)", table(ways));
        Some((0..8).map(asked).collect())
    }

    /// Whether it reads all lines of a list: then a server shows the digits that its column declares.
    pub(super) fn is_over_lines(&self, record: &Record) -> bool {
        self.over_lines(record).is_some()
    }
}

/// How a part may be written as a value.
fn choices(part: &Part, record: &Record) -> Vec<String> {
    match part {
        Part::Text(text) => vec![text.clone()],
        Part::Field {
            path, quoted: true, ..
        } => vec![inside(&record.pasted(path))],
        Part::Field { path, .. } => match (record.variable(path), record.cells(path)) {
            (Some(text), _) => vec![text],
            (None, [cell]) => written(cell),
            (None, _) => vec![record.pasted(path)],
        },
        Part::Find(find) => match (record.found(find), find.quoted) {
            (found, true) => vec![inside(&found.unwrap_or_default())],
            (None, false) => vec!["NULL".to_owned()],
            (Some(text), false) => written(&Cell::Text(text)),
        },
    }
}

/// Values that nothing around them changes: a text without quotes is a text where a text will do, and an exact number
/// where one is needed.
fn written(cell: &Cell) -> Vec<String> {
    let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    match cell {
        Cell::Null => all(&["NULL", "''", "0"]),
        Cell::Missing => all(&["''", "0", "NULL"]),
        Cell::Number(digits) => all(&[digits]),
        Cell::Text(text) if text.is_empty() => all(&["''", "0"]),
        Cell::Text(text) => {
            let number = beginning(text);
            // Beyond 64 bits a server refuses what it would count as a decimal.
            let long = (number.len() >= 18 && !number.contains('.')).then(|| format!("{number}."));
            [quoted(text), number].into_iter().chain(long).collect()
        }
    }
}

/// The number that a text begins with, as a server reads it, without an exponent: a text is an exact number where one is
/// needed.
fn beginning(text: &str) -> String {
    let text = text.trim_start();
    let mut end = 0;
    for (at, _) in text.char_indices().chain([(text.len(), ' ')]) {
        let part = &text[..at];
        if part.parse::<f64>().is_ok() && part.ends_with(|char: char| char.is_ascii_digit() || char == '.') {
            end = at;
        }
    }
    match text[..end].split_once(['e', 'E']) {
        None if end == 0 => "0".to_owned(),
        None => text[..end].to_owned(),
        Some((digits, exponent)) => moved(digits, exponent.parse().unwrap_or_default()),
    }
}

/// Digits with their point so many places further right, within the lengths that records have.
fn moved(digits: &str, places: i8) -> String {
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
    let mut rest = rest.to_owned();
    let mut whole = whole.to_owned();
    for _ in 0..places.clamp(0, 60) {
        match rest.is_empty() {
            true => whole.push('0'),
            false => whole.push(rest.remove(0)),
        }
    }
    match rest.is_empty() {
        true => whole,
        false => format!("{whole}.{rest}"),
    }
}

/// A text between quotes that are there already.
fn inside(text: &str) -> String {
    let quoted = quoted(text);
    quoted[1..quoted.len() - 1].to_owned()
}

/// Digits that a server reads as they are shown.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all(whole) && all(rest) && (whole == "0" || !whole.starts_with('0')) && digits.len() <= 60
}

/// The server's own search, over a table of the stored rows.
fn asked(find: &Find, record: &Record) -> String {
    let none: Vec<Value> = Vec::new();
    let rows = record
        .stored
        .iter()
        .find(|(scheme, _)| *scheme == find.scheme)
        .map_or(&none, |(_, rows)| rows);
    let text = |row: &Value, name: &str| {
        row.get(name)
            .and_then(Value::to_plain_text)
            .map_or("NULL".to_owned(), |text| quoted(&text))
    };
    let table: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(nth, row)| {
            let keys: Vec<String> = find
                .conditions
                .iter()
                .enumerate()
                .map(|(column, (name, _))| format!("{} k{column}", text(row, name)))
                .collect();
            format!(
                "SELECT {nth} n, {} f, {}",
                text(row, &find.field),
                keys.join(", ")
            )
        })
        .collect();
    let keys: Vec<String> = find
        .conditions
        .iter()
        .enumerate()
        .map(|(column, (_, parts))| {
            let key = quoted(&record.text_of(parts));
            format!("BINARY k{column} = BINARY {key} AND {key} <> ''")
        })
        .collect();
    // It sends an empty text where it finds nothing.
    format!(
        "IFNULL((SELECT f FROM ({}) t WHERE {} ORDER BY n DESC LIMIT 1), '')",
        table.join(" UNION ALL "),
        keys.join(" AND ")
    )
}

/// Takes an expression apart. What is no placeholder and no look-up stays text.
fn parts(text: &str, whole: bool) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut plain = String::new();
    let mut quote: Option<char> = None;
    let mut rest = text;
    while let Some(char) = rest.chars().next() {
        if rest.starts_with("_findCollection ")
            && let Some((find, behind)) = find(rest, quote.is_some(), whole)
        {
            flush(&mut plain, &mut parts);
            parts.push(Part::Find(find));
            rest = behind;
            continue;
        }
        if rest.starts_with("{{")
            && !rest.starts_with("{{{")
            && let Some(end) = rest.find("}}")
        {
            let is_digit = |char: char| char.is_ascii_digit();
            let glued =
                quote.is_none() && (rest[end + 2..].starts_with(is_digit) || plain.ends_with(is_digit));
            flush(&mut plain, &mut parts);
            parts.push(Part::Field {
                path: rest[2..end].trim().to_owned(),
                quoted: quote.is_some(),
                glued,
            });
            rest = &rest[end + 2..];
            continue;
        }
        match (quote, char) {
            (None, '\'' | '"') => quote = Some(char),
            (Some(open), char) if open == char => quote = None,
            _ => {}
        }
        plain.push(char);
        rest = &rest[char.len_utf8()..];
    }
    flush(&mut plain, &mut parts);
    parts
}

fn flush(plain: &mut String, parts: &mut Vec<Part>) {
    if !plain.is_empty() {
        parts.push(Part::Text(std::mem::take(plain)));
    }
}

/// `_findCollection find F from S where A=…`, up to `_endFind`, or alone up to the end.
fn find(text: &str, quoted: bool, whole: bool) -> Option<(Find, &str)> {
    let (inner, behind) = match text.split_once("_endFind") {
        Some((inner, behind)) => (inner, behind),
        None if whole => (text, ""),
        None => return None,
    };
    let inner = inner.strip_prefix("_findCollection find ")?;
    let (field, inner) = inner.split_once(" from ")?;
    let (scheme, conditions) = inner.split_once(" where ")?;
    let conditions = conditions
        .split_whitespace()
        .map(|one| {
            let (name, value) = one.split_once('=')?;
            Some((name.to_owned(), parts(value, false)))
        })
        .collect::<Option<Vec<_>>>()?;
    let is_one = !field.contains(' ') && !scheme.contains(' ');
    is_one.then_some((
        Find {
            field: field.to_owned(),
            scheme: scheme.to_owned(),
            conditions,
            quoted,
        },
        behind,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cells: &[(&str, Cell)]) -> Record {
        Record {
            cells: cells
                .iter()
                .map(|(path, cell)| ((*path).to_owned(), vec![cell.clone()]))
                .collect(),
            list: None,
            start_ms: 1_700_000_000_000,
            stored: vec![(
                "s".to_owned(),
                vec![Value::Map(dsl::Map::from_iter([
                    ("k".to_owned(), Value::from("1")),
                    ("F".to_owned(), Value::from("O'X")),
                ]))],
            )],
        }
    }

    #[test]
    fn pasted_letter_by_letter_and_as_values() {
        let text = Cell::Text("O'Neil".to_owned());
        let empty = Cell::Missing;
        let number = Cell::Number("12.50".to_owned());
        for (expression, pasted, value, codes) in [
            ("_function '{{a}}'", "'O'Neil'", "'O''Neil'", &["W1315"][..]),
            ("_function {{a}} * 2", "O'Neil * 2", "'O''Neil' * 2", &["W1312"]),
            ("_function {{b}}/{{c}}", "/12.50", "''/12.50", &["W1310", "W1314"]),
            ("_function {{b}}000*1", "000*1", "''000*1", &["W1313"]),
            (
                "_function {{LAST_SYNC_TIME}}000*1",
                "1700000000000*1",
                "1700000000000*1",
                &[],
            ),
            (
                "_function case _findCollection find F from s where k=1 _endFind when true then 1 end",
                "case O'X when true then 1 end",
                "case 'O''X' when true then 1 end",
                &["W1312"],
            ),
            (
                "_function case _findCollection find F from s where k={{c}} _endFind when true then 1 end",
                "case  when true then 1 end",
                "case NULL when true then 1 end",
                &["W1310", "W1314"],
            ),
        ] {
            let template = Template::read(expression);
            let record = record(&[("a", text.clone()), ("b", empty.clone()), ("c", number.clone())]);
            assert_eq!(template.pasted(&record), pasted, "{expression}");
            assert_eq!(template.as_values(&record, 1), [value], "{expression}");
            assert_eq!(
                template.reasons(&record).into_iter().collect::<Vec<_>>(),
                codes,
                "{expression}"
            );
        }
    }

    #[test]
    fn the_number_that_a_text_begins_with() {
        for (text, number) in [
            ("5'10\"", "5"),
            (" 5 ", "5"),
            ("1,000", "1"),
            (".5", ".5"),
            ("-1.5", "-1.5"),
            ("张三", "0"),
            ("1.5E+2x", "150"),
            ("1e3", "1000"),
            ("1.234e1", "12.34"),
            ("1e", "1"),
            ("nan", "0"),
        ] {
            assert_eq!(beginning(text), number, "{text}");
        }
    }
}
