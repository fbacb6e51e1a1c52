//! `connection list` and `connection test`: what the entries of connections.yaml lead to, and one of them tried step by
//! step.
//!
//! A trial writes nothing at the other side: it looks at the server, logs in, and makes one read call of one row. Every
//! step is told, also one that cannot be made. Secrets are taken out of everything that is told.

use std::sync::Arc;

use connector::{Call, Connection, PageState};
use dsl::Map;
use dsl::diagnostic::Lang;
use dsl::facts::{ConnectorFacts, OpKind, OperationFacts, OwnedKind, Text2};
use flow::ids::Ms;
use transport::{Client, Look, Seen, Settings, Why};

use crate::caller::{Caller, Effect, Ended};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::AppError;
use crate::reason::{self, Side};
use crate::settings;
use crate::workspace::Workspace;

/// The window of the harmless call, when it needs one and its operation takes no less.
const HOUR: Ms = 3_600_000;

/// An entry of connections.yaml.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Id of its connector.
    pub connector: String,
    /// What people call the connector.
    pub label: Text2,
    /// The environments that it lists.
    pub environments: Vec<String>,
    /// Where it leads, without path; `None` when that is not said in this environment.
    pub server: Option<String>,
    /// Whether only the simulator is used.
    pub sandbox: bool,
    /// References that lead nowhere: parameter, and reference as it is written. Never a value.
    pub missing: Vec<(String, String)>,
    /// Parameters that are needed in this environment and not given.
    pub absent: Vec<String>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// It works.
    Ok,
    /// It does not.
    Failed,
    /// It was not made: there is nothing to do, or a step before it failed.
    NotMade,
}

impl StepState {
    /// The word in machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            StepState::Ok => "ok",
            StepState::Failed => "failed",
            StepState::NotMade => "not_made",
        }
    }
}

/// One step of a trial.
#[derive(Debug, Clone)]
pub struct TrialStep {
    /// `settings dns tcp tls login call`.
    pub name: &'static str,
    /// How it ended.
    pub state: StepState,
    /// How long it took.
    pub took_ms: Ms,
    /// Code of the catalogue, of a step that failed.
    pub code: Option<String>,
    /// What was found, in the other system's words where it said something.
    pub text: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A connection, tried.
#[derive(Debug, Clone)]
pub struct Trial {
    /// Its name.
    pub connection: String,
    /// Id of its connector.
    pub connector: String,
    /// The environment.
    pub environment: String,
    /// Where it leads; `None` when that could not be found out.
    pub server: Option<String>,
    /// Always the same six, in order.
    pub steps: Vec<TrialStep>,
}

impl Trial {
    /// Whether no step failed.
    pub fn passed(&self) -> bool {
        self.steps.iter().all(|step| step.state != StepState::Failed)
    }

