//! `/connections`, `/connectors`, `/functions`, `/queues`: what there is to build schemes of, and how targets stand.

use std::sync::Arc;

use app::trial;
use axum::http::Method;
use dsl::Lang;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::schemes::{PausedDoc, reason_text};
use crate::access::Scope;
use crate::call::Call;
use crate::document::list;
use crate::operation::{Json, Operation};
use crate::problem::Problem;
use crate::time;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::new(
            Method::GET,
            "/connections",
            "listConnections",
            "Connections; never their secrets",
            connections,
        ),
        Operation::new(
            Method::POST,
            "/connections/{connection}/test",
            "testConnection",
            "Tries a connection: settings, name, port, certificate, login, one harmless call",
            test,
        )
        .needs(Scope::Operate),
        Operation::new(
            Method::GET,
            "/connectors",
            "listConnectors",
            "Connectors that are known",
            connectors,
        )
        .by_scheme(),
        Operation::new(
            Method::GET,
            "/functions",
            "listFunctions",
            "Functions of the language",
            functions,
        )
        .by_scheme(),
        Operation::new(
            Method::GET,
            "/queues",
            "listQueues",
            "What waits for each target",
            queues,
        ),
        Operation::new(
            Method::PATCH,
            "/queues/{connection}",
            "changeQueue",
            "Has nothing written to a target, or has it written to again",
            change_queue,
        )
        .needs(Scope::Operate),
    ]
}

/// An entry of connections.yaml.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ConnectionDoc {
    name: String,
    connector: String,
    /// What people call the connector.
    label: String,
    environments: Vec<String>,
    /// Where it leads, without path.
    server: Option<String>,
    /// Whether only the simulator is used.
    sandbox: bool,
    /// Parameters whose references lead nowhere.
    missing: Vec<String>,
    /// Parameters that are needed and not given.
    absent: Vec<String>,
}

list! {
    /// Connections.
    ConnectionList, ConnectionDoc
}

async fn connections(call: Call, (): (), (): ()) -> Result<Json<ConnectionList>, Problem> {
    let workspace = Arc::clone(&call.state.service().loaded().engine.workspace);
    let lang = call.lang;
    let items = call
        .think(move || {
            if workspace.connections().is_none() {
                return Ok(Vec::new());
            }
            let listed = trial::list(&workspace)?.into_iter();
            Ok(listed
                .map(|one| ConnectionDoc {
                    name: one.name,
                    connector: one.connector,
                    label: one.label.get(lang).to_owned(),
                    environments: one.environments,
                    server: one.server,
                    sandbox: one.sandbox,
                    missing: one.missing.into_iter().map(|(param, _)| param).collect(),
                    absent: one.absent,
                })
                .collect())
        })
        .await?;
    Ok(Json(ConnectionList::whole(items)))
}

/// A connection, tried.
#[derive(Debug, Serialize, ToSchema)]
struct Trial {
    connection: String,
    connector: String,
    server: Option<String>,
    /// Whether no step failed.
    passed: bool,
    steps: Vec<TrialStep>,
}

/// One step of a trial.
#[derive(Debug, Serialize, ToSchema)]
struct TrialStep {
    /// `settings`, `dns`, `tcp`, `tls`, `login` or `call`.
    name: String,
    /// `ok`, `failed` or `not_made`.
    state: String,
    took_ms: i64,
    code: Option<String>,
    text: String,
    help: Option<String>,
}

async fn test(call: Call, (): (), (): ()) -> Result<Json<Trial>, Problem> {
    let name = call.param("connection").to_owned();
    let workspace = Arc::clone(&call.state.service().loaded().engine.workspace);
    let is_known = workspace
        .connections()
        .is_some_and(|all| all.names().any(|known| known == name));
    if !is_known {
        return Err(Problem::not_found(format!("connection {}", name.escape_debug())));
    }
    let clock = Arc::new(app::SystemClock::default());
    let tried = trial::test(&workspace, &name, clock, call.lang).await?;
    let passed = tried.passed();
    Ok(Json(Trial {
        connection: tried.connection,
        connector: tried.connector,
        server: tried.server,
        passed,
        steps: tried
            .steps
            .into_iter()
            .map(|step| TrialStep {
                name: step.name.to_owned(),
                state: step.state.word().to_owned(),
                took_ms: step.took_ms,
                code: step.code,
                text: step.text,
                help: step.help,
            })
            .collect(),
    }))
}

