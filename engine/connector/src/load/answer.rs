//! `code`, `outcome`, `rows`, `items`, `item`: what an answer means.

use dsl::Path;
use dsl::catalogue::connector as words;
use dsl::tree::Tree;
use dsl::yaml::{Node, Pair};

use super::reader::{Names, Reader};
use super::{Declared, places};
use crate::keys::Place;
use crate::model::{
    Class, CodePlace, ItemIndex, ItemLists, Items, ListPlace, OneItem, Row, RowTest, Rows, UntilPlace,
};
use crate::recipe::{Missing, Recipe};

/// Where the business code stands: a path in the body, or `$let.x`.
pub(super) fn code(pair: &Pair, declared: &Declared, reader: &mut Reader<'_>) -> Option<CodePlace> {
    let path = reader.path(Some(pair))?;
    if !path.is_special() {
        return Some(CodePlace::Body(path));
    }
    let name = path
        .segments()
        .get(1)
        .map(|_| path.last_name().unwrap_or_default().to_owned());
    match name.filter(|name| path.first_name() == Some("$let") && declared.lets.contains(name)) {
        Some(name) => Some(CodePlace::Let(name)),
        None => {
            let near = declared.lets.iter().map(|name| format!("$let.{name}")).collect();
            reader.push(
                reader
                    .at(&words::UNKNOWN_NAME, &pair.value.span)
                    .with("name", path)
                    .similar(near),
            );
            None
        }
    }
}

/// Rows of an outcome table. `options` are those of the operation it belongs to.
pub(super) fn outcome(
    pair: Option<&Pair>,
    declared: &Declared,
    options: &[String],
    reader: &mut Reader<'_>,
) -> Vec<Row> {
    let Some(pair) = pair else { return Vec::new() };
    let nodes = reader.list(&pair.value, "outcome");
    nodes
        .iter()
        .filter_map(|node| row(node, declared, options, reader))
        .collect()
}

fn row(node: &Node, declared: &Declared, options: &[String], reader: &mut Reader<'_>) -> Option<Row> {
    let members = reader.members(node, "outcome", Place::Outcome);
    let classes: Vec<(&str, Class)> = Class::ALL.iter().map(|class| (class.name(), *class)).collect();
    let class = reader.word(members.get("class"), &classes);
    let test = match (members.get("when"), members.get("code")) {
        (Some(when), None) => {
            let mut known = declared.of_answer();
            known.push("sent".to_owned());
            reader
                .recipe(&when.value, "when", Missing::IsUndefined, &known)
                .map(RowTest::When)
        }
        (None, Some(code)) => Some(codes(code, declared, options, reader)),
        _ => {
            reader.push(reader.at(&words::OUTCOME_ROW, &node.span));
            return None;
        }
    };
    if !members.has("class") {
        reader.push(reader.at(&words::OUTCOME_ROW, &node.span));
    }
    let names = Names {
        lets: &declared.lets,
        ..declared.names(places::SENTENCE)
    };
    Some(Row {
        wait_ms: reader.duration(members.get("wait")),
        until: members
            .get("until")
            .and_then(|pair| until(pair, class, declared, reader)),
        message: members
            .get("message")
            .map(|pair| reader.tree(&pair.value, &names)),
        replay_write: reader.bool(members.get("replay_write")).unwrap_or(false),
        test: test?,
        class: class?,
    })
}

/// When calls go on: only where an answer can say that they do not for now.
fn until(
    pair: &Pair,
    class: Option<Class>,
    declared: &Declared,
    reader: &mut Reader<'_>,
) -> Option<UntilPlace> {
    if !matches!(class, None | Some(Class::QuotaStop | Class::Throttled)) {
        let only = (
            "只用于 class: quota_stop 和 throttled",
            "only with class: quota_stop or throttled",
        );
        reader.bad_value(&pair.value, "until", only);
    }
    if pair
        .value
        .scalar()
        .is_some_and(|scalar| scalar.text == "midnight")
    {
        return Some(UntilPlace::Midnight);
    }
    reader
        .recipe(&pair.value, "until", Missing::IsUndefined, &declared.of_answer())
        .map(UntilPlace::At)
}

fn codes(pair: &Pair, declared: &Declared, options: &[String], reader: &mut Reader<'_>) -> RowTest {
    if pair.value.scalar().is_some_and(|scalar| scalar.text == "any") {
        return RowTest::AnyCode;
    }
    let names = Names {
        options,
        ..declared.names(places::PARAMS)
    };
    let nodes = pair.value.list().unwrap_or(std::slice::from_ref(&pair.value));
    RowTest::Code(nodes.iter().map(|node| reader.tree(node, &names)).collect())
}

pub(super) fn rows(
    pair: &Pair,
    names: &Names<'_>,
    declared: &Declared,
    reader: &mut Reader<'_>,
) -> Option<Rows> {
    let members = reader.members(&pair.value, "rows", Place::Rows);
    let at = reader.need(members, "at", "rows")?;
    let at_tree = reader.tree(&at.value, names);
    let one = reader.bool(members.get("one")).unwrap_or(false);
    if let Some(pair) = members.get("none_when").filter(|_| !one) {
        // Of a page nobody could say how many rows are missing.
        reader.bad_value(
            &pair.value,
            "none_when",
            ("只与 one: true 一起写", "only with one: true"),
        );
    }
    if let Some(dsl::Value::Text(text)) = at_tree.constant()
        && !text.is_empty()
        && Path::parse(&text).is_err()
    {
        reader.bad_value(&at.value, "at", ("路径,如 data.list", "a path such as data.list"));
    }
    Some(Rows {
        at: at_tree,
        by_fields: reader
            .word(members.get("columns"), &[("fields", true)])
            .unwrap_or(false),
        one,
        dates: reader
            .word(members.get("dates"), &[("odata", true)])
            .unwrap_or(false),
        lists: lists(members.get("lists"), reader),
        none_when: members.get("none_when").and_then(|pair| {
            reader.recipe(
                &pair.value,
                "none_when",
                Missing::IsUndefined,
                &declared.of_answer(),
            )
        }),
    })
}

