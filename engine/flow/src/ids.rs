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

/// Bytes held by the shell (a source row or a payload) that the ledger stores without the flow looking inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob(pub u64);
