//! Conditions: `{field: P, OP: V}`, `{all: […]}`, `{any: […]}`, `{not: …}`.
//!
//! One form for what is asked of a source ([`Cond::asked`]) and for what is decided about a row here
//! ([`Cond::holds`]). A comparison with a number is a comparison of numbers, also when one side is text; two texts
//! are compared as they are.

use std::cmp::Ordering;
use std::ops::Range;

use crate::catalogue::value as words;
use crate::decimal::Decimal;
use crate::diagnostic::{Failure, did_you_mean};
use crate::lookup::Hits;
use crate::path::Path;
use crate::tree::term::{Missing, Read, Ref, Seen, Term, TermKind, star_below};
use crate::tree::{Compile, Scope, value_of};
use crate::value::Value;
use crate::yaml::{Node, NodeKind, Pair};

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Equal.
    Eq,
    /// Not equal.
    Neq,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Holds a text; with `%`, a pattern.
    Like,
    /// The opposite of [`Op::Like`].
    NotLike,
    /// One of a list.
    In,
    /// None of a list.
    NotIn,
    /// From one value to another, both included.
    Between,
    /// `null`, `empty` or `missing`.
    Is,
}

const OPS: &[(&str, Op)] = &[
    ("eq", Op::Eq),
    ("neq", Op::Neq),
    ("gt", Op::Gt),
    ("gte", Op::Gte),
    ("lt", Op::Lt),
    ("lte", Op::Lte),
    ("like", Op::Like),
    ("not_like", Op::NotLike),
    ("in", Op::In),
    ("not_in", Op::NotIn),
    ("between", Op::Between),
    ("is", Op::Is),
];

impl Op {
    /// The comparison with this name.
    pub fn parse(name: &str) -> Option<Op> {
        OPS.iter().find(|(known, _)| *known == name).map(|(_, op)| *op)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        OPS.iter()
            .find(|(_, op)| *op == self)
            .map_or("", |(name, _)| name)
    }

    /// All names.
    pub fn names() -> impl Iterator<Item = &'static str> {
        OPS.iter().map(|(name, _)| *name)
    }
}

/// A compiled condition.
#[derive(Debug, Clone)]
pub struct Cond {
    kind: CondKind,
}

#[derive(Debug, Clone)]
enum CondKind {
    Test {
        field: Term,
        path: Option<Path>,
        op: Op,
        values: Box<[Term]>,
    },
    All(Vec<Cond>),
    Any(Vec<Cond>),
    Not(Box<Cond>),
    /// `on_line: drop_record`: it must hold for every line of the record.
    Every(Box<Cond>),
    /// What became of [`CondKind::Every`] for one record.
    Known(bool),
}

/// A condition with its values computed: what a source is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// A comparison. `values` is one value; several for `in`, `not_in` and `between`.
    Test {
        /// The field of the source.
        field: Path,
        /// The comparison.
        op: Op,
        /// What it is compared with.
        values: Vec<Value>,
    },
    /// All must hold.
    All(Vec<Asked>),
    /// One must hold.
    Any(Vec<Asked>),
    /// Must not hold.
    Not(Box<Asked>),
}

/// Compiles a condition; reports what is wrong with it.
pub fn compile_cond(node: &Node, cx: &mut Compile<'_>) -> Option<Cond> {
    let Some(pairs) = node.map() else {
        return bad(node.span.clone(), None, cx);
    };
    let group = |pair: &Pair, cx: &mut Compile<'_>| -> Option<Vec<Cond>> {
        let Some(items) = pair.value.list() else {
            return bad(pair.value.span.clone(), None, cx);
        };
        let conds: Vec<Option<Cond>> = items.iter().map(|item| compile_cond(item, cx)).collect();
        conds.into_iter().collect()
    };
    if cx.on_lines
        && let Some(at) = pairs.iter().position(|pair| pair.key == "on_line")
    {
        let mut rest = node.clone();
        let NodeKind::Map(pairs) = &mut rest.kind else {
            return None;
        };
        let every = drops_record(&pairs.remove(at), cx);
        let cond = compile_cond(&rest, cx)?;
        return Some(match every? {
            true => Cond {
                kind: CondKind::Every(Box::new(cond)),
            },
            false => cond,
        });
    }
    let kind = match pairs {
        [pair] if pair.key == "all" => CondKind::All(group(pair, cx)?),
        [pair] if pair.key == "any" => CondKind::Any(group(pair, cx)?),
        [pair] if pair.key == "not" => CondKind::Not(Box::new(compile_cond(&pair.value, cx)?)),
        _ => test(node, pairs, cx)?,
    };
    Some(Cond { kind })
}

