//! Codes of characters, and texts written in other ways: hexadecimal, Base64, quoted.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::{Int, Sql};

use crate::text::TEXT;
use crate::units::{binary, made, made_of};

/// `ASCII(text)`.
pub const ASCII: Builtin = Builtin {
    name: "ASCII",
    aliases: &[],
    summary: both(
        "第一个字节的值;空文本得 0。",
        "The first byte; empty text gives 0.",
    ),
    params: &[TEXT],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("ASCII('A')", "65"),
        Example::is("ASCII('广')", "229"),
        Example::is("ASCII('')", "0"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(Sql::int(args.bytes(0).first().copied().map_or(0, i64::from)))),
};

/// `ORD(text)`.
pub const ORD: Builtin = Builtin {
    name: "ORD",
    aliases: &[],
    summary: both(
        "第一个字符的 UTF-8 字节合成的数。",
        "The number that the UTF-8 bytes of the first character make.",
    ),
    params: &[TEXT],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("ORD('A')", "65"),
        Example::is("ORD('广')", "15055295"),
        Example::is("ORD('')", "0"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let first = match args.get(0) {
            Sql::Bytes(bytes) => bytes.first().copied().map_or(0, i64::from),
            text => {
                let text = text.to_text().unwrap_or_default();
                let first = text.chars().next().map_or("", |char| &text[..char.len_utf8()]);
                first
                    .bytes()
                    .fold(0, |number, byte| number << 8 | i64::from(byte))
            }
        };
        Ok(Sql::int(first))
    }),
};

/// `CHAR(code, …)`.
pub const CHAR: Builtin = Builtin {
    name: "CHAR",
    aliases: &[],
    summary: both(
        "由这些值组成的字节;跳过 NULL。",
        "Bytes with these values; NULLs are left out.",
    ),
    params: &[
        Param::required(
            "code",
            Type::Integer,
            both(
                "字节的值;大于 255 的数给出多个字节。",
                "The value of a byte; a number beyond 255 gives several.",
            ),
        ),
        Param::rest("more", Type::Integer, both("更多的值。", "More values.")),
    ],
    returns: Type::Text,
    ty: Typing::Bytes,
    examples: &[
        Example::is("CONCAT('a', CHAR(65, 66))", "aAB"),
        Example::is("HEX(CHAR(256))", "0100"),
        Example::is("CHAR(NULL, 65)", "A"),
        Example::is("CHAR(65) = 'a'", "0"),
    ],
    constant: true,
    call: Call::Nullable(char_of),
};

fn char_of(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let mut bytes = Vec::new();
    for index in (0..args.len()).filter(|index| !args.get(*index).is_null()) {
        // The server keeps the low 32 bits.
        let [a, b, c, d, ..] = args.int(index).wide().to_le_bytes();
        let code = [d, c, b, a];
        let skipped = code.iter().take(3).take_while(|byte| **byte == 0).count();
        bytes.extend_from_slice(&code[skipped..]);
    }
    args.room_for(bytes.len())?;
    Ok(Sql::bytes(bytes))
}

/// `HEX(value)`.
pub const HEX: Builtin = Builtin {
    name: "HEX",
    aliases: &[],
    summary: both(
        "数字的十六进制写法,或文本每个字节的十六进制写法。",
        "A number in hexadecimal, or every byte of a text.",
    ),
    params: &[Param::required(
        "value",
        Type::Any,
        both("数字或文本。", "A number or a text."),
    )],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("HEX(255)", "FF"),
        Example::is("HEX('255')", "323535"),
        Example::is("HEX('广')", "E5B9BF"),
        Example::is("HEX(-1)", "FFFFFFFFFFFFFFFF"),
        Example::is("HEX(255.5)", "100"),
    ],
    constant: true,
    call: Call::Eager(hex),
};

fn hex(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let number = match args.get(0) {
        Sql::Int(Int::Signed(value)) => value.cast_unsigned(),
        Sql::Int(Int::Unsigned(value)) => *value,
        // A fraction is rounded as floating point, even that of an exact number.
        Sql::Decimal(_) | Sql::Double(_) => rounded(args.num(0).to_f64()),
        _ => {
            let bytes = args.bytes(0);
            args.room_for(bytes.len() * 2)?;
            return Ok(Sql::text(hexadecimal(&bytes).to_ascii_uppercase()));
        }
    };
    Ok(Sql::text(format!("{number:X}")))
}

/// The bits of the nearest whole number; all of them when none is near.
fn rounded(value: f64) -> u64 {
    let nearest = if value < 0.0 { value - 0.5 } else { value + 0.5 };
    let whole: Option<i128> = format!("{:.0}", nearest.trunc()).parse().ok();
    match whole {
        Some(whole) if whole > i128::from(i64::MIN) && whole < i128::from(u64::MAX) => {
            let [low @ .., _, _, _, _, _, _, _, _] = whole.to_le_bytes();
            u64::from_le_bytes(low)
        }
        _ => u64::MAX,
    }
}

