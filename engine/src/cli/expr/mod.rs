//! `engine expr`: an expression over a row, once, line by line from a pipe, or at a prompt.

mod complete;
mod phrases;
mod prompt;

use std::borrow::Cow;
use std::io::Read;
use std::path::Path as FilePath;
use std::sync::Arc;

use app::{AppError, Clock, SystemClock};
use dsl::catalogue::evaluation::BYTES_ARE_NO_TEXT;
use dsl::catalogue::expression::{FOREIGN_FUNCTION, FUNCTION_REFUSED};
use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::expr::sql::Ty;
use dsl::expr::{Bounds, Env, ExprError, Sql, Step, compile, compile_for_trace, gather};
use dsl::{Failure, Instant, Lang, Path, Value, json};
use jiff::tz::TimeZone;

use super::Done;
use super::args::ExprArgs;
use super::env::Environment;
use super::json::object;
use super::out::Out;
use super::table::{Table, cut, one_line};
use super::time;

pub(super) use phrases::explain_phrase;

/// Most bytes of a row: as much as one page of a source may have.
const ROW_CAP: u64 = 32 << 20;
/// Cells of a value in a trace; the value itself is shown below it in full.
const TRACE_CELLS: usize = 60;

/// Evaluates.
pub(crate) fn expr(args: ExprArgs, out: &Out, environment: &Environment) -> Done {
    let zone = TimeZone::get(&args.tz).map_err(|_| {
        let name = &args.tz;
        AppError::wrong_use(
            format!("没有时区 `{name}`;写 IANA 名称,例如 Asia/Shanghai"),
            format!("there is no time zone `{name}`; write an IANA name such as Asia/Shanghai"),
        )
    })?;
    let now_ms = match &args.now {
        Some(now) => time::instant(now)?,
        None => SystemClock::default().now_ms(),
    };
    let row = args.row.as_deref().map(row).transpose()?.unwrap_or(Value::Null);
    let bench = Bench { row, zone, now_ms };
    let mut session = Session {
        bench,
        show_type: args.kind,
        show_trace: args.trace,
        results: Vec::new(),
        code: 0,
    };
    match &args.text {
        Some(text) => {
            let bare = text.replace("<<$now", "").replace("{{$now", "");
            if args.row.is_none() && (bare.contains("<<") || bare.contains("{{")) {
                out.note("expr-no-row", &[]);
            }
            session.one(text, out);
        }
        None => prompt::read(&mut session, out, environment)?,
    }
    if out.json {
        out.document(&object! {
            "schema" => "engine.expr/1", "exit_code" => session.code, "results" => session.results,
        });
    }
    Ok(session.code)
}

/// What was asked, and what came of it.
struct Session {
    bench: Bench,
    show_type: bool,
    show_trace: bool,
    results: Vec<Value>,
    code: u8,
}

/// A JSON row from a file; `-` is stdin.
fn row(path: &FilePath) -> Result<Value, AppError> {
    let name = path.display().to_string();
    let fail = |error: std::io::Error| AppError::File {
        path: name.clone(),
        what: error.to_string(),
    };
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(ROW_CAP)
            .read_to_end(&mut bytes)
            .map_err(fail)?;
    } else {
        let file = std::fs::File::open(path).map_err(fail)?;
        file.take(ROW_CAP).read_to_end(&mut bytes).map_err(fail)?;
    }
    parsed(&bytes, &name)
}

fn parsed(bytes: &[u8], name: &str) -> Result<Value, AppError> {
    json::parse(bytes).map_err(|error| {
        let at = error.offset;
        AppError::wrong_use(
            format!("{name} 第 {at} 字节处不是 JSON:{}", error.what.words(Lang::Zh)),
            format!("{name} is not JSON at byte {at}: {}", error.what.words(Lang::En)),
        )
    })
}

/// What expressions are evaluated over.
struct Bench {
    row: Value,
    zone: TimeZone,
    now_ms: i64,
}

