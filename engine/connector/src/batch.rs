//! OData `$batch`: several writes in one call, each in a change set of its own, so that one that is refused takes no
//! other with it.
//!
//! The answer is read part by part. What follows a cut is not there, and so is in doubt; an answer with another number
//! of parts than were sent, or with parts that name others, tells nothing about any of them.

use dsl::catalogue::source;
use dsl::{Failure, Map, Value};
use sha2::Digest as _;

use crate::answer::HttpAnswer;

/// Most parts of an answer; batches have some dozen.
const PARTS_MAX: usize = 1000;
/// Most header lines of one part.
const HEADERS_MAX: usize = 64;
/// Longest boundary (RFC 2046, 5.1.1).
const BOUNDARY_MAX: usize = 70;

/// One write of a batch.
pub(crate) struct Part {
    pub(crate) method: String,
    /// Relative to the service, as it will be sent.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// The bytes of a batch, and its content type. The boundaries are a digest of everything between them: the same batch
/// gives the same bytes, and no part can hold one by chance.
pub(crate) fn render(parts: &[Part]) -> (Vec<u8>, String) {
    let digest = parts.iter().fold(sha2::Sha256::new(), |digest, part| {
        let lengths = format!("{} {} ", part.path.len(), part.body.len());
        digest
            .chain_update(lengths)
            .chain_update(&part.path)
            .chain_update(&part.body)
    });
    let mark: String = digest.finalize()[..12]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mut out = Vec::new();
    for (place, part) in parts.iter().enumerate() {
        let number = place + 1;
        let Part { method, path, .. } = part;
        let mut text = format!(
            "--batch_{mark}\r\ncontent-type: multipart/mixed; boundary=set_{number}_{mark}\r\n\r\n\
             --set_{number}_{mark}\r\ncontent-type: application/http\r\ncontent-transfer-encoding: binary\r\n\
             content-id: {number}\r\n\r\n{method} {path} HTTP/1.1\r\n"
        );
        for (name, value) in &part.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str(&format!("content-length: {}\r\n\r\n", part.body.len()));
        out.extend_from_slice(text.as_bytes());
        out.extend_from_slice(&part.body);
        out.extend_from_slice(format!("\r\n--set_{number}_{mark}--\r\n").as_bytes());
    }
    out.extend_from_slice(format!("--batch_{mark}--\r\n").as_bytes());
    (out, format!("multipart/mixed; boundary=batch_{mark}"))
}

/// The answer to a batch of `sent` writes as a map: `parts`, each with `index`, `status`, `headers` and `body`, and
/// `whole`. `None` when the answer is no batch at all.
pub(crate) fn read(answer: &HttpAnswer, sent: usize) -> Option<Result<Value, Failure>> {
    let boundary = boundary(answer.header("content-type")?)?;
    let (parts, whole) = split(&answer.body, &boundary);
    let unfit = |why: &str| {
        Err(Failure::new(&source::NOT_JSON)
            .with("why", why)
            .with("offset", answer.body.len()))
    };
    if parts.len() > sent || whole && parts.len() != sent {
        let why = format!("a batch of {sent} was answered with {} parts", parts.len());
        return Some(unfit(&why));
    }
    let mut read = Vec::new();
    for (place, part) in parts.into_iter().enumerate() {
        let Some((inner, id)) = one(part) else {
            return Some(unfit("a part of the batch cannot be read"));
        };
        if id.is_some_and(|id| id != (place + 1).to_string()) {
            return Some(unfit("a part of the batch names another one"));
        }
        let index = i64::try_from(place).unwrap_or(i64::MAX);
        read.push(Value::Map(inner.told(index)));
    }
    let mut map = Map::new();
    map.insert("parts".to_owned(), Value::List(read));
    map.insert("whole".to_owned(), whole.into());
    Some(Ok(Value::Map(map)))
}

/// The boundary of a multipart content type.
fn boundary(content_type: &str) -> Option<String> {
    let (kind, rest) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/mixed") {
        return None;
    }
    let mut params = rest.split(';').filter_map(|param| param.split_once('='));
    let (_, value) = params.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"))?;
    let value = value.trim().trim_matches('"');
    let fine = !value.is_empty() && value.len() <= BOUNDARY_MAX;
    fine.then(|| value.to_owned())
}

