//! A plain REST service of nobody: `/rest/...`, customers page by page and by number, behind any of the usual ways to say
//! who is calling. What it does is as the standards say (RFC 6749, 6750, 7617); the signature is the one that the
//! connector `http` describes.

use hyper::Method;
use serde_json::{Value, json};

use super::{Problem, Writing, against, bearer, number, problem, query, reply, text};
use crate::crypto;
use crate::data::cid;
use crate::form::Pairs;
use crate::kingdee::store::Fields;
use crate::limit::Limit;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "rest";
const FORM: &str = "rest_customer";
const LIFE_MS: i64 = 3_600_000;
const MAX_SIZE: u64 = 100;
const LIMITS: &[Limit] = &[Limit::a_minute(300)];

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "http",
    connection: "rest",
    params: &[
        Param::new("server", Kind::Server("/rest/")),
        Param::new("auth", Kind::Fixed("bearer")),
        Param::new("token", Kind::Secret("sandbox-rest-token", "SANDBOX_REST_TOKEN")),
        Param::new("user", Kind::Given("sandbox")),
        Param::new("password", Kind::Given("sandbox-rest-password")),
        Param::new("key", Kind::Given("sandbox-rest-key")),
        Param::new("client_id", Kind::Given("sandbox-rest-client")),
        Param::new("client_secret", Kind::Given("sandbox-rest-client-secret")),
        Param::new("refresh_token", Kind::Given("sandbox-rest-refresh")),
        Param::new("access_key", Kind::Given("sandbox-rest-access")),
        Param::new("secret_key", Kind::Given("sandbox-rest-signing")),
    ],
    endpoints: &[
        Endpoint::new("rest/token", Does::Else),
        Endpoint::new("rest/customers", Does::COUNTED),
        Endpoint::new("rest/customer", Does::Writes { rows: false }),
    ],
    code: &Rest,
};

#[derive(Debug)]
struct Rest;

impl System for Rest {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/rest/")?;
        Some(match path {
            "oauth/token" => "rest/token",
            "api/customers" => "rest/customers",
            path if path.starts_with("api/customers/") => "rest/customer",
            other => other,
        })
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match endpoint {
            "rest/token" => token(world, request),
            _ => call(world, request, endpoint, twist),
        };
        answer.map_or_else(|problem| told(&problem), |body| reply(200, body))
    }

    fn takes(&self, _method: &Method) -> bool {
        true
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        told(&if limit {
            problem("rate_limited", "too many calls").with_status(429)
        } else {
            problem("busy", "try again").with_status(503)
        })
    }

    fn lose(&self, world: &mut World, request: &Request, _endpoint: &str) -> Reply {
        world.lose_token(NAME, bearer(request));
        told(&unknown())
    }

    fn office(&self) -> Option<(&'static str, &'static str)> {
        Some((NAME, FORM))
    }
}

fn unknown() -> Problem {
    problem("unauthorized", "who is calling is not known").with_status(401)
}

fn told(problem: &Problem) -> Reply {
    reply(
        problem.status,
        json!({"error": problem.code, "error_description": problem.message}),
    )
}

fn token(world: &mut World, request: &Request) -> Result<String, Problem> {
    let bad = |code: &'static str| problem(code, "the token call is refused").with_status(400);
    let form = Pairs::read(&request.body).map_err(|_| bad("invalid_request"))?;
    let is_it = |world: &World, name: &str| crypto::same(world.credential(NAME, name), form.get(name));
    if !is_it(world, "client_id") || !is_it(world, "client_secret") {
        return Err(bad("invalid_client").with_status(401));
    }
    match form.get("grant_type") {
        "client_credentials" => {}
        "refresh_token" if is_it(world, "refresh_token") => {}
        "refresh_token" => return Err(bad("invalid_grant")),
        _ => return Err(bad("unsupported_grant_type")),
    }
    let (token, seconds) = world.give_token(NAME, LIFE_MS);
    // The refresh token stays as it is; a client that expects another one is given the same.
    let refresh = world.credential(NAME, "refresh_token");
    Ok(json!({
        "access_token": token, "token_type": "Bearer", "expires_in": seconds, "refresh_token": refresh,
    })
    .to_string())
}

