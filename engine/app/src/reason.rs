//! From failures, answers and judgements to the flow's facts. Words stay the vendor's; codes are the catalogue's.

use connector::{Class, Judged, Verdict};
use dsl::catalogue::{self, reading, source, target};
use dsl::diagnostic::{Failure, Lang};
use flow::classify;
use flow::op::Reason;
use flow::{ReadFailure, ReadFailureKind};
use transport::SendError;

use crate::caller::{Caller, Ended, not_sent};

/// A failure as a stored reason, worded once in the language of the run.
pub(crate) fn of_failure(failure: &Failure, lang: Lang) -> Reason {
    let mut text = failure.message(lang);
    if let Some(vendor) = &failure.vendor
        && !text.contains(vendor.as_str())
    {
        text = format!("{text}: {vendor}");
    }
    Reason::new(failure.code(), text)
}

/// A stored reason as a sentence. Reasons the flow gives carry only the other system's words; the rest of the sentence
/// comes from the catalogue.
pub fn sentence(reason: &Reason, lang: Lang) -> String {
    match catalogue::find(&reason.code) {
        // Some reasons were worded when they were stored: their words are not put into the sentence once more.
        Some(entry)
            if [entry.zh, entry.en]
                .into_iter()
                .any(|text| is_worded(&reason.text, text)) =>
        {
            reason.text.clone()
        }
        // So were those that a server tells.
        Some(entry)
            if [Lang::Zh, Lang::En]
                .iter()
                .any(|lang| reason.text == bare(entry, *lang)) =>
        {
            reason.text.clone()
        }
        Some(entry) if entry.zh.contains("{vendor}") && reason.text.is_empty() => bare(entry, lang),
        Some(entry) if entry.zh.contains("{vendor}") => {
            Failure::new(entry).vendor(reason.text.clone()).message(lang)
        }
        Some(entry) if reason.text.is_empty() => Failure::new(entry).message(lang),
        Some(_) | None => reason.text.clone(),
    }
}

/// The sentence where nobody else said anything: no empty brackets.
fn bare(entry: &'static catalogue::Entry, lang: Lang) -> String {
    let text = Failure::new(entry).vendor(String::new()).message(lang);
    text.replace(" ()", "").replace("()", "").replace("()", "")
}

/// Whether a stored text begins as the catalogue's sentence does.
fn is_worded(stored: &str, sentence: &str) -> bool {
    let begin = sentence.split('{').next().unwrap_or_default();
    begin.len() < sentence.len() && !begin.is_empty() && stored.starts_with(begin)
}

/// What a person can do something with, in place of a library's chain of causes; the system's own last word stays.
pub fn spoken(error: &SendError, lang: Lang) -> String {
    use transport::Reason as R;
    let (zh, en) = match error.reason {
        R::BadRequest => (
            "请求的地址或头不合法",
            "the request's address or headers are not valid",
        ),
        R::NotAllowed => (
            "该地址不在连接允许的范围内",
            "this connection may not call that address",
        ),
        R::Dns => ("找不到主机名", "the host name was not found"),
        R::Connect => ("对方没有接受连接", "nobody accepted the connection"),
        R::ConnectTimeout => ("连接超时", "no connection within the time"),
        R::Tls => (
            "TLS 握手失败(证书或协议)",
            "the TLS handshake failed (certificate or protocol)",
        ),
        R::FirstByteTimeout => ("在规定时间内没有答复", "no answer within the time"),
        R::IdleTimeout => ("答复中途停顿过久", "the answer paused for too long"),
        R::TotalTimeout => ("整个请求超时", "the whole exchange took too long"),
        R::Broken => ("连接中断", "the connection broke"),
        R::Truncated => ("答复不完整", "the answer ended early"),
        R::TooLarge => ("答复过大", "the answer is too large"),
        R::Bomb => ("答复解压后异常膨胀", "the answer unpacks to far more than it was"),
        R::Encoding => (
            "答复使用了未请求的压缩方式",
            "the answer is packed in a way that was not asked for",
        ),
    };
    let detail = match error.reason {
        // What these say stands in the detail alone: the address, the certificate's fault, the limit.
        R::BadRequest | R::NotAllowed | R::Tls | R::TooLarge | R::Bomb | R::Encoding | R::Dns => {
            error.detail.as_str()
        }
        _ => error.detail.rsplit(": ").next().unwrap_or_default(),
    };
    let words = lang.pick(zh, en);
    if detail.is_empty() {
        words.to_owned()
    } else {
        format!("{words} ({detail})")
    }
}

