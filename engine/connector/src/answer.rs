//! An answer as bytes, and as something a recipe can look at.
//!
//! Text is decoded strictly and by what the answer itself says; JSON is read without losing a digit. What cannot be
//! read is told with its place and never replaced by something that can.

use std::sync::Arc;

use dsl::catalogue::source;
use dsl::{Failure, Lang, Value};

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
#[derive(Debug)]
pub(crate) struct Reading {
    /// The text, or the part of it that could be decoded.
    pub(crate) text: String,
    /// The JSON, or why there is none.
    pub(crate) body: Result<Arc<Value>, Failure>,
}

/// Reads an answer. `charset` is the connector's, for answers that do not say.
pub(crate) fn read(answer: &HttpAnswer, charset: Option<&str>) -> Reading {
    let text = match decode(answer, charset) {
        Ok(text) => text,
        Err((text, failure)) => {
            return Reading {
                text,
                body: Err(failure),
            };
        }
    };
    let body = dsl::json::parse(text.as_bytes()).map(Arc::new).map_err(|error| {
        Failure::new(&source::NOT_JSON)
            .with("why", error.what.words(Lang::En))
            .with("offset", error.offset)
    });
    Reading { text, body }
}

/// The text, or what could be decoded of it and why no more.
fn decode(answer: &HttpAnswer, charset: Option<&str>) -> Result<String, (String, Failure)> {
    let declared = answer
        .header("content-type")
        .and_then(charset_of)
        .or(charset)
        .unwrap_or("utf-8");
    let failure = |offset: usize| {
        Failure::new(&source::CHARSET)
            .with("charset", declared)
            .with("offset", offset)
    };
    let bytes = answer.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&answer.body);
    let encoding = encoding_rs::Encoding::for_label(declared.as_bytes());
    match encoding {
        Some(encoding) if encoding == encoding_rs::UTF_8 => {
            String::from_utf8(bytes.to_vec()).map_err(|error| {
                let good = error.utf8_error().valid_up_to();
                (
                    String::from_utf8_lossy(&bytes[..good]).into_owned(),
                    failure(good),
                )
            })
        }
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
                (_, read) => Err((text, failure(read))),
            }
        }
        None => Err((String::new(), failure(0))),
    }
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
        let reading = read(&answer(content_type, body), None);
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
