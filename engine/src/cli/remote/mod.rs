//! Commands that ask a running engine instead of opening the data directory: `--server URL --token-file FILE`.
//!
//! A thin client of `/api/v1`. What it is answered becomes the same rows that the ledger gives, so that a command says
//! the same words either way. It promises bounds on time and bytes, that the token goes nowhere but to the server that
//! was named, and that a write whose answer was lost is asked once more under the same key, never carried out twice.

mod access;
mod doc;
mod mappings;
mod records;
mod runs;
mod schemes;

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use app::AppError;
use dsl::catalogue::server::{ANSWER_LOST, NO_SERVER, NOT_A_SERVER};
use dsl::diagnostic::Failure;
use dsl::{Lang, Value};
use tokio::runtime::Runtime;
use transport::{AllowList, Answer, Client, Reason, Request, SendError, Settings, Stage, Timeouts};

use super::args::{Command, Global};
use super::env::Environment;
use super::json::pretty;
use super::out::Out;

pub(crate) use doc::Doc;
pub(crate) use records::done_as;
pub(crate) use runs::Begun;
pub(crate) use schemes::State;

/// What stands before every path.
const API: &str = "/api/v1";
/// The largest answer: a page of 500 records is far below it; one record may carry its whole document many times.
const MOST: usize = 32 << 20;
/// Longest token, in bytes: ours have 47.
const LONGEST_TOKEN: u64 = 4_096;
/// The server answers within a second; a trial of a connection waits for another system, step by step.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    first_byte: Duration::from_secs(150),
    idle: Duration::from_secs(15),
    total: Duration::from_secs(180),
};
/// Pages of one list: as many rows as can be decided about at once.
const MOST_PAGES: usize = 200;
/// Rows of a page, the most the API gives.
pub(crate) const PAGE: u32 = 500;

/// Where a command can be carried out.
enum Reach {
    /// Here and by a server.
    Both,
    /// By a server only: it is about what is under way there.
    Server,
    /// Here: it works on the ledger, and the ledger of another machine is out of reach.
    Ledger,
    /// Here: it works on files or on nothing.
    Files,
}

