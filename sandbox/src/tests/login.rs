use serde_json::{Value, json};

use super::{
    Headers, at_vector_time, batch, customer, json_type, k3, k3_path, k3_raw, login, query, sandbox, send,
};
use crate::{Config, crypto};

const APP: &str = "240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const SIGN: &str = "4f7f9d365817a10936807e26b10222aa7a92f99f8e2ebe7171c17b3b7ffd84ed";

fn vector_tenant(c: &mut Config) {
    let k = &mut c.credentials;
    (k.acct, k.user, k.app_secret, k.password) =
        ("acct01".into(), "demo".into(), "s3cret".into(), "pw".into());
    k.app_id = APP.to_owned();
}

/// One more, one less or another character at the end.
fn spoil(text: &str) -> String {
    let other = if text.ends_with('A') { "B" } else { "A" };
    format!("{}{other}", &text[..text.len() - 1])
}

#[tokio::test]
async fn the_three_logins() {
    let at = at_vector_time(vector_tenant).await;
    let cases: [(&str, Value, bool); 12] = [
        (
            "LoginBySign",
            json!(["acct01", "demo", APP, "1700000000", SIGN, 2052]),
            true,
        ),
        (
            "LoginBySign",
            json!(["acct01", "demo", APP, 1_700_000_000, SIGN, "2052"]),
            true,
        ),
        (
            "LoginBySign",
            json!(["acct01", "demo", APP, "1700000000", spoil(SIGN), 2052]),
            false,
        ),
        (
            "LoginBySign",
            json!(["acct01", "demo", APP, "1700000001", SIGN, 2052]),
            false,
        ),
        (
            "LoginBySign",
            json!(["acct01", "demo2", APP, "1700000000", SIGN, 2052]),
            false,
        ),
        (
            "LoginBySign",
            json!(["acct02", "demo", APP, "1700000000", SIGN, 2052]),
            false,
        ),
        (
            "LoginBySign",
            json!([
                "acct01",
                "demo",
                APP,
                "1700000000",
                SIGN.to_ascii_uppercase(),
                2052
            ]),
            false,
        ),
        (
            "LoginByAppSecret",
            json!(["acct01", "demo", APP, "s3cret", 2052]),
            true,
        ),
        (
            "LoginByAppSecret",
            json!(["acct01", "demo", APP, "s3cres", 2052]),
            false,
        ),
        ("ValidateUser", json!(["acct01", "demo", "pw", 2052]), true),
        ("ValidateUser", json!(["acct01", "demo", "PW", 2052]), false),
        ("ValidateUser", json!([]), false),
    ];
    for (service, parameters, good) in cases {
        let answer = k3(&at, service, "", json!({"parameters": parameters})).await;
        assert_eq!(
            answer["LoginResultType"] == 1,
            good,
            "{service} {parameters}: {answer}"
        );
        assert_eq!(answer["KDSVCSessionId"].as_str().unwrap().is_empty(), !good);
        assert_eq!(answer["Message"].is_string(), !good);
    }
    let form = b"acctid=acct01&username=demo&password=pw&lcid=2052";
    let headers = vec![("content-type", "application/x-www-form-urlencoded".to_owned())];
    let answer = send(&at, "POST", &k3_path("ValidateUser"), &headers, form)
        .await
        .unwrap();
    assert_eq!(answer.json()["LoginResultType"], 1);
    at.advance_ms(13 * 60_000);
    let late = k3(
        &at,
        "LoginBySign",
        "",
        json!({"parameters": ["acct01", "demo", APP, "1700000000", SIGN, 2052]}),
    );
    assert_eq!(late.await["LoginResultType"], 0, "13 minutes are too old");
}

fn signed() -> Headers {
    vec![
        json_type(),
        ("X-Api-ClientID", "240001".to_owned()),
        ("X-Api-Auth-Version", "2.0".to_owned()),
        ("x-api-timestamp", "1700000000".to_owned()),
        ("x-api-nonce", "1700000000".to_owned()),
        ("x-api-signheaders", "X-Api-TimeStamp,X-Api-Nonce".to_owned()),
        (
            "X-Api-Signature",
            "ZjUwZDVkZTQwODdlYWRlOGRiY2ExYWY3YzhiZDM4MmJhMDE2ZjdkNmE3YWRjNTU5ZDZjMWEwMDk0M2VmZjk2Mw=="
                .to_owned(),
        ),
        ("X-Kd-Appkey", APP.to_owned()),
        ("X-Kd-Appdata", "YWNjdDAxLGRlbW8sMjA1MiwxMDA=".to_owned()),
        (
            "X-Kd-Signature",
            "ZWZmYTk1YjVjOWE1YzI0NjNkZWVkZjgzOGEwOTRjMzY1MmIzYmUxM2Y5MDBlZjhhNjQ1YTIxZDE2MzczYzA0YQ=="
                .to_owned(),
        ),
    ]
}

