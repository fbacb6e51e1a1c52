//! A service over a real ledger and real files, without a system behind them: what it begins by itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::Poll;
use std::time::Duration;

use app::inbox::Answered;
use app::service::dry::DryRun;
use app::service::events::{Since, What};
use app::service::{Load, Service, Setting};
use app::{Engine, Opening, Places, RunOptions, SecretTable, Silent, SystemClock, Workspace};
use connector::Inbound;
use dsl::Lang;
use flow::Stages;
use flow::decision::{Content, Decided, Decision, Ruling};
use flow::ids::RunId;
use flow::op::{RecordState, Trigger};
use flow::timetable::{Cause, Half};
use tokio::sync::oneshot::error::TryRecvError;

const CONNECTIONS: &str = r#"
connections:
  shop:
    connector: http
    params: {server: "https://shop.example.com/", webhook_secret: "${env:SHOP_PUSH}"}
"#;

const ORDERS: &str = "
scheme: orders
source: {connection: shop, api: webhook, key: id}
target:
  connection: shop
  operation:
    kind: write
    method: PUT
    path: api/orders/<<$record.no>>
    body: <<$record>>
    writes: [create, update]
    key: [no]
    types: {no: text}
    item: {id: id, number: no}
    proof: upsert
    unknown: {wait: 1s, none: resend}
  request: {no: <<id>>}
schedule: on_push
";

/// How long a run may take to begin, on a busy machine.
const BEGUN_WITHIN: Duration = Duration::from_secs(120);

struct World {
    folder: tempfile::TempDir,
}

fn workspace(path: &Path, data: PathBuf) -> Result<Workspace, app::AppError> {
    let secrets = SecretTable {
        env: BTreeMap::from([("SHOP_PUSH".to_owned(), "t0ken".to_owned())]),
        secret: BTreeMap::new(),
    };
    let places = Places {
        data_dir: Some(data),
        ..Places::default()
    };
    Workspace::load(path, places, None, Box::new(secrets))
}

impl World {
    fn new() -> World {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("connections.yaml"), CONNECTIONS).expect("written");
        let world = World { folder };
        world.scheme(ORDERS);
        world
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("orders.yaml")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn scheme(&self, text: &str) {
        std::fs::write(self.path(), text).expect("written");
    }

    /// A process that stores a push, reads its row and ends before it writes it.
    async fn a_process_that_dies(&self) {
        let workspace = workspace(&self.path(), self.data()).expect("a workspace");
        let (plan, _) = workspace.compile(&self.path()).expect("a scheme");
        let plans = [Arc::clone(&plan)];
        let clock = Arc::new(SystemClock::default());
        let engine = Engine::open(workspace, clock, &plans, Lang::En, &Opening::default()).expect("a ledger");
        let inbox = engine.inbox(Arc::new(|_: &str| {})).expect("it is on the disk");
        let receivers = engine.receivers(&plans).expect("it receives");
        inbox.open(receivers, engine.now_ms()).await.expect("a door");
        let doors = engine.reader().doors().expect("a question");
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let push = Inbound {
            method: "POST".to_owned(),
            headers: vec![
                header("Content-Type", "application/json"),
                header("X-Webhook-Token", "t0ken"),
                header("X-Webhook-Id", "1"),
            ],
            query: Vec::new(),
            body: br#"{"id":"1"}"#.to_vec(),
            came_as_xml: false,
        };
        let answer = inbox.push(&doors[0].1, &push, engine.now_ms()).await;
        assert!(matches!(answer, Ok(Answered::Given(answer)) if answer.status == 200));
        let options = RunOptions {
            now: None,
            window: None,
            from: None,
            replay: None,
            limit: None,
            settle_wait: None,
            stages: Stages::Fetch,
            dry: false,
            lang: Lang::En,
            trigger: Some(Trigger::Push),
            confirmed: false,
            cancel: None,
        };
        let report = engine.run(plan, &options, &Silent).await.expect("a run");
        assert_eq!(report.summary.states[0], 1, "one record is pending");
        assert_eq!(engine.reader().inbox("orders").expect("a question").pushes, 0);
    }

    async fn service(&self) -> Arc<Service> {
        let (path, data) = (self.path(), self.data());
        self.service_that_reads(Box::new(move || workspace(&path, data.clone())))
            .await
    }

