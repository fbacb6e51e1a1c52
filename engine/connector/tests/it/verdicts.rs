//! Verdicts per row, and the questions after a lost answer.

use std::sync::Arc;

use crate::common::{answer, connect, json, secrets};
use connector::{Ask, Call, Class, Found, Verdict, WhenNone};
use dsl::{Map, Path, SourceFile, Value};

fn customer() -> Map {
    match json(r#"{"FormId":"BD_Customer"}"#) {
        Value::Map(map) => map,
        _ => unreachable!("a map was written"),
    }
}

/// Every way in which an answer can name four rows as good, bad, or not at all, and as both.
#[test]
fn every_subset_of_four_rows() {
    let k3 = connect("k3", "default");
    for good in 0..16u32 {
        for bad in 0..16u32 {
            let list = |mask: u32, item: &dyn Fn(usize) -> String| {
                let items: Vec<String> = (0..4).filter(|row| mask & 1 << row != 0).map(item).collect();
                items.join(",")
            };
            let body = format!(
                r#"{{"Result":{{"ResponseStatus":{{"IsSuccess":{},"MsgCode":{},"SuccessEntitys":[{}],"Errors":[{}]}}}}}}"#,
                bad == 0,
                if bad == 0 { 0 } else { 11 },
                list(good, &|row| format!(
                    r#"{{"Id":{},"Number":"N{row}","DIndex":{row}}}"#,
                    100 + row
                )),
                list(bad, &|row| format!(
                    r#"{{"FieldName":"F","Message":"m{row}","DIndex":{row}}}"#
                )),
            );
            let judged = k3.judge("batch_save", &customer(), 4, &answer(200, &body));
            if (good, bad) == (0, 1) {
                // An error of the whole call is written under the first record as well.
                assert_eq!((judged.class, judged.verdicts), (Class::Rejected, Vec::new()));
                continue;
            }
            assert_eq!(judged.class, Class::Rows, "{body}");
            for row in 0..4 {
                let want = match (good & 1 << row != 0, bad & 1 << row != 0) {
                    (true, false) => Verdict::Accepted {
                        id: Some((100 + row).to_string()),
                        number: Some(format!("N{row}")),
                        lines: Vec::new(),
                    },
                    (false, true) => Verdict::Rejected {
                        message: format!("F: m{row}"),
                        field: Some("F".into()),
                        exists: false,
                    },
                    _ => Verdict::Absent,
                };
                assert_eq!(judged.verdicts[row], want, "row {row} of {body}");
            }
        }
    }
}

