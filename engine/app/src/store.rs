//! The ledger as the shell uses it: the file behind its writer thread, or a copy in memory for a rehearsal.
//!
//! While its disk is full it waits a while for room: whatever the run is about to do needs the transaction first, so
//! nothing is sent meanwhile. It also says when the source should not be read any further.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flow::ids::Ms;
use flow::op::{LedgerOp, LedgerReply, Reason};
use ledger::room::{Room, Tight};
use ledger::{Blobs, Ledger, Reader, StoreError, Words, Writer};

/// How often a full disk is tried again, a second apart: somebody who makes room is seen at once, and a run that waits
/// longer would look like one that hangs.
const FULL_TRIES: u32 = 30;
const FULL_PAUSE: Duration = Duration::from_secs(1);

/// Where the transactions of runs go. Clones are the same store.
#[derive(Clone)]
pub(crate) struct Store {
    // Before the ledger: the connection that is closed last folds the log into the file, and only one that writes can.
    reader: Reader,
    inner: Inner,
    watch: Option<Arc<Watch>>,
}

/// What is watched of the disk.
pub(crate) struct Watch {
    /// The data directory.
    pub(crate) dir: PathBuf,
    /// Its bounds.
    pub(crate) room: Room,
    /// Words for what is told.
    pub(crate) words: Words,
}

#[derive(Clone)]
enum Inner {
    File(Writer),
    Memory(Arc<Mutex<Ledger>>),
    Reading,
}

impl Store {
    /// The ledger file; transactions are durable when they are answered.
    pub(crate) fn file(ledger: Ledger, watch: Watch) -> Result<Self, StoreError> {
        let reader = ledger.reader();
        Ok(Store {
            inner: Inner::File(Writer::spawn(ledger)?),
            reader,
            watch: Some(Arc::new(watch)),
        })
    }

    /// A ledger in memory, forgotten at the end.
    pub(crate) fn memory(ledger: Ledger) -> Self {
        let reader = ledger.reader();
        Store {
            inner: Inner::Memory(Arc::new(Mutex::new(ledger))),
            reader,
            watch: None,
        }
    }

    /// A ledger that is only asked, beside whoever writes it.
    pub(crate) fn reading(reader: Reader) -> Self {
        Store {
            inner: Inner::Reading,
            reader,
            watch: None,
        }
    }

    /// Why no more may be read from a source for want of room; `None` = there is room.
    pub(crate) fn tight(&self) -> Result<Option<Reason>, StoreError> {
        let Some(watch) = &self.watch else { return Ok(None) };
        let mib = |bytes: u64| format!("{} MiB", bytes >> 20);
        Ok(watch.room.tight(&watch.dir)?.map(|tight| {
            let (code, facts) = match tight {
                Tight::Disk { free, least } => ("E5018", [("free", mib(free)), ("least", mib(least))]),
                Tight::Ledger { bytes, most } => ("E5019", [("bytes", mib(bytes)), ("most", mib(most))]),
            };
            Reason::new(code, (watch.words)(code, &facts))
        }))
    }

    /// Gives up what is older than an instant. The run is done by then: what keeps this from being done is told, and
    /// it is the next run's work. `today` is an instant that no clock which is ahead can make later, `now` what the clock
    /// says.
    pub(crate) async fn prune(&self, before: Ms, today: Ms, now: Ms) -> Result<(), StoreError> {
        if let Inner::File(writer) = &self.inner {
            match writer
                .with_ledger(move |ledger| {
                    ledger.forget_pushes(today)?;
                    ledger.forget_feed(today)?;
                    ledger.heal_feed(now)?;
                    ledger.prune(before, today)
                })
                .await?
            {
                Ok(_) | Err(StoreError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The thread that writes; `None` for a ledger in memory.
    pub(crate) fn writer(&self) -> Option<Writer> {
        match &self.inner {
            Inner::File(writer) => Some(writer.clone()),
            Inner::Memory(_) | Inner::Reading => None,
        }
    }

    /// Applies ops as one transaction; on a full disk, when there is room again.
    pub(crate) async fn apply(
        &self,
        ops: Vec<LedgerOp>,
        blobs: Blobs,
    ) -> Result<Vec<LedgerReply>, StoreError> {
        match &self.inner {
            Inner::File(writer) => {
                for _ in 0..FULL_TRIES {
                    match writer.apply(ops.clone(), blobs.clone()).await {
                        Err(StoreError::Full { .. }) => tokio::time::sleep(FULL_PAUSE).await,
                        answer => return answer,
                    }
                }
                writer.apply(ops, blobs).await
            }
            Inner::Memory(ledger) => ledger
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .apply(&ops, &blobs),
            Inner::Reading => Err(only_read()),
        }
    }

    /// Work on the ledger that is no list of ops, between two transactions of runs.
    pub(crate) async fn with_ledger<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Ledger) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        match &self.inner {
            Inner::File(writer) => writer.with_ledger(errand).await,
            Inner::Memory(ledger) => Ok(errand(&mut ledger.lock().unwrap_or_else(PoisonError::into_inner))),
            Inner::Reading => Err(only_read()),
        }
    }

    /// For queries.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }
}

fn only_read() -> StoreError {
    StoreError::Bug("a ledger that was opened for questions is written".to_owned())
}
