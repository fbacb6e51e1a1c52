//! Schemes that carry the same documents in opposite directions: what is known of such a pair, and what was decided
//! about its records. The rules are applied where records are staged, picked and settled.

use flow::ids::{Ms, RecordId};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use crate::error::StoreError;
use crate::read::optional_bytes;
use crate::{Ledger, Reader};

/// One direction of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoWay {
    /// The scheme that carries the same documents the other way.
    pub partner: String,
    /// How a row of this scheme names the document that the partner wrote.
    pub named_by: NamedBy,
    /// The partner writes the row's document by the key of the row.
    pub id_is_key: bool,
    /// What happens where both sides changed.
    pub conflict: Conflict,
    /// Fields that the source fills in by itself when a document is made: their first value is no news.
    pub filled: Vec<String>,
    /// The connection to which this scheme writes.
    pub target: String,
    /// The kind of document that it writes there, where that is always the same.
    pub form: Option<String>,
}

/// How a row names the document that the partner wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamedBy {
    /// By the id that the target gave it.
    Id,
    /// By the key under which the partner writes it.
    Key,
}

/// What happens where both sides changed, as seen from one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// A person decides.
    Hold,
    /// What this scheme read is written.
    SourceWins,
    /// What the other scheme read is written.
    TargetWins,
    /// The row that is newer by the schemes' `newest_by`.
    NewestWins,
}

impl Conflict {
    /// All of them.
    pub const ALL: [Conflict; 4] = [
        Conflict::Hold,
        Conflict::SourceWins,
        Conflict::TargetWins,
        Conflict::NewestWins,
    ];

    /// The word in schemes and in the ledger.
    pub fn word(self) -> &'static str {
        match self {
            Conflict::Hold => "hold",
            Conflict::SourceWins => "source_wins",
            Conflict::TargetWins => "target_wins",
            Conflict::NewestWins => "newest_wins",
        }
    }

    /// The policy of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|conflict| conflict.word() == word)
    }
}

impl NamedBy {
    fn word(self) -> &'static str {
        match self {
            NamedBy::Id => "id",
            NamedBy::Key => "key",
        }
    }
}

/// What was decided about a record of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TwoWayNote {
    /// When.
    pub at: Ms,
    /// `echo`, `lost`, `won` or `held`.
    pub what: String,
    /// The version it was about.
    pub version: String,
    /// The record of the partner.
    pub partner: RecordId,
    /// Its scheme.
    pub scheme: String,
    /// Its key.
    pub key: String,
    /// Its version then.
    pub partner_version: String,
    /// The attempt whose write came back.
    pub attempt: Option<i64>,
    /// The run of that attempt.
    pub run: Option<i64>,
    /// The fields that were news.
    pub fields: Vec<String>,
    /// The row that lost.
    pub row: Option<Vec<u8>>,
}

