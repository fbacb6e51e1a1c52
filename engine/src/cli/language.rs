//! What the language itself can say: `functions`, `explain`, `schema`, `completion`, `version`.

use app::{AppError, Places, systems};
use clap::ValueEnum;
use connector::schema;
use dsl::builtin::{Builtin, Count, Gives, Words};
use dsl::catalogue;
use dsl::diagnostic::did_you_mean;
use dsl::{Lang, Value};

use super::Done;
use super::args::{CompletionArgs, ExplainArgs, FunctionsArgs, Global, SchemaArgs, SchemaKind};
use super::env::Environment;
use super::expr::explain_phrase;
use super::help;
use super::json::{ToJson, object, pretty};
use super::out::Out;
use super::table::Table;

/// `engine functions`
pub(crate) fn functions(args: FunctionsArgs, out: &Out) -> Done {
    let registry = functions::registry();
    if let Some(name) = args
        .name
        .as_deref()
        .filter(|name| !out.json && registry.get(name).is_none())
        && explain_phrase(name, out)
    {
        return Ok(0);
    }
    let wanted: Vec<&'static Builtin> = match &args.name {
        Some(name) => vec![
            registry
                .get(name)
                .ok_or_else(|| unknown("函数", "function", name, registry.similar(name)))?,
        ],
        None => registry.all().to_vec(),
    };
    if out.json {
        let functions: Vec<Value> = wanted
            .iter()
            .map(|one| function_document(one, out.lang))
            .collect();
        out.document(&object! {"schema" => "engine.functions/1", "functions" => functions});
        return Ok(0);
    }
    match (args.name, wanted.as_slice()) {
        (Some(_), [only]) => explain_function(only, out),
        _ => {
            let mut table = Table::new(vec![
                out.text("column-function", &[]),
                out.text("column-what", &[]),
            ]);
            for one in wanted {
                table.row(vec![one.signature(), words(one.summary, out.lang).to_owned()]);
            }
            out.table(&table);
        }
    }
    Ok(0)
}

fn words(words: Words, lang: Lang) -> &'static str {
    lang.pick(words.zh, words.en)
}

/// One function in full: for `engine functions NAME` and `:help NAME`.
pub(crate) fn explain_function(one: &Builtin, out: &Out) {
    out.line(format!("{} → {}", one.signature(), one.returns.name()));
    out.line(format!("  {}", words(one.summary, out.lang)));
    if !one.aliases.is_empty() {
        out.say_in("function-aliases", &[("names", one.aliases.join(", "))]);
    }
    if !one.params.is_empty() {
        out.line("");
        let mut table = Table::default();
        for param in one.params {
            let count = match param.count {
                Count::Once => String::new(),
                Count::Optional => out.text("param-optional", &[]),
                Count::Any => out.text("param-any", &[]),
                Count::Paired => out.text("param-paired", &[]),
            };
            table.row(vec![
                format!("  {}", param.name),
                param.takes.name().to_owned(),
                count,
                words(param.about, out.lang).to_owned(),
            ]);
        }
        out.table(&table);
    }
    out.line("");
    let mut table = Table::default();
    for example in one.examples {
        let gives = match example.gives {
            Gives::Text(text) => format!("= {text}"),
            Gives::Null => "= NULL".to_owned(),
            Gives::Code(code) => format!("✗ {code}"),
        };
        table.row(vec![format!("  {}", example.expr), gives]);
    }
    out.table(&table);
}

fn function_document(one: &Builtin, lang: Lang) -> Value {
    let params: Vec<Value> = one
        .params
        .iter()
        .map(|param| {
            let count = match param.count {
                Count::Once => "once",
                Count::Optional => "optional",
                Count::Any => "any",
                Count::Paired => "paired",
            };
            object! {
                "name" => param.name, "type" => param.takes.name(), "count" => count,
                "about" => words(param.about, lang),
            }
        })
        .collect();
    let examples: Vec<Value> = one
        .examples
        .iter()
        .map(|example| {
            let (result, code) = match example.gives {
                Gives::Text(text) => (Some(text), None),
                Gives::Null => (None, None),
                Gives::Code(code) => (None, Some(code)),
            };
            object! {"expr" => example.expr, "result" => result, "code" => code}
        })
        .collect();
    object! {
        "name" => one.name,
        "aliases" => one.aliases,
        "signature" => one.signature(),
        "returns" => one.returns.name(),
        "summary" => words(one.summary, lang),
        "params" => params,
        "examples" => examples,
    }
}

