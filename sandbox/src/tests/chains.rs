//! Systems that are logged in to by several calls: what each of them refuses.

use super::{Answer, Headers, at_vector_time, sandbox, send};
use crate::{Running, crypto};

async fn get(at: &Running, path: &str, headers: &Headers) -> Answer {
    send(at, "GET", path, headers, b"").await.expect("an answer")
}

async fn post(at: &Running, path: &str, headers: &Headers, body: &str) -> Answer {
    send(at, "POST", path, headers, body.as_bytes())
        .await
        .expect("an answer")
}

fn none() -> Headers {
    Headers::new()
}

const TOKEN: &str = "/yonbip/auth/open-auth/selfAppAuth/base/v1/getAccessToken";

#[tokio::test]
async fn yonbip_names_its_servers_and_checks_the_signature_as_it_was_meant() {
    let at = at_vector_time(|_| {}).await;
    let where_to = "/yonbip/meta/open-auth/dataCenter/getGatewayAddress";
    let named = get(&at, &format!("{where_to}?tenantId=sandbox01"), &none())
        .await
        .json();
    let base = format!("http://{}/yonbip", at.addr());
    assert_eq!(named["data"]["gatewayUrl"], format!("{base}/gw"));
    assert_eq!(named["data"]["tokenUrl"], format!("{base}/auth"));
    assert_ne!(
        get(&at, &format!("{where_to}?tenantId=x"), &none()).await.json()["code"],
        "00000"
    );

    let (key, time) = ("sandbox-yonbip", "1700000000000");
    let right = crypto::yonbip_sign("sandbox-yonbip-secret", key, time);
    let wrong = crypto::yonbip_sign("sandbox-yonbip-secreT", key, time);
    let old = crypto::yonbip_sign("sandbox-yonbip-secret", key, "1690000000000");
    let once = crypto::percent_encode(&right);
    let code = async |signature: &str, time: &str| {
        let path = format!("{TOKEN}?appKey={key}&timestamp={time}&signature={signature}");
        get(&at, &path, &none()).await.json()
    };
    assert_eq!(code(&once, time).await["code"], "00000");
    // Encoded twice it is another text, and so is one of another secret.
    assert_eq!(code(&crypto::percent_encode(&once), time).await["code"], "50001");
    assert_eq!(code(&crypto::percent_encode(&wrong), time).await["code"], "50001");
    assert_eq!(
        code(&crypto::percent_encode(&old), "1690000000000").await["code"],
        "50002"
    );
    let token = code(&once, time).await["data"]["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let list = |token: &str| format!("/yonbip/gw/yonbip/sd/voucherorder/list?access_token={token}");
    let asked = r#"{"pageIndex":1,"pageSize":10}"#;
    assert_eq!(
        post(&at, &list(&token), &none(), asked).await.json()["code"],
        "200"
    );
    assert_eq!(
        post(&at, &list("x"), &none(), asked).await.json()["code"],
        "310036"
    );
    at.advance_ms(3_600_000);
    assert_eq!(
        post(&at, &list(&token), &none(), asked).await.json()["code"],
        "310036"
    );
}

#[tokio::test]
async fn a_number_is_taken_once() {
    let at = at_vector_time(|_| {}).await;
    let signature = crypto::yonbip_sign("sandbox-yonbip-secret", "sandbox-yonbip", "1700000000000");
    let path = format!(
        "{TOKEN}?appKey=sandbox-yonbip&timestamp=1700000000000&signature={}",
        crypto::percent_encode(&signature)
    );
    let token = get(&at, &path, &none()).await.json()["data"]["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let save = async |body: &str| {
        let path = format!("/yonbip/gw/yonbip/sd/voucherorder/batchSave?access_token={token}");
        post(&at, &path, &none(), body).await.json()["data"].clone()
    };
    let two = r#"{"data":[{"code":"A","agentId":"1"},{"code":"B"}]}"#;
    let first = save(two).await;
    assert_eq!(
        (&first["sucessCount"], &first["failCount"]),
        (&1.into(), &1.into()),
        "{first}"
    );
    assert_eq!(first["infos"][0]["code"], "A");
    assert_eq!(first["messages"][0]["code"], "B");
    let again = save(r#"{"data":[{"code":"A","agentId":"1"}]}"#).await;
    assert!(
        again["messages"][0]["message"]
            .as_str()
            .is_some_and(|text| text.contains("已存在")),
        "{again}"
    );
    assert_eq!(at.journal().len(), 1);
}

#[tokio::test]
async fn weaver_opens_only_what_was_encrypted_for_it() {
    let at = sandbox(|_| {}).await;
    let key = at.params("weaver-ecology").expect("simulated")["public_key"].clone();
    let app = || ("appid", "SANDBOX-OA".to_owned());
    let auth = |name: &str| format!("/ecology/api/ec/dev/auth/{name}");
    let apply = |secret: &str| vec![app(), ("secret", secret.to_owned()), ("time", "1800".to_owned())];
    let early = post(&at, &auth("applytoken"), &apply("x"), "").await.json();
    assert_eq!(early["status"], false, "nobody has registered");
    for headers in [
        vec![app(), ("cpk", "x".to_owned())],
        vec![("appid", "SANDBOX-OB".to_owned()), ("cpk", key.clone())],
    ] {
        assert_eq!(
            post(&at, &auth("regist"), &headers, "").await.json()["status"],
            false
        );
    }
    let given = post(&at, &auth("regist"), &vec![app(), ("cpk", key)], "")
        .await
        .json();
    let secrit = given["secrit"].as_str().expect("a secret");
    // In clear, and as something that no key has made.
    for secret in [
        secrit.to_owned(),
        crypto::base64(secrit.as_bytes()),
        crypto::base64(&[7; 128]),
    ] {
        assert_eq!(
            post(&at, &auth("applytoken"), &apply(&secret), "").await.json()["status"],
            false
        );
    }
    let list = "/ecology/api/workflow/paService/getMyWorkflowRequestList";
    let call = vec![app(), ("token", "x".to_owned()), ("userid", "21".to_owned())];
    assert_eq!(
        post(&at, list, &call, "pageNo=1&pageSize=10").await.json()["status"],
        false
    );
}

const ORDERS: &str = "/s4/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder";
const ONE: &str = r#"{"SoldToParty":"1","PurchaseOrderByCustomer":"A","to_Item":[{"Material":"M","RequestedQuantity":"1"}]}"#;

fn basic(password: &str) -> (&'static str, String) {
    let pair = crypto::base64(format!("INTEGRATION:{password}").as_bytes());
    ("authorization", format!("Basic {pair}"))
}

/// A token and the cookies it was given with.
async fn fetch(at: &Running) -> (String, String) {
    let headers = vec![
        basic("sandbox-sap-password"),
        ("x-csrf-token", "Fetch".to_owned()),
    ];
    let answer = get(at, "/s4/sap/opu/odata/sap/API_SALES_ORDER_SRV/", &headers).await;
    let token = answer.header("x-csrf-token").expect("a token").to_owned();
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let pairs: Vec<&str> = set.filter_map(|(_, value)| value.split(';').next()).collect();
    (token, pairs.join("; "))
}

#[tokio::test]
async fn sap_takes_a_token_only_with_the_cookies_it_was_given_with() {
    let at = sandbox(|_| {}).await;
    let ((token, cookies), (other, others)) = (fetch(&at).await, fetch(&at).await);
    let status = async |token: &str, cookies: &str| {
        let headers = vec![
            basic("sandbox-sap-password"),
            ("x-csrf-token", token.to_owned()),
            ("cookie", cookies.to_owned()),
        ];
        let answer = post(&at, ORDERS, &headers, ONE).await;
        (answer.status, answer.header("x-csrf-token").map(str::to_owned))
    };
    let required = (403, Some("Required".to_owned()));
    for (token, cookies) in [
        (&token, &String::new()),
        (&token, &others),
        (&other, &cookies),
        (&"x".to_owned(), &cookies),
    ] {
        assert_eq!(status(token, cookies).await, required);
    }
    assert_eq!(at.journal().len(), 0);
    assert_eq!(status(&token, &cookies).await.0, 201);
    assert_eq!(status(&other, &others).await.0, 201);
    at.advance_ms(3_600_000);
    assert_eq!(status(&token, &cookies).await, required);
    assert_eq!(
        get(&at, ORDERS, &vec![basic("sandbox-sap-passworD")])
            .await
            .status,
        401
    );
}

#[tokio::test]
async fn sap_wants_the_tag_of_what_is_changed() {
    let at = sandbox(|_| {}).await;
    let (token, cookies) = fetch(&at).await;
    let headers = |tag: &str| {
        let mut headers = vec![
            basic("sandbox-sap-password"),
            ("x-csrf-token", token.clone()),
            ("cookie", cookies.clone()),
        ];
        if !tag.is_empty() {
            headers.push(("if-match", tag.to_owned()));
        }
        headers
    };
    let made = post(&at, ORDERS, &headers(""), ONE).await.json();
    let tag = made["d"]["__metadata"]["etag"]
        .as_str()
        .expect("a tag")
        .to_owned();
    assert_eq!(made["d"]["to_Item"]["results"][0]["SalesOrderItem"], "10");
    let change = async |tag: &str| {
        let path = format!("{ORDERS}('1')");
        let answer = send(&at, "PATCH", &path, &headers(tag), br#"{"SalesOrderText":"x"}"#).await;
        answer.expect("an answer").status
    };
    assert_eq!(change("").await, 428);
    assert_eq!(change("W/\"1-9\"").await, 412);
    assert_eq!(change(&tag).await, 204);
    assert_eq!(change(&tag).await, 412, "it is another version now");
    assert_eq!(change("*").await, 204);
}
