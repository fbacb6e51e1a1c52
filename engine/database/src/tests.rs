//! Exchanges with a file, and pages of rows.

use std::time::Duration;

use jiff::tz::TimeZone;
use transport::{AllowList, Reason, Stage, Timeouts};

use crate::cell::Cell;
use crate::session::Rows;
use crate::statement::{Statement, parse};
use crate::{Databases, Driver, Place, answer};

pub(crate) fn place(path: &str) -> Place {
    Place {
        driver: Driver::Sqlite,
        host: String::new(),
        port: 0,
        name: path.to_owned(),
        user: String::new(),
        password: String::new(),
        tls: false,
        trust: transport::Trust::default(),
        authorities: Vec::new(),
        moves: false,
        zone: TimeZone::UTC,
        allow: AllowList::default(),
        patience: Duration::from_secs(5),
    }
}

fn page(rows: &[&[Cell]], columns: &[&str], read: &str) -> String {
    let Ok(Statement::Read(read)) = parse(read.as_bytes()) else {
        panic!("{read}");
    };
    let rows = Rows {
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows: rows.iter().map(|row| row.to_vec()).collect(),
        with_offset: Vec::new(),
    };
    answer::rows(&read, rows, &TimeZone::UTC).unwrap_or_else(|refused| refused.text())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn number(digits: &str) -> Cell {
    Cell::Number(digits.to_owned())
}

/// Two rows a page, and the third that says there is more.
const LISTS: &str = r#"{"read": {"sql": "", "binds": [], "limit": 2, "keys": 2, "rows": "lists"}}"#;

#[test]
fn where_the_next_page_begins() {
    let columns = ["no", "changed", "id"];
    let row = |no: &str, changed: &str, id: &str| [text(no), text(changed), number(id)];
    let (a, b, c) = (
        row("A", "08:00", "1"),
        row("B", "08:00", "2"),
        row("C", "08:01", "1"),
    );
    assert_eq!(page(&[&a], &columns, LISTS), r#"{"rows":[["A"]]}"#);
    assert_eq!(page(&[&a, &b], &columns, LISTS), r#"{"rows":[["A"],["B"]]}"#);
    assert_eq!(
        page(&[&a, &b, &c], &columns, LISTS),
        r#"{"rows":[["A"],["B"]],"next":"[\"08:00\",2]"}"#
    );
    // The row behind the page would be left out by a page that begins behind its twin.
    let told = page(&[&a, &b, &b], &columns, LISTS);
    assert!(told.contains("same_key"), "{told}");
    let nobody = [text("D"), text("08:02"), Cell::Null];
    let told = page(&[&a, &nobody], &columns, LISTS);
    assert!(told.contains("null_key") && told.contains("\"id\""), "{told}");
}

#[test]
fn rows_of_a_select_of_ones_own() {
    let read =
        |more: &str| format!(r#"{{"read": {{"sql": "", "binds": [], "limit": 1, "rows": "maps"{more}}}}}"#);
    let rows: [&[Cell]; 2] = [&[number("1"), text("x\u{1}\"")], &[number("2"), Cell::Null]];
    let columns = ["ID", "note"];
    assert_eq!(
        page(&rows, &columns, &read(r#", "by": ["id"], "paged": true"#)),
        r#"{"rows":[{"ID":1,"note":"x\u0001\""}],"next":"[1]"}"#
    );
    // Without pages, rows that do not fit are no page.
    assert!(page(&rows, &columns, &read("")).contains("too_many_rows"));
    assert!(page(&rows, &columns, &read(r#", "by": ["no"], "paged": true"#)).contains("no_key"));
    assert_eq!(
        page(&rows[..1], &columns, &read("")),
        r#"{"rows":[{"ID":1,"note":"x\u0001\""}]}"#
    );
}

#[test]
fn values_as_json() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let moment = Cell::Moment("2026-11-20T00:15:00.25Z".parse().unwrap());
    for (cell, want) in [
        (Cell::decimal("19.90".to_owned()), "19.90"),
        (Cell::decimal("-0.0".to_owned()), "-0.0"),
        (Cell::decimal("007".to_owned()), "\"007\""),
        (Cell::decimal("NaN".to_owned()), "\"NaN\""),
        (Cell::float(0.1), "0.1"),
        (Cell::float(1e21), "1000000000000000000000"),
        (Cell::float(f64::INFINITY), "\"inf\""),
        (Cell::short_float(0.1), "0.1"),
        (Cell::Bool(false), "false"),
        (Cell::Bytes(vec![0, 1, 255]), "\"AAH/\""),
        (moment.clone(), "\"2026-11-20 08:15:00.25\""),
    ] {
        let mut out = String::new();
        cell.write(&mut out, &zone);
        assert_eq!(out, want);
    }
    let mut key = String::new();
    moment.write_key(&mut key);
    assert_eq!(key, "\"2026-11-20 00:15:00.25+00:00\"", "whatever a clock says");
}

/// A file with a table, and a place before it.
fn file() -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    let open = rusqlite::Connection::open(&path).unwrap();
    open.execute_batch("CREATE TABLE t (no TEXT, qty INT CHECK (qty <> 13))")
        .unwrap();
    (folder, place(&path.display().to_string()))
}

fn write(steps: &[(&str, &str)]) -> String {
    let steps: Vec<String> = steps
        .iter()
        .map(|(sql, more)| format!(r#"{{"sql": "{sql}", "binds": []{more}}}"#))
        .collect();
    format!(
        r#"{{"write": {{"probe": "SELECT 1 FROM notes WHERE 1 = 0", "make": "CREATE TABLE notes (k TEXT PRIMARY KEY)",
        "steps": [{}], "ids": ["A"]}}}}"#,
        steps.join(",")
    )
}

async fn send(place: &Place, statement: &str) -> String {
    let databases = Databases::default();
    let sent = databases.send(place, statement.as_bytes(), Timeouts::default(), 1 << 20);
    match sent.await {
        Ok(answer) => String::from_utf8(answer).unwrap(),
        Err(error) => format!("{:?} {:?}", error.stage, error.reason),
    }
}

async fn count(place: &Place, table: &str) -> String {
    let read = format!(
        r#"{{"read": {{"sql": "SELECT count(*) FROM {table}", "binds": [], "limit": 1, "rows": "lists"}}}}"#
    );
    send(place, &read).await
}

#[tokio::test]
async fn a_write_is_everything_or_nothing() {
    let (_folder, place) = file();
    let note = ("INSERT INTO notes VALUES ('A')", r#", "of": "note""#);
    let row = ("INSERT INTO t VALUES ('A', 1)", "");
    assert_eq!(
        send(&place, &write(&[row, note])).await,
        r#"{"items":[{"index":0,"id":"A"}]}"#
    );
    // Noted already: the row that came before it is taken back, and the answer says what was refused.
    let told = send(&place, &write(&[row, note])).await;
    assert!(
        told.contains(r#""of":"note""#) && told.contains("UNIQUE"),
        "{told}"
    );
    let bad = ("INSERT INTO t VALUES ('B', 13)", "");
    let told = send(&place, &write(&[("INSERT INTO notes VALUES ('B')", ""), bad])).await;
    assert!(told.contains("CHECK"), "{told}");
    // What must not be there is.
    let guard = ("SELECT 1 FROM t", r#", "none": "t is not empty""#);
    let told = send(&place, &write(&[row, guard])).await;
    assert!(
        told.contains(r#""code":"guard","message":"t is not empty""#),
        "{told}"
    );
    assert_eq!(count(&place, "t").await, r#"{"rows":[[1]]}"#);
    assert_eq!(count(&place, "notes").await, r#"{"rows":[[1]]}"#);
}

#[tokio::test]
async fn what_proves_that_nothing_happened() {
    let (folder, place) = file();
    let row = ("INSERT INTO t VALUES ('A', 1)", "");
    let nowhere = place_of(&folder, "nothing.db");
    assert_eq!(send(&nowhere, &write(&[row])).await, "NotSent Connect");
    std::fs::write(
        folder.path().join("text.db"),
        "no database, only a text of some length",
    )
    .unwrap();
    assert_eq!(
        send(&place_of(&folder, "text.db"), &write(&[row])).await,
        "NotSent Connect"
    );
    assert_eq!(send(&place, "{}").await, "NotSent BadRequest");
    assert_eq!(
        send(&place, r#"{"write": {"steps": []}}"#).await,
        "NotSent BadRequest"
    );
    // Time that is over before the COMMIT goes out.
    let slow = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 100000000) SELECT count(*) FROM c";
    let hurry = Timeouts {
        total: Duration::from_millis(300),
        ..Timeouts::default()
    };
    let guard = (slow, r#", "none": "x""#);
    let statement = write(&[row, guard]);
    let sent = Databases::default()
        .send(&place, statement.as_bytes(), hurry, 1 << 20)
        .await;
    let error = sent.unwrap_err();
    assert_eq!(
        (error.stage, error.reason),
        (Stage::NotSent, Reason::TotalTimeout)
    );
}

fn place_of(folder: &tempfile::TempDir, name: &str) -> Place {
    place(&folder.path().join(name).display().to_string())
}

/// A page of more bytes than are read is none.
#[tokio::test]
async fn answers_have_a_bound() {
    let (_folder, place) = file();
    let read =
        r#"{"read": {"sql": "SELECT hex(randomblob(4000))", "binds": [], "limit": 1, "rows": "lists"}}"#;
    let sent = Databases::default()
        .send(&place, read.as_bytes(), Timeouts::default(), 1000)
        .await;
    assert_eq!(sent.unwrap_err().reason, Reason::TooLarge);
}

/// A server that hears what comes first, and says what it is told to; gives what came after that.
fn server(hello: &'static [u8], answer: &'static [u8]) -> (u16, std::thread::JoinHandle<Vec<u8>>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Whoever holds the connection open says nothing more than was heard by then.
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream.write_all(hello).unwrap();
        let mut first = [0; 8];
        if !answer.is_empty() {
            stream.read_exact(&mut first).unwrap();
            stream.write_all(answer).unwrap();
        }
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest));
        rest
    });
    (port, heard)
}

/// A connection that is to be encrypted is never made without: neither where the server says that it has no encryption,
/// nor where it shows no certificate.
#[tokio::test]
async fn nothing_is_said_in_the_open() {
    // Protocol 10, version, thread, eight bytes of a nonce, abilities without SSL, charset, state, and the rest of them.
    const MYSQL: &[u8] = b"\x4a\0\0\0\x0a8.0.36\0\x01\0\0\0ABCDEFGH\0\x08\x82\x2d\x02\0\x08\0\x15\0\0\0\0\0\0\0\0\0\0IJKLMNOPQRST\0mysql_native_password\0";
    for (driver, hello, answer) in [
        (Driver::Postgresql, &b""[..], &b"N"[..]),
        (Driver::Postgresql, b"", b"Sno handshake at all, but some words"),
        (Driver::Mysql, MYSQL, b""),
    ] {
        let (port, heard) = server(hello, answer);
        let place = Place {
            driver,
            host: "127.0.0.1".to_owned(),
            port,
            name: "erp".to_owned(),
            user: "somebody".to_owned(),
            password: "canary-password".to_owned(),
            tls: true,
            allow: AllowList::parse([format!("127.0.0.1:{port}")]).unwrap(),
            ..self::place("")
        };
        let told = send(
            &place,
            r#"{"read": {"sql": "SELECT 1", "binds": [], "limit": 1, "rows": "lists"}}"#,
        )
        .await;
        assert_eq!(told, "NotSent Tls", "{driver:?}");
        // The other end is closed by this thread.
        let heard = tokio::task::spawn_blocking(|| heard.join().unwrap())
            .await
            .unwrap();
        let heard = String::from_utf8_lossy(&heard);
        assert!(
            !heard.contains("somebody") && !heard.contains("canary"),
            "{driver:?}: {heard}"
        );
    }
}
