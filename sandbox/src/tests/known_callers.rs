//! What the systems behind a token, a signature or a password have in common, one row each: one byte changed is refused,
//! time ends what was good, one call more than allowed is refused and passes again when its stretch of time is over.

use serde_json::{Value, json};

use super::{Answer, Headers, json_type, sandbox, send};
use crate::{Running, crypto};

/// Method, path, headers and body.
type Request = (&'static str, String, Headers, String);

/// What makes a call one of somebody known.
enum Known {
    /// A call gives a token; where it stands in the answer.
    Token(fn() -> Request, &'static str),
    /// It is computed for each call.
    Made(fn(&Running) -> String),
}

struct Office {
    name: &'static str,
    known: Known,
    /// A call with what makes it known.
    call: fn(&Running, &str) -> Request,
    /// Where an answer says how it went, and what a success says.
    code: &'static str,
    good: Value,
    /// What is said to a token or a signature with one byte changed.
    wrong: (u16, Value),
    /// How long the call is good, and what is said after that.
    over: Option<(i64, u16, Value)>,
    /// Calls in how long, and what one more is told.
    limit: Option<(u64, i64, u16, Value)>,
}

const TWO_HOURS: i64 = 7_200_000;
const SECOND: i64 = 1000;
const MINUTE: i64 = 60_000;

fn post(path: &str, headers: Headers, body: Value) -> Request {
    (
        "POST",
        path.to_owned(),
        [vec![json_type()], headers].concat(),
        body.to_string(),
    )
}

fn get(path: String) -> Request {
    ("GET", path, Headers::new(), String::new())
}

fn bearer(token: &str) -> Headers {
    vec![("authorization", format!("Bearer {token}"))]
}

/// A Mabang body of this instant.
fn mabang_body(at: &Running) -> Value {
    let window = json!({"updateTimeStart": "2020-01-01 00:00:00", "updateTimeEnd": "2020-01-02 00:00:00"});
    json!({"api": "order-get-order-list-new", "appkey": "200000", "data": window, "timestamp": at.now_ms() / 1000})
}

fn offices() -> Vec<Office> {
    vec![
        Office {
            name: "okki",
            known: Known::Token(
                || {
                    let who = json!({
                        "grant_type": "client_credentials", "client_id": "sandbox-okki",
                        "client_secret": "sandbox-okki-secret", "scope": "invoices company",
                    });
                    post("/okki/v1/oauth2/access_token", Headers::new(), who)
                },
                "/access_token",
            ),
            call: |_, token| {
                let (path, headers) = ("/okki/v1/company/list?count=1".to_owned(), bearer(token));
                ("GET", path, headers, String::new())
            },
            code: "/code",
            good: json!(200),
            wrong: (401, json!(401)),
            over: Some((28_799_000, 401, json!(401))),
            limit: None,
        },
        Office {
            name: "mabang",
            known: Known::Made(|at| {
                crypto::hmac_hex(b"sandbox-mabang-token", mabang_body(at).to_string().as_bytes())
            }),
            call: |at, sign| {
                post(
                    "/mabang/api/v2",
                    vec![("authorization", sign.to_owned())],
                    mabang_body(at),
                )
            },
            code: "/code",
            good: json!(200),
            wrong: (200, json!("401")),
            over: Some((10 * MINUTE, 200, json!("400"))),
            limit: Some((200, MINUTE, 200, json!("429"))),
        },
        Office {
            name: "feishu",
            known: Known::Token(
                || {
                    let who = json!({"app_id": "cli_sandbox", "app_secret": "sandbox-feishu-secret"});
                    let path = "/feishu/open-apis/auth/v3/tenant_access_token/internal";
                    post(path, Headers::new(), who)
                },
                "/tenant_access_token",
            ),
            call: |_, token| {
                let path =
                    "/feishu/open-apis/bitable/v1/apps/bascnSandbox/tables/tblCustomers/records/search";
                post(path, bearer(token), json!({}))
            },
            code: "/code",
            good: json!(0),
            wrong: (400, json!(99_991_663)),
            over: Some((TWO_HOURS, 400, json!(99_991_663))),
            limit: Some((20, SECOND, 400, json!(99_991_400))),
        },
        Office {
            name: "dingtalk",
            known: Known::Token(
                || {
                    let who = json!({"appKey": "dingsandbox", "appSecret": "sandbox-dingtalk-secret"});
                    post("/dingtalk/v1.0/oauth2/accessToken", Headers::new(), who)
                },
                "/accessToken",
            ),
            call: |_, token| {
                let base = "/dingtalk/v1.0/notable/bases/baseSandbox/sheets/tblCustomers";
                let path = format!("{base}/records/list?operatorId=unionSandbox");
                let headers = vec![("x-acs-dingtalk-access-token", token.to_owned())];
                post(&path, headers, json!({}))
            },
            code: "/code",
            good: json!(null),
            wrong: (401, json!("InvalidAuthentication")),
            over: Some((TWO_HOURS, 401, json!("InvalidAuthentication"))),
            limit: Some((40, SECOND, 403, json!("90018"))),
        },
        Office {
            name: "wecom",
            known: Known::Token(
                || {
                    get(
                        "/wecom/cgi-bin/gettoken?corpid=ww_sandbox&corpsecret=sandbox-wecom-secret"
                            .to_owned(),
                    )
                },
                "/access_token",
            ),
            call: |_, token| {
                let path = format!("/wecom/cgi-bin/externalcontact/batch/get_by_user?access_token={token}");
                post(&path, Headers::new(), json!({"userid_list": ["zhangsan"]}))
            },
            code: "/errcode",
            good: json!(0),
            wrong: (200, json!(40_014)),
            over: Some((TWO_HOURS, 200, json!(40_014))),
            limit: Some((600, MINUTE, 200, json!(45_009))),
        },
        Office {
            name: "u8",
            known: Known::Token(
                || {
                    get("/u8/system/token?from_account=sandbox_dev&app_key=opasandbox&app_secret=sandbox-u8-secret".to_owned())
                },
                "/token/id",
            ),
            call: |_, token| {
                get(format!(
                    "/u8/api/customer/batch_get?from_account=sandbox_dev&to_account=sandbox_ent&app_key=opasandbox&token={token}"
                ))
            },
            code: "/errcode",
            good: json!("0"),
            wrong: (200, json!("20008")),
            over: Some((TWO_HOURS, 200, json!("20008"))),
            limit: Some((300, MINUTE, 200, json!("20011"))),
        },
        Office {
            name: "landray",
            known: Known::Made(|_| crypto::base64(b"sandbox:sandbox-landray-password")),
            call: |_, password| {
                let form = "docSubject=a&fdTemplateId=t&docCreator=%7B%22LoginName%22%3A%22a%22%7D";
                (
                    "POST",
                    "/landray/api/km-review/kmReviewRestService/addReview".to_owned(),
                    vec![
                        ("content-type", "application/x-www-form-urlencoded".to_owned()),
                        ("authorization", format!("Basic {password}")),
                    ],
                    form.to_owned(),
                )
            },
            code: "/code",
            good: json!(""),
            wrong: (401, json!("error.httpStatus.401")),
            over: None,
            limit: None,
        },
    ]
}

async fn ask(at: &Running, (method, path, headers, body): &Request) -> Answer {
    let answer = send(at, method, path, headers, body.as_bytes()).await;
    answer.expect("an answer")
}

impl Office {
    async fn credential(&self, at: &Running) -> String {
        match &self.known {
            Known::Made(make) => make(at),
            Known::Token(login, place) => {
                let answer = ask(at, &login()).await.json();
                let token = answer.pointer(place).and_then(Value::as_str);
                token
                    .unwrap_or_else(|| panic!("{}: {answer}", self.name))
                    .to_owned()
            }
        }
    }

    #[track_caller]
    fn says(&self, answer: &Answer, status: u16, code: &Value) {
        let json = answer.json();
        let said = json.pointer(self.code).unwrap_or(&Value::Null);
        assert_eq!((answer.status, said), (status, code), "{}: {json}", self.name);
    }
}

/// The same text with its last byte changed.
fn spoiled(text: &str) -> String {
    let other = if text.ends_with('0') { "1" } else { "0" };
    format!("{}{other}", &text[..text.len() - 1])
}

#[tokio::test]
async fn one_byte_and_time_end_what_was_good() {
    for office in offices() {
        let at = sandbox(|_| {}).await;
        let credential = office.credential(&at).await;
        let call = (office.call)(&at, &credential);
        let bad = (office.call)(&at, &spoiled(&credential));
        office.says(&ask(&at, &call).await, 200, &office.good);
        let (status, code) = &office.wrong;
        office.says(&ask(&at, &bad).await, *status, code);
        if let Some((life, status, code)) = &office.over {
            // Still good a while before its end, and not behind it.
            at.advance_ms(life - 5 * MINUTE);
            office.says(&ask(&at, &call).await, 200, &office.good);
            at.advance_ms(5 * MINUTE + SECOND);
            office.says(&ask(&at, &call).await, *status, code);
        }
    }
}

/// As many calls as allowed and one more; `None` when they took longer than the stretch in which they are counted.
async fn one_too_many(office: &Office, calls: u64, stretch: i64) -> Option<(Running, Request, Answer)> {
    let at = sandbox(|_| {}).await;
    let credential = office.credential(&at).await;
    let call = (office.call)(&at, &credential);
    let began = at.now_ms();
    for _ in 0..calls {
        office.says(&ask(&at, &call).await, 200, &office.good);
    }
    let last = ask(&at, &call).await;
    (at.now_ms() - began < stretch).then_some((at, call, last))
}

#[tokio::test]
async fn one_call_more_than_allowed_is_refused() {
    for office in offices() {
        let Some((calls, stretch, status, code)) = &office.limit else {
            continue;
        };
        let mut found = None;
        // A slow machine may need more than a second for forty calls, though hardly ten times.
        for _ in 0..10 {
            found = one_too_many(&office, *calls, *stretch).await;
            if found.is_some() {
                break;
            }
        }
        let (at, call, last) = found.expect("this machine is too slow to make so many calls");
        office.says(&last, *status, code);
        assert_eq!(at.throttled(office.name), 1, "{}", office.name);
        at.advance_ms(*stretch);
        office.says(&ask(&at, &call).await, 200, &office.good);
    }
}

/// What is above 30 messages a minute to one member is answered as if it had been sent, and those who are unknown are
/// named in an answer that says 0.
#[tokio::test]
async fn messages_that_do_not_arrive_say_nothing_of_it() {
    let at = sandbox(|_| {}).await;
    let offices = offices();
    let wecom = offices.iter().find(|office| office.name == "wecom").unwrap();
    let token = wecom.credential(&at).await;
    let message = async |users: &str, words: String| {
        let body =
            json!({"touser": users, "agentid": "1000002", "msgtype": "text", "text": {"content": words}});
        let path = format!("/wecom/cgi-bin/message/send?access_token={token}");
        ask(&at, &post(&path, Headers::new(), body)).await.json()
    };
    let now = at.now_ms();
    for n in 0..31 {
        at.advance_ms(now - at.now_ms());
        let said = message("zhangsan", format!("message {n}")).await;
        assert_eq!((&said["errcode"], &said["invaliduser"]), (&json!(0), &json!("")));
        assert!(said["msgid"].is_string(), "{said}");
    }
    assert_eq!(at.journal().len(), 30);
    at.advance_ms(MINUTE + SECOND);
    let said = message("zhangsan|lisi|wangwu", "to three".to_owned()).await;
    assert_eq!(
        (&said["errcode"], &said["invaliduser"]),
        (&json!(0), &json!("lisi|wangwu"))
    );
    assert_eq!(at.journal().len(), 31);
    let said = message("lisi", "to nobody".to_owned()).await;
    assert_eq!(said["errcode"], 81_013, "{said}");
    assert_eq!(at.journal().len(), 31);
}

/// Lines without the vendor's own ids are left out, and nothing says so but the answer's shorter list.
#[tokio::test]
async fn lines_that_are_left_out_say_nothing_of_it() {
    let at = sandbox(|_| {}).await;
    let offices = offices();
    let okki = offices.iter().find(|office| office.name == "okki").unwrap();
    let token = okki.credential(&at).await;
    let lines = json!([{"product_id": 1, "sku_id": 2}, {"product_id": 1}, {"product_no": "A-1"}]);
    let order = json!({"name": "Order", "order_no": "SO-1", "product_list": lines});
    let said = ask(&at, &post("/okki/v1/invoices/order/push", bearer(&token), order)).await;
    let said = said.json();
    assert_eq!(said["code"], 200, "{said}");
    assert_eq!(
        said["data"]["product_list"].as_array().map(Vec::len),
        Some(1),
        "{said}"
    );
}
