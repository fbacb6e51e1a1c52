//! The rows of a page, and whether there is another.
//!
//! A place that the answer lacks is an error and never zero rows: zero rows would close a window without proof.

use std::sync::Arc;

use dsl::catalogue::source;
use dsl::{Failure, Map, Path, Value};

use crate::answer::{HttpAnswer, Reading};
use crate::connection::Connection;
use crate::frame::Frame;
use crate::judge::Judged;
use crate::model::{Connector, More, Operation, Page, PageBy, Rows};
use crate::request::{Call, complete_options};

/// The rows of one page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PageRows {
    /// The rows, in the order of the answer.
    pub rows: Vec<Value>,
    /// Whether there is another page.
    pub more: bool,
    /// How many rows there are in all, where the answer says so.
    pub total: Option<u64>,
    /// What the next page is asked with.
    pub next_cursor: Option<String>,
    /// Whether they came as XML, in which a list of one looks like one value.
    pub xml: bool,
    /// The smallest and the greatest version of its rows, where they are read by version and there are any.
    pub versions: Option<(u128, u128)>,
}

/// How an operation is read by version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionFacts {
    /// Behind which version reading begins.
    pub first: u128,
    /// How long after its version was drawn a row may still appear, in milliseconds.
    pub settle_ms: i64,
    /// The last version is asked for once more with every page.
    pub again: bool,
}

impl Connection {
    /// How an operation is read by version; `None` where it is read otherwise.
    pub fn by_version(&self, operation: &str) -> Option<VersionFacts> {
        let page = self.connector.operation(operation)?.page.as_ref()?;
        let PageBy::Version(versions) = &page.by else {
            return None;
        };
        Some(VersionFacts {
            first: u128::try_from(page.first).unwrap_or(0),
            settle_ms: versions.settle_ms,
            again: versions.again,
        })
    }

    /// Takes the rows out of an answer that was judged a success.
    pub fn rows(&self, operation: &str, call: &Call<'_>, answer: &HttpAnswer) -> Result<PageRows, Failure> {
        self.rows_of(operation, call, answer, self.reading(answer))
    }

    /// The same of the answer that was judged, as it was read for that.
    pub fn rows_judged(
        &self,
        operation: &str,
        call: &Call<'_>,
        answer: &HttpAnswer,
        judged: &mut Judged,
    ) -> Result<PageRows, Failure> {
        let reading = judged.read.take().unwrap_or_else(|| self.reading(answer));
        self.rows_of(operation, call, answer, reading)
    }

    fn rows_of(
        &self,
        operation: &str,
        call: &Call<'_>,
        answer: &HttpAnswer,
        mut reading: Reading,
    ) -> Result<PageRows, Failure> {
        let operation = self.operation(operation)?;
        if let Err(failure) = &reading.body {
            return Err(failure.clone().vendor(self.excerpt(&reading.text)));
        }
        let none_when = operation.rows.as_ref().and_then(|rows| rows.none_when.as_ref());
        if none_when.is_some_and(|none| none.holds(&self.answer_names(answer, &reading).0)) {
            return Ok(PageRows::default());
        }
        let options = complete_options(operation, call.options)?;
        let frame = self.frame(operation, &options, call.now_ms);
        let page = operation.page.as_ref();
        let total_of = |body: &Value| page.map_or(Ok(None), |page| total(page, body, &frame, call));
        let place = movable(operation, &reading, &frame, call.fields)?;
        let (rows, total, next) = match (place, &mut reading.body) {
            (Some((place, form)), Ok(body)) => {
                let total = total_of(body)?;
                let in_body = page.and_then(|page| next(page, call, body, &[]));
                let rows = move_rows(body, &place, form);
                let next = in_body.or_else(|| page.and_then(|page| next(page, call, &Value::Null, &rows)));
                (rows, total, next)
            }
            (_, Err(failure)) => return Err(failure.clone()),
            (None, Ok(body)) => {
                let rows = take_rows(operation, body, &frame, call.fields, reading.is_xml)?;
                let total = total_of(body)?;
                let next = page.and_then(|page| next(page, call, body, &rows));
                (rows, total, next)
            }
        };
        let more = match &operation.page {
            None => false,
            Some(page) => {
                let names = || self.answer_names(answer, &reading).0;
                more(page, call, &rows, total, next.as_deref(), names)
            }
        };
        if let (true, None, Some(page)) = (more, &next, &operation.page)
            && let Some(path) = goes_on_with(page, call)
        {
            return Err(Failure::new(&source::NO_CONTINUATION).with("path", path));
        }
        let versions = match operation.page.as_ref().map(|page| &page.by) {
            Some(PageBy::Version(versions)) => versions_of(&versions.field, &rows, more)?,
            _ => None,
        };
        Ok(PageRows {
            xml: reading.is_xml,
            versions,
            rows,
            more,
            total,
            next_cursor: next,
        })
    }
}

