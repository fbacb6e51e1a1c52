//! Who is calling the simulated Kingdee: three ways to log in, and headers signed per request.

use std::collections::BTreeMap;

use serde_json::json;

use super::answer::{self, SESSION_LOST};
use super::body::Args;
use crate::crypto;
use crate::data::draw;
use crate::reply::{Reply, Request};
use crate::state::World;

/// Most sessions alive; the oldest goes first.
const MAX_SESSIONS: usize = 1000;

#[derive(Debug)]
struct Session {
    since_ms: i64,
    calls: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    alive: BTreeMap<String, Session>,
    made: u64,
}

impl Sessions {
    pub(crate) fn start(&mut self, seed: u64, now_ms: i64) -> String {
        while self.alive.len() >= MAX_SESSIONS {
            let oldest = self
                .alive
                .iter()
                .min_by_key(|(_, s)| s.since_ms)
                .map(|(id, _)| id.clone());
            self.alive.remove(&oldest.unwrap_or_default());
        }
        self.made += 1;
        // Another process is another server: its sessions are not known here.
        let salt = seed ^ u64::from(std::process::id()) ^ now_ms.unsigned_abs();
        let id = format!(
            "{:016x}{:016x}",
            draw(salt, 21, self.made),
            draw(salt, 22, self.made)
        );
        self.alive.insert(
            id.clone(),
            Session {
                since_ms: now_ms,
                calls: 0,
            },
        );
        id
    }

    /// Whether the session still lives; counts the call.
    pub(crate) fn use_one(&mut self, id: &str, now_ms: i64, ttl_ms: i64, max_calls: Option<u64>) -> bool {
        let Some(session) = self.alive.get_mut(id) else {
            return false;
        };
        session.calls += 1;
        let young = (session.since_ms..session.since_ms.saturating_add(ttl_ms)).contains(&now_ms);
        if young && max_calls.is_none_or(|max| session.calls <= max) {
            return true;
        }
        self.alive.remove(id);
        false
    }

    pub(crate) fn end(&mut self, id: &str) {
        self.alive.remove(id);
    }

    pub(crate) fn count(&self) -> usize {
        self.alive.len()
    }
}

/// The session a request names, by header or cookie.
pub(crate) fn session_id(request: &Request) -> Option<String> {
    for name in ["kdservice-sessionid", "SID"] {
        let value = request.header(name);
        if !value.is_empty() {
            return Some(value.to_owned());
        }
    }
    let cookies = request
        .header("cookie")
        .split(';')
        .filter_map(|c| c.trim().split_once('='));
    cookies
        .filter(|(name, _)| *name == "kdservice-sessionid")
        .map(|(_, v)| v.to_owned())
        .next()
}

/// Lets a call in, or says why not; both reasons are MsgCode 1 on the wire.
pub(crate) fn check(world: &mut World, request: &Request) -> Result<(), String> {
    let signed = ["x-api-signature", "x-kd-signature", "x-kd-appkey"];
    if signed.iter().any(|name| request.headers.contains_key(*name)) {
        return check_signed(world, request);
    }
    let now = world.now_ms();
    let (ttl, max) = (world.settings.session_ttl_ms, world.settings.session_max_calls);
    let id = session_id(request).unwrap_or_default();
    if world.sessions.use_one(&id, now, ttl, max) {
        Ok(())
    } else {
        Err(SESSION_LOST.to_owned())
    }
}

