//! The key of the secret store: where it comes from and how it is written.
//!
//! 32 random bytes, as base64 or hex, from `ENGINE_SECRETS_KEY` or from a file that nobody else may read. A key is told
//! apart from another by its id, a hash from which nothing can be learnt about it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use dsl::Failure;
use dsl::catalogue::auth as words;
use sha2::{Digest, Sha256};

/// Bytes of a key of AES-256.
pub(super) const LENGTH: usize = 32;
/// A key is 44 characters of base64 or 64 of hex; a file may end with a few line ends.
const FILE_MAX: u64 = 1 << 10;

/// A key. Its `Debug` prints the id.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key([u8; LENGTH]);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

impl Key {
    /// A new one.
    pub(super) fn random() -> Result<Self, Failure> {
        let mut bytes = [0; LENGTH];
        fill(&mut bytes)?;
        Ok(Key(bytes))
    }

    /// Reads base64 (either alphabet, with or without padding) or hex; `None` when it is neither or of another length.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = if text.len() == LENGTH * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let pair = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
            (0..LENGTH)
                .map(|nth| pair(nth * 2))
                .collect::<Option<Vec<u8>>>()?
        } else {
            [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
                .iter()
                .find_map(|alphabet| alphabet.decode(text).ok())?
        };
        bytes.try_into().ok().map(Key)
    }

    /// As it stands in a file.
    fn text(&self) -> String {
        format!("{}\n", STANDARD.encode(self.0))
    }

    /// The bytes, for the cipher.
    pub(super) fn bytes(&self) -> &[u8; LENGTH] {
        &self.0
    }

    /// By what it is told apart: 16 hex digits.
    pub(super) fn id(&self) -> String {
        let hash = Sha256::new()
            .chain_update(b"engine secret store key id")
            .chain_update(self.0)
            .finalize();
        hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Reads a key file; `None` when there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(path, &error)),
        };
        nobody_else(path, &file)?;
        let mut text = String::new();
        file.take(FILE_MAX)
            .read_to_string(&mut text)
            .map_err(|error| unreadable(path, &error))?;
        match Key::parse(&text) {
            Some(key) => Ok(Some(key)),
            None => Err(Failure::new(&words::SECRETS_KEY_BAD).with("place", path.display())),
        }
    }

    /// Writes it to a new file that only its owner can read; it is on the disk, whole, when this returns, and half of it
    /// never is. A file that is there is never written over.
    pub(super) fn write_new(&self, path: &Path) -> Result<(), Failure> {
        let made = super::folder_of(path).and_then(|()| super::put_new(path, self.text().as_bytes()));
        made.map_err(|error| unreadable(path, &error))
    }
}

/// Random bytes of the operating system.
pub(super) fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    getrandom::fill(bytes).map_err(|error| {
        Failure::new(&words::SECRETS_UNREADABLE)
            .with("path", "random numbers")
            .with("why", error)
    })
}

/// The file beside a key file that a rotation goes through.
pub(super) fn next_to(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(&words::SECRETS_UNREADABLE)
        .with("path", path.display())
        .with("why", error)
}

/// Refuses a key that others can read: whoever else has an account here would have every secret.
fn nobody_else(path: &Path, file: &File) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        let rights = file
            .metadata()
            .map_err(|error| unreadable(path, &error))?
            .permissions();
        let mode = std::os::unix::fs::PermissionsExt::mode(&rights) & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::new(&words::SECRETS_KEY_OPEN)
                .with("path", path.display())
                .with("mode", format!("{mode:03o}")));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_base64_or_hex() {
        let bytes = [0xfb; LENGTH];
        let hex = "fb".repeat(LENGTH);
        for text in [
            hex.clone(),
            hex.to_uppercase(),
            STANDARD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
            format!(" {}\n", STANDARD.encode(bytes)),
        ] {
            assert_eq!(Key::parse(&text), Some(Key(bytes)), "{text}");
        }
        for text in [
            "",
            "short",
            &hex[2..],
            &"zz".repeat(LENGTH),
            &STANDARD.encode([1; 16]),
        ] {
            assert_eq!(Key::parse(text), None, "{text}");
        }
        let key = Key(bytes);
        assert!(!format!("{key:?}").contains("+/v7"), "{key:?}");
        assert_ne!(key.id(), Key([1; LENGTH]).id());
    }
}
