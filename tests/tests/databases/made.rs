//! Tables whose key the database makes, documents that are voided, and certificates of one's own.

use crate::ORDERS;
use crate::desk::Desk;
use crate::proxy::{self, Cut};
use crate::server::Server;

#[test]
fn made_by_mariadb() {
    on_a_server(&Server::mariadb());
}

#[test]
fn made_by_postgresql() {
    on_a_server(&Server::postgresql());
}

#[test]
fn made_by_sqlite() {
    let file = Server::sqlite();
    documents_are_taken_away(&file);
    documents_are_made_changed_and_voided(&file);
}

fn on_a_server(server: &Server) {
    certificates(server);
    documents_are_taken_away(server);
    answers_are_lost(server);
    documents_are_made_changed_and_voided(server);
}

/// A table of documents and one of their lines.
fn tables(server: &Server) {
    server.run(&format!(
        "CREATE TABLE docs (id {}, no VARCHAR(40) NOT NULL, amount DECIMAL(12,2), qty INT, \
         status VARCHAR(9) DEFAULT 'OK')",
        server.types().counting
    ));
    server.run("CREATE TABLE doc_lines (doc_id BIGINT NOT NULL, line INT, sku VARCHAR(20))");
}

fn drop_tables(server: &Server) {
    server.run("DROP TABLE docs");
    server.run("DROP TABLE doc_lines");
    server.run("DROP TABLE IF EXISTS engine_attempts");
}

#[track_caller]
fn counts(server: &Server, when: &str, wants: &[(&str, i64)]) {
    for (sql, want) in wants {
        let sql = format!("SELECT COUNT(*) FROM {sql}");
        assert_eq!(server.count(&sql), *want, "{when}: {sql}");
    }
}

/// Each document once, its lines under its id, and its id in its note.
fn judge(server: &Server, when: &str) {
    counts(
        server,
        when,
        &[
            ("docs", ORDERS),
            ("(SELECT DISTINCT no FROM docs) AS d", ORDERS),
            ("doc_lines JOIN docs ON docs.id = doc_lines.doc_id", 2 * ORDERS),
            ("doc_lines", 2 * ORDERS),
            (
                "engine_attempts JOIN docs ON doc_id = CAST(docs.id AS CHAR(20)) AND doc_key = CONCAT('[\"', docs.no, '\"]')",
                ORDERS,
            ),
        ],
    );
}

/// Processes are killed around every effect of a create, an update and a void.
fn documents_are_made_changed_and_voided(server: &Server) {
    for (create, update, void) in [
        ("call_create:after:2", "call_update:after:1", "call_void:after:1"),
        (
            "call_create:before:2",
            "call_update:before:1",
            "call_void:before:1",
        ),
    ] {
        tables(server);
        let desk = Desk::of(server, None);
        desk.orders_without_numbers(ORDERS, "void");
        desk.killed("made", &format!("{create}:abort"));
        desk.copy("made", 0);
        judge(server, create);
        desk.change("UPDATE orders SET amount = '99.00', changed = '2026-11-20 09:30:00' WHERE id < 20");
        desk.killed("made", &format!("{update}:abort"));
        desk.copy("made", 0);
        judge(server, update);
        counts(server, update, &[("docs WHERE amount = 99", 20)]);
        desk.change(
            "UPDATE orders SET status = 'X', changed = '2026-11-20 09:40:00' WHERE id BETWEEN 10 AND 19",
        );
        desk.killed("made", &format!("{void}:abort"));
        desk.copy("made", 0);
        counts(
            server,
            void,
            &[
                ("docs", ORDERS),
                ("docs WHERE status = 'X' AND qty = 0 AND amount = 99", 10),
                ("engine_attempts WHERE attempt LIKE 'void:%'", 10),
                ("engine_attempts", ORDERS),
            ],
        );
        desk.verify();
        drop_tables(server);
    }
}

/// The note tells the id of a document whose answer was lost.
fn answers_are_lost(server: &Server) {
    for (cut, at) in [(Cut::Before, 2), (Cut::After, 2), (Cut::After, 5)] {
        tables(server);
        let proxy = proxy::start(server.port(), cut, at);
        let desk = Desk::of(server, Some(proxy.port()));
        desk.orders_without_numbers(ORDERS, "void");
        desk.copy("made", 0);
        assert_eq!(proxy.cuts(), 1, "{cut:?} {at}");
        judge(server, &format!("{cut:?} {at}"));
        // What was found by its note is changed by its id.
        desk.change("UPDATE orders SET amount = '1.00', changed = '2026-11-20 09:30:00'");
        desk.copy("made", 0);
        judge(server, &format!("{cut:?} {at}, changed"));
        counts(server, "changed", &[("docs WHERE amount = 1", ORDERS)]);
        drop_tables(server);
    }
}

/// Voided by taking away; and a document that somebody else took away is told of, and made by nobody.
fn documents_are_taken_away(server: &Server) {
    tables(server);
    let desk = Desk::of(server, None);
    desk.orders_without_numbers(6, "delete");
    desk.copy("made", 0);
    desk.change("UPDATE orders SET status = 'X', changed = '2026-11-20 09:30:00' WHERE id < 2");
    desk.killed("made", "call_void:after:1:abort");
    desk.copy("made", 0);
    counts(
        server,
        "taken away",
        &[
            ("docs", 4),
            ("doc_lines", 8),
            ("engine_attempts", 6),
            ("engine_attempts WHERE attempt LIKE 'void:%'", 2),
        ],
    );
    server.run("DELETE FROM docs WHERE no = 'SO-003'");
    desk.change("UPDATE orders SET amount = '5.00', changed = '2026-11-20 09:40:00' WHERE id IN (2, 3, 4)");
    let told = desk.copy("made", 1);
    assert!(told.contains("no such row any more"), "{told}");
    counts(server, "gone", &[("docs", 3), ("docs WHERE amount = 5", 2)]);
    drop_tables(server);
}

/// The server's certificate is one that only the connection trusts.
fn certificates(server: &Server) {
    let tried = |settings: &str| {
        let desk = Desk::of(server, None);
        desk.beside("ca.pem", &server.authority());
        desk.beside("other.pem", &server.another_authority());
        desk.connected_with(settings);
        desk.tried()
    };
    let (code, told) = tried("tls: {ca_file: ca.pem}");
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = tried("tls: {insecure: true}");
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = tried("tls: {ca_file: other.pem}");
    assert_ne!(code, Some(0), "{told}");
    assert!(told.to_lowercase().contains("certificate"), "{told}");
    let digest = server.digest();
    let (code, told) = tried(&format!("tls: {{certificate: \"{digest}\"}}"));
    match server.connector() {
        "mysql" => assert!(code != Some(0) && told.contains("ca_file"), "{told}"),
        _ => assert_eq!(code, Some(0), "{told}"),
    }
    let (code, told) = tried("proxy: {url: \"http://127.0.0.1:1\"}");
    assert!(
        code != Some(0) && told.contains("not reached through an HTTP proxy"),
        "{told}"
    );
}
