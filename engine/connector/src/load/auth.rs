//! `auth` and `sign`: how the caller is known.

use dsl::catalogue::connector as words;
use dsl::diagnostic::did_you_mean;
use dsl::tree::Tree;
use dsl::yaml::{Node, Pair};

use super::reader::{Members, Names, Reader};
use super::{Declared, answer, places};
use crate::keys::Place;
use crate::login::SESSION;
use crate::model::{Csrf, Encode, Login, LoginStep, Mode, Param, ParamType, STEPS_MAX, Sign};
use crate::recipe::{Missing, Recipe};

/// The modes, and the parameter that picks one. A file without `auth` has one mode, which may be signed.
pub(super) fn modes(
    members: Members<'_>,
    params: &[Param],
    declared: &Declared,
    reader: &mut Reader<'_>,
) -> (Option<String>, Vec<Mode>) {
    let mut choose = None;
    let mut modes = match members.get("auth") {
        None => vec![empty(String::new())],
        Some(pair) if pair.value.get("modes").is_some() => {
            let inner = reader.members(&pair.value, "auth", Place::AuthModes);
            choose = reader
                .need(inner, "choose", "auth")
                .and_then(|pair| chosen(pair, params, reader));
            let pairs = inner
                .get("modes")
                .map_or(&[][..], |pair| reader.pairs(&pair.value, "modes"));
            pairs
                .iter()
                .map(|pair| mode(pair.key.clone(), &pair.value, declared, reader))
                .collect()
        }
        Some(pair) => vec![mode(String::new(), &pair.value, declared, reader)],
    };
    check_choice(members, choose.as_deref(), params, &modes, reader);
    if let Some(pair) = members.get("sign") {
        for mode in &mut modes {
            if mode.sign.is_some() {
                reader.push(
                    reader
                        .at(&words::NOT_YET, &pair.key_span)
                        .with("key", "sign + auth.sign"),
                );
            }
            mode.sign = Some(sign(&pair.value, &auth_names(mode), declared, reader));
        }
    }
    (choose, modes)
}

fn empty(name: String) -> Mode {
    Mode {
        name,
        headers: Vec::new(),
        basic: None,
        login: None,
        sign: None,
        cookies: false,
        outcome: Vec::new(),
    }
}

/// What the login of a mode takes.
pub(super) fn auth_names(mode: &Mode) -> Vec<String> {
    mode.login
        .iter()
        .flat_map(|login| login.taken().cloned())
        .collect()
}

fn chosen(pair: &Pair, params: &[Param], reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.text(&pair.value, "choose")?;
    let found = params
        .iter()
        .find(|param| param.name == name && param.ty == ParamType::Choice);
    if found.is_none() {
        reader.bad_value(
            &pair.value,
            "choose",
            ("choice 类型的参数", "a parameter of type choice"),
        );
    }
    found.map(|param| param.name.clone())
}

/// Each word of the choice has a mode, and each mode a word.
fn check_choice(
    members: Members<'_>,
    choose: Option<&str>,
    params: &[Param],
    modes: &[Mode],
    reader: &mut Reader<'_>,
) {
    let Some(param) = choose.and_then(|name| params.iter().find(|param| param.name == name)) else {
        return;
    };
    let span = members.get("auth").map_or(0..0, |pair| pair.key_span.clone());
    for word in &param.of {
        if !modes.iter().any(|mode| mode.name == *word) {
            reader.push(
                reader
                    .at(&words::MISSING_KEY, &span)
                    .with("where", "auth.modes")
                    .with("key", word),
            );
        }
    }
    for mode in modes.iter().filter(|mode| !param.of.contains(&mode.name)) {
        reader.push(
            reader
                .at(&words::BAD_WORD, &span)
                .with("key", "auth.modes")
                .with("value", &mode.name)
                .with("allowed", param.of.join(" ")),
        );
    }
}

fn mode(name: String, node: &Node, declared: &Declared, reader: &mut Reader<'_>) -> Mode {
    let members = reader.members(node, if name.is_empty() { "auth" } else { &name }, Place::Mode);
    let at_params = declared.names(places::PARAMS);
    let mut mode = empty(name);
    mode.headers = reader.trees(members.get("headers"), &at_params);
    mode.basic = members.get("basic").and_then(|pair| match pair.value.list() {
        Some([user, password]) => Some((reader.tree(user, &at_params), reader.tree(password, &at_params))),
        _ => {
            reader.bad_value(&pair.value, "basic", ("两个值的列表", "a list of two values"));
            None
        }
    });
    mode.login = members
        .get("login")
        .or(members.get("token"))
        .map(|pair| login(&pair.value, declared, reader));
    if let (Some(_), Some(token)) = (members.get("login"), members.get("token")) {
        reader.push(
            reader
                .at(&words::NOT_YET, &token.key_span)
                .with("key", "login + token"),
        );
    }
    if let Some(pair) = members.get("sign") {
        mode.sign = Some(sign(&pair.value, &auth_names(&mode), declared, reader));
    }
    mode.cookies = keep(members, reader) || mode.login.as_ref().is_some_and(|login| login.cookies);
    mode.outcome = answer::outcome(members.get("outcome"), declared, &[], reader);
    mode
}

