//! The tables of `docs/sandbox-faults.md`: endpoints, kinds and keys, as the simulators say them. The prose around
//! them is written by hand.

use dsl::Lang;
use sandbox::{ENDPOINTS, Effect, Key, PLAN_KEYS, SETTING_KEYS, TABLE, Takes};

use crate::markdown::{code, prose, row, table};

/// The page with its tables written anew.
pub(crate) fn filled(page: &str, lang: Lang) -> String {
    let tables = [
        ("endpoints", endpoints()),
        ("kinds", kinds(lang)),
        ("keys", keys(PLAN_KEYS, lang)),
        ("settings", keys(SETTING_KEYS, lang)),
    ];
    let mut page = page.to_owned();
    for (name, text) in tables {
        let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
        let from = page.find(&open).map(|at| at + open.len());
        let to = page.find(&close);
        let (Some(from), Some(to)) = (from, to) else {
            panic!("the page has no place for {name}");
        };
        page.replace_range(from..to, &text);
    }
    page
}

fn endpoints() -> String {
    let words: Vec<String> = ENDPOINTS.iter().map(|name| code(name)).collect();
    format!("{}\n", words.join(" "))
}

fn kinds(lang: Lang) -> String {
    let mut text = table(&lang.pick(
        ["故障", "是否执行", "客户端看到什么", "键"],
        ["kind", "executed", "what happens", "keys"],
    ));
    for one in TABLE {
        let effect = match one.effect {
            Effect::None => lang.pick("否", "no"),
            Effect::Once => lang.pick("是", "yes"),
            Effect::Later => lang.pick("迟到", "later"),
            Effect::Twice => lang.pick("两次", "twice"),
            Effect::Part => lang.pick("部分", "in part"),
        };
        let keys: Vec<String> = one.keys.iter().map(|key| code(key)).collect();
        row(
            &mut text,
            &[
                code(one.word),
                effect.to_owned(),
                prose(lang.pick(one.zh, one.en)),
                keys.join(" "),
            ],
        );
    }
    text
}

fn keys(keys: &[Key], lang: Lang) -> String {
    let mut text = table(&lang.pick(["键", "值", "用途"], ["key", "takes", "what for"]));
    for key in keys {
        row(
            &mut text,
            &[
                code(key.name),
                takes(key.takes, lang),
                prose(lang.pick(key.zh, key.en)),
            ],
        );
    }
    text
}

fn takes(takes: Takes, lang: Lang) -> String {
    let word = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
    match takes {
        Takes::Truth => word("`true` 或 `false`", "`true` or `false`"),
        Takes::Number(_, i64::MAX) => word("整数", "a whole number"),
        Takes::Number(low, high) => format!("{low}..{high}"),
        Takes::Text => word("文本", "text"),
        // Long lists have tables of their own.
        Takes::Word(words) if words.len() > 5 => word("见上表", "see above"),
        Takes::Word(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" "),
        Takes::Numbers => word("整数的列表", "a list of whole numbers"),
        Takes::Kinds => word(
            "故障的列表,或“故障: 权重”",
            "a list of kinds, or kinds with weights",
        ),
    }
}
