//! `SOUNDEX(text)`, as in MySQL: what a word sounds like, with as many digits as it takes.

use dsl::builtin::{Builtin, Call, Example, Type, Typing, both};
use dsl::expr::sql::Sql;

use crate::text::TEXT;
use crate::units::{binary, made, made_of};

/// `SOUNDEX(text)`.
pub(crate) const SOUNDEX: Builtin = Builtin {
    name: "SOUNDEX",
    aliases: &[],
    summary: both(
        "英语单词的读音代码:首字母和至少三位数字。",
        "How an English word sounds: its first letter and at least three digits.",
    ),
    params: &[TEXT],
    returns: Type::Text,
    ty: Typing::By(made_of::<1>),
    examples: &[
        Example::is("SOUNDEX('Hello')", "H400"),
        Example::is("SOUNDEX('Quadratically')", "Q36324"),
        Example::is("SOUNDEX('广东')", "广000"),
        Example::is("SOUNDEX(123)", ""),
        Example::null("SOUNDEX(NULL)"),
    ],
    constant: true,
    call: Call::Eager(|args| {
        let binary = binary(args, 0..1);
        let text = match args.get(0) {
            // A byte is a letter of its own.
            Sql::Bytes(bytes) => bytes.iter().copied().map(char::from).collect::<String>().into(),
            _ => args.text(0),
        };
        let letters = text
            .chars()
            .filter(|char| is_letter(*char, binary))
            .map(|char| char.to_ascii_uppercase());
        let mut sounds = String::new();
        let (mut last, mut count) = ('0', 0);
        for letter in letters {
            let digit = digit(letter);
            if count == 0 || digit != '0' && digit != last {
                sounds.push(if count == 0 { letter } else { digit });
                last = digit;
                count += 1;
            }
        }
        if count > 0 {
            sounds.extend(std::iter::repeat_n('0', 4_usize.saturating_sub(count)));
        }
        Ok(made(sounds.into_bytes(), binary))
    }),
};

/// Beyond ASCII everything from `À` on counts; of bytes only the letters of ASCII do.
fn is_letter(char: char, binary: bool) -> bool {
    char.is_ascii_alphabetic() || !binary && char >= '\u{c0}'
}

/// Letters that sound alike have one digit; vowels and what is no letter of English have 0.
fn digit(letter: char) -> char {
    match letter {
        'B' | 'F' | 'P' | 'V' => '1',
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => '2',
        'D' | 'T' => '3',
        'L' => '4',
        'M' | 'N' => '5',
        'R' => '6',
        _ => '0',
    }
}
