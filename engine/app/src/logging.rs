//! The log of a process: one line an event, through the redactor, to stderr and to a file of bounded size.
//!
//! Whoever has something to say uses `tracing`; fields of the spans around (`request_id`, `run`, `scheme`) stand in each
//! line. On a terminal a line is text, everywhere else JSON with `at`, `level` and `message` first. Records are never
//! logged: only keys, counts and reasons, which the ledger shows as well. A line that cannot be written is lost; the work
//! goes on.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use connector::Redactor;
use flow::ids::Ms;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::clock::Clock;
use crate::error::AppError;

/// The folder of log files in the data directory.
pub const FOLDER: &str = "log";
const NAME: &str = "engine.log";
/// Bytes of one file, and how many there are: weeks of a busy service, and no reason for a full disk.
const FILE_MAX: u64 = 10 << 20;
const FILES: usize = 5;
/// Bytes of one line: a sentence of another system may be long.
const LINE_MAX: usize = 16 << 10;

/// How lines look on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// For people.
    Text,
    /// For programs.
    Json,
    /// Not there at all.
    Silent,
}

/// How a log is set up.
pub struct Setting {
    /// Lines on stderr.
    pub look: Look,
    /// 0 = what operators want to know, 1 = more, 2 = everything.
    pub verbosity: u8,
    /// The data directory that gets log files; `None` = none.
    pub dir: Option<PathBuf>,
    /// Takes secrets out of each line. Clones learn together: what a connection learns later is known here too.
    pub redactor: Redactor,
    /// Tells when something happened.
    pub clock: Arc<dyn Clock>,
}

/// Something else that is told what this process does, as a collector of traces.
pub type Beside = Box<dyn Layer<tracing_subscriber::Registry> + Send + Sync>;

/// Begins to log what this process says. Only the first call of a process counts: gives whether this was it.
pub fn start(setting: Setting, beside: Option<Beside>) -> Result<bool, AppError> {
    let layer = layer(setting)?;
    let registry = tracing_subscriber::registry().with(beside).with(layer);
    Ok(tracing::subscriber::set_global_default(registry).is_ok())
}

fn layer(setting: Setting) -> Result<Lines, AppError> {
    let file = match &setting.dir {
        Some(dir) => Some(
            Rotating::open(&dir.join(FOLDER), FILE_MAX).map_err(|error| AppError::File {
                path: dir.join(FOLDER).display().to_string(),
                what: error.to_string(),
            })?,
        ),
        None => None,
    };
    Ok(Lines {
        look: setting.look,
        most: match setting.verbosity {
            0 => LevelFilter::INFO,
            1 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        },
        file: Mutex::new(file),
        redactor: setting.redactor,
        clock: setting.clock,
    })
}

struct Lines {
    look: Look,
    most: LevelFilter,
    file: Mutex<Option<Rotating>>,
    redactor: Redactor,
    clock: Arc<dyn Clock>,
}

/// Fields as they were given, the first of a name counts.
#[derive(Debug, Clone, Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, value: Value) {
        self.0.entry(field.name().to_owned()).or_insert(value);
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.put(field, format!("{value:?}").into());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        // Below debug the libraries underneath would be louder than the engine.
        let own = [
            "app",
            "engine",
            "server",
            "ledger",
            "flow",
            "connector",
            "transport",
            "database",
        ];
        let crate_name = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= self.most && (own.contains(&crate_name) || *metadata.level() <= Level::WARN)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Fields>() {
                for (name, value) in &outer.0 {
                    fields.0.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        self.write(self.clock.now_ms(), *event.metadata().level(), fields.0);
    }
}

impl Lines {
    fn write(&self, at: Ms, level: Level, mut fields: Map<String, Value>) {
        let message = fields.remove("message").unwrap_or_default();
        let time = Timestamp::from_millisecond(at).unwrap_or_default();
        let mut line = Map::new();
        line.insert(
            "at".to_owned(),
            time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string().into(),
        );
        line.insert("level".to_owned(), level.as_str().to_lowercase().into());
        line.insert("message".to_owned(), message);
        line.extend(fields);
        let json = self.clean(&Value::Object(line.clone()).to_string());
        match self.look {
            Look::Json => to_stderr(&json),
            Look::Text => to_stderr(&self.clean(&text(&line))),
            Look::Silent => {}
        }
        if let Some(file) = &mut *self.file.lock().unwrap_or_else(PoisonError::into_inner) {
            file.line(&json);
        }
    }

