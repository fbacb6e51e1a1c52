//! `/mappings/data`: which source record became which document. `/mappings/fields`: what values are called on the other
//! side.
//!
//! A mapping is made by a write that the target accepted, or set by a person, here or elsewhere; the ledger judges
//! whether that may be. Who changes one says which id was seen.

use app::mapping::{self, Imported, Importing, Line};
use axum::http::Method;
use ledger::read::{MappedRow, MappingFilter};
use ledger::service::fields::{FieldFilter, FieldRow, SetField};
use ledger::service::mapping::{
    EntryFilter, MadeBy, Manner, MappingChange, MappingEntry, MappingNames, MappingRuling, SetMapping,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::access::Scope;
use crate::call::Call;
use crate::cursor;
use crate::document::{COUNTED, Raw, list, raw};
use crate::operation::{CsvText, Empty, Json, Operation, Query};
use crate::problem::Problem;
use crate::time;

/// Flawed mappings of one answer, of each kind.
const MOST_FLAWS: u32 = 500;
/// Changes of one answer, the newest.
const MOST_CHANGES: u32 = 1_000;
/// Mappings of one exported file; what a schemes' folder has beyond that is exported scheme by scheme, or at the command
/// line.
const MOST_EXPORTED: u32 = 100_000;

pub(super) fn operations() -> Vec<Operation> {
    let mut all = of_data();
    all.extend(of_fields());
    all
}

fn of_data() -> Vec<Operation> {
    let write = |op: Operation| op.needs(Scope::Operate).by_scheme();
    vec![
        Operation::new(
            Method::GET,
            "/mappings/data",
            "listMappings",
            "Which source record became which document, by source key",
            list_all,
        )
        .by_scheme(),
        write(Operation::new(
            Method::POST,
            "/mappings/data",
            "createMapping",
            "Says which document a source record is, where nobody has said it",
            create,
        )),
        write(Operation::new(
            Method::PATCH,
            "/mappings/data",
            "updateMapping",
            "Says that a source record is another document",
            update,
        )),
        write(Operation::new(
            Method::DELETE,
            "/mappings/data",
            "deleteMapping",
            "Takes a mapping away on which no written record hangs",
            remove,
        )),
        Operation::new(
            Method::GET,
            "/mappings/data/history",
            "listMappingChanges",
            "The changes of a mapping's document, in order",
            history,
        )
        .by_scheme(),
        Operation::new(
            Method::GET,
            "/mappings/data/flaws",
            "listMappingFlaws",
            "Mappings without a record or a document, written records without a mapping, and documents of several records",
            flaws,
        )
        .by_scheme(),
        Operation::new(
            Method::GET,
            "/mappings/data/export",
            "exportMappings",
            "Mappings as CSV, in the order in which they were made",
            export,
        )
        .by_scheme(),
        // Not for who is limited to schemes: what is wrong with a file tells of others.
        Operation::new(
            Method::POST,
            "/mappings/data/import",
            "importMappings",
            "Sets the mappings of a CSV file: all of them, or none",
            import,
        )
        .needs(Scope::Operate),
    ]
}

fn of_fields() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/mappings/fields",
            "listFieldMappings",
            "What values are called on the other side, in the order in which they were said",
            list_fields,
        ),
        Operation::new(
            Method::POST,
            "/mappings/fields",
            "createFieldMapping",
            "Says what a value is called on the other side",
            create_field,
        )
        .needs(Scope::Operate),
        Operation::new(
            Method::DELETE,
            "/mappings/fields",
            "deleteFieldMapping",
            "Takes a value away",
            remove_field,
        )
        .needs(Scope::Operate),
        Operation::new(
            Method::GET,
            "/mappings/fields/export",
            "exportFieldMappings",
            "Values as CSV",
            export_fields,
        ),
        Operation::new(
            Method::POST,
            "/mappings/fields/import",
            "importFieldMappings",
            "Sets the values of a CSV file: all of them, or none",
            import_fields,
        )
        .needs(Scope::Operate),
    ]
}

/// A source record and the documents that it became.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataMapping)]
pub(crate) struct MappingDoc {
    /// The number of the record; null = no row of it has come yet.
    record: Option<i64>,
    scheme: String,
    /// Its key: one text per field.
    #[schema(value_type = Vec<String>)]
    key: Option<Raw>,
    /// What people call it.
    label: String,
    documents: Vec<MappedDoc>,
}

