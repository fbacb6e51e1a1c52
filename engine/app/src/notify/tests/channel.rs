use ledger::service::notices::NewNotice;

use super::*;

pub(crate) fn channel(kind: ChannelKind) -> Channel {
    Channel {
        name: "ops".to_owned(),
        kind,
        url: Secret::new("https://robots.example.com/send?access_token=canary0123456789abcdef"),
        sign: Some(Secret::new("SECcanary-sign")),
        keyword: None,
        mention: vec!["13800138000".to_owned()],
        mail: None,
        plain_http: false,
        private_network: false,
    }
}

pub(crate) fn row(kind: &str) -> NoticeRow {
    NoticeRow {
        id: 7,
        at: 1_000,
        notice: NewNotice {
            channel: "ops".to_owned(),
            rule: "failed".to_owned(),
            subject: "huke-to-k3".to_owned(),
            cause: "failed".to_owned(),
            kind: kind.to_owned(),
            title: "[prod] 方案失败".to_owned(),
            body: "开始于 08:06".to_owned(),
        },
        state: "waiting".to_owned(),
        tries: 0,
        next: 0,
        done: None,
        answer: None,
    }
}

fn sent(channel: &Channel, kind: &str) -> (Wire, Value) {
    let wire = channel.wire(&row(kind), "prod", 1_577_262_236_757).expect("http");
    let body = serde_json::from_slice(&wire.body).expect("JSON");
    (wire, body)
}

/// The values were computed with `openssl dgst -sha256 -hmac`, not with this program.
#[test]
fn signatures_are_the_platforms_own() {
    let secret = Secret::new("this is secret");
    let (time, sign) = dingtalk_sign(&secret, 1_577_262_236_757);
    assert_eq!(time, "1577262236757");
    assert_eq!(sign, DINGTALK);
    let (time, sign) = feishu_sign(&secret, 1_599_360_473_999);
    assert_eq!(time, "1599360473");
    assert_eq!(sign, FEISHU);
    assert_eq!(webhook_sign(&secret, "1599360473", b"{\"a\":1}"), WEBHOOK);
}

const DINGTALK: &str = "hmPWwU+7lVdm3ZZz0r9tSfx0L4Q26jWOZr9+Gs6EZQM=";
const FEISHU: &str = "/eYKrXQBzTjUZJ3s6NX16VxGbTwmK7AEs8/FnvC1CSw=";
const WEBHOOK: &str = "90d5e38ebfc52949619d95ece8c817f03e52ca6fdffa95edfb3a98748cd20216";

