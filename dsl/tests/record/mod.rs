//! One record, a few look-ups that found something, and what a value gives for them.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::borrow::Cow;

use dsl::diagnostic::{Diagnostic, SourceFile};
use dsl::facts::{Action, Environment};
use dsl::lookup::{Found, Hits, LookupWant};
use dsl::path::Path;
use dsl::tree::{Compile, Evaluated, Scope, Tree, TreePlace, ValueSink, compile_tree, eval};
use dsl::value::{Instant, Value};

use crate::common::{World, json, registry, zone};

pub(crate) struct Row {
    pub(crate) row: Value,
    pub(crate) action: Action,
    pub(crate) zone: jiff::tz::TimeZone,
}

impl Scope for Row {
    fn field(&self, _: usize, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(&self.row).map(Cow::Borrowed)
    }
    fn list(&self, _: usize, path: &Path) -> Option<Cow<'_, Value>> {
        dsl::expr::gather(&self.row, path)
    }
    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        let value: Value = match path.to_string().as_str() {
            "$window.start" => Value::Instant(Instant {
                ms: 1_700_000_000_000,
            }),
            "$key" => "K1".into(),
            "$target.id" => "".into(),
            _ => return None,
        };
        Some(Cow::Owned(value))
    }
    fn now_ms(&self) -> i64 {
        1_700_000_000_100
    }
    fn zone(&self) -> &jiff::tz::TimeZone {
        &self.zone
    }
    fn action(&self) -> Option<Action> {
        Some(self.action)
    }
}

pub(crate) fn row(record: &str, action: Action) -> Row {
    Row {
        row: json(record),
        action,
        zone: zone(),
    }
}

pub(crate) fn tree(template: &str, place: TreePlace) -> Result<Tree, Vec<Diagnostic>> {
    let file = SourceFile::new("t.yaml", format!("v: {template}\n"));
    let node = dsl::yaml::read(&file)?;
    let registry = registry();
    let mut cx = Compile::new(&file, &registry, place);
    let schemes = |name: &str| World.scheme(name);
    cx.schemes = Some(&schemes);
    cx.tables = vec![(
        "sellers".into(),
        Some(dsl::tree::Table::Constant(std::sync::Arc::new(
            dsl::value::Map::from_iter([("7".to_owned(), "S7".into())]),
        ))),
    )];
    let tree = compile_tree(&node.get("v").expect("the value").value, &mut cx);
    let errors: Vec<Diagnostic> = cx
        .diags
        .iter()
        .filter(|diagnostic| diagnostic.is_error())
        .cloned()
        .collect();
    if errors.is_empty() { Ok(tree) } else { Err(errors) }
}

/// The result as JSON; `(omitted)`, `(waits)`, or the code of a failure with its field.
pub(crate) fn outcome(template: &str, record: &str, action: Action) -> String {
    let tree = match tree(template, TreePlace::TARGET) {
        Ok(tree) => tree,
        Err(errors) => {
            return errors
                .iter()
                .map(|error| error.entry.code)
                .collect::<Vec<_>>()
                .join(" ");
        }
    };
    let mut sink = ValueSink::new();
    match eval(&tree, &row(record, action), &hits(), &mut sink, None) {
        Ok(Evaluated::Written) => dsl::json::to_string(&sink.finish().expect("something was written")),
        Ok(Evaluated::Omitted) => {
            assert_eq!(sink.finish(), None, "what is left out leaves no trace");
            "(omitted)".to_owned()
        }
        Ok(Evaluated::Deferred(_)) => "(waits)".to_owned(),
        Err(failure) => match failure.field {
            Some(field) => format!("{} {field}", failure.entry.code),
            None => failure.entry.code.to_owned(),
        },
    }
}

/// `units` by FName=件 is Pcs, by FName=箱 several, `huke-customers` by cid=1 is 唯一ID 100.
pub(crate) fn hits() -> Hits {
    let mut hits = Hits::new();
    let mut put = |template: &str, keys: &[&str], found: Option<Option<&str>>| {
        let tree = tree(template, TreePlace::TARGET).unwrap_or_else(|errors| panic!("{errors:?}"));
        let want = LookupWant {
            spec: tree.lookups()[0][0].clone(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            also: None,
            hidden: false,
        };
        match found {
            Some(Some(value)) => hits.insert(&want, Found::one(value.into())),
            Some(None) => hits.insert(&want, Found::none()),
            None => hits.insert_several(&want, 2),
        }
    };
    put(
        "{$lookup: units, $get: FNumber, $by: {FName: x}}",
        &["件"],
        Some(Some("Pcs")),
    );
    put(
        "{$lookup: units, $get: FNumber, $by: {FName: x}}",
        &["无"],
        Some(None),
    );
    put(
        "{$lookup: units, $get: FNumber, $by: {FName: x}, $pick: only}",
        &["箱"],
        None,
    );
    put(
        "{$lookup: units, $get: next, $by: {FNumber: x}}",
        &["Pcs"],
        Some(Some("下一个")),
    );
    put(
        "_findCollection find 唯一ID from huke-customers where cid=x",
        &["1"],
        Some(Some("100")),
    );
    hits
}

#[track_caller]
pub(crate) fn check(template: &str, record: &str, want: &str) {
    assert_eq!(
        outcome(template, record, Action::Create),
        want,
        "template: {template}  record: {record}"
    );
}

pub(crate) const CUSTOMER: &str = r#"{"buyerNick":"张三","buyerCid":"00123","n":1.50,"big":1234567890123456789,"b":true,"nil":null,"e":"","address":{"city":"杭州"},"tags":["a","b"],"交货方式*":"快递","created":1700000000000,"day":"2023-11-15 06:13:20","owner":[7],"a.b":"dot","$price":9}"#;
