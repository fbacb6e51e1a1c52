//! The largest texts that are let in are read quickly, and the larger ones are refused as quickly.

use std::time::{Duration, Instant};

use super::*;

/// For one text. Built for debugging, on a machine that has other work, only a grammar that goes back and forth is
/// slower than this: it takes hours.
const LIMIT: Duration = if cfg!(debug_assertions) {
    Duration::from_secs(60)
} else {
    Duration::from_millis(50)
};

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how long reading takes is what is measured"
)]
fn no_text_takes_long() {
    let many = |part: &str, times: usize| part.repeat(times);
    let call = |part: &str, times: usize| format!("CONCAT({}1)", part.repeat(times));
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(64), close.repeat(64));
    // What is let in.
    let taken = [
        call("1,", 4080),
        call("'a',", 2040),
        call("<<a>>,", 1360),
        call("'<<a>>',", 1020),
        call("UPPER(1),", 900),
        call("CAST(1 AS CHAR),", 500),
        call("'a' regexp 'b',", 480),
        format!("'{}'", many("<<a>>", 1600)),
        format!("1 IN ({}1)", many("1,", 4080)),
        format!("1{}", many("+1", 500)),
        format!("1{}", many(" BETWEEN 1 AND 1", 240)),
        format!("'a'{}", many(" LIKE 'a'", 490)),
        format!("'a'{}", many(" NOT LIKE 'a'", 490)),
        format!("'2023-01-01'{}", many(" + INTERVAL 1 DAY", 480)),
        format!("case 1 {} end", many("when 1 then 1 ", 570)),
        format!("{}1", many("NOT ", 64)),
        format!("{}1", many("- ", 64)),
        deep("(", ")"),
        deep("UPPER(", ")"),
        deep("CONCAT(1, ", ")"),
        many("(1+case when 1 then ", 32) + "1" + &many(" end)", 32),
        format!("{}1{}", many("1 between (", 60), many(") and 1", 60)),
        many("'a' ", 2040),
        many(" ", 8190) + "1",
    ];
    // What is not, and what it is told first.
    let refused = [
        (many("a ", 4090), "E1312"),
        (many("a.", 4090), "E1312"),
        (call("FOO(),", 1360), "E1301"),
        (call("LEN(1),", 1150), "E1338"),
        (call("$x,", 2700), "E1312"),
        (format!("{}(1)", many("a", 8180)), "E1301"),
        (many("(", 8190), "E1314"),
        (many(")", 8190), "E1307"),
        (many("LEN(", 2040), "E1314"),
        (many("<<", 4090), "E1314"),
        (many("{{", 4090), "E1304"),
        (many("'", 8191), "E1303"),
        (many("_findCollection ", 510), "E1319"),
        (many("1", 8190), "E1325"),
        (many(",", 8190), "E1334"),
        (many("?", 8190), "E1310"),
        (many("/* */", 1630), "E1340"),
        (many("#", 8190), "E1340"),
        (many("`a`", 2730), "E1324"),
        (many("{a}", 2730), "E1342"),
        (many("\u{ff0c}", 2730), "E1328"),
        (many("\u{2018}", 2730), "E1328"),
        (many("as ", 2730), "E1341"),
        (format!("'a'{}", many(".length", 1160)), "E1345"),
        (many("TRIM(LEADING 'x' FROM ", 70) + "1" + &many(")", 70), "E1314"),
        (deep("SUBSTRING(", " FROM )"), "E1300"),
        (deep("POSITION(", " IN )"), "E1351"),
        (many("case when ", 800), "E1314"),
        (many("- ", 4090), "E1314"),
        (many("a", 8193), "E1313"),
    ];
    let row = Row::new(r#"{"a": 1}"#);
    let mut wrong = String::new();
    let all = taken.iter().map(|text| (text, None));
    for (text, code) in all.chain(refused.iter().map(|(text, code)| (text, Some(*code)))) {
        let read = || {
            let began = Instant::now();
            let read = compile(text, &registry(), &Bounds::default());
            (began.elapsed(), read)
        };
        let (mut took, read_once) = read();
        // Once more when the machine had other work to do in between.
        for _ in 0..4 {
            if took >= LIMIT {
                took = took.min(read().0);
            }
        }
        let read = read_once;
        let head: String = text.chars().take(30).collect();
        let told = match &read {
            Ok(expr) => expr
                .eval(&row)
                .map_or_else(|failure| failure.code().to_owned(), |_| String::new()),
            Err(errors) if errors.len() > 20 => format!("{} problems", errors.len()),
            Err(errors) => errors
                .iter()
                .map(|error| error.entry.code)
                .collect::<Vec<_>>()
                .join(" "),
        };
        if !told.contains(code.unwrap_or_default()) || code.is_none() && !told.is_empty() {
            wrong += &format!("{head}: {told:?}, not {code:?}\n");
        }
        assert!(took < LIMIT, "{head}: {took:?}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}
