//! `engine connectors`: what the connectors known here can do, and whether one's own are right.

use std::collections::BTreeMap;
use std::sync::Arc;

use app::{AppError, systems};
use connector::{Connector, Param, Rate};
use dsl::diagnostic::did_you_mean;
use dsl::facts::{OperationFacts, OptionFacts};
use dsl::{Lang, Value};

use super::Done;
use super::args::{ConnectorsCheckArgs, ConnectorsShowArgs, Global};
use super::check::count;
use super::env::Environment;
use super::json::{ToJson, object};
use super::out::Out;
use super::table::{Table, one_line};
use super::test;
use super::time;

/// Milliseconds of the units in which a rate is written.
const UNITS: [(i64, &str); 4] = [(1_000, "s"), (60_000, "min"), (3_600_000, "h"), (86_400_000, "d")];

/// How sure a claim is, surest first.
const MARKS: [&str; 5] = ["vector", "probe", "doc", "client", "guess"];

/// `engine connectors list`
pub(crate) fn list(global: &Global, out: &Out, environment: &Environment) -> Done {
    let known = sorted(global, environment)?;
    if out.json {
        let connectors: Vec<Value> = known.iter().map(|one| summary(one, out.lang)).collect();
        out.document(&object! {"schema" => "engine.connectors-list/1", "connectors" => connectors});
        return Ok(0);
    }
    let column = |key: &str| out.text(key, &[]);
    let mut table = Table::new(vec![
        column("column-id"),
        column("column-name"),
        column("column-version"),
        column("column-auth"),
        column("column-verified"),
        column("column-operations"),
    ]);
    for one in &known {
        let marks = marks(one);
        let sure = MARKS
            .iter()
            .filter_map(|mark| Some(format!("{mark} {}", marks.get(mark)?)));
        let names: Vec<&str> = one.operations().map(|(name, ..)| name).collect();
        table.row(vec![
            one.id().to_owned(),
            one_line(one.name().get(out.lang)),
            format!(
                "{}{}",
                one.version(),
                if systems::is_builtin(one) { "" } else { "*" }
            ),
            modes(one).join(" "),
            sure.collect::<Vec<_>>().join(" "),
            names.join(" "),
        ]);
    }
    out.table(&table);
    if !known.iter().all(|one| systems::is_builtin(one)) {
        out.note("connectors-own", &[]);
    }
    Ok(0)
}

/// `engine connectors show ID`
pub(crate) fn show(args: ConnectorsShowArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let known = sorted(global, environment)?;
    let Some(one) = known.iter().find(|one| one.id() == args.id) else {
        return Err(unknown(&args.id, &known));
    };
    if out.json {
        out.document(&document(one, out.lang)?);
        return Ok(0);
    }
    tell(one, out)?;
    Ok(0)
}

/// `engine connectors check`
pub(crate) fn check(
    args: ConnectorsCheckArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    let paths = match args.paths.is_empty() {
        false => args.paths,
        true => {
            let own = systems::own_folder(&environment.places(global))?;
            if !own.is_dir() {
                let own = own.display();
                return Err(AppError::wrong_use(
                    format!("没有文件夹 {own};写出要检查的文件或文件夹"),
                    format!("there is no folder {own}; name the files or folders to check"),
                ));
            }
            vec![own]
        }
    };
    let report = systems::check(&paths)?;
    let failed = report.results.iter().filter(|result| !result.passed()).count();
    let (errors, _) = count(&report.diagnostics);
    let code = u8::from(failed > 0 || errors > 0);
    if out.json {
        out.document(&test::document(
            "engine.connectors-check/1",
            &report,
            failed,
            code,
            out,
        ));
    } else {
        test::tell(&report, failed, errors, out);
    }
    Ok(code)
}

fn sorted(global: &Global, environment: &Environment) -> Result<Vec<Arc<Connector>>, AppError> {
    let mut known = systems::known(&environment.places(global))?;
    known.sort_by(|one, other| one.id().cmp(other.id()));
    Ok(known)
}

fn unknown(id: &str, known: &[Arc<Connector>]) -> AppError {
    let all: Vec<&str> = known.iter().map(|one| one.id()).collect();
    let near = did_you_mean(id, all.iter().copied()).join(", ");
    let (near_zh, near_en) = match near.as_str() {
        "" => Default::default(),
        near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
    };
    AppError::wrong_use(
        format!("没有连接器 `{id}`;已有:{}{near_zh}", all.join("、")),
        format!(
            "there is no connector `{id}`; there are {}{near_en}",
            all.join(", ")
        ),
    )
}

/// The ways of authentication, each with what it consists of where it has no name.
fn modes(one: &Connector) -> Vec<String> {
    let word = |mode: connector::AuthMode| match (mode.name.as_str(), mode.parts.as_slice()) {
        ("", []) => "-".to_owned(),
        ("", parts) => parts.join("+"),
        (name, _) => name.to_owned(),
    };
    one.auth_modes().into_iter().map(word).collect()
}

