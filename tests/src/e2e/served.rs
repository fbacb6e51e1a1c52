//! A server of one test: what it is asked goes to a function of the test, what that gives is the answer.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use serde_json::Value;

use super::wire::{Message, PATIENCE, read};

type Answer = dyn Fn(&Message) -> Value + Send + Sync;

/// Answers every request with HTTP 200 and JSON.
#[derive(Debug)]
pub struct Served {
    addr: SocketAddr,
}

impl Served {
    /// Listens on a free port until the test's process ends.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn by(answer: impl Fn(&Message) -> Value + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let addr = listener.local_addr().expect("it listens");
        let answer: Arc<Answer> = Arc::new(answer);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = Arc::clone(&answer);
                std::thread::spawn(move || drop(serve(stream, &*answer)));
            }
        });
        Served { addr }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

fn serve(mut stream: TcpStream, answer: &Answer) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    while let Some(request) = read(&mut stream)? {
        let body = answer(&request).to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}",
            body.len()
        );
        let message = Message {
            head,
            body: body.into_bytes(),
        };
        stream.write_all(&message.bytes())?;
    }
    Ok(())
}
