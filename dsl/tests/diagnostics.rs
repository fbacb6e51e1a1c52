//! What an author sees: every problem of a file at once, in its order, with the caret under the right character.

mod common;

use common::{CUSTOMERS, codes, compile, drawn};
use dsl::diagnostic::Lang;
use expect_test::{Expect, expect};

/// The main scheme with one text replaced by another.
#[track_caller]
fn with(from: &str, to: &str) -> String {
    assert!(CUSTOMERS.contains(from), "{from}");
    CUSTOMERS.replacen(from, to, 1)
}

#[track_caller]
fn check(from: &str, to: &str, want: &[&str]) {
    assert_eq!(
        codes(&with(from, to)),
        want,
        "{from} -> {to}\n{}",
        drawn(&with(from, to), Lang::En)
    );
}

fn shows(text: &str, lang: Lang, want: Expect) {
    want.assert_eq(&drawn(text, lang));
}

#[test]
fn the_main_scheme_is_clean() {
    assert_eq!(
        codes(CUSTOMERS),
        Vec::<String>::new(),
        "{}",
        drawn(CUSTOMERS, Lang::En)
    );
}

#[test]
fn keys() {
    check("label: buyerNick", "lable: buyerNick", &["E1101 14:3"]);
    check("scheme: huke-to-k3\n", "", &["E1103 1:1"]);
    check("scheme: huke-to-k3", "scheme: Huke", &["E1102 1:9"]);
    check(
        "name: {zh: 网易互客成交客户 → 金蝶云星空客户, en:",
        "name: {zh: 网易互客成交客户 → 金蝶云星空客户, eng:",
        &["E1103 2:8", "E1101 2:32"],
    );
    check("find: before_create", "find: first", &["E1102 25:9"]);
    check(
        "schedule: {every: 6m}",
        "schedule: {every: 6m, cron: '0 * * * *'}",
        &["E1104 27:12"],
    );
    check(
        "schedule: {every: 6m}",
        "schedule: {source: '0 * * * *'}",
        &["E1104 27:12"],
    );
    check("schedule: {every: 6m}", "schedule: {every: 6}", &["E1102 27:19"]);
    check(
        "schedule: {every: 6m}",
        "schedule: {cron: every minute}",
        &["E1102 27:18"],
    );
    check("schedule: {every: 6m}", "schedule: on_push", &["E1190 5:8"]);
    check("schedule: {every: 6m}", "schedule: on_pull", &["E1102 27:11"]);
    check(
        "schedule: {every: 6m}",
        "schedule: {every: 6m}\npriority: 10",
        &["E1102 28:11"],
    );
    check(
        "schedule: {every: 6m}",
        "schedule: {every: 6m}\nbrakes: {}",
        &["E1102 28:9"],
    );
    check(
        "schedule: {every: 6m}",
        "schedule: {every: 6m}\nbrakes: {max_records: 0, max_change: 1, max_first: 0, max: 3}",
        &["E1102 28:23", "E1102 28:38", "E1101 28:55"],
    );
    check(
        "schedule: {every: 6m}",
        "schedule: {every: 6m}\nretry: {times: 3}",
        &["E1101 28:9"],
    );
    check(
        "schedule: {every: 6m}",
        "schedule: {every: 6m}\nzone: Asia/Shanghia",
        &["E1133 28:7"],
    );
}

#[test]
fn names() {
    check("connection: huke", "connection: hukee", &["E1110 4:15"]);
    check("api: batchSave", "api: batchsave", &["E1111 17:8"]);
    check(
        "api: openapi/trade/searchTrades",
        "api: trade/searchTrade",
        &["E1111 5:8"],
    );
    check(
        "connection: k3\n  api: batchSave",
        "connection: huke\n  api: search_trades",
        &["E1112 17:8"],
    );
    check(
        "FormId: BD_Customer, ",
        "FormID: BD_Customer, ",
        &["E1114 18:3", "E1113 18:13"],
    );
    check(
        "IsAutoSubmitAndAudit: true",
        "IsAutoSubmitAndAudit: maybe",
        &["E1115 18:56"],
    );
    check("IsAutoSubmitAndAudit: true", "Operation: Save", &["E1115 18:45"]);
    check(
        "    FName: <<buyerNick>>",
        "    FName: <<buyerNick>>\n    FormId: x",
        &["E1116 21:5"],
    );
    check(
        "from dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756 where",
        "from dd359ae0 where",
        &["E1220 24:50"],
    );
    check("find 唯一ID from", "find 唯一Id from", &["E1221 24:40"]);
    check(": huke-customers}", ": huke-custmers}", &["E1151 26:49"]);
    check("lookups: {huke-customers:", "lookups: {units:", &["E1152 31:15"]);
}

