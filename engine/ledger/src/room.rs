//! Room on the disk: whether more may be read from a source.
//!
//! What has been read must be written, settled and kept; a disk that is full stops all of that, while a source can wait.
//! So reading stops first, while there is room left for the records that are under way. Sending needs no look here: a
//! claim that cannot be written down is refused by the ledger, and then nothing is sent.

use std::path::Path;

use crate::error::StoreError;
use crate::open::{LEDGER_FILE, wal_of, with_suffix};

/// Bounds of the space a ledger takes and leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Reading stops when the disk has less left, in bytes.
    pub least_free: u64,
    /// Reading stops when the ledger and its log are larger, in bytes.
    pub most: u64,
}

impl Default for Room {
    /// 256 MiB left: the log, a checkpoint of it and the records of one full back-pressure fit in there with room to
    /// spare. 20 GiB for the ledger: some fifteen million records with their rows.
    fn default() -> Self {
        Room {
            least_free: 256 << 20,
            most: 20 << 30,
        }
    }
}

/// Why reading must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tight {
    /// The disk is nearly full.
    Disk {
        /// Bytes left.
        free: u64,
        /// Bytes that must be left.
        least: u64,
    },
    /// The ledger has reached its bound.
    Ledger {
        /// Its size in bytes.
        bytes: u64,
        /// Its bound in bytes.
        most: u64,
    },
}

impl Room {
    /// Whether the ledger of a data directory has reached a bound; `None` = there is room.
    pub fn tight(&self, dir: &Path) -> Result<Option<Tight>, StoreError> {
        let path = dir.join(LEDGER_FILE);
        let bytes = size(&path) + size(&wal_of(&path));
        if bytes >= self.most {
            let most = self.most;
            return Ok(Some(Tight::Ledger { bytes, most }));
        }
        let least = self.least_free;
        let free = free(dir)?;
        Ok(free
            .filter(|free| *free < least)
            .map(|free| Tight::Disk { free, least }))
    }
}

/// Bytes of the ledger of a data directory with everything beside it that belongs to it.
pub fn taken(dir: &Path) -> u64 {
    let path = dir.join(LEDGER_FILE);
    ["", "-wal", "-shm"]
        .iter()
        .map(|suffix| size(&with_suffix(&path, suffix)))
        .sum()
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |meta| meta.len())
}

/// Bytes left for us on the disk under a folder; `None` where the system does not say.
#[cfg(unix)]
pub fn free(dir: &Path) -> Result<Option<u64>, StoreError> {
    let stat = rustix::fs::statvfs(dir).map_err(|e| StoreError::Io {
        what: format!("{}: {e}", dir.display()),
    })?;
    Ok(Some(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Bytes left for us on the disk under a folder; `None` where the system does not say.
#[cfg(not(unix))]
pub fn free(_dir: &Path) -> Result<Option<u64>, StoreError> {
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds() {
        let dir = tempfile::tempdir().unwrap();
        let room = |least_free, most| Room { least_free, most };
        std::fs::write(dir.path().join(LEDGER_FILE), [0; 600]).unwrap();
        std::fs::write(dir.path().join("ledger.db-wal"), [0; 400]).unwrap();
        assert_eq!(taken(dir.path()), 1_000);
        assert_eq!(room(0, 1_001).tight(dir.path()).unwrap(), None);
        assert_eq!(
            room(0, 1_000).tight(dir.path()).unwrap(),
            Some(Tight::Ledger {
                bytes: 1_000,
                most: 1_000
            })
        );
        let found = room(u64::MAX, u64::MAX).tight(dir.path()).unwrap();
        if cfg!(unix) {
            assert!(
                matches!(found, Some(Tight::Disk { free, .. }) if free > 0),
                "{found:?}"
            );
            room(0, 1).tight(&dir.path().join("nowhere")).unwrap_err();
        }
    }
}
