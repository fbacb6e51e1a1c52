//! Group robots of DingTalk, WeCom and Feishu, and a receiver of signed webhooks, as far as a sender meets them: the
//! check of the signature and its time, the word that must be there, the longest text, and how many messages are taken.
//!
//! Written from the platforms' pages and shares nothing with what it tests. It has no clock: whoever asks tells the time.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

/// Which platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// DingTalk.
    Dingtalk,
    /// WeCom.
    Wecom,
    /// Feishu.
    Feishu,
    /// A receiver of signed webhooks.
    Webhook,
}

/// One robot of one group.
#[derive(Debug)]
pub struct Robot {
    platform: Platform,
    secret: Option<String>,
    keyword: Option<String>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    taken: Vec<(i64, String)>,
    calls: u64,
    blocked_until: i64,
}

/// What a robot is asked.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Path and query.
    pub path: &'a str,
    /// `x-engine-timestamp` and `x-engine-signature`, where there are any.
    pub signed: Option<(&'a str, &'a str)>,
    /// The body.
    pub body: &'a [u8],
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;

impl Robot {
    /// A robot that wants a signature with this secret and a word, where they are given.
    pub fn new(platform: Platform, secret: Option<&str>, keyword: Option<&str>) -> Self {
        Robot {
            platform,
            secret: secret.map(str::to_owned),
            keyword: keyword.map(str::to_owned),
            state: Mutex::default(),
        }
    }

    /// The texts that were taken, in order.
    pub fn taken(&self) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.taken.iter().map(|(_, text)| text.clone()).collect()
    }

    /// How often it was called, whatever came of it.
    pub fn calls(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).calls
    }

    /// Its answer; all but the webhook's are given with HTTP 200.
    pub fn answer(&self, call: Call<'_>, now_ms: i64) -> (u16, Value) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.calls += 1;
        let Ok(body) = serde_json::from_slice::<Value>(call.body) else {
            return self.no(40_035, "invalid json");
        };
        let (text, longest) = match self.platform {
            Platform::Dingtalk => (body["text"]["content"].as_str(), 20_000),
            Platform::Wecom => (body["text"]["content"].as_str(), 2_048),
            Platform::Feishu => (body["content"]["text"].as_str(), 20_000),
            Platform::Webhook => (body["title"].as_str(), 1_000_000),
        };
        let Some(text) = text else {
            return self.no(40_008, "invalid message type");
        };
        if let Some(problem) = self.signature(call, &body, now_ms) {
            return problem;
        }
        if self
            .keyword
            .as_ref()
            .is_some_and(|word| !text.contains(word.as_str()))
        {
            return match self.platform {
                Platform::Feishu => self.no(19_024, "Key Words Not Found"),
                _ => self.no(310_000, "keywords not in content"),
            };
        }
        if text.len() > longest || (self.platform == Platform::Feishu && call.body.len() > 20 << 10) {
            return self.no(40_058, "content exceed max length");
        }
        if let Some(problem) = self.too_many(&mut state, now_ms) {
            return problem;
        }
        state.taken.push((now_ms, text.to_owned()));
        match self.platform {
            Platform::Feishu => (200, json!({"code": 0, "msg": "success", "data": {}})),
            Platform::Dingtalk | Platform::Wecom => (200, json!({"errcode": 0, "errmsg": "ok"})),
            Platform::Webhook => (200, json!({"ok": true})),
        }
    }

    fn no(&self, code: i64, words: &str) -> (u16, Value) {
        match self.platform {
            Platform::Feishu => (200, json!({"code": code, "msg": words})),
            Platform::Dingtalk | Platform::Wecom => (200, json!({"errcode": code, "errmsg": words})),
            Platform::Webhook => (401, json!({"error": words})),
        }
    }

    fn signature(&self, call: Call<'_>, body: &Value, now_ms: i64) -> Option<(u16, Value)> {
        let secret = self.secret.as_ref()?;
        let query = |name: &str| {
            let (_, query) = call.path.split_once('?')?;
            query
                .split('&')
                .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
                .map(|(_, value)| decoded(value))
        };
        match self.platform {
            Platform::Wecom => None,
            Platform::Dingtalk => {
                let time = query("timestamp").unwrap_or_default();
                let sent: i64 = time.parse().unwrap_or(0);
                if (now_ms - sent).abs() > HOUR {
                    return Some(self.no(310_000, "invalid timestamp"));
                }
                let want = STANDARD.encode(mac(secret.as_bytes(), format!("{time}\n{secret}").as_bytes()));
                (query("sign").unwrap_or_default() != want).then(|| self.no(310_000, "sign not match"))
            }
            Platform::Feishu => {
                let time = body["timestamp"].as_str().unwrap_or_default();
                let sent: i64 = time.parse().unwrap_or(0);
                let want = STANDARD.encode(mac(format!("{time}\n{secret}").as_bytes(), b""));
                let good = (now_ms / 1_000 - sent).abs() <= 3_600 && body["sign"].as_str() == Some(&want);
                let words = "sign match fail or timestamp is not within one hour from current time";
                (!good).then(|| self.no(19_021, words))
            }
            Platform::Webhook => {
                let (time, sign) = call.signed.unwrap_or_default();
                let bytes = [time.as_bytes(), b".", call.body].concat();
                let want: String = mac(secret.as_bytes(), &bytes)
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                (sign.strip_prefix("sha256=") != Some(&want)).then(|| self.no(401, "bad signature"))
            }
        }
    }

    fn too_many(&self, state: &mut State, now_ms: i64) -> Option<(u16, Value)> {
        let within = |ms: i64| state.taken.iter().filter(|(at, _)| now_ms - at < ms).count();
        match self.platform {
            Platform::Dingtalk if now_ms < state.blocked_until || within(MINUTE) >= 20 => {
                state.blocked_until = state.blocked_until.max(now_ms + 10 * MINUTE);
                Some(self.no(130_101, "send too fast, exceed 20 times per minute"))
            }
            Platform::Wecom if within(MINUTE) >= 20 => Some(self.no(45_009, "api freq out of limit")),
            Platform::Feishu if within(MINUTE) >= 100 || within(1_000) >= 5 => {
                Some(self.no(11_232, "frequency limited"))
            }
            _ => None,
        }
    }
}

fn mac(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.chain_update(data).finalize().into_bytes().to_vec()
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let hex = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match (bytes[at], hex) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_robot_takes_what_its_platform_takes() {
        let robot = Robot::new(Platform::Dingtalk, None, Some("集成"));
        let say = |text: &str, now| {
            let body = json!({"msgtype": "text", "text": {"content": text}}).to_string();
            let call = Call {
                path: "/send",
                signed: None,
                body: body.as_bytes(),
            };
            robot.answer(call, now).1["errcode"].as_i64()
        };
        assert_eq!(say("x", 0), Some(310_000));
        for nth in 0..20 {
            assert_eq!(say("集成", nth), Some(0));
        }
        assert_eq!(say("集成", 30), Some(130_101));
        assert_eq!(say("集成", 9 * MINUTE), Some(130_101), "blocked for ten minutes");
        assert_eq!(say("集成", 9 * MINUTE + 11 * MINUTE), Some(0));
        assert_eq!((robot.taken().len(), robot.calls()), (21, 24));
    }
}
