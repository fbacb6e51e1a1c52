//! The vendor simulators: inside a command for `--sandbox`, alone for `engine sandbox`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use app::{AppError, Places, Simulators, query};
use sandbox::{Config, Running};

use super::Done;
use super::args::{SandboxArgs, Simulated};
use super::faults::{self, Faults};
use super::json::object;
use super::out::Out;

/// How late a simulator may execute what was given up: it lives in this process.
const QUIET_PERIOD_MS: i64 = 500;

/// Whether the simulators may write their state down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// They do: what a run wrote is there in the next one.
    Always,
    /// Only where they did before; a rehearsal creates nothing.
    IfThere,
}

/// Simulators of one command, or none.
pub(crate) struct Simulation {
    running: Option<Running>,
}

impl Simulation {
    /// Starts them when `--sandbox` is given, with their state beside the ledger of the sandbox.
    pub(crate) async fn start(
        args: &Simulated,
        around: &Path,
        places: &Places,
        keep: Keep,
    ) -> Result<Self, AppError> {
        if !args.sandbox {
            return Ok(Simulation { running: None });
        }
        let faults = ordered(args.faults.as_deref())?;
        let state = query::data_dir(around, places, true)?.join("simulators");
        let state = (keep == Keep::Always || state.is_dir()).then_some(state);
        let config = Config {
            seed: args.seed,
            trades: args.trades,
            refuse: args.refuse,
            invalid: args.invalid,
            state: state.clone(),
            settings: faults.settings,
            faults: faults.plans,
            ..Config::default()
        };
        let running = started(config, state.as_deref()).await?;
        Ok(Simulation {
            running: Some(running),
        })
    }

    /// What connections are given instead of their own parameters.
    pub(crate) fn simulators(&self) -> Option<Simulators> {
        let running = self.running.as_ref()?;
        let params = connector::builtin()
            .iter()
            .filter_map(|(id, _)| Some(((*id).to_owned(), running.params(id)?)))
            .collect();
        Some(Simulators {
            params,
            quiet_period_ms: QUIET_PERIOD_MS,
        })
    }

    /// Whether there are any.
    pub(crate) fn simulated(&self) -> bool {
        self.running.is_some()
    }

    /// Ends them.
    pub(crate) async fn stop(self) {
        if let Some(running) = self.running {
            running.stop().await;
        }
    }
}

/// What the file of `--faults` orders; nothing without one.
fn ordered(path: Option<&Path>) -> Result<Faults, AppError> {
    path.map_or_else(|| Ok(Faults::default()), faults::read)
}

async fn started(config: Config, state: Option<&Path>) -> Result<Running, AppError> {
    let listen = config.listen;
    sandbox::start(config)
        .await
        .map_err(|error| failed(listen, state, &error))
}

fn failed(listen: SocketAddr, state: Option<&Path>, error: &std::io::Error) -> AppError {
    if let (std::io::ErrorKind::InvalidInput, Some(state)) = (error.kind(), state) {
        let folder = state.display();
        let text = error.to_string();
        // Its own seed and number of trades, as options.
        let own = text
            .split_once(" holds the data of ")
            .and_then(|(_, rest)| rest.split_once(", "))
            .map_or("--seed --trades", |(own, _)| own);
        return AppError::wrong_use(
            format!("{folder} 里是另一批模拟数据;改用 {own},或删去这个文件夹"),
            format!("{text}; use those, or delete the folder"),
        );
    }
    let place = state.map_or_else(
        || listen.to_string(),
        |state| format!("{listen}, {}", state.display()),
    );
    AppError::wrong_use(
        format!("模拟器无法启动({place}):{error}"),
        format!("the simulators cannot start ({place}): {error}"),
    )
}

/// `engine sandbox`: the simulators alone, until Ctrl-C.
pub(crate) fn serve(args: SandboxArgs, out: &Out) -> Done {
    let faults = ordered(args.faults.as_deref())?;
    super::block_on(async {
        let state: Option<PathBuf> = args.state;
        let config = Config {
            listen: args.listen,
            seed: args.seed,
            trades: args.trades,
            refuse: args.refuse,
            invalid: args.invalid,
            state: state.clone(),
            settings: faults.settings,
            faults: faults.plans,
            ..Config::default()
        };
        let running = started(config, state.as_deref()).await?;
        announce(&running, out);
        let waited = tokio::signal::ctrl_c().await;
        running.stop().await;
        waited.map_err(|error| AppError::bug(format!("no signals: {error}")))?;
        Ok(0)
    })?
}

fn announce(running: &Running, out: &Out) {
    let address = format!("http://{}", running.addr());
    if out.json {
        let exports: Vec<_> = running
            .exports()
            .into_iter()
            .map(|(name, value)| object! {"name" => name, "value" => value})
            .collect();
        out.document(&object! {
            "schema" => "engine.sandbox/1",
            "address" => address,
            "connections_yaml" => running.connections_yaml(),
            "exports" => exports,
        });
        return;
    }
    out.say("sandbox-head", &[("address", address.clone())]);
    out.line("");
    out.say("sandbox-connections", &[]);
    out.line("");
    out.raw(&running.connections_yaml());
    out.line("");
    out.say("sandbox-exports", &[]);
    out.line("");
    for (name, value) in running.exports() {
        out.line(format!("export {name}='{value}'"));
    }
    out.line("");
    out.say("sandbox-control", &[("address", address)]);
    out.note("sandbox-stop", &[]);
}
