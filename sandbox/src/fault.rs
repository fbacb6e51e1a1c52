//! Faults on order: which call goes wrong, and how.
//!
//! A plan names an endpoint and either the n-th call from the moment it was given, a share of calls
//! drawn from a seed, or every call. So "fail call n, for n = 1, 2, ..." is a loop. What a fault does
//! to the connection is in `server`; whether the request is executed is decided by [`Fault::commit`].

use serde::{Deserialize, Serialize};

use crate::data::draw;

/// Most plans at a time; they are tried one by one for each call.
const MAX_PLANS: usize = 1000;
/// Longest wait of a fault: ten minutes, longer than any client's patience.
pub(crate) const MAX_DELAY_MS: u64 = 600_000;

/// What goes wrong. Each kind has a usual answer to "is the request executed?"; `commit` of the plan
/// overrides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection is closed without an answer, nothing is executed.
    DropBefore,
    /// Executed, then the connection is closed without an answer.
    DropAfter,
    /// HTTP 500, nothing is executed.
    #[serde(rename = "http_500_before")]
    Http500Before,
    /// Executed, then HTTP 500.
    #[serde(rename = "http_500_after")]
    Http500After,
    /// Executed at once, answered `delay_ms` later.
    Delay,
    /// Executed, never answered.
    Hang,
    /// The connection is closed at once; the request is executed `delay_ms` later.
    LateCommit,
    /// Executed; the answer breaks off in its middle.
    HalfBody,
    /// Executed; the answer is shorter than its `Content-Length`.
    WrongLength,
    /// HTTP 200 with a login page, nothing is executed.
    HtmlLogin,
    /// HTTP 429, with `Retry-After` when the plan has `retry_after_s`; nothing is executed.
    TooMany,
    /// The vendor's own "try again" inside HTTP 200 (Kingdee MsgCode 13); nothing is executed.
    #[serde(rename = "msg_code_13")]
    MsgCode13,
    /// The vendor's call limit inside HTTP 200 (Kingdee MsgCode 14); nothing is executed.
    #[serde(rename = "msg_code_14")]
    MsgCode14,
    /// Kingdee's gateway answer, HTTP 519; nothing is executed.
    #[serde(rename = "http_519")]
    Http519,
    /// HTTP 200 with `response_error:` and an exception; nothing is executed.
    ResponseError,
    /// The session is gone (Kingdee MsgCode 1); nothing is executed.
    SessionLost,
    /// Executed; HTTP 200 with an empty body.
    EmptyBody,
    /// A read answers the page before the one that was asked for.
    RepeatedPage,
    /// The `Date` header is off by `skew_ms`.
    SkewedDate,
}

/// One plan. Without `nth` and `per_mille` it concerns every call.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultPlan {
    /// Last word of the path (`BatchSave`, `searchTrades`; case is ignored), `huke`, `kingdee`, or `*`.
    pub endpoint: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// The first call concerned, counted from 1 when the plan is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nth: Option<u64>,
    /// How many calls from `nth` on; 1 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
    /// So many calls of a thousand, drawn from `seed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_mille: Option<u64>,
    /// Seed of `per_mille`.
    #[serde(default)]
    pub seed: u64,
    /// Wait of `delay` and `late_commit`; 300 unless told, which is below the quiet period of sandbox
    /// connections.
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
}

impl FaultPlan {
    /// A plan for the n-th call of an endpoint.
    pub fn nth(endpoint: &str, nth: u64, kind: FaultKind) -> Self {
        FaultPlan {
            endpoint: endpoint.to_owned(),
            kind,
            nth: Some(nth),
            times: None,
            per_mille: None,
            seed: 0,
            delay_ms: None,
            retry_after_s: None,
            commit: None,
            skew_ms: None,
        }
    }

    fn concerns(&self, vendor: &str, endpoint: &str) -> bool {
        self.endpoint == "*"
            || self.endpoint.eq_ignore_ascii_case(endpoint)
            || self.endpoint.eq_ignore_ascii_case(vendor)
    }

    fn fires(&self, index: usize, call: u64) -> bool {
        if let Some(nth) = self.nth {
            return call >= nth && call - nth < self.times.unwrap_or(1);
        }
        if let Some(share) = self.per_mille {
            let stream = 1000 + u64::try_from(index).unwrap_or(0);
            return draw(self.seed, stream, call) % 1000 < share;
        }
        self.times.is_none_or(|times| call <= times)
    }
}

