//! `engine rows skip|hold|resolve`: a person decides about one record, gives a reason, and it is noted.

use app::operate::{self, Desk};
use app::{AppError, Clock, SystemClock, query};
use dsl::{Lang, Value};
use flow::decision::{Decided, Decision, Ruling, possible};
use flow::op::RecordState;
use ledger::read::{RecordLife, RecordRow};

use super::Done;
use super::args::{Global, LedgerArgs, RowsDecideArgs, RowsResolveArgs};
use super::ask::confirmed;
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::remote::{self, Remote};
use super::rows;
use super::table::one_line;

/// `engine rows skip`
pub(crate) fn skip(args: RowsDecideArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    simple(args, Decision::Skip, global, out, environment)
}

/// `engine rows hold`
pub(crate) fn hold(args: RowsDecideArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    simple(args, Decision::Hold, global, out, environment)
}

fn simple(
    args: RowsDecideArgs,
    decision: Decision,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    let wanted = Wanted {
        key: &args.key,
        scheme: args.scheme.as_deref(),
        reason: &args.reason,
        decision,
        asks: false,
        yes: true,
    };
    decide(wanted, &args.ledger, global, out, environment)
}

/// `engine rows resolve`
pub(crate) fn resolve(args: RowsResolveArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if args.done_as.is_none() && !args.not_there {
        return Err(AppError::wrong_use(
            "要说明结果:--done-as 内码(目标里已有它的单据),或 --not-there(您已查看,目标里没有)",
            "say what you found: --done-as ID (its document is at the target), or --not-there (you looked, and it is not)",
        ));
    }
    let decision = match args.done_as {
        Some(id) if id.trim().is_empty() => {
            return Err(AppError::wrong_use(
                "--done-as 要写目标系统里的内码",
                "--done-as takes the id at the target",
            ));
        }
        Some(id) => Decision::DoneAs {
            id,
            number: args.number,
        },
        None => Decision::NotThere,
    };
    let wanted = Wanted {
        key: &args.key,
        scheme: args.scheme.as_deref(),
        reason: &args.reason,
        // Only this one can lead to a second document, when the person is wrong.
        asks: decision == Decision::NotThere,
        decision,
        yes: args.yes,
    };
    decide(wanted, &args.ledger, global, out, environment)
}

/// What a record stands at that has its own document written already.
struct About {
    /// The step, as the scheme calls it.
    step: String,
    /// What it writes and where, as far as it was ever sent.
    document: String,
}

/// The step that a decision is about: one that writes a document of its own, which another key or kind of document tells.
/// A step that goes on with the record's document (submit, audit) is none: that document is what is decided about.
fn step_of(life: &RecordLife) -> Option<About> {
    let row = &life.record;
    let step = row.step.clone()?;
    let sent = life.attempts.iter().rev();
    let last = sent
        .into_iter()
        .find(|attempt| attempt.step.as_ref() == Some(&step))?;
    let own = [&row.target, &row.form, &row.tkey].map(|known| known.as_deref().unwrap_or_default());
    let key = query::key_text(&last.tkey);
    let document = format!("{} {} {key}", last.target, last.form);
    let document = document.trim_end().to_owned();
    (own != [&last.target, &last.form, &last.tkey].map(String::as_str)).then_some(About { step, document })
}

/// A decision about the one record a word means.
struct Wanted<'a> {
    key: &'a str,
    scheme: Option<&'a str>,
    reason: &'a str,
    decision: Decision,
    asks: bool,
    yes: bool,
}

