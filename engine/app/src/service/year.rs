//! 400 days of schedules in virtual time, for the test of this crate and for a figure of `docs/figures.md`: the timetable, the rules of scheme files and the windows together, through
//! outages, failures and the nights on which clocks change. What is due is reckoned here once more, without cron.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use dsl::cron::{Cron, Hours};
use dsl::plan::{Missed, Schedule, When};
use flow::ids::Ms;
use flow::timetable::{
    Action, Cause, DueRow, Ended, Event, Half, Places, Remembered, Spec, Timetable, Token,
};
use flow::window::{CatchUp, Interval, Proposal, WindowRule, merge, slices};
use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan};

use super::rules;

const MINUTE: Ms = 60_000;
const HOUR: Ms = 60 * MINUTE;
const DAY: Ms = 24 * HOUR;
/// A figure's worth of days: both changes of clocks, twice in one of the zones.
pub const DAYS: i64 = 400;
/// One outage in so many days; the longest lasts three of them.
const APART: i64 = 13;

/// Failures, a backlog and a back-off may put a run off by so much while the process is up.
const LATEST: Ms = 3 * HOUR;

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn ms(&mut self, from: Ms, to: Ms) -> Ms {
        let span = u64::try_from(to - from).expect("it grows");
        from + Ms::try_from(self.below(span)).expect("it is less than that")
    }
}

/// What a scheme is due by.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Every(Ms),
    /// At these minutes of every so many hours.
    Hours(i8, usize),
    /// Once a day at a time.
    Daily(i8, i8),
}

struct Scheme {
    id: String,
    kind: Kind,
    zone: TimeZone,
    enabled: Ms,
    closed: Vec<Interval>,
    /// Due instant and start of each run.
    begun: Vec<(Ms, Ms)>,
    running: Option<Token>,
}

impl Scheme {
    fn spec(&self, credential: u64) -> Spec {
        let cron = |text: String| When::Cron(Cron::parse(&text).expect("a cron text"));
        let when = match self.kind {
            Kind::Every(every) => When::Every(every),
            Kind::Hours(minute, step) => cron(format!("{minute} */{step} * * *")),
            Kind::Daily(hour, minute) => cron(format!("{minute} {hour} * * *")),
        };
        let schedule = Schedule {
            when,
            after: None,
            zone: self.zone.clone(),
            hours: Hours::default(),
            quiet: Hours::default(),
            missed: Missed::Once,
            jitter_ms: None,
        };
        Spec {
            timings: rules::timings(&Arc::new(schedule)),
            credentials: vec![format!("credential {credential}")],
            least: 6 * MINUTE,
            ..Spec::new(&self.id)
        }
    }

    /// Every instant at which it is due, in order.
    fn due(&self, from: Ms, to: Ms) -> BTreeSet<Ms> {
        let last = (to - from) / DAY + 3;
        let days = || (0..last).filter_map(|day| date(2026, 1, 14).checked_add(day.days()).ok());
        let all: Vec<Ms> = match self.kind {
            Kind::Every(every) => {
                let begin = self.local(date(1970, 1, 5), 0, 0);
                let first = (from - begin).div_euclid(every) + 1;
                let last = (to - begin).div_euclid(every);
                (first..=last).map(|n| begin + n * every).collect()
            }
            Kind::Hours(minute, step) => days()
                .flat_map(|day| (0..24).step_by(step).map(move |hour| (day, hour)))
                .map(|(day, hour)| self.local(day, hour, minute))
                .collect(),
            Kind::Daily(hour, minute) => days().map(|day| self.local(day, hour, minute)).collect(),
        };
        all.into_iter().filter(|at| *at > from && *at <= to).collect()
    }

    /// When the clock shows this, the first time; right after the jump where it leaves it out.
    fn local(&self, day: Date, hour: i8, minute: i8) -> Ms {
        let time = Time::new(hour, minute, 0, 0).expect("a time");
        let both = self.zone.to_ambiguous_zoned(DateTime::from_parts(day, time));
        let at = match both.offset() {
            AmbiguousOffset::Gap { .. } => {
                let later = both.later().expect("it is one").timestamp();
                let hours = SignedDuration::from_hours(3);
                let jump = self.zone.following(later - hours).next().expect("it jumps");
                jump.timestamp()
            }
            AmbiguousOffset::Fold { .. } | AmbiguousOffset::Unambiguous { .. } => {
                both.earlier().expect("it is one").timestamp()
            }
        };
        at.as_millisecond()
    }

