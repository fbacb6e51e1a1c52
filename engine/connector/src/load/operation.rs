//! `operations`: what one can ask of a system.

use std::sync::{Arc, OnceLock};

use dsl::catalogue::connector as words;
use dsl::cond::Op;
use dsl::diagnostic::did_you_mean;
use dsl::facts::{Action, OpKind, OptionFacts, Owned, OwnedKind, Proof, Text2};
use dsl::tree::Tree;
use dsl::yaml::{Node, NodeKind, Pair};
use dsl::{Path, Value};

use super::reader::{Members, Names, Reader};
use super::receive::receive;
use super::{Declared, PROOFS, answer, auth, lay_over, own_limits, places};
use crate::keys::Place;
use crate::model::{
    AskBy, Async, BatchPart, Conditions, Connector, DescribedLists, Describes, Encode, FieldsPrint,
    FilterPrint, KeyPlace, Limits, Literal, More, Operation, Page, PageBy, ProofPlace, Unknown, Versions,
    WhenNone, Window,
};
use crate::recipe::Missing;

/// Links of an `extends` chain.
const CHAIN_MAX: usize = 8;

/// Pause between two questions about a task, and how long it is asked about, when an operation says nothing.
const TASK_EVERY_MS: i64 = 1_000;
const TASK_MS: i64 = 600_000;

/// Records a call when an operation says nothing.
const BATCH_DEFAULT: u32 = 1;

pub(super) fn operations(
    members: Members<'_>,
    declared: &Declared,
    limits: &Limits,
    reader: &mut Reader<'_>,
) -> Vec<Operation> {
    let Some(pair) = reader.need(members, "operations", "connector") else {
        return Vec::new();
    };
    let pairs = reader.pairs(&pair.value, "operations");
    let shapes = members
        .get("shapes")
        .map_or(&[][..], |pair| reader.pairs(&pair.value, "shapes"));
    let mut operations: Vec<Operation> = Vec::new();
    for pair in pairs {
        let node = extended(pair, pairs, shapes, reader);
        let operation = operation(&pair.key, &node, declared, limits, reader);
        names_unique(&operation, pair, &operations, reader);
        operations.push(operation);
    }
    operations
}

fn names_unique(operation: &Operation, pair: &Pair, before: &[Operation], reader: &mut Reader<'_>) {
    for name in std::iter::once(&operation.name).chain(&operation.aliases) {
        let other = before
            .iter()
            .find(|other| other.name == *name || other.aliases.contains(name));
        if let Some(other) = other {
            let span = pair
                .value
                .get("aliases")
                .map_or(&pair.key_span, |aliases| &aliases.value.span);
            reader.push(
                reader
                    .at(&words::DUPLICATE_NAME, span)
                    .with("name", name)
                    .with("other", &other.name),
            );
        }
    }
}

/// The node of an operation with everything it extends laid under it. Other names are not inherited: they would name
/// two operations.
pub(super) fn extended(pair: &Pair, operations: &[Pair], shapes: &[Pair], reader: &mut Reader<'_>) -> Node {
    let mut node = pair.value.clone();
    let mut from = pair;
    for link in 0.. {
        let Some(extends) = from.value.get("extends") else {
            break;
        };
        let name = extends.value.scalar().map_or("", |scalar| scalar.text.as_str());
        let base = shapes
            .iter()
            .chain(operations)
            .find(|base| base.key == name && base.key != pair.key);
        let Some(base) = base.filter(|_| link < CHAIN_MAX) else {
            let all = shapes
                .iter()
                .chain(operations)
                .map(|base| base.key.as_str())
                .filter(|name| *name != pair.key);
            let near = did_you_mean(name, all);
            reader.push(
                reader
                    .at(&words::EXTENDS, &extends.value.span)
                    .with("name", name)
                    .similar(near),
            );
            break;
        };
        let mut below = base.value.clone();
        if let NodeKind::Map(members) = &mut below.kind {
            members.retain(|member| !matches!(member.key.as_str(), "aliases" | "extends" | "label"));
        }
        node = lay_over(&below, &node);
        from = base;
    }
    node
}

