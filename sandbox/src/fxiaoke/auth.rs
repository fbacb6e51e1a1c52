//! Tokens of the simulated Fxiaoke: the newer generation stands in headers, the older one in the body of every call.

use serde_json::json;

use super::{NAME, Refused, code, refused, text, traced};
use crate::crypto;
use crate::data::draw;
use crate::kingdee::store::Fields;
use crate::limit::Limit;
use crate::reply::Request;
use crate::state::World;

/// Life of a token unless told.
const LIFE_MS: i64 = 7_200_000;
/// Share of its life in which the same token is given again: 6600 of 7200 seconds.
const SAME: (i64, i64) = (11, 12);
/// Most tokens of one generation; two are alive at a time unless they are lost early.
const MAX_TOKENS: usize = 100;
/// Token calls of the application, of both generations together.
const LIMITS: &[Limit] = &[Limit::a_minute(10)];
/// Both calls that give tokens; they are counted under the first.
const BOTH: [&str; 2] = ["oauth2.0/token", "corpAccessToken/get/V2"];
/// Whose data it is, in each generation's word.
const EA: &str = "fs_sandbox";
const CORP: &str = "FSCID_SANDBOX";

/// The generation of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Age {
    New,
    Old,
}

#[derive(Debug)]
struct Token {
    age: Age,
    text: String,
    since_ms: i64,
    calls: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    alive: Vec<Token>,
    made: u64,
    life_ms: Option<i64>,
}

impl Tokens {
    fn life_ms(&self) -> i64 {
        self.life_ms.unwrap_or(LIFE_MS)
    }

    fn is_alive(&self, token: &Token, now_ms: i64) -> bool {
        (token.since_ms..token.since_ms.saturating_add(self.life_ms())).contains(&now_ms)
    }

    pub(super) fn count(&self, now_ms: i64) -> usize {
        self.alive.iter().filter(|one| self.is_alive(one, now_ms)).count()
    }

    /// The token to hand out now, and for how many milliseconds it is still good.
    fn give(&mut self, age: Age, seed: u64, now_ms: i64) -> (String, i64) {
        let life = self.life_ms();
        let (part, whole) = SAME;
        let same = life / whole * part;
        let young = |one: &&Token| one.age == age && (0..same).contains(&(now_ms - one.since_ms));
        if let Some(known) = self.alive.iter().rev().find(young) {
            return (known.text.clone(), known.since_ms + life - now_ms);
        }
        self.made += 1;
        // Another process is another server: its tokens are not known here.
        let salt = seed ^ u64::from(std::process::id()) ^ now_ms.unsigned_abs();
        let text = format!(
            "{:016X}{:016X}",
            draw(salt, 61, self.made),
            draw(salt, 62, self.made)
        );
        if self.alive.len() >= MAX_TOKENS {
            self.alive.remove(0);
        }
        self.alive.push(Token {
            age,
            text: text.clone(),
            since_ms: now_ms,
            calls: 0,
        });
        (text, life)
    }

    /// Whether the token still lives; counts the call.
    fn use_one(&mut self, age: Age, text: &str, now_ms: i64, max_calls: Option<u64>) -> bool {
        let place = self
            .alive
            .iter()
            .position(|one| one.age == age && one.text == text);
        let Some(place) = place else { return false };
        self.alive[place].calls += 1;
        let young = self.is_alive(&self.alive[place], now_ms);
        if young && max_calls.is_none_or(|max| self.alive[place].calls <= max) {
            return true;
        }
        self.alive.remove(place);
        false
    }
}

pub(super) fn over() -> Refused {
    refused(code::OVER, "accessToken 不存在或已过期，请重新获取")
}

/// Both token calls; gives the members of the answer.
pub(super) fn give(world: &mut World, request: &Request, age: Age) -> Result<String, Refused> {
    if BOTH.iter().map(|one| world.under_way(NAME, one)).sum::<u64>() > 1 {
        return Err(refused(code::TOKEN_CALLS, "不允许并发获取令牌"));
    }
    world
        .pass(BOTH[0], LIMITS)
        .map_err(|_| refused(code::TOKEN_CALLS, "获取令牌过于频繁：每分钟最多 10 次"))?;
    let body: Fields = serde_json::from_slice(&request.body)
        .map_err(|e| refused(code::PARAMETER, format!("不是 JSON 对象：{e}")))?;
    for (member, credential) in [
        ("appId", "app_id"),
        ("appSecret", "app_secret"),
        ("permanentCode", "code"),
    ] {
        if !crypto::same(world.credential(NAME, credential), &text(&body, member)) {
            return Err(refused(code::SECRET, format!("{member} 不正确")));
        }
    }
    if age == Age::New && text(&body, "grantType") != "app_secret" {
        return Err(refused(code::PARAMETER, "grantType 应为 app_secret"));
    }
    traced(request)?;
    let (seed, now) = (world.data.seed, world.now_ms());
    world.fx.tokens.life_ms = world.settings.own_ttl_ms;
    let (token, left_ms) = world.fx.tokens.give(age, seed, now);
    let seconds = left_ms / 1000;
    let answer = match age {
        // The member is named after a user and holds the company's id.
        Age::New => json!({"accessToken": token, "ea": EA, "expiresIn": seconds, "openUserId": CORP}),
        Age::Old => json!({"corpAccessToken": token, "corpId": CORP, "expiresIn": seconds}),
    };
    let members = answer.to_string();
    Ok(members[1..members.len() - 1].to_owned())
}

/// The generation, token, company and employee that a call names; `None` when it names no token at all.
fn named(request: &Request, body: &Fields) -> Option<(Age, String, String, String)> {
    if let Some(token) = request.header("authorization").strip_prefix("Bearer ") {
        let header = |name| request.header(name).to_owned();
        return Some((
            Age::New,
            token.to_owned(),
            header("x-fs-ea"),
            header("x-fs-userid"),
        ));
    }
    let token = Some(text(body, "corpAccessToken")).filter(|token| !token.is_empty())?;
    Some((
        Age::Old,
        token,
        text(body, "corpId"),
        text(body, "currentOpenUserId"),
    ))
}

/// Lets a call in; counts it.
pub(super) fn check(world: &mut World, request: &Request, body: &Fields) -> Result<(), Refused> {
    let (age, token, company, user) =
        named(request, body).ok_or_else(|| refused(code::NO_TOKEN, "没有 accessToken"))?;
    if company.is_empty() || user.is_empty() {
        return Err(refused(code::NO_TOKEN, "没有企业或员工"));
    }
    let (now, max) = (world.now_ms(), world.settings.session_max_calls);
    world.fx.tokens.life_ms = world.settings.own_ttl_ms;
    if !world.fx.tokens.use_one(age, &token, now, max) {
        return Err(over());
    }
    let own = match age {
        Age::New => EA,
        Age::Old => CORP,
    };
    if company != own || user != world.credential(NAME, "user_id") {
        return Err(refused(code::NOT_ALLOWED, "企业或员工不正确"));
    }
    Ok(())
}

/// The token that a call names is gone.
pub(super) fn end(world: &mut World, request: &Request, body: &Fields) {
    if let Some((_, token, ..)) = named(request, body) {
        world.fx.tokens.alive.retain(|one| one.text != token);
    }
}
