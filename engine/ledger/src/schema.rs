//! The tables, as numbered migrations. A released migration is never edited; a change is a new one at the end.
//!
//! `record` holds what changes with the state of a record and stays small, `body` its rows, `attempt_row` what was
//! sent: a claim touches few pages, and a scan over records does not read their rows.

use rusqlite::{Connection, TransactionBehavior};

use crate::error::StoreError;

/// Marks the file as ours (`eLGR`).
pub(crate) const APPLICATION_ID: i32 = 0x654c_4752;

/// The first version that knows generations and suspects.
pub(crate) const MARKED_SINCE: i64 = 3;

/// One migration per version, from 1.
pub(crate) const MIGRATIONS: &[&str] = &[
    V1, V2, V3, V4, V5, V6, V7, SCHEDULE, PUSHES, ACCESS, NOTICES, OPERATING, MAPPING, TRACES, SERVED,
    TWO_WAY, GATHERED, FURTHER, HANDED, TAKEN,
];

const V1: &str = "
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE connection_origin (
    connection TEXT PRIMARY KEY,
    origin     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE scheme (
    id         TEXT PRIMARY KEY,
    revision   TEXT NOT NULL,
    enabled_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Counts are fixed when the run ends; NULL before.
CREATE TABLE run (
    id         INTEGER PRIMARY KEY,
    scheme     TEXT NOT NULL REFERENCES scheme(id),
    revision   TEXT NOT NULL,
    cause      TEXT NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms   INTEGER,
    status     TEXT NOT NULL CHECK (status IN ('running', 'ok', 'partial', 'failed', 'canceled')),
    err_code   TEXT,
    err_text   TEXT,
    fetched    INTEGER,
    done       INTEGER,
    dead       INTEGER,
    held       INTEGER,
    skipped    INTEGER,
    pending    INTEGER,
    sending    INTEGER,
    unknown    INTEGER,
    unchanged  INTEGER,
    superseded INTEGER,
    filtered   INTEGER
) STRICT;
CREATE INDEX run_scheme ON run (scheme, id);

-- The truth about what has been read for good: half open, sorted, never touching. Gaps are visible.
CREATE TABLE closed_interval (
    scheme  TEXT NOT NULL,
    cursor  TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL CHECK (to_ms > from_ms),
    PRIMARY KEY (scheme, cursor, from_ms)
) STRICT, WITHOUT ROWID;

CREATE TABLE window_run (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL REFERENCES run(id),
    scheme      TEXT NOT NULL,
    from_ms     INTEGER NOT NULL,
    to_ms       INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('open', 'closed', 'failed', 'unstable', 'left')),
    page        INTEGER NOT NULL DEFAULT 0,
    seen        INTEGER NOT NULL DEFAULT 0,
    total       INTEGER,
    fingerprint INTEGER,
    closed_from INTEGER,
    closed_to   INTEGER,
    ended_ms    INTEGER,
    err_code    TEXT,
    err_text    TEXT
) STRICT;
CREATE INDEX window_run_run ON window_run (run);
CREATE INDEX window_run_open ON window_run (scheme) WHERE state = 'open';

-- `target` is the name of the connection; `tkey` is frozen by the first claim. `filtered` tells a row that `keep`
-- refused from one skipped later. `seen_ms` is when the newest stored row came, `changed_ms` the last change of state.
CREATE TABLE record (
    id               INTEGER PRIMARY KEY,
    scheme           TEXT NOT NULL,
    src_key          TEXT NOT NULL,
    label            TEXT NOT NULL,
    state            TEXT NOT NULL
                     CHECK (state IN ('pending', 'sending', 'unknown', 'done', 'dead', 'held', 'skipped')),
    filtered         INTEGER NOT NULL DEFAULT 0,
    version          TEXT NOT NULL,
    void             INTEGER NOT NULL,
    done_version     TEXT,
    done_ms          INTEGER,
    waiting_version  TEXT,
    waiting_label    TEXT,
    waiting_void     INTEGER,
    action           TEXT,
    attempt          INTEGER,
    attempts         INTEGER NOT NULL DEFAULT 0,
    not_before_ms    INTEGER,
    resolve_after_ms INTEGER,
    resolve_misses   INTEGER NOT NULL DEFAULT 0,
    unknown_since_ms INTEGER,
    maybe_sent       INTEGER NOT NULL DEFAULT 0,
    target           TEXT,
    form             TEXT,
    tkey             TEXT,
    target_id        TEXT,
    target_number    TEXT,
    err_code         TEXT,
    err_text         TEXT,
    first_ms         INTEGER NOT NULL,
    seen_ms          INTEGER NOT NULL,
    changed_ms       INTEGER NOT NULL,
    UNIQUE (scheme, src_key),
    CHECK (state <> 'sending' OR (attempt IS NOT NULL AND resolve_after_ms IS NOT NULL)),
    CHECK (state <> 'unknown' OR resolve_after_ms IS NOT NULL),
    CHECK (state NOT IN ('dead', 'held', 'skipped') OR err_code IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX record_tkey ON record (target, form, tkey) WHERE tkey IS NOT NULL;
CREATE INDEX record_pending ON record (scheme, id, not_before_ms) WHERE state = 'pending';
CREATE INDEX record_later ON record (scheme, not_before_ms) WHERE state = 'pending' AND not_before_ms IS NOT NULL;
CREATE INDEX record_sending ON record (scheme) WHERE state = 'sending';
CREATE INDEX record_unknown ON record (scheme, resolve_after_ms) WHERE state = 'unknown';
CREATE INDEX record_dead ON record (scheme) WHERE state = 'dead';
CREATE INDEX record_held ON record (scheme) WHERE state = 'held';

-- How many records of a scheme are in each state; kept by the one function that changes a state.
CREATE TABLE scheme_state (
    scheme TEXT NOT NULL,
    state  TEXT NOT NULL,
    n      INTEGER NOT NULL CHECK (n >= 0),
    PRIMARY KEY (scheme, state)
) STRICT, WITHOUT ROWID;

-- The row of the current version, and of the newer one that waits while the current one is out.
CREATE TABLE body (
    record  INTEGER PRIMARY KEY REFERENCES record(id),
    source  ANY NOT NULL,
    waiting ANY
) STRICT;

CREATE TABLE sighting (
    run     INTEGER NOT NULL REFERENCES run(id),
    record  INTEGER NOT NULL REFERENCES record(id),
    seq     INTEGER NOT NULL,
    window  INTEGER NOT NULL,
    page    INTEGER NOT NULL,
    version TEXT NOT NULL,
    outcome TEXT NOT NULL
            CHECK (outcome IN ('new', 'changed', 'unchanged', 'superseded', 'filtered', 'invalid')),
    seen_ms INTEGER NOT NULL,
    PRIMARY KEY (run, record, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX sighting_record ON sighting (record, run);

CREATE TABLE indexed_field (
    id       INTEGER PRIMARY KEY,
    scheme   TEXT NOT NULL,
    field    TEXT NOT NULL,
    upto     INTEGER NOT NULL,
    complete INTEGER NOT NULL,
    UNIQUE (scheme, field)
) STRICT;

CREATE TABLE lookup_index (
    field  INTEGER NOT NULL REFERENCES indexed_field(id),
    value  TEXT NOT NULL,
    record INTEGER NOT NULL REFERENCES record(id),
    PRIMARY KEY (field, value, record)
) STRICT, WITHOUT ROWID;
CREATE INDEX lookup_index_record ON lookup_index (record);

CREATE TABLE attempt (
    id          INTEGER PRIMARY KEY,
    run         INTEGER NOT NULL REFERENCES run(id),
    target      TEXT NOT NULL,
    n_rows      INTEGER NOT NULL,
    sent_ms     INTEGER NOT NULL,
    ended_ms    INTEGER,
    outcome     TEXT,
    http_status INTEGER,
    excerpt     TEXT
) STRICT;

CREATE TABLE attempt_row (
    id              INTEGER PRIMARY KEY,
    attempt         INTEGER NOT NULL REFERENCES attempt(id),
    record          INTEGER NOT NULL REFERENCES record(id),
    version         TEXT NOT NULL,
    action          TEXT NOT NULL,
    form            TEXT NOT NULL,
    tkey            TEXT NOT NULL,
    payload         ANY,
    settlement      TEXT,
    code            TEXT,
    text            TEXT,
    resolution      TEXT,
    resolved_ms     INTEGER,
    resolution_code TEXT,
    resolution_text TEXT,
    UNIQUE (attempt, record)
) STRICT;
CREATE INDEX attempt_row_record ON attempt_row (record);

-- Which source record became which document.
CREATE TABLE data_mapping (
    scheme        TEXT NOT NULL,
    src_key       TEXT NOT NULL,
    target        TEXT NOT NULL,
    form          TEXT NOT NULL,
    record        INTEGER NOT NULL REFERENCES record(id),
    label         TEXT NOT NULL,
    tkey          TEXT,
    target_id     TEXT,
    target_number TEXT,
    changed_ms    INTEGER NOT NULL,
    PRIMARY KEY (scheme, src_key, target, form)
) STRICT, WITHOUT ROWID;
CREATE INDEX data_mapping_target ON data_mapping (target, form, target_id);
";

/// Records that wait for what a look-up has not found, and the lines of documents.
const V2: &str = "
-- Since when it waits for a row of another scheme; NULL = it does not.
ALTER TABLE record ADD COLUMN waits_since_ms INTEGER;
UPDATE record SET waits_since_ms = changed_ms WHERE state = 'pending' AND err_code = 'E4018';
CREATE INDEX record_waits ON record (scheme) WHERE waits_since_ms IS NOT NULL;

-- The ids that the target gave to the lines of a record's document, as the engine wrote them; kept as long as the id of
-- the document.
CREATE TABLE document_lines (
    record INTEGER PRIMARY KEY REFERENCES record(id),
    lines  ANY NOT NULL
) STRICT;
";

/// Decisions of people, and records of which somebody else may know more than this ledger.
const V3: &str = "
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at_ms  INTEGER NOT NULL,
    who    TEXT NOT NULL,
    action TEXT NOT NULL,
    scheme TEXT,
    record INTEGER REFERENCES record(id),
    what   TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (trim(reason) <> '')
) STRICT;
CREATE INDEX audit_record ON audit (record) WHERE record IS NOT NULL;

-- Why a document may be at the target that this ledger knows nothing of; NULL = it would know.
ALTER TABLE record ADD COLUMN suspect TEXT CHECK (suspect IN ('restored', 'adopted'));
-- When its rows were given up to save space; NULL = they are kept.
ALTER TABLE record ADD COLUMN pruned_ms INTEGER;
-- Rows that the source had before this instant may have been written by somebody else; NULL = none.
ALTER TABLE scheme ADD COLUMN suspect TEXT CHECK (suspect IN ('restored', 'adopted'));
ALTER TABLE scheme ADD COLUMN suspect_until_ms INTEGER;
-- When the target may first be asked about them: a process that is gone may have sent just before it went.
ALTER TABLE scheme ADD COLUMN suspect_ask_ms INTEGER;
-- The generation of the ledger for which this was settled.
ALTER TABLE scheme ADD COLUMN suspect_generation INTEGER;
";

/// Further calls for a document, targets that cannot be reached, how long a wait was really tried.
const V4: &str = "
-- The further call that is next; NULL = the document itself.
ALTER TABLE record ADD COLUMN step TEXT;
-- When the current version was first sent without a known end; NULL = no send of it is in doubt.
ALTER TABLE record ADD COLUMN doubted_ms INTEGER;
UPDATE record SET doubted_ms = coalesce(unknown_since_ms, changed_ms)
 WHERE maybe_sent <> 0 OR state IN ('sending', 'unknown');
-- The last try of a waiting record, and how long it has waited while it was tried.
ALTER TABLE record ADD COLUMN tried_ms INTEGER;
ALTER TABLE record ADD COLUMN waited_ms INTEGER NOT NULL DEFAULT 0;
UPDATE record SET tried_ms = waits_since_ms WHERE waits_since_ms IS NOT NULL;

ALTER TABLE attempt_row ADD COLUMN step TEXT;

-- What the further calls of a document came to.
CREATE TABLE record_step (
    record        INTEGER NOT NULL REFERENCES record(id),
    step          TEXT NOT NULL,
    version       TEXT NOT NULL,
    target_id     TEXT,
    target_number TEXT,
    done_ms       INTEGER NOT NULL,
    PRIMARY KEY (record, step)
) STRICT, WITHOUT ROWID;

-- A target that could not be reached, or asked for a pause.
CREATE TABLE circuit (
    target   TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Further passes over a source, and what they must not forget.
const V5: &str = "
-- Which list of closed intervals a window adds to.
ALTER TABLE window_run ADD COLUMN cursor TEXT NOT NULL DEFAULT 'live';
CREATE INDEX window_run_time ON window_run (scheme, to_ms);

-- Value of the field by which the scheme tells newer rows from older ones; NULL = it names none.
ALTER TABLE record ADD COLUMN newest INTEGER;

-- Closed windows that had no rows where such windows have many: read again until they have some, or too often.
CREATE TABLE kept_window (
    scheme  TEXT NOT NULL,
    from_ms INTEGER NOT NULL,
    to_ms   INTEGER NOT NULL,
    usual   INTEGER NOT NULL,
    tries   INTEGER NOT NULL DEFAULT 0,
    due_ms  INTEGER NOT NULL,
    PRIMARY KEY (scheme, from_ms, to_ms)
) STRICT, WITHOUT ROWID;
";

/// What people decided: documents sent as they were stored, and every question to the target with its answer.
const V6: &str = "
-- The attempt whose document is sent instead of a new one; NULL = the scheme makes it.
ALTER TABLE record ADD COLUMN as_stored INTEGER;

-- What the target said when it was asked about a record; only the last answer stands beside the attempt.
CREATE TABLE question (
    id      INTEGER PRIMARY KEY,
    record  INTEGER NOT NULL REFERENCES record(id),
    attempt INTEGER,
    at_ms   INTEGER NOT NULL,
    answer  TEXT NOT NULL,
    code    TEXT,
    text    TEXT
) STRICT;
CREATE INDEX question_record ON question (record);
";

/// Calls that a target took on as tasks, and how far sources were read by the versions of their rows.
const V7: &str = "
-- The task that the target took the call on as; NULL = it answered at once.
ALTER TABLE attempt ADD COLUMN task TEXT;
-- Which operation with which options took it on: a hash, to see that the scheme would still make that call.
ALTER TABLE attempt ADD COLUMN task_group INTEGER;
-- Until when it is asked about; NULL = its end is known.
ALTER TABLE attempt ADD COLUMN task_until_ms INTEGER;

-- The greatest version that was seen by an instant, oldest first. A version is a whole number of any length.
CREATE TABLE version_mark (
    scheme  TEXT NOT NULL,
    source  TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    at_ms   INTEGER NOT NULL,
    version TEXT NOT NULL,
    PRIMARY KEY (scheme, source, seq)
) STRICT, WITHOUT ROWID;
";

/// When a service starts which scheme.
const SCHEDULE: &str = "
-- What must be known after a restart; `rule` is the schedule by which `next_ms` was reckoned.
CREATE TABLE due (
    scheme      TEXT NOT NULL,
    half        TEXT NOT NULL CHECK (half IN ('all', 'source', 'target')),
    rule        TEXT NOT NULL,
    next_ms     INTEGER,
    started_ms  INTEGER,
    ended_ms    INTEGER,
    starts      INTEGER NOT NULL,
    overlaps    INTEGER NOT NULL,
    skipped     INTEGER NOT NULL,
    late        INTEGER NOT NULL,
    lateness_ms INTEGER NOT NULL,
    worst_ms    INTEGER NOT NULL,
    rearmed     INTEGER NOT NULL,
    PRIMARY KEY (scheme, half)
) STRICT, WITHOUT ROWID;

-- What people, or the engine for them, decided about a scheme: its pause, and that a first run may create many documents.
CREATE TABLE scheme_control (
    scheme       TEXT PRIMARY KEY,
    paused_ms    INTEGER,
    paused_by    TEXT,
    code         TEXT,
    reason       TEXT,
    confirmed_ms INTEGER,
    confirmed_by TEXT,
    CHECK (paused_ms IS NULL OR (paused_by IS NOT NULL AND code IS NOT NULL AND reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
";

/// What other systems send by themselves, and what of a scheme's rows others may read.
const PUSHES: &str = "
-- A push, from its answer on. Its content is given up once its rows are records; the rest stays as long as the same
-- push is known again.
CREATE TABLE push (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    scheme      TEXT NOT NULL,
    sender      TEXT NOT NULL,
    hash        BLOB NOT NULL,
    void        INTEGER NOT NULL,
    n_rows      INTEGER NOT NULL,
    bytes       INTEGER NOT NULL,
    arrived_ms  INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('waiting', 'staged')),
    content     ANY,
    run         INTEGER,
    staged_ms   INTEGER,
    repeats     INTEGER NOT NULL DEFAULT 0,
    -- It says what an earlier push about the same thing said, with another one in between.
    back        INTEGER NOT NULL DEFAULT 0,
    repeated_ms INTEGER,
    CHECK (state <> 'waiting' OR content IS NOT NULL)
) STRICT;
CREATE INDEX push_same ON push (scheme, sender, hash);
CREATE INDEX push_about ON push (scheme, sender, id) WHERE sender <> '';
CREATE INDEX push_waiting ON push (scheme, id) WHERE state = 'waiting';
CREATE INDEX push_staged ON push (arrived_ms) WHERE state = 'staged';

-- What waits, kept with every push that comes and goes.
CREATE TABLE inbox (
    scheme TEXT PRIMARY KEY,
    pushes INTEGER NOT NULL CHECK (pushes >= 0),
    n_rows INTEGER NOT NULL CHECK (n_rows >= 0),
    bytes  INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT, WITHOUT ROWID;

-- The part of a scheme's address that nobody can guess.
CREATE TABLE door (
    scheme  TEXT PRIMARY KEY,
    door    TEXT NOT NULL UNIQUE,
    made_ms INTEGER NOT NULL,
    -- What the scheme took when it could last be read, as JSON; NULL = it never could.
    takes   TEXT
) STRICT, WITHOUT ROWID;

-- Pushes that were not believed or not understood, by day; scheme '' = at no door.
CREATE TABLE push_refused (
    scheme TEXT NOT NULL,
    day_ms INTEGER NOT NULL,
    why    TEXT NOT NULL,
    n      INTEGER NOT NULL,
    PRIMARY KEY (scheme, day_ms, why)
) STRICT, WITHOUT ROWID;

-- Schemes whose rows others read, and the order of the last change of each row.
CREATE TABLE publication (
    scheme TEXT PRIMARY KEY,
    upto   INTEGER NOT NULL,
    since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE change (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    scheme TEXT NOT NULL,
    record INTEGER NOT NULL UNIQUE REFERENCES record(id)
) STRICT;
CREATE INDEX change_scheme ON change (scheme, seq);

-- Who read how much of it, by day.
CREATE TABLE usage (
    token  TEXT NOT NULL,
    scheme TEXT NOT NULL,
    day_ms INTEGER NOT NULL,
    calls  INTEGER NOT NULL,
    n_rows INTEGER NOT NULL,
    refused INTEGER NOT NULL,
    PRIMARY KEY (token, scheme, day_ms)
) STRICT, WITHOUT ROWID;
";

/// Who may use the server, and answers that a repeated request gets again.
const ACCESS: &str = "
-- Only the SHA-256 of a token is kept: 256 random bits cannot be guessed from it.
CREATE TABLE token (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    scopes     TEXT NOT NULL,
    -- Ids of the schemes it is limited to, one a line; NULL = all.
    schemes    TEXT,
    made_by    TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER,
    used_ms    INTEGER,
    revoked_ms INTEGER
) STRICT;

CREATE TABLE user (
    name       TEXT PRIMARY KEY,
    password   TEXT NOT NULL,
    scopes     TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    login_ms   INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_answer (
    who     TEXT NOT NULL,
    key     TEXT NOT NULL,
    request BLOB NOT NULL,
    status  INTEGER NOT NULL,
    body    BLOB,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (who, key)
) STRICT;
CREATE INDEX kept_answer_at ON kept_answer (at_ms);
";

/// What the other system calls a call that was made to it.
const TRACES: &str = "
ALTER TABLE attempt ADD COLUMN vendor_trace TEXT;
";

/// What people ask of a service beside its schedules.
const OPERATING: &str = "
-- A past stretch that is read once more by a service. What of it was read stands under its own cursor.
CREATE TABLE replay (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    scheme       TEXT NOT NULL,
    from_ms      INTEGER NOT NULL,
    to_ms        INTEGER NOT NULL CHECK (to_ms > from_ms),
    step_ms      INTEGER NOT NULL,
    only_missing INTEGER NOT NULL,
    windows      INTEGER NOT NULL,
    who          TEXT NOT NULL,
    reason       TEXT NOT NULL CHECK (trim(reason) <> ''),
    asked_ms     INTEGER NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'stopped', 'done', 'done_with_errors')),
    started_ms   INTEGER,
    ended_ms     INTEGER,
    n_rows       INTEGER NOT NULL,
    written      INTEGER NOT NULL,
    err_code     TEXT,
    err_text     TEXT
) STRICT;
-- One of a scheme goes on at a time.
CREATE UNIQUE INDEX replay_open ON replay (scheme) WHERE state IN ('queued', 'running');

-- Targets that nobody is to write to.
CREATE TABLE target_control (
    connection TEXT PRIMARY KEY,
    paused_ms  INTEGER NOT NULL,
    paused_by  TEXT NOT NULL,
    reason     TEXT NOT NULL CHECK (trim(reason) <> '')
) STRICT, WITHOUT ROWID;
";

/// What was told to people, and the texts of schemes that were in force.
const NOTICES: &str = "
-- One message to one channel: the outbox, and the history with what the platform answered.
CREATE TABLE notice (
    id      INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    channel TEXT NOT NULL,
    rule    TEXT NOT NULL,
    subject TEXT NOT NULL,
    cause   TEXT NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('problem', 'digest', 'escalated', 'recovered', 'test')),
    title   TEXT NOT NULL,
    body    TEXT NOT NULL,
    state   TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
    tries   INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL,
    done_ms INTEGER,
    answer  TEXT
) STRICT;
CREATE INDEX notice_waiting ON notice (next_ms, id) WHERE state = 'waiting';

-- What is wrong and has been told: what keeps a restart from telling it again, and what a recovery closes.
CREATE TABLE notice_cause (
    rule         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    cause        TEXT NOT NULL,
    since_ms     INTEGER NOT NULL,
    told_ms      INTEGER NOT NULL,
    seen         INTEGER NOT NULL,
    untold       INTEGER NOT NULL,
    digests      INTEGER NOT NULL,
    escalated    INTEGER NOT NULL,
    recovered_ms INTEGER,
    PRIMARY KEY (rule, subject, cause)
) STRICT, WITHOUT ROWID;

-- Schemes whose documents are kept for another time than everybody's.
CREATE TABLE retention (
    scheme  TEXT PRIMARY KEY,
    keep_ms INTEGER NOT NULL CHECK (keep_ms > 0)
) STRICT, WITHOUT ROWID;

-- A text of a scheme that was in force: `hash` is what its runs carry as `revision`.
CREATE TABLE revision (
    scheme  TEXT NOT NULL,
    seq     INTEGER NOT NULL,
    hash    TEXT NOT NULL,
    at_ms   INTEGER NOT NULL,
    who     TEXT NOT NULL,
    message TEXT NOT NULL,
    text    TEXT NOT NULL,
    PRIMARY KEY (scheme, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX revision_hash ON revision (scheme, hash);
";

/// Mappings that people may set: of documents, and of the values of fields.
const MAPPING: &str = "
-- Which source record became which document, and who said so. Without a record: no row with this key has come yet.
CREATE TABLE data_mapping_new (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    scheme        TEXT NOT NULL,
    src_key       TEXT NOT NULL,
    target        TEXT NOT NULL,
    form          TEXT NOT NULL,
    record        INTEGER REFERENCES record(id),
    label         TEXT NOT NULL,
    tkey          TEXT,
    target_id     TEXT,
    target_number TEXT,
    target_label  TEXT,
    master        TEXT,
    remark        TEXT,
    made_by       TEXT NOT NULL CHECK (made_by IN ('engine', 'api', 'cli', 'import')),
    created_ms    INTEGER NOT NULL,
    changed_ms    INTEGER NOT NULL,
    UNIQUE (scheme, src_key, target, form)
) STRICT;
INSERT INTO data_mapping_new (scheme, src_key, target, form, record, label, tkey, target_id, target_number, made_by,
                              created_ms, changed_ms)
    SELECT scheme, src_key, target, form, record, label, tkey, target_id, target_number, 'engine', changed_ms, changed_ms
    FROM data_mapping ORDER BY scheme, src_key, target, form;
DROP TABLE data_mapping;
ALTER TABLE data_mapping_new RENAME TO data_mapping;
CREATE INDEX data_mapping_target ON data_mapping (target, form, target_id);
CREATE INDEX data_mapping_document ON data_mapping (scheme, target_id);
CREATE INDEX data_mapping_ahead ON data_mapping (scheme, id) WHERE record IS NULL;

-- Each change of the id at the destination, and where it ended.
CREATE TABLE mapping_change (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    mapping   INTEGER NOT NULL,
    scheme    TEXT NOT NULL,
    src_key   TEXT NOT NULL,
    at_ms     INTEGER NOT NULL,
    by        TEXT NOT NULL CHECK (by IN ('engine', 'api', 'cli', 'import')),
    who       TEXT NOT NULL,
    before    TEXT,
    after     TEXT
) STRICT;
CREATE INDEX mapping_change_key ON mapping_change (scheme, src_key, id);
CREATE INDEX mapping_change_mapping ON mapping_change (mapping, id);

-- A person named its document since it was picked: what was made of it then is not sent.
ALTER TABLE record ADD COLUMN retargeted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX record_retargeted ON record (scheme) WHERE retargeted <> 0;

-- What the values of fields are called on the other side.
CREATE TABLE field_mapping (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    data_center TEXT NOT NULL,
    channel     TEXT NOT NULL,
    data_type   TEXT NOT NULL,
    fs_id       TEXT NOT NULL,
    erp_id      TEXT NOT NULL,
    fs_name     TEXT NOT NULL,
    erp_name    TEXT NOT NULL,
    made_by     TEXT NOT NULL CHECK (made_by IN ('engine', 'api', 'cli', 'import')),
    created_ms  INTEGER NOT NULL,
    changed_ms  INTEGER NOT NULL,
    UNIQUE (data_type, channel, data_center, fs_id),
    UNIQUE (data_type, channel, data_center, erp_id)
) STRICT;
";

/// Schemes whose rows another system asks for by time, as if we were its ERP.
const SERVED: &str = "
-- `floor_ms`: the greatest end of a stretch of time that was answered. What becomes visible later is stamped behind it,
-- so that a stretch that was answered once never has more in it. It is kept when a scheme is not served any more.
-- `ahead_ms`: such an end that a clock far ahead let pass. `asked_*`: where the stretches begin that were asked for in a
-- part of time, and in the one before. `pruned_*`: the last entry at which old ones were given up.
CREATE TABLE served (
    scheme       TEXT PRIMARY KEY,
    active       INTEGER NOT NULL,
    upto         INTEGER NOT NULL,
    floor_ms     INTEGER NOT NULL,
    ahead_ms     INTEGER NOT NULL DEFAULT 0,
    asked_part   INTEGER NOT NULL DEFAULT 0,
    asked_from   INTEGER NOT NULL DEFAULT 9223372036854775807,
    asked_before INTEGER NOT NULL DEFAULT 9223372036854775807,
    pruned_ms    INTEGER NOT NULL DEFAULT 0,
    pruned_seq   INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- When which record became visible, or changed. Entries are added and, when they are old and newer ones of their record
-- are there, given up. `told`: it stands in the future, where a clock that was ahead put it, and another entry says the
-- same now.
CREATE TABLE feed (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    scheme   TEXT NOT NULL,
    stamp_ms INTEGER NOT NULL,
    record   INTEGER NOT NULL REFERENCES record(id),
    told     INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX feed_window ON feed (scheme, stamp_ms, seq);
CREATE INDEX feed_record ON feed (record, stamp_ms);
";

/// Schemes that carry the same documents in opposite directions.
const TWO_WAY: &str = "
-- `named_by`: how a row names the document that the partner wrote. `filled`: fields, one a line. `target`, `form`: the
-- connection to which the scheme writes, and the kind of document where that is always the same.
CREATE TABLE two_way (
    scheme    TEXT PRIMARY KEY,
    partner   TEXT NOT NULL,
    named_by  TEXT NOT NULL CHECK (named_by IN ('id', 'key')),
    id_is_key INTEGER NOT NULL,
    conflict  TEXT NOT NULL CHECK (conflict IN ('hold', 'source_wins', 'target_wins', 'newest_wins')),
    filled    TEXT NOT NULL,
    target    TEXT NOT NULL,
    form      TEXT
) STRICT, WITHOUT ROWID;

-- A record of such a scheme. `own_id`: by which the partner writes the document of its row. `name`: the key that its
-- document has as a row of the partner. `document`: its id. `not_made`: somebody said that its lost sends made nothing,
-- and none was lost since. `wrote`: what its writes left in the document that the partner has not taken over
-- since, a line a field (hash, field). `intent`: what the last claim sends, until its end is known. `won`: the other side lost a
-- conflict against it, so that it is written even where nothing of it is news any more.
CREATE TABLE pair_record (
    record   INTEGER PRIMARY KEY REFERENCES record(id),
    scheme   TEXT NOT NULL,
    own_id   TEXT,
    name     TEXT,
    document TEXT,
    wrote    TEXT,
    attempt  INTEGER,
    intent   TEXT,
    won      INTEGER NOT NULL DEFAULT 0,
    not_made INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX pair_record_name ON pair_record (scheme, name) WHERE name IS NOT NULL;
CREATE INDEX pair_record_document ON pair_record (scheme, document) WHERE document IS NOT NULL;
-- What may have made a document under an id that nobody knows.
CREATE INDEX record_unnamed ON record (scheme) WHERE target_id IS NULL AND (maybe_sent <> 0 OR suspect IS NOT NULL);

-- The fields of the rows of a record, of the versions that count: hashes, a line a field.
CREATE TABLE row_facets (
    record  INTEGER NOT NULL REFERENCES record(id),
    version TEXT NOT NULL,
    facets  TEXT NOT NULL,
    PRIMARY KEY (record, version)
) STRICT, WITHOUT ROWID;

-- What rows of the partner said in the place of what a record wrote (hashes), and how often in a row the same for the
-- same.
CREATE TABLE pair_said (
    record INTEGER NOT NULL REFERENCES record(id),
    field  TEXT NOT NULL,
    wrote  INTEGER NOT NULL,
    said   INTEGER NOT NULL,
    times  INTEGER NOT NULL,
    PRIMARY KEY (record, field)
) STRICT, WITHOUT ROWID;

-- What was decided about it, and the row that lost.
CREATE TABLE two_way_note (
    id              INTEGER PRIMARY KEY,
    record          INTEGER NOT NULL REFERENCES record(id),
    at_ms           INTEGER NOT NULL,
    what            TEXT NOT NULL CHECK (what IN ('echo', 'lost', 'won', 'held')),
    version         TEXT NOT NULL,
    partner         INTEGER NOT NULL REFERENCES record(id),
    partner_version TEXT NOT NULL,
    attempt         INTEGER,
    fields          TEXT NOT NULL,
    source          ANY
) STRICT;
CREATE INDEX two_way_note_record ON two_way_note (record);
CREATE INDEX two_way_note_lost ON two_way_note (at_ms) WHERE source IS NOT NULL;
";

/// Several rows that become one document.
const GATHERED: &str = "
-- The schemes that make documents of several rows.
CREATE TABLE gathering (
    scheme TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- `bundle`: the record of the document that the row is in; a document names itself. `apart`: the row has a fate of its
-- own, because it changed since.
ALTER TABLE record ADD COLUMN bundle INTEGER REFERENCES record(id);
ALTER TABLE record ADD COLUMN apart INTEGER NOT NULL DEFAULT 0;
CREATE INDEX record_bundle ON record (bundle) WHERE bundle IS NOT NULL;

-- Such a document. `part` counts within its group, for ever; `doubted`: made while a life was forgotten that may have
-- given its number.
CREATE TABLE bundle (
    record    INTEGER PRIMARY KEY REFERENCES record(id),
    scheme    TEXT NOT NULL,
    group_key TEXT NOT NULL,
    part      INTEGER NOT NULL,
    number    TEXT NOT NULL,
    made_ms   INTEGER NOT NULL,
    doubted   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX bundle_part ON bundle (scheme, group_key, part);
";

/// Documents of steps, and what is kept beside a record once its document is written.
const FURTHER: &str = "
-- The document that a step of a record writes: its key is frozen before the first send, and no other has it. `tkey` NULL =
-- it has no key. `asked`: the target was asked about it since somebody else may have written it. `said`: a person said that
-- it is there, and the record has not gone on yet.
CREATE TABLE step_document (
    record INTEGER NOT NULL REFERENCES record(id),
    step   TEXT NOT NULL,
    target TEXT NOT NULL,
    form   TEXT NOT NULL,
    tkey   TEXT,
    asked  INTEGER NOT NULL DEFAULT 0,
    said   INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (record, step)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX step_document_key ON step_document (target, form, tkey) WHERE tkey IS NOT NULL;
-- Records of which somebody else may have made steps that this ledger knows nothing of.
CREATE TABLE step_doubt (
    record INTEGER PRIMARY KEY REFERENCES record(id)
) STRICT;
-- The columns that a scheme keeps beside a record after a write, as JSON.
CREATE TABLE saved (
    record INTEGER PRIMARY KEY REFERENCES record(id),
    body   ANY NOT NULL
) STRICT;
";

/// What waits behind the steps of a document that is not changed, and rows that somebody else may have given.
const HANDED: &str = "
-- `waiting_after`: the scheme does not change documents, so the version that waits does not end the further calls of the
-- one that is written.
ALTER TABLE record ADD COLUMN waiting_after INTEGER NOT NULL DEFAULT 0;
-- `handed`: somebody else may have given its row to another scheme: a life that is forgotten, or another tool.
ALTER TABLE record ADD COLUMN handed TEXT;
UPDATE record SET handed = (SELECT s.suspect FROM scheme s WHERE s.id = record.scheme)
    WHERE (state <> 'done' AND (suspect IS NOT NULL OR done_version IS NULL) OR state = 'done' AND attempt IS NULL)
      AND id IN (SELECT record FROM step_doubt);
-- `doubt`: it was given although that one may have given it before.
ALTER TABLE push ADD COLUMN doubt TEXT;
";

/// The stored rows of a scheme as the source of another one.
const TAKEN: &str = "
-- How far a scheme has taken the stored rows of another: a place in the order of their changes. `active`: it takes them
-- now, so that the order is kept.
CREATE TABLE taking (
    scheme TEXT NOT NULL,
    giver  TEXT NOT NULL,
    place  INTEGER NOT NULL,
    active INTEGER NOT NULL,
    PRIMARY KEY (scheme, giver)
) STRICT, WITHOUT ROWID;
CREATE INDEX taking_giver ON taking (giver);
-- `doubt`: who has not come beyond the place `doubted` takes a row that somebody else may have taken before.
ALTER TABLE change ADD COLUMN doubt TEXT;
ALTER TABLE change ADD COLUMN doubted INTEGER;
-- The row of another scheme that a record is made of.
CREATE TABLE origin (
    record    INTEGER PRIMARY KEY REFERENCES record(id),
    giver     TEXT NOT NULL,
    giver_key TEXT NOT NULL
) STRICT;
CREATE INDEX origin_giver ON origin (giver, giver_key);
";

/// The version of a file.
pub(crate) fn version(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

/// The version this engine writes.
pub(crate) fn known(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).expect("a handful of migrations")
}

/// Brings the file to the newest version in one transaction; `before` is called first when a file with content is
/// changed (to keep a copy). Gives the version it had.
pub(crate) fn migrate(
    conn: &mut Connection,
    migrations: &[&str],
    before: impl FnOnce(&Connection, i64) -> Result<(), StoreError>,
) -> Result<i64, StoreError> {
    let found = version(conn)?;
    let known = known(migrations);
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    if found == known {
        return Ok(found);
    }
    if found > 0 {
        before(conn, found)?;
    }
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = usize::try_from(found).map_err(|_| StoreError::Bug(format!("user_version {found}")))?;
    for migration in &migrations[done..] {
        tx.execute_batch(migration)?;
    }
    tx.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {known};"
    ))?;
    tx.commit()?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_all_or_nothing() {
        let mut conn = Connection::open_in_memory().unwrap();
        let nothing_kept = |_: &Connection, _: i64| Ok(());
        assert_eq!(
            migrate(&mut conn, &["CREATE TABLE a (x)"], nothing_kept).unwrap(),
            0
        );
        let broken = ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE b (x)"];
        migrate(&mut conn, &broken, nothing_kept).unwrap_err();
        assert_eq!(version(&conn).unwrap(), 1);
        assert!(
            conn.prepare("SELECT * FROM b").is_err(),
            "the first step of a failed migration must not stay"
        );

        let mut kept = None;
        let good = ["CREATE TABLE a (x)", "CREATE TABLE b (x)"];
        let from = migrate(&mut conn, &good, |_, version| {
            kept = Some(version);
            Ok(())
        });
        assert_eq!((from.unwrap(), kept), (1, Some(1)));
        assert_eq!(
            migrate(&mut conn, &["CREATE TABLE a (x)"], nothing_kept).unwrap_err(),
            StoreError::Newer { found: 2, known: 1 }
        );
    }

    /// Everything in a file, table by table.
    fn dump(conn: &Connection) -> Vec<String> {
        let mut lines = Vec::new();
        let mut tables = conn
            .prepare("SELECT name, coalesce(sql, '') FROM sqlite_master ORDER BY name")
            .unwrap();
        let tables: Vec<(String, String)> = tables
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        for (name, sql) in tables {
            let is_table = sql.starts_with("CREATE TABLE");
            lines.push(sql);
            if !is_table {
                continue;
            }
            let mut statement = conn.prepare(&format!("SELECT * FROM {name}")).unwrap();
            let columns = statement.column_count();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values = (0..columns).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
                lines.push(format!("{name} {}", values.collect::<Vec<_>>().join(" ")));
            }
        }
        lines.push(version(conn).unwrap().to_string());
        lines
    }

    /// The statements of a migration, one by one. None of them holds a semicolon but in a comment.
    fn statements(migration: &str) -> Vec<String> {
        let bare: Vec<&str> = migration
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default())
            .collect();
        let bare = bare.join("\n");
        let statements = bare
            .split_inclusive(';')
            .filter(|text| text.trim().ends_with(';'));
        statements.map(str::to_owned).collect()
    }

    /// The newest migration of several statements, stopped behind each of its statements: by an error, and by the end of the process. The old
    /// ledger is there, to the last row, and comes up the next time.
    #[test]
    fn a_migration_that_is_interrupted_leaves_the_old_ledger() {
        let newest = MIGRATIONS
            .iter()
            .rposition(|one| statements(one).len() > 1)
            .unwrap();
        let (before, steps) = (&MIGRATIONS[..newest], statements(MIGRATIONS[newest]));
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut conn = Connection::open(&path).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        migrate(&mut conn, before, |_, _| Ok(())).unwrap();
        conn.execute_batch(
            "INSERT INTO scheme (id, revision, enabled_ms) VALUES ('s', 'r', 1);
             WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 500)
             INSERT INTO record (scheme, src_key, label, state, version, void, first_ms, seen_ms, changed_ms)
             SELECT 's', value, '', 'pending', 'v', 0, 1, 1, 42 FROM n;",
        )
        .unwrap();
        let old = dump(&conn);
        for stop in 0..=steps.len() {
            let broken = format!("{}SELECT no_such_thing;", steps[..stop].concat());
            let mut migrations = before.to_vec();
            migrations.push(&broken);
            migrate(&mut conn, &migrations, |_, _| Ok(())).unwrap_err();
            assert_eq!(dump(&conn), old, "an error behind statement {stop}");
            // What is on the disk while the transaction is open is what a process leaves that ends there.
            conn.execute_batch("PRAGMA cache_size = 1; BEGIN IMMEDIATE")
                .unwrap();
            conn.execute_batch(&steps[..stop].concat()).unwrap();
            let left = tempfile::tempdir().unwrap();
            for name in ["ledger.db", "ledger.db-wal"] {
                std::fs::copy(dir.path().join(name), left.path().join(name)).unwrap();
            }
            conn.execute_batch("ROLLBACK").unwrap();
            let mut again = Connection::open(left.path().join("ledger.db")).unwrap();
            assert_eq!(
                dump(&again),
                old,
                "the end of the process behind statement {stop}"
            );
            let from = migrate(&mut again, MIGRATIONS, |_, _| Ok(())).unwrap();
            assert_eq!(from, known(before));
            let records: i64 = again
                .query_row("SELECT count(*) FROM record", [], |row| row.get(0))
                .unwrap();
            assert_eq!(records, 500);
        }
    }

    /// A ledger of the first engine opens, and its waiting records are known as such.
    #[test]
    fn the_first_version_is_brought_up() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, &MIGRATIONS[..1], |_, _| Ok(())).unwrap();
        for (key, state, code) in [
            ("a", "pending", Some("E4018")),
            ("b", "pending", None),
            ("c", "dead", Some("E4018")),
        ] {
            conn.execute(
                "INSERT INTO record (scheme, src_key, label, state, version, void, err_code, first_ms, seen_ms, changed_ms)
                 VALUES ('s', ?1, '', ?2, 'v', 0, ?3, 1, 1, 42)",
                (key, state, code),
            )
            .unwrap();
        }
        assert_eq!(migrate(&mut conn, MIGRATIONS, |_, _| Ok(())).unwrap(), 1);
        let mut statement = conn
            .prepare("SELECT waits_since_ms FROM record ORDER BY src_key")
            .unwrap();
        let waits: Vec<Option<i64>> = statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(waits, [Some(42), None, None]);
    }
}
