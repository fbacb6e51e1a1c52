//! `test`: the cases that schemes and connectors carry in their own files. No network, no ledger, a fixed instant.

mod recorded;
mod update;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::NoSecrets;
use dsl::diagnostic::{Diagnostic, Lang, SourceFile};
use dsl::facts::Text2;
use dsl::testing::{self, Difference};
use dsl::yaml;

use crate::check::{FileKind, recognise};
use crate::error::AppError;
use crate::find::find_files;
use crate::workspace::{Places, Workspace, read};

pub use update::Updated;

/// What was tested, and how it went.
#[derive(Debug, Default)]
pub struct TestReport {
    /// Files looked at.
    pub files: usize,
    /// One per case, in the order of the files.
    pub results: Vec<TestResult>,
    /// Problems of files that cannot be tested because they do not compile.
    pub diagnostics: Vec<Diagnostic>,
    /// What was written into which file, when writing was asked for.
    pub updated: Vec<(String, Updated)>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct TestResult {
    /// The file it stands in.
    pub file: String,
    /// Where it begins, from 1; `None` for tests of connectors.
    pub line: Option<usize>,
    /// Its name.
    pub name: String,
    /// What is not as expected; empty when it passed.
    pub differences: Vec<Gap>,
}

/// One thing that is not as expected.
#[derive(Debug, Clone)]
pub enum Gap {
    /// Of a document that a scheme makes.
    Document(Difference),
    /// Of what a connector makes of an answer or a request.
    Connector(Text2),
    /// Of what a recorded run does today.
    Recording(Text2),
}

impl Gap {
    /// One line for a person.
    pub fn line(&self, lang: Lang) -> String {
        match self {
            Gap::Document(difference) => difference.line(lang),
            Gap::Connector(text) | Gap::Recording(text) => text.get(lang).to_owned(),
        }
    }
}

impl TestResult {
    /// Whether it is as expected.
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs the cases of files and folders whose name, or whose file, contains the filter. With `update`, `expect` of the
/// schemes' tests that fail is written first.
pub fn test(
    paths: &[PathBuf],
    filter: Option<&str>,
    update: bool,
    places: &Places,
) -> Result<TestReport, AppError> {
    let mut report = TestReport::default();
    for path in find_files(paths)? {
        let mut file = read(&path)?;
        if update && let Some(new) = updated(&path, &file, filter, places, &mut report)? {
            file = new;
        }
        match yaml::read(&file).map(|node| recognise(&node, &file)) {
            Ok(Ok(FileKind::Scheme)) => of_scheme(&path, &file, places, &mut report)?,
            Ok(Ok(FileKind::Connector)) => of_connector(&file, &mut report),
            // Connections carry no cases.
            Ok(Ok(FileKind::Connections | FileKind::Notify | FileKind::Object)) => {}
            Ok(Err(problem)) => report.diagnostics.push(*problem),
            Err(problems) => report.diagnostics.extend(problems),
        }
        report.files += 1;
    }
    if let Some(filter) = filter {
        report
            .results
            .retain(|result| result.name.contains(filter) || result.file.contains(filter));
        if report.results.is_empty() && report.diagnostics.is_empty() {
            return Err(AppError::wrong_use(
                format!("没有名称包含 `{filter}` 的测试"),
                format!("no test has `{filter}` in its name"),
            ));
        }
    }
    Ok(report)
}

/// Writes what the tests of a scheme should expect. Gives the new file if there is one.
fn updated(
    path: &Path,
    file: &Arc<SourceFile>,
    filter: Option<&str>,
    places: &Places,
    report: &mut TestReport,
) -> Result<Option<Arc<SourceFile>>, AppError> {
    let is_scheme = yaml::read(file).is_ok_and(|node| matches!(recognise(&node, file), Ok(FileKind::Scheme)));
    if !is_scheme {
        return Ok(None);
    }
    // What keeps a file from being tested is told when it is tested.
    let Ok(mut workspace) = Workspace::load(path, places.clone(), None, Box::new(NoSecrets)) else {
        return Ok(None);
    };
    workspace.look_at_samples();
    let (Some(plan), _) = workspace.check(file) else {
        return Ok(None);
    };
    let wanted = |name: &str| filter.is_none_or(|filter| name.contains(filter) || file.name.contains(filter));
    let mut done = update::update(path, file, &workspace, &plan, &wanted)?;
    let changed = !done.written.is_empty();
    recorded::update(file, workspace, plan, &wanted, &mut done)?;
    let is_written = !done.written.is_empty();
    if is_written || !done.left.is_empty() {
        report.updated.push((file.name.clone(), done));
    }
    changed.then(|| read(path)).transpose()
}

fn of_scheme(
    path: &Path,
    file: &Arc<SourceFile>,
    places: &Places,
    report: &mut TestReport,
) -> Result<(), AppError> {
    let mut workspace = match Workspace::load(path, places.clone(), None, Box::new(NoSecrets)) {
        Ok(workspace) => workspace,
        Err(AppError::Invalid(problems)) => {
            report.diagnostics.extend(problems);
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    for problem in workspace.look_at_samples() {
        let same = |known: &Diagnostic| known.file.name == problem.file.name;
        if !report.diagnostics.iter().any(same) {
            report.diagnostics.push(problem);
        }
    }
    let (plan, problems) = workspace.check(file);
    let Some(plan) = plan else {
        report.diagnostics.extend(problems);
        return Ok(());
    };
    let mut results = Vec::new();
    for case in &plan.tests {
        let outcome = testing::run(&plan, case);
        results.push(TestResult {
            file: file.name.clone(),
            line: Some(file.position(case.span.start).0),
            name: outcome.name,
            differences: outcome.diff.into_iter().map(Gap::Document).collect(),
        });
    }
    results.extend(recorded::run(file, workspace, plan, &mut report.diagnostics)?);
    results.sort_by_key(|result| result.line);
    report.results.extend(results);
    Ok(())
}

pub(crate) fn of_connector(file: &Arc<SourceFile>, report: &mut TestReport) {
    match connector::load(file, &functions::registry()) {
        Ok(connector) => {
            for outcome in connector::tests::run(&Arc::new(connector)) {
                report.results.push(TestResult {
                    file: file.name.clone(),
                    line: None,
                    name: outcome.name,
                    differences: outcome.problems.into_iter().map(Gap::Connector).collect(),
                });
            }
        }
        Err(problems) => report.diagnostics.extend(problems),
    }
}
