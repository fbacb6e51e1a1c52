//! Carries out ledger work: one list of ops is one transaction, in order, all or nothing.

pub(crate) mod audit;
mod bundle;
mod circuit;
mod claim;
mod cover;
mod decide;
mod feed;
mod inbox;
pub(crate) mod index;
mod mapping;
mod publish;
mod record;
mod run;
mod settle;
mod stage;
mod suspect;
mod task;
mod two_way;
mod version;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use flow::ids::{Blob, RecordId};
use flow::op::{LedgerOp, LedgerReply, Reason, RecordState};
use flow::point::{Point, Side};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Savepoint, ToSql, Transaction, TransactionBehavior};

pub(crate) use claim::in_doubt;
pub(crate) use cover::LIVE;
pub(crate) use mapping::LEFT;
pub(crate) use record::transition_trigger;
pub use record::{Cause, allowed};

use crate::error::{StoreError, Words};
use crate::two_way::TwoWay;
use crate::{Blobs, Ledger};

/// One submission: ops and the bytes they name.
pub(crate) type Work = (Vec<LedgerOp>, Blobs);

impl Ledger {
    /// Applies ops as one transaction that is durable when this returns. If one fails, none has happened.
    pub fn apply(&mut self, ops: &[LedgerOp], blobs: &Blobs) -> Result<Vec<LedgerReply>, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let replies = apply_ops(&tx, ops, blobs, &self.words)?;
        self.told(Side::Before, ops);
        tx.commit()?;
        drop(conn);
        self.told(Side::After, ops);
        self.note_claims(&replies);
        Ok(replies)
    }

    /// Tells who watches of a transaction.
    fn told(&self, side: Side, ops: &[LedgerOp]) {
        if let Some(watch) = &self.watch {
            ops.iter().for_each(|op| watch(side, Point::of_op(op)));
        }
    }

    /// Behind the commit: the note beside the ledger never knows more than the ledger.
    fn note_claims(&mut self, replies: &[LedgerReply]) {
        let Some(note) = &mut self.note else { return };
        for reply in replies {
            if let LedgerReply::Claimed {
                attempt: Some(attempt),
                ..
            } = reply
            {
                note.claimed(attempt.0);
            }
        }
    }

    /// Applies several submissions in one transaction, so that they share one sync of the disk. Each is still all or
    /// nothing, and none has happened if the commit fails.
    pub(crate) fn apply_group(&mut self, group: &[Work]) -> Vec<Result<Vec<LedgerReply>, StoreError>> {
        if let [(ops, blobs)] = group {
            return vec![self.apply(ops, blobs)];
        }
        let mut conn = self.lock();
        let before = || group.iter().for_each(|(ops, _)| self.told(Side::Before, ops));
        let results = apply_group(&mut conn, group, &self.words, before)
            .unwrap_or_else(|error| group.iter().map(|_| Err(error.clone())).collect());
        drop(conn);
        group.iter().for_each(|(ops, _)| self.told(Side::After, ops));
        for replies in results.iter().flatten() {
            self.note_claims(replies);
        }
        results
    }
}

fn apply_group(
    conn: &mut Connection,
    group: &[Work],
    words: &Words,
    before: impl FnOnce(),
) -> Result<Vec<Result<Vec<LedgerReply>, StoreError>>, StoreError> {
    let mut tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut results = Vec::with_capacity(group.len());
    for (ops, blobs) in group {
        let result = in_savepoint(tx.savepoint()?, ops, blobs, words);
        if let Err(error) = &result
            && tx.is_autocommit()
        {
            // The disk is full or failing: SQLite has taken back the whole transaction, not this part alone.
            return Err(error.clone());
        }
        results.push(result);
    }
    before();
    tx.commit()?;
    Ok(results)
}

fn in_savepoint(
    savepoint: Savepoint<'_>,
    ops: &[LedgerOp],
    blobs: &Blobs,
    words: &Words,
) -> Result<Vec<LedgerReply>, StoreError> {
    let replies = apply_ops(&savepoint, ops, blobs, words)?;
    savepoint.commit()?;
    Ok(replies)
}

fn apply_ops(
    conn: &Connection,
    ops: &[LedgerOp],
    blobs: &Blobs,
    words: &Words,
) -> Result<Vec<LedgerReply>, StoreError> {
    let mut cx = Cx::new(conn, blobs, words);
    let replies = ops.iter().map(|op| cx.apply(op)).collect::<Result<Vec<_>, _>>()?;
    cx.write_counts()?;
    Ok(replies)
}

