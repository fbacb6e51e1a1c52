//! connector
mod answer;
mod filter;
mod recipe;
mod secret;

pub use answer::HttpAnswer;
pub use filter::{Conditions, FilterValue, Op};
pub use secret::{MASK, NoSecrets, Redactor, Secret, SecretKind, Secrets};
