//! A server for one test: reads whole requests, counts them, and does to each connection what the test says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens once a request has arrived whole.
#[derive(Debug, Clone)]
pub(crate) enum Then {
    /// Write these bytes and keep the connection.
    Keep(Vec<u8>),
    /// Write these bytes and close.
    Close(Vec<u8>),
    /// Write these bytes and then say nothing more, connection open.
    Hang(Vec<u8>),
    /// Write one of these bytes every 20 ms.
    Trickle(Vec<u8>),
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Answers the n-th request as the n-th entry says, the last entry for all that follow.
    pub(crate) async fn start(script: Vec<Then>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("loopback has free ports");
        let address = listener.local_addr().expect("a bound listener has an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(talk(stream, script.clone(), Arc::clone(&seen)));
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Every request that arrived whole, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests
            .lock()
            .expect("no test panics while holding it")
            .clone()
    }
}

async fn talk(mut stream: TcpStream, script: Vec<Then>, seen: Arc<Mutex<Vec<String>>>) {
    while let Some(request) = read_request(&mut stream).await {
        let step = {
            let mut seen = seen.lock().expect("no test panics while holding it");
            seen.push(request);
            script[(seen.len() - 1).min(script.len() - 1)].clone()
        };
        let written = match step {
            Then::Keep(bytes) => stream.write_all(&bytes).await,
            Then::Close(bytes) => {
                let _closing = stream.write_all(&bytes).await;
                return;
            }
            Then::Hang(bytes) => {
                let _written = stream.write_all(&bytes).await;
                std::future::pending().await
            }
            Then::Trickle(bytes) => {
                for byte in bytes {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    if stream.write_all(&[byte]).await.is_err() {
                        return;
                    }
                }
                Ok(())
            }
        };
        if written.is_err() {
            return;
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let head = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let length: usize = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |value| {
            value.trim().parse().expect("the client writes a number")
        });
    while bytes.len() < head + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A complete answer with a body.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
