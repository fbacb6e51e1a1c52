//! Values of SQL Server, digit by digit.

use jiff::Timestamp;
use tiberius::ColumnData;
use tiberius::numeric::Numeric;
use tiberius::time::{Date, DateTime2, Time};

use crate::cell::{Cell, fraction};

/// A value; `None` for one that has no form here.
pub(super) fn cell(value: &ColumnData<'_>) -> Option<Cell> {
    Some(match value {
        ColumnData::U8(number) => number.map_or(Cell::Null, |number| Cell::Number(number.to_string())),
        ColumnData::I16(number) => number.map_or(Cell::Null, |number| Cell::Number(number.to_string())),
        ColumnData::I32(number) => number.map_or(Cell::Null, |number| Cell::Number(number.to_string())),
        ColumnData::I64(number) => number.map_or(Cell::Null, |number| Cell::Number(number.to_string())),
        ColumnData::F32(number) => number.map_or(Cell::Null, Cell::short_float),
        ColumnData::F64(number) => number.map_or(Cell::Null, Cell::float),
        ColumnData::Bit(truth) => truth.map_or(Cell::Null, Cell::Bool),
        ColumnData::String(text) => text
            .as_ref()
            .map_or(Cell::Null, |text| Cell::Text(text.clone().into_owned())),
        ColumnData::Guid(id) => id.map_or(Cell::Null, |id| Cell::Text(id.to_string())),
        ColumnData::Binary(bytes) => bytes
            .as_ref()
            .map_or(Cell::Null, |bytes| Cell::Bytes(bytes.clone().into_owned())),
        ColumnData::Numeric(number) => number.map_or(Cell::Null, |number| Cell::decimal(decimal(number))),
        ColumnData::Xml(text) => text
            .as_ref()
            .map_or(Cell::Null, |text| Cell::Text(text.as_ref().to_string())),
        ColumnData::DateTime(None)
        | ColumnData::SmallDateTime(None)
        | ColumnData::Time(None)
        | ColumnData::Date(None)
        | ColumnData::DateTime2(None)
        | ColumnData::DateTimeOffset(None) => Cell::Null,
        ColumnData::DateTime(Some(at)) => {
            let ticks = i64::from(at.seconds_fragments());
            // A three hundredth of a second, told in the three digits in which the server writes it.
            let ms = (ticks * 10 + 1) / 3;
            clock(day(1900, i64::from(at.days()))?, ms * 1_000_000)?
        }
        ColumnData::SmallDateTime(Some(at)) => {
            let minutes = i64::from(at.seconds_fragments());
            clock(day(1900, i64::from(at.days()))?, minutes * 60_000_000_000)?
        }
        ColumnData::Time(Some(time)) => Cell::Text(of_day(nanoseconds(*time)?)?),
        ColumnData::Date(Some(date)) => Cell::Text(of_date(*date)?.to_string()),
        ColumnData::DateTime2(Some(at)) => clock(of_date(at.date())?, nanoseconds(at.time())?)?,
        // Its clock is that of UTC; the offset is for people.
        ColumnData::DateTimeOffset(Some(at)) => moment(at.datetime2())?,
    })
}

/// Largest amount, in ten thousandths, that the library's floating point still tells from its neighbours: 2^52.
const MONEY_MAX: f64 = 4_503_599_627_370_496.0;

/// An amount of the types `money` and `smallmoney`: whole ten thousandths, which the library gives as floating point.
/// `None` for one so large that digits may be gone.
pub(super) fn money(value: &ColumnData<'_>) -> Option<Cell> {
    let ColumnData::F64(amount) = value else {
        return cell(value);
    };
    let Some(amount) = amount else {
        return Some(Cell::Null);
    };
    let parts = (amount * 1e4).round();
    if parts.is_nan() || parts.abs() > MONEY_MAX {
        return None;
    }
    // Its text has every digit of a whole number of this size.
    let whole: i128 = format!("{parts:.0}").parse().ok()?;
    Some(Cell::decimal(decimal(Numeric::new_with_scale(whole, 4))))
}

fn decimal(number: Numeric) -> String {
    let scale = usize::from(number.scale());
    let sign = if number.value() < 0 { "-" } else { "" };
    let digits = number.value().unsigned_abs().to_string();
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{decimals}")
}

fn day(year: i16, days: i64) -> Option<jiff::civil::Date> {
    let days = jiff::Span::new().try_days(days).ok()?;
    jiff::civil::date(year, 1, 1).checked_add(days).ok()
}

