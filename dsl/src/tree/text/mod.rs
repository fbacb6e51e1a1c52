//! `$template`: text from a small template language. It makes text and nothing else.
//!
//! Fields are read by name, `<<…>>` works as elsewhere. Data is only ever printed: nothing in it is read as template.
//! Bounded in length, steps and output; there are no includes, macros, assignments and calls.

mod data;
mod scan;

use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use minijinja::value::Value as Jinja;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};

use crate::catalogue::{record, value as words};
use crate::diagnostic::{Failure, did_you_mean};
use crate::path::Path;
use crate::tree::compile::{Compile, TEMPLATE_BYTES};
use crate::tree::eval::{Eval, Lines};
use crate::tree::get::{Gap, Got};
use crate::tree::term::{Maker, Missing, Read};
use crate::value::{Number, Value};
use crate::yaml::{Node, Pair};

use scan::Fault;

/// Instructions of one evaluation: a thousand lines of a document with room to spare, and over in a few hundredths of
/// a second.
const FUEL: u64 = 200_000;

/// Bytes of the text that comes out.
const OUTPUT_BYTES: usize = 1 << 20;

/// Loops and conditions inside each other.
const DEPTH: usize = 32;

const NAME: &str = "template";

/// A compiled template, and what it reads.
#[derive(Clone)]
pub(crate) struct TextTerm {
    env: Arc<Environment<'static>>,
    /// Fields by name, then `__p0` and so on.
    pub(crate) reads: Vec<(String, Read)>,
    numbers: Arc<[Number]>,
}

impl fmt::Debug for TextTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TextTerm")
            .field("reads", &self.reads)
            .finish_non_exhaustive()
    }
}

impl Compile<'_> {
    /// Compiles what stands behind `$template`.
    pub(crate) fn text_template(&mut self, pair: &Pair) -> Option<Maker> {
        let node = &pair.value;
        let Some(scalar) = node.scalar() else {
            return self.bad(pair, "文本", "a text");
        };
        let text = scalar.text.as_str();
        if text.len() > TEMPLATE_BYTES {
            let problem = self.problem(&words::TOO_BIG, node.span.clone());
            self.report(problem.with("limit", TEMPLATE_BYTES));
            return None;
        }
        let scanned = match scan::scan(text) {
            Ok(scanned) => scanned,
            Err(fault) => return self.template_fault(node, fault),
        };
        let mut env = environment();
        if let Err(error) = env.add_template_owned(NAME, scanned.source.clone()) {
            let at = line_span(text, error.line());
            let (zh, en) = syntax(&error);
            let problem = self.problem(&words::TEMPLATE_SYNTAX, node.span_in(at));
            self.report(problem.with("why_zh", zh).with("why_en", en));
            return None;
        }
        let dotted = env
            .get_template(NAME)
            .map(|template| template.undeclared_variables(true));
        let mut dotted: Vec<String> = dotted.unwrap_or_default().into_iter().collect();
        dotted.sort();
        let mut reads: Vec<(String, Read)> = Vec::new();
        let mut good = true;
        for name in &dotted {
            let first = name.split('.').next().unwrap_or(name);
            if first.starts_with("__") || first == "loop" {
                continue;
            }
            let at = scanned.names.iter().find(|(known, _)| known == first);
            let span = at.map_or(node.span.clone(), |(_, at)| node.span_in(at.clone()));
            // The whole name is checked, its first part is read: the template goes on from there.
            let whole = Path::names(name.split('.'));
            let problems = self.diags.len();
            if self.read(&whole, span.clone(), false, Vec::new()).is_none() {
                good = false;
                continue;
            }
            if !reads.iter().any(|(known, _)| known == first) {
                let top = self.read(&Path::names([first]), span, false, Vec::new());
                // One misspelt name is one problem.
                self.diags
                    .truncate(problems.max(self.diags.len().min(problems + 1)));
                reads.extend(top.map(|read| (first.to_owned(), read)));
            }
        }
        for (index, (inside, at)) in scanned.placeholders.iter().enumerate() {
            let start = at.start;
            let place = |part: Range<usize>| node.span_in(start + part.start..start + part.end);
            match self.placeholder(inside, &place) {
                Some(read) => reads.push((format!("__p{index}"), read)),
                None => good = false,
            }
        }
        let numbers = scanned
            .numbers
            .iter()
            .map(|digits| plain_number(digits))
            .collect();
        good.then(|| {
            Maker::Template(TextTerm {
                env: Arc::new(env),
                reads,
                numbers,
            })
        })
    }

    fn template_fault<T>(&mut self, node: &Node, fault: Fault) -> Option<T> {
        let text = &node.scalar().expect("only scalars come here").text;
        let problem = match fault {
            Fault::Unclosed { at, mark } => self
                .problem(&words::UNCLOSED, node.span_in(at))
                .with("mark", mark),
            Fault::Filter(at) => {
                let near = did_you_mean(&text[at.clone()], data::FILTERS.iter().copied());
                self.problem(&words::UNKNOWN_FILTER, node.span_in(at.clone()))
                    .with("name", &text[at])
                    .with("all", data::FILTERS.join(" "))
                    .similar(near)
            }
            Fault::Refused(at, (zh, en)) => self
                .problem(&words::TEMPLATE_REFUSED, node.span_in(at.clone()))
                .with("what", &text[at])
                .with("help_zh", zh)
                .with("help_en", en),
        };
        self.report(problem);
        None
    }
}

