//! A plan as it is given: in JSON over control, in YAML to `engine sandbox --faults`, or by a test.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Effect, Fault, FaultKind, KINDS, MAX_DELAY_MS, MAX_PER_S, MAX_SKEW_MS};
use crate::data::draw;
use crate::systems::{Does, ENDPOINTS, can};
use crate::twist::Rows;

/// Largest answer of `gzip_bomb` after decoding.
const MAX_MIB: u64 = 4096;
/// Deepest answer of `deep_json`; two bytes a level.
const MAX_DEPTH: u64 = 4_000_000;
/// Most rows that move at once.
const MAX_MOVES: u64 = 1000;
/// Most rows a plan names.
const MAX_ROWS: u64 = 1000;
/// Heaviest kind of a draw.
const MAX_WEIGHT: u64 = 1_000_000;
/// Where `redirect` leads unless told.
const METADATA: &str = "http://169.254.169.254/latest/meta-data/";

/// What is wrong with a plan or a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// The key that is meant.
    pub key: &'static str,
    /// What is wrong with it, in Chinese.
    pub zh: String,
    /// What is wrong with it, in English.
    pub en: String,
}

impl Wrong {
    fn new(key: &'static str, zh: String, en: String) -> Self {
        Wrong { key, zh, en }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.key, self.en)
    }
}

/// Several kinds to draw from: a list, or words with weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kinds {
    /// All as likely.
    Even(Vec<FaultKind>),
    /// Word -> weight.
    Weighted(BTreeMap<String, u64>),
}

impl Kinds {
    /// Kinds and weights; an unknown word is left out: [`FaultPlan::check`] refuses it.
    fn weights(&self) -> Vec<(FaultKind, u64)> {
        match self {
            Kinds::Even(kinds) => kinds.iter().map(|kind| (*kind, 1)).collect(),
            Kinds::Weighted(map) => map
                .iter()
                .filter_map(|(word, weight)| Some((FaultKind::find(word)?, *weight)))
                .collect(),
        }
    }
}

/// One plan. Without `nth` and `per_mille` it concerns every call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// An endpoint (`BatchSave`, `searchTrades`; case is ignored), a system (`huke`, `kingdee`, `plain`, ...), or `*`.
    pub endpoint: String,
    /// What goes wrong; this or `kinds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<FaultKind>,
    /// What may go wrong, drawn from `seed` for each call that is struck.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<Kinds>,
    /// The first call concerned, counted from 1 when the plan is given, and only inside `from_ms..until_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// How many calls from `nth` on; 1 unless told. Without `nth`: how many calls from the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// So many calls of a thousand, drawn from `seed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_mille: Option<u64>,
    /// Seed of `per_mille` and `kinds`.
    #[serde(default)]
    pub seed: u64,
    /// Nothing happens earlier than this after the plan was given, by the sandbox's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<u64>,
    /// Nothing happens from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// So many calls within a second are let through, by the sandbox's clock; the plan strikes those above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above_per_s: Option<u64>,
    /// Wait of a kind that waits. 300 unless told, which is below the quiet period of sandbox connections; 1000
    /// between the bytes of `slow_body` and `slow_headers`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Seconds in the `Retry-After` of `too_many`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Overrides whether the request is executed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<bool>,
    /// How far `skewed_date` is off; an hour unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew_ms: Option<i64>,
    /// HTTP status of the kinds that choose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Where `redirect` leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// MiB of `gzip_bomb` after decoding; 64 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mib: Option<u64>,
    /// Levels of `deep_json`; 100,000 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub depth: Option<u64>,
    /// Places in the batch, from 0, that a kind about rows means. The first, unless `rows` or `value` is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Vec<usize>>,
    /// Rows that hold this text are meant as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// How far `wrong_total` is off; -1 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_by: Option<i64>,
    /// Rows that `rows_move` inserts before all others of the stretch; 1 unless one of the three is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inserts: Option<u64>,
    /// Rows whose time it sets to now, so that they leave their place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updates: Option<u64>,
    /// Rows that it deletes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletes: Option<u64>,
}

