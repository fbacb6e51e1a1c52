//! Files of the user that the engine writes.

use std::io::Write;
use std::path::Path;

use crate::error::AppError;

/// Puts a whole file in place of one that is there, or makes it: whoever reads it sees the old one or the new one. A
/// link stays a link, and what may be done with the file stays as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let fail = |error: std::io::Error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut name = real.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = real.with_file_name(name);
    let written = || {
        let mut file = std::fs::File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        if let Ok(old) = std::fs::metadata(&real) {
            std::fs::set_permissions(&part, old.permissions())?;
        }
        std::fs::rename(&part, &real)
    };
    written().map_err(|error| {
        // What is left of an attempt is of no use to anyone.
        drop(std::fs::remove_file(&part));
        fail(error)
    })
}
