//! Look-ups, lists and the life of a record.

use flow::ids::RecordId;
use flow::op::{AuditNote, LedgerOp, OnSeen, RecordState, Refusal, Resolution, StagedRow};

use super::{Desk, SCHEME, done, row, why};
use crate::read::{AuditFilter, RecordFilter};
use crate::{Blobs, Columns, Ledger};

fn texts(key: &[&str]) -> Vec<String> {
    key.iter().map(|text| (*text).to_owned()).collect()
}

/// Key of the newest row, and how many there are, for each key of a look-up.
fn found(desk: &Desk, by: &[&str], keys: &[&[&str]]) -> Vec<Option<(String, u64)>> {
    let keys: Vec<_> = keys.iter().map(|key| texts(key)).collect();
    let hits = desk
        .ledger
        .reader()
        .find(SCHEME, &Columns::new(by.iter().copied()), &keys)
        .expect("an answer");
    hits.into_iter()
        .map(|hit| hit.newest.map(|row| (row.key, hit.matches)))
        .collect()
}

fn one(key: &str, matches: u64) -> Option<(String, u64)> {
    Some((format!("[\"{key}\"]"), matches))
}

/// A row with entries for the look-ups of the suite.
fn person(i: usize, key: &str, version: &str, name: &str, city: &str) -> StagedRow {
    let both = Columns::new(["city", "name"])
        .stored()
        .expect("fields of the row");
    StagedRow {
        indexed: vec![
            ("name".into(), name.into()),
            ("city".into(), city.into()),
            (both, Columns::entry(&texts(&[city, name]))),
        ],
        ..row(i, key, version)
    }
}

