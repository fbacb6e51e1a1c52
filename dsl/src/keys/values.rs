//! The `$` keys of values: makers, which give a value, their arguments, and manners, which say how it is treated.
//!
//! From this table come the compiler's checks, the JSON Schema and the reference page.

use super::{KeyRow, Shape};
use crate::filter::Fit;

/// A key that gives a value, and the keys that go with it.
#[derive(Debug)]
pub struct Maker {
    /// The key itself.
    pub row: KeyRow,
    /// Its arguments.
    pub arguments: &'static [KeyRow],
    /// Sets of arguments of which exactly one must be written; empty when there is no such rule.
    pub one_of: &'static [&'static str],
}

const fn maker(row: KeyRow, arguments: &'static [KeyRow]) -> Maker {
    Maker {
        row,
        arguments,
        one_of: &[],
    }
}

const WITH: KeyRow = KeyRow::new(
    "$with",
    Shape::Text,
    "分隔符;`$split` 的不能为空",
    "what stands between; not empty at `$split`",
)
.default(",");

/// The makers. A map with `$` keys has exactly one of them.
pub const MAKERS: &[Maker] = &[
    maker(
        KeyRow::new("$value", Shape::Value, "这个值,用来加上方式", "the value, for manners").example("{$value: <<qty>>, $type: decimal}"),
        &[],
    ),
    maker(
        KeyRow::new(
            "$each",
            Shape::Path,
            "源数据列表的每一行得出一个元素。行内用 `<<$line.x>>`、`<<$index>>`(从 1 计数),也可用行自己的路径;嵌套写 `$each: $line.x`。\
             列表缺失时用 `$missing: omit` 或 `empty` 说明,`empty` 会发送 `[]`",
            "one element per line of a list of the row. A line is `<<$line.x>>`, also by its own path, its number `<<$index>>`, from 1; nested: `$each: $line.x`. \
             `$missing: omit` or `empty` says what happens without a list; `empty` sends `[]`",
        )
        .example("{$each: details, $do: {FQty: <<$line.qty>>}}"),
        &[
            KeyRow::new("$do", Shape::Value, "每行的值", "the value of each line").required(),
            KeyRow::new(
                "$key",
                Shape::Path,
                "标识一行的字段,在 `target.request` 里;引擎记住目标给各行的 id,以 `<<$line_id>>` 交还",
                "the field that identifies a line, in `target.request`; the engine keeps the target's ids of lines and gives them back as `<<$line_id>>`",
            ),
            KeyRow::new("$where", Shape::Cond(false), "保留哪些行", "which lines are kept"),
        ],
    ),
    maker(
        KeyRow::new(
            "$lookup",
            Shape::Text,
            "另一个方案存储的一行数据的字段;找不到时等待那个方案(`$missing: defer`)",
            "a field of a row that another scheme stored; nothing found waits for that scheme (`$missing: defer`)",
        )
        .example("{$lookup: units, $get: FNumber, $by: {FName: <<unit>>}}"),
        &[
            KeyRow::new("$get", Shape::Path, "要取的字段", "the field that is wanted").required(),
            KeyRow::new(
                "$by",
                Shape::Values,
                "字段: 值,全部相等的行;按文本比较",
                "field: value, all of which must be equal; compared as text",
            )
            .required(),
            KeyRow::new(
                "$pick",
                Shape::Choice(&["newest", "only"]),
                "多行符合时取最新的,或报错",
                "the newest of several, or several are an error",
            )
            .default("newest"),
        ],
    ),
    Maker {
        row: KeyRow::new(
            "$map",
            Shape::Value,
            "翻译成对照表里的值;按文本比较,不在表里的值算缺失",
            "the value that a table gives; compared as text, and a value not in the table counts as missing",
        )
        .example("{$map: <<status>>, $to: {A: 启用, B: 禁用}}"),
        arguments: &[
            KeyRow::new("$to", Shape::DataMap, "对照表", "the table"),
            KeyRow::new("$table", Shape::Text, "`maps` 里的对照表", "a table of `maps`"),
        ],
        one_of: &["$to", "$table"],
    },
    maker(
        KeyRow::new("$join", Shape::Path, "列表连成文本,null 略去", "a list joined to text, nulls left out").example("{$join: tags}"),
        &[WITH],
    ),
    maker(
        KeyRow::new("$split", Shape::Value, "文本拆成列表", "a text taken apart to a list").example("{$split: <<tags>>}"),
        &[WITH],
    ),
    maker(
        KeyRow::new(
            "$merge",
            Shape::List(&Shape::Value),
            "对象从左到右叠放;`$drop` 去掉左边的键",
            "maps laid over each other from left to right; `$drop` takes away what lies below",
        )
        .example("{$merge: [<<header>>, {a: 1}]}"),
        &[],
    ),
    maker(
        KeyRow::new("$json", Shape::Value, "这部分的 JSON 文本", "this part as JSON text").example("{$json: {a: <<qty>>}}"),
        &[],
    ),
    maker(
        KeyRow::new(
            "$template",
            Shape::Text,
            "文本模板:`{{ 字段 }}`、`{% if … %}`、`{% for x in 列表 %}` 与 `<<…>>`;只得出文本,不计算",
            "a text template: `{{ field }}`, `{% if … %}`, `{% for x in list %}` and `<<…>>`; it gives text and computes nothing",
        )
        .example("{$template: \"{% for l in lines %}{{ l.sku }};{% endfor %}\"}"),
        &[],
    ),
    maker(
        KeyRow::new("$literal", Shape::Text, "这段文字本身,里面的一切都不读", "exactly this text, in which nothing is read")
            .example("{$literal: \"<<x>>\"}"),
        &[],
    ),
];

