//! What a `$template` may hold, checked before the template engine sees it.
//!
//! A template joins text. Whatever computes, assigns or calls is refused here: it would compute with floats, or grow
//! without bound. Numbers become names for exact numbers, and `<<…>>` names for what it reads.

use std::ops::Range;

use super::data::{FILTERS, TESTS};

/// A template ready for the engine.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    /// The text with names in place of placeholders and numbers; as many lines as before.
    pub(super) source: String,
    /// The insides of `<<…>>`, with their bytes; the first is called `__p0`.
    pub(super) placeholders: Vec<(String, Range<usize>)>,
    /// The digits of numbers; the first is called `__n0`.
    pub(super) numbers: Vec<String>,
    /// Names in code, each where it stands first.
    pub(super) names: Vec<(String, Range<usize>)>,
}

/// What is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// `mark` is missing.
    Unclosed { at: Range<usize>, mark: &'static str },
    /// There is no such filter.
    Filter(Range<usize>),
    /// Not for templates, with what to do in Chinese and English.
    Refused(Range<usize>, (&'static str, &'static str)),
}

const COMPUTE: (&str, &str) = (
    "计算请写在 `_function` 里,例如放进 `let`",
    "compute with `_function`, for instance under `let`",
);
const COMPARE: (&str, &str) = (
    "按数值比较写 `is gt(…)`、`is ge(…)`、`is lt(…)`、`is le(…)`、`is eq(…)`、`is ne(…)`",
    "numbers are compared by `is gt(…)`, `is ge(…)`, `is lt(…)`, `is le(…)`, `is eq(…)` and `is ne(…)`",
);
const ONLY: (&str, &str) = (
    "模板里只有 `if`、`elif`、`else`、`for`、`raw`",
    "there are `if`, `elif`, `else`, `for` and `raw`",
);
const CALL: (&str, &str) = (
    "模板里没有函数,用 `|` 后的过滤器",
    "there are no functions; use a filter after `|`",
);
const NAMED_TEST: (&str, &str) = (
    "可用的测试见参考手册,例如 `is defined`、`is eq(…)`",
    "the reference has the tests, such as `is defined` and `is eq(…)`",
);
const OURS: (&str, &str) = (
    "以 `__` 开头的名称属于引擎",
    "names that begin with `__` are the engine's",
);

const STATEMENTS: [&str; 8] = ["if", "elif", "else", "endif", "for", "endfor", "raw", "endraw"];
const WORDS: [&str; 10] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Start,
    Value,
    Number,
    Dot,
    Pipe,
    Is,
    /// `==` or `!=`.
    Equals,
    Other,
}

struct Scan<'t> {
    text: &'t str,
    at: usize,
    out: Scanned,
}

