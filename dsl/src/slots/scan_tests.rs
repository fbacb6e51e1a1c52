//! The scanner beside the plain reader, on sound, broken and hostile bytes.

use proptest::prelude::*;

use super::*;
use crate::json;
use crate::path::Path;
use crate::value::Value;

/// Reads `a`, `b`, `a.x`, and of each line of `l` the fields `a` and `b`.
fn spec() -> Spec {
    let node = |slot, members: &[(&str, u32)], lines| Node {
        slot,
        members: members
            .iter()
            .map(|(name, node)| ((*name).into(), *node))
            .collect(),
        lines,
    };
    Spec {
        nodes: vec![
            node(0, &[("a", 1), ("b", 2), ("l", 4)], None),
            node(1, &[("x", 3)], None),
            node(2, &[], None),
            node(3, &[], None),
            node(4, &[], Some(Lines { node: 5, width: 3 })),
            node(0, &[("a", 6), ("b", 7)], None),
            node(1, &[], None),
            node(2, &[], None),
        ],
        width: 5,
    }
}

/// Where both read the row, they say the same; where the plain reader refuses it, so does the scanner. Says whether the
/// scanner took it.
#[track_caller]
fn agree(slots: &mut Slots, row: &str) -> bool {
    slots.clear();
    let (plain, scanned) = (json::parse(row.as_bytes()), slots.scan(&spec(), row));
    let Ok(frame) = scanned else { return false };
    let plain = plain.unwrap_or_else(|error| panic!("{error}: {row}"));
    let at = |path: &str, value: &Value| Path::parse(path).unwrap().get(value).cloned();
    let slot = |frame: u32, slot: usize| slots.raws[frame as usize + 1 + slot];
    assert_eq!(slot(frame, 0).value(row), Some(plain.clone()), "{row}");
    for (place, path) in [(1, "a"), (2, "b"), (3, "a.x"), (4, "l")] {
        let raw = slot(frame, place);
        assert_eq!(raw.value(row), at(path, &plain), "{path} of {row}");
        if let Some(value) = raw.value(row) {
            let mut out = Vec::new();
            raw.write(row, &mut out);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                json::to_string(&value),
                "{path} of {row}"
            );
        }
    }
    let mut next = slot(frame, 4).first;
    if let Some(Value::List(lines)) = at("l", &plain) {
        for line in &lines {
            assert_eq!(slot(next, 0).value(row).as_ref(), Some(line), "{row}");
            for (place, path) in [(1, "a"), (2, "b")] {
                assert_eq!(slot(next, place).value(row), at(path, line), "{path} of {row}");
            }
            next = slots.raws[next as usize].first;
        }
    }
    assert_eq!(next, NO_FRAME, "{row}");
    true
}

#[test]
fn rows_that_are_read() {
    let mut slots = Slots::default();
    for row in [
        r#"{"a":1,"b":"x","l":[{"a":1.50,"b":null},{"b":[1],"a":true}]}"#,
        // Names in another order, fewer, more.
        r#"{"l":[{"b":1}],"b":-0,"a":{"x":"1","y":2}}"#,
        r#"{"b":false}"#,
        r#"{"z":[[],{}],"a":{"x":1e+5},"q":{"q":{"q":1}},"b":"\u4e2d\/\n","y":""}"#,
        "{}",
        "[1,2]",
        "\"a\"",
        " \n\t{ \"a\" : [ 1 , { \"x\" : 2 } ] , \"l\" : [ ] } ",
        r#"{"a":{"x":{"x":1}},"l":["a",1,{"a":1},[{"a":1}],null]}"#,
        r#"{"a":"\ud83d\ude00\b\f\r\t\"\\","b":"张三"}"#,
        r#"{"a":"\u0001\u001f\u000a"}"#,
    ] {
        assert!(agree(&mut slots, row), "{row}");
    }
}

#[test]
fn rows_that_are_refused() {
    let mut slots = Slots::default();
    assert!(agree(&mut slots, r#"{"a":1,"b":2,"l":[{"a":1,"b":1}]}"#));
    let deep = |open: &str, close: &str, times: usize| open.repeat(times) + "1" + &close.repeat(times);
    for row in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"b":2,"a":3}"#,
        r#"{"b":1,"a":2,"b":3}"#,
        r#"{"a":1,"b":2,"l":[{"a":1,"a":1}]}"#,
        r#"{"z":{"q":1,"q":1}}"#,
        r#"{"z":[{"q":1,"r":2,"q":1}]}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":-}"#,
        r#"{"a":+1}"#,
        r#"{"a":1-2}"#,
        r#"{"a":1e}"#,
        r#"{"a":tru}"#,
        r#"{"a":"\x"}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\ud800\u0041"}"#,
        r#"{"a":"\udc00"}"#,
        r#"{"a":"\u00g0"}"#,
        "{\"a\":\"\u{1}\"}",
        "{\"z\":\"12345678\n\"}",
        r#"{"a":"#,
        r#"{"a":1"#,
        r#"{"a":1}}"#,
        r#"{"a":1} x"#,
        r#"{"a" 1}"#,
        r#"{"a":1,}"#,
        r#"{a:1}"#,
        r#"[1,]"#,
        "",
        " ",
        &deep("[", "]", MAX_DEPTH + 1),
        &deep("{\"z\":", "}", MAX_DEPTH + 1),
    ] {
        assert!(json::parse(row.as_bytes()).is_err(), "{row}");
        assert!(!agree(&mut slots, row), "{row}");
    }
    assert!(agree(&mut slots, &deep("[", "]", MAX_DEPTH)));
    assert!(agree(&mut slots, &deep("{\"z\":", "}", MAX_DEPTH)));
}

/// Values over few names, so that they meet; laid out with blanks now and then.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,3})?",
        "\"([ -!#-\\[\\]-~张三é😀]|\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-f]{2}|\\\\u4E2d|\\\\ud83d\\\\ude00){0,20}\"",
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let name = prop_oneof![Just("a"), Just("b"), Just("l"), Just("x"), Just("z"), Just("张")];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((name, inner, "[ \n]{0,1}"), 0..5).prop_map(|members| {
                let members: Vec<String> = members
                    .into_iter()
                    .map(|(name, value, blank)| format!("{blank}\"{name}\"{blank}:{value}{blank}"))
                    .collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Pages of rows, because a map remembers the names of those before; sound rows without names that stand twice are
    /// taken, whatever went before.
    #[test]
    fn any_rows(rows in prop::collection::vec(value(), 1..6), cut in any::<prop::sample::Index>(), with in "[\\x00-\\x7f]{0,2}") {
        let mut slots = Slots::default();
        for row in &rows {
            let taken = agree(&mut slots, row);
            prop_assert_eq!(taken, json::parse(row.as_bytes()).is_ok(), "{}", row);
            // The same with a piece of it replaced.
            let mut at = cut.index(row.len());
            while !row.is_char_boundary(at) {
                at -= 1;
            }
            let rest = row[at..].char_indices().nth(1).map_or("", |(next, _)| &row[at + next..]);
            agree(&mut slots, &format!("{}{with}{rest}", &row[..at]));
        }
    }
}
