//! Rows of files, page by page, and files that are moved away.

use super::*;

fn ask(folder: &Path, format: &str, more: &str) -> String {
    let text = format!(r#"{{"pattern": "*", "format": "{format}", "settle": 0, "size": 2{more}}}"#);
    read(
        &folder.display().to_string(),
        &serde_json::from_str(&text).unwrap(),
        true,
    )
}

/// The rows of all pages, each without its hash.
fn all(folder: &Path, format: &str, more: &str) -> Vec<String> {
    let mut after = String::new();
    let mut rows = Vec::new();
    loop {
        let answer = ask(folder, format, &format!("{more}{after}"));
        let page: serde_json::Value = serde_json::from_str(&answer).unwrap();
        for row in page["rows"].as_array().unwrap_or_else(|| panic!("{answer}")) {
            let mut row = row.clone();
            row.as_object_mut().unwrap().remove("_hash");
            rows.push(row.to_string());
        }
        match page["next"].as_str() {
            Some(next) => after = format!(",\"after\":{}", quoted(next)),
            None => return rows,
        }
    }
}

#[test]
fn rows_of_csv() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    put("a.csv", b"no, qty\n00123,1.50\n\"x,\ny\",2\nbad\nlast,3\n");
    put("b.csv.tmp", b"no,qty\nz,1\n");
    put(".c.csv", b"no,qty\nz,1\n");
    assert_eq!(
        all(folder.path(), "csv", ""),
        [
            r#"{"_file":"a.csv","_line":2,"no":"00123","qty":"1.50"}"#,
            r#"{"_file":"a.csv","_line":3,"no":"x,\ny","qty":"2"}"#,
            r#"{"_broken":"1 fields where the head has 2","_file":"a.csv","_line":5}"#,
            r#"{"_file":"a.csv","_line":6,"no":"last","qty":"3"}"#,
        ]
    );
    // A charset that is declared is not guessed at, and what is none of it keeps nobody from being read.
    put("gbk.csv", b"name\n\xbf\xcd\xbb\xa7\n");
    let gbk = all(folder.path(), "csv", r#", "charset": "gbk""#);
    assert!(
        gbk.contains(&r#"{"_file":"gbk.csv","_line":2,"name":"客户"}"#.to_owned()),
        "{gbk:?}"
    );
    let utf8 = all(folder.path(), "csv", "");
    assert!(
        utf8.contains(&r#"{"_broken":"not utf-8","_file":"gbk.csv","_line":1}"#.to_owned()),
        "{utf8:?}"
    );
}

#[test]
fn rows_of_json_lines() {
    let folder = tempfile::tempdir().unwrap();
    let lines =
        "{\"n\": 12345678901234567890.10, \"l\": [1]}\n\nnot json\n{\"_line\": 9, \"a\": 1, \"a\": 2}\n";
    std::fs::write(folder.path().join("x.ndjson"), lines).unwrap();
    let answer = ask(folder.path(), "ndjson", "");
    assert!(
        answer.contains(r#""l":[1],"n":12345678901234567890.10"#),
        "{answer}"
    );
    let rows = all(folder.path(), "ndjson", "");
    assert!(
        rows[1].contains("_broken") && rows[1].contains("\"_line\":3"),
        "{rows:?}"
    );
    assert_eq!(rows[2], r#"{"_file":"x.ndjson","_line":4,"a":2}"#);
}

#[test]
fn rows_of_a_workbook() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.xlsx"), include_bytes!("orders.xlsx")).unwrap();
    std::fs::write(folder.path().join("y.xlsx"), "no workbook").unwrap();
    for sheet in ["", r#", "sheet": "订单""#] {
        let rows = all(folder.path(), "xlsx", sheet);
        // Lines are those that people see; the third is empty.
        assert_eq!(
            rows[..2],
            [
                r#"{"_file":"x.xlsx","_line":2,"at":"2026-11-20 08:15:00","no":"00123","ok":true,"qty":19.9}"#,
                r#"{"_file":"x.xlsx","_line":4,"at":null,"no":"客户","ok":null,"qty":3}"#,
            ]
        );
        assert!(
            rows[2].contains("_broken") && rows[2].contains("y.xlsx"),
            "{rows:?}"
        );
    }
    let other = all(folder.path(), "xlsx", r#", "sheet": "nothing""#);
    assert!(other[0].contains("_broken"), "{other:?}");
}

/// One content has one hash, whatever its name; a change is another one.
#[test]
fn content_is_known_again() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    put("a.csv", "no\n1\n");
    put("copy of a.csv", "no\n1\n");
    put("other.csv", "no\n2\n");
    let text = r#"{"pattern": "*.csv", "format": "csv", "settle": 0, "size": 9}"#;
    let answer = read(
        &folder.path().display().to_string(),
        &serde_json::from_str(text).unwrap(),
        true,
    );
    let page: serde_json::Value = serde_json::from_str(&answer).unwrap();
    let hash = |nth: usize| page["rows"][nth]["_hash"].clone();
    assert_eq!(hash(0), hash(1));
    assert_ne!(hash(0), hash(2));
    // One that was written just now is left for later.
    let young = text.replace("\"settle\": 0", "\"settle\": 60");
    let answer = read(
        &folder.path().display().to_string(),
        &serde_json::from_str(&young).unwrap(),
        true,
    );
    assert_eq!(answer, r#"{"rows":[]}"#);
    assert!(
        read("/there/is/none", &serde_json::from_str(text).unwrap(), true).contains("\"code\":\"folder\"")
    );
}

#[test]
fn patterns() {
    for (pattern, name, want) in [
        ("*", "x", true),
        ("*.csv", "a.csv", true),
        ("*.csv", "a.csv.bak", false),
        ("orders-*-*.csv", "orders-2026-11.csv", true),
        ("orders-*", "order", false),
        ("a.csv", "a.csv", true),
        ("*单*", "出库单.csv", true),
    ] {
        assert_eq!(fits(pattern, name), want, "{pattern} {name}");
    }
}

/// A file goes once the page behind its last row is asked for, and not before.
#[test]
fn files_that_were_read_are_moved() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.csv"), "no\n1\n").unwrap();
    std::fs::write(path("b.csv"), "no\n2\n3\n").unwrap();
    std::fs::write(path("empty.csv"), "no\n").unwrap();
    std::fs::create_dir(path("done")).unwrap();
    std::fs::write(path("done/a.csv"), "another").unwrap();
    let next = |answer: &str| {
        let page: serde_json::Value = serde_json::from_str(answer).unwrap();
        page["next"]
            .as_str()
            .map(|next| format!(r#", "finish": "move", "after": {}"#, quoted(next)))
    };
    let there = |name: &str| path(name).exists();
    let first = ask(folder.path(), "csv", r#", "finish": "move""#);
    assert!(there("a.csv") && there("b.csv"), "nobody said that it is stored");
    let second = ask(folder.path(), "csv", &next(&first).unwrap());
    assert!(!there("a.csv") && there("b.csv"));
    assert_eq!(std::fs::read_to_string(path("done/a.csv")).unwrap(), "another");
    assert_eq!(std::fs::read_dir(path("done")).unwrap().count(), 2);
    // Changed before it is moved: it is read again by the next run.
    std::fs::write(path("b.csv"), "no\n2\n3\n4\n").unwrap();
    let last = ask(folder.path(), "csv", &next(&second).unwrap());
    assert!(there("b.csv"));
    assert!(next(&last).is_some(), "{last}");
    // A rehearsal moves nothing, and needs no page behind the last.
    std::fs::write(path("c.csv"), "no\n9\n").unwrap();
    let text = r#"{"pattern": "c*", "format": "csv", "settle": 0, "size": 9, "finish": "move"}"#;
    let only = read(
        &folder.path().display().to_string(),
        &serde_json::from_str(text).unwrap(),
        false,
    );
    assert!(!only.contains("next") && there("c.csv"), "{only}");
}

/// What goes through all pages is moved; a file that nobody can read stays.
#[test]
fn what_cannot_be_read_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("a.csv"), "no\n1\n2\n3\n4\n5\n").unwrap();
    std::fs::write(path("empty.csv"), "no\n").unwrap();
    let rows = all(folder.path(), "csv", r#", "finish": "move""#);
    assert_eq!(rows.len(), 5);
    assert!(path("done/a.csv").exists() && !path("a.csv").exists());
    // It may be one that somebody has only begun to write.
    assert!(path("empty.csv").exists());
    // Somebody looks for the row that could not be read.
    std::fs::write(path("bad.csv"), "no\n1\n2,3\n").unwrap();
    all(folder.path(), "csv", r#", "finish": "move""#);
    assert!(path("bad.csv").exists());
    std::fs::remove_file(path("bad.csv")).unwrap();
    // The folder takes no other: it is told, and nothing is lost.
    std::fs::remove_dir_all(path("done")).unwrap();
    std::fs::write(path("done"), "a file").unwrap();
    std::fs::write(path("b.csv"), "no\n1\n").unwrap();
    let first = ask(folder.path(), "csv", r#", "finish": "move""#);
    let page: serde_json::Value = serde_json::from_str(&first).unwrap();
    let after = quoted(page["next"].as_str().unwrap());
    let told = ask(
        folder.path(),
        "csv",
        &format!(r#", "finish": "move", "after": {after}"#),
    );
    assert!(
        told.contains("\"code\":\"folder\"") && path("b.csv").exists(),
        "{told}"
    );
}
