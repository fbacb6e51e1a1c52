//! `ExecuteBillQuery` and `BillQuery`.
//!
//! `StartRow` counts from 0; at most `Limit` rows, never more than the server's own cap; a
//! `TopRowCount` above 0 is an absolute end row and not a page size. Rows are bare lists in the order
//! of `FieldKeys`, without a total. A problem is an answer with `Result.ResponseStatus` inside two
//! lists.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::allocate;
use super::answer::{self, code};
use super::filter::{self, Cell};
use super::forms::{self, Form};
use super::store::{Doc, Fields, member, scalar};
use crate::clock::beijing;
use crate::state::World;
use crate::twist::Twist;

const MAX_FIELDS: usize = 200;

struct Query {
    form: &'static Form,
    keys: Vec<String>,
    filter: filter::Expr,
    order: Vec<(String, bool)>,
    start: usize,
    end: usize,
}

/// Rows as one JSON text; `by_name` is `BillQuery`. The error is the answer to give.
pub(crate) fn run(world: &World, data: &str, by_name: bool, twist: &Twist) -> Result<String, Value> {
    let mut query = read(world, data).map_err(|(code, message)| answer::failed(code, &message))?;
    let size = query.end - query.start;
    (query.start, query.end) = match twist.first_row(query.start, size) {
        Some(start) => (start, start + size),
        None => (0, 0),
    };
    let mut docs = candidates(world, &query);
    if !query.order.is_empty() {
        docs.sort_by_cached_key(|doc| {
            query
                .order
                .iter()
                .map(|(f, _)| sort_text(&cell(doc, query.form, f)))
                .collect::<Vec<_>>()
        });
        if query.order[0].1 {
            docs.reverse();
        }
    }
    let matching = docs.into_iter().filter(|doc| {
        let fields = std::cell::OnceCell::new();
        query
            .filter
            .matches(&|name| cell_of(doc, query.form, name, || fields.get_or_init(|| doc.fields())))
    });
    let mut out = String::from("[");
    for doc in matching.skip(query.start).take(query.end - query.start) {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&row(doc, &query, by_name));
    }
    out.push(']');
    Ok(out)
}

fn row(doc: &Doc, query: &Query, by_name: bool) -> String {
    let fields = doc.fields();
    let values = query.keys.iter().map(|key| {
        let value = match cell_of(doc, query.form, key, || &fields) {
            Cell::Null => "null".to_owned(),
            Cell::Number(n) => n,
            Cell::Text(t) => json!(t).to_string(),
        };
        if by_name {
            format!("{}:{value}", json!(key))
        } else {
            value
        }
    });
    let list = values.collect::<Vec<_>>().join(",");
    if by_name {
        format!("{{{list}}}")
    } else {
        format!("[{list}]")
    }
}

fn read(world: &World, data: &str) -> Result<Query, (u32, String)> {
    let bad = |message: String| (code::BAD_PARAMETER, message);
    let fields: Fields =
        serde_json::from_str(data).map_err(|e| bad(format!("data 不是有效的 JSON 对象：{e}")))?;
    let text = |name: &str| fields.get(name).and_then(|v| scalar(v)).unwrap_or_default();
    let number = |name: &str| -> Result<usize, (u32, String)> {
        let text = text(name);
        if text.is_empty() {
            Ok(0)
        } else {
            text.parse()
                .map_err(|_| bad(format!("{name} 不是非负整数：{text}")))
        }
    };
    let form_name = text("FormId");
    let form =
        forms::find(&form_name).ok_or_else(|| (code::NO_FORM, format!("业务对象“{form_name}”不存在")))?;
    let keys: Vec<String> = text("FieldKeys")
        .split(',')
        .map(|k| k.trim().to_owned())
        .filter(|k| !k.is_empty())
        .collect();
    if keys.is_empty() || keys.len() > MAX_FIELDS {
        return Err(bad(format!("FieldKeys 的个数应为 1 到 {MAX_FIELDS}")));
    }
    let filter_text = match fields.get("FilterString") {
        Some(raw) if raw.get().starts_with('[') => conditions(raw).map_err(bad)?,
        _ => text("FilterString"),
    };
    let filter = filter::parse(&filter_text).map_err(|e| bad(format!("过滤条件错误：{e}")))?;
    let mut order = Vec::new();
    for part in text("OrderString")
        .split(',')
        .map(str::trim)
        .filter(|p| !p.is_empty())
    {
        let mut words = part.split_whitespace();
        let field = words.next().unwrap_or_default().to_owned();
        let descending = match words.next().map(str::to_ascii_lowercase).as_deref() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(word) => return Err(bad(format!("排序错误：{word}"))),
        };
        if order.iter().any(|(_, d)| *d != descending) {
            return Err(bad("沙箱不支持混合升降序".to_owned()));
        }
        order.push((field, descending));
    }
    for name in keys
        .iter()
        .map(String::as_str)
        .chain(filter.fields())
        .chain(order.iter().map(|(f, _)| f.as_str()))
    {
        if !form.has_field(name.split('.').next().unwrap_or_default()) {
            return Err((
                code::INVALID,
                format!("字段“{name}”在业务对象 {} 中不存在", form.name),
            ));
        }
    }
    let cap = world.settings.query_max;
    let (start, limit, top) = (number("StartRow")?, number("Limit")?, number("TopRowCount")?);
    let size = if limit == 0 { cap } else { limit.min(cap) };
    let mut end = start.saturating_add(size);
    if top > 0 {
        end = end.min(top.max(start));
    }
    Ok(Query {
        form,
        keys,
        filter,
        order,
        start,
        end,
    })
}