pub(super) fn operation(
    name: &str,
    node: &Node,
    declared: &Declared,
    limits: &Limits,
    reader: &mut Reader<'_>,
) -> Operation {
    let members = reader.members(node, name, Place::Operation);
    let options = options(members.get("options"), reader);
    let option_names: Vec<String> = options.iter().map(|option| option.name.clone()).collect();
    let at = |place| Names {
        options: &option_names,
        form: &declared.forms,
        ..declared.names(place)
    };
    let kind = kind(members, name, reader);
    let encode_by = encode_by(members.get("encode"), declared, reader);
    let encode = match encode_by {
        Some(_) => Encode::Json,
        None => auth::encoding(members, &[("odata_batch", Encode::OdataBatch)], reader),
    };
    // A statement goes to the database of the connection; there is no path to add.
    let path_pair = match encode {
        Encode::Sql => members.get("path"),
        _ => reader.need(members, "path", name),
    };
    let path_text = path_pair
        .and_then(|pair| pair.value.scalar())
        .map_or("", |scalar| &scalar.text)
        .to_owned();
    if let Some(pair) = path_pair {
        check_path(pair, reader);
    }
    let request = members
        .get("request")
        .map(|pair| reader.tree(&pair.value, &at(places::REQUEST)));
    let body = members
        .get("body")
        .map(|pair| reader.tree(&pair.value, &at(places::FRAME)));
    let query = reader.trees(members.get("query"), &at(places::FRAME));
    let window = members
        .get("window")
        .map(|pair| window(pair, &option_names, declared, reader));
    let goes_on = members.get("page").and_then(|pair| pair.value.get("then"));
    if let Some(pair) = goes_on.filter(|_| !members.has("filter")) {
        // Behind a value can only be asked where conditions can be.
        reader.push(
            reader
                .at(&words::MISSING_KEY, &pair.key_span)
                .with("where", name)
                .with("key", "filter"),
        );
    }
    let prints_window = [request.as_ref(), body.as_ref()]
        .into_iter()
        .flatten()
        .any(|tree| tree.mentions("$window"))
        || query.iter().any(|(_, tree)| tree.mentions("$window"));
    let page = members
        .get("page")
        .and_then(|pair| page(pair, &at(places::OPTIONS), declared, reader));
    let mut owned = request.as_ref().map(owned_places).unwrap_or_default();
    if let Some(PageBy::Version(versions)) = page.as_ref().map(|page| &page.by) {
        reader.need(members, "request", name);
        owned.push(Owned {
            path: versions.set.clone(),
            what: OwnedKind::PageCursor,
        });
        // A window would hide what changed since the version and lies outside of it.
        if let Some(pair) = members.get("page").and_then(|pair| pair.value.get("by"))
            && (prints_window || window.is_some())
        {
            let why = ("不与时间窗口一起用的翻页方式", "one that goes without a window");
            reader.bad_value(&pair.value, "by", why);
        }
    }
    Operation {
        name: name.to_owned(),
        aliases: reader.texts(members.get("aliases")),
        kind,
        label: reader
            .text2(members.get("label"))
            .unwrap_or_else(|| Text2::same(name)),
        method: auth::method(members, reader),
        path: path_pair.map_or_else(auth::empty_tree, |pair| {
            reader.tree(&pair.value, &at(places::FRAME))
        }),
        path_text,
        headers: reader.trees(members.get("headers"), &at(places::FRAME)),
        encode,
        root: root(members, encode_by.is_some(), declared, reader),
        encode_by,
        part: members
            .get("part")
            .map(|pair| part(pair, &at(places::FRAME), reader)),
        owned,
        request: request.map(Arc::new),
        fields: members.get("fields").map(|pair| fields(pair, reader)),
        filter: members.get("filter").and_then(|pair| filter(pair, reader)),
        filter_required: members
            .get("filter")
            .and_then(|pair| reader.bool(pair.value.get("required")))
            .unwrap_or(false),
        uses_window: prints_window || window.as_ref().is_some_and(|window| window.filter.is_some()),
        window,
        page,
        rows: members
            .get("rows")
            .and_then(|pair| answer::rows(pair, &at(places::OPTIONS), declared, reader)),
        ends: ends(members, reader),
        writes: writes(members, reader),
        key: key(members.get("key"), &at(places::OPTIONS), reader),
        key_under: reader.path(members.get("key_under")),
        id_field: members
            .get("id_field")
            .map(|pair| reader.tree(&pair.value, &at(places::OPTIONS))),
        batch_max: batch(members.get("batch"), reader),
        types: types(members.get("types"), reader),
        items: members
            .get("items")
            .and_then(|pair| answer::items(pair, declared, reader)),
        item: members.get("item").map(|pair| answer::item(pair, reader)),
        exists: members
            .get("exists")
            .and_then(|pair| answer::item_recipe(pair, declared, reader)),
        proof: proof(members.get("proof"), &at(places::OPTIONS), reader),
        proof_needs: members
            .get("proof_needs")
            .and_then(|pair| proof_needs(pair, &options, reader)),
        unknown: members
            .get("unknown")
            .map(|pair| unknown(pair, &at(places::OPTIONS), declared, reader)),
        code: members
            .get("code")
            .and_then(|pair| answer::code(pair, declared, reader)),
        outcome: answer::outcome(members.get("outcome"), declared, &option_names, reader),
        task: members.get("async").and_then(|pair| task(pair, declared, reader)),
        describes: members
            .get("describes")
            .and_then(|pair| describes(pair, &option_names, declared, reader)),
        receive: receive(members, name, kind, declared, reader),
        limits: own_limits(members.get("limits"), limits, reader),
        body,
        query,
        options,
        samples: Vec::new(),
        whole: OnceLock::new(),
    }
}

