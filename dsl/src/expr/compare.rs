//! Comparing two values as the server does.
//!
//! Text with text goes by the collation, bytes by their bytes, times by the calendar, everything else by number.
//! On purpose otherwise than on the server: text with an exact number is compared exactly, not by floating point,
//! so that two 19-digit ids that differ in their last digit are never equal.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::sql::{Num, Sql, exact_prefix};
use super::{text, time};
use crate::value::Number;

/// Compares; `None` when either is NULL.
///
/// Two bare texts that are both written as JSON numbers (so not `00123`) are compared as the numbers they are.
pub fn compare(a: &Sql<'_>, b: &Sql<'_>) -> Option<Ordering> {
    match (a, b) {
        (Sql::Null | Sql::Interval(_), _) | (_, Sql::Null | Sql::Interval(_)) => None,
        (Sql::Text(x), Sql::Text(y)) => {
            if x.bare && y.bare && Number::parse(&x.text).is_some() && Number::parse(&y.text).is_some() {
                return compare_numbers(a, b);
            }
            Some(text::compare(&x.text, &y.text))
        }
        (Sql::Bytes(_), Sql::Text(_) | Sql::Bytes(_)) | (Sql::Text(_), Sql::Bytes(_)) => {
            Some(a.to_bytes()?.cmp(&b.to_bytes()?))
        }
        // Without a run there is no today, and the zone of a text with an offset is not known.
        (Sql::Date(_) | Sql::DateTime(_) | Sql::Time(_), _)
        | (_, Sql::Date(_) | Sql::DateTime(_) | Sql::Time(_)) => {
            time::order(a, b, &jiff::tz::TimeZone::UTC, || None)
        }
        _ => compare_numbers(a, b),
    }
}

/// A value as `=`, `<` and their like compare it with another: of two exact numbers the digits that are shown count,
/// so that `1/3*3 = 1` holds. `CASE`, `BETWEEN` and a list behind `IN` look at the hidden ones too.
pub(super) fn as_shown<'v, 'a>(value: &'v Sql<'a>, other: &Sql<'_>) -> Cow<'v, Sql<'a>> {
    let exact = match other {
        Sql::Int(_) | Sql::Decimal(_) => true,
        Sql::Text(text) => text.bare && !text.moment,
        _ => false,
    };
    match value {
        Sql::Decimal(number) if exact => number
            .shown()
            .map_or(Cow::Borrowed(value), |shown| Cow::Owned(Sql::Decimal(shown))),
        _ => Cow::Borrowed(value),
    }
}

/// Compares as numbers, whatever they are; `None` when either is NULL.
pub fn compare_numbers(a: &Sql<'_>, b: &Sql<'_>) -> Option<Ordering> {
    match (number(a)?, number(b)?) {
        (Num::Int(x), Num::Int(y)) => Some(x.wide().cmp(&y.wide())),
        (x @ (Num::Int(_) | Num::Exact(_)), y @ (Num::Int(_) | Num::Exact(_))) => {
            Some(x.to_decimal().cmp(&y.to_decimal()))
        }
        (x, y) => x.to_f64().partial_cmp(&y.to_f64()),
    }
}

/// Text by its digits, so that it can be compared exactly.
fn number(value: &Sql<'_>) -> Option<Num> {
    match value {
        Sql::Text(text) if !text.moment => Some(exact_prefix(&text.text)),
        other => other.to_num(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decimal::Decimal;
    use crate::expr::sql::Text;

    #[test]
    fn comparison() {
        let (quoted, number) = (
            |t: &'static str| Sql::text(t),
            |t: &str| Sql::Decimal(Decimal::parse(t).unwrap()),
        );
        let bare = |t: &'static str| {
            Sql::Text(Text {
                text: t.into(),
                bare: true,
                moment: false,
            })
        };
        let rows = [
            (quoted("9"), quoted("70"), Ordering::Greater),
            (quoted("9"), number("70"), Ordering::Less),
            (bare("9"), bare("70"), Ordering::Less),
            (bare("00123"), bare("123"), Ordering::Less),
            (bare("1.50"), bare("1.5"), Ordering::Equal),
            (quoted("ABC"), quoted("abc  "), Ordering::Equal),
            (quoted(""), number("0"), Ordering::Equal),
            (quoted("12abc"), number("12.00"), Ordering::Equal),
            (
                quoted("1234567890123456789"),
                number("1234567890123456788"),
                Ordering::Greater,
            ),
        ];
        for (a, b, want) in rows {
            assert_eq!(compare(&a, &b), Some(want), "{a:?} {b:?}");
        }
        assert_eq!(compare(&Sql::Null, &number("1")), None);
    }
}