fn keep(members: Members<'_>, reader: &mut Reader<'_>) -> bool {
    reader
        .word(members.get("cookies"), &[("keep", true)])
        .unwrap_or(false)
}

/// The names a recipe over a request may use; `session` where there is a login.
fn request_recipe_names(declared: &Declared, auth: &[String]) -> Vec<String> {
    let session = Some(SESSION.to_owned()).filter(|_| !auth.is_empty());
    declared
        .params
        .iter()
        .cloned()
        .chain(["req".to_owned()])
        .chain(session)
        .collect()
}

fn sign(node: &Node, auth: &[String], declared: &Declared, reader: &mut Reader<'_>) -> Sign {
    let members = reader.members(node, "sign", Place::Sign);
    let mut known = request_recipe_names(declared, auth);
    let lets = reader.lets(members.get("let"), Missing::Fails, &mut known);
    taken_names(members.get("let"), &lets, auth, reader);
    let let_names: Vec<String> = lets.iter().map(|(name, _)| name.clone()).collect();
    let names = Names {
        lets: &let_names,
        auth,
        ..declared.names(places::SIGN)
    };
    Sign {
        headers: reader.trees(members.get("headers"), &names),
        query: reader.trees(members.get("query"), &names),
        form: reader.trees(members.get("form"), &names),
        lets,
    }
}

/// `session.x` in recipes must be something that was taken before.
fn taken_names(pair: Option<&Pair>, lets: &[(String, Recipe)], taken: &[String], reader: &mut Reader<'_>) {
    let Some(pair) = pair else { return };
    for (name, recipe) in lets {
        let members = recipe.members_of(SESSION);
        for member in members.iter().filter(|member| !taken.contains(member)) {
            let near = did_you_mean(member, taken.iter().map(String::as_str));
            let near = near.iter().map(|near| format!("{SESSION}.{near}")).collect();
            let span = pair
                .value
                .get(name)
                .map_or(&pair.key_span, |pair| &pair.value.span);
            reader.push(
                reader
                    .at(&words::RECIPE_NAME, span)
                    .with("name", format!("{SESSION}.{member}"))
                    .similar(near),
            );
        }
    }
}

/// The keys of one call of a login.
const CALL: [&str; 12] = [
    "let", "method", "host", "path", "query", "headers", "body", "encode", "root", "ok", "message", "take",
];

fn login(node: &Node, declared: &Declared, reader: &mut Reader<'_>) -> Login {
    let members = reader.members(node, "login", Place::Login);
    let start = reader.trees(members.get("start"), &declared.names(places::PARAMS));
    let started: Vec<String> = start.iter().map(|(name, _)| name.clone()).collect();
    let mut steps = Vec::new();
    match members.get("steps") {
        None => steps.push(step(members, &started, declared, reader)),
        Some(pair) => {
            for key in CALL.iter().chain(&["rotate", "start"]) {
                if let Some(extra) = members.get(key) {
                    let problem = reader.at(&words::UNKNOWN_KEY, &extra.key_span);
                    let (zh, en) = ("有 `steps` 的登录", "a login with `steps`");
                    reader.push(
                        problem
                            .with("key", *key)
                            .with("where_zh", zh)
                            .with("where_en", en),
                    );
                }
            }
            let nodes = reader.list(&pair.value, "steps");
            if nodes.is_empty() || nodes.len() > STEPS_MAX {
                let want = ("1 到 8 步的列表", "a list of 1 to 8 steps");
                reader.bad_value(&pair.value, "steps", want);
            }
            let mut taken: Vec<String> = Vec::new();
            for node in nodes.iter().take(STEPS_MAX) {
                let members = reader.members(node, "steps", Place::LoginStep);
                let step = step(members, &taken, declared, reader);
                for (name, _) in &step.take {
                    if taken.contains(name) {
                        let take = members.get("take").map_or(&node.span, |pair| &pair.value.span);
                        reader.push(
                            reader
                                .at(&words::DUPLICATE_NAME, take)
                                .with("name", name)
                                .with("other", "steps"),
                        );
                    }
                    taken.push(name.clone());
                }
                steps.push(step);
            }
        }
    }
    let taken: Vec<String> = steps
        .iter()
        .flat_map(|step| step.take.iter().map(|(name, _)| name.clone()))
        .collect();
    rotation(members, &started, &taken, reader);
    let at_apply = Names {
        auth: &taken,
        ..declared.names(places::APPLY)
    };
    let apply = members
        .get("apply")
        .map(|pair| reader.members(&pair.value, "apply", Place::Apply));
    let applied = |key: &str, reader: &mut Reader<'_>| {
        apply.map_or_else(Vec::new, |apply| reader.trees(apply.get(key), &at_apply))
    };
    Login {
        steps,
        max_age_ms: reader.duration(members.get("max_age")),
        cookies: keep(members, reader),
        apply_host: apply
            .and_then(|apply| apply.get("host"))
            .map(|pair| reader.tree(&pair.value, &at_apply)),
        apply_headers: applied("headers", reader),
        apply_query: applied("query", reader),
        apply_body: applied("body", reader),
        rotate: reader.bool(members.get("rotate")).unwrap_or(false),
        start,
        signed: reader.bool(members.get("sign")).unwrap_or(false),
        rates: reader.rates(members.get("rate")),
    }
}

