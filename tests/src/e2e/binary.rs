//! The real binary as a process: where it is, how it is started, what it said.
//!
//! Every process gets an empty environment but for what the test names, so that nothing of the machine's user leaks
//! in, and has a time limit after which the test fails and says what was printed so far.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

/// A command of a small world takes a second or two; a loaded machine may take twenty times as long.
const PATIENCE: Duration = Duration::from_secs(120);

/// The `engine` to test: `ENGINE_BIN`, else the one beside this test's executable.
///
/// # Panics
/// When it has not been built.
pub fn engine() -> PathBuf {
    #[expect(
        clippy::disallowed_methods,
        reason = "the setting of `cargo xtask test`, read by tests only"
    )]
    let named = std::env::var("ENGINE_BIN").ok().map(PathBuf::from);
    let path = named.unwrap_or_else(beside_this_executable);
    assert!(
        path.is_file(),
        "{} is missing: the end-to-end tests start the real binary; build it with `cargo build -p engine`",
        path.display()
    );
    path
}

/// `target/debug/deps/test-1a2b` or `target/debug/tool` -> `target/debug/engine`.
fn beside_this_executable() -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let folder = own.parent().expect("an executable lies in a folder");
    let folder = if folder.ends_with("deps") {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    };
    folder.join(format!("engine{}", std::env::consts::EXE_SUFFIX))
}

/// A command line in the making.
#[derive(Debug)]
pub struct Run {
    command: Command,
    shown: String,
}

/// A process that was started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pipes: Receiver<(Pipe, Vec<u8>)>,
    got: [Option<Vec<u8>>; 2],
    shown: String,
}

/// What a process said and how it ended.
#[derive(Debug, Clone)]
pub struct Ran {
    /// `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    shown: String,
}

#[derive(Debug, Clone, Copy)]
enum Pipe {
    Out,
    Err,
}

impl Run {
    /// `engine` with these words, in this folder, with this environment and nothing else of ours.
    pub fn new(folder: &Path, environment: &[(String, String)], words: &[&str]) -> Self {
        let mut command = Command::new(engine());
        command
            .args(words)
            .current_dir(folder)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Windows programs need it to find their own libraries.
        for name in ["SystemRoot", "TMPDIR"] {
            #[expect(clippy::disallowed_methods, reason = "passed on to the process under test")]
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        Run {
            command,
            shown: format!("engine {}", words.join(" ")),
        }
    }

    /// One more variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What it reads on stdin.
    ///
    /// # Panics
    /// When there is no room for a temporary file.
    pub fn stdin(mut self, text: &str) -> Self {
        use std::io::{Seek, Write};
        let mut file = tempfile::tempfile().expect("room for a temporary file");
        file.write_all(text.as_bytes())
            .and_then(|()| file.rewind())
            .expect("our own file");
        self.command.stdin(file);
        self
    }

    /// Where its output goes instead; none of it is kept.
    pub fn stdout(mut self, to: impl Into<Stdio>) -> Self {
        self.command.stdout(to);
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Process {
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}", self.shown));
        let (say, pipes) = channel();
        let mut out: Box<dyn Read + Send> = match child.stdout.take() {
            Some(pipe) => Box::new(pipe),
            None => Box::new(std::io::empty()),
        };
        let mut err = child.stderr.take().expect("it was piped");
        let say_too = say.clone();
        std::thread::spawn(move || drop(say.send((Pipe::Out, drain(&mut out)))));
        std::thread::spawn(move || drop(say_too.send((Pipe::Err, drain(&mut err)))));
        Process {
            child,
            pipes,
            got: [None, None],
            shown: self.shown,
        }
    }

    /// Starts it and waits for its end.
    pub fn finish(self) -> Ran {
        self.start().finish()
    }
}

impl Process {
    /// Waits for the end.
    ///
    /// # Panics
    /// When it takes longer than a loaded machine would.
    pub fn finish(self) -> Ran {
        self.finish_within(PATIENCE)
    }

    /// Waits for the end of something long.
    ///
    /// # Panics
    /// When it takes longer than this.
    pub fn finish_within(mut self, patience: Duration) -> Ran {
        if !self.wait(patience) {
            drop(self.child.kill());
            self.wait(Duration::from_secs(5));
            let said = self.said();
            panic!("{} did not end within {patience:?}\n{said:#?}", self.shown);
        }
        let status = self.child.wait().expect("our own child");
        self.ran(status)
    }

    /// Waits so long; `true` when it has ended by then.
    pub fn wait(&mut self, patience: Duration) -> bool {
        while self.got.iter().any(Option::is_none) {
            match self.pipes.recv_timeout(patience) {
                Ok((Pipe::Out, bytes)) => self.got[0] = Some(bytes),
                Ok((Pipe::Err, bytes)) => self.got[1] = Some(bytes),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => return true,
            }
        }
        true
    }

    /// `kill -9`, wherever it stands. `true` when it was still running.
    pub fn kill(mut self) -> bool {
        let alive = matches!(self.child.try_wait(), Ok(None));
        drop(self.child.kill());
        drop(self.child.wait());
        alive
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn said(&mut self) -> [String; 2] {
        self.got
            .each_mut()
            .map(|bytes| String::from_utf8_lossy(&bytes.take().unwrap_or_default()).into_owned())
    }

    fn ran(mut self, status: ExitStatus) -> Ran {
        let [stdout, stderr] = self.said();
        Ran {
            code: status.code(),
            stdout,
            stderr,
            shown: self.shown,
        }
    }
}

impl Ran {
    /// The exit code must be this one.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Standard output must hold this text.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(
            self.stdout.contains(text),
            "stdout does not hold {text:?}\n{self}"
        );
        self
    }

    /// Standard error must hold this text.
    #[track_caller]
    pub fn warns(&self, text: &str) -> &Self {
        assert!(
            self.stderr.contains(text),
            "stderr does not hold {text:?}\n{self}"
        );
        self
    }

    /// Standard output as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|e| panic!("stdout is not JSON: {e}\n{self}"))
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ran {
            code,
            stdout,
            stderr,
            shown,
        } = self;
        write!(
            f,
            "$ {shown}\nexit code {code:?}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
        )
    }
}

fn drain(pipe: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read was not said; the exit code is looked at anyway.
    drop(pipe.read_to_end(&mut bytes));
    bytes
}
