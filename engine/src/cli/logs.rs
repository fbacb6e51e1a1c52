//! `engine logs`: what a service wrote down, of one scheme, of one run, since a time, and as it goes on.

use std::time::Duration;

use app::AppError;
use app::logging::{self, Filter};
use serde_json::Value;

use super::Done;
use super::args::{Global, LogsArgs};
use super::env::Environment;
use super::ledgers;
use super::out::Out;
use super::remote::Remote;
use super::time;

/// How often is looked for more with `-f`.
const LOOK: Duration = Duration::from_millis(300);

/// `engine logs`
pub(crate) fn logs(args: LogsArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let local = [
        ("--sandbox", args.ledger.is_simulated()),
        ("--follow", args.follow),
    ];
    let remote = Remote::meant(&local, global, out, environment)?;
    let filter = Filter {
        scheme: args.scheme,
        run: args.run.map(|run| run.to_string()),
        level: args.level,
        since: args.since.as_deref().map(time::instant).transpose()?,
        grep: args.grep,
    };
    if let Some(remote) = remote {
        let run = args.run.ok_or_else(|| {
            AppError::wrong_use(
                "服务按运行给出日志:加上 --run 运行号;engine runs list 列出它们",
                "a server gives the log of one run: add --run RUN; engine runs list names them",
            )
        })?;
        let (lines, more) = remote.log(run, filter.level.as_deref(), args.limit)?;
        if more {
            out.note("logs-more", &[("limit", lines.len().to_string())]);
        }
        let lines: Vec<&String> = lines.iter().filter(|line| filter.wants(line)).collect();
        if lines.is_empty() {
            out.note("logs-none", &[("dir", remote.base().to_owned())]);
        }
        for line in lines {
            show(line, args.ndjson, out);
        }
        return Ok(0);
    }
    let dir = ledgers::dir(&args.ledger, global, environment)?;
    let most = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let found = logging::last(&dir, &filter, most)?;
    let (kept, left_out, mut tail) = (found.lines, found.more, found.tail);
    if kept.is_empty() && !args.follow {
        out.note(
            "logs-none",
            &[("dir", dir.join(logging::FOLDER).display().to_string())],
        );
        return Ok(0);
    }
    if left_out {
        out.note("logs-more", &[("limit", args.limit.to_string())]);
    }
    for line in kept {
        show(&line, args.ndjson, out);
    }
    if !args.follow {
        return Ok(0);
    }
    super::block_on(async {
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                // Whoever follows ends it, and that is no failure.
                _ = tokio::signal::ctrl_c() => return,
            }
            tail.more(&mut |line| {
                if filter.wants(line) {
                    show(line, args.ndjson, out);
                }
            });
        }
    })?;
    Ok(0)
}

fn show(line: &str, ndjson: bool, out: &Out) {
    match serde_json::from_str::<Value>(line) {
        Ok(Value::Object(fields)) if !ndjson && !out.json => out.line(logging::text(&fields)),
        _ => out.line(line),
    }
}
