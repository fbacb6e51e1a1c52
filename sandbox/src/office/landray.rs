//! A simulated Landray EKP: `/landray/api/km-review/...`, HTTP Basic, forms in parts that start processes.
//!
//! Facts with a public source: the paths of both services, the fields of `addReview` and which of them hold JSON as
//! text, that a subject, a template and a creator must be there, states 10 (draft) and 20, answers with `success`,
//! `data`, `msg` and `code`, `error.httpStatus.401`.
//! Guesses of ours: `data` as the bare id of the document, all other codes and sentences, that forms of the usual
//! encoding are taken as well, that nothing keeps a process from being started twice.

use serde_json::{Value, json};

use super::{Problem, Writing, against, problem, reply, text};
use crate::crypto;
use crate::form::Pairs;
use crate::kingdee::store::Fields;
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "landray";
const FORM: &str = "ekp_review";
const ADD: &str = "km-review/addReview";
/// Most parts of a form.
const MAX_PARTS: usize = 100;

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "landray-ekp",
    connection: "ekp",
    params: &[
        Param::new("server", Kind::Server("/landray/")),
        Param::new("user", Kind::Open("sandbox")),
        Param::new(
            "password",
            Kind::Secret("sandbox-landray-password", "SANDBOX_LANDRAY_PASSWORD"),
        ),
    ],
    endpoints: &[Endpoint::new(ADD, Does::Writes { rows: false })],
    code: &Landray,
};

mod code {
    pub(super) const LOGIN: &str = "error.httpStatus.401";
    pub(super) const BUSY: &str = "error.httpStatus.503";
    pub(super) const LIMIT: &str = "error.httpStatus.429";
    pub(super) const WRONG: &str = "error.data";
    pub(super) const NO_PATH: &str = "error.httpStatus.404";
}

#[derive(Debug)]
struct Landray;

impl System for Landray {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        let path = request.path.strip_prefix("/landray/")?;
        Some(match path {
            "api/km-review/kmReviewRestService/addReview"
            | "api/km-review/kmReviewRestServiceNew/addReview" => ADD,
            other => other,
        })
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let answer = match endpoint {
            _ if !is_known(world, request) => Err(refused()),
            ADD => add(world, request, twist),
            other => Err(problem(code::NO_PATH, format!("没有服务 {other}")).with_status(404)),
        };
        match answer {
            Ok(id) => reply(200, json!({"success": true, "data": id, "msg": "", "code": ""})),
            Err(problem) => told(&problem),
        }
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        told(&if limit {
            problem(code::LIMIT, "访问过于频繁")
        } else {
            problem(code::BUSY, "服务暂不可用")
        })
    }

    /// There is no session; whoever is not known is told so.
    fn lose(&self, _world: &mut World, _request: &Request, _endpoint: &str) -> Reply {
        told(&refused())
    }

    fn office(&self) -> Option<(&'static str, &'static str)> {
        Some((NAME, FORM))
    }
}

fn refused() -> Problem {
    problem(code::LOGIN, "用户名或密码错误").with_status(401)
}

fn told(problem: &Problem) -> Reply {
    reply(
        problem.status,
        json!({"success": false, "data": null, "msg": problem.message, "code": problem.code}),
    )
}

fn is_known(world: &World, request: &Request) -> bool {
    let [user, password] = ["user", "password"].map(|name| world.credential(NAME, name));
    let want = format!(
        "Basic {}",
        crypto::base64(format!("{user}:{password}").as_bytes())
    );
    crypto::same(&want, request.header("authorization"))
}

/// The fields of a form in parts, in order; `None` when it is none.
fn parts(body: &[u8], boundary: &str) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).ok()?;
    let open = format!("--{boundary}\r\n");
    let close = format!("--{boundary}--");
    let inner = text.strip_prefix(&open)?;
    let inner = &inner[..inner.rfind(&close)?];
    let mut fields = Vec::new();
    for part in inner.split(&open).take(MAX_PARTS + 1) {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let head = head.to_ascii_lowercase();
        let from = head.find("name=\"")? + "name=\"".len();
        let to = from + head[from..].find('"')?;
        // Names are taken as they were written; lower case has the same length in ASCII.
        fields.push((part[from..to].to_owned(), value.strip_suffix("\r\n")?.to_owned()));
    }
    (fields.len() <= MAX_PARTS).then_some(fields)
}

/// The fields of a request, whichever way they were encoded.
fn fields(request: &Request) -> Result<Vec<(String, String)>, Problem> {
    let kind = request.header("content-type");
    let wrong = |what: &str| problem(code::WRONG, what);
    if let Some(boundary) = kind.strip_prefix("multipart/form-data; boundary=") {
        return parts(&request.body, boundary).ok_or_else(|| wrong("表单不完整"));
    }
    if kind.starts_with("application/x-www-form-urlencoded") {
        let pairs = Pairs::read(&request.body).map_err(|what| wrong(&what))?;
        let own = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        return Ok(pairs.iter().map(own).collect());
    }
    Err(wrong("应为 multipart/form-data"))
}

fn add(world: &mut World, request: &Request, twist: &Twist) -> Result<String, Problem> {
    let fields = fields(request)?;
    let get = |name: &str| {
        let found = fields.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    if let Some(name) = ["docSubject", "fdTemplateId", "docCreator"]
        .iter()
        .find(|name| get(name).trim().is_empty())
    {
        return Err(problem(code::WRONG, format!("{name} 不允许为空")));
    }
    for name in ["docCreator", "formValues", "flowParam"] {
        let is_object = serde_json::from_str::<Fields>(get(name)).is_ok();
        if !get(name).is_empty() && !is_object {
            return Err(problem(code::WRONG, format!("{name} 应为 JSON 对象")));
        }
    }
    if !["", "10", "20"].contains(&get("docStatus")) {
        return Err(problem(code::WRONG, "docStatus 应为 10 或 20"));
    }
    let form: Fields = serde_json::from_str(get("formValues")).unwrap_or_default();
    let content: serde_json::Map<String, Value> = fields
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let content = Value::Object(content).to_string();
    let rule = problem(code::WRONG, "流程数据不符合校验规则");
    let writing = Writing {
        system: NAME,
        form: FORM,
        request,
        endpoint: ADD,
        twist,
        rule: rule.clone(),
        is_whole: false,
    };
    let row = writing.one(world, &content, |world, place, content| {
        let number = text(&form, "fd_number");
        against(world, &number, &rule)?;
        let docs = &world.office(NAME).docs;
        Ok(docs.create(place, get("fdTemplateId"), &number, content))
    })?;
    Ok(format!("{:032x}", row.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_form() {
        let body = "--b\r\ncontent-disposition: form-data; name=\"docSubject\"\r\n\r\n采购 申请\r\n--b\r\n\
            content-disposition: form-data; name=\"formValues\"\r\n\r\n{\"a\":\"1\\r\\n\"}\r\n--b--\r\n";
        let found = parts(body.as_bytes(), "b").unwrap();
        let wanted = [("docSubject", "采购 申请"), ("formValues", "{\"a\":\"1\\r\\n\"}")];
        let found: Vec<(&str, &str)> = found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(found, wanted);
        assert_eq!(parts(body.as_bytes(), "c"), None);
        assert_eq!(parts(&body.as_bytes()[..60], "b"), None);
    }
}
