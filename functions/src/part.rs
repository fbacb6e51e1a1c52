//! Parts of a text: cut out, cut off, put in, replaced. Here case matters.

use std::borrow::Cow;

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both};
use dsl::expr::sql::Sql;
use memchr::memmem::Finder;

use crate::text::TEXT;
use crate::units::{binary, count, made, made_of, offset};

/// `REPLACE(text, from, to)`.
pub const REPLACE: Builtin = Builtin {
    name: "REPLACE",
    aliases: &[],
    summary: both(
        "把 text 里的每一处 from 换成 to,区分大小写。",
        "Replaces every `from` in `text` by `to`; case matters.",
    ),
    params: &[
        TEXT,
        Param::required(
            "from",
            Type::Text,
            both(
                "要找的文本;空文本表示不替换。",
                "What to look for; empty replaces nothing.",
            ),
        ),
        Param::required("to", Type::Text, both("换成的文本。", "What to put there.")),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b111>),
    examples: &[
        Example::is("REPLACE(1699928000.120, '.', '')", "1699928000120"),
        Example::is("REPLACE('abc', '', '-')", "abc"),
        Example::is("REPLACE('云杉有限公司', '有限公司', '')", "云杉"),
        Example::is("REPLACE('Abc', 'a', 'x')", "Abc"),
        Example::null("REPLACE('abc', 'x', NULL)"),
        Example::fails("REPLACE('abc', 'b')", "E1302"),
    ],
    constant: true,
    call: Call::Nullable(replace),
};

fn replace(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() || args.get(1).is_null() {
        return Ok(Sql::Null);
    }
    let (text, from, to) = (args.bytes(0), args.bytes(1), args.bytes(2));
    let binary = binary(args, 0..3);
    let finder = Finder::new(&from);
    // Where there is nothing to replace, the server does not ask for `to`; in text it does, if there is a `from`.
    if from.is_empty() || binary && finder.find(&text).is_none() {
        return Ok(made(text.into_owned(), binary));
    }
    if args.get(2).is_null() {
        return Ok(Sql::Null);
    }
    if to.len() > from.len() {
        let more = (to.len() - from.len()).saturating_mul(finder.find_iter(&text).count());
        args.room_for(text.len().saturating_add(more))?;
    }
    let mut replaced = Vec::with_capacity(text.len());
    let mut done = 0;
    for at in finder.find_iter(&text) {
        replaced.extend_from_slice(&text[done..at]);
        replaced.extend_from_slice(&to);
        done = at + from.len();
    }
    replaced.extend_from_slice(&text[done..]);
    Ok(made(replaced, binary))
}

/// `INSERT(text, position, length, new)`.
pub const INSERT: Builtin = Builtin {
    name: "INSERT",
    aliases: &[],
    summary: both(
        "把从 position 起的 length 个字符换成 new。",
        "Puts `new` in the place of `length` characters from `position` on.",
    ),
    params: &[
        TEXT,
        Param::required(
            "position",
            Type::Integer,
            both(
                "起点,从 1 数起;在文本之外则原样返回。",
                "Where to begin, from 1; outside the text nothing is changed.",
            ),
        ),
        Param::required(
            "length",
            Type::Integer,
            both(
                "去掉的字符数;负数表示到末尾。",
                "How many characters go; negative means all that follow.",
            ),
        ),
        Param::required("new", Type::Text, both("放进去的文本。", "What to put there.")),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b1001>),
    examples: &[
        Example::is("INSERT('13812345678', 4, 4, '****')", "138****5678"),
        Example::is("INSERT('广东省', 2, 1, '西')", "广西省"),
        Example::is("INSERT('abc', 0, 1, 'x')", "abc"),
        Example::is("INSERT('abc', 2, -1, 'x')", "ax"),
    ],
    constant: true,
    call: Call::Eager(insert),
};

fn insert(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (text, new) = (args.bytes(0), args.bytes(3));
    let binary = binary(args, [0, 3].into_iter());
    let begin = match args.count(1).checked_sub(1) {
        Some(skipped) => offset(&text, skipped, binary),
        None => text.len(),
    };
    if begin == text.len() {
        return Ok(made(text.into_owned(), binary));
    }
    let rest = &text[begin..];
    let gone = match args.integer(2) {
        ..0 => rest.len(),
        _ => offset(rest, args.count(2), binary),
    };
    let parts = [&text[..begin], &*new, &rest[gone..]];
    args.room_for(parts.iter().map(|part| part.len()).sum())?;
    Ok(made(parts.concat(), binary))
}

