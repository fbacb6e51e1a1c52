//! An answer as bytes, and as something a recipe can look at.
//!
//! Text is decoded strictly and by what the answer itself says; JSON is read without losing a digit. What cannot be
//! read is told with its place and never replaced by something that can.

use std::sync::Arc;

use dsl::catalogue::source;
use dsl::{Failure, Lang, Value};

use crate::connection::Connection;

/// An answer of the other system, whole.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, as they came.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HttpAnswer {
    // A login answer holds a session; nothing of a body or a header is printed by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpAnswer({}, {} bytes)", self.status, self.body.len())
    }
}

impl HttpAnswer {
    /// The first header of this name; case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// An answer that has been read as far as it can be.
// No `Debug`: a login answer is read, too.
pub(crate) struct Reading {
    /// The text, or the part of it that could be decoded.
    pub(crate) text: String,
    /// The JSON, or the XML where it is read; or why there is neither.
    pub(crate) body: Result<Arc<Value>, Failure>,
    /// Whether it is XML.
    pub(crate) is_xml: bool,
}

impl Connection {
    /// Reads an answer as the connector's file says.
    pub(crate) fn reading(&self, answer: &HttpAnswer) -> Reading {
        let transport = &self.connector.transport;
        let mut reading = read(answer, transport.charset.as_deref(), transport.xml);
        if reading.is_xml && transport.skip_root {
            reading.body = reading.body.map(without_root);
        }
        reading
    }
}

/// What stands in the root element of a document.
fn without_root(document: Arc<Value>) -> Arc<Value> {
    let root = document.as_map().and_then(|members| members.values().next());
    root.map_or_else(|| Arc::clone(&document), |root| Arc::new(root.clone()))
}

/// Whether an answer says that it is XML.
pub(crate) fn says_xml(answer: &HttpAnswer) -> bool {
    let content_type = answer.header("content-type").unwrap_or_default();
    let kind = content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    matches!(kind.as_str(), "application/xml" | "text/xml")
        || kind.ends_with("+xml") && kind != "application/xhtml+xml"
}

/// Reads an answer. `charset` is the connector's, for answers that do not say; `xml` whether answers of that type are
/// read, too.
pub(crate) fn read(answer: &HttpAnswer, charset: Option<&str>, xml: bool) -> Reading {
    let is_xml = xml && says_xml(answer);
    let text = match decode(answer, charset) {
        Ok(text) => text,
        Err((text, failure)) => {
            return Reading {
                text,
                body: Err(failure),
                is_xml,
            };
        }
    };
    // "No content" is the whole answer of some writes.
    if answer.status == 204 && text.trim().is_empty() {
        return Reading {
            text,
            body: Ok(Arc::new(Value::Null)),
            is_xml,
        };
    }
    if is_xml {
        let body = crate::xml::read(&text).map(Arc::new).map_err(|unread| {
            Failure::new(&source::NOT_XML)
                .with("why", unread.why)
                .with("offset", unread.offset)
        });
        return Reading { text, body, is_xml };
    }
    let body = dsl::json::parse(text.as_bytes()).map(Arc::new).map_err(|error| {
        Failure::new(&source::NOT_JSON)
            .with("why", error.what.words(Lang::En))
            .with("offset", error.offset)
    });
    Reading { text, body, is_xml }
}

/// The text, or what could be decoded of it and why no more. The place of a bad byte is counted from the first byte of
/// the body.
fn decode(answer: &HttpAnswer, charset: Option<&str>) -> Result<String, (String, Failure)> {
    let body = answer.body.as_slice();
    let header = answer.header("content-type").and_then(charset_of);
    let marked = encoding_rs::Encoding::for_bom(body);
    let declared = match marked {
        // A byte order mark cannot be meant otherwise; headers are often a server's default.
        Some((encoding, _)) => encoding.name(),
        None => header
            .or_else(|| charset_of_prolog(body))
            .or(charset)
            .unwrap_or("utf-8"),
    };
    let bytes = &body[marked.map_or(0, |(_, length)| length)..];
    let failure = |offset: usize| {
        Failure::new(&source::CHARSET)
            .with("charset", declared)
            .with("offset", offset + body.len() - bytes.len())
    };
    let encoding = encoding_rs::Encoding::for_label(declared.as_bytes());
    match encoding {
        Some(encoding) if encoding == encoding_rs::UTF_8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_owned()),
            Err(error) => {
                let good = error.valid_up_to();
                let text = String::from_utf8_lossy(&bytes[..good]).into_owned();
                Err((text, failure(good)))
            }
        },
        Some(encoding) => {
            let mut text = String::new();
            let mut decoder = encoding.new_decoder_without_bom_handling();
            text.reserve(
                decoder
                    .max_utf8_buffer_length_without_replacement(bytes.len())
                    .unwrap_or(bytes.len()),
            );
            match decoder.decode_to_string_without_replacement(bytes, &mut text, true) {
                (encoding_rs::DecoderResult::InputEmpty, _) => Ok(text),
                (encoding_rs::DecoderResult::Malformed(bad, after), read) => {
                    let at = read.saturating_sub(usize::from(bad) + usize::from(after));
                    Err((text, failure(at)))
                }
                (encoding_rs::DecoderResult::OutputFull, read) => Err((text, failure(read))),
            }
        }
        None => Err((String::new(), failure(0))),
    }
}

