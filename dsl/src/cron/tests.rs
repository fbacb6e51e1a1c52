//! What texts are read as, what is wrong with them, and when they come, over both jumps of the clock.

use super::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn ms(text: &str) -> i64 {
    let at: Timestamp = text.parse().expect("an instant");
    at.as_millisecond()
}

#[test]
fn texts_are_read() {
    for (text, reading, is_quartz) in [
        ("*/30 * * * *", "*/30 * * * *", false),
        ("0 2 * * MON-FRI", "0 2 * * 1-5", false),
        ("0 2 * * fri-sun", "0 2 * * 5-7", false),
        ("0 2 * jan,JUL *", "0 2 * 1,7 *", false),
        ("5,10-20/5 */1 1 * 7", "5,10-20/5 * 1 * 7", false),
        ("0 2 L * *", "0 2 L * *", false),
        ("0 2 LW,15W * *", "0 2 LW,15W * *", false),
        ("0 2 * * 5L,1#2", "0 2 * * 5L,1#2", false),
        ("0  2   * * *", "0 2 * * *", false),
        // Quartz: seconds, weekdays from 1 = Sunday, open steps.
        ("0 0 12 ? * 6", "0 12 * * 5", true),
        ("0 0 12 ? * FRI", "0 12 * * 5", true),
        ("0 0 12 ? * 2-6", "0 12 * * 1-5", true),
        ("0 0 12 ? * 6L", "0 12 * * 5L", true),
        ("0 0 12 ? * L", "0 12 * * 6", true),
        ("0 0 12 ? * 2#1", "0 12 * * 1#1", true),
        ("0 0/6 * * * ?", "0-59/6 * * * *", true),
        ("30 5/15 8 1/2 * ?", "30 5-59/15 8 1-31/2 * *", true),
        ("0/20 * * * * ?", "0-59/20 * * * * *", true),
        ("0/6 * * * *", "0-59/6 * * * *", true),
        ("0 2 ? * 1", "0 2 * * 0", true),
        ("0 0 2 * * 1,7", "0 2 * * 0,6", true),
    ] {
        let cron = Cron::parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        assert_eq!((cron.reading(), cron.is_quartz()), (reading, is_quartz), "{text}");
        let again = Cron::parse(reading).unwrap_or_else(|faults| panic!("{reading}: {faults:?}"));
        assert!(
            !again.is_quartz() || cron.reading().split(' ').count() == 6,
            "{reading}"
        );
    }
}