/// The parameter behind `encode: <<$param.x>>`: a choice between ways to make bytes of a body.
fn encode_by(pair: Option<&Pair>, declared: &Declared, reader: &mut Reader<'_>) -> Option<String> {
    let pair = pair?;
    let text = pair.value.scalar().map(|scalar| scalar.text.as_str())?;
    if !dsl::template::has_placeholder(text) {
        return None;
    }
    let named = text
        .strip_prefix("<<$param.")
        .and_then(|rest| rest.strip_suffix(">>"));
    let param = named.filter(|name| declared.encodings.iter().any(|known| known == name));
    if param.is_none() {
        let words = auth::BODIES.map(|(word, _)| word).join(" ");
        let want = (
            format!("<<$param.名称>>,参数是 choice,可选值只有 {words}"),
            format!("<<$param.name>> of a parameter that is a choice of {words}"),
        );
        reader.bad_value(&pair.value, "encode", (&want.0, &want.1));
    }
    Some(param.unwrap_or_default().to_owned())
}

/// `root`, which a connection may give where it chooses the encoding, too.
fn root(members: Members<'_>, chosen: bool, declared: &Declared, reader: &mut Reader<'_>) -> Tree {
    let pair = match chosen {
        true => reader.need(members, "root", "encode"),
        false => members.get("root"),
    };
    let is_computed = |pair: &&Pair| {
        let scalar = pair.value.scalar();
        scalar.is_some_and(|scalar| dsl::template::has_placeholder(&scalar.text))
    };
    match pair {
        Some(pair) if is_computed(&pair) => reader.tree(&pair.value, &declared.names(places::PARAMS)),
        Some(pair) if chosen => Tree::literal(Value::from(auth::root_name(pair, reader))),
        _ => Tree::literal(Value::from(auth::root(members, reader))),
    }
}

/// The request of each record of a batch.
fn part(pair: &Pair, names: &Names<'_>, reader: &mut Reader<'_>) -> BatchPart {
    let members = reader.members(&pair.value, "part", Place::Part);
    let path = reader.need(members, "path", "part");
    if let Some(pair) = path {
        check_path(pair, reader);
    }
    BatchPart {
        method: auth::method(members, reader),
        path_text: path
            .and_then(|pair| pair.value.scalar())
            .map_or("", |scalar| &scalar.text)
            .to_owned(),
        path: path.map_or_else(auth::empty_tree, |pair| reader.tree(&pair.value, names)),
        headers: reader.trees(members.get("headers"), names),
    }
}

fn kind(members: Members<'_>, name: &str, reader: &mut Reader<'_>) -> OpKind {
    let pair = reader.need(members, "kind", name);
    reader
        .word(
            pair,
            &[
                ("read", OpKind::Read),
                ("write", OpKind::Write),
                ("call", OpKind::Call),
                ("receive", OpKind::Receive),
            ],
        )
        .unwrap_or(OpKind::Call)
}

pub(super) fn check_path(pair: &Pair, reader: &mut Reader<'_>) {
    let Some(text) = pair.value.scalar().map(|scalar| scalar.text.as_str()) else {
        return;
    };
    if let Some(why) = crate::request::path_fault(text) {
        reader.push(
            reader
                .at(&words::BAD_PATH, &pair.value.span)
                .with("path", text)
                .with("why", why),
        );
    }
}

const OPTION_TYPES: &[(&str, &str)] = &[
    ("text", "text"),
    ("int", "int"),
    ("bool", "bool"),
    ("list", "list"),
    ("choice", "choice"),
    ("decimal", "decimal"),
    ("map", "map"),
];

