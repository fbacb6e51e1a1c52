//! `cargo xtask oracle`: a private MariaDB beside the build output, asked what our evaluator is asked.
//!
//! The comparing is done by `tests/src/bin/oracle.rs`; here the server is installed when it is missing, set up,
//! started, kept alive, and stopped again by its own process id. It listens on a Unix socket only and its data is thrown away
//! with `target`.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::Place;
use crate::run::{Report, finish};

/// Zones the server must know by name; it comes without any.
const ZONES: [&str; 6] = [
    "Asia/Shanghai",
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
];
/// Times we look whether the server answers, a tenth of a second apart; a slow disk needs some seconds.
const PATIENCE: u32 = 300;
/// Times it is started again; an expression that ends it does so five times until it is found among 24.
const MOST_STARTS: u32 = 200;

/// `arguments` go to the comparison; with `--server SOCKET` among them no server is started.
pub(crate) fn oracle(place: &Place, arguments: &[&str]) -> Report {
    let mut report = Report::new(&place.root);
    let build = [
        "build",
        "--locked",
        "--package",
        "tests",
        "--bin",
        "oracle",
        "--release",
    ];
    // An overflow that a release would let pass is a difference too. Most of the time is the server's, so that little
    // optimising is enough.
    let mut checked = crate::fuzz::CHECKED.to_vec();
    checked.push(("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"));
    if !report.command_with("build", "cargo", &build, &checked) {
        report.not_run(&["server", "oracle"], "the build failed");
        return report;
    }
    let program = place
        .target
        .join("release")
        .join(format!("oracle{}", std::env::consts::EXE_SUFFIX));
    let program = program.to_string_lossy();
    // `--record` is told where to, `--imported` where from: the corpus.
    let corpus = place.root.join("tests/corpus/functions");
    let corpus = corpus.to_string_lossy();
    let published = place.root.join("tests/corpus/qeasy");
    let published = published.to_string_lossy();
    let arguments: Vec<&str> = arguments
        .iter()
        .flat_map(|word| match *word {
            "--record" => vec![*word, &*corpus],
            "--imported" => vec![*word, &*published],
            _ => vec![*word],
        })
        .collect();
    if arguments.contains(&"--server") {
        report.command("oracle", &program, &arguments);
        return report;
    }
    let Some(server) = report.step("server", || Server::start(&place.target.join("oracle"))) else {
        report.not_run(&["oracle"], "there is no server");
        return report;
    };
    let socket = server.socket.to_string_lossy().into_owned();
    let words: Vec<&str> = ["--server", &*socket].into_iter().chain(arguments).collect();
    report.command("oracle", &program, &words);
    report.step("stop", || server.stop());
    report
}

/// A server of our own. One that ends by itself is started again: there are expressions on which it does, and the
/// comparison waits for it and goes on.
struct Server {
    socket: PathBuf,
    process: Arc<AtomicU32>,
    stopping: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

/// How a server is started.
struct Start {
    daemon: &'static str,
    folder: PathBuf,
    socket: PathBuf,
}

impl Start {
    fn spawn(&self) -> Result<Child, String> {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.folder.join("log"))
            .map_err(|e| format!("its log: {e}"))?;
        Command::new(self.daemon)
            .args([
                "--no-defaults",
                "--user=root",
                "--skip-networking",
                "--skip-log-bin",
                "--sysdate-is-now",
                "--character-set-server=utf8mb4",
                "--collation-server=utf8mb4_general_ci",
            ])
            .arg(format!("--datadir={}", self.folder.join("data").display()))
            .arg(format!("--socket={}", self.socket.display()))
            .arg(format!("--pid-file={}", self.folder.join("pid").display()))
            .stderr(log)
            .stdout(Stdio::null())
            .spawn()
            .map_err(|e| format!("{}: {e}", self.daemon))
    }

    fn client(&self) -> Command {
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--user=root"])
            .arg(format!("--socket={}", self.socket.display()));
        client
    }

