//! What must hold, stated from the outside: the source's trades and the target's journal against the ledger's records.

use std::collections::BTreeMap;

use flow::classify::{Manner, Proof, manner};
use flow::codes;
use flow::ids::{Ms, RecordId, RunId};
use flow::op::{LedgerOp, OnSeen, RecordState, RunStatus, WriteAction};
use flow::window::{CatchUp, watermark};
use flow::{Stopped, Summary};
use ledger::error::reason;
use ledger::read::{RecordFilter, RecordRow, RunFilter};

use super::content::{Content, Kind};
use super::shell::{GIVEN_UP, NO_UPDATE, RIVAL, SCHEME, World};
use super::target::Row;

fn fail<T>(what: impl Into<String>) -> Result<T, String> {
    Err(what.into())
}

fn records(world: &World) -> Result<Vec<RecordRow>, String> {
    let all = RecordFilter::default();
    world.reader.list_records(&all).map_err(|e| e.to_string())
}

/// Only these changes of state exist, by the op that made them. A settlement and the promotion of a waiting version
/// are one step from outside.
fn allowed(op: &LedgerOp, from: Option<RecordState>, to: RecordState) -> bool {
    use RecordState::{Dead, Done, Held, Pending, Sending, Skipped, Unknown};
    match op {
        LedgerOp::StagePage { .. } => match from {
            // What may be there without our knowledge is asked about first, here and below.
            None => matches!(to, Pending | Skipped | Dead | Unknown),
            // A page may bring a record another version and then the one that is done.
            Some(Done | Dead | Skipped) => matches!(to, Pending | Done | Unknown),
            Some(Pending) => matches!(to, Done | Unknown),
            Some(Sending | Unknown | Held) => false,
        },
        LedgerOp::Claim { .. } => from == Some(Pending) && matches!(to, Sending | Held | Unknown),
        LedgerOp::Settle { .. } => {
            // Or the end of a task that an earlier process left.
            matches!(from, Some(Sending | Unknown)) && matches!(to, Done | Dead | Pending | Unknown | Held)
        }
        LedgerOp::BeginRun { .. } => from == Some(Sending) && to == Unknown,
        LedgerOp::Resolve { .. } => from == Some(Unknown) && matches!(to, Done | Pending | Held | Dead),
        LedgerOp::Refuse { .. } => {
            from == Some(Pending) && matches!(to, Dead | Held | Skipped | Pending | Unknown)
        }
        // No simulated scheme makes documents of several rows.
        LedgerOp::PickLoose { .. } | LedgerOp::Freeze { .. } => false,
        LedgerOp::OpenWindow { .. }
        | LedgerOp::EndWindow { .. }
        | LedgerOp::Pick { .. }
        | LedgerOp::Adopt { .. }
        | LedgerOp::NoteTask { .. }
        | LedgerOp::Save { .. }
        | LedgerOp::PickTasks { .. }
        | LedgerOp::ReadVersions { .. }
        | LedgerOp::NoteVersions { .. }
        | LedgerOp::StorePush { .. }
        | LedgerOp::MovePlace { .. }
        | LedgerOp::CountPushes { .. }
        | LedgerOp::TakePushes { .. }
        | LedgerOp::PickUnknown { .. }
        | LedgerOp::EndRun { .. }
        | LedgerOp::CountStates { .. }
        | LedgerOp::ReadCircuit { .. }
        | LedgerOp::SetCircuit { .. }
        | LedgerOp::Forget { .. }
        | LedgerOp::Cover { .. }
        | LedgerOp::Audit { .. } => false,
        LedgerOp::Suspect { .. } => from == Some(Pending) && to == Unknown,
        LedgerOp::Identify { .. } => from == Some(Unknown) && to == Held,
        // With the newer version that takes the place of one that is settled by it.
        LedgerOp::Decide { .. } => match from {
            Some(Pending) => matches!(to, Skipped | Held | Unknown),
            Some(Unknown) => matches!(to, Held | Done | Pending),
            Some(Held) => matches!(to, Pending | Unknown | Done | Skipped),
            Some(Dead) => matches!(to, Pending | Unknown | Skipped),
            None | Some(Sending | Done | Skipped) => false,
        },
    }
}

