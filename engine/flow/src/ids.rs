//! Identities and opaque handles. The flow never sees a row, a page or a payload, only these.

use std::fmt;

/// Milliseconds since the Unix epoch (UTC).
pub type Ms = i64;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }
    };
}

id!(
    /// One execution of one scheme.
    RunId
);
id!(
    /// One slice of time read from the source in one run.
    WindowId
);
id!(
    /// A record: (scheme, source key).
    RecordId
);
id!(
    /// One network send. Settlement is compare-and-set on it.
    AttemptId
);
id!(
    /// What another system sent by itself, in the order of arrival.
    PushId
);

/// Bytes held by the shell (a source row or a payload) that the ledger stores without the flow looking inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(pub u64);

/// The key that a row is stored under which has none, or which could not be evaluated: a hash of the row. It is no
/// identity: the same document read rightly has another one, so nothing is ever written under it.
pub fn keyless(row_hash: u64) -> String {
    format!("[\"#{row_hash:016x}\"]")
}

/// Whether a record is stored under a hash of its row.
pub fn is_keyless(key: &str) -> bool {
    let hash = key.strip_prefix("[\"#").and_then(|rest| rest.strip_suffix("\"]"));
    hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_told_from_a_key() {
        assert!(is_keyless(&keyless(0)));
        assert!(is_keyless(&keyless(u64::MAX)));
        for key in [
            r##"["#1"]"##,
            r#"["0123456789abcdef"]"#,
            r##"["#0123456789abcdef","1"]"##,
            "[]",
            "",
        ] {
            assert!(!is_keyless(key), "{key}");
        }
    }
}
