//! The compiled form of a value place.

use std::ops::Range;
use std::sync::Arc;

use crate::cond::Cond;
use crate::facts::Action;
use crate::filter::Filter;
use crate::lookup::{Level, LookupSpec};
use crate::path::{Path, Segment};
use crate::tree::ask::Ask;
use crate::tree::formula::Formula;
use crate::tree::text::TextTerm;
use crate::value::{Kind, Map, Value};

/// A compiled value place: literals, templates, expressions, look-ups and makers, and what they read.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    pub(crate) root: Term,
    slots: Vec<Path>,
    reads: Vec<Path>,
    names: Vec<Path>,
    levels: Vec<Level>,
    /// An expression in it asks what time it is.
    clock: bool,
}

/// One place of a tree.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    pub(crate) kind: TermKind,
    /// Its bytes in the file it was compiled from.
    pub(crate) span: Range<usize>,
    /// What the author wrote, where that is more than a constant.
    pub(crate) source: Option<Arc<str>>,
    /// Whether something sensitive is in it, or is read by it.
    pub(crate) hides: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum TermKind {
    Literal(Value),
    /// `<<a>>` alone: the value with its kind.
    Read(Read),
    /// Text around placeholders.
    Text(Vec<Piece>),
    /// `_function …`
    Formula(Formula),
    /// `_findCollection …`: nothing found is NULL.
    Find(Box<LookupTerm>),
    Map(Vec<(String, Term)>),
    List(Vec<Term>),
    /// `$drop`: takes away what it is laid over.
    Drop,
    /// A map with `$` keys.
    Made(Box<Made>),
}

/// A placeholder.
#[derive(Debug, Clone)]
pub(crate) struct Read {
    pub(crate) from: Ref,
    pub(crate) filters: Vec<Filter>,
    /// What a missing value means when no manner says so.
    pub(crate) missing: Missing,
    /// Whether a number or truth value is given as text (old ways).
    pub(crate) plain: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Piece {
    Text(String),
    Read(Read),
}

/// What a placeholder reads.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Ref {
    /// A field of the row.
    Field { slot: usize, path: Path },
    /// A field of the line of an `$each`, counted from the innermost; an empty path is the line itself.
    Line {
        up: usize,
        each: Path,
        rest: Option<Path>,
    },
    /// Number of the line, from 1.
    Index { up: usize },
    /// What the target calls the line.
    LineId,
    /// A name of the engine.
    Name(Path),
    /// A name of the engine that is an instant, as whole seconds (old spelling).
    Seconds(Path),
    /// So many days before the run, as whole seconds (old spelling).
    DaysAgo(u16),
}

#[derive(Debug, Clone)]
pub(crate) struct Made {
    pub(crate) maker: Maker,
    pub(crate) manners: Manners,
}

#[derive(Debug, Clone)]
pub(crate) enum Maker {
    Value(Term),
    Each(Box<EachTerm>),
    Lookup(LookupTerm),
    Map { of: Term, to: Arc<Map> },
    Join { list: Read, with: String },
    Split { of: Term, with: String },
    Merge(Vec<Term>),
    Json(Term),
    Template(TextTerm),
}

#[derive(Debug, Clone)]
pub(crate) struct EachTerm {
    /// The list.
    pub(crate) list: Read,
    pub(crate) keep: Option<Cond>,
    pub(crate) body: Term,
    /// The field that identifies a line.
    pub(crate) key: Option<Path>,
    /// The list in the document, lines around it as stars; `None` where it does not stand in the document as a list.
    pub(crate) place: Option<Path>,
    /// Whether the list is sensitive.
    pub(crate) hides: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct LookupTerm {
    pub(crate) spec: LookupSpec,
    pub(crate) keys: Vec<Term>,
    /// What is asked beyond equality.
    pub(crate) also: Option<Box<Ask>>,
}

/// What a missing value means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The record fails.
    Fail,
    /// The member is left out.
    Omit,
    /// It is null.
    Null,
    /// It is empty text; an empty list at `$each`.
    Empty,
    /// The record waits for the scheme that feeds the look-up.
    Defer,
}

