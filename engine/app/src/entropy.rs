//! Random bytes for nonces and request ids. Not for keys.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of 16 random bytes a call: the standard library's randomly seeded hasher over a counter.
#[derive(Debug, Default)]
pub(crate) struct Entropy {
    seed: RandomState,
    drawn: AtomicU64,
}

impl Entropy {
    /// The next 16 bytes.
    pub(crate) fn draw(&self) -> [u8; 16] {
        let nth = self.drawn.fetch_add(1, Ordering::Relaxed);
        let (high, low) = (self.seed.hash_one((nth, 1_u8)), self.seed.hash_one((nth, 2_u8)));
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_le_bytes());
        bytes[8..].copy_from_slice(&low.to_le_bytes());
        bytes
    }
}
