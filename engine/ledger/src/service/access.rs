//! Who may use the server: tokens, users, and answers that a repeated request gets again.
//!
//! A token is kept as its SHA-256, a password as the text of a slow hash that the caller made: neither can be read back
//! from the file. What a scope allows and when a password is wrong is not decided here.

use flow::ids::Ms;
use rusqlite::{OptionalExtension, Row, params};

use crate::error::StoreError;
use crate::{Ledger, Reader};

/// Tokens and users that may exist: far more than a company has programs and people, and few enough to list at once.
pub const MOST: i64 = 10_000;

/// Answers kept for requests that are sent again; the oldest give way,
const MOST_ANSWERS: i64 = 100_000;
/// and of one caller no more than these: nobody pushes the answers of others out. A write every nine seconds, day and
/// night.
const MOST_OF_ONE: i64 = 10_000;
/// Nor more than so many bytes; an answer to a change of a scheme holds its whole text.
const MOST_BYTES_OF_ONE: i64 = 16 * 1024 * 1024;

/// What a token is made of.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Words of its scopes, separated by commas.
    pub scopes: String,
    /// Ids of the schemes it is limited to; `None` = all.
    pub schemes: Option<Vec<String>>,
    /// Who made it.
    pub by: String,
    /// From when on it is refused; `None` = never.
    pub expires: Option<Ms>,
}

/// A token as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its number.
    pub id: i64,
    /// What people call it.
    pub name: String,
    /// Words of its scopes, separated by commas.
    pub scopes: String,
    /// Ids of the schemes it is limited to; `None` = all.
    pub schemes: Option<Vec<String>>,
    /// Who made it.
    pub by: String,
    /// When it was made.
    pub created: Ms,
    /// From when on it is refused; `None` = never.
    pub expires: Option<Ms>,
    /// About when it was last used.
    pub used: Option<Ms>,
    /// When it was revoked.
    pub revoked: Option<Ms>,
}

/// A user as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// The name.
    pub name: String,
    /// Text of a slow hash of the password.
    pub password: String,
    /// Words of the scopes, separated by commas.
    pub scopes: String,
    /// When the user was added.
    pub created: Ms,
    /// When the password or the scopes were last changed.
    pub changed: Ms,
    /// The last login.
    pub login: Option<Ms>,
}

/// The answer to a request that carried a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// SHA-256 of the request.
    pub request: [u8; 32],
    /// Its status.
    pub status: u16,
    /// Its body; `None` = it is not repeated.
    pub body: Option<Vec<u8>>,
}

impl Ledger {
    /// Adds a token; its number. `None` when there are too many.
    pub fn add_token(&mut self, token: &NewToken, now: Ms) -> Result<Option<i64>, StoreError> {
        let schemes = token.schemes.as_ref().map(|schemes| schemes.join("\n"));
        let conn = self.lock();
        let added = conn
            .prepare_cached(
                "INSERT INTO token (name, hash, scopes, schemes, made_by, created_ms, expires_ms)
                 SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 WHERE (SELECT count(*) FROM token) < ?8",
            )?
            .execute(params![
                token.name,
                token.hash,
                token.scopes,
                schemes,
                token.by,
                now,
                token.expires,
                MOST
            ])?;
        Ok((added > 0).then(|| conn.last_insert_rowid()))
    }

    /// Revokes a token for good; whether there was one to revoke.
    pub fn revoke_token(&mut self, id: i64, now: Ms) -> Result<bool, StoreError> {
        let changed = self
            .lock()
            .prepare_cached("UPDATE token SET revoked_ms = ?2 WHERE id = ?1 AND revoked_ms IS NULL")?
            .execute((id, now))?;
        Ok(changed > 0)
    }

