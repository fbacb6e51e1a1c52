//! A folder with schemes, a source of orders that is a file, and the server as source or target.

use std::fmt::Write as _;

use tempfile::TempDir;
use tests::e2e::{Ran, Run};

use crate::server::{PASSWORD, Server};

pub(crate) struct Desk {
    folder: TempDir,
    password: String,
}

impl Desk {
    /// A desk before a server, reached at its port or at that of a proxy.
    pub(crate) fn of(server: &Server, port: Option<u16>) -> Desk {
        let folder = tempfile::tempdir().expect("a folder");
        let port = port.unwrap_or(server.port());
        let (connector, params) = (server.connector(), server.params(port));
        let connections = format!(
            "connections:
  db:
    connector: {connector}
    quiet_period: 300ms
    timeouts: {{total: 2s}}
    params: {{{params}, zone: Asia/Shanghai}}
  inbox:
    connector: files
    params: {{folder: inbox}}
  outbox:
    connector: files
    quiet_period: 300ms
    timeouts: {{total: 2s}}
    params: {{folder: outbox}}
  file:
    connector: sqlite
    params: {{file: source.db, zone: Asia/Shanghai}}
"
        );
        let desk = Desk {
            folder,
            password: PASSWORD.to_owned(),
        };
        desk.write("connections.yaml", &connections);
        desk
    }

    pub(crate) fn with_password(self, password: &str) -> Desk {
        Desk {
            password: password.to_owned(),
            ..self
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("our own folder");
        std::fs::write(path, text).expect("our own file");
    }

    fn engine(&self, words: &[&str], more: &[(&str, &str)]) -> Ran {
        let environment = [("DB_PASSWORD".to_owned(), self.password.clone())];
        let mut run = Run::new(self.folder.path(), &environment, words);
        for (name, value) in more {
            run = run.env(name, value);
        }
        let ran = run.finish();
        for said in [&ran.stdout, &ran.stderr] {
            assert!(!said.contains(PASSWORD), "the password is told: {said}");
        }
        ran
    }

    /// So many orders in the file that is read; one of them is none that the target takes.
    pub(crate) fn orders_with_a_bad_one(&self, count: i64) {
        self.orders(count);
        let file = rusqlite::Connection::open(self.folder.path().join("source.db")).expect("a file");
        file.execute_batch("UPDATE orders SET qty = 13000 WHERE id = 13")
            .expect("our own file");
    }

    /// So many orders in the file that is read.
    pub(crate) fn orders(&self, count: i64) {
        let file = rusqlite::Connection::open(self.folder.path().join("source.db")).expect("a file");
        let mut sql = String::from(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, no TEXT, amount TEXT, qty INT, changed TEXT);",
        );
        for nth in 0..count {
            write!(
                sql,
                "INSERT INTO orders VALUES ({nth}, 'SO-{nth:03}', '19.{:02}', {nth}, '2026-11-20 08:{:02}:00');",
                nth % 100,
                nth % 60
            )
            .expect("a text");
        }
        file.execute_batch(&sql).expect("our own file");
        let scheme = |operation: &str, actions: &str| {
            format!(
                "scheme: copy-{operation}
source:
  connection: file
  api: rows
  options: {{table: orders, key: [id]}}
  fields: [no, amount, qty]
  window: {{field: changed}}
  key: no
target:
  connection: db
  api: {operation}
  options: {{table: orders, lines: {{items: {{table: order_lines, by: {{order_no: order_no}}}}}}}}
{actions}  key: order_no
  batch: 10
  request: {{order_no: <<no>>, amount: <<amount>>, qty: <<qty>>, items: [{{line: 1, sku: A}}, {{line: 2, sku: B}}]}}
schedule: {{every: 6m}}
"
            )
        };
        self.write("schemes/upsert.yaml", &scheme("upsert", ""));
        self.write("schemes/insert.yaml", &scheme("insert", ""));
    }

    /// The same orders for a table whose key the database makes, with a word that voids them.
    pub(crate) fn orders_without_numbers(&self, count: i64, void: &str) {
        self.orders(count);
        self.change("ALTER TABLE orders ADD COLUMN status TEXT NOT NULL DEFAULT 'OK'");
        self.write(
            "schemes/made.yaml",
            &format!(
                "scheme: made
source:
  connection: file
  api: rows
  options: {{table: orders, key: [id]}}
  fields: [no, amount, qty, status]
  window: {{field: changed}}
  key: no
  void: {{field: status, eq: X}}
target:
  connection: db
  api: {{create: insert, update: update, void: {void}}}
  options: {{table: docs, generated: id, lines: {{items: {{table: doc_lines, by: {{doc_id: id}}}}}}{}}}
  key: no
  batch: 10
  request: {{no: <<no>>, amount: <<amount>>, qty: <<qty>>, items: [{{line: 1, sku: A}}, {{line: 2, sku: B}}]}}
schedule: {{every: 6m}}
",
                if void == "void" {
                    ", void: {status: X, qty: 0}"
                } else {
                    ""
                }
            ),
        );
    }

