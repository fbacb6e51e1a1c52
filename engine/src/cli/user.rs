//! `engine user`: who may log in to the server. A password is read from stdin and never shown.

use std::io::Read;

use app::{AppError, Clock, SystemClock, query};
use dsl::Value;
use server::access::hash_password;

use super::Done;
use super::args::{Global, UserAddArgs, UserListArgs, UserNameArgs};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::remote::Remote;
use super::table::{Table, one_line};
use super::time;
use super::token::{noted, scopes, taken};

/// Bytes of stdin that are read: more is no password.
const MOST: u64 = 4_096;

/// The first line of stdin.
fn password(environment: &Environment) -> Result<String, AppError> {
    if environment.stdin_is_terminal {
        return Err(AppError::wrong_use(
            "密码从标准输入读取,不在终端回显:printf %s \"$PASSWORD\" | engine user …",
            "the password is read from stdin, so that it is not shown: printf %s \"$PASSWORD\" | engine user …",
        ));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MOST).read_to_string(&mut text);
    read.map_err(|error| AppError::File {
        path: "stdin".to_owned(),
        what: error.to_string(),
    })?;
    let first = text.split(['\r', '\n']).next().unwrap_or_default();
    Ok(first.to_owned())
}

/// `engine user add`
pub(crate) fn add(args: UserAddArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let scopes = scopes(&args.scope)?;
    let name = args.name.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(|c| c.is_control() || c == '/') {
        return Err(AppError::wrong_use(
            "用户名是 1-100 个字符,不含 / 与控制字符",
            "a user's name has 1-100 characters, without / and control characters",
        ));
    }
    let local = [("--sandbox", args.ledger.is_simulated())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        remote.add_user(name, &password(environment)?, &scopes.words())?;
        return done("user-added", "add", name, out);
    }
    let hash = hash_password(&password(environment)?)?;
    let now = SystemClock::default().now_ms();
    let mut ledger = taken(&args.ledger, global, environment)?;
    if !ledger.add_user(name, &hash, &scopes.to_string(), now)? {
        return Err(AppError::wrong_use(
            format!("已有用户 {name}"),
            format!("there is a user {name} already"),
        ));
    }
    let what = format!("add {name}");
    noted(&mut ledger, "user", what, &scopes.to_string(), environment, now)?;
    done("user-added", "add", name, out)
}

/// `engine user passwd`
pub(crate) fn passwd(args: UserNameArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [("--sandbox", args.ledger.is_simulated())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        remote.set_password(&args.name, &password(environment)?)?;
        return done("user-changed", "passwd", &args.name, out);
    }
    let hash = hash_password(&password(environment)?)?;
    let now = SystemClock::default().now_ms();
    let mut ledger = taken(&args.ledger, global, environment)?;
    if !ledger.change_user(&args.name, Some(&hash), None, now)? {
        return Err(nobody(&args.name));
    }
    let what = format!("passwd {}", args.name);
    noted(&mut ledger, "user", what, "passwd", environment, now)?;
    done("user-changed", "passwd", &args.name, out)
}

/// `engine user rm`
pub(crate) fn rm(args: UserNameArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [("--sandbox", args.ledger.is_simulated())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        remote.remove_user(&args.name)?;
        return done("user-removed", "rm", &args.name, out);
    }
    let now = SystemClock::default().now_ms();
    let mut ledger = taken(&args.ledger, global, environment)?;
    if !ledger.remove_user(&args.name)? {
        return Err(nobody(&args.name));
    }
    noted(
        &mut ledger,
        "user",
        format!("rm {}", args.name),
        "rm",
        environment,
        now,
    )?;
    done("user-removed", "rm", &args.name, out)
}

/// `engine user list`
pub(crate) fn list(args: UserListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [("--sandbox", args.ledger.is_simulated())];
    let users = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => remote.users()?,
        None => query::open(&ledgers::dir(&args.ledger, global, environment)?)?.users()?,
    };
    if out.json {
        let users: Vec<Value> = users
            .iter()
            .map(|user| {
                object! {
                    "name" => user.name,
                    "scopes" => user.scopes,
                    "created" => time::rfc3339(user.created),
                    "changed" => time::rfc3339(user.changed),
                    "login" => user.login.map(time::rfc3339),
                }
            })
            .collect();
        out.document(&object! {"schema" => "engine.user-list/1", "users" => users});
        return Ok(0);
    }
    if users.is_empty() {
        out.say("user-none", &[]);
        return Ok(0);
    }
    let head = ["column-name", "column-scopes", "column-changed", "column-used"];
    let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
    for user in &users {
        table.row(vec![
            one_line(&user.name),
            user.scopes.clone(),
            time::shown(user.changed),
            user.login.map(time::shown).unwrap_or_default(),
        ]);
    }
    out.table(&table);
    Ok(0)
}

fn nobody(name: &str) -> AppError {
    AppError::wrong_use(format!("没有用户 {name}"), format!("there is no user {name}"))
}

fn done(key: &str, word: &str, name: &str, out: &Out) -> Done {
    if out.json {
        out.document(&object! {"schema" => format!("engine.user-{word}/1"), "name" => name});
    } else {
        out.say(key, &[("name", name.to_owned())]);
    }
    Ok(0)
}