/// I5, and who was ever in doubt.
pub(super) fn transitions(world: &mut World, ops: &[LedgerOp]) -> Result<(), String> {
    let changes = |op: &LedgerOp| {
        RecordState::ALL.into_iter().any(|to| {
            let froms = RecordState::ALL.into_iter().map(Some).chain([None]);
            froms.into_iter().any(|from| allowed(op, from, to))
        })
    };
    if !ops.iter().any(changes) {
        return Ok(());
    }
    let changed = RecordFilter {
        since: Some(world.stepped),
        ..RecordFilter::default()
    };
    for record in world.reader.list_records(&changed).map_err(|e| e.to_string())? {
        let (id, to) = (record.record, record.state);
        let from = world.states.get(&id).copied();
        if from != Some(to) && !ops.iter().any(|op| allowed(op, from, to)) {
            return fail(format!("record {id} went from {from:?} to {to:?} by {ops:?}"));
        }
        if from == Some(RecordState::Dead) && to == RecordState::Pending && record.step.is_some() {
            world.report.went_on += u64::from(matches!(ops[0], LedgerOp::StagePage { .. }));
        }
        if record.scheme == RIVAL {
            world.rivals.insert(id);
        }
        if to == RecordState::Unknown {
            world.in_doubt.insert(id);
        }
        world.states.insert(id, to);
    }
    Ok(())
}

/// I6: one item per key in a call, and nothing sent while an earlier call with that key may still be executed.
pub(super) fn one_in_flight(world: &World, rows: &[Row]) -> Result<(), String> {
    for (n, row) in rows.iter().enumerate() {
        if rows[..n].iter().any(|other| other.tkey == row.tkey) {
            return fail(format!("two items with the key {} in one call", row.tkey));
        }
        if !world.setup.too_late && world.target.is_late(&row.tkey) {
            return fail(format!(
                "{} is sent while an earlier call may still be executed",
                row.tkey
            ));
        }
    }
    Ok(())
}

/// I4, and that the summary tells the truth.
pub(super) fn summary(world: &World, summary: &Summary, run: i64) -> Result<(), String> {
    let counts = summary.counts;
    if !counts.add_up() {
        return fail(format!("the counts do not add up: {counts:?}"));
    }
    let staged = world.staged.get(&run).copied().unwrap_or_default();
    if counts.fetched != staged {
        return fail(format!("{} fetched, {staged} staged", counts.fetched));
    }
    let mut by_state = [0; 7];
    let of_scheme = |id: &RecordId| world.rivals.contains(id) == (world.scheme == RIVAL);
    for (_, state) in world.states.iter().filter(|(id, _)| of_scheme(id)) {
        let place = RecordState::ALL.iter().position(|known| known == state);
        by_state[place.ok_or("a state that is not in ALL")?] += 1;
    }
    if summary.states != by_state {
        return fail(format!("states {:?}, records say {by_state:?}", summary.states));
    }
    let must_be = match &summary.stopped {
        Some(Stopped::Canceled) => Some(RunStatus::Canceled),
        Some(Stopped::Source(reason) | Stopped::Target(reason)) if reason.code == codes::BUG => {
            return fail(format!("a bug: {}", reason.text));
        }
        Some(Stopped::Source(_) | Stopped::Target(_)) => Some(RunStatus::Failed),
        Some(Stopped::FirstDead(_) | Stopped::Braked(_)) => Some(RunStatus::Partial),
        None if counts.dead + counts.held + counts.open() > 0 => Some(RunStatus::Partial),
        None => None,
    };
    if must_be.is_some_and(|status| status != summary.status) {
        return fail(format!("{:?} is told as {:?}", summary.stopped, summary.status));
    }
    let life = world.reader.show_run(RunId(run)).map_err(|e| e.to_string())?;
    let stored = life.ok_or("the run is not in the ledger")?.run;
    if stored.status != summary.status.word() || stored.counts != Some(counts) {
        return fail(format!("the ledger says {stored:?}, the summary {summary:?}"));
    }
    Ok(())
}

/// What holds after every run and after every crash.
pub(super) fn always(world: &World) -> Result<(), String> {
    let records = records(world)?;
    if records.len() != world.states.len() {
        return fail("records have gone");
    }
    for record in records {
        let id = record.record;
        if world.states.get(&id) != Some(&record.state) {
            return fail(format!("a state changed unseen: {record:?}"));
        }
        let closed = matches!(
            record.state,
            RecordState::Dead | RecordState::Held | RecordState::Skipped
        );
        if closed && record.reason.as_ref().is_none_or(|reason| reason.code.is_empty()) {
            return fail(format!("record {id} is {} without a reason", record.state.word()));
        }
        documents(world, &record).map_err(|what| format!("{what}: {record:?}"))?;
    }
    nothing_missing(world)?;
    let runs = world
        .reader
        .list_runs(&RunFilter::default())
        .map_err(|e| e.to_string())?;
    match runs
        .iter()
        .find(|run| run.counts.is_some_and(|counts| !counts.add_up()))
    {
        Some(run) => fail(format!("the counts of {run:?} do not add up")),
        None => Ok(()),
    }
}