#[test]
fn mistakes_have_their_place() {
    for (text, place, words) in [
        ("60 * * * *", "60", "60 is not within 0 to 59, the minutes"),
        ("* 24 * * *", "24", "24 is not within 0 to 23, the hours"),
        ("* * 0 * *", "0", "0 is not within 1 to 31, the days of the month"),
        ("* * * 13 *", "13", "13 is not within 1 to 12, the months"),
        ("* * * * 8", "8", "8 is not within 0 to 7, the weekdays"),
        (
            "0 0 2 ? * 0",
            "0",
            "read as Quartz, weekdays are 1 (Sunday) to 7 (Saturday), and 0 is none; MON may be written, too",
        ),
        (
            "5/0 * * * *",
            "5/0",
            "a step of 0 is not within 1 to 60, the length of the minutes field",
        ),
        (
            "0/90 * * * *",
            "0/90",
            "a step of 90 is not within 1 to 60, the length of the minutes field",
        ),
        (
            "0 */25 * * *",
            "*/25",
            "a step of 25 is not within 1 to 24, the length of the hours field",
        ),
        (
            "0 22-6 * * *",
            "22-6",
            "the range 22-6 ends before it begins; one over the edge is two, such as 22-23,0-6",
        ),
        ("0 1,2,x * * *", "x", "`x` says nothing in the hours field"),
        ("0 1,,2 * * *", "", "`` says nothing in the hours field"),
        ("L * * * *", "L", "`L` says nothing in the minutes field"),
        (
            "* * L-3 * *",
            "L-3",
            "`L-3` says nothing in the days of the month field",
        ),
        ("* * * * 1#6", "1#6", "`1#6` says nothing in the weekdays field"),
        (
            "* * * * MONDAY",
            "MONDAY",
            "`MONDAY` says nothing in the weekdays field",
        ),
        ("? * * * *", "?", "`?` says nothing in the minutes field"),
        (
            "* * * *",
            "* * * *",
            "it has 4 fields and not five (minute, hour, day, month, weekday) or six (seconds before)",
        ),
    ] {
        let faults = Cron::parse(text).expect_err(text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        let fault = &faults[0];
        assert_eq!(
            (&text[fault.at.clone()], fault.en.as_str()),
            (place, words),
            "{text}"
        );
        assert_ne!(fault.zh, fault.en, "{text}");
    }
}

/// All that is wrong is told at once.
#[test]
fn mistakes_come_together() {
    let faults = Cron::parse("*/90 8-25 * * 1,8").expect_err("three mistakes");
    let places: Vec<_> = faults.iter().map(|fault| fault.at.clone()).collect();
    assert_eq!(places, [0..4, 5..9, 16..17]);
}

#[track_caller]
fn comes(text: &str, zone: &TimeZone, after: &str, want: &[&str]) {
    let cron = Cron::parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
    let mut at = ms(after);
    let mut got = Vec::new();
    for _ in want {
        at = cron.next(at, zone).expect("it comes");
        let clock = Timestamp::from_millisecond(at).unwrap().to_zoned(zone.clone());
        got.push(clock.strftime("%m-%d %H:%M%:z").to_string());
    }
    assert_eq!(got, want, "{text} in {:?}", zone.iana_name());
}

/// The clock of New York goes from 02:00 to 03:00 on 8 March 2026, and from 02:00 back to 01:00 on 1 November.
#[test]
fn clocks_jump() {
    let york = zone("America/New_York");
    let (spring, autumn) = ("2026-03-08T04:00:00Z", "2026-11-01T03:00:00Z");
    // A skipped hour: once, right after it.
    comes(
        "30 2 * * *",
        &york,
        spring,
        &["03-08 03:00-04:00", "03-09 02:30-04:00"],
    );
    comes(
        "0,30 2 * * *",
        &york,
        spring,
        &["03-08 03:00-04:00", "03-09 02:00-04:00"],
    );
    comes(
        "0 */2 * * *",
        &york,
        spring,
        &["03-08 00:00-05:00", "03-08 03:00-04:00", "03-08 04:00-04:00"],
    );
    comes(
        "30 1-4 * * *",
        &york,
        spring,
        &["03-08 01:30-05:00", "03-08 03:00-04:00", "03-08 03:30-04:00"],
    );
    comes(
        "*/20 2 * * *",
        &york,
        spring,
        &["03-08 03:00-04:00", "03-09 02:00-04:00"],
    );
    // Every hour, every so many minutes: nothing is missing.
    comes(
        "30 * * * *",
        &york,
        spring,
        &[
            "03-07 23:30-05:00",
            "03-08 00:30-05:00",
            "03-08 01:30-05:00",
            "03-08 03:30-04:00",
        ],
    );
    comes(
        "*/30 * * * *",
        &york,
        "2026-03-08T06:20:00Z",
        &["03-08 01:30-05:00", "03-08 03:00-04:00", "03-08 03:30-04:00"],
    );
    comes(
        "0 3 * * *",
        &york,
        spring,
        &["03-08 03:00-04:00", "03-09 03:00-04:00"],
    );
    // An hour that is there twice: once for what is daily ...
    comes(
        "30 1 * * *",
        &york,
        autumn,
        &["11-01 01:30-04:00", "11-02 01:30-05:00"],
    );
    comes(
        "30 1,13 * * *",
        &york,
        autumn,
        &["11-01 01:30-04:00", "11-01 13:30-05:00"],
    );
    comes(
        "0 0-3 * * *",
        &york,
        autumn,
        &["11-01 00:00-04:00", "11-01 01:00-04:00", "11-01 02:00-05:00"],
    );
    // ... and every time for what is every so many minutes, or every hour.
    comes(
        "*/30 * * * *",
        &york,
        "2026-11-01T04:59:00Z",
        &[
            "11-01 01:00-04:00",
            "11-01 01:30-04:00",
            "11-01 01:00-05:00",
            "11-01 01:30-05:00",
            "11-01 02:00-05:00",
        ],
    );
    comes(
        "30 * * * *",
        &york,
        "2026-11-01T05:00:00Z",
        &["11-01 01:30-04:00", "11-01 01:30-05:00"],
    );
    // Half an hour on Lord Howe, a whole day in Samoa (30 December 2011).
    comes(
        "15 2 * * *",
        &zone("Australia/Lord_Howe"),
        "2026-10-03T00:00:00Z",
        &["10-04 02:30+11:00", "10-05 02:15+11:00"],
    );
    comes(
        "0 9 30 * *",
        &zone("Pacific/Apia"),
        "2011-12-20T00:00:00Z",
        &["12-31 00:00+14:00", "01-30 09:00+14:00"],
    );
    // China has one clock all the year.
    comes(
        "30 2 * * *",
        &zone("Asia/Shanghai"),
        spring,
        &["03-09 02:30+08:00"],
    );
}

#[test]
fn what_never_comes() {
    for text in ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *"] {
        assert_eq!(Cron::parse(text).unwrap().next(0, &TimeZone::UTC), None, "{text}");
    }
    comes(
        "0 0 29 2 *",
        &TimeZone::UTC,
        "2096-03-01T00:00:00Z",
        &["02-29 00:00+00:00"],
    );
}