#[test]
fn answers_that_name_rows_badly() {
    let k3 = connect("k3", "default");
    let judge = |n: usize, good: &str, bad: &str| {
        let body = format!(
            r#"{{"Result":{{"ResponseStatus":{{"IsSuccess":false,"MsgCode":11,"SuccessEntitys":[{good}],"Errors":[{bad}]}}}}}}"#
        );
        k3.judge("batch_save", &customer(), n, &answer(200, &body))
            .verdicts
    };
    // Out of range, twice with other ids, without id and number, with an index that is no number.
    assert_eq!(
        judge(1, r#"{"Id":1,"Number":"a","DIndex":7}"#, ""),
        [Verdict::Absent]
    );
    assert_eq!(
        judge(1, r#"{"Id":1,"DIndex":0},{"Id":2,"DIndex":0}"#, ""),
        [Verdict::Absent]
    );
    assert_eq!(judge(1, r#"{"DIndex":0}"#, ""), [Verdict::Absent]);
    assert_eq!(
        judge(2, r#"{"Id":1,"DIndex":"x"},{"Id":2}"#, ""),
        [Verdict::Absent, Verdict::Absent]
    );
    assert_eq!(
        judge(1, r#"{"Id":1,"DIndex":"0"}"#, ""),
        [Verdict::Accepted {
            id: Some("1".into()),
            number: None,
            lines: Vec::new(),
        }]
    );
    // Several refusals of one row are one refusal with all the words.
    let twice = judge(
        1,
        "",
        r#"{"Message":"甲","DIndex":0},{"FieldName":"F","Message":"已存在","DIndex":0},{"Message":"甲","DIndex":0}"#,
    );
    assert_eq!(
        twice,
        [Verdict::Rejected {
            message: "甲; F: 已存在".into(),
            field: Some("F".into()),
            exists: true
        }]
    );
}

#[test]
fn classes_of_whole_answers() {
    let k3 = connect("k3", "default");
    let class = |status: u16, body: &str| {
        let judged = k3.judge("batch_save", &customer(), 1, &answer(status, body));
        (judged.class, judged.matched, judged.verdicts.len())
    };
    let status = |code: &str, rest: &str| {
        format!(r#"{{"Result":{{"ResponseStatus":{{"IsSuccess":false,"MsgCode":{code}{rest}}}}}}}"#)
    };
    let fault = (Class::Fault, false, 0);
    for (http, body) in [
        (200, String::new()),
        (200, "<html>login</html>".into()),
        (200, "{}".into()),
        (200, "[]".into()),
        (200, "null".into()),
        (200, r#"{"Result":{"ResponseStatus":{"IsSucc"#.into()),
        (200, r#"{"Result":{"ResponseStatus":null}}"#.into()),
        (302, String::new()),
        (200, status("99", "")),
    ] {
        assert_eq!(class(http, &body), fault, "{http} {body}");
    }
    assert_eq!(class(502, "").0, Class::Fault);
    assert_eq!(class(200, "response_error:{}").0, Class::Fault);
    assert_eq!(class(200, &status("\"14\"", "")).0, Class::Throttled);
    assert_eq!(class(200, &status("13", "")).0, Class::Transient);
    assert_eq!(class(200, &status("1", "")).0, Class::Auth);
    assert_eq!(class(200, &status("7", "")).0, Class::ConfigError);
    assert_eq!(
        class(200, &status("8", r#","Errors":[{"Message":"x","DIndex":0}]"#)),
        (Class::Rejected, true, 1)
    );
    // Every record would be refused alike, and none of them is to blame.
    assert_eq!(class(200, &status("5", "")).0, Class::ConfigError);
    // A success that comes with a status which cannot be one is none.
    let good = r#"{"Result":{"ResponseStatus":{"IsSuccess":true,"SuccessEntitys":[{"Id":1,"DIndex":0}]}}}"#;
    assert_eq!(class(200, good), (Class::Rows, true, 1));
    assert_eq!(class(206, good), (Class::Rows, true, 1));
    assert_eq!(class(500, good).0, Class::Fault);
    assert_eq!(class(202, good), fault);
    // The words of an answer that no row knows are kept, and shortened.
    let judged = k3.judge("batch_save", &customer(), 1, &answer(200, &"<p>".repeat(1000)));
    assert_eq!(judged.message.chars().count(), 512);
}

fn keys(paths: &[&str]) -> Vec<Path> {
    paths.iter().map(|path| Path::parse(path).unwrap()).collect()
}

fn ask(tkeys: &[&[&str]]) -> Ask {
    let k3 = connect("k3", "default");
    let tkeys: Vec<Vec<String>> = tkeys
        .iter()
        .map(|key| key.iter().map(|part| (*part).to_owned()).collect())
        .collect();
    let fields = keys(&["FCreateOrgId.FNumber", "FNumber"]);
    k3.ask("batch_save", &customer(), &fields, &tkeys, None, 0)
        .unwrap()
        .unwrap()
}

fn filter_of(ask: &Ask, call: usize) -> String {
    let k3 = connect("k3", "default");
    let call: Call<'_> = ask.calls[call].as_call();
    let body = json(&String::from_utf8(k3.prepare(&call).unwrap().body).unwrap());
    let path = Path::parse("data.FilterString").unwrap();
    path.get(&body).and_then(Value::as_text).unwrap().to_owned()
}

#[test]
fn asking_by_key() {
    let one = ask(&[&["100", "00123"]]);
    assert_eq!(
        filter_of(&one, 0),
        "FCreateOrgId.FNumber = '100' AND FNumber = '00123'"
    );
    assert_eq!(one.none, WhenNone::Resend);
    let same_org = ask(&[&["100", "a"], &["100", "b"]]);
    assert_eq!(
        filter_of(&same_org, 0),
        "FCreateOrgId.FNumber = '100' AND FNumber IN ('a', 'b')"
    );
    let mixed = ask(&[&["100", "a"], &["200", "b"]]);
    assert_eq!(
        filter_of(&mixed, 0),
        "(FCreateOrgId.FNumber = '100' AND FNumber = 'a') OR (FCreateOrgId.FNumber = '200' AND FNumber = 'b')"
    );
    let texts: Vec<String> = (0..120).map(|n| format!("n{n}")).collect();
    let many: Vec<[&str; 2]> = texts.iter().map(|text| ["100", text.as_str()]).collect();
    let many: Vec<&[&str]> = many.iter().map(|key| key.as_slice()).collect();
    assert_eq!(ask(&many).calls.len(), 3);
}

#[test]
fn what_the_rows_say() {
    let k3 = connect("k3", "default");
    let asked = ask(&[&["100", "00123"], &["100", "a"], &["100", "A"], &["100", "b"]]);
    assert_eq!(
        asked.calls[0]
            .fields
            .iter()
            .map(|(name, field)| format!("{name}={field}"))
            .collect::<Vec<_>>(),
        [
            "id=FCUSTID",
            "number=FNumber",
            "status=FDocumentStatus",
            "FCreateOrgId.FNumber=FCreateOrgId.FNumber"
        ]
    );
    let row = |id: i64, number: &str| {
        let mut row = Map::new();
        row.insert("id".into(), id.into());
        row.insert("number".into(), number.into());
        row.insert("FCreateOrgId.FNumber".into(), "100".into());
        Value::Map(row)
    };
    // A target that ignores case, or a number read as one, does not settle the wrong record.
    let rows = [
        row(1, "00123"),
        row(2, "123"),
        row(3, "A"),
        row(4, "b"),
        row(4, "b"),
        row(5, "B"),
    ];
    let one = |id: &str, number: &str| Found::One {
        id: Some(id.into()),
        number: Some(number.into()),
    };
    assert_eq!(
        k3.ask_rows(&asked, &rows),
        [one("1", "00123"), Found::None, one("3", "A"), one("4", "b")]
    );
    assert_eq!(k3.ask_rows(&asked, &[row(1, "a"), row(2, "a")])[1], Found::Many);
    assert_eq!(
        k3.ask_rows(&asked, &[]),
        [Found::None, Found::None, Found::None, Found::None]
    );
}

/// The document under our key is compared with what was sent of it.
#[test]
fn our_own_document_and_another_one() {
    let k3 = connect("k3", "default");
    let mut asked = ask(&[&["100", "00123"], &["100", "b"]]);
    asked.show(&keys(&["FName", "FTaxRate", "FNumber", "FDate"]));
    let names: Vec<&str> = asked.calls[0]
        .fields
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "id",
            "number",
            "status",
            "FCreateOrgId.FNumber",
            "FName",
            "FTaxRate",
            "FDate"
        ],
        "what is asked for anyway is not asked for twice"
    );
    let row = json(
        r#"{"id":1,"number":"00123","FCreateOrgId.FNumber":"100","FName":"杭州云杉贸易 ","FTaxRate":"13.0000","FDate":"2026-01-02T00:00:00.000"}"#,
    );
    for (sent, want) in [
        (
            r#"{"FName":"杭州云杉贸易","FTaxRate":13,"FNumber":"00123"}"#,
            &[][..],
        ),
        (r#"{"FName":"青田贸易","FTaxRate":13}"#, &["FName"]),
        (r#"{"FName":"青田贸易","FTaxRate":9}"#, &["FName", "FTaxRate"]),
        // What was not sent says nothing; what was sent empty does.
        (r#"{"FTaxRate":"13"}"#, &[]),
        (r#"{"FName":""}"#, &["FName"]),
        (r#"{"FName":null}"#, &["FName"]),
        (r#"{"FDate":"2026-01-02"}"#, &[]),
        (r#"{"FDate":"2026-01-02 00:00:00"}"#, &[]),
        (r#"{"FDate":"2026-01-03"}"#, &["FDate"]),
        (r#"{"FDate":"2026-01-02 08:00:00"}"#, &["FDate"]),
        (r#"{"FName":{"FNumber":"x"}}"#, &[]),
    ] {
        let sent = json(sent);
        let pairs: Vec<(String, Option<&Value>)> = ["FName", "FTaxRate", "FNumber", "FDate"]
            .map(|field| (field.to_owned(), sent.get(field)))
            .to_vec();
        assert_eq!(
            k3.differs(&asked, 0, std::slice::from_ref(&row), &pairs),
            want,
            "{sent:?}"
        );
    }
}

/// A target whose rows are maps under its own names, which `unknown.fields` translates.
const SHOP: &str = "connector: shop
name: {zh: 店, en: shop}
version: 1
zone: UTC
params:
  server: {type: url}
hosts: [<<$param.server>>]
outcome: [{when: http.status == 200, class: ok}]
operations:
  find:
    kind: read
    method: GET
    path: orders
    fields: {join: \",\"}
    filter: {as: sql_text}
    query: {filter: <<$filter>>}
    rows: {at: data}
  add:
    kind: write
    method: POST
    path: orders
    body: <<$record>>
    writes: [create]
    key: [head.no, shop]
    item: {id: id}
    proof: query
    unknown: {wait: 2s, ask: find, fields: {id: orderId, number: head.no}, by: key, none: resend}
";

#[test]
fn rows_under_the_targets_own_names_are_found() {
    let registry = functions::registry();
    let load = |name: &str, text: &str| SourceFile::new(name, text);
    let connector = connector::load(&load("connectors/shop/connector.yaml", SHOP), &registry).unwrap();
    let file = load(
        "connections.yaml",
        "connections:\n  shop: {connector: shop, params: {server: \"https://shop.example.com/\"}}\n",
    );
    let shop = connector::connections::load(&file, &[Arc::new(connector)], &registry)
        .unwrap()
        .resolve("shop", "default", &secrets(&[]))
        .unwrap();
    let tkeys = ["A1", "A2"].map(|no| vec![no.to_owned(), "7".to_owned()]);
    let asked = shop
        .ask("add", &Map::new(), &keys(&["head.no", "shop"]), &tkeys, None, 0)
        .unwrap()
        .unwrap();
    let rows = |text: &str| shop.ask_rows(&asked, json(text).as_list().unwrap());
    let found = Found::One {
        id: Some("70".into()),
        number: Some("A1".into()),
    };
    assert_eq!(
        rows(r#"[{"orderId": 70, "head": {"no": "A1"}, "shop": 7}]"#),
        [found.clone(), Found::None]
    );
    assert_eq!(rows("[]"), [Found::None, Found::None]);
    // What a row without its key is, nobody knows: it proves nothing about the other.
    assert_eq!(
        rows(r#"[{"orderId": 70, "head": {"no": "A1"}, "shop": 7}, {"orderId": 71}]"#),
        [found, Found::Many]
    );
}

#[test]
fn a_key_cannot_become_a_condition() {
    let k3 = connect("k3", "default");
    for text in [
        "x' OR '1'='1",
        "'--",
        "a') OR (1=1",
        "\\' OR 1=1",
        "%' OR FNumber LIKE '%",
    ] {
        let filter = filter_of(&ask(&[&["100", text]]), 0);
        let quoted = text.replace('\'', "''");
        assert_eq!(
            filter,
            format!("FCreateOrgId.FNumber = '100' AND FNumber = '{quoted}'")
        );
    }
    let asked = ask(&[&["100", "a\nb"]]);
    assert_eq!(k3.prepare(&asked.calls[0].as_call()).unwrap_err().code(), "E3008");
    // A key field that is no field of the target is refused, too.
    let bad = k3
        .ask(
            "batch_save",
            &customer(),
            &keys(&["F OR 1=1"]),
            &[vec!["x".into()]],
            None,
            0,
        )
        .unwrap()
        .unwrap();
    assert_eq!(k3.prepare(&bad.calls[0].as_call()).unwrap_err().code(), "E3007");
}

#[test]
fn asking_by_id() {
    let k3 = connect("k3", "default");
    let ids = ["7".to_owned(), "8".to_owned()];
    let asked = k3
        .ask("audit", &customer(), &[], &[], Some(&ids), 0)
        .unwrap()
        .unwrap();
    assert_eq!(filter_of(&asked, 0), "FCUSTID IN ('7', '8')");
    let rows = [json(r#"{"id":7,"status":"C"}"#), json(r#"{"id":8,"status":"B"}"#)];
    let found = k3.ask_rows(&asked, &rows);
    assert_eq!(
        found,
        [
            Found::One {
                id: Some("7".into()),
                number: None
            },
            Found::None
        ]
    );
    assert_eq!(
        k3.ask("audit", &customer(), &[], &[], None, 0),
        Ok(None),
        "nothing to ask with"
    );
    assert_eq!(k3.when_none("delete"), WhenNone::Done);
}

#[test]
fn facts_for_the_checker() {
    let facts = connect("k3", "default").facts();
    let save = facts.operation("batchSave").unwrap();
    assert_eq!(
        (save.keys)(&customer()),
        keys(&["FCreateOrgId.FNumber", "FNumber"])
    );
    assert_eq!(
        (save.keys)(&Map::new()),
        keys(&["FBillNo"]),
        "the row of all other forms"
    );
    assert_eq!((save.proof)(&customer()).name(), "unique_key");
    assert_eq!(save.batch_max, 50);
    let query = facts.operation("executeBillQuery").unwrap();
    assert!(query.uses_window && query.window_by_field && query.fields_required && query.columns.is_none());
    assert_eq!(query.page.map(|page| (page.size, page.max)), Some((2000, 2000)));
    assert_eq!(
        facts.operation("batchsave").unwrap_err().similar,
        ["BatchSave", "batchSave"]
    );
    let huke = connect("huke", "default").facts();
    assert_eq!((huke.min_interval_ms(), huke.zone()), (360_000, "Asia/Shanghai"));
    let trades = huke.operation("openapi/trade/searchTrades").unwrap();
    let columns = trades.columns.clone().unwrap();
    for known in ["buyerNick", "buyerCid", "cid", "tid", "receiver.city"] {
        assert!(
            columns.iter().any(|column| column == known),
            "{known}: {columns:?}"
        );
    }
    let owned: Vec<String> = trades
        .request_owned
        .iter()
        .map(|owned| format!("{} {:?}", owned.path, owned.what))
        .collect();
    assert_eq!(
        owned,
        [
            "timeRanges.startTime WindowStart",
            "timeRanges.endTime WindowEnd",
            "timeRanges.page PageNumber",
            "timeRanges.pageSize PageSize"
        ]
    );
    let customers = huke.operation("search_customers").unwrap();
    assert!(customers.columns.as_ref().unwrap().contains(&"唯一ID".to_owned()) && !customers.uses_window);
}

/// A row that the target found by a key which nobody wrote like that: it may be ours, stored as the target writes keys.
#[test]
fn a_key_that_the_target_writes_otherwise_is_not_absent() {
    let k3 = connect("k3", "default");
    let found = |wanted: &str, there: &str| {
        let mut row = Map::new();
        row.insert("id".into(), 1.into());
        row.insert("number".into(), there.into());
        row.insert("FCreateOrgId.FNumber".into(), "100".into());
        k3.ask_rows(&ask(&[&["100", wanted]]), &[Value::Map(row)])
            .remove(0)
    };
    assert_eq!(found("b001", "B001"), Found::Many);
    assert_eq!(found("b001 ", "b001"), Found::Many);
    assert_eq!(found("00123", "123"), Found::None);
}

/// A secret that stands where an answer's words are cut.
#[test]
fn words_are_cut_after_secrets_are_taken_out() {
    let k3 = connect("k3", "default");
    let secret = "canary-app-secret";
    let body = format!("{}{secret}", "x".repeat(505));
    let judged = k3.judge("batch_save", &customer(), 1, &answer(200, &body));
    assert!(!judged.message.contains("canary"), "{}", judged.message);
}

/// Lines are those of the document with the same number, whatever the order of the list; otherwise nobody's.
#[test]
fn ids_of_lines() {
    let k3 = connect("k3", "default");
    let judge = |returned: &str| {
        let body = format!(
            r#"{{"Result":{{"ResponseStatus":{{"IsSuccess":true,"MsgCode":0,"SuccessEntitys":[
                {{"Id":1,"Number":"A","DIndex":0}},{{"Id":2,"Number":"B","DIndex":1}}],"Errors":[]}},"NeedReturnData":{returned}}}}}"#
        );
        let judged = k3.judge("batch_save", &customer(), 2, &answer(200, &body));
        let told = judged.verdicts.into_iter().map(|verdict| match verdict {
            Verdict::Accepted { lines, .. } => lines
                .iter()
                .map(|list| {
                    let ids: Vec<&str> = list.ids.iter().map(|id| id.as_deref().unwrap_or("-")).collect();
                    format!("{} {}", list.name, ids.join(","))
                })
                .collect::<Vec<_>>()
                .join("; "),
            other => panic!("{other:?}"),
        });
        told.collect::<Vec<_>>()
    };
    for (returned, want) in [
        ("[{},{}]", ["", ""]),
        ("null", ["", ""]),
        ("\"\"", ["", ""]),
        // In another order than the documents, and one that nobody sent.
        (
            r#"[{"FBillNo":"C","E":[{"FEntryID":9}]},{"FBillNo":"B","E":[{"FEntryID":7}]},{"FBillNo":"A","E":[{"FEntryID":5},{"FEntryID":"6"}]}]"#,
            ["E 5,6", "E 7"],
        ),
        // Without a number it cannot be told whose they are.
        (r#"[{"E":[{"FEntryID":5}]},{"FBillNo":"B","E":[]}]"#, ["", "E "]),
        (
            r#"[{"FBillNo":"A","E":[{"FSeq":1},{"FEntryID":6}],"F":[{"FEntryID":8}],"G":1}]"#,
            ["E -,6; F 8", ""],
        ),
    ] {
        assert_eq!(judge(returned), want, "{returned}");
    }
}

/// Verdicts in the order of the records count only when there is one for each, and a success of the whole call, as here,
/// does not replace them.
#[test]
fn verdicts_by_position_are_as_many_as_records() {
    let text = "connector: own
name: own
zone: UTC
params: {server: {type: url, default: \"https://api.example.com/\"}}
hosts: [<<$param.server>>]
outcome: [{when: http.status == 200, class: ok}]
operations:
  send: {kind: write, path: send, writes: [create], key: [a], body: <<$records>>, items: {all: body.done, index: position, good_when: item.ok, message: <<why>>}}
";
    let registry = functions::registry();
    let load = |name: &str, text: &str| SourceFile::new(name, text);
    let connector = connector::load(&load("connector.yaml", text), &registry).unwrap();
    let file = load("connections.yaml", "connections: {own: {connector: own}}");
    let own = connector::connections::load(&file, &[Arc::new(connector)], &registry)
        .unwrap()
        .resolve("own", "default", &secrets(&[]))
        .unwrap();
    for (body, want) in [
        (r#"{"done":[{"ok":true},{"ok":false,"why":"no"}]}"#, "ar"),
        (r#"{"done":[{"ok":true}]}"#, "??"),
        (r#"{"done":[{"ok":true},{"ok":true},{"ok":true}]}"#, "??"),
        (r#"{"done":[]}"#, "??"),
        ("{}", "??"),
    ] {
        let judged = own.judge("send", &Map::new(), 2, &answer(200, body));
        let said = judged.verdicts.iter().map(|verdict| match verdict {
            Verdict::Accepted { .. } => 'a',
            Verdict::Rejected { .. } => 'r',
            Verdict::Absent => '?',
        });
        assert_eq!(
            (said.collect::<String>().as_str(), judged.class),
            (want, Class::Rows),
            "{body}"
        );
    }
}
