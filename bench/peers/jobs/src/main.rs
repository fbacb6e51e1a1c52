//! `jobs N SECONDS`: so many jobs of tokio-cron-scheduler, loaded, idle for a while, then all due at one second. Each
//! counts itself and notes how late it began. Prints one clause of a row of `docs/figures.md`.
//!
//! Written as its documentation shows it, with room in its channel for as many events as there are jobs.

use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// How long the jobs may take from the second on at which they are due.
const RAN_WITHIN: Duration = Duration::from_secs(300);
/// Between the end of the idle time and that second, at least.
const AHEAD: u64 = 5;

#[tokio::main]
async fn main() -> ExitCode {
    let mut words = std::env::args()
        .skip(1)
        .map_while(|word| word.parse::<u64>().ok());
    let told = match (words.next(), words.next()) {
        (Some(jobs), Some(idle)) => run(jobs, idle).await,
        (Some(jobs), None) => load(jobs).await,
        (None, _) => {
            eprintln!("jobs N [SECONDS]");
            return ExitCode::from(2);
        }
    };
    match told {
        Ok(told) => {
            println!("{told}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Loads so many, which runs none of them; how many seconds that takes.
async fn load(jobs: u64) -> Result<String, JobSchedulerError> {
    let began = Instant::now();
    let scheduler = scheduler(jobs, now_ms() / 1_000 - 60, &Arc::default()).await?;
    scheduler.start().await?;
    Ok(began.elapsed().as_secs().to_string())
}

async fn run(jobs: u64, idle: u64) -> Result<String, JobSchedulerError> {
    // Another process learns how long that takes, and so how long ahead the second has to be.
    let learnt = std::env::current_exe()
        .and_then(|own| std::process::Command::new(own).arg(jobs.to_string()).output())
        .ok()
        .and_then(|ran| String::from_utf8(ran.stdout).ok()?.trim().parse::<u64>().ok());
    let loading = learnt.ok_or(JobSchedulerError::CantInit)?;

    let late = Arc::new(Mutex::new(Vec::new()));
    let due = now_ms() / 1_000 + loading * 2 + idle + AHEAD;
    let began = Instant::now();
    let scheduler = scheduler(jobs, due, &late).await?;
    scheduler.start().await?;
    let loaded = began.elapsed();
    let before = cpu_ms();
    tokio::time::sleep(Duration::from_secs(idle)).await;
    let cost = cpu_ms() - before;
    let kib = resident_kib();
    let mut waited = 0;
    while ran(&late) < jobs && waited < RAN_WITHIN.as_secs() {
        tokio::time::sleep(Duration::from_secs(1)).await;
        waited += 1;
    }
    let mut late = std::mem::take(&mut *late.lock().expect("nobody panics with it"));
    late.sort_unstable();
    let at = |per_mille: usize| {
        late.get((late.len() * per_mille / 1_000).min(late.len().max(1) - 1))
            .copied()
            .unwrap_or(0)
    };
    Ok(format!(
        "tokio-cron-scheduler 0.15.1, jobs that only count: {jobs} loaded in {} ms, {} MiB, {cost} ms of processor time in {idle} idle seconds; {} of {jobs} ran, p50 {} ms late, p99 {} ms, at most {} ms",
        loaded.as_millis(),
        kib / 1_024,
        late.len(),
        at(500),
        at(990),
        at(1_000)
    ))
}

/// Jobs that are due at one second of a day, in UTC.
async fn scheduler(
    jobs: u64,
    due_s: u64,
    late: &Arc<Mutex<Vec<u64>>>,
) -> Result<JobScheduler, JobSchedulerError> {
    let room = usize::try_from(jobs).unwrap_or(usize::MAX).max(1_000) * 2;
    let scheduler = JobScheduler::new_with_channel_size(room).await?;
    let (second, minute, hour) = (due_s % 60, due_s / 60 % 60, due_s / 3_600 % 24);
    let text = format!("{second} {minute} {hour} * * *");
    for _ in 0..jobs {
        let late = Arc::clone(late);
        let job = Job::new_async(text.as_str(), move |_, _| {
            let late = Arc::clone(&late);
            Box::pin(async move {
                let by = now_ms().saturating_sub(due_s * 1_000);
                late.lock().expect("nobody panics with it").push(by);
            })
        })?;
        scheduler.add(job).await?;
    }
    Ok(scheduler)
}

fn ran(late: &Mutex<Vec<u64>>) -> u64 {
    late.lock().expect("nobody panics with it").len() as u64
}

fn now_ms() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH);
    passed.map_or(0, |passed| u64::try_from(passed.as_millis()).unwrap_or(u64::MAX))
}

/// Processor time of this process; 0 where the kernel does not tell.
fn cpu_ms() -> u64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind = text.rsplit_once(')').map_or("", |(_, behind)| behind);
    let ticks = |nth: usize| behind.split_whitespace().nth(nth)?.parse::<u64>().ok();
    // A hundred a second on every Linux.
    (ticks(11).unwrap_or(0) + ticks(12).unwrap_or(0)) * 10
}

/// Resident memory; 0 where the kernel does not tell.
fn resident_kib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
