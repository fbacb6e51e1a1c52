//! What was carried over, and what was not: the report as data. How it is worded stands in the catalogue; how it is
//! drawn, in the command.

use std::collections::BTreeMap;

use dsl::diagnostic::{Failure, Lang, Severity};
use indexmap::IndexMap;

use crate::account::{Fate, Leaf, LeafKind, Total};

/// Something a person should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The place in the input; empty for the whole scheme.
    pub at: String,
    /// The line of the file that was written.
    pub line: Option<usize>,
    /// What it is.
    pub failure: Failure,
    /// Whether the compiler said it: those are made anew with each pass.
    pub by_check: bool,
}

impl Note {
    /// Whether something could not be carried over.
    pub fn is_gap(&self) -> bool {
        self.failure.entry.severity == Severity::Error
    }
}

/// The report of one scheme.
#[derive(Debug, Clone)]
pub struct SchemeReport {
    /// The file it came from.
    pub input: String,
    /// Where in it.
    pub at: String,
    /// Its id.
    pub scheme: String,
    /// The file that was written.
    pub file: String,
    /// What became of the leaves, by kind.
    pub totals: BTreeMap<LeafKind, Total>,
    /// Every leaf with its fate.
    pub leaves: IndexMap<String, Leaf>,
    /// What a person should know, gaps first.
    pub notes: Vec<Note>,
}

impl SchemeReport {
    /// Whether the scheme can run as it is.
    pub fn is_whole(&self) -> bool {
        !self.notes.iter().any(Note::is_gap)
    }

    /// All leaves together.
    pub fn total(&self) -> Total {
        self.totals.values().fold(Total::default(), |sum, one| Total {
            total: sum.total + one.total,
            carried: sum.carried + one.carried,
            reported: sum.reported + one.reported,
        })
    }

    /// Leaves that were not carried over, as path and code.
    pub fn left(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.leaves.iter().filter_map(|(path, leaf)| match leaf.fate {
            Some(Fate::Reported(code)) => Some((path.as_str(), code)),
            _ => None,
        })
    }
}

/// The whole report.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Scheme by scheme.
    pub schemes: Vec<SchemeReport>,
    /// Files that were refused.
    pub refused: Vec<(String, Failure)>,
}

/// Gaps before warnings, in the order of their codes; what says the same twice is said once.
pub(crate) fn ordered(mut notes: Vec<Note>) -> Vec<Note> {
    notes.sort_by(|one, other| {
        (one.failure.code(), &one.at, &one.failure.facts).cmp(&(
            other.failure.code(),
            &other.at,
            &other.failure.facts,
        ))
    });
    notes.dedup_by(|one, other| one.failure == other.failure && one.at == other.at);
    notes
}

/// The report as Markdown: to be filed with the change, and read by people who were not there.
pub fn markdown(report: &Report, lang: Lang) -> String {
    let pick = |zh, en| lang.pick(zh, en);
    let mut text = format!(
        "# {}\n",
        pick("从轻易云导入的报告", "Report of an import from Qeasy")
    );
    if !report.refused.is_empty() {
        text.push_str(&format!(
            "\n## {}\n\n",
            pick("没有导入的文件", "Files that were refused")
        ));
        for (_, failure) in &report.refused {
            text.push_str(&line(failure, "", lang));
        }
    }
    for scheme in &report.schemes {
        let from = match scheme.at.as_str() {
            "" => scheme.input.clone(),
            at => format!("{} ({at})", scheme.input),
        };
        let whole = match scheme.is_whole() {
            true => pick("可以运行", "it can run"),
            false => pick("还有缺口", "there are gaps"),
        };
        text.push_str(&format!(
            "\n## {} — {whole}\n\n`{}` ← `{from}`\n\n",
            scheme.scheme, scheme.file
        ));
        text.push_str(&format!(
            "| | {} | {} | {} |\n|---|---:|---:|---:|\n",
            pick("全部", "all"),
            pick("已带过来", "carried over"),
            pick("已报告", "reported")
        ));
        let rows = scheme
            .totals
            .iter()
            .map(|(kind, total)| (kind.words(lang), *total));
        for (name, total) in rows.chain([(pick("合计", "together"), scheme.total())]) {
            text.push_str(&format!(
                "| {name} | {} | {} | {} |\n",
                total.total, total.carried, total.reported
            ));
        }
        for (gaps, heading) in [
            (true, pick("没有带过来", "Not carried over")),
            (false, pick("请看一眼", "To be looked at")),
        ] {
            let mut notes = scheme
                .notes
                .iter()
                .filter(|note| note.is_gap() == gaps)
                .peekable();
            if notes.peek().is_some() {
                text.push_str(&format!("\n### {heading}\n\n"));
            }
            for note in notes {
                text.push_str(&line(&note.failure, &note.at, lang));
            }
        }
    }
    text
}

fn line(failure: &Failure, at: &str, lang: Lang) -> String {
    let fine = |text: &str| text.replace(['\n', '\r'], " ");
    let mut line = format!("- **{}** {}", failure.code(), fine(&failure.message(lang)));
    if !at.is_empty() {
        line.push_str(&format!(" — `{}`", fine(at)));
    }
    if let Some(help) = failure.help(lang) {
        line.push_str(&format!("\n  {}", fine(&help)));
    }
    line.push('\n');
    line
}
