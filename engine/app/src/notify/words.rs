//! A message in words: environment, what, how many, since when, what was said first, and where to look.
//!
//! What records say is told only by a rule that permits it: a sentence about a record may quote a customer.

use dsl::catalogue;
use dsl::diagnostic::Lang;
use flow::ids::Ms;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::message::{Kind, Message, NAMED};
use super::rule::When;
use super::sight::Said;

/// Characters of a sentence that are told: what a phone shows without being opened.
const SENTENCE: usize = 300;

/// What every message of an engine has in common.
#[derive(Debug, Clone)]
pub struct Manner {
    /// The language.
    pub lang: Lang,
    /// The environment.
    pub environment: String,
    /// Where the console is.
    pub link: Option<String>,
    /// The zone that times are told in.
    pub zone: TimeZone,
}

/// The first line and the rest.
pub fn words(message: &Message, manner: &Manner) -> (String, String) {
    let lang = manner.lang;
    let pick = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
    let rule = &message.rule;
    let subject = message.subjects.join(lang.pick("、", ", "));
    let who = match rule.when {
        When::Disk => String::new(),
        When::Circuit | When::Credentials => pick("连接 ", "connection "),
        _ => pick("方案 ", "scheme "),
    };
    let what = match rule.when {
        When::Failed => pick("运行失败", "failed"),
        When::Dead => pick("有失败的数据", "has dead records"),
        When::Held => pick("有待人工的数据", "has records that wait for a person"),
        When::Unknown => pick("有结果未知的数据", "has records of unknown outcome"),
        When::NoSuccess => pick("许久没有成功运行", "has not succeeded for long"),
        When::Circuit => pick("的目标无法访问", "cannot be reached"),
        When::Credentials if message.facts.said.is_some() => {
            pick("的凭据被拒绝", "has credentials that are refused")
        }
        When::Credentials => pick("的凭据即将到期", "has credentials that end soon"),
        When::Disk => pick("磁盘空间不足", "the disk is running full"),
        When::Paused => pick("已暂停", "is paused"),
    };
    let sign = match message.kind {
        Kind::Problem => "",
        Kind::Digest => lang.pick("[持续] ", "[still] "),
        Kind::Escalated => lang.pick("[升级] ", "[escalated] "),
        Kind::Recovered => lang.pick("[已恢复] ", "[recovered] "),
    };
    let more = match message.of.saturating_sub(message.subjects.len()) {
        0 => String::new(),
        more => lang.pick(format!(" 等 {} 个", message.of), format!(" and {more} more")),
    };
    let space = if subject.is_empty() { "" } else { " " };
    let title = format!("{sign}[{}] {who}{subject}{more}{space}{what}", manner.environment);
    (one_line(&title), body(message, manner))
}

fn body(message: &Message, manner: &Manner) -> String {
    let lang = manner.lang;
    let rule = &message.rule;
    let facts = &message.facts;
    let mut lines = Vec::new();
    let time = |at: Ms| shown(at, &manner.zone);
    let mut say = |zh: String, en: String| lines.push(lang.pick(zh, en));
    if let Some(count) = facts.count {
        match rule.when {
            When::Disk => say(
                format!("剩余 {} MiB", count >> 20),
                format!("{} MiB left", count >> 20),
            ),
            _ => say(format!("数量 {count}"), format!("count {count}")),
        }
    }
    if message.seen > u64::try_from(message.of).unwrap_or(u64::MAX) {
        say(
            format!("共 {} 次", message.seen),
            format!("seen {} times", message.seen),
        );
        parts(message, &mut say);
    } else if facts.count.is_some() {
        parts(message, &mut say);
    }
    match (rule.when, facts.at) {
        (When::Credentials, Some(at)) if message.kind != Kind::Recovered => say(
            format!("到期时间 {}", time(at)),
            format!("they end at {}", time(at)),
        ),
        (When::NoSuccess, Some(at)) => say(
            format!("上次成功 {}", time(at)),
            format!("last success {}", time(at)),
        ),
        (_, at) => {
            let at = at.unwrap_or(message.since);
            say(format!("开始于 {}", time(at)), format!("since {}", time(at)));
        }
    }
    if message.kind != Kind::Recovered
        && let Some(said) = facts
            .said
            .as_ref()
            .and_then(|said| sentence(said, rule.data, lang))
    {
        lines.push(said);
    }
    lines.extend(place(message, manner));
    lines.join("\n")
}

