//! Recordings: one run of a scheme with all calls and answers, kept beside the scheme as a test that needs no system.
//!
//! What is kept was masked first and then played once more: the requests in the file are those that the scheme makes
//! of the masked rows. A recording that would not be green at once, or that still holds a secret or a sensitive value,
//! is not made. Look-ups are kept with what they found, so that the schemes that feed them are not needed.

mod compare;
mod file;
mod replay;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use connector::NoSecrets;
use dsl::catalogue::scheme::RECORDING_UNREADABLE;
use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::facts::Text2;
use dsl::path::{Path as Field, Segment};
use dsl::plan::{Plan, RecordingTest};
use dsl::{Value, json};
use flow::ids::Ms;
use flow::op::{Reason, RunStatus};

use crate::error::AppError;
use crate::run::{Engine, RunOptions, RunReport};
use crate::samples;
use crate::tape::{Body, Looked, Masks, Match, Outcome, Said, Take, Takes};
use crate::workspace::{Places, Workspace, parent};

pub(crate) use compare::compare;
pub(crate) use replay::{Replayed, replay};

/// Bytes of one file: requests and answers together.
const MAX_FILE: u64 = 12 << 20;

/// How a connection is set up while nobody is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetUp {
    /// Parameters; secrets are masks.
    pub(crate) params: BTreeMap<String, String>,
    /// The quiet period that held, where it was not the connector's.
    pub(crate) quiet_ms: Option<Ms>,
}

/// One run.
#[derive(Clone, PartialEq)]
pub(crate) struct Recording {
    /// The scheme.
    pub(crate) scheme: String,
    /// Whether simulators answered.
    pub(crate) simulated: bool,
    /// The environment of connections.yaml.
    pub(crate) env: String,
    /// The instant of the run, in milliseconds.
    pub(crate) now_ms: Ms,
    /// Bounds given by hand.
    pub(crate) window: Option<(Ms, Ms)>,
    /// At most so many records.
    pub(crate) limit: Option<u64>,
    /// How long lost answers were waited for, where that was said.
    pub(crate) settle_wait: Option<Ms>,
    /// Its connections.
    pub(crate) connections: BTreeMap<String, SetUp>,
    /// What its look-ups found.
    pub(crate) lookups: Vec<Looked>,
    /// Its calls.
    pub(crate) calls: Vec<Said>,
    /// How its records ended, by key.
    pub(crate) records: Vec<Value>,
}

/// A recording that has proven itself.
#[derive(Debug)]
pub struct Made {
    /// The file.
    pub text: String,
    /// Calls in it.
    pub calls: usize,
    /// Records in it.
    pub records: usize,
}

pub(crate) fn both(zh: impl Into<String>, en: impl Into<String>) -> Text2 {
    Text2 {
        zh: zh.into(),
        en: en.into(),
    }
}

fn refused(why: &Text2) -> AppError {
    AppError::wrong_use(
        format!("没有写出录制文件:{}", why.zh),
        format!("no recording was written: {}", why.en),
    )
}

