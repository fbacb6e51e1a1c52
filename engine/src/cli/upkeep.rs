//! Commands that look after the ledger: `backup`, `restore`, `migrate`, `doctor`, `verify --fix`.

use std::path::Path;
use std::sync::Arc;

use app::trial::{self, Trial};
use app::{AppError, Clock, SystemClock};
use dsl::Value;
use flow::op::AuditNote;
use ledger::backup::{copy_to, kept_version, restore as put_back, roll_back, usual_place};
use ledger::doctor::{self, Health};
use ledger::{CheckBudget, Ledger, OpenOptions, Suspect};

use super::Done;
use super::args::{BackupArgs, DoctorArgs, Global, LedgerArgs, MigrateArgs, RestoreArgs, VerifyArgs};
use super::ask::confirmed;
use super::decide::given;
use super::env::Environment;
use super::json::object;
use super::out::Out;
use super::run::grouped;
use super::{connection, ledgers, run, time};

/// Copies the ledger while it may be in use.
pub(crate) fn backup(args: BackupArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let dir = ledgers::dir(&args.ledger, global, environment)?;
    let to = match args.to {
        Some(to) => {
            may_be_made(&to)?;
            to
        }
        None => {
            let name = format!("ledger-{}.db", time::stamp(now()));
            usual_place(&dir)?.join(name)
        }
    };
    let copied = copy_to(&dir, &to)?;
    if out.json {
        out.document(&object! {
            "schema" => "engine.backup/1",
            "exit_code" => 0_u8,
            "path" => copied.path.display().to_string(),
            "bytes" => copied.bytes,
            "generation" => copied.generation.unsigned_abs(),
        });
    } else {
        out.say(
            "backup-done",
            &[
                ("path", copied.path.display().to_string()),
                ("bytes", grouped(copied.bytes)),
                ("generation", copied.generation.to_string()),
            ],
        );
    }
    Ok(0)
}

/// A copy goes into a folder that is there, under the name of a file.
fn may_be_made(to: &Path) -> Result<(), AppError> {
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let shown = to.display();
    if to.is_dir() {
        return Err(AppError::wrong_use(
            format!("--to {shown} 是文件夹;请写出文件名,如 {shown}/ledger.db"),
            format!("--to {shown} is a folder; name a file, such as {shown}/ledger.db"),
        ));
    }
    if !folder.is_dir() {
        let folder = folder.display();
        return Err(AppError::wrong_use(
            format!("--to 的文件夹 {folder} 不存在;先建立它"),
            format!("the folder {folder} of --to does not exist; make it first"),
        ));
    }
    Ok(())
}

/// Puts a copy in the place of the ledger.
pub(crate) fn restore(args: RestoreArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    given(&args.decision.reason)?;
    let dir = ledgers::dir(&args.ledger, global, environment)?;
    if !args.file.is_file() {
        return Err(AppError::File {
            path: args.file.display().to_string(),
            what: "No such file or directory".to_owned(),
        });
    }
    let now = now();
    let until = time::instant_or_now(&args.suspect_until, now)?;
    if !out.json {
        out.note(
            "restore-plan",
            &[
                ("file", args.file.display().to_string()),
                ("dir", dir.display().to_string()),
                ("until", time::shown(until)),
            ],
        );
    }
    if !confirmed(out, environment, args.decision.yes)? {
        return Ok(1);
    }
    let suspect = suspect(
        "restore",
        &args.file.display().to_string(),
        until,
        now,
        &args.decision.reason,
        environment,
    );
    let restored = put_back(
        &dir,
        &args.file,
        &env_name(&args.ledger, global, environment),
        &suspect,
    )?;
    let kept = restored.kept.map(|path| path.display().to_string());
    if out.json {
        out.document(&object! {
            "schema" => "engine.restore/1",
            "exit_code" => 0_u8,
            "generation" => restored.generation.map(i64::unsigned_abs),
            "kept" => kept,
            "suspect_until" => time::rfc3339(restored.suspect_until),
        });
    } else {
        out.say("restore-done", &[("until", time::shown(restored.suspect_until))]);
        if let Some(kept) = kept {
            out.say_in("restore-kept", &[("path", kept)]);
        }
    }
    Ok(0)
}

