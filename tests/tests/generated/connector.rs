//! The format of connector and connections files.

use connector::holds::{Holds, holds, required};
use connector::keys::{KEYS, KeyRow, Place, State, at};
use connector::reference::{
    CLASSES, FILTERS, FUNCTIONS, NAMES, RECIPE_NAMES, Word, engine_words, value_places,
};
use dsl::Lang;

use crate::markdown::{anchor, code, head, prose, row, table};

/// Kinds of the table, in Chinese. Words stand for themselves.
const KINDS: [(&str, &str); 26] = [
    ("id", "id"),
    ("text", "文本"),
    ("text or {zh, en}", "文本,或 {zh, en}"),
    ("int", "整数"),
    ("bool", "true 或 false"),
    ("zone", "时区"),
    ("value", "值"),
    ("list of values", "值的列表"),
    ("list of two values", "两个值的列表"),
    ("map of values", "名称自拟的映射,每个是值"),
    ("map of recipes", "名称自拟的映射,每个是算式"),
    ("map of paths", "名称自拟的映射,每个是路径"),
    ("recipe", "算式"),
    ("path", "路径"),
    ("paths", "路径,或路径的列表"),
    ("path or paths", "路径,或路径的列表"),
    ("list of paths", "路径的列表"),
    ("list", "列表"),
    ("map", "映射"),
    ("duration", "时长"),
    ("size", "大小"),
    ("rate or list", "频率,或频率的列表"),
    ("condition", "条件"),
    ("parameter", "参数的名称"),
    ("int or list", "整数,或列表"),
    ("word", "词"),
];
const MORE_KINDS: [(&str, &str); 6] = [
    ("name", "名称"),
    ("operation", "操作的名称"),
    ("short or recipe", "short,或算式"),
    ("midnight or recipe", "midnight,或算式"),
    ("hours or list", "时段,或时段的列表"),
    (
        "path, position or {key, record}",
        "路径、position 或 {key, record}",
    ),
];

/// The sections behind the keys.
const VALUES: (&str, &str) = ("值可以取的名称", "What values may name");
const RECIPES: (&str, &str) = ("算式", "Recipes");
const MEANINGS: (&str, &str) = ("答复的含义", "What an answer can mean");

pub(crate) fn page(lang: Lang) -> String {
    let mut page = head(
        lang,
        "connector",
        (
            "连接器文件与连接文件的键",
            "Keys of connector files and connections files",
        ),
        (
            "一个连接器文件(`connector.yaml`)和连接文件(`connections.yaml`)可以写的全部键,与 `engine check`、`engine schema connector` 和 `engine schema connections` 出自同一张表。别的键是错误。\
             “值”的写法与方案相同,见[方案文件的键](scheme.zh.md);“算式”见本页末尾。`extends` 把另一个操作垫在下面:映射逐项合并,其他内容替换,`$drop` 去掉一项。\
             自己的连接器放在 connections.yaml 旁的 `connectors/<名称>/connector.yaml`,用 `engine connectors check` 检查。",
            "Every key of a connector file (`connector.yaml`) and of a connections file (`connections.yaml`), from the table that `engine check`, `engine schema connector` and `engine schema connections` read too. Any other key is an error. \
             A *value* is written as in a scheme, see [its keys](scheme.md); for *recipes* see below. `extends` lays another operation underneath: maps member by member, anything else replaces, `$drop` takes a member away. \
             Connectors of your own stand beside connections.yaml as `connectors/<name>/connector.yaml`; `engine connectors check` checks them.",
        ),
    );
    let places = places();
    for place in &places {
        let title = title(*place, lang);
        page.push_str(&format!("* [{}](#{})\n", prose(&title), anchor(&title)));
    }
    for (zh, en) in [VALUES, RECIPES, MEANINGS] {
        let title = lang.pick(zh, en);
        page.push_str(&format!("* [{title}](#{})\n", anchor(title)));
    }
    for place in places {
        page.push_str(&section(place, lang));
    }
    page.push_str(&values(lang));
    page.push_str(&recipes(lang));
    page.push_str(&format!("\n## {}\n\n", lang.pick(MEANINGS.0, MEANINGS.1)));
    page.push_str(lang.pick(
        "`outcome` 的各行按顺序尝试;认证方式的行在前,然后是操作的,最后是连接器的。没有一行匹配即 `fault`。\n\n",
        "The rows of `outcome` are tried in order: those of the way of authentication first, then the operation's, then the connector's. Where no row matches it is `fault`.\n\n",
    ));
    page.push_str(&words(
        CLASSES,
        lang.pick(&["含义", "作用"], &["class", "effect"]),
        lang,
    ));
    page
}

/// The places in the order of the table.
fn places() -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    for row in KEYS {
        if !places.contains(&row.place) {
            places.push(row.place);
        }
    }
    places
}

fn title(place: Place, lang: Lang) -> String {
    let (zh, en) = place.words();
    lang.pick(zh, en).to_owned()
}

