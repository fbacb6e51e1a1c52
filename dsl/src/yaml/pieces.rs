//! From a byte of decoded text back to the byte of the file.
//!
//! The parser gives decoded text and the place of the whole scalar. Here the source of the scalar is decoded once
//! more into pieces, each a run of bytes that stand in the file as they are, or one escape or fold. If the result is
//! not the parser's text, there is no trace: a message then marks the whole value, which is coarse but never wrong.

use std::ops::Range;

use super::Style;

/// A stretch of decoded text and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins in the decoded text.
    text: usize,
    /// Its length there.
    length: usize,
    /// Its bytes in the file.
    file: Range<usize>,
}

impl Piece {
    /// Whether the bytes of the file are the bytes of the text.
    fn is_verbatim(&self) -> bool {
        self.length == self.file.len()
    }

    fn end(&self) -> usize {
        self.text + self.length
    }
}

/// Where bytes of the text stand in the file.
pub(super) fn locate(pieces: &[Piece], text: &Range<usize>) -> Option<Range<usize>> {
    let first = pieces
        .iter()
        .find(|piece| text.start < piece.end())
        .or(pieces.last())?;
    let start = if first.is_verbatim() {
        first.file.start + text.start.saturating_sub(first.text).min(first.length)
    } else if text.start >= first.end() {
        first.file.end
    } else {
        first.file.start
    };
    if text.end <= text.start {
        return Some(start..start);
    }
    let last = pieces
        .iter()
        .find(|piece| text.end <= piece.end())
        .or(pieces.last())?;
    let end = if last.is_verbatim() {
        last.file.start + text.end.saturating_sub(last.text).min(last.length)
    } else {
        last.file.end
    };
    Some(start..end.max(start))
}

/// Traces `text`, which the parser decoded from `span` of `source`. Empty when it cannot be traced.
pub(super) fn trace(source: &str, span: &Range<usize>, style: Style, text: &str) -> Box<[Piece]> {
    let inner = match style {
        Style::Single | Style::Double => span.start + 1..span.end.saturating_sub(1).max(span.start + 1),
        _ => span.clone(),
    };
    let Some(written) = source.get(inner.clone()) else {
        return Box::default();
    };
    // Most texts stand on one line as they are.
    if written == text && !written.is_empty() && !written.contains(['\n', '\\', '\'']) {
        return Box::new([Piece {
            text: 0,
            length: text.len(),
            file: inner,
        }]);
    }
    let mut tracer = Tracer {
        source,
        text: String::with_capacity(text.len()),
        pieces: Vec::new(),
    };
    match style {
        Style::Plain | Style::Single | Style::Double => tracer.flow(inner, style),
        Style::Literal | Style::Folded => tracer.block(inner, text),
    }
    if tracer.text == text {
        tracer.pieces.into()
    } else {
        Box::default()
    }
}

/// What a backslash stands for in `"…"`, and how many bytes it takes with all that belongs to it. `None`: no escape.
pub(super) fn escape(source: &str) -> Option<(char, usize)> {
    let simple = |char| Some((char, 2));
    match *source.as_bytes().get(1)? {
        b'0' => simple('\0'),
        b'a' => simple('\u{7}'),
        b'b' => simple('\u{8}'),
        b't' | b'\t' => simple('\t'),
        b'n' => simple('\n'),
        b'v' => simple('\u{b}'),
        b'f' => simple('\u{c}'),
        b'r' => simple('\r'),
        b'e' => simple('\u{1b}'),
        b' ' => simple(' '),
        b'"' => simple('"'),
        b'/' => simple('/'),
        b'\\' => simple('\\'),
        b'N' => simple('\u{85}'),
        b'_' => simple('\u{a0}'),
        b'L' => simple('\u{2028}'),
        b'P' => simple('\u{2029}'),
        b'x' => Some((char::from_u32(hex(source, 2, 2)?)?, 4)),
        b'U' => Some((char::from_u32(hex(source, 2, 8)?)?, 10)),
        b'u' => unicode(source),
        _ => None,
    }
}

/// `\uXXXX`, or two of them that make a surrogate pair.
fn unicode(source: &str) -> Option<(char, usize)> {
    let first = hex(source, 2, 4)?;
    if let Some(char) = char::from_u32(first) {
        return Some((char, 6));
    }
    let second = source
        .get(6..8)
        .filter(|text| *text == "\\u")
        .and_then(|_| hex(source, 8, 4))?;
    let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    let high = first.checked_sub(0xd800).filter(|high| *high < 0x400)?;
    Some((char::from_u32(0x10000 + (high << 10) + low)?, 12))
}

fn hex(source: &str, start: usize, digits: usize) -> Option<u32> {
    let digits = source.get(start..start + digits)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())?
}

struct Tracer<'a> {
    source: &'a str,
    text: String,
    pieces: Vec<Piece>,
}

