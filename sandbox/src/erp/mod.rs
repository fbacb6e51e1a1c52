//! A home-grown ERP behind the standard channel of Fxiaoke's data synchronisation: `/erp-sim/...`, what the platform
//! calls.
//!
//! Facts with a public source: the four interfaces and their methods, `token` in a header, `objAPIName`,
//! `masterFieldVal` and `detailFieldVals` of a write, JSON, XML or text, `{code, message, data{masterDataId,
//! detailDataIds}}`, paging by time, offset and limit, `totalNum` (a text) and `dataList`.
//! Guesses of ours: every code, with "0" as the success; that an update names its document in `masterFieldVal.id` and its
//! lines in `id`; the form of XML; that `dataId` may be a number; that what is not there is `data: null`; that the lines
//! that an update does not name stay; what the keys of `detailDataIds` are, which is a setting.

mod docs;
mod form;

use hyper::Method;
use serde_json::{Map, Value, json};

pub(crate) use docs::Docs;

use docs::{ORDER, Sent, details_of, is_order};
use form::Form;

use crate::crypto;
use crate::form::Pairs;
use crate::journal::{Action, Line, RowLine, Write};
use crate::office::{line, text};
use crate::reply::{Reply, Request};
use crate::settings::ErpLines;
use crate::state::World;
use crate::systems::{Does, Endpoint, Kind, Param, Row, System};
use crate::twist::Twist;

const NAME: &str = "erp";
/// Longest number, in characters.
const MAX_TEXT: usize = 200;
/// Most rows of a page.
const MAX_ROWS: usize = 1_000;

const CREATE: &str = "erp/create";
const UPDATE: &str = "erp/update";
const BATCH: &str = "erp/queryMasterBatch";
const BY_ID: &str = "erp/queryMasterById";

pub(crate) const ROW: Row = Row {
    name: NAME,
    connector: "fxiaoke-erp",
    connection: "fx_erp",
    params: &[
        Param::new("server", Kind::Server("/erp-sim/")),
        Param::new("token", Kind::Secret("sandbox-erp-token", "SANDBOX_ERP_TOKEN")),
        Param::new("token_code", Kind::Open("401")),
    ],
    endpoints: &[
        Endpoint::new(CREATE, Does::Writes { rows: false }),
        Endpoint::new(UPDATE, Does::Writes { rows: false }),
        Endpoint::new(BATCH, Does::MOVING),
        Endpoint::new(BY_ID, Does::Else),
    ],
    code: &Erp,
};

mod code {
    pub(super) const OK: &str = "0";
    pub(super) const TOKEN: &str = "401";
    pub(super) const LIMIT: &str = "429";
    pub(super) const WRONG: &str = "1001";
    pub(super) const NO_OBJECT: &str = "1002";
    pub(super) const NO_DATA: &str = "1003";
    pub(super) const RULE: &str = "1004";
    pub(super) const THERE: &str = "1005";
    pub(super) const BUSY: &str = "-1";
}

