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

/// How the simulators say that a folder has the data of other options.
const HOLDS: &str = " holds the data of ";

/// The folder of the simulators' state beside the ledger of the sandbox.
const BESIDE: &str = "simulators";

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
        let state = query::data_dir(around, places, true)?.join(BESIDE);
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
        Some(Simulators {
            params: running.all_params(),
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
    use std::io::ErrorKind as Kind;
    let text = error.to_string();
    let folder = state.map(|state| state.display().to_string()).unwrap_or_default();
    // Ledger and simulators of `--sandbox` lie in one folder and belong together.
    let whole = state.and_then(Path::parent).unwrap_or(Path::new("."));
    match (error.kind(), state) {
        (Kind::WouldBlock, Some(_)) => ledger::StoreError::Locked {
            dir: whole.to_owned(),
            pid: ledger::lock::holder_of(whole),
        }
        .into(),
        (Kind::InvalidInput, Some(state)) if text.contains(HOLDS) => {
            // Its own seed and number of trades, as options.
            let own = text
                .split_once(HOLDS)
                .and_then(|(_, rest)| rest.split_once(", "))
                .map_or("--seed --trades", |(own, _)| own);
            let all = if state.ends_with(BESIDE) { whole } else { state };
            let all = all.display();
            AppError::wrong_use(
                format!(
                    "{folder} 里是另一批模拟数据;改用 {own},或删去整个文件夹 {all}(账本与模拟数据要一起删)"
                ),
                format!(
                    "{folder} holds the data of {own}; use those, or delete the whole folder {all}: the ledger in it belongs to these data"
                ),
            )
        }
        (Kind::InvalidInput, _) if !listen.ip().is_loopback() => AppError::wrong_use(
            format!("--listen {listen}:模拟器只能监听本机地址,如 127.0.0.1:7070"),
            format!("--listen {listen}: the simulators listen on this machine only, such as 127.0.0.1:7070"),
        ),
        (Kind::InvalidInput, _) => AppError::wrong_use(
            format!("--trades、--refuse 或 --invalid 过大:{text}"),
            format!("--trades, --refuse or --invalid is too large: {text}"),
        ),
        (Kind::AddrInUse, _) => AppError::wrong_use(
            format!("--listen {listen}:这个地址正被占用;换一个端口,0 表示任选"),
            format!("--listen {listen}: that address is in use; choose another port, 0 for any"),
        ),
        (Kind::AddrNotAvailable, _) => AppError::wrong_use(
            format!("--listen {listen}:本机没有这个地址"),
            format!("--listen {listen}: this machine has no such address"),
        ),
        (Kind::PermissionDenied, None) => AppError::wrong_use(
            format!("--listen {listen}:没有权限监听;使用 1024 以上的端口"),
            format!("--listen {listen}: not allowed; use a port above 1023"),
        ),
        (Kind::InvalidData, Some(_)) => AppError::wrong_use(
            format!(
                "{folder} 里的模拟数据已损坏({text});删去整个文件夹 {}",
                whole.display()
            ),
            format!(
                "the simulators' data in {folder} is damaged ({text}); delete the whole folder {}",
                whole.display()
            ),
        ),
        (_, Some(_)) => AppError::wrong_use(
            format!("模拟器无法使用文件夹 {folder}(--state 或 --data-dir):{text}"),
            format!("the simulators cannot use the folder {folder} (--state or --data-dir): {text}"),
        ),
        (_, None) => AppError::wrong_use(
            format!("--listen {listen}:模拟器无法启动:{text}"),
            format!("--listen {listen}: the simulators cannot start: {text}"),
        ),
    }
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
        let came = super::ended::signal_came().await;
        running.stop().await;
        came.map(|_| 0).ok_or_else(|| AppError::bug("no signals"))
    })?
}

fn announce(running: &Running, out: &Out) {
    // A connection of a connector that is not there would be an error of the printed file.
    let ids: Vec<&str> = connector::builtin().iter().map(|(id, _)| *id).collect();
    let (connections, exports) = (running.connections_yaml(&ids), running.exports(&ids));
    let address = format!("http://{}", running.addr());
    if out.json {
        let exports: Vec<_> = exports
            .into_iter()
            .map(|(name, value)| object! {"name" => name, "value" => value})
            .collect();
        out.document(&object! {
            "schema" => "engine.sandbox/1",
            "address" => address,
            "connections_yaml" => connections,
            "exports" => exports,
        });
        return;
    }
    out.say("sandbox-head", &[("address", address.clone())]);
    out.line("");
    out.say("sandbox-connections", &[]);
    out.line("");
    out.raw(&connections);
    out.line("");
    out.say("sandbox-exports", &[]);
    out.line("");
    for (name, value) in exports {
        out.line(format!("export {name}='{value}'"));
    }
    out.line("");
    out.say("sandbox-control", &[("address", address)]);
    out.note("sandbox-stop", &[]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl::Lang;
    use std::io::{Error, ErrorKind};

    /// Every reason has words in both languages, and names what can be changed.
    #[test]
    fn why_simulators_do_not_start() {
        let local = SocketAddr::from(([127, 0, 0, 1], 7070));
        let far = SocketAddr::from(([10, 0, 0, 1], 7070));
        let state = Path::new("x/.engine/sandbox/simulators");
        let other = "x holds the data of --seed 7 --trades 40, not of --seed 7 --trades 9";
        let rows = [
            (
                local,
                Some(state),
                ErrorKind::WouldBlock,
                "in use",
                4,
                "x/.engine/sandbox ",
            ),
            (
                local,
                Some(state),
                ErrorKind::InvalidInput,
                other,
                2,
                "--trades 40",
            ),
            (
                local,
                Some(state),
                ErrorKind::InvalidInput,
                other,
                2,
                "x/.engine/sandbox",
            ),
            (far, None, ErrorKind::InvalidInput, "loopback", 2, "--listen"),
            (
                local,
                None,
                ErrorKind::InvalidInput,
                "at most 5 trades",
                2,
                "--trades",
            ),
            (local, None, ErrorKind::AddrInUse, "used", 2, "--listen"),
            (local, None, ErrorKind::AddrNotAvailable, "none", 2, "--listen"),
            (local, None, ErrorKind::PermissionDenied, "no", 2, "--listen"),
            (local, None, ErrorKind::Other, "strange", 2, "strange"),
            (local, Some(state), ErrorKind::InvalidData, "line 3", 2, "line 3"),
            (
                local,
                Some(state),
                ErrorKind::PermissionDenied,
                "no",
                2,
                "--data-dir",
            ),
        ];
        for (listen, state, kind, words, code, named) in rows {
            let told = failed(listen, state, &Error::new(kind, words));
            assert_eq!(told.exit_code(), code, "{kind:?}");
            let [zh, en] = [Lang::Zh, Lang::En].map(|lang| told.message(lang));
            assert!(zh.contains(named) && en.contains(named), "{zh} / {en}");
            assert!(!zh.is_ascii() && zh != en, "{zh}");
        }
    }
}