#[test]
fn the_smallest_gap() {
    for (text, least_minutes, gap_minutes) in [
        ("*/6 * * * *", 6, None),
        ("*/7 * * * *", 6, Some(4)),
        ("*/5 * * * *", 6, Some(5)),
        ("2-59/5 8-22 * * 1,3", 6, Some(5)),
        ("59 23 * * *", 60, None),
        ("0 * * * *", 60, None),
        ("0 0 1,31 * *", 60, None),
        ("0 23 31 12 *", 60, None),
        ("0,55 * * * *", 6, Some(5)),
        ("0/30 * * * * ?", 1, Some(0)),
        ("0 0 L,1 * *", 24 * 60 + 1, Some(24 * 60)),
        ("* * 29 2 *", 6, Some(1)),
    ] {
        let cron = Cron::parse(text).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
        let gap = cron.gap_below(least_minutes * 60_000);
        assert_eq!(gap.map(|ms| ms / 60_000), gap_minutes, "{text}");
    }
}

#[test]
fn a_text_is_read_once() {
    let one = Cron::parse("17 3 * * *").unwrap();
    let other = Cron::parse("17 3 * * *").unwrap();
    assert!(Arc::ptr_eq(&one, &other));
    let many: Vec<_> = (0..200)
        .map(|n| Cron::parse(&format!("{} {} * * *", n % 60, n % 24)).unwrap())
        .collect();
    assert!(
        Arc::ptr_eq(&one, &Cron::parse("17 3 * * *").unwrap()),
        "not cleared away while it is used"
    );
    drop(many);
}

mod schedules {
    use super::*;
    use crate::plan::{Missed, Schedule, When};

    fn schedule(when: When, zone_name: &str, hours: &[&str], quiet: &[&str]) -> Schedule {
        let read = |texts: &[&str]| {
            let mut read = Hours::default();
            assert!(texts.iter().all(|text| read.add(text)), "{texts:?}");
            read
        };
        Schedule {
            when,
            after: None,
            zone: zone(zone_name),
            hours: read(hours),
            quiet: read(quiet),
            missed: Missed::Once,
            jitter_ms: None,
        }
    }

