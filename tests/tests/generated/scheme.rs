//! The keys of a scheme file.

use dsl::Lang;
use dsl::keys::{Block, KeyRow, SCHEME, Shape};

use crate::markdown::{anchor, code, head, prose, row, table};

/// Defaults that are words, in Chinese. Any other default is written as it would be in a file.
const DEFAULTS: [(&str, &str); 12] = [
    ("the id", "同 id"),
    ("the source connector's", "源连接器的时区"),
    ("all", "全部"),
    ("the operation's", "由操作决定"),
    ("the moment of enabling", "启用的时刻"),
    (
        "update_if_changed when the target can update, else skip",
        "目标能更新时为 update_if_changed,否则为 skip",
    ),
    ("the key", "同主键"),
    ("the fields used", "用到的字段"),
    ("all that the operations can do", "操作能做的全部动作"),
    ("the operation's maximum", "操作的上限"),
    ("what the operation can", "由操作的能力决定"),
    ("the scheme's", "方案的时区"),
];

pub(crate) fn page(lang: Lang) -> String {
    let mut page = head(
        lang,
        "scheme",
        ("方案文件的键", "Keys of a scheme file"),
        (
            "一个方案文件可以写的全部键,与 `engine check` 和 `engine schema scheme` 出自同一张表。别的键是错误。\
             “值”可以是原样的数据、`<<字段>>`、`_function`、`_findCollection`,或带 `$` 键的对象。",
            "Every key a scheme file may have, from the table that `engine check` and `engine schema scheme` read too. Any other key is an error. \
             A *value* is literal data, `<<field>>`, `_function`, `_findCollection` or a map with `$` keys.",
        ),
    );
    let mut blocks = Vec::new();
    collect(&SCHEME, String::new(), &mut blocks);
    let name = |place: &str| match place {
        "" => lang.pick("文件本身", "The file itself").to_owned(),
        place => place.to_owned(),
    };
    for (place, _) in &blocks {
        let title = name(place);
        page.push_str(&format!("* [{}](#{})\n", prose(&title), anchor(&title)));
    }
    for (place, block) in blocks {
        page.push_str(&format!(
            "\n## {}\n\n{}",
            prose(&name(&place)),
            keys(block, &place, lang)
        ));
    }
    page
}

/// A block and those below it, with their places.
fn collect(block: &'static Block, place: String, blocks: &mut Vec<(String, &'static Block)>) {
    blocks.push((place.clone(), block));
    for row in block.rows.iter().filter(|row| !row.later) {
        inner(&row.shape, below(&place, row.key), blocks);
    }
}

fn inner(shape: &'static Shape, place: String, blocks: &mut Vec<(String, &'static Block)>) {
    match shape {
        Shape::Block(block) => collect(block, place, blocks),
        Shape::List(one) => inner(one, format!("{place}.*"), blocks),
        Shape::Map(one) => inner(one, format!("{place}.*"), blocks),
        Shape::OneOf(shapes) => shapes
            .iter()
            .for_each(|shape| inner(shape, place.clone(), blocks)),
        _ => {}
    }
}

fn keys(block: &Block, place: &str, lang: Lang) -> String {
    let mut text = table(lang.pick(
        &["键", "内容", "不写时", "用途"],
        &["key", "holds", "when left out", "what for"],
    ));
    for one in block.rows.iter().filter(|row| !row.later) {
        let example = if one.example.is_empty() {
            String::new()
        } else {
            format!("{}{}", lang.pick(",例如 ", ", as in "), code(one.example))
        };
        let about = format!("{}{example}", prose(lang.pick(one.zh, one.en)));
        row(
            &mut text,
            &[
                code(one.key),
                holds(&one.shape, &below(place, one.key), lang),
                left_out(one, lang),
                about,
            ],
        );
    }
    if !block.one_of.is_empty() {
        let sets: Vec<String> = block
            .one_of
            .iter()
            .map(|set| {
                set.iter()
                    .map(|key| code(key))
                    .collect::<Vec<_>>()
                    .join(lang.pick(" 与 ", " with "))
            })
            .collect();
        text.push_str(&format!(
            "\n{}{}\n",
            lang.pick("恰好写一种:", "Exactly one of these is written: "),
            sets.join(lang.pick(";", "; "))
        ));
    }
    let later: Vec<String> = block
        .rows
        .iter()
        .filter(|row| row.later)
        .map(|row| code(row.key))
        .collect();
    if !later.is_empty() {
        let words = lang.pick(
            "属于格式、但本版本还不支持,写了会报错:",
            "Part of the format, but refused by this version: ",
        );
        text.push_str(&format!("\n{words}{}\n", later.join(" ")));
    }
    text
}

/// The place of a key.
fn below(place: &str, key: &str) -> String {
    let dot = if place.is_empty() { "" } else { "." };
    format!("{place}{dot}{key}")
}

fn holds(shape: &Shape, place: &str, lang: Lang) -> String {
    let each = |one: &Shape| holds(one, &below(place, "*"), lang);
    match shape {
        Shape::Choice(words) => words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" "),
        Shape::Block(_) => format!("[{}](#{})", prose(place), anchor(place)),
        Shape::List(one) => format!("{}{}", lang.pick("列表,每项是", "a list, of "), each(one)),
        Shape::Map(one) => format!(
            "{}{}",
            lang.pick("名称自拟的对象,每个值是", "a map with names of your own, of "),
            each(one)
        ),
        Shape::OneOf(shapes) => {
            let now = shapes.iter().filter(|shape| !matches!(shape, Shape::Later(_)));
            let words: Vec<String> = now.map(|shape| holds(shape, place, lang)).collect();
            words.join(lang.pick(",或 ", ", or "))
        }
        other => {
            let (zh, en) = other.words();
            prose(&lang.pick(zh, en))
        }
    }
}

fn left_out(row: &KeyRow, lang: Lang) -> String {
    if row.required {
        return lang.pick("**必填**", "**required**").to_owned();
    }
    if row.default.is_empty() {
        return String::new();
    }
    match DEFAULTS.iter().find(|(en, _)| *en == row.default) {
        Some((en, zh)) => prose(lang.pick(zh, en)),
        None => {
            assert!(
                !row.default.contains(' '),
                "{:?} has no Chinese in DEFAULTS",
                row.default
            );
            code(row.default)
        }
    }
}
