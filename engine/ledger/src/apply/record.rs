//! A record in hand: loaded, changed, saved. The only place where a state changes.

use std::fmt::Write;

use flow::codes;
use flow::ids::{AttemptId, Ms, RecordId};
use flow::op::{Reason, RecordState, SuspectKind, WriteAction};
use rusqlite::types::ToSqlOutput;
use rusqlite::{OptionalExtension, Row, ToSql, params};

use super::{Cx, cut, no_such};
use crate::error::StoreError;

/// What changes a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A page brought a row.
    Stage,
    /// A page brought a row of a scheme without target.
    Store,
    /// A claim.
    Claim,
    /// A settlement of an attempt.
    Settle,
    /// A newer version waited beside a record that has just settled.
    Promote,
    /// The start of a run found it in flight.
    Recover,
    /// The target answered about it.
    Resolve,
    /// It is not sent.
    Refuse,
    /// Somebody else may have written it.
    Suspect,
    /// A person decided.
    Decide,
    /// What it says was written by the scheme that carries the same documents the other way, or lost against that.
    Pair,
    /// It is a document of several rows, or one of these.
    Bundle,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 12] = [
        Cause::Stage,
        Cause::Store,
        Cause::Claim,
        Cause::Settle,
        Cause::Promote,
        Cause::Recover,
        Cause::Resolve,
        Cause::Refuse,
        Cause::Suspect,
        Cause::Decide,
        Cause::Pair,
        Cause::Bundle,
    ];
}

/// The guard: whether `cause` may bring a record from one state (`None`: it does not exist yet) into another.
pub fn allowed(cause: Cause, from: Option<RecordState>, to: RecordState) -> bool {
    use RecordState::{Dead, Done, Held, Pending, Sending, Skipped, Unknown};
    match cause {
        Cause::Stage => match from {
            None => matches!(to, Pending | Skipped | Dead),
            Some(Pending) => matches!(to, Pending | Done),
            Some(Done | Dead | Skipped) => to == Pending,
            Some(Sending | Unknown | Held) => false,
        },
        Cause::Store => match from {
            None => matches!(to, Done | Skipped | Dead),
            Some(Pending | Done | Dead | Skipped) => to == Done,
            Some(Sending | Unknown | Held) => false,
        },
        Cause::Claim => from == Some(Pending) && matches!(to, Sending | Held),
        Cause::Settle => from == Some(Sending) && matches!(to, Done | Dead | Pending | Unknown | Held),
        Cause::Promote => matches!(from, Some(Done | Dead | Skipped)) && to == Pending,
        Cause::Recover => from == Some(Sending) && to == Unknown,
        Cause::Resolve => from == Some(Unknown) && matches!(to, Done | Pending | Unknown | Held | Dead),
        Cause::Refuse => from == Some(Pending) && matches!(to, Dead | Held | Skipped | Pending),
        Cause::Suspect => {
            matches!(from, Some(Pending | Unknown)) && to == Unknown || from == Some(Unknown) && to == Held
        }
        Cause::Decide => match from {
            Some(Pending) => matches!(to, Skipped | Held),
            Some(Unknown) => matches!(to, Held | Done | Pending),
            Some(Held) => matches!(to, Pending | Unknown | Done | Skipped),
            Some(Dead) => matches!(to, Pending | Unknown | Done | Skipped),
            Some(Sending | Done | Skipped) | None => false,
        },
        Cause::Pair => match from {
            None => to == Done,
            Some(Done) => matches!(to, Done | Held | Pending),
            Some(Skipped) => matches!(to, Done | Held),
            Some(Pending) => matches!(to, Done | Held | Skipped),
            Some(Dead) => matches!(to, Done | Held | Skipped),
            Some(Held) => to == Skipped,
            Some(Sending | Unknown) => false,
        },
        Cause::Bundle => match from {
            None => to == Pending,
            Some(Pending | Held) => matches!(to, Held | Skipped),
            Some(Dead) => matches!(to, Held | Skipped),
            Some(Done | Skipped) => to == Held,
            Some(Sending | Unknown) => false,
        },
    }
}

