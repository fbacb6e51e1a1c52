//! Signed forms as a client of the other side writes them: digests from the library, texts put together here.

use md5::{Digest as _, Md5};

use crate::crypto::{hex, percent_encode};

pub(super) type Form = Vec<(String, String)>;

pub(super) fn form(pairs: &[(&str, &str)]) -> Form {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

pub(super) fn md5(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

pub(super) fn in_order(pairs: &Form) -> Form {
    let mut sorted = pairs.clone();
    sorted.sort();
    sorted
}

/// As it is sent in a body or a query.
pub(super) fn encoded(pairs: &Form) -> String {
    let parts: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
        .collect();
    parts.join("&")
}

/// Another digit in one place.
pub(super) fn off_by_one(sign: &str) -> String {
    let last = if sign.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &sign[..sign.len() - 1])
}
