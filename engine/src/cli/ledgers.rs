//! Which ledger a reading command asks.

use std::path::{Path, PathBuf};

use app::{AppError, query};
use dsl::diagnostic::did_you_mean;
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
    let near = did_you_mean(scheme, all.iter().copied()).join(", ");
    let (near_zh, near_en) = match near.as_str() {
        "" => Default::default(),
        near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
    };
    Err(AppError::wrong_use(
        format!("账本里没有方案 `{scheme}`;已有:{}{near_zh}", all.join("、")),
        format!(
            "the ledger has no scheme `{scheme}`; there are {}{near_en}",
            all.join(", ")
        ),
    ))
}

/// Refuses a data directory that is a file.
pub(crate) fn is_folder(given: Option<&Path>) -> Result<(), AppError> {
    match given {
        Some(dir) if dir.exists() && !dir.is_dir() => {
            let dir = dir.display();
            Err(AppError::wrong_use(
                format!("数据目录(--data-dir)要是文件夹,而 {dir} 是文件"),
                format!("the data directory (--data-dir) has to be a folder, and {dir} is a file"),
            ))
        }
        Some(_) | None => Ok(()),
    }
}

/// Its data directory.
pub(crate) fn dir(
    args: &LedgerArgs,
    global: &Global,
    environment: &Environment,
) -> Result<PathBuf, AppError> {
    let places = environment.places(global);
    let dir = query::data_dir(Path::new("."), &places, args.is_simulated())?;
    if !args.is_simulated() && !dir.exists() {
        // No ledger there: perhaps because of a slip in the name.
        app::knows_environment(Path::new("."), &places)?;
    }
    Ok(dir)
}