/// The parts between boundaries, and whether the last boundary is there. A part without an end is left out.
fn split<'a>(body: &'a [u8], boundary: &str) -> (Vec<&'a [u8]>, bool) {
    let mark = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut begin = None;
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let start = at;
        at += line.len();
        let Some(rest) = line.strip_prefix(mark.as_bytes()) else {
            continue;
        };
        let rest = rest.trim_ascii();
        let closes = rest == b"--";
        // A line that only begins like one is a line of the part; one without its end may be either.
        if !closes && (!rest.is_empty() || !line.ends_with(b"\n")) {
            continue;
        }
        if let Some(begin) = begin.filter(|_| parts.len() < PARTS_MAX) {
            let part: &[u8] = &body[begin..start];
            let part = part.strip_suffix(b"\n").unwrap_or(part);
            parts.push(part.strip_suffix(b"\r").unwrap_or(part));
        }
        if closes {
            return (parts, true);
        }
        begin = Some(at);
    }
    (parts, false)
}

/// Names in small letters, and values.
type Headers = Vec<(String, String)>;

/// A block of headers, and what follows it.
fn headers(part: &[u8]) -> Option<(Headers, &[u8])> {
    let mut headers = Vec::new();
    let mut rest = part;
    loop {
        // A block may end with the part itself.
        let (line, after) = match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => (&rest[..end], &rest[end + 1..]),
            None => (rest, &rest[rest.len()..]),
        };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            return Some((headers, after));
        }
        let (name, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        if headers.len() == HEADERS_MAX {
            return None;
        }
        headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        rest = after;
    }
}

fn header<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    let found = headers.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// An answer inside a batch.
struct Inner<'a> {
    status: i64,
    headers: Headers,
    body: &'a [u8],
}

impl Inner<'_> {
    fn told(&self, index: i64) -> Map {
        let mut map = Map::new();
        map.insert("index".to_owned(), index.into());
        map.insert("status".to_owned(), self.status.into());
        let headers = self.headers.iter();
        let headers: Map = headers
            .map(|(name, value)| (name.clone(), Value::from(value.as_str())))
            .collect();
        map.insert("headers".to_owned(), Value::Map(headers));
        let body = dsl::json::parse(self.body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(self.body).trim()));
        map.insert("body".to_owned(), body);
        map
    }
}

