//! The transport against real sockets on loopback: every way an exchange can end, and where it may go.

mod server;

use std::collections::HashMap;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use server::{Server, Then, answer};
use transport::{
    AllowList, Answer, Client, Found, Lookup, Reason, Request, Seen, SendError, Settings, Stage, Timeouts,
    Trust, Why,
};

/// Long enough for loopback on a busy machine, short enough to wait for.
const SHORT: Duration = Duration::from_millis(200);
/// Where connecting counts too.
const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(20);

fn timeouts() -> Timeouts {
    Timeouts {
        connect: LONG,
        first_byte: LONG,
        idle: LONG,
        total: LONG,
    }
}

fn loopback() -> AllowList {
    AllowList::parse(["127.0.0.1"]).expect("a good entry")
}

fn request<'a>(url: &'a str, allow: &'a AllowList) -> Request<'a> {
    Request {
        method: "POST",
        url,
        headers: &[],
        body: b"{\"n\":1}".to_vec(),
        timeouts: timeouts(),
        read_cap: 1 << 20,
        gzip: true,
        allow,
    }
}

fn client() -> Client {
    Client::new(Settings::default()).expect("the default settings are good")
}

async fn post(client: &Client, server: &Server) -> Result<Answer, SendError> {
    client.send(request(&server.url("/save"), &loopback())).await
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn a_whole_answer() {
    let headers =
        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Raw: \u{e9}\r\n";
    let server = Server::start(vec![Then::Keep(answer("519 Odd", headers, "客户".as_bytes()))]).await;
    let sent = [
        ("X-Sign".to_owned(), "abc".to_owned()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
    ];
    let (url, allow) = (server.url("/K3Cloud/a.kdsvc?x=%E5%AE%A2"), loopback());
    let got = client()
        .send(Request {
            headers: &sent,
            ..request(&url, &allow)
        })
        .await
        .expect("an answer");

    assert_eq!(got.status, 519, "a status is not judged here");
    assert_eq!(got.body, "客户".as_bytes());
    assert_eq!(got.date_ms(), Some(784_111_777_000));
    let cookies: Vec<&str> = got
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let request = &server.requests()[0];
    assert!(
        request.starts_with("POST /K3Cloud/a.kdsvc?x=%E5%AE%A2 HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("x-sign: abc\r\n") && request.ends_with("\r\n\r\n{\"n\":1}"),
        "{request}"
    );
    assert!(request.contains("accept-encoding: gzip\r\n"), "{request}");
}

/// One row per way of failing after the request went out. The server has seen the request exactly once in
/// every case: a write is never repeated behind the caller's back.
#[tokio::test]
async fn lost_answers_are_lost_and_sent_once() {
    let packed = gzip(&vec![b'x'; 50_000]);
    let bomb = gzip(&vec![0; 16 << 20]);
    let gzip_head = |length: usize| {
        format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\n\r\n").into_bytes()
    };
    let short = Timeouts {
        first_byte: SHORT,
        idle: SHORT,
        ..timeouts()
    };
    let hasty = Timeouts {
        total: SECOND,
        ..timeouts()
    };
    // With this the library's connect limit is part of the patience.
    let no_head = Timeouts {
        connect: SECOND,
        first_byte: SHORT,
        ..timeouts()
    };
    let long_header = format!("x-filler: {}\r\n", "x".repeat(1000));
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec();
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n".to_vec();
    let odd = answer("200 OK", "content-encoding: br\r\n", b"x");
    let torn = answer("200 OK", "content-encoding: gzip\r\n", &packed[..30]);
    let large = answer("200 OK", "", &vec![b'x'; (1 << 20) + 1]);
    let slow = answer("200 OK", &long_header, b"{}");
    let bomb = [gzip_head(bomb.len()), bomb].concat();
    // What the server does, how long we wait, what came of it, and whether a head had arrived.
    let rows: Vec<(&str, Then, Timeouts, Reason, bool)> = vec![
        (
            "closed without a word",
            Then::Close(vec![]),
            timeouts(),
            Reason::Broken,
            false,
        ),
        (
            "not HTTP",
            Then::Close(b"<html>\r\n\r\n".to_vec()),
            timeouts(),
            Reason::Broken,
            false,
        ),
        (
            "half a head",
            Then::Close(b"HTTP/1.1 200 OK\r\ncont".to_vec()),
            timeouts(),
            Reason::Broken,
            false,
        ),
        (
            "silence",
            Then::Hang(vec![]),
            no_head,
            Reason::FirstByteTimeout,
            false,
        ),
        (
            "a head by the byte",
            Then::Trickle(slow),
            no_head,
            Reason::FirstByteTimeout,
            false,
        ),
        (
            "silence, total first",
            Then::Hang(vec![]),
            hasty,
            Reason::TotalTimeout,
            false,
        ),
        (
            "half a body, closed",
            Then::Close(half.clone()),
            timeouts(),
            Reason::Truncated,
            true,
        ),
        (
            "half a body, silence",
            Then::Hang(half.clone()),
            short,
            Reason::IdleTimeout,
            true,
        ),
        (
            "half a body, total first",
            Then::Hang(half),
            hasty,
            Reason::TotalTimeout,
            true,
        ),
        (
            "chunks without an end",
            Then::Close(chunked),
            timeouts(),
            Reason::Truncated,
            true,
        ),
        ("too large", Then::Keep(large), timeouts(), Reason::TooLarge, true),
        (
            "an encoding nobody asked for",
            Then::Keep(odd),
            timeouts(),
            Reason::Encoding,
            true,
        ),
        (
            "half of gzip",
            Then::Keep(torn),
            timeouts(),
            Reason::Truncated,
            true,
        ),
        (
            "a bomb below its cap",
            Then::Keep(bomb),
            timeouts(),
            Reason::Bomb,
            true,
        ),
    ];
    let rows = rows.into_iter().map(|(what, then, timeouts, want, head)| {
        tokio::spawn(async move {
            let server = Server::start(vec![then]).await;
            let (url, allow) = (server.url("/save"), loopback());
            let read_cap = if want == Reason::Bomb { 64 << 20 } else { 1 << 20 };
            let got = client()
                .send(Request {
                    timeouts,
                    read_cap,
                    ..request(&url, &allow)
                })
                .await;
            let error = got.expect_err(what);
            assert_eq!(
                (error.stage, error.reason),
                (Stage::Lost, want),
                "{what}: {error}"
            );
            assert_eq!(error.partial.is_some(), head, "{what}");
            assert_eq!(server.requests().len(), 1, "{what}");
        })
    });
    for row in rows.collect::<Vec<_>>() {
        row.await.expect("the row holds");
    }
}

#[tokio::test]
async fn the_head_and_first_bytes_of_a_broken_answer_are_kept() {
    let body = [b"{\"Result\":".as_slice(), &[b'x'; 9000]].concat();
    let mut bytes =
        b"HTTP/1.1 200 OK\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\ncontent-length: 99999\r\n\r\n".to_vec();
    bytes.extend_from_slice(&body);
    let server = Server::start(vec![Then::Close(bytes)]).await;
    let partial = post(&client(), &server)
        .await
        .expect_err("truncated")
        .partial
        .expect("a head came");
    assert_eq!(partial.status, 200);
    assert!(partial.headers.iter().any(|(name, _)| name == "date"));
    assert_eq!(partial.excerpt, body[..transport::EXCERPT]);
}

#[tokio::test]
async fn gzip_is_unpacked_and_can_be_refused() {
    let text = "客户资料".repeat(10_000).into_bytes();
    let packed = answer("200 OK", "content-encoding: gzip\r\n", &gzip(&text));
    let server = Server::start(vec![
        Then::Keep(packed),
        Then::Keep(answer("200 OK", "", b"plain")),
    ])
    .await;
    let client = client();
    assert_eq!(post(&client, &server).await.expect("unpacked").body, text);
    let (url, allow) = (server.url("/"), loopback());
    client
        .send(Request {
            gzip: false,
            ..request(&url, &allow)
        })
        .await
        .expect("plain");
    assert!(server.requests()[1].contains("accept-encoding: identity\r\n"));
}

#[tokio::test]
async fn redirects_are_answers() {
    let elsewhere = Server::start(vec![Then::Keep(answer("200 OK", "", b"never"))]).await;
    for status in [
        "301 Moved",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let location = format!("location: {}\r\n", elsewhere.url("/latest/meta-data/"));
        let server = Server::start(vec![Then::Keep(answer(status, &location, b""))]).await;
        let got = post(&client(), &server).await.expect("the redirect itself");
        assert_eq!(got.status.to_string(), status[..3]);
        assert_eq!(
            got.header("location"),
            Some(elsewhere.url("/latest/meta-data/").as_str())
        );
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

/// The server closes the kept connection after each answer, without saying so: the next request meets a
/// connection that is going away. It may fail as lost, or go out over a new one; it never arrives twice.
#[tokio::test]
async fn a_reused_connection_that_dies_repeats_nothing() {
    for _ in 0..50 {
        let server = Server::start(vec![Then::Close(answer("200 OK", "", b"{}"))]).await;
        let client = client();
        let (mut answered, mut lost) = (0, 0);
        for number in 0..4 {
            let (url, allow) = (server.url(&format!("/save/{number}")), loopback());
            match client.send(request(&url, &allow)).await {
                Ok(_) => answered += 1,
                Err(error) => {
                    assert_eq!(error.stage, Stage::Lost, "{error}");
                    lost += 1;
                }
            }
        }
        let mut seen = server.requests();
        assert!(seen.len() >= answered && seen.len() <= answered + lost);
        seen.dedup();
        assert_eq!(seen.len(), server.requests().len(), "a request arrived twice");
    }
}

/// On a kept connection the second request is read and not answered: whoever has read it may have executed it, so it
/// is lost, and not one byte of it goes out again on another connection.
#[tokio::test]
async fn a_request_that_was_read_on_a_kept_connection_is_not_repeated() {
    for ending in [
        b"".as_slice(),
        b"HTTP/1.1 200 OK\r\ncontent-",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let kept = Then::Keep(answer("200 OK", "", b"{}"));
        let server = Server::start(vec![kept.clone(), Then::Close(ending.to_vec()), kept]).await;
        let client = client();
        let (one, two, allow) = (server.url("/save/1"), server.url("/save/2"), loopback());
        client.send(request(&one, &allow)).await.expect("answered");
        let got = client.send(request(&two, &allow)).await;
        match got {
            // A head without length ends with the connection: that is an answer.
            Ok(answer) => assert!(ending.ends_with(b"\r\n\r\n") && answer.body.is_empty()),
            Err(error) => assert_eq!(error.stage, Stage::Lost, "{error}"),
        }
        client.send(request(&one, &allow)).await.expect("answered");
        let paths: Vec<String> = server
            .requests()
            .iter()
            .map(|text| text.split(' ').nth(1).unwrap_or_default().to_owned())
            .collect();
        assert_eq!(paths, ["/save/1", "/save/2", "/save/1"]);
    }
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_is() {
    let refused = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let dead = refused.local_addr().expect("an address");
    drop(refused);
    let allow = loopback();
    let error = client()
        .send(request(&format!("http://{dead}/"), &allow))
        .await
        .expect_err("refused");
    assert_eq!(
        (error.stage, error.reason),
        (Stage::NotSent, Reason::Connect),
        "{error}"
    );
}

#[tokio::test]
async fn tls_failures_prove_that_nothing_was_sent() {
    // A server that does not speak TLS.
    let plain = Server::start(vec![Then::Close(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())]).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let babbler = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _sent = tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.2\r\n").await;
        }
    });
    let allow = loopback();
    let error = client()
        .send(request(&format!("https://{babbler}/"), &allow))
        .await
        .expect_err("not TLS");
    assert_eq!(
        (error.stage, error.reason),
        (Stage::NotSent, Reason::Tls),
        "{error}"
    );
    assert_eq!(plain.requests().len(), 0);

    // Silence during the handshake is a connect time-out.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("https://{}/", silent.local_addr().expect("an address"));
    let timeouts = Timeouts {
        connect: SHORT,
        ..timeouts()
    };
    let error = client()
        .send(Request {
            timeouts,
            ..request(&url, &allow)
        })
        .await
        .expect_err("silent");
    assert_eq!(
        (error.stage, error.reason),
        (Stage::NotSent, Reason::ConnectTimeout),
        "{error}"
    );
}

#[tokio::test]
async fn tls_with_a_company_authority() {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let der = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key");
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_no_client_auth()
            .with_single_cert(vec![der.clone()], key)
            .expect("key and certificate fit");
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let mut bytes = [0; 4096];
                let _read = tokio::io::AsyncReadExt::read(&mut stream, &mut bytes).await;
                let _sent =
                    tokio::io::AsyncWriteExt::write_all(&mut stream, &answer("200 OK", "", b"safe")).await;
                let _closed = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
            }
        }
    });

    let allow = loopback();
    let error = client()
        .send(request(&url, &allow))
        .await
        .expect_err("an unknown authority");
    assert_eq!(
        (error.stage, error.reason),
        (Stage::NotSent, Reason::Tls),
        "{error}"
    );

    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
    let pem = format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let settings = Settings {
        extra_roots_pem: pem.into_bytes(),
        ..Settings::default()
    };
    let trusting = settings.clone();
    let got = Client::new(settings)
        .expect("good PEM")
        .send(request(&url, &allow))
        .await
        .expect("trusted");
    assert_eq!(got.body, b"safe");

    // The very certificate by its digest, another one, and none looked at.
    let digest: [u8; 32] =
        sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &der)).into();
    let mut other = digest;
    other[31] ^= 1;
    for (trust, good) in [
        (Trust::Certificate(digest), true),
        (Trust::Certificate(other), false),
        (Trust::Anyone, true),
        (Trust::Authorities, false),
    ] {
        let settings = Settings {
            trust,
            ..Settings::default()
        };
        let got = Client::new(settings)
            .expect("good")
            .send(request(&url, &allow))
            .await;
        match (got, good) {
            (Ok(got), true) => assert_eq!(got.body, b"safe"),
            (Err(error), false) => assert_eq!((error.stage, error.reason), (Stage::NotSent, Reason::Tls)),
            (got, _) => panic!("{trust:?}: {got:?}"),
        }
    }

    // Through a proxy that sees whom the call is for and nothing of it; the allow-list judges that host all the same.
    let proxy = tunnel().await;
    let settings = Settings {
        proxy: Some(proxy.url.clone()),
        proxy_login: Some(("office".to_owned(), "canary-proxy".to_owned())),
        trust: Trust::Certificate(digest),
        ..Settings::default()
    };
    let through = Client::new(settings).expect("good");
    let got = through
        .send(request(&url, &allow))
        .await
        .expect("through the tunnel");
    assert_eq!(got.body, b"safe");
    let elsewhere = AllowList::parse(["erp.example.com"]).expect("good");
    let error = through
        .send(request(&url, &elsewhere))
        .await
        .expect_err("not its host");
    assert_eq!(error.reason, Reason::NotAllowed);
    let heads = proxy.heads.lock().expect("sound").clone();
    assert_eq!(heads.len(), 1, "{heads:?}");
    let address = url.trim_start_matches("https://").trim_end_matches('/');
    assert!(
        heads[0].starts_with(&format!("CONNECT {address} HTTP/1.1\r\n")),
        "{heads:?}"
    );
    let login = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, "office:canary-proxy");
    assert!(heads[0].contains(&format!("Basic {login}")), "{heads:?}");

    let [dns, tcp, tls] = client().probe(&url, &allow, SECOND).await;
    assert_eq!(dns.seen, Seen::NotMade(Why::Address));
    assert!(matches!(tcp.seen, Seen::Good(_)), "{tcp:?}");
    assert!(
        matches!(&tls.seen, Seen::Bad(error) if error.reason == Reason::Tls),
        "{tls:?}"
    );
    let [_, _, tls] = Client::new(trusting)
        .expect("good PEM")
        .probe(&url, &allow, SECOND)
        .await;
    assert_eq!(tls.seen, Seen::Good("TLSv1.3".to_owned()));
}