    /// Waits until it answers, and teaches it the zones.
    fn ready(&self, child: &mut Child) -> Result<(), String> {
        let mut left = PATIENCE;
        while !self
            .client()
            .arg("--execute=SELECT 1")
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|s| s.success())
        {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("the server ended with {status}"));
            }
            left = left.checked_sub(1).ok_or("the server does not answer")?;
            #[expect(
                clippy::disallowed_methods,
                reason = "waits for a process that tells nobody when it is ready"
            )]
            std::thread::sleep(Duration::from_millis(100));
        }
        for zone in ZONES {
            let rows = Command::new("mariadb-tzinfo-to-sql")
                .arg(Path::new("/usr/share/zoneinfo").join(zone))
                .arg(zone)
                .output()
                .map_err(|e| format!("mariadb-tzinfo-to-sql: {e}"))?;
            if !rows.status.success() {
                return Err(format!(
                    "no zone {zone}: {}",
                    String::from_utf8_lossy(&rows.stderr)
                ));
            }
            let rows = String::from_utf8_lossy(&rows.stdout).into_owned();
            // The table may have the zone from an earlier start.
            let known = format!("DELETE FROM mysql.time_zone_name WHERE Name = '{zone}'; ");
            finish(self.client().arg("mysql").arg(format!("--execute={known}{rows}")))?;
        }
        Ok(())
    }
}

impl Server {
    fn start(folder: &Path) -> Result<Server, String> {
        let start = Start {
            daemon: installed()?,
            folder: folder.to_owned(),
            // A socket's path may have no more than 107 bytes, and a build folder lies as deep as it likes.
            socket: std::env::temp_dir().join(format!("oracle-{}.sock", std::process::id())),
        };
        let data = folder.join("data");
        if !data.join("mysql").is_dir() {
            std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
            println!("setting up {}", data.display());
            let mut setup = Command::new("mariadb-install-db");
            setup
                .args([
                    "--no-defaults",
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                    "--user=root",
                ])
                .arg(format!("--datadir={}", data.display()))
                .stdout(Stdio::null());
            finish(&mut setup)?;
        }
        let mut child = start.spawn()?;
        if let Err(why) = start.ready(&mut child) {
            let ended = child.kill().and_then(|()| child.wait()).err();
            let more = ended.map_or(String::new(), |e| format!("; it cannot be stopped: {e}"));
            return Err(format!("{why}{more}; see {}", folder.join("log").display()));
        }
        let socket = start.socket.clone();
        let process = Arc::new(AtomicU32::new(child.id()));
        let stopping = Arc::new(AtomicBool::new(false));
        let (its_process, its_end) = (Arc::clone(&process), Arc::clone(&stopping));
        let keeper = std::thread::spawn(move || keep(&start, child, &its_process, &its_end));
        Ok(Server {
            socket,
            process,
            stopping,
            keeper,
        })
    }

    /// Asks this process, and no other, to end.
    fn stop(self) -> Result<(), String> {
        self.stopping.store(true, Ordering::SeqCst);
        let process = self.process.load(Ordering::SeqCst).to_string();
        // One that has just ended is none that could be asked.
        let asked = finish(Command::new("kill").arg(&process));
        let ended = self.keeper.join().map_err(|_| "its keeper failed".to_owned());
        // The server removes its socket; what a killed one left is no harm.
        std::fs::remove_file(&self.socket).or(Ok::<(), String>(()))?;
        ended.and(asked)
    }
}

/// Waits for the server's end and starts it again, until it is to stop.
fn keep(start: &Start, first: Child, process: &AtomicU32, stopping: &AtomicBool) {
    let mut child = first;
    for _ in 0..MOST_STARTS {
        if child.wait().is_err() || stopping.load(Ordering::SeqCst) {
            return;
        }
        println!("the server ended by itself and is started again");
        match start.spawn() {
            Ok(next) => child = next,
            Err(why) => return println!("{why}"),
        }
        process.store(child.id(), Ordering::SeqCst);
        // Asked to stop in between, it would not know.
        if stopping.load(Ordering::SeqCst) && child.kill().is_err() {
            return;
        }
    }
    // The last one may go on; whoever asks it next finds out when it has ended.
    drop(child.wait());
}

/// The server's program, installed when it is missing.
pub(crate) fn installed() -> Result<&'static str, String> {
    let there = || {
        ["mariadbd", "/usr/sbin/mariadbd"].into_iter().find(|daemon| {
            Command::new(daemon)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        })
    };
    if let Some(daemon) = there() {
        return Ok(daemon);
    }
    println!("installing mariadb-server");
    finish(Command::new("apt-get").args(["update", "--quiet"]))
        .map_err(|why| format!("no MariaDB; as root: apt-get install mariadb-server tzdata ({why})"))?;
    let install = [
        "install",
        "--quiet",
        "--yes",
        "--no-install-recommends",
        "mariadb-server",
        "mariadb-client",
        "tzdata",
    ];
    finish(
        Command::new("apt-get")
            .args(install)
            .env("DEBIAN_FRONTEND", "noninteractive")
            // The package would start a server of the machine's own; this one is private.
            .env("RUNLEVEL", "1"),
    )?;
    there().ok_or_else(|| "mariadb-server is installed, but mariadbd is not found".to_owned())
}
