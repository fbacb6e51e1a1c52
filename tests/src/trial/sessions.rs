//! A15: the session of the target ends at each call of a run in turn.
//!
//! At a system that looks at the session before it executes anything, and at one of which that is not known, so that a
//! write whose session was lost is asked about. That many tasks of one credential renew its session once is shown where
//! the session is kept, in `engine/app`.

use std::collections::BTreeMap;

use sandbox::{Level, NewSettings};
use serde_json::json;

use super::named::{Given, Say, Size, Trial};
use super::plain::{self, System};
use crate::e2e::{Shop, World};

/// Records of a run, in batches.
const ROWS: u64 = 18;
const BATCH: u64 = 3;

pub(super) const TRIAL: Trial = Trial {
    name: "A15",
    what: "the target's session ends at every call of a run; and again and again within one",
    sizes: &[Size {
        flag: "--rounds",
        full: 10,
        small: 1,
    }],
    run,
};

fn run(given: &Given, say: Say<'_>) -> Result<String, String> {
    let mut told = Vec::new();
    for system in System::ALL {
        let mut tally = Tally::default();
        let (world, shop) = plain::at(system, Level::UniqueKey, BATCH);
        let mut lane = Lane {
            system,
            world: &world,
            shop: &shop,
            rows: 0,
        };
        let calls = lane.pass(&mut tally)?.calls;
        for _ in 0..given.get("--rounds") {
            for nth in 1..=calls {
                lane.lost_at(nth, &mut tally)
                    .map_err(|why| format!("{system:?}, session lost at call {nth}: {why}"))?;
            }
        }
        // With one call a session, no question could be followed by a write.
        for most in 2..=5 {
            lane.few(most, &mut tally)
                .map_err(|why| format!("{system:?}, sessions of {most} calls: {why}"))?;
        }
        say(format!("{system:?}: {tally:?}"));
        told.push(format!(
            "{}: lost at each of {calls} calls, {} runs, {} sessions lost, {} made anew",
            system.name(),
            tally.runs,
            tally.lost,
            tally.renewed
        ));
    }
    Ok(format!(
        "0 failed records, nothing written twice, each lost session made anew once; {}",
        told.join("; ")
    ))
}

/// What was seen.
#[derive(Debug, Default)]
struct Tally {
    runs: u64,
    lost: u64,
    renewed: u64,
}

/// Calls of one run.
struct Calls {
    calls: u64,
    logins: u64,
}

/// One system, run after run, each with new rows.
struct Lane<'a> {
    system: System,
    world: &'a World,
    shop: &'a Shop,
    rows: u64,
}

impl Lane<'_> {
    /// New rows, and one run that must do all of them.
    fn pass(&mut self, tally: &mut Tally) -> Result<Calls, String> {
        let from = self.rows;
        self.rows += ROWS;
        self.shop.put(
            "rows",
            (from..self.rows).map(|nth| plain::row(nth, "buyer")).collect(),
        );
        let count = || {
            (
                self.world.calls(self.system.word()),
                self.world.calls(self.system.login()),
            )
        };
        let before = count();
        let ran = self.world.engine(&["run", plain::SCHEME, "--json"]);
        tally.runs += 1;
        if ran.code != Some(0) {
            return Err(ran.to_string());
        }
        let states = ran.json()["runs"][0]["states"].clone();
        if states["done"] != self.rows {
            return Err(format!("{states} of {}", self.rows));
        }
        let mut written: BTreeMap<String, u64> = BTreeMap::new();
        for entry in self.world.journal() {
            *written.entry(entry.number).or_default() += 1;
        }
        let once = written.values().all(|times| *times == 1);
        if !once || u64::try_from(written.len()) != Ok(self.rows) {
            return Err(format!("{written:?}"));
        }
        let after = count();
        Ok(Calls {
            calls: after.0 - before.0,
            logins: after.1 - before.1,
        })
    }

    /// The session that the n-th call shows is not known any more.
    fn lost_at(&mut self, nth: u64, tally: &mut Tally) -> Result<(), String> {
        let plan = json!({"endpoint": self.system.word(), "kind": "session_lost", "nth": nth});
        self.world
            .control("fault", &json!({"clear": true, "plans": [plan]}));
        // The first call of a run is its login, which has no session to lose.
        let is_login = nth == 1;
        if is_login {
            self.world.control("fault", &json!({"clear": true}));
        }
        let calls = self.pass(tally)?;
        let struck = self.world.sandbox().struck().iter().sum::<u64>();
        tally.lost += struck;
        tally.renewed += calls.logins - 1;
        if struck != u64::from(!is_login) || calls.logins != 1 + struck {
            return Err(format!("{struck} sessions were lost, {} logins", calls.logins));
        }
        Ok(())
    }

    /// Every session is good for so many calls.
    fn few(&mut self, most: u64, tally: &mut Tally) -> Result<(), String> {
        self.world.control("fault", &json!({"clear": true}));
        self.sessions_of(most)?;
        let calls = self.pass(tally)?;
        tally.renewed += calls.logins - 1;
        tally.lost += calls.logins - 1;
        let others = calls.calls - calls.logins;
        // Each session but the last ends with the call that found it lost.
        if calls.logins > others / most + 1 {
            return Err(format!("{} logins for {others} other calls", calls.logins));
        }
        self.sessions_of(0)
    }

    /// 0 = no bound.
    fn sessions_of(&self, most: u64) -> Result<(), String> {
        let settings = NewSettings {
            session_max_calls: Some(most),
            ..NewSettings::default()
        };
        self.world.sandbox().set(&settings)
    }
}
