//! Instants in answers and in queries.

use flow::ids::Ms;
use jiff::Timestamp;

use crate::problem::Problem;

/// RFC 3339 in UTC, to the millisecond.
pub(crate) fn text(ms: Ms) -> String {
    Timestamp::from_millisecond(ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string()
}

/// An RFC 3339 text of a query.
pub(crate) fn read(name: &str, text: &str) -> Result<Ms, Problem> {
    // A `+` of an offset arrives as a blank when it was not escaped.
    text.replace(' ', "+")
        .parse::<Timestamp>()
        .map(|at| at.as_millisecond())
        .map_err(|_| Problem::malformed(format!("{name}: RFC 3339, 2026-11-21T08:00:00Z")))
}

/// The same, where it may be left out.
pub(crate) fn read_maybe(name: &str, text: Option<&str>) -> Result<Option<Ms>, Problem> {
    text.map(|text| read(name, text)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants() {
        assert_eq!(text(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
        for at in [
            "2023-11-14T22:13:20.123Z",
            "2023-11-15T06:13:20.123+08:00",
            "2023-11-15T06:13:20.123 08:00",
        ] {
            assert_eq!(read("since", at).unwrap(), 1_700_000_000_123);
        }
        for wrong in ["", "yesterday", "1700000000123", "2023-11-14"] {
            assert_eq!(read("since", wrong).unwrap_err().code(), "E6005", "{wrong}");
        }
    }
}
