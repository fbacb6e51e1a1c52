use super::*;
use crate::notify::causes::BURST;

const MINUTE: Ms = 60_000;

fn rule(when: When) -> Rule {
    Rule {
        name: when.word().to_owned(),
        when,
        above: 0,
        lasting: 30 * MINUTE,
        times: 3,
        only: Vec::new(),
        channels: vec!["ops".to_owned()],
        every: 10 * MINUTE,
        data: false,
        escalate: None,
    }
}

fn ended(scheme: &str, failed: bool) -> Event {
    Event::RunEnded {
        scheme: scheme.to_owned(),
        failed,
        said: None,
    }
}

/// A machine and what it said, as `minute kind subject seen`.
struct Heard {
    watch: Watch,
    lines: Vec<String>,
}

impl Heard {
    fn new(rules: Vec<Rule>) -> Self {
        Heard {
            watch: Watch::new(rules, Vec::new()),
            lines: Vec::new(),
        }
    }

    fn keep(&mut self, now: Ms, messages: Vec<Message>) {
        self.lines.extend(messages.into_iter().map(|one| {
            let subjects = match one.of == one.subjects.len() {
                true => one.subjects.join("+"),
                false => format!("{}+{}", one.subjects.join("+"), one.of - one.subjects.len()),
            };
            let count = one
                .facts
                .count
                .map(|count| format!(" n{count}"))
                .unwrap_or_default();
            format!(
                "{} {} {subjects} x{}{count}",
                now / MINUTE,
                one.kind.word(),
                one.seen
            )
        }));
    }

    fn tell(&mut self, minute: Ms, event: &Event) {
        let messages = self.watch.tell(event, minute * MINUTE);
        self.keep(minute * MINUTE, messages);
    }

    fn look(&mut self, minute: Ms, state: &State) {
        let messages = self.watch.look(state, minute * MINUTE);
        self.keep(minute * MINUTE, messages);
    }

    /// Another process goes on with what was kept.
    fn restart(&mut self, rules: Vec<Rule>) {
        let (kept, forgotten) = self.watch.changes();
        assert!(forgotten.is_empty());
        let kept = kept.into_iter().filter_map(|(key, open)| {
            let counts = (open.seen, open.untold, open.digests);
            let kept = Open::kept(open.since, open.told?, counts, open.escalated, open.recovered);
            Some((key, kept))
        });
        self.watch = Watch::new(rules, kept);
    }

    #[track_caller]
    fn said(&mut self, want: &[&str]) {
        assert_eq!(std::mem::take(&mut self.lines), want);
    }
}

fn standing(scheme: &str) -> Standing {
    Standing {
        scheme: scheme.to_owned(),
        ..Standing::default()
    }
}

fn only(one: Standing) -> State {
    State {
        schemes: vec![one],
        ..State::default()
    }
}

#[test]
fn a_night_of_failures_is_a_handful_of_messages() {
    let mut heard = Heard::new(vec![rule(When::Failed)]);
    // Every six minutes for twelve hours, looked at every minute.
    for minute in 0..720 {
        if minute % 6 == 0 {
            heard.tell(minute, &ended("a", true));
        }
        heard.look(minute, &State::default());
    }
    heard.tell(720, &ended("a", false));
    heard.said(&[
        "0 problem a x1",
        "10 digest a x2",
        "30 digest a x6",
        "70 digest a x12",
        "150 digest a x26",
        "310 digest a x52",
        "550 digest a x92",
        "720 recovered a x120",
    ]);
    // All well: nothing more, and the cause is forgotten.
    for minute in 721..740 {
        heard.look(minute, &State::default());
    }
    heard.said(&[]);
    assert!(heard.watch.causes.len() == 0);
}

