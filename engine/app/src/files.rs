//! Files of the user that the engine writes.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::error::AppError;
use crate::workspace::parent;

/// Puts a whole text in place of a file of the user, or makes it: whoever reads it sees the old one or the new one.
pub fn put_file(path: &Path, text: &str) -> Result<(), AppError> {
    replace(path, text.as_bytes())
}

/// Puts a whole file in place of one that is there, or makes it: whoever reads it sees the old one or the new one. A
/// link stays a link, and what may be done with the file stays as it was.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    let fail = |error: std::io::Error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let written = || {
        let mut part = tempfile::Builder::new()
            .prefix(".engine-")
            // What the user's mask leaves of it, as for any new file.
            .permissions(std::fs::Permissions::from_mode(0o666))
            .tempfile_in(parent(&real))?;
        if let Ok(old) = std::fs::metadata(&real) {
            std::fs::set_permissions(part.path(), old.permissions())?;
        }
        part.write_all(bytes)?;
        part.as_file().sync_all()?;
        part.persist(&real).map_err(|error| error.error)
    };
    written().map(drop).map_err(fail)
}
