//! A17: from the start of a process to the first write at the target, with a ledger of a million settled records.
//!
//! `engine run` and `engine serve` in turns. Each process is killed while its first write is out, so that the next one
//! finds records on their way and has to recover them. The ledger is filled by SQL, as no target could be that patient.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sandbox::Level;
use serde_json::json;

use super::Watch;
use super::killed::{self, Campaign};
use super::named::{Given, Say, Size, Trial};
use crate::e2e::{Recorder, World};

/// How long a first write may take on a busy machine before the trial gives up.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) const TRIAL: Trial = Trial {
    name: "A17",
    what: "from the start of a process to its first write, with a ledger of 1,000,000 records",
    sizes: &[
        Size {
            flag: "--records",
            full: 1_000_000,
            small: 2_000,
        },
        Size {
            flag: "--starts",
            full: 10,
            small: 2,
        },
        // Milliseconds, the slowest start. A debug build is only looked at.
        Size {
            flag: "--most",
            full: 2_000,
            small: 120_000,
        },
    ],
    run,
};

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let campaign = Campaign {
        level: Level::UniqueKey,
        kills: 0,
        seed: 17,
        late_ms: 0,
    };
    let mut world = killed::world(&campaign, 120);
    let scheme = killed::scheme(campaign.level);
    let (wrote, writes) = channel();
    let wrote = Mutex::new(wrote);
    let target = Recorder::twisting(
        world.addr(),
        Arc::new(move |request, answer| {
            if request.head.starts_with("POST ") && request.path().ends_with("documents") {
                let wrote = wrote.lock().unwrap_or_else(PoisonError::into_inner);
                // Whoever measures may have given up.
                wrote.send(()).ok();
            }
            answer
        }),
    );
    let (from, to) = (world.addr().to_string(), target.addr().to_string());
    let server = world.unset_and_get("LEVELS_PLAIN");
    world.set("LEVELS_PLAIN", &server.replace(&from, &to));
    // What the schemes' folder holds beside it is not of this trial.
    let ran = world.engine(&["run", scheme]);
    if ran.code != Some(0) {
        return Err(ran.to_string());
    }
    let filled = Watch::start();
    ledger::contract::fill(&world.data(), "level-unique-key", given.get("--records"))
        .map_err(|error| error.to_string())?;
    let bytes = std::fs::metadata(world.data().join("ledger.db")).map_or(0, |about| about.len());
    say(format!(
        "A17: {} records, {} MiB, filled in {} s",
        given.get("--records"),
        bytes >> 20,
        filled.passed().as_secs()
    ));
    let mut took = [Vec::new(), Vec::new()];
    for nth in 0..given.get("--starts").max(1) {
        for (serve, took) in [false, true].into_iter().zip(&mut took) {
            let start = start(&world, scheme, serve, &writes)?;
            say(format!(
                "A17 start {nth}, serve {serve}: {} ms",
                start.as_millis()
            ));
            took.push(start);
        }
    }
    let told = took.map(|mut took| {
        took.sort();
        (took[took.len() / 2], took[took.len() - 1])
    });
    let verified = world.engine(&["verify", "--scheme", "nobody"]);
    if !matches!(verified.code, Some(0 | 2)) {
        return Err(verified.to_string());
    }
    let [(run, run_most), (serve, serve_most)] = told;
    let figure = format!(
        "`engine run` median {} ms, slowest {} ms; `engine serve` median {} ms, slowest {} ms ({} records, {} MiB; each start finds records on their way)",
        run.as_millis(),
        run_most.as_millis(),
        serve.as_millis(),
        serve_most.as_millis(),
        given.get("--records"),
        bytes >> 20,
    );
    if run_most.max(serve_most) > Duration::from_millis(given.get("--most")) {
        return Err(format!("too slow: {figure}"));
    }
    Ok(figure)
}

/// Something is stored and not written; a process starts, and is killed as soon as it has written.
fn start(world: &World, scheme: &str, serve: bool, writes: &Receiver<()>) -> Result<Duration, String> {
    world.control("change", &json!({"customers": 0, "new": 10}));
    let fetched = world.engine(&["run", scheme, "--stage", "fetch"]);
    if !matches!(fetched.code, Some(0 | 1)) {
        return Err(fetched.to_string());
    }
    // Of the process before: its second batch may have come through in its last moment.
    while writes.try_recv().is_ok() {}
    let words: &[&str] = match serve {
        true => &["serve", "--listen", "127.0.0.1:0"],
        false => &["run", scheme],
    };
    let watch = Watch::start();
    let process = world.command(words).start();
    let written = writes.recv_timeout(PATIENCE);
    let took = watch.passed();
    let ran = process.kill();
    match (written, ran) {
        (Ok(()), true) => Ok(took),
        (Ok(()), false) => Err("it ended before it was killed".to_owned()),
        (Err(_), _) => Err(format!("nothing was written by {words:?}")),
    }
}
