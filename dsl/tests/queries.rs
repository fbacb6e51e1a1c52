//! `_mongoQuery` and conditions of look-ups: what is asked of stored rows, and what is refused.

mod common;
mod record;

use dsl::facts::Action;
use dsl::lookup::{Found, Hits, Known};
use dsl::path::Path;
use dsl::tree::{Evaluated, TreePlace, ValueSink, eval, lookup_keys};
use dsl::value::Value;
use record::{check, row, tree};

const ROWS: &str = r#"[
    {"FNumber":"P1","FName":"件","qty":5,"price":1.50,"tag":"a.b","closed":false},
    {"FNumber":"P2","FName":"箱","qty":12,"price":9,"tag":"axb","parts":[{"sku":"s1"},{"sku":"s2"}]},
    {"FNumber":"P3","FName":"件","qty":7,"note":null,"day":"2026-01-02"},
    {"FNumber":"P4","FName":"上海 仓","qty":"7","code":"00123"}]"#;

const RECORD: &str = r#"{"name":"件","wh":"上海 仓","min":6,"list":["箱","无"],"e":"","nil":null,"dot":"a.b","sku":"s2","five":"1.5","lines":[{"n":"件"},{"n":"箱"}]}"#;

/// The look-up's answer for a record, newest row first; and how many rows match.
fn answered(query: &str) -> String {
    let quoted = format!(
        "'_mongoQuery units findField=content.FNumber where={}'",
        query.replace('\'', "''")
    );
    let tree = match tree(&quoted, TreePlace::TARGET) {
        Ok(tree) => tree,
        Err(errors) => {
            return errors
                .iter()
                .map(|error| error.entry.code)
                .collect::<Vec<_>>()
                .join(" ");
        }
    };
    let record = row(RECORD, Action::Create);
    let mut hits = Hits::new();
    let rows = common::json(ROWS);
    let mut seen = String::new();
    for want in lookup_keys(&tree, 0, &record, &hits).expect("keys") {
        let text = |row: &Value, path: &Path| path.get(row).and_then(Value::to_plain_text);
        let found: Vec<&Value> = rows
            .as_list()
            .expect("rows")
            .iter()
            .filter(|row| {
                let pairs = want.spec.by.iter().zip(&want.keys);
                pairs
                    .into_iter()
                    .all(|(path, key)| text(row, path).as_ref() == Some(key))
                    && want
                        .also
                        .as_ref()
                        .is_none_or(|also| also.matches(row, &Known::default()))
            })
            .collect();
        seen = format!(
            "{}{}",
            "=".repeat(want.spec.by.len()),
            if want.spec.filtered { "?" } else { "" }
        );
        let value = found.last().and_then(|row| row.get("FNumber")).cloned();
        hits.insert(
            &want,
            Found {
                value,
                matches: found.len(),
            },
        );
    }
    let mut sink = ValueSink::new();
    match eval(&tree, &record, &hits, &mut sink, None).expect("a value") {
        Evaluated::Written => format!(
            "{} {seen}",
            sink.finish()
                .and_then(|value| value.to_plain_text())
                .unwrap_or_default()
        ),
        other => format!("{other:?} {seen}"),
    }
}

#[track_caller]
fn asks(query: &str, want: &str) {
    assert_eq!(answered(query), want, "{query}");
}

