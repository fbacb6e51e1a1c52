//! The table in which the engine notes what it wrote.

use super::Driver;

/// The table of notes. Its key is compared byte by byte: two documents whose numbers differ in case are two.
pub(super) fn notes_ddl(driver: Driver, name: &str) -> String {
    match driver {
        Driver::Mysql => format!(
            "CREATE TABLE {name} (`target` VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
             `doc_key` VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL, \
             `attempt` VARCHAR(64) NOT NULL, \
             `doc_id` VARCHAR(400) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, \
             `written_at` TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             PRIMARY KEY (`target`, `doc_key`)) ENGINE=InnoDB"
        ),
        Driver::Sqlserver => format!(
            "CREATE TABLE {name} ([target] NVARCHAR(128) COLLATE Latin1_General_100_BIN2 NOT NULL, \
             [doc_key] NVARCHAR(400) COLLATE Latin1_General_100_BIN2 NOT NULL, \
             [attempt] NVARCHAR(64) NOT NULL, [doc_id] NVARCHAR(400), \
             [written_at] DATETIME2 NOT NULL DEFAULT SYSUTCDATETIME(), \
             PRIMARY KEY NONCLUSTERED ([target], [doc_key]))"
        ),
        Driver::Postgresql => format!(
            "CREATE TABLE {name} (\"target\" VARCHAR(128) COLLATE \"C\" NOT NULL, \
             \"doc_key\" VARCHAR(400) COLLATE \"C\" NOT NULL, \"attempt\" VARCHAR(64) NOT NULL, \
             \"doc_id\" VARCHAR(400), \"written_at\" TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             PRIMARY KEY (\"target\", \"doc_key\"))"
        ),
        Driver::Sqlite | Driver::Files => format!(
            "CREATE TABLE {name} (\"target\" TEXT NOT NULL, \"doc_key\" TEXT NOT NULL, \"attempt\" TEXT NOT NULL, \
             \"doc_id\" TEXT, \"written_at\" TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, \
             PRIMARY KEY (\"target\", \"doc_key\"))"
        ),
    }
}
