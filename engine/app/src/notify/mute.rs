//! Channels that are silent for a time: what was said about them lies in the data directory, one small file a channel.
//!
//! The command line writes a file while a service runs, and the service reads it before each message; both hold its lock
//! meanwhile. What was not sent is counted, and told when the time is over, with what is still wrong.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use flow::ids::Ms;
use serde_json::{Value, json};

use crate::error::AppError;

/// The folder in the data directory.
const FOLDER: &str = "muted";
/// A file is two numbers.
const BYTES_MAX: u64 = 4 << 10;
/// Files that are looked at: a notify.yaml has at most 100 channels, and may have had others before.
const FILES_MAX: usize = 1_000;
/// The longest silence. One that nobody ends must not hide a month.
pub const LONGEST: Ms = 14 * 86_400_000;

/// A channel is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mute {
    /// Since when.
    pub since: Ms,
    /// Until when.
    pub until: Ms,
}

/// What is said about the channels of one data directory.
#[derive(Debug, Clone)]
pub struct Mutes {
    folder: PathBuf,
}

impl Mutes {
    /// Below a data directory. Nothing is opened yet.
    pub fn new(dir: &Path) -> Self {
        Mutes {
            folder: dir.join(FOLDER),
        }
    }

    /// What is said about one channel; also when its time is over and nobody has told so yet.
    pub fn of(&self, channel: &str) -> Result<Option<Mute>, AppError> {
        let path = self.path(channel);
        let read = || {
            // Whoever only looks needs no right to write: the file may be another account's.
            let mut file = File::open(&path)?;
            file.lock_shared()?;
            load(&mut file)
        };
        match read() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            read => read.map_err(|error| failed(&path, &error)),
        }
    }

    /// The same for whoever has messages to send: a channel of which nobody can read whether it is silent is not, and a
    /// file that cannot be read keeps no channel from being told anything.
    pub(super) fn readable(&self, channel: &str) -> Option<Mute> {
        self.of(channel).unwrap_or_else(|error| {
            tracing::warn!(channel, "notifications: {error}");
            None
        })
    }

    /// The channels that are silent at an instant, by name.
    pub fn all(&self, now: Ms) -> Result<Vec<(String, Mute)>, AppError> {
        let folder = match std::fs::read_dir(&self.folder) {
            Ok(folder) => folder,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.folder, &error)),
        };
        let mut silent = Vec::new();
        for entry in folder.flatten().take(FILES_MAX) {
            let name = entry.file_name();
            let name = name.to_str().and_then(|name| name.strip_prefix("of-"));
            let Some(channel) = name.and_then(|name| name.strip_suffix(".json")) else {
                continue;
            };
            let mute = self.of(channel)?.filter(|mute| now < mute.until);
            silent.extend(mute.map(|mute| (channel.to_owned(), mute)));
        }
        silent.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(silent)
    }

    /// Silences a channel; one that is silent stays so since when it was.
    pub fn set(&self, channel: &str, since: Ms, until: Ms) -> Result<Mute, AppError> {
        let write = || {
            let mut file = self.open(channel)?;
            let before = load(&mut file)?;
            let mute = Mute {
                since: before.map_or(since, |mute| mute.since.min(since)),
                until,
            };
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(
                json!({"since": mute.since, "until": mute.until})
                    .to_string()
                    .as_bytes(),
            )?;
            file.sync_all()?;
            Ok(mute)
        };
        write().map_err(|error| failed(&self.path(channel), &error))
    }

    /// Forgets it, unless somebody has said something else meanwhile.
    pub(super) fn forget(&self, channel: &str, known: Mute) -> Result<(), AppError> {
        let write = || {
            let mut file = self.open(channel)?;
            if load(&mut file)? == Some(known) {
                file.set_len(0)?;
            }
            Ok(())
        };
        write().map_err(|error| failed(&self.path(channel), &error))
    }

    /// Names of channels are letters, digits, `_` and `-`; the first letter keeps them from being names of devices.
    fn path(&self, channel: &str) -> PathBuf {
        self.folder.join(format!("of-{channel}.json"))
    }

    /// The file, locked until it is closed.
    fn open(&self, channel: &str) -> std::io::Result<File> {
        std::fs::create_dir_all(&self.folder)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(self.path(channel))?;
        file.lock()?;
        Ok(file)
    }
}

/// What stands in a file. An empty one, half of one and somebody else's say nothing: a message too many is better.
fn load(file: &mut File) -> std::io::Result<Option<Mute>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    (&mut *file).take(BYTES_MAX).read_to_end(&mut bytes)?;
    let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let both = value["since"].as_i64().zip(value["until"].as_i64());
    Ok(both.map(|(since, until)| Mute { since, until }))
}

fn failed(path: &Path, error: &std::io::Error) -> AppError {
    AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_silent_until_it_is_told_that_it_was() {
        let folder = tempfile::tempdir().expect("a folder");
        let mutes = Mutes::new(folder.path());
        assert_eq!(mutes.of("客服").expect("read"), None);
        let first = mutes.set("客服", 100, 500).expect("written");
        assert_eq!(mutes.of("客服").expect("read"), Some(first));
        // Longer, and still since the beginning.
        let longer = mutes.set("客服", 300, 900).expect("written");
        assert_eq!((longer.since, longer.until), (100, 900));
        assert_eq!(mutes.all(899).expect("read"), [("客服".to_owned(), longer)]);
        assert!(mutes.all(900).expect("read").is_empty());
        mutes.forget("客服", first).expect("written");
        assert_eq!(
            mutes.of("客服").expect("read"),
            Some(longer),
            "it is another by now"
        );
        mutes.forget("客服", longer).expect("written");
        assert_eq!(mutes.of("客服").expect("read"), None);
        assert_eq!(mutes.of("con").expect("read"), None);
        std::fs::write(folder.path().join(FOLDER).join("of-con.json"), [0xff, b'{']).expect("written");
        assert_eq!(mutes.of("con").expect("read"), None);
    }
}
