//! Which ledger a reading command asks.

use std::path::{Path, PathBuf};

use app::{AppError, query};
use ledger::Reader;

use super::args::{Global, LedgerArgs};
use super::env::Environment;

/// The ledger of the environment meant, opened for questions: no lock, nothing created.
pub(crate) fn open(
    args: &LedgerArgs,
    global: &Global,
    environment: &Environment,
) -> Result<Reader, AppError> {
    query::open(&dir(args, global, environment)?)
}

/// Refuses the name of a scheme that the ledger does not know: a slip must not look like "nothing found".
pub(crate) fn known(reader: &Reader, scheme: Option<&str>) -> Result<(), AppError> {
    let Some(scheme) = scheme else { return Ok(()) };
    let known = reader.schemes()?;
    if known.iter().any(|known| known.id == scheme) {
        return Ok(());
    }
    let all: Vec<&str> = known.iter().map(|known| known.id.as_str()).collect();
    Err(AppError::wrong_use(
        format!("账本里没有方案 `{scheme}`;已有:{}", all.join("、")),
        format!(
            "the ledger has no scheme `{scheme}`; there are {}",
            all.join(", ")
        ),
    ))
}

/// Its data directory.
pub(crate) fn dir(
    args: &LedgerArgs,
    global: &Global,
    environment: &Environment,
) -> Result<PathBuf, AppError> {
    query::data_dir(Path::new("."), &environment.places(global), args.is_simulated())
}
