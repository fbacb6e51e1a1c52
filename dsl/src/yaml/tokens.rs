//! The pieces of a file that its layout is made of: words, punctuation and comments, each with its bytes, and the
//! levels of indentation they stand on.
//!
//! Only for files that were read without an error. Between two pieces there are blanks and line ends, nothing else.

use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, StructureStyle};

use super::{Style, spans};

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Its bytes, quotes included. Of a `|` or `>` text from the sign to the last line that is part of it.
    pub(crate) span: Range<usize>,
    /// What it is.
    pub(crate) kind: TokenKind,
    /// The level of indentation it stands on; of a key or a dash the level it makes.
    pub(crate) level: Option<usize>,
    /// The first bracket of the braces it stands in, as the number of that piece. The first one has its own number.
    pub(crate) bracket: Option<usize>,
}

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// The name of a member.
    Key(Style),
    /// A value.
    Scalar(Style),
    /// `-` before an element.
    Dash,
    /// `:` behind a name.
    Colon,
    /// `,`
    Comma,
    /// `{` or `[`
    Open,
    /// `}` or `]`
    Close,
    /// `&name`
    Anchor,
    /// `*name`
    Alias,
    /// From `#` to the end of its line.
    Comment,
    /// `---` or `...`
    Marker,
}

/// A map or list that is written by indentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// The one around it.
    pub(crate) parent: Option<usize>,
}

/// All pieces in order.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    /// The pieces.
    pub(crate) all: Vec<Token>,
    /// The levels of indentation.
    pub(crate) levels: Vec<Level>,
}

/// The pieces of a text; `None` for what this module does not know: explicit keys (`? `) and what the reader refuses.
pub(crate) fn tokens(source: &str) -> Option<Tokens> {
    let mut options = Options::default();
    options.emit_unresolved_aliases = true;
    options.emit_comments = false;
    let mut scan = Scan {
        source,
        at: if source.starts_with('\u{feff}') {
            '\u{feff}'.len_utf8()
        } else {
            0
        },
        open: Vec::new(),
        found: Tokens::default(),
    };
    for event in Parser::new_from_str_with_options(source, options) {
        let (event, span) = event.ok()?;
        let span = span.byte_range()?;
        let span = span.start.min(source.len())..span.end.min(source.len());
        match event {
            Event::Scalar(_, style, _, tag) if tag.is_none() => scan.scalar(style_of(style), span)?,
            Event::Alias(_) => {
                scan.item()?;
                scan.up_to(span.start)?;
                scan.push(span, TokenKind::Alias, None);
                scan.member();
            }
            Event::MappingStart(style, _, tag) if tag.is_none() => scan.open(style, true, span.start)?,
            Event::SequenceStart(style, _, tag) if tag.is_none() => scan.open(style, false, span.start)?,
            Event::MappingEnd | Event::SequenceEnd => scan.close(span.end)?,
            Event::Scalar(..) | Event::MappingStart(..) | Event::SequenceStart(..) => return None,
            Event::UnresolvedAlias(_) => return None,
            _ => {}
        }
    }
    scan.up_to(source.len())?;
    Some(scan.found)
}

fn style_of(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::Single,
        ScalarStyle::DoubleQuoted => Style::Double,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

/// A `|` or `>` text with the lines of blanks behind it that are part of it: those that are longer than its indentation.
fn with_blanks(source: &str, span: Range<usize>) -> Range<usize> {
    let text = &source[span.clone()];
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let content = text.lines().skip(1).find(|line| !line.trim().is_empty());
    let Some(least) = content.map(indent) else {
        return span;
    };
    let mut end = span.end;
    let mut line_start = source[end..].find('\n').map_or(source.len(), |at| end + at + 1);
    for line in source[line_start..].split_inclusive('\n') {
        let blanks = line.trim_end_matches(['\r', '\n']);
        if !blanks.trim_matches(' ').is_empty() {
            break;
        }
        if blanks.len() > least {
            end = line_start + blanks.len();
        }
        line_start += line.len();
    }
    span.start..end
}

/// A map or list that is not over.
struct Frame {
    is_map: bool,
    is_flow: bool,
    /// In a map: a name comes next.
    wants_key: bool,
    level: Option<usize>,
    bracket: Option<usize>,
}

struct Scan<'s> {
    source: &'s str,
    at: usize,
    open: Vec<Frame>,
    found: Tokens,
}

