//! Databases: real servers of our own, and the real binary that reads from them and writes to them.
//!
//! Truth is what stands in the tables. Answers are lost by a proxy that knows what a COMMIT looks like; processes are
//! killed at named instants. `cargo xtask test` installs the servers; on a machine without them these tests fail and say
//! which package is missing.

#![cfg(target_os = "linux")]

mod desk;
mod imported;
mod made;
mod outbox;
mod proxy;
mod server;

use desk::Desk;
use proxy::Cut;
use server::Server;

/// Orders of the source.
const ORDERS: i64 = 60;

#[test]
fn mariadb() {
    let server = Server::mariadb();
    everything(&server);
    a_number_is_no_key_among_texts(&server);
}

#[test]
fn postgresql() {
    everything(&Server::postgresql());
}

/// A file has no connection that could be lost: processes that are killed show the rest.
#[test]
fn sqlite() {
    let file = Server::sqlite();
    pages_leave_nothing_out(&file);
    a_refused_row_is_told_and_the_others_are_written(&file);
    processes_are_killed(&file);
    notes_of_others_prove_nothing(&file);
}

/// A content is taken once, whatever its name; a row that cannot be read is dead and keeps nobody from being written.
#[test]
fn files_of_a_folder() {
    let target = Server::sqlite();
    target.tables("PRIMARY KEY");
    let desk = Desk::of(&target, None);
    desk.inbox("a.csv", b"no,qty\n00123,2\nbroken\n00124,3\n");
    let counts = desk.take_in(1);
    assert_eq!(
        (&counts["done"], &counts["dead"]),
        (&2.into(), &1.into()),
        "{counts}"
    );
    // The same content, and one row more.
    desk.inbox("copy of a.csv", b"no,qty\n00123,2\nbroken\n00124,3\n");
    desk.inbox("b.csv", "no,qty\n单-1,1\n".as_bytes());
    desk.take_in(0);
    assert_eq!(target.count("SELECT COUNT(*) FROM orders"), 3);
    assert_eq!(target.count("SELECT COUNT(*) FROM engine_attempts"), 3);
    assert_eq!(
        target.count("SELECT COUNT(*) FROM orders WHERE order_no = '00123'"),
        1
    );
}

/// One server for all of it: a server takes seconds to set up.
fn everything(server: &Server) {
    values_keep_their_digits(server);
    pages_leave_nothing_out(server);
    a_refused_row_is_told_and_the_others_are_written(server);
    answers_are_lost(server);
    processes_are_killed(server);
    notes_of_others_prove_nothing(server);
    what_is_shown_before_anything_is_written(server);
    who_is_not_let_in(server);
}

/// What a table holds comes as it is: digits, nulls, zeros in front, instants in the declared zone.
fn values_keep_their_digits(server: &Server) {
    let types = server.types();
    server.run(&format!(
        "CREATE TABLE things (id BIGINT PRIMARY KEY, code VARCHAR(40), money DECIMAL(20,4), small SMALLINT, \
         ratio {}, at {}, moment {}, raw {}, flag {}, day DATE)",
        types.double, types.clock, types.instant, types.bytes, types.boolean
    ));
    server.run(&format!(
        "INSERT INTO things VALUES (9223372036854775806, '00123', 12345678901234.5000, -7, 0.1, \
         '2026-11-20 08:15:00.250', {}, {}, {}, '2026-11-20')",
        types.a_moment, types.some_bytes, types.truth
    ));
    server.run("INSERT INTO things (id, code) VALUES (1, '中文 ''quoted'' \u{1f600}')");
    let desk = Desk::of(server, None);
    let rows = desk.rows(
        "rows",
        "{table: things, key: [id]}",
        "[id, code, money, small, ratio, at, moment, raw, flag, day]",
    );
    assert_eq!(
        rows,
        [
            r#"{"id":1,"code":"中文 'quoted' 😀","money":null,"small":null,"ratio":null,"at":null,"moment":null,"raw":null,"flag":null,"day":null}"#.to_owned(),
            format!(
                r#"{{"id":9223372036854775806,"code":"00123","money":12345678901234.5000,"small":-7,"ratio":0.1,"at":"2026-11-20 08:15:00.25","moment":"2026-11-20 08:15:00","raw":"AAH/","flag":{},"day":"2026-11-20"}}"#,
                types.flag
            ),
        ]
    );
    // Bytes are no text that a next page could begin behind.
    let told = desk.refused_read("{table: things, key: [raw]}", "[id]", "at", 7);
    assert!(told.contains("binary_key"), "{told}");
}

