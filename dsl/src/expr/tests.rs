//! Two toy functions are enough to test the language; the real ones have their own tests.

mod mistakes;
mod size;
mod warnings;

use std::borrow::Cow;

use expect_test::expect;

use super::*;
use crate::builtin::{Args, Builtin, Call, CallError, Param, Type, Typing, both};
use crate::value::Instant;

const WORDS: crate::builtin::Words = both("。", ".");

const JOIN: Builtin = Builtin {
    name: "CONCAT",
    aliases: &[],
    summary: WORDS,
    params: &[
        Param::required("text", Type::Text, WORDS),
        Param::rest("more", Type::Text, WORDS),
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[],
    constant: true,
    call: Call::Eager(join),
};

fn join(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let texts: Vec<Cow<'_, str>> = (0..args.len()).map(|index| args.text(index)).collect();
    args.room_for(texts.iter().map(|text| text.len()).sum())?;
    Ok(Sql::text(texts.concat()))
}

const IFNULL: Builtin = Builtin {
    name: "IFNULL",
    params: &[
        Param::required("a", Type::Any, WORDS),
        Param::required("b", Type::Any, WORDS),
    ],
    call: Call::Lazy(|args| match args.get_or_null(0)? {
        Sql::Null => args.get(1),
        value => Ok(value),
    }),
    ty: Typing::Merge(0),
    ..JOIN
};

const COUNT: Builtin = Builtin {
    name: "COUNT",
    params: &[Param::required("values", Type::List, WORDS)],
    call: Call::Aggregate(|values, _| Ok(Sql::int(i64::try_from(values.len()).unwrap_or(0)))),
    ..JOIN
};

const UPPER: Builtin = Builtin {
    name: "UPPER",
    params: &[Param::required("text", Type::Text, WORDS)],
    call: Call::Eager(|args| Ok(Sql::text(args.text(0).to_uppercase()))),
    ..JOIN
};

fn registry() -> Registry {
    Registry::new(&[&JOIN, &IFNULL, &COUNT, &UPPER])
}

struct Row {
    row: Value,
    found: Option<Value>,
    compat: bool,
    zone: TimeZone,
}

impl Row {
    fn new(json: &str) -> Row {
        let mut row = crate::json::parse(json.as_bytes()).unwrap();
        if let Value::Map(map) = &mut row {
            map.insert(
                "$now".into(),
                Value::Instant(Instant {
                    ms: 1_700_000_000_100,
                }),
            );
        }
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        Row {
            row,
            found: None,
            compat: false,
            zone,
        }
    }
}

impl Env for Row {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(&self.row).map(Cow::Borrowed)
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(&self.row, path)
    }

    fn lookup(&self, _index: usize) -> Option<Value> {
        self.found.clone()
    }

    fn now_ms(&self) -> i64 {
        1_700_000_000_100
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }

    fn compat_qeasy(&self) -> bool {
        self.compat
    }
}

fn result(text: &str, row: &Row) -> String {
    match compile(text, &registry(), &Bounds::default()) {
        Err(errors) => errors
            .iter()
            .map(|error| error.entry.code)
            .collect::<Vec<_>>()
            .join(" "),
        Ok(expr) => match expr.eval(row) {
            Ok(value) => crate::json::to_string(&value),
            Err(failure) => failure.code().to_owned(),
        },
    }
}

#[track_caller]
fn check(text: &str, row: &Row, want: &str) {
    assert_eq!(result(text, row), want, "{text}");
}

