//! What a request comes to, tried at made-up instants: whether its bounds go out, whether a zone matters to it.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::{Offset, TimeZone};

use super::Reader;
use super::bounds::Bound;
use super::options::constant_options;
use super::owned::Merged;
use crate::catalogue::scheme as words;
use crate::facts::{Action, Asked, OperationFacts, OwnedKind};
use crate::lookup::Hits;
use crate::path::Path;
use crate::plan::{SourceFilter, WindowPlan};
use crate::tree::{Scope, Tree, eval_value};
use crate::value::{Instant, Map, Value};
use crate::yaml::{Node, NodeKind};

/// Begins and ends that differ in every unit from milliseconds to years: one that goes out changes what is sent, however
/// it is printed.
const STARTS: [i64; 2] = [1_700_000_000_123, 1_608_888_888_456];
const ENDS: [i64; 2] = [1_752_345_678_901, 1_793_000_000_357];
/// A new year in UTC. Half a day west and east of it no part of a date or a clock is the same, down to minutes.
const NEW_YEAR: i64 = 1_704_067_200_000;
const ZONES: [i32; 2] = [14 * 3600, -(11 * 3600 + 1800)];

impl Reader<'_> {
    /// A bound that the request holds is in what the operation sends: else every slice would be the same rows, and be
    /// closed as read.
    pub(crate) fn bounds_go_out(
        &mut self,
        source: &Node,
        operation: Option<&Arc<OperationFacts>>,
        options: &Tree,
        (merged, bounds): (&Merged, &[Bound]),
        filter: Option<&SourceFilter>,
        window: &WindowPlan,
    ) {
        let (Some(operation), Some(request), false) = (operation, &merged.request, window.none) else {
            return;
        };
        // These go another way, and may be all that the window is for.
        let is_elsewhere = options.mentions("$window") || filter.is_some_and(filter_mentions);
        let known = constant_options(options, operation);
        let zone = window.zone.as_ref().unwrap_or(&self.zone);
        let sent = |start_ms: i64, end_ms: i64| {
            let now_ms = ENDS[1] + 1;
            let scope = Probed::new(now_ms, (start_ms, end_ms), Some(operation), zone);
            (operation.sent)(&Asked {
                options: &known,
                request: evaluated(request, &scope)?,
                window: (start_ms, end_ms),
                window_field: window.field.as_deref(),
                now_ms,
            })
        };
        let Some(base) = sent(STARTS[0], ENDS[0]) else {
            return;
        };
        let mut lost = Vec::new();
        for (key, name, what, other) in [
            (
                "start",
                "$window.start",
                OwnedKind::WindowStart,
                (STARTS[1], ENDS[0]),
            ),
            ("end", "$window.end", OwnedKind::WindowEnd, (STARTS[0], ENDS[1])),
        ] {
            let is_bound = bounds.iter().any(|bound| bound.owned.what == what);
            let reads = request.names().iter().any(|path| path.to_string() == name);
            let holds = is_bound || (reads && !is_elsewhere);
            if holds && sent(other.0, other.1).is_some_and(|other| other == base) {
                lost.push((key, name));
            }
        }
        for (key, name) in lost {
            let pair = source.get("window").and_then(|pair| pair.value.get(key));
            let written = ["request", "operation"].iter().find_map(|key| {
                let pair = source.get(key)?;
                place_of(&pair.value, name)
            });
            let api = source.get("api").or_else(|| source.get("operation"));
            let span = pair
                .map(|pair| pair.value.span.clone())
                .or(written)
                .or(api.map(|pair| pair.key_span.clone()));
            self.report(
                self.problem(&words::WINDOW_BOUND, span.unwrap_or(source.span.clone()))
                    .with("key", key)
                    .with("why_zh", "请求里的这个时间没有发出去,操作的 path、query、headers、body 都没有带上它")
                    .with(
                        "why_en",
                        "the request holds it, but it is not sent: it is in neither path, query, headers nor body of the operation",
                    ),
            );
        }
    }
}

/// Whether a request or a filter comes out otherwise in another zone. What cannot be tried does where it reads a time.
pub(super) fn is_in_zone(tree: &Tree, operation: Option<&OperationFacts>) -> bool {
    if !tree.mentions("$window") && !tree.reads_clock() {
        return false;
    }
    let values = ZONES.map(|seconds| {
        let zone = TimeZone::fixed(Offset::from_seconds(seconds).ok()?);
        evaluated(
            tree,
            &Probed::new(NEW_YEAR, (NEW_YEAR, NEW_YEAR), operation, &zone),
        )
    });
    match values {
        [Some(one), Some(other)] => one != other,
        _ => true,
    }
}

pub(super) fn filter_mentions(filter: &SourceFilter) -> bool {
    match filter {
        SourceFilter::Text(tree) => tree.mentions("$window"),
        SourceFilter::Cond(cond) => cond
            .names()
            .iter()
            .any(|name| name.first_name() == Some("$window")),
    }
}

/// `None` where only a run can tell.
fn evaluated(tree: &Tree, scope: &Probed<'_>) -> Option<Value> {
    if tree.lookups().iter().any(|level| !level.is_empty()) {
        return None;
    }
    eval_value(tree, scope, &Hits::default()).ok().flatten()
}

/// Where a file reads a name, at or below a node.
fn place_of(node: &Node, name: &str) -> Option<std::ops::Range<usize>> {
    match &node.kind {
        NodeKind::Map(pairs) => pairs.iter().find_map(|pair| place_of(&pair.value, name)),
        NodeKind::List(items) => items.iter().find_map(|item| place_of(item, name)),
        NodeKind::Scalar(scalar) => scalar.text.contains(name).then(|| node.span.clone()),
    }
}

/// The first page of a window, at an instant.
struct Probed<'a> {
    names: Value,
    now_ms: i64,
    zone: &'a TimeZone,
}

impl<'a> Probed<'a> {
    fn new(
        now_ms: i64,
        (start, end): (i64, i64),
        operation: Option<&OperationFacts>,
        zone: &'a TimeZone,
    ) -> Probed<'a> {
        let instant = |ms| Value::Instant(Instant { ms });
        let map = |members: Vec<(&str, Value)>| -> Value {
            let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
            Value::Map(members.collect::<Map>())
        };
        let page = operation.and_then(|operation| operation.page);
        let (first, size) = page.map_or((1, 1), |page| (page.first, i64::from(page.size)));
        let names = map(vec![
            (
                "$window",
                map(vec![("start", instant(start)), ("end", instant(end))]),
            ),
            (
                "$page",
                map(vec![
                    ("number", first.into()),
                    ("offset", 0.into()),
                    ("size", size.into()),
                ]),
            ),
        ]);
        Probed { names, now_ms, zone }
    }
}

impl Scope for Probed<'_> {
    fn field(&self, _slot: usize, _path: &Path) -> Option<Cow<'_, Value>> {
        None
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(&self.names).map(Cow::Borrowed)
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn action(&self) -> Option<Action> {
        None
    }
}
