//! The outbox at work: what is due is read channel by channel, and each channel has a task of its own that sends it.
//!
//! A channel that answers slowly, or not at all, keeps only its own messages waiting. There is at most one task for a
//! channel, over reloads too, so that no message is on its way twice; the tasks are as many as notify.yaml has channels.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use dsl::Failure;
use ledger::service::notices::{Delivery, NoticeRow};
use transport::Client;

use super::channel::Channel;
use super::mute::{Mute, Mutes};
use super::post::{self, Post};
use super::words::{self, Manner};
use crate::clock::Clock;
use crate::error::AppError;
use crate::store::Store;

/// Messages that a task sends before it ends: the others are the next one's, which knows what was muted meanwhile.
const AT_ONCE: u32 = 20;

/// What is kept of channels when the files are read again: how many messages they took, and which are being sent to.
#[derive(Debug, Default)]
pub struct Channels {
    pub(super) post: Post,
    busy: Mutex<BTreeSet<String>>,
    /// Silences whose end was told and whose file cannot be written: one of each channel.
    unmuted: Mutex<BTreeMap<String, Mute>>,
}

impl Channels {
    /// The end of a silence was told, and its file still says it.
    pub(super) fn unmuted(&self, channel: &str, mute: Mute) {
        let mut unmuted = self.unmuted.lock().unwrap_or_else(PoisonError::into_inner);
        unmuted.insert(channel.to_owned(), mute);
    }

    /// Whether the end of this silence was told.
    pub(super) fn was_unmuted(&self, channel: &str, mute: Mute) -> bool {
        let unmuted = self.unmuted.lock().unwrap_or_else(PoisonError::into_inner);
        unmuted.get(channel) == Some(&mute)
    }
}

/// A channel that is being sent to, as long as this is there.
struct Busy {
    all: Arc<Channels>,
    name: String,
}

impl Busy {
    fn take(all: &Arc<Channels>, name: &str) -> Option<Self> {
        let mut busy = all.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.insert(name.to_owned()).then(|| Busy {
            all: Arc::clone(all),
            name: name.to_owned(),
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut busy = self.all.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.remove(&self.name);
    }
}

/// Sends.
pub(super) struct Sender {
    pub(super) kept: Arc<Channels>,
    pub(super) channels: BTreeMap<String, Result<Channel, Failure>>,
    pub(super) client: Client,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) manner: Manner,
    pub(super) mutes: Mutes,
}

impl Sender {
    /// Begins to send what is due, and waits for nothing of it.
    pub(super) fn begin(self: &Arc<Self>) -> Result<(), AppError> {
        let due = self.store.reader().due_channels(self.clock.now_ms())?;
        for channel in due {
            let Some(busy) = Busy::take(&self.kept, &channel) else {
                continue;
            };
            let sender = Arc::clone(self);
            tokio::spawn(async move {
                if let Err(error) = sender.send(&busy.name).await {
                    tracing::warn!(channel = busy.name, "notifications: {error}");
                }
            });
        }
        Ok(())
    }

    async fn send(&self, channel: &str) -> Result<(), AppError> {
        let due = self
            .store
            .reader()
            .due_notices(channel, self.clock.now_ms(), AT_ONCE)?;
        for row in due {
            if let Some((delivery, answer)) = self.deliver(channel, &row).await? {
                let at = self.clock.now_ms();
                let noted = self
                    .store
                    .with_ledger(move |ledger| ledger.notice_delivered(row.id, &delivery, &answer, at));
                noted.await??;
            }
        }
        Ok(())
    }

    /// What became of one message; `None` = it waits.
    async fn deliver(&self, name: &str, row: &NoticeRow) -> Result<Option<(Delivery, String)>, AppError> {
        let now = self.clock.now_ms();
        if let Some(mute) = self.mutes.readable(name).filter(|mute| now < mute.until) {
            return Ok(Some((Delivery::Muted, words::muted(mute.until, &self.manner))));
        }
        Ok(match self.channels.get(name) {
            Some(Ok(channel)) => {
                let environment = &self.manner.environment;
                let sent = self
                    .kept
                    .post
                    .deliver(&self.client, channel, row, environment, &*self.clock);
                sent.await
            }
            // Tried again as if the platform had refused: somebody may set the secret.
            Some(Err(failure)) => Some(post::unusable(row, failure, self.manner.lang, now)),
            None => Some((Delivery::Failed, "no such channel".to_owned())),
        })
    }
}