const SAVE: &str = "/K3Cloud/Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.Save.common.kdsvc";

#[tokio::test]
async fn signed_headers_of_the_published_vector() {
    let at = at_vector_time(vector_tenant).await;
    let save = json!({"formid": "BD_Customer", "data": {"Model": customer("1", "甲")}}).to_string();
    let good = send(&at, "POST", SAVE, &signed(), save.as_bytes())
        .await
        .unwrap()
        .json();
    assert_eq!(good["Result"]["ResponseStatus"]["IsSuccess"], true, "{good}");
    // Every header that takes part, one character off; and the same path in other letters.
    for (name, _) in signed().into_iter().skip(1) {
        let headers: Headers = signed()
            .into_iter()
            .map(|(n, v)| if n == name { (n, spoil(&v)) } else { (n, v) })
            .collect();
        let bad = send(&at, "POST", SAVE, &headers, save.as_bytes())
            .await
            .unwrap()
            .json();
        assert_eq!(bad["Result"]["ResponseStatus"]["MsgCode"], 1, "{name}: {bad}");
    }
    let lower = SAVE.replace("/K3Cloud/", "/k3cloud/");
    let bad = send(&at, "POST", &lower, &signed(), save.as_bytes())
        .await
        .unwrap()
        .json();
    assert_eq!(
        bad["Result"]["ResponseStatus"]["MsgCode"], 1,
        "the path is signed as it is sent"
    );
    at.advance_ms(13 * 60_000);
    let stale = send(&at, "POST", SAVE, &signed(), save.as_bytes())
        .await
        .unwrap()
        .json();
    assert_eq!(stale["Result"]["ResponseStatus"]["MsgCode"], 1);
    assert_eq!(at.journal().len(), 1);
}

#[tokio::test]
async fn signed_times_may_be_milliseconds() {
    let at = at_vector_time(vector_tenant).await;
    let secret = crypto::kingdee_client_secret(APP).unwrap();
    let (ts, path) = ("1700000000123", k3_path("ExecuteBillQuery"));
    let text = format!(
        "POST\n{}\n\nx-api-nonce:{ts}\nx-api-timestamp:{ts}\n",
        crypto::percent_encode(&path)
    );
    let headers: Headers = signed()
        .into_iter()
        .map(|(n, v)| match n {
            "x-api-timestamp" | "x-api-nonce" => (n, ts.to_owned()),
            "X-Api-Signature" => (n, crypto::kingdee_hmac(&secret, &text)),
            _ => (n, v),
        })
        .collect();
    let body = br#"{"data":{"FormId":"BD_Customer","FieldKeys":"FNumber"}}"#;
    assert_eq!(
        send(&at, "POST", &path, &headers, body).await.unwrap().json(),
        json!([])
    );
}

#[tokio::test]
async fn a_lost_session_has_two_shapes() {
    let at = sandbox(|c| c.session_ttl_ms = 60_000).await;
    let session = login(&at).await;
    assert_eq!(query(&at, &session, "FNumber", "").await, json!([]));
    at.advance_ms(60_001);
    let nested = query(&at, &session, "FNumber", "").await;
    assert_eq!(nested[0][0]["Result"]["ResponseStatus"]["MsgCode"], 1, "{nested}");
    let plain = k3(&at, "BatchSave", &session, batch(&[customer("1", "甲")])).await;
    let status = &plain["Result"]["ResponseStatus"];
    assert_eq!(status["Errors"][0]["Message"], "会话信息已丢失，请重新登录");
    assert_eq!(
        (&status["IsSuccess"], &status["MsgCode"]),
        (&json!(false), &json!(1))
    );
    assert_eq!(at.journal(), [], "nothing was executed");
}

#[tokio::test]
async fn a_session_can_end_after_so_many_calls_and_travels_as_cookie() {
    let at = sandbox(|c| c.session_max_calls = Some(2)).await;
    let session = login(&at).await;
    let cookie = vec![
        json_type(),
        ("cookie", format!("Theme=standard; kdservice-sessionid={session}")),
    ];
    let body = br#"{"data":{"FormId":"BD_Customer","FieldKeys":"FNumber"}}"#;
    let by_cookie = send(&at, "POST", &k3_path("ExecuteBillQuery"), &cookie, body)
        .await
        .unwrap();
    assert_eq!(by_cookie.json(), json!([]));
    assert_eq!(query(&at, &session, "FNumber", "").await, json!([]));
    assert_eq!(
        query(&at, &session, "FNumber", "").await[0][0]["Result"]["ResponseStatus"]["MsgCode"],
        1
    );
    let other = k3_raw(&at, "View", "made-up", "{}").await.unwrap().json();
    assert_eq!(other["Result"]["ResponseStatus"]["MsgCode"], 1);
}
