//! One process per data directory.
//!
//! The lock is the operating system's lock on the file `lock`, so it ends with its holder, however that ends. The text
//! inside (process id, id of the boot) is a note for people, never the truth.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::StoreError;

/// Name of the lock file in the data directory.
pub const LOCK_FILE: &str = "lock";

/// Held as long as this value lives.
#[derive(Debug)]
pub(crate) struct DirLock {
    _file: File,
}

impl DirLock {
    /// Takes the lock or says who has it.
    pub(crate) fn take(dir: &Path) -> Result<Self, StoreError> {
        let path = dir.join(LOCK_FILE);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&path).map_err(|e| StoreError::file(&path, &e))?;
        // Somebody who only looks whether the directory is in use has the lock for a moment.
        let mut locked = file.try_lock();
        for _ in 0..LOOKS {
            if !matches!(locked, Err(TryLockError::WouldBlock)) {
                break;
            }
            std::thread::yield_now();
            locked = file.try_lock();
        }
        match locked {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked {
                    dir: dir.to_owned(),
                    pid: holder(&mut file),
                });
            }
            Err(TryLockError::Error(e)) => return Err(StoreError::file(&path, &e)),
        }
        let note = format!("pid {}\nboot {}\n", std::process::id(), boot_id());
        write_note(&mut file, &note).map_err(|e| StoreError::file(&path, &e))?;
        Ok(DirLock { _file: file })
    }
}

/// Tries before a lock counts as taken: far longer than a look takes, and over before anybody notices.
const LOOKS: u32 = 100;

/// The process that holds the lock of a directory, where one does and says so.
pub fn holder_of(dir: &Path) -> Option<u32> {
    let mut file = File::open(dir.join(LOCK_FILE)).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => holder(&mut file),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// Whether no process works with a directory, as far as can be told: a run that has not ended there was broken off.
pub fn is_free(dir: &Path) -> bool {
    File::open(dir.join(LOCK_FILE)).is_ok_and(|file| file.try_lock_shared().is_ok())
}

fn write_note(file: &mut File, note: &str) -> std::io::Result<()> {
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(note.as_bytes())
}

fn holder(file: &mut File) -> Option<u32> {
    let mut note = String::new();
    // The note has two short lines; more than this is not ours.
    file.take(4096).read_to_string(&mut note).ok()?;
    note.lines()
        .find_map(|line| line.strip_prefix("pid "))?
        .trim()
        .parse()
        .ok()
}

fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| "-".to_owned(), |id| id.trim().to_owned())
}

/// Kinds of file systems whose locks and memory maps are not those of one machine.
const NETWORK_KINDS: [&str; 11] = [
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "9p",
    "afs",
    "ceph",
    "glusterfs",
    "fuse.sshfs",
    "fuse.glusterfs",
];

/// The kind of a network file system under `dir`, where the system tells (Linux).
pub(crate) fn network_file_system(dir: &Path) -> Option<String> {
    let dir = dir.canonicalize().ok()?;
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").ok()?;
    kind_of(&mounts, &dir).filter(|kind| NETWORK_KINDS.contains(&kind.as_str()))
}

/// The kind of the file system with the longest mount point above `dir`; the last one wins where two lie over another.
fn kind_of(mounts: &str, dir: &Path) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for line in mounts.lines() {
        let (left, right) = line.split_once(" - ")?;
        let point = left.split(' ').nth(4)?.replace("\\040", " ");
        let kind = right.split(' ').next()?;
        let depth = Path::new(&point).components().count();
        if dir.starts_with(&point) && best.is_none_or(|(known, _)| depth >= known) {
            best = Some((depth, kind));
        }
    }
    best.map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_system_kinds() {
        let mounts = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n\
                      30 22 0:40 / /mnt/share\\040one rw - nfs4 host:/x rw\n\
                      31 22 0:41 / /data rw shared:1 - cifs //host/x rw\n\
                      32 31 8:2 / /data/local rw - xfs /dev/sdb1 rw\n";
        for (dir, kind) in [
            ("/home/a", "ext4"),
            ("/mnt/share one/.engine", "nfs4"),
            ("/data", "cifs"),
            ("/data/x", "cifs"),
            ("/data/local/x", "xfs"),
            ("/database", "ext4"),
        ] {
            assert_eq!(kind_of(mounts, Path::new(dir)).as_deref(), Some(kind), "{dir}");
        }
    }

    #[test]
    fn second_holder_is_told_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let first = DirLock::take(dir.path()).unwrap();
        let refused = DirLock::take(dir.path()).unwrap_err();
        assert_eq!(
            refused,
            StoreError::Locked {
                dir: dir.path().to_owned(),
                pid: Some(std::process::id())
            }
        );
        assert_eq!(refused.code(), "E5001");
        assert_eq!(holder_of(dir.path()), Some(std::process::id()));
        assert!(!is_free(dir.path()));
        drop(first);
        assert!(is_free(dir.path()));
        assert_eq!(holder_of(dir.path()), None);
        DirLock::take(dir.path()).unwrap();
    }
}
