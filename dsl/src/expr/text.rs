//! Comparing text as the server's default collation does, utf8mb4_general_ci: case and most accents do not count,
//! trailing blanks neither. Its capitals and small letters, too.
//!
//! On purpose otherwise than on the server: it takes all characters beyond the BMP for equal, here they are
//! compared by their code points, so that two emoji are two.

use std::cmp::Ordering;

use super::collation::{CAPITALS, Row, SMALL, WEIGHTS};

/// Between these two nothing has a weight, a capital or a small letter but its own: here lies what is Chinese.
const PLAIN: std::ops::RangeInclusive<u32> = 0x2500..=0xFEFF;

/// What a table makes of a character.
fn mapped(table: &[Row], char: char) -> char {
    let code = u32::from(char);
    let Ok(short) = u16::try_from(code) else {
        return char;
    };
    if PLAIN.contains(&code) {
        return char;
    }
    let row = table.partition_point(|row| row.1 < short);
    match table.get(row) {
        Some((first, _, step, to, rise)) if short >= *first && (short - first) % step == 0 => {
            let to = u32::from(*to) + u32::from((short - first) / step * rise);
            char::from_u32(to).unwrap_or(char)
        }
        _ => char,
    }
}

/// The character that this one counts as in a comparison: `é` as `E`, `ß` as `S`.
pub fn fold(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_uppercase();
    }
    mapped(WEIGHTS, char)
}

/// The capital letter; `ß` has none.
pub fn capital(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_uppercase();
    }
    mapped(CAPITALS, char)
}

/// The small letter.
pub fn small(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    mapped(SMALL, char)
}

/// Compares; the shorter text counts as filled up with blanks.
pub fn compare(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    // ASCII at the beginning needs no decoding.
    let pairs = a.bytes().zip(b.bytes());
    let mut same = 0;
    for (x, y) in pairs {
        if !x.is_ascii() || !y.is_ascii() {
            break;
        }
        match x.to_ascii_uppercase().cmp(&y.to_ascii_uppercase()) {
            Ordering::Equal => same += 1,
            unequal => return unequal,
        }
    }
    let (mut x, mut y) = (a[same..].chars().map(fold), b[same..].chars().map(fold));
    loop {
        let (left, right) = match (x.next(), y.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => (left.unwrap_or(' '), right.unwrap_or(' ')),
        };
        match left.cmp(&right) {
            Ordering::Equal => {}
            unequal => return unequal,
        }
    }
}

/// `LIKE`: `%` any run, `_` one character, `escape` before either takes it literally. `steps` counts the
/// characters looked at; the answer is `None` when they exceed `most`.
pub(super) fn like(text: &str, pattern: &str, escape: char, most: u64, steps: &mut u64) -> Option<bool> {
    matches(text.chars(), pattern.chars(), escape, most, steps, |a, b| {
        fold(a) == fold(b)
    })
}

/// `LIKE` with bytes, which are only like themselves.
pub(super) fn like_bytes(
    text: &[u8],
    pattern: &[u8],
    escape: char,
    most: u64,
    steps: &mut u64,
) -> Option<bool> {
    let unit: fn(u8) -> char = char::from;
    let (text, pattern) = (text.iter().copied().map(unit), pattern.iter().copied().map(unit));
    matches(text, pattern, escape, most, steps, |a, b| a == b)
}

