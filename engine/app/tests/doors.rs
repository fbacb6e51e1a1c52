//! The doors of a service: from when on they are open, and what files in error do to them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use app::inbox::Answered;
use app::service::events::{Since, What};
use app::service::{Service, Setting};
use app::{Opening, Places, SecretTable, SystemClock, Workspace};
use connector::Inbound;
use dsl::Lang;

const CONNECTIONS: &str = r#"
connections:
  shop:
    connector: http
    params: {server: "https://shop.example.com/", webhook_secret: "${env:SHOP_PUSH}"}
"#;

const ORDERS: &str = "
scheme: orders
source: {connection: shop, api: webhook, key: id}
target: none
schedule: on_push
";

/// Due at once.
const POLLS: &str = "
scheme: polls
source:
  connection: shop
  operation:
    kind: read
    method: GET
    path: api/orders
    encode: none
    rows: {at: data}
  window: none
  key: id
target: none
schedule: {every: 5m, jitter: 0s}
";

struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Shop {
        let folder = tempfile::tempdir().expect("a folder");
        let shop = Shop { folder };
        shop.write("connections.yaml", CONNECTIONS);
        shop.write("orders.yaml", ORDERS);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("written");
    }

    /// A process over the folder that has not begun.
    async fn service(&self, read_only: bool) -> Arc<Service> {
        let (path, data) = (self.path("orders.yaml"), self.path("data"));
        let load = move || {
            let secrets = SecretTable {
                env: BTreeMap::from([("SHOP_PUSH".to_owned(), "t0ken".to_owned())]),
                secret: BTreeMap::new(),
            };
            let places = Places {
                data_dir: Some(data.clone()),
                ..Places::default()
            };
            Workspace::load(&path, places, None, Box::new(secrets))
        };
        let setting = Setting {
            folder: self.folder.path().to_owned(),
            load: Box::new(load),
            clock: Arc::new(SystemClock::default()),
            lang: Lang::En,
            opening: Opening::default(),
            places: flow::timetable::Places::default(),
            turn: app::service::TURN,
            read_only,
        };
        Service::open(setting).await.expect("it opens")
    }

    /// The door of the scheme, which a process before has opened.
    async fn door(&self) -> String {
        let service = self.service(false).await;
        service.begin().await.expect("it begins");
        let door = door(&service);
        over(service).await;
        door
    }
}

fn door(service: &Service) -> String {
    let doors = service.loaded().engine.reader().doors().expect("a question");
    let (_, door) = doors.first().expect("there is one");
    door.clone()
}

/// Ends a process: its runs end, and the ledger is free.
async fn over(service: Arc<Service>) {
    service.stop();
    service.serve().await.expect("its runs end");
    while Arc::strong_count(&service) > 1 {
        tokio::task::yield_now().await;
    }
}

fn waits(service: &Service) -> u64 {
    let inbox = service.loaded().engine.reader().inbox("orders");
    inbox.expect("a question").pushes
}

/// What a sender is told, in short.
async fn told(service: &Service, door: &str, id: &str) -> &'static str {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let push = Inbound {
        method: "POST".to_owned(),
        headers: vec![
            header("Content-Type", "application/json"),
            header("X-Webhook-Token", "t0ken"),
            header("X-Webhook-Id", id),
        ],
        query: Vec::new(),
        body: format!(r#"{{"id":"{id}"}}"#).into_bytes(),
        came_as_xml: false,
    };
    match service.inbox().push(door, &push, service.now_ms()).await {
        Ok(Answered::Given(answer)) if answer.status == 200 => "stored",
        Ok(Answered::Given(_)) => "not understood",
        Ok(Answered::Unbelieved) => "no such door",
        Ok(Answered::Busy { seconds }) if seconds > 0 => "come again",
        other => panic!("{other:?}"),
    }
}

