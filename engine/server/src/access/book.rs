//! The tokens that are known, in memory: this process is the only one that writes them while it runs.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError, RwLock};

use flow::ids::Ms;
use ledger::service::access::TokenRow;

use super::scope::{Scope, Scopes};

/// How often the last use of a token is written down.
const NOTED_EVERY: Ms = 60_000;

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// By what they are known.
    pub known: Known,
    /// What they may do.
    pub scopes: Scopes,
    /// The schemes they are limited to; `None` = all.
    pub schemes: Option<Vec<String>>,
}

/// By what a caller is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A token, by number and name.
    Token(i64, String),
    /// A user who logged in.
    User(String),
}

impl Identity {
    /// For notes of decisions: `token erp`, `王工`.
    pub fn name(&self) -> String {
        match &self.known {
            Known::Token(id, name) => format!("token {id} {name}"),
            Known::User(name) => name.clone(),
        }
    }

    /// Under which name repeated requests are known; no two callers share one.
    pub(crate) fn key(&self) -> String {
        match &self.known {
            Known::Token(id, _) => format!("t{id}"),
            Known::User(name) => format!("u{name}"),
        }
    }

    /// Whether they may do this.
    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.allow(scope)
    }

    /// Whether they may know of this scheme.
    pub fn sees(&self, scheme: &str) -> bool {
        self.schemes
            .as_ref()
            .is_none_or(|schemes| schemes.iter().any(|one| one == scheme))
    }
}

/// The tokens by their hash.
#[derive(Debug, Default)]
pub struct TokenBook {
    tokens: RwLock<HashMap<[u8; 32], TokenRow>>,
    used: Mutex<HashMap<i64, Ms>>,
}

impl TokenBook {
    /// From what the ledger has; `hashes` in the same order.
    pub fn fill(&self, rows: Vec<([u8; 32], TokenRow)>) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        *tokens = rows.into_iter().collect();
    }

    /// Knows a token no more.
    pub fn forget(&self, id: i64) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.retain(|_, row| row.id != id);
    }

    /// Who a token names, if it may still be used; and whether its use should be written down.
    pub fn find(&self, token: &str, now: Ms) -> Option<(Identity, bool)> {
        let hash = super::hash_of(token);
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        let row = tokens.get(&hash)?;
        if row.revoked.is_some() || row.expires.is_some_and(|at| at <= now) {
            return None;
        }
        let scopes = Scopes::parse(&row.scopes).ok()?;
        let identity = Identity {
            known: Known::Token(row.id, row.name.clone()),
            scopes,
            schemes: row.schemes.clone(),
        };
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let last = used.get(&row.id).copied().or(row.used);
        let is_noted = last.is_none_or(|last| now.saturating_sub(last) >= NOTED_EVERY);
        if is_noted {
            used.insert(row.id, now);
        }
        Some((identity, is_noted))
    }

    /// Whether there is a token that may be used.
    pub fn has_any(&self, now: Ms) -> bool {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens
            .values()
            .any(|row| row.revoked.is_none() && row.expires.is_none_or(|at| at > now))
    }
}

#[cfg(test)]
mod tests {
    use super::super::hash_of;
    use super::*;

    fn row(id: i64, expires: Option<Ms>, revoked: Option<Ms>) -> TokenRow {
        TokenRow {
            id,
            name: "erp".to_owned(),
            scopes: "read".to_owned(),
            schemes: Some(vec!["a".to_owned()]),
            by: String::new(),
            created: 0,
            expires,
            used: None,
            revoked,
        }
    }

    #[test]
    fn which_tokens_are_good() {
        let book = TokenBook::default();
        book.fill(vec![
            (hash_of("good"), row(1, Some(100), None)),
            (hash_of("revoked"), row(2, None, Some(5))),
        ]);
        let (identity, noted) = book.find("good", 99).unwrap();
        assert!(noted && identity.may(Scope::Read) && !identity.may(Scope::Operate));
        assert!(identity.sees("a") && !identity.sees("b"));
        assert!(!book.find("good", 99).unwrap().1, "noted once a minute");
        for (token, now) in [("good", 100), ("revoked", 0), ("unknown", 0), ("", 0)] {
            assert_eq!(book.find(token, now), None, "{token} at {now}");
        }
        assert!(book.has_any(99) && !book.has_any(100));
        book.forget(1);
        assert_eq!(book.find("good", 99), None);
    }
}
