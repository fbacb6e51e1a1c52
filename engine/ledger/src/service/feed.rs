//! The rows of served schemes by the time at which they became visible, for a system that asks stretch by stretch.
//!
//! Every entry has a stamp that the one writer gives: now, but never earlier than the end of a stretch that was answered.
//! So a stretch that was answered once never has more in it, however wrong the clock of who asks is, and pages by offset
//! stay where they are while rows change: a row that changes gets a further entry, with a later stamp, and is shown with
//! its newest content wherever it is met. Who asks stretch after stretch loses nothing.

use flow::ids::{Ms, PushId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Records that get entries in one transaction when serving begins; each such batch has a stamp of its own, so that even
/// a large scheme can be asked for in short stretches.
const BATCH: i64 = 500;

/// An entry is given up so long after a newer one of its record was added: whoever stands further back meets that one.
/// A platform that was down over a long holiday still finds its pages as it left them.
pub const SUPERSEDED_FOR: Ms = 30 * 86_400_000;

/// Transactions of one call of giving up: a hundred thousand entries; the next call goes on.
const MAX_BATCHES: u32 = 200;

/// Whether the record `r` is a row that others may read: one that the scheme keeps, and that could be read.
pub(crate) const IS_ROW: &str =
    "r.filtered = 0 AND NOT (r.state = 'dead' AND r.src_key LIKE '[\"#%' AND length(r.src_key) = 21)";

/// The columns of a row.
const ROW: &str = "r.src_key, coalesce(r.waiting_void, r.void), coalesce(b.waiting, b.source)";

/// A row as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FedRow {
    /// Its key, as the ledger keeps it.
    pub key: String,
    /// It means "cancelled".
    pub void: bool,
    /// The row.
    pub source: Vec<u8>,
}

/// A page of a stretch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedPage {
    /// Entries of the whole stretch.
    pub total: u64,
    /// Those of the page, each with the newest content of its row.
    pub rows: Vec<FedRow>,
}

/// The floor of a scheme, and the stamp of what becomes visible now.
pub(crate) fn stamp_of(conn: &Connection, scheme: &str, now: Ms) -> Result<(Ms, Ms), StoreError> {
    let floor: Ms = conn
        .prepare_cached("SELECT floor_ms FROM served WHERE scheme = ?1")?
        .query_row([scheme], |row| row.get(0))?;
    Ok((floor, floor.max(now)))
}

impl Ledger {
    /// From now on the rows of a scheme are served; those that are there become visible now.
    pub fn serve(&mut self, scheme: &str, now: Ms) -> Result<(), StoreError> {
        let conn = self.lock();
        conn.prepare_cached(
            "INSERT INTO served (scheme, active, upto, floor_ms) VALUES (?1, 1, 0, 0)
             ON CONFLICT (scheme) DO UPDATE SET active = 1 WHERE active = 0",
        )?
        .execute([scheme])?;
        let mut batch = 0;
        loop {
            let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
            let upto: i64 = tx
                .prepare_cached("SELECT upto FROM served WHERE scheme = ?1")?
                .query_row([scheme], |row| row.get(0))?;
            let last: Option<i64> = tx
                .prepare_cached(
                    "SELECT max(id) FROM (SELECT id FROM record WHERE id > ?1 AND +scheme = ?2 ORDER BY id LIMIT ?3)",
                )?
                .query_row((upto, scheme, BATCH), |row| row.get(0))?;
            let Some(last) = last else { return Ok(()) };
            let (_, stamp) = stamp_of(&tx, scheme, now)?;
            tx.prepare_cached(&format!(
                "INSERT INTO feed (scheme, stamp_ms, record)
                 SELECT ?1, ?2, r.id FROM record r WHERE r.id > ?3 AND r.id <= ?4 AND +r.scheme = ?1 AND {IS_ROW}
                   AND NOT EXISTS (SELECT 1 FROM feed f WHERE f.record = r.id)
                 ORDER BY r.id"
            ))?
            .execute((scheme, stamp + batch, upto, last))?;
            tx.prepare_cached("UPDATE served SET upto = ?2 WHERE scheme = ?1")?
                .execute((scheme, last))?;
            tx.commit()?;
            batch += 1;
        }
    }