pub(super) fn look_ups(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let rows = vec![
        person(0, "a", "v1", "云杉", "杭州"),
        person(1, "b", "v1", "云杉", "上海"),
        person(2, "c", "v1", "云杉", "上海"),
    ];
    let (op, blobs) = desk.page(rows, OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    // Columns that nobody made fit for look-ups are an error, never "nothing found".
    let unknown = Columns::new(["key"]);
    assert!(
        desk.ledger
            .reader()
            .find(SCHEME, &unknown, &[texts(&["a"])])
            .is_err()
    );
    for by in [&["name"][..], &["city"], &["name", "city"], &["v"], &["v", "x"]] {
        let extract = |source: &[u8]| {
            let text = String::from_utf8_lossy(source);
            let version = text.split("\"v\":\"").nth(1).expect("a version");
            (by == ["v"]).then(|| vec![version.trim_end_matches("\"}").to_owned()])
        };
        let columns = Columns::new(by.iter().copied());
        let read = desk
            .ledger
            .ensure_index(SCHEME, &columns, &extract)
            .expect("indexed");
        assert_eq!(read, 3, "{by:?}: stored rows are read once");
        assert_eq!(desk.ledger.ensure_index(SCHEME, &columns, &extract), Ok(0));
    }
    let indexed = desk.ledger.reader().indexed(SCHEME).expect("a question");
    let mut sets: Vec<Vec<&str>> = indexed.iter().map(|columns| columns.own().collect()).collect();
    sets.sort();
    assert_eq!(
        sets,
        [
            vec!["city"],
            vec!["city", "name"],
            vec!["name"],
            vec!["v"],
            vec!["v", "x"]
        ]
    );
    // Rows stored before the index was made are found by it; a row that lacks a column is not.
    assert_eq!(found(&desk, &["v"], &[&["v1"], &["v2"]]), [one("c", 3), None]);
    assert_eq!(found(&desk, &["v", "x"], &[&["v1", ""]]), [None]);
    // The newest wins, the others are counted; several columns must all match, in whatever order they are named.
    desk.now += 10;
    let newer = vec![person(0, "a", "v2", "云杉", "杭州")];
    let (op, blobs) = desk.page(newer, OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(
        found(&desk, &["name"], &[&["云杉"], &["无"]]),
        [one("a", 3), None]
    );
    assert_eq!(
        found(
            &desk,
            &["name", "city"],
            &[&["云杉", "上海"], &["云杉", "杭州"], &["上海", "云杉"]]
        ),
        [one("c", 2), one("a", 1), None]
    );
    assert_eq!(
        found(&desk, &["city", "name"], &[&["上海", "云杉"]]),
        [one("c", 2)]
    );
    // The dead are not found, and are named only where nothing else is there; a changed row is found under its new text.
    desk.refuse("c", "v1", Refusal::Dead(why("empty")));
    let moved = vec![person(0, "b", "v2", "云杉", "苏州")];
    let (op, blobs) = desk.page(moved, OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(
        found(&desk, &["city"], &[&["上海"], &["苏州"]]),
        [None, one("b", 1)]
    );
    assert_eq!(found(&desk, &["name"], &[&["云杉"]]), [one("b", 2)]);
    let dead = desk.record("c").record;
    let hits = desk
        .ledger
        .reader()
        .find(
            SCHEME,
            &Columns::new(["city"]),
            &[texts(&["上海"]), texts(&["苏州"])],
        )
        .expect("an answer");
    assert_eq!((hits[0].dead, hits[1].dead), (Some(dead), None));
    // So are rows that the scheme's filter refused: they were not kept.
    let refused = StagedRow {
        filtered: Some(why("keep")),
        ..person(0, "d", "v1", "云杉", "南京")
    };
    let (op, blobs) = desk.page(vec![refused], OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(found(&desk, &["city"], &[&["南京"]]), [None]);
    desk.end();
}

/// What a page of look-ups costs, and that texts of every kind come through.
pub(super) fn look_ups_by_the_page(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let columns = Columns::new(["name"]);
    desk.ledger
        .ensure_index(SCHEME, &columns, &|_| None)
        .expect("indexed");
    let awkward = [
        "o'Brien",
        "\"",
        "\\",
        "\u{0}",
        "a\u{0}b",
        "\n\t",
        "𠮷野家",
        "$[0]",
        "1",
        "01",
        "1.0",
        "null",
        "{}",
        " x",
        "x ",
    ];
    let rows = awkward
        .iter()
        .enumerate()
        .map(|(i, name)| person(i, &format!("k{i}"), "v1", name, ""))
        .collect();
    let (op, blobs) = desk.page(rows, OnSeen::Skip);
    desk.try_one(op, &blobs).expect("a page");
    let keys: Vec<Vec<String>> = awkward
        .iter()
        .map(|name| texts(&[name]))
        // Far more keys than records of a page: lines of documents.
        .chain((0..9_000).map(|i| texts(&[&format!("nobody {i}")])))
        .collect();
    let reader = desk.ledger.reader();
    let before = reader.look_ups();
    let hits = reader.find(SCHEME, &columns, &keys).expect("an answer");
    assert_eq!(reader.look_ups() - before, 1, "one query for all of them");
    for (i, name) in awkward.iter().enumerate() {
        let key = hits[i].newest.as_ref().map(|row| row.key.as_str());
        assert_eq!(key, Some(format!("[\"k{i}\"]").as_str()), "{name:?}");
    }
    assert!(hits[awkward.len()..].iter().all(|hit| hit.newest.is_none()));
    desk.end();
}

/// Look-ups by what the ledger itself knows: key, label, and what the target called the document.
pub(super) fn look_ups_by_identity(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Done);
    desk.bring("b", RecordState::Pending);
    let (op, blobs) = desk.page(vec![person(0, "c", "v1", "云杉", "杭州")], OnSeen::Skip);
    desk.try_one(op, &blobs).expect("a page");
    let by = |names: &[&str]| Columns::new(names.iter().copied());
    for names in [
        &["$key"][..],
        &["$label"],
        &["$target.id"],
        &["$target.number"],
        &["$key", "city"],
    ] {
        let extract = |source: &[u8]| {
            source
                .windows(3)
                .any(|part| part == b"\"c\"")
                .then(|| texts(&["杭州"]))
        };
        let read = desk
            .ledger
            .ensure_index(SCHEME, &by(names), &extract)
            .expect("indexed");
        assert_eq!(read > 0, names.contains(&"city"), "{names:?}");
    }
    assert_eq!(
        found(&desk, &["$key"], &[&["a"], &["[\"b\"]"], &["z"]]),
        [one("a", 1), one("b", 1), None]
    );
    assert_eq!(found(&desk, &["$label"], &[&["客户 b"]]), [one("b", 1)]);
    assert_eq!(
        found(&desk, &["$target.id"], &[&["id-a"], &["id-b"]]),
        [one("a", 1), None]
    );
    assert_eq!(found(&desk, &["$target.number"], &[&["no-a"]]), [one("a", 1)]);
    assert_eq!(
        found(&desk, &["city", "$key"], &[&["杭州", "c"], &["杭州", "a"]]),
        [one("c", 1), None]
    );
    // Another scheme's records are not this one's.
    let other = desk
        .ledger
        .reader()
        .find("other", &by(&["$key"]), &[texts(&["a"])]);
    assert_eq!(other.expect("an answer")[0].newest, None);
    desk.end();
}

pub(super) fn life_of_a_record(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Unknown);
    desk.now += 500;
    desk.resolve("a", Resolution::Resend);
    desk.now += 1;
    let attempt = desk.claim(&[("a", "v1", "a")]).0.expect("claimed");
    desk.settle(attempt, "a", done("a"));
    desk.end();
    let reader = desk.ledger.reader();
    for name in ["a", "[\"a\"]", "客户 a", "id-a", "no-a"] {
        let lives = reader.show_record(Some(SCHEME), name).expect("a question");
        assert_eq!(lives.len(), 1, "{name}");
    }
    assert!(
        reader
            .show_record(Some("other"), "a")
            .expect("a question")
            .is_empty()
    );
    let life = reader.show_record(None, "a").expect("a question").remove(0);
    assert_eq!(life.source, b"{\"key\":[\"a\"],\"v\":\"v1\"}");
    let [first, second] = &life.attempts[..] else {
        panic!("{:?}", life.attempts)
    };
    assert_eq!(
        (first.settlement.as_deref(), first.resolution.as_deref()),
        (Some("unknown"), Some("resend"))
    );
    assert_eq!((first.sent, first.resolved), (1_000_000, Some(1_000_500)));
    assert_eq!(
        (second.settlement.as_deref(), second.http_status),
        (Some("done"), Some(200))
    );
    assert_eq!(second.payload.as_deref(), Some(&b"{\"FNumber\":\"a\"}"[..]));
    let row = reader
        .sources(&[life.record.record, RecordId(999)])
        .expect("a question")
        .remove(0);
    assert_eq!(
        (row.source, row.target_id.as_deref()),
        (life.source, Some("id-a"))
    );
    // Lists.
    let list = |filter: RecordFilter| reader.list_records(&filter).expect("a question").len();
    let all = RecordFilter::default();
    assert_eq!(list(all.clone()), 1);
    assert_eq!(
        list(RecordFilter {
            state: Some(RecordState::Done),
            ..all.clone()
        }),
        1
    );
    assert_eq!(
        list(RecordFilter {
            state: Some(RecordState::Dead),
            ..all.clone()
        }),
        0
    );
    assert_eq!(
        list(RecordFilter {
            run: Some(desk.run),
            since: Some(desk.now),
            ..all.clone()
        }),
        1
    );
    assert_eq!(
        list(RecordFilter {
            error: Some("e4000".into()),
            ..all
        }),
        0
    );
    assert_eq!(
        reader.list_runs(&Default::default()).expect("a question").len(),
        1
    );
    assert_eq!(reader.schemes().expect("a question")[0].id, SCHEME);
}

/// A decision is kept with what it decided, or neither is.
pub(super) fn decisions(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    desk.bring("a", RecordState::Pending);
    let record = desk.record("a").record;
    let note = |action: &str, record, reason: &str| AuditNote {
        who: "li".into(),
        action: action.into(),
        scheme: Some(SCHEME.into()),
        record,
        what: "pending -> held".into(),
        reason: reason.into(),
    };
    let audit = |note: &AuditNote| LedgerOp::Audit {
        note: note.clone(),
        now: 5,
    };
    let (whole, one) = (
        note("backup", None, "monthly"),
        note("hold", Some(record), "asked by sales"),
    );
    desk.one(audit(&whole));
    let refuse = LedgerOp::Refuse {
        rows: vec![(record, "v1".into(), Refusal::Held(why("person")))],
        now: 5,
    };
    for blank in ["", " \n"] {
        let ops = [refuse.clone(), audit(&note("hold", Some(record), blank))];
        desk.ledger
            .apply(&ops, &Blobs::new())
            .expect_err("no reason is given");
        assert_eq!(desk.state("a"), RecordState::Pending, "and so nothing is decided");
    }
    desk.ledger
        .apply(&[refuse, audit(&one)], &Blobs::new())
        .expect("a reason is given");
    assert_eq!(desk.state("a"), RecordState::Held);
    let reader = desk.ledger.reader();
    let notes = |filter: AuditFilter| -> Vec<AuditNote> {
        let rows = reader.audit(&filter).expect("a question");
        assert!(rows.iter().all(|row| row.at == 5));
        rows.into_iter().map(|row| row.note).collect()
    };
    assert_eq!(notes(AuditFilter::default()), [one.clone(), whole]);
    let of_record = AuditFilter {
        record: Some(record),
        ..AuditFilter::default()
    };
    assert_eq!(notes(of_record), std::slice::from_ref(&one));
    let newest = AuditFilter {
        limit: 1,
        ..AuditFilter::default()
    };
    assert_eq!(notes(newest), [one]);
    let other = AuditFilter {
        scheme: Some("other".into()),
        ..AuditFilter::default()
    };
    assert_eq!(notes(other), []);
    desk.end();
}
