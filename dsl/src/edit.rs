//! One value of a YAML text is changed; everything else stays byte for byte: comments, quoting, line ends.
//!
//! The change is made in the text, at the span of the value, and then read back: what comes out is the text whose
//! values are those of the old one with exactly this one changed, or an error. Whether the scheme still makes sense is
//! asked of the compiler afterwards.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, SourceFile};
use crate::value::{Map, Value};
use crate::yaml::{Node, NodeKind, Pair, Style, emit, read_all};

/// A part of a text and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The bytes that go.
    pub span: Range<usize>,
    /// What comes.
    pub text: String,
}

impl Edit {
    /// A part and its replacement.
    pub fn new(span: Range<usize>, text: &str) -> Self {
        Edit {
            span,
            text: text.to_owned(),
        }
    }
}

/// The text with its edits, which do not overlap; of two at one place the first comes first.
pub fn apply(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        out.push_str(text.get(at..edit.span.start).unwrap_or_default());
        out.push_str(&edit.text);
        at = edit.span.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// Deepest path: as deep as a file may be.
const DEEPEST: usize = crate::yaml::MAX_DEPTH;

/// Why a value was not changed.
#[derive(Debug)]
pub enum NotSet {
    /// The text is no YAML.
    Unreadable(Vec<Diagnostic>),
    /// The path leads nowhere, or to what stands in several places at once (an alias or its anchor).
    NoPlace,
    /// The value cannot be written there so that it is read as the same.
    Unwritable,
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step(String);

impl Step {
    fn index(&self) -> Option<usize> {
        let is_plain = self.0.bytes().all(|byte| byte.is_ascii_digit()) && self.0.len() <= 9;
        is_plain.then(|| self.0.parse().ok()).flatten()
    }
}

/// `source.window.overlap`, `target.request.FEntity[0].FQty`; a name with a dot is written `a\.b`. Or a JSON pointer,
/// `/source/window/overlap`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let steps: Vec<Step> = match path.strip_prefix('/') {
        Some(pointer) => pointer
            .split('/')
            .map(|part| Step(part.replace("~1", "/").replace("~0", "~")))
            .collect(),
        None => dotted(path)?,
    };
    let is_good = (1..=DEEPEST).contains(&steps.len()) && steps.iter().all(|step| !step.0.is_empty());
    is_good.then_some(steps)
}

fn dotted(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut name = String::new();
    let mut chars = path.chars();
    // Behind `]` a step has ended already.
    let mut is_closed = false;
    while let Some(char) = chars.next() {
        match char {
            '\\' => name.push(chars.next()?),
            '.' | '[' => {
                if !is_closed || !name.is_empty() {
                    steps.push(Step(std::mem::take(&mut name)));
                }
                is_closed = false;
                if char == '[' {
                    let digits: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    let step = Step(digits);
                    step.index()?;
                    steps.push(step);
                    is_closed = true;
                }
            }
            char => name.push(char),
        }
    }
    if !is_closed || !name.is_empty() {
        steps.push(Step(name));
    }
    Some(steps)
}

/// The text with one value changed, or a key added to a map that is there.
pub fn set(file: &Arc<SourceFile>, path: &str, value: &Value) -> Result<String, NotSet> {
    let before = read_all(file);
    let errors = count_errors(&before.problems);
    let Some(root) = before.node else {
        return Err(NotSet::Unreadable(before.problems));
    };
    let steps = steps(path).ok_or(NotSet::NoPlace)?;
    let mut model = root.plain_value();
    put(&mut model, &steps, value).ok_or(NotSet::NoPlace)?;
    let text = change(&file.text, &root, &steps, value)?;
    let after = read_all(&SourceFile::new(file.name.as_str(), text.as_str()));
    let is_same = after.node.is_some_and(|node| node.plain_value() == model);
    if is_same && count_errors(&after.problems) <= errors {
        Ok(text)
    } else {
        Err(NotSet::Unwritable)
    }
}

