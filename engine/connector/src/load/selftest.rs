//! `tests:` of a connector file.

use dsl::catalogue::connector as words;
use dsl::yaml::{Node, Pair};
use dsl::{Map, Value};

use super::reader::{Members, Reader};
use crate::answer::HttpAnswer;
use crate::keys::Place;
use crate::model::{Class, Connector};
use crate::receive::{Inbound, Refusal};
use crate::request::PageState;
use crate::tests::{CallTest, Expect, SignTest, Test};

pub(super) fn tests(members: Members<'_>, connector: &Connector, reader: &mut Reader<'_>) -> Vec<Test> {
    let Some(pair) = members.get("tests") else {
        return Vec::new();
    };
    reader
        .list(&pair.value, "tests")
        .iter()
        .map(|node| test(node, connector, reader))
        .collect()
}

fn test(node: &Node, connector: &Connector, reader: &mut Reader<'_>) -> Test {
    let members = reader.members(node, "tests", Place::Test);
    let name = reader
        .need(members, "name", "test")
        .and_then(|pair| reader.text(&pair.value, "name"));
    let operation = members
        .get("operation")
        .and_then(|pair| operation(pair, connector, reader));
    if ["answer", "push", "call"].iter().any(|key| members.has(key)) {
        reader.need(members, "operation", "test");
    }
    Test {
        name: name.unwrap_or_default().to_owned(),
        operation,
        records: records(members.get("records"), reader),
        params: map(members.get("params"), reader),
        options: map(members.get("options"), reader),
        fields: reader.texts(members.get("fields")),
        call: members.get("call").map(|pair| call(pair, reader)),
        answer: members.get("answer").map(|pair| answer(pair, reader)),
        push: members.get("push").map(|pair| push(pair, reader)),
        sign: members.get("sign").map(|pair| sign(pair, reader)),
        expect: reader
            .need(members, "expect", "test")
            .map(|pair| expect(pair, reader))
            .unwrap_or_default(),
    }
}

fn records(pair: Option<&Pair>, reader: &mut Reader<'_>) -> (usize, Vec<Value>) {
    if let Some(list) = pair.and_then(|pair| pair.value.list()) {
        let records: Vec<Value> = list.iter().map(Node::plain_value).collect();
        return (records.len(), records);
    }
    let n = reader.int(pair).and_then(|n| usize::try_from(n).ok());
    (n.unwrap_or(0), Vec::new())
}

fn operation(pair: &Pair, connector: &Connector, reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.text(&pair.value, "operation")?;
    if connector.operation(name).is_none() {
        let all: Vec<&str> = connector.operation_names().collect();
        reader.push(
            reader
                .at(&words::BAD_WORD, &pair.value.span)
                .with("key", "operation")
                .with("value", name)
                .with("allowed", all.join(" "))
                .similar(dsl::diagnostic::did_you_mean(name, all.iter().copied())),
        );
    }
    Some(name.to_owned())
}

fn map(pair: Option<&Pair>, reader: &mut Reader<'_>) -> Map {
    let Some(pair) = pair else { return Map::new() };
    let pairs = reader.pairs(&pair.value, &pair.key);
    pairs
        .iter()
        .map(|pair| (pair.key.clone(), pair.value.plain_value()))
        .collect()
}

fn texts(pair: Option<&Pair>, reader: &mut Reader<'_>) -> Vec<(String, String)> {
    map(pair, reader)
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.to_plain_text()?)))
        .collect()
}

fn call(pair: &Pair, reader: &mut Reader<'_>) -> CallTest {
    let members = reader.members(&pair.value, "call", Place::TestCall);
    let (start, end) = (reader.int(members.get("start")), reader.int(members.get("end")));
    CallTest {
        now_s: reader.int(members.get("now")).unwrap_or(0),
        window: start.zip(end),
        page: PageState {
            offset: reader.int(members.get("offset")).unwrap_or(0),
            size: reader.count(members.get("size")).unwrap_or(1),
            ..PageState::default()
        },
        auth: texts(members.get("auth"), reader),
    }
}

