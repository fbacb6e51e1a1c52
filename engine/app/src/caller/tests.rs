//! Many tasks on one credential, at the simulated system and at a socket that answers what it is told.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use dsl::plan::OwnLimits;
use dsl::value::{Map, Value};
use sandbox::{FaultKind, FaultPlan, Running};

use super::*;
use crate::clock::SystemClock;
use crate::own_pace::{OwnPace, OwnSide};
use crate::workspace::{Places, SecretTable, Simulators, Workspace};

const KINGDEE: &str = "kingdee-k3cloud";

/// The connection `k3` of the repository, led to this server.
fn connection(running: &Running, server: Option<&str>) -> Connection {
    let mut params = running.params(KINGDEE).expect("it is simulated");
    if let Some(server) = server {
        params.insert("server".to_owned(), format!("http://{server}/k3cloud/"));
    }
    resolved("schemes/huke-to-k3.yaml", "k3", KINGDEE, params)
}

/// A connection of a scheme's workspace, with these parameters of its connector.
pub(crate) fn resolved(
    file: &str,
    name: &str,
    connector: &str,
    params: BTreeMap<String, String>,
) -> Connection {
    let simulators = Simulators {
        params: [(connector.to_owned(), params)].into(),
        quiet_period_ms: 500,
    };
    let secrets = SecretTable {
        env: Default::default(),
        secret: Default::default(),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file);
    let workspace = Workspace::load(&root, Places::default(), Some(simulators), Box::new(secrets));
    let workspace = workspace.unwrap_or_else(|error| panic!("{error:?}"));
    workspace
        .resolve(name)
        .unwrap_or_else(|error| panic!("{error:?}"))
}

fn caller(connection: Connection) -> Caller {
    at_clock(connection, Arc::new(SystemClock::default()))
}

fn at_clock(connection: Connection, clock: Arc<dyn Clock>) -> Caller {
    let connection = Arc::new(connection);
    let client = Client::new(transport::Settings::default()).expect("a client");
    Caller::new(
        Arc::clone(&connection),
        &[connection],
        Arc::new(client),
        clock,
        Entropy::default(),
        Path::new("there is no session to be kept"),
    )
    .expect("a caller")
}

/// A question that any session may ask.
async fn ask(caller: &Caller) -> Ended {
    let options = Map::from_iter([("FormId".into(), Value::Text("BD_Customer".to_owned()))]);
    let fields = [("id".to_owned(), "FCUSTID".to_owned())];
    let page = connector::PageState {
        number: 1,
        size: 10,
        ..connector::PageState::default()
    };
    let call = Call {
        fields: Some(&fields),
        page: Some(page),
        ..Call::new("bill_query", &options, 0)
    };
    caller.call(&call, 0, Effect::None).await
}

fn told(ended: &Ended) -> String {
    match ended {
        Ended::Answered { judged, .. } => format!("{:?} {}", judged.class, judged.message),
        Ended::Broken(error) => format!("broken: {}", error.detail),
        Ended::Unbuilt(failure) | Ended::NoSession(failure) | Ended::Closed(failure) => {
            failure.message(dsl::diagnostic::Lang::En).to_string()
        }
        Ended::Away(words) => format!("away: {words}"),
    }
}

async fn simulated() -> Running {
    let config = sandbox::Config {
        trades: 4,
        ..sandbox::Config::default()
    };
    sandbox::start(config).await.expect("the simulators start")
}

