//! `auth` and `sign`: how the caller is known.

use dsl::catalogue::connector as words;
use dsl::tree::Tree;
use dsl::yaml::{Node, Pair};

use super::reader::{Members, Names, Reader};
use super::{Declared, answer, places};
use crate::keys::Place;
use crate::model::{Encode, Login, Mode, Param, ParamType, Sign};
use crate::recipe::Missing;

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
        .flat_map(|login| login.take.iter().map(|(name, _)| name.clone()))
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

/// The names a recipe over a request may use.
fn request_recipe_names(declared: &Declared) -> Vec<String> {
    declared
        .params
        .iter()
        .cloned()
        .chain(["req".to_owned()])
        .collect()
}

fn sign(node: &Node, auth: &[String], declared: &Declared, reader: &mut Reader<'_>) -> Sign {
    let members = reader.members(node, "sign", Place::Sign);
    let mut known = request_recipe_names(declared);
    let lets = reader.lets(members.get("let"), Missing::Fails, &mut known);
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

fn login(node: &Node, declared: &Declared, reader: &mut Reader<'_>) -> Login {
    let members = reader.members(node, "login", Place::Login);
    let mut known = declared.params.clone();
    let lets = reader.lets(members.get("let"), Missing::Fails, &mut known);
    let let_names: Vec<String> = lets.iter().map(|(name, _)| name.clone()).collect();
    let mut take = Vec::new();
    if let Some(pair) = members.get("take") {
        for pair in reader.pairs(&pair.value, "take") {
            take.extend(reader.path(Some(pair)).map(|path| (pair.key.clone(), path)));
        }
    }
    let start = reader.trees(members.get("start"), &declared.names(places::PARAMS));
    let started: Vec<String> = start.iter().map(|(name, _)| name.clone()).collect();
    let names = Names {
        lets: &let_names,
        auth: &started,
        ..declared.names(places::LOGIN)
    };
    let taken: Vec<String> = take.iter().map(|(name, _)| name.clone()).collect();
    rotation(members, &started, &taken, reader);
    let at_apply = Names {
        auth: &taken,
        ..declared.names(places::APPLY)
    };
    let apply = members
        .get("apply")
        .map(|pair| reader.members(&pair.value, "apply", Place::Apply));
    let ok = reader.need(members, "ok", "login").and_then(|pair| {
        let known: Vec<String> = declared
            .params
            .iter()
            .cloned()
            .chain(["http", "body", "body_text"].map(str::to_owned))
            .collect();
        reader.recipe(&pair.value, "ok", Missing::IsUndefined, &known)
    });
    let never = || {
        crate::recipe::Recipe::compile("false", Missing::IsUndefined, &|_| false)
            .expect("a constant is a recipe")
    };
    Login {
        method: method(members, reader),
        path: reader
            .need(members, "path", "login")
            .map_or_else(empty_tree, |pair| reader.tree(&pair.value, &names)),
        query: reader.trees(members.get("query"), &names),
        headers: reader.trees(members.get("headers"), &names),
        body: members.get("body").map(|pair| reader.tree(&pair.value, &names)),
        encode: encode(members, reader),
        ok: ok.unwrap_or_else(never),
        message: members
            .get("message")
            .map(|pair| reader.tree(&pair.value, &declared.names(places::SENTENCE))),
        take,
        max_age_ms: reader.duration(members.get("max_age")),
        cookies: keep(members, reader),
        apply_headers: apply.map_or_else(Vec::new, |apply| reader.trees(apply.get("headers"), &at_apply)),
        apply_query: apply.map_or_else(Vec::new, |apply| reader.trees(apply.get("query"), &at_apply)),
        apply_body: apply.map_or_else(Vec::new, |apply| reader.trees(apply.get("body"), &at_apply)),
        rotate: reader.bool(members.get("rotate")).unwrap_or(false),
        start,
        signed: reader.bool(members.get("sign")).unwrap_or(false),
        rates: reader.rates(members.get("rate")),
        lets,
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
        let near = dsl::diagnostic::did_you_mean(name, taken.iter().map(String::as_str));
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

pub(super) fn encode(members: Members<'_>, reader: &mut Reader<'_>) -> Encode {
    let pair = members.get("encode");
    if reader.later_word(pair, &["xml", "sql"]) {
        return Encode::Json;
    }
    let words = &[
        ("json", Encode::Json),
        ("form", Encode::Form),
        ("multipart", Encode::Multipart),
        ("none", Encode::None),
    ];
    reader.word(pair, words).unwrap_or(Encode::Json)
}
