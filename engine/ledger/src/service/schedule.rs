//! When schemes are due, which are paused, and which have stored what is not settled.

use std::collections::BTreeMap;

use flow::codes;
use flow::ids::Ms;
use flow::op::{AuditNote, Reason};
use flow::timetable::{DueRow, Half, Paused, Remembered, Tally};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use crate::apply::audit;
use crate::error::StoreError;
use crate::{Ledger, Reader};

impl Ledger {
    /// What is remembered of every scheme that was ever due or paused here.
    pub fn timetable(&self) -> Result<BTreeMap<String, Remembered>, StoreError> {
        read(&self.lock())
    }

    /// Remembers when halves of schemes are due, in place of what was remembered of them; all of it or nothing.
    pub fn keep_due(&mut self, rows: &[DueRow]) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        {
            let mut statement = tx.prepare_cached(
                "INSERT INTO due (scheme, half, rule, next_ms, started_ms, ended_ms, starts, overlaps, skipped, late,
                                  lateness_ms, worst_ms, rearmed)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
                 ON CONFLICT (scheme, half) DO UPDATE SET
                    rule = excluded.rule, next_ms = excluded.next_ms, started_ms = excluded.started_ms,
                    ended_ms = excluded.ended_ms, starts = excluded.starts, overlaps = excluded.overlaps,
                    skipped = excluded.skipped, late = excluded.late, lateness_ms = excluded.lateness_ms,
                    worst_ms = excluded.worst_ms, rearmed = excluded.rearmed",
            )?;
            for row in rows {
                statement.execute(params![
                    row.scheme,
                    row.half.word(),
                    row.rule,
                    row.next,
                    row.started,
                    row.ended,
                    stored(row.tally.starts),
                    stored(row.tally.overlaps),
                    stored(row.tally.skipped),
                    stored(row.tally.late),
                    row.tally.lateness,
                    row.tally.worst,
                    stored(row.tally.rearmed),
                ])?;
            }
        }
        tx.commit()?;
        Ok(())
    }

    /// Remembers that nothing of a scheme is started, and notes who said so and why.
    pub fn pause(&mut self, scheme: &str, paused: &Paused) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        tx.prepare_cached(
            "INSERT INTO scheme_control (scheme, paused_ms, paused_by, code, reason) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (scheme) DO UPDATE SET
                paused_ms = excluded.paused_ms, paused_by = excluded.paused_by, code = excluded.code,
                reason = excluded.reason",
        )?
        .execute(params![
            scheme,
            paused.since,
            paused.by,
            paused.reason.code,
            paused.reason.text
        ])?;
        audit::write(
            &tx,
            &note(scheme, &paused.by, "pause", &paused.reason.text),
            paused.since,
        )?;
        tx.commit()?;
        Ok(())
    }

    /// Forgets the pause of a scheme, and notes who ended it and why. Where a brake had paused it, whoever does has seen
    /// what it asked about, and what waits may be written; the end of another pause says nothing about brakes. Says
    /// whether it was paused.
    pub fn resume(&mut self, scheme: &str, by: &str, why: &str, now: Ms) -> Result<bool, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let hit = tx
            .prepare_cached(
                "UPDATE scheme_control SET paused_ms = NULL, paused_by = NULL, code = NULL, reason = NULL,
                        confirmed_ms = CASE WHEN code IN (?4, ?5) THEN ?2 ELSE confirmed_ms END,
                        confirmed_by = CASE WHEN code IN (?4, ?5) THEN ?3 ELSE confirmed_by END
                  WHERE scheme = ?1 AND paused_ms IS NOT NULL",
            )?
            .execute(params![scheme, now, by, ASKING[0], ASKING[1]])?;
        if hit > 0 {
            audit::write(&tx, &note(scheme, by, "resume", why), now)?;
        }
        tx.commit()?;
        Ok(hit > 0)
    }
}

impl Reader {
    /// Who paused a scheme, and why; `None` = it is not.
    pub fn paused(&self, scheme: &str) -> Result<Option<Paused>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT scheme, paused_ms, paused_by, code, reason FROM scheme_control
                 WHERE scheme = ?1 AND paused_ms IS NOT NULL",
            )?;
            Ok(statement.query_row([scheme], paused).optional()?)
        })
    }

    /// What is remembered of every scheme that was ever due or paused here.
    pub fn timetable(&self) -> Result<BTreeMap<String, Remembered>, StoreError> {
        self.ask(read)
    }

    /// When somebody last said that what a brake had stopped may go on.
    pub fn confirmed(&self, scheme: &str) -> Result<Option<Ms>, StoreError> {
        self.ask(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT confirmed_ms FROM scheme_control WHERE scheme = ?1")?;
            let mut rows = statement.query([scheme])?;
            Ok(match rows.next()? {
                Some(row) => row.get(0)?,
                None => None,
            })
        })
    }
}

