//! A script for one [`Job`]: events as words, actions as short lines.
//!
//! An event a line (or several parted by `;`). `...` forgets what was printed so far, so that a case shows only what it
//! is about. A line is one of
//!
//! ```text
//! start | begun [left ID.. asked-until=T] [open=N] [recovered=N] [closed=A..B] [failures=N until=T] [unstable=N] [kept=A..B] [done=A..B]
//! unknowns [ID..] [update|void|step] [keyless] [code=exists] [sent] [misses=N] [since=T] [doubted=T] [due=T] [at:STEP]
//! opened | page N [more] [total=N] [print=N] [rows=N] [mark=N] [clock=MS] | staged [new=N] [open=N] [suspicious=N] | failed unreachable|lost|wait|fault|config|unusable [wait=MS]
//! picked [ID..] [sent] [target] [doubted=T] [at:STEP] | ready [WORD..] | claimed [held=ID] [none] | ok | applied | states [open=N] | ended
//! loose [ID..] | grouped [ID+ID..] [-ID] | frozen [parts=N] [dead=N] | taken TASK [limit=MS] | notsent | withheld | lost | all CLASS [wait=MS] [http=STATUS] | rows CLASS VERDICT.. | found [one|one:NEXT|none|many ..] | woke | +MS | cancel
//! ```

use flow::classify::{Class, Delivery, OnUnknown, Proof, Verdict};
use flow::ids::{AttemptId, Blob, Ms, PushId, RecordId, RunId, WindowId};
use flow::op::{
    ClaimRefused, Counts, Cursor, LedgerOp, LedgerReply, Loose, NewPart, OnSeen, Picked, Reason, Refusal,
    Resolution, Settlement, StagedRow, SuspectKind, TaskLeft, TaskRow, Trigger, Unknown, WriteAction,
};
use flow::window::{CatchUp, First, Interval, Proposal, WindowRule};
use flow::{
    Action, Answer, CallFacts, Event, Found, Grouped, Job, JobPlan, Look, Note, Page, Paging, Purpose,
    ReadFailure, ReadFailureKind, Ready, RowAnswer, Shifts, SourceFacts, Stages, StepFacts, Stopped,
    TargetFacts, Transformed, Waiting,
};

/// A plan that the cases alter: window `[0, 100 s)` in one slice, target with a unique key, batches of 10.
pub(crate) fn plan() -> JobPlan {
    JobPlan {
        scheme: "s".to_owned(),
        revision: "r".to_owned(),
        trigger: Trigger::Manual,
        instant: 100_000,
        source: SourceFacts {
            window: Some(WindowRule {
                first: Some(First::At(0)),
                overlap: 0,
                settle: 10_000,
                max: 1_000_000,
                catch_up: CatchUp::Extend,
            }),
            proposal: Proposal::default(),
            manual: None,
            on_seen: OnSeen::UpdateIfChanged,
            // What shifts has scripts of its own, below `shifting()`.
            paging: Paging {
                shifts: Shifts::Never,
                ..Paging::default()
            },
            keeps: None,
            sweep: None,
            replay: None,
            versions: None,
            inbox: flow::Inbox::None,
        },
        target: Some(target()),
        limit: None,
        brakes: flow::Brakes::default(),
        retry: flow::Retry::default(),
        settle_wait: 600_000,
        partner: None,
        for_partner: false,
        stages: Stages::All,
    }
}

pub(crate) fn target() -> TargetFacts {
    TargetFacts {
        gathers: false,
        name: "t".to_owned(),
        batch: 10,
        proof: Proof::UniqueKey,
        on_unknown: OnUnknown::ByProof,
        timeout: 30_000,
        quiet: 60_000,
        find_before_create: false,
        updates: true,
        voids_again: false,
        asks_updates: false,
        stop_at_first_dead: false,
        remembers: 1_000_000,
        steps: Vec::new(),
    }
}

/// A target whose documents are submitted and then audited, two a call.
pub(crate) fn with_steps() -> JobPlan {
    let step = |name: &str| StepFacts {
        target: None,
        name: name.to_owned(),
        updates: false,
        call: CallFacts {
            batch: 2,
            proof: Proof::Query,
            on_unknown: OnUnknown::ByProof,
            timeout: 30_000,
            quiet: 20_000,
        },
    };
    with(|target| target.steps = vec![step("submit"), step("audit")])
}

