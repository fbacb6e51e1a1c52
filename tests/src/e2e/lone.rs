//! `engine sandbox` as a process of its own: a second terminal.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::binary::engine;

/// Simulators that run alone until this value is dropped.
#[derive(Debug)]
pub struct Lone {
    child: Child,
    /// The connections file it printed.
    pub connections: String,
    /// The variables it told to export.
    pub exports: Vec<(String, String)>,
}

impl Lone {
    /// Starts them on a free port, with these flags, and reads what they print first.
    ///
    /// # Panics
    /// When they end, or say something else than a connections file and `export` lines.
    pub fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(engine())
            .args(["sandbox", "--listen", "127.0.0.1:0"])
            .args(flags)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary can be started");
        let out = child.stdout.take().expect("it was piped");
        let mut lone = Lone {
            child,
            connections: String::new(),
            exports: Vec::new(),
        };
        for line in BufReader::new(out).lines() {
            let line = line.expect("text");
            if let Some(export) = line.trim_start_matches("# ").strip_prefix("export ") {
                let (name, value) = export.split_once('=').expect("export NAME=VALUE");
                lone.exports
                    .push((name.to_owned(), value.trim_matches(['\'', '"']).to_owned()));
            } else if line.starts_with("connections:") || line.starts_with(' ') {
                lone.connections.push_str(&line);
                lone.connections.push('\n');
            }
            // The variables stand in one block, after the connections.
            if line.is_empty() && !lone.exports.is_empty() && lone.connections.contains("k3:") {
                return lone;
            }
        }
        panic!(
            "`engine sandbox` ended after {:?} {:?}",
            lone.connections, lone.exports
        );
    }
}

impl Drop for Lone {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
