//! Stored rows as the documents of an object, for a system to which we are the ERP.
//!
//! Which rows and in which order is the ledger's ([`ledger::service::feed`]). A field that a scheme calls sensitive is
//! left out unless the object's file declares it, as `sensitive`: what leaves is what somebody wrote down.

use std::sync::Arc;

use dsl::ingest::IngestCx;
use dsl::json;
use dsl::object::{Field, Object, Serve, Standard};
use dsl::path::{Path, Segment};
use dsl::plan::Plan;
use dsl::value::{Map, Value};
use flow::ids::Ms;
use ledger::service::feed::FedRow;
pub use ledger::service::feed::{AHEAD, MOST_BYTES};

use crate::error::AppError;
use crate::inbox::content;
use crate::publish::{hidden, overlap};
use crate::run::Engine;

/// Rows of a page at most, and when nothing is said.
pub const MOST_ROWS: u32 = 1_000;
/// Rows of a page when nothing is said.
pub const ROWS: u32 = 100;
/// Rows of a stretch that can be passed over: as many as a ledger has. To pass them over, they are counted: a million take
/// a tenth of a second.
pub const MOST_OFFSET: u32 = u32::MAX;

/// Pushes about one thing that are looked at while they wait, the newest: a scheme takes them within seconds, and one that
/// cannot has what came last.
const MOST_WAITING: u32 = 100;

/// A stretch of time, and which of its rows.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// From.
    pub start: Ms,
    /// Up to and with.
    pub end: Ms,
    /// Rows passed over.
    pub offset: u32,
    /// At most so many.
    pub limit: u32,
    /// Whether lines are asked for, too.
    pub details: bool,
}

/// What a stretch has.
#[derive(Debug, Clone)]
pub struct Page {
    /// In all.
    pub total: u64,
    /// On the page.
    pub documents: Vec<Standard>,
    /// There are more on the page, and together they are larger than [`MOST_BYTES`].
    pub too_large: bool,
}

impl Engine {
    /// A page of what of an object became visible in a stretch, asked for now; `None` = its rows are not there to be
    /// read.
    pub async fn visible(
        &self,
        object: &Arc<Object>,
        serve: &Serve,
        ask: Ask,
        now: Ms,
    ) -> Result<Option<Page>, AppError> {
        let Some(scheme) = serve.rows.clone() else {
            return Ok(None);
        };
        let (reader, of) = (self.reader().clone(), scheme.clone());
        let closed = tokio::task::spawn_blocking(move || reader.is_closed(&of, ask.start, ask.end, now));
        match closed.await.map_err(|error| AppError::bug(error.to_string()))?? {
            None => return Ok(None),
            Some(true) => {}
            Some(false) => {
                let closed = scheme.clone();
                self.with_ledger(move |ledger| ledger.close_stretch(&closed, ask.start, ask.end, now))
                    .await??;
            }
        }
        let (reader, object) = (self.reader().clone(), Arc::clone(object));
        let asked = tokio::task::spawn_blocking(move || {
            let found = reader.feed(&scheme, ask.start, ask.end, ask.offset, ask.limit)?;
            let hidden = hidden(&reader, &scheme)?;
            let documents = found
                .rows
                .iter()
                .map(|row| document(&object, row, &hidden, ask.details));
            Ok(Some(Page {
                total: found.total,
                documents: documents.collect(),
                too_large: found.too_large,
            }))
        });
        asked.await.map_err(|error| AppError::bug(error.to_string()))?
    }