/// The plan with another target.
pub(crate) fn with(change: impl FnOnce(&mut TargetFacts)) -> JobPlan {
    let mut plan = plan();
    change(plan.target.as_mut().expect("the plan has a target"));
    plan
}

/// Runs the script and compares what was printed since the last `...`.
#[track_caller]
pub(crate) fn check(plan: JobPlan, script: &str, want: expect_test::Expect) {
    let mut stage = Stage::new(plan);
    for line in script
        .split(['\n', ';'])
        .map(str::trim)
        .filter(|line| !line.is_empty())
    {
        stage.feed(line);
    }
    want.assert_eq(&stage.log);
}

/// The same with a text that the case makes.
#[track_caller]
pub(crate) fn check_text(plan: JobPlan, script: &str, want: &str) {
    let mut stage = Stage::new(plan);
    script.split("; ").for_each(|line| stage.feed(line));
    assert_eq!(stage.log, want, "{script}");
}

/// A job and what the script's short words need to be spelled out.
pub(crate) struct Stage {
    job: Job,
    now: Ms,
    asleep_until: Ms,
    windows: i64,
    attempts: i64,
    prints: u64,
    sent: usize,
    wanted: Vec<(RecordId, bool)>,
    log: String,
}

impl Stage {
    pub(crate) fn new(plan: JobPlan) -> Self {
        let now = plan.instant;
        Stage {
            job: Job::new(plan),
            now,
            asleep_until: 0,
            windows: 0,
            attempts: 0,
            prints: 0,
            sent: 0,
            wanted: Vec::new(),
            log: String::new(),
        }
    }

    fn feed(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if line == "..." {
            self.log.clear();
            return;
        }
        if line == "cancel" {
            self.job.cancel();
            return;
        }
        if let Some(ms) = line.strip_prefix('+') {
            self.now += number(ms);
            return;
        }
        if let Some(clock) = words.iter().find_map(|word| word.strip_prefix("clock=")) {
            self.job.source_clock(number(clock));
        }
        let event = self.event(&words);
        let actions = self.job.step(self.now, event);
        self.log.push_str(&format!("< {line}\n"));
        for action in &actions {
            match action {
                Action::Sleep { until, .. } => self.asleep_until = *until,
                Action::Send { rows, .. } | Action::Await { rows, .. } => self.sent = rows.len(),
                Action::Transform(items) => {
                    self.wanted = items.iter().map(|item| (item.record, item.has_target)).collect();
                }
                _ => {}
            }
            for line in print(action) {
                self.log.push_str(&format!("    {line}\n"));
            }
        }
        let wanting = actions
            .iter()
            .filter(|action| !matches!(action, Action::Note(_)))
            .count();
        assert!(wanting <= 1, "one action at a time: {actions:?}");
        assert_eq!(
            wanting == 0,
            self.job.finished() && actions.is_empty(),
            "{actions:?}"
        );
    }

