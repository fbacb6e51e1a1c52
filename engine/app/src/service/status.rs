//! How the schemes of a service stand.

use std::sync::Arc;

use flow::ids::Ms;
use flow::timetable::{Paused, Status};
use ledger::read::{RunFilter, RunRow};

use super::fleet::Member;
use super::{Service, Underway};
use crate::error::AppError;

/// How one scheme stands.
#[derive(Debug, Clone)]
pub struct SchemeStatus {
    /// Its id in the folder.
    pub id: String,
    /// Its file.
    pub member: Arc<Member>,
    /// `enabled`, `draft`, `paused` or `invalid`.
    pub word: &'static str,
    /// Its pause.
    pub paused: Option<Paused>,
    /// When its halves are due.
    pub halves: Vec<Status>,
    /// Its run that is under way.
    pub running: Option<Arc<Underway>>,
    /// Its newest run.
    pub last: Option<RunRow>,
    /// When a run of it last ended well.
    pub last_ok: Option<Ms>,
    /// Records by state, in the order of `RecordState::ALL`.
    pub states: [u64; 7],
    /// Up to where its source was read for good; `None` = never, or it has no window.
    pub watermark: Option<Ms>,
    /// Stored rows of another scheme that it has not taken; `None` = it takes none.
    pub rows_behind: Option<u64>,
}

impl SchemeStatus {
    /// How far it is behind, where that can be said.
    pub fn lag_ms(&self, now: Ms) -> Option<Ms> {
        self.watermark.map(|watermark| (now - watermark).max(0))
    }

    /// When it is due next.
    pub fn next_due(&self) -> Option<Ms> {
        self.halves.iter().filter_map(|half| half.due).min()
    }
}

impl Service {
    /// How one scheme stands.
    pub fn status_of(&self, id: &str) -> Result<SchemeStatus, AppError> {
        let member = self.there(id)?;
        self.one(id, member)
    }

    /// How all stand, by id. `after` and `limit` make pages of it: each costs some questions to the ledger.
    pub fn statuses(&self, after: Option<&str>, limit: usize) -> Result<Vec<SchemeStatus>, AppError> {
        let loaded = self.loaded();
        let behind = loaded
            .fleet
            .iter()
            .filter(|(id, _)| after.is_none_or(|after| *id > after));
        behind
            .take(limit)
            .map(|(id, member)| self.one(id, Arc::clone(member)))
            .collect()
    }

    fn one(&self, id: &str, member: Arc<Member>) -> Result<SchemeStatus, AppError> {
        let loaded = self.loaded();
        let reader = loaded.engine.reader();
        let newest = |status| {
            let filter = RunFilter {
                scheme: Some(id.to_owned()),
                status,
                limit: 1,
                ..RunFilter::default()
            };
            Ok::<_, AppError>(reader.list_runs(&filter)?.pop())
        };
        let (halves, running) = {
            let table = self.table();
            let running = table.runs.values().find(|run| run.scheme == id);
            (table.timetable.status(id), running.map(Arc::clone))
        };
        let paused = halves.iter().find_map(|half| half.paused.clone());
        let last_ok = newest(Some(flow::op::RunStatus::Ok))?.and_then(|run| run.ended);
        Ok(SchemeStatus {
            id: id.to_owned(),
            word: if paused.is_some() { "paused" } else { member.word() },
            paused,
            halves,
            running,
            last: newest(None)?,
            last_ok,
            states: reader.states(id)?,
            rows_behind: reader.rows_behind(id)?,
            watermark: reader.closed_intervals(id)?.last().map(|interval| interval.to),
            member,
        })
    }
}
