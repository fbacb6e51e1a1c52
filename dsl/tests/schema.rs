//! The JSON Schema and the strict walk come from one table: they accept and refuse the same files.

mod common;

use common::{CUSTOMERS, codes};
use dsl::diagnostic::{Lang, SourceFile};
use dsl::schema::scheme_schema;

fn instance(text: &str) -> serde_json::Value {
    let file = SourceFile::new("s.yaml", text);
    let node = dsl::yaml::read(&file).expect("YAML");
    serde_json::from_str(&dsl::json::to_string(&node.plain_value())).expect("JSON")
}

/// Codes that only the shape of a file decides; everything else needs more than the table.
const BY_SHAPE: [&str; 4] = ["E1101", "E1102", "E1103", "E1104"];
const OF_VALUES: [&str; 8] = [
    "E1107", "E1209", "E1210", "E1211", "E1212", "E1213", "E1214", "E1227",
];

#[test]
fn agrees_with_check() {
    let schema = jsonschema::validator_for(&scheme_schema(Lang::En)).expect("a schema");
    let changes = [
        ("", ""),
        ("label: buyerNick", "lable: buyerNick"),
        ("scheme: huke-to-k3\n", ""),
        ("scheme: huke-to-k3", "scheme: Huke"),
        ("scheme: huke-to-k3", "scheme: 7"),
        (
            "name: {zh: 网易互客成交客户 → 金蝶云星空客户, en:",
            "name: {zh: 网易互客成交客户 → 金蝶云星空客户, eng:",
        ),
        ("find: before_create", "find: first"),
        ("find: before_create", "batch: \"10\""),
        ("find: before_create", "batch: 0"),
        ("find: before_create", "batch: 1.5"),
        ("find: before_create", "actions: [create, delete]"),
        ("find: before_create", "let: {a: 1, b: <<$let.a>>}"),
        ("find: before_create", "aggregate: {header: [a]}"),
        ("find: before_create", "tolerate: [data]"),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m, cron: '0 * * * *'}",
        ),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m, source: '0 * * * *'}",
        ),
        (
            "schedule: {every: 6m}",
            "schedule: {source: '0 * * * *', target: '5 * * * *'}",
        ),
        ("schedule: {every: 6m}", "schedule: {source: '0 * * * *'}"),
        ("schedule: {every: 6m}", "schedule: {}"),
        ("schedule: {every: 6m}", "schedule: {every: 6}"),
        ("schedule: {every: 6m}", "schedule: {every: -6m}"),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m, hours: '08:00-22:00'}",
        ),
        ("schedule: {every: 6m}", "schedule: {every: 6m, hours: all day}"),
        ("schedule: {every: 6m}", "schedule: on_push"),
        ("schedule: {every: 6m}", "schedule: on_pull"),
        ("schedule: {every: 6m}", "schedule: {after: units}"),
        ("schedule: {every: 6m}", "schedule: {every: 6m, after: units}"),
        (
            "schedule: {every: 6m}",
            "schedule: {source: '0 * * * *', after: units}",
        ),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m, hours: '08:00-24:30'}",
        ),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m, quiet: ['08:00-09:00', '22:00-06:00']}",
        ),
        ("schedule: {every: 6m}", "schedule: {every: 6m}\npriority: 9"),
        ("schedule: {every: 6m}", "schedule: {every: 6m}\npriority: 0"),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m}\nbrakes: {max_change: 5}",
        ),
        ("schedule: {every: 6m}", "schedule: {every: 6m}\nbrakes: {}"),
        ("schedule: {every: 6m}", "schedule: {every: 6m}\nenabled: maybe"),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m}\nenabled: \"false\"",
        ),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m}\nmaps: {a: {to: {b: 1}}}",
        ),
        (
            "schedule: {every: 6m}",
            "schedule: {every: 6m}\nmaps: {a: {file: b.csv}}",
        ),
        ("  key: buyerCid", "  key: []"),
        ("  key: buyerCid", "  key: {a: b}"),
        ("  key: buyerCid", "  window: none\n  key: buyerCid"),
        ("  key: buyerCid", "  window: all\n  key: buyerCid"),
        (
            "  key: buyerCid",
            "  window: {first: -7d, overlap: 5m}\n  key: buyerCid",
        ),
        ("  key: buyerCid", "  window: {first: 7d}\n  key: buyerCid"),
        (
            "  key: buyerCid",
            "  keep: {field: tid, eq: 1, on_line: drop_record}\n  key: buyerCid",
        ),
        (
            "  key: buyerCid",
            "  keep: {field: tid, eq: 1, on_line: stop}\n  key: buyerCid",
        ),
        (
            "  key: buyerCid",
            "  keep: {field: tid, is_not: 1}\n  key: buyerCid",
        ),
        ("  key: buyerCid", "  keep: {field: tid}\n  key: buyerCid"),
        (
            "  key: buyerCid",
            "  keep: {field: tid, eq: 1, neq: 2}\n  key: buyerCid",
        ),
        (
            "  key: buyerCid",
            "  keep: {any: [{field: tid, in: [1, 2]}, {not: {field: tid, is: empty}}]}\n  key: buyerCid",
        ),
        (
            "  key: buyerCid",
            "  keep: {all: {field: tid, eq: 1}}\n  key: buyerCid",
        ),
        ("  key: buyerCid", "  void: remark\n  key: buyerCid"),
        (
            "FNumber: <<buyerCid>>",
            "FNumber: {$value: <<buyerCid>>, $type: text, $empty: omit, $required: true}",
        ),
        (
            "FNumber: <<buyerCid>>",
            "FNumber: {$value: <<buyerCid>>, $empty: null, $missing: null}",
        ),
        (
            "FNumber: <<buyerCid>>",
            "FNumber: {$value: <<buyerCid>>, $typ: text}",
        ),
        ("FNumber: <<buyerCid>>", "FNumber: {$value: <<buyerCid>>, a: 1}"),
        (
            "FNumber: <<buyerCid>>",
            "FNumber: {$value: <<buyerCid>>, $json: 1}",
        ),
        ("FNumber: <<buyerCid>>", "FNumber: {$default: 1}"),
        (
            "FNumber: <<buyerCid>>",
            "FNumber: {$map: <<buyerCid>>, $to: {a: b}}",
        ),
        ("FNumber: <<buyerCid>>", "FNumber: {$map: <<buyerCid>>}"),
        (
            "FNumber: <<buyerCid>>",
            "FNumber: {$lookup: units, $get: a, $by: {b: <<tid>>}, $missing: omit}",
        ),
        (
            "FNumber: <<buyerCid>>",
            "FNumber: {$lookup: units, $by: {b: <<tid>>}}",
        ),
        ("FNumber: <<buyerCid>>", "FNumber: <<buyerCid>>\n    $$x: 1"),
        (
            "tests:\n",
            "tests:\n  - {name: b, row: {}, expect: {}, action: remove}\n",
        ),
        ("tests:\n", "tests:\n  - {name: b, expect: {}}\n"),
    ];
    for (from, to) in changes {
        assert!(CUSTOMERS.contains(from), "{from}");
        let text = CUSTOMERS.replacen(from, to, 1);
        let found = codes(&text);
        let refused = found.iter().any(|code| {
            BY_SHAPE
                .iter()
                .chain(&OF_VALUES)
                .any(|shape| code.starts_with(shape))
        });
        let problems: Vec<String> = schema
            .iter_errors(&instance(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert_eq!(
            refused,
            !problems.is_empty(),
            "{from} -> {to}\ncheck: {found:?}\nschema: {problems:?}"
        );
    }
}

#[test]
fn every_property_explains_itself() {
    fn walk(schema: &serde_json::Value, at: &str) {
        let properties = schema.get("properties").and_then(serde_json::Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            for word in ["title", "description", "examples"] {
                assert!(property.get(word).is_some(), "{at}.{name} has no {word}");
            }
            walk(property, &format!("{at}.{name}"));
            for inner in property
                .get("anyOf")
                .and_then(serde_json::Value::as_array)
                .into_iter()
                .flatten()
            {
                walk(inner, &format!("{at}.{name}"));
            }
        }
    }
    for lang in [Lang::Zh, Lang::En] {
        walk(&scheme_schema(lang), "");
    }
}
