//! Digests.

use dsl::builtin::{Builtin, Call, Example, Param, Type, Typing, both};
use dsl::expr::sql::Sql;
use md5::{Digest, Md5};

/// `MD5(text)`.
pub const MD5: Builtin = Builtin {
    name: "MD5",
    aliases: &[],
    summary: both(
        "UTF-8 文本的 MD5,32 位小写十六进制。",
        "The MD5 of the text in UTF-8, as 32 small hexadecimal digits.",
    ),
    params: &[Param::required(
        "text",
        Type::Text,
        both(
            "文本;用 CONCAT 拼接,`+` 是数字相加。",
            "The text; join with CONCAT, `+` adds numbers.",
        ),
    )],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("MD5(CONCAT('a', 'b'))", "187ef4436122d1cc2f40dc2b92f0eba0"),
        Example::is("MD5('a' + 'b')", "cfcd208495d565ef66e7dff9f98764da"),
        Example::is("MD5('')", "d41d8cd98f00b204e9800998ecf8427e"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let digest = Md5::digest(args.text(0).as_bytes());
        Ok(Sql::text(
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>(),
        ))
    }),
};
