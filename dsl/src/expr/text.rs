//! Comparing text as the server's default collation does: case and trailing blanks do not count.

use std::cmp::Ordering;

/// One character with its case folded; a character whose capital is several characters stays as it is.
pub fn fold(char: char) -> char {
    if char.is_ascii() {
        return char.to_ascii_uppercase();
    }
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

/// Compares; the shorter text counts as filled up with blanks.
pub(super) fn compare(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a.chars().map(fold), b.chars().map(fold));
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
    let (mut rest, mut wanted) = (text.chars(), pattern.chars());
    // Where to go on after the last `%`, when the straight way fails: the pattern behind it, one more text character.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        *steps += 1;
        if *steps > most {
            return None;
        }
        let before = (rest.clone(), wanted.clone());
        let matched = match wanted.next() {
            None => rest.clone().next().is_none(),
            Some('%') if escape != '%' => {
                retry = Some((wanted.clone(), rest.clone()));
                continue;
            }
            Some('_') if escape != '_' => rest.next().is_some(),
            Some(char) => {
                let literal = if char == escape {
                    wanted.next().unwrap_or(char)
                } else {
                    char
                };
                rest.next().is_some_and(|found| fold(found) == fold(literal))
            }
        };
        if matched && before.1.as_str().is_empty() {
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
    fn case_and_trailing_blanks() {
        assert_eq!(compare("a", "A  "), Ordering::Equal);
        assert_eq!(compare("a", "a\tb"), Ordering::Greater);
        assert_eq!(compare("仔细", "仔细"), Ordering::Equal);
        assert_eq!(compare("ß", "SS"), compare("ß", "ss"));
    }
}
