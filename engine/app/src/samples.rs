//! Samples: rows that a source gave once, kept as `samples/CONNECTION/OPERATION.json` beside connections.yaml, so that
//! fields are checked and completed and tests have something to begin with.
//!
//! Taking one makes one read call and writes nothing at the other side. Marked fields are masked before anything is
//! kept: those named by hand and those that schemes of the folder mark as sensitive.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use connector::{Call, PageState, Samples};
use dsl::catalogue::files::SAMPLE_UNREADABLE;
use dsl::diagnostic::{Diagnostic, Lang, SourceFile};
use dsl::facts::{OpKind, OperationFacts, OptionFacts, Sample};
use dsl::path::{Path as Field, Segment};
use dsl::value::Number;
use dsl::{Map, Value, json};
use flow::ids::Ms;
use transport::{Client, Settings};

use crate::caller::{Caller, Effect, Ended};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::AppError;
use crate::mask;
use crate::reason::{self, Side};
use crate::settings;
use crate::workspace::{Workspace, parent};

/// The folder beside connections.yaml.
const FOLDER: &str = "samples";
/// Files of one connection; a person looks at a few of its operations.
const MAX_FILES: usize = 200;
/// Bytes of one file: some hundred rows of the widest documents we know.
const MAX_BYTES: u64 = 4 << 20;
/// The window of a call whose operation needs one, when nobody names it.
const DAY: Ms = 86_400_000;
/// Characters of a file's name.
const NAME: usize = 120;
/// Rows of a sample.
pub const MOST_ROWS: usize = 500;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The operation, by any of its names.
    pub api: String,
    /// Options as they were typed.
    pub options: Vec<(String, String)>,
    /// The fields to ask for, where the operation lets choose.
    pub fields: Vec<String>,
    /// The window; the last day, or what the operation takes, when nothing is said.
    pub window: Option<(Ms, Ms)>,
    /// The source's time field, where the operation asks by field.
    pub window_field: Option<String>,
    /// Most rows that are kept.
    pub rows: usize,
    /// Fields to mask.
    pub mask: Vec<Field>,
}

/// Rows that were fetched.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The connection.
    pub connection: String,
    /// Id of its connector.
    pub connector: String,
    /// The operation.
    pub operation: String,
    /// Whether simulators gave them.
    pub simulated: bool,
    /// The options it was asked with.
    pub options: Map,
    /// The fields that were chosen; none = all of them.
    pub fields: Vec<String>,
    /// The rows, masked.
    pub rows: Vec<Value>,
    /// The fields that were masked.
    pub masked: Vec<String>,
    /// Every field seen.
    pub columns: Vec<String>,
    /// When.
    pub taken_ms: Ms,
}

impl Taken {
    /// The file as it is kept, without layout.
    pub fn document(&self, taken: &str) -> Value {
        let texts = |texts: &[String]| Value::List(texts.iter().map(|text| text.as_str().into()).collect());
        let mut file = Map::new();
        file.insert("connection".to_owned(), self.connection.as_str().into());
        file.insert("connector".to_owned(), self.connector.as_str().into());
        file.insert("operation".to_owned(), self.operation.as_str().into());
        file.insert("simulated".to_owned(), Value::Bool(self.simulated));
        file.insert("options".to_owned(), Value::Map(self.options.clone()));
        file.insert("fields".to_owned(), texts(&self.fields));
        file.insert("taken".to_owned(), taken.into());
        file.insert("masked".to_owned(), texts(&self.masked));
        file.insert("rows".to_owned(), Value::List(self.rows.clone()));
        Value::Map(file)
    }
}

/// Where a sample is kept when nobody names a place: options that were given are part of the name, so that samples of
/// two objects lie side by side.
pub fn place(workspace: &Workspace, taken: &Taken) -> PathBuf {
    workspace_place(workspace, &taken.connection, &taken.operation, &taken.options)
}

fn workspace_place(workspace: &Workspace, connection: &str, operation: &str, options: &Map) -> PathBuf {
    let beside = workspace.connections_path().map_or(Path::new("."), parent);
    let options = options.values().filter_map(Value::to_plain_text);
    let name: Vec<String> = std::iter::once(operation.to_owned()).chain(options).collect();
    let fine = |char: char| {
        if char.is_alphanumeric() || "._-".contains(char) {
            char
        } else {
            '_'
        }
    };
    let name: String = name.join(".").chars().map(fine).take(NAME).collect();
    beside.join(FOLDER).join(connection).join(format!("{name}.json"))
}

