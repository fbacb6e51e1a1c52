//! Keys of a fault plan and of the settings: what each takes and what it is for, in both languages.
//!
//! Whoever reads plans from files, and the page that explains them, use these tables; a test holds them against
//! [`FaultPlan`](crate::FaultPlan) and [`NewSettings`](crate::NewSettings).

use crate::fault::KINDS;
use crate::settings::{ERP_LINES, FX_UNIQUE, KINGDEE_LEVELS, LEVELS};
use crate::systems::ENDPOINTS;

/// What a key takes.
#[derive(Debug, Clone, Copy)]
pub enum Takes {
    /// `true` or `false`.
    Truth,
    /// A whole number, from and to.
    Number(i64, i64),
    /// Text.
    Text,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of whole numbers from 0.
    Numbers,
    /// A list of kinds, or kinds with weights.
    Kinds,
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// Whether it must be there.
    pub required: bool,
    /// What it is for, in Chinese.
    pub zh: &'static str,
    /// What it is for, in English.
    pub en: &'static str,
}

const fn key(name: &'static str, takes: Takes, zh: &'static str, en: &'static str) -> Key {
    Key {
        name,
        takes,
        required: false,
        zh,
        en,
    }
}

/// Any number that is not negative; tighter bounds are told by the check of the plan.
const COUNT: Takes = Takes::Number(0, i64::MAX);
const ANY: Takes = Takes::Number(i64::MIN, i64::MAX);

/// Keys of a plan.
pub const PLAN_KEYS: &[Key] = &[
    Key {
        required: true,
        ..key(
            "endpoint",
            Takes::Word(ENDPOINTS),
            "哪个接口:接口名、系统名,或 `*`",
            "Which calls: an endpoint, a system, or `*`.",
        )
    },
    key(
        "kind",
        Takes::Word(KINDS),
        "什么故障;与 `kinds` 二选一",
        "What goes wrong; this or `kinds`.",
    ),
    key(
        "kinds",
        Takes::Kinds,
        "几种故障,每次按 `seed` 抽一种:列表,或“故障: 权重”",
        "Several, one of which is drawn from `seed` for each call: a list, or kinds with weights.",
    ),
    key(
        "nth",
        COUNT,
        "从第几次调用开始,自计划给出时从 1 数",
        "The first call concerned, counted from 1 when the plan is given.",
    ),
    key(
        "times",
        COUNT,
        "连续几次;有 `nth` 时默认 1,否则不限",
        "How many calls; 1 with `nth`, else no limit.",
    ),
    key(
        "per_mille",
        Takes::Number(0, 1000),
        "一千次里出错几次,按 `seed` 抽",
        "So many calls of a thousand, drawn from `seed`.",
    ),
    key(
        "seed",
        COUNT,
        "`per_mille` 与 `kinds` 的种子;同一种子抽得一样,默认 0",
        "Seed of `per_mille` and `kinds`: the same seed draws the same. 0 unless told.",
    ),
    key(
        "from_ms",
        COUNT,
        "计划给出后多少毫秒才生效",
        "Nothing happens earlier than this after the plan was given.",
    ),
    key(
        "until_ms",
        COUNT,
        "计划给出后多少毫秒失效",
        "Nothing happens from then on.",
    ),
    key(
        "above_per_s",
        COUNT,
        "限速:一秒内放行这么多次,超出的才出错",
        "A rate limit: so many calls a second are let through, those above are struck.",
    ),
    key(
        "delay_ms",
        COUNT,
        "等待多少毫秒,最多 600000;默认 300,`slow_body` 与 `slow_headers` 默认 1000",
        "How long to wait, 600000 at most; 300 unless told, 1000 for `slow_body` and `slow_headers`.",
    ),
    key(
        "retry_after_s",
        COUNT,
        "`too_many` 的 `Retry-After` 秒数",
        "Seconds in the `Retry-After` of `too_many`.",
    ),
    key(
        "commit",
        Takes::Truth,
        "改变该故障通常的“是否执行”",
        "Overrides whether the request is executed.",
    ),
    key(
        "skew_ms",
        ANY,
        "`skewed_date` 差多少毫秒,默认一小时",
        "How far `skewed_date` is off; an hour unless told.",
    ),
    key(
        "status",
        Takes::Number(300, 599),
        "HTTP 状态码",
        "The HTTP status.",
    ),
    key(
        "location",
        Takes::Text,
        "`redirect` 的去处",
        "Where `redirect` leads.",
    ),
    key(
        "mib",
        COUNT,
        "`gzip_bomb` 解开后的 MiB 数,1 到 4096,默认 64",
        "MiB of `gzip_bomb` after decoding, 1 to 4096; 64 unless told.",
    ),
    key(
        "depth",
        COUNT,
        "`deep_json` 的层数,默认 100000",
        "Levels of `deep_json`; 100000 unless told.",
    ),
    key(
        "rows",
        Takes::Numbers,
        "批量中的第几行,从 0 数;不写 `rows` 和 `value` 时是第一行",
        "Places in the batch, from 0; the first, unless `rows` or `value` is told.",
    ),
    key(
        "value",
        Takes::Text,
        "内容中含有这段文字的行",
        "Rows that hold this text.",
    ),
    key(
        "total_by",
        ANY,
        "`wrong_total` 差多少,默认 -1",
        "How far `wrong_total` is off; -1 unless told.",
    ),
    key(
        "inserts",
        COUNT,
        "`rows_move` 在时间段最前面插入几行;三个都不写时为 1",
        "Rows that `rows_move` inserts before all others; 1 when none of the three is told.",
    ),
    key(
        "updates",
        COUNT,
        "`rows_move` 把几行的时间改为现在,它们因此离开原位",
        "Rows whose time it sets to now, so that they leave their place.",
    ),
    key("deletes", COUNT, "`rows_move` 删除几行", "Rows that it deletes."),
];

