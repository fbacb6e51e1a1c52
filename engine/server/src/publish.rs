//! `/data/{scheme}`: the rows of published schemes, for other systems to read.
//!
//! A reader has a token that may look; one that is limited to schemes sees those alone. Rows come in the order of their
//! last change, and `next` is where the following question goes on, also when there is nothing more now: so a reader
//! that keeps it gets what changed since. How often a token may ask is the scheme's word; how much it read is counted by
//! the day.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use app::publish::{Ask, Refused, Row, page};
use axum::extract::Query as UrlQuery;
use axum::http::header::RETRY_AFTER;
use axum::http::{Method, StatusCode, Uri};
use dsl::catalogue::receive as words;
use dsl::plan::PublishPlan;
use flow::ids::Ms;
use ledger::service::usage::UsageRow;
use serde::Serialize;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{AdditionalProperties, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa::{IntoParams, ToSchema};

use crate::call::{Call, no_scheme};
use crate::cursor;
use crate::document::{Raw, raw_value};
use crate::operation::{Json, Operation, TakesQuery};
use crate::problem::Problem;
use crate::state::State;
use crate::time;

/// Tokens and schemes whose calls are counted at a time; those whose time has passed are forgotten first.
const MOST_COUNTED: usize = 10_000;
/// How often the counts of use are written: what a process that is killed loses.
const WRITE_EVERY: Ms = 10_000;
/// Parameters of one question.
const MOST_PAIRS: usize = 200;
/// A day, for counts by the day.
const DAY: Ms = 86_400_000;

pub(crate) fn operations() -> Vec<Operation> {
    let read = Operation::new(
        Method::GET,
        "/data/{scheme}",
        "readData",
        "The rows of a published scheme, in the order of their last change",
        read,
    );
    vec![read.by_scheme()]
}

/// How a question goes on.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// How many on a page, 1-500; else as many as the scheme says.
    #[param(minimum = 1, maximum = 500)]
    #[expect(dead_code, reason = "described here, read with the filters")]
    limit: Option<u32>,
    /// `next` of the answer before: what changed since.
    #[expect(dead_code, reason = "described here, read with the filters")]
    cursor: Option<String>,
    /// Only the rows with these keys; the parts of a key are joined by `/`.
    #[expect(dead_code, reason = "described here, read with the filters")]
    key: Option<Vec<String>>,
}

/// What is asked for, pair by pair: the names of the filters are the scheme's.
struct DataQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    keys: Vec<String>,
    filters: Vec<(String, Vec<String>)>,
}

impl TakesQuery for DataQuery {
    fn parameters() -> Vec<Parameter> {
        let mut parameters = Paging::into_params(|| Some(ParameterIn::Query));
        let texts = ArrayBuilder::new().items(ObjectBuilder::new().schema_type(Type::String).build());
        let by_name = ObjectBuilder::new()
            .schema_type(Type::Object)
            .additional_properties(Some(AdditionalProperties::RefOr(RefOr::T(Schema::Array(
                texts.build(),
            )))))
            .build();
        parameters.push(
            ParameterBuilder::new()
                .name("filters")
                .parameter_in(ParameterIn::Query)
                .required(Required::False)
                .description(Some(
                    "Names of `publish.filter` of the scheme, each with a text; a name that is given several times allows each of its texts.",
                ))
                .style(Some(utoipa::openapi::path::ParameterStyle::Form))
                .explode(Some(true))
                .schema(Some(by_name))
                .build(),
        );
        parameters
    }

    fn read(uri: &Uri) -> Result<Self, Problem> {
        let pairs = UrlQuery::<Vec<(String, String)>>::try_from_uri(uri);
        let UrlQuery(pairs) = pairs.map_err(Problem::malformed)?;
        if pairs.len() > MOST_PAIRS {
            return Err(Problem::malformed(format!("query: 0-{MOST_PAIRS}")));
        }
        let mut query = DataQuery {
            limit: None,
            cursor: None,
            keys: Vec::new(),
            filters: Vec::new(),
        };
        for (name, value) in pairs {
            match name.as_str() {
                "limit" => query.limit = Some(value.parse().map_err(|_| Problem::malformed("limit"))?),
                "cursor" => query.cursor = Some(value),
                "key" => query.keys.push(value),
                _ => match query.filters.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, texts)) => texts.push(value),
                    None => query.filters.push((name, vec![value])),
                },
            }
        }
        Ok(query)
    }
}

