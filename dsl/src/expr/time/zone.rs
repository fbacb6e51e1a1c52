//! Instants and civil times.

use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Timestamp, ToSpan};

use super::calendar::DateTime;

/// An instant as the clock of a zone shows it, cut to `fraction` digits of a second.
pub fn at_zone(ms: i64, zone: &TimeZone, fraction: u8) -> Option<DateTime> {
    from_micros(ms.checked_mul(1000)?, zone, fraction)
}

/// Microseconds since 1970 as the clock of a zone shows them, cut to `fraction` digits of a second.
pub fn from_micros(micros: i64, zone: &TimeZone, fraction: u8) -> Option<DateTime> {
    let fraction = fraction.min(6);
    let unit = 10i64.pow(u32::from(6 - fraction));
    let instant = Timestamp::from_microsecond(micros.div_euclid(unit) * unit).ok()?;
    DateTime::from_civil(zone.to_datetime(instant), fraction)
}

/// The instant a civil time means in a zone, in microseconds since 1970; `None` for a day that is none.
///
/// Of two instants that are shown alike it is the first. A time that clocks skip is the instant they skip it, its
/// fraction added.
pub fn to_micros(at: &DateTime, zone: &TimeZone) -> Option<i64> {
    let civil = at.civil()?;
    let instant = |offset: Offset| offset.to_timestamp(civil).ok();
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => Some(instant(offset)?.as_microsecond()),
        AmbiguousOffset::Fold { before, .. } => Some(instant(before)?.as_microsecond()),
        AmbiguousOffset::Gap { before, .. } => {
            let behind = instant(before)?.checked_add(1.nanosecond()).ok()?;
            let skip = zone.preceding(behind).next()?.timestamp();
            Some(skip.as_microsecond() + i64::from(at.micros))
        }
    }
}

/// A civil time at an offset, as the clock of a zone shows it.
pub(super) fn moved(at: DateTime, offset: Offset, zone: &TimeZone) -> Option<DateTime> {
    let instant = offset.to_timestamp(at.civil()?).ok()?;
    DateTime::from_civil(zone.to_datetime(instant), at.fraction)
}
