//! JSON as the server reads it: a text of which parts are cut out as they are written. Numbers keep their digits,
//! names may come twice, and what stands before a fault can still be looked at.

/// Deepest nesting the server reads.
const DEPTH: usize = 31;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Map,
    List,
    Text,
    Number,
    Word,
    /// The text ends or is wrong before the value does.
    Broken,
}

/// A value: where it stands and what it holds.
#[derive(Debug)]
pub(super) struct Item<'t> {
    /// Its name in a map, as written between the quotes.
    pub(super) name: Option<&'t str>,
    /// Its text.
    pub(super) text: &'t str,
    pub(super) kind: Kind,
    pub(super) items: Vec<Item<'t>>,
}

impl Item<'_> {
    /// Whether the text ends or is wrong before the value does.
    pub(super) fn is_broken(&self) -> bool {
        self.text.is_empty()
    }
}

/// A fault; only that there is one matters.
#[derive(Debug)]
pub(super) struct Fault;

/// Reads a whole text. Gives what could be read, and whether all of it is JSON.
pub(super) fn read(text: &str) -> (Item<'_>, bool) {
    let mut reader = Reader { text, at: 0 };
    let mut item = reader.item(None);
    let read = reader.value(&mut item, 0);
    reader.blanks();
    (item, read.is_ok() && reader.at == text.len())
}

/// Reads the JSON string at the beginning, whatever follows.
pub(super) fn first_string(text: &str) -> Option<&str> {
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    reader.string().ok()
}