/// Of several causes, how much each is about.
fn parts(message: &Message, say: &mut impl FnMut(String, String)) {
    let each = |join: &str| {
        let parts = message.parts.iter();
        let parts: Vec<String> = parts
            .map(|(subject, count)| format!("{subject} {count}"))
            .collect();
        parts.join(join)
    };
    if !message.parts.is_empty() {
        say(format!("其中 {}", each("、")), format!("of these {}", each(", ")));
    }
}

/// What was said, or what its code means where the sentence may quote a record.
fn sentence(said: &Said, data: bool, lang: Lang) -> Option<String> {
    let text = match said.of_record && !data {
        // The words of the catalogue without the facts: placeholders are left out.
        true => catalogue::find(&said.code).map(|entry| plain(entry.long(lang)))?,
        false => one_line(&said.sentence),
    };
    let text: String = text.chars().take(SENTENCE).collect();
    let code = if said.code.is_empty() {
        String::new()
    } else {
        format!("{} ", said.code)
    };
    Some(format!("{code}{text}"))
}

/// The first sentence of an explanation.
fn plain(text: &str) -> String {
    let end = text.find(['。', '\n']).or_else(|| text.find(". "));
    one_line(&text[..end.unwrap_or(text.len())])
}

/// Where to look.
fn place(message: &Message, manner: &Manner) -> Option<String> {
    let state = match message.rule.when {
        When::Dead => Some("dead"),
        When::Held => Some("held"),
        When::Unknown => Some("unknown"),
        _ => None,
    };
    let one = message.subjects.first().filter(|_| message.of == 1);
    match (&manner.link, message.rule.when, one, state) {
        (Some(link), _, Some(scheme), Some(state)) => {
            Some(format!("{link}/records?scheme={scheme}&state={state}"))
        }
        (Some(link), When::Failed | When::NoSuccess, Some(scheme), _) => {
            Some(format!("{link}/runs?scheme={scheme}"))
        }
        (Some(link), ..) => Some(link.clone()),
        (None, _, Some(scheme), Some(state)) => {
            Some(format!("engine rows list --scheme {scheme} --state {state}"))
        }
        (None, When::Failed | When::NoSuccess, Some(scheme), _) => {
            Some(format!("engine runs list --scheme {scheme}"))
        }
        (None, When::Circuit | When::Credentials, Some(name), _) => {
            Some(format!("engine connection test {name}"))
        }
        (None, When::Disk, ..) => Some("engine doctor".to_owned()),
        (None, When::Paused, Some(scheme), _) => Some(format!("engine schemes resume {scheme}")),
        (None, ..) => None,
    }
}

/// The words of a trial.
pub fn trial(channel: &str, manner: &Manner, now: Ms) -> (String, String) {
    let lang = manner.lang;
    let title = lang.pick("渠道试发", "a trial of this channel");
    let title = format!("[{}] {title}", manner.environment);
    let body = lang.pick(
        format!("渠道 {channel} 可以收到消息\n{}", shown(now, &manner.zone)),
        format!(
            "the channel {channel} receives messages\n{}",
            shown(now, &manner.zone)
        ),
    );
    (title, body)
}

/// What the history says of a message that was not sent because its channel was silent.
pub(super) fn muted(until: Ms, manner: &Manner) -> String {
    let until = shown(until, &manner.zone);
    manner
        .lang
        .pick(format!("静音至 {until}"), format!("muted until {until}"))
}

/// The words at the end of a silence: how much was not said, and what is still wrong.
pub(super) fn unmuted(
    (since, until): (Ms, Ms),
    unsaid: u64,
    open: &[(String, String)],
    manner: &Manner,
) -> (String, String) {
    let lang = manner.lang;
    let title = lang.pick(
        format!("静音结束:{unsaid} 条消息没有发出"),
        format!("the silence is over: {unsaid} messages were not sent"),
    );
    let (since, until) = (shown(since, &manner.zone), shown(until, &manner.zone));
    let mut lines = vec![format!("{since} — {until}")];
    lines.push(match open.len() {
        0 => lang
            .pick("现在没有未恢复的问题", "nothing is wrong now")
            .to_owned(),
        count => lang.pick(format!("仍未恢复 {count} 个:"), format!("still wrong: {count}")),
    });
    lines.extend(
        open.iter()
            .take(NAMED)
            .map(|(rule, subject)| one_line(&format!("{rule} {subject}"))),
    );
    lines.push("engine notify list".to_owned());
    (format!("[{}] {title}", manner.environment), lines.join("\n"))
}