/// One document at a target.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappedDocument)]
pub(crate) struct MappedDoc {
    /// The number of the mapping; 0 = there is none.
    mapping: i64,
    connection: String,
    /// Kind of document.
    form: String,
    /// Its key there: one text per field.
    #[schema(value_type = Option<Vec<String>>)]
    key: Option<Raw>,
    /// Internal id there.
    id: Option<String>,
    /// Number there.
    number: Option<String>,
    /// What people call it.
    name: Option<String>,
    /// The id of the source's master, where this is the mapping of one of its lines.
    master_id: Option<String>,
    remark: Option<String>,
    /// `engine`, `api`, `cli` or `import`.
    made_by: String,
    #[schema(format = DateTime)]
    created: String,
    /// Last write.
    #[schema(format = DateTime)]
    changed: String,
}

impl From<&MappingEntry> for MappedDoc {
    fn from(one: &MappingEntry) -> Self {
        MappedDoc {
            mapping: one.id,
            connection: one.at.target.clone(),
            form: one.at.form.clone(),
            key: one.tkey.as_deref().and_then(|key| raw(key.as_bytes())),
            id: one.target_id.clone(),
            number: one.number.clone(),
            name: one.dest_name.clone(),
            master_id: one.master.clone(),
            remark: one.remark.clone(),
            made_by: one.by.word().to_owned(),
            created: time::text(one.created),
            changed: time::text(one.changed),
        }
    }
}

/// A source record with its documents; there is at least one.
fn mapping_doc(documents: &[MappingEntry]) -> Option<MappingDoc> {
    let first = documents.first()?;
    Some(MappingDoc {
        record: first.record.map(|record| record.0),
        scheme: first.at.scheme.clone(),
        key: raw(first.at.key.as_bytes()),
        label: first.label.clone(),
        documents: documents.iter().map(MappedDoc::from).collect(),
    })
}

list! {
    /// Mappings, by source key.
    DataMappingList, MappingDoc
}

/// Which mappings.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct MappingsQuery {
    /// Of this scheme.
    scheme: String,
    /// Of the record with this key; of several fields, joined by `,`.
    key: Option<String>,
    /// With this id or number at the target.
    target_id: Option<String>,
    /// At this connection.
    connection: Option<String>,
    /// How many records on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn list_all(
    call: Call,
    Query(query): Query<MappingsQuery>,
    (): (),
) -> Result<Json<DataMappingList>, Problem> {
    call.confine(Some(&query.scheme))?;
    let filters = format!(
        "{:?} {:?} {:?} {:?}",
        query.scheme, query.key, query.target_id, query.connection
    );
    let paging = cursor::Paging::new("mappings", query.limit, query.cursor.as_deref(), filters)?;
    let filter = MappingFilter {
        scheme: query.scheme,
        key: query.key.as_deref().map(key_of),
        target_id: query.target_id,
        target: query.connection,
        after: paging.before,
        limit: paging.rows(),
    };
    let (mut rows, total) = call
        .ask(move |reader| {
            Ok((
                reader.list_mappings(&filter)?,
                reader.count_mappings(&filter, COUNTED + 1)?,
            ))
        })
        .await?;
    let number = |row: &MappedRow| row.documents.first().map_or(0, |one| one.id);
    let next = paging.next(&mut rows, number);
    let items = rows
        .iter()
        .filter_map(|row| mapping_doc(&row.documents))
        .collect();
    Ok(Json(DataMappingList::new(items, next, total)))
}

/// A key as it is stored: `["A","1"]` as it is written, `A,1` or the one text alone.
fn key_of(text: &str) -> String {
    let is_list = |value: &dsl::Value| matches!(value, dsl::Value::List(_));
    match dsl::json::parse(text.as_bytes()) {
        Ok(value) if is_list(&value) => dsl::json::to_string(&value),
        _ => {
            let parts = text.split(',').map(dsl::Value::from);
            dsl::json::to_string(&dsl::Value::List(parts.collect()))
        }
    }
}

