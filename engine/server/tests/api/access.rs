//! Tokens, users, logins, idempotency keys.

use axum::body::Body;
use axum::http::Request;
use server::access::Scope;

use crate::house::{House, PASSWORD};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_and_ends_when_it_is_revoked() {
    let house = House::open().await;
    let body = r#"{"name":"erp","scopes":["read"],"days":7}"#;
    let key = [("idempotency-key", "k1")];
    let made = house.ask_with("POST", "/tokens", body, &key).await.is(201).json();
    let token = made["token"].as_str().unwrap().to_owned();
    let by = |token: String| {
        Request::get("/api/v1/me")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap()
    };
    assert_eq!(house.send(by(token.clone())).await.is(200).json()["name"], "erp");
    // Sent again it makes no second one, and shows nothing.
    house
        .ask_with("POST", "/tokens", body, &key)
        .await
        .refused(409, "E6017");
    let other = r#"{"name":"x","scopes":["read"]}"#;
    house
        .ask_with("POST", "/tokens", other, &key)
        .await
        .refused(409, "E6011");
    let listed = house.ask("GET", "/tokens", "").await.is(200);
    assert!(!listed.text.contains(&token));
    let id = made["id"].as_i64().unwrap();
    house.ask("DELETE", &format!("/tokens/{id}"), "").await.is(204);
    house.send(by(token)).await.refused(401, "E6001");
    house
        .ask("DELETE", "/tokens/424242", "")
        .await
        .refused(404, "E6003");
    for wrong in [
        r#"{"name":"","scopes":["read"]}"#,
        r#"{"name":"x","scopes":[]}"#,
        r#"{"name":"x","scopes":["all"]}"#,
        r#"{"name":"x","scopes":["read"],"days":0}"#,
        r#"{"name":"x","scopes":["read"],"day":1}"#,
        "[]",
        "",
    ] {
        house.ask("POST", "/tokens", wrong).await.refused(400, "E6005");
    }
    let plain = [("content-type", "text/plain")];
    house
        .ask_with("POST", "/tokens", body, &plain)
        .await
        .refused(415, "E6016");
    let large = format!("\"{}\"", "x".repeat(2 << 20));
    house.ask("POST", "/tokens", &large).await.refused(413, "E6006");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_writes_only_with_the_header_that_foreign_pages_cannot_send() {
    let house = House::open().await;
    let login = |name: &str, password: &str| {
        let body = serde_json::json!({"name": name, "password": password}).to_string();
        Request::post("/api/v1/login")
            .header("content-type", "application/json")
            .header("accept-language", "en")
            .body(Body::from(body))
            .unwrap()
    };
    house
        .send(login("王工", "wrong password"))
        .await
        .refused(401, "E6013");
    let unknown = house.send(login("nobody", "wrong password")).await.is(401);
    let known = house.send(login("王工", "wrong password")).await.is(401);
    let title = |answer: &crate::house::Answer| answer.json()["title"].clone();
    assert_eq!(
        title(&unknown),
        title(&known),
        "nobody is told which names there are"
    );

    let answer = house.send(login("王工", PASSWORD)).await.is(200);
    let cookie = answer.headers["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with = |method: &str, path: &str, header: bool| {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/api/v1{path}"))
            .header("cookie", &cookie);
        if header {
            request = request.header("x-engine", "1");
        }
        request.body(Body::empty()).unwrap()
    };
    assert_eq!(
        house.send(with("GET", "/me", false)).await.is(200).json()["kind"],
        "user"
    );
    house
        .send(with("POST", "/logout", false))
        .await
        .refused(403, "E6014");
    house.send(with("POST", "/logout", true)).await.is(204);
    house.send(with("GET", "/me", false)).await.refused(401, "E6001");
    // Five mistakes in a row, and the name has to wait; also one that nobody has.
    for name in ["王工", "nobody"] {
        for _ in 0..5 {
            house.send(login(name, "wrong password")).await;
        }
        let waits = house.send(login(name, PASSWORD)).await;
        assert!(waits.headers.contains_key("retry-after"));
        waits.refused(429, "E6012");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_are_added_changed_and_removed() {
    let house = House::open().await;
    let body = r#"{"name":"李 雷","password":"12345678","scopes":["operate"]}"#;
    let made = house.ask("POST", "/users", body).await.is(201);
    let at = made.headers["location"].to_str().unwrap().replace("/api/v1", "");
    assert_eq!(at, "/users/%E6%9D%8E%20%E9%9B%B7");
    house.ask("POST", "/users", body).await.refused(409, "E6010");
    let short = r#"{"name":"a","password":"1234567","scopes":["read"]}"#;
    house.ask("POST", "/users", short).await.refused(400, "E6005");
    house.ask("PATCH", &at, r#"{"scopes":["edit"]}"#).await.is(204);
    house.ask("PATCH", &at, "{}").await.refused(400, "E6005");
    house
        .ask("PATCH", "/users/nobody", r#"{"scopes":["edit"]}"#)
        .await
        .refused(404, "E6003");
    let users = house.ask("GET", "/users", "").await.is(200).json();
    assert_eq!(users["items"][0]["scopes"], serde_json::json!(["edit"]));
    house.ask("DELETE", &at, "").await.is(204);
    house.ask("DELETE", &at, "").await.refused(404, "E6003");
    let audit = house.ask("GET", "/audit?limit=1", "").await.is(200).json();
    assert_eq!(audit["items"][0]["action"], "user");
    let next = audit["next"].as_str().unwrap();
    house
        .ask("GET", &format!("/audit?limit=1&cursor={next}"), "")
        .await
        .is(200);
    house
        .ask("GET", &format!("/runs?limit=1&cursor={next}"), "")
        .await
        .refused(400, "E6015");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_some_schemes_sees_no_other() {
    let house = House::open().await;
    house.pass("huke-customers").await;
    let token = house.limited("operate", &["huke-to-k3"]).await;
    let state = server::State::new(std::sync::Arc::clone(&house.service), server::Settings::default());
    let router = server::router(state.unwrap());
    let check = async |path: &str, status: u16| {
        let request = Request::get(format!("/api/v1{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        let answer = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
    };
    check("/schemes", 200).await;
    check("/schemes/huke-to-k3", 200).await;
    check("/schemes/huke-customers", 404).await;
    check("/records", 400).await;
    check("/records?scheme=huke-to-k3", 200).await;
    check("/records?scheme=huke-customers", 404).await;
    check("/records/1", 404).await;
    check("/runs/1", 404).await;
    check("/system", 403).await;
    check("/connections", 403).await;
}

/// A scheme's text reaches every connection and every other scheme: whoever is limited writes none, and tries none.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_some_schemes_writes_no_text() {
    let house = House::open().await;
    let token = house.limited("operate,edit", &["huke-to-k3"]).await;
    let state = server::State::new(std::sync::Arc::clone(&house.service), server::Settings::default());
    let router = server::router(state.unwrap());
    let ask = async |method: &str, path: &str, content: &str, body: &str, status: u16| {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/v1/schemes/huke-to-k3{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content)
            .header("if-match", "\"0123456789abcdef\"")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let answer = tower::ServiceExt::oneshot(router.clone(), request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path} {body}");
    };
    let json = "application/json";
    ask("PUT", "", "application/yaml", "scheme: huke-to-k3\n", 403).await;
    ask("PATCH", "", json, r#"{"path":"enabled","value":false}"#, 403).await;
    ask(
        "POST",
        "/actions/check",
        json,
        r#"{"text":"scheme: huke-to-k3"}"#,
        403,
    )
    .await;
    ask("POST", "/actions/check", json, "", 200).await;
}

/// What only reads is not kept for a repetition: it would fill the ledger.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_takes_no_key() {
    let house = House::open().await;
    let key = [("idempotency-key", "k")];
    let path = "/schemes/huke-to-k3/actions/check";
    house.ask_with("POST", path, "", &key).await.is(200);
    let copy = r#"{"text":"scheme: huke-customers\n"}"#;
    let told = house.ask_with("POST", path, copy, &key).await.is(200);
    assert!(told.text.contains("huke-customers.yaml"), "{}", told.text);
    let folder = house.folder.display().to_string();
    assert!(
        !told.text.contains(&folder),
        "folders of the server are told: {}",
        told.text
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_unknown_is_told_in_two_languages() {
    let house = House::open().await;
    house.ask("GET", "/nothing", "").await.refused(404, "E6003");
    let zh = [("accept-language", "zh-CN")];
    let request = Request::get("/api/v1/nothing").header(zh[0].0, zh[0].1);
    let answer = house.send(request.body(Body::empty()).unwrap()).await.is(404);
    assert_eq!(answer.headers["content-language"], "zh");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    assert!(
        answer.json()["title"].as_str().unwrap().starts_with("没有"),
        "{}",
        answer.text
    );
    let wrong = house.ask("DELETE", "/runs", "").await;
    assert_eq!(wrong.headers["allow"], "GET");
    wrong.refused(405, "E6004");
    house
        .ask("GET", "/runs?limit=many", "")
        .await
        .refused(400, "E6005");
    house
        .ask("GET", "/runs?limit=501", "")
        .await
        .refused(400, "E6005");
    house
        .ask("GET", "/runs?nothing=1", "")
        .await
        .refused(400, "E6005");
    for path in ["/healthz", "/readyz"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        house.send(request).await.is(200);
    }
    let request = Request::get("/metrics").body(Body::empty()).unwrap();
    house.send(request).await.refused(401, "E6001");
    let bearer = format!("Bearer {}", house.token(Scope::Read));
    let request = Request::get("/metrics").header("authorization", bearer);
    let metrics = house.send(request.body(Body::empty()).unwrap()).await.is(200);
    assert!(
        metrics
            .text
            .contains("engine_http_requests_total{status=\"4xx\"}"),
        "{}",
        metrics.text
    );
    house.service.stop();
    let request = Request::get("/readyz").body(Body::empty()).unwrap();
    house.send(request).await.refused(503, "E6021");
}

/// A client that hangs up, wherever its request stands: what it began is carried out whole, with the note of who did it,
/// what the server holds in memory, and the answer that is kept for a repetition.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_leaves_nothing_half_done() {
    let house = House::open().await;
    // One that is hung up after so many steps, until one of them comes to its end.
    for steps in 1..100 {
        let name = format!("erp{steps}");
        let body = serde_json::json!({"name": name, "scopes": ["read"]}).to_string();
        let made = house.ask("POST", "/tokens", &body).await.is(201).json();
        let (id, token) = (made["id"].as_i64().unwrap(), made["token"].as_str().unwrap());
        let request = Request::delete(format!("/api/v1/tokens/{id}"))
            .header("authorization", format!("Bearer {}", house.token(Scope::Admin)))
            .body(Body::empty())
            .unwrap();
        let has_ended = hung_up(house.open_answer(request), steps).await;
        until(async || {
            let request = Request::get("/api/v1/me")
                .header("authorization", format!("Bearer {token}"))
                .body(Body::empty())
                .unwrap();
            house.send(request).await.status == 401
        })
        .await;

        let body = format!(r#"{{"name":"{name}","password":"12345678","scopes":["read"]}}"#);
        let add = || {
            Request::post("/api/v1/users")
                .header("authorization", format!("Bearer {}", house.token(Scope::Admin)))
                .header("content-type", "application/json")
                .header("idempotency-key", &name)
                .body(Body::from(body.clone()))
                .unwrap()
        };
        let has_ended = hung_up(house.open_answer(add()), steps).await && has_ended;
        // Sent again it is the same request, not one for a name that is taken.
        until(async || {
            let again = house.send(add()).await;
            let is_under_way = again.status == 409 && again.json()["code"] == "E6011";
            assert!(is_under_way || again.status == 201, "{steps}: {}", again.text);
            !is_under_way
        })
        .await;
        if has_ended {
            return;
        }
    }
    panic!("a request of more than a hundred steps");
}

/// Lets a future take so many steps and drops it; whether it came to its end.
async fn hung_up<F: Future>(future: F, steps: usize) -> bool {
    let mut future = std::pin::pin!(future);
    let mut taken = 0;
    std::future::poll_fn(move |context| {
        if future.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(true);
        }
        taken += 1;
        if taken >= steps {
            return std::task::Poll::Ready(false);
        }
        std::task::Poll::Pending
    })
    .await
}

/// Asks again until it is so, at most for two minutes.
async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let asked = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(120), asked)
        .await
        .expect("it never came to be so");
}
