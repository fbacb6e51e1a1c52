//! Look-ups, lists and the life of a record.

use flow::ids::RecordId;
use flow::op::{OnSeen, RecordState, Refusal, Resolution, StagedRow};

use super::{Desk, SCHEME, done, row, why};
use crate::Ledger;
use crate::read::RecordFilter;

pub(super) fn look_ups(open: &dyn Fn() -> Ledger) {
    let mut desk = Desk::new(open());
    let with = |i: usize, key: &str, version: &str, name: &str, city: &str| StagedRow {
        indexed: vec![("name".into(), name.into()), ("city".into(), city.into())],
        ..row(i, key, version)
    };
    let texts = |key: &[&str]| key.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let found = |desk: &Desk, by: &[&str], keys: &[&[&str]]| -> Vec<Vec<String>> {
        let keys: Vec<_> = keys.iter().map(|key| texts(key)).collect();
        let hits = desk
            .ledger
            .reader()
            .find(SCHEME, &texts(by), &keys)
            .expect("an answer");
        hits.into_iter()
            .map(|hits| hits.into_iter().map(|hit| hit.key).collect())
            .collect()
    };
    let rows = vec![
        with(0, "a", "v1", "云杉", "杭州"),
        with(1, "b", "v1", "云杉", "上海"),
        with(2, "c", "v1", "云杉", "上海"),
    ];
    let (op, blobs) = desk.page(rows, OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    // A field that nobody made fit for look-ups is an error, never "nothing found".
    assert!(
        desk.ledger
            .reader()
            .find(SCHEME, &texts(&["key"]), &[texts(&["a"])])
            .is_err()
    );
    for field in ["name", "city", "v"] {
        let extract = |source: &[u8]| {
            let text = String::from_utf8_lossy(source);
            (field == "v").then(|| {
                text.split("\"v\":\"")
                    .nth(1)
                    .expect("a version")
                    .trim_end_matches("\"}")
                    .to_owned()
            })
        };
        desk.ledger
            .ensure_index(SCHEME, field, &extract)
            .expect("indexed");
    }
    assert_eq!(
        desk.ledger.reader().indexed_fields(SCHEME).expect("a question"),
        ["city", "name", "v"]
    );
    assert_eq!(found(&desk, &["v"], &[&["v1"], &["v2"]])[1], [""; 0]);
    // At most two hits, the newest first; several fields must all match.
    desk.now += 10;
    let (op, blobs) = desk.page(vec![with(0, "a", "v2", "云杉", "杭州")], OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(
        found(&desk, &["name"], &[&["云杉"], &["无"]]),
        [vec!["[\"a\"]", "[\"c\"]"], vec![]]
    );
    assert_eq!(
        found(&desk, &["name", "city"], &[&["云杉", "上海"], &["云杉", "杭州"]]),
        [vec!["[\"c\"]", "[\"b\"]"], vec!["[\"a\"]"]]
    );
    // The dead are not found; a row that changed is found under its new text only.
    desk.refuse("c", "v1", Refusal::Dead(why("empty")));
    let (op, blobs) = desk.page(vec![with(0, "b", "v2", "云杉", "苏州")], OnSeen::UpdateIfChanged);
    desk.try_one(op, &blobs).expect("a page");
    assert_eq!(
        found(&desk, &["city"], &[&["上海"], &["苏州"]]),
        [vec![], vec!["[\"b\"]"]]
    );
    // More keys than one query takes.
    let many: Vec<Vec<String>> = (0..1200)
        .map(|i| texts(&[if i == 1100 { "云杉" } else { "无" }]))
        .collect();
    let hits = desk
        .ledger
        .reader()
        .find(SCHEME, &texts(&["name"]), &many)
        .expect("an answer");
    let hit: Vec<usize> = (0..hits.len()).filter(|i| !hits[*i].is_empty()).collect();
    assert_eq!(hit, [1100]);
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
