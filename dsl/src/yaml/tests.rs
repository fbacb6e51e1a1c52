use std::sync::Arc;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::diagnostic::{Lang, SourceFile, render};
use crate::json;

fn file(text: &str) -> Arc<SourceFile> {
    SourceFile::new("客户.yaml", text)
}

/// The file as JSON.
#[track_caller]
pub(super) fn reads(text: &str, want: &str) {
    let file = file(text);
    let node = read(&file).unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)));
    assert_eq!(json::to_string(&node.plain_value()), want, "{text}");
}

/// All problems in both languages, and what was read in spite of them.
#[track_caller]
pub(super) fn refuses(text: &str, want: &Expect) {
    let reading = read_all(&file(text));
    assert!(!reading.problems.is_empty(), "read as {:?}", reading.node);
    let mut shown = render(&reading.problems, Lang::Zh, false, 20);
    for problem in &reading.problems {
        shown += &format!("en: {}\n", problem.message(Lang::En));
        shown += &problem
            .help(Lang::En)
            .map_or(String::new(), |help| format!("    {help}\n"));
    }
    if let Some(node) = reading.node {
        shown += &format!("read: {}\n", node.plain_value());
    }
    want.assert_eq(&shown);
}

#[track_caller]
fn codes(text: &str, want: &[&str]) {
    let codes: Vec<&str> = read_all(&file(text))
        .problems
        .iter()
        .map(|problem| problem.entry.code)
        .collect();
    let start: String = text.chars().take(60).collect();
    assert_eq!(codes, want, "{start:?}");
}

#[test]
fn plain_words() {
    let check = |word: &str, want: &str| reads(&format!("甲: {word}\n"), &format!("{{\"甲\":{want}}}"));
    check("true", "true");
    check("false", "false");
    check("null", "null");
    check("1.50", "1.50");
    check("-0.10", "-0.10");
    check("123456789012345", "123456789012345");
    check("1234567890123456", "\"1234567890123456\"");
    check("6351f0a2b7c91d", "\"6351f0a2b7c91d\"");
    for text in [
        "00123",
        "no",
        "on",
        "22:30",
        "2026-01-01",
        "1e3",
        "+8",
        "True",
        "~",
        ".5",
        "0x1F",
        "1_000",
        "C-<<x>>/<<y>>",
        "C-{{x}}",
    ] {
        check(text, &format!("\"{text}\""));
    }
    check("\"1\"", "\"1\"");
    check("'true'", "\"true\"");
    check("|\n  1", "\"1\\n\"");
    check("\"a b\" # note", "\"a b\"");
    check("a#b # note", "\"a#b\"");
}