#[test]
fn fields_and_keys() {
    check("FName: <<buyerNick>>", "FName: <<buyerNik>>", &["E1204 20:14"]);
    check(
        "FName: <<buyerNick>>",
        "FName: _function CONCAT('客户:', {{buyerNik}})",
        &["E1204 20:36"],
    );
    check("key: buyerCid", "key: buyerCId", &["E1204 13:8"]);
    check("key: buyerCid", "key: <<buyerCid>>", &["E1108 13:8"]);
    check("key: buyerCid", "key: 7", &["E1108 13:8"]);
    check("key: buyerCid", "key: [buyerCid, $row]", &["E1205 13:19"]);
    check("key: buyerCid", "key: tid\n  explode: orders", &["W1154 13:8"]);
    check("key: buyerCid", "key: [tid, orders.oid]\n  explode: orders", &[]);
    check(
        "key: buyerCid",
        "key: tid\n  derive: {a: <<b>>, b: <<tid>>}",
        &["E1204 14:17"],
    );
    check("  find: before_create", "  key: FNumbr", &["E1141 25:8"]);
    check("  find: before_create", "  fingerprint: [FName]", &[]);
    check("  find: before_create", "  fingerprint: [FNam]", &["E1155 25:17"]);
    check(
        "  find: before_create",
        "  fingerprint: [FCreateOrgId]",
        &["E1155 25:17"],
    );
    check(
        "  find: before_create",
        "  fingerprint: [FCreateOrgId.FNumber]",
        &[],
    );
    check("  find: before_create", "  key: \"{{FNumber}}\"", &["E1108 25:8"]);
    check("  find: before_create", "  batch: 51", &["E1123 25:10"]);
    check("  find: before_create", "  actions: [void]", &["E1117 25:13"]);
    check(
        "  find: before_create",
        "  let: {a: <<$let.b>>, b: 1}",
        &["E1224 25:14"],
    );
    check(
        "    FName: <<buyerNick>>",
        "    FName: <<buyerNick>>\n    L: {$each: orders, $do: {q: <<$line.qty>>}}",
        &["E1153 18:3"],
    );
    check(
        "    FName: <<buyerNick>>",
        "    FName: <<buyerNick>>\n    L: {$each: orders, $do: {q: <<$line.qyt>>}}",
        &["E1153 18:3", "E1204 21:35"],
    );
}

#[test]
fn keys_that_identify_nothing() {
    check("key: buyerCid", "key: \"100\"", &["E1204 13:8"]);
    check("key: buyerCid", "key: orders", &["E1109 13:8"]);
    check("key: buyerCid", "key: [tid, orders]", &["E1109 13:14"]);
    check("FNumber: <<buyerCid>>", "FNumber: \"100\"", &["E1142 21:14"]);
    check(
        "FNumber: <<buyerCid>>",
        "FNumber: {$value: 100}",
        &["E1142 21:14"],
    );
    check(
        "  find: before_create",
        "  key: FCreateOrgId.FNumber",
        &["E1142 22:29"],
    );
    check("  find: before_create", "  key: [FUseOrgId.FNumber, FName]", &[]);
    // One problem is not told twice.
    check(
        "FNumber: <<buyerCid>>",
        "FNumber: <<buyerCiid>>",
        &["E1204 21:16"],
    );
    let help = drawn(&with("key: buyerCid", "key: \"100\""), Lang::En);
    assert!(help.contains("a `key` names a field, not a value"), "{help}");
}