    /// The document of an object with this id, as it was last sent to us or is stored: what was acknowledged and waits in
    /// the inbox counts already. Where its rows are those of another scheme and that one does not have it, it is what was
    /// sent.
    pub fn stored(
        &self,
        object: &Object,
        serve: &Serve,
        id: &str,
        details: bool,
    ) -> Result<Option<Standard>, AppError> {
        let (reader, key) = (self.reader(), key_of(id));
        // Before what is stored: what is taken from the inbox in between is seen twice, and never missed.
        let waiting = match serve.receive.as_ref().and_then(|id| self.workspace.plan_of(id)) {
            Some(plan) => self.waiting(&plan, object, id, &key)?,
            None => Vec::new(),
        };
        let mut of = serve.rows.as_ref();
        let mut row = match of {
            Some(scheme) => reader.fed_row(scheme, &key)?,
            None => None,
        };
        if row.is_none()
            && let Some(receive) = &serve.receive
        {
            of = Some(receive);
            row = reader.fed_row(receive, &key)?;
        }
        // Ranks of one scheme say nothing about the rows of another.
        let mut rank = match (&row, of == serve.receive.as_ref()) {
            (Some(row), true) => self.rank_of(of, row),
            _ => None,
        };
        for one in waiting {
            // As it is staged: what has no rank is never older, and leaves the newest what it is.
            if one.rank.is_some() && one.rank < rank {
                continue;
            }
            rank = one.rank.or(rank);
            match &mut row {
                Some(known) if one.bare => known.void = true,
                None if !one.is_kept => {}
                _ => {
                    of = serve.receive.as_ref();
                    row = Some(one.row);
                }
            }
        }
        let row = row.filter(|row| !is_hollow(object, row));
        let (Some(row), Some(of)) = (row, of) else {
            return Ok(None);
        };
        let hidden = hidden(reader, of)?;
        Ok(Some(document(object, &row, &hidden, details)))
    }

    /// What waits in the inbox of a scheme about one of its rows, in the order of arrival, as it will be staged.
    fn waiting(&self, plan: &Plan, object: &Object, id: &str, key: &str) -> Result<Vec<Waits>, AppError> {
        let source = &plan.source;
        let mut found = Vec::new();
        for push in self.reader().waiting_of(&plan.scheme, id, MOST_WAITING)? {
            let content = content(&push);
            let cx = IngestCx {
                now_ms: self.now_ms(),
                zone: &source.zone,
                push: Some(&content.facts),
                xml: content.xml,
            };
            for row in content.rows {
                for one in source.ingest_of(row, Some(&object.id_place()), &cx) {
                    // What will not be seen once it is staged is not seen now.
                    let is_seen = one.fault.is_none() && (one.bare || one.kept.is_ok());
                    if is_seen && one.key.is_ok_and(|own| own == key) {
                        let row = FedRow {
                            key: key.to_owned(),
                            void: one.void,
                            source: json::to_string(&one.row).into_bytes(),
                        };
                        found.push(Waits {
                            row,
                            rank: one.rank,
                            bare: one.bare,
                            is_kept: one.kept.is_ok(),
                        });
                    }
                }
            }
        }
        Ok(found)
    }

    fn rank_of(&self, scheme: Option<&String>, row: &FedRow) -> Option<i64> {
        let plan = self.workspace.plan_of(scheme?)?;
        plan.source.newest_by.as_ref()?;
        let cx = IngestCx {
            now_ms: self.now_ms(),
            zone: &plan.source.zone,
            push: None,
            // Stored: its lists are lists.
            xml: false,
        };
        let row = json::parse(&row.source).ok()?;
        plan.source.ingest(row, &cx).into_iter().find_map(|one| one.rank)
    }

    /// Whether what has an id was cancelled, as it was written to us or read from us last, by whatever told of it; `None` =
    /// nothing has it.
    pub fn is_void(&self, object: &Object, serve: &Serve, id: &str) -> Result<Option<bool>, AppError> {
        let (reader, key, receive) = (self.reader(), key_of(id), serve.receive.as_ref());
        let last = match receive {
            Some(scheme) => reader.last_push(scheme, id)?,
            None => None,
        };
        // Before what is stored: what is taken from the inbox in between is seen twice, and never missed.
        let waiting = match receive.and_then(|id| self.workspace.plan_of(id)) {
            Some(plan) => self.waiting(&plan, object, id, &key)?,
            None => Vec::new(),
        };
        let of = |scheme: Option<&String>| match scheme {
            Some(scheme) => reader.fed_row(scheme, &key),
            None => Ok(None),
        };
        let (received, read) = (of(receive)?, of(serve.rows.as_ref())?);
        let is_told = |row: &Option<FedRow>| row.as_ref().is_some_and(|row| !is_hollow(object, row));
        let is_there = is_told(&received) || is_told(&read) || waiting.iter().any(|one| !one.bare);
        if !is_there && (received.is_some() || !waiting.is_empty()) {
            // It was cancelled and never made: nothing has this id.
            return Ok(None);
        }
        let mut rank = received.as_ref().and_then(|row| self.rank_of(receive, row));
        let mut waits = None;
        for one in waiting {
            // What was overtaken on its way replaces nothing.
            if one.rank.is_some() && one.rank < rank {
                continue;
            }
            rank = one.rank.or(rank);
            waits = Some(one.bare || one.row.void);
        }
        if waits.is_some() {
            return Ok(waits);
        }
        let mut stored = received.map(|row| row.void);
        if stored != Some(true)
            && let Some(scheme) = &serve.rows
            && let Some(row) = read
        {
            // What was written to us since is not in the rows that are read yet.
            let changed = reader.row_changed(scheme, &key)?;
            let is_behind = last.is_some_and(|last| !last.void && Some(last.arrived) > changed);
            stored = Some(row.void && !is_behind);
        }
        // What was sent and is not kept is no row: what was said last counts.
        Ok(stored.or(last.map(|last| last.void)))
    }
}