fn decide(
    wanted: Wanted<'_>,
    args: &LedgerArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    given(wanted.reason)?;
    let local = [("--sandbox", args.is_simulated())];
    let remote = Remote::meant(&local, global, out, environment)?;
    let (row, step) = match &remote {
        Some(remote) => {
            let row = remote.one(wanted.scheme, wanted.key)?;
            let asks = wanted.asks && row.step.is_some();
            let stories = asks
                .then(|| remote.stories(Some(&row.scheme), &row.key))
                .transpose()?;
            let lives = stories.into_iter().flatten().map(|story| story.life);
            let step = lives.map(|life| step_of(&life)).next().flatten();
            (row, step)
        }
        None => {
            let reader = query::open(&ledgers::dir(args, global, environment)?)?;
            ledgers::known(&reader, wanted.scheme)?;
            let row = operate::one(&reader, wanted.scheme, wanted.key)?;
            let asks = wanted.asks && row.step.is_some();
            let lives = asks
                .then(|| query::show(&reader, Some(&row.scheme), &row.key))
                .transpose()?;
            let step = lives
                .into_iter()
                .flatten()
                .map(|life| step_of(&life))
                .next()
                .flatten();
            (row, step)
        }
    };
    // Told before anything is asked or locked.
    if !wanted.decision.fits(row.state) {
        return Err(unfit(&wanted.decision, &row, row.state));
    }
    if wanted.asks {
        let (key, scheme) = (("key", shown(&row)), ("scheme", row.scheme.clone()));
        match step {
            Some(About { step, document }) => out.note(
                "decide-step-not-there",
                &[key, scheme, ("step", step), ("document", document)],
            ),
            None => out.note("decide-not-there", &[key, scheme]),
        }
        if !confirmed(out, environment, wanted.yes)? {
            return Ok(1);
        }
    }
    let (to, after) = match &remote {
        Some(remote) => through(remote, &wanted, &row)?,
        None => here(&wanted, &row, args, global, out, environment)?,
    };
    if out.json {
        out.document(&object! {
            "schema" => format!("engine.rows-{}/1", wanted.decision.word()),
            "exit_code" => 0_u8,
            "from" => row.state.word(),
            "to" => to.word(),
            "reason" => wanted.reason,
            "row" => rows::record(&after, out.lang),
        });
        return Ok(0);
    }
    out.say(
        "decided",
        &[
            ("key", shown(&row)),
            ("from", out.state(row.state)),
            ("to", out.state(to)),
        ],
    );
    if after.version != row.version {
        out.say_in("decided-newer", &[]);
    }
    rows::say_next(&after, out);
    Ok(0)
}

