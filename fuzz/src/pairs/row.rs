//! Rows as vendors send them: mostly plain, with all that JSON may hold now and then.

use crate::Rng;

/// The fields that schemes read.
pub(super) const FIELDS: [&str; 12] = [
    "tid", "name", "qty", "price", "memo", "flag", "payTime", "none", "owner", "lines", "编码", "cid",
];

/// A row, as JSON text.
pub(super) fn row(rng: &mut Rng) -> String {
    let mut members: Vec<(&str, String)> = Vec::new();
    for field in FIELDS {
        if rng.one_in(25) {
            continue;
        }
        let value = if rng.one_in(12) {
            any(rng, 0)
        } else {
            usual(rng, field)
        };
        members.push((field, value));
    }
    if rng.one_in(4) {
        let at = rng.below(members.len() + 1);
        members.insert(at, ("extra", any(rng, 0)));
    }
    if rng.one_in(10) && members.len() > 1 {
        let (one, other) = (rng.below(members.len()), rng.below(members.len()));
        members.swap(one, other);
    }
    if rng.one_in(60) {
        let again = members[rng.below(members.len())].clone();
        members.push(again);
    }
    let blank = if rng.one_in(6) { " " } else { "" };
    let members: Vec<String> = members
        .into_iter()
        .map(|(name, value)| format!("{blank}\"{name}\"{blank}:{blank}{value}"))
        .collect();
    let row = format!("{{{}{blank}}}", members.join(","));
    if rng.one_in(80) {
        // Broken off somewhere.
        let mut end = rng.below(row.len());
        while !row.is_char_boundary(end) {
            end -= 1;
        }
        return row[..end].to_owned();
    }
    row
}

fn usual(rng: &mut Rng, field: &str) -> String {
    match field {
        "tid" => format!("\"T{:06}\"", rng.below(1_000_000)),
        "cid" => rng.below(200).to_string(),
        "qty" => number(rng),
        "price" => format!("\"{}\"", number(rng)),
        "flag" => ["true", "false", "1", "\"0\""][rng.below(4)].to_owned(),
        "payTime" => [
            "1767196800000",
            "\"2026-01-01 08:00:00\"",
            "1767196800",
            "\"1767196800123\"",
        ][rng.below(4)]
        .to_owned(),
        "none" => "null".to_owned(),
        "owner" => format!("{{\"id\":{},\"名\":{}}}", rng.below(50), text(rng)),
        "lines" => {
            let lines = (0..rng.below(4)).map(|_| line(rng)).collect::<Vec<_>>();
            format!("[{}]", lines.join(","))
        }
        _ => text(rng),
    }
}

fn line(rng: &mut Rng) -> String {
    if rng.one_in(20) {
        return any(rng, 1);
    }
    let mut members = vec![
        format!("\"sku\":{}", text(rng)),
        format!("\"qty\":{}", number(rng)),
        format!("\"price\":\"{}\"", number(rng)),
    ];
    if rng.one_in(3) {
        let parts: Vec<String> = (0..rng.below(3))
            .map(|at| format!("{{\"no\":{at},\"sku\":{}}}", text(rng)))
            .collect();
        members.push(format!("\"parts\":[{}]", parts.join(",")));
    }
    if rng.one_in(8) {
        members.remove(rng.below(members.len()));
    }
    format!("{{{}}}", members.join(","))
}

fn number(rng: &mut Rng) -> String {
    match rng.below(24) {
        0 => "0".to_owned(),
        1 => "-0".to_owned(),
        2 => "1e3".to_owned(),
        3 => "12345678901234567890".to_owned(),
        4 => "-99999999999999999999999999999999.5".to_owned(),
        5 => "9223372036854775807".to_owned(),
        6 => "0.000000000000000000000000000001".to_owned(),
        7 => format!("-{}.{:03}", rng.below(1_000), rng.below(1_000)),
        8 => format!("{}.5", rng.below(100)),
        9 => "0.00".to_owned(),
        10 => "999999999999999999".to_owned(),
        11 => "123456789012.123456".to_owned(),
        12..16 => rng.below(100).to_string(),
        _ => format!("{}.{:02}", rng.below(10_000), rng.below(100)),
    }
}

/// A text with its quotes.
pub(super) fn text(rng: &mut Rng) -> String {
    let texts = [
        "\"\"",
        "\" \"",
        "\"张三\"",
        "\"a\\nb\\nc\"",
        "\"说\\\"好\\\"\"",
        "\"\\u5f20\\u4e09\"",
        "\"a\\/b\"",
        "\"\\ud83d\\ude00\"",
        "\"\\u0001\\u001F\"",
        "\"00123\"",
        "\"1.50\"",
        "\"-3\"",
        "\"12abc\"",
        "\"abc\"",
        "\"ABC \"",
        "\"é\"",
        "\"true\"",
        "\"2026-01-01\"",
        "\"杭州市西湖区文三路 1 号\"",
        "\"C:\\\\x\\tb\"",
        "\"\u{2028}\u{7f}\"",
        "\"'quoted'\"",
        "\"{{tid}} <<name>>\"",
    ];
    if rng.one_in(60) {
        return format!("\"{}\"", "长x".repeat(rng.below(2_000)));
    }
    texts[rng.below(texts.len())].to_owned()
}

fn any(rng: &mut Rng, depth: usize) -> String {
    match rng.below(if depth > 2 { 6 } else { 8 }) {
        0 => "null".to_owned(),
        1 => ["true", "false"][rng.below(2)].to_owned(),
        2 | 3 => number(rng),
        4 | 5 => text(rng),
        6 => {
            let items: Vec<String> = (0..rng.below(3)).map(|_| any(rng, depth + 1)).collect();
            format!("[{}]", items.join(" ,"))
        }
        _ => {
            let names = ["id", "qty", "FNumber", "名"];
            let members: Vec<String> = (0..rng.below(3))
                .map(|_| format!("\"{}\": {}", names[rng.below(4)], any(rng, depth + 1)))
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}
