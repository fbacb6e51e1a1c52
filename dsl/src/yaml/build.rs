//! From the parser's events to nodes, within bounds, with every trap on the way reported.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle};

use super::frame::{Content, Frame, Key, Size};
use super::problems::Problems;
use super::{MAX_ANCHORS, MAX_BYTES, MAX_DEPTH, MAX_EXPANDED, MAX_NODES};
use super::{Node, NodeKind, Pair, Reading, Scalar, Style, explain, pieces, spans, traps, wide};
use crate::catalogue::{Entry, yaml as words};
use crate::diagnostic::{Diagnostic, SourceFile};

/// Takes the bytes of a file, which must be UTF-8.
pub fn decode(name: &str, bytes: Vec<u8>) -> Result<Arc<SourceFile>, Vec<Diagnostic>> {
    String::from_utf8(bytes)
        .map(|text| SourceFile::new(name, text))
        .map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
            let width = lossy[at..].chars().next().map_or(0, char::len_utf8);
            vec![Diagnostic::new(
                &words::NOT_UTF8,
                &SourceFile::new(name, lossy),
                at..at + width,
            )]
        })
}

/// Reads a file in which nothing is wrong: one document in the subset of YAML that the format allows.
pub fn read(file: &Arc<SourceFile>) -> Result<Node, Vec<Diagnostic>> {
    let Reading { node, problems } = read_all(file);
    match node {
        Some(node) if problems.is_empty() => Ok(node),
        _ => Err(problems),
    }
}

/// Reads a file as far as possible, so that what the keys mean can be checked in the same pass.
pub fn read_all(file: &Arc<SourceFile>) -> Reading {
    match Builder::new(file).run() {
        Ok((node, mut problems)) => {
            problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
            Reading {
                node: Some(node),
                problems,
            }
        }
        Err(alone) => Reading {
            node: None,
            problems: vec![*alone],
        },
    }
}

/// A problem after which nothing more can be said about the file.
type Alone = Box<Diagnostic>;

struct Builder<'a> {
    file: &'a Arc<SourceFile>,
    source: &'a str,
    problems: Problems,
    open: Vec<Frame>,
    anchors: HashMap<usize, (Node, Size)>,
    anchor_count: usize,
    alias_count: usize,
    total: Size,
    root: Option<Node>,
    /// What an expression that was cut at a comma still covers: keys and items before this byte are parts of it.
    swallowed: usize,
    /// Line and column where the event began, both from 1: counting them again would cost as much as the file is long.
    at: (usize, usize),
}

impl<'a> Builder<'a> {
    fn new(file: &'a Arc<SourceFile>) -> Self {
        Builder {
            file,
            source: &file.text,
            problems: Problems::default(),
            open: Vec::new(),
            anchors: HashMap::new(),
            anchor_count: 0,
            alias_count: 0,
            total: Size::default(),
            root: None,
            swallowed: 0,
            at: (1, 1),
        }
    }

