//! The plain system: its wire, and the same calls at every level of what a target can do.

use serde_json::{Value, json};

use super::{Answer, Headers, json_type, sandbox, send};
use crate::fault::{FaultKind, FaultPlan};
use crate::{Config, Credentials, Level, NewSettings, Running, start};

pub(super) async fn token(at: &Running) -> String {
    let c = Credentials::default();
    let body = json!({"client_id": c.plain_id, "client_secret": c.plain_secret}).to_string();
    let headers = vec![json_type()];
    let answer = send(at, "POST", "/plain/token", &headers, body.as_bytes())
        .await
        .unwrap()
        .json();
    answer["access_token"].as_str().unwrap().to_owned()
}

pub(super) async fn call(
    at: &Running,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> Option<Answer> {
    with(at, method, path, token, &[], body).await
}

async fn with(
    at: &Running,
    method: &str,
    path: &str,
    token: &str,
    more: &[(&'static str, &str)],
    body: &Value,
) -> Option<Answer> {
    let mut headers: Headers = vec![json_type(), ("authorization", format!("Bearer {token}"))];
    headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    send(at, method, &format!("/plain/{path}"), &headers, body.as_bytes()).await
}

async fn at_level(level: Level) -> (Running, String) {
    let at = sandbox(|c| c.settings.plain = Some(level)).await;
    let token = token(&at).await;
    (at, token)
}

fn said(answer: &Answer) -> String {
    let json = answer.json();
    let code = json["error"]["code"].as_str().unwrap_or("fine").to_owned();
    format!("{} {code}", answer.status)
}

#[tokio::test]
async fn what_each_level_says() {
    use Level::{IdempotencyKey, None, Query, UniqueKey, Upsert};
    // level -> first post, second post, question, put; documents in the end
    for (level, want, documents) in [
        (
            None,
            ["201 fine", "201 fine", "403 not_allowed", "405 not_allowed"],
            2,
        ),
        (Query, ["201 fine", "201 fine", "200 fine", "405 not_allowed"], 2),
        (
            UniqueKey,
            ["201 fine", "409 key_exists", "200 fine", "405 not_allowed"],
            1,
        ),
        (
            IdempotencyKey,
            ["201 fine", "201 fine", "403 not_allowed", "405 not_allowed"],
            2,
        ),
        (Upsert, ["201 fine", "409 key_exists", "200 fine", "200 fine"], 1),
    ] {
        let (at, token) = at_level(level).await;
        let body = json!({"key": "甲/1", "amount": 12.50});
        let mut got = Vec::new();
        for (method, path, body) in [
            ("POST", "documents", &body),
            ("POST", "documents", &body),
            ("GET", "documents?key=%E7%94%B2%2F1", &Value::Null),
            ("PUT", "documents/%E7%94%B2%2F1", &body),
        ] {
            got.push(said(&call(&at, method, path, &token, body).await.unwrap()));
        }
        assert_eq!(got, want, "{level:?}");
        let ids: std::collections::BTreeSet<u64> = at.journal().iter().map(|entry| entry.id).collect();
        assert_eq!(ids.len(), documents, "{level:?}");
    }
}

#[tokio::test]
async fn a_document_keeps_its_digits_and_counts_its_versions() {
    let (at, token) = at_level(Level::Upsert).await;
    let path = "documents/0012";
    let text = r#"{"key":"0012","amount":12.50,"id":12345678901234567890123}"#;
    for version in 1..=3 {
        let headers = vec![json_type(), ("authorization", format!("Bearer {token}"))];
        let answer = send(&at, "PUT", &format!("/plain/{path}"), &headers, text.as_bytes()).await;
        assert_eq!(answer.unwrap().json()["version"], version);
    }
    let found = call(&at, "GET", "documents?key=0012&key=none", &token, &Value::Null).await;
    assert!(found.unwrap().text().contains(&format!("\"document\":{text}")));
    let versions: Vec<u64> = at.journal().iter().map(|entry| entry.version).collect();
    assert_eq!(versions, [1, 2, 3]);
    let listed = call(
        &at,
        "GET",
        "documents?page=1&size=10&from=0",
        &token,
        &Value::Null,
    )
    .await;
    assert_eq!(listed.unwrap().json()["total"], 1);
}

#[tokio::test]
async fn an_idempotency_key_is_answered_again_while_it_is_remembered() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        state: Some(folder.path().to_owned()),
        settings: NewSettings {
            plain: Some(Level::IdempotencyKey),
            idempotency_ms: Some(60_000),
            ..NewSettings::default()
        },
        ..Config::default()
    };
    let at = start(config()).await.unwrap();
    let body = json!({"documents": [{"key": "1"}, {"key": ""}]});
    let post = async |at: &Running, key: &'static str, body: &Value| {
        let token = token(at).await;
        with(at, "POST", "documents", &token, &[("idempotency-key", key)], body)
            .await
            .unwrap()
    };
    let first = post(&at, "a", &body).await;
    let again = post(&at, "a", &body).await;
    assert_eq!((first.status, first.json()), (again.status, again.json()));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.json()["results"][1]["code"], "key_missing");
    assert_eq!(
        said(&post(&at, "a", &json!({"key": "2"})).await),
        "422 key_reused"
    );
    at.stop().await;
    let at = start(config()).await.unwrap();
    assert_eq!(
        post(&at, "a", &body).await.json(),
        first.json(),
        "after a restart"
    );
    assert_eq!(at.journal().len(), 1);
    at.advance_ms(60_001);
    post(&at, "a", &body).await;
    assert_eq!(at.journal().len(), 2, "forgotten");
}

