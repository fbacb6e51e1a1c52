//! The timetable, told events at instants; what it starts is written down as lines.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow::ids::Ms;
use flow::op::Reason;
use flow::timetable::{
    AGE, Action, BACK_OFF, CENSUS_GRACE, DueRow, Ended, Event, First, Half, LATE, MAX_BACK_OFF, Missed,
    PANICS, PUSH_PACE, Paused, Places, Remembered, Rule, SLACK, Spec, Standing, Timetable, Timing, Token,
};

const M: Ms = 60_000;
const H: Ms = 60 * M;

/// Every so long, on the grid that begins at 0.
fn every(interval: Ms) -> Arc<dyn Rule> {
    Arc::new(move |after: Ms| Some((after.div_euclid(interval) + 1) * interval))
}

/// The same, from `from` to `to` of each day of 24 hours.
struct Hours(Ms, Ms, Ms);

impl Rule for Hours {
    fn next(&self, after: Ms) -> Option<Ms> {
        let next = (after.div_euclid(self.0) + 1) * self.0;
        Some(self.opens(next))
    }

    fn opens(&self, at: Ms) -> Ms {
        let day = at.div_euclid(24 * H) * 24 * H;
        match at - day {
            of_day if of_day < self.1 => day + self.1,
            of_day if of_day >= self.2 => day + 24 * H + self.1,
            _ => at,
        }
    }
}

fn timing(half: Half, rule: Arc<dyn Rule>) -> Timing {
    Timing {
        half,
        rule,
        text: "rule".to_owned(),
        first: First::AtNext,
        jitter: 0,
    }
}

fn spec(scheme: &str, interval: Ms) -> Spec {
    Spec {
        timings: vec![timing(Half::All, every(interval))],
        ..Spec::new(scheme)
    }
}

/// What is held starts by nobody, and what is owed meanwhile is one run when that ends.
#[test]
fn a_scheme_that_is_held_owes_and_does_not_start() {
    let held = Spec {
        held: true,
        ..spec("a", 10)
    };
    let mut script = Script::with([held, spec("b", 10)]);
    assert_eq!(script.at(10, Event::Tick), ["b/all Schedule 10+0"]);
    assert!(script.at(11, Event::RunNow("a".to_owned(), Half::All)).is_empty());
    assert!(script.at(20, Event::Census(vec![script.tokens["b"]])).is_empty());
    let started = script.at(25, Event::Hold("a".to_owned(), false));
    assert_eq!(started, ["a/all Manual 10+15"]);
    // A run that goes on is not touched; the next one is not begun.
    assert!(script.at(26, Event::Hold("a".to_owned(), true)).is_empty());
    let token = script.tokens["a"];
    assert!(script.at(27, Event::Ended(token, Ended::Well)).is_empty());
    assert!(script.at(60, Event::Tick).is_empty());
    let (_, row) = script.rows.iter().find(|((scheme, _), _)| scheme == "a").unwrap();
    assert_eq!(row.tally.rearmed, 0);
}

/// A person's wish does not bring the two of a pair together either.
#[test]
fn the_schemes_of_a_pair_run_one_after_the_other() {
    let pair = |scheme: &str| Spec {
        alone: Some("a b".to_owned()),
        credentials: vec!["a b".to_owned()],
        ..spec(scheme, 10)
    };
    let mut script = Script::with([pair("a"), pair("b"), spec("c", 10)]);
    let started = script.at(10, Event::Tick);
    assert_eq!(started, ["a/all Schedule 10+0", "c/all Schedule 10+0"]);
    assert!(script.at(11, Event::RunNow("b".to_owned(), Half::All)).is_empty());
    let token = script.tokens["a"];
    assert_eq!(
        script.at(15, Event::Ended(token, Ended::Well)),
        ["b/all Manual 10+5"]
    );
    assert!(script.at(16, Event::RunNow("a".to_owned(), Half::All)).is_empty());
}

/// A timetable and what it did.
struct Script {
    table: Timetable,
    rows: BTreeMap<(String, Half), DueRow>,
    tokens: BTreeMap<String, Token>,
    paused: Vec<String>,
}

impl Script {
    fn new(places: Places) -> Script {
        Script {
            table: Timetable::new(places),
            rows: BTreeMap::new(),
            tokens: BTreeMap::new(),
            paused: Vec::new(),
        }
    }

    fn with(specs: impl IntoIterator<Item = Spec>) -> Script {
        let mut script = Script::new(Places::default());
        for spec in specs {
            script.at(0, Event::Put(Box::new(spec), Remembered::default()));
        }
        script
    }