    /// Without secrets, on one line, and not endless. JSON that had to be cut would be none: its message is cut first.
    fn clean(&self, line: &str) -> String {
        let line = self.redactor.redact(line).replace(['\n', '\r'], " ");
        if line.len() <= LINE_MAX {
            return line;
        }
        let start = &line[..line.floor_char_boundary(LINE_MAX / 4)];
        serde_json::json!({"level": "warn", "message": "a line was too long", "start": start}).to_string()
    }
}

/// A line for people: time, level, message, then the fields.
pub fn text(line: &Map<String, Value>) -> String {
    let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let of = |name: &str| line.get(name).map(plain).unwrap_or_default();
    let mut text = format!("{} {:5} {}", of("at"), of("level").to_uppercase(), of("message"));
    for (name, value) in line
        .iter()
        .filter(|(name, _)| !["at", "level", "message"].contains(&name.as_str()))
    {
        text.push_str(&format!("  {name}={}", plain(value)));
    }
    // What another system wrote must not begin a line or paint the terminal.
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect()
}

fn to_stderr(line: &str) {
    if writeln!(std::io::stderr().lock(), "{line}").is_err() {
        // Nobody reads it any more.
    }
}

/// A file that is put aside when it is full, and the oldest of those thrown away.
struct Rotating {
    folder: PathBuf,
    file: File,
    size: u64,
    most: u64,
}

impl Rotating {
    fn open(folder: &Path, most: u64) -> std::io::Result<Self> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        let file = append(&folder.join(NAME))?;
        let size = file.metadata()?.len();
        Ok(Rotating {
            folder: folder.to_owned(),
            file,
            size,
            most,
        })
    }

    fn line(&mut self, line: &str) {
        if self.size >= self.most && self.rotate().is_err() {
            // Better a log that ends than a disk that is full.
            return;
        }
        let bytes = format!("{line}\n");
        if self.file.write_all(bytes.as_bytes()).is_ok() {
            self.size += u64::try_from(bytes.len()).unwrap_or(0);
        }
    }

    fn rotate(&mut self) -> std::io::Result<()> {
        let place = |nth: usize| self.folder.join(aside(nth));
        for nth in (1..FILES - 1).rev() {
            if place(nth).exists() {
                std::fs::rename(place(nth), place(nth + 1))?;
            }
        }
        std::fs::rename(self.folder.join(NAME), place(1))?;
        self.file = append(&self.folder.join(NAME))?;
        self.size = 0;
        Ok(())
    }
}

fn aside(nth: usize) -> String {
    format!("engine.{nth}.log")
}

fn append(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Which lines are read.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this scheme.
    pub scheme: Option<String>,
    /// Of this run.
    pub run: Option<String>,
    /// At least so bad: `error`, `warn`, `info`, `debug`, `trace`.
    pub level: Option<String>,
    /// Since then.
    pub since: Option<Ms>,
    /// With this text in them.
    pub grep: Option<String>,
}

/// The words of levels, the worst first.
pub const LEVELS: [&str; 5] = ["error", "warn", "info", "debug", "trace"];

impl Filter {
    /// Whether a line is wanted. One that is no JSON is wanted when nothing is asked that it could not answer.
    pub fn wants(&self, line: &str) -> bool {
        if self
            .grep
            .as_ref()
            .is_some_and(|text| !line.contains(text.as_str()))
        {
            return false;
        }
        // Most lines of a long log are of other runs: they need not be parsed.
        if self.run.as_ref().is_some_and(|run| !names_run(line, run)) {
            return false;
        }
        let Ok(Value::Object(fields)) = serde_json::from_str(line) else {
            return self.scheme.is_none()
                && self.run.is_none()
                && self.level.is_none()
                && self.since.is_none();
        };
        let is = |name: &str, want: &Option<String>| {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            want.as_ref()
                .is_none_or(|want| fields.get(name).is_some_and(|value| text(value) == *want))
        };
        let rank = |word: &str| LEVELS.iter().position(|level| *level == word);
        let level = fields.get("level").and_then(Value::as_str).and_then(rank);
        let bad_enough = self
            .level
            .as_deref()
            .and_then(rank)
            .is_none_or(|most| level.is_some_and(|level| level <= most));
        let at = fields.get("at").and_then(Value::as_str);
        let at = at
            .and_then(|text| text.parse::<Timestamp>().ok())
            .map(Timestamp::as_millisecond);
        let late_enough = self.since.is_none_or(|since| at.is_some_and(|at| at >= since));
        is("scheme", &self.scheme) && is("run", &self.run) && bad_enough && late_enough
    }
}

