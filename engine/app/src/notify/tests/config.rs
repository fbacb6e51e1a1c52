use std::collections::BTreeMap;

use connector::SecretKind;
use dsl::diagnostic::render;
use expect_test::expect;

use super::*;
use crate::workspace::SecretTable;

fn read_text(text: &str) -> Result<Notify, Vec<Diagnostic>> {
    load(&SourceFile::new("notify.yaml", text))
}

const GOOD: &str = r#"
link: https://engine.example.com/
channels:
  ops: {kind: dingtalk, url: "${secret:ding}", sign: "${secret:sign}", keyword: 集成, mention: "13800138000"}
  客服: {kind: wecom, url: "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${env:WECOM}"}
  post:
    kind: mail
    server: smtp.example.com
    user: ops@example.com
    password: ${secret:mail}
    from: 集成引擎 <ops@example.com>
    to: [li@example.com, wang@example.com]
  hook: {kind: webhook, url: "http://10.0.0.7/notices", sign: "${secret:hook}", allow_plain_http: true}
rules:
  - {when: failed, channels: [ops, post], escalate: 1h}
  - {when: dead, above: 20, only: ["huke-*"], channels: hook, data: true, name: many}
  - {when: unknown, for: 2h}
"#;

#[test]
fn a_file_is_read() {
    let notify =
        read_text(GOOD).unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 9)));
    assert_eq!(notify.link.as_deref(), Some("https://engine.example.com"));
    let names: Vec<&str> = notify.channels.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["ops", "客服", "post", "hook"]);
    let rules: Vec<(&str, u64, usize)> = notify
        .rules
        .iter()
        .map(|rule| (rule.name.as_str(), rule.above, rule.channels.len()))
        .collect();
    assert_eq!(rules, [("failed", 0, 2), ("many", 20, 1), ("unknown", 0, 4)]);
    assert_eq!(notify.rules[0].escalate, Some(3_600_000));
    assert_eq!(notify.rules[2].lasting, 7_200_000);
    let ops = &notify.channels[0];
    assert_eq!(
        ops.references(),
        [
            (SecretKind::Secret, "ding".to_owned()),
            (SecretKind::Secret, "sign".to_owned())
        ]
    );
    let secrets = SecretTable {
        env: BTreeMap::from([("WECOM".to_owned(), "canary-key".to_owned())]),
        secret: BTreeMap::from([("ding".to_owned(), "https://x/".to_owned())]),
    };
    let wecom = notify.channels[1].resolve(&secrets).expect("all there");
    assert!(wecom.url.expose().ends_with("send?key=canary-key"));
    let missing = ops.resolve(&secrets).expect_err("no sign");
    assert_eq!(missing.code(), "E7003");
    assert!(missing.message(Lang::En).contains("${secret:sign}"));
    let mail = notify.channels[2].resolve(&SecretTable {
        env: BTreeMap::new(),
        secret: BTreeMap::from([("mail".to_owned(), "p".to_owned())]),
    });
    assert_eq!(mail.expect("all there").mail.expect("mail").to.len(), 2);
}

#[test]
fn without_rules_everything_that_needs_a_person_is_told() {
    let notify = read_text(
        "channels: {a: {kind: wecom, url: \"${secret:a}\"}, b: {kind: wecom, url: \"${secret:b}\"}}",
    );
    let rules = notify.expect("good").rules;
    assert_eq!(rules.len(), When::ALL.len());
    assert!(rules.iter().all(|rule| rule.channels == ["a", "b"]));
}

#[test]
fn problems_are_told_where_they_stand() {
    let problems = read_text(
        r#"
chanels: {}
channels:
  ops: {kind: dingtalk, url: https://oapi.dingtalk.com/robot/send?access_token=canary, keywrd: x}
  we com: {kind: wecom, url: "${secret:a}", sign: "${secret:b}"}
  none: {url: "${secret:a}"}
  post: {kind: mail, server: smtp, password: canary, from: a@b}
  odd: {kind: telegram}
  half: {kind: webhook, url: "${secert:canary}"}
rules:
  - {when: faild, channels: [ops]}
  - {when: dead, above: -1, every: 1s, channels: [opps]}
  - {when: dead, data: perhaps}
  - {channels: [ops]}
"#,
    );
    let drawn = render(&problems.expect_err("wrong"), Lang::En, false, 30);
    assert!(!drawn.contains("canary"), "{drawn}");
    let short: Vec<&str> = drawn
        .lines()
        .filter(|line| line.starts_with("error") || line.contains("-->"))
        .collect();
    expect![[r#"
        error[E1500]: there is no key `chanels` in notify.yaml
         --> notify.yaml:2:1
        error[E1552]: parameter `url` is a secret and may not stand in the file in clear text
         --> notify.yaml:4:30
        error[E1500]: there is no key `keywrd` in a channel of this kind
         --> notify.yaml:4:88
        error[E1506]: `channels` must be a name of at most 64 letters, digits, `_` and `-`, not `we com`
         --> notify.yaml:5:3
        error[E1500]: there is no key `sign` in a channel of this kind
         --> notify.yaml:5:45
        error[E1507]: none lacks `kind`
         --> notify.yaml:6:9
        error[E1507]: post lacks `to`
         --> notify.yaml:7:9
        error[E1552]: parameter `password` is a secret and may not stand in the file in clear text
         --> notify.yaml:7:46
        error[E1505]: `kind` cannot be `telegram`
         --> notify.yaml:8:15
        error[E1553]: `${…}` is not a reference
         --> notify.yaml:9:30
        error[E1505]: `when` cannot be `faild`
          --> notify.yaml:11:12
        error[E1506]: `above` must be a whole number, not below 0, not `-1`
          --> notify.yaml:12:25
        error[E1506]: `every` must be a duration such as 30m, at least 1m, not `1s`
          --> notify.yaml:12:36
        error[E1505]: `channels` cannot be `opps`
          --> notify.yaml:12:51
        error[E1506]: `name` must be a name that no other rule has, not `dead`
          --> notify.yaml:13:5
        error[E1506]: `data` must be true or false, not `perhaps`
          --> notify.yaml:13:24
        error[E1507]: rules lacks `when`
          --> notify.yaml:14:5"#]]
    .assert_eq(&short.join("\n"));
}
