//! The report of `engine test --junit`, in the form that build servers read: a suite per file, a case per test. What
//! keeps a file from being tested is an error of a case named after its code.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use app::AppError;
use app::testing::TestReport;
use dsl::diagnostic::{Lang, Severity};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

/// A case: its name, and what is wrong with it, as `failure` or `error`.
struct Case<'r> {
    name: &'r str,
    wrong: Option<(&'static str, String, String)>,
}

/// Writes the report to a file.
pub(crate) fn write(path: &Path, report: &TestReport, lang: Lang) -> Result<(), AppError> {
    let fail = |error: io::Error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    let mut bytes = Vec::new();
    document(report, lang, &mut bytes).map_err(fail)?;
    std::fs::write(path, bytes).map_err(fail)
}

fn document(report: &TestReport, lang: Lang, to: &mut Vec<u8>) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Vec<Case<'_>>> = BTreeMap::new();
    for result in &report.results {
        let lines: Vec<String> = result.differences.iter().map(|one| one.line(lang)).collect();
        let wrong = lines
            .first()
            .map(|first| ("failure", first.clone(), lines.join("\n")));
        suites.entry(&result.file).or_default().push(Case {
            name: &result.name,
            wrong,
        });
    }
    let is_error = |one: &&dsl::diagnostic::Diagnostic| one.entry.severity == Severity::Error;
    for problem in report.diagnostics.iter().filter(is_error) {
        let (line, column) = problem.position();
        let message = problem.message(lang);
        let place = format!("{}:{line}:{column}\n{message}", problem.file.name);
        suites.entry(&problem.file.name).or_default().push(Case {
            name: problem.entry.code,
            wrong: Some(("error", message, place)),
        });
    }
    let mut writer = Writer::new_with_indent(to, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let count = |cases: &[Case<'_>], kind: &str| {
        let of_kind = |case: &&Case<'_>| case.wrong.as_ref().is_some_and(|(is, ..)| *is == kind);
        cases.iter().filter(of_kind).count().to_string()
    };
    writer
        .create_element("testsuites")
        .write_inner_content(|writer| {
            for (file, cases) in &suites {
                writer
                    .create_element("testsuite")
                    .with_attributes([
                        ("name", visible(file).as_str()),
                        ("tests", cases.len().to_string().as_str()),
                        ("failures", count(cases, "failure").as_str()),
                        ("errors", count(cases, "error").as_str()),
                    ])
                    .write_inner_content(|writer| each(file, cases, writer))?;
            }
            Ok(())
        })?;
    writer.get_mut().write_all(b"\n")
}

fn each(file: &str, cases: &[Case<'_>], writer: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    for case in cases {
        let (name, file) = (visible(case.name), visible(file));
        let attributes = [("name", name.as_str()), ("classname", file.as_str())];
        let element = writer.create_element("testcase").with_attributes(attributes);
        match &case.wrong {
            None => drop(element.write_empty()?),
            Some((kind, first, all)) => {
                element.write_inner_content(|writer| {
                    let first = visible(first);
                    let all = visible(all);
                    writer
                        .create_element(*kind)
                        .with_attributes([("message", first.as_str())])
                        .write_text_content(BytesText::new(&all))?;
                    Ok(())
                })?;
            }
        }
    }
    Ok(())
}

/// XML has no way to write control characters.
fn visible(text: &str) -> String {
    text.chars()
        .map(|char| match char {
            '\n' | '\t' => char,
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use app::testing::{Gap, TestResult};
    use dsl::facts::Text2;
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_report_has_a_suite_for_each_file_and_says_what_differs() {
        let result = |name: &str, lines: &[&str]| TestResult {
            file: "schemes/a.yaml".to_owned(),
            line: Some(7),
            name: name.to_owned(),
            differences: lines
                .iter()
                .map(|line| Gap::Connector(Text2::same(*line)))
                .collect(),
        };
        let report = TestReport {
            files: 1,
            results: vec![
                result("两行 <明细>", &[]),
                result(
                    "b",
                    &["FName: expected \"a\", got \"\u{1}&\"", "FQty: expected 1, got 2"],
                ),
            ],
            ..TestReport::default()
        };
        let mut bytes = Vec::new();
        document(&report, Lang::En, &mut bytes).expect("memory takes everything");
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites>
              <testsuite name="schemes/a.yaml" tests="2" failures="1" errors="0">
                <testcase name="两行 &lt;明细&gt;" classname="schemes/a.yaml"/>
                <testcase name="b" classname="schemes/a.yaml">
                  <failure message="FName: expected &quot;a&quot;, got &quot;�&amp;&quot;">FName: expected &quot;a&quot;, got &quot;�&amp;&quot;
            FQty: expected 1, got 2</failure>
                </testcase>
              </testsuite>
            </testsuites>
        "#]]
        .assert_eq(std::str::from_utf8(&bytes).expect("text"));
    }
}
