//! The one thread that writes. Submissions that wait together share one transaction, so one sync of the disk.
//!
//! A submission is answered after it is durable; each is all or nothing by itself. Order is the order of submission.
//! The thread ends, and with it the lock on the data directory, when the last handle is dropped.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use flow::op::{LedgerOp, LedgerReply};
use tokio::sync::{mpsc, oneshot};

use crate::apply::Work;
use crate::error::StoreError;
use crate::{Blobs, Ledger, Reader};

/// Submissions that may wait. Each run has one under way, so this is far more than the runs of one process.
const QUEUE: usize = 256;

/// Submissions that share a transaction: a bound on what one failure takes back and on how long an answer waits.
const GROUP: usize = 32;

/// What a submission comes to.
pub type Answer = Result<Vec<LedgerReply>, StoreError>;

/// Work on the ledger itself, between two transactions.
type Errand = Box<dyn FnOnce(&mut Ledger) + Send>;

enum Message {
    Apply(Work, oneshot::Sender<Answer>),
    Errand(Errand),
}

/// A handle to the writer thread.
#[derive(Clone)]
pub struct Writer {
    // Before the thread: the connection that is closed last folds the log into the file, and only one that writes can.
    reader: Reader,
    shared: Arc<Shared>,
}

struct Shared {
    /// `None` only while the last handle is dropped.
    queue: Option<mpsc::Sender<Message>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Gives the ledger to a thread of its own.
    pub fn spawn(ledger: Ledger) -> Result<Self, StoreError> {
        let reader = ledger.reader();
        let (queue, incoming) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || work(ledger, incoming))
            .map_err(|e| StoreError::Io { what: e.to_string() })?;
        let shared = Shared {
            queue: Some(queue),
            thread: Mutex::new(Some(thread)),
        };
        Ok(Writer {
            shared: Arc::new(shared),
            reader,
        })
    }

    /// A handle for questions.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Hands in one transaction without waiting; the answer comes on the channel, which needs no runtime. Refused when
    /// the queue is full.
    pub fn submit(&self, ops: Vec<LedgerOp>, blobs: Blobs) -> Result<oneshot::Receiver<Answer>, StoreError> {
        let (answer, receiver) = oneshot::channel();
        match self.queue()?.try_send(Message::Apply((ops, blobs), answer)) {
            Ok(()) => Ok(receiver),
            Err(mpsc::error::TrySendError::Full(_)) => Err(StoreError::QueueFull),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(StoreError::Closed),
        }
    }

    /// Applies one transaction; returns when it is durable. Waits while the queue is full.
    pub async fn apply(&self, ops: Vec<LedgerOp>, blobs: Blobs) -> Answer {
        let (answer, receiver) = oneshot::channel();
        self.queue()?
            .send(Message::Apply((ops, blobs), answer))
            .await
            .map_err(|_| StoreError::Closed)?;
        receiver.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Work that is not a list of ops (an index for a new field, the origin of a connection), between two transactions.
    pub async fn with_ledger<T: Send + 'static>(
        &self,
        errand: impl FnOnce(&mut Ledger) -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, receiver) = oneshot::channel();
        let errand: Errand = Box::new(move |ledger| {
            // Nobody may be waiting any more; the work is done all the same.
            drop(answer.send(errand(ledger)));
        });
        self.queue()?
            .send(Message::Errand(errand))
            .await
            .map_err(|_| StoreError::Closed)?;
        receiver.await.map_err(|_| StoreError::Closed)
    }

    fn queue(&self) -> Result<&mpsc::Sender<Message>, StoreError> {
        self.shared.queue.as_ref().ok_or(StoreError::Closed)
    }
}

impl Drop for Shared {
    /// What was submitted is still applied; then the thread ends and the data directory is free.
    fn drop(&mut self) {
        self.queue = None;
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
        {
            // A panic of the writer was seen by everybody who waited for it.
            drop(thread.join());
        }
    }
}

fn work(mut ledger: Ledger, mut incoming: mpsc::Receiver<Message>) {
    let mut next = None;
    while let Some(message) = next.take().or_else(|| incoming.blocking_recv()) {
        match message {
            Message::Errand(errand) => errand(&mut ledger),
            Message::Apply(first, answer) => {
                let (mut group, mut answers) = (vec![first], vec![answer]);
                while group.len() < GROUP {
                    match incoming.try_recv() {
                        Ok(Message::Apply(work, answer)) => {
                            group.push(work);
                            answers.push(answer);
                        }
                        Ok(errand @ Message::Errand(_)) => {
                            next = Some(errand);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                for (answer, result) in answers.into_iter().zip(ledger.apply_group(&group)) {
                    // Whoever asked may have gone; the work is durable all the same.
                    drop(answer.send(result));
                }
            }
        }
    }
}
