//! The strict walk over a file: unknown keys, missing keys, wrong shapes.

use std::ops::Range;
use std::sync::Arc;

use super::{Block, Shape};
use crate::catalogue::scheme as words;
use crate::diagnostic::{Diagnostic, SourceFile, did_you_mean};
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Pair, Problems, Style};

/// Checks a map against its table, and everything below it. Value places and conditions are not entered: they are
/// checked where they are compiled.
pub fn walk(node: &Node, block: &'static Block, file: &Arc<SourceFile>, diags: &mut Vec<Diagnostic>) {
    let mut walk = Walk {
        file,
        problems: Problems::default(),
    };
    match node.map() {
        Some(pairs) => walk.block(node, pairs, block),
        None => walk.wrong(block.name, &Shape::Block(block), node),
    }
    diags.extend(walk.problems.into_list(file));
}

/// Whether an operation is written in place of the one that `api` names.
fn stands_in(pairs: &[Pair]) -> bool {
    pairs.iter().any(|pair| pair.key == "operation")
}

struct Walk<'a> {
    file: &'a Arc<SourceFile>,
    problems: Problems,
}

impl Walk<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.problems.push(diagnostic);
    }

    fn problem(&self, entry: &'static crate::catalogue::Entry, span: Range<usize>) -> Diagnostic {
        Diagnostic::new(entry, self.file, span)
    }

    fn block(&mut self, node: &Node, pairs: &[Pair], block: &'static Block) {
        for pair in pairs {
            match block.row(&pair.key) {
                Some(row) => self.shape(&pair.key, &pair.value, &row.shape),
                None if self.problems.is_full() => self.problems.count(pair.key_span.clone()),
                None => {
                    let known = block.rows.iter().map(|row| row.key);
                    let near = did_you_mean(&pair.key, known);
                    self.report(
                        self.problem(&words::UNKNOWN_KEY, pair.key_span.clone())
                            .with("key", &pair.key)
                            .with("block", block.name)
                            .similar(near),
                    );
                }
            }
        }
        let has = |key: &str| pairs.iter().any(|pair| pair.key == key);
        for row in block.rows.iter().filter(|row| row.required && !has(row.key)) {
            let excused = row.key == "api" && stands_in(pairs)
                // The rows of another scheme take the place of a system.
                || block.name == "source" && has("scheme") && matches!(row.key, "api" | "connection");
            if !excused {
                self.report(
                    self.problem(&words::MISSING_KEY, beginning(node))
                        .with("key", row.key)
                        .with("block", block.name),
                );
            }
        }
        self.one_of(node, pairs, block);
        if pairs.len() < block.least {
            self.wrong(block.name, &Shape::Block(block), node);
        }
    }

    fn one_of(&mut self, node: &Node, pairs: &[Pair], block: &'static Block) {
        if block.one_of.is_empty() {
            return;
        }
        let has = |key: &&str| {
            let is_written = pairs.iter().any(|pair| pair.key == *key);
            is_written || *key == "api" && stands_in(pairs)
        };
        // A key may be part of several sets; what is not part of the one that is there contradicts it.
        let is_alone = |one: &[&str]| {
            let mut keys = block.one_of.iter().copied().flatten();
            keys.all(|key| one.contains(key) || !has(key))
        };
        let is_there = |set: &&&[&str]| set.iter().all(has) && is_alone(set);
        if block.one_of.iter().filter(is_there).count() != 1 {
            let sets: Vec<String> = block
                .one_of
                .iter()
                .map(|set| format!("`{}`", set.join("` + `")))
                .collect();
            self.report(
                self.problem(&words::ONE_OF_KEYS, beginning(node))
                    .with("block", block.name)
                    .with("sets", sets.join(" / ")),
            );
        }
    }

    fn wrong(&mut self, key: &str, shape: &Shape, node: &Node) {
        let (zh, en) = shape.words();
        let near = match (shape, text(node)) {
            (Shape::Choice(words), Some(word)) => did_you_mean(word, words.iter().copied()),
            _ => Vec::new(),
        };
        self.report(
            self.problem(&words::WRONG_SHAPE, beginning(node))
                .with("key", key)
                .with("want", zh)
                .with("want_en", en)
                .similar(near),
        );
    }

    fn shape(&mut self, key: &str, node: &Node, shape: &Shape) {
        match (shape, &node.kind) {
            (Shape::Block(block), NodeKind::Map(pairs)) => self.block(node, pairs, block),
            (Shape::Map(inner), NodeKind::Map(pairs)) => {
                pairs
                    .iter()
                    .for_each(|pair| self.shape(&pair.key, &pair.value, inner));
            }
            (Shape::List(inner), NodeKind::List(items)) => {
                items.iter().for_each(|item| self.shape(key, item, inner))
            }
            (Shape::Paths, NodeKind::List(items)) if !items.is_empty() => {
                items.iter().for_each(|item| self.shape(key, item, &Shape::Path));
            }
            (Shape::OneOf(shapes), _) => match shapes.iter().find(|shape| fits_outwardly(node, shape)) {
                Some(inner) => self.shape(key, node, inner),
                None => self.wrong(key, shape, node),
            },
            _ if fits_outwardly(node, shape) => {}
            _ => self.wrong(key, shape, node),
        }
    }
}

/// The first line of a node: a caret under a whole block says nothing.
fn beginning(node: &Node) -> Range<usize> {
    match &node.kind {
        NodeKind::Map(pairs) => pairs
            .first()
            .map_or(node.span.clone(), |pair| pair.key_span.clone()),
        _ => node.span.clone(),
    }
}

/// The text of a scalar that is not null.
pub(crate) fn text(node: &Node) -> Option<&str> {
    let scalar = node.scalar()?;
    let null = scalar.style == Style::Plain && node.plain_value() == Value::Null;
    (!null).then_some(scalar.text.as_str())
}

/// Whether a node has a shape, without looking into it.
fn fits_outwardly(node: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::Text => text(node).is_some_and(|text| !text.is_empty()),
        Shape::Path => text(node).is_some(),
        Shape::Word(word) => text(node).is_some_and(word.fits),
        Shape::Bool => matches!(text(node), Some("true" | "false")),
        Shape::Int(low, high) => text(node)
            .and_then(integer)
            .is_some_and(|number| (*low..=*high).contains(&number)),
        Shape::Choice(words) => text(node).is_some_and(|text| words.contains(&text)),
        Shape::Paths => text(node).is_some() || node.list().is_some_and(|items| !items.is_empty()),
        Shape::Value | Shape::Data => true,
        Shape::Values => node.map().is_some(),
        Shape::Cond(_) | Shape::DataMap | Shape::Block(_) | Shape::Map(_) => node.map().is_some(),
        Shape::List(_) => node.list().is_some(),
        Shape::OneOf(shapes) => shapes.iter().any(|shape| fits_outwardly(node, shape)),
    }
}

/// A whole number, without sign tricks: `10`, not `+10`.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}