/// Between the opening of the ledger and the port that is bound, a process may still fail: it has begun nothing by then.
#[tokio::test]
async fn nothing_begins_before_it_can_be_served() {
    let shop = Shop::new();
    let service = shop.service(false).await;
    service.begin().await.expect("it begins");
    assert_eq!(told(&service, &door(&service), "1").await, "stored");
    assert_eq!(waits(&service), 1);
    over(service).await;

    let service = shop.service(false).await;
    let Since::Lost(seen) = service.events().since(Some(0)) else {
        panic!("numbers begin with the time");
    };
    let arrived = || match service.events().since(Some(seen)) {
        Since::Events(events) => events
            .iter()
            .filter(|event| matches!(event.what, What::Arrived { .. }))
            .count(),
        Since::Lost(_) => panic!("there were few"),
    };
    assert_eq!(arrived(), 0, "nobody is told of what waits");
    assert_eq!(told(&service, &door(&service), "2").await, "no such door");
    service.begin().await.expect("it begins");
    assert_eq!(arrived(), 1);
    assert_eq!(told(&service, &door(&service), "2").await, "stored");
    service.begin().await.expect("it has begun");
    assert_eq!(arrived(), 2, "the push; nothing is begun twice");
}

/// Whoever starts a service gives up when it cannot begin; a run that is under way by then would be cut off with its
/// writes out.
#[tokio::test]
async fn what_cannot_begin_has_begun_nothing() {
    let shop = Shop::new();
    let door = shop.door().await;
    shop.write("polls.yaml", POLLS);
    // Taking this one out of the timetable begins what is due in it.
    shop.write("unreadable.yaml", ": [");
    let service = shop.service(false).await;
    let Since::Lost(seen) = service.events().since(Some(0)) else {
        panic!("numbers begin with the time");
    };
    let ledger = rusqlite::Connection::open(shop.path("data/ledger.db")).expect("the ledger");
    let rename = |from: &str, to: &str| ledger.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}"));
    rename("door", "gone").expect("nobody writes");
    service.begin().await.expect_err("there are no doors");
    assert_eq!(service.events().since(Some(seen)), Since::Events(Vec::new()));
    let polls = service.status_of("polls").expect("it is there");
    assert!(polls.running.is_none(), "{polls:?}");
    rename("gone", "door").expect("nobody writes");
    service.begin().await.expect("it begins");
    let polls = service.status_of("polls").expect("it is there");
    assert!(polls.running.is_some(), "it is due");
    assert_eq!(told(&service, &door, "1").await, "stored");
    service.stop();
}

/// What is wrong in a file is no reason to turn a sender away for good, who then gives up or loses what it has.
#[tokio::test]
async fn a_file_in_error_turns_no_sender_away() {
    let typing_error = ORDERS.replace("api: webhook", "api: webhok");
    let unreadable = ": [";
    let disabled = format!("{ORDERS}enabled: false\n");
    for (text, while_it_runs, after_a_restart) in [
        (typing_error.as_str(), "stored", "come again"),
        (unreadable, "stored", "come again"),
        (disabled.as_str(), "come again", "come again"),
    ] {
        let shop = Shop::new();
        let door = shop.door().await;
        let service = shop.service(false).await;
        service.begin().await.expect("it begins");
        shop.write("orders.yaml", text);
        service.reload().await.expect("it is read");
        assert_eq!(told(&service, &door, "1").await, while_it_runs, "{text}");
        assert_eq!(
            told(&service, "0123456789abcdef0123456789abcdef", "1").await,
            "no such door"
        );
        service.reload().await.expect("it is read");
        assert_eq!(told(&service, &door, "1").await, while_it_runs, "{text}: again");
        over(service).await;

        let service = shop.service(false).await;
        service.begin().await.expect("it begins");
        assert_eq!(told(&service, &door, "2").await, after_a_restart, "{text}");
        shop.write("orders.yaml", ORDERS);
        service.reload().await.expect("it is read");
        assert_eq!(told(&service, &door, "2").await, "stored", "{text}, mended");
    }
}

/// A scheme that went, went: its door is one that never was.
#[tokio::test]
async fn a_scheme_that_is_gone_receives_nothing() {
    let shop = Shop::new();
    let door = shop.door().await;
    std::fs::remove_file(shop.path("orders.yaml")).expect("it was there");
    let service = shop.service(false).await;
    service.begin().await.expect("it begins");
    assert_eq!(told(&service, &door, "1").await, "no such door");
}

/// `--read-only`: a push that was answered with "stored" would be one that nobody takes.
#[tokio::test]
async fn who_only_looks_takes_nothing() {
    let shop = Shop::new();
    let door = shop.door().await;
    let service = shop.service(true).await;
    service.begin().await.expect("it begins");
    assert_eq!(told(&service, &door, "1").await, "come again");
    service.reload().await.expect("it is read");
    assert_eq!(told(&service, &door, "1").await, "come again");
    assert_eq!(waits(&service), 0);
}
