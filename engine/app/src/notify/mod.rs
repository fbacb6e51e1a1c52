//! Telling people what went wrong: rules over what happens, messages to where they look.
//!
//! [`Notifier`] is what a service feeds: [`Notifier::tell`] with what happened, [`Notifier::tick`] every few seconds. What
//! is told and when is [`watch`]'s, its words are [`words`]', the platforms are [`channel`]'s and the way is [`post`]'s.
//! Every message stands in the ledger before it is sent, and with the platform's answer afterwards.

pub mod channel;
pub mod config;
pub mod follow;
mod mail;
pub mod post;
pub mod watch;
pub mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use connector::Redactor;
use dsl::Failure;
use flow::ids::Ms;
use jiff::tz::TimeZone;
use ledger::Reader;
use ledger::room::Tight;
use ledger::service::notices::{CauseRow, Delivery, NewNotice, NoticeRow};
use transport::Client;

use crate::clock::Clock;
use crate::error::AppError;
use crate::run::Engine;
use crate::store::Store;
use crate::workspace::Workspace;
use channel::{Channel, Verdict};
use config::Notify;
use post::Post;
use watch::{Event, Key, Message, Open, Standing, State, Watch};
use words::Manner;

/// Messages that are sent in one tick: the others are the next one's, so that a tick ends.
const AT_ONCE: u32 = 20;
/// How long the history of messages is kept: a quarter, like documents.
const KEPT: Ms = 90 * 86_400_000;
/// The zone that messages tell times in.
const ZONE: &str = "Asia/Shanghai";

/// Tells people. Shared by whoever has something to tell.
pub struct Notifier {
    manner: Manner,
    channels: BTreeMap<String, Result<Channel, Failure>>,
    watch: Mutex<Watch>,
    post: Post,
    client: Client,
    store: Store,
    clock: Arc<dyn Clock>,
    redactor: Redactor,
    room: (ledger::room::Room, PathBuf),
    /// How often each scheme should run, as far as the service said so.
    intervals: Mutex<BTreeMap<String, Option<Ms>>>,
    began: Ms,
}

impl Notifier {
    /// For the engine's environment; `None` = there is no `notify.yaml` beside the connections file. A channel whose
    /// secrets are missing keeps none of the others from being used; its messages wait, and the history says why.
    pub fn open(engine: &Engine, clock: Arc<dyn Clock>) -> Result<Option<Self>, AppError> {
        let workspace = &engine.workspace;
        let Some(notify) = config::beside(workspace.connections_path())? else {
            return Ok(None);
        };
        let store = engine.store().clone();
        let open = store.reader().notice_causes()?;
        let open = open.into_iter().map(|row| {
            let counts = (row.seen, row.untold, row.digests);
            let kept = Open::kept(row.since, row.told, counts, row.escalated, row.recovered);
            ((row.rule, row.subject), kept)
        });
        let channels: BTreeMap<String, Result<Channel, Failure>> = notify
            .channels
            .iter()
            .map(|one| (one.name.clone(), one.resolve(workspace.secrets())))
            .collect();
        let redactor = Redactor::default();
        for channel in channels.values().flatten() {
            redactor.learn_from(&channel.redactor());
        }
        Ok(Some(Notifier {
            watch: Mutex::new(Watch::new(notify.rules.clone(), open)),
            manner: manner(workspace, &notify),
            channels,
            post: Post::default(),
            client: post::client()?,
            store,
            began: clock.now_ms(),
            clock,
            redactor,
            room: (workspace.room(), workspace.data_dir()),
            intervals: Mutex::default(),
        }))
    }

    /// How often schemes should run, by their id; `None` = not on a schedule, or paused. What is not named is not
    /// watched for lateness.
    pub fn set_intervals(&self, intervals: BTreeMap<String, Option<Ms>>) {
        *self.intervals.lock().unwrap_or_else(PoisonError::into_inner) = intervals;
    }

