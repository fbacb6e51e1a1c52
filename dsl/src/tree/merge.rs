//! The one merge rule: maps member by member, anything else replaces, `$drop` takes away.

use std::ops::Range;

use crate::path::Path;
use crate::tree::term::{
    EachTerm, Maker, Manners, Read, Ref, Seen, Term, TermKind, Tree, segment_name, star_below,
};
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
        hides: false,
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

    /// Whether it is a map that is laid over another one member by member.
    pub(crate) fn is_map(&self) -> bool {
        matches!(into_members(self.root.clone()).kind, TermKind::Map(_))
    }

    /// Whether anything in it is read of the line around it; its number alone is not.
    pub(crate) fn reads_line(&self) -> bool {
        let mut found = false;
        self.root.clone().walk(&mut |seen| {
            found |= matches!(seen, Seen::Ref(Ref::Line { .. }));
        });
        found
    }

    /// The lists that become lines which have a key, in the order of the document.
    pub(crate) fn keyed(&self) -> Vec<Keyed<'_>> {
        let mut found = Vec::new();
        keyed(&self.root, &mut found);
        found
    }

    /// The lists of a row that it goes through, lines around them as stars.
    pub(crate) fn lists(&self) -> Vec<Path> {
        let mut found = Vec::new();
        each_list(&self.root, &mut |_, each| found.extend(list_of(&each.list)));
        found
    }

    /// The lists that become lines without a key, by the bytes that make them.
    pub(crate) fn unkeyed(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        each_list(&self.root, &mut |term, each| {
            if each.key.is_none() {
                found.push(term.span.clone());
            }
        });
        found
    }
}

/// A list whose lines have a key.
pub(crate) struct Keyed<'t> {
    /// Its place in the document; `None` where it is not in the document as a list.
    pub(crate) place: Option<&'t Path>,
    /// The list in the row, lines around it as stars.
    pub(crate) source: Path,
    /// The field that identifies a line.
    pub(crate) key: &'t Path,
    /// The bytes that make it.
    pub(crate) span: Range<usize>,
}

fn keyed<'t>(root: &'t Term, found: &mut Vec<Keyed<'t>>) {
    each_list(root, &mut |term, each| {
        let source = match &each.list.from {
            Ref::Name(path) => path.clone(),
            _ => match list_of(&each.list) {
                Some(path) => path,
                None => return,
            },
        };
        if let Some(key) = &each.key {
            found.push(Keyed {
                place: each.place.as_ref(),
                source,
                key,
                span: term.span.clone(),
            });
        }
    });
}

fn list_of(read: &Read) -> Option<Path> {
    match &read.from {
        Ref::Field { path, .. } => Some(path.clone()),
        Ref::Line {
            each,
            rest: Some(rest),
            ..
        } => Some(star_below(each).join(rest)),
        _ => None,
    }
}

/// Calls `visit` for every `$each`, an outer one before those in it.
fn each_list<'t>(term: &'t Term, visit: &mut dyn FnMut(&'t Term, &'t EachTerm)) {
    match &term.kind {
        TermKind::Map(members) => members.iter().for_each(|(_, member)| each_list(member, visit)),
        TermKind::List(items) => items.iter().for_each(|item| each_list(item, visit)),
        TermKind::Made(made) => {
            match &made.maker {
                Maker::Each(each) => {
                    visit(term, each);
                    each_list(&each.body, visit);
                }
                Maker::Value(inner)
                | Maker::Json(inner)
                | Maker::Map { of: inner, .. }
                | Maker::Split { of: inner, .. } => each_list(inner, visit),
                Maker::Merge(parts) => parts.iter().for_each(|part| each_list(part, visit)),
                Maker::Join { .. } | Maker::Lookup(_) | Maker::Template(_) => {}
            }
            if let Some(default) = &made.manners.default {
                each_list(default, visit);
            }
        }
        _ => {}
    }
}
