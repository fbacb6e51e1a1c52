//! Texts that are joined, repeated, filled up, turned round and measured. Places and lengths count characters,
//! except in LENGTH; a number counts as the digits it shows; what is made of bytes is bytes.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both, capital, small};
use dsl::expr::sql::Sql;

use crate::units::{binary, count, made, made_of, offset, size};

pub(crate) const TEXT: Param = Param::required(
    "text",
    Type::Text,
    both(
        "文本;数字按它显示的写法处理。",
        "The text; a number counts as the digits it shows.",
    ),
);

/// `CONCAT(text, …)`.
pub const CONCAT: Builtin = Builtin {
    name: "CONCAT",
    aliases: &[],
    summary: both(
        "连接文本;有一个是 NULL,结果就是 NULL。",
        "Joins texts; one that is NULL makes the result NULL.",
    ),
    params: &[
        TEXT,
        Param::rest("more", Type::Text, both("接在后面的文本。", "What follows.")),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0xFF>),
    examples: &[
        Example::is("CONCAT('客户:', '张三')", "客户:张三"),
        Example::is("CONCAT(1.50, '元')", "1.50元"),
        Example::is("CONCAT(1/3, '')", "0.3333"),
        Example::null("CONCAT('a', NULL, 'b')"),
        Example::fails("CONCAT()", "E1302"),
    ],
    constant: true,
    call: Call::Eager(concat),
};

fn concat(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let mut joined = Vec::new();
    for index in 0..args.len() {
        let text = args.bytes(index);
        args.room_for(joined.len() + text.len())?;
        joined.extend_from_slice(&text);
    }
    Ok(made(joined, binary(args, 0..args.len())))
}

/// `CONCAT_WS(separator, text, …)`.
pub const CONCAT_WS: Builtin = Builtin {
    name: "CONCAT_WS",
    aliases: &[],
    summary: both(
        "用分隔符连接文本,跳过 NULL,不跳过空文本。",
        "Joins texts with a separator; leaves out NULLs, but not empty texts.",
    ),
    params: &[
        Param::required(
            "separator",
            Type::Text,
            both("分隔符;NULL 得 NULL。", "The separator; NULL gives NULL."),
        ),
        TEXT,
        Param::rest("more", Type::Text, both("接在后面的文本。", "What follows.")),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0xFF>),
    examples: &[
        Example::is("CONCAT_WS('-', 'a', NULL, 'b')", "a-b"),
        Example::is("CONCAT_WS('-', '', 'b')", "-b"),
        Example::is("CONCAT_WS('-', NULL)", ""),
        Example::null("CONCAT_WS(NULL, 'a', 'b')"),
    ],
    constant: true,
    call: Call::Nullable(concat_ws),
};

fn concat_ws(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() {
        return Ok(Sql::Null);
    }
    let separator = args.bytes(0);
    let mut joined = Vec::new();
    let present = (1..args.len()).filter(|index| !args.get(*index).is_null());
    for (position, index) in present.enumerate() {
        let text = args.bytes(index);
        args.room_for(joined.len() + separator.len() + text.len())?;
        if position > 0 {
            joined.extend_from_slice(&separator);
        }
        joined.extend_from_slice(&text);
    }
    Ok(made(joined, binary(args, 0..args.len())))
}

/// `REPEAT(text, count)`.
pub const REPEAT: Builtin = Builtin {
    name: "REPEAT",
    aliases: &[],
    summary: both("把文本重复若干次。", "The text so many times in a row."),
    params: &[
        TEXT,
        Param::required(
            "count",
            Type::Integer,
            both(
                "次数;不大于 0 得空文本。",
                "How many times; 0 or less gives empty text.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("REPEAT('ab', 3)", "ababab"),
        Example::is("REPEAT('-', 2.5)", "---"),
        Example::is("REPEAT('ab', -1)", ""),
        Example::fails("REPEAT('a', 1000000000)", "E2055"),
    ],
    constant: true,
    call: Call::Eager(repeat),
};

fn repeat(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (text, times) = (args.bytes(0), args.count(1));
    args.room_for(text.len().saturating_mul(times))?;
    let times = if text.is_empty() { 0 } else { times };
    Ok(made(text.repeat(times), binary(args, 0..1)))
}

const WIDTH: Param = Param::required(
    "length",
    Type::Integer,
    both(
        "结果的字符数;较长的文本被截断,负数得 NULL。",
        "How many characters the result has; a longer text is cut, negative gives NULL.",
    ),
);
const FILL: Param = Param::optional(
    "fill",
    Type::Text,
    both(
        "用来补足的文本;省略则为空格。",
        "What fills it up; blanks if left out.",
    ),
);

/// `LPAD(text, length, fill)`.
pub const LPAD: Builtin = Builtin {
    name: "LPAD",
    aliases: &[],
    summary: both("在左边补足到给定的长度。", "Filled up to a length on the left."),
    params: &[TEXT, WIDTH, FILL],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b101>),
    examples: &[
        Example::is("LPAD(5, 3, 0)", "005"),
        Example::is("LPAD('广东', 5, '省x')", "省x省广东"),
        Example::is("LPAD('12345', 3, '0')", "123"),
        Example::null("LPAD('a', 3, '')"),
        Example::null("LPAD('a', -1, 'x')"),
        Example::fails("LPAD('a', 1000000000, 'x')", "E2055"),
    ],
    constant: true,
    call: Call::Eager(|args| padded(args, true)),
};

/// `RPAD(text, length, fill)`.
pub const RPAD: Builtin = Builtin {
    name: "RPAD",
    aliases: &[],
    summary: both("在右边补足到给定的长度。", "Filled up to a length on the right."),
    params: &[TEXT, WIDTH, FILL],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b101>),
    examples: &[
        Example::is("RPAD('hi', 5, 'xyz')", "hixyz"),
        Example::is("RPAD('hi', 1, '?')", "h"),
        Example::is("CONCAT(RPAD('a', 3), '|')", "a  |"),
        Example::null("RPAD('a', 3, '')"),
    ],
    constant: true,
    call: Call::Eager(|args| padded(args, false)),
};

