//! Traces of a run reach a collector: run, page and batch, request, as a tree, and nothing of a record with them.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::telemetry::{Collector, layer};
use app::{Engine, Opening, Places, RunOptions, SecretTable, Silent, Simulators, SystemClock, Workspace};
use dsl::Lang;
use flow::Stages;
use tracing_subscriber::layer::SubscriberExt;

/// Longer than a busy machine takes.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of one request of a test.
const MOST: u64 = 16 << 20;

/// A request of an exporter: its head, and its body.
type Heard = Arc<Mutex<Vec<(String, Vec<u8>)>>>;

/// A collector on loopback that takes everything.
fn collector() -> (SocketAddr, Heard) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let addr = listener.local_addr().expect("it listens");
    let heard = Heard::default();
    let all = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let all = Arc::clone(&all);
            // A client that goes away ends its own conversation.
            std::thread::spawn(move || drop(converse(stream, &all)));
        }
    });
    (addr, heard)
}

fn converse(mut stream: TcpStream, all: &Heard) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let length = head
            .split_once("content-length:")
            .and_then(|(_, rest)| rest.lines().next()?.trim().parse::<u64>().ok())
            .unwrap_or(0);
        let mut body = Vec::new();
        (&mut stream).take(length.min(MOST)).read_to_end(&mut body)?;
        all.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((head, body));
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}

/// A span as it came.
#[derive(Debug)]
struct Span {
    name: String,
    id: Vec<u8>,
    parent: Vec<u8>,
    trace: Vec<u8>,
    /// Keys with their texts and numbers.
    attributes: BTreeMap<String, String>,
}

/// Protobuf, as far as spans need it: fields of bytes by their number, and numbers.
enum Field<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut value, mut shift) = (0, 0);
    while let Some((byte, rest)) = bytes.split_first() {
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            break;
        }
    }
    value
}

fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let mut take = |n: usize| {
            let (taken, rest) = bytes.split_at(n.min(bytes.len()));
            bytes = rest;
            taken
        };
        let field = match key & 7 {
            1 => Field::Bytes(take(8)),
            5 => Field::Bytes(take(4)),
            2 => {
                let length = usize::try_from(varint(&mut bytes)).expect("it fits");
                let (taken, rest) = bytes.split_at(length.min(bytes.len()));
                bytes = rest;
                Field::Bytes(taken)
            }
            _ => Field::Number(varint(&mut bytes)),
        };
        all.push((key >> 3, field));
    }
    all
}

fn inside<'b>(bytes: &'b [u8], number: u64) -> Vec<&'b [u8]> {
    let of = |(at, field): (u64, Field<'b>)| match field {
        Field::Bytes(bytes) if at == number => Some(bytes),
        _ => None,
    };
    fields(bytes).into_iter().filter_map(of).collect()
}

fn text(bytes: &[u8], number: u64) -> String {
    let first = inside(bytes, number).into_iter().next().unwrap_or_default();
    String::from_utf8_lossy(first).into_owned()
}

/// opentelemetry/proto/trace/v1/trace.proto: resource_spans 1, scope_spans 2, spans 2; trace 1, span 2, parent 4, name 5,
/// attributes 9; of those key 1, value 2, with its text 1 and number 3.
fn spans(body: &[u8]) -> Vec<Span> {
    let scopes = inside(body, 1)
        .into_iter()
        .flat_map(|resource| inside(resource, 2));
    let spans = scopes.flat_map(|scope| inside(scope, 2));
    let attribute = |one: &[u8]| {
        let value = inside(one, 2).into_iter().next().unwrap_or_default();
        let number = fields(value).into_iter().find_map(|(at, field)| match field {
            Field::Number(number) if at == 3 => Some(number.to_string()),
            _ => None,
        });
        (text(one, 1), number.unwrap_or_else(|| text(value, 1)))
    };
    let first = |span: &[u8], number| inside(span, number).first().map(|id| id.to_vec());
    spans
        .map(|span| Span {
            name: text(span, 5),
            id: first(span, 2).unwrap_or_default(),
            parent: first(span, 4).unwrap_or_default(),
            trace: first(span, 1).unwrap_or_default(),
            attributes: inside(span, 9).into_iter().map(attribute).collect(),
        })
        .collect()
}