impl Scan<'_> {
    fn level(&self) -> Option<usize> {
        self.open.last().and_then(|frame| frame.level)
    }

    fn push(&mut self, span: Range<usize>, kind: TokenKind, bracket: Option<usize>) {
        self.at = span.end;
        self.found.all.push(Token {
            span,
            kind,
            level: self.level(),
            bracket: bracket.or_else(|| self.open.last().and_then(|frame| frame.bracket)),
        });
    }

    /// The next piece that is no value, if it begins before `end`.
    fn next(&mut self, end: usize) -> Option<Option<TokenKind>> {
        let rest = &self.source[self.at..];
        let from = self.at + rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if from >= end {
            self.at = self.at.max(end);
            return Some(None);
        }
        let rest = &self.source[from..];
        let line = rest.lines().next().unwrap_or_default();
        let begins_line = from == 0 || self.source[..from].ends_with(['\n', '\u{feff}']);
        let is_alone = |width: usize| line[width..].is_empty() || line[width..].starts_with([' ', '\t']);
        let (kind, width) = match rest.as_bytes().first()? {
            b'#' => (TokenKind::Comment, line.trim_end().len()),
            b'-' if begins_line && line.starts_with("---") && is_alone(3) => (TokenKind::Marker, 3),
            b'.' if begins_line && line.starts_with("...") && is_alone(3) => (TokenKind::Marker, 3),
            b'-' if is_alone(1) => (TokenKind::Dash, 1),
            b':' => (TokenKind::Colon, 1),
            b',' => (TokenKind::Comma, 1),
            b'{' | b'[' => (TokenKind::Open, 1),
            b'}' | b']' => (TokenKind::Close, 1),
            b'&' => {
                let name = line.find([' ', '\t', ',', '[', ']', '{', '}']);
                (TokenKind::Anchor, name.unwrap_or(line.len()))
            }
            _ => return None,
        };
        self.push(from..from + width, kind, None);
        Some(Some(kind))
    }

    fn up_to(&mut self, end: usize) -> Option<()> {
        while self.next(end)?.is_some() {}
        Some(())
    }

    /// Before an element of an indented list there is its dash.
    fn item(&mut self) -> Option<()> {
        if self
            .open
            .last()
            .is_some_and(|frame| !frame.is_map && !frame.is_flow)
        {
            while self.next(self.source.len())?? != TokenKind::Dash {}
        }
        Some(())
    }

    /// A name or a value of a map was read.
    fn member(&mut self) {
        if let Some(frame) = self.open.last_mut().filter(|frame| frame.is_map) {
            frame.wants_key = !frame.wants_key;
        }
    }

    fn scalar(&mut self, style: Style, span: Range<usize>) -> Option<()> {
        self.item()?;
        if style == Style::Plain && span.is_empty() {
            self.member();
            return Some(());
        }
        let span = match style {
            Style::Literal | Style::Folded => with_blanks(self.source, spans::block(self.source, &span)),
            Style::Plain => span.start..span.start + self.source[span.clone()].trim_end().len(),
            _ => span,
        };
        self.up_to(span.start)?;
        let is_key = self
            .open
            .last()
            .is_some_and(|frame| frame.is_map && frame.wants_key);
        let kind = match is_key {
            true => TokenKind::Key(style),
            false => TokenKind::Scalar(style),
        };
        self.push(span, kind, None);
        self.member();
        Some(())
    }

    fn open(&mut self, style: StructureStyle, is_map: bool, start: usize) -> Option<()> {
        self.item()?;
        let is_flow = style == StructureStyle::Flow;
        let mut level = self.level();
        let mut bracket = self.open.last().and_then(|frame| frame.bracket);
        if is_flow {
            self.up_to(start)?;
            if self.source[start..].starts_with(['{', '[']) {
                bracket = bracket.or(Some(self.found.all.len()));
                self.push(start..start + 1, TokenKind::Open, bracket);
            }
        } else {
            self.found.levels.push(Level { parent: level });
            level = Some(self.found.levels.len() - 1);
        }
        self.member();
        self.open.push(Frame {
            is_map,
            is_flow,
            wants_key: is_map,
            level,
            bracket,
        });
        Some(())
    }

    fn close(&mut self, end: usize) -> Option<()> {
        if self.open.last()?.is_flow {
            let bracket = self.source[..end].ends_with(['}', ']']);
            if bracket {
                self.up_to(end)?;
            }
        }
        self.open.pop();
        Some(())
    }
}