#[tokio::test]
async fn faults_of_the_plain_system() {
    let (at, first) = at_level(Level::Query).await;
    for (kind, want, executed) in [
        (FaultKind::TooMany, "429", 0),
        (FaultKind::MsgCode14, "200 rate_limited", 0),
        (FaultKind::MsgCode13, "200 busy", 0),
        (FaultKind::Http519, "502 bad_gateway", 0),
        (FaultKind::Duplicate, "201 fine", 2),
        (FaultKind::RowErrors, "422 rejected", 0),
        (FaultKind::SessionLost, "401 token_expired", 0),
    ] {
        at.clear_faults();
        at.fault(FaultPlan::nth("postDocuments", 1, kind)).unwrap();
        let before = at.journal().len();
        let answer = call(&at, "POST", "documents", &first, &json!({"key": "1"}))
            .await
            .unwrap();
        let got = if answer.status == 429 {
            "429".to_owned()
        } else {
            said(&answer)
        };
        assert_eq!(
            (got.as_str(), at.journal().len() - before),
            (want, executed),
            "{kind:?}"
        );
    }
    let answer = call(&at, "POST", "documents", &first, &json!({"key": "1"}))
        .await
        .unwrap();
    assert_eq!(said(&answer), "401 token_expired", "the token is gone for good");
}

#[tokio::test]
async fn rows_of_a_plain_batch() {
    let (at, token) = at_level(Level::UniqueKey).await;
    let batch = |keys: [&str; 3]| -> Value {
        let documents: Vec<Value> = keys.iter().map(|key| json!({"key": key})).collect();
        json!({"documents": documents})
    };
    for (kind, commit, keys, want, executed) in [
        (
            FaultKind::RowErrors,
            None,
            ["a", "x1", "b"],
            "0 true, 1 false, 2 true",
            2,
        ),
        (
            FaultKind::RowsUnnamed,
            None,
            ["c", "x2", "d"],
            "0 true, 2 true",
            3,
        ),
        (
            FaultKind::RowsUnnamed,
            Some(false),
            ["e", "x3", "f"],
            "0 true, 2 true",
            2,
        ),
        (FaultKind::BatchRefused, None, ["g", "x4", "h"], "", 0),
        (
            FaultKind::BatchRefused,
            None,
            ["g", "y", "g"],
            "0 true, 1 true, 2 false",
            2,
        ),
    ] {
        at.clear_faults();
        let plan = FaultPlan {
            value: Some("x".to_owned()),
            commit,
            ..FaultPlan::every("postDocuments", kind)
        };
        at.fault(plan).unwrap();
        let before = at.journal().len();
        let answer = call(&at, "POST", "documents", &token, &batch(keys))
            .await
            .unwrap()
            .json();
        let results = answer["results"].as_array().cloned().unwrap_or_default();
        let got: Vec<String> = results
            .iter()
            .map(|row| format!("{} {}", row["index"], row["ok"]))
            .collect();
        assert_eq!(got.join(", "), want, "{kind:?} {answer}");
        assert_eq!(at.journal().len() - before, executed, "{kind:?}");
    }
}

#[tokio::test]
async fn documents_are_asked_for_by_a_condition() {
    let (at, token) = at_level(Level::Query).await;
    let body = json!({"documents": [{"key": "A"}, {"key": "B's"}, {"key": "a"}]});
    call(&at, "POST", "documents", &token, &body).await.unwrap();
    // condition, percent-encoded -> status and keys, or the refusal
    for (condition, want) in [
        ("key%20=%20'A'", "200 A"),
        ("key+IN+('A','B''s','C')", "200 A,B's"),
        ("id%20%3E%20700002", "200 a"),
        ("name%20=%20'A'", "400"),
        ("key%20=%20'A'%20;", "400"),
    ] {
        let path = format!("documents?filter={condition}&page=1&size=10");
        let answer = call(&at, "GET", &path, &token, &Value::Null).await.unwrap();
        let json = answer.json();
        let keys: Vec<&str> = json["documents"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|document| document["key"].as_str())
            .collect();
        let got = format!("{} {}", answer.status, keys.join(","));
        assert_eq!(got.trim_end(), want, "{condition}");
    }
}
