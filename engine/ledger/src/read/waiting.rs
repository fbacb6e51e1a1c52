//! What is not settled yet, scheme by scheme: for gauges, which are asked for every few seconds.

use flow::ids::Ms;

use super::Reader;
use crate::error::StoreError;

/// What is not settled of a scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingRow {
    /// The scheme.
    pub scheme: String,
    /// Records that are pending, being sent, or whose fate is not known. A document of several rows is counted by its rows,
    /// which are pending as long as it is open.
    pub records: u64,
    /// When the row that was read first of them was read.
    pub oldest: Option<Ms>,
}

impl Reader {
    /// What is not settled, by scheme. Found by the partial indexes: settled records cost nothing.
    pub fn waiting(&self) -> Result<Vec<WaitingRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT scheme, sum(n), min(oldest) FROM (
                     SELECT scheme, count(*) n, min(seen_ms) oldest FROM record WHERE state = 'pending' AND bundle IS NOT id GROUP BY scheme
                     UNION ALL
                     SELECT scheme, count(*), min(seen_ms) FROM record WHERE state = 'sending' AND bundle IS NOT id GROUP BY scheme
                     UNION ALL
                     SELECT scheme, count(*), min(seen_ms) FROM record WHERE state = 'unknown' AND bundle IS NOT id GROUP BY scheme)
                 GROUP BY scheme ORDER BY scheme",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(WaitingRow {
                    scheme: row.get(0)?,
                    records: row.get::<_, i64>(1)?.unsigned_abs(),
                    oldest: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
