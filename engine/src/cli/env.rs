//! The only place that reads the process's environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use app::manager::Manager;
use app::secrets::SecretPlaces;
use app::{AppError, Failpoint, Places};
use connector::{Secret, SecretKind, Secrets};
use dsl::Lang;
use ledger::room::Room;

use super::args::Global;

/// The environment, read once at the start.
pub(crate) struct Environment {
    variables: Arc<BTreeMap<String, String>>,
    /// stdin is a terminal.
    pub(crate) stdin_is_terminal: bool,
    /// stdout is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// stderr is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// Cells of a line, where stdout is a terminal that says so.
    pub(crate) screen: Option<usize>,
}

impl Environment {
    /// Reads it. Variables that are not text cannot be meant for us.
    pub(crate) fn capture() -> Self {
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let stdout_is_terminal = std::io::stdout().is_terminal();
        let screen = stdout_is_terminal
            .then(|| terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)))
            .flatten();
        Environment {
            variables: Arc::new(variables),
            stdin_is_terminal: std::io::stdin().is_terminal(),
            stdout_is_terminal,
            stderr_is_terminal: std::io::stderr().is_terminal(),
            screen,
        }
    }

    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The service manager that started this process, if one did.
    pub(crate) fn manager(&self) -> Manager {
        let of = |name| self.get(name);
        Manager::new(of("NOTIFY_SOCKET"), of("WATCHDOG_USEC"), of("WATCHDOG_PID"))
    }

    /// What references of connections.yaml stand for.
    pub(crate) fn secrets(&self) -> ProcessSecrets {
        ProcessSecrets(Arc::clone(&self.variables))
    }

    /// Flag, then environment, then default.
    pub(crate) fn places(&self, global: &Global) -> Places {
        let path = |name: &str| self.get(name).map(PathBuf::from);
        Places {
            connections: global.connections.clone().or_else(|| path("ENGINE_CONNECTIONS")),
            data_dir: global.data_dir.clone().or_else(|| path("ENGINE_DATA_DIR")),
            env: global
                .env
                .clone()
                .or_else(|| self.get("ENGINE_ENV").map(str::to_owned)),
            // Refused at the start when they cannot be read.
            room: self.room().unwrap_or_default(),
            keep_ms: self.keep_ms().unwrap_or_default(),
            failpoint: self.failpoint().unwrap_or_default(),
            secrets: SecretPlaces {
                file: path("ENGINE_SECRETS_FILE"),
                key: self.get(STORE_KEY).map(Secret::new),
                key_file: global
                    .key_file
                    .clone()
                    .or_else(|| path("ENGINE_SECRETS_KEY_FILE")),
            },
        }
    }

    /// `ENGINE_MIN_FREE` and `ENGINE_MAX_LEDGER`.
    pub(crate) fn room(&self) -> Result<Room, AppError> {
        let default = Room::default();
        let size = |name: &str, default: u64| match self.get(name) {
            None => Ok(default),
            Some(text) => bytes(text).ok_or_else(|| {
                AppError::wrong_use(
                    format!("{name}={text} 不是大小:写字节数或 64m、20g"),
                    format!("{name}={text} is not a size: write bytes, or 64m, 20g"),
                )
            }),
        };
        Ok(Room {
            least_free: size("ENGINE_MIN_FREE", default.least_free)?,
            most: size("ENGINE_MAX_LEDGER", default.most)?,
        })
    }

    /// `ENGINE_KEEP`: at least a day, so that what went wrong overnight can still be looked at.
    pub(crate) fn keep_ms(&self) -> Result<Option<i64>, AppError> {
        let Some(text) = self.get("ENGINE_KEEP") else {
            return Ok(None);
        };
        match super::time::duration(text) {
            Ok(ms) if ms >= LEAST_KEPT => Ok(Some(ms)),
            Ok(_) | Err(_) => Err(AppError::wrong_use(
                format!("ENGINE_KEEP={text} 不可用:写至少一天的时长,如 90d"),
                format!("ENGINE_KEEP={text} cannot be used: write a duration of at least a day, such as 90d"),
            )),
        }
    }

    /// `ENGINE_FAILPOINT`: for trials, see [`Failpoint`].
    pub(crate) fn failpoint(&self) -> Result<Option<Arc<Failpoint>>, AppError> {
        let Some(text) = self.get("ENGINE_FAILPOINT") else {
            return Ok(None);
        };
        match Failpoint::parse(text) {
            Some(failpoint) => Ok(Some(Arc::new(failpoint))),
            None => Err(AppError::wrong_use(
                format!("ENGINE_FAILPOINT={text} 不是故障点,它只用于试验"),
                format!("ENGINE_FAILPOINT={text} is no failpoint; it is meant for trials only"),
            )),
        }
    }

    /// The account that runs this, for notes of decisions; by its number where the environment names none, as under
    /// a service manager or cron.
    pub(crate) fn person(&self) -> String {
        let names = ["SUDO_USER", "USER", "LOGNAME", "USERNAME"];
        let found = names.iter().find_map(|name| self.get(name));
        found.map_or_else(nameless, str::to_owned)
    }
}

