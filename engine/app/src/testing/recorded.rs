//! Tests that replay a recording: the whole flow, from the first page to the last verdict, without any system.

use std::sync::Arc;

use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::plan::{Plan, RecordingTest};

use super::{Gap, TestResult, Updated};
use crate::error::AppError;
use crate::recording::{self, Recording, Replayed, in_words};
use crate::tape::Match;
use crate::workspace::Workspace;

/// The workspace and the plan, for one replay after the other.
struct Desk {
    runtime: tokio::runtime::Runtime,
    workspace: Arc<Workspace>,
    plan: Arc<Plan>,
}

impl Desk {
    /// `None` when there is nothing to replay.
    fn of(workspace: Workspace, plan: Plan) -> Result<Option<Desk>, AppError> {
        if plan.recordings.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Ok(Some(Desk {
            runtime: runtime.map_err(|error| AppError::bug(format!("no runtime: {error}")))?,
            workspace: Arc::new(workspace),
            plan: Arc::new(plan),
        }))
    }

    fn replay(&mut self, recording: &Recording) -> Result<Replayed, AppError> {
        let replay = recording::replay(recording, &self.workspace, &self.plan, Match::Request);
        self.runtime.block_on(replay)
    }
}

/// Replays the recordings of a scheme's tests; those that cannot be read are told as problems of the file.
pub(super) fn run(
    file: &Arc<SourceFile>,
    workspace: Workspace,
    plan: Plan,
    problems: &mut Vec<Diagnostic>,
) -> Result<Vec<TestResult>, AppError> {
    let Some(mut desk) = Desk::of(workspace, plan)? else {
        return Ok(Vec::new());
    };
    let mut results = Vec::new();
    for test in &Arc::clone(&desk.plan).recordings {
        match recording::open(file, &desk.plan.scheme, test) {
            Err(problem) => problems.push(*problem),
            Ok((_, recording)) => {
                let gaps = match desk.replay(&recording) {
                    Ok(replayed) => recording::compare(&recording, &replayed),
                    Err(error) => vec![in_words(&error)],
                };
                results.push(TestResult {
                    file: file.name.clone(),
                    line: Some(file.position(test.span.start).0),
                    name: test.name.clone(),
                    differences: gaps.into_iter().map(Gap::Recording).collect(),
                });
            }
        }
    }
    Ok(results)
}

/// Writes what recorded runs do today into their recordings.
pub(super) fn update(
    file: &Arc<SourceFile>,
    workspace: Workspace,
    plan: Plan,
    wanted: &dyn Fn(&str) -> bool,
    done: &mut Updated,
) -> Result<(), AppError> {
    let Some(mut desk) = Desk::of(workspace, plan)? else {
        return Ok(());
    };
    for test in &Arc::clone(&desk.plan).recordings {
        if wanted(&test.name) {
            one(file, &mut desk, test, done)?;
        }
    }
    Ok(())
}

fn one(
    file: &Arc<SourceFile>,
    desk: &mut Desk,
    test: &RecordingTest,
    done: &mut Updated,
) -> Result<(), AppError> {
    // What cannot be read is told when it is tested.
    let Ok((path, recording)) = recording::open(file, &desk.plan.scheme, test) else {
        return Ok(());
    };
    let replayed = match desk.replay(&recording) {
        Ok(replayed) => replayed,
        Err(error) => {
            done.left.push((test.name.clone(), in_words(&error)));
            return Ok(());
        }
    };
    if recording::compare(&recording, &replayed).is_empty() {
        return Ok(());
    }
    match recording::renewed(recording, replayed) {
        Ok((renewed, text)) => {
            // The new file is replayed before anyone sees it.
            let again = desk.replay(&renewed)?;
            match recording::compare(&renewed, &again).into_iter().next() {
                None => {
                    crate::files::replace(&path, text.as_bytes())?;
                    done.written.push(test.name.clone());
                }
                Some(why) => done.left.push((test.name.clone(), why)),
            }
        }
        Err(why) => done.left.push((test.name.clone(), why)),
    }
    Ok(())
}
