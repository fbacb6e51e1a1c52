//! A document as YAML that a person would have written: one member a line, Chinese labels as comments, in columns of
//! their own; what was left out stands in a comment where it would have stood.

use dsl::yaml::{self, emit};
use dsl::{SourceFile, Value};

use crate::map::Document;

/// What stands behind a name.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// A text; quoted where YAML needs it.
    Text(String),
    /// Written already.
    Raw(String),
    /// Members.
    Map(Vec<Item>),
    /// Elements.
    Seq(Vec<Body>),
    /// Data, as it is.
    Data(Value),
}

/// A member.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) key: String,
    pub(crate) body: Body,
    /// Told behind it.
    pub(crate) label: String,
    /// The place of the input it came from.
    pub(crate) at: Option<String>,
    /// Why it stands in a comment.
    pub(crate) off: Option<String>,
    /// An empty line in front.
    pub(crate) apart: bool,
}

impl Item {
    pub(crate) fn new(key: impl Into<String>, body: Body) -> Item {
        Item {
            key: key.into(),
            body,
            label: String::new(),
            at: None,
            off: None,
            apart: false,
        }
    }

    pub(crate) fn text(key: impl Into<String>, text: impl Into<String>) -> Item {
        Item::new(key, Body::Text(text.into()))
    }