#[test]
fn shapes() {
    reads(
        "a: {x: 1, y: [<<b>>, C-<<c>>]}\nb:\n- 1\n- c: 2\n  d: 3\n",
        r#"{"a":{"x":1,"y":["<<b>>","C-<<c>>"]},"b":[1,{"c":2,"d":3}]}"#,
    );
    reads(
        "# note\n---\n1: z\ntrue: y\n\"<<\": x\n",
        r#"{"1":"z","true":"y","<<":"x"}"#,
    );
    reads(
        "\u{feff}甲: 1\r\n乙: |\r\n  一\r\n  二\r\n丙: 3\r\n",
        r#"{"甲":1,"乙":"一\n二\n","丙":3}"#,
    );
    reads(
        "a: &x {k: 1}\nb: *x\nc: [*x]\n",
        r#"{"a":{"k":1},"b":{"k":1},"c":[{"k":1}]}"#,
    );
    reads(
        "a: _function IF({{a}} > 1, 'x', \"y\") # note\nb: _function CONCAT('#', b)\n",
        r##"{"a":"_function IF({{a}} > 1, 'x', \"y\")","b":"_function CONCAT('#', b)"}"##,
    );
    reads(
        "a: {b: \"_function IF(a,1,2)\", c: _function f(1)}\n",
        r#"{"a":{"b":"_function IF(a,1,2)","c":"_function f(1)"}}"#,
    );
    reads("a:\t1\n", r#"{"a":1}"#);
    reads("text", "\"text\"");
    reads("a: {}\nb: []\nc: ''\n", r#"{"a":{},"b":[],"c":""}"#);
}

#[test]
fn characters() {
    refuses(
        "甲: a\u{0}b\n",
        &expect![[r#"
        error[E1003]: 文件里有不允许的字符 U+0000
         --> 客户.yaml:1:5
          |
        1 | 甲: a␀b
          |      ^
          |
          = 提示: 删掉它;确实需要时在双引号里写成转义
        en: the character U+0000 is not allowed in a file
            delete it; where it is needed, write its escape inside double quotes
    "#]],
    );
    codes("a: 1\rb: 2\n", &["E1003"]);
    codes("a: \u{feff}1\n", &["E1003"]);
    codes("a: \u{85}\n", &["E1003"]);
    codes("", &["E1020"]);
    codes("# note\n", &["E1020"]);
    codes("---\n", &["E1020"]);
    let decoded = decode("客户.yaml", b"a: \xd6\xd0\n".to_vec()).unwrap_err();
    expect![[r#"
        error[E1002]: 文件不是 UTF-8 编码,第一个不能识别的字节在这里
         --> 客户.yaml:1:4
          |
        1 | a: ��
          |    ^
          |
          = 提示: 用编辑器另存为 UTF-8(不是 GBK、ANSI 或 UTF-16)
    "#]]
    .assert_eq(&render(&decoded, Lang::Zh, false, 20));
    assert!(decode("x", "甲".into()).is_ok());
}

#[test]
fn bounds() {
    codes(&"#".repeat(MAX_BYTES + 1), &["E1001"]);
    let nested = |depth: usize| format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth));
    codes(&nested(MAX_DEPTH - 1), &[]);
    codes(&nested(MAX_DEPTH), &["E1026"]);
    codes(&nested(400_000), &["E1026"]);
    codes(&"[".repeat(1_000_000), &["E1026"]);
    codes(&"{a: ".repeat(200_000), &["E1026"]);
    codes(&"- ".repeat(500_000), &["E1026"]);
    let block: String = (0..MAX_DEPTH + 5)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    codes(&block, &["E1026"]);

    let anchors = |count: usize| (0..count).map(|n| format!("k{n}: &a{n} 1\n")).collect::<String>();
    codes(&anchors(MAX_ANCHORS), &[]);
    codes(&anchors(MAX_ANCHORS + 1), &["E1023"]);
    let aliases = |count: usize| format!("a: &a 1\nb: [{}]\n", vec!["*a"; count].join(", "));
    codes(&aliases(MAX_ANCHORS), &[]);
    codes(&aliases(MAX_ANCHORS + 1), &["E1023"]);

    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..9 {
        let use_ = format!("*a{}, ", level - 1).repeat(9);
        bomb += &format!("a{level}: &a{level} [{use_}]\n");
    }
    codes(&bomb, &["E1027"]);
    let long = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(900_000),
        vec!["*a"; 50].join(", ")
    );
    codes(&long, &["E1027"]);
    let mut deep = "a0: &a0 [[[[[[[[[[1]]]]]]]]]]\n".to_owned();
    for level in 1..9 {
        deep += &format!("a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]\n", level - 1);
    }
    codes(&deep, &["E1026"]);
    codes(&"- a\n".repeat(MAX_NODES + 1), &["E1027"]);
}

#[test]
fn a_hundred_problems_are_listed_and_the_others_counted() {
    let equal = |count: usize| file(&"a: 1\n".repeat(count));
    assert_eq!(read(&equal(MAX_PROBLEMS + 1)).unwrap_err().len(), MAX_PROBLEMS);
    let problems = read(&equal(MAX_PROBLEMS + 8)).unwrap_err();
    assert_eq!(problems.len(), MAX_PROBLEMS + 1);
    let last = problems.last().unwrap();
    assert_eq!(
        (last.entry.code, last.position()),
        ("E1040", (MAX_PROBLEMS + 2, 1))
    );
    assert!(last.message(Lang::En).ends_with("there are 7 more"), "{last:?}");
    let drawn = render(&problems, Lang::En, false, 3);
    assert!(drawn.ends_with("another 104 problems\n"), "{drawn}");
}

/// Where a word of the decoded text of `v` is found in the file, marked in the lines it touches.
#[track_caller]
fn traced(text: &str, word: &str, want: &str) {
    let file = file(text);
    let node = read(&file).unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)));
    let value = &node.get("v").unwrap().value;
    let decoded = value.text().unwrap();
    let start = decoded
        .find(word)
        .unwrap_or_else(|| panic!("{decoded:?} has no {word:?}"));
    assert_eq!(
        &file.text[value.span_in(start..start + word.len())],
        want,
        "{text}"
    );
}

