//! Pushes from the door to the rows that others read, through the library: real files, a real ledger, no socket.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use app::inbox::{Answered, Inbox, MOST_ROWS};
use app::publish::{Ask, Refused};
use app::{Engine, Opening, Places, RunOptions, RunReport, SecretTable, Silent, Workspace};
use connector::Inbound;
use dsl::plan::Plan;
use dsl::{Lang, json};
use flow::Stages;
use flow::op::Trigger;

const NOW: i64 = 1_700_000_000_000;

/// A clock that stands: what arrives is known for days from then.
struct At(i64);

impl app::Clock for At {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

const CONNECTIONS: &str = r#"
connections:
  shop:
    connector: http
    params: {server: "https://shop.example.com/", webhook_secret: "${env:SHOP_PUSH}"}
"#;

const ORDERS: &str = r"
scheme: orders
source:
  connection: shop
  api: webhook
  explode: [lines]
  derive: {event: {$value: <<$push.headers.X-Webhook-Event>>, $missing: empty}, order: <<id>>}
  keep: {field: state, neq: test}
  key: [order, lines.no]
  newest_by: changed
target: none
publish: {fields: {order: order, line: lines.no, state: state, event: event}, filter: [state, order], page: 2}
schedule: on_push
";

const BOTH: &str = r"
scheme: orders
source:
  connection: shop
  operation:
    kind: read
    method: GET
    path: orders
    query: {from: <<$window.start|rfc3339>>, to: <<$window.end|rfc3339>>}
    page: {by: none}
    rows: {at: rows}
  window: {first: -1d}
  receive: webhook
  key: id
target: none
schedule: {every: 6m}
";

struct Shop {
    engine: Engine,
    plan: Arc<Plan>,
    inbox: Inbox,
    door: String,
    /// Told that something waits, so often.
    arrived: Arc<AtomicU64>,
    _data: tempfile::TempDir,
}

async fn shop(scheme: &str) -> Shop {
    let data = tempfile::tempdir().expect("a folder");
    std::fs::write(data.path().join("connections.yaml"), CONNECTIONS).expect("written");
    let path = data.path().join("orders.yaml");
    std::fs::write(&path, scheme).expect("written");
    open(data, &path).await
}

async fn open(data: tempfile::TempDir, path: &Path) -> Shop {
    let secrets = SecretTable {
        env: BTreeMap::from([("SHOP_PUSH".to_owned(), "t0ken".to_owned())]),
        secret: BTreeMap::new(),
    };
    let places = Places {
        data_dir: Some(data.path().join("data")),
        ..Places::default()
    };
    let workspace = Workspace::load(path, places, None, Box::new(secrets)).expect("a workspace");
    let plan = match workspace.compile(path) {
        Ok((plan, _)) => plan,
        Err(app::AppError::Invalid(problems)) => {
            panic!("{}", dsl::diagnostic::render(&problems, Lang::En, false, 20))
        }
        Err(error) => panic!("{error:?}"),
    };
    let plans = [Arc::clone(&plan)];
    let clock = Arc::new(At(NOW));
    let engine =
        Engine::open(workspace, clock, &plans, Lang::En, &Opening::default()).expect("the ledger opens");
    let arrived = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&arrived);
    let inbox = engine
        .inbox(Arc::new(move |_: &str| {
            told.fetch_add(1, Ordering::SeqCst);
        }))
        .expect("a ledger on the disk");
    let receivers = engine.receivers(&plans).expect("it receives");
    inbox.open(receivers, NOW).await.expect("a door");
    let doors = engine.reader().doors().expect("a question");
    Shop {
        engine,
        plan,
        inbox,
        door: doors[0].1.clone(),
        arrived,
        _data: data,
    }
}

fn request(token: &str, id: &str, body: &str) -> Inbound {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    Inbound {
        method: "POST".to_owned(),
        headers: vec![
            header("Content-Type", "application/json"),
            header("X-Webhook-Token", token),
            header("X-Webhook-Id", id),
        ],
        query: Vec::new(),
        body: body.as_bytes().to_vec(),
        came_as_xml: false,
    }
}

