//! Whether a document is as its object was declared.

use std::collections::HashMap;

use super::standard::shown;
use super::{Detail, Field, Misfit, Object, PushId, Standard, Type};
use crate::diagnostic::did_you_mean;
use crate::path::{Path, Segment};
use crate::value::{Map, Value};

/// The last millisecond of the year 9999.
const LAST_MS: i64 = 253_402_300_799_999;
/// Characters of a value that a message shows.
const SHOWN: usize = 40;
/// Digits of a decimal: as many as a column of a database has.
const DIGITS: usize = 65;

impl Object {
    /// Whether a document fits; the first thing that does not is told with its place.
    pub fn fits(&self, document: &Standard) -> Result<(), Misfit> {
        self.fits_hiding(document, &[])
    }

    /// The same; no value at one of these places is told.
    pub fn fits_hiding(&self, document: &Standard, hidden: &[Path]) -> Result<(), Misfit> {
        if document.object != self.name {
            let (own, given) = (&self.name, shown(&document.object));
            return Err(Misfit::new(
                format!("objAPIName 是 `{given}`,应为 `{own}`"),
                format!("objAPIName is `{given}` and must be `{own}`"),
            ));
        }
        let master = Around {
            place: "masterFieldVal",
            names: &["masterFieldVal"],
            hidden,
        };
        fields_fit(&self.fields, self.open, &document.master, master)?;
        for (name, lines) in &document.details {
            let Some(detail) = self.details.iter().find(|detail| detail.name == *name) else {
                let known: Vec<&str> = self.details.iter().map(|detail| detail.name.as_str()).collect();
                return Err(unknown("detailFieldVals", name, &known));
            };
            for (nth, line) in lines.iter().enumerate() {
                let place = format!("detailFieldVals.{name}[{nth}]");
                let around = Around {
                    place: &place,
                    names: &["detailFieldVals", name],
                    hidden,
                };
                fields_fit(&detail.fields, detail.open, line, around)?;
            }
            if let Some(id) = &detail.id {
                let is_hidden = Around {
                    place: "",
                    names: &["detailFieldVals", name],
                    hidden,
                }
                .hides(id);
                each_has_its_own(detail, id, lines, is_hidden)?;
            }
        }
        let has_lines = |name: &str| {
            let mut details = document.details.iter();
            details.any(|(known, lines)| known == name && !lines.is_empty())
        };
        match self
            .details
            .iter()
            .find(|detail| detail.required && !has_lines(&detail.name))
        {
            None => Ok(()),
            Some(detail) => Err(Misfit::new(
                format!("`detailFieldVals.{}` 至少要有一行", detail.name),
                format!("`detailFieldVals.{}` needs at least one line", detail.name),
            )),
        }
    }

    /// Whether a push is about the document that it carries: its header `id` says so, and so does the body.
    pub fn is_pushed_as(&self, document: &Standard, id: &str) -> Result<(), Misfit> {
        self.is_pushed_as_hiding(document, id, &[])
    }

    /// The same; no value at one of these places is told.
    pub fn is_pushed_as_hiding(&self, document: &Standard, id: &str, hidden: &[Path]) -> Result<(), Misfit> {
        let own = match self.push_id {
            PushId::Same => self.id_of(document),
            PushId::Any => None,
        };
        let Some(own) = own.filter(|own| own != id) else {
            return Ok(());
        };
        let master = Around {
            place: "masterFieldVal",
            names: &["masterFieldVal"],
            hidden,
        };
        let mut fields = self.fields.iter();
        let is_sensitive = fields.any(|field| field.name == self.id && field.sensitive);
        let [id, own] = match is_sensitive || master.hides(&self.id) {
            true => ["***".to_owned(), "***".to_owned()],
            false => [shown(id), shown(&own)],
        };
        let field = &self.id;
        Err(Misfit::new(
            format!("请求头 id 是 `{id}`,而 `masterFieldVal.{field}` 是 `{own}`"),
            format!("the header id is `{id}`, but `masterFieldVal.{field}` is `{own}`"),
        ))
    }

    /// What a cancellation says that has a header `id` and nothing else; `None` where that is not the id of a document.
    pub fn cancelled(&self, id: &str) -> Option<Standard> {
        (self.push_id == PushId::Same).then(|| Standard {
            object: self.name.clone(),
            master: Map::from_iter([(self.id.clone(), Value::from(id))]),
            details: Vec::new(),
        })
    }