fn reach(command: &Command) -> Reach {
    use super::args::{ConnectionCommand, RowsCommand, RunsCommand, UserCommand};
    match command {
        Command::Run(args) if args.dry_run => Reach::Files,
        Command::Rows(RowsCommand::Export(_))
        | Command::Audit(_)
        | Command::Receive(_)
        | Command::Publish(_)
        | Command::Notify(_)
        | Command::Verify(_)
        | Command::Replay(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Migrate(_)
        | Command::Adopt(_)
        | Command::Diff(_)
        | Command::Doctor(_)
        | Command::Tap(_)
        | Command::Serve(_) => Reach::Ledger,
        Command::Runs(RunsCommand::Cancel(_)) => Reach::Server,
        Command::Connection(ConnectionCommand::List | ConnectionCommand::Test(_))
        | Command::Run(_)
        | Command::Status(_)
        | Command::Top(_)
        | Command::Rows(_)
        | Command::Retry(_)
        | Command::Runs(_)
        | Command::Token(_)
        | Command::User(
            UserCommand::Add(_) | UserCommand::Passwd(_) | UserCommand::List(_) | UserCommand::Rm(_),
        )
        | Command::Schemes(_)
        | Command::Map(_)
        | Command::Logs(_) => Reach::Both,
        _ => Reach::Files,
    }
}

/// Whether a server can be asked for a command.
pub(crate) fn reaches(command: &Command) -> bool {
    matches!(reach(command), Reach::Both | Reach::Server)
}

/// Refuses a command that the server meant cannot be asked for. A variable of the environment is meant for the commands
/// that know it; but one that would work on another ledger than those before it must not go by in silence.
pub(crate) fn fits(command: &Command, global: &Global, environment: &Environment) -> Result<(), AppError> {
    let meant = server(global, environment);
    match (reach(command), meant) {
        (Reach::Server, None) => Err(AppError::wrong_use(
            "此命令作用于运行中的服务:用 --server 地址 --token-file 文件 指出它",
            "this command is about a running server: name it with --server URL --token-file FILE",
        )),
        (Reach::Both | Reach::Server, _) | (_, None) => Ok(()),
        (Reach::Files, Some(_)) if global.remote.server.is_none() => Ok(()),
        (Reach::Files, Some(_)) => Err(AppError::wrong_use(
            "此命令只用本机的文件,不能加 --server",
            "this command works on files of this machine: it takes no --server",
        )),
        (Reach::Ledger, Some(url)) => {
            let shown = shown(url);
            Err(AppError::wrong_use(
                format!(
                    "此命令要打开数据目录,不能通过服务 {shown} 执行:在服务所在的机器上执行,不写 --server 与 ENGINE_SERVER"
                ),
                format!(
                    "this command opens the data directory and cannot go through the server {shown}: use it on the server's machine, without --server and ENGINE_SERVER"
                ),
            ))
        }
    }
}

/// The server that is meant: flag, then environment.
fn server<'a>(global: &'a Global, environment: &'a Environment) -> Option<&'a str> {
    let flag = global.remote.server.as_deref();
    flag.or_else(|| environment.get("ENGINE_SERVER"))
}

/// An address without what may be a password in it.
pub(crate) fn shown(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

/// A running engine that is asked.
pub(crate) struct Remote {
    runtime: Runtime,
    client: Client,
    allow: AllowList,
    base: String,
    token: Option<String>,
    pub(crate) lang: Lang,
}

/// An answer of the server.
pub(crate) struct Reply {
    /// The document; null where the answer has no body.
    pub(crate) body: Value,
    /// The version of what is shown.
    pub(crate) tag: Option<String>,
}

impl Remote {
    /// The server that is meant; `None` = the data directory is. `local` are flags that only mean something here, and
    /// whether they were given.
    pub(crate) fn meant(
        local: &[(&str, bool)],
        global: &Global,
        out: &Out,
        environment: &Environment,
    ) -> Result<Option<Remote>, AppError> {
        let Some(url) = server(global, environment) else {
            return Ok(None);
        };
        if let Some((flag, _)) = local.iter().find(|(_, given)| *given) {
            return Err(AppError::wrong_use(
                format!("{flag} 只用于本机,不能与 --server(或 ENGINE_SERVER)同用"),
                format!(
                    "{flag} is for this machine only and cannot be used with --server (or ENGINE_SERVER)"
                ),
            ));
        }
        let (base, allow, plain) = address(url)?;
        let file = global.remote.token_file.clone();
        let file = file.or_else(|| environment.get("ENGINE_TOKEN_FILE").map(Into::into));
        let token = file.as_deref().map(|file| token(file, out)).transpose()?;
        if plain && token.is_some() {
            out.note("remote-plain", &[("server", base.clone())]);
        }
        let ca = global.remote.server_ca.clone();
        let ca = ca.or_else(|| environment.get("ENGINE_SERVER_CA").map(Into::into));
        let settings = Settings {
            extra_roots_pem: ca.as_deref().map(read).transpose()?.unwrap_or_default(),
            ..Settings::default()
        };
        let client = Client::new(settings).map_err(|error| {
            AppError::wrong_use(
                format!("--server-ca 不可用:{error}"),
                format!("--server-ca cannot be used: {error}"),
            )
        })?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| AppError::bug(format!("no runtime: {error}")))?;
        Ok(Some(Remote {
            runtime,
            client,
            allow,
            base,
            token,
            lang: out.lang,
        }))
    }

    /// Its address.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Asks for something.
    pub(crate) fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, AppError> {
        Ok(self.ask("GET", path, query, None, None)?.body)
    }

    /// Asks for something with its version.
    pub(crate) fn get_tagged(&self, path: &str) -> Result<Reply, AppError> {
        self.ask("GET", path, &[], None, None)
    }

    /// Asks for a change.
    pub(crate) fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, AppError> {
        Ok(self.send("POST", path, body)?.body)
    }

    /// Asks for a change of what was read as this version.
    pub(crate) fn post_matched(
        &self,
        path: &str,
        body: &Value,
        tag: Option<&str>,
    ) -> Result<Value, AppError> {
        let body = Some(("application/json", pretty(body).into_bytes()));
        Ok(self.ask("POST", path, &[], body, tag)?.body)
    }

    /// Asks for a change in any manner.
    pub(crate) fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply, AppError> {
        let body = body.map(|body| ("application/json", pretty(body).into_bytes()));
        self.ask(method, path, &[], body, None)
    }

    /// Sends the text of a scheme.
    pub(crate) fn send_text(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, String)],
        text: &str,
        tag: Option<&str>,
    ) -> Result<Value, AppError> {
        let body = Some(("application/yaml", text.as_bytes().to_vec()));
        Ok(self.ask(method, path, query, body, tag)?.body)
    }

    /// Every item of a list, up to a bound; and whether there are more.
    pub(crate) fn list(
        &self,
        path: &str,
        query: &[(&str, String)],
        most: usize,
    ) -> Result<(Vec<Value>, bool), AppError> {
        let mut items: Vec<Value> = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let left = u32::try_from(most.saturating_sub(items.len())).unwrap_or(u32::MAX);
            let mut query = query.to_vec();
            query.push(("limit", left.clamp(1, PAGE).to_string()));
            query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
            let body = self.get(path, &query)?;
            let page = self.doc(&body);
            items.extend(page.list("items")?.iter().cloned());
            cursor = page.text_or_none("next")?;
            if cursor.is_none() || items.len() >= most {
                break;
            }
        }
        let more = cursor.is_some() || items.len() > most;
        items.truncate(most);
        Ok((items, more))
    }

    /// An answer, for reading.
    pub(crate) fn doc<'a>(&'a self, value: &'a Value) -> Doc<'a> {
        Doc::new(value, &self.base)
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, String)],
        body: Option<(&str, Vec<u8>)>,
        tag: Option<&str>,
    ) -> Result<Reply, AppError> {
        let mut url = format!("{}{API}{path}", self.base);
        for (nth, (name, value)) in query.iter().enumerate() {
            url.push(if nth == 0 { '?' } else { '&' });
            url.push_str(&format!("{name}={}", escaped(value)));
        }
        let mut headers = vec![
            ("accept".to_owned(), "application/json".to_owned()),
            (
                "accept-language".to_owned(),
                self.lang.pick("zh", "en").to_owned(),
            ),
        ];
        let token = self.token.as_ref();
        headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}"))));
        headers.extend(tag.map(|tag| ("if-match".to_owned(), format!("\"{tag}\""))));
        if method != "GET" {
            headers.push(("idempotency-key".to_owned(), server::access::random_text()?));
        }
        let bytes = match body {
            None => Vec::new(),
            Some((kind, bytes)) => {
                headers.push(("content-type".to_owned(), kind.to_owned()));
                bytes
            }
        };
        let request = || Request {
            method,
            url: &url,
            headers: &headers,
            body: bytes.clone(),
            timeouts: TIMEOUTS,
            read_cap: MOST,
            gzip: false,
            allow: &self.allow,
        };
        let answer = self.runtime.block_on(async {
            match self.client.send(request()).await {
                // Under the same key it is carried out once, however often it arrives. Who was silent for minutes is not
                // asked again.
                Err(lost) if matches!(lost.reason, Reason::Broken | Reason::Truncated) => {
                    self.client.send(request()).await
                }
                answered => answered,
            }
        });
        self.read(answer)
    }

    fn read(&self, answer: Result<Answer, SendError>) -> Result<Reply, AppError> {
        let answer = answer.map_err(|error| not_answered(&self.base, &error, self.lang))?;
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if let (200, "text/csv", Ok(text)) = (answer.status, kind, std::str::from_utf8(&answer.body)) {
            return Ok(Reply {
                tag: None,
                body: text.into(),
            });
        }
        let body = match answer.body.is_empty() {
            true => Ok(Value::Null),
            false => dsl::json::parse(&answer.body),
        };
        match (answer.status, body) {
            (200..=299, Ok(body)) if body.is_null() || kind == "application/json" => Ok(Reply {
                tag: answer.header("etag").map(|tag| tag.trim_matches('"').to_owned()),
                body,
            }),
            (400..=599, Ok(body)) if kind == server::problem::PROBLEM_JSON => {
                Err(self.doc(&body).refusal(answer.status)?)
            }
            (status, _) => {
                let kind: String = kind.chars().take(60).collect();
                let what = format!("HTTP {status} {}", kind.escape_debug());
                Err(other_server(&self.base, what.trim_end()))
            }
        }
    }
}

