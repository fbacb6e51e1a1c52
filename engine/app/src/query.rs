//! What people ask the ledger: rows, runs, what went wrong, whether it agrees with itself.
//!
//! Nothing here takes the lock or creates a file; it works beside an engine that runs. Words are left to the caller,
//! but the sentence of a stored reason comes from [`sentence_of`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use dsl::{Failure, SafeName, Value, json};
use flow::ids::{Ms, RecordId};
use flow::op::{Reason, RecordState, SightingOutcome};
use ledger::read::{
    AttemptRow, AuditFilter, AuditRow, HiddenOf, MappingRow, QuestionRow, RecordFilter, RecordLife,
    RecordRow, RunFilter, RunRow, SightingRow,
};
use ledger::two_way::TwoWayNote;
use ledger::{Ledger, Reader};

pub use crate::reason::sentence as sentence_of;

use crate::error::AppError;
use crate::mask;
use crate::run::Problem;
use crate::workspace::{Places, find_connections, parent};

/// Labels shown for a group of records.
const EXAMPLES: usize = 3;
/// Different sentences listed under one code; beyond, they are one group (texts that quote the record differ in each).
const SENTENCES: usize = 5;
/// Records read at once.
const PAGE: u32 = 1_000;
/// Records whose whole life is read for one report.
const MAX_LOOKED_AT: usize = 200;

/// The environment of `--sandbox`.
pub const SANDBOX: &str = "sandbox";

/// The data directory that commands around a file or folder use: `.engine/<env>/` beside the connections file, which
/// need not be valid for this.
pub fn data_dir(around: &Path, places: &Places, is_simulated: bool) -> Result<PathBuf, AppError> {
    if let Some(dir) = &places.data_dir {
        return Ok(dir.clone());
    }
    let folder = if around.is_dir() { around } else { parent(around) };
    let base = match find_connections(folder, places.connections.as_deref())? {
        Some(path) => parent(&path).to_owned(),
        None => PathBuf::from("."),
    };
    let environment = if is_simulated {
        SANDBOX
    } else {
        places.env.as_deref().unwrap_or("default")
    };
    environment_dir(&base, environment)
}

/// The data directory of an environment: the one place where a name becomes part of a path.
pub(crate) fn environment_dir(base: &Path, environment: &str) -> Result<PathBuf, AppError> {
    match SafeName::parse(environment) {
        Some(name) => Ok(base.join(".engine").join(name)),
        None => Err(Failure::new(&dsl::catalogue::connector::BAD_ENV)
            .with("value", environment.escape_debug())
            .into()),
    }
}

/// The ledger of a data directory, for questions.
pub fn open(dir: &Path) -> Result<Reader, AppError> {
    Ok(Ledger::open_read_only(dir)?)
}

/// Records that did not end well in the newest run of a scheme, grouped by state, code and sentence; the most first
/// within a state.
pub fn problems(reader: &Reader, scheme: &str) -> Result<Vec<Problem>, AppError> {
    let newest = RunFilter {
        scheme: Some(scheme.to_owned()),
        limit: 1,
        ..RunFilter::default()
    };
    let newest = reader.list_runs(&newest)?.into_iter().next();
    let mut problems = Vec::new();
    for state in [
        RecordState::Dead,
        RecordState::Held,
        RecordState::Unknown,
        RecordState::Pending,
    ] {
        let filter = RecordFilter {
            scheme: Some(scheme.to_owned()),
            state: Some(state),
            // What is still to come is told for as long as it is.
            since: newest
                .as_ref()
                .filter(|_| state != RecordState::Pending)
                .map(|run| run.started),
            ..RecordFilter::default()
        };
        let mut groups = Groups::new();
        each(reader, filter, &mut |row| {
            if let Some(reason) = &row.reason {
                add(&mut groups, state, reason, row);
            }
        })?;
        if let (RecordState::Dead, Some(run)) = (state, &newest) {
            invalid_again(reader, run, &mut groups)?;
        }
        let mut groups: Vec<Problem> = groups.into_values().collect();
        groups.sort_by(|a, b| {
            b.count
                .cmp(&a.count)
                .then_with(|| (&a.code, &a.text).cmp(&(&b.code, &b.text)))
        });
        problems.extend(groups);
    }
    Ok(problems)
}