fn padded(args: &Args<'_>, left: bool) -> Result<Sql<'static>, CallError> {
    if args.integer(1) < 0 {
        return Ok(Sql::Null);
    }
    let (text, wanted) = (args.bytes(0), args.count(1));
    let binary = binary(args, [0, 2].into_iter());
    let missing = match wanted.checked_sub(count(&text, binary)) {
        None | Some(0) => return Ok(made(text[..offset(&text, wanted, binary)].to_vec(), binary)),
        Some(missing) => missing,
    };
    let fill = if args.len() > 2 {
        args.bytes(2)
    } else {
        b" "[..].into()
    };
    let units = count(&fill, binary);
    if units == 0 {
        return Ok(Sql::Null);
    }
    let part = &fill[..offset(&fill, missing % units, binary)];
    let filling = fill
        .len()
        .saturating_mul(missing / units)
        .saturating_add(part.len());
    args.room_for(filling.saturating_add(text.len()))?;
    let mut filling = fill.repeat(missing / units);
    filling.extend_from_slice(part);
    let joined = if left {
        [&filling, &*text].concat()
    } else {
        [&*text, &filling].concat()
    };
    Ok(made(joined, binary))
}

/// `REVERSE(text)`.
pub const REVERSE: Builtin = Builtin {
    name: "REVERSE",
    aliases: &[],
    summary: both("把字符倒过来。", "The characters from the last to the first."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("REVERSE('广东省')", "省东广"),
        Example::is("REVERSE(1.50)", "05.1"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        Ok(match args.get(0) {
            Sql::Bytes(bytes) => Sql::bytes(bytes.iter().rev().copied().collect::<Vec<u8>>()),
            text => Sql::text(
                text.to_text()
                    .unwrap_or_default()
                    .chars()
                    .rev()
                    .collect::<String>(),
            ),
        })
    }),
};

/// `UPPER(text)`.
pub const UPPER: Builtin = Builtin {
    name: "UPPER",
    aliases: &["UCASE"],
    summary: both("转为大写。", "In capital letters."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("UPPER('ab-01张')", "AB-01张"),
        Example::is("UPPER('ａｂ')", "ＡＢ"),
        Example::is("UPPER('straße')", "STRAßE"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(recased(args, capital))),
};

/// `LOWER(text)`.
pub const LOWER: Builtin = Builtin {
    name: "LOWER",
    aliases: &["LCASE"],
    summary: both("转为小写。", "In small letters."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("LOWER('AB-01张')", "ab-01张"),
        Example::is("LOWER('ΑΣ')", "ασ"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(recased(args, small))),
};

fn recased(args: &Args<'_>, to: fn(char) -> char) -> Sql<'static> {
    match args.get(0) {
        Sql::Bytes(bytes) => Sql::bytes(bytes.to_vec()),
        text => Sql::text(
            text.to_text()
                .unwrap_or_default()
                .chars()
                .map(to)
                .collect::<String>(),
        ),
    }
}

/// `LENGTH(text)`.
pub const LENGTH: Builtin = Builtin {
    name: "LENGTH",
    aliases: &["OCTET_LENGTH"],
    summary: both(
        "字节数(UTF-8);一个汉字是 3。",
        "How many bytes in UTF-8; a Chinese character is 3.",
    ),
    params: &[TEXT],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("LENGTH('广东')", "6"),
        Example::is("LENGTH(1.50)", "4"),
        Example::null("LENGTH(NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(size(args.bytes(0).len()))),
};

/// `BIT_LENGTH(text)`.
pub const BIT_LENGTH: Builtin = Builtin {
    name: "BIT_LENGTH",
    aliases: &[],
    summary: both("位数,是字节数的 8 倍。", "How many bits: 8 for each byte."),
    params: &[TEXT],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[Example::is("BIT_LENGTH('广')", "24")],
    constant: true,
    call: Call::Eager(|args| Ok(size(args.bytes(0).len() * 8))),
};

/// `CHAR_LENGTH(text)`.
pub const CHAR_LENGTH: Builtin = Builtin {
    name: "CHAR_LENGTH",
    aliases: &["CHARACTER_LENGTH"],
    summary: both("字符数。", "How many characters."),
    params: &[TEXT],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("CHAR_LENGTH('广东')", "2"),
        Example::is("CHAR_LENGTH('')", "0"),
        Example::is("CHAR_LENGTH('😀')", "1"),
    ],
    constant: true,
    call: Call::Eager(|args| Ok(size(count(&args.bytes(0), binary(args, 0..1))))),
};