/// Keeps a sample. A file that is something else is not replaced.
pub fn keep(path: &Path, text: &str) -> Result<(), AppError> {
    if path.exists()
        && let Err(what) = one(path)
    {
        let file = path.display();
        return Err(AppError::wrong_use(
            format!("{file} 不是样例文件,不会覆盖它({what})"),
            format!("{file} is no sample and is not replaced ({what})"),
        ));
    }
    write(path, text)
}

/// Writes a file, in folders that are made if need be.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), AppError> {
    std::fs::create_dir_all(parent(path)).map_err(|error| AppError::File {
        path: parent(path).display().to_string(),
        what: error.to_string(),
    })?;
    crate::files::replace(path, text.as_bytes())
}

/// Fetches one page.
pub async fn take(
    workspace: &Workspace,
    name: &str,
    wish: &Wish,
    clock: Arc<dyn Clock>,
    lang: Lang,
) -> Result<Taken, AppError> {
    let names: Vec<&str> = workspace.connections_there()?.names().collect();
    if !names.contains(&name) {
        return Err(AppError::no_such(("连接", "connection"), name, &names));
    }
    workspace.may_be_called(name)?;
    workspace.secrets_are_there(&[&name.to_owned()])?;
    let connection = Arc::new(workspace.resolve(name)?);
    let facts = connection.facts();
    let operation = facts.operation(&wish.api).map_err(|missing| {
        let all: Vec<&str> = missing.all.iter().map(String::as_str).collect();
        AppError::no_such(("操作", "operation"), &wish.api, &all)
    })?;
    fits(&operation, wish)?;
    let options = options(&operation, &wish.options)?;
    // Before anything is fetched: what is marked must be known.
    let marked = workspace.sensitive_of(name, &operation)?;
    let client = Client::new(Settings::default()).map_err(|error| AppError::bug(error.to_string()))?;
    let beside = workspace.connections_path().map(parent);
    let client = settings::client(&connection, &Arc::new(client), beside)?;
    let dir = workspace.data_dir();
    let all = [Arc::clone(&connection)];
    let caller = Caller::new(
        Arc::clone(&connection),
        &all,
        client,
        Arc::clone(&clock),
        Entropy::default(),
        &dir,
    )?;
    let now = clock.now_ms();
    let fields: Vec<(String, String)> = wish
        .fields
        .iter()
        .map(|name| (row_name(name), name.clone()))
        .collect();
    let call = Call {
        fields: (!fields.is_empty()).then_some(&fields),
        window_field: wish.window_field.as_deref(),
        ..of(&operation, &options, wish, now)
    };
    let ended = caller.call(&call, 0, Effect::None).await;
    if let Some(failure) = reason::read_failure(&ended, &caller, lang, Side::Source) {
        return Err(AppError::Refused(failure.reason));
    }
    let Ended::Answered { answer, .. } = &ended else {
        return Err(AppError::bug("a call without failure and without answer"));
    };
    let page = connection.rows(&operation.name, &call, answer)?;
    let mut rows = page.rows;
    rows.truncate(wish.rows.clamp(1, MOST_ROWS));
    // A kept sample is at most half of what is read again: layout takes room too.
    while json::to_string(&Value::List(rows.clone())).len() as u64 > MAX_BYTES / 4 && rows.len() > 1 {
        rows.truncate(rows.len() / 2);
    }
    let mut masked = Vec::new();
    for field in &wish.mask {
        let asked = Field::parse(&row_name(&field.to_string())).ok();
        let found = hide(&mut rows, std::slice::from_ref(field));
        let found = match (found.is_empty(), asked) {
            (true, Some(asked)) => hide(&mut rows, &[asked]),
            _ => found,
        };
        if found.is_empty() && !rows.is_empty() {
            return Err(AppError::wrong_use(
                format!("--mask {field}:没有一行有这个字段"),
                format!("--mask {field}: no row has this field"),
            ));
        }
        masked.extend(found);
    }
    masked.extend(hide(&mut rows, &marked));
    // What was masked in the sample that this one replaces stays masked.
    let before = one(&workspace_place(workspace, name, &operation.name, &options));
    for field in before.map(|kept| kept.masked).unwrap_or_default() {
        let paths: Vec<Field> = Field::parse(&field).into_iter().collect();
        masked.extend(hide(&mut rows, &paths));
    }
    masked.sort();
    masked.dedup();
    let mut columns = dsl::tree::Columns::default();
    rows.iter().for_each(|row| columns.add_row(row));
    Ok(Taken {
        connection: name.to_owned(),
        connector: connection.connector.id().to_owned(),
        operation: operation.name.clone(),
        simulated: workspace.is_simulated(),
        options,
        fields: wish.fields.clone(),
        rows,
        masked,
        columns: columns.texts(),
        taken_ms: now,
    })
}

