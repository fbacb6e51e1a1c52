//! What a ledger is after the power was cut, and what it does while its disk is full.
//!
//! A script of commits runs in a process of its own under the preload library of `xtask/preload`, which writes down
//! every change and every sync of the ledger's files, or lets changes fail. From what was written down the states of the
//! disk are put together that a power cut may leave: everything that was synced, and of the rest nothing, all, or any
//! part in any order, the last write torn. In each of them the ledger must open, agree with itself, and know of every
//! call that the script had sent.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use flow::ids::{Blob, RunId, WindowId};
use flow::op::{ClaimRow, LedgerOp, LedgerReply, OnSeen, Settlement, StagedRow, Trigger, WriteAction};
use flow::window::Interval;
use ledger::{Blobs, Ledger, OpenOptions, StoreError};

use super::Random;
use super::named::{Given, Say, Size, Trial};

/// The power is cut.
pub const A5: Trial = Trial {
    name: "A5",
    what: "power cut at every instant of a script of commits",
    sizes: &[
        Size {
            flag: "--commits",
            full: 200,
            small: 6,
        },
        Size {
            flag: "--states",
            full: 5_000,
            small: 1,
        },
        EVERY,
        Size {
            flag: "--seed",
            full: 1,
            small: 1,
        },
    ],
    run: cut,
};

/// The disk is full, or fails.
pub const A16: Trial = Trial {
    name: "A16",
    what: "disk full, or failing, at every write index",
    sizes: &[
        Size {
            flag: "--commits",
            full: 18,
            small: 3,
        },
        EVERY,
    ],
    run: full,
};

/// Only every so manyth write: all of them, but a sample in small.
const EVERY: Size = Size {
    flag: "--every",
    full: 1,
    small: 9,
};

const SCHEME: &str = "script";
const ROWS: usize = 5;
/// Commits of one round of the script: a page, a claim, a settlement.
const ROUND: u64 = 3;
/// The calls that the script has sent, in the folder of the ledger so that they stand in the log among its changes.
const JOURNAL: &str = "journal";
/// Tries of the script's transactions on a full disk; the room comes back after the first.
const TRIES: u32 = 5;