const LENGTH_WANTED: Param = Param::required(
    "length",
    Type::Integer,
    both(
        "字符数;小数四舍五入,不大于 0 得空文本。",
        "How many characters; a fraction is rounded, 0 or less gives empty text.",
    ),
);

/// `LEFT(text, length)`.
pub const LEFT: Builtin = Builtin {
    name: "LEFT",
    aliases: &[],
    summary: both("开头的若干个字符。", "The first characters."),
    params: &[TEXT, LENGTH_WANTED],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("LEFT('AD0001', 2)", "AD"),
        Example::is("LEFT('广东省', 2)", "广东"),
        Example::is("LEFT('abc', 1.5)", "ab"),
        Example::is("LEFT('abc', -1)", ""),
        Example::is("LEFT('abc', 9)", "abc"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let (text, binary) = (args.bytes(0), binary(args, 0..1));
        Ok(made(
            text[..offset(&text, args.count(1), binary)].to_vec(),
            binary,
        ))
    }),
};

/// `RIGHT(text, length)`.
pub const RIGHT: Builtin = Builtin {
    name: "RIGHT",
    aliases: &[],
    summary: both("末尾的若干个字符。", "The last characters."),
    params: &[TEXT, LENGTH_WANTED],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("RIGHT('AD0001', 4)", "0001"),
        Example::is("RIGHT('广东省', 1)", "省"),
        Example::is("RIGHT('abc', 9)", "abc"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let (text, binary) = (args.bytes(0), binary(args, 0..1));
        let skipped = count(&text, binary).saturating_sub(args.count(1));
        Ok(made(text[offset(&text, skipped, binary)..].to_vec(), binary))
    }),
};

/// `SUBSTRING(text, position, length)`.
pub const SUBSTRING: Builtin = Builtin {
    name: "SUBSTRING",
    aliases: &["SUBSTR", "MID"],
    summary: both(
        "从 position 起的若干个字符;位置从 1 数起。",
        "Characters from `position` on; places count from 1.",
    ),
    params: &[
        TEXT,
        Param::required(
            "position",
            Type::Integer,
            both(
                "起点;负数从末尾数起,0 得空文本。",
                "Where to begin; negative counts from the end, 0 gives nothing.",
            ),
        ),
        Param::optional(
            "length",
            Type::Integer,
            both("字符数;省略则到末尾。", "How many; to the end if left out."),
        ),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("SUBSTRING('广东省深圳', 2, 2)", "东省"),
        Example::is("SUBSTRING('abcdef', 3)", "cdef"),
        Example::is("SUBSTRING('abcdef', -2)", "ef"),
        Example::is("SUBSTRING('abcdef', 0, 2)", ""),
        Example::is("SUBSTRING('abcdef', -9, 5)", ""),
        Example::is("SUBSTRING('abc', 9)", ""),
    ],
    constant: true,
    call: Call::Eager(substring),
};

fn substring(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (text, binary) = (args.bytes(0), binary(args, 0..1));
    let nothing = made(Vec::new(), binary);
    let skipped = match args.integer(1) {
        0 => return Ok(nothing),
        1.. => args.count(1) - 1,
        back => {
            let back = usize::try_from(back.unsigned_abs()).unwrap_or(usize::MAX);
            match count(&text, binary).checked_sub(back) {
                Some(skipped) => skipped,
                None => return Ok(nothing),
            }
        }
    };
    let rest = &text[offset(&text, skipped, binary)..];
    let length = if args.len() > 2 { args.count(2) } else { usize::MAX };
    Ok(made(rest[..offset(rest, length, binary)].to_vec(), binary))
}