/// How many claims rest on what.
fn marks(one: &Connector) -> BTreeMap<&str, usize> {
    let mut marks = BTreeMap::new();
    for (_, how) in one.verified() {
        *marks.entry(how.as_str()).or_insert(0) += 1;
    }
    marks
}

fn head(one: &Connector, lang: Lang) -> Value {
    object! {
        "id" => one.id(),
        "name" => one.name().get(lang),
        "version" => one.version(),
        "builtin" => systems::is_builtin(one),
        "file" => one.file().name,
    }
}

fn auth(one: &Connector) -> Vec<Value> {
    let modes = one.auth_modes().into_iter();
    modes
        .map(|mode| {
            let parts: Vec<String> = mode.parts.iter().map(|part| (*part).to_owned()).collect();
            object! {"name" => mode.name, "parts" => parts}
        })
        .collect()
}

/// The JSON form of a line of the list. Its shape is fixed by `schemas/connectors-list.json`.
fn summary(one: &Connector, lang: Lang) -> Value {
    let operations: Vec<String> = one.operations().map(|(name, ..)| name.to_owned()).collect();
    let mut verified = dsl::Map::new();
    for (mark, count) in marks(one) {
        verified.insert(mark.to_owned(), count.to_json());
    }
    let mut summary = head(one, lang);
    if let Value::Map(members) = &mut summary {
        members.insert("operations".to_owned(), operations.to_json());
        members.insert("auth".to_owned(), auth(one).to_json());
        members.insert("verified".to_owned(), verified.to_json());
    }
    summary
}

/// The operations with what schemes may give them.
fn operations(one: &Arc<Connector>) -> Result<Vec<Arc<OperationFacts>>, AppError> {
    let none = || AppError::bug(format!("{} has no facts", one.id()));
    let facts = one.facts().ok_or_else(none)?;
    one.operations()
        .map(|(name, ..)| facts.operation(name).map_err(|_| none()))
        .collect()
}

/// The JSON form. Its shape is fixed by `schemas/connectors-show.json`.
fn document(one: &Arc<Connector>, lang: Lang) -> Result<Value, AppError> {
    let params: Vec<Value> = one
        .params()
        .iter()
        .map(|param| {
            object! {
                "name" => param.name, "type" => param.ty.name(), "label" => param.label.get(lang),
                "default" => param.default, "secret" => param.secret, "of" => param.of,
                "needed_when" => param.needed_when(), "example" => param.example, "note" => param.note,
            }
        })
        .collect();
    let option = |option: &OptionFacts| {
        object! {
            "name" => option.name, "type" => option.ty, "label" => option.label.get(lang), "of" => option.of,
            "default" => option.default, "const" => option.constant, "required" => option.required,
            "needed_when" => option.needed_when,
        }
    };
    let operations: Vec<Value> = operations(one)?
        .iter()
        .map(|operation| {
            let options: Vec<Value> = operation.options.iter().map(option).collect();
            let page = operation.page.as_ref();
            object! {
                "name" => operation.name, "kind" => operation.kind.name(),
                "label" => operation.label.get(lang), "aliases" => one.aliases(&operation.name),
                "page" => page.map(|page| object! {"size" => page.size, "max" => page.max}),
                "batch" => (!operation.writes.is_empty()).then_some(operation.batch_max),
                "options" => options,
            }
        })
        .collect();
    let limits = one.limits();
    let rate = |rate: &Rate| object! {"calls" => rate.calls, "per_ms" => rate.per_ms};
    let verified: Vec<Value> = one
        .verified()
        .iter()
        .map(|(claim, how)| object! {"claim" => claim, "how" => how})
        .collect();
    Ok(object! {
        "schema" => "engine.connectors-show/1",
        "connector" => head(one, lang),
        "zone" => one.zone(),
        "params" => params,
        "auth" => object! {"chosen_by" => one.chosen_by(), "modes" => auth(one)},
        "limits" => object! {
            "rates" => limits.rates.iter().map(rate).collect::<Vec<_>>(),
            "concurrency" => limits.concurrency, "min_interval_ms" => limits.min_interval_ms,
            "reason" => limits.reason.as_ref().map(|reason| reason.get(lang)), "scope" => limits.scope.name(), "per_day" => limits.per_day,
        },
        "operations" => operations,
        "verified" => verified,
        "example" => example(one),
    })
}

/// A connections file with one entry.
fn example(one: &Connector) -> String {
    format!("connections:\n{}", one.example(one.id()))
}

