//! Whole numbers written in another base.

use dsl::builtin::{Args, Builtin, Call, Example, Param, Type, Typing, both};
use dsl::expr::sql::Sql;

const WRITTEN: Param = Param::required(
    "number",
    Type::Text,
    both(
        "整数;读到第一个不属于该进制的字符为止。",
        "A whole number; read up to the first character that is no digit of its base.",
    ),
);

/// `CONV(number, from, to)`.
pub const CONV: Builtin = Builtin {
    name: "CONV",
    aliases: &[],
    summary: both(
        "把整数从 from 进制改写成 to 进制。",
        "Rewrites a whole number from base `from` in base `to`.",
    ),
    params: &[
        WRITTEN,
        Param::required(
            "from",
            Type::Integer,
            both(
                "2 到 36;负数表示按有符号数读取。",
                "2 to 36; negative: the number is read with a sign.",
            ),
        ),
        Param::required(
            "to",
            Type::Integer,
            both(
                "2 到 36;负数表示按有符号数书写。",
                "2 to 36; negative: the number is written with a sign.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("CONV('ff', 16, 10)", "255"),
        Example::is("CONV(255, 10, 16)", "FF"),
        Example::is("CONV(-1, 10, 16)", "FFFFFFFFFFFFFFFF"),
        Example::is("CONV(-1, 10, -16)", "-1"),
        Example::is("CONV('15件', 10, 2)", "1111"),
        Example::null("CONV('', 10, 2)"),
        Example::null("CONV('z', 37, 10)"),
        Example::is("CONV(10, 4294967306, ~15)", "A"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(convert(args, bits(args, 1), bits(args, 2)))),
};

/// `BIN(number)`.
pub const BIN: Builtin = Builtin {
    name: "BIN",
    aliases: &[],
    summary: both("整数的二进制写法。", "A whole number in base two."),
    params: &[WRITTEN],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("BIN(12)", "1100"),
        Example::is("BIN(1.9)", "1"),
        Example::null("BIN('')"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(convert(args, 10, 2))),
};

/// `OCT(number)`.
pub const OCT: Builtin = Builtin {
    name: "OCT",
    aliases: &[],
    summary: both("整数的八进制写法。", "A whole number in base eight."),
    params: &[WRITTEN],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("OCT(12)", "14"),
        Example::is("OCT('x')", "0"),
        Example::is("OCT(-1)", "1777777777777777777777"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(convert(args, 10, 8))),
};

/// A base as it is given: of a longer number the lower 32 bits count, as on the server.
fn bits(args: &Args<'_>, index: usize) -> i32 {
    let [a, b, c, d, ..] = args.bits(index).to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

/// The base, if it is one.
fn base(number: i32) -> Option<u32> {
    Some(number.unsigned_abs()).filter(|base| (2..=36).contains(base))
}

fn convert(args: &Args<'_>, from: i32, to: i32) -> Sql<'static> {
    let text = args.text(0);
    let (Some(from_base), Some(to_base), false) = (base(from), base(to), text.is_empty()) else {
        return Sql::Null;
    };
    let bits = if from < 0 {
        read_signed(&text, from_base)
    } else {
        read_unsigned(&text, from_base)
    };
    let signed = bits.cast_signed();
    Sql::text(if to < 0 && signed < 0 {
        format!("-{}", digits(signed.unsigned_abs(), to_base))
    } else {
        digits(bits, to_base)
    })
}

/// Blanks and a sign before the digits, the digits, and whether they went beyond 64 bits.
fn read(text: &str, base: u32) -> (bool, u64, bool) {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let negative = text.starts_with('-');
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut value = 0u64;
    for digit in text.chars().map_while(|char| char.to_digit(base)) {
        let next = value
            .checked_mul(u64::from(base))
            .and_then(|value| value.checked_add(u64::from(digit)));
        match next {
            Some(next) => value = next,
            None => return (negative, u64::MAX, true),
        }
    }
    (negative, value, false)
}

fn read_unsigned(text: &str, base: u32) -> u64 {
    match read(text, base) {
        (_, _, true) => u64::MAX,
        (true, value, _) => value.wrapping_neg(),
        (false, value, _) => value,
    }
}

fn read_signed(text: &str, base: u32) -> u64 {
    let (negative, value, _) = read(text, base);
    let value = if negative {
        i64::try_from(value).map_or(i64::MIN, |value| -value)
    } else {
        i64::try_from(value).unwrap_or(i64::MAX)
    };
    value.cast_unsigned()
}

fn digits(mut value: u64, base: u32) -> String {
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(value % u64::from(base)).unwrap_or(0);
        digits.push(char::from_digit(digit, base).unwrap_or('0').to_ascii_uppercase());
        value /= u64::from(base);
        if value == 0 {
            break;
        }
    }
    digits.iter().rev().collect()
}