/// When what is stored of a scheme and not settled may be gone on with; an instant that has passed = at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenWork {
    /// The first record that waits to be written.
    pub pending: Option<Ms>,
    /// The first lost answer that may be asked about. A record that is on its way counts as lost: whoever asks knows that
    /// no run is.
    pub unknown: Option<Ms>,
}

impl Reader {
    /// What is stored and not settled of one scheme, or of all; a scheme without any is not there. Costs as much as there
    /// is of it, not as many records as there are.
    pub fn open_work(&self, scheme: Option<&str>) -> Result<BTreeMap<String, OpenWork>, StoreError> {
        self.ask(|conn| {
            let mut all: BTreeMap<String, OpenWork> = BTreeMap::new();
            for (state, index, instant, also) in [
                // A row within a document waits for that, and may not be sent before it.
                (
                    "pending",
                    "record_pending",
                    "not_before_ms",
                    "AND (bundle IS NULL OR bundle = id)",
                ),
                ("unknown", "record_unknown", "resolve_after_ms", ""),
                ("sending", "record_sending", "resolve_after_ms", ""),
            ] {
                let only = if scheme.is_some() { "= ?1" } else { "IS NOT ?1" };
                let mut statement = conn.prepare_cached(&format!(
                    "SELECT scheme, min(ifnull({instant}, 0)) FROM record INDEXED BY {index}
                     WHERE state = '{state}' AND scheme {only} {also} GROUP BY scheme"
                ))?;
                let rows = statement.query_map([scheme], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, Ms>(1)?))
                })?;
                for row in rows {
                    let (scheme, at) = row?;
                    let work = all.entry(scheme).or_default();
                    let place = if state == "pending" {
                        &mut work.pending
                    } else {
                        &mut work.unknown
                    };
                    *place = Some(place.map_or(at, |first| first.min(at)));
                }
            }
            Ok(all)
        })
    }
}

/// The brakes that a person has to release.
const ASKING: [&str; 2] = [codes::UNUSUAL_CHANGE, codes::FIRST_RUN];

fn note(scheme: &str, who: &str, action: &str, why: &str) -> AuditNote {
    AuditNote {
        who: who.to_owned(),
        action: action.to_owned(),
        scheme: Some(scheme.to_owned()),
        record: None,
        what: scheme.to_owned(),
        reason: why.to_owned(),
    }
}

fn read(conn: &Connection) -> Result<BTreeMap<String, Remembered>, StoreError> {
    let mut all: BTreeMap<String, Remembered> = BTreeMap::new();
    let mut statement = conn.prepare_cached(
        "SELECT scheme, half, rule, next_ms, started_ms, ended_ms, starts, overlaps, skipped, late, lateness_ms,
                worst_ms, rearmed
           FROM due ORDER BY scheme, half",
    )?;
    let rows = statement.query_map([], due_row)?;
    for row in rows {
        let row = row?;
        all.entry(row.scheme.clone()).or_default().rows.push(row);
    }
    let mut statement = conn.prepare_cached(
        "SELECT scheme, paused_ms, paused_by, code, reason FROM scheme_control WHERE paused_ms IS NOT NULL",
    )?;
    let pauses = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, paused(row)?)))?;
    for pause in pauses {
        let (scheme, paused) = pause?;
        all.entry(scheme).or_default().paused = Some(paused);
    }
    Ok(all)
}

fn paused(row: &Row<'_>) -> rusqlite::Result<Paused> {
    Ok(Paused {
        since: row.get(1)?,
        by: row.get(2)?,
        reason: Reason::new(row.get::<_, String>(3)?, row.get::<_, String>(4)?),
    })
}

fn due_row(row: &Row<'_>) -> rusqlite::Result<DueRow> {
    let half: String = row.get(1)?;
    let count = |place: usize| row.get::<_, i64>(place).map(|n| u64::try_from(n).unwrap_or(0));
    Ok(DueRow {
        scheme: row.get(0)?,
        // The table's own check knows the words.
        half: Half::from_word(&half).unwrap_or(Half::All),
        rule: row.get(2)?,
        next: row.get(3)?,
        started: row.get(4)?,
        ended: row.get(5)?,
        tally: Tally {
            starts: count(6)?,
            overlaps: count(7)?,
            skipped: count(8)?,
            late: count(9)?,
            lateness: row.get(10)?,
            worst: row.get(11)?,
            rearmed: count(12)?,
        },
    })
}

fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scheme: &str, half: Half, next: Option<Ms>) -> DueRow {
        DueRow {
            scheme: scheme.to_owned(),
            half,
            rule: "every 360000".to_owned(),
            next,
            started: Some(5),
            ended: None,
            tally: Tally {
                starts: 3,
                late: 1,
                worst: 90_000,
                ..Tally::default()
            },
        }
    }

    #[test]
    fn what_is_due_and_paused_is_known_again() {
        let mut ledger = Ledger::in_memory().unwrap();
        assert!(ledger.timetable().unwrap().is_empty());
        let rows = [
            row("a", Half::Source, Some(10)),
            row("a", Half::Target, None),
            row("b", Half::All, Some(7)),
        ];
        ledger.keep_due(&rows).unwrap();
        ledger.keep_due(&[row("b", Half::All, Some(8))]).unwrap();
        let paused = Paused {
            since: 4,
            by: "li".to_owned(),
            reason: Reason::new("", "stocktaking"),
        };
        ledger.pause("c", &paused).unwrap();
        let all = ledger.reader().timetable().unwrap();
        assert_eq!(all["a"].rows, rows[..2]);
        assert_eq!(all["b"].rows, [row("b", Half::All, Some(8))]);
        assert_eq!(all["c"].paused, Some(paused.clone()));

        assert!(ledger.resume("c", "li", "done", 9).unwrap());
        assert_eq!(ledger.reader().confirmed("c").unwrap(), None, "no brake asked");
        assert_eq!(ledger.reader().confirmed("a").unwrap(), None);
        assert!(!ledger.resume("c", "li", "done", 9).unwrap());
        assert!(!ledger.timetable().unwrap().contains_key("c"));
        let notes = ledger
            .reader()
            .audit(&crate::read::AuditFilter::default())
            .unwrap();
        let notes: Vec<_> = notes
            .iter()
            .map(|note| (note.note.action.as_str(), note.note.reason.as_str()))
            .collect();
        assert_eq!(notes, [("resume", "done"), ("pause", "stocktaking")]);
    }

    #[test]
    fn what_is_stored_and_not_settled() {
        let ledger = Ledger::in_memory().unwrap();
        let rows: [(&str, &str, Option<Ms>, Option<Ms>); 9] = [
            ("a", "pending", Some(70), None),
            ("a", "pending", Some(50), None),
            ("a", "unknown", Some(3), Some(90)),
            ("a", "sending", None, Some(80)),
            ("b", "pending", None, None),
            ("b", "pending", Some(60), None),
            ("c", "done", Some(1), Some(1)),
            ("c", "held", None, None),
            ("d", "unknown", None, Some(40)),
        ];
        {
            let conn = ledger.lock();
            for (n, (scheme, state, not_before, resolve_after)) in rows.iter().enumerate() {
                conn.execute(
                    "INSERT INTO record (scheme, src_key, label, state, version, void, attempt, err_code, not_before_ms,
                                         resolve_after_ms, first_ms, seen_ms, changed_ms)
                     VALUES (?1, ?2, '', ?3, '', 0, 1, 'E2001', ?4, ?5, 0, 0, 0)",
                    params![scheme, n.to_string(), state, not_before, resolve_after],
                )
                .unwrap();
            }
            // The second record of `a` is a document that waits; another row is in it.
            conn.execute_batch(
                "UPDATE record SET bundle = 2 WHERE id = 2;
                 INSERT INTO record (scheme, src_key, label, state, version, void, attempt, bundle, first_ms, seen_ms,
                                     changed_ms)
                 VALUES ('a', 'member', '', 'pending', '', 0, 1, 2, 0, 0, 0)",
            )
            .unwrap();
        }
        let open = |pending, unknown| OpenWork { pending, unknown };
        let want = BTreeMap::from([
            ("a".to_owned(), open(Some(50), Some(80))),
            ("b".to_owned(), open(Some(0), None)),
            ("d".to_owned(), open(None, Some(40))),
        ]);
        let reader = ledger.reader();
        assert_eq!(reader.open_work(None).unwrap(), want);
        for scheme in ["a", "b", "c", "d", "e"] {
            let one: BTreeMap<_, _> = want.clone().into_iter().filter(|(of, _)| of == scheme).collect();
            assert_eq!(reader.open_work(Some(scheme)).unwrap(), one, "{scheme}");
        }
    }

    /// Only the end of a brake's own pause releases it; a later pause takes nothing back.
    #[test]
    fn who_ends_another_pause_has_not_confirmed() {
        let mut ledger = Ledger::in_memory().unwrap();
        assert!(ASKING.iter().all(|code| flow::brake::asks(code)));
        for (now, code, want) in [
            (1, "", None),
            (2, "E9002", None),
            (3, "E3081", None),
            (4, "E3083", Some(4)),
            (5, "", Some(4)),
            (6, "E3082", Some(6)),
        ] {
            let paused = Paused {
                since: now,
                by: "engine".to_owned(),
                reason: Reason::new(code, "900 > 500"),
            };
            ledger.pause("c", &paused).unwrap();
            assert!(ledger.resume("c", "li", "seen", now).unwrap());
            assert_eq!(ledger.reader().confirmed("c").unwrap(), want, "{code}");
        }
    }

    /// A pause without a reason is refused whole.
    #[test]
    fn a_pause_needs_a_reason() {
        let mut ledger = Ledger::in_memory().unwrap();
        let paused = Paused {
            since: 4,
            by: "li".to_owned(),
            reason: Reason::new("", " "),
        };
        ledger.pause("c", &paused).unwrap_err();
        assert!(ledger.timetable().unwrap().is_empty());
    }
}
