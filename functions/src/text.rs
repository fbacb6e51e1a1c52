//! Text. Places and lengths count characters, except in LENGTH; a number counts as the digits it shows.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both, fold};
use dsl::expr::sql::Sql;

const TEXT: Param = Param::required(
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
    ty: Typing::Text,
    examples: &[
        Example::is("CONCAT('客户:', '张三')", "客户:张三"),
        Example::is("CONCAT(1.50, '元')", "1.50元"),
        Example::null("CONCAT('a', NULL, 'b')"),
        Example::fails("CONCAT()", "E1302"),
    ],
    constant: true,
    call: Call::Eager(concat),
};

fn concat(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let mut joined = String::new();
    for index in 0..args.len() {
        let text = args.text(index);
        args.room_for(joined.len() + text.len())?;
        joined.push_str(&text);
    }
    Ok(Sql::text(joined))
}

/// `CONCAT_WS(separator, text, …)`.
pub const CONCAT_WS: Builtin = Builtin {
    name: "CONCAT_WS",
    aliases: &[],
    summary: both(
        "用分隔符连接文本,跳过 NULL。",
        "Joins texts with a separator and leaves out NULLs.",
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
    ty: Typing::Text,
    examples: &[
        Example::is("CONCAT_WS('-', 'a', NULL, 'b')", "a-b"),
        Example::is("CONCAT_WS('-', '', 'b')", "-b"),
        Example::null("CONCAT_WS(NULL, 'a', 'b')"),
    ],
    constant: true,
    call: Call::Nullable(concat_ws),
};

fn concat_ws(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() {
        return Ok(Sql::Null);
    }
    let separator = args.text(0);
    let mut joined = String::new();
    let present = (1..args.len()).filter(|index| !args.get(*index).is_null());
    for (position, index) in present.enumerate() {
        let text = args.text(index);
        args.room_for(joined.len() + separator.len() + text.len())?;
        if position > 0 {
            joined.push_str(&separator);
        }
        joined.push_str(&text);
    }
    Ok(Sql::text(joined))
}

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
    ty: Typing::Text,
    examples: &[
        Example::is("REPLACE(1699928000.120, '.', '')", "1699928000120"),
        Example::is("REPLACE('abc', '', '-')", "abc"),
        Example::is("REPLACE('云杉有限公司', '有限公司', '')", "云杉"),
        Example::is("REPLACE('Abc', 'a', 'x')", "Abc"),
        Example::fails("REPLACE('abc', 'b')", "E1302"),
    ],
    constant: true,
    call: Call::Eager(replace),
};

fn replace(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (text, from, to) = (args.text(0), args.text(1), args.text(2));
    if from.is_empty() {
        return Ok(Sql::text(text.into_owned()));
    }
    if to.len() > from.len() {
        let more = (to.len() - from.len()).saturating_mul(text.matches(&*from).count());
        args.room_for(text.len().saturating_add(more))?;
    }
    Ok(Sql::text(text.replace(&*from, &to)))
}

const LENGTH_WANTED: Param =
    Param::required("length", Type::Integer, both("字符数。", "How many characters."));

