//! Numbers. An exact number stays exact; quoted text is floating point, as on the server.

use dsl::builtin::{Param, Type, both};

mod arith;
mod base;
mod compare;
mod math;
mod round;
mod show;
mod trigonometry;

pub use arith::{ABS, MOD, SIGN};
pub use base::{BIN, CONV, OCT};
pub use compare::{GREATEST, LEAST};
pub use math::{EXP, LN, LOG, LOG2, LOG10, PI, POWER, SQRT};
pub use round::{CEIL, FLOOR, ROUND, TRUNCATE};
pub use show::FORMAT;
pub use trigonometry::{ACOS, ASIN, ATAN, COS, COT, DEGREES, RADIANS, SIN, TAN};

const NUMBER: Param = Param::required(
    "number",
    Type::Number,
    both(
        "数;文本取开头的数字。",
        "The number; of a text its numeric beginning.",
    ),
);
