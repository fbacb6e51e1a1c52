//! The texts of schemes over time: which were in force, putting another one in force, and going back.
//!
//! The file in the folder is what runs. Its text is kept in the ledger when it is first seen by a run or by a service, so
//! that each attempt leads to the text that made it, whoever changed the file and how. What a person puts in force by
//! [`deploy`] carries a name and a reason as well; what stood there before is kept first, so nothing that was in force
//! is lost.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::plan::Plan;
use flow::ids::Ms;
use flow::op::AuditNote;
use ledger::service::revisions::{NewRevision, RevisionRow, Which};
use ledger::{Ledger, Reader};

use crate::error::AppError;
use crate::files::replace;
use crate::workspace::{Workspace, read};

/// Lines of both texts whose product is compared one by one; beyond, the middle is told as replaced as a whole.
const COMPARED: usize = 4_000_000;

/// The texts of plans as they were found in the folder.
pub(crate) fn found(workspace: &Workspace, plans: &[Arc<Plan>]) -> Vec<NewRevision> {
    let of = |plan: &Arc<Plan>| {
        let file = workspace.text_of(&plan.scheme)?;
        Some(NewRevision {
            scheme: plan.scheme.clone(),
            hash: plan.revision.clone(),
            who: String::new(),
            message: String::new(),
            text: file.text.clone(),
        })
    };
    plans.iter().filter_map(of).collect()
}

/// What is put in force, checked.
pub struct Deployment {
    /// The scheme.
    pub scheme: String,
    /// Where it goes.
    pub target: PathBuf,
    /// The text that stands there now.
    pub before: Option<String>,
    /// The text.
    pub text: String,
    /// Its hash.
    pub hash: String,
    /// Warnings of the check.
    pub warnings: Vec<Diagnostic>,
    before_hash: Option<String>,
}

impl Deployment {
    /// Whether the text stands there already.
    pub fn is_there(&self) -> bool {
        self.before.as_deref() == Some(self.text.as_str())
    }
}

/// Checks a scheme file as if it stood in the folder of the workspace. It takes the place of the file with the same
/// scheme id, or stands there under its own name.
pub fn check_file(workspace: &Workspace, folder: &Path, file: &Path) -> Result<Deployment, AppError> {
    let given = read(file)?;
    // Which scheme it is, is known once it is read; until then it stands under its own name.
    let (plan, problems) = workspace.check(&given);
    let id = dsl::yaml::read_all(&given)
        .node
        .and_then(|node| Some(node.get("scheme")?.value.text()?.to_owned()));
    let Some(id) = id.or_else(|| plan.as_ref().map(|plan| plan.scheme.clone())) else {
        return Err(AppError::Invalid(problems));
    };
    let name = file
        .file_name()
        .map_or_else(|| PathBuf::from("scheme.yaml"), PathBuf::from);
    let target = workspace.file_of(&id).unwrap_or_else(|| folder.join(name));
    check_text(workspace, &target, &given.text)
}

/// Checks a text as if it stood in a file of the folder.
pub fn check_text(workspace: &Workspace, target: &Path, text: &str) -> Result<Deployment, AppError> {
    let file = SourceFile::new(target.display().to_string(), text);
    let (plan, problems) = workspace.check(&file);
    let Some(plan) = plan else {
        return Err(AppError::Invalid(problems));
    };
    let before = match target.exists() {
        true => Some(read(target)?),
        false => None,
    };
    if let Some(before) = &before {
        let there = dsl::yaml::read_all(before)
            .node
            .and_then(|node| Some(node.get("scheme")?.value.text()?.to_owned()));
        if there.as_deref().is_some_and(|there| there != plan.scheme) {
            let shown = target.display();
            return Err(AppError::wrong_use(
                format!("{shown} 是另一个方案;请换一个文件名"),
                format!("{shown} is another scheme; give the file another name"),
            ));
        }
    }
    Ok(Deployment {
        scheme: plan.scheme.clone(),
        target: target.to_owned(),
        before_hash: before.as_deref().map(|file| hash_of(&file.text)),
        before: before.map(|file| file.text.clone()),
        text: text.to_owned(),
        hash: plan.revision.clone(),
        warnings: problems,
    })
}