/// `LEFT(text, length)`.
pub const LEFT: Builtin = Builtin {
    name: "LEFT",
    aliases: &[],
    summary: both("开头的若干个字符。", "The first characters."),
    params: &[TEXT, LENGTH_WANTED],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("LEFT('AD0001', 2)", "AD"),
        Example::is("LEFT('广东省', 2)", "广东"),
        Example::is("LEFT('abc', -1)", ""),
        Example::is("LEFT('abc', 9)", "abc"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        Ok(Sql::text(
            args.text(0).chars().take(args.count(1)).collect::<String>(),
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
    ty: Typing::Text,
    examples: &[
        Example::is("RIGHT('AD0001', 4)", "0001"),
        Example::is("RIGHT('广东省', 1)", "省"),
        Example::is("RIGHT('abc', 9)", "abc"),
    ],
    constant: true,
    call: Call::Eager(right),
};

fn right(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let text = args.text(0);
    let skipped = text.chars().count().saturating_sub(args.count(1));
    Ok(Sql::text(text.chars().skip(skipped).collect::<String>()))
}

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
    ty: Typing::Text,
    examples: &[
        Example::is("SUBSTRING('广东省深圳', 2, 2)", "东省"),
        Example::is("SUBSTRING('abcdef', 3)", "cdef"),
        Example::is("SUBSTRING('abcdef', -2)", "ef"),
        Example::is("SUBSTRING('abcdef', 0, 2)", ""),
        Example::is("SUBSTRING('abc', 9)", ""),
    ],
    constant: true,
    call: Call::Eager(substring),
};

fn substring(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (text, position) = (args.text(0), args.integer(1));
    let length = if args.len() > 2 { args.count(2) } else { usize::MAX };
    let skipped = match position {
        0 => return Ok(Sql::text("")),
        1.. => usize::try_from(position - 1).unwrap_or(usize::MAX),
        _ => {
            let back = usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX);
            match text.chars().count().checked_sub(back) {
                Some(skipped) => skipped,
                None => return Ok(Sql::text("")),
            }
        }
    };
    Ok(Sql::text(
        text.chars().skip(skipped).take(length).collect::<String>(),
    ))
}

/// `LOCATE(part, text, position)`.
pub const LOCATE: Builtin = Builtin {
    name: "LOCATE",
    aliases: &[],
    summary: both(
        "part 在 text 里第一次出现的位置,从 1 数起;没有则为 0。不区分大小写。",
        "Where `part` first stands in `text`, from 1; 0 if nowhere. Case does not matter.",
    ),
    params: &[
        Param::required("part", Type::Text, both("要找的文本。", "What to look for.")),
        TEXT,
        Param::optional(
            "position",
            Type::Integer,
            both("从第几个字符找起。", "The character to begin at."),
        ),
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("LOCATE('仔细', '请仔细包装')", "2"),
        Example::is("LOCATE('B', 'abcb')", "2"),
        Example::is("LOCATE('b', 'abcb', 3)", "4"),
        Example::is("LOCATE('x', 'abc')", "0"),
        Example::is("LOCATE('', 'abc')", "1"),
    ],
    constant: true,
    call: Call::Eager(locate),
};

fn locate(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let start = if args.len() > 2 { args.integer(2) } else { 1 };
    let Some(skipped) = start
        .checked_sub(1)
        .and_then(|skipped| usize::try_from(skipped).ok())
    else {
        return Ok(Sql::int(0));
    };
    let part: String = args.text(0).chars().map(fold).collect();
    let text = args.text(1);
    if skipped > text.chars().count() {
        return Ok(Sql::int(0));
    }
    let rest: String = text.chars().skip(skipped).map(fold).collect();
    let found = rest
        .find(&part)
        .map(|at| rest[..at].chars().count() + skipped + 1);
    Ok(Sql::int(
        found.and_then(|place| i64::try_from(place).ok()).unwrap_or(0),
    ))
}

/// `TRIM(text)`.
pub const TRIM: Builtin = Builtin {
    name: "TRIM",
    aliases: &[],
    summary: both("去掉两端的空格。", "Takes the blanks off both ends."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[Example::is("TRIM('  a b ')", "a b"), Example::is("TRIM('')", "")],
    constant: true,
    call: Call::Eager(|args| Ok(Sql::text(args.text(0).trim_matches(' ').to_owned()))),
};

/// `UPPER(text)`.
pub const UPPER: Builtin = Builtin {
    name: "UPPER",
    aliases: &["UCASE"],
    summary: both("转为大写。", "In capital letters."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[Example::is("UPPER('ab-01张')", "AB-01张")],
    constant: true,
    call: Call::Eager(|args| Ok(Sql::text(args.text(0).to_uppercase()))),
};

/// `LOWER(text)`.
pub const LOWER: Builtin = Builtin {
    name: "LOWER",
    aliases: &["LCASE"],
    summary: both("转为小写。", "In small letters."),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[Example::is("LOWER('AB-01张')", "ab-01张")],
    constant: true,
    call: Call::Eager(|args| Ok(Sql::text(args.text(0).to_lowercase()))),
};

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
    call: Call::Eager(|args| Ok(size(args.text(0).len()))),
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
    ],
    constant: true,
    call: Call::Eager(|args| Ok(size(args.text(0).chars().count()))),
};

fn size(count: usize) -> Sql<'static> {
    Sql::int(i64::try_from(count).unwrap_or(i64::MAX))
}
