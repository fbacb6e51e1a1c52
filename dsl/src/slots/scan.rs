//! One pass over a row: every byte is judged as [`crate::json::parse`] judges it, what is read goes into slots, all else
//! is passed over.
//!
//! The scanner takes no row that the plain reader refuses, and of some that it would take it says that they are
//! [`Unusual`]: then the plain evaluator does them. So that names are neither read nor searched, each map that is looked
//! into remembers the names of the rows before: as long as they come in that order, one comparison of bytes says which
//! slot a member belongs to, and that no name stands there twice.

use super::raw::{Escapes, Kind, NO_FRAME, Raw, hex4};
use crate::json::MAX_DEPTH;

/// A row, or a part of one, that is left to the plain evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unusual;

/// Names that one map remembers: a map with more has names that are data.
const MOST_NAMES: usize = 256;
/// Bytes of a row: what is larger is no matter of microseconds, and its places need more than 32 bits at some point.
pub(super) const MOST_BYTES: usize = 1 << 20;

/// What is read of rows, as a tree of names.
#[derive(Debug, Clone)]
pub(super) struct Spec {
    pub(super) nodes: Vec<Node>,
    /// Slots of the row's own frame.
    pub(super) width: u32,
}

/// One place that is read, or leads to one.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Its number in its frame; 0 is the row or the line itself.
    pub(super) slot: u32,
    pub(super) members: Vec<(Box<str>, u32)>,
    /// Where it is a list that is walked: the node of its lines, and how many slots each has.
    pub(super) lines: Option<Lines>,
}

/// The lines of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    pub(super) node: u32,
    pub(super) width: u32,
}

/// No node: nothing is read there.
const SKIP: u32 = u32::MAX;

impl Spec {
    pub(super) fn new() -> Spec {
        Spec {
            nodes: vec![Node {
                slot: 0,
                members: Vec::new(),
                lines: None,
            }],
            width: 1,
        }
    }
}

/// The slots of some rows, frame behind frame, and the names that maps remember. A frame is a head and its slots.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    pub(super) raws: Vec<Raw>,
    shapes: Vec<Vec<Name>>,
    /// The names of the maps that are open, where they have to be compared.
    names: Vec<(u32, u32)>,
}

#[derive(Debug, Clone)]
struct Name {
    /// With its quotes.
    text: Box<[u8]>,
    /// Its first sixteen bytes as a number, and which of them it has.
    head: u128,
    mask: u128,
    node: u32,
}

impl Name {
    fn new(text: &[u8], node: u32) -> Name {
        let mut head = [0; 16];
        let length = text.len().min(16);
        head[..length].copy_from_slice(&text[..length]);
        let mut mask = [0; 16];
        mask[..length].fill(0xff);
        Name {
            text: text.into(),
            head: u128::from_le_bytes(head),
            mask: u128::from_le_bytes(mask),
            node,
        }
    }

    /// Whether `rest` begins with it.
    #[inline]
    fn begins(&self, rest: &[u8]) -> bool {
        match rest.first_chunk::<16>() {
            Some(first) => {
                let same = u128::from_le_bytes(*first) & self.mask == self.head;
                same && (self.text.len() <= 16 || rest.starts_with(&self.text))
            }
            None => rest.starts_with(&self.text),
        }
    }
}

impl Slots {
    /// Forgets the rows, not the names.
    pub(super) fn clear(&mut self) {
        self.raws.clear();
    }

    /// Reads a row; gives the place of its frame.
    pub(super) fn scan(&mut self, spec: &Spec, row: &str) -> Result<u32, Unusual> {
        if row.len() > MOST_BYTES {
            return Err(Unusual);
        }
        self.shapes.resize(spec.nodes.len(), Vec::new());
        self.names.clear();
        let base = self.raws.len();
        let frame = u32::try_from(base).map_err(|_| Unusual)?;
        self.raws.resize(base + 1 + spec.width as usize, Raw::MISSING);
        let mut scan = Scan {
            bytes: row.as_bytes(),
            at: 0,
            depth: 0,
            spec,
            slots: self,
        };
        let done = scan.value(0, base).and_then(|()| {
            scan.blanks();
            if scan.at == scan.bytes.len() {
                Ok(())
            } else {
                Err(Unusual)
            }
        });
        if done.is_err() {
            self.raws.truncate(base);
        }
        done.map(|()| frame)
    }
}

struct Scan<'s> {
    bytes: &'s [u8],
    at: usize,
    depth: usize,
    spec: &'s Spec,
    slots: &'s mut Slots,
}

type Done = Result<(), Unusual>;

