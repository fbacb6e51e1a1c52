//! The ledger as the shell uses it: the file behind its writer thread, or a copy in memory for a rehearsal.

use flow::op::{LedgerOp, LedgerReply};
use ledger::{Blobs, Ledger, Reader, StoreError, Writer};

/// Where a run's transactions go.
pub(crate) struct Store {
    inner: Inner,
    reader: Reader,
}

enum Inner {
    File(Writer),
    Memory(Box<Ledger>),
}

impl Store {
    /// The ledger file; transactions are durable when they are answered.
    pub(crate) fn file(ledger: Ledger) -> Result<Self, StoreError> {
        let reader = ledger.reader();
        Ok(Store {
            inner: Inner::File(Writer::spawn(ledger)?),
            reader,
        })
    }

    /// A ledger in memory, forgotten at the end.
    pub(crate) fn memory(ledger: Ledger) -> Self {
        let reader = ledger.reader();
        Store {
            inner: Inner::Memory(Box::new(ledger)),
            reader,
        }
    }

    /// Applies ops as one transaction.
    pub(crate) async fn apply(
        &mut self,
        ops: Vec<LedgerOp>,
        blobs: Blobs,
    ) -> Result<Vec<LedgerReply>, StoreError> {
        match &mut self.inner {
            Inner::File(writer) => writer.apply(ops, blobs).await,
            Inner::Memory(ledger) => ledger.apply(&ops, &blobs),
        }
    }

    /// For queries.
    pub(crate) fn reader(&self) -> &Reader {
        &self.reader
    }
}