/// One transaction under way.
struct Cx<'a> {
    conn: &'a Connection,
    blobs: &'a Blobs,
    words: &'a Words,
    /// Changes of `scheme_state` not written yet.
    moved: BTreeMap<(String, RecordState), i64>,
    /// The pairs that were asked for: the table changes in no transaction of this kind.
    pairs: RefCell<BTreeMap<String, Option<Rc<TwoWay>>>>,
    /// Which schemes make documents of several rows, which have mappings that no row came for: asked for once. Neither
    /// grows in a transaction of this kind.
    gathering: RefCell<BTreeMap<String, bool>>,
    ahead: RefCell<BTreeMap<String, bool>>,
    /// Whether a step of any record has a document of its own. `None` = not asked yet.
    step_documents: Cell<Option<bool>>,
    /// The records whose call was taken as accepted in this transaction. As many as its ops name.
    accepted: BTreeMap<RecordId, settle::Accepted>,
}

impl<'a> Cx<'a> {
    fn new(conn: &'a Connection, blobs: &'a Blobs, words: &'a Words) -> Self {
        Cx {
            conn,
            blobs,
            words,
            moved: BTreeMap::new(),
            pairs: RefCell::default(),
            gathering: RefCell::default(),
            ahead: RefCell::default(),
            step_documents: Cell::default(),
            accepted: BTreeMap::new(),
        }
    }
}

