//! Schemes of another tool in, scheme files and an honest report out.
//!
//! Pure: texts and what the connectors declare go in, texts come out; no file, no network, no ledger. A file is read to a
//! [`Draft`](model::Draft), the draft is mapped to a document, the document is written as YAML and compiled by the
//! compiler that `check` uses; what that refuses is put into a comment and reported at the field it came from.
//!
//! Promises: every leaf of the input has exactly one fate, carried or reported ([`account`]); nothing that is not
//! understood is guessed in silence; no text of any size or depth makes it panic or run for ever.

pub mod account;
mod map;
pub mod model;
mod pages;
mod read;
pub mod report;
mod world;
mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsl::catalogue::imported as words;
use dsl::diagnostic::{Diagnostic, Failure, Lang, SourceFile};
use dsl::scheme::compile_scheme;

use account::Book;
use map::Document;
use model::{Blocked, Draft};
pub use report::{Note, Report, SchemeReport};
use world::World;
pub use world::{Known, MadeConnection};

/// Files of one command: a person has dozens.
pub const MAX_INPUTS: usize = 1_000;
/// Bytes of one file: a hundred times the largest export known.
pub const MAX_BYTES: usize = 4 << 20;
/// Fields of one scheme; the largest published ones have a few hundred.
pub const MAX_FIELDS: usize = 5_000;
/// Nesting of fields; no target is deeper than a dozen.
pub const MAX_DEPTH: usize = 24;
/// Schemes of one file.
pub const MAX_SCHEMES: usize = 200;
/// Passes of the compiler over one file. Each pass but the last puts at least one more field into a comment, and most
/// problems of a file come at once.
const MAX_PASSES: usize = 24;

/// A text to be read.
#[derive(Debug, Clone)]
pub struct Input {
    /// What people call it: its path.
    pub name: String,
    /// What is in it: UTF-8, or it is refused.
    pub bytes: Vec<u8>,
}

/// What came of it.
#[derive(Debug)]
pub struct Import {
    /// Scheme files, each by its name without a folder.
    pub files: Vec<(String, String)>,
    /// Connections that the files name and that were not there.
    pub connections: Vec<MadeConnection>,
    /// What was carried over, and what was not.
    pub report: Report,
}

/// One scheme on its way.
struct Work {
    draft: Draft,
    blocked: Blocked,
    book: Book,
    notes: Vec<Note>,
    document: Document,
    file: Arc<SourceFile>,
    origins: Vec<Option<String>>,
    uuid: Option<String>,
}

/// Brings schemes over.
pub fn import(inputs: &[Input], known: &Known<'_>) -> Import {
    let mut report = Report::default();
    let mut drafts: Vec<Draft> = Vec::new();
    if inputs.len() > MAX_INPUTS {
        report.refused.push((
            String::new(),
            model::too_much("", ("文件", "files"), inputs.len(), MAX_INPUTS),
        ));
    }
    for input in inputs.iter().take(MAX_INPUTS) {
        match read::read(input) {
            Ok(found) => drafts.extend(found),
            Err(problem) => report.refused.push((input.name.clone(), problem)),
        }
    }
    let mut ids = BTreeSet::new();
    for draft in &mut drafts {
        draft.id = model::unique(&draft.id, &mut ids);
    }
    let mut world = World::new(known);
    let mut works: Vec<Work> = drafts
        .into_iter()
        .map(|draft| work(draft, Blocked::new(), &mut world))
        .collect();
    settle(&mut works, &mut world);
    let files = works
        .iter()
        .map(|work| (format!("{}.yaml", work.draft.id), work.file.text.clone()))
        .collect();
    let connections = world.made();
    report.schemes = works
        .into_iter()
        .map(|work| finished(work, &connections))
        .collect();
    Import {
        files,
        connections,
        report,
    }
}

fn work(draft: Draft, blocked: Blocked, world: &mut World<'_>) -> Work {
    let mut book = Book::of(&draft.value);
    let mut notes = Vec::new();
    let document = map::map(&draft, &blocked, &mut book, &mut notes, world);
    let written = write::write(&document);
    let file = SourceFile::new(format!("{}.yaml", draft.id), written.text);
    let uuid = document.uuid.clone();
    Work {
        draft,
        blocked,
        book,
        notes,
        document,
        file,
        origins: written.origins,
        uuid,
    }
}

/// Compiles all files beside each other until no field is left that the compiler refuses, or nothing more can be put
/// into a comment.
fn settle(works: &mut Vec<Work>, world: &mut World<'_>) {
    for pass in 0..MAX_PASSES {
        let is_last = pass + 1 == MAX_PASSES;
        world.schemes(works.iter().map(|work| {
            let uuid = work.uuid.clone();
            (work.draft.id.clone(), uuid)
        }));
        let mut compiled: Vec<Vec<Diagnostic>> = Vec::new();
        // Columns of look-ups are known once every file was compiled.
        for work in works.iter() {
            let plan = compile_scheme(&work.file, world, world.registry()).plan;
            world.columns(&work.draft.id, plan.and_then(|plan| plan.columns));
        }
        for work in works.iter() {
            compiled.push(compile_scheme(&work.file, world, world.registry()).diagnostics);
        }
        let mut changed = false;
        let old = std::mem::take(works);
        for (mut work, diagnostics) in old.into_iter().zip(compiled) {
            let (found, left) = sorted(&work, diagnostics);
            if found.is_empty() || is_last {
                let found = found.into_values().flatten();
                let told: Vec<Note> = found
                    .chain(left)
                    .filter_map(|problem| note(&work, &problem))
                    .collect();
                work.notes.extend(told);
                works.push(work);
                continue;
            }
            changed = true;
            let mut blocked = work.blocked;
            for (at, problems) in found {
                if let Some(problem) = problems.into_iter().next() {
                    let column = column_of(&work.file, &problem);
                    blocked.insert(at, (problem, column));
                }
            }
            works.push(self::work(work.draft, blocked, world));
        }
        if !changed {
            return;
        }
        // Those that were done are looked at again: what they look up may have changed.
        for work in works.iter_mut() {
            work.notes.retain(|note| !note.by_check);
        }
    }
}