/// Bytes of an XML prolog that are looked at for its encoding.
const PROLOG: usize = 200;

/// What `<?xml … encoding="…"?>` says; nothing else of XML is read.
fn charset_of_prolog(body: &[u8]) -> Option<&str> {
    let head = &body[..body.len().min(PROLOG)];
    let head = head.strip_prefix(b"<?xml")?;
    let end = head.windows(2).position(|pair| pair == b"?>")?;
    let (_, rest) = std::str::from_utf8(&head[..end]).ok()?.split_once("encoding")?;
    let value = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''))?;
    value[1..].split_once(quote).map(|(name, _)| name)
}

fn charset_of(content_type: &str) -> Option<&str> {
    content_type.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(content_type: &str, body: &[u8]) -> HttpAnswer {
        HttpAnswer {
            status: 200,
            headers: vec![("Content-Type".into(), content_type.into())],
            body: body.to_vec(),
        }
    }

    #[track_caller]
    fn check(content_type: &str, body: &[u8], want: Result<&str, (&str, &str)>) {
        check_in(None, content_type, body, want);
    }

    #[track_caller]
    fn check_in(charset: Option<&str>, content_type: &str, body: &[u8], want: Result<&str, (&str, &str)>) {
        let reading = read(&answer(content_type, body), charset, false);
        match (reading.body, want) {
            (Ok(value), Ok(want)) => assert_eq!(dsl::json::to_string(&value), want),
            (Err(failure), Err((code, fact))) => {
                assert_eq!(failure.code(), code);
                assert!(
                    failure.facts.iter().any(|(_, value)| value == fact),
                    "{:?}",
                    failure.facts
                );
            }
            (got, want) => panic!("{got:?} instead of {want:?}"),
        }
    }

    #[test]
    fn charsets() {
        check(
            "application/json",
            "{\"a\":\"客户\"}".as_bytes(),
            Ok("{\"a\":\"客户\"}"),
        );
        check(
            "application/json; charset=UTF-8",
            b"\xef\xbb\xbf[1.50]",
            Ok("[1.50]"),
        );
        check("text/json; charset=gbk", b"\"\xbf\xcd\xbb\xa7\"", Ok("\"客户\""));
        check(
            "text/json; charset=GB18030",
            b"\"\xbf\xcd\xbb\xa7\"",
            Ok("\"客户\""),
        );
        check("application/json", b"\"ab\xbf\xcd\"", Err(("E3006", "3")));
        check("text/json; charset=gbk", b"\"a\xff\"", Err(("E3006", "gbk")));
        check("text/json; charset=klingon", b"1", Err(("E3006", "klingon")));
        // Characters of four bytes, which GB18030 has and GBK has not.
        check(
            "text/json; charset=gb18030",
            b"\"\x95\x32\x82\x36\"",
            Ok("\"\u{20000}\""),
        );
    }

    /// Header, then prolog, then the connector's word, then UTF-8.
    #[test]
    fn who_says_the_charset() {
        let gbk = b"\"\xbf\xcd\xbb\xa7\"";
        let utf8 = "\"客户\"".as_bytes();
        check_in(Some("gb18030"), "application/json", gbk, Ok("\"客户\""));
        check_in(
            Some("gb18030"),
            "application/json;charset=utf-8",
            utf8,
            Ok("\"客户\""),
        );
        check_in(
            Some("utf-8"),
            "application/json; Charset=\"GBK\"",
            gbk,
            Ok("\"客户\""),
        );
        check_in(Some("gb18030"), "application/json", utf8, Ok("\"瀹㈡埛\"")); // wrong words, said by the operator
        let marked = [b"\xef\xbb\xbf", utf8].concat();
        check_in(
            Some("gbk"),
            "application/json; charset=gbk",
            &marked,
            Ok("\"客户\""),
        );
        check("application/json", b"\xff\xfe\"\x00\xa2\x5b\"\x00", Ok("\"客\""));
        let xml = |encoding: &str| {
            let head = format!("<?xml version='1.0' {encoding} ?><e>").into_bytes();
            [head, b"\xbf\xcd\xbb\xa7</e>".to_vec()].concat()
        };
        for (content_type, encoding, want) in [
            ("text/xml", "encoding = \"GBK\"", "客户"),
            ("text/xml; charset=gb2312", "encoding='utf-8'", "客户"),
            ("text/xml", "", ""),
        ] {
            let reading = read(&answer(content_type, &xml(encoding)), None, false);
            assert_eq!(
                reading.text.contains("客户"),
                !want.is_empty(),
                "{}",
                reading.text
            );
            assert!(reading.body.is_err(), "XML is no JSON");
        }
    }

    /// A bad byte is told by its place in the body, and what stands before it is kept for people.
    #[test]
    fn bad_bytes_have_a_place() {
        for (content_type, body, at) in [
            ("application/json", b"[\"ok\",\"\xff\"]".as_slice(), "7"),
            ("application/json", b"\xef\xbb\xbf[\"\xff\"]", "5"),
            ("application/json", b"[\"\xe5\xae", "2"),
            ("application/json", b"\"\xed\xa0\x80\"", "1"),
            ("application/json", b"\"\xc0\xae\"", "1"),
            ("a/b; charset=gbk", b"\"\xbf\xcd\xbf", "3"),
            ("a/b; charset=gbk", b"\"\xbf\xcd\xff\"", "3"),
            ("a/b; charset=gb18030", b"[\"\x95\x32\x82\"]", "2"),
            ("a/b; charset=big5", b"\"\xff\"", "1"),
            ("a/b; charset=hz-gb-2312", b"\"~{\"", "0"),
        ] {
            check(content_type, body, Err(("E3006", at)));
        }
        let reading = read(&answer("a/b; charset=gbk", b"\xbf\xcd\xbb\xa7\xff"), None, false);
        assert_eq!(reading.text, "客户");
    }

    /// Texts that are bombs elsewhere: here they are only "not JSON", and soon.
    #[test]
    fn bombs_are_refused() {
        let laughs = "<?xml version=\"1.0\"?><!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;\">]><a>&lol2;</a>";
        check("text/xml", laughs.as_bytes(), Err(("E3005", "0")));
        let outside = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
        check("text/xml", outside.as_bytes(), Err(("E3005", "0")));
        for open in ["[", "{\"a\":", "<a>"] {
            let deep = open.repeat((8 << 20) / open.len());
            let reading = read(&answer("application/json", deep.as_bytes()), None, false);
            let failure = reading.body.expect_err("refused");
            assert_eq!(failure.code(), "E3005", "{open}");
        }
        let deepest = format!("{}1{}", "[".repeat(128), "]".repeat(128));
        assert!(
            read(&answer("application/json", deepest.as_bytes()), None, false)
                .body
                .is_ok()
        );
    }

    /// Digits are kept as they came.
    #[test]
    fn numbers_keep_their_text() {
        for text in [
            "123456789012345.67",
            "12345678901234567890123",
            "1.50",
            "1e400",
            "-0.0",
            "1E5",
        ] {
            check("application/json", text.as_bytes(), Ok(text));
        }
    }

    #[test]
    fn not_json() {
        check("text/html", b"<html>", Err(("E3005", "0")));
        check("application/json", b"", Err(("E3005", "0")));
        check("application/json", b"{\"a\":1", Err(("E3005", "6")));
        check("application/json", b"{\"a\":1,\"a\":2}", Err(("E3005", "7")));
        check("application/json", b"{\"a\":1,\0\"b\":2}", Err(("E3005", "7")));
    }
}
