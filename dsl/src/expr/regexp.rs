//! `REGEXP` and its functions: the server's pattern language on an engine whose time is linear.
//!
//! A pattern in the server's syntax (PCRE2: case does not matter, classes know Unicode) is rewritten for the crate
//! `regex`. What cannot be had in linear time is refused by name: look-around, back-references, atomic groups and
//! possessive quantifiers. With bytes a pattern sees bytes, and case matters.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use super::regexp_class::{Flavour, class, escape_of};

/// Bytes a compiled pattern may take.
const SIZE: usize = 1 << 20;
/// Patterns a thread keeps compiled; a scheme has few that are not literal.
const KEPT: usize = 16;

/// A compiled pattern.
#[derive(Debug)]
pub struct Matcher {
    source: String,
    binary: bool,
    regex: Regex,
    /// The groups as the author counts them.
    groups: Vec<usize>,
    /// Groups that mark an end before a last line feed.
    ends: Vec<usize>,
}

/// One match: where it begins and ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Its first byte.
    pub start: usize,
    /// The byte behind it.
    pub end: usize,
}

impl Matcher {
    /// The pattern as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it matches somewhere.
    pub fn is_match(&self, text: &[u8]) -> bool {
        self.regex.is_match(text)
    }

    /// The first match from a place on, and its groups, the whole match first.
    pub fn find(&self, text: &[u8], from: usize) -> Option<(Found, Vec<Option<Found>>)> {
        let captures = self.regex.captures_at(text, from)?;
        let place = |index: usize| {
            let part = captures.get(index)?;
            let (start, end) = (part.start(), part.end());
            Some(Found { start, end })
        };
        let mut whole = place(0)?;
        for end in self.ends.iter().filter_map(|index| place(*index)) {
            whole.end = whole.end.min(end.start);
        }
        let groups = self.groups.iter().map(|index| place(*index));
        Some((whole, std::iter::once(Some(whole)).chain(groups).collect()))
    }
}

thread_local! {
    static COMPILED: RefCell<VecDeque<Arc<Matcher>>> = const { RefCell::new(VecDeque::new()) };
}

/// Compiles a pattern, or takes one of the last ones. What is wrong with it is told in English.
pub fn matcher(pattern: &str, binary: bool) -> Result<Arc<Matcher>, String> {
    COMPILED.with_borrow_mut(|compiled| {
        let same = |known: &Arc<Matcher>| known.binary == binary && known.source == pattern;
        if let Some(at) = compiled.iter().position(same)
            && let Some(known) = compiled.remove(at)
        {
            compiled.push_front(Arc::clone(&known));
            return Ok(known);
        }
        let new = Arc::new(compile(pattern, binary)?);
        compiled.truncate(KEPT - 1);
        compiled.push_front(Arc::clone(&new));
        Ok(new)
    })
}

fn compile(pattern: &str, binary: bool) -> Result<Matcher, String> {
    let mut rewriting = Rewriting {
        rest: pattern,
        out: String::with_capacity(pattern.len() * 2),
        binary,
        flags: vec![Flags {
            ignore_case: !binary,
            ..Flags::default()
        }],
        captures: 0,
        groups: Vec::new(),
        ends: Vec::new(),
        repeatable: false,
    };
    rewriting.pattern()?;
    let regex = RegexBuilder::new(&rewriting.out)
        .case_insensitive(!binary)
        .unicode(!binary)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .nest_limit(64)
        .build()
        .map_err(|error| match error {
            // The crate draws the pattern over several lines; the last one says what is wrong.
            regex::Error::Syntax(drawing) => {
                let last = drawing.lines().last().unwrap_or_default();
                last.strip_prefix("error: ").unwrap_or(last).to_owned()
            }
            regex::Error::CompiledTooBig(_) => "too large".to_owned(),
            other => other.to_string(),
        })?;
    Ok(Matcher {
        source: pattern.to_owned(),
        binary,
        regex,
        groups: rewriting.groups,
        ends: rewriting.ends,
    })
}

