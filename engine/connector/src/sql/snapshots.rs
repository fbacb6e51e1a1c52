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
            (
                Driver::Postgresql,
                expect![[r#"
                INSERT INTO "engine_attempts" ("target", "doc_key", "attempt", "doc_id") VALUES ($1, $2, $3, $4)
                  ["erp.docs","[\"A\"]","u-1",null]
                INSERT INTO "erp"."docs" ("no", "amount") VALUES ($1, $2) RETURNING "id"
                  ["A",19.90]
                UPDATE "engine_attempts" SET "doc_id" = $1 WHERE "target" = $2 AND "doc_key" = $3
                  [{"made":0},"erp.docs","[\"A\"]"]
                INSERT INTO "doc_lines" ("doc_id", "sku") VALUES ($1, $2)
                  [{"made":0},"x"]
            "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ? AND engine <> 'InnoDB'
                  ["erp","docs"]
                SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                  ["doc_lines"]
                SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                  ["engine_attempts"]
                INSERT INTO `engine_attempts` (`target`, `doc_key`, `attempt`, `doc_id`) VALUES (?, ?, ?, ?)
                  ["erp.docs","[\"A\"]","u-1",null]
                SELECT 1 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND column_name = ? AND extra LIKE '%auto_increment%')
                  ["erp","docs","id"]
                DO LAST_INSERT_ID(0)
                  []
                INSERT INTO `erp`.`docs` (`no`, `amount`) VALUES (?, ?)
                  ["A",19.90]
                SELECT NULLIF(LAST_INSERT_ID(), 0)
                  []
                UPDATE `engine_attempts` SET `doc_id` = ? WHERE `target` = ? AND `doc_key` = ?
                  [{"made":0},"erp.docs","[\"A\"]"]
                INSERT INTO `doc_lines` (`doc_id`, `sku`) VALUES (?, ?)
                  [{"made":0},"x"]
            "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                INSERT INTO [engine_attempts] ([target], [doc_key], [attempt], [doc_id]) VALUES (@P1, @P2, @P3, @P4)
                  ["erp.docs","[\"A\"]","u-1",null]
                SET NOCOUNT ON; DECLARE @made TABLE ([id] NVARCHAR(400)); INSERT INTO [erp].[docs] ([no], [amount]) OUTPUT CAST(INSERTED.[id] AS NVARCHAR(400)) INTO @made VALUES (@P1, @P2); SELECT [id] FROM @made
                  ["A",19.90]
                UPDATE [engine_attempts] SET [doc_id] = @P1 WHERE [target] = @P2 AND [doc_key] = @P3
                  [{"made":0},"erp.docs","[\"A\"]"]
                INSERT INTO [doc_lines] ([doc_id], [sku]) VALUES (@P1, @P2)
                  [{"made":0},"x"]
            "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                INSERT INTO "engine_attempts" ("target", "doc_key", "attempt", "doc_id") VALUES (?, ?, ?, ?)
                  ["erp.docs","[\"A\"]","u-1",null]
                INSERT INTO "erp"."docs" ("no", "amount") VALUES (?, ?) RETURNING "id"
                  ["A",19.90]
                UPDATE "engine_attempts" SET "doc_id" = ? WHERE "target" = ? AND "doc_key" = ?
                  [{"made":0},"erp.docs","[\"A\"]"]
                INSERT INTO "doc_lines" ("doc_id", "sku") VALUES (?, ?)
                  [{"made":0},"x"]
            "#]],
            ),
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
            (
                Driver::Postgresql,
                expect![[r#"
                    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM "erp"."docs" WHERE "id" = $1)
                      [7]
                    SELECT COUNT(*) FROM "erp"."docs" WHERE "id" = $1 HAVING COUNT(*) > 1
                      [7]
                    UPDATE "erp"."docs" SET "no" = $1, "amount" = $2 WHERE "id" = $3
                      ["A",5,7]
                    UPDATE "engine_attempts" SET "attempt" = $1 WHERE "target" = $2 AND "doc_key" = $3
                      ["u-1","erp.docs","[\"A\"]"]
                    DELETE FROM "doc_lines" WHERE "doc_id" = $1
                      [7]
                    INSERT INTO "doc_lines" ("doc_id", "sku") VALUES ($1, $2)
                      [7,"y"]
                "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                    SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ? AND engine <> 'InnoDB'
                      ["erp","docs"]
                    SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                      ["doc_lines"]
                    SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                      ["engine_attempts"]
                    SELECT 1 FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND column_name IN (?) AND (character_set_name IS NOT NULL OR data_type LIKE '%binary' OR data_type LIKE '%blob')
                      ["erp","docs","id"]
                    SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name IN (?) AND (character_set_name IS NOT NULL OR data_type LIKE '%binary' OR data_type LIKE '%blob')
                      ["doc_lines","doc_id"]
                    SELECT 1 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `erp`.`docs` WHERE `id` = ?)
                      [7]
                    SELECT COUNT(*) FROM `erp`.`docs` WHERE `id` = ? HAVING COUNT(*) > 1
                      [7]
                    UPDATE `erp`.`docs` SET `no` = ?, `amount` = ? WHERE `id` = ?
                      ["A",5,7]
                    UPDATE `engine_attempts` SET `attempt` = ? WHERE `target` = ? AND `doc_key` = ?
                      ["u-1","erp.docs","[\"A\"]"]
                    DELETE FROM `doc_lines` WHERE `doc_id` = ?
                      [7]
                    INSERT INTO `doc_lines` (`doc_id`, `sku`) VALUES (?, ?)
                      [7,"y"]
                "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM [erp].[docs] WHERE [id] = @P1)
                      [7]
                    SELECT COUNT(*) FROM [erp].[docs] WHERE [id] = @P1 HAVING COUNT(*) > 1
                      [7]
                    UPDATE [erp].[docs] SET [no] = @P1, [amount] = @P2 WHERE [id] = @P3
                      ["A",5,7]
                    UPDATE [engine_attempts] SET [attempt] = @P1 WHERE [target] = @P2 AND [doc_key] = @P3
                      ["u-1","erp.docs","[\"A\"]"]
                    DELETE FROM [doc_lines] WHERE [doc_id] = @P1
                      [7]
                    INSERT INTO [doc_lines] ([doc_id], [sku]) VALUES (@P1, @P2)
                      [7,"y"]
                "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM "erp"."docs" WHERE "id" = ?)
                      [7]
                    SELECT COUNT(*) FROM "erp"."docs" WHERE "id" = ? HAVING COUNT(*) > 1
                      [7]
                    UPDATE "erp"."docs" SET "no" = ?, "amount" = ? WHERE "id" = ?
                      ["A",5,7]
                    UPDATE "engine_attempts" SET "attempt" = ? WHERE "target" = ? AND "doc_key" = ?
                      ["u-1","erp.docs","[\"A\"]"]
                    DELETE FROM "doc_lines" WHERE "doc_id" = ?
                      [7]
                    INSERT INTO "doc_lines" ("doc_id", "sku") VALUES (?, ?)
                      [7,"y"]
                "#]],
            ),
        ],
    );
}

