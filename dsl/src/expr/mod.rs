//! The `_function` language: MySQL's expression grammar over the fields of a record.
//!
//! An expression is parsed before any value is put in, so nothing a record holds can become part of it. What a
//! text substitution did in the tools schemes come from is kept where authors rely on it:
//!
//! * `<<price>>` bare is the value. A number keeps its digits; text stays text until arithmetic or a comparison
//!   with a number needs one, and then it is an exact decimal (quoted text is floating point, as on the server).
//!   `true` is 1. An instant is a time of the scheme's zone.
//! * `'C-<<shop>>'` in quotes is text: a number prints as written, NULL as nothing. `'\{{'` and `'\<<'` are no
//!   placeholders.
//! * `{{LAST_SYNC_TIME}}000` is the number that results from writing the digits behind the value.
//! * `_findCollection find F from S where a=b _endFind` is an operand; nothing found is NULL, so
//!   `case … when true then A else B end` gives B.
//!
//! A field that the record does not have is a failure that names it, unless a surrounding `IFNULL`, `COALESCE`,
//! `IS NULL`, `<=>` or aggregate function says what to do: there it is NULL. A field that is NULL is NULL
//! everywhere. With `compat: qeasy` a missing field is empty text.
//!
//! `SUM`, `AVG`, `MIN`, `MAX` and `COUNT` run over lines: `sum(<<details.qty>>)`, and line by line over an
//! expression, `sum(<<details.qty>> * <<details.price>>)`.
//!
//! Where this differs from the server on purpose: a comparison of text with an exact number is exact, not by
//! floating point; a value that grows past its bound and a CAST that does not fit are failures instead of a NULL
//! or a nearest value with a warning. `docs/oracle.md` has the whole list.
//!
//! Not here: the functions (crate `functions`), where fields come from ([`Env`]), and when look-ups are done.

mod arith;
pub(crate) mod ast;
mod cast;
mod check;
mod collation;
mod compare;
mod error;
mod eval;
mod find;
mod json_operand;
mod parse;
mod print;
mod refused;
pub(crate) mod regexp;
mod regexp_class;
pub(crate) mod run;
mod scan;
pub mod sql;
pub(crate) mod text;
pub mod time;
mod trace;
pub mod ty;
pub(crate) mod types;
mod uses;
mod warn;

use std::borrow::Cow;
use std::ops::Range;

use jiff::tz::TimeZone;

use crate::builtin::Registry;
use crate::catalogue::{Entry, evaluation};
use crate::diagnostic::{Facts, Failure};
use crate::path::{Path, Segment};
use crate::value::Value;

pub use find::{FindKey, FindSpec, parse_find};
pub use parse::limit_parser_calls;
pub use refused::{REFUSED, Refused, refused};
pub use sql::Sql;
pub use trace::Step;
pub use ty::Ty;
pub use uses::Use;

/// How large an expression and its values may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the text. Nobody writes more by hand, and a parser's time grows with it.
    pub text: usize,
    /// Nesting of parentheses, `CASE` and signs; keeps the parser's stack small.
    pub depth: usize,
    /// Operators.
    pub operators: usize,
    /// Bytes of one value.
    pub value: usize,
    /// Steps of one evaluation: a node is one, long texts cost more.
    pub fuel: u64,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            text: 8 << 10,
            depth: 64,
            operators: 500,
            value: 1 << 20,
            fuel: 1_000_000,
        }
    }
}

/// One problem in the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// The row of the catalogue.
    pub entry: &'static Entry,
    /// What fills its words.
    pub facts: Facts,
    /// Bytes of the expression's text.
    pub span: Range<usize>,
    /// Names near the one that was not found.
    pub similar: Vec<String>,
}

/// Where an expression gets its values from.
pub trait Env {
    /// The value of a placeholder: `slot` is its number in [`Expr::reads`]. `None` is a missing field.
    fn field(&self, slot: usize, path: &Path) -> Option<Cow<'_, Value>>;

    /// The value of a placeholder in an aggregate function: a path that passes through lists gives a list, one
    /// element per line and NULL where a line lacks the field. [`gather`] does this over a tree.
    fn list(&self, slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        self.field(slot, path)
    }

    /// What the look-up with this number in [`Expr::lookups`] found.
    fn lookup(&self, index: usize) -> Option<Value>;

    /// The one instant of the run, in milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The zone in which times are read and printed.
    fn zone(&self) -> &TimeZone;

    /// Whether a missing field is empty text.
    fn compat_qeasy(&self) -> bool {
        false
    }
}

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expr {
    root: ast::Node,
    reads: Vec<(Path, Range<usize>)>,
    filters: Vec<Vec<String>>,
    lookups: Vec<FindSpec>,
    warnings: Vec<ExprError>,
    pasted: Vec<ExprError>,
    bounds: Bounds,
}

impl Expr {
    /// Its parts.
    pub(crate) fn root(&self) -> &ast::Node {
        &self.root
    }

    /// The filters of each placeholder of [`Expr::reads`].
    pub(crate) fn filters(&self) -> &[Vec<String>] {
        &self.filters
    }

    /// Whether it asks what time it is.
    pub(crate) fn reads_clock(&self) -> bool {
        self.root.reads_clock()
    }
}

/// Compiles the text behind `_function `. All problems that can be told apart are reported at once.
pub fn compile(text: &str, registry: &Registry, bounds: &Bounds) -> Result<Expr, Vec<ExprError>> {
    scan::scan(text, registry, bounds)?;
    let parsed = parse::parse(text, registry)?;
    let checked = check::check(parsed, text, check::Constants::Computed)?;
    Ok(Expr {
        bounds: *bounds,
        ..checked
    })
}

