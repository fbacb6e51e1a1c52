//! Places of a request that the engine fills, and what a scheme may write over them.
//!
//! | the scheme writes | effect |
//! |---|---|
//! | nothing | the operation's format |
//! | a value with `$window` or `$page` | replaces format and place |
//! | a number at a page size or page number | page size, first page; text stays text |
//! | an expression without them at a bound | a proposal, printed in the operation's format and the author's kind |
//! | a constant at a bound | an error |

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Reader;
use super::bounds::Bound;
use crate::catalogue::scheme as words;
use crate::facts::{OperationFacts, Owned, OwnedKind};
use crate::filter::Fit;
use crate::keys;
use crate::lookup::Hits;
use crate::path::{Path, Segment};
use crate::scope::ClockScope;
use crate::tree::{Tree, eval_value};
use crate::value::{Kind, Value};

/// A request in which every owned place is the engine's again.
#[derive(Default)]
pub(crate) struct Merged {
    pub(crate) request: Option<Tree>,
    pub(crate) proposal_start: Option<Tree>,
    pub(crate) proposal_end: Option<Tree>,
    pub(crate) page_size: Option<(i64, std::ops::Range<usize>)>,
    pub(crate) first_page: Option<i64>,
}

impl Reader<'_> {
    /// Lays the scheme's request over the operation's, in which the places of `window.start` and `window.end` stand.
    pub(crate) fn merge_request(
        &mut self,
        over: Option<Tree>,
        operation: Option<&Arc<OperationFacts>>,
        bounds: &[Bound],
    ) -> Merged {
        let base = operation.and_then(|operation| operation.request.clone());
        if over.is_none() && bounds.is_empty() {
            return Merged {
                request: base.map(|base| (*base).clone()),
                ..Merged::default()
            };
        }
        let empty = || Tree::literal(Value::Map(crate::value::Map::new()));
        let mut over = over.unwrap_or_else(empty);
        let mut base = base.map_or_else(empty, |base| (*base).clone());
        for bound in bounds {
            base = Tree::merge(&base, &bound.request);
        }
        let mut merged = Merged::default();
        let owned = operation.map(|operation| operation.request_owned.as_slice());
        let owned = owned.unwrap_or_default().iter();
        for owned in owned.chain(bounds.iter().map(|bound| &bound.owned)) {
            let Some(part) = over.at(&owned.path) else {
                self.hidden_place(owned, &over);
                continue;
            };
            let kind = match owned.what {
                _ if self.complained(&part.span()) => Taken::As(None),
                OwnedKind::WindowStart | OwnedKind::WindowEnd => self.bound(owned, &part, &mut merged),
                OwnedKind::PageSize | OwnedKind::PageNumber => self.page_place(owned, &part, &mut merged),
                OwnedKind::PageOffset | OwnedKind::PageCursor => self.page_only(owned, &part),
                OwnedKind::WindowField => Taken::No,
            };
            let Taken::As(kind) = kind else {
                continue;
            };
            over = over.without(&owned.path);
            let fit = match kind {
                Some(Kind::Text) => Some(Fit::Text),
                Some(Kind::Number) => Some(Fit::Number),
                _ => None,
            };
            if let (Some(fit), Some(format)) = (fit, base.at(&owned.path)) {
                base = base.with(&owned.path, &format.fitted(fit));
            }
        }
        merged.request = Some(Tree::merge(&base, &over));
        merged
    }

    /// A value that is written above a place of the engine: it would be sent, and the bound or the page would not.
    pub(super) fn hidden_place(&mut self, owned: &Owned, over: &Tree) {
        let mut above = Path::names(Vec::<String>::new());
        let (want, name) = match owned.what {
            OwnedKind::WindowStart | OwnedKind::WindowEnd => (
                ["映射,或含有 `$window` 的值", "a map, or a value with `$window`"],
                "$window",
            ),
            OwnedKind::PageSize | OwnedKind::PageNumber | OwnedKind::PageOffset | OwnedKind::PageCursor => (
                ["映射,或含有 `$page` 的值", "a map, or a value with `$page`"],
                "$page",
            ),
            OwnedKind::WindowField => return,
        };
        for segment in owned.path.segments() {
            let Segment::Name(part) = segment else { return };
            above = match above.segments().is_empty() {
                true => Path::names([part.clone()]),
                false => above.child(part.clone()),
            };
            let Some(part) = over.at(&above) else { return };
            if part.is_map() {
                continue;
            }
            if !part.is_drop() && !part.mentions(name) && !self.complained(&part.span()) {
                self.report(
                    self.problem(&words::OWNED_PLACE, part.span())
                        .with("path", &above)
                        .with("want", want[0])
                        .with("want_en", want[1]),
                );
            }
            return;
        }
    }

    /// Whether something is wrong there already: what the place would be otherwise is not known.
    fn complained(&self, span: &std::ops::Range<usize>) -> bool {
        self.diags
            .iter()
            .any(|diagnostic| diagnostic.is_error() && span.contains(&diagnostic.span.start))
    }

    fn bound(&mut self, owned: &Owned, part: &Tree, merged: &mut Merged) -> Taken {
        if part.mentions("$window") || part.is_drop() {
            return Taken::No;
        }
        let probed = probe(part, &self.zone);
        if matches!(probed, Probe::Constant) {
            self.report(self.problem(&words::CONSTANT_BOUND, part.span()));
            return Taken::As(None);
        }
        let place = match owned.what {
            OwnedKind::WindowStart => &mut merged.proposal_start,
            _ => &mut merged.proposal_end,
        };
        *place = Some(part.clone());
        match probed {
            Probe::Kind(kind) => Taken::As(Some(kind)),
            _ => Taken::As(None),
        }
    }

    fn page_place(&mut self, owned: &Owned, part: &Tree, merged: &mut Merged) -> Taken {
        if part.mentions("$page") || part.is_drop() {
            return Taken::No;
        }
        let constant = part.constant();
        let number = constant
            .as_ref()
            .and_then(Value::to_plain_text)
            .and_then(|text| keys::integer(&text));
        let Some(number) = number.filter(|number| *number >= 0) else {
            self.report(
                self.problem(&words::OWNED_PLACE, part.span())
                    .with("path", &owned.path)
                    .with("want", "数字,或含有 `$page` 的值")
                    .with("want_en", "a number, or a value with `$page`"),
            );
            return Taken::As(None);
        };
        match owned.what {
            OwnedKind::PageSize => merged.page_size = Some((number, part.span())),
            _ => merged.first_page = Some(number),
        }
        Taken::As(part.constant_kind())
    }

    fn page_only(&mut self, owned: &Owned, part: &Tree) -> Taken {
        if part.mentions("$page") || part.is_drop() {
            return Taken::No;
        }
        self.report(
            self.problem(&words::OWNED_PLACE, part.span())
                .with("path", &owned.path)
                .with("want", "含有 `$page` 的值")
                .with("want_en", "a value with `$page`"),
        );
        Taken::As(None)
    }
}

/// Whether what the scheme wrote is taken out of the request again, and the kind it gives the place.
enum Taken {
    No,
    As(Option<Kind>),
}

enum Probe {
    /// It gives the same at any time.
    Constant,
    /// It gives this kind.
    Kind(Kind),
    /// Only a run can tell.
    Unknown,
}

/// Evaluates an expression at two instants.
fn probe(tree: &Tree, zone: &TimeZone) -> Probe {
    if tree.constant().is_some() {
        return Probe::Constant;
    }
    if !tree.lookups().is_empty() {
        return Probe::Unknown;
    }
    // Two instants that differ in every unit from milliseconds to years.
    let values = [1_700_000_000_123, 1_752_345_678_901].map(|now_ms| {
        let scope = ClockScope { now_ms, zone };
        eval_value(tree, &scope, &Hits::default()).ok().flatten()
    });
    match values {
        [Some(one), Some(other)] if one == other => Probe::Constant,
        [Some(one), Some(_)] => Probe::Kind(one.kind()),
        _ => Probe::Unknown,
    }
}
