//! Help texts from the catalogue, in the language of the user.

use clap::{Arg, ArgAction, Command, CommandFactory};
use dsl::Lang;

use super::args::Cli;
use super::text::Texts;

/// The command line with its words: `help-<command>` and `help-<command>-<argument>`, or `help-<argument>` where an
/// argument means the same everywhere.
pub(crate) fn command(lang: Lang) -> Command {
    let texts = Texts::new(lang);
    let version = Arg::new("version-flag")
        .short('V')
        .long("version")
        .action(ArgAction::Version);
    let command = Cli::command()
        .about(texts.say("help", &[]))
        .after_help(texts.say("help-after", &[]))
        .disable_version_flag(true)
        .arg_required_else_help(true)
        .arg(version);
    worded(command, &texts, "help")
}

fn worded(command: Command, texts: &Texts, prefix: &str) -> Command {
    let usage = texts.say("help-usage", &[]);
    let mut command = command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .arg(Arg::new("help").short('h').long("help").action(ArgAction::Help))
        .subcommand_help_heading(texts.say("help-heading-commands", &[]))
        .help_template(format!(
            "{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}"
        ));
    let arguments: Vec<String> = command
        .get_arguments()
        .map(|arg| arg.get_id().to_string())
        .collect();
    let subcommands: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for id in arguments {
        let name = id.replace('_', "-");
        let text = texts
            .find(&format!("{prefix}-{name}"), &[])
            .or_else(|| texts.find(&format!("help-{name}"), &[]));
        command = command.mut_arg(&id, |arg| with_words(arg, text, texts));
    }
    for name in subcommands {
        let below = format!("{prefix}-{name}");
        let about = texts.say(&below, &[]);
        command = command.mut_subcommand(&name, |sub| worded(sub.about(about), texts, &below));
    }
    command
}

/// Text and heading; the values an argument takes and its default are told in the same language.
fn with_words(arg: Arg, text: Option<String>, texts: &Texts) -> Arg {
    let heading = match (arg.is_positional(), arg.is_global_set()) {
        (true, _) => "help-heading-arguments",
        (false, true) => "help-heading-global",
        (false, false) => "help-heading-options",
    };
    let takes_value = matches!(arg.get_action(), ArgAction::Set | ArgAction::Append);
    let arg = arg.help_heading(texts.say(heading, &[]));
    let Some(mut text) = text else { return arg };
    let mut notes = Vec::new();
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    if takes_value && !values.is_empty() {
        notes.push(texts.say("help-values", &[("values", values.join(" "))]));
    }
    let default: Vec<String> = arg
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if takes_value && !default.is_empty() {
        notes.push(texts.say("help-default", &[("value", default.join(" "))]));
    }
    if !notes.is_empty() {
        text = format!("{text} [{}]", notes.join("; "));
    }
    let arg = arg.help(text);
    if takes_value {
        arg.hide_possible_values(true).hide_default_value(true)
    } else {
        arg
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(command: &Command, path: &str, found: &mut Vec<String>) {
        for arg in command.get_arguments() {
            if arg.get_help().is_none() {
                found.push(format!("{path} {}", arg.get_id()));
            }
        }
        for sub in command.get_subcommands() {
            let path = format!("{path} {}", sub.get_name());
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            if about.is_empty() || about.starts_with("help-") {
                found.push(path.clone());
            }
            missing(sub, &path, found);
        }
    }

    #[test]
    fn every_command_and_argument_has_words() {
        for lang in [Lang::Zh, Lang::En] {
            let mut found = Vec::new();
            missing(&command(lang), "engine", &mut found);
            assert!(found.is_empty(), "{lang:?} without help: {found:#?}");
            command(lang).debug_assert();
        }
    }

    /// An argument with the name of a command would fall back to what the command is for.
    #[test]
    fn no_argument_is_described_by_a_command() {
        for lang in [Lang::Zh, Lang::En] {
            let command = command(lang);
            let abouts: Vec<String> = command
                .get_subcommands()
                .filter_map(|sub| sub.get_about().map(ToString::to_string))
                .collect();
            let check = |of: &Command| {
                for arg in of.get_arguments() {
                    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                    let is_flag = arg.get_id() == "version-flag";
                    assert!(
                        is_flag || !abouts.contains(&help),
                        "{} {}: {help}",
                        of.get_name(),
                        arg.get_id()
                    );
                }
            };
            for sub in command.get_subcommands() {
                check(sub);
                sub.get_subcommands().for_each(check);
            }
        }
    }
}