/// The source's own total. A connector that says where it stands has it on every page, unless it says otherwise: without
/// it nobody would notice a page that is missing.
fn total(page: &Page, body: &Value, frame: &Frame<'_>, call: &Call<'_>) -> Result<Option<u64>, Failure> {
    let Some(tree) = &page.total else { return Ok(None) };
    let Some(at) = frame.text(tree, "page.total")?.filter(|at| !at.is_empty()) else {
        return Ok(None);
    };
    let found = Path::parse(&at).ok().and_then(|path| path.get(body).cloned());
    let number = found
        .as_ref()
        .and_then(Value::to_plain_text)
        .and_then(|text| text.trim().parse().ok());
    let asked = call.page.as_ref();
    // Behind a ceiling the offsets begin again; the page behind a key is none that begins.
    let is_first = asked.is_none_or(|asked| asked.offset == 0 && asked.last.is_none());
    if number.is_none() && (is_first || !page.total_first) {
        let shown = found.map_or_else(|| "-".to_owned(), |value| value.kind().name().to_owned());
        return Err(Failure::new(&source::TOTAL_MISSING)
            .with("path", at)
            .with("kind", shown));
    }
    Ok(number)
}

/// Digits of a version: as many as fit the number it is compared as.
const VERSION_DIGITS: usize = 38;

/// The smallest and the greatest version among rows; numbers and texts of digits are compared as whole numbers. A page
/// behind which there are more has to rise: the next one goes on from its greatest version, and a source that gives the
/// newest rows first would never be asked for the others.
fn versions_of(field: &Path, rows: &[Value], more: bool) -> Result<Option<(u128, u128)>, Failure> {
    let mut ends: Option<(u128, u128)> = None;
    for (nth, row) in rows.iter().enumerate() {
        let found = field.get(row);
        let text = found.and_then(Value::to_plain_text).unwrap_or_default();
        let digits = text.trim();
        let is_whole = digits.len() <= VERSION_DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
        let version = digits.parse().ok().filter(|_| is_whole).ok_or_else(|| {
            Failure::new(&source::VERSION_BAD)
                .with("path", field)
                .with("row", nth + 1)
                .with("kind", found.map_or("-", |value| value.kind().name()))
        })?;
        ends = Some(match ends {
            None => (version, version),
            Some((_, high)) if more && version < high => {
                return Err(Failure::new(&source::VERSION_FALLS)
                    .with("path", field)
                    .with("row", nth + 1)
                    .with("vendor", format!("{version} < {high}")));
            }
            Some((low, high)) => (low.min(version), high.max(version)),
        });
    }
    Ok(ends)
}

/// What the next page is asked with.
fn next(page: &Page, call: &Call<'_>, body: &Value, rows: &[Value]) -> Option<String> {
    let found = match &page.by {
        PageBy::Offset if next_is_by_key(page, call) => {
            let field = page.then.as_ref()?;
            rows.last().and_then(|row| field.get(row))
        }
        PageBy::Number | PageBy::Offset | PageBy::Version(_) => None,
        PageBy::Key(path) => rows.last().and_then(|row| path.get(row)),
        PageBy::Cursor(path) => path.get(body),
        PageBy::Link(paths) => paths
            .iter()
            .find_map(|path| path.get(body).filter(|link| !link.is_null())),
    };
    found
        .and_then(Value::to_plain_text)
        .filter(|text| !text.is_empty())
}

/// Whether the page behind this one is asked for by the last row's value instead of by its offset.
fn next_is_by_key(page: &Page, call: &Call<'_>) -> bool {
    let Some(asked) = &call.page else { return false };
    page.then.is_some() && (asked.last.is_some() || page.is_by_key(asked.offset + i64::from(asked.size)))
}

/// Where stands what the next page is asked with; `None` where that is counted.
fn goes_on_with<'p>(page: &'p Page, call: &Call<'_>) -> Option<&'p Path> {
    match next_is_by_key(page, call) {
        true => page.then.as_ref(),
        false => page.by.goes_on_with(),
    }
}

fn more(
    page: &Page,
    call: &Call<'_>,
    rows: &[Value],
    total: Option<u64>,
    next: Option<&str>,
    names: impl FnOnce() -> crate::recipe::Names,
) -> bool {
    let asked = call.page.clone().unwrap_or_default();
    match &page.more {
        More::Short => asked.size > 0 && rows.len() >= usize::try_from(asked.size).unwrap_or(usize::MAX),
        More::Says(recipe) => recipe.holds(&names()),
        More::Cursor => next.is_some(),
        More::Total => {
            let before = match page.by {
                PageBy::Number => (asked.number - page.first).saturating_mul(i64::from(asked.size)),
                PageBy::Offset
                | PageBy::Key(_)
                | PageBy::Cursor(_)
                | PageBy::Link(_)
                | PageBy::Version(_) => asked.offset,
            };
            let seen = u64::try_from(before)
                .unwrap_or(0)
                .saturating_add(rows.len() as u64);
            !rows.is_empty() && total.or(asked.total).is_some_and(|total| seen < total)
        }
    }
}