/// The same, and where it happened ([`at`]).
fn told(error: &SendError, caller: &Caller, lang: Lang) -> String {
    at(caller, &spoken(error, lang), lang)
}

/// Words with the connection they are about: several may be in one run.
fn at(caller: &Caller, words: &str, lang: Lang) -> String {
    let connection = &caller.connection;
    let (name, address) = (&connection.name, connection.address());
    lang.pick(
        format!("连接 {name}({address}){words}"),
        format!("connection {name} ({address}): {words}"),
    )
    .clone()
}

/// Which side of the scheme a read was made on: its words differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Rows of the source.
    Source,
    /// A question to the target.
    Target,
}

impl Side {
    fn pick(
        self,
        source: &'static catalogue::Entry,
        target: &'static catalogue::Entry,
    ) -> &'static catalogue::Entry {
        match self {
            Side::Source => source,
            Side::Target => target,
        }
    }
}

/// A call to a source (or a question) that did not end with rows. `None` = it did.
pub(crate) fn read_failure(ended: &Ended, caller: &Caller, lang: Lang, side: Side) -> Option<ReadFailure> {
    let fail = |kind, wait, entry: &'static catalogue::Entry, words: String| {
        Some(ReadFailure {
            kind,
            wait,
            reason: Reason::new(entry.code, caller.redact(&words)),
        })
    };
    match ended {
        Ended::Unbuilt(failure) => Some(ReadFailure {
            kind: ReadFailureKind::Unusable,
            wait: None,
            reason: of_failure(failure, lang),
        }),
        Ended::NoSession(failure) => Some(ReadFailure {
            kind: ReadFailureKind::Config,
            wait: None,
            reason: redacted(of_failure(failure, lang), caller),
        }),
        Ended::Closed(failure) => Some(ReadFailure {
            kind: ReadFailureKind::Config,
            wait: None,
            reason: redacted(of_failure(failure, lang), caller),
        }),
        Ended::Away(words) => fail(
            ReadFailureKind::Unreachable,
            None,
            side.pick(&reading::SOURCE_UNREACHABLE, &target::UNREACHABLE),
            at(caller, words, lang),
        ),
        Ended::Broken(error) if not_sent(error) => fail(
            ReadFailureKind::Unreachable,
            None,
            side.pick(&reading::SOURCE_UNREACHABLE, &target::UNREACHABLE),
            told(error, caller, lang),
        ),
        Ended::Broken(error) => fail(
            match error.reason {
                // The system answers: what it sends is wrong.
                transport::Reason::TooLarge | transport::Reason::Bomb | transport::Reason::Encoding => {
                    ReadFailureKind::Fault
                }
                _ => ReadFailureKind::Lost,
            },
            None,
            match error.reason {
                transport::Reason::TooLarge => &source::TOO_LARGE,
                transport::Reason::Bomb => &source::BOMB,
                _ => side.pick(&reading::SOURCE_LOST, &target::TARGET_FAULT),
            },
            match error.reason {
                // The sentence says it already; what is left to tell is how large.
                transport::Reason::TooLarge | transport::Reason::Bomb => error.detail.clone(),
                _ => spoken(error, lang),
            },
        ),
        Ended::Answered { answer, judged } => {
            let words = judged.message.clone();
            match judged.class {
                Class::Ok | Class::Rows => None,
                Class::Throttled | Class::Transient => fail(
                    ReadFailureKind::Wait,
                    judged.wait_ms,
                    side.pick(&reading::SOURCE_BUSY, &target::TARGET_BUSY),
                    words,
                ),
                Class::Auth | Class::ConfigError => fail(
                    ReadFailureKind::Config,
                    None,
                    side.pick(&reading::SOURCE_REFUSES, &target::REFUSES_US),
                    words,
                ),
                Class::QuotaStop => fail(ReadFailureKind::Config, None, &target::QUOTA, words),
                Class::Fault if flow::is_gateway(answer.status) => fail(
                    ReadFailureKind::Lost,
                    None,
                    side.pick(&reading::SOURCE_FAULT, &target::TARGET_FAULT),
                    words,
                ),
                Class::Rejected | Class::Fault => fail(
                    ReadFailureKind::Fault,
                    None,
                    side.pick(&reading::SOURCE_FAULT, &target::TARGET_FAULT),
                    words,
                ),
            }
        }
    }
}