/// `SUBSTRING_INDEX(text, separator, count)`.
pub const SUBSTRING_INDEX: Builtin = Builtin {
    name: "SUBSTRING_INDEX",
    aliases: &[],
    summary: both(
        "第 count 个分隔符之前的部分;区分大小写。",
        "What stands before the separator with this number; case matters.",
    ),
    params: &[
        TEXT,
        Param::required(
            "separator",
            Type::Text,
            both(
                "分隔符;空文本得空文本。",
                "The separator; empty gives empty text.",
            ),
        ),
        Param::required(
            "count",
            Type::Integer,
            both(
                "第几个;负数从末尾数起,得它之后的部分;分隔符不够则得全文。",
                "Which one; negative counts from the end and gives what follows; too few give the whole text.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b11>),
    examples: &[
        Example::is("SUBSTRING_INDEX('广东省/深圳市/南山区', '/', 1)", "广东省"),
        Example::is("SUBSTRING_INDEX('a.b.c', '.', -1)", "c"),
        Example::is("SUBSTRING_INDEX('a.b.c', '.', 9)", "a.b.c"),
        Example::is("SUBSTRING_INDEX('aXbxc', 'x', 1)", "aXb"),
        Example::is("SUBSTRING_INDEX('a.b.c', '.', 0)", ""),
    ],
    constant: true,
    call: Call::Eager(substring_index),
};

fn substring_index(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (text, separator) = (args.bytes(0), args.bytes(1));
    let binary = binary(args, 0..2);
    // The server keeps the low 32 bits.
    let [a, b, c, d, ..] = args.integer(2).to_le_bytes();
    let wanted = i32::from_le_bytes([a, b, c, d]);
    if separator.is_empty() || wanted == 0 {
        return Ok(made(Vec::new(), binary));
    }
    let number = usize::try_from(wanted.unsigned_abs()).unwrap_or(usize::MAX);
    let whole = || made(text.to_vec(), binary);
    if wanted > 0 {
        let at = Finder::new(&separator).find_iter(&text).nth(number - 1);
        return Ok(at.map_or_else(whole, |at| made(text[..at].to_vec(), binary)));
    }
    // In a text separators are counted from the left even now; it matters when they overlap.
    let at = if binary {
        memchr::memmem::rfind_iter(&text, &*separator).nth(number - 1)
    } else {
        let found: Vec<usize> = Finder::new(&separator).find_iter(&text).collect();
        found.len().checked_sub(number).map(|index| found[index])
    };
    Ok(at.map_or_else(whole, |at| made(text[at + separator.len()..].to_vec(), binary)))
}

/// `TRIM(text)`; `TRIM(LEADING x FROM text)` arrives as `TRIM(text, x, 'LEADING')`.
pub const TRIM: Builtin = Builtin {
    name: "TRIM",
    aliases: &[],
    summary: both(
        "去掉两端的空格;`TRIM(LEADING '0' FROM text)` 去掉开头的每个 0,同样有 TRAILING 和 BOTH。",
        "Takes the blanks off both ends; `TRIM(LEADING '0' FROM text)` takes every 0 off the front, likewise TRAILING and BOTH.",
    ),
    params: &[
        TEXT,
        Param::optional(
            "part",
            Type::Text,
            both(
                "要去掉的文本,区分大小写;省略则为空格。",
                "What is taken off, case matters; a blank if left out.",
            ),
        ),
        Param::optional(
            "side",
            Type::Text,
            both(
                "'LEADING'、'TRAILING' 或 'BOTH'。",
                "'LEADING', 'TRAILING' or 'BOTH'.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b11>),
    examples: &[
        Example::is("TRIM('  a b ')", "a b"),
        Example::is("TRIM('')", ""),
        Example::is("CONCAT('[', TRIM('　a　'), ']')", "[　a　]"),
    ],
    constant: true,
    call: Call::Eager(trim),
};

fn trim(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let part = if args.len() > 1 {
        args.bytes(1)
    } else {
        b" "[..].into()
    };
    let side = if args.len() > 2 {
        args.text(2)
    } else {
        "BOTH".into()
    };
    let (leading, trailing) = (side != "TRAILING", side != "LEADING");
    Ok(trimmed(args, &part, leading, trailing))
}

fn trimmed(args: &Args<'_>, part: &[u8], leading: bool, trailing: bool) -> Sql<'static> {
    let whole: Cow<'_, [u8]> = args.bytes(0);
    let mut text = &*whole;
    if !part.is_empty() {
        while let (true, Some(rest)) = (leading, text.strip_prefix(part)) {
            text = rest;
        }
        while let (true, Some(rest)) = (trailing, text.strip_suffix(part)) {
            text = rest;
        }
    }
    made(text.to_vec(), binary(args, 0..2))
}

/// `LTRIM(text)`.
pub const LTRIM: Builtin = Builtin {
    name: "LTRIM",
    aliases: &[],
    summary: both("去掉开头的空格。", "Takes the blanks off the front."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[Example::is("CONCAT('[', LTRIM('  a '), ']')", "[a ]")],
    constant: true,
    call: Call::Eager(|args| Ok(trimmed(args, b" ", true, false))),
};

/// `RTRIM(text)`.
pub const RTRIM: Builtin = Builtin {
    name: "RTRIM",
    aliases: &[],
    summary: both("去掉末尾的空格。", "Takes the blanks off the end."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[Example::is("CONCAT('[', RTRIM('  a '), ']')", "[  a]")],
    constant: true,
    call: Call::Eager(|args| Ok(trimmed(args, b" ", false, true))),
};
