use std::sync::Arc;

use dsl::lookup::{Condition, Field, Hit as Known_, LookupSpec, Test, Within};
use flow::ids::{Blob, RunId, WindowId};
use flow::op::{LedgerOp, LedgerReply, OnSeen, Reason, StagedRow, Trigger};
use flow::window::Interval;
use ledger::Blobs;

use super::*;

const SCHEME: &str = "units";

/// A ledger with rows of one scheme, each `(name, maker, id)`; later ones are newer. A name that begins with `!` is dead.
fn ledger(rows: &[(&str, &str, u32)]) -> Ledger {
    let mut ledger = Ledger::in_memory().unwrap();
    let by = [&["name"][..], &["maker", "name"], &[]];
    for names in by {
        let columns = Columns::new(names.iter().copied());
        ledger.ensure_index(SCHEME, &columns, &|_| None).unwrap();
    }
    let begin = LedgerOp::BeginRun {
        scheme: SCHEME.to_owned(),
        revision: "1".to_owned(),
        trigger: Trigger::Manual,
        now: 1,
    };
    let replies = ledger.apply(&[begin], &Blobs::new()).unwrap();
    let [LedgerReply::RunBegun { run, .. }] = replies[..] else {
        panic!("{replies:?}")
    };
    for (nth, row) in rows.iter().enumerate() {
        put(&mut ledger, run, nth, row);
    }
    ledger
}