/// By code and sentence.
type Groups = BTreeMap<(String, String), Problem>;

/// Rows without a usable key that an earlier run had buried already: nothing about them changed, and yet this run
/// counts them as dead.
fn invalid_again(reader: &Reader, run: &RunRow, groups: &mut Groups) -> Result<(), AppError> {
    let filter = RecordFilter {
        scheme: Some(run.scheme.clone()),
        state: Some(RecordState::Dead),
        run: Some(run.run),
        limit: PAGE,
        ..RecordFilter::default()
    };
    let known = reader.list_records(&filter)?;
    // A row that was never written is cheap to look at; the bound keeps a scheme full of them bearable.
    let known = known
        .iter()
        .filter(|row| row.changed < run.started && row.action.is_none());
    for row in known.take(MAX_LOOKED_AT) {
        let Some(life) = reader.show_record_by_id(row.record)? else {
            continue;
        };
        let times = life
            .sightings
            .iter()
            .filter(|seen| seen.run == run.run && seen.outcome == SightingOutcome::Invalid.word());
        if let (Some(reason), true) = (&row.reason, times.count() > 0) {
            add(groups, RecordState::Dead, reason, row);
        }
    }
    Ok(())
}

/// Every record a filter means, a page at a time.
fn each(
    reader: &Reader,
    mut filter: RecordFilter,
    visit: &mut dyn FnMut(&RecordRow),
) -> Result<(), AppError> {
    filter.limit = PAGE;
    loop {
        let rows = reader.list_records(&filter)?;
        rows.iter().for_each(&mut *visit);
        match rows.last() {
            Some(last) if rows.len() == PAGE as usize => filter.before = Some(last.record),
            Some(_) | None => return Ok(()),
        }
    }
}

fn add(groups: &mut Groups, state: RecordState, reason: &Reason, row: &RecordRow) {
    let exact = (reason.code.clone(), reason.text.clone());
    let key = if groups.contains_key(&exact) {
        exact
    } else {
        let mut same = groups.keys().filter(|(code, _)| *code == reason.code);
        match same.clone().count() {
            SENTENCES.. => same.next().cloned().unwrap_or(exact),
            _ => exact,
        }
    };
    let group = groups.entry(key).or_insert_with(|| Problem {
        state: state.word().to_owned(),
        code: reason.code.clone(),
        text: reason.text.clone(),
        count: 0,
        examples: Vec::new(),
    });
    group.count += 1;
    if group.examples.len() < EXAMPLES {
        group.examples.push(name(&row.label, &row.key));
    }
}

/// What people call a record: its label, else its key.
pub fn name(label: &str, key: &str) -> String {
    if label.is_empty() {
        key_text(key)
    } else {
        label.to_owned()
    }
}

/// A stored key as people write it: the text of a key of one field, else the texts joined by ` / `.
pub fn key_text(key: &str) -> String {
    match json::parse(key.as_bytes()) {
        Ok(Value::List(parts)) => {
            let texts: Vec<String> = parts.iter().filter_map(Value::to_plain_text).collect();
            if texts.is_empty() {
                key.to_owned()
            } else {
                texts.join(" / ")
            }
        }
        Ok(_) | Err(_) => key.to_owned(),
    }
}

/// Questions and decisions told of one record, the newest ones.
const MAX_TOLD: u32 = 200;

/// The whole story of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// Rows, sends and answers.
    pub life: RecordLife,
    /// What the target said when it was asked, in order of time.
    pub questions: Vec<QuestionRow>,
    /// What people decided, in order of time.
    pub decisions: Vec<AuditRow>,
    /// The documents it became.
    pub mappings: Vec<MappingRow>,
    /// What came back or met, where another scheme carries the same documents the other way; in order of time.
    pub two_way: Vec<TwoWayNote>,
}