fn of_date(date: Date) -> Option<jiff::civil::Date> {
    day(1, i64::from(date.days()))
}

/// Nanoseconds of the day.
fn nanoseconds(time: Time) -> Option<i64> {
    let unit = 10i64.checked_pow(u32::from(9u8.checked_sub(time.scale())?))?;
    i64::try_from(time.increments()).ok()?.checked_mul(unit)
}

fn of_day(nanoseconds: i64) -> Option<String> {
    let seconds = nanoseconds / 1_000_000_000;
    let rest = u32::try_from(nanoseconds % 1_000_000_000).ok()?;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    Some(format!(
        "{hours:02}:{minutes:02}:{:02}{}",
        seconds % 60,
        fraction(rest)
    ))
}

fn clock(day: jiff::civil::Date, nanoseconds: i64) -> Option<Cell> {
    Some(Cell::Text(format!("{day} {}", of_day(nanoseconds)?)))
}

fn moment(at: DateTime2) -> Option<Cell> {
    let midnight = of_date(at.date())?
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()?
        .timestamp();
    let since = jiff::SignedDuration::from_nanos(nanoseconds(at.time())?);
    let at: Timestamp = midnight.checked_add(since).ok()?;
    Some(Cell::Moment(at))
}

#[cfg(test)]
mod tests {
    use tiberius::time::{DateTime, DateTimeOffset, SmallDateTime};

    use super::*;

    /// What the library makes of the eight bytes of an amount, and what is told of it.
    #[test]
    fn amounts_have_four_decimals() {
        for (parts, want) in [
            (199_000i64, Some("19.9000")),
            (-1, Some("-0.0001")),
            (0, Some("0.0000")),
            (1, Some("0.0001")),
            (4_503_599_627_370_495, Some("450359962737.0495")),
            (-4_503_599_627_370_495, Some("-450359962737.0495")),
            (4_503_599_627_370_497, None),
            (i64::MAX, None),
        ] {
            let (high, low) = (parts >> 32, parts & 0xffff_ffff);
            // As the library does it.
            let amount = ((high << 32) as f64 + low as f64) / 1e4;
            let told = money(&ColumnData::F64(Some(amount)));
            let want = want.map(|digits| Cell::Number(digits.to_owned()));
            assert_eq!(told, want, "{parts}");
        }
        assert_eq!(money(&ColumnData::F64(None)), Some(Cell::Null));
    }

    #[test]
    fn digits_are_kept() {
        let date = Date::new(739_939);
        let time = Time::new(297_002_500_000, 7);
        for (value, want) in [
            (
                ColumnData::Numeric(Some(Numeric::new_with_scale(1990, 2))),
                "19.90",
            ),
            (
                ColumnData::Numeric(Some(Numeric::new_with_scale(-5, 4))),
                "-0.0005",
            ),
            (ColumnData::Numeric(Some(Numeric::new_with_scale(12, 0))), "12"),
            (ColumnData::I64(Some(i64::MAX)), "9223372036854775807"),
            (ColumnData::F64(Some(0.1)), "0.1"),
            (ColumnData::Bit(Some(true)), "true"),
            (ColumnData::String(None), "null"),
            (ColumnData::Binary(Some(vec![0, 1, 255].into())), "\"AAH/\""),
            (ColumnData::Date(Some(date)), "\"2026-11-20\""),
            (ColumnData::Time(Some(time)), "\"08:15:00.25\""),
            (
                ColumnData::DateTime2(Some(DateTime2::new(date, time))),
                "\"2026-11-20 08:15:00.25\"",
            ),
            (
                ColumnData::DateTimeOffset(Some(DateTimeOffset::new(DateTime2::new(date, time), 480))),
                "\"2026-11-20 08:15:00.25\"",
            ),
            // 10 three hundredths are written .033, 1 is .003 and 2 are .007.
            (
                ColumnData::DateTime(Some(DateTime::new(46_344, 2))),
                "\"2026-11-20 00:00:00.007\"",
            ),
            (
                ColumnData::DateTime(Some(DateTime::new(46_344, 10))),
                "\"2026-11-20 00:00:00.033\"",
            ),
            (
                ColumnData::SmallDateTime(Some(SmallDateTime::new(46_344, 495))),
                "\"2026-11-20 08:15:00\"",
            ),
        ] {
            let mut out = String::new();
            cell(&value).unwrap().write(&mut out, &jiff::tz::TimeZone::UTC);
            assert_eq!(out, want, "{value:?}");
        }
    }
}