fn options(pair: Option<&Pair>, reader: &mut Reader<'_>) -> Vec<OptionFacts> {
    let Some(pair) = pair else { return Vec::new() };
    let mut options = Vec::new();
    for pair in reader.pairs(&pair.value, "options") {
        let members = reader.members(&pair.value, &pair.key, Place::Option);
        let ty = reader
            .need(members, "type", &pair.key)
            .and_then(|_| reader.word(members.get("type"), OPTION_TYPES));
        let ty = ty.unwrap_or("text");
        let needed = reader.word(
            members.get("needed_when"),
            &[("update_with_lines", "update_with_lines")],
        );
        options.push(OptionFacts {
            name: pair.key.clone(),
            ty: ty.to_owned(),
            of: reader.texts(members.get("of")),
            default: option_value(members.get("default"), ty, reader),
            required: reader.bool(members.get("required")).unwrap_or(false),
            required_with: members.get("required_with").map_or_else(Vec::new, |pair| {
                let others = reader.pairs(&pair.value, "required_with").iter();
                others
                    .map(|other| (other.key.clone(), other.value.plain_value()))
                    .collect()
            }),
            constant: option_value(members.get("const"), ty, reader),
            send: reader.bool(members.get("send")).unwrap_or(true),
            needed_when: needed.map(str::to_owned),
            makes: reader.texts(members.get("makes")),
            object: reader.bool(members.get("object")).unwrap_or(false),
            label: reader
                .text2(members.get("label"))
                .unwrap_or_else(|| Text2::same(&pair.key)),
        });
    }
    options
}

/// A constant at a typed place: the type decides, not the quotes.
fn option_value(pair: Option<&Pair>, ty: &str, reader: &mut Reader<'_>) -> Option<Value> {
    let pair = pair?;
    let text = pair.value.scalar().map(|scalar| scalar.text.as_str());
    let value = match (ty, text) {
        ("bool", Some(text)) => text.parse::<bool>().ok().map(Value::from),
        ("int", Some(text)) => text.parse::<i64>().ok().map(Value::from),
        ("decimal", Some(text)) => dsl::Number::parse(text).map(Value::from),
        ("list", None) => pair.value.list().map(|_| pair.value.plain_value()),
        ("map", None) => pair.value.map().map(|_| pair.value.plain_value()),
        ("text" | "choice", Some(text)) => Some(Value::from(text)),
        _ => None,
    };
    if value.is_none() {
        reader.bad_value(&pair.value, &pair.key, (ty, ty));
    }
    value
}

/// The places of a request that the engine fills.
fn owned_places(request: &Tree) -> Vec<Owned> {
    let mut owned = Vec::new();
    find_owned(request, &mut Vec::new(), &mut owned);
    owned
}

fn find_owned(tree: &Tree, at: &mut Vec<String>, owned: &mut Vec<Owned>) {
    let members = tree.members();
    for (name, member) in &members {
        at.push(name.clone());
        find_owned(member, at, owned);
        at.pop();
    }
    if members.is_empty()
        && let Some(what) = tree.names().iter().find_map(owned_kind)
    {
        owned.push(Owned {
            path: Path::names(at.iter().cloned()),
            what,
        });
    }
}

fn owned_kind(name: &Path) -> Option<OwnedKind> {
    match (name.first_name()?, name.last_name()?) {
        ("$window", "start") => Some(OwnedKind::WindowStart),
        ("$window", "end") => Some(OwnedKind::WindowEnd),
        ("$window", "field") => Some(OwnedKind::WindowField),
        ("$page", "number") => Some(OwnedKind::PageNumber),
        ("$page", "size") => Some(OwnedKind::PageSize),
        ("$page", "offset") => Some(OwnedKind::PageOffset),
        ("$page", _) => Some(OwnedKind::PageCursor),
        _ => None,
    }
}

fn fields(pair: &Pair, reader: &mut Reader<'_>) -> FieldsPrint {
    let members = reader.members(&pair.value, "fields", Place::Fields);
    reader.word(members.get("as"), &[("list", ())]);
    FieldsPrint {
        join: members
            .get("join")
            .and_then(|pair| reader.text(&pair.value, "join"))
            .map(str::to_owned),
        required: reader.bool(members.get("required")).unwrap_or(false),
    }
}

const LITERALS: &[(&str, Literal)] = &[
    ("text", Literal::Text),
    ("number", Literal::Number),
    ("instant", Literal::Instant),
    ("datetime", Literal::DateTime),
    ("datetimeoffset", Literal::DateTimeOffset),
    ("guid", Literal::Guid),
];