/// Where no column of an id is named, the key tells the row.
#[test]
fn a_document_is_voided_by_its_key() {
    check(
        r#"{"void": {"table": "erp.docs", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]"]}, "set": {"status": "X", "qty": 0}, "records": [{}]}}"#,
        [
            (
                Driver::Postgresql,
                expect![[r#"
                    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM "erp"."docs" WHERE "no" = $1)
                      ["A"]
                    SELECT COUNT(*) FROM "erp"."docs" WHERE "no" = $1 HAVING COUNT(*) > 1
                      ["A"]
                    UPDATE "erp"."docs" SET "status" = $1, "qty" = $2 WHERE "no" = $3
                      ["X",0,"A"]
                    UPDATE "engine_attempts" SET "attempt" = $1 WHERE "target" = $2 AND "doc_key" = $3
                      ["void:u-1","erp.docs","[\"A\"]"]
                "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                    SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ? AND engine <> 'InnoDB'
                      ["erp","docs"]
                    SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                      ["engine_attempts"]
                    SELECT 1 FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM `erp`.`docs` WHERE `no` = ?)
                      ["A"]
                    SELECT COUNT(*) FROM `erp`.`docs` WHERE `no` = ? HAVING COUNT(*) > 1
                      ["A"]
                    UPDATE `erp`.`docs` SET `status` = ?, `qty` = ? WHERE `no` = ?
                      ["X",0,"A"]
                    UPDATE `engine_attempts` SET `attempt` = ? WHERE `target` = ? AND `doc_key` = ?
                      ["void:u-1","erp.docs","[\"A\"]"]
                "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM [erp].[docs] WHERE [no] = @P1)
                      ["A"]
                    SELECT COUNT(*) FROM [erp].[docs] WHERE [no] = @P1 HAVING COUNT(*) > 1
                      ["A"]
                    UPDATE [erp].[docs] SET [status] = @P1, [qty] = @P2 WHERE [no] = @P3
                      ["X",0,"A"]
                    UPDATE [engine_attempts] SET [attempt] = @P1 WHERE [target] = @P2 AND [doc_key] = @P3
                      ["void:u-1","erp.docs","[\"A\"]"]
                "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                    SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM "erp"."docs" WHERE "no" = ?)
                      ["A"]
                    SELECT COUNT(*) FROM "erp"."docs" WHERE "no" = ? HAVING COUNT(*) > 1
                      ["A"]
                    UPDATE "erp"."docs" SET "status" = ?, "qty" = ? WHERE "no" = ?
                      ["X",0,"A"]
                    UPDATE "engine_attempts" SET "attempt" = ? WHERE "target" = ? AND "doc_key" = ?
                      ["void:u-1","erp.docs","[\"A\"]"]
                "#]],
            ),
        ],
    );
}

