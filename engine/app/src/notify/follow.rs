//! What a service tells a [`Notifier`]: its events, how often its schemes should run, and the time that passes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dsl::catalogue;
use dsl::cron::Hours;
use dsl::plan::When;
use flow::ids::Ms;
use flow::op::Reason;

use super::Notifier;
use super::sender::Channels;
use super::sight::{Event, Said};
use crate::clock::Clock;
use crate::error::AppError;
use crate::service::Service;
use crate::service::events::{Since, What};
use crate::service::fleet::Standing;

/// How often is looked how everything stands, and what is due is sent.
const EVERY: Duration = Duration::from_secs(15);

/// Tells people what happens in a service until it stops; afterwards what is still waiting waits in the ledger. What
/// goes wrong here is logged and keeps nothing else from going on: a `notify.yaml` in error is told, and read again at
/// the next reload. What happens after this returns is told, whenever the future gets its first turn.
pub fn follow(service: Arc<Service>, clock: Arc<dyn Clock>) -> impl Future<Output = ()> + Send {
    // Before the ledger is asked: what happens in between may be counted twice, and is not lost.
    let seen = *service.events().bell().borrow();
    following(service, clock, seen)
}

async fn following(service: Arc<Service>, clock: Arc<dyn Clock>, mut seen: u64) {
    // Over reloads: what a platform took, and what is on its way.
    let channels = Arc::new(Channels::default());
    let mut bell = service.events().bell();
    let mut notifier = opened(&service, &clock, &channels);
    if let Some(notifier) = &notifier {
        // What ended while nobody was there to tell it.
        warn(notifier.ask().await);
    }
    let mut tick = tokio::time::interval(EVERY);
    // After a pause of the machine one look is enough.
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !service.is_stopping() {
        let is_tick = tokio::select! {
            _ = tick.tick() => true,
            rung = bell.changed() => match rung {
                Ok(()) => false,
                Err(_) => return,
            },
        };
        bell.borrow_and_update();
        let events = match service.events().since(Some(seen)) {
            Since::Events(events) => events,
            // More happened than is kept: the ledger knows what came of it.
            Since::Lost(newest) => {
                seen = newest;
                // A reload may be among what was missed.
                notifier = opened(&service, &clock, &channels);
                if let Some(notifier) = &notifier {
                    warn(notifier.ask().await);
                }
                Vec::new()
            }
        };
        for event in events {
            seen = event.id;
            if matches!(event.what, What::Reloaded { .. }) {
                notifier = opened(&service, &clock, &channels);
                // What waited for a sum is in no ledger, and there may have been no rules for it until now.
                if let Some(notifier) = &notifier {
                    warn(notifier.ask().await);
                }
            }
            if let (Some(notifier), Some(event)) = (&notifier, told(&event.what)) {
                warn(notifier.tell(&event).await);
            }
        }
        if let (Some(notifier), true) = (&notifier, is_tick) {
            warn(notifier.tick().await);
        }
    }
}

fn warn(done: Result<(), AppError>) {
    if let Err(error) = done {
        tracing::warn!("notifications: {error}");
    }
}

fn opened(service: &Service, clock: &Arc<dyn Clock>, channels: &Arc<Channels>) -> Option<Notifier> {
    let loaded = service.loaded();
    match Notifier::open(&loaded.engine, Arc::clone(clock), Arc::clone(channels)) {
        Ok(notifier) => {
            let notifier = notifier?;
            notifier.set_intervals(intervals(service));
            Some(notifier)
        }
        Err(error) => {
            let told = error.message(service.lang());
            tracing::error!("notify.yaml is not in force: {told}");
            None
        }
    }
}

/// How often each scheme should run. Where the instants are not evenly spread, by a cron text or because it rests for
/// some hours, lateness is reckoned by the day; what waits for somebody else is never late.
fn intervals(service: &Service) -> BTreeMap<String, Option<Ms>> {
    const DAY: Ms = 86_400_000;
    let loaded = service.loaded();
    let of = |standing: &Standing| {
        let Standing::Ready(plan, _) = standing else {
            return None;
        };
        let schedule = plan.schedule.as_ref()?;
        let rests = schedule.hours != Hours::default() || schedule.quiet != Hours::default();
        match &schedule.when {
            When::Every(ms) if rests => Some(DAY.max(*ms)),
            When::Every(ms) => Some(*ms),
            When::Cron(_) | When::Both { .. } => Some(DAY),
            When::OnPush | When::After => None,
        }
    };
    let all = loaded
        .fleet
        .iter()
        .map(|(id, member)| (id.to_owned(), of(&member.standing)));
    all.collect()
}

/// What an event of a service is to a notifier; `None` = nothing that people are told.
pub(super) fn told(what: &What) -> Option<Event> {
    match what {
        What::RunEnded(end) => Some(Event::RunEnded {
            scheme: end.scheme.clone(),
            failed: end.status == "failed",
            said: end.reason.as_ref().map(said),
        })
        // A run that somebody ended says nothing about the scheme.
        .filter(|_| end.status != "canceled"),
        What::Paused { scheme, reason, .. } => Some(Event::Paused {
            scheme: scheme.clone(),
            reason: reason.text.clone(),
        }),
        What::Resumed { scheme, .. } => Some(Event::Resumed {
            scheme: scheme.clone(),
        }),
        _ => None,
    }
}

/// A reason, with what is known of where it comes from: codes of records are about their values.
pub(super) fn said(reason: &Reason) -> Said {
    let of_record = ["E2", "E41"].iter().any(|family| reason.code.starts_with(family));
    let known = catalogue::find(&reason.code).is_some();
    Said {
        code: reason.code.clone(),
        sentence: reason.text.clone(),
        of_record: of_record && known,
    }
}
