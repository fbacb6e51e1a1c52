use proptest::prelude::*;

use super::*;

const SCHEME: &str = "\
# 客户:从商城到财务
scheme: customers   # 不要改
name: { zh: '客户', en: \"customers\" }
source:
  api: list
  options: {}
  window: # 六分钟
    overlap: 10m # 重叠
    settle: \"2m\"
target:
  request:
    FNumber: '{{code}}'   # 编码
    FNote: |
      第一行
      second
    FEntity:
      - FQty: 1.50
        FItem: { FNumber: A, 名称: '甲''乙' }
      - FQty: 2
  anchored: &one { a: 1 }
  alias: *one
";

fn file(text: &str) -> Arc<SourceFile> {
    SourceFile::new("a.yaml", text)
}

fn json(text: &str) -> Value {
    crate::json::parse(text.as_bytes()).unwrap()
}

/// The change as its author sees it: lines that went, lines that came.
fn check(path: &str, value: &str, went: &[&str], came: &[&str]) {
    for ends in ["\n", "\r\n"] {
        let before = SCHEME.replace('\n', ends);
        let after = set(&file(&before), path, &json(value)).unwrap_or_else(|why| panic!("{path}: {why:?}"));
        let lines = |text: &str| text.split(ends).map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (lines(&before), lines(&after));
        let same = old
            .iter()
            .zip(&new)
            .take_while(|(one, other)| one == other)
            .count();
        let tail = old[same..]
            .iter()
            .rev()
            .zip(new[same..].iter().rev())
            .take_while(|(one, other)| one == other)
            .count();
        assert_eq!(old[same..old.len() - tail], *went, "{path}");
        assert_eq!(new[same..new.len() - tail], *came, "{path}");
    }
}

#[test]
fn only_the_value_changes() {
    check(
        "source.window.overlap",
        r#""15m""#,
        &["    overlap: 10m # 重叠"],
        &["    overlap: 15m # 重叠"],
    );
    check(
        "source.window.settle",
        r#""3m""#,
        &["    settle: \"2m\""],
        &["    settle: \"3m\""],
    );
    check(
        "target.request.FNumber",
        r#""it's {{code}}""#,
        &["    FNumber: '{{code}}'   # 编码"],
        &["    FNumber: 'it''s {{code}}'   # 编码"],
    );
    check(
        "name.en",
        r#""\"quoted\" \\ it""#,
        &["name: { zh: '客户', en: \"customers\" }"],
        &["name: { zh: '客户', en: \"\\\"quoted\\\" \\\\ it\" }"],
    );
    check(
        "target.request.FEntity[1].FQty",
        "30",
        &["      - FQty: 2"],
        &["      - FQty: 30"],
    );
    check(
        "/target/request/FEntity/0/FQty",
        "1.5",
        &["      - FQty: 1.50"],
        &["      - FQty: 1.5"],
    );
    check(
        "target.request.FEntity.0.FItem.名称",
        r#""丙""#,
        &["        FItem: { FNumber: A, 名称: '甲''乙' }"],
        &["        FItem: { FNumber: A, 名称: '丙' }"],
    );
    // A block gives way to one value; the comment on its line stays.
    check(
        "source.window",
        r#""none""#,
        &[
            "  window: # 六分钟",
            "    overlap: 10m # 重叠",
            "    settle: \"2m\"",
        ],
        &["  window: none # 六分钟"],
    );
    check(
        "source.window",
        r#"{"overlap":"1m"}"#,
        &["    overlap: 10m # 重叠", "    settle: \"2m\""],
        &["    overlap: \"1m\""],
    );
}

#[test]
fn keys_are_added_to_maps() {
    check("source.window.max", r#""1d""#, &[], &["    max: \"1d\""]);
    check(
        "source.options.page",
        "1",
        &["  options: {}"],
        &["  options: {page: 1}"],
    );
    check(
        "name.de",
        r#""Kunden""#,
        &["name: { zh: '客户', en: \"customers\" }"],
        &["name: { zh: '客户', en: \"customers\", de: Kunden }"],
    );
    check("enabled", "false", &[], &["enabled: false"]);
}

#[test]
fn what_stands_in_several_places_is_left() {
    for path in [
        "",
        "/",
        "nothing.below",
        "scheme.below",
        "source.window.overlap.x",
        "target.request.FEntity[2]",
        "target.request.FEntity[x]",
        "target.alias.a",
        "target.alias",
        "target.anchored",
        "target.anchored.a",
    ] {
        let refused = set(&file(SCHEME), path, &Value::Null);
        assert!(matches!(refused, Err(NotSet::NoPlace)), "{path}: {refused:?}");
    }
    let refused = set(&file("a: [1"), "a", &Value::Null);
    assert!(matches!(refused, Err(NotSet::Unreadable(_))), "{refused:?}");
    let refused = set(&file(SCHEME), "scheme", &json("1e400"));
    assert!(matches!(refused, Err(NotSet::Unwritable)), "{refused:?}");
}

const PATHS: [&str; 14] = [
    "scheme",
    "name",
    "name.zh",
    "source.api",
    "source.options",
    "source.window",
    "source.window.overlap",
    "target.request.FNumber",
    "target.request.FNote",
    "target.request.FEntity",
    "target.request.FEntity[0]",
    "target.request.FEntity[0].FItem",
    "target.request.FEntity[1].FQty",
    "target.request.新键",
];

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "[ -~]{0,20}",
        "[a-z甲乙丙:#'\"{}\\[\\],&*!|>%@` \\\\]{0,12}",
        Just("true".to_owned()),
        Just("00123".to_owned()),
        Just("a\nb".to_owned()),
    ];
    let leaf = prop_oneof![
        text.prop_map(Value::Text),
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0_u32..100_000).prop_map(|n| json(&n.to_string())),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            proptest::collection::vec(("[a-zA-Z键]{1,6}", inner), 0..4)
                .prop_map(|pairs| Value::Map(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    /// What is written is read as the model says (that is checked inside), or nothing is; and what stands before and
    /// behind the value stays.
    #[test]
    fn every_edit_is_the_edit_of_the_model(nth in 0..PATHS.len(), value in values(), crlf in any::<bool>()) {
        let text = if crlf { SCHEME.replace('\n', "\r\n") } else { SCHEME.to_owned() };
        if let Ok(after) = set(&file(&text), PATHS[nth], &value) {
            for comment in ["# 客户:从商城到财务", "# 不要改"] {
                prop_assert!(after.contains(comment));
            }
            let anchors = if crlf { "  anchored: &one { a: 1 }\r\n  alias: *one\r\n" } else { "  anchored: &one { a: 1 }\n  alias: *one\n" };
            prop_assert!(after.ends_with(anchors));
            prop_assert_eq!(after.contains("\r\n"), crlf);
            prop_assert!(!crlf || !after.replace("\r\n", "").contains('\n'));
            // Once more changes nothing.
            prop_assert_eq!(set(&file(&after), PATHS[nth], &value).unwrap(), after);
        }
    }
}

/// Every single value that stands where it is read, with a path to it.
fn leaves(node: &Node, path: &str, found: &mut Vec<(String, Range<usize>)>) {
    let below = |name: &str| format!("{path}/{}", name.replace('~', "~0").replace('/', "~1"));
    match &node.kind {
        NodeKind::Map(pairs) => pairs
            .iter()
            .for_each(|pair| leaves(&pair.value, &below(&pair.key), found)),
        NodeKind::List(items) => items
            .iter()
            .enumerate()
            .for_each(|(nth, item)| leaves(item, &below(&nth.to_string()), found)),
        NodeKind::Scalar(_) => found.push((path.to_owned(), node.span.clone())),
    }
}

/// Sets one value and looks at all bytes beside it. Says whether it could be set.
fn only_the_span(text: &str, nth: usize, value: &Value) -> Result<bool, TestCaseError> {
    let Some(root) = read_all(&file(text)).node else {
        return Ok(false);
    };
    let mut all = Vec::new();
    leaves(&root, "", &mut all);
    let Some((path, span)) = all.get(nth % all.len().max(1)) else {
        return Ok(false);
    };
    let Ok(after) = set(&file(text), path, value) else {
        return Ok(false);
    };
    let end = span.start + text[span.clone()].trim_end().len();
    prop_assert!(
        after.len() >= span.start + (text.len() - end),
        "{}:\n{}\n{}",
        path,
        text,
        after
    );
    prop_assert!(
        after.starts_with(&text[..span.start]),
        "before {}:\n{}\n{}",
        path,
        text,
        after
    );
    prop_assert!(
        after.ends_with(&text[end..]),
        "behind {}:\n{}\n{}",
        path,
        text,
        after
    );
    Ok(true)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// On generated files: comments in Chinese, both kinds of line ends, all ways to quote, texts of several lines.
    #[test]
    fn an_edit_of_a_value_touches_no_other_byte(
        text in crate::layout::tests::document(),
        nth in any::<u16>(),
        value in values(),
    ) {
        only_the_span(&text, usize::from(nth), &value)?;
    }
}

/// A value in each of the five ways to quote, as it stands behind `key: ` with the indentation of its lines.
fn quoted(style: usize, words: &str, pad: &str) -> String {
    match style {
        0 => format!("甲{words}"),
        1 => format!("'{words}''s: #1'"),
        2 => format!("\"{words}\\t\\u4e2d, {{x}}\""),
        3 => format!("|-\n{pad}  {words} # kein Kommentar\n\n{pad}    乙"),
        _ => format!(">\n{pad}  {words}\n{pad}  丙: 丁"),
    }
}

/// A comment may stand behind all but the texts of several lines.
fn with_comment(style: usize, value: &str, comment: &str) -> String {
    match style {
        3 | 4 => value.replacen('\n', &format!(" # {comment}\n"), 1),
        _ => format!("{value}   # {comment}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    /// Every style beside every other, each value with its comment, in both kinds of line ends, at the top, in a map and
    /// in a list: the edit is made, and all bytes outside of the value are those that were there.
    #[test]
    fn a_value_of_every_style_is_changed_alone(
        styles in proptest::collection::vec(0..5_usize, 3..7),
        words in "[a-z]{1,5}",
        comments in "[客户订单:'\"{}\\[\\]# a-z]{0,12}",
        nth in any::<proptest::sample::Index>(),
        value in values(),
        crlf in any::<bool>(),
        shape in 0..3_usize,
    ) {
        let mut lines = vec![format!("# 头:{comments}")];
        let pad = if shape == 0 { "" } else { "  " };
        if shape > 0 {
            lines.push(format!("top: # {comments}"));
        }
        for (at, style) in styles.iter().enumerate() {
            lines.push(format!("{pad}# {at} {comments}"));
            let head = if shape == 2 { "-".to_owned() } else { format!("k{at}:") };
            let value = with_comment(*style, &quoted(*style, &words, pad), &comments);
            lines.push(format!("{pad}{head} {value}"));
        }
        lines.push("# 尾".to_owned());
        let mut text = lines.join("\n") + "\n";
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        let root = read_all(&file(&text)).node.expect("generated to be read");
        let mut all = Vec::new();
        leaves(&root, "", &mut all);
        prop_assert_eq!(all.len(), styles.len(), "{}", text);
        let nth = nth.index(styles.len());
        let (path, span) = &all[nth];
        let after = match set(&file(&text), path, &value) {
            Ok(after) => after,
            Err(why) => return Err(TestCaseError::fail(format!("{path}: {why:?}\n{text}"))),
        };
        let (before, behind) = (&text[..span.start], &text[span.start + text[span.clone()].trim_end().len()..]);
        prop_assert!(after.len() >= before.len() + behind.len(), "{}\n{}", text, after);
        prop_assert!(after.starts_with(before), "before {}:\n{}\n{}", path, text, after);
        prop_assert!(after.ends_with(behind), "behind {}:\n{}\n{}", path, text, after);
        let alone = after.replace("\r\n", "");
        prop_assert!(!crlf || !alone.contains('\n'), "{:?}", after);
        prop_assert!(crlf || !after.contains('\r'), "{:?}", after);
    }
}

/// On the schemes of the tree, each value in turn.
#[test]
fn an_edit_of_a_scheme_touches_no_other_byte() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemes");
    let mut set = 0;
    for entry in std::fs::read_dir(folder).expect("the schemes of the tree") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a scheme");
        for text in [text.replace('\n', "\r\n"), text] {
            for (nth, value) in [json("\"客户 #1: <<x>>\""), json("12.50"), Value::Null]
                .iter()
                .enumerate()
            {
                for leaf in 0..12 {
                    set += usize::from(only_the_span(&text, leaf * 7 + nth, value).expect("no other byte"));
                }
            }
        }
    }
    assert!(set > 300, "only {set} edits");
}