impl FaultPlan {
    /// A plan for every call of an endpoint.
    pub fn every(endpoint: &str, kind: FaultKind) -> Self {
        FaultPlan {
            endpoint: endpoint.to_owned(),
            kind: Some(kind),
            ..FaultPlan::default()
        }
    }

    /// A plan for the n-th call of an endpoint.
    pub fn nth(endpoint: &str, nth: u64, kind: FaultKind) -> Self {
        FaultPlan {
            nth: Some(nth),
            ..FaultPlan::every(endpoint, kind)
        }
    }

    /// A plan for `per_mille` of a thousand calls, each with one of `kinds`, all drawn from `seed`.
    pub fn drawn(endpoint: &str, seed: u64, per_mille: u64, kinds: &[FaultKind]) -> Self {
        FaultPlan {
            endpoint: endpoint.to_owned(),
            kinds: Some(Kinds::Even(kinds.to_vec())),
            per_mille: Some(per_mille),
            seed,
            ..FaultPlan::default()
        }
    }

    /// Says what is wrong with a plan, the first of it.
    pub fn check(&self) -> Result<(), Wrong> {
        self.problems().into_iter().next().map_or(Ok(()), Err)
    }

    /// Everything that is wrong with a plan.
    pub fn problems(&self) -> Vec<Wrong> {
        let mut problems = Vec::new();
        let known = |name: &&str| name.eq_ignore_ascii_case(&self.endpoint);
        let is_known = ENDPOINTS.iter().any(known);
        if !is_known {
            let (name, all) = (&self.endpoint, ENDPOINTS.join(" "));
            problems.push(Wrong::new(
                "endpoint",
                format!("没有 `{name}`;有:{all}"),
                format!("there is no `{name}`; there are: {all}"),
            ));
        }
        match self.all_kinds() {
            Err(wrong) => problems.push(wrong),
            Ok(kinds) => {
                for kind in kinds.iter().filter(|_| is_known) {
                    problems.extend(self.never(*kind));
                }
                for key in self.own_keys() {
                    if !kinds.iter().any(|kind| kind.row().keys.contains(&key)) {
                        let words: Vec<&str> = kinds.iter().map(|kind| kind.word()).collect();
                        let words = words.join("`, `");
                        problems.push(Wrong::new(
                            key,
                            format!("与 `{words}` 无关"),
                            format!("says nothing about `{words}`"),
                        ));
                    }
                }
            }
        }
        problems.extend(self.bounds());
        problems
    }

    /// A kind that cannot happen at the endpoint: a plan that never strikes would look like one that was withstood.
    fn never(&self, kind: FaultKind) -> Option<Wrong> {
        let (is_meant, what_zh, what_en) = strikes_at(kind)?;
        if self.endpoint == "*" || can(&self.endpoint, is_meant) {
            return None;
        }
        let (word, endpoint) = (kind.word(), &self.endpoint);
        let key = if self.kind.is_some() { "kind" } else { "kinds" };
        Some(Wrong::new(
            key,
            format!("`{word}` 只影响{what_zh},在 `{endpoint}` 永远不会发生"),
            format!("`{word}` concerns {what_en} only and never happens at `{endpoint}`"),
        ))
    }

    /// Every kind that can strike.
    fn all_kinds(&self) -> Result<Vec<FaultKind>, Wrong> {
        match (&self.kind, &self.kinds) {
            (Some(kind), None) => Ok(vec![*kind]),
            (None, Some(kinds)) => {
                if let Kinds::Weighted(map) = kinds
                    && let Some(word) = map.keys().find(|word| FaultKind::find(word).is_none())
                {
                    let all = KINDS.join(" ");
                    return Err(Wrong::new(
                        "kinds",
                        format!("没有 `{word}`;有:{all}"),
                        format!("there is no `{word}`; there are: {all}"),
                    ));
                }
                let weights = kinds.weights();
                if weights.is_empty() {
                    let words = ("至少写一个", "name at least one");
                    return Err(Wrong::new("kinds", words.0.to_owned(), words.1.to_owned()));
                }
                let too_heavy = weights.iter().any(|(_, weight)| *weight > MAX_WEIGHT);
                if too_heavy || weights.iter().all(|(_, weight)| *weight == 0) {
                    return Err(Wrong::new(
                        "kinds",
                        format!("权重为 0 到 {MAX_WEIGHT},至少一个大于 0"),
                        format!("weights are 0 to {MAX_WEIGHT}, and one at least is above 0"),
                    ));
                }
                Ok(weights.into_iter().map(|(kind, _)| kind).collect())
            }
            _ => Err(Wrong::new(
                "kind",
                "`kind` 与 `kinds` 必须且只能写一个".to_owned(),
                "one of `kind` and `kinds` is needed".to_owned(),
            )),
        }
    }