/// The newer spelling of a filter: a list of conditions. Only plain comparison signs are known here.
fn conditions(raw: &RawValue) -> Result<String, String> {
    let list: Vec<Fields> = serde_json::from_str(raw.get()).map_err(|e| format!("过滤条件错误：{e}"))?;
    let mut out = String::new();
    let last = list.len().saturating_sub(1);
    for (n, item) in list.iter().enumerate() {
        let text = |name: &str| item.get(name).and_then(|v| scalar(v)).unwrap_or_default();
        let op = text("Compare");
        if !["=", "<>", ">", ">=", "<", "<="].contains(&op.as_str()) {
            return Err(format!("过滤条件错误：不认识的比较符“{op}”"));
        }
        let value = text("Value").replace('\'', "''");
        let logic = if n == last {
            ""
        } else if text("Logic") == "1" {
            " OR "
        } else {
            " AND "
        };
        out.push_str(&format!(
            "{}{}{op}'{value}'{}{logic}",
            text("Left"),
            text("FieldName"),
            text("Right")
        ));
    }
    Ok(out)
}

/// Documents that can match, by rising id; through the index when the filter names keys.
fn candidates<'w>(world: &'w World, query: &Query) -> Vec<&'w Doc> {
    let form = query.form;
    let mut found: Vec<&Doc> = if let Some(numbers) = query.filter.only(form.number_field) {
        numbers
            .iter()
            .flat_map(|n| world.store.with_number(form, n))
            .collect()
    } else if let Some(ids) = query.filter.only(form.id_field) {
        ids.iter()
            .filter_map(|id| world.store.get(form, id.trim().parse().ok()?))
            .collect()
    } else {
        return world.store.all(form).collect();
    };
    found.sort_by_key(|doc| doc.id);
    found.dedup_by_key(|doc| doc.id);
    found
}

fn cell(doc: &Doc, form: &Form, name: &str) -> Cell {
    let fields = doc.fields();
    cell_of(doc, form, name, || &fields)
}

fn cell_of<'f>(doc: &Doc, form: &Form, name: &str, fields: impl FnOnce() -> &'f Fields) -> Cell {
    let is = |f: &str| f.eq_ignore_ascii_case(name);
    if is(form.id_field) {
        return Cell::Number(doc.id.to_string());
    }
    if is(form.number_field) {
        return Cell::Text(doc.number.to_string());
    }
    if is("FDocumentStatus") {
        return Cell::Text(doc.status.to_string());
    }
    if is("FForbidStatus") {
        return Cell::Text("A".to_owned());
    }
    if is("FCreateDate") {
        return Cell::Text(beijing(doc.created_ms));
    }
    if is("FModifyDate") {
        return Cell::Text(beijing(doc.modified_ms));
    }
    let (base, inner) = name.split_once('.').unwrap_or((name, ""));
    let fields = fields();
    if form.org_field.is_some_and(|f| f.eq_ignore_ascii_case(base)) && inner.eq_ignore_ascii_case("FNumber") {
        // A copy belongs to the organisation that uses it, and tells who made it.
        let maker = allocate::is_copy(doc)
            .then(|| allocate::org_in(fields, base))
            .flatten();
        return Cell::Text(maker.unwrap_or_else(|| doc.org.to_string()));
    }
    if !form.orgs.is_empty() && is(allocate::MASTER) && !allocate::is_copy(doc) {
        return Cell::Number(doc.id.to_string());
    }
    if inner.is_empty() && form.orgs.iter().any(|(f, _)| is(f)) {
        // The field itself is the internal id.
        let id = allocate::org_in(fields, base).and_then(|number| forms::org_id(&number));
        return id.map_or(Cell::Null, |id| Cell::Number(id.to_owned()));
    }
    let Some((_, raw)) = fields.iter().find(|(k, _)| k.eq_ignore_ascii_case(base)) else {
        return Cell::Null;
    };
    let is_number = raw.get().starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let text = if raw.get().starts_with('{') {
        member(raw, if inner.is_empty() { "FNumber" } else { inner })
    } else {
        scalar(raw)
    };
    match text {
        None => Cell::Null,
        Some(text) if is_number => Cell::Number(text),
        Some(text) => Cell::Text(text),
    }
}

/// Numbers sort by value, padded; texts as they are.
fn sort_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => format!("{number:>40}"),
    }
}
