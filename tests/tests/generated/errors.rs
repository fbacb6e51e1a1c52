//! What the engine can say has gone wrong.

use dsl::catalogue::{self, Entry};
use dsl::{Lang, Severity};
use std::collections::BTreeMap;

use crate::markdown::{anchor, head, prose};

/// The families by the number of their first code.
const ERRORS: [(u32, &str, &str); 15] = [
    (1000, "YAML 文件", "YAML files"),
    (1050, "选择文件", "Which file is meant"),
    (1100, "方案的键", "Keys of a scheme"),
    (1200, "值、模板与查找", "Values, templates and look-ups"),
    (1300, "表达式", "Expressions"),
    (1500, "连接器与连接", "Connectors and connections"),
    (1700, "从别的工具带过来的方案", "Schemes of another tool"),
    (2000, "一条数据", "One record"),
    (
        2050,
        "计算一条数据的表达式",
        "Computing an expression for a record",
    ),
    (3000, "调用源系统", "Calling a source"),
    (3050, "读取的结果", "How reading went"),
    (4000, "写入的结果", "How writing went"),
    (5000, "账本与数据目录", "The ledger and the data directory"),
    (7000, "凭据与会话", "Credentials and sessions"),
    (9000, "引擎自身", "The engine itself"),
];

pub(crate) fn page(lang: Lang) -> String {
    let mut page = head(
        lang,
        "errors",
        ("错误与警告", "Errors and warnings"),
        (
            "引擎能说出的每一个问题,按代码排列;`engine explain 代码` 给出同样的内容。`E` 是错误,`W` 是警告。\
             代码发布后不会改作他用。`…` 处是具体问题的名称、数值或对方系统的原话。",
            "Every problem the engine can tell of, by code; `engine explain CODE` says the same. `E` is an error, `W` a warning. \
             A code is never reused once released. At `…` stand the names, figures or vendor's words of an actual problem.",
        ),
    );
    let mut families: BTreeMap<u32, Vec<&Entry>> = BTreeMap::new();
    for entry in catalogue::all() {
        let number: u32 = entry.code[1..].parse().expect("a letter and digits");
        // What the engine refuses of a record before it is sent.
        let number = if (2100..3000).contains(&number) {
            2000
        } else {
            number
        };
        let family = ERRORS.iter().rev().find(|(first, ..)| *first <= number);
        families
            .entry(family.expect("a family for every code").0)
            .or_default()
            .push(entry);
    }
    for family in families.values_mut() {
        family.sort_by_key(|entry| (&entry.code[1..], entry.code));
    }
    let titles: Vec<(&str, Vec<&Entry>)> = ERRORS
        .iter()
        .map(|(first, zh, en)| (lang.pick(*zh, *en), families.remove(first).unwrap_or_default()))
        .collect();
    for (title, entries) in &titles {
        let codes: Vec<String> = entries
            .iter()
            .map(|entry| format!("[{0}](#{1})", entry.code, anchor(entry.code)))
            .collect();
        page.push_str(&format!(
            "* [{title}](#{}){}{}\n",
            anchor(title),
            lang.pick(":", ": "),
            codes.join(" ")
        ));
    }
    for (title, entries) in titles {
        page.push_str(&format!("\n## {title}\n"));
        for entry in entries {
            page.push_str(&problem(entry, lang));
        }
    }
    page
}

fn problem(entry: &Entry, lang: Lang) -> String {
    let warning = match entry.severity {
        Severity::Warning => lang.pick("警告:", "Warning: "),
        Severity::Error => "",
    };
    let mut text = format!(
        "\n### {}\n\n**{warning}{}**\n\n{}\n",
        entry.code,
        prose(&entry.text_outline(lang)),
        prose(entry.long(lang))
    );
    if let Some(help) = entry.help_outline(lang) {
        text.push_str(&format!(
            "\n{}{}\n",
            lang.pick("怎么办:", "What to do: "),
            prose(&help)
        ));
    }
    if !entry.example.is_empty() {
        text.push_str(&format!(
            "\n{}\n\n```text\n{}\n```\n",
            lang.pick("例如:", "For example:"),
            entry.example
        ));
    }
    text
}