    /// Something happened. The message, if there is one, is in the ledger when this returns.
    pub async fn tell(&self, event: &Event) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        let messages = self.watch(|watch| watch.tell(event, now));
        self.keep(messages, now).await
    }

    /// Looks how everything stands, and sends what is due. Call it every 15 seconds or so.
    pub async fn tick(&self) -> Result<(), AppError> {
        let now = self.clock.now_ms();
        let state = self.state(now)?;
        let messages = self.watch(|watch| watch.look(&state, now));
        self.keep(messages, now).await?;
        self.send(now).await
    }

    fn watch<T>(&self, work: impl FnOnce(&mut Watch) -> T) -> T {
        work(&mut self.watch.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn state(&self, now: Ms) -> Result<State, AppError> {
        let reader = self.store.reader();
        let intervals = self
            .intervals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let schemes = standings(reader, &intervals, self.began)?;
        let (room, dir) = &self.room;
        let disk = match room.tight(dir)? {
            Some(Tight::Disk { free, least }) => Some((free, least)),
            Some(Tight::Ledger { .. }) | None => None,
        };
        Ok(State {
            schemes,
            circuits: reader.open_circuits(now)?,
            disk,
        })
    }

    /// Puts messages into the outbox together with what is now known of their causes.
    async fn keep(&self, messages: Vec<Message>, now: Ms) -> Result<(), AppError> {
        let (kept, forgotten) = self.watch(Watch::changes);
        if messages.is_empty() && kept.is_empty() && forgotten.is_empty() {
            return Ok(());
        }
        let notices: Vec<NewNotice> = messages.iter().flat_map(|one| self.notices(one)).collect();
        let causes: Vec<CauseRow> = kept.into_iter().filter_map(cause_row).collect();
        let forgotten: Vec<(String, String, String)> = forgotten
            .into_iter()
            .map(|(rule, subject)| (rule.clone(), subject, rule))
            .collect();
        let told = self
            .store
            .with_ledger(move |ledger| ledger.tell_notices(&notices, &causes, &forgotten, now));
        Ok(told.await??)
    }

    fn notices(&self, message: &Message) -> Vec<NewNotice> {
        let (title, body) = words::words(message, &self.manner);
        let (title, body) = (self.redactor.redact(&title), self.redactor.redact(&body));
        let subject = match message.of {
            1 => message.subjects.first().cloned().unwrap_or_default(),
            _ => String::new(),
        };
        let notice = |channel: &String| NewNotice {
            channel: channel.clone(),
            rule: message.rule.name.clone(),
            subject: subject.clone(),
            cause: message.rule.when.word().to_owned(),
            kind: message.kind.word().to_owned(),
            title: title.clone(),
            body: body.clone(),
        };
        message.rule.channels.iter().map(notice).collect()
    }

    async fn send(&self, now: Ms) -> Result<(), AppError> {
        for row in self.store.reader().due_notices(now, AT_ONCE)? {
            let delivered = match self.channels.get(&row.notice.channel) {
                Some(Ok(channel)) => {
                    self.post
                        .deliver(&self.client, channel, &row, &self.manner.environment, now)
                        .await
                }
                // Tried again as if the platform had refused: somebody may set the secret.
                Some(Err(failure)) => Some(post::unusable(&row, failure, self.manner.lang, now)),
                None => Some((Delivery::Failed, "no such channel".to_owned())),
            };
            if let Some((delivery, answer)) = delivered {
                let at = self.clock.now_ms();
                let noted = self
                    .store
                    .with_ledger(move |ledger| ledger.notice_delivered(row.id, &delivery, &answer, at));
                noted.await??;
            }
        }
        if now.saturating_sub(self.began) % 86_400_000 < 60_000 {
            let pruned = self
                .store
                .with_ledger(move |ledger| ledger.prune_notices(now.saturating_sub(KEPT)));
            pruned.await??;
        }
        Ok(())
    }
}

fn manner(workspace: &Workspace, notify: &Notify) -> Manner {
    Manner {
        lang: notify.lang,
        environment: workspace.environment().to_owned(),
        link: notify.link.clone(),
        zone: TimeZone::get(ZONE).unwrap_or(TimeZone::UTC),
    }
}

/// A cause as it is kept; one that was not told yet is seen again after a restart anyway.
fn cause_row(((rule, subject), open): (Key, Open)) -> Option<CauseRow> {
    Some(CauseRow {
        cause: rule.clone(),
        rule,
        subject,
        since: open.since,
        told: open.told?,
        seen: open.seen,
        untold: open.untold,
        digests: open.digests,
        escalated: open.escalated,
        recovered: open.recovered,
    })
}

fn standings(
    reader: &Reader,
    intervals: &BTreeMap<String, Option<Ms>>,
    began: Ms,
) -> Result<Vec<Standing>, AppError> {
    let mut schemes: BTreeMap<String, Standing> = BTreeMap::new();
    for row in reader.troubles()? {
        let standing = Standing {
            scheme: row.scheme.clone(),
            dead: row.dead,
            held: row.held,
            unknown: row.unknown,
            unknown_since: row.unknown_since,
            ..Standing::default()
        };
        schemes.insert(row.scheme, standing);
    }
    let late: Vec<&String> = intervals
        .iter()
        .filter(|(_, interval)| interval.is_some())
        .map(|(id, _)| id)
        .collect();
    let succeeded = match late.is_empty() {
        true => BTreeMap::new(),
        false => reader.last_successes()?,
    };
    for (scheme, interval) in intervals {
        let one = schemes.entry(scheme.clone()).or_insert_with(|| Standing {
            scheme: scheme.clone(),
            ..Standing::default()
        });
        one.interval = *interval;
        // While nobody was there to run it, nothing could succeed.
        one.last_success = Some(succeeded.get(scheme).copied().unwrap_or(began).max(began));
    }
    Ok(schemes.into_values().collect())
}

/// What a trial of a channel came to.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The channel.
    pub channel: String,
    /// The word of its kind.
    pub kind: &'static str,
    /// It was taken.
    pub taken: bool,
    /// The platform's words.
    pub answer: String,
}