/// Makes a recording of the run that an engine has just made and taken down.
pub async fn make(
    engine: &Engine,
    path: &Path,
    plan: &Arc<Plan>,
    options: &RunOptions,
    report: &RunReport,
    places: &Places,
) -> Result<Made, AppError> {
    let takes = engine.takes();
    if let Some(why) = &takes.spoilt {
        return Err(refused(why));
    }
    if report.summary.status == RunStatus::Canceled {
        return Err(refused(&both("运行被中止", "the run was stopped")));
    }
    let mut masks = Masks::new(engine.redactors());
    let (lookups, calls) = masked(plan, takes, &mut masks);
    let mut recording = Recording {
        scheme: plan.scheme.clone(),
        simulated: engine.workspace.is_simulated(),
        env: engine.workspace.connections_env().to_owned(),
        now_ms: report.instant,
        window: options.window.map(|window| (window.from, window.to)),
        limit: options.limit,
        settle_wait: options.settle_wait,
        connections: engine.set_ups(plan),
        lookups,
        calls,
        records: Vec::new(),
    };
    let workspace = Workspace::load(path, places.clone(), None, Box::new(NoSecrets))?;
    let workspace = Arc::new(workspace);
    // What the scheme makes of masked rows is what is expected from now on.
    let first = replay(&recording, &workspace, plan, Match::Order).await?;
    let states = replay::states(&replay::records(engine.reader(), &plan.scheme)?);
    let mut differs = compare::calls_that_differ(&recording, &first);
    if differs.is_empty() && states != replay::states(&first.records) {
        let of = |states: &BTreeMap<String, usize>| {
            let parts = states.iter().map(|(state, count)| format!("{state} {count}"));
            parts.collect::<Vec<_>>().join(", ")
        };
        let (was, is) = (of(&states), of(&replay::states(&first.records)));
        differs.push(both(
            format!("运行的结果是 {was},重放的结果是 {is}"),
            format!("the run ended with {was}, its replay with {is}"),
        ));
    }
    if let Some(why) = differs.first() {
        return Err(refused(&both(
            format!("它重放出来不一样:{}", why.zh),
            format!("it does not replay the same: {}", why.en),
        )));
    }
    take_over(&mut recording, first);
    let document = file::document(&recording);
    if let Some(place) = masks.leak(&file::said(&recording), "recording") {
        return Err(refused(&both(
            format!("`{place}` 里还有密钥或敏感字段的内容"),
            format!("`{place}` would still hold a secret or the content of a sensitive field"),
        )));
    }
    let text = format!("{}\n", json::pretty(&document));
    if text.len() as u64 > MAX_FILE {
        return Err(refused(&both(
            "文件过大;用 --limit 或 --window 录制一小段",
            "it is too large: record a part with --limit or --window",
        )));
    }
    let again = file::read(text.as_bytes()).map_err(|why| refused(&why))?;
    let second = replay(&again, &workspace, plan, Match::Request).await?;
    match compare(&again, &second).first() {
        Some(why) => Err(refused(&both(
            format!("它重放两次不一样:{}", why.zh),
            format!("it does not replay the same twice: {}", why.en),
        ))),
        None => Ok(Made {
            text,
            calls: again.calls.len(),
            records: again.records.len(),
        }),
    }
}

/// Keeps a recording. A file that is something else is not replaced.
pub fn keep(path: &Path, made: &Made) -> Result<(), AppError> {
    if path.exists()
        && bytes_of(path)
            .ok()
            .and_then(|bytes| file::read(&bytes).ok())
            .is_none()
    {
        let file = path.display();
        return Err(AppError::wrong_use(
            format!("{file} 不是录制文件,不会覆盖它"),
            format!("{file} is no recording and is not replaced"),
        ));
    }
    samples::write(path, &made.text)
}

/// What a replay makes today becomes what is expected; calls that are no longer made are left out.
pub(crate) fn renewed(mut recording: Recording, replayed: Replayed) -> Result<(Recording, String), Text2> {
    if !replayed.heard.extra.is_empty() || !replayed.heard.unknown.is_empty() {
        return Err(both(
            "方案现在有没有录下的调用或查找;请重新录制(engine run --record)",
            "the scheme now makes calls or look-ups that were not recorded: record it anew (engine run --record)",
        ));
    }
    take_over(&mut recording, replayed);
    let text = format!("{}\n", json::pretty(&file::document(&recording)));
    Ok((recording, text))
}

fn take_over(recording: &mut Recording, replayed: Replayed) {
    let calls = std::mem::take(&mut recording.calls);
    recording.calls = calls
        .into_iter()
        .zip(replayed.heard.requests)
        .filter_map(|(said, request)| {
            Some(Said {
                request: request?,
                ..said
            })
        })
        .collect();
    recording.records = replayed.records;
}

/// Look-ups and calls as they may be kept.
fn masked(plan: &Plan, takes: Takes, masks: &mut Masks) -> (Vec<Looked>, Vec<Said>) {
    let rows = row_places(plan);
    let target = plan.target.as_ref();
    let (documents, options) = target
        .map(|target| (&target.sensitive[..], &target.sensitive_options[..]))
        .unwrap_or_default();
    for text in &takes.hidden {
        masks.learn_text(text);
    }
    for take in &takes.calls {
        take.rows.iter().for_each(|row| masks.learn(row, &rows));
        take.documents
            .iter()
            .for_each(|document| masks.learn(document, documents));
        masks.learn(&Value::Map(take.options.clone()), options);
    }
    let fields = plan.source.fields.as_deref().unwrap_or_default();
    let columns: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
    let both_sides: Vec<Field> = rows.iter().chain(documents).cloned().collect();
    let calls: Vec<Said> = takes
        .calls
        .into_iter()
        .map(|Take { mut said, .. }| {
            if let Outcome::Answer {
                body: Body::Json(body),
                ..
            } = &mut said.outcome
            {
                masks.cover_places(body, &both_sides, &columns);
            }
            said
        })
        .collect();
    // Every mask is known by now.
    let calls = calls.into_iter().map(|said| covered(said, masks)).collect();
    let lookups = takes.looked.into_iter().map(|mut looked| {
        for (_, text) in &mut looked.by {
            *text = masks.text(text);
        }
        looked.also = looked.also.map(|also| masks.text(&also));
        if let Some(value) = &mut looked.value {
            masks.cover(value);
        }
        looked
    });
    (lookups.collect(), calls)
}