/// The sentence of a code.
fn worded(code: &str, lang: Lang) -> String {
    dsl::catalogue::find(code).map_or_else(|| code.to_owned(), |entry| Failure::new(entry).message(lang))
}

/// Something else answers.
fn other_server(base: &str, what: &str) -> AppError {
    Failure::new(&NOT_A_SERVER)
        .with("server", base)
        .with("what", what)
        .into()
}

fn not_answered(base: &str, error: &SendError, lang: Lang) -> AppError {
    let entry = match error.stage {
        Stage::NotSent => &NO_SERVER,
        Stage::Lost => &ANSWER_LOST,
    };
    Failure::new(entry)
        .with("server", base)
        .with("why", app::spoken(error, lang))
        .into()
}

/// The address without the slash at its end, where it may lead, and whether others on the way can read along.
fn address(url: &str) -> Result<(String, AllowList, bool), AppError> {
    let wrong = || {
        let shown = shown(url);
        AppError::wrong_use(
            format!("--server 要写 http://主机:端口 或 https://主机:端口,而不是 `{shown}`"),
            format!("--server takes http://HOST:PORT or https://HOST:PORT, not `{shown}`"),
        )
    };
    let base = url.trim().trim_end_matches('/');
    let base = base.strip_suffix(API).unwrap_or(base);
    let is_web = base.starts_with("http://") || base.starts_with("https://");
    if !is_web || base.contains(['?', '#', '@', ' ']) {
        return Err(wrong());
    }
    // Whoever types an address means it: it may be this machine, or one of the company.
    let allow = AllowList::parse([base, "127.0.0.0/8", "::1"])
        .map_err(|_| wrong())?
        .plain_http(true)
        .private_network(true);
    allow.permits(base).map_err(|_| wrong())?;
    let host = base.split_once("://").map_or("", |(_, rest)| rest);
    let near = ["127.", "localhost", "[::1]"]
        .iter()
        .any(|near| host.starts_with(near));
    Ok((base.to_owned(), allow, base.starts_with("http://") && !near))
}

fn read(path: &Path) -> Result<Vec<u8>, AppError> {
    let failed = |error: std::io::Error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    let mut bytes = Vec::new();
    // A bundle of every authority of the world has 250 KiB.
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(1 << 20).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// The token of a file: its first line.
fn token(path: &Path, out: &Out) -> Result<String, AppError> {
    let failed = |error: std::io::Error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    #[cfg(unix)]
    if let Ok(about) = file.metadata() {
        let mode = std::os::unix::fs::PermissionsExt::mode(&about.permissions());
        if about.is_file() && mode & 0o077 != 0 {
            out.note("remote-token-open", &[("file", path.display().to_string())]);
        }
    }
    #[cfg(not(unix))]
    let _ = out;
    let mut text = String::new();
    file.take(LONGEST_TOKEN)
        .read_to_string(&mut text)
        .map_err(failed)?;
    let token = text.lines().next().unwrap_or_default().trim();
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        let file = path.display();
        return Err(AppError::wrong_use(
            format!("{file} 里没有令牌:第一行要是 engine token create 给出的文本"),
            format!("there is no token in {file}: its first line has to be what engine token create gave"),
        ));
    }
    Ok(token.to_owned())
}

/// A text as part of an address.
pub(crate) fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}
