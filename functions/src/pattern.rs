//! Functions with regular expressions, as `REGEXP` understands them. Case does not matter, unless an argument is
//! bytes.

use dsl::builtin::{Args, Builtin, Call, CallError, Example, Param, Type, Typing, both, matcher};
use dsl::catalogue::evaluation;
use dsl::diagnostic::Failure;
use dsl::expr::sql::Sql;

use crate::text::TEXT;
use crate::units::{binary, count, made, made_of, size};

const PATTERN: Param = Param::required(
    "pattern",
    Type::Text,
    both(
        "正则表达式;不支持环视和反向引用。",
        "The regular expression; look-around and back-references are not supported.",
    ),
);

/// `REGEXP_REPLACE(text, pattern, to)`.
pub const REGEXP_REPLACE: Builtin = Builtin {
    name: "REGEXP_REPLACE",
    aliases: &[],
    summary: both(
        "把匹配的每一处换成 to。",
        "Replaces whatever matches the pattern.",
    ),
    params: &[
        TEXT,
        PATTERN,
        Param::required(
            "to",
            Type::Text,
            both(
                "换成的文本;`\\\\1` 是第一组括号匹配的内容。",
                "What to put there; `\\\\1` is what the first parentheses matched.",
            ),
        ),
    ],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b111>),
    examples: &[
        Example::is("REGEXP_REPLACE('138-1234 5678', '[^0-9]', '')", "13812345678"),
        Example::is("REGEXP_REPLACE('ABC', '(a)(b)', '\\\\2\\\\1')", "BAC"),
        Example::is("REGEXP_REPLACE('abc', 'x*', '-')", "abc"),
        Example::fails("REGEXP_REPLACE('abc', 'a(?=b)', 'x')", "E1329"),
    ],
    constant: true,
    call: Call::Eager(regexp_replace),
};

fn wrong(what: String) -> CallError {
    CallError::Failed(Failure::new(&evaluation::BAD_PATTERN_VALUE).with("what", what))
}

fn regexp_replace(args: &Args<'_>) -> Result<Sql<'static>, CallError> {
    let (text, pattern, to) = (args.bytes(0), args.text(1), args.bytes(2));
    let binary = binary(args, 0..3);
    let matcher = matcher(&pattern, binary).map_err(wrong)?;
    let mut replaced = Vec::with_capacity(text.len());
    let mut done = 0;
    // The server stops at the first match that is empty.
    while let Some((found, groups)) = matcher.find(&text, done)
        && found.end > found.start
    {
        replaced.extend_from_slice(&text[done..found.start]);
        let mut bytes = to.iter();
        while let Some(byte) = bytes.next() {
            match (byte, if *byte == b'\\' { bytes.next() } else { None }) {
                (b'\\', Some(digit @ b'0'..=b'9')) => {
                    let group = groups.get(usize::from(digit - b'0')).copied().flatten();
                    replaced.extend_from_slice(group.map_or(&[][..], |part| &text[part.start..part.end]));
                }
                (b'\\', Some(other)) => replaced.push(*other),
                (b'\\', None) => {}
                (other, _) => replaced.push(*other),
            }
        }
        args.room_for(replaced.len())?;
        done = found.end;
    }
    replaced.extend_from_slice(&text[done..]);
    args.room_for(replaced.len())?;
    Ok(made(replaced, binary))
}

/// `REGEXP_SUBSTR(text, pattern)`.
pub const REGEXP_SUBSTR: Builtin = Builtin {
    name: "REGEXP_SUBSTR",
    aliases: &[],
    summary: both(
        "第一处匹配的内容;没有则为空文本。",
        "What first matches the pattern; empty text if nothing does.",
    ),
    params: &[TEXT, PATTERN],
    returns: Type::Text,
    ty: Typing::By(made_of::<0b11>),
    examples: &[
        Example::is("REGEXP_SUBSTR('订单A1024号', '[0-9]+')", "1024"),
        Example::is("REGEXP_SUBSTR('abc', 'x')", ""),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let (text, pattern, binary) = (args.bytes(0), args.text(1), binary(args, 0..2));
        let found = matcher(&pattern, binary).map_err(wrong)?.find(&text, 0);
        let part = found.map_or(&[][..], |(found, _)| &text[found.start..found.end]);
        Ok(made(part.to_vec(), binary))
    }),
};

/// `REGEXP_INSTR(text, pattern)`.
pub const REGEXP_INSTR: Builtin = Builtin {
    name: "REGEXP_INSTR",
    aliases: &[],
    summary: both(
        "第一处匹配的位置,从 1 数起;没有则为 0。",
        "Where the pattern first matches, from 1; 0 if nowhere.",
    ),
    params: &[TEXT, PATTERN],
    returns: Type::Integer,
    ty: Typing::Int,
    examples: &[
        Example::is("REGEXP_INSTR('订单A1024号', '[0-9]+')", "4"),
        Example::is("REGEXP_INSTR('abc', 'x')", "0"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let (text, pattern, binary) = (args.bytes(0), args.text(1), binary(args, 0..2));
        let found = matcher(&pattern, binary).map_err(wrong)?.find(&text, 0);
        Ok(found.map_or(Sql::int(0), |(found, _)| {
            size(count(&text[..found.start], binary) + 1)
        }))
    }),
};
