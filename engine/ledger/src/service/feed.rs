//! The rows of served schemes by the time at which they became visible, for a system that asks stretch by stretch.
//!
//! Every entry has a stamp that the one writer gives: now, but always later than the end of a stretch that was answered.
//! So a stretch that was answered once never has more in it, however wrong the clock of who asks is, and pages by offset
//! stay where they are while rows change: a row that changes gets a further entry, with a later stamp, and is shown with
//! its newest content wherever it is met. Who asks stretch after stretch loses nothing, whether its stretches begin where
//! the last one ended or a millisecond later.
//!
//! Two things could move pages or hide rows, and do not. Entries are given up only where nobody has asked of late
//! ([`Ledger::forget_feed`]). And a clock that was far ahead for a while leaves entries, or the end of an answered
//! stretch, in the future: nobody who asks with a right clock would meet what is there. Such entries are added once more
//! ([`Ledger::heal_feed`]). The end of such a stretch is put aside, and until it comes what becomes visible is entered
//! twice: for those with a right clock, and behind that end for those who were there. Nobody can tell a clock that was
//! ahead from one that is behind, so nothing is ever moved or taken away on such a suspicion.

use flow::ids::Ms;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Records that get entries in one transaction when serving begins; each such batch has a stamp of its own, so that even
/// a large scheme can be asked for in short stretches.
const BATCH: i64 = 500;

/// An entry is given up so long after a newer one of its record was added: whoever stands further back meets that one.
/// A platform that was down over a long holiday still finds its pages as it left them.
pub const SUPERSEDED_FOR: Ms = 30 * 86_400_000;

/// Transactions of one call of giving up, for each scheme: a hundred thousand entries; the next call goes on.
const MAX_BATCHES: u32 = 200;

/// Whether the record `r` is a row that others may read: one that the scheme keeps, and that could be read.
pub(crate) const IS_ROW: &str = "r.filtered = 0 AND r.bundle IS NOT r.id AND NOT (r.state = 'dead' AND r.src_key LIKE '[\"#%' AND length(r.src_key) = 21)";

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
    /// There are more on the page, and together they are larger than [`MOST_BYTES`].
    pub too_large: bool,
}

/// What the rows of a page may have together: they are in memory as they are stored, as values and as the answer, for
/// each of those who ask at a time. A page of one row is never too large.
pub const MOST_BYTES: usize = 32 << 20;

/// How far ahead of our clock a stretch may end: what becomes visible meanwhile is stamped behind it, so others who ask
/// see it later by as much.
pub const AHEAD: Ms = 15 * 60_000;

/// What is further ahead than this was stamped, or asked for, by a clock that was wrong: the most that may be asked for,
/// and as much again for work that waited for the disk and says an earlier time.
const FAR: Ms = 2 * AHEAD;

/// Stretches that were asked for are remembered for one to two of these: who stopped in the middle of one over a long
/// holiday still finds its pages as it left them.
const PART: Ms = 10 * 86_400_000;

/// Where entries of a scheme go now.
pub(crate) struct Place {
    /// The end of the stretches that were answered.
    floor: Ms,
    /// For what becomes visible now.
    stamp: Ms,
    /// The end of those that a wrong clock answered.
    ahead: Ms,
}

impl Place {
    /// The entries of a row: one for those who stand where a wrong clock answered, and one for all others. Where one is
    /// enough, the second finds the first.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> + use<> {
        self.entries_unless(self.floor)
    }

    /// As [`Place::entries`], for rows that any entry behind this will do for.
    fn entries_unless(&self, behind: Ms) -> impl Iterator<Item = Entry> + use<> {
        let far = (self.ahead > self.floor).then_some(Entry {
            stamp: self.stamp.max(self.ahead + 1),
            behind: self.ahead,
            told: self.ahead >= self.stamp,
        });
        let (stamp, told) = (self.stamp, false);
        far.into_iter().chain([Entry { stamp, behind, told }])
    }
}