fn filter(pair: &Pair, reader: &mut Reader<'_>) -> Option<FilterPrint> {
    let members = reader.members(&pair.value, "filter", Place::Filter);
    let how = reader.need(members, "as", "filter");
    let words = [
        ("sql_text", Some(FilterPrint::SqlText)),
        ("members", Some(FilterPrint::Members)),
        ("odata_text", Some(FilterPrint::Odata(Vec::new()))),
        ("bound", Some(FilterPrint::Bound)),
        ("conditions", None),
    ];
    let places: Vec<(&str, usize)> = words
        .iter()
        .enumerate()
        .map(|(at, (word, _))| (*word, at))
        .collect();
    let chosen = words[reader.word(how, &places)?].1.clone();
    match chosen {
        Some(FilterPrint::Odata(_)) => {
            let pairs = members
                .get("types")
                .map_or(&[][..], |pair| reader.pairs(&pair.value, "types"));
            let mut types = Vec::new();
            for pair in pairs {
                types.extend(
                    reader
                        .word(Some(pair), LITERALS)
                        .map(|literal| (pair.key.clone(), literal)),
                );
            }
            return Some(FilterPrint::Odata(types));
        }
        Some(print) => return Some(print),
        None => {}
    }
    let names = reader.need(members, "names", "filter")?;
    let names = reader.members(&names.value, "names", Place::FilterNames);
    let text = |key: &str, reader: &mut Reader<'_>| {
        let pair = reader.need(names, key, "filter.names")?;
        reader.text(&pair.value, key).map(str::to_owned)
    };
    let many = !names.has("value");
    let value = if many { "values" } else { "value" };
    let (field, op, value) = (text("field", reader)?, text("op", reader)?, text(value, reader)?);
    let all: Vec<(&str, Op)> = Op::names()
        .filter_map(|name| Some((name, Op::parse(name)?)))
        .collect();
    let mut ops = Vec::new();
    for pair in reader
        .need(members, "ops", "filter")
        .map_or(&[][..], |pair| reader.pairs(&pair.value, "ops"))
    {
        let op = reader.word_at(&pair.key_span, "ops", &pair.key, &all);
        let word = reader.text(&pair.value, &pair.key).map(str::to_owned);
        ops.extend(op.zip(word));
    }
    Some(FilterPrint::Conditions(Conditions {
        field,
        op,
        value,
        many,
        ops,
        fields: reader.texts(members.get("fields")),
    }))
}

fn window(pair: &Pair, options: &[String], declared: &Declared, reader: &mut Reader<'_>) -> Window {
    let members = reader.members(&pair.value, "window", Place::Window);
    let names = Names {
        options,
        ..declared.names(places::WINDOW)
    };
    Window {
        max_ms: reader.duration(members.get("max")),
        keeps_ms: reader.duration(members.get("keeps")),
        filter: members
            .get("filter")
            .and_then(|pair| reader.cond(&pair.value, &names)),
    }
}

