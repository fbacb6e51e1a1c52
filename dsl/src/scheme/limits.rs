//! `limits` of a source and a target, `retry`: what a scheme says of its own pace.

use super::window::duration_text;
use super::{Reader, member, text_of};
use crate::catalogue::scheme as words;
use crate::facts::ConnectorFacts;
use crate::keys::{self, duration_ms};
use crate::plan::{OwnLimits, RetryPlan};
use crate::yaml::{Node, Pair};

/// The pauses that a scheme may choose between: a shorter one is no pause, and a run that waits longer than the longest
/// pause a system may ask for would better end.
const PAUSES_MS: std::ops::RangeInclusive<i64> = 1_000..=3_600_000;

impl Reader<'_> {
    /// `limits` of one side, each no higher than what the connection allows.
    pub(crate) fn limits(&mut self, side: &Node, connector: Option<&dyn ConnectorFacts>) -> OwnLimits {
        let Some(node) = side.get("limits").map(|pair| &pair.value) else {
            return OwnLimits::default();
        };
        let count = |key: &str| u32::try_from(keys::integer(member(node, key)?)?).ok();
        let own = OwnLimits {
            rate: member(node, "rate").and_then(keys::rate),
            concurrency: count("concurrency").filter(|count| *count > 0),
            per_day: count("per_day").filter(|count| *count > 0),
            min_interval_ms: member(node, "min_interval").and_then(duration_ms),
        };
        let Some(connector) = connector else { return own };
        let allowed = connector.ceilings();
        let above = |rate: (u32, i64)| {
            let mut lower = allowed.rates.iter();
            lower.find(|known| keeps(**known, rate) && !keeps(rate, **known))
        };
        let most = allowed.concurrency.unwrap_or(1);
        let least = connector.min_interval_ms();
        for (key, told) in [
            ("rate", own.rate.and_then(above).map(|rate| rate_text(*rate))),
            (
                "concurrency",
                own.concurrency
                    .filter(|own| *own > most)
                    .map(|_| most.to_string()),
            ),
            (
                "per_day",
                own.per_day
                    .zip(allowed.per_day)
                    .filter(|(own, allowed)| own > allowed)
                    .map(|(_, allowed)| allowed.to_string()),
            ),
            (
                "min_interval",
                own.min_interval_ms
                    .filter(|own| *own < least)
                    .map(|_| duration_text(least)),
            ),
        ] {
            if let (Some(told), Some(pair)) = (told, node.get(key)) {
                self.report(
                    self.problem(&words::LIMIT_ABOVE, pair.value.span.clone())
                        .with("key", key)
                        .with("given", text_of(&pair.value).unwrap_or_default())
                        .with("allowed", told)
                        .with("place", connector.limit_place(key)),
                );
            }
        }
        own
    }

    /// Where rows are sent to us, or come from another scheme, and nothing is asked about each of them, the source makes
    /// no call that could be held back.
    pub(crate) fn limits_of_no_call(&mut self, source: &Node, pushed: bool) {
        let why = match (source.get("scheme"), pushed) {
            _ if source.get("detail").is_some() => return,
            (Some(_), _) => [
                "源是另一个方案,不调用任何系统",
                "the rows come from another scheme, and no system is called for them",
            ],
            (None, true) => [
                "源是推送,没有 `detail`,不调用任何系统",
                "the rows are pushed and there is no `detail`: no system is called for them",
            ],
            (None, false) => return,
        };
        for key in ["rate", "concurrency", "per_day"] {
            let limits = source.get("limits").map(|pair| &pair.value);
            if let Some(pair) = limits.and_then(|limits| limits.get(key)) {
                self.report(
                    self.problem(&words::LIMIT_UNUSED, pair.value.span.clone())
                        .with("key", key)
                        .with("why_zh", why[0])
                        .with("why_en", why[1]),
                );
            }
        }
    }

    /// What a schedule must keep because of the scheme's own `min_interval`, and where it stands.
    pub(crate) fn own_intervals(root: &Node, side: &str) -> Option<(i64, Pair)> {
        let pair = root.get(side)?.value.get("limits")?.value.get("min_interval")?;
        Some((duration_ms(text_of(&pair.value)?)?, pair.clone()))
    }

    /// `retry`.
    pub(crate) fn retry(&mut self, root: &Node) -> RetryPlan {
        let Some(node) = root.get("retry").map(|pair| &pair.value) else {
            return RetryPlan::default();
        };
        let pause = |key: &str| member(node, key).and_then(duration_ms);
        let retry = RetryPlan {
            max: member(node, "max")
                .and_then(keys::integer)
                .and_then(|max| u32::try_from(max).ok())
                .filter(|max| *max > 0),
            first_ms: pause("first"),
            longest_ms: pause("longest"),
        };
        for key in ["first", "longest"] {
            let Some((pair, ms)) = node.get(key).zip(pause(key)) else {
                continue;
            };
            let why = match (key, retry.first_ms) {
                _ if !PAUSES_MS.contains(&ms) => Some((
                    "间隔在 1s 到 1h 之间".to_owned(),
                    "a pause lies between 1s and 1h".to_owned(),
                )),
                ("longest", Some(first)) if ms < first => Some((
                    format!("最长的间隔不能小于第一次的({})", duration_text(first)),
                    format!(
                        "the longest pause cannot be below the first ({})",
                        duration_text(first)
                    ),
                )),
                _ => None,
            };
            if let Some((zh, en)) = why {
                self.report(
                    self.problem(&words::RETRY_PAUSE, pair.value.span.clone())
                        .with("key", key)
                        .with("given", text_of(&pair.value).unwrap_or_default())
                        .with("why_zh", zh)
                        .with("why_en", en),
                );
            }
        }
        retry
    }
}

/// Whether keeping this rate keeps the other one, too.
fn keeps((calls, per_ms): (u32, i64), (other, in_ms): (u32, i64)) -> bool {
    let stretches = (in_ms.max(1) + per_ms - 1) / per_ms.max(1);
    i64::from(calls).saturating_mul(stretches) <= i64::from(other)
}

/// A rate as people write it.
pub(crate) fn rate_text((calls, per_ms): (u32, i64)) -> String {
    let per = match per_ms {
        1_000 => "s".to_owned(),
        60_000 => "min".to_owned(),
        3_600_000 => "h".to_owned(),
        86_400_000 => "d".to_owned(),
        other => duration_text(other),
    };
    format!("{calls}/{per}")
}
