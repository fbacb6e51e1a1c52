//! Takes secrets out of text: the last wall before a log, a message, a trace, an excerpt in the ledger.
//!
//! It masks every secret it was told, also where the secret stands inside base64, is URL-encoded, JSON-escaped or
//! written in hex. It knows no patterns: a secret it was not told passes.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use crate::secret::MASK;

/// Shorter secrets are not masked: taking every `1` out of a log hides nothing and destroys the log.
const SHORTEST: usize = 4;

/// A piece of base64 must be this long to be taken for the secret's and not for chance.
const SHORTEST_PIECE: usize = 8;

/// Masks known secrets. Clones know the same ones, also those learnt later. Its `Debug` tells only how many.
#[derive(Clone, Default)]
pub struct Redactor {
    forms: Arc<RwLock<Vec<String>>>,
}

impl Redactor {
    /// Knows these secrets.
    pub fn new<S: AsRef<str>>(secrets: impl IntoIterator<Item = S>) -> Self {
        let redactor = Self::default();
        for secret in secrets {
            redactor.add(secret.as_ref());
        }
        redactor
    }

    /// Learns one more: a session id, an access token.
    pub fn add(&self, secret: &str) {
        let mut known = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms(secret) {
            if !known.contains(&form) {
                known.push(form);
            }
        }
    }

    /// Learns what another one knows.
    pub fn learn_from(&self, other: &Redactor) {
        if Arc::ptr_eq(&self.forms, &other.forms) {
            return;
        }
        let theirs = other.forms.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut known = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        for form in theirs {
            if !known.contains(&form) {
                known.push(form);
            }
        }
    }

    /// The text with every secret replaced by [`MASK`].
    ///
    /// ```
    /// let redactor = connector::Redactor::new(["s3cr3t&key"]);
    /// assert_eq!(redactor.redact("?sign=s3cr3t%26key&x=1"), "?sign=***&x=1");
    /// ```
    pub fn redact(&self, text: &str) -> String {
        let known = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<(usize, usize)> = known
            .iter()
            .flat_map(|form| {
                text.match_indices(form.as_str())
                    .map(|(at, form)| (at, at + form.len()))
            })
            .collect();
        found.sort_unstable();
        let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
        for (start, end) in found {
            if start >= done {
                masked.push_str(&text[done..start]);
                masked.push_str(MASK);
            }
            // Overlapping finds are one secret with one mask.
            done = done.max(end);
        }
        masked.push_str(&text[done..]);
        masked
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = self.forms.read().unwrap_or_else(PoisonError::into_inner).len();
        write!(f, "Redactor({known} forms)")
    }
}

/// Every spelling under which a secret may show up.
fn forms(secret: &str) -> Vec<String> {
    let secret = secret.trim();
    if secret.len() < SHORTEST {
        return Vec::new();
    }
    let json = escaped(secret, false);
    let ascii = escaped(secret, true);
    let hex = |upper: bool| -> String {
        let digits = secret.bytes().map(|byte| match upper {
            true => format!("{byte:02X}"),
            false => format!("{byte:02x}"),
        });
        digits.collect()
    };
    let mut forms = vec![
        secret.to_owned(),
        percent(secret, false),
        percent(secret, true),
        percent(secret, false).replace("%20", "+"),
        percent(secret, true).replace("%20", "+"),
        json.replace('/', "\\/"), // as some systems write it
        ascii.replace('/', "\\/"),
        // Once more inside a text of JSON, as an answer that quotes a request does.
        escaped(&json, false),
        // As `{:?}` of a panic writes it.
        secret.escape_debug().to_string(),
        json,
        ascii,
        hex(false),
        hex(true),
    ];
    for offset in 0..3 {
        let inside = base64_inside(secret.as_bytes(), offset);
        if inside.len() >= SHORTEST_PIECE {
            forms.push(inside.replace('+', "-").replace('/', "_"));
            forms.push(percent(&inside, false));
            forms.push(inside);
        }
    }
    forms.push(STANDARD.encode(secret));
    forms.push(URL_SAFE.encode(secret));
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The part of base64 text that depends on the secret alone when `offset` other bytes (modulo 3) precede it,
/// as the user name precedes the password in `basic` authorization.
fn base64_inside(secret: &[u8], offset: usize) -> String {
    let padded = [&[0_u8; 2][..offset], secret].concat();
    let text = STANDARD.encode(&padded);
    // Leading characters mix with the bytes before, the last one (and the padding) with the bytes after.
    let from = (offset * 8).div_ceil(6);
    let to = padded.len() * 8 / 6;
    text[from..to.max(from)].to_owned()
}

/// A text as it stands inside JSON; with `ascii`, everything else as `\uXXXX`.
fn escaped(text: &str, ascii: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut units = [0; 2];
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if char.is_control() || (ascii && !char.is_ascii()) => {
                for unit in char.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            _ => out.push(char),
        }
    }
    out
}

fn percent(text: &str, lower: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ if lower => out.push_str(&format!("%{byte:02x}")),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "ca/na+ry \"s3cret\"=密";

    #[test]
    fn every_form_is_masked() {
        let redactor = Redactor::new([CANARY]);
        let json = CANARY.replace('"', "\\\"");
        for carrier in [
            CANARY.to_owned(),
            format!("key={CANARY}&x"),
            percent(CANARY, false),
            percent(CANARY, true),
            percent(CANARY, false).replace("%20", "+"),
            json.replace('/', "\\/"),
            json,
            STANDARD.encode(CANARY),
            URL_SAFE.encode(CANARY),
            percent(&STANDARD.encode(CANARY), false),
            CANARY.bytes().map(|byte| format!("{byte:02x}")).collect(),
            CANARY.bytes().map(|byte| format!("{byte:02X}")).collect(),
            CANARY.replace('"', "\\\\\\\""),
            CANARY.replace('"', "\\\"").replace('密', "\\u5bc6"),
            format!("{CANARY:?}").trim_matches('"').to_owned(),
        ] {
            let masked = redactor.redact(&format!("before {carrier} after"));
            assert!(
                masked.starts_with("before ") && masked.ends_with(" after"),
                "{masked}"
            );
            assert!(
                masked.contains(MASK) && !masked.contains(&carrier),
                "{carrier} -> {masked}"
            );
        }
    }

    /// `basic` authorization: the secret sits somewhere inside the encoded text.
    #[test]
    fn inside_base64() {
        let redactor = Redactor::new(["long-canary-secret"]);
        for before in ["", "u:", "us:", "use:", "user:"] {
            for after in ["", "!", "!!"] {
                let encoded = STANDARD.encode(format!("{before}long-canary-secret{after}"));
                let masked = redactor.redact(&encoded);
                assert!(masked.contains(MASK), "{before} {after}: {encoded}");
                // What is left encodes what stood around it, and at most one byte of the secret on each side.
                let around = (before.len() + 1).div_ceil(3) * 4 + (after.len() + 1).div_ceil(3) * 4;
                assert!(masked.len() <= MASK.len() + around + 2, "{masked} tells too much");
            }
        }
    }

    #[test]
    fn text_without_secrets_is_kept() {
        let redactor = Redactor::new(["abcd", "abc", ""]);
        assert_eq!(
            redactor.redact("客户 abc 1"),
            "客户 abc 1",
            "too short to be masked"
        );
        assert_eq!(redactor.redact("abcdabcd abcd"), "****** ***");
        redactor.add("客户");
        assert_eq!(redactor.redact("客户 1"), "*** 1");
        assert!(!format!("{redactor:?}").contains("abcd"));
    }
}
