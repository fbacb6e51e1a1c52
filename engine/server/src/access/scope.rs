//! What a caller may do.

use std::fmt::{self, Display};

/// One permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Look.
    Read,
    /// Run, pause, decide about records.
    Operate,
    /// Change schemes.
    Edit,
    /// Manage tokens and users; everything else too.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 4] = [Scope::Read, Scope::Operate, Scope::Edit, Scope::Admin];

    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Operate => "operate",
            Scope::Edit => "edit",
            Scope::Admin => "admin",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Scope::Read => 1,
            Scope::Operate => 2,
            Scope::Edit => 4,
            Scope::Admin => 8,
        }
    }
}

/// Several permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// One and what it includes.
    pub fn of(scope: Scope) -> Self {
        Scopes(scope.bit())
    }

    /// `read,operate`; the first word that is none of them otherwise.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut bits = 0;
        for word in text.split(',').map(str::trim) {
            let scope = Scope::ALL.into_iter().find(|scope| scope.word() == word);
            bits |= scope.ok_or_else(|| word.to_owned())?.bit();
        }
        Ok(Scopes(bits))
    }

    /// Nothing.
    pub(crate) fn none() -> Self {
        Scopes(0)
    }

    /// Whether this is allowed. Who operates or edits may look, and an administrator may do everything.
    pub fn allow(self, scope: Scope) -> bool {
        let wanted = match scope {
            Scope::Read => Scope::ALL.map(Scope::bit).iter().sum(),
            other => other.bit() | Scope::Admin.bit(),
        };
        self.0 & wanted != 0
    }

    /// Whether nothing is allowed here that is not allowed there.
    pub fn within(self, others: Scopes) -> bool {
        Scope::ALL
            .into_iter()
            .all(|scope| !self.allow(scope) || others.allow(scope))
    }

    /// Their words.
    pub fn words(self) -> Vec<&'static str> {
        let given = Scope::ALL.into_iter().filter(|scope| self.0 & scope.bit() != 0);
        given.map(Scope::word).collect()
    }
}

impl Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_includes_what() {
        let check = |text: &str, want: [bool; 4]| {
            let scopes = Scopes::parse(text).unwrap();
            assert_eq!(Scope::ALL.map(|scope| scopes.allow(scope)), want, "{text}");
        };
        check("read", [true, false, false, false]);
        check("operate", [true, true, false, false]);
        check("edit", [true, false, true, false]);
        check("read, operate", [true, true, false, false]);
        check("admin", [true, true, true, true]);
        assert_eq!(Scopes::parse("read,write"), Err("write".to_owned()));
        assert_eq!(Scopes::parse(""), Err(String::new()));
        assert_eq!(Scopes::parse("edit,read").unwrap().to_string(), "read,edit");
    }

    #[test]
    fn nobody_gives_more_than_they_have() {
        let scopes = |text| Scopes::parse(text).unwrap();
        assert!(scopes("read").within(scopes("operate")));
        assert!(scopes("read,operate,edit").within(scopes("admin")));
        assert!(!scopes("edit").within(scopes("operate")));
        assert!(!scopes("admin").within(scopes("read,operate,edit")));
    }
}