/// `trial script DIR COMMITS`: what runs under the library.
pub fn script(dir: &Path, commits: u64) -> Result<(), String> {
    let mut ledger = again(dir, || Ledger::open(dir, OpenOptions::new("power")))?;
    let mut journal = std::fs::File::create(dir.join(JOURNAL)).map_err(|e| e.to_string())?;
    let run = match apply(dir, &mut ledger, begin(), &Blobs::new())? {
        LedgerReply::RunBegun { run, .. } => run,
        other => return Err(format!("{other:?}")),
    };
    let open = LedgerOp::OpenWindow {
        run,
        scheme: SCHEME.to_owned(),
        asked: Interval { from: 0, to: 1_000 },
        cursor: flow::op::Cursor::Live,
    };
    let window = match apply(dir, &mut ledger, open, &Blobs::new())? {
        LedgerReply::WindowOpened(window) => window,
        other => return Err(format!("{other:?}")),
    };
    for round in 0..commits.div_ceil(ROUND) {
        let (page, blobs) = page(run, window, round);
        apply(dir, &mut ledger, page, &blobs)?;
        let pick = LedgerOp::Pick {
            scheme: SCHEME.to_owned(),
            now: 1,
            after: None,
            limit: 100,
        };
        let picked = match apply(dir, &mut ledger, pick, &Blobs::new())? {
            LedgerReply::Picked { records, .. } => records,
            other => return Err(format!("{other:?}")),
        };
        let rows: Vec<ClaimRow> = picked
            .iter()
            .map(|picked| ClaimRow {
                record: picked.record,
                version: picked.version.clone(),
                action: WriteAction::Create,
                form: String::new(),
                tkey: format!("[\"{}\"]", picked.record),
                payload: Blob(0),
                wrote: Vec::new(),
                step: None,
            })
            .collect();
        let payload: Blobs = [(Blob(0), b"{}".to_vec())].into_iter().collect();
        let claim = LedgerOp::Claim {
            run,
            target: "target".to_owned(),
            rows,
            resolve_after: 2,
            now: 1,
        };
        let attempt = match apply(dir, &mut ledger, claim, &payload)? {
            LedgerReply::Claimed {
                attempt: Some(attempt),
                ..
            } => attempt,
            other => return Err(format!("{other:?}")),
        };
        // This is where the first byte would go out.
        let sent: Vec<String> = picked.iter().map(|picked| picked.record.to_string()).collect();
        again(dir, || {
            journal
                .write_all(format!("{}\n", sent.join(" ")).as_bytes())
                .map_err(|e| StoreError::Full { what: e.to_string() })
        })?;
        let done = |id: String| Settlement::Done {
            id: Some(id),
            number: None,
            lines: None,
        };
        let settle = LedgerOp::Settle {
            attempt,
            outcome: "ok".to_owned(),
            http_status: Some(200),
            excerpt: None,
            vendor_trace: None,
            rows: picked
                .iter()
                .map(|picked| (picked.record, done(picked.record.to_string())))
                .collect(),
            now: 1,
        };
        apply(dir, &mut ledger, settle, &Blobs::new())?;
    }
    let report = ledger.verify(None).map_err(|e| e.to_string())?;
    if !report.is_clean() {
        return Err(format!("{:#?}", report.findings));
    }
    let done = ledger.reader().states(SCHEME).map_err(|e| e.to_string())?;
    let expected = commits.div_ceil(ROUND) * ROWS as u64;
    if done.iter().sum::<u64>() != expected || !done.contains(&expected) {
        return Err(format!("not everything is done: {done:?}, of {expected}"));
    }
    Ok(())
}

fn begin() -> LedgerOp {
    LedgerOp::BeginRun {
        scheme: SCHEME.to_owned(),
        revision: "r".to_owned(),
        trigger: Trigger::Manual,
        now: 1,
    }
}

fn page(run: RunId, window: WindowId, round: u64) -> (LedgerOp, Blobs) {
    let rows: Vec<StagedRow> = (0..ROWS as u64)
        .map(|n| StagedRow {
            key: format!("[\"{round:05}-{n}\"]"),
            label: String::new(),
            version: "v1".to_owned(),
            rank: None,
            source: Blob(n),
            filtered: None,
            invalid: None,
            void: false,
            bare: false,
            indexed: Vec::new(),
            paired: None,
            doubt: None,
            from: None,
        })
        .collect();
    let blobs = rows
        .iter()
        .map(|row| (row.source, format!("{{\"key\":{:>600}}}", row.key).into_bytes()))
        .collect();
    let op = LedgerOp::StagePage {
        run,
        window,
        scheme: SCHEME.to_owned(),
        page: u32::try_from(round).unwrap_or(u32::MAX).saturating_add(1),
        rows,
        total: None,
        fingerprint: round,
        on_seen: OnSeen::Skip,
        updates: true,
        store_only: false,
        close: None,
        now: 1,
    };
    (op, blobs)
}

fn apply(dir: &Path, ledger: &mut Ledger, op: LedgerOp, blobs: &Blobs) -> Result<LedgerReply, String> {
    let ops = [op];
    let mut replies = again(dir, || ledger.apply(&ops, blobs))?;
    Ok(replies.remove(0))
}

/// Does something; when the disk is full or fails, makes room and does it again.
fn again<T>(dir: &Path, mut work: impl FnMut() -> Result<T, StoreError>) -> Result<T, String> {
    for _ in 0..TRIES {
        match work() {
            Err(StoreError::Full { .. } | StoreError::Io { .. }) => {
                drop(std::fs::remove_file(full_file(dir)))
            }
            Ok(done) => return Ok(done),
            Err(other) => return Err(format!("{}: {other}", other.code())),
        }
    }
    Err("it does not go on after there is room again".to_owned())
}