    /// The document as JSON would have said it: XML has no way to write a list of one, nor a list or a map of none.
    #[must_use]
    pub fn of_xml(&self, mut document: Standard) -> Standard {
        as_declared(&self.fields, &mut document.master);
        for (name, lines) in &mut document.details {
            let Some(detail) = self.details.iter().find(|detail| detail.name == *name) else {
                continue;
            };
            for line in lines {
                as_declared(&detail.fields, line);
            }
        }
        document
    }

    /// The same object for what says that one was cancelled: of what is required, only the id must be there.
    pub fn voided(&self) -> Object {
        let mut looser = self.clone();
        for field in &mut looser.fields {
            field.required = field.name == self.id;
        }
        for detail in &mut looser.details {
            detail.required = false;
            for field in &mut detail.fields {
                field.required = false;
            }
        }
        looser
    }

    /// Where the id stands in a row of the standard form.
    pub fn id_place(&self) -> Path {
        Path::names(["masterFieldVal", self.id.as_str()])
    }

    /// The id of a document that fits.
    pub fn id_of(&self, document: &Standard) -> Option<String> {
        let id = document.master.get(&self.id)?.to_plain_text()?;
        (!id.is_empty()).then_some(id)
    }
}

fn as_declared(fields: &[Field], given: &mut Map) {
    for field in fields {
        let Some(value) = given.get_mut(&field.name) else {
            continue;
        };
        let is_blank = value.as_text().is_some_and(|text| text.trim().is_empty());
        *value = match (&field.ty, std::mem::replace(value, Value::Null)) {
            (Type::List, _) if is_blank => Value::List(Vec::new()),
            (Type::List, one @ (Value::Text(_) | Value::Map(_))) => Value::List(vec![one]),
            (Type::Map, _) if is_blank => Value::Map(Map::new()),
            (_, as_it_is) => as_it_is,
        };
    }
}

/// Whether no two lines say the same id.
fn each_has_its_own(detail: &Detail, id: &str, lines: &[Map], is_hidden: bool) -> Result<(), Misfit> {
    let mut known = HashMap::<String, usize>::with_capacity(lines.len());
    for (nth, line) in lines.iter().enumerate() {
        let own = line.get(id).and_then(Value::to_plain_text);
        let Some(own) = own.filter(|own| !own.is_empty()) else {
            continue;
        };
        let Some(before) = known.insert(own.clone(), nth) else {
            continue;
        };
        let is_sensitive = detail
            .fields
            .iter()
            .any(|field| field.name == id && field.sensitive);
        let own = match is_hidden || is_sensitive {
            true => "***".to_owned(),
            false => shown(&own),
        };
        let name = &detail.name;
        return Err(Misfit::new(
            format!(
                "`detailFieldVals.{name}[{nth}].{id}` 的值 `{own}` 与第 [{before}] 行相同;{id} 标识一行,不能重复"
            ),
            format!(
                "the value `{own}` of `detailFieldVals.{name}[{nth}].{id}` is that of line [{before}], too; each line has its own {id}"
            ),
        ));
    }
    Ok(())
}

impl Field {
    /// Whether a value is one of this field of a master.
    pub fn fits(&self, value: &Value) -> Result<(), Misfit> {
        let master = Around {
            place: "masterFieldVal",
            names: &["masterFieldVal"],
            hidden: &[],
        };
        fits(self, value, master)
    }
}

/// Where fields stand.
#[derive(Clone, Copy)]
struct Around<'a> {
    /// As a message tells it.
    place: &'a str,
    names: &'a [&'a str],
    hidden: &'a [Path],
}

impl Around<'_> {
    /// Whether a hidden place is this field, around it or in it. Places in lists are those of every line.
    fn hides(&self, field: &str) -> bool {
        self.hidden.iter().any(|hidden| {
            let named = hidden.segments().iter().filter_map(|segment| match segment {
                Segment::Name(name) => Some(name.as_str()),
                Segment::Index(_) | Segment::All => None,
            });
            let own = self.names.iter().copied().chain([field]);
            named.zip(own).all(|(one, other)| one == other)
        })
    }
}

