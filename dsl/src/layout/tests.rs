use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;

fn file(text: &str) -> Arc<SourceFile> {
    SourceFile::new("a.yaml", text)
}

#[track_caller]
fn formatted(text: &str) -> String {
    format(&file(text)).unwrap_or_else(|why| panic!("{why:?}:\n{text}"))
}

/// Before and after, in both kinds of line ends; what comes out stays as it is.
#[track_caller]
fn check(before: &str, after: &str) {
    for ends in ["\n", "\r\n"] {
        let with = |text: &str| text.replace('\n', ends);
        assert_eq!(formatted(&with(before)), with(after));
        assert_eq!(formatted(&with(after)), with(after), "the second time");
    }
}

#[test]
fn levels_are_two_blanks() {
    check(
        "a:\n    b:\n     - c: 1\n       d:   2\n     -   e\n    f: 3\n",
        "a:\n  b:\n    - c: 1\n      d: 2\n    - e\n  f: 3\n",
    );
    check("a:\n- b\n-   - c\n    - d\n", "a:\n  - b\n  - - c\n    - d\n");
    check("a:\n     b\n", "a:\n  b\n");
    check("-   a: 1\n    b: 2\n- c\n", "- a: 1\n  b: 2\n- c\n");
}

#[test]
fn what_goes_on_moves_with_its_first_line() {
    check(
        "a:\n    b: {c: 1,\n        d: 2\n    }\n    e: 'one\n      two'\n    f: one\n     two\n",
        "a:\n  b: {c: 1,\n      d: 2\n  }\n  e: 'one\n    two'\n  f: one\n   two\n",
    );
    check(
        "a:\n    b: |   # as it is\n        one  \n          two\n\n        three\n    c: >-\n       x\n    d: |2\n        y\n",
        "a:\n  b: |   # as it is\n    one  \n      two\n\n    three\n  c: >-\n    x\n  d: |2\n      y\n",
    );
}

#[test]
fn one_blank_where_pieces_meet() {
    check(
        "a  :   1\nb: { c :1 , 'd e':2,f: [ 1,2 , 3 ] , g: { } , h: [ ] }\n"
            .replace("c :1", "c : 1")
            .as_str(),
        "a: 1\nb: {c: 1, 'd e': 2, f: [1, 2, 3], g: {}, h: []}\n",
    );
    check(
        "a: {\"b.c\":1,\"d.e\":{\"f.g\":[1]}}\n",
        "a: {\"b.c\": 1, \"d.e\": {\"f.g\": [1]}}\n",
    );
    check(
        "a: &x   {b: 1}\nc:   *x\nd: [*x , *x ]\n",
        "a: &x {b: 1}\nc: *x\nd: [*x, *x]\n",
    );
    check("a: <<x>>\nb: C-<<y>>/<<z>>\n", "a: <<x>>\nb: C-<<y>>/<<z>>\n");
}

#[test]
fn columns_that_somebody_has_drawn_stay() {
    check(
        "a:\n    server:   1 # s\n    key:      2\n    longer_one: 3\n    page:     4\n    x:    5\n",
        "a:\n  server:   1 # s\n  key:      2\n  longer_one: 3\n  page: 4\n  x: 5\n",
    );
    check("- a:   1\n  bcd: 2\n", "- a:   1\n  bcd: 2\n");
    // The quotes of the name go, and with them the column.
    check("'a':  1\n客户:    2\n", "a: 1\n客户: 2\n");
}

#[test]
fn ends_of_lines_and_of_the_file() {
    check("\n\na: 1   \n  \n\n\nb: 2\n\n\n", "a: 1\n\nb: 2\n");
    assert_eq!(formatted("a: 1"), "a: 1\n");
    assert_eq!(formatted("a: 1\r\nb: 2"), "a: 1\r\nb: 2\r\n");
    check("a:\n - |\n  x\n    \n", "a:\n  - |\n    x\n      \n");
    check("a: |+\n  x\n\n\nb: 1\n", "a: |+\n  x\n\n\nb: 1\n");
    check("a:\n  - |+\n    x\n\n\n", "a:\n  - |+\n    x\n\n\n");
    assert_eq!(formatted("a: |\n  x"), "a: |\n  x");
    assert_eq!(formatted("\u{feff}a:   1\n"), "\u{feff}a: 1\n");
    check("---\na:  1\n...\n", "---\na: 1\n...\n");
}

#[test]
fn parts_of_the_top_level_stand_apart() {
    check(
        "# 头\na: 1\nb: 2\n# 来源\n# two lines\nc:\n  d: 1\n  # its end\ne: 1\nf: |\n  x\n",
        "# 头\na: 1\nb: 2\n\n# 来源\n# two lines\nc:\n  d: 1\n  # its end\n\ne: 1\n\nf: |\n  x\n",
    );
    check("a: 1\n# apart\n\nb:\n  c: 1\n", "a: 1\n# apart\n\nb:\n  c: 1\n");
}

