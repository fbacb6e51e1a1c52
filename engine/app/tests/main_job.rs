//! The main job through the library: real HTTP, real SQLite, simulated vendors.

use std::path::Path;
use std::sync::Arc;

use app::{
    Engine, Opening, Places, Replay, RunOptions, RunReport, SecretTable, Silent, Simulators, SystemClock,
    Workspace,
};
use dsl::Lang;
use dsl::plan::Plan;
use flow::op::{Reason, RunStatus, Trigger};
use flow::timetable::Paused;
use flow::window::Interval;
use flow::{Stages, Stopped};

const IDS: [&str; 2] = ["netease-huke", "kingdee-k3cloud"];

fn options(dry: bool, now: i64) -> RunOptions {
    RunOptions {
        now: Some(now),
        window: None,
        from: None,
        replay: None,
        limit: None,
        settle_wait: None,
        stages: Stages::All,
        dry,
        lang: Lang::En,
        trigger: None,
        confirmed: false,
        cancel: None,
    }
}

fn workspace(simulated: &sandbox::Running, data: &Path) -> Workspace {
    let params = IDS
        .iter()
        .filter_map(|id| Some(((*id).to_owned(), simulated.params(id)?)))
        .collect();
    let secrets = SecretTable {
        env: Default::default(),
        secret: Default::default(),
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemes/huke-to-k3.yaml");
    let places = Places {
        data_dir: Some(data.to_owned()),
        ..Places::default()
    };
    let simulators = Simulators {
        params,
        quiet_period_ms: 500,
    };
    match Workspace::load(&root, places, Some(simulators), Box::new(secrets)) {
        Ok(workspace) => workspace,
        Err(error) => panic!("{error:?}"),
    }
}

async fn pass(simulated: &sandbox::Running, data: &Path, dry: bool) -> Vec<RunReport> {
    let workspace = workspace(simulated, data);
    let scheme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemes/huke-to-k3.yaml");
    let (plan, _) = match workspace.compile(&scheme) {
        Ok(compiled) => compiled,
        Err(app::AppError::Invalid(problems)) => {
            panic!("{}", dsl::diagnostic::render(&problems, Lang::En, false, 20))
        }
        Err(error) => panic!("{error:?}"),
    };
    let mut plans = workspace.feeders(&plan);
    plans.push(plan);
    let clock = Arc::new(SystemClock::default());
    let engine = if dry {
        Engine::rehearse(workspace, clock, &plans, Lang::En)
    } else {
        Engine::open(workspace, clock, &plans, Lang::En, &Opening::default())
    }
    .expect("the ledger opens");
    let mut reports = Vec::new();
    for plan in plans {
        let options = options(dry, simulated.now_ms());
        reports.push(engine.run(plan, &options, &Silent).await.expect("the run ends"));
    }
    reports
}

#[tokio::test]
async fn customers_move_once() {
    let data = tempfile::tempdir().expect("a folder");
    let simulated = sandbox::start(sandbox::Config {
        trades: 300,
        ..sandbox::Config::default()
    })
    .await
    .expect("the simulators start");
    let rehearsed = pass(&simulated, data.path(), true).await;
    assert!(simulated.journal().is_empty(), "a rehearsal writes nothing");
    let first = pass(&simulated, data.path(), false).await;
    for report in &first {
        assert_eq!(report.exit_code(), 0, "{report:#?}");
        assert!(report.summary.counts.add_up(), "{report:#?}");
    }
    let main = &first[1];
    let written = simulated.journal().len();
    assert!(written > 10, "{written} customers");
    assert_eq!(
        main.summary.counts.done + main.summary.counts.skipped,
        main.summary.counts.fetched
    );
    let planned: usize = rehearsed[1].previews.iter().map(|call| call.rows.len()).sum();
    assert_eq!(planned, written);
    let second = pass(&simulated, data.path(), false).await;
    assert_eq!(second[1].summary.calls, 0, "{:#?}", second[1]);
    assert_eq!(simulated.journal().len(), written, "nothing is written twice");
}

/// An engine for the scheme with these brakes, whose feeder has run.
async fn braked(simulated: &sandbox::Running, data: &Path, brakes: dsl::plan::Brakes) -> (Engine, Arc<Plan>) {
    let workspace = workspace(simulated, data);
    let scheme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemes/huke-to-k3.yaml");
    let (plan, _) = workspace.compile(&scheme).expect("it compiles");
    let feeders = workspace.feeders(&plan);
    let mut plan = Plan::clone(&plan);
    plan.brakes = brakes;
    let plan = Arc::new(plan);
    let plans: Vec<Arc<Plan>> = feeders.iter().cloned().chain([Arc::clone(&plan)]).collect();
    let clock = Arc::new(SystemClock::default());
    let engine =
        Engine::open(workspace, clock, &plans, Lang::En, &Opening::default()).expect("the ledger opens");
    for feeder in feeders {
        let options = options(false, simulated.now_ms());
        engine.run(feeder, &options, &Silent).await.expect("the run ends");
    }
    (engine, plan)
}

async fn by_clock(engine: &Engine, plan: &Arc<Plan>, now: i64) -> RunReport {
    let options = RunOptions {
        trigger: Some(Trigger::Schedule),
        ..options(false, now)
    };
    let ran = engine.run(Arc::clone(plan), &options, &Silent).await;
    ran.expect("the run ends")
}

/// By hand as well: the first run of a new scheme is made by hand more often than not.
#[tokio::test]
async fn a_first_run_by_hand_is_held_until_it_is_confirmed() {
    let data = tempfile::tempdir().expect("a folder");
    let simulated = sandbox::start(sandbox::Config {
        trades: 300,
        ..sandbox::Config::default()
    })
    .await
    .expect("the simulators start");
    let brakes = dsl::plan::Brakes {
        max_first: Some(5),
        max_records: Some(7),
        ..dsl::plan::Brakes::default()
    };
    let (engine, plan) = braked(&simulated, data.path(), brakes).await;
    let by_hand = |confirmed| RunOptions {
        confirmed,
        ..options(false, simulated.now_ms())
    };
    let ran = engine.run(Arc::clone(&plan), &by_hand(false), &Silent).await;
    let report = ran.expect("the run ends");
    let Some(Stopped::Braked(reason)) = &report.summary.stopped else {
        panic!("{report:#?}");
    };
    assert_eq!(reason.code, "E3083");
    assert!(simulated.journal().is_empty(), "nothing is written");
    assert!(report.summary.counts.fetched > 10, "all of it was asked for");
    let ran = engine.run(plan, &by_hand(true), &Silent).await;
    assert_eq!(ran.expect("the run ends").summary.stopped, None);
    assert!(simulated.journal().len() > 10, "what was read is written");
}

/// A first run of a schedule that would write many waits until somebody has said yes; nothing of it is lost.
#[tokio::test]
async fn a_first_run_is_held_until_it_is_confirmed() {
    let data = tempfile::tempdir().expect("a folder");
    let simulated = sandbox::start(sandbox::Config {
        trades: 300,
        ..sandbox::Config::default()
    })
    .await
    .expect("the simulators start");
    let brakes = dsl::plan::Brakes {
        max_first: Some(5),
        ..dsl::plan::Brakes::default()
    };
    let (engine, plan) = braked(&simulated, data.path(), brakes).await;
    let now = simulated.now_ms();
    // Also the next one, whether or not the scheme was paused meanwhile.
    for _ in 0..2 {
        let report = by_clock(&engine, &plan, now).await;
        let Some(Stopped::Braked(reason)) = &report.summary.stopped else {
            panic!("{report:#?}");
        };
        assert_eq!(
            (reason.code.as_str(), report.summary.status),
            ("E3083", RunStatus::Partial)
        );
        assert!(simulated.journal().is_empty(), "nothing is written");
    }
    // Nor does a replay write what is held back, and none in between releases it.
    for _ in 0..2 {
        let again = RunOptions {
            replay: Some(Replay {
                range: Interval::new(now - 86_400_000, now).expect("a day"),
                step: 86_400_000,
                only_missing: false,
            }),
            ..options(false, now)
        };
        let ran = engine.run(Arc::clone(&plan), &again, &Silent).await;
        let stopped = ran.expect("the run ends").summary.stopped;
        assert!(matches!(stopped, Some(Stopped::Braked(_))), "{stopped:?}");
        assert!(simulated.journal().is_empty(), "nothing is written");
    }
    let scheme = plan.scheme.clone();
    let paused = Paused {
        since: now,
        by: "engine".to_owned(),
        reason: Reason::new("E3083", "many > 5"),
    };
    let later = engine.now_ms() + 1;
    engine
        .with_ledger(move |ledger| {
            ledger.pause(&scheme, &paused)?;
            ledger.resume(&scheme, "li", "looked at it", later)
        })
        .await
        .expect("the ledger is there")
        .expect("it is written down");
    let report = by_clock(&engine, &plan, now).await;
    assert_eq!(report.summary.stopped, None, "{report:#?}");
    assert!(simulated.journal().len() > 10, "what was read is written");
}

/// A run reads no more than its brake allows, and those after it read on to the end.
#[tokio::test]
async fn what_a_brake_leaves_the_next_runs_read() {
    let data = tempfile::tempdir().expect("a folder");
    let simulated = sandbox::start(sandbox::Config {
        trades: 300,
        ..sandbox::Config::default()
    })
    .await
    .expect("the simulators start");
    let brakes = dsl::plan::Brakes {
        max_records: Some(3),
        ..dsl::plan::Brakes::default()
    };
    let (engine, plan) = braked(&simulated, data.path(), brakes).await;
    let now = simulated.now_ms();
    let (mut runs, mut before) = (0, 0);
    loop {
        let report = by_clock(&engine, &plan, now).await;
        runs += 1;
        let written = simulated.journal().len();
        match report.left {
            Some(reason) => assert_eq!(reason.code, "E3081"),
            None => break,
        }
        assert!(written > before, "each run goes on");
        assert!(runs < 300, "it comes to an end");
        before = written;
    }
    assert!(runs > 1, "one run was enough");
    let other = tempfile::tempdir().expect("a folder");
    let whole = pass(&simulated, other.path(), true).await;
    let planned: usize = whole[1].previews.iter().map(|call| call.rows.len()).sum();
    assert_eq!(simulated.journal().len(), planned);
}

/// What the ledger knows of the records of a scheme, with what was sent of each.
fn kept(engine: &Engine, scheme: &str, data: &Path) -> Vec<String> {
    let ledger = walk(data, "ledger.db").expect("a ledger");
    let conn = rusqlite::Connection::open(ledger).expect("the ledger opens");
    let sql = "SELECT r.id, concat_ws(' ', r.src_key, r.state, r.version, r.action, r.target, r.form, r.tkey, r.err_code,
                      r.err_text, a.version, a.action, a.form, a.tkey, a.settlement, a.code)
               FROM record r LEFT JOIN attempt_row a ON a.record = r.id WHERE r.scheme = ?1 ORDER BY r.src_key, a.id";
    let mut statement = conn.prepare(sql).expect("it is read");
    let rows = statement.query_map([scheme], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    });
    rows.expect("rows")
        .map(|row| {
            let (id, text) = row.expect("a row");
            let record = flow::ids::RecordId(id);
            let sent = engine.reader().last_payload(record).expect("it is read");
            format!(
                "{text} {}",
                String::from_utf8(sent.unwrap_or_default()).expect("a text")
            )
        })
        .collect()
}

