//! `SPACE(count)`, as in MySQL.

use dsl::builtin::{Builtin, Call, Example, Param, Type, Typing, both};
use dsl::expr::sql::Sql;

/// `SPACE(count)`.
pub(crate) const SPACE: Builtin = Builtin {
    name: "SPACE",
    aliases: &[],
    summary: both("若干个空格。", "So many blanks."),
    params: &[Param::required(
        "count",
        Type::Integer,
        both(
            "个数;不大于 0 得空文本。",
            "How many; 0 or less gives empty text.",
        ),
    )],
    returns: Type::Text,
    ty: Typing::Text,
    examples: &[
        Example::is("CONCAT('[', SPACE(3), ']')", "[   ]"),
        Example::is("LENGTH(SPACE('2x'))", "2"),
        Example::is("SPACE(-1)", ""),
        Example::null("SPACE(NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let blanks = args.count(0);
        // Asked before the text is made: a count from a record may be a thousand million.
        args.room_for(blanks)?;
        Ok(Sql::text(" ".repeat(blanks)))
    }),
};