/// `=` stands for each key that an index of texts answers, `?` for a condition beside them.
#[test]
fn operators() {
    asks(r#"{"content.FName":"箱"}"#, "P2 =");
    asks(r#"{"content.FName":{"$eq":"{{name}}"}}"#, "P3 =");
    asks(r#"{"content.FName":"<<wh>>"}"#, "P4 =");
    asks(r#"{"content.FName":"<<name>>","content.qty":{"$lt":6}}"#, "P1 =?");
    asks(r#"{"content.qty":{"$gte":{{min}}}}"#, "P3 ?"); // the text "7" is no number
    asks(r#"{"content.qty":{"$gt":5,"$lte":7}}"#, "P3 ?");
    asks(r#"{"content.qty":7}"#, "P4 ?"); // equal to the text that is written so
    asks(r#"{"content.price":{"$eq":1.5}}"#, "P1 ?");
    asks(r#"{"content.price":"1.50"}"#, "P1 =");
    asks(r#"{"content.price":"<<five>>"}"#, "Omitted =");
    asks(r#"{"content.FName":{"$in":["箱","无"]}}"#, "P2 ?");
    asks(r#"{"content.FName":{"$in":<<list>>}}"#, "P2 ?");
    asks(r#"{"content.FName":{"$in":["{{e}}","{{wh}}"]}}"#, "P4 ?");
    asks(r#"{"content.FName":{"$nin":["件","上海 仓"]}}"#, "P2 ?");
    asks(r#"{"content.FName":{"$ne":"上海 仓"}}"#, "P3 ?");
    asks(r#"{"content.code":{"$exists":true}}"#, "P4 ?");
    asks(r#"{"content.code":{"$exists":false}}"#, "P3 ?");
    asks(r#"{"content.note":null,"content.day":{"$exists":true}}"#, "P3 ?");
    asks(r#"{"content.closed":false}"#, "P1 ?");
    asks(
        r#"{"content.day":{"$gte":"2026-01-01","$lt":"2026-02-01"}}"#,
        "P3 ?",
    );
    asks(
        r#"{"content.FNumber":{"$regex":"^p[12]$","$options":"i"}}"#,
        "P2 ?",
    );
    asks(r#"{"content.tag":{"$regex":"^<<dot>>$"}}"#, "P1 ?"); // the dot stands for itself
    asks(r#"{"content.tag":{"$regex":"^a.b$"}}"#, "P2 ?");
    asks(
        r#"{"content.qty":{"$not":{"$gt":6}},"content.FName":"件"}"#,
        "P1 =?",
    );
    asks(
        r#"{"$or":[{"content.FName":"箱"},{"content.code":"00123"}]}"#,
        "P4 ?",
    );
    asks(r#"{"$and":[{"content.FName":"件"},{"content.qty":5}]}"#, "P1 =?");
    asks(
        r#"{"$nor":[{"content.FName":"件"},{"content.code":"00123"}]}"#,
        "P2 ?",
    );
    asks(r#"{"content.parts.sku":{"$in":["<<sku>>"]}}"#, "P2 ?");
    asks(r#"{"content.parts.sku":"<<sku>>"}"#, "P2 ?"); // an index does not reach into lists
    asks(
        r#"{"content.FName":"件","$or":[{"content.qty":5},{"content.qty":9}]}"#,
        "P1 =?",
    );
}

/// A placeholder without a value asks nothing: an empty code would find whatever has none.
#[test]
fn placeholders_without_a_value() {
    for query in [
        r#"{"content.FName":"{{e}}"}"#,
        r#"{"content.FName":{"$eq":{{nil}}}}"#,
        r#"{"content.FName":{"$ne":"{{e}}"}}"#,
        r#"{"content.FName":{"$regex":"{{e}}"}}"#,
        r#"{"content.FName":"件","content.code":{{nil}}}"#,
    ] {
        asks(query, "Omitted ");
    }
}

/// What a placeholder gives can make a pattern too large; that is a failure of the record.
#[test]
fn a_pattern_that_grows() {
    let record = format!("{{\"v\":\"{}\"}}", "件".repeat(20_000));
    let query =
        "'_mongoQuery units findField=content.a where={\"content.b\":{\"$regex\":\"^(<<v>>){30}$\"}}'";
    check(query, &record, "E2020");
}

#[test]
fn what_is_refused() {
    for (query, codes) in [
        ("x", "E1231"),
        ("{}", "E1231"),
        ("[]", "E1231"),
        (r#"{"content.a":"b""#, "E1231"),
        (r#"{"{{name}}":1}"#, "E1231"),
        (r#"{"content.a":{"$eq":1,"b":2}}"#, "E1231"),
        (r#"{"content.a":{"b":"<<name>>"}}"#, "E1231"),
        (r#"{"content.a":{"$like":"b"}}"#, "E1232"),
        (r#"{"$not":{"content.a":1}}"#, "E1232"),
        (r#"{"$where":"1"}"#, "E1232"),
        (r#"{"content.a":{"$in":"b"}}"#, "E1233"),
        (r#"{"content.a":{"$gt":true}}"#, "E1233"),
        (r#"{"content.a":{"$exists":1}}"#, "E1233"),
        (r#"{"content.a":{"$not":1}}"#, "E1233"),
        (r#"{"$or":[]}"#, "E1233"),
        (r#"{"content.a":{"$regex":"b","$options":"x"}}"#, "E1233"),
        (r#"{"content.a":{"$options":"i"}}"#, "E1232"),
        (r#"{"FName":1}"#, "E1234"),
        (r#"{"status":1,"content.a":{"$lik":1}}"#, "E1234 E1232"),
        (r#"{"content.a":{"$regex":"("}}"#, "E1235"),
        (r#"{"content.a":{"$regex":"(?=b)"}}"#, "E1235"),
        (r#"{"content.a":"<<name|dat>>"}"#, "E1207"),
        (r#"{"content.a":<<$now>>}"#, "E1208"),
    ] {
        asks(query, codes);
    }
    for (text, codes) in [
        ("_mongoQuery units", "E1231"),
        ("_mongoQuery units where={}", "E1231"),
        ("_mongoQuery findField=content.a where={}", "E1231"),
        ("_mongoQuery units findField=content.a", "E1231"),
        (
            "'_mongoQuery unts findField=content.a where={\"content.b\":1}'",
            "E1220",
        ),
        (
            "'_mongoQuery huke-customers findField=content.cdi where={\"content.cid\":1}'",
            "E1221",
        ),
        (
            "'_mongoQuery huke-customers findField=content.cid where={\"content.cdi\":1}'",
            "E1221",
        ),
        ("'_mongoQuery units findField=a where={\"content.b\":1}'", "E1234"),
    ] {
        check(text, RECORD, codes);
    }
}

#[test]
fn what_the_ledger_knows_of_a_row() {
    let text =
        "'_mongoQuery units findField=id where={\"number\":\"<<name>>\",\"$target.id\":{\"$exists\":true}}'";
    let tree = tree(text, TreePlace::TARGET).expect("a query");
    let spec = &tree.lookups()[0][0];
    assert_eq!(
        (spec.get.to_string().as_str(), spec.by.len(), spec.filtered),
        ("$key", 0, true)
    );
    let record = row(RECORD, Action::Create);
    let wants = lookup_keys(&tree, 0, &record, &Hits::new()).expect("keys");
    let also = wants[0].also.as_ref().expect("a condition");
    let known = |label, target_id| Known {
        label: Some(label),
        target_id,
        ..Known::default()
    };
    assert!(also.matches(&Value::Null, &known("件", Some("7"))));
    assert!(!also.matches(&Value::Null, &known("件", None)));
    assert!(!also.matches(&Value::Null, &known("箱", Some("7"))));
}

/// Look-ups of lines, in their `$where` too, belong to one level; a key that needs another look-up is the next.
#[test]
fn lines_and_levels() {
    let text = "{$each: lines, $where: {field: '_mongoQuery units findField=content.on where={\"content.FName\":\"<<$line.n>>\"}', eq: 1}, $do: {a: '_mongoQuery units findField=content.a where={\"content.b\":{\"$gt\":<<$index>>}}', c: {$lookup: units, $get: c, $by: {d: {$lookup: units, $get: d, $by: {e: <<$line.n>>}}}}}}";
    let text = text
        .replace("{field: '_mongoQuery", "{field: $line.n, eq: '_mongoQuery")
        .replace("', eq: 1}", "'}");
    let tree = tree(&text, TreePlace::TARGET).unwrap_or_else(|errors| panic!("{errors:?}"));
    assert_eq!(tree.lookups().iter().map(Vec::len).collect::<Vec<_>>(), [3, 1]);
    let record = row(RECORD, Action::Create);
    let wants = lookup_keys(&tree, 0, &record, &Hits::new()).expect("keys");
    let shown: Vec<String> = wants
        .iter()
        .map(|want| format!("{} {}", want.spec.get, want.shown()))
        .collect();
    assert_eq!(
        shown,
        [
            "on FName=件",
            r#"a {"b":{"$gt":1}}"#,
            "d e=件",
            "on FName=箱",
            r#"a {"b":{"$gt":2}}"#,
            "d e=箱",
        ]
    );
}

#[test]
fn waiting() {
    let find = "_findCollection find a from units where b=<<name>>";
    let query = "_mongoQuery units findField=content.a where={\"content.b\":{\"$gt\":<<min>>}}";
    for look_up in [find, query] {
        check(&format!("'{look_up}'"), RECORD, "(omitted)");
        check(
            &format!("{{$value: '{look_up}', $missing: defer}}"),
            RECORD,
            "(waits)",
        );
        check(
            &format!("{{$value: '{look_up}', $missing: fail}}"),
            RECORD,
            "E2005",
        );
        check(
            &format!("{{$value: '{look_up}', $missing: empty}}"),
            RECORD,
            "\"\"",
        );
        check(
            &format!("{{$map: {{$value: '{look_up}', $missing: defer}}, $to: {{a: 1}}}}"),
            RECORD,
            "(waits)",
        );
    }
    check("{$value: <<name>>, $missing: defer}", RECORD, "E1241");
    check("{$each: lines, $do: 1, $missing: defer}", RECORD, "E1241");
    check("{$value: _function 1, $missing: defer}", RECORD, "E1241");
}

#[test]
fn an_index_serves_fields_of_the_row_itself() {
    for (field, indexed) in [
        ("tid", true),
        ("address.city", true),
        ("tags", false),
        ("orders.oid", false),
        ("orders.*.oid", false),
    ] {
        let query = format!("'_mongoQuery trades findField=content.tid where={{\"content.{field}\":\"a\"}}'");
        let tree = tree(&query, TreePlace::TARGET).unwrap_or_else(|errors| panic!("{field}: {errors:?}"));
        let spec = &tree.lookups()[0][0];
        assert_eq!(
            (spec.by.len() == 1, spec.filtered),
            (indexed, !indexed),
            "{field}"
        );
    }
}
