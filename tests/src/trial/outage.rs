//! A14: a target that is down for six hours while tens of thousands of records wait for it, in simulated time.
//!
//! Five schemes share the target and are due every few minutes. The same rows are written once without an outage, and once
//! for each way of being down: nobody accepts a connection, nothing comes back, a gateway answers. Some rows change
//! while the target is away. What is compared is what the target executed, and every call that was made.

use std::collections::BTreeMap;

use flow::{MAX_UNREACHABLE, PROBE_EVERY};

use super::named::{Given, Say, Size, Trial};
use crate::sim::line::{
    BEGIN, Doc, Fate, HOUR, Kind, Line, MINUTE, Made, Manner, Ms, QUIET, SECOND, TIMEOUT,
};

const SCHEMES: u64 = 5;
/// Documents a call.
const BATCH: u32 = 50;
/// How long the target is away.
const AWAY: Ms = 6 * HOUR;
/// A little after the first runs have begun, so that the outage meets them in the middle.
const FROM: Ms = BEGIN + 3 * SECOND;
/// A call takes so long.
const TAKES: Ms = SECOND;
/// One row of so many changes in each hour of the outage.
const CHANGED: u64 = 97;
/// Runs that are enough for everything, and far too few for an engine that does not settle.
const MOST_TICKS: u32 = 2_000;

pub(super) const TRIAL: Trial = Trial {
    name: "A14",
    what: "a target that is down for 6 hours, in three ways, while records wait",
    sizes: &[
        Size {
            flag: "--records",
            full: 50_000,
            small: 1_500,
        },
        Size {
            flag: "--every",
            full: 1,
            small: 10,
        },
    ],
    run,
};

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let records = given.get("--records");
    let every = Ms::try_from(given.get("--every")).unwrap_or_default() * MINUTE;
    let plain = play(records, every, None)?;
    say(format!("never down: {plain:?}"));
    let mut told = Vec::new();
    for (fate, words) in [
        (Fate::NotSent, "refuses connections"),
        (Fate::Lost, "does not answer"),
        (Fate::Gateway, "behind a gateway"),
    ] {
        let seen = play(records, every, Some(fate)).map_err(|why| format!("{words}: {why}"))?;
        say(format!("{words}: {seen:?}"));
        let ratio = |part: i64, whole: i64| part * 100 / whole.max(1);
        let time = ratio(seen.drained_ms, plain.drained_ms);
        let calls = ratio(seen.after, plain.after);
        if time > 120 {
            return Err(format!(
                "{words}: drained in {time} % of the plain time: {seen:?} {plain:?}"
            ));
        }
        told.push(format!(
            "{words}: {} calls in the outage, at least {} s apart once it was known, seen again after {} s, drained in \
             {}.{:02} of the plain time ({}.{:02} of its calls)",
            seen.during,
            seen.apart_ms / SECOND,
            seen.noticed_ms / SECOND,
            time / 100,
            time % 100,
            calls / 100,
            calls % 100,
        ));
    }
    Ok(format!(
        "{records} records of {SCHEMES} schemes, {} changed meanwhile: 0 dead, 0 held, each version written once and in \
         order; {}",
        plain.changed,
        told.join("; ")
    ))
}

/// What was seen.
#[derive(Debug, Clone, Copy)]
struct Seen {
    /// Rows that changed during the six hours.
    changed: u64,
    /// Calls while it was away.
    during: u64,
    /// Of those after the circuit was open, the shortest time between two.
    apart_ms: Ms,
    /// From its return to the first call.
    noticed_ms: Ms,
    /// From the first call that came through (after its return) until everything was settled.
    drained_ms: Ms,
    /// Calls in that time.
    after: i64,
}

fn scheme(nth: u64) -> String {
    format!("scheme-{nth}")
}

/// Plays one world to the end and judges it.
fn play(records: u64, every: Ms, down: Option<Fate>) -> Result<Seen, String> {
    let manner: Manner<'_> = Box::new(move |now, _, _| match down {
        Some(fate) if (FROM..FROM + AWAY).contains(&now) => match fate {
            Fate::Lost => (TIMEOUT, fate),
            Fate::NotSent => (20, fate),
            _ => (200, fate),
        },
        _ => (TAKES, Fate::Plain),
    });
    let mut line = Line::new(BATCH, manner)?;
    let mut wanted: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for nth in 0..records {
        let key = format!("K{nth:06}");
        line.put(&scheme(nth % SCHEMES), &key, 1, BEGIN - MINUTE);
        wanted.insert(key, vec![1]);
    }
    let mut changes: Vec<(Ms, u64, u32)> = (1..=5)
        .flat_map(|hour| {
            let due = (0..records).filter(move |nth| nth % CHANGED == hour * 7);
            let at = FROM + Ms::try_from(hour).unwrap_or_default() * HOUR;
            // Without an outage all of it is there from the beginning: the same documents to write.
            due.map(move |nth| (if down.is_some() { at } else { BEGIN - SECOND }, nth, 2))
        })
        .collect();
    changes.reverse();
    let changed = u64::try_from(changes.len()).unwrap_or(u64::MAX);
    let mut settled = None;
    for _ in 0..MOST_TICKS {
        let tick = line.now;
        while let Some((at, nth, version)) = changes.pop_if(|(at, ..)| *at <= tick) {
            let stamp = if down.is_some() { tick } else { at };
            let key = format!("K{nth:06}");
            line.put(&scheme(nth % SCHEMES), &key, version, stamp);
            wanted.entry(key).or_default().push(version);
        }
        for nth in 0..SCHEMES {
            line.run(&scheme(nth))?;
        }
        if changes.is_empty() && open(&line)? == 0 {
            settled = Some(line.now);
            break;
        }
        // The schedule, and at once when the runs took longer.
        line.now = line.now.max(tick + every);
    }
    if settled.is_none() {
        return Err(format!(
            "{} records are open after {MOST_TICKS} ticks",
            open(&line)?
        ));
    }
    judge(&line, &wanted, down)?;
    timed(&line, changed, every, down)
}