/// One call of a login. `before` is what is known when it is made.
fn step(members: Members<'_>, before: &[String], declared: &Declared, reader: &mut Reader<'_>) -> LoginStep {
    let session = Some(SESSION.to_owned()).filter(|_| !before.is_empty());
    let mut known: Vec<String> = declared.params.iter().cloned().chain(session).collect();
    let lets = reader.lets(members.get("let"), Missing::Fails, &mut known);
    taken_names(members.get("let"), &lets, before, reader);
    let let_names: Vec<String> = lets.iter().map(|(name, _)| name.clone()).collect();
    let mut take = Vec::new();
    if let Some(pair) = members.get("take") {
        for pair in reader.pairs(&pair.value, "take") {
            take.extend(reader.path(Some(pair)).map(|path| (pair.key.clone(), path)));
        }
    }
    let names = Names {
        lets: &let_names,
        auth: before,
        ..declared.names(places::LOGIN)
    };
    let ok = reader
        .need(members, "ok", "login")
        .and_then(|pair| reader.recipe(&pair.value, "ok", Missing::IsUndefined, &raw_answer(declared)));
    LoginStep {
        method: method(members, reader),
        host: members.get("host").map(|pair| reader.tree(&pair.value, &names)),
        path: reader
            .need(members, "path", "login")
            .map_or_else(empty_tree, |pair| reader.tree(&pair.value, &names)),
        query: reader.trees(members.get("query"), &names),
        headers: reader.trees(members.get("headers"), &names),
        body: members.get("body").map(|pair| reader.tree(&pair.value, &names)),
        encode: encode(members, reader),
        root: root(members, reader),
        ok: ok.unwrap_or_else(|| constant("false")),
        message: members
            .get("message")
            .map(|pair| reader.tree(&pair.value, &declared.names(places::SENTENCE))),
        take,
        keep_ms: members.get("keep").and_then(|pair| reader.duration(Some(pair))),
        lets,
    }
}

/// The names of a recipe over an answer that `let` has not seen.
fn raw_answer(declared: &Declared) -> Vec<String> {
    let fixed = ["http", "body", "body_text"].map(str::to_owned);
    declared.params.iter().cloned().chain(fixed).collect()
}

/// What an answer says that wants another token, when a file says nothing else. The header's name has letters, digits
/// and `-` alone.
fn token_required(header: &str) -> Recipe {
    let header = header.to_ascii_lowercase();
    constant(&format!(
        "http.status == 403 and http.header['{header}'] | lower == 'required'"
    ))
}

fn constant(text: &str) -> Recipe {
    Recipe::compile(text, Missing::IsUndefined, &|_| true).expect("a constant is a recipe")
}