    /// One step; the starts as `scheme/half cause due+late`.
    fn at(&mut self, now: Ms, event: Event) -> Vec<String> {
        let mut lines = Vec::new();
        for action in self.table.step(now, event) {
            match action {
                Action::Start(start) => {
                    let Start {
                        scheme,
                        half,
                        cause,
                        due,
                        late,
                        ..
                    } = &start;
                    let half = half.word();
                    lines.push(format!("{scheme}/{half} {cause:?} {due}+{late}"));
                    self.tokens.insert(start.scheme.clone(), start.token);
                }
                Action::Keep(row) => {
                    self.rows.insert((row.scheme.clone(), row.half), row);
                }
                Action::Paused(scheme, paused) => {
                    self.paused.push(format!("{scheme} {}", paused.reason.code))
                }
            }
        }
        lines
    }

    fn tick(&mut self, now: Ms) -> Vec<String> {
        self.at(now, Event::Tick)
    }

    fn ends(&mut self, now: Ms, scheme: &str, how: Ended) -> Vec<String> {
        let token = self.tokens.remove(scheme).expect("a run of it is under way");
        self.at(now, Event::Ended(token, how))
    }

    fn next(&self, scheme: &str) -> Option<Ms> {
        self.rows[&(scheme.to_owned(), Half::All)].next
    }

    fn remembered(&self, scheme: &str) -> Remembered {
        let rows = self.rows.values().filter(|row| row.scheme == scheme);
        Remembered {
            rows: rows.cloned().collect(),
            paused: None,
        }
    }
}

use flow::timetable::Start;

fn paused() -> Paused {
    Paused {
        since: 0,
        by: "Li".to_owned(),
        reason: Reason::new("", "stocktaking"),
    }
}

#[test]
fn one_run_for_each_instant() {
    let mut script = Script::with([spec("a", 6 * M)]);
    assert_eq!(script.table.wake(), Some(0), "something was put");
    assert_eq!(script.tick(0), Vec::<String>::new());
    assert_eq!(script.table.wake(), Some(6 * M));
    assert!(script.tick(6 * M - 1).is_empty(), "never before it is due");
    assert_eq!(script.tick(6 * M), ["a/all Schedule 360000+0"]);
    assert!(script.ends(7 * M, "a", Ended::Well).is_empty());
    assert_eq!(script.tick(12 * M + 250), ["a/all Schedule 720000+250"]);
    let row = &script.rows[&("a".to_owned(), Half::All)];
    assert_eq!(
        (row.tally.starts, row.tally.lateness, row.tally.late),
        (2, 250, 0)
    );
}

#[test]
fn a_new_scheme_may_begin_at_once() {
    let mut new = spec("a", 6 * M);
    new.timings[0].first = First::AtOnce;
    let mut script = Script::with([new]);
    assert_eq!(script.tick(0), ["a/all Schedule 0+0"]);
}

/// F25: never two at once; ticks during a run are one run more.
#[test]
fn ticks_during_a_run_are_one_run() {
    let mut script = Script::with([spec("a", 6 * M)]);
    assert_eq!(script.tick(6 * M).len(), 1);
    assert!(script.tick(12 * M).is_empty());
    assert!(script.tick(18 * M).is_empty());
    assert_eq!(
        script.ends(20 * M, "a", Ended::Well),
        ["a/all Schedule 720000+480000"]
    );
    assert!(script.ends(21 * M, "a", Ended::Well).is_empty());
    assert_eq!(script.rows[&("a".to_owned(), Half::All)].tally.overlaps, 2);
    assert_eq!(script.tick(24 * M).len(), 1);
}

/// F22: after an outage one run, as late as it is; its windows are cut by the run.
#[test]
fn an_outage_is_made_up_for_by_one_run() {
    let mut script = Script::with([spec("a", 6 * M)]);
    script.tick(0);
    let kept = script.remembered("a");
    let mut later = Script::new(Places::default());
    later.at(3 * H + 1, Event::Put(Box::new(spec("a", 6 * M)), kept));
    assert_eq!(later.tick(3 * H + 1), ["a/all Schedule 360000+10440001"]);
    assert_eq!(later.rows[&("a".to_owned(), Half::All)].tally.late, 1);
    assert!(later.ends(3 * H + M, "a", Ended::Well).is_empty());
    assert_eq!(later.table.wake(), Some(3 * H + 6 * M));
}

