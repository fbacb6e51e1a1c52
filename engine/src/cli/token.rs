//! `engine token`: who may use the server without a login. A token is shown once, when it is made.

use app::{AppError, Clock, SystemClock, query};
use dsl::Value;
use flow::op::AuditNote;
use ledger::service::access::{NewToken, TokenRow};
use ledger::{Ledger, OpenOptions};
use server::access::{Scopes, new_token};

use super::Done;
use super::args::{Global, LedgerArgs, TokenCreateArgs, TokenListArgs, TokenRevokeArgs};
use super::decide::environment_name;
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::remote::Remote;
use super::table::{Table, one_line};
use super::time;

const DAY: i64 = 86_400_000;
/// Longest life of a token.
const LONGEST: i64 = 3_650 * DAY;

/// The ledger, taken for a change of who may use it. It is made when there is none: access is set up before anything
/// runs.
pub(crate) fn taken(
    args: &LedgerArgs,
    global: &Global,
    environment: &Environment,
) -> Result<Ledger, AppError> {
    let dir = ledgers::dir(args, global, environment)?;
    let name = environment_name(args, global, environment);
    Ok(Ledger::open(&dir, OpenOptions::new(name))?)
}

/// The scopes of `--scope`.
pub(crate) fn scopes(text: &str) -> Result<Scopes, AppError> {
    Scopes::parse(text).map_err(|word| {
        AppError::wrong_use(
            format!("没有权限 `{word}`;可用:read、operate、edit、admin,以逗号分开"),
            format!("there is no scope `{word}`; there are read, operate, edit, admin, separated by commas"),
        )
    })
}

/// Notes who changed who may do what.
pub(crate) fn noted(
    ledger: &mut Ledger,
    action: &str,
    what: String,
    reason: &str,
    environment: &Environment,
    now: i64,
) -> Result<(), AppError> {
    let note = AuditNote {
        who: environment.person(),
        action: action.to_owned(),
        scheme: None,
        record: None,
        what,
        reason: reason.to_owned(),
    };
    Ok(ledger.note(&note, now)?)
}

/// `engine token create`
pub(crate) fn create(args: TokenCreateArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let scopes = scopes(&args.scope)?;
    let life = time::duration(&args.expires)?;
    if life <= 0 || life > LONGEST {
        return Err(AppError::wrong_use(
            "--expires 写 1 秒以上、10 年以下的时长,如 90d",
            "--expires takes a duration of at most ten years, such as 90d",
        ));
    }
    let local = [("--sandbox", args.ledger.is_simulated())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        return create_through(&remote, &args, scopes, life, out);
    }
    let now = SystemClock::default().now_ms();
    let mut ledger = taken(&args.ledger, global, environment)?;
    let (token, hash) = new_token()?;
    let row = NewToken {
        name: args.name.clone(),
        hash,
        scopes: scopes.to_string(),
        schemes: (!args.schemes.is_empty()).then(|| args.schemes.clone()),
        by: environment.person(),
        expires: Some(now + life),
    };
    let id = ledger.add_token(&row, now)?.ok_or_else(|| {
        AppError::wrong_use(
            "令牌太多;先撤销不用的",
            "there are too many tokens; revoke some first",
        )
    })?;
    let what = format!("create {id} {}", args.name);
    noted(&mut ledger, "token", what, &row.scopes, environment, now)?;
    made(id, &args.name, &token, &row.scopes, now + life, out);
    Ok(0)
}

/// Makes a token through a server, which counts in days.
fn create_through(remote: &Remote, args: &TokenCreateArgs, scopes: Scopes, life: i64, out: &Out) -> Done {
    if life % DAY != 0 {
        return Err(AppError::wrong_use(
            "通过服务建立令牌时,--expires 写整天数,如 90d",
            "a token that a server makes lives for whole days: --expires 90d",
        ));
    }
    let schemes = (!args.schemes.is_empty()).then_some(args.schemes.as_slice());
    let (id, token, expires) = remote.make_token(&args.name, &scopes.words(), schemes, life / DAY)?;
    made(id, &args.name, &token, &scopes.to_string(), expires, out);
    Ok(0)
}