/// Places of a row that are lists; a star at the end stands for every member of a map.
fn lists(pair: Option<&Pair>, reader: &mut Reader<'_>) -> Vec<ListPlace> {
    let Some(pair) = pair else { return Vec::new() };
    let mut places = Vec::new();
    for node in reader.list(&pair.value, "lists") {
        let Some(text) = reader.text(node, "lists") else {
            continue;
        };
        let above = text.strip_suffix(".*");
        let place = Path::parse(above.unwrap_or(text))
            .ok()
            .filter(|at| !at.to_string().contains('*'));
        match place {
            Some(at) => places.push(ListPlace {
                at,
                members: above.is_some(),
            }),
            None => reader.bad_value(
                node,
                "lists",
                ("路径,如 lines 或 details.*", "a path such as lines or details.*"),
            ),
        }
    }
    places
}

pub(super) fn items(pair: &Pair, declared: &Declared, reader: &mut Reader<'_>) -> Option<Items> {
    let members = reader.members(&pair.value, "items", Place::Items);
    let known = declared.of_answer();
    let list = |key: &str, reader: &mut Reader<'_>| {
        members
            .get(key)
            .and_then(|pair| reader.recipe(&pair.value, key, Missing::IsUndefined, &known))
    };
    let lists = match (members.get("all"), members.has("good") || members.has("bad")) {
        (None, true) => Some(ItemLists::Two {
            good: list("good", reader),
            bad: list("bad", reader),
        }),
        (Some(_), false) => {
            reader.need(members, "good_when", "items");
            let item_names = with_item(&known);
            let good_when = members
                .get("good_when")
                .and_then(|pair| reader.recipe(&pair.value, "good_when", Missing::IsUndefined, &item_names));
            let bad_when = members
                .get("bad_when")
                .and_then(|pair| reader.recipe(&pair.value, "bad_when", Missing::IsUndefined, &item_names));
            list("all", reader)
                .zip(good_when)
                .map(|(all, good_when)| ItemLists::One {
                    all,
                    good_when,
                    bad_when,
                })
        }
        _ => {
            reader.push(
                reader
                    .at(&words::MISSING_KEY, &pair.key_span)
                    .with("where", "items")
                    .with("key", "good, bad | all"),
            );
            None
        }
    };
    let index = reader.need(members, "index", "items").and_then(|pair| {
        if pair
            .value
            .scalar()
            .is_some_and(|scalar| scalar.text == "position")
        {
            if matches!(lists, Some(ItemLists::Two { .. })) {
                reader.bad_value(
                    &pair.value,
                    "index",
                    ("`all` 才能按位置", "a path or {key}; places count only in `all`"),
                );
            }
            return Some(ItemIndex::Position);
        }
        if pair.value.map().is_some() {
            let members = reader.members(&pair.value, "index", Place::ItemIndex);
            reader.need(members, "key", "index")?;
            let item = reader.path(members.get("key"))?;
            let record = match members.get("record") {
                Some(pair) => reader.path(Some(pair))?,
                None => item.clone(),
            };
            return Some(ItemIndex::Key { item, record });
        }
        reader.path(Some(pair)).map(ItemIndex::At)
    });
    reader.word(members.get("neither"), &[("unknown", ())]);
    Some(Items {
        id: reader.path(members.get("id")),
        number: reader.path(members.get("number")),
        message: members
            .get("message")
            .map(|pair| sentence(&pair.value, declared, reader)),
        field: reader.path(members.get("field")),
        lines: members
            .get("lines")
            .and_then(|pair| item_recipe(pair, declared, reader)),
        line_id: reader.path(members.get("line_id")),
        lists: lists?,
        index: index?,
    })
}

fn sentence(node: &Node, declared: &Declared, reader: &mut Reader<'_>) -> Tree {
    reader.tree(
        node,
        &Names {
            lets: &declared.lets,
            ..declared.names(places::SENTENCE)
        },
    )
}

pub(super) fn item(pair: &Pair, reader: &mut Reader<'_>) -> OneItem {
    let members = reader.members(&pair.value, "item", Place::Item);
    OneItem {
        id: reader.path(members.get("id")),
        number: reader.path(members.get("number")),
        lines: reader.path(members.get("lines")),
        line_id: reader.path(members.get("line_id")),
    }
}

/// A recipe over one item of an answer.
pub(super) fn item_recipe(pair: &Pair, declared: &Declared, reader: &mut Reader<'_>) -> Option<Recipe> {
    reader.recipe(
        &pair.value,
        &pair.key,
        Missing::IsUndefined,
        &with_item(&declared.of_answer()),
    )
}

fn with_item(known: &[String]) -> Vec<String> {
    known.iter().cloned().chain(["item".to_owned()]).collect()
}
