//! What the grammar cannot say: arity, lists and intervals in their places, patterns that compile.
//!
//! Constant parts are computed here once; a part that fails is left to fail for the record that reaches it.

use super::ast::{Binary, Link, Node, Pattern};
use super::parse::Parsed;
use super::regexp::matcher;
use super::run::Run;
use super::scan::MOST_PROBLEMS;
use super::sql::{Sql, Ty};
use super::{Bounds, Env, Expr, ExprError, types, warn};
use crate::builtin::{Builtin, Type};
use crate::catalogue::expression;
use crate::path::Path;
use crate::value::Value;

/// What is done with parts that need no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Constants {
    /// They are computed once.
    Computed,
    /// They stay, to be seen.
    Kept,
}

/// Checks a parsed expression and makes it ready to run.
pub(super) fn check(parsed: Parsed, text: &str, constants: Constants) -> Result<Expr, Vec<ExprError>> {
    let Parsed {
        mut root,
        reads,
        filters,
        lookups,
        calls,
        mut errors,
    } = parsed;
    for (builtin, count, span) in &calls {
        let span = span.clone();
        errors.extend(arity(builtin, *count).map(|error| ExprError { span, ..error }));
    }
    let mut checker = Checker {
        text,
        reads: &reads,
        errors,
    };
    checker.lists(&root, false);
    checker.intervals(&root, true);
    checker.patterns(&mut root);
    let mut errors = checker.errors;
    if !errors.is_empty() {
        errors.sort_by_key(|error| error.span.start);
        errors.dedup();
        errors.truncate(MOST_PROBLEMS);
        return Err(errors);
    }
    let told = warn::warn(&root, text, &reads, &filters, &lookups, &calls);
    if constants == Constants::Computed {
        fold(&mut root);
    }
    Ok(Expr {
        root,
        reads,
        filters,
        lookups,
        warnings: told.warnings,
        pasted: told.pasted,
        bounds: Bounds::default(),
    })
}

fn arity(builtin: &Builtin, count: usize) -> Option<ExprError> {
    let (least, most) = builtin.arity();
    if builtin.accepts(count) {
        return None;
    }
    let plural = |number: usize| if number == 1 { "" } else { "s" };
    let (want, want_en) = match most {
        Some(0) => ("0".to_owned(), "no arguments".to_owned()),
        Some(most) if most == least => (least.to_string(), format!("{least} argument{}", plural(least))),
        Some(most) => (format!("{least}–{most}"), format!("{least} to {most} arguments")),
        None if builtin.in_pairs() => ("成对的".to_owned(), "arguments in pairs".to_owned()),
        None => (
            format!("{least}+"),
            format!("at least {least} argument{}", plural(least)),
        ),
    };
    Some(
        ExprError::new(&expression::ARITY, 0..0)
            .with("name", builtin.name)
            .with("want", want)
            .with("want_en", want_en)
            .with("count", count)
            .with("signature", builtin.signature()),
    )
}

struct Checker<'t> {
    text: &'t str,
    reads: &'t [(Path, std::ops::Range<usize>)],
    errors: Vec<ExprError>,
}

impl Checker<'_> {
    /// A path with `*` belongs into an aggregate function.
    fn lists(&mut self, node: &Node, aggregated: bool) {
        if !aggregated && matches!(node, Node::Field(_) | Node::Interpolated(_) | Node::Glued(_)) {
            for slot in node.slots() {
                let (path, span) = &self.reads[slot];
                if path.has_all() {
                    let error = ExprError::new(&expression::LIST_OUTSIDE, span.clone());
                    self.errors.push(error.with("name", &self.text[span.clone()]));
                }
            }
        }
        let inside = aggregated || matches!(node, Node::Aggregate(_));
        for child in node.children() {
            self.lists(child, inside);
        }
    }

    /// An interval is added to a time, taken from one, or handed to a function that asks for one.
    fn intervals(&mut self, node: &Node, misplaced: bool) {
        match node {
            Node::Interval(amount, _) => {
                if misplaced {
                    self.errors
                        .push(ExprError::new(&expression::INTERVAL_PLACE, self.interval_span()));
                }
                self.intervals(amount, true);
            }
            Node::Chain(first, links) => {
                let shifts = |link: &Link| matches!(link.op, Binary::Add | Binary::Sub);
                let first_is_fine = links.first().is_some_and(|link| link.op == Binary::Add);
                self.intervals(first, !first_is_fine);
                for link in links {
                    self.intervals(&link.right, !shifts(link));
                }
            }
            Node::Call(builtin, args) => {
                for (index, arg) in args.iter().enumerate() {
                    let takes = builtin.param(index).map(|param| param.takes);
                    let wants = matches!(takes, Some(Type::Interval | Type::Days));
                    if takes == Some(Type::Interval) && !matches!(arg, Node::Interval(..)) {
                        self.errors
                            .push(ExprError::new(&expression::INTERVAL_PLACE, 0..self.text.len()));
                    }
                    self.intervals(arg, !wants);
                }
            }
            other => {
                for child in other.children() {
                    self.intervals(child, true);
                }
            }
        }
    }

    /// The first INTERVAL of the text; nodes carry no places.
    fn interval_span(&self) -> std::ops::Range<usize> {
        let word = "interval";
        match self.text.to_ascii_lowercase().find(word) {
            Some(at) => at..at + word.len(),
            None => 0..self.text.len(),
        }
    }

    fn patterns(&mut self, node: &mut Node) {
        if let Node::Regexp(_, pattern, _) = node
            && let Pattern::Computed(inner) = pattern
            && let Node::Const(value) = &**inner
            && let Some(text) = value.to_text()
        {
            match matcher(&text, matches!(value, Sql::Bytes(_))) {
                Ok(_) if matches!(value, Sql::Bytes(_)) => {}
                Ok(compiled) => *pattern = Pattern::Literal(compiled),
                Err(what) => self.bad_pattern(&text, what),
            }
        }
        if let Node::Call(builtin, args) = node
            && builtin.name.starts_with("REGEXP_")
            && let Some(Node::Const(value)) = args.get(1)
            && let Some(text) = value.to_text()
            && let Err(what) = matcher(&text, matches!(value, Sql::Bytes(_)))
        {
            let text = text.into_owned();
            self.bad_pattern(&text, what);
        }
        each_child(node, &mut |child| self.patterns(child));
    }

    fn bad_pattern(&mut self, pattern: &str, what: String) {
        let span = self
            .text
            .find(pattern)
            .map_or(0..self.text.len(), |at| at..at + pattern.len());
        self.errors
            .push(ExprError::new(&expression::BAD_PATTERN, span).with("what", what));
    }
}

