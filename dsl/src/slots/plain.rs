//! Terms that the plain evaluator does, over a row that has only the fields which such terms read.

use super::Stop;
use super::program::Each;
use super::raw::Kind;
use super::run::{Frame, Run, Written};
use crate::filter::Fit;
use crate::json;
use crate::lines::LineIds;
use crate::scope::RecordScope;
use crate::target::{plain_key, type_places};
use crate::tree::term::Term;
use crate::tree::{Eval, Flow, Lines, ValueSink};
use crate::value::{Map, Value};

/// What is done with the plain evaluator and the lines around a place.
type Plainly<'w, T> = dyn FnMut(&Eval<'_>, Option<&Lines<'_>>) -> Result<T, Stop> + 'w;

impl Run<'_> {
    /// Whether a line is kept.
    pub(super) fn keeps(&self, each: &Each, line: &Frame<'_>) -> Result<bool, Stop> {
        let Some(cond) = &each.keep else { return Ok(true) };
        self.plainly(line, &mut |eval, lines| {
            cond.decide(&mut |term| eval.optional(term, lines))
                .map_err(|_| Stop)
        })
    }

    /// A term by the plain evaluator.
    pub(super) fn plain(&self, term: &Term, at: &Frame<'_>, fit: Option<Fit>, out: &mut Vec<u8>) -> Written {
        self.plainly(at, &mut |eval, lines| {
            let mut sink = ValueSink::new();
            let flow = eval.write(term, lines, None, &mut sink).map_err(|_| Stop)?;
            if !eval.left_nothing() {
                return Err(Stop);
            }
            match flow {
                Flow::Omitted => Ok(false),
                Flow::Deferred(_) => Err(Stop),
                Flow::Written => {
                    let mut value = sink.finish().ok_or(Stop)?;
                    match fit {
                        Some(fit) if !matches!(value, Value::Map(_) | Value::List(_)) => {
                            value = fit.fit(value, &self.fast.zone).map_err(|_| Stop)?;
                        }
                        _ => {
                            let types = &self.fast.types;
                            type_places(&mut value, types, &self.fast.zone).map_err(|_| Stop)?;
                        }
                    }
                    json::write(&value, out);
                    Ok(true)
                }
            }
        })
    }

    fn plainly<T>(&self, at: &Frame<'_>, with: &mut Plainly<'_, T>) -> Result<T, Stop> {
        let row = self.plain.get_or_init(|| {
            let mut members = Map::new();
            for (name, slot) in &self.fast.read_plainly {
                let raw = self.raws.get((self.head + 1 + slot) as usize)?;
                if raw.kind != Kind::Missing {
                    members.insert(name.clone(), raw.value(self.row)?);
                }
            }
            Some(Value::Map(members))
        });
        let scope = self.scope(row.as_ref().ok_or(Stop)?);
        let eval = Eval::new(&scope, self.answers.hits());
        let mut result = Err(Stop);
        self.with_lines(at, &mut |lines| {
            result = with(&eval, lines);
        })?;
        result
    }

    /// The lines around a place as the plain evaluator takes them.
    fn with_lines(&self, at: &Frame<'_>, with: &mut dyn FnMut(Option<&Lines<'_>>)) -> Result<(), Stop> {
        let Some(up) = at.up else {
            with(None);
            return Ok(());
        };
        let value = at.value.get_or_init(|| {
            let raw = self.raws.get((at.head + 1) as usize)?;
            raw.value(self.row)
        });
        let value = value.as_ref().ok_or(Stop)?;
        self.with_lines(up, &mut |up| {
            with(Some(&Lines {
                value,
                index: at.index,
                up,
                line: None,
            }));
        })
    }

    fn scope<'s>(&'s self, row: &'s Value) -> RecordScope<'s> {
        let text = |text: Option<&str>| Value::Text(text.unwrap_or_default().to_owned());
        RecordScope {
            row,
            line: None,
            key: Value::Text(plain_key(self.cx.key)),
            label: self.cx.label.into(),
            target_id: text(self.cx.target_id),
            target_number: text(self.cx.target_number),
            action: self.fast.action,
            lets: Map::new(),
            now_ms: self.cx.now_ms,
            zone: &self.fast.zone,
            compat_qeasy: self.fast.compat_qeasy,
            drops_null: self.fast.compat_qeasy,
            line_ids: LineIds::none(),
            first_step: None,
            steps: &[],
            answer: None,
        }
    }
}
