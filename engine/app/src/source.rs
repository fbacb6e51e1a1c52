//! The source side of a run: one page of rows, ingested into staged rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector::{Call, Class, FilterValue, PageState};
use dsl::catalogue::reading;
use dsl::diagnostic::{Failure, Lang};
use dsl::facts::{PageFacts, PageKind};
use dsl::lookup::Hits;
use dsl::object::Object;
use dsl::plan::{DetailPlan, IngestCx, Plan, PushFacts, SourceFilter};
use dsl::tree::eval_value;
use dsl::value::{Map, Value};
use flow::ids::{Ms, WindowId, keyless};
use flow::op::{Cursor, Reason, StagedRow};
use flow::version::VersionRule;
use flow::window::Interval;
use flow::{Look, Page, Paging, ReadFailure, ReadFailureKind, Shifts};
use sha2::{Digest, Sha256};

use crate::caller::{Caller, Effect, Ended};
use crate::error::AppError;
use crate::inbox::{Content, content, from_row, take_stored};
use crate::lookups::Indexed;
use crate::objects::{self, Objects};
use crate::payloads::BlobStore;
use crate::reason;
use crate::scope::CallScope;
use crate::store::Store;
use crate::two_way::Pair;

/// Most pages of the answer to a further call: a document has some thousand lines at most.
const DETAIL_PAGES: u32 = 100;
/// Rows a page of a source that declares no paging.
const UNPAGED: u32 = u32::MAX;

/// Pushes of one page, and bounds on what they hold: a transaction of some megabytes. One push alone may have more.
const PUSHES: u32 = 200;
const PUSHED_ROWS: u64 = 1_000;
const PUSHED_BYTES: u64 = 8 << 20;

/// What the page before gave to go on with.
struct Next {
    window: WindowId,
    total: Option<u64>,
    /// What each page gave to go on with. A second look begins anew with the first page and follows its own marks: those
    /// of the first look may lead through the list as it was then.
    marks: BTreeMap<u32, String>,
}

/// Reads pages of one scheme.
pub(crate) struct SourceReader {
    plan: Arc<Plan>,
    caller: Arc<Caller>,
    page: Option<PageFacts>,
    options: Map,
    instant: Ms,
    lang: Lang,
    /// The columns by which some scheme looks up this scheme's rows.
    indexed: Vec<Indexed>,
    /// The declared object that rows are of.
    object: Option<Arc<Object>>,
    next: Option<Next>,
    /// Another scheme carries the same documents the other way.
    pub(crate) pair: Option<Arc<Pair>>,
    /// The source's clock in its last answer.
    clock: Option<Ms>,
}

impl SourceReader {
    /// A reader; evaluates the scheme's options once for the run.
    pub(crate) fn new(
        plan: Arc<Plan>,
        caller: Arc<Caller>,
        instant: Ms,
        lang: Lang,
        indexed: Vec<Indexed>,
        objects: &Objects,
    ) -> Result<Self, Failure> {
        let facts = caller.connection.facts().operation(&plan.source.operation).ok();
        let page = facts.and_then(|facts| facts.page);
        let scope = CallScope::new(&plan.source.zone, instant);
        let options = match eval_value(&plan.source.options, &scope, &Hits::new())? {
            Some(Value::Map(options)) => options,
            Some(_) | None => Map::new(),
        };
        let object = objects
            .meant(&caller.connection, &plan.source.operation, &options)
            .cloned();
        Ok(SourceReader {
            object,
            plan,
            caller,
            page,
            options,
            instant,
            lang,
            indexed,
            next: None,
            pair: None,
            clock: None,
        })
    }

    /// How its pages hang together.
    pub(crate) fn paging(&self) -> Paging {
        let Some(facts) = self.page else {
            return Paging::default();
        };
        Paging {
            shifts: shifts(facts),
            max_rows: facts.ceiling.filter(|_| !facts.then_by_key),
            ..Paging::default()
        }
    }

    /// How it is read by version; `from` is where this run begins, given by hand.
    pub(crate) fn versions(&self, from: Option<u128>) -> Option<VersionRule> {
        let source = &self.plan.source;
        let facts = self.caller.connection.by_version(&source.operation)?;
        Some(VersionRule {
            source: format!("{}/{}", source.connection, source.operation),
            first: facts.first,
            from,
            settle: facts.settle_ms,
            again: facts.again,
        })
    }

