//! Two schemes that carry the same documents in opposite directions, over the real ledger: rule by rule, and over random
//! edits with answers that are lost, late or refused and processes that die behind their claims.

mod cancelled;
mod conflict;
mod echo;
mod linked;
mod random;
mod world;