fn count_errors(problems: &[Diagnostic]) -> usize {
    problems.iter().filter(|one| one.is_error()).count()
}

/// The same change in the values.
fn put(root: &mut Value, steps: &[Step], value: &Value) -> Option<()> {
    let (last, path) = steps.split_last()?;
    let mut place = root;
    for step in path {
        place = match place {
            Value::Map(map) => map.get_mut(&step.0)?,
            Value::List(items) => items.get_mut(step.index()?)?,
            _ => return None,
        };
    }
    match place {
        Value::Map(map) => {
            map.insert(last.0.clone(), value.clone());
        }
        Value::List(items) => *items.get_mut(last.index()?)? = value.clone(),
        _ => return None,
    }
    Some(())
}

/// Where a value hangs.
enum Hook<'n> {
    Member(&'n Pair),
    Item,
}

fn change(text: &str, root: &Node, steps: &[Step], value: &Value) -> Result<String, NotSet> {
    let mut node = root;
    let mut hook = Hook::Item;
    for (nth, step) in steps.iter().enumerate() {
        match &node.kind {
            NodeKind::Map(pairs) => match pairs.iter().find(|pair| pair.key == step.0) {
                Some(pair) => {
                    is_alone(text, pair.key_span.end, &pair.value)?;
                    hook = Hook::Member(pair);
                    node = &pair.value;
                }
                None if nth + 1 == steps.len() => return add(text, node, pairs, &step.0, value),
                None => return Err(NotSet::NoPlace),
            },
            NodeKind::List(items) => {
                let index = step.index().ok_or(NotSet::NoPlace)?;
                let item = items.get(index).ok_or(NotSet::NoPlace)?;
                let behind = match index.checked_sub(1).and_then(|index| items.get(index)) {
                    Some(earlier) => earlier.end_in(text),
                    None => node.span.start,
                };
                is_alone(text, behind, item)?;
                hook = Hook::Item;
                node = item;
            }
            NodeKind::Scalar(_) => return Err(NotSet::NoPlace),
        }
    }
    if node.is_partly_before(node.span.start) {
        return Err(NotSet::NoPlace);
    }
    replace(text, node, &hook, value)
}

/// Refuses an alias, which has the place of what it stands for, and an anchor, which others stand for.
fn is_alone(text: &str, behind: usize, node: &Node) -> Result<(), NotSet> {
    let between = text.get(behind..node.span.start).ok_or(NotSet::NoPlace)?;
    let mut lines = between.lines().map(|line| line.split('#').next().unwrap_or(line));
    let has_anchor = lines.any(|line| line.contains('&')) || text[node.span.clone()].starts_with('&');
    if has_anchor { Err(NotSet::NoPlace) } else { Ok(()) }
}

fn replace(text: &str, node: &Node, hook: &Hook<'_>, value: &Value) -> Result<String, NotSet> {
    let is_block = node.scalar().is_none() && !node.is_flow_in(text);
    let span = node.span.start..node.end_in(text);
    if !is_block {
        return Ok(spliced(text, span, &in_place(node, value)?));
    }
    let indent = column(text, span.start);
    let is_single = !matches!(value, Value::Map(map) if !map.is_empty())
        && !matches!(value, Value::List(items) if !items.is_empty());
    match hook {
        // Behind a dash, or a block in place of a block.
        Hook::Item | Hook::Member(_) if !is_single => {
            let block = emit::block(value, indent).map_err(|_| NotSet::Unwritable)?;
            Ok(spliced(text, span, block.trim_start()))
        }
        Hook::Item => Ok(spliced(text, span, &flow(value)?)),
        Hook::Member(pair) => {
            // Behind the colon, before a comment on its line; the lines of the block go.
            let colon = text[pair.key_span.end..].find(':').ok_or(NotSet::NoPlace)? + pair.key_span.end + 1;
            let line_end = text[colon..].find(['\r', '\n']).ok_or(NotSet::NoPlace)? + colon;
            let mut out = text[..colon].to_owned();
            out.push(' ');
            out.push_str(&flow(value)?);
            out.push_str(&text[colon..line_end]);
            out.push_str(&text[span.end..]);
            Ok(out)
        }
    }
}

