//! What a fault makes of the bytes of an answer.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::OnceLock;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc, FlushCompress};

use crate::fault::{Fault, FaultKind};
use crate::reply::Reply;

const MIB: usize = 1 << 20;
/// Levels of entities in `doctype`: ten to the ninth words if anyone expands them.
const ENTITIES: usize = 9;

pub(crate) fn login_page() -> Reply {
    Reply::html(
        200,
        "<!DOCTYPE html><html><head><title>金蝶云星空 登录</title></head><body><form action=\"/login\"></form></body></html>",
    )
}

pub(crate) fn error(status: u16) -> Reply {
    let what = if status == 500 {
        "内部服务器错误"
    } else {
        "错误"
    };
    Reply::html(
        status,
        format!("<html><body><h1>{status} - {what}</h1></body></html>"),
    )
}

pub(crate) fn too_many(fault: &Fault) -> Reply {
    let mut reply = Reply::text(429, "Too Many Requests");
    reply
        .headers
        .extend(fault.retry_after_s.map(|s| ("retry-after", s.to_string())));
    reply
}

pub(crate) fn redirect(fault: &Fault) -> Reply {
    let mut reply = Reply::html(fault.status.unwrap_or(302), "<html><body>moved</body></html>");
    reply.headers.push(("location", fault.location.clone()));
    reply
}

/// An answer whose bytes are not what they should be; other kinds leave it as it is.
pub(crate) fn bytes(fault: &Fault, real: Reply) -> Reply {
    match fault.kind {
        FaultKind::EmptyBody => Reply::json(""),
        FaultKind::WrongType => Reply {
            content_type: "text/html; charset=utf-8",
            ..real
        },
        FaultKind::DeepJson => Reply::json("[".repeat(fault.depth) + &"]".repeat(fault.depth)),
        FaultKind::Doctype => Reply::new(200, "application/xml; charset=utf-8", doctype()),
        FaultKind::GbkBody => Reply {
            content_type: "application/json; charset=GBK",
            body: gbk(&real.body),
            ..real
        },
        FaultKind::GbkUnmarked => Reply {
            content_type: "application/json",
            body: gbk(&real.body),
            ..real
        },
        FaultKind::InvalidUtf8 => within(real, b"\xc3\x28\xff"),
        FaultKind::NulBytes => within(real, b"\0\0"),
        FaultKind::Bom => Reply {
            body: [b"\xef\xbb\xbf", real.body.as_slice()].concat(),
            ..real
        },
        FaultKind::GzipBomb => bomb(fault.mib, real),
        _ => real,
    }
}

/// Puts bytes into the first text value, else into the middle.
fn within(mut reply: Reply, bytes: &[u8]) -> Reply {
    let text = reply
        .body
        .windows(2)
        .position(|pair| pair == b":\"")
        .map(|at| at + 2);
    let at = text.unwrap_or(reply.body.len() / 2);
    reply.body.splice(at..at, bytes.iter().copied());
    reply
}

/// The text of an answer in GBK; characters that it lacks become JSON escapes, so nothing is lost.
fn gbk(body: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(body);
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        let mut buffer = [0; 4];
        let (bytes, _, is_missing) = encoding_rs::GBK.encode(c.encode_utf8(&mut buffer));
        if is_missing {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                out.extend(format!("\\u{unit:04x}").into_bytes());
            }
        } else {
            out.extend_from_slice(&bytes);
        }
    }
    out
}

fn doctype() -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!DOCTYPE answer [\n");
    xml.push_str("<!ENTITY file SYSTEM \"file:///etc/hostname\">\n<!ENTITY e0 \"ha\">\n");
    for level in 1..=ENTITIES {
        let below = format!("&e{};", level - 1).repeat(10);
        writeln!(xml, "<!ENTITY e{level} \"{below}\">").expect("a String takes any text");
    }
    write!(
        xml,
        "]>\n<answer><code>200</code><text>&file;&e{ENTITIES};</text></answer>\n"
    )
    .expect("a String takes any text");
    xml
}

/// Gzip of `mib` MiB of blanks and the real answer: valid JSON to whoever decodes all of it.
fn bomb(mib: usize, real: Reply) -> Reply {
    let (blanks, crc_of_blanks) = blanks();
    let mut body = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    let mut crc = Crc::new();
    for _ in 0..mib {
        body.extend_from_slice(blanks);
        crc.combine(crc_of_blanks);
    }
    let mut tail = DeflateEncoder::new(Vec::new(), Compression::best());
    tail.write_all(&real.body).expect("a Vec takes any bytes");
    body.extend(tail.finish().expect("a Vec takes any bytes"));
    let mut end = Crc::new();
    end.update(&real.body);
    crc.combine(&end);
    body.extend(crc.sum().to_le_bytes());
    body.extend(crc.amount().to_le_bytes());
    let mut headers = real.headers;
    headers.push(("content-encoding", "gzip".to_owned()));
    Reply {
        body,
        headers,
        ..Reply::json("")
    }
}

/// One MiB of blanks as deflate blocks that stand on their own, so that they can be repeated.
fn blanks() -> &'static (Vec<u8>, Crc) {
    static BLANKS: OnceLock<(Vec<u8>, Crc)> = OnceLock::new();
    BLANKS.get_or_init(|| {
        let plain = vec![b' '; MIB];
        let mut crc = Crc::new();
        crc.update(&plain);
        let mut out = Vec::with_capacity(8192);
        flate2::Compress::new(Compression::best(), false)
            .compress_vec(&plain, &mut out, FlushCompress::Full)
            .expect("blanks can be compressed");
        (out, crc)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_bomb_is_small_and_valid() {
        let real = Reply::json("{\"code\":200}");
        let bomb = bomb(3, real.clone());
        assert!(bomb.body.len() < 3 * MIB / 900, "{} bytes", bomb.body.len());
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(bomb.body.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        assert_eq!(plain.len(), 3 * MIB + real.body.len());
        assert!(plain.ends_with(&real.body));
    }

    #[test]
    fn gbk_loses_nothing() {
        let text = "{\"nick\":\"张三€😀é\"}";
        let bytes = gbk(text.as_bytes());
        assert!(std::str::from_utf8(&bytes).is_err());
        let (back, _, bad) = encoding_rs::GBK.decode(&bytes);
        assert!(!bad);
        let value = |t: &str| serde_json::from_str::<serde_json::Value>(t).unwrap();
        assert_eq!(value(&back), value(text));
    }
}
