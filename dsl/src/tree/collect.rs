//! The keys of look-ups, collected before evaluation so that a page needs one query per look-up and level.

use crate::cond::Cond;
use crate::diagnostic::Failure;
use crate::lookup::{Hits, LookupWant};
use crate::tree::eval::{Eval, LineName, Lines, Scope, around};
use crate::tree::get::Got;
use crate::tree::term::{EachTerm, LookupTerm, Maker, Term, TermKind, Tree};
use crate::value::Value;

/// The look-ups of one level that a record needs. Branches that evaluation would not take are collected, too; a key
/// that cannot be computed is left out, because it matters only if evaluation comes to it.
pub fn lookup_keys(
    tree: &Tree,
    level: usize,
    scope: &dyn Scope,
    hits: &Hits,
) -> Result<Vec<LookupWant>, Failure> {
    let mut collect = Collect {
        eval: Eval::new(scope, hits),
        level,
        found: Vec::new(),
    };
    if level < tree.lookups().len() {
        collect.term(&tree.root, around(scope).as_ref());
    }
    Ok(collect.found)
}

/// The keys of a line, those of the lines around it first; empty when it has none.
fn line_keys(each: &EachTerm, value: &Value, lines: Option<&Lines<'_>>) -> Vec<String> {
    let outer = lines.and_then(|line| line.line).map_or(&[][..], |line| line.keys);
    let own = each.key.as_ref().and_then(|key| key.get(value)?.to_plain_text());
    own.map_or_else(Vec::new, |own| outer.iter().cloned().chain([own]).collect())
}

struct Collect<'a> {
    eval: Eval<'a>,
    level: usize,
    found: Vec<LookupWant>,
}

impl Collect<'_> {
    fn term(&mut self, term: &Term, lines: Option<&Lines<'_>>) {
        match &term.kind {
            TermKind::Literal(_) | TermKind::Drop | TermKind::Read(_) | TermKind::Text(_) => {}
            TermKind::Formula(formula) => {
                formula
                    .lookups
                    .iter()
                    .for_each(|lookup| self.lookup(lookup, lines));
            }
            TermKind::Find(lookup) => self.lookup(lookup, lines),
            TermKind::Map(members) => members.iter().for_each(|(_, member)| self.term(member, lines)),
            TermKind::List(items) => items.iter().for_each(|item| self.term(item, lines)),
            TermKind::Made(made) => {
                match &made.maker {
                    Maker::Value(inner) | Maker::Json(inner) => self.term(inner, lines),
                    Maker::Map { of, .. } | Maker::Split { of, .. } => self.term(of, lines),
                    Maker::Merge(parts) => parts.iter().for_each(|part| self.term(part, lines)),
                    Maker::Join { .. } | Maker::Template(_) => {}
                    Maker::Lookup(lookup) => self.lookup(lookup, lines),
                    Maker::Each(each) => {
                        let list = self
                            .eval
                            .fetch(&each.list.from, lines)
                            .map(std::borrow::Cow::into_owned);
                        if let Some(Value::List(list)) = list {
                            let kept = each.keep.as_ref().map(Cond::terms).unwrap_or_default();
                            for (index, value) in list.iter().enumerate() {
                                let keys = line_keys(each, value, lines);
                                let line = Lines {
                                    value,
                                    index: index + 1,
                                    up: lines,
                                    line: each.place.as_ref().filter(|_| !keys.is_empty()).map(|list| {
                                        LineName {
                                            list,
                                            keys: &keys,
                                            position: index,
                                        }
                                    }),
                                };
                                kept.iter().for_each(|term| self.term(term, Some(&line)));
                                self.term(&each.body, Some(&line));
                            }
                        }
                    }
                }
                if let Some(default) = &made.manners.default {
                    self.term(default, lines);
                }
            }
        }
    }

    fn lookup(&mut self, lookup: &LookupTerm, lines: Option<&Lines<'_>>) {
        let depth = lookup.depth();
        if depth > self.level {
            lookup.terms().into_iter().for_each(|key| self.term(key, lines));
            return;
        }
        if depth < self.level {
            return;
        }
        // A miss or nothing known yet both say which keys were wanted.
        if let Ok(Got::Missing(gap)) = self.eval.lookup(lookup, lines)
            && let Some(want) = gap.want()
            && !want.has_empty_key()
            && !self.eval.hits.knows(want)
            && !self.found.contains(want)
        {
            self.found.push(want.clone());
        }
    }
}
