//! Logins with name and password: sessions, and the wait after mistakes. Kept in memory: a restart ends the sessions.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use app::AppError;
use flow::ids::Ms;

use super::scope::Scopes;
use super::{hash_of, random_text};

/// Name of the cookie.
pub const SESSION_COOKIE: &str = "engine_session";

/// A session ends when it was not used for so long,
const IDLE: Ms = 8 * 3_600_000;
/// and at the latest after this.
const LONGEST: Ms = 7 * 86_400_000;
/// Sessions at a time; the one that was not used for longest gives way.
const MOST_SESSIONS: usize = 1_000;

/// Mistakes in a row before a name has to wait.
const MISTAKES: u32 = 5;
/// The first wait; twice as long each time,
const FIRST_WAIT: Ms = 60_000;
/// at most so long.
const LONGEST_WAIT: Ms = 15 * 60_000;
/// Names whose mistakes are counted; beyond, all other names share one count, so that nobody makes room by guessing
/// names.
const MOST_NAMES: usize = 10_000;
/// Mistakes are forgotten after this.
const FORGOTTEN: Ms = 3_600_000;

/// A login that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The user.
    pub user: String,
    /// What the user may do.
    pub scopes: Scopes,
    began: Ms,
    used: Ms,
}

#[derive(Debug, Default)]
struct Mistakes {
    count: u32,
    last: Ms,
    until: Ms,
}

/// Sessions and mistakes.
#[derive(Debug, Default)]
pub struct Logins {
    sessions: Mutex<HashMap<[u8; 32], Session>>,
    mistakes: Mutex<HashMap<String, Mistakes>>,
}

impl Logins {
    /// Begins a session; the text of its cookie.
    pub fn begin(&self, user: &str, scopes: Scopes, now: Ms) -> Result<String, AppError> {
        let secret = random_text()?;
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| is_alive(session, now));
        if sessions.len() >= MOST_SESSIONS
            && let Some(oldest) = sessions
                .iter()
                .min_by_key(|(_, session)| session.used)
                .map(|(key, _)| *key)
        {
            sessions.remove(&oldest);
        }
        let session = Session {
            user: user.to_owned(),
            scopes,
            began: now,
            used: now,
        };
        sessions.insert(hash_of(&secret), session);
        Ok(secret)
    }

    /// Whose session this is, if it goes on.
    pub fn find(&self, secret: &str, now: Ms) -> Option<Session> {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get_mut(&hash_of(secret))?;
        if !is_alive(session, now) {
            return None;
        }
        session.used = now;
        Some(session.clone())
    }

    /// Ends a session.
    pub fn end(&self, secret: &str) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&hash_of(secret));
    }

    /// Ends all sessions of a user: after a change of the password or the scopes.
    pub fn end_all(&self, user: &str) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.user != user);
    }

    /// How long this name still has to wait, in milliseconds; the same for names that nobody has.
    pub fn wait(&self, name: &str, now: Ms) -> Option<Ms> {
        let mistakes = self.mistakes.lock().unwrap_or_else(PoisonError::into_inner);
        let until = mistakes.get(place(&mistakes, name))?.until;
        (until > now).then(|| until - now)
    }

    /// Counts a mistake. It is counted before the password is looked at, so that guesses made at the same time are
    /// counted too; [`Self::right`] takes it back.
    pub fn mistake(&self, name: &str, now: Ms) {
        let mut mistakes = self.mistakes.lock().unwrap_or_else(PoisonError::into_inner);
        if mistakes.len() >= MOST_NAMES {
            mistakes.retain(|_, one| now.saturating_sub(one.last) < FORGOTTEN || one.until > now);
        }
        let place = place(&mistakes, name).to_owned();
        let one = mistakes.entry(place).or_default();
        if now.saturating_sub(one.last) >= FORGOTTEN && one.until <= now {
            one.count = 0;
        }
        one.count = one.count.saturating_add(1);
        one.last = now;
        if one.count >= MISTAKES {
            let doublings = (one.count - MISTAKES).min(8);
            one.until = now + (FIRST_WAIT << doublings).min(LONGEST_WAIT);
        }
    }

    /// The password was right: mistakes are forgotten.
    pub fn right(&self, name: &str) {
        let mut mistakes = self.mistakes.lock().unwrap_or_else(PoisonError::into_inner);
        mistakes.remove(name);
    }
}

