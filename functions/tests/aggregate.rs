//! Several rows become one document: groups, lines, sums, parts.

use std::sync::Arc;

use dsl::aggregate::{AggregatePlan, Calc, Folded, How};
use dsl::diagnostic::SourceFile;
use dsl::expr::{self, Bounds};
use dsl::path::Path;
use dsl::tree::{Compile, Tree, TreePlace, compile_tree};
use dsl::value::Value;
use dsl::{json, yaml};
use jiff::tz::TimeZone;

const NOW: i64 = 1_700_000_000_000;

fn path(text: &str) -> Path {
    Path::parse(text).expect("a path")
}

fn tree(text: &str) -> Tree {
    let file = Arc::new(SourceFile::new("t.yaml", format!("number: {text}\n")));
    let node = yaml::read(&file).expect("YAML");
    let registry = functions::registry();
    let mut cx = Compile::new(&file, &registry, TreePlace::NUMBER);
    let tree = compile_tree(&node.get("number").expect("a number").value, &mut cx);
    assert!(cx.diags.is_empty(), "{:?}", cx.diags);
    tree
}

fn plan(calc: &[(&str, &str)], max_lines: usize) -> AggregatePlan {
    let registry = functions::registry();
    let calc = calc.iter().map(|(field, word)| Calc {
        path: path(field),
        how: match *word {
            "first" => How::First,
            "last" => How::Last,
            "push" => How::Push,
            "add_to_set" => How::Set,
            word => {
                let text = format!("{}(<<v>>)", word.to_uppercase());
                How::Function(Arc::new(
                    expr::compile(&text, &registry, &Bounds::default()).expect("a function"),
                ))
            }
        },
    });
    AggregatePlan {
        header: vec![path("shop")],
        lines: "lines".to_owned(),
        by: vec![path("l.sku")],
        calc: calc.collect(),
        max_lines,
        number: tree("S<<shop>>-<<$part>>"),
        compat_qeasy: false,
    }
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).expect("JSON")
}

fn fold(plan: &AggregatePlan, rows: &[&str], last: u32) -> Folded {
    let zone = TimeZone::UTC;
    let mut folding = plan.fold(NOW, &zone);
    let mut failed = Vec::new();
    for (nth, row) in rows.iter().enumerate() {
        if let Err(failure) = folding.add(nth, &value(row)) {
            failed.push((nth, failure));
        }
    }
    let mut folded = folding.finish(&|_| last);
    folded.failed.extend(failed);
    folded
}

