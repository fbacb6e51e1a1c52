//! The built-in connectors: what they need, what they can do, how sure they are.

use std::sync::Arc;

use connector::connections::DEFAULT_ENV;
use connector::{Connector, ParamType, SecretKind, Secrets};
use dsl::facts::{Action, ConnectorFacts, FilterKind, OpKind, OperationFacts, OptionFacts};
use dsl::{Lang, SourceFile, Value};

use crate::markdown::{anchor, code, head, is_chinese, prose, row, table};

/// How sure a claim of a connector file is, surest first.
const CLAIMS: [(&str, &str, &str); 5] = [
    (
        "vector",
        "用公开的示例值核对过",
        "checked against published example values",
    ),
    (
        "probe",
        "在公开的服务地址上看到过",
        "seen at a public address of the service",
    ),
    ("doc", "厂商文档如此说明", "said by the vendor's documentation"),
    (
        "client",
        "公开的客户端代码如此实现",
        "done so by a published client",
    ),
    ("guess", "推测,没有依据可查", "assumed; nothing public says it"),
];

pub(crate) fn page(lang: Lang) -> String {
    let mut page = head(
        lang,
        "connectors",
        ("内置连接器", "Built-in connectors"),
        (
            "每个连接器要哪些参数、能做哪些操作、它的说法有多可靠。怎样接入见各连接器自己的说明。\
             没有默认值的参数必须给出,除非所选的认证方式用不到它。\
             在终端里:`engine connectors show ID`。怎样自己写一个:[连接器文件的键](connector.zh.md)。",
            "What each connector needs, what it can do, and how sure its claims are. How to connect is said on each connector's own page. \
             A parameter without a default must be given, unless the chosen way of authentication does not need it. \
             In a terminal: `engine connectors show ID`. To write one: [the keys of a connector file](connector.md).",
        ),
    );
    let loaded: Vec<Arc<Connector>> = connector::builtin()
        .iter()
        .map(|(id, text)| load(id, text))
        .collect();
    for one in &loaded {
        let title = one.name().get(lang);
        page.push_str(&format!("* [{title}](#{}) `{}`\n", anchor(title), one.id()));
    }
    page.push_str(&format!(
        "\n{}\n\n",
        lang.pick(
            "每项说法的依据,从最可靠的起:",
            "What a claim rests on, surest first:"
        )
    ));
    for (word, zh, en) in CLAIMS {
        page.push_str(&format!(
            "* `{word}`{}{}\n",
            lang.pick(":", ": "),
            lang.pick(zh, en)
        ));
    }
    for one in &loaded {
        page.push_str(&connector_section(one, lang));
    }
    page
}

fn load(id: &str, text: &str) -> Arc<Connector> {
    let file = SourceFile::new(format!("connectors/{id}/connector.yaml"), text);
    Arc::new(connector::load(&file, &::functions::registry()).expect("the built-in connectors load"))
}

