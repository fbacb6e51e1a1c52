//! Telling people what went wrong: rules over what happens, messages to where they look.
//!
//! [`Notifier`] is what a service feeds: [`Notifier::tell`] with what happened, [`Notifier::tick`] every few seconds. What
//! is told and when is [`watch`]'s, its words are [`words`]', the platforms are [`channel`]'s and the way is [`sender`]'s.
//! Every message stands in the ledger before it is sent, and with the platform's answer afterwards.

pub mod cause;
mod causes;
pub mod channel;
pub mod config;
pub mod follow;
mod mail;
pub mod message;
pub mod mute;
pub mod post;
pub mod rule;
pub mod sender;
pub mod sight;
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
use ledger::service::notices::{CauseRow, NewNotice, NoticeRow};

use crate::callers::Callers;
use crate::clock::Clock;
use crate::error::AppError;
use crate::run::Engine;
use crate::workspace::Workspace;
use cause::{Key, Open};
use channel::{Channel, Verdict};
use config::Notify;
use message::{Kind, Message};
use mute::{Mute, Mutes};
use sender::{Channels, Sender};
use sight::{Event, Standing, Stands, State};
use watch::Watch;
use words::Manner;

/// How long the history of messages is kept: a quarter, like documents.
const KEPT: Ms = 90 * 86_400_000;
/// The zone that messages tell times in.
const ZONE: &str = "Asia/Shanghai";

/// Tells people. Shared by whoever has something to tell.
pub struct Notifier {
    watch: Mutex<Watch>,
    sender: Arc<Sender>,
    callers: Arc<Callers>,
    redactor: Redactor,
    room: (ledger::room::Room, PathBuf),
    /// How often each scheme should run, as far as the service said so.
    intervals: Mutex<BTreeMap<String, Option<Ms>>>,
    began: Ms,
}