/// A run that a crash ends is owed still: a scheme without a window would else wait for its next day.
#[test]
fn what_a_crash_ended_is_owed() {
    let mut script = Script::with([spec("a", 24 * H)]);
    assert_eq!(script.tick(24 * H).len(), 1);
    assert_eq!(script.next("a"), Some(24 * H), "until the run has ended");
    let kept = script.remembered("a");
    let mut later = Script::new(Places::default());
    later.at(25 * H, Event::Put(Box::new(spec("a", 24 * H)), kept));
    assert_eq!(later.tick(25 * H), ["a/all Schedule 86400000+3600000"]);
    // The process is told to stop: the same.
    later.ends(26 * H, "a", Ended::Stopped);
    assert_eq!(later.next("a"), Some(24 * H));
}

#[test]
fn missed_instants_may_be_left_out() {
    let mut skipping = spec("a", H);
    skipping.missed = Missed::Skip;
    let mut script = Script::with([skipping]);
    // Seen at once: a run that begins late for want of a place is not missed.
    assert_eq!(script.tick(H + LATE).len(), 1);
    script.ends(H + 2 * M, "a", Ended::Well);
    assert!(script.tick(5 * H + LATE + 1).is_empty());
    let row = &script.rows[&("a".to_owned(), Half::All)];
    assert_eq!((row.tally.skipped, row.next), (1, Some(6 * H)));
    assert_eq!(script.tick(6 * H).len(), 1);
}

#[test]
fn a_changed_rule_is_reckoned_anew() {
    let mut script = Script::with([spec("a", 24 * H)]);
    script.tick(H);
    let mut changed = spec("a", H);
    changed.timings[0].text = "another".to_owned();
    script.at(H, Event::Put(Box::new(changed.clone()), Remembered::default()));
    assert!(script.tick(H).is_empty(), "a change is no reason to run");
    assert_eq!(script.tick(2 * H), ["a/all Schedule 7200000+0"]);
    script.ends(2 * H, "a", Ended::Well);
    // What was owed before the change is owed after it; and a rule that was written with a clock far ahead is not believed.
    let mut row = script.remembered("a");
    for (next, now, want) in [(2 * H + 1, 3 * H, "now"), (900 * H, 3 * H, "next")] {
        row.rows[0].next = Some(next);
        let mut later = Script::new(Places::default());
        later.at(now, Event::Put(Box::new(changed.clone()), row.clone()));
        let begun = later.tick(now);
        assert_eq!(begun.len(), usize::from(want == "now"), "{next}: {begun:?}");
        assert_eq!(later.table.wake(), Some(4 * H));
    }
}

/// A scheme that is disabled while it waits for a place does not begin; what a person asked for does.
#[test]
fn what_the_old_rule_asked_for_is_not_begun() {
    let one = Places {
        runs: 1,
        per_credential: 1,
    };
    for asked in [false, true] {
        let mut script = Script::new(one);
        for scheme in ["a", "b"] {
            script.at(0, Event::Put(Box::new(spec(scheme, H)), Remembered::default()));
        }
        assert_eq!(script.tick(H).len(), 1);
        if asked {
            script.at(H, Event::RunNow("b".to_owned(), Half::All));
        }
        script.at(H, Event::Put(Box::new(Spec::new("b")), Remembered::default()));
        let begun = script.ends(H + M, "a", Ended::Well);
        assert_eq!(begun.len(), usize::from(asked), "{begun:?}");
    }
}

fn disabled(scheme: &str) -> Event {
    let spec = Spec {
        by_hand: true,
        ..Spec::new(scheme)
    };
    Event::Put(Box::new(spec), Remembered::default())
}

