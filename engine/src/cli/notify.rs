//! `engine notify`: one message to a channel, now; what was told so far; and channels that are silent for a time.

use std::path::Path;

use app::notify;
use app::notify::mute::{Mute, Mutes};
use app::{Clock, SystemClock};
use dsl::Value;
use ledger::service::notices::{NoticeFilter, NoticeRow};

use super::Done;
use super::args::{Global, NotifyListArgs, NotifyMuteArgs, NotifyTestArgs};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::run;
use super::table::{Table, one_line};
use super::time;

/// `engine notify test CHANNEL`
pub(crate) fn test(args: NotifyTestArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let workspace = run::seen(Path::new("."), global, environment)?;
    let now = SystemClock::default().now_ms();
    let tried = super::block_on(notify::test(&workspace, &args.channel, now))??;
    let code = if tried.taken { 0 } else { 3 };
    if out.json {
        out.document(&object! {
            "schema" => "engine.notify-test/1", "exit_code" => code, "channel" => tried.channel,
            "kind" => tried.kind, "taken" => tried.taken, "answer" => tried.answer,
        });
        return Ok(code);
    }
    let said = if tried.taken {
        "notify-taken"
    } else {
        "notify-refused"
    };
    out.say(
        said,
        &[
            ("channel", tried.channel),
            ("kind", tried.kind.to_owned()),
            ("answer", one_line(&tried.answer)),
        ],
    );
    Ok(code)
}

/// `engine notify list`
pub(crate) fn list(args: NotifyListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let reader = ledgers::open(&args.ledger, global, environment)?;
    let filter = NoticeFilter {
        channel: args.channel,
        state: args.state,
        limit: args.limit,
    };
    let rows = reader.notices(&filter)?;
    let muted =
        Mutes::new(&ledgers::dir(&args.ledger, global, environment)?).all(SystemClock::default().now_ms())?;
    if out.json {
        let notices: Vec<Value> = rows.iter().map(document).collect();
        let muted: Vec<Value> = muted
            .iter()
            .map(|(channel, mute)| {
                object! {
                    "channel" => channel, "since" => time::rfc3339(mute.since),
                    "until" => time::rfc3339(mute.until),
                }
            })
            .collect();
        out.document(&object! {"schema" => "engine.notify-list/1", "notices" => notices, "muted" => muted});
        return Ok(0);
    }
    for (channel, mute) in &muted {
        out.note("notify-muted", &facts(channel, mute));
    }
    if rows.is_empty() {
        out.say("notify-none", &[]);
        return Ok(0);
    }
    let heads = [
        "column-told",
        "column-channel",
        "column-state",
        "column-what-told",
        "column-answer",
    ];
    let mut table = Table::new(heads.iter().map(|key| out.text(key, &[])).collect());
    for row in &rows {
        table.row(vec![
            time::shown(row.at),
            row.notice.channel.clone(),
            out.text(&format!("notice-{}", row.state), &[]),
            one_line(&row.notice.title),
            one_line(row.answer.as_deref().unwrap_or("-")),
        ]);
    }
    out.table(&table);
    Ok(0)
}

/// `engine notify mute CHANNEL --until TIME`
pub(crate) fn mute(args: NotifyMuteArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let workspace = run::seen(Path::new("."), global, environment)?;
    let now = SystemClock::default().now_ms();
    let until = match time::duration(&args.until) {
        Ok(span) => now.saturating_add(span),
        Err(_) => time::instant_or_now(&args.until, now)?,
    };
    let mute = notify::mute(&workspace, &args.channel, now, until)?;
    if out.json {
        out.document(&object! {
            "schema" => "engine.notify-mute/1", "exit_code" => 0_u8, "channel" => args.channel,
            "since" => time::rfc3339(mute.since), "until" => time::rfc3339(mute.until),
        });
        return Ok(0);
    }
    let said = if now < until {
        "notify-muted"
    } else {
        "notify-unmuted"
    };
    out.say(said, &facts(&args.channel, &mute));
    Ok(0)
}

fn facts(channel: &str, mute: &Mute) -> [(&'static str, String); 2] {
    [
        ("channel", channel.to_owned()),
        ("until", time::shown(mute.until)),
    ]
}

fn document(row: &NoticeRow) -> Value {
    let notice = &row.notice;
    object! {
        "at" => time::rfc3339(row.at), "channel" => notice.channel, "rule" => notice.rule,
        "subject" => notice.subject, "cause" => notice.cause, "kind" => notice.kind,
        "title" => notice.title, "text" => notice.body, "state" => row.state, "tries" => row.tries,
        "next" => (row.state == "waiting").then(|| time::rfc3339(row.next)),
        "done" => row.done.map(time::rfc3339), "answer" => row.answer,
    }
}
