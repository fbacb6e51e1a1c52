//! What can go wrong outside of records: files, store, systems. Worded here, flattened to text and exit code by the
//! binary.

use dsl::catalogue;
use dsl::diagnostic::{self, Diagnostic, Failure, Lang};
use ledger::StoreError;
use serde_json::{Value, json};

/// An error that ends a command.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppError {
    /// Files that do not pass the checks.
    #[error("{} problems in the files", .0.len())]
    Invalid(Vec<Diagnostic>),
    /// A file or folder that cannot be read.
    #[error("{path}: {what}")]
    File {
        /// As the user wrote it.
        path: String,
        /// What the system says.
        what: String,
    },
    /// Wrong use, worded in both languages.
    #[error("{en}")]
    Use {
        /// Chinese.
        zh: String,
        /// English.
        en: String,
    },
    /// The ledger.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A connection that cannot be used: a missing secret, a refused login.
    #[error("{}", .0.message(Lang::En))]
    Connection(Box<Failure>),
    /// The other system did not give what it was asked for.
    #[error("{}", .0.text)]
    Refused(flow::op::Reason),
    /// A running engine refused what it was asked for.
    #[error("{}", .0.title)]
    Answered(Box<Answered>),
    /// What was asked for is refused, with a code of the catalogue.
    #[error("{}", .0.message(Lang::En))]
    Denied(Box<Failure>),
    /// A defect of the engine.
    #[error("internal error: {0}")]
    Bug(String),
}

/// What a running engine said when it refused, in its own words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// Status of the answer.
    pub status: u16,
    /// Its code. A newer engine may have codes that are not known here.
    pub code: String,
    /// What happened.
    pub title: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Problems of a file, as it tells them.
    pub diagnostics: Vec<Value>,
}

impl Answered {
    /// Who asks is not known, may not, or may not now; or the server has a problem of its own. Anything else is what was
    /// asked for.
    fn is_of_the_server(&self) -> bool {
        matches!(self.status, 401 | 403 | 408 | 429 | 500..)
    }
}

impl AppError {
    /// A defect.
    pub fn bug(what: impl Into<String>) -> Self {
        AppError::Bug(what.into())
    }

    /// Wrong use.
    pub fn wrong_use(zh: impl Into<String>, en: impl Into<String>) -> Self {
        AppError::Use {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// A name that nobody knows, of a thing called so in Chinese and English, with those there are and the nearest.
    pub fn no_such((zh, en): (&str, &str), name: &str, all: &[&str]) -> Self {
        let near = diagnostic::did_you_mean(name, all.iter().copied()).join(", ");
        let (near_zh, near_en) = match near.as_str() {
            "" => Default::default(),
            near => (format!(";是否想写 {near}?"), format!("; did you mean {near}?")),
        };
        AppError::wrong_use(
            format!("没有{zh} `{name}`;已有:{}{near_zh}", all.join("、")),
            format!("there is no {en} `{name}`; there are {}{near_en}", all.join(", ")),
        )
    }

    /// The exit code of a command that ends with this.
    pub fn exit_code(&self) -> u8 {
        match self {
            AppError::Invalid(_) | AppError::File { .. } | AppError::Use { .. } | AppError::Denied(_) => 2,
            // A name that was written wrong; nothing was connected to.
            AppError::Connection(failure) if failure.entry == &catalogue::connector::BAD_ENV => 2,
            AppError::Store(StoreError::Locked { .. }) => 4,
            AppError::Store(StoreError::Bug(_)) | AppError::Bug(_) => 101,
            AppError::Answered(answer) if !answer.is_of_the_server() => 2,
            AppError::Store(_) | AppError::Connection(_) | AppError::Refused(_) | AppError::Answered(_) => 3,
        }
    }

    /// The word for its kind in machine-readable output.
    pub fn kind(&self) -> &'static str {
        match self {
            AppError::Invalid(_) => "invalid",
            AppError::File { .. } => "file",
            AppError::Use { .. } | AppError::Denied(_) => "use",
            AppError::Store(_) => "store",
            AppError::Connection(_) | AppError::Refused(_) => "connection",
            AppError::Answered(_) => "server",
            AppError::Bug(_) => "bug",
        }
    }

    /// Its code in the catalogue. Wrong use has none, and problems of files have one each.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            AppError::Store(error) => Some(error.code()),
            AppError::Connection(failure) | AppError::Denied(failure) => Some(failure.code()),
            AppError::Refused(reason) => catalogue::find(&reason.code).map(|entry| entry.code),
            AppError::Answered(answer) => catalogue::find(&answer.code).map(|entry| entry.code),
            AppError::Bug(_) => Some(catalogue::internal::INTERNAL.code),
            AppError::Invalid(_) | AppError::File { .. } | AppError::Use { .. } => None,
        }
    }

    /// What happened, as one sentence.
    pub fn message(&self, lang: Lang) -> String {
        match self {
            AppError::Invalid(diagnostics) => {
                let count = diagnostics.iter().filter(|one| one.is_error()).count();
                match (lang, count) {
                    (Lang::Zh, _) => format!("文件中有 {count} 个错误"),
                    (Lang::En, 1) => "there is 1 error in the files".to_owned(),
                    (Lang::En, _) => format!("there are {count} errors in the files"),
                }
            }
            AppError::File { path, what } => {
                let what = system_words(what, lang);
                lang.pick(
                    format!("无法读取 {path}:{what}"),
                    format!("cannot read {path}: {what}"),
                )
            }
            AppError::Use { zh, en } => lang.pick(zh, en).clone(),
            AppError::Store(error) => match failure_of(error) {
                Some(failure) => failure.message(lang),
                None => error.to_string(),
            },
            AppError::Connection(failure) | AppError::Denied(failure) => worded(failure, lang),
            AppError::Refused(reason) => crate::reason::sentence(reason, lang),
            AppError::Answered(answer) => answer.title.clone(),
            AppError::Bug(what) => lang.pick(format!("内部错误:{what}"), format!("internal error: {what}")),
        }
    }

    /// What to do about it.
    pub fn help(&self, lang: Lang) -> Option<String> {
        match self {
            AppError::Store(error) => failure_of(error)?.help(lang),
            AppError::Connection(failure) | AppError::Denied(failure) => failure.help(lang),
            AppError::Refused(reason) => Failure::new(catalogue::find(&reason.code)?).help(lang),
            AppError::Answered(answer) => answer.help.clone(),
            AppError::Bug(_) => Failure::new(&catalogue::internal::INTERNAL).help(lang),
            AppError::Invalid(_) | AppError::File { .. } | AppError::Use { .. } => None,
        }
    }

    /// For programs: kind, code, message, help and, for files, every problem.
    pub fn to_json(&self, lang: Lang) -> Value {
        let diagnostics: Vec<Value> = match self {
            AppError::Invalid(diagnostics) => diagnostics
                .iter()
                .map(|one| diagnostic::to_json(one, lang))
                .collect(),
            AppError::Answered(answer) => answer.diagnostics.clone(),
            _ => Vec::new(),
        };
        json!({
            "kind": self.kind(),
            "code": self.code(),
            "message": self.message(lang),
            "help": self.help(lang),
            "diagnostics": diagnostics,
        })
    }
}