/// A row that is not staged yet.
struct Waits {
    row: FedRow,
    rank: Option<i64>,
    /// It says that the one it names was cancelled, and nothing else that is taken over.
    bare: bool,
    /// The scheme takes it where nothing is known of the one it names.
    is_kept: bool,
}

/// A key of one field, as the ledger keeps it.
fn key_of(id: &str) -> String {
    json::to_string(&Value::List(vec![Value::from(id)]))
}

/// Whether a row is a cancellation that names what was never made: it says nothing but the id, where the object needs
/// more.
fn is_hollow(object: &Object, row: &FedRow) -> bool {
    let is_own = |field: &Field| field.name == object.id;
    if !row.void || !object.fields.iter().any(|field| field.required && !is_own(field)) {
        return false;
    }
    let shown = document(object, row, &[], true);
    let mark = object.void.as_ref().map(|mark| mark.field.as_str());
    let mut said = shown.master.keys();
    said.all(|name| *name == object.id || Some(name.as_str()) == mark)
        && shown.details.iter().all(|(_, lines)| lines.is_empty())
}

/// A stored row as a document. A row that cannot be read has no fields.
fn document(object: &Object, row: &FedRow, hidden: &[Path], details: bool) -> Standard {
    let source = json::parse(&row.source).unwrap_or(Value::Null);
    let standard = source
        .get("masterFieldVal")
        .is_some_and(|master| master.as_map().is_some());
    let (master, above): (&Value, &[&str]) = match standard {
        true => (
            source.get("masterFieldVal").unwrap_or(&Value::Null),
            &["masterFieldVal"],
        ),
        false => (&source, &[]),
    };
    let lines_at = match standard {
        true => source.get("detailFieldVals"),
        false => Some(&source),
    };
    let is_detail = |name: &str| object.details.iter().any(|detail| detail.name == name);
    let mut read = Vec::new();
    for detail in object.details.iter().filter(|_| details) {
        let lines = lines_at.and_then(|at| at.get(&detail.name));
        let lines = match lines {
            Some(Value::List(lines)) => lines.as_slice(),
            _ => &[],
        };
        let mut place: Vec<&str> = if standard {
            vec!["detailFieldVals"]
        } else {
            Vec::new()
        };
        place.push(&detail.name);
        let lines = lines.iter().map(|line| {
            let given = Given {
                row: line,
                above: &place,
                hidden,
            };
            given.fields(&detail.fields, detail.open, &|_| false, standard)
        });
        read.push((detail.name.clone(), lines.collect()));
    }
    let given = Given {
        row: master,
        above,
        hidden,
    };
    let mut master = given.fields(&object.fields, object.open, &is_detail, standard);
    if let Some(mark) = object.void.as_ref().filter(|_| row.void) {
        master.insert(mark.field.clone(), mark.value.clone());
    }
    Standard {
        object: object.name.clone(),
        master,
        details: read,
    }
}

struct Given<'a> {
    row: &'a Value,
    /// Where it stands in what is stored.
    above: &'a [&'a str],
    hidden: &'a [Path],
}

