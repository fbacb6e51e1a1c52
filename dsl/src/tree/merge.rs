//! The one merge rule: maps member by member, anything else replaces, `$drop` takes away.

use crate::path::Path;
use crate::tree::term::{Maker, Manners, Ref, Term, TermKind, Tree, segment_name};
use crate::value::Value;

impl Tree {
    /// Lays `over` on `base`. A map that is a constant counts as a map; a map with `$` keys is a value like any other.
    #[must_use]
    pub fn merge(base: &Tree, over: &Tree) -> Tree {
        Tree::new(merge(base.root.clone(), over.root.clone()))
    }

    /// This tree with one place replaced, if plain maps lead there.
    #[must_use]
    pub fn with(&self, path: &Path, part: &Tree) -> Tree {
        let mut root = self.root.clone();
        let names: Option<Vec<String>> = path.segments().iter().map(segment_name).collect();
        if let Some(place) = names.and_then(|names| place(&mut root, &names)) {
            *place = part.root.clone();
        }
        Tree::new(root)
    }

    /// This tree, its result given a type.
    #[must_use]
    pub(crate) fn fitted(&self, fit: crate::filter::Fit) -> Tree {
        let span = self.root.span.clone();
        let source = self.root.source.clone();
        let manners = Manners {
            fit: Some(fit),
            ..Manners::default()
        };
        let mut root = Term::made(Maker::Value(self.root.clone()), manners, span);
        root.source = source;
        Tree::new(root)
    }

    /// Without the places that only say `$drop`, for a tree that is laid over nothing.
    #[must_use]
    pub(crate) fn settled(&self) -> Tree {
        Tree::new(settle(self.root.clone()))
    }
}

fn merge(base: Term, over: Term) -> Term {
    let (span, source) = (over.span.clone(), over.source.clone());
    let (base, mut over) = (into_members(base), into_members(over));
    let TermKind::Map(above) = &mut over.kind else {
        return over;
    };
    let TermKind::Map(mut members) = base.kind else {
        return settle(over);
    };
    for (name, term) in std::mem::take(above) {
        let known = members.iter().position(|(member, _)| *member == name);
        match (known, &term.kind) {
            (Some(at), TermKind::Drop) => {
                members.remove(at);
            }
            (None, TermKind::Drop) => {}
            (Some(at), _) => {
                let below = std::mem::take(&mut members[at].1);
                members[at].1 = merge(below, term);
            }
            (None, _) => members.push((name, settle(term))),
        }
    }
    Term {
        kind: TermKind::Map(members),
        span,
        source,
    }
}

/// A constant map as a map of constants.
fn into_members(mut term: Term) -> Term {
    if let TermKind::Literal(Value::Map(map)) = term.kind {
        let constant = |(name, value)| (name, Term::literal(value, term.span.clone()));
        term.kind = TermKind::Map(map.into_iter().map(constant).collect());
    }
    term
}

fn settle(mut term: Term) -> Term {
    if let TermKind::Map(members) = &mut term.kind {
        members.retain(|(_, member)| !matches!(member.kind, TermKind::Drop));
        for (_, member) in members {
            *member = settle(std::mem::take(member));
        }
    }
    term
}

fn place<'t>(term: &'t mut Term, names: &[String]) -> Option<&'t mut Term> {
    let Some((first, rest)) = names.split_first() else {
        return Some(term);
    };
    match &mut term.kind {
        TermKind::Map(members) => members
            .iter_mut()
            .find(|(name, _)| name == first)
            .and_then(|(_, member)| place(member, rest)),
        _ => None,
    }
}

impl Tree {
    /// Without what stands at a path of plain names.
    #[must_use]
    pub(crate) fn without(&self, path: &Path) -> Tree {
        let mut root = self.root.clone();
        let names: Option<Vec<String>> = path.segments().iter().map(segment_name).collect();
        if let Some((last, above)) = names.as_deref().and_then(<[String]>::split_last)
            && let Some(Term {
                kind: TermKind::Map(members),
                ..
            }) = place(&mut root, above)
        {
            members.retain(|(name, _)| name != last);
        }
        Tree::new(root)
    }

    /// Whether it is `$drop`.
    pub(crate) fn is_drop(&self) -> bool {
        matches!(self.root.kind, TermKind::Drop)
    }

    /// The lists that become lines and the field that identifies a line, where one is named.
    pub fn line_keys(&self) -> Vec<(Path, Path)> {
        let mut found = Vec::new();
        line_keys(&self.root, &mut found);
        found
    }

    /// Whether lines are made somewhere in it.
    pub(crate) fn has_lines(&self) -> bool {
        has_each(&self.root)
    }
}

fn has_each(term: &Term) -> bool {
    match &term.kind {
        TermKind::Map(members) => members.iter().any(|(_, member)| has_each(member)),
        TermKind::List(items) => items.iter().any(has_each),
        TermKind::Made(made) => match &made.maker {
            Maker::Each(_) => true,
            Maker::Value(inner) => has_each(inner),
            Maker::Merge(parts) => parts.iter().any(has_each),
            _ => false,
        },
        _ => false,
    }
}

fn line_keys(term: &Term, found: &mut Vec<(Path, Path)>) {
    match &term.kind {
        TermKind::Map(members) => members.iter().for_each(|(_, member)| line_keys(member, found)),
        TermKind::List(items) => items.iter().for_each(|item| line_keys(item, found)),
        TermKind::Made(made) => match &made.maker {
            Maker::Each(each) => {
                if let (Some(key), Ref::Field { path, .. }) = (&each.key, &each.list.from) {
                    found.push((path.clone(), key.clone()));
                }
                line_keys(&each.body, found);
            }
            Maker::Value(inner) => line_keys(inner, found),
            Maker::Merge(parts) => parts.iter().for_each(|part| line_keys(part, found)),
            _ => {}
        },
        _ => {}
    }
}
