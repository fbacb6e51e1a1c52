//! Names that become part of a path on the disk.
//!
//! The name of an environment is a folder of its ledger. No other text of a user or of a system is ever part of a path
//! that the engine makes up; a file or folder that is named whole on the command line is the user's own business.

use std::fmt;

/// Longest name, in bytes.
const MAX: usize = 64;

/// Names that Windows gives to devices, in every folder.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// A text that is safe as one part of a path: letters, digits, `_` and `-` of ASCII, at most 64 of them.
///
/// ```
/// use dsl::SafeName;
/// assert_eq!(SafeName::parse("prod-2").map(|name| name.to_string()).as_deref(), Some("prod-2"));
/// for text in ["", "..", "a/b", "a\\b", "c:", "nul", "生产", "a%2e"] {
///     assert!(SafeName::parse(text).is_none(), "{text}");
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeName(String);

impl SafeName {
    /// Takes a text that may be such a name.
    pub fn parse(text: &str) -> Option<SafeName> {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let fine = (1..=MAX).contains(&text.len()) && text.bytes().all(letter) && !is_device(text);
        fine.then(|| SafeName(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `con`, `com1` and their like, in any case.
fn is_device(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let port = text.strip_prefix("com").or_else(|| text.strip_prefix("lpt"));
    DEVICES.contains(&text.as_str()) || port.is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']))
}

impl fmt::Display for SafeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<std::path::Path> for SafeName {
    fn as_ref(&self) -> &std::path::Path {
        std::path::Path::new(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_a_folder() {
        let long = "x".repeat(MAX + 1);
        for text in [
            "",
            ".",
            "..",
            "../x",
            "..\\x",
            "/etc",
            "\\\\host\\share",
            "c:",
            "c:\\x",
            "a/b",
            "a\\b",
            "a\0b",
            "a\nb",
            "a b",
            "a.",
            "a:b",
            "%2e%2e%2f",
            "..%2f",
            "~",
            "$HOME",
            "\u{2024}\u{2024}/",
            "\u{ff0e}\u{ff0e}\u{ff0f}",
            "..\u{2215}",
            "con",
            "NUL",
            "Com1",
            "lpt9",
            long.as_str(),
        ] {
            assert_eq!(SafeName::parse(text), None, "{text:?}");
        }
        for text in [
            "a",
            "default",
            "prod",
            "UAT_2",
            "-",
            "console",
            "com10",
            &long[1..],
        ] {
            assert_eq!(SafeName::parse(text).as_ref().map(SafeName::as_str), Some(text));
        }
    }
}
