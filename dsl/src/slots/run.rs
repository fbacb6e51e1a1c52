//! A program over the slots of one row.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use super::answers::{Answers, joined};
use super::clock;
use super::formula::{self, Val};
use super::here::Here;
use super::program::{Each, Formula, Lookup, Made, Op, Piece, Place, Read};
use super::raw::{Escapes, Kind, NO_FRAME, Raw, unescaped, write_escaped, write_text};
use super::value::{Got, V};
use super::{Fast, MOST_KEYS, RowCx, Stop};
use crate::filter::{Filter, Fit};
use crate::json;
use crate::lookup::LookupWant;
use crate::tree::term::{Empty, Missing, TermKind};
use crate::value::{Number, Value};

/// The row, or a line of a list of it.
pub(super) struct Frame<'f> {
    pub(super) head: u32,
    /// Its number, from 1; the row has none.
    pub(super) index: usize,
    pub(super) up: Option<&'f Frame<'f>>,
    /// What the plain evaluator reads of a line.
    pub(super) value: OnceCell<Option<Value>>,
}

impl Frame<'_> {
    pub(super) fn row(head: u32) -> Frame<'static> {
        Frame {
            head,
            index: 0,
            up: None,
            value: OnceCell::new(),
        }
    }

    /// The frame so many lists around this one.
    fn around(&self, up: u8) -> Option<&Frame<'_>> {
        let mut frame = self;
        for _ in 0..up {
            frame = frame.up?;
        }
        Some(frame)
    }
}

pub(super) struct Run<'a> {
    pub(super) fast: &'a Fast,
    pub(super) raws: &'a [Raw],
    pub(super) row: &'a str,
    pub(super) head: u32,
    pub(super) cx: &'a RowCx<'a>,
    pub(super) answers: &'a Answers,
    /// Where the identifying fields were written.
    pub(super) identities: [Cell<(usize, usize)>; MOST_KEYS],
    /// What the plain evaluator reads of the row.
    pub(super) plain: OnceCell<Option<Value>>,
}

pub(super) type Written = Result<bool, Stop>;

impl<'a> Run<'a> {
    pub(super) fn raw(&self, place: Place, at: &Frame<'_>) -> Raw {
        let head = match place.line {
            None => Some(self.head),
            Some(up) => at.around(up).map(|frame| frame.head),
        };
        let slot = head.and_then(|head| self.raws.get((head + 1 + place.slot) as usize));
        slot.copied().unwrap_or(Raw::MISSING)
    }