/// What is to be added of a row.
pub(crate) struct Entry {
    /// Its stamp.
    pub(crate) stamp: Ms,
    /// An entry behind this, up to the stamp, says the same already.
    pub(crate) behind: Ms,
    /// It stands in the future, and another says the same now.
    pub(crate) told: bool,
}

/// Whether an entry `f` of the record `r` says the same as one that is to be added: `?4` is behind what, `?5` whether
/// what stands in the future and was said otherwise counts.
pub(crate) const IS_SAID: &str = "EXISTS (SELECT 1 FROM feed f WHERE f.record = r.id AND f.stamp_ms > ?4 AND f.stamp_ms <= ?2 AND f.told <= ?5)";

/// Where what becomes visible now goes. An end that is too far ahead is put aside.
pub(crate) fn place(conn: &Connection, scheme: &str, now: Ms) -> Result<Place, StoreError> {
    let (mut floor, mut ahead): (Ms, Ms) = conn
        .prepare_cached("SELECT floor_ms, ahead_ms FROM served WHERE scheme = ?1")?
        .query_row([scheme], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let most = now.saturating_add(FAR);
    if floor > most {
        (floor, ahead) = (most, ahead.max(floor));
        conn.prepare_cached("UPDATE served SET floor_ms = ?2, ahead_ms = ?3 WHERE scheme = ?1")?
            .execute((scheme, floor, ahead))?;
    }
    Ok(Place {
        floor,
        stamp: now.max(floor + 1),
        ahead,
    })
}

/// Where stretches that were asked for of late begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Asked {
    /// Which [`PART`] of time this is about.
    part: i64,
    /// The earliest that was asked for in it.
    from: Ms,
    /// In the part before.
    before: Ms,
}

impl Asked {
    const COLUMNS: &str = "asked_part, asked_from, asked_before";