fn fields_fit(fields: &[Field], open: bool, given: &Map, around: Around<'_>) -> Result<(), Misfit> {
    let place = around.place;
    for (name, value) in given {
        match fields.iter().find(|field| field.name == *name) {
            Some(field) => fits(field, value, around)?,
            None if open => {}
            None => {
                let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
                return Err(unknown(place, name, &known));
            }
        }
    }
    let is_there = |field: &Field| given.get(&field.name).is_some_and(|value| !is_nothing(value));
    let missing = fields.iter().filter(|field| field.required && !is_there(field));
    let missing: Vec<String> = missing.map(|field| format!("`{place}.{}`", field.name)).collect();
    match missing.as_slice() {
        [] => Ok(()),
        [one] => Err(Misfit::new(
            format!("缺少必填字段 {one}"),
            format!("{one} is required and missing"),
        )),
        all => Err(Misfit::new(
            format!("缺少必填字段 {}", all.join("、")),
            format!("{} are required and missing", all.join(", ")),
        )),
    }
}

fn unknown(place: &str, name: &str, known: &[&str]) -> Misfit {
    let near = did_you_mean(name, known.iter().copied()).join(" ");
    let (zh, en) = match near.as_str() {
        "" => Default::default(),
        near => (format!(",是否想写 {near}?"), format!("; did you mean {near}?")),
    };
    let name = shown(name);
    Misfit::new(
        format!("没有声明 `{place}.{name}`{zh}"),
        format!("`{place}.{name}` is not declared{en}"),
    )
}

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Null) || matches!(value, Value::Text(text) if text.is_empty())
}

fn fits(field: &Field, value: &Value, around: Around<'_>) -> Result<(), Misfit> {
    if is_nothing(value) || is_of(&field.ty, value) {
        return Ok(());
    }
    let (name, place) = (&field.name, around.place);
    let (zh, en) = wanted(&field.ty);
    let given = match value.to_plain_text() {
        Some(_) if field.sensitive || around.hides(name) => "***".to_owned(),
        Some(text) => {
            let mut short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
            if text.chars().count() > SHOWN {
                short.push('…');
            }
            short
        }
        None => value.kind().name().to_owned(),
    };
    Err(Misfit::new(
        format!("`{place}.{name}` 的值 `{given}` 应为{zh}"),
        format!("the value `{given}` of `{place}.{name}` must be {en}"),
    ))
}

fn wanted(ty: &Type) -> (String, String) {
    let same = |zh: &str, en: &str| (zh.to_owned(), en.to_owned());
    match ty {
        Type::Text(None) => same("文本", "a text"),
        Type::Text(Some(most)) => (
            format!("最多 {most} 个字符的文本"),
            format!("a text of at most {most} characters"),
        ),
        Type::Int => same("整数", "a whole number"),
        Type::Decimal => same("数(不带指数)", "a number without exponent"),
        Type::Bool => same("true 或 false", "true or false"),
        Type::Date => same("日期,例如 2026-11-23", "a date such as 2026-11-23"),
        Type::Datetime => same(
            "时间,例如 2026-11-23 08:00:00",
            "a time such as 2026-11-23 08:00:00",
        ),
        Type::Ms => same("1970 年以来的毫秒数", "milliseconds since 1970"),
        Type::Choice(of) => (
            format!("以下之一:{}", of.join(" ")),
            format!("one of {}", of.join(" ")),
        ),
        Type::List => same("列表", "a list"),
        Type::Map => same("对象", "a map"),
    }
}

fn is_of(ty: &Type, value: &Value) -> bool {
    let text = match value {
        Value::Text(text) => Some(text.as_str()),
        Value::Number(number) => Some(number.as_str()),
        _ => None,
    };
    match (ty, value) {
        (Type::List, Value::List(_)) | (Type::Map, Value::Map(_)) | (Type::Bool, Value::Bool(_)) => true,
        (Type::Text(most), _) => {
            text.is_some_and(|text| most.is_none_or(|most| text.chars().count() <= most))
        }
        (Type::Int, _) => text.and_then(crate::keys::integer).is_some(),
        (Type::Decimal, _) => text.is_some_and(is_decimal),
        (Type::Bool, Value::Text(text)) => matches!(text.as_str(), "true" | "false"),
        (Type::Date, Value::Text(text)) => is_date(text),
        (Type::Datetime, Value::Text(text)) => is_datetime(text),
        (Type::Ms, _) => text
            .and_then(crate::keys::integer)
            .is_some_and(|ms| (0..=LAST_MS).contains(&ms)),
        (Type::Choice(of), _) => text.is_some_and(|text| of.iter().any(|one| one == text)),
        _ => false,
    }
}

