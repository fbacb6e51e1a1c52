//! From a plan to a program over slots.
//!
//! A term that is not known here becomes [`Op::Plain`]: the plain evaluator does it, over a row that has only the fields
//! which such terms read. What cannot be taken apart that way refuses the whole plan, with the reason.

use super::WhyNot;
use super::formula;
use super::program::{Each, Formula, Lookup, Made, Member, Op, Piece, Place, Read};
use super::raw::{write_escaped, write_text};
use super::scan::{Lines, Node, Spec};
use crate::facts::Action;
use crate::filter::Fit;
use crate::json;
use crate::lookup::{LookupSpec, Within};
use crate::path::{Path, Segment};
use crate::plan::TargetPlan;
use crate::tree::term::{self, EachTerm, LookupTerm, Maker, Missing, Ref, Seen, Term, TermKind};
use crate::tree::{Formula as FormulaTerm, gives_null, says_null};
use crate::value::Value;

/// The members of a row that the engine puts there itself; what plain terms read by name stands in them.
const OF_THE_ENGINE: [&str; 3] = [crate::scope::ROW_NUMBER, crate::scope::NUMBER, crate::scope::PART];

/// What became of a plan.
pub(super) struct Lowered {
    pub(super) root: Op,
    pub(super) spec: Spec,
    pub(super) lookups: Vec<LookupSpec>,
    /// The members of the row that plain terms read, and their slots.
    pub(super) read_plainly: Vec<(String, u32)>,
}

pub(super) fn lower(target: &TargetPlan, action: Action) -> Result<Lowered, WhyNot> {
    if !target.keyed.is_empty() || target.reads_line_ids {
        return Err(WhyNot::LineIds);
    }
    let mut lower = Lower {
        target,
        action,
        spec: Spec::new(),
        frames: vec![(0, 1)],
        lookups: Vec::new(),
        read_plainly: Vec::new(),
        is_plain: false,
        hidden: false,
    };
    let identities: Vec<Vec<Segment>> = target
        .key
        .iter()
        .map(|key| {
            let under = target.key_under.iter().flat_map(|under| under.segments());
            under.chain(key.segments()).cloned().collect()
        })
        .collect();
    let paths: Vec<(usize, &[Segment])> = identities.iter().map(Vec::as_slice).enumerate().collect();
    let mut found = 0;
    let root = lower.document(&target.request.root, &paths, &mut found)?;
    if found != paths.len() {
        return Err(WhyNot::Key);
    }
    if lower.is_plain {
        for name in OF_THE_ENGINE {
            lower.plainly(name);
        }
    }
    lower.spec.width = lower.frames[0].1;
    Ok(Lowered {
        root,
        spec: lower.spec,
        lookups: lower.lookups,
        read_plainly: lower.read_plainly,
    })
}

struct Lower<'p> {
    target: &'p TargetPlan,
    action: Action,
    spec: Spec,
    /// The row and the lines that are open: their nodes, and how many slots they have so far.
    frames: Vec<(u32, u32)>,
    lookups: Vec<LookupSpec>,
    read_plainly: Vec<(String, u32)>,
    is_plain: bool,
    /// Inside of something sensitive.
    hidden: bool,
}

