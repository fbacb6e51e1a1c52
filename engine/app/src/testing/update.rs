//! `test --update`: writes what a scheme makes today into `expect` of its own tests.
//!
//! Only the bytes of `expect` change; comments, quotes and order of everything else stay. What was written is read,
//! compiled and tested again before the file is replaced, in one step.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use dsl::diagnostic::SourceFile;
use dsl::facts::Text2;
use dsl::plan::{Plan, TestCase};
use dsl::testing;
use dsl::yaml::emit::{self, Unwritable};
use dsl::yaml::{self, Node, NodeKind, Pair};
use dsl::{Map, Value};

use crate::error::AppError;
use crate::workspace::Workspace;

/// What became of the tests of one file that were not as expected.
#[derive(Debug, Clone, Default)]
pub struct Updated {
    /// Names of those whose `expect` was written.
    pub written: Vec<String>,
    /// Those that were left as they are, and why.
    pub left: Vec<(String, Text2)>,
}

/// Writes `expect` of the tests whose name `wanted` accepts and which fail.
pub(super) fn update(
    path: &Path,
    file: &Arc<SourceFile>,
    workspace: &Workspace,
    plan: &Plan,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Updated, AppError> {
    let mut updated = Updated::default();
    let Some(root) = yaml::read_all(file).node else {
        return Ok(updated);
    };
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for case in plan.tests.iter().filter(|case| wanted(&case.name)) {
        let outcome = testing::run(plan, case);
        if outcome.passed {
            continue;
        }
        match outcome
            .got
            .ok_or_else(no_document)
            .and_then(|got| edit(&root, file, case, &testing::writable(&got)))
        {
            Ok(edit) => {
                edits.push(edit);
                updated.written.push(case.name.clone());
            }
            Err(why) => updated.left.push((case.name.clone(), why)),
        }
    }
    if edits.is_empty() {
        return Ok(updated);
    }
    let text = apply(&file.text, edits);
    prove(file, workspace, &text, &updated.written)?;
    crate::files::replace(path, text.as_bytes())?;
    Ok(updated)
}

/// A sentence in both languages.
fn both(zh: impl Into<String>, en: impl Into<String>) -> Text2 {
    Text2 {
        zh: zh.into(),
        en: en.into(),
    }
}

fn no_document() -> Text2 {
    both("没有生成单据", "there is no document")
}

/// The new text is tested before anyone sees it.
fn prove(file: &SourceFile, workspace: &Workspace, text: &str, names: &[String]) -> Result<(), AppError> {
    let written = SourceFile::new(&file.name, text);
    let (plan, problems) = workspace.check(&written);
    let Some(plan) = plan else {
        return Err(AppError::Invalid(problems));
    };
    let failing = plan
        .tests
        .iter()
        .filter(|case| names.contains(&case.name))
        .find(|case| !testing::run(&plan, case).passed);
    match failing {
        Some(case) => Err(AppError::bug(format!(
            "{}: `expect` of `{}` is not read as it was written",
            file.name, case.name
        ))),
        None => Ok(()),
    }
}

fn apply(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    let ends = if text.contains("\r\n") { "\r\n" } else { "\n" };
    edits.sort_by_key(|(span, _)| span.start);
    let mut out = text.to_owned();
    for (span, new) in edits.into_iter().rev() {
        out.replace_range(span, &new.replace('\n', ends));
    }
    out
}

/// Which bytes become which.
fn edit(
    root: &Node,
    file: &SourceFile,
    case: &TestCase,
    got: &Value,
) -> Result<(Range<usize>, String), Text2> {
    let elsewhere = || {
        both(
            "`expect` 是别名(*),请手工修改它指向的地方",
            "`expect` is an alias (*): edit the place it stands for",
        )
    };
    let test = root
        .get("tests")
        .and_then(|pair| pair.value.list())
        .and_then(|tests| tests.iter().find(|node| node.span == case.span))
        .ok_or_else(elsewhere)?;
    let pair = test.get("expect").ok_or_else(elsewhere)?;
    let text = &file.text;
    let old = pair.value.span.start..pair.value.end_in(text);
    if old.start < pair.key_span.end || has_alias(test, pair, text) {
        return Err(elsewhere());
    }
    if has_comment(&pair.value, text) {
        return Err(both(
            "`expect` 里有注释,改写会丢掉它们",
            "there are comments in `expect`, which would be lost",
        ));
    }
    let words = |_: Unwritable| {
        both(
            "单据里有 YAML 写不出的值",
            "the document holds a value that YAML has no words for",
        )
    };
    if test.is_flow_in(text) {
        return Ok((old, emit::flow(got).map_err(words)?));
    }
    let column = |at: usize| at - text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line_of = |at: usize| text[..at].matches('\n').count();
    let single = matches!(got, Value::Map(map) if map.is_empty())
        || matches!(got, Value::List(items) if items.is_empty())
        || !matches!(got, Value::Map(_) | Value::List(_));
    let (key_line, old_line) = (line_of(pair.key_span.start), line_of(old.start));
    if old_line > key_line && !single {
        // A block stays where it is, and so do comments above it.
        let indent = column(old.start);
        let block = emit::block(&ordered(got, &pair.value), indent).map_err(words)?;
        return Ok((old, block.trim_start().to_owned()));
    }
    let colon = pair.key_span.end
        + text[pair.key_span.end..old.start]
            .find(':')
            .ok_or_else(elsewhere)?
        + 1;
    let indent = column(pair.key_span.start) + 2;
    let new = emit::member(&ordered(got, &pair.value), indent).map_err(words)?;
    Ok((colon..old.end, new))
}

/// The members in the order in which they stood, so that a difference is seen as what it is; new ones behind.
fn ordered(got: &Value, old: &Node) -> Value {
    match (got, &old.kind) {
        (Value::Map(map), NodeKind::Map(pairs)) => {
            let mut out = Map::new();
            for pair in pairs {
                if let Some(value) = map.get(&pair.key) {
                    out.insert(pair.key.clone(), ordered(value, &pair.value));
                }
            }
            for (name, value) in map {
                if !out.contains_key(name) {
                    out.insert(name.clone(), value.clone());
                }
            }
            Value::Map(out)
        }
        (Value::List(items), NodeKind::List(nodes)) => {
            let items = items.iter().enumerate().map(|(at, item)| match nodes.get(at) {
                Some(node) => ordered(item, node),
                None => item.clone(),
            });
            Value::List(items.collect())
        }
        (other, _) => other.clone(),
    }
}

/// Whether a comment stands between the first and the last byte of a node.
fn has_comment(node: &Node, text: &str) -> bool {
    fn written(node: &Node, spans: &mut Vec<Range<usize>>) {
        match &node.kind {
            NodeKind::Map(pairs) => {
                for pair in pairs {
                    spans.push(pair.key_span.clone());
                    written(&pair.value, spans);
                }
            }
            NodeKind::List(items) => items.iter().for_each(|item| written(item, spans)),
            NodeKind::Scalar(_) => spans.push(node.span.clone()),
        }
    }
    let mut spans = Vec::new();
    written(node, &mut spans);
    let all = node.span.start..node.end_in(text);
    text[all.clone()]
        .match_indices('#')
        .any(|(at, _)| !spans.iter().any(|span| span.contains(&(all.start + at))))
}

/// Whether a part of `expect` is written somewhere else.
fn has_alias(test: &Node, pair: &Pair, text: &str) -> bool {
    fn outside(node: &Node, within: &Range<usize>) -> bool {
        node.span.start < within.start
            || node.span.end > within.end
            || match &node.kind {
                NodeKind::Map(pairs) => pairs.iter().any(|pair| outside(&pair.value, within)),
                NodeKind::List(items) => items.iter().any(|item| outside(item, within)),
                NodeKind::Scalar(_) => false,
            }
    }
    let within = pair.key_span.end..test.span.end.max(pair.value.span.end).min(text.len());
    outside(&pair.value, &within)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::test;
    use crate::workspace::Places;

    const CONNECTOR: &str = "connector: shop
zone: UTC
params:
  server: {type: url}
hosts: [<<$param.server>>]
outcome: [{when: http.status == 200, class: ok}]
operations:
  orders: {kind: read, method: GET, path: orders, rows: {at: data}}
  save: {kind: write, method: POST, path: save, body: <<$record>>, writes: [create], item: {id: id}, key: [no], proof: none}
";
    const CONNECTIONS: &str =
        "connections:\n  shop: {connector: shop, params: {server: \"https://shop.example.com\"}}\n";
    const SCHEME: &str = "scheme: orders
source: {connection: shop, api: orders, key: no, window: none}
target:
  connection: shop
  api: save
  on_unknown: hold
  request: {no: <<no>>, total: {$value: <<total>>, $type: decimal}, lines: {$each: lines, $do: {sku: <<lines.sku>>}}}
schedule: {every: 6m}
tests:
";

    /// What stands below `tests` afterwards, and what was left.
    fn updated(tests: &str, filter: Option<&str>) -> String {
        let base = tempfile::tempdir().expect("a folder");
        let own = base.path().join("connectors/shop");
        std::fs::create_dir_all(&own).expect("a folder");
        std::fs::write(own.join("connector.yaml"), CONNECTOR).expect("a file");
        std::fs::write(base.path().join("connections.yaml"), CONNECTIONS).expect("a file");
        let path = base.path().join("orders.yaml");
        std::fs::write(&path, format!("{SCHEME}{tests}")).expect("a file");
        let report = test(std::slice::from_ref(&path), filter, true, &Places::default()).expect("readable");
        assert_eq!(
            report
                .diagnostics
                .iter()
                .map(|one| one.entry.code)
                .collect::<Vec<_>>(),
            Vec::<&str>::new()
        );
        let text = std::fs::read_to_string(&path).expect("a file");
        let below = text.strip_prefix(SCHEME).expect("nothing above is touched");
        let left = report.updated.iter().flat_map(|(_, updated)| &updated.left);
        let left: String = left
            .map(|(name, why)| format!("left {name}: {}\n", why.en))
            .collect();
        let failing = report.results.iter().filter(|result| !result.passed());
        let failing: String = failing.map(|result| format!("fails {}\n", result.name)).collect();
        format!("{below}{left}{failing}")
    }

    /// A bar before each line: what begins a line belongs to it.
    fn barred(text: &str) -> String {
        text.lines().map(|line| format!("|{line}\n")).collect()
    }

    fn becomes(tests: &str, expected: Expect) {
        expected.assert_eq(&barred(&updated(tests, None)));
    }

    #[test]
    fn only_expect_of_failing_tests_changes() {
        becomes(
            "  # the first
  - name: one          # of two
    expect:            # written by hand
      # the lines first
      lines: [{sku: old}]
      no: '7'          # quoted
    # behind
    row: {no: '7', total: '1.50', lines: [{sku: A-1}, {sku: 'no'}]}
  - name: right
    row: {no: a, total: 1, lines: []}
    expect:   {no: a,   total: 1, lines: []}   # stays
",
            expect![[r#"
                |  # the first
                |  - name: one          # of two
                |    expect:            # written by hand
                |      # the lines first
                |      lines:
                |        - {sku: A-1}
                |        - {sku: "no"}
                |      no: "7"
                |      total: 1.50          # quoted
                |    # behind
                |    row: {no: '7', total: '1.50', lines: [{sku: A-1}, {sku: 'no'}]}
                |  - name: right
                |    row: {no: a, total: 1, lines: []}
                |    expect:   {no: a,   total: 1, lines: []}   # stays
            "#]],
        );
    }

    #[test]
    fn a_test_in_braces_stays_in_braces_and_an_empty_one_becomes_a_block() {
        becomes(
            "  - {name: one, row: {no: a, total: 1, lines: [{sku: x}]}, expect: {}}
  - name: two
    row: {no: b, total: 2, lines: [{sku: y}]}
    expect: {}
",
            expect![[r#"
                |  - {name: one, row: {no: a, total: 1, lines: [{sku: x}]}, expect: {no: a, total: 1, lines: [{sku: x}]}}
                |  - name: two
                |    row: {no: b, total: 2, lines: [{sku: y}]}
                |    expect: {no: b, total: 2, lines: [{sku: "y"}]}
            "#]],
        );
    }

    #[test]
    fn what_cannot_be_written_is_left_with_the_reason() {
        becomes(
            "  - {name: an alias, row: &row {no: a, total: 1, lines: []}, expect: *row}
  - {name: same, row: {no: b, total: 1, lines: []}, expect: &here {no: a}}
  - {name: behind, row: {no: b, total: 2, lines: []}, expect: *here}
  - name: comments
    row: {no: b, total: 2, lines: []}
    expect:
      no: '#c'  # the first
      total: 3
  - {name: long, row: {no: c, total: '1234567890123456', lines: []}, expect: {}}
  - {name: none, row: {no: d, total: x, lines: 5}, expect: {}}
",
            expect![[r#"
                |  - {name: an alias, row: &row {no: a, total: 1, lines: []}, expect: *row}
                |  - {name: same, row: {no: b, total: 1, lines: []}, expect: &here {no: b, total: 1, lines: []}}
                |  - {name: behind, row: {no: b, total: 2, lines: []}, expect: *here}
                |  - name: comments
                |    row: {no: b, total: 2, lines: []}
                |    expect:
                |      no: '#c'  # the first
                |      total: 3
                |  - {name: long, row: {no: c, total: '1234567890123456', lines: []}, expect: {no: c, total: "1234567890123456", lines: []}}
                |  - {name: none, row: {no: d, total: x, lines: 5}, expect: {}}
                |left behind: `expect` is an alias (*): edit the place it stands for
                |left comments: there are comments in `expect`, which would be lost
                |left none: there is no document
                |fails behind
                |fails comments
                |fails none
            "#]],
        );
    }

    #[test]
    fn lines_end_as_they_did_and_the_filter_holds() {
        let tests = "  - name: one\r\n    row: {no: a, total: 1, lines: []}\r\n    expect: {no: b}\r\n  - name: two\r\n    row: {no: a, total: 1, lines: []}\r\n    expect:\r\n      no: b\r\n";
        expect![[r#"
            |  - name: one␍
            |    row: {no: a, total: 1, lines: []}␍
            |    expect: {no: b}␍
            |  - name: two␍
            |    row: {no: a, total: 1, lines: []}␍
            |    expect:␍
            |      no: a␍
            |      total: 1␍
            |      lines: []␍
        "#]]
        .assert_eq(&barred(&updated(tests, Some("two")).replace('\r', "␍")));
    }
}
