//! What a function of text counts and cuts: characters, or bytes when an argument is bytes.

use dsl::builtin::Types;
use dsl::expr::sql::{Sql, Ty, TyKind};

use dsl::builtin::Args;

/// Whether one of these arguments is bytes, which makes the work one on bytes.
pub(crate) fn binary(args: &Args<'_>, mut indexes: impl Iterator<Item = usize>) -> bool {
    indexes.any(|index| matches!(args.get(index), Sql::Bytes(_)))
}

/// The type of a text that is made of some of the arguments: bytes when one of them is. Argument `i` counts when
/// bit `i` of `MASK` is set; bit 7 stands for all that follow, too.
pub(crate) fn made_of<const MASK: u8>(types: &Types<'_, '_>) -> Ty {
    let counts = |index: &usize| MASK & (1 << (*index).min(7)) != 0;
    let bytes = (0..types.len())
        .filter(counts)
        .any(|index| types.ty(index).kind == TyKind::Bytes);
    if bytes { Ty::BYTES } else { Ty::TEXT }
}

/// A text of these bytes, or the bytes.
pub(crate) fn made(bytes: Vec<u8>, binary: bool) -> Sql<'static> {
    if binary {
        return Sql::bytes(bytes);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Sql::text(text),
        // Texts are cut between characters only.
        Err(error) => Sql::bytes(error.into_bytes()),
    }
}

/// How many there are.
pub(crate) fn count(bytes: &[u8], binary: bool) -> usize {
    if binary {
        return bytes.len();
    }
    bytes.iter().filter(|byte| begins(**byte)).count()
}

/// Where the unit with this number begins; the end, when there are fewer.
pub(crate) fn offset(bytes: &[u8], number: usize, binary: bool) -> usize {
    if binary || number >= bytes.len() {
        return number.min(bytes.len());
    }
    let mut starts = bytes.iter().enumerate().filter(|(_, byte)| begins(**byte));
    starts.nth(number).map_or(bytes.len(), |(at, _)| at)
}

/// Whether a byte begins a character.
fn begins(byte: u8) -> bool {
    byte & 0xC0 != 0x80
}

/// As a number of SQL.
pub(crate) fn size(count: usize) -> Sql<'static> {
    Sql::int(i64::try_from(count).unwrap_or(i64::MAX))
}