/// Why a call is refused.
type Refused = (&'static str, String);

fn refused(code: &'static str, message: impl Into<String>) -> Refused {
    (code, message.into())
}

#[derive(Debug)]
struct Erp;

impl System for Erp {
    fn endpoint<'a>(&self, request: &'a Request) -> Option<&'a str> {
        Some(match request.path.strip_prefix("/erp-sim/")? {
            "create" => CREATE,
            "update" => UPDATE,
            "queryMasterBatch" => BATCH,
            "queryMasterById" => BY_ID,
            other => other,
        })
    }

    fn takes(&self, _method: &Method) -> bool {
        true
    }

    fn handle(&self, world: &mut World, request: &Request, endpoint: &str, twist: &Twist) -> Reply {
        let asked = Form::of(request.header("content-type"));
        let form = match asked {
            Some(form) => form,
            None if world.settings.erp_xml => Form::Xml,
            None => Form::Json,
        };
        let answer = known(world, request).and_then(|()| match (endpoint, &request.method) {
            (CREATE | UPDATE, &Method::POST) => {
                let form =
                    asked.ok_or_else(|| refused(code::WRONG, "Content-Type 应为 json、xml 或 text"))?;
                Call {
                    request,
                    endpoint,
                    twist,
                    form,
                }
                .write(world)
            }
            (BATCH, &Method::GET) => batch(world, request, twist),
            (BY_ID, &Method::GET) => by_id(world, request),
            (CREATE | UPDATE | BATCH | BY_ID, method) => {
                Err(refused(code::WRONG, format!("{endpoint} 不支持 {method}")))
            }
            (other, _) => Err(refused(code::WRONG, format!("没有接口 {other}"))),
        });
        match answer {
            Ok(data) => form.answer(code::OK, "success", &data),
            Err((code, message)) => form.answer(code, &message, "null"),
        }
    }

    fn busy(&self, _endpoint: &str, limit: bool) -> Reply {
        let (code, message) = if limit {
            (code::LIMIT, "调用过于频繁")
        } else {
            (code::BUSY, "系统繁忙，请稍后再试")
        };
        Form::Json.answer(code, message, "null")
    }

    fn lose(&self, _world: &mut World, _request: &Request, _endpoint: &str) -> Reply {
        Form::Json.answer(code::TOKEN, "token 无效", "null")
    }

    fn apply(&self, world: &mut World, write: &Write) {
        if [CREATE, UPDATE].contains(&write.endpoint.as_str()) {
            let rows = write.rows.iter();
            rows.for_each(|row| apply(world, &write.form, write.at_ms, row));
        }
    }

    fn counts(&self, world: &World) -> Vec<(&'static str, usize)> {
        vec![("erp_documents", world.erp.count())]
    }
}

/// Does what a row of the journal says.
fn apply(world: &mut World, object: &str, at_ms: i64, row: &RowLine) {
    let before = docs::own(&world.data, object, row.id);
    world.erp.apply(object, at_ms, row, before);
}

fn known(world: &World, request: &Request) -> Result<(), Refused> {
    if crypto::same(world.credential(NAME, "token"), request.header("token")) {
        return Ok(());
    }
    Err(refused(code::TOKEN, "token 无效"))
}

fn details(object: &str) -> Result<&'static [&'static str], Refused> {
    details_of(object).ok_or_else(|| refused(code::NO_OBJECT, format!("没有对象 {object}")))
}

/// A call that writes.
struct Call<'a> {
    request: &'a Request,
    endpoint: &'a str,
    twist: &'a Twist,
    form: Form,
}

impl Call<'_> {
    /// Gives the members of `data`, as JSON.
    fn write(&self, world: &mut World) -> Result<String, Refused> {
        let wrong = |what: String| refused(code::WRONG, what);
        let members = self.form.read(&self.request.body).map_err(wrong)?;
        let object = text(&members, "objAPIName");
        let lists = details(&object)?;
        let sent = Sent::of(&members).map_err(wrong)?;
        if let Some(other) = sent.lines.keys().find(|name| !lists.contains(&name.as_str())) {
            return Err(refused(code::WRONG, format!("{object} 没有明细 {other}")));
        }
        let content = sent.content();
        if world.journal.is_full() || self.twist.refuses_batch(std::iter::once(content.as_str())) {
            return Err(refused(code::RULE, "数据不符合校验规则"));
        }
        let row = match self.endpoint {
            CREATE => create(world, &object, &sent, &content)?,
            _ => update(world, &object, &sent, &content)?,
        };
        let write = world.written(
            self.endpoint,
            &object,
            &self.request.body,
            self.twist,
            vec![row.clone()],
        );
        // The instant of the journal's line: after a restart a document is as old as it was.
        apply(world, &object, write.at_ms, &row);
        let appended = world.journal.append(Line::Write(write));
        appended.map_err(|error| refused(code::BUSY, format!("写入失败：{error}")))?;
        let doc = docs::get(world, &object, row.id);
        let ids = doc.as_ref().map(|doc| doc.ids(&sent)).unwrap_or_default();
        let told = line_ids(world.settings.erp_lines, self.form, ids);
        Ok(json!({"masterDataId": row.id.to_string(), "detailDataIds": told}).to_string())
    }
}

