//! Where the expressions of a program get their values from.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::Stop;
use super::formula::Fields;
use super::program::{Formula, Place};
use super::raw::Raw;
use super::run::{Frame, Run};
use super::value::{Got, V};
use crate::catalogue::evaluation;
use crate::expr::Env;
use crate::path::Path;
use crate::tree::term::Missing;
use crate::value::Value;

/// An expression at its place.
pub(super) struct Here<'h, 'a> {
    pub(super) run: &'h Run<'a>,
    pub(super) formula: &'h Formula,
    pub(super) at: &'h Frame<'h>,
}

impl<'a> Here<'_, 'a> {
    /// By the evaluator of expressions.
    pub(super) fn slowly(&self) -> Result<Got<'a>, Stop> {
        match self.formula.expr.eval(self) {
            Ok(value) => Ok(Got::Value(V::Own(value))),
            Err(failure) if failure.entry.code == evaluation::FIELD_MISSING.code => {
                Ok(Got::Missing(Missing::Fail))
            }
            Err(_) => Err(Stop),
        }
    }
}

impl<'a> Fields<'a> for Here<'_, 'a> {
    fn row(&self) -> &'a str {
        self.run.row
    }

    fn raw(&self, place: Place) -> Raw {
        self.run.raw(place, self.at)
    }

    fn compat(&self) -> bool {
        self.run.fast.compat_qeasy
    }
}

impl Env for Here<'_, '_> {
    fn field(&self, slot: usize, _path: &Path) -> Option<Cow<'_, Value>> {
        let place = self.formula.places.get(slot)?;
        self.run.raw(*place, self.at).value(self.run.row).map(Cow::Owned)
    }

    fn lookup(&self, _index: usize) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        self.run.cx.now_ms
    }

    fn zone(&self) -> &TimeZone {
        &self.run.fast.zone
    }

    fn compat_qeasy(&self) -> bool {
        self.run.fast.compat_qeasy
    }
}