/// One row.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataRow)]
struct RowDoc {
    /// Its key.
    key: Vec<String>,
    /// When it was received or read.
    #[schema(format = DateTime)]
    seen: String,
    /// It means "cancelled".
    void: bool,
    /// State of its record.
    state: String,
    /// The published fields that it has.
    #[schema(value_type = Object)]
    data: Option<Raw>,
}

impl RowDoc {
    fn of(row: Row) -> Self {
        RowDoc {
            data: raw_value(&dsl::Value::Map(row.fields)),
            key: row.key,
            seen: time::text(row.seen),
            void: row.void,
            state: row.state,
        }
    }
}

/// A page of rows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DataPage)]
struct PageDoc {
    /// In the order of their last change.
    items: Vec<RowDoc>,
    /// The cursor of the next question, now or later.
    next: String,
    /// Whether there may be more now.
    more: bool,
}

async fn read(call: Call, query: DataQuery, (): ()) -> Result<Json<PageDoc>, Problem> {
    let id = call.param("scheme").to_owned();
    let member = call.state.service().there(&id).ok();
    let member = member
        .filter(|_| call.who.sees(&id))
        .ok_or_else(|| no_scheme(&id))?;
    let published = member
        .plan()
        .and_then(|plan| Some((plan, plan.publish.as_ref()?)));
    let (plan, publish) = published.ok_or_else(|| no_scheme(&id))?;
    let who = call.who.name();
    call.state.published().admit(&who, &id, publish, call.now)?;
    let limit = query.limit.map(|limit| cursor::limit(Some(limit))).transpose()?;
    let list = format!("data {id}");
    let filters = format!("{:?} {:?}", query.filters, query.keys);
    let after = query
        .cursor
        .as_deref()
        .map(|text| cursor::read(&list, &filters, text))
        .transpose()?;
    let ask = Ask {
        after: after.unwrap_or_default(),
        limit,
        filters: query.filters,
        keys: query
            .keys
            .iter()
            .map(|key| key.split('/').map(str::to_owned).collect())
            .collect(),
    };
    let plan = std::sync::Arc::clone(plan);
    let found = call.ask(move |reader| page(reader, &plan, &ask)).await?;
    let found = found.map_err(|why| match why {
        Refused::NotPublished => no_scheme(&id),
        Refused::TooMany => Problem::malformed(format!("1-{}", app::publish::MOST_TEXTS)),
        Refused::NoFilter { name, known } => no_filter(&id, &name, &known),
    })?;
    let rows = found.rows.len();
    call.state.published().count(&who, &id, rows, call.now);
    // What was read is answered, whether or not it could be counted.
    if let Err(problem) = write_counts(&call.state, call.now, WRITE_EVERY).await {
        tracing::warn!("{problem:?}");
    }
    Ok(Json(PageDoc {
        next: cursor::write(&list, &filters, found.next),
        more: found.more,
        items: found.rows.into_iter().map(RowDoc::of).collect(),
    }))
}

fn no_filter(scheme: &str, name: &str, known: &[String]) -> Problem {
    let known = if known.is_empty() {
        "-".to_owned()
    } else {
        known.join(" ")
    };
    Problem::new(StatusCode::BAD_REQUEST, &words::NO_FILTER)
        .with("scheme", scheme)
        .with("name", name.escape_debug())
        .with("known", known)
}

/// Writes the counts of use that are older than this; with 0, at the end, all of them. What cannot be written is kept
/// for the next time.
pub async fn write_counts(state: &State, now: Ms, every: Ms) -> Result<(), Problem> {
    let used = state.published().take(now, every);
    if used.is_empty() {
        return Ok(());
    }
    let rows = used.clone();
    let written = state.with_ledger(move |ledger| ledger.add_usage(&rows)).await;
    let written = written.and_then(|done| Ok(done?));
    if written.is_err() {
        state.published().put_back(used);
    }
    Ok(written?)
}

/// Who reads what, and how often.
#[derive(Debug, Default)]
pub struct Published(Mutex<Book>);

#[derive(Debug, Default)]
struct Book {
    /// Token and scheme: since when, and how many calls since.
    calls: HashMap<(String, String), (Ms, u32)>,
    /// Token, scheme and day.
    used: HashMap<(String, String, Ms), UsageRow>,
    written: Ms,
}

