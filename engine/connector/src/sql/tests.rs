//! Statements as each system is sent them, and what never becomes part of one.

use expect_test::{Expect, expect};

use super::*;

/// The statement of a body, one line for each text with its values behind it.
fn said(driver: Driver, body: &str) -> Result<String, Failure> {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    let cx = Cx { driver, zone: &zone };
    let body = dsl::json::parse(body.as_bytes()).unwrap();
    let bytes = statement(&body, &cx)?;
    let made = dsl::json::parse(&bytes).unwrap();
    let shown = |step: &Value| {
        let sql = step.get("sql").and_then(Value::as_text).unwrap_or_default();
        format!("{sql}\n  {}\n", dsl::json::to_string(step.get("binds").unwrap()))
    };
    Ok(match made.get("read") {
        Some(read) => shown(read),
        None => {
            let steps = made.get("write").and_then(|write| write.get("steps")).unwrap();
            steps.as_list().unwrap().iter().map(shown).collect()
        }
    })
}

#[track_caller]
pub(super) fn check(body: &str, wants: [(Driver, Expect); 4]) {
    for (driver, want) in wants {
        want.assert_eq(&said(driver, body).unwrap());
    }
}

#[track_caller]
pub(super) fn fails(body: &str, code: &str) {
    for driver in Driver::ALL {
        let failure = said(driver, body).unwrap_err();
        assert_eq!(failure.code(), code, "{driver:?}: {:?}", failure.facts);
    }
}

/// 08:00:00.25 of the 20th of November in Shanghai, and an hour later.
const STRETCH: &str = r#""from": 1795132800250, "to": 1795136400000"#;