/// Whether a line may be of this run, as it is written: `"run":7`.
fn names_run(line: &str, run: &str) -> bool {
    let mut named = line.split("\"run\":").skip(1);
    named.any(|rest| rest.trim_start_matches('"').starts_with(run))
}

/// Where a reader of the log is.
#[derive(Debug)]
pub struct Tail {
    folder: PathBuf,
    /// The file that is written now, as far as it was read.
    file: Option<BufReader<File>>,
    /// The beginning of a line that is not written to its end yet.
    part: String,
}

/// Reads the log of a data directory: all of it, oldest first, to `take`; then [`Tail::more`] goes on.
pub fn read(dir: &Path, take: &mut dyn FnMut(&str)) -> Result<Tail, AppError> {
    let folder = dir.join(FOLDER);
    for nth in (1..FILES).rev() {
        if let Ok(file) = File::open(folder.join(aside(nth))) {
            for line in BufReader::new(file).lines().map_while(Result::ok) {
                take(&line);
            }
        }
    }
    let mut tail = Tail {
        folder,
        file: None,
        part: String::new(),
    };
    tail.more(take);
    Ok(tail)
}

/// The last lines that are wanted, oldest first.
#[derive(Debug)]
pub struct Last {
    /// At most so many as were asked for.
    pub lines: VecDeque<String>,
    /// Whether there are more before them.
    pub more: bool,
    /// To go on behind them.
    pub tail: Tail,
}

/// Finds the last lines of a log that a filter wants; `most` = 0 finds all.
pub fn last(dir: &Path, filter: &Filter, most: usize) -> Result<Last, AppError> {
    let (mut lines, mut more) = (VecDeque::new(), false);
    let tail = read(dir, &mut |line| {
        if filter.wants(line) {
            lines.push_back(line.to_owned());
            if most > 0 && lines.len() > most {
                lines.pop_front();
                more = true;
            }
        }
    })?;
    Ok(Last { lines, more, tail })
}

impl Tail {
    /// What was written since, also over the end of a file.
    pub fn more(&mut self, take: &mut dyn FnMut(&str)) {
        loop {
            if self.file.is_none() {
                self.file = File::open(self.folder.join(NAME)).ok().map(BufReader::new);
            }
            let Some(file) = &mut self.file else { return };
            loop {
                match file.read_line(&mut self.part) {
                    Ok(0) | Err(_) => break,
                    Ok(_) if self.part.ends_with('\n') => {
                        take(self.part.trim_end());
                        self.part.clear();
                    }
                    Ok(_) => {}
                }
            }
            // The file was put aside: what follows is in a new one.
            if is_current(file.get_ref(), &self.folder.join(NAME)) {
                return;
            }
            self.file = None;
            self.part.clear();
        }
    }
}

fn is_current(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let same = |one: std::fs::Metadata, other: std::fs::Metadata| {
            (one.dev(), one.ino()) == (other.dev(), other.ino())
        };
        match (file.metadata(), std::fs::metadata(path)) {
            (Ok(open), Ok(there)) => same(open, there),
            _ => true,
        }
    }
    #[cfg(not(unix))]
    {
        let _ = (file, path);
        true
    }
}