fn page(pair: &Pair, names: &Names<'_>, declared: &Declared, reader: &mut Reader<'_>) -> Option<Page> {
    let members = reader.members(&pair.value, "page", Place::Page);
    let by = reader.need(members, "by", "page");
    let by = reader.word(
        by,
        &[
            ("number", Some("number")),
            ("offset", Some("offset")),
            ("key", Some("key")),
            ("cursor", Some("cursor")),
            ("link", Some("link")),
            ("version", Some("version")),
            ("none", None),
        ],
    )??;
    let is_version = by == "version";
    let (own, why) = if is_version {
        (OF_OTHERS, ("不与 by: version 一起写", "not with by: version"))
    } else {
        (OF_VERSIONS, ("只与 by: version 一起写", "only with by: version"))
    };
    for pair in own.iter().filter_map(|key| members.get(key)) {
        reader.bad_value(&pair.value, &pair.key, why);
    }
    let by = match by {
        "number" => PageBy::Number,
        "offset" => PageBy::Offset,
        "key" => PageBy::Key(needed_path(members, "field", reader)?),
        "link" => PageBy::Link(links(members, reader)?),
        "version" => PageBy::Version(versions(members, reader)?),
        _ => PageBy::Cursor(needed_path(members, "take", reader)?),
    };
    let total = members.get("total").map(|pair| reader.tree(&pair.value, names));
    let more = match members.get("more") {
        Some(pair) if pair.value.scalar().is_some_and(|scalar| scalar.text == "short") => Some(More::Short),
        Some(pair) => reader
            .recipe(&pair.value, "more", Missing::IsUndefined, &declared.of_answer())
            .map(More::Says),
        None if is_version => Some(More::Short),
        None if matches!(by, PageBy::Cursor(_) | PageBy::Link(_)) => Some(More::Cursor),
        None if total.is_some() && by.kind().shifts() => Some(More::Total),
        None => {
            reader.need(members, "more", "page");
            None
        }
    };
    let then = members.get("then").and_then(|pair| {
        let inner = reader.members(&pair.value, "then", Place::PageThen);
        reader.need(inner, "by", "page.then");
        reader.word(inner.get("by"), &[("key", ())]);
        reader.need(inner, "field", "page.then")?;
        reader.need(members, "ceiling", "page");
        if !matches!(by, PageBy::Offset) {
            reader.bad_value(
                &pair.value,
                "then",
                ("只与 by: offset 一起写", "only with by: offset"),
            );
        }
        reader.path(inner.get("field"))
    });
    let multiple = reader.bool(members.get("multiple")).unwrap_or(false);
    if let Some(pair) = members
        .get("multiple")
        .filter(|_| multiple && !matches!(by, PageBy::Offset))
    {
        reader.bad_value(
            &pair.value,
            "multiple",
            ("只与 by: offset 一起写", "only with by: offset"),
        );
    }
    let moves = reader.word(members.get("order"), &[("fixed", false), ("moving", true)]);
    let total_first = reader.word(members.get("total_on"), &[("every", false), ("first", true)]);
    let size = reader
        .need(members, "size", "page")
        .map(|pair| reader.tree(&pair.value, names));
    Some(Page {
        by,
        first: reader.int(members.get("first")).unwrap_or(i64::from(!is_version)),
        size: size?,
        max: members.get("max").map(|pair| reader.tree(&pair.value, names)),
        more: more?,
        total,
        total_first: total_first.unwrap_or(false),
        moves: moves.unwrap_or(false),
        ceiling: reader.count(members.get("ceiling")),
        then,
        multiple,
    })
}

/// The places of an answer that may hold the address of the next page.
fn links(members: Members<'_>, reader: &mut Reader<'_>) -> Option<Vec<Path>> {
    let pair = reader.need(members, "take", "page")?;
    let nodes = pair.value.list().unwrap_or(std::slice::from_ref(&pair.value));
    nodes.iter().map(|node| reader.path_of(node, "take")).collect()
}

/// Keys of `page` that only reading by version has, and those that mean nothing to it.
const OF_VERSIONS: &[&str] = &["set", "asks", "shared", "settle"];
const OF_OTHERS: &[&str] = &[
    "total", "total_on", "order", "multiple", "ceiling", "then", "field",
];
/// How long a change is taken to need, where nothing is said of it: as much as a window needs to settle.
const SETTLE_MS: i64 = 60_000;

fn versions(members: Members<'_>, reader: &mut Reader<'_>) -> Option<Versions> {
    let set = needed_path(members, "set", reader);
    let take = reader.need(members, "take", "page").and_then(|pair| {
        let text = reader.text(&pair.value, "take")?.trim();
        let field = text
            .strip_prefix("max(rows.")
            .and_then(|rest| rest.strip_suffix(')'));
        let field = field.and_then(|field| Path::parse(field.trim()).ok());
        if field.is_none() {
            let want = ("max(rows.字段)", "max(rows.FIELD)");
            reader.bad_value(&pair.value, "take", want);
        }
        field
    });
    if let Some(pair) = members.get("first")
        && reader.int(Some(pair)).is_some_and(|first| first < 0)
    {
        reader.bad_value(&pair.value, "first", ("不小于 0", "0 or more"));
    }
    let after = reader.word(members.get("asks"), &[("after", true), ("from", false)]);
    let shared = reader.bool(members.get("shared"));
    Some(Versions {
        again: after.unwrap_or(true) && shared.unwrap_or(true),
        settle_ms: reader.duration(members.get("settle")).unwrap_or(SETTLE_MS),
        set: set?,
        field: take?,
    })
}

fn needed_path(members: Members<'_>, key: &str, reader: &mut Reader<'_>) -> Option<Path> {
    reader.need(members, key, "page")?;
    reader.path(members.get(key))
}