/// Two small digits for each byte.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(u32::from(four), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// `UNHEX(text)`.
pub const UNHEX: Builtin = Builtin {
    name: "UNHEX",
    aliases: &[],
    summary: both(
        "十六进制文本所表示的字节;不是十六进制则得 NULL。",
        "The bytes that hexadecimal text stands for; NULL if it is none.",
    ),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Bytes,
    examples: &[
        Example::is("UNHEX('e5b9bf')", "广"),
        Example::is("HEX(UNHEX('61626'))", "061626"),
        Example::null("UNHEX('zz')"),
        Example::is("UNHEX('61') = 'A'", "0"),
    ],
    constant: true,
    call: Call::Eager(unhex),
};

fn unhex(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let text = args.bytes(0);
    let digit = |byte: &u8| {
        char::from(*byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let digits: Option<Vec<u8>> = text.iter().map(digit).collect();
    let Some(digits) = digits else {
        return Ok(Sql::Null);
    };
    let (first, pairs) = digits.split_at(digits.len() % 2);
    let pairs = pairs.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]);
    Ok(Sql::bytes(
        first.iter().copied().chain(pairs).collect::<Vec<u8>>(),
    ))
}

/// `QUOTE(text)`.
pub const QUOTE: Builtin = Builtin {
    name: "QUOTE",
    aliases: &[],
    summary: both(
        "带引号的文本,可以写进 SQL;NULL 得 `NULL` 这个词。",
        "The text in quotes, fit for SQL; NULL gives the word `NULL`.",
    ),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("QUOTE('it''s')", "'it\\'s'"),
        Example::is("QUOTE(NULL)", "NULL"),
    ],
    constant: true,
    call: Call::Nullable(quote),
};

fn quote(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() {
        return Ok(Sql::text("NULL"));
    }
    let text = args.bytes(0);
    let mut quoted = vec![b'\''];
    for byte in text.iter() {
        match byte {
            b'\'' | b'\\' => quoted.extend([b'\\', *byte]),
            0 => quoted.extend(*b"\\0"),
            0x1a => quoted.extend(*b"\\Z"),
            _ => quoted.push(*byte),
        }
    }
    quoted.push(b'\'');
    args.room_for(quoted.len())?;
    Ok(made(quoted, binary(args, 0..1)))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
/// Characters of a line of Base64.
const LINE: usize = 76;

/// `TO_BASE64(text)`.
pub const TO_BASE64: Builtin = Builtin {
    name: "TO_BASE64",
    aliases: &[],
    summary: both(
        "文本字节的 Base64 写法,每 76 个字符换行。",
        "The bytes of the text in Base64, a new line after each 76 characters.",
    ),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("TO_BASE64('广')", "5bm/"),
        Example::is("TO_BASE64('a')", "YQ=="),
        Example::is("TO_BASE64('')", ""),
    ],
    constant: true,
    call: Call::Eager(to_base64),
};

fn to_base64(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let bytes = args.bytes(0);
    args.room_for(bytes.len().div_ceil(3) * 4 / LINE * (LINE + 1))?;
    let mut text = String::new();
    for (index, group) in bytes.chunks(3).enumerate() {
        if index > 0 && index * 4 % LINE == 0 {
            text.push('\n');
        }
        let bits = (0..3).fold(0u32, |bits, at| {
            bits << 8 | u32::from(group.get(at).copied().unwrap_or(0))
        });
        for place in 0..4 {
            let letter = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or(0);
            text.push(if place > group.len() {
                '='
            } else {
                char::from(ALPHABET[letter])
            });
        }
    }
    Ok(Sql::text(text))
}

/// `FROM_BASE64(text)`.
pub const FROM_BASE64: Builtin = Builtin {
    name: "FROM_BASE64",
    aliases: &[],
    summary: both(
        "Base64 文本所表示的字节,空白不算;不是 Base64 则得 NULL。",
        "The bytes that Base64 stands for, blanks do not count; NULL if it is none.",
    ),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Bytes,
    examples: &[
        Example::is("FROM_BASE64('5bm/')", "广"),
        Example::is("FROM_BASE64(' YQ = =')", "a"),
        Example::null("FROM_BASE64('YQ')"),
        Example::null("FROM_BASE64('-_-_')"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(decoded(&args.bytes(0)).map_or(Sql::Null, Sql::bytes))),
};

fn decoded(text: &[u8]) -> Option<Vec<u8>> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
    let letters: Vec<u8> = text.iter().copied().filter(|byte| !blank(byte)).collect();
    let padding = letters.iter().rev().take_while(|byte| **byte == b'=').count();
    if !letters.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(letters.len() / 4 * 3);
    for group in letters[..letters.len() - padding].chunks(4) {
        let mut bits = 0u32;
        for place in 0..4 {
            let value = match group.get(place) {
                None => 0,
                Some(letter) => ALPHABET.iter().position(|known| known == letter)?,
            };
            bits = bits << 6 | u32::try_from(value).ok()?;
        }
        let [_, three @ ..] = bits.to_be_bytes();
        bytes.extend_from_slice(&three[..group.len().saturating_sub(1)]);
    }
    Some(bytes)
}