/// A trigger that refuses every other transition, for debug builds. One save may join two steps (settled and
/// promoted, renewed and in doubt).
pub(crate) fn transition_trigger() -> String {
    let mut pairs = String::new();
    for from in RecordState::ALL {
        for to in RecordState::ALL {
            let one = |a, b| Cause::ALL.into_iter().any(|cause| allowed(cause, Some(a), b));
            let joined = [RecordState::Done, RecordState::Dead, RecordState::Skipped]
                .into_iter()
                .any(|middle| one(from, middle) && allowed(Cause::Promote, Some(middle), to));
            // Renewed, and in doubt at once.
            let doubted = one(from, RecordState::Pending) && to == RecordState::Unknown;
            if from == to || one(from, to) || joined || doubted {
                let comma = if pairs.is_empty() { "" } else { ", " };
                write!(pairs, "{comma}'{}>{}'", from.word(), to.word()).expect("writing to a text");
            }
        }
    }
    format!(
        "CREATE TEMP TRIGGER record_transition BEFORE UPDATE OF state ON main.record
         WHEN (old.state || '>' || new.state) NOT IN ({pairs})
         BEGIN SELECT RAISE(ABORT, 'forbidden transition of a record'); END;"
    )
}

/// A newer version beside the one that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) version: String,
    pub(super) label: String,
    pub(super) void: bool,
    /// The scheme does not change what is written: it waits for the further calls of the document that is.
    pub(super) after: bool,
}

/// Where a record's document is, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TargetKey {
    /// Name of the connection.
    pub(super) target: String,
    pub(super) form: String,
    /// `None`: the target knows no natural key for it.
    pub(super) tkey: Option<String>,
}

impl TargetKey {
    /// Where it is, for a sentence.
    pub(super) fn place(&self) -> String {
        format!("{} {}", self.target, self.form)
    }

    /// From the parts of a claim.
    pub(super) fn of(connection: &str, form: &str, tkey: &str) -> Self {
        TargetKey {
            target: connection.to_owned(),
            form: form.to_owned(),
            tkey: (tkey != super::claim::NO_KEY).then(|| tkey.to_owned()),
        }
    }
}

/// A record without its rows.
#[derive(Debug, Clone)]
pub(super) struct Rec {
    pub(super) id: RecordId,
    pub(super) scheme: String,
    pub(super) key: String,
    pub(super) label: String,
    state: RecordState,
    pub(super) filtered: bool,
    pub(super) version: String,
    pub(super) void: bool,
    pub(super) done_version: Option<String>,
    pub(super) done_ms: Option<Ms>,
    pub(super) waiting: Option<Waiting>,
    pub(super) action: Option<WriteAction>,
    pub(super) attempt: Option<AttemptId>,
    pub(super) attempts: u32,
    pub(super) not_before: Option<Ms>,
    /// Since when it waits for what a look-up has not found.
    pub(super) waits_since: Option<Ms>,
    /// When that was last tried, and how long it has waited while it was tried.
    pub(super) tried: Option<Ms>,
    pub(super) waited: Ms,
    pub(super) resolve_after: Option<Ms>,
    pub(super) misses: u32,
    pub(super) unknown_since: Option<Ms>,
    pub(super) maybe_sent: bool,
    /// When this version was first sent without a known end.
    pub(super) doubted: Option<Ms>,
    /// The further call that is next.
    pub(super) step: Option<String>,
    pub(super) target: Option<TargetKey>,
    pub(super) target_id: Option<String>,
    pub(super) target_number: Option<String>,
    pub(super) reason: Option<Reason>,
    pub(super) seen: Ms,
    pub(super) changed: Ms,
    /// Why a document may be there that this ledger knows nothing of.
    pub(super) suspect: Option<SuspectKind>,
    /// The attempt whose document is sent instead of a new one; it ends with the version.
    pub(super) as_stored: Option<AttemptId>,
    /// A person named its document since it was picked.
    pub(super) retargeted: bool,
    /// The document that it is in; a document of several rows names itself.
    pub(super) bundle: Option<RecordId>,
    /// It does not follow that document any more.
    pub(super) apart: bool,
    /// Who else may have given the row that it gives another scheme.
    pub(super) handed: Option<SuspectKind>,
}

