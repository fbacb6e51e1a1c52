//! Schemes: written, changed, refused, removed.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use server::access::Scope;

use crate::house::House;

const YAML: (&str, &str) = ("content-type", "application/yaml");

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_is_changed_by_whoever_has_read_it() {
    let house = House::open().await;
    let shown = house.ask("GET", "/schemes/huke-to-k3", "").await.is(200);
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let text = shown.json()["text"].as_str().unwrap().to_owned();
    let file = house.folder.join("huke-to-k3.yaml");
    assert_eq!(text, std::fs::read_to_string(&file).unwrap());
    let path = "/schemes/huke-to-k3";
    let put = format!("{text}# one more line\n");
    house
        .ask_with("PUT", path, &put, &[YAML])
        .await
        .refused(428, "E6008");
    let wrong = [YAML, ("if-match", "\"0123456789abcdef\"")];
    house
        .ask_with("PUT", path, &put, &wrong)
        .await
        .refused(412, "E6009");
    let right = [YAML, ("if-match", tag.as_str())];
    // A text in error is not kept, and says where.
    let bad = text.replace("scheme:", "schem:");
    let refused = house.ask_with("PUT", path, &bad, &right).await.is(422);
    assert!(
        !refused.json()["diagnostics"].as_array().unwrap().is_empty(),
        "{}",
        refused.text
    );
    assert!(
        !refused.text.contains("/tmp"),
        "folders of the server are told: {}",
        refused.text
    );
    let stored = house.ask_with("PUT", path, &put, &right).await.is(200).json();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), put);
    // Whoever read the old one comes too late.
    house
        .ask_with("PUT", path, &text, &right)
        .await
        .refused(412, "E6009");

    let tag = stored["revision"].as_str().unwrap().to_owned();
    let json = [("if-match", tag.as_str())];
    let nowhere = r#"{"path":"sorce.api","value":1}"#;
    house
        .ask_with("PATCH", path, nowhere, &json)
        .await
        .refused(422, "E6020");
    let change = r#"{"path":"enabled","value":false}"#;
    let changed = house.ask_with("PATCH", path, change, &json).await.is(200).json();
    let new = changed["text"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), new);
    let differs = |one: &str, other: &str| {
        let other: Vec<&str> = other.lines().collect();
        one.lines().filter(|line| !other.contains(line)).count()
    };
    assert!(differs(new, &put) <= 1 && differs(&put, new) <= 1, "{new}");
    let after = house.ask("GET", path, "").await.is(200).json();
    assert_eq!(after["scheme"]["state"], "draft");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_is_added_and_removed() {
    let house = House::open().await;
    let text = std::fs::read_to_string(house.folder.join("huke-customers.yaml")).unwrap();
    let id = "scheme: huke-customers";
    assert!(text.contains(id));
    let new: String = text
        .replace(id, "scheme: copy")
        .lines()
        .filter(|line| !line.starts_with("uuid:"))
        .map(|line| format!("{line}\n"))
        .collect();
    house
        .ask_with("POST", "/schemes", &text, &[YAML])
        .await
        .refused(409, "E6010");
    // Nor is a file taken that stands beside the schemes and is none.
    for bad in ["../x", "a/b", "..", "con", "connections", "notify", "Connections"] {
        let text = new.replace("scheme: copy", &format!("scheme: \"{bad}\""));
        house
            .ask_with("POST", "/schemes", &text, &[YAML])
            .await
            .refused(400, "E6005");
    }
    let key = [YAML, ("idempotency-key", "add")];
    let added = house.ask_with("POST", "/schemes", &new, &key).await.is(201);
    let again = house.ask_with("POST", "/schemes", &new, &key).await.is(201);
    assert_eq!(added.text, again.text);
    assert_eq!(again.headers["location"], "/api/v1/schemes/copy");
    let list = house.ask("GET", "/schemes?limit=1", "").await.is(200).json();
    assert_eq!(
        (list["total"].as_i64(), list["items"][0]["id"].as_str()),
        (Some(4), Some("broken"))
    );
    let next = list["next"].as_str().unwrap();
    let list = house
        .ask("GET", &format!("/schemes?limit=1&cursor={next}"), "")
        .await
        .is(200)
        .json();
    assert_eq!(list["items"][0]["id"], "copy");
    let tag = added.json()["revision"].as_str().unwrap().to_owned();
    house
        .ask("DELETE", "/schemes/copy", "")
        .await
        .refused(428, "E6008");
    house
        .ask_with("DELETE", "/schemes/copy", "", &[("if-match", &tag)])
        .await
        .is(204);
    house.ask("GET", "/schemes/copy", "").await.refused(404, "E6003");
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_and_what_is_heard_of_them() {
    let house = House::open().await;
    let request = Request::get("/api/v1/events?topics=schemes")
        .header("authorization", format!("Bearer {}", house.token(Scope::Read)))
        .body(Body::empty())
        .unwrap();
    let mut stream = house.open_answer(request).await;
    assert_eq!(stream.headers()["x-accel-buffering"], "no");
    assert_eq!(stream.status(), 200);
    let path = "/schemes/huke-to-k3/actions";
    house
        .ask("POST", &format!("{path}/pause"), "{}")
        .await
        .refused(400, "E6005");
    house
        .ask("POST", &format!("{path}/pause"), r#"{"reason":"年末盘点"}"#)
        .await
        .is(202);
    let shown = house.ask("GET", "/schemes/huke-to-k3", "").await.is(200).json();
    assert_eq!(shown["scheme"]["paused"]["reason"], "年末盘点");
    assert_eq!(shown["scheme"]["state"], "paused");
    house
        .ask("POST", &format!("{path}/resume"), r#"{"reason":"done"}"#)
        .await
        .is(202);
    let mut heard = String::new();
    while !heard.contains("scheme.resumed") {
        let frame = stream.body_mut().frame().await.unwrap().unwrap();
        heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
    }
    assert!(heard.contains("event: scheme.paused"), "{heard}");
    let id: u64 = heard
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .and_then(|id| id.parse().ok())
        .unwrap();
    // Whoever comes back hears what was missed; whoever comes back too late is told so.
    for (last, want) in [
        ((id).to_string(), "scheme.resumed"),
        ("7".to_owned(), "event: reset"),
    ] {
        let request = Request::get("/api/v1/events")
            .header("authorization", format!("Bearer {}", house.token(Scope::Read)))
            .header("last-event-id", &last)
            .body(Body::empty())
            .unwrap();
        let mut stream = house.open_answer(request).await;
        let mut heard = String::new();
        while !heard.contains(want) {
            let frame = stream.body_mut().frame().await.unwrap().unwrap();
            heard.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
        assert!(!heard.contains(&format!("id: {id}\n")), "{heard}");
    }
    house.ask("POST", "/schemes/broken/actions/run", "").await.is(422);
    house
        .ask("POST", "/schemes/huke-customers/actions/run", "")
        .await
        .is(202);
    let checked = house
        .ask("POST", "/schemes/broken/actions/check", "")
        .await
        .is(200)
        .json();
    assert_eq!(checked["ok"], false);
    assert!(!checked["diagnostics"].as_array().unwrap().is_empty());
}

/// Who changed what is found under the scheme, with both texts; and a text that is kept is told as kept, whatever fails
/// after that.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_noted_with_its_text() {
    let house = House::open().await;
    let path = "/schemes/huke-to-k3";
    let shown = house.ask("GET", path, "").await.is(200);
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let text = shown.json()["text"].as_str().unwrap().to_owned();
    let put = format!("{text}# one\n");
    let stored = house
        .ask_with("PUT", path, &put, &[YAML, ("if-match", &tag)])
        .await
        .is(200)
        .json();
    assert_eq!(stored["trouble"], serde_json::Value::Null, "{stored}");
    let reader = house.state.reader();
    let rows = reader.revisions("huke-to-k3", 2).unwrap();
    assert!(rows[0].who.starts_with("token "), "{rows:?}");
    assert_eq!((rows[0].message.as_str(), rows.len()), ("replace", 2));
    let texts: Vec<String> = rows
        .iter()
        .map(|row| {
            let which = ledger::service::revisions::Which::Seq(row.seq);
            reader.revision("huke-to-k3", which).unwrap().unwrap().text
        })
        .collect();
    assert_eq!(texts, [put.clone(), text]);
    house
        .ask("POST", &format!("{path}/actions/run"), "")
        .await
        .is(202);
    let audit = house
        .ask("GET", "/audit?scheme=huke-to-k3", "")
        .await
        .is(200)
        .json();
    let told: Vec<&str> = audit["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["action"].as_str().unwrap())
        .collect();
    assert_eq!(told, ["run", "scheme"]);
    for item in audit["items"].as_array().unwrap() {
        let what = item["what"].as_str().unwrap();
        assert!(what.ends_with(rows[0].hash.as_str()), "{what}");
    }

    // The folder cannot be read again: what was kept is kept all the same.
    let connections = house.folder.parent().unwrap().join("connections.yaml");
    std::fs::write(connections, "connections: [").unwrap();
    let tag = stored["revision"].as_str().unwrap();
    let last = format!("{put}# two\n");
    let stored = house
        .ask_with("PUT", path, &last, &[YAML, ("if-match", tag)])
        .await
        .is(200)
        .json();
    assert!(stored["trouble"]["code"].is_string(), "{stored}");
    assert_eq!(
        std::fs::read_to_string(house.folder.join("huke-to-k3.yaml")).unwrap(),
        last
    );
    assert_eq!(reader.revisions("huke-to-k3", 1).unwrap()[0].message, "replace");
}