/// Dots of a field become `_` in the row, as in a scheme's list of fields.
fn row_name(field: &str) -> String {
    field.replace('.', "_")
}

/// Only reads, and only with what they take.
fn fits(operation: &OperationFacts, wish: &Wish) -> Result<(), AppError> {
    let name = &operation.name;
    if operation.kind != OpKind::Read {
        return Err(AppError::wrong_use(
            format!("`{name}` 不是读取操作,取样只读取"),
            format!("`{name}` does not read; a sample is only read"),
        ));
    }
    if operation.filter_required {
        return Err(AppError::wrong_use(
            format!("`{name}` 只能按条件查询,不能取样"),
            format!("`{name}` asks by a condition only: there is nothing to take a sample of"),
        ));
    }
    let fields = !wish.fields.is_empty();
    if operation.fields_required && !fields {
        return Err(AppError::wrong_use(
            format!("`{name}` 要写明字段:--fields number,name"),
            format!("`{name}` must be told the fields: --fields number,name"),
        ));
    }
    if fields && !operation.accepts_fields {
        return Err(AppError::wrong_use(
            format!("`{name}` 不能选择字段;去掉 --fields"),
            format!("`{name}` gives all fields; leave --fields out"),
        ));
    }
    if wish.window.is_some() && operation.window_by_field && wish.window_field.is_none() {
        return Err(AppError::wrong_use(
            format!("`{name}` 按时间字段读取:加上 --window-field modified 之类"),
            format!("`{name}` reads by a time field: add --window-field, such as modified"),
        ));
    }
    Ok(())
}

/// What was typed, as the types of the options have it.
fn options(operation: &OperationFacts, typed: &[(String, String)]) -> Result<Map, AppError> {
    let mut options = Map::new();
    for (name, text) in typed {
        let Some(option) = operation.options.iter().find(|option| option.name == *name) else {
            let all: Vec<&str> = operation
                .options
                .iter()
                .map(|option| option.name.as_str())
                .collect();
            return Err(AppError::no_such(("选项", "option"), name, &all));
        };
        options.insert(name.clone(), option_value(option, text)?);
    }
    for option in &operation.options {
        let given =
            option.constant.is_some() || option.default.is_some() || options.contains_key(&option.name);
        if option.required && !given {
            return Err(AppError::wrong_use(
                format!("`{}` 需要选项:--option {}=…", operation.name, option.name),
                format!(
                    "`{}` needs an option: --option {}=...",
                    operation.name, option.name
                ),
            ));
        }
    }
    Ok(options)
}

fn option_value(option: &OptionFacts, text: &str) -> Result<Value, AppError> {
    let value = match option.ty.as_str() {
        "int" | "decimal" => Number::parse(text).map(Value::Number),
        "bool" => ["true", "false"]
            .contains(&text)
            .then(|| Value::Bool(text == "true")),
        "list" => Some(Value::List(
            text.split(',').map(|one| one.trim().into()).collect(),
        )),
        "map" => json::parse(text.as_bytes())
            .ok()
            .filter(|value| matches!(value, Value::Map(_))),
        "choice" if !option.of.iter().any(|word| word == text) => None,
        _ => Some(text.into()),
    };
    value.ok_or_else(|| {
        let (name, ty) = (&option.name, &option.ty);
        let of = option.of.join(" ");
        AppError::wrong_use(
            format!("选项 {name} 的值 `{text}` 不是 {ty} {of}"),
            format!("`{text}` is no {ty} {of} for the option {name}"),
        )
    })
}

