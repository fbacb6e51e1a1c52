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
mod date_parts;
mod format;
mod hash;
mod json;
mod length;
mod lines;
mod number;
mod part;
mod pattern;
mod search;
mod shift;
mod soundex;
mod space;
mod str_to_date;
mod text;
mod units;
mod unix;

pub use calendar::*;
pub use choice::*;
pub use clock::*;
pub use code::*;
pub use date_parts::*;
pub use format::*;
pub use hash::*;
pub use json::*;
pub use length::*;
pub use lines::*;
pub use number::*;
pub use part::*;
pub use pattern::*;
pub use search::*;
pub use shift::*;
pub use str_to_date::*;
pub use text::*;
pub use unix::*;

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
    &space::SPACE,
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
    &soundex::SOUNDEX,
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
    &REGEXP_REPLACE,
    &REGEXP_SUBSTR,
    &REGEXP_INSTR,
    &JSON_EXTRACT,
    &JSON_UNQUOTE,
    &JSON_VALUE,
    &JSON_LENGTH,
    &JSON_KEYS,
    &JSON_CONTAINS,
    &JSON_ARRAY,
    &JSON_OBJECT,
    &JSON_VALID,
    &JSON_QUOTE,
    &MD5,
    &SHA1,
    &SHA2,
    &CRC32,
    // the instant of the run
    &NOW,
    &CURDATE,
    &CURTIME,
    &UTC_DATE,
    &UTC_TIME,
    &UTC_TIMESTAMP,
    // seconds since 1970, zones
    &UNIX_TIMESTAMP,
    &FROM_UNIXTIME,
    &CONVERT_TZ,
    // days
    &DATE,
    &TIMESTAMP,
    &LAST_DAY,
    &MAKEDATE,
    &TO_DAYS,
    &FROM_DAYS,
    &TO_SECONDS,
    &DATEDIFF,
    &PERIOD_ADD,
    &PERIOD_DIFF,
    // parts of a time
    &YEAR,
    &QUARTER,
    &MONTH,
    &DAY,
    &DAYOFWEEK,
    &WEEKDAY,
    &DAYOFYEAR,
    &DAYNAME,
    &MONTHNAME,
    &WEEK,
    &WEEKOFYEAR,
    &YEARWEEK,
    &HOUR,
    &MINUTE,
    &SECOND,
    &MICROSECOND,
    &EXTRACT,
    // moving a time
    &DATE_ADD,
    &DATE_SUB,
    &ADDDATE,
    &SUBDATE,
    &TIMESTAMPADD,
    &TIMESTAMPDIFF,
    // lengths of time
    &TIME,
    &ADDTIME,
    &SUBTIME,
    &TIMEDIFF,
    &MAKETIME,
    &SEC_TO_TIME,
    &TIME_TO_SEC,
    // formats
    &DATE_FORMAT,
    &TIME_FORMAT,
    &STR_TO_DATE,
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
