//! Values that must not be seen.
//!
//! A [`Secret`] prints as `***` wherever it is printed, and a [`Redactor`] takes every secret of a connection, in the
//! forms in which it travels, out of a text that is about to be shown.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;

use crate::recipe::urlenc;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Shorter texts are not looked for in what is shown: `1` as a password would blank out every digit. They stay
/// masked where they are known to stand.
const SHORTEST: usize = 4;

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
pub trait Secrets {
    /// What a reference stands for, if it is there.
    fn get(&self, kind: SecretKind, name: &str) -> Option<String>;
}

/// Resolves nothing: for whatever must work without secrets.
#[derive(Debug, Clone, Copy)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _: SecretKind, _: &str) -> Option<String> {
        None
    }
}

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub struct Redactor(Arc<Vec<String>>);

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} forms)", self.0.len())
    }
}

impl Redactor {
    /// Knows these secrets as they are, in base64, percent-encoded and inside JSON.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Redactor {
        let mut forms = Vec::new();
        for secret in secrets.into_iter().filter(|secret| secret.len() >= SHORTEST) {
            let json = dsl::json::to_string(&dsl::Value::from(secret));
            forms.push(secret.to_owned());
            forms.push(base64::engine::general_purpose::STANDARD_NO_PAD.encode(secret));
            forms.push(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(secret));
            forms.push(urlenc(secret.as_bytes()));
            forms.push(json.trim_matches('"').to_owned());
        }
        // The longest first, so that no form leaves a rest of a longer one.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Redactor(Arc::new(forms))
    }

    /// The text without the secrets.
    pub fn redact(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, form| {
            if text.contains(form.as_str()) {
                text.replace(form.as_str(), MASK)
            } else {
                text
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nothing() {
        let secret = Secret::new("canary-1234");
        assert_eq!(format!("{secret:?} {secret}"), "*** ***");
        let redactor = Redactor::new(["canary-1234", "pass/word+密码\"x", "1"]);
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
