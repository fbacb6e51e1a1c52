//! An ERP of Fxiaoke's standard channel: what a connection chooses of its wire, and how its documents are asked for.

use std::sync::Arc;

use connector::{Call, Connection, Found, HttpAnswer, PageState};
use dsl::catalogue::source;
use dsl::facts::{Action, Proof};
use dsl::{Map, Path, Value};

use crate::common::{answer, connections_of, json, secrets};

fn erp(more: &str) -> Arc<Connection> {
    let yaml = format!(
        "connections:\n  erp: {{connector: fxiaoke-erp, params: {{server: \"https://erp.example.com/fx/\", token: \"${{secret:erp}}\"{more}}}}}\n"
    );
    let connection = connections_of(&yaml).resolve("erp", "default", &secrets(&[("secret", "erp", "t0ken")]));
    Arc::new(connection.expect("a good connection"))
}

fn options(text: &str) -> Map {
    match json(text) {
        Value::Map(map) => map,
        _ => unreachable!("a map was written"),
    }
}

fn order() -> Map {
    options(r#"{"objAPIName":"erpSalesOrderObj"}"#)
}

fn number() -> Vec<Path> {
    vec![Path::parse("number").expect("a path")]
}

fn proof(erp: &Arc<Connection>, operation: &str) -> Proof {
    let facts = erp.facts().operation(operation).expect("it is there");
    (facts.proof)(&order())
}

#[test]
fn an_erp_that_does_not_find_by_number_cannot_be_asked() {
    let erp = erp("");
    assert_eq!(
        (proof(&erp, "create"), proof(&erp, "update")),
        (Proof::None, Proof::Query)
    );
    assert!(!erp.can_ask("create", Action::Create));
    let asked = erp.ask("create", &order(), &number(), &[vec!["1".to_owned()]], None, 0);
    assert_eq!(asked, Ok(None));
}

#[test]
fn an_erp_that_finds_by_number_is_asked_one_by_one() {
    let erp = erp(", finds_by_number: true");
    assert_eq!(proof(&erp, "create"), Proof::Query);
    assert!(erp.can_ask("create", Action::Create));
    let keys = ["00123", "客户 1"].map(|key| vec![key.to_owned()]);
    let ask =
        |fields: &[Path], keys: &[Vec<String>]| erp.ask("create", &order(), fields, keys, None, 0).unwrap();
    let asked = ask(&number(), &keys).expect("it can");
    let urls: Vec<String> = asked
        .calls
        .iter()
        .map(|call| {
            let prepared = erp.prepare(&call.as_call()).unwrap();
            let data_id = prepared.query.iter().find(|(name, _)| name == "dataId");
            format!("{} {} {}", prepared.method, prepared.path, data_id.unwrap().1)
        })
        .collect();
    assert_eq!(
        urls,
        ["GET /fx/queryMasterById 00123", "GET /fx/queryMasterById 客户 1"]
    );
    let found = |bodies: &[&str]| {
        let mut rows = Vec::new();
        for (call, body) in asked.calls.iter().zip(bodies) {
            rows.extend(
                erp.rows("find_master", &call.as_call(), &answer(200, body))
                    .unwrap()
                    .rows,
            );
        }
        erp.ask_rows(&asked, &rows)
    };
    let there = r#"{"code":"0","data":{"objAPIName":"a","masterFieldVal":{"id":"00042","number":"00123"},"detailFieldVals":{}}}"#;
    let none = r#"{"code":0,"message":"ok","data":null}"#;
    let one = Found::One {
        id: Some("00042".to_owned()),
        number: Some("00123".to_owned()),
    };
    assert_eq!(found(&[there, none]), [one.clone(), Found::None]);
    assert_eq!(found(&[none, none]), [Found::None, Found::None]);
    // An ERP that answers another document than the one that was asked for proves nothing about it.
    assert_eq!(
        found(&[&there.replace("00123", "123"), none]),
        [Found::None, Found::None]
    );
    // One that does not show the number leaves it open.
    let nameless = r#"{"code":"0","data":{"masterFieldVal":{"id":"7"}}}"#;
    assert_eq!(found(&[nameless, none]), [Found::Many, Found::Many]);
    // A key of two fields is no text that an option takes.
    let two = [Path::parse("org").unwrap(), Path::parse("number").unwrap()];
    assert_eq!(ask(&two, &[vec!["1".to_owned(), "2".to_owned()]]), None);
}

/// A lost update is asked about by the id of its document, which shows what was sent or does not.
#[test]
fn an_update_is_known_by_what_the_document_shows() {
    let erp = erp("");
    assert!(erp.asks_update("update", &Map::new()) && !erp.asks_update("create", &Map::new()));
    let own = options(r#"{"objAPIName":"erpSalesOrderObj","id_field":"bill"}"#);
    let ids = ["00042".to_owned()];
    let asked = erp.ask("update", &own, &[], &[ids.to_vec()], Some(&ids), 0);
    let asked = asked.unwrap().expect("it can");
    let call = asked.calls[0].as_call();
    let url = erp.prepare(&call).unwrap();
    assert_eq!(
        (url.path.as_str(), &url.query[1]),
        ("/fx/queryMasterById", &("dataId".to_owned(), "00042".to_owned()))
    );
    let shown = |master: &str, lines: &str| {
        let body = format!(
            r#"{{"code":"0","data":{{"objAPIName":"a","masterFieldVal":{{"bill":"00042",{master}}},"detailFieldVals":{{"x":{lines}}}}}}}"#
        );
        let rows = erp
            .rows("query_master_by_id", &call, &answer(200, &body))
            .unwrap()
            .rows;
        let found = erp.ask_rows(&asked, &rows);
        assert!(matches!(found[0], Found::One { .. }), "{found:?}");
        let sent = r#"{"masterFieldVal":{"bill":"00042","price":"1.50","note":""},"detailFieldVals":{"x":[{"sku":"a","qty":1},{"sku":"a","qty":1},{"id":"9","sku":"b"}]}}"#;
        erp.shows(&asked, 0, &rows, &json(sent))
    };
    let all = r#"[{"id":"9","sku":"b","qty":"7"},{"id":"10","sku":"a","qty":"1"},{"id":"11","sku":"a","qty":"1.0"}]"#;
    assert!(shown(r#""price":1.5,"more":{}"#, all));
    assert!(!shown(r#""price":1.6"#, all));
    assert!(!shown(r#""more":1"#, all));
    // One line is not two, and a line is known by the id that it was sent with.
    assert!(!shown(
        r#""price":1.5"#,
        r#"[{"id":"9","sku":"b"},{"id":"10","sku":"a","qty":1}]"#
    ));
    assert!(!shown(r#""price":1.5"#, &all.replace(r#""9""#, r#""8""#)));
    assert!(!shown(r#""price":1.5"#, "[]"));
}

#[test]
fn an_id_stays_a_text_wherever_the_erp_wants_it() {
    let erp = erp("");
    let mut document = json(r#"{"masterFieldVal":{"name":"a"}}"#);
    erp.put_id("update", &order(), &mut document, "42").unwrap();
    assert_eq!(
        dsl::json::to_string(&document),
        r#"{"masterFieldVal":{"id":"42","name":"a"}}"#
    );
    let own = options(r#"{"objAPIName":"a","id_field":"bill_id"}"#);
    erp.put_id("update", &own, &mut document, "9").unwrap();
    assert_eq!(
        dsl::json::to_string(&document),
        r#"{"masterFieldVal":{"bill_id":"9","id":"42","name":"a"}}"#
    );
}

#[test]
fn a_page_that_does_not_say_what_it_should_fails() {
    let erp = erp("");
    let options = order();
    let read = |answer: &HttpAnswer| {
        let call = Call {
            page: Some(PageState {
                size: 100,
                ..PageState::default()
            }),
            ..Call::new("queryMasterBatch", &options, 0)
        };
        erp.rows("queryMasterBatch", &call, answer)
    };
    let xml = |body: &str| HttpAnswer {
        status: 200,
        headers: vec![("content-type".to_owned(), "application/xml".to_owned())],
        body: body.as_bytes().to_vec(),
    };
    for (bad, code) in [
        (
            answer(200, r#"{"code":"0","data":{"totalNum":"0"}}"#),
            source::ROWS_MISSING.code,
        ),
        (
            answer(200, r#"{"code":"0","data":{"dataList":[]}}"#),
            source::TOTAL_MISSING.code,
        ),
        (
            answer(200, r#"{"code":"0","data":{"totalNum":"many","dataList":[]}}"#),
            source::TOTAL_MISSING.code,
        ),
        (
            answer(200, r#"{"code":"0","data":null}"#),
            source::ROWS_MISSING.code,
        ),
        (
            answer(200, r#"{"code":"0","data":{"totalNum":1,"dataList":{}}}"#),
            source::ROWS_NOT_LIST.code,
        ),
        (
            xml("<r><code>0</code><data><dataList/></data></r>"),
            source::TOTAL_MISSING.code,
        ),
        (xml("<r><code>0</code></r>"), source::ROWS_MISSING.code),
    ] {
        let failure = read(&bad).expect_err(&String::from_utf8_lossy(&bad.body));
        assert_eq!(failure.code(), code, "{}", String::from_utf8_lossy(&bad.body));
    }
    let empty = read(&answer(
        200,
        r#"{"code":"0","data":{"totalNum":0,"dataList":[]}}"#,
    ))
    .unwrap();
    assert_eq!((empty.rows.len(), empty.total, empty.more), (0, Some(0), false));
    let empty = read(&xml("<r><code>0</code><data><totalNum>0</totalNum></data></r>")).unwrap();
    assert_eq!((empty.rows.len(), empty.total, empty.more), (0, Some(0), false));
}

#[test]
fn a_root_that_is_no_name_is_told_before_anything_is_sent() {
    let erp = erp(", format: xml, xml_root: \"a b\"");
    let options = order();
    let call = Call {
        records: Some(vec![json(r#"{"masterFieldVal":{"number":"1"}}"#)].into()),
        ..Call::new("create", &options, 0)
    };
    assert_eq!(erp.prepare(&call).unwrap_err().code(), source::FRAME.code);
}