/// Carries a decision out in the data directory; the state it led to, and the record after it.
fn here(
    wanted: &Wanted<'_>,
    row: &RecordRow,
    args: &LedgerArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Result<(RecordState, RecordRow), AppError> {
    let dir = ledgers::dir(args, global, environment)?;
    let name = environment_name(args, global, environment);
    let mut desk = Desk::open(&dir, &name, out.lang, environment.failpoint()?.as_ref())?;
    let decided = Decided {
        record: row.record,
        state: row.state,
        version: row.version.clone(),
        attempt: row.attempt,
        decision: wanted.decision.clone(),
    };
    let now = SystemClock::default().now_ms();
    let rulings = desk.decide(vec![decided], &environment.person(), wanted.reason, now)?;
    let ruling = rulings
        .into_iter()
        .next()
        .ok_or_else(|| AppError::bug("a decision without a ruling"))?;
    let Ruling::Moved(to) = ruling else {
        return Err(refused(&ruling, &wanted.decision, row));
    };
    let after = operate::one(&desk.reader(), Some(&row.scheme), &row.key)?;
    Ok((to, after))
}

/// Carries a decision out through a server.
fn through(
    remote: &Remote,
    wanted: &Wanted<'_>,
    row: &RecordRow,
) -> Result<(RecordState, RecordRow), AppError> {
    let more = match &wanted.decision {
        Decision::DoneAs { id, number } => vec![("done_as", remote::done_as(id, number.as_deref()))],
        Decision::NotThere => vec![("not_there", Value::from(true))],
        Decision::Skip | Decision::Hold | Decision::Retry(_) => Vec::new(),
    };
    let one = std::slice::from_ref(row);
    let decided = remote.decide(wanted.decision.word(), one, wanted.reason, more)?;
    let after = remote.record(row.record)?;
    match decided.examples.first() {
        None => Ok((after.state, after)),
        Some((_, state, why)) => Err(refused(&ruling(why, *state, &after), &wanted.decision, row)),
    }
}

/// Why a server left a record as it is.
pub(crate) fn ruling(why: &str, seen: RecordState, after: &RecordRow) -> Ruling {
    match why {
        "unfit" => Ruling::Unfit { state: seen },
        "taken" => Ruling::Taken {
            holder: "-".to_owned(),
        },
        "keyless" => Ruling::Keyless,
        "member" => Ruling::Member {
            document: "-".to_owned(),
        },
        "nothing_stored" => Ruling::NothingStored,
        _ => Ruling::Changed { state: after.state },
    }
}

/// A reason is kept for ever; blank ones are none.
pub(crate) fn given(reason: &str) -> Result<(), AppError> {
    if reason.trim().is_empty() {
        return Err(AppError::wrong_use(
            "--reason 不能为空:写下为什么这样决定",
            "--reason may not be blank: say why this is decided",
        ));
    }
    Ok(())
}

/// Whose ledger it is.
pub(crate) fn environment_name(args: &LedgerArgs, global: &Global, environment: &Environment) -> String {
    if args.is_simulated() {
        return query::SANDBOX.to_owned();
    }
    let places = environment.places(global);
    places.env.unwrap_or_else(|| "default".to_owned())
}

/// The key as people write it.
pub(crate) fn shown(row: &RecordRow) -> String {
    one_line(&query::key_text(&row.key))
}

/// Why a decision was not carried out.
fn refused(ruling: &Ruling, decision: &Decision, row: &RecordRow) -> AppError {
    let key = shown(row);
    match ruling {
        Ruling::Unfit { state } => unfit(decision, row, *state),
        Ruling::Changed { state } => AppError::wrong_use(
            format!(
                "{key} 刚刚变了,现在是“{}”;重新查看后再决定",
                state_in(*state, Lang::Zh)
            ),
            format!(
                "{key} has just changed and is {} now; look again, then decide",
                state_in(*state, Lang::En)
            ),
        ),
        Ruling::Taken { holder } => AppError::wrong_use(
            format!("这个内码的单据属于另一条数据:{holder}"),
            format!("the document with that id belongs to another record: {holder}"),
        ),
        Ruling::Keyless => AppError::wrong_use(
            format!("{key} 的数据行没有可用的键,无法写入;请在来源修正后重新读取"),
            format!(
                "the row of {key} has no usable key and cannot be written; mend it at the source and read again"
            ),
        ),
        Ruling::Member { document } => AppError::wrong_use(
            format!(
                "{key} 已合成在单据 {document} 里,跟随该单据:请对单据作决定(engine rows show {document})"
            ),
            format!(
                "{key} is in the document {document} and follows it: decide about the document (engine rows show {document})"
            ),
        ),
        Ruling::NothingStored => AppError::wrong_use(
            format!("{key} 的当前版本没有保存过报文;用 --latest"),
            format!("no document of the current version of {key} is stored; use --latest"),
        ),
        Ruling::Moved(_) => AppError::bug("a decision that was carried out is told as refused"),
    }
}

/// What may be decided instead.
fn unfit(decision: &Decision, row: &RecordRow, state: RecordState) -> AppError {
    let key = shown(row);
    let commands: Vec<String> = possible(state)
        .into_iter()
        .map(|word| match word {
            "retry" => format!("engine retry --key {key}"),
            "resolve" => format!("engine rows resolve {key} --done-as ID | --not-there"),
            word => format!("engine rows {word} {key}"),
        })
        .collect();
    let (zh, en) = match state {
        RecordState::Sending => (
            "进程若已停止,下一次运行会先询问目标".to_owned(),
            "if its process has stopped, the next run asks the target first".to_owned(),
        ),
        RecordState::Done | RecordState::Skipped => (
            "来源数据变化时会有新版本".to_owned(),
            "a new version comes when the source row changes".to_owned(),
        ),
        RecordState::Pending | RecordState::Unknown | RecordState::Dead | RecordState::Held => (
            format!("可以:{}", commands.join(";")),
            format!("possible: {}", commands.join("; ")),
        ),
    };
    AppError::wrong_use(
        format!(
            "{key} 是“{}”,不能 {};{zh}",
            state_in(state, Lang::Zh),
            decision.word()
        ),
        format!(
            "{key} is {}, so it cannot be {}; {en}",
            state_in(state, Lang::En),
            past(decision)
        ),
    )
}

fn past(decision: &Decision) -> &'static str {
    match decision {
        Decision::Skip => "skipped",
        Decision::Hold => "held",
        Decision::DoneAs { .. } | Decision::NotThere => "resolved",
        Decision::Retry(_) => "retried",
    }
}

fn state_in(state: RecordState, lang: Lang) -> String {
    super::text::Texts::new(lang).say(&format!("state-{}", state.word()), &[])
}

/// A decision for programs, where several are told together.
pub(crate) fn ruled(ruling: &Ruling) -> Value {
    let word = match ruling {
        Ruling::Moved(to) => to.word(),
        Ruling::Changed { .. } => "changed",
        Ruling::Unfit { .. } => "unfit",
        Ruling::Taken { .. } => "taken",
        Ruling::Keyless => "keyless",
        Ruling::Member { .. } => "member",
        Ruling::NothingStored => "nothing_stored",
    };
    Value::Text(word.to_owned())
}
