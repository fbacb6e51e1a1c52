//! `verify --fix`: what can be made right from inside without deciding anything.
//!
//! Only what is derived is made anew: counters from the records they count, entries that belong to nothing, and the
//! indexes of the database itself. No state, version, key or id of a record is touched; what is wrong with those needs a
//! person. Looking comes first ([`crate::Reader::repairs`]), and doing leaves a note.

use flow::ids::Ms;
use flow::op::AuditNote;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::StoreError;
use crate::{Ledger, Reader};

/// What one repair is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairKind {
    /// A number of records in a state that differs from the records.
    Counter,
    /// A row, an entry of a look-up index or lines of a document without the record they belong to.
    Orphan,
    /// An index of the database that differs from its table.
    Index,
}

impl RepairKind {
    /// The word shown.
    pub fn word(self) -> &'static str {
        match self {
            RepairKind::Counter => "counter",
            RepairKind::Orphan => "orphan",
            RepairKind::Index => "index",
        }
    }
}

/// One thing that would be, or was, made right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// What kind of thing.
    pub kind: RepairKind,
    /// Which one, and what is wrong with it.
    pub what: String,
}

/// Tables of which each row belongs to a record.
const BELONGING: [&str; 7] = [
    "body",
    "lookup_index",
    "document_lines",
    "step_document",
    "step_doubt",
    "saved",
    "origin",
];

/// Orphans and index lines that are listed one by one.
const MAX_LISTED: usize = 50;

impl Reader {
    /// What [`Ledger::repair`] would make right. Reads the whole file.
    pub fn repairs(&self) -> Result<Vec<Repair>, StoreError> {
        self.ask(repairs)
    }
}

impl Ledger {
    /// Makes right what [`Reader::repairs`] lists, in one transaction with its note; gives what was made right. Nothing
    /// is written when there is nothing to do.
    pub fn repair(&mut self, note: &AuditNote, now: Ms) -> Result<Vec<Repair>, StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Immediate)?;
        let found = repairs(&tx)?;
        if found.is_empty() {
            return Ok(found);
        }
        let wrong = |kind| found.iter().any(|repair| repair.kind == kind);
        if wrong(RepairKind::Index) {
            // First: the statements below look things up in these indexes.
            tx.execute_batch("REINDEX")?;
        }
        if wrong(RepairKind::Counter) {
            tx.execute_batch(
                "DELETE FROM scheme_state;
                 INSERT INTO scheme_state (scheme, state, n) SELECT scheme, state, count(*) FROM record GROUP BY scheme, state;",
            )?;
        }
        if wrong(RepairKind::Orphan) {
            for table in BELONGING {
                tx.execute_batch(&format!(
                    "DELETE FROM {table} WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.id = {table}.record)"
                ))?;
            }
        }
        let kinds = |kind: RepairKind| found.iter().filter(|repair| repair.kind == kind).count();
        let note = AuditNote {
            what: format!(
                "counters {}, orphans {}, indexes {}",
                kinds(RepairKind::Counter),
                kinds(RepairKind::Orphan),
                kinds(RepairKind::Index)
            ),
            ..note.clone()
        };
        crate::apply::audit::write(&tx, &note, now)?;
        tx.commit()?;
        Ok(found)
    }
}

fn repairs(conn: &Connection) -> Result<Vec<Repair>, StoreError> {
    let mut found = Vec::new();
    // An index that is behind its table would make every other answer doubtful; the lines are the library's own.
    let mut statement = conn.prepare(&format!("PRAGMA integrity_check({MAX_LISTED})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let what: String = row.get(0)?;
        let of_index = [
            "missing from index",
            "wrong # of entries in index",
            "non-unique entry in index",
        ];
        if of_index.iter().any(|words| what.contains(words)) {
            let kind = RepairKind::Index;
            found.push(Repair { kind, what });
        }
    }
    let mut list = |kind: RepairKind, sql: &str| -> Result<(), StoreError> {
        let mut statement = conn.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let what = row.get(0)?;
            found.push(Repair { kind, what });
        }
        Ok(())
    };
    list(
        RepairKind::Counter,
        "SELECT scheme || ' ' || state || ': ' || sum(kept) || ' -> ' || sum(found) FROM
            (SELECT scheme, state, n AS kept, 0 AS found FROM scheme_state
             UNION ALL SELECT scheme, state, 0, count(*) FROM record NOT INDEXED GROUP BY scheme, state)
         GROUP BY scheme, state HAVING sum(kept) <> sum(found)",
    )?;
    for table in BELONGING {
        list(
            RepairKind::Orphan,
            &format!(
                "SELECT '{table} ' || record FROM {table}
                 WHERE NOT EXISTS (SELECT 1 FROM record WHERE record.id = {table}.record) LIMIT {MAX_LISTED}"
            ),
        )?;
    }
    Ok(found)
}
