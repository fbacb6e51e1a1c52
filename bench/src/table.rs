//! The figures as tables, ready for `docs/figures.md`.

use crate::expressions;
use crate::mapping::{Figure, differing};
use crate::measure::median_ns;

/// Two runs of the same work may differ so much before the machine is too busy to be believed.
const NOISE: f64 = 0.10;

/// Expressions with their nanoseconds.
pub fn expressions() -> String {
    let mut out = "| expression | ns an evaluation |\n|---|---|\n".to_owned();
    for case in expressions::all() {
        let ns = median_ns(|| case.eval());
        out.push_str(&format!("| {}: `{}` | {ns:.0} |\n", case.name, shown(case.text)));
    }
    out
}

/// A text in one cell of a table.
pub fn shown(text: &str) -> String {
    text.replace('\n', "\\n").replace('|', "\\|")
}

/// Mappings as JSON, a line each: what to call it, and microseconds a record.
///
/// Says what is wrong instead, as [`mappings`] does.
pub fn lines(first: &Figure, between: &[Figure], last: &Figure) -> Result<String, String> {
    mappings(first, between, last)?;
    let line =
        |figure: &Figure| serde_json::json!({"peer": figure.name, "us_rec": figure.total()}).to_string();
    let all = [first].into_iter().chain(between).chain([last]);
    Ok(all.map(line).collect::<Vec<_>>().join("\n"))
}

/// Mappings beside the one written by hand, which ran first and last.
///
/// Says what is wrong instead when a mapping's documents differ, or the two runs by hand do.
pub fn mappings(first: &Figure, between: &[Figure], last: &Figure) -> Result<String, String> {
    let mut out =
        "| mapping | us a record | read / map / print | x by hand | x ours |\n|---|---|---|---|---|\n"
            .to_owned();
    let ours = between.first().ok_or("nothing to compare")?;
    let mut wrong = Vec::new();
    for figure in [first].into_iter().chain(between).chain([last]) {
        let differ = differing(figure, first);
        if differ > 0 {
            wrong.push(format!("{}: {differ} documents differ", figure.name));
            continue;
        }
        let [read, map, print] = figure.phases;
        out.push_str(&format!(
            "| {} | {:.1} | {read:.1} / {map:.1} / {print:.1} | {:.1} | {:.2} |\n",
            figure.name,
            figure.total(),
            figure.total() / first.total(),
            figure.total() / ours.total(),
        ));
    }
    let noise = (first.total() - last.total()).abs() / first.total();
    if noise > NOISE {
        wrong.push(format!(
            "the machine is too busy: two runs by hand differ by {:.0} %",
            noise * 100.0
        ));
    }
    out.push_str(&format!(
        "{} records, all outputs compared\n",
        first.documents.len()
    ));
    if wrong.is_empty() {
        Ok(out)
    } else {
        Err(format!("{out}{}", wrong.join("\n")))
    }
}
