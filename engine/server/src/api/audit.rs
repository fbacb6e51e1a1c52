//! `/audit`: who decided what and why.

use axum::http::Method;
use ledger::read::AuditFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Scope;
use crate::call::Call;
use crate::cursor::Paging;
use crate::document::{AuditDoc, AuditList};
use crate::operation::{Json, Operation, Query};
use crate::problem::Problem;
use crate::time;

pub(super) fn operations() -> Vec<Operation> {
    let op = Operation::new(
        Method::GET,
        "/audit",
        "listAudit",
        "Who decided what and why",
        list,
    );
    vec![op.needs(Scope::Admin)]
}

/// Which notes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// About this scheme.
    scheme: Option<String>,
    /// Of this kind: `skip`, `restore` ...
    action: Option<String>,
    /// Noted at or after this instant.
    #[param(format = DateTime)]
    since: Option<String>,
    /// How many on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

async fn list(call: Call, Query(query): Query<AuditQuery>, (): ()) -> Result<Json<AuditList>, Problem> {
    let since = time::read_maybe("since", query.since.as_deref())?;
    let filters = format!("{:?} {:?} {since:?}", query.scheme, query.action);
    let paging = Paging::new("audit", query.limit, query.cursor.as_deref(), filters)?;
    let filter = AuditFilter {
        scheme: query.scheme,
        record: None,
        since,
        action: query.action,
        before: paging.before,
        limit: paging.rows(),
    };
    let whole = AuditFilter {
        before: None,
        limit: crate::document::COUNTED + 1,
        ..filter.clone()
    };
    let (mut rows, total) = call
        .ask(move |reader| Ok((reader.audit(&filter)?, reader.audit(&whole)?.len())))
        .await?;
    let next = paging.next(&mut rows, |row| row.id);
    let items = rows.iter().map(AuditDoc::of).collect();
    let total = u32::try_from(total).unwrap_or(u32::MAX);
    Ok(Json(AuditList::new(items, next, total)))
}