    /// What a run that began then has read for good.
    fn read(&mut self, began: Ms) {
        let rule = WindowRule {
            first: None,
            overlap: 2 * MINUTE,
            settle: MINUTE,
            max: DAY,
            catch_up: CatchUp::Extend,
        };
        let plan = slices(&rule, Proposal::default(), &self.closed, self.enabled, began);
        let slices = plan.expect("it proposes nothing").slices;
        self.closed.extend(slices.iter().filter_map(|slice| slice.closes));
        self.closed = merge(std::mem::take(&mut self.closed));
    }
}

fn fleet(enabled: Ms) -> Vec<Scheme> {
    let kinds = [
        (1, Kind::Every(6 * MINUTE)),
        (1, Kind::Every(10 * MINUTE)),
        (2, Kind::Every(15 * MINUTE)),
        (4, Kind::Every(30 * MINUTE)),
        (6, Kind::Every(HOUR)),
        (8, Kind::Hours(30, 2)),
        (6, Kind::Hours(0, 3)),
        (6, Kind::Every(6 * HOUR)),
        (4, Kind::Every(DAY)),
        (6, Kind::Daily(2, 30)),
        (3, Kind::Daily(1, 30)),
        (3, Kind::Daily(23, 59)),
    ];
    let zones = ["Asia/Shanghai", "America/New_York", "Europe/Berlin"];
    let all = kinds
        .iter()
        .flat_map(|(many, kind)| std::iter::repeat_n(*kind, *many));
    all.enumerate()
        .map(|(n, kind)| Scheme {
            id: format!("scheme-{n:02}"),
            kind,
            zone: TimeZone::get(zones[n % 3]).expect("a zone"),
            enabled,
            closed: Vec::new(),
            begun: Vec::new(),
            running: None,
        })
        .collect()
}

/// From and to, in order, none touching another; half of them end the process without a word.
fn outages(chance: &mut Chance, from: Ms, days: i64) -> Vec<(Ms, Ms, bool)> {
    let many = days / APART;
    let each = days * DAY / many.max(1);
    (0..many)
        .map(|n| {
            let begin = from + n * each + chance.ms(DAY, each - 4 * DAY);
            let length = match n % 3 {
                0 => chance.ms(MINUTE, HOUR),
                1 => chance.ms(HOUR, DAY),
                _ => chance.ms(DAY, 3 * DAY),
            };
            (begin, begin + length, n % 2 == 0)
        })
        .collect()
}

struct Year {
    chance: Chance,
    schemes: Vec<Scheme>,
    table: Timetable,
    rows: BTreeMap<(String, Half), DueRow>,
    ends: BTreeMap<(Ms, Token), (usize, Ms, Ended)>,
    runs: usize,
}

impl Year {
    fn open(&mut self, now: Ms) {
        self.table = Timetable::new(Places::default());
        for place in 0..self.schemes.len() {
            let scheme = &self.schemes[place];
            let rows = self.rows.range((scheme.id.clone(), Half::All)..).take(1);
            let rows = rows.filter(|((id, _), _)| *id == scheme.id);
            let remembered = Remembered {
                rows: rows.map(|(_, row)| row.clone()).collect(),
                paused: None,
            };
            let spec = scheme.spec(place as u64 % 12);
            self.step(now, Event::Put(Box::new(spec), remembered), true);
        }
    }

    /// One step; its rows are lost where the process ends right behind it.
    fn step(&mut self, now: Ms, event: Event, is_kept: bool) {
        for action in self.table.step(now, event) {
            match action {
                Action::Start(start) => {
                    let place: usize = start.scheme[7..].parse().expect("a number");
                    assert_eq!(start.late, (now - start.due).max(0));
                    assert!(start.due <= now && start.cause == Cause::Schedule, "{start:?}");
                    let scheme = &mut self.schemes[place];
                    assert_eq!(
                        scheme.running.replace(start.token),
                        None,
                        "two runs of {}",
                        scheme.id
                    );
                    scheme.begun.push((start.due, now));
                    // Mostly short; one in forty takes longer than the shortest interval.
                    let takes = match self.chance.below(40) {
                        0 => self.chance.ms(MINUTE, 20 * MINUTE),
                        _ => self.chance.ms(1_000, 40_000),
                    };
                    let how = match self.chance.below(50) {
                        0 => Ended::Failed,
                        _ => Ended::Well,
                    };
                    self.ends.insert((now + takes, start.token), (place, now, how));
                    self.runs += 1;
                }
                Action::Keep(row) if is_kept => {
                    self.rows.insert((row.scheme.clone(), row.half), row);
                }
                Action::Keep(_) => {}
                Action::Paused(scheme, why) => panic!("{scheme} was paused: {why:?}"),
            }
        }
    }