fn one_line(word: &str, values: &[&str]) -> String {
    let rows: Vec<String> = values
        .iter()
        .map(|value| format!(r#"{{"shop":"A","l":{{"sku":"x"{value}}}}}"#))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let folded = fold(&plan(&[("l.q", word)], 10), &rows, 0);
    assert_eq!(folded.failed, [], "{word}");
    let part = folded.parts.first().expect("a document");
    let value = path("lines.0.l.q").get(&part.row).expect("a value").clone();
    json::to_string(&value)
}

#[test]
fn values_are_reckoned_as_by_the_functions() {
    let numbers = [r#","q":0.10"#, r#","q":"0.2""#, r#","q":null"#, "", r#","q":3"#];
    // The scale of the values, and nothing of a float.
    assert_eq!(one_line("sum", &numbers), "3.30");
    assert_eq!(one_line("sum", &[r#","q":0.1"#; 10]), "1.0");
    assert_eq!(one_line("avg", &[r#","q":1"#, r#","q":2"#]), "1.5000");
    assert_eq!(one_line("min", &numbers), "0.10");
    assert_eq!(one_line("max", &numbers), "3");
    assert_eq!(one_line("first", &numbers), "0.10");
    assert_eq!(one_line("last", &numbers), "3");
    assert_eq!(one_line("push", &numbers), r#"[0.10,"0.2",null,null,3]"#);
    assert_eq!(
        one_line("add_to_set", &[r#","q":"b""#, r#","q":"a""#, r#","q":"b""#]),
        r#"["b","a"]"#
    );
    assert_eq!(one_line("sum", &["", ""]), "null");
}

#[test]
fn a_group_has_its_header_and_a_line_its_key() {
    let rows = [
        r#"{"shop":"A","l":{"sku":"x","q":1,"z":9}}"#,
        r#"{"shop":"B","l":{"sku":"x","q":2}}"#,
        // The same as text and as number.
        r#"{"shop":"A","l":{"sku":"y","q":3}}"#,
        r#"{"shop":"A","l":{"sku":"x","q":4.5}}"#,
    ];
    let folded = fold(&plan(&[("l.q", "sum")], 10), &rows, 0);
    let seen: Vec<(String, &[usize], String)> = folded
        .parts
        .iter()
        .map(|part| (part.number.clone(), &part.members[..], json::to_string(&part.row)))
        .collect();
    assert_eq!(
        seen,
        [
            (
                "SA-1".to_owned(),
                &[0usize, 2, 3][..],
                r#"{"shop":"A","lines":[{"l":{"sku":"x","q":5.5}},{"l":{"sku":"y","q":3}}],"$part":1,"$number":"SA-1"}"#
                    .to_owned()
            ),
            (
                "SB-1".to_owned(),
                &[1usize][..],
                r#"{"shop":"B","lines":[{"l":{"sku":"x","q":2}}],"$part":1,"$number":"SB-1"}"#.to_owned()
            ),
        ]
    );
}

#[test]
fn texts_and_numbers_of_one_look_are_one_group_and_null_is_another() {
    let rows = [
        r#"{"shop":1,"l":{"sku":"x"}}"#,
        r#"{"shop":"1","l":{"sku":"x"}}"#,
        r#"{"shop":null,"l":{"sku":"x"}}"#,
        r#"{"shop":"","l":{"sku":"x"}}"#,
    ];
    let folded = fold(&plan(&[], 10), &rows, 0);
    let members: Vec<&[usize]> = folded.parts.iter().map(|part| &part.members[..]).collect();
    assert_eq!(members, [&[0usize, 1][..], &[2], &[3]]);
}

#[test]
fn more_lines_than_a_document_has_make_further_parts_behind_the_last_one() {
    let rows: Vec<String> = (0..5)
        .map(|sku| format!(r#"{{"shop":"A","l":{{"sku":"{sku}","q":1}}}}"#))
        .chain([r#"{"shop":"A","l":{"sku":"0","q":1}}"#.to_owned()])
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let folded = fold(&plan(&[("l.q", "sum")], 2), &rows, 7);
    let parts: Vec<(u32, &str, &[usize])> = folded
        .parts
        .iter()
        .map(|part| (part.part, part.number.as_str(), &part.members[..]))
        .collect();
    assert_eq!(
        parts,
        [
            (8, "SA-8", &[0usize, 1, 5][..]),
            (9, "SA-9", &[2, 3]),
            (10, "SA-10", &[4]),
        ]
    );
}

#[test]
fn a_row_that_fails_changes_no_document() {
    let rows = [
        r#"{"shop":"A","l":{"sku":"x","q":1}}"#,
        r#"{"l":{"sku":"x","q":1}}"#,
        r#"{"shop":"A","l":{"sku":"x","q":{"deep":1}}}"#,
        r#"{"shop":"A","l":{"sku":"x","q":2}}"#,
    ];
    let folded = fold(&plan(&[("l.q", "sum")], 10), &rows, 0);
    let failed: Vec<(usize, &str, Option<&str>)> = folded
        .failed
        .iter()
        .map(|(nth, failure)| (*nth, failure.code(), failure.field.as_deref()))
        .collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    assert_eq!(failed[0], (1, "E2001", Some("shop")));
    assert_eq!((failed[1].0, failed[1].2), (2, Some("l.q")));
    assert_eq!(folded.parts.len(), 1);
    assert_eq!(folded.parts[0].members, [0, 3]);
    let sum = path("lines.0.l.q").get(&folded.parts[0].row).map(json::to_string);
    assert_eq!(sum.as_deref(), Some("3"));
}

#[test]
fn a_number_that_is_empty_leaves_its_rows() {
    let mut plan = plan(&[], 10);
    plan.number = tree("_function IF(<<shop>> = 'A', '', <<shop>>)");
    let rows = [
        r#"{"shop":"A","l":{"sku":"x"}}"#,
        r#"{"shop":"B","l":{"sku":"x"}}"#,
    ];
    let folded = fold(&plan, &rows, 0);
    assert_eq!(folded.failed.len(), 1);
    assert_eq!((folded.failed[0].0, folded.failed[0].1.code()), (0, "E5025"));
    assert_eq!(folded.parts.len(), 1);
}

#[test]
fn fields_of_lines_are_found_behind_those_of_documents() {
    let plan = plan(&[("l.q", "sum")], 10);
    let behind = plan.behind(&[path("shop"), path("lines.*.l.q"), path("lines.l.sku")]);
    assert_eq!(behind, [path("shop"), path("l.q"), path("l.sku")]);
    assert_eq!(plan.reads(), [path("l.q"), path("l.sku"), path("shop")]);
}