/// Digits, with a sign and a point; neither an exponent nor blanks.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain(whole) && plain(part) && digits.len() <= DIGITS
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_datetime(text: &str) -> bool {
    let has_time = text.len() >= 19 && matches!(text.as_bytes()[10], b' ' | b'T');
    has_time && (text.parse::<jiff::Timestamp>().is_ok() || text.parse::<jiff::civil::DateTime>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::super::read_object;
    use super::*;
    use crate::diagnostic::{Lang, SourceFile};
    use crate::json;

    const ORDER: &str = "\
object: erpSalesOrderObj
name: {zh: 销售订单, en: Sales order}
id: number
fields:
  number: {type: text, required: true, max: 10, label: {zh: 订单编号, en: Number}}
  count: {type: int}
  amount: {type: decimal}
  paid: {type: bool}
  day: {type: date}
  at: {type: datetime}
  ms: {type: ms}
  status: {type: choice, of: [open, cancelled]}
  tags: {type: list}
  address: {type: map}
  phone: {type: text, max: 5, sensitive: true}
details:
  lines: {id: no, required: true, fields: {no: {type: text, required: true}, price: {type: decimal}}}
  notes: {open: true, fields: {text: {type: text}}}
";

    fn object() -> Object {
        let (object, problems) = read_object(&SourceFile::new("objects/a.yaml", ORDER));
        assert!(problems.is_empty(), "{problems:?}");
        object.expect("an object")
    }

    #[track_caller]
    fn told(body: &str) -> String {
        let value = json::parse(body.as_bytes()).expect("JSON");
        let checked = Standard::read(&value, false).and_then(|document| object().fits(&document));
        checked.map_or_else(|misfit| misfit.en, |()| "fits".to_owned())
    }

    fn master(more: &str) -> String {
        format!(
            r#"{{"objAPIName":"erpSalesOrderObj","masterFieldVal":{{"number":"1"{more}}},"detailFieldVals":{{"lines":[{{"no":"1"}}]}}}}"#
        )
    }

    #[test]
    fn the_example_fits() {
        let object = object();
        assert_eq!(object.fits(&object.example()), Ok(()));
        assert_eq!(object.whole_row(), None, "a list may hold anything");
    }

    #[test]
    fn types_have_exact_rules() {
        for (field, good, bad) in [
            (
                "count",
                &[r#"1"#, r#""-7""#, "null", r#""""#][..],
                &["1.0", r#""+1""#, r#""01""#, "true", "[]"][..],
            ),
            (
                "amount",
                &["1.50", r#""0.10""#, "-3", r#""007.5""#],
                &["1e3", r#"" 1""#, r#""1.""#, r#"".5""#, r#""1,5""#],
            ),
            ("paid", &["true", r#""false""#], &["1", r#""yes""#]),
            (
                "day",
                &[r#""2026-02-28""#],
                &[r#""2026-02-29""#, r#""20260228""#, "20260228"],
            ),
            (
                "at",
                &[r#""2026-11-23 08:00:00""#, r#""2026-11-23T08:00:00+08:00""#],
                &[r#""2026-11-23""#, r#""2026-11-23 25:00:00""#, "1764000000000"],
            ),
            (
                "ms",
                &["1764000000000", r#""1764000000000""#],
                &["-1", "1.5", "253402300800000"],
            ),
            ("status", &[r#""open""#], &[r#""Open""#, "true"]),
            ("tags", &["[]", "[1]"], &["{}", "1"]),
            ("address", &["{}"], &["[]", "1"]),
            ("phone", &[r#""12345""#, "12345"], &[r#""123456""#, "{}"]),
        ] {
            for value in good {
                assert_eq!(
                    told(&master(&format!(r#","{field}":{value}"#))),
                    "fits",
                    "{field} {value}"
                );
            }
            for value in bad {
                let said = told(&master(&format!(r#","{field}":{value}"#)));
                assert!(
                    said.contains(&format!("`masterFieldVal.{field}` must be")),
                    "{field} {value}: {said}"
                );
            }
        }
        let said = told(&master(r#","phone":"13800000000""#));
        assert!(said.contains("***") && !said.contains("138"), "{said}");
    }

    /// A scheme calls more places sensitive than the file of the object does.
    #[test]
    fn a_value_that_a_scheme_hides_is_not_told() {
        let body = |master: &str, line: &str| {
            format!(
                r#"{{"objAPIName":"erpSalesOrderObj","masterFieldVal":{{"number":"1"{master}}},"detailFieldVals":{{"lines":[{{"no":"1"{line}}}]}}}}"#
            )
        };
        let said = |body: &str, hidden: &[&str]| {
            let value = json::parse(body.as_bytes()).expect("JSON");
            let document = Standard::read(&value, false).expect("the form");
            let hidden: Vec<Path> = hidden
                .iter()
                .map(|one| Path::parse(one).expect("a path"))
                .collect();
            object()
                .fits_hiding(&document, &hidden)
                .expect_err("it does not fit")
        };
        let (count, price) = (body(r#","count":"1101x""#, ""), body("", r#","price":"1101x""#));
        for (body, hidden, is_told) in [
            (&count, &[][..], true),
            (&count, &["masterFieldVal.amount"], true),
            (&count, &["masterFieldVal.count"], false),
            (&count, &["masterFieldVal"], false),
            (&price, &["detailFieldVals.lines.*.no"], true),
            (&price, &["detailFieldVals.lines.*.price"], false),
            (&price, &["detailFieldVals.lines.price"], false),
            (&price, &["detailFieldVals.lines"], false),
        ] {
            let told = said(body, hidden);
            for text in [told.zh, told.en] {
                assert_eq!(text.contains("1101"), is_told, "{hidden:?}: {text}");
                assert_eq!(text.contains("***"), !is_told, "{hidden:?}: {text}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        let with = |object: &str, master: &str, details: &str| {
            format!(r#"{{"objAPIName":"{object}","masterFieldVal":{master},"detailFieldVals":{details}}}"#)
        };
        let one = r#"{"number":"1"}"#;
        for (body, want) in [
            (
                with("Other", one, "{}"),
                "objAPIName is `Other` and must be `erpSalesOrderObj`",
            ),
            (
                with("erpSalesOrderObj", r#"{"numbr":"1"}"#, "{}"),
                "`masterFieldVal.numbr` is not declared; did you mean number?",
            ),
            (
                with("erpSalesOrderObj", r#"{"number":""}"#, "{}"),
                "`masterFieldVal.number` is required and missing",
            ),
            (
                with("erpSalesOrderObj", one, "{}"),
                "`detailFieldVals.lines` needs at least one line",
            ),
            (
                with("erpSalesOrderObj", one, r#"{"line":[]}"#),
                "`detailFieldVals.line` is not declared; did you mean lines?",
            ),
            (
                with("erpSalesOrderObj", one, r#"{"lines":[{"no":"1"},{"price":1}]}"#),
                "`detailFieldVals.lines[1].no` is required and missing",
            ),
            (
                with(
                    "erpSalesOrderObj",
                    one,
                    r#"{"lines":[{"no":"1"}],"notes":[{"else":1}]}"#,
                ),
                "fits",
            ),
            ("[]".to_owned(), "the body is no map"),
            (
                r#"{"objAPIName":"a","masterFieldValue":{}}"#.to_owned(),
                "the key `masterFieldValue` is not known; did you mean masterFieldVal?",
            ),
            (r#"{"masterFieldVal":{}}"#.to_owned(), "objAPIName must be a text"),
            (r#"{"objAPIName":"a"}"#.to_owned(), "masterFieldVal must be a map"),
            (
                r#"{"objAPIName":"a","masterFieldVal":{},"detailFieldVals":{"x":{}}}"#.to_owned(),
                "detailFieldVals.x must be a list of maps",
            ),
        ] {
            assert_eq!(told(&body), want, "{body}");
        }
    }

    #[test]
    fn what_is_cancelled_needs_its_id_alone() {
        let voided = object().voided();
        let fits = |master: &str, details: &str| {
            let body = format!(
                r#"{{"objAPIName":"erpSalesOrderObj","masterFieldVal":{master},"detailFieldVals":{details}}}"#
            );
            let document = Standard::read(&json::parse(body.as_bytes()).expect("JSON"), false);
            voided.fits(&document.expect("a document")).is_ok()
        };
        assert!(fits(r#"{"number":"1"}"#, "{}"));
        assert!(fits(r#"{"number":"1"}"#, r#"{"lines":[{"price":1}]}"#));
        assert!(!fits("{}", "{}"));
        assert!(!fits(r#"{"number":"1","count":"x"}"#, "{}"), "types still hold");
    }

    #[test]
    fn a_push_is_about_what_it_carries() {
        let document = |number: &str| Standard {
            object: "erpSalesOrderObj".to_owned(),
            master: Map::from_iter([("number".to_owned(), json::parse(number.as_bytes()).expect("JSON"))]),
            details: Vec::new(),
        };
        let object = object();
        let any = Object {
            push_id: PushId::Any,
            ..object.clone()
        };
        for (number, header, is_same) in [
            (r#""7""#, "7", true),
            ("7", "7", true),
            (r#""07""#, "7", false),
            (r#""N-3""#, "N-77", false),
            // Said nowhere else: that it is required is another matter.
            ("null", "7", true),
            (r#""""#, "7", true),
        ] {
            let said = object.is_pushed_as(&document(number), header);
            assert_eq!(said.is_ok(), is_same, "{number} {header}: {said:?}");
            assert_eq!(any.is_pushed_as(&document(number), header), Ok(()));
        }
        let said = object
            .is_pushed_as(&document(r#""N-3""#), "N-77")
            .expect_err("another one");
        assert_eq!(
            said.en,
            "the header id is `N-77`, but `masterFieldVal.number` is `N-3`"
        );
        let hidden = [Path::parse("masterFieldVal.number").expect("a path")];
        let said = object
            .is_pushed_as_hiding(&document(r#""N-3""#), "N-77", &hidden)
            .expect_err("another one");
        assert!(!said.en.contains("N-") && !said.zh.contains("N-"), "{said:?}");
        let cancelled = object.cancelled("7").expect("the id of a document");
        assert_eq!(object.voided().fits(&cancelled), Ok(()));
        assert_eq!(object.id_of(&cancelled).as_deref(), Some("7"));
        assert_eq!(any.cancelled("7"), None, "whose it is nobody knows");
        let text = ORDER.replace("id: number", "id: number\npush_id: any");
        let (read, problems) = read_object(&SourceFile::new("objects/a.yaml", text.as_str()));
        assert_eq!(read.map(|one| one.push_id), Some(PushId::Any), "{problems:?}");
    }

    #[test]
    fn all_that_is_missing_is_told_at_once() {
        let mut object = object();
        for field in &mut object.fields {
            field.required = matches!(field.name.as_str(), "number" | "count" | "day");
        }
        let document = Standard {
            object: "erpSalesOrderObj".to_owned(),
            master: Map::from_iter([("count".to_owned(), Value::from(1))]),
            details: Vec::new(),
        };
        let said = object.fits(&document).expect_err("two are missing");
        assert_eq!(
            said.en,
            "`masterFieldVal.number`, `masterFieldVal.day` are required and missing"
        );
        assert_eq!(
            said.zh,
            "缺少必填字段 `masterFieldVal.number`、`masterFieldVal.day`"
        );
    }

    #[test]
    fn each_line_has_an_id_of_its_own() {
        let lines = |lines: &str| {
            format!(
                r#"{{"objAPIName":"erpSalesOrderObj","masterFieldVal":{{"number":"1"}},"detailFieldVals":{{"lines":{lines}}}}}"#
            )
        };
        assert_eq!(told(&lines(r#"[{"no":"1"},{"no":"2"}]"#)), "fits");
        assert_eq!(
            told(&lines(r#"[{"no":"1"},{"no":"2"},{"no":1}]"#)),
            "the value `1` of `detailFieldVals.lines[2].no` is that of line [0], too; each line has its own no"
        );
    }

    #[test]
    fn lists_and_maps_of_xml_are_as_declared() {
        let read = |tags: &str, address: &str| {
            let body = format!(
                r#"{{"objAPIName":"erpSalesOrderObj","masterFieldVal":{{"number":"1","tags":{tags},"address":{address}}},"detailFieldVals":{{"lines":{{"no":"1"}}}}}}"#
            );
            let value = json::parse(body.as_bytes()).expect("JSON");
            let document = object().of_xml(Standard::read(&value, true).expect("the form"));
            assert_eq!(object().fits(&document), Ok(()), "{body}");
            json::to_string(&Value::Map(document.master))
        };
        for (tags, address, want) in [
            (
                r#""a""#,
                r#"{"city":"x"}"#,
                r#"{"number":"1","tags":["a"],"address":{"city":"x"}}"#,
            ),
            (
                r#"["a","b"]"#,
                r#""""#,
                r#"{"number":"1","tags":["a","b"],"address":{}}"#,
            ),
            (r#"" ""#, "null", r#"{"number":"1","tags":[],"address":null}"#),
            (
                r#"{"a":"1"}"#,
                "null",
                r#"{"number":"1","tags":[{"a":"1"}],"address":null}"#,
            ),
        ] {
            assert_eq!(read(tags, address), want);
        }
    }

    #[test]
    fn one_line_of_xml_is_a_list() {
        let value = json::parse(
            br#"{"objAPIName":"a","masterFieldVal":{"n":"1"},"detailFieldVals":{"x":{"a":"1"},"y":"","z":[{"a":"1"},""]}}"#,
        )
        .expect("JSON");
        assert!(Standard::read(&value, false).is_err());
        let read = Standard::read(&value, true).expect("as XML");
        let counts: Vec<usize> = read.details.iter().map(|(_, lines)| lines.len()).collect();
        assert_eq!(counts, [1, 0, 2]);
        let again = Standard::read(&read.value(), false).expect("what is written is read");
        assert_eq!(again, read);
    }

    #[test]
    fn files_are_read_strictly() {
        let told = |text: &str| {
            let (object, problems) = read_object(&SourceFile::new("objects/a.yaml", text));
            assert_eq!(
                object.is_none(),
                problems.iter().any(|one| one.is_error()),
                "{text}"
            );
            let told = problems.iter().map(|one| {
                let (line, column) = one.position();
                format!("{}:{line}:{column} {}", one.entry.code, one.message(Lang::En))
            });
            told.collect::<Vec<_>>().join("; ")
        };
        assert_eq!(told(ORDER), "");
        for (old, new, want) in [
            (
                "id: number",
                "id: numbr",
                "E1601:3:5 `id` names the field `numbr`, which is not declared",
            ),
            (
                "required: true, max: 10, ",
                "",
                "E1602:3:5 the field `number` identifies one and must have `required: true`",
            ),
            (
                "{type: text, required: true, max: 10, ",
                "{type: decimal, required: true, ",
                "E1610:3:5 the field `number` identifies one and must be of the type text, int or ms",
            ),
            (
                "of: [open, cancelled]",
                "required: true",
                "E1603:12:3 the choice `status` has no texts to choose from",
            ),
            (
                "{type: int}",
                "{type: int, max: 3}",
                "E1604:6:22 `max` belongs to the type text",
            ),
            (
                "{type: int}",
                "{type: int, from: a..b}",
                "E1605:6:28 `a..b` is no path of a field",
            ),
            ("{type: int}", "{type: integer}", "E1102"),
            ("{type: int}", "{tpe: int}", "E1101"),
            ("object: erpSalesOrderObj", "object: erp-order", "E1102"),
        ] {
            assert!(ORDER.contains(old), "{old}");
            let said = told(&ORDER.replacen(old, new, 1));
            assert!(said.contains(want), "{new}: {said}");
        }
        let served = format!("{ORDER}serve: {{connection: crm}}\n");
        assert!(told(&served).contains("E1606:"), "{}", told(&served));
        for (mark, want) in [
            ("{field: status, value: cancelled}", ""),
            ("{field: paid, value: false}", ""),
            (
                "{field: staus, value: cancelled}",
                "E1601:19:15 `field` names the field `staus`",
            ),
            (
                "{field: status, value: canceled}",
                "E1612:19:30 the value of `void` is none of its field",
            ),
            ("{field: count, value: x}", "must be a whole number"),
            ("{field: status}", "E1103"),
        ] {
            let said = told(&format!("{ORDER}void: {mark}\n"));
            assert!(
                said.contains(want) && said.is_empty() == want.is_empty(),
                "{mark}: {said}"
            );
        }
    }
}
