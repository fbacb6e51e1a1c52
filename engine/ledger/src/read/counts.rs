//! Counts of runs, states of schemes, closed intervals.

use flow::ids::RunId;
use flow::op::{Counts, Cursor, RecordState, SightingOutcome};
use flow::window::Interval;
use rusqlite::Connection;

use super::Reader;
use crate::apply::LIVE;
use crate::error::StoreError;

impl Reader {
    /// How many records of a scheme are in each state, in the order of [`RecordState::ALL`].
    pub fn states(&self, scheme: &str) -> Result<[u64; 7], StoreError> {
        self.ask(|conn| states(conn, scheme))
    }

    /// What has been read for good, sorted, merged.
    pub fn closed_intervals(&self, scheme: &str) -> Result<Vec<Interval>, StoreError> {
        self.ask(|conn| closed_intervals(conn, scheme, LIVE))
    }

    /// What another cursor has closed, sorted, merged.
    pub fn closed_by(&self, scheme: &str, cursor: Cursor) -> Result<Vec<Interval>, StoreError> {
        self.ask(|conn| closed_intervals(conn, scheme, &cursor.word()))
    }

    /// The counts of a run as they are now; those fixed at its end are in [`super::RunRow`].
    pub fn count_run(&self, run: RunId) -> Result<Counts, StoreError> {
        self.ask(|conn| count_run(conn, run))
    }
}

pub(crate) fn states(conn: &Connection, scheme: &str) -> Result<[u64; 7], StoreError> {
    let mut counts = [0; 7];
    let mut statement = conn.prepare_cached("SELECT state, n FROM scheme_state WHERE scheme = ?1")?;
    let mut rows = statement.query([scheme])?;
    while let Some(row) = rows.next()? {
        let state: String = row.get(0)?;
        if let Some(place) = RecordState::ALL.iter().position(|known| known.word() == state) {
            counts[place] = row.get::<_, i64>(1)?.unsigned_abs();
        }
    }
    Ok(counts)
}

pub(crate) fn closed_intervals(
    conn: &Connection,
    scheme: &str,
    cursor: &str,
) -> Result<Vec<Interval>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT from_ms, to_ms FROM closed_interval WHERE scheme = ?1 AND cursor = ?2 ORDER BY from_ms",
    )?;
    let intervals = statement
        .query_map((scheme, cursor), |row| {
            Ok(Interval {
                from: row.get(0)?,
                to: row.get(1)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(intervals)
}

/// Joins the sightings of a run with the states of their records. Every sighting is counted once, so the sum is right
/// by construction.
pub(crate) fn count_run(conn: &Connection, run: RunId) -> Result<Counts, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT s.outcome, r.state, count(*) FROM sighting s JOIN record r ON r.id = s.record
         WHERE s.run = ?1 GROUP BY s.outcome, r.state",
    )?;
    let mut rows = statement.query([run.0])?;
    let mut counts = Counts::default();
    while let Some(row) = rows.next()? {
        let (outcome, state): (String, String) = (row.get(0)?, row.get(1)?);
        let n = row.get::<_, i64>(2)?.unsigned_abs();
        let outcome = SightingOutcome::ALL
            .into_iter()
            .find(|known| known.word() == outcome);
        let state = RecordState::from_word(&state);
        let (Some(outcome), Some(state)) = (outcome, state) else {
            return Err(StoreError::Damaged {
                what: format!("sighting of run {run}"),
            });
        };
        counts.fetched += n;
        match outcome {
            SightingOutcome::Unchanged => counts.unchanged += n,
            SightingOutcome::Superseded => counts.superseded += n,
            SightingOutcome::Filtered => counts.filtered += n,
            SightingOutcome::New | SightingOutcome::Changed | SightingOutcome::Invalid => {
                *match state {
                    RecordState::Pending => &mut counts.pending,
                    RecordState::Sending => &mut counts.sending,
                    RecordState::Unknown => &mut counts.unknown,
                    RecordState::Done => &mut counts.done,
                    RecordState::Dead => &mut counts.dead,
                    RecordState::Held => &mut counts.held,
                    RecordState::Skipped => &mut counts.skipped,
                } += n;
                continue;
            }
        }
        counts.skipped += n;
    }
    Ok(counts)
}

impl super::Reader {
    /// `Some` = the ledger was restored and this scheme has not been put under suspicion yet; the instant before which
    /// somebody else may have written its rows.
    pub fn suspicion(&self, scheme: &str) -> Result<Option<flow::ids::Ms>, StoreError> {
        self.ask(|conn| {
            let Some(generation) = crate::generation::meta(conn, "suspect_generation")? else {
                return Ok(None);
            };
            let settled = conn
                .prepare_cached("SELECT 1 FROM scheme WHERE id = ?1 AND suspect_generation = ?2")?
                .exists((scheme, generation))?;
            if settled {
                return Ok(None);
            }
            crate::generation::meta(conn, "suspect_until_ms")
        })
    }
}
