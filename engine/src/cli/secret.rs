//! `engine secret`: what `${secret:name}` stands for, kept encrypted. A value comes in by stdin and never goes out.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use app::AppError;
use app::secrets::{self, VALUE_MAX};
use app::{Clock, SystemClock};
use connector::{Secret, SecretKind};
use dsl::Value;

use super::Done;
use super::args::{Global, SecretNameArgs, SecretRotateArgs};
use super::env::{Environment, variable_of};
use super::json::object;
use super::out::Out;
use super::run;
use super::table::{Table, one_line};
use super::time;

/// `engine secret set NAME`
pub(crate) fn set(args: SecretNameArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let value = value(&args.name, out, environment)?;
    let mut change = secrets::change(&environment.places(global))?;
    let replaced = change.set(&args.name, &value, SystemClock::default().now_ms())?;
    let (path, key) = shown(change.store());
    if out.json {
        let action = if replaced { "replaced" } else { "set" };
        out.document(&changed(action, Some(&args.name), &path, key.as_deref()));
    } else {
        let key_text = key.unwrap_or_else(|| "ENGINE_SECRETS_KEY".to_owned());
        let said = if replaced {
            "secret-replaced"
        } else {
            "secret-kept"
        };
        out.say(said, &[("name", args.name.clone())]);
        out.say_in("secret-where", &[("path", path), ("key", key_text)]);
    }
    let variable = variable_of(&args.name);
    if environment.get(&variable).is_some() {
        out.note("secret-shadowed", &[("variable", variable)]);
    }
    Ok(0)
}

/// `engine secret rm NAME`
pub(crate) fn rm(args: SecretNameArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let places = environment.places(global);
    let known = secrets::overview(&places)?;
    if !known.secrets.iter().any(|one| one.name == args.name) {
        let all: Vec<&str> = known.secrets.iter().map(|one| one.name.as_str()).collect();
        return Err(AppError::no_such(("密钥", "secret"), &args.name, &all));
    }
    let mut change = secrets::change(&places)?;
    change.remove(&args.name)?;
    let (path, key) = shown(change.store());
    if out.json {
        out.document(&changed("removed", Some(&args.name), &path, key.as_deref()));
    } else {
        out.say("secret-removed", &[("name", args.name)]);
    }
    Ok(0)
}

/// `engine secret rotate`
pub(crate) fn rotate(args: SecretRotateArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let places = environment.places(global);
    if !secrets::overview(&places)?.path.exists() {
        return Err(AppError::wrong_use(
            "还没有密钥存储;engine secret set 名称 会建立它",
            "there is no secret store yet; engine secret set NAME makes one",
        ));
    }
    let mut change = secrets::change(&places)?;
    let from_environment = change.store().key_path().is_none();
    let key = change.rotate(args.new_key_file.as_deref())?.display().to_string();
    let (path, _) = shown(change.store());
    if out.json {
        out.document(&changed("rotated", None, &path, Some(&key)));
        return Ok(0);
    }
    let count = change.store().list().len();
    out.say("secret-rotated", &[("count", count.to_string()), ("key", key)]);
    if from_environment {
        out.say_in("secret-rotated-env", &[]);
    }
    Ok(0)
}

/// `engine secret list`
pub(crate) fn list(global: &Global, out: &Out, environment: &Environment) -> Done {
    let known = secrets::overview(&environment.places(global))?;
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for one in &known.secrets {
        rows.entry(one.name.clone()).or_default().at = Some(one.at);
    }
    match run::seen(Path::new("."), global, environment) {
        Ok(workspace) => {
            let references = workspace
                .connections()
                .map(connector::Connections::references)
                .unwrap_or_default();
            for one in references
                .into_iter()
                .filter(|one| one.kind == SecretKind::Secret)
            {
                let user = format!("{}.{}", one.connection, one.key);
                rows.entry(one.name).or_default().used.push(user);
            }
        }
        Err(_) => out.note("secret-unread", &[]),
    }
    for (name, row) in &mut rows {
        row.from = match (environment.get(&variable_of(name)), row.at) {
            (Some(_), _) => "environment",
            (None, Some(_)) => "store",
            (None, None) => "nowhere",
        };
    }
    let path = known.path.display().to_string();
    let code = u8::from(known.problem.is_some());
    if out.json {
        let secrets: Vec<Value> = rows
            .iter()
            .map(|(name, row)| {
                object! {
                    "name" => name, "from" => row.from, "set_at" => row.at.map(time::rfc3339),
                    "used_by" => row.used.clone(),
                }
            })
            .collect();
        let problem = known
            .problem
            .as_ref()
            .map(|failure| object! {"code" => failure.code(), "message" => failure.message(out.lang)});
        out.document(&object! {
            "schema" => "engine.secret-list/1", "path" => path, "problem" => problem, "secrets" => secrets,
        });
        return Ok(code);
    }
    let heads = ["column-name", "column-from", "column-set", "column-used-by"];
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    for (name, row) in &rows {
        table.row(vec![
            one_line(name),
            out.text(&format!("secret-from-{}", row.from), &[]),
            row.at.map_or_else(|| "-".to_owned(), time::shown),
            match row.used.is_empty() {
                true => "-".to_owned(),
                false => one_line(&row.used.join(", ")),
            },
        ]);
    }
    match rows.is_empty() {
        true => out.say("secret-none", &[]),
        false => out.table(&table),
    }
    match known.problem {
        // The names are known without the key; that the values are not is worth an exit code of its own.
        Some(failure) => Ok(out.error(&failure.into())),
        None => Ok(0),
    }
}

/// What is told of one secret.
#[derive(Default)]
struct Row {
    from: &'static str,
    at: Option<i64>,
    used: Vec<String>,
}

fn shown(store: &secrets::SecretStore) -> (String, Option<String>) {
    let text = |path: &Path| path.display().to_string();
    (text(store.path()), store.key_path().map(text))
}

fn changed(action: &str, name: Option<&str>, path: &str, key_file: Option<&str>) -> Value {
    object! {
        "schema" => "engine.secret-change/1", "action" => action, "name" => name, "path" => path,
        "key_file" => key_file,
    }
}

/// A value from stdin, without the line end that `echo` and editors leave behind it.
fn value(name: &str, out: &Out, environment: &Environment) -> Result<Secret, AppError> {
    let unread = |error: std::io::Error| AppError::File {
        path: "stdin".to_owned(),
        what: error.to_string(),
    };
    if environment.stdin_is_terminal {
        let prompt = out.text("secret-prompt", &[("name", name.to_owned())]);
        return Ok(Secret::new(rpassword::prompt_password(prompt).map_err(unread)?));
    }
    let mut text = String::new();
    // A line end beyond the longest value, and one byte more, so that too long is noticed.
    let most = u64::try_from(VALUE_MAX + 3).unwrap_or(u64::MAX);
    std::io::stdin()
        .lock()
        .take(most)
        .read_to_string(&mut text)
        .map_err(unread)?;
    let value = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::new(value.strip_suffix('\r').unwrap_or(value)))
}