/// Settings.
pub const SETTING_KEYS: &[Key] = &[
    key(
        "kingdee",
        Takes::Word(KINGDEE_LEVELS),
        "模拟金蝶的能力:`unique_key` 编号唯一,`query` 可查不唯一,`none` 都没有;不写时基础资料唯一、单据不唯一",
        "What the simulated Kingdee can do: `unique_key` numbers are unique, `query` they are not, `none` nor can it be asked; else base data is unique and bills are not.",
    ),
    key(
        "plain",
        Takes::Word(LEVELS),
        "普通系统的能力,默认 `unique_key`",
        "What the plain system can do; `unique_key` unless told.",
    ),
    key(
        "idempotency_ms",
        COUNT,
        "普通系统记住幂等键多少毫秒,默认 24 小时",
        "How long the plain system remembers an idempotency key; 24 hours unless told.",
    ),
    key(
        "session_ttl_ms",
        COUNT,
        "会话或令牌登录后的寿命,默认 20 分钟,纷享销客 7200 秒",
        "Life of a session or token from its login; 20 minutes unless told, 7200 s at Fxiaoke.",
    ),
    key(
        "session_max_calls",
        COUNT,
        "会话或令牌最多调用几次,0 不限",
        "A session or token is lost after so many calls; 0 is no limit.",
    ),
    key(
        "freshness_ms",
        COUNT,
        "签名时间允许的误差,默认 10 分钟",
        "How far a signed time may be off; 10 minutes unless told.",
    ),
    key(
        "unique_numbers",
        Takes::Truth,
        "基础资料编号是否唯一",
        "Whether numbers of base data are unique.",
    ),
    key(
        "unique_bills",
        Takes::Truth,
        "单据编号是否唯一",
        "Whether numbers of bills are unique.",
    ),
    key(
        "query_max",
        COUNT,
        "一次单据查询最多返回几行,默认 2000",
        "Most rows of one bill query; 2000 unless told.",
    ),
    key(
        "partial_is_success",
        Takes::Truth,
        "部分成功时 `IsSuccess` 是否仍为 true",
        "Whether `IsSuccess` stays true when a part of a batch is refused.",
    ),
    key(
        "repeat_ms",
        COUNT,
        "`ValidateRepeatJson` 记住数据包多少毫秒,默认 10 分钟",
        "How long `ValidateRepeatJson` remembers a package; 10 minutes unless told.",
    ),
    key(
        "calls_per_s",
        COUNT,
        "限频的系统每秒放行几次,代替它自己的数(按 20 秒计的乘 20);0 不限",
        "Calls a second at systems that limit them, in place of their own number (twenty times as many where 20 seconds are counted); 0 is no limit.",
    ),
    key(
        "calls_per_min",
        COUNT,
        "限频的系统每分钟放行几次,代替它自己的数;0 不限",
        "Calls a minute at systems that limit them, in place of their own number; 0 is no limit.",
    ),
    key(
        "calls_per_day",
        COUNT,
        "模拟纷享销客每天放行几次,北京时间零点恢复;0 不限(默认)",
        "Calls a day at the simulated Fxiaoke, until midnight in Beijing; 0, as ever unless told, is no limit.",
    ),
    key(
        "fx_unique",
        Takes::Word(FX_UNIQUE),
        "模拟纷享销客里什么不可重复:`number` 编号字段(默认:`account_no`、`order_no__c`、`product_code`,其余对象 `name`),`name` 名称,`none` 都可重复",
        "What is unique at the simulated Fxiaoke: `number`, the field of the number (unless told: `account_no`, `order_no__c`, `product_code`, else `name`), `name`, or `none`.",
    ),
    key(
        "erp_lines",
        Takes::Word(ERP_LINES),
        "模拟的自研 ERP 怎样给出明细的 id:`place` 按列表和位置(默认),`key` 按列表和明细的 number,`flat` 只按 number",
        "How the simulated home-grown ERP tells the ids of lines: `place`, by list and place (unless told); `key`, by list and the line's number; `flat`, by the number alone.",
    ),
    key(
        "erp_unique",
        Takes::Truth,
        "它是否拒绝单号相同的第二份单据(默认否)",
        "Whether it refuses a second document of one number; it does not unless told.",
    ),
    key(
        "erp_xml",
        Takes::Truth,
        "它是否用 XML 应答查询(默认 JSON;写入的应答总与请求同一格式)",
        "Whether it answers queries in XML, and not in JSON; a write is answered in the form of its request.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErpLines, FaultPlan, FxUnique, Kinds, Level, NewSettings};
    use serde_json::json;
    use std::collections::BTreeSet;

    fn names(keys: &[Key]) -> BTreeSet<String> {
        keys.iter().map(|key| key.name.to_owned()).collect()
    }

    fn members(value: &serde_json::Value) -> BTreeSet<String> {
        value.as_object().unwrap().keys().cloned().collect()
    }

    #[test]
    fn the_tables_are_what_is_read() {
        // Without `..Default`, so that a new member does not compile here before it is listed.
        let plan = FaultPlan {
            endpoint: "*".to_owned(),
            kind: Some(crate::FaultKind::Delay),
            kinds: Some(Kinds::Even(vec![])),
            nth: Some(1),
            times: Some(1),
            per_mille: Some(1),
            seed: 1,
            from_ms: Some(1),
            until_ms: Some(1),
            above_per_s: Some(1),
            delay_ms: Some(1),
            retry_after_s: Some(1),
            commit: Some(true),
            skew_ms: Some(1),
            status: Some(500),
            location: Some("x".to_owned()),
            mib: Some(1),
            depth: Some(1),
            rows: Some(vec![0]),
            value: Some("x".to_owned()),
            total_by: Some(1),
            inserts: Some(1),
            updates: Some(1),
            deletes: Some(1),
        };
        assert_eq!(members(&serde_json::to_value(plan).unwrap()), names(PLAN_KEYS));
        let settings = NewSettings {
            session_ttl_ms: Some(1),
            session_max_calls: Some(1),
            freshness_ms: Some(1),
            unique_numbers: Some(true),
            unique_bills: Some(true),
            query_max: Some(1),
            partial_is_success: Some(true),
            repeat_ms: Some(1),
            kingdee: Some(Level::None),
            plain: Some(Level::None),
            idempotency_ms: Some(1),
            calls_per_s: Some(1),
            calls_per_min: Some(1),
            calls_per_day: Some(1),
            fx_unique: Some(FxUnique::None),
            erp_lines: Some(ErpLines::Flat),
            erp_unique: Some(true),
            erp_xml: Some(true),
        };
        let settings = serde_json::to_value(settings).unwrap();
        assert_eq!(members(&settings), names(SETTING_KEYS));
    }

    #[test]
    fn every_level_has_its_word() {
        for level in [
            Level::None,
            Level::Query,
            Level::UniqueKey,
            Level::IdempotencyKey,
            Level::Upsert,
        ] {
            let word = serde_json::to_value(level).unwrap();
            assert!(LEVELS.contains(&word.as_str().unwrap()), "{word}");
        }
        let words = [FxUnique::Number, FxUnique::Name, FxUnique::None].map(|one| json!(one));
        assert_eq!(json!(words), json!(FX_UNIQUE));
    }
}