/// Brings the ledger to the version of this engine, or back.
pub(crate) fn migrate(args: MigrateArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if let Some(reason) = &args.reason {
        given(reason)?;
    }
    let dir = ledgers::dir(&args.ledger, global, environment)?;
    let before = doctor::version_of(&dir)?;
    let known = doctor::known_version();
    let env = env_name(&args.ledger, global, environment);
    let say = |out: &Out, key: &str, code: u8, to: i64| {
        if out.json {
            out.document(&object! {
                "schema" => "engine.migrate/1",
                "exit_code" => code,
                "from" => before.unsigned_abs(),
                "to" => to.unsigned_abs(),
                "known" => known.unsigned_abs(),
            });
        } else {
            out.say(key, &[("from", before.to_string()), ("to", to.to_string())]);
        }
        Ok(code)
    };
    if args.check {
        return if before == known {
            say(out, "migrate-current", 0, known)
        } else {
            say(out, "migrate-needed", 1, known)
        };
    }
    if !args.rollback {
        if before == known {
            return say(out, "migrate-current", 0, known);
        }
        drop(Ledger::open(&dir, OpenOptions::new(env))?);
        return say(out, "migrate-done", 0, known);
    }
    if kept_version(&dir)?.is_none() {
        let dir = dir.display();
        return Err(AppError::wrong_use(
            format!("{dir} 里没有升级前留下的副本,无法退回;副本在升级时自动产生"),
            format!(
                "no copy from before an upgrade is kept in {dir}, so there is nothing to go back to; an upgrade makes one"
            ),
        ));
    }
    if !out.json {
        out.note("migrate-back-plan", &[("from", before.to_string())]);
    }
    if !confirmed(out, environment, args.yes)? {
        return Ok(1);
    }
    let now = now();
    let reason = args.reason.unwrap_or_default();
    let suspect = suspect(
        "rollback",
        &format!("from version {before}"),
        now,
        now,
        &reason,
        environment,
    );
    let (version, _) = roll_back(&dir, &env, &suspect)?;
    say(out, "migrate-back-done", 0, version)
}

/// `verify --fix`: what would be made right, then does it.
pub(crate) fn fix(args: VerifyArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let Some(reason) = args.reason else {
        return Err(AppError::wrong_use(
            "--fix 需要 --reason 说明原因",
            "--fix needs --reason to say why",
        ));
    };
    given(&reason)?;
    let dir = ledgers::dir(&args.ledger, global, environment)?;
    let listed = Ledger::open_read_only(&dir)?.repairs()?;
    if !out.json {
        for repair in &listed {
            let kind = out.text(&format!("fix-{}", repair.kind.word()), &[]);
            out.line(format!("{kind} {}", super::table::one_line(&repair.what)));
        }
    }
    let mut done = 0;
    if !listed.is_empty() {
        if !out.json {
            let count = u64::try_from(listed.len()).unwrap_or(u64::MAX);
            out.note("fix-plan", &[("count", grouped(count))]);
        }
        if !confirmed(out, environment, args.yes)? {
            return Ok(1);
        }
        // What is to be mended may be what the start would refuse.
        let options = OpenOptions {
            check: CheckBudget {
                max_bytes: 0,
                ..CheckBudget::default()
            },
            ..OpenOptions::new(env_name(&args.ledger, global, environment))
        };
        let note = note("fix", "", &reason, environment);
        done = Ledger::open(&dir, options)?.repair(&note, now())?.len();
    }
    let left = Ledger::open_read_only(&dir)?.verify(None)?;
    let code = u8::from(!left.is_clean());
    let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    if out.json {
        let repairs: Vec<Value> = listed
            .iter()
            .map(|repair| object! {"kind" => repair.kind.word(), "what" => repair.what.clone()})
            .collect();
        let findings: Vec<Value> = left
            .findings
            .iter()
            .map(|finding| object! {"code" => finding.code, "message" => super::verify::sentence(finding, out.lang)})
            .collect();
        out.document(&object! {
            "schema" => "engine.verify/1",
            "exit_code" => code,
            "runs" => left.runs,
            "records" => left.records,
            "repairs" => repairs,
            "findings" => findings,
        });
    } else {
        out.say(
            "fix-done",
            &[
                ("count", grouped(count(done))),
                ("left", grouped(count(left.findings.len()))),
            ],
        );
    }
    Ok(code)
}

/// What an operator wants to know before anything else is done.
pub(crate) fn doctor(args: DoctorArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let dir = ledgers::dir(&args.ledger, global, environment)?;
    // One that may not be looked for may be there.
    if dir.try_exists().is_ok_and(|there| !there) {
        return Err(ledger::StoreError::Missing { dir }.into());
    }
    let checks = match doctor::look(&dir) {
        Ok(health) => {
            let mut checks = checks(&health, &dir, environment);
            checks.extend(around(&environment.places(global), out));
            checks
        }
        // That it cannot even be looked at is what was found.
        Err(error) => vec![Check {
            name: "rights",
            good: false,
            found: AppError::from(error).message(out.lang),
        }],
    };
    let tried = match args.online {
        true => tried(global, out, environment)?,
        false => Vec::new(),
    };
    let is_bad = checks.iter().any(|check| !check.good) || tried.iter().any(|trial| !trial.passed());
    let code = u8::from(is_bad);
    if out.json {
        let list: Vec<Value> = checks
            .iter()
            .map(|check| object! {"name" => check.name, "good" => check.good, "found" => check.found.clone()})
            .collect();
        let mut document = object! {"schema" => "engine.doctor/1", "exit_code" => code, "checks" => list};
        if let (true, Value::Map(members)) = (args.online, &mut document) {
            let all = tried
                .iter()
                .map(|trial| connection::document(trial, connection::code(trial)));
            members.insert("connections".to_owned(), Value::List(all.collect()));
        }
        out.document(&document);
        return Ok(code);
    }
    for check in &checks {
        let sign = if check.good { "✓" } else { "✗" };
        out.line(format!(
            "{sign} {}: {}",
            out.text(&format!("doctor-{}", check.name), &[]),
            super::table::one_line(&check.found)
        ));
        if !check.good {
            out.say_in(&format!("doctor-{}-help", check.name), &[]);
        }
    }
    for trial in &tried {
        out.line("");
        connection::tell(trial, out);
    }
    Ok(code)
}

