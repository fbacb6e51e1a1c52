//! `engine connection`: where the entries of connections.yaml lead, and one of them tried step by step.
//!
//! Exit code of a trial: 0 when the other system has accepted the credentials and no step failed, 1 when nothing failed
//! and nothing was proven either, 3 when a step failed.

use std::path::Path;
use std::sync::Arc;

use app::SystemClock;
use app::trial::{self, Listed, StepState, Trial, TrialStep};
use dsl::Value;

use super::Done;
use super::args::{ConnectionTestArgs, Global};
use super::env::{Environment, variable_for};
use super::json::object;
use super::out::Out;
use super::remote::Remote;
use super::run::{self, workspace};
use super::simulators::{Keep, Simulation};
use super::table::{Table, one_line, pad, width};
use super::time;

/// Settings of other programs that lead calls through a proxy; the engine reads `proxy` of a connection only.
const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// `engine connection list`
pub(crate) fn list(global: &Global, out: &Out, environment: &Environment) -> Done {
    let (listed, name) = match Remote::meant(&[], global, out, environment)? {
        Some(remote) => {
            let name = remote.environment()?;
            (remote.connections()?, name.unwrap_or_else(|| "-".to_owned()))
        }
        None => {
            let workspace = run::seen(Path::new("."), global, environment)?;
            (trial::list(&workspace)?, workspace.environment().to_owned())
        }
    };
    if out.json {
        let connections: Vec<Value> = listed.iter().map(|one| entry(one, out)).collect();
        out.document(&object! {
            "schema" => "engine.connection-list/1",
            "environment" => name,
            "connections" => connections,
        });
        return Ok(0);
    }
    let column = |key: &str| out.text(key, &[]);
    let mut table = Table::new(vec![
        column("column-name"),
        column("column-connector"),
        column("column-environment"),
        column("column-server"),
        column("column-missing"),
    ]);
    for one in &listed {
        let server = match (&one.server, one.sandbox) {
            (_, true) => out.text("connection-simulated", &[]),
            (Some(server), false) => server.clone(),
            (None, false) => "-".to_owned(),
        };
        let references = one
            .missing
            .iter()
            .map(|(param, reference)| format!("{param} {reference}").trim_end().to_owned());
        let missing: Vec<String> = references.chain(one.absent.iter().cloned()).collect();
        table.row(vec![
            one.name.clone(),
            one.connector.clone(),
            name.clone(),
            one_line(&server),
            match missing.is_empty() {
                true => "-".to_owned(),
                false => one_line(&missing.join(", ")),
            },
        ]);
    }
    out.table(&table);
    Ok(0)
}

/// The JSON form of an entry. Its shape is fixed by `schemas/connection-list.json`.
fn entry(one: &Listed, out: &Out) -> Value {
    let missing: Vec<Value> = one
        .missing
        .iter()
        .map(|(param, reference)| {
            object! {
                "param" => param, "reference" => reference, "variable" => variable_for(reference),
            }
        })
        .collect();
    object! {
        "name" => one.name,
        "connector" => one.connector,
        "label" => one.label.get(out.lang),
        "environments" => one.environments,
        "server" => one.server,
        "sandbox" => one.sandbox,
        "missing" => missing,
        "absent" => one.absent,
    }
}

/// `engine connection test NAME`
pub(crate) fn test(args: ConnectionTestArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [("--sandbox", args.simulated.is_wanted())];
    if let Some(remote) = Remote::meant(&local, global, out, environment)? {
        let tried = remote.try_connection(&args.name)?;
        let code = code(&tried);
        if out.json {
            out.document(&document(&tried, code));
        } else {
            tell(&tried, out);
        }
        return Ok(code);
    }
    super::block_on(async {
        let here = Path::new(".");
        let places = environment.places(global);
        let simulation = Simulation::start(&args.simulated, here, &places, Keep::IfThere).await?;
        let workspace = workspace(here, global, simulation.simulators(), environment)?;
        let clock = Arc::new(SystemClock::default());
        let tried = trial::test(&workspace, &args.name, clock, out.lang).await;
        let references = workspace.open_references(&args.name);
        simulation.stop().await;
        let tried = tried?;
        let code = code(&tried);
        let proxies: Vec<&str> = PROXIES
            .into_iter()
            .filter(|name| environment.get(name).is_some())
            .collect();
        if out.json {
            out.document(&document(&tried, code));
            return Ok(code);
        }
        tell(&tried, out);
        for (_, reference) in references {
            if let Some(variable) = variable_for(&reference) {
                out.note("secret-set", &[("variable", variable)]);
            }
        }
        if !proxies.is_empty() {
            out.note("trial-proxy", &[("names", proxies.join(" "))]);
        }
        Ok(code)
    })?
}

/// What a trial came to.
pub(super) fn code(tried: &Trial) -> u8 {
    match (tried.passed(), tried.is_proven()) {
        (true, true) => 0,
        (true, false) => 1,
        (false, _) => 3,
    }
}

pub(super) fn tell(tried: &Trial, out: &Out) {
    let server = tried.server.as_deref().unwrap_or("-");
    out.line(format!(
        "{}  {}  {}  {}",
        tried.connection,
        tried.connector,
        tried.environment,
        one_line(server)
    ));
    let named = |step: &TrialStep| out.text(&format!("trial-{}", step.name), &[]);
    let shown = |step: &TrialStep| {
        let (sign, color) = match step.state {
            StepState::Ok => ("✓", "32"),
            StepState::Failed => ("✗", "31"),
            StepState::NotMade => ("–", "90"),
        };
        let state = out.text(&format!("step-{}", step.state.word()), &[]);
        out.painted(&format!("{sign} {state}"), color)
    };
    let widest = |cell: &dyn Fn(&TrialStep) -> String| {
        tried
            .steps
            .iter()
            .map(|step| width(&cell(step)))
            .max()
            .unwrap_or(0)
    };
    let (states, names) = (widest(&shown), widest(&named));
    for step in &tried.steps {
        let took = match step.state {
            StepState::Ok | StepState::Failed => time::span(step.took_ms),
            StepState::NotMade => String::new(),
        };
        let code = step
            .code
            .as_deref()
            .map(|code| format!("[{code}] "))
            .unwrap_or_default();
        out.line(format!(
            "{}  {}  {}  {code}{}",
            pad(&shown(step), states),
            pad(&named(step), names),
            pad(&took, 6),
            one_line(&step.text)
        ));
        if let Some(help) = &step.help {
            out.say_in("help-line", &[("help", help.clone())]);
        }
    }
    out.say(
        match (tried.passed(), tried.is_proven()) {
            (true, true) => "trial-passed",
            (true, false) => "trial-unproven",
            (false, _) => "trial-failed",
        },
        &[],
    );
}

/// The JSON form. Its shape is fixed by `schemas/connection-test.json`.
pub(super) fn document(tried: &Trial, code: u8) -> Value {
    let steps: Vec<Value> = tried
        .steps
        .iter()
        .map(|step| {
            object! {
                "name" => step.name, "state" => step.state.word(), "took_ms" => step.took_ms,
                "code" => step.code, "message" => step.text, "help" => step.help,
            }
        })
        .collect();
    object! {
        "schema" => "engine.connection-test/1",
        "exit_code" => code,
        "connection" => tried.connection,
        "connector" => tried.connector,
        "environment" => tried.environment,
        "server" => tried.server,
        "passed" => tried.passed(),
        "proven" => tried.is_proven(),
        "steps" => steps,
    }
}
