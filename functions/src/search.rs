//! Finding a text in a text or among others. Here case does not matter, unless an argument is bytes.

use std::cmp::Ordering;

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both, compare_text, fold};
use dsl::expr::sql::{Sql, compare_numbers};
use memchr::memmem;

use crate::text::TEXT;
use crate::units::{binary, count, made_of, offset, size};

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
        Example::is("LOCATE('b', 'abc', 0)", "0"),
    ],
    constant: true,
    call: Call::Eager(locate),
};

fn locate(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (part, text) = (args.bytes(0), args.bytes(1));
    let binary = binary(args, 0..2);
    let mut from = 0;
    let mut skipped = 0;
    if args.len() > 2 {
        skipped = match args.count(2).checked_sub(1) {
            // The server counts bytes here, and gives the place of empty text in bytes.
            Some(skipped) if skipped < text.len() => skipped,
            _ => return Ok(Sql::int(0)),
        };
        if skipped > count(&text, binary) {
            return Ok(Sql::int(0));
        }
        from = offset(&text, skipped, binary);
        if part.is_empty() {
            return Ok(size(from + 1));
        }
    }
    Ok(match find(&text[from..], &part, binary) {
        Some(at) => size(skipped + at + 1),
        None => Sql::int(0),
    })
}

/// The number of the unit where `part` first stands.
fn find(text: &[u8], part: &[u8], binary: bool) -> Option<usize> {
    if binary {
        return memmem::find(text, part);
    }
    if text.is_ascii() && part.is_ascii() {
        return memmem::find(&text.to_ascii_uppercase(), &part.to_ascii_uppercase());
    }
    let (text, part) = (std::str::from_utf8(text).ok()?, std::str::from_utf8(part).ok()?);
    let wanted: Vec<char> = part.chars().map(fold).collect();
    if wanted.is_empty() {
        return Some(0);
    }
    // Knuth, Morris and Pratt: how much of the beginning of `wanted` its first i characters end with.
    let mut borders = vec![0usize; wanted.len()];
    let mut known = 0;
    for index in 1..wanted.len() {
        while known > 0 && wanted[index] != wanted[known] {
            known = borders[known - 1];
        }
        known += usize::from(wanted[index] == wanted[known]);
        borders[index] = known;
    }
    // Where the last characters begin, as many as `wanted` has: the server wants as many bytes as were asked for.
    let mut begins = std::collections::VecDeque::with_capacity(wanted.len());
    let mut matched = 0;
    for (number, (at, char)) in text.char_indices().enumerate() {
        if begins.len() == wanted.len() {
            begins.pop_front();
        }
        begins.push_back(at);
        let folded = fold(char);
        while matched > 0 && wanted[matched] != folded {
            matched = borders[matched - 1];
        }
        matched += usize::from(wanted[matched] == folded);
        if matched == wanted.len() {
            let begin = begins.front().copied().unwrap_or(0);
            if at + char.len_utf8() - begin == part.len() {
                return Some(number + 1 - wanted.len());
            }
            matched = borders[matched - 1];
        }
    }
    None
}

/// `INSTR(text, part)`.
pub const INSTR: Builtin = Builtin {
    name: "INSTR",
    aliases: &[],
    summary: both(
        "同 LOCATE,参数次序相反。",
        "As LOCATE, with the arguments the other way round.",
    ),
    params: &[
        TEXT,
        Param::required("part", Type::Text, both("要找的文本。", "What to look for.")),
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("INSTR('广东', '东')", "2"),
        Example::is("INSTR('abcb', 'B')", "2"),
        Example::is("INSTR('abc', '')", "1"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let found = find(&args.bytes(0), &args.bytes(1), binary(args, 0..2));
        Ok(found.map_or(Sql::int(0), |at| size(at + 1)))
    }),
};

const VALUES: Param = Param::rest("more", Type::Any, both("更多的值。", "More values."));

