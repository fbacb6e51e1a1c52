use proptest::prelude::*;

use super::*;
use crate::value::{Map, Number};

#[track_caller]
fn same(text: &str) {
    assert_eq!(to_string(&parse(text.as_bytes()).unwrap()), text);
}

#[track_caller]
fn reads(text: &str, want: &str) {
    assert_eq!(to_string(&parse(text.as_bytes()).unwrap()), want, "{text}");
}

#[track_caller]
fn fails(text: &str, offset: usize, what: JsonFault) {
    assert_eq!(parse(text.as_bytes()), Err(JsonError { offset, what }), "{text}");
}

#[test]
fn nothing_is_lost() {
    same(r#"{"金额":1.50,"id":1234567890123456789012,"e":1E+5,"z":-0,"b":true,"n":null,"":[],"o":{}}"#);
    same(r#"["引号 \" 反斜杠 \\ 换行 \n 😀","00123"]"#);
    same(r#"{"z":1,"a":2,"m":3}"#);
    same("0.10");
}

#[test]
fn spellings() {
    reads(" [ 1 , 2 ]\n", "[1,2]");
    reads(
        r#""\u5f20\u4e09 \ud83d\ude00 \/ \u0000""#,
        r#""张三 😀 / \u0000""#,
    );
    reads("\u{feff}{}", "{}");
}

#[test]
fn faults() {
    fails("", 0, JsonFault::End);
    fails("{\"a\":", 5, JsonFault::End);
    fails("{a:1}", 1, JsonFault::Unexpected);
    fails("[1,]", 3, JsonFault::Unexpected);
    fails("{} x", 3, JsonFault::Trailing);
    fails("[01]", 1, JsonFault::Number);
    fails("[1.]", 1, JsonFault::Number);
    fails("[NaN]", 1, JsonFault::Unexpected);
    fails("\"a\nb\"", 2, JsonFault::Control);
    fails("\"a", 2, JsonFault::End);
    fails(r#""\x""#, 1, JsonFault::Escape);
    fails(r#""\ud83d""#, 1, JsonFault::Escape);
    fails(r#""\ud83d\u0041""#, 1, JsonFault::Escape);
    fails(r#""\u+123""#, 1, JsonFault::Escape);
    fails(r#"{"a":1,"a":2}"#, 7, JsonFault::Duplicate("a".into()));
    assert_eq!(
        parse(b"\"\xff\""),
        Err(JsonError {
            offset: 1,
            what: JsonFault::Utf8
        })
    );
}

#[test]
fn depth() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(nested(MAX_DEPTH).as_bytes()).is_ok());
    fails(&nested(MAX_DEPTH + 1), MAX_DEPTH, JsonFault::Depth);
    fails(&"[".repeat(1_000_000), MAX_DEPTH, JsonFault::Depth);
}

fn any_value() -> impl Strategy<Value = Value> {
    let number = "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(|text| Value::Number(Number::parse(&text).unwrap())),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|members| Value::Map(members.into_iter().collect::<Map>())),
        ]
    })
}

proptest! {
    #[test]
    fn written_then_read_is_the_same(value in any_value()) {
        prop_assert_eq!(parse(to_string(&value).as_bytes()).unwrap(), value);
    }

    #[test]
    fn the_standard_reader_agrees(value in any_value()) {
        let text = to_string(&value);
        prop_assert!(serde_json::from_str::<&serde_json::value::RawValue>(&text).is_ok(), "{}", text);
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        drop(parse(&bytes));
    }

    #[test]
    fn any_jsonish_text_is_read_without_panic(text in "[\\[\\]{}\",:0-9a-z\\\\.eE+\\- ]{0,40}") {
        let ours = parse(text.as_bytes()).is_ok();
        let theirs = serde_json::from_str::<serde_json::Value>(&text).is_ok();
        // We refuse more (duplicate names, numbers out of range are theirs to refuse), never less.
        prop_assert!(!ours || theirs || text.contains(['e', 'E']), "{}", text);
    }
}
