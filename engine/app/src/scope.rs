//! What the names of a call stand for: `$now`, `$window.*`, `$page.*`.

use std::borrow::Cow;

use connector::PageState;
use dsl::facts::Action;
use dsl::path::Path;
use dsl::tree::Scope;
use dsl::value::{Instant, Number, Value};
use jiff::tz::TimeZone;

/// Names of one call; there is no record, and a row only where the call is about one.
pub(crate) struct CallScope<'a> {
    zone: &'a TimeZone,
    now_ms: i64,
    window: Option<(i64, i64)>,
    window_field: Option<&'a str>,
    page: Option<&'a PageState>,
    row: Option<&'a Value>,
}

impl<'a> CallScope<'a> {
    /// The names every call has.
    pub(crate) fn new(zone: &'a TimeZone, now_ms: i64) -> Self {
        CallScope {
            zone,
            now_ms,
            window: None,
            window_field: None,
            page: None,
            row: None,
        }
    }

    /// Adds the row that a further call is about.
    pub(crate) fn row(mut self, row: &'a Value) -> Self {
        self.row = Some(row);
        self
    }

    /// Adds the window.
    pub(crate) fn window(mut self, window: Option<(i64, i64)>, field: Option<&'a str>) -> Self {
        self.window = window;
        self.window_field = field;
        self
    }

    /// Adds the page.
    pub(crate) fn page(mut self, page: &'a PageState) -> Self {
        self.page = Some(page);
        self
    }
}

impl Scope for CallScope<'_> {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(self.row?).map(Cow::Borrowed)
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        let instant = |ms| Value::Instant(Instant { ms });
        let number = |n: i64| Value::Number(Number::from(n));
        let value = match path.to_string().as_str() {
            "$now" => instant(self.now_ms),
            "$window.start" => instant(self.window?.0),
            "$window.end" => instant(self.window?.1),
            "$window.field" => Value::Text(self.window_field?.to_owned()),
            "$page.number" => number(self.page?.number),
            "$page.offset" => number(self.page?.offset),
            "$page.size" => number(i64::from(self.page?.size)),
            "$page.last" => Value::Text(self.page?.last.clone()?),
            "$page.cursor" => Value::Text(self.page?.cursor.clone()?),
            _ => return None,
        };
        Some(Cow::Owned(value))
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