impl Scan<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Reads a value; where a node is given, its slot in the frame at `base` gets it.
    #[inline]
    fn value(&mut self, node: u32, base: usize) -> Done {
        self.blanks();
        let start = self.at;
        let (kind, escapes, inside) = match self.peek() {
            Some(b'"') => {
                let escapes = self.string()?;
                (Kind::Text, escapes, 1)
            }
            Some(b'{') => {
                self.nested(|scan| scan.map(node, base))?;
                (Kind::Map, Escapes::None, 0)
            }
            Some(b'[') => {
                let first = self.list_at(node, base)?;
                if node != SKIP {
                    self.put(node, base, Kind::List, Escapes::None, start, self.at, first);
                }
                return Ok(());
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                (Kind::Number, Escapes::None, 0)
            }
            Some(b't') => (self.word(b"true", Kind::True)?, Escapes::None, 0),
            Some(b'f') => (self.word(b"false", Kind::False)?, Escapes::None, 0),
            Some(b'n') => (self.word(b"null", Kind::Null)?, Escapes::None, 0),
            _ => return Err(Unusual),
        };
        if node != SKIP {
            self.put(
                node,
                base,
                kind,
                escapes,
                start + inside,
                self.at - inside,
                NO_FRAME,
            );
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "a row has at most MOST_BYTES")]
    #[expect(clippy::too_many_arguments, reason = "they are the fields of a slot")]
    #[inline]
    fn put(
        &mut self,
        node: u32,
        base: usize,
        kind: Kind,
        escapes: Escapes,
        start: usize,
        end: usize,
        first: u32,
    ) {
        let slot = self.spec.nodes[node as usize].slot as usize;
        self.slots.raws[base + 1 + slot] = Raw {
            kind,
            escapes,
            start: start as u32,
            end: end as u32,
            first,
        };
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unusual>) -> Result<T, Unusual> {
        if self.depth == MAX_DEPTH {
            return Err(Unusual);
        }
        self.depth += 1;
        self.at += 1;
        let read = read(self)?;
        self.depth -= 1;
        Ok(read)
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<Kind, Unusual> {
        if !self.bytes[self.at..].starts_with(word) {
            return Err(Unusual);
        }
        self.at += word.len();
        Ok(kind)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`, and nothing behind it that could belong to a number.
    fn number(&mut self) -> Done {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leads = self.peek();
        let whole = self.digits();
        if whole == 0 || (leads == Some(b'0') && whole > 1) {
            return Err(Unusual);
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(Unusual);
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(Unusual);
            }
        }
        match self.peek() {
            Some(b'+' | b'-' | b'.' | b'e' | b'E' | b'0'..=b'9') => Err(Unusual),
            _ => Ok(()),
        }
    }

    /// A text; reading stands at its first quote and then behind its last.
    #[inline]
    fn string(&mut self) -> Result<Escapes, Unusual> {
        self.at += 1;
        let mut escapes = Escapes::None;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(escapes);
                }
                Some(b'\\') => escapes = self.escape(escapes)?,
                _ => return Err(Unusual),
            }
        }
    }

    /// Goes to the next quote, backslash or control character, eight bytes at a time.
    #[inline]
    fn plain(&mut self) {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const HIGHS: u64 = 0x8080_8080_8080_8080;
        // In the lowest byte that is found these are exact, and only that one counts.
        let zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
        while let Some(chunk) = self.bytes.get(self.at..self.at + 8) {
            let word = u64::from_le_bytes(chunk.try_into().unwrap_or_default());
            let found = zero(word ^ (ONES * u64::from(b'"')))
                | zero(word ^ (ONES * u64::from(b'\\')))
                | (word.wrapping_sub(ONES * 0x20) & !word & HIGHS);
            if found != 0 {
                self.at += (found.trailing_zeros() / 8) as usize;
                return;
            }
            self.at += 8;
        }
        while let Some(byte) = self.peek() {
            if byte < 0x20 || byte == b'"' || byte == b'\\' {
                return;
            }
            self.at += 1;
        }
    }

    fn escape(&mut self, so_far: Escapes) -> Result<Escapes, Unusual> {
        let (length, ours) = match self.bytes.get(self.at + 1) {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => (2, true),
            Some(b'/') => (2, false),
            Some(b'u') => {
                let first = hex4(self.bytes, self.at + 2).ok_or(Unusual)?;
                match first {
                    0xd800..0xdc00 => {
                        let pair = self.bytes.get(self.at + 6..self.at + 8) == Some(b"\\u");
                        let second = hex4(self.bytes, self.at + 8).ok_or(Unusual)?;
                        if !pair || !(0xdc00..0xe000).contains(&second) {
                            return Err(Unusual);
                        }
                        (12, false)
                    }
                    0xdc00..0xe000 => return Err(Unusual),
                    _ => (6, false),
                }
            }
            _ => return Err(Unusual),
        };
        self.at += length;
        Ok(match (ours, so_far) {
            (true, Escapes::None | Escapes::Ours) => Escapes::Ours,
            _ => Escapes::Others,
        })
    }

    /// The name of a member with its quotes; one with escapes is unusual, because it may be another one's equal.
    fn name(&mut self) -> Result<(usize, usize), Unusual> {
        let start = self.at;
        if self.peek() != Some(b'"') || self.string()? != Escapes::None {
            return Err(Unusual);
        }
        Ok((start, self.at))
    }

    #[inline]
    fn colon(&mut self) -> Done {
        if self.peek() != Some(b':') {
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(Unusual);
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Whether another member or element follows.
    #[inline]
    fn follows(&mut self, close: u8) -> Result<bool, Unusual> {
        self.blanks();
        let byte = self.peek().ok_or(Unusual)?;
        self.at += 1;
        match byte {
            b',' => Ok(true),
            byte if byte == close => Ok(false),
            _ => Err(Unusual),
        }
    }

    fn map(&mut self, node: u32, base: usize) -> Done {
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        if node != SKIP && !self.spec.nodes[node as usize].members.is_empty() {
            let begin = self.at;
            if self.remembered(node, base)? {
                return Ok(());
            }
            self.at = begin;
        }
        self.compared(node, base)
    }

    /// A map whose names come in the order that is remembered. What is new among them is remembered, too; `false` where a
    /// name comes out of order, or again.
    fn remembered(&mut self, node: u32, base: usize) -> Result<bool, Unusual> {
        let map = node as usize;
        let mut next = 0;
        loop {
            self.blanks();
            let rest = &self.bytes[self.at..];
            let shape = &self.slots.shapes[map];
            let known = shape[next..].iter().position(|name| name.begins(rest));
            let below = if let Some(ahead) = known {
                let name = &shape[next + ahead];
                self.at += name.text.len();
                next += ahead + 1;
                name.node
            } else {
                let (start, end) = self.name()?;
                let text = &self.bytes[start..end];
                let shape = &mut self.slots.shapes[map];
                if shape.len() >= MOST_NAMES || shape.iter().any(|name| *name.text == *text) {
                    return Ok(false);
                }
                let below = member(self.spec, node, text);
                shape.insert(next, Name::new(text, below));
                next += 1;
                below
            };
            self.colon()?;
            self.value(below, base)?;
            if !self.follows(b'}')? {
                return Ok(true);
            }
        }
    }

    /// A map whose names are compared with each other.
    fn compared(&mut self, node: u32, base: usize) -> Done {
        let mine = self.slots.names.len();
        loop {
            self.blanks();
            let (start, end) = self.name()?;
            let text = &self.bytes[start..end];
            let others = &self.slots.names[mine..];
            let again = others
                .iter()
                .any(|(start, end)| self.bytes[*start as usize..*end as usize] == *text);
            if again || others.len() >= MOST_NAMES {
                return Err(Unusual);
            }
            #[expect(clippy::cast_possible_truncation, reason = "a row has at most MOST_BYTES")]
            self.slots.names.push((start as u32, end as u32));
            let below = member(self.spec, node, text);
            self.colon()?;
            self.value(below, base)?;
            if !self.follows(b'}')? {
                self.slots.names.truncate(mine);
                return Ok(());
            }
        }
    }

    /// A list; gives the frame of its first line where it is walked.
    fn list_at(&mut self, node: u32, _base: usize) -> Result<u32, Unusual> {
        let lines = match node {
            SKIP => None,
            node => self.spec.nodes[node as usize].lines,
        };
        self.nested(|scan| scan.list(lines))
    }

    fn list(&mut self, lines: Option<Lines>) -> Result<u32, Unusual> {
        let (mut first, mut last) = (NO_FRAME, NO_FRAME);
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(first);
        }
        loop {
            match lines {
                Some(lines) => {
                    let base = self.slots.raws.len();
                    let frame = u32::try_from(base).map_err(|_| Unusual)?;
                    self.slots
                        .raws
                        .resize(base + 1 + lines.width as usize, Raw::MISSING);
                    match last {
                        NO_FRAME => first = frame,
                        last => self.slots.raws[last as usize].first = frame,
                    }
                    last = frame;
                    self.value(lines.node, base)?;
                }
                None => self.value(SKIP, 0)?,
            }
            if !self.follows(b']')? {
                return Ok(first);
            }
        }
    }
}

/// The node of a member, from its name with quotes.
fn member(spec: &Spec, node: u32, quoted: &[u8]) -> u32 {
    if node == SKIP {
        return SKIP;
    }
    let name = &quoted[1..quoted.len() - 1];
    let members = &spec.nodes[node as usize].members;
    let found = members.iter().find(|(member, _)| member.as_bytes() == name);
    found.map_or(SKIP, |(_, node)| *node)
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