/// I2 and I7 for one record.
fn documents(world: &World, record: &RecordRow) -> Result<(), String> {
    let setup = &world.setup;
    let Ok(customer) = record.label.parse::<u32>() else {
        return fail("not a customer");
    };
    if Content::parse(&record.version).is_some_and(|content| content.kind == Kind::Keyless) {
        // Has a customer only in this model.
        return Ok(());
    }
    let tkey = setup.tkey(customer);
    let shared = setup.is_foreign(customer) || setup.collides(customer);
    let made = world
        .target
        .journal
        .iter()
        .filter(|entry| entry.created)
        .filter(|entry| {
            world
                .target
                .documents
                .get(&entry.id)
                .is_some_and(|made| made.tkey == tkey)
        })
        .count();
    if made > 1 && !setup.may_double() {
        return fail(format!("{made} documents were made for {tkey}"));
    }
    if setup.is_foreign(customer) && setup.unique && !setup.find_before_create {
        let untouched = world
            .target
            .documents
            .values()
            .any(|document| document.content.is_none() && document.tkey == tkey);
        if !world.lost.contains(&record.record) && !setup.collides(customer) && !untouched {
            return fail("somebody else's document was taken for ours");
        }
        if !world.lost.contains(&record.record) && record.state == RecordState::Done {
            return fail("done with somebody else's document");
        }
    }
    if shared {
        return Ok(());
    }
    let at_rest = record.done_version.is_none()
        && record.target_id.is_none()
        && matches!(record.state, RecordState::Dead | RecordState::Skipped)
        && !setup.too_late
        // Somebody may skip what is in doubt, and a ledger that is gone knew more.
        && !world.forgot
        && !world.by_hand.contains(&record.record);
    if at_rest && made > 0 && !setup.may_double() {
        return fail("never done, but a document was made");
    }
    unchanged(world, record)?;
    // What a person skipped in doubt is found, and called done, in whatever version it is there, as with `adopt`.
    let whichever = !setup.updates && world.by_hand.contains(&record.record);
    if record.state != RecordState::Done || whichever {
        return Ok(());
    }
    let done = record.done_version.as_deref().ok_or("done without a version")?;
    if done != record.version {
        return fail("done with another version");
    }
    let content = Content::parse(done.trim_end_matches("-void")).ok_or("not a version of ours")?;
    let id = record.target_id.as_deref().ok_or("done without a document")?;
    let document = world
        .target
        .documents
        .get(id)
        .ok_or("done with a document that is not there")?;
    if document.content != Some(content) {
        return fail(format!("the document says {:?}", document.content));
    }
    let steps = setup.steps_of(&content);
    if content.kind != Kind::Void && document.steps != steps {
        return fail(format!("done with {} of {steps} steps", document.steps));
    }
    for step in 0..steps {
        let times = world
            .target
            .journal
            .iter()
            .filter(|entry| entry.content == content && entry.step == Some(step))
            .count();
        if content.kind != Kind::Void && times == 0 {
            return fail(format!("step {step} was never made"));
        }
    }
    let written = world
        .target
        .journal
        .iter()
        .filter(|entry| entry.content == content && entry.step.is_none())
        .count();
    let may_repeat =
        world.in_doubt.contains(&record.record) || setup.several || setup.on_seen == OnSeen::Update;
    if written == 0 || (written > 1 && !may_repeat) {
        return fail(format!("written {written} times"));
    }
    let created = world
        .target
        .journal
        .iter()
        .filter(|entry| entry.created && entry.content == content)
        .count();
    if created > 1 && !setup.may_double() {
        return fail(format!("created {created} times"));
    }
    Ok(())
}