/// However it waits when it is disabled: nothing of it begins, now or after a restart, and nobody but a person is heard.
#[test]
fn a_disabled_scheme_does_not_begin() {
    let night = || Spec {
        timings: vec![timing(Half::All, Arc::new(Hours(H, 8 * H, 20 * H)))],
        ..Spec::new("a")
    };
    type Waits = fn(&mut Script);
    let cases: [(&str, Spec, Waits); 5] = [
        ("back-off", spec("a", H), |script| {
            script.tick(9 * H);
            script.ends(9 * H, "a", Ended::Failed);
        }),
        ("hours", night(), |script| {
            script.tick(8 * H);
            script.at(20 * H - 1, Event::Tick);
            script.ends(21 * H, "a", Ended::Failed);
        }),
        ("a run under way", spec("a", H), |script| {
            script.tick(9 * H);
            script.tick(10 * H);
        }),
        ("pushes", Spec::new("a"), |script| {
            script.at(0, Event::Pause("a".to_owned(), paused()));
            script.at(H, Event::Pushed("a".to_owned()));
        }),
        ("what is stored", spec("a", H), |script| {
            script.at(0, Event::Pause("a".to_owned(), paused()));
            script.at(H, Event::Settle("a".to_owned()));
        }),
    ];
    for (what, before, waits) in cases {
        let mut script = Script::with([before]);
        waits(&mut script);
        let now = 24 * H;
        script.at(now, disabled("a"));
        if script.tokens.contains_key("a") {
            script.ends(now, "a", Ended::Failed);
        }
        script.at(now, Event::Resume("a".to_owned()));
        for event in [Event::Pushed("a".to_owned()), Event::Settle("a".to_owned())] {
            assert!(script.at(now, event).is_empty(), "{what}");
        }
        for hour in 24..80 {
            assert!(script.tick(hour * H).is_empty(), "{what}");
        }
        let remembered = script.remembered("a");
        assert!(
            remembered.rows.iter().all(|row| row.next.is_none()),
            "{what}: {remembered:?}"
        );
        // A person may; what the rule wanted does not begin in its wake.
        let asked = script.at(80 * H, Event::RunNow("a".to_owned(), Half::All));
        assert_eq!(asked.len(), 1, "{what}");
        assert!(script.ends(80 * H, "a", Ended::Failed).is_empty(), "{what}");
        assert!(script.tick(90 * H).is_empty(), "{what}");
        // Enabled again, it is due at its next instant, not at once; over a restart as well.
        let mut later = Script::new(Places::default());
        later.at(90 * H + M, Event::Put(Box::new(spec("a", H)), remembered));
        assert!(later.tick(90 * H + M).is_empty(), "{what}");
        assert_eq!(later.tick(91 * H).len(), 1, "{what}");
    }
}

#[test]
fn the_halves_of_a_scheme_take_turns() {
    let both = Spec {
        timings: vec![
            timing(Half::Source, every(6 * M)),
            timing(Half::Target, every(3 * M)),
        ],
        ..Spec::new("a")
    };
    let mut script = Script::with([both]);
    assert_eq!(script.tick(3 * M), ["a/target Schedule 180000+0"]);
    script.ends(4 * M, "a", Ended::Well);
    assert_eq!(
        script.tick(6 * M),
        ["a/source Schedule 360000+0"],
        "what is read is written after"
    );
    assert!(script.tick(9 * M).is_empty());
    assert_eq!(
        script.ends(10 * M, "a", Ended::Well),
        ["a/target Schedule 360000+240000"]
    );
    let row = &script.rows[&("a".to_owned(), Half::Target)];
    assert_eq!((row.tally.overlaps, row.tally.starts), (1, 2));
    // A whole run does both.
    script.ends(11 * M, "a", Ended::Well);
    assert_eq!(script.tick(12 * M).len(), 1);
    script.at(12 * M, Event::RunNow("a".to_owned(), Half::All));
    assert_eq!(
        script.ends(13 * M, "a", Ended::Well),
        ["a/all Manual 720000+60000"]
    );
    assert!(
        script.ends(14 * M, "a", Ended::Well).is_empty(),
        "the target's turn was in it"
    );
}

#[test]
fn what_follows_another_scheme() {
    let after = |scheme: &str, of: &str| Spec {
        after: Some(of.to_owned()),
        ..Spec::new(scheme)
    };
    let mut script = Script::with([after("b", "a"), spec("a", H), after("c", "b")]);
    assert_eq!(script.tick(H).len(), 1);
    assert!(
        script.ends(H + 1, "a", Ended::Failed).is_empty(),
        "not after a failure"
    );
    assert_eq!(script.tick(H + M + 1).len(), 1);
    assert_eq!(
        script.ends(H + 2 * M, "a", Ended::Well),
        ["b/all After 3720000+0"]
    );
    // A crash here: its run is owed.
    let kept = script.remembered("b");
    let mut later = Script::new(Places::default());
    later.at(H + 3 * M, Event::Put(Box::new(after("b", "a")), kept));
    assert_eq!(later.tick(H + 3 * M), ["b/all After 3720000+60000"]);
    assert_eq!(
        script.ends(H + 4 * M, "b", Ended::Well),
        ["c/all After 3840000+0"]
    );
    // It follows somebody else now.
    script.at(
        H + 5 * M,
        Event::Put(Box::new(after("b", "c")), Remembered::default()),
    );
    assert_eq!(script.tick(2 * H).len(), 1);
    assert!(script.ends(2 * H, "a", Ended::Well).is_empty());
    assert_eq!(script.ends(2 * H, "c", Ended::Well), ["b/all After 7200000+0"]);
}