impl Given<'_> {
    fn fields(&self, declared: &[Field], open: bool, skip: &dyn Fn(&str) -> bool, standard: bool) -> Map {
        let mut fields = Map::new();
        for field in declared {
            let plain = Path::names([field.name.as_str()]);
            let place = field.from.as_ref().filter(|_| !standard).unwrap_or(&plain);
            if let Some(value) = place.get(self.row)
                && (field.sensitive || !self.is_hidden(place))
            {
                fields.insert(field.name.clone(), value.clone());
            }
        }
        for (name, value) in self.row.as_map().into_iter().flatten().filter(|_| open) {
            let is_raw = name == connector::RAW && crate::mask::holds_all(self.row, self.hidden);
            let is_new = !fields.contains_key(name) && !skip(name) && !is_raw;
            if is_new && !self.is_hidden(&Path::names([name.as_str()])) {
                fields.insert(name.clone(), value.clone());
            }
        }
        fields
    }

    fn is_hidden(&self, place: &Path) -> bool {
        let above = self.above.iter().map(|name| (*name).to_owned());
        let whole = Path::names(above.chain(names(place)));
        // Lines are in lists, which a path may name with `*`.
        self.hidden
            .iter()
            .any(|one| overlap(&Path::names(names(one)), &whole))
    }
}

/// The names of a path alone.
fn names(path: &Path) -> impl Iterator<Item = String> + '_ {
    path.segments().iter().filter_map(|segment| match segment {
        Segment::Name(name) => Some(name.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use dsl::diagnostic::SourceFile;
    use dsl::object::read_object;

    use super::*;

    const ORDER: &str = "\
object: order
id: number
fields:
  number: {type: text, required: true, from: head.no}
  name: {type: text}
  phone: {type: text, sensitive: true}
  secret: {type: text}
details:
  lines: {fields: {no: {type: text}, price: {type: decimal}}}
";

    fn told(text: &str, row: &str, hidden: &[&str], details: bool) -> String {
        let (object, problems) = read_object(&SourceFile::new("a", text));
        assert!(problems.is_empty(), "{problems:?}");
        let row = FedRow {
            key: String::new(),
            void: false,
            source: row.as_bytes().to_vec(),
        };
        let hidden: Vec<Path> = hidden.iter().map(|place| Path::parse(place).unwrap()).collect();
        json::to_string(&document(&object.unwrap(), &row, &hidden, details).value())
    }

    #[test]
    fn rows_become_documents() {
        let flat = r#"{"head":{"no":"1"},"name":"n","phone":"p","secret":"s","else":1,"lines":[{"no":"a","price":"1.50","x":2}]}"#;
        let standard = r#"{"objAPIName":"order","masterFieldVal":{"number":"1","else":1},"detailFieldVals":{"lines":[{"no":"a","x":1}],"other":[{}]}}"#;
        let open = ORDER.replacen("id: number", "id: number\nopen: true", 1);
        for (text, row, hidden, details, want) in [
            (
                ORDER,
                flat,
                &[][..],
                true,
                r#"{"objAPIName":"order","masterFieldVal":{"number":"1","name":"n","phone":"p","secret":"s"},"detailFieldVals":{"lines":[{"no":"a","price":"1.50"}]}}"#,
            ),
            // What the scheme hides leaves only where the object says so.
            (
                ORDER,
                flat,
                &["secret", "phone", "lines.*.price"],
                true,
                r#"{"objAPIName":"order","masterFieldVal":{"number":"1","name":"n","phone":"p"},"detailFieldVals":{"lines":[{"no":"a"}]}}"#,
            ),
            (
                &open,
                flat,
                &["else"],
                false,
                r#"{"objAPIName":"order","masterFieldVal":{"number":"1","name":"n","phone":"p","secret":"s","head":{"no":"1"}},"detailFieldVals":{}}"#,
            ),
            (
                ORDER,
                standard,
                &["masterFieldVal.name"],
                true,
                r#"{"objAPIName":"order","masterFieldVal":{"number":"1"},"detailFieldVals":{"lines":[{"no":"a"}]}}"#,
            ),
            (
                ORDER,
                "no JSON",
                &[],
                true,
                r#"{"objAPIName":"order","masterFieldVal":{},"detailFieldVals":{"lines":[]}}"#,
            ),
        ] {
            assert_eq!(told(text, row, hidden, details), want, "{row} {hidden:?}");
        }
    }
}