/// A mapping that is new.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMapping {
    /// The policy: id or uuid of the scheme.
    scheme: String,
    /// The key of the source record; of several fields a JSON list, or joined by `,`.
    #[schema(min_length = 1, max_length = 500)]
    source_id: String,
    /// The internal id of the document.
    #[schema(min_length = 1, max_length = 500)]
    dest_id: String,
    #[schema(max_length = 1000)]
    source_name: Option<String>,
    #[schema(max_length = 1000)]
    dest_name: Option<String>,
    /// The id of the source's master, where this is the mapping of one of its lines.
    master_id: Option<String>,
    #[schema(max_length = 1000)]
    remark: Option<String>,
    /// Whether another source record may have this document.
    #[serde(default)]
    allow_double: bool,
}

/// A mapping that changes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangedMapping {
    /// The policy: id or uuid of the scheme.
    scheme: String,
    /// The key of the source record; of several fields a JSON list, or joined by `,`.
    #[schema(min_length = 1, max_length = 500)]
    source_id: String,
    /// The internal id of the document.
    #[schema(min_length = 1, max_length = 500)]
    dest_id: String,
    #[schema(max_length = 1000)]
    source_name: Option<String>,
    #[schema(max_length = 1000)]
    dest_name: Option<String>,
    /// The id of the source's master, where this is the mapping of one of its lines.
    master_id: Option<String>,
    #[schema(max_length = 1000)]
    remark: Option<String>,
    /// Whether another source record may have this document.
    #[serde(default)]
    allow_double: bool,
    /// The id of the document that was seen; where it is another one by now, nothing is done.
    expected: String,
}

impl ChangedMapping {
    /// What it is to be, and what was seen. The members are written twice: two sets of members that each refuse every
    /// other one have no schema together.
    fn parts(self) -> (NewMapping, String) {
        let to = NewMapping {
            scheme: self.scheme,
            source_id: self.source_id,
            dest_id: self.dest_id,
            source_name: self.source_name,
            dest_name: self.dest_name,
            master_id: self.master_id,
            remark: self.remark,
            allow_double: self.allow_double,
        };
        (to, self.expected)
    }
}

impl NewMapping {
    fn wanted(
        &self,
        call: &Call,
        manner: Manner,
        seen: Option<Option<String>>,
    ) -> Result<SetMapping, Problem> {
        let loaded = call.state.service().loaded();
        let policy = policy(call, loaded.engine.workspace.policies(), &self.scheme)?;
        Ok(SetMapping {
            at: policy.key(&self.source_id)?,
            id: mapping::id("dest_id", &self.dest_id)?,
            names: MappingNames {
                source: mapping::name("source_name", self.source_name.as_deref())?,
                dest: mapping::name("dest_name", self.dest_name.as_deref())?,
                master: mapping::name("master_id", self.master_id.as_deref())?,
                remark: mapping::name("remark", self.remark.as_deref())?,
            },
            manner,
            seen,
            allow_double: self.allow_double,
            may_move: false,
            by: MadeBy::Api,
            who: call.who.name(),
        })
    }
}

/// The policy of a scheme that the caller may know of.
fn policy<'p>(
    call: &Call,
    policies: &'p mapping::Policies,
    name: &str,
) -> Result<&'p mapping::Policy, Problem> {
    let policy = policies.named(name);
    match policy {
        Ok(policy) => {
            call.confine(Some(&policy.scheme))?;
            Ok(policy)
        }
        Err(error) => {
            // Who is limited to schemes learns nothing of the others.
            call.confine(Some(name))?;
            Err(error.into())
        }
    }
}

async fn create(call: Call, (): (), Json(body): Json<NewMapping>) -> Result<Json<MappingDoc>, Problem> {
    let wanted = body.wanted(&call, Manner::Create, None)?;
    set(&call, wanted).await
}

async fn update(call: Call, (): (), Json(body): Json<ChangedMapping>) -> Result<Json<MappingDoc>, Problem> {
    let (to, expected) = body.parts();
    let wanted = to.wanted(&call, Manner::Update, Some(Some(expected)))?;
    set(&call, wanted).await
}

async fn set(call: &Call, wanted: SetMapping) -> Result<Json<MappingDoc>, Problem> {
    let now = call.now;
    let (at, id) = (wanted.at.clone(), wanted.id.clone());
    let ruling = call
        .write(None, move |ledger| ledger.set_mappings(&[wanted], now))
        .await?;
    for ruling in &ruling {
        mapping::judged(&at, &id, ruling)?;
    }
    let found = call
        .ask(move |reader| {
            let keys = [at.key.clone()];
            Ok(reader.mappings_of_keys(&at.scheme, (&at.target, &at.form), &keys)?)
        })
        .await?;
    let shown = mapping_doc(&found);
    shown.map(Json).ok_or_else(|| Problem::not_found("mapping"))
}