/// Eight tasks in each of three schemes' callers; the session is lost again and again. Nobody notices, and no session is
/// made that was not needed: each one lost is made once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_renewed_once_for_all() {
    let running = simulated().await;
    // How often the first one struck says how many logins there were; each takes long enough for all to come. The
    // losses are so far apart that none meets a question that is being repeated.
    let login = FaultPlan {
        endpoint: "LoginBySign".to_owned(),
        kind: Some(FaultKind::Delay),
        delay_ms: Some(20),
        ..FaultPlan::default()
    };
    running.fault(login).expect("a sound plan");
    for nth in [60, 160, 260, 360, 460] {
        let lost = FaultPlan::nth("ExecuteBillQuery", nth, FaultKind::SessionLost);
        running.fault(lost).expect("a sound plan");
    }
    let mut connection = connection(&running, None);
    connection.limits.concurrency = Some(8);
    let first = Arc::new(caller(connection));
    let beside = || Arc::new(first.beside(Arc::clone(&first.connection)).expect("a caller"));
    let callers = [Arc::clone(&first), beside(), beside()];
    let tasks: Vec<_> = (0..24)
        .map(|nth| {
            let caller = Arc::clone(&callers[nth % callers.len()]);
            tokio::spawn(async move {
                for _ in 0..20 {
                    let ended = ask(&caller).await;
                    assert!(told(&ended).starts_with("Ok"), "{}", told(&ended));
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("every question is answered");
    }
    assert_eq!(running.struck(), [6, 1, 1, 1, 1, 1], "logins, and sessions lost");
}

/// Connections with one credential share its session and keep the limits of both.
#[tokio::test]
async fn one_credential_is_one_session() {
    let running = simulated().await;
    let one = connection(&running, None);
    let mut other = connection(&running, None);
    other.name = "k3-again".to_owned();
    assert!(one.is_same_credential(&other));
    let plan = FaultPlan {
        endpoint: "LoginBySign".to_owned(),
        kind: Some(FaultKind::Delay),
        delay_ms: Some(1),
        ..FaultPlan::default()
    };
    running.fault(plan).expect("a sound plan");
    let first = caller(one);
    let second = first.beside(Arc::new(other)).expect("a caller");
    for caller in [&first, &second, &first] {
        let ended = ask(caller).await;
        assert!(told(&ended).starts_with("Ok"), "{}", told(&ended));
    }
    assert_eq!(running.struck(), [1]);
}

/// Ten schemes that start together on one Jushuitan credential: one of them fetches the token, and all of them use it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_schemes_fetch_one_token() {
    let running = simulated().await;
    let plan = FaultPlan {
        endpoint: "getInitToken".to_owned(),
        kind: Some(FaultKind::Delay),
        delay_ms: Some(50),
        ..FaultPlan::default()
    };
    running.fault(plan).expect("a sound plan");
    let params = running.params("jushuitan").expect("it is simulated");
    let mut connection = resolved("schemes/jst-saleout-to-k3.yaml", "jst", "jushuitan", params);
    // How often one may call is another test's matter: here nobody waits for it, and all come at once.
    connection.limits.rates = vec![];
    connection.limits.concurrency = Some(10);
    let first = Arc::new(caller(connection));
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let scheme = first.beside(Arc::clone(&first.connection)).expect("a caller");
            tokio::spawn(async move { scheme.log_in().await.map_err(|ended| told(&ended)) })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.expect("it ends"), Ok(()));
    }
    assert_eq!(running.struck(), [1], "calls for a token");
}

/// Answers every connection with these bytes; counts them.
fn answers(bytes: &'static [u8]) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it listens").to_string();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut some = [0; 16_384];
            drop(stream.read(&mut some));
            drop(stream.write_all(bytes));
        }
    });
    (addr, count)
}

/// What stands in the way of a session is found out once for a claim and the call that follows it, and an answer that
/// is no word about the credentials stops nothing.
#[tokio::test]
async fn a_login_that_fails_is_one_call() {
    let running = simulated().await;
    for (bytes, want) in [
        (&b""[..], "broken"),
        (
            b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsorry!",
            "away: HTTP 502: sorry!",
        ),
        (
            b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-length: 4\r\nconnection: close\r\n\r\nslow",
            "Throttled HTTP 429: slow",
        ),
        (
            b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\nconnection: close\r\n\r\nwho?",
            "the answer to the login of connection `k3`",
        ),
    ] {
        let (server, count) = answers(bytes);
        let caller = caller(connection(&running, Some(&server)));
        caller.ready(&[]).await;
        let ended = ask(&caller).await;
        assert!(told(&ended).starts_with(want), "{want}: {}", told(&ended));
        assert_eq!(count.load(Ordering::SeqCst), 1, "{want}");
        if let Ended::Answered { judged, .. } = &ended {
            assert_eq!(judged.wait_ms, Some(7_000));
        } else {
            // The next call tries once more.
            ask(&caller).await;
            assert_eq!(count.load(Ordering::SeqCst), 2, "{want}");
        }
    }
}

/// A clock that is ten seconds on whenever it is looked at.
struct Hurried(AtomicI64);

impl Clock for Hurried {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(10_000, Ordering::SeqCst)
    }
}

