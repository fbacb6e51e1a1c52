//! Passwords: a slow hash, and the same time for names that nobody has.

use app::AppError;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Fewest characters; NIST SP 800-63B asks for 8 where nothing else protects the login.
pub const LEAST_PASSWORD: usize = 8;
/// Most bytes: a longer text only costs time.
const MOST_PASSWORD: usize = 1_024;

/// What is looked up for a name.
#[derive(Debug, Clone)]
pub enum Password {
    /// The text of the hash.
    Of(String),
    /// Nobody has that name.
    OfNobody,
}

/// Argon2id with 19 MiB and two passes, the least that OWASP advises: some 30 ms a try.
fn argon2() -> Result<Argon2<'static>, AppError> {
    let params = Params::new(19 * 1_024, 2, 1, None)
        .map_err(|error| AppError::bug(format!("parameters of Argon2: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a new password.
pub fn hash_password(password: &str) -> Result<String, AppError> {
    if password.chars().count() < LEAST_PASSWORD || password.len() > MOST_PASSWORD {
        return Err(AppError::wrong_use(
            format!("密码至少 {LEAST_PASSWORD} 个字符,最多 {MOST_PASSWORD} 字节"),
            format!("a password has at least {LEAST_PASSWORD} characters and at most {MOST_PASSWORD} bytes"),
        ));
    }
    hashed(password)
}

fn hashed(password: &str) -> Result<String, AppError> {
    let mut salt = [0_u8; 16];
    getrandom::fill(&mut salt)
        .map_err(|error| AppError::bug(format!("the system gives no random bytes: {error}")))?;
    let hash = argon2()?
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| AppError::bug(format!("Argon2: {error}")))?;
    Ok(hash.to_string())
}

/// A hash of a password that nobody has, to spend the same time on.
fn nobodys() -> Result<&'static str, AppError> {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(hash);
    }
    let (token, _) = super::new_token()?;
    let hash = hashed(&token)?;
    Ok(HASH.get_or_init(|| hash))
}

impl Password {
    /// Whether this is the password. Takes its time: not for a thread that others wait for.
    pub fn is(&self, password: &str) -> Result<bool, AppError> {
        let nobodys = nobodys()?;
        if password.len() > MOST_PASSWORD {
            return Ok(false);
        }
        let text = match self {
            Password::Of(hash) => hash.as_str(),
            Password::OfNobody => nobodys,
        };
        let hash =
            PasswordHash::new(text).map_err(|error| AppError::bug(format!("a stored password: {error}")))?;
        let is_right = argon2()?.verify_password(password.as_bytes(), &hash).is_ok();
        Ok(is_right && matches!(self, Password::Of(_)))
    }
}

/// Passwords that are looked at at the same time: each takes 19 MiB and some 30 ms of a core, and anybody may ask.
const AT_A_TIME: usize = 2;

/// Where passwords are looked at: few at a time, on threads that nobody waits for.
#[derive(Debug)]
pub(crate) struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Self {
        Places(Arc::new(Semaphore::new(AT_A_TIME)))
    }
}

impl Places {
    /// Does the work in a place of its own; `None` = there was none for so long.
    ///
    /// The place is the work's, not the caller's: whoever hangs up does not make room for another while the hash is
    /// still being made.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        wait: Duration,
        work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
    ) -> Result<Option<T>, AppError> {
        let Ok(place) = tokio::time::timeout(wait, Arc::clone(&self.0).acquire_owned()).await else {
            return Ok(None);
        };
        let place = place.map_err(|error| AppError::bug(error.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        done.await
            .map_err(|error| AppError::bug(error.to_string()))?
            .map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_caller_who_hangs_up_makes_no_room() {
        let places = Places::default();
        let mut ends = Vec::new();
        for _ in 0..AT_A_TIME {
            let ((began, has_begun), (end, ended)) =
                (tokio::sync::oneshot::channel(), std::sync::mpsc::channel::<()>());
            let work = places.work(Duration::from_secs(60), move || {
                began.send(()).unwrap();
                ended.recv().unwrap_err();
                Ok(())
            });
            // The caller is gone once the work has begun.
            tokio::select! {
                _ = work => panic!("the work ended by itself"),
                begun = has_begun => begun.unwrap(),
            }
            ends.push(end);
        }
        assert_eq!(places.work(Duration::ZERO, || Ok(())).await.unwrap(), None);
        drop(ends);
        let after = places.work(Duration::from_secs(60), || Ok(7)).await.unwrap();
        assert_eq!(after, Some(7), "the places come back with the end of the work");
    }

    #[test]
    fn passwords() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let kept = Password::Of(hash);
        assert!(kept.is("correct horse").unwrap());
        assert!(!kept.is("correct horsf").unwrap());
        assert!(!kept.is(&"x".repeat(2_000)).unwrap());
        assert!(!Password::OfNobody.is("correct horse").unwrap());
        assert!(Password::Of("not a hash".to_owned()).is("x").is_err());
        for short in ["", "seven77", &"x".repeat(2_000)] {
            hash_password(short).unwrap_err();
        }
        hash_password("密码有八个字符吗").unwrap();
    }
}