/// The one answer in a part, and the number of the write it says it is about. A change set that was refused is answered
/// without a set around it.
fn one(part: &[u8]) -> Option<(Inner<'_>, Option<String>)> {
    let (outer, rest) = headers(part)?;
    let (part_headers, http) = match boundary(header(&outer, "content-type")?) {
        None => (outer, rest),
        Some(mark) => match split(rest, &mark) {
            (parts, true) if parts.len() == 1 => headers(parts[0])?,
            _ => return None,
        },
    };
    let kind = header(&part_headers, "content-type")?;
    if !kind.trim().to_ascii_lowercase().starts_with("application/http") {
        return None;
    }
    let end = http.iter().position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(&http[..end]).ok()?;
    let mut words = line.split_ascii_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    let status: i64 = words.next()?.parse().ok()?;
    let (inner, body) = headers(&http[end + 1..])?;
    let body = match header(&inner, "content-length").map(str::parse::<usize>) {
        Some(length) => body.get(..length.ok()?)?,
        None => body,
    };
    let id = header(&part_headers, "content-id").or(header(&inner, "content-id"));
    let id = id.map(str::to_owned);
    let read = Inner {
        status,
        headers: inner,
        body,
    };
    Some((read, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: &str) -> HttpAnswer {
        HttpAnswer {
            status: 202,
            headers: vec![("Content-Type".into(), "multipart/mixed; boundary=\"b1\"".into())],
            body: body.replace('\n', "\r\n").into_bytes(),
        }
    }

    const CREATED: &str = "--b1\nContent-Type: multipart/mixed; boundary=s1\nContent-Length: 99\n\n--s1\nContent-Type: application/http\nContent-ID: ID\n\nHTTP/1.1 201 Created\nContent-Type: application/json\nContent-Length: 19\n\n{\"d\":{\"No\":\"00123\"}}\n--s1--\n";
    const REFUSED: &str = "--b1\nContent-Type: application/http\n\nHTTP/1.1 400 Bad Request\n\n{\"error\":{\"code\":\"V1/1\"}}\n";

    fn shown(body: &str, sent: usize) -> String {
        match read(&answer(body), sent).expect("a batch") {
            Ok(value) => {
                let parts = value.get("parts").and_then(Value::as_list).unwrap_or_default();
                let one = |part: &Value| {
                    let text = |name: &str| part.get(name).map(dsl::json::to_string).unwrap_or_default();
                    format!("{} {} {}", text("index"), text("status"), text("body"))
                };
                let parts: Vec<String> = parts.iter().map(one).collect();
                parts.join(" | ")
            }
            Err(failure) => failure.code().to_owned(),
        }
    }

    #[test]
    fn answers_are_read_part_by_part() {
        let created = |id: &str| CREATED.replace("Content-ID: ID\n", id).replace(": 19", ": 20");
        let (first, second) = (created(""), created("content-id: 2\n"));
        let good = "201 {\"d\":{\"No\":\"00123\"}}";
        let bad = "400 {\"error\":{\"code\":\"V1/1\"}}";
        for (body, sent, want) in [
            (
                format!("{first}{REFUSED}--b1--\n"),
                2,
                format!("0 {good} | 1 {bad}"),
            ),
            (
                format!("{REFUSED}{second}--b1--"),
                2,
                format!("0 {bad} | 1 {good}"),
            ),
            // Cut behind the first, within the second, within a boundary, within the last boundary.
            (first.clone(), 2, String::new()),
            (format!("{first}--b1\nContent-Type: mul"), 2, format!("0 {good}")),
            (format!("{first}{REFUSED}--b"), 2, format!("0 {good}")),
            (format!("{first}{REFUSED}--b1-"), 2, format!("0 {good}")),
            (format!("{first}--b1--\n"), 2, "E3005".to_owned()),
            (
                format!("{first}{REFUSED}{REFUSED}--b1--\n"),
                2,
                "E3005".to_owned(),
            ),
            // The second says that it is about the first.
            (
                format!("{first}{first}--b1--\n")
                    .replace("--s1\nContent-Type", "--s1\ncontent-id: 1\nContent-Type"),
                2,
                "E3005".to_owned(),
            ),
            // A body shorter than its length.
            (
                format!("{}--b1--\n", CREATED.replace(": 19", ": 99")),
                1,
                "E3005".to_owned(),
            ),
            ("--b1--\n".to_owned(), 1, "E3005".to_owned()),
            (String::new(), 1, String::new()),
            ("<html>".to_owned(), 1, String::new()),
        ] {
            assert_eq!(shown(&body, sent), want, "{body}");
        }
        let json = HttpAnswer {
            headers: vec![("content-type".into(), "application/json".into())],
            ..answer("{}")
        };
        assert!(read(&json, 1).is_none());
    }

    #[test]
    fn the_same_batch_is_the_same_bytes() {
        let parts = [Part {
            method: "POST".into(),
            path: "A_SalesOrder".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: "{\"a\":\"客\"}".into(),
        }];
        let (bytes, kind) = render(&parts);
        assert_eq!((&bytes, &kind), (&render(&parts).0, &render(&parts).1));
        let mark = kind.strip_prefix("multipart/mixed; boundary=batch_").unwrap();
        let text = String::from_utf8(bytes).unwrap().replace(mark, "M");
        assert_eq!(
            text,
            "--batch_M\r\ncontent-type: multipart/mixed; boundary=set_1_M\r\n\r\n--set_1_M\r\ncontent-type: application/http\r\ncontent-transfer-encoding: binary\r\ncontent-id: 1\r\n\r\nPOST A_SalesOrder HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{\"a\":\"客\"}\r\n--set_1_M--\r\n--batch_M--\r\n"
        );
    }
}
