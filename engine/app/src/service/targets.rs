//! Targets that nobody is to write to for a while, because a person says so.
//!
//! Schemes that write there are not started, neither by their schedule nor by a person; a run that is under way finishes
//! and settles the call that is out, and leaves the rest pending. What is owed stays owed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use flow::op::Reason;
use flow::timetable::{Event, Paused};

use super::Service;
use super::fleet::Member;
use crate::error::AppError;

impl Service {
    /// The targets that nobody is to write to.
    pub fn paused_targets(&self) -> BTreeMap<String, Paused> {
        self.table().paused_targets.clone()
    }

    /// Writes to a target no more, also after a restart.
    pub async fn pause_target(
        self: &Arc<Self>,
        connection: &str,
        by: &str,
        why: &str,
    ) -> Result<(), AppError> {
        // What is decided here and what a reload puts into the timetable come one after the other, in the order of the
        // ledger.
        let _alone = self.reloading.lock().await;
        let paused = Paused {
            since: self.now_ms(),
            by: by.to_owned(),
            reason: Reason::new("", why),
        };
        let (name, kept) = (connection.to_owned(), paused.clone());
        let engine = &self.loaded().engine;
        let written = engine.with_ledger(move |ledger| ledger.pause_target(&name, &kept));
        written.await??;
        self.table().paused_targets.insert(connection.to_owned(), paused);
        for scheme in self.writing_to(connection) {
            self.step(Event::Hold(scheme.clone(), true));
            let table = self.table();
            for run in table.runs.values().filter(|run| run.scheme == scheme) {
                run.held.store(true, Ordering::SeqCst);
                run.cancel.cancel();
            }
        }
        Ok(())
    }

    /// Writes to a target again; says whether it did not.
    pub async fn resume_target(
        self: &Arc<Self>,
        connection: &str,
        by: &str,
        why: &str,
    ) -> Result<bool, AppError> {
        let _alone = self.reloading.lock().await;
        let (name, who, reason, now) = (
            connection.to_owned(),
            by.to_owned(),
            why.to_owned(),
            self.now_ms(),
        );
        let engine = &self.loaded().engine;
        let written = engine.with_ledger(move |ledger| ledger.resume_target(&name, &who, &reason, now));
        let was_paused = written.await??;
        self.table().paused_targets.remove(connection);
        let schemes = self.writing_to(connection);
        for scheme in &schemes {
            self.step(Event::Hold(scheme.clone(), false));
        }
        // What a run left pending when it was stopped has no instant of its own.
        self.ask_about_stored(None, |scheme| schemes.iter().any(|one| one == scheme))
            .await?;
        self.go_on_with_replays();
        Ok(was_paused)
    }

    /// Whether a scheme writes to a target that is paused.
    pub(super) fn is_held(&self, member: &Member) -> bool {
        let table = self.table();
        target_of(member).is_some_and(|target| table.paused_targets.contains_key(target))
    }

    fn writing_to(&self, connection: &str) -> Vec<String> {
        let loaded = self.loaded();
        let members = loaded.fleet.iter();
        members
            .filter(|(_, member)| target_of(member) == Some(connection))
            .map(|(id, _)| id.to_owned())
            .collect()
    }
}

fn target_of(member: &Member) -> Option<&str> {
    Some(member.plan()?.target.as_ref()?.connection.as_str())
}