    async fn service_that_reads(&self, load: Load) -> Arc<Service> {
        let setting = Setting {
            folder: self.folder.path().to_owned(),
            load,
            clock: Arc::new(SystemClock::default()),
            lang: Lang::En,
            opening: Opening::default(),
            places: flow::timetable::Places::default(),
            turn: app::service::TURN,
            read_only: false,
        };
        Service::open(setting).await.expect("it opens")
    }
}

/// Serves until a run begins, and says which it is.
async fn first_run(service: &Arc<Service>, then: impl Future<Output = ()>) -> Option<(Half, Cause)> {
    let Since::Lost(seen) = service.events().since(Some(0)) else {
        panic!("numbers begin with the time");
    };
    let serving = tokio::spawn({
        let service = Arc::clone(service);
        async move { service.serve().await }
    });
    then.await;
    let begun = tokio::time::timeout(BEGUN_WITHIN, begun(service, seen)).await;
    // The run asks a server that is not there; nobody waits for that.
    service.stop();
    serving.abort();
    begun.ok().flatten()
}

async fn begun(service: &Service, seen: u64) -> Option<(Half, Cause)> {
    let mut bell = service.events().bell();
    loop {
        if let Since::Events(events) = service.events().since(Some(seen)) {
            let begun = events.into_iter().find_map(|event| match event.what {
                What::RunBegan { half, cause, .. } => Some((half, cause)),
                _ => None,
            });
            if begun.is_some() {
                return begun;
            }
        }
        bell.changed().await.ok()?;
    }
}

/// The copy of the ledger is the expensive part of a dry run: who asks and goes away, again and again, has one under way
/// for each place, and not for each time.
#[test]
fn a_dry_run_has_its_place_until_its_copy_is_made() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(1)
        .build();
    runtime.expect("a runtime").block_on(async {
        let world = World::new();
        let service = world.service().await;
        // The only thread for what takes its time: the copy is made when it is free.
        let (free, is_free) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || is_free.recv());
        let wanted = DryRun {
            limit: 1,
            window: None,
            now: None,
            time: BEGUN_WITHIN,
        };
        let asker = service.asker();
        let (held, mut is_held) = tokio::sync::oneshot::channel::<()>();
        let dry_run = service.dry_run("orders", wanted, &asker, held);
        // It has its turn once, and then nobody waits for it any more.
        tokio::select! {
            biased;
            report = dry_run => panic!("{report:?}"),
            () = std::future::ready(()) => {}
        }
        drop(asker);
        assert_eq!(
            is_held.try_recv(),
            Err(TryRecvError::Empty),
            "its copy is not made"
        );
        free.send(()).expect("it waits");
        busy.await.expect("it does not panic").expect("it was told");
        let ended = tokio::time::timeout(BEGUN_WITHIN, is_held).await;
        ended.expect("its place is never free").unwrap_err();
    });
}

/// The sender was told "stored"; whoever starts next writes it, though no push comes any more.
#[tokio::test]
async fn what_a_push_left_pending_is_written_after_a_restart() {
    let world = World::new();
    world.a_process_that_dies().await;
    let service = world.service().await;
    let begun = first_run(&service, async {}).await;
    assert_eq!(begun, Some((Half::Target, Cause::Settle)));
}

/// The scheme cannot run at the start, and is mended while the service runs.
#[tokio::test]
async fn what_is_pending_is_written_when_its_scheme_is_mended() {
    let world = World::new();
    world.a_process_that_dies().await;
    world.scheme(&ORDERS.replace("api: webhook", "api: webhok"));
    let service = world.service().await;
    let mended = async {
        world.scheme(ORDERS);
        service.reload().await.expect("it is mended");
    };
    let begun = first_run(&service, mended).await;
    assert_eq!(begun, Some((Half::Target, Cause::Settle)));
}

/// No push may ever come any more, and a scheme that runs on pushes has no next instant.
#[tokio::test]
async fn what_a_person_puts_back_is_written_at_once_where_only_a_push_would_take_it() {
    let world = World::new();
    world.a_process_that_dies().await;
    let service = world.service().await;
    assert_eq!(decide(&service, Decision::Hold).await, RecordState::Held);
    // It looks for what is stored as it begins, and finds nothing to go on with.
    service.begin().await.expect("it begins");
    let put_back = async {
        let to = decide(&service, Decision::Retry(Content::Latest)).await;
        assert_eq!(to, RecordState::Pending);
    };
    let begun = first_run(&service, put_back).await;
    assert_eq!(begun, Some((Half::Target, Cause::Settle)));
}

