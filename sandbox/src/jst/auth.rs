//! Tokens of the simulated Jushuitan.
//!
//! A refresh token is good for one refresh, which gives the next; the first of a data set is a credential. Which one
//! is next is kept over a restart, access tokens are not. Guesses: a refused refresh is code 100, an access token lives
//! on to its end when another was given, and `getInitToken` makes the refresh token before it useless.

use std::collections::BTreeMap;

use serde_json::json;

use super::{NAME, Refused, code, fine, refused, signed};
use crate::crypto;
use crate::data::draw;
use crate::kingdee::auth::Sessions;
use crate::reply::{Reply, Request};
use crate::state::World;

/// Length of the made-up word of the first login.
const CODE: usize = 6;
/// Used refresh tokens that are known as such; older ones are merely unknown.
const MAX_USED: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Tokens {
    access: Sessions,
    /// Refresh tokens given so far.
    given: u64,
    /// The one that is good now; `None` is the first.
    refresh: Option<String>,
    /// When those before it were given, by token.
    used: BTreeMap<String, u64>,
}

impl Tokens {
    pub(super) fn end(&mut self, access: &str) {
        self.access.end(access);
    }

    pub(super) fn count(&self) -> usize {
        self.access.count()
    }

    pub(super) fn refreshes(&self) -> u64 {
        self.given
    }

    /// The refresh token that was kept is the one that is good now.
    pub(super) fn recall(&mut self, refresh: &str) {
        self.given += 1;
        if let Some(old) = self.refresh.replace(refresh.to_owned()) {
            if self.used.len() >= MAX_USED
                && let Some(oldest) = self.used.iter().min_by_key(|(_, given)| **given)
            {
                let oldest = oldest.0.clone();
                self.used.remove(&oldest);
            }
            self.used.insert(old, self.given);
        }
    }
}

pub(super) fn expired() -> Refused {
    refused(code::TOKEN, "access_token 不存在或已过期")
}

/// Lets a call in; counts it.
pub(super) fn check(world: &mut World, token: &str) -> Result<(), Refused> {
    let now = world.now_ms();
    let (ttl, max) = (world.settings.session_ttl_ms, world.settings.session_max_calls);
    if world.jst.tokens.access.use_one(token, now, ttl, max) {
        Ok(())
    } else {
        Err(expired())
    }
}

/// `getInitToken`, for an application of one's own: a made-up word of six characters stands for a person's consent.
pub(super) fn first(world: &mut World, request: &Request) -> Result<Reply, Refused> {
    let pairs = signed(world, request, &["grant_type", "code"])?;
    if pairs.get("grant_type") != "authorization_code" {
        return Err(refused(code::PARAMETER, "grant_type 应为 authorization_code"));
    }
    let word = pairs.get("code");
    if word.len() != CODE || !word.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(refused(code::PARAMETER, "code 应为六位字母或数字"));
    }
    give(world)
}

/// `refreshToken`.
pub(super) fn refresh(world: &mut World, request: &Request) -> Result<Reply, Refused> {
    let pairs = signed(world, request, &["grant_type", "refresh_token", "scope"])?;
    if pairs.get("grant_type") != "refresh_token" || pairs.get("scope") != "all" {
        return Err(refused(
            code::PARAMETER,
            "grant_type 应为 refresh_token，scope 应为 all",
        ));
    }
    let token = pairs.get("refresh_token");
    let tokens = &world.jst.tokens;
    let first = world.credential(NAME, "refresh_token");
    if crypto::same(tokens.refresh.as_deref().unwrap_or(first), token) {
        return give(world);
    }
    let is_used = token == first || tokens.used.contains_key(token);
    Err(refused(
        code::TOKEN,
        if is_used {
            "refresh_token 已被使用，请重新授权"
        } else {
            "refresh_token 不存在"
        },
    ))
}

fn give(world: &mut World) -> Result<Reply, Refused> {
    let (seed, now, given) = (world.data.seed, world.now_ms(), world.jst.tokens.given);
    let salt = seed ^ u64::from(std::process::id()) ^ now.unsigned_abs();
    let refresh = format!("{:016x}{:016x}", draw(salt, 31, given), draw(salt, 32, given));
    let access = world.jst.tokens.access.start(seed, now);
    world.jst.tokens.recall(&refresh);
    world
        .keep(NAME, &refresh)
        .map_err(|e| refused(code::INTERNAL, format!("写入失败：{e}")))?;
    let seconds = world.settings.session_ttl_ms / 1000;
    Ok(fine(json!({
        "access_token": access,
        "refresh_token": refresh,
        "expires_in": seconds,
        "scope": "all",
    })))
}