#[test]
fn placeholders() {
    let row = Row::new(
        r#"{"cid": "00123", "price": 12.50, "text_price": "12.50", "n": null, "yes": true, "empty": "", "s": 1700000000,
            "big": 1234567890123456789, "a": {"b c(必填项)": "x"}, "list": [1, 2], "0": "zero", "t": 1700000000100}"#,
    );
    let rows = [
        ("<<price>>", "12.50"),
        ("{{price}} * 2", "25.00"),
        ("<<text_price>> * 2", "25.00"),
        ("'{{text_price}}' * 2", "25"),
        ("CONCAT({{cid}})", r#""00123""#),
        ("{{cid}} + 0", "123"),
        ("<<cid>>", r#""00123""#),
        ("'C-<<cid>>/{{price}}'", r#""C-00123/12.50""#),
        ("'{{n}}-{{yes}}'", r#""-true""#),
        ("<<n>> IS NULL", "1"),
        ("<<yes>>", "1"),
        ("{{s}}000", "1700000000000"),
        ("{{s}}000*1", "1700000000000"),
        ("1{{s}}.5", "11700000000.5"),
        ("{{n}}000", "E2053"),
        ("{{cid}}x", "E1312"),
        ("<<a.b c(必填项)>>", r#""x""#),
        ("<<big>> = '1234567890123456788'", "0"),
        ("<<missing>>", "E2050"),
        ("'<<missing>>'", "E2050"),
        ("IFNULL(<<missing>> * 2, 7)", "7"),
        ("IFNULL('a<<missing>>', 7)", r#""7""#),
        ("<<missing>> <=> NULL", "1"),
        ("NULL <=> <<missing>>", "1"),
        ("<<missing>> IS NOT NULL", "0"),
        ("<<list>>", "E2051"),
        ("'<<list>>'", "E2051"),
        ("COUNT(<<list>>)", "2"),
        ("<<$now>>", r#""2023-11-15 06:13:20.100""#),
        ("'<<$now>>'", "E2052"),
        ("'<<$now|date>>'", r#""2023-11-15""#),
        ("<<t|datetime>>", r#""2023-11-15 06:13:20""#),
        ("<<cid|trim|upper>>", r#""00123""#),
        ("<<cid|dat>>", "E1317"),
        ("1<<<price>>", "1"),
        ("<<price>>>1", "1"),
        ("'\\{{price}} \\<<x'", r#""{{price}} <<x""#),
        ("'it''s' = \"it's\"", "1"),
        ("'a\\'b'", r#""a'b""#),
    ];
    for (text, want) in rows {
        check(text, &row, want);
    }
}

#[test]
fn a_missing_field_is_empty_text_in_compatible_schemes() {
    let row = Row {
        compat: true,
        ..Row::new("{}")
    };
    check("<<x>>", &row, r#""""#);
    check("'a<<x>>b'", &row, r#""ab""#);
    check("<<x>> * 2", &row, "0");
    check("IFNULL(<<x>>, 1)", &row, r#""""#);
}

#[test]
fn data_is_never_code() {
    let evil = r"{{7*7}} ' OR 1=1 -- <<x>> _function CONCAT(1) _findCollection";
    let mut row = Row::new("{}");
    if let Value::Map(map) = &mut row.row {
        map.insert("x".into(), Value::Text(evil.into()));
    }
    let literal = crate::json::to_string(&Value::Text(evil.into()));
    for text in [
        "<<x>>",
        "'<<x>>'",
        "CONCAT(<<x>>)",
        "CASE WHEN '<<x>>' = '' THEN 1 ELSE <<x>> END",
    ] {
        check(text, &row, &literal);
    }
    check("<<x>> * 2", &row, "0");
}

#[test]
fn operators() {
    let row = Row::new("{}");
    let rows = [
        ("1 + 2 * 3 - 4 / 2", "5.0000"),
        ("(1 + 2) * 3", "9"),
        ("-2 * -3", "6"),
        ("5*-1", "-5"),
        ("7 MOD 4 + 7 DIV 2 + 7 % 4", "9"),
        ("NOT 1 = 2", "1"),
        ("!1 = 0", "1"),
        ("NOT NULL", "null"),
        ("NULL AND 0", "0"),
        ("NULL OR 1", "1"),
        ("NULL AND 1", "null"),
        ("1 XOR 1 || 0 && 1", "0"),
        ("1 OR 0 AND 0", "1"),
        ("NULL = NULL", "null"),
        ("NULL <=> NULL", "1"),
        ("1 <> 2 and 1 != 2", "1"),
        ("1 in (2, 1, null)", "1"),
        ("3 in (2, null)", "null"),
        ("3 not in (1, 2)", "1"),
        ("'9' between '10' and '70'", "0"),
        ("'9' between 1 and '70'", "1"),
        ("5 not between 1 and 4 and 1", "1"),
        ("1 between 0 and 2 or 0", "1"),
        ("'ABC' like 'a%'", "1"),
        ("'abc' not like 'a_'", "1"),
        ("'a%c' like 'a\\%c'", "1"),
        ("'abc' like 'a\\%c'", "0"),
        ("'a%c' like 'a|%c' escape '|'", "1"),
        ("'order-12' regexp '^ORDER-[0-9]+$'", "1"),
        ("'x' not rlike '^[0-9]'", "1"),
        ("null regexp 'a'", "null"),
        ("1 is true and 0 is false and null is not true", "1"),
        ("1 = 1 is null", "0"),
        ("cast('12.9' as signed) + cast(12.9 as signed)", "25"),
        ("cast('12.340' as decimal(10,2))", "12.34"),
        ("cast(12345 as decimal(4,2))", "E2058"),
        ("cast(-1 as unsigned)", "E2058"),
        ("convert(1.50, char) + 0", "1.5"),
        ("convert('张三' using utf8mb4)", r#""张三""#),
        (
            "cast('2023-06-06 10:00:00' as date) + interval 1 month",
            r#""2023-07-06""#,
        ),
        (
            "interval 90 minute + '2023-06-06 10:00:00'",
            r#""2023-06-06 11:30:00""#,
        ),
        ("'2023-06-06' - interval 1 day", r#""2023-06-05""#),
        ("case 2 when 1 then 'a' when 2 then 'b' end", r#""b""#),
        ("case when 0 then 1 end", "null"),
        ("Case When 1 Then 2 Else 3 End", "2"),
        ("TRUE", "1"),
        ("1.50", "1.50"),
        (".5", "0.5"),
        ("1.5e3", "1500"),
        ("1e300 * 1e300", "E2054"),
    ];
    for (text, want) in rows {
        check(text, &row, want);
    }
}

#[test]
fn nested_lookups() {
    let text = "case _findCollection find F from s where no=<<no>> _endFind when true then 'A' else 'B' end";
    let expr = compile(text, &registry(), &Bounds::default()).unwrap();
    assert_eq!(expr.lookups().len(), 1);
    assert_eq!(&text[expr.lookups()[0].scheme_span.clone()], "s");
    let mut row = Row::new("{}");
    check(text, &row, r#""B""#);
    row.found = Some(Value::Bool(true));
    check(text, &row, r#""A""#);
}

#[test]
fn lines() {
    let row = Row::new(
        r#"{"rate": 2, "lines": [{"q": 1, "b": [{"n": 1}, {"n": 2}]}, {"b": []}, {"q": null, "b": [{"n": 3}]}, {"q": "4"}]}"#,
    );
    check("COUNT(<<lines.q>>)", &row, "2");
    check("COUNT(<<lines.*.q>> * <<rate>>)", &row, "2");
    check("COUNT(<<lines.b.n>>)", &row, "3");
    check("COUNT(<<nothing.q>>)", &row, "0");
    check("<<lines.*.q>> + 1", &row, "E1321");
    check("<<lines.q>> + 1", &row, "E2050");
}

#[test]
fn reads_and_warnings() {
    let text = "CONCAT(<<a>>, '{{b|date}}-<<a>>') = {{s}}000";
    let expr = compile(text, &registry(), &Bounds::default()).unwrap();
    let reads: Vec<(String, &str)> = expr
        .reads()
        .iter()
        .map(|(path, span)| (path.to_string(), &text[span.clone()]))
        .collect();
    let want = [
        ("a", "<<a>>"),
        ("b", "{{b|date}}"),
        ("a", "<<a>>"),
        ("s", "{{s}}"),
    ];
    assert_eq!(reads, want.map(|(path, written)| (path.to_owned(), written)));
    let warned = |text: &str| {
        compile(text, &registry(), &Bounds::default())
            .unwrap()
            .warnings()
            .len()
    };
    assert_eq!(warned("case when <<status>> <= '70' then 1 end"), 1);
    assert_eq!(
        warned("case when '<<status>>' <= '70' then <<status>> <= 70 end"),
        0
    );
}

#[test]
fn bounds_hold() {
    let row = Row::new("{}");
    let nested = |depth: usize| format!("{}1{}", "(".repeat(depth), ")".repeat(depth));
    check(&nested(64), &row, "1");
    check(&nested(65), &row, "E1314");
    check(&format!("{}1", "NOT ".repeat(64)), &row, "1");
    check(&format!("{}1", "NOT ".repeat(65)), &row, "E1314");
    check(&format!("{}1", "- ".repeat(65)), &row, "E1314");
    check(
        &format!("{}1{}", "case when 1 then ".repeat(65), " end".repeat(65)),
        &row,
        "E1314",
    );
    check(&format!("1{}", "+1".repeat(500)), &row, "501");
    check(&format!("1{}", "+1".repeat(501)), &row, "E1315");
    check(&format!("'{}'", "a".repeat(9 << 10)), &row, "E1313");
    check("", &row, "E1320");
    let mut large = Row::new("{}");
    if let Value::Map(map) = &mut large.row {
        map.insert("x".into(), Value::Text("a".repeat(600 << 10)));
        map.insert("p".into(), Value::Text(format!("%{}b", "a".repeat(3000))));
    }
    check("CONCAT(<<x>>, <<x>>)", &large, "E2055");
    check("'<<x>><<x>>'", &large, "E2055");
    check("<<x>> LIKE <<p>>", &large, "E2056");
}

/// The largest texts that pass the scan stay far below the parser's call limit.
#[test]
fn the_parser_limit_is_out_of_reach() {
    limit_parser_calls();
    let row = Row::new("{}");
    let deep = "(1+case when 1 then ".repeat(32) + "1" + &" end)".repeat(32);
    check(&deep, &row, "33");
    let list = format!("CONCAT({}1)", "'a',".repeat(2000));
    assert!(
        result(&list, &row).starts_with("\"aaa"),
        "{}",
        result(&list, &row)
    );
    let texts = format!("CONCAT({}1)", "'<<$now|date>>',".repeat(500));
    assert!(result(&texts, &row).starts_with("\"2023"));
}

#[test]
fn a_trace_shows_types_and_digits() {
    let row = Row::new(r#"{"cid": "00123", "price": 12.50}"#);
    let text = "IFNULL({{price}} / 4 + 1 - NULL, 'a{{cid}}') > 5";
    let expr = compile_for_trace(text, &registry(), &Bounds::default()).unwrap();
    let lines: Vec<String> = expr
        .trace(&row)
        .iter()
        .map(|step| {
            let value = step.value.as_ref().unwrap().to_text();
            let (indent, shown) = ("  ".repeat(step.depth), value.as_deref().unwrap_or("NULL"));
            format!("{indent}{} : {} = {shown}", step.text, step.ty)
        })
        .collect();
    expect![[r#"
              <<price>> : decimal(2) = 12.50
              <<price>> / 4 : decimal(6) = 3.125000
              <<price>> / 4 + 1 : decimal(6) = 4.125000
            <<price>> / 4 + 1 - NULL : double(6) = NULL
            'a<<cid>>' : text = a00123
          IFNULL(<<price>> / 4 + 1 - NULL, 'a<<cid>>') : text = a00123
        IFNULL(<<price>> / 4 + 1 - NULL, 'a<<cid>>') > 5 : int = 0"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn readings_name_what_was_there() {
    let row = Row::new(r#"{"cid": "00123", "price": 12.50}"#);
    let expr = compile(
        "<<price>> + <<missing>> + '<<cid>>' + <<price>>",
        &registry(),
        &Bounds::default(),
    )
    .unwrap();
    let readings = expr.readings(&row, 8, 4);
    let shown: Vec<(&str, Option<&str>)> = readings.iter().map(|(n, v)| (n.as_str(), v.as_deref())).collect();
    assert_eq!(
        shown,
        [
            ("price", Some("12.5…")),
            ("missing", None),
            ("cid", Some("'001…"))
        ]
    );
}
