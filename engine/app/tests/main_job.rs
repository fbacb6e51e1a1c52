//! The main job through the library: real HTTP, real SQLite, simulated vendors.

use std::path::Path;
use std::sync::Arc;

use app::{
    Engine, Opening, Places, RunOptions, RunReport, SecretTable, Silent, Simulators, SystemClock, Workspace,
};
use dsl::Lang;
use flow::Stages;

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
    let mut engine = if dry {
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