    /// Writes a place of the document; `false` when it is left out, and then nothing was written.
    pub(super) fn emit(
        &self,
        op: &'a Op,
        at: &Frame<'_>,
        omits_null: bool,
        fit: Option<Fit>,
        out: &mut Vec<u8>,
    ) -> Written {
        match (op, fit) {
            (Op::Map(members), _) => {
                let mark = out.len();
                out.push(b'{');
                let mut wrote = false;
                for member in members {
                    let before = out.len();
                    out.extend_from_slice(if wrote { &member.key } else { &member.key[1..] });
                    let begin = out.len();
                    if self.emit(&member.op, at, member.omits_null, member.fit, out)? {
                        wrote = true;
                        if let Some(key) = member.identifies.and_then(|key| self.identities.get(key)) {
                            key.set((begin, out.len()));
                        }
                    } else {
                        out.truncate(before);
                    }
                }
                if !wrote && !members.is_empty() {
                    out.truncate(mark);
                    return Ok(false);
                }
                out.push(b'}');
                Ok(true)
            }
            (Op::List(items), _) => {
                out.push(b'[');
                for (index, (item, omits_null)) in items.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    self.element(item, at, *omits_null, out)?;
                }
                out.push(b']');
                Ok(true)
            }
            (Op::Each(each), _) => self.each(each, at, out),
            (Op::Omit, _) => Ok(false),
            (Op::Plain(term), _) => self.plain(term, at, fit, out),
            (Op::Const(value, json), None) => {
                if omits_null && value.is_null() {
                    return Ok(false);
                }
                out.extend_from_slice(json);
                Ok(true)
            }
            (Op::Read(read), None) if read.filters.is_empty() && !read.plain => {
                let raw = self.raw(read.place, at);
                match raw.kind {
                    Kind::Missing => return self.missing(read.missing, None, out),
                    Kind::Null if omits_null => return Ok(false),
                    Kind::List | Kind::Map if self.fast.has_types => return Err(Stop),
                    _ => raw.write(self.row, out),
                }
                Ok(true)
            }
            (Op::Formula(formula), None) => self.formula_out(formula, at, omits_null, out),
            (Op::Text(pieces), None | Some(Fit::Text)) => self.text_out(pieces, at, fit, out),
            _ => match self.got(op, at)? {
                Got::Omitted => Ok(false),
                Got::Missing(policy) => self.missing(policy, fit, out),
                Got::Value(value) => {
                    if value.is_null() && omits_null {
                        return Ok(false);
                    }
                    self.write(value, fit, out)?;
                    Ok(true)
                }
            },
        }
    }

    /// An element is never left out: what would be is an empty map, or null.
    fn element(&self, op: &'a Op, at: &Frame<'_>, omits_null: bool, out: &mut Vec<u8>) -> Result<(), Stop> {
        if !self.emit(op, at, omits_null, None, out)? {
            let is_map = match op {
                Op::Map(_) => true,
                Op::Plain(term) => matches!(term.kind, TermKind::Map(_)),
                _ => false,
            };
            out.extend_from_slice(if is_map { b"{}" } else { b"null" });
        }
        Ok(())
    }

    fn missing(&self, policy: Missing, fit: Option<Fit>, out: &mut Vec<u8>) -> Written {
        match policy {
            Missing::Omit => return Ok(false),
            Missing::Null => out.extend_from_slice(b"null"),
            Missing::Empty => self.write(V::Own(Value::Text(String::new())), fit, out)?,
            Missing::Fail | Missing::Defer => return Err(Stop),
        }
        Ok(true)
    }

    fn write(&self, value: V<'a>, fit: Option<Fit>, out: &mut Vec<u8>) -> Result<(), Stop> {
        let value = match fit {
            None => value,
            Some(fit) => match value.is_nested() {
                // Its parts have types, too.
                true => value,
                false => self.fitted(value, fit)?,
            },
        };
        if value.is_nested() && self.fast.has_types {
            return Err(Stop);
        }
        match value {
            V::Raw(raw) => raw.write(self.row, out),
            V::Own(Value::Text(text)) => write_text(&text, out),
            V::Own(value) => json::write(&value, out),
            V::Val(value) => value.write(out),
            V::Const(_, json) => out.extend_from_slice(json),
            V::Answer(answer) => out.extend_from_slice(&answer.json),
        }
        Ok(())
    }

    fn fitted(&self, value: V<'a>, fit: Fit) -> Result<V<'a>, Stop> {
        if value.is_null() || (fit == Fit::Text && value.is_text()) {
            return Ok(value);
        }
        let value = value.into_value(self.row).ok_or(Stop)?;
        fit.fit(value, &self.fast.zone).map(V::Own).map_err(|_| Stop)
    }

    fn text_out(&self, pieces: &'a [Piece], at: &Frame<'_>, fit: Option<Fit>, out: &mut Vec<u8>) -> Written {
        let mark = out.len();
        out.push(b'"');
        for piece in pieces {
            let read = match piece {
                Piece::Text(_, escaped) => {
                    out.extend_from_slice(escaped);
                    continue;
                }
                Piece::Read(read) => read,
            };
            if read.filters.is_empty() {
                let raw = self.raw(read.place, at);
                match raw.kind {
                    Kind::Null => continue,
                    Kind::Text => {
                        raw.write_inside(self.row, out);
                        continue;
                    }
                    Kind::True | Kind::False | Kind::Number => {
                        raw.write(self.row, out);
                        continue;
                    }
                    Kind::List | Kind::Map => return Err(Stop),
                    Kind::Missing => {}
                }
            }
            match self.read(read, at)? {
                Got::Value(value) if value.is_null() => {}
                Got::Value(value) => write_escaped(&value.plain(self.row).ok_or(Stop)?, out),
                Got::Omitted => return Err(Stop),
                Got::Missing(policy) => {
                    out.truncate(mark);
                    return self.missing(policy, fit, out);
                }
            }
        }
        out.push(b'"');
        Ok(true)
    }

    fn text(&self, pieces: &'a [Piece], at: &Frame<'_>) -> Result<Got<'a>, Stop> {
        let mut text = String::new();
        for piece in pieces {
            let read = match piece {
                Piece::Text(part, _) => {
                    text.push_str(part);
                    continue;
                }
                Piece::Read(read) => read,
            };
            match self.read(read, at)? {
                Got::Value(value) if value.is_null() => {}
                Got::Value(value) => text.push_str(&value.plain(self.row).ok_or(Stop)?),
                got => return Ok(got),
            }
        }
        Ok(Got::Value(V::Own(Value::Text(text))))
    }

    /// What a place gives that holds one value.
    fn got(&self, op: &'a Op, at: &Frame<'_>) -> Result<Got<'a>, Stop> {
        match op {
            Op::Const(value, json) => Ok(Got::Value(V::Const(value, json))),
            Op::Read(read) => self.read(read, at),
            Op::Index(up) => {
                let index = at.around(*up).ok_or(Stop)?.index;
                let index = u64::try_from(index).unwrap_or(u64::MAX);
                Ok(Got::Value(V::Own(Value::Number(Number::from(index)))))
            }
            Op::Text(pieces) => self.text(pieces, at),
            Op::Formula(formula) => self.formula(formula, at),
            Op::Lookup(lookup) => self.lookup(lookup, at),
            Op::Omit => Ok(Got::Omitted),
            Op::Made(made) => self.made(made, at),
            Op::Map(_) | Op::List(_) | Op::Each(_) | Op::Plain(_) => Err(Stop),
        }
    }

    fn read(&self, read: &'a Read, at: &Frame<'_>) -> Result<Got<'a>, Stop> {
        let raw = self.raw(read.place, at);
        if raw.kind == Kind::Missing {
            return Ok(match read.missing {
                Missing::Empty => Got::Value(V::Own(Value::Text(String::new()))),
                policy => Got::Missing(policy),
            });
        }
        let mut value = V::Raw(raw);
        for filter in &read.filters {
            value = self.filtered(value, *filter)?;
        }
        if read.plain && value.is_number_or_truth() {
            value = V::Own(Value::Text(value.plain(self.row).ok_or(Stop)?.into_owned()));
        }
        Ok(Got::Value(value))
    }

    fn filtered(&self, value: V<'a>, filter: Filter) -> Result<V<'a>, Stop> {
        if let (Filter::Text, V::Raw(raw)) = (filter, &value) {
            match raw.kind {
                Kind::Text | Kind::Null => return Ok(value),
                // Digits are written as they are, between quotes.
                Kind::Number => {
                    return Ok(V::Raw(Raw {
                        kind: Kind::Text,
                        escapes: Escapes::None,
                        ..*raw
                    }));
                }
                _ => {}
            }
        }
        if let (V::Raw(raw), Filter::Date | Filter::DateTime) = (&value, filter)
            && let Some(printed) = clock::printed(raw, self.row, filter, &self.fast.zone)
        {
            return Ok(V::Val(Val::Text {
                text: Cow::Owned(printed),
                bare: false,
                clean: true,
            }));
        }
        let value = value.into_value(self.row).ok_or(Stop)?;
        filter.apply(value, &self.fast.zone).map(V::Own).map_err(|_| Stop)
    }

    /// What most expressions give is written at once: handing it on costs as much as making it.
    fn formula_out(
        &self,
        formula: &'a Formula,
        at: &Frame<'_>,
        omits_null: bool,
        out: &mut Vec<u8>,
    ) -> Written {
        let here = Here {
            run: self,
            formula,
            at,
        };
        if let Some(part) = &formula.part
            && let Ok(value) = formula::eval(part, &here, false)
        {
            if value.is_null() && omits_null {
                return Ok(false);
            }
            value.write(out);
            return Ok(true);
        }
        match here.slowly()? {
            Got::Value(value) if value.is_null() && omits_null => Ok(false),
            Got::Value(value) => self.write(value, None, out).map(|()| true),
            Got::Missing(policy) => self.missing(policy, None, out),
            Got::Omitted => Ok(false),
        }
    }

    fn formula(&self, formula: &'a Formula, at: &Frame<'_>) -> Result<Got<'a>, Stop> {
        let here = Here {
            run: self,
            formula,
            at,
        };
        if let Some(part) = &formula.part
            && let Ok(value) = formula::eval(part, &here, false)
        {
            return Ok(Got::Value(V::Val(value)));
        }
        here.slowly()
    }

    /// The keys of a look-up; `None` when one is missing or has no value, and then nothing is asked.
    fn keys(&self, lookup: &'a Lookup, at: &Frame<'_>) -> Result<Option<Vec<Cow<'a, str>>>, Stop> {
        lookup.keys.iter().map(|op| self.key(op, at)).collect()
    }

    fn key(&self, op: &'a Op, at: &Frame<'_>) -> Result<Option<Cow<'a, str>>, Stop> {
        Ok(match self.got(op, at)? {
            Got::Value(value) => value.plain(self.row).filter(|text| !text.is_empty()),
            Got::Missing(_) | Got::Omitted => None,
        })
    }

    /// The text by which answers are found.
    fn asked(&self, lookup: &'a Lookup, at: &Frame<'_>) -> Result<Option<Cow<'a, str>>, Stop> {
        match lookup.keys.as_slice() {
            [op] => self.key(op, at),
            _ => {
                let keys = self.keys(lookup, at)?;
                Ok(keys.map(|keys| Cow::Owned(joined(&keys).into_owned())))
            }
        }
    }

    /// What is not simply there is for the plain evaluator, which says what to wait for and what was looked up.
    fn lookup(&self, lookup: &'a Lookup, at: &Frame<'_>) -> Result<Got<'a>, Stop> {
        let key = self.asked(lookup, at)?.ok_or(Stop)?;
        let answer = self.answers.one(lookup.number, &key).ok_or(Stop)?;
        Ok(Got::Value(V::Answer(answer)))
    }

    fn made(&self, made: &'a Made, at: &Frame<'_>) -> Result<Got<'a>, Stop> {
        let mut got = self.got(&made.of, at)?;
        if let Some(default) = &made.default
            && (matches!(got, Got::Missing(_)) || matches!(&got, Got::Value(value) if value.is_empty()))
        {
            got = self.got(default, at)?;
        }
        let value = match got {
            Got::Value(value) => value,
            Got::Omitted => return Ok(Got::Omitted),
            Got::Missing(policy) => {
                if made.required {
                    return Err(Stop);
                }
                match (made.missing, made.empty) {
                    (None, Some(Empty::Omit)) => return Ok(Got::Omitted),
                    (None, Some(Empty::Null)) => V::Own(Value::Null),
                    (said, _) => match said.unwrap_or(policy) {
                        Missing::Omit => return Ok(Got::Omitted),
                        Missing::Null => V::Own(Value::Null),
                        Missing::Empty => V::Own(Value::Text(String::new())),
                        Missing::Fail | Missing::Defer => return Err(Stop),
                    },
                }
            }
        };
        if made.required && value.is_empty() {
            return Err(Stop);
        }
        let value = match made.empty {
            Some(Empty::Omit) if value.is_empty() => return Ok(Got::Omitted),
            Some(Empty::Null) if value.is_empty() => V::Own(Value::Null),
            None if made.null_by_nature && value.is_null() => return Ok(Got::Omitted),
            _ => value,
        };
        match made.fit {
            Some(fit) => self.fitted(value, fit).map(Got::Value),
            None => Ok(Got::Value(value)),
        }
    }

    fn each(&self, each: &'a Each, at: &Frame<'_>, out: &mut Vec<u8>) -> Written {
        let list = self.raw(each.list, at);
        match list.kind {
            Kind::List => {}
            Kind::Missing if each.empty => return Err(Stop),
            Kind::Missing | Kind::Null => {
                match each.missing {
                    Missing::Omit => return Ok(false),
                    Missing::Null => out.extend_from_slice(b"null"),
                    Missing::Empty => out.extend_from_slice(b"[]"),
                    Missing::Fail | Missing::Defer => return Err(Stop),
                }
                return Ok(true);
            }
            _ => return Err(Stop),
        }
        out.push(b'[');
        let mut is_first = true;
        self.lines(list, at, &mut |line| {
            if self.keeps(each, line)? {
                if !is_first {
                    out.push(b',');
                }
                is_first = false;
                self.element(&each.body, line, each.omits_null, out)?;
            }
            Ok(())
        })?;
        out.push(b']');
        Ok(true)
    }

    fn lines(
        &self,
        list: Raw,
        at: &Frame<'_>,
        each: &mut dyn FnMut(&Frame<'_>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let (mut head, mut index) = (list.first, 1);
        while head != NO_FRAME {
            each(&Frame {
                head,
                index,
                up: Some(at),
                value: OnceCell::new(),
            })?;
            head = self.raws[head as usize].first;
            index += 1;
        }
        Ok(())
    }

    /// The look-ups of a place whose answers are not known.
    pub(super) fn wants(&self, op: &'a Op, at: &Frame<'_>, wants: &mut Vec<LookupWant>) {
        match op {
            Op::Lookup(lookup) => {
                if let Ok(Some(key)) = self.asked(lookup, at)
                    && !self.answers.knows(lookup.number, &key)
                    && let Ok(Some(keys)) = self.keys(lookup, at)
                {
                    let want = LookupWant {
                        spec: lookup.spec.clone(),
                        keys: keys.into_iter().map(Cow::into_owned).collect(),
                        also: None,
                        hidden: lookup.hidden,
                    };
                    if !wants.contains(&want) {
                        wants.push(want);
                    }
                }
            }
            Op::Map(members) => members
                .iter()
                .for_each(|member| self.wants(&member.op, at, wants)),
            Op::List(items) => items.iter().for_each(|(item, _)| self.wants(item, at, wants)),
            Op::Made(made) => {
                self.wants(&made.of, at, wants);
                if let Some(default) = &made.default {
                    self.wants(default, at, wants);
                }
            }
            Op::Each(each) if !each.looks_up => {}
            Op::Each(each) => {
                let list = self.raw(each.list, at);
                let each = &mut |line: &Frame<'_>| {
                    self.wants(&each.body, line, wants);
                    Ok(())
                };
                // Collecting keys stops nowhere.
                self.lines(list, at, each).unwrap_or_default();
            }
            Op::Const(..)
            | Op::Read(_)
            | Op::Index(_)
            | Op::Text(_)
            | Op::Formula(_)
            | Op::Omit
            | Op::Plain(_) => {}
        }
    }

    /// The texts of the identifying fields, from the document.
    pub(super) fn identity(&self, out: &[u8]) -> Result<Vec<String>, Stop> {
        let written = self.identities.iter().take(self.fast.key_fields.len());
        let texts = written.map(|at| {
            let (begin, end) = at.get();
            let json = std::str::from_utf8(out.get(begin..end)?).ok()?;
            let text = match json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) {
                Some(inside) if inside.contains('\\') => unescaped(inside),
                Some(inside) => inside.to_owned(),
                None if json == "null" || json.starts_with(['{', '[']) => return None,
                None => json.to_owned(),
            };
            (!text.is_empty()).then_some(text)
        });
        texts.collect::<Option<_>>().ok_or(Stop)
    }
}
