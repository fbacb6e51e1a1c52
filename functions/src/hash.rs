//! Digests of a text's bytes in UTF-8, and its check sum.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::Sql;
use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::code::hexadecimal;

const TEXT: Param = Param::required(
    "text",
    Type::Text,
    both(
        "文本;用 CONCAT 拼接,`+` 是数字相加。",
        "The text; join with CONCAT, `+` adds numbers.",
    ),
);

fn digest<D: Digest>(bytes: &[u8]) -> Sql<'static> {
    Sql::text(hexadecimal(&D::digest(bytes)))
}

/// `MD5(text)`.
pub const MD5: Builtin = Builtin {
    name: "MD5",
    aliases: &[],
    summary: both(
        "UTF-8 文本的 MD5,32 位小写十六进制。",
        "The MD5 of the text in UTF-8, as 32 small hexadecimal digits.",
    ),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("MD5(CONCAT('a', 'b'))", "187ef4436122d1cc2f40dc2b92f0eba0"),
        Example::is("MD5('a' + 'b')", "cfcd208495d565ef66e7dff9f98764da"),
        Example::is("MD5('')", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(digest::<Md5>(&args.bytes(0)))),
};

/// `SHA1(text)`.
pub const SHA1: Builtin = Builtin {
    name: "SHA1",
    aliases: &["SHA"],
    summary: both(
        "UTF-8 文本的 SHA-1,40 位小写十六进制。",
        "The SHA-1 of the text in UTF-8, as 40 small hexadecimal digits.",
    ),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[Example::is(
        "SHA1('abc')",
        "a9993e364706816aba3e25717850c26c9cd0d89d",
    )],
    constant: true,
    call: Call::Eager(|args| Ok(digest::<Sha1>(&args.bytes(0)))),
};

/// `SHA2(text, bits)`.
pub const SHA2: Builtin = Builtin {
    name: "SHA2",
    aliases: &[],
    summary: both(
        "UTF-8 文本的 SHA-2,小写十六进制。",
        "The SHA-2 of the text in UTF-8, in small hexadecimal digits.",
    ),
    params: &[
        TEXT,
        Param::required(
            "bits",
            Type::Integer,
            both(
                "224、256、384 或 512;0 即 256,其他得 NULL。",
                "224, 256, 384 or 512; 0 is 256, others give NULL.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is(
            "SHA2('abc', 224)",
            "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
        ),
        Example::is(
            "SHA2('abc', 0)",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
        Example::null("SHA2('abc', 1)"),
    ],
    constant: true,
    call: Call::Nullable(sha2),
};

fn sha2(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() {
        return Ok(Sql::Null);
    }
    let text = args.bytes(0);
    Ok(match args.integer(1) {
        224 => digest::<Sha224>(&text),
        0 | 256 => digest::<Sha256>(&text),
        384 => digest::<Sha384>(&text),
        512 => digest::<Sha512>(&text),
        _ => Sql::Null,
    })
}

/// `CRC32(text)`.
pub const CRC32: Builtin = Builtin {
    name: "CRC32",
    aliases: &[],
    summary: both(
        "UTF-8 文本的 CRC-32,一个不带符号的整数。",
        "The CRC-32 of the text in UTF-8, a whole number without a sign.",
    ),
    params: &[TEXT],
    returns: Type::Integer,
    ty: Typing::Unsigned,
    examples: &[
        Example::is("CRC32('abc')", "891568578"),
        Example::is("CRC32('')", "0"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let mut sum = u32::MAX;
        for byte in args.bytes(0).iter() {
            sum ^= u32::from(*byte);
            for _ in 0..8 {
                let odd = sum & 1 == 1;
                sum = (sum >> 1) ^ if odd { 0xEDB8_8320 } else { 0 };
            }
        }
        Ok(Sql::unsigned(u64::from(!sum)))
    }),
};