/// Where the scheme changes no document: what is called done is what its document says, and no newer row takes the calls
/// away that were meant for it.
fn unchanged(world: &World, record: &RecordRow) -> Result<(), String> {
    let document = record.target_id.as_ref();
    let document = document.and_then(|id| world.target.documents.get(id));
    let Some(content) = document.and_then(|document| document.content) else {
        return Ok(());
    };
    if world.setup.updates || content.kind == Kind::Void {
        return Ok(());
    }
    let done = record.done_version.as_deref();
    // What a person skipped in doubt is found in whatever version it is there.
    let is_ours = !world.by_hand.contains(&record.record);
    if done.is_some_and(|done| is_ours && done != content.to_string()) {
        return fail(format!("{done:?} is called done, the document says {content}"));
    }
    let steps = document.map_or(0, |document| document.steps);
    // A row that is cancelled ends the steps of its document, also where it comes back before the target was told.
    let was_void = || {
        let mut versions = world.seen.iter().filter(|(key, _)| *key == record.key);
        versions.any(|(_, version)| version.contains("void"))
    };
    if is_ours && is_passed_over(world, record) && !was_void() && steps != world.setup.steps_of(&content) {
        return fail(format!("passed over with {steps} steps"));
    }
    Ok(())
}

/// Its document is there and says something else.
fn is_passed_over(world: &World, record: &RecordRow) -> bool {
    let reason = record.reason.as_ref();
    record.state == RecordState::Skipped
        && !world.setup.updates
        && reason.is_some_and(|reason| reason.code == NO_UPDATE)
}

/// I1: every trade in closed time has been seen as it is now.
fn nothing_missing(world: &World) -> Result<(), String> {
    let closed = world.reader.closed_intervals(SCHEME).map_err(|e| e.to_string())?;
    for trade in &world.source.trades {
        let inside = closed
            .iter()
            .any(|closed| closed.from <= trade.stamp && trade.stamp < closed.to);
        let known = (trade.content.key(), trade.content.to_string());
        if inside && !world.seen.contains(&known) {
            return fail(format!("{trade:?} was never seen, but {closed:?} is closed"));
        }
    }
    Ok(())
}

/// A run that went over all records has tried those that wait: none waits for what had come when it began, and none
/// for longer than a day before that.
pub(super) fn nobody_waits_in_vain(world: &World) -> Result<(), String> {
    let pending = RecordFilter {
        state: Some(RecordState::Pending),
        ..RecordFilter::default()
    };
    for record in world.reader.list_records(&pending).map_err(|e| e.to_string())? {
        let (Some(_), Some(content)) = (record.waits_since, Content::parse(&record.version)) else {
            continue;
        };
        let came = world.calm
            || world
                .arrival(content.serial)
                .is_some_and(|at| at <= world.instant);
        let rows = world
            .reader
            .sources(&[record.record])
            .map_err(|e| e.to_string())?;
        // A gap counts as two hours at most, so that the last try may be one gap late.
        let waited = rows.first().map_or(0, |row| row.waited);
        if came || waited > world.setup.wait_for {
            return fail(format!("was not tried, or not given up: {record:?}"));
        }
    }
    Ok(())
}

/// Something is still open: what, and when it can go on.
pub(super) fn unsettled(world: &World) -> Result<Option<(String, Option<Ms>)>, String> {
    if let Some(window) = &world.setup.window
        && window.catch_up == CatchUp::Extend
    {
        let closed = world.reader.closed_intervals(SCHEME).map_err(|e| e.to_string())?;
        let settled = world.instant - window.settle;
        if watermark(&closed) != Some(settled) || closed.len() != 1 {
            return Ok(Some((format!("closed {closed:?}, not up to {settled}"), None)));
        }
    }
    let open: Vec<RecordRow> = records(world)?
        .into_iter()
        .filter(|record| record.state.is_open())
        .collect();
    let due = open
        .iter()
        .filter_map(|record| record.not_before.max(record.resolve_after))
        .min();
    Ok(open.first().map(|record| (format!("{record:?}"), due)))
}

