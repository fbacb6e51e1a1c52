//! The rows that inputs are evaluated over: plain ones, empty ones, and one that is as hostile as the text.

use std::sync::LazyLock;

use dsl::value::Value;

/// Field names that seeds and the dictionary use.
pub(crate) const FIELDS: &[&str] = &[
    "a",
    "b",
    "qty",
    "price",
    "name",
    "tid",
    "payTime",
    "memo",
    "lines",
    "lines.qty",
    "lines.price",
    "owner.id",
    "flag",
    "none",
    "唯一ID",
    "LAST_SYNC_TIME",
    "CURRENT_TIME",
    "$now",
    "$key",
    "$line.qty",
    "$index",
    "$row",
    "$let.x",
];

const ROWS: [&str; 3] = [
    r#"{"a": 7, "b": "2.50", "qty": "3", "price": 9.90, "name": "杭州 O'Brien 😀", "tid": "00123", "payTime": 1700000000123,
        "memo": "急件\n送礼", "lines": [{"qty": 1, "price": "0.10"}, {"qty": "2.5", "price": -3}], "owner": {"id": 1},
        "flag": true, "none": null, "唯一ID": "9001", "LAST_SYNC_TIME": 1700000000, "CURRENT_TIME": 1700000360}"#,
    r#"{"a": "", "b": "", "qty": "", "price": "", "name": "", "tid": "", "payTime": "", "memo": "", "lines": [],
        "owner": {}, "flag": "", "none": null, "唯一ID": "", "LAST_SYNC_TIME": 0, "CURRENT_TIME": 0}"#,
    r#"{"a": -99999999999999999999999999999999999999999999999999999999999999999.999999999999999999999999999999,
        "b": "1e308", "qty": 1e400, "price": "-0.000000000000000000000000000001", "name": "{{a}} <<b>> ' \" \\ \u0000 %_",
        "tid": "9999-12-31 23:59:59.999999", "payTime": -99999999999999, "memo": "0000-00-00", "lines": [[], {}, null,
        {"qty": {"x": []}, "price": [1]}], "owner": [], "flag": false, "none": "NULL", "唯一ID": "\ud83d\ude00\u202e",
        "LAST_SYNC_TIME": 9223372036854775807, "CURRENT_TIME": -9223372036854775808}"#,
];

/// The rows, read once.
pub(crate) static ALL: LazyLock<Vec<Value>> = LazyLock::new(|| {
    ROWS.iter()
        .map(|row| dsl::json::parse(row.as_bytes()).expect("rows are JSON"))
        .collect()
});
