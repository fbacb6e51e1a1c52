//! Operands without operands: literals and placeholders with values that are worth a look.

use super::super::node::{Cell, Node, Piece, quoted};
use super::{Making, WORDS, Want, kind_of};

const INTEGERS: &[&str] = &[
    "0",
    "0",
    "1",
    "1",
    "2",
    "3",
    "5",
    "7",
    "10",
    "12",
    "60",
    "99",
    "100",
    "255",
    "256",
    "1000",
    "65535",
    "-1",
    "-1",
    "-2",
    "-7",
    "-10",
    "-100",
    "00123",
    "2147483647",
    "-2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-18446744073709551615",
    "123456789012345678901234567890",
    "1700000000",
];
const DECIMALS: &[&str] = &[
    "0.0",
    "0.00",
    "0.5",
    "-0.5",
    "1.5",
    "2.5",
    "-2.5",
    "1.50",
    "-1.50",
    "2.345",
    "0.005",
    "0.004999999999",
    "12.340",
    "99.9",
    "99.99",
    "0.13",
    "19.9",
    "59.7",
    "100.00",
    "-3.2",
    ".5",
    "5.",
    "1.0000000000",
    "0.000000000000000000000000000001",
    "9999999999.9999999999",
    "1234567.891",
    "0.1",
    "0.33333333333",
    "1700000000.100",
    "99999999999999999999999999999999999999999999999999999999999999999",
    "-99999999999999999999999999999999999.999999999999999999999999999999",
    "9223372036854775807.5",
    "12345678901234567890.123456789012345678901234567890",
];
const DOUBLES: &[&str] = &[
    "0e0",
    "1e0",
    "1.5e3",
    "-2.5e-3",
    "1e15",
    "1e14",
    "123456789012345e0",
    "1e-15",
    "1e-16",
    "1.5e-5",
    "1e20",
    "-1e20",
    "1e100",
    "1.7976931348623157e308",
    "5e-324",
    "2.5e0",
    "0.1e0",
    "-0.0e0",
    "9007199254740993e0",
    "9.223372036854775807e18",
    "3.3333333333333335e0",
    "1e65",
    "12345.678e0",
    "1e30",
];
const TEXTS: &[&str] = &[
    "",
    "",
    "a",
    "A",
    "abc",
    "ABC",
    "abc ",
    " abc",
    "  ",
    " ",
    "12abc",
    " 7",
    "7 ",
    "1e3",
    "-5",
    "+3",
    "0x1F",
    "1.50",
    ".5",
    "5.",
    "--1",
    "1e",
    "1e400",
    "-1e400",
    "99999999999999999999",
    "0.1",
    "-0",
    "00123",
    "0.00",
    "中文",
    "广东省深圳",
    "é",
    "É",
    "ß",
    "😀",
    "a😀b",
    "a,b,c",
    "b",
    "c",
    "%",
    "_",
    "a_c",
    "a%c",
    "\\",
    "it's",
    "\"x\"",
    "line\nbreak",
    "tab\tx",
    "true",
    "NULL",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "1,234.5",
    "12.5元",
    "Mixed Case Text",
    "www.example.com",
    "123456789.123456789123456789",
    "1e-5",
    "Ａ",
    "ａ",
    "１２",
    "aaaa",
    "abcabc",
    "x",
    "ÀÉÎõü",
    "z",
    "～",
    "\u{3000}",
    "10",
    "9",
    "100",
    "70",
];
const DATES: &[&str] = &[
    "2023-11-15",
    "2024-02-29",
    "2023-02-28",
    "2023-02-29",
    "2023-02-30",
    "2023-00-10",
    "2023-10-00",
    "0000-00-00",
    "0000-01-01",
    "0001-01-01",
    "9999-12-31",
    "1970-01-01",
    "1969-12-31",
    "69-1-1",
    "70-01-01",
    "00-1-1",
    "20231115",
    "231115",
    "2023/11/15",
    "2023.11.15",
    "2023-1-5",
    "2023-13-01",
    "2023-12-32",
    "10000-01-01",
    "2024-12-31",
    "2021-01-03",
    "2020-12-31",
    "2038-01-19",
    "2023-11-15x",
    " 2023-11-15",
    "2023-11",
    "2023",
    "1582-10-15",
    "2000-01-01",
    "1900-02-29",
    "2100-12-31",
    "2023-01-31",
    "2023-03-31",
    "2024-01-01",
    "2023-12-31",
];
const DATETIMES: &[&str] = &[
    "2023-11-15 06:13:20",
    "2023-11-15 06:13:20.123456",
    "2023-11-15 06:13:20.1",
    "2023-11-15 06:13:20.1234567",
    "2023-11-15 06:13:20.9999999",
    "20231115061320",
    "20231115061320.5",
    "231115061320",
    "2023-11-15T06:13:20",
    "2023-11-15 24:00:00",
    "2023-11-15 23:59:59",
    "2023-11-15 23:59:60",
    "2023-11-15 6:3:2",
    "2023-11-15 06:13",
    "2023-11-15 06",
    "2023-11-15 00:00:00",
    "1970-01-01 08:00:00",
    "1970-01-01 08:00:01",
    "1969-12-31 23:59:59",
    "2038-01-19 11:14:07",
    "2038-01-19 11:14:08",
    "9999-12-31 23:59:59",
    "9999-12-31 23:59:59.999999",
    "0000-00-00 00:00:00",
    "2023-00-00 10:00:00",
    "2023-11-15 06:13:20 ",
    "2023-11-15 06:13:20abc",
    "1986-05-04 02:30:00",
    "2023-11-15  06:13:20",
    "2023-11-15 06:13:20+08:00",
    "2024-02-29 12:00:00",
    "2023-12-31 23:59:59.5",
    "2023-11-15 12:00:00",
    "2023-11-15 00:30:00",
    "2023-11-15 13:05:09",
];
const TIMES: &[&str] = &[
    "06:13:20",
    "00:00:00",
    "23:59:59",
    "24:00:00",
    "838:59:59",
    "839:00:00",
    "-838:59:59",
    "-12:30:00",
    "-00:00:01",
    "1 10:20:30",
    "-1 10:20:30",
    "34 22:59:59",
    "10:20",
    "102030",
    "10:20:30.5",
    "10:20:30.123456",
    "10:20:30.1234567",
    "-00:00:00.5",
    "10:61:00",
    "1020",
    "20",
    "12:00:00",
    "100:00:00",
    "10:20:61",
    "0:0:1",
];
const DATE_NUMBERS: &[&str] = &[
    "20231115",
    "231115",
    "20231115061320",
    "20231115061320.5",
    "20231115061320.123456",
    "20240229",
    "20230229",
    "101",
    "0",
    "691231",
    "700101",
    "20230000",
    "1231",
    "61320",
    "1061320",
    "-61320",
    "8385959",
    "99991231235959",
    "20231301",
    "2023",
    "61320.25",
];
const JSONS: &[&str] = &[
    r#"{"a":1,"b":[1,2.50,null,"x"],"c":{"d":"中"}}"#,
    r#"{"a": 1, "b" : [ 1 , 2 ] }"#,
    r#"[1,2,3]"#,
    r#"[]"#,
    r#"{}"#,
    r#""text""#,
    r#"1.50"#,
    r#"null"#,
    r#"true"#,
    r#"{"a":{"b":{"c":[10,20,{"d":5}]}}}"#,
    r#"{"a b":1,"中文":"值","A":2,"a":3}"#,
    r#"{"a":1,"a":2}"#,
    r#"{"s":"x\"y\\z\n\u4e2d"}"#,
    r#"{"n":1e3,"m":-0.5,"t":true,"f":false}"#,
    r#"{"a":1"#,
    r#"[1,]"#,
    r#"{'a':1}"#,
    "",
    r#"[{"qty":2,"price":10.0},{"qty":4.50},{"price":3}]"#,
    r#" {"a" : "b"} "#,
    r#"{"a":"1","b":""}"#,
];
const JSON_PATHS: &[&str] = &[
    "$",
    "$.a",
    "$.b",
    "$.b[0]",
    "$.b[1]",
    "$.b[3]",
    "$.b[9]",
    "$[0]",
    "$[1]",
    "$[*]",
    "$.*",
    "$.c.d",
    "$.a.b.c[2].d",
    "$**.d",
    "$.b[*]",
    "$[*].qty",
    "$.\"a b\"",
    "$.中文",
    "$.x",
    "$.s",
    "$.n",
    "$.t",
    "a",
    "",
    "$.",
    "$[",
    "$[last]",
    "$[-1]",
    "$.a[0]",
    "$ .a",
    "$.A",
];
const DATE_FORMATS: &[&str] = &[
    "%Y-%m-%d",
    "%Y-%m-%d %H:%i:%s",
    "%y%c%e",
    "%Y年%m月%d日",
    "%T",
    "%r",
    "%H:%i",
    "%d/%m/%Y",
    "%W %M %e %Y",
    "%a %b %D",
    "%j",
    "%U %u %V %v",
    "%X %x",
    "%w",
    "%f",
    "%h:%I:%l %p",
    "%k",
    "%%",
    "%q",
    "%",
    "abc",
    "",
    "%Y%m%d%H%i%S",
    "%s.%f",
    "%X-%V",
    "%x-%v",
    "%Y-%m-%d %T.%f",
    "%b %d %Y",
    "%M",
    "%Y-%j",
    "%y-%m-%d",
];
const TIME_FORMATS: &[&str] = &[
    "%H:%i:%s",
    "%H %k %h %I %l",
    "%T",
    "%r",
    "%p",
    "%f",
    "%s.%f",
    "%i",
    "%Y",
    "",
    "%H时%i分",
];
const LIKE_PATTERNS: &[&str] = &[
    "%", "_", "a%", "%c", "%b%", "a_c", "A%", "__", "%中%", "\\%", "%\\_%", "", "12%", "abc", "%\\\\%",
    "_%_", "%é%", "%%", "a\\bc", "%a%b%",
];
const REGEXES: &[&str] = &[
    "a",
    "^a",
    "c$",
    "[0-9]+",
    "^[0-9]+$",
    "a|b",
    ".",
    "^$",
    "",
    "\\d+",
    "[[:alpha:]]+",
    "(a)(b)?",
    "中",
    "\\.",
    "a{2}",
    "[^a-z]",
    "b*",
    "\\bx",
    "(",
    "[A-Z]",
    "\\w+",
    "\\s",
    "(?i)ABC",
    "a.c",
    "x?",
];
const NEEDLES: &[&str] = &[
    "", "a", "b", "B", "c", ".", ",", "-", " ", "中", "省", "abc", "bc", "A", "1", "😀", "x", "aa", "\\",
    "de_DE", "en_US",
];
const SETS: &[&str] = &["a,b,c", "", "a", "b,a,中", ",a,", "A,B", "1,2,3", "a, b", "abc,x"];
const ZONES: &[&str] = &[
    "+00:00",
    "+08:00",
    "-05:30",
    "Asia/Shanghai",
    "UTC",
    "America/New_York",
    "Europe/London",
    "+14:00",
    "+15:00",
    "nowhere",
    "",
    "Z",
    "+8:00",
];
const HEXES: &[&str] = &[
    "41",
    "616263",
    "e4b8ad",
    "F",
    "0",
    "",
    "zz",
    "ff",
    "FF",
    "1f",
    "-1f",
    "10",
    "101",
    "7fffffffffffffff",
    "ffffffffffffffff",
    "10000000000000000",
    "4z",
    "abc",
];
const BASE64S: &[&str] = &[
    "YWJj",
    "5Lit",
    "",
    "YQ==",
    "YWI=",
    "YW Jj",
    "!!!",
    "YWJ",
    "YWJj\nZA==",
];
/// Names of units, bare.
pub(super) const UNITS: &[&str] = &[
    "MICROSECOND",
    "SECOND",
    "MINUTE",
    "HOUR",
    "DAY",
    "WEEK",
    "MONTH",
    "QUARTER",
    "YEAR",
];
/// Units of two parts, whose amount is a text.
pub(super) const LONG_UNITS: &[&str] = &[
    "SECOND_MICROSECOND",
    "MINUTE_MICROSECOND",
    "MINUTE_SECOND",
    "HOUR_MICROSECOND",
    "HOUR_SECOND",
    "HOUR_MINUTE",
    "DAY_MICROSECOND",
    "DAY_SECOND",
    "DAY_MINUTE",
    "DAY_HOUR",
    "YEAR_MONTH",
];
/// Amounts of them.
pub(super) const LONG_AMOUNTS: &[&str] = &[
    "1:2", "1 2", "1-2", "1 2:3:4", "-1:30", "1.5", "1:2:3.4", "5", "", "a", "1 -2", "2:3:4", "0-13",
    "1.000005", "- 1 2",
];

