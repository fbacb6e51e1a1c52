//! What would be sent: of a row that is given, and of the source, without anything being written.

use std::time::Duration;

use app::service::dry::DryRun;
use axum::body::Body;
use axum::http::Request;
use flow::window::Interval;
use ledger::read::RunFilter;
use server::access::Scope;

use crate::house::House;

const ROW: &str = r#"{"buyerCid":"00123","buyerNick":"杭州云杉贸易","paid":1.50}"#;

fn as_token(token: &str, path: &str, body: &str) -> Request<Body> {
    Request::builder()
        .method("POST")
        .uri(format!("/api/v1{path}"))
        .header("authorization", format!("Bearer {token}"))
        .header("accept-language", "en")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_becomes_a_document() {
    let house = House::open().await;
    let lookups = r#"{"huke-customers":[{"cid":"00123","唯一ID":"100482"}]}"#;
    let body = format!(r#"{{"scheme":"huke-to-k3","row":{ROW},"lookups":{lookups}}}"#);
    let shown = house.ask("POST", "/preview", &body).await.is(200).json();
    assert_eq!(shown["ok"], true);
    assert_eq!(shown["total"], 1);
    let record = &shown["records"][0];
    assert_eq!(record["key"], serde_json::json!(["00123"]));
    assert_eq!(
        record["payload"],
        serde_json::json!({
            "FName": "杭州云杉贸易", "FNumber": "00123", "FCreateOrgId": {"FNumber": "100"},
            "FUseOrgId": {"FNumber": "100"}, "FDescription": "100482",
        })
    );
    let line = |field: &str| {
        let mut lines = record["trace"].as_array().unwrap().iter();
        lines.find(|line| line["field"] == field).unwrap().clone()
    };
    assert_eq!(line("FNumber")["expr"], "<<buyerCid>>");
    assert_eq!(line("FDescription")["matches"], 1);

    let narrow = format!(
        r#"{{"scheme":"huke-to-k3","row":{ROW},"lookups":{lookups},"fields":["FUseOrgId.FNumber","FNumber"]}}"#
    );
    let shown = house.ask("POST", "/preview", &narrow).await.is(200).json();
    let record = &shown["records"][0];
    assert_eq!(
        record["payload"],
        serde_json::json!({"FNumber": "00123", "FUseOrgId": {"FNumber": "100"}})
    );
    let fields: Vec<&str> = record["trace"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|line| line["field"].as_str())
        .collect();
    assert_eq!(fields, ["FNumber"]);
    // Nothing of it is kept.
    let reader = house.state.reader();
    assert!(reader.list_runs(&RunFilter::default()).unwrap().is_empty());
}

const TEXT: &str = r#"
scheme: new
source: {connection: web, api: webhook, key: id, keep: {field: name, neq: "no"}}
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_Customer}
  request:
    FName: <<name>>
    FNumber: <<id>>
    FCreateOrgId: {FNumber: "100"}
    FUseOrgId: {FNumber: "100"}
    FDescription: {$value: <<amount>>, $sensitive: true}
schedule: on_push
"#;

/// A house with a connection whose rows may have any fields.
async fn with_web() -> House {
    let house = House::open().await;
    let path = house.folder.parent().unwrap().join("connections.yaml");
    let web = r#"
  web:
    connector: http
    params: {server: "https://shop.example.com/", webhook_secret: "${env:SHOP_PUSH}"}
"#;
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.trim_end().to_owned() + web).unwrap();
    house.service.reload().await.unwrap();
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_no_scheme_yet() {
    let house = with_web().await;
    let text = TEXT.to_owned();
    let body = |text: &str, row: &str| format!(r#"{{"text":{},"row":{row}}}"#, serde_json::json!(text));
    let checked = house
        .ask(
            "POST",
            "/preview",
            &body(&text, r#"{"id":"7","name":"a","amount":1.50}"#),
        )
        .await
        .is(200);
    let shown = checked.json();
    assert_eq!(shown["ok"], true, "{}", checked.text);
    assert_eq!(shown["records"][0]["payload"]["FNumber"], "7");
    // What people must not see is masked, in the trace as well.
    assert_eq!(shown["records"][0]["payload"]["FDescription"], "***");
    assert!(!checked.text.contains("1.5"), "{}", checked.text);

    let dropped = house
        .ask("POST", "/preview", &body(&text, r#"{"id":"7","name":"no"}"#))
        .await
        .is(200)
        .json();
    assert_eq!(dropped["records"][0]["outcome"], "dropped");
    assert_eq!(dropped["records"][0]["reason"]["code"], "E3057");

    let failed = house
        .ask("POST", "/preview", &body(&text, r#"{"name":"a"}"#))
        .await
        .is(200)
        .json();
    assert_eq!(failed["records"][0]["outcome"], "failed", "{failed}");
    assert!(failed["records"][0]["reason"]["code"].is_string());

    let wrong = house
        .ask(
            "POST",
            "/preview",
            &body(&text.replace("<<id>>", "_function NO(1)"), "{}"),
        )
        .await
        .is(200)
        .json();
    assert_eq!(wrong["ok"], false);
    assert_eq!(wrong["diagnostics"][0]["code"], "E1301", "{wrong}");
    assert!(wrong["records"].as_array().unwrap().is_empty());

    // A text that is no YAML at all, and a body that means nothing.
    let shown = house.ask("POST", "/preview", &body("a: [", "{}")).await.is(200);
    assert_eq!(shown.json()["ok"], false);
    for nothing in [
        format!(r#"{{"row":{ROW}}}"#),
        format!(r#"{{"text":"a","scheme":"huke-to-k3","row":{ROW}}}"#),
        format!(r#"{{"scheme":"huke-to-k3","row":{ROW},"fields":["a..b"]}}"#),
        format!(r#"{{"scheme":"huke-to-k3","row":{ROW},"now":"today"}}"#),
    ] {
        house
            .ask("POST", "/preview", &nothing)
            .await
            .refused(400, "E6005");
    }
    house
        .ask("POST", "/preview", &format!(r#"{{"scheme":"none","row":{ROW}}}"#))
        .await
        .refused(404, "E6003");
    assert!(!house.folder.join("new.yaml").exists());
}

/// A row of a few kilobytes may not become one of gigabytes.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_many_lines_does_not_fill_the_memory() {
    let house = with_web().await;
    let text = TEXT.replace("key: id,", "key: [id, $row], explode: [lines, lines.parts],");
    let body = |lines: &str| {
        format!(
            r#"{{"text":{},"row":{{"id":"7","name":"a","lines":[{lines}]}}}}"#,
            serde_json::json!(text)
        )
    };
    // Forty lines of a thousand parts each.
    let many = vec!["{}"; 1_000].join(",");
    let many = vec![format!(r#"{{"parts":[{many}]}}"#); 40].join(",");
    let answer = house.ask("POST", "/preview", &body(&many)).await.is(400);
    assert!(answer.text.contains("10000"), "{}", answer.text);
    let few = house
        .ask("POST", "/preview", &body(r#"{"parts":[{},{}]},{"parts":[{}]}"#))
        .await
        .is(200);
    assert_eq!(few.json()["total"], 3, "{}", few.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_limited_to_schemes_tries_those() {
    let house = House::open().await;
    let token = house.limited("operate", &["huke-to-k3"]).await;
    let state = server::State::new(std::sync::Arc::clone(&house.service), server::Settings::default());
    let router = server::router(state.unwrap());
    let text = format!(r#"{{"text":{},"row":{{}}}}"#, serde_json::json!(TEXT));
    let own = format!(r#"{{"scheme":"huke-to-k3","row":{ROW}}}"#);
    let other = format!(r#"{{"scheme":"huke-customers","row":{ROW}}}"#);
    for (path, body, status) in [
        ("/preview", text.as_str(), 403),
        ("/preview", own.as_str(), 200),
        ("/preview", other.as_str(), 404),
        ("/schemes/huke-to-k3/actions/dry-run", r#"{"limit":1}"#, 200),
        ("/schemes/huke-customers/actions/dry-run", r#"{"limit":1}"#, 404),
    ] {
        let request = as_token(&token, path, body);
        let answer = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path} {body}");
    }
    let reading = house.token(Scope::Read);
    let dry_run = as_token(reading, "/schemes/huke-to-k3/actions/dry-run", "");
    house.send(dry_run).await.refused(403, "E6002");
}

fn dry_body(house: &House) -> String {
    let now = house.simulated.now_ms();
    let text = jiff::Timestamp::from_millisecond(now).unwrap().to_string();
    format!(r#"{{"limit":3,"now":"{text}"}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_shows_what_would_be_sent_and_writes_nothing() {
    let house = House::open().await;
    let path = "/schemes/huke-to-k3/actions/dry-run";
    let before = house.simulated.state()["k3"].clone();
    let answer = house.ask("POST", path, &dry_body(&house)).await.is(200);
    let shown = answer.json();
    assert_eq!(shown["scheme"], "huke-to-k3");
    assert_eq!(shown["would_write"], 3, "{}", answer.text);
    assert_eq!(shown["calls_left"], 0);
    let calls = shown["calls"].as_array().unwrap();
    assert!(!calls.is_empty());
    for call in calls {
        assert_eq!(call["action"], "create");
        assert!(call["body"].as_str().unwrap().contains("BD_Customer"));
        for record in call["records"].as_array().unwrap() {
            assert_eq!(record["payload"]["FNumber"], record["key"][0]);
            assert!(!record["trace"].as_array().unwrap().is_empty());
        }
    }
    for secret in &house.secrets {
        assert!(!answer.text.contains(secret), "{secret}");
    }
    // Neither the target nor the ledger knows of it.
    assert_eq!(house.simulated.state()["k3"], before);
    let reader = house.state.reader();
    assert!(reader.list_runs(&RunFilter::default()).unwrap().is_empty());
    assert_eq!(reader.states("huke-to-k3").unwrap(), [0; 7]);
    for wrong in [
        r#"{"limit":0}"#,
        r#"{"limit":201}"#,
        r#"{"now":"x"}"#,
        r#"{"now":"9475-11-22T04:35:36Z"}"#,
        r#"{"window":{"from":"2026-01-02T00:00:00Z","to":"2026-01-01T00:00:00Z"}}"#,
        r#"{"more":1}"#,
    ] {
        house.ask("POST", path, wrong).await.refused(400, "E6005");
    }
    house
        .ask("POST", "/schemes/broken/actions/dry-run", "")
        .await
        .is(422);
}

/// It ends in time and says that there is more: decades of empty windows would be hours of calls.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_decades_ends_at_the_end_of_its_time() {
    let house = House::open().await;
    let now = house.simulated.now_ms();
    let wanted = DryRun {
        limit: 1,
        window: Interval::new(now - 19_000 * 86_400_000, now - 5_000 * 86_400_000),
        now: Some(now),
        time: Duration::from_millis(50),
    };
    let asker = house.service.asker();
    let report = house.service.dry_run("huke-to-k3", wanted, &asker, ());
    let report = tokio::time::timeout(Duration::from_secs(120), report).await;
    let report = report.expect("it does not end").unwrap();
    assert_eq!(report.left.unwrap().code, "E3092");
    assert_eq!(report.summary.status, flow::op::RunStatus::Partial);
}

/// Whoever goes away ends the dry run they asked for, where that is safe; its place is free again.
#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_ends_with_whoever_asked() {
    let house = House::open().await;
    let now = house.simulated.now_ms();
    let wanted = DryRun {
        limit: 1,
        // Decades of empty windows: hours of calls.
        window: Interval::new(now - 20_000 * 86_400_000, now - 5_000 * 86_400_000),
        now: Some(now),
        time: Duration::from_secs(100_000),
    };
    let asker = house.service.asker();
    let (held, is_held) = tokio::sync::oneshot::channel::<()>();
    // The counts are those of the process, and other tests call as well.
    let count = || app::meter::calls().get("huke").map_or(0, |calls| calls.count);
    let before = count();
    let reads = async {
        while count() == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        report = house.service.dry_run("huke-to-k3", wanted, &asker, held) => panic!("{report:?}"),
        () = reads => {}
    }
    drop(asker);
    let ended = tokio::time::timeout(Duration::from_secs(120), is_held).await;
    ended.expect("it goes on for nobody").unwrap_err();
}
