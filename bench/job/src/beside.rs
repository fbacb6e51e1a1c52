//! The engine beside the job by hand, over the same server: in turns, so that a busy machine is busy for both.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How often a process is looked at; what it does after the last look is not counted.
const LOOK: Duration = Duration::from_millis(5);
/// Clock ticks of a second, the same on every Linux.
const TICKS: f64 = 100.0;
/// Records over which all documents are compared.
const COMPARED: u64 = 5_000;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The binary.
    pub engine: PathBuf,
    /// The repository: its scheme is what the engine runs.
    pub root: PathBuf,
    /// Records of each run.
    pub records: u64,
    /// How often each runs; the median counts.
    pub rounds: usize,
    /// Records of a page and a batch.
    pub page: u64,
    /// Workers of the job by hand; the engine has as many calls at once.
    pub workers: u64,
}

/// What a run took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// By the clock on the wall, in seconds.
    pub wall: f64,
    /// Processor time, in seconds.
    pub cpu: f64,
    /// Most memory, in KiB.
    pub peak_kib: u64,
}

type Failure = Box<dyn std::error::Error>;

/// Runs both in turns, and gives what each took. All documents of a smaller run are compared first.
pub fn turns(asked: &Asked) -> Result<(Vec<Took>, Vec<Took>), Failure> {
    let compared = Ends::start(COMPARED.min(asked.records), true)?;
    hand(asked, &compared)?;
    let by_hand = compared.stats()?;
    compared.reset()?;
    engine(asked, &compared)?;
    if compared.stats()?["sum"] != by_hand["sum"] {
        return Err("the documents of the engine are others than those by hand".into());
    }
    drop(compared);
    let ends = Ends::start(asked.records, false)?;
    let (mut hands, mut engines) = (Vec::new(), Vec::new());
    for _ in 0..asked.rounds {
        ends.reset()?;
        hands.push(hand(asked, &ends)?);
        ends.reset()?;
        engines.push(engine(asked, &ends)?);
    }
    Ok((hands, engines))
}

/// The engine alone over so many records.
pub fn alone(asked: &Asked) -> Result<Took, Failure> {
    engine(asked, &Ends::start(asked.records, false)?)
}

/// From process start to the end of a dry run over one page, in seconds.
pub fn dry_runs(asked: &Asked) -> Result<Vec<f64>, Failure> {
    let ends = Ends::start(asked.page, false)?;
    let project = project(asked, &ends)?;
    (0..asked.rounds)
        .map(|_| {
            Ok(measured(&mut command(
                asked,
                project.path(),
                &["dry-run", "schemes/reference-job.yaml"],
            ))?
            .wall)
        })
        .collect()
}

fn hand(asked: &Asked, ends: &Ends) -> Result<Took, Failure> {
    let folder = tempfile::tempdir()?;
    let took = measured(
        Command::new(std::env::current_exe()?)
            .args(["hand", &ends.server])
            .arg(folder.path().join("state.db"))
            .args([asked.page.to_string(), asked.workers.to_string()])
            .stdout(Stdio::null()),
    )?;
    ends.complete()?;
    Ok(took)
}

fn engine(asked: &Asked, ends: &Ends) -> Result<Took, Failure> {
    let project = project(asked, ends)?;
    let took = measured(&mut command(
        asked,
        project.path(),
        &["run", "schemes/reference-job.yaml", "--json"],
    ))?;
    ends.complete()?;
    Ok(took)
}

/// A project with the scheme as it is shipped, and customers to look up.
fn project(asked: &Asked, ends: &Ends) -> Result<tempfile::TempDir, Failure> {
    let folder = tempfile::tempdir()?;
    let schemes = folder.path().join("schemes");
    std::fs::create_dir(&schemes)?;
    for name in ["reference-job.yaml", "reference-customers.yaml"] {
        let text = std::fs::read_to_string(asked.root.join("schemes").join(name))?;
        let text = text.replace("size: 500,", &format!("size: {},", asked.page));
        std::fs::write(
            schemes.join(name),
            text.replace("max: 500}", &format!("max: {}}}", asked.page)),
        )?;
    }
    let connections = format!(
        "connections:\n  reference:\n    connector: http\n    params: {{server: \"{}\", auth: none}}\n    \
         limits: {{rate: 1000000/min, concurrency: {}}}\n",
        ends.server, asked.workers
    );
    std::fs::write(folder.path().join("connections.yaml"), connections)?;
    measured(&mut command(
        asked,
        folder.path(),
        &["run", "schemes/reference-customers.yaml", "--json"],
    ))?;
    Ok(folder)
}

fn command(asked: &Asked, folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(&asked.engine);
    command
        .args(words)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stdin(Stdio::null());
    command
}

/// Runs it to its end.
fn measured(command: &mut Command) -> Result<Took, Failure> {
    let began = now();
    let mut child = command.spawn()?;
    let (mut cpu, mut peak_kib) = (0.0, 0);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if let Some((ticks, kib)) = held(child.id()) {
            (cpu, peak_kib) = (ticks / TICKS, kib.max(peak_kib));
        }
        #[expect(clippy::disallowed_methods, reason = "a process is looked at now and then")]
        std::thread::sleep(LOOK);
    };
    let wall = now().duration_since(began).as_secs_f64();
    match status.success() {
        true => Ok(Took { wall, cpu, peak_kib }),
        false => Err(format!("{command:?}: {status}").into()),
    }
}

fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "how long something took on this machine"
    )]
    Instant::now()
}

/// Ticks of processor time and the peak of memory so far, as Linux tells them.
fn held(id: u32) -> Option<(f64, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name stands in brackets and may hold anything; user and system time are the 12th and 13th word behind it.
    let words: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = words.get(11)?.parse::<f64>().ok()? + words.get(12)?.parse::<f64>().ok()?;
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some((ticks, line.split_whitespace().next()?.parse().ok()?))
}

/// The server, a process of its own: what it needs is nobody's else.
struct Ends {
    process: Child,
    server: String,
    records: u64,
}

impl Ends {
    fn start(records: u64, sums: bool) -> Result<Ends, Failure> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["serve", &records.to_string(), if sums { "sums" } else { "plain" }])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut server = String::new();
        BufReader::new(process.stdout.take().ok_or("no output")?).read_line(&mut server)?;
        Ok(Ends {
            process,
            server: server.trim().to_owned(),
            records,
        })
    }

    fn reset(&self) -> Result<(), Failure> {
        self.get("reset").map(drop)
    }

    fn stats(&self) -> Result<Value, Failure> {
        self.get("stats")
    }

    /// Every record arrived, and arrived once.
    fn complete(&self) -> Result<(), Failure> {
        let stats = self.stats()?;
        match stats["distinct"] == self.records && stats["documents"] == self.records {
            true => Ok(()),
            false => Err(format!("{} records: {stats}", self.records).into()),
        }
    }

    fn get(&self, path: &str) -> Result<Value, Failure> {
        let host = self.server.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host)?;
        write!(
            stream,
            "GET /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let body = answer.split_once("\r\n\r\n").ok_or("no answer")?.1;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        // It may be gone already.
        let _gone = self.process.kill().is_err() || self.process.wait().is_err();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_holds_something() {
        let (_, kib) = held(std::process::id()).unwrap();
        assert!(kib > 0);
    }
}