#[test]
fn what_comes_and_goes_is_told_once_in_ten_minutes() {
    let mut heard = Heard::new(vec![rule(When::Failed)]);
    for (minute, failed) in [
        (0, true),
        (1, false),
        (2, true),
        (3, false),
        (4, true),
        (5, false),
    ] {
        heard.tell(minute, &ended("a", failed));
        heard.look(minute, &State::default());
    }
    heard.said(&["0 problem a x1", "1 recovered a x1"]);
    // A relapse that lasts is told when the pause is over.
    heard.tell(6, &ended("a", true));
    for minute in 7..30 {
        heard.look(minute, &State::default());
    }
    heard.tell(30, &ended("a", false));
    heard.said(&["11 digest a x4", "30 recovered a x4"]);
}

#[test]
fn a_storm_is_one_message() {
    let mut heard = Heard::new(vec![rule(When::Failed)]);
    for nth in 0..100 {
        heard.tell(0, &ended(&format!("s{nth:03}"), true));
    }
    heard.look(0, &State::default());
    assert_eq!(heard.lines.len(), BURST, "{:?}", heard.lines);
    heard.lines.clear();
    heard.look(1, &State::default());
    let named: Vec<String> = (5..15).map(|nth| format!("s{nth:03}")).collect();
    heard.said(&[&format!("1 problem {}+85 x95", named.join("+"))]);
    // And its end is a storm as well.
    for nth in 0..100 {
        heard.tell(5, &ended(&format!("s{nth:03}"), false));
    }
    heard.look(6, &State::default());
    assert_eq!(heard.lines.len(), BURST + 1, "{:?}", heard.lines);
    assert!(
        heard.lines[BURST].starts_with("6 recovered s005+"),
        "{:?}",
        heard.lines
    );
}

/// Trouble that spreads steadily: what waits for the sum waits a minute and a look, not until nothing more comes.
#[test]
fn a_stream_is_told_in_sums() {
    const SECOND: Ms = 1_000;
    let mut watch = Watch::new(vec![rule(When::Failed)], Vec::new());
    let (mut happened, mut told, mut messages) = (0, 0, 0);
    for second in (0..600).step_by(5) {
        let mut said = watch.tell(&ended(&format!("s{second}"), true), second * SECOND);
        happened += 1;
        if second % 15 == 0 {
            said.extend(watch.look(&State::default(), second * SECOND));
        }
        let new = said.iter().filter(|one| one.kind.word() == "problem");
        told += new.map(|one| one.of).sum::<usize>();
        messages += said.len();
        assert!(
            happened - told <= 75 / 5,
            "{} wait at {second} s",
            happened - told
        );
    }
    // Nor is each told by itself.
    assert!(messages <= 60, "{messages} messages in ten minutes");
}

#[test]
fn states_are_told_when_they_grow() {
    let mut heard = Heard::new(vec![Rule {
        above: 10,
        ..rule(When::Dead)
    }]);
    let dead = |n| {
        only(Standing {
            dead: n,
            ..standing("a")
        })
    };
    for (minute, n) in [
        (0, 10),
        (1, 11),
        (2, 11),
        (5, 30),
        (15, 25),
        (20, 25),
        (40, 25),
        (60, 26),
        (70, 3),
    ] {
        heard.look(minute, &dead(n));
    }
    heard.said(&[
        "1 problem a x1 n11",
        "15 digest a x2 n25",
        "60 digest a x3 n26",
        "70 recovered a x3 n26",
    ]);
    // A scheme that is gone is nobody's problem.
    heard.look(100, &dead(50));
    heard.look(101, &State::default());
    heard.said(&["100 problem a x1 n50", "101 recovered a x1 n50"]);
}