    fn event(&mut self, words: &[&str]) -> Event {
        let value = |name: &str| {
            words
                .iter()
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('=').map(number))
        };
        let has = |name: &str| words.contains(&name);
        let ids: Vec<RecordId> = words[1..]
            .iter()
            .filter_map(|word| word.parse().ok().map(RecordId))
            .collect();
        let count = |name: &str| u64::try_from(value(name).unwrap_or(0)).expect("a count");
        match words[0] {
            "start" => Event::Start,
            "begun" => Event::Ledger(vec![
                LedgerReply::RunBegun {
                    run: RunId(1),
                    enabled: self.now,
                    closed: words
                        .iter()
                        .filter_map(|word| word.strip_prefix("closed=")?.split_once(".."))
                        .filter_map(|(from, to)| Interval::new(number(from), number(to)))
                        .collect(),
                    recovered: count("recovered"),
                    open: count("open"),
                },
                LedgerReply::Circuit {
                    failures: u32::try_from(count("failures")).expect("a count"),
                    until: value("until").unwrap_or(0),
                },
                LedgerReply::Tasks(if has("left") {
                    vec![left(ids, words, value("asked-until").expect("asked-until"))]
                } else {
                    Vec::new()
                }),
                covered(words, "unstable", "kept"),
                covered(words, "", "done"),
                LedgerReply::Waiting(count("waiting")),
            ]),
            "unknowns" => reply(LedgerReply::Unknowns {
                total: ids.len() as u64,
                records: ids
                    .into_iter()
                    .map(|record| unknown(record, words, value))
                    .collect(),
                next_due: value("due"),
            }),
            "opened" => {
                self.windows += 1;
                reply(LedgerReply::WindowOpened(WindowId(self.windows)))
            }
            "page" => {
                self.prints += 1;
                let n = number(words[1]);
                Event::Page(Page {
                    rows: (0..n).map(row).collect(),
                    raw_rows: u64::try_from(n).expect("a count"),
                    more: has("more"),
                    total: value("total").map(|total| u64::try_from(total).expect("a count")),
                    fingerprint: value("print")
                        .map_or(self.prints, |print| u64::try_from(print).expect("a print")),
                    prints: (0..n)
                        .map(|row| {
                            print_of(
                                value("rows").unwrap_or(-i64::try_from(self.prints).expect("few")),
                                row,
                            )
                        })
                        .collect(),
                    mark: value("mark").map(|mark| u64::try_from(mark).expect("a mark")),
                    versions: None,
                    pushes: words
                        .iter()
                        .filter_map(|word| word.strip_prefix('p')?.parse().ok().map(PushId))
                        .collect(),
                })
            }
            "staged" => reply(LedgerReply::Staged {
                outcomes: [count("new"), 0, 0, 0, 0, 0],
                fresh: count("new"),
                open: count("open"),
                suspicious: value("suspicious").map(|_| count("suspicious")),
            }),
            "partner" => Event::PartnerRead(has("fails").then(|| Reason::new("X", "unreachable"))),
            "failed" => Event::ReadFailed(ReadFailure {
                kind: match words[1] {
                    "unreachable" => ReadFailureKind::Unreachable,
                    "lost" => ReadFailureKind::Lost,
                    "wait" => ReadFailureKind::Wait,
                    "fault" => ReadFailureKind::Fault,
                    "config" => ReadFailureKind::Config,
                    "unusable" => ReadFailureKind::Unusable,
                    other => panic!("no such failure: {other}"),
                },
                wait: value("wait"),
                reason: Reason::new("X", words[1]),
            }),
            "picked" => reply(LedgerReply::Picked {
                records: ids
                    .into_iter()
                    .map(|record| Picked {
                        record,
                        version: format!("v{record}"),
                        void: has("void"),
                        has_target: has("target"),
                        attempts: 0,
                        maybe_sent: has("sent"),
                        step: step(words, record),
                        doubted: value("doubted"),
                    })
                    .collect(),
                next_due: None,
            }),
            "loose" => reply(LedgerReply::Loose(
                ids.into_iter()
                    .map(|record| Loose {
                        record,
                        version: format!("v{record}"),
                        void: false,
                    })
                    .collect(),
            )),
            // A word for each document: its rows, joined by `+`; `-1` = the row is in none and dead.
            "grouped" => {
                let (refused, parts): (Vec<&str>, Vec<&str>) =
                    words[1..].iter().partition(|word| word.starts_with('-'));
                let member = |text: &str| (RecordId(number(text)), format!("v{text}"));
                Event::Grouped(Grouped {
                    parts: parts
                        .iter()
                        .zip(1..)
                        .map(|(rows, part)| NewPart {
                            key: format!("[\"$part\",\"{part}\"]"),
                            group: "G".to_owned(),
                            part,
                            number: format!("G-{part}"),
                            version: "v".to_owned(),
                            source: Blob(0),
                            members: rows.split('+').map(member).collect(),
                        })
                        .collect(),
                    refused: refused
                        .iter()
                        .map(|word| {
                            let (record, version) = member(&word[1..]);
                            (record, version, Refusal::Dead(Reason::new("X", "bad")))
                        })
                        .collect(),
                })
            }
            "frozen" => Event::Ledger(vec![
                LedgerReply::Count(count("dead")),
                LedgerReply::Count(count("parts")),
            ]),
            "ready" => Event::Transformed(
                self.wanted
                    .iter()
                    .enumerate()
                    .map(|(n, (record, has_target))| transformed(*record, *has_target, words.get(n + 1)))
                    .collect(),
            ),
            "claimed" => {
                self.attempts += 1;
                let held = value("held").map(RecordId);
                reply(LedgerReply::Claimed {
                    attempt: (!has("none")).then_some(AttemptId(self.attempts)),
                    refused: held
                        .map(|record| {
                            let holder = "other".to_owned();
                            (record, ClaimRefused::KeyTaken { holder })
                        })
                        .into_iter()
                        .collect(),
                })
            }
            "ok" => reply(LedgerReply::Ok),
            "applied" => reply(LedgerReply::Count(1)),
            "states" => reply(LedgerReply::States([count("open"), 0, 0, 0, 0, 0, 0])),
            "ended" => Event::Ledger(vec![
                LedgerReply::States([0; 7]),
                LedgerReply::RunEnded(Counts::default()),
            ]),
            "taken" => Event::Taken {
                task: words[1].to_owned(),
                limit: value("limit").unwrap_or(20_000),
            },
            "notsent" => answered(Delivery::NotSent, None, Vec::new()),
            "withheld" => answered(Delivery::Withheld, None, Vec::new()),
            "lost" => answered(Delivery::Lost, None, Vec::new()),
            "all" => {
                let class = class(words[1]);
                let rows = match class {
                    Class::Ok => vec![row_answer("a"); self.sent],
                    _ => Vec::new(),
                };
                let mut answered = answered(Delivery::Answered(class), value("wait"), rows);
                if let Event::Answered(answer) = &mut answered {
                    answer.http_status = value("http").and_then(|status| u16::try_from(status).ok());
                }
                answered
            }
            "rows" => {
                let rows = words[2..].iter().map(|word| row_answer(word)).collect();
                answered(Delivery::Answered(class(words[1])), None, rows)
            }
            "found" => Event::Asked(
                words[1..]
                    .iter()
                    .map(|word| match *word {
                        "one" => Found::One {
                            id: "D".to_owned(),
                            number: None,
                            next: None,
                        },
                        one if one.starts_with("one:") => Found::One {
                            id: "D".to_owned(),
                            number: None,
                            next: Some(one[4..].to_owned()),
                        },
                        "none" => Found::None,
                        "many" => Found::Many,
                        other => panic!("nothing found like {other}"),
                    })
                    .collect(),
            ),
            "woke" => {
                self.now = self.now.max(self.asleep_until);
                Event::Woke
            }
            other => panic!("no such event: {other}"),
        }
    }
}