/// What `on_line` says; reports what it cannot say.
pub(crate) fn drops_record(pair: &Pair, cx: &mut Compile<'_>) -> Option<bool> {
    const WORDS: [&str; 2] = ["drop_line", "drop_record"];
    let word = pair.value.text().unwrap_or_default();
    if let Some(at) = WORDS.iter().position(|known| *known == word) {
        return Some(at == 1);
    }
    cx.report(
        cx.problem(&crate::catalogue::scheme::WRONG_SHAPE, pair.value.span.clone())
            .with("key", "on_line")
            .with("want", "以下之一:drop_line drop_record")
            .with("want_en", "one of drop_line drop_record")
            .similar(did_you_mean(word, WORDS.into_iter())),
    );
    None
}

fn bad<T>(span: Range<usize>, word: Option<&str>, cx: &mut Compile<'_>) -> Option<T> {
    let near = did_you_mean(
        word.unwrap_or_default(),
        Op::names().chain(["field", "all", "any", "not"]),
    );
    let all = Op::names().collect::<Vec<_>>().join(" ");
    cx.report(
        cx.problem(&words::BAD_CONDITION, span)
            .with("all", all)
            .similar(near),
    );
    None
}

fn test(node: &Node, pairs: &[Pair], cx: &mut Compile<'_>) -> Option<CondKind> {
    let unknown = pairs
        .iter()
        .find(|pair| pair.key != "field" && Op::parse(&pair.key).is_none());
    if let Some(pair) = unknown {
        return bad(pair.key_span.clone(), Some(&pair.key), cx);
    }
    let mut comparisons = pairs
        .iter()
        .filter_map(|pair| Op::parse(&pair.key).map(|op| (op, pair)));
    let (Some(field), Some((op, pair)), None) = (node.get("field"), comparisons.next(), comparisons.next())
    else {
        return bad(node.span.clone(), None, cx);
    };
    let (field, path) = cond_field(&field.value, cx)?;
    let values = match (op, pair.value.list()) {
        (Op::In | Op::NotIn, Some(items)) => items.iter().map(|item| cx.term(item)).collect(),
        (Op::In | Op::NotIn, None) => vec![cx.term(&pair.value)],
        (Op::Between, Some(items @ [_, _])) => items.iter().map(|item| cx.term(item)).collect(),
        (Op::Between, _) => return bad(pair.value.span.clone(), None, cx),
        (Op::Is, _) => {
            let word = pair.value.scalar().map(|scalar| scalar.text.as_str());
            let Some(word @ ("null" | "empty" | "missing")) = word else {
                return bad(pair.value.span.clone(), word, cx);
            };
            vec![Term::literal(word.into(), pair.value.span.clone())]
        }
        (_, Some(_)) => return bad(pair.value.span.clone(), None, cx),
        _ => vec![cx.term(&pair.value)],
    };
    Some(CondKind::Test {
        field,
        path,
        op,
        values: values.into(),
    })
}

/// A field of the row; where rows are not there yet, the name of a field of the source, which may be a template.
fn cond_field(node: &Node, cx: &mut Compile<'_>) -> Option<(Term, Option<Path>)> {
    let Some(scalar) = node.scalar() else {
        return bad(node.span.clone(), None, cx);
    };
    if crate::template::has_placeholder(&scalar.text) {
        return Some((cx.term(node), None));
    }
    let path = cx.path(&scalar.text, node.span.clone())?;
    if !cx.place.fields && cx.each.is_empty() {
        return Some((
            Term::literal(scalar.text.as_str().into(), node.span.clone()),
            Some(path),
        ));
    }
    let from = cx.reference(&path, node.span.clone())?;
    let read = Read {
        from,
        filters: Vec::new(),
        missing: Missing::Omit,
        plain: false,
    };
    Some((Term::new(TermKind::Read(read), node.span.clone()), Some(path)))
}

impl Cond {
    /// Calls `visit` for every term of the condition.
    pub(crate) fn each_term(&mut self, visit: &mut dyn FnMut(&mut Term)) {
        match &mut self.kind {
            CondKind::Test { field, values, .. } => {
                visit(field);
                values.iter_mut().for_each(visit);
            }
            CondKind::All(conds) | CondKind::Any(conds) => {
                conds.iter_mut().for_each(|cond| cond.each_term(visit));
            }
            CondKind::Not(cond) | CondKind::Every(cond) => cond.each_term(visit),
            CondKind::Known(_) => {}
        }
    }