fn walk(folder: &Path, name: &str) -> Option<std::path::PathBuf> {
    std::fs::read_dir(folder).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        match path.is_dir() {
            true => walk(&path, name),
            false => (entry.file_name() == name).then_some(path),
        }
    })
}

/// The same job by the evaluator alone, because a value that nothing reads has it so, keeps and sends the same.
#[tokio::test]
async fn both_ways_keep_and_send_the_same() {
    let mut both = Vec::new();
    for is_plain in [false, true] {
        let data = tempfile::tempdir().expect("a folder");
        let simulated = sandbox::start(sandbox::Config {
            trades: 300,
            ..sandbox::Config::default()
        })
        .await
        .expect("the simulators start");
        let brakes = dsl::plan::Brakes::default();
        let (engine, plan) = braked(&simulated, data.path(), brakes).await;
        let mut plan = Plan::clone(&plan);
        let target = plan.target.as_mut().expect("a target");
        if is_plain {
            target.lets.push(("unread".to_owned(), target.options.clone()));
        }
        let options = options(false, simulated.now_ms());
        let report = engine
            .run(Arc::new(plan), &options, &Silent)
            .await
            .expect("the run ends");
        assert_eq!(report.exit_code(), 0, "{report:#?}");
        let ways = report.ways;
        match is_plain {
            true => assert_eq!(ways.slots, 0, "{ways:?}"),
            // Those whose look-up finds nothing are for the evaluator, which says so.
            false => assert!(ways.slots > 3 * ways.plain, "{ways:?}"),
        }
        let mut executed: Vec<String> = simulated
            .journal()
            .iter()
            .map(|entry| {
                format!(
                    "{} {} {} {} {}",
                    entry.endpoint, entry.form, entry.action, entry.org, entry.number
                )
            })
            .collect();
        executed.sort();
        let kept = kept(&engine, "huke-to-k3", data.path());
        assert!(kept.iter().any(|row| row.contains("FUseOrgId")), "{kept:#?}");
        both.push((kept, executed, report.lookups));
    }
    let plainly = both.pop().expect("two runs");
    assert_eq!(both.pop().expect("two runs"), plainly);
}