/// `csrf`: the token that writes carry.
pub(super) fn csrf(pair: &Pair, declared: &Declared, reader: &mut Reader<'_>) -> Csrf {
    let members = reader.members(&pair.value, "csrf", Place::Csrf);
    let names = declared.names(places::PARAMS);
    let path = reader.need(members, "path", "csrf");
    if let Some(pair) = path {
        super::operation::check_path(pair, reader);
    }
    let header = members.get("header");
    let header = header.and_then(|pair| reader.text(&pair.value, "header").map(|text| (pair, text)));
    let is_name = |text: &str| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !text.is_empty() && text.bytes().all(plain)
    };
    if let Some((pair, _)) = header.filter(|(_, text)| !is_name(text)) {
        let want = ("请求头名称,如 x-csrf-token", "a header such as x-csrf-token");
        reader.bad_value(&pair.value, "header", want);
    }
    let header = header
        .map(|(_, text)| text)
        .filter(|text| is_name(text))
        .unwrap_or("x-csrf-token");
    let again = members.get("again_when").and_then(|pair| {
        reader.recipe(
            &pair.value,
            "again_when",
            Missing::IsUndefined,
            &raw_answer(declared),
        )
    });
    Csrf {
        method: match members.get("method") {
            Some(_) => method(members, reader),
            None => "GET".to_owned(),
        },
        path: path.map_or_else(empty_tree, |pair| reader.tree(&pair.value, &names)),
        query: reader.trees(members.get("query"), &names),
        headers: reader.trees(members.get("headers"), &names),
        header: header.to_owned(),
        again_when: again.unwrap_or_else(|| token_required(header)),
    }
}

/// `rotate` and `start` belong together, and what a login starts with is what a login takes.
fn rotation(members: Members<'_>, started: &[String], taken: &[String], reader: &mut Reader<'_>) {
    let rotates = members.get("rotate").is_some_and(|pair| {
        let text = pair.value.scalar().map(|scalar| scalar.text.as_str());
        text == Some("true")
    });
    if rotates {
        reader.need(members, "start", "login");
    }
    let Some(pair) = members.get("start") else { return };
    if !rotates {
        reader.need(members, "rotate", "login");
    }
    for name in started.iter().filter(|name| !taken.contains(name)) {
        let near = did_you_mean(name, taken.iter().map(String::as_str));
        reader.push(
            reader
                .at(&words::BAD_WORD, &pair.value.span)
                .with("key", "start")
                .with("value", name)
                .with("allowed", taken.join(" "))
                .similar(near),
        );
    }
}

pub(super) fn empty_tree() -> Tree {
    Tree::literal(dsl::Value::Null)
}

pub(super) fn method(members: Members<'_>, reader: &mut Reader<'_>) -> String {
    const METHODS: &[(&str, &str)] = &[
        ("GET", "GET"),
        ("POST", "POST"),
        ("PUT", "PUT"),
        ("PATCH", "PATCH"),
        ("DELETE", "DELETE"),
        ("HEAD", "HEAD"),
    ];
    reader
        .word(members.get("method"), METHODS)
        .unwrap_or("POST")
        .to_owned()
}

fn encode(members: Members<'_>, reader: &mut Reader<'_>) -> Encode {
    encoding(members, &[], reader)
}

/// `root`, which belongs to `encode: xml`.
pub(super) fn root(members: Members<'_>, reader: &mut Reader<'_>) -> String {
    let is_xml = members
        .get("encode")
        .and_then(|pair| pair.value.scalar())
        .is_some_and(|scalar| scalar.text == "xml");
    let pair = match is_xml {
        true => reader.need(members, "root", "encode: xml"),
        false => members.get("root"),
    };
    let Some(pair) = pair else { return String::new() };
    if !is_xml {
        let problem = reader.at(&words::MISSING_KEY, &pair.key_span);
        reader.push(problem.with("where", "root").with("key", "encode: xml"));
    }
    root_name(pair, reader)
}

/// The name of a root element.
pub(super) fn root_name(pair: &Pair, reader: &mut Reader<'_>) -> String {
    let text = reader.text(&pair.value, "root").unwrap_or_default();
    if !crate::xml::is_name(text) {
        let want = ("XML 元素名", "the name of an XML element");
        reader.bad_value(&pair.value, "root", want);
    }
    text.to_owned()
}

/// The ways to make bytes of a body that a connection can choose between.
pub(crate) const BODIES: [(&str, Encode); 5] = [
    ("json", Encode::Json),
    ("text", Encode::Text),
    ("form", Encode::Form),
    ("multipart", Encode::Multipart),
    ("xml", Encode::Xml),
];

/// `encode`, where more words are known than everywhere.
pub(super) fn encoding(members: Members<'_>, more: &[(&str, Encode)], reader: &mut Reader<'_>) -> Encode {
    let pair = members.get("encode");
    let words = [
        &BODIES[..],
        &[
            ("sql", Encode::Sql),
            ("files", Encode::Sql),
            ("none", Encode::None),
        ],
        more,
    ];
    reader.word(pair, &words.concat()).unwrap_or(Encode::Json)
}