    /// The terms of the condition.
    pub(crate) fn terms(&self) -> Vec<&Term> {
        match &self.kind {
            CondKind::Test { field, values, .. } => [field].into_iter().chain(values).collect(),
            CondKind::All(conds) | CondKind::Any(conds) => conds.iter().flat_map(Cond::terms).collect(),
            CondKind::Not(cond) | CondKind::Every(cond) => cond.terms(),
            CondKind::Known(_) => Vec::new(),
        }
    }

    /// The fields of a row it reads.
    pub fn reads(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.clone().each_term(&mut |term| {
            term.walk(&mut |seen| {
                let path = match seen {
                    Seen::Ref(Ref::Field { path, .. }) => path.clone(),
                    Seen::Ref(Ref::Line { each, rest, .. }) => {
                        let line = star_below(each);
                        rest.as_ref().map_or(line.clone(), |rest| line.join(rest))
                    }
                    _ => return,
                };
                if !found.contains(&path) {
                    found.push(path);
                }
            });
        });
        found
    }

    /// The fields of the source that it names.
    pub fn fields(&self) -> Vec<Path> {
        match &self.kind {
            CondKind::Test { path, .. } => path.iter().cloned().collect(),
            CondKind::All(conds) | CondKind::Any(conds) => conds.iter().flat_map(Cond::fields).collect(),
            CondKind::Not(cond) | CondKind::Every(cond) => cond.fields(),
            CondKind::Known(_) => Vec::new(),
        }
    }