impl Published {
    /// One more call, or why not now.
    fn admit(&self, who: &str, scheme: &str, publish: &PublishPlan, now: Ms) -> Result<(), Problem> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if book.calls.len() >= MOST_COUNTED {
            book.calls.retain(|_, (since, _)| now - *since < publish.per_ms);
        }
        let key = (who.to_owned(), scheme.to_owned());
        let (since, calls) = book.calls.entry(key).or_insert((now, 0));
        if now - *since >= publish.per_ms || now < *since {
            (*since, *calls) = (now, 0);
        }
        if *calls < publish.calls {
            *calls += 1;
            return Ok(());
        }
        let seconds = (*since + publish.per_ms - now + 999) / 1_000;
        book.row(who, scheme, now).refused += 1;
        let unit = match publish.per_ms {
            1_000 => "s",
            60_000 => "min",
            3_600_000 => "h",
            _ => "d",
        };
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, &words::TOO_OFTEN)
            .with("rate", format!("{}/{unit}", publish.calls))
            .with("seconds", seconds)
            .header(RETRY_AFTER, &seconds.to_string()))
    }

    fn count(&self, who: &str, scheme: &str, rows: usize, now: Ms) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = book.row(who, scheme, now);
        row.calls += 1;
        row.rows += u64::try_from(rows).unwrap_or(u64::MAX);
    }

    fn take(&self, now: Ms, every: Ms) -> Vec<UsageRow> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now - book.written < every {
            return Vec::new();
        }
        book.written = now;
        let mut used: Vec<UsageRow> = std::mem::take(&mut book.used).into_values().collect();
        used.sort_by(|a, b| (a.day, &a.token, &a.scheme).cmp(&(b.day, &b.token, &b.scheme)));
        used
    }

    fn put_back(&self, used: Vec<UsageRow>) {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for row in used {
            let now = book.row(&row.token, &row.scheme, row.day);
            now.calls += row.calls;
            now.rows += row.rows;
            now.refused += row.refused;
        }
    }
}

impl Book {
    fn row(&mut self, who: &str, scheme: &str, now: Ms) -> &mut UsageRow {
        let day = now - now.rem_euclid(DAY);
        let key = (who.to_owned(), scheme.to_owned(), day);
        self.used.entry(key).or_insert_with(|| UsageRow {
            token: who.to_owned(),
            scheme: scheme.to_owned(),
            day,
            calls: 0,
            rows: 0,
            refused: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_filters_or_refused() {
        let uri = Uri::from_static("/api/v1/data/orders?status=paid&status=sent&limit=7&key=a%2F1&cursor=c");
        let query = DataQuery::read(&uri).expect("a query");
        assert_eq!(
            query.filters,
            [("status".to_owned(), vec!["paid".to_owned(), "sent".to_owned()])]
        );
        assert_eq!(
            (query.limit, query.keys.len(), query.cursor.as_deref()),
            (Some(7), 1, Some("c"))
        );
        assert!(DataQuery::read(&Uri::from_static("/?limit=all")).is_err());
        assert_eq!(
            no_filter("orders", "stat", &["status".to_owned()]).code(),
            "E6032"
        );
    }

    #[test]
    fn a_token_has_its_rate() {
        let published = Published::default();
        let publish = PublishPlan {
            fields: Vec::new(),
            filter: Vec::new(),
            page: 100,
            calls: 2,
            per_ms: 1_000,
        };
        let calls = |who: &str, now| {
            let admitted = published.admit(who, "orders", &publish, now);
            admitted.err().map(|problem| problem.code().to_owned())
        };
        let often = Some("E6033".to_owned());
        assert_eq!(
            [calls("a", 0), calls("a", 999), calls("a", 999)],
            [None, None, often.clone()]
        );
        assert_eq!(calls("b", 999), None, "each has its own");
        assert_eq!(
            [calls("a", 1_000), calls("a", 1_001), calls("a", 1_002)],
            [None, None, often]
        );
        published.count("a", "orders", 7, 5);
        let used = published.take(10_000, 10_000);
        let told: Vec<_> = used
            .iter()
            .map(|row| (row.calls, row.rows, row.refused))
            .collect();
        assert_eq!(told, [(1, 7, 2)]);
        assert_eq!(published.take(10_001, 10_000), [], "once");
        // They could not be written.
        published.count("a", "orders", 1, 6);
        published.put_back(used.clone());
        let both = published.take(20_000, 10_000);
        let told: Vec<_> = both.iter().map(|row| (row.calls, row.rows)).collect();
        assert_eq!(told, [(2, 8)]);
    }
}