fn order(id: &str, state: &str, changed: i64) -> String {
    format!(r#"{{"id":"{id}","state":"{state}","changed":{changed},"lines":[{{"no":1}}]}}"#)
}

impl Shop {
    async fn push(&self, push: &Inbound) -> String {
        match self.inbox.push(&self.door, push, NOW).await.expect("an answer") {
            Answered::Given(answer) => {
                format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
            }
            Answered::Unbelieved => "unbelieved".to_owned(),
            Answered::Busy { seconds } => format!("busy {seconds}"),
        }
    }

    async fn run(&self) -> RunReport {
        let options = RunOptions {
            now: None,
            window: None,
            from: None,
            replay: None,
            limit: None,
            settle_wait: None,
            stages: Stages::All,
            dry: false,
            lang: Lang::En,
            trigger: Some(Trigger::Push),
            confirmed: false,
            cancel: None,
        };
        let report = self.engine.run(Arc::clone(&self.plan), &options, &Silent).await;
        let report = report.expect("the run ends");
        assert!(report.summary.counts.add_up(), "{report:?}");
        report
    }

    fn waits(&self) -> u64 {
        self.engine.reader().inbox("orders").expect("a question").pushes
    }

    fn read(&self, ask: &Ask) -> Result<(Vec<String>, i64, bool), Refused> {
        let page = app::publish::page(self.engine.reader(), &self.plan, ask).expect("a question")?;
        let rows = page.rows.iter().map(|row| {
            let fields = json::to_string(&dsl::Value::Map(row.fields.clone()));
            let void = if row.void { " void" } else { "" };
            format!("{} {fields}{void}", row.key.join("/"))
        });
        Ok((rows.collect(), page.next, page.more))
    }
}

#[tokio::test]
async fn what_a_sender_is_told() {
    let shop = shop(ORDERS).await;
    let good = order("1", "new", 1);
    let stored = r#"200 {"stored":1}"#;
    let with = |change: &dyn Fn(&mut Inbound)| {
        let mut push = request("t0ken", "1", &good);
        change(&mut push);
        push
    };
    let large = format!(r#"{{"a":"{}"}}"#, "a".repeat(connector::PUSH_MAX));
    for (push, want) in [
        (with(&|_| {}), stored),
        // The same again is answered the same way.
        (with(&|_| {}), stored),
        (with(&|push| push.headers[1].1 = "t0keN".to_owned()), "unbelieved"),
        (with(&|push| push.headers[1].1 = String::new()), "unbelieved"),
        (with(&|push| drop(push.headers.remove(1))), "unbelieved"),
        // Who is believed is told what is wrong, and nobody else.
        (
            with(&|push| push.method = "PUT".to_owned()),
            r#"400 {"error":"method","message":"another HTTP method is taken here"}"#,
        ),
        (
            with(&|push| {
                push.method = "PUT".to_owned();
                push.headers.clear();
            }),
            "unbelieved",
        ),
        (
            with(&|push| push.body = b"{\"id\": ".to_vec()),
            r#"400 {"error":"content","message":"the body is not of a kind that is taken here"}"#,
        ),
        (
            with(&|push| push.body = b"[1]".to_vec()),
            r#"400 {"error":"form","message":"the body has not the form that is taken here"}"#,
        ),
        (
            with(&|push| push.body = large.clone().into_bytes()),
            r#"400 {"error":"size","message":"the body is too large"}"#,
        ),
    ] {
        assert_eq!(shop.push(&push).await, want, "{push:?}");
    }
    let other = shop
        .inbox
        .push("00000000000000000000000000000000", &with(&|_| {}), NOW)
        .await;
    assert_eq!(
        other.expect("an answer"),
        Answered::Unbelieved,
        "the token is right, the door is not"
    );
    assert_eq!(shop.waits(), 1, "only what was believed is kept, once");
    assert_eq!(shop.arrived.load(Ordering::SeqCst), 1);

    shop.inbox.write_counts(NOW).await.expect("counted");
    assert_eq!(shop.arrived.load(Ordering::SeqCst), 1, "it has just come");
    // A process that ended before its run, and a run that failed: the scheme is told again.
    let receivers = shop
        .engine
        .receivers(&[Arc::clone(&shop.plan)])
        .expect("it receives");
    shop.inbox.open(receivers, NOW).await.expect("a door");
    assert_eq!(shop.arrived.load(Ordering::SeqCst), 2);
    shop.inbox.write_counts(NOW + 60_000).await.expect("counted");
    assert_eq!(shop.arrived.load(Ordering::SeqCst), 2, "not every minute");
    shop.inbox.write_counts(NOW + 300_000).await.expect("counted");
    assert_eq!(shop.arrived.load(Ordering::SeqCst), 3);
    let refused = shop.engine.reader().refused(20).expect("a question");
    let refused: Vec<String> = refused
        .iter()
        .map(|row| format!("{} {} {}", row.scheme, row.why, row.count))
        .collect();
    assert_eq!(
        refused,
        [
            " door 1",
            "orders content 1",
            "orders form 1",
            "orders method 1",
            "orders size 1",
            "orders verify 4"
        ]
    );
}

#[tokio::test]
async fn one_line_of_xml_is_a_list_of_one() {
    let scheme = r"
scheme: orders
source:
  connection: shop
  api: webhook
  operation: {accept: [json, xml]}
  derive: {nos: {$each: order.lines.line, $do: <<$line.no>>}}
  key: order.id
target: none
publish: {fields: {order: order.id, nos: nos}, page: 5}
schedule: on_push
";
    let shop = shop(scheme).await;
    for (id, lines) in [
        ("1", "<lines><line><no>7</no></line></lines>"),
        ("2", "<lines>\n</lines>"),
        (
            "3",
            "<lines><line><no>7</no></line><line><no>8</no></line></lines>",
        ),
    ] {
        let mut push = request("t0ken", id, &format!("<order><id>{id}</id>{lines}</order>"));
        push.headers[0].1 = "application/xml".to_owned();
        assert_eq!(shop.push(&push).await, r#"200 {"stored":1}"#);
    }
    // The same as JSON is a map where a list belongs.
    let json = request(
        "t0ken",
        "4",
        r#"{"order":{"id":"4","lines":{"line":{"no":"7"}}}}"#,
    );
    assert_eq!(shop.push(&json).await, r#"200 {"stored":1}"#);
    let counts = shop.run().await.summary.counts;
    assert_eq!((counts.fetched, counts.dead), (4, 1), "{counts:?}");
    let (rows, ..) = shop.read(&Ask::default()).expect("published");
    assert_eq!(
        rows,
        [
            r#"1 {"order":"1","nos":["7"]}"#,
            r#"2 {"order":"2","nos":[]}"#,
            r#"3 {"order":"3","nos":["7","8"]}"#
        ]
    );
}

#[tokio::test]
async fn pushes_become_rows_in_their_order() {
    let shop = shop(ORDERS).await;
    let mut void = request("t0ken", "2", &order("2", "gone", 3));
    void.headers
        .push(("X-Webhook-Event".to_owned(), "void".to_owned()));
    for push in [
        request("t0ken", "1", &order("1", "new", 1)),
        request("t0ken", "2", &order("2", "new", 1)),
        request("t0ken", "1", &order("1", "paid", 5)),
        // It was overtaken on its way: what is newer stays.
        request("t0ken", "1", &order("1", "packed", 4)),
        void,
        // One of its rows says nothing that could identify it, one is not kept.
        request("t0ken", "", r#"[{"state":"new","changed":1,"lines":[{"no":1}]}]"#),
        request("t0ken", "4", &order("4", "test", 1)),
    ] {
        assert!(shop.push(&push).await.starts_with("200 "), "{push:?}");
    }
    let report = shop.run().await;
    let counts = report.summary.counts;
    assert_eq!(
        (counts.fetched, counts.dead, counts.filtered),
        (7, 1, 1),
        "{counts:?}"
    );
    assert_eq!(counts.superseded, 1, "{counts:?}");
    assert_eq!(shop.waits(), 0);
    // Nobody asked for any stretch of time.
    let reader = shop.engine.reader();
    let runs = reader.list_runs(&ledger::read::RunFilter {
        limit: 1,
        ..Default::default()
    });
    let life = reader.show_run(runs.expect("a question")[0].run);
    let windows = life.expect("a question").expect("the run").windows;
    let asked: Vec<_> = windows.iter().map(|window| window.asked).collect();
    assert_eq!(asked, [None]);

    let first = Ask::default();
    let (rows, next, more) = shop.read(&first).expect("published");
    assert_eq!(
        rows,
        [
            r#"1/1 {"order":"1","line":1,"state":"paid","event":""}"#,
            r#"2/1 {"order":"2","line":1,"state":"gone","event":"void"} void"#
        ]
    );
    assert!(more, "a page is full");
    let behind = |after| Ask {
        after,
        ..Ask::default()
    };
    let (rows, next, more) = shop.read(&behind(next)).expect("published");
    assert_eq!((rows.len(), more), (0, false), "{rows:?}");

    // The last push about a thing again changes nothing, and neither does a run over what is there.
    assert!(
        shop.push(&request("t0ken", "4", &order("4", "test", 1)))
            .await
            .starts_with("200 ")
    );
    assert_eq!(shop.waits(), 0);
    assert_eq!(shop.run().await.summary.counts.fetched, 0);
    // An earlier one again may be a document that went back: it is taken and told, and `newest_by` judges it.
    assert!(
        shop.push(&request("t0ken", "1", &order("1", "new", 1)))
            .await
            .starts_with("200 ")
    );
    assert_eq!(shop.waits(), 1);
    let pushes = shop.engine.reader().pushes(None, 99).expect("a question");
    let back: Vec<bool> = pushes.iter().map(|push| push.back).collect();
    assert_eq!(
        back.iter().position(|back| *back),
        Some(0),
        "the newest comes first"
    );
    assert_eq!(back.iter().filter(|back| **back).count(), 1);
    let counts = shop.run().await.summary.counts;
    assert_eq!((counts.fetched, counts.superseded), (1, 1), "{counts:?}");
    let (rows, ..) = shop.read(&behind(next)).expect("published");
    assert!(rows.is_empty(), "{rows:?}");

    // What changed since is what a reader gets that goes on.
    shop.push(&request("t0ken", "1", &order("1", "sent", 9))).await;
    shop.run().await;
    let (rows, ..) = shop.read(&behind(next)).expect("published");
    assert_eq!(rows, [r#"1/1 {"order":"1","line":1,"state":"sent","event":""}"#]);
    let filters = |name: &str, texts: &[&str]| Ask {
        filters: vec![(
            name.to_owned(),
            texts.iter().map(|text| (*text).to_owned()).collect(),
        )],
        ..Ask::default()
    };
    let found = |ask| shop.read(&ask).map(|(rows, ..)| rows.len());
    assert_eq!(found(filters("state", &["gone", "none"])), Ok(1));
    assert_eq!(found(filters("state", &["none"])), Ok(0));
    assert_eq!(found(filters("order", &["1' OR '1'='1"])), Ok(0));
    assert!(matches!(
        found(filters("line", &["1"])),
        Err(Refused::NoFilter { .. })
    ));
    let keys = Ask {
        keys: vec![vec!["2".to_owned(), "1".to_owned()]],
        ..Ask::default()
    };
    assert_eq!(found(keys), Ok(1));
}

/// A source that is read by a schedule and also sends: a push does not have it asked, and both kinds of rows share keys.
#[tokio::test]
async fn a_push_does_not_have_the_source_asked() {
    let shop = shop(BOTH).await;
    shop.push(&request("t0ken", "1", &order("1", "new", 1))).await;
    // The server of this connection is nowhere: a run that asked it would fail.
    let report = shop.run().await;
    assert_eq!(
        (report.summary.counts.done, report.exit_code()),
        (1, 0),
        "{report:?}"
    );
    assert!(
        shop.engine
            .reader()
            .closed_intervals("orders")
            .expect("a question")
            .is_empty()
    );
}

#[tokio::test]
async fn an_inbox_has_an_end() {
    let shop = shop(ORDERS).await;
    // Ten thousand rows are the most that may wait.
    let rows = |from: u64, count: u64| {
        let rows =
            (from..from + count).map(|id| format!(r#"{{"id":"{id}","changed":1,"lines":[{{"no":1}}]}}"#));
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
    };
    let whole = request("t0ken", "a", &rows(0, MOST_ROWS));
    assert!(shop.push(&whole).await.starts_with("200 "));
    assert_eq!(shop.push(&request("t0ken", "b", &rows(1, 1))).await, "busy 60");
    assert!(
        shop.push(&whole).await.starts_with("200 "),
        "what is there is answered"
    );
    let counts = shop.run().await.summary.counts;
    assert_eq!(counts.fetched, MOST_ROWS);
    assert!(
        shop.push(&request("t0ken", "b", &rows(1, 1)))
            .await
            .starts_with("200 ")
    );
}

#[tokio::test]
async fn many_at_once_are_all_there() {
    let shop = Arc::new(shop(ORDERS).await);
    let answers = Arc::new(RwLock::new(Vec::new()));
    let mut tasks = tokio::task::JoinSet::new();
    for sender in 0..8 {
        let (shop, answers) = (Arc::clone(&shop), Arc::clone(&answers));
        tasks.spawn(async move {
            for nth in 0..25 {
                // Every push is sent by two senders.
                let id = format!("{}", sender / 2 * 25 + nth);
                let answer = shop.push(&request("t0ken", &id, &order(&id, "new", 1))).await;
                answers
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(answer);
            }
        });
    }
    while tasks.join_next().await.is_some() {}
    let answers = answers.read().unwrap_or_else(PoisonError::into_inner).clone();
    assert_eq!(answers.len(), 200);
    assert!(
        answers.iter().all(|answer| answer.starts_with("200 ")),
        "{answers:?}"
    );
    assert_eq!(shop.waits(), 100);
    assert_eq!(shop.run().await.summary.counts.done, 100);
}
