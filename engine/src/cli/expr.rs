//! `engine expr`: an expression over a row, once or line by line.

use std::borrow::Cow;
use std::io::{BufRead, Read, Write};
use std::path::Path as FilePath;

use app::{AppError, Clock, SystemClock};
use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::expr::{Bounds, Env, Sql, compile, gather};
use dsl::{Failure, Instant, Lang, Path, Value, json};
use jiff::tz::TimeZone;

use super::Done;
use super::args::ExprArgs;
use super::env::Environment;
use super::json::object;
use super::language;
use super::out::Out;
use super::time;

/// Most bytes of a row: as much as one page of a source may have.
const ROW_CAP: u64 = 32 << 20;
/// Most bytes of one line at the prompt: ten times what an expression may have, so that the bound itself is told.
const LINE_CAP: u64 = 80 << 10;

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
    let mut bench = Bench { row, zone, now_ms };
    let mut results = Vec::new();
    let mut code = 0;
    match &args.text {
        Some(text) => {
            if args.row.is_none() && text.replace("<<$now", "").contains("<<") {
                out.note("expr-no-row", &[]);
            }
            one(text, &bench, args.kind, out, &mut results, &mut code);
        }
        None => prompt(&mut bench, args.kind, out, environment, &mut results, &mut code)?,
    }
    if out.json {
        out.document(&object! {"schema" => "engine.expr/1", "exit_code" => code, "results" => results});
    }
    Ok(code)
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
    json::parse(&bytes).map_err(|error| {
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

fn one(text: &str, bench: &Bench, kind: bool, out: &Out, results: &mut Vec<Value>, code: &mut u8) {
    // As it is copied from a scheme.
    let text = text.strip_prefix("_function ").unwrap_or(text).trim();
    match evaluate(text, bench) {
        Ok((value, warnings)) => {
            out_warnings(out, &warnings);
            results.push(object! {
                "text" => text, "value" => value.to_value(), "type" => name(&value),
                "diagnostics" => documents(&warnings, out.lang), "error" => None::<Value>,
            });
            if !out.json {
                let shown = value.to_text().map_or_else(|| "NULL".to_owned(), Cow::into_owned);
                out.line(if kind {
                    format!("{shown}  ({})", name(&value))
                } else {
                    shown
                });
            }
        }
        Err(Trouble::Text(problems)) => {
            *code = 1;
            results.push(refused(text, documents(&problems, out.lang), None));
            if !out.json {
                out.diagnostics(&problems);
            }
        }
        Err(Trouble::Value(failure)) => {
            *code = 1;
            let error = object! {
                "code" => failure.code(), "message" => failure.message(out.lang), "help" => failure.help(out.lang),
            };
            results.push(refused(text, Vec::new(), Some(error)));
            if !out.json {
                out.aside(format!(
                    "error[{}]: {}",
                    failure.code(),
                    failure.message(out.lang)
                ));
                if let Some(help) = failure.help(out.lang) {
                    out.aside(format!("  = {}", out.text("help-line", &[("help", help)])));
                }
            }
        }
    }
}

fn refused(text: &str, diagnostics: Vec<serde_json::Value>, error: Option<Value>) -> Value {
    object! {
        "text" => text, "value" => None::<Value>, "type" => None::<String>, "diagnostics" => diagnostics,
        "error" => error,
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
    Value(Failure),
}

fn evaluate(text: &str, bench: &Bench) -> Result<(Sql<'static>, Vec<Diagnostic>), Trouble> {
    let file = SourceFile::new("expr", text);
    let told = |problems: Vec<dsl::expr::ExprError>| -> Vec<Diagnostic> {
        problems
            .into_iter()
            .map(|problem| {
                let mut told = Diagnostic::new(problem.entry, &file, problem.span).similar(problem.similar);
                told.facts = problem.facts;
                told
            })
            .collect()
    };
    let expr = compile(text, &functions::registry(), &Bounds::default())
        .map_err(|problems| Trouble::Text(told(problems)))?;
    let value = expr.eval_typed(bench).map_err(Trouble::Value)?.into_owned();
    Ok((value, told(expr.warnings().to_vec())))
}

fn name(value: &Sql<'_>) -> &'static str {
    match value {
        Sql::Null => "null",
        Sql::Int(_) | Sql::Decimal(_) => "number",
        Sql::Bytes(_) => "bytes",
        Sql::Time(_) => "time",
        Sql::Double(_) => "double",
        Sql::Text(_) => "text",
        Sql::Date(_) => "date",
        Sql::DateTime(_) => "datetime",
        Sql::Interval(_) => "interval",
    }
}

/// Line by line until the end of the input or `:quit`.
fn prompt(
    bench: &mut Bench,
    kind: bool,
    out: &Out,
    environment: &Environment,
    results: &mut Vec<Value>,
    code: &mut u8,
) -> Result<(), AppError> {
    let is_talk = environment.stdin_is_terminal && environment.stderr_is_terminal && !out.json;
    if is_talk {
        out.note("expr-hello", &[]);
    }
    let mut stdin = std::io::stdin().lock();
    loop {
        if is_talk {
            let mut stderr = std::io::stderr().lock();
            if write!(stderr, "> ").and_then(|()| stderr.flush()).is_err() {
                return Ok(());
            }
        }
        let mut line = String::new();
        let read = stdin
            .by_ref()
            .take(LINE_CAP)
            .read_line(&mut line)
            .map_err(|error| AppError::File {
                path: "stdin".to_owned(),
                what: error.to_string(),
            })?;
        let text = line.trim();
        match text
            .split_once(' ')
            .map_or((text, ""), |(first, rest)| (first, rest.trim()))
        {
            _ if read == 0 => return Ok(()),
            ("", _) => {}
            (":quit" | ":q", _) => return Ok(()),
            (":help", "") => out.note("expr-help", &[]),
            (":help", function) => match functions::registry().get(function) {
                Some(builtin) => language::explain_function(builtin, out),
                None => out.note("expr-no-function", &[("name", function.to_owned())]),
            },
            (":row", file) => match row(FilePath::new(file)) {
                Ok(row) => bench.row = row,
                Err(error) => out.aside(error.message(out.lang)),
            },
            _ => one(text, bench, kind, out, results, code),
        }
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
                Err(Trouble::Value(failure)) => Err(failure.code()),
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
    }
}
