//! What is given up after a while, and the space it took given back.
//!
//! Some time after a record was settled nobody asks any more how it came to be: the documents that were sent, when it
//! was read, the questions and the earlier sends are most of a ledger. What stays of every record: its row, key,
//! version, ids and reason, its newest reading and its last send. Of windows the last eight weeks stay, because they
//! say what is usual, and those that were not read to their end; of the changes of a mapping the newest. Runs and decisions stay for ever. Work is done in
//! small transactions, oldest first, and goes on where it stopped; a record that is not done by then keeps what it has.

use flow::ids::Ms;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::apply::in_doubt;
use crate::error::StoreError;
use crate::{Ledger, generation};

/// Rows looked at in one transaction, so that the writer is never away for long.
const BATCH: i64 = 200;

/// Transactions of one call for each kind of row: 20,000 rows, far more than a run makes. What is left is the next
/// call's.
const MAX_BATCHES: u32 = 100;

/// Pages given back in one step: four megabytes.
const PAGES: u32 = 1_000;

/// Steps of one call: four hundred megabytes, a few seconds.
const MAX_STEPS: u32 = 100;

/// How far back windows tell what is usual.
const USUAL: Ms = 8 * 7 * 86_400_000;

/// The instant before which readings may have been given up, under this name of `meta`.
pub(crate) const GIVEN_UP: &str = "given_up_before_ms";

/// What was given up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Documents.
    pub payloads: u64,
    /// Readings of records.
    pub sightings: u64,
    /// Questions to targets, and notes of what met the other direction of a pair.
    pub questions: u64,
    /// Sends of records.
    pub sends: u64,
    /// Windows.
    pub windows: u64,
    /// Changes of mappings.
    pub changes: u64,
    /// Bytes given back to the system.
    pub bytes: u64,
}

impl Ledger {
    /// Gives up what is older than an instant and belongs to records that are done, and gives back the space. A
    /// document that is not settled by then is kept for good: somebody may still want to see it.
    pub fn prune(&mut self, before: Ms, now: Ms) -> Result<Pruned, StoreError> {
        let conn = self.lock();
        let mut documents = [0, 0];
        for of in scopes(&conn, before, now)? {
            documents[0] += batches(&conn, |tx| payloads(tx, &of))?;
            documents[1] += batches(&conn, |tx| sends(tx, &of))?;
            documents[0] += batches(&conn, |tx| lost_rows(tx, &of))?;
        }
        let pruned = Pruned {
            payloads: documents[0],
            sightings: batches(&conn, |tx| sightings(tx, before))?,
            questions: batches(&conn, |tx| questions(tx, before))? + batches(&conn, |tx| notes(tx, before))?,
            sends: documents[1],
            windows: batches(&conn, |tx| windows(tx, before.min(now.saturating_sub(USUAL))))?,
            changes: batches(&conn, |tx| changes(tx, before))?,
            bytes: give_back(&conn)?,
        };
        Ok(pruned)
    }
}

/// Whose documents are given up, and before when.
struct Of {
    /// One scheme; `None` = all that have no rule of their own.
    scheme: Option<String>,
    before: Ms,
}

impl Of {
    /// How far it got stands under this name.
    fn marker(&self, name: &str) -> String {
        match &self.scheme {
            Some(scheme) => format!("{name}:{scheme}"),
            None => name.to_owned(),
        }
    }
}

/// Everybody, and each scheme that keeps its documents for a time of its own.
fn scopes(conn: &Connection, before: Ms, now: Ms) -> Result<Vec<Of>, StoreError> {
    let mut all = vec![Of { scheme: None, before }];
    let mut statement = conn.prepare_cached("SELECT scheme, keep_ms FROM retention ORDER BY scheme")?;
    let own = statement.query_map([], |row| {
        let (scheme, keep): (String, Ms) = (row.get(0)?, row.get(1)?);
        Ok(Of {
            scheme: Some(scheme),
            before: now.saturating_sub(keep),
        })
    })?;
    for of in own {
        all.push(of?);
    }
    Ok(all)
}

/// Whether the record `r` is one of those meant; `?4` is the scheme.
const IS_MEANT: &str =
    "(r.scheme = ?4 OR (?4 IS NULL AND NOT EXISTS (SELECT 1 FROM retention t WHERE t.scheme = r.scheme)))";

/// Rows that one transaction gave up; `None` = there was nothing to look at.
type Batch = Result<Option<usize>, StoreError>;