/// A fault that strikes one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) commit: bool,
    pub(crate) delay_ms: u64,
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) skew_ms: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Faults {
    plans: Vec<(FaultPlan, u64)>,
}

impl Faults {
    pub(crate) fn add(&mut self, plan: FaultPlan) -> Result<(), String> {
        if self.plans.len() >= MAX_PLANS {
            return Err(format!("more than {MAX_PLANS} fault plans"));
        }
        if plan.nth == Some(0) {
            return Err("nth counts from 1".to_owned());
        }
        self.plans.push((plan, 0));
        Ok(())
    }

    pub(crate) fn clear(&mut self) {
        self.plans.clear();
    }

    pub(crate) fn plans(&self) -> impl Iterator<Item = &FaultPlan> {
        self.plans.iter().map(|(plan, _)| plan)
    }

    /// Counts the call in every plan; the first plan that fires decides.
    pub(crate) fn strike(&mut self, vendor: &str, endpoint: &str) -> Option<Fault> {
        let mut found = None;
        for (index, (plan, calls)) in self.plans.iter_mut().enumerate() {
            if !plan.concerns(vendor, endpoint) {
                continue;
            }
            *calls += 1;
            if found.is_none() && plan.fires(index, *calls) {
                found = Some(Fault::from(&*plan));
            }
        }
        found
    }
}

impl From<&FaultPlan> for Fault {
    fn from(plan: &FaultPlan) -> Self {
        use FaultKind::{Delay, DropAfter, EmptyBody, HalfBody, Hang, Http500After, LateCommit};
        use FaultKind::{RepeatedPage, SkewedDate, WrongLength};
        let commits = matches!(
            plan.kind,
            DropAfter
                | Http500After
                | Delay
                | Hang
                | LateCommit
                | HalfBody
                | WrongLength
                | EmptyBody
                | RepeatedPage
                | SkewedDate
        );
        Fault {
            kind: plan.kind,
            commit: plan.commit.unwrap_or(commits),
            delay_ms: plan.delay_ms.unwrap_or(300).min(MAX_DELAY_MS),
            retry_after_s: plan.retry_after_s,
            skew_ms: plan.skew_ms.unwrap_or(3_600_000).clamp(-MAX_SKEW_MS, MAX_SKEW_MS),
        }
    }
}

/// A `Date` may be wrong by ten years.
const MAX_SKEW_MS: i64 = 10 * 366 * 86_400_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn struck(plan: &str, calls: u64) -> Vec<u64> {
        let mut faults = Faults::default();
        faults.add(serde_json::from_str(plan).unwrap()).unwrap();
        (1..=calls)
            .filter(|_| faults.strike("kingdee", "BatchSave").is_some())
            .collect()
    }

    #[test]
    fn which_calls() {
        let cases: &[(&str, &[u64])] = &[
            (r#"{"endpoint":"BatchSave","nth":3,"kind":"drop_after"}"#, &[3]),
            (
                r#"{"endpoint":"batchsave","nth":2,"times":2,"kind":"http_519"}"#,
                &[2, 3],
            ),
            (
                r#"{"endpoint":"kingdee","times":2,"kind":"msg_code_14"}"#,
                &[1, 2],
            ),
            (r#"{"endpoint":"*","kind":"http_500_after"}"#, &[1, 2, 3, 4, 5]),
            (r#"{"endpoint":"huke","kind":"delay"}"#, &[]),
            (
                r#"{"endpoint":"*","per_mille":1000,"kind":"delay"}"#,
                &[1, 2, 3, 4, 5],
            ),
            (r#"{"endpoint":"*","per_mille":0,"kind":"delay"}"#, &[]),
        ];
        for (plan, want) in cases {
            assert_eq!(&struck(plan, 5), want, "{plan}");
        }
        let half = struck(
            r#"{"endpoint":"*","per_mille":500,"seed":3,"kind":"delay"}"#,
            1000,
        )
        .len();
        assert!((400..600).contains(&half), "{half}");
    }

    #[test]
    fn the_plan_is_strict() {
        for bad in [
            r#"{"endpoint":"*","kind":"explode"}"#,
            r#"{"endpoint":"*","kind":"delay","nht":1}"#,
        ] {
            assert!(serde_json::from_str::<FaultPlan>(bad).is_err(), "{bad}");
        }
    }
}
