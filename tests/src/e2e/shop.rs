//! A source whose rows the test writes: answers Huke's customer list, one list by each name that a scheme asks for.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::wire::{Message, PATIENCE, read};

type Lists = Arc<Mutex<BTreeMap<String, Vec<Value>>>>;

/// Lists of rows behind `customer/searchCustomers`; a scheme names its list with `request: {list: NAME}`.
#[derive(Debug)]
pub struct Shop {
    addr: SocketAddr,
    lists: Lists,
}

impl Shop {
    /// Listens on a free port; every list is empty.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
        let addr = listener.local_addr().expect("it listens");
        let lists = Lists::default();
        let shared = Arc::clone(&lists);
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let lists = Arc::clone(&shared);
                std::thread::spawn(move || drop(serve(stream, &lists)));
            }
        });
        Shop { addr, lists }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a list holds from now on.
    pub fn put(&self, list: &str, rows: Vec<Value>) {
        lock(&self.lists).insert(list.to_owned(), rows);
    }
}

fn lock(lists: &Lists) -> MutexGuard<'_, BTreeMap<String, Vec<Value>>> {
    lists.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, lists: &Lists) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    while let Some(request) = read(&mut stream)? {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let number = |name: &str, usual: usize| {
            asked[name]
                .as_str()
                .and_then(|text| text.parse().ok())
                .unwrap_or(usual)
        };
        let (page, size) = (number("page", 1), number("pageSize", 50));
        let rows = lock(lists)
            .get(asked["list"].as_str().unwrap_or_default())
            .cloned()
            .unwrap_or_default();
        let shown: Vec<&Value> = rows.iter().skip((page - 1) * size).take(size).collect();
        let data = json!({"list": shown, "total": rows.len(), "page": page, "pageSize": size});
        let body = json!({"code": 200, "msg": "success", "data": data}).to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}",
            body.len()
        );
        let answer = Message {
            head,
            body: body.into_bytes(),
        };
        stream.write_all(&answer.bytes())?;
    }
    Ok(())
}