/// Its lines go first.
#[test]
fn a_document_is_taken_away() {
    check(
        r#"{"delete": {"table": "erp.docs", "attempt": "u-1", "keys": {"fields": ["no"], "texts": ["[\"A\"]"]}, "generated": "id", "lines": {"items": {"table": "doc_lines", "by": {"doc_id": "id"}}}, "records": [{"id": 7}]}}"#,
        [
            (
                Driver::Postgresql,
                expect![[r#"
                DELETE FROM "doc_lines" WHERE "doc_id" = $1
                  [7]
                DELETE FROM "erp"."docs" WHERE "id" = $1
                  [7]
                UPDATE "engine_attempts" SET "attempt" = $1 WHERE "target" = $2 AND "doc_key" = $3
                  ["void:u-1","erp.docs","[\"A\"]"]
            "#]],
            ),
            (
                Driver::Mysql,
                expect![[r#"
                    SELECT 1 FROM information_schema.tables WHERE table_schema = ? AND table_name = ? AND engine <> 'InnoDB'
                      ["erp","docs"]
                    SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                      ["doc_lines"]
                    SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ? AND engine <> 'InnoDB'
                      ["engine_attempts"]
                    SELECT 1 FROM information_schema.columns WHERE table_schema = ? AND table_name = ? AND column_name IN (?) AND (character_set_name IS NOT NULL OR data_type LIKE '%binary' OR data_type LIKE '%blob')
                      ["erp","docs","id"]
                    SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name IN (?) AND (character_set_name IS NOT NULL OR data_type LIKE '%binary' OR data_type LIKE '%blob')
                      ["doc_lines","doc_id"]
                    DELETE FROM `doc_lines` WHERE `doc_id` = ?
                      [7]
                    DELETE FROM `erp`.`docs` WHERE `id` = ?
                      [7]
                    UPDATE `engine_attempts` SET `attempt` = ? WHERE `target` = ? AND `doc_key` = ?
                      ["void:u-1","erp.docs","[\"A\"]"]
                "#]],
            ),
            (
                Driver::Sqlserver,
                expect![[r#"
                DELETE FROM [doc_lines] WHERE [doc_id] = @P1
                  [7]
                DELETE FROM [erp].[docs] WHERE [id] = @P1
                  [7]
                UPDATE [engine_attempts] SET [attempt] = @P1 WHERE [target] = @P2 AND [doc_key] = @P3
                  ["void:u-1","erp.docs","[\"A\"]"]
            "#]],
            ),
            (
                Driver::Sqlite,
                expect![[r#"
                DELETE FROM "doc_lines" WHERE "doc_id" = ?
                  [7]
                DELETE FROM "erp"."docs" WHERE "id" = ?
                  [7]
                UPDATE "engine_attempts" SET "attempt" = ? WHERE "target" = ? AND "doc_key" = ?
                  ["void:u-1","erp.docs","[\"A\"]"]
            "#]],
            ),
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