#[test]
fn an_unknown_function_hides_no_unknown_field() {
    check(
        "FName: <<buyerNick>>",
        "FName: _function REPLCE(<<buyerNik>>, 'x', '')",
        &["E1301 20:22", "E1204 20:29"],
    );
    let braces = with("FName: <<buyerNick>>", "FName: {{buyerNick}}")
        .replace("label: buyerNick", "lable: buyerNick")
        .replace("FNumber: <<buyerCid>>", "FNumber: <<buyerId>>");
    assert_eq!(codes(&braces), ["E1101 14:3", "E1033 20:12", "E1204 21:16"]);
}

#[test]
fn misspelt_members_of_a_source_request() {
    check("    timeRanges:", "    timeRange:", &["E1126 8:5"]);
    check("timeType:", "timeTyp:", &["E1126 9:7"]);
    check("pageSize:", "pagesize:", &["E1126 12:7"]);
    // Vendors have more parameters than a connector lists.
    check("timeType: \"1\"", "timeType: \"1\"\n      buyerLevel: \"3\"", &[]);
    check("timeType: \"1\"", "timeType: \"1\"\n      timeTypes: \"3\"", &[]);
}

#[test]
fn text_that_looks_computed() {
    for text in [
        "_functon NOW()",
        "_function",
        "<buyerNick>",
        "《《buyerNick》》",
        "客户＜＜buyerNick＞＞",
    ] {
        let warned = codes(&with("FName: <<buyerNick>>", &format!("FName: {text}")));
        assert!(
            matches!(warned.as_slice(), [one] if one.starts_with("W1229 20:")),
            "{text}: {warned:?}"
        );
    }
    check("FName: <<buyerNick>>", "FName: \"${env:SHOP}\"", &["W1230 20:13"]);
    check("FName: <<buyerNick>>", "FName: {$literal: <buyerNick>}", &[]);
    check("FName: <<buyerNick>>", "FName: <br>", &[]);
}

#[test]
fn words_that_name_the_right_thing() {
    let other = with("FormId: BD_Customer", "FormId: SAL_SaleOrder");
    assert_eq!(codes(&other), ["E1141 18:12"]);
    assert!(drawn(&other, Lang::En).contains("another FormId"));
    let cut = CUSTOMERS
        .lines()
        .filter(|line| !line.contains("Time: _function"))
        .collect::<Vec<_>>()
        .join("\n");
    let none = cut.replace("  key: buyerCid", "  window: none\n  key: buyerCid");
    assert!(drawn(&none, Lang::En).contains("the operation's own request uses `$window`"));
}