    /// What the source's clock said with the page just read.
    pub(crate) fn take_clock(&mut self) -> Option<Ms> {
        self.clock.take()
    }

    /// Reads one page.
    pub(crate) async fn fetch(
        &mut self,
        window: WindowId,
        (asked, since): (Option<Interval>, Option<flow::version::Version>),
        page: u32,
        cursor: Cursor,
        look: Look,
        blobs: &mut BlobStore,
    ) -> Result<Page, ReadFailure> {
        let mut state = self.page_state(window, page);
        if let Some(since) = since {
            state.last = Some(since.to_string());
        }
        let (first_total, page_number) = (state.total, page);
        let behind_key = state.last.is_some() && self.page.is_some_and(|facts| facts.then_by_key);
        let (operation, request, filter) = self.parts(asked, cursor, &state)?;
        let call = Call {
            operation: &operation,
            options: &self.options,
            request,
            records: None,
            fields: self.plan.source.fields.as_deref(),
            filter,
            window: asked.map(|asked| (asked.from, asked.to)),
            window_field: self.plan.source.window.field.as_deref(),
            page: Some(state),
            keys: None,
            attempt: None,
            identity: None,
            now_ms: self.instant,
        };
        let ended = self.caller.call(&call, 0, Effect::None).await;
        if let Some(failure) = reason::read_failure(&ended, &self.caller, self.lang, reason::Side::Source) {
            return Err(failure);
        }
        let Ended::Answered { answer, mut judged } = ended else {
            return Err(self.unusable(&Failure::new(&dsl::catalogue::internal::INTERNAL)));
        };
        self.clock = answer.header("date").and_then(transport::http_date_ms);
        let mut rows = self
            .caller
            .connection
            .rows_judged(&operation, &call, &answer, &mut judged)
            .map_err(|failure| self.unreadable(&failure))?;
        let (raw_rows, xml) = (rows.rows.len() as u64, rows.xml);
        // Behind a key the source counts what is left; the window's own number is the first page's.
        if behind_key {
            rows.total = first_total;
        }
        // Of the rows, not of the answer: what stands around them (a time, a request id) differs from page to page.
        // A row of which nothing is made is stored as these very bytes.
        let is_kept =
            look == Look::Rows && self.plan.source.detail.is_none() && self.plan.source.stores_as_read(xml);
        let (mut prints, mut texts) = (Vec::with_capacity(rows.rows.len()), Vec::new());
        let mut text = Vec::new();
        for row in &rows.rows {
            text.clear();
            dsl::json::write(row, &mut text);
            prints.push(fingerprint(&text));
            if is_kept {
                texts.push(text.as_slice().into());
            }
        }
        let mut page = Page {
            rows: Vec::new(),
            raw_rows,
            more: rows.more,
            total: rows.total,
            fingerprint: fingerprint_of(&prints),
            prints: Vec::new(),
            mark: rows
                .next_cursor
                .as_deref()
                .map(|mark| fingerprint(mark.as_bytes())),
            versions: rows.versions,
            pushes: Vec::new(),
        };
        // All further calls come first: a page of which one failed is asked for again as if nothing of it had been read.
        let mut complete = Vec::new();
        if look == Look::Rows {
            complete.reserve(rows.rows.len());
            for row in rows.rows {
                complete.push(self.completed(row).await?);
            }
        }
        let before = self
            .next
            .take()
            .filter(|next| next.window == window && page_number > 1);
        let mut marks = before.map(|next| next.marks).unwrap_or_default();
        marks.extend(rows.next_cursor.map(|mark| (page_number, mark)));
        self.next = Some(Next {
            window,
            total: rows.total.or(first_total),
            marks,
        });
        if look == Look::Again {
            return Ok(page);
        }
        page.prints = prints;
        page.rows.reserve(complete.len());
        let mut texts = texts.into_iter();
        for (row, refused) in complete {
            self.ingest((row, texts.next()), refused, (None, xml), blobs, &mut page.rows);
        }
        Ok(page)
    }

    /// Puts what the next page is to have into the inbox, where the source is the stored rows of another scheme: one more
    /// than a page, so that it is seen whether there are more.
    pub(crate) async fn take_stored(&self, store: &Store, now: Ms) -> Result<(), AppError> {
        take_stored(store, &self.plan, u64::from(PUSHES) + 1, now).await
    }

