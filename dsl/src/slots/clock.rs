//! Instants as days and times of the clock, for the forms in which systems send them.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::raw::{Kind, Raw};
use crate::filter::Filter;

/// What `date` and `datetime` print of thirteen digits, which are milliseconds, or ten, which are seconds; other forms are
/// read by [`Filter::apply`]. These instants lie between 1970 and 2603.
pub(super) fn printed(raw: &Raw, row: &str, filter: Filter, zone: &TimeZone) -> Option<String> {
    if !matches!(raw.kind, Kind::Number | Kind::Text) {
        return None;
    }
    let digits = raw.of(row).as_bytes();
    let unit = match digits.len() {
        13 => 1,
        10 => 1000,
        _ => return None,
    };
    let number = digits.iter().try_fold(0i64, |number, byte| {
        byte.is_ascii_digit()
            .then(|| number * 10 + i64::from(byte - b'0'))
    });
    let ms = number? * unit;
    let at = Timestamp::from_millisecond(ms).ok()?;
    let at = zone.to_offset(at).to_datetime(at);
    let mut text = Vec::with_capacity(19);
    let two = |text: &mut Vec<u8>, number: i8| {
        let number = number.unsigned_abs();
        text.extend_from_slice(&[b'0' + number / 10, b'0' + number % 10]);
    };
    let year = at.year().unsigned_abs();
    let halves = (i8::try_from(year / 100).ok()?, i8::try_from(year % 100).ok()?);
    two(&mut text, halves.0);
    two(&mut text, halves.1);
    text.push(b'-');
    two(&mut text, at.month());
    text.push(b'-');
    two(&mut text, at.day());
    if filter == Filter::DateTime {
        text.push(b' ');
        two(&mut text, at.hour());
        text.push(b':');
        two(&mut text, at.minute());
        text.push(b':');
        two(&mut text, at.second());
    }
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::{Number, Value};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]

        #[test]
        fn as_the_filters_print(ms in 1_000_000_000_000i64..10_000_000_000_000, seconds in 0i64..10_000_000_000) {
            let zones = ["Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "UTC", "Africa/Monrovia"];
            for (zone, filter) in zones.iter().flat_map(|zone| [(zone, Filter::Date), (zone, Filter::DateTime)]) {
                let zone = TimeZone::get(zone).unwrap();
                for row in [ms.to_string(), seconds.to_string(), format!("{seconds:010}")] {
                    let raw = Raw { kind: Kind::Text, end: u32::try_from(row.len()).unwrap(), ..Raw::MISSING };
                    if let Some(printed) = printed(&raw, &row, filter, &zone) {
                        let plain = filter.apply(Value::from(row.as_str()), &zone).unwrap();
                        prop_assert_eq!(Value::from(printed), plain, "{}", row);
                    }
                }
                let row = ms.to_string();
                let raw = Raw { kind: Kind::Number, end: 13, ..Raw::MISSING };
                let plain = filter.apply(Value::Number(Number::from(ms)), &zone).unwrap();
                prop_assert_eq!(printed(&raw, &row, filter, &zone).map(Value::from), Some(plain));
            }
        }
    }
}
