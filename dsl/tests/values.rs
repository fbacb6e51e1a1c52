//! The value language: what each way of writing gives for a record.

mod common;
mod record;

use common::registry;
use dsl::diagnostic::SourceFile;
use dsl::facts::Action;
use dsl::lookup::Hits;
use dsl::path::Path;
use dsl::tree::{Compile, Trace, Tree, TreePlace, ValueSink, compile_tree, eval, lookup_keys};
use dsl::value::Value;
use record::{CUSTOMER, check, hits, outcome, row, tree};

#[test]
fn placeholders() {
    check("<<buyerNick>>", CUSTOMER, r#""张三""#);
    check("\"{{buyerNick}}\"", CUSTOMER, r#""张三""#);
    check("C-<<buyerCid>>", CUSTOMER, r#""C-00123""#);
    check("C-<<n>>/{{big}}", CUSTOMER, r#""C-1.50/1234567890123456789""#);
    check("<<address.city>>", CUSTOMER, r#""杭州""#);
    check("<<owner.0>>", CUSTOMER, "7");
    check("<<交货方式*>>", CUSTOMER, r#""快递""#);
    check(r"'<<a\.b>>'", CUSTOMER, r#""dot""#);
    check("<<$$price>>", CUSTOMER, "9");
    check("<<n>>", CUSTOMER, "1.50");
    check("<<big>>", CUSTOMER, "1234567890123456789");
    check("<<b>>", CUSTOMER, "true");
    check("<<address>>", CUSTOMER, r#"{"city":"杭州"}"#);
    check("<<nil>>", CUSTOMER, "null");
    check("C-<<nil>>", CUSTOMER, r#""C-""#);
    check("<<gone>>", CUSTOMER, "E2001");
    check("{a: {b: C-<<gone>>}}", CUSTOMER, "E2001 a.b");
    check("x<<tags>>", CUSTOMER, "E2008");
    check("<<$key>>", CUSTOMER, r#""K1""#);
    check("plain", CUSTOMER, r#""plain""#);
    check("00123", CUSTOMER, r#""00123""#);
    check("1.50", CUSTOMER, "1.50");
}

#[test]
fn filters() {
    check("<<created|date>>", CUSTOMER, r#""2023-11-15""#);
    check("<<created|dateTime>>", CUSTOMER, r#""2023-11-15 06:13:20""#);
    check("<<day|ms>>", CUSTOMER, "1700000000000");
    check("<<day | ms | text>>", CUSTOMER, r#""1700000000000""#);
    check("<<day|s>>", CUSTOMER, "1700000000");
    check("<<created|rfc3339>>", CUSTOMER, r#""2023-11-15T06:13:20+08:00""#);
    check("<<n|text>>", CUSTOMER, r#""1.50""#);
    check("<<buyerCid|number>>", CUSTOMER, "123");
    check("<<tags|json>>", CUSTOMER, r#""[\"a\",\"b\"]""#);
    check("<<e|date>>", CUSTOMER, r#""""#);
    check("<<buyerNick|date>>", CUSTOMER, "E2009");
    check("<<$now|ms>>", CUSTOMER, "1700000000100");
    check("<<CURRENT_TIME>>", CUSTOMER, "1700000000");
    check("<<created|dat>>", CUSTOMER, "E1207");
    check("<<$now>>", CUSTOMER, "E1208");
    check("at <<$now>>", CUSTOMER, "E1208");
}

#[test]
fn names_and_places() {
    check("<<$nwo|ms>>", CUSTOMER, "E1203");
    check("<<$window.start|ms>>", CUSTOMER, "E1205");
    check("<<LAST_SYNC_TIME>>", CUSTOMER, "E1205");
    check("<<$step.a.id>>", CUSTOMER, "E1205");
    check("<<$number>>", CUSTOMER, "E1205");
    check("<<$error.code>>", CUSTOMER, "E1217");
    check("<<$line.qty>>", CUSTOMER, "E1225");
    check("<<buyerNick", CUSTOMER, "E1201");
    check("'<<a..b>>'", CUSTOMER, "E1202");
    check("'<<>>'", CUSTOMER, "E1202");
    check("'{{{a}}}'", CUSTOMER, "E1202");
    check("_mongoQuery units findField=content.a where=x", CUSTOMER, "E1231");
    let source = tree("<<buyerNick>>", TreePlace::SOURCE).unwrap_err();
    assert_eq!(source[0].entry.code, "E1206");
    assert!(tree("<<LAST_SYNC_TIME>>000", TreePlace::SOURCE).is_ok());
}

#[test]
fn functions() {
    check(
        "_function CONCAT('客户:', {{buyerNick}}, <<buyerCid>>)",
        CUSTOMER,
        r#""客户:张三00123""#,
    );
    check("_function {{n}} * 2", CUSTOMER, "3.00");
    check("_function '{{buyerCid}}-<<n>>'", CUSTOMER, r#""00123-1.50""#);
    check("_function 1 = 1", CUSTOMER, "1");
    check("_function NULL", CUSTOMER, "(omitted)");
    check("_function ''", CUSTOMER, r#""""#);
    check("{a: _function 1/0, b: 1}", CUSTOMER, r#"{"b":1}"#);
    check("_function {{gone}} + 1", CUSTOMER, "E2050");
    check(
        "{$value: '_function {{gone}} + 1', $missing: omit}",
        CUSTOMER,
        "(omitted)",
    );
    check("{$value: _function 1/0, $empty: \"null\"}", CUSTOMER, "null");
    check("{$value: _function 1/0, $empty: keep}", CUSTOMER, "null");
    check("{$value: _function 1/0, $default: 7}", CUSTOMER, "7");
    check("_function REPLCE('a','b','c')", CUSTOMER, "E1301");
}

#[test]
fn manners() {
    check("{$value: <<gone>>, $missing: omit}", CUSTOMER, "(omitted)");
    check("{$value: <<gone>>, $missing: null}", CUSTOMER, "null");
    check("{$value: <<gone>>, $missing: empty}", CUSTOMER, r#""""#);
    check("{$value: <<gone>>, $default: <<n>>}", CUSTOMER, "1.50");
    check("{$value: <<e>>, $default: x}", CUSTOMER, r#""x""#);
    check("{$value: <<nil>>, $default: 0}", CUSTOMER, "0");
    check("{$value: <<e>>}", CUSTOMER, r#""""#);
    check("{$value: <<e>>, $empty: omit}", CUSTOMER, "(omitted)");
    check("{$value: <<e>>, $empty: null}", CUSTOMER, "null");
    check("{$value: <<gone>>, $empty: omit}", CUSTOMER, "(omitted)");
    check("{$value: <<gone>>, $empty: keep}", CUSTOMER, "E2001");
    check(
        "{$value: <<gone>>, $missing: fail, $empty: omit}",
        CUSTOMER,
        "E2001",
    );
    check(
        "{$value: <<nil>>, $empty: omit, $default: \"\"}",
        CUSTOMER,
        "(omitted)",
    );
    check("{a: {$value: <<e>>, $required: true}}", CUSTOMER, "E2103 a");
    check("{a: {$value: <<gone>>, $required: true}}", CUSTOMER, "E2103 a");
    check(
        "{$value: <<gone>>, $missing: empty, $required: true}",
        CUSTOMER,
        "E2103",
    );
    check("{$value: <<n>>, $type: text}", CUSTOMER, r#""1.50""#);
    check("{$value: <<buyerCid>>, $type: int}", CUSTOMER, "123");
    check("{$value: \"10.00\", $type: int}", CUSTOMER, "10");
    check("{$value: <<n>>, $type: int}", CUSTOMER, "E2003");
    check("{$value: <<n>>, $type: decimal}", CUSTOMER, "1.50");
    check("{$value: \"1\", $type: bool}", CUSTOMER, "true");
    check("{$value: <<b>>, $type: bool_text}", CUSTOMER, r#""true""#);
    check("{$value: <<created>>, $type: date}", CUSTOMER, r#""2023-11-15""#);
    check("{$value: <<day>>, $type: ms}", CUSTOMER, "1700000000000");
    check("{$value: <<tags>>, $type: list}", CUSTOMER, r#"["a","b"]"#);
    check("{$value: <<n>>, $type: list}", CUSTOMER, "E2003");
    check("{a: {$value: 1, $only: update}, b: 2}", CUSTOMER, r#"{"b":2}"#);
    assert_eq!(
        outcome("{$value: 1, $only: update}", CUSTOMER, Action::Update),
        "1"
    );
}

#[test]
fn makers() {
    check("{$map: <<owner.0>>, $table: sellers}", CUSTOMER, r#""S7""#);
    check("{$map: <<b>>, $to: {true: 启用}}", CUSTOMER, r#""启用""#);
    check("{$map: <<buyerCid>>, $to: {a: 1}}", CUSTOMER, "E2006");
    check("{$map: <<buyerCid>>, $to: {a: 1}, $default: 0}", CUSTOMER, "0");
    check(
        "{$map: <<buyerCid>>, $to: {a: 1}, $missing: omit}",
        CUSTOMER,
        "(omitted)",
    );
    check("{$join: tags}", CUSTOMER, r#""a,b""#);
    check("{$join: tags, $with: \"; \"}", CUSTOMER, r#""a; b""#);
    check("{$join: n}", CUSTOMER, "E2011");
    let nested = r#"{"o":[{"l":[{"s":"a"},{"s":"b"}]},{"l":[{"s":"c"}]}]}"#;
    check("<<o.*.l.*.s>>", nested, r#"["a","b","c"]"#);
    check("{$join: o.*.l.*.s}", nested, r#""a,b,c""#);
    check("{$each: o, $do: {$join: $line.l.*.s}}", nested, r#"["a,b","c"]"#);
    check("{$each: o, $do: <<$line.l.*.s>>}", nested, r#"[["a","b"],["c"]]"#);
    check(
        "{$merge: [{a: 1, b: {c: 2, d: 3}}, {a: $drop, b: {c: $drop}}]}",
        nested,
        r#"{"b":{"d":3}}"#,
    );
    check("{$split: x, $with: \"\"}", nested, "E1215");
    check("{$each: o.*.l, $do: 1}", nested, "E1215");
    check("{$split: \"a,b\"}", CUSTOMER, r#"["a","b"]"#);
    check("{$split: <<e>>}", CUSTOMER, "[]");
    check(
        "{$merge: [<<address>>, {city: 上海, zip: \"1\"}]}",
        CUSTOMER,
        r#"{"city":"上海","zip":"1"}"#,
    );
    check(
        "{$merge: [{a: {b: 1}}, {a: {c: 2}}]}",
        CUSTOMER,
        r#"{"a":{"b":1,"c":2}}"#,
    );
    check("{$merge: [<<n>>]}", CUSTOMER, "E2010");
    check("{x: {$merge: [{a: [<<gone>>]}]}}", CUSTOMER, "E2001 x.a.0");
    check("{$json: {a: <<n>>}}", CUSTOMER, r#""{\"a\":1.50}""#);
    check(
        "{$literal: \"<<a>> {{b}} _function\"}",
        CUSTOMER,
        r#""<<a>> {{b}} _function""#,
    );
    check("{$$price: 1}", CUSTOMER, r#"{"$price":1}"#);
    check("{$value: 1, b: 2}", CUSTOMER, "E1209");
    check("{$value: 1, $json: 2}", CUSTOMER, "E1210");
    check("{$default: 2}", CUSTOMER, "E1211");
    check("{$vlue: 2}", CUSTOMER, "E1212");
    check("{$lookup: units, $get: a}", CUSTOMER, "E1213");
    check("{$value: 1, $get: a}", CUSTOMER, "E1214");
    check("{$value: 1, $type: integer}", CUSTOMER, "E1215");
    check("{$value: 1, $on_error: fail}", CUSTOMER, "E1216");
    check("{$map: 1, $table: sellrs}", CUSTOMER, "E1218");
    check("{$map: 1}", CUSTOMER, "E1213");
}

#[test]
fn lines() {
    let order = r#"{"no":"S1","lines":[{"sku":"a","qty":1,"batches":[{"b":"x"},{"b":"y"}]},{"sku":"b","qty":2,"batches":[]}]}"#;
    check(
        "{$each: lines, $do: {s: <<$line.sku>>, n: <<no>>-<<$index>>}}",
        order,
        r#"[{"s":"a","n":"S1-1"},{"s":"b","n":"S1-2"}]"#,
    );
    check("{$each: lines, $do: <<lines.qty>>}", order, "[1,2]");
    check(
        "{$each: lines, $where: {field: $line.qty, gt: 1}, $do: <<$line.sku>>}",
        order,
        r#"["b"]"#,
    );
    check(
        "{$each: lines, $do: {$each: $line.batches, $do: <<lines.sku>><<$line.b>><<lines.batches.b>>}}",
        order,
        r#"[["axx","ayy"],[]]"#,
    );
    check(
        "{$each: lines, $do: {s: {$value: <<$line.gone>>, $missing: omit}}}",
        order,
        "[{},{}]",
    );
    check("{$each: lines, $do: <<$line.gone>>}", order, "E2001 0");
    check("{$each: gone, $do: 1}", order, "E2001");
    check(
        "{a: {$each: gone, $missing: omit, $do: 1}, b: 1}",
        order,
        r#"{"b":1}"#,
    );
    check("{$each: gone, $missing: empty, $do: 1}", order, "[]");
    check("{$each: no, $do: 1}", order, "E2011");
    check(
        "{$each: lines, $do: '_function {{lines.qty}} * 2'}",
        order,
        "[2,4]",
    );
    let reads: Vec<String> = tree("{$each: lines, $do: <<$line.sku>>-<<no>>}", TreePlace::TARGET)
        .unwrap()
        .reads()
        .iter()
        .map(Path::to_string)
        .collect();
    assert_eq!(
        reads,
        ["lines.*.sku", "no"],
        "an unread field of a line makes no new version"
    );
}

#[test]
fn omission_climbs() {
    check(
        "{a: {b: {c: {$value: <<e>>, $empty: omit}}}, d: 1}",
        CUSTOMER,
        r#"{"d":1}"#,
    );
    check("{a: {b: {$value: <<e>>, $empty: omit}}}", CUSTOMER, "(omitted)");
    check("{a: {}, b: []}", CUSTOMER, r#"{"a":{},"b":[]}"#);
    check("[{a: {$value: <<e>>, $empty: omit}}, 1]", CUSTOMER, "[{},1]");
    check(
        "{a: 1, b: {$value: <<e>>, $empty: omit}, c: 2}",
        CUSTOMER,
        r#"{"a":1,"c":2}"#,
    );
}

#[test]
fn lookups() {
    let r = r#"{"u":"件","none":"无","new":"新","e":"","cid":1,"nil":null}"#;
    let by = |field: &str| format!("{{$lookup: units, $get: FNumber, $by: {{FName: <<{field}>>}}}}");
    check(&by("u"), r, r#""Pcs""#);
    check(&by("none"), r, "(waits)");
    check(&by("new"), r, "(waits)");
    check(&by("e"), r, "E2005");
    check(&by("gone"), r, "E2001");
    let with = |manners: &str| by("none").replace("}}", &format!("}}, {manners}}}"));
    check(&with("$missing: omit"), r, "(omitted)");
    check(&with("$missing: fail"), r, "E2005");
    check(&with("$missing: empty, $default: \"1000\""), r, r#""1000""#);
    check(
        "{$lookup: units, $get: FNumber, $by: {FName: 箱}, $pick: only}",
        r,
        "E2004",
    );
    check(
        "{$lookup: units, $get: next, $by: {FNumber: {$lookup: units, $get: FNumber, $by: {FName: <<u>>}}}}",
        r,
        r#""下一个""#,
    );
    check(
        "_findCollection find 唯一ID from huke-customers where cid=<<cid>>",
        r,
        r#""100""#,
    );
    check(
        "{a: _findCollection find 唯一ID from huke-customers where cid=<<u>>, b: 1}",
        r,
        r#"{"b":1}"#,
    );
    check(
        "{$value: '_findCollection find 唯一ID from huke-customers where cid=<<u>>', $empty: null}",
        r,
        "null",
    );
    check(
        "_function case _findCollection find 唯一ID from huke-customers where cid={{cid}} _endFind when '100' then 'A' else 'B' end",
        r,
        r#""A""#,
    );
    check(
        "_function case _findCollection find 唯一ID from huke-customers where cid={{u}} _endFind when true then 'A' else 'B' end",
        r,
        r#""B""#,
    );
    check(
        "_findCollection find 唯一ID from huke-custmers where cid=<<cid>>",
        r,
        "E1220",
    );
    check(
        "_findCollection find 唯一 from huke-customers where cid=<<cid>>",
        r,
        "E1221",
    );
    check(
        "_findCollection find unit_number from huke-customers where cid=x",
        r,
        "(omitted)",
    );
    check(
        "{$lookup: units, $get: $key, $by: {$target.id: <<cid>>}}",
        r,
        "(waits)",
    );
    check("{$lookup: units, $get: $kye, $by: {a: <<cid>>}}", r, "E1203");
}

#[test]
fn keys_are_collected_by_level() {
    let nested = "{a: {$lookup: units, $get: next, $by: {FNumber: {$lookup: units, $get: FNumber, $by: {FName: <<u>>}}}}, b: {$each: lines, $do: {$lookup: units, $get: FNumber, $by: {FName: <<$line.u>>}}}}";
    let tree = tree(nested, TreePlace::TARGET).unwrap();
    assert_eq!(tree.lookups().iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
    let record = row(
        r#"{"u":"件","lines":[{"u":"件"},{"u":"新"},{"u":""},{}]}"#,
        Action::Create,
    );
    let keys = |level: usize, hits: &Hits| -> Vec<Vec<String>> {
        lookup_keys(&tree, level, &record, hits)
            .unwrap()
            .into_iter()
            .map(|want| want.keys)
            .collect()
    };
    assert_eq!(keys(0, &Hits::new()).concat(), ["件", "件", "新"]);
    assert!(keys(0, &Hits::new()).contains(&vec!["新".to_owned()]));
    assert!(
        keys(1, &Hits::new()).is_empty(),
        "the level below is not known yet"
    );
    assert_eq!(
        keys(1, &hits()),
        Vec::<Vec<String>>::new(),
        "what is known is not asked again"
    );
}

#[test]
fn data_is_never_code() {
    for text in [
        "{{7*7}}",
        "<<x>>",
        "{% for a in b %}",
        "_function 1+1",
        "_findCollection find a from b where c=d",
        "_mongoQuery units findField=content.a where={}",
        "$drop",
        "$each",
        "' OR 1=1 --",
        "${env:X}",
        "{\"a\":1}",
        "\"}}",
        "a,b\nc\u{0}",
        "“引号”",
    ] {
        let map = |value: Value| Value::Map([("v".to_owned(), value)].into_iter().collect());
        let text_value = Value::from(text);
        let list = Value::List(vec![map(text_value.clone())]);
        let mut whole = map(text_value.clone());
        if let Value::Map(members) = &mut whole {
            members.insert("lines".to_owned(), list.clone());
            members.insert("list".to_owned(), Value::List(vec![text_value.clone()]));
        }
        let record = dsl::json::to_string(&whole);
        let want = dsl::json::to_string(&text_value);
        let same = [
            "<<v>>",
            "{$value: <<v>>, $type: text}",
            "{$value: <<gone>>, $default: <<v>>}",
            "_function CONCAT(<<v>>)",
            "_function '{{v}}'",
            "{$map: x, $to: {y: 1}, $default: <<v>>}",
            "{$template: \"<<v>>\"}",
            "{$template: \"{{ v }}\"}",
            "{$template: \"{% for x in list %}{{ x }}{% endfor %}\"}",
            "{$template: \"{% if v %}{{ <<v>>|default('-')|replace('¦', '') }}{% endif %}\"}",
            "{$join: list}",
        ];
        for template in same {
            check(template, &record, &want);
        }
        check(
            "{$merge: [{}, {a: <<v>>}]}",
            &record,
            &format!("{{\"a\":{want}}}"),
        );
        check("{$each: lines, $do: <<$line.v>>}", &record, &format!("[{want}]"));
        check("{$split: <<v>>, $with: \"¦\"}", &record, &format!("[{want}]"));
        let as_json = dsl::json::to_string(&Value::from(dsl::json::to_string(&map(text_value))));
        check("{$json: {v: <<v>>}}", &record, &as_json);
        // As a key of a look-up, and as an operand, it is a value and nothing else.
        for query in [
            "_findCollection find a from units where b=<<v>>",
            "'_mongoQuery units findField=content.a where={\"content.b\":\"<<v>>\"}'",
            "'_mongoQuery units findField=content.a where={\"content.b\":<<v>>}'",
            "'_mongoQuery units findField=content.a where={\"content.b\":{\"$regex\":\"^<<v>>$\"}}'",
        ] {
            let tree = tree(query, TreePlace::TARGET).expect("a query");
            let wants = lookup_keys(&tree, 0, &row(&record, Action::Create), &Hits::new()).expect("keys");
            assert_eq!(wants.len(), 1, "{query} {text}");
            let stored =
                |value: &str| dsl::json::parse(format!("{{\"b\":{value}}}").as_bytes()).expect("a row");
            match &wants[0].also {
                None => assert_eq!(wants[0].keys, [text], "{query}"),
                Some(also) => {
                    assert!(dsl::lookup::matches(also, &stored(&want)), "{query} {text}");
                    assert!(
                        !dsl::lookup::matches(also, &stored("\"other\"")),
                        "{query} {text}"
                    );
                }
            }
        }
    }
}

#[test]
fn merging() {
    #[track_caller]
    fn merged(base: &str, over: &str, want: &str) {
        let tree = |text| tree(text, TreePlace::TARGET).unwrap();
        let merged = Tree::merge(&tree(base), &tree(over));
        let mut sink = ValueSink::new();
        eval(
            &merged,
            &row(CUSTOMER, Action::Create),
            &Hits::new(),
            &mut sink,
            None,
        )
        .unwrap();
        assert_eq!(
            dsl::json::to_string(&sink.finish().unwrap()),
            want,
            "{base} + {over}"
        );
    }
    merged(
        "{a: 1, b: {c: 2, d: 3}}",
        "{b: {d: 4, e: 5}, f: <<n>>}",
        r#"{"a":1,"b":{"c":2,"d":4,"e":5},"f":1.50}"#,
    );
    merged("{a: [1, 2]}", "{a: [3]}", r#"{"a":[3]}"#);
    merged("{a: 1, b: 2}", "{a: $drop}", r#"{"b":2}"#);
    merged("{a: 1}", "{b: {c: $drop, d: 1}}", r#"{"a":1,"b":{"d":1}}"#);
    merged("{a: {b: 1}}", "{a: x}", r#"{"a":"x"}"#);
    merged(
        "{a: {$value: <<n>>, $type: text}}",
        "{a: {b: 1}}",
        r#"{"a":{"b":1}}"#,
    );
    merged(
        "{a: {b: <<n>>}}",
        "{a: {c: <<b>>}}",
        r#"{"a":{"b":1.50,"c":true}}"#,
    );
}

#[test]
fn a_trace_explains_what_is_no_constant() {
    let tree = tree(
        "{FName: <<buyerNick>>, FOrg: {FNumber: \"100\"}, tel: {$value: <<e>>, $sensitive: true}}",
        TreePlace::TARGET,
    )
    .unwrap();
    assert_eq!(tree.sensitive(), [Path::names(["tel"])]);
    let mut trace = Trace::default();
    let mut sink = ValueSink::new();
    eval(
        &tree,
        &row(CUSTOMER, Action::Create),
        &Hits::new(),
        &mut sink,
        Some(&mut trace),
    )
    .unwrap();
    let entries: Vec<_> = trace
        .entries
        .iter()
        .map(|entry| (entry.field.as_str(), entry.source.as_str(), entry.sensitive))
        .collect();
    assert_eq!(
        entries,
        [
            ("FName", "<<buyerNick>>", false),
            ("tel", "{$value: <<e>>, $sensitive: true}", true)
        ]
    );
}

#[test]
fn secrets_stay_out_of_failures() {
    let tree = tree(
        "{tel: {$value: <<buyerNick>>, $type: int, $sensitive: true}}",
        TreePlace::TARGET,
    )
    .unwrap();
    let failure = eval(
        &tree,
        &row(CUSTOMER, Action::Create),
        &Hits::new(),
        &mut ValueSink::new(),
        None,
    )
    .unwrap_err();
    assert!(!failure.message(dsl::Lang::Zh).contains("张三"), "{failure:?}");
}

#[test]
fn a_failing_expression_shows_what_it_read() {
    let message = |value: &str, lang| {
        let tree = tree(&format!("\n  a: {value}"), TreePlace::TARGET).unwrap();
        let row = row(CUSTOMER, Action::Create);
        eval(&tree, &row, &Hits::new(), &mut ValueSink::new(), None)
            .unwrap_err()
            .message(lang)
    };
    let formula = "_function CAST(<<buyerCid>> AS DECIMAL(2,0)) + CONCAT(<<buyerNick>>)";
    assert_eq!(
        message(formula, dsl::Lang::En),
        "`00123` does not fit DECIMAL(2,0); it read buyerCid = '00123', buyerNick = '张三'"
    );
    assert!(message(formula, dsl::Lang::Zh).ends_with(";读到 buyerCid = '00123', buyerNick = '张三'"));
    let masked = format!("{{$value: \"{formula}\", $sensitive: true}}");
    let told = message(&masked, dsl::Lang::En);
    assert!(!told.contains("00123") && !told.contains("张三"), "{told}");
}

#[test]
fn what_is_made_of_a_secret_is_one() {
    let places = |template: &str| {
        let tree = tree(template, TreePlace::TARGET).unwrap();
        let found: Vec<String> = tree.sensitive().iter().map(ToString::to_string).collect();
        found.join(" ")
    };
    let secret = "{$value: <<buyerNick>>, $sensitive: true}";
    for (template, want) in [
        (format!("{{a: {{$json: {{card: {secret}}}}}}}"), "a"),
        (
            format!("{{a: {{b: {{$split: {secret}, $with: \",\"}}, c: 1}}}}"),
            "a.b",
        ),
        (format!("{{a: {{$map: {secret}, $to: {{x: y}}}}}}"), "a"),
        (format!("{{a: {{$value: <<e>>, $default: {secret}}}}}"), "a"),
        (format!("{{a: {{$merge: [{{b: {secret}}}, {{c: 1}}]}}}}"), "a.b"),
        (
            format!("{{a: {{$each: tags, $do: {{b: {secret}, c: <<n>>}}}}}}"),
            "a.*.b",
        ),
        (
            format!("{{a: {{$lookup: units, $get: FNumber, $by: {{FName: {secret}}}}}}}"),
            "a",
        ),
        ("{a: {$json: {card: <<buyerNick>>}}}".to_owned(), ""),
    ] {
        assert_eq!(places(&template), want, "{template}");
    }
}

#[test]
fn nothing_below_a_secret_is_told() {
    let told = |template: &str| {
        let tree = tree(template, TreePlace::TARGET).unwrap();
        let mut trace = Trace::default();
        let record = row(CUSTOMER, Action::Create);
        let result = eval(
            &tree,
            &record,
            &Hits::new(),
            &mut ValueSink::new(),
            Some(&mut trace),
        );
        let shown: Vec<&dsl::tree::TraceEntry> =
            trace.entries.iter().filter(|entry| !entry.sensitive).collect();
        let failure = result.err().map(|failure| failure.message(dsl::Lang::En));
        format!("{shown:?} {failure:?}")
    };
    let secret = "{$value: <<buyerNick>>, $sensitive: true}";
    for template in [
        format!("{{x: {{$json: {{card: {secret}}}}}}}"),
        format!("{{x: {{$merge: [{{card: {secret}}}]}}}}"),
        format!("{{x: {{$map: {secret}, $to: {{x: y}}}}}}"),
        "{x: {$each: tags, $do: {a: <<buyerNick>>}, $sensitive: true}}".to_owned(),
        "{x: {$each: tags, $do: {a: {$value: <<buyerNick>>, $type: int}}, $sensitive: true}}".to_owned(),
        "{x: {$value: {a: <<buyerNick>>}, $sensitive: true}}".to_owned(),
        "{x: {$value: {a: {$value: <<buyerNick>>, $type: int}}, $sensitive: true}}".to_owned(),
    ] {
        let told = told(&template);
        assert!(!told.contains("张三"), "{template}: {told}");
    }
    let after = "{x: {$each: tags, $do: {a: <<n>>}, $sensitive: true}, y: <<buyerNick>>}";
    assert!(
        told(after).contains("张三"),
        "what stands beside a secret is told"
    );
}

#[test]
fn a_look_up_does_not_reach_into_lists() {
    for (template, want) in [
        ("{$lookup: trades, $get: tid, $by: {orders.oid: x}}", "E1244"),
        (
            "{$lookup: trades, $get: tid, $by: {\"orders.*.oid\": x}}",
            "E1244",
        ),
        ("{$lookup: units, $get: tid, $by: {\"orders.*.oid\": x}}", "E1244"),
        ("{$lookup: trades, $get: orders.oid, $by: {tid: x}}", "E1244"),
        ("_findCollection find tid from trades where orders_oid=x", "E1244"),
        ("_findCollection find tid from trades where orders.oid=x", "E1244"),
        ("_findCollection find orders.oid from trades where tid=x", "E1244"),
        (
            "'_mongoQuery trades findField=content.orders.oid where={\"content.tid\":\"x\"}'",
            "E1244",
        ),
        (
            "_findCollection find address.city from trades where tid=x",
            "(omitted)",
        ),
    ] {
        check(template, CUSTOMER, want);
    }
    let message = |lang| {
        let template = "{$lookup: trades, $get: tid, $by: {orders.oid: x}}";
        tree(template, TreePlace::TARGET).unwrap_err()[0].message(lang)
    };
    assert_eq!(
        message(dsl::Lang::En),
        "`orders.oid` of trades lies in the list `orders`, where a look-up does not reach"
    );
}

/// Explaining a wrong expression takes far longer than reading a right one; thousands of them would take seconds.
#[test]
fn after_a_hundred_errors_values_are_not_looked_at() {
    let registry = registry();
    let compiled = |count: usize| {
        let text: String = (0..count)
            .map(|n| format!("F{n}: _function REPLCE(1)\n"))
            .collect();
        let file = SourceFile::new("value.yaml", text);
        let node = dsl::yaml::read(&file).expect("YAML");
        let mut cx = Compile::new(&file, &registry, TreePlace::TARGET);
        compile_tree(&node, &mut cx);
        cx.diags
    };
    assert!(compiled(100).iter().all(|problem| problem.entry.code == "E1301"));
    let many = compiled(500);
    assert_eq!((many.len(), many[100].entry.code), (101, "E1245"));
    assert_eq!(many[100].position(), (101, 7));
}
