//! A text with an offset, `2023-06-06T03:30:00Z` or `… 11:30:00+08:00`, means an instant.
//!
//! On purpose otherwise than on the server, which drops the offset: the instant is shown in the scheme's zone.

use jiff::tz::Offset;

/// Splits `Z`, `+08:00` or `-0530` off the end of a text that is a full date and a time.
pub(super) fn split(text: &str) -> Option<(&str, Offset)> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let dated = bytes.len() > 10 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-';
    let clock = text.find(':').filter(|_| dated)?;
    if let Some(body) = text.strip_suffix(['Z', 'z']) {
        return ends_in_digit(body).then_some((body, Offset::UTC));
    }
    let sign = clock + text[clock..].find(['+', '-'])?;
    let (hours, minutes) = match &bytes[sign + 1..] {
        [a, b, b':', c, d] | [a, b, c, d] => (two(*a, *b)?, two(*c, *d)?),
        _ => return None,
    };
    let seconds = (hours * 60 + minutes) * 60;
    let east = bytes[sign] == b'+';
    let offset = Offset::from_seconds(if east { seconds } else { -seconds }).ok()?;
    let body = text[..sign].trim_end();
    ends_in_digit(body).then_some((body, offset))
}

fn ends_in_digit(text: &str) -> bool {
    text.ends_with(|last: char| last.is_ascii_digit())
}

fn two(tens: u8, ones: u8) -> Option<i32> {
    (tens.is_ascii_digit() && ones.is_ascii_digit())
        .then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
}
