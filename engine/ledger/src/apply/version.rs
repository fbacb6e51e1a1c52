//! How far sources were read by the versions of their rows.
//!
//! The first line of a source is where its last reading stood, the others are the greatest versions seen, oldest first.

use flow::ids::Ms;
use flow::op::LedgerReply;
use flow::version::{VersionMark, VersionMarks};

use super::Cx;
use crate::error::StoreError;

impl Cx<'_> {
    pub(super) fn read_versions(&self, scheme: &str, source: &str) -> Result<LedgerReply, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT at_ms, version FROM version_mark WHERE scheme = ?1 AND source = ?2 ORDER BY seq",
        )?;
        let mut rows = statement.query((scheme, source))?;
        let mut marks = Vec::new();
        while let Some(row) = rows.next()? {
            let (at, text): (Ms, String) = (row.get(0)?, row.get(1)?);
            let version = text.parse().map_err(|_| StoreError::Damaged {
                what: format!("version `{text}`"),
            })?;
            marks.push(VersionMark { at, version });
        }
        let mut marks = marks.into_iter();
        Ok(LedgerReply::Versions(marks.next().map(|read| VersionMarks {
            read,
            seen: marks.collect(),
        })))
    }

    pub(super) fn note_versions(
        &self,
        scheme: &str,
        source: &str,
        marks: &VersionMarks,
    ) -> Result<LedgerReply, StoreError> {
        self.conn
            .prepare_cached("DELETE FROM version_mark WHERE scheme = ?1 AND source = ?2")?
            .execute((scheme, source))?;
        let mut insert = self.conn.prepare_cached(
            "INSERT INTO version_mark (scheme, source, seq, at_ms, version) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        for (seq, mark) in (0_i64..).zip([&marks.read].into_iter().chain(&marks.seen)) {
            insert.execute((scheme, source, seq, mark.at, mark.version.to_string()))?;
        }
        Ok(LedgerReply::Ok)
    }
}