/// What is wrong with the form of a template, in Chinese and English.
fn syntax(error: &minijinja::Error) -> (String, String) {
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    if detail.starts_with("unexpected end of input") {
        return (
            "它没有写完,`if` 以 `endif` 结束,`for` 以 `endfor` 结束".to_owned(),
            "it is not finished: `if` ends with `endif`, `for` with `endfor`".to_owned(),
        );
    }
    (format!("不能这样写({detail})"), detail)
}

fn environment() -> Environment<'static> {
    let mut env = Environment::empty();
    env.set_undefined_behavior(UndefinedBehavior::Strict);
    env.set_auto_escape_callback(|_| AutoEscape::None);
    env.set_formatter(|out, _, value| data::print(out, value));
    env.set_fuel(Some(FUEL));
    env.set_recursion_limit(DEPTH);
    data::install(&mut env);
    env
}

/// `007` is no JSON number.
fn plain_number(digits: &str) -> Number {
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, ""), |(whole, rest)| (whole, rest));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let text = if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    };
    Number::parse(&text).unwrap_or_else(|| Number::from(0_u64))
}

/// The bytes of a line of a text, counted from 1, without blanks around it.
fn line_span(text: &str, line: Option<usize>) -> Range<usize> {
    let number = line.unwrap_or(1).saturating_sub(1);
    let start: usize = text.split_inclusive('\n').take(number).map(str::len).sum();
    let line = text[start..].lines().next().unwrap_or_default();
    let blanks = line.len() - line.trim_start().len();
    start + blanks..start + blanks + line.trim().len()
}

/// Takes so many bytes and no more.
#[derive(Default)]
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > OUTPUT_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Eval<'_> {
    /// The text of a template.
    pub(crate) fn template(&self, term: &TextTerm, lines: Option<&Lines<'_>>) -> Result<Got, Failure> {
        let missed = data::Missed::default();
        let mut names = data::Names {
            values: Vec::with_capacity(term.reads.len() + term.numbers.len() + 1),
            missed: Arc::clone(&missed),
        };
        let mut gaps: Vec<(&str, Box<Gap>)> = Vec::new();
        for (name, read) in &term.reads {
            match self.read(read, lines)? {
                Got::Value(value) => names
                    .values
                    .push((name.clone(), data::give(&value, name, &missed))),
                Got::Missing(gap) => gaps.push((name, gap)),
                Got::Omitted | Got::Deferred(_) => {}
            }
        }
        for (index, number) in term.numbers.iter().enumerate() {
            names
                .values
                .push((format!("__n{index}"), data::exact(number.clone())));
        }
        let zone = data::Zone(self.scope.zone().clone());
        names
            .values
            .push((data::ZONE.to_owned(), Jinja::from_object(zone)));
        let mut out = Bounded::default();
        let rendered = term.env.get_template(NAME).and_then(|template| {
            template
                .render_captured_to(Jinja::from_object(names), &mut out)
                .map(drop)
        });
        let Err(error) = rendered else {
            let text = String::from_utf8(out.0).expect("texts are written whole");
            return Ok(Got::Value(Value::Text(text)));
        };
        if error.kind() == ErrorKind::UndefinedError {
            let name = missed
                .lock()
                .ok()
                .and_then(|mut last| last.take())
                .unwrap_or_default();
            let known = gaps.iter().position(|(gap, _)| *gap == name);
            let gap = match known {
                Some(at) => gaps.swap_remove(at).1,
                None => Box::new(Gap {
                    failure: Failure::new(&record::MISSING_FIELD).with("path", name),
                    policy: Missing::Fail,
                    want: None,
                }),
            };
            return Ok(Got::Missing(gap));
        }
        Err(failed(&error))
    }
}

/// Our words for what went wrong; the engine's own may quote values, so only their kind is told.
fn failed(error: &minijinja::Error) -> Failure {
    let (zh, en) = match (
        error.kind(),
        error.detail().and_then(|detail| detail.split_once('\n')),
    ) {
        (_, Some((zh, en))) => (zh.to_owned(), en.to_owned()),
        (ErrorKind::OutOfFuel, _) => ("步骤太多".to_owned(), "it takes too many steps".to_owned()),
        (ErrorKind::WriteFailure, _) => ("结果太长".to_owned(), "the result is too long".to_owned()),
        (kind, _) => (kind.to_string(), kind.to_string()),
    };
    Failure::new(&record::TEMPLATE_FAILED)
        .with("line", error.line().unwrap_or(1))
        .with("what_zh", zh)
        .with("what_en", en)
}