/// Many rows of one second, ids that no float holds: every page begins behind the last row of the page before.
fn pages_leave_nothing_out(server: &Server) {
    let types = server.types();
    server.run(&format!(
        "CREATE TABLE source (id BIGINT PRIMARY KEY, no VARCHAR(40) NOT NULL, amount DECIMAL(12,2), changed {})",
        types.clock
    ));
    let rows: Vec<String> = (0..ORDERS)
        .map(|nth| {
            let second = nth / 25;
            format!(
                "({}, 'SO-{nth:03}', {nth}.50, '2026-11-20 08:00:0{second}')",
                9_007_199_254_740_992 + nth
            )
        })
        .collect();
    server.run(&format!("INSERT INTO source VALUES {}", rows.join(", ")));
    let desk = Desk::of(server, None);
    let read = desk.read_window("{table: source, key: [id]}", "[id, no, amount]", "changed", 7);
    assert_eq!(read, ORDERS);
    // A SELECT of one's own, over the same stretch.
    let read = desk.read_query(
        "SELECT id, no FROM source WHERE changed >= :from AND changed < :to AND (id > :after OR :after IS NULL) \
         ORDER BY id LIMIT :limit",
        7,
    );
    assert_eq!(read, ORDERS);
    // A key that two rows share would hide one of them: nothing is read to its end.
    let told = desk.refused_read("{table: source, key: [changed]}", "[id]", "changed", 7);
    assert!(told.contains("same_key"), "{told}");
}

/// The database's own words reach the record; the others of its batch are written.
fn a_refused_row_is_told_and_the_others_are_written(server: &Server) {
    server.tables("PRIMARY KEY");
    let desk = Desk::of(server, None);
    desk.orders_with_a_bad_one(ORDERS);
    let ran = desk.copy("upsert", 1);
    assert!(ran.contains("sane"), "{ran}");
    assert_eq!(server.count("SELECT COUNT(*) FROM orders"), ORDERS - 1);
    assert_eq!(server.count("SELECT COUNT(*) FROM engine_attempts"), ORDERS - 1);
    server.drop_tables();
}

/// COMMITs whose answer is lost, before the server saw them and after: each order once, its lines once.
fn answers_are_lost(server: &Server) {
    for operation in ["upsert", "insert"] {
        for (cut, at) in [
            (Cut::Before, 1),
            (Cut::After, 1),
            (Cut::After, 3),
            (Cut::Before, 4),
            (Cut::After, 6),
        ] {
            server.tables(key_of(operation));
            let proxy = proxy::start(server.port(), cut, at);
            let desk = Desk::of(server, Some(proxy.port()));
            desk.orders(ORDERS);
            desk.copy(operation, 0);
            assert_eq!(proxy.cuts(), 1, "{operation} {cut:?} {at}");
            judge(server, &format!("{operation} {cut:?} {at}"));
            // Nothing is left to be done.
            desk.verify();
            server.drop_tables();
        }
    }
}

/// The engine is killed around every effect; whoever comes after it finishes the work.
fn processes_are_killed(server: &Server) {
    for operation in ["upsert", "insert"] {
        for point in [
            "claim:before:2",
            "claim:after:2",
            "call_create:before:2",
            "call_create:after:2",
            "settle:before:2",
            "settle:after:2",
        ] {
            server.tables(key_of(operation));
            let desk = Desk::of(server, None);
            desk.orders(ORDERS);
            desk.killed(operation, &format!("{point}:abort"));
            desk.copy(operation, 0);
            judge(server, &format!("{operation} {point}"));
            desk.verify();
            server.drop_tables();
        }
    }
}

/// MySQL takes 7 for the text '07' as well, which is another order: nothing is written. A column of numbers has no such
/// neighbours.
fn a_number_is_no_key_among_texts(server: &Server) {
    server.tables("PRIMARY KEY");
    server.run("INSERT INTO orders VALUES ('07', 1.00, 1)");
    let desk = Desk::of(server, None);
    desk.orders(ORDERS);
    desk.with_numbers_for_keys();
    let told = desk.copy("upsert", 3);
    assert!(told.contains("0123"), "{told}");
    let alone = "SELECT COUNT(*) FROM orders WHERE order_no = '07' AND amount = 1.00";
    assert_eq!(
        (server.count(alone), server.count("SELECT COUNT(*) FROM orders")),
        (1, 1)
    );
    server.run("DELETE FROM orders");
    for table in ["orders", "order_lines"] {
        server.run(&format!("ALTER TABLE {table} MODIFY order_no BIGINT"));
    }
    desk.copy("upsert", 0);
    judge(server, "keys that are numbers");
    server.drop_tables();
}