/// How a send came out, and the words for the call as a whole.
pub(crate) fn delivery(ended: &Ended, caller: &Caller, lang: Lang) -> (classify::Delivery, Reason) {
    use classify::Delivery;
    let reason =
        |entry: &'static catalogue::Entry, words: &str| Reason::new(entry.code, caller.redact(words));
    match ended {
        // A call that cannot be built is a mistake in the files, not in the data: nothing was sent, the run stops.
        Ended::Unbuilt(failure) => (Delivery::Withheld, of_failure(failure, lang)),
        Ended::NoSession(failure) => (
            Delivery::Answered(classify::Class::ConfigError),
            redacted(of_failure(failure, lang), caller),
        ),
        Ended::Closed(failure) => (Delivery::Withheld, redacted(of_failure(failure, lang), caller)),
        Ended::Away(words) => (
            Delivery::NotSent,
            reason(&target::UNREACHABLE, &at(caller, words, lang)),
        ),
        Ended::Broken(error) if not_sent(error) => (
            Delivery::NotSent,
            reason(&target::UNREACHABLE, &told(error, caller, lang)),
        ),
        Ended::Broken(error) => (Delivery::Lost, reason(&target::LOST, &spoken(error, lang))),
        Ended::Answered { judged, .. } => {
            let (class, entry) = class_of(judged);
            (Delivery::Answered(class), reason(entry, &judged.message))
        }
    }
}

fn class_of(judged: &Judged) -> (classify::Class, &'static catalogue::Entry) {
    match judged.class {
        _ if !judged.matched => (classify::Class::NoMatch, &target::TARGET_FAULT),
        Class::Ok => (classify::Class::Ok, &target::NOT_NAMED),
        Class::Rows => (classify::Class::Rows, &target::NOT_NAMED),
        Class::Rejected => (classify::Class::Rejected, &target::REJECTED),
        Class::Auth => (
            classify::Class::Auth {
                replay_write: judged.replay_write,
            },
            &target::SESSION_LOST,
        ),
        Class::Throttled => (classify::Class::Throttled, &target::TARGET_BUSY),
        Class::Transient => (classify::Class::Transient, &target::TARGET_BUSY),
        Class::QuotaStop => (classify::Class::QuotaStop, &target::QUOTA),
        Class::ConfigError => (classify::Class::ConfigError, &target::REFUSES_US),
        Class::Fault => (classify::Class::Fault, &target::TARGET_FAULT),
    }
}

/// One row's verdict.
pub(crate) fn row_answer(verdict: &Verdict, caller: &Caller) -> flow::RowAnswer {
    let refused = |exists: bool, words: &str| flow::RowAnswer {
        verdict: if exists {
            classify::Verdict::Exists
        } else {
            classify::Verdict::Rejected
        },
        id: None,
        number: None,
        lines: None,
        reason: Reason::new(target::REJECTED.code, caller.redact(words)),
    };
    match verdict {
        // The ids of its lines need the document that was sent: see `target`.
        Verdict::Accepted { id, number, .. } => flow::RowAnswer {
            verdict: classify::Verdict::Accepted,
            id: id.clone(),
            number: number.clone(),
            lines: None,
            reason: Reason::new("", ""),
        },
        Verdict::Rejected { message, exists, .. } => refused(*exists, message),
        Verdict::Absent => flow::RowAnswer {
            verdict: classify::Verdict::Absent,
            id: None,
            number: None,
            lines: None,
            reason: Reason::new("", ""),
        },
    }
}

/// A record stands before a step that its scheme does not have any more.
pub(crate) fn step_gone(name: &str) -> Reason {
    Reason::new(target::STEP_GONE.code, name)
}

/// The line at which a record stands is not in its row any more.
pub(crate) fn line_gone(call: &str) -> Reason {
    Reason::new(target::LINE_GONE.code, call)
}

/// A line may have been made already, under another identity.
pub(crate) fn line_keyed_otherwise(made: &str, call: &str) -> Reason {
    Reason::new(target::LINE_KEYED_OTHERWISE.code, format!("{made} → {call}"))
}

fn redacted(reason: Reason, caller: &Caller) -> Reason {
    Reason::new(reason.code, caller.redact(&reason.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_flow_has_words() {
        for code in flow::codes::ALL {
            assert!(catalogue::find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn sentences() {
        let check = |code: &str, text: &str, want: &str| {
            assert_eq!(sentence(&Reason::new(code, text), Lang::Zh), want);
        };
        check("E4000", "FGroup: 分组不存在", "目标拒绝:FGroup: 分组不存在");
        check("E7001", "登录被拒绝:签名验证失败", "登录被拒绝:签名验证失败");
        check("E7001", "签名验证失败", "登录被拒绝:签名验证失败");
        check("E4004", "", "答复中没有提到这一行");
        check("E4029", &step_gone("audit").text, "方案里已没有步骤 `audit`");
        check("E2001", "已经成句", "已经成句");
    }
}
