//! The forms schemes come in, the two styles, parsers, schedules, and what is refused; and that no text of any kind makes
//! the importer panic or lose a leaf.

use std::sync::{Arc, LazyLock};

use connector::Connector;
use dsl::catalogue::imported as words;
use dsl::{Lang, SourceFile, Value, json};
use import::account::leaves;
use import::{Import, Input, Known, import};
use proptest::prelude::*;

static CONNECTORS: LazyLock<Vec<Arc<Connector>>> = LazyLock::new(|| {
    let registry = functions::registry();
    let load = |(id, text): &(&str, &str)| {
        let file = SourceFile::new(format!("{id}.yaml"), *text);
        Arc::new(connector::load(&file, &registry).expect("a connector of ours"))
    };
    // Those that the tests speak of, and the one for all others.
    let needed = ["http", "netease-huke", "kingdee-k3cloud", "jushuitan"];
    let all = connector::builtin().iter();
    all.filter(|(id, _)| needed.contains(id)).map(load).collect()
});

fn brought(text: &str) -> Import {
    brought_of(text.as_bytes())
}

fn brought_of(bytes: &[u8]) -> Import {
    let registry = functions::registry();
    let known = Known {
        connectors: &CONNECTORS,
        connections: None,
        env: "default",
        registry: &registry,
        around: None,
    };
    let input = Input {
        name: "exports/a scheme.json".to_owned(),
        bytes: bytes.to_vec(),
    };
    import(&[input], &known)
}

/// The file of the only scheme, and the codes of its report.
fn one(text: &str) -> (String, Vec<&'static str>) {
    let import = brought(text);
    assert!(import.report.refused.is_empty(), "{:?}", import.report.refused);
    assert_eq!(import.files.len(), 1, "{:?}", import.files);
    let codes = import.report.schemes[0]
        .notes
        .iter()
        .map(|note| note.failure.code())
        .collect();
    (import.files[0].1.clone(), codes)
}

#[track_caller]
fn refused(text: &str, code: &str) -> String {
    let import = brought(text);
    assert!(import.files.is_empty(), "{:?}", import.files);
    let (_, failure) = import.report.refused.first().expect("a refusal");
    assert_eq!(failure.code(), code, "{}", failure.message(Lang::En));
    failure.message(Lang::En)
}

const SOURCE: &str = r#"{"platform": "网易互客", "api": "openapi/trade/searchTrades", "type": "QUERY", "id": "tid", "request": [{"field": "source", "label": "来源", "value": "2"}]}"#;

/// A scheme whose target has these fields.
fn with_fields(fields: &str) -> String {
    format!(
        r#"{{"source": {SOURCE}, "target": {{"platform": "金蝶云星空", "api": "batchSave", "request": [{fields}],
        "otherRequest": [{{"field": "FormId", "value": "SAL_SaleOrder"}}]}}}}"#
    )
}

/// One field of a document, as it is written, without its label.
#[track_caller]
fn field(json: &str, want: &str) {
    let number = r#"{"field": "FBillNo", "value": "{{tid}}"}"#;
    let (text, _) = one(&with_fields(&format!("{number}, {json}")));
    let at = text.find("    FBillNo: <<tid>>\n").expect("the number") + "    FBillNo: <<tid>>\n".len();
    let end = text.find("  actions:").expect("what follows");
    let lines: Vec<&str> = text[at..end]
        .lines()
        .map(|line| line.strip_prefix("    ").unwrap_or(line))
        .collect();
    assert_eq!(lines.join("\n"), want, "{text}");
}

/// What is true of nearly every expression is one line of the report, with the code of each kind.
#[test]
fn what_pasted_values_would_change_is_told_once() {
    let lines = with_fields(
        r#"{"field": "FBillNo", "value": "{{tid}}"}, {"field": "FAmount", "value": "_function {{buyerCid}}/{{tid}}"},
        {"field": "FNote", "value": "_function '{{remark}}'"}, {"field": "FPlain", "value": "_function 1+1"},
        {"field": "FUnit", "value": "_findCollection find buyerCid from u1 where tid={{tid}}"}"#,
    );
    let import = brought(&format!(
        r#"{{"stored": {{"uuid": "u1", "source": {SOURCE}}}, "lines": {lines}}}"#
    ));
    let report = import
        .report
        .schemes
        .iter()
        .find(|one| one.scheme.ends_with("lines"));
    let notes = &report.expect("two schemes").notes;
    let told = |code: &str| {
        let found: Vec<String> = notes
            .iter()
            .filter(|note| note.failure.code() == code)
            .map(|note| note.failure.message(Lang::En))
            .collect();
        assert_eq!(found.len(), 1, "{code}: {found:?}");
        found[0].rsplit_once(": ").expect("names").1.to_owned()
    };
    assert_eq!(told("W1750"), "FAmount (W1312 W1314), FNote (W1315)");
    assert_eq!(told("W1751"), "FUnit");
}