impl Env for Bench {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        if path.to_string() == "$now" {
            return Some(Cow::Owned(Value::Instant(Instant { ms: self.now_ms })));
        }
        path.get(&self.row).map(Cow::Borrowed)
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(&self.row, path)
    }

    /// There is no ledger here: nothing is found.
    fn lookup(&self, _index: usize) -> Option<Value> {
        None
    }

    fn now_ms(&self) -> i64 {
        self.now_ms
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl Session {
    /// Computes one expression and shows what it gives.
    fn one(&mut self, text: &str, out: &Out) {
        // As it is copied from a scheme.
        let text = text.strip_prefix("_function ").unwrap_or(text).trim();
        let steps = self.show_trace.then(|| trace(text, &self.bench)).flatten();
        if let Some(steps) = steps.as_ref().filter(|_| !out.json) {
            show_trace(steps, out);
        }
        let traced = steps.as_deref().map(|steps| trace_document(steps, out.lang));
        match evaluate(text, &self.bench) {
            Ok((value, warnings)) => {
                out_warnings(out, &warnings);
                if out.json {
                    self.results.push(object! {
                        "text" => text, "value" => value.to_value(), "type" => name(&value), "trace" => traced,
                        "diagnostics" => documents(&warnings, out.lang), "error" => None::<Value>,
                    });
                    return;
                }
                let shown = value.to_text().map_or_else(|| "NULL".to_owned(), Cow::into_owned);
                out.line(if self.show_type {
                    format!("{shown}  ({})", Ty::of(&value))
                } else {
                    shown
                });
            }
            Err(Trouble::Text(problems)) => {
                self.code = 1;
                if out.json {
                    let problems = documents(&problems, out.lang);
                    self.results.push(refused(text, traced, problems, None));
                } else {
                    out.diagnostics(&problems);
                }
            }
            Err(Trouble::Value(failure, warnings)) => {
                self.code = 1;
                out_warnings(out, &warnings);
                if out.json {
                    let error = error_document(&failure, out.lang);
                    let warnings = documents(&warnings, out.lang);
                    self.results.push(refused(text, traced, warnings, Some(error)));
                } else {
                    show_failure(&failure, out);
                }
            }
        }
    }
}

fn show_failure(failure: &Failure, out: &Out) {
    out.aside(format!(
        "error[{}]: {}",
        failure.code(),
        failure.message(out.lang)
    ));
    if let Some(help) = failure.help(out.lang) {
        out.aside(format!("  = {}", out.text("help-line", &[("help", help)])));
    }
}

/// The parts of an expression; `None` for a text that is none, which is told by the evaluation.
fn trace(text: &str, bench: &Bench) -> Option<Vec<Step>> {
    let expr = compile_for_trace(text, &functions::registry(), &Bounds::default()).ok()?;
    Some(expr.trace(bench))
}

/// One line a part, inner parts first and further in.
fn show_trace(steps: &[Step], out: &Out) {
    let mut table = Table::default();
    for step in steps {
        let shown = match &step.value {
            Ok(value) => value
                .to_text()
                .map_or_else(|| "NULL".to_owned(), |text| one_line(&text)),
            Err(failure) => format!("{} {}", failure.code(), failure.message(out.lang)),
        };
        table.row(vec![
            format!(
                "{}{}",
                "  ".repeat(step.depth),
                cut(&one_line(&step.text), TRACE_CELLS)
            ),
            step.ty.to_string(),
            format!("= {}", cut(&shown, TRACE_CELLS)),
        ]);
    }
    out.table(&table);
}

fn trace_document(steps: &[Step], lang: Lang) -> Vec<Value> {
    let step = |step: &Step| {
        let (value, error) = match &step.value {
            Ok(value) => (value.to_value(), None),
            Err(failure) => (None, Some(error_document(failure, lang))),
        };
        object! {
            "depth" => step.depth, "text" => step.text.as_str(), "type" => step.ty.to_string(), "value" => value,
            "error" => error,
        }
    };
    steps.iter().map(step).collect()
}

fn error_document(failure: &Failure, lang: Lang) -> Value {
    object! {
        "code" => failure.code(), "message" => failure.message(lang), "help" => failure.help(lang),
    }
}

fn refused(
    text: &str,
    trace: Option<Vec<Value>>,
    diagnostics: Vec<serde_json::Value>,
    error: Option<Value>,
) -> Value {
    object! {
        "text" => text, "value" => None::<Value>, "type" => None::<String>, "trace" => trace,
        "diagnostics" => diagnostics, "error" => error,
    }
}

fn documents(diagnostics: &[Diagnostic], lang: Lang) -> Vec<serde_json::Value> {
    diagnostics
        .iter()
        .map(|one| dsl::diagnostic::to_json(one, lang))
        .collect()
}

fn out_warnings(out: &Out, warnings: &[Diagnostic]) {
    if !out.json && !out.quiet {
        out.diagnostics(warnings);
    }
}

enum Trouble {
    Text(Vec<Diagnostic>),
    Value(Failure, Vec<Diagnostic>),
}

fn told(problems: Vec<ExprError>, file: &Arc<SourceFile>) -> Vec<Diagnostic> {
    problems
        .into_iter()
        .map(|problem| {
            let mut told = Diagnostic::new(problem.entry, file, problem.span).similar(problem.similar);
            told.facts = problem.facts;
            told
        })
        .collect()
}

fn evaluate(text: &str, bench: &Bench) -> Result<(Sql<'static>, Vec<Diagnostic>), Trouble> {
    let file = SourceFile::new("expr", text);
    let expr = compile(text, &functions::registry(), &Bounds::default())
        .map_err(|problems| Trouble::Text(told(problems, &file)))?;
    let warnings = told(expr.warnings().to_vec(), &file);
    match expr.eval_typed(bench) {
        // As a scheme would fail that sends it.
        Ok(value) if value.to_value().is_none() => {
            Err(Trouble::Value(Failure::new(&BYTES_ARE_NO_TEXT), warnings))
        }
        Ok(value) => Ok((value.into_owned(), warnings)),
        Err(failure) => Err(Trouble::Value(failure, warnings)),
    }
}

/// Why a name is no function here, where more is known than that; false when it is not.
pub(super) fn explain_absence(name: &str, out: &Out) -> bool {
    let plain = |char: char| char == '_' || char.is_ascii_alphanumeric();
    if name.is_empty() || !name.chars().all(plain) {
        return false;
    }
    let call = format!("{name}()");
    let problems = compile(&call, &functions::registry(), &Bounds::default());
    let known = told(problems.err().unwrap_or_default(), &SourceFile::new("expr", call))
        .into_iter()
        .find(|problem| [&FUNCTION_REFUSED, &FOREIGN_FUNCTION].contains(&problem.entry));
    let Some(problem) = known else { return false };
    out.aside(problem.message(out.lang));
    if let Some(help) = problem.help(out.lang) {
        out.aside(format!("  = {}", out.text("help-line", &[("help", help)])));
    }
    true
}

/// The sort of a result in `--json`, where digits stand in the value itself.
fn name(value: &Sql<'_>) -> &'static str {
    match value {
        Sql::Int(_) | Sql::Decimal(_) => "number",
        other => Ty::of(other).kind.name(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_over_a_row() {
        let row = json::parse(br#"{"price":"19.90","lines":[{"n":1},{"n":2}]}"#).expect("JSON");
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        let bench = Bench {
            row,
            zone,
            now_ms: 1_700_000_000_100,
        };
        let check = |text: &str, want: Result<&str, &str>| {
            let got = match evaluate(text, &bench) {
                Ok((value, _)) => Ok(value.to_text().map_or_else(|| "NULL".to_owned(), Cow::into_owned)),
                Err(Trouble::Text(problems)) => Err(problems[0].entry.code),
                Err(Trouble::Value(failure, _)) => Err(failure.code()),
            };
            assert_eq!(got.as_deref().map_err(|code| *code), want, "{text}");
        };
        check("<<price>> * 2", Ok("39.80"));
        check("sum(<<lines.n>>)", Ok("3"));
        check(
            "REPLACE(unix_timestamp(current_timestamp(3)),'.','')",
            Ok("1700000000100"),
        );
        check("IFNULL(<<none>>, 'x')", Ok("x"));
        check("REPLCE('a','b','c')", Err("E1301"));
        check("UNHEX('FF')", Err("E2059"));
        check("HEX(UNHEX('FF'))", Ok("FF"));
    }
}
