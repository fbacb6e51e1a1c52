//! A dry run within a service: the source is read and documents are made, on a copy of the ledger in memory.
//!
//! Nothing is sent to the target and nothing is written to the ledger. It shares sessions and limits with the runs of
//! the service. It ends by itself: at its limit, at the end of its time, when whoever asked goes away, and with the
//! service.

use std::sync::Arc;
use std::time::Duration;

use dsl::catalogue::reading;
use dsl::diagnostic::Failure;
use flow::Stages;
use flow::ids::Ms;
use flow::op::RunStatus;
use flow::window::Interval;
use tokio::task::JoinHandle;

use super::Service;
use crate::error::AppError;
use crate::reason;
use crate::run::{RunOptions, RunReport};
use crate::shell::{Cancel, Silent};

/// Records that one may take: a person looks at some of them.
pub const MOST_RECORDS: u64 = 200;

/// How long one may read. What it has by then is shown. Less than the 30 s after which most clients and proxies give up,
/// with room for what is made of it; and it shares the pace of the runs, so that one of years of empty windows takes one
/// window of a system's rate and not three.
pub const MOST_TIME: Duration = Duration::from_secs(15);

/// How long documents of what was read may be made where reading was cut off: a target may be asked for each of them.
const MAKING_TIME: Duration = Duration::from_secs(10);

/// The largest ledger that is copied: each dry run has one in memory.
const MOST_COPIED: u64 = 256 << 20;

/// What is rehearsed.
#[derive(Debug, Clone, Copy)]
pub struct DryRun {
    /// At most so many records, and never more than [`MOST_RECORDS`].
    pub limit: u64,
    /// Bounds given by hand.
    pub window: Option<Interval>,
    /// The instant of the run.
    pub now: Option<Ms>,
    /// How long it may read; [`MOST_TIME`] where somebody waits for an answer.
    pub time: Duration,
}

/// Ends a dry run when it is dropped: nobody waits for it any more. A call that is out is finished.
pub struct Asker(Cancel);

impl Drop for Asker {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Service {
    /// A dry run ends with what this gives; to be held as long as somebody waits.
    pub fn asker(&self) -> Asker {
        Asker(self.cancel.one())
    }

    /// Rehearses a scheme, until its asker goes away. What it takes the place of (`held`) is free when it has really ended.
    pub async fn dry_run(
        self: &Arc<Self>,
        scheme: &str,
        wanted: DryRun,
        asker: &Asker,
        held: impl Send + 'static,
    ) -> Result<RunReport, AppError> {
        let member = self.runnable(scheme)?;
        let plan = member.runnable().cloned();
        let plan = plan.ok_or_else(|| AppError::bug("a scheme that cannot run is rehearsed"))?;
        let asked = asker.0.clone();
        // The end of its time is a wish of its own: what was read by then is still made into documents.
        let reads = self.cancel.one();
        let options = RunOptions {
            now: wanted.now,
            window: wanted.window,
            from: None,
            replay: None,
            limit: Some(wanted.limit.min(MOST_RECORDS)),
            settle_wait: None,
            stages: Stages::All,
            dry: true,
            lang: self.setting.lang,
            trigger: None,
            confirmed: false,
            cancel: Some(reads.clone()),
        };
        let (engine, held) = self
            .loaded()
            .engine
            .rehearsal(MOST_COPIED, self.setting.lang, held)
            .await?;
        let until = ended(&reads, &asked, wanted.time);
        // A task of its own: whoever waits for it may be gone, and then it still ends where that is safe.
        let run = tokio::spawn(async move {
            let _held = held;
            let mut first = engine.run(Arc::clone(&plan), &options, &Silent).await?;
            until.abort();
            let is_over = reads.is_canceled() && !asked.is_canceled();
            if !is_over || first.summary.status != RunStatus::Canceled {
                return Ok(first);
            }
            let told = Failure::new(&reading::REHEARSAL_ENDED).with("seconds", wanted.time.as_secs());
            let told = Some(reason::of_failure(&told, options.lang));
            if !first.previews.is_empty() {
                // It was making documents already.
                first.summary.status = RunStatus::Partial;
                first.left = told;
                return Ok(first);
            }
            let makes = asked.one();
            let until = ended(&makes, &asked, MAKING_TIME);
            let writes = RunOptions {
                stages: Stages::Save,
                cancel: Some(makes),
                ..options
            };
            let made = engine.run(plan, &writes, &Silent).await;
            until.abort();
            let mut made = made?;
            made.summary.counts.fetched = first.summary.counts.fetched;
            made.summary.status = RunStatus::Partial;
            made.left = told;
            Ok(made)
        });
        run.await.map_err(|error| AppError::bug(error.to_string()))?
    }
}

/// Wishes that something ends: after a time, or when whoever asked goes away.
fn ended(wish: &Cancel, asked: &Cancel, time: Duration) -> JoinHandle<()> {
    let (wish, asked) = (wish.clone(), asked.clone());
    tokio::spawn(async move {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = asked.wait() => {}
        }
        wish.cancel();
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a dry run looks at between two calls is told when whoever asked is gone.
    #[test]
    fn whoever_goes_away_wishes_that_it_ends() {
        let all = Cancel::default();
        let asker = Asker(all.one());
        let wish = asker.0.clone();
        assert!(!wish.is_canceled());
        drop(asker);
        assert!(wish.is_canceled());
        assert!(!all.is_canceled(), "others go on");
    }
}
