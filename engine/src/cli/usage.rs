//! What is wrong with a command line, in the user's language.

use app::AppError;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use dsl::Lang;
use dsl::diagnostic::did_you_mean;

use super::text::Texts;

/// The parser's error in both languages.
pub(crate) fn wrong_use(error: &clap::Error, arguments: &[std::ffi::OsString]) -> AppError {
    AppError::wrong_use(
        worded(error, arguments, &Texts::new(Lang::Zh), Lang::Zh),
        worded(error, arguments, &Texts::new(Lang::En), Lang::En),
    )
}

fn worded(error: &clap::Error, arguments: &[std::ffi::OsString], texts: &Texts, lang: Lang) -> String {
    let fact = |kind| error.get(kind).map(shown).unwrap_or_default();
    let argument = fact(ContextKind::InvalidArg);
    let value = fact(ContextKind::InvalidValue);
    let facts = |place: &str, what: &str| [("where", place.to_owned()), ("what", what.to_owned())];
    let sentence = match error.kind() {
        ErrorKind::UnknownArgument => texts.say("use-unknown-argument", &facts("", &argument)),
        ErrorKind::InvalidSubcommand => texts.say(
            "use-unknown-command",
            &facts("", &fact(ContextKind::InvalidSubcommand)),
        ),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation if value.is_empty() => {
            texts.say("use-missing-value", &facts(&argument, ""))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::InvalidUtf8 => {
            texts.say("use-bad-value", &facts(&argument, &value))
        }
        ErrorKind::MissingSubcommand => texts.say("use-missing-command", &[]),
        ErrorKind::MissingRequiredArgument => texts.say("use-missing-argument", &facts("", &argument)),
        ErrorKind::ArgumentConflict => {
            let other = fact(ContextKind::PriorArg);
            if other.is_empty() || other == argument {
                texts.say("use-too-many", &facts(&argument, ""))
            } else {
                texts.say("use-conflict", &facts(&argument, &other))
            }
        }
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            texts.say("use-too-many", &facts(&argument, ""))
        }
        // Kinds that this command line cannot produce keep the parser's words.
        _ => {
            return error
                .render()
                .to_string()
                .trim_start_matches("error: ")
                .trim_end()
                .to_owned();
        }
    };
    let mut parts = vec![sentence];
    let similar = match error.kind() {
        ErrorKind::InvalidSubcommand => near(&fact(ContextKind::InvalidSubcommand), arguments),
        _ => [ContextKind::SuggestedArg, ContextKind::SuggestedValue]
            .into_iter()
            .map(fact)
            .find(|names| !names.is_empty()),
    };
    if let Some(names) = similar {
        parts.push(texts.say("use-similar", &[("what", names)]));
    }
    for kind in [ContextKind::ValidValue, ContextKind::ValidSubcommand] {
        if !fact(kind).is_empty() {
            parts.push(texts.say("use-values", &[("values", fact(kind))]));
        }
    }
    if std::error::Error::source(error).is_some_and(|why| why.is::<std::num::ParseIntError>()) {
        parts.push(texts.say("use-number", &[]));
    }
    parts.push(texts.say("use-see", &[("command", begun(arguments).0)]));
    parts.join(lang.pick(";", "; "))
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(texts) => texts.join(", "),
        ContextValue::StyledStrs(texts) => texts
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        ContextValue::None => String::new(),
        other => other.to_string(),
    }
}

/// Commands named like one that is not there. The parser's own suggestions are too far-fetched.
fn near(name: &str, arguments: &[std::ffi::OsString]) -> Option<String> {
    let (_, command) = begun(arguments);
    let near = did_you_mean(name, command.get_subcommands().map(clap::Command::get_name));
    (!near.is_empty()).then(|| near.join(", "))
}

/// `run ` or `rows list `: the command that was begun.
fn begun(arguments: &[std::ffi::OsString]) -> (String, clap::Command) {
    let mut command = super::help::command(Lang::En);
    let mut names = String::new();
    for argument in arguments.iter().skip(1).filter_map(|argument| argument.to_str()) {
        let Some(found) = command.find_subcommand(argument).cloned() else {
            continue;
        };
        names.push_str(found.get_name());
        names.push(' ');
        command = found;
    }
    (names, command)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn wrong_use_in_both_languages() {
        let check = |line: &str, zh: &str, en: &str| {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let error = super::super::help::command(Lang::Zh)
                .try_get_matches_from(&arguments)
                .expect_err("is wrong");
            let error = wrong_use(&error, &arguments);
            assert_eq!(error.message(Lang::Zh), zh);
            assert_eq!(error.message(Lang::En), en);
        };
        check(
            "engine run a.yaml --limti 3",
            "没有选项 `--limti`;是否想写 --limit?;用法见 engine run --help",
            "there is no option `--limti`; did you mean --limit?; see engine run --help",
        );
        check(
            "engine chekc",
            "没有命令 `chekc`;是否想写 check?;用法见 engine --help",
            "there is no command `chekc`; did you mean check?; see engine --help",
        );
        check(
            "engine rows list --limit x",
            "--limit <N> 不能是 `x`;要写整数;用法见 engine rows list --help",
            "--limit <N> cannot be `x`; a whole number is wanted; see engine rows list --help",
        );
        check(
            "engine run",
            "缺少 <SCHEME>...;用法见 engine run --help",
            "<SCHEME>... is missing; see engine run --help",
        );
    }
}