/// What happens to null and empty text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Empty {
    Keep,
    Omit,
    Null,
}

/// What a failing expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnError {
    Fail,
    Null,
    Literal,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Manners {
    pub(crate) fit: Option<crate::filter::Fit>,
    pub(crate) missing: Option<Missing>,
    pub(crate) default: Option<Term>,
    pub(crate) empty: Option<Empty>,
    pub(crate) required: bool,
    pub(crate) only: Option<Action>,
    pub(crate) sensitive: bool,
    pub(crate) on_error: Option<OnError>,
}

impl Default for Term {
    fn default() -> Self {
        Term::literal(Value::Null, 0..0)
    }
}

impl Term {
    pub(crate) fn new(kind: TermKind, span: Range<usize>) -> Term {
        Term {
            kind,
            span,
            source: None,
            hides: false,
        }
    }

    pub(crate) fn literal(value: Value, span: Range<usize>) -> Term {
        Term::new(TermKind::Literal(value), span)
    }

    pub(crate) fn made(maker: Maker, manners: Manners, span: Range<usize>) -> Term {
        Term::new(TermKind::Made(Box::new(Made { maker, manners })), span)
    }

    /// Calls `visit` for every placeholder and look-up below; a look-up after what its keys hold.
    pub(crate) fn walk(&mut self, visit: &mut dyn FnMut(Seen<'_>)) {
        match &mut self.kind {
            TermKind::Literal(_) | TermKind::Drop => {}
            TermKind::Read(read) => visit(Seen::Ref(&mut read.from)),
            TermKind::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Read(read) = piece {
                        visit(Seen::Ref(&mut read.from));
                    }
                }
            }
            TermKind::Formula(formula) => {
                for reference in &mut formula.refs {
                    visit(Seen::Ref(reference));
                }
                for lookup in &mut formula.lookups {
                    lookup.walk(visit);
                }
                if formula.expr.reads_clock() {
                    visit(Seen::Clock);
                }
            }
            TermKind::Find(lookup) => lookup.walk(visit),
            TermKind::Map(members) => members.iter_mut().for_each(|(_, term)| term.walk(visit)),
            TermKind::List(items) => items.iter_mut().for_each(|term| term.walk(visit)),
            TermKind::Made(made) => {
                match &mut made.maker {
                    Maker::Value(term) | Maker::Json(term) => term.walk(visit),
                    Maker::Map { of, .. } | Maker::Split { of, .. } => of.walk(visit),
                    Maker::Join { list, .. } => visit(Seen::Ref(&mut list.from)),
                    Maker::Template(text) => {
                        for (_, read) in &mut text.reads {
                            visit(Seen::Ref(&mut read.from));
                        }
                    }
                    Maker::Merge(terms) => terms.iter_mut().for_each(|term| term.walk(visit)),
                    Maker::Lookup(lookup) => lookup.walk(visit),
                    Maker::Each(each) => {
                        visit(Seen::List(&mut each.list.from));
                        if let Some(cond) = &mut each.keep {
                            cond.each_term(&mut |term| term.walk(visit));
                        }
                        each.body.walk(visit);
                    }
                }
                if let Some(default) = &mut made.manners.default {
                    default.walk(visit);
                }
            }
        }
    }

    /// The constant, if this is one without manners.
    pub(crate) fn constant(&self) -> Option<Value> {
        match &self.kind {
            TermKind::Literal(value) => Some(value.clone()),
            TermKind::Map(members) => members
                .iter()
                .map(|(name, term)| Some((name.clone(), term.constant()?)))
                .collect::<Option<_>>()
                .map(Value::Map),
            TermKind::List(items) => items
                .iter()
                .map(Term::constant)
                .collect::<Option<_>>()
                .map(Value::List),
            TermKind::Made(made) if made.manners.only.is_none() => match &made.maker {
                Maker::Value(term) => term.constant(),
                _ => None,
            },
            _ => None,
        }
    }
}