/// How many lines of each level a log has, for `doctor`.
pub fn counts(dir: &Path) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let counted = read(dir, &mut |line| {
        let level = serde_json::from_str::<Value>(line)
            .ok()
            .and_then(|line| line["level"].as_str().map(str::to_owned));
        if let Some(level) = level {
            *counts.entry(level).or_insert(0) += 1;
        }
    });
    drop(counted);
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still(Ms);

    impl Clock for Still {
        fn now_ms(&self) -> Ms {
            self.0
        }
    }

    fn logged(folder: &Path, verbosity: u8, say: impl FnOnce()) -> Vec<String> {
        let setting = Setting {
            look: Look::Silent,
            verbosity,
            dir: Some(folder.to_owned()),
            redactor: Redactor::new(["canary-4f1d83"]),
            clock: Arc::new(Still(1_700_000_000_123)),
        };
        let layer = layer(setting).expect("a log");
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), say);
        let mut lines = Vec::new();
        read(folder, &mut |line| lines.push(line.to_owned())).expect("a log");
        lines
    }

    #[test]
    fn lines_carry_their_spans_and_no_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        let lines = logged(folder.path(), 0, || {
            let span = tracing::info_span!(target: "app", "run", scheme = "huke-to-k3", run = 7);
            let _inside = span.enter();
            tracing::info!(target: "app", rows = 3, "read canary-4f1d83\nof `x`");
            tracing::debug!(target: "app", "not at this level");
            tracing::info!(target: "hyper", "not ours");
            tracing::error!(target: "hyper", scheme = "own", "bad");
        });
        let of = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
        assert_eq!(lines.len(), 2, "{lines:#?}");
        assert_eq!(
            of(&lines[0]),
            serde_json::json!({
                "at": "2023-11-14T22:13:20.123Z", "level": "info", "message": "read ***\nof `x`",
                "rows": 3, "scheme": "huke-to-k3", "run": 7,
            })
        );
        assert_eq!(of(&lines[1])["scheme"], "own", "the nearest counts");
        let Value::Object(line) = of(&lines[0]) else {
            panic!("an object")
        };
        let shown = text(&line);
        assert!(
            !shown.contains('\n') && shown.starts_with("2023-11-14T22:13:20.123Z INFO  read ***"),
            "{shown}"
        );
    }

    #[test]
    fn a_full_file_is_put_aside_and_the_log_stays_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = Rotating::open(&folder.path().join(FOLDER), 1_000).expect("a log");
        let mut seen = Vec::new();
        let mut tail = None;
        for nth in 0..200 {
            log.line(&format!("{{\"n\":{nth},\"fill\":\"{}\"}}", "x".repeat(80)));
            let take = &mut |line: &str| seen.push(line.to_owned());
            match &mut tail {
                None => tail = Some(read(folder.path(), take).expect("a log")),
                Some(tail) => Tail::more(tail, take),
            }
        }
        // Whoever follows sees every line once, over all the files.
        let numbers: Vec<i64> = seen
            .iter()
            .map(|line| {
                serde_json::from_str::<Value>(line).expect("JSON")["n"]
                    .as_i64()
                    .expect("n")
            })
            .collect();
        assert_eq!(numbers, (0..200).collect::<Vec<_>>());
        let files: Vec<u64> = std::fs::read_dir(folder.path().join(FOLDER))
            .expect("a folder")
            .map(|entry| entry.expect("an entry").metadata().expect("a file").len())
            .collect();
        assert_eq!(files.len(), FILES);
        assert!(files.iter().all(|size| *size < 1_200), "{files:?}");
        // Whoever comes late sees what is left, in order.
        let mut late = Vec::new();
        read(folder.path(), &mut |line| late.push(line.to_owned())).expect("a log");
        assert_eq!(seen[seen.len() - late.len()..], late);
    }

    #[test]
    fn lines_are_found_by_what_they_say() {
        let line =
            r#"{"at":"2023-11-14T22:13:20.123Z","level":"warn","message":"slow","scheme":"a","run":7}"#;
        let with = |change: &dyn Fn(&mut Filter)| {
            let mut filter = Filter::default();
            change(&mut filter);
            filter.wants(line)
        };
        let some = |text: &str| Some(text.to_owned());
        assert!(with(&|_| ()));
        assert!(with(&|f| f.scheme = some("a")) && !with(&|f| f.scheme = some("b")));
        assert!(with(&|f| f.run = some("7")) && !with(&|f| f.run = some("8")));
        assert!(!with(&|f| f.run = some("70")));
        let of_7 = Filter {
            run: some("7"),
            ..Filter::default()
        };
        assert!(!of_7.wants(&line.replace("\"run\":7", "\"run\":70")));
        assert!(of_7.wants(&line.replace("\"run\":7", "\"run\":\"7\"")));
        assert!(!names_run(&line.replace("run", "ran"), "7"), "it is not parsed");
        assert!(with(&|f| f.level = some("warn")) && with(&|f| f.level = some("info")));
        assert!(!with(&|f| f.level = some("error")));
        assert!(
            with(&|f| f.since = Some(1_700_000_000_123)) && !with(&|f| f.since = Some(1_700_000_000_124))
        );
        assert!(with(&|f| f.grep = some("slo")) && !with(&|f| f.grep = some("fast")));
        assert!(Filter::default().wants("no JSON"));
    }
}