const COLUMNS: &str = "id, scheme, src_key, label, state, filtered, version, void, done_version, done_ms, \
    waiting_version, waiting_label, waiting_void, action, attempt, attempts, not_before_ms, resolve_after_ms, \
    resolve_misses, unknown_since_ms, maybe_sent, target, form, tkey, target_id, target_number, err_code, err_text, \
    seen_ms, changed_ms, waits_since_ms, suspect, step, doubted_ms, tried_ms, waited_ms, as_stored, \
    retargeted, bundle, apart, waiting_after, handed";

impl Rec {
    pub(super) fn state(&self) -> RecordState {
        self.state
    }

    /// The newest version seen: the waiting one, else the current one.
    pub(super) fn newest(&self) -> &str {
        self.waiting
            .as_ref()
            .map_or(&self.version, |waiting| &waiting.version)
    }

    /// Whether that says that the row is cancelled.
    pub(super) fn is_newest_void(&self) -> bool {
        self.waiting.as_ref().map_or(self.void, |waiting| waiting.void)
    }

    /// A document may exist at the target, under the frozen key.
    pub(super) fn document_known(&self) -> bool {
        self.target_id.is_some() || self.maybe_sent || self.done_version.is_some()
    }

    /// The last send was refused because a document with its key is there: nothing of it was executed.
    pub(super) fn told_it_exists(&self) -> bool {
        self.reason.as_ref().is_some_and(|why| why.code == codes::EXISTS)
    }

    /// What may have been sent may still be executed until then: nothing is sent or asked earlier.
    pub(super) fn quiet_until(&self, now: Ms) -> Option<Ms> {
        self.not_before.filter(|at| self.maybe_sent && *at > now)
    }

    /// A new version takes the place of the old one and starts afresh.
    pub(super) fn renew(&mut self, version: String, label: String, void: bool) {
        self.version = version;
        self.label = label;
        self.void = void;
        self.filtered = false;
        self.attempts = 0;
        self.not_before = None;
        self.no_wait();
        self.step = None;
        self.doubted = None;
        self.as_stored = None;
        self.reason = None;
    }

    fn no_wait(&mut self) {
        self.waits_since = None;
        self.tried = None;
        self.waited = 0;
    }

