//! The platforms: what a message looks like on the wire, how it is signed, how many may be sent, and what an answer
//! means. Pure: bytes in, bytes out.
//!
//! Facts are those of the platforms' own pages on custom robots: DingTalk signs `timestamp\nsecret` with the secret as
//! key, puts both into the address, takes 20 messages a minute and then none for ten; Feishu signs nothing with
//! `timestamp\nsecret` as key, puts both into the body, takes 100 a minute, 5 a second and 20 KB; WeCom has its address
//! alone, takes 20 a minute and 2,048 bytes of text. Text is sent, not markdown: nothing in it is read as markup.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connector::{Redactor, Secret};
use flow::ids::Ms;
use hmac::{Hmac, KeyInit, Mac};
use ledger::service::notices::NoticeRow;
use serde_json::{Value, json};
use sha2::Sha256;
use transport::{Limiter, Rate};

/// Bytes of text that Feishu and DingTalk take: both allow 20 KB for the whole request, of which JSON may double a part.
const LONG: usize = 8 << 10;
/// WeCom's limit for a text.
const SHORT: usize = 2_048;
/// For how long DingTalk takes nothing after too many.
const BLOCKED: Ms = 600_000;
/// For how long another platform is left alone after it said "too many" and not for how long.
const BREATH: Ms = 60_000;

/// The keys of a robot that signs.
const ROBOT: &[&str] = &["kind", "url", "sign", "keyword", "mention"];

/// What a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelKind {
    /// A DingTalk group robot.
    Dingtalk,
    /// A WeCom group robot.
    Wecom,
    /// A Feishu group robot.
    Feishu,
    /// E-mail by SMTP.
    Mail,
    /// Any other system.
    Webhook,
}

impl ChannelKind {
    /// Every one, with its word in `notify.yaml`.
    pub const ALL: [(&'static str, ChannelKind); 5] = [
        ("dingtalk", ChannelKind::Dingtalk),
        ("wecom", ChannelKind::Wecom),
        ("feishu", ChannelKind::Feishu),
        ("mail", ChannelKind::Mail),
        ("webhook", ChannelKind::Webhook),
    ];

    /// Its word.
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(_, kind)| *kind == self);
        found.map_or("", |(word, _)| word)
    }

    /// The keys of a channel of this kind, and those that it needs.
    pub(super) fn keys(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            ChannelKind::Dingtalk | ChannelKind::Feishu => (ROBOT, &["url"]),
            ChannelKind::Wecom => (&["kind", "url", "mention"], &["url"]),
            ChannelKind::Webhook => (
                &["kind", "url", "sign", "allow_plain_http", "private_network"],
                &["url"],
            ),
            ChannelKind::Mail => (
                &["kind", "server", "security", "user", "password", "from", "to"],
                &["server", "from", "to"],
            ),
        }
    }

    /// Whether it refuses some messages around the full and the half hour, when everybody's robots report.
    pub(super) fn is_crowded(self) -> bool {
        self == ChannelKind::Feishu
    }

    /// How many messages it takes. Ours for those that have no limit of their own: nobody reads more.
    pub fn limiter(self) -> Limiter {
        let rates = match self {
            ChannelKind::Dingtalk | ChannelKind::Wecom => vec![Rate::new(20, 60_000)],
            ChannelKind::Feishu => vec![Rate::new(100, 60_000), Rate::new(5, 1_000)],
            ChannelKind::Mail => vec![Rate::new(30, 60_000)],
            ChannelKind::Webhook => vec![Rate::new(60, 60_000)],
        };
        let rates: Vec<Rate> = rates.into_iter().flatten().collect();
        Limiter::new(&rates, 1)
    }
}

/// How a connection to a mail server is kept from being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, as on port 465.
    Tls,
    /// TLS after `STARTTLS`, as on port 587; refused where the server has none.
    Starttls,
    /// None: a server on this machine or in the company's own network, without a password.
    None,
}

impl Security {
    /// Every one, with its word in `notify.yaml`.
    pub const ALL: [(&'static str, Security); 3] = [
        ("tls", Security::Tls),
        ("starttls", Security::Starttls),
        ("none", Security::None),
    ];
}

/// Where mail is handed in.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// `host` or `host:port`.
    pub server: String,
    /// How it is reached.
    pub security: Security,
    /// The account.
    pub user: Option<Secret>,
    /// Its password.
    pub password: Option<Secret>,
    /// The sender.
    pub from: String,
    /// Who gets it.
    pub to: Vec<String>,
}