/// A proxy that carries bytes to and fro, and the heads it was sent.
struct Tunnel {
    url: String,
    heads: Arc<std::sync::Mutex<Vec<String>>>,
}

async fn tunnel() -> Tunnel {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let heads = Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") && head.len() < 4096 {
                    head.push(near.read_u8().await.expect("a whole head"));
                }
                let head = String::from_utf8(head).expect("a head is text");
                let target = head.split(' ').nth(1).expect("a target").to_owned();
                let is_tunnel = head.starts_with("CONNECT ");
                seen.lock().expect("sound").push(head);
                if !is_tunnel {
                    return;
                }
                let mut far = tokio::net::TcpStream::connect(target).await.expect("the server");
                near.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    .await
                    .expect("it listens");
                let _ended = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    Tunnel { url, heads }
}

/// Every step of a look is told: made, failed, or why it was not made.
#[tokio::test]
async fn a_server_is_looked_at_step_by_step() {
    let server = Server::start(Vec::new()).await;
    let port = server.address.port();
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = free.local_addr().expect("an address").port();
    drop(free);
    let client = with_names(&[
        ("erp.example.com", &["127.0.0.1"]),
        ("meta.example.com", &["169.254.169.254"]),
    ]);
    let proxied = Client::new(Settings {
        proxy: Some("http://proxy.example.com:3128".to_owned()),
        ..Settings::default()
    });
    let proxied = proxied.expect("good settings");
    let words = |seen: &Seen| match seen {
        Seen::Good(_) => "good".to_owned(),
        Seen::Bad(error) => error.reason.as_str().to_owned(),
        Seen::NotMade(why) => format!("{why:?}"),
    };
    let names = [
        "127.0.0.1",
        "erp.example.com",
        "meta.example.com",
        "none.example.com",
    ];
    let allow = AllowList::parse(names).expect("good entries").plain_http(true);
    for (client, url, want) in [
        (
            &client,
            format!("http://127.0.0.1:{port}"),
            ["Address", "good", "Plain"],
        ),
        (
            &client,
            format!("http://127.0.0.1:{closed}"),
            ["Address", "connect", "Before"],
        ),
        (
            &client,
            "http://none.example.com".to_owned(),
            ["dns", "Before", "Before"],
        ),
        (
            &client,
            "http://meta.example.com".to_owned(),
            ["not_allowed", "Before", "Before"],
        ),
        (
            &client,
            "http://elsewhere.example.com".to_owned(),
            ["not_allowed", "Before", "Before"],
        ),
        (
            &proxied,
            "http://erp.example.com".to_owned(),
            ["Proxy", "Proxy", "Proxy"],
        ),
    ] {
        let got = client.probe(&url, &allow, SECOND).await;
        assert_eq!(got.each_ref().map(|step| words(&step.seen)), want, "{url}");
        let goes_on = got.iter().all(transport::Step::goes_on);
        assert_eq!(goes_on, want[2] != "Before", "{url}");
    }
}