/// The variable that holds the key of the secret store. Its name is none that a `${secret:name}` stands for.
const STORE_KEY: &str = "ENGINE_SECRETS_KEY";

/// The least that `ENGINE_KEEP` may be.
const LEAST_KEPT: i64 = 86_400_000;

/// `uid 1000@host`
fn nameless() -> String {
    #[cfg(unix)]
    {
        // Linux; elsewhere a process has no folder of its own, and `?` stands for its owner.
        let owner = std::fs::metadata("/proc/self")
            .map(|own| std::os::unix::fs::MetadataExt::uid(&own).to_string())
            .unwrap_or_else(|_| "?".to_owned());
        let host = ["/proc/sys/kernel/hostname", "/etc/hostname"]
            .iter()
            .find_map(|path| std::fs::read_to_string(path).ok())
            .unwrap_or_default();
        match host.trim() {
            "" => format!("uid {owner}"),
            host => format!("uid {owner}@{host}"),
        }
    }
    #[cfg(not(unix))]
    "?".to_owned()
}

/// `${env:X}` is the variable X, `${secret:x}` the variable [`variable_of`] names. An empty secret is none: it would
/// only be refused later, by someone else, in other words.
#[derive(Clone)]
pub(crate) struct ProcessSecrets(Arc<BTreeMap<String, String>>);

impl Secrets for ProcessSecrets {
    fn get(&self, kind: SecretKind, name: &str) -> Option<String> {
        match kind {
            // The key of the store opens everything: nobody is sent it.
            SecretKind::Env if name == STORE_KEY => None,
            SecretKind::Env => self.0.get(name).cloned(),
            SecretKind::Secret => self
                .0
                .get(&variable_of(name))
                .filter(|value| !value.is_empty())
                .cloned(),
        }
    }
}

/// The variable that holds `${secret:name}`: `ENGINE_SECRET_` and the name, letters in capitals, digits kept, any other
/// ASCII character `_`, and anything else `U` with its code point, so that no two Chinese names are one variable.
pub(crate) fn variable_of(name: &str) -> String {
    let mut variable = String::from("ENGINE_SECRET_");
    for char in name.chars() {
        match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' => variable.push(char.to_ascii_uppercase()),
            _ if char.is_ascii() => variable.push('_'),
            _ => variable.push_str(&format!("U{:04X}", u32::from(char))),
        }
    }
    variable
}

/// The variable that would satisfy a reference as it is written in connections.yaml.
pub(crate) fn variable_for(reference: &str) -> Option<String> {
    let inside = reference.strip_prefix("${")?.strip_suffix('}')?;
    match inside.split_once(':')? {
        ("env", name) => Some(name.to_owned()),
        ("secret", name) => Some(variable_of(name)),
        _ => None,
    }
}

/// `--lang`, else `ENGINE_LANG`, `LC_ALL`, `LANG`; needed before the arguments are parsed, because help has a language.
pub(crate) fn language(arguments: &[OsString], environment: &Environment) -> Lang {
    let named = given(arguments)
        .or_else(|| environment.get("ENGINE_LANG"))
        .or_else(|| environment.get("LC_ALL"))
        .or_else(|| environment.get("LANG"))
        .unwrap_or_default();
    if named.to_ascii_lowercase().starts_with("zh") {
        Lang::Zh
    } else {
        Lang::En
    }
}