/// A channel for sending. Its `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ChannelKind,
    /// Where it is; a secret, because it is all that is needed to send.
    pub url: Secret,
    /// What messages are signed with.
    pub sign: Option<Secret>,
    /// A word that the robot wants in each message.
    pub keyword: Option<String>,
    /// Who is called by name: telephone numbers, or user ids at Feishu.
    pub mention: Vec<String>,
    /// The mail server of a mail channel.
    pub mail: Option<MailServer>,
    /// `http://` is permitted.
    pub plain_http: bool,
    /// The address may lead into a private network.
    pub private_network: bool,
}

/// A request, ready to be sent.
pub struct Wire {
    /// The address with its signature.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Taken(String),
    /// There were too many: not before so many milliseconds.
    TooMany(String, Ms),
    /// It was not taken.
    Refused(String),
}

impl Channel {
    /// Knows the secrets of this channel, and takes them out of whatever is told of it.
    pub fn redactor(&self) -> Redactor {
        let redactor = Redactor::default();
        redactor.add(self.url.expose());
        // The part that is the secret also by itself: a platform may quote it.
        let token = self.url.expose().rsplit(['=', '/']).next().unwrap_or_default();
        if token.len() >= 16 {
            redactor.add(token);
        }
        if let Some(sign) = &self.sign {
            redactor.add(sign.expose());
        }
        if let Some(mail) = &self.mail {
            for secret in [&mail.user, &mail.password].into_iter().flatten() {
                redactor.add(secret.expose());
            }
        }
        redactor
    }

    /// The text as this platform takes it: with the word it wants, without what it would read as a call, and cut.
    pub fn text(&self, title: &str, body: &str) -> String {
        let mut text = format!("{title}\n{body}");
        if matches!(self.kind, ChannelKind::Wecom | ChannelKind::Feishu) {
            // `<@all>` and `<at ...>` in the words of another system would call everybody.
            text = text.replace('<', "＜");
        }
        if let Some(keyword) = &self.keyword
            && !text.contains(keyword.as_str())
        {
            text = format!("{keyword} {text}");
        }
        cut(
            &text,
            match self.kind {
                ChannelKind::Wecom => SHORT,
                _ => LONG,
            },
        )
    }

    /// The request for a message; `None` for a channel that is no HTTP.
    pub fn wire(&self, row: &NoticeRow, environment: &str, now: Ms) -> Option<Wire> {
        let notice = &row.notice;
        let called = notice.kind == "escalated" && !self.mention.is_empty();
        let text = self.text(&notice.title, &notice.body);
        let mut url = self.url.expose().to_owned();
        let mut headers = vec![(
            "content-type".to_owned(),
            "application/json; charset=utf-8".to_owned(),
        )];
        let body = match self.kind {
            ChannelKind::Mail => return None,
            ChannelKind::Dingtalk => {
                if let Some(secret) = &self.sign {
                    let (time, sign) = dingtalk_sign(secret, now);
                    let joint = if url.contains('?') { '&' } else { '?' };
                    url = format!("{url}{joint}timestamp={time}&sign={}", percent(&sign));
                }
                // A number is called only where it stands in the text too.
                let names = if called { &self.mention[..] } else { &[] };
                let calls: String = names.iter().map(|name| format!(" @{name}")).collect();
                json!({"msgtype": "text", "text": {"content": format!("{text}{calls}")}, "at": {"atMobiles": names}})
            }
            ChannelKind::Wecom => {
                let names = if called { &self.mention[..] } else { &[] };
                json!({"msgtype": "text", "text": {"content": text, "mentioned_mobile_list": names}})
            }
            ChannelKind::Feishu => {
                let names = if called { &self.mention[..] } else { &[] };
                let calls: String = names
                    .iter()
                    .map(|name| format!(" <at user_id=\"{}\"></at>", name.replace(['"', '<', '>'], "")))
                    .collect();
                let mut body = json!({"msg_type": "text", "content": {"text": format!("{text}{calls}")}});
                if let Some(secret) = &self.sign {
                    let (time, sign) = feishu_sign(secret, now);
                    body["timestamp"] = time.into();
                    body["sign"] = sign.into();
                }
                body
            }
            ChannelKind::Webhook => json!({
                "schema": "engine.notice/1",
                "id": row.id,
                "at_ms": row.at,
                "environment": environment,
                "kind": notice.kind,
                "rule": notice.rule,
                "cause": notice.cause,
                "subject": notice.subject,
                "title": notice.title,
                "text": notice.body,
            }),
        };
        let body = body.to_string().into_bytes();
        if self.kind == ChannelKind::Webhook {
            // The same for every try of one message, so that a receiver can drop the second.
            headers.push(("x-engine-delivery".to_owned(), row.id.to_string()));
            if let Some(secret) = &self.sign {
                let time = now.to_string();
                let sign = webhook_sign(secret, &time, &body);
                headers.push(("x-engine-timestamp".to_owned(), time));
                headers.push(("x-engine-signature".to_owned(), format!("sha256={sign}")));
            }
        }
        Some(Wire { url, headers, body })
    }

