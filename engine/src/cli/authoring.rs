//! `engine init`, `engine connection add`, `engine sample`: the first lines of an author.

use std::path::Path;
use std::sync::Arc;

use app::authoring::{self, Beginning};
use app::samples::{self, Taken, Wish};
use app::templates;
use app::{AppError, SystemClock, Workspace};
use dsl::Value;
use dsl::diagnostic::to_json;

use super::Done;
use super::args::{ConnectionAddArgs, Global, InitArgs, SampleArgs};
use super::check::count;
use super::env::{Environment, variable_for};
use super::json::{object, pretty};
use super::out::Out;
use super::run::workspace;
use super::simulators::{Keep, Simulation};
use super::table::{Table, one_line};
use super::time;

/// Fields told one by one; the file has all of them.
const TOLD: usize = 60;
/// Characters of a value that are told.
const SHOWN: usize = 40;

/// `engine connection add NAME --connector ID`
pub(crate) fn add(args: ConnectionAddArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let places = environment.places(global);
    let added =
        authoring::add_connection(Path::new("."), &places, &args.name, &args.connector, &args.params)?;
    let file = plain(&added.path);
    if out.json {
        out.document(&object! {
            "schema" => "engine.connection-add/1",
            "file" => file,
            "created" => added.created,
            "name" => args.name,
            "connector" => args.connector,
            "entry" => added.entry,
            "variables" => variables(&added.references),
        });
        return Ok(0);
    }
    out.say("connection-added", &[("file", file), ("name", args.name.clone())]);
    out.line(added.entry.trim_end());
    tell_variables(&added.references, out);
    out.note("connection-try", &[("name", args.name)]);
    Ok(0)
}

/// A path as people write it.
fn plain(path: &Path) -> String {
    let text = path.display().to_string();
    text.strip_prefix("./").map(str::to_owned).unwrap_or(text)
}

/// The environment variables that the references read, each once.
fn variables(references: &[String]) -> Vec<String> {
    let mut names: Vec<String> = references
        .iter()
        .filter_map(|reference| variable_for(reference))
        .collect();
    names.sort();
    names.dedup();
    names
}

fn tell_variables(references: &[String], out: &Out) {
    for variable in variables(references) {
        out.note("secret-set", &[("variable", variable)]);
    }
}

/// `engine init [DIR] --from-connector ID` or `--template NAME`
pub(crate) fn init(args: InitArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if args.list {
        return list_templates(out);
    }
    let places = environment.places(global);
    let begun = match &args.template {
        Some(name) => authoring::from_template(&args.folder, &places, name, args.scheme.as_deref())?,
        None => authoring::begin(
            &args.folder,
            &places,
            &Beginning {
                source: args.from_connector.unwrap_or_default(),
                api: args.api,
                target: args.to_connector,
                scheme: args.scheme,
            },
        )?,
    };
    let (errors, _) = count(&begun.problems);
    let code = u8::from(errors > 0);
    let scheme = plain(&begun.scheme);
    if out.json {
        let diagnostics: Vec<_> = begun.problems.iter().map(|one| to_json(one, out.lang)).collect();
        out.document(&object! {
            "schema" => "engine.init/1",
            "exit_code" => code,
            "scheme" => scheme,
            "further" => begun.further.iter().map(|path| plain(path)).collect::<Vec<_>>(),
            "connections" => plain(&begun.connections),
            "added" => begun.added,
            "variables" => variables(&begun.references),
            "diagnostics" => diagnostics,
        });
        return Ok(code);
    }
    for name in &begun.added {
        let file = plain(&begun.connections);
        out.say("connection-added", &[("file", file), ("name", name.clone())]);
    }
    out.say("init-written", &[("file", scheme.clone())]);
    for path in &begun.further {
        out.say("init-written", &[("file", plain(path))]);
    }
    out.findings(&begun.problems);
    tell_variables(&begun.references, out);
    if let Some((connection, api)) = begun.unknown {
        out.note("init-sample", &[("connection", connection), ("api", api)]);
    }
    let next = match starts_by_push(&begun.scheme) {
        true => "init-next-push",
        false => "init-next",
    };
    out.note(next, &[("file", scheme)]);
    Ok(code)
}

/// Whether the scheme of a file runs when something is pushed: there is nothing to rehearse before that.
fn starts_by_push(path: &Path) -> bool {
    let node = app::read(path)
        .ok()
        .and_then(|file| dsl::yaml::read_all(&file).node);
    let schedule = node.as_ref().and_then(|node| node.get("schedule"));
    schedule.and_then(|pair| pair.value.text()) == Some("on_push")
}

/// `engine init --list`
fn list_templates(out: &Out) -> Done {
    let known = templates::all()?;
    if out.json {
        let all: Vec<Value> = known
            .iter()
            .map(|one| {
                let connectors: Vec<&str> = one
                    .connections
                    .iter()
                    .map(|(_, connector)| connector.as_str())
                    .collect();
                object! {"name" => one.name, "about" => one.about(out.lang), "connectors" => connectors}
            })
            .collect();
        out.document(&object! {"schema" => "engine.init-list/1", "templates" => all});
        return Ok(0);
    }
    let mut table = Table::new(vec![
        out.text("column-template", &[]),
        out.text("column-what", &[]),
    ]);
    for one in &known {
        table.row(vec![one.name.clone(), one.about(out.lang).to_owned()]);
    }
    out.table(&table);
    Ok(0)
}