fn answer(pair: &Pair, reader: &mut Reader<'_>) -> HttpAnswer {
    let members = reader.members(&pair.value, "answer", Place::TestAnswer);
    let status = reader
        .int(members.get("status"))
        .and_then(|status| u16::try_from(status).ok());
    let body = match (members.get("json"), members.get("text")) {
        (Some(json), _) => dsl::json::to_string(&json.value.plain_value()).into_bytes(),
        (None, Some(text)) => reader
            .text(&text.value, "text")
            .unwrap_or_default()
            .as_bytes()
            .to_vec(),
        (None, None) => Vec::new(),
    };
    HttpAnswer {
        status: status.unwrap_or(200),
        headers: texts(members.get("headers"), reader),
        body,
    }
}

fn push(pair: &Pair, reader: &mut Reader<'_>) -> (Inbound, i64) {
    let members = reader.members(&pair.value, "push", Place::TestPush);
    let mut text = |key: &str| {
        members
            .get(key)
            .and_then(|pair| reader.text(&pair.value, key))
            .map(str::to_owned)
    };
    let (method, written) = (text("method"), text("text"));
    let body = match members.get("json") {
        Some(json) => dsl::json::to_string(&json.value.plain_value()),
        None => written.unwrap_or_default(),
    };
    let push = Inbound {
        method: method.unwrap_or_else(|| "POST".to_owned()),
        headers: texts(members.get("headers"), reader),
        query: texts(members.get("query"), reader),
        body: body.into_bytes(),
        came_as_xml: false,
    };
    let now_s = reader.int(members.get("now")).unwrap_or(0);
    (push, now_s.saturating_mul(1000))
}

fn sign(pair: &Pair, reader: &mut Reader<'_>) -> SignTest {
    let members = reader.members(&pair.value, "sign", Place::TestSign);
    let text = |key: &str, reader: &mut Reader<'_>| {
        members
            .get(key)
            .and_then(|pair| reader.text(&pair.value, key))
            .map(str::to_owned)
    };
    SignTest {
        mode: text("mode", reader),
        now_s: reader.int(members.get("now")).unwrap_or(0),
        method: text("method", reader).unwrap_or_else(|| "POST".to_owned()),
        path: text("path", reader).unwrap_or_else(|| "/".to_owned()),
        query: texts(members.get("query"), reader),
        form: texts(members.get("form"), reader),
        body: text("body", reader).unwrap_or_default(),
        step: reader
            .count(members.get("step"))
            .and_then(|step| usize::try_from(step).ok()),
        auth: members.has("auth").then(|| texts(members.get("auth"), reader)),
        params: map(members.get("params"), reader),
    }
}

fn expect(pair: &Pair, reader: &mut Reader<'_>) -> Expect {
    let members = reader.members(&pair.value, "expect", Place::TestExpect);
    let refusals = Refusal::ALL.map(|refusal| (refusal.name(), refusal));
    let classes: Vec<(&str, Class)> = Class::ALL.iter().map(|class| (class.name(), *class)).collect();
    let list = |key: &str, reader: &mut Reader<'_>| -> Option<Vec<Value>> {
        let pair = members.get(key)?;
        Some(
            reader
                .list(&pair.value, key)
                .iter()
                .map(Node::plain_value)
                .collect(),
        )
    };
    let text = |key: &str, reader: &mut Reader<'_>| {
        members
            .get(key)
            .and_then(|pair| reader.text(&pair.value, key))
            .map(str::to_owned)
    };
    Expect {
        items: list("items", reader),
        rows: list("rows", reader),
        class: reader.word(members.get("class"), &classes),
        refused: reader.word(members.get("refused"), &refusals),
        void: reader.bool(members.get("void")),
        id: text("id", reader),
        reply: members.get("reply").map(|pair| pair.value.plain_value()),
        message: text("message", reader),
        until: text("until", reader),
        trace: text("trace", reader),
        body: text("body", reader),
        url: text("url", reader),
        headers: texts(members.get("headers"), reader),
        headers_not: texts(members.get("headers_not"), reader),
        query: texts(members.get("query"), reader),
        query_not: texts(members.get("query_not"), reader),
        form: texts(members.get("form"), reader),
        form_not: texts(members.get("form_not"), reader),
    }
}
