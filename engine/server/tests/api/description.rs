//! The description: as it is checked in, and every operation of it called with every scope and with none.

use std::path::Path;

use axum::body::Body;
use axum::http::Request;
use server::access::Scope;

use crate::house::House;

fn document() -> serde_json::Value {
    serde_json::from_str(&server::openapi_text()).unwrap()
}

#[test]
fn the_file_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/generated/openapi.json");
    let text = server::openapi_text();
    #[expect(
        clippy::disallowed_methods,
        reason = "the switch of every test that keeps a file"
    )]
    let is_rewriting = std::env::var_os("UPDATE_EXPECT").is_some();
    if is_rewriting {
        std::fs::write(&path, &text).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/generated/openapi.json differs from the code: UPDATE_EXPECT=1 writes it"
    );
}

#[test]
fn every_reference_of_the_description_leads_somewhere() {
    let text = server::openapi_text();
    let document = document();
    let mut seen = 0;
    for line in text.lines().filter(|line| line.contains("\"$ref\"")) {
        let name = line
            .split("#/components/schemas/")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let name = name.unwrap_or_else(|| panic!("{line}"));
        assert!(document["components"]["schemas"][name].is_object(), "{name}");
        seen += 1;
    }
    assert!(seen > 50, "{seen}");
}

struct Called {
    method: String,
    path: String,
    content_type: Option<String>,
    scope: Option<String>,
}

fn operations() -> Vec<Called> {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let body = operation["requestBody"]["content"].as_object();
            all.push(Called {
                method: method.to_uppercase(),
                path: path
                    .split('/')
                    .map(|part| match part {
                        "{scheme}" | "{user}" | "{connection}" | "{connector}" | "{channel}" => "nobody",
                        part if part.starts_with('{') => "999999",
                        part => part,
                    })
                    .collect::<Vec<_>>()
                    .join("/"),
                content_type: body.and_then(|body| body.keys().next().cloned()),
                scope: operation["x-scope"].as_str().map(str::to_owned),
            });
        }
    }
    assert!(all.len() > 25, "{}", all.len());
    all
}

impl Called {
    fn request(&self, token: Option<&str>) -> Request<Body> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(content_type) = &self.content_type {
            request = request.header("content-type", content_type);
        }
        request.body(Body::from("{}")).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_with_every_scope_and_with_none() {
    let house = House::open().await;
    for called in operations() {
        let name = format!("{} {}", called.method, called.path);
        for token in [None, Some(""), Some("eng_wrong")] {
            let status = house.open_answer(called.request(token)).await.status().as_u16();
            match called.scope {
                Some(_) => assert_eq!(status, 401, "{name} with {token:?}"),
                None => assert!(status < 500, "{name}: {status}"),
            }
        }
        let Some(needed) = &called.scope else { continue };
        for (scope, token) in &house.tokens {
            let status = house
                .open_answer(called.request(Some(token)))
                .await
                .status()
                .as_u16();
            let may = match needed.as_str() {
                "read" => true,
                needed => scope.word() == needed || *scope == Scope::Admin,
            };
            if may {
                assert!(
                    ![401, 403].contains(&status) && status < 500,
                    "{name} with {}: {status}",
                    scope.word()
                );
            } else {
                assert_eq!(status, 403, "{name} with {}", scope.word());
            }
        }
    }
}

/// What the description says of an answer is what is answered.
#[tokio::test(flavor = "multi_thread")]
async fn answers_have_the_shapes_that_are_described() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    let document = document();
    let components = &document["components"];
    for (path, schema_of) in [
        ("/schemes", "/schemes"),
        ("/schemes/huke-customers", "/schemes/{scheme}"),
        ("/schemes/broken", "/schemes/{scheme}"),
        ("/runs", "/runs"),
        ("/runs/1", "/runs/{run}"),
        ("/records?limit=3", "/records"),
        ("/records/1", "/records/{record}"),
        ("/records/1/attempts", "/records/{record}/attempts"),
        ("/tokens", "/tokens"),
        ("/users", "/users"),
        ("/audit", "/audit"),
        ("/me", "/me"),
        ("/system", "/system"),
        ("/connections", "/connections"),
        ("/connectors", "/connectors"),
        ("/functions", "/functions"),
        ("/queues", "/queues"),
        ("/replays", "/replays"),
        ("/runs/1/log", "/runs/{run}/log"),
        ("/mappings/data?scheme=huke-to-k3", "/mappings/data"),
        ("/mappings/data/flaws", "/mappings/data/flaws"),
        ("/mappings/fields", "/mappings/fields"),
        ("/notifications/channels", "/notifications/channels"),
        ("/schemes/huke-to-k3/revisions", "/schemes/{scheme}/revisions"),
        (
            "/schemes/huke-to-k3/revisions/1",
            "/schemes/{scheme}/revisions/{rev}",
        ),
        (
            "/schemes/huke-to-k3/revisions/1/diff",
            "/schemes/{scheme}/revisions/{rev}/diff",
        ),
    ] {
        let answer = house.ask("GET", path, "").await.is(200);
        let place = &document["paths"][format!("/api/v1{schema_of}")]["get"]["responses"]["200"];
        let reference = &place["content"]["application/json"]["schema"];
        let schema = serde_json::json!({"allOf": [reference], "components": components});
        let validator = jsonschema::validator_for(&schema).unwrap();
        let json = answer.json();
        let wrong: Vec<String> = validator
            .iter_errors(&json)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{path}: {wrong:?}\n{}", answer.text);
    }
}

/// Secrets of connections, tokens and passwords are in no answer.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_holds_a_secret() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    house.pass("huke-to-k3").await;
    let mut seen = 0;
    let mut hidden: Vec<&str> = house.secrets.iter().map(String::as_str).collect();
    hidden.extend(house.tokens.iter().map(|(_, token)| token.as_str()));
    hidden.push(crate::house::PASSWORD);
    hidden.push("$argon2");
    assert!(hidden.len() > 6, "{hidden:?}");
    let records = house.ask("GET", "/records?limit=500", "").await.is(200);
    let ids: Vec<i64> = records.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["record"].as_i64())
        .collect();
    let mut paths: Vec<String> = operations()
        .into_iter()
        .filter(|called| called.method == "GET" && !called.path.contains("/events"))
        .map(|called| {
            called
                .path
                .replace("/api/v1", "")
                .replace("nobody", "huke-to-k3")
                .replace("999999", "1")
        })
        .collect();
    paths.extend(ids.iter().map(|id| format!("/records/{id}")));
    for path in paths {
        let answer = house.ask("GET", &path, "").await;
        for secret in &hidden {
            assert!(!answer.text.contains(secret), "{path} holds the secret {secret}");
        }
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}