/// Where rows stand that can be moved out of the answer instead of being copied: a list of maps that stay as they are,
/// in an answer that nobody else holds and that is not looked at behind them.
fn movable<'o>(
    operation: &'o Operation,
    reading: &Reading,
    frame: &Frame<'_>,
    fields: Option<&[(String, String)]>,
) -> Result<Option<(Option<Path>, &'o Rows)>, Failure> {
    let asks_again = |page: &Page| matches!(page.more, More::Says(_));
    let (Some(rows), Ok(body)) = (&operation.rows, &reading.body) else {
        return Ok(None);
    };
    let is_renamed = fields.is_some_and(|fields| fields.iter().any(|(name, field)| name != field));
    let is_plain = !reading.is_xml && !rows.one && !rows.by_fields && !is_renamed;
    if !is_plain || operation.page.as_ref().is_some_and(asks_again) || Arc::strong_count(body) > 1 {
        return Ok(None);
    }
    let at = frame.text(&rows.at, "rows.at")?.unwrap_or_default();
    let list = find(body, &at).ok().and_then(Value::as_list);
    if !list.is_some_and(|list| list.iter().all(|row| row.as_map().is_some())) {
        return Ok(None);
    }
    let place = (!at.is_empty()).then(|| Path::parse(&at).ok()).flatten();
    Ok(Some((place, rows)))
}

fn move_rows(body: &mut Arc<Value>, place: &Option<Path>, form: &Rows) -> Vec<Value> {
    let body = Arc::make_mut(body);
    let list = match place {
        Some(place) => place.remove(body),
        None => Some(std::mem::replace(body, Value::Null)),
    };
    let Some(Value::List(mut rows)) = list else {
        unreachable!("a list was found there");
    };
    rows.iter_mut().for_each(|row| complete(row, form));
    rows
}

fn take_rows(
    operation: &Operation,
    body: &Value,
    frame: &Frame<'_>,
    fields: Option<&[(String, String)]>,
    is_xml: bool,
) -> Result<Vec<Value>, Failure> {
    let Some(rows) = &operation.rows else {
        return Ok(Vec::new());
    };
    let at = frame.text(&rows.at, "rows.at")?.unwrap_or_default();
    // XML has no lists: one row is an element like any other, and none is not there.
    let as_list = is_xml && !rows.one;
    let xml = Path::parse(&at).ok().filter(|_| as_list);
    let xml = xml.and_then(|at| crate::xml::rows(body, &at)).map(Value::List);
    let found = match &xml {
        Some(rows) => rows,
        None => find(body, &at)?,
    };
    if rows.one {
        // Asked for by a condition, nothing in the place of the document is an answer: there is none.
        if operation.filter.is_some() && matches!(found, Value::Null) {
            return Ok(Vec::new());
        }
        let mut row = row_map(found, 1)?;
        complete(&mut row, rows);
        return Ok(vec![row]);
    }
    let list = found.as_list().ok_or_else(|| {
        Failure::new(&source::ROWS_NOT_LIST)
            .with("path", shown(&at))
            .with("kind", found.kind().name())
    })?;
    let columns = rows.by_fields.then(|| fields.unwrap_or_default());
    let aliases = fields.unwrap_or_default().iter();
    let aliases: Vec<&(String, String)> = aliases.filter(|(name, field)| name != field).collect();
    let mut found = Vec::with_capacity(list.len());
    for (index, row) in list.iter().enumerate() {
        let mut row = match columns {
            Some(fields) => named(row, fields, index + 1)?,
            None => row_map(row, index + 1).map(|row| renamed(row, &aliases))?,
        };
        complete(&mut row, rows);
        found.push(row);
    }
    Ok(found)
}

/// Reads of a row what its form does not say: times in texts, and which places are lists.
fn complete(row: &mut Value, rows: &Rows) {
    if rows.dates {
        crate::odata::read_dates(row);
    }
    for place in &rows.lists {
        let Some(mut there) = place.at.get(row).cloned() else {
            continue;
        };
        match (&mut there, place.members) {
            (Value::Map(members), true) => members.values_mut().for_each(as_list),
            // XML has no empty map.
            (nothing, true) if nothing.is_empty() => *nothing = Value::Map(Map::new()),
            (_, true) => continue,
            (there, false) => as_list(there),
        }
        // It is there, and so it can be put there.
        let _is_set: bool = place.at.set(row, there);
    }
}