/// Under which name mistakes are counted.
fn place<'a>(mistakes: &HashMap<String, Mistakes>, name: &'a str) -> &'a str {
    if mistakes.contains_key(name) || mistakes.len() < MOST_NAMES {
        name
    } else {
        ""
    }
}

fn is_alive(session: &Session, now: Ms) -> bool {
    now.saturating_sub(session.used) < IDLE && now.saturating_sub(session.began) < LONGEST
}

#[cfg(test)]
mod tests {
    use super::super::Scope;
    use super::*;

    #[test]
    fn sessions_end() {
        let logins = Logins::default();
        let scopes = Scopes::of(Scope::Read);
        let secret = logins.begin("王工", scopes, 0).unwrap();
        assert_eq!(logins.find(&secret, IDLE - 1).unwrap().user, "王工");
        assert!(logins.find(&secret, IDLE + 1).is_some(), "use keeps it");
        assert_eq!(logins.find(&secret, 3 * IDLE), None, "idle");
        assert_eq!(logins.find("other", 0), None);

        let secret = logins.begin("王工", scopes, 0).unwrap();
        let mut at = 0;
        while at < LONGEST - IDLE {
            at += IDLE / 2;
            assert!(logins.find(&secret, at).is_some());
        }
        assert_eq!(logins.find(&secret, LONGEST), None, "not for ever");

        let (one, other) = (
            logins.begin("a", scopes, 0).unwrap(),
            logins.begin("b", scopes, 0).unwrap(),
        );
        logins.end_all("a");
        assert_eq!(logins.find(&one, 1), None);
        logins.end(&other);
        assert_eq!(logins.find(&other, 1), None);
    }

    #[test]
    fn sessions_are_bounded() {
        let logins = Logins::default();
        let first = logins.begin("first", Scopes::of(Scope::Read), 0).unwrap();
        for at in 1..=1_000 {
            logins.begin("u", Scopes::of(Scope::Read), at).unwrap();
        }
        assert_eq!(logins.find(&first, 1_001), None);
        assert_eq!(logins.sessions.lock().unwrap().len(), MOST_SESSIONS);
    }

    #[test]
    fn mistakes_make_wait_longer_and_longer() {
        let logins = Logins::default();
        let mut now = 0;
        for _ in 0..4 {
            logins.mistake("a", now);
        }
        assert_eq!(logins.wait("a", now), None);
        for want in [60_000, 120_000, 240_000, 480_000, 900_000, 900_000] {
            logins.mistake("a", now);
            assert_eq!(logins.wait("a", now), Some(want));
            now += want;
            assert_eq!(logins.wait("a", now), None);
        }
        assert_eq!(logins.wait("b", now), None, "others do not wait");
        logins.right("a");
        logins.mistake("a", now);
        assert_eq!(logins.wait("a", now), None, "a right one forgets");
        for _ in 0..3 {
            logins.mistake("a", now);
        }
        logins.mistake("a", now + FORGOTTEN);
        assert_eq!(logins.wait("a", now + FORGOTTEN), None, "so does time");
    }

    #[test]
    fn names_are_bounded() {
        let logins = Logins::default();
        for nth in 0..MOST_NAMES + 10 {
            logins.mistake(&format!("n{nth}"), 0);
        }
        assert!(logins.mistakes.lock().unwrap().len() <= MOST_NAMES + 1);
        assert!(
            logins.wait("somebody new", 0).is_some(),
            "guessing names makes no room"
        );
    }
}