/// `unstable=N` and `kept=A..B` of the live cursor, `done=A..B` of the other one.
fn covered(words: &[&str], unstable: &'static str, intervals: &'static str) -> LedgerReply {
    let after = |name: &'static str| {
        let words = words.iter().filter(move |_| !name.is_empty());
        words.filter_map(move |word| word.strip_prefix(name)?.strip_prefix('='))
    };
    let intervals: Vec<Interval> = after(intervals)
        .filter_map(|text| text.split_once(".."))
        .filter_map(|(from, to)| Interval::new(number(from), number(to)))
        .collect();
    LedgerReply::Coverage {
        closed: intervals.clone(),
        unstable: after(unstable)
            .map(number)
            .next()
            .map_or(0, |n| u32::try_from(n).expect("a count")),
        kept: intervals,
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn reply(reply: LedgerReply) -> Event {
    Event::Ledger(vec![reply])
}

fn row(n: i64) -> StagedRow {
    StagedRow {
        key: format!("[\"{n}\"]"),
        label: n.to_string(),
        version: "v".to_owned(),
        rank: None,
        source: Blob(0),
        filtered: None,
        invalid: None,
        void: false,
        bare: false,
        indexed: Vec::new(),
        paired: None,
        doubt: None,
        from: None,
    }
}

/// `at:NAME`; `at:NAME/` is the line of the record.
fn step(words: &[&str], record: RecordId) -> Option<String> {
    let at = words.iter().find_map(|word| word.strip_prefix("at:"))?;
    Some(match at.strip_suffix('/') {
        Some(step) => format!("{step}/[\"{record}\"]"),
        None => at.to_owned(),
    })
}

/// Rows of pages with equal `rows=` are equal.
fn print_of(page: i64, row: i64) -> u64 {
    (page * 1_000_000 + row).cast_unsigned()
}

fn unknown(record: RecordId, words: &[&str], value: impl Fn(&str) -> Option<i64>) -> Unknown {
    let code = words.iter().find_map(|word| word.strip_prefix("code="));
    let code = code.map(|code| match code {
        "exists" => flow::codes::EXISTS,
        "refused" => flow::codes::STEP_REFUSED,
        other => other,
    });
    Unknown {
        record,
        action: words
            .iter()
            .find_map(|word| WriteAction::from_word(word))
            .unwrap_or(WriteAction::Create),
        form: String::new(),
        tkey: if words.contains(&"keyless") {
            "[]".to_owned()
        } else {
            format!("[\"{record}\"]")
        },
        misses: u32::try_from(value("misses").unwrap_or(0)).expect("a count"),
        since: value("since").unwrap_or(100_000),
        maybe_sent: words.contains(&"sent"),
        version: format!("v{record}"),
        suspect: words.iter().find_map(|word| SuspectKind::from_word(word)),
        step: step(words, record),
        said: words.contains(&"said"),
        doubted: value("doubted").unwrap_or(100_000),
        reason: Reason::new(code.unwrap_or("X"), "was lost"),
    }
}

/// The records of one call that became the task `T` in an earlier process.
fn left(ids: Vec<RecordId>, words: &[&str], until: Ms) -> TaskLeft {
    let action = words.iter().find_map(|word| WriteAction::from_word(word));
    let rows = ids.into_iter().map(|record| TaskRow {
        record,
        version: format!("v{record}"),
        action: action.unwrap_or(WriteAction::Create),
        step: step(words, record),
        form: String::new(),
        tkey: format!("[\"{record}\"]"),
        void: false,
        has_target: false,
    });
    TaskLeft {
        attempt: AttemptId(90),
        task: "T".to_owned(),
        group: 1,
        until,
        rows: rows.collect(),
    }
}

/// `create` (default), `update`, `void`, `step`, `group2`, `samekey`, `dead`, `held`, `skip`, `later`; `then:STEP`,
/// `step:STEP` and `half:STEP` say what follows.
fn transformed(record: RecordId, has_target: bool, word: Option<&&str>) -> Transformed {
    let reason = Reason::new("X", "refused");
    let action = match word {
        Some(&"update") => WriteAction::Update,
        Some(&"void") => WriteAction::Void,
        Some(word) if word.starts_with("step") => WriteAction::Step,
        Some(&"dead") => return Transformed::Refused(Refusal::Dead(reason)),
        Some(&"held") => return Transformed::Refused(Refusal::Held(reason)),
        Some(&"skip") => return Transformed::Refused(Refusal::Skipped(reason)),
        Some(&"later") => {
            let not_before = 900_000;
            return Transformed::Refused(Refusal::Later { not_before, reason });
        }
        _ if has_target => WriteAction::Update,
        _ => WriteAction::Create,
    };
    let tkey = match word {
        Some(&"samekey") => "[\"same\"]".to_owned(),
        _ => format!("[\"{record}\"]"),
    };
    Transformed::Ready(Ready {
        action,
        group: if word == Some(&"group2") { 2 } else { 1 },
        form: String::new(),
        tkey,
        payload: Blob(0),
        wrote: Vec::new(),
        next: word
            .and_then(|word| word.strip_prefix("then:").or(word.strip_prefix("step:")))
            .map(str::to_owned),
        half: word
            .and_then(|word| word.strip_prefix("half:"))
            .map(str::to_owned),
    })
}

fn class(word: &str) -> Class {
    match word {
        "ok" => Class::Ok,
        "rows" => Class::Rows,
        "rejected" => Class::Rejected,
        "auth+replay" => Class::Auth { replay_write: true },
        "auth" => Class::Auth { replay_write: false },
        "throttled" => Class::Throttled,
        "transient" => Class::Transient,
        "quota_stop" => Class::QuotaStop,
        "config_error" => Class::ConfigError,
        "fault" => Class::Fault,
        "no_match" => Class::NoMatch,
        other => panic!("no such class: {other}"),
    }
}

fn row_answer(word: &str) -> RowAnswer {
    let (verdict, text) = match word {
        "a" => (Verdict::Accepted, ""),
        "r" => (Verdict::Rejected, "bad data"),
        "e" => (Verdict::Exists, "number exists"),
        "h" => (Verdict::Half, "not submitted"),
        "-" => (Verdict::Absent, ""),
        other => panic!("no such verdict: {other}"),
    };
    RowAnswer {
        verdict,
        id: matches!(verdict, Verdict::Accepted | Verdict::Half).then(|| "D".to_owned()),
        number: None,
        lines: None,
        reason: Reason::new("X", text),
    }
}

fn answered(delivery: Delivery, wait: Option<Ms>, rows: Vec<RowAnswer>) -> Event {
    Event::Answered(Answer {
        delivery,
        reason: Reason::new("X", "call"),
        wait,
        http_status: None,
        excerpt: None,
        vendor_trace: None,
        rows,
    })
}

fn print(action: &Action) -> Vec<String> {
    let line = match action {
        Action::Ledger(ops) => return ops.iter().map(op).collect(),
        Action::Fetch {
            window,
            asked,
            page,
            cursor,
            look,
            since: _,
        } => {
            let asked = asked.map_or("all".to_owned(), interval);
            let again = if *look == Look::Again { " again" } else { "" };
            let cursor = match cursor {
                Cursor::Live => String::new(),
                other => format!(" {}", other.word()),
            };
            format!("FETCH window {window} page {page} {asked}{cursor}{again}")
        }
        Action::Transform(items) => {
            let items = items.iter().map(|item| {
                let known = if item.has_target { "+id" } else { "" };
                let void = if item.void { "+void" } else { "" };
                format!("{}{known}{void}", item.record)
            });
            format!("TRANSFORM {}", join(items))
        }
        Action::Group(items) => format!("GROUP {}", join(items.iter().map(|item| item.record))),
        Action::Ask { purpose, records } => {
            let why = match purpose {
                Purpose::Resolve => "resolve",
                Purpose::Find => "find",
            };
            format!("ASK {why} {}", join(records))
        }
        Action::Send {
            attempt,
            action,
            rows,
        } => {
            let rows = rows.iter().map(|(record, _)| record);
            format!("SEND attempt {attempt} {} {}", action.word(), join(rows))
        }
        Action::Await {
            attempt,
            task,
            until,
            rows,
            ..
        } => {
            let rows = rows.iter().map(|(record, _)| record);
            format!("AWAIT attempt {attempt} task {task} until {until} {}", join(rows))
        }
        Action::Sleep { until, why } => {
            let why = match why {
                Waiting::Source => "source".to_owned(),
                Waiting::Target => "target".to_owned(),
                Waiting::Quiet { unknown } => format!("quiet, {unknown} unknown"),
            };
            format!("SLEEP until {until} ({why})")
        }
        Action::ReadPartner => "PARTNER READS".to_owned(),
        Action::Note(note) => match note {
            Note::Recovered(n) => format!("note: {n} recovered"),
            Note::TaskResumed(task, n) => format!("note: task {task} of {n} goes on"),
            Note::Extended(ms) => format!("note: extended by {ms}"),
            Note::ReadAgain(reason) => format!("note: read again: {}", words(reason)),
            Note::WindowLeft(reason) => format!("note: window left: {}", words(reason)),
            Note::Stopping(reason) => format!("note: stopping: {}", words(reason)),
            Note::Skewed(by) => format!("note: clocks differ by {by}"),
            Note::Suspicious { asked, usual } => format!("note: empty {}, usually {usual}", interval(*asked)),
            Note::Lost(lost) => format!("note: lost {}", interval(*lost)),
            Note::Sweeping(range) => format!("note: sweeping {}", interval(*range)),
            Note::Receiving(pushes) => format!("note: receiving {pushes}"),
            Note::ReadingSince(version) => format!("note: since {version}"),
            Note::Reading(_) | Note::Staged { .. } | Note::Written { .. } => return Vec::new(),
        },
        Action::Finish(summary) => {
            let stopped = match &summary.stopped {
                None => String::new(),
                Some(Stopped::Source(reason)) => format!(", source: {}", words(reason)),
                Some(Stopped::Target(reason)) => format!(", target: {}", words(reason)),
                Some(Stopped::FirstDead(reason)) => format!(", first dead: {}", words(reason)),
                Some(Stopped::Braked(reason)) => format!(", braked: {}", words(reason)),
                Some(Stopped::Canceled) => ", canceled".to_owned(),
            };
            let left = match summary.windows_left {
                0 => String::new(),
                n => format!(", {n} windows left"),
            };
            let next = summary.next_question.map(|at| format!(", next question {at}"));
            format!(
                "FINISH {}, {} pages, {} calls{left}{stopped}{}",
                summary.status.word(),
                summary.pages,
                summary.calls,
                next.unwrap_or_default()
            )
        }
    };
    vec![line]
}

fn op(op: &LedgerOp) -> String {
    match op {
        LedgerOp::BeginRun { .. } => "begin run".to_owned(),
        LedgerOp::OpenWindow { asked, cursor, .. } => match cursor {
            Cursor::Live => format!("open window {}", interval(*asked)),
            other => format!("open window {} {}", interval(*asked), other.word()),
        },
        LedgerOp::Forget { cursor, .. } => format!("forget {}", cursor.word()),
        LedgerOp::Cover { cursor, .. } => format!("cover {}", cursor.word()),
        LedgerOp::StagePage {
            window,
            page,
            rows,
            close,
            ..
        } => {
            let close = match close {
                None => String::new(),
                Some(None) => ", last".to_owned(),
                Some(Some(closed)) => format!(", last, close {}", interval(*closed)),
            };
            format!("stage window {window} page {page}: {} rows{close}", rows.len())
        }
        LedgerOp::EndWindow {
            window, end, reason, ..
        } => format!("end window {window} {end:?}: {}", words(reason)).to_lowercase(),
        LedgerOp::Pick { after, limit, .. } => {
            let after = after.map_or("the start".to_owned(), |after| after.to_string());
            format!("pick {limit} after {after}")
        }
        LedgerOp::PickLoose { limit, .. } => format!("pick loose {limit}"),
        LedgerOp::Freeze { parts, .. } => {
            let parts = parts
                .iter()
                .map(|part| format!("{} {}", part.number, part.members.len()));
            format!("freeze {}", join(parts))
        }
        LedgerOp::Refuse { rows, .. } => {
            let rows = rows.iter().map(|(record, _, refusal)| match refusal {
                Refusal::Dead(reason) => format!("{record} dead ({})", words(reason)),
                Refusal::Held(reason) => format!("{record} held ({})", words(reason)),
                Refusal::Skipped(_) => format!("{record} skipped"),
                Refusal::Later { not_before, .. } => format!("{record} not before {not_before}"),
            });
            format!("refuse {}", join(rows))
        }
        LedgerOp::Adopt { rows, .. } => format!("adopt {}", join(rows.iter().map(|(record, ..)| record))),
        LedgerOp::Claim {
            rows, resolve_after, ..
        } => {
            let action = rows
                .first()
                .map_or("nothing", |row| row.step.as_deref().unwrap_or(row.action.word()));
            let rows = join(rows.iter().map(|row| row.record));
            format!("claim {action} {rows}, ask from {resolve_after}")
        }
        LedgerOp::Settle {
            attempt,
            outcome,
            rows,
            ..
        } => {
            let rows = rows.iter().map(|(record, how)| match how {
                Settlement::Done { .. } => format!("{record} done"),
                Settlement::Stepped { next, .. } => format!("{record} next {next}"),
                Settlement::Dead(reason) => format!("{record} dead ({})", words(reason)),
                Settlement::Retry { not_before, .. } => format!("{record} again from {not_before}"),
                Settlement::Unknown {
                    resolve_after,
                    reason,
                } => {
                    format!("{record} unknown {} until {resolve_after}", reason.code)
                }
                Settlement::Held(reason) => format!("{record} held ({})", words(reason)),
            });
            format!("settle {attempt} {outcome}: {}", join(rows))
        }
        LedgerOp::NoteTask {
            attempt, task, until, ..
        } => format!("note {attempt} is task {task} until {until}"),
        LedgerOp::PickTasks { .. } => "pick tasks".to_owned(),
        LedgerOp::PickUnknown { .. } => "pick unknown".to_owned(),
        LedgerOp::Resolve { rows, .. } => {
            let rows = rows.iter().map(|(record, how)| match how {
                Resolution::Done { .. } => format!("{record} done"),
                Resolution::Stepped { next, .. } => format!("{record} next {next}"),
                Resolution::Dead(reason) => format!("{record} dead ({})", words(reason)),
                Resolution::Resend => format!("{record} resend"),
                Resolution::Known { .. } => format!("{record} known"),
                Resolution::Unasked => format!("{record} unasked"),
                Resolution::AskAgain { at, missed, reason } => {
                    let missed = if *missed { "missed, " } else { "" };
                    format!("{record} {missed}again at {at} {}", reason.code)
                }
                Resolution::Held(reason) => format!("{record} held ({})", words(reason)),
            });
            format!("resolve {}", join(rows))
        }
        LedgerOp::EndRun { status, reason, .. } => {
            let code = reason.as_ref().map(|reason| format!(" {}", reason.code));
            format!("end run {}{}", status.word(), code.unwrap_or_default())
        }
        LedgerOp::CountStates { .. } => "count states".to_owned(),
        LedgerOp::Audit { note, .. } => format!("audit {}", note.action),
        LedgerOp::Suspect { kind, until, .. } => format!("suspect {} until {until}", kind.word()),
        LedgerOp::Identify { rows, .. } => {
            format!("identify {}", join(rows.iter().map(|row| row.record.to_string())))
        }
        LedgerOp::ReadVersions { .. } => "read versions".to_owned(),
        LedgerOp::NoteVersions { .. } => "note versions".to_owned(),
        LedgerOp::StorePush { .. } => "store push".to_owned(),
        LedgerOp::MovePlace { to, .. } => format!("rows up to {to}"),
        LedgerOp::CountPushes { .. } => "count pushes".to_owned(),
        LedgerOp::Save { rows } => format!("keep of {}", join(rows.iter().map(|(record, _)| record))),
        LedgerOp::TakePushes { pushes, .. } => format!("take {}", join(pushes)),
        LedgerOp::ReadCircuit { .. } => "read circuit".to_owned(),
        LedgerOp::SetCircuit { failures, until, .. } => format!("circuit {failures} until {until}"),
        LedgerOp::Decide { rows, .. } => {
            let rows = rows
                .iter()
                .map(|row| format!("{} {}", row.record, row.decision.word()));
            format!("decide {}", join(rows))
        }
    }
}

fn interval(interval: Interval) -> String {
    format!("[{}, {})", interval.from, interval.to)
}

fn words(reason: &Reason) -> String {
    format!("{} {}", reason.code, reason.text).trim().to_owned()
}

fn join(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    items.join(" ")
}

/// Plays `before`, cancels, plays `next` and then answers whatever ledger work follows: one line of what was begun.
pub(crate) fn after_cancel(plan: JobPlan, before: &[&str], next: &str) -> String {
    let mut stage = Stage::new(plan);
    before.iter().for_each(|line| stage.feed(line));
    stage.feed("cancel");
    stage.log.clear();
    let mut line = next;
    for _ in 0..6 {
        stage.feed(line);
        if stage.job.finished() {
            break;
        }
        line = match stage.log.lines().last().map(str::trim) {
            Some(end) if end.starts_with("end run canceled") => "ended",
            // The claim was durable already: the send is in flight.
            Some(send) if send.starts_with("SEND") => "lost",
            Some(op) if op.starts_with("end window") => "ok",
            Some(op)
                if ["settle", "resolve", "refuse"]
                    .iter()
                    .any(|word| op.starts_with(word)) =>
            {
                "applied"
            }
            other => panic!("canceled before {next:?}, then began {other:?}"),
        };
    }
    assert!(stage.job.finished(), "canceled before {next:?}: {}", stage.log);
    let actions: Vec<&str> = stage
        .log
        .lines()
        .filter_map(|line| line.strip_prefix("    "))
        .filter(|line| !line.starts_with("count") && !line.starts_with("end run"))
        .collect();
    format!("{next:28} {}\n", actions.join(" | "))
}