#[test]
fn windows_and_schedules() {
    const START: &str = "startTime: _function REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')";
    check(START, "startTime: \"1700000000000\"", &["E1121 10:18"]);
    check(START, "startTime: _function 1+1", &["E1121 10:18"]);
    check(START, "startTime: <<$window.start>>", &["E1208 10:20"]);
    check(START, "startTime: <<buyerCid>>", &["E1206 10:20"]);
    check("pageSize: \"20\"", "pageSize: 200", &["E1123 12:17"]);
    check("pageSize: \"20\"", "pageSize: many", &["E1124 12:17"]);
    check(
        "  key: buyerCid",
        "  page_size: 101\n  key: buyerCid",
        &["E1123 13:14"],
    );
    check(
        "  key: buyerCid",
        "  window: none\n  key: buyerCid",
        &["E1125 13:11"],
    );
    check(
        "  key: buyerCid",
        "  window: {first: soon}\n  key: buyerCid",
        &["E1102 13:19"],
    );
    check(
        "  key: buyerCid",
        "  fields: [a]\n  key: buyerCid",
        &["E1119 13:3"],
    );
    check("schedule: {every: 6m}", "schedule: {every: 5m}", &["E1130 27:19"]);
    check(
        "schedule: {every: 6m}",
        "schedule: {cron: '*/5 * * * *'}",
        &["E1130 27:18"],
    );
    check(
        "schedule: {every: 6m}",
        "schedule: {source: '*/6 * * * *', target: '*/2 * * * *'}",
        &[],
    );
    let rule = |rule: &str, codes: &[&str]| check("{every: 6m}", rule, codes);
    // Quartz is read as such, and said so; what no form has is refused where it stands.
    rule("{cron: '0 0/30 8-20 ? * 2-6'}", &["W1182 27:18"]);
    rule("{cron: '*/90 * * * *'}", &["E1182 27:19"]);
    rule("{cron: '0 2,25 * * *'}", &["E1182 27:23"]);
    rule("{cron: \"0 2 * * 1,8\"}", &["E1182 27:29"]);
    rule("{cron: '0 0 30 2 *'}", &["E1183 27:18"]);
    rule("{cron: '0 2 * * *', hours: '08:00-22:00'}", &["E1183 27:18"]);
    rule(
        "{cron: '0 2 * * *', hours: ['22:00-06:00', '12:00-13:00'], quiet: '01:00-01:30'}",
        &[],
    );
    rule(
        "{every: 1h, hours: '08:00-12:00', quiet: '07:00-13:00'}",
        &["E1185 27:52"],
    );
    rule("{every: 1h, hours: '08:00-08:00'}", &["E1102 27:30"]);
    // Minutes are counted, not guessed: 56 and 0 are four apart.
    rule("{cron: '*/7 * * * *'}", &["E1130 27:18"]);
    rule("{cron: '0/10 * * * * ?'}", &["W1182 27:18", "E1130 27:18"]);
    rule("{every: 1h, missed: skip}", &["E1184 27:31"]);
    rule("{every: 1h, missed: never}", &["E1102 27:31"]);
    rule("{every: 1h, jitter: 2m}", &[]);
    // After another scheme, alone or beside a rule; never in a circle.
    rule("{after: units}", &[]);
    rule("{every: 1h, after: huke-customers}", &[]);
    rule("{after: huke-custmers}", &["E1180 27:19"]);
    rule("{after: huke-to-k3}", &["E1181 27:19"]);
    rule("{hours: '08:00-12:00'}", &["E1104 27:12"]);
    let circle = "scheme: a\nsource: {connection: huke, api: list_archive, key: id, window: none}\ntarget: none\nschedule: {after: trades, missed: skip}\n";
    assert_eq!(codes(circle), ["E1181 4:19"]);
    assert!(drawn(circle, Lang::En).contains("a → trades → a"));
    let free = circle.replace("scheme: a", "scheme: b");
    let plan = compile(&free)
        .plan
        .expect("trades runs after a, and a after nobody");
    let schedule = plan.schedule.expect("it has one");
    assert_eq!(
        (schedule.after.as_deref(), schedule.when),
        (Some("trades"), dsl::plan::When::After)
    );
    assert_eq!((plan.priority, plan.brakes), (5, dsl::plan::Brakes::default()));
    let list = "scheme: a\nsource: {connection: huke, api: list_archive, key: id}\ntarget: none\nschedule: {every: 6m}\n";
    assert_eq!(codes(list), ["E1120 2:33"]);
    assert_eq!(
        codes(&list.replace("key: id", "key: id, window: none")),
        Vec::<String>::new()
    );
    assert_eq!(
        codes(&list.replace("key: id", "key: id, request: {from: <<$window.start|ms>>}")),
        Vec::<String>::new()
    );
    // A source that takes conditions which hold together.
    let a = "{field: a, eq: 1}";
    for (filter, want) in [
        (a.to_owned(), vec![]),
        (format!("{{all: [{a}, {{field: b, gte: 2}}]}}"), vec![]),
        (
            format!("{{any: [{a}, {{field: b, gt: 2}}]}}"),
            vec!["E1159 2:78", "E1159 2:78"],
        ),
        (format!("{{not: {a}}}"), vec!["E1159 2:78"]),
        ("{field: a, between: [1, 2]}".to_owned(), vec!["E1159 2:78"]),
        ("a = 1".to_owned(), vec!["E1119 2:70"]),
    ] {
        let text = list.replace("key: id", &format!("key: id, window: none, filter: {filter}"));
        assert_eq!(codes(&text), want, "{filter}");
    }
    let bills = list.replace(
        "huke, api: list_archive",
        "k3, api: bill_query, options: {FormId: X}, fields: [id]",
    );
    assert_eq!(codes(&bills), ["E1122 2:31"]);
    assert_eq!(
        codes(&bills.replace(
            "key: id",
            "key: id, filter: \"FDate>='{{LAST_SYNC_TIME|dateTime}}'\""
        )),
        Vec::<String>::new()
    );
    assert_eq!(
        codes(&bills.replace(", fields: [id]", ", window: none")),
        ["E1118 2:31"]
    );
    let push = "  connection: k3\n  api: push\n  request: {masterFieldVal: {no: <<tid>>}}\n";
    let scheme = |more: &str| {
        format!(
            "scheme: a\nsource: {{connection: huke, api: search_trades, key: tid}}\ntarget:\n{push}{more}schedule: {{every: 6m}}\n"
        )
    };
    assert_eq!(codes(&scheme("  on_unknown: hold\n")), ["E1140 6:3"]);
    for said in ["hold", "resend"] {
        let safe = format!("  key: no\n  on_unknown: {said}\n");
        assert_eq!(codes(&scheme(&safe)), Vec::<String>::new());
    }
    // A create whose lost answer nothing settles: the author must choose.
    assert_eq!(codes(&scheme("  key: no\n")), ["E1154 5:8"]);
    // Where an option names the document, sending it again settles it; without the option nothing does.
    let by_id = |more: &str| scheme(&format!("  key: no\n{more}")).replace("api: push", "api: push_by_id");
    for named in ["  options: {id: <<tid>>}\n", "  options: {id: \"7\"}\n"] {
        assert_eq!(codes(&by_id(named)), Vec::<String>::new());
    }
    for unnamed in ["", "  options: {id: \"\"}\n"] {
        assert_eq!(codes(&by_id(unnamed)), ["E1154 5:8"]);
        let said = by_id(&format!("{unnamed}  on_unknown: hold\n"));
        let target = common::plan(&said).target.unwrap();
        assert_eq!((target.proof, target.unnamed), (dsl::facts::Proof::None, true));
    }
    assert_eq!(
        codes(&scheme("  key: no\n  find: before_create\n  on_unknown: query\n")),
        ["E1143 8:9", "E1143 9:15"]
    );
    assert_eq!(
        codes(&scheme("  key: no\n  on_unknown: hold\n  fingerprint: [no]\n")),
        ["E1143 9:16"]
    );
}

