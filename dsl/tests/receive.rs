//! Sources that send, and rows that others read.

mod common;

use common::{CUSTOMERS, codes, json, plan, zone};
use dsl::plan::{IngestCx, Ingested, PushFacts, When};
use dsl::value::Value;

/// A scheme whose rows are sent.
const PUSHED: &str = "\
scheme: trades-sent
source:
  connection: huke
  api: trade_push
  options: {topic: trades}
  derive:
    sent: <<$push.id>>
    event: {$value: <<$push.headers.X-Event>>, $missing: null}
  keep: {field: <<$push.void>>, neq: maybe}
  key: tid
target: none
schedule: on_push
";

#[track_caller]
fn check(text: &str, want: &[&str]) {
    assert_eq!(codes(text), want, "{}", common::drawn(text, dsl::Lang::En));
}

/// Nothing is called for what is sent, unless each row is asked about.
#[test]
fn limits_of_a_source_that_sends() {
    let with = |limits: &str| PUSHED.replace("  key: tid\n", &format!("  limits: {limits}\n  key: tid\n"));
    check(&with("{rate: 1/s}"), &["E1132 10:18"]);
    check(
        &with("{concurrency: 1, per_day: 5}"),
        &["E1132 10:25", "E1132 10:37"],
    );
}

#[test]
fn a_source_that_sends() {
    check(PUSHED, &[]);
    let plan = plan(PUSHED);
    assert_eq!(plan.schedule.as_ref().unwrap().when, When::OnPush);
    let receive = plan.source.receive.as_ref().unwrap();
    assert!(receive.only && plan.source.window.none);
    assert_eq!(receive.operation, "trade_push");
    assert_eq!(receive.headers, ["x-event"], "no others are kept");

    let facts = |void| PushFacts {
        id: Some("7".to_owned()),
        void,
        headers: vec![("x-event".to_owned(), "paid".to_owned())],
    };
    let ingest = |push: Option<&PushFacts>| {
        let row = json(r#"{"tid": "T1"}"#);
        let (now_ms, zone) = (0, &zone());
        let cx = IngestCx {
            now_ms,
            zone,
            push,
            xml: false,
        };
        let mut made = plan.source.ingest(row, &cx);
        made.pop().expect("a record")
    };
    let made = ingest(Some(&facts(false)));
    let field = |name: &str| made.row.get(name).cloned();
    assert_eq!(field("sent"), Some(Value::from("7")));
    assert_eq!(field("event"), Some(Value::from("paid")));
    assert!(!made.void && made.fault.is_none());
    let void = ingest(Some(&facts(true)));
    assert!(void.void, "the push says so");
    assert_ne!(void.version, made.version);
    // A row that was asked for has no push: what reads one fails by its name, unless it says what then.
    let fault = ingest(None).fault.expect("a fault");
    assert_eq!(fault.field.as_deref(), Some("sent"));
}

/// A scheme of customers with these lines in its source.
fn customers(lines: &str) -> dsl::plan::Plan {
    assert!(CUSTOMERS.contains("  key: buyerCid"));
    plan(&CUSTOMERS.replacen("  key: buyerCid", lines, 1))
}

/// Rows of a push that says that they were cancelled.
fn cancelled(plan: &dsl::plan::Plan, row: &str, xml: bool) -> Vec<Ingested> {
    let facts = PushFacts {
        void: true,
        ..PushFacts::default()
    };
    let cx = IngestCx {
        now_ms: 0,
        zone: &zone(),
        push: Some(&facts),
        xml,
    };
    plan.source.ingest(json(row), &cx)
}

#[test]
fn a_cancellation_by_its_key_needs_no_other_field() {
    let plan = customers(
        "  derive: {nick: <<buyerNick>>, no: <<buyerCid>>}\n  keep: {field: <<buyerNick>>, neq: test}\n  void: {field: <<buyerNick>>, eq: gone}\n  newest_by: createTime\n  key: no",
    );
    let one = |row: &str| cancelled(&plan, row, false).pop().expect("a record");
    let made = one(r#"{"no": "1", "createTime": "", "buyerNick": null}"#);
    assert_eq!(made.key, Ok(r#"["1"]"#.to_owned()));
    assert!(
        made.bare && made.void && made.fault.is_none() && made.rank.is_none(),
        "{made:?}"
    );
    assert_eq!(one(r#"{"no": "1", "createTime": 7}"#).rank, Some(7));
    let fault = one(r#"{"no": "1", "createTime": "soon"}"#)
        .fault
        .expect("a fault");
    assert_eq!(
        fault.field.as_deref(),
        Some("createTime"),
        "what is said must be right"
    );
    // With content it is judged as any other.
    let made = one(r#"{"buyerCid": "1", "buyerNick": "a"}"#);
    assert!(!made.bare && made.fault.is_some(), "{made:?}");
}

#[test]
fn a_cancellation_in_xml_is_told_by_its_key_too() {
    let plan = customers("  key: buyerCid");
    let one = |row: &str, xml| cancelled(&plan, row, xml).pop().expect("a record");
    let bare = r#"{"buyerCid": "1", "text": "<buyerCid>1</buyerCid>"}"#;
    assert!(one(bare, true).bare);
    assert!(!one(bare, false).bare, "in JSON it is a field");
    for row in [
        r#"{"buyerCid": "1", "buyerNick": "a", "text": "<buyer>…</buyer>"}"#,
        r#"{"buyerCid": "1", "text": {"note": "a"}}"#,
        r#"{"text": "a root of that name"}"#,
    ] {
        assert!(!one(row, true).bare, "{row}");
    }
}

/// `keep` says which rows are taken over, not whether a document was cancelled whose cancellation was sent.
#[test]
fn a_cancellation_is_not_judged_by_its_content() {
    let plan = customers("  keep: {field: <<buyerNick>>, eq: active}\n  key: buyerCid");
    let refused = r#"{"buyerCid": "1", "buyerNick": "gone", "createTime": 1}"#;
    let accepted = r#"{"buyerCid": "1", "buyerNick": "active"}"#;
    for (row, kept, bare) in [(refused, Err("filter"), true), (accepted, Ok(()), false)] {
        let made = cancelled(&plan, row, false).pop().expect("a record");
        assert_eq!((made.kept, made.bare, made.void), (kept, bare, true), "{row}");
        assert!(made.fault.is_none(), "{made:?}");
    }
    // A row that nobody declared void is what the scheme makes of it.
    let cx = IngestCx {
        now_ms: 0,
        zone: &zone(),
        push: Some(&PushFacts::default()),
        xml: false,
    };
    let made = plan.source.ingest(json(refused), &cx).pop().expect("a record");
    assert_eq!((made.kept, made.bare, made.void), (Err("filter"), false, false));
    // Without its lines it is that of the document, where the key is the document's.
    let of_document = customers("  explode: [orders]\n  key: buyerCid");
    let of_line = customers("  explode: [orders]\n  key: [buyerCid, $row]");
    for row in [
        r#"{"buyerCid": "1"}"#,
        r#"{"buyerCid": "1", "buyerNick": "a", "orders": []}"#,
    ] {
        let made = cancelled(&of_document, row, false).pop().expect("a record");
        assert!(made.bare && made.key.is_ok() && made.fault.is_none(), "{made:?}");
        let made = cancelled(&of_line, row, false).pop().expect("a record");
        assert!(made.key.is_err(), "it is not that of the first line: {made:?}");
    }
}

#[test]
fn schedules_and_operations_fit() {
    let with = |from: &str, to: &str| {
        assert!(PUSHED.contains(from), "{from}");
        PUSHED.replacen(from, to, 1)
    };
    check(&with("on_push", "{every: 6m}"), &["E1191 4:8"]);
    check(&with("on_push", "on_pull"), &["E1191 4:8", "E1102 12:11"]);
    let reads = PUSHED.replace("trade_push\n  options: {topic: trades}", "search_trades");
    check(&reads, &["E1190 4:8"]);
    // What asks has nothing to ask with.
    for key in [
        "window: {first: -7d}",
        "request: {a: 1}",
        "page_size: 10",
        "receive: trade_push",
        "sweep: {every: 1d, window: {start: -2d, end: -1d}}",
    ] {
        let text = with("  key: tid", &format!("  {key}\n  key: tid"));
        let found = codes(&text);
        assert!(found.contains(&"E1192 10:3".to_owned()), "{key}: {found:?}");
    }
    check(&with("$push.id", "$push.idd"), &["E1203 7:11"]);
    check(&with("key: tid", "key: $push.id"), &["E1205 10:8"]);
}

#[test]
fn a_source_that_is_read_and_sends() {
    let both = CUSTOMERS.replacen(
        "  key: buyerCid",
        "  receive: {api: trade_push, options: {topic: trades}}\n  key: buyerCid",
        1,
    );
    check(&both, &[]);
    let receive = plan(&both).source.receive.expect("it receives");
    assert!(!receive.only);
    let short = both.replace("{api: trade_push, options: {topic: trades}}", "trade_push");
    assert_eq!(
        codes(&short).len(),
        1,
        "an option is missing: {:?}",
        codes(&short)
    );
    let wrong = both.replace("{api: trade_push, options: {topic: trades}}", "list_archive");
    assert_eq!(codes(&wrong)[0][..5], *"E1112");
    let unknown = both.replace("api: trade_push", "api: trade_pull");
    assert_eq!(codes(&unknown)[0][..5], *"E1111");
}

#[test]
fn what_is_published() {
    let with = |publish: &str| CUSTOMERS.replacen("schedule:", &format!("publish: {publish}\nschedule:"), 1);
    let plan = plan(&with(
        "{fields: [buyerCid, orders.0.oid], filter: [buyerCid], rate: 5/s}",
    ));
    let publish = plan.publish.expect("published");
    let names: Vec<&str> = publish.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["buyerCid", "orders_0_oid"]);
    assert_eq!((publish.page, publish.calls, publish.per_ms), (100, 5, 1_000));
    let code = |publish: &str| {
        let found = codes(&with(publish));
        assert_eq!(found.len(), 1, "{publish}: {found:?}");
        found[0][..5].to_owned()
    };
    assert_eq!(code("{fields: [buyerCidd]}"), "E1204");
    assert_eq!(code("{fields: [buyerCid], filter: [buyerNick]}"), "E1193");
    assert_eq!(code("{fields: [buyerCid, orders], filter: [orders]}"), "E1193");
    assert_eq!(code("{fields: {limit: buyerCid}, filter: [limit]}"), "E1193");
    let secret = with("{fields: [buyerCid, buyerNick], filter: [buyerNick]}");
    common::plan(&secret).publish.expect("published");
    let secret = secret.replacen(
        "FName: <<buyerNick>>",
        "FName: {$value: <<buyerNick>>, $sensitive: true}",
        1,
    );
    let found = codes(&secret);
    assert!(
        found.iter().any(|code| code.starts_with("E1193")),
        "masked values could be guessed: {found:?}"
    );
    assert_eq!(code("{fields: [orders.0.oid, orders_0_oid]}"), "E1194");
    assert_eq!(code("{fields: [buyerCid], rate: 5/week}"), "E1102");
    assert_eq!(code("{fields: [buyerCid], page: 501}"), "E1102");
    assert_eq!(code("{filter: [buyerCid]}"), "E1103");
}