    /// Whether the other system has seen and accepted the credentials.
    pub fn is_proven(&self) -> bool {
        let worked = |step: &TrialStep| ["login", "call"].contains(&step.name) && step.state == StepState::Ok;
        self.passed() && self.steps.iter().any(worked)
    }
}

/// The entries of connections.yaml as they are in the workspace's environment.
pub fn list(workspace: &Workspace) -> Result<Vec<Listed>, AppError> {
    let connections = workspace.connections_there()?;
    let env = workspace.connections_env();
    let entries = connections.names().filter_map(|name| {
        let connector = connections.connector(name)?;
        let unresolved = connections.unresolved(name, env).ok();
        let server = match workspace.resolve(name) {
            Ok(connection) => Some(connection.redact(&connection.address())),
            // Of simulators nobody knows the address here; the real one is not called.
            Err(_) => unresolved
                .filter(|connection| !workspace.is_simulated() && !connection.hosts().is_empty())
                .map(|connection| connection.address()),
        };
        let absent = match workspace.is_simulated() {
            true => Vec::new(),
            false => connections.absent(name, env),
        };
        Some(Listed {
            name: name.to_owned(),
            connector: connector.id().to_owned(),
            label: connector.name().clone(),
            environments: connections
                .environments_of(name)
                .into_iter()
                .map(str::to_owned)
                .collect(),
            server,
            sandbox: connections.is_sandbox(name, env),
            missing: workspace.open_references(name),
            absent,
        })
    });
    Ok(entries.collect())
}

/// Tries one connection.
pub async fn test(
    workspace: &Workspace,
    name: &str,
    clock: Arc<dyn Clock>,
    lang: Lang,
) -> Result<Trial, AppError> {
    let connections = workspace.connections_there()?;
    let Some(connector) = connections.connector(name) else {
        let all: Vec<&str> = connections.names().collect();
        return Err(AppError::no_such(("连接", "connection"), name, &all));
    };
    workspace.may_be_called(name)?;
    let mut trial = Trial {
        connection: name.to_owned(),
        connector: connector.id().to_owned(),
        environment: workspace.environment().to_owned(),
        server: None,
        steps: Vec::new(),
    };
    let resolved = workspace
        .secrets_are_there(&[&name.to_owned()])
        .and_then(|()| workspace.resolve(name));
    let connection = match resolved {
        Ok(connection) => Arc::new(connection),
        Err(error @ AppError::Connection(_)) => {
            trial.steps.push(TrialStep {
                code: error.code().map(str::to_owned),
                help: error.help(lang),
                ..step("settings", StepState::Failed, error.message(lang))
            });
            not_reached(&mut trial, lang);
            return Ok(trial);
        }
        Err(other) => return Err(other),
    };
    trial.server = Some(connection.redact(&connection.address()));
    let given = lang.pick("参数与密钥齐全", "parameters and secrets are there");
    trial
        .steps
        .push(step("settings", StepState::Ok, given.to_owned()));
    let client = Client::new(Settings::default()).map_err(|error| AppError::bug(error.to_string()))?;
    let beside = workspace.connections_path().map(crate::workspace::parent);
    let client = settings::client(&connection, &Arc::new(client), beside)?;
    if look(&connection, &client, &mut trial, lang).await? {
        let dir = workspace.data_dir();
        let all = [Arc::clone(&connection)];
        let (held, time) = (Arc::clone(&connection), Arc::clone(&clock));
        let caller = Caller::new(held, &all, client, time, Entropy::default(), &dir)?;
        if log_in(&caller, clock.as_ref(), &mut trial, lang).await {
            let made = call(&caller, clock.as_ref(), lang).await;
            trial.steps.push(made);
        }
    }
    not_reached(&mut trial, lang);
    Ok(trial)
}

/// The names of the steps, in order.
const STEPS: [&str; 6] = ["settings", "dns", "tcp", "tls", "login", "call"];

fn step(name: &'static str, state: StepState, text: String) -> TrialStep {
    TrialStep {
        name,
        state,
        took_ms: 0,
        code: None,
        text,
        help: None,
    }
}

/// The steps behind one that failed.
fn not_reached(trial: &mut Trial, lang: Lang) {
    for name in STEPS.into_iter().skip(trial.steps.len()) {
        trial.steps.push(step(name, StepState::NotMade, before(lang)));
    }
}

fn before(lang: Lang) -> String {
    lang.pick("前面的步骤失败", "a step before it failed").to_owned()
}

/// Looks at the server. Says whether the steps behind can be made.
async fn look(
    connection: &Connection,
    client: &Client,
    trial: &mut Trial,
    lang: Lang,
) -> Result<bool, AppError> {
    let mut allow = settings::allow_list(connection)?;
    let mut address = connection.address();
    let database = connection.database()?;
    if let Some(database) = &database {
        if database.host.is_empty() {
            let words = lang.pick("文件,不经过网络", "a file: there is no network in between");
            let steps = ["dns", "tcp", "tls"].map(|name| step(name, StepState::NotMade, words.to_owned()));
            trial.steps.extend(steps);
            return Ok(true);
        }
        // Looked at as any server; encryption begins within the login.
        allow = allow.plain_http(true);
        address = format!("http://{}:{}/", database.host_text(), database.port);
    }
    let patience = settings::timeouts(connection, None, Effect::None).connect;
    let seen = client.probe(&address, &allow, patience).await;
    let goes_on = seen.iter().all(transport::Step::goes_on);
    for one in seen {
        let name = match one.look {
            Look::Dns => "dns",
            Look::Tcp => "tcp",
            Look::Tls => "tls",
        };
        let (state, code, text) = match one.seen {
            Seen::Good(text) => (StepState::Ok, None, text),
            Seen::Bad(error) => {
                let code = dsl::catalogue::reading::SOURCE_UNREACHABLE.code;
                (
                    StepState::Failed,
                    Some(code.to_owned()),
                    reason::spoken(&error, lang),
                )
            }
            Seen::NotMade(Why::Plain) if database.is_some() => {
                let is_on = database.as_ref().is_some_and(|database| database.tls);
                let (zh, en) = match is_on {
                    true => (
                        "登录时握手,证书必须可信",
                        "within the login; the certificate must be good",
                    ),
                    false => (
                        "不加密:本机,或连接写明了 allow_plain_http",
                        "none: this machine, or the connection says allow_plain_http",
                    ),
                };
                (StepState::NotMade, None, lang.pick(zh, en).to_owned())
            }
            Seen::NotMade(why) => (StepState::NotMade, None, why_not(why, lang)),
        };
        trial.steps.push(TrialStep {
            took_ms: Ms::try_from(one.took.as_millis()).unwrap_or(Ms::MAX),
            code,
            ..step(name, state, connection.redact(&text))
        });
    }
    Ok(goes_on)
}

fn why_not(why: Why, lang: Lang) -> String {
    let (zh, en) = match why {
        Why::Address => ("地址已写明,无需解析", "the server is written as an address"),
        Why::Plain => ("明文 http,没有 TLS", "plain http: there is no TLS"),
        Why::Proxy => ("由代理完成,这里看不到", "a proxy does it, out of our sight"),
        Why::Before => return before(lang),
    };
    lang.pick(zh, en).to_owned()
}

/// Says whether the call can be made.
async fn log_in(caller: &Caller, clock: &dyn Clock, trial: &mut Trial, lang: Lang) -> bool {
    if !caller.connection.needs_login() && !caller.is_database() {
        let words = lang.pick(
            "不需要登录:每次调用自带凭据",
            "there is no login: every call carries its credentials",
        );
        trial
            .steps
            .push(step("login", StepState::NotMade, words.to_owned()));
        return true;
    }
    let began = clock.now_ms();
    let ended = caller.log_in().await;
    let took_ms = clock.now_ms() - began;
    let made = match ended {
        Ok(()) => {
            let words = lang.pick("对方接受了登录", "the login was accepted");
            step("login", StepState::Ok, words.to_owned())
        }
        Err(ended) => failed("login", &ended, caller, lang),
    };
    let goes_on = made.state == StepState::Ok;
    trial.steps.push(TrialStep { took_ms, ..made });
    goes_on
}

fn failed(name: &'static str, ended: &Ended, caller: &Caller, lang: Lang) -> TrialStep {
    match reason::read_failure(ended, caller, lang, Side::Source) {
        Some(failure) => TrialStep {
            code: Some(failure.reason.code.clone()),
            ..step(
                name,
                StepState::Failed,
                caller.redact(&reason::sentence(&failure.reason, lang)),
            )
        },
        None => step(name, StepState::Failed, String::new()),
    }
}

/// The first read operation that asks for nothing, with a page of one row.
async fn call(caller: &Caller, clock: &dyn Clock, lang: Lang) -> TrialStep {
    let connection = &caller.connection;
    let facts = connection.facts();
    let options = Map::new();
    let now = clock.now_ms();
    let found = harmless(&connection.connector, facts.as_ref())
        .map(|operation| (call_of(&operation, &options, now), operation.name.clone()))
        .find(|(call, name)| {
            let call = Call {
                operation: name,
                ..call.clone()
            };
            connection.prepare(&call).is_ok()
        });
    let Some((call, operation)) = found else {
        let words = lang.pick(
            "没有不要求任何选项的读取操作,因此没有调用",
            "no read operation works without options, so nothing was called",
        );
        return step("call", StepState::NotMade, words.to_owned());
    };
    let call = Call {
        operation: &operation,
        ..call
    };
    let ended = caller.call(&call, 0, Effect::None).await;
    let took_ms = clock.now_ms() - now;
    if reason::read_failure(&ended, caller, lang, Side::Source).is_some() {
        let made = failed("call", &ended, caller, lang);
        let text = format!("{operation}: {}", made.text);
        return TrialStep {
            took_ms,
            text,
            ..made
        };
    }
    let Ended::Answered { answer, .. } = &ended else {
        return step("call", StepState::Failed, String::new());
    };
    let made = match connection.rows(&operation, &call, answer) {
        Ok(rows) => {
            let count = rows.rows.len();
            let status = match caller.is_database() {
                true => String::new(),
                false => format!("HTTP {}{}", answer.status, lang.pick(",", ", ")),
            };
            let words = lang.pick(
                format!("{operation}:{status}{count} 行"),
                format!(
                    "{operation}: {status}{count} row{}",
                    if count == 1 { "" } else { "s" }
                ),
            );
            step("call", StepState::Ok, words)
        }
        Err(failure) => {
            let reason = reason::of_failure(&failure, lang);
            let text = caller.redact(&format!("{operation}: {}", reason.text));
            TrialStep {
                code: Some(reason.code),
                ..step("call", StepState::Failed, text)
            }
        }
    };
    TrialStep { took_ms, ..made }
}

/// Read operations that can be called with nothing from a scheme, in the order of the connector's file.
fn harmless<'a>(
    connector: &'a connector::Connector,
    facts: &'a dyn ConnectorFacts,
) -> impl Iterator<Item = Arc<OperationFacts>> + 'a {
    connector
        .operations()
        .filter(|(_, kind, _)| *kind == OpKind::Read)
        .filter_map(|(name, ..)| facts.operation(name).ok())
        .filter(|operation| {
            let asks = |option: &dsl::facts::OptionFacts| {
                option.required && option.default.is_none() && option.constant.is_none()
            };
            let by_field = |owned: &dsl::facts::Owned| owned.what == OwnedKind::WindowField;
            !operation.options.iter().any(asks)
                && !operation.fields_required
                && !operation.filter_required
                && !operation.request_owned.iter().any(by_field)
        })
}

fn call_of<'a>(operation: &OperationFacts, options: &'a Map, now: Ms) -> Call<'a> {
    let page = operation.page.as_ref();
    let length = operation.window_max_ms.unwrap_or(HOUR).min(HOUR);
    Call {
        window: operation.uses_window.then_some((now - length, now)),
        page: Some(PageState {
            number: page.map_or(1, |page| page.first),
            size: 1,
            ..PageState::default()
        }),
        ..Call::new("", options, now)
    }
}