#[test]
fn each_platform_gets_its_own_form() {
    let (wire, body) = sent(&channel(ChannelKind::Dingtalk), "problem");
    assert!(
        wire.url.contains("abcdef&timestamp=1577262236757&sign="),
        "the signature is in the address"
    );
    assert!(
        !wire.url.contains('+') && !wire.url.ends_with('='),
        "and encoded once"
    );
    assert_eq!(body["text"]["content"], "[prod] 方案失败\n开始于 08:06");
    assert_eq!(
        body["at"]["atMobiles"],
        json!([]),
        "nobody is called for a first message"
    );
    let (_, body) = sent(&channel(ChannelKind::Dingtalk), "escalated");
    assert_eq!(body["at"]["atMobiles"], json!(["13800138000"]));
    assert!(
        body["text"]["content"]
            .as_str()
            .expect("text")
            .ends_with(" @13800138000")
    );

    let (wire, body) = sent(&channel(ChannelKind::Feishu), "escalated");
    assert_eq!(wire.url, channel(ChannelKind::Feishu).url.expose());
    assert_eq!(
        (&body["timestamp"], body["sign"].is_string()),
        (&json!("1577262236"), true)
    );
    assert!(
        body["content"]["text"]
            .as_str()
            .expect("text")
            .contains("<at user_id=\"13800138000\">")
    );

    let (wire, body) = sent(&channel(ChannelKind::Wecom), "escalated");
    assert_eq!(wire.url, channel(ChannelKind::Wecom).url.expose());
    assert_eq!(body["text"]["mentioned_mobile_list"], json!(["13800138000"]));

    let (wire, body) = sent(&channel(ChannelKind::Webhook), "problem");
    let header = |name: &str| {
        let found = wire.headers.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    assert_eq!(header("x-engine-delivery"), "7");
    assert_eq!(header("x-engine-timestamp"), "1577262236757");
    let sign = webhook_sign(&Secret::new("SECcanary-sign"), "1577262236757", &wire.body);
    assert_eq!(header("x-engine-signature"), format!("sha256={sign}"));
    assert_eq!(
        (&body["subject"], &body["kind"]),
        (&json!("huke-to-k3"), &json!("problem"))
    );
    assert!(
        channel(ChannelKind::Mail)
            .wire(&row("problem"), "prod", 0)
            .is_none()
    );
}

#[test]
fn texts_are_cut_where_a_platform_ends_and_call_nobody_by_accident() {
    let long = "数据".repeat(10_000);
    for (kind, most) in [
        (ChannelKind::Wecom, SHORT),
        (ChannelKind::Feishu, LONG),
        (ChannelKind::Dingtalk, LONG),
    ] {
        let text = channel(kind).text("title", &long);
        assert!(
            text.len() <= most && text.len() > most - 8 && text.ends_with('…'),
            "{kind:?}"
        );
    }
    for kind in [ChannelKind::Wecom, ChannelKind::Feishu] {
        let text = channel(kind).text("<@all>", "<at user_id=\"all\"></at>");
        assert!(!text.contains('<'), "{text}");
    }
    let mut wanting = channel(ChannelKind::Dingtalk);
    wanting.keyword = Some("集成".to_owned());
    assert_eq!(wanting.text("失败", "x"), "集成 失败\nx");
    assert_eq!(wanting.text("集成失败", "x"), "集成失败\nx");
    // The word is there even where the text is cut.
    assert!(wanting.text(&long, "集成").starts_with("集成 ") || wanting.text(&long, "").starts_with("集成 "));
}

#[test]
fn answers_are_judged_by_what_they_say() {
    use ChannelKind as K;
    let check = |kind: K, status: u16, body: &str, want: Verdict| {
        assert_eq!(
            channel(kind).judge(status, body.as_bytes()),
            want,
            "{kind:?} {status} {body}"
        );
    };
    let taken = |text: &str| Verdict::Taken(text.to_owned());
    let refused = |text: &str| Verdict::Refused(text.to_owned());
    let many = |text: &str, pause| Verdict::TooMany(text.to_owned(), pause);
    check(K::Dingtalk, 200, r#"{"errcode":0,"errmsg":"ok"}"#, taken("0 ok"));
    check(
        K::Dingtalk,
        200,
        r#"{"errcode":310000,"errmsg":"sign not match"}"#,
        refused("310000 sign not match"),
    );
    check(
        K::Dingtalk,
        200,
        r#"{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}"#,
        many("130101 send too fast, exceed 20 times per minute", BLOCKED),
    );
    check(K::Wecom, 200, r#"{"errcode":0,"errmsg":"ok"}"#, taken("0 ok"));
    check(
        K::Wecom,
        200,
        r#"{"errcode":45009,"errmsg":"api freq out of limit"}"#,
        many("45009 api freq out of limit", BREATH),
    );
    check(
        K::Wecom,
        200,
        r#"{"errcode":93000,"errmsg":"invalid webhook url"}"#,
        refused("93000 invalid webhook url"),
    );
    check(
        K::Feishu,
        200,
        r#"{"code":0,"msg":"success","data":{},"StatusCode":0}"#,
        taken("0 success"),
    );
    check(
        K::Feishu,
        200,
        r#"{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}"#,
        refused("19021 sign match fail or timestamp is not within one hour from current time"),
    );
    check(
        K::Feishu,
        200,
        r#"{"code":11232,"msg":"frequency limited"}"#,
        many("11232 frequency limited", BREATH),
    );
    // A gateway's page is no answer of a robot, and no secret in it is told.
    check(K::Wecom, 200, "<html>", refused("HTTP 200 <html>"));
    check(
        K::Feishu,
        502,
        "key canary0123456789abcdef",
        refused("HTTP 502 key ***"),
    );
    check(K::Dingtalk, 429, "", many("HTTP 429 ", BREATH));
    check(K::Webhook, 204, "", taken("HTTP 204"));
    check(K::Webhook, 503, "busy", many("HTTP 503 busy", BREATH));
    check(K::Webhook, 401, "SECcanary-sign?", refused("HTTP 401 ***?"));
    assert!(!format!("{:?}", channel(K::Dingtalk)).contains("canary"));
}