/// One element, or nothing, as a list.
fn as_list(value: &mut Value) {
    if value.as_list().is_none() {
        let one = std::mem::replace(value, Value::Null);
        *value = Value::List(if one.is_empty() { Vec::new() } else { vec![one] });
    }
}

/// The value at a path; an empty path is the whole answer.
fn find<'v>(body: &'v Value, at: &str) -> Result<&'v Value, Failure> {
    if at.is_empty() {
        return Ok(body);
    }
    let found = Path::parse(at).ok().and_then(|path| path.get(body));
    found.ok_or_else(|| {
        let seen: Vec<&str> = body
            .as_map()
            .map(|map| map.keys().map(String::as_str).collect())
            .unwrap_or_default();
        Failure::new(&source::ROWS_MISSING)
            .with("path", at)
            .with("seen", seen.join(", "))
    })
}

fn shown(at: &str) -> &str {
    if at.is_empty() { "$" } else { at }
}

fn row_map(row: &Value, number: usize) -> Result<Value, Failure> {
    match row {
        Value::Map(_) => Ok(row.clone()),
        other => Err(Failure::new(&source::ROW_KIND)
            .with("row", number)
            .with("kind", other.kind().name())),
    }
}

/// A row with the names that a scheme gave its fields. A field stands in it under its whole name, or at that path; it
/// stays there too.
fn renamed(row: Value, aliases: &[&(String, String)]) -> Value {
    let of = |field: &str| match &row {
        Value::Map(map) if map.contains_key(field) => map.get(field).cloned(),
        row => Path::parse(field).ok().and_then(|path| path.get(row).cloned()),
    };
    // All of them from the row as it came: two fields may change places.
    let found: Vec<(String, Value)> = aliases
        .iter()
        .filter_map(|(name, field)| Some((name.clone(), of(field)?)))
        .collect();
    match row {
        Value::Map(mut map) => {
            map.extend(found);
            Value::Map(map)
        }
        other => other,
    }
}

/// A row that is a list, with the names of the fields that were asked for.
fn named(row: &Value, fields: &[(String, String)], number: usize) -> Result<Value, Failure> {
    let Some(values) = row.as_list() else {
        return Err(Failure::new(&source::ROW_KIND)
            .with("row", number)
            .with("kind", row.kind().name()));
    };
    if values.len() != fields.len() {
        return Err(Failure::new(&source::ROWS_COLUMNS)
            .with("row", number)
            .with("found", values.len())
            .with("wanted", fields.len()));
    }
    Ok(Value::Map(
        fields
            .iter()
            .zip(values)
            .map(|((name, _), value)| (name.clone(), value.clone()))
            .collect(),
    ))
}

/// The rows of the sample that comes with a built-in connector, read with the parameters' defaults.
pub(crate) fn sample_rows(connector: &Connector, operation: &Operation) -> Option<Vec<Value>> {
    let text = crate::builtin::sample(&connector.id, &operation.name)?;
    let body = dsl::json::parse(text.as_bytes()).ok()?;
    take_rows(operation, &body, &sample_frame(connector), None, false).ok()
}

fn sample_frame(connector: &Connector) -> Frame<'_> {
    let mut frame = Frame::new(0, &connector.tz);
    let defaults = connector
        .params
        .iter()
        .filter_map(|param| Some((param.name.clone(), param.default.clone()?)));
    frame.set("$param", defaults.collect::<Map>());
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over the samples of all connectors: what is moved out of an answer is what would be copied, and an answer that
    /// somebody else holds is left whole.
    #[test]
    fn moved_rows_are_the_copied_ones() {
        let mut moved = 0;
        let registry = dsl::builtin::Registry::new(functions::ALL);
        for (id, text) in crate::builtin::builtin() {
            let file = dsl::diagnostic::SourceFile::new(*id, *text);
            let connector = crate::load(&file, &registry).unwrap();
            for operation in &connector.operations {
                let Some(copied) = sample_rows(&connector, operation) else {
                    continue;
                };
                let text = crate::builtin::sample(&connector.id, &operation.name).unwrap_or_default();
                let body = Arc::new(dsl::json::parse(text.as_bytes()).unwrap());
                let mut reading = Reading {
                    text: String::new(),
                    body: Ok(Arc::clone(&body)),
                    is_xml: false,
                };
                let frame = sample_frame(&connector);
                let held = movable(operation, &reading, &frame, None).unwrap();
                assert!(held.is_none(), "{}", operation.name);
                drop(body);
                let place = movable(operation, &reading, &frame, None).unwrap();
                let Some(((place, form), body)) = place.zip(reading.body.as_mut().ok()) else {
                    continue;
                };
                assert_eq!(move_rows(body, &place, form), copied, "{}", operation.name);
                moved += 1;
            }
        }
        assert!(moved > 5, "{moved} lists");
    }
}