/// Sends one message to a channel, now; nothing of it is kept.
pub async fn test(workspace: &Workspace, name: &str, now: Ms) -> Result<Tried, AppError> {
    let Some(notify) = config::beside(workspace.connections_path())? else {
        return Err(AppError::wrong_use(
            "连接文件旁边没有 notify.yaml;写法见 docs/operations.zh.md",
            "there is no notify.yaml beside the connections file; docs/operations.md says how it is written",
        ));
    };
    let Some(written) = notify.channels.iter().find(|one| one.name == name) else {
        let all: Vec<&str> = notify.channels.iter().map(|one| one.name.as_str()).collect();
        return Err(AppError::no_such(("渠道", "channel"), name, &all));
    };
    let channel = written.resolve(workspace.secrets())?;
    let manner = manner(workspace, &notify);
    let (title, body) = words::trial(name, &manner, now);
    let row = NoticeRow {
        id: 0,
        at: now,
        notice: NewNotice {
            channel: name.to_owned(),
            rule: "test".to_owned(),
            subject: String::new(),
            cause: "test".to_owned(),
            kind: "test".to_owned(),
            title,
            body,
        },
        state: "waiting".to_owned(),
        tries: 0,
        next: now,
        done: None,
        answer: None,
    };
    let verdict = post::send(&post::client()?, &channel, &row, &manner.environment, now).await;
    let (taken, answer) = match verdict {
        Verdict::Taken(said) => (true, said),
        Verdict::TooMany(said, _) | Verdict::Refused(said) => (false, said),
    };
    Ok(Tried {
        channel: name.to_owned(),
        kind: written.kind.word(),
        taken,
        answer,
    })
}