/// [`compile`] without computing constant parts beforehand, so that [`Expr::trace`] shows them.
pub fn compile_for_trace(text: &str, registry: &Registry, bounds: &Bounds) -> Result<Expr, Vec<ExprError>> {
    scan::scan(text, registry, bounds)?;
    let parsed = parse::parse(text, registry)?;
    let checked = check::check(parsed, text, check::Constants::Kept)?;
    Ok(Expr {
        bounds: *bounds,
        ..checked
    })
}

/// The placeholders of an expression that does not compile, as far as it can be parsed: their names can be wrong too.
pub(crate) fn reads_in(text: &str, registry: &Registry, bounds: &Bounds) -> Vec<(Path, Range<usize>)> {
    if scan::scan(text, registry, bounds).is_err() {
        return Vec::new();
    }
    parse::parse(text, registry).map_or_else(|_| Vec::new(), |parsed| parsed.reads)
}

impl Expr {
    /// The placeholders of both spellings, in the order of the text, without their filters; the range holds the
    /// whole placeholder. One written twice is there twice. Keys of look-ups are in [`Expr::lookups`].
    pub fn reads(&self) -> &[(Path, Range<usize>)] {
        &self.reads
    }

    /// The nested look-ups, in the order of the text.
    pub fn lookups(&self) -> &[FindSpec] {
        &self.lookups
    }

    /// What is allowed but deserves a look.
    pub fn warnings(&self) -> &[ExprError] {
        &self.warnings
    }

    /// Where a tool that pastes values into the text before it computes it would have given something else: with
    /// an empty value, with text that has no quotes, with a quote in a value, over lines. What also deserves a look
    /// without such a tool is in [`Expr::warnings`].
    pub fn pasted(&self) -> &[ExprError] {
        &self.pasted
    }

    /// Computes the value that is sent: a number with its digits, text, or null.
    pub fn eval(&self, env: &dyn Env) -> Result<Value, Failure> {
        let value = self.eval_typed(env)?;
        value
            .to_value()
            .ok_or_else(|| Failure::new(&evaluation::BYTES_ARE_NO_TEXT))
    }

    /// What each placeholder of [`Expr::reads`] is needed for.
    pub fn uses(&self) -> Vec<Use> {
        uses::uses(&self.root, self.reads.len())
    }

    /// The type of the result, whether it is NULL or not.
    pub fn ty(&self, env: &dyn Env) -> Ty {
        types::of(&run::Run::new(self, env), &self.root)
    }

    /// Every part with its type and value, in the order of computation; compile with [`compile_for_trace`].
    pub fn trace(&self, env: &dyn Env) -> Vec<Step> {
        trace::trace(self, env)
    }

    /// The values the expression read, by name and as they would be shown; a missing field has none. For the
    /// message of a failure: at most so many, each cut to so many characters.
    pub fn readings(&self, env: &dyn Env, most: usize, characters: usize) -> Vec<(String, Option<String>)> {
        let mut readings: Vec<(String, Option<String>)> = Vec::new();
        for (slot, (path, _)) in self.reads.iter().enumerate() {
            let name = path.to_string();
            if readings.len() >= most || readings.iter().any(|(known, _)| *known == name) {
                continue;
            }
            let shown = env.field(slot, path).map(|value| shown(&value, characters));
            readings.push((name, shown));
        }
        readings
    }

    /// Computes the value with its kind.
    pub fn eval_typed<'a>(&'a self, env: &'a dyn Env) -> Result<Sql<'a>, Failure> {
        run::Run::new(self, env).whole()
    }
}

fn shown(value: &Value, characters: usize) -> String {
    let text = match value {
        Value::Text(text) => format!("'{text}'"),
        Value::Instant(instant) => format!("{} ms", instant.ms),
        other => crate::json::to_string(other),
    };
    match text.char_indices().nth(characters) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Every value at `path`, in the order of the lines: names pass through lists with or without `*`, and a line
/// without the field gives null. `None` when nothing is there. A path that meets no list gives its one value.
pub fn gather<'v>(root: &'v Value, path: &Path) -> Option<Cow<'v, Value>> {
    if let Some(value) = path.get(root) {
        return Some(Cow::Borrowed(value));
    }
    let mut found = Vec::new();
    let (reached, listed) = gather_into(root, path.segments(), &mut found);
    (reached && listed).then(|| Cow::Owned(Value::List(found)))
}

/// Says whether a field was reached, and whether a list was passed.
fn gather_into(value: &Value, segments: &[Segment], found: &mut Vec<Value>) -> (bool, bool) {
    if let Value::List(elements) = value {
        let rest = match segments {
            [Segment::All, rest @ ..] => rest,
            _ => segments,
        };
        let mut reached = elements.is_empty();
        for element in elements {
            if gather_into(element, rest, found).0 {
                reached = true;
            } else if !matches!(element, Value::List(_)) {
                found.push(Value::Null);
            }
        }
        return (reached, true);
    }
    let Some((first, rest)) = segments.split_first() else {
        found.push(value.clone());
        return (true, false);
    };
    let name = match first {
        Segment::Name(name) => Cow::Borrowed(name.as_str()),
        Segment::Index(index) => Cow::Owned(index.to_string()),
        Segment::All => return (false, false),
    };
    value
        .get(&name)
        .map_or((false, false), |inner| gather_into(inner, rest, found))
}

#[cfg(test)]
mod tests;