    /// Notes that tokens were used.
    pub fn tokens_used(&mut self, used: &[(i64, Ms)]) -> Result<(), StoreError> {
        let mut conn = self.lock();
        let tx = conn.transaction()?;
        for (id, at) in used {
            tx.prepare_cached("UPDATE token SET used_ms = max(coalesce(used_ms, 0), ?2) WHERE id = ?1")?
                .execute((id, at))?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Adds a user; `false` when the name is taken or there are too many.
    pub fn add_user(
        &mut self,
        name: &str,
        password: &str,
        scopes: &str,
        now: Ms,
    ) -> Result<bool, StoreError> {
        let added = self
            .lock()
            .prepare_cached(
                "INSERT INTO user (name, password, scopes, created_ms, changed_ms)
                 SELECT ?1, ?2, ?3, ?4, ?4 WHERE (SELECT count(*) FROM user) < ?5
                 ON CONFLICT (name) DO NOTHING",
            )?
            .execute(params![name, password, scopes, now, MOST])?;
        Ok(added > 0)
    }

    /// Changes the password, the scopes or both; whether there is such a user.
    pub fn change_user(
        &mut self,
        name: &str,
        password: Option<&str>,
        scopes: Option<&str>,
        now: Ms,
    ) -> Result<bool, StoreError> {
        let changed = self
            .lock()
            .prepare_cached(
                "UPDATE user SET password = coalesce(?2, password), scopes = coalesce(?3, scopes), changed_ms = ?4
                 WHERE name = ?1",
            )?
            .execute(params![name, password, scopes, now])?;
        Ok(changed > 0)
    }

    /// Removes a user; whether there was one.
    pub fn remove_user(&mut self, name: &str) -> Result<bool, StoreError> {
        let removed = self
            .lock()
            .prepare_cached("DELETE FROM user WHERE name = ?1")?
            .execute([name])?;
        Ok(removed > 0)
    }

    /// Notes a login.
    pub fn user_logged_in(&mut self, name: &str, now: Ms) -> Result<(), StoreError> {
        self.lock()
            .prepare_cached("UPDATE user SET login_ms = ?2 WHERE name = ?1")?
            .execute((name, now))?;
        Ok(())
    }

    /// Keeps the answer to a request; answers older than `before` are given up.
    pub fn keep_answer(
        &mut self,
        who: &str,
        key: &str,
        answer: &KeptAnswer,
        now: Ms,
        before: Ms,
    ) -> Result<(), StoreError> {
        let mut conn = self.lock();
        let tx = conn.transaction()?;
        tx.prepare_cached("DELETE FROM kept_answer WHERE at_ms < ?1")?
            .execute([before])?;
        tx.prepare_cached(
            "DELETE FROM kept_answer WHERE rowid IN (SELECT rowid FROM kept_answer ORDER BY at_ms
             LIMIT max(0, (SELECT count(*) FROM kept_answer) + 1 - ?1))",
        )?
        .execute([MOST_ANSWERS])?;
        tx.prepare_cached(
            "INSERT INTO kept_answer (who, key, request, status, body, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (who, key) DO NOTHING",
        )?
        .execute(params![who, key, answer.request, answer.status, answer.body, now])?;
        // The newest stays, however large it is.
        tx.prepare_cached(
            "DELETE FROM kept_answer WHERE who = ?1 AND rowid IN (
                 SELECT rowid FROM (
                     SELECT rowid, row_number() OVER newest AS nth,
                            sum(coalesce(length(body), 0)) OVER newest AS bytes
                     FROM kept_answer WHERE who = ?1 WINDOW newest AS (ORDER BY at_ms DESC, rowid DESC ROWS UNBOUNDED PRECEDING))
                 WHERE nth > 1 AND (nth > ?2 OR bytes > ?3))",
        )?
        .execute((who, MOST_OF_ONE, MOST_BYTES_OF_ONE))?;
        tx.commit()?;
        Ok(())
    }