    fn of_row(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Asked> {
        Ok(Asked {
            part: row.get(at)?,
            from: row.get(at + 1)?,
            before: row.get(at + 2)?,
        })
    }

    /// With one that begins at `start`.
    fn with(self, start: Ms, now: Ms) -> Asked {
        let part = now.div_euclid(PART);
        // However far the clock goes on, or back, what was asked for just before is not forgotten.
        let (from, before) = match part - self.part {
            0 => (self.from, self.before),
            1.. => (Ms::MAX, self.from),
            _ => (self.from.min(self.before), self.before),
        };
        Asked {
            part,
            from: from.min(start),
            before,
        }
    }

    /// What lies before this was not asked for.
    fn since(self, now: Ms) -> Ms {
        match now.div_euclid(PART) - self.part {
            ..=0 => self.from.min(self.before),
            1 => self.from,
            _ => Ms::MAX,
        }
    }
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
            let Some(last) = last else { break };
            for entry in place(&tx, scheme, now)?.entries_unless(-1) {
                tx.prepare_cached(&format!(
                    "INSERT INTO feed (scheme, stamp_ms, record, told)
                     SELECT ?1, ?2, r.id, ?5 FROM record r WHERE r.id > ?3 AND r.id <= ?6 AND +r.scheme = ?1 AND {IS_ROW}
                       AND NOT {IS_SAID} ORDER BY r.id"
                ))?
                .execute((scheme, entry.stamp + batch, upto, entry.behind, entry.told, last))?;
            }
            tx.prepare_cached("UPDATE served SET upto = ?2 WHERE scheme = ?1")?
                .execute((scheme, last))?;
            tx.commit()?;
            batch += 1;
        }
        drop(conn);
        self.heal_feed(now)?;
        Ok(())
    }

    /// A scheme is not served any more. What was answered stays remembered: one that is served again does not stamp
    /// behind it.
    pub fn unserve(&mut self, scheme: &str) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        tx.execute(
            "UPDATE served SET active = 0, upto = 0, pruned_ms = 0, pruned_seq = 0 WHERE scheme = ?1",
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

    /// Nothing that becomes visible from now on is stamped up to the end of this stretch, and none of its entries is given
    /// up for days: to be done before the first page of it is answered. All that was handed to the writer before is on the
    /// disk by then.
    pub fn close_stretch(&mut self, scheme: &str, start: Ms, end: Ms, now: Ms) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        place(&tx, scheme, now)?;
        let asked = tx
            .prepare_cached(&format!(
                "SELECT {} FROM served WHERE scheme = ?1",
                Asked::COLUMNS
            ))?
            .query_row([scheme], |row| Asked::of_row(row, 0))?
            .with(start, now);
        tx.prepare_cached(
            "UPDATE served SET floor_ms = max(floor_ms, ?2), asked_part = ?3, asked_from = ?4, asked_before = ?5
             WHERE scheme = ?1",
        )?
        .execute((scheme, end, asked.part, asked.from, asked.before))?;
        tx.commit()?;
        Ok(())
    }

    /// Gives up entries of whose records newer ones are there that are as old, where nobody has asked of late. Gives how
    /// many. Every entry is looked at once, when it grows old: then the earlier ones of its record go.
    pub fn forget_feed(&mut self, today: Ms) -> Result<u64, StoreError> {
        let conn = self.lock();
        let schemes: Vec<String> = conn
            .prepare_cached("SELECT scheme FROM served WHERE active = 1 ORDER BY scheme")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut gone = 0;
        for scheme in schemes {
            for _ in 0..MAX_BATCHES {
                let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
                let Some(count) = forget_batch(&tx, &scheme, today)? else {
                    break;
                };
                tx.commit()?;
                gone += count;
            }
        }
        Ok(gone)
    }

    /// Adds what a clock that was ahead entered so far in the future that nobody could ask for it, once more. Gives how
    /// many. Where all clocks are right it finds nothing.
    pub fn heal_feed(&mut self, now: Ms) -> Result<u64, StoreError> {
        let conn = self.lock();
        let schemes: Vec<String> = conn
            .prepare_cached("SELECT scheme FROM served WHERE active = 1 ORDER BY scheme")?
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut added = 0;
        for scheme in schemes {
            for _ in 0..MAX_BATCHES {
                let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
                let stamp = place(&tx, &scheme, now)?.stamp;
                let far: Vec<(i64, i64)> = tx
                    .prepare_cached(
                        "SELECT seq, record FROM feed WHERE scheme = ?1 AND stamp_ms > ?2 AND told = 0
                         ORDER BY stamp_ms, seq LIMIT ?3",
                    )?
                    .query_map((&scheme, stamp.max(now.saturating_add(FAR)), BATCH), |row| {
                        Ok((row.get(0)?, row.get(1)?))
                    })?
                    .collect::<Result<_, _>>()?;
                for (seq, record) in &far {
                    tx.prepare_cached("INSERT INTO feed (scheme, stamp_ms, record) VALUES (?1, ?2, ?3)")?
                        .execute((&scheme, stamp, record))?;
                    tx.prepare_cached("UPDATE feed SET told = 1 WHERE seq = ?1")?
                        .execute([seq])?;
                }
                tx.commit()?;
                added += u64::try_from(far.len()).unwrap_or(u64::MAX);
                if far.is_empty() {
                    break;
                }
            }
        }
        Ok(added)
    }
}