/// Every connection tried, one after the other: two at a time would be two logins of one account.
fn tried(global: &Global, out: &Out, environment: &Environment) -> Result<Vec<Trial>, AppError> {
    let workspace = run::workspace(Path::new("."), global, None, environment)?;
    let listed = trial::list(&workspace)?;
    super::block_on(async {
        let mut all = Vec::new();
        for one in &listed {
            let clock = Arc::new(SystemClock::default());
            all.push(trial::test(&workspace, &one.name, clock, out.lang).await?);
        }
        Ok(all)
    })?
}

/// One line of the doctor.
struct Check {
    name: &'static str,
    good: bool,
    found: String,
}

fn checks(health: &Health, dir: &Path, environment: &Environment) -> Vec<Check> {
    let check = |name, good, found: String| Check { name, good, found };
    let noted = |noted: Option<ledger::generation::Noted>| {
        noted.map_or_else(
            || "-".to_owned(),
            |noted| format!("{}/{}", noted.generation, noted.claims),
        )
    };
    let room = environment.room().unwrap_or_default();
    let mib = |bytes: u64| format!("{} MiB", grouped(bytes >> 20));
    let proxies: Vec<&str> = [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
    ]
    .into_iter()
    .filter(|name| environment.get(name).is_some())
    .collect();
    let none = || "-".to_owned();
    vec![
        check(
            "clock",
            true,
            format!("{} ({})", time::rfc3339(now()), time::ZONE),
        ),
        check("folder", health.open_to_others.is_none(), {
            let shown = dir.display().to_string();
            health.open_to_others.clone().unwrap_or(shown)
        }),
        check(
            "network",
            health.network.is_none(),
            health.network.clone().unwrap_or_else(none),
        ),
        check(
            "disk",
            health.free.is_none_or(|free| free >= room.least_free),
            health.free.map_or_else(none, mib),
        ),
        check("size", health.bytes < room.most, mib(health.bytes)),
        check("sqlite", true, health.sqlite.clone()),
        check(
            "version",
            health.version.is_some_and(|version| version == health.known),
            health
                .version
                .map_or_else(none, |version| format!("{version} / {}", health.known)),
        ),
        check(
            "file",
            health.damage.is_none(),
            health.damage.clone().unwrap_or_else(|| "ok".to_owned()),
        ),
        check(
            "generation",
            !health.is_behind,
            format!("{} / {}", noted(health.stored), noted(health.noted)),
        ),
        check(
            "holder",
            true,
            health.held_by.map_or_else(none, |pid| pid.to_string()),
        ),
        check(
            "broken",
            true,
            if health.broken.is_empty() {
                none()
            } else {
                let runs: Vec<String> = health.broken.iter().map(ToString::to_string).collect();
                runs.join(" ")
            },
        ),
        check(
            "proxy",
            true,
            if proxies.is_empty() {
                none()
            } else {
                proxies.join(" ")
            },
        ),
    ]
}

/// What a service needs of the machine beside its ledger.
fn around(places: &app::Places, out: &Out) -> Vec<Check> {
    let secrets = app::secrets::overview(places);
    let (good, found) = match &secrets {
        Ok(known) => match &known.problem {
            Some(failure) => (false, format!("{} {}", failure.code(), failure.message(out.lang))),
            None => (true, known.secrets.len().to_string()),
        },
        Err(error) => (false, error.message(out.lang)),
    };
    let roots = app::machine_authorities();
    vec![
        Check {
            name: "secrets",
            good,
            found,
        },
        Check {
            name: "roots",
            good: roots > 0,
            found: roots.to_string(),
        },
    ]
}

fn now() -> i64 {
    SystemClock::default().now_ms()
}

fn note(action: &str, what: &str, reason: &str, environment: &Environment) -> AuditNote {
    AuditNote {
        who: environment.person(),
        action: action.to_owned(),
        scheme: None,
        record: None,
        what: what.to_owned(),
        reason: reason.to_owned(),
    }
}

pub(crate) fn suspect(
    action: &str,
    what: &str,
    until: i64,
    now: i64,
    reason: &str,
    environment: &Environment,
) -> Suspect {
    let note = note(action, what, reason, environment);
    Suspect { until, note, now }
}

/// The environment that a data directory belongs to.
fn env_name(args: &LedgerArgs, global: &Global, environment: &Environment) -> String {
    if args.is_simulated() {
        return app::query::SANDBOX.to_owned();
    }
    let places = environment.places(global);
    places.env.unwrap_or_else(|| "default".to_owned())
}