    /// Every column that a save writes, with its value, in one order.
    fn columns(&self) -> [(&'static str, Column<'_>); 38] {
        use Column::{Int, Text};
        let waiting = self.waiting.as_ref();
        let at = self.target.as_ref();
        [
            ("label", Text(Some(&self.label))),
            ("state", Text(Some(self.state.word()))),
            ("filtered", Int(Some(self.filtered.into()))),
            ("version", Text(Some(&self.version))),
            ("void", Int(Some(self.void.into()))),
            ("done_version", Text(self.done_version.as_deref())),
            ("done_ms", Int(self.done_ms)),
            (
                "waiting_version",
                Text(waiting.map(|waiting| waiting.version.as_str())),
            ),
            (
                "waiting_label",
                Text(waiting.map(|waiting| waiting.label.as_str())),
            ),
            ("waiting_void", Int(waiting.map(|waiting| waiting.void.into()))),
            (
                "waiting_after",
                Int(Some(waiting.is_some_and(|waiting| waiting.after).into())),
            ),
            ("action", Text(self.action.map(WriteAction::word))),
            ("attempt", Int(self.attempt.map(|attempt| attempt.0))),
            ("attempts", Int(Some(self.attempts.into()))),
            ("not_before_ms", Int(self.not_before)),
            ("resolve_after_ms", Int(self.resolve_after)),
            ("resolve_misses", Int(Some(self.misses.into()))),
            ("unknown_since_ms", Int(self.unknown_since)),
            ("maybe_sent", Int(Some(self.maybe_sent.into()))),
            ("target", Text(at.map(|at| at.target.as_str()))),
            ("form", Text(at.map(|at| at.form.as_str()))),
            ("tkey", Text(at.and_then(|at| at.tkey.as_deref()))),
            ("target_id", Text(self.target_id.as_deref())),
            ("target_number", Text(self.target_number.as_deref())),
            (
                "err_code",
                Text(self.reason.as_ref().map(|reason| reason.code.as_str())),
            ),
            (
                "err_text",
                Text(self.reason.as_ref().map(|reason| cut(&reason.text))),
            ),
            ("seen_ms", Int(Some(self.seen))),
            ("changed_ms", Int(Some(self.changed))),
            ("waits_since_ms", Int(self.waits_since)),
            ("suspect", Text(self.suspect.map(SuspectKind::word))),
            ("step", Text(self.step.as_deref())),
            ("doubted_ms", Int(self.doubted)),
            ("tried_ms", Int(self.tried)),
            ("waited_ms", Int(Some(self.waited))),
            ("as_stored", Int(self.as_stored.map(|attempt| attempt.0))),
            ("retargeted", Int(Some(self.retargeted.into()))),
            ("apart", Int(Some(self.apart.into()))),
            ("handed", Text(self.handed.map(SuspectKind::word))),
        ]
    }

    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let state: String = row.get(4)?;
        let action: Option<String> = row.get(13)?;
        let waiting_version: Option<String> = row.get(10)?;
        let waiting = match waiting_version {
            None => None,
            Some(version) => Some(Waiting {
                version,
                label: row.get(11)?,
                void: row.get(12)?,
                after: row.get(40)?,
            }),
        };
        let target: Option<String> = row.get(21)?;
        let target = match target {
            None => None,
            Some(target) => Some(TargetKey {
                target,
                form: row.get(22)?,
                tkey: row.get(23)?,
            }),
        };
        let code: Option<String> = row.get(26)?;
        let reason = match code {
            None => None,
            Some(code) => Some(Reason {
                code,
                text: row.get(27)?,
            }),
        };
        Ok(Rec {
            id: RecordId(row.get(0)?),
            scheme: row.get(1)?,
            key: row.get(2)?,
            label: row.get(3)?,
            state: RecordState::from_word(&state).ok_or_else(|| StoreError::Damaged {
                what: format!("state `{state}`"),
            })?,
            filtered: row.get(5)?,
            version: row.get(6)?,
            void: row.get(7)?,
            done_version: row.get(8)?,
            done_ms: row.get(9)?,
            waiting,
            action: action.as_deref().and_then(WriteAction::from_word),
            attempt: row.get::<_, Option<i64>>(14)?.map(AttemptId),
            attempts: row.get(15)?,
            not_before: row.get(16)?,
            waits_since: row.get(30)?,
            step: row.get(32)?,
            doubted: row.get(33)?,
            tried: row.get(34)?,
            waited: row.get(35)?,
            resolve_after: row.get(17)?,
            misses: row.get(18)?,
            unknown_since: row.get(19)?,
            maybe_sent: row.get(20)?,
            target,
            target_id: row.get(24)?,
            target_number: row.get(25)?,
            reason,
            seen: row.get(28)?,
            changed: row.get(29)?,
            suspect: suspect(row.get(31)?),
            as_stored: row.get::<_, Option<i64>>(36)?.map(AttemptId),
            retargeted: row.get(37)?,
            bundle: row.get::<_, Option<i64>>(38)?.map(RecordId),
            apart: row.get(39)?,
            handed: suspect(row.get(41)?),
        })
    }
}

/// The value of a column of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column<'a> {
    Text(Option<&'a str>),
    Int(Option<i64>),
}

impl ToSql for Column<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Column::Text(text) => text.to_sql(),
            Column::Int(number) => number.to_sql(),
        }
    }
}

/// The kind of a stored word; the table holds no others.
pub(super) fn suspect(word: Option<String>) -> Option<SuspectKind> {
    SuspectKind::from_word(&word?)
}