async fn run(simulated: &sandbox::Running, data: &Path) -> u64 {
    let params = ["netease-huke", "kingdee-k3cloud"]
        .iter()
        .filter_map(|id| Some(((*id).to_owned(), simulated.params(id)?)))
        .collect();
    let secrets = SecretTable {
        env: BTreeMap::new(),
        secret: BTreeMap::new(),
    };
    let scheme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemes/huke-to-k3.yaml");
    let places = Places {
        data_dir: Some(data.to_owned()),
        ..Places::default()
    };
    let simulators = Simulators {
        params,
        quiet_period_ms: 500,
    };
    let workspace =
        Workspace::load(&scheme, places, Some(simulators), Box::new(secrets)).expect("a workspace");
    let (plan, _) = workspace.compile(&scheme).expect("it compiles");
    let mut plans = workspace.feeders(&plan);
    plans.push(plan);
    let clock = Arc::new(SystemClock::default());
    let engine = Engine::open(workspace, clock, &plans, Lang::En, &Opening::default()).expect("a ledger");
    let mut fetched = 0;
    for plan in plans {
        let options = RunOptions {
            now: Some(simulated.now_ms()),
            window: None,
            from: None,
            replay: None,
            limit: None,
            settle_wait: None,
            stages: Stages::All,
            dry: false,
            lang: Lang::En,
            trigger: None,
            confirmed: false,
            cancel: None,
        };
        let report = engine.run(plan, &options, &Silent).await.expect("it ends");
        fetched = report.summary.counts.fetched;
    }
    fetched
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_a_tree_of_spans_without_records() {
    let (addr, heard) = collector();
    let collector = Collector::parse(&format!("http://{addr}/"), "authorization=canary-header", "prod");
    let (traced, traces) = layer(&collector.expect("an address")).expect("a layer");
    let data = tempfile::tempdir().expect("a folder");
    let simulated = sandbox::start(sandbox::Config {
        trades: 100,
        ..sandbox::Config::default()
    })
    .await
    .expect("the simulators start");
    let subscriber = tracing_subscriber::registry().with(traced);
    let fetched = {
        let _here = tracing::subscriber::set_default(subscriber);
        let fetched = run(&simulated, data.path()).await;
        tracing::error!("canary-line of the log");
        fetched
    };
    // Waits until what is left was taken.
    tokio::task::spawn_blocking(move || drop(traces))
        .await
        .expect("it ends");

    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!heard.is_empty(), "the collector heard nothing");
    for (head, _) in heard.iter() {
        assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
        assert!(head.contains("content-type: application/x-protobuf"), "{head}");
        assert!(head.contains("authorization: canary-header"), "{head}");
    }
    let all: Vec<Span> = heard.iter().flat_map(|(_, body)| spans(body)).collect();
    let of = |name: &str| all.iter().filter(|span| span.name == name).collect::<Vec<_>>();
    let (runs, pages, batches, requests) = (of("run"), of("page"), of("batch"), of("request"));
    assert_eq!(runs.len(), 2, "{all:#?}");
    let main = runs
        .iter()
        .find(|run| run.attributes["scheme"] == "huke-to-k3")
        .expect("the scheme");
    assert_eq!(main.attributes["status"], "ok");
    assert_eq!(main.attributes["fetched"], fetched.to_string());
    assert!(main.parent.is_empty(), "a run begins a trace");
    let parent = |span: &Span| {
        let found = all
            .iter()
            .find(|one| one.id == span.parent && one.trace == span.trace);
        found.map_or("", |one| one.name.as_str())
    };
    assert!(!pages.is_empty() && !batches.is_empty() && !requests.is_empty());
    for span in pages.iter().chain(&batches) {
        assert_eq!(parent(span), "run", "{span:?}");
    }
    let under = |name: &str| requests.iter().filter(|span| parent(span) == name).count();
    assert!(under("page") > 0 && under("batch") > 0, "{requests:#?}");
    for span in &requests {
        assert_eq!(span.attributes["outcome"], "ok", "{span:?}");
    }

    // Keys and names of records, addresses, and what the log says, stay here.
    let bytes: Vec<u8> = heard.iter().flat_map(|(_, body)| body.clone()).collect();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("prod") && holds("engine"));
    let keys: Vec<String> = simulated
        .journal()
        .iter()
        .map(|entry| entry.number.clone())
        .collect();
    assert!(!keys.is_empty());
    for text in keys
        .iter()
        .map(String::as_str)
        .chain(["canary", "127.0.0.1", "http"])
    {
        assert!(!holds(text), "{text} left");
    }
}
