//! A1, A2 and A3: `kill -9` at targets of every level, 30 % of whose calls go wrong.
//!
//! Campaigns of one figure run side by side, each in a world of its own: most of a run is waiting for a target that
//! does not answer.

use std::sync::mpsc;

use sandbox::Level;

use super::killed::{self, Campaign, Outcome};
use super::named::{Given, Say, Size, Trial};

/// Below the quiet period of 500 ms, with room for a busy machine.
const LATE_BELOW_MS: u64 = 150;
/// Above the quiet period, and above both questions of a target without unique keys.
const LATE_ABOVE_MS: u64 = 5_000;

const SIZES: &[Size] = &[
    Size {
        flag: "--kills",
        full: 500,
        small: 4,
    },
    Size {
        flag: "--seed",
        full: 1,
        small: 1,
    },
];

/// Targets that can be asked, or that know what they have done.
pub(super) const A1: Trial = Trial {
    name: "A1",
    what: "kill -9 at random instants, 30 % of the target's calls faulty, targets K1, K2, K3",
    sizes: SIZES,
    run: |given, say| {
        let levels = [Level::Upsert, Level::IdempotencyKey, Level::UniqueKey];
        let campaigns = levels.map(|level| campaign(given, level, LATE_BELOW_MS));
        let mut told = Vec::new();
        for (campaign, outcome) in run_all(&campaigns, say)? {
            told.push(clean(&campaign, &outcome)?);
        }
        Ok(told.join("; "))
    },
};

/// Targets that can be asked and take anything twice.
pub(super) const A2: Trial = Trial {
    name: "A2",
    what: "the same at K4; and late commits above the quiet period at K4 and K3",
    sizes: SIZES,
    run: |given, say| {
        let campaigns = [
            campaign(given, Level::Query, LATE_BELOW_MS),
            campaign(given, Level::UniqueKey, LATE_ABOVE_MS),
            // How many it doubles is the target's doing: a few kills show that the checker sees them.
            Campaign {
                kills: given.get("--kills").div_ceil(5).max(2),
                ..campaign(given, Level::Query, LATE_ABOVE_MS)
            },
        ];
        let outcomes = run_all(&campaigns, say)?;
        let [(below, at_below), (unique, at_unique), (above, at_above)] = &outcomes[..] else {
            return Err("three campaigns were to run".to_owned());
        };
        Ok(format!(
            "late below q: {}; late above q: {}; late above q: {}",
            clean(below, at_below)?,
            clean(unique, at_unique)?,
            seen(above, at_above)?,
        ))
    },
};

/// Targets that can neither be asked nor told twice.
pub(super) const A3: Trial = Trial {
    name: "A3",
    what: "the same at K0: what is in doubt waits for a person, with the evidence of its attempt",
    sizes: SIZES,
    run: |given, say| {
        let campaigns = [campaign(given, Level::None, LATE_BELOW_MS)];
        let outcomes = run_all(&campaigns, say)?;
        let (campaign, outcome) = outcomes.first().ok_or("a campaign was to run")?;
        if outcome.judged.held == 0 {
            return Err("nothing came into doubt: the campaign shows nothing".to_owned());
        }
        clean(campaign, outcome)
    },
};

fn campaign(given: &Given, level: Level, late_ms: u64) -> Campaign {
    Campaign {
        level,
        kills: given.get("--kills"),
        seed: given.get("--seed"),
        late_ms,
    }
}

/// Runs them side by side; their outcomes, in order.
fn run_all(campaigns: &[Campaign], say: Say<'_>) -> Result<Vec<(Campaign, Outcome)>, String> {
    let (tell, told) = mpsc::channel::<String>();
    std::thread::scope(|scope| {
        let running: Vec<_> = campaigns
            .iter()
            .map(|campaign| {
                let tell = tell.clone();
                let say = move |line: String| drop(tell.send(line));
                scope.spawn(move || killed::run(campaign, &say))
            })
            .collect();
        drop(tell);
        // Ends when the last campaign has.
        told.into_iter().for_each(say);
        let ended = campaigns.iter().zip(running).map(|(campaign, thread)| {
            let outcome = thread
                .join()
                .unwrap_or_else(|_| Err("a campaign panicked".to_owned()));
            let outcome = outcome
                .map_err(|why| format!("{}, seed {}: {why}", killed::name(campaign.level), campaign.seed));
            Ok((*campaign, outcome?))
        });
        ended.collect()
    })
}

/// The figure of a campaign after which nothing may be lost or doubled.
fn clean(campaign: &Campaign, outcome: &Outcome) -> Result<String, String> {
    let problems = outcome.judged.problems();
    if problems.is_empty() {
        Ok(told(campaign, outcome))
    } else {
        Err(format!(
            "{}, seed {}:\n{}",
            told(campaign, outcome),
            campaign.seed,
            problems.join("\n")
        ))
    }
}

/// The figure of a campaign at a target that breaks its word: what it doubles must be seen, nothing may be lost.
fn seen(campaign: &Campaign, outcome: &Outcome) -> Result<String, String> {
    let judged = &outcome.judged;
    let figure = told(campaign, outcome);
    match (judged.doubled.is_empty(), judged.lost.is_empty()) {
        (false, true) => Ok(figure),
        (true, _) => Err(format!(
            "{figure}: the checker saw no doubled key at a target that is later than it may be"
        )),
        (false, false) => Err(format!(
            "{figure}, seed {}:\n{}",
            campaign.seed,
            judged.lost.join("\n")
        )),
    }
}

fn told(campaign: &Campaign, outcome: &Outcome) -> String {
    let (tally, judged) = (&outcome.tally, &outcome.judged);
    let held = match judged.held {
        0 => String::new(),
        held => format!(", {held} held"),
    };
    format!(
        "{} {} kills ({} with records in flight), {} lost, {} doubled{held} of {} keys, {} executed writes, {} of {} calls faulty",
        killed::name(campaign.level),
        tally.kills,
        tally.in_flight,
        judged.lost.len(),
        judged.doubled.len(),
        judged.customers,
        judged.executed,
        tally.faulty,
        tally.calls,
    )
}