fn unknown(zh: &str, en: &str, name: &str, similar: Vec<String>) -> AppError {
    let (zh_more, en_more) = if similar.is_empty() {
        (String::new(), String::new())
    } else {
        (
            format!(";是否想写 {}?", similar.join("、")),
            format!("; did you mean {}?", similar.join(", ")),
        )
    };
    AppError::wrong_use(
        format!("没有名为 `{name}` 的{zh}{zh_more}"),
        format!("there is no {en} `{name}`{en_more}"),
    )
}

/// `engine explain CODE`
pub(crate) fn explain(args: ExplainArgs, out: &Out) -> Done {
    let entry = catalogue::find(&args.code).ok_or_else(|| {
        let wanted = args.code.to_ascii_uppercase();
        let similar = did_you_mean(&wanted, catalogue::all().map(|entry| entry.code));
        unknown("代码", "code", &args.code, similar)
    })?;
    if out.json {
        out.document(&object! {
            "schema" => "engine.explain/1",
            "code" => entry.code,
            "severity" => entry.severity.name(),
            "message" => entry.text_outline(out.lang),
            "help" => entry.help_outline(out.lang).unwrap_or_default(),
            "long" => entry.long(out.lang),
            "example" => entry.example,
        });
        return Ok(0);
    }
    let message = entry.text_outline(out.lang);
    out.line(format!("{}[{}]: {message}", entry.severity.name(), entry.code));
    out.line("");
    out.line(entry.long(out.lang));
    if let Some(help) = entry.help_outline(out.lang) {
        out.line("");
        out.say("help-line", &[("help", help)]);
    }
    if !entry.example.is_empty() {
        out.line("");
        out.say("explain-example", &[]);
        out.line("");
        for line in entry.example.lines() {
            out.line(format!("    {line}"));
        }
    }
    Ok(0)
}

/// `engine schema`
pub(crate) fn schema(args: SchemaArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let text = schema_text(args.kind, out.lang, &environment.places(global))?;
    let Some(path) = args.out else {
        out.raw(&text);
        return Ok(0);
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| written(folder, &error))?;
    }
    std::fs::write(&path, text).map_err(|error| written(&path, &error))?;
    out.note("schema-written", &[("file", path.display().to_string())]);
    Ok(0)
}

/// A file that cannot be written.
pub(crate) fn written(path: &std::path::Path, error: &std::io::Error) -> AppError {
    let path = path.display();
    AppError::wrong_use(
        format!("无法写入 {path}:{error}"),
        format!("cannot write {path}: {error}"),
    )
}