    fn run(mut self) -> Result<(Node, Vec<Diagnostic>), Alone> {
        self.check_text()?;
        let mut options = Options::default();
        options.emit_unresolved_aliases = true;
        options.disallow_directives = true;
        // One more than ours, so that our own message names the place.
        options.flow_nesting_limit = MAX_DEPTH + 2;
        options.block_nesting_limit = MAX_DEPTH + 2;
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(self.source, options) {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => return Err(self.refuse(&error)),
            };
            if matches!(event, Event::DocumentStart(..)) {
                documents += 1;
            }
            if documents > 1 {
                return Err(self.alone(&words::DOCUMENTS, self.bytes(&span)));
            }
            self.event(event, &span)?;
        }
        match self.root {
            Some(root) => Ok((root, self.problems.into_list(self.file))),
            None => Err(self.alone(&words::EMPTY_FILE, 0..0)),
        }
    }

    /// Size and characters, before the parser sees them.
    fn check_text(&self) -> Result<(), Alone> {
        if self.source.len() > MAX_BYTES {
            let problem = Diagnostic::new(&words::TOO_LARGE, self.file, 0..0);
            return Err(Box::new(
                problem.with("size", self.source.len()).with("max", MAX_BYTES),
            ));
        }
        let mut chars = self.source.char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            let fine = match char {
                '\n' | '\t' => true,
                '\r' => matches!(chars.peek(), Some((_, '\n'))),
                '\u{feff}' => at == 0,
                _ => !char.is_control() && !matches!(char, '\u{fffe}' | '\u{ffff}'),
            };
            if !fine {
                let problem = Diagnostic::new(&words::CONTROL, self.file, at..at + char.len_utf8());
                return Err(Box::new(
                    problem.with("char", format_args!("U+{:04X}", u32::from(char))),
                ));
            }
        }
        Ok(())
    }

    /// The parser stopped. A trap found on the same line is the better explanation.
    fn refuse(&mut self, error: &granit_parser::ScanError) -> Alone {
        let at = error
            .marker()
            .byte_offset()
            .unwrap_or(self.source.len())
            .min(self.source.len());
        let line = self.file.position(at).0;
        match self.problems.pop() {
            Some(trap) if trap.position().0 == line && is_trap(trap.entry) => Box::new(trap),
            _ => {
                let bracket = self
                    .open
                    .iter()
                    .rev()
                    .find(|frame| frame.flow)
                    .map(|frame| frame.start);
                Box::new(explain::explain(self.file, at, bracket, error))
            }
        }
    }

    /// The one place where the parser's places become bytes of the file.
    fn bytes(&self, span: &Span) -> Range<usize> {
        let end = self.source.len();
        let range = span.byte_range().unwrap_or(0..end);
        range.start.min(end)..range.end.clamp(range.start, end)
    }

    fn alone(&self, entry: &'static Entry, span: Range<usize>) -> Alone {
        Box::new(Diagnostic::new(entry, self.file, span))
    }

    /// Notes a problem, except inside of what was already explained as a whole.
    fn note(&mut self, problem: Diagnostic) {
        let explained = self.open.iter().any(|frame| frame.placeholder.is_some());
        if !explained && problem.span.start >= self.swallowed {
            self.problems.push(problem);
        }
    }

    fn problem(&self, entry: &'static Entry, span: Range<usize>) -> Diagnostic {
        Diagnostic::new(entry, self.file, span)
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Alone> {
        self.at = (span.start.line(), span.start.col() + 1);
        let bytes = self.bytes(span);
        if let Some(tag) = event.tag() {
            let place = span.tag_span().map_or(bytes.clone(), |span| self.bytes(&span));
            let problem = self.problem(&words::TAG, place).with("tag", tag.original());
            self.note(problem);
        }
        match event {
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, bytes),
            Event::Alias(id) => self.alias(id, bytes),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, bytes),
            Event::MappingStart(style, anchor, _) => self.open(style, anchor, bytes, true),
            Event::SequenceStart(style, anchor, _) => self.open(style, anchor, bytes, false),
            Event::MappingEnd | Event::SequenceEnd => self.close(bytes),
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        style: StructureStyle,
        anchor: usize,
        span: Range<usize>,
        map: bool,
    ) -> Result<(), Alone> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Box::new(self.problem(&words::DEPTH, span).with("max", MAX_DEPTH)));
        }
        self.count_anchor(anchor, &span)?;
        let flow = style == StructureStyle::Flow;
        let placeholder = (map && flow && self.source[span.start..].starts_with("{{"))
            .then(|| traps::braces_end(self.source, span.start));
        if let Some(end) = placeholder {
            let problem = explain::placeholder(self.file, span.start..end);
            self.note(problem);
        }
        if self.wants_key() && placeholder.is_none() && !self.inside_placeholder() {
            let problem = self.problem(&words::KEY_KIND, span.clone());
            self.note(problem);
        }
        let content = match map {
            true => Content::Map {
                pairs: Vec::new(),
                known: HashMap::new(),
                key: None,
            },
            false => Content::List(Vec::new()),
        };
        self.open.push(Frame {
            start: spans::start(self.source, span.start, flow, map),
            anchor,
            flow,
            placeholder,
            size: Size::default(),
            content,
        });
        Ok(())
    }

    fn close(&mut self, span: Range<usize>) -> Result<(), Alone> {
        let frame = self.open.pop().expect("the parser ends only what it began");
        let node = match (frame.placeholder, frame.content) {
            (Some(end), _) => self.plain(frame.start..end),
            (None, Content::List(items)) => {
                let end = spans::end(
                    &span,
                    frame.flow,
                    items.last().map(|item| item.span.end),
                    frame.start,
                );
                Node {
                    span: frame.start..end,
                    kind: NodeKind::List(items),
                }
            }
            (None, Content::Map { pairs, .. }) => {
                let end = spans::end(
                    &span,
                    frame.flow,
                    pairs.last().map(|pair| pair.value.span.end),
                    frame.start,
                );
                Node {
                    span: frame.start..end,
                    kind: NodeKind::Map(pairs),
                }
            }
        };
        let size = Size {
            nodes: frame.size.nodes + 1,
            bytes: frame.size.bytes,
            height: frame.size.height + 1,
        };
        self.put(
            node,
            size,
            Size {
                nodes: 1,
                ..Size::default()
            },
            frame.anchor,
        )
    }

    /// A plain scalar that holds exactly these bytes of the file: what was most likely meant by a faulty place.
    fn plain(&self, span: Range<usize>) -> Node {
        let text = self.source[span.clone()].to_owned();
        let pieces = pieces::trace(self.source, &span, Style::Plain, &text);
        Node {
            span,
            kind: NodeKind::Scalar(Scalar {
                text,
                style: Style::Plain,
                pieces,
            }),
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        span: Range<usize>,
    ) -> Result<(), Alone> {
        self.count_anchor(anchor, &span)?;
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        if style == Style::Plain && span.is_empty() {
            return self.nothing(span, anchor);
        }
        let span = match style {
            Style::Literal | Style::Folded => spans::block(self.source, &span),
            _ => span,
        };
        let size = Size {
            nodes: 1,
            bytes: text.len(),
            height: 0,
        };
        if self.wants_key() {
            return self.key(text.to_owned(), style, span, size);
        }
        let mut node = None;
        if style == Style::Plain && traps::is_computed(text) {
            node = self.cut_expression(text, &span);
        } else if style == Style::Plain {
            let flow = self.open.last().is_some_and(|frame| frame.flow);
            if let Some(problem) = wide::value(self.file, text, &span, flow) {
                self.note(problem);
            }
        }
        let node = node.unwrap_or_else(|| {
            let pieces = pieces::trace(self.source, &span, style, text);
            Node {
                span,
                kind: NodeKind::Scalar(Scalar {
                    text: text.to_owned(),
                    style,
                    pieces,
                }),
            }
        });
        self.put(node, size, size, anchor)
    }

    /// An unquoted expression that YAML ended too early, put together again.
    fn cut_expression(&mut self, text: &str, span: &Range<usize>) -> Option<Node> {
        let next = self.source[span.end..].trim_start_matches([' ', '\t']);
        let flow = self.open.last().is_some_and(|frame| frame.flow);
        let end = traps::meant_end(self.source, span.start);
        if flow && next.starts_with(',') && end > span.end {
            let problem = self.problem(&words::FUNCTION_SPLIT, span.start..end.max(span.end));
            self.note(problem);
        } else if let Some(comment) =
            traps::comment_after(self.source, span.end).filter(|_| !traps::is_whole(text))
        {
            let problem = self.problem(&words::FUNCTION_COMMENT, comment);
            self.note(problem);
        } else {
            return None;
        }
        self.swallowed = self.swallowed.max(end);
        Some(self.plain(span.start..end.max(span.end)))
    }

    /// A place where YAML allows nothing to stand and the format does not.
    fn nothing(&mut self, span: Range<usize>, anchor: usize) -> Result<(), Alone> {
        let problem = match self.open.last().map(|frame| &frame.content) {
            Some(Content::Map {
                key: Some(Key(Some((key, key_span)))),
                ..
            }) => {
                let rest = self.source[key_span.end..].trim_start_matches([' ', '\t']);
                let entry = if rest.starts_with(':') {
                    &words::EMPTY_VALUE
                } else {
                    &words::BARE_KEY
                };
                let bare = || self.problem(entry, key_span.clone()).with("key", key);
                let wide = wide::colon(self.file, key_span).filter(|_| !rest.starts_with(':'));
                Some(wide.unwrap_or_else(bare))
            }
            Some(Content::Map {
                key: Some(Key(None)), ..
            }) => None,
            Some(Content::Map { key: None, .. }) => {
                self.note(self.problem(&words::KEY_KIND, span));
                self.set_key(Key(None));
                return Ok(());
            }
            Some(Content::List(items)) => {
                let frame = self.open.last().expect("its content was just looked at");
                let from = items.last().map_or(frame.start, |item| item.span.end);
                let dash = if frame.flow {
                    span.start
                } else {
                    spans::skip_blank(self.source, from)
                };
                let end = dash + self.source[dash..].chars().next().map_or(0, char::len_utf8);
                Some(self.problem(&words::EMPTY_ITEM, dash..end))
            }
            None => return Ok(()),
        };
        if let Some(problem) = problem {
            self.note(problem);
        }
        let kind = NodeKind::Scalar(Scalar {
            text: "null".to_owned(),
            style: Style::Plain,
            pieces: Box::default(),
        });
        let size = Size {
            nodes: 1,
            ..Size::default()
        };
        self.put(Node { span, kind }, size, size, anchor)
    }

    fn alias(&mut self, id: usize, span: Range<usize>) -> Result<(), Alone> {
        self.count_alias(&span)?;
        if self.wants_key() {
            self.note(self.problem(&words::KEY_KIND, span));
            self.set_key(Key(None));
            return Ok(());
        }
        let Some((node, size)) = self.anchors.get(&id) else {
            let name = self.source[span.clone()].trim_start_matches('*').to_owned();
            return Err(Box::new(self.problem(&words::RECURSIVE, span).with("name", name)));
        };
        let (node, size) = (node.clone(), *size);
        if self.open.len() + size.height > MAX_DEPTH {
            return Err(Box::new(self.problem(&words::DEPTH, span).with("max", MAX_DEPTH)));
        }
        self.put(node, size, size, 0).map_err(|mut problem| {
            problem.span = span;
            problem
        })
    }

    fn unknown_alias(&mut self, name: &str, span: Range<usize>) -> Result<(), Alone> {
        self.count_alias(&span)?;
        let problem = self
            .problem(&words::UNKNOWN_ALIAS, span.clone())
            .with("name", name);
        self.note(problem);
        if self.wants_key() {
            self.set_key(Key(None));
            return Ok(());
        }
        let node = self.plain(span);
        let size = Size {
            nodes: 1,
            bytes: name.len(),
            height: 0,
        };
        self.put(node, size, size, 0)
    }

    fn key(&mut self, key: String, style: Style, span: Range<usize>, size: Size) -> Result<(), Alone> {
        self.total.add(size);
        self.bounds(&span)?;
        if let Some(frame) = self.open.last_mut() {
            frame.size.add(size);
        }
        if span.start < self.swallowed {
            self.set_key(Key(None));
            return Ok(());
        }
        if style == Style::Plain
            && let Some(problem) = wide::key(self.file, &key, &span)
        {
            // Indented so, it stands on no level at all: what follows from that is not worth telling.
            if key.starts_with(['\u{3000}', '\u{a0}']) {
                return Err(Box::new(problem));
            }
            self.note(problem);
        }
        if style == Style::Plain && key == "<<" {
            self.note(self.problem(&words::MERGE_KEY, span));
            self.set_key(Key(None));
            return Ok(());
        }
        if style == Style::Plain && traps::is_computed(&key) {
            let colon = self.source[span.end..]
                .find(':')
                .map_or(span.clone(), |at| span.end + at..span.end + at + 1);
            self.note(self.problem(&words::FUNCTION_COLON, colon));
            // The rest of the line belonged to the expression, and the whole map was one text.
            let line = self.source[span.start..].lines().next().unwrap_or("");
            let end = span.start + line.trim_end().len();
            self.swallowed = end;
            if let Some(frame) = self.open.last_mut().filter(|frame| frame.start == span.start) {
                frame.placeholder = Some(end);
            }
            self.set_key(Key(None));
            return Ok(());
        }
        let first = match self.open.last_mut().map(|frame| &mut frame.content) {
            Some(Content::Map { known, .. }) => match known.get(&key) {
                Some(first) => Some(*first),
                None => {
                    known.insert(key.clone(), self.at);
                    None
                }
            },
            _ => None,
        };
        if let Some(first) = first {
            let (line, column) = first;
            let problem = self.problem(&words::DUPLICATE, span).with("key", &key);
            self.note(problem.with("line", line).with("column", column));
            self.set_key(Key(None));
            return Ok(());
        }
        self.set_key(Key(Some((key, span))));
        Ok(())
    }

    fn set_key(&mut self, new: Key) {
        if let Some(Frame {
            content: Content::Map { key, .. },
            ..
        }) = self.open.last_mut()
        {
            *key = Some(new);
        }
    }

    fn wants_key(&self) -> bool {
        matches!(
            self.open.last(),
            Some(Frame {
                content: Content::Map { key: None, .. },
                ..
            })
        )
    }

    fn inside_placeholder(&self) -> bool {
        self.open.iter().any(|frame| frame.placeholder.is_some())
    }

    /// Puts a finished node where it belongs. `new` is what it adds: the members of a list or map were counted before.
    fn put(&mut self, node: Node, size: Size, new: Size, anchor: usize) -> Result<(), Alone> {
        self.total.add(new);
        self.bounds(&node.span)?;
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let swallowed = node.span.end <= self.swallowed && node.span.start > 0;
        let Some(frame) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.size.add(size);
        match &mut frame.content {
            Content::List(items) => {
                let part = swallowed && items.last().is_some_and(|last| last.span.end >= node.span.end);
                if !part {
                    items.push(node);
                }
            }
            Content::Map { pairs, key, .. } => match key.take() {
                Some(Key(Some((key, key_span)))) => pairs.push(Pair {
                    key,
                    key_span,
                    value: node,
                }),
                Some(Key(None)) => {}
                None => *key = Some(Key(None)),
            },
        }
        Ok(())
    }

    fn bounds(&self, span: &Range<usize>) -> Result<(), Alone> {
        if self.total.nodes > MAX_NODES || self.total.bytes > MAX_EXPANDED {
            return Err(Box::new(
                self.problem(&words::NODES, span.clone()).with("max", MAX_NODES),
            ));
        }
        Ok(())
    }

    fn count_anchor(&mut self, anchor: usize, span: &Range<usize>) -> Result<(), Alone> {
        self.anchor_count += usize::from(anchor > 0);
        self.bound_anchors(self.anchor_count, span)
    }

    fn count_alias(&mut self, span: &Range<usize>) -> Result<(), Alone> {
        self.alias_count += 1;
        self.bound_anchors(self.alias_count, span)
    }

    fn bound_anchors(&self, count: usize, span: &Range<usize>) -> Result<(), Alone> {
        if count > MAX_ANCHORS {
            return Err(Box::new(
                self.problem(&words::ANCHORS, span.clone())
                    .with("max", MAX_ANCHORS),
            ));
        }
        Ok(())
    }
}

/// Whether a syntax error further on the same line is a consequence of this problem.
fn is_trap(entry: &Entry) -> bool {
    [
        &words::PLACEHOLDER,
        &words::FUNCTION_SPLIT,
        &words::FUNCTION_COMMENT,
        &words::FUNCTION_COLON,
        &words::UNKNOWN_ALIAS,
    ]
    .iter()
    .any(|trap| trap.code == entry.code)
}
