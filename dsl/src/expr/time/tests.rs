//! What is our own. What the server does is in `tests/corpus/functions/times.tsv`.

use jiff::tz::{Offset, TimeZone};

use super::*;

#[test]
fn a_text_with_an_offset_is_moved_into_the_zone() {
    let zone = TimeZone::fixed(Offset::constant(8));
    let rows = [
        ("2023-06-06T03:30:00Z", "2023-06-06 11:30:00"),
        ("2023-06-06T03:30:00.5+00:00", "2023-06-06 11:30:00.5"),
        ("2023-06-06 20:30:00-0530", "2023-06-07 10:00:00"),
        // No offset: the server's reading.
        ("2023-06-06 11:30", "2023-06-06 11:30:00"),
        ("2023-06-06 11:30:00+8", "2023-06-06 11:30:00"),
        ("10:11:12+08:00", "2010-11-12 08:00:00"),
        ("2023-06-06 11-30-15", "2023-06-06 11:30:15"),
    ];
    for (text, want) in rows {
        let at = to_datetime(&Sql::text(text), &zone);
        assert_eq!(at.map(|at| at.to_string()).as_deref(), Some(want), "{text}");
    }
    let clock = to_time(&Sql::text("2023-06-06T03:30:00Z"), &zone);
    assert_eq!(clock.map(|time| time.to_string()).as_deref(), Some("11:30:00"));
}

#[test]
fn every_day_has_its_number() {
    let mut day = Date {
        year: 1,
        month: 1,
        day: 1,
    };
    for number in 366..=3_652_424 {
        assert_eq!(day.day_number(), number);
        assert_eq!(Date::from_day_number(number), Some(day));
        day = match (day.month, day.day == days_in_month(day.year, day.month)) {
            (12, true) => Date {
                year: day.year + 1,
                month: 1,
                day: 1,
            },
            (month, true) => Date {
                month: month + 1,
                day: 1,
                ..day
            },
            _ => Date {
                day: day.day + 1,
                ..day
            },
        };
    }
    assert_eq!(Date::from_day_number(365), None);
    assert_eq!(Date::from_day_number(3_652_425), None);
}
