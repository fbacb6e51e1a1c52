//! Where words go: results to stdout, everything else to stderr, JSON when asked.

use std::io::Write;

use app::AppError;
use dsl::catalogue::auth;
use dsl::diagnostic::{Diagnostic, render};
use dsl::{Lang, Value};
use flow::op::RecordState;
use ledger::StoreError;

use super::args::{ColorArg, Global};
use super::env::{Environment, variable_for};
use super::json::{object, pretty};
use super::table::{Table, one_line};
use super::text::Texts;
use super::whereabouts;

/// Problems of one command that are drawn; the rest is counted.
const MAX_DRAWN: usize = 20;

/// The output of one command.
pub(crate) struct Out {
    /// Language of texts.
    pub(crate) lang: Lang,
    /// One JSON document on stdout instead of text.
    pub(crate) json: bool,
    /// Only results.
    pub(crate) quiet: bool,
    color: bool,
    color_err: bool,
    /// A server can be asked for this command.
    pub(crate) asks_servers: bool,
    /// Progress may be drawn.
    pub(crate) live: bool,
    screen: Option<usize>,
    texts: Texts,
}

impl Out {
    /// Decides colour and liveliness once.
    pub(crate) fn new(lang: Lang, global: &Global, environment: &Environment) -> Self {
        let wanted = |terminal: bool| match global.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            ColorArg::Auto => terminal && environment.get("NO_COLOR").is_none(),
        };
        Out {
            lang,
            json: global.json,
            quiet: global.quiet,
            asks_servers: false,
            color: !global.json && wanted(environment.stdout_is_terminal),
            color_err: wanted(environment.stderr_is_terminal),
            live: environment.stderr_is_terminal && !global.quiet && !global.json,
            screen: environment.screen,
            texts: Texts::new(lang),
        }
    }

    /// A text of the catalogue.
    pub(crate) fn text(&self, key: &str, facts: &[(&str, String)]) -> String {
        self.texts.say(key, facts)
    }

    /// A line of the result.
    pub(crate) fn line(&self, text: impl AsRef<str>) {
        write_line(std::io::stdout().lock(), text.as_ref());
    }

    /// A line of the result from the catalogue.
    pub(crate) fn say(&self, key: &str, facts: &[(&str, String)]) {
        self.line(self.text(key, facts));
    }

    /// The same, further in.
    pub(crate) fn say_in(&self, key: &str, facts: &[(&str, String)]) {
        self.line(format!("  {}", self.text(key, facts)));
    }

    /// A table, each row with the state that colours its first column.
    pub(crate) fn table(&self, table: &Table) {
        for line in table.lines(self.screen) {
            self.line(line);
        }
    }

    /// Raw result text, without a line end of its own.
    pub(crate) fn raw(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        if stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush())
            .is_err()
        {
            // The reader of the pipe went away; there is nobody to tell.
        }
    }

    /// The one JSON document of a command.
    pub(crate) fn document(&self, document: &Value) {
        self.line(pretty(document));
    }

    /// Something beside the result: progress, a warning.
    pub(crate) fn aside(&self, text: impl AsRef<str>) {
        if !self.quiet {
            write_line(std::io::stderr().lock(), text.as_ref());
        }
    }

    /// An aside from the catalogue.
    pub(crate) fn note(&self, key: &str, facts: &[(&str, String)]) {
        self.aside(self.text(key, facts));
    }

    /// A state with its sign and colour: never the colour alone.
    pub(crate) fn state(&self, state: RecordState) -> String {
        let (sign, color) = match state {
            RecordState::Pending => ("○", "90"),
            RecordState::Sending => ("◐", "34"),
            RecordState::Done => ("✓", "32"),
            RecordState::Unknown => ("?", "35"),
            RecordState::Held => ("‖", "33"),
            RecordState::Dead => ("✗", "31"),
            RecordState::Skipped => ("–", "90"),
        };
        let text = format!("{sign} {}", self.text(&format!("state-{}", state.word()), &[]));
        self.painted(&text, color)
    }

    /// A text in a colour, where colours are wanted.
    pub(crate) fn painted(&self, text: &str, color: &str) -> String {
        if self.color {
            format!("\u{1b}[{color}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    /// Draws problems of files on stderr.
    pub(crate) fn diagnostics(&self, diagnostics: &[Diagnostic]) {
        if !diagnostics.is_empty() {
            let drawn = render(diagnostics, self.lang, self.color_err, MAX_DRAWN);
            write_line(std::io::stderr().lock(), drawn.trim_end());
        }
    }

    /// Draws problems of files as the result of a command.
    pub(crate) fn findings(&self, diagnostics: &[Diagnostic]) {
        if !diagnostics.is_empty() {
            self.line(render(diagnostics, self.lang, self.color, MAX_DRAWN).trim_end());
            self.line("");
        }
    }

    /// Tells the error that ended a command, and gives its exit code.
    pub(crate) fn error(&self, error: &AppError) -> u8 {
        let help = self
            .set_the_variable(error)
            .or_else(|| self.ask_the_server(error))
            .or_else(|| error.help(self.lang));
        if self.json {
            let mut told = error.to_json(self.lang);
            told["help"] = help.clone().into();
            self.document(&object! {
                "schema" => "engine.error/1",
                "exit_code" => error.exit_code(),
                "error" => told,
            });
        }
        if let AppError::Invalid(diagnostics) = error {
            self.diagnostics(diagnostics);
            return error.exit_code();
        }
        let code = match error {
            // One that this engine does not know is told as well.
            AppError::Answered(answer) => format!("[{}]", answer.code),
            _ => error.code().map(|code| format!("[{code}]")).unwrap_or_default(),
        };
        let mut text = format!("error{code}: {}", error.message(self.lang));
        if let Some(help) = help {
            text.push_str(&format!("\n  = {}", self.text("help-line", &[("help", help)])));
        }
        if let AppError::Answered(answer) = error {
            for one in answer.diagnostics.iter().take(MAX_DRAWN) {
                let word = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
                let place = format!("{}:{}:{}", word("file"), one["line"], one["column"]);
                let line = format!("\n  {place}  {} {}", word("code"), one_line(&word("message")));
                text.push_str(&line);
            }
        }
        write_line(std::io::stderr().lock(), &text);
        error.exit_code()
    }

    /// For a data directory that a server holds: how that server is asked.
    fn ask_the_server(&self, error: &AppError) -> Option<String> {
        let AppError::Store(StoreError::Locked { dir, pid }) = error else {
            return None;
        };
        let server = whereabouts::of(dir, (*pid)?)?;
        // Where nobody has a token or a name, the server would listen to nobody.
        let has = |reader: ledger::Reader| {
            let (tokens, users) = (reader.tokens()?, reader.users()?);
            Ok::<_, StoreError>(tokens.iter().any(|token| token.revoked.is_none()) || !users.is_empty())
        };
        let is_known = app::query::open(dir).map_or(true, |reader| has(reader).unwrap_or(true));
        let key = match (self.asks_servers, is_known) {
            (true, true) => "locked-ask",
            (true, false) => "locked-first",
            (false, _) => "locked-stop",
        };
        Some(self.text(key, &[("server", server)]))
    }

    /// For a missing secret: the line to type.
    fn set_the_variable(&self, error: &AppError) -> Option<String> {
        let AppError::Connection(failure) = error else {
            return None;
        };
        if failure.code() != auth::SECRET_MISSING.code {
            return None;
        }
        let (_, reference) = failure.facts.iter().find(|(name, _)| *name == "reference")?;
        Some(self.text("secret-set", &[("variable", variable_for(reference)?)]))
    }
}

/// Writes a line; a closed pipe is no reason to fail.
fn write_line(mut to: impl Write, text: &str) {
    if writeln!(to, "{text}").is_err() {
        // As above.
    }
}
