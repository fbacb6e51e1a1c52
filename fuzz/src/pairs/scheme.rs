//! Schemes whose documents have everything a document may have.

use std::fmt::Write as _;

use dsl::json;
use dsl::value::Value;

use crate::Rng;

/// A scheme as YAML.
pub(super) fn scheme(rng: &mut Rng) -> String {
    let compat = if rng.one_in(6) { "compat: qeasy\n" } else { "" };
    let api = if rng.one_in(3) { "save_typed" } else { "save" };
    let mut text = format!(
        "scheme: made-up\n{compat}source: {{connection: shop, api: rows, window: none, key: tid}}\ntarget:\n  connection: erp\n  \
         api: {api}\n  on_unknown: hold\n  key: FBillNo\n"
    );
    text.push_str("  request:\n");
    let key = [
        "<<tid>>",
        "B-<<tid>>",
        "<<cid|text>>",
        "_function CONCAT('B', <<tid>>)",
        "<<name>>",
    ];
    writeln!(text, "    FBillNo: {}", quoted(key[rng.below(key.len())])).expect("a text takes everything");
    for at in 0..1 + rng.below(6) {
        let name = match rng.below(8) {
            0 => ["FNumber", "FQty", "FDate", "FFlag", "FTime"][at % 5].to_owned(),
            _ => format!("F{at}"),
        };
        let value = value(rng, &Cx { depth: 0, lines: 0 });
        writeln!(text, "    {name}: {value}").expect("a text takes everything");
    }
    text.push_str("schedule: {every: 6m}\ntests: []\n");
    text
}

#[derive(Clone, Copy)]
struct Cx {
    depth: usize,
    /// Lists that are walked around this place.
    lines: usize,
}

impl Cx {
    fn below(self) -> Cx {
        Cx {
            depth: self.depth + 1,
            ..self
        }
    }
}

fn quoted(text: &str) -> String {
    json::to_string(&Value::from(text))
}

/// A field of the row, or of the line.
fn field(rng: &mut Rng, cx: &Cx) -> String {
    if cx.lines > 0 && !rng.one_in(4) {
        let of_line = ["$line.qty", "$line.price", "$line.sku", "$line.x"];
        let most = if rng.one_in(10) { 4 } else { 3 };
        return of_line[rng.below(most)].to_owned();
    }
    let of_row = [
        "name",
        "qty",
        "price",
        "memo",
        "payTime",
        "cid",
        "编码",
        "tid",
        "flag",
        "none",
        "owner.id",
        "owner.名",
        "owner",
        "lines",
        "lines.0.sku",
        "$key",
        "$now|ms",
        "absent",
    ];
    let most = if rng.one_in(5) { of_row.len() } else { 9 };
    of_row[rng.below(most)].to_owned()
}

/// A placeholder, perhaps with filters.
fn place(rng: &mut Rng, cx: &Cx) -> String {
    let field = field(rng, cx);
    let filters = [
        "text", "trim", "upper", "lower", "number", "datetime", "date", "ms", "s", "json", "rfc3339",
    ];
    match rng.below(6) {
        0 => format!("<<{field}|{}>>", filters[rng.below(filters.len())]),
        1 => format!("<<{field}|text|{}>>", filters[rng.below(4)]),
        2 => format!("{{{{{field}}}}}"),
        _ => format!("<<{field}>>"),
    }
}