impl Lower<'_> {
    /// A place of the document; `keys` are the identifying fields below it.
    fn document(
        &mut self,
        term: &Term,
        keys: &[(usize, &[Segment])],
        found: &mut usize,
    ) -> Result<Op, WhyNot> {
        let around = self.hidden;
        self.hidden |= term.covers();
        let op = self.document_of(term, keys, found);
        self.hidden = around;
        op
    }

    fn document_of(
        &mut self,
        term: &Term,
        keys: &[(usize, &[Segment])],
        found: &mut usize,
    ) -> Result<Op, WhyNot> {
        Ok(match &term.kind {
            TermKind::Map(members) if has_each_once(members) => {
                let mut lowered = Vec::with_capacity(members.len());
                for (name, member) in members {
                    let below: Vec<(usize, &[Segment])> = keys
                        .iter()
                        .filter_map(|(key, path)| match path.split_first() {
                            Some((first, rest)) if term::segment_name(first).as_deref() == Some(name) => {
                                Some((*key, rest))
                            }
                            _ => None,
                        })
                        .collect();
                    let identifies = below
                        .iter()
                        .find(|(_, rest)| rest.is_empty())
                        .map(|(key, _)| *key);
                    if below.iter().filter(|(_, rest)| rest.is_empty()).count() > 1 {
                        return Err(WhyNot::Key);
                    }
                    let op = self.document(member, &below, found)?;
                    if identifies.is_some() {
                        if matches!(op, Op::Map(_) | Op::List(_) | Op::Each(_)) {
                            return Err(WhyNot::Key);
                        }
                        *found += 1;
                    }
                    let types = &self.target.types;
                    let typed = types.iter().find(|(typed, _)| typed == name);
                    let mut key = vec![b','];
                    write_text(name, &mut key);
                    key.push(b':');
                    lowered.push(Member {
                        key: key.into(),
                        op,
                        omits_null: self.omits_null(member),
                        fit: typed.and_then(|(_, ty)| Fit::parse(ty)),
                        identifies,
                    });
                }
                Op::Map(lowered)
            }
            TermKind::List(items) => Op::List(
                items
                    .iter()
                    .map(|item| Ok((self.document(item, &[], found)?, self.omits_null(item))))
                    .collect::<Result<_, WhyNot>>()?,
            ),
            TermKind::Made(made) => match &made.maker {
                Maker::Each(_) if !self.applies(made) => Op::Omit,
                Maker::Each(each) => {
                    let missing = made.manners.missing.unwrap_or(Missing::Fail);
                    match made.manners.default.is_none().then(|| self.each(each, missing)) {
                        Some(lowered) => match lowered? {
                            Some(op) => op,
                            None => self.plain(term)?,
                        },
                        None => self.plain(term)?,
                    }
                }
                _ => self.single(term)?,
            },
            _ => self.single(term)?,
        })
    }

    /// A place that holds one value: known here, or plain.
    fn single(&mut self, term: &Term) -> Result<Op, WhyNot> {
        // What a constant map holds may be typed.
        let is_typed = !self.target.types.is_empty()
            && matches!(&term.kind, TermKind::Literal(Value::Map(_) | Value::List(_)));
        match self.known(term) {
            Some(op) if !is_typed => Ok(op),
            _ => self.plain(term),
        }
    }

    fn omits_null(&self, term: &Term) -> bool {
        gives_null(term) || (self.target.compat_qeasy && !says_null(term))
    }

    fn applies(&self, made: &term::Made) -> bool {
        made.manners.only.is_none_or(|only| only == self.action)
    }

    fn known(&mut self, term: &Term) -> Option<Op> {
        Some(match &term.kind {
            TermKind::Literal(value) => {
                let mut json = Vec::new();
                json::write(value, &mut json);
                Op::Const(value.clone(), json.into())
            }
            TermKind::Read(term::Read {
                from: Ref::Index { up },
                filters,
                plain: false,
                ..
            }) if filters.is_empty() && *up + 1 < self.frames.len() => Op::Index(u8::try_from(*up).ok()?),
            TermKind::Read(read) => Op::Read(self.read(read)?),
            TermKind::Text(pieces) => {
                let pieces = pieces.iter().map(|piece| {
                    Some(match piece {
                        term::Piece::Text(text) => {
                            let mut escaped = Vec::new();
                            write_escaped(text, &mut escaped);
                            Piece::Text(text.as_str().into(), escaped.into())
                        }
                        term::Piece::Read(read) => Piece::Read(self.read(read)?),
                    })
                });
                Op::Text(pieces.collect::<Option<_>>()?)
            }
            TermKind::Formula(formula) => Op::Formula(Box::new(self.formula(formula)?)),
            TermKind::Find(lookup) => Op::Lookup(self.lookup(lookup)?),
            TermKind::Drop => Op::Omit,
            TermKind::Made(made) if !self.applies(made) => Op::Omit,
            TermKind::Made(made) => {
                let manners = &made.manners;
                // The old ways cut a fraction off.
                let cuts = manners.fit == Some(Fit::Int) && self.target.compat_qeasy;
                if manners.on_error.is_some() || cuts {
                    return None;
                }
                let default = match &manners.default {
                    Some(default) => Some(self.known(default)?),
                    None => None,
                };
                let null_by_nature = matches!(&made.maker, Maker::Value(inner) if gives_null(inner));
                let of = match &made.maker {
                    // A type that is said is given to the value as it came.
                    Maker::Value(Term {
                        kind: TermKind::Read(read),
                        ..
                    }) if manners.fit.is_some() => {
                        let read = self.read(read)?;
                        Op::Read(Read { plain: false, ..read })
                    }
                    Maker::Value(inner) => self.known(inner)?,
                    Maker::Lookup(lookup) => Op::Lookup(self.lookup(lookup)?),
                    _ => return None,
                };
                Op::Made(Box::new(Made {
                    of,
                    null_by_nature,
                    default,
                    missing: manners.missing,
                    empty: manners.empty,
                    required: manners.required,
                    fit: manners.fit,
                }))
            }
            TermKind::Map(_) | TermKind::List(_) => return None,
        })
    }

    fn read(&mut self, read: &term::Read) -> Option<Read> {
        Some(Read {
            place: self.place(&read.from)?,
            filters: read.filters.clone(),
            missing: read.missing,
            plain: read.plain,
        })
    }

    /// The slot of a reference, where nothing but names leads there.
    fn place(&mut self, from: &Ref) -> Option<Place> {
        let (frame, line, path) = match from {
            Ref::Field { path, .. } if !path.is_special() => (0, None, path),
            Ref::Line {
                up, rest: Some(rest), ..
            } => {
                let frame = (self.frames.len() - 1)
                    .checked_sub(*up)
                    .filter(|frame| *frame > 0)?;
                (frame, Some(u8::try_from(*up).ok()?), rest)
            }
            _ => return None,
        };
        let slot = self.slot(frame, path)?;
        Some(Place { line, slot })
    }

    fn slot(&mut self, frame: usize, path: &Path) -> Option<u32> {
        let node = self.node(frame, path)?;
        Some(self.spec.nodes[node as usize].slot)
    }

    fn node(&mut self, frame: usize, path: &Path) -> Option<u32> {
        let mut node = self.frames[frame].0;
        for segment in path.segments() {
            let Segment::Name(name) = segment else { return None };
            let known = &self.spec.nodes[node as usize].members;
            node = match known.iter().find(|(member, _)| **member == **name) {
                Some((_, node)) => *node,
                None => {
                    let next = u32::try_from(self.spec.nodes.len()).ok()?;
                    self.spec.nodes.push(Node {
                        slot: self.frames[frame].1,
                        members: Vec::new(),
                        lines: None,
                    });
                    self.frames[frame].1 += 1;
                    self.spec.nodes[node as usize]
                        .members
                        .push((name.as_str().into(), next));
                    next
                }
            };
        }
        Some(node)
    }

    fn formula(&mut self, formula: &FormulaTerm) -> Option<Formula> {
        if !formula.lookups.is_empty() || has_aggregate(formula.expr.root()) {
            return None;
        }
        let places = formula
            .refs
            .iter()
            .map(|from| self.place(from))
            .collect::<Option<Vec<_>>>()?;
        Some(Formula {
            part: formula::lower(&formula.expr, &places),
            expr: formula.expr.clone(),
            places,
        })
    }

    fn lookup(&mut self, lookup: &LookupTerm) -> Option<Lookup> {
        if lookup.also.is_some() || lookup.spec.filtered || matches!(lookup.spec.within, Within::Fields(_)) {
            return None;
        }
        let keys = lookup
            .keys
            .iter()
            .map(|key| self.known(key).filter(|op| !reads_lookup(op)))
            .collect::<Option<Vec<_>>>()?;
        self.lookups.push(lookup.spec.clone());
        Some(Lookup {
            number: self.lookups.len() - 1,
            spec: lookup.spec.clone(),
            keys,
            hidden: self.hidden,
        })
    }

    fn each(&mut self, each: &EachTerm, missing: Missing) -> Result<Option<Op>, WhyNot> {
        let frame = match &each.list.from {
            Ref::Field { .. } => 0,
            Ref::Line { up, .. } => match (self.frames.len() - 1).checked_sub(*up) {
                Some(frame) if frame > 0 => frame,
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let (Some(list), true) = (self.place(&each.list.from), each.list.filters.is_empty()) else {
            return Ok(None);
        };
        if each.key.is_some() {
            return Err(WhyNot::LineIds);
        }
        let path = match &each.list.from {
            Ref::Field { path, .. } | Ref::Line { rest: Some(path), .. } => path,
            _ => return Ok(None),
        };
        let Some(node) = self.node(frame, path) else {
            return Ok(None);
        };
        // A list that is walked twice has one node for its lines, which grows.
        let (line, width) = match self.spec.nodes[node as usize].lines {
            Some(lines) => (lines.node, lines.width),
            None => {
                let line = u32::try_from(self.spec.nodes.len()).map_err(|_| WhyNot::TooLarge)?;
                self.spec.nodes.push(Node {
                    slot: 0,
                    members: Vec::new(),
                    lines: None,
                });
                (line, 1)
            }
        };
        // Below itself, a line would have two frames.
        if self.frames.iter().any(|(open, _)| *open == line) {
            return Ok(None);
        }
        self.frames.push((line, width));
        if let Some(keep) = &each.keep {
            for term in keep.terms() {
                self.noted(term)?;
            }
        }
        let before = self.lookups.len();
        let body = self.document(&each.body, &[], &mut 0);
        let (_, width) = self.frames.pop().unwrap_or((line, width));
        self.spec.nodes[node as usize].lines = Some(Lines { node: line, width });
        Ok(Some(Op::Each(Box::new(Each {
            list,
            empty: each.list.missing == Missing::Empty,
            missing,
            keep: each.keep.clone(),
            body: body?,
            looks_up: self.lookups.len() > before,
            omits_null: self.omits_null(&each.body),
        }))))
    }

    fn plain(&mut self, term: &Term) -> Result<Op, WhyNot> {
        self.noted(term)?;
        Ok(Op::Plain(Box::new(term.clone())))
    }

    /// Notes what a term reads that the plain evaluator does.
    fn noted(&mut self, term: &Term) -> Result<(), WhyNot> {
        let (mut why, mut names) = (None, Vec::new());
        term.clone().walk(&mut |seen| match seen {
            Seen::Lookup(_) => why = Some(WhyNot::Lookup),
            Seen::Ref(Ref::LineId) | Seen::List(Ref::LineId) => why = Some(WhyNot::LineIds),
            Seen::Ref(Ref::Name(path) | Ref::Seconds(path))
            | Seen::List(Ref::Name(path) | Ref::Seconds(path)) => {
                if matches!(path.first_name(), Some("$let" | "$step" | "$answer")) {
                    why = Some(WhyNot::Let);
                }
            }
            Seen::Ref(Ref::Field { path, .. }) | Seen::List(Ref::Field { path, .. }) => {
                names.push(path.segments().first().and_then(term::segment_name));
            }
            _ => {}
        });
        if let Some(why) = why {
            return Err(why);
        }
        self.is_plain = true;
        for name in names {
            // A path that is a star, or nothing, is the row itself.
            self.plainly(&name.ok_or(WhyNot::WholeRow)?);
        }
        Ok(())
    }

    fn plainly(&mut self, name: &str) {
        if self.read_plainly.iter().any(|(known, _)| known == name) {
            return;
        }
        if let Some(slot) = self.slot(0, &Path::names([name])) {
            self.read_plainly.push((name.to_owned(), slot));
        }
    }
}

/// A name that stands twice keeps its first place and its last value, which is nothing to write down one by one.
fn has_each_once(members: &[(String, Term)]) -> bool {
    members
        .iter()
        .enumerate()
        .all(|(at, (name, _))| members[..at].iter().all(|(other, _)| other != name))
}

fn has_aggregate(node: &crate::expr::ast::Node) -> bool {
    matches!(node, crate::expr::ast::Node::Aggregate(_)) || node.children().into_iter().any(has_aggregate)
}

fn reads_lookup(op: &Op) -> bool {
    match op {
        Op::Lookup(_) => true,
        Op::Made(made) => reads_lookup(&made.of) || made.default.as_ref().is_some_and(reads_lookup),
        _ => false,
    }
}
