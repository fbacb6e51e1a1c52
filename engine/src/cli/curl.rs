//! `engine rows show KEY --curl`: the request that would carry a record, to be tried by hand.
//!
//! What logs in and what is sensitive is left out and stands as `$NAME`, for the person to fill in. Trying it is a
//! write that the engine knows nothing of.

use std::sync::Arc;

use app::{Clock, Engine, Preview, SystemClock, sentence_of};
use ledger::read::RecordRow;

use super::Done;
use super::args::{Global, RowsShowArgs};
use super::env::Environment;
use super::out::Out;
use super::retry::{file_of, folder};
use super::run::workspace;
use super::simulators::{Keep, Simulation};

/// Prints it.
pub(crate) fn curl(
    args: &RowsShowArgs,
    row: RecordRow,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    super::block_on(async {
        let folder = folder(args.schemes.as_deref());
        let places = environment.places(global);
        let simulation = Simulation::start(&args.simulated, &folder, &places, Keep::IfThere).await?;
        let workspace = workspace(&folder, global, simulation.simulators(), environment)?;
        let file = file_of(&workspace, &row.scheme, &folder)?;
        let (plan, _) = workspace.compile(&file)?;
        let clock = SystemClock::default();
        let now = clock.now_ms();
        let engine = Engine::rehearse(workspace, Arc::new(clock), &[Arc::clone(&plan)], out.lang)?;
        let request = engine.request(&plan, &row, now, out.lang).await?;
        drop(engine);
        simulation.stop().await;
        match request {
            Ok(request) => {
                let connection = plan
                    .target
                    .as_ref()
                    .map_or("", |target| target.connection.as_str());
                out.line(line(&request, connection));
                out.note("curl-note", &[("name", login(connection))]);
                Ok(0)
            }
            Err(reason) => {
                out.say(
                    "curl-none",
                    &[
                        ("code", reason.code.clone()),
                        ("text", sentence_of(&reason, out.lang)),
                    ],
                );
                Ok(1)
            }
        }
    })?
}

/// The command line for a shell. A statement has none: it is shown with its values, for whichever client there is.
fn line(request: &Preview, connection: &str) -> String {
    if request.method == "SQL" {
        return format!("-- {}\n{}", request.url, request.body);
    }
    let kind = request
        .content_type
        .as_ref()
        .map(|kind| format!("-H {} ", quoted(&format!("content-type: {kind}"))))
        .unwrap_or_default();
    format!(
        "curl -X {} {} \\\n  {kind}-H \"${}\" \\\n  --data-raw {}",
        request.method,
        quoted(&request.url),
        login(connection),
        filled(&request.body, &request.masks),
    )
}

/// The variable that stands for the header of a session or a signature.
fn login(connection: &str) -> String {
    let name: String = connection
        .chars()
        .map(|char| {
            if char.is_ascii_alphanumeric() {
                char.to_ascii_uppercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("{name}_LOGIN")
}

/// One word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// One word of a shell; what was masked is a variable.
fn filled(text: &str, masks: &[usize]) -> String {
    let mut parts = Vec::new();
    let mut from = 0;
    for mask in masks {
        parts.push(text.get(from..*mask).unwrap_or_default());
        from = mask + connector::MASK.len();
    }
    parts.push(text.get(from..).unwrap_or_default());
    let parts: Vec<String> = parts.into_iter().map(quoted).collect();
    parts.join("\"$SECRET\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_takes_it_as_one_word() {
        for (text, want) in [
            ("{\"a\":1}", "'{\"a\":1}'"),
            ("it's", "'it'\\''s'"),
            ("$HOME `x`", "'$HOME `x`'"),
        ] {
            assert_eq!(quoted(text), want);
        }
        let masked = format!("{{\"card\":\"{0}\",\"note\":\"{0}\"}}", connector::MASK);
        let card = masked.find(connector::MASK).unwrap();
        let want = "'{\"card\":\"'\"$SECRET\"'\",\"note\":\"***\"}'";
        assert_eq!(filled(&masked, &[card]), want);
        assert_eq!(login("k3-北京"), "K3____LOGIN");
    }
}
