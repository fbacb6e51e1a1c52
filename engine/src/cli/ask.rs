//! "Do it?" before what cannot be undone (UX 3.1).

use std::io::BufRead;

use app::AppError;

use super::env::Environment;
use super::out::Out;

/// Whether to go on. What will happen, and how much of it, has been shown; `--yes` skips the question, and without a
/// terminal to ask at nothing is done.
pub(crate) fn confirmed(out: &Out, environment: &Environment, yes: bool) -> Result<bool, AppError> {
    if yes {
        return Ok(true);
    }
    if !environment.stdin_is_terminal || out.json {
        return Err(AppError::wrong_use(
            "没有终端可以询问;确认无误后加 --yes",
            "there is no terminal to ask at; add --yes when this is meant",
        ));
    }
    let yes = agreed(out);
    if !yes {
        out.note("ask-left", &[]);
    }
    Ok(yes)
}

/// The question itself, at a terminal.
pub(crate) fn agreed(out: &Out) -> bool {
    out.aside(out.text("ask-go-on", &[]));
    let mut answer = String::new();
    // Nothing that can be read is no consent.
    drop(std::io::stdin().lock().read_line(&mut answer));
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "是")
}