fn connector_section(one: &Arc<Connector>, lang: Lang) -> String {
    let (colon, stop) = lang.pick((":", "。"), (": ", "."));
    let mut text = format!(
        "\n## {}\n\n`connector: {id}` · [{}](../../connectors/{id}/README.md) · [connector.yaml](../../connectors/{id}/connector.yaml)\n\n{}{}{stop}\n",
        one.name().get(lang),
        lang.pick("说明", "its page"),
        lang.pick("时间文本的时区是 ", "Its times are in the zone "),
        one.zone(),
        id = one.id(),
    );
    text.push_str(&format!(
        "\n### {} · {}\n\n",
        one.id(),
        lang.pick("参数", "parameters")
    ));
    text.push_str(&table(lang.pick(
        &["参数", "类型", "不写时", "说明"],
        &["parameter", "type", "when left out", "what it is"],
    )));
    for param in one.params() {
        let ty = match param.ty {
            ParamType::Text => lang.pick("文本", "text").to_owned(),
            ParamType::Int => lang.pick("整数", "integer").to_owned(),
            ParamType::Bool => lang.pick("true 或 false", "true or false").to_owned(),
            ParamType::Url => lang.pick("网址", "address").to_owned(),
            ParamType::Path => lang.pick("字段路径", "path of a field").to_owned(),
            ParamType::Choice => param
                .of
                .iter()
                .map(|word| code(word))
                .collect::<Vec<_>>()
                .join(" "),
            ParamType::List => lang.pick("列表", "list").to_owned(),
            ParamType::Map => lang.pick("对象", "map").to_owned(),
        };
        let mut about: Vec<String> = Vec::new();
        about.extend(
            spoken(param.label.get(lang), lang)
                .filter(|label| *label != param.name)
                .map(prose),
        );
        about.extend(param.secret.then(|| {
            lang.pick("只写引用,不写明文", "by reference only, never as text")
                .to_owned()
        }));
        about.extend(
            param
                .note
                .as_deref()
                .and_then(|note| spoken(note, lang))
                .map(prose),
        );
        about.extend(
            param
                .example
                .as_deref()
                .map(|example| format!("{}{}", lang.pick("例如 ", "such as "), code(example))),
        );
        let default = param.default.as_ref().map(written).unwrap_or_default();
        row(
            &mut text,
            &[code(&param.name), ty, default, about.join(lang.pick(";", "; "))],
        );
    }
    let facts = facts(one);
    let all = facts
        .operation("")
        .err()
        .map(|found| found.all)
        .unwrap_or_default();
    for (name, ..) in one.operations() {
        let operation = facts
            .operation(name)
            .expect("a connector knows its own operations");
        let others: Vec<&str> = all
            .iter()
            .map(String::as_str)
            .filter(|other| *other != name && facts.operation(other).is_ok_and(|found| found.name == name))
            .collect();
        text.push_str(&operation_section(one.id(), &operation, &others, lang));
    }
    text.push_str(&format!(
        "\n### {} · {}\n\n",
        one.id(),
        lang.pick("有多可靠", "how sure")
    ));
    for (word, ..) in CLAIMS {
        let claims: Vec<String> = one
            .verified()
            .iter()
            .filter(|(_, how)| how == word)
            .map(|(claim, _)| code(claim))
            .collect();
        if !claims.is_empty() {
            text.push_str(&format!("* `{word}`{colon}{}\n", claims.join(" ")));
        }
    }
    text
}

fn operation_section(id: &str, one: &OperationFacts, others: &[&str], lang: Lang) -> String {
    let mut text = format!("\n### {id} · {}\n\n", one.name);
    let kind = match one.kind {
        OpKind::Read => lang.pick("读取", "reads"),
        OpKind::Write => lang.pick("写入", "writes"),
        OpKind::Receive => lang.pick("接收推送", "receives"),
        OpKind::Call => lang.pick("调用", "a plain call"),
    };
    let mut facts = vec![format!("{}{}{kind}", one.label.get(lang), lang.pick(":", ": "))];
    if !others.is_empty() {
        let names: Vec<String> = others.iter().map(|name| code(name)).collect();
        facts.push(format!(
            "{} {}",
            lang.pick("也可写作", "also called"),
            names.join(" ")
        ));
    }
    if one.kind == OpKind::Write {
        let actions: Vec<&str> = one
            .writes
            .iter()
            .map(|action| action_name(*action, lang))
            .collect();
        facts.push(actions.join(lang.pick("、", ", ")));
        facts.push(match lang {
            Lang::Zh => format!("每次最多 {} 条", one.batch_max),
            Lang::En => format!("at most {} records a call", one.batch_max),
        });
    }
    if let Some(page) = one.page {
        facts.push(match lang {
            Lang::Zh => format!("每页 {} 行,最多 {} 行", page.size, page.max),
            Lang::En => format!("{} rows a page, at most {}", page.size, page.max),
        });
    }
    if one.window_by_field {
        facts.push(
            lang.pick(
                "按 `window.field` 所写的时间字段读取",
                "reads by the time field that `window.field` names",
            )
            .to_owned(),
        );
    } else if one.uses_window {
        facts.push(lang.pick("按时间窗口读取", "reads a window of time").to_owned());
    }
    if one.fields_required {
        facts.push(
            lang.pick("方案必须写 `fields`", "a scheme must say `fields`")
                .to_owned(),
        );
    }
    if one.filter == Some(FilterKind::SqlText) {
        facts.push(lang.pick("接受 `filter`", "takes `filter`").to_owned());
    }
    for fact in facts {
        text.push_str(&format!("* {fact}\n"));
    }
    if !one.options.is_empty() {
        text.push_str(&format!(
            "\n{}",
            table(lang.pick(
                &["选项", "类型", "不写时", "说明"],
                &["option", "type", "when left out", "what it is"]
            ))
        ));
        for option in &one.options {
            option_row(&mut text, option, lang);
        }
    }
    text
}

