//! Plain text that was most likely meant to be computed: it would be sent as it is, without a word.

use std::ops::Range;

use crate::diagnostic::did_you_mean;

/// The words that begin a computed text, each before a blank.
const WORDS: [&str; 3] = ["_function", "_findCollection", "_mongoQuery"];

/// Brackets that are typed for `<<` and `>>`.
const BRACKETS: [(&str, &str); 4] = [
    ("《《", "》》"),
    ("＜＜", "＞＞"),
    ("〈〈", "〉〉"),
    ("｛｛", "｝｝"),
];

/// A part of a text, and what was meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slip {
    pub(super) at: Range<usize>,
    pub(super) right: String,
}

/// What looks computed in a text that is not. `is_name` says whether a name in single brackets can be a field's.
pub(super) fn find(text: &str, is_name: impl Fn(&str) -> bool) -> Option<Slip> {
    word(text).or_else(|| brackets(text)).or_else(|| {
        let inside = text.strip_prefix('<')?.strip_suffix('>')?;
        let plain = |char: char| char.is_alphanumeric() || matches!(char, '_' | '.' | '*' | '$' | '|');
        let named = !inside.is_empty() && inside.chars().all(plain) && is_name(inside);
        named.then(|| Slip {
            at: 0..text.len(),
            right: format!("<<{inside}>>"),
        })
    })
}

fn word(text: &str) -> Option<Slip> {
    if !text.starts_with('_') {
        return None;
    }
    let end = text
        .find(|char: char| char != '_' && !char.is_ascii_alphanumeric())
        .unwrap_or(text.len());
    let first = &text[..end];
    let right = match WORDS.iter().find(|word| first.starts_with(**word)) {
        Some(word) => (*word).to_owned(),
        None => did_you_mean(first, WORDS.into_iter()).into_iter().next()?,
    };
    Some(Slip {
        at: 0..end,
        right: format!("{right} …"),
    })
}

fn brackets(text: &str) -> Option<Slip> {
    BRACKETS.iter().find_map(|(open, close)| {
        let start = text.find(open)?;
        let inner = start + open.len();
        let length = text[inner..].find(close)?;
        Some(Slip {
            at: start..inner + length + close.len(),
            right: format!("<<{}>>", &text[inner..inner + length]),
        })
    })
}

/// A reference that only `connections.yaml` resolves.
pub(super) fn reference(text: &str) -> Option<Range<usize>> {
    let start = ["${env:", "${secret:"].iter().find_map(|open| text.find(open))?;
    let end = text[start..].find('}').map_or(text.len(), |end| start + end + 1);
    Some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips() {
        for (text, want) in [
            ("_functon CONCAT('a')", Some("_function …")),
            ("_function", Some("_function …")),
            ("_function(1)", Some("_function …")),
            ("_Function 1", Some("_function …")),
            (
                "_findcollection find a from b where c=d",
                Some("_findCollection …"),
            ),
            ("<name>", Some("<<name>>")),
            ("<客户.名称>", Some("<<客户.名称>>")),
            ("客户《《name》》", Some("<<name>>")),
            ("＜＜name＞＞", Some("<<name>>")),
            ("<br>", None),
            ("a<name>", None),
            ("《三国》", None),
            ("_id", None),
            ("__", None),
            ("< 3", None),
        ] {
            let found = find(text, |name| name != "br").map(|slip| slip.right);
            assert_eq!(found.as_deref(), want, "{text}");
        }
        assert_eq!(reference("a ${env:X} b"), Some(2..10));
        assert_eq!(reference("${price}"), None);
    }
}
