//! Runs as a server tells them; one that is asked for, and one that is stopped.

use std::time::Duration;

use app::{AppError, Cancel};
use dsl::Value;
use flow::ids::{RunId, WindowId};
use flow::op::{Counts, Trigger};
use flow::timetable::Half;
use ledger::read::{AuditRow, RunFilter, RunLife, RunRow, WindowRow};

use super::{Doc, MOST_PAGES, PAGE, Remote, records};
use crate::cli::ended;
use crate::cli::json::object;
use crate::cli::time;

/// How often is looked how a run goes on.
const LOOK: Duration = Duration::from_millis(500);
/// Looks at whether a run has begun: as long as ten minutes. One that has waited that long for its place among others is
/// begun later, with nobody watching.
const LOOKS: u32 = 1_200;

/// Newest runs among which the one that was asked for is looked for: those that came first are gone on with, one after
/// the other, and one look is half a second after the other.
const SINCE: u32 = 50;

/// What became of a run that was asked for.
pub(crate) enum Begun {
    /// It ended so.
    Ended(Box<RunLife>),
    /// It waits for its place.
    Waits,
    /// The person who watched went away; it goes on.
    Left,
}

impl Remote {
    /// Runs, newest first.
    pub(crate) fn runs(&self, filter: &RunFilter, limit: u32) -> Result<Vec<RunRow>, AppError> {
        let mut query: Vec<(&str, String)> = Vec::new();
        let mut add = |name, value: Option<String>| query.extend(value.map(|value| (name, value)));
        add("scheme", filter.scheme.clone());
        let running = filter.running.then(|| "running".to_owned());
        add(
            "status",
            filter.status.map(|status| status.word().to_owned()).or(running),
        );
        add("since", filter.since.map(time::rfc3339));
        let most = match limit {
            0 => MOST_PAGES * PAGE as usize,
            limit => limit as usize,
        };
        let (items, _) = self.list("/runs", &query, most)?;
        if items.is_empty() {
            self.knows(filter.scheme.as_deref())?;
        }
        items.iter().map(|item| run(self.doc(item))).collect()
    }

    /// What a run did.
    pub(crate) fn run(&self, id: RunId) -> Result<RunLife, AppError> {
        let body = self.get(&format!("/runs/{}", id.0), &[])?;
        life(self.doc(&body))
    }

