//! Servers of our own: set up in a folder, started on a free port of this machine, ended with the test.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// How long a server may take to answer, in steps of a tenth of a second: a loaded machine is slow.
const PATIENCE: u32 = 600;

/// The account of the tests, and what must never be seen.
pub(crate) const USER: &str = "tester";
pub(crate) const PASSWORD: &str = "canary-p4ssw0rd";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file, and no server.
    Sqlite,
    Mariadb,
    Postgresql,
}

/// A server at work.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    process: Option<Child>,
    folder: TempDir,
    papers: Papers,
}

/// The certificate of a server, and who vouches for it.
#[derive(Debug)]
struct Papers {
    authority: String,
    another: String,
    certificate: String,
    key: String,
    digest: String,
}

fn pem(what: &str, bytes: &[u8]) -> String {
    let text = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64"))
        .collect();
    format!(
        "-----BEGIN {what}-----\n{}\n-----END {what}-----\n",
        lines.join("\n")
    )
}

impl Papers {
    fn made() -> Papers {
        let authority = || {
            let key = rcgen::KeyPair::generate().expect("a key");
            let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).expect("no names");
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let certificate = pem(
                "CERTIFICATE",
                params.self_signed(&key).expect("a certificate").der(),
            );
            (rcgen::Issuer::new(params, key), certificate)
        };
        let ((issuer, own), (_, another)) = (authority(), authority());
        let key = rcgen::KeyPair::generate().expect("a key");
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let params = rcgen::CertificateParams::new(names).expect("names");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let digest = <sha2::Sha256 as sha2::Digest>::digest(certificate.der());
        Papers {
            authority: own,
            another,
            certificate: pem("CERTIFICATE", certificate.der()),
            key: pem("PRIVATE KEY", &key.serialize_der()),
            digest: digest.iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Puts them where a server reads them.
    fn put(&self, folder: &Path) -> (PathBuf, PathBuf) {
        let (certificate, key) = (folder.join("server.pem"), folder.join("server.key"));
        std::fs::write(&certificate, &self.certificate).expect("a file");
        std::fs::write(&key, &self.key).expect("a file");
        (certificate, key)
    }
}

/// How a system calls its types, and what it tells of them.
pub(crate) struct Types {
    pub(crate) double: &'static str,
    pub(crate) clock: &'static str,
    pub(crate) instant: &'static str,
    pub(crate) bytes: &'static str,
    pub(crate) boolean: &'static str,
    /// The instant 2026-11-20 08:15 of Shanghai.
    pub(crate) a_moment: &'static str,
    pub(crate) some_bytes: &'static str,
    pub(crate) truth: &'static str,
    pub(crate) flag: &'static str,
    /// A key that the database makes.
    pub(crate) counting: &'static str,
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(process) = &mut self.process else { return };
        // PostgreSQL's "fast": it does not wait for its clients.
        let signal = if self.kind == Kind::Postgresql {
            "-INT"
        } else {
            "-TERM"
        };
        drop(
            Command::new("kill")
                .arg(signal)
                .arg(process.id().to_string())
                .status(),
        );
        drop(process.wait());
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it listens").port()
}

fn done(command: &mut Command) -> String {
    let out = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        out.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&out.stdout),
        String::from_utf8_lossy(&out.stderr)
    );
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn missing(what: &str, package: &str) -> ! {
    panic!("{what} is not installed: `cargo xtask test` installs it, or: apt-get install {package}")
}

/// The programs of the newest PostgreSQL of this machine.
fn postgresql_programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<PathBuf> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().unwrap_or_else(|| missing("PostgreSQL", "postgresql"))
}

/// PostgreSQL runs under no root; its package brings an account for it.
fn as_somebody(program: &Path) -> Command {
    let own = done(Command::new("id").arg("-u"));
    if own.trim() != "0" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"])
        .arg(program);
    command
}

impl Server {
    pub(crate) fn sqlite() -> Server {
        let folder = tempfile::tempdir().expect("a folder");
        drop(rusqlite::Connection::open(folder.path().join("target.db")).expect("a file"));
        Server {
            kind: Kind::Sqlite,
            port: 0,
            process: None,
            folder,
            papers: Papers::made(),
        }
    }

    fn file(&self) -> rusqlite::Connection {
        let file = rusqlite::Connection::open(self.folder.path().join("target.db")).expect("our own file");
        file.busy_timeout(Duration::from_secs(30)).expect("a file");
        file
    }