/// A connector knows its zone; of any other system the old tool's is taken.
#[test]
fn times_stay_in_the_zone_of_the_old_tool() {
    let (known, _) = one(&with_fields(r#"{"field": "FBillNo", "value": "{{tid}}"}"#));
    assert!(!known.contains("zone:"), "{known}");
    let (other, _) = one(
        r#"{"source": {"platform": "自研系统", "api": "/rows", "id": "id", "request": [{"field": "a", "value": "1"}]}}"#,
    );
    assert!(other.contains("\nzone: Asia/Shanghai"), "{other}");
}

#[test]
fn parsers_are_expanded() {
    let parsed =
        |parser: &str| format!(r#"{{"field": "F", "value": "{{{{buyerCid}}}}", "parser": {parser}}}"#);
    field(
        &parsed(r#"{"name": "ConvertObjectParser", "params": "FNumber"}"#),
        "F:\n  FNumber: <<buyerCid>>",
    );
    field(
        &parsed(r#"{"name": "ConvertTwoStageObjectParser", "params1": "FDept", "params2": "FNumber"}"#),
        "F:\n  FDept:\n    FNumber: <<buyerCid>>",
    );
    field(
        &parsed(r#"{"name": "StringToArray", "params": ";"}"#),
        "F:\n  $split: <<buyerCid>>\n  $with: ;",
    );
    field(
        &parsed(r#"{"name": "ArrayToString", "params": ","}"#),
        "F:\n  $join: buyerCid\n  $with: \",\"",
    );
    field(
        &parsed(r#"{"name": "K3WiseHeiHuCustomParser", "params": "color"}"#),
        "F:\n  - keyName: color\n    keyValue: <<buyerCid>>",
    );
    field(
        r#"{"field": "F", "value": "a,b", "type": "array", "parser": {"name": "StringToArray", "params": ","}}"#,
        "F: [a, b]",
    );
    field(
        r#"{"field": "F", "type": "object", "parser": {"name": "ConvertJson"}, "children": [{"field": "a", "value": "1"}]}"#,
        "F:\n  - Key: a\n    Value: \"1\"",
    );
    let (text, codes) = one(&with_fields(&parsed(r#"{"name": "MyParser", "params": "x"}"#)));
    assert!(codes.contains(&words::UNKNOWN_PARSER.code), "{codes:?}");
    assert!(text.contains("# F:"), "{text}");
}

#[test]
fn types_and_values() {
    field(r#"{"field": "F", "type": "int", "value": "3"}"#, "F: 3");
    field(r#"{"field": "F", "type": "string", "value": "3"}"#, "F: \"3\"");
    field(r#"{"field": "F", "type": "bool", "value": "true"}"#, "F: true");
    field(
        r#"{"field": "F", "type": "float", "value": "{{buyerCid}}"}"#,
        "F:\n  $value: <<buyerCid>>\n  $type: decimal",
    );
    field(r#"{"field": "F", "value": ""}"#, "F: \"\"");
    field(r#"{"field": "F", "value": null}"#, "");
    field(
        r#"{"field": "F", "value": "{{buyerCid|dateTime}}"}"#,
        "F: <<buyerCid|datetime>>",
    );
    field(
        r#"{"field": "F", "value": "C-{{buyerCid}}: {{buyerNick}}"}"#,
        "F: \"C-<<buyerCid>>: <<buyerNick>>\"",
    );
    field(
        r#"{"field": "F", "value": "_function CONCAT('#', {{buyerCid}}, ' #')"}"#,
        "F: \"_function CONCAT('#', <<buyerCid>>, ' #')\"",
    );
    field(r#"{"field": "F(必填)", "value": "x"}"#, "\"F(必填)\": x");
    field(
        r#"{"field": "FA.FB", "value": "x"}, {"field": "FA.FC.FD", "value": "z"}"#,
        "FA:\n  FB: x\n  FC:\n    FD: z",
    );
    field(r#"{"field": "$each", "value": "x"}"#, "$$each: x");
    field(r#"{"field": "F", "value": "<<x>>"}"#, "F:\n  $literal: <<x>>");
}

#[test]
fn what_cannot_be_computed_is_left_in_a_comment() {
    let (text, codes) = one(&with_fields(
        r#"{"field": "FBillNo", "value": "{{tid}}"}, {"field": "F", "label": "单价", "value": "_function round({{{buyerCid}}/2,7)"}"#,
    ));
    assert!(codes.contains(&words::EXPRESSION.code), "{codes:?}");
    assert!(text.contains("    # F: "), "{text}");
    assert!(text.contains("round({{{buyerCid}}/2,7)"), "{text}");
    let (_, codes) = one(&with_fields(
        r#"{"field": "F", "value": "_function case _findCollection find a from b where c={{tid}} _endFind when true then '1' else '2' end"}"#,
    ));
    assert!(codes.contains(&words::FLIPS.code), "{codes:?}");
}

#[test]
fn schedules() {
    let with = |cron: &str| {
        let text = format!(r#"{{"source": {SOURCE}, "schedule": {{"source_crontab": "{cron}"}}}}"#);
        let (text, codes) = one(&text);
        let line = text
            .lines()
            .find(|line| line.starts_with("  cron:") || line.starts_with("  every:"));
        (line.expect("a schedule").trim().to_owned(), codes)
    };
    let check = |cron: &str, want: &str, code: Option<&str>| {
        let (line, codes) = with(cron);
        assert_eq!(line, want, "{cron}");
        let own = [
            words::CRON_FILLED.code,
            words::CRON_QUARTZ.code,
            words::BAD_CRON.code,
        ];
        let found = codes.into_iter().find(|code| own.contains(code));
        assert_eq!(found, code, "{cron}");
    };
    check("2-59/5 8-22 * * *", "cron: \"2-59/5 8-22 * * *\"", None);
    check("3 2", "cron: \"3 2 * * *\"", Some("W1733"));
    check("0 */2", "cron: \"0 */2 * * *\"", Some("W1733"));
    check("0 0 2 * * ?", "cron: \"0 2 * * *\"", Some("W1734"));
    // Quartz counts weekdays from 1 = Sunday.
    check("0 30 8 ? * 2", "cron: \"30 8 * * 1\"", Some("W1734"));
    check("soon", "every: 6m", Some("E1723"));
}

#[test]
fn a_forum_page_and_a_table() {
    let target = r#"{"platform": "金蝶云星空", "api": "batchSave", "request": [{"field": "FNumber", "value": "{{tid}}"}]}"#;
    let page = format!(
        "分享一个方案\n\n源平台元数据配置:\n```json\n{SOURCE}\n```\n目标平台元数据配置:\n{target}\n多谢 {{不是 JSON}}"
    );
    let (text, _) = one(&page);
    assert!(text.contains("  api: openapi/trade/searchTrades\n"), "{text}");
    assert!(text.contains("    FNumber: <<tid>>\n"), "{text}");
    // The other way round, the headings decide.
    let page = format!("目标平台\n{target}\n源平台\n{SOURCE}\n");
    let (text, _) = one(&page);
    assert!(text.contains("    FNumber: <<tid>>\n"), "{text}");
    let table = "# 源平台\n平台: 网易互客\napi: openapi/trade/searchTrades\nid: tid\n\n字段\t名称\t值\nsource\t来源\t2\n\n# 目标平台\n平台:金蝶云星空\napi: batchSave\n\n| 字段 | 名称 | 值 |\n|---|---|---|\n| FBillNo | 编码 | {{tid}} |\n| FDate | 日期 | {{createTime|date}} |\n| FSaleOrderEntry | 明细 | orders |\n|   FQty | 数量 | {{orders.quantity}} |\n";
    let (text, _) = one(table);
    for line in [
        "    source: \"2\"",
        "    FBillNo: <<tid>>",
        "    FDate: <<createTime|date>>",
        "      $each: orders",
        "        FQty: <<orders.quantity>>",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn the_two_styles_of_a_projection() {
    let query = |request: &str, other: &str| {
        format!(
            r#"{{"source": {{"platform": "金蝶云星空", "api": "executeBillQuery", "id": "FNumber", "request": [{request}], "otherRequest": [{other}]}}}}"#
        )
    };
    let new = query(
        r#"{"field": "FNumber", "value": "FNumber"}, {"field": "FStockOrgId_FNumber", "label": "库存组织", "value": "FStockOrgId.FNumber"}"#,
        r#"{"field": "FormId", "value": "BD_UNIT"}, {"field": "Limit", "value": "{{PAGINATION_PAGE_SIZE}}"},
           {"field": "FilterString", "value": "FModifyDate>='{{LAST_SYNC_TIME|dateTime}}' and FForbidStatus='A' and FModifyDate<='{{CURRENT_TIME|datetime}}'"}"#,
    );
    let (text, codes) = one(&new);
    for line in [
        "    FormId: BD_UNIT\n",
        "    FStockOrgId_FNumber: FStockOrgId.FNumber  # 库存组织\n",
        "  filter: FForbidStatus='A'\n",
        "  window: {field: FModifyDate}\n",
        "target: none",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!codes.contains(&words::STILL_REFUSED.code), "{codes:?}\n{text}");
    let old = query(
        r#"{"field": "FormId", "value": "BD_UNIT"}, {"field": "FieldKeys", "type": "array", "value": "FNumber,FName,FUseOrgId.FNumber", "parser": {"name": "ArrayToString", "params": ","}}, {"field": "FilterString", "value": ""}"#,
        "",
    );
    let (text, codes) = one(&old);
    assert!(
        text.contains("    FUseOrgId_FNumber: FUseOrgId.FNumber\n"),
        "{text}"
    );
    assert!(text.contains("  window: none"), "{text}");
    assert!(!codes.contains(&words::STILL_REFUSED.code), "{codes:?}\n{text}");
}

#[test]
fn keys_glued_together_become_lists() {
    let text = SOURCE.replace("\"id\": \"tid\"", "\"id\": \"{{tid}}-{{buyerCid}}\"");
    let (text, codes) = one(&format!("{{\"source\": {text}}}"));
    assert!(text.contains("  key: [tid, buyerCid]\n"), "{text}");
    assert!(!codes.contains(&words::STILL_REFUSED.code), "{codes:?}\n{text}");
}

#[test]
fn refusals_say_where() {
    let said = refused("{\"source\": {\n  \"api\": }\n}", "E1701");
    assert!(said.contains(":2:10"), "{said}");
    refused("nothing of interest", "E1700");
    refused("{\"a\": 1}", "E1700");
    let lost = r#"{"source": {"api": "x", "request": []}, "target": {"api": "batchSave", "request": [{"field": "FEntity", "type": "array", "value": "items", "children": [{"field": "FQty", "value": "items.qty"}]}]}}"#;
    let said = refused(lost, "E1702");
    assert!(said.contains("items.qty"), "{said}");
    refused(
        &with_fields(r#"{"field": "F", "value": "_function items.amount/items.qty"}"#),
        "E1702",
    );
    let many: Vec<String> = (0..import::MAX_FIELDS + 1)
        .map(|index| format!(r#"{{"field": "F{index}", "value": "1"}}"#))
        .collect();
    refused(&with_fields(&many.join(",")), "E1703");
    let deep = (0..import::MAX_DEPTH + 1).fold(String::new(), |inner, _| {
        format!(r#"{{"field": "F", "type": "object", "children": [{inner}]}}"#)
    });
    refused(&with_fields(&deep), "E1703");
}

#[test]
fn what_is_not_utf8_is_refused_with_its_place() {
    // 客户 in GBK, and in UTF-16 with its mark; then a byte that is neither.
    for (bytes, want) in [
        (
            b"{\"source\":\n {\"label\": \"\xbf\xcd\xbb\xa7\"}}".as_slice(),
            "exports/a scheme.json:2:13: not UTF-8, it looks like GBK",
        ),
        (
            b"\xff\xfe{\0}\0".as_slice(),
            "exports/a scheme.json:1:1: not UTF-8, it looks like UTF-16",
        ),
        (
            b"{\"a\xff\": 1}".as_slice(),
            "exports/a scheme.json:1:4: not UTF-8",
        ),
    ] {
        let import = brought_of(bytes);
        let (_, failure) = import.report.refused.first().expect("a refusal");
        assert_eq!(
            (failure.code(), failure.message(Lang::En).as_str()),
            ("E1705", want)
        );
    }
}

#[test]
fn unknown_keys_are_kept_and_told() {
    let (text, codes) = one(
        &with_fields(r#"{"field": "FBillNo", "value": "{{tid}}", "newKey": 7}"#).replacen(
            "{",
            r#"{"buildModel": {"a": [1, 12345678901234567890]}, "#,
            1,
        ),
    );
    assert!(codes.contains(&words::KEPT.code), "{codes:?}");
    assert!(text.contains("x-qeasy:"), "{text}");
    assert!(text.contains("buildModel"), "{text}");
    assert!(text.contains("newKey"), "{text}");
    assert!(!codes.contains(&words::STILL_REFUSED.code), "{codes:?}\n{text}");
}

#[test]
fn rows_are_taken_apart_derived_and_kept() {
    let source = SOURCE.replacen(
        '{',
        r#"{"beatFlat": ["orders"], "number": "tid", "idCheck": false,
            "formatResponse": [{"old": "createTime", "new": "createTime_new", "format": "date"}, {"old": "payment", "new": "payment_new", "format": "round(2)"},
                               {"old": "payment", "new": "amount_new", "format": "amount"}],
            "condition": [[{"field": "orders.quantity", "logic": "egt", "value": "1", "strictMode": true}, {"field": "orders.outerId", "logic": "notnull"}],
                          [{"field": "tid", "logic": "between", "value": "1,5"}]], "#,
        1,
    );
    let (text, codes) = one(&format!("{{\"source\": {source}}}"));
    for line in [
        "  explode: [orders]\n",
        "    createTime_new: <<createTime|date>>\n",
        "    payment_new: _function ROUND(<<payment>>, 2)\n",
        "{all: [{field: orders.quantity, gte: \"1\", on_line: drop_record}, {not: {field: orders.outerId, is: empty}}]}",
        "{field: tid, between: [\"1\", \"5\"]}",
        "  key: [tid, $row]\n",
        "  label: tid\n",
        "  on_seen: update",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(
        codes.contains(&words::NOT_MAPPED.code),
        "what `amount` means is not known: {codes:?}"
    );
}

#[test]
fn organisations_are_a_step_where_the_connector_has_one() {
    let with = |platform: &str, orgs: &str| {
        let target = format!(
            r#"{{"platform": "{platform}", "api": "batchSave", "distributionOrg": "{orgs}",
                "request": [{{"field": "FNumber", "value": "{{{{tid}}}}"}}, {{"field": "FName", "value": "{{{{buyerNick}}}}"}}, {{"field": "FCreateOrgId", "value": "100"}}], "otherRequest": [{{"field": "FormId", "value": "BD_Customer"}}]}}"#
        );
        one(&format!(r#"{{"source": {SOURCE}, "target": {target}}}"#))
    };
    let (text, codes) = with("金蝶云星空", "100016,100017");
    for line in [
        "  steps: [batchSave, allocate]",
        "TOrgIds: 100016,100017",
        "    FormId: BD_Customer",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(
        !text.contains("  api: batchSave") && !text.contains("x-qeasy"),
        "{text}"
    );
    assert!(!codes.contains(&words::NOT_MAPPED.code), "{codes:?}");
    assert!(!codes.contains(&words::STILL_REFUSED.code), "{codes:?}\n{text}");
    // What is no list of ids, and a system without such a step, are left to a person.
    for (platform, orgs) in [("金蝶云星空", "{{org}}"), ("不知道的系统", "100016")] {
        let (text, codes) = with(platform, orgs);
        assert!(text.contains("distributionOrg"), "{text}");
        assert!(codes.contains(&words::NOT_MAPPED.code), "{codes:?}");
    }
}

#[test]
fn slips_are_told() {
    let (text, codes) = one(&with_fields(
        r#"{"field": "FBillNo", "value": "{{tid}}"}, {"field": "F", "value": "function 1+1"}, {"field": "G", "value": "_function {{buyerCid}} || '-'"}"#,
    ));
    assert!(codes.contains(&words::TYPO.code), "{codes:?}\n{text}");
    assert!(codes.contains(&words::CHECK_WARNS.code), "{codes:?}\n{text}");
    assert!(text.contains("    F: function 1+1\n"), "{text}");
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z_.{}<>|' \"#:,*()/+0-9\u{4e00}-\u{4e05}-]{0,24}",
        Just("{{tid}}".to_owned()),
        Just("{{LAST_SYNC_TIME|datetime}}".to_owned()),
        Just("_function {{a}}/".to_owned()),
        Just("_findCollection find a from b where c={{d}}".to_owned()),
        any::<String>(),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let single = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any_text().prop_map(|text| Value::from(text.as_str())),
    ];
    const NAMES: [&str; 34] = [
        "source",
        "target",
        "request",
        "otherRequest",
        "response",
        "field",
        "label",
        "type",
        "value",
        "children",
        "parser",
        "name",
        "params",
        "api",
        "platform",
        "adapter",
        "id",
        "number",
        "idCheck",
        "beatFlat",
        "condition",
        "formatResponse",
        "omissionRemedy",
        "groupCalculate",
        "callBackStrategy",
        "crontab",
        "parent",
        "logic",
        "operation",
        "method",
        "takeOverRequest",
        "calculate",
        "strategyId",
        "x y",
    ];
    let name =
        prop_oneof![4 => proptest::sample::select(&NAMES[..]).prop_map(str::to_owned), 1 => any_text()];
    single.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|members| Value::Map(members.into_iter().collect())),
        ]
    })
}

fn any_field() -> impl Strategy<Value = Value> {
    let ty = prop_oneof![
        Just("string"),
        Just("int"),
        Just("array"),
        Just("object"),
        Just("bool"),
        Just("Float")
    ];
    let leaf = (
        "[A-Za-z(*]{1,6}|timeRanges|FormId|FieldKeys|page",
        ty,
        any_json(),
        any_json(),
    )
        .prop_map(|(name, ty, value, parser)| {
            let members = [
                ("field".to_owned(), Value::from(name.as_str())),
                ("type".to_owned(), Value::from(ty)),
                ("value".to_owned(), value),
                ("parser".to_owned(), parser),
            ];
            Value::Map(members.into_iter().collect())
        });
    leaf.prop_recursive(3, 20, 4, |inner| {
        (inner.clone(), prop::collection::vec(inner, 0..4)).prop_map(|(field, children)| {
            let Value::Map(mut map) = field else { return field };
            map.insert("children".to_owned(), Value::List(children));
            Value::Map(map)
        })
    })
}

fn accounted(text: &str) -> Result<(), TestCaseError> {
    let import = brought(text);
    let mut own = 0;
    for (scheme, (name, file)) in import.report.schemes.iter().zip(&import.files) {
        let total = scheme.total();
        prop_assert_eq!(total.carried + total.reported, total.total);
        prop_assert!(scheme.leaves.values().all(|leaf| leaf.fate.is_some()));
        for (path, code) in scheme.left() {
            let is_told = scheme.notes.iter().any(|note| note.failure.code() == code);
            prop_assert!(is_told, "{}: {} is told by nobody", path, code);
        }
        let read = dsl::yaml::read(&SourceFile::new(name.as_str(), file.as_str()));
        prop_assert!(
            read.is_ok(),
            "{:?}\n{}",
            read.map_err(|all| all.iter().map(|one| one.message(Lang::En)).collect::<Vec<_>>()),
            file
        );
        own += scheme.leaves.len();
    }
    if let (Ok(value), true) = (json::parse(text.as_bytes()), import.report.refused.is_empty()) {
        let mut all = 0;
        leaves(&value, "", &mut |_, _| all += 1);
        prop_assert_eq!(own, all);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn any_metadata_is_accounted_for(
        source in prop::collection::vec(any_field(), 0..5),
        target in prop::collection::vec(any_field(), 0..5),
        other in any_json(),
        api in prop_oneof![Just("batchSave"), Just("nothing"), Just("写入空操作")],
        more in prop::collection::vec(("beatFlat|condition|formatResponse|omissionRemedy|groupCalculate|callBackStrategy|response|id|number", any_json()), 0..4),
    ) {
        let map = |members: Vec<(&str, Value)>| -> dsl::Map {
            members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let mut source = map(vec![
            ("platform", Value::from("网易互客")),
            ("api", Value::from("openapi/trade/searchTrades")),
            ("request", Value::List(source)),
        ]);
        let mut target = map(vec![
            ("platform", Value::from("金蝶云星空")),
            ("api", Value::from(api)),
            ("request", Value::List(target)),
        ]);
        for (name, value) in more {
            source.entry(name.clone()).or_insert(value.clone());
            target.entry(name).or_insert(value);
        }
        let scheme = map(vec![("source", Value::Map(source)), ("target", Value::Map(target)), ("other", other)]);
        accounted(&json::to_string(&Value::Map(scheme)))?;
    }

    #[test]
    fn any_document_is_accounted_for(value in any_json()) {
        accounted(&json::to_string(&value))?;
    }

    #[test]
    fn any_text_is_read_or_refused(text in prop_oneof![any::<String>(), "[{}\\[\\]\":,|\t\n源平台目标a-z ]{0,200}"]) {
        accounted(&text)?;
    }
}