pub(super) fn scan(text: &str) -> Result<Scanned, Fault> {
    let mut scan = Scan {
        text,
        at: 0,
        out: Scanned::default(),
    };
    while scan.at < text.len() {
        scan.piece()?;
    }
    Ok(scan.out)
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn copy(&mut self, length: usize) {
        self.out.source.push_str(&self.text[self.at..self.at + length]);
        self.at += length;
    }

    /// Text up to the next mark, or what the mark begins.
    fn piece(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let marks = ["{{", "{%", "{#", "<<"];
        let next = marks.iter().filter_map(|mark| rest.find(mark)).min();
        match next {
            None => self.copy(self.rest().len()),
            Some(0) if rest.starts_with("<<") => {
                let name = self.placeholder()?;
                self.out.source.push_str(&format!("{{{{ {name} }}}}"));
            }
            Some(0) if rest.starts_with("{#") => {
                let length = self.closing("#}")?;
                self.copy(length);
            }
            Some(0) if rest.starts_with("{{") => self.code("}}")?,
            Some(0) => self.statement()?,
            Some(length) => self.copy(length),
        }
        Ok(())
    }

    /// How long the rest is up to and with a mark.
    fn closing(&self, mark: &'static str) -> Result<usize, Fault> {
        match self.rest().find(mark) {
            Some(at) => Ok(at + mark.len()),
            None => Err(Fault::Unclosed {
                at: self.at..self.at + 2,
                mark,
            }),
        }
    }

    fn placeholder(&mut self) -> Result<String, Fault> {
        let length = self.closing(">>")?;
        let inside = self.at + 2..self.at + length - 2;
        let lines = self.text[inside.clone()].matches('\n').count();
        self.out
            .placeholders
            .push((self.text[inside.clone()].to_owned(), inside));
        self.at += length;
        let name = format!("__p{}", self.out.placeholders.len() - 1);
        Ok(name + &"\n".repeat(lines))
    }

    fn statement(&mut self) -> Result<(), Fault> {
        let inner = self.rest()[2..].trim_start_matches(['-', '+']);
        let blanks = inner.len() - inner.trim_start().len();
        let start = self.text.len() - inner.len() + blanks;
        let word_length = identifier(&self.text[start..]);
        let word = &self.text[start..start + word_length];
        if !STATEMENTS.contains(&word) {
            let length = word_length.max(self.text[start..].chars().next().map_or(0, char::len_utf8));
            return Err(Fault::Refused(start..start + length, ONLY));
        }
        if word == "raw" {
            let Some(end) = self.rest().find("endraw") else {
                return Err(Fault::Unclosed {
                    at: self.at..self.at + 2,
                    mark: "{% endraw %}",
                });
            };
            let close = self.rest()[end..]
                .find("%}")
                .map_or(self.rest().len(), |at| end + at + 2);
            self.copy(close);
            return Ok(());
        }
        let before = start + word_length - self.at;
        self.copy(before);
        self.tokens("%}")
    }

    fn code(&mut self, close: &'static str) -> Result<(), Fault> {
        self.copy(2);
        if self.rest().starts_with(['-', '+']) {
            self.copy(1);
        }
        self.tokens(close)
    }

    fn tokens(&mut self, close: &'static str) -> Result<(), Fault> {
        let begin = self.at;
        let mut before = Before::Start;
        loop {
            let rest = self.rest();
            let Some(first) = rest.chars().next() else {
                return Err(Fault::Unclosed {
                    at: begin.saturating_sub(2)..begin,
                    mark: close,
                });
            };
            if rest.starts_with(close) {
                self.copy(close.len());
                return Ok(());
            }
            let trims = matches!(first, '-' | '+') && rest[1..].starts_with(close);
            before = if first.is_whitespace() || trims {
                self.copy(first.len_utf8());
                before
            } else if matches!(first, '\'' | '"') {
                self.quoted(first)?;
                Before::Value
            } else if rest.starts_with("<<") {
                let name = self.placeholder()?;
                self.out.source.push_str(&format!(" {name} "));
                Before::Value
            } else if first.is_ascii_digit() {
                self.number(before)?
            } else if identifier(rest) > 0 {
                self.name(before)?
            } else {
                self.sign(first, before)?
            };
        }
    }

    fn quoted(&mut self, quote: char) -> Result<(), Fault> {
        let mut length = 1;
        let mut chars = self.rest()[1..].chars();
        while let Some(char) = chars.next() {
            length += char.len_utf8();
            if char == quote {
                self.copy(length);
                return Ok(());
            }
            if char == '\\' {
                length += chars.next().map_or(0, char::len_utf8);
            }
        }
        Err(Fault::Unclosed {
            at: self.at..self.at + 1,
            mark: if quote == '"' { "\"" } else { "'" },
        })
    }

    /// A number becomes a name; after a dot it is a place in a list, as in paths.
    fn number(&mut self, before: Before) -> Result<Before, Fault> {
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let rest = self.rest();
        let mut length = digits(rest);
        if before != Before::Dot {
            let fraction = rest[length..].strip_prefix('.').map_or(0, digits);
            length += if fraction > 0 { fraction + 1 } else { 0 };
        }
        if before == Before::Equals {
            return Err(Fault::Refused(self.at..self.at + length, COMPARE));
        }
        self.out.numbers.push(rest[..length].to_owned());
        self.at += length;
        let name = format!("__n{}", self.out.numbers.len() - 1);
        if before == Before::Dot {
            // The dot was written already.
            let dot = self.out.source.trim_end().len() - 1;
            self.out.source.truncate(dot);
            self.out.source.push_str(&format!("[{name}]"));
            return Ok(Before::Value);
        }
        self.out.source.push_str(&format!(" {name} "));
        Ok(Before::Number)
    }

    fn name(&mut self, before: Before) -> Result<Before, Fault> {
        let length = identifier(self.rest());
        let span = self.at..self.at + length;
        let word = self.text[span.clone()].to_owned();
        let next = self.text[span.end..].trim_start();
        match before {
            Before::Pipe if !FILTERS.contains(&word.as_str()) => return Err(Fault::Filter(span)),
            Before::Is if word == "not" => {
                self.copy(length);
                return Ok(Before::Is);
            }
            Before::Is if !TESTS.contains(&word.as_str()) => return Err(Fault::Refused(span, NAMED_TEST)),
            Before::Pipe | Before::Is => {
                self.copy(length);
                return Ok(Before::Other);
            }
            _ => {}
        }
        if word.starts_with("__") {
            return Err(Fault::Refused(span, OURS));
        }
        if next.starts_with('(') && !WORDS.contains(&word.as_str()) {
            return Err(Fault::Refused(span, CALL));
        }
        // An argument by its name.
        let argument = next.starts_with('=') && !next.starts_with("==");
        if before != Before::Dot && !argument {
            if word == "is" {
                self.copy(length);
                return Ok(Before::Is);
            }
            if WORDS.contains(&word.as_str()) {
                self.copy(length);
                return Ok(if matches!(word.as_str(), "true" | "false" | "none") {
                    Before::Value
                } else {
                    Before::Other
                });
            }
            if word == "loop" && self.counts(span.end) {
                return Ok(Before::Value);
            }
            if !self.out.names.iter().any(|(known, _)| *known == word) {
                self.out.names.push((word, span));
            }
        }
        self.copy(length);
        Ok(Before::Value)
    }

    /// `loop.index` counts with the engine's own numbers, which are no exact ones.
    fn counts(&mut self, from: usize) -> bool {
        let Some(member) = self.text[from..].strip_prefix('.') else {
            return false;
        };
        let length = identifier(member);
        let counted = ["index", "index0", "revindex", "revindex0", "length"].contains(&&member[..length]);
        if counted {
            let expression = format!("(loop.{}|number)", &member[..length]);
            self.out.source.push_str(&expression);
            self.at = from + 1 + length;
        }
        counted
    }

    fn sign(&mut self, first: char, before: Before) -> Result<Before, Fault> {
        let rest = self.rest();
        let two = rest.get(..2).unwrap_or_default();
        let span = |length: usize| self.at..self.at + length;
        let refused = |length: usize, why| Err(Fault::Refused(span(length), why));
        let (length, after) = match (two, first) {
            ("==" | "!=", _) if before == Before::Number => return refused(2, COMPARE),
            ("==" | "!=", _) => (2, Before::Equals),
            ("<=" | ">=", _) => return refused(2, COMPARE),
            ("**" | "//", _) => return refused(2, COMPUTE),
            (_, '<' | '>') => return refused(1, COMPARE),
            (_, '+' | '-' | '*' | '/' | '%' | '~') => return refused(1, COMPUTE),
            (_, '.') => (1, Before::Dot),
            (_, '|') => (1, Before::Pipe),
            (_, ')' | ']') => (1, Before::Value),
            (_, '(' | '[' | ',' | '=' | ':') => (1, Before::Other),
            _ => return refused(first.len_utf8(), ONLY),
        };
        self.copy(length);
        Ok(after)
    }
}

