//! Statements about documents whose key the database makes, and about those that are there.

use expect_test::expect;

use super::Driver;
use super::tests::{check, fails};

/// The id is given back, and goes into note and lines.
#[test]
fn an_id_that_the_database_makes() {
    check(
        r#"{"insert": {"table": "erp.docs", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]"]}, "generated": "id", "lines": {"items": {"table": "doc_lines", "by": {"doc_id": "id"}}},
        "records": [{"no": "A", "amount": 19.90, "items": [{"sku": "x"}]}]}}"#,
        [
            (Driver::Postgresql, expect![[""]]),
            (Driver::Mysql, expect![[""]]),
            (Driver::Sqlserver, expect![[""]]),
            (Driver::Sqlite, expect![[""]]),
        ],
    );
}

/// By the id that was made; its lines take the place of those there were.
#[test]
fn a_document_is_changed_by_its_id() {
    check(
        r#"{"update": {"table": "erp.docs", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]"]}, "generated": "id", "lines": {"items": {"table": "doc_lines", "by": {"doc_id": "id"}}},
        "records": [{"id": 7, "no": "A", "amount": 5, "items": [{"sku": "y"}]}]}}"#,
        [
            (Driver::Postgresql, expect![[""]]),
            (Driver::Mysql, expect![[""]]),
            (Driver::Sqlserver, expect![[""]]),
            (Driver::Sqlite, expect![[""]]),
        ],
    );
}

/// Where no column of an id is named, the key tells the row.
#[test]
fn a_document_is_voided_by_its_key() {
    check(
        r#"{"void": {"table": "erp.docs", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]"]}, "set": {"status": "X", "qty": 0}, "records": [{}]}}"#,
        [
            (Driver::Postgresql, expect![[""]]),
            (Driver::Mysql, expect![[""]]),
            (Driver::Sqlserver, expect![[""]]),
            (Driver::Sqlite, expect![[""]]),
        ],
    );
}

/// Its lines go first.
#[test]
fn a_document_is_taken_away() {
    check(
        r#"{"delete": {"table": "erp.docs", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]"]}, "generated": "id", "lines": {"items": {"table": "doc_lines", "by": {"doc_id": "id"}}}, "records": [{"id": 7}]}}"#,
        [
            (Driver::Postgresql, expect![[""]]),
            (Driver::Mysql, expect![[""]]),
            (Driver::Sqlserver, expect![[""]]),
            (Driver::Sqlite, expect![[""]]),
        ],
    );
}

#[test]
fn what_is_no_such_document() {
    const KEYS: &str = r#""table": "t", "attempt": "u", "keys": {"fields": ["no"], "texts": ["k"]}"#;
    for (body, code) in [
        // An id that is given is not made.
        (
            r#"{"insert": {KEYS, "generated": "id", "records": [{"no": "A", "id": 7}]}}"#,
            "E3072",
        ),
        (
            r#"{"insert": {KEYS, "generated": "id; --", "records": [{"no": "A"}]}}"#,
            "E3071",
        ),
        (
            r#"{"update": {KEYS, "generated": "id", "records": [{"no": "A"}]}}"#,
            "E3072",
        ),
        (
            r#"{"void": {KEYS, "set": {}, "records": [{"no": "A"}]}}"#,
            "E3010",
        ),
        (
            r#"{"void": {KEYS, "set": {"a = 1, b": 2}, "records": [{"no": "A"}]}}"#,
            "E3071",
        ),
        // What stands for an id that is made is nobody's to write.
        (
            r#"{"update": {KEYS, "records": [{"no": "A", "amount": {"made": 0}}]}}"#,
            "E3072",
        ),
    ] {
        fails(&body.replace("KEYS", KEYS), code);
    }
}
