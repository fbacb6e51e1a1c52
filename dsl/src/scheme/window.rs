//! `source.window`.

use std::sync::Arc;

use super::bounds::Bound;
use super::owned::Merged;
use super::schedule::SOME_DAY;
use super::{Reader, member, text_of};
use crate::catalogue::scheme as words;
use crate::facts::OperationFacts;
use crate::filter::moment;
use crate::keys::duration_ms;
use crate::plan::{CatchUp, First, SourceFilter, SweepPlan, SweepWhen, WindowPlan};
use crate::tree::{Tree, TreePlace, compile_tree};
use crate::yaml::{Node, NodeKind};

/// How far back a window reaches when nothing is said: clocks differ and rows are committed late.
const OVERLAP_MS: i64 = 120_000;
/// How long a source may still commit rows with an older time.
const SETTLE_MS: i64 = 60_000;
/// Longest slice: a day of rows fits a run.
const MAX_MS: i64 = 86_400_000;

impl Reader<'_> {
    pub(crate) fn window(
        &mut self,
        source: &Node,
        operation: Option<&Arc<OperationFacts>>,
        options: &Tree,
        merged: &Merged,
        filter: Option<&SourceFilter>,
    ) -> WindowPlan {
        let pair = source.get("window");
        let node = pair.map(|pair| &pair.value);
        let none = node.is_some_and(|node| text_of(node) == Some("none"));
        let length = |key: &str| node.and_then(|node| member(node, key)).and_then(duration_ms);
        let allowed = operation.and_then(|operation| operation.window_max_ms);
        let max_ms = length("max");
        if let (Some(max), Some(allowed), Some(node)) = (max_ms, allowed, node)
            && max > allowed
        {
            let span = node
                .get("max")
                .map_or(node.span.clone(), |pair| pair.value.span.clone());
            self.report(
                self.problem(&words::ABOVE_MAXIMUM, span)
                    .with("key", "max")
                    .with("max", duration_text(allowed)),
            );
        }
        let zone = node.and_then(|node| self.window_zone(node, operation, merged, filter));
        let plan = WindowPlan {
            none,
            zone,
            first: node.and_then(|node| self.first(node)),
            overlap_ms: length("overlap").unwrap_or(OVERLAP_MS),
            settle_ms: length("settle").unwrap_or(SETTLE_MS),
            max_ms: max_ms.unwrap_or(MAX_MS).min(allowed.unwrap_or(i64::MAX)),
            catch_up: match node.and_then(|node| member(node, "catch_up")) {
                Some("error") => CatchUp::Error,
                Some("ignore") => CatchUp::Ignore,
                _ => CatchUp::Extend,
            },
            keeps_ms: match (
                length("keeps"),
                operation.and_then(|operation| operation.keeps_ms),
            ) {
                (Some(own), Some(allowed)) => Some(own.min(allowed)),
                (own, allowed) => own.or(allowed),
            },
            field: node.and_then(|node| member(node, "field")).map(str::to_owned),
            proposal_start: merged.proposal_start.clone(),
            proposal_end: merged.proposal_end.clone(),
        };
        if let Some(node) = node {
            self.first_is_kept(node, &plan);
        }
        if let Some(operation) = operation {
            self.window_used(source, operation, options, merged, filter, &plan);
        }
        plan
    }

    /// `source.sweep`.
    pub(crate) fn sweep(
        &mut self,
        source: &Node,
        (operation, bounds_of): (Option<&Arc<OperationFacts>>, &[Bound]),
        merged: &Merged,
        window: &WindowPlan,
    ) -> Option<SweepPlan> {
        let pair = source.get("sweep")?;
        let node = &pair.value;
        let bounds = &node.get("window")?.value;
        let ago = |key: &str| member(bounds, key).and_then(duration_ms).map(i64::wrapping_neg);
        let (start, end) = (ago("start"), ago("end"));
        let good = start.zip(end).filter(|(start, end)| *end >= 0 && start > end);
        if good.is_none() || window.none {
            self.report(self.problem(&words::SWEEP_WINDOW, bounds.span.clone()));
        }
        let (start_ago_ms, end_ago_ms) = good?;
        if let Some(keeps) = window.keeps_ms
            && start_ago_ms > keeps
            && let Some(start) = bounds.get("start")
        {
            self.report(
                self.problem(&words::BEYOND_KEEPS, start.value.span.clone())
                    .with("given", duration_text(start_ago_ms))
                    .with("keeps", duration_text(keeps)),
            );
        }
        let over = node.get("request").filter(|pair| pair.value.map().is_some());
        let request = match over {
            None => merged.request.clone(),
            Some(over) => {
                let tree = self.compile(TreePlace::SOURCE, None, None, |cx| compile_tree(&over.value, cx));
                self.sweep_owned(operation, bounds_of, &tree);
                Some(match &merged.request {
                    Some(base) => Tree::merge(base, &tree),
                    None => tree,
                })
            }
        };
        // That it is one of the two is said by the table of keys.
        let when = match (node.get("every"), node.get("cron")) {
            (Some(_), None) => SweepWhen::Every(member(node, "every").and_then(duration_ms)?),
            (None, Some(pair)) => {
                let cron = self.cron(pair, None)?;
                if cron.next(SOME_DAY, &self.zone).is_none() {
                    let problem = self.problem(&words::NEVER_DUE, pair.value.span.clone());
                    self.report(problem.with("text", cron.text()));
                }
                SweepWhen::Cron(cron, self.zone.clone())
            }
            _ => return None,
        };
        Some(SweepPlan {
            when,
            start_ago_ms,
            end_ago_ms,
            request,
        })
    }

    /// A sweep has the bounds and pages of the engine; its request says what else it asks for.
    fn sweep_owned(&mut self, operation: Option<&Arc<OperationFacts>>, bounds: &[Bound], request: &Tree) {
        let owned = operation.iter().flat_map(|operation| &operation.request_owned);
        for owned in owned.chain(bounds.iter().map(|bound| &bound.owned)) {
            if request.at(&owned.path).is_none() {
                self.hidden_place(owned, request);
            }
            if let Some(part) = request.at(&owned.path) {
                self.report(
                    self.problem(&words::OWNED_PLACE, part.span())
                        .with("path", &owned.path)
                        .with("want", "sweep.window")
                        .with("want_en", "`sweep.window`"),
                );
            }
        }
    }

    /// Where a scheme begins before anything that its source keeps, the first run would only report a gap.
    fn first_is_kept(&mut self, window: &Node, plan: &WindowPlan) {
        if let (Some(First::Ago(ago)), Some(keeps), Some(pair)) =
            (plan.first, plan.keeps_ms, window.get("first"))
            && ago > keeps
        {
            self.report(
                self.problem(&words::BEYOND_KEEPS, pair.value.span.clone())
                    .with("given", duration_text(ago))
                    .with("keeps", duration_text(keeps)),
            );
        }
    }

    fn first(&mut self, window: &Node) -> Option<First> {
        let text = member(window, "first")?;
        match duration_ms(text) {
            Some(ms) => Some(First::Ago(-ms)),
            None => moment(&text.into(), &self.zone).map(First::At),
        }
    }

    /// Either something uses the window, or the scheme says that there is none.
    fn window_used(
        &mut self,
        source: &Node,
        operation: &OperationFacts,
        options: &Tree,
        merged: &Merged,
        filter: Option<&SourceFilter>,
        plan: &WindowPlan,
    ) {
        let Some(api) = source.get("api").or_else(|| source.get("operation")) else {
            return;
        };
        let in_request = merged
            .request
            .as_ref()
            .is_some_and(|request| request.mentions("$window"));
        let in_filter = match filter {
            Some(SourceFilter::Text(tree)) => tree.mentions("$window"),
            Some(SourceFilter::Cond(cond)) => cond
                .names()
                .iter()
                .any(|name| name.first_name() == Some("$window")),
            None => false,
        };
        let written = in_request || in_filter || options.mentions("$window");
        if plan.none {
            if written {
                let own = in_request
                    && source
                        .get("request")
                        .is_none_or(|pair| !names_window(&pair.value));
                let user = if own && !in_filter && !options.mentions("$window") {
                    ("操作自己的请求", "the operation's own request")
                } else {
                    ("方案", "the scheme")
                };
                let span = source
                    .get("window")
                    .map_or(api.value.span.clone(), |pair| pair.value.span.clone());
                self.report(
                    self.problem(&words::WINDOW_NONE_USED, span)
                        .with("name", "$window")
                        .with("user_zh", user.0)
                        .with("user_en", user.1),
                );
            }
            return;
        }
        // A bound that found no place was complained about.
        let window = source.get("window");
        let is_tried = ["start", "end"]
            .iter()
            .any(|key| window.is_some_and(|pair| pair.value.get(key).is_some()));
        if !written && !operation.uses_window {
            if is_tried {
                return;
            }
            let span = match window {
                None if api.value.map().is_some() => api.key_span.clone(),
                None => api.value.span.clone(),
                Some(pair) => pair.key_span.clone(),
            };
            self.report(self.problem(&words::WINDOW_NEEDED, span));
            return;
        }
        if operation.window_by_field && plan.field.is_none() && !written {
            self.report(
                self.problem(&words::WINDOW_FIELD_NEEDED, api.value.span.clone())
                    .with("operation", &operation.name),
            );
        }
    }
}

/// Whether a file's own text reads the window somewhere below a node.
fn names_window(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Map(pairs) => pairs.iter().any(|pair| names_window(&pair.value)),
        NodeKind::List(items) => items.iter().any(names_window),
        NodeKind::Scalar(scalar) => scalar.text.contains("$window") || scalar.text.contains("SYNC_TIME"),
    }
}

/// A length of time as a file writes it, in the largest unit that fits.
pub(crate) fn duration_text(ms: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")];
    UNITS
        .iter()
        .find(|(unit, _)| ms > 0 && ms % unit == 0)
        .map_or_else(
            || format!("{ms}ms"),
            |(unit, name)| format!("{}{name}", ms / unit),
        )
}
