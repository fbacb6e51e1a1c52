//! What a trade says, as text: row, version and payload of the model are this one text.

use std::fmt;

/// What will happen to a row on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing special.
    Plain,
    /// The target refuses it.
    Poison,
    /// Cannot be transformed.
    Broken,
    /// The scheme's filter refuses it.
    Filtered,
    /// Has no key.
    Keyless,
    /// Waits for another record, which comes after a while.
    Deferred,
    /// Means "cancelled".
    Void,
}

const WORDS: [(Kind, &str); 7] = [
    (Kind::Plain, "plain"),
    (Kind::Poison, "poison"),
    (Kind::Broken, "broken"),
    (Kind::Filtered, "filtered"),
    (Kind::Keyless, "keyless"),
    (Kind::Deferred, "deferred"),
    (Kind::Void, "void"),
];

/// One version of one customer, as a trade shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content {
    /// The customer: the record's key.
    pub(super) customer: u32,
    /// Unique per change.
    pub(super) serial: u32,
    /// What will happen to it.
    pub(super) kind: Kind,
}

impl Content {
    /// Reads what `Display` wrote.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let customer = parts.next()?.parse().ok()?;
        let serial = parts.next()?.parse().ok()?;
        let word = parts.next()?;
        let kind = WORDS.into_iter().find(|(_, w)| *w == word)?.0;
        Some(Content {
            customer,
            serial,
            kind,
        })
    }

    /// Identity within the scheme.
    pub(super) fn key(&self) -> String {
        match self.kind {
            Kind::Keyless => flow::ids::keyless(u64::from(self.customer) << 32 | u64::from(self.serial)),
            _ => format!("[\"{}\"]", self.customer),
        }
    }
}

impl Content {
    /// Whether the scheme wants a step for this row.
    pub(super) fn wants(&self, step: &str) -> bool {
        step != "notify" || self.serial.is_multiple_of(2)
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = WORDS
            .into_iter()
            .find(|(kind, _)| *kind == self.kind)
            .map_or("", |(_, word)| word);
        write!(f, "{}:{}:{word}", self.customer, self.serial)
    }
}