fn given(arguments: &[OsString]) -> Option<&str> {
    let mut given = None;
    for (index, argument) in arguments.iter().enumerate() {
        match argument.to_str() {
            Some("--") => break,
            Some("--lang") => given = arguments.get(index + 1).and_then(|next| next.to_str()),
            Some(other) => given = other.strip_prefix("--lang=").or(given),
            None => {}
        }
    }
    given
}

/// `1048576`, `512k`, `64m`, `20g` in bytes.
fn bytes(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['k', 'm', 'g', 'K', 'M', 'G']);
    let shift = match &text[digits.len()..] {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, want) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("3k", Some(3 << 10)),
            ("64M", Some(64 << 20)),
            ("20g", Some(20 << 30)),
            ("20gg", None),
            ("g", None),
            ("-1", None),
            ("99999999999g", None),
        ] {
            assert_eq!(bytes(text), want, "{text}");
        }
    }

    fn with(variables: &[(&str, &str)]) -> Environment {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Environment {
            variables: Arc::new(variables.iter().map(own).collect()),
            stdin_is_terminal: false,
            stdout_is_terminal: false,
            stderr_is_terminal: false,
            screen: None,
        }
    }

    #[test]
    fn what_is_kept_is_kept_for_a_day_at_least() {
        for (text, want) in [
            ("1d", Some(86_400_000)),
            ("24h", Some(86_400_000)),
            ("90d", Some(90 * 86_400_000)),
        ] {
            assert_eq!(with(&[("ENGINE_KEEP", text)]).keep_ms().unwrap(), want);
        }
        assert_eq!(with(&[]).keep_ms().unwrap(), None);
        for text in ["0ms", "23h", "long", "-1d"] {
            let told = with(&[("ENGINE_KEEP", text)]).keep_ms().unwrap_err().to_string();
            assert!(told.starts_with(&format!("ENGINE_KEEP={text}")), "{told}");
        }
    }

    #[test]
    fn whoever_decides_has_a_name() {
        assert_eq!(with(&[("USER", "li")]).person(), "li");
        assert_eq!(with(&[("USER", "root"), ("SUDO_USER", "li")]).person(), "li");
        let nameless = with(&[]).person();
        if cfg!(target_os = "linux") {
            let number = nameless
                .strip_prefix("uid ")
                .and_then(|rest| rest.split('@').next());
            assert!(number.is_some_and(|uid| uid.parse::<u32>().is_ok()), "{nameless}");
        }
    }

    #[test]
    fn every_reference_names_its_variable() {
        for (reference, want) in [
            ("${env:HUKE_KEY}", Some("HUKE_KEY")),
            ("${secret:k3}", Some("ENGINE_SECRET_K3")),
            ("${secret:k3-Prod.app}", Some("ENGINE_SECRET_K3_PROD_APP")),
            ("${secret:密钥}", Some("ENGINE_SECRET_U5BC6U94A5")),
            ("${file:x}", None),
            ("plain", None),
        ] {
            assert_eq!(variable_for(reference).as_deref(), want, "{reference}");
        }
        let table = [
            ("ENGINE_SECRET_K3", "a"),
            ("ENGINE_SECRET_EMPTY", ""),
            ("EMPTY", ""),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let secrets = ProcessSecrets(Arc::new(table.into_iter().collect()));
        assert_eq!(secrets.get(SecretKind::Secret, "k3").as_deref(), Some("a"));
        assert_eq!(secrets.get(SecretKind::Secret, "empty"), None);
        assert_eq!(secrets.get(SecretKind::Env, "EMPTY").as_deref(), Some(""));
        assert_eq!(secrets.get(SecretKind::Env, "K3"), None);
        let key = [(STORE_KEY.to_owned(), "key".to_owned())];
        let secrets = ProcessSecrets(Arc::new(key.into_iter().collect()));
        assert_eq!(secrets.get(SecretKind::Env, STORE_KEY), None);
    }

    #[test]
    fn the_last_language_before_two_dashes_counts() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (text, want) in [
            ("engine run x", None),
            ("engine --lang zh run", Some("zh")),
            ("engine run --lang=en", Some("en")),
            ("engine expr -- --lang=en", None),
        ] {
            assert_eq!(given(&words(text)), want, "{text}");
        }
    }
}
