//! The plan as slots: the way of a record from the bytes of its row to the bytes of its document.
//!
//! A compiled plan knows which fields it reads. One pass over a row ([`Page::scan`]) notes where they stand; what is only
//! handed on is copied as it stands, escapes included; expressions borrow their texts and compute with machine integers
//! as long as those hold every digit; the document is written straight into the caller's buffer.
//!
//! The plain evaluator ([`TargetPlan::build`]) is the meaning of a plan, and this is a faster way to it. Where a value, a
//! row or a plan is out of the ordinary, nothing is guessed: a part of the document is then done by the plain evaluator
//! over the fields that it reads, a whole row comes back as [`Outcome::Plain`], and a plan that cannot be taken apart is
//! refused by [`Fast::of`] with the reason. Everything that fails or waits is [`Outcome::Plain`], too, so that failures,
//! their places and what is waited for come from one place. That both ways give the same bytes is what the tests of the
//! crate `fuzz` compare, over schemes and rows that are made up.

mod answers;
mod clock;
mod formula;
mod here;
mod lower;
mod number;
mod plain;
mod program;
mod raw;
mod run;
mod scan;
mod value;

use std::cell::{Cell, OnceCell};
use std::fmt;

use jiff::tz::TimeZone;

use crate::facts::Action;
use crate::lines::LineIds;
use crate::lookup::{Hits, LookupSpec, LookupWant};
use crate::path::Path;
use crate::plan::{RecordCx, TargetPlan};
use crate::target::PAYLOAD_BYTES;
use crate::value::Value;
use program::Op;
use run::{Frame, Run};
use scan::{Slots, Spec};

pub use answers::Answers;

/// Why a plan goes the plain way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhyNot {
    /// A call about a document has no document.
    Void,
    /// Values that are computed once for the record, or come from its steps.
    Let,
    /// Options of the call that depend on the record.
    Options,
    /// Lines that the target knows by ids.
    LineIds,
    /// A look-up inside of an expression, of a condition, or with a condition of its own.
    Lookup,
    /// A field that identifies the document and stands in no plain place of it.
    Key,
    /// Something that reads the row as a whole.
    WholeRow,
    /// More places than can be counted.
    TooLarge,
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WhyNot::Void => "the call has no document",
            WhyNot::Let => "it has values of `let` or of steps",
            WhyNot::Options => "options of the call depend on the record",
            WhyNot::LineIds => "its lines have keys",
            WhyNot::Lookup => "a look-up stands in an expression or has a condition",
            WhyNot::Key => "a field of the key stands in no plain place",
            WhyNot::WholeRow => "the row is read as a whole",
            WhyNot::TooLarge => "it has too many places",
        })
    }
}

/// Fields that identify a document, at most; no target has more.
const MOST_KEYS: usize = 8;

/// What is left to the plain evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stop;

/// A plan's way to the document of one action, over slots.
#[derive(Debug, Clone)]
pub struct Fast {
    root: Op,
    spec: Spec,
    lookups: Vec<LookupSpec>,
    read_plainly: Vec<(String, u32)>,
    types: Vec<(String, String)>,
    has_types: bool,
    key_fields: Vec<Path>,
    options: Value,
    action: Action,
    compat_qeasy: bool,
    zone: TimeZone,
}

/// One record and what is known of it: a [`RecordCx`] without the row.
#[derive(Debug, Clone, Copy)]
pub struct RowCx<'a> {
    /// Its identity, as ingesting gave it.
    pub key: &'a str,
    /// What people see.
    pub label: &'a str,
    /// What the target calls it.
    pub target_id: Option<&'a str>,
    /// The target's number of it.
    pub target_number: Option<&'a str>,
    /// The one instant of the run, in milliseconds since 1970.
    pub now_ms: i64,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its document is written, byte for byte as the plain evaluator's would be.
    Written {
        /// The texts of its key fields, in order.
        tkey: Vec<String>,
    },
    /// It is for the plain evaluator: nothing was written.
    Plain,
}

/// The rows of a page, as slots. What it learns of the names of their members stays from page to page.
#[derive(Debug, Clone, Default)]
pub struct Page {
    slots: Slots,
}

/// A row of a [`Page`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowAt(u32);

impl Page {
    /// No rows yet.
    pub fn new() -> Page {
        Page::default()
    }

    /// Forgets the rows.
    pub fn clear(&mut self) {
        self.slots.clear();
    }

    /// Reads a row of a plan; one plan's rows only. `None` for a row that is for the plain reader, which may refuse it.
    pub fn scan(&mut self, fast: &Fast, row: &str) -> Option<RowAt> {
        self.slots.scan(&fast.spec, row).ok().map(RowAt)
    }