/// Which mapping.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OneMapping {
    /// The policy: id or uuid of the scheme.
    scheme: String,
    /// The key of the source record; of several fields a JSON list, or joined by `,`.
    source_id: String,
}

/// Which mapping is taken away.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct GoneMapping {
    /// The policy: id or uuid of the scheme.
    scheme: String,
    /// The key of the source record; of several fields a JSON list, or joined by `,`.
    source_id: String,
    /// The id of the document that was seen; where it is another one by now, nothing is done.
    expected: String,
}

async fn remove(call: Call, Query(query): Query<GoneMapping>, (): ()) -> Result<Empty, Problem> {
    let loaded = call.state.service().loaded();
    let policy = policy(&call, loaded.engine.workspace.policies(), &query.scheme)?;
    let at = policy.key(&query.source_id)?;
    let (now, who, key) = (call.now, call.who.name(), at.clone());
    let seen = Some(query.expected);
    let ruling: MappingRuling = call
        .write(None, move |ledger| {
            ledger.remove_mapping(&key, Some(&seen), (MadeBy::Api, &who), now)
        })
        .await?;
    mapping::judged(&at, "", &ruling)?;
    Ok(Empty)
}

/// A change of a mapping's document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingChange)]
pub(crate) struct ChangeDoc {
    /// Its number: changes happened in this order.
    id: i64,
    #[schema(format = DateTime)]
    at: String,
    /// `engine`, `api`, `cli` or `import`.
    by: String,
    /// By name.
    who: String,
    before: Option<String>,
    /// null = the mapping was taken away.
    after: Option<String>,
}

impl From<&MappingChange> for ChangeDoc {
    fn from(row: &MappingChange) -> Self {
        ChangeDoc {
            id: row.id,
            at: time::text(row.at),
            by: row.by.word().to_owned(),
            who: row.who.clone(),
            before: row.before.clone(),
            after: row.after.clone(),
        }
    }
}

list! {
    /// Changes of a mapping, the newest thousand of them, in order.
    MappingChangeList, ChangeDoc
}

async fn history(
    call: Call,
    Query(query): Query<OneMapping>,
    (): (),
) -> Result<Json<MappingChangeList>, Problem> {
    let loaded = call.state.service().loaded();
    let at = policy(&call, loaded.engine.workspace.policies(), &query.scheme)?.key(&query.source_id)?;
    let changes = call
        .ask(move |reader| Ok(reader.mapping_history(&at.scheme, &at.key, MOST_CHANGES)?))
        .await?;
    Ok(Json(MappingChangeList::whole(
        changes.iter().map(ChangeDoc::from).collect(),
    )))
}

/// A mapping with which something is wrong.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MappingFlaw)]
pub(crate) struct FlawDoc {
    /// `no_record`, `no_destination`, `no_mapping` or `double`.
    flaw: String,
    mapping: MappingDoc,
}

list! {
    /// Mappings with which something is wrong, the first of each kind.
    MappingFlawList, FlawDoc
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct FlawsQuery {
    /// Of this scheme.
    scheme: Option<String>,
}

async fn flaws(
    call: Call,
    Query(query): Query<FlawsQuery>,
    (): (),
) -> Result<Json<MappingFlawList>, Problem> {
    call.confine(query.scheme.as_deref())?;
    let found = call
        .ask(move |reader| {
            let scheme = query.scheme.as_deref();
            let mut found = reader.orphans(scheme, MOST_FLAWS)?;
            found.extend(reader.doubles(scheme, MOST_FLAWS)?);
            Ok(found)
        })
        .await?;
    let items = found.iter().filter_map(|(flaw, entry)| {
        Some(FlawDoc {
            flaw: flaw.word().to_owned(),
            mapping: mapping_doc(std::slice::from_ref(entry))?,
        })
    });
    Ok(Json(MappingFlawList::whole(items.collect())))
}

/// What is exported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ExportQuery {
    /// Of this scheme.
    scheme: Option<String>,
}