fn covered(mut said: Said, masks: &Masks) -> Said {
    match &mut said.outcome {
        Outcome::Answer { headers, body, .. } => {
            for (_, value) in headers {
                *value = masks.text(value);
            }
            match body {
                Body::Json(value) => masks.cover(value),
                Body::Text(text) => *text = masks.text(text),
            }
        }
        Outcome::Broken { detail, .. } => *detail = masks.text(detail),
    }
    said
}

/// The sensitive fields of a row: as the scheme reads them, as the source names them, and as the further call gives
/// them.
fn row_places(plan: &Plan) -> Vec<Field> {
    let marked = plan
        .target
        .as_ref()
        .map_or(&[][..], |target| &target.sensitive_source);
    let mut places = marked.to_vec();
    for place in marked {
        places.extend(samples::as_fetched(place, plan.source.fields.as_deref()));
        if let Some(detail) = &plan.source.detail
            && let Some(rest) = place.segments().strip_prefix(detail.into.segments())
        {
            let names: Vec<String> = rest
                .iter()
                .filter_map(|segment| match segment {
                    Segment::Name(name) => Some(name.clone()),
                    Segment::Index(_) | Segment::All => None,
                })
                .collect();
            places.extend((!names.is_empty()).then(|| Field::names(names)));
        }
    }
    places
}

/// The place of a recording: beside the scheme's file, or below.
fn place(scheme: &Path, written: &str) -> Result<PathBuf, Text2> {
    let relative = Path::new(written);
    let is_below = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if written.is_empty() || !is_below {
        return Err(both(
            "它不在方案文件所在的文件夹里",
            "it is not within the scheme's folder",
        ));
    }
    Ok(parent(scheme).join(relative))
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Text2> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => both("没有这个文件", "there is no such file"),
        _ => Text2::same(error.to_string()),
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    let read = file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if read as u64 > MAX_FILE {
        return Err(both(
            format!("超过 {} MiB", MAX_FILE >> 20),
            format!("it is larger than {} MiB", MAX_FILE >> 20),
        ));
    }
    Ok(bytes)
}

/// The recording of a test, and where it lies.
pub(crate) fn open(
    file: &Arc<SourceFile>,
    scheme: &str,
    test: &RecordingTest,
) -> Result<(PathBuf, Recording), Box<Diagnostic>> {
    let opened = place(Path::new(&file.name), &test.path).and_then(|path| {
        let recording = file::read(&bytes_of(&path)?)?;
        match recording.scheme == scheme {
            true => Ok((path, recording)),
            false => Err(both(
                format!("它录的是方案 {}", recording.scheme),
                format!("it is of the scheme {}", recording.scheme),
            )),
        }
    });
    opened.map_err(|why| {
        Box::new(
            Diagnostic::new(&RECORDING_UNREADABLE, file, test.path_span.clone())
                .with("path", &test.path)
                .with("why_zh", why.zh)
                .with("why_en", why.en),
        )
    })
}

/// What is wrong with the recordings of a scheme's tests.
pub(crate) fn problems(file: &Arc<SourceFile>, plan: &Plan) -> Vec<Diagnostic> {
    let opened = plan.recordings.iter().map(|test| open(file, &plan.scheme, test));
    opened
        .filter_map(|opened| opened.err().map(|problem| *problem))
        .collect()
}

/// Why a replay could not be made at all.
pub(crate) fn in_words(error: &AppError) -> Text2 {
    use dsl::diagnostic::Lang;
    both(error.message(Lang::Zh), error.message(Lang::En))
}

/// The reason of a stored record, as its code.
fn code_of(reason: Option<&Reason>) -> Option<&str> {
    reason
        .map(|reason| reason.code.as_str())
        .filter(|code| !code.is_empty())
}
