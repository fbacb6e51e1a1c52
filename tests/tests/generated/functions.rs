//! The built-in functions.

use dsl::Lang;
use dsl::builtin::{Builtin, Call, Count, Gives, Type, Words};

use crate::markdown::{anchor, code, head, prose, row, table};

/// The families, each from this function on, in the order of `functions::ALL`.
const FAMILIES: [(&str, &str, &str); 6] = [
    ("IF", "选择", "Choice"),
    ("ROUND", "数值", "Numbers"),
    ("CONCAT", "文本", "Text"),
    ("NOW", "运行的时刻", "The instant of the run"),
    ("DATE", "日历", "The calendar"),
    ("SUM", "明细行", "Lines"),
];

pub(crate) fn page(lang: Lang) -> String {
    let mut page = head(
        lang,
        "functions",
        ("函数", "Functions"),
        (
            "表达式(`_function`)可以调用的全部内置函数。名称不区分大小写,结果的位数与 MySQL 一致。\
             例子都由测试执行,时刻是上海时间 2023-11-15 06:13:20.1;`✗` 之后是它报告的[错误代码](errors.zh.md)。",
            "Every built-in function an expression (`_function`) may call. Case does not matter, and results have MySQL's digits. \
             All examples are executed by a test, at 2023-11-15 06:13:20.1 in Shanghai; after `✗` stands the [error code](errors.md) they report.",
        ),
    );
    let mut families: Vec<(&str, Vec<&Builtin>)> = Vec::new();
    for one in ::functions::ALL {
        if let Some((_, zh, en)) = FAMILIES.iter().find(|(first, ..)| *first == one.name) {
            families.push((lang.pick(zh, en), Vec::new()));
        }
        let family = families.last_mut().expect("the first function begins a family");
        family.1.push(one);
    }
    assert_eq!(
        families.len(),
        FAMILIES.len(),
        "a family begins with another function"
    );
    for (title, members) in &families {
        let names: Vec<String> = members
            .iter()
            .map(|one| format!("[{0}](#{1})", one.name, anchor(one.name)))
            .collect();
        page.push_str(&format!(
            "* [{title}](#{}){}{}\n",
            anchor(title),
            lang.pick(":", ": "),
            names.join(" · ")
        ));
    }
    for (title, members) in families {
        page.push_str(&format!("\n## {title}\n"));
        for one in members {
            page.push_str(&function(one, lang));
        }
    }
    page
}

fn function(one: &Builtin, lang: Lang) -> String {
    let words = |words: Words| prose(lang.pick(words.zh, words.en));
    let mut text = format!(
        "\n### {}\n\n`{}` → {}\n\n{}\n",
        one.name,
        one.signature(),
        type_name(one.returns, lang),
        words(one.summary)
    );
    if !one.aliases.is_empty() {
        let names: Vec<String> = one.aliases.iter().map(|name| code(name)).collect();
        text.push_str(&format!(
            "\n{}{}\n",
            lang.pick("别名:", "Other names: "),
            names.join(lang.pick("、", ", "))
        ));
    }
    if !one.params.is_empty() {
        text.push_str(&format!(
            "\n{}",
            table(lang.pick(&["参数", "类型", "说明"], &["parameter", "type", "what it is"]))
        ));
        for param in one.params {
            let count = match param.count {
                Count::Once => "",
                Count::Optional => lang.pick("可省略。", "May be left out. "),
                Count::Any => lang.pick("可写任意多个。", "Any number of them. "),
                Count::Paired => lang.pick("成对写任意多次。", "Any number of pairs. "),
            };
            row(
                &mut text,
                &[
                    code(param.name),
                    type_name(param.takes, lang).to_owned(),
                    format!("{count}{}", words(param.about)),
                ],
            );
        }
    }
    let null = match one.call {
        Call::Eager(_) if one.params.is_empty() => None,
        Call::Eager(_) => Some(lang.pick(
            "任何一个参数是 NULL,结果就是 NULL。",
            "An argument that is NULL makes the result NULL.",
        )),
        Call::Nullable(_) => Some(lang.pick(
            "接受 NULL 参数,如上所述。",
            "Arguments may be NULL, as said above.",
        )),
        Call::Lazy(_) => Some(lang.pick(
            "接受 NULL 参数,如上所述;只计算用到的参数。",
            "Arguments may be NULL, as said above; only those that are needed are computed.",
        )),
        Call::Aggregate(_) => Some(lang.pick(
            "对明细逐行计算参数,是 NULL 的行不计入。",
            "The argument is computed for every line; lines where it is NULL do not count.",
        )),
    };
    text.extend(null.map(|null| format!("\n**NULL**{}{null}\n", lang.pick(":", ": "))));
    text.push_str(&format!(
        "\n{}",
        table(lang.pick(&["例子", "结果"], &["example", "result"]))
    ));
    for example in one.examples {
        let gives = match example.gives {
            Gives::Text("") => lang.pick("空文本", "empty text").to_owned(),
            Gives::Text(result) => code(result),
            Gives::Null => "NULL".to_owned(),
            Gives::Code(problem) => format!(
                "✗ [{problem}](errors.{}#{})",
                lang.pick("zh.md", "md"),
                anchor(problem)
            ),
        };
        row(&mut text, &[code(example.expr), gives]);
    }
    text
}

fn type_name(of: Type, lang: Lang) -> &'static str {
    let zh = match of {
        Type::Any => "任意值",
        Type::Text => "文本",
        Type::Number => "数值",
        Type::Integer => "整数",
        Type::Bool => "真假(1 或 0)",
        Type::Time => "时间",
        Type::Interval => "时长(INTERVAL)",
        Type::Days => "时长(INTERVAL)或天数",
        Type::List => "列表",
        Type::Json => "JSON",
    };
    lang.pick(zh, of.name())
}