impl Making<'_> {
    pub(super) fn leaf(&mut self, want: Want) -> Node {
        let literal = matches!(want, Want::Fraction | Want::Days);
        if self.in_list && !literal && self.chance(55) {
            return self.leaf_column(want);
        }
        if !literal && self.chance(4) {
            return Node::literal("NULL");
        }
        match want {
            Want::Any => {
                let kind = self.rng.pick(&[
                    Want::Integer,
                    Want::Decimal,
                    Want::Double,
                    Want::Text,
                    Want::Text,
                    Want::Bool,
                    Want::Temporal,
                ]);
                self.leaf(kind)
            }
            Want::Number => {
                let kind = self.rng.pick(&[
                    Want::Integer,
                    Want::Integer,
                    Want::Decimal,
                    Want::Decimal,
                    Want::Double,
                    Want::Text,
                ]);
                self.leaf(kind)
            }
            Want::Integer => {
                let text = self.integer();
                self.number_leaf(text)
            }
            Want::Decimal => {
                let text = self.decimal();
                self.number_leaf(text)
            }
            Want::Double => Node::literal(self.rng.pick(DOUBLES)),
            Want::Bool => match self.below(5) {
                0 => Node::field(Cell::Bool(self.chance(50))),
                1 => Node::literal("1"),
                2 => Node::literal("0"),
                3 => Node::literal("TRUE"),
                _ => Node::literal("FALSE"),
            },
            Want::Text => {
                let text = self.text();
                self.text_leaf(text)
            }
            Want::Temporal => self.temporal(),
            Want::Days => self.one_of(&[
                "366", "367", "1000", "738839", "3652424", "3652425", "9999999", "738839.6", "'738839'", "-1",
            ]),
            Want::Places => self.one_of(&[
                "0", "1", "2", "2", "3", "4", "6", "10", "29", "30", "31", "38", "-1", "-2", "-3", "-40",
                "64", "1.5", "'2'",
            ]),
            Want::Count => self.one_of(&[
                "0",
                "1",
                "1",
                "2",
                "2",
                "3",
                "4",
                "5",
                "10",
                "-1",
                "-2",
                "-3",
                "-10",
                "100",
                "1.5",
                "2.5",
                "'2'",
                "9223372036854775807",
                "-9223372036854775808",
            ]),
            Want::Amount => self.one_of(&[
                "0", "1", "2", "3", "7", "10", "12", "31", "45", "60", "100", "365", "366", "400", "1000",
                "2023", "9999", "-1", "-2", "-30", "1.5", "2.5", "'3'", "738839", "3652424", "3652425",
                "202311", "2311", "1e1", "99",
            ]),
            Want::Bits => self.one_of(&[
                "0", "1", "2", "3", "6", "224", "256", "384", "512", "7", "-1", "100",
            ]),
            Want::Fraction => self.fraction(),
            Want::Base => self.one_of(&[
                "2", "8", "10", "10", "16", "16", "36", "-10", "-16", "37", "1", "0",
            ]),
            Want::Epoch => self.one_of(&[
                "0",
                "1",
                "1700000000",
                "1700000000.1",
                "1700000000.123456",
                "1700000000.1234567",
                "-1",
                "2147483647",
                "2147483648",
                "1679033795123/1000",
                "'1700000000'",
                "1.5e9",
                "253402300799",
                "1700000000-600",
            ]),
            Want::Json => self.words(JSONS),
            Want::JsonPath => self.words(JSON_PATHS),
            Want::DateFormat => self.words(DATE_FORMATS),
            Want::TimeFormat => self.words(TIME_FORMATS),
            Want::Needle => self.words(NEEDLES),
            Want::LikePattern => self.words(LIKE_PATTERNS),
            Want::Regex => self.words(REGEXES),
            Want::Set => self.words(SETS),
            Want::Zone => self.words(ZONES),
            Want::Hex => self.words(HEXES),
            Want::Base64 => self.words(BASE64S),
            Want::Unit => Node::literal(self.rng.pick(UNITS)),
        }
    }

    /// A column. Words are quoted where a number is wanted, and often elsewhere.
    pub(super) fn leaf_column(&mut self, want: Want) -> Node {
        let index = self.rng.pick(&[0, 0, 1, 1, WORDS]);
        let number = matches!(
            kind_of(want),
            Want::Number | Want::Integer | Want::Decimal | Want::Double
        );
        let quoted = self.lines.words == Some(index) && (number || self.chance(50));
        Node::column(index, quoted)
    }

    /// A placeholder with JSON in it, in front of an arrow.
    pub(super) fn json_field(&mut self) -> Node {
        Node::field(Cell::Text(self.rng.pick(JSONS).to_owned()))
    }

    /// A path as a literal, behind an arrow.
    pub(super) fn json_path(&mut self) -> Node {
        Node::literal(quoted(self.rng.pick(JSON_PATHS)))
    }

    /// Digits of a second: a literal.
    pub(super) fn fraction(&mut self) -> Node {
        self.one_of(&["0", "1", "2", "3", "4", "5", "6", "6", "7"])
    }

    fn one_of(&mut self, choices: &'static [&'static str]) -> Node {
        Node::literal(self.rng.pick(choices))
    }

    fn words(&mut self, choices: &'static [&'static str]) -> Node {
        let word = self.rng.pick(choices).to_owned();
        if self.chance(15) && !word.is_empty() {
            return Node::field(Cell::Text(word));
        }
        Node::literal(quoted(&word))
    }

    /// A number as a literal, now and then as the value of a placeholder.
    fn number_leaf(&mut self, text: String) -> Node {
        let plain = dsl::value::Number::parse(&text).is_some();
        if plain && self.chance(25) {
            return Node::field(Cell::Number(text));
        }
        if self.chance(3) {
            let (before, whole) = (self.rng.pick(&["", "", "1"]), self.rng.between(0, 2_000_000_000));
            let after = self.rng.pick(&["000", "0", ".50", "5"]);
            let pieces = [
                Piece::Text(before.to_owned()),
                Piece::Field(Cell::Number(whole.to_string())),
                Piece::Text(after.to_owned()),
            ];
            return Node::glued(pieces.to_vec());
        }
        if plain && self.chance(5) {
            return Node::field(Cell::Digits(text));
        }
        if plain && self.chance(6) {
            return Node::quoted(vec![Piece::Field(Cell::Number(text))]);
        }
        Node::literal(text)
    }

    fn text_leaf(&mut self, text: String) -> Node {
        if self.chance(5) {
            return Node::field(Cell::Text(text));
        }
        if self.chance(12) {
            let cell = match self.below(8) {
                0 => Cell::Null,
                1 => Cell::Number(self.small_integer()),
                2 => Cell::Number(self.decimal_of_scale(2)),
                3 => Cell::Bool(true),
                _ => Cell::Text(self.text()),
            };
            let pieces = match self.below(4) {
                0 => vec![Piece::Field(cell)],
                1 => vec![Piece::Text(text), Piece::Field(cell)],
                2 => vec![Piece::Field(cell), Piece::Text(text)],
                _ => vec![
                    Piece::Text(text),
                    Piece::Field(cell),
                    Piece::Text("/".to_owned()),
                    Piece::Field(Cell::Text("中".to_owned())),
                ],
            };
            return Node::quoted(pieces);
        }
        Node::literal(quoted(&text))
    }

    fn temporal(&mut self) -> Node {
        let text = match self.below(10) {
            0..=2 => self.rng.pick(DATES),
            3..=5 => self.rng.pick(DATETIMES),
            6 => self.rng.pick(TIMES),
            7 => return Node::literal(self.rng.pick(DATE_NUMBERS)),
            8 => {
                let date = self.random_date();
                return Node::literal(quoted(&date));
            }
            _ => return self.temporal_call(),
        };
        self.text_leaf(text.to_owned())
    }

    fn random_date(&mut self) -> String {
        let (year, month, day) = (
            self.rng.between(1900, 2101),
            self.rng.between(1, 13),
            self.rng.between(1, 32),
        );
        let date = format!("{year:04}-{month:02}-{day:02}");
        if self.chance(50) {
            return date;
        }
        let (hour, minute, second) = (
            self.rng.between(0, 24),
            self.rng.between(0, 60),
            self.rng.between(0, 60),
        );
        format!("{date} {hour:02}:{minute:02}:{second:02}")
    }

    /// A value that is a time by its type, not by its spelling.
    fn temporal_call(&mut self) -> Node {
        let choices: Vec<&str> = [
            "NOW()",
            "NOW(3)",
            "CURDATE()",
            "FROM_UNIXTIME(1700000000.25)",
            "CURTIME()",
            "CURTIME(2)",
        ]
        .into_iter()
        .filter(|text| {
            let name = text.split('(').next().unwrap_or_default();
            functions::registry().get(name).is_some()
        })
        .collect();
        match self.below(4) {
            0 => Node::literal(self.rng.pick(&choices)),
            1 => self.cast_leaf("DATE", DATES),
            _ => {
                let target = self.rng.pick(&["DATETIME", "DATETIME(3)", "DATETIME(6)"]);
                self.cast_leaf(target, DATETIMES)
            }
        }
    }

    fn cast_leaf(&mut self, target: &str, from: &'static [&'static str]) -> Node {
        let kid = Node::literal(quoted(self.rng.pick(from)));
        Node::build(
            "CAST",
            vec!["CAST(".to_owned(), format!(" AS {target})")],
            vec![kid],
        )
    }

    fn integer(&mut self) -> String {
        match self.below(3) {
            0 => self.small_integer(),
            _ => self.rng.pick(INTEGERS).to_owned(),
        }
    }

    pub(super) fn small_integer(&mut self) -> String {
        let bound = self.rng.pick(&[10, 100, 10_000, 1_000_000_000]);
        self.rng.between(-bound / 3, bound).to_string()
    }

    fn decimal(&mut self) -> String {
        match self.below(5) {
            0 | 1 => self.rng.pick(DECIMALS).to_owned(),
            2 | 3 => {
                let scale = self.rng.pick(&[1, 1, 2, 2, 3, 4, 6, 9]);
                self.decimal_of_scale(scale)
            }
            _ => {
                let (whole, scale) = (self.below(36), self.below(31));
                let digits = |making: &mut Self, count: usize| -> String {
                    (0..count)
                        .map(|_| making.rng.pick(&['0', '1', '4', '5', '5', '9', '9', '7']))
                        .collect()
                };
                let sign = if self.chance(30) { "-" } else { "" };
                let whole = digits(self, whole);
                let whole = whole.trim_start_matches('0');
                let whole = if whole.is_empty() { "0" } else { whole };
                format!("{sign}{whole}.{}", digits(self, scale.max(1)))
            }
        }
    }

    pub(super) fn decimal_of_scale(&mut self, scale: usize) -> String {
        let whole = self.small_integer();
        let fraction: String = (0..scale)
            .map(|_| self.rng.pick(&['0', '0', '1', '4', '5', '9']))
            .collect();
        format!("{whole}.{fraction}")
    }

    pub(super) fn text(&mut self) -> String {
        self.rng.pick(TEXTS).to_owned()
    }
}
