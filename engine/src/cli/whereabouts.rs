//! Where the server of a data directory listens, for whoever finds the directory locked.
//!
//! A note for people, never the truth: the lock says who works with the directory, and the note is believed only when it
//! is of that process.

use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use app::AppError;

/// Name of the note in the data directory.
const FILE: &str = "server";
/// The note has two short lines.
const LONGEST: u64 = 1_024;

/// The note, as long as the server listens.
pub(crate) struct Whereabouts(PathBuf);

impl Whereabouts {
    /// Writes it.
    pub(crate) fn note(dir: &Path, scheme: &str, address: SocketAddr) -> Result<Self, AppError> {
        let mut address = address;
        if address.ip().is_unspecified() {
            // Everywhere, so also here.
            address.set_ip(match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            });
        }
        let path = dir.join(FILE);
        app::put_file(
            &path,
            &format!("pid {}\n{scheme}://{address}\n", std::process::id()),
        )?;
        Ok(Whereabouts(path))
    }
}

impl Drop for Whereabouts {
    fn drop(&mut self) {
        // One that stays is of a process that is gone, and not believed.
        drop(std::fs::remove_file(&self.0));
    }
}

/// Where the process listens that holds a data directory, if it is a server.
pub(crate) fn of(dir: &Path, pid: u32) -> Option<String> {
    let mut text = String::new();
    let file = std::fs::File::open(dir.join(FILE)).ok()?;
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    let rest = text.strip_prefix("pid ")?.strip_prefix(&pid.to_string())?;
    let url = rest.strip_prefix('\n')?.lines().next()?;
    url.starts_with("http").then(|| url.to_owned())
}