#[test]
fn every_rule_looks_for_its_own() {
    let now = 1_000;
    let since = |minutes: Ms| Some((now - minutes) * MINUTE);
    let cases: Vec<(When, State, State)> = vec![
        (
            When::Held,
            only(Standing {
                held: 1,
                ..standing("a")
            }),
            only(standing("a")),
        ),
        (
            When::Unknown,
            only(Standing {
                unknown: 2,
                unknown_since: since(31),
                ..standing("a")
            }),
            only(Standing {
                unknown: 2,
                unknown_since: since(30),
                ..standing("a")
            }),
        ),
        (
            When::NoSuccess,
            only(Standing {
                last_success: since(19),
                interval: Some(6 * MINUTE),
                ..standing("a")
            }),
            only(Standing {
                last_success: since(18),
                interval: Some(6 * MINUTE),
                ..standing("a")
            }),
        ),
        // A scheme that is not on a schedule is never late.
        (
            When::NoSuccess,
            only(Standing {
                last_success: since(19),
                interval: Some(6 * MINUTE),
                ..standing("a")
            }),
            only(Standing {
                last_success: since(900),
                ..standing("a")
            }),
        ),
        (
            When::Circuit,
            State {
                circuits: vec!["k3".to_owned()],
                ..State::default()
            },
            State::default(),
        ),
        (
            When::Disk,
            State {
                disk: Some((5, 10)),
                ..State::default()
            },
            State::default(),
        ),
    ];
    for (when, wrong, right) in cases {
        let mut heard = Heard::new(vec![rule(when)]);
        heard.look(now, &right);
        heard.said(&[]);
        heard.look(now, &wrong);
        heard.look(now, &wrong);
        assert_eq!(heard.lines.len(), 1, "{when:?}: {:?}", heard.lines);
        heard.look(now, &right);
        assert_eq!(heard.lines.len(), 2, "{when:?}: {:?}", heard.lines);
        assert!(
            heard.lines[1].contains("recovered"),
            "{when:?}: {:?}",
            heard.lines
        );
    }
    let mut heard = Heard::new(vec![rule(When::Paused), rule(When::Credentials)]);
    heard.tell(
        0,
        &Event::Paused {
            scheme: "a".to_owned(),
            reason: "three panics".to_owned(),
        },
    );
    heard.tell(
        1,
        &Event::Resumed {
            scheme: "a".to_owned(),
        },
    );
    let credentials = |minutes: Option<Ms>, accepted| State {
        credentials: vec![Credentials {
            connection: "k3".to_owned(),
            until: minutes.map(|minutes| minutes * MINUTE),
            accepted,
        }],
        ..State::default()
    };
    let refused = Said {
        code: "E7001".to_owned(),
        sentence: "no".to_owned(),
        of_record: false,
    };
    heard.look(2, &credentials(Some(33), None));
    heard.look(3, &credentials(Some(33), None));
    // Another end, and nobody has called yet: what was told is not over before somebody has.
    heard.look(4, &credentials(Some(3_000), None));
    heard.look(5, &credentials(Some(3_000), Some(Ok(()))));
    heard.look(40, &credentials(None, Some(Err(refused))));
    // A connection that is in no file any more.
    heard.look(60, &State::default());
    heard.said(&[
        "0 problem a x1",
        "1 recovered a x1",
        "3 problem k3 x1",
        "5 recovered k3 x1",
        "40 problem k3 x1",
        "60 recovered k3 x1",
    ]);
}

#[test]
fn somebody_is_called_by_name_once() {
    let mut heard = Heard::new(vec![Rule {
        escalate: Some(60 * MINUTE),
        ..rule(When::Circuit)
    }]);
    let down = State {
        circuits: vec!["k3".to_owned()],
        ..State::default()
    };
    for minute in 0..300 {
        heard.look(minute, &down);
    }
    heard.look(300, &State::default());
    heard.said(&["0 problem k3 x1", "60 escalated k3 x1", "300 recovered k3 x1"]);
}

#[test]
fn a_restart_tells_nothing_twice_and_still_says_when_it_is_over() {
    let dead = |n| {
        only(Standing {
            dead: n,
            ..standing("a")
        })
    };
    let mut heard = Heard::new(vec![rule(When::Dead)]);
    heard.look(0, &dead(5));
    heard.said(&["0 problem a x1 n5"]);
    heard.restart(vec![rule(When::Dead)]);
    for minute in 1..30 {
        heard.look(minute, &dead(5));
    }
    heard.said(&[]);
    heard.look(30, &dead(0));
    heard.look(50, &dead(0));
    heard.said(&["30 recovered a x1 n5"]);
    assert_eq!(heard.watch.changes().1, [("dead".to_owned(), "a".to_owned())]);
}