/// The only time that a token is told.
fn made(id: i64, name: &str, token: &str, scopes: &str, expires: i64, out: &Out) {
    if out.json {
        out.document(&object! {
            "schema" => "engine.token-create/1",
            "id" => id,
            "name" => name,
            "token" => token,
            "scopes" => scopes,
            "expires" => time::rfc3339(expires),
        });
        return;
    }
    // The text alone on stdout: it can be piped into a file.
    out.line(token);
    out.note(
        "token-made",
        &[
            ("id", id.to_string()),
            ("scopes", scopes.to_owned()),
            ("expires", time::shown(expires)),
        ],
    );
}

/// `engine token list`
pub(crate) fn list(args: TokenListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [("--sandbox", args.ledger.is_simulated())];
    let tokens = match Remote::meant(&local, global, out, environment)? {
        Some(remote) => remote.tokens()?,
        None => query::open(&ledgers::dir(&args.ledger, global, environment)?)?.tokens()?,
    };
    if out.json {
        let tokens: Vec<Value> = tokens.iter().map(document).collect();
        out.document(&object! {"schema" => "engine.token-list/1", "tokens" => tokens});
        return Ok(0);
    }
    if tokens.is_empty() {
        out.say("token-none", &[]);
        return Ok(0);
    }
    let head = [
        "column-id",
        "column-name",
        "column-scopes",
        "column-expires",
        "column-used",
        "column-state",
    ];
    let now = SystemClock::default().now_ms();
    let mut table = Table::new(head.iter().map(|key| out.text(key, &[])).collect());
    for token in &tokens {
        let state = if token.revoked.is_some() {
            "token-revoked"
        } else if token.expires.is_some_and(|at| at <= now) {
            "token-expired"
        } else {
            "token-good"
        };
        table.row(vec![
            token.id.to_string(),
            one_line(&token.name),
            token.scopes.clone(),
            token.expires.map(time::shown).unwrap_or_default(),
            token.used.map(time::shown).unwrap_or_default(),
            out.text(state, &[]),
        ]);
    }
    out.table(&table);
    Ok(0)
}

/// `engine token revoke`
pub(crate) fn revoke(args: TokenRevokeArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [("--sandbox", args.ledger.is_simulated())];
    match Remote::meant(&local, global, out, environment)? {
        Some(remote) => remote.revoke_token(args.id)?,
        None => revoke_here(&args, global, environment)?,
    }
    if out.json {
        out.document(&object! {"schema" => "engine.token-revoke/1", "id" => args.id});
    } else {
        out.say("token-gone", &[("id", args.id.to_string())]);
    }
    Ok(0)
}

fn revoke_here(args: &TokenRevokeArgs, global: &Global, environment: &Environment) -> Result<(), AppError> {
    let now = SystemClock::default().now_ms();
    let mut ledger = taken(&args.ledger, global, environment)?;
    if !ledger.revoke_token(args.id, now)? {
        let id = args.id;
        return Err(AppError::wrong_use(
            format!("没有可撤销的令牌 {id}"),
            format!("there is no token {id} that could be revoked"),
        ));
    }
    noted(
        &mut ledger,
        "token",
        format!("revoke {}", args.id),
        "revoke",
        environment,
        now,
    )
}

fn document(token: &TokenRow) -> Value {
    object! {
        "id" => token.id,
        "name" => token.name,
        "scopes" => token.scopes,
        "schemes" => token.schemes,
        "by" => token.by,
        "created" => time::rfc3339(token.created),
        "expires" => token.expires.map(time::rfc3339),
        "used" => token.used.map(time::rfc3339),
        "revoked" => token.revoked.map(time::rfc3339),
    }
}
