//! A proxy that loses answers: it cuts the connection at the n-th COMMIT, before the server sees it or after it has
//! answered.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// On which side of the server's work the connection is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never sees the COMMIT.
    Before,
    /// The server has executed it; its answer is lost.
    After,
}

/// A proxy at work, for as long as the process.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: u16,
    cuts: Arc<AtomicU64>,
}

impl Proxy {
    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// How often it has cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// Starts one before a server on this machine.
pub(crate) fn start(server: u16, cut: Cut, nth: u64) -> Proxy {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it listens").port();
    let (cuts, commits) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let own = Arc::clone(&cuts);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let upstream = TcpStream::connect(("127.0.0.1", server)).expect("the server is there");
            let (cuts, commits) = (Arc::clone(&own), Arc::clone(&commits));
            std::thread::spawn(move || carry(&client, &upstream, cut, nth, &cuts, &commits));
        }
    });
    Proxy { port, cuts }
}

/// One message at a time: the clients of these protocols wait for each answer.
fn carry(client: &TcpStream, server: &TcpStream, cut: Cut, nth: u64, cuts: &AtomicU64, commits: &AtomicU64) {
    let (mut from_client, mut to_server) = (client, server);
    let mut back_from = server.try_clone().expect("a handle");
    let mut back_to = client.try_clone().expect("a handle");
    let is_cut = Arc::new(AtomicU64::new(0));
    let silent = Arc::clone(&is_cut);
    std::thread::spawn(move || {
        let mut some = [0; 65_536];
        while let Ok(read @ 1..) = back_from.read(&mut some) {
            // After the cut the first answer shows that the server has done its work; nobody hears it.
            if silent.load(Ordering::SeqCst) > 0 {
                drop(back_to.shutdown(Shutdown::Both));
                drop(back_from.shutdown(Shutdown::Both));
                return;
            }
            if back_to.write_all(&some[..read]).is_err() {
                return;
            }
        }
        drop(back_to.shutdown(Shutdown::Both));
    });
    let mut some = [0; 65_536];
    while let Ok(read @ 1..) = from_client.read(&mut some) {
        let is_commit = some[..read].windows(6).any(|six| six == b"COMMIT");
        if is_commit && commits.fetch_add(1, Ordering::SeqCst) + 1 == nth {
            cuts.fetch_add(1, Ordering::SeqCst);
            if cut == Cut::Before {
                break;
            }
            is_cut.store(1, Ordering::SeqCst);
        }
        if to_server.write_all(&some[..read]).is_err() {
            break;
        }
    }
    drop(to_server.shutdown(Shutdown::Both));
    if is_cut.load(Ordering::SeqCst) == 0 {
        drop(client.shutdown(Shutdown::Both));
    }
}