/// A record that is not stored yet.
pub(super) struct NewRecord<'a> {
    pub(super) scheme: &'a str,
    pub(super) key: &'a str,
    pub(super) label: &'a str,
    pub(super) version: &'a str,
    pub(super) void: bool,
    pub(super) state: RecordState,
    pub(super) filtered: bool,
    pub(super) reason: Option<&'a Reason>,
    pub(super) now: Ms,
}

impl Cx<'_> {
    pub(super) fn record(&self, id: RecordId) -> Result<Rec, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM record WHERE id = ?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query([id.0])?;
        rows.next()?.map_or_else(|| Err(no_such("load", id)), Rec::read)
    }

    pub(super) fn record_of_key(&self, scheme: &str, key: &str) -> Result<Option<Rec>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM record WHERE scheme = ?1 AND src_key = ?2");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query((scheme, key))?;
        rows.next()?.map(Rec::read).transpose()
    }

    /// Another record that has this key at the target: its id and source key.
    pub(super) fn holder(&self, at: &TargetKey, not: RecordId) -> Result<Option<String>, StoreError> {
        let mut statement = self.conn.prepare_cached(
            "SELECT src_key FROM record
             WHERE target = ?1 AND form = ?2 AND tkey = ?3 AND tkey IS NOT NULL AND id <> ?4",
        )?;
        Ok(statement
            .query_row((&at.target, &at.form, &at.tkey, not.0), |row| row.get(0))
            .optional()?)
    }

    pub(super) fn insert_record(
        &mut self,
        new: &NewRecord<'_>,
        cause: Cause,
    ) -> Result<RecordId, StoreError> {
        guard(cause, None, new.state, new.key)?;
        let done = new.state == RecordState::Done;
        self.conn
            .prepare_cached(
                "INSERT INTO record (scheme, src_key, label, state, filtered, version, void, done_version, done_ms,
                                     err_code, err_text, first_ms, seen_ms, changed_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12, ?12)",
            )?
            .execute(params![
                new.scheme,
                new.key,
                new.label,
                new.state.word(),
                new.filtered,
                new.version,
                new.void,
                done.then_some(new.version),
                done.then_some(new.now),
                new.reason.map(|reason| reason.code.as_str()),
                new.reason.map(|reason| cut(&reason.text)),
                new.now,
            ])?;
        *self.moved.entry((new.scheme.to_owned(), new.state)).or_default() += 1;
        Ok(RecordId(self.conn.last_insert_rowid()))
    }

    /// Brings a record in hand into a state. Everything else about it is set by the caller, then saved.
    pub(super) fn enter(
        &mut self,
        rec: &mut Rec,
        to: RecordState,
        cause: Cause,
        now: Ms,
    ) -> Result<(), StoreError> {
        guard(cause, Some(rec.state), to, &rec.key)?;
        if rec.state != to {
            *self.moved.entry((rec.scheme.clone(), rec.state)).or_default() -= 1;
            *self.moved.entry((rec.scheme.clone(), to)).or_default() += 1;
            rec.state = to;
            rec.changed = now;
        }
        if to != RecordState::Pending {
            rec.no_wait();
        }
        if to != RecordState::Unknown {
            rec.unknown_since = None;
            rec.misses = 0;
        }
        if !matches!(to, RecordState::Unknown | RecordState::Sending) {
            rec.resolve_after = None;
        }
        if !to.is_open() {
            rec.as_stored = None;
        }
        Ok(())
    }

    /// Writes a record in hand back, all but its keys.
    pub(super) fn save(&self, rec: &Rec) -> Result<(), StoreError> {
        let waiting = rec.waiting.as_ref();
        let hit = self
            .conn
            .prepare_cached(
                "UPDATE record SET label = ?2, state = ?3, filtered = ?4, version = ?5, void = ?6,
                    done_version = ?7, done_ms = ?8, waiting_version = ?9, waiting_label = ?10, waiting_void = ?11,
                    action = ?12, attempt = ?13, attempts = ?14, not_before_ms = ?15, resolve_after_ms = ?16,
                    resolve_misses = ?17, unknown_since_ms = ?18, maybe_sent = ?19, target_id = ?20,
                    target_number = ?21, err_code = ?22, err_text = ?23, seen_ms = ?24, changed_ms = ?25,
                    waits_since_ms = ?26, suspect = ?27, step = ?28, doubted_ms = ?29, tried_ms = ?30, waited_ms = ?31,
                    as_stored = ?32, retargeted = ?33, apart = ?34, waiting_after = ?35, handed = ?36
                 WHERE id = ?1",
            )?
            .execute(params![
                rec.id.0,
                rec.label,
                rec.state.word(),
                rec.filtered,
                rec.version,
                rec.void,
                rec.done_version,
                rec.done_ms,
                waiting.map(|waiting| &waiting.version),
                waiting.map(|waiting| &waiting.label),
                waiting.map(|waiting| waiting.void),
                rec.action.map(WriteAction::word),
                rec.attempt.map(|attempt| attempt.0),
                rec.attempts,
                rec.not_before,
                rec.resolve_after,
                rec.misses,
                rec.unknown_since,
                rec.maybe_sent,
                rec.target_id,
                rec.target_number,
                rec.reason.as_ref().map(|reason| reason.code.as_str()),
                rec.reason.as_ref().map(|reason| cut(&reason.text)),
                rec.seen,
                rec.changed,
                rec.waits_since,
                rec.suspect.map(SuspectKind::word),
                rec.step,
                rec.doubted,
                rec.tried,
                rec.waited,
                rec.as_stored.map(|attempt| attempt.0),
                rec.retargeted,
                rec.apart,
                waiting.is_some_and(|waiting| waiting.after),
                rec.handed.map(SuspectKind::word),
            ])?;
        if rec.is_part() {
            self.follow(rec)?;
        }
        if hit == 1 {
            self.note_name(rec)
        } else {
            Err(no_such("save", rec.id))
        }
    }

    /// Writes what has changed of a record since it was read, all but its keys: an index is written anew for every column
    /// that is named, changed or not. Only where nothing else has written the record since; one that others follow, or
    /// that is one of a pair, is saved whole.
    pub(super) fn save_changed(&self, rec: &Rec, stored: &Rec) -> Result<(), StoreError> {
        let (now, before) = (rec.columns(), stored.columns());
        let changed: Vec<&(&str, Column<'_>)> = now
            .iter()
            .zip(&before)
            .filter(|(now, before)| now.1 != before.1)
            .map(|(now, _)| now)
            .collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut sql = "UPDATE record SET".to_owned();
        for (nth, (name, _)) in changed.iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            write!(sql, "{comma} {name} = ?{}", nth + 2).expect("writing to a text");
        }
        sql.push_str(" WHERE id = ?1");
        let mut statement = self.conn.prepare_cached(&sql)?;
        statement.raw_bind_parameter(1, rec.id.0)?;
        for (nth, (_, value)) in changed.iter().enumerate() {
            statement.raw_bind_parameter(nth + 2, value)?;
        }
        match statement.raw_execute()? {
            1 => Ok(()),
            _ => Err(no_such("save", rec.id)),
        }
    }

    /// Freezes the key at the target.
    pub(super) fn save_target(&self, rec: &Rec) -> Result<(), StoreError> {
        let at = rec.target.as_ref();
        self.conn
            .prepare_cached("UPDATE record SET target = ?2, form = ?3, tkey = ?4 WHERE id = ?1")?
            .execute((
                rec.id.0,
                at.map(|at| &at.target),
                at.map(|at| &at.form),
                at.and_then(|at| at.tkey.as_ref()),
            ))?;
        Ok(())
    }

    /// If a newer version waits, it becomes the current one and the record pending; but a version whose attempt may
    /// have been executed is settled first, and one whose document is written goes through its steps: where nothing
    /// changes that document, also when a step was refused. Saves the record in any case.
    pub(super) fn promote(&mut self, mut rec: Rec, now: Ms) -> Result<(), StoreError> {
        let takes_over = match rec.state {
            RecordState::Done | RecordState::Skipped => true,
            RecordState::Dead => {
                rec.step.is_none() || rec.waiting.as_ref().is_none_or(|waiting| !waiting.after)
            }
            RecordState::Pending => !rec.maybe_sent && rec.step.is_none(),
            RecordState::Sending | RecordState::Unknown | RecordState::Held => false,
        };
        if takes_over && let Some(waiting) = rec.waiting.take() {
            if rec.state != RecordState::Pending {
                self.enter(&mut rec, RecordState::Pending, Cause::Promote, now)?;
            }
            // A pause that the target asked for binds the newer version too.
            let not_before = rec.not_before;
            rec.renew(waiting.version, waiting.label, waiting.void);
            rec.not_before = not_before;
            if let Some(kind) = rec.doubtful() {
                let ask_after = not_before.unwrap_or(now).max(now);
                self.doubt(&mut rec, kind, ask_after, now)?;
            }
            self.conn
                .prepare_cached("UPDATE body SET source = waiting, waiting = NULL WHERE record = ?1")?
                .execute([rec.id.0])?;
        }
        self.save(&rec)
    }
}