/// `detailDataIds` as the ERP was told to say it. Keys of lines are no names of elements: in XML it goes by places.
fn line_ids(by: ErpLines, form: Form, ids: Vec<(&str, Vec<(String, String)>)>) -> Value {
    let lists = ids.into_iter();
    let keyed = |lines: Vec<(String, String)>| lines.into_iter().map(|(key, id)| (key, Value::from(id)));
    let all: Map<String, Value> = match by {
        ErpLines::Place => by_places(lists),
        _ if form == Form::Xml => by_places(lists),
        ErpLines::Key => lists
            .map(|(name, lines)| (name.to_owned(), Value::Object(keyed(lines).collect())))
            .collect(),
        ErpLines::Flat => lists.flat_map(|(_, lines)| keyed(lines)).collect(),
    };
    Value::Object(all)
}

fn by_places<'s>(lists: impl Iterator<Item = (&'s str, Vec<(String, String)>)>) -> Map<String, Value> {
    let ids =
        |lines: Vec<(String, String)>| Value::Array(lines.into_iter().map(|(_, id)| id.into()).collect());
    lists.map(|(name, lines)| (name.to_owned(), ids(lines))).collect()
}

/// What a rule says against a document, whatever the request says.
fn against(world: &World, number: &str) -> Result<(), Refused> {
    if number.chars().count() > MAX_TEXT {
        return Err(refused(code::RULE, "单号过长"));
    }
    match world.refusal(number) {
        Some(_) => Err(refused(
            code::RULE,
            format!("{number} 已被列入黑名单，不允许保存"),
        )),
        None => Ok(()),
    }
}

fn create(world: &World, object: &str, sent: &Sent, content: &str) -> Result<RowLine, Refused> {
    let number = text(&sent.master, "number");
    if number.trim().is_empty() {
        return Err(refused(code::RULE, "单号 number 不能为空"));
    }
    against(world, &number)?;
    let new = |line: &crate::kingdee::store::Fields| text(line, "id").is_empty();
    if !sent.lines.values().flatten().all(new) {
        return Err(refused(code::WRONG, "新建时明细不能带 id"));
    }
    if world.settings.erp_unique && docs::find(world, object, &number).is_some() {
        return Err(refused(code::THERE, format!("单号 {number} 已存在")));
    }
    Ok(line(
        Action::Create,
        0,
        "",
        &number,
        world.erp.next_id(),
        content,
        1,
    ))
}

fn update(world: &World, object: &str, sent: &Sent, content: &str) -> Result<RowLine, Refused> {
    let told = text(&sent.master, "id");
    if told.is_empty() {
        return Err(refused(code::WRONG, "更新时 id 不能为空"));
    }
    let missing = || refused(code::NO_DATA, format!("{object} {told} 不存在"));
    let id = told.parse().map_err(|_| missing())?;
    let doc = docs::get(world, object, id).ok_or_else(missing)?;
    let number = Some(text(&sent.master, "number")).filter(|number| !number.is_empty());
    let number = number.unwrap_or_else(|| doc.number.clone());
    against(world, &number)?;
    for (list, lines) in &sent.lines {
        let ids = lines
            .iter()
            .map(|line| text(line, "id"))
            .filter(|id| !id.is_empty());
        for line in ids {
            if !doc.has_line(list, &line) {
                return Err(refused(code::NO_DATA, format!("明细 {list} {line} 不存在")));
            }
        }
    }
    Ok(line(Action::Update, 0, "", &number, id, content, doc.version + 1))
}

