//! Values that must not be seen.
//!
//! A [`Secret`] prints as `***` wherever it is printed. Taking secrets out of texts is [`crate::Redactor`]'s.

use std::fmt;

use dsl::Failure;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// A text that does not print itself.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes a text in.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// Where a reference of a connections file leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// `${env:X}`: a variable of the environment.
    Env,
    /// `${secret:x}`: an entry of the secret store.
    Secret,
}

impl SecretKind {
    /// The word in a reference.
    pub fn name(self) -> &'static str {
        match self {
            SecretKind::Env => "env",
            SecretKind::Secret => "secret",
        }
    }
}

/// Resolves references. The binary implements it; tests have a table.
pub trait Secrets: Send + Sync {
    /// What a reference stands for, if it is there.
    fn get(&self, kind: SecretKind, name: &str) -> Option<String>;

    /// Why something that was asked for and not given could not even be looked for: a store that does not open.
    fn problem(&self) -> Option<Failure> {
        None
    }
}

/// Resolves nothing: for whatever must work without secrets.
#[derive(Debug, Clone, Copy)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _: SecretKind, _: &str) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nothing() {
        let secret = Secret::new("canary-1234");
        assert_eq!(format!("{secret:?} {secret}"), "*** ***");
        let redactor = crate::Redactor::new(["canary-1234", "pass/word+密码\"x", "1"]);
        assert!(!format!("{redactor:?}").contains("canary"));
        for text in [
            "key=canary-1234&x=1",
            "Y2FuYXJ5LTEyMzQ=",
            r#"{"p":"pass/word+密码\"x"}"#,
            "pass%2Fword%2B%E5%AF%86%E7%A0%81%22x",
        ] {
            let shown = redactor.redact(text);
            assert!(
                shown.contains(MASK) && !shown.contains("canary") && !shown.contains("word"),
                "{shown}"
            );
        }
        assert_eq!(redactor.redact("x=1"), "x=1");
    }
}
