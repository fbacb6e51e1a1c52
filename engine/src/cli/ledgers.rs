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

fn dir(args: &LedgerArgs, global: &Global, environment: &Environment) -> Result<PathBuf, AppError> {
    query::data_dir(Path::new("."), &environment.places(global), args.is_simulated())
}