/// Errors at fields, which go into a comment, by the field; and everything else.
fn sorted(work: &Work, diagnostics: Vec<Diagnostic>) -> (BTreeMap<String, Vec<Diagnostic>>, Vec<Diagnostic>) {
    let mut found: BTreeMap<String, Vec<Diagnostic>> = BTreeMap::new();
    let mut left = Vec::new();
    for problem in diagnostics {
        match work.origin(&problem) {
            Some(at)
                if problem.is_error() && work.document.may_block(at) && !work.blocked.contains_key(at) =>
            {
                found.entry(at.to_owned()).or_default().push(problem);
            }
            _ => left.push(problem),
        }
    }
    (found, left)
}

impl Work {
    /// The leaf or field of the input that a problem is about.
    fn origin(&self, problem: &Diagnostic) -> Option<&str> {
        let (line, _) = problem.position();
        self.origins.get(line.checked_sub(1)?)?.as_deref()
    }
}

/// The column of a problem within the value of its line, from 1.
fn column_of(file: &SourceFile, problem: &Diagnostic) -> usize {
    let start = problem.span.start.min(file.text.len());
    let Some(before) = file.text.get(..start) else {
        return 1;
    };
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let text = &before[line..];
    // The expression itself begins behind its word, as the parser counts.
    let from = ["_function ", "_findCollection", "_mongoQuery"]
        .iter()
        .find_map(|word| text.find(word))
        .or_else(|| text.find(": ").map(|at| at + 2))
        .unwrap_or(0);
    text[from..].chars().count() + 1
}

/// What `check` says and no field could be put aside for.
fn note(work: &Work, problem: &Diagnostic) -> Option<Note> {
    let at = work.origin(problem).map(str::to_owned);
    let (why, why_en) = (problem.message(Lang::Zh), problem.message(Lang::En));
    let later = dsl::catalogue::scheme::KEY_LATER.code;
    let failure = if problem.entry.code == later {
        let key = at.as_deref().map_or("", model::last).to_owned();
        let to = problem
            .facts
            .iter()
            .find(|(name, _)| *name == "key")
            .map_or(String::new(), |(_, key)| key.clone());
        Failure::new(&words::NOT_YET)
            .with("key", if key.is_empty() { to.clone() } else { key })
            .with("to", to)
    } else if problem.is_error() {
        // A gap that was named already is not told again as what it leads to.
        let told = |code: &str| work.notes.iter().any(|note| note.failure.code() == code);
        let missing = |key: &str| {
            problem.entry.code == dsl::catalogue::scheme::MISSING_KEY.code
                && problem
                    .facts
                    .iter()
                    .any(|(name, fact)| *name == "key" && fact == key)
        };
        let is_told = missing("every") && at.as_deref().is_some_and(|at| at.contains("omissionRemedy"))
            || missing("source") && told(words::NO_SOURCE.code)
            || missing("key") && told(words::NO_KEY.code)
            || missing("request") && told(words::NO_TARGET.code)
            || problem.entry.code == dsl::catalogue::scheme::UNKNOWN_API.code
                && told(words::NO_OPERATION.code)
            || told(words::NO_OPTION.code)
                && problem.facts.iter().any(|(_, fact)| {
                    work.notes.iter().any(|note| {
                        let named = note.failure.facts.iter().find(|(name, _)| *name == "name");
                        note.failure.code() == words::NO_OPTION.code
                            && named.is_some_and(|(_, name)| name == fact)
                    })
                });
        if is_told {
            return None;
        }
        Failure::new(&words::STILL_REFUSED)
            .with("code", problem.entry.code)
            .with("why", why)
            .with("why_en", why_en)
    } else {
        Failure::new(&words::CHECK_WARNS)
            .with("field", at.as_deref().map_or("", |at| work.document.name_of(at)))
            .with("code", problem.entry.code)
            .with("why", why)
            .with("why_en", why_en)
    };
    Some(Note {
        at: at.unwrap_or_default(),
        line: Some(problem.position().0),
        failure,
        by_check: true,
    })
}

fn finished(work: Work, connections: &[MadeConnection]) -> SchemeReport {
    let mut notes = work.notes;
    for made in connections
        .iter()
        .filter(|made| work.document.connections.contains(&made.name))
    {
        notes.push(Note {
            at: String::new(),
            line: None,
            failure: Failure::new(&words::CONNECTION)
                .with("name", &made.name)
                .with("connector", &made.connector)
                .with(
                    "secrets",
                    match made.references.is_empty() {
                        true => "params".to_owned(),
                        false => made.references.join(", "),
                    },
                ),
            by_check: false,
        });
    }
    let totals = work.book.totals();
    debug_assert!(totals.values().all(account::Total::adds_up));
    SchemeReport {
        input: work.draft.file,
        at: work.draft.at,
        scheme: work.draft.id.clone(),
        file: format!("{}.yaml", work.draft.id),
        totals,
        leaves: work.book.into_leaves(),
        notes: report::ordered(notes),
    }
}