/// The next entries of a scheme that have grown old: the earlier ones of their records go. `None` = there are none.
fn forget_batch(tx: &Transaction<'_>, scheme: &str, today: Ms) -> Result<Option<u64>, StoreError> {
    let (mark, asked): ((Ms, i64), Asked) = tx
        .prepare_cached(&format!(
            "SELECT pruned_ms, pruned_seq, {} FROM served WHERE scheme = ?1",
            Asked::COLUMNS
        ))?
        .query_row([scheme], |row| {
            Ok(((row.get(0)?, row.get(1)?), Asked::of_row(row, 2)?))
        })?;
    let before = today.saturating_sub(SUPERSEDED_FOR).min(asked.since(today));
    let old: Vec<(Ms, i64, i64)> = tx
        .prepare_cached(
            "SELECT stamp_ms, seq, record FROM feed
             WHERE scheme = ?1 AND (stamp_ms, seq) > (?2, ?3) AND stamp_ms < ?4 ORDER BY stamp_ms, seq LIMIT ?5",
        )?
        .query_map((scheme, mark.0, mark.1, before, BATCH), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let Some((stamp, seq, _)) = old.last() else {
        return Ok(None);
    };
    let mut delete =
        tx.prepare_cached("DELETE FROM feed WHERE record = ?1 AND (stamp_ms, seq) < (?2, ?3)")?;
    let mut gone = 0;
    for (stamp, seq, record) in &old {
        gone += delete.execute((record, stamp, seq))?;
    }
    tx.prepare_cached("UPDATE served SET pruned_ms = ?2, pruned_seq = ?3 WHERE scheme = ?1")?
        .execute((scheme, stamp, seq))?;
    Ok(Some(u64::try_from(gone).unwrap_or(u64::MAX)))
}

impl Reader {
    /// Whether a stretch was closed ([`Ledger::close_stretch`]) and is remembered; `None` = the scheme is not served.
    pub fn is_closed(&self, scheme: &str, start: Ms, end: Ms, now: Ms) -> Result<Option<bool>, StoreError> {
        self.ask(|conn| {
            Ok(conn
                .prepare_cached(&format!(
                    "SELECT floor_ms, {} FROM served WHERE scheme = ?1 AND active = 1",
                    Asked::COLUMNS
                ))?
                .query_row([scheme], |row| {
                    let (floor, asked): (Ms, Asked) = (row.get(0)?, Asked::of_row(row, 1)?);
                    let is_far = floor > now.saturating_add(FAR);
                    Ok(floor >= end && !is_far && asked.with(start, now) == asked)
                })
                .optional()?)
        })
    }

    /// A page of what became visible from `start` to `end`, both included; that stretch has to be closed
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
                    "SELECT count(*) FROM feed WHERE scheme = ?1 AND stamp_ms >= ?2 AND stamp_ms <= ?3",
                )?
                .query_row((scheme, start, end), |row| row.get(0))?;
            let mut statement = conn.prepare_cached(&format!(
                "SELECT {ROW} FROM
                    (SELECT seq, stamp_ms, record FROM feed WHERE scheme = ?1 AND stamp_ms >= ?2 AND stamp_ms <= ?3
                     ORDER BY stamp_ms, seq LIMIT ?4 OFFSET ?5) f
                 JOIN record r ON r.id = f.record JOIN body b ON b.record = r.id ORDER BY f.stamp_ms, f.seq"
            ))?;
            let mut page = FeedPage {
                total: total.unsigned_abs(),
                rows: Vec::new(),
                too_large: false,
            };
            // Nothing is passed over in vain.
            if i64::from(offset) >= total {
                return Ok(page);
            }
            let mut bytes = 0;
            for found in statement.query_map(params![scheme, start, end, limit, offset], row)? {
                let found = found?;
                bytes += found.source.len();
                if bytes > MOST_BYTES && !page.rows.is_empty() {
                    page.too_large = true;
                    break;
                }
                page.rows.push(found);
            }
            Ok(page)
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

    use flow::decision::Decision;
    use flow::ids::Blob;
    use flow::op::{OnSeen, Reason, RecordState, Settlement};

    use super::*;
    use crate::contract::{Desk, SCHEME, row};
    use crate::read::RecordFilter;

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

    const MINUTE: Ms = 60_000;
    const DAY: Ms = 86_400_000;
    /// When the histories begin.
    const BEGIN: Ms = 1_700_000_000_000;

    /// Who asks stretch after stretch, page by page, with a clock that is wrong.
    #[derive(Default)]
    struct Poller {
        upto: Ms,
        /// Takes the end of a stretch for part of it.
        includes: bool,
        /// Has the clock of the ledger.
        follows: bool,
        known: BTreeMap<String, FedRow>,
    }

    impl Poller {
        fn all(begin: Ms) -> [Poller; 3] {
            [(false, false), (true, false), (true, true)].map(|(includes, follows)| Poller {
                upto: begin,
                includes,
                follows,
                known: BTreeMap::new(),
            })
        }

        fn take(&mut self, page: FeedPage) {
            for row in page.rows {
                self.known.insert(row.key.clone(), row);
            }
        }

        /// Takes a stretch to its end; `between` happens between two pages.
        fn ask(
            &mut self,
            desk: &mut Desk,
            end: Ms,
            now: Ms,
            limit: u32,
            mut between: impl FnMut(&mut Desk),
        ) -> Option<(Ms, Ms, u64)> {
            let start = self.upto;
            if end < start {
                return None;
            }
            let (mut offset, mut told) = (0, None);
            loop {
                let page = page_of(desk, (start, end), (offset, limit), now);
                let total = page.total;
                told.get_or_insert(total);
                self.take(page);
                offset += limit;
                if u64::from(offset) >= total {
                    break;
                }
                between(desk);
            }
            self.upto = end + Ms::from(self.includes);
            told.map(|total| (start, end, total))
        }

        fn knows(&self, desk: &Desk, keys: u64, what: &str) {
            for key in 0..keys {
                let key = format!("[\"k{key}\"]");
                let there = desk.ledger.reader().fed_row(SCHEME, &key).expect("asked");
                assert_eq!(self.known.get(&key), there.as_ref(), "{what}: {key}");
            }
        }
    }

    fn desk() -> Desk {
        let mut desk = Desk::new(Ledger::in_memory().expect("a ledger"));
        desk.ledger.serve(SCHEME, desk.now).expect("served");
        desk
    }

    fn page_of(desk: &mut Desk, (start, end): (Ms, Ms), (offset, limit): (u32, u32), now: Ms) -> FeedPage {
        let reader = desk.ledger.reader();
        if reader.is_closed(SCHEME, start, end, now).expect("asked") != Some(true) {
            desk.ledger
                .close_stretch(SCHEME, start, end, now)
                .expect("closed");
        }
        assert_eq!(
            reader.is_closed(SCHEME, start, end, now).expect("asked"),
            Some(true)
        );
        reader.feed(SCHEME, start, end, offset, limit).expect("a page")
    }

    fn stretch(desk: &mut Desk, start: Ms, end: Ms, offset: u32, limit: u32) -> FeedPage {
        // Nobody asks further ahead.
        desk.now = desk.now.max(end - AHEAD);
        let now = desk.now;
        page_of(desk, (start, end), (offset, limit), now)
    }

    const KEYS: u64 = 3;

    /// A row of a few contents comes in, whatever the state of its record is.
    fn row_comes(desk: &mut Desk, random: &mut Random) {
        let key = format!("k{}", random.below(KEYS));
        let mut seen = row(0, &key, &format!("v{}", random.below(3)));
        seen.void = random.below(8) == 0;
        seen.filtered = (random.below(10) == 0).then(|| Reason::new("E4000", "not kept"));
        let unread = random.below(3);
        let content = format!("{{\"v\":\"{}\",\"unread\":{unread}}}", seen.version);
        let on_seen = match random.below(6) {
            0 => OnSeen::Update,
            1 => OnSeen::Skip,
            _ => OnSeen::UpdateIfChanged,
        };
        let source = seen.source;
        let (op, mut blobs) = desk.page(vec![seen], on_seen);
        blobs.insert(source, content.into_bytes());
        desk.try_one(op, &blobs).expect("a page");
    }

    /// A record goes on to another state, if there is one.
    fn state_changes(desk: &mut Desk, random: &mut Random) {
        let key = format!("k{}", random.below(KEYS));
        let filter = RecordFilter {
            key: Some(key.clone()),
            ..RecordFilter::default()
        };
        let Some(record) = desk.ledger.reader().list_records(&filter).expect("asked").pop() else {
            return;
        };
        let why = || Reason::new("E4000", "so");
        match record.state {
            RecordState::Pending => {
                desk.claim(&[(&key, &record.version, &key)]);
            }
            RecordState::Sending => {
                let settlement = match random.below(4) {
                    0 => Settlement::Dead(why()),
                    1 => Settlement::Held(why()),
                    2 => Settlement::Unknown {
                        resolve_after: desk.now,
                        reason: why(),
                    },
                    _ => Settlement::Done {
                        id: Some(format!("id-{key}")),
                        number: None,
                        lines: None,
                    },
                };
                let attempt = record.attempt.expect("it was sent");
                desk.settle(attempt, &key, settlement);
            }
            RecordState::Unknown | RecordState::Held | RecordState::Dead => {
                let decision = match random.below(3) {
                    0 => Decision::Skip,
                    1 => Decision::NotThere,
                    _ => Decision::DoneAs {
                        id: format!("id-{key}"),
                        number: None,
                    },
                };
                desk.decide(&key, decision);
            }
            RecordState::Done | RecordState::Skipped => {}
        }
    }

    fn change(desk: &mut Desk, random: &mut Random, now: Ms) {
        // What waited for the disk says an earlier time.
        desk.now = now - below(random, MINUTE);
        match random.below(3) {
            0 => state_changes(desk, random),
            _ => row_comes(desk, random),
        }
    }

    fn below(random: &mut Random, most: Ms) -> Ms {
        let most = u64::try_from(most).expect("no negative number");
        Ms::try_from(random.below(most)).expect("small")
    }

    /// Ten thousand histories: rows appear, change, go back and change their state between any two pages; the clocks of
    /// those who ask are up to ten minutes wrong, weeks pass, old entries are given up, and the clock of the ledger is a
    /// month ahead for a while. Afterwards whoever asks knows every row as it is shown by itself; and while the clock
    /// was right, no stretch that was answered has changed its length.
    #[test]
    fn who_asks_stretch_after_stretch_loses_nothing() {
        const HISTORIES: u64 = 10_000;
        let mut random = Random(7);
        let (mut desk, mut pollers, mut clock) = (desk(), Poller::all(0), BEGIN);
        for history in 0..HISTORIES {
            // A ledger that goes on for ever is slow to ask in a test.
            if history % 40 == 0 {
                (desk, pollers, clock) = (self::desk(), Poller::all(0), BEGIN);
            }
            let ahead = match random.below(4) {
                0 => 40 * DAY,
                _ => 0,
            };
            let mut answered: Vec<(Ms, Ms, u64)> = Vec::new();
            for _ in 0..2 {
                let now = clock + ahead;
                for _ in 0..=random.below(3) {
                    change(&mut desk, &mut random, now);
                }
                for poller in &mut pollers {
                    let own = if poller.follows { now } else { clock };
                    let skew = below(&mut random, 20 * MINUTE) - 10 * MINUTE;
                    let limit = 1 + u32::try_from(random.below(3)).expect("small");
                    let told = poller.ask(&mut desk, own + skew, now, limit, |desk| match random.below(4) {
                        0 => drop(desk.ledger.forget_feed(clock).expect("given up")),
                        1 | 2 => change(desk, &mut random, now),
                        _ => {}
                    });
                    answered.extend(told.filter(|_| ahead == 0));
                }
                clock += 1 + below(&mut random, 10 * MINUTE);
            }
            if ahead == 0 {
                for (start, end, total) in answered {
                    let again = page_of(&mut desk, (start, end), (0, 1), clock);
                    assert_eq!(again.total, total, "history {history}: {start}..{end}");
                }
            } else {
                // The clock is mended.
                desk.ledger.heal_feed(clock).expect("healed");
                change(&mut desk, &mut random, clock);
                clock += FAR + 2 * MINUTE;
            }
            for poller in pollers.iter_mut().filter(|poller| !poller.follows) {
                poller.ask(&mut desk, clock + 11 * MINUTE, clock, 1_000, |_| {});
                poller.knows(&desk, KEYS, &format!("history {history}"));
            }
            clock += match random.below(8) {
                0 => 45 * DAY,
                1 => 9 * DAY,
                _ => 12 * MINUTE,
            };
            for poller in pollers
                .iter_mut()
                .filter(|poller| poller.follows && poller.upto < clock)
            {
                poller.ask(&mut desk, clock, clock, 1_000, |_| {});
                poller.knows(
                    &desk,
                    KEYS,
                    &format!("history {history}, with the ledger's clock"),
                );
            }
            desk.ledger.forget_feed(clock).expect("given up");
        }
    }

    /// A row that goes back to what it was while the newer one waits beside it, or in its place.
    #[test]
    fn a_row_that_goes_back_is_met_again() {
        for state in [
            RecordState::Sending,
            RecordState::Unknown,
            RecordState::Held,
            RecordState::Done,
        ] {
            let mut desk = desk();
            let mut known = String::new();
            desk.bring("a", state);
            for (n, version) in [(1, "v1"), (2, "v2"), (3, "v1")] {
                desk.see("a", version);
                let page = stretch(&mut desk, n * 1_000_000 + 1, (n + 1) * 1_000_000, 0, 10);
                if let [row] = &page.rows[..] {
                    known = String::from_utf8_lossy(&row.source).into_owned();
                }
            }
            assert!(known.contains("v1"), "{state:?}: {known}");
        }
    }

    #[test]
    fn serving_begins_with_what_is_there_and_remembers_what_was_answered() {
        let mut desk = Desk::new(Ledger::in_memory().expect("a ledger"));
        desk.see("a", "v1");
        let asked = desk.ledger.reader().is_closed(SCHEME, 0, 1, desk.now);
        assert_eq!(asked.expect("asked"), None);
        desk.ledger.serve(SCHEME, 2_000_000).expect("served");
        desk.ledger.serve(SCHEME, 2_000_000).expect("twice is once");
        let keys = |page: &FeedPage| page.rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
        let page = stretch(&mut desk, 0, 3_000_000, 0, 10);
        assert_eq!((page.total, keys(&page)), (1, vec![r#"["a"]"#.to_owned()]));
        // What comes later is stamped behind what was answered, whatever the clock says.
        desk.see("b", "v1");
        assert_eq!(stretch(&mut desk, 0, 3_000_000, 0, 10).total, 1);
        assert_eq!(stretch(&mut desk, 3_000_000, 3_000_000, 0, 10).total, 0);
        let next = stretch(&mut desk, 3_000_000, 3_000_001, 0, 10);
        assert_eq!(keys(&next), [r#"["b"]"#]);
        // A reload changes nothing; to begin anew shows everything anew, and nothing behind what was answered.
        desk.ledger.serve(SCHEME, 2_000_000).expect("served");
        assert_eq!(stretch(&mut desk, 3_000_002, 4_000_000, 0, 10).total, 0);
        desk.ledger.unserve(SCHEME).expect("withdrawn");
        assert!(!desk.ledger.is_served(SCHEME).expect("asked"));
        desk.ledger.serve(SCHEME, desk.now).expect("served");
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
        // What was passed goes when a newer one grows old.
        desk.see("a", "v3");
        assert_eq!(desk.ledger.forget_feed(later).expect("asked"), 1);
        assert_eq!(stretch(&mut desk, 0, 5_000_000, 0, 10).total, 2);
    }

    /// Whoever stands in the middle of a stretch finds the rest of it where it was, and for days.
    #[test]
    fn nothing_is_given_up_of_what_is_being_read() {
        let mut desk = desk();
        for version in ["v1", "v2"] {
            desk.see("a", version);
            let now = desk.now;
            stretch(&mut desk, now, now, 0, 1);
        }
        desk.see("b", "v1");
        desk.now = SUPERSEDED_FOR + 5 * PART;
        let end = desk.now;
        let first = stretch(&mut desk, 0, end, 0, 1);
        assert_eq!((first.total, &first.rows[0].key[..]), (3, r#"["a"]"#));
        for days in 0..=10 {
            let later = end + days * DAY;
            assert_eq!(desk.ledger.forget_feed(later).expect("asked"), 0, "{days}");
            // Others who ask for what is new do not let it go.
            desk.now = later;
            stretch(&mut desk, later, later, 0, 1);
        }
        let last = stretch(&mut desk, 0, end, 2, 1);
        assert_eq!((last.total, &last.rows[0].key[..]), (3, r#"["b"]"#));
        let later = end + 31 * DAY;
        assert_eq!(
            desk.ledger.forget_feed(later).expect("asked"),
            1,
            "nobody asks any more"
        );
    }

    /// A clock that was a month ahead for an hour: what changed in it, what is new in it and what changes afterwards is
    /// met by those whose clock was right all the time.
    #[test]
    fn a_clock_that_was_ahead_hides_nothing() {
        for (asked_ahead, healed) in [(false, true), (true, true), (false, false)] {
            let mut desk = desk();
            desk.see("a", "v1");
            let mut upto = desk.now + 60_000;
            stretch(&mut desk, 0, upto, 0, 10);
            desk.now += 30 * DAY;
            desk.see("a", "v2");
            desk.see("new", "v1");
            if asked_ahead {
                let now = desk.now;
                assert_eq!(stretch(&mut desk, 0, now, 0, 10).total, 3);
            }
            desk.now -= 30 * DAY - 3_600_000;
            desk.see("a", "v3");
            desk.see("b", "v1");
            if healed {
                desk.ledger.heal_feed(desk.now).expect("healed");
                assert_eq!(desk.ledger.heal_feed(desk.now).expect("healed"), 0, "once");
            }
            desk.now += FAR + 1;
            let end = desk.now;
            let page = stretch(&mut desk, upto + 1, end, 0, 10);
            upto = end;
            let mut met: Vec<&str> = page.rows.iter().map(|row| &row.key[..]).collect();
            met.sort_unstable();
            met.dedup();
            // What changes again is met even before; what was only there while the clock was ahead, then.
            let all = [r#"["a"]"#, r#"["b"]"#, r#"["new"]"#];
            assert_eq!(
                met,
                all[..if healed { 3 } else { 2 }],
                "asked ahead: {asked_ahead}"
            );
            assert!(page.rows.iter().any(|row| row.source.ends_with(br#""v3"}"#)));
            // Who asked ahead goes on there, when the time has come.
            desk.see("b", "v2");
            desk.now += 31 * DAY;
            let now = desk.now;
            let page = stretch(&mut desk, upto + 29 * DAY, now, 0, 10);
            let met = page.rows.iter().any(|row| row.key == r#"["b"]"#);
            assert_eq!(met, asked_ahead);
        }
    }

    #[test]
    fn a_page_that_is_too_large_is_no_page() {
        let mut desk = desk();
        for key in ["a", "b", "c"] {
            let (op, mut blobs) = desk.page(vec![row(0, key, "v1")], OnSeen::UpdateIfChanged);
            blobs.insert(Blob(0), vec![b'x'; MOST_BYTES / 2]);
            desk.try_one(op, &blobs).expect("a page");
        }
        let end = desk.now;
        for (limit, rows, too_large) in [(1, 1, false), (2, 2, false), (3, 2, true)] {
            let page = stretch(&mut desk, 0, end, 0, limit);
            assert_eq!(
                (page.rows.len(), page.too_large, page.total),
                (rows, too_large, 3)
            );
        }
        let behind = stretch(&mut desk, 0, end, 3, 1);
        assert_eq!((behind.rows.len(), behind.total), (0, 3));
    }
}