    /// Who wanted a replay and why, where the token may know.
    pub(crate) fn decision_of(&self, run: &RunRow) -> Result<Option<AuditRow>, AppError> {
        if run.trigger != Trigger::Replay.word() {
            return Ok(None);
        }
        let query = [
            ("scheme", run.scheme.clone()),
            ("action", Trigger::Replay.word().to_owned()),
        ];
        let items = match self.list("/audit", &query, PAGE as usize) {
            Ok((items, _)) => items,
            Err(AppError::Answered(answer)) if answer.status == 403 => return Ok(None),
            Err(other) => return Err(other),
        };
        for item in &items {
            let row = records::audit(self.doc(item))?;
            if row.at <= run.started {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The last lines of the log about a run, each as it stands there, and whether there are more before them.
    pub(crate) fn log(
        &self,
        run: i64,
        level: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<String>, bool), AppError> {
        let mut query = vec![("limit", limit.clamp(1, PAGE).to_string())];
        query.extend(level.map(|level| ("level", level.to_owned())));
        let body = self.get(&format!("/runs/{run}/log"), &query)?;
        let doc = self.doc(&body);
        let mut lines = Vec::new();
        for line in doc.docs("lines")? {
            let mut members = dsl::Map::new();
            for name in ["at", "level", "message"] {
                members.insert(name.to_owned(), line.value(name));
            }
            if let Value::Map(fields) = line.value("fields") {
                members.extend(fields);
            }
            lines.push(dsl::json::to_string(&Value::Map(members)));
        }
        Ok((lines, doc.is("more")?))
    }

    /// Asks a run to end where that is safe.
    pub(crate) fn cancel(&self, id: RunId) -> Result<(), AppError> {
        self.post(&format!("/runs/{}/cancel", id.0), None).map(|_| ())
    }

    /// Waits for the end of a run; `None` = whoever watched went away.
    pub(crate) fn ended(&self, id: RunId, cancel: &Cancel) -> Result<Option<RunLife>, AppError> {
        // Bounded by the run, which ends by itself or with its server, which then does not answer.
        loop {
            let life = self.run(id)?;
            if life.run.ended.is_some() {
                return Ok(Some(life));
            }
            if !self.watches(cancel) {
                return Ok(None);
            }
        }
    }

    /// Whoever watches may go away.
    pub(crate) fn watching(&self) -> Cancel {
        let (_inside, cancel) = (self.runtime.enter(), Cancel::default());
        ended::watch(cancel.clone());
        cancel
    }

    /// Has a scheme run, and waits for its end.
    pub(crate) fn begin(&self, scheme: &str, half: Half, cancel: &Cancel) -> Result<Begun, AppError> {
        let of_scheme = RunFilter {
            scheme: Some(scheme.to_owned()),
            ..RunFilter::default()
        };
        let before = self.runs(&of_scheme, 1)?.first().map_or(RunId(0), |run| run.run);
        let path = format!("/schemes/{}/actions/run", super::escaped(scheme));
        self.post(&path, Some(&object! {"half" => half.word()}))?;
        for _ in 0..LOOKS {
            if let Some(run) = asked_for(&self.runs(&of_scheme, SINCE)?, before) {
                return Ok(match self.ended(run, cancel)? {
                    Some(life) => Begun::Ended(Box::new(life)),
                    None => Begun::Left,
                });
            }
            if !self.watches(cancel) {
                return Ok(Begun::Left);
            }
        }
        Ok(Begun::Waits)
    }

    /// Waits a moment; `false` = Ctrl-C or SIGTERM came.
    fn watches(&self, cancel: &Cancel) -> bool {
        self.runtime.block_on(async {
            tokio::select! {
                () = cancel.wait() => false,
                () = tokio::time::sleep(LOOK) => true,
            }
        })
    }
}

/// The first run by hand after those that were there before. What the service begins by itself in between, as what an
/// earlier run left open, is not what was asked for.
fn asked_for(newest_first: &[RunRow], before: RunId) -> Option<RunId> {
    let by_hand = |run: &&RunRow| run.run > before && run.trigger == Trigger::Manual.word();
    newest_first.iter().rev().find(by_hand).map(|run| run.run)
}

pub(super) fn run(doc: Doc<'_>) -> Result<RunRow, AppError> {
    Ok(RunRow {
        run: RunId(doc.number("run")?),
        scheme: doc.text("scheme")?,
        revision: doc.text("revision")?,
        trigger: doc.text("trigger")?,
        started: doc.at("started")?,
        ended: doc.at_or_none("ended")?,
        status: doc.text("status")?,
        reason: doc.reason("reason")?,
        counts: doc
            .doc_or_none("counts")
            .map(|counts| counts.counts())
            .transpose()?,
    })
}

fn life(doc: Doc<'_>) -> Result<RunLife, AppError> {
    let now: Counts = doc.doc("counts_now")?.counts()?;
    let windows: Result<Vec<WindowRow>, AppError> = doc.docs("windows")?.into_iter().map(window).collect();
    let closed: Result<Vec<_>, AppError> = doc.docs("read")?.iter().map(Doc::interval).collect();
    Ok(RunLife {
        run: run(doc.doc("run")?)?,
        now,
        windows: windows?,
        closed: closed?,
    })
}

fn window(doc: Doc<'_>) -> Result<WindowRow, AppError> {
    Ok(WindowRow {
        window: WindowId(0),
        asked: doc.interval_or_none()?,
        cursor: doc.text("cursor")?,
        state: doc.text("state")?,
        page: doc.count("pages")?,
        seen: doc.count("rows")?,
        total: doc
            .number_or_none("total")?
            .map(|_| doc.count("total"))
            .transpose()?,
        closed: doc
            .doc_or_none("closed")
            .map(|closed| closed.interval())
            .transpose()?,
        ended: doc.at_or_none("ended")?,
        reason: doc.reason("reason")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_have_no_stretch_of_time() {
        let read = |from: &str, to: &str| {
            let text = format!(
                r#"{{"from":{from},"to":{to},"cursor":"inbox","state":"closed","pages":1,"rows":2,"total":null,"closed":null,"ended":null,"reason":null}}"#
            );
            let value = dsl::json::parse(text.as_bytes()).unwrap();
            window(Doc::new(&value, "http://x")).map(|row| row.asked)
        };
        assert_eq!(read("null", "null").unwrap(), None);
        let (from, to) = (r#""1970-01-01T00:00:00.000Z""#, r#""1970-01-01T00:00:01.000Z""#);
        assert!(read(from, to).unwrap().is_some());
        assert!(read(from, "null").is_err() && read(from, from).is_err());
    }

    #[test]
    fn the_run_that_was_asked_for() {
        let run = |(number, trigger): &(i64, Trigger)| RunRow {
            run: RunId(*number),
            scheme: "s".to_owned(),
            revision: String::new(),
            trigger: trigger.word().to_owned(),
            started: 0,
            ended: None,
            status: "running".to_owned(),
            reason: None,
            counts: None,
        };
        use Trigger::{Manual, Push, Replay, Schedule};
        for (runs, want) in [
            (&[][..], None),
            (&[(7, Manual)], None),
            (&[(8, Manual), (7, Manual)], Some(8)),
            // What was left open is gone on with first.
            (&[(8, Schedule), (7, Manual)], None),
            (&[(9, Manual), (8, Schedule), (7, Manual)], Some(9)),
            // Whoever asks after us has the next one.
            (&[(11, Manual), (10, Push), (9, Manual), (8, Replay)], Some(9)),
        ] {
            let runs: Vec<RunRow> = runs.iter().map(run).collect();
            assert_eq!(asked_for(&runs, RunId(7)), want.map(RunId), "{runs:?}");
        }
    }
}