fn matches<I: Iterator<Item = char> + Clone>(
    text: I,
    pattern: I,
    escape: char,
    most: u64,
    steps: &mut u64,
    same: impl Fn(char, char) -> bool,
) -> Option<bool> {
    let (mut rest, mut wanted) = (text, pattern);
    // Where to go on after the last `%`, when the straight way fails: the pattern behind it, one more text character.
    let mut retry: Option<(I, I)> = None;
    loop {
        *steps += 1;
        if *steps > most {
            return None;
        }
        let (matched, ended) = match wanted.next() {
            None => (rest.clone().next().is_none(), true),
            Some('%') if escape != '%' => {
                retry = Some((wanted.clone(), rest.clone()));
                continue;
            }
            Some('_') if escape != '_' => (rest.next().is_some(), false),
            Some(char) => {
                let literal = if char == escape {
                    wanted.next().unwrap_or(char)
                } else {
                    char
                };
                (rest.next().is_some_and(|found| same(found, literal)), false)
            }
        };
        if matched && ended {
            return Some(true);
        }
        if matched {
            continue;
        }
        let Some((pattern_again, mut text_again)) = retry.take() else {
            return Some(false);
        };
        if text_again.next().is_none() {
            return Some(false);
        }
        retry = Some((pattern_again.clone(), text_again.clone()));
        (rest, wanted) = (text_again, pattern_again);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_patterns() {
        let rows = [
            ("广东省深圳", "%深圳", true),
            ("广东省深圳", "深圳%", false),
            ("abc", "A_C", true),
            ("abc", "a%", true),
            ("", "%", true),
            ("", "", true),
            ("a", "", false),
            ("100%", "100\\%", true),
            ("100x", "100\\%", false),
            ("aXbXc", "%x%c", true),
            ("abcabd", "%abd", true),
            ("abcabdx", "%ab_", false),
        ];
        for (text, pattern, want) in rows {
            assert_eq!(
                like(text, pattern, '\\', 1000, &mut 0),
                Some(want),
                "{text} like {pattern}"
            );
        }
        let (text, pattern) = ("a".repeat(5000), "%a".repeat(2000) + "b");
        assert_eq!(like(&text, &pattern, '\\', 1000, &mut 0), None);
    }

    #[test]
    fn bytes_are_only_like_themselves() {
        let like = |text: &[u8], pattern: &[u8]| like_bytes(text, pattern, '\\', 1000, &mut 0);
        assert_eq!(like(b"abc", b"a%"), Some(true));
        assert_eq!(like(b"abc", b"A%"), Some(false));
        assert_eq!(like("广".as_bytes(), b"_"), Some(false));
        assert_eq!(like("广".as_bytes(), b"___"), Some(true));
    }

    /// Rows that a server gave; the tables come from it as a whole.
    #[test]
    fn characters() {
        let rows = [
            ('a', 'A', 'A', 'a'),
            ('é', 'E', 'É', 'é'),
            ('Å', 'A', 'Å', 'å'),
            ('ß', 'S', 'ß', 'ß'),
            ('ſ', 'S', 'S', 'ſ'),
            ('ı', 'I', 'I', 'ı'),
            ('İ', 'I', 'İ', 'i'),
            ('ÿ', 'Y', 'Ÿ', 'ÿ'),
            ('ǅ', 'Ǆ', 'Ǆ', 'ǆ'),
            ('µ', 'Μ', 'Μ', 'µ'),
            ('ς', 'Σ', 'Σ', 'ς'),
            ('ａ', 'Ａ', 'Ａ', 'ａ'),
            ('ⅷ', 'Ⅷ', 'Ⅷ', 'ⅷ'),
            ('あ', 'あ', 'あ', 'あ'),
            ('中', '中', '中', '中'),
            ('\u{a0}', '\u{a0}', '\u{a0}', '\u{a0}'),
            ('𐐨', '𐐨', '𐐨', '𐐨'),
        ];
        for (char, weight, upper, lower) in rows {
            assert_eq!(
                (fold(char), capital(char), small(char)),
                (weight, upper, lower),
                "{char}"
            );
        }
    }

    #[test]
    fn rows_are_in_order_and_leave_the_plain_characters_alone() {
        for table in [WEIGHTS, CAPITALS, SMALL] {
            for row in table {
                assert!(row.0 <= row.1 && (row.1 - row.0) % row.2 == 0, "{row:X?}");
                let outside = u32::from(row.1) < *PLAIN.start() || u32::from(row.0) > *PLAIN.end();
                assert!(outside, "{row:X?}");
            }
            assert!(table.windows(2).all(|rows| rows[0].1 < rows[1].0));
        }
    }

    #[test]
    fn case_and_trailing_blanks() {
        assert_eq!(compare("a", "A  "), Ordering::Equal);
        assert_eq!(compare("a", "a\tb"), Ordering::Greater);
        assert_eq!(compare("仔细", "仔细"), Ordering::Equal);
        assert_eq!(compare("ß", "s"), Ordering::Equal);
        assert_eq!(compare("ß", "ss"), Ordering::Less);
        assert_eq!(compare("café", "CAFE "), Ordering::Equal);
        assert_eq!(compare("a", "a\0"), Ordering::Greater);
        assert_eq!(compare("a", "a\u{3000}"), Ordering::Less);
        assert_ne!(compare("😀", "😁"), Ordering::Equal);
    }
}