/// Decides about the only record; the state it led to.
async fn decide(service: &Service, decision: Decision) -> RecordState {
    let loaded = service.loaded();
    let filter = ledger::read::RecordFilter {
        limit: 1,
        ..Default::default()
    };
    let reader = loaded.engine.reader();
    let row = reader.list_records(&filter).expect("a question").remove(0);
    let one = Decided {
        record: row.record,
        state: row.state,
        version: row.version,
        attempt: row.attempt,
        decision,
    };
    let rulings = service.decide(vec![(row.scheme, one)], "ann", "seen", service.now_ms());
    let rulings = rulings.await.expect("it is decided");
    let [Ruling::Moved(to)] = rulings.as_slice() else {
        panic!("{rulings:?}");
    };
    *to
}

/// Whoever names a run ends that one: the run of its scheme that is under way may be another by now.
#[tokio::test]
async fn only_the_run_that_is_named_is_canceled() {
    // It takes the call, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = silent.local_addr().expect("it listens");
    let world = World::new();
    let there = CONNECTIONS.replace("https://shop.example.com/", &format!("http://{address}/"));
    std::fs::write(world.folder.path().join("connections.yaml"), there).expect("written");
    world.a_process_that_dies().await;
    let service = world.service().await;
    let serving = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.serve().await }
    });
    let canceled = async {
        // Its number is known a moment after it began.
        while !service.cancel_run(RunId(2)) {
            assert!(!service.cancel_run(RunId(1)), "that one has ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(!service.cancel_run(RunId(1)), "that one has ended");
    };
    let canceled = tokio::time::timeout(BEGUN_WITHIN, canceled).await;
    service.stop();
    serving.abort();
    canceled.expect("the second run is under way");
}

/// A reload puts into the timetable whether targets are paused: a pause that came in the middle of it would be forgotten.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_is_paused_after_a_reload_or_before_it() {
    let world = World::new();
    let (path, data) = (world.path(), world.data());
    let (reading, read) = mpsc::channel();
    let (go_on, may_go_on) = mpsc::channel();
    let (first, may_go_on) = (AtomicBool::new(true), Mutex::new(may_go_on));
    let load = move || {
        if !first.swap(false, Ordering::SeqCst) {
            reading.send(()).expect("somebody waits");
            may_go_on.lock().expect("alone").recv().expect("the word comes");
        }
        workspace(&path, data.clone())
    };
    let service = world.service_that_reads(Box::new(load)).await;
    service.begin().await.expect("it begins");
    let reload = tokio::spawn({
        let service = Arc::clone(&service);
        async move { service.reload().await }
    });
    let read = tokio::task::spawn_blocking(move || read.recv().expect("it reads"));
    read.await.expect("it reads");
    let mut pausing = std::pin::pin!(service.pause_target("shop", "li", "month end"));
    let begun = std::future::poll_fn(|context| Poll::Ready(pausing.as_mut().poll(context))).await;
    assert!(begun.is_pending());
    // Errands are done in their order: one of the pause would come before this one.
    let loaded = service.loaded();
    let kept = loaded
        .engine
        .with_ledger(|ledger| ledger.reader().paused_targets());
    assert!(kept.await.expect("an errand").expect("a question").is_empty());
    go_on.send(()).expect("the reload waits");
    pausing.await.expect("it is paused");
    reload.await.expect("no panic").expect("it is read");
    assert_eq!(service.paused_targets().len(), 1);
}

/// Each of two wishes is a run: what is asked for beside a run that has just been begun is for the one after it.
#[tokio::test]
async fn two_runs_that_people_ask_for_are_two_runs() {
    let world = World::new();
    let service = world.service().await;
    service.begin().await.expect("it begins");
    let Since::Lost(mut seen) = service.events().since(Some(0)) else {
        panic!("numbers begin with the time");
    };
    for _ in 0..2 {
        service.run_now("orders", Half::All).expect("it can run");
    }
    let mut bell = service.events().bell();
    let mut ended = Vec::new();
    let both = async {
        while ended.len() < 2 {
            if let Since::Events(events) = service.events().since(Some(seen)) {
                for event in events {
                    seen = event.id;
                    if let What::RunEnded(end) = event.what {
                        ended.push((end.status, end.reason));
                    }
                }
            }
            if ended.len() < 2 {
                bell.changed().await.expect("it goes on");
            }
        }
    };
    tokio::time::timeout(BEGUN_WITHIN, both).await.expect("they end");
    assert_eq!(ended, [("ok", None), ("ok", None)]);
}