/// Work that is done later. Whether the operation that asks exists is checked when all are known.
fn task(pair: &Pair, declared: &Declared, reader: &mut Reader<'_>) -> Option<Async> {
    let members = reader.members(&pair.value, "async", Place::Async);
    let mut path = |key: &str| {
        reader.need(members, key, "async")?;
        reader.path(members.get(key))
    };
    let (id, take) = (path("task"), path("take"));
    let mut text = |key: &str| {
        let pair = reader.need(members, key, "async")?;
        reader.text(&pair.value, key).map(str::to_owned)
    };
    let (poll, option) = (text("poll"), text("option"));
    let until = reader
        .need(members, "until", "async")
        .and_then(|pair| reader.recipe(&pair.value, "until", Missing::IsUndefined, &declared.of_answer()));
    Some(Async {
        task: id?,
        poll: poll?,
        option: option?,
        every_ms: reader
            .duration(members.get("every"))
            .unwrap_or(TASK_EVERY_MS)
            .max(1),
        until: until?,
        take: take?,
        timeout_ms: reader.duration(members.get("timeout")).unwrap_or(TASK_MS),
    })
}

/// An option that the operation has.
fn one_of_options(pair: &Pair, options: &[String], reader: &mut Reader<'_>) -> Option<String> {
    let all: Vec<(&str, &str)> = options
        .iter()
        .map(|name| (name.as_str(), name.as_str()))
        .collect();
    reader.word(Some(pair), &all).map(str::to_owned)
}

/// What an operation tells of the objects of others: its own option names the object, too.
fn describes(
    pair: &Pair,
    options: &[String],
    declared: &Declared,
    reader: &mut Reader<'_>,
) -> Option<Describes> {
    let members = reader.members(&pair.value, "describes", Place::Describes);
    let option = reader
        .need(members, "option", "describes")
        .and_then(|pair| one_of_options(pair, options, reader));
    let known = declared.of_answer();
    let head = reader.need(members, "head", "describes");
    let mut recipe = |pair: &Pair| reader.recipe(&pair.value, &pair.key, Missing::IsUndefined, &known);
    let head = head.and_then(&mut recipe);
    let also = members.get("also").and_then(&mut recipe);
    let all = members.get("lists").map(&mut recipe);
    let lists = all.and_then(|all| {
        let mut path = |key: &str| {
            reader.need(members, key, "describes")?;
            reader.path(members.get(key))
        };
        let (name, fields) = (path("list_name"), path("list_fields"));
        Some(DescribedLists {
            all: all?,
            name: name?,
            fields: fields?,
        })
    });
    Some(Describes {
        option: option?.to_owned(),
        head: head?,
        also,
        name: reader.path(members.get("name")),
        lists,
    })
}

fn writes(members: Members<'_>, reader: &mut Reader<'_>) -> Vec<Action> {
    const ACTIONS: &[(&str, Action)] = &[
        ("create", Action::Create),
        ("update", Action::Update),
        ("void", Action::Void),
        ("step", Action::Step),
    ];
    let Some(pair) = members.get("writes") else {
        return Vec::new();
    };
    let mut actions = Vec::new();
    for node in reader.list(&pair.value, "writes") {
        if let Some(text) = reader.text(node, "writes") {
            actions.extend(reader.word_in(node, "writes", text, ACTIONS));
        }
    }
    actions
}

/// Whether what it voids is gone. Said of an operation that voids, and of no other.
fn ends(members: Members<'_>, reader: &mut Reader<'_>) -> bool {
    let Some(pair) = members.get("after") else {
        return false;
    };
    let writes = members.get("writes").and_then(|pair| pair.value.list());
    let voids = |node: &Node| node.scalar().is_some_and(|scalar| scalar.text == "void");
    if !writes.unwrap_or_default().iter().any(voids) {
        reader.bad_value(
            &pair.value,
            "after",
            ("只与 writes: [void] 一起写", "only with writes: [void]"),
        );
    }
    reader
        .word(Some(pair), &[("kept", false), ("gone", true)])
        .unwrap_or(false)
}

fn key(pair: Option<&Pair>, names: &Names<'_>, reader: &mut Reader<'_>) -> KeyPlace {
    let Some(pair) = pair else {
        return KeyPlace::Fixed(Vec::new());
    };
    if pair
        .value
        .scalar()
        .is_some_and(|scalar| dsl::template::has_placeholder(&scalar.text))
    {
        return KeyPlace::Computed(Box::new(reader.tree(&pair.value, names)));
    }
    let nodes = pair.value.list().unwrap_or(std::slice::from_ref(&pair.value));
    KeyPlace::Fixed(
        nodes
            .iter()
            .filter_map(|node| reader.path_of(node, "key"))
            .collect(),
    )
}

