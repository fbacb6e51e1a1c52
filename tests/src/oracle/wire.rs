//! Just enough of the server's wire protocol to send a query and read what it prints.
//!
//! The text protocol is the one in which every value arrives as the digits the server would show, which is what
//! is compared. Only a private server on a Unix socket whose user has no password is spoken to; a client library
//! would bring twenty crates for the rest.

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A statement that answers with more than this is not worth comparing; the server's own packet limit is 16 MiB.
const MOST_BYTES: usize = 64 << 20;

const LONG_PASSWORD: u32 = 1;
const PROTOCOL_41: u32 = 0x200;
const TRANSACTIONS: u32 = 0x2000;
const SECURE_CONNECTION: u32 = 0x8000;
const PLUGIN_AUTH: u32 = 0x8_0000;
/// `utf8mb4_general_ci`.
const COLLATION: u8 = 45;

/// A connection.
#[derive(Debug)]
pub(super) struct Wire {
    stream: BufReader<UnixStream>,
    sequence: u8,
}

/// What became of a query.
#[derive(Debug)]
pub(super) enum Reply {
    /// A row; `None` is NULL. An empty one when the statement gives no rows.
    Row(Vec<Option<Vec<u8>>>),
    /// The server's number of the error, and its words.
    Refused(u16, String),
}

impl Wire {
    /// Connects as `root` without a password.
    pub(super) fn connect(socket: &Path) -> io::Result<Wire> {
        let mut wire = Wire {
            stream: BufReader::new(UnixStream::connect(socket)?),
            sequence: 0,
        };
        wire.packet()?;
        let capabilities = LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH;
        let mut hello = Vec::new();
        hello.extend(capabilities.to_le_bytes());
        hello.extend(0x0100_0000_u32.to_le_bytes());
        hello.push(COLLATION);
        hello.extend([0; 23]);
        hello.extend(b"root\0");
        hello.push(0);
        hello.extend(b"mysql_native_password\0");
        wire.send(&hello)?;
        loop {
            let answer = wire.packet()?;
            match answer.first() {
                Some(0) => return Ok(wire),
                // Asked to log in in another way: without a password every way sends nothing.
                Some(0xfe) => wire.send(&[])?,
                _ => return Err(io::Error::other(refusal(&answer).1)),
            }
        }
    }

    /// Sends one statement and gives its first row.
    pub(super) fn query(&mut self, sql: &str) -> io::Result<Reply> {
        self.sequence = 0;
        let mut command = vec![3];
        command.extend(sql.as_bytes());
        self.send(&command)?;
        let head = self.packet()?;
        let mut rest = head.as_slice();
        let columns = match head.first() {
            Some(0) => return Ok(Reply::Row(Vec::new())),
            Some(0xff) => return Ok(refused(&head)),
            _ => length(&mut rest).ok_or_else(broken)?,
        };
        for _ in 0..columns {
            self.packet()?;
        }
        self.packet()?;
        let mut first = None;
        loop {
            let packet = self.packet()?;
            match packet.first() {
                Some(0xfe) if packet.len() < 9 => return Ok(Reply::Row(first.unwrap_or_default())),
                Some(0xff) => return Ok(refused(&packet)),
                _ => {}
            }
            if first.is_none() {
                let mut rest = packet.as_slice();
                let row: Option<Vec<_>> = (0..columns).map(|_| cell(&mut rest)).collect();
                first = Some(row.ok_or_else(broken)?);
            }
        }
    }

    fn send(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        let mut bytes = length.to_le_bytes()[..3].to_vec();
        bytes.push(self.sequence);
        bytes.extend(body);
        self.sequence = self.sequence.wrapping_add(1);
        self.stream.get_mut().write_all(&bytes)
    }

    /// One message; the pieces of a long one are put together.
    fn packet(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let mut head = [0; 4];
            self.stream.read_exact(&mut head)?;
            self.sequence = head[3].wrapping_add(1);
            let length = u32::from_le_bytes([head[0], head[1], head[2], 0]);
            let length = usize::try_from(length).map_err(io::Error::other)?;
            if body.len() + length > MOST_BYTES {
                return Err(io::Error::other("the answer is too long"));
            }
            let from = body.len();
            body.resize(from + length, 0);
            self.stream.read_exact(&mut body[from..])?;
            if length < 0xff_ffff {
                return Ok(body);
            }
        }
    }
}

fn broken() -> io::Error {
    io::Error::other("the server's answer ends too early")
}

fn refused(packet: &[u8]) -> Reply {
    let (code, words) = refusal(packet);
    Reply::Refused(code, words)
}

fn refusal(packet: &[u8]) -> (u16, String) {
    let code = match packet {
        [_, low, high, ..] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    };
    let words = packet.get(9..).unwrap_or_default();
    (code, String::from_utf8_lossy(words).into_owned())
}

fn take<'p>(rest: &mut &'p [u8], count: usize) -> Option<&'p [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

/// A number in the protocol's own packing.
fn length(rest: &mut &[u8]) -> Option<usize> {
    let first = *take(rest, 1)?.first()?;
    let bytes = match first {
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        small => return Some(usize::from(small)),
    };
    let mut number = [0; 8];
    number[..bytes].copy_from_slice(take(rest, bytes)?);
    usize::try_from(u64::from_le_bytes(number)).ok()
}

#[expect(
    clippy::option_option,
    reason = "the outer one is a broken packet, the inner one is NULL"
)]
fn cell(rest: &mut &[u8]) -> Option<Option<Vec<u8>>> {
    if rest.first() == Some(&0xfb) {
        take(rest, 1)?;
        return Some(None);
    }
    let count = length(rest)?;
    take(rest, count).map(|bytes| Some(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_and_cells() {
        for (bytes, want) in [
            (&[5][..], Some(5)),
            (&[0xfc, 1, 2], Some(513)),
            (&[0xfd, 1, 0, 1], Some(65_537)),
            (&[0xfe, 1, 0, 0, 0, 0, 0, 0, 0], Some(1)),
            (&[0xfc, 1], None),
            (&[], None),
        ] {
            assert_eq!(length(&mut &*bytes), want, "{bytes:?}");
        }
        let mut row = &[0xfb, 2, b'o', b'k', 0][..];
        assert_eq!(cell(&mut row), Some(None));
        assert_eq!(cell(&mut row), Some(Some(b"ok".to_vec())));
        assert_eq!(cell(&mut row), Some(Some(Vec::new())));
        assert_eq!(cell(&mut row), None);
        assert_eq!(cell(&mut &[3, b'a'][..]), None);
    }

    #[test]
    fn an_error_packet_has_a_number_and_words() {
        let packet = [&[0xff, 0x96, 0x06][..], b"#22003BIGINT value is out of range"].concat();
        assert_eq!(
            refusal(&packet),
            (1686, "BIGINT value is out of range".to_owned())
        );
    }
}