impl Tracer<'_> {
    /// Bytes that stand in the file as they are.
    fn verbatim(&mut self, file: Range<usize>) {
        if file.is_empty() {
            return;
        }
        let text = self.text.len();
        self.text.push_str(&self.source[file.clone()]);
        match self.pieces.last_mut() {
            Some(last) if last.is_verbatim() && last.file.end == file.start => {
                last.length += file.len();
                last.file.end = file.end;
            }
            _ => self.pieces.push(Piece {
                text,
                length: file.len(),
                file,
            }),
        }
    }

    /// Text that the file writes in another way.
    fn written(&mut self, text: &str, file: Range<usize>) {
        if text.is_empty() {
            return;
        }
        self.pieces.push(Piece {
            text: self.text.len(),
            length: text.len(),
            file,
        });
        self.text.push_str(text);
    }

    /// The lines of a range, without their breaks.
    fn lines(&self, range: &Range<usize>) -> Vec<Range<usize>> {
        let mut lines = Vec::new();
        let mut start = range.start;
        for line in self.source[range.clone()].split('\n') {
            let end = start + line.strip_suffix('\r').unwrap_or(line).len();
            lines.push(start..end);
            start += line.len() + 1;
        }
        lines
    }

    /// Plain and quoted text: a break is a blank, each further one a line break.
    fn flow(&mut self, range: Range<usize>, style: Style) {
        let lines = self.lines(&range);
        let last = lines.len() - 1;
        let mut breaks = 0;
        let mut break_start = range.start;
        let mut joined = false;
        for (number, line) in lines.into_iter().enumerate() {
            let mut content = line.clone();
            if number > 0 {
                content.start += blanks_at_start(&self.source[content.clone()]);
            }
            let continued =
                style == Style::Double && number < last && ends_with_escape(&self.source[content.clone()]);
            if continued {
                content.end -= 1;
            } else if number < last {
                content.end = content.start + trimmed(&self.source[content.clone()], style);
            }
            if number > 0 {
                breaks += 1;
            }
            if content.is_empty() && !continued && number > 0 && number < last {
                continue;
            }
            if breaks > 0 {
                let fold = if breaks > 1 {
                    "\n".repeat(breaks - 1)
                } else if joined {
                    String::new()
                } else {
                    " ".into()
                };
                self.written(&fold, break_start..content.start);
            }
            breaks = 0;
            joined = continued;
            break_start = content.end;
            match style {
                Style::Single => self.single(content),
                Style::Double => self.double(content),
                _ => self.verbatim(content),
            }
        }
    }

    fn single(&mut self, content: Range<usize>) {
        let mut at = content.start;
        while let Some(quote) = self.source[at..content.end].find("''") {
            self.verbatim(at..at + quote);
            self.written("'", at + quote..at + quote + 2);
            at += quote + 2;
        }
        self.verbatim(at..content.end);
    }

    fn double(&mut self, content: Range<usize>) {
        let mut at = content.start;
        while let Some(slash) = self.source[at..content.end].find('\\') {
            self.verbatim(at..at + slash);
            at += slash;
            let Some((char, length)) = escape(&self.source[at..content.end]) else {
                return;
            };
            self.written(char.encode_utf8(&mut [0; 4]), at..at + length);
            at += length;
        }
        self.verbatim(at..content.end);
    }

    /// `|` and `>`: the lines below the header, without their common indentation. Which breaks are kept is the
    /// parser's knowledge, so they are taken from its text.
    fn block(&mut self, range: Range<usize>, text: &str) {
        let Some(header) = self.source[range.clone()].find('\n') else {
            return;
        };
        let lines = self.lines(&(range.start + header + 1..range.end));
        let indents = lines
            .iter()
            .map(|line| &self.source[line.clone()])
            .filter(|line| !line.trim_matches(' ').is_empty());
        let Some(indent) = indents
            .map(|line| line.len() - line.trim_start_matches(' ').len())
            .min()
        else {
            return;
        };
        let mut gap_start = range.start + header;
        for line in lines {
            let content = (line.start + indent).min(line.end)..line.end;
            let mut wanted = &self.source[content.clone()];
            if wanted.is_empty() {
                continue;
            }
            let rest = &text[self.text.len()..];
            let gap = rest.bytes().take_while(|byte| matches!(byte, b' ' | b'\n'));
            let gap = (0..=gap.count()).find(|gap| rest[*gap..].starts_with(wanted));
            let Some(gap) = gap else {
                // A line of blanks only may belong to the breaks.
                wanted = wanted.trim_matches(' ');
                if wanted.is_empty() {
                    continue;
                }
                return;
            };
            let breaks = rest[..gap].to_owned();
            self.written(&breaks, gap_start..content.start);
            gap_start = content.end;
            self.verbatim(content);
        }
        let rest = text[self.text.len()..].to_owned();
        if rest.bytes().all(|byte| byte == b'\n') {
            self.written(&rest, gap_start..range.end.max(gap_start));
        }
    }
}

fn blanks_at_start(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}

/// The length of a line without the blanks at its end; an escaped blank stays.
fn trimmed(line: &str, style: Style) -> usize {
    let short = line.trim_end_matches([' ', '\t']);
    let escaped = style == Style::Double && ends_with_escape(short) && short.len() < line.len();
    short.len() + usize::from(escaped)
}

/// Whether the last byte is a backslash that is not itself escaped.
fn ends_with_escape(line: &str) -> bool {
    line.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}