struct Table(HashMap<&'static str, Vec<&'static str>>);

impl Lookup for Table {
    fn lookup<'a>(&'a self, host: &'a str) -> Found<'a> {
        Box::pin(async move {
            let found = self.0.get(host).ok_or_else(|| io::Error::other("no such name"))?;
            Ok(found
                .iter()
                .map(|text| text.parse::<IpAddr>().expect("an address of the test"))
                .collect())
        })
    }
}

fn with_names(rows: &[(&'static str, &[&'static str])]) -> Client {
    let table = rows.iter().map(|(name, found)| (*name, found.to_vec())).collect();
    Client::new(Settings {
        lookup: Arc::new(Table(table)),
        ..Settings::default()
    })
    .expect("good settings")
}

/// Names that resolve to where nobody may go; the server behind them must not see so much as a connection.
#[tokio::test]
async fn resolved_addresses_are_checked() {
    let server = Server::start(vec![Then::Keep(answer("200 OK", "", b"inside"))]).await;
    let port = server.address.port();
    let client = with_names(&[
        ("rebound.example.com", &["127.0.0.1"]),
        ("mapped.example.com", &["::ffff:127.0.0.1"]),
        ("lan.example.com", &["10.0.0.7"]),
        ("metadata.example.com", &["169.254.169.254"]),
        ("nowhere.example.com", &[]),
        ("mixed.example.com", &["169.254.169.254", "127.0.0.1"]),
    ]);
    let all = ["*.example.com"].as_slice();
    let with_loopback = ["*.example.com", "127.0.0.1"].as_slice();
    for (host, list, want) in [
        ("rebound.example.com", all, Some(Reason::NotAllowed)),
        ("mapped.example.com", all, Some(Reason::NotAllowed)),
        ("lan.example.com", all, Some(Reason::NotAllowed)),
        ("metadata.example.com", with_loopback, Some(Reason::NotAllowed)),
        ("nowhere.example.com", all, Some(Reason::Dns)),
        ("unknown.example.com", all, Some(Reason::Dns)),
        ("other.example.net", all, Some(Reason::NotAllowed)),
        ("rebound.example.com", with_loopback, None),
        ("mixed.example.com", with_loopback, None),
    ] {
        let allow = AllowList::parse(list).expect("good entries").plain_http(true);
        let before = server.requests().len();
        let got = client
            .send(request(&format!("http://{host}:{port}/"), &allow))
            .await;
        assert_eq!(
            got.as_ref().err().map(|error| error.reason),
            want,
            "{host}: {got:?}"
        );
        if let Err(error) = got {
            assert_eq!(error.stage, Stage::NotSent, "{host}");
            assert_eq!(server.requests().len(), before, "{host}");
        }
    }
}