fn value(rng: &mut Rng, cx: &Cx) -> String {
    let most = if cx.depth > 2 { 12 } else { 18 };
    match rng.below(most) {
        0 => [
            "1",
            "1.50",
            "true",
            "null",
            "\"\"",
            "\"00123\"",
            "\"a\\\"b\\n\"",
            "\"张三\"",
            "{}",
            "[]",
        ][rng.below(10)]
        .to_owned(),
        1..=3 => quoted(&place(rng, cx)),
        4 => {
            let parts: Vec<String> = (0..1 + rng.below(3)).map(|_| place(rng, cx)).collect();
            quoted(&format!(
                "C-{}",
                parts.join(["/", "\"", "\n", "号"][rng.below(4)])
            ))
        }
        5..=8 => quoted(&format!("_function {}", expression(rng, cx, 0))),
        9 | 10 => manners(rng, cx),
        11 if cx.lines > 0 => "<<$index>>".to_owned(),
        11 => quoted(&place(rng, cx)),
        12 => {
            let members: Vec<String> = (0..rng.below(4))
                .map(|at| {
                    let name = if rng.one_in(5) {
                        "FNumber".to_owned()
                    } else {
                        format!("M{at}")
                    };
                    (name, value(rng, &cx.below()))
                })
                .map(|(name, value)| format!("{name}: {value}"))
                .enumerate()
                .filter(|(at, member)| *at == 0 || !member.starts_with("FNumber"))
                .map(|(_, member)| member)
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        13 => {
            let items: Vec<String> = (0..rng.below(3)).map(|_| value(rng, &cx.below())).collect();
            format!("[{}]", items.join(", "))
        }
        14..=16 => each(rng, cx),
        _ => maker(rng, cx),
    }
}

fn each(rng: &mut Rng, cx: &Cx) -> String {
    let list = match cx.lines {
        0 => "lines",
        _ => "$line.parts",
    };
    let inner = Cx {
        depth: cx.depth + 1,
        lines: cx.lines + 1,
    };
    let mut text = format!("{{$each: {list}, $do: {}", value(rng, &inner));
    if rng.one_in(3) {
        let missing = ["omit", "null", "empty"][rng.below(3)];
        write!(text, ", $missing: {missing}").expect("a text takes everything");
    }
    if rng.one_in(6) {
        text.push_str(", $where: {field: $line.qty, gt: 2}");
    }
    if rng.one_in(10) {
        text.push_str(", $only: create");
    }
    text.push('}');
    text
}

fn manners(rng: &mut Rng, cx: &Cx) -> String {
    let kind = rng.below(4);
    let is_function = kind == 1;
    let of = match kind {
        0 => format!(
            "$lookup: customers, $get: id, $by: {{cid: {}}}",
            quoted(&place(rng, cx))
        ),
        1 => format!(
            "$value: {}",
            quoted(&format!("_function {}", expression(rng, cx, 0)))
        ),
        2 => format!(
            "$value: {}",
            quoted(&format!("{}{}", place(rng, cx), place(rng, cx)))
        ),
        _ => format!("$value: {}", quoted(&place(rng, cx))),
    };
    let mut text = format!("{{{of}");
    let add = |text: &mut String, name: &str, words: &[&str], rng: &mut Rng| {
        write!(text, ", {name}: {}", words[rng.below(words.len())]).expect("a text takes everything");
    };
    for (name, often, words) in [
        (
            "$default",
            3,
            &["\"-\"", "0", "<<name>>", "<<absent>>", "\"\""][..],
        ),
        ("$missing", 3, &["omit", "null", "empty", "fail"][..]),
        ("$empty", 3, &["keep", "omit", "null"][..]),
        (
            "$type",
            4,
            &[
                "text",
                "number",
                "int",
                "decimal",
                "bool",
                "bool_text",
                "date",
                "datetime",
                "ms",
                "list",
            ][..],
        ),
        ("$required", 8, &["true"][..]),
        ("$only", 10, &["create", "update"][..]),
        (
            "$on_error",
            if is_function { 6 } else { usize::MAX },
            &["null", "literal"][..],
        ),
    ] {
        if rng.one_in(often) {
            add(&mut text, name, words, rng);
        }
    }
    text.push('}');
    text
}

fn maker(rng: &mut Rng, cx: &Cx) -> String {
    let place = quoted(&place(rng, cx));
    match rng.below(7) {
        0 => format!("{{$lookup: customers, $get: id, $by: {{cid: {place}}}}}"),
        1 => "\"_findCollection find id from customers where cid={{cid}} _endFind\"".to_owned(),
        2 => format!("{{$map: {place}, $to: {{\"1\": a, \"true\": 2, abc: null}}, $default: x}}"),
        3 => format!("{{$json: {{a: {place}, b: 1}}}}"),
        4 => format!("{{$split: {place}, $with: \",\"}}"),
        5 => "{$join: lines.*.sku, $with: \",\"}".to_owned(),
        _ => format!("{{$merge: [{{a: {place}}}, {{b: 1}}]}}"),
    }
}

/// An expression; all of its parts are in parentheses.
fn expression(rng: &mut Rng, cx: &Cx, depth: usize) -> String {
    let leaf = |rng: &mut Rng| match rng.below(9) {
        0 => [
            "0", "1", "2.50", "-3", "'abc'", "'1.50'", "NULL", "TRUE", "''", "'a\\nb'", "100.005",
        ][rng.below(11)]
        .to_owned(),
        1 => format!("'x{}y'", place_in_expression(rng, cx)),
        _ => place_in_expression(rng, cx),
    };
    if depth > 2 || rng.one_in(4) {
        return leaf(rng);
    }
    let part = |rng: &mut Rng| expression(rng, cx, depth + 1);
    match rng.below(26) {
        0..=5 => {
            let op = ["+", "-", "*", "+", "-", "*", "/", "%"][rng.below(8)];
            format!("({} {op} {})", part(rng), part(rng))
        }
        6 | 7 => {
            let op = ["=", "<>", "<", "<=", ">", ">=", "<=>"][rng.below(7)];
            format!("({} {op} {})", part(rng), part(rng))
        }
        8 => format!("({} {} {})", part(rng), ["AND", "OR"][rng.below(2)], part(rng)),
        9 => format!("(NOT {})", part(rng)),
        10 => format!("({} IS {}NULL)", part(rng), ["", "NOT "][rng.below(2)]),
        11 => format!(
            "({} {}IN ({}, {}))",
            part(rng),
            ["", "NOT "][rng.below(2)],
            part(rng),
            part(rng)
        ),
        12 | 13 => format!(
            "CASE {} WHEN {} THEN 'A' WHEN {} THEN {} ELSE 'B' END",
            part(rng),
            part(rng),
            leaf(rng),
            part(rng)
        ),
        14 => format!(
            "CASE WHEN {} THEN {} ELSE {} END",
            part(rng),
            leaf(rng),
            leaf(rng)
        ),
        15 => format!("CONCAT({}, '-', {})", part(rng), part(rng)),
        16 | 17 => format!("ROUND({}, {})", part(rng), ["2", "0", "4", "1"][rng.below(4)]),
        18 => format!(
            "REPLACE({}, {}, {})",
            part(rng),
            ["'\\n'", "'a'", "''", "'长'"][rng.below(4)],
            leaf(rng)
        ),
        19 => format!("IF({}, {}, {})", part(rng), leaf(rng), leaf(rng)),
        20 => format!("IFNULL({}, {})", part(rng), leaf(rng)),
        21 => format!("COALESCE({}, {}, {})", leaf(rng), part(rng), leaf(rng)),
        22 => format!("UPPER({})", part(rng)),
        23 => format!("LEFT({}, 2)", part(rng)),
        24 => format!("(-{})", part(rng)),
        _ => format!("FROM_UNIXTIME({} / 1000)", leaf(rng)),
    }
}

fn place_in_expression(rng: &mut Rng, cx: &Cx) -> String {
    let field = field(rng, cx);
    let field = field.split('|').next().unwrap_or_default();
    match rng.below(12) {
        0 => format!("{{{{{field}}}}}"),
        _ => format!("<<{field}>>"),
    }
}