impl Notifier {
    /// For the engine's environment; `None` = there is no `notify.yaml` beside the connections file. A channel whose
    /// secrets are missing keeps none of the others from being used; its messages wait, and the history says why.
    pub fn open(
        engine: &Engine,
        clock: Arc<dyn Clock>,
        kept: Arc<Channels>,
    ) -> Result<Option<Self>, AppError> {
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
            callers: Arc::clone(engine.callers()),
            redactor,
            began: clock.now_ms(),
            room: (workspace.room(), workspace.data_dir()),
            intervals: Mutex::default(),
            sender: Arc::new(Sender {
                kept,
                channels,
                client: post::client()?,
                store,
                clock,
                manner: manner(workspace, &notify),
                mutes: Mutes::new(&workspace.data_dir()),
            }),
        }))
    }

    /// How often schemes should run, by their id; `None` = not on a schedule, or paused. What is not named is not
    /// watched for lateness.
    pub fn set_intervals(&self, intervals: BTreeMap<String, Option<Ms>>) {
        *self.intervals.lock().unwrap_or_else(PoisonError::into_inner) = intervals;
    }

    /// Something happened. The message, if there is one, is in the ledger when this returns.
    pub async fn tell(&self, event: &Event) -> Result<(), AppError> {
        let now = self.now_ms();
        let messages = self.watch(|watch| watch.tell(event, now));
        self.keep(messages, now).await
    }

    /// Asks the ledger what is wrong by now, where events may have been missed.
    pub async fn ask(&self) -> Result<(), AppError> {
        let now = self.now_ms();
        let stands = self.stands()?;
        let messages = self.watch(|watch| watch.asked(&stands, now));
        self.keep(messages, now).await
    }

    /// Looks how everything stands, and begins to send what is due. Call it every 15 seconds or so.
    pub async fn tick(&self) -> Result<(), AppError> {
        let now = self.now_ms();
        let state = self.state(now)?;
        let messages = self.watch(|watch| watch.look(&state, now));
        self.keep(messages, now).await?;
        // What waits is tried again whatever becomes of the rest.
        self.sender.begin()?;
        self.end_mutes(now).await?;
        self.prune(now).await
    }

    fn now_ms(&self) -> Ms {
        self.sender.clock.now_ms()
    }

    fn watch<T>(&self, work: impl FnOnce(&mut Watch) -> T) -> T {
        work(&mut self.watch.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn state(&self, now: Ms) -> Result<State, AppError> {
        let reader = self.sender.store.reader();
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
            credentials: self.callers.credentials(self.sender.manner.lang),
            disk,
        })
    }

    /// How the schemes of the service stand by their last runs and their pauses.
    fn stands(&self) -> Result<Vec<Stands>, AppError> {
        let reader = self.sender.store.reader();
        let mut runs = reader.last_ends()?;
        let remembered = reader.timetable()?;
        let intervals = self
            .intervals
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let of = |scheme: String| {
            let run = runs.remove(&scheme);
            let paused = remembered.get(&scheme).and_then(|known| known.paused.as_ref());
            let failed = run.as_ref().filter(|run| run.failed);
            Stands {
                ended: run.as_ref().map(|run| run.at),
                failed: failed.map(|run| run.reason.as_ref().map(follow::said)),
                paused: paused.map(|paused| paused.reason.text.clone()),
                scheme,
            }
        };
        Ok(intervals.into_keys().map(of).collect())
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
        let is_news = !notices.is_empty();
        let told = self
            .sender
            .store
            .with_ledger(move |ledger| ledger.tell_notices(&notices, &causes, &forgotten, now));
        told.await??;
        // News waits for no tick.
        if is_news { self.sender.begin() } else { Ok(()) }
    }

    /// Channels that may speak again are told what they missed.
    async fn end_mutes(&self, now: Ms) -> Result<(), AppError> {
        for channel in self.sender.channels.keys() {
            let over = self
                .sender
                .mutes
                .readable(channel)
                .filter(|mute| mute.until <= now);
            let Some(mute) = over.filter(|mute| !self.sender.kept.was_unmuted(channel, *mute)) else {
                continue;
            };
            let unsaid = self.sender.store.reader().unsaid_notices(channel, mute.since)?;
            let open = self.watch(|watch| watch.open_at(channel));
            if unsaid > 0 || !open.is_empty() {
                let notice = self.unmuted(channel, mute, unsaid, &open);
                let told = self
                    .sender
                    .store
                    .with_ledger(move |ledger| ledger.tell_notices(&[notice], &[], &[], now));
                told.await??;
            }
            // A process that dies before this tells it twice.
            if let Err(error) = self.sender.mutes.forget(channel, mute) {
                tracing::warn!(channel, "notifications: {error}");
                self.sender.kept.unmuted(channel, mute);
            }
        }
        // News waits for no tick.
        self.sender.begin()
    }

    fn unmuted(&self, channel: &str, mute: Mute, unsaid: u64, open: &[Key]) -> NewNotice {
        let between = (mute.since, mute.until);
        let (title, body) = words::unmuted(between, unsaid, open, &self.sender.manner);
        NewNotice {
            channel: channel.to_owned(),
            rule: "mute".to_owned(),
            subject: channel.to_owned(),
            cause: "mute".to_owned(),
            kind: Kind::Digest.word().to_owned(),
            title: self.redactor.redact(&title),
            body: self.redactor.redact(&body),
        }
    }

    fn notices(&self, message: &Message) -> Vec<NewNotice> {
        let (title, body) = words::words(message, &self.sender.manner);
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

    async fn prune(&self, now: Ms) -> Result<(), AppError> {
        // In the first minute of each day of this process.
        if now.saturating_sub(self.began) % 86_400_000 < 60_000 {
            let before = now.saturating_sub(KEPT);
            let pruned = self
                .sender
                .store
                .with_ledger(move |ledger| ledger.prune_notices(before));
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

/// A channel, without its secrets.
#[derive(Debug, Clone)]
pub struct Told {
    /// Its name.
    pub name: String,
    /// The word of its kind.
    pub kind: &'static str,
    /// Why it cannot be used: a secret of it is missing.
    pub trouble: Option<Failure>,
}

/// The channels of the `notify.yaml` beside the connections file; none where there is no such file.
pub fn channels(workspace: &Workspace) -> Result<Vec<Told>, AppError> {
    let Some(notify) = config::beside(workspace.connections_path())? else {
        return Ok(Vec::new());
    };
    let told = notify.channels.iter().map(|written| Told {
        name: written.name.clone(),
        kind: written.kind.word(),
        trouble: written.resolve(workspace.secrets()).err(),
    });
    Ok(told.collect())
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
    let notify = written(workspace)?;
    let written = there(&notify, name)?;
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

/// Silences a channel until an instant, whether a service runs or not.
pub fn mute(workspace: &Workspace, name: &str, now: Ms, until: Ms) -> Result<Mute, AppError> {
    there(&written(workspace)?, name)?;
    if until.saturating_sub(now) > mute::LONGEST {
        let days = mute::LONGEST / 86_400_000;
        return Err(AppError::wrong_use(
            format!("静音最长 {days} 天"),
            format!("a channel may be silent for {days} days at most"),
        ));
    }
    Mutes::new(&workspace.data_dir()).set(name, now, until)
}

fn written(workspace: &Workspace) -> Result<Notify, AppError> {
    config::beside(workspace.connections_path())?.ok_or_else(|| {
        AppError::wrong_use(
            "连接文件旁边没有 notify.yaml;写法见 docs/operations.zh.md",
            "there is no notify.yaml beside the connections file; docs/operations.md says how it is written",
        )
    })
}

fn there<'n>(notify: &'n Notify, name: &str) -> Result<&'n config::Written, AppError> {
    notify
        .channels
        .iter()
        .find(|one| one.name == name)
        .ok_or_else(|| {
            let all: Vec<&str> = notify.channels.iter().map(|one| one.name.as_str()).collect();
            AppError::no_such(("渠道", "channel"), name, &all)
        })
}