/// `FIELD(value, first, …)`.
pub const FIELD: Builtin = Builtin {
    name: "FIELD",
    aliases: &[],
    summary: both(
        "value 在后面的值里是第几个;没有则为 0。都是文本时按文本比较,否则按数字。",
        "Which of the values behind it `value` equals; 0 if none. Texts compare as text, anything else as numbers.",
    ),
    params: &[
        Param::required("value", Type::Any, both("要找的值。", "What to look for.")),
        Param::required("first", Type::Any, both("第一个值。", "The first value.")),
        VALUES,
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("FIELD('b', 'a', 'B')", "2"),
        Example::is("FIELD('x', 'a', 'b')", "0"),
        Example::is("FIELD(NULL, NULL)", "0"),
        Example::is("FIELD('1.50', '1.5')", "0"),
        Example::is("FIELD('1.50', 1.5)", "1"),
    ],
    constant: true,
    call: Call::Nullable(field),
};

fn field(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    // A NULL counts by its type.
    let number = |index| match args.get(index) {
        Sql::Null => args.types().ty(index).kind.is_number(),
        value => is_number(value),
    };
    let texts = !(0..args.len()).any(number);
    let binary = binary(args, 0..args.len());
    let same = |index: &usize| {
        let (wanted, value) = (args.get(0), args.get(*index));
        !value.is_null()
            && if texts {
                order(wanted, value, binary) == Some(Ordering::Equal)
            } else {
                compare_numbers(wanted, value) == Some(Ordering::Equal)
            }
    };
    if args.get(0).is_null() {
        return Ok(Sql::int(0));
    }
    Ok(size((1..args.len()).find(same).unwrap_or(0)))
}

fn is_number(value: &Sql<'_>) -> bool {
    matches!(value, Sql::Int(_) | Sql::Decimal(_) | Sql::Double(_))
}

/// The order of two values as texts or as bytes.
fn order(a: &Sql<'_>, b: &Sql<'_>, binary: bool) -> Option<Ordering> {
    Some(if binary {
        a.to_bytes()?.cmp(&b.to_bytes()?)
    } else {
        compare_text(&a.to_text()?, &b.to_text()?)
    })
}

/// `STRCMP(a, b)`.
pub const STRCMP: Builtin = Builtin {
    name: "STRCMP",
    aliases: &[],
    summary: both(
        "按文本比较:0 相等,-1 较小,1 较大。",
        "Compares as text: 0 equal, -1 less, 1 greater.",
    ),
    params: &[
        Param::required("a", Type::Text, both("一个文本。", "One text.")),
        Param::required("b", Type::Text, both("另一个文本。", "The other text.")),
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("STRCMP('a', 'A ')", "0"),
        Example::is("STRCMP(10, 9)", "-1"),
        Example::is("STRCMP('ß', 's')", "0"),
        Example::null("STRCMP('a', NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let order = order(args.get(0), args.get(1), binary(args, 0..2));
        Ok(order.map_or(Sql::Null, |order| Sql::int(order as i64)))
    }),
};

/// `FIND_IN_SET(text, list)`.
pub const FIND_IN_SET: Builtin = Builtin {
    name: "FIND_IN_SET",
    aliases: &[],
    summary: both(
        "text 在逗号分隔的 list 里是第几个;没有则为 0。不区分大小写,空格算数。",
        "Which element of the comma-separated `list` is `text`; 0 if none. Case does not matter, blanks do.",
    ),
    params: &[
        TEXT,
        Param::required(
            "list",
            Type::Text,
            both("用逗号分隔的文本。", "Texts with commas between them."),
        ),
    ],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("FIND_IN_SET('B', 'a,b,c')", "2"),
        Example::is("FIND_IN_SET('b', 'a, b')", "0"),
        Example::is("FIND_IN_SET('a,b', 'a,b')", "0"),
        Example::is("FIND_IN_SET('', '')", "0"),
        Example::is("FIND_IN_SET('', 'a,,c')", "2"),
    ],
    constant: true,
    call: Call::Eager(find_in_set),
};

