//! Plain HTTP as bytes: a client of one request, and a recorder that stands between the engine and a simulator.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

/// Loopback answers at once, or after the longest delay a test orders.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// Heads of both sides are a few hundred bytes.
const MAX_HEAD: usize = 64 << 10;

/// One message as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// First line and headers, without the empty line.
    pub head: String,
    /// The body, without a transfer coding.
    pub body: Vec<u8>,
}

impl Message {
    /// Status of an answer.
    pub fn status(&self) -> Option<u16> {
        self.head.split(' ').nth(1)?.parse().ok()
    }

    /// Path of a request.
    pub fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// A header, by its name in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.head.clone().into_bytes();
        bytes.extend_from_slice(b"\r\n\r\n");
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Sends one request on a connection of its own.
pub fn send(to: SocketAddr, request: &Message) -> io::Result<Message> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(&request.bytes())?;
    read(&mut stream)?.ok_or_else(|| io::Error::other("closed without an answer"))
}

/// `GET` or `POST` with a JSON body (empty for `GET`).
///
/// # Panics
/// When the answer is not 200 with JSON.
pub fn ask(to: SocketAddr, method: &str, path: &str, body: &str) -> Value {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}",
        body.len()
    );
    let request = Message {
        head,
        body: body.as_bytes().to_vec(),
    };
    let answer = send(to, &request).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
    assert_eq!(answer.status(), Some(200), "{method} {path}: {}", answer.text());
    answer.json()
}

/// Reads one message; `None` when the other side has nothing more to say.
pub(super) fn read(stream: &mut TcpStream) -> io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    let mut one = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read(&mut one)? == 0 {
            return Ok(None);
        }
        bytes.push(one[0]);
        if bytes.len() > MAX_HEAD {
            return Err(io::Error::other("the head does not end"));
        }
    }
    bytes.truncate(bytes.len() - 4);
    let head = String::from_utf8(bytes).map_err(io::Error::other)?;
    let mut message = Message {
        head,
        body: Vec::new(),
    };
    if message.header("transfer-encoding").is_some() {
        read_chunks(stream, &mut message.body)?;
    } else {
        let length = message
            .header("content-length")
            .and_then(|n| n.parse().ok())
            .unwrap_or(0);
        message.body.resize(length, 0);
        stream.read_exact(&mut message.body)?;
    }
    Ok(Some(message))
}

fn read_chunks(stream: &mut TcpStream, body: &mut Vec<u8>) -> io::Result<()> {
    loop {
        let mut line = Vec::new();
        let mut one = [0];
        while !line.ends_with(b"\r\n") {
            stream.read_exact(&mut one)?;
            line.push(one[0]);
        }
        let text = String::from_utf8_lossy(&line);
        let size = usize::from_str_radix(text.trim(), 16).map_err(io::Error::other)?;
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        stream.read_exact(&mut [0; 2])?;
        if size == 0 {
            return Ok(());
        }
    }
}

/// Everything that went through, in order of arrival.
type Log = Arc<Mutex<Vec<(Message, Message)>>>;

/// What becomes of an answer on its way: by what was asked, and what would be answered.
pub type Twist = Arc<dyn Fn(&Message, Message) -> Message + Send + Sync>;

/// Stands before a simulator, passes everything on and keeps it: what was really sent, byte for byte.
#[derive(Debug)]
pub struct Recorder {
    addr: SocketAddr,
    log: Log,
}

impl Recorder {
    /// Listens on a free port and passes on to `to`.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn before(to: SocketAddr) -> Self {
        Self::twisting(to, Arc::new(|_, answer| answer))
    }

    /// The same, with answers changed on their way.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn twisting(to: SocketAddr, twist: Twist) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let addr = listener.local_addr().expect("it listens");
        let log = Log::default();
        let shared = Arc::clone(&log);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, twist) = (Arc::clone(&shared), Arc::clone(&twist));
                std::thread::spawn(move || drop(pass_on(stream, to, &log, &twist)));
            }
        });
        Recorder { addr, log }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Requests whose path, without its query, ends so, with their answers.
    pub fn calls(&self, end_of_path: &str) -> Vec<(Message, Message)> {
        let log: MutexGuard<'_, _> = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.iter()
            .filter(|(request, _)| {
                let path = request.path();
                path.split_once('?')
                    .map_or(path, |(path, _)| path)
                    .ends_with(end_of_path)
            })
            .cloned()
            .collect()
    }
}

fn pass_on(mut near: TcpStream, to: SocketAddr, log: &Log, twist: &Twist) -> io::Result<()> {
    near.set_read_timeout(Some(PATIENCE))?;
    while let Some(request) = read(&mut near)? {
        let mut far = TcpStream::connect(to)?;
        far.set_read_timeout(Some(PATIENCE))?;
        far.write_all(&request.bytes())?;
        let Some(answer) = read(&mut far)? else {
            return Ok(());
        };
        log.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((request.clone(), answer.clone()));
        near.write_all(&twist(&request, plain(answer)).bytes())?;
    }
    Ok(())
}

/// The same answer with a length in place of chunks.
fn plain(answer: Message) -> Message {
    if answer.header("transfer-encoding").is_none() {
        return answer;
    }
    let kept: Vec<&str> = answer
        .head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("transfer-encoding:"))
        .collect();
    let head = format!("{}\r\ncontent-length: {}", kept.join("\r\n"), answer.body.len());
    Message {
        head,
        body: answer.body,
    }
}
