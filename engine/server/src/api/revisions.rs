//! `/schemes/{scheme}/revisions`: the texts that were in force, what differs between two, and going back to one.

use app::revisions::{self, Line};
use axum::http::Method;
use ledger::service::revisions::{RevisionRow, Which};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::schemes::{Stored, current, keep_as, matches, reason_text};
use crate::access::Scope;
use crate::call::Call;
use crate::cursor;
use crate::document::list;
use crate::operation::{Json, Operation, Query};
use crate::problem::Problem;
use crate::time;

/// Revisions of one scheme that are looked through for a page: one a day for decades.
const MOST: u32 = 10_000;
/// Lines shown around a change.
const AROUND: usize = 3;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/schemes/{scheme}/revisions",
            "listRevisions",
            "The texts that were in force, newest first",
            list_all,
        )
        .by_scheme(),
        Operation::new(
            Method::GET,
            "/schemes/{scheme}/revisions/{rev}",
            "showRevision",
            "One of them with its text",
            show,
        )
        .by_scheme(),
        Operation::new(
            Method::GET,
            "/schemes/{scheme}/revisions/{rev}/diff",
            "diffRevision",
            "What one changed of the one before, or of another",
            diff,
        )
        .by_scheme(),
        // As every change of a text: not for callers who are limited to schemes.
        Operation::new(
            Method::POST,
            "/schemes/{scheme}/revisions/{rev}/rollback",
            "rollbackScheme",
            "Puts an earlier text in force again",
            rollback,
        )
        .needs(Scope::Edit)
        .with_match(),
    ]
}

/// A text that was in force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Revision)]
pub(crate) struct RevisionDoc {
    /// Its number.
    seq: u32,
    /// What runs of it carry.
    hash: String,
    /// Since when.
    #[schema(format = DateTime)]
    at: String,
    /// Who put it in force; null = it was found in the folder.
    who: Option<String>,
    /// Why.
    message: Option<String>,
}

impl From<&RevisionRow> for RevisionDoc {
    fn from(row: &RevisionRow) -> Self {
        let some = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        RevisionDoc {
            seq: row.seq,
            hash: row.hash.clone(),
            at: time::text(row.at),
            who: some(&row.who),
            message: some(&row.message),
        }
    }
}

list! {
    /// Revisions, newest first.
    RevisionList, RevisionDoc
}

/// Which revisions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct RevisionsQuery {
    /// How many on a page, 1-500.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// The scheme of the path, if the caller may know of it: one that is in the folder, or was.
async fn scheme(call: &Call) -> Result<String, Problem> {
    let id = call.param("scheme").to_owned();
    let is_there = call.state.service().loaded().fleet.get(&id).is_some();
    if !call.who.sees(&id) {
        return Err(crate::call::no_scheme(&id));
    }
    let asked = id.clone();
    let newest = call.ask(move |reader| Ok(reader.revision(&asked, Which::Newest)?));
    if !is_there && newest.await?.is_none() {
        return Err(crate::call::no_scheme(&id));
    }
    Ok(id)
}

async fn list_all(
    call: Call,
    Query(query): Query<RevisionsQuery>,
    (): (),
) -> Result<Json<RevisionList>, Problem> {
    let scheme = scheme(&call).await?;
    let paging = cursor::Paging::new("revisions", query.limit, query.cursor.as_deref(), scheme.clone())?;
    let rows = call
        .ask(move |reader| Ok(reader.revisions(&scheme, MOST)?))
        .await?;
    let total = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    let behind = rows
        .into_iter()
        .filter(|row| paging.before.is_none_or(|before| i64::from(row.seq) < before));
    let mut rows: Vec<RevisionRow> = behind.take(paging.asked()).collect();
    let next = paging.next(&mut rows, |row| i64::from(row.seq));
    let items = rows.iter().map(RevisionDoc::from).collect();
    Ok(Json(RevisionList::new(items, next, total)))
}