fn full_file(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".full");
    name.into()
}

/// Where the library is.
pub(super) fn library() -> Result<PathBuf, String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the setting of `cargo xtask figure`, read by trials only"
    )]
    let named = std::env::var("POWER_LIBRARY").map(PathBuf::from);
    named.map_err(|_| {
        "POWER_LIBRARY names no preload library; `cargo xtask figure` builds it on Linux".to_owned()
    })
}

/// A folder in memory where there is one: what is tried is the order of changes, not the disk.
fn folder() -> Result<tempfile::TempDir, String> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.map_err(|e| e.to_string())
}

fn run_script(dir: &Path, commits: u64, environment: &[(&str, String)]) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(own);
    command
        .args(["script", &dir.to_string_lossy(), &commits.to_string()])
        .env("LD_PRELOAD", library()?)
        .env("POWER_DIR", dir);
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    let output = command.output().map_err(|e| e.to_string())?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{environment:?}: {:?} {said}", output.status.code()))
}

fn full(given: &Given, _say: Say<'_>) -> Result<String, String> {
    let base = folder()?;
    let mut indexes = Vec::new();
    // ENOSPC and EIO: the numbers of Linux, where the library works.
    for errno in [28_u32, 5] {
        let mut last = 0;
        // A script of so many commits changes its files some ten times a commit.
        let most = 1_000 + 50 * given.get("--commits");
        let every = usize::try_from(given.get("--every").max(1)).unwrap_or(1);
        for nth in (1..=most).step_by(every) {
            let dir = base.path().join(format!("{errno}-{nth}"));
            std::fs::create_dir(&dir).map_err(|e| e.to_string())?;
            let environment = [
                ("POWER_FAIL", nth.to_string()),
                ("POWER_ERRNO", errno.to_string()),
            ];
            let marker = full_file(&dir);
            run_script(&dir, given.get("--commits"), &environment)?;
            let journal = std::fs::read_to_string(dir.join(JOURNAL)).map_err(|e| e.to_string())?;
            let mut seen = BTreeSet::new();
            for record in journal.split_whitespace() {
                if !seen.insert(record.to_owned()) {
                    return Err(format!("write {nth}, error {errno}: {record} was sent twice"));
                }
            }
            std::fs::remove_dir_all(&dir).map_err(|e| e.to_string())?;
            last += 1;
            // Nothing failed any more: the script makes fewer changes than that.
            if !reached(&dir, &marker) {
                break;
            }
        }
        indexes.push(last);
    }
    Ok(format!(
        "0 sends without a claim on the disk, 0 sent twice, everything done when there is room again; {} writes with ENOSPC, {} with EIO",
        indexes[0], indexes[1]
    ))
}

/// Whether the failing index was reached: the script removes the marker, and leaves another one behind.
fn reached(dir: &Path, marker: &Path) -> bool {
    let mut name = dir.as_os_str().to_owned();
    name.push(".reached");
    let seen = Path::new(&name).exists();
    drop(std::fs::remove_file(&name));
    drop(std::fs::remove_file(marker));
    seen
}

/// One line of the log.
enum Change {
    Write {
        at: usize,
        data: Vec<u8>,
    },
    Truncate(usize),
    Sync,
    Unlink,
    /// Of the folder: what was unlinked stays so.
    SyncFolder,
}