/// A value where a single value or one in braces stood, quoted as it was.
fn in_place(node: &Node, value: &Value) -> Result<String, NotSet> {
    let (Some(scalar), Value::Text(new)) = (node.scalar(), value) else {
        return flow(value);
    };
    let is_one_line = !new.chars().any(char::is_control);
    match scalar.style {
        Style::Single if is_one_line => Ok(format!("'{}'", new.replace('\'', "''"))),
        Style::Double if is_one_line => Ok(format!("\"{}\"", new.replace('\\', "\\\\").replace('"', "\\\""))),
        Style::Plain if is_bare(new) => Ok(new.clone()),
        _ => flow(value),
    }
}

/// Durations, numbers of documents and the like, which authors write without quotes. What looks like a number or a word
/// of YAML is read back as something else and gets its quotes from the writer.
fn is_bare(text: &str) -> bool {
    let begins = text.starts_with(|first: char| first.is_ascii_digit());
    begins
        && text.chars().any(char::is_alphabetic)
        && text
            .chars()
            .all(|char| char.is_alphanumeric() || "_-".contains(char))
}

fn add(text: &str, node: &Node, pairs: &[Pair], name: &str, value: &Value) -> Result<String, NotSet> {
    let member = Value::Map(Map::from_iter([(name.to_owned(), value.clone())]));
    if node.is_flow_in(text) {
        let flow = flow(&member)?;
        // Without its own braces, which are one byte each.
        let inner = flow.get(1..flow.len() - 1).ok_or(NotSet::Unwritable)?;
        let (at, before) = match pairs.last() {
            Some(last) => (last.value.end_in(text), ", "),
            None => (node.span.start + 1, ""),
        };
        if pairs
            .last()
            .is_some_and(|last| last.value.span.start < last.key_span.end)
        {
            return Err(NotSet::NoPlace);
        }
        return Ok(spliced(text, at..at, &format!("{before}{inner}")));
    }
    let (first, last) = pairs.first().zip(pairs.last()).ok_or(NotSet::NoPlace)?;
    let indent = column(text, first.key_span.start);
    let block = emit::block(&member, indent).map_err(|_| NotSet::Unwritable)?;
    let end = end_of(text, last);
    let end = text[end..].find(['\r', '\n']).map_or(text.len(), |at| at + end);
    Ok(spliced(text, end..end, &format!("\n{block}")))
}

/// Where the text of a pair ends. An alias has the place of what it stands for; its own line ends it.
fn end_of(text: &str, pair: &Pair) -> usize {
    fn of_node(text: &str, node: &Node) -> usize {
        let below = match &node.kind {
            NodeKind::Map(pairs) => pairs.last().map(|last| end_of(text, last)),
            NodeKind::List(items) => items.last().map(|last| of_node(text, last)),
            NodeKind::Scalar(_) => None,
        };
        node.end_in(text).max(below.unwrap_or_default())
    }
    let is_alias = pair.value.span.start < pair.key_span.end;
    if is_alias {
        pair.key_span.end
    } else {
        of_node(text, &pair.value)
    }
}

fn flow(value: &Value) -> Result<String, NotSet> {
    emit::flow(value).map_err(|_| NotSet::Unwritable)
}

/// The column of a place, in characters that are as wide as blanks.
fn column(text: &str, at: usize) -> usize {
    let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
    text[line..at].chars().count()
}

/// The text with a part replaced, in the line ends of the text.
fn spliced(text: &str, part: Range<usize>, new: &str) -> String {
    let new = if text.contains("\r\n") {
        new.replace('\n', "\r\n")
    } else {
        new.to_owned()
    };
    format!("{}{new}{}", &text[..part.start], &text[part.end..])
}

#[cfg(test)]
mod tests;
