//! The bytes behind the flow's handles, handed to the ledger together with the ops that name them.

use std::collections::BTreeMap;
use std::sync::Arc;

use flow::ids::Blob;

/// Source rows and payloads by handle.
#[derive(Clone, Default)]
pub struct Blobs(BTreeMap<u64, Arc<[u8]>>);

impl Blobs {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts bytes behind a handle.
    pub fn insert(&mut self, blob: Blob, bytes: impl Into<Arc<[u8]>>) {
        self.0.insert(blob.0, bytes.into());
    }

    /// The bytes behind a handle.
    pub fn get(&self, blob: Blob) -> Option<&Arc<[u8]>> {
        self.0.get(&blob.0)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<B: Into<Arc<[u8]>>> FromIterator<(Blob, B)> for Blobs {
    fn from_iter<I: IntoIterator<Item = (Blob, B)>>(items: I) -> Self {
        Blobs(
            items
                .into_iter()
                .map(|(blob, bytes)| (blob.0, bytes.into()))
                .collect(),
        )
    }
}

impl std::fmt::Debug for Blobs {
    /// Counts only: rows are business data and have no place in a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes: usize = self.0.values().map(|bytes| bytes.len()).sum();
        write!(f, "Blobs({} of {bytes} bytes)", self.0.len())
    }
}