fn tell(one: &Arc<Connector>, out: &Out) -> Result<(), AppError> {
    let lang = out.lang;
    let from = match systems::is_builtin(one) {
        true => out.text("connectors-builtin", &[]),
        false => one.file().name.clone(),
    };
    out.line(format!(
        "{}  {}  {}  {from}",
        one.id(),
        one.name().get(lang),
        one.version()
    ));
    out.line("");
    out.say("connectors-params", &[]);
    let mut table = Table::default();
    for param in one.params() {
        table.row(param_row(param, out));
    }
    out.table(&table);
    let chosen = one
        .chosen_by()
        .map(|param| format!("  ({param})"))
        .unwrap_or_default();
    let modes = modes(one).join(" ");
    out.say("connectors-auth", &[("modes", format!("{modes}{chosen}"))]);
    tell_limits(one, out);
    out.line("");
    out.say("connectors-operations", &[]);
    for operation in operations(one)? {
        let aliases = one.aliases(&operation.name).join(" ");
        out.line(format!(
            "  {}  {}  {}",
            operation.name,
            operation.kind.name(),
            operation.label.get(lang)
        ));
        if !aliases.is_empty() {
            out.line(format!(
                "    {}",
                out.text("connectors-aliases", &[("names", aliases)])
            ));
        }
        let mut table = Table::default();
        for option in &operation.options {
            table.row(option_row(option, out));
        }
        out.table(&table);
    }
    out.line("");
    out.say("connectors-verified", &[]);
    for mark in MARKS {
        let claims = one.verified().iter().filter(|(_, how)| how == mark);
        let claims: Vec<&str> = claims.map(|(claim, _)| claim.as_str()).collect();
        if !claims.is_empty() {
            out.line(format!("  {mark}: {}", claims.join(" ")));
        }
    }
    out.line("");
    out.say("connectors-example", &[]);
    out.line("");
    out.raw(&example(one));
    Ok(())
}

fn tell_limits(one: &Connector, out: &Out) {
    let limits = one.limits();
    let mut said: Vec<String> = limits
        .rates
        .iter()
        .map(|rate| match UNITS.iter().find(|(ms, _)| *ms == rate.per_ms) {
            Some((_, unit)) => format!("{}/{unit}", rate.calls),
            None => format!("{}/{}", rate.calls, time::span(rate.per_ms)),
        })
        .collect();
    if !said.is_empty() && limits.scope != connector::Scope::Token {
        let key = match limits.scope {
            connector::Scope::App => "connectors-by-app",
            connector::Scope::Token | connector::Scope::Path => "connectors-by-path",
        };
        said.push(out.text(key, &[]));
    }
    if let Some(count) = limits.per_day {
        said.push(out.text("connectors-a-day", &[("count", count.to_string())]));
    }
    if let Some(count) = limits.concurrency {
        said.push(out.text("connectors-at-once", &[("count", count.to_string())]));
    }
    if let Some(ms) = limits.min_interval_ms {
        let why = limits
            .reason
            .as_ref()
            .map(|why| format!(" ({})", why.get(out.lang)));
        let every = format!("{}{}", time::span(ms), why.unwrap_or_default());
        said.push(out.text("connectors-interval", &[("every", every)]));
    }
    if !said.is_empty() {
        let said = said.join(out.lang.pick(";", "; "));
        out.say("connectors-limits", &[("limits", said)]);
    }
}

fn param_row(param: &Param, out: &Out) -> Vec<String> {
    let ty = match param.of.as_slice() {
        [] => param.ty.name().to_owned(),
        words => words.join("|"),
    };
    let mut about = vec![param.label.get(out.lang).to_owned()];
    match (&param.default, param.needed_when()) {
        (Some(default), _) => {
            let value = dsl::json::to_string(default);
            about.push(out.text("connectors-default", &[("value", value)]));
        }
        (None, Some(when)) => about.push(out.text("connectors-when", &[("when", when.to_owned())])),
        (None, None) => about.push(out.text("connectors-needed", &[])),
    }
    if param.secret {
        about.push(out.text("connectors-secret", &[]));
    }
    about.extend(param.note.clone());
    let about = one_line(&about.join(out.lang.pick(";", "; ")));
    vec![format!("  {}", param.name), ty, about]
}

fn option_row(option: &OptionFacts, out: &Out) -> Vec<String> {
    let ty = match option.of.as_slice() {
        [] => option.ty.clone(),
        words => words.join("|"),
    };
    let mut about = vec![option.label.get(out.lang).to_owned()];
    if let Some(value) = option.constant.as_ref().or(option.default.as_ref()) {
        let value = dsl::json::to_string(value);
        about.push(out.text("connectors-default", &[("value", value)]));
    } else if option.required {
        about.push(out.text("connectors-needed", &[]));
    }
    let about = one_line(&about.join(out.lang.pick(";", "; ")));
    vec![format!("    {}", option.name), ty, about]
}
