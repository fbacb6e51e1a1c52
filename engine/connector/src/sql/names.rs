//! Names of tables and columns: checked character by character, then quoted.

use dsl::Failure;
use dsl::catalogue::source;

use super::Driver;

/// Longest part of a name; the most generous of the systems takes 128 characters.
const PART_MAX: usize = 128;

/// Parts of a name: server, database, schema, table.
const PARTS_MAX: usize = 4;

/// Letters of any script, digits, `_`, `$` and `#`. A quote, a blank or a sign could end the name and begin something
/// new, so that none is taken.
pub(crate) fn check_name(name: &str) -> Result<(), Failure> {
    let fine = |part: &str| {
        !part.is_empty()
            && part.chars().count() <= PART_MAX
            && part
                .chars()
                .all(|char| char.is_alphanumeric() || matches!(char, '_' | '$' | '#'))
    };
    let parts = name.split('.');
    if parts.clone().count() <= PARTS_MAX && parts.clone().all(fine) {
        Ok(())
    } else {
        Err(Failure::new(&source::SQL_NAME).with("name", name).at(name))
    }
}

/// A name in quotes, part by part.
pub(super) fn quoted(driver: Driver, name: &str) -> Result<String, Failure> {
    check_name(name)?;
    let parts: Vec<String> = name.split('.').map(|part| driver.quote(part)).collect();
    Ok(parts.join("."))
}

/// A column that is written: a name without a table before it.
pub(super) fn column(driver: Driver, name: &str) -> Result<String, Failure> {
    if name.contains('.') {
        return Err(Failure::new(&source::SQL_NAME).with("name", name).at(name));
    }
    quoted(driver, name)
}
