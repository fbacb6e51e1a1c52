//! Messages on their way: sent no faster than a platform takes them, with what its answer means for the next try.
//!
//! A message that is not taken is tried again after a minute, five, fifteen, an hour and four; then it is given up, and
//! the history says so. One that was sent and not noted, because the process died, is sent again: two messages are
//! better than none.

use std::collections::BTreeMap;
use std::sync::Mutex;

use connector::Redactor;
use dsl::Failure;
use dsl::diagnostic::Lang;
use flow::ids::Ms;
use ledger::service::notices::{Delivery, NoticeRow};
use transport::{AllowList, Client, Limiter, Next, Request, Timeouts};

use super::channel::{Channel, Verdict};
use super::mail;
use crate::clock::Clock;
use crate::error::AppError;

/// Pauses between tries; afterwards it is given up.
const PAUSES: [Ms; 5] = [60_000, 300_000, 900_000, 3_600_000, 14_400_000];
/// Tries after which a message is given up that was put off because there were too many. The platform is there: only
/// its limit is in the way.
const TOO_MANY: u32 = 60;
/// An answer of a robot is a line.
const ANSWER_MAX: usize = 64 << 10;
/// A robot answers at once.
const SECONDS: u64 = 20;
/// Digests keep away from the full and the half hour by so much, where a platform is crowded then.
const CROWDED: Ms = 120_000;

/// What is kept of channels between messages: how many they took.
#[derive(Debug, Default)]
pub struct Post {
    limiters: Mutex<BTreeMap<String, Limiter>>,
}

impl Post {
    fn with<T>(&self, channel: &Channel, work: impl FnOnce(&mut Limiter) -> T) -> T {
        let mut limiters = self
            .limiters
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // Two channels with one address are one robot.
        let place = match &channel.mail {
            Some(mail) => mail.server.clone(),
            None => channel.url.expose().to_owned(),
        };
        work(limiters.entry(place).or_insert_with(|| channel.kind.limiter()))
    }

    /// Sends one message, if the channel takes one now; gives what is to be noted, and the platform's words.
    pub async fn deliver(
        &self,
        client: &Client,
        channel: &Channel,
        row: &NoticeRow,
        environment: &str,
        clock: &dyn Clock,
    ) -> Option<(Delivery, String)> {
        let now = clock.now_ms();
        if crowded(channel, row, now) {
            return None;
        }
        let next = self.with(channel, |limiter| {
            let next = limiter.next_allowed(now);
            if next == Next::Now {
                limiter.start(now);
            }
            next
        });
        if next != Next::Now {
            return None;
        }
        let verdict = send(client, channel, row, environment, now).await;
        // Whoever answers after a while means from then on.
        let now = clock.now_ms();
        self.with(channel, |limiter| {
            limiter.end(now);
            if let Verdict::TooMany(_, pause) = &verdict {
                limiter.hold_until(now.saturating_add(*pause));
            }
        });
        Some(noted(verdict, row.tries, now))
    }
}

/// What is noted of a channel that cannot be used.
pub(super) fn unusable(row: &NoticeRow, failure: &Failure, lang: Lang, now: Ms) -> (Delivery, String) {
    let said = format!("{} {}", failure.code(), failure.message(lang));
    noted(Verdict::Refused(said), row.tries, now)
}

/// What is noted of a try.
fn noted(verdict: Verdict, tries: u32, now: Ms) -> (Delivery, String) {
    match verdict {
        Verdict::Taken(said) => (Delivery::Sent, said),
        Verdict::TooMany(said, pause) if tries < TOO_MANY => {
            (Delivery::Later(now.saturating_add(pause)), said)
        }
        Verdict::TooMany(said, _) => (Delivery::Failed, said),
        Verdict::Refused(said) => {
            let pause = usize::try_from(tries).ok().and_then(|tries| PAUSES.get(tries));
            match pause {
                Some(pause) => (Delivery::Later(now.saturating_add(*pause)), said),
                None => (Delivery::Failed, said),
            }
        }
    }
}

/// Whether a message that is in no hurry waits for a calmer minute.
fn crowded(channel: &Channel, row: &NoticeRow, now: Ms) -> bool {
    let half = 1_800_000;
    let into = now.rem_euclid(half);
    channel.kind.is_crowded() && row.notice.kind == "digest" && (into < CROWDED || half - into < CROWDED)
}