/// `engine sample CONNECTION API`
pub(crate) fn sample(args: SampleArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let mask: Result<Vec<dsl::Path>, AppError> = args
        .mask
        .iter()
        .map(|field| {
            dsl::Path::parse(field).map_err(|_| {
                AppError::wrong_use(
                    format!("--mask `{field}` 不是字段路径,例如 items.*.phone"),
                    format!("--mask `{field}` is no path of a field, such as items.*.phone"),
                )
            })
        })
        .collect();
    let wish = Wish {
        api: args.api.clone(),
        options: args.options.clone(),
        fields: args.fields.clone(),
        window: args
            .window
            .as_deref()
            .map(time::interval)
            .transpose()?
            .map(|interval| (interval.from, interval.to)),
        window_field: args.window_field.clone(),
        rows: usize::from(args.rows),
        mask: mask?,
    };
    super::block_on(async {
        // Schemes beside the connections mark fields as sensitive.
        let base = global.connections.as_deref().and_then(Path::parent);
        let base = base
            .filter(|base| !base.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let schemes = base.join("schemes");
        let here = if schemes.is_dir() { schemes.as_path() } else { base };
        let places = environment.places(global);
        let simulation = Simulation::start(&args.simulated, here, &places, Keep::IfThere).await?;
        let taken = take(&args, &wish, here, global, &simulation, out, environment).await;
        simulation.stop().await;
        let (workspace, taken) = taken?;
        told(&args, &workspace, &taken, out)
    })?
}

async fn take(
    args: &SampleArgs,
    wish: &Wish,
    here: &Path,
    global: &Global,
    simulation: &Simulation,
    out: &Out,
    environment: &Environment,
) -> Result<(Workspace, Taken), AppError> {
    let workspace = workspace(here, global, simulation.simulators(), environment)?;
    let clock = Arc::new(SystemClock::default());
    let taken = samples::take(&workspace, &args.connection, wish, clock, out.lang).await?;
    Ok((workspace, taken))
}

fn told(args: &SampleArgs, workspace: &Workspace, taken: &Taken, out: &Out) -> Done {
    let document = taken.document(&time::rfc3339(taken.taken_ms));
    let text = format!("{}\n", pretty(&document));
    let path = match args.out.as_deref() {
        Some(path) if path == Path::new("-") => None,
        Some(path) => Some(path.to_owned()),
        None => Some(samples::place(workspace, taken)),
    };
    // No rows say nothing: a sample that is there stays.
    if let (Some(path), false) = (&path, taken.rows.is_empty()) {
        samples::keep(path, &text)?;
    }
    let file = path.map(|path| plain(&path));
    if out.json {
        out.document(&object! {
            "schema" => "engine.sample/1",
            "exit_code" => u8::from(taken.rows.is_empty()),
            "connection" => taken.connection,
            "connector" => taken.connector,
            "operation" => taken.operation,
            "file" => file,
            "rows" => taken.rows.len(),
            "fields" => taken.columns,
            "masked" => taken.masked,
        });
        return Ok(u8::from(taken.rows.is_empty()));
    }
    if taken.rows.is_empty() {
        out.say("sample-empty", &[("operation", taken.operation.clone())]);
        return Ok(1);
    }
    let Some(file) = file else {
        out.line(text.trim_end());
        return Ok(0);
    };
    let facts = [
        ("file", file),
        ("rows", taken.rows.len().to_string()),
        ("fields", taken.columns.len().to_string()),
        ("masked", taken.masked.len().to_string()),
    ];
    out.say("sample-kept", &facts);
    let mut table = Table::new(vec![out.text("column-field", &[]), out.text("column-value", &[])]);
    for field in taken.columns.iter().take(TOLD) {
        table.row(vec![field.clone(), one_line(&value_of(&taken.rows, field))]);
    }
    out.table(&table);
    if taken.columns.len() > TOLD {
        let count = taken.columns.len() - TOLD;
        out.note("sample-more", &[("count", count.to_string())]);
    }
    out.note("sample-real", &[]);
    Ok(0)
}

/// The first value of a field, shortened.
fn value_of(rows: &[Value], field: &str) -> String {
    // Of a list, its first element.
    let Ok(path) = dsl::Path::parse(&field.replace(".*", ".0")) else {
        return String::new();
    };
    let found = rows.iter().find_map(|row| first(row, &path));
    let text = found.unwrap_or_default();
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

fn first(row: &Value, path: &dsl::Path) -> Option<String> {
    let found = path.get(row)?;
    let one = match found {
        Value::List(items) => items.first()?,
        one => one,
    };
    match one {
        Value::Null => None,
        Value::Text(text) if text.is_empty() => None,
        Value::Map(_) | Value::List(_) => Some(dsl::json::to_string(one)),
        single => single.to_plain_text(),
    }
}