    /// The same for bytes that may not be UTF-8.
    pub fn scan_bytes<'r>(&mut self, fast: &Fast, row: &'r [u8]) -> Option<(RowAt, &'r str)> {
        let row = std::str::from_utf8(row).ok()?;
        self.scan(fast, row).map(|at| (at, row))
    }
}

impl Fast {
    /// The fast way of a plan for one action, times being read and printed in a zone, or why there is none.
    pub fn of(target: &TargetPlan, action: Action, zone: &TimeZone) -> Result<Fast, WhyNot> {
        if matches!(action, Action::Void | Action::Step) {
            return Err(WhyNot::Void);
        }
        if !target.lets.is_empty() {
            return Err(WhyNot::Let);
        }
        let options = constant_options(target, action, zone).ok_or(WhyNot::Options)?;
        if target.key.len() > MOST_KEYS {
            return Err(WhyNot::Key);
        }
        let lowered = lower::lower(target, action)?;
        Ok(Fast {
            root: lowered.root,
            spec: lowered.spec,
            lookups: lowered.lookups,
            read_plainly: lowered.read_plainly,
            has_types: !target.types.is_empty(),
            types: target.types.clone(),
            key_fields: target.key.clone(),
            options,
            zone: zone.clone(),
            action,
            compat_qeasy: target.compat_qeasy,
        })
    }

    /// The options of the call.
    pub fn options(&self) -> &Value {
        &self.options
    }

    /// The fields that identify a document.
    pub fn key_fields(&self) -> &[Path] {
        &self.key_fields
    }

    /// No answers yet.
    pub fn answers(&self) -> Answers {
        Answers::of(self.lookups.iter().cloned())
    }

    /// Whether a row looks anything up.
    pub fn looks_up(&self) -> bool {
        !self.lookups.is_empty()
    }

    /// The look-ups of a row whose answers are not known; there is one level of them.
    pub fn wants(
        &self,
        page: &Page,
        at: RowAt,
        row: &str,
        cx: &RowCx<'_>,
        answers: &Answers,
        wants: &mut Vec<LookupWant>,
    ) {
        if self.looks_up() {
            let run = self.run(page, at, row, cx, answers);
            run.wants(&self.root, &Frame::row(at.0), wants);
        }
    }

    /// Writes the document of a row behind what `out` holds.
    pub fn write(
        &self,
        page: &Page,
        at: RowAt,
        row: &str,
        cx: &RowCx<'_>,
        answers: &Answers,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let begin = out.len();
        let run = self.run(page, at, row, cx, answers);
        let written = run
            .emit(&self.root, &Frame::row(at.0), false, None, out)
            .and_then(|written| {
                if !written {
                    out.extend_from_slice(b"{}");
                }
                if out.len() - begin > PAYLOAD_BYTES / 2 {
                    return Err(Stop);
                }
                run.identity(out)
            });
        match written {
            Ok(tkey) => Outcome::Written { tkey },
            Err(Stop) => {
                out.truncate(begin);
                Outcome::Plain
            }
        }
    }

    fn run<'a>(
        &'a self,
        page: &'a Page,
        at: RowAt,
        row: &'a str,
        cx: &'a RowCx<'a>,
        answers: &'a Answers,
    ) -> Run<'a> {
        Run {
            fast: self,
            raws: &page.slots.raws,
            row,
            head: at.0,
            cx,
            answers,
            identities: [const { Cell::new((0, 0)) }; MOST_KEYS],
            plain: OnceCell::new(),
        }
    }
}

/// The options of the call, where they are the same for every record.
fn constant_options(target: &TargetPlan, action: Action, zone: &TimeZone) -> Option<Value> {
    let tree = &target.options;
    if !tree.slots().is_empty()
        || !tree.names().is_empty()
        || !tree.lookups().is_empty()
        || tree.reads_clock()
    {
        return None;
    }
    let cx = RecordCx {
        row: &Value::Null,
        line: None,
        key: "",
        label: "",
        target_id: None,
        target_number: None,
        action,
        now_ms: 0,
        zone,
        line_ids: LineIds::none(),
        steps: &[],
    };
    target.call_options(&cx, &Hits::new()).ok()?
}

impl<'a> RowCx<'a> {
    /// What a record's context says besides its row.
    pub fn of(cx: &RecordCx<'a>) -> RowCx<'a> {
        RowCx {
            key: cx.key,
            label: cx.label,
            target_id: cx.target_id,
            target_number: cx.target_number,
            now_ms: cx.now_ms,
        }
    }
}