fn check_signed(world: &World, request: &Request) -> Result<(), String> {
    let c = &world.credentials;
    let fail = |what: &str| Err(format!("第三方系统登录授权验证失败：{what}"));
    let (client, secret) = match (c.app_id.split_once('_'), crypto::kingdee_client_secret(&c.app_id)) {
        (Some((client, _)), Some(secret)) => (client, secret),
        _ => return fail("服务器未配置应用"),
    };
    if request.header("x-kd-appkey") != c.app_id || request.header("x-api-clientid") != client {
        return fail("应用不存在");
    }
    if request.header("x-api-auth-version") != "2.0" {
        return fail("授权版本不正确");
    }
    let (ts, nonce) = (request.header("x-api-timestamp"), request.header("x-api-nonce"));
    let signed = request.header("x-api-signheaders").to_ascii_lowercase();
    let mut names: Vec<&str> = signed.split(',').map(str::trim).collect();
    names.sort_unstable();
    if nonce.is_empty() || names != ["x-api-nonce", "x-api-timestamp"] {
        return fail("签名头不完整");
    }
    let path = crypto::percent_encode(&request.path);
    let text = format!("POST\n{path}\n\nx-api-nonce:{nonce}\nx-api-timestamp:{ts}\n");
    if !crypto::same(
        &crypto::kingdee_hmac(&secret, &text),
        request.header("x-api-signature"),
    ) {
        return fail("X-Api-Signature 不正确");
    }
    let appdata = crypto::unbase64(request.header("x-kd-appdata")).and_then(|b| String::from_utf8(b).ok());
    let Some(appdata) = appdata else {
        return fail("X-Kd-Appdata 不正确");
    };
    let key = crypto::kingdee_hmac(&c.app_secret, &format!("{}{appdata}", c.app_id));
    if !crypto::same(&key, request.header("x-kd-signature")) {
        return fail("X-Kd-Signature 不正确");
    }
    let parts: Vec<&str> = appdata.split(',').collect();
    if parts.len() != 4 || parts[0] != c.acct || parts[1] != c.user {
        return fail("账套或用户不存在");
    }
    if world.is_fresh(ts) {
        Ok(())
    } else {
        fail("时间戳已过期")
    }
}

/// The three logins. `args` are positional: `acct, user, ...`.
pub(crate) fn login(world: &mut World, endpoint: &str, args: &Args) -> Reply {
    let now = world.now_ms();
    let text = |index, name| args.at(index, name).unwrap_or_default();
    let (acct, user) = (text(0, "acctid"), text(1, "username"));
    let c = &world.credentials;
    let problem = if acct != c.acct {
        Some("数据中心不存在")
    } else if user != c.user {
        Some("用户名或密码错误")
    } else {
        match endpoint {
            "ValidateUser" => (text(2, "password") != c.password).then_some("用户名或密码错误"),
            "LoginByAppSecret" => {
                let right = text(2, "appid") == c.app_id && crypto::same(text(3, "appsecret"), &c.app_secret);
                (!right).then_some("应用ID或应用密钥不正确")
            }
            _ => {
                let (app_id, ts, sign) = (text(2, "appid"), text(3, "timestamp"), text(4, "sign"));
                let want = crypto::kingdee_login_sign([acct, user, &c.app_id, &c.app_secret, ts]);
                if app_id != c.app_id {
                    Some("应用ID不存在")
                } else if !crypto::same(&want, sign) {
                    Some("签名验证失败，请检查应用密钥")
                } else {
                    (!world.is_fresh(ts)).then_some("时间戳已过期，请校准时间")
                }
            }
        }
    };
    if let Some(message) = problem {
        return answer::reply(&json!({
            "Message": message, "MessageCode": "CheckPasswordPolicy", "LoginResultType": 0, "Context": null,
            "KDSVCSessionId": "", "FormId": null, "RedirectFormParam": null, "FormInputObject": null,
            "ErrorStackTrace": null, "Lcid": 0, "AccessToken": null, "IsSuccessByAPI": false,
        }));
    }
    let (user, acct) = (c.user.clone(), c.acct.clone());
    let id = world.sessions.start(world.data.seed, now);
    let context = json!({"UserLocale": "zh-CN", "LogLocale": "zh-CN", "DBid": acct, "SessionId": id, "UserId": 100_001,
        "UserName": user, "CurrentOrganizationInfo": {"ID": 1, "AcctOrgType": "1", "Name": "总公司"}});
    let mut reply = answer::reply(&json!({
        "Message": null, "MessageCode": "CheckPasswordPolicy", "LoginResultType": 1, "Context": context,
        "KDSVCSessionId": id, "FormId": null, "RedirectFormParam": null, "FormInputObject": null,
        "ErrorStackTrace": null, "Lcid": 2052, "AccessToken": null, "IsSuccessByAPI": true,
    }));
    reply
        .headers
        .push(("set-cookie", format!("kdservice-sessionid={id}; path=/")));
    reply.headers.push((
        "set-cookie",
        format!("ASP.NET_SessionId={}; path=/; HttpOnly", &id[..24]),
    ));
    reply
}
