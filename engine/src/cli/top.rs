//! `engine top`: the table of `engine status`, again and again, until somebody ends it.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use app::{AppError, Clock, SystemClock};

use super::Done;
use super::args::{Global, TopArgs};
use super::env::Environment;
use super::out::Out;
use super::{status, time};

/// The shortest pause: each look asks the ledger some questions a scheme.
const LEAST: i64 = 1_000;

/// `engine top`
pub(crate) fn top(args: TopArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if !environment.stdout_is_terminal || out.json {
        return Err(AppError::wrong_use(
            "top 只能在终端上用;脚本请用 engine status --json",
            "top needs a terminal; scripts use engine status --json",
        ));
    }
    let every = time::duration(&args.every)?.max(LEAST);
    let pause = Duration::from_millis(every.unsigned_abs());
    // A look may ask a server, which waits in its own way: the end is heard beside it.
    let (end, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let heard = super::block_on(tokio::signal::ctrl_c());
        // Nobody listens once the command has failed.
        drop(end.send(heard));
    });
    loop {
        // From the upper left corner, and nothing of before.
        out.raw("\u{1b}[H\u{1b}[2J");
        let now = time::shown(SystemClock::default().now_ms());
        out.say("top-head", &[("now", now), ("every", time::span(every))]);
        status::status(args.status.clone(), global, out, environment)?;
        // Whoever looks ends it, and that is no failure.
        if !matches!(ended.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
            return Ok(0);
        }
    }
}