    /// A scheme is not served any more. What was answered stays remembered: one that is served again does not stamp
    /// behind it.
    pub fn unserve(&mut self, scheme: &str) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        tx.execute(
            "UPDATE served SET active = 0, upto = 0 WHERE scheme = ?1",
            [scheme],
        )?;
        tx.execute("DELETE FROM feed WHERE scheme = ?1", [scheme])?;
        tx.commit()?;
        Ok(())
    }

    /// Whether the rows of a scheme are served.
    pub fn is_served(&self, scheme: &str) -> Result<bool, StoreError> {
        let conn = self.lock();
        let mut statement = conn.prepare_cached("SELECT 1 FROM served WHERE scheme = ?1 AND active = 1")?;
        Ok(statement.exists([scheme])?)
    }

    /// Nothing that becomes visible from now on is stamped before this instant: to be done before a stretch that ends
    /// there is answered. All that was handed to the writer before is on the disk by then.
    pub fn close_stretch(&mut self, scheme: &str, end: Ms) -> Result<(), StoreError> {
        let conn = self.lock();
        conn.prepare_cached("UPDATE served SET floor_ms = ?2 WHERE scheme = ?1 AND floor_ms < ?2")?
            .execute((scheme, end))?;
        Ok(())
    }

    /// Gives up entries before an instant of whose records newer ones are there that are as old. Gives how many.
    pub fn forget_feed(&mut self, now: Ms) -> Result<u64, StoreError> {
        let conn = self.lock();
        let before = now.saturating_sub(SUPERSEDED_FOR);
        let mut gone = 0;
        for _ in 0..MAX_BATCHES {
            let batch = conn
                .prepare_cached(
                    "DELETE FROM feed WHERE seq IN
                        (SELECT f.seq FROM feed f WHERE f.stamp_ms < ?1 AND EXISTS
                            (SELECT 1 FROM feed n WHERE n.record = f.record AND n.seq > f.seq AND n.stamp_ms < ?1)
                         LIMIT ?2)",
                )?
                .execute((before, BATCH))?;
            gone += u64::try_from(batch).unwrap_or(u64::MAX);
            if i64::try_from(batch).unwrap_or(BATCH) < BATCH {
                break;
            }
        }
        Ok(gone)
    }
}

impl Reader {
    /// Up to when stretches of a scheme were answered; `None` = it is not served.
    pub fn floor(&self, scheme: &str) -> Result<Option<Ms>, StoreError> {
        self.ask(|conn| {
            Ok(conn
                .prepare_cached("SELECT floor_ms FROM served WHERE scheme = ?1 AND active = 1")?
                .query_row([scheme], |row| row.get(0))
                .optional()?)
        })
    }

    /// A page of what became visible from `start` until before `end`; that stretch has to be closed
    /// ([`Ledger::close_stretch`]).
    pub fn feed(
        &self,
        scheme: &str,
        start: Ms,
        end: Ms,
        offset: u32,
        limit: u32,
    ) -> Result<FeedPage, StoreError> {
        self.ask(|conn| {
            let total: i64 = conn
                .prepare_cached(
                    "SELECT count(*) FROM feed WHERE scheme = ?1 AND stamp_ms >= ?2 AND stamp_ms < ?3",
                )?
                .query_row((scheme, start, end), |row| row.get(0))?;
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {ROW} FROM
                    (SELECT seq, stamp_ms, record FROM feed WHERE scheme = ?1 AND stamp_ms >= ?2 AND stamp_ms < ?3
                     ORDER BY stamp_ms, seq LIMIT ?4 OFFSET ?5) f
                 JOIN record r ON r.id = f.record JOIN body b ON b.record = r.id ORDER BY f.stamp_ms, f.seq"
            ))?;
            let found = statement.query_map(params![scheme, start, end, limit, offset], row)?;
            Ok(FeedPage {
                total: total.unsigned_abs(),
                rows: found.collect::<Result<_, _>>()?,
            })
        })
    }

    /// The row of a scheme with this key, as the ledger keeps keys.
    pub fn fed_row(&self, scheme: &str, key: &str) -> Result<Option<FedRow>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {ROW} FROM record r JOIN body b ON b.record = r.id
                 WHERE r.scheme = ?1 AND r.src_key = ?2 AND {IS_ROW}"
            ))?;
            Ok(statement.query_row((scheme, key), row).optional()?)
        })
    }

    /// Whether something about this waits in the inbox of a scheme, or was taken from it not long ago.
    pub fn is_pushed(&self, scheme: &str, sender: &str) -> Result<bool, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT 1 FROM push WHERE scheme = ?1 AND sender = ?2 LIMIT 1")?;
            Ok(statement.exists((scheme, sender))?)
        })
    }
}