fn query(request: &Request) -> Result<(Pairs, bool), Refused> {
    let pairs = Pairs::read(request.query.as_bytes()).map_err(|what| refused(code::WRONG, what))?;
    details(pairs.get("objAPIName"))?;
    let details = match pairs.get("includeDetail") {
        "true" => true,
        "false" => false,
        other => {
            return Err(refused(
                code::WRONG,
                format!("includeDetail 应为 true 或 false：{other}"),
            ));
        }
    };
    Ok((pairs, details))
}

fn number(pairs: &Pairs, name: &str, within: std::ops::RangeInclusive<i64>) -> Result<i64, Refused> {
    let read = pairs
        .get(name)
        .parse()
        .ok()
        .filter(|number| within.contains(number));
    read.ok_or_else(|| refused(code::WRONG, format!("参数 {name} 不正确：{}", pairs.get(name))))
}

/// Documents by the time of their last change: orders of the seed, then what was sent; customers of both kinds in one row.
fn batch(world: &mut World, request: &Request, twist: &Twist) -> Result<String, Refused> {
    let (pairs, details) = query(request)?;
    let object = pairs.get("objAPIName");
    let ms = 1_000_000_000_000..=9_999_999_999_999;
    let span = (
        number(&pairs, "startTime", ms.clone())?,
        number(&pairs, "endTime", ms)?,
    );
    let most = i64::try_from(MAX_ROWS).unwrap_or(i64::MAX);
    let size = usize::try_from(number(&pairs, "limit", 1..=most)?).unwrap_or(0);
    let asked = usize::try_from(number(&pairs, "offset", 0..=i64::from(i32::MAX))?).unwrap_or(0);
    if span.0 > span.1 {
        return Err(refused(code::WRONG, "startTime 不能大于 endTime"));
    }
    let has_orders = object == ORDER;
    if has_orders && twist.moves != [0; 3] {
        let moved = world.move_rows(span, twist.moves);
        moved.map_err(|what| refused(code::BUSY, what))?;
    }
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    let (first, size) = twist.first_row(asked, size).map_or((0, 0), |first| (first, size));
    let (seeded, sales) = match has_orders {
        true => world.data.sales(&world.changes, span, wide(first), wide(size)),
        false => (0, Vec::new()),
    };
    let written = docs::changed(world, object, span);
    let total = twist.total(seeded.saturating_add(wide(written.len())));
    let behind = first.saturating_sub(usize::try_from(seeded).unwrap_or(usize::MAX));
    let room = size - sales.len();
    let mut rows: Vec<String> = sales
        .iter()
        .map(|sale| docs::order(world, sale, details))
        .collect();
    let further = written.into_iter().skip(behind).take(room);
    rows.extend(further.filter_map(|id| Some(docs::shown(id, &*docs::get(world, object, id)?, details))));
    Ok(format!(
        r#"{{"totalNum":"{total}","dataList":[{}]}}"#,
        rows.join(",")
    ))
}

/// One document, by its id or by its number; of several with one number the first.
fn by_id(world: &World, request: &Request) -> Result<String, Refused> {
    let (pairs, details) = query(request)?;
    let (object, asked) = (pairs.get("objAPIName"), pairs.get("dataId"));
    let by_id = asked
        .parse()
        .ok()
        .filter(|id| docs::get(world, object, *id).is_some());
    let written = by_id.or_else(|| docs::find(world, object, asked));
    if let Some((id, doc)) = written.and_then(|id| Some((id, docs::get(world, object, id)?))) {
        return Ok(docs::shown(id, &doc, details));
    }
    if object == ORDER {
        let whole = (0, i64::MAX);
        let (_, sales) = world
            .data
            .sales_where(&world.changes, whole, (0, 1), |sale| is_order(sale, asked));
        if let Some(sale) = sales.first() {
            return Ok(docs::order(world, sale, details));
        }
    }
    Ok("null".to_owned())
}