/// The schema of a kind of document, with a line end. That of connections knows the connectors there are here.
fn schema_text(kind: SchemaKind, lang: Lang, places: &Places) -> Result<String, AppError> {
    let made = |schema: serde_json::Value| Ok(format!("{}\n", pretty(&schema.to_json())));
    let fixed = match kind {
        SchemaKind::Scheme => return made(dsl::schema::scheme_schema(lang)),
        SchemaKind::Object => return made(dsl::schema::object_schema(lang)),
        SchemaKind::Connector => return made(schema::connector_schema(lang)),
        SchemaKind::Connections => {
            return made(schema::connections_schema(lang, &systems::known(places)?));
        }
        SchemaKind::ConnectionAdd => include_str!("schemas/connection-add.json"),
        SchemaKind::Import => include_str!("schemas/import.json"),
        SchemaKind::Init => include_str!("schemas/init.json"),
        SchemaKind::InitList => include_str!("schemas/init-list.json"),
        SchemaKind::Sample => include_str!("schemas/sample.json"),
        SchemaKind::ConnectionList => include_str!("schemas/connection-list.json"),
        SchemaKind::ConnectionTest => include_str!("schemas/connection-test.json"),
        SchemaKind::ConnectorsCheck => include_str!("schemas/connectors-check.json"),
        SchemaKind::ConnectorsList => include_str!("schemas/connectors-list.json"),
        SchemaKind::ConnectorsShow => include_str!("schemas/connectors-show.json"),
        SchemaKind::Check => include_str!("schemas/check.json"),
        SchemaKind::Completion => include_str!("schemas/completion.json"),
        SchemaKind::DryRun => include_str!("schemas/dry-run.json"),
        SchemaKind::Error => include_str!("schemas/error.json"),
        SchemaKind::Explain => include_str!("schemas/explain.json"),
        SchemaKind::Expr => include_str!("schemas/expr.json"),
        SchemaKind::Fmt => include_str!("schemas/fmt.json"),
        SchemaKind::Functions => include_str!("schemas/functions.json"),
        SchemaKind::PublishUsage => include_str!("schemas/publish-usage.json"),
        SchemaKind::ReceiveList => include_str!("schemas/receive-list.json"),
        SchemaKind::ReceiveUrl => include_str!("schemas/receive-url.json"),
        SchemaKind::Replay => include_str!("schemas/replay.json"),
        SchemaKind::Retry => include_str!("schemas/retry.json"),
        SchemaKind::MapChange => include_str!("schemas/map-change.json"),
        SchemaKind::MapExport => include_str!("schemas/map-export.json"),
        SchemaKind::MapFields => include_str!("schemas/map-fields.json"),
        SchemaKind::MapGet => include_str!("schemas/map-get.json"),
        SchemaKind::MapImport => include_str!("schemas/map-import.json"),
        SchemaKind::MapList => include_str!("schemas/map-list.json"),
        SchemaKind::RowsDecide => include_str!("schemas/rows-decide.json"),
        SchemaKind::RowsExport => include_str!("schemas/rows-export.json"),
        SchemaKind::RowsList => include_str!("schemas/rows-list.json"),
        SchemaKind::RowsShow => include_str!("schemas/rows-show.json"),
        SchemaKind::Run => include_str!("schemas/run.json"),
        SchemaKind::RunNow => include_str!("schemas/run-now.json"),
        SchemaKind::RunsList => include_str!("schemas/runs-list.json"),
        SchemaKind::RunsShow => include_str!("schemas/runs-show.json"),
        SchemaKind::Sandbox => include_str!("schemas/sandbox.json"),
        SchemaKind::ConfigShow => include_str!("schemas/config-show.json"),
        SchemaKind::NotifyList => include_str!("schemas/notify-list.json"),
        SchemaKind::Tap => include_str!("schemas/tap.json"),
        SchemaKind::NotifyMute => include_str!("schemas/notify-mute.json"),
        SchemaKind::ObjectList => include_str!("schemas/object-list.json"),
        SchemaKind::ObjectShow => include_str!("schemas/object-show.json"),
        SchemaKind::NotifyTest => include_str!("schemas/notify-test.json"),
        SchemaKind::SchemesDeploy => include_str!("schemas/schemes-deploy.json"),
        SchemaKind::SchemesDiff => include_str!("schemas/schemes-diff.json"),
        SchemaKind::SchemesList => include_str!("schemas/schemes-list.json"),
        SchemaKind::SchemesPause => include_str!("schemas/schemes-pause.json"),
        SchemaKind::SchemesRevision => include_str!("schemas/schemes-revision.json"),
        SchemaKind::SchemesRevisions => include_str!("schemas/schemes-revisions.json"),
        SchemaKind::SchemesShow => include_str!("schemas/schemes-show.json"),
        SchemaKind::Service => include_str!("schemas/service.json"),
        SchemaKind::SecretChange => include_str!("schemas/secret-change.json"),
        SchemaKind::SecretList => include_str!("schemas/secret-list.json"),
        SchemaKind::Status => include_str!("schemas/status.json"),
        SchemaKind::Test => include_str!("schemas/test.json"),
        SchemaKind::TokenCreate => include_str!("schemas/token-create.json"),
        SchemaKind::TokenList => include_str!("schemas/token-list.json"),
        SchemaKind::TokenRevoke => include_str!("schemas/token-revoke.json"),
        SchemaKind::UserChange => include_str!("schemas/user-change.json"),
        SchemaKind::UserList => include_str!("schemas/user-list.json"),
        SchemaKind::AuditList => include_str!("schemas/audit-list.json"),
        SchemaKind::Adopt => include_str!("schemas/adopt.json"),
        SchemaKind::Backup => include_str!("schemas/backup.json"),
        SchemaKind::Diff => include_str!("schemas/diff.json"),
        SchemaKind::Doctor => include_str!("schemas/doctor.json"),
        SchemaKind::Migrate => include_str!("schemas/migrate.json"),
        SchemaKind::Restore => include_str!("schemas/restore.json"),
        SchemaKind::Verify => include_str!("schemas/verify.json"),
        SchemaKind::Version => include_str!("schemas/version.json"),
    };
    Ok(fixed.to_owned())
}

/// `engine completion`
pub(crate) fn completion(args: CompletionArgs, out: &Out) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut help::command(out.lang), "engine", &mut script);
    let script = String::from_utf8(script).map_err(|_| AppError::bug("a completion script is not UTF-8"))?;
    if out.json {
        let shell = args
            .shell
            .to_possible_value()
            .map(|value| value.get_name().to_owned());
        out.document(&object! {"schema" => "engine.completion/1", "shell" => shell, "script" => script});
    } else {
        out.raw(&script);
    }
    Ok(0)
}

/// `engine version`
pub(crate) fn version(out: &Out) -> Done {
    let version = env!("CARGO_PKG_VERSION");
    if out.json {
        out.document(&object! {"schema" => "engine.version/1", "version" => version});
    } else {
        out.line(format!("engine {version}"));
    }
    Ok(0)
}