#[test]
fn all_problems_at_once_in_the_order_of_the_file() {
    let text = with("label: buyerNick", "lable: buyerNick")
        .replace(
            "FName: <<buyerNick>>",
            "FName: _function REPLCE({{buyerNik}}, '公司', '')",
        )
        .replace(
            "FNumber: <<buyerCid>>",
            "FNumber: {$value: <<buyerCid>>, $typ: text}",
        )
        .replace("every: 6m", "every: 1m");
    assert_eq!(
        codes(&text),
        [
            "E1101 14:3",
            "E1301 20:22",
            "E1204 20:29",
            "E1212 21:37",
            "E1130 27:19"
        ]
    );
}

#[test]
fn drawn_in_chinese() {
    shows(
        &with("FName: <<buyerNick>>", "FName: \"客户:<<buyerNik>>\""),
        Lang::Zh,
        expect![[r#"
            error[E1204]: 源字段 “buyerNik” 不存在
              --> schemes/huke-to-k3.yaml:20:18
               |
            20 |     FName: "客户:<<buyerNik>>"
               |                    ^^^^^^^^
               |
               = 提示: 是否想写 `buyerNick`? 样例数据、字段列表与连接器声明中都没有这个字段
        "#]],
    );
    shows(
        &with("key: buyerCid", "key: <<buyerCid>>"),
        Lang::Zh,
        expect![[r#"
            error[E1108]: `key` 应为字段路径,不能是模板
              --> schemes/huke-to-k3.yaml:13:8
               |
            13 |   key: <<buyerCid>>
               |        ^^^^^^^^^^^^
               |
               = 提示: 直接写字段名,例如 `key: buyerCid`;多个字段写列表
        "#]],
    );
    shows(
        &with("schedule: {every: 6m}", "schedule: {every: 1m}"),
        Lang::Zh,
        expect![[r#"
            error[E1130]: 间隔 1m 小于连接器 netease-huke 允许的最短间隔 6m
              --> schemes/huke-to-k3.yaml:27:19
               |
            27 | schedule: {every: 1m}
               |                   ^^
               |
               = 提示: 原因:互客接口按 6 分钟轮询
        "#]],
    );
}

#[test]
fn drawn_in_english() {
    shows(
        &with(
            "FName: <<buyerNick>>",
            "FName: {$value: \"客户:<<buyerNick|dat>>\", $empty: skip}",
        ),
        Lang::En,
        expect![[r#"
            error[E1207]: there is no filter `dat`
              --> schemes/huke-to-k3.yaml:20:37
               |
            20 |     FName: {$value: "客户:<<buyerNick|dat>>", $empty: skip}
               |                                       ^^^
               |
               = help: did you mean `date`? there are date datetime ms s rfc3339 text number json trim upper lower

            error[E1215]: `$empty` must be one of keep omit null
              --> schemes/huke-to-k3.yaml:20:53
               |
            20 |     FName: {$value: "客户:<<buyerNick|dat>>", $empty: skip}
               |                                                       ^^^^
        "#]],
    );
    shows(
        &with(
            "startTime: _function REPLACE(unix_timestamp(current_timestamp(3))-72000,'.','')",
            "startTime: \"1700000000000\"",
        ),
        Lang::En,
        expect![[r#"
            error[E1121]: a bound of the window cannot be a constant
              --> schemes/huke-to-k3.yaml:10:18
               |
            10 |       startTime: "1700000000000"
               |                  ^^^^^^^^^^^^^^^
               |
               = help: leave it out and the engine fills it; or write an expression
        "#]],
    );
    shows(
        &with("api: batchSave", "api: batchsave"),
        Lang::En,
        expect![[r#"
            error[E1111]: the connector kingdee-k3cloud has no operation `batchsave`
              --> schemes/huke-to-k3.yaml:17:8
               |
            17 |   api: batchsave
               |        ^^^^^^^^^
               |
               = help: did you mean `BatchSave`, `batchSave`? operations are found by exactly their name, an alias or their path; there are batch_save batchSave BatchSave bill_query executeBillQuery push push_by_id submit Submit audit
        "#]],
    );
}

#[test]
fn every_entry_has_words_in_both_languages() {
    for entry in dsl::catalogue::scheme::ALL
        .iter()
        .chain(dsl::catalogue::value::ALL)
    {
        for text in [entry.zh, entry.en, entry.long_zh, entry.long_en] {
            assert!(!text.is_empty(), "{}", entry.code);
        }
    }
}

/// The key of a document of several rows, and its number, are made of its header.
#[test]
fn a_header_that_is_sensitive() {
    let text = with("label: buyerNick", "label: tid");
    let at = text.find("target:").expect("a target");
    let head = &text[..at];
    let scheme = format!(
        "{head}target:\n  connection: k3\n  api: batchSave\n  options: {{FormId: BD_Customer}}\n  actions: [create]\n  aggregate: {{header: [buyerNick], lines: rows, by: [tid], number: \"<<buyerNick>>-<<$part>>\"}}\n  request: {{FNumber: <<$number>>, FName: {{$value: <<buyerNick>>, $sensitive: true}}}}\nschedule: {{every: 6m}}\n"
    );
    let found = codes(&scheme);
    assert!(
        found.iter().any(|code| code.starts_with("E1776")),
        "{found:?}\n{}",
        drawn(&scheme, Lang::En)
    );
}