fn batches(conn: &Connection, one: impl Fn(&Transaction<'_>) -> Batch) -> Result<u64, StoreError> {
    let mut gone = 0;
    for _ in 0..MAX_BATCHES {
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        let Some(count) = one(&tx)? else { break };
        tx.commit()?;
        gone += u64::try_from(count).unwrap_or(u64::MAX);
    }
    Ok(gone)
}

/// Notes of pairs, with the rows that lost. Each record has a handful at most.
fn notes(tx: &Transaction<'_>, before: Ms) -> Batch {
    let gone = tx
        .prepare_cached(
            "DELETE FROM two_way_note WHERE id IN (SELECT id FROM two_way_note WHERE at_ms < ?1 ORDER BY id LIMIT ?2)",
        )?
        .execute((before, BATCH))?;
    Ok((gone > 0).then_some(gone))
}

/// Rows that lost against the other side of a pair: they are kept as long as documents are.
fn lost_rows(tx: &Transaction<'_>, of: &Of) -> Batch {
    let gone = tx
        .prepare_cached(&format!(
            "UPDATE two_way_note SET source = NULL WHERE id IN (
                SELECT n.id FROM two_way_note n JOIN record r ON r.id = n.record
                WHERE n.source IS NOT NULL AND n.at_ms > ?1 AND n.at_ms < ?2 AND {IS_MEANT} LIMIT ?3)"
        ))?
        .execute((0, of.before, BATCH, &of.scheme))?;
    Ok((gone > 0).then_some(gone))
}

/// The next ids of a table that are older than an instant, behind those a marker remembers.
fn next(tx: &Transaction<'_>, marker: &str, ids: &str, before: Ms) -> Result<Option<(i64, i64)>, StoreError> {
    let from = generation::meta(tx, marker)?.unwrap_or(0);
    let upto: Option<i64> = tx
        .prepare_cached(&format!(
            "SELECT max(id) FROM (SELECT id, at FROM ({ids}) WHERE id > ?1 ORDER BY id LIMIT ?3) WHERE at < ?2"
        ))?
        .query_row((from, before, BATCH), |row| row.get(0))?;
    let Some(upto) = upto else { return Ok(None) };
    generation::set_meta(tx, marker, upto)?;
    Ok(Some((from, upto)))
}

/// An attempt without an end is as young as can be.
const ATTEMPTS: &str = "SELECT id, coalesce(ended_ms, 9000000000000000) AS at FROM attempt";

fn payloads(tx: &Transaction<'_>, of: &Of) -> Batch {
    let Some((from, upto)) = next(tx, &of.marker("pruned_upto"), ATTEMPTS, of.before)? else {
        return Ok(None);
    };
    let gone = tx
        .prepare_cached(&format!(
            "UPDATE attempt_row SET payload = NULL
             WHERE attempt > ?1 AND attempt <= ?2 AND payload IS NOT NULL
               AND EXISTS (SELECT 1 FROM record r
                            WHERE r.id = attempt_row.record AND r.state = 'done' AND {IS_MEANT})
               AND (SELECT ended_ms FROM attempt WHERE id = attempt_row.attempt) < ?3"
        ))?
        .execute((from, upto, of.before, &of.scheme))?;
    Ok(Some(gone))
}