    /// The oldest pushes that wait, as a page. What cannot be read again is a row without a key, so that it is seen.
    pub(crate) async fn taken(
        &mut self,
        reader: &ledger::Reader,
        blobs: &mut BlobStore,
    ) -> Result<Result<Page, ReadFailure>, AppError> {
        let (pushes, more) = reader.waiting_pushes(&self.plan.scheme, PUSHES, PUSHED_ROWS, PUSHED_BYTES)?;
        let mut page = Page {
            rows: Vec::new(),
            raw_rows: 0,
            more,
            total: None,
            fingerprint: 0,
            prints: Vec::new(),
            mark: None,
            versions: None,
            pushes: Vec::with_capacity(pushes.len()),
        };
        let mut complete = Vec::new();
        for push in pushes {
            let Content { rows, xml, facts } = content(&push);
            let doubt = push.doubt;
            let from = self
                .plan
                .source
                .from_scheme
                .as_ref()
                .and_then(|_| from_row(&push));
            page.pushes.push(push.id);
            page.raw_rows += rows.len() as u64;
            let mut done = Vec::with_capacity(rows.len());
            for row in rows {
                match self.completed(row).await {
                    Ok(row) => done.push(row),
                    Err(failure) => return Ok(Err(failure)),
                }
            }
            complete.push((done, xml, facts, (doubt, from)));
        }
        for (rows, xml, facts, (doubt, from)) in complete {
            let first = page.rows.len();
            for (row, refused) in rows {
                self.ingest((row, None), refused, (Some(&facts), xml), blobs, &mut page.rows);
            }
            for row in &mut page.rows[first..] {
                row.doubt = doubt;
                row.from.clone_from(&from);
            }
        }
        Ok(Ok(page))
    }

    /// A row with the answer of its further call, or with the reason why that one was refused for this row alone.
    async fn completed(&self, mut row: Value) -> Result<(Value, Option<Reason>), ReadFailure> {
        let Some(detail) = &self.plan.source.detail else {
            return Ok((row, None));
        };
        match self.detail_rows(detail, &row).await? {
            Ok(mut rows) => {
                let value = match detail.one {
                    true => rows.pop().unwrap_or(Value::Null),
                    false => Value::List(rows),
                };
                let placed = detail.into.set(&mut row, value);
                let nowhere =
                    || Failure::new(&dsl::catalogue::source::ROWS_MISSING).with("path", &detail.into);
                let refused = (!placed).then(|| reason::of_failure(&nowhere(), self.lang));
                Ok((row, refused))
            }
            Err(refused) => Ok((row, Some(refused))),
        }
    }

    /// The rows of the further call about a row, all pages of them. The inner error is about this row alone: what it
    /// holds cannot be asked with, or the other system refused it.
    async fn detail_rows(
        &self,
        detail: &DetailPlan,
        row: &Value,
    ) -> Result<Result<Vec<Value>, Reason>, ReadFailure> {
        let connection = &self.caller.connection;
        let facts = connection.facts().operation(&detail.operation).ok();
        let paging = facts.and_then(|facts| facts.page);
        let mut rows = Vec::new();
        let mut state = PageState {
            number: paging.map_or(1, |facts| facts.first),
            size: paging.map_or(UNPAGED, |facts| facts.size.clamp(1, facts.max.max(1))),
            ..PageState::default()
        };
        for _ in 0..DETAIL_PAGES {
            let scope = CallScope::new(&self.plan.source.zone, self.instant)
                .row(row)
                .page(&state);
            let of_row = |failure: Failure| reason::of_failure(&failure, self.lang);
            let options = match eval_value(&detail.options, &scope, &Hits::new()) {
                Ok(Some(Value::Map(options))) => options,
                Ok(_) => Map::new(),
                Err(failure) => return Ok(Err(of_row(failure))),
            };
            let request = detail.request.as_ref();
            let request = match request
                .map(|tree| eval_value(tree, &scope, &Hits::new()))
                .transpose()
            {
                Ok(request) => request.flatten(),
                Err(failure) => return Ok(Err(of_row(failure))),
            };
            let call = Call {
                request,
                page: Some(state.clone()),
                ..Call::new(&detail.operation, &options, self.instant)
            };
            let ended = self.caller.call(&call, 0, Effect::None).await;
            let failed = reason::read_failure(&ended, &self.caller, self.lang, reason::Side::Source);
            let answer = match (ended, failed) {
                (Ended::Answered { judged, .. }, Some(failure)) if judged.class == Class::Rejected => {
                    return Ok(Err(failure.reason));
                }
                (_, Some(failure)) => return Err(failure),
                (Ended::Answered { answer, .. }, None) => answer,
                (_, None) => return Err(self.unusable(&Failure::new(&dsl::catalogue::internal::INTERNAL))),
            };
            let read = connection.rows(&detail.operation, &call, &answer);
            let page = read.map_err(|failure| self.unreadable(&failure))?;
            rows.extend(page.rows);
            if !page.more {
                return Ok(Ok(rows));
            }
            let by_key = paging.is_some_and(|facts| facts.by == PageKind::Key);
            let (last, cursor) = if by_key {
                (page.next_cursor, None)
            } else {
                (None, page.next_cursor)
            };
            state = PageState {
                number: state.number + 1,
                offset: state.offset + i64::from(state.size),
                size: state.size,
                last,
                cursor,
                total: page.total.or(state.total),
            };
        }
        let many = Failure::new(&reading::DETAIL_PAGES)
            .with("operation", &detail.operation)
            .with("max", DETAIL_PAGES);
        Ok(Err(reason::of_failure(&many, self.lang)))
    }

