//! Where a list goes on: opaque to the caller, and only for the list and the filters it came with.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dsl::catalogue::server;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Rows of a page unless asked otherwise.
pub(crate) const USUAL: u32 = 50;
/// Rows of a page at most.
pub(crate) const MOST: u32 = 500;

/// How many rows a page has; what is beyond the bound is refused, not cut, so that nobody takes a part for the whole.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked {
        None => Ok(USUAL),
        Some(asked @ 1..=MOST) => Ok(asked),
        Some(_) => Err(Problem::malformed(format!("limit: 1-{MOST}"))),
    }
}

/// One page of a list: how many rows, and behind which one.
#[derive(Debug)]
pub(crate) struct Paging {
    list: &'static str,
    filters: String,
    limit: u32,
    /// The id that it goes on behind.
    pub(crate) before: Option<i64>,
}

impl Paging {
    /// As a query asks for it; `filters` names everything that chooses the rows.
    pub(crate) fn new(
        list: &'static str,
        asked: Option<u32>,
        cursor: Option<&str>,
        filters: String,
    ) -> Result<Self, Problem> {
        let before = cursor.map(|text| read(list, &filters, text)).transpose()?;
        Ok(Paging {
            list,
            limit: limit(asked)?,
            filters,
            before,
        })
    }

    /// How many rows to ask for: one more than fit says whether there are more.
    pub(crate) fn rows(&self) -> u32 {
        self.limit + 1
    }

    /// The same, for what is counted in memory.
    pub(crate) fn asked(&self) -> usize {
        usize::try_from(self.rows()).unwrap_or(usize::MAX)
    }

    /// Cuts the rows to the page; the cursor of the next one, if there is one.
    pub(crate) fn next<T>(&self, rows: &mut Vec<T>, id: impl Fn(&T) -> i64) -> Option<String> {
        cut(rows, self.limit, id).map(|after| write(self.list, &self.filters, after))
    }
}

/// Cuts a list that was asked for one row more than fit; the id to go on behind, if there are more.
fn cut<T>(rows: &mut Vec<T>, limit: u32, id: impl Fn(&T) -> i64) -> Option<i64> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(id)
}

/// A cursor of a list with these filters, behind the row with this id.
pub(crate) fn write(list: &str, filters: &str, after: i64) -> String {
    let mut bytes = Vec::from(mark(list, filters));
    bytes.extend_from_slice(&after.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The id it goes on behind.
pub(crate) fn read(list: &str, filters: &str, cursor: &str) -> Result<i64, Problem> {
    let refused = || Problem::new(StatusCode::BAD_REQUEST, &server::CURSOR);
    let bytes: [u8; 16] = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(refused)?;
    let (begin, after) = bytes.split_at(8);
    if begin != mark(list, filters) {
        return Err(refused());
    }
    let after: [u8; 8] = after.try_into().map_err(|_| refused())?;
    Ok(i64::from_be_bytes(after))
}

/// Eight bytes that tell one list with its filters from another. A mark is no secret: whoever makes one up sees no more
/// than the list would show anyway.
fn mark(list: &str, filters: &str) -> [u8; 8] {
    let hash = Sha256::digest(format!("1 {list}\n{filters}").as_bytes());
    let mut mark = [0; 8];
    mark.copy_from_slice(&hash[..8]);
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_for_its_list_and_filters() {
        for id in [0, 1, i64::MAX, -1] {
            let cursor = write("runs", "a", id);
            assert_eq!(read("runs", "a", &cursor).unwrap(), id);
            for (list, filters) in [("runs", "b"), ("records", "a")] {
                assert_eq!(read(list, filters, &cursor).unwrap_err().code(), "E6015");
            }
        }
        for wrong in ["", "abc", "!", &"A".repeat(400)] {
            assert_eq!(read("runs", "a", wrong).unwrap_err().code(), "E6015");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(limit(None).unwrap(), 50);
        assert_eq!(limit(Some(500)).unwrap(), 500);
        for wrong in [0, 501, u32::MAX] {
            assert_eq!(limit(Some(wrong)).unwrap_err().code(), "E6005");
        }
    }
}