async fn export(call: Call, Query(query): Query<ExportQuery>, (): ()) -> Result<CsvText, Problem> {
    call.confine(query.scheme.as_deref())?;
    let loaded = call.state.service().loaded();
    let text = call
        .ask(move |reader| {
            let entries = reader.mapping_entries(&EntryFilter {
                schemes: query.scheme.into_iter().collect(),
                limit: MOST_EXPORTED + 1,
                ..EntryFilter::default()
            })?;
            mapping::fits(entries.len(), MOST_EXPORTED)?;
            Ok(mapping::data_csv(loaded.engine.workspace.policies(), &entries))
        })
        .await?;
    Ok(CsvText(text.into()))
}

/// How a file is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ImportQuery {
    /// Only says what would be done.
    #[serde(default)]
    dry_run: bool,
    /// Whether a document may be that of several source records.
    #[serde(default)]
    allow_double: bool,
}

/// How a file of values is taken.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct FieldImportQuery {
    /// Only says what would be done.
    #[serde(default)]
    dry_run: bool,
}

/// What an import came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Imported)]
pub(crate) struct ImportedDoc {
    lines: u64,
    made: u64,
    changed: u64,
    /// Lines that changed nothing.
    same: u64,
    dry_run: bool,
}

impl ImportedDoc {
    fn of(done: Imported, dry_run: bool) -> Json<ImportedDoc> {
        Json(ImportedDoc {
            lines: done.lines,
            made: done.made,
            changed: done.changed,
            same: done.same,
            dry_run,
        })
    }
}

async fn import(
    call: Call,
    Query(query): Query<ImportQuery>,
    CsvText(text): CsvText,
) -> Result<Json<ImportedDoc>, Problem> {
    let (loaded, who) = (call.state.service().loaded(), call.who.name());
    let lines = call
        .think(move || {
            let policies = loaded.engine.workspace.policies();
            mapping::read_data(policies, &text, &who, query.allow_double)
        })
        .await?;
    let done = imported(&call, Importing::new(lines, query.dry_run)?).await?;
    Ok(ImportedDoc::of(done, query.dry_run))
}

/// Carries an import out, an errand a part: others write in between.
async fn imported<T: Line + Send + 'static>(
    call: &Call,
    mut importing: Importing<T>,
) -> Result<Imported, Problem>
where
    T::Ruling: Send,
{
    let now = call.now;
    loop {
        let (back, more) = call
            .write(None, move |ledger| {
                let more = importing.step(ledger, now)?;
                Ok((importing, more))
            })
            .await?;
        importing = back;
        if !more? {
            return Ok(importing.done());
        }
    }
}

/// A value on both sides.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FieldValue)]
struct FieldValue {
    /// The data centre; empty where there is only one.
    #[serde(default)]
    data_center: String,
    /// One of the platform's channels.
    channel: String,
    /// What the values are: `employee`, `department`, `unit`.
    data_type: String,
    /// The id on the platform's side.
    fs_id: String,
    /// The id on the ERP's side.
    erp_id: String,
    #[serde(default)]
    fs_name: String,
    #[serde(default)]
    erp_name: String,
}

/// A value as it is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldMapping)]
pub(crate) struct FieldDoc {
    id: i64,
    #[serde(flatten)]
    value: FieldValue,
    /// `engine`, `api`, `cli` or `import`.
    made_by: String,
    #[schema(format = DateTime)]
    created: String,
    #[schema(format = DateTime)]
    changed: String,
}

impl From<&FieldRow> for FieldDoc {
    fn from(row: &FieldRow) -> Self {
        let (place, pair) = (row.place.clone(), row.pair.clone());
        FieldDoc {
            id: row.id,
            value: FieldValue {
                data_center: place.data_center,
                channel: place.channel,
                data_type: place.data_type,
                fs_id: pair.fs_id,
                erp_id: pair.erp_id,
                fs_name: pair.fs_name,
                erp_name: pair.erp_name,
            },
            made_by: row.by.word().to_owned(),
            created: time::text(row.created),
            changed: time::text(row.changed),
        }
    }
}

/// Values, in the order in which they were said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldMappingList {
    /// A page of them.
    items: Vec<FieldDoc>,
    /// The cursor of the next page; null = this is the last.
    next: Option<String>,
}

