//! `accept`, `verify`, `push`, `answer`: what an operation of kind `receive` takes, and how it is checked.

use dsl::catalogue::connector as words;
use dsl::facts::OpKind;
use dsl::yaml::Pair;

use super::reader::{Members, Reader};
use super::{Declared, places};
use crate::keys::Place;
use crate::model::{Accept, Receive, Reply, Verify};
use crate::recipe::{Missing, Recipe};

/// The keys that only such an operation has.
const KEYS: [&str; 4] = ["accept", "verify", "push", "answer"];

/// A request may be this much older or newer where nothing is said.
const WITHIN_MS: i64 = 300_000;

/// The part of an operation that takes pushes; a key of it elsewhere is refused, and so is one that is missing here.
pub(super) fn receive(
    members: Members<'_>,
    name: &str,
    kind: OpKind,
    declared: &Declared,
    reader: &mut Reader<'_>,
) -> Option<Receive> {
    if kind != OpKind::Receive {
        for pair in KEYS.iter().filter_map(|key| members.get(key)) {
            let only = ("只与 `kind: receive` 一起写", "only with `kind: receive`");
            reader.bad_value(&pair.value, &pair.key, only);
        }
        return None;
    }
    let accept = reader
        .need(members, "accept", name)
        .map(|pair| accept(pair, reader));
    // A door without a lock is no door: who may push is always checked.
    let verify = reader
        .need(members, "verify", name)
        .and_then(|pair| verify(pair, declared, reader));
    let answer = reader.need(members, "answer", name);
    let inner = answer.map(|pair| reader.members(&pair.value, "answer", Place::PushAnswer));
    let mut reply_of = |key: &str, status| {
        let pair = reader.need(inner?, key, "answer")?;
        Some(reply(pair, status, declared, reader))
    };
    let (stored, refused) = (reply_of("stored", 200), reply_of("refused", 401));
    let known = names(declared, true);
    let push = members
        .get("push")
        .map(|pair| reader.members(&pair.value, "push", Place::Push));
    let mut recipe = |key: &str| -> Option<Recipe> {
        let pair = push?.get(key)?;
        reader.recipe(&pair.value, key, Missing::IsUndefined, &known)
    };
    let (id, void, rows, ok) = (recipe("id"), recipe("void"), recipe("rows"), recipe("ok"));
    Some(Receive {
        accept: accept?,
        verify: verify?,
        id,
        void,
        rows,
        ok,
        stored: stored?,
        refused: refused?,
    })
}

/// What a recipe over a push may name.
fn names(declared: &Declared, read: bool) -> Vec<String> {
    let mut known = declared.params.clone();
    known.extend(["headers", "query", "raw", "body_text"].map(str::to_owned));
    known.extend(read.then(|| "body".to_owned()));
    known
}

fn accept(pair: &Pair, reader: &mut Reader<'_>) -> Vec<Accept> {
    let mut kinds = Vec::new();
    for node in reader.list(&pair.value, "accept") {
        let Some(text) = reader.text(node, "accept") else {
            continue;
        };
        kinds.extend(reader.word_in(node, "accept", text, Accept::ALL));
    }
    if kinds.is_empty() {
        let some = ("至少一种内容", "at least one kind of content");
        reader.bad_value(&pair.value, "accept", some);
    }
    kinds
}

fn verify(pair: &Pair, declared: &Declared, reader: &mut Reader<'_>) -> Option<Verify> {
    let inner = reader.members(&pair.value, "verify", Place::Verify);
    // The body is looked at as it came: what a parser makes of it was not signed.
    let known = names(declared, false);
    let mut recipe = |key: &str, missing| {
        let pair = reader.need(inner, key, "verify")?;
        reader.recipe(&pair.value, key, missing, &known)
    };
    let given = recipe("given", Missing::IsUndefined);
    let equals = recipe("equals", Missing::IsUndefined);
    if let (Some(equals), Some(pair)) = (&equals, inner.get("equals"))
        && !equals.reads().iter().any(|name| declared.params.contains(name))
    {
        let secret = (
            "由连接的参数算出的值,否则谁都能算",
            "computed from a parameter of the connection: otherwise anybody can compute it",
        );
        reader.bad_value(&pair.value, "equals", secret);
    }
    let at = inner
        .get("at")
        .and_then(|pair| reader.recipe(&pair.value, "at", Missing::IsUndefined, &known));
    let within = reader.duration(inner.get("within"));
    if let Some(pair) = inner.get("within").filter(|_| !inner.has("at")) {
        reader.push(
            reader
                .at(&words::MISSING_KEY, &pair.key_span)
                .with("where", "verify")
                .with("key", "at"),
        );
    }
    Some(Verify {
        given: given?,
        equals: equals?,
        at: at.map(|at| (at, within.unwrap_or(WITHIN_MS))),
    })
}

fn reply(pair: &Pair, usual: u16, declared: &Declared, reader: &mut Reader<'_>) -> Reply {
    let inner = reader.members(&pair.value, &pair.key, Place::PushReply);
    let names = declared.names(places::REPLY);
    let status = reader.parsed(inner.get("status"), ("HTTP 状态", "an HTTP status"), |text| {
        text.parse().ok().filter(|status| (200..600).contains(status))
    });
    Reply {
        status: status.unwrap_or(usual),
        headers: reader.trees(inner.get("headers"), &names),
        body: inner.get("body").map(|pair| reader.tree(&pair.value, &names)),
    }
}
