//! Twelve expressions as published schemes have them, and a row to evaluate them over.

use std::borrow::Cow;

use dsl::expr::{Bounds, Env, Expr, compile, gather};
use dsl::path::Path;
use dsl::value::Value;
use jiff::tz::TimeZone;

/// The row: numbers come as texts from some systems and as numbers from others.
const ROW: &str = r#"{
    "settle": "现金", "sellCount": "3", "fee": "100.00", "price": "9.90", "share": 1.05, "num": 3, "auditDate": 1679033795123,
    "LAST_SYNC_TIME": 1700000000, "shop": "杭州云杉旗舰店", "code": "AD0001", "memo": "请尽快发货\n送礼用,不要放小票", "tax": 0.13,
    "wms": "12926523", "batch": "B-2023-0617", "lines": [{"qty": 1}, {"qty": "2.5"}, {"qty": 4}, {"qty": "0.25"}]
}"#;

/// What it shows, its text, and what it gives over the row at 2023-11-15 06:13:20.1 in Shanghai.
pub const TEXTS: [(&str, &str, &str); 12] = [
    ("product of a text and a number", "{{sellCount}}*-1", "-3"),
    ("quotient of two texts", "{{fee}}/{{sellCount}}", "33.333333"),
    (
        "price plus a share",
        "{{price}}+( {{share}}/{{num}} )",
        "10.250000",
    ),
    ("rounded", "round({{fee}} * {{tax}} / {{num}}, 2)", "4.33"),
    (
        "CASE over a text",
        "CASE '{{settle}}' when '支付宝' then 104 when '微信' then 105 else 103 end",
        "103",
    ),
    (
        "CASE with LIKE",
        "case when '{{shop}}' like '%专卖%' then 102 when '{{shop}}' like '%旗舰%' then 101 ELSE 100 end",
        "101",
    ),
    (
        "CASE, a text or a field",
        "case '{{wms}}' when '12926523' then '230605' else '{{batch}}' end",
        "230605",
    ),
    (
        "time from milliseconds",
        "FROM_UNIXTIME( ( {{auditDate}} / 1000 ) ,'%Y-%m-%d %T' )",
        "2023-03-17 14:16:35",
    ),
    (
        "start of a window",
        "REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')",
        "1699928000100",
    ),
    (
        "digits written behind a value",
        "{{LAST_SYNC_TIME}}000*1",
        "1700000000000",
    ),
    (
        "line ends replaced",
        "REPLACE('{{memo}}', '\n', ' ')",
        "请尽快发货 送礼用,不要放小票",
    ),
    ("sum over four lines", "sum({{lines.qty}})", "7.75"),
];

/// An expression with its row.
pub struct Case {
    /// What it shows.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
    expr: Expr,
    row: Row,
}

struct Row {
    slots: Vec<Option<Value>>,
    zone: TimeZone,
}

/// All twelve, compiled, each checked against what it must give.
///
/// # Panics
/// When one gives something else.
pub fn all() -> Vec<Case> {
    let registry = functions::registry();
    let row = dsl::json::parse(ROW.as_bytes()).expect("a JSON row");
    let zone = TimeZone::get("Asia/Shanghai").expect("the zone database is built in");
    let case = |(name, text, want): (&'static str, &'static str, &str)| {
        let expr = compile(text, &registry, &Bounds::default()).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        let slots = expr
            .reads()
            .iter()
            .map(|(path, _)| gather(&row, path).map(Cow::into_owned))
            .collect();
        let zone = zone.clone();
        let case = Case {
            name,
            text,
            expr,
            row: Row { slots, zone },
        };
        let got = case.eval().to_plain_text();
        assert_eq!(got.as_deref(), Some(want), "{text}");
        case
    };
    TEXTS.into_iter().map(case).collect()
}

impl Case {
    /// Computes it once.
    ///
    /// # Panics
    /// When it fails, which it does not.
    pub fn eval(&self) -> Value {
        self.expr
            .eval(&self.row)
            .expect("it was computed when it was made")
    }
}

/// A row hands out fields by their number; finding them is the mapping's cost, measured there.
impl Env for Row {
    fn field(&self, slot: usize, _path: &Path) -> Option<Cow<'_, Value>> {
        self.slots[slot].as_ref().map(Cow::Borrowed)
    }

    fn lookup(&self, _index: usize) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        1_700_000_000_100
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}