/// What was checked is what is connected to: a name that answers otherwise the next time is checked anew, and an open
/// connection does not carry a later answer.
#[tokio::test]
async fn a_name_that_changes_its_mind_is_checked_each_time() {
    /// Each look-up takes the next answer; the last one stays.
    struct Rebinding(std::sync::Mutex<Vec<&'static str>>);
    impl Lookup for Rebinding {
        fn lookup<'a>(&'a self, _host: &'a str) -> Found<'a> {
            let mut answers = self.0.lock().expect("no test panics while holding it");
            let next = if answers.len() > 1 {
                answers.remove(0)
            } else {
                answers[0]
            };
            Box::pin(async move { Ok(vec![next.parse::<IpAddr>().expect("an address of the test")]) })
        }
    }
    let inside = Server::start(vec![Then::Close(answer(
        "200 OK",
        "connection: close\r\n",
        b"{}",
    ))])
    .await;
    let port = inside.address.port();
    let client = Client::new(Settings {
        lookup: Arc::new(Rebinding(std::sync::Mutex::new(vec![
            "127.0.0.1",
            "127.0.0.2",
            "127.0.0.1",
            "169.254.169.254",
            "10.0.0.7",
            "::1",
            "127.0.0.1",
        ]))),
        ..Settings::default()
    })
    .expect("good settings");
    let allow = AllowList::parse(["erp.example.com", "127.0.0.1"])
        .expect("good")
        .plain_http(true);
    let mut seen = Vec::new();
    for _ in 0..7 {
        let url = format!("http://erp.example.com:{port}/");
        let got = client.send(request(&url, &allow)).await;
        seen.push(got.map(|_| ()).map_err(|error| error.reason));
    }
    let no = Err(Reason::NotAllowed);
    assert_eq!(seen, [Ok(()), no, Ok(()), no, no, no, Ok(())]);
    assert_eq!(inside.requests().len(), 3);
}

/// A host name inside a company's network is reached when the connection says that it lives there, and even then
/// neither this machine nor what stands on link-local addresses is.
#[tokio::test]
async fn a_private_network_needs_a_word_and_does_not_mean_this_machine() {
    let server = Server::start(vec![Then::Keep(answer("200 OK", "", b"inside"))]).await;
    let client = with_names(&[
        ("near.example.com", &["127.0.0.1"]),
        ("metadata.example.com", &["169.254.169.254"]),
    ]);
    let allow = AllowList::parse(["*.example.com"])
        .expect("good")
        .plain_http(true)
        .private_network(true);
    for host in ["near.example.com", "metadata.example.com"] {
        let url = format!("http://{host}:{}/", server.address.port());
        let error = client.send(request(&url, &allow)).await.expect_err("blocked");
        assert_eq!((error.stage, error.reason), (Stage::NotSent, Reason::NotAllowed));
    }
    assert_eq!(server.requests().len(), 0);
}

/// An open connection made under one allow-list is not reused under another that forbids it.
#[tokio::test]
async fn pools_are_not_shared_between_allow_lists() {
    let server = Server::start(vec![Then::Keep(answer("200 OK", "", b"{}"))]).await;
    let client = with_names(&[("erp.example.com", &["127.0.0.1"])]);
    let url = format!("http://erp.example.com:{}/", server.address.port());
    let open = AllowList::parse(["erp.example.com", "127.0.0.1"])
        .expect("good")
        .plain_http(true);
    client.send(request(&url, &open)).await.expect("permitted");
    let closed = AllowList::parse(["erp.example.com"])
        .expect("good")
        .plain_http(true);
    let error = client.send(request(&url, &closed)).await.expect_err("forbidden");
    assert_eq!(error.reason, Reason::NotAllowed);
}

#[tokio::test]
async fn a_proxy_is_used_only_when_asked() {
    let proxy = Server::start(vec![Then::Keep(answer("200 OK", "", b"by proxy"))]).await;
    let settings = Settings {
        proxy: Some(proxy.url("")),
        ..Settings::default()
    };
    let allow = AllowList::parse(["erp.example.com"])
        .expect("good")
        .plain_http(true);
    let got = Client::new(settings)
        .expect("good")
        .send(request("http://erp.example.com/x", &allow))
        .await;
    assert_eq!(got.expect("through the proxy").body, b"by proxy");
    assert!(proxy.requests()[0].starts_with("POST http://erp.example.com/x HTTP/1.1"));
    assert!(
        Client::new(Settings {
            proxy: Some("::".into()),
            ..Settings::default()
        })
        .is_err()
    );
}

/// What an error says may land in a log: the address with its query and the headers are not in it.
#[tokio::test]
async fn errors_tell_no_secrets() {
    let server = Server::start(vec![Then::Close(vec![])]).await;
    let headers = [("authorization".to_owned(), "Bearer canary-token".to_owned())];
    let bad = [("authorization".to_owned(), "canary-token\n".to_owned())];
    let allow = loopback();
    let lost = server.url("/save?sign=canary-sign");
    let gone = "http://127.0.0.1:1/save?sign=canary-sign";
    for (url, headers) in [(lost.as_str(), &headers), (gone, &headers), (lost.as_str(), &bad)] {
        let error = client()
            .send(Request {
                headers,
                ..request(url, &allow)
            })
            .await
            .expect_err("fails");
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    }
}

/// A `{:?}` in a log or a panic shows nothing of a request or an answer but where and how large.
#[tokio::test]
async fn what_is_sent_and_answered_prints_nothing() {
    let headers = [("authorization".to_owned(), "Bearer canary-token".to_owned())];
    let allow = loopback();
    let half = "HTTP/1.1 200 OK\r\nset-cookie: canary=1\r\ncontent-length: 99\r\n\r\ncanary-session";
    let server = Server::start(vec![
        Then::Keep(answer("200 OK", "set-cookie: canary=1\r\n", b"canary-session")),
        Then::Close(half.as_bytes().to_vec()),
    ])
    .await;
    let url = server.url("/login/canary?sign=canary");
    let sent = Request {
        headers: &headers,
        body: b"canary-password".to_vec(),
        ..request(&url, &allow)
    };
    let shown = format!("{sent:?}");
    let whole = client().send(sent.clone()).await.expect("an answer");
    let broken = client().send(sent).await.expect_err("half an answer");
    assert!(broken.partial.is_some());
    let unread = Request {
        url: "canary, not an address",
        ..request(&url, &allow)
    };
    for text in [
        shown,
        format!("{whole:?}"),
        format!("{broken:?}"),
        format!("{unread:?}"),
    ] {
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn every_reason_has_one_stage_and_one_word() {
    let mut words: Vec<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Reason::ALL.len());
    let not_sent = Reason::ALL
        .iter()
        .filter(|reason| reason.stage() == Stage::NotSent)
        .count();
    assert_eq!(
        not_sent, 6,
        "a reason was moved between the stages: is it proven that nothing went out?"
    );
}
