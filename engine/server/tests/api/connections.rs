//! Real sockets: who may be listened to, how many, how slow.

use std::sync::Arc;
use std::time::Duration;

use server::listen::{self, Bounds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::house::House;

async fn served(house: &House, bounds: Bounds) -> (std::net::SocketAddr, tokio::sync::oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let router = house.router.clone();
    tokio::spawn(listen::serve(listener, router, None, bounds, async move {
        drop(stopped.await);
    }));
    (address, stop)
}

async fn get(stream: &mut TcpStream) -> String {
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let mut bytes = [0; 2048];
    let count = stream.read(&mut bytes).await.unwrap_or(0);
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

/// How long a machine that is busy may take for one thing.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_take_all_connections() {
    let house = House::open().await;
    // Nothing is slow here, however slow the machine is.
    let bounds = Bounds {
        head_time: PATIENCE,
        most: 10,
        most_of_one: 2,
    };
    let (address, stop) = served(&house, bounds).await;
    let mut one = TcpStream::connect(address).await.unwrap();
    assert!(get(&mut one).await.starts_with("HTTP/1.1 200"));
    let mut other = TcpStream::connect(address).await.unwrap();
    assert!(get(&mut other).await.starts_with("HTTP/1.1 200"));
    let mut third = TcpStream::connect(address).await.unwrap();
    let mut bytes = [0; 64];
    assert_eq!(
        third.read(&mut bytes).await.unwrap_or(0),
        0,
        "closed without a word"
    );
    drop((one, other));
    let let_in = async {
        loop {
            let mut stream = TcpStream::connect(address).await.unwrap();
            if get(&mut stream).await.starts_with("HTTP/1.1 200") {
                break;
            }
        }
    };
    let let_in = tokio::time::timeout(PATIENCE, let_in).await;
    assert!(let_in.is_ok(), "who has left holds no place");
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_end_is_cut() {
    let house = House::open().await;
    let bounds = Bounds {
        head_time: Duration::from_millis(200),
        most: 10,
        most_of_one: 2,
    };
    let (address, stop) = served(&house, bounds).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    // Where it was cut before it began, it was cut all the same.
    drop(slow.write_all(b"GET /healthz HTTP/1.1\r\nhost").await);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "a slow head holds its connection");
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_reach_it_only_when_somebody_can_log_in() {
    let house = House::open().await;
    let taken = listen::bind("127.0.0.1:0".parse().unwrap(), &house.state)
        .await
        .unwrap();
    let address = taken.local_addr().unwrap();
    let refused = listen::bind(address, &house.state).await.unwrap_err();
    assert_eq!(refused.code(), Some("E6019"));
    listen::bind("0.0.0.0:0".parse().unwrap(), &house.state)
        .await
        .unwrap();
    let loaded = house.service.loaded();
    let now = house.service.now_ms();
    loaded
        .engine
        .with_ledger(move |ledger| {
            ledger.remove_user("王工").unwrap();
            let tokens = ledger.reader().tokens().unwrap();
            for token in tokens {
                ledger.revoke_token(token.id, now).unwrap();
            }
        })
        .await
        .unwrap();
    let refused = server::open(&house.service, "0.0.0.0:0".parse().unwrap(), None).await;
    assert_eq!(refused.err().unwrap().code(), Some("E6018"));
    server::open(&house.service, "127.0.0.1:0".parse().unwrap(), None)
        .await
        .unwrap();
    drop(Arc::clone(&house.service));
}

/// What a client had begun and did not wait for is whole before the server ends.
#[tokio::test(flavor = "multi_thread")]
async fn writes_of_clients_that_hung_up_are_awaited_at_the_end() {
    let house = House::open().await;
    let any = "127.0.0.1:0".parse().unwrap();
    let listening = server::open(&house.service, any, None).await.unwrap();
    let address = listening.address().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut serving = tokio::spawn(listening.serve(async move {
        drop(stopped.await);
    }));
    let shown = house.ask("GET", "/schemes/huke-to-k3", "").await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let text = format!("{}# a line more\n", shown.json()["text"].as_str().unwrap());
    // The ledger is busy until it is told to go on: the file is replaced, and that is not noted yet.
    let (go_on, may_go_on) = std::sync::mpsc::channel::<()>();
    let loaded = house.service.loaded();
    let busy = tokio::spawn(async move {
        let held = loaded.engine.with_ledger(move |_| may_go_on.recv().is_ok());
        assert!(held.await.unwrap());
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "PUT /api/v1/schemes/huke-to-k3 HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {}\r\nif-match: {tag}\r\n\
         content-type: application/yaml\r\ncontent-length: {}\r\n\r\n{text}",
        house.token(server::access::Scope::Edit),
        text.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let file = house.folder.join("huke-to-k3.yaml");
    while std::fs::read_to_string(&file).unwrap() != text {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    stop.send(()).unwrap();
    let early = tokio::time::timeout(Duration::from_millis(500), &mut serving).await;
    assert!(early.is_err(), "it ended before what it had begun");
    go_on.send(()).unwrap();
    serving.await.unwrap();
    busy.await.unwrap();
    let newest = house.state.reader().revisions("huke-to-k3", 1).unwrap();
    assert_eq!(newest[0].message, "replace");
}
