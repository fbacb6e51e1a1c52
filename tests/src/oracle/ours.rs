//! What our evaluator makes of an expression.

use std::borrow::Cow;

use dsl::builtin::Registry;
use dsl::expr::{Bounds, Env, compile, gather};
use dsl::path::Path;
use dsl::value::Value;
use jiff::tz::TimeZone;

use super::Answer;

/// 2023-11-15 06:13:20.1 in Shanghai, the instant that the server is told too.
const NOW_MS: i64 = 1_700_000_000_100;

/// Our side.
#[derive(Debug)]
pub struct Ours {
    registry: Registry,
    zone: TimeZone,
    bounds: Bounds,
}

struct Over<'o> {
    row: Value,
    zone: &'o TimeZone,
}

impl Env for Over<'_> {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(&self.row).map(Cow::Borrowed)
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(&self.row, path)
    }

    fn lookup(&self, _index: usize) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        NOW_MS
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }
}

impl Default for Ours {
    fn default() -> Ours {
        Ours::new()
    }
}

impl Ours {
    /// With every function there is.
    ///
    /// # Panics
    /// When the zone database, which is built in, has no Shanghai.
    pub fn new() -> Ours {
        Ours {
            registry: functions::registry(),
            zone: TimeZone::get("Asia/Shanghai").expect("the zone database is built in"),
            bounds: Bounds::default(),
        }
    }

    /// The result over a record in JSON, as it is printed. A panic is an answer that agrees with nothing.
    ///
    /// # Panics
    /// When the record is no JSON.
    pub fn answer(&self, text: &str, row: &str) -> Answer {
        std::panic::catch_unwind(|| self.computed(text, row)).unwrap_or(Answer::Panicked)
    }

    fn computed(&self, text: &str, row: &str) -> Answer {
        let expr = match compile(text, &self.registry, &self.bounds) {
            Ok(expr) => expr,
            Err(errors) => {
                return Answer::Failed(
                    errors
                        .first()
                        .map_or_else(String::new, |e| e.entry.code.to_owned()),
                );
            }
        };
        let row = dsl::json::parse(row.as_bytes()).expect("a generated record is JSON");
        let env = Over {
            row,
            zone: &self.zone,
        };
        match expr.eval_typed(&env) {
            Ok(value) if value.is_null() => Answer::Null,
            Ok(value) => Answer::printed(value.to_bytes().unwrap_or_default().into_owned()),
            Err(failure) => Answer::Failed(failure.code().to_owned()),
        }
    }
}