/// A connector that is known.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connector)]
pub(crate) struct ConnectorDoc {
    id: String,
    name: String,
    version: u32,
    operations: Vec<OperationOf>,
}

/// An operation of a connector.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectorOperation)]
pub(crate) struct OperationOf {
    name: String,
    kind: String,
    label: String,
}

list! {
    /// Connectors.
    ConnectorList, ConnectorDoc
}

async fn connectors(call: Call, (): (), (): ()) -> Result<Json<ConnectorList>, Problem> {
    let loaded = call.state.service().loaded();
    let items = loaded
        .engine
        .workspace
        .connectors()
        .iter()
        .map(|one| ConnectorDoc {
            id: one.id().to_owned(),
            name: one.name().get(call.lang).to_owned(),
            version: one.version(),
            operations: one
                .operations()
                .map(|(name, kind, label)| OperationOf {
                    name: name.to_owned(),
                    kind: format!("{kind:?}").to_lowercase(),
                    label: label.get(call.lang).to_owned(),
                })
                .collect(),
        });
    Ok(Json(ConnectorList::whole(items.collect())))
}

/// A function of the language.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Function)]
pub(crate) struct FunctionDoc {
    name: String,
    signature: String,
    summary: String,
}

list! {
    /// Functions.
    FunctionList, FunctionDoc
}

async fn functions(call: Call, (): (), (): ()) -> Result<Json<FunctionList>, Problem> {
    let loaded = call.state.service().loaded();
    let all = loaded.engine.workspace.registry().all().iter();
    let items = all.map(|one| FunctionDoc {
        name: one.name.to_owned(),
        signature: one.signature(),
        summary: match call.lang {
            Lang::Zh => one.summary.zh.to_owned(),
            Lang::En => one.summary.en.to_owned(),
        },
    });
    Ok(Json(FunctionList::whole(items.collect())))
}

/// What waits for a target.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Queue)]
pub(crate) struct QueueDoc {
    /// The connection.
    connection: String,
    /// Records that are not settled.
    waiting: u64,
    /// The first sighting of the oldest of them.
    #[schema(format = DateTime)]
    oldest: Option<String>,
    /// Why nothing is written there; null = it is.
    paused: Option<PausedDoc>,
}

list! {
    /// Queues by connection.
    QueueList, QueueDoc
}

async fn queues(call: Call, (): (), (): ()) -> Result<Json<QueueList>, Problem> {
    Ok(Json(QueueList::whole(all_queues(&call).await?)))
}

/// Whether a target is written to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QueueChange {
    /// `true`: schemes that write there are not started, and runs that are under way settle the call that is out and end.
    paused: bool,
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

async fn change_queue(
    call: Call,
    (): (),
    Json(change): Json<QueueChange>,
) -> Result<Json<QueueDoc>, Problem> {
    let name = call.param("connection").to_owned();
    let reason = reason_text("reason", &change.reason)?;
    let service = call.state.service();
    let is_target = || {
        crate::metrics::targets(&service.loaded())
            .values()
            .any(|known| *known == name)
    };
    // One that no scheme writes to any more can still be let go.
    if !is_target() && !service.paused_targets().contains_key(&name) {
        return Err(Problem::not_found(format!("queue {}", name.escape_debug())));
    }
    let who = call.who.name();
    if change.paused {
        service.pause_target(&name, &who, reason).await?;
    } else {
        service.resume_target(&name, &who, reason).await?;
    }
    let mut queues = all_queues(&call).await?.into_iter();
    let changed = queues.find(|queue| queue.connection == name);
    Ok(Json(changed.unwrap_or(QueueDoc {
        connection: name,
        waiting: 0,
        oldest: None,
        paused: None,
    })))
}

async fn all_queues(call: &Call) -> Result<Vec<QueueDoc>, Problem> {
    let mut paused = call.state.service().paused_targets();
    let loaded = call.state.service().loaded();
    let targets = crate::metrics::targets(&loaded);
    let waiting = call.ask(|reader| Ok(reader.waiting()?)).await?;
    let mut queues = crate::metrics::queues(&targets, &waiting);
    for connection in paused.keys() {
        queues.entry(connection.clone()).or_default();
    }
    let queues = queues.into_iter();
    Ok(queues
        .map(|(connection, (waiting, oldest))| QueueDoc {
            waiting,
            oldest: oldest.map(time::text),
            paused: paused
                .remove(&connection)
                .map(|paused| PausedDoc::of(&paused, call.lang)),
            connection,
        })
        .collect())
}