    /// The same orders for files in a folder.
    pub(crate) fn orders_for_files(&self, count: i64) {
        self.orders(count);
        std::fs::create_dir_all(self.folder.path().join("outbox")).expect("our own folder");
        self.write(
            "schemes/out.yaml",
            "scheme: out
source: {connection: file, api: rows, options: {table: orders, key: [id]}, fields: [no, amount, qty], window: {field: changed}, key: no}
target:
  connection: outbox
  api: write_csv
  options: {file: orders, columns: [order_no, amount, qty], charset: gbk}
  key: order_no
  batch: 10
  request: {order_no: <<no>>, amount: <<amount>>, qty: <<qty>>}
schedule: {every: 6m}
",
        );
    }

    /// The rows of all files that appeared, which are taken away; none of them is half a file.
    pub(crate) fn taken_from_outbox(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for entry in std::fs::read_dir(self.folder.path().join("outbox")).expect("our own folder") {
            let entry = entry.expect("a readable folder");
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            let bytes = std::fs::read(entry.path()).expect("a file");
            let text = String::from_utf8(bytes).expect("digits and letters");
            let mut lines = text.split_terminator("\r\n").map(str::to_owned);
            assert_eq!(lines.next().as_deref(), Some("order_no,amount,qty"));
            rows.extend(lines);
            std::fs::remove_file(entry.path()).expect("our own folder");
        }
        rows
    }

    /// Changes the file that is read.
    pub(crate) fn change(&self, sql: &str) {
        let file = rusqlite::Connection::open(self.folder.path().join("source.db")).expect("a file");
        file.execute_batch(sql).expect("our own file");
    }

    /// What `check` says of a scheme, and the code it ends with.
    pub(crate) fn checked(&self, path: &str) -> (Option<i32>, String) {
        let ran = self.engine(&["check", path, "--lang", "en"], &[]);
        (ran.code, format!("{}{}", ran.stdout, ran.stderr))
    }

    /// The connection to the server with other settings.
    pub(crate) fn connected_with(&self, settings: &str) {
        let path = self.folder.path().join("connections.yaml");
        let text = std::fs::read_to_string(&path).expect("our own file");
        let text = text.replacen(
            "    quiet_period",
            &format!("    {settings}\n    quiet_period"),
            1,
        );
        std::fs::write(path, text).expect("our own file");
    }

    /// A file beside the connections.
    pub(crate) fn beside(&self, name: &str, text: &str) {
        self.write(name, text);
    }