fn option_row(text: &mut String, option: &OptionFacts, lang: Lang) {
    let ty = match option.ty.as_str() {
        "text" => lang.pick("文本", "text").to_owned(),
        "int" => lang.pick("整数", "integer").to_owned(),
        "bool" => lang.pick("true 或 false", "true or false").to_owned(),
        "list" => lang.pick("列表", "list").to_owned(),
        "map" => lang.pick("对象", "map").to_owned(),
        "decimal" => lang.pick("小数", "decimal").to_owned(),
        "choice" => option
            .of
            .iter()
            .map(|word| code(word))
            .collect::<Vec<_>>()
            .join(" "),
        other => code(other),
    };
    let default = match (&option.constant, &option.default) {
        (Some(constant), _) => format!("{} {}", lang.pick("总是", "always"), written(constant)),
        (None, Some(default)) => written(default),
        (None, None) if option.required => lang.pick("**必填**", "**required**").to_owned(),
        (None, None) => String::new(),
    };
    let mut about: Vec<String> = Vec::new();
    about.extend(
        spoken(option.label.get(lang), lang)
            .filter(|label| *label != option.name)
            .map(prose),
    );
    if option.needed_when.is_some() {
        about.push(
            lang.pick(
                "更新带明细的单据时必须写明,没有安全的默认值",
                "must be said when documents with lines are updated: no default is safe",
            )
            .to_owned(),
        );
    }
    row(
        text,
        &[code(&option.name), ty, default, about.join(lang.pick(";", "; "))],
    );
}

fn action_name(action: Action, lang: Lang) -> &'static str {
    match action {
        Action::Create => lang.pick("新增", "creates"),
        Action::Update => lang.pick("更新", "updates"),
        Action::Void => lang.pick("作废", "voids"),
        Action::Step => lang.pick(
            "对已写入的单据继续处理",
            "a further step for a document already written",
        ),
    }
}

/// What schemes are checked against, for a connection with made-up parameters.
fn facts(one: &Arc<Connector>) -> Arc<dyn ConnectorFacts> {
    struct MadeUp;
    impl Secrets for MadeUp {
        fn get(&self, _: SecretKind, _: &str) -> Option<String> {
            Some("made-up".to_owned())
        }
    }
    let mut params = String::new();
    for param in one.params().iter().filter(|param| param.default.is_none()) {
        let value = match param.ty {
            _ if param.secret => "${env:MADE_UP}".to_owned(),
            ParamType::Url => match one.transport().driver {
                Some(driver) => format!("{}://made-up.example.com/made_up", driver.name()),
                None => "https://made-up.example.com/".to_owned(),
            },
            _ => "made-up".to_owned(),
        };
        params.push_str(&format!("{}: \"{value}\", ", param.name));
    }
    let yaml = format!(
        "connections: {{any: {{connector: {}, params: {{{params}}}}}}}\n",
        one.id()
    );
    let file = SourceFile::new("connections.yaml", yaml);
    let connections =
        connector::connections::load(&file, std::slice::from_ref(one), &::functions::registry());
    let connections = connections.expect("the made-up connection is valid");
    let any = connections
        .resolve("any", DEFAULT_ENV, &MadeUp)
        .expect("nothing is missing");
    Arc::new(any).facts()
}

/// A value as one would write it in a file.
fn written(value: &Value) -> String {
    code(&dsl::json::to_string(value))
}

/// A text that a connector file has in one language only, where this is the language.
fn spoken(text: &str, lang: Lang) -> Option<&str> {
    (is_chinese(text) == (lang == Lang::Zh)).then_some(text)
}