/// The call of one page.
fn of<'a>(operation: &'a OperationFacts, options: &'a Map, wish: &Wish, now: Ms) -> Call<'a> {
    let page = operation.page.as_ref();
    let length = operation.window_max_ms.unwrap_or(DAY).min(DAY);
    let asks = operation.uses_window && (!operation.window_by_field || wish.window_field.is_some());
    let rows = u32::try_from(wish.rows.clamp(1, MOST_ROWS)).unwrap_or(1);
    Call {
        window: asks.then(|| wish.window.unwrap_or((now - length, now))),
        page: Some(PageState {
            number: page.map_or(1, |page| page.first),
            size: page.map_or(rows, |page| rows.min(page.max)),
            ..PageState::default()
        }),
        ..Call::new(&operation.name, options, now)
    }
}

/// Masks fields and keeps what kind of value they held: digits become zeros, anything else stars.
fn hide(rows: &mut [Value], marked: &[Field]) -> Vec<String> {
    let mut masked = Vec::new();
    for field in marked {
        let name = field.to_string();
        let mut found = false;
        for row in rows.iter_mut() {
            mask::each_mut(row, field, &mut |value| {
                found = true;
                *value = match &*value {
                    Value::Number(_) => Value::from(0_i64),
                    Value::Text(text)
                        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) =>
                    {
                        "0".repeat(text.len()).into()
                    }
                    Value::Null => Value::Null,
                    _ => connector::MASK.into(),
                };
            });
        }
        if found && !masked.contains(&name) {
            masked.push(name);
        }
    }
    masked
}

/// A path of a scheme's row as a sample has it: a scheme names the fields it asks for as it likes, a sample by the
/// source's names.
pub(crate) fn as_fetched(path: &Field, fields: Option<&[(String, String)]>) -> Option<Field> {
    let (first, rest) = path.segments().split_first()?;
    let Segment::Name(first) = first else { return None };
    let (_, field) = fields?.iter().find(|(name, _)| name == first)?;
    let below: Vec<String> = rest
        .iter()
        .map(|segment| match segment {
            Segment::Name(name) => Field::names([name.clone()]).to_string(),
            Segment::Index(at) => at.to_string(),
            Segment::All => "*".to_owned(),
        })
        .collect();
    let first = Field::names([row_name(field)]).to_string();
    Field::parse(&[vec![first], below].concat().join(".")).ok()
}

/// The samples of one connection that are kept beside connections.yaml, sorted by name. Those that cannot be read are
/// told.
pub(crate) fn of_connection(beside: &Path, connection: &str, problems: &mut Vec<Diagnostic>) -> Samples {
    let folder = beside.join(FOLDER).join(connection);
    let mut tell = |path: &Path, what: String| {
        let file = SourceFile::new(path.display().to_string(), "");
        problems.push(Diagnostic::new(&SAMPLE_UNREADABLE, &file, 0..0).with("what", what));
    };
    if !folder.is_dir() {
        return Samples::new();
    }
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) => {
            tell(&folder, error.to_string());
            return Samples::new();
        }
    };
    let is_sample = |path: &PathBuf| path.extension().is_some_and(|end| end == "json") && path.is_file();
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(is_sample)
        .collect();
    paths.sort();
    if paths.len() > MAX_FILES {
        tell(&folder, format!("more than {MAX_FILES} files"));
        paths.truncate(MAX_FILES);
    }
    let mut known = Samples::new();
    for path in paths {
        match one(&path) {
            Ok(sample) => known.push((sample.operation, sample.sample)),
            Err(what) => tell(&path, what),
        }
    }
    known
}

/// What a file of ours holds.
struct Kept {
    operation: String,
    masked: Vec<String>,
    sample: Sample,
}

fn one(path: &Path) -> Result<Kept, String> {
    let size = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_BYTES {
        return Err(format!("larger than {MAX_BYTES} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let file = json::parse(&bytes)
        .map_err(|error| format!("{} (byte {})", error.what.words(Lang::En), error.offset))?;
    let (Some(Value::Text(operation)), Some(Value::List(rows)), Some(Value::Map(options))) =
        (file.get("operation"), file.get("rows"), file.get("options"))
    else {
        return Err("engine sample did not write it".to_owned());
    };
    let texts = |name: &str| match file.get(name) {
        Some(Value::List(items)) => items.iter().filter_map(Value::to_plain_text).collect(),
        _ => Vec::new(),
    };
    let fields: Vec<String> = texts("fields");
    Ok(Kept {
        operation: operation.clone(),
        masked: texts("masked"),
        sample: Sample {
            own: true,
            options: options.clone(),
            chosen: !fields.is_empty(),
            rows: rows.clone(),
        },
    })
}