/// Which values.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct FieldsQuery {
    data_center: Option<String>,
    channel: Option<String>,
    data_type: Option<String>,
    /// With this id on either side.
    id: Option<String>,
    /// How many on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn list_fields(
    call: Call,
    Query(query): Query<FieldsQuery>,
    (): (),
) -> Result<Json<FieldMappingList>, Problem> {
    let filters = format!(
        "{:?} {:?} {:?} {:?}",
        query.data_center, query.channel, query.data_type, query.id
    );
    let paging = cursor::Paging::new("fields", query.limit, query.cursor.as_deref(), filters)?;
    let filter = FieldFilter {
        data_center: query.data_center,
        channel: query.channel,
        data_type: query.data_type,
        id: query.id,
        after: paging.before.unwrap_or(0),
        limit: paging.rows(),
    };
    let mut rows = call
        .ask(move |reader| Ok(reader.field_mappings(&filter)?))
        .await?;
    let next = paging.next(&mut rows, |row| row.id);
    Ok(Json(FieldMappingList {
        items: rows.iter().map(FieldDoc::from).collect(),
        next,
    }))
}

async fn create_field(call: Call, (): (), Json(body): Json<FieldValue>) -> Result<Json<FieldDoc>, Problem> {
    let place = mapping::new_field_place(&body.data_center, &body.channel, &body.data_type)?;
    mapping::known_data_center(
        &place.data_center,
        &call.state.service().loaded().engine.workspace.data_centers(),
    )?;
    let pair = mapping::field_pair((&body.fs_id, &body.fs_name), (&body.erp_id, &body.erp_name))?;
    let set = SetField {
        place: place.clone(),
        pair,
        manner: Manner::Create,
        by: MadeBy::Api,
    };
    let (now, wanted, fs_id) = (call.now, set.clone(), set.pair.fs_id.clone());
    let rulings = call
        .write(None, move |ledger| ledger.set_fields(&[wanted], now))
        .await?;
    for ruling in &rulings {
        mapping::judged_field(&set, ruling)?;
    }
    let found = call
        .ask(move |reader| {
            Ok(reader.field_mappings(&FieldFilter {
                data_center: Some(place.data_center),
                channel: Some(place.channel),
                data_type: Some(place.data_type),
                id: Some(fs_id),
                after: 0,
                limit: 1,
            })?)
        })
        .await?;
    let shown = found.first().map(FieldDoc::from);
    shown.map(Json).ok_or_else(|| Problem::not_found("field mapping"))
}

/// Which value.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct OneField {
    #[serde(default)]
    data_center: String,
    channel: String,
    data_type: String,
    /// The id on the platform's side.
    fs_id: String,
}

async fn remove_field(call: Call, Query(query): Query<OneField>, (): ()) -> Result<Empty, Problem> {
    let place = mapping::field_place(&query.data_center, &query.channel, &query.data_type)?;
    let fs_id = query.fs_id.clone();
    let note = (
        "map_fields",
        format!("{} {} -", place.data_type, query.fs_id),
        "api".to_owned(),
    );
    let is_gone = call
        .write(Some(note), move |ledger| ledger.remove_field(&place, &fs_id))
        .await?;
    match is_gone {
        true => Ok(Empty),
        false => Err(Problem::not_found(format!(
            "field mapping {}",
            query.fs_id.escape_debug()
        ))),
    }
}

async fn export_fields(call: Call, (): (), (): ()) -> Result<CsvText, Problem> {
    let text = call
        .ask(|reader| {
            let rows = reader.field_mappings(&FieldFilter {
                limit: MOST_EXPORTED + 1,
                ..FieldFilter::default()
            })?;
            mapping::fits(rows.len(), MOST_EXPORTED)?;
            Ok(mapping::field_csv(&rows))
        })
        .await?;
    Ok(CsvText(text.into()))
}

async fn import_fields(
    call: Call,
    Query(query): Query<FieldImportQuery>,
    CsvText(text): CsvText,
) -> Result<Json<ImportedDoc>, Problem> {
    let loaded = call.state.service().loaded();
    let lines = call
        .think(move || mapping::read_fields(&text, &loaded.engine.workspace.data_centers()))
        .await?;
    let done = imported(&call, Importing::new(lines, query.dry_run)?).await?;
    Ok(ImportedDoc::of(done, query.dry_run))
}