/// Records of all schemes in these states.
fn in_states(line: &Line<'_>, wanted: &[usize]) -> Result<u64, String> {
    let mut sum = 0;
    for nth in 0..SCHEMES {
        let states = line.states(&scheme(nth))?;
        sum += wanted.iter().map(|state| states[*state]).sum::<u64>();
    }
    Ok(sum)
}

fn open(line: &Line<'_>) -> Result<u64, String> {
    in_states(line, &[0, 1, 2])
}

/// Every document is at the target in its last version, no version was written twice or after a newer one, and nothing
/// was given up.
fn judge(line: &Line<'_>, wanted: &BTreeMap<String, Vec<u32>>, down: Option<Fate>) -> Result<(), String> {
    let given_up = in_states(line, &[4, 5, 6])?;
    if given_up > 0 {
        return Err(format!("{given_up} records are dead, held or skipped"));
    }
    if line.spent > 0 {
        return Err(format!("{} sends were used up", line.spent));
    }
    let mut written: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
    for (_, doc) in &line.journal {
        written.entry(&doc.key).or_default().push(doc.version);
    }
    for (key, versions) in wanted {
        let got = written.get(key.as_str()).map_or(&[][..], Vec::as_slice);
        let in_order = got.windows(2).all(|pair| pair[0] < pair[1]);
        if !in_order || got.last() != versions.last() {
            return Err(format!("{key} showed {versions:?}, and {got:?} was written"));
        }
    }
    // Where nothing came into doubt, each scheme's records are written in the order they came in.
    if matches!(down, None | Some(Fate::NotSent)) {
        for nth in 0..SCHEMES {
            let first: Vec<&Doc> = line
                .journal
                .iter()
                .map(|(_, doc)| doc)
                .filter(|doc| number(doc) % SCHEMES == nth && doc.version == 1)
                .collect();
            if let Some(pair) = first.windows(2).find(|pair| pair[0].key >= pair[1].key) {
                return Err(format!("{pair:?} were written in this order"));
            }
        }
    }
    Ok(())
}

fn number(doc: &Doc) -> u64 {
    doc.key.trim_start_matches('K').parse().unwrap_or_default()
}

/// Times and counts, and the pace of the probes.
fn timed(line: &Line<'_>, changed: u64, every: Ms, down: Option<Fate>) -> Result<Seen, String> {
    let end = line.calls.last().map_or(BEGIN, |made| made.at) + TAKES;
    let back = if down.is_some() { FROM + AWAY } else { BEGIN };
    let during: Vec<&Made> = line
        .calls
        .iter()
        .filter(|made| down.is_some() && made.fate != Fate::Plain)
        .collect();
    let known = usize::try_from(MAX_UNREACHABLE).unwrap_or_default() - 1;
    let probes = during.get(known..).unwrap_or_default();
    let apart_ms = probes
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .min()
        .unwrap_or(Ms::MAX);
    if down.is_some() {
        let ticks = AWAY / every.max(1);
        if Ms::try_from(during.len()).unwrap_or_default() < ticks / 3 {
            return Err(format!("only {} calls in six hours: nobody looks", during.len()));
        }
        if apart_ms < PROBE_EVERY {
            return Err(format!("two probes are {apart_ms} ms apart"));
        }
        if let Some(many) = probes
            .iter()
            .skip(1)
            .find(|made| made.docs > 1 && made.kind == Kind::Write)
        {
            return Err(format!("a probe brought {} records into doubt", many.docs));
        }
    }
    let through: Vec<&Made> = line
        .calls
        .iter()
        .filter(|made| made.at >= back && made.fate == Fate::Plain)
        .collect();
    let first = through.first().ok_or("nothing was ever called")?;
    let noticed_ms = first.at - back;
    // A probe is due within a minute, a run within its schedule; and a question may not be due yet.
    if down.is_some() && noticed_ms > PROBE_EVERY + every + QUIET {
        return Err(format!(
            "seen again only {} s after it was back",
            noticed_ms / SECOND
        ));
    }
    Ok(Seen {
        changed,
        during: u64::try_from(during.len()).unwrap_or(u64::MAX),
        apart_ms,
        noticed_ms,
        drained_ms: end - first.at,
        after: i64::try_from(through.len()).unwrap_or(i64::MAX),
    })
}