#[test]
fn nothing_starts_outside_the_hours_or_sooner_than_allowed() {
    let at_work = Spec {
        timings: vec![timing(Half::All, Arc::new(Hours(H, 8 * H, 18 * H)))],
        least: 6 * M,
        ..Spec::new("a")
    };
    let mut script = Script::with([at_work.clone()]);
    assert_eq!(script.tick(8 * H), ["a/all Schedule 28800000+0"]);
    // A tick during a run that goes on into the evening.
    script.tick(17 * H);
    assert!(script.ends(19 * H, "a", Ended::Well).is_empty());
    assert_eq!(script.table.wake(), Some(32 * H));
    assert_eq!(
        script.tick(32 * H),
        ["a/all Schedule 32400000+82800000"],
        "all its ticks, one run"
    );
    script.ends(32 * H, "a", Ended::Well);
    // A person is bound by none of it.
    assert_eq!(
        script.at(32 * H + 1, Event::RunNow("a".to_owned(), Half::All)),
        ["a/all Manual 115200001+0"]
    );
    script.ends(32 * H + 2, "a", Ended::Well);
    // A late start moves the next one, but for a little.
    let mut script = Script::with([Spec {
        least: 6 * M,
        ..spec("a", 6 * M)
    }]);
    assert_eq!(script.tick(6 * M + 4_000).len(), 1);
    script.ends(6 * M + 4_000, "a", Ended::Well);
    assert_eq!(script.tick(12 * M).len(), 1);
    script.ends(13 * M, "a", Ended::Well);
    assert_eq!(script.tick(23 * M).len(), 1);
    script.ends(23 * M, "a", Ended::Well);
    assert!(script.tick(24 * M).is_empty());
    assert_eq!(script.table.wake(), Some(29 * M - SLACK));
    assert_eq!(script.tick(29 * M - SLACK).len(), 1);
}

#[test]
fn a_pause_keeps_what_is_owed() {
    let mut script = Script::with([spec("a", H)]);
    script.at(0, Event::Pause("a".to_owned(), paused()));
    assert!(script.tick(5 * H).is_empty());
    assert_eq!(script.table.status("a")[0].paused, Some(paused()));
    assert_eq!(
        script.at(5 * H, Event::RunNow("a".to_owned(), Half::All)).len(),
        1,
        "a person may"
    );
    script.ends(5 * H + M, "a", Ended::Well);
    assert!(script.tick(6 * H).is_empty());
    assert_eq!(
        script.at(6 * H + 1, Event::Resume("a".to_owned())),
        ["a/all Schedule 3600000+18000001"]
    );
    // It is remembered with the scheme, and counts before anything starts.
    let mut later = Script::new(Places::default());
    let kept = Remembered {
        paused: Some(paused()),
        ..script.remembered("a")
    };
    later.at(50 * H, Event::Put(Box::new(spec("a", H)), kept));
    assert!(later.tick(50 * H).is_empty());
    assert!(later.at(50 * H, Event::Census(Vec::new())).is_empty());
    assert_eq!(later.table.wake(), None);
}

/// Failures: once more soon, then further apart, never more than a quarter of an hour behind the end of an outage.
#[test]
fn failures_are_tried_again_further_apart() {
    let mut script = Script::with([spec("a", 24 * H)]);
    let mut now = 24 * H;
    assert_eq!(script.tick(now).len(), 1);
    let mut waits = Vec::new();
    for _ in 0..7 {
        assert!(script.ends(now, "a", Ended::Failed).is_empty());
        let wake = script.table.wake().expect("it is tried again");
        waits.push((wake - now) / M);
        now = wake;
        assert_eq!(script.tick(now).len(), 1);
    }
    assert_eq!(waits, [1, 2, 4, 8, 15, 15, 15]);
    assert_eq!((BACK_OFF, MAX_BACK_OFF), (M, 15 * M));
    script.ends(now, "a", Ended::Well);
    assert_eq!(script.table.wake(), Some(48 * H));
    assert_eq!(script.table.status("a")[0].failures, 0);
    // Wrong credentials are not tried again before the next instant, and then ever more rarely.
    let mut script = Script::with([spec("a", 2 * M)]);
    let mut begun = Vec::new();
    for minute in 1..=60 {
        for _ in script.tick(minute * M) {
            begun.push(minute);
            script.ends(minute * M, "a", Ended::Refused);
        }
    }
    assert_eq!(begun, [2, 4, 6, 10, 18, 33, 48], "{begun:?}");
    // What only a person asked for is not tried again.
    let mut script = Script::with([Spec::new("a")]);
    assert_eq!(script.at(M, Event::RunNow("a".to_owned(), Half::All)).len(), 1);
    for how in [Ended::Failed, Ended::NotBegun, Ended::Stopped, Ended::Panicked] {
        assert!(script.ends(M, "a", how).is_empty());
        assert_eq!((script.table.wake(), script.table.load().waiting), (None, 0));
        script.at(M, Event::RunNow("a".to_owned(), Half::All));
    }
}