#[test]
fn text_is_traced_to_the_file() {
    traced("v: 客户 名称\n", "名称", "名称");
    traced("甲: 1\nv: 客户\n  名称 x\n\n  y\n", "名称 x", "名称 x");
    traced("v: 客户\n  名称\n", "户 名", "户\n  名");
    traced("v: 'it''s 名称'\n", "名称", "名称");
    traced("v: 'it''s 名称'\n", "'", "''");
    traced("v: 'a\n\n  b 名称 '\n", "名称", "名称");
    traced(r#"v: "\u5f20三 \"x\" 名称\n""#, "名称", "名称");
    traced(r#"v: "\u5f20三 \"x\" 名称""#, "张三", r"\u5f20三");
    traced(r#"v: "\ud83d\ude00 名称""#, "名称", "名称");
    traced("v: \"a \\\n    b 名称\"\n", "b 名称", "b 名称");
    traced("v: \"a\n\n    b\\  \n   名称\"\n", "名称", "名称");
    traced("v: |\n  第一 行\n\n    名称\n  x\n", "名称", "名称");
    traced("v: |2-\n    a\n  名称\nw: 1\n", "名称", "名称");
    traced("v: >-\n  x\n  y\n\n  名称\n    更深\n  z\n", "名称", "名称");
    traced(
        "v: >-\n  x\n  y\n\n  名称\n    更深\n  z\n",
        "更深\nz",
        "更深\n  z",
    );
    traced("v: >\n\n  x 名称\n\n\n", "名称", "名称");
    traced("v: |\r\n  a\r\n  名称\r\n", "名称", "名称");
    traced("\u{feff}v: 名称\r\n", "名称", "名称");
}

#[test]
fn spans_of_nodes() {
    let check = |text: &str, want: &str| {
        let file = file(text);
        let node = read(&file).unwrap();
        let pair = node.get("v").unwrap();
        assert_eq!(&file.text[pair.key_span.clone()], "v");
        assert_eq!(&file.text[pair.value.span.clone()], want, "{text}");
    };
    check("甲: 1\nv: 客户  # note\n", "客户");
    check("v: '客户'\n", "'客户'");
    check("v: &a '客户'\n", "'客户'");
    check("v: {a: 1}\n", "{a: 1}");
    check("v: [\n  1,\n  2 ]\nb: 1\n", "[\n  1,\n  2 ]");
    check("v:\n  a: 1\n  b: 2\nc: 1\n", "a: 1\n  b: 2");
    check("v:\n- 1\n- 2\n\n\nc: 1\n", "- 1\n- 2");
    check(
        "v: | # a | b\n  x\n\n  y\n\n# note\nc: 1\n",
        "| # a | b\n  x\n\n  y",
    );
    check("v: >-\n\n  x\nc: 1\n", ">-\n\n  x");
    check("v: |\n", "|");
}

#[test]
fn empty_ranges_and_ranges_beyond_the_end() {
    let file = file("v: \"a\\nb\"\n");
    let node = read(&file).unwrap();
    let value = &node.get("v").unwrap().value;
    assert_eq!(value.span_in(0..0), 4..4);
    assert_eq!(value.span_in(2..2), 7..7);
    assert_eq!(value.span_in(3..9), 8..8);
    assert_eq!(value.span_in(1..2), 5..7);
    assert_eq!(node.span_in(0..1), node.span);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_read_without_panic(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_yamlish_text_is_read_without_panic(
        text in "(\\{\\{x\\}\\}|_function |<<|: |- |\n|\n  |\t| #|\\r\n|&a |\\*a|\\$\\{e\\}|[a客'\"\\\\|>{}\\[\\],:#&*!%@?-]){0,24}"
    ) {
        survives(&text);
    }

    /// Text that YAML decodes is traced byte by byte: what stands in the file unchanged is found where it stands.
    #[test]
    fn quoted_text_is_traced(words in prop::collection::vec("[a客']{1,3}|\\\\n|\\\\u5f20|\n *|''", 1..8), double in any::<bool>()) {
        let inner: String = if double { words.concat() } else { words.concat().replace('\'', "''") };
        let quote = if double { '"' } else { '\'' };
        let file = file(&format!("v: {quote}{inner}{quote}\n"));
        if let Ok(node) = read(&file) {
            let value = &node.get("v").unwrap().value;
            let text = value.text().unwrap();
            prop_assert!(text.is_empty() || !value.scalar().unwrap().pieces.is_empty(), "{:?} from {:?}", text, file.text);
            for (at, char) in text.char_indices().filter(|(_, char)| matches!(char, 'a' | '客')) {
                prop_assert_eq!(&file.text[value.span_in(at..at + char.len_utf8())], char.to_string());
            }
        }
    }
}

/// Reads, draws and measures: nothing of it may panic, and every place lies in the file.
fn survives(text: &str) {
    let file = file(text);
    let reading = read_all(&file);
    assert_eq!(
        reading.node.is_none() || !reading.problems.is_empty(),
        read(&file).is_err()
    );
    for problem in &reading.problems {
        assert!(
            file.text.get(problem.span.clone()).is_some(),
            "{text:?}: {problem:?}"
        );
    }
    drop(render(&reading.problems, Lang::Zh, true, 20));
    if let Some(node) = reading.node {
        inside(&file, &node);
    }
}

fn inside(file: &SourceFile, node: &Node) {
    assert!(
        file.text.get(node.span.clone()).is_some(),
        "{:?}: {node:?}",
        file.text
    );
    match &node.kind {
        NodeKind::List(items) => items.iter().for_each(|item| inside(file, item)),
        NodeKind::Map(pairs) => {
            for pair in pairs {
                assert!(file.text.get(pair.key_span.clone()).is_some(), "{pair:?}");
                inside(file, &pair.value);
            }
        }
        NodeKind::Scalar(scalar) => {
            for (at, char) in scalar.text.char_indices() {
                let span = node.span_in(at..at + char.len_utf8());
                assert!(file.text.get(span.clone()).is_some(), "{:?}: {span:?}", file.text);
            }
        }
    }
}
