//! The functions of the expression language, one constant each, and [`ALL`] of them.
//!
//! A constant says what its function is called, takes, gives and does, in Chinese and English, with examples that
//! a test executes. The checker, the reference page, the completion and "did you mean" come from it; to add a
//! function is to write its constant and to name it in [`ALL`]. How arguments are read and what NULL does is
//! decided in `dsl::builtin`.

use dsl::builtin::{Builtin, Registry};

mod calendar;
mod choice;
mod clock;
mod code;
mod format;
mod hash;
mod lines;
mod number;
mod part;
mod search;
mod text;
mod units;

pub use calendar::*;
pub use choice::*;
pub use clock::*;
pub use code::*;
pub use hash::*;
pub use lines::*;
pub use number::*;
pub use part::*;
pub use search::*;
pub use text::*;

/// Every function, by family.
pub const ALL: &[&Builtin] = &[
    // choice
    &IF,
    &IFNULL,
    &COALESCE,
    &NULLIF,
    &ISNULL,
    &NVL2,
    &GREATEST,
    &LEAST,
    // numbers
    &ROUND,
    &TRUNCATE,
    &ABS,
    &CEIL,
    &FLOOR,
    &MOD,
    &SIGN,
    &POWER,
    &SQRT,
    &EXP,
    &LN,
    &LOG,
    &LOG2,
    &LOG10,
    &PI,
    &SIN,
    &COS,
    &TAN,
    &COT,
    &ASIN,
    &ACOS,
    &ATAN,
    &DEGREES,
    &RADIANS,
    &CONV,
    &BIN,
    &OCT,
    &FORMAT,
    // text
    &CONCAT,
    &CONCAT_WS,
    &REPEAT,
    &SPACE,
    &LPAD,
    &RPAD,
    &REVERSE,
    &UPPER,
    &LOWER,
    &LENGTH,
    &BIT_LENGTH,
    &CHAR_LENGTH,
    &REPLACE,
    &INSERT,
    &LEFT,
    &RIGHT,
    &SUBSTRING,
    &SUBSTRING_INDEX,
    &TRIM,
    &LTRIM,
    &RTRIM,
    &LOCATE,
    &INSTR,
    &FIELD,
    &STRCMP,
    &FIND_IN_SET,
    &ELT,
    &MAKE_SET,
    &ASCII,
    &ORD,
    &CHAR,
    &HEX,
    &UNHEX,
    &QUOTE,
    &TO_BASE64,
    &FROM_BASE64,
    &MD5,
    &SHA1,
    &SHA2,
    &CRC32,
    // the instant of the run
    &NOW,
    &CURDATE,
    &UNIX_TIMESTAMP,
    &FROM_UNIXTIME,
    // the calendar
    &DATE,
    &DATE_FORMAT,
    &DATE_ADD,
    &DATE_SUB,
    &LAST_DAY,
    &YEAR,
    &MONTH,
    &DAY,
    // lines
    &SUM,
    &AVG,
    &MIN,
    &MAX,
    &COUNT,
    &GROUP_CONCAT,
];

/// A registry of [`ALL`].
///
/// ```
/// let registry = functions::registry();
/// assert_eq!(registry.get("replace").unwrap().signature(), "REPLACE(text, from, to)");
/// ```
pub fn registry() -> Registry {
    Registry::new(ALL)
}
