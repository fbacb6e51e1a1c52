//! Literals: numbers, quoted text, bytes, days and times.

use jiff::tz::TimeZone;

use crate::decimal::Decimal;
use crate::expr::sql::{Double, Int, Sql};
use crate::expr::time;

/// A literal with an exponent is floating point, as on the server.
pub(super) fn number(text: &str) -> Sql<'static> {
    if let Some(int) = text.parse::<i128>().ok().and_then(Int::literal) {
        return Sql::Int(int);
    }
    match Decimal::parse(text) {
        Some(number) => Sql::Decimal(number),
        None => match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Sql::Double(Double::new(value)),
            _ => Sql::Null,
        },
    }
}

/// The quote and what stands between the quotes.
pub(super) fn inside(text: &str) -> (char, &str) {
    let quote = text.chars().next().unwrap_or('\'');
    (quote, text.get(1..text.len() - 1).unwrap_or(""))
}

/// Takes out doubled quotes and backslash escapes, as the server does. `\%` and `\_` keep their backslash: they
/// are for LIKE.
pub(super) fn unescape(body: &str, quote: char, keep_like: bool) -> String {
    let mut text = String::with_capacity(body.len());
    let mut chars = body.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('b') => text.push('\u{8}'),
                Some('0') => text.push('\0'),
                Some('Z') => text.push('\u{1a}'),
                Some(like @ ('%' | '_')) if keep_like => {
                    text.push('\\');
                    text.push(like);
                }
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            _ if char == quote => {
                text.push(quote);
                chars.next();
            }
            _ => text.push(char),
        }
    }
    text
}

/// The bytes of hexadecimal digits; an odd number of them begins with half a byte.
pub(super) fn hex(digits: &str) -> Option<Vec<u8>> {
    let padded = format!("{}{digits}", if digits.len() % 2 == 1 { "0" } else { "" });
    (0..padded.len())
        .step_by(2)
        .map(|at| {
            padded
                .get(at..at + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}

/// The bytes of binary digits.
pub(super) fn bits(digits: &str) -> Option<Vec<u8>> {
    let padded = format!("{}{digits}", "0".repeat(digits.len().wrapping_neg() % 8));
    (0..padded.len())
        .step_by(8)
        .map(|at| {
            padded
                .get(at..at + 8)
                .and_then(|byte| u8::from_str_radix(byte, 2).ok())
        })
        .collect()
}

/// The number that bytes are beside numbers; `None` when it takes more than 64 bits.
pub(super) fn as_number(bytes: &[u8]) -> Option<Sql<'static>> {
    let significant = bytes
        .iter()
        .position(|byte| *byte != 0)
        .map_or(&[][..], |at| &bytes[at..]);
    (significant.len() <= 8).then(|| {
        let value = significant
            .iter()
            .fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
        Sql::unsigned(value)
    })
}

/// What stands in `DATE'…'`, `TIME'…'` and `TIMESTAMP'…'`: the digits of its fraction. `None` when it is no such
/// literal; the server refuses it, too.
pub(super) fn fraction_of(kind: &str, text: &str) -> Option<u8> {
    let text = text.trim();
    let known = |char: char| char.is_ascii_digit() || matches!(char, '-' | '/' | ':' | '.' | ' ' | 'T' | 't');
    if !text.chars().all(known) || !text.ends_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    let value = Sql::text(text);
    let two_parts = text.contains([' ', 'T', 't']);
    let fits = match kind.to_ascii_uppercase().as_str() {
        "DATE" => !two_parts && time::to_datetime(&value, &TimeZone::UTC).is_some(),
        "TIME" => time::to_time(&value, &TimeZone::UTC).is_some(),
        _ => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            (two_parts || digits >= 12) && time::to_datetime(&value, &TimeZone::UTC).is_some()
        }
    };
    let fraction = text.split_once('.').map_or(0, |(_, digits)| digits.len());
    fits.then(|| u8::try_from(fraction).unwrap_or(u8::MAX).min(6))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times() {
        let rows = [
            ("DATE", "2023-01-02", Some(0)),
            ("DATE", "2023-1-2", Some(0)),
            ("DATE", "20230102", Some(0)),
            ("DATE", "2023-13-02", None),
            ("DATE", "2023-02-29", None),
            ("DATE", "2023-01-02 10:00:00", None),
            ("DATE", "abc", None),
            ("TIME", "10:11:12.5", Some(1)),
            ("TIME", "-838:59:59", Some(0)),
            ("TIME", "10:60:00", None),
            ("TIMESTAMP", "2023-01-02 03:04:05.25", Some(2)),
            ("TIMESTAMP", "2023-01-02", None),
            ("TIMESTAMP", "2023-01-02 24:00:00", None),
        ];
        for (kind, text, want) in rows {
            assert_eq!(fraction_of(kind, text), want, "{kind}'{text}'");
        }
    }

    #[test]
    fn bytes() {
        assert_eq!(hex("41"), Some(vec![0x41]));
        assert_eq!(hex("4"), Some(vec![4]));
        assert_eq!(hex("zz"), None);
        assert_eq!(bits("1000001"), Some(vec![0x41]));
        assert_eq!(bits("100000001"), Some(vec![1, 1]));
        assert_eq!(
            as_number(&[0; 9]).and_then(|n| n.to_text().map(|t| t.into_owned())),
            Some("0".into())
        );
        assert!(as_number(&[1; 9]).is_none());
    }
}