#[test]
fn a_page_of_a_table() {
    let body = format!(
        r#"{{"select": {{"table": "erp.orders", "columns": ["no", "客户"], "updated": "changed", "key": ["id"], {STRETCH},
        "where": [{{"any": [{{"field": "qty", "op": "gte", "values": [1.50]}}, {{"field": "no", "op": "in", "values": ["a", "b'c"]}}]}}],
        "size": 50, "after": "[\"2026-11-20 08:30:00.1\", 9007199254740993]"}}}}"#
    );
    check(
        &body,
        [
            (
                Driver::Postgresql,
                expect![[r#"
                SELECT "no", "客户", "changed", "id" FROM "erp"."orders" WHERE (("qty" >= $1) OR ("no" IN ($2, $3))) AND ("changed" >= $4 AND "changed" < $5) AND (("changed" > $6) OR ("changed" = $7 AND "id" > $8)) ORDER BY "changed", "id" LIMIT 51
                  [1.50,"a","b'c","2026-11-20 08:00:00.25","2026-11-20 09:00:00","2026-11-20 08:30:00.1","2026-11-20 08:30:00.1",9007199254740993]
            "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                SELECT `no`, `客户`, `changed`, `id` FROM `erp`.`orders` WHERE ((`qty` >= CAST(? AS DECIMAL(65,30))) OR (`no` IN (?, ?))) AND (`changed` >= ? AND `changed` < ?) AND ((`changed` > ?) OR (`changed` = ? AND `id` > ?)) ORDER BY `changed`, `id` LIMIT 51
                  [1.50,"a","b'c","2026-11-20 08:00:00.25","2026-11-20 09:00:00","2026-11-20 08:30:00.1","2026-11-20 08:30:00.1",9007199254740993]
            "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                SELECT TOP (51) [no], [客户], [changed], [id] FROM [erp].[orders] WHERE (([qty] >= @P1) OR ([no] IN (@P2, @P3))) AND ([changed] >= @P4 AND [changed] < @P5) AND (([changed] > @P6) OR ([changed] = @P7 AND [id] > @P8)) ORDER BY [changed], [id]
                  [1.50,"a","b'c","2026-11-20 08:00:00.25","2026-11-20 09:00:00","2026-11-20 08:30:00.1","2026-11-20 08:30:00.1",9007199254740993]
            "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                SELECT "no", "客户", "changed", "id" FROM "erp"."orders" WHERE (("qty" >= ?) OR ("no" IN (?, ?))) AND ("changed" >= ? AND "changed" < ?) AND (("changed" > ?) OR ("changed" = ? AND "id" > ?)) ORDER BY "changed", "id" LIMIT 51
                  [1.50,"a","b'c","2026-11-20 08:00:00.25","2026-11-20 09:00:00","2026-11-20 08:30:00.1","2026-11-20 08:30:00.1",9007199254740993]
            "#]],
            ),
        ],
    );
}

#[test]
fn a_select_of_ones_own() {
    let sql = "SELECT id, ':from' AS x FROM t WHERE changed >= :from AND (:after IS NULL OR id > :after) -- :no\\n ORDER BY id";
    let body =
        format!(r#"{{"query": {{"sql": "{sql}", {STRETCH}, "key": ["id"], "time": "unix_s", "size": 10}}}}"#);
    check(
        &body,
        [
            (
                Driver::Postgresql,
                expect![[r#"
                SELECT id, ':from' AS x FROM t WHERE changed >= $1 AND ($2 IS NULL OR id > $2) -- :no
                 ORDER BY id
                  [1795132801,null]
            "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                SELECT id, ':from' AS x FROM t WHERE changed >= ? AND (? IS NULL OR id > ?) -- :no
                 ORDER BY id
                  [1795132801,null,null]
            "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                SELECT id, ':from' AS x FROM t WHERE changed >= @P1 AND (@P2 IS NULL OR id > @P2) -- :no
                 ORDER BY id
                  [1795132801,null]
            "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                SELECT id, ':from' AS x FROM t WHERE changed >= ? AND (? IS NULL OR id > ?) -- :no
                 ORDER BY id
                  [1795132801,null,null]
            "#]],
            ),
        ],
    );
}

const RECORDS: &str = r#""table": "orders", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]", "[\"B\"]"]},
    "records": [{"no": "A", "amount": 19.90, "note": null}, {"no": "B", "amount": 5, "note": "x'; DROP TABLE y"}]"#;

#[test]
fn rows_by_key() {
    check(
        &format!(r#"{{"upsert": {{{RECORDS}}}}}"#),
        [
            (
                Driver::Postgresql,
                expect![[r#"
                INSERT INTO "orders" ("no", "amount", "note") VALUES ($1, $2, $3), ($4, $5, $6) ON CONFLICT ("no") DO UPDATE SET "amount" = excluded."amount", "note" = excluded."note"
                  ["A",19.90,null,"B",5,"x'; DROP TABLE y"]
                INSERT INTO "engine_attempts" ("target", "doc_key", "attempt", "doc_id") VALUES ($1, $2, $3, $4), ($5, $6, $7, $8) ON CONFLICT ("target", "doc_key") DO UPDATE SET "attempt" = excluded."attempt", "doc_id" = excluded."doc_id"
                  ["orders","[\"A\"]","u-1","A","orders","[\"B\"]","u-1","B"]
            "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                  ["orders"]
                SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                  ["engine_attempts"]
                UPDATE `orders` SET `amount` = ?, `note` = ? WHERE `no` = ?
                  [19.90,null,"A"]
                INSERT INTO `orders` (`no`, `amount`, `note`) SELECT ?, ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `orders` WHERE `no` = ?)
                  ["A",19.90,null,"A"]
                UPDATE `orders` SET `amount` = ?, `note` = ? WHERE `no` = ?
                  [5,"x'; DROP TABLE y","B"]
                INSERT INTO `orders` (`no`, `amount`, `note`) SELECT ?, ?, ? FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `orders` WHERE `no` = ?)
                  ["B",5,"x'; DROP TABLE y","B"]
                INSERT INTO `engine_attempts` (`target`, `doc_key`, `attempt`, `doc_id`) VALUES (?, ?, ?, ?), (?, ?, ?, ?) ON DUPLICATE KEY UPDATE `attempt` = VALUES(`attempt`), `doc_id` = VALUES(`doc_id`)
                  ["orders","[\"A\"]","u-1","A","orders","[\"B\"]","u-1","B"]
            "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                MERGE INTO [orders] WITH (HOLDLOCK) AS t USING (VALUES (@P1, @P2, @P3), (@P4, @P5, @P6)) AS s ([no], [amount], [note]) ON t.[no] = s.[no] WHEN MATCHED THEN UPDATE SET [amount] = s.[amount], [note] = s.[note] WHEN NOT MATCHED THEN INSERT ([no], [amount], [note]) VALUES (s.[no], s.[amount], s.[note]);
                  ["A",19.90,null,"B",5,"x'; DROP TABLE y"]
                MERGE INTO [engine_attempts] WITH (HOLDLOCK) AS t USING (VALUES (@P1, @P2, @P3, @P4), (@P5, @P6, @P7, @P8)) AS s ([target], [doc_key], [attempt], [doc_id]) ON t.[target] = s.[target] AND t.[doc_key] = s.[doc_key] WHEN MATCHED THEN UPDATE SET [attempt] = s.[attempt], [doc_id] = s.[doc_id] WHEN NOT MATCHED THEN INSERT ([target], [doc_key], [attempt], [doc_id]) VALUES (s.[target], s.[doc_key], s.[attempt], s.[doc_id]);
                  ["orders","[\"A\"]","u-1","A","orders","[\"B\"]","u-1","B"]
            "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                INSERT INTO "orders" ("no", "amount", "note") VALUES (?, ?, ?), (?, ?, ?) ON CONFLICT ("no") DO UPDATE SET "amount" = excluded."amount", "note" = excluded."note"
                  ["A",19.90,null,"B",5,"x'; DROP TABLE y"]
                INSERT INTO "engine_attempts" ("target", "doc_key", "attempt", "doc_id") VALUES (?, ?, ?, ?), (?, ?, ?, ?) ON CONFLICT ("target", "doc_key") DO UPDATE SET "attempt" = excluded."attempt", "doc_id" = excluded."doc_id"
                  ["orders","[\"A\"]","u-1","A","orders","[\"B\"]","u-1","B"]
            "#]],
            ),
        ],
    );
}

#[test]
fn new_rows_with_lines() {
    let body = r#"{"insert": {"table": "orders", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]"]},
        "records": [{"no": "A", "items": [{"sku": "x"}, {"sku": "y"}]}],
        "lines": {"items": {"table": "order_lines", "by": {"order_no": "no"}}}}}"#;
    check(
        body,
        [
            (
                Driver::Postgresql,
                expect![[r#"
                INSERT INTO "engine_attempts" ("target", "doc_key", "attempt", "doc_id") VALUES ($1, $2, $3, $4)
                  ["orders","[\"A\"]","u-1","A"]
                INSERT INTO "orders" ("no") VALUES ($1)
                  ["A"]
                DELETE FROM "order_lines" WHERE "order_no" = $1
                  ["A"]
                INSERT INTO "order_lines" ("order_no", "sku") VALUES ($1, $2), ($3, $4)
                  ["A","x","A","y"]
            "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                  ["orders"]
                SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                  ["order_lines"]
                SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                  ["engine_attempts"]
                INSERT INTO `engine_attempts` (`target`, `doc_key`, `attempt`, `doc_id`) VALUES (?, ?, ?, ?)
                  ["orders","[\"A\"]","u-1","A"]
                INSERT INTO `orders` (`no`) VALUES (?)
                  ["A"]
                DELETE FROM `order_lines` WHERE `order_no` = ?
                  ["A"]
                INSERT INTO `order_lines` (`order_no`, `sku`) VALUES (?, ?), (?, ?)
                  ["A","x","A","y"]
            "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                INSERT INTO [engine_attempts] ([target], [doc_key], [attempt], [doc_id]) VALUES (@P1, @P2, @P3, @P4)
                  ["orders","[\"A\"]","u-1","A"]
                INSERT INTO [orders] ([no]) VALUES (@P1)
                  ["A"]
                DELETE FROM [order_lines] WHERE [order_no] = @P1
                  ["A"]
                INSERT INTO [order_lines] ([order_no], [sku]) VALUES (@P1, @P2), (@P3, @P4)
                  ["A","x","A","y"]
            "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                INSERT INTO "engine_attempts" ("target", "doc_key", "attempt", "doc_id") VALUES (?, ?, ?, ?)
                  ["orders","[\"A\"]","u-1","A"]
                INSERT INTO "orders" ("no") VALUES (?)
                  ["A"]
                DELETE FROM "order_lines" WHERE "order_no" = ?
                  ["A"]
                INSERT INTO "order_lines" ("order_no", "sku") VALUES (?, ?), (?, ?)
                  ["A","x","A","y"]
            "#]],
            ),
        ],
    );
}

/// No system is sent more values or rows in one statement than it takes.
#[test]
fn statements_stay_below_the_ceilings() {
    let records: Vec<String> = (0..3_000)
        .map(|nth| format!(r#"{{"no": "{nth}", "a": 1, "b": 2}}"#))
        .collect();
    let texts: Vec<String> = (0..3_000).map(|nth| format!(r#""[{nth}]""#)).collect();
    let body = format!(
        r#"{{"insert": {{"table": "t", "attempt": "u", "keys": {{"fields": ["no"], "texts": [{}]}}, "records": [{}]}}}}"#,
        texts.join(","),
        records.join(",")
    );
    for driver in Driver::ALL {
        let said = said(driver, &body).unwrap();
        for line in said.lines().filter(|line| line.starts_with("  [")) {
            let binds = dsl::json::parse(line.trim().as_bytes()).unwrap();
            let count = binds.as_list().unwrap().len();
            assert!(count <= driver.binds_max(), "{driver:?}: {count}");
        }
        let rows: usize = said.matches("INSERT INTO").count();
        assert_eq!(rows > 2, driver == Driver::Sqlserver, "{driver:?}: {rows}");
    }
}

/// A name is checked, a value is bound: nothing of a record or a scheme ends a text and begins another.
#[test]
fn nothing_breaks_out() {
    for name in [
        "t; DROP TABLE x",
        "t\"",
        "t`",
        "t]",
        "t--",
        "a b",
        "",
        "a..b",
        "a.b.c.d.e",
        "t\u{0}",
    ] {
        let quoted = dsl::json::to_string(&Value::from(name));
        fails(
            &format!(r#"{{"select": {{"table": {quoted}, "columns": ["a"], "key": ["id"], "size": 1}}}}"#),
            "E3071",
        );
        if !name.is_empty() {
            fails(
                &format!(
                    r#"{{"select": {{"table": "t", "columns": [{quoted}], "key": ["id"], "size": 1}}}}"#
                ),
                "E3071",
            );
        }
    }
    for text in [
        "x' OR '1'='1",
        "\\'; DROP TABLE orders; --",
        "$1",
        "?",
        "@P1",
        "{{7*7}}",
        "\u{2019} OR 1=1",
    ] {
        let quoted = dsl::json::to_string(&Value::from(text));
        let body = format!(
            r#"{{"upsert": {{"table": "t", "attempt": "u", "keys": {{"fields": ["no"], "texts": ["k"]}}, "records": [{{"no": {quoted}}}]}}}}"#
        );
        for driver in Driver::ALL {
            let said = said(driver, &body).unwrap();
            let texts: String = said.lines().filter(|line| !line.starts_with("  ")).collect();
            assert!(
                !texts.contains(text) || ["$1", "?", "@P1"].contains(&text),
                "{driver:?}: {texts}"
            );
        }
    }
}

#[test]
fn a_text_of_ones_own_is_one_select() {
    for (sql, why) in [
        ("DELETE FROM t", "DELETE"),
        ("SELECT 1; DELETE FROM t", ";"),
        ("SELECT * FROM t WHERE id = :id", ":id"),
        ("SELECT * FROM t WHERE id = ?", "?"),
        ("SELECT 'a\\'' FROM t", "\\"),
        ("SELECT 'open FROM t", "'"),
        ("/* x */ SELECT 1", ""),
        ("SELECT /* 1", "/*"),
        ("SELECT :after_12", ":after_12"),
    ] {
        let fault = own_text_fault(sql).unwrap_or_else(|| panic!("{sql}"));
        assert_eq!(fault.code(), "E3073");
        assert_eq!(fault.facts, [("why", why.to_owned())], "{sql}");
    }
    for sql in [
        "SELECT 1",
        " with a AS (SELECT 1) SELECT * FROM a;",
        "SELECT a::text, ':x', \":y\" FROM t WHERE b > :from AND c < :to AND id > :after_2 LIMIT :limit",
        "SELECT 'it''s'",
    ] {
        assert_eq!(own_text_fault(sql), None, "{sql}");
    }
}

#[test]
fn values_and_keys_that_no_database_takes() {
    let write = |records: &str, texts: &str| {
        format!(
            r#"{{"upsert": {{"table": "t", "attempt": "u", "keys": {{"fields": ["no"], "texts": [{texts}]}}, "records": [{records}]}}}}"#
        )
    };
    let long = format!(r#""{}""#, "k".repeat(401));
    for (records, texts) in [
        (r#"{"no": "A", "buyer": {"name": "x"}}"#, r#""k""#),
        (r#"{"no": "A", "tags": [1]}"#, r#""k""#),
        (r#"{"no": null}"#, r#""k""#),
        (r#"{"amount": 1}"#, r#""k""#),
        (r#"{"no": "a\u0000b"}"#, r#""k""#),
        (r#"{"no": "A"}"#, long.as_str()),
    ] {
        fails(&write(records, texts), "E3072");
    }
    fails(
        r#"{"upsert": {"table": "t", "attempt": "u", "keys": {"fields": [], "texts": []}, "records": []}}"#,
        "E3074",
    );
    fails(r#"{"truncate": {"table": "t"}}"#, "E3010");
}

/// A row that bears the second in which a window begins belongs to it, however the column keeps its time.
#[test]
fn instants_as_columns_keep_them() {
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    for (how, ms, want) in [
        ("clock", 1_795_132_800_000, "2026-11-20 08:00:00"),
        ("clock", 1_795_132_800_250, "2026-11-20 08:00:00.25"),
        ("utc", 1_795_132_800_007, "2026-11-20 00:00:00.007"),
        ("unix_s", 1_795_132_800_000, "1795132800"),
        ("unix_s", 1_795_132_800_001, "1795132801"),
        ("unix_ms", 1_795_132_800_001, "1795132800001"),
        ("unix_s", -1, "0"),
    ] {
        let times = bind::Times::parse(Some(how), &zone).unwrap();
        assert_eq!(
            times.value(ms).to_plain_text().as_deref(),
            Some(want),
            "{how} {ms}"
        );
    }
    assert!(bind::Times::parse(Some("date"), &zone).is_none());
}

/// Which columns are texts, and which have an offset of their own, only the database knows: what it needs to look at them
/// goes with the statement.
#[test]
fn what_only_the_database_knows() {
    let made = |driver: Driver, body: &str| {
        let zone = TimeZone::UTC;
        let body = dsl::json::parse(body.as_bytes()).unwrap();
        String::from_utf8(statement(&body, &Cx { driver, zone: &zone }).unwrap()).unwrap()
    };
    let read = |time: &str| {
        format!(
            r#"{{"select": {{"table": "o", "columns": ["a"], "updated": "at", "key": ["id"], "time": "{time}", {STRETCH}}}}}"#
        )
    };
    for (driver, time, clock) in [
        (Driver::Sqlserver, "clock", true),
        (Driver::Sqlserver, "utc", false),
        (Driver::Postgresql, "clock", false),
    ] {
        let told = made(driver, &read(time)).contains(r#""clock":true"#);
        assert_eq!(told, clock, "{driver:?} {time}");
    }
    let write = |key: &str| {
        format!(
            r#"{{"upsert": {{"table": "erp.o", "attempt": "u", "keys": {{"fields": ["no", "year"], "texts": ["x"]}},
            "lines": {{"items": {{"table": "l", "by": {{"order_no": "no"}}}}}},
            "records": [{{"no": {key}, "year": "2026", "items": []}}]}}}}"#
        )
    };
    let guards = |driver: Driver, key: &str| made(driver, &write(key)).matches("character_set_name").count();
    assert_eq!(guards(Driver::Mysql, "7"), 2, "its table and that of its lines");
    assert_eq!(guards(Driver::Mysql, "1.5"), 2);
    assert_eq!(guards(Driver::Mysql, "\"7\""), 0);
    assert_eq!(guards(Driver::Postgresql, "7"), 0);
    let told = made(Driver::Mysql, &write("7"));
    assert!(
        told.contains(r#""binds":["erp","o","no"],"none":"erp.o: no: a column of texts"#),
        "{told}"
    );
}

/// 02:30 of the 25th of October comes twice in Berlin. PostgreSQL is told which one is meant.
#[test]
fn an_hour_that_comes_twice() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    let said = |driver: Driver, from: i64| {
        let body = format!(
            r#"{{"select": {{"table": "o", "columns": ["a"], "updated": "at", "key": ["id"], "from": {from}, "to": 1793000000000}}}}"#
        );
        let body = dsl::json::parse(body.as_bytes()).unwrap();
        String::from_utf8(statement(&body, &Cx { driver, zone: &zone }).unwrap()).unwrap()
    };
    let half_past_two = 1_792_888_200_000;
    for (driver, from, want) in [
        (Driver::Postgresql, half_past_two, "\"2026-10-25 02:30:00+02:00\""),
        (
            Driver::Postgresql,
            half_past_two + 3_600_000,
            "\"2026-10-25 02:30:00+01:00\"",
        ),
        (
            Driver::Postgresql,
            half_past_two + 7_200_000,
            "\"2026-10-25 03:30:00\"",
        ),
        (Driver::Mysql, half_past_two, "\"2026-10-25 02:30:00\""),
    ] {
        let told = said(driver, from);
        assert!(told.contains(want), "{driver:?} {want}: {told}");
    }
}
