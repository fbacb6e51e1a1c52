//! `engine fmt`: files in one layout.
//!
//! [`dsl::layout`] has the rules and proves that values and comments are the same; here files are found and written.

use std::path::PathBuf;
use std::sync::Arc;

use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::layout::{self, NotFormatted};
use dsl::yaml;

use crate::check::{FileKind, recognise};
use crate::error::AppError;
use crate::find::find_files;
use crate::fix::Write;
use crate::workspace::read;

/// A file and what became of it.
#[derive(Debug)]
pub struct Laid {
    /// As it was found.
    pub path: String,
    /// What it is; `None` for YAML of somebody else, which is not touched.
    pub kind: Option<FileKind>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a file.
#[derive(Debug)]
pub enum Outcome {
    /// There was nothing to do.
    Same,
    /// It was written, or would be.
    Changed,
    /// It is not touched.
    Left(Why),
}

/// Why a file is not touched.
#[derive(Debug)]
pub enum Why {
    /// It is none of the files that this engine reads.
    Foreign,
    /// There are errors in it.
    Errors(Vec<Diagnostic>),
    /// It is written in a manner for which there are no rules.
    Unknown,
    /// It would not be read as the same.
    Differs,
}

impl Why {
    /// The word in machine-readable output.
    pub fn word(&self) -> &'static str {
        match self {
            Why::Foreign => "foreign",
            Why::Errors(_) => "errors",
            Why::Unknown => "unknown",
            Why::Differs => "differs",
        }
    }
}

/// Formats files and folders.
pub fn format(paths: &[PathBuf], write: Write) -> Result<Vec<Laid>, AppError> {
    let mut all = Vec::new();
    for path in find_files(paths)? {
        let mut laid = Laid {
            path: path.display().to_string(),
            kind: None,
            outcome: Outcome::Same,
        };
        match read(&path) {
            Ok(file) => {
                let node = yaml::read_all(&file).node;
                laid.kind = node.as_ref().and_then(|node| recognise(node, &file).ok());
                laid.outcome = match (node, laid.kind) {
                    (Some(_), None) => Outcome::Left(Why::Foreign),
                    _ => match text(&file) {
                        Ok(new) if new == file.text => Outcome::Same,
                        Ok(new) => {
                            if write == Write::Yes {
                                crate::files::replace(&path, new.as_bytes())?;
                            }
                            Outcome::Changed
                        }
                        Err(why) => Outcome::Left(why),
                    },
                };
            }
            Err(AppError::Invalid(problems)) => laid.outcome = Outcome::Left(Why::Errors(problems)),
            Err(other) => return Err(other),
        }
        all.push(laid);
    }
    Ok(all)
}

/// A text in the layout of all files.
pub fn text(file: &Arc<SourceFile>) -> Result<String, Why> {
    layout::format(file).map_err(|why| match why {
        NotFormatted::Unreadable(problems) => Why::Errors(problems),
        NotFormatted::Unknown => Why::Unknown,
        NotFormatted::Differs => Why::Differs,
    })
}