    /// Up to the end of a stretch in which the process is up.
    fn until(&mut self, from: Ms, to: Ms, is_killed: bool) {
        let mut now = from;
        loop {
            let end = self.ends.first_key_value().map(|((at, _), _)| *at);
            let wake = self.table.wake().map(|wake| wake.max(now));
            let Some(next) = end.into_iter().chain(wake).min().filter(|next| *next < to) else {
                break;
            };
            now = next;
            let event = match self.ends.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let ((_, token), (place, began, how)) = first.remove_entry();
                    let scheme = &mut self.schemes[place];
                    assert_eq!(scheme.running.take(), Some(token));
                    // Read for good is what the ledger knows, whether or not the table is told.
                    if how == Ended::Well {
                        scheme.read(began);
                    }
                    Event::Ended(token, how)
                }
                _ => Event::Tick,
            };
            self.step(now, event, true);
        }
        let left: Vec<Token> = self.ends.keys().map(|(_, token)| *token).collect();
        self.ends.clear();
        self.schemes.iter_mut().for_each(|scheme| scheme.running = None);
        if is_killed {
            // What is due by then is begun, and nobody hears of it.
            self.step_unheard(to);
        } else {
            for token in left {
                self.step(to, Event::Ended(token, Ended::Stopped), true);
            }
        }
        self.ends.clear();
        self.schemes.iter_mut().for_each(|scheme| scheme.running = None);
    }

    fn step_unheard(&mut self, now: Ms) {
        let before: Vec<usize> = self.schemes.iter().map(|scheme| scheme.begun.len()).collect();
        self.step(now, Event::Tick, false);
        for (scheme, before) in self.schemes.iter_mut().zip(before) {
            scheme.begun.truncate(before);
        }
    }
}

/// What so many days came to.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// Schemes, in three zones.
    pub schemes: usize,
    /// Stretches in which the process was down; half of them without a word.
    pub outages: usize,
    /// Runs that were begun.
    pub runs: usize,
    /// Instants at which a scheme was due.
    pub due: usize,
}

/// A7: nothing missed, not a millisecond uncovered, never two runs of a scheme.
///
/// # Panics
/// At the first difference.
pub fn days(days: i64) -> Told {
    let from = date(2026, 1, 15).to_zoned(TimeZone::UTC).expect("a day");
    let from = from.timestamp().as_millisecond() + 12_345;
    let to = from + days * DAY;
    let mut chance = Chance(7);
    let outages = outages(&mut chance, from, days);
    let mut year = Year {
        chance,
        schemes: fleet(from),
        table: Timetable::new(Places::default()),
        rows: BTreeMap::new(),
        ends: BTreeMap::new(),
        runs: 0,
    };
    assert_eq!(year.schemes.len(), 50);
    let mut up = from;
    for (begin, end, is_killed) in &outages {
        year.open(up);
        year.until(up, *begin, *is_killed);
        up = *end;
    }
    year.open(up);
    year.until(up, to, false);

    let mut all_due = 0;
    for scheme in &year.schemes {
        let id = format!("{} {:?} {:?}", scheme.id, scheme.kind, scheme.zone.iana_name());
        // Not one millisecond between the first and the last that is not read for good.
        assert_eq!(scheme.closed.len(), 1, "{id}: {:?}", scheme.closed);
        assert_eq!(scheme.closed[0].from, from, "{id}");
        let (_, last) = scheme.begun.last().expect("it ran");
        assert!(scheme.closed[0].to >= last - DAY - LATEST, "{id}");
        // Each due instant has a run that began behind it and was meant for it, or for earlier ones as well.
        let due = scheme.due(from, to);
        all_due += due.len();
        let mut runs = scheme.begun.iter().peekable();
        for at in &due {
            while runs.peek().is_some_and(|(_, began)| began < at) {
                runs.next();
            }
            let Some((meant, began)) = runs.peek() else {
                // The last instants, just before the end.
                assert!(to - at < LATEST, "{id}: nobody began for {at}");
                continue;
            };
            assert!(
                meant <= at,
                "{id}: {at} was left out, the next run was for {meant}"
            );
            let outage = outages
                .iter()
                .find(|(begin, end, _)| (begin - LATEST..*end).contains(at));
            let latest = outage.map_or(*at, |(_, end, _)| *end.max(at)) + LATEST;
            assert!(*began <= latest, "{id}: {at} was met at {began}");
        }
        // And nobody began for what was not due.
        for (meant, _) in scheme.begun.iter().skip(1) {
            let first = scheme.begun[0].0;
            assert!(due.contains(meant) || *meant == first, "{id}: a run for {meant}");
        }
    }
    Told {
        schemes: year.schemes.len(),
        outages: outages.len(),
        runs: year.runs,
        due: all_due,
    }
}

#[cfg(test)]
#[test]
fn a7_four_hundred_days() {
    let told = days(DAYS);
    assert!(told.runs > 350_000, "{told:?}");
    assert_eq!((told.schemes, told.outages), (50, 30));
}