    /// Every comparison it makes and, of `any` and `not`, those it joins them by; each once.
    pub fn words(&self) -> Vec<&'static str> {
        fn add(cond: &Cond, found: &mut Vec<&'static str>) {
            let (word, inner) = match &cond.kind {
                CondKind::Test { op, .. } => (Some(op.name()), &[][..]),
                CondKind::All(conds) => (None, conds.as_slice()),
                CondKind::Any(conds) => (Some("any"), conds.as_slice()),
                CondKind::Not(cond) => (Some("not"), std::slice::from_ref(&**cond)),
                CondKind::Every(cond) => (None, std::slice::from_ref(&**cond)),
                CondKind::Known(_) => (None, &[][..]),
            };
            found.extend(word.filter(|word| !found.contains(word)));
            inner.iter().for_each(|cond| add(cond, found));
        }
        let mut found = Vec::new();
        add(self, &mut found);
        found
    }

    /// The names of the engine it reads.
    pub fn names(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.clone().each_term(&mut |term| {
            term.walk(&mut |seen| {
                if let Seen::Ref(Ref::Name(path) | Ref::Seconds(path)) = seen {
                    found.push(path.clone());
                }
            });
        });
        found
    }

    /// The condition for the lines of one record: a part that must hold for every line is decided, by `every`.
    pub(crate) fn of_record(
        &self,
        every: &mut dyn FnMut(&Cond) -> Result<bool, Failure>,
    ) -> Result<Cond, Failure> {
        let mut all = |conds: &[Cond]| -> Result<Vec<Cond>, Failure> {
            conds.iter().map(|cond| cond.of_record(every)).collect()
        };
        let kind = match &self.kind {
            CondKind::All(conds) => CondKind::All(all(conds)?),
            CondKind::Any(conds) => CondKind::Any(all(conds)?),
            CondKind::Not(cond) => CondKind::Not(Box::new(cond.of_record(every)?)),
            CondKind::Every(cond) => CondKind::Known(every(cond)?),
            kind => kind.clone(),
        };
        Ok(Cond { kind })
    }

    /// Whether it holds.
    pub fn holds(&self, scope: &dyn Scope, hits: &Hits) -> Result<bool, Failure> {
        self.decide(&mut |term| value_of(term, scope, hits))
    }

    /// Whether it holds, values coming from `value`; an absent value is missing.
    pub(crate) fn decide(
        &self,
        value: &mut dyn FnMut(&Term) -> Result<Option<Value>, Failure>,
    ) -> Result<bool, Failure> {
        match &self.kind {
            CondKind::Test {
                field, op, values, ..
            } => {
                let left = value(field)?;
                let mut right = Vec::with_capacity(values.len());
                for term in values {
                    right.push(value(term)?.unwrap_or(Value::Null));
                }
                Ok(compare(left.as_ref(), *op, &right))
            }
            CondKind::All(conds) => {
                for cond in conds {
                    if !cond.decide(value)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            CondKind::Any(conds) => {
                for cond in conds {
                    if cond.decide(value)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            CondKind::Not(cond) => cond.decide(value).map(|holds| !holds),
            // A record without lines is its only one.
            CondKind::Every(cond) => cond.decide(value),
            CondKind::Known(holds) => Ok(*holds),
        }
    }

    /// The condition with its values computed. A comparison whose value is left out is left out, too.
    pub fn asked(&self, scope: &dyn Scope, hits: &Hits) -> Result<Asked, Failure> {
        Ok(match &self.kind {
            CondKind::Test {
                field,
                path,
                op,
                values,
            } => {
                let path = match path {
                    Some(path) => path.clone(),
                    None => {
                        let name = value_of(field, scope, hits)?.unwrap_or(Value::Null);
                        let name = name.to_plain_text().unwrap_or_default();
                        Path::parse(&name).unwrap_or_else(|_| Path::names([name]))
                    }
                };
                let mut computed = Vec::with_capacity(values.len());
                for term in values {
                    computed.extend(value_of(term, scope, hits)?);
                }
                if computed.is_empty() {
                    return Ok(Asked::All(Vec::new()));
                }
                Asked::Test {
                    field: path,
                    op: *op,
                    values: computed,
                }
            }
            CondKind::All(conds) => Asked::All(asked_of(conds, scope, hits)?),
            CondKind::Any(conds) => Asked::Any(asked_of(conds, scope, hits)?),
            CondKind::Not(cond) => Asked::Not(Box::new(cond.asked(scope, hits)?)),
            // Nothing that a source is asked speaks of lines.
            CondKind::Every(cond) => cond.asked(scope, hits)?,
            CondKind::Known(_) => Asked::All(Vec::new()),
        })
    }
}

fn asked_of(conds: &[Cond], scope: &dyn Scope, hits: &Hits) -> Result<Vec<Asked>, Failure> {
    conds.iter().map(|cond| cond.asked(scope, hits)).collect()
}

/// Compares; null and missing are equal to nothing and different from everything.
fn compare(left: Option<&Value>, op: Op, right: &[Value]) -> bool {
    if op == Op::Is {
        return match (right.first().and_then(Value::as_text), left) {
            (Some("missing"), left) => left.is_none(),
            (Some("null"), left) => left.is_some_and(Value::is_null),
            (_, left) => left.is_none_or(Value::is_empty),
        };
    }
    let negated = matches!(op, Op::Neq | Op::NotLike | Op::NotIn);
    let Some(left) = left.filter(|value| !value.is_null()) else {
        return negated;
    };
    let order = |right: &Value| order(left, right);
    let first = right.first().unwrap_or(&Value::Null);
    let holds = match op {
        Op::Eq | Op::Neq => equal(left, first),
        Op::In | Op::NotIn => right.iter().any(|right| equal(left, right)),
        Op::Gt => order(first) == Some(Ordering::Greater),
        Op::Gte => matches!(order(first), Some(Ordering::Greater | Ordering::Equal)),
        Op::Lt => order(first) == Some(Ordering::Less),
        Op::Lte => matches!(order(first), Some(Ordering::Less | Ordering::Equal)),
        Op::Between => {
            let last = right.last().unwrap_or(&Value::Null);
            matches!(order(first), Some(Ordering::Greater | Ordering::Equal))
                && matches!(order(last), Some(Ordering::Less | Ordering::Equal))
        }
        Op::Like | Op::NotLike => like(left, first),
        Op::Is => false,
    };
    holds != negated
}

fn equal(left: &Value, right: &Value) -> bool {
    left == right || order(left, right) == Some(Ordering::Equal)
}

/// Two values in order: a number and the text of one by value, texts as they are; `None` for lists, maps and nulls.
pub(crate) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    let numeric = matches!(left, Value::Number(_)) || matches!(right, Value::Number(_));
    let (left, right) = (left.to_plain_text()?, right.to_plain_text()?);
    if numeric && let (Some(left), Some(right)) = (Decimal::parse(left.trim()), Decimal::parse(right.trim()))
    {
        return Some(left.cmp(&right));
    }
    Some(left.cmp(&right))
}

/// Whether a text holds another; with `%` in it, whether it has that form. Case does not matter.
fn like(value: &Value, pattern: &Value) -> bool {
    let (Some(text), Some(pattern)) = (value.to_plain_text(), pattern.to_plain_text()) else {
        return false;
    };
    let (text, pattern) = (text.to_lowercase(), pattern.to_lowercase());
    if !pattern.contains('%') {
        return text.contains(&pattern);
    }
    let parts: Vec<&str> = pattern.split('%').collect();
    let Some((first, rest)) = parts.split_first() else {
        return false;
    };
    let Some(mut text) = text.strip_prefix(first) else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else {
        return text.is_empty();
    };
    for part in middle {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}