    #[track_caller]
    fn due(schedule: &Schedule, after: &str, want: &[&str]) {
        let mut at = ms(after);
        for want in want {
            at = schedule.next(Part::All, at).expect("it comes");
            assert_eq!(at, ms(want), "{}", Timestamp::from_millisecond(at).unwrap());
        }
    }

    #[test]
    fn every_is_a_grid_of_the_zone() {
        let hour = 3_600_000;
        let two = schedule(When::Every(2 * hour), "Asia/Kolkata", &[], &[]);
        due(
            &two,
            "2026-11-22T00:00:00Z",
            &["2026-11-22T00:30:00Z", "2026-11-22T02:30:00Z"],
        );
        let day = schedule(When::Every(24 * hour), "Asia/Shanghai", &[], &[]);
        due(
            &day,
            "2026-11-22T00:00:00Z",
            &["2026-11-22T16:00:00Z", "2026-11-23T16:00:00Z"],
        );
        let week = schedule(When::Every(7 * 24 * hour), "Asia/Shanghai", &[], &[]);
        due(&week, "2026-11-22T00:00:00Z", &["2026-11-22T16:00:00Z"]);
        // The clock's jumps do not touch it.
        let york = schedule(When::Every(hour), "America/New_York", &[], &[]);
        due(
            &york,
            "2026-11-01T04:30:00Z",
            &[
                "2026-11-01T05:00:00Z",
                "2026-11-01T06:00:00Z",
                "2026-11-01T07:00:00Z",
            ],
        );
    }

    #[test]
    fn hours_and_quiet_hours() {
        let minute = 60_000;
        // Beijing is 8 hours ahead.
        let day = schedule(
            When::Every(6 * minute),
            "Asia/Shanghai",
            &["08:00-22:00"],
            &["12:00-13:00"],
        );
        due(
            &day,
            "2026-11-22T13:54:00Z",
            &["2026-11-23T00:00:00Z", "2026-11-23T00:06:00Z"],
        );
        due(
            &day,
            "2026-11-22T03:54:00Z",
            &["2026-11-22T05:00:00Z", "2026-11-22T05:06:00Z"],
        );
        let night = schedule(When::Every(6 * minute), "Asia/Shanghai", &["22:00-06:00"], &[]);
        due(&night, "2026-11-22T15:57:00Z", &["2026-11-22T16:00:00Z"]);
        due(&night, "2026-11-22T21:57:00Z", &["2026-11-23T14:00:00Z"]);
        // The night's quiet hours end where another begins.
        let joined = schedule(
            When::Every(6 * minute),
            "UTC",
            &[],
            &["20:00-24:00", "00:00-07:00"],
        );
        due(&joined, "2026-11-22T20:01:00Z", &["2026-11-23T07:00:00Z"]);
        let cron = When::Cron(Cron::parse("0 * * * *").unwrap());
        let office = schedule(cron, "Asia/Shanghai", &["08:30-11:30", "13:30-17:30"], &[]);
        due(
            &office,
            "2026-11-22T02:30:00Z",
            &[
                "2026-11-22T03:00:00Z",
                "2026-11-22T06:00:00Z",
                "2026-11-22T07:00:00Z",
            ],
        );
        assert_eq!(
            office.opens(ms("2026-11-22T04:00:00Z")),
            ms("2026-11-22T05:30:00Z")
        );
        assert_eq!(
            office.opens(ms("2026-11-22T05:30:00Z")),
            ms("2026-11-22T05:30:00Z")
        );
        let at_night = When::Cron(Cron::parse("0 3 * * *").unwrap());
        let never = schedule(at_night, "UTC", &["08:00-22:00"], &[]);
        assert_eq!(never.next(Part::All, 0), None);
        assert!(never.ever_opens());
        let shut = schedule(
            When::Every(minute),
            "UTC",
            &["08:00-22:00"],
            &["22:00-12:00", "11:00-23:00"],
        );
        assert!(!shut.ever_opens());
    }