/// Many are over at once, and the sum of that is not told yet.
#[test]
fn a_restart_loses_no_good_news() {
    let mut heard = Heard::new(vec![rule(When::Failed)]);
    for nth in 0..7 {
        heard.tell(nth, &ended(&format!("s{nth}"), true));
    }
    for nth in 0..7 {
        heard.tell(20, &ended(&format!("s{nth}"), false));
    }
    // One that comes back while nobody knows yet that it was over is not over.
    heard.tell(20, &ended("s6", true));
    assert_eq!(heard.lines.len(), 7 + BURST, "{:?}", heard.lines);
    heard.lines.clear();
    heard.restart(vec![rule(When::Failed)]);
    heard.look(22, &State::default());
    assert!(heard.lines[0].starts_with("22 digest s6"), "{:?}", heard.lines);
    assert_eq!(heard.lines[1..], ["22 recovered s5 x1"]);
    heard.lines.clear();
    heard.look(40, &State::default());
    heard.said(&[]);
}

#[test]
fn rules_are_about_what_they_name() {
    let mut heard = Heard::new(vec![Rule {
        only: vec!["huke-*".to_owned(), "one".to_owned()],
        ..rule(When::Failed)
    }]);
    for scheme in ["huke-to-k3", "one", "one-more", "k3"] {
        heard.tell(0, &ended(scheme, true));
    }
    heard.said(&["0 problem huke-to-k3 x1", "0 problem one x1"]);
}

#[test]
fn what_is_due_together_is_told_together_with_the_sums() {
    let mut heard = Heard::new(vec![Rule {
        escalate: Some(60 * MINUTE),
        ..rule(When::Dead)
    }]);
    let all = |each: u64| State {
        schemes: ["a", "b", "c"]
            .iter()
            .zip(1..)
            .map(|(scheme, times)| Standing {
                dead: each * times,
                ..standing(scheme)
            })
            .collect(),
        ..State::default()
    };
    heard.look(0, &all(1));
    heard.look(5, &all(10));
    heard.look(10, &all(10));
    heard.look(60, &all(10));
    heard.said(&[
        "0 problem a x1 n1",
        "0 problem b x1 n2",
        "0 problem c x1 n3",
        "10 digest a+b+c x6 n60",
        "60 escalated a+b+c x6 n60",
    ]);
    assert_eq!(heard.watch.open_at("ops").len(), 3);
    assert!(heard.watch.open_at("nobody").is_empty());
}

fn stands(scheme: &str, ended: Ms, failed: bool, paused: bool) -> Stands {
    Stands {
        scheme: scheme.to_owned(),
        ended: Some(ended * MINUTE),
        failed: failed.then_some(None),
        paused: paused.then(|| "by hand".to_owned()),
    }
}

#[test]
fn what_was_missed_is_asked_for() {
    let mut heard = Heard::new(vec![rule(When::Failed), rule(When::Paused)]);
    heard.tell(0, &ended("a", true));
    heard.tell(0, &ended("b", true));
    heard.tell(0, &ended("gone", true));
    heard.lines.clear();
    let mut ask = |minute: Ms, all: &[Stands], want: &[&str]| {
        let messages = heard.watch.asked(all, minute * MINUTE);
        heard.keep(minute * MINUTE, messages);
        heard.said(want);
    };
    // `a` has ended well meanwhile, `b` was known, `c` and `d` are new, and `gone` is no scheme any more.
    let all = [
        stands("a", 2, false, false),
        stands("b", 2, true, false),
        stands("c", 2, true, false),
        stands("d", 2, false, true),
    ];
    ask(
        3,
        &all,
        &[
            "3 recovered a x1",
            "3 problem c x1",
            "3 problem d x1",
            "3 recovered gone x1",
        ],
    );
    ask(4, &all, &[]);
    // What could not even begin is in no ledger: a run that ended well before it does not end that.
    let before = [stands("b", -1, false, false)];
    ask(5, &before, &["5 recovered c x1", "5 recovered d x1"]);
}