/// One moment in the life of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment<'a> {
    /// It was read.
    Seen(&'a SightingRow),
    /// It was about to be sent.
    Sent(&'a AttemptRow),
    /// It was known how the send ended.
    Settled(&'a AttemptRow),
    /// The target answered when it was asked what became of a send.
    Resolved(&'a AttemptRow),
    /// The same, as every answer has been kept since ledgers keep them all.
    Asked(&'a QuestionRow),
    /// A person decided.
    Decided(&'a AuditRow),
    /// What came back, or met the other side.
    Met(&'a TwoWayNote),
}

/// The moments of a record in order of time.
pub fn moments(story: &Story) -> Vec<(Ms, Moment<'_>)> {
    let life = &story.life;
    let seen = life.sightings.iter().map(|row| (row.seen, 0, Moment::Seen(row)));
    let sent = life.attempts.iter().flat_map(|row| {
        [
            Some((row.sent, 1, Moment::Sent(row))),
            row.ended.map(|at| (at, 2, Moment::Settled(row))),
            // Told by the questions, or by what a person decided, where those are kept.
            row.resolved
                .filter(|_| story.questions.is_empty() && story.decisions.is_empty())
                .map(|at| (at, 3, Moment::Resolved(row))),
        ]
    });
    let asked = story.questions.iter().map(|row| (row.at, 3, Moment::Asked(row)));
    let decided = story
        .decisions
        .iter()
        .map(|row| (row.at, 4, Moment::Decided(row)));
    let met = story.two_way.iter().map(|row| (row.at, 5, Moment::Met(row)));
    let mut moments: Vec<_> = seen
        .map(Some)
        .chain(sent)
        .flatten()
        .chain(asked)
        .chain(decided)
        .chain(met)
        .collect();
    // Stable: what happened in one millisecond keeps the order of the attempts.
    moments.sort_by_key(|(at, rank, _)| (*at, *rank));
    moments.into_iter().map(|(at, _, moment)| (at, moment)).collect()
}

/// The lives of the records with this key, label, number or id. None is an error that says where was looked.
pub fn show(reader: &Reader, scheme: Option<&str>, key: &str) -> Result<Vec<RecordLife>, AppError> {
    let mut lives = reader.show_record(scheme, key)?;
    for life in &mut lives {
        mask_life(reader, life)?;
    }
    match lives.is_empty() {
        true => Err(nobody(scheme, key)),
        false => Ok(lives),
    }
}

/// No record has this key, label, number or id.
pub fn nobody(scheme: Option<&str>, key: &str) -> AppError {
    AppError::wrong_use(
        match scheme {
            Some(scheme) => format!("方案 {scheme} 中没有键、名称、编号为 `{key}` 的数据"),
            None => format!("没有键、名称、编号为 `{key}` 的数据"),
        },
        match scheme {
            Some(scheme) => {
                format!("the scheme {scheme} has no record with key, label, number or id `{key}`")
            }
            None => format!("there is no record with key, label, number or id `{key}`"),
        },
    )
}

/// Takes out of a life what people must not see.
fn mask_life(reader: &Reader, life: &mut RecordLife) -> Result<(), AppError> {
    let rows = hidden(reader, &life.record.scheme, HiddenOf::Rows)?;
    life.source = mask::shown_row(&life.source, &rows);
    life.waiting = life.waiting.take().map(|row| mask::shown_row(&row, &rows));
    // Masked when they were kept, by the scheme of that day; what became sensitive since then is masked now.
    let documents = hidden(reader, &life.record.scheme, HiddenOf::Documents)?;
    for attempt in &mut life.attempts {
        attempt.payload = attempt
            .payload
            .take()
            .map(|kept| mask::shown_row(&kept, &documents));
    }
    Ok(())
}

/// The whole story of the record with this number.
pub fn story(reader: &Reader, record: RecordId) -> Result<Option<Story>, AppError> {
    let Some(mut life) = reader.show_record_by_id(record)? else {
        return Ok(None);
    };
    mask_life(reader, &mut life)?;
    told(reader, life).map(Some)
}

/// What people must not see of a scheme's rows or documents. Whoever shows or exports them masks it.
fn hidden(reader: &Reader, scheme: &str, of: HiddenOf) -> Result<Vec<dsl::Path>, AppError> {
    let fields = reader.hidden(scheme, of)?;
    fields
        .iter()
        .map(|field| dsl::Path::parse(field).map_err(|_| AppError::bug("a stored path is none")))
        .collect()
}

/// A stored row of a scheme as people may see it: fields that its sensitive values are made of are masked.
pub fn shown_row(reader: &Reader, scheme: &str, row: &[u8]) -> Result<Vec<u8>, AppError> {
    Ok(mask::shown_row(row, &hidden(reader, scheme, HiddenOf::Rows)?))
}

/// A stored document of a scheme as people may see it.
pub fn shown_document(reader: &Reader, scheme: &str, document: &[u8]) -> Result<Vec<u8>, AppError> {
    Ok(mask::shown_row(
        document,
        &hidden(reader, scheme, HiddenOf::Documents)?,
    ))
}

/// The same with everything else that is known of them.
pub fn stories(reader: &Reader, scheme: Option<&str>, key: &str) -> Result<Vec<Story>, AppError> {
    let lives = show(reader, scheme, key)?.into_iter();
    lives.map(|life| told(reader, life)).collect()
}

fn told(reader: &Reader, life: RecordLife) -> Result<Story, AppError> {
    let record = life.record.record;
    let mut decisions = reader.audit(&AuditFilter {
        record: Some(record),
        limit: MAX_TOLD,
        ..AuditFilter::default()
    })?;
    decisions.reverse();
    let mut two_way = reader.two_way_notes(record)?;
    for note in &mut two_way {
        if let Some(row) = &mut note.row {
            *row = shown_row(reader, &life.record.scheme, row)?;
        }
    }
    Ok(Story {
        questions: reader.questions(record)?,
        decisions,
        mappings: reader.mappings(record)?,
        two_way,
        life,
    })
}

/// A page of records, and whether more follow.
pub fn rows(reader: &Reader, filter: &RecordFilter) -> Result<(Vec<RecordRow>, bool), AppError> {
    let mut more = filter.clone();
    more.limit = filter.limit.saturating_add(u32::from(filter.limit > 0));
    let mut rows = reader.list_records(&more)?;
    let is_cut = filter.limit > 0 && rows.len() > filter.limit as usize;
    if is_cut {
        rows.truncate(filter.limit as usize);
    }
    Ok((rows, is_cut))
}

/// Id of the record a list goes on after.
pub fn next_page(rows: &[RecordRow]) -> Option<RecordId> {
    rows.last().map(|row| row.record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_as_people_write_them() {
        for (key, want) in [
            (r#"["B000123"]"#, "B000123"),
            (r#"["100","B \"x\""]"#, "100 / B \"x\""),
            ("[]", "[]"),
            ("not json", "not json"),
        ] {
            assert_eq!(key_text(key), want);
        }
        assert_eq!(name("", r#"["1"]"#), "1");
        assert_eq!(name("杭州", r#"["1"]"#), "杭州");
    }

    fn row(label: &str) -> RecordRow {
        RecordRow {
            record: RecordId(1),
            scheme: "s".to_owned(),
            key: "[\"k\"]".to_owned(),
            label: label.to_owned(),
            state: RecordState::Dead,
            version: String::new(),
            done_version: None,
            waiting_version: None,
            void: false,
            action: None,
            attempts: 0,
            sends: 0,
            not_before: None,
            resolve_after: None,
            target: None,
            form: None,
            tkey: None,
            target_id: None,
            number: None,
            reason: None,
            first: 0,
            seen: 0,
            changed: 0,
            done: None,
            waits_since: None,
            step: None,
            maybe_sent: false,
            suspect: false,
            as_stored: None,
            attempt: None,
        }
    }

    #[test]
    fn problems_are_grouped_and_bounded() {
        let mut groups = BTreeMap::new();
        for nth in 0..40 {
            add(
                &mut groups,
                RecordState::Dead,
                &Reason::new("E2103", format!("row {nth}")),
                &row("a"),
            );
            add(
                &mut groups,
                RecordState::Dead,
                &Reason::new("E4000", "分组不存在"),
                &row(&format!("b{nth}")),
            );
        }
        assert_eq!(groups.len(), SENTENCES + 1);
        assert_eq!(groups.values().map(|group| group.count).sum::<u64>(), 80);
        let refused = &groups[&("E4000".to_owned(), "分组不存在".to_owned())];
        assert_eq!(
            (refused.count, refused.examples.as_slice()),
            (40, &["b0", "b1", "b2"].map(str::to_owned)[..])
        );
    }
}
