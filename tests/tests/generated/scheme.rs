//! The keys of a scheme file.

use dsl::Lang;
use dsl::keys::{Block, KeyRow, MAKERS, MANNERS, OPERATORS, SCHEME, Shape};

use crate::markdown::{anchor, code, head, prose, row, table};

/// Defaults that are words, in Chinese. Any other default is written as it would be in a file.
const DEFAULTS: [(&str, &str); 30] = [
    ("the step is made once", "这一步只做一次"),
    ("required with `each`", "写了 `each` 时必填"),
    (
        "the target's where the operation proves the same, else what it can",
        "操作的查证方式与 target 相同时同 target,否则由操作决定",
    ),
    ("the target's", "同 target"),
    (
        "the operation's; without one, none",
        "由操作决定;操作没有主键时为无",
    ),
    ("the name", "同名称"),
    ("its name", "同字段名"),
    ("the id", "同 id"),
    ("the source connector's", "源连接器的时区"),
    ("all", "全部"),
    ("the operation's", "由操作决定"),
    ("the row read last is the newest", "最后读到的行算最新"),
    ("the moment of enabling", "启用的时刻"),
    (
        "update_if_changed when the target can update or makes one document of several rows, else skip",
        "目标能更新,或多行合成单据时为 update_if_changed,否则为 skip",
    ),
    ("the key", "同主键"),
    ("the key, where that is the id", "主键(主键就是 id 时)"),
    ("the same name", "同名"),
    ("the key alone", "只看主键"),
    ("the fields used", "用到的字段"),
    ("all that the operations can do", "操作能做的全部动作"),
    ("the operation's maximum", "操作的上限"),
    ("what the operation can", "由操作的能力决定"),
    ("the scheme's", "方案的时区"),
    ("the connection's", "同连接"),
    ("64s, or first", "64s;first 更大时为 first"),
    (
        "what $each goes through, in rows that came as XML",
        "XML 来的行里 $each 逐行处理的",
    ),
    ("erp_id; of a file, required", "erp_id;文件时必填"),
    ("fs_id; of a file, required", "fs_id;文件时必填"),
    ("all day", "全天"),
    (
        "30s for `every`, at most a tenth of it; 0s for cron texts",
        "`every` 为 30s,不超过其十分之一;cron 文本为 0s",
    ),
];

/// The section of values.
const VALUES: (&str, &str) = ("值", "Values");

pub(crate) fn page(lang: Lang) -> String {
    let mut page = head(
        lang,
        "scheme",
        ("方案文件的键", "Keys of a scheme file"),
        (
            "一个方案文件可以写的全部键,与 `engine check` 和 `engine schema scheme` 出自同一张表。别的键是错误。\
             “值”可以是原样的数据、`<<字段>>`、`_function`、`_findCollection`、`_mongoQuery`,或带 `$` 键的对象。",
            "Every key a scheme file may have, from the table that `engine check` and `engine schema scheme` read too. Any other key is an error. \
             A *value* is literal data, `<<field>>`, `_function`, `_findCollection`, `_mongoQuery` or a map with `$` keys.",
        ),
    );
    let title = lang.pick(VALUES.0, VALUES.1);
    let more = format!("* [{title}](#{})\n", anchor(title));
    page.push_str(&blocks_of(&SCHEME, &more, lang));
    page.push_str(&values(lang));
    page
}

/// The tables of a block and of those below it, behind a list of links to them and to `more`.
pub(crate) fn blocks_of(root: &'static Block, more: &str, lang: Lang) -> String {
    let mut page = String::new();
    let mut blocks = Vec::new();
    collect(root, String::new(), &mut blocks);
    let name = |place: &str| match place {
        "" => lang.pick("文件本身", "The file itself").to_owned(),
        place => place.to_owned(),
    };
    for (place, _) in &blocks {
        let title = name(place);
        page.push_str(&format!("* [{}](#{})\n", prose(&title), anchor(&title)));
    }
    page.push_str(more);
    for (place, block) in blocks {
        page.push_str(&format!(
            "\n## {}\n\n{}",
            prose(&name(&place)),
            keys(block, &place, lang)
        ));
    }
    page
}

/// The `$` keys of values, and the operators of `_mongoQuery`.
fn values(lang: Lang) -> String {
    let mut text = format!("\n## {}\n\n", lang.pick(VALUES.0, VALUES.1));
    text.push_str(lang.pick(
        "带 `$` 键的对象恰好有一个取值键、它的参数,以及任意几个方式。\n\n",
        "A map with `$` keys has exactly one key that makes the value, the arguments of that key, and any manners.\n\n",
    ));
    text.push_str(&table(lang.pick(
        &["取值键与参数", "内容", "不写时", "用途"],
        &["makers and arguments", "holds", "when left out", "what for"],
    )));
    for maker in MAKERS {
        value_row(&mut text, &maker.row, "", lang);
        for argument in maker.arguments {
            value_row(&mut text, argument, &format!("{} ", code(maker.row.key)), lang);
        }
    }
    text.push('\n');
    text.push_str(&table(lang.pick(
        &["方式", "内容", "不写时", "用途"],
        &["manners", "holds", "when left out", "what for"],
    )));
    for manner in MANNERS {
        value_row(&mut text, manner, "", lang);
    }
    text.push_str(&format!(
        "\n{}\n\n",
        lang.pick(
            "`_findCollection find 字段 from 方案 where 字段=值 字段=值`:全部相等的最新一行,按文本比较;含空格的值或名称写在引号里。\
             `_mongoQuery 方案 findField=content.字段 where={…}`:同样,但可以用下面的运算符,整段写在单引号里。\
             `where` 是 JSON,`\"<<x>>\"` 给文本,`<<x>>` 保留类型;占位符没有值时不查找,结果是 NULL。\
             经过列表的字段,有一个元素符合即可。",
            "`_findCollection find FIELD from SCHEME where FIELD=VALUE FIELD=VALUE`: the newest row with all of these, compared as text; values and names with blanks stand in quotes. \
             `_mongoQuery SCHEME findField=content.FIELD where={…}`: the same with the operators below, all of it in single quotes. \
             `where` is JSON, in which `\"<<x>>\"` gives text and `<<x>>` the value with its kind; where a placeholder has no value nothing is looked up, and the result is NULL. \
             Of a field behind a list, one element is enough.",
        )
    ));
    text.push_str(&table(lang.pick(&["运算符", "含义"], &["operator", "asks"])));
    for (name, zh, en) in OPERATORS {
        row(&mut text, &[code(name), prose(lang.pick(zh, en))]);
    }
    text
}

fn value_row(text: &mut String, one: &KeyRow, before: &str, lang: Lang) {
    let example = if one.example.is_empty() {
        String::new()
    } else {
        format!("{}{}", lang.pick(",例如 ", ", as in "), code(one.example))
    };
    row(
        text,
        &[
            format!("{before}{}", code(one.key)),
            holds(&one.shape, one.key, lang),
            left_out(one, lang),
            format!("{}{example}", prose(lang.pick(one.zh, one.en))),
        ],
    );
}

/// A block and those below it, with their places.
fn collect(block: &'static Block, place: String, blocks: &mut Vec<(String, &'static Block)>) {
    blocks.push((place.clone(), block));
    for row in block.rows {
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
    for one in block.rows {
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
            let now = shapes.iter();
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
