//! Planning a replay, and noting that somebody wanted it.

use std::sync::Arc;

use dsl::plan::Plan;
use flow::ids::Ms;
use flow::op::{AuditNote, Cursor, LedgerOp};
use flow::window::{self, Interval};

use crate::error::AppError;
use crate::run::{Engine, Replay};

/// More windows than this in one replay are refused: at one call a second they take more than a day.
const MAX_WINDOWS: usize = 100_000;

/// What a replay has to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayPlan {
    /// The whole stretch, up to now.
    pub range: Interval,
    /// The windows that are left, in order.
    pub slices: Vec<Interval>,
    /// How many there are with those that an earlier, interrupted replay has read.
    pub all: usize,
}

/// A decision that is kept.
#[derive(Debug, Clone, Copy)]
pub struct Why<'a> {
    /// Who: the account of the operating system.
    pub who: &'a str,
    /// In the person's words; not blank.
    pub reason: &'a str,
}

/// What is noted of a replay that somebody wants.
pub(crate) fn note(scheme: &str, replay: &Replay, again: bool, who: &str, reason: &str) -> AuditNote {
    let cursor = Cursor::Replay(replay.range);
    AuditNote {
        who: who.to_owned(),
        action: "replay".to_owned(),
        scheme: Some(scheme.to_owned()),
        record: None,
        what: format!(
            "{} step={} only_missing={} again={again}",
            cursor.word(),
            replay.step,
            replay.only_missing
        ),
        reason: reason.to_owned(),
    }
}

impl Engine {
    /// The windows of a replay. One that was interrupted goes on where it stopped, unless it is begun `again`.
    pub fn plan_replay(
        &self,
        plan: &Plan,
        replay: &Replay,
        now: Option<Ms>,
        again: bool,
    ) -> Result<ReplayPlan, AppError> {
        let source = &plan.source.window;
        let by_version = self.is_by_version(plan);
        if by_version {
            return Err(AppError::wrong_use(
                format!(
                    "方案 {} 按行版本读取:从旧版本再读一遍用 engine run --from 版本",
                    plan.scheme
                ),
                format!(
                    "{} reads by row version: engine run --from VERSION reads again from an earlier one",
                    plan.scheme
                ),
            ));
        }
        if source.none {
            return Err(AppError::wrong_use(
                format!("方案 {} 没有时间窗口,每次都全部读取,不需要补数", plan.scheme),
                format!(
                    "{} has no window and reads everything each time: there is nothing to replay",
                    plan.scheme
                ),
            ));
        }
        let now = now.unwrap_or_else(|| self.now_ms());
        let past = replay
            .range
            .until(now - source.settle_ms)
            .ok_or_else(|| AppError::wrong_use("--from 不能在将来", "--from lies in the future"))?;
        if let Some(keeps) = source.keeps_ms
            && past.from < now - keeps
        {
            return Err(AppError::wrong_use(
                "来源已不再保留 --from 那么早的数据(见连接器的 window.keeps)",
                "the source no longer keeps rows as old as --from (see window.keeps of its connector)",
            ));
        }
        let count = (past.to - past.from) / replay.step.max(window::SMALLEST);
        if usize::try_from(count).is_ok_and(|count| count > MAX_WINDOWS) {
            return Err(AppError::wrong_use(
                format!("超过 {MAX_WINDOWS} 个窗口:把 --step 写长一些,或分几次补"),
                format!("more than {MAX_WINDOWS} windows: make --step longer, or replay in parts"),
            ));
        }
        let done = if again {
            Vec::new()
        } else {
            self.reader()
                .closed_by(&plan.scheme, Cursor::Replay(replay.range))?
        };
        let slices = |closed: &[Interval]| -> Vec<Interval> {
            let pieces = window::pieces(closed, past, replay.step, now);
            pieces.into_iter().map(|slice| slice.asked).collect()
        };
        Ok(ReplayPlan {
            range: past,
            all: slices(&[]).len(),
            slices: slices(&done),
        })
    }

    /// Notes who wanted a replay and why, begins it anew where that is wanted, and takes only a share of the source's
    /// rate for it: ordinary runs of other schemes go on beside it.
    pub async fn begin_replay(
        &mut self,
        plan: &Arc<Plan>,
        replay: &Replay,
        why: Why<'_>,
        again: bool,
        share_percent: u8,
    ) -> Result<(), AppError> {
        self.slow_down(&plan.source.connection, share_percent)?;
        let cursor = Cursor::Replay(replay.range);
        let note = note(&plan.scheme, replay, again, why.who, why.reason);
        let now = self.now_ms();
        let mut ops = vec![LedgerOp::Audit { note, now }];
        if again {
            ops.push(LedgerOp::Forget {
                scheme: plan.scheme.clone(),
                cursor,
            });
        }
        self.apply(ops).await
    }
}