/// A failure's sentence, with the other system's words in full where the sentence does not hold them.
fn worded(failure: &Failure, lang: Lang) -> String {
    let text = failure.message(lang);
    match &failure.vendor {
        Some(words) if !text.contains(words.as_str()) => format!("{text}: {words}"),
        Some(_) | None => text,
    }
}

fn failure_of(error: &StoreError) -> Option<Failure> {
    let entry = catalogue::find(error.code())?;
    Some(Failure {
        entry,
        facts: error.facts(),
        field: None,
        vendor: None,
    })
}

/// The operating system's most frequent sentences in the user's words; anything else as it is.
fn system_words(what: &str, lang: Lang) -> String {
    let plain = what.split(" (os error ").next().unwrap_or(what);
    match (lang, plain) {
        (Lang::Zh, "No such file or directory") => "文件不存在".to_owned(),
        (Lang::En, "No such file or directory") => "no such file".to_owned(),
        (Lang::Zh, "Permission denied") => "没有权限".to_owned(),
        (Lang::Zh, "Is a directory") => "这是一个文件夹".to_owned(),
        (Lang::Zh, "not a file") => "不是文件".to_owned(),
        _ => plain.to_owned(),
    }
}

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        AppError::Connection(Box::new(failure))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_and_words() {
        let check = |error: AppError, code: u8, kind: &str, zh: &str, en: &str| {
            assert_eq!(error.exit_code(), code, "{error}");
            assert_eq!(error.kind(), kind);
            assert_eq!(error.message(Lang::Zh), zh);
            assert_eq!(error.message(Lang::En), en);
            assert_eq!(error.to_json(Lang::En)["message"], en);
        };
        let missing = AppError::File {
            path: "a.yaml".to_owned(),
            what: "No such file or directory (os error 2)".to_owned(),
        };
        check(
            missing,
            2,
            "file",
            "无法读取 a.yaml:文件不存在",
            "cannot read a.yaml: no such file",
        );
        check(AppError::wrong_use("错", "wrong"), 2, "use", "错", "wrong");
        let locked = StoreError::Locked {
            dir: "d".into(),
            pid: Some(7),
        };
        check(
            locked.into(),
            4,
            "store",
            "数据目录 d 正被进程 7 使用",
            "the data directory d is in use by process 7",
        );
        let absent = StoreError::Missing { dir: "d".into() };
        check(
            absent.into(),
            3,
            "store",
            "d 中没有账本",
            "there is no ledger in d",
        );
        check(AppError::bug("x"), 101, "bug", "内部错误:x", "internal error: x");
    }
}