    /// An answer whose rows cannot be taken out.
    fn unreadable(&self, failure: &Failure) -> ReadFailure {
        let text = self.caller.redact(&reason::of_failure(failure, self.lang).text);
        ReadFailure {
            kind: ReadFailureKind::Fault,
            wait: None,
            reason: Reason::new(failure.code(), text),
        }
    }

    fn page_state(&self, window: WindowId, page: u32) -> PageState {
        let size = self.page.map_or(UNPAGED, |facts| {
            self.plan
                .source
                .page_size
                .unwrap_or(facts.size)
                .clamp(1, facts.max.max(1))
        });
        let first = self
            .plan
            .source
            .first_page
            .unwrap_or(self.page.map_or(1, |facts| facts.first));
        let nth = i64::from(page) - 1;
        let next = self
            .next
            .as_ref()
            .filter(|next| next.window == window && page > 1);
        let mark = next.and_then(|next| next.marks.get(&(page - 1)).cloned());
        let offset = nth * i64::from(size);
        let beyond = self.page.is_some_and(|facts| {
            let ceiling = facts.ceiling.and_then(|rows| i64::try_from(rows).ok());
            facts.then_by_key && ceiling.is_some_and(|ceiling| offset >= ceiling)
        });
        if beyond {
            return PageState {
                number: first + nth,
                offset: 0,
                size,
                cursor: None,
                last: mark,
                total: next.and_then(|next| next.total),
            };
        }
        let by_key = self.page.is_some_and(|facts| facts.by == PageKind::Key);
        let (last, cursor) = if by_key { (mark, None) } else { (None, mark) };
        PageState {
            number: first + nth,
            offset,
            size,
            cursor,
            last,
            total: next.and_then(|next| next.total),
        }
    }

    fn parts(
        &self,
        asked: Option<Interval>,
        cursor: Cursor,
        state: &PageState,
    ) -> Result<(String, Option<Value>, Option<FilterValue>), ReadFailure> {
        let source = &self.plan.source;
        let zone = source.window.zone.as_ref().unwrap_or(&source.zone);
        let scope = CallScope::new(zone, self.instant)
            .window(
                asked.map(|asked| (asked.from, asked.to)),
                source.window.field.as_deref(),
            )
            .page(state);
        let unusable = |failure: Failure| self.unusable(&failure);
        let request = match (cursor, &source.sweep) {
            (Cursor::Sweep, Some(sweep)) => &sweep.request,
            _ => &source.request,
        };
        let request = match request {
            Some(tree) => eval_value(tree, &scope, &Hits::new()).map_err(unusable)?,
            None => None,
        };
        let filter = match &source.filter {
            Some(SourceFilter::Text(tree)) => {
                match eval_value(tree, &scope, &Hits::new()).map_err(unusable)? {
                    Some(Value::Text(text)) => Some(FilterValue::Text(text)),
                    Some(_) | None => None,
                }
            }
            Some(SourceFilter::Cond(cond)) => Some(FilterValue::Asked(
                cond.asked(&scope, &Hits::new()).map_err(unusable)?,
            )),
            None => None,
        };
        Ok((source.operation.clone(), request, filter))
    }