fn guard(cause: Cause, from: Option<RecordState>, to: RecordState, key: &str) -> Result<(), StoreError> {
    if allowed(cause, from, to) {
        return Ok(());
    }
    let from = from.map_or("nothing", RecordState::word);
    Err(StoreError::Bug(format!(
        "{cause:?} may not bring the record {key} from {from} to {}",
        to.word()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole product: (cause, states it starts from, states it leads to); everything else is forbidden.
    #[test]
    fn only_these_transitions() {
        use RecordState::{Dead, Done, Held, Pending, Sending, Skipped, Unknown};
        type Line<'a> = (Cause, &'a [Option<RecordState>], &'a [RecordState]);
        let table: [Line<'_>; 27] = [
            (Cause::Stage, &[None], &[Pending, Skipped, Dead]),
            (Cause::Stage, &[Some(Pending)], &[Pending, Done]),
            (Cause::Stage, &[Some(Done), Some(Dead), Some(Skipped)], &[Pending]),
            (Cause::Store, &[None], &[Done, Skipped, Dead]),
            (
                Cause::Store,
                &[Some(Pending), Some(Done), Some(Dead), Some(Skipped)],
                &[Done],
            ),
            (Cause::Claim, &[Some(Pending)], &[Sending, Held]),
            (
                Cause::Settle,
                &[Some(Sending)],
                &[Done, Dead, Pending, Unknown, Held],
            ),
            (
                Cause::Promote,
                &[Some(Done), Some(Dead), Some(Skipped)],
                &[Pending],
            ),
            (Cause::Recover, &[Some(Sending)], &[Unknown]),
            (
                Cause::Resolve,
                &[Some(Unknown)],
                &[Done, Pending, Unknown, Held, Dead],
            ),
            (Cause::Refuse, &[Some(Pending)], &[Dead, Held, Skipped, Pending]),
            (Cause::Suspect, &[Some(Pending)], &[Unknown]),
            (Cause::Suspect, &[Some(Unknown)], &[Unknown, Held]),
            (Cause::Decide, &[Some(Pending)], &[Skipped, Held]),
            (Cause::Decide, &[Some(Unknown)], &[Held, Done, Pending]),
            (Cause::Decide, &[Some(Held)], &[Pending, Unknown, Done, Skipped]),
            (Cause::Decide, &[Some(Dead)], &[Pending, Unknown, Done, Skipped]),
            (Cause::Pair, &[None], &[Done]),
            (Cause::Pair, &[Some(Done)], &[Done, Held, Pending]),
            (Cause::Pair, &[Some(Skipped)], &[Done, Held]),
            (Cause::Pair, &[Some(Pending)], &[Done, Held, Skipped]),
            (Cause::Pair, &[Some(Dead)], &[Done, Held, Skipped]),
            (Cause::Pair, &[Some(Held)], &[Skipped]),
            (Cause::Bundle, &[None], &[Pending]),
            (Cause::Bundle, &[Some(Pending), Some(Held)], &[Held, Skipped]),
            (Cause::Bundle, &[Some(Dead)], &[Held, Skipped]),
            (Cause::Bundle, &[Some(Done), Some(Skipped)], &[Held]),
        ];
        let starts = RecordState::ALL.into_iter().map(Some).chain([None]);
        for from in starts {
            for to in RecordState::ALL {
                for cause in Cause::ALL {
                    let listed = table
                        .iter()
                        .any(|(c, f, t)| *c == cause && f.contains(&from) && t.contains(&to));
                    assert_eq!(allowed(cause, from, to), listed, "{cause:?}: {from:?} -> {to:?}");
                    assert_eq!(guard(cause, from, to, "k").is_ok(), listed);
                }
            }
        }
    }

    /// Nothing of a record is left behind by the save that names only what has changed.
    #[test]
    fn a_change_of_every_field_is_written() {
        let ledger = crate::Ledger::in_memory().unwrap();
        let conn = ledger.lock();
        conn.execute_batch(
            "PRAGMA foreign_keys = OFF;
             INSERT INTO record (scheme, src_key, label, state, version, void, first_ms, seen_ms, changed_ms)
             VALUES ('s', 'k', 'l', 'pending', 'v', 0, 1, 1, 1);",
        )
        .unwrap();
        let (blobs, words) = (crate::Blobs::new(), crate::error::plain_words());
        let cx = Cx::new(&conn, &blobs, &words);
        let stored = cx.record(RecordId(1)).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let rec = Rec {
            label: "L".to_owned(),
            state: RecordState::Sending,
            filtered: true,
            version: "w".to_owned(),
            void: true,
            done_version: text("d"),
            done_ms: Some(2),
            waiting: Some(Waiting {
                version: "n".to_owned(),
                label: "N".to_owned(),
                void: true,
                after: true,
            }),
            action: Some(WriteAction::Update),
            attempt: Some(AttemptId(3)),
            attempts: 4,
            not_before: Some(5),
            waits_since: Some(6),
            tried: Some(7),
            waited: 8,
            resolve_after: Some(9),
            misses: 10,
            unknown_since: Some(11),
            maybe_sent: true,
            doubted: Some(12),
            step: text("s"),
            target: Some(TargetKey::of("t", "f", "[1]")),
            target_id: text("i"),
            target_number: text("z"),
            reason: Some(Reason::new("E1", "why")),
            seen: 13,
            changed: 14,
            suspect: Some(SuspectKind::Restored),
            as_stored: Some(AttemptId(15)),
            retargeted: true,
            apart: true,
            handed: Some(SuspectKind::Adopted),
            ..stored.clone()
        };
        cx.save_changed(&rec, &stored).unwrap();
        let written = cx.record(RecordId(1)).unwrap();
        assert_eq!(format!("{written:?}"), format!("{rec:?}"));
        cx.save_changed(&stored, &rec).unwrap();
        let back = cx.record(RecordId(1)).unwrap();
        assert_eq!(format!("{back:?}"), format!("{stored:?}"));
    }

    /// The second wall in debug builds: the database refuses what went past the guard.
    #[test]
    fn the_database_refuses_other_transitions() {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch("CREATE TABLE record (id INTEGER PRIMARY KEY, state TEXT)")
            .unwrap();
        conn.execute_batch(&transition_trigger()).unwrap();
        for (from, to, fits) in [
            ("pending", "sending", true),
            ("sending", "done", true),
            ("unknown", "pending", true),
            ("done", "pending", true),
            ("done", "done", true),
            ("done", "sending", false),
            ("pending", "unknown", true),
            ("dead", "held", true),
            ("dead", "sending", false),
            ("unknown", "sending", false),
            ("held", "sending", false),
            ("sending", "skipped", false),
        ] {
            conn.execute("INSERT OR REPLACE INTO record VALUES (1, ?1)", [from])
                .unwrap();
            let hit = conn.execute("UPDATE record SET state = ?1", [to]);
            assert_eq!(hit.is_ok(), fits, "{from} -> {to}: {hit:?}");
        }
    }
}