fn each_child(node: &mut Node, visit: &mut dyn FnMut(&mut Node)) {
    match node {
        Node::Const(_)
        | Node::Truth(_)
        | Node::Field(_)
        | Node::Interpolated(_)
        | Node::Glued(_)
        | Node::Lookup(_) => {}
        Node::Unary(_, inner) | Node::Is(inner, ..) | Node::Cast(inner, _) | Node::Interval(inner, _) => {
            visit(inner)
        }
        Node::Chain(first, links) => {
            visit(first);
            links.iter_mut().for_each(|link| visit(&mut link.right));
        }
        Node::In(inner, list, _) => {
            visit(inner);
            list.iter_mut().for_each(visit);
        }
        Node::Between(inner, bounds, _) => {
            visit(inner);
            visit(&mut bounds.0);
            visit(&mut bounds.1);
        }
        Node::Like(inner, pattern, ..) | Node::Regexp(inner, Pattern::Computed(pattern), _) => {
            visit(inner);
            visit(pattern);
        }
        Node::Regexp(inner, Pattern::Literal(_), _) => visit(inner),
        Node::Case(case) => {
            case.subject.iter_mut().for_each(&mut *visit);
            for (when, then) in &mut case.arms {
                visit(when);
                visit(then);
            }
            case.otherwise.iter_mut().for_each(visit);
        }
        Node::Call(_, args) => args.iter_mut().for_each(visit),
        Node::Aggregate(lines) => {
            lines.args.iter_mut().for_each(&mut *visit);
            lines.order.iter_mut().for_each(|(by, _)| visit(by));
        }
    }
}

/// Computes what needs no record, from the leaves up.
fn fold(node: &mut Node) {
    // What such a function shows of a truth value is more than its number, so the operation stays to be seen.
    if let Node::Call(builtin, args) = node
        && builtin.params.iter().any(|param| param.takes == Type::Json)
    {
        args.iter_mut()
            .filter(|arg| !types::may_be_truth(arg))
            .for_each(fold);
        return;
    }
    each_child(node, &mut fold);
    if matches!(node, Node::Const(_) | Node::Interval(..)) || !is_constant(node) {
        return;
    }
    let bounds = Bounds {
        fuel: 10_000,
        ..Bounds::default()
    };
    let run = Run::bare(&NoRecord, bounds);
    // A NULL that has a type still decides the digits of the other branch, so it stays what it is.
    let untyped = |value: &Sql<'_>| value.is_null() && types::of(&run, node) != Ty::NULL;
    let folded = match super::eval::node(&run, node) {
        Ok(value) if !untyped(&value) => value.into_owned(),
        _ => return,
    };
    *node = Node::Const(folded);
}

/// Whether the operands are known and the operation depends neither on the clock nor on the zone.
fn is_constant(node: &Node) -> bool {
    let operation = match node {
        Node::Field(_) | Node::Interpolated(_) | Node::Glued(_) | Node::Lookup(_) | Node::Interval(..) => {
            false
        }
        Node::Call(builtin, _) => builtin.constant,
        Node::Cast(_, cast) => !types::cast_ty(*cast).kind.is_temporal(),
        _ => true,
    };
    operation
        && node
            .children()
            .into_iter()
            .all(|child| matches!(child, Node::Const(value) if !Ty::of(value).kind.is_temporal()))
}

/// Constant parts ask for nothing.
struct NoRecord;

impl Env for NoRecord {
    fn field(&self, _slot: usize, _path: &Path) -> Option<std::borrow::Cow<'_, Value>> {
        None
    }

    fn lookup(&self, _index: usize) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        0
    }

    fn zone(&self) -> &jiff::tz::TimeZone {
        const UTC: &jiff::tz::TimeZone = &jiff::tz::TimeZone::UTC;
        UTC
    }
}