    /// Hours that begin or end in the hour that is left out, or there twice.
    #[test]
    fn hours_on_the_nights_of_the_clock() {
        let minute = 60_000;
        let berlin = |hours: &[&str], quiet: &[&str]| {
            schedule(When::Every(10 * minute), "Europe/Berlin", hours, quiet)
        };
        // 02:00 to 03:00 is left out on 29 March 2026 at 01:00 UTC.
        let begins = berlin(&["02:30-04:00"], &[]);
        assert_eq!(
            begins.opens(ms("2026-03-29T00:30:00Z")),
            ms("2026-03-29T01:30:00Z")
        );
        let ends = berlin(&[], &["01:00-02:30"]);
        assert_eq!(ends.opens(ms("2026-03-29T00:30:00Z")), ms("2026-03-29T01:30:00Z"));
        // 02:00 to 03:00 is there twice on 25 October 2026, from 00:00 UTC and from 01:00 UTC.
        let quiet = berlin(&[], &["02:15-02:45"]);
        assert_eq!(
            quiet.opens(ms("2026-10-25T00:15:00Z")),
            ms("2026-10-25T00:45:00Z")
        );
        assert_eq!(
            quiet.opens(ms("2026-10-25T01:20:00Z")),
            ms("2026-10-25T01:45:00Z")
        );
        let open = berlin(&["02:15-02:45"], &[]);
        assert_eq!(open.opens(ms("2026-10-25T00:50:00Z")), ms("2026-10-25T01:15:00Z"));
    }

    /// The last instant up to each of two, and between them.
    #[test]
    fn instants_are_found_backwards() {
        for name in ["Asia/Shanghai", "America/New_York", "Pacific/Apia"] {
            let zone = TimeZone::get(name).unwrap();
            for text in [
                "*/7 * * * *",
                "2 2 * * *",
                "30 2 * * 0",
                "5 1 29 2 *",
                "0 3 1 */3 *",
            ] {
                let cron = Cron::parse(text).unwrap();
                let (mut at, end) = (ms("2027-12-01T00:00:00Z"), ms("2028-12-31T00:00:00Z"));
                let mut before = None;
                for _ in 0..2_000 {
                    let Some(next) = cron.next(at, &zone).filter(|next| *next < end) else {
                        break;
                    };
                    assert_eq!(cron.last(next, &zone), Some(next), "{name} {text}");
                    if before.is_some() {
                        assert_eq!(cron.last(next - 1, &zone), before, "{name} {text} {next}");
                    }
                    (at, before) = (next, Some(next));
                }
            }
        }
        let leap = Cron::parse("5 1 29 2 *").unwrap();
        assert_eq!(leap.last(ms("2027-12-01T00:00:00Z"), &TimeZone::UTC), None);
    }

    /// Over two years, in every zone of a handful: instants grow, lie within the hours, and none is nearer than it should.
    #[test]
    fn instants_grow() {
        for name in [
            "Asia/Shanghai",
            "America/New_York",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Africa/Casablanca",
        ] {
            for (text, hours) in [
                ("15 */3 * * *", &[][..]),
                ("*/20 2 * * 1-5", &[]),
                ("5 1 * * *", &["00:30-02:30"]),
            ] {
                let rule = schedule(When::Cron(Cron::parse(text).unwrap()), name, hours, &[]);
                let (mut at, end) = (ms("2026-01-01T00:00:00Z"), ms("2027-12-31T00:00:00Z"));
                while at < end {
                    let next = rule.next(Part::All, at).expect("it comes");
                    assert!(next > at, "{name} {text}: {at} {next}");
                    assert_eq!(rule.opens(next), next, "{name} {text}");
                    at = next;
                }
            }
        }
    }
}