fn proof(pair: Option<&Pair>, names: &Names<'_>, reader: &mut Reader<'_>) -> ProofPlace {
    let computed = pair.filter(|pair| {
        pair.value
            .scalar()
            .is_some_and(|scalar| dsl::template::has_placeholder(&scalar.text))
    });
    match computed {
        Some(pair) => ProofPlace::Computed(Box::new(reader.tree(&pair.value, names))),
        None => ProofPlace::Fixed(reader.word(pair, PROOFS).unwrap_or(Proof::None)),
    }
}

fn proof_needs(pair: &Pair, options: &[OptionFacts], reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.text(&pair.value, "proof_needs")?.to_owned();
    if options.iter().any(|option| option.name == name) {
        return Some(name);
    }
    let only = ("操作声明的一个选项", "an option that the operation declares");
    reader.bad_value(&pair.value, "proof_needs", only);
    None
}

fn batch(pair: Option<&Pair>, reader: &mut Reader<'_>) -> u32 {
    let Some(pair) = pair else { return BATCH_DEFAULT };
    let members = reader.members(&pair.value, "batch", Place::Batch);
    reader.count(members.get("max")).unwrap_or(BATCH_DEFAULT)
}

fn types(pair: Option<&Pair>, reader: &mut Reader<'_>) -> Vec<(String, String)> {
    const TYPES: &[(&str, &str)] = &[
        ("text", "text"),
        ("number", "number"),
        ("int", "int"),
        ("decimal", "decimal"),
        ("bool", "bool"),
        ("bool_text", "bool_text"),
        ("date", "date"),
        ("datetime", "datetime"),
        ("ms", "ms"),
        ("list", "list"),
    ];
    let Some(pair) = pair else { return Vec::new() };
    let pairs = reader.pairs(&pair.value, "types");
    pairs
        .iter()
        .filter_map(|pair| Some((pair.key.clone(), reader.word(Some(pair), TYPES)?.to_owned())))
        .collect()
}

fn unknown(pair: &Pair, names: &Names<'_>, declared: &Declared, reader: &mut Reader<'_>) -> Unknown {
    let members = reader.members(&pair.value, "unknown", Place::Unknown);
    let by = members.get("by");
    let by = if reader.later_word(by, &["marker"]) {
        None
    } else {
        by
    };
    reader.word(members.get("many"), &[("hold", ())]);
    let none = &[
        ("resend", WhenNone::Resend),
        ("hold", WhenNone::Hold),
        ("done", WhenNone::Done),
    ];
    let row_names: Vec<String> = declared
        .params
        .iter()
        .cloned()
        .chain(["row".to_owned()])
        .collect();
    Unknown {
        when: members
            .get("when")
            .and_then(|pair| reader.recipe(&pair.value, "when", Missing::IsUndefined, &declared.params)),
        option: members
            .get("option")
            .and_then(|pair| reader.text(&pair.value, "option"))
            .map(str::to_owned),
        wait_ms: reader.duration(members.get("wait")).unwrap_or(0),
        ask: members
            .get("ask")
            .and_then(|pair| reader.text(&pair.value, "ask"))
            .map(str::to_owned),
        options: reader.trees(members.get("options"), names),
        fields: reader.trees(members.get("fields"), names),
        by: reader
            .word(
                by,
                &[("key", AskBy::Key), ("id", AskBy::Id), ("note", AskBy::Note)],
            )
            .unwrap_or(AskBy::Key),
        done_when: members
            .get("done_when")
            .and_then(|pair| reader.recipe(&pair.value, "done_when", Missing::IsUndefined, &row_names)),
        all_of: reader.trees(members.get("all_of"), names),
        none: reader.word(members.get("none"), none).unwrap_or(WhenNone::Hold),
        remembers_ms: reader.duration(members.get("remembers")),
    }
}

/// Rows of the samples that come with a built-in connector.
pub(super) fn add_samples(connector: &mut Connector) {
    let known: Vec<Vec<Value>> = connector
        .operations
        .iter()
        .map(|operation| crate::rows::sample_rows(connector, operation).unwrap_or_default())
        .collect();
    for (operation, rows) in connector.operations.iter_mut().zip(known) {
        if let Some(operation) = Arc::get_mut(operation) {
            operation.samples = rows;
        }
    }
}
