//! Filling `{name}` in the texts of the catalogue.

use super::Facts;

/// `text` with each `{name}` replaced by its fact. Filled-in text is not read again, so data cannot add facts.
pub(super) fn fill(text: &str, facts: &Facts) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name(name) => match facts.iter().find(|(known, _)| *known == name) {
                Some((_, fact)) => out.push_str(fact),
                None => {
                    out.push('{');
                    out.push_str(name);
                    out.push('}');
                }
            },
        }
    }
    out
}

/// `text` with `…` where a problem puts its facts.
pub(super) fn outline(text: &str) -> String {
    let words = |piece| match piece {
        Piece::Text(text) => text,
        Piece::Name(_) => "…",
    };
    pieces(text).into_iter().map(words).collect()
}

/// The names of the placeholders in a text.
#[cfg(test)]
pub(crate) fn names(text: &str) -> Vec<&str> {
    pieces(text)
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect()
}

enum Piece<'a> {
    Text(&'a str),
    Name(&'a str),
}

/// A placeholder is `{` small letters and `_` `}`, and not inside a second pair of braces.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let run = rest[open..].bytes().take_while(|byte| *byte == b'{').count();
        let after = &rest[open + run..];
        let length = after
            .bytes()
            .take_while(|byte| byte.is_ascii_lowercase() || *byte == b'_')
            .count();
        let closed = after[length..].starts_with('}');
        let taken = if run == 1 && length > 0 && closed {
            pieces.push(Piece::Text(&rest[..open]));
            pieces.push(Piece::Name(&after[..length]));
            open + run + length + 1
        } else {
            pieces.push(Piece::Text(&rest[..open + run]));
            open + run
        };
        rest = &rest[taken..];
    }
    pieces.push(Piece::Text(rest));
    pieces
}