/// A session that is over before its turn comes, however often it is made anew, is tried with all the same: neither the
/// run nor the login goes round for ever.
#[tokio::test]
async fn a_session_that_is_always_over_is_tried() {
    let body = r#"{"access_token":"t","expires_in":5,"documents":[],"total":0}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let (server, count) = answers(answer.leak().as_bytes());
    let params = [
        ("server", format!("http://{server}/")),
        ("client_id", "c".to_owned()),
        ("client_secret", "s".to_owned()),
    ];
    let params = params.map(|(name, value)| (name.to_owned(), value));
    let plain = resolved("tests/levels/schemes/query.yaml", "plain", "plain", params.into());
    let caller = at_clock(plain, Arc::new(Hurried(AtomicI64::new(1_700_000_000_000))));
    let options = Map::new();
    let call = Call {
        records: Some(vec![Value::Map(Map::from_iter([("key".into(), "1".into())]))].into()),
        ..Call::new("add_blind", &options, 0)
    };
    let ended = tokio::time::timeout(Duration::from_secs(20), caller.call(&call, 1, Effect::None)).await;
    let ended = ended.expect("it ends");
    assert!(matches!(ended, Ended::Answered { .. }), "{}", told(&ended));
    let logins = usize::try_from(LOGINS).expect("few") + 1;
    assert_eq!(count.load(Ordering::SeqCst), logins + 1, "logins, and the call");
}

/// After a refusal calls start as far apart as those that went through before it.
#[tokio::test]
async fn refusals_set_a_pace() {
    let running = simulated().await;
    let caller = caller(connection(&running, None));
    let refused = FaultPlan::nth("ExecuteBillQuery", 5, FaultKind::TooMany);
    running.fault(refused).expect("a sound plan");
    for nth in 1..=5 {
        let ended = ask(&caller).await;
        let want = if nth == 5 { "Throttled" } else { "Ok" };
        assert!(told(&ended).starts_with(want), "{nth}: {}", told(&ended));
    }
    // Five calls with the login, in a second at the most.
    let began = tokio::time::Instant::now();
    for _ in 0..3 {
        let ended = ask(&caller).await;
        assert!(told(&ended).starts_with("Ok"), "{}", told(&ended));
    }
    assert!(
        began.elapsed() >= Duration::from_millis(2 * 210),
        "{:?}",
        began.elapsed()
    );
}

/// The limits of a scheme stand before those that all share, and bind nobody else; the calls of a day are counted
/// together by all processes.
#[tokio::test]
async fn a_scheme_keeps_its_own_pace() {
    // A day does not end in between.
    struct Still(i64);
    impl Clock for Still {
        fn now_ms(&self) -> i64 {
            self.0
        }
    }
    let running = simulated().await;
    let plan = FaultPlan {
        endpoint: "ExecuteBillQuery".to_owned(),
        kind: Some(FaultKind::Delay),
        delay_ms: Some(1),
        ..FaultPlan::default()
    };
    running.fault(plan).expect("a sound plan");
    let folder = tempfile::tempdir().expect("room for temporary files");
    let all = at_clock(
        connection(&running, None),
        Arc::new(Still(crate::clock::SystemClock::default().now_ms())),
    );
    let limits = OwnLimits {
        concurrency: Some(1),
        per_day: Some(3),
        ..OwnLimits::default()
    };
    let pace = || {
        let side = OwnSide::Source;
        Arc::new(OwnPace::new(folder.path(), &all.connection, "s", side, &limits))
    };
    let own = pace();
    let bound = Arc::new(all.at_own_pace(Arc::clone(&own)).expect("a caller"));
    let good = |ended: &Ended| assert!(told(ended).starts_with("Ok"), "{}", told(ended));
    good(&ask(&all).await);
    // Whoever holds its only place holds up the scheme, and no other one.
    let held = own.gate().enter().await;
    let waits = tokio::spawn({
        let bound = Arc::clone(&bound);
        async move { ask(&bound).await }
    });
    tokio::task::yield_now().await;
    good(&ask(&all).await);
    assert_eq!(running.struck(), [2]);
    drop(held);
    good(&waits.await.expect("it is answered"));
    good(&ask(&bound).await);
    let again = all.at_own_pace(pace()).expect("a caller");
    good(&ask(&again).await);
    for caller in [&bound, &again] {
        let ended = ask(caller).await;
        assert!(
            told(&ended).contains("`source.limits.per_day`"),
            "{}",
            told(&ended)
        );
    }
    assert_eq!(running.struck(), [5], "three of its own");
    good(&ask(&all).await);
}
