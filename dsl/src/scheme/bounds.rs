//! `window.start`, `window.end`: which fields of a request the bounds are put into, and `window.zone`.

use std::sync::Arc;

use super::owned::Merged;
use super::probe::is_in_zone;
use super::{Reader, member};
use crate::catalogue::scheme as words;
use crate::facts::{OperationFacts, Owned, OwnedKind};
use crate::path::{Path, Segment};
use crate::plan::SourceFilter;
use crate::tree::{Tree, TreePlace, compile_tree};
use crate::yaml::{Node, NodeKind, Pair};

/// A place that the scheme gives a bound, and the request that says only that.
pub(crate) struct Bound {
    pub(crate) owned: Owned,
    pub(crate) request: Tree,
}

impl Reader<'_> {
    /// The places that `window.start` and `window.end` name, for an operation that does not ask by time itself.
    pub(crate) fn bounds(&mut self, source: &Node, operation: Option<&Arc<OperationFacts>>) -> Vec<Bound> {
        let Some(window) = source.get("window").map(|pair| &pair.value) else {
            return Vec::new();
        };
        let mut bounds: Vec<Bound> = Vec::new();
        for (key, name, what) in [
            ("start", "$window.start", OwnedKind::WindowStart),
            ("end", "$window.end", OwnedKind::WindowEnd),
        ] {
            let Some(pair) = window.get(key) else { continue };
            let Some((path, request)) = self.bound_place(pair, name) else {
                continue;
            };
            // One that is written whole has no name.
            let named = source.get("api").and(operation);
            let named = named.map_or(String::new(), |operation| format!(" {}", operation.name));
            let why = match operation {
                Some(operation) if operation.uses_window => Some((
                    format!("操作{named} 自己按时间读取"),
                    format!("the operation{named} asks by time itself"),
                )),
                Some(operation) if !operation.takes_request => Some((
                    format!("操作{named} 没有用到 request(没有 `<<$request>>`)"),
                    format!("the operation{named} sends no request (it has no `<<$request>>`)"),
                )),
                Some(operation) if paged(operation, &path) => Some((
                    format!("`{path}` 是翻页的位置"),
                    format!("`{path}` is a place of paging"),
                )),
                _ if bounds.iter().any(|bound| meet(&bound.owned.path, &path)) => Some((
                    format!("起点已经填在 `{path}`"),
                    format!("the start is put into `{path}`"),
                )),
                _ if key == "end" && window.get("start").is_none() => Some((
                    "没有 start:每一段都会从头读到它的终点".to_owned(),
                    "there is no start: every slice would be read from the very beginning".to_owned(),
                )),
                _ => None,
            };
            if let Some((zh, en)) = why {
                self.report(
                    self.problem(&words::WINDOW_BOUND, pair.value.span.clone())
                        .with("key", key)
                        .with("why_zh", zh)
                        .with("why_en", en),
                );
                continue;
            }
            let owned = Owned { path, what };
            bounds.push(Bound { owned, request });
        }
        bounds
    }

    fn bound_place(&mut self, pair: &Pair, name: &str) -> Option<(Path, Tree)> {
        let (at, form) = (pair.value.get("at")?, pair.value.get("as")?);
        let format = member(&pair.value, "as")?;
        if !FORMS.contains(&format) {
            return None;
        }
        let path = self.field_path("at", &at.value, None, false)?;
        let names: Option<Vec<&String>> = path
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Name(name) => Some(name),
                Segment::Index(_) | Segment::All => None,
            })
            .collect();
        let Some(names) = names else {
            self.report(
                self.problem(&words::WINDOW_BOUND, at.value.span.clone())
                    .with("key", &pair.key)
                    .with("why_zh", format!("`{path}` 在列表里"))
                    .with("why_en", format!("`{path}` is inside a list")),
            );
            return None;
        };
        let mut node = form.value.clone();
        if let NodeKind::Scalar(scalar) = &mut node.kind {
            scalar.text = format!("<<{name}|{format}>>");
        }
        let node = names.into_iter().rev().fold(node, |value, name| Node {
            span: value.span.clone(),
            kind: NodeKind::Map(vec![Pair {
                key: name.clone(),
                key_span: at.value.span.clone(),
                value,
            }]),
        });
        let request = self.compile(TreePlace::SOURCE, None, None, |cx| compile_tree(&node, cx));
        Some((path, request))
    }

    /// `window.zone`, where anything prints a time in it.
    pub(crate) fn window_zone(
        &mut self,
        window: &Node,
        operation: Option<&Arc<OperationFacts>>,
        merged: &Merged,
        filter: Option<&SourceFilter>,
    ) -> Option<jiff::tz::TimeZone> {
        let pair = window.get("zone")?;
        let zone = self.zone_at(&pair.value)?;
        let prints = |tree: &Tree| is_in_zone(tree, operation.map(Arc::as_ref));
        let in_filter = match filter {
            Some(SourceFilter::Text(tree)) => prints(tree),
            Some(SourceFilter::Cond(cond)) => cond
                .names()
                .iter()
                .any(|name| matches!(name.first_name(), Some("$window" | "$now"))),
            None => false,
        };
        if !in_filter && !merged.request.as_ref().is_some_and(prints) {
            self.report(self.problem(&words::WINDOW_ZONE_UNUSED, pair.key_span.clone()));
        }
        Some(zone)
    }
}

/// How a bound may be written. A day alone is not among them: the rows of the day in which a slice ends would be read by
/// no slice, or the system counts that day in, and nobody here knows which.
const FORMS: [&str; 4] = ["ms", "s", "datetime", "rfc3339"];

/// Whether one place is the other, or holds it: what is put into one would be lost by what is put into the other.
fn meet(one: &Path, other: &Path) -> bool {
    one.below(other).is_some() || other.below(one).is_some()
}

fn paged(operation: &OperationFacts, path: &Path) -> bool {
    operation
        .request_owned
        .iter()
        .any(|owned| meet(&owned.path, path))
}
