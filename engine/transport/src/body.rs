//! Collects an answer's body with its bounds: a cap on what it unpacks to, and on how far it unpacks.
//!
//! The HTTP library's own unpacking hides the size on the wire, so gzip is unpacked here.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

use crate::error::{Reason, SendError};

/// Bodies below this size are not measured for their ratio: small answers compress well honestly.
const RATIO_FROM: usize = 1024 * 1024;

/// How many unpacked bytes one byte on the wire may become. Text of an ERP reaches 20 to 50.
const RATIO_MAX: usize = 200;

pub(crate) struct Collector {
    sink: Sink,
}

enum Sink {
    Plain(Capped),
    Gzip(Box<MultiGzDecoder<Capped>>),
}

struct Capped {
    bytes: Vec<u8>,
    cap: usize,
    wire: usize,
    stopped: Option<Reason>,
}

impl Collector {
    /// `encodings`: every `content-encoding` of the answer, in order.
    pub(crate) fn new<'a>(encodings: impl Iterator<Item = &'a str>, cap: usize) -> Result<Self, SendError> {
        let capped = Capped {
            bytes: Vec::new(),
            cap,
            wire: 0,
            stopped: None,
        };
        let mut sink = Sink::Plain(capped);
        for encoding in encodings.flat_map(|value| value.split(',')).map(str::trim) {
            sink = match sink {
                sink if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") => sink,
                Sink::Plain(capped)
                    if encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip") =>
                {
                    Sink::Gzip(Box::new(MultiGzDecoder::new(capped)))
                }
                _ => {
                    return Err(SendError::new(
                        Reason::Encoding,
                        format!(
                            "the answer is packed as `{}`, which was not asked for",
                            printable(encoding)
                        ),
                    ));
                }
            };
        }
        Ok(Self { sink })
    }

    pub(crate) fn push(&mut self, chunk: &[u8]) -> Result<(), SendError> {
        self.capped().wire += chunk.len();
        let written = match &mut self.sink {
            Sink::Plain(capped) => capped.write_all(chunk),
            Sink::Gzip(decoder) => decoder.write_all(chunk),
        };
        written.map_err(|error| self.explain(&error))
    }

    pub(crate) fn finish(mut self) -> Result<Vec<u8>, (SendError, Vec<u8>)> {
        if let Sink::Gzip(decoder) = &mut self.sink
            && decoder.get_ref().wire > 0
            && let Err(error) = decoder.try_finish()
        {
            return Err((self.explain(&error), std::mem::take(&mut self.capped().bytes)));
        }
        Ok(std::mem::take(&mut self.capped().bytes))
    }

    /// What has been unpacked so far.
    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.sink {
            Sink::Plain(capped) => &capped.bytes,
            Sink::Gzip(decoder) => &decoder.get_ref().bytes,
        }
    }

    fn capped(&mut self) -> &mut Capped {
        match &mut self.sink {
            Sink::Plain(capped) => capped,
            Sink::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn explain(&mut self, error: &io::Error) -> SendError {
        let capped = self.capped();
        match capped.stopped {
            Some(Reason::Bomb) => SendError::new(
                Reason::Bomb,
                format!(
                    "{} bytes unpack to more than {RATIO_MAX} times as many",
                    capped.wire
                ),
            ),
            Some(reason) => SendError::new(
                reason,
                format!("the answer is larger than {} bytes unpacked", capped.cap),
            ),
            None => SendError::new(
                Reason::Truncated,
                format!("the packed answer is damaged: {error}"),
            ),
        }
    }
}

impl Write for Capped {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let total = self.bytes.len().saturating_add(piece.len());
        if total > self.cap {
            self.stopped = Some(Reason::TooLarge);
        } else if total > RATIO_FROM && total > self.wire.saturating_mul(RATIO_MAX) {
            self.stopped = Some(Reason::Bomb);
        } else {
            self.bytes.extend_from_slice(piece);
            return Ok(piece.len());
        }
        Err(io::Error::other("over a bound"))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A remote's word, fit for one line of a message.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn collect(encoding: &str, wire: &[u8], cap: usize) -> Result<Vec<u8>, Reason> {
        let mut collector = Collector::new([encoding].into_iter(), cap).map_err(|error| error.reason)?;
        for chunk in wire.chunks(1000) {
            collector.push(chunk).map_err(|error| error.reason)?;
        }
        collector.finish().map_err(|(error, _)| error.reason)
    }

    #[test]
    fn plain_and_packed() {
        let text = "客户资料 ".repeat(300).into_bytes();
        assert_eq!(collect("", &text, 1 << 20), Ok(text.clone()));
        assert_eq!(collect("identity", &text, 1 << 20), Ok(text.clone()));
        assert_eq!(collect("gzip", &gzip(&text), 1 << 20), Ok(text.clone()));
        assert_eq!(
            collect("identity, X-GZIP", &gzip(&text), 1 << 20),
            Ok(text.clone())
        );
        let twice = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(collect("gzip", &twice, 1 << 20), Ok(b"one two".to_vec()));
        assert_eq!(
            collect("gzip", b"", 1 << 20),
            Ok(Vec::new()),
            "an empty body has no gzip frame"
        );
    }

    #[test]
    fn bounds() {
        let text = vec![b'x'; 5000];
        assert_eq!(collect("", &text, 5000).map(|bytes| bytes.len()), Ok(5000));
        assert_eq!(collect("", &text, 4999), Err(Reason::TooLarge));
        assert_eq!(collect("gzip", &gzip(&text), 4999), Err(Reason::TooLarge));
        assert_eq!(collect("br", &text, 5000), Err(Reason::Encoding));
        assert_eq!(collect("gzip, gzip", &text, 5000), Err(Reason::Encoding));
        let packed = gzip(&text);
        assert_eq!(
            collect("gzip", &packed[..packed.len() - 3], 5000),
            Err(Reason::Truncated)
        );
        assert_eq!(
            collect("gzip", &text, 5000),
            Err(Reason::Truncated),
            "not gzip at all"
        );
    }

    #[test]
    fn a_bomb_is_stopped_early() {
        let bomb = gzip(&vec![0; 16 << 20]);
        let mut collector = Collector::new(["gzip"].into_iter(), 512 << 20).unwrap();
        let stopped = bomb
            .chunks(1000)
            .find_map(|chunk| collector.push(chunk).err())
            .unwrap();
        assert_eq!(stopped.reason, Reason::Bomb);
        assert!(
            collector.bytes().len() <= 2 * RATIO_FROM,
            "{} bytes were unpacked",
            collector.bytes().len()
        );
    }

    #[test]
    fn a_small_answer_may_compress_well() {
        let text = vec![0; RATIO_FROM - 1];
        assert_eq!(collect("gzip", &gzip(&text), 2 * RATIO_FROM), Ok(text));
    }
}