fn find_in_set(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (wanted, list) = (args.bytes(0), args.bytes(1));
    let binary = binary(args, 0..2);
    // The server does not look into a list with fewer bytes, even where `é` would be `e`.
    if list.len() < wanted.len() || list.is_empty() {
        return Ok(Sql::int(0));
    }
    let same = |element: &[u8]| {
        if binary {
            return element == &*wanted;
        }
        match (std::str::from_utf8(element), std::str::from_utf8(&wanted)) {
            (Ok(element), Ok(wanted)) => element.chars().map(fold).eq(wanted.chars().map(fold)),
            _ => false,
        }
    };
    let mut elements = list.split(|byte| *byte == b',');
    let found = elements.position(same);
    Ok(found.map_or(Sql::int(0), |at| size(at + 1)))
}

/// `ELT(number, first, …)`.
pub const ELT: Builtin = Builtin {
    name: "ELT",
    aliases: &[],
    summary: both(
        "后面的值里的第 number 个,作为文本;没有则为 NULL。",
        "The value with this number, as text; NULL if there is none.",
    ),
    params: &[
        Param::required(
            "number",
            Type::Integer,
            both("第几个,从 1 数起。", "Which one, from 1."),
        ),
        Param::required("first", Type::Any, both("第一个值。", "The first value.")),
        VALUES,
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0xFE>),
    examples: &[
        Example::is("ELT(2, '普通', '加急')", "加急"),
        Example::is("ELT(1, 1.50, 'x')", "1.50"),
        Example::null("ELT(0, 'a')"),
        Example::null("ELT(3, 'a', 'b')"),
    ],
    constant: true,
    call: Call::Nullable(elt),
};

fn elt(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() || args.count(0) == 0 {
        return Ok(Sql::Null);
    }
    Ok(match args.get(args.count(0)) {
        Sql::Null => Sql::Null,
        Sql::Bytes(bytes) => Sql::bytes(bytes.to_vec()),
        other => Sql::text(other.to_text().unwrap_or_default().into_owned()),
    })
}

/// `MAKE_SET(bits, first, …)`.
pub const MAKE_SET: Builtin = Builtin {
    name: "MAKE_SET",
    aliases: &[],
    summary: both(
        "bits 里每个为 1 的位对应的文本,用逗号连接;跳过 NULL。",
        "The texts whose bits are set, with commas between them; NULLs are left out.",
    ),
    params: &[
        Param::required(
            "bits",
            Type::Integer,
            both("最低位对应第一个文本。", "The lowest bit is for the first text."),
        ),
        Param::required("first", Type::Text, both("第一个文本。", "The first text.")),
        VALUES,
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0xFE>),
    examples: &[
        Example::is("MAKE_SET(5, 'a', 'b', 'c')", "a,c"),
        Example::is("MAKE_SET(3, 'a', NULL, 'c')", "a"),
        Example::is("MAKE_SET(0, 'a')", ""),
        Example::is("MAKE_SET(~1, 'a', 'b')", "b"),
    ],
    constant: true,
    call: Call::Nullable(make_set),
};

fn make_set(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    if args.get(0).is_null() {
        return Ok(Sql::Null);
    }
    let bits = args.bits(0);
    let chosen = (1..args.len().min(65)).filter(|index| bits >> (index - 1) & 1 == 1);
    let mut joined: Vec<u8> = Vec::new();
    for (position, index) in chosen.filter(|index| !args.get(*index).is_null()).enumerate() {
        let text = args.bytes(index);
        args.room_for(joined.len() + text.len() + 1)?;
        if position > 0 {
            joined.push(b',');
        }
        joined.extend_from_slice(&text);
    }
    Ok(crate::units::made(joined, binary(args, 1..args.len())))
}
