//! `engine serve` as a process of a test: its events as they come, its address, its signals.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::Duration;

use serde_json::Value;

use super::binary::engine;
use super::wire::{Message, send};

/// How long one event may take to come on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often something is looked at that no event tells of.
const LOOK: Duration = Duration::from_millis(20);

/// A running `engine serve`. It is killed when the test ends before it.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    events: Receiver<Value>,
    words: Receiver<String>,
    address: SocketAddr,
    said: Vec<String>,
    seen: Vec<Value>,
}

impl Serving {
    /// Starts it on a free port, and waits until it listens.
    ///
    /// # Panics
    /// When it ends before.
    pub(super) fn start(folder: &Path, environment: &[(String, String)], flags: &[&str]) -> Self {
        let mut command = Command::new(engine());
        command
            .current_dir(folder)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .args(["serve", "--ndjson", "--listen", "127.0.0.1:0"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let out = child.stdout.take().expect("it is piped");
        let err = child.stderr.take().expect("it is piped");
        let (events, words) = (
            lines(out, |line| serde_json::from_str(line).ok()),
            lines(err, |line| Some(line.to_owned())),
        );
        let (mut said, mut address) = (Vec::new(), None);
        let address = loop {
            let Ok(line) = words.recv_timeout(PATIENCE) else {
                panic!("it does not serve: {said:#?}");
            };
            // In both languages.
            let found = line.split_once("://");
            address = address.or_else(|| found?.1.trim().parse().ok());
            let is_last = line.contains("Ctrl-C");
            said.push(line);
            if let Some(address) = address.filter(|_| is_last) {
                break address;
            }
        };
        Serving {
            child,
            events,
            words,
            address,
            said,
            seen: Vec::new(),
        }
    }

    /// Waits for an event of a scheme (`""` = of none) that is not older than the last one that was waited for.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for(&mut self, event: &str, scheme: &str) -> Value {
        loop {
            match self.events.recv_timeout(PATIENCE) {
                Ok(told) => {
                    self.seen.push(told.clone());
                    if told["event"] == event && told["scheme"].as_str().unwrap_or_default() == scheme {
                        return told;
                    }
                }
                Err(_) => {
                    let said = self.said().join("\n");
                    panic!("no {event} of `{scheme}`: {:#?}\n{said}", self.seen);
                }
            }
        }
    }

    /// The same for an event that may have passed by while another one was waited for.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_for_any(&mut self, event: &str, scheme: &str) -> Value {
        let has_passed =
            |told: &&Value| told["event"] == event && told["scheme"].as_str().unwrap_or_default() == scheme;
        match self.seen.iter().find(has_passed) {
            Some(told) => told.clone(),
            None => self.wait_for(event, scheme),
        }
    }

    /// Waits until something is so that no event tells of, with the service running.
    ///
    /// # Panics
    /// When it does not come to be so, or the service ends before.
    pub fn wait_until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let mut looks = PATIENCE.as_millis() / LOOK.as_millis();
        while !is_so(self) {
            match self.events.recv_timeout(LOOK) {
                Ok(told) => self.seen.push(told),
                Err(RecvTimeoutError::Timeout) if looks > 0 => looks -= 1,
                Err(_) => {
                    let said = self.said().join("\n");
                    panic!("not so: {what}: {:#?}\n{said}", self.seen);
                }
            }
        }
    }

    /// Sends a request in English and gives the status and the body of its answer.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\naccept-language: en\r\ncontent-length: {}",
            self.address,
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("\r\n{name}: {value}"));
        }
        let request = Message {
            head,
            body: body.to_vec(),
        };
        let answer = send(self.address, &request).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
        (answer.status().expect("a status"), answer.text())
    }

    /// All events that were waited for or passed by meanwhile.
    pub fn seen(&self) -> &[Value] {
        &self.seen
    }

    /// Takes what has come so far and keeps none of it, as one who lets it run for days; whether it still runs.
    pub fn forget(&mut self) -> bool {
        self.seen.clear();
        self.said.clear();
        let ended = loop {
            match self.events.try_recv() {
                Ok(_) => {}
                Err(TryRecvError::Empty) => break false,
                Err(TryRecvError::Disconnected) => break true,
            }
        };
        // The last words are kept: they say why it ended.
        if !ended {
            while self.words.try_recv().is_ok() {}
        }
        !ended
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What was said on stderr so far.
    pub fn said(&mut self) -> &[String] {
        self.said.extend(self.words.try_iter());
        &self.said
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Makes one request; `token` may be empty.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn call(&self, method: &str, path: &str, token: &str, body: &str) -> Message {
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}",
            self.address,
            body.len()
        );
        if !token.is_empty() {
            head.push_str(&format!("\r\nauthorization: Bearer {token}"));
        }
        let request = Message {
            head,
            body: body.as_bytes().to_vec(),
        };
        send(self.address, &request).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// What an answer that never ends has said until a run's end stands in it; it is asked for from its beginning.
    ///
    /// # Panics
    /// When it says nothing of that.
    pub fn stream(&self, path: &str, token: &str) -> String {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("a time that is not 0");
        let head = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nlast-event-id: 0\r\n\r\n",
            self.address
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        let (mut got, mut piece) = (String::new(), [0; 4096]);
        while !got.contains("run.ended") {
            let read = stream
                .read(&mut piece)
                .unwrap_or_else(|error| panic!("{path}: {error}\n{got}"));
            assert!(read > 0, "{path} has ended\n{got}");
            got.push_str(&String::from_utf8_lossy(&piece[..read]));
        }
        got
    }

    /// Sends a signal by its name.
    ///
    /// # Panics
    /// Where there are no signals.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill is there").success(), "-{name}");
    }

    /// Waits for its end; everything it has told, as events and on stderr.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn end_and_tell(mut self) -> (Vec<Value>, Vec<String>) {
        while let Ok(told) = self.events.recv_timeout(PATIENCE) {
            self.seen.push(told);
        }
        self.child.wait().expect("it was started");
        // The other pipe is closed by then, too.
        self.said.extend(self.words.iter());
        (std::mem::take(&mut self.seen), std::mem::take(&mut self.said))
    }

    /// Waits for its end, gives the exit code and what was said on stderr.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn end_and_say(mut self) -> (Option<i32>, Vec<String>) {
        while self.events.recv_timeout(PATIENCE).is_ok() {}
        let code = self.child.wait().expect("it was started").code();
        // Its pipe is closed, so the last line comes, and then the end.
        while let Ok(line) = self.words.recv_timeout(PATIENCE) {
            self.said.push(line);
        }
        (code, std::mem::take(&mut self.said))
    }

    /// Waits for its end, gives the exit code; `None` = a signal ended it.
    ///
    /// # Panics
    /// When it cannot be waited for.
    pub fn end(mut self) -> Option<i32> {
        // The pipe is closed by the end of the process.
        while self.events.recv_timeout(PATIENCE).is_ok() {}
        self.child.wait().expect("it was started").code()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The lines of a pipe, as they come.
fn lines<T: Send + 'static>(
    pipe: impl Read + Send + 'static,
    read: impl Fn(&str) -> Option<T> + Send + 'static,
) -> Receiver<T> {
    let (sender, receiver): (Sender<T>, Receiver<T>) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if let Some(told) = read(&line)
                && sender.send(told).is_err()
            {
                return;
            }
        }
    });
    receiver
}
