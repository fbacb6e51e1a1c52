//! What a broken file is told: connectors and connections.

use std::collections::BTreeMap;

use connector::{NoSecrets, connections};
use dsl::SourceFile;
use dsl::diagnostic::{Diagnostic, Lang, render};
use expect_test::{Expect, expect};

use crate::common::{TWO, connect, connections_of, connectors, secrets, two_secrets};

fn problems_of_connections(yaml: &str) -> Vec<Diagnostic> {
    let file = SourceFile::new("connections.yaml", yaml);
    connections::load(&file, &connectors(), &functions::registry())
        .err()
        .unwrap_or_default()
}

#[track_caller]
fn check_connections(yaml: &str, zh: &Expect, en: &Expect) {
    let problems = problems_of_connections(yaml);
    zh.assert_eq(&render(&problems, Lang::Zh, false, 20));
    en.assert_eq(&render(&problems, Lang::En, false, 20));
}

#[test]
fn names_that_lead_elsewhere() {
    check_connections(
        r#"connections:
  "../k3":
    connector: netease-huke
  金蝶_2-a:
    connector: netease-huke
    private_network: true
    env: {prod: {private_network: false}, ../x: {}, nul: {}, "a b": {}}
"#,
        &expect![[r#"
            error[E1560]: `../k3` 不能作为连接的名称
             --> connections.yaml:2:3
              |
            2 |   "../k3":
              |   ^^^^^^^
              |
              = 提示: 名称由字母(可用中文)、数字、`_` 和 `-` 组成,最长 64 个字符

            error[E1562]: `../x` 不能作为环境的名称
             --> connections.yaml:7:43
              |
            7 |     env: {prod: {private_network: false}, ../x: {}, nul: {}, "a b": {}}
              |                                           ^^^^
              |
              = 提示: 名称由 ASCII 字母、数字、`_` 和 `-` 组成,最长 64 个字符

            error[E1562]: `nul` 不能作为环境的名称
             --> connections.yaml:7:53
              |
            7 |     env: {prod: {private_network: false}, ../x: {}, nul: {}, "a b": {}}
              |                                                     ^^^
              |
              = 提示: 名称由 ASCII 字母、数字、`_` 和 `-` 组成,最长 64 个字符

            error[E1562]: `a b` 不能作为环境的名称
             --> connections.yaml:7:62
              |
            7 |     env: {prod: {private_network: false}, ../x: {}, nul: {}, "a b": {}}
              |                                                              ^^^^^
              |
              = 提示: 名称由 ASCII 字母、数字、`_` 和 `-` 组成,最长 64 个字符
        "#]],
        &expect![[r#"
            error[E1560]: `../k3` cannot be the name of a connection
             --> connections.yaml:2:3
              |
            2 |   "../k3":
              |   ^^^^^^^
              |
              = help: a name has letters of any script, digits, `_` and `-`, and at most 64 characters

            error[E1562]: `../x` cannot be the name of an environment
             --> connections.yaml:7:43
              |
            7 |     env: {prod: {private_network: false}, ../x: {}, nul: {}, "a b": {}}
              |                                           ^^^^
              |
              = help: a name has ASCII letters, digits, `_` and `-`, and at most 64 characters

            error[E1562]: `nul` cannot be the name of an environment
             --> connections.yaml:7:53
              |
            7 |     env: {prod: {private_network: false}, ../x: {}, nul: {}, "a b": {}}
              |                                                     ^^^
              |
              = help: a name has ASCII letters, digits, `_` and `-`, and at most 64 characters

            error[E1562]: `a b` cannot be the name of an environment
             --> connections.yaml:7:62
              |
            7 |     env: {prod: {private_network: false}, ../x: {}, nul: {}, "a b": {}}
              |                                                              ^^^^^
              |
              = help: a name has ASCII letters, digits, `_` and `-`, and at most 64 characters
        "#]],
    );
}

#[test]
fn a_bad_connections_file() {
    check_connections(
        r#"connections:
  huke:
    connector: netease-hukee
  k3:
    connector: kingdee-k3cloud
    params:
      sever: "https://erp.example.com/k3cloud/"
      auth: login_by_sing
      app_secret: s3cret
      app_id: "${K3_APP}"
      lcid: zh
    quiet_period: soon
    limits: {rate: fast, hours: "06:00-23:30"}
    env:
      prod: {param: {acct: "1"}}
"#,
        &expect![[r#"
            error[E1550]: 没有名为 `netease-hukee` 的连接器
             --> connections.yaml:3:16
              |
            3 |     connector: netease-hukee
              |                ^^^^^^^^^^^^^
              |
              = 提示: 是否想写 `netease-huke`? 可用的连接器:dingtalk, feishu-bitable, files, fxiaoke, fxiaoke-erp, http, jushuitan, kingdee-k3cloud, landray-ekp, mabang, mysql, netease-huke, postgresql, sap-odata, sqlite, sqlserver, wangdiantong-enterprise, wangdiantong-qimen, wangdiantong-ultimate, weaver-ecology, wecom, xiaoman-okki, yonyou-u8, yonyou-yonbip

            error[E1551]: 连接器 `kingdee-k3cloud` 没有参数 `sever`
             --> connections.yaml:7:7
              |
            7 |       sever: "https://erp.example.com/k3cloud/"
              |       ^^^^^
              |
              = 提示: 是否想写 `server`?

            error[E1555]: 参数 `auth` 应为以下之一:sign login_by_sign login_by_app_secret validate_user,这里是 `login_by_sing`
             --> connections.yaml:8:13
              |
            8 |       auth: login_by_sing
              |             ^^^^^^^^^^^^^
              |
              = 提示: 是否想写 `login_by_sign`?

            error[E1552]: 参数 `app_secret` 是密钥,不能明文写在文件里
             --> connections.yaml:9:19
              |
            9 |       app_secret: ******
              |                   ^^^^^^
              |
              = 提示: 写成 `"${secret:名称}"` 或 `"${env:变量}"`

            error[E1553]: `${K3_APP}` 不是引用
              --> connections.yaml:10:15
               |
            10 |       app_id: "${K3_APP}"
               |               ^^^^^^^^^^^
               |
               = 提示: 写成 `${env:变量}` 或 `${secret:名称}`,名称由字母、数字、`_`、`-`、`.` 组成

            error[E1555]: 参数 `lcid` 应为整数,这里是 `zh`
              --> connections.yaml:11:13
               |
            11 |       lcid: zh
               |             ^^

            error[E1506]: `quiet_period` 应为时长,如 30s,这里是 `soon`
              --> connections.yaml:12:19
               |
            12 |     quiet_period: soon
               |                   ^^^^

            error[E1506]: `rate` 应为频率,如 60/min,这里是 `fast`
              --> connections.yaml:13:20
               |
            13 |     limits: {rate: fast, hours: "06:00-23:30"}
               |                    ^^^^

            error[E1500]: 连接的环境里没有 `param` 这个键
              --> connections.yaml:15:14
               |
            15 |       prod: {param: {acct: "1"}}
               |              ^^^^^
               |
               = 提示: 是否想写 `params`?
        "#]],
        &expect![[r#"
            error[E1550]: there is no connector `netease-hukee`
             --> connections.yaml:3:16
              |
            3 |     connector: netease-hukee
              |                ^^^^^^^^^^^^^
              |
              = help: did you mean `netease-huke`? connectors: dingtalk, feishu-bitable, files, fxiaoke, fxiaoke-erp, http, jushuitan, kingdee-k3cloud, landray-ekp, mabang, mysql, netease-huke, postgresql, sap-odata, sqlite, sqlserver, wangdiantong-enterprise, wangdiantong-qimen, wangdiantong-ultimate, weaver-ecology, wecom, xiaoman-okki, yonyou-u8, yonyou-yonbip

            error[E1551]: connector `kingdee-k3cloud` has no parameter `sever`
             --> connections.yaml:7:7
              |
            7 |       sever: "https://erp.example.com/k3cloud/"
              |       ^^^^^
              |
              = help: did you mean `server`?

            error[E1555]: parameter `auth` must be one of sign login_by_sign login_by_app_secret validate_user, not `login_by_sing`
             --> connections.yaml:8:13
              |
            8 |       auth: login_by_sing
              |             ^^^^^^^^^^^^^
              |
              = help: did you mean `login_by_sign`?

            error[E1552]: parameter `app_secret` is a secret and may not stand in the file in clear text
             --> connections.yaml:9:19
              |
            9 |       app_secret: ******
              |                   ^^^^^^
              |
              = help: write `"${secret:NAME}"` or `"${env:VARIABLE}"`

            error[E1553]: `${K3_APP}` is not a reference
              --> connections.yaml:10:15
               |
            10 |       app_id: "${K3_APP}"
               |               ^^^^^^^^^^^
               |
               = help: write `${env:VARIABLE}` or `${secret:NAME}`; a name has letters, digits, `_`, `-` and `.`

            error[E1555]: parameter `lcid` must be a whole number, not `zh`
              --> connections.yaml:11:13
               |
            11 |       lcid: zh
               |             ^^

            error[E1506]: `quiet_period` must be a duration such as 30s, not `soon`
              --> connections.yaml:12:19
               |
            12 |     quiet_period: soon
               |                   ^^^^

            error[E1506]: `rate` must be a rate such as 60/min, not `fast`
              --> connections.yaml:13:20
               |
            13 |     limits: {rate: fast, hours: "06:00-23:30"}
               |                    ^^^^

            error[E1500]: there is no key `param` in an environment of a connection
              --> connections.yaml:15:14
               |
            15 |       prod: {param: {acct: "1"}}
               |              ^^^^^
               |
               = help: did you mean `params`?
        "#]],
    );
}

#[test]
fn bad_addresses() {
    check_connections(
        r#"connections:
  a: {connector: kingdee-k3cloud, params: {server: "http://erp.example.com/k3cloud/"}}
  b: {connector: kingdee-k3cloud, params: {server: "http://169.254.169.254/"}}
  c: {connector: kingdee-k3cloud, params: {server: "erp.example.com"}}
  d: {connector: kingdee-k3cloud, env: {test: {params: {server: "http://erp-test.example.com/"}}}}
  fine1: {connector: kingdee-k3cloud, params: {server: "http://10.0.0.7:8080/k3cloud/"}}
  fine2: {connector: kingdee-k3cloud, allow_plain_http: true, params: {server: "http://erp.example.com/"}}
  fine3: {connector: kingdee-k3cloud, params: {server: "${env:SERVER}"}}
"#,
        &expect![[r#"
            error[E1557]: `erp.example.com` 使用明文 http
             --> connections.yaml:2:52
              |
            2 |   a: {connector: kingdee-k3cloud, params: {server: "http://erp.example.com/k3cloud/"}}
              |                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = 提示: 改用 https;确认网络可信时在连接上写 `allow_plain_http: true`

            error[E1559]: 地址 `169.254.169.254` 永远不允许调用
             --> connections.yaml:3:52
              |
            3 |   b: {connector: kingdee-k3cloud, params: {server: "http://169.254.169.254/"}}
              |                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^

            error[E1558]: 参数 `server` 不是可用的地址:要以 http:// 或 https:// 开头
             --> connections.yaml:4:52
              |
            4 |   c: {connector: kingdee-k3cloud, params: {server: "erp.example.com"}}
              |                                                    ^^^^^^^^^^^^^^^^^
              |
              = 提示: 写成 https://主机/路径/

            error[E1557]: `erp-test.example.com` 使用明文 http
             --> connections.yaml:5:65
              |
            5 |   d: {connector: kingdee-k3cloud, env: {test: {params: {server: "http://erp-test.example.com/"}}}}
              |                                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = 提示: 改用 https;确认网络可信时在连接上写 `allow_plain_http: true`
        "#]],
        &expect![[r#"
            error[E1557]: `erp.example.com` would be called by plain http
             --> connections.yaml:2:52
              |
            2 |   a: {connector: kingdee-k3cloud, params: {server: "http://erp.example.com/k3cloud/"}}
              |                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: use https; if the network can be trusted, write `allow_plain_http: true` on the connection

            error[E1559]: address `169.254.169.254` is never called
             --> connections.yaml:3:52
              |
            3 |   b: {connector: kingdee-k3cloud, params: {server: "http://169.254.169.254/"}}
              |                                                    ^^^^^^^^^^^^^^^^^^^^^^^^^

            error[E1558]: parameter `server` is not a usable address: it must begin with http:// or https://
             --> connections.yaml:4:52
              |
            4 |   c: {connector: kingdee-k3cloud, params: {server: "erp.example.com"}}
              |                                                    ^^^^^^^^^^^^^^^^^
              |
              = help: write https://host/path/

            error[E1557]: `erp-test.example.com` would be called by plain http
             --> connections.yaml:5:65
              |
            5 |   d: {connector: kingdee-k3cloud, env: {test: {params: {server: "http://erp-test.example.com/"}}}}
              |                                                                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
              |
              = help: use https; if the network can be trusted, write `allow_plain_http: true` on the connection
        "#]],
    );
}

#[test]
fn nothing_is_resolved_to_check() {
    let file = connections_of(TWO);
    assert!(file.check("k3", "default").is_empty());
    assert!(file.check("k3", "signed").is_empty());
    let facts = file.unresolved("k3", "default").unwrap().facts();
    assert!(facts.operation("batch_save").is_ok());
    assert_eq!(file.unresolved("k33", "default").unwrap_err().similar, ["k3"]);
}

#[test]
fn what_is_missing_is_named() {
    let file = connections_of(
        "connections:\n  k3:\n    connector: kingdee-k3cloud\n    params: {acct: \"1\", user: u, app_id: x}\n    env:\n      pw: {params: {auth: validate_user}}\n      box: {sandbox: true}\n",
    );
    let missing = |env: &str| -> Vec<String> {
        file.check("k3", env)
            .iter()
            .flat_map(|problem| problem.facts.iter().cloned())
            .filter(|(name, _)| *name == "name")
            .map(|(_, value)| value)
            .collect()
    };
    assert_eq!(missing("default"), ["server", "app_secret"]);
    assert_eq!(
        missing("pw"),
        ["server", "password"],
        "what this way of authentication does not use is not missed"
    );
    assert_eq!(missing("box"), [""; 0]);
    assert_eq!(
        file.resolve("k3", "prod", &NoSecrets).unwrap_err().code(),
        "E1554"
    );
    assert_eq!(
        file.resolve("k4", "prod", &NoSecrets).unwrap_err().code(),
        "E1561"
    );
}

#[test]
fn only_the_references_of_a_connection_are_needed() {
    let file = connections_of(TWO);
    let only_huke = secrets(&[("secret", "huke", "testsecret")]);
    assert!(file.resolve("huke", "default", &only_huke).is_ok());
    let failure = file.resolve("k3", "default", &only_huke).unwrap_err();
    assert_eq!(failure.code(), "E7003");
    assert_eq!(
        failure.message(Lang::En),
        "parameter `app_id` of connection `k3` refers to `${env:K3_APP}`, which is not there"
    );
}

#[test]
fn a_bad_value_of_a_reference_is_not_printed() {
    let file = connections_of(
        "connections:\n  k3: {connector: kingdee-k3cloud, params: {server: \"${secret:server}\", acct: a, user: u, app_id: x, app_secret: \"${secret:s}\"}}\n",
    );
    let failure = file
        .resolve(
            "k3",
            "default",
            &secrets(&[("secret", "server", "ftp://canary/"), ("secret", "s", "canary")]),
        )
        .unwrap_err();
    assert!(!format!("{failure:?} {}", failure.message(Lang::En)).contains("canary"));
    let plain = secrets(&[
        ("secret", "server", "http://erp.example.com/"),
        ("secret", "s", "canary"),
    ]);
    assert_eq!(file.resolve("k3", "default", &plain).unwrap_err().code(), "E1557");
}

#[test]
fn the_simulator_gets_nothing_of_the_file() {
    let file = connections_of(TWO);
    let given: BTreeMap<String, String> = [
        ("server", "http://127.0.0.1:7070/k3cloud/"),
        ("auth", "login_by_sign"),
        ("acct", "sandbox"),
        ("user", "robot"),
        ("app_id", "1_x"),
        ("app_secret", "made-up"),
    ]
    .iter()
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    let k3 = file.resolve_sandbox("k3", "default", &given).unwrap();
    assert!(k3.sandbox);
    assert_eq!(k3.origin(), "http://127.0.0.1:7070 acct=sandbox");
    assert_eq!(k3.hosts(), ["http://127.0.0.1:7070/k3cloud/"]);
    let failure = file
        .resolve_sandbox("k3", "default", &BTreeMap::new())
        .unwrap_err();
    assert_eq!(failure.code(), "E1554", "never a fall-through to the real server");
}

#[test]
fn an_environment_lies_over_the_base() {
    let yaml = "connections:\n  k3:\n    connector: kingdee-k3cloud\n    params: {server: \"https://a.example.com/\", acct: \"1\", user: u, app_id: x, app_secret: \"${secret:k3}\", org: \"100\"}\n    limits: {rate: 60/min}\n    env:\n      prod: {params: {acct: \"2\", org: $drop}, limits: {rate: [5/s, 100/min], concurrency: 2}, timeouts: {total: 30s}}\n";
    let file = connections_of(yaml);
    let base = file.resolve("k3", "default", &two_secrets()).unwrap();
    let prod = file.resolve("k3", "prod", &two_secrets()).unwrap();
    assert_eq!(
        (base.origin(), prod.origin()),
        (
            "https://a.example.com acct=1".into(),
            "https://a.example.com acct=2".into()
        )
    );
    assert_eq!((base.limits.rates.len(), prod.limits.rates.len()), (1, 2));
    assert_eq!(
        (base.limits.concurrency, prod.limits.concurrency),
        (Some(1), Some(2))
    );
    assert_eq!(
        (base.timeouts.total_ms, prod.timeouts.total_ms),
        (None, Some(30_000))
    );
    assert_eq!(base.timeouts.connect_ms, Some(10_000), "the connector's");
    // Without its own word a write is quiet for as long as the operation says.
    assert_eq!(base.quiet_ms("batch_save"), 300_000);
    assert_eq!(connect("k3", "default").quiet_ms("batch_save"), 500);
}

pub(crate) fn problems_of_connector(yaml: &str) -> Vec<Diagnostic> {
    let file = SourceFile::new("connector.yaml", yaml);
    match connector::load(&file, &functions::registry()) {
        Ok(_) => Vec::new(),
        Err(problems) => problems,
    }
}

#[test]
fn a_bad_connector_file() {
    let problems = problems_of_connector(
        r#"connector: Demo Ω
zone: Beijing
params:
  server: {type: url}
  key: {type: text, secret: true}
hosts: [<<$param.sever>>]
sign:
  let:
    s: req.body | sha265 | hex
    t: (kye ~ s) | md5 | hex
    u: "1 +"
  headers: {x-sign: <<$let.v>>, x-auth: <<$records>>}
code: $let.msg
outcome:
  - {class: ok}
  - {when: body.code == 0, class: okay}
  - {code: any, class: fault, until: tomorrow}
operations:
  list:
    kind: read
    path: https://evil.example.com/
    metod: GET
    page: {by: version, then: data.next}
    rows: {at: data.list}
  save:
    kind: write
    path: save
    aliases: [list]
    outcome: [{when: body.rows, class: rows}]
    writes: [create]
    unknown: {ask: lst, by: id, fields: {id: id}}
  push: {kind: receive, path: push, accept: {}}
  again: {extends: agian, kind: call, path: a b}
"#,
    );
    let shown: Vec<String> = problems
        .iter()
        .map(|problem| {
            let (line, column) = problem.position();
            let near = if problem.similar.is_empty() {
                String::new()
            } else {
                format!(" ({})", problem.similar.join(" "))
            };
            format!(
                "{line}:{column} {} {}{near}\n",
                problem.entry.code,
                problem.message(Lang::En)
            )
        })
        .collect();
    expect![[r#"
        1:12 E1518 `Demo Ω` cannot be an id
        2:7 E1519 there is no time zone `Beijing`
        6:9 E1508 `$param.sever` is not declared ($param.server)
        9:19 E1504 recipes have no filter or test `sha265` (sha256)
        10:9 E1503 there is no name `kye` in this recipe (key)
        11:8 E1502 this recipe is not an expression: unexpected end of input, expected expression
        12:21 E1508 `$let.v` is not declared
        12:43 E1205 `$records` cannot be used in what a signature adds to a call
        13:7 E1508 `$let.msg` is not declared
        15:5 E1511 a row of `outcome` has one of `when` and `code`, and a `class`
        16:35 E1505 `class` cannot be `okay`
        17:38 E1506 `until` must be only with class: quota_stop or throttled, not `tomorrow`
        17:38 E1503 there is no name `tomorrow` in this recipe
        22:5 E1500 there is no key `metod` in an operation (method)
        21:11 E1516 the path `https://evil.example.com/` cannot be called: ://
        23:25 E1507 list lacks `filter`
        23:31 E1506 `then` must be not with by: version, not `data.next`
        23:11 E1507 page lacks `set`
        23:11 E1507 page lacks `take`
        28:14 E1509 `list` is already a name of operation `list`
        32:45 E1517 `accept` must be a list, but is a map
        32:45 E1506 `accept` must be at least one kind of content, not `…`
        32:9 E1507 push lacks `verify`
        32:9 E1507 push lacks `answer`
        33:20 E1510 `extends: agian` does not lead to another operation
        33:45 E1516 the path `a b` cannot be called: ?, #, blank or other sign
        31:5 E1512 `unknown.ask: lst` is not a read operation (list)
        31:5 E1513 `by: id` cannot serve a create: when its answer is lost there is no id
        29:5 E1514 `class: rows` needs the operation's `items`
    "#]]
    .assert_eq(&shown.concat());
    assert!(
        problems
            .iter()
            .all(|problem| !problem.message(Lang::Zh).contains('{')),
        "every placeholder is filled"
    );
}

#[test]
fn what_does_not_go_together() {
    let refresh = "auth: {token: {path: t, ok: body, take: {access: a}, START}}\n";
    for (line, want) in [
        ("    encode: json\nsign: {form: {a: b}}\n", vec!["10:5 E1563"]),
        ("    encode: form\nsign: {form: {a: b}}\n", vec![]),
        ("    query: {t: <<$auth.access>>}\n", vec!["10:16 E1508"]),
        (
            "    filter: {as: conditions, names: {field: f, op: o}, ops: {equal: EQ}}\n",
            vec!["10:37 E1507"],
        ),
        (
            "    filter: {as: conditions, names: {field: f, op: o, value: v}, ops: {equal: EQ}}\n",
            vec!["10:72 E1505"],
        ),
        (&refresh.replace("START", "rotate: true"), vec!["10:15 E1507"]),
        (
            &refresh.replace("START", "start: {access: <<$param.server>>}"),
            vec!["10:15 E1507"],
        ),
        (
            &refresh.replace("START", "rotate: true, start: {acess: <<$param.server>>}"),
            vec!["10:75 E1505"],
        ),
        (
            &refresh.replace("START", "rotate: true, start: {access: <<$param.server>>}"),
            vec![],
        ),
        (
            "  put: {kind: write, path: put, writes: [create], proof: unique_key}\n",
            vec!["10:51 E1565"],
        ),
        (
            "  put: {kind: write, path: put, writes: [update], proof: unique_key}\n",
            vec![],
        ),
    ] {
        let problems = problems_of_connector(&format!("{BASE}{line}"));
        let shown: Vec<String> = problems
            .iter()
            .map(|problem| {
                let (line, column) = problem.position();
                format!("{line}:{column} {}", problem.entry.code)
            })
            .collect();
        assert_eq!(shown, want, "{line}");
    }
    let never = BASE.replace("class: ok", "class: fault");
    let codes: Vec<&str> = problems_of_connector(&never)
        .iter()
        .map(|problem| problem.entry.code)
        .collect();
    assert_eq!(codes, ["E1564"]);
}

const BASE: &str = "connector: demo\nparams: {server: {type: url}}\nhosts: [<<$param.server>>]\noutcome: [{when: body.ok, class: ok}]\noperations:\n  list:\n    kind: read\n    path: list\n    rows: {at: rows}\n";

/// Work that is asked for, and descriptions: settings of the operation `list`, and the codes.
#[test]
fn tasks_and_descriptions_are_checked() {
    let told =
        "  told: {kind: call, path: told, options: {id: {type: text, required: true}}, body: <<$options>>}\n";
    for (line, codes) in [
        (
            "async: {task: id, poll: told, option: id, until: body.done, take: result}",
            &[][..],
        ),
        (
            "async: {task: id, poll: told, option: id, every: 1s, until: body.done, take: result, timeout: 5m}",
            &[],
        ),
        (
            "async: {task: id, poll: tolt, option: id, until: body.done, take: result}",
            &["E1512"],
        ),
        (
            "async: {task: id, poll: told, option: ids, until: body.done, take: result}",
            &["E1512"],
        ),
        (
            "async: {task: id, poll: told, option: id, until: done, take: result}",
            &["E1503"],
        ),
        (
            "async: {task: id, poll: told, option: id, until: body.done}",
            &["E1507"],
        ),
        ("describes: {option: FormId, head: body.fields}", &["E1505"]),
        ("describes: {head: body.fields}", &["E1507"]),
    ] {
        let text = format!("{BASE}    {line}\n{told}");
        let found: Vec<&str> = problems_of_connector(&text)
            .iter()
            .map(|problem| problem.entry.code)
            .collect();
        assert_eq!(found, codes, "{line}");
    }
}

/// Paging that goes on by key behind a ceiling.
#[test]
fn paging_behind_a_ceiling_is_checked() {
    let filter = "    filter: {as: sql_text}\n";
    for (page, filter, codes) in [
        ("{by: offset, more: short, size: 10, multiple: true}", "", &[][..]),
        (
            "{by: offset, more: short, size: 10, ceiling: 100, then: {by: key, field: _id}}",
            filter,
            &[],
        ),
        (
            "{by: offset, more: short, size: 10, ceiling: 100, then: {by: key, field: _id}}",
            "",
            &["E1507"],
        ),
        (
            "{by: offset, more: short, size: 10, then: {by: key, field: _id}}",
            filter,
            &["E1507"],
        ),
        (
            "{by: offset, more: short, size: 10, ceiling: 100, then: {by: key}}",
            filter,
            &["E1507"],
        ),
        (
            "{by: offset, more: short, size: 10, ceiling: 100, then: {by: offset, field: _id}}",
            filter,
            &["E1505"],
        ),
        (
            "{by: number, more: short, size: 10, ceiling: 100, then: {by: key, field: _id}}",
            filter,
            &["E1506"],
        ),
        (
            "{by: number, more: short, size: 10, multiple: true}",
            "",
            &["E1506"],
        ),
        (
            "{by: offset, more: short, size: 10, ceiling: 100, then: data.next}",
            filter,
            &["E1517", "E1507", "E1507"],
        ),
    ] {
        let text = format!("{BASE}    page: {page}\n{filter}");
        let found: Vec<&str> = problems_of_connector(&text)
            .iter()
            .map(|problem| problem.entry.code)
            .collect();
        assert_eq!(found, codes, "{page}");
    }
}

/// What a connection says of its way: settings, and the codes.
#[test]
fn the_way_out_is_checked() {
    let digest = "ab".repeat(32);
    let colons = vec!["AB"; 32].join(":");
    for (line, codes) in [
        ("tls: {ca_file: certs/erp.pem}".to_owned(), &[][..]),
        (format!("tls: {{certificate: \"{digest}\"}}"), &[]),
        (format!("tls: {{certificate: \"{colons}\"}}"), &[]),
        (format!("tls: {{certificate: \"{}\"}}", &digest[1..]), &["E1506"]),
        (
            format!("tls: {{certificate: \"{digest}\", ca_file: a.pem}}"),
            &["E1506"],
        ),
        ("tls: {ca_file: a.pem, insecure: true}".to_owned(), &["E1506"]),
        ("tls: {insecure: false}".to_owned(), &[]),
        ("tls: {verify: false}".to_owned(), &["E1500"]),
        ("tls: {insecure: true}".to_owned(), &["W1566"]),
        ("proxy: {url: \"http://proxy.example.com:3128\"}".to_owned(), &[]),
        (
            "proxy: {url: \"http://10.0.0.1:3128/\", user: office, password: \"${secret:proxy}\"}".to_owned(),
            &[],
        ),
        ("proxy: {url: \"${env:PROXY}\"}".to_owned(), &[]),
        ("proxy: {}".to_owned(), &["E1507"]),
        (
            "proxy: {url: \"https://proxy.example.com\"}".to_owned(),
            &["E1506"],
        ),
        (
            "proxy: {url: \"http://office:canary@proxy.example.com\"}".to_owned(),
            &["E1506"],
        ),
        (
            "proxy: {url: \"http://p\", user: office, password: canary}".to_owned(),
            &["E1552"],
        ),
        ("proxy: {url: \"http://p\", user: office}".to_owned(), &["E1507"]),
        (
            "proxy: {url: \"http://p\", password: \"${vault:x}\", user: a}".to_owned(),
            &["E1553"],
        ),
    ] {
        let yaml = format!(
            "connections:\n  huke:\n    connector: netease-huke\n    params: {{key: k, secret: \"${{secret:huke}}\"}}\n    {line}\n"
        );
        let file = SourceFile::new("connections.yaml", yaml.as_str());
        let problems = match connections::load(&file, &connectors(), &functions::registry()) {
            Ok(loaded) => loaded.check_all(),
            Err(problems) => problems,
        };
        let found: Vec<&str> = problems.iter().map(|problem| problem.entry.code).collect();
        assert_eq!(found, codes, "{line}");
        let told = render(&problems, Lang::En, false, 20);
        // The password in an address is not told; the line that holds it is the author's own.
        let words: String = problems.iter().map(|problem| problem.message(Lang::En)).collect();
        assert!(!words.contains("canary"), "{told}");
        assert!(codes != ["E1552"] || !told.contains("canary"), "{told}");
    }
}

/// A password of the proxy comes from where it is kept, is asked for only there, and is taken out of texts.
#[test]
fn the_proxy_has_its_secret_by_reference() {
    let yaml = "connections:\n  huke:\n    connector: netease-huke\n    params: {key: k, secret: \"${secret:huke}\"}\n    \
         proxy: {url: \"http://proxy.example.com:3128\", user: office, password: \"${secret:proxy}\"}\n";
    let loaded = crate::common::connections_of(yaml);
    let open = loaded.open_references("huke", "default", &connector::NoSecrets);
    assert!(
        open.contains(&("proxy.password".to_owned(), "${secret:proxy}".to_owned())),
        "{open:?}"
    );
    struct Each;
    impl connector::Secrets for Each {
        fn get(&self, _kind: connector::SecretKind, name: &str) -> Option<String> {
            Some(format!("canary-{name}"))
        }
    }
    let connection = loaded
        .resolve("huke", "default", &Each)
        .expect("everything is there");
    let proxy = connection.proxy.as_ref().expect("it has one");
    assert_eq!(
        proxy.login.as_ref().map(|(_, password)| password.as_str()),
        Some("canary-proxy")
    );
    assert!(!connection.redact("said canary-proxy").contains("canary-proxy"));
    assert!(!format!("{proxy:?}").contains("canary"));
    let params = std::collections::BTreeMap::from([
        ("key".to_owned(), "k".to_owned()),
        ("secret".to_owned(), "s".to_owned()),
        ("server".to_owned(), "http://127.0.0.1:1/".to_owned()),
    ]);
    let simulated = loaded
        .resolve_sandbox("huke", "default", &params)
        .expect("simulated");
    assert_eq!(simulated.proxy, None);
}

/// Limits that nobody would feel, or that belong elsewhere: text put behind the base, and the codes.
#[test]
fn limits_are_checked() {
    let head = "limits: {rate: [5/s, 100/min], concurrency: 2}\n";
    for (lines, codes) in [
        ("    limits: {rate: 50/min}\n", &[][..]),
        ("    limits: {rate: [50/min, 2/s], concurrency: 1}\n", &[]),
        ("    limits: {rate: 1000/h}\n", &[]),
        // A hundred a minute are six thousand an hour: this is never felt.
        ("    limits: {rate: 6000/h}\n", &["E1506"]),
        ("    limits: {rate: 5/s}\n", &["E1506"]),
        ("    limits: {concurrency: 3}\n", &["E1506"]),
        ("    limits: {per_day: 3}\n", &["E1500"]),
        ("limits: {scope: app, app: [server], per_day: 100000}\n", &[]),
        ("limits: {scope: path, rate: 100/20s}\n", &[]),
        ("limits: {scope: app, rate: 1/s}\n", &["E1507"]),
        ("limits: {scope: app, app: [sever], rate: 1/s}\n", &["E1508"]),
        ("limits: {scope: token, app: [server]}\n", &["E1506"]),
        ("limits: {scope: tokens}\n", &["E1505"]),
        ("limits: {per_day: 0}\n", &["E1506"]),
        ("auth: {token: {path: t, ok: body.ok, rate: 10/min}}\n", &[]),
        ("auth: {token: {path: t, ok: body.ok, rate: often}}\n", &["E1506"]),
    ] {
        let base = if lines.starts_with(' ') {
            format!("{BASE}{lines}{head}")
        } else {
            format!("{BASE}{lines}")
        };
        let found: Vec<&str> = problems_of_connector(&base)
            .iter()
            .map(|problem| problem.entry.code)
            .collect();
        assert_eq!(found, codes, "{lines}");
    }
    for (row, codes) in [
        ("{code: 7, class: quota_stop, until: midnight}", &[][..]),
        ("{code: 7, class: throttled, until: \"body.reset * 1000\"}", &[]),
        ("{code: 7, class: transient, until: midnight}", &["E1506"]),
        ("{code: 7, class: quota_stop, until: reset}", &["E1503"]),
    ] {
        let text = BASE.replace("outcome: [", &format!("code: code\noutcome: [{row}, "));
        let found: Vec<&str> = problems_of_connector(&text)
            .iter()
            .map(|problem| problem.entry.code)
            .collect();
        assert_eq!(found, codes, "{row}");
    }
}

/// What reading by version needs, and what makes no sense with it.
#[test]
fn reading_by_version_is_checked() {
    let sound = "page: {by: version, set: since, take: max(rows.ts), size: 50}";
    let request = "    request: {size: <<$page.size>>}\n";
    let rows = [
        (sound, request, vec![]),
        (
            "page: {by: version, set: a.b, take: max( rows.x.ts), size: 50, asks: from, settle: 5m, first: 7}",
            request,
            vec!["E1506"],
        ),
        (
            "page: {by: version, set: a.b, take: max(rows.x.ts), size: 50, asks: from, settle: 5m, first: 7}",
            request,
            vec![],
        ),
        (
            "page: {by: version, take: max(rows.ts), size: 50}",
            request,
            vec!["E1507"],
        ),
        (
            "page: {by: version, set: since, size: 50}",
            request,
            vec!["E1507"],
        ),
        (
            "page: {by: version, set: since, take: rows.ts, size: 50}",
            request,
            vec!["E1506"],
        ),
        (
            "page: {by: version, set: since, take: max(rows.ts), size: 50, first: -1}",
            request,
            vec!["E1506"],
        ),
        (
            "page: {by: version, set: since, take: max(rows.ts), size: 50, total: n}",
            request,
            vec!["E1506"],
        ),
        (
            "page: {by: version, set: since, take: max(rows.ts), size: 50, asks: behind}",
            request,
            vec!["E1505"],
        ),
        (
            "page: {by: number, set: since, size: 50, more: short}",
            request,
            vec!["E1506"],
        ),
        // The version has no place to go to.
        (sound, "", vec!["E1507"]),
        // A window hides what lies outside of it.
        (
            sound,
            "    request: {from: <<$window.start|ms>>}\n",
            vec!["E1506"],
        ),
        (sound, "    request: {}\n    window: {max: 7d}\n", vec!["E1506"]),
    ];
    for (page, request, want) in rows {
        let problems = problems_of_connector(&format!("{BASE}    {page}\n{request}"));
        let codes: Vec<&str> = problems.iter().map(|problem| problem.entry.code).collect();
        assert_eq!(codes, want, "{page} {request}");
        assert!(problems.iter().all(|problem| problem.position().0 > 1), "{page}");
    }
}

#[test]
fn what_a_connection_chooses_and_how_it_asks_is_checked() {
    const FILE: &str = "connector: own
name: own
params:
  server: {type: url}
  format: {type: choice, of: [json, xml, text], default: json}
  open: {type: choice, of: [json, yaml], default: json}
  root: {type: text, default: r}
hosts: [<<$param.server>>]
outcome: [{when: http.status == 200, class: ok}]
operations:
  one:
    kind: read
    path: one
    options: {id: {type: text}, name: {type: text, required_with: {id: x}}}
    rows: {at: data, one: true, none_when: not body.data, lists: [a, b.*]}
  add:
    kind: write
    path: add
    encode: <<$param.format>>
    root: <<$param.root>>
    body: <<$record>>
    writes: [create]
    key: no
    proof: query
    unknown: {when: root == 'r', ask: one, option: id, fields: {id: id}}
";
    for (from, to, want) in [
        ("", "", vec![]),
        ("    root: <<$param.root>>", "    root: order", vec![]),
        ("    root: <<$param.root>>\n", "", vec!["E1507"]),
        ("root: <<$param.root>>", "root: 1 a", vec!["E1506"]),
        (
            "encode: <<$param.format>>",
            "encode: <<$param.root>>",
            vec!["E1506"],
        ),
        (
            "encode: <<$param.format>>",
            "encode: <<$param.open>>",
            vec!["E1506"],
        ),
        (
            "encode: <<$param.format>>",
            "encode: x<<$param.format>>",
            vec!["E1506"],
        ),
        (
            "encode: <<$param.format>>\n    root: <<$param.root>>",
            "encode: text",
            vec![],
        ),
        ("one: true, ", "", vec!["E1506", "E1512"]),
        ("b.*", "b.*.c", vec!["E1506"]),
        ("option: id", "option: ident", vec!["E1512"]),
        (", option: id", "", vec!["E1512"]),
        ("when: root == 'r'", "when: roof == 'r'", vec!["E1503"]),
        (
            "writes: [create]",
            "writes: [create, void]\n    after: gone",
            vec![],
        ),
        (
            "writes: [create]",
            "writes: [create]\n    after: gone",
            vec!["E1506"],
        ),
        (
            "writes: [create]",
            "writes: [create, void]\n    after: away",
            vec!["E1505"],
        ),
    ] {
        assert!(FILE.contains(from));
        let problems = problems_of_connector(&FILE.replacen(from, to, 1));
        let codes: Vec<&str> = problems.iter().map(|problem| problem.entry.code).collect();
        assert_eq!(codes, want, "{from} -> {to}");
    }
}