/// Orders of which a note of somebody else tells: of an engine with another ledger, or of a life that was forgotten. It
/// is no proof of a send of ours, which never reached the server.
fn notes_of_others_prove_nothing(server: &Server) {
    let noted = || {
        server.run(
            "CREATE TABLE engine_attempts (target VARCHAR(128) NOT NULL, doc_key VARCHAR(400) NOT NULL, \
             attempt VARCHAR(64) NOT NULL, doc_id VARCHAR(400), \
             written_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (target, doc_key))",
        );
        for nth in 0..10 {
            server.run(&format!(
                "INSERT INTO engine_attempts (target, doc_key, attempt, doc_id) \
                 VALUES ('orders', '[\"SO-{nth:03}\"]', 'another', 'SO-{nth:03}')"
            ));
        }
    };
    // What takes the place of what is there is sent again; what is only inserted is left to a person.
    for (operation, code, written) in [("upsert", 0, ORDERS), ("insert", 1, ORDERS - 10)] {
        server.tables(key_of(operation));
        noted();
        let desk = Desk::of(server, None);
        desk.orders(ORDERS);
        desk.killed(operation, "call_create:before:1:abort");
        let told = desk.copy(operation, code);
        assert_eq!(
            server.count("SELECT COUNT(*) FROM orders"),
            written,
            "{operation}: {told}"
        );
        desk.verify();
        server.drop_tables();
    }
    if server.port() > 0 {
        server.tables("PRIMARY KEY");
        noted();
        let proxy = proxy::start(server.port(), Cut::Before, 1);
        let desk = Desk::of(server, Some(proxy.port()));
        desk.orders(ORDERS);
        desk.copy("upsert", 0);
        assert_eq!(proxy.cuts(), 1);
        judge(server, "a COMMIT that never came, and old notes");
        server.drop_tables();
    }
}

/// What is only inserted goes into a table that nothing keeps from taking an order twice.
fn key_of(operation: &str) -> &'static str {
    match operation {
        "insert" => "NOT NULL",
        _ => "PRIMARY KEY",
    }
}

/// Each order once, with its two lines and its note.
fn judge(server: &Server, when: &str) {
    for (sql, want) in [
        ("SELECT COUNT(*) FROM orders", ORDERS),
        ("SELECT COUNT(DISTINCT order_no) FROM orders", ORDERS),
        ("SELECT COUNT(*) FROM order_lines", 2 * ORDERS),
        ("SELECT COUNT(*) FROM engine_attempts", ORDERS),
    ] {
        assert_eq!(server.count(sql), want, "{when}: {sql}");
    }
}

/// The steps of a connection; a rehearsal with its statements and values, after which there is nothing.
fn what_is_shown_before_anything_is_written(server: &Server) {
    server.tables("PRIMARY KEY");
    let desk = Desk::of(server, None);
    let (code, told) = desk.tried();
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("login") && told.contains("ping: 1 row"), "{told}");
    desk.orders(3);
    let shown = desk.rehearsed("upsert");
    let head = format!("SQL {}://127.0.0.1:{}/erp", server.connector(), server.port());
    for part in [head.as_str(), "INSERT INTO", "\"SO-001\"", "\"19.01\""] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(server.count("SELECT COUNT(*) FROM orders"), 0);
    server.drop_tables();
}

/// A wrong password stops the run with the server's words; the password is in none of them.
fn who_is_not_let_in(server: &Server) {
    server.tables("PRIMARY KEY");
    let desk = Desk::of(server, None).with_password("a-wrong-passw0rd");
    desk.orders(2);
    let (code, tried) = desk.tried();
    assert_ne!(code, Some(0), "{tried}");
    let told = desk.copy("upsert", 3) + &tried;
    assert!(
        told.contains("denied") || told.contains("authentication failed"),
        "{told}"
    );
    assert!(!told.contains("a-wrong-passw0rd"), "{told}");
    server.drop_tables();
}