fn put(ledger: &mut Ledger, run: RunId, nth: usize, (name, maker, id): &(&str, &str, u32)) {
    let source = format!(r#"{{"name":"{name}","maker":"{maker}","id":{id}}}"#);
    let row = json::parse(source.as_bytes()).unwrap();
    let indexed = Indexed::of(&ledger.reader(), SCHEME).unwrap();
    let asked = Interval { from: 0, to: 9 };
    let open = LedgerOp::OpenWindow {
        run,
        scheme: SCHEME.to_owned(),
        asked,
        cursor: flow::op::Cursor::Live,
    };
    let replies = ledger.apply(&[open], &Blobs::new()).unwrap();
    let [LedgerReply::WindowOpened(window)] = replies[..] else {
        panic!("{replies:?}")
    };
    let now = 10 + i64::try_from(nth).unwrap();
    let staged = StagedRow {
        key: format!("[\"{id}\"]"),
        label: String::new(),
        version: source.clone(),
        rank: None,
        source: Blob(1),
        filtered: None,
        invalid: None,
        void: false,
        bare: false,
        indexed: indexed.iter().filter_map(|columns| columns.entry(&row)).collect(),
        paired: None,
        doubt: None,
        from: None,
    };
    let blobs: Blobs = [(Blob(1), source.into_bytes())].into_iter().collect();
    ledger.apply(&[page(run, window, staged, now)], &blobs).unwrap();
    if name.starts_with('!') {
        let pick = LedgerOp::Pick {
            scheme: SCHEME.to_owned(),
            now,
            after: None,
            limit: 999,
        };
        let replies = ledger.apply(&[pick], &Blobs::new()).unwrap();
        let [LedgerReply::Picked { records, .. }] = &replies[..] else {
            panic!("{replies:?}")
        };
        let last = records.last().unwrap();
        let dead = flow::op::Refusal::Dead(Reason::new("E4000", "refused"));
        let rows = vec![(last.record, last.version.clone(), dead)];
        ledger
            .apply(&[LedgerOp::Refuse { rows, now }], &Blobs::new())
            .unwrap();
    }
}

fn page(run: RunId, window: WindowId, row: StagedRow, now: i64) -> LedgerOp {
    LedgerOp::StagePage {
        run,
        window,
        scheme: SCHEME.to_owned(),
        page: 1,
        rows: vec![row],
        total: None,
        fingerprint: 0,
        on_seen: OnSeen::Skip,
        updates: true,
        store_only: false,
        close: Some(None),
        now,
    }
}

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

fn want(by: &[(&str, &str)], only: bool, also: Option<Condition>) -> LookupWant {
    LookupWant {
        spec: LookupSpec {
            id: 0,
            within: Within::Rows,
            scheme: SCHEME.to_owned(),
            get: path("id"),
            by: by.iter().map(|(name, _)| path(name)).collect(),
            only,
            filtered: also.is_some(),
        },
        keys: by.iter().map(|(_, text)| (*text).to_owned()).collect(),
        also: also.map(Arc::new),
        hidden: false,
    }
}

fn compared(field: &str, test: Test) -> Option<Condition> {
    Some(Condition::Test {
        field: Field::Row(path(field)),
        test,
    })
}

/// `-` for nothing, `7 of 2` for a row, `2!` for several where one was wanted, `?` where nobody knows.
fn told(memo: &Memo, want: &LookupWant) -> String {
    match memo.hits().get(want) {
        None => "?".to_owned(),
        Some(Known_::None) => "-".to_owned(),
        Some(Known_::One { value, matches }) => format!("{} of {matches}", json::to_string(value)),
        Some(Known_::Several(count)) => format!("{count}!"),
    }
}

#[test]
fn a_level_is_one_query_for_each_set_of_columns_and_hits_are_kept() {
    let ledger = ledger(&[("件", "a", 1), ("箱", "a", 2), ("箱", "b", 3)]);
    let reader = ledger.reader();
    let mut memo = Memo::default();
    let wants = [
        (want(&[("name", "件")], false, None), "1 of 1"),
        (want(&[("name", "箱")], false, None), "3 of 2"),
        (want(&[("name", "箱")], true, None), "2!"),
        (want(&[("name", "盒")], false, None), "-"),
        (want(&[("name", "箱"), ("maker", "a")], true, None), "2 of 1"),
        // The same columns in another order share the query.
        (want(&[("maker", "b"), ("name", "箱")], false, None), "3 of 1"),
    ];
    let all = || wants.iter().chain(&wants).map(|(want, _)| want.clone()).collect();
    memo.fetch(&reader, all()).unwrap();
    assert_eq!((reader.look_ups(), memo.report.queries), (2, 2));
    for (want, answer) in &wants {
        assert_eq!(told(&memo, want), *answer, "{want:?}");
    }
    // Known is known, within a page even that there is nothing.
    memo.fetch(&reader, all()).unwrap();
    assert_eq!(reader.look_ups(), 2);
    // On the next page only what was not found is asked again: the feeder may have run.
    memo.next_page();
    assert_eq!(
        (told(&memo, &wants[0].0), told(&memo, &wants[3].0)),
        ("1 of 1".into(), "?".into())
    );
    memo.fetch(&reader, vec![wants[0].0.clone(), wants[3].0.clone()])
        .unwrap();
    assert_eq!(reader.look_ups(), 3);
    // Five hundred records with twenty lines each are still one query.
    let many = (0..10_000).map(|n| want(&[("name", &format!("x{n}"))], false, None));
    memo.fetch(&reader, many.collect()).unwrap();
    assert_eq!(reader.look_ups(), 4);
    memo.kept = MEMO + 1;
    memo.next_page();
    assert_eq!(
        (told(&memo, &wants[0].0), memo.kept),
        ("?".into(), 0),
        "the memo is bounded"
    );
}

#[test]
fn what_was_read_is_counted_with_an_example() {
    let mut memo = Memo::default();
    let boxes = want(&[("name", "箱")], false, None);
    // Without what the connection knows to be secret.
    let redact = |text: String| text.replace('箱', "***");
    memo.count(
        &[(boxes.clone(), 2), (want(&[("name", "盒")], false, None), 0)],
        redact,
    );
    memo.count(&[(boxes, 3)], redact);
    assert_eq!(
        memo.report,
        LookupReport {
            misses: 1,
            several: 2,
            several_example: Some("units name=*** (2)".to_owned()),
            queries: 0,
        }
    );
}

#[test]
fn conditions_are_judged_newest_first_and_never_miss_silently() {
    let ledger = ledger(&[
        ("件", "a", 1),
        ("件", "b", 2),
        ("件", "c", 3),
        ("箱", "a", 4),
        ("!件", "d", 5),
    ]);
    let reader = ledger.reader();
    let below = |id: u32| compared("id", Test::Lt(Value::from(i64::from(id))));
    let named = || want(&[("name", "件")], false, below(3));
    let table = [
        (named(), "2 of 2"),
        (want(&[("name", "件")], false, below(2)), "1 of 1"),
        (want(&[("name", "件")], true, below(3)), "2!"),
        (want(&[("name", "件")], false, below(1)), "-"),
        (want(&[("name", "无")], false, below(9)), "-"),
        (want(&[], false, below(5)), "4 of 2"),
        (
            want(&[], false, compared("maker", Test::Eq("b".into()))),
            "2 of 1",
        ),
        // The dead are not found.
        (want(&[], false, compared("maker", Test::Eq("d".into()))), "-"),
    ];
    let mut memo = Memo::default();
    memo.fetch(&reader, table.iter().map(|(want, _)| want.clone()).collect())
        .unwrap();
    assert_eq!(reader.look_ups(), 2, "one for each set of columns");
    for (want, answer) in &table {
        assert_eq!(
            (told(&memo, want).as_str(), memo.is_undecided(want)),
            (*answer, false),
            "{want:?}"
        );
    }
    // Beyond the reach nothing is known: older rows were not looked at. What was found within it stands.
    for reach in [
        Reach {
            per_key: 2,
            rows: 2,
            ..REACH
        },
        Reach { steps: 2, ..REACH },
    ] {
        for (by, test, answer) in [
            (&[("name", "件")][..], below(2), None),
            (&[("name", "件")], below(4), Some("3 of 2")),
            (&[("name", "箱")], below(5), Some("4 of 1")),
            (&[], compared("maker", Test::Eq("b".into())), None),
            (&[], compared("maker", Test::Eq("a".into())), Some("4 of 1")),
        ] {
            let mut memo = Memo {
                reach,
                ..Memo::default()
            };
            let asked = want(by, false, test.clone());
            memo.fetch(&reader, vec![asked.clone()]).unwrap();
            assert_eq!(memo.is_undecided(&asked), answer.is_none(), "{reach:?} {asked:?}");
            assert_eq!(told(&memo, &asked), answer.unwrap_or("?"), "{reach:?} {asked:?}");
        }
        // That a row is the only one is not known either.
        let mut memo = Memo {
            reach,
            ..Memo::default()
        };
        let only = want(&[], true, compared("maker", Test::Eq("a".into())));
        memo.fetch(&reader, vec![only.clone()]).unwrap();
        assert!(memo.is_undecided(&only));
        memo.next_page();
        assert!(!memo.is_undecided(&only), "of this page only");
    }
}

#[test]
fn dead_rows_are_named() {
    let ledger = ledger(&[("!箱", "a", 1), ("件", "a", 2)]);
    let mut memo = Memo::default();
    let (dead, missing) = (
        want(&[("name", "!箱")], false, None),
        want(&[("name", "x")], false, None),
    );
    memo.fetch(&ledger.reader(), vec![dead.clone(), missing.clone()])
        .unwrap();
    assert_eq!((memo.is_dead(&dead), memo.is_dead(&missing)), (true, false));
}

/// A look-up of a mapping: within what, by which side, for which, of this text.
fn mapped(within: Within, (by, get): (&str, &str), text: &str) -> LookupWant {
    LookupWant {
        spec: LookupSpec {
            within,
            get: path(get),
            by: vec![path(by)],
            ..want(&[], true, None).spec
        },
        keys: vec![text.to_owned()],
        also: None,
        hidden: false,
    }
}

#[test]
fn mappings_are_one_query_for_each_table_and_a_place_is_not_guessed() {
    use ledger::service::fields::{FieldPair, FieldPlace, SetField};
    use ledger::service::mapping::{MadeBy, Manner, MappingKey, MappingNames, SetMapping};
    let mut ledger = Ledger::in_memory().unwrap();
    for (key, id) in [("[\"a\"]", "d1"), ("[\"b\",\"1\"]", "d2")] {
        let set = SetMapping {
            at: MappingKey {
                scheme: SCHEME.to_owned(),
                key: key.to_owned(),
                target: "t".to_owned(),
                form: String::new(),
            },
            id: id.to_owned(),
            names: MappingNames::default(),
            manner: Manner::Put,
            seen: None,
            allow_double: false,
            may_move: false,
            by: MadeBy::Cli,
            who: "li".to_owned(),
        };
        assert!(ledger.set_mappings(&[set], 1).unwrap()[0].is_done());
    }
    let entry = |channel: &str, fs_id: &str, erp_id: &str| SetField {
        place: FieldPlace {
            data_center: String::new(),
            channel: channel.to_owned(),
            data_type: "unit".to_owned(),
        },
        pair: FieldPair {
            fs_id: fs_id.to_owned(),
            erp_id: erp_id.to_owned(),
            fs_name: "件".to_owned(),
            erp_name: String::new(),
        },
        manner: Manner::Put,
        by: MadeBy::Cli,
    };
    ledger
        .set_fields(&[entry("OA", "1", "PCS"), entry("OA", "2", "BOX")], 1)
        .unwrap();
    let units = |channel: Option<&str>| {
        Within::Fields(Box::new(FieldTable {
            data_type: "unit".to_owned(),
            channel: channel.map(str::to_owned),
            data_center: None,
        }))
    };
    let wants = [
        (
            mapped(Within::Mapping, ("$key", "$target.id"), "a"),
            "\"d1\" of 1",
        ),
        (
            mapped(Within::Mapping, ("$key", "$target.id"), "[\"b\",\"1\"]"),
            "\"d2\" of 1",
        ),
        (mapped(Within::Mapping, ("$key", "$target.id"), "c"), "-"),
        (
            mapped(Within::Mapping, ("$target.id", "$key"), "d1"),
            "\"a\" of 1",
        ),
        (mapped(units(None), ("fs_id", "erp_id"), "1"), "\"PCS\" of 1"),
        (mapped(units(None), ("fs_id", "erp_id"), "3"), "-"),
        // A name may be there several times.
        (mapped(units(None), ("fs_name", "erp_id"), "件"), "2!"),
    ];
    let reader = ledger.reader();
    let mut memo = Memo::default();
    memo.fetch(&reader, wants.iter().map(|(want, _)| want.clone()).collect())
        .unwrap();
    assert_eq!((reader.look_ups(), memo.report.queries), (4, 4));
    for (want, answer) in &wants {
        assert_eq!(told(&memo, want), *answer, "{want:?}");
    }
    ledger.set_fields(&[entry("ERP_U8", "1", "EA")], 1).unwrap();
    let mut memo = Memo::default();
    let unsaid = mapped(units(None), ("fs_id", "erp_id"), "1");
    memo.fetch(&reader, vec![unsaid.clone()]).unwrap();
    assert_eq!(memo.unplaced(&unsaid).map(Failure::code), Some("E6144"));
    assert!(!memo.hits().knows(&unsaid), "that it is nowhere is not said");
    let said = mapped(units(Some("ERP_U8")), ("fs_id", "erp_id"), "1");
    memo.fetch(&reader, vec![said.clone()]).unwrap();
    assert_eq!(told(&memo, &said), "\"EA\" of 1");
}
