//! Files as a target, and files that are moved away once they are stored.

use std::collections::BTreeSet;

use crate::ORDERS;
use crate::desk::Desk;
use crate::server::Server;

/// Somebody else takes the files away as they appear; each order is in one of them, whenever the engine is killed.
#[test]
fn files_as_a_target() {
    for point in [
        "claim:after:2",
        "call_create:before:2",
        "call_create:after:2",
        "settle:before:2",
        "settle:after:2",
    ] {
        let desk = Desk::of(&Server::sqlite(), None);
        desk.orders_for_files(ORDERS);
        let shown = desk.rehearsed("out");
        assert!(
            shown.contains("order_no,amount,qty") && shown.contains("SO-001,19.01,1"),
            "{shown}"
        );
        assert!(desk.taken_from_outbox().is_empty() && !desk.has("outbox/.engine"));
        desk.killed("out", &format!("{point}:abort"));
        let mut rows = desk.taken_from_outbox();
        desk.copy("out", 0);
        rows.extend(desk.taken_from_outbox());
        let orders: BTreeSet<&str> = rows.iter().filter_map(|row| row.split(',').next()).collect();
        assert_eq!((rows.len(), orders.len()), (60, 60), "{point}: {rows:?}");
        // Nothing is left to be written.
        desk.copy("out", 0);
        assert!(desk.taken_from_outbox().is_empty(), "{point}");
        desk.verify();
    }
}

/// What a charset does not have is told of its record; a folder that is not there stops the run.
#[test]
fn what_a_file_cannot_say() {
    let desk = Desk::of(&Server::sqlite(), None);
    desk.orders_for_files(12);
    desk.change(
        "UPDATE orders SET amount = '\u{1f600}' WHERE id = 3; UPDATE orders SET amount = '=1+1' WHERE id = 5",
    );
    let told = desk.copy("out", 1);
    for part in ["U+1F600", "`amount` would be a formula", ": =1+1"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(desk.taken_from_outbox().len(), 10);
    desk.remove("outbox");
    desk.change("UPDATE orders SET no = 'SO-X', changed = '2026-11-20 09:30:00' WHERE id = 5");
    desk.change("UPDATE orders SET amount = '1' WHERE id = 5");
    let told = desk.copy("out", 3);
    assert!(told.contains("No such file"), "{told}");
}

/// A file goes to `done` once all its rows are stored, and a rehearsal leaves it where it is.
#[test]
fn files_that_were_read_are_moved() {
    let target = Server::sqlite();
    target.tables("PRIMARY KEY");
    let desk = Desk::of(&target, None);
    desk.inbox("a.csv", b"no,qty\n1,1\n2,2\n3,3\n4,4\n5,5\n");
    desk.inbox("b.csv", b"no,qty\n6,1\n");
    desk.take_in_by(&["dry-run"], ", after_read: move", 0);
    assert!(desk.has("inbox/a.csv") && !desk.has("inbox/done"));
    let counts = desk.take_in_by(&["run"], ", after_read: move", 0);
    assert_eq!(counts["done"], 6, "{counts}");
    assert!(desk.has("inbox/done/a.csv") && desk.has("inbox/done/b.csv") && !desk.has("inbox/a.csv"));
    // The same content once more is read, known, and moved beside the first.
    desk.inbox("a.csv", b"no,qty\n1,1\n2,2\n3,3\n4,4\n5,5\n");
    desk.take_in_by(&["run"], ", after_read: move", 0);
    assert!(!desk.has("inbox/a.csv"));
    assert_eq!(target.count("SELECT COUNT(*) FROM orders"), 6);
    // A process that dies before it moved anything.
    desk.inbox("c.csv", b"no,qty\n7,1\n8,1\n9,1\n");
    desk.take_in_by(&["run"], "", 0);
    assert!(desk.has("inbox/c.csv"));
    desk.take_in_by(&["run"], ", after_read: move", 0);
    assert!(desk.has("inbox/done/c.csv"));
    assert_eq!(target.count("SELECT COUNT(*) FROM engine_attempts"), 9);
    // One without rows may only have been begun; one with a row that cannot be read is looked for here.
    desk.inbox("d.csv", b"");
    desk.inbox("e.csv", b"no,qty\n");
    desk.inbox("f.csv", b"no,qty\n10,1\n11,1,1,1\n");
    desk.take_in_by(&["run"], ", after_read: move", 1);
    for name in ["d.csv", "e.csv", "f.csv"] {
        assert!(desk.has(&format!("inbox/{name}")), "{name}");
    }
    assert_eq!(target.count("SELECT COUNT(*) FROM orders"), 10);
}

/// Names that lead elsewhere, members without a column and lists are found before anything runs, with their places.
#[test]
fn a_file_that_cannot_be_is_refused_by_check() {
    let desk = Desk::of(&Server::sqlite(), None);
    desk.beside(
        "schemes/bad.yaml",
        "scheme: bad
source: {connection: inbox, api: csv, window: none, key: [_hash, _line]}
target:
  connection: outbox
  api: write_csv
  options: {file: ../orders, columns: [order_no, amount], formulas: escape}
  key: order_no
  request:
    order_no: <<no>>
    amuont: <<amount>>
    items: [{sku: <<sku>>}]
schedule: {every: 6m}
",
    );
    desk.beside(
        "schemes/head.yaml",
        "scheme: head
source: {connection: inbox, api: csv, window: none, key: [_hash, _line]}
target:
  connection: outbox
  api: write_csv
  options: {file: orders, columns: [no, 订单号], charset: big5}
  key: no
  request: {no: <<no>>, 订单号: <<no>>}
schedule: {every: 6m}
",
    );
    let (code, told) = desk.checked("schemes/head.yaml");
    assert!(code != Some(0) && told.contains("big5: 订单号"), "{told}");
    let (code, told) = desk.checked("schemes/bad.yaml");
    assert_ne!(code, Some(0), "{told}");
    for part in [
        "error[E3075]: `../orders` cannot begin the names of files",
        "schemes/bad.yaml:6:",
        "error[E1164]: `amuont` cannot stand in a line of the file",
        "schemes/bad.yaml:10:5",
        "`amount`",
        "error[E1164]: `items` cannot stand in a line of the file: a list or a map has no column",
        "schemes/bad.yaml:11:5",
        "refuse prefix keep",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}