/// F37.
#[test]
fn panics_pause_a_scheme() {
    let mut script = Script::with([spec("a", M), spec("b", M)]);
    let mut now = M;
    for _ in 0..PANICS {
        while !script.tokens.contains_key("a") {
            script.tick(now);
            if script.tokens.contains_key("b") {
                script.ends(now, "b", Ended::Well);
            }
            now += M;
        }
        script.ends(now, "a", Ended::Panicked);
    }
    assert_eq!(script.paused, ["a E9002"]);
    let begun: Vec<String> = (1..20).flat_map(|minute| script.tick(now + minute * M)).collect();
    assert!(begun.iter().all(|line| line.starts_with("b/")), "{begun:?}");
    assert!(!script.at(now + H, Event::Resume("a".to_owned())).is_empty());
}

#[test]
fn a_brake_pauses_a_scheme() {
    let mut script = Script::with([spec("a", H)]);
    assert_eq!(script.tick(H).len(), 1);
    let reason = Reason::new("E3082", "900 > 500");
    assert!(script.ends(H, "a", Ended::Braked(reason.clone())).is_empty());
    assert_eq!(script.paused, ["a E3082"]);
    assert_eq!(
        script.table.status("a")[0]
            .paused
            .as_ref()
            .map(|paused| &paused.reason),
        Some(&reason)
    );
    assert!(script.tick(2 * H).is_empty());
    assert_eq!(script.at(2 * H, Event::Resume("a".to_owned())).len(), 1);
}

/// Somebody paused the scheme for another reason while the run was under way: what the brake asks is asked still, and
/// once.
#[test]
fn a_brake_asks_also_where_the_scheme_is_paused() {
    for (code, told) in [("", &["a E3082"][..]), ("E9002", &["a E3082"]), ("E3083", &[])] {
        let mut script = Script::with([spec("a", H)]);
        assert_eq!(script.tick(H).len(), 1);
        let pause = Paused {
            reason: Reason::new(code, "x"),
            ..paused()
        };
        script.at(H, Event::Pause("a".to_owned(), pause));
        script.ends(H, "a", Ended::Braked(Reason::new("E3082", "900 > 500")));
        assert_eq!(script.paused, told, "{code}");
        let paused = script.table.status("a")[0].paused.clone().expect("it is paused");
        assert_eq!(paused.reason.code, if told.is_empty() { code } else { "E3082" });
    }
}

#[test]
fn the_watchdog_arms_again() {
    let mut script = Script::with([spec("a", H)]);
    assert_eq!(script.tick(H).len(), 1);
    let token = script.tokens["a"];
    assert!(script.at(H + CENSUS_GRACE, Event::Census(vec![token])).is_empty());
    assert!(
        script.at(H + CENSUS_GRACE, Event::Census(vec![])).is_empty(),
        "not before its back-off"
    );
    assert_eq!(script.table.status("a")[0].standing, Standing::Waiting(H));
    assert_eq!(script.tick(H + CENSUS_GRACE + BACK_OFF).len(), 1);
    assert_eq!(script.rows[&("a".to_owned(), Half::All)].tally.rearmed, 1);
    // The first run ends after all: it is not the one that is under way.
    assert!(
        script
            .at(H + 2 * M - 2, Event::Ended(token, Ended::Well))
            .is_empty()
    );
    assert_eq!(script.table.load().running, 1);
    // One that began a moment ago may not have been counted.
    assert!(script.at(H + 2 * M - 1, Event::Census(vec![])).is_empty());
    assert_eq!(script.table.load().running, 1);
}

#[test]
fn a_clock_that_is_set_back_leaves_no_silence() {
    let mut script = Script::with([Spec {
        least: 6 * M,
        ..spec("a", 6 * M)
    }]);
    assert_eq!(script.tick(1_000 * H).len(), 1);
    script.ends(1_000 * H, "a", Ended::Failed);
    let mut now = 10 * H;
    while script.tick(now).is_empty() {
        now = script.table.wake().expect("it is due");
    }
    assert!((10 * H..=10 * H + MAX_BACK_OFF).contains(&now), "{now}");
}

