//! How long schemes keep the documents they sent, where they say so themselves.

use flow::ids::Ms;
use rusqlite::{OptionalExtension, Transaction, TransactionBehavior};

use crate::{Ledger, StoreError};

impl Ledger {
    /// Remembers how long a scheme keeps its documents; `None` = as long as everybody. Nothing is written when it is
    /// known already. What was passed over under the former rule is looked at again.
    pub fn set_retention(&mut self, scheme: &str, keep: Option<Ms>) -> Result<(), StoreError> {
        let conn = self.lock();
        let tx = Transaction::new_unchecked(&conn, TransactionBehavior::Deferred)?;
        let known: Option<Ms> = tx
            .prepare_cached("SELECT keep_ms FROM retention WHERE scheme = ?1")?
            .query_row([scheme], |row| row.get(0))
            .optional()?;
        if known == keep {
            return Ok(());
        }
        match keep {
            Some(keep) => tx
                .prepare_cached("INSERT OR REPLACE INTO retention (scheme, keep_ms) VALUES (?1, ?2)")?
                .execute((scheme, keep))?,
            None => tx
                .prepare_cached("DELETE FROM retention WHERE scheme = ?1")?
                .execute([scheme])?,
        };
        for name in ["pruned_upto", "pruned_send"] {
            tx.prepare_cached("DELETE FROM meta WHERE name = ?1 OR name = ?1 || ':' || ?2")?
                .execute((name, scheme))?;
        }
        tx.commit()?;
        Ok(())
    }
}
