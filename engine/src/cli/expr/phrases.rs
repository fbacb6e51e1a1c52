//! What is written in an expression and is no function: `CASE`, `CAST`, operators in words. For `:help CASE` and
//! `engine functions CASE`.

use dsl::builtin::{Words, both};

use super::super::out::Out;

/// One form of the language.
struct Phrase {
    /// The words it is asked for by.
    names: &'static [&'static str],
    /// How it is written.
    written: &'static [&'static str],
    about: Words,
    /// Expressions and what they give; executed by a test.
    examples: &'static [(&'static str, &'static str)],
}

const PHRASES: &[Phrase] = &[
    Phrase {
        names: &["CASE", "WHEN", "THEN", "ELSE", "END"],
        written: &[
            "CASE value WHEN a THEN x WHEN b THEN y ELSE z END",
            "CASE WHEN condition THEN x ELSE z END",
        ],
        about: both(
            "第一个相等(或成立)的 WHEN 的结果;都不成立时为 ELSE,没有 ELSE 则为 NULL。",
            "The result of the first WHEN that is equal, or holds; else that of ELSE, or NULL without one.",
        ),
        examples: &[
            ("CASE '2' WHEN '1' THEN '甲' WHEN '2' THEN '乙' ELSE '' END", "乙"),
            ("CASE WHEN 3 > 2 THEN 'y' ELSE 'n' END", "y"),
        ],
    },
    Phrase {
        names: &["CAST", "CONVERT", "BINARY"],
        written: &[
            "CAST(value AS type)",
            "CONVERT(value, type)",
            "CONVERT(value USING utf8mb4)",
            "BINARY value",
        ],
        about: both(
            "换成另一种类型:SIGNED、UNSIGNED、DECIMAL(位数, 小数位)、DOUBLE、CHAR(字数)、BINARY、DATE、TIME、DATETIME(小数位)。",
            "Another type: SIGNED, UNSIGNED, DECIMAL(digits, places), DOUBLE, CHAR(length), BINARY, DATE, TIME, \
             DATETIME(places).",
        ),
        examples: &[
            ("CAST('12.345' AS DECIMAL(10,2))", "12.35"),
            ("CONVERT('12.9', SIGNED)", "12"),
            ("CAST('2023-11-15 06:13:20' AS DATE)", "2023-11-15"),
        ],
    },
    Phrase {
        names: &["INTERVAL"],
        written: &[
            "time + INTERVAL amount unit",
            "DATE_ADD(time, INTERVAL amount unit)",
        ],
        about: both(
            "一段时间;单位如 SECOND、MINUTE、HOUR、DAY、WEEK、MONTH、QUARTER、YEAR、DAY_SECOND。",
            "A length of time; units such as SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR, DAY_SECOND.",
        ),
        examples: &[
            ("'2024-01-31' + INTERVAL 1 MONTH", "2024-02-29"),
            (
                "DATE_SUB('2023-11-15 06:00:00', INTERVAL '1:30' MINUTE_SECOND)",
                "2023-11-15 05:58:30",
            ),
        ],
    },
    Phrase {
        names: &["IN", "BETWEEN", "AND"],
        written: &["value IN (a, b)", "value BETWEEN a AND b"],
        about: both(
            "等于其中之一;在两者之间,含两端。前面加 NOT 则相反。",
            "Equal to one of them; not below the first nor above the second. NOT before it turns it round.",
        ),
        examples: &[("'b' IN ('a', 'b')", "1"), ("5 NOT BETWEEN 1 AND 5", "0")],
    },
    Phrase {
        names: &["LIKE"],
        written: &["text LIKE pattern"],
        about: both(
            "% 是任意多个字符,_ 是一个字符;前面加反斜杠则为其本身。",
            "% is any number of characters, _ is one; behind a backslash they are themselves.",
        ),
        examples: &[("'杭州旗舰店' LIKE '%旗舰%'", "1"), ("'abc' LIKE '_'", "0")],
    },
    Phrase {
        names: &["REGEXP", "RLIKE"],
        written: &["text REGEXP pattern"],
        about: both(
            "文本的一部分与正则表达式相符;不支持环视和反向引用。",
            "Whether a part of the text matches; there is no look-around and no back-reference.",
        ),
        examples: &[("'A-1024' REGEXP '^[A-Z]-[0-9]+$'", "1")],
    },
    Phrase {
        names: &["IS"],
        written: &["value IS NULL", "value IS NOT NULL", "value IS TRUE"],
        about: both(
            "NULL 与任何值比较都得 NULL,要用 IS NULL 来问。",
            "A comparison with NULL is NULL; this is how to ask for it.",
        ),
        examples: &[("NULL IS NULL", "1"), ("NULL = NULL", "NULL")],
    },
    Phrase {
        names: &["DIV", "MOD"],
        written: &["a DIV b", "a MOD b", "a % b"],
        about: both(
            "整数商;余数,符号与 a 相同。",
            "The whole quotient; the remainder, with the sign of a.",
        ),
        examples: &[("7 DIV 2", "3"), ("-7 MOD 3", "-1")],
    },
    Phrase {
        names: &["AND", "OR", "NOT", "XOR"],
        written: &["a AND b", "a OR b", "NOT a", "a XOR b"],
        about: both(
            "结果是 1、0 或 NULL;`||` 也是「或」,不拼接文本。",
            "Gives 1, 0 or NULL; `||` is OR too and joins no texts.",
        ),
        examples: &[("1 AND NULL", "NULL"), ("1 OR NULL", "1"), ("NOT 0", "1")],
    },
];

/// Explains what a word begins; false when it is none of these.
pub(in super::super) fn explain_phrase(name: &str, out: &Out) -> bool {
    let asked = |one: &&Phrase| one.names.iter().any(|one| one.eq_ignore_ascii_case(name));
    let mut some = false;
    for phrase in PHRASES.iter().filter(asked) {
        for written in phrase.written {
            out.line(*written);
        }
        out.line(format!("  {}", out.lang.pick(phrase.about.zh, phrase.about.en)));
        for (expression, gives) in phrase.examples {
            out.line(format!("  {expression}  = {gives}"));
        }
        some = true;
    }
    some
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn phrases_give_what_they_say_and_are_no_functions() {
        let bench = super::super::Bench {
            row: dsl::Value::Null,
            zone: TimeZone::UTC,
            now_ms: 0,
        };
        for phrase in PHRASES {
            for (expression, gives) in phrase.examples {
                let Ok((value, warnings)) = super::super::evaluate(expression, &bench) else {
                    panic!("{expression}");
                };
                let shown = value.to_text().map_or_else(|| "NULL".to_owned(), Into::into);
                assert_eq!(shown, *gives, "{expression}");
                assert!(warnings.is_empty(), "{expression}");
            }
        }
        for phrase in ["CASE", "CAST", "INTERVAL", "BINARY", "LIKE"] {
            assert!(functions::registry().get(phrase).is_none(), "{phrase}");
        }
    }
}
