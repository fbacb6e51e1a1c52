//! Look-ups in a file: which scheme, which of its fields, and what they are compared with.

use std::ops::Range;

use crate::catalogue::value as words;
use crate::expr::{self, FindKey, FindSpec};
use crate::facts::{NotFound, SchemeFacts};
use crate::lookup::{LookupSpec, Within};
use crate::path::{Path, Segment};
use crate::tree::columns::{Columns, NotSingle};
use crate::tree::compile::{Compile, from_segments};
use crate::tree::names;
use crate::tree::term::{LookupTerm, Piece, Term, TermKind};
use crate::value::Value;
use crate::yaml::Node;

impl Compile<'_> {
    pub(crate) fn find(&mut self, node: &Node, at: usize) -> Term {
        let text = &node.scalar().expect("only scalars come here").text[at..];
        let place = |span: Range<usize>| node.span_in(at + span.start..at + span.end);
        let term = match expr::parse_find(text) {
            Ok(spec) => self.find_term(&spec, &place, node.span.clone()),
            Err(errors) => {
                self.expression_problems(&errors, &place);
                None
            }
        };
        match term {
            Some(lookup) => Term::new(TermKind::Find(Box::new(lookup)), node.span.clone()),
            None => Term::literal(Value::Null, node.span.clone()),
        }
    }

    pub(crate) fn find_term(
        &mut self,
        spec: &FindSpec,
        place: &dyn Fn(Range<usize>) -> Range<usize>,
        node_span: Range<usize>,
    ) -> Option<LookupTerm> {
        let facts = self.scheme(&spec.scheme, place(spec.scheme_span.clone()));
        let mut by = Vec::new();
        let mut keys = Vec::new();
        let mut good = true;
        let get = facts
            .as_ref()
            .and_then(|facts| self.got_column(facts, &spec.get, place(spec.get_span.clone())));
        for ((column, key), (column_span, span)) in spec.by.iter().zip(&spec.by_spans) {
            let column = facts
                .as_ref()
                .and_then(|facts| self.own_column(facts, column, place(column_span.clone())));
            let span = place(span.clone());
            let key = match key {
                FindKey::Literal(text) => Some(Term::literal(text.as_str().into(), node_span.clone())),
                FindKey::Field(path) => self
                    .read(path, span.clone(), true, Vec::new())
                    .map(|read| Term::new(TermKind::Read(read), node_span.clone())),
                FindKey::Text(text) => self
                    .pieces(text, &|_| span.clone())
                    .map(|pieces| Term::new(single_or_text(pieces), node_span.clone())),
            };
            match (column, key) {
                (Some(column), Some(key)) => {
                    by.push(column);
                    keys.push(key);
                }
                _ => good = false,
            }
        }
        let (facts, get) = (facts?, get?);
        good.then(|| LookupTerm {
            spec: LookupSpec {
                id: 0,
                within: Within::Rows,
                scheme: facts.id,
                get,
                by,
                only: false,
                filtered: false,
            },
            keys,
            also: None,
        })
    }

    /// The scheme that a look-up names.
    pub(crate) fn scheme(&mut self, name: &str, span: Range<usize>) -> Option<SchemeFacts> {
        let schemes = if self.place.lookups { self.schemes } else { None };
        let Some(schemes) = schemes else {
            self.no_lookups_here(span);
            return None;
        };
        match schemes(name) {
            Ok(facts) => Some(facts),
            Err(NotFound { similar, .. }) => {
                self.report(
                    self.problem(&words::LOOKUP_SCHEME, span)
                        .with("name", name)
                        .similar(similar),
                );
                None
            }
        }
    }

    pub(crate) fn no_lookups_here(&mut self, span: Range<usize>) {
        let (zh, en) = self.place.words;
        self.report(
            self.problem(&words::LOOKUP_NOT_HERE, span)
                .with("place", zh)
                .with("place_en", en),
        );
    }

    /// What is wanted of another scheme's row: a field that has one value in each, or what was kept beside it.
    pub(crate) fn got_column(
        &mut self,
        facts: &SchemeFacts,
        path: &Path,
        span: Range<usize>,
    ) -> Option<Path> {
        if is_saved(facts, path) {
            return Some(path.clone());
        }
        self.own_column(facts, path, span)
    }

    /// A field of another scheme's rows that has one value in each: it does not lie in a list.
    pub(crate) fn own_column(
        &mut self,
        facts: &SchemeFacts,
        path: &Path,
        span: Range<usize>,
    ) -> Option<Path> {
        let found = self.column(facts, path, span.clone())?;
        self.is_own(Some(facts), &found, span).then_some(found)
    }

    /// Whether a field does not lie in a list; one that does is reported.
    pub(crate) fn is_own(&mut self, facts: Option<&SchemeFacts>, path: &Path, span: Range<usize>) -> bool {
        let Some((facts, list)) = facts.and_then(|facts| Some((facts, list_around(facts, path)?))) else {
            return true;
        };
        self.report(
            self.problem(&words::LOOKUP_IN_LIST, span)
                .with("scheme", &facts.id)
                .with("path", path)
                .with("list", list),
        );
        false
    }

    /// A field of another scheme's rows: as its path, or in old style with `_` for each dot.
    pub(crate) fn column(&mut self, facts: &SchemeFacts, path: &Path, span: Range<usize>) -> Option<Path> {
        const OF_THE_LEDGER: [&str; 3] = ["$key", "$label", "$target"];
        if path.is_special() {
            let first = path.first_name().unwrap_or_default();
            let Err(near) = names::exists(path).and_then(|()| {
                OF_THE_LEDGER.contains(&first).then_some(()).ok_or_else(|| {
                    vec![
                        "$key".to_owned(),
                        "$label".to_owned(),
                        "$target.id".to_owned(),
                        "$target.number".to_owned(),
                    ]
                })
            }) else {
                return Some(path.clone());
            };
            self.report(
                self.problem(&words::UNKNOWN_NAME, span)
                    .with("name", path)
                    .similar(near),
            );
            return None;
        }
        if is_saved(facts, path) {
            self.report(
                self.problem(&crate::catalogue::scheme::SAVED_BY, span)
                    .with("scheme", &facts.id)
                    .with("column", path),
            );
            return None;
        }
        let Some(columns) = &facts.columns else {
            return Some(path.clone());
        };
        let known = Columns::new(columns.iter().map(String::as_str));
        if known.knows(path) {
            return Some(path.clone());
        }
        let flat = path.to_string();
        if let Some(column) = columns
            .iter()
            .map(|column| column.replace(".*", ""))
            .find(|column| column.replace('.', "_") == flat)
        {
            return Path::parse(&column).ok();
        }
        self.report(
            self.problem(&words::LOOKUP_COLUMN, span)
                .with("scheme", &facts.id)
                .with("path", path)
                .similar(known.near(path)),
        );
        None
    }
}

/// Whether a column is one that the scheme keeps after a write.
fn is_saved(facts: &SchemeFacts, path: &Path) -> bool {
    path.first_name()
        .is_some_and(|first| facts.saved.iter().any(|column| column == first))
}

/// The list in which a field lies, as far as it is written or known.
fn list_around(facts: &SchemeFacts, path: &Path) -> Option<Path> {
    if path.is_special() {
        return None;
    }
    let segments = path.segments();
    if let Some(end) = segments.iter().position(|segment| *segment == Segment::All) {
        return Some(from_segments(&segments[..end]));
    }
    let known = Columns::new(facts.columns.as_ref()?.iter().map(String::as_str));
    match known.not_single(path) {
        Some(NotSingle::Through(list)) => Some(list),
        _ => None,
    }
}

fn single_or_text(mut pieces: Vec<Piece>) -> TermKind {
    match (pieces.len(), pieces.pop()) {
        (1, Some(Piece::Read(read))) => TermKind::Read(read),
        (_, last) => {
            pieces.extend(last);
            TermKind::Text(pieces)
        }
    }
}
