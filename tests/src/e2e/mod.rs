//! A world for one end-to-end test: both simulators in this process, the real binary, a folder of its own.
//!
//! Truth is the simulators' journal: what the target *executed*. It promises that no test meets another's files,
//! ports or environment; what is right is left to the tests.

mod binary;
mod judge;
mod lone;
mod served;
mod serving;
mod shop;
mod wire;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use sandbox::{FaultKind, FaultPlan, JournalEntry, Running};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub use binary::{Process, Ran, Run, engine};
pub use judge::{Strictness, adds_up, judge, judge_with, numbers, versions};
pub use lone::Lone;
pub use served::Served;
pub use serving::Serving;
pub use shop::Shop;
pub use wire::{Message, Recorder, Twist, ask, send};

pub use sandbox::{Config, Credentials};

/// The main scheme.
pub const MAIN: &str = "schemes/huke-to-k3.yaml";
/// Runs that were recorded.
const RECORDINGS: &str = "schemes/samples";
/// The scheme that feeds its look-up.
pub const FEEDER: &str = "schemes/huke-customers.yaml";
/// Ordinary trades of a small world: 30 customers, three pages.
pub const TRADES: usize = 120;
/// Its customers.
pub const CUSTOMERS: usize = TRADES / 4;

/// Runs after which a scheme must have done its work; the most faults of one test leave four windows open.
const PASSES: usize = 6;

/// The folder of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests is a folder of the workspace")
}

/// Simulators, files and environment of one test.
#[derive(Debug)]
pub struct World {
    sandbox: Running,
    folder: TempDir,
    environment: Vec<(String, String)>,
    // Last, so that the simulators stop before what they run on.
    _runtime: Runtime,
}

impl World {
    /// A small world in which everything goes well.
    pub fn small() -> Self {
        Self::of(|_| {})
    }

    /// A small world with something else about it.
    pub fn of(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config {
            trades: TRADES,
            ..Config::default()
        };
        change(&mut config);
        Self::start(config)
    }