/// The manners, any of which may stand beside a maker.
pub const MANNERS: &[KeyRow] = &[
    KeyRow::new(
        "$type",
        Shape::Choice(Fit::NAMES),
        "结果的类型;不合适的值使该条数据失败",
        "the type of the result; a value that does not fit fails the record",
    ),
    KeyRow::new(
        "$missing",
        Shape::Choice(&["fail", "omit", "null", "empty", "defer"]),
        "缺失时怎么办;`$lookup` 默认 `defer`:等待被查找的方案。`_findCollection` 与 `_mongoQuery` 找不到时是 NULL,除非写了这一项",
        "what happens when it is missing. `$lookup` has `defer`, to wait for the scheme that is looked up; `_findCollection` and `_mongoQuery` give NULL unless this is written",
    )
    .default("fail"),
    KeyRow::new(
        "$default",
        Shape::Value,
        "缺失、null 或空文本时的值",
        "the value when it is missing, null or empty text",
    ),
    KeyRow::new(
        "$empty",
        Shape::Choice(&["keep", "omit", "null"]),
        "null 与空文本怎么办,在 `$default` 之后;没有写 `$missing` 时也用于缺失的字段",
        "what happens to null and empty text, after `$default`; to a missing field, too, where `$missing` is not written",
    )
    .default("keep"),
    KeyRow::new(
        "$required",
        Shape::Choice(&["true", "false"]),
        "为空或缺失时,该条数据在发送前失败",
        "null, empty or missing fails the record before it is sent",
    )
    .default("false"),
    KeyRow::new(
        "$only",
        Shape::Choice(&["create", "update"]),
        "只在这个动作里有此字段",
        "the field exists in this action only",
    ),
    KeyRow::new(
        "$sensitive",
        Shape::Choice(&["true", "false"]),
        "在日志、预览和导出里遮盖",
        "masked in logs, previews and exports",
    )
    .default("false"),
    KeyRow::new(
        "$on_error",
        Shape::Choice(&["fail", "null", "literal"]),
        "`_function` 计算失败时怎么办;`literal` 发送表达式的文字",
        "what a failing `_function` gives; `literal` sends the expression's text",
    )
    .default("fail"),
];

/// The arguments of all makers.
pub(crate) fn arguments() -> impl Iterator<Item = &'static str> {
    MAKERS
        .iter()
        .flat_map(|maker| maker.arguments.iter().map(|argument| argument.key))
}

/// The words a manner may hold; none for a value.
pub(crate) fn words(row: &KeyRow) -> &'static [&'static str] {
    match row.shape {
        Shape::Choice(words) => words,
        _ => &[],
    }
}

/// Operators of the `where` of a `_mongoQuery`, with what each asks.
pub const OPERATORS: &[(&str, &str, &str)] = &[
    (
        "$eq",
        "相等;数字按数值,文本逐字;文本等于写法相同的数字;null 也等于缺失",
        "equal: numbers by value, texts letter by letter, a text and a number when it is written so; null equals what is absent, too",
    ),
    (
        "$ne",
        "不相等;缺失的字段也算",
        "not equal; a field that is absent counts",
    ),
    (
        "$gt",
        "大于:数字与数字,或文本与文本",
        "greater: a number than a number, or a text than a text",
    ),
    ("$gte", "大于或等于", "greater or equal"),
    ("$lt", "小于", "less"),
    ("$lte", "小于或等于", "less or equal"),
    ("$in", "等于列表中的一个", "equal to one of a list"),
    ("$nin", "不等于列表中的任何一个", "equal to none of a list"),
    (
        "$exists",
        "字段存在,null 也算;`false` 表示不存在",
        "the field is there, be it null; with `false`, it is not",
    ),
    (
        "$regex",
        "文本符合正则表达式;`$options` 可为 i、m、s",
        "the text has a form; `$options` may be i, m and s",
    ),
    ("$not", "写在字段下面,取反", "below a field: not so"),
    ("$and", "列表中的条件全部成立", "all conditions of a list hold"),
    ("$or", "列表中的条件成立一个", "one condition of a list holds"),
    ("$nor", "列表中的条件都不成立", "no condition of a list holds"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unique_and_explained() {
        let mut keys: Vec<&str> = MAKERS.iter().map(|maker| maker.row.key).collect();
        keys.extend(MANNERS.iter().map(|row| row.key));
        let count = keys.len();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), count);
        assert!(arguments().all(|argument| !keys.contains(&argument)));
        for maker in MAKERS {
            assert!(maker.row.example.contains(maker.row.key), "{}", maker.row.key);
        }
    }
}