/// How many bytes of a name a text begins with.
fn identifier(text: &str) -> usize {
    let begins = text.starts_with(|char: char| char.is_alphabetic() || char == '_');
    let end = text.find(|char: char| !(char.is_alphanumeric() || char == '_'));
    if begins { end.unwrap_or(text.len()) } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_gets() {
        for (text, want) in [
            ("a {{ b }} c", "a {{ b }} c"),
            ("<<a.b|date>>-<<$index>>", "{{ __p0 }}-{{ __p1 }}"),
            ("{{ <<a>> }}", "{{  __p0  }}"),
            ("{{ a.0.b }}", "{{ a[__n0].b }}"),
            ("{{ a[1] }}", "{{ a[ __n0 ] }}"),
            (
                "{%- if a is gt(1.50) -%}x{% endif %}",
                "{%- if a is gt( __n0 ) -%}x{% endif %}",
            ),
            (
                "{% if loop.index is eq 1 %}{% endif %}",
                "{% if (loop.index|number) is eq  __n0  %}{% endif %}",
            ),
            ("{{ 'it''s }} \\' <<x>>' }}", "{{ 'it''s }} \\' <<x>>' }}"),
            ("{# <<a>> 1+1 #}", "{# <<a>> 1+1 #}"),
            (
                "{% raw %}{{ 1+1 }}<<a>>{% endraw %}",
                "{% raw %}{{ 1+1 }}<<a>>{% endraw %}",
            ),
            ("{{ 名称|default('无') }}", "{{ 名称|default('无') }}"),
            (
                "{{ a == 'x' and b is not defined }}",
                "{{ a == 'x' and b is not defined }}",
            ),
        ] {
            match scan(text) {
                Ok(scanned) => assert_eq!(scanned.source, want, "{text}"),
                Err(fault) => panic!("{text}: {fault:?}"),
            }
        }
        let scanned = scan("{% for l in lines %}{{ l.sku }}{{ 名称 }}{% endfor %}").expect("a template");
        let names: Vec<&str> = scanned.names.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["l", "lines", "名称"]);
    }

    #[test]
    fn what_is_refused() {
        for (text, at) in [
            ("{{ a + b }}", 5..6),
            ("{{ a ~ b }}", 5..6),
            ("{{ a * 2 }}", 5..6),
            ("{{ -1 }}", 3..4),
            ("{{ a > 1 }}", 5..6),
            ("{{ a >= 1 }}", 5..7),
            ("{{ a == 1 }}", 8..9),
            ("{{ 1 == a }}", 5..7),
            ("{% set a = 1 %}", 3..6),
            ("{% include 'x' %}", 3..10),
            ("{% macro a() %}", 3..8),
            ("{{ range(9) }}", 3..8),
            ("{{ a.upper() }}", 5..10),
            ("{{ __p0 }}", 3..7),
            ("{{ a is divisibleby(2) }}", 8..19),
            ("{{ {'a': 1} }}", 3..4),
        ] {
            match scan(text) {
                Err(Fault::Refused(span, _)) => assert_eq!(span, at, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(scan("{{ a|uper }}"), Err(Fault::Filter(5..9)));
        for text in ["{{ a", "{% if a", "{# a", "<<a", "{{ 'a }}", "{% raw %}a"] {
            assert!(matches!(scan(text), Err(Fault::Unclosed { .. })), "{text}");
        }
    }
}