    /// Notes who did something that is no decision about a record.
    pub fn note(&mut self, note: &flow::op::AuditNote, now: Ms) -> Result<(), StoreError> {
        crate::apply::audit::write(&self.lock(), note, now).map(drop)
    }
}

const TOKEN: &str = "id, name, scopes, schemes, made_by, created_ms, expires_ms, used_ms, revoked_ms";

fn token_row(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    let schemes: Option<String> = row.get(3)?;
    Ok(TokenRow {
        id: row.get(0)?,
        name: row.get(1)?,
        scopes: row.get(2)?,
        schemes: schemes.map(|text| {
            text.split('\n')
                .filter(|id| !id.is_empty())
                .map(str::to_owned)
                .collect()
        }),
        by: row.get(4)?,
        created: row.get(5)?,
        expires: row.get(6)?,
        used: row.get(7)?,
        revoked: row.get(8)?,
    })
}

fn user_row(row: &Row<'_>) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        name: row.get(0)?,
        password: row.get(1)?,
        scopes: row.get(2)?,
        created: row.get(3)?,
        changed: row.get(4)?,
        login: row.get(5)?,
    })
}

const USER: &str = "name, password, scopes, created_ms, changed_ms, login_ms";

impl Reader {
    /// The token with this hash, whether or not it may still be used.
    ///
    /// It is found by an index. How long that takes depends on the hash alone, and nobody can choose a token by its
    /// hash, so the time tells nothing.
    pub fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        self.ask(|conn| {
            let sql = format!("SELECT {TOKEN} FROM token WHERE hash = ?1");
            Ok(conn
                .prepare_cached(&sql)?
                .query_row([hash], token_row)
                .optional()?)
        })
    }

    /// Every token, oldest first.
    pub fn tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        self.ask(|conn| {
            let sql = format!("SELECT {TOKEN} FROM token ORDER BY id");
            let mut statement = conn.prepare_cached(&sql)?;
            Ok(statement.query_map([], token_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// The user with this name.
    pub fn user(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        self.ask(|conn| {
            let sql = format!("SELECT {USER} FROM user WHERE name = ?1");
            Ok(conn
                .prepare_cached(&sql)?
                .query_row([name], user_row)
                .optional()?)
        })
    }

    /// Every token with its hash: for a server, which compares those that come with requests.
    pub fn token_hashes(&self) -> Result<Vec<([u8; 32], TokenRow)>, StoreError> {
        self.ask(|conn| {
            let sql = format!("SELECT {TOKEN}, hash FROM token ORDER BY id");
            let mut statement = conn.prepare_cached(&sql)?;
            let rows = statement.query_map([], |row| Ok((row.get(9)?, token_row(row)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Every user, by name.
    pub fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        self.ask(|conn| {
            let sql = format!("SELECT {USER} FROM user ORDER BY name");
            let mut statement = conn.prepare_cached(&sql)?;
            Ok(statement.query_map([], user_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// The answer kept for a request.
    pub fn kept_answer(&self, who: &str, key: &str) -> Result<Option<KeptAnswer>, StoreError> {
        self.ask(|conn| {
            Ok(conn
                .prepare_cached("SELECT request, status, body FROM kept_answer WHERE who = ?1 AND key = ?2")?
                .query_row([who, key], |row| {
                    Ok(KeptAnswer {
                        request: row.get(0)?,
                        status: row.get(1)?,
                        body: row.get(2)?,
                    })
                })
                .optional()?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(name: &str, hash: u8) -> NewToken {
        NewToken {
            name: name.to_owned(),
            hash: [hash; 32],
            scopes: "read".to_owned(),
            schemes: Some(vec!["a".to_owned(), "b".to_owned()]),
            by: "root".to_owned(),
            expires: Some(50),
        }
    }

    #[test]
    fn tokens() {
        let mut ledger = Ledger::in_memory().unwrap();
        let reader = ledger.reader();
        let id = ledger.add_token(&token("erp", 1), 10).unwrap().unwrap();
        assert!(
            ledger.add_token(&token("twin", 1), 10).is_err(),
            "one hash is one token"
        );
        ledger.tokens_used(&[(id, 30), (id, 20)]).unwrap();
        let row = reader.token(&[1; 32]).unwrap().unwrap();
        assert_eq!(
            row,
            TokenRow {
                id,
                name: "erp".to_owned(),
                scopes: "read".to_owned(),
                schemes: Some(vec!["a".to_owned(), "b".to_owned()]),
                by: "root".to_owned(),
                created: 10,
                expires: Some(50),
                used: Some(30),
                revoked: None,
            }
        );
        assert_eq!(reader.token(&[2; 32]).unwrap(), None);
        assert!(ledger.revoke_token(id, 40).unwrap());
        assert!(!ledger.revoke_token(id, 41).unwrap(), "revoked once");
        assert_eq!(reader.tokens().unwrap()[0].revoked, Some(40));
    }

    #[test]
    fn users() {
        let mut ledger = Ledger::in_memory().unwrap();
        let reader = ledger.reader();
        assert!(ledger.add_user("王工", "hash", "read,edit", 1).unwrap());
        assert!(!ledger.add_user("王工", "other", "admin", 2).unwrap());
        assert!(ledger.change_user("王工", None, Some("admin"), 3).unwrap());
        assert!(!ledger.change_user("nobody", Some("x"), None, 3).unwrap());
        ledger.user_logged_in("王工", 9).unwrap();
        let row = reader.user("王工").unwrap().unwrap();
        assert_eq!(
            (row.password.as_str(), row.scopes.as_str(), row.changed, row.login),
            ("hash", "admin", 3, Some(9))
        );
        assert!(ledger.remove_user("王工").unwrap());
        assert!(!ledger.remove_user("王工").unwrap());
        assert!(reader.users().unwrap().is_empty());
    }

    #[test]
    fn the_first_answer_stays_and_old_ones_go() {
        let mut ledger = Ledger::in_memory().unwrap();
        let reader = ledger.reader();
        let answer = |status| KeptAnswer {
            request: [7; 32],
            status,
            body: Some(b"{}".to_vec()),
        };
        ledger.keep_answer("u", "k", &answer(200), 100, 0).unwrap();
        ledger.keep_answer("u", "k", &answer(500), 110, 0).unwrap();
        assert_eq!(reader.kept_answer("u", "k").unwrap(), Some(answer(200)));
        assert_eq!(reader.kept_answer("v", "k").unwrap(), None, "keys are one's own");
        ledger.keep_answer("u", "k2", &answer(200), 900, 101).unwrap();
        assert_eq!(reader.kept_answer("u", "k").unwrap(), None);
    }

    #[test]
    fn nobody_pushes_the_answers_of_others_out() {
        let mut ledger = Ledger::in_memory().unwrap();
        let reader = ledger.reader();
        let answer = |bytes: usize| KeptAnswer {
            request: [7; 32],
            status: 200,
            body: Some(vec![b' '; bytes]),
        };
        ledger.keep_answer("other", "k", &answer(10), 1, 0).unwrap();
        let part = usize::try_from(MOST_BYTES_OF_ONE).unwrap() / 4;
        for nth in 0..8_i64 {
            let key = format!("k{nth}");
            ledger.keep_answer("u", &key, &answer(part), 2 + nth, 0).unwrap();
        }
        let is_kept = |who: &str, key: &str| reader.kept_answer(who, key).unwrap().is_some();
        assert!(is_kept("other", "k"));
        assert!(is_kept("u", "k7") && is_kept("u", "k4") && !is_kept("u", "k3"));
        ledger.keep_answer("u", "huge", &answer(part * 5), 20, 0).unwrap();
        assert!(is_kept("u", "huge"), "the newest stays");
        assert!(!is_kept("u", "k7") && is_kept("other", "k"));
    }
}
