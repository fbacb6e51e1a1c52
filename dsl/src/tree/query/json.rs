//! The JSON of a `where`, with placeholders where values stand, and the bytes of everything.
//!
//! A placeholder is found before anything is filled in, so what it gives can never end a text or begin an operator.

use std::ops::Range;

use crate::value::{Number, Value};

/// How deep lists and maps may be nested.
const DEPTH: usize = 32;

/// A part of the `where`.
#[derive(Debug)]
pub(super) struct Json<'t> {
    pub(super) kind: JsonKind<'t>,
    pub(super) at: Range<usize>,
}

#[derive(Debug)]
pub(super) enum JsonKind<'t> {
    /// A number, `true`, `false` or `null`.
    Plain(Value),
    /// The contents of quotes; placeholders in it are not taken apart.
    Text(String),
    /// A placeholder without quotes, whole.
    Placeholder(&'t str),
    List(Vec<Json<'t>>),
    Map(Vec<Member<'t>>),
}

#[derive(Debug)]
pub(super) struct Member<'t> {
    pub(super) name: String,
    pub(super) name_at: Range<usize>,
    pub(super) value: Json<'t>,
}

/// What is wrong, in Chinese and English.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) at: Range<usize>,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
}

/// Reads a whole text.
pub(super) fn read(text: &str) -> Result<Json<'_>, Fault> {
    let mut reader = Reader { text, at: 0 };
    let json = reader.value(0)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(reader.fault("JSON 在这里已经结束", "the JSON ends before this"));
    }
    Ok(json)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn fault(&self, zh: &'static str, en: &'static str) -> Fault {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        Fault {
            at: self.at..self.at + length,
            zh,
            en,
        }
    }

    fn eat(&mut self, sign: &str) -> bool {
        self.blanks();
        let there = self.rest().starts_with(sign);
        self.at += if there { sign.len() } else { 0 };
        there
    }

    fn value(&mut self, depth: usize) -> Result<Json<'t>, Fault> {
        self.blanks();
        let start = self.at;
        if depth > DEPTH {
            return Err(self.fault("嵌套太深", "it is nested too deeply"));
        }
        let kind = if self.rest().starts_with("<<") || self.rest().starts_with("{{") {
            JsonKind::Placeholder(self.placeholder()?)
        } else if self.eat("{") {
            JsonKind::Map(self.members(depth)?)
        } else if self.eat("[") {
            JsonKind::List(self.elements(depth)?)
        } else if self.rest().starts_with('"') {
            JsonKind::Text(self.quoted()?)
        } else {
            JsonKind::Plain(self.plain()?)
        };
        Ok(Json {
            kind,
            at: start..self.at,
        })
    }

    fn placeholder(&mut self) -> Result<&'t str, Fault> {
        let (open, close) = if self.rest().starts_with('<') {
            ("<<", ">>")
        } else {
            ("{{", "}}")
        };
        let Some(length) = self.rest()[open.len()..].find(close) else {
            return Err(self.fault("占位符没有结束", "the placeholder is not closed"));
        };
        let whole = &self.rest()[..open.len() + length + close.len()];
        self.at += whole.len();
        Ok(whole)
    }

    fn members(&mut self, depth: usize) -> Result<Vec<Member<'t>>, Fault> {
        let mut members: Vec<Member<'t>> = Vec::new();
        if self.eat("}") {
            return Ok(members);
        }
        loop {
            self.blanks();
            let start = self.at;
            if !self.rest().starts_with('"') {
                return Err(self.fault("字段名要写在双引号里", "a name stands in double quotes"));
            }
            let name = self.quoted()?;
            let name_at = start..self.at;
            if crate::template::has_placeholder(&name) {
                return Err(Fault {
                    at: name_at,
                    zh: "占位符只能写在值的位置",
                    en: "a placeholder stands only where a value does",
                });
            }
            if members.iter().any(|known| known.name == name) {
                return Err(Fault {
                    at: name_at,
                    zh: "同一个键写了两次",
                    en: "the same key is there twice",
                });
            }
            if !self.eat(":") {
                return Err(self.fault("缺少 `:`", "`:` is missing"));
            }
            let value = self.value(depth + 1)?;
            members.push(Member { name, name_at, value });
            if self.eat("}") {
                return Ok(members);
            }
            if !self.eat(",") {
                return Err(self.fault("缺少 `,` 或 `}`", "`,` or `}` is missing"));
            }
        }
    }

    fn elements(&mut self, depth: usize) -> Result<Vec<Json<'t>>, Fault> {
        let mut elements = Vec::new();
        if self.eat("]") {
            return Ok(elements);
        }
        loop {
            elements.push(self.value(depth + 1)?);
            if self.eat("]") {
                return Ok(elements);
            }
            if !self.eat(",") {
                return Err(self.fault("缺少 `,` 或 `]`", "`,` or `]` is missing"));
            }
        }
    }

    /// A text in double quotes. A placeholder in it may hold anything but its own end.
    fn quoted(&mut self) -> Result<String, Fault> {
        let start = self.at;
        let mut text = String::new();
        self.at += 1;
        loop {
            if self.rest().starts_with("<<") || self.rest().starts_with("{{") {
                text.push_str(self.placeholder()?);
                continue;
            }
            let Some(char) = self.rest().chars().next() else {
                return Err(Fault {
                    at: start..self.text.len(),
                    zh: "双引号没有结束",
                    en: "the double quote is not closed",
                });
            };
            self.at += char.len_utf8();
            match char {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                char => text.push(char),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        let unknown = self.fault("没有这个转义", "there is no such escape");
        let char = self.rest().chars().next().ok_or(unknown)?;
        self.at += char.len_utf8();
        Ok(match char {
            '"' | '\\' | '/' => char,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.four_digits()?;
                let code = match first {
                    0xd800..0xdc00 if self.rest().starts_with("\\u") => {
                        self.at += 2;
                        let second = self.four_digits()?;
                        0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
                    }
                    code => code,
                };
                char::from_u32(code)
                    .ok_or_else(|| self.fault("没有这个字符", "there is no such character"))?
            }
            _ => {
                self.at -= char.len_utf8();
                return Err(self.fault("没有这个转义", "there is no such escape"));
            }
        })
    }

    fn four_digits(&mut self) -> Result<u32, Fault> {
        let digits = self.rest().get(..4);
        let plain = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match plain.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => Err(self.fault(
                "`\\u` 后面应为四位十六进制数字",
                "four hexadecimal digits follow `\\u`",
            )),
        }
    }

    fn plain(&mut self) -> Result<Value, Fault> {
        let length = self
            .rest()
            .find(|char: char| !(char.is_alphanumeric() || matches!(char, '-' | '+' | '.' | '_')))
            .unwrap_or(self.rest().len());
        let word = &self.rest()[..length];
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => match Number::parse(word) {
                Some(number) => Value::Number(number),
                None => {
                    return Err(Fault {
                        at: self.at
                            ..self.at + length.max(self.rest().chars().next().map_or(0, char::len_utf8)),
                        zh: "这里应为值;文本要写在双引号里",
                        en: "a value is missing here; a text stands in double quotes",
                    });
                }
            },
        };
        self.at += length;
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &Json<'_>) -> String {
        match &json.kind {
            JsonKind::Plain(value) => crate::json::to_string(value),
            JsonKind::Text(text) => format!("'{text}'"),
            JsonKind::Placeholder(whole) => format!("({whole})"),
            JsonKind::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(",")),
            JsonKind::Map(members) => {
                let all = members
                    .iter()
                    .map(|member| format!("{}:{}", member.name, shown(&member.value)));
                format!("{{{}}}", all.collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn json_with_placeholders() {
        for (text, want) in [
            (r#"{"a":{"$eq":"{{x}}"}}"#, "{a:{$eq:'{{x}}'}}"),
            (
                r#"{ "a" : {{ x }} , "b":[<<y|date>>, 1.50, -2e3, null] }"#,
                "{a:({{ x }}),b:[(<<y|date>>),1.50,-2e3,null]}",
            ),
            (r#""\"\\\/\n\u4ef6\ud83d\ude00""#, "'\"\\/\n件😀'"),
            (r#""C-{{x "y}}""#, r#"'C-{{x "y}}'"#),
            ("{}", "{}"),
            ("[]", "[]"),
        ] {
            let json = read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
            assert_eq!(shown(&json), want, "{text}");
        }
    }

    #[test]
    fn what_is_no_json() {
        for (text, at) in [
            ("", 0..0),
            ("{", 1..1),
            (r#"{"a" 1}"#, 5..6),
            (r#"{"a":1"#, 6..6),
            (r#"{"a":1} x"#, 8..9),
            (r#"{"a":x y}"#, 5..6),
            (r#"{a:1}"#, 1..2),
            (r#"{"a":"b}"#, 5..8),
            (r#"{"a":"<<b"}"#, 6..7),
            (r#"{"{{a}}":1}"#, 1..8),
            (r#"{"a":1,"a":2}"#, 7..10),
            (r#"["\x"]"#, 3..4),
            (r#"["\ud8"]"#, 4..5),
            (r#"{'a':1}"#, 1..2),
            (r#"{"a":“b”}"#, 5..8),
        ] {
            let fault = read(text).expect_err(text);
            assert_eq!(fault.at, at, "{text}: {}", fault.en);
        }
        let deep = "[".repeat(10_000);
        assert_eq!(read(&deep).expect_err("too deep").en, "it is nested too deeply");
    }
}
