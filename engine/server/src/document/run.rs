//! Runs, and what one did.

use dsl::Lang;
use flow::window::Interval;
use ledger::read::{RunLife, RunRow, WindowRow};
use serde::Serialize;
use utoipa::ToSchema;

use super::{CountsDoc, IntervalDoc, ReasonDoc, list};
use crate::time;

/// One execution of a scheme.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Run)]
pub(crate) struct RunDoc {
    /// Its number.
    run: i64,
    /// Its scheme.
    scheme: String,
    /// Revision of the scheme's file.
    revision: String,
    /// Why it was started.
    trigger: String,
    #[schema(format = DateTime)]
    started: String,
    /// null = it goes on.
    #[schema(format = DateTime)]
    ended: Option<String>,
    /// `running`, `ok`, `partial`, `failed` or `canceled`.
    status: String,
    /// Why it ended so.
    reason: Option<ReasonDoc>,
    /// Fixed at its end.
    counts: Option<CountsDoc>,
}

impl RunDoc {
    pub(crate) fn of(row: &RunRow, lang: Lang) -> Self {
        RunDoc {
            run: row.run.0,
            scheme: row.scheme.clone(),
            revision: row.revision.clone(),
            trigger: row.trigger.clone(),
            started: time::text(row.started),
            ended: row.ended.map(time::text),
            status: row.status.clone(),
            reason: ReasonDoc::of(row.reason.as_ref(), lang),
            counts: row.counts.as_ref().map(CountsDoc::from),
        }
    }
}

list! {
    /// Runs, newest first.
    RunList, RunDoc
}

/// What a run did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunLife)]
pub(crate) struct RunLifeDoc {
    run: RunDoc,
    /// Its sightings as they are now.
    counts_now: CountsDoc,
    windows: Vec<WindowDoc>,
    /// What has been read for good, in order.
    read: Vec<IntervalDoc>,
    /// What lies between.
    gaps: Vec<IntervalDoc>,
}

impl RunLifeDoc {
    pub(crate) fn of(life: &RunLife, lang: Lang) -> Self {
        let pairs = life.closed.windows(2);
        let gaps = pairs.filter_map(|pair| Interval::new(pair[0].to, pair[1].from));
        RunLifeDoc {
            run: RunDoc::of(&life.run, lang),
            counts_now: CountsDoc::from(&life.now),
            windows: life
                .windows
                .iter()
                .map(|window| WindowDoc::of(window, lang))
                .collect(),
            gaps: gaps.map(IntervalDoc::from).collect(),
            read: life.closed.iter().copied().map(IntervalDoc::from).collect(),
        }
    }
}

/// A stretch of time that was asked for, page by page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Window)]
pub(crate) struct WindowDoc {
    /// null where the other system sent by itself.
    #[schema(format = DateTime)]
    from: Option<String>,
    #[schema(format = DateTime)]
    to: Option<String>,
    cursor: String,
    state: String,
    pages: u32,
    rows: u64,
    total: Option<u64>,
    closed: Option<IntervalDoc>,
    #[schema(format = DateTime)]
    ended: Option<String>,
    reason: Option<ReasonDoc>,
}

impl WindowDoc {
    fn of(window: &WindowRow, lang: Lang) -> Self {
        WindowDoc {
            from: window.asked.map(|asked| time::text(asked.from)),
            to: window.asked.map(|asked| time::text(asked.to)),
            cursor: window.cursor.clone(),
            state: window.state.to_string(),
            pages: window.page,
            rows: window.seen,
            total: window.total,
            closed: window.closed.map(IntervalDoc::from),
            ended: window.ended.map(time::text),
            reason: ReasonDoc::of(window.reason.as_ref(), lang),
        }
    }
}