#[test]
fn quotes_that_say_nothing_go() {
    check(
        "\"a\": 'text'\nb: [\"客户\", 'a-b', \"A1\", \"100\", 'yes', \"Null\", 'n', \"a b\", '<<x>>', \"\", '_function']\n",
        "a: text\nb: [客户, a-b, \"A1\", \"100\", 'yes', \"Null\", 'n', \"a b\", '<<x>>', \"\", '_function']\n",
    );
}

#[test]
fn comments_stay_where_they_belong() {
    check(
        "a:\n    b:   1     # one\n    cc:   2    # two\n               # goes on\n    d: 3 # near\n        # of a\n# of e\ne: 1\n",
        "a:\n  b: 1         # one\n  cc: 2        # two\n               # goes on\n  d: 3 # near\n  # of a\n\n# of e\ne: 1\n",
    );
    check(
        "a:\n    # before b\n    b:\n        c: 1\n      # of b's end\n    d: 1\n",
        "a:\n  # before b\n  b:\n    c: 1\n  # of b's end\n  d: 1\n",
    );
    check("a:\n  b: 1\n  # the end\n", "a:\n  b: 1\n  # the end\n");
}

#[test]
fn files_with_errors_are_not_touched() {
    for text in ["a: [1", "a:  {{x}}\n", "a:   1\na: 2\n", "a:\n", "a: !t  b\n"] {
        let refused = format(&file(text));
        assert!(
            matches!(refused, Err(NotFormatted::Unreadable(_))),
            "{text}: {refused:?}"
        );
    }
}

fn yaml_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a folder of the tree").path();
        if path.is_dir() {
            yaml_below(&path, found);
        } else if path.extension().is_some_and(|end| end == "yaml") {
            found.push(path);
        }
    }
}