impl Ledger {
    /// Remembers the two directions of a pair. Nothing is written when they are known already.
    pub fn pair(&mut self, one: (&str, &TwoWay), other: (&str, &TwoWay)) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Deferred)?;
        let known = |(scheme, two_way): (&str, &TwoWay)| {
            Ok::<_, StoreError>(of_scheme(&tx, scheme)?.as_ref() == Some(two_way))
        };
        if known(one)? && known(other)? {
            return Ok(());
        }
        let is_new = |(scheme, two_way): (&str, &TwoWay)| {
            Ok::<_, StoreError>(of_scheme(&tx, scheme)?.is_none_or(|known| known.partner != two_way.partner))
        };
        if is_new(one)? || is_new(other)? {
            // What is known of a time when they were a pair is not true any more.
            for (scheme, _) in [one, other] {
                for known in [
                    "DELETE FROM row_facets WHERE record IN (SELECT record FROM pair_record WHERE scheme = ?1)",
                    "DELETE FROM pair_said WHERE record IN (SELECT record FROM pair_record WHERE scheme = ?1)",
                    "UPDATE pair_record SET wrote = NULL, attempt = NULL, intent = NULL, won = 0 WHERE scheme = ?1",
                ] {
                    tx.execute(known, [scheme])?;
                }
            }
        }
        for (scheme, _) in [one, other] {
            tx.execute("DELETE FROM two_way WHERE scheme = ?1 OR partner = ?1", [scheme])?;
        }
        for (scheme, two_way) in [one, other] {
            tx.execute(
                "INSERT INTO two_way (scheme, partner, named_by, id_is_key, conflict, filled, target, form)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    scheme,
                    two_way.partner,
                    two_way.named_by.word(),
                    two_way.id_is_key,
                    two_way.conflict.word(),
                    two_way.filled.join("\n"),
                    two_way.target,
                    two_way.form,
                ],
            )?;
        }
        for ((scheme, two_way), (_, partner)) in [(one, other), (other, one)] {
            // What was written before they were a pair.
            tx.execute(
                "INSERT INTO pair_record (record, scheme, own_id, name, document)
                 SELECT id, scheme, CASE WHEN ?2 THEN json_extract(src_key, '$[0]') END,
                        CASE ?3 WHEN 'key' THEN tkey ELSE CASE WHEN target_id IS NOT NULL THEN json_array(target_id) END END,
                        target_id
                 FROM record WHERE scheme = ?1
                 ON CONFLICT (record) DO UPDATE SET own_id = coalesce(excluded.own_id, own_id), name = excluded.name,
                    document = excluded.document",
                params![scheme, two_way.id_is_key, partner.named_by.word()],
            )?;
        }
        tx.commit()?;
        Ok(())
    }

    /// A scheme carries nothing the other way any more.
    pub fn unpair(&mut self, scheme: &str) -> Result<(), StoreError> {
        let conn = self.lock();
        if of_scheme(&conn, scheme)?.is_some() {
            conn.execute("DELETE FROM two_way WHERE scheme = ?1 OR partner = ?1", [scheme])?;
        }
        Ok(())
    }
}

/// The pair of a scheme.
pub(crate) fn of_scheme(conn: &Connection, scheme: &str) -> Result<Option<TwoWay>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT partner, named_by, id_is_key, conflict, filled, target, form FROM two_way WHERE scheme = ?1",
    )?;
    Ok(statement.query_row([scheme], two_way).optional()?)
}

fn two_way(row: &Row<'_>) -> rusqlite::Result<TwoWay> {
    let (named_by, conflict): (String, String) = (row.get(1)?, row.get(3)?);
    let filled: String = row.get(4)?;
    Ok(TwoWay {
        partner: row.get(0)?,
        named_by: if named_by == NamedBy::Key.word() {
            NamedBy::Key
        } else {
            NamedBy::Id
        },
        id_is_key: row.get(2)?,
        conflict: Conflict::from_word(&conflict).unwrap_or(Conflict::Hold),
        filled: lines(&filled),
        target: row.get(5)?,
        form: row.get(6)?,
    })
}

/// The lines of a text that keeps a list.
fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

impl Reader {
    /// What was decided about a record of a pair, the newest of it, in order of time.
    pub fn two_way_notes(&self, record: RecordId) -> Result<Vec<TwoWayNote>, StoreError> {
        self.ask(|conn| {
            let mut statement = conn.prepare_cached(
                "SELECT n.at_ms, n.what, n.version, n.partner, r.scheme, r.src_key, n.partner_version, n.attempt, a.run,
                        n.fields, n.source
                 FROM two_way_note n JOIN record r ON r.id = n.partner LEFT JOIN attempt a ON a.id = n.attempt
                 WHERE n.record = ?1 ORDER BY n.id",
            )?;
            let mut rows = statement.query([record.0])?;
            let mut notes = Vec::new();
            while let Some(row) = rows.next()? {
                let fields: String = row.get(9)?;
                notes.push(TwoWayNote {
                    at: row.get(0)?,
                    what: row.get(1)?,
                    version: row.get(2)?,
                    partner: RecordId(row.get(3)?),
                    scheme: row.get(4)?,
                    key: row.get(5)?,
                    partner_version: row.get(6)?,
                    attempt: row.get(7)?,
                    run: row.get(8)?,
                    fields: lines(&fields),
                    row: optional_bytes(row, 10)?,
                });
            }
            Ok(notes)
        })
    }
}
