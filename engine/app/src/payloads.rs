//! The shell's side of the flow's opaque handles.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow::ids::Blob;
use ledger::Blobs;

/// Bytes on their way into the ledger. Emptied after each transaction that carried them.
#[derive(Default)]
pub(crate) struct BlobStore {
    next: u64,
    held: BTreeMap<u64, Arc<[u8]>>,
}

impl BlobStore {
    /// Keeps bytes under a new handle.
    pub(crate) fn add(&mut self, bytes: impl Into<Arc<[u8]>>) -> Blob {
        self.next += 1;
        self.held.insert(self.next, bytes.into());
        Blob(self.next)
    }

    /// The bytes behind some handles, for one transaction.
    pub(crate) fn pick(&self, wanted: impl Iterator<Item = Blob>) -> Blobs {
        let mut blobs = Blobs::new();
        self.pick_into(&mut blobs, wanted);
        blobs
    }

    /// The same, beside others of this store.
    pub(crate) fn pick_into(&self, blobs: &mut Blobs, wanted: impl Iterator<Item = Blob>) {
        for blob in wanted {
            if let Some(bytes) = self.held.get(&blob.0) {
                blobs.insert(blob, Arc::clone(bytes));
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.held.clear();
    }
}
