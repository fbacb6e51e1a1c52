//! `$batch`: change sets in, an answer for each out, in their order.

use super::{Odata, Refused, create, created, refused, set, write_down};
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::twist::{Fate, Twist};

/// The boundary of a multipart content type.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    let value = rest.trim().strip_prefix("boundary=")?;
    (kind.trim() == "multipart/mixed").then(|| value.trim_matches('"'))
}

/// The parts of a text between boundaries; `None` when the last one is missing.
fn parts<'a>(text: &'a str, boundary: &str) -> Option<Vec<&'a str>> {
    let (open, close) = (format!("--{boundary}\r\n"), format!("--{boundary}--"));
    let inner = text
        .split(close.as_str())
        .next()
        .filter(|inner| inner.len() < text.len())?;
    Some(inner.split(open.as_str()).skip(1).collect())
}

/// A value of a block of headers, and the text behind the block.
fn head<'a>(part: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let (head, rest) = part.split_once("\r\n\r\n")?;
    let lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(known, _)| known.trim().eq_ignore_ascii_case(name));
    Some((found.next().map_or("", |(_, value)| value.trim()), rest))
}

/// One write: its number in its set, and the document.
struct Change<'a> {
    id: &'a str,
    body: &'a str,
}

/// The only write of a change set.
fn change<'a>(part: &'a str, odata: Odata) -> Result<Change<'a>, Refused> {
    let wrong = |what: &str| refused(400, "/IWBEP/CM_MGW_RT/160", what);
    let (kind, inside) = head(part, "content-type").ok_or_else(|| wrong("Malformed part"))?;
    let boundary = boundary(kind).ok_or_else(|| wrong("A write belongs into a change set"))?;
    let inner = parts(inside, boundary).ok_or_else(|| wrong("Change set is not closed"))?;
    let [inner] = inner.as_slice() else {
        return Err(wrong("More than one write in a change set"));
    };
    let (id, _) = head(inner, "content-id").ok_or_else(|| wrong("Malformed write"))?;
    let (kind, http) = head(inner, "content-type").ok_or_else(|| wrong("Malformed write"))?;
    if kind != "application/http" {
        return Err(wrong("Content-Type application/http expected"));
    }
    let (line, _) = http
        .split_once("\r\n")
        .ok_or_else(|| wrong("Malformed request line"))?;
    if line != format!("POST {} HTTP/1.1", set(odata)) {
        return Err(wrong("Only new orders can be made here"));
    }
    let (length, body) = head(http, "content-length").ok_or_else(|| wrong("Malformed request"))?;
    let length: usize = length.parse().map_err(|_| wrong("Content-Length expected"))?;
    let body = body
        .get(..length)
        .ok_or_else(|| wrong("Body is shorter than its length"))?;
    Ok(Change { id, body })
}

pub(super) fn answer(
    world: &mut World,
    request: &Request,
    endpoint: &str,
    odata: Odata,
    twist: &Twist,
) -> Result<Reply, Refused> {
    let wrong = |what: &str| refused(400, "/IWBEP/CM_MGW_RT/160", what);
    let boundary =
        boundary(request.header("content-type")).ok_or_else(|| wrong("multipart/mixed expected"))?;
    let text = std::str::from_utf8(&request.body).map_err(|_| wrong("Not UTF-8"))?;
    let parts = parts(text, boundary).ok_or_else(|| wrong("Batch is not closed"))?;
    if parts.is_empty() || parts.len() > super::MAX_CHANGES {
        return Err(wrong("Number of change sets"));
    }
    let changes: Vec<Change<'_>> = parts
        .iter()
        .map(|part| change(part, odata))
        .collect::<Result<_, _>>()?;
    if twist.refuses_batch(changes.iter().map(|change| change.body)) {
        return Err(refused(400, "V1/305", "批次被拒绝"));
    }
    let (mut rows, mut told) = (Vec::new(), Vec::new());
    for (dindex, change) in changes.iter().enumerate() {
        let fate = twist.fate(dindex, change.body);
        if fate == Fate::Dropped {
            continue;
        }
        match create(world, dindex, change.body, twist) {
            Ok(row) => {
                let body = created(world, row.id, odata);
                let http = format!(
                    "HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}\r\n",
                    body.len()
                );
                let mark = format!("cs_{dindex}");
                if fate != Fate::Unnamed {
                    told.push(format!(
                        "content-type: multipart/mixed; boundary={mark}\r\n\r\n--{mark}\r\ncontent-type: application/http\r\ncontent-transfer-encoding: binary\r\ncontent-id: {}\r\n\r\n{http}--{mark}--\r\n",
                        change.id
                    ));
                }
                rows.push(row);
            }
            // A set that is refused is answered without a set around it.
            Err(problem) => {
                let body = problem.json(odata);
                told.push(format!(
                    "content-type: application/http\r\ncontent-transfer-encoding: binary\r\n\r\nHTTP/1.1 {} Bad Request\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}\r\n",
                    problem.status,
                    body.len()
                ));
            }
        }
    }
    if twist.adds_a_row() {
        told.push("content-type: application/http\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n".to_owned());
    }
    if !rows.is_empty() {
        write_down(world, request, endpoint, twist, rows)?;
    }
    let parts: Vec<String> = told.iter().map(|part| format!("--answer\r\n{part}")).collect();
    let mut reply = Reply::new(
        match odata {
            Odata::V2 => 202,
            Odata::V4 => 200,
        },
        "multipart/mixed; boundary=answer",
        format!("{}--answer--\r\n", parts.concat()),
    );
    reply.headers.push(("dataserviceversion", "2.0".to_owned()));
    Ok(reply)
}
