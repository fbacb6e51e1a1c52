//! `engine config show`: the settings in force, and where each comes from. Never a secret.

use std::path::Path;

use dsl::Value;

use super::Done;
use super::args::{ColorArg, ConfigShowArgs, Global};
use super::env::Environment;
use super::json::object;
use super::out::Out;
use super::remote;
use super::run;
use super::table::{Table, one_line};

/// One setting.
struct Setting {
    name: &'static str,
    value: String,
    origin: &'static str,
    /// The flag or the variable that says otherwise.
    by: &'static str,
}

/// `engine config show`
pub(crate) fn show(args: ConfigShowArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let settings = settings(global, out, environment);
    if out.json {
        let list: Vec<Value> = settings
            .iter()
            .map(|one| {
                object! {"name" => one.name, "value" => one.value, "origin" => one.origin, "by" => one.by}
            })
            .collect();
        out.document(&object! {"schema" => "engine.config-show/1", "settings" => list});
        return Ok(0);
    }
    let mut heads = vec!["column-setting", "column-value"];
    if args.origin {
        heads.extend(["column-from", "column-by"]);
    }
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    for one in &settings {
        let mut cells = vec![one.name.to_owned(), one_line(&one.value)];
        if args.origin {
            cells.push(out.text(&format!("origin-{}", one.origin), &[]));
            cells.push(one.by.to_owned());
        }
        table.row(cells);
    }
    out.table(&table);
    Ok(0)
}

fn settings(global: &Global, out: &Out, environment: &Environment) -> Vec<Setting> {
    // What is found in files is told where they can be read.
    let files = run::seen(Path::new("."), global, environment).ok();
    let path = |path: &Path| path.display().to_string();
    let found =
        |flag: Option<String>, variable: &'static str, default: Option<String>, by: &'static str, name| {
            let (value, origin) = match (flag, environment.get(variable), default) {
                (Some(value), ..) => (value, "flag"),
                (None, Some(value), _) => (remote::shown(value), "environment"),
                (None, None, Some(value)) => (value, "default"),
                (None, None, None) => ("-".to_owned(), "default"),
            };
            Setting {
                name,
                value,
                origin,
                by,
            }
        };
    let text = |value: &Option<std::path::PathBuf>| value.as_deref().map(path);
    let connections = files
        .as_ref()
        .and_then(|files| files.connections_path())
        .map(path);
    let room = environment.room().unwrap_or_default();
    let beside = connections.as_deref().map_or_else(
        || Path::new(".").to_owned(),
        |file| Path::new(file).parent().unwrap_or(Path::new(".")).to_owned(),
    );
    let store = beside.join(".engine").join("secrets.json");
    let color = match global.color {
        ColorArg::Auto => None,
        ColorArg::Always => Some("always".to_owned()),
        ColorArg::Never => Some("never".to_owned()),
    };
    let lang = global.lang.map(|_| out.lang.pick("zh", "en").to_owned());
    let language = out.lang.pick("zh", "en").to_owned();
    let mut lang = found(
        lang,
        "ENGINE_LANG",
        Some(language),
        "--lang ENGINE_LANG LC_ALL LANG",
        "lang",
    );
    if lang.origin == "default"
        && ["LC_ALL", "LANG"]
            .iter()
            .any(|name| environment.get(name).is_some())
    {
        lang.origin = "environment";
    }
    vec![
        found(
            global.env.clone(),
            "ENGINE_ENV",
            Some("default".to_owned()),
            "--env ENGINE_ENV",
            "env",
        ),
        found(
            text(&global.connections),
            "ENGINE_CONNECTIONS",
            connections,
            "--connections ENGINE_CONNECTIONS",
            "connections",
        ),
        found(
            text(&global.data_dir),
            "ENGINE_DATA_DIR",
            files.as_ref().map(|files| path(&files.data_dir())),
            "--data-dir ENGINE_DATA_DIR",
            "data-dir",
        ),
        found(
            None,
            "ENGINE_SECRETS_FILE",
            Some(path(&store)),
            "ENGINE_SECRETS_FILE",
            "secrets-file",
        ),
        found(
            text(&global.key_file),
            "ENGINE_SECRETS_KEY_FILE",
            Some(path(&store.with_file_name("secret.key"))),
            "--key-file ENGINE_SECRETS_KEY_FILE",
            "key-file",
        ),
        Setting {
            name: "secrets-key",
            value: if environment.get("ENGINE_SECRETS_KEY").is_some() {
                "***"
            } else {
                "-"
            }
            .to_owned(),
            origin: if environment.get("ENGINE_SECRETS_KEY").is_some() {
                "environment"
            } else {
                "default"
            },
            by: "ENGINE_SECRETS_KEY",
        },
        found(
            None,
            "ENGINE_MIN_FREE",
            Some(room.least_free.to_string()),
            "ENGINE_MIN_FREE",
            "min-free",
        ),
        found(
            None,
            "ENGINE_MAX_LEDGER",
            Some(room.most.to_string()),
            "ENGINE_MAX_LEDGER",
            "max-ledger",
        ),
        found(None, "ENGINE_KEEP", Some("90d".to_owned()), "ENGINE_KEEP", "keep"),
        lang,
        found(
            global.remote.server.as_deref().map(remote::shown),
            "ENGINE_SERVER",
            None,
            "--server ENGINE_SERVER",
            "server",
        ),
        found(
            text(&global.remote.token_file),
            "ENGINE_TOKEN_FILE",
            None,
            "--token-file ENGINE_TOKEN_FILE",
            "token-file",
        ),
        found(
            text(&global.remote.server_ca),
            "ENGINE_SERVER_CA",
            None,
            "--server-ca ENGINE_SERVER_CA",
            "server-ca",
        ),
        found(
            color,
            "NO_COLOR",
            Some("auto".to_owned()),
            "--color NO_COLOR",
            "color",
        ),
    ]
}