impl Cx<'_> {
    fn apply(&mut self, op: &LedgerOp) -> Result<LedgerReply, StoreError> {
        match op {
            LedgerOp::BeginRun {
                scheme,
                revision,
                trigger,
                now,
            } => self.begin_run(scheme, revision, *trigger, *now),
            LedgerOp::OpenWindow {
                run,
                scheme,
                asked,
                cursor,
            } => self.open_window(*run, scheme, *asked, *cursor),
            LedgerOp::StagePage {
                run,
                window,
                scheme,
                page,
                rows,
                total,
                fingerprint,
                on_seen,
                updates,
                store_only,
                close,
                now,
            } => {
                let page = stage::Page {
                    run: *run,
                    window: *window,
                    scheme,
                    number: *page,
                    on_seen: *on_seen,
                    updates: *updates,
                    store_only: *store_only,
                    doubt: None,
                    told: None,
                    published: None,
                    served: false,
                    now: *now,
                };
                let counted = self.stage_page(&page, rows)?;
                self.page_read(&page, rows.len(), *total, *fingerprint)?;
                let suspicious = match close {
                    Some(interval) => self.close_window(&page, *interval)?,
                    None => None,
                };
                let open = self.open_records(scheme)?;
                Ok(LedgerReply::Staged {
                    outcomes: counted.outcomes,
                    fresh: counted.fresh,
                    open,
                    suspicious,
                })
            }
            LedgerOp::EndWindow {
                window,
                end,
                reason,
                now,
            } => self.end_window(*window, *end, reason, *now),
            LedgerOp::Pick {
                scheme,
                now,
                after,
                limit,
            } => self.pick(scheme, *now, *after, *limit),
            LedgerOp::PickLoose { scheme, limit, now } => self.pick_loose(scheme, *limit, *now),
            LedgerOp::Freeze { scheme, parts, now } => self.freeze(scheme, parts, *now),
            LedgerOp::Refuse { rows, now } => self.refuse(rows, *now),
            LedgerOp::Adopt { rows, now } => self.adopt(rows, *now),
            LedgerOp::Claim {
                run,
                target,
                rows,
                resolve_after,
                now,
            } => self.claim(*run, target, rows, *resolve_after, *now),
            LedgerOp::Settle {
                attempt,
                outcome,
                http_status,
                excerpt,
                vendor_trace,
                rows,
                now,
            } => {
                let end = settle::AttemptEnd {
                    outcome,
                    http_status: *http_status,
                    excerpt: excerpt.as_deref(),
                    vendor_trace: vendor_trace.as_deref(),
                };
                self.settle(*attempt, &end, rows, *now)
            }
            LedgerOp::Save { rows } => self.keep(rows),
            LedgerOp::NoteTask {
                attempt,
                task,
                group,
                until,
            } => self.note_task(*attempt, task, *group, *until),
            LedgerOp::PickTasks { scheme, now } => self.pick_tasks(scheme, *now),
            LedgerOp::ReadCircuit { target } => self.read_circuit(target),
            LedgerOp::SetCircuit {
                target,
                failures,
                until,
            } => self.set_circuit(target, *failures, *until),
            LedgerOp::PickUnknown { scheme, now, limit } => self.pick_unknown(scheme, *now, *limit),
            LedgerOp::Resolve { rows, now } => self.resolve(rows, *now),
            LedgerOp::EndRun {
                run,
                status,
                reason,
                now,
            } => self.end_run(*run, *status, reason.as_ref(), *now),
            LedgerOp::Forget { scheme, cursor } => self.forget(scheme, *cursor),
            LedgerOp::Cover { scheme, cursor, now } => self.cover(scheme, *cursor, *now),
            LedgerOp::CountStates { scheme } => {
                self.write_counts()?;
                Ok(LedgerReply::States(crate::read::states(self.conn, scheme)?))
            }
            LedgerOp::Audit { note, now } => audit::write(self.conn, note, *now),
            LedgerOp::Suspect {
                scheme,
                kind,
                until,
                ask_after,
                now,
            } => self.suspect(scheme, *kind, *until, *ask_after, *now),
            LedgerOp::Identify { target, rows, now } => self.identify(target, rows, *now),
            LedgerOp::ReadVersions { scheme, source } => self.read_versions(scheme, source),
            LedgerOp::NoteVersions {
                scheme,
                source,
                marks,
            } => self.note_versions(scheme, source, marks),
            LedgerOp::StorePush {
                giver,
                scheme,
                push,
                now,
            } => match giver {
                Some(giver) => self.give(*giver, scheme, push, *now),
                None => self.store_push(scheme, push, push.doubt, *now),
            },
            LedgerOp::MovePlace {
                scheme,
                giver,
                from,
                to,
            } => self.move_place(scheme, giver, *from, *to),
            LedgerOp::CountPushes { scheme } => self.count_pushes(scheme),
            LedgerOp::TakePushes {
                run,
                scheme,
                pushes,
                now,
            } => self.take_pushes(*run, scheme, pushes, *now),
            LedgerOp::Decide {
                rows,
                who,
                reason,
                now,
            } => self.decide(rows, who, reason, *now),
        }
    }

    fn blob(&self, blob: Blob) -> Result<Bytes<'_>, StoreError> {
        let bytes = self
            .blobs
            .get(blob)
            .ok_or_else(|| StoreError::Bug(format!("no bytes behind {blob:?}")))?;
        Ok(Bytes(bytes))
    }

    /// A reason that the ledger itself gives.
    fn own_reason(&self, code: &str, facts: &[(&'static str, String)]) -> Reason {
        Reason::new(code, (self.words)(code, facts))
    }

    fn open_records(&mut self, scheme: &str) -> Result<u64, StoreError> {
        self.write_counts()?;
        let counts = crate::read::states(self.conn, scheme)?;
        Ok(RecordState::ALL
            .iter()
            .zip(counts)
            .filter(|(state, _)| state.is_open())
            .map(|(_, n)| n)
            .sum())
    }

    fn write_counts(&mut self) -> Result<(), StoreError> {
        for ((scheme, state), change) in std::mem::take(&mut self.moved) {
            if change != 0 {
                self.count_state(&scheme, state, change)?;
            }
        }
        Ok(())
    }

    fn count_state(&self, scheme: &str, state: RecordState, change: i64) -> Result<(), StoreError> {
        // Two statements, because a refused insert of a negative count would come before the conflict.
        let mut update = self
            .conn
            .prepare_cached("UPDATE scheme_state SET n = n + ?3 WHERE scheme = ?1 AND state = ?2")?;
        if update.execute((scheme, state.word(), change))? == 0 {
            self.conn
                .prepare_cached("INSERT INTO scheme_state (scheme, state, n) VALUES (?1, ?2, ?3)")?
                .execute((scheme, state.word(), change))?;
        }
        Ok(())
    }
}

/// Bytes as the ledger keeps them: text where they are text, so that a person can read the file with `sqlite3`.
#[derive(Clone, Copy)]
struct Bytes<'a>(&'a [u8]);

impl ToSql for Bytes<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match std::str::from_utf8(self.0) {
            Ok(text) => ValueRef::Text(text.as_bytes()),
            Err(_) => ValueRef::Blob(self.0),
        }))
    }
}

/// Numbers the database keeps as 64-bit integers with a sign.
fn integer(n: u64) -> Value {
    Value::Integer(n.cast_signed())
}

fn length(n: usize) -> u64 {
    u64::try_from(n).expect("a length fits 64 bits")
}

/// Longest text of a reason or an excerpt kept.
const MAX_TEXT: usize = 4096;

/// The start of a text, cut between characters.
pub(crate) fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT)]
}

fn no_such(what: &str, id: RecordId) -> StoreError {
    StoreError::Bug(format!("{what}: no record {id}"))
}