    /// Any world.
    ///
    /// # Panics
    /// When the machine has no free port or no room for temporary files.
    pub fn start(config: Config) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads for the simulators");
        let sandbox = runtime
            .block_on(sandbox::start(config))
            .expect("a free port on loopback");
        let folder = tempfile::tempdir().expect("room for temporary files");
        let home = folder.path().join("home");
        std::fs::create_dir(&home).expect("a new folder is empty");
        let built_in: Vec<&str> = connector::builtin().iter().map(|(id, _)| *id).collect();
        let (connections, mut environment) =
            (sandbox.connections_yaml(&built_in), sandbox.exports(&built_in));
        environment.push(("HOME".to_owned(), home.display().to_string()));
        environment.push(("ENGINE_LANG".to_owned(), "en".to_owned()));
        let world = World {
            sandbox,
            folder,
            environment,
            _runtime: runtime,
        };
        world.write("connections.yaml", &connections);
        for scheme in [MAIN, FEEDER] {
            let text = std::fs::read_to_string(repository().join(scheme)).expect("the repository has it");
            world.write(scheme, &text);
        }
        // Tests of schemes name them, also of those that a test adds.
        let recordings = std::fs::read_dir(repository().join(RECORDINGS)).expect("the repository has them");
        for entry in recordings {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().expect("a file").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("the repository has it");
            world.write(&format!("{RECORDINGS}/{name}"), &text);
        }
        world
    }

    /// A path of the test's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The data directory of the environment `default`.
    pub fn data(&self) -> PathBuf {
        self.path(".engine/default")
    }

    /// Writes a file of the folder.
    ///
    /// # Panics
    /// When that fails.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        let parent = path.parent().expect("a file has a folder");
        std::fs::create_dir_all(parent)
            .and_then(|()| std::fs::write(&path, text))
            .expect("our own folder");
    }

    /// Replaces text in a file of the folder, at every place it stands.
    ///
    /// # Panics
    /// When the file does not hold it.
    #[track_caller]
    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.path(name)).expect("our own file");
        assert!(text.contains(from), "{name} does not hold {from:?}\n{text}");
        self.write(name, &text.replace(from, to));
    }

    /// Records per call to the target.
    pub fn batch(&self, records: u32) {
        self.edit(
            MAIN,
            "  find: before_create",
            &format!("  batch: {records}\n  find: before_create"),
        );
    }

    /// Gives up soon, on both connections.
    pub fn impatient(&self) {
        let quiet = "    quiet_period: 500ms\n";
        let timeouts = "    timeouts: {first_byte: 1s, idle: 1s, total: 2s}\n";
        self.edit("connections.yaml", quiet, &format!("{quiet}{timeouts}"));
    }

    /// Puts a recorder between the engine and the simulators.
    pub fn record(&self) -> Recorder {
        let recorder = Recorder::before(self.addr());
        self.edit(
            "connections.yaml",
            &self.addr().to_string(),
            &recorder.addr().to_string(),
        );
        recorder
    }

    /// Puts a recorder that changes answers between the engine and the simulators.
    pub fn record_twisted(&self, twist: Twist) -> Recorder {
        let recorder = Recorder::twisting(self.addr(), twist);
        self.edit(
            "connections.yaml",
            &self.addr().to_string(),
            &recorder.addr().to_string(),
        );
        recorder
    }

    /// Puts a source whose rows the test writes in the place of the simulated one; the target stays.
    pub fn shop(&self) -> Shop {
        let shop = Shop::open();
        let text = std::fs::read_to_string(self.path("connections.yaml")).expect("our own file");
        // The source stands first in it.
        let text = text.replacen(&self.addr().to_string(), &shop.addr().to_string(), 1);
        self.write("connections.yaml", &text);
        shop
    }

    /// Runs one scheme of the folder and gives its JSON document.
    #[track_caller]
    pub fn pass(&self, scheme: &str, code: i32) -> Value {
        let ran = self.engine(&["run", scheme, "--json"]);
        ran.expect(code);
        let document = ran.json();
        self.valid("run", &document);
        let run = document["runs"][0].clone();
        adds_up(&run);
        run
    }

    /// Sets a variable of every later command; gives what it was before.
    pub fn set(&mut self, name: &str, value: &str) -> Option<String> {
        let before = self.environment.iter().find(|(known, _)| known == name);
        let before = before.map(|(_, value)| value.clone());
        self.unset(name);
        self.environment.push((name.to_owned(), value.to_owned()));
        before
    }

    /// A variable of every command.
    pub fn variable(&self, name: &str) -> Option<String> {
        let found = self.environment.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    /// Takes a variable away and gives what it was.
    ///
    /// # Panics
    /// When there was none.
    pub fn unset_and_get(&mut self, name: &str) -> String {
        let found = self.environment.iter().find(|(known, _)| known == name);
        let value = found.map(|(_, value)| value.clone()).expect("it was there");
        self.unset(name);
        value
    }

    /// Takes a variable away from every later command.
    pub fn unset(&mut self, name: &str) {
        self.environment.retain(|(known, _)| known != name);
    }

    /// A command in the making.
    pub fn command(&self, words: &[&str]) -> Run {
        Run::new(self.folder.path(), &self.environment, words)
    }

    /// Runs `engine` with these words to its end.
    pub fn engine(&self, words: &[&str]) -> Ran {
        self.command(words).finish()
    }

    /// Starts `engine serve` over the world's schemes. A token of all scopes lies in the file `token`.
    ///
    /// # Panics
    /// When it ends before it listens.
    pub fn serve(&self, flags: &[&str]) -> Serving {
        if !self.path("token").is_file() {
            let made = self.engine(&[
                "token",
                "create",
                "tests",
                "--scope",
                "read,operate,edit,admin",
                "--json",
            ]);
            let token = made.expect(0).json()["token"].as_str().map(str::to_owned);
            self.write("token", &token.expect("it is shown once"));
        }
        Serving::start(self.folder.path(), &self.environment, flags)
    }

    /// Reads the customers that the main scheme looks up.
    #[track_caller]
    pub fn feed(&self) {
        self.engine(&["run", FEEDER]).expect(0);
    }

    /// Runs the main scheme and gives its JSON document, valid against the command's own schema.
    #[track_caller]
    pub fn run(&self, more: &[&str], code: i32) -> Value {
        let words: Vec<&str> = ["run", MAIN, "--json"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let ran = self.engine(&words);
        ran.expect(code);
        let document = ran.json();
        self.valid("run", &document);
        assert_eq!(document["exit_code"], code, "{ran}");
        let run = document["runs"][0].clone();
        adds_up(&run);
        run
    }

    /// `engine verify` must find nothing.
    #[track_caller]
    pub fn verify(&self) {
        self.engine(&["verify"]).expect(0);
    }

    /// A document must be valid against `engine schema KIND`.
    #[track_caller]
    pub fn valid(&self, kind: &str, document: &Value) {
        let schema = self.engine(&["schema", kind]);
        let schema = schema.expect(0).json();
        let validator = jsonschema::validator_for(&schema).unwrap_or_else(|e| panic!("schema {kind}: {e}"));
        let problems: Vec<String> = validator
            .iter_errors(document)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{problems:#?}\n{document:#}");
    }

    /// The simulators.
    pub fn sandbox(&self) -> &Running {
        &self.sandbox
    }

    /// Where they listen.
    pub fn addr(&self) -> SocketAddr {
        self.sandbox.addr()
    }

    /// What the target executed.
    pub fn journal(&self) -> Vec<JournalEntry> {
        self.sandbox.journal()
    }

    /// Lets the n-th call of an endpoint, counted from now, go wrong.
    pub fn fault(&self, endpoint: &str, nth: u64, kind: FaultKind) {
        self.sandbox
            .fault(FaultPlan::nth(endpoint, nth, kind))
            .expect("a plan that counts from 1");
    }

    /// Lets calls of an endpoint, counted from now, go wrong: which call, and how, as a faults file names it.
    pub fn go_wrong(&self, endpoint: &str, faults: &[(u64, &str)]) {
        for (nth, kind) in faults {
            self.control("fault", &json!({"endpoint": endpoint, "nth": nth, "kind": kind}));
        }
    }

    /// Runs a scheme until so many records are done and gives the last run; a window that a fault leaves open is read
    /// again by the next run.
    ///
    /// # Panics
    /// When they are not after [`PASSES`] runs; the message is what the last one said.
    #[track_caller]
    pub fn until_done(&self, scheme: &str, wanted: usize) -> Value {
        self.until(scheme, wanted, &["done"])
    }

    /// The same for records that are done or wait for a person.
    ///
    /// # Panics
    /// As [`World::until_done`].
    #[track_caller]
    pub fn until_settled(&self, scheme: &str, wanted: usize) -> Value {
        self.until(scheme, wanted, &["done", "held"])
    }

    #[track_caller]
    fn until(&self, scheme: &str, wanted: usize, states: &[&str]) -> Value {
        let mut said = String::new();
        for _ in 0..PASSES {
            let ran = self.engine(&["run", scheme, "--json", "--settle-wait", "30s"]);
            let run = ran.json()["runs"][0].clone();
            let count = |state: &&str| run["states"][*state].as_u64().unwrap_or(0);
            if usize::try_from(states.iter().map(count).sum::<u64>()) == Ok(wanted) {
                return run;
            }
            said = ran.to_string();
        }
        panic!("{scheme}: {said}");
    }

    /// A control call of the simulators.
    pub fn control(&self, name: &str, body: &Value) -> Value {
        ask(
            self.addr(),
            "POST",
            &format!("/_sandbox/{name}"),
            &body.to_string(),
        )
    }

    /// What the simulators have counted.
    pub fn state(&self) -> Value {
        ask(self.addr(), "GET", "/_sandbox/state", "")
    }

    /// How often an endpoint was called, as `kingdee/BatchSave`; a vendor's name alone counts all of its calls.
    pub fn calls(&self, endpoint: &str) -> u64 {
        let state = self.state();
        let calls = state["calls"].as_object().expect("counts by endpoint");
        let concerned = |name: &str| {
            name == endpoint
                || name
                    .strip_prefix(endpoint)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        calls
            .iter()
            .filter(|(name, _)| concerned(name))
            .filter_map(|(_, count)| count.as_u64())
            .sum()
    }

    /// Every byte that the engine left behind in files, with its path.
    pub fn left_behind(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files
    }
}

fn collect(folder: &Path, into: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, into);
        } else if let Ok(bytes) = std::fs::read(&path) {
            into.push((path, bytes));
        }
    }
    into.sort();
}