    /// Keys that only some kinds read, as far as they are given.
    fn own_keys(&self) -> Vec<&'static str> {
        let given = [
            ("delay_ms", self.delay_ms.is_some()),
            ("retry_after_s", self.retry_after_s.is_some()),
            ("commit", self.commit.is_some()),
            ("skew_ms", self.skew_ms.is_some()),
            ("status", self.status.is_some()),
            ("location", self.location.is_some()),
            ("mib", self.mib.is_some()),
            ("depth", self.depth.is_some()),
            ("rows", self.rows.is_some()),
            ("value", self.value.is_some()),
            ("total_by", self.total_by.is_some()),
            ("inserts", self.inserts.is_some()),
            ("updates", self.updates.is_some()),
            ("deletes", self.deletes.is_some()),
        ];
        given.iter().filter(|(_, is)| *is).map(|(key, _)| *key).collect()
    }

    fn bounds(&self) -> Vec<Wrong> {
        let within = |key, value: Option<u64>, low: u64, high: u64| {
            let good = value.is_none_or(|n| (low..=high).contains(&n));
            let zh = format!("应为 {low} 到 {high}");
            (good, Wrong::new(key, zh, format!("must be {low} to {high}")))
        };
        let must =
            |key, good: bool, zh: &str, en: &str| (good, Wrong::new(key, zh.to_owned(), en.to_owned()));
        let len = |rows: &Vec<usize>| u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let skew = self.skew_ms.map(i64::unsigned_abs);
        let plain =
            |to: &String| !to.is_empty() && to.len() <= 2000 && to.bytes().all(|b| b.is_ascii_graphic());
        let checks = [
            must("nth", self.nth != Some(0), "从 1 数起", "is counted from 1"),
            must("times", self.times != Some(0), "至少为 1", "must be at least 1"),
            within("per_mille", self.per_mille, 0, 1000),
            must(
                "per_mille",
                self.nth.is_none() || self.per_mille.is_none(),
                "不能与 `nth` 同时写",
                "cannot stand beside `nth`",
            ),
            must(
                "until_ms",
                self.until_ms
                    .is_none_or(|until| until > self.from_ms.unwrap_or(0)),
                "应晚于 `from_ms`",
                "must be later than `from_ms`",
            ),
            within("above_per_s", self.above_per_s, 0, MAX_PER_S),
            within("delay_ms", self.delay_ms, 0, MAX_DELAY_MS),
            within("skew_ms", skew, 0, MAX_SKEW_MS.unsigned_abs()),
            within("status", self.status.map(u64::from), 300, 599),
            must(
                "location",
                self.location.as_ref().is_none_or(plain),
                "应为没有空白的地址",
                "must be an address without blanks",
            ),
            within("mib", self.mib, 1, MAX_MIB),
            within("depth", self.depth, 1, MAX_DEPTH),
            within("rows", self.rows.as_ref().map(len), 1, MAX_ROWS),
            must(
                "value",
                self.value.as_ref().is_none_or(|text| !text.is_empty()),
                "不能为空",
                "must not be empty",
            ),
            within("inserts", self.inserts, 0, MAX_MOVES),
            within("updates", self.updates, 0, MAX_MOVES),
            within("deletes", self.deletes, 0, MAX_MOVES),
        ];
        let bad = checks.into_iter().filter(|(good, _)| !good);
        bad.map(|(_, wrong)| wrong).collect()
    }

    pub(super) fn concerns(&self, system: &str, endpoint: &str) -> bool {
        self.endpoint == "*"
            || self.endpoint.eq_ignore_ascii_case(endpoint)
            || self.endpoint.eq_ignore_ascii_case(system)
    }

    /// Whether the plan is at work so long after it was given.
    pub(super) fn is_due(&self, age_ms: i64) -> bool {
        let age = u64::try_from(age_ms).unwrap_or(0);
        age >= self.from_ms.unwrap_or(0) && self.until_ms.is_none_or(|until| age < until)
    }

    pub(super) fn fires(&self, index: usize, call: u64) -> bool {
        if let Some(nth) = self.nth {
            return call >= nth && call - nth < self.times.unwrap_or(1);
        }
        let inside = self.times.is_none_or(|times| call <= times);
        let share = |share| draw(self.seed, 1000 + stream(index), call) % 1000 < share;
        inside && self.per_mille.is_none_or(share)
    }

    /// What happens to that call.
    pub(super) fn fault(&self, index: usize, call: u64) -> Fault {
        let kind = self.draw_kind(index, call);
        let usual = match kind {
            FaultKind::SlowBody | FaultKind::SlowHeaders => 1000,
            _ => 300,
        };
        let moves = [self.inserts, self.updates, self.deletes];
        let moves = match moves {
            [None, None, None] => [1, 0, 0],
            told => told.map(|n| n.unwrap_or(0)),
        };
        Fault {
            kind,
            commit: self.commit.unwrap_or(kind.row().effect != Effect::None),
            has_delay: self.delay_ms.is_some(),
            delay_ms: self.delay_ms.unwrap_or(usual).min(MAX_DELAY_MS),
            retry_after_s: self.retry_after_s,
            skew_ms: self.skew_ms.unwrap_or(3_600_000),
            status: self.status,
            location: self.location.clone().unwrap_or_else(|| METADATA.to_owned()),
            mib: usize::try_from(self.mib.unwrap_or(64)).unwrap_or(64),
            depth: usize::try_from(self.depth.unwrap_or(100_000)).unwrap_or(100_000),
            rows: Rows::of(self.rows.as_deref(), self.value.as_deref()),
            total_by: self.total_by.unwrap_or(-1),
            moves,
        }
    }

    fn draw_kind(&self, index: usize, call: u64) -> FaultKind {
        if let Some(kind) = self.kind {
            return kind;
        }
        let weights = self.kinds.as_ref().map(Kinds::weights).unwrap_or_default();
        let sum: u64 = weights.iter().map(|(_, weight)| weight).sum();
        let mut at = draw(self.seed, 3000 + stream(index), call) % sum.max(1);
        for (kind, weight) in weights {
            if at < weight {
                return kind;
            }
            at -= weight;
        }
        // A plan without a kind is refused when it is given.
        FaultKind::DropBefore
    }
}