/// Whether any of the ways to say who is calling is right.
fn is_known(world: &mut World, request: &Request, pairs: &Pairs) -> bool {
    let secret = |name: &str| world.credential(NAME, name).to_owned();
    let basic = crypto::base64(format!("{}:{}", secret("user"), secret("password")).as_bytes());
    let header = request.header("authorization");
    let key = secret("key");
    let fixed = crypto::same(header, &format!("Bearer {}", secret("token")))
        || crypto::same(header, &format!("Basic {basic}"))
        || crypto::same(request.header("x-api-key"), &key)
        || crypto::same(pairs.get("api_key"), &key);
    fixed || is_signed(world, request, pairs) || world.takes_token(NAME, bearer(request), LIFE_MS)
}

fn is_signed(world: &World, request: &Request, pairs: &Pairs) -> bool {
    let time = request.header("x-timestamp");
    let mut sorted: Vec<(&str, &str)> = pairs.iter().collect();
    sorted.sort_unstable();
    let sorted: Vec<String> = sorted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let text = format!(
        "{time}\n{}\n{}\n{}",
        request.path,
        sorted.join("&"),
        crypto::sha256_hex(&request.body)
    );
    let want = crypto::hmac_hex(world.credential(NAME, "secret_key").as_bytes(), text.as_bytes());
    request.header("x-access-key") == world.credential(NAME, "access_key")
        && crypto::same(&want, request.header("x-signature"))
        && world.is_fresh(time)
}

fn call(world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Result<String, Problem> {
    let pairs = query(request, "bad_request").map_err(|problem| problem.with_status(400))?;
    if !is_known(world, request, &pairs) {
        return Err(unknown());
    }
    let limited = problem("rate_limited", "too many calls").with_status(429);
    world.pass(NAME, LIMITS).map_err(|_| limited)?;
    match (endpoint, &request.method) {
        ("rest/customers", &Method::GET) => customers(world, &pairs, twist),
        ("rest/customer", &Method::PUT) => put(world, request, twist),
        _ => Err(problem("not_found", "there is nothing here").with_status(404)),
    }
}

fn customers(world: &World, pairs: &Pairs, twist: &Twist) -> Result<String, Problem> {
    let wrong = problem("bad_request", "page and size").with_status(400);
    let page = number(pairs.get("page"), 1, (1, 1_000_000), &wrong)?;
    let size = number(pairs.get("size"), 20, (1, MAX_SIZE), &wrong)?;
    let place = twist
        .page_number(page)
        .map(|page| (page - 1).saturating_mul(size));
    let (total, codes) = match place {
        Some(skip) => world.data.customer_codes(&world.changes, skip, size),
        None => (0, Vec::new()),
    };
    let rows: Vec<Value> = codes
        .iter()
        .map(|customer| json!({"no": cid(*customer), "name": world.data.nick(&world.changes, *customer)}))
        .collect();
    Ok(json!({"data": rows, "total": twist.total(total)}).to_string())
}

/// Makes or changes a customer by number.
fn put(world: &mut World, request: &Request, twist: &Twist) -> Result<String, Problem> {
    let rule = problem("unprocessable", "the customer is not acceptable").with_status(422);
    let name = request
        .path
        .strip_prefix("/rest/api/customers/")
        .unwrap_or_default();
    let number = crate::form::lossy(name.replace('+', "%2B").as_bytes());
    let content = String::from_utf8_lossy(&request.body).into_owned();
    let writing = Writing {
        system: NAME,
        form: FORM,
        request,
        endpoint: "rest/customer",
        twist,
        rule: rule.clone(),
        is_whole: false,
    };
    let row = writing.one(world, &content, |world, place, content| {
        let fields: Fields = serde_json::from_str(content).map_err(|_| rule.clone())?;
        against(world, &number, &rule)?;
        if text(&fields, "name").trim().is_empty() {
            return Err(problem("unprocessable", "name is empty").with_status(422));
        }
        let docs = &world.office(NAME).docs;
        Ok(match docs.find("", &number) {
            Some(id) => docs.update(place, "", &number, id, content),
            None => docs.create(place, "", &number, content),
        })
    })?;
    Ok(json!({"id": row.id, "no": row.number}).to_string())
}