impl Reader {
    /// The last two pushes about the same thing that are known, the newest first: their places and what tells them from
    /// others.
    pub fn last_pushes(&self, scheme: &str, sender: &str) -> Result<Vec<(PushId, Vec<u8>)>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT id, hash FROM push WHERE scheme = ?1 AND sender = ?2 ORDER BY id DESC LIMIT 2",
            )?;
            let found =
                statement.query_map((scheme, sender), |row| Ok((PushId(row.get(0)?), row.get(1)?)))?;
            Ok(found.collect::<Result<_, _>>()?)
        })
    }
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<FedRow> {
    Ok(FedRow {
        key: row.get(0)?,
        void: row.get(1)?,
        source: row.get_ref(2)?.as_bytes()?.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::contract::{Desk, SCHEME};

    /// Small and good enough for a choice.
    struct Random(u64);

    impl Random {
        fn below(&mut self, most: u64) -> u64 {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % most
        }
    }

    /// Who asks stretch after stretch, page by page, with a clock that is wrong.
    #[derive(Default)]
    struct Poller {
        upto: Ms,
        known: BTreeMap<String, String>,
    }

    impl Poller {
        fn take(&mut self, page: &FeedPage) {
            for row in &page.rows {
                self.known
                    .insert(row.key.clone(), String::from_utf8_lossy(&row.source).into_owned());
            }
        }
    }

    fn desk() -> Desk {
        let mut desk = Desk::new(Ledger::in_memory().expect("a ledger"));
        desk.ledger.serve(SCHEME, desk.now).expect("served");
        desk
    }

    fn stretch(desk: &mut Desk, start: Ms, end: Ms, offset: u32, limit: u32) -> FeedPage {
        desk.ledger.close_stretch(SCHEME, end).expect("closed");
        let reader = desk.ledger.reader();
        reader.feed(SCHEME, start, end, offset, limit).expect("a page")
    }

    /// Ten thousand histories: rows appear and change between any two pages, the clock of the writer goes to and fro, that
    /// of the poller is up to ten minutes wrong. Afterwards it knows the last state of every row, and no stretch that was
    /// answered has grown.
    #[test]
    fn who_asks_stretch_after_stretch_loses_nothing() {
        const HISTORIES: u64 = 10_000;
        let mut random = Random(7);
        let (mut desk, mut poller, mut clock) = (desk(), Poller::default(), 1_000_000);
        for history in 0..HISTORIES {
            // A ledger that goes on for ever is slow to ask in a test.
            if history % 250 == 0 {
                (desk, poller, clock) = (self::desk(), Poller::default(), 1_000_000);
            }
            let mut wanted = BTreeMap::new();
            let mut answered: Vec<(Ms, Ms, u64)> = Vec::new();
            for _ in 0..2 {
                change(&mut desk, &mut random, history, clock, &mut wanted);
                clock += i64::try_from(random.below(600_000)).expect("small");
                let skew = i64::try_from(random.below(1_200_000)).expect("small") - 600_000;
                let (start, end) = (poller.upto, clock + skew);
                if end <= start {
                    continue;
                }
                let limit = 1 + u32::try_from(random.below(3)).expect("small");
                let mut offset = 0;
                loop {
                    let page = stretch(&mut desk, start, end, offset, limit);
                    poller.take(&page);
                    if offset == 0 {
                        answered.push((start, end, page.total));
                    }
                    offset += limit;
                    if u64::from(offset) >= page.total {
                        break;
                    }
                    if random.below(2) == 0 {
                        change(&mut desk, &mut random, history, clock, &mut wanted);
                    }
                }
                poller.upto = end;
            }
            // The last one ends behind everything.
            let end = poller.upto.max(clock) + 1_800_000;
            let page = stretch(&mut desk, poller.upto, end, 0, 1_000);
            poller.take(&page);
            (poller.upto, clock) = (end, end - 900_000);
            for (key, content) in &wanted {
                assert_eq!(poller.known.get(key), Some(content), "history {history}");
            }
            for (start, end, total) in answered {
                let again = stretch(&mut desk, start, end, 0, 1);
                assert_eq!(again.total, total, "history {history}: {start}..{end}");
            }
        }
    }

    fn change(
        desk: &mut Desk,
        random: &mut Random,
        history: u64,
        clock: Ms,
        wanted: &mut BTreeMap<String, String>,
    ) {
        let key = format!("h{history}k{}", random.below(3));
        let version = format!("v{}", random.below(1_000_000));
        desk.now = clock - i64::try_from(random.below(60_000)).expect("small");
        desk.see(&key, &version);
        let stored = format!("[\"{key}\"]");
        wanted.insert(
            stored.clone(),
            format!("{{\"key\":{stored},\"v\":\"{version}\"}}"),
        );
    }

    #[test]
    fn serving_begins_with_what_is_there_and_remembers_what_was_answered() {
        let mut desk = Desk::new(Ledger::in_memory().expect("a ledger"));
        desk.see("a", "v1");
        assert_eq!(desk.ledger.reader().floor(SCHEME).expect("asked"), None);
        desk.ledger.serve(SCHEME, 2_000_000).expect("served");
        desk.ledger.serve(SCHEME, 2_000_000).expect("twice is once");
        let keys = |page: &FeedPage| page.rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
        let page = stretch(&mut desk, 0, 3_000_000, 0, 10);
        assert_eq!((page.total, keys(&page)), (1, vec![r#"["a"]"#.to_owned()]));
        // What comes later is stamped behind what was answered, whatever the clock says.
        desk.see("b", "v1");
        assert_eq!(stretch(&mut desk, 0, 3_000_000, 0, 10).total, 1);
        let next = stretch(&mut desk, 3_000_000, 3_000_001, 0, 10);
        assert_eq!(keys(&next), [r#"["b"]"#]);
        // A reload changes nothing; to begin anew shows everything anew, and nothing behind what was answered.
        desk.ledger.serve(SCHEME, 2_000_000).expect("served");
        assert_eq!(stretch(&mut desk, 3_000_001, 4_000_000, 0, 10).total, 0);
        desk.ledger.unserve(SCHEME).expect("withdrawn");
        assert!(!desk.ledger.is_served(SCHEME).expect("asked"));
        desk.ledger.serve(SCHEME, 2_000_000).expect("served");
        assert_eq!(stretch(&mut desk, 0, 4_000_000, 0, 10).total, 0);
        assert_eq!(stretch(&mut desk, 4_000_000, 4_000_001, 0, 10).total, 2);
        let found = desk.ledger.reader().fed_row(SCHEME, r#"["b"]"#).expect("asked");
        assert!(found.is_some_and(|row| !row.void));
    }

    #[test]
    fn only_what_was_superseded_is_given_up() {
        let mut desk = desk();
        for (version, end) in [("v1", 2_000_000), ("v2", 3_000_000)] {
            desk.see("a", version);
            desk.see("b", "v1");
            stretch(&mut desk, 0, end, 0, 10);
        }
        assert_eq!(stretch(&mut desk, 0, 4_000_000, 0, 10).total, 3);
        assert_eq!(
            desk.ledger.forget_feed(SUPERSEDED_FOR).expect("asked"),
            0,
            "too young"
        );
        let later = SUPERSEDED_FOR + 5_000_000;
        assert_eq!(desk.ledger.forget_feed(later).expect("asked"), 1);
        let page = stretch(&mut desk, 0, 4_000_000, 0, 10);
        assert_eq!((page.total, page.rows.len()), (2, 2), "each row is still met");
    }
}