/// Whether a call is one of those that are meant.
type Meant = fn(Does) -> bool;

/// The calls at which a kind makes a difference, and what they have in common; `None` = all of them.
fn strikes_at(kind: FaultKind) -> Option<(Meant, &'static str, &'static str)> {
    match kind {
        FaultKind::RepeatedPage | FaultKind::IgnoresPaging | FaultKind::EmptyPage => Some((
            |does| matches!(does, Does::Pages { .. }),
            "分页的读取",
            "reads with pages",
        )),
        FaultKind::WrongTotal => Some((
            |does| matches!(does, Does::Pages { total: true, .. }),
            "带总数的读取",
            "reads with a total",
        )),
        FaultKind::RowsMove => Some((
            |does| matches!(does, Does::Pages { moves: true, .. }),
            "来源的读取",
            "reads of a source",
        )),
        FaultKind::BatchRefused => Some((|does| matches!(does, Does::Writes { .. }), "写入", "writes")),
        FaultKind::RowErrors | FaultKind::RowsUnnamed | FaultKind::WrongRowCount => Some((
            |does| matches!(does, Does::Writes { rows: true }),
            "逐行答复的写入",
            "writes that are answered row by row",
        )),
        _ => None,
    }
}

/// Plans with the same seed draw differently.
fn stream(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(0)
}