fn shown(at: Ms, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(at).map_or_else(
        |_| at.to_string(),
        |at| {
            at.to_zoned(zone.clone())
                .strftime("%Y-%m-%d %H:%M:%S %:z")
                .to_string()
        },
    )
}

/// Without line ends and other characters that would make two lines, or none, of one.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::Facts;
    use crate::notify::rule::Rule;

    fn message(when: When, kind: Kind) -> Message {
        Message {
            rule: Rule {
                name: when.word().to_owned(),
                when,
                above: 0,
                lasting: 0,
                times: 3,
                only: Vec::new(),
                channels: Vec::new(),
                every: 600_000,
                data: false,
                escalate: None,
            },
            kind,
            subjects: vec!["huke-to-k3".to_owned()],
            of: 1,
            since: 1_700_000_000_000,
            seen: 1,
            facts: Facts::default(),
            parts: Vec::new(),
        }
    }

    fn manner(lang: Lang, link: Option<&str>) -> Manner {
        Manner {
            lang,
            environment: "prod".to_owned(),
            link: link.map(str::to_owned),
            zone: TimeZone::get("Asia/Shanghai").expect("a zone"),
        }
    }

    fn said(of_record: bool) -> Option<Said> {
        Some(Said {
            code: "E4018".to_owned(),
            sentence: "canary-customer 张三\n已存在".to_owned(),
            of_record,
        })
    }

    #[test]
    fn a_message_says_what_where_and_since_when() {
        let mut failed = message(When::Failed, Kind::Digest);
        failed.seen = 12;
        failed.facts.said = said(false);
        let (title, body) = words(&failed, &manner(Lang::Zh, None));
        expect_test::expect![[r#"
            [持续] [prod] 方案 huke-to-k3 运行失败
            共 12 次
            开始于 2023-11-15 06:13:20 +08:00
            E4018 canary-customer 张三 已存在
            engine runs list --scheme huke-to-k3"#]]
        .assert_eq(&format!("{title}\n{body}"));
        let mut dead = message(When::Dead, Kind::Problem);
        dead.facts.count = Some(30);
        let (title, body) = words(&dead, &manner(Lang::En, Some("https://engine.example.com")));
        expect_test::expect![[r#"
            [prod] scheme huke-to-k3 has dead records
            count 30
            since 2023-11-15 06:13:20 +08:00
            https://engine.example.com/records?scheme=huke-to-k3&state=dead"#]]
        .assert_eq(&format!("{title}\n{body}"));
        let mut storm = message(When::Failed, Kind::Recovered);
        storm.of = 90;
        let (title, _) = words(&storm, &manner(Lang::Zh, None));
        assert_eq!(title, "[已恢复] [prod] 方案 huke-to-k3 等 90 个 运行失败");
    }

    #[test]
    fn what_records_say_is_told_only_where_a_rule_permits_it() {
        for lang in [Lang::Zh, Lang::En] {
            let mut dead = message(When::Failed, Kind::Problem);
            dead.facts.said = said(true);
            let (title, body) = words(&dead, &manner(lang, None));
            assert!(!format!("{title}{body}").contains("canary"), "{body}");
            assert!(body.contains("E4018"), "{body}");
            dead.rule.data = true;
            assert!(words(&dead, &manner(lang, None)).1.contains("canary-customer"));
        }
    }

    #[test]
    fn every_kind_has_words_in_both_languages() {
        for (word, when) in When::ALL {
            for kind in [Kind::Problem, Kind::Digest, Kind::Escalated, Kind::Recovered] {
                for lang in [Lang::Zh, Lang::En] {
                    let (title, body) = words(&message(when, kind), &manner(lang, None));
                    assert!(
                        title.contains("[prod]") && !title.contains('\n'),
                        "{word} {title}"
                    );
                    assert!(!body.is_empty(), "{word} {kind:?}");
                    let is_zh = title.chars().any(|char| ('\u{4e00}'..'\u{9fff}').contains(&char));
                    assert_eq!(is_zh, lang == Lang::Zh, "{title}");
                }
            }
        }
    }
}
