//! `check --fix`: what is sure to be meant is written into the files.
//!
//! The edits come from [`Diagnostic::fix`]. The text with them is checked again before the file is
//! touched; an edit stays only where it leaves fewer errors than there were, so that a file never gets worse.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::edit::{Edit, apply};
use dsl::yaml;

use crate::check::Checker;
use crate::error::AppError;
use crate::find::find_files;
use crate::workspace::{Places, read};

/// Checks of one file: nobody waits for more, and a second call goes on where this one ended.
const MOST: usize = 200;

/// What becomes of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Write {
    /// They are changed.
    Yes,
    /// It is only told.
    No,
}

/// A change of a file, by whole lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub file: String,
    /// The codes of the problems, each once.
    pub codes: Vec<&'static str>,
    /// The first line that changes, in the text as it was before this pass.
    pub line: usize,
    /// The lines that went.
    pub before: Vec<String>,
    /// The lines that came.
    pub after: Vec<String>,
}

/// Mends files and folders.
pub fn fix(paths: &[PathBuf], places: &Places, write: Write) -> Result<Vec<Change>, AppError> {
    let found = find_files(paths)?;
    let mut checker = Checker::new(&found, places);
    let mut changes = Vec::new();
    for path in &found {
        let file = match read(path) {
            Ok(file) => file,
            // No text: a problem that `check` tells of.
            Err(AppError::Invalid(_)) => continue,
            Err(other) => return Err(other),
        };
        let (text, own) = mend(&mut checker, path, &file)?;
        if write == Write::Yes && text.text != file.text {
            crate::files::replace(path, text.text.as_bytes())?;
        }
        changes.extend(own);
    }
    Ok(changes)
}

fn mend(
    checker: &mut Checker<'_>,
    path: &Path,
    file: &Arc<SourceFile>,
) -> Result<(Arc<SourceFile>, Vec<Change>), AppError> {
    let mut now = State::of(checker, path, Arc::clone(file))?;
    let mut changes = Vec::new();
    let mut checks = 1;
    'pass: while checks < MOST {
        let fixes = now.fixes();
        if fixes.is_empty() {
            break;
        }
        let all = fixes.iter().flat_map(|fix| fix.edits.clone()).collect();
        let next = State::of(checker, path, now.with(all))?;
        checks += 1;
        if next.is_better_by(fixes.len(), &now) {
            changes.extend(by_line(&now, &fixes));
            now = next;
            continue;
        }
        // One of them leads nowhere: each for itself. The places of the others are looked for again afterwards.
        for fix in fixes.iter().rev() {
            let next = State::of(checker, path, now.with(fix.edits.clone()))?;
            checks += 1;
            if next.is_better_by(1, &now) {
                changes.extend(by_line(&now, std::slice::from_ref(fix)));
                now = next;
                continue 'pass;
            }
            if checks >= MOST {
                break;
            }
        }
        break;
    }
    Ok((now.file, changes))
}

/// The edits that mend one problem, and its code.
struct Fix {
    code: &'static str,
    edits: Vec<Edit>,
}

impl Fix {
    fn begins(&self) -> usize {
        self.edits
            .iter()
            .map(|edit| edit.span.start)
            .min()
            .unwrap_or_default()
    }
}

/// A text and what is wrong with it.
struct State {
    file: Arc<SourceFile>,
    problems: Vec<Diagnostic>,
    is_yaml: bool,
}

impl State {
    fn of(checker: &mut Checker<'_>, path: &Path, file: Arc<SourceFile>) -> Result<Self, AppError> {
        Ok(State {
            problems: checker.with_text(path, &file)?,
            is_yaml: yaml::read_all(&file).node.is_some(),
            file,
        })
    }

    fn with(&self, edits: Vec<Edit>) -> Arc<SourceFile> {
        SourceFile::new(self.file.name.as_str(), apply(&self.file.text, edits))
    }

    fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.problems.iter().filter(|one| one.is_error())
    }

    /// The edits of this file that do not overlap, in its order.
    fn fixes(&self) -> Vec<Fix> {
        let fix = |one: &Diagnostic| {
            let edits = one.fix()?;
            Some(Fix {
                code: one.entry.code,
                edits,
            })
        };
        let own = self.errors().filter(|one| one.file.text == self.file.text);
        let mut found: Vec<Fix> = own.filter_map(fix).collect();
        found.sort_by_key(Fix::begins);
        let mut taken: Vec<Edit> = Vec::new();
        found.retain(|fix| {
            let meets = |edit: &Edit| {
                taken
                    .iter()
                    .any(|other| edit.span.start <= other.span.end && other.span.start <= edit.span.end)
            };
            let is_free = !fix.edits.iter().any(meets);
            if is_free {
                taken.extend(fix.edits.iter().cloned());
            }
            is_free
        });
        found
    }

    /// Whether so many errors fewer are left; of a text that could not be read at all, whether it can be now, or goes
    /// wrong further on only.
    fn is_better_by(&self, fixed: usize, before: &State) -> bool {
        let first = |state: &State| state.errors().map(|one| one.span.start).min();
        match (before.is_yaml, self.is_yaml) {
            (true, false) => false,
            (false, true) => true,
            (true, true) => self.errors().count() + fixed <= before.errors().count(),
            (false, false) => match (first(self), first(before)) {
                (Some(now), Some(before)) => self.file.position(now).0 > self.file.position(before).0,
                _ => false,
            },
        }
    }
}

/// What fixes change, those that begin in one line together.
fn by_line(before: &State, fixes: &[Fix]) -> Vec<Change> {
    let line = |fix: &Fix| before.file.position(fix.begins()).0;
    let same = |one: &Fix, other: &Fix| line(one) == line(other);
    let groups = fixes.chunk_by(same).map(|group| {
        let edits = group.iter().flat_map(|fix| fix.edits.clone()).collect();
        let mut codes: Vec<&'static str> = group.iter().map(|fix| fix.code).collect();
        codes.dedup();
        change(&before.file, &before.with(edits), codes)
    });
    groups.collect()
}

/// The lines in which two texts differ.
fn change(before: &SourceFile, after: &SourceFile, codes: Vec<&'static str>) -> Change {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.text.lines().collect(), after.text.lines().collect());
    let same =
        |one: &mut dyn Iterator<Item = (&&str, &&str)>| one.take_while(|(one, other)| one == other).count();
    let head = same(&mut old.iter().zip(&new));
    let tail = same(&mut old[head..].iter().rev().zip(new[head..].iter().rev()));
    let lines = |all: &[&str]| {
        all[head..all.len() - tail]
            .iter()
            .map(|line| (*line).to_owned())
            .collect()
    };
    Change {
        file: before.name.clone(),
        codes,
        line: head + 1,
        before: lines(&old),
        after: lines(&new),
    }
}