/// What `(?imsx)` sets, for the rest of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    many_lines: bool,
    extended: bool,
}

struct Rewriting<'p> {
    rest: &'p str,
    out: String,
    binary: bool,
    /// The innermost group's last.
    flags: Vec<Flags>,
    captures: usize,
    groups: Vec<usize>,
    ends: Vec<usize>,
    /// Whether a quantifier may come now.
    repeatable: bool,
}

impl Rewriting<'_> {
    fn flags(&mut self) -> &mut Flags {
        self.flags.last_mut().expect("the pattern's own flags stay")
    }

    fn flavour(&self) -> Flavour {
        Flavour {
            binary: self.binary,
            ignore_case: self.flags.last().is_some_and(|flags| flags.ignore_case),
        }
    }

    fn take(&mut self) -> Option<char> {
        let char = self.rest.chars().next()?;
        self.rest = &self.rest[char.len_utf8()..];
        Some(char)
    }

    fn skip(&mut self, prefix: &str) -> bool {
        match self.rest.strip_prefix(prefix) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn pattern(&mut self) -> Result<(), String> {
        while self.skip("(*UCP)") || self.skip("(*UTF8)") || self.skip("(*UTF)") {}
        while let Some(char) = self.take() {
            match char {
                '\\' => self.escape()?,
                '[' => self.bracket()?,
                '(' => self.open()?,
                ')' => {
                    if self.flags.len() == 1 {
                        return Err("`)` without `(`".to_owned());
                    }
                    self.flags.pop();
                    self.put(")", true);
                }
                '|' => self.put("|", false),
                '^' => self.put("^", false),
                '$' if self.flags().many_lines => self.put("$", false),
                '$' => self.end_of_text(),
                '.' => self.put(".", true),
                '*' | '+' | '?' => self.quantifier(&char.to_string())?,
                '{' => match self.count() {
                    Some(count) => self.quantifier(&count)?,
                    None => self.literal('{'),
                },
                '#' if self.flags().extended => while self.take().is_some_and(|char| char != '\n') {},
                blank if blank.is_whitespace() && self.flags().extended => {}
                char => self.literal(char),
            }
        }
        Ok(())
    }

    fn put(&mut self, text: &str, repeatable: bool) {
        self.out.push_str(text);
        self.repeatable = repeatable;
    }

    fn literal(&mut self, char: char) {
        self.put(&regex::escape(char.encode_utf8(&mut [0; 4])), true);
    }

    /// The end, or before a line feed that is the last character. There is no look-ahead: the line feed is
    /// matched, and a group says where the match really ends.
    fn end_of_text(&mut self) {
        self.captures += 1;
        self.ends.push(self.captures);
        self.put("(?:()\\n?\\z)", false);
    }

    /// `{2}`, `{2,}` or `{2,3}`; anything else is no quantifier.
    fn count(&mut self) -> Option<String> {
        let (inner, rest) = self.rest.split_once('}')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let counts = match inner.split_once(',') {
            None => digits(inner),
            Some((least, most)) => digits(least) && (most.is_empty() || digits(most)),
        };
        counts.then(|| {
            self.rest = rest;
            format!("{{{inner}}}")
        })
    }

    fn quantifier(&mut self, text: &str) -> Result<(), String> {
        if !self.repeatable {
            return Err(format!("nothing to repeat before `{text}`"));
        }
        if self.skip("+") {
            return Err("possessive quantifiers are not supported".to_owned());
        }
        self.put(text, false);
        if self.skip("?") {
            self.put("?", false);
        }
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        let flags = *self.flags();
        if self.skip("*") {
            return Err("`(*…)` is not supported".to_owned());
        }
        if !self.skip("?") {
            self.flags.push(flags);
            self.captures += 1;
            self.groups.push(self.captures);
            self.put("(", false);
            return Ok(());
        }
        let refused = [
            ("=", "look-ahead"),
            ("!", "look-ahead"),
            ("<=", "look-behind"),
            ("<!", "look-behind"),
            (">", "atomic groups"),
            ("|", "branch reset groups"),
            ("(", "conditions"),
            ("R", "recursion"),
            ("&", "recursion"),
            ("P>", "recursion"),
            ("P=", "back-references"),
        ];
        if let Some((_, what)) = refused.iter().find(|(start, _)| self.rest.starts_with(start)) {
            return Err(format!(
                "{what} (`(?{}`) cannot be had in linear time",
                &self.rest[..1]
            ));
        }
        if self.skip("#") {
            while self.take().is_some_and(|char| char != ')') {}
            return Ok(());
        }
        let named = [("P<", '>'), ("<", '>'), ("'", '\'')];
        if let Some((_, close)) = named.iter().find(|(start, _)| self.skip(start)) {
            while self.take().is_some_and(|char| char != *close) {}
            self.flags.push(flags);
            self.captures += 1;
            self.groups.push(self.captures);
            self.put("(", false);
            return Ok(());
        }
        self.flag_group(flags)
    }

    /// `(?i)` for the rest of the group, `(?i:…)` and `(?:…)` for what stands in it.
    fn flag_group(&mut self, before: Flags) -> Result<(), String> {
        let (mut flags, mut on, mut shown) = (before, true, String::new());
        loop {
            match self.take() {
                Some('-') => {
                    on = false;
                    shown.push('-');
                }
                Some('i') => {
                    flags.ignore_case = on;
                    shown.push('i');
                }
                Some('m') => {
                    flags.many_lines = on;
                    shown.push('m');
                }
                Some(char @ ('s' | 'U')) => shown.push(char),
                Some('x') => flags.extended = on,
                Some(end @ (':' | ')')) => {
                    let shown = shown.trim_end_matches('-');
                    if end == ':' {
                        self.flags.push(flags);
                        self.put(&format!("(?{shown}:"), false);
                    } else {
                        *self.flags() = flags;
                        if !shown.is_empty() {
                            self.put(&format!("(?{shown})"), false);
                        }
                    }
                    return Ok(());
                }
                Some(other) => return Err(format!("`(?{other}` is not supported")),
                None => return Err("`(` without `)`".to_owned()),
            }
        }
    }

    fn bracket(&mut self) -> Result<(), String> {
        for (word, meaning) in [("[:<:]]", "\\b{start}"), ("[:>:]]", "\\b{end}")] {
            if self.skip(word) {
                self.put(meaning, false);
                return Ok(());
            }
        }
        let flavour = self.flavour();
        let text = class(&mut self.rest, flavour)?;
        self.put(&text, true);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), String> {
        let Some(char) = self.rest.chars().next() else {
            return Err("`\\` at the end".to_owned());
        };
        match char {
            'Q' => {
                self.take();
                let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                text.chars().for_each(|char| self.literal(char));
            }
            'E' => {
                self.take();
            }
            'A' | 'z' | 'b' | 'B' => {
                self.take();
                self.put(&format!("\\{char}"), false);
            }
            'Z' => {
                self.take();
                self.end_of_text();
            }
            'R' => {
                self.take();
                let one = escape_of(&mut "v", self.flavour(), false)?.text();
                self.put(&format!("(?:\\r\\n|{one})"), true);
            }
            'N' => {
                self.take();
                self.put("[^\\n]", true);
            }
            '1'..='9' | 'g' | 'k' if !is_octal(self.rest) => {
                return Err(format!(
                    "back-references (`\\{char}`) cannot be had in linear time"
                ));
            }
            'K' | 'G' | 'X' | 'C' => return Err(format!("`\\{char}` is not supported")),
            _ => {
                let flavour = self.flavour();
                let text = escape_of(&mut self.rest, flavour, false)?.text();
                self.put(&text, true);
            }
        }
        Ok(())
    }
}

/// Three octal digits are a character, not a back-reference.
fn is_octal(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3 && bytes[..3].iter().all(|byte| matches!(byte, b'0'..=b'7'))
}