/// Whether a single value stands at the beginning, whatever follows it.
pub(super) fn begins_with_scalar(text: &str) -> bool {
    let mut reader = Reader { text, at: 0 };
    reader.blanks();
    match reader.peek() {
        Some(b'"') => reader.string().is_ok(),
        Some(b'-' | b'0'..=b'9') => {
            let mut whole = !reader.take(b'-');
            whole |= reader.run() > 0;
            if reader.take(b'.') {
                reader.run();
            }
            if reader.take(b'e') || reader.take(b'E') {
                if !reader.take(b'+') {
                    reader.take(b'-');
                }
                whole = reader.run() > 0;
            }
            // What is no number is none only when the text ends with it, or a character beyond ASCII follows.
            let behind = text.as_bytes().get(reader.at);
            behind.map_or(whole, u8::is_ascii)
        }
        _ => ["true", "false", "null"]
            .iter()
            .any(|word| text[reader.at..].starts_with(word)),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn item(&self, name: Option<&'t str>) -> Item<'t> {
        let (text, kind, items) = ("", Kind::Broken, Vec::new());
        Item {
            name,
            text,
            kind,
            items,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    fn value(&mut self, item: &mut Item<'t>, depth: usize) -> Result<(), Fault> {
        self.blanks();
        let start = self.at;
        let kind = match self.peek().ok_or(Fault)? {
            b'{' => {
                item.kind = Kind::Map;
                self.inside(item, depth, b'}')?;
                Kind::Map
            }
            b'[' => {
                item.kind = Kind::List;
                self.inside(item, depth, b']')?;
                Kind::List
            }
            b'"' => {
                self.string()?;
                Kind::Text
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Kind::Number
            }
            _ => {
                let mut words = ["true", "false", "null"].into_iter();
                let word = words.find(|word| self.text[self.at..].starts_with(*word));
                self.at += word.ok_or(Fault)?.len();
                Kind::Word
            }
        };
        item.kind = kind;
        item.text = &self.text[start..self.at];
        Ok(())
    }

    fn inside(&mut self, item: &mut Item<'t>, depth: usize, close: u8) -> Result<(), Fault> {
        if depth >= DEPTH {
            return Err(Fault);
        }
        self.at += 1;
        self.blanks();
        if self.take(close) {
            return Ok(());
        }
        loop {
            self.blanks();
            let mut name = None;
            if close == b'}' {
                let quoted = self.string()?;
                name = Some(&quoted[1..quoted.len() - 1]);
                self.blanks();
                if !self.take(b':') {
                    return Err(Fault);
                }
            }
            let mut child = self.item(name);
            let read = self.value(&mut child, depth + 1);
            item.items.push(child);
            read?;
            self.blanks();
            if self.take(close) {
                return Ok(());
            }
            if !self.take(b',') {
                return Err(Fault);
            }
        }
    }

    /// A string with its quotes.
    fn string(&mut self) -> Result<&'t str, Fault> {
        let start = self.at;
        if !self.take(b'"') {
            return Err(Fault);
        }
        loop {
            match self.peek().ok_or(Fault)? {
                b'"' => {
                    self.at += 1;
                    return Ok(&self.text[start..self.at]);
                }
                b'\\' => {
                    self.at += 1;
                    let char = self.text[self.at..].chars().next().ok_or(Fault)?;
                    self.at += char.len_utf8();
                    if char == 'u' {
                        self.code()?;
                    }
                }
                0..0x20 => return Err(Fault),
                _ => self.at += 1,
            }
        }
    }

    /// Four digits; the first half of a pair needs the second.
    fn code(&mut self) -> Result<(), Fault> {
        let first = self.digits()?;
        match first {
            0xD800..0xDC00 => {
                if !self.text[self.at..].starts_with("\\u") {
                    return Err(Fault);
                }
                self.at += 2;
                let second = self.digits()?;
                (0xDC00..0xE000).contains(&second).then_some(()).ok_or(Fault)
            }
            0xDC00..0xE000 => Err(Fault),
            _ => Ok(()),
        }
    }

    fn digits(&mut self) -> Result<u32, Fault> {
        let digits = self.text.get(self.at..self.at + 4).ok_or(Fault)?;
        self.at += 4;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Fault);
        }
        u32::from_str_radix(digits, 16).map_err(|_| Fault)
    }

    /// As the standard has it, but a point needs no digits behind it.
    fn number(&mut self) -> Result<(), Fault> {
        self.take(b'-');
        if !self.take(b'0') && self.run() == 0 {
            return Err(Fault);
        }
        if self.take(b'.') {
            self.run();
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            if self.run() == 0 {
                return Err(Fault);
            }
        }
        match self.peek() {
            None | Some(b',' | b']' | b'}' | b' ' | b'\t' | b'\n' | b'\r') => Ok(()),
            Some(_) => Err(Fault),
        }
    }

    fn run(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }
}

/// What a JSON string with its quotes says.
pub(super) fn unquoted(string: &str) -> String {
    let mut text = String::with_capacity(string.len());
    let mut chars = string[1..string.len() - 1].chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            text.push(char);
            continue;
        }
        match chars.next() {
            Some('b') => text.push('\u{8}'),
            Some('f') => text.push('\u{c}'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let mut unit = || {
                    let digits: String = chars.by_ref().take(4).collect();
                    u16::from_str_radix(&digits, 16).unwrap_or(0)
                };
                let first = unit();
                let mut units = vec![first];
                if (0xD800..0xDC00).contains(&first) {
                    // `\u`, then the second half; reading has made sure of it.
                    chars.next();
                    chars.next();
                    let digits: String = chars.by_ref().take(4).collect();
                    units.push(u16::from_str_radix(&digits, 16).unwrap_or(0));
                }
                text.push_str(&String::from_utf16_lossy(&units));
            }
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

/// The same JSON with one blank behind each comma and colon and none elsewhere.
pub(super) fn spaced(json: &str, out: &mut String) {
    let mut quoted = false;
    let mut chars = json.chars();
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                quoted = !quoted;
                out.push('"');
            }
            '\\' if quoted => {
                out.push('\\');
                out.extend(chars.next());
            }
            ' ' | '\t' | '\n' | '\r' if !quoted => {}
            ',' | ':' if !quoted => {
                out.push(char);
                out.push(' ');
            }
            _ => out.push(char),
        }
    }
}