/// All YAML files of the tree that can be read, of whatever kind: the second time nothing changes.
#[test]
fn every_file_of_the_tree_twice() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    for entry in std::fs::read_dir(&root).expect("the tree") {
        let path = entry.expect("a file").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // Build output, and what belongs to no tree.
        if path.is_dir() && (name == "target" || name.starts_with('.')) {
            continue;
        }
        match path.is_dir() {
            true => yaml_below(&path, &mut found),
            false if path.extension().is_some_and(|end| end == "yaml") => found.push(path),
            false => {}
        }
    }
    for kind in [
        "schemes/",
        "objects/",
        "connections.yaml",
        "connectors/",
        "templates/",
        "check/good/",
    ] {
        let is_there = |path: &PathBuf| path.to_string_lossy().replace('\\', "/").contains(kind);
        assert!(found.iter().any(is_there), "no {kind}");
    }
    let mut seen = 0;
    for path in found {
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for text in [text.replace('\n', "\r\n"), text] {
            let once = match format(&file(&text)) {
                Ok(once) => once,
                Err(NotFormatted::Unreadable(_)) => continue,
                Err(other) => panic!("{}: {other:?}", path.display()),
            };
            let twice = format(&file(&once)).unwrap_or_else(|why| panic!("{}: {why:?}", path.display()));
            assert_eq!(once, twice, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 150, "only {seen} files");
}

/// YAML as people write it: any indentation, all ways to quote, comments between, several line ends.
fn block(depth: u32) -> BoxedStrategy<Vec<String>> {
    let comment = prop_oneof![
        6 => Just(String::new()),
        1 => "[ ]{1,4}# [a-z客户:{}'\"]{0,6}",
    ];
    let word = prop_oneof![
        "[a-z]{1,6}",
        "[a-z]{1,3} [a-z#:]{1,4}x".prop_filter("a comment or a key", |text| !text.contains(" #")
            && !text.contains(": ")),
        "'[a-z客 #:,]{0,6}'",
        "\"[a-z户 #:,{}]{0,6}\"",
        "[0-9]{1,4}",
        "<<[a-z]{1,3}>>",
        "\\{ ?[a-c]{1,2} ?: [0-9]{1,2} ?,  ?d: \\[ ?1 ,2 ?\\] ?\\}",
        "\\[ ?\\{ ?x: '[a-z]' ?\\} ?, ?\"[a-z]\" ?\\]",
    ];
    let leaf = (word, comment.clone()).prop_map(|(word, comment)| vec![format!("{word}{comment}")]);
    if depth == 0 {
        return leaf.boxed();
    }
    let text = (
        "[|>][+-]?",
        proptest::collection::vec("[a-z客]{0,3}[a-z:# ]{0,5}", 1..4),
        1..5_usize,
    )
        .prop_filter("an indentation of its own", |(_, lines, _)| {
            lines
                .first()
                .is_some_and(|line| !line.trim().is_empty() && !line.starts_with(' '))
        })
        .prop_map(|(sign, lines, by)| {
            let mut all = vec![sign];
            all.extend(lines.into_iter().map(|line| format!("{}{line}", " ".repeat(by))));
            all
        });
    let quoted = ("'", 1..6_usize, any::<bool>())
        .prop_map(|(_, by, _)| vec!["'one".to_owned(), format!("{}two  three'", " ".repeat(by))]);
    let flow = (1..6_usize, comment.clone()).prop_map(|(by, comment)| {
        let by = " ".repeat(by);
        vec![
            format!("{{{comment}"),
            format!("{by}a: 1 ,{comment}"),
            format!("{by}  'b': [ 2 ]"),
            format!("{by}}}"),
        ]
    });
    let members = (
        proptest::collection::vec((block(depth - 1), 1..4_usize, comment.clone(), 0..3_usize), 1..4),
        1..6_usize,
    );
    let map = members.clone().prop_map(|(members, by)| {
        let mut all = vec![String::new()];
        for (nth, (value, blanks, comment, empty)) in members.into_iter().enumerate() {
            all.extend(std::iter::repeat_n(String::new(), empty.saturating_sub(1)));
            if !comment.is_empty() && nth > 0 {
                all.push(comment.clone());
            }
            let pad = " ".repeat(by);
            all.extend(hung(&format!("{pad}k{nth}:"), &pad, value, blanks));
        }
        all
    });
    let list = members.prop_map(|(members, by)| {
        let mut all = vec![String::new()];
        for (value, blanks, _, _) in members {
            let pad = " ".repeat(by);
            all.extend(hung(&format!("{pad}-"), &pad, value, blanks));
        }
        all
    });
    prop_oneof![2 => leaf, 1 => text, 1 => quoted, 1 => flow, 3 => map, 2 => list].boxed()
}

/// A value behind its key or dash.
fn hung(head: &str, pad: &str, value: Vec<String>, blanks: usize) -> Vec<String> {
    let mut lines = value.into_iter();
    let first = lines.next().unwrap_or_default();
    let first = match first.is_empty() {
        true => head.to_owned(),
        false => format!("{head}{}{first}", " ".repeat(blanks)),
    };
    let rest = lines.map(|line| match line.is_empty() {
        true => line,
        false => format!("{pad}{line}"),
    });
    std::iter::once(first).chain(rest).collect()
}

pub(crate) fn document() -> impl Strategy<Value = String> {
    (
        proptest::collection::vec((block(3), 1..3_usize), 1..5),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(parts, crlf, bom)| {
            let mut lines = Vec::new();
            for (nth, (value, blanks)) in parts.into_iter().enumerate() {
                lines.push(format!("# 第 {nth} 段"));
                lines.extend(hung(&format!("top{nth}:"), "", value, blanks));
            }
            let text = lines.join(if crlf { "\r\n" } else { "\n" });
            if bom { format!("\u{feff}{text}") } else { text }
        })
}

/// The text of comments, in any order.
fn comments(text: &str) -> Vec<String> {
    let found = tokens(text).expect("it was read");
    let mut all: Vec<String> = found
        .all
        .iter()
        .filter(|token| token.kind == TokenKind::Comment)
        .map(|token| text[token.span.clone()].to_owned())
        .collect();
    all.sort();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Whatever can be read comes out with the same values and comments, and as it is the second time.
    #[test]
    fn generated_files_keep_values_and_comments(text in document()) {
        let before = read_all(&file(&text));
        let is_fine = before.problems.iter().all(|problem| !problem.is_error());
        prop_assume!(is_fine);
        let once = format(&file(&text)).map_err(|why| TestCaseError::fail(format!("{why:?}\n{text}")))?;
        let root = before.node.expect("read");
        let again = read_all(&file(&once)).node.expect("read again");
        prop_assert!(same(&root, &again), "{}\n{}", text, once);
        prop_assert_eq!(comments(&text), comments(&once));
        let line_ends = once.matches('\n').count();
        prop_assert_eq!(once.matches("\r\n").count(), if text.contains("\r\n") { line_ends } else { 0 });
        prop_assert_eq!(text.starts_with('\u{feff}'), once.starts_with('\u{feff}'));
        let twice = format(&file(&once)).map_err(|why| TestCaseError::fail(format!("{why:?}\n{once}")))?;
        prop_assert_eq!(&twice, &once, "{}", text);
    }
}