/// The weather is clear and nothing is open: everything is where it belongs.
pub(super) fn settled(world: &World) -> Result<(), String> {
    let mut by_key = BTreeMap::new();
    for record in records(world)? {
        justified(world, &record).map_err(|what| format!("{what}: {record:?}"))?;
        if record.scheme == SCHEME {
            by_key.insert(record.key.clone(), record);
        }
    }
    let closed = world.reader.closed_intervals(SCHEME).map_err(|e| e.to_string())?;
    for trade in &world.source.trades {
        let content = trade.content;
        let read = world.setup.window.is_none()
            || closed
                .iter()
                .any(|closed| closed.from <= trade.stamp && trade.stamp < closed.to);
        let only_one = !world.setup.several;
        let follows = world.setup.on_seen != OnSeen::Skip;
        if !read || !only_one || !follows || content.kind == Kind::Filtered {
            continue;
        }
        let Some(record) = by_key.get(&content.key()) else {
            return fail(format!("{content} is not in the ledger"));
        };
        // A lost answer about somebody else's document looks like one about ours.
        let held = record.state == RecordState::Held
            || record.state == RecordState::Skipped && world.by_hand.contains(&record.record)
            || (world.setup.is_foreign(content.customer) || world.setup.collides(content.customer))
                && world.in_doubt.contains(&record.record);
        let version = record.version.trim_end_matches("-void");
        let newest = record
            .waiting_version
            .as_deref()
            .unwrap_or(version)
            .trim_end_matches("-void");
        if newest != content.to_string() && content.kind != Kind::Keyless {
            return fail(format!("the newest row is {content}, the ledger has {record:?}"));
        }
        let want = match content.kind {
            Kind::Plain => record.state == RecordState::Done || ends_at_a_step(world, &content, record),
            Kind::Deferred => {
                record.state == RecordState::Done
                    || was_given_up(record)
                    || ends_at_a_step(world, &content, record)
            }
            Kind::Poison | Kind::Broken | Kind::Keyless => record.state == RecordState::Dead,
            Kind::Void => matches!(record.state, RecordState::Done | RecordState::Skipped),
            Kind::Filtered => true,
        };
        let stays = is_passed_over(world, record)
            || record.state == RecordState::Dead && record.step.is_some() && !world.setup.updates;
        if !want && !held && !stays {
            return fail(format!("{content} ended as {}", record.state.word()));
        }
    }
    Ok(())
}

fn was_given_up(record: &RecordRow) -> bool {
    let reason = record.reason.as_ref();
    record.state == RecordState::Dead && reason.is_some_and(|reason| reason.code == GIVEN_UP)
}

/// The target refused the last step.
fn ends_at_a_step(world: &World, content: &Content, record: &RecordRow) -> bool {
    record.state == RecordState::Dead
        && record.step.is_some()
        && (0..world.setup.steps.len()).any(|step| world.setup.refuses(content, step))
}

/// Dead, held and skipped only for a reason that this world has.
fn justified(world: &World, record: &RecordRow) -> Result<(), String> {
    let setup = &world.setup;
    let customer: u32 = record.label.parse().map_err(|_| "not a customer")?;
    let content = Content::parse(record.version.trim_end_matches("-void"));
    let kind = content.map(|content| content.kind);
    let refused_step = content.is_some_and(|content| {
        (0..setup.steps.len()).any(|step| setup.refuses(&content, step)) && record.step.is_some()
    });
    let code = record.reason.as_ref().map_or("", |reason| reason.code.as_str());
    let good = match record.state {
        RecordState::Done => true,
        RecordState::Pending | RecordState::Sending | RecordState::Unknown => false,
        RecordState::Dead if refused_step => true,
        RecordState::Skipped if is_passed_over(world, record) => true,
        RecordState::Dead if kind == Some(Kind::Deferred) => was_given_up(record),
        RecordState::Dead => matches!(kind, Some(Kind::Poison | Kind::Broken | Kind::Keyless)),
        RecordState::Skipped if code == reason::SKIPPED_BY_HAND => world.by_hand.contains(&record.record),
        RecordState::Skipped => matches!(kind, Some(Kind::Filtered | Kind::Void)),
        RecordState::Held => match code {
            codes::KEY_CONFLICT | codes::KEY_AMBIGUOUS => {
                // A ledger that is gone knew of documents whose rows were too old to be read again.
                setup.is_foreign(customer) || setup.collides(customer) || setup.may_double() || world.forgot
            }
            codes::CANNOT_ASK => {
                manner(setup.proof, setup.on_unknown) == Manner::Hold
                    || record.action == Some(WriteAction::Void)
            }
            codes::UNKNOWN_TOO_LONG => setup.proof != Proof::Upsert || record.step.is_some(),
            codes::EXISTS_NOT_FOUND => false,
            reason::HELD_BY_HAND => world.by_hand.contains(&record.record),
            // The ledger's own: another record has the key.
            _ => setup.collides(customer),
        },
    };
    if good {
        Ok(())
    } else {
        fail("not justified in this world")
    }
}