#[test]
fn a_scheme_that_goes_ends_its_run() {
    let mut script = Script::with([spec("a", H), spec("b", H)]);
    assert_eq!(script.tick(H).len(), 2);
    script.at(H, Event::Remove("a".to_owned()));
    assert!(script.tick(2 * H).is_empty(), "b is running, a is gone");
    assert_eq!(script.table.load().schemes, 2);
    script.ends(2 * H, "a", Ended::Failed);
    assert_eq!(script.table.load().schemes, 1);
    assert!(script.table.status("a").is_empty());
    // Its place in the table is used again, by one that is asked for by hand and by pushes.
    script.at(2 * H, Event::Put(Box::new(Spec::new("c")), Remembered::default()));
    assert_eq!(
        script.at(2 * H, Event::Pushed("c".to_owned())),
        ["c/all Push 7200000+0"]
    );
    assert!(script.at(2 * H, Event::Pushed("c".to_owned())).is_empty());
    assert_eq!(
        script.ends(3 * H, "c", Ended::Well),
        ["c/all Push 7200000+3600000"]
    );
}

/// A run for pushes asks nobody: the least interval does not bind it, nor does it count for it. A tick of the rule makes
/// it a run that asks.
#[test]
fn pushes_do_not_wait_for_the_least_interval() {
    let push = || Event::Pushed("a".to_owned());
    let mut script = Script::with([Spec {
        least: 6 * M,
        ..spec("a", 6 * M)
    }]);
    assert_eq!(script.tick(6 * M), ["a/all Schedule 360000+0"]);
    script.ends(6 * M + 1, "a", Ended::Well);
    assert_eq!(script.at(7 * M, push()), ["a/all Push 420000+0"]);
    // Many that come together are one run, a little later.
    assert!(script.at(7 * M + 1, push()).is_empty());
    assert!(script.ends(7 * M + 2, "a", Ended::Well).is_empty());
    assert_eq!(script.table.wake(), Some(7 * M + PUSH_PACE));
    assert_eq!(script.tick(7 * M + PUSH_PACE).len(), 1);
    // A push during it, and the tick of the rule: one run, which asks, and not later than without the pushes.
    script.at(12 * M - 1, push());
    script.tick(12 * M);
    let next = script.ends(12 * M, "a", Ended::Well);
    assert_eq!(next.len(), 1, "{next:?}");
    assert!(next[0].starts_with("a/all Schedule "), "{next:?}");
}

/// Starts lie behind their instant by something that is the scheme's own, and before the next one.
#[test]
fn starts_are_spread() {
    let spread = |name: &str, jitter: Ms| {
        let mut spec = spec(name, 6 * M);
        spec.timings[0].jitter = jitter;
        let mut script = Script::with([spec]);
        script.tick(0);
        script.table.wake().expect("it is due")
    };
    let mut seen = BTreeSet::new();
    for n in 0..100 {
        let name = format!("scheme-{n}");
        let wake = spread(&name, 10 * M);
        assert!((6 * M..12 * M).contains(&wake), "{wake}");
        assert_eq!(wake, spread(&name, 10 * M), "always the same");
        seen.insert(wake / M);
        assert!(spread(&name, 1_000) <= 6 * M + 1_000);
    }
    assert_eq!(seen.len(), 6, "all over it: {seen:?}");
    // Not out of the hours.
    let mut evening = spec("a", H);
    evening.timings[0].rule = Arc::new(Hours(H, 8 * H, 8 * H + 1));
    evening.timings[0].jitter = M;
    let mut script = Script::with([evening]);
    script.tick(0);
    assert_eq!(script.table.wake(), Some(8 * H));
}

/// Runs begun, in order, where each takes `takes` and there are so many places.
fn served(specs: Vec<Spec>, places: Places, takes: Ms, until: Ms) -> Vec<(Ms, String)> {
    let mut script = Script::new(places);
    for spec in specs {
        script.at(0, Event::Put(Box::new(spec), Remembered::default()));
    }
    let mut ends: BTreeSet<(Ms, Token)> = BTreeSet::new();
    let mut begun = Vec::new();
    let mut now = 0;
    while now < until {
        let event = match ends.first().copied() {
            Some((at, token)) if at <= now => {
                ends.remove(&(at, token));
                Event::Ended(token, Ended::Well)
            }
            _ => Event::Tick,
        };
        for action in script.table.step(now, event) {
            if let Action::Start(start) = action {
                ends.insert((now + takes, start.token));
                begun.push((now, start.scheme));
            }
        }
        let next = ends.first().map_or(Ms::MAX, |(at, _)| *at);
        now = script.table.wake().unwrap_or(Ms::MAX).min(next).max(now);
    }
    begun
}