/// What a run of this text carries.
pub fn hash_of(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Puts a text in force: the file is replaced as a whole, then what was done is noted. Gives its number.
pub fn deploy(ledger: &mut Ledger, what: &Deployment, note: &AuditNote, now: Ms) -> Result<u32, AppError> {
    replace(&what.target, what.text.as_bytes())?;
    let revision = |text: &str, hash: &str, who: &str, message: &str| NewRevision {
        scheme: what.scheme.clone(),
        hash: hash.to_owned(),
        who: who.to_owned(),
        message: message.to_owned(),
        text: text.to_owned(),
    };
    let before = what
        .before
        .as_deref()
        .zip(what.before_hash.as_deref())
        .map(|(text, hash)| revision(text, hash, "", ""));
    let new = revision(&what.text, &what.hash, &note.who, &note.reason);
    Ok(ledger.deploy_revision(before.as_ref(), &new, note, now)?)
}

/// A revision, or an error that says which there are.
pub fn there(reader: &Reader, scheme: &str, seq: u32) -> Result<RevisionRow, AppError> {
    if let Some(found) = reader.revision(scheme, Which::Seq(seq))? {
        return Ok(found);
    }
    let newest = reader.revision(scheme, Which::Newest)?.map_or(0, |row| row.seq);
    Err(match newest {
        0 => AppError::wrong_use(
            format!("账本里没有方案 {scheme} 的修订;第一次运行或部署时记下"),
            format!(
                "the ledger has no revision of the scheme {scheme}; its first run or deployment makes one"
            ),
        ),
        newest => AppError::wrong_use(
            format!("方案 {scheme} 没有修订 {seq};有 1 到 {newest}"),
            format!("the scheme {scheme} has no revision {seq}; there are 1 to {newest}"),
        ),
    })
}

/// One line of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// In both.
    Same(&'a str),
    /// Only in the first.
    Gone(&'a str),
    /// Only in the second.
    New(&'a str),
}

/// What differs, line by line: the longest common lines stay, up to a bound.
pub fn diff<'a>(before: &'a str, after: &'a str) -> Vec<Line<'a>> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[head..], &new[head..]);
    let tail = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let (old_mid, new_mid) = (
        &old_rest[..old_rest.len() - tail],
        &new_rest[..new_rest.len() - tail],
    );
    let mut lines: Vec<Line<'a>> = old[..head].iter().map(|line| Line::Same(line)).collect();
    middle(old_mid, new_mid, &mut lines);
    lines.extend(
        old_rest[old_rest.len() - tail..]
            .iter()
            .map(|line| Line::Same(line)),
    );
    lines
}

/// Changed lines with so many around them, in order; `None` stands for each line that is left out.
pub fn near<'l, 'a>(lines: &'l [Line<'a>], around: usize) -> impl Iterator<Item = Option<Line<'a>>> + 'l {
    let is_near = move |at: usize| {
        let from = at.saturating_sub(around);
        let to = lines.len().min(at + around + 1);
        lines[from..to].iter().any(|line| !matches!(line, Line::Same(_)))
    };
    let all = lines.iter().enumerate();
    all.map(move |(at, line)| Some(*line).filter(|_| is_near(at)))
}

fn middle<'a>(old: &[&'a str], new: &[&'a str], lines: &mut Vec<Line<'a>>) {
    let width = new.len() + 1;
    if old.len().saturating_mul(new.len()) > COMPARED {
        lines.extend(old.iter().map(|line| Line::Gone(line)));
        lines.extend(new.iter().map(|line| Line::New(line)));
        return;
    }
    // longest[i * width + j] = common lines of old[i..] and new[j..]
    let mut longest = vec![0_u32; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i * width + j] = match old[i] == new[j] {
                true => longest[(i + 1) * width + j + 1] + 1,
                false => longest[(i + 1) * width + j].max(longest[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            lines.push(Line::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j >= new.len()
            || (i < old.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])
        {
            lines.push(Line::Gone(old[i]));
            i += 1;
        } else {
            lines.push(Line::New(new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> String {
        let lines = diff(before, after).into_iter().map(|line| match line {
            Line::Same(text) => format!(" {text}"),
            Line::Gone(text) => format!("-{text}"),
            Line::New(text) => format!("+{text}"),
        });
        lines.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn differences() {
        for (before, after, want) in [
            ("a\nb\nc", "a\nb\nc", " a| b| c"),
            ("a\nb\nc", "a\nx\nc", " a|-b|+x| c"),
            ("a\nb", "a\nb\nc", " a| b|+c"),
            ("", "a", "+a"),
            ("a", "", "-a"),
            ("a\nb\nc\nd", "b\nd\ne", "-a| b|-c| d|+e"),
            ("客户\r\n编码", "客户\r\n名称", " 客户|-编码|+名称"),
        ] {
            assert_eq!(shown(before, after), want);
        }
    }

    /// Whatever is compared, both texts can be read back from the difference.
    #[test]
    fn nothing_is_left_out() {
        let texts: Vec<String> = (0_u32..40)
            .map(|seed| {
                let lines = (0..seed % 9).map(|nth| ((seed * 7 + nth * nth) % 5).to_string());
                lines.collect::<Vec<_>>().join("\n")
            })
            .collect();
        let long: Vec<String> = (0..2_100).map(|nth| nth.to_string()).collect();
        let other: Vec<String> = (0..2_100).rev().map(|nth| nth.to_string()).collect();
        let long = [long.join("\n"), other.join("\n")];
        for before in texts.iter().chain(&long) {
            for after in texts.iter().chain(&long) {
                let (mut old, mut new) = (Vec::new(), Vec::new());
                for line in diff(before, after) {
                    match line {
                        Line::Same(text) => {
                            old.push(text);
                            new.push(text);
                        }
                        Line::Gone(text) => old.push(text),
                        Line::New(text) => new.push(text),
                    }
                }
                assert_eq!(old, before.lines().collect::<Vec<_>>());
                assert_eq!(new, after.lines().collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn the_hash_is_that_of_a_plan() {
        // As `sha256sum` gives it.
        assert_eq!(hash_of("scheme: a\n"), "24218460c2fe");
    }
}