fn section(place: Place, lang: Lang) -> String {
    let mut text = format!("\n## {}\n\n", prose(&title(place, lang)));
    let now = at(place).filter(|row| row.state == State::Now);
    text.push_str(&table(
        lang.pick(&["键", "内容", "用途"], &["key", "holds", "what for"]),
    ));
    for one in now {
        let mut held = held(one, lang);
        if required(place).contains(&one.name) {
            held.push_str(lang.pick(",**必填**", ", **required**"));
        }
        row(
            &mut text,
            &[code(one.name), held, prose(lang.pick(one.zh, one.en))],
        );
    }
    let later: Vec<String> = at(place)
        .filter(|row| row.state == State::Later)
        .map(|row| code(row.name))
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

fn held(one: &KeyRow, lang: Lang) -> String {
    let link = |place: Place| {
        let title = title(place, lang);
        format!("[{}](#{})", prose(&title), anchor(&title))
    };
    let listed = |words: &[&str]| words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" ");
    let many = lang.pick("名称自拟的映射,每个是 ", "a map with names of your own, each ");
    match holds(one) {
        Holds::Word(words) => listed(&words),
        Holds::WordOrValue(words) => {
            format!("{}{}", listed(&words), lang.pick(",或值", ", or a value"))
        }
        Holds::Words(words) => format!("{}{}", lang.pick("列表:", "a list of "), listed(&words)),
        Holds::WordMap(words) => format!("{many}{}", listed(&words)),
        Holds::Named(words) => format!(
            "{}{}",
            lang.pick("映射,键为 ", "a map with the keys "),
            listed(&words)
        ),
        Holds::Block(place) => link(place),
        Holds::Either(one, other) => {
            format!("{}{}{}", link(other), lang.pick(",或 ", ", or "), link(one))
        }
        Holds::TextOrBlock(place) => format!("{} ({})", kind(one.kind, lang), link(place)),
        Holds::Blocks(place) => format!("{many}{}", link(place)),
        Holds::Rows(place) => format!("{}{}", lang.pick("列表,每项是 ", "a list, each "), link(place)),
        _ => kind(one.kind, lang),
    }
}

fn kind(kind: &str, lang: Lang) -> String {
    let known = KINDS.iter().chain(&MORE_KINDS).find(|(en, _)| *en == kind);
    let (en, zh) = known.unwrap_or_else(|| panic!("the kind {kind:?} has no Chinese in KINDS"));
    prose(lang.pick(zh, en))
}

fn words(words: &[Word], heads: &[&str], lang: Lang) -> String {
    let mut text = table(heads);
    for one in words {
        row(&mut text, &[code(one.usage), prose(lang.pick(one.zh, one.en))]);
    }
    text
}

fn values(lang: Lang) -> String {
    let mut text = format!("\n## {}\n\n", lang.pick(VALUES.0, VALUES.1));
    text.push_str(&words(
        NAMES,
        lang.pick(&["名称", "内容"], &["name", "what it is"]),
        lang,
    ));
    text.push('\n');
    text.push_str(&table(lang.pick(&["位置", "可以取的名称"], &["place", "names"])));
    for place in value_places() {
        let mut names: Vec<String> = place.names.iter().map(|name| code(name)).collect();
        if place.fields {
            names.push(lang.pick("答复中的字段", "fields of the answer").to_owned());
        }
        row(
            &mut text,
            &[
                format!("{}: {}", place.words.get(lang), place.keys),
                names.join(" "),
            ],
        );
    }
    text
}

fn recipes(lang: Lang) -> String {
    let mut text = format!("\n## {}\n\n", lang.pick(RECIPES.0, RECIPES.1));
    text.push_str(lang.pick(
        "算式是不带括号的 minijinja 表达式,用在 `let` `when` `ok` `more` `items` `exists` `done_when` 等处。\
         连接的参数按名称取用;`let` 里算出的名称可供后面的算式使用。摘要与加密得到字节,要经 `hex`、`b64` 等成为文本。\n\n",
        "A recipe is a minijinja expression without braces, at `let` `when` `ok` `more` `items` `exists` `done_when` and the like. \
         Parameters of the connection are read by their names, and what `let` computed by those behind it. Digests and ciphers give bytes, which `hex`, `b64` and their like make text.\n\n",
    ));
    text.push_str(&table(lang.pick(
        &["位置", "另有的名称", "内容"],
        &["place", "further names", "what they are"],
    )));
    for (keys, names) in RECIPE_NAMES {
        if names.is_empty() {
            let only = lang.pick("只有参数", "parameters only");
            row(&mut text, &[(*keys).to_owned(), String::new(), only.to_owned()]);
        }
        for one in *names {
            let about = prose(lang.pick(one.zh, one.en));
            row(&mut text, &[(*keys).to_owned(), code(one.usage), about]);
        }
    }
    text.push('\n');
    let heads = lang.pick(&["过滤器", "结果"], &["filter", "gives"]);
    text.push_str(&words(FILTERS, heads, lang));
    text.push('\n');
    let heads = lang.pick(&["函数", "结果"], &["function", "gives"]);
    text.push_str(&words(FUNCTIONS, heads, lang));
    let (filters, tests) = engine_words();
    let listed = |words: &[&str]| words.iter().map(|word| code(word)).collect::<Vec<_>>().join(" ");
    text.push_str(&format!(
        "\n{}{}\n\n{}{}\n",
        lang.pick("表达式语言自带的过滤器:", "Filters of the expression language: "),
        listed(filters),
        lang.pick("`is` 之后的判断:", "Tests behind `is`: "),
        listed(tests),
    ));
    text
}