/// The readings of a run that ended before the instant, but for the newest of each record. Each record that is met is
/// rid of its older ones too: a reading that was the newest when it was passed is not kept for ever.
fn sightings(tx: &Transaction<'_>, before: Ms) -> Batch {
    let meta = |name| generation::meta(tx, name).map(|value| value.unwrap_or(0));
    let (run, record) = (meta("pruned_sighting_run")?, meta("pruned_sighting_record")?);
    let met: Vec<(i64, i64)> = tx
        .prepare_cached(
            "SELECT DISTINCT s.run, s.record FROM sighting s JOIN run r ON r.id = s.run
             WHERE (s.run, s.record) > (?1, ?2) AND r.ended_ms < ?3 ORDER BY s.run, s.record LIMIT ?4",
        )?
        .query_map((run, record, before, BATCH), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let Some(last) = met.last() else { return Ok(None) };
    let mut delete = tx.prepare_cached(
        "DELETE FROM sighting WHERE record = ?1
           AND (SELECT state FROM record WHERE id = ?1) IN ('done', 'skipped')
           AND (SELECT ended_ms FROM run WHERE id = sighting.run) < ?2
           AND (run, seq) < (SELECT run, seq FROM sighting WHERE record = ?1 ORDER BY run DESC, seq DESC LIMIT 1)",
    )?;
    let mut gone = 0;
    for (_, record) in &met {
        gone += delete.execute((record, before))?;
    }
    generation::set_meta(tx, "pruned_sighting_run", last.0)?;
    generation::set_meta(tx, "pruned_sighting_record", last.1)?;
    let noted = generation::meta(tx, GIVEN_UP)?.unwrap_or(before);
    generation::set_meta(tx, GIVEN_UP, noted.max(before))?;
    Ok(Some(gone))
}

fn questions(tx: &Transaction<'_>, before: Ms) -> Batch {
    let ids = "SELECT id, at_ms AS at FROM question";
    let Some((from, upto)) = next(tx, "pruned_question", ids, before)? else {
        return Ok(None);
    };
    let gone = tx
        .prepare_cached(
            "DELETE FROM question WHERE id > ?1 AND id <= ?2 AND at_ms < ?3
               AND (SELECT state FROM record WHERE id = question.record) = 'done'",
        )?
        .execute((from, upto, before))?;
    Ok(Some(gone))
}

/// Sends whose end is known and that are not the last of their record; an attempt goes with its last row. The newest
/// attempt of all stays: its number is what the next one, and the note of the generation, count on from.
fn sends(tx: &Transaction<'_>, of: &Of) -> Batch {
    let before = of.before;
    let Some((from, upto)) = next(tx, &of.marker("pruned_send"), ATTEMPTS, before)? else {
        return Ok(None);
    };
    // The instant takes part in nothing: it keeps the numbers of the parameters.
    let met: Vec<i64> = tx
        .prepare_cached(&format!(
            "SELECT DISTINCT a.record FROM attempt_row a JOIN record r ON r.id = a.record
             WHERE a.attempt > ?1 AND a.attempt <= ?2 AND ?3 IS NOT NULL AND {IS_MEANT}"
        ))?
        .query_map((from, upto, before, &of.scheme), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    // What a step may have made, under its key, is asked for by the next claim of that step.
    let mut old = tx.prepare_cached(&format!(
        "DELETE FROM attempt_row WHERE record = ?1 AND attempt <= ?3
           AND (SELECT state FROM record WHERE id = ?1) = 'done'
           AND (SELECT ended_ms FROM attempt WHERE id = attempt_row.attempt) < ?2
           AND settlement IS NOT NULL
           AND NOT (settlement = 'unknown' AND coalesce(resolution, 'ask_again') = 'ask_again')
           AND NOT (step IS NOT NULL AND {}
                    AND NOT EXISTS (SELECT 1 FROM record_step s
                                     WHERE s.record = attempt_row.record AND s.step = attempt_row.step))
           AND id < (SELECT max(id) FROM attempt_row WHERE record = ?1)
         RETURNING attempt",
        in_doubt()
    ))?;
    let mut bare = tx.prepare_cached(
        "DELETE FROM attempt WHERE id = ?1 AND id < (SELECT max(id) FROM attempt)
           AND NOT EXISTS (SELECT 1 FROM attempt_row WHERE attempt = ?1)",
    )?;
    let mut gone = 0;
    for record in met {
        let attempts: Vec<i64> = old
            .query_map((record, before, upto), |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        gone += attempts.len();
        for attempt in attempts {
            bare.execute([attempt])?;
        }
    }
    Ok(Some(gone))
}

/// Windows none of whose readings is left. The newest closed one of each cursor and what came after it stay: they tell
/// how often a source was unstable of late.
fn windows(tx: &Transaction<'_>, before: Ms) -> Batch {
    let ids = "SELECT id, coalesce(ended_ms, 9000000000000000) AS at FROM window_run";
    let Some((from, upto)) = next(tx, "pruned_window", ids, before)? else {
        return Ok(None);
    };
    let gone = tx
        .prepare_cached(
            "DELETE FROM window_run WHERE id > ?1 AND id <= ?2 AND state = 'closed' AND ended_ms < ?3
               AND NOT EXISTS (SELECT 1 FROM sighting s WHERE s.run = window_run.run AND s.window = window_run.id)
               AND id < (SELECT max(w.id) FROM window_run w
                         WHERE w.scheme = window_run.scheme AND w.cursor = window_run.cursor AND w.state = 'closed')",
        )?
        .execute((from, upto, before))?;
    Ok(Some(gone))
}

/// Changes of mappings, but for the newest of each.
fn changes(tx: &Transaction<'_>, before: Ms) -> Batch {
    let ids = "SELECT id, at_ms AS at FROM mapping_change";
    let Some((from, upto)) = next(tx, "pruned_change", ids, before)? else {
        return Ok(None);
    };
    // Each mapping that is met is rid of its older ones too: the one that was the newest when it was passed goes then.
    let gone = tx
        .prepare_cached(
            "DELETE FROM mapping_change WHERE at_ms < ?3
               AND mapping IN (SELECT mapping FROM mapping_change WHERE id > ?1 AND id <= ?2)
               AND EXISTS (SELECT 1 FROM mapping_change n WHERE n.mapping = mapping_change.mapping
                                                            AND n.id > mapping_change.id)",
        )?
        .execute((from, upto, before))?;
    Ok(Some(gone))
}

/// Gives free pages back to the system, whoever left them; gives the bytes.
fn give_back(conn: &Connection) -> Result<u64, StoreError> {
    let number = |name: &str| -> Result<i64, StoreError> {
        Ok(conn.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?)
    };
    let size = number("page_size")?;
    let full = number("page_count")?;
    for _ in 0..MAX_STEPS {
        if number("freelist_count")? == 0 {
            break;
        }
        let left = number("page_count")?;
        // It gives back one page for each row that is asked for.
        let mut vacuum = conn.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
        let mut rows = vacuum.query([])?;
        while rows.next()?.is_some() {}
        if number("page_count")? >= left {
            // A file made without room for this keeps its pages, and fills them again.
            break;
        }
    }
    let given = (full - number("page_count")?).max(0);
    Ok(given.unsigned_abs() * size.unsigned_abs())
}
