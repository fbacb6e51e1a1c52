//! `/mappings/data`: which source record became which document.
//!
//! Read only: a mapping is made by a write that the target accepted. Who knows better says so by a decision about the
//! record (`resolve`), which is held against its state.

use axum::http::Method;
use ledger::read::{MappedRow, MappingFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::call::Call;
use crate::cursor;
use crate::document::{COUNTED, Raw, list, raw};
use crate::operation::{Json, Operation, Query};
use crate::problem::Problem;
use crate::time;

pub(super) fn operations() -> Vec<Operation> {
    let op = Operation::new(
        Method::GET,
        "/mappings/data",
        "listMappings",
        "Which source record became which document, by source key",
        list_all,
    );
    vec![op.by_scheme()]
}

/// A record and the documents that it became.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataMapping)]
pub(crate) struct MappingDoc {
    /// The number of the record.
    record: i64,
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
    /// Last write.
    #[schema(format = DateTime)]
    changed: String,
}

impl From<&MappedRow> for MappingDoc {
    fn from(row: &MappedRow) -> Self {
        let documents = row.documents.iter().map(|one| MappedDoc {
            connection: one.target.clone(),
            form: one.form.clone(),
            key: one.tkey.as_deref().and_then(|key| raw(key.as_bytes())),
            id: one.target_id.clone(),
            number: one.number.clone(),
            changed: time::text(one.changed),
        });
        MappingDoc {
            record: row.record.0,
            scheme: row.scheme.clone(),
            key: raw(row.key.as_bytes()),
            label: row.label.clone(),
            documents: documents.collect(),
        }
    }
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
    let next = paging.next(&mut rows, |row| row.record.0);
    let items = rows.iter().map(MappingDoc::from).collect();
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