#[test]
fn credentials_share_their_places_fairly() {
    let places = Places {
        runs: 3,
        per_credential: 2,
    };
    let of = |name: &str, credential: &str| Spec {
        credentials: vec![credential.to_owned()],
        ..spec(name, H)
    };
    // Six of one credential cannot keep the one of another waiting.
    let mut specs: Vec<Spec> = (0..6).map(|n| of(&format!("k3-{n}"), "k3")).collect();
    specs.push(of("crm", "crm"));
    let begun = served(specs, places, 10 * M, H + 1);
    let names: Vec<&str> = begun.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["k3-0", "k3-1", "crm"]);
    // More work than places: everybody's turn comes, and none is forgotten.
    let specs: Vec<Spec> = (0..10).map(|n| of(&format!("s{n}"), "k3")).collect();
    let begun = served(specs, places, 30 * M, 50 * H);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, name) in &begun {
        *counts.entry(name).or_default() += 1;
    }
    assert_eq!(counts.len(), 10);
    let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
    assert!(most - least <= 1, "{counts:?}");
    // At most two of the credential at once.
    for pair in begun.windows(3) {
        assert!(pair[2].0 - pair[0].0 >= 30 * M, "{pair:?}");
    }
}

#[test]
fn priorities_go_first_and_nobody_starves() {
    let places = Places {
        runs: 1,
        per_credential: 1,
    };
    let mut specs: Vec<Spec> = (0..4)
        .map(|n| Spec {
            priority: 9,
            ..spec(&format!("high-{n}"), 4 * M)
        })
        .collect();
    specs.push(Spec {
        priority: 1,
        ..spec("low", 24 * H)
    });
    // Four schemes of high priority alone are more than there is time for.
    let begun = served(specs, places, 2 * M, 30 * H);
    let low: Vec<Ms> = begun
        .iter()
        .filter(|(_, name)| name == "low")
        .map(|(at, _)| *at)
        .collect();
    assert_eq!(low.len(), 1);
    let waited = low[0] - 24 * H;
    assert!((AGE..=10 * AGE).contains(&waited), "{waited}");
}

/// Schemes with two credentials, places that go and come: everybody is served, and no place is left empty.
#[test]
fn two_credentials_are_never_lost() {
    for seed in 0..20_u64 {
        let places = Places {
            runs: 5,
            per_credential: 2,
        };
        let mut random = seed;
        let mut draw = |below: u64| {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (random >> 33) % below
        };
        let specs: Vec<Spec> = (0..40)
            .map(|n| Spec {
                credentials: vec![format!("c{}", draw(5)), format!("c{}", draw(5))],
                priority: u8::try_from(1 + draw(9)).unwrap(),
                ..spec(&format!("s{n:02}"), H)
            })
            .collect();
        // 40 runs of 4 minutes each in at most 2 x 5 places of 5 credentials fit into an hour even one after another by two.
        let begun = served(specs, places, M, 10 * H);
        let names: BTreeSet<&str> = begun.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names.len(), 40, "seed {seed}");
        assert_eq!(begun.len(), 9 * 40, "seed {seed}: each hour everybody once");
    }
}

/// 10,000 schemes due in one second: none is lost, and an event stays cheap.
#[test]
fn ten_thousand_at_once() {
    let places = Places {
        runs: 64,
        per_credential: 8,
    };
    let mut table = Timetable::new(places);
    for n in 0..10_000 {
        let mut spec = spec(&format!("scheme-{n}"), 24 * H);
        spec.credentials = vec![format!("c{}", n % 50)];
        spec.timings[0].jitter = 1_000;
        table.step(0, Event::Put(Box::new(spec), Remembered::default()));
    }
    let (mut begun, mut under_way) = (BTreeSet::new(), Vec::new());
    let (mut now, mut steps, mut most) = (24 * H + 1_000, 0, 0);
    let mut event = Event::Tick;
    loop {
        steps += 1;
        for action in table.step(now, event) {
            if let Action::Start(start) = action {
                assert!(begun.insert(start.scheme), "twice");
                under_way.push(start.token);
            }
        }
        most = most.max(under_way.len());
        now += 10;
        event = match under_way.pop() {
            Some(token) => Event::Ended(token, Ended::Well),
            None => break,
        };
    }
    assert_eq!((begun.len(), steps, most), (10_000, 10_001, 64));
    assert_eq!(table.load().waiting, 0);
}