    /// What an answer means. Robots say it in the body of a 200.
    pub fn judge(&self, status: u16, body: &[u8]) -> Verdict {
        let text = String::from_utf8_lossy(&body[..body.len().min(512)]).into_owned();
        let redactor = self.redactor();
        let short = redactor.redact(text.trim());
        if self.kind == ChannelKind::Webhook {
            let said = format!("HTTP {status} {short}");
            return match status {
                200..=299 => Verdict::Taken(format!("HTTP {status}")),
                429 | 503 => Verdict::TooMany(said, BREATH),
                _ => Verdict::Refused(said),
            };
        }
        if status == 429 {
            return Verdict::TooMany(format!("HTTP {status} {short}"), BREATH);
        }
        let answer: Option<Value> = serde_json::from_slice(body).ok();
        let code = answer.as_ref().and_then(|answer| {
            ["errcode", "code", "StatusCode"]
                .iter()
                .find_map(|key| answer[key].as_i64())
        });
        let words = answer.as_ref().and_then(|answer| {
            ["errmsg", "msg", "StatusMessage"]
                .iter()
                .find_map(|key| answer[key].as_str())
        });
        let Some(code) = code.filter(|_| status == 200) else {
            return Verdict::Refused(format!("HTTP {status} {short}"));
        };
        let said = format!("{code} {}", redactor.redact(words.unwrap_or_default()));
        match (self.kind, code) {
            (_, 0) => Verdict::Taken(said),
            (ChannelKind::Dingtalk, 130_101 | 410_100) => Verdict::TooMany(said, BLOCKED),
            (ChannelKind::Wecom, 45_009 | 45_033) | (ChannelKind::Feishu, 9_499 | 11_232 | 99_991_400) => {
                Verdict::TooMany(said, BREATH)
            }
            _ => Verdict::Refused(said),
        }
    }
}

/// DingTalk: milliseconds, and base64 of HMAC-SHA256 over `timestamp\nsecret`.
pub fn dingtalk_sign(secret: &Secret, now: Ms) -> (String, String) {
    let time = now.to_string();
    let signed = hmac(
        secret.expose().as_bytes(),
        format!("{time}\n{}", secret.expose()).as_bytes(),
    );
    (time, STANDARD.encode(signed))
}

/// Feishu: seconds, and base64 of HMAC-SHA256 over nothing with `timestamp\nsecret` as the key.
pub fn feishu_sign(secret: &Secret, now: Ms) -> (String, String) {
    let time = now.div_euclid(1_000).to_string();
    let signed = hmac(format!("{time}\n{}", secret.expose()).as_bytes(), b"");
    (time, STANDARD.encode(signed))
}

/// Our own: hex of HMAC-SHA256 over the timestamp, a dot and the body.
pub fn webhook_sign(secret: &Secret, time: &str, body: &[u8]) -> String {
    let signed = [time.as_bytes(), b".", body].concat();
    let mac = hmac(secret.expose().as_bytes(), &signed);
    mac.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac(key: &[u8], data: &[u8]) -> Vec<u8> {
    // HMAC takes a key of any length.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(data).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

/// As it stands in a query: base64 has `+`, `/` and `=`.
fn percent(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// At most so many bytes, cut between characters, with a sign that there was more.
fn cut(text: &str, most: usize) -> String {
    const MORE: &str = "…";
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most - MORE.len());
    format!("{}{MORE}", &text[..end])
}

#[cfg(test)]
#[path = "tests/channel.rs"]
pub(crate) mod tests;