fn read_log(path: &Path) -> Result<Vec<(String, Change)>, String> {
    let bytes = std::fs::read(path).map_err(|e| e.to_string())?;
    let (mut at, mut log) = (0, Vec::new());
    let number = |at: usize| -> Result<usize, String> {
        let eight = bytes.get(at..at + 8).ok_or("the log is cut")?;
        let eight = eight.try_into().map_err(|_| "eight bytes")?;
        usize::try_from(u64::from_ne_bytes(eight)).map_err(|e| e.to_string())
    };
    while at < bytes.len() {
        let [kind, name, offset, length] = [number(at)?, number(at + 8)?, number(at + 16)?, number(at + 24)?];
        at += 32;
        let text = bytes.get(at..at + name).ok_or("the log is cut")?;
        let text = String::from_utf8_lossy(text).into_owned();
        at += name;
        let change = match kind {
            1 => {
                let data = bytes.get(at..at + length).ok_or("the log is cut")?.to_vec();
                at += length;
                Change::Write { at: offset, data }
            }
            2 => Change::Truncate(offset),
            3 => Change::Sync,
            4 => Change::Unlink,
            5 => Change::SyncFolder,
            other => return Err(format!("kind {other}")),
        };
        log.push((text, change));
    }
    Ok(log)
}

/// A file: what is on the disk for good, and what was written since.
#[derive(Default)]
struct Disk {
    synced: Vec<u8>,
    since: Vec<(usize, Option<Vec<u8>>)>,
    /// Its name was taken away, and the folder has not been synced since.
    unlinked: bool,
}

impl Disk {
    fn change(&mut self, change: &Change) {
        if self.unlinked {
            // Another file of the same name.
            *self = Disk::default();
        }
        match change {
            Change::Unlink => self.unlinked = true,
            Change::SyncFolder => {}
            Change::Write { at, data } => self.since.push((*at, Some(data.clone()))),
            Change::Truncate(length) => self.since.push((*length, None)),
            Change::Sync => {
                for one in std::mem::take(&mut self.since) {
                    put(&mut self.synced, &one);
                }
            }
        }
    }