/// What a walk meets.
pub(crate) enum Seen<'a> {
    Ref(&'a mut Ref),
    /// The list of an `$each`.
    List(&'a mut Ref),
    Lookup(&'a mut LookupTerm),
    /// An expression that asks what time it is.
    Clock,
}

impl LookupTerm {
    pub(crate) fn walk(&mut self, visit: &mut dyn FnMut(Seen<'_>)) {
        for key in &mut self.keys {
            key.walk(visit);
        }
        if let Some(ask) = &mut self.also {
            ask.each_term(&mut |term| term.walk(visit));
            ask.walk_patterns(visit);
        }
        visit(Seen::Lookup(self));
    }
}

impl Tree {
    /// A tree around a compiled term: numbers what it reads and looks up.
    pub(crate) fn new(mut root: Term) -> Tree {
        let mut tree = Tree::default();
        let mut lists: Vec<Path> = Vec::new();
        let mut specs = 0;
        root.walk(&mut |seen| match seen {
            Seen::Ref(Ref::Field { slot, path }) => {
                *slot = place_of(&mut tree.slots, path);
                place_of(&mut tree.reads, path);
            }
            Seen::List(Ref::Field { slot, path }) => {
                *slot = place_of(&mut tree.slots, path);
                place_of(&mut lists, path);
            }
            Seen::Ref(Ref::Line { each, rest, .. }) => {
                let line = star_below(each);
                let path = rest.as_ref().map_or(line.clone(), |rest| line.join(rest));
                place_of(&mut tree.reads, &path);
            }
            Seen::Ref(Ref::Name(path) | Ref::Seconds(path))
            | Seen::List(Ref::Name(path) | Ref::Seconds(path)) => {
                place_of(&mut tree.names, path);
            }
            Seen::Ref(Ref::Index { .. } | Ref::LineId)
            | Seen::List(Ref::Index { .. } | Ref::LineId | Ref::Line { .. }) => {}
            Seen::Clock | Seen::Ref(Ref::DaysAgo(_)) | Seen::List(Ref::DaysAgo(_)) => tree.clock = true,
            Seen::Lookup(lookup) => {
                lookup.spec.id = specs;
                specs += 1;
            }
        });
        // Lines of which no field is read still count: how many there are is seen in the document.
        for list in lists {
            let line = star_below(&list);
            if !tree.reads.iter().any(|read| read.below(&line).is_some()) {
                place_of(&mut tree.reads, &list);
            }
        }
        sort_into_levels(&mut root, &mut tree.levels);
        place_lines(&mut root, Some(&Path::names(Vec::<String>::new())));
        root.mark(&|_| false);
        tree.root = root;
        tree
    }

    /// A tree that is one constant.
    pub fn literal(value: Value) -> Tree {
        Tree::new(Term::literal(value, 0..0))
    }

    /// The fields of a record it reads; a field of a line is `list.*.field`.
    pub fn reads(&self) -> &[Path] {
        &self.reads
    }

    /// The fields of a record by the number under which a scope is asked for them.
    pub fn slots(&self) -> &[Path] {
        &self.slots
    }

    /// The names of the engine it reads.
    pub fn names(&self) -> &[Path] {
        &self.names
    }

    /// Whether it reads a name that begins with `first` (`$window`).
    pub fn mentions(&self, first: &str) -> bool {
        self.names.iter().any(|name| name.first_name() == Some(first))
    }

    /// The members that lead to the one place that is this name, as it is (`body: {Model: <<$records>>}`), where nothing
    /// else of the tree reads it.
    pub fn place_of(&self, name: &str) -> Option<Vec<&str>> {
        let mut reads = 0;
        self.root.clone().walk(&mut |seen| match seen {
            Seen::Ref(Ref::Name(path) | Ref::Seconds(path))
            | Seen::List(Ref::Name(path) | Ref::Seconds(path)) => {
                reads += usize::from(path.first_name() == Some(name));
            }
            _ => {}
        });
        let mut place = Vec::new();
        (reads == 1 && self.root.leads_to(name, &mut place)).then_some(place)
    }

    /// Whether its value depends on the instant of the run: another one the next time.
    pub fn reads_clock(&self) -> bool {
        self.clock || self.mentions("$now") || self.mentions("$clock")
    }

    /// Its look-ups, level by level.
    pub fn lookups(&self) -> &[Level] {
        &self.levels
    }

    /// The value, if nothing in it depends on anything.
    pub fn constant(&self) -> Option<Value> {
        self.root.constant()
    }

    /// The members of a plain map, each with its value if it is a constant.
    pub fn constants(&self) -> Vec<(String, Option<Value>)> {
        match &self.root.kind {
            TermKind::Map(members) => {
                let members = members.iter();
                members
                    .map(|(name, term)| (name.clone(), term.constant()))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The kind of the value, if it is a constant.
    pub fn constant_kind(&self) -> Option<Kind> {
        self.constant().map(|value| value.kind())
    }

    /// The names of its members, if it is a plain map.
    pub fn keys(&self) -> Vec<&str> {
        match &self.root.kind {
            TermKind::Map(members) => members.iter().map(|(name, _)| name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Its members as trees of their own, if it is a plain map.
    pub fn members(&self) -> Vec<(String, Tree)> {
        match &self.root.kind {
            TermKind::Map(members) => members
                .iter()
                .map(|(name, term)| (name.clone(), Tree::new(term.clone())))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The part at a path of plain names, if maps lead there.
    pub fn at(&self, path: &Path) -> Option<Tree> {
        self.root.at(path.segments()).map(|term| Tree::new(term.clone()))
    }

    /// Whether a document made by this tree can have something at this path: `Some(false)` when plain maps lead
    /// towards it and end before, `None` when only evaluation can tell.
    pub fn has(&self, path: &Path) -> Option<bool> {
        self.root.has(path.segments())
    }

    /// Places whose values are masked in logs, previews and exports.
    pub fn sensitive(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.root.sensitive(&mut Vec::new(), &mut found);
        found
    }

    /// What the sensitive places are made of: fields of the row, and names such as `$let.x`.
    pub(crate) fn sensitive_reads(&self) -> (Vec<Path>, Vec<Path>) {
        let (mut fields, mut names) = (Vec::new(), Vec::new());
        self.root.sensitive_reads(&mut |term| {
            let part = Tree::new(term.clone());
            fields.extend(part.reads);
            names.extend(part.names);
        });
        (fields, names)
    }

    /// Takes names of the engine for sensitive: what is made of them is so too.
    pub(crate) fn hide(&mut self, names: &[Path]) {
        if names.is_empty() {
            return;
        }
        self.root
            .mark(&|from| matches!(from, Ref::Name(path) if names.iter().any(|name| overlap(name, path))));
    }

    /// Takes fields of the row for sensitive: what is made of them is so too.
    pub(crate) fn hide_fields(&mut self, fields: &[Path]) {
        if fields.is_empty() {
            return;
        }
        let is_hidden = |path: &Path| fields.iter().any(|field| overlap(field, path));
        self.root.mark(&|from| match from {
            Ref::Field { path, .. } => is_hidden(path),
            Ref::Line { each, rest, .. } => {
                is_hidden(&rest.as_ref().map_or_else(|| each.clone(), |rest| each.join(rest)))
            }
            Ref::Index { .. } | Ref::LineId | Ref::Name(_) | Ref::Seconds(_) | Ref::DaysAgo(_) => false,
        });
    }

    /// The bytes it was compiled from.
    pub fn span(&self) -> Range<usize> {
        self.root.span.clone()
    }
}

impl Term {
    pub(crate) fn at(&self, path: &[Segment]) -> Option<&Term> {
        let Some((first, rest)) = path.split_first() else {
            return Some(self);
        };
        match &self.kind {
            TermKind::Map(members) => {
                let name = segment_name(first)?;
                members
                    .iter()
                    .find(|(member, _)| *member == name)
                    .and_then(|(_, term)| term.at(rest))
            }
            _ => None,
        }
    }

    fn has(&self, path: &[Segment]) -> Option<bool> {
        let Some((first, rest)) = path.split_first() else {
            return Some(true);
        };
        match &self.kind {
            TermKind::Map(members) => match segment_name(first) {
                Some(name) => members
                    .iter()
                    .find(|(member, _)| *member == name)
                    .map_or(Some(false), |(_, term)| term.has(rest)),
                None => Some(false),
            },
            TermKind::Literal(value) => Some(crate::tree::compile::from_segments(path).get(value).is_some()),
            TermKind::Text(_) => Some(false),
            _ => None,
        }
    }

    fn sensitive(&self, at: &mut Vec<Segment>, found: &mut Vec<Path>) {
        match &self.kind {
            TermKind::Map(members) => {
                for (name, term) in members {
                    at.push(Segment::Name(name.clone()));
                    term.sensitive(at, found);
                    at.pop();
                }
            }
            TermKind::List(items) => {
                for (index, term) in items.iter().enumerate() {
                    at.push(Segment::Index(index));
                    term.sensitive(at, found);
                    at.pop();
                }
            }
            _ if self.covers() => {
                let place = crate::tree::compile::from_segments(at);
                if !found.contains(&place) {
                    found.push(place);
                }
            }
            TermKind::Made(made) => {
                match &made.maker {
                    Maker::Value(term) => term.sensitive(at, found),
                    Maker::Merge(terms) => terms.iter().for_each(|term| term.sensitive(at, found)),
                    Maker::Each(each) => {
                        at.push(Segment::All);
                        each.body.sensitive(at, found);
                        at.pop();
                    }
                    _ => {}
                }
                if let Some(default) = &made.manners.default {
                    default.sensitive(at, found);
                }
            }
            _ => {}
        }
    }

    /// Calls `visit` for each term whose whole value is sensitive.
    fn sensitive_reads(&self, visit: &mut dyn FnMut(&Term)) {
        match &self.kind {
            TermKind::Map(members) => members.iter().for_each(|(_, term)| term.sensitive_reads(visit)),
            TermKind::List(items) => items.iter().for_each(|term| term.sensitive_reads(visit)),
            _ if self.covers() => visit(self),
            TermKind::Made(made) => {
                match &made.maker {
                    Maker::Value(term) => term.sensitive_reads(visit),
                    Maker::Merge(terms) => terms.iter().for_each(|term| term.sensitive_reads(visit)),
                    Maker::Each(each) => each.body.sensitive_reads(visit),
                    _ => {}
                }
                if let Some(default) = &made.manners.default {
                    default.sensitive_reads(visit);
                }
            }
            _ => {}
        }
    }

    /// Whether its whole value is sensitive: it says so, or something sensitive goes into a value that is one.
    pub(crate) fn covers(&self) -> bool {
        match &self.kind {
            TermKind::Map(_) | TermKind::List(_) => false,
            TermKind::Made(made) if made.manners.sensitive => true,
            TermKind::Made(made) => match &made.maker {
                Maker::Value(_) | Maker::Merge(_) => self.hides && made.manners.fit.is_some(),
                Maker::Each(each) => each.hides,
                _ => self.hides,
            },
            _ => self.hides,
        }
    }

    /// Notes what holds or reads something sensitive; `secret` says which references are so.
    fn mark(&mut self, secret: &dyn Fn(&Ref) -> bool) -> bool {
        let read = |read: &Read| secret(&read.from);
        let any = |terms: &mut dyn Iterator<Item = &mut Term>| {
            let mut found = false;
            for term in terms {
                found |= term.mark(secret);
            }
            found
        };
        let found = match &mut self.kind {
            TermKind::Literal(_) | TermKind::Drop => false,
            TermKind::Read(from) => read(from),
            TermKind::Text(pieces) => pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Read(from) if read(from))),
            TermKind::Formula(formula) => {
                let mut found = formula.refs.iter().any(secret);
                for lookup in &mut formula.lookups {
                    found |= lookup.mark(secret);
                }
                found
            }
            TermKind::Find(lookup) => lookup.mark(secret),
            TermKind::Map(members) => any(&mut members.iter_mut().map(|(_, term)| term)),
            TermKind::List(items) => any(&mut items.iter_mut()),
            TermKind::Made(made) => {
                let made = &mut **made;
                let maker = match &mut made.maker {
                    Maker::Value(term) | Maker::Json(term) => term.mark(secret),
                    Maker::Map { of, .. } | Maker::Split { of, .. } => of.mark(secret),
                    Maker::Join { list, .. } => read(list),
                    Maker::Template(text) => text.reads.iter().any(|(_, from)| read(from)),
                    Maker::Merge(terms) => any(&mut terms.iter_mut()),
                    Maker::Lookup(lookup) => lookup.mark(secret),
                    Maker::Each(each) => {
                        if let Some(cond) = &mut each.keep {
                            cond.each_term(&mut |term| {
                                term.mark(secret);
                            });
                        }
                        each.hides |= read(&each.list);
                        each.body.mark(secret) || each.hides
                    }
                };
                let default = made
                    .manners
                    .default
                    .as_mut()
                    .is_some_and(|default| default.mark(secret));
                maker || default || made.manners.sensitive
            }
        };
        self.hides |= found;
        self.hides
    }
}

impl LookupTerm {
    fn mark(&mut self, secret: &dyn Fn(&Ref) -> bool) -> bool {
        let mut found = false;
        for key in &mut self.keys {
            found |= key.mark(secret);
        }
        if let Some(ask) = &mut self.also {
            ask.each_term(&mut |term| found |= term.mark(secret));
            ask.walk_patterns(&mut |seen| {
                if let Seen::Ref(from) = seen {
                    found |= secret(from);
                }
            });
        }
        found
    }
}

/// Whether one path is the other, or lies below it; a star is every line.
pub(crate) fn overlap(one: &Path, other: &Path) -> bool {
    one.segments()
        .iter()
        .zip(other.segments())
        .all(|pair| match pair {
            (Segment::All, _) | (_, Segment::All) => true,
            (one, other) => segment_name(one) == segment_name(other),
        })
}

/// The name a segment has on a map.
pub(crate) fn segment_name(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Name(name) => Some(name.clone()),
        Segment::Index(index) => Some(index.to_string()),
        Segment::All => None,
    }
}

/// Each line of a list.
pub(crate) fn star_below(list: &Path) -> Path {
    list.join(&Path::parse("*").expect("a star is a path"))
}

fn place_of(list: &mut Vec<Path>, path: &Path) -> usize {
    if let Some(place) = list.iter().position(|known| known == path) {
        return place;
    }
    list.push(path.clone());
    list.len() - 1
}

/// Tells each `$each` with a key where its list stands in the document.
fn place_lines(term: &mut Term, at: Option<&Path>) {
    let below = |rest: Segment| at.map(|at| at.join(&crate::tree::compile::from_segments(&[rest])));
    match &mut term.kind {
        TermKind::Map(members) => {
            for (name, member) in members {
                place_lines(member, below(Segment::Name(name.clone())).as_ref());
            }
        }
        TermKind::List(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                place_lines(item, below(Segment::Index(index)).as_ref());
            }
        }
        TermKind::Made(made) => {
            match &mut made.maker {
                Maker::Value(inner) => place_lines(inner, at),
                Maker::Merge(parts) => parts.iter_mut().for_each(|part| place_lines(part, at)),
                Maker::Each(each) => {
                    each.place = at.filter(|_| each.key.is_some()).cloned();
                    place_lines(&mut each.body, below(Segment::All).as_ref());
                }
                Maker::Json(inner) | Maker::Map { of: inner, .. } | Maker::Split { of: inner, .. } => {
                    place_lines(inner, None);
                }
                Maker::Join { .. } | Maker::Lookup(_) | Maker::Template(_) => {}
            }
            if let Some(default) = &mut made.manners.default {
                place_lines(default, at);
            }
        }
        _ => {}
    }
}

/// A look-up whose keys hold another one stands one level above it.
fn sort_into_levels(term: &mut Term, levels: &mut Vec<Level>) {
    term.walk(&mut |seen| {
        if let Seen::Lookup(lookup) = seen {
            let level = lookup.depth();
            if levels.len() <= level {
                levels.resize(level + 1, Vec::new());
            }
            levels[level].push(lookup.spec.clone());
        }
    });
}

impl LookupTerm {
    /// How many levels lie below: 0 when the keys hold no look-up.
    pub(crate) fn depth(&self) -> usize {
        self.terms()
            .into_iter()
            .map(Term::lookup_levels)
            .max()
            .unwrap_or(0)
    }

    /// What it is asked with: its keys, and the operands of what else it asks.
    pub(crate) fn terms(&self) -> Vec<&Term> {
        let mut terms: Vec<&Term> = self.keys.iter().collect();
        if let Some(ask) = &self.also {
            ask.terms(&mut terms);
        }
        terms
    }
}

impl Term {
    /// Notes the members that lead to a name that stands alone, through plain maps only.
    fn leads_to<'t>(&'t self, name: &str, place: &mut Vec<&'t str>) -> bool {
        match &self.kind {
            TermKind::Map(members) => members.iter().any(|(member, term)| {
                place.push(member);
                let leads = term.leads_to(name, place);
                if !leads {
                    place.pop();
                }
                leads
            }),
            TermKind::Read(Read {
                from: Ref::Name(path),
                filters,
                plain: false,
                ..
            }) => {
                let [Segment::Name(only)] = path.segments() else {
                    return false;
                };
                filters.is_empty() && only == name
            }
            // What is laid over the others has its place.
            TermKind::Made(made) => match (&made.maker, made.manners.says_nothing()) {
                (Maker::Merge(parts), true) => parts
                    .last()
                    .is_some_and(|last| matches!(last.kind, TermKind::Map(_)) && last.leads_to(name, place)),
                _ => false,
            },
            _ => false,
        }
    }
}

impl Manners {
    /// Whether the value is as it was made.
    fn says_nothing(&self) -> bool {
        let Manners {
            fit,
            missing,
            default,
            empty,
            required,
            only,
            sensitive: _,
            on_error,
        } = self;
        fit.is_none()
            && missing.is_none()
            && default.is_none()
            && empty.is_none()
            && !required
            && only.is_none()
            && on_error.is_none()
    }
}

impl Term {
    /// How many levels of look-ups are in it.
    pub(crate) fn lookup_levels(&self) -> usize {
        let below =
            |terms: &mut dyn Iterator<Item = &Term>| terms.map(Term::lookup_levels).max().unwrap_or(0);
        let own = |lookup: &LookupTerm| lookup.depth() + 1;
        match &self.kind {
            TermKind::Literal(_) | TermKind::Drop | TermKind::Read(_) | TermKind::Text(_) => 0,
            TermKind::Formula(formula) => formula.lookups.iter().map(own).max().unwrap_or(0),
            TermKind::Find(lookup) => own(lookup),
            TermKind::Map(members) => below(&mut members.iter().map(|(_, term)| term)),
            TermKind::List(items) => below(&mut items.iter()),
            TermKind::Made(made) => {
                let maker = match &made.maker {
                    Maker::Value(term) | Maker::Json(term) => term.lookup_levels(),
                    Maker::Map { of, .. } | Maker::Split { of, .. } => of.lookup_levels(),
                    Maker::Merge(terms) => below(&mut terms.iter()),
                    Maker::Join { .. } | Maker::Template(_) => 0,
                    Maker::Lookup(lookup) => own(lookup),
                    Maker::Each(each) => {
                        let kept = each.keep.as_ref().map(Cond::terms).unwrap_or_default();
                        below(&mut kept.into_iter().chain([&each.body]))
                    }
                };
                maker.max(made.manners.default.as_ref().map_or(0, Term::lookup_levels))
            }
        }
    }
}
