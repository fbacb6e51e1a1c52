//! The rows of a scheme as others read them: chosen fields, filters over indexes, what changed since.
//!
//! Only what the scheme lists under `publish.fields` is given, and of that, what people must not see is masked as it is
//! everywhere else. A page goes on behind a place in the order of changes, so a reader that asks again meets every row
//! that changed since, and none twice unless it changed again.

use std::sync::Arc;

use dsl::json;
use dsl::path::{Path, Segment};
use dsl::plan::{Plan, PublishPlan};
use dsl::value::{Map, Value};
use flow::ids::Ms;
use ledger::read::HiddenOf;
use ledger::service::publish::PublishedAsk;
use ledger::{Columns, Ledger, Reader};

use crate::error::AppError;
use crate::mask;

/// Texts that one filter may name: a page of a reader's own keys.
pub const MOST_TEXTS: usize = 100;

/// What a reader asks for.
#[derive(Debug, Clone, Default)]
pub struct Ask {
    /// Behind this place; 0 = from the beginning.
    pub after: i64,
    /// Rows a page; `None` = what the scheme says.
    pub limit: Option<u32>,
    /// Published names and the texts of which one must be there.
    pub filters: Vec<(String, Vec<String>)>,
    /// Keys, each as people read it or as a list of texts.
    pub keys: Vec<Vec<String>>,
}

/// A row as others read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its key.
    pub key: Vec<String>,
    /// When it came.
    pub seen: Ms,
    /// It means "cancelled".
    pub void: bool,
    /// State of its record.
    pub state: String,
    /// The published fields that it has.
    pub fields: Map,
}

/// A page of rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// In the order of their changes.
    pub rows: Vec<Row>,
    /// Where the next page goes on, also when there is nothing more now.
    pub next: i64,
    /// Whether there may be more now.
    pub more: bool,
}

/// Why a question is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The scheme publishes nothing.
    NotPublished,
    /// There is no filter of this name; these there are.
    NoFilter {
        /// As asked.
        name: String,
        /// The filters of the scheme.
        known: Vec<String>,
    },
    /// More texts than a filter may name.
    TooMany,
}

/// A page of what a scheme publishes.
pub fn page(reader: &Reader, plan: &Plan, ask: &Ask) -> Result<Result<Page, Refused>, AppError> {
    let Some(publish) = &plan.publish else {
        return Ok(Err(Refused::NotPublished));
    };
    let hidden = hidden(reader, &plan.scheme)?;
    let mut fields = Vec::with_capacity(ask.filters.len());
    for (name, texts) in &ask.filters {
        // What was marked as sensitive once is masked for good, and what is masked is not found by guessing either.
        let found = column(publish, name).filter(|(_, path)| !hidden.iter().any(|one| overlap(one, path)));
        let Some((columns, _)) = found else {
            return Ok(Err(Refused::NoFilter {
                name: name.clone(),
                known: publish.filter.clone(),
            }));
        };
        if texts.len() > MOST_TEXTS {
            return Ok(Err(Refused::TooMany));
        }
        fields.push((columns, texts.clone()));
    }
    if ask.keys.len() > MOST_TEXTS {
        return Ok(Err(Refused::TooMany));
    }
    let keys = ask.keys.iter().map(|key| {
        let texts = key.iter().map(|text| Value::from(text.as_str()));
        json::to_string(&Value::List(texts.collect()))
    });
    let found = reader.published_rows(&PublishedAsk {
        scheme: plan.scheme.clone(),
        after: ask.after,
        limit: ask.limit.unwrap_or(publish.page),
        fields,
        keys: keys.collect(),
    })?;
    let rows = found.rows.into_iter().map(|row| {
        // A row that cannot be read has no fields.
        let source = json::parse(&row.source).unwrap_or(Value::Null);
        let shown = mask::shown(&source, &hidden);
        Row {
            key: texts_of(&row.key),
            seen: row.seen,
            void: row.void,
            state: row.state,
            fields: publish
                .fields
                .iter()
                .filter_map(|(name, path)| Some((name.clone(), path.get(&shown)?.clone())))
                .collect(),
        }
    });
    Ok(Ok(Page {
        rows: rows.collect(),
        next: found.next,
        more: found.more,
    }))
}

pub(crate) fn hidden(reader: &Reader, scheme: &str) -> Result<Vec<Path>, AppError> {
    let places = reader.hidden(scheme, HiddenOf::Rows)?;
    Ok(places
        .iter()
        .filter_map(|place| Path::parse(place).ok())
        .collect())
}

fn texts_of(key: &str) -> Vec<String> {
    match json::parse(key.as_bytes()) {
        Ok(Value::List(parts)) => parts.iter().filter_map(Value::to_plain_text).collect(),
        _ => vec![key.to_owned()],
    }
}

/// Whether one place is the other, or in it.
pub(crate) fn overlap(one: &Path, other: &Path) -> bool {
    one.segments()
        .iter()
        .zip(other.segments())
        .all(|pair| match pair {
            (Segment::All, _) | (_, Segment::All) => true,
            (one, other) => one == other,
        })
}

/// By what a filter finds rows, and the place in the row that it means.
fn column<'a>(publish: &'a PublishPlan, name: &str) -> Option<(Columns, &'a Path)> {
    let known = publish.filter.iter().any(|filter| filter == name);
    let (_, path) = publish.fields.iter().find(|(field, _)| field == name && known)?;
    Some((Columns::new([path.to_string()]), path))
}

/// Tells the ledger whether a scheme is published, and by what its rows are found.
pub(crate) fn introduce(ledger: &mut Ledger, plan: &Plan, now: Ms) -> Result<(), AppError> {
    let Some(publish) = &plan.publish else {
        if ledger.is_published(&plan.scheme)? {
            ledger.unpublish(&plan.scheme)?;
        }
        return Ok(());
    };
    for (columns, _) in publish.filter.iter().filter_map(|name| column(publish, name)) {
        crate::lookups::ensure_index(ledger, &plan.scheme, &columns)?;
    }
    Ok(ledger.publish(&plan.scheme, now)?)
}

/// The schemes among these that are published.
pub fn published(plans: &[Arc<Plan>]) -> impl Iterator<Item = (&Arc<Plan>, &PublishPlan)> {
    plans
        .iter()
        .filter_map(|plan| Some((plan, plan.publish.as_ref()?)))
}