    /// Takes a folder away.
    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_dir_all(self.folder.path().join(name)).expect("our own folder");
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }

    /// From now on an order's number at the target is a number of the source, and no text.
    pub(crate) fn with_numbers_for_keys(&self) {
        let path = self.folder.path().join("schemes/upsert.yaml");
        let scheme = std::fs::read_to_string(path).expect("our own file");
        self.write(
            "schemes/upsert.yaml",
            &scheme.replace("order_no: <<no>>,", "order_no: <<qty>>,"),
        );
    }

    /// Copies them until the run ends with this code; gives what was said.
    pub(crate) fn copy(&self, operation: &str, code: i32) -> String {
        let scheme = format!("schemes/{operation}.yaml");
        let ran = self.engine(
            &[
                "run",
                &scheme,
                "--window",
                "2026-11-20T07:00:00+08:00..2026-11-20T10:00:00+08:00",
                "--settle-wait",
                "60s",
                "--lang",
                "en",
            ],
            &[],
        );
        assert_eq!(ran.code, Some(code), "{ran:?}");
        format!("{}{}", ran.stdout, ran.stderr)
    }

    /// A rehearsal, as it shows what would be sent.
    pub(crate) fn rehearsed(&self, operation: &str) -> String {
        let scheme = format!("schemes/{operation}.yaml");
        let window = "2026-11-20T07:00:00+08:00..2026-11-20T10:00:00+08:00";
        let words = [
            "dry-run", &scheme, "--window", window, "--show", "request", "--lang", "en",
        ];
        let ran = self.engine(&words, &[]);
        ran.expect(0);
        ran.stdout
    }

    /// What `connection test` says, and the code it ends with.
    pub(crate) fn tried(&self) -> (Option<i32>, String) {
        let ran = self.engine(&["connection", "test", "db", "--lang", "en"], &[]);
        (ran.code, ran.stdout + &ran.stderr)
    }

    /// Copies them until the process ends itself at a named instant.
    pub(crate) fn killed(&self, operation: &str, point: &str) {
        let scheme = format!("schemes/{operation}.yaml");
        let ran = self.engine(
            &[
                "run",
                &scheme,
                "--window",
                "2026-11-20T07:00:00+08:00..2026-11-20T10:00:00+08:00",
            ],
            &[("ENGINE_FAILPOINT", point)],
        );
        assert_eq!(ran.code, None, "{point}: {ran:?}");
    }

    /// A file in the folder that is read.
    pub(crate) fn inbox(&self, name: &str, bytes: &[u8]) {
        let folder = self.folder.path().join("inbox");
        std::fs::create_dir_all(&folder).expect("our own folder");
        std::fs::write(folder.join(name), bytes).expect("our own file");
    }

    /// Takes the folder in; gives the counts of the run.
    pub(crate) fn take_in(&self, code: i32) -> serde_json::Value {
        self.take_in_by(&["run"], "", code)
    }

    /// The same with another command, and further options.
    pub(crate) fn take_in_by(&self, command: &[&str], options: &str, code: i32) -> serde_json::Value {
        let scheme = "scheme: inbox
source: {connection: inbox, api: csv, options: {settle: 0MORE}, page_size: 2, window: none, key: [_hash, _line], label: _file}
target:
  connection: db
  api: insert
  options: {table: orders}
  key: order_no
  request: {order_no: <<no>>, qty: <<qty>>}
schedule: {every: 6m}
";
        self.write("schemes/inbox.yaml", &scheme.replace("MORE", options));
        let words: Vec<&str> = command
            .iter()
            .copied()
            .chain(["schemes/inbox.yaml", "--json"])
            .collect();
        let ran = self.engine(&words, &[]);
        assert_eq!(ran.code, Some(code), "{ran:?}");
        ran.json()["runs"][0]["counts"].clone()
    }

    /// What the ledger says of itself adds up.
    pub(crate) fn verify(&self) {
        self.engine(&["verify"], &[]).expect(0);
    }

    /// The rows of a table, as they are staged.
    pub(crate) fn rows(&self, api: &str, options: &str, fields: &str) -> Vec<String> {
        self.write(
            "schemes/read.yaml",
            &format!(
                "scheme: read
source: {{connection: db, api: {api}, options: {options}, fields: {fields}, window: none, key: id}}
target: none
schedule: {{every: 6m}}
"
            ),
        );
        self.engine(&["run", "schemes/read.yaml", "--lang", "en"], &[])
            .expect(0);
        let dir = self.folder.path().join(".engine/default");
        let ledger = rusqlite::Connection::open(dir.join("ledger.db")).expect("the ledger");
        let mut asked = ledger
            .prepare("SELECT body.source FROM record JOIN body ON body.record = record.id ORDER BY record.id")
            .expect("a query");
        let rows = asked
            .query_map([], |row| row.get::<_, rusqlite::types::Value>(0))
            .expect("rows");
        rows.map(|row| match row.expect("a row") {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Blob(bytes) => String::from_utf8(bytes).expect("a text"),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    fn fetched(&self, scheme: &str) -> i64 {
        self.write("schemes/window.yaml", scheme);
        let ran = self.engine(
            &[
                "run",
                "schemes/window.yaml",
                "--window",
                "2026-11-20T07:00:00+08:00..2026-11-20T10:00:00+08:00",
                "--json",
            ],
            &[],
        );
        ran.expect(0);
        let records = ran.json()["runs"][0]["counts"]["fetched"].clone();
        records.as_i64().unwrap_or_else(|| panic!("{ran:?}"))
    }

    /// How many rows of a window were read, page by page.
    pub(crate) fn read_window(&self, options: &str, fields: &str, changed: &str, size: u32) -> i64 {
        self.fetched(&window_scheme(options, fields, changed, size))
    }

    /// The same with a SELECT of one's own.
    pub(crate) fn read_query(&self, sql: &str, size: u32) -> i64 {
        self.fetched(&format!(
            "scheme: query
source: {{connection: db, api: query, options: {{key: [id], sql: \"{sql}\"}}, page_size: {size}, key: id}}
target: none
schedule: {{every: 6m}}
"
        ))
    }

    /// What is said of a window that cannot be read.
    pub(crate) fn refused_read(&self, options: &str, fields: &str, changed: &str, size: u32) -> String {
        let scheme =
            window_scheme(options, fields, changed, size).replace("scheme: window", "scheme: refused");
        self.write("schemes/refused.yaml", &scheme);
        let ran = self.engine(
            &[
                "run",
                "schemes/refused.yaml",
                "--window",
                "2026-11-20T07:00:00+08:00..2026-11-20T10:00:00+08:00",
                "--lang",
                "en",
            ],
            &[],
        );
        assert_ne!(ran.code, Some(0), "{ran:?}");
        format!("{}{}", ran.stdout, ran.stderr)
    }
}

fn window_scheme(options: &str, fields: &str, changed: &str, size: u32) -> String {
    format!(
        "scheme: window
source: {{connection: db, api: rows, options: {options}, fields: {fields}, window: {{field: {changed}}}, page_size: {size}, key: id}}
target: none
schedule: {{every: 6m}}
"
    )
}
