//! Who calls and what they may do: scopes, tokens, passwords, logins.
//!
//! A token is 256 random bits, so its plain SHA-256 is kept: a slow hash protects what people choose and others can
//! guess, and nobody guesses one of 2^256. A password is what people choose: Argon2id. An unknown name costs as much
//! as a wrong password, and both are answered alike.

mod book;
mod login;
mod password;
mod scope;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use app::AppError;

pub use book::{Identity, Known, TokenBook};
pub use login::{Logins, SESSION_COOKIE, Session};
pub(crate) use password::Places;
pub use password::{LEAST_PASSWORD, Password, hash_password};
pub use scope::{Scope, Scopes};

/// What every token begins with, so that scanners for secrets find one that was written into a file.
const PREFIX: &str = "eng_";

/// SHA-256 of a text that was drawn at random.
pub(crate) fn hash_of(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// 256 random bits as text.
pub fn random_text() -> Result<String, AppError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| AppError::bug(format!("the system gives no random bytes: {error}")))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// A new token, and what is kept of it.
pub fn new_token() -> Result<(String, [u8; 32]), AppError> {
    let token = format!("{PREFIX}{}", random_text()?);
    let hash = hash_of(&token);
    Ok((token, hash))
}

/// A random id: for requests and the like.
pub(crate) fn short_id() -> String {
    let mut bytes = [0_u8; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
        // An id that is not unique is a nuisance in a log, and no more.
        Err(_) => "0".repeat(16),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, hash) = new_token().unwrap();
        let (other, _) = new_token().unwrap();
        assert_ne!(one, other);
        assert_eq!(one.len(), PREFIX.len() + 43, "256 bits");
        assert_eq!(hash_of(&one), hash);
        assert_eq!(short_id().len(), 16);
    }
}