    /// A content that a power cut may leave.
    fn after(&self, manner: Manner, random: &mut Random) -> Vec<u8> {
        let mut content = self.synced.clone();
        let mut since: Vec<_> = match manner {
            Manner::Lost => Vec::new(),
            Manner::Kept => self.since.clone(),
            Manner::Some => self
                .since
                .iter()
                .filter(|_| random.below(2) == 0)
                .cloned()
                .collect(),
        };
        if manner == Manner::Some && !since.is_empty() {
            // Out of order, and one of them torn at a sector.
            for n in (1..since.len()).rev() {
                let other = usize::try_from(random.below(n as u64 + 1)).unwrap_or(0);
                since.swap(n, other);
            }
            let torn = usize::try_from(random.below(since.len() as u64)).unwrap_or(0);
            if let (_, Some(data)) = &mut since[torn] {
                let sectors = data.len().div_ceil(512) as u64;
                let keep = usize::try_from(random.below(sectors + 1)).unwrap_or(0) * 512;
                data.truncate(keep.min(data.len()));
            }
        }
        for one in &since {
            put(&mut content, one);
        }
        content
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Lost,
    Kept,
    Some,
}

fn put(content: &mut Vec<u8>, (at, data): &(usize, Option<Vec<u8>>)) {
    match data {
        None => content.resize(*at, 0),
        Some(data) => {
            let end = at + data.len();
            if content.len() < end {
                content.resize(end, 0);
            }
            content[*at..end].copy_from_slice(data);
        }
    }
}

fn cut(given: &Given, say: Say<'_>) -> Result<String, String> {
    let base = folder()?;
    let (dir, log) = (base.path().join("script"), base.path().join("log"));
    std::fs::create_dir(&dir).map_err(|e| e.to_string())?;
    run_script(
        &dir,
        given.get("--commits"),
        &[("POWER_LOG", log.display().to_string())],
    )?;
    let log = read_log(&log)?;
    let states = given.get("--states");
    let changes = log.len() as u64;
    // Nothing kept and everything kept at each change, and as many mixtures as it takes.
    let mixtures = (states / changes.max(1)).saturating_sub(1).max(1);
    say(format!(
        "{changes} changes and syncs, {} states each",
        mixtures + 2
    ));
    let mut random = Random(given.get("--seed"));
    let mut disks: BTreeMap<String, Disk> = BTreeMap::new();
    let mut sent: BTreeSet<i64> = BTreeSet::new();
    let (mut tried, mut in_flight) = (0, 0);
    let place = base.path().join("state");
    for (nth, (name, change)) in log.iter().enumerate() {
        if name == JOURNAL {
            if let Change::Write { data, .. } = change {
                let text = String::from_utf8_lossy(data).into_owned();
                sent.extend(
                    text.split_whitespace()
                        .filter_map(|word| word.parse::<i64>().ok()),
                );
            }
            continue;
        }
        match change {
            Change::SyncFolder => disks.retain(|_, disk| !disk.unlinked),
            _ => disks.entry(name.clone()).or_default().change(change),
        }
        if !(nth as u64).is_multiple_of(given.get("--every").max(1)) {
            continue;
        }
        let manners = [Manner::Lost, Manner::Kept]
            .into_iter()
            .chain((0..mixtures).map(|_| Manner::Some));
        for manner in manners {
            drop(std::fs::remove_dir_all(&place));
            std::fs::create_dir(&place).map_err(|e| e.to_string())?;
            for (name, disk) in &disks {
                let gone = match manner {
                    Manner::Lost => false,
                    Manner::Kept => true,
                    Manner::Some => random.below(2) == 0,
                };
                if disk.unlinked && gone {
                    continue;
                }
                let content = disk.after(manner, &mut random);
                std::fs::write(place.join(name), content).map_err(|e| e.to_string())?;
            }
            let found = look(&place, &sent).map_err(|why| {
                format!(
                    "seed {}, change {nth} of {changes}, {manner:?}: {why}",
                    given.get("--seed")
                )
            })?;
            tried += 1;
            in_flight += u64::from(found);
        }
    }
    if in_flight == 0 {
        return Err("no state had a call in flight: nothing was tried".to_owned());
    }
    Ok(format!(
        "{tried} states of {} commits ({in_flight} with a call in flight): 0 blind resends, 0 corrupt files",
        given.get("--commits")
    ))
}

/// Starts the engine's ledger on what the power cut left. Gives whether a call was in flight.
fn look(dir: &Path, sent: &BTreeSet<i64>) -> Result<bool, String> {
    let told = |error: StoreError| format!("{}: {error}", error.code());
    let mut ledger = Ledger::open(dir, OpenOptions::new("power")).map_err(told)?;
    let begun = ledger.apply(&[begin()], &Blobs::new()).map_err(told)?;
    let recovered = matches!(begun[..], [LedgerReply::RunBegun { recovered, .. }] if recovered > 0);
    let pick = LedgerOp::Pick {
        scheme: SCHEME.to_owned(),
        now: i64::MAX,
        after: None,
        limit: u32::MAX,
    };
    let picked = ledger.apply(&[pick], &Blobs::new()).map_err(told)?;
    let [LedgerReply::Picked { records, .. }] = &picked[..] else {
        return Err(format!("{picked:?}"));
    };
    let blind: Vec<i64> = records
        .iter()
        .map(|picked| picked.record.0)
        .filter(|record| sent.contains(record))
        .collect();
    if !blind.is_empty() {
        return Err(format!("would be sent again blindly: {blind:?}"));
    }
    let known: u64 = ledger.reader().states(SCHEME).map_err(told)?.iter().sum();
    let least = sent.iter().max().copied().unwrap_or(0).unsigned_abs();
    if known < least {
        return Err(format!("{known} records of which {least} were sent"));
    }
    let report = ledger.verify(None).map_err(told)?;
    if report.is_clean() {
        Ok(recovered)
    } else {
        Err(format!("{:#?}", report.findings))
    }
}