    pub(crate) fn mariadb() -> Server {
        let daemon = ["/usr/sbin/mariadbd", "/usr/bin/mariadbd"]
            .into_iter()
            .find(|path| Path::new(path).is_file())
            .unwrap_or_else(|| missing("MariaDB", "mariadb-server"));
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        done(Command::new("mariadb-install-db").args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--user=root",
            &format!("--datadir={}", data.display()),
        ]));
        let papers = Papers::made();
        let (certificate, key) = papers.put(folder.path());
        let port = free_port();
        let process = Command::new(daemon)
            .args([
                "--no-defaults",
                "--user=root",
                "--skip-log-bin",
                "--bind-address=127.0.0.1",
            ])
            .args([
                "--character-set-server=utf8mb4",
                "--innodb-flush-log-at-trx-commit=0",
            ])
            .arg(format!("--ssl-cert={}", certificate.display()))
            .arg(format!("--ssl-key={}", key.display()))
            .arg(format!("--port={port}"))
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", folder.path().join("s").display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let server = Server {
            kind: Kind::Mariadb,
            port,
            process: Some(process),
            folder,
            papers,
        };
        server.ready();
        server.run_as_owner("CREATE DATABASE erp");
        for host in ["127.0.0.1", "localhost"] {
            server.run_as_owner(&format!(
                "CREATE USER '{USER}'@'{host}' IDENTIFIED BY '{PASSWORD}'"
            ));
            server.run_as_owner(&format!("GRANT ALL ON erp.* TO '{USER}'@'{host}'"));
        }
        server
    }

    pub(crate) fn postgresql() -> Server {
        let bin = postgresql_programs();
        let folder = tempfile::tempdir().expect("a folder");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // The server's own account must get in.
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))
                .expect("our own folder");
        }
        let data = folder.path().join("data");
        let secret = folder.path().join("secret");
        std::fs::write(&secret, PASSWORD).expect("a file");
        done(
            as_somebody(&bin.join("initdb"))
                .current_dir(folder.path())
                .args([
                    "--username",
                    USER,
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                ])
                .arg(format!("--pgdata={}", data.display()))
                .arg(format!("--pwfile={}", secret.display())),
        );
        let papers = Papers::made();
        let (certificate, key) = papers.put(folder.path());
        // The server wants its key to be nobody else's: the copy is its own account's.
        let own_key = folder.path().join("own.key");
        done(
            as_somebody(Path::new("/usr/bin/install"))
                .args(["-m", "600"])
                .arg(&key)
                .arg(&own_key),
        );
        let port = free_port();
        let process = as_somebody(&bin.join("postgres"))
            .current_dir(folder.path())
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-c", "fsync=off", "-c", "ssl=on"])
            .args(["-c", &format!("ssl_cert_file={}", certificate.display())])
            .args(["-c", &format!("ssl_key_file={}", own_key.display())])
            .arg("-k")
            .arg(folder.path())
            .arg("-p")
            .arg(port.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a server");
        let server = Server {
            kind: Kind::Postgresql,
            port,
            process: Some(process),
            folder,
            papers,
        };
        server.ready();
        server.run_as_owner("CREATE DATABASE erp");
        server
    }

    /// Who vouches for its certificate, as PEM.
    pub(crate) fn authority(&self) -> String {
        self.papers.authority.clone()
    }

    /// Somebody who does not.
    pub(crate) fn another_authority(&self) -> String {
        self.papers.another.clone()
    }

    /// The SHA-256 of its certificate.
    pub(crate) fn digest(&self) -> &str {
        &self.papers.digest
    }

    /// Where the oracle speaks to MariaDB, which is taught the one zone that it needs.
    pub(crate) fn socket(&self) -> PathBuf {
        let zone = "Asia/Shanghai";
        let rows = done(
            Command::new("mariadb-tzinfo-to-sql")
                .arg(Path::new("/usr/share/zoneinfo").join(zone))
                .arg(zone),
        );
        done(self.client("mysql").arg(rows));
        self.folder.path().join("s")
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The parameters of a connection to it, at this port.
    pub(crate) fn params(&self, port: u16) -> String {
        match self.kind {
            Kind::Sqlite => format!("file: {}", self.folder.path().join("target.db").display()),
            Kind::Mariadb | Kind::Postgresql => format!(
                "server: \"{}://127.0.0.1:{port}/erp\", user: {USER}, password: \"${{env:DB_PASSWORD}}\"",
                self.connector()
            ),
        }
    }

    pub(crate) fn connector(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite => "sqlite",
            Kind::Mariadb => "mysql",
            Kind::Postgresql => "postgresql",
        }
    }

    pub(crate) fn types(&self) -> Types {
        match self.kind {
            Kind::Sqlite => Types {
                double: "REAL",
                clock: "TEXT",
                instant: "TEXT",
                bytes: "BLOB",
                boolean: "BOOLEAN",
                a_moment: "'2026-11-20 08:15:00'",
                some_bytes: "x'0001FF'",
                truth: "TRUE",
                flag: "1",
                counting: "INTEGER PRIMARY KEY AUTOINCREMENT",
            },
            Kind::Mariadb => Types {
                double: "DOUBLE",
                clock: "DATETIME(3)",
                instant: "TIMESTAMP NULL",
                bytes: "VARBINARY(9)",
                boolean: "BOOLEAN",
                a_moment: "FROM_UNIXTIME(1795133700)",
                some_bytes: "x'0001FF'",
                truth: "TRUE",
                flag: "1",
                counting: "BIGINT AUTO_INCREMENT PRIMARY KEY",
            },
            Kind::Postgresql => Types {
                double: "DOUBLE PRECISION",
                clock: "TIMESTAMP",
                instant: "TIMESTAMPTZ",
                bytes: "BYTEA",
                boolean: "BOOLEAN",
                a_moment: "'2026-11-20 00:15:00+00'",
                some_bytes: "'\\x0001ff'",
                truth: "TRUE",
                flag: "true",
                counting: "BIGSERIAL PRIMARY KEY",
            },
        }
    }

    fn client(&self, database: &str) -> Command {
        match self.kind {
            Kind::Sqlite => unreachable!("a file is opened"),
            Kind::Mariadb => {
                let mut client = Command::new("mariadb");
                client
                    .args(["--no-defaults", "--user=root", "--batch", "--skip-column-names"])
                    .args(["--default-character-set=utf8mb4"])
                    .arg(format!("--socket={}", self.folder.path().join("s").display()))
                    .arg(format!("--database={database}"))
                    .arg("--execute");
                client
            }
            Kind::Postgresql => {
                let mut client = Command::new("psql");
                client
                    .env("PGPASSWORD", PASSWORD)
                    .env("PGTZ", "UTC")
                    .args([
                        "-h",
                        "127.0.0.1",
                        "-U",
                        USER,
                        "-q",
                        "-A",
                        "-t",
                        "-v",
                        "ON_ERROR_STOP=1",
                    ])
                    .arg("-p")
                    .arg(self.port.to_string())
                    .arg(database)
                    .arg("-c");
                client
            }
        }
    }

    fn system(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite => "main",
            Kind::Mariadb => "mysql",
            Kind::Postgresql => "postgres",
        }
    }

    fn ready(&self) {
        for _ in 0..PATIENCE {
            let asked = self
                .client(self.system())
                .arg("SELECT 1")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if asked.is_ok_and(|status| status.success()) {
                return;
            }
            #[expect(
                clippy::disallowed_methods,
                reason = "waits for a process that tells nobody when it is ready"
            )]
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{:?} does not answer", self.kind);
    }

    fn run_as_owner(&self, sql: &str) {
        done(self.client(self.system()).arg(sql));
    }

    /// Executes a statement.
    pub(crate) fn run(&self, sql: &str) {
        if self.kind == Kind::Sqlite {
            return self.file().execute_batch(sql).expect("our own statement");
        }
        done(self.client("erp").arg(sql));
    }

    /// The one number that a statement gives.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        if self.kind == Kind::Sqlite {
            return self
                .file()
                .query_row(sql, [], |row| row.get(0))
                .expect("a number");
        }
        let text = done(self.client("erp").arg(sql));
        text.trim().parse().unwrap_or_else(|_| panic!("{sql}: {text}"))
    }

    /// What is written to; `order_lines` has no unique key. Without `key` the orders have none either.
    pub(crate) fn tables(&self, key: &str) {
        self.run(&format!(
            "CREATE TABLE orders (order_no VARCHAR(40) {key}, amount DECIMAL(12,2), qty INT, \
             CONSTRAINT sane CHECK (qty <> 13000))"
        ));
        self.run("CREATE TABLE order_lines (order_no VARCHAR(40), line INT, sku VARCHAR(20))");
    }

    pub(crate) fn drop_tables(&self) {
        self.run("DROP TABLE orders");
        self.run("DROP TABLE order_lines");
        self.run("DROP TABLE IF EXISTS engine_attempts");
    }
}
