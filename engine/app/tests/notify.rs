//! Who is told what, over a real ledger and real files; nobody listens at the other end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use app::notify::Notifier;
use app::notify::follow::follow;
use app::notify::sight::Event;
use app::service::events::What;
use app::service::{Service, Setting};
use app::{Clock, Opening, Places, SecretTable, SystemClock, Workspace};
use dsl::Lang;
use flow::op::Reason;
use ledger::service::notices::{NoticeFilter, NoticeRow};

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

/// A port that nobody listens at.
const NOTIFY: &str = "
lang: en
channels:
  ops: {kind: webhook, url: \"http://127.0.0.1:9/\"}
";

/// How long something may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let world = World { folder };
        world.write("connections.yaml", CONNECTIONS);
        world.write("orders.yaml", ORDERS);
        world
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    async fn service(&self) -> Arc<Service> {
        let folder = self.folder.path().to_owned();
        let load = move || {
            let secrets = SecretTable {
                env: BTreeMap::from([("SHOP_PUSH".to_owned(), "t0ken".to_owned())]),
                secret: BTreeMap::new(),
            };
            let places = Places {
                data_dir: Some(folder.join("data")),
                ..Places::default()
            };
            Workspace::load(&folder.join("orders.yaml"), places, None, Box::new(secrets))
        };
        let setting = Setting {
            folder: self.folder.path().to_owned(),
            load: Box::new(load),
            clock: clock(),
            lang: Lang::En,
            opening: Opening::default(),
            places: flow::timetable::Places::default(),
            read_only: false,
            turn: app::service::TURN,
        };
        Service::open(setting).await.expect("it opens")
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::default())
}

/// The first message of this kind, when it stands in the ledger.
async fn told(service: &Service, is_it: impl Fn(&NoticeRow) -> bool) -> NoticeRow {
    let all = NoticeFilter::default();
    let look = async {
        loop {
            let notices = service
                .loaded()
                .engine
                .reader()
                .notices(&all)
                .expect("a question");
            if let Some(found) = notices.into_iter().find(&is_it) {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(found) => found,
        Err(_) => panic!("{:?}", service.loaded().engine.reader().notices(&all)),
    }
}

fn paused(scheme: &str) -> What {
    What::Paused {
        scheme: scheme.to_owned(),
        by: "engine".to_owned(),
        reason: Reason::new("", "three panics"),
    }
}

/// The first rules are written when something has been wrong for a while.
#[tokio::test]
async fn a_reload_asks_what_is_wrong() {
    let world = World::new();
    let service = world.service().await;
    service.begin().await.expect("it begins");
    let following = tokio::spawn(follow(Arc::clone(&service), clock()));
    // It looks for the file, and finds none.
    tokio::task::yield_now().await;
    let paused = service.pause("orders", "li", "month end").await;
    paused.expect("it is paused");
    world.write("notify.yaml", NOTIFY);
    service.reload().await.expect("it is read");
    told(&service, |notice| notice.notice.subject == "orders").await;
    following.abort();
}

/// A file that says that a channel is silent, and that nobody can read.
#[tokio::test]
async fn a_mute_that_cannot_be_read_silences_nobody() {
    let world = World::new();
    // Another address: two channels with one are one robot, and wait for each other.
    let silent = NOTIFY.replace("  ops:", "  a-ops:").replace(":9/", ":10/");
    let (_, silent) = silent.split_once("channels:\n").expect("it is there");
    world.write("notify.yaml", &format!("{NOTIFY}{silent}"));
    let service = world.service().await;
    std::fs::create_dir_all(world.folder.path().join("data/muted/of-a-ops.json")).expect("a folder");
    let engine = &service.loaded().engine;
    let notifier = Notifier::open(engine, clock(), Arc::default()).expect("a notify.yaml");
    let notifier = notifier.expect("it is there");
    let event = Event::Paused {
        scheme: "orders".to_owned(),
        reason: "three panics".to_owned(),
    };
    notifier.tell(&event).await.expect("it is kept");
    notifier.tick().await.expect("nothing of it is an error");
    for channel in ["a-ops", "ops"] {
        let is_tried = |one: &NoticeRow| one.notice.channel == channel && one.tries > 0;
        let tried = told(&service, is_tried).await;
        assert_eq!(tried.state, "waiting", "{tried:?}");
    }
}

/// The task that tells people gets its first turn when the service has begun.
#[tokio::test]
async fn what_happens_before_the_first_look_is_told() {
    let world = World::new();
    world.write("notify.yaml", NOTIFY);
    let service = world.service().await;
    let following = follow(Arc::clone(&service), clock());
    service.events().tell(service.now_ms(), paused("orders"));
    let following = tokio::spawn(following);
    told(&service, |notice| notice.notice.subject == "orders").await;
    following.abort();
}