/// Sends one message and says what came of it.
pub async fn send(
    client: &Client,
    channel: &Channel,
    row: &NoticeRow,
    environment: &str,
    now: Ms,
) -> Verdict {
    let redactor = channel.redactor();
    if let Some(server) = &channel.mail {
        let text = channel.text(&row.notice.title, &row.notice.body);
        let body = text.split_once('\n').map_or("", |(_, body)| body);
        return clean(mail::send(server, row, body).await, &redactor);
    }
    let Some(wire) = channel.wire(row, environment, now) else {
        return Verdict::Refused("no such channel".to_owned());
    };
    let allow = match allow_list(channel) {
        Ok(allow) => allow,
        Err(why) => return Verdict::Refused(redactor.redact(&why)),
    };
    let total = std::time::Duration::from_secs(SECONDS);
    let request = Request {
        method: "POST",
        url: &wire.url,
        headers: &wire.headers,
        body: wire.body,
        timeouts: Timeouts {
            first_byte: total,
            total,
            ..Timeouts::default()
        },
        read_cap: ANSWER_MAX,
        gzip: false,
        allow: &allow,
    };
    match client.send(request).await {
        Ok(answer) => channel.judge(answer.status, &answer.body),
        Err(error) => Verdict::Refused(redactor.redact(&error.to_string())),
    }
}

fn clean(verdict: Verdict, redactor: &Redactor) -> Verdict {
    match verdict {
        Verdict::Taken(said) => Verdict::Taken(redactor.redact(&said)),
        Verdict::TooMany(said, pause) => Verdict::TooMany(redactor.redact(&said), pause),
        Verdict::Refused(said) => Verdict::Refused(redactor.redact(&said)),
    }
}

/// A channel may go to its own host and nowhere else.
fn allow_list(channel: &Channel) -> Result<AllowList, String> {
    let allow = AllowList::parse([channel.url.expose()]);
    // The entry is the secret address: only that it is none is told.
    let allow = allow.map_err(|_| "the address is no http(s) address".to_owned())?;
    Ok(allow
        .plain_http(channel.plain_http)
        .private_network(channel.private_network))
}

/// A client for messages.
pub fn client() -> Result<Client, AppError> {
    Client::new(transport::Settings::default()).map_err(|error| AppError::bug(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::channel::ChannelKind;
    use crate::notify::channel::tests::{channel, row};

    #[test]
    fn a_message_is_tried_again_and_given_up_at_last() {
        let refused = |tries| noted(Verdict::Refused("no".to_owned()), tries, 1_000).0;
        let pauses: Vec<Delivery> = (0..6).map(refused).collect();
        let want = [61_000, 301_000, 901_000, 3_601_000, 14_401_000].map(Delivery::Later);
        assert_eq!(pauses[..5], want);
        assert_eq!(pauses[5], Delivery::Failed);
        let many = |tries| noted(Verdict::TooMany("slow".to_owned(), 600_000), tries, 1_000).0;
        assert_eq!(many(59), Delivery::Later(601_000));
        assert_eq!(many(60), Delivery::Failed);
        assert_eq!(noted(Verdict::Taken("ok".to_owned()), 3, 1_000).0, Delivery::Sent);
    }

    #[test]
    fn digests_keep_away_from_the_full_hour_at_feishu() {
        let (feishu, dingtalk) = (channel(ChannelKind::Feishu), channel(ChannelKind::Dingtalk));
        let hour = 1_700_000_000_000 / 3_600_000 * 3_600_000;
        for (minutes, want) in [
            (0, true),
            (1, true),
            (2, false),
            (28, false),
            (29, true),
            (31, true),
            (32, false),
            (59, true),
        ] {
            let now = hour + minutes * 60_000;
            assert_eq!(crowded(&feishu, &row("digest"), now), want, "{minutes}");
            assert!(!crowded(&feishu, &row("problem"), now) && !crowded(&dingtalk, &row("digest"), now));
        }
    }

    /// Within its limit at every instant: at most `calls` in any `per` milliseconds.
    #[test]
    fn no_platform_gets_more_than_it_takes() {
        for (kind, limits) in [
            (ChannelKind::Dingtalk, &[(20, 60_000)][..]),
            (ChannelKind::Wecom, &[(20, 60_000)]),
            (ChannelKind::Feishu, &[(100, 60_000), (5, 1_000)]),
        ] {
            let (post, channel) = (Post::default(), channel(kind));
            let mut sent = Vec::new();
            for now in (0..180_000).step_by(50) {
                post.with(&channel, |limiter| {
                    if limiter.next_allowed(now) == Next::Now {
                        limiter.start(now);
                        limiter.end(now);
                        sent.push(now);
                    }
                });
            }
            for &(calls, per) in limits {
                for start in &sent {
                    let within = sent
                        .iter()
                        .filter(|at| (*start..start + per).contains(*at))
                        .count();
                    assert!(within <= calls, "{kind:?}: {within} within {per} ms");
                }
            }
            assert!(sent.len() >= 40, "{kind:?}: only {}", sent.len());
        }
    }
}