    pub(crate) fn raw(key: impl Into<String>, text: impl Into<String>) -> Item {
        Item::new(key, Body::Raw(text.into()))
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Item {
        self.label = label.into();
        self
    }

    pub(crate) fn at(mut self, at: impl Into<String>) -> Item {
        self.at = Some(at.into());
        self
    }

    pub(crate) fn off(mut self, why: impl Into<String>) -> Item {
        self.off = Some(why.into());
        self
    }

    pub(crate) fn apart(mut self) -> Item {
        self.apart = true;
        self
    }
}

/// A name that other systems give: one that begins with `$` is ours unless it is doubled.
pub(crate) fn data_name(name: &str) -> String {
    match name.starts_with('$') {
        true => format!("${name}"),
        false => name.to_owned(),
    }
}

/// Names with dots mean members of members; those that begin alike are put together.
pub(crate) fn unfolded(items: Vec<Item>) -> Vec<Item> {
    let mut all: Vec<Item> = Vec::new();
    for item in items {
        let Some((front, back)) = item.key.split_once('.') else {
            all.push(item);
            continue;
        };
        let is_path = item
            .key
            .split('.')
            .all(|part| !part.is_empty() && !part.starts_with([' ', '$']));
        if !is_path || item.key.split('.').count() > crate::MAX_DEPTH {
            all.push(item);
            continue;
        }
        let (front, back) = (front.to_owned(), back.to_owned());
        let mut inner = item;
        inner.key = back;
        let there = all
            .iter_mut()
            .find(|known| known.key == front && known.off.is_none());
        match there.map(|known| &mut known.body) {
            Some(Body::Map(members)) => {
                members.push(inner);
                *members = unfolded(std::mem::take(members));
            }
            _ => all.push(Item::new(front, Body::Map(unfolded(vec![inner])))),
        }
    }
    all
}

/// The text of a file, and the place of the input that each line came from.
pub(crate) struct Written {
    pub(crate) text: String,
    pub(crate) origins: Vec<Option<String>>,
}

#[derive(Debug, Clone)]
struct Line {
    indent: usize,
    text: String,
    label: String,
    at: Option<String>,
    is_off: bool,
    apart: bool,
}

/// Columns that a comment may begin at; behind longer lines it stands two blanks behind.
const COMMENT_AT: usize = 72;

/// Writes a document.
pub(crate) fn write(document: &Document) -> Written {
    let mut lines = Vec::new();
    items(&document.items, 0, None, false, &mut lines);
    let mut text = String::new();
    let mut origins = Vec::new();
    for line in &document.head {
        text.push_str(&format!("# {line}\n"));
        origins.push(None);
    }
    let mut start = 0;
    while start < lines.len() {
        // Comments of lines beside each other begin in one column.
        let same = |line: &Line| line.indent == lines[start].indent && !line.apart;
        let more = lines[start + 1..].iter().take_while(|line| same(line)).count();
        let block = &lines[start..=start + more];
        let labelled = block.iter().filter(|line| !line.label.is_empty() && !line.is_off);
        let column = labelled
            .map(|line| width(line) + 2)
            .filter(|width| *width <= COMMENT_AT)
            .max()
            .unwrap_or(0);
        for line in block {
            if line.apart {
                text.push('\n');
                origins.push(None);
            }
            let pad = " ".repeat(line.indent);
            let mark = if line.is_off { "# " } else { "" };
            text.push_str(&format!("{pad}{mark}{}", line.text));
            if !line.label.is_empty() {
                let own = width(line);
                let blanks = if line.is_off {
                    2
                } else {
                    column.saturating_sub(own).max(2)
                };
                text.push_str(&format!("{}# {}", " ".repeat(blanks), line.label));
            }
            text.push('\n');
            origins.push(line.at.clone());
        }
        start += more + 1;
    }
    Written { text, origins }
}

fn width(line: &Line) -> usize {
    let wide = |char: char| if char as u32 >= 0x2e80 { 2 } else { 1 };
    line.indent + line.text.chars().map(wide).sum::<usize>()
}

fn items(all: &[Item], indent: usize, at: Option<&str>, is_off: bool, lines: &mut Vec<Line>) {
    for item in all {
        let at = item.at.as_deref().or(at);
        // A map of which everything stands in comments would be empty.
        let is_hollow = is_hollow(item);
        let off = is_off || item.off.is_some() || is_hollow && !NEEDED.contains(&item.key.as_str());
        let label = match &item.off {
            Some(why) if !item.label.is_empty() => format!("{} — {why}", item.label),
            Some(why) => why.clone(),
            None => item.label.clone(),
        };
        let key = key(&item.key);
        let mut push = |text: String| {
            lines.push(Line {
                indent,
                text,
                label: one_line(&label),
                at: at.map(str::to_owned),
                is_off: off,
                apart: item.apart,
            });
        };
        match &item.body {
            Body::Map(inner) if !inner.is_empty() => {
                push(format!("{key}:{}", if is_hollow && !off { " {}" } else { "" }));
                items(inner, indent + 2, at, off, lines);
            }
            Body::Seq(inner) if !inner.iter().all(|body| inline(body).is_some()) => {
                push(format!("{key}:"));
                seq(inner, indent + 2, at, off, lines);
            }
            Body::Data(value) => match data(value, indent + 2) {
                Some(text) if !text.starts_with('\n') => push(format!("{key}: {}", text.trim_start())),
                Some(text) => {
                    push(format!("{key}:"));
                    for line in text.lines().filter(|line| !line.is_empty()) {
                        let inner = line.trim_start();
                        lines.push(Line {
                            indent: line.len() - inner.len(),
                            text: inner.to_owned(),
                            label: String::new(),
                            at: at.map(str::to_owned),
                            is_off: off,
                            apart: false,
                        });
                    }
                }
                None => {}
            },
            body => push(format!("{key}: {}", inline(body).unwrap_or_default())),
        }
    }
}

/// Members that must be there, be it empty.
const NEEDED: [&str; 4] = ["request", "$do", "source", "target"];

/// Whether nothing of a map is left but comments.
fn is_hollow(item: &Item) -> bool {
    match &item.body {
        Body::Map(inner) => {
            !inner.is_empty()
                && inner
                    .iter()
                    .all(|item| item.off.is_some() || is_hollow(item) && !NEEDED.contains(&item.key.as_str()))
        }
        _ => false,
    }
}

fn seq(all: &[Body], indent: usize, at: Option<&str>, is_off: bool, lines: &mut Vec<Line>) {
    for body in all {
        match body {
            Body::Map(inner) => {
                let first = lines.len();
                items(inner, indent + 2, at, is_off, lines);
                // The dash takes the place of two blanks in front of the first member that is none of comments.
                let dash = lines[first..].iter().position(|line| is_off || !line.is_off);
                if let Some(line) = dash.and_then(|dash| lines.get_mut(first + dash)) {
                    line.indent = indent;
                    line.text = format!("- {}", line.text);
                }
            }
            body => lines.push(Line {
                indent,
                text: format!("- {}", inline(body).unwrap_or_default()),
                label: String::new(),
                at: at.map(str::to_owned),
                is_off,
                apart: false,
            }),
        }
    }
}

/// A body on one line; `None` when it needs lines of its own.
fn inline(body: &Body) -> Option<String> {
    Some(match body {
        Body::Text(text) => scalar(text),
        Body::Raw(text) => text.clone(),
        Body::Map(items) if items.is_empty() => "{}".to_owned(),
        Body::Map(_) | Body::Data(_) => return None,
        Body::Seq(items) => {
            let items: Option<Vec<String>> = items
                .iter()
                .map(|item| match item {
                    Body::Text(text) => Some(in_flow(text)),
                    Body::Raw(text) => Some(text.clone()),
                    _ => None,
                })
                .collect();
            format!("[{}]", items?.join(", "))
        }
    })
}

/// Data that is only kept. Numbers that YAML would read as texts become texts; characters that no file may have go.
fn data(value: &Value, indent: usize) -> Option<String> {
    emit::member(&tame(value), indent).ok()
}

fn tame(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(
            map.iter()
                .map(|(name, value)| (clean(name), tame(value)))
                .collect(),
        ),
        Value::List(items) => Value::List(items.iter().map(tame).collect()),
        Value::Text(text) => Value::from(clean(text).as_str()),
        number @ Value::Number(text) => match emit::flow(number) {
            Ok(_) => number.clone(),
            Err(_) => Value::from(text.as_str()),
        },
        other => other.clone(),
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .filter(|char| !matches!(char, '\u{fffe}' | '\u{ffff}' | '\u{feff}'))
        .collect()
}

/// Comments are one line.
fn one_line(text: &str) -> String {
    let fine = |char: char| {
        if char.is_control()
            || matches!(
                char,
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{85}'
            )
        {
            ' '
        } else {
            char
        }
    };
    text.chars().map(fine).collect::<String>().trim().to_owned()
}

fn key(name: &str) -> String {
    let plain = name.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '$'))
        && name
            .chars()
            .all(|char| char.is_alphanumeric() || "_-.$".contains(char))
        && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
            .contains(&name.to_ascii_lowercase().as_str());
    match plain {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn quoted(text: &str) -> String {
    emit::flow(&Value::from(clean(text).as_str())).map_or_else(
        |_| "\"\"".to_owned(),
        |text| match text.starts_with('"') {
            true => text,
            false => format!("\"{text}\""),
        },
    )
}

/// A text as the value of a member: without quotes where the reader gives back exactly this text.
pub(crate) fn scalar(text: &str) -> String {
    reads_as(text, |written| format!("k: {written}\n"))
}

/// The same within `[…]` and `{…}`.
pub(crate) fn in_flow(text: &str) -> String {
    reads_as(text, |written| format!("k: {{k: {written}}}\n"))
}

fn reads_as(text: &str, frame: impl Fn(&str) -> String) -> String {
    let is_plain = !text.is_empty()
        && !text.contains(['\n', '\r', '\t'])
        && text.trim() == text
        && !text.chars().any(char::is_control);
    if is_plain {
        let file = SourceFile::new("", frame(text));
        let reading = yaml::read_all(&file);
        let outer = reading.node.as_ref().and_then(|node| node.get("k"));
        let inner = outer.map(|pair| pair.value.get("k").map_or(&pair.value, |pair| &pair.value));
        let same =
            inner.is_some_and(|node| node.plain_value() == Value::from(text) && node.scalar().is_some());
        let elsewhere = ["y", "n", "yes", "no", "on", "off"].contains(&text.to_ascii_lowercase().as_str());
        if same && reading.problems.is_empty() && !elsewhere {
            return text.to_owned();
        }
    }
    quoted(text)
}
