//! The instant, the zone and the row that examples and recorded cases run with.

use std::borrow::Cow;

use dsl::Failure;
use dsl::expr::{Bounds, Env, Expr, ExprError, compile, gather};
use dsl::path::Path;
use dsl::value::Value;
use jiff::tz::TimeZone;

/// One run over one row.
pub(crate) struct Fixed {
    pub(crate) row: Value,
    pub(crate) now_ms: i64,
    pub(crate) zone: TimeZone,
}

impl Fixed {
    /// 2023-11-15 06:13:20.1 in Shanghai.
    pub(crate) fn new(row: &str) -> Fixed {
        let row = dsl::json::parse(row.as_bytes()).expect("a JSON row");
        let zone = TimeZone::get("Asia/Shanghai").expect("the zone database has Shanghai");
        Fixed {
            row,
            now_ms: 1_700_000_000_100,
            zone,
        }
    }
}

impl Env for Fixed {
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
        self.now_ms
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

pub(crate) fn compiled(text: &str) -> Result<Expr, Vec<ExprError>> {
    compile(text, &functions::registry(), &Bounds::default())
}

/// The result as the server would print it, or the code of the first problem.
pub(crate) fn printed(text: &str, env: &Fixed) -> Result<String, String> {
    let expr = compiled(text).map_err(|errors| errors[0].entry.code.to_owned())?;
    let value = expr
        .eval_typed(env)
        .map_err(|failure: Failure| failure.code().to_owned())?;
    Ok(value.to_text().map_or_else(|| "NULL".to_owned(), Cow::into_owned))
}