    fn unusable(&self, failure: &Failure) -> ReadFailure {
        ReadFailure {
            kind: ReadFailureKind::Unusable,
            wait: None,
            reason: reason::of_failure(failure, self.lang),
        }
    }

    /// What keeps a row from being one of the declared object. What is pushed has the standard form where it has an id.
    fn misfit(&self, row: &Value, push: Option<&PushFacts>) -> Option<Reason> {
        let object = self.object.as_ref()?;
        if push.is_some_and(|push| push.id.is_none()) {
            return None;
        }
        let target = self.plan.target.as_ref();
        let hidden = target.map_or(&[][..], |target| &target.sensitive_source);
        let pushed_as = push.and_then(|push| push.id.as_deref());
        let voided = push.is_some_and(|push| push.void).then(|| object.voided());
        let failure = objects::misfit(voided.as_ref().unwrap_or(object), row, true, pushed_as, hidden)?;
        Some(reason::of_failure(&failure, self.lang))
    }

    /// One row of the page: exploded, derived, filtered, keyed. With it the push that brought it, and whether that, or
    /// the answer, was XML. `text` is the row as JSON where nothing is made of it.
    fn ingest(
        &self,
        (row, mut text): (Value, Option<Arc<[u8]>>),
        refused: Option<Reason>,
        (push, xml): (Option<&PushFacts>, bool),
        blobs: &mut BlobStore,
        staged: &mut Vec<StagedRow>,
    ) {
        let cx = IngestCx {
            now_ms: self.instant,
            zone: &self.plan.source.zone,
            push,
            xml,
        };
        let refused = refused.or_else(|| self.misfit(&row, push));
        let id = self.object.as_ref().map(|object| object.id_place());
        for ingested in self.plan.source.ingest_of(row, id.as_ref(), &cx) {
            let bytes: Arc<[u8]> = text.take().unwrap_or_else(|| json_of(&ingested.row));
            debug_assert_eq!(bytes, json_of(&ingested.row), "a row is stored as it was read");
            // A row that cannot be evaluated is dead under a hash of itself, so that it is seen and told even where
            // its key is known and long done.
            let (key, invalid) = match (ingested.key, ingested.fault) {
                _ if refused.is_some() => (keyless(fingerprint(&bytes)), refused.clone()),
                (Ok(key), None) => (key, None),
                (Ok(_), Some(failure)) | (Err(failure), _) => (
                    keyless(fingerprint(&bytes)),
                    Some(reason::of_failure(&failure, self.lang)),
                ),
            };
            let filtered = ingested
                .kept
                .err()
                .map(|why| Reason::new(reading::FILTERED.code, why));
            let indexed = self
                .indexed
                .iter()
                .filter_map(|columns| columns.entry(&ingested.row))
                .collect();
            let pair = self.pair.as_ref();
            let paired = pair.map(|pair| pair.row(&ingested.row, ingested.void));
            staged.push(StagedRow {
                key,
                label: ingested.label,
                version: ingested.version,
                rank: ingested.rank,
                source: blobs.add(bytes),
                filtered,
                invalid,
                void: ingested.void,
                bare: ingested.bare,
                indexed,
                paired,
                doubt: None,
                from: None,
            });
        }
    }
}

/// What can shift the pages of a query. A cursor is trusted to stand behind a row unless its connector says that rows
/// move: then it may as well be a place in a list that is made anew for each call.
fn shifts(facts: PageFacts) -> Shifts {
    match facts.by {
        _ if facts.moves => Shifts::Moving,
        by if !by.shifts() => Shifts::Never,
        _ => Shifts::Leaving,
    }
}

fn json_of(row: &Value) -> Arc<[u8]> {
    let mut text = Vec::new();
    dsl::json::write(row, &mut text);
    text.into()
}

/// A hash of a row, to name one that has no key, and of a page.
fn fingerprint(bytes: &[u8]) -> u64 {
    first_bytes(&Sha256::digest(bytes))
}

/// Hash of all rows of a page, from those of its rows.
fn fingerprint_of(prints: &[u64]) -> u64 {
    let mut hasher = Sha256::new();
    for print in prints {
        hasher.update(print.to_be_bytes());
    }
    first_bytes(&hasher.finalize())
}

fn first_bytes(digest: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}