fn number(call: &Call) -> Result<u32, Problem> {
    let number = call.number("rev")?;
    u32::try_from(number).map_err(|_| Problem::not_found(format!("revision {number}")))
}

async fn there(call: &Call, scheme: &str, seq: u32) -> Result<RevisionRow, Problem> {
    let id = scheme.to_owned();
    let found = call.ask(move |reader| Ok(reader.revision(&id, Which::Seq(seq))?));
    found
        .await?
        .ok_or_else(|| Problem::not_found(format!("revision {seq}")))
}

/// A text that was in force.
#[derive(Debug, Serialize, ToSchema)]
struct RevisionText {
    revision: RevisionDoc,
    /// Byte for byte.
    text: String,
}

async fn show(call: Call, (): (), (): ()) -> Result<Json<RevisionText>, Problem> {
    let scheme = scheme(&call).await?;
    let row = there(&call, &scheme, number(&call)?).await?;
    Ok(Json(RevisionText {
        revision: RevisionDoc::from(&row),
        text: row.text,
    }))
}

/// Against which one.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct DiffQuery {
    /// The number of the other; the one before unless given.
    #[param(minimum = 1)]
    against: Option<u32>,
}

/// What differs between two texts.
#[derive(Debug, Serialize, ToSchema)]
struct RevisionDiff {
    /// The other; null = there is none before.
    before: Option<RevisionDoc>,
    after: RevisionDoc,
    /// Changed lines with a few around them.
    lines: Vec<DiffLine>,
}

/// A line of one text or of both.
#[derive(Debug, Serialize, ToSchema)]
struct DiffLine {
    /// `same`, `gone`, `new`, or `left_out`: lines that are the same in both.
    kind: String,
    text: String,
}

async fn diff(call: Call, Query(query): Query<DiffQuery>, (): ()) -> Result<Json<RevisionDiff>, Problem> {
    let scheme = scheme(&call).await?;
    let after = there(&call, &scheme, number(&call)?).await?;
    let before = match query.against {
        Some(seq) => Some(there(&call, &scheme, seq).await?),
        None if after.seq > 1 => Some(there(&call, &scheme, after.seq - 1).await?),
        None => None,
    };
    call.think(move || {
        let none = String::new();
        let text = before.as_ref().map_or(&none, |row| &row.text);
        Ok(RevisionDiff {
            lines: drawn(text, &after.text),
            before: before.as_ref().map(RevisionDoc::from),
            after: RevisionDoc::from(&after),
        })
    })
    .await
    .map(Json)
}

fn drawn(before: &str, after: &str) -> Vec<DiffLine> {
    let line = |kind: &str, text: &str| DiffLine {
        kind: kind.to_owned(),
        text: text.to_owned(),
    };
    let mut left_out = false;
    let mut drawn = Vec::new();
    for shown in revisions::near(&revisions::diff(before, after), AROUND) {
        let Some(shown) = shown else {
            left_out = true;
            continue;
        };
        if std::mem::take(&mut left_out) {
            drawn.push(line("left_out", ""));
        }
        drawn.push(match shown {
            Line::Same(text) => line("same", text),
            Line::Gone(text) => line("gone", text),
            Line::New(text) => line("new", text),
        });
    }
    drawn
}

/// Why an earlier text is put in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RollbackDoc {
    #[schema(min_length = 1, max_length = 1000)]
    message: String,
}

async fn rollback(call: Call, (): (), Json(why): Json<RollbackDoc>) -> Result<Json<Stored>, Problem> {
    let message = reason_text("message", &why.message)?;
    let _alone = call.state.editing().lock().await;
    let status = call.scheme().await?;
    let path = &status.member.path;
    let before = current(path)?;
    matches(&call, &before)?;
    let row = there(&call, &status.id, number(&call)?).await?;
    if row.text == before {
        return Err(Problem::conflict(format!("revision {} = {}", row.seq, status.id)));
    }
    keep_as(
        &call,
        path,
        Some(before),
        row.text,
        &status.id,
        ("revert", message),
    )
    .await
    .map(Json)
}
