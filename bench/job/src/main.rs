//! `job e2e|scale|dry --engine PATH --root FOLDER [--records N,N] [--rounds N] [--page N] [--workers N]`, and the
//! processes that these start: `job serve`, `job hand`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line tool whose output is its work"
)]

use std::path::Path;
use std::process::ExitCode;

use bench::measure::median;
use job::beside::{Asked, Took, alone, dry_runs, turns};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        ["serve", records, sums] => serve(records, *sums == "sums"),
        ["hand", server, database, page, workers] => hand(server, database, page, workers),
        [what @ ("e2e" | "scale" | "dry"), more @ ..] => figure(what, more),
        _ => Err(
            "e2e|scale|dry --engine PATH --root FOLDER [--records N,N] [--rounds N] [--page N] [--workers N]"
                .into(),
        ),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn serve(records: &str, sums: bool) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(
        runtime.block_on(job::serve::serve(records.parse()?, sums, |line| {
            println!("{line}")
        }))?,
    )
}

fn hand(server: &str, database: &str, page: &str, workers: &str) -> Result<(), Failure> {
    let count = job::hand::run(server, Path::new(database), page.parse()?, workers.parse()?)?;
    println!("{count} records");
    Ok(())
}

fn figure(what: &str, words: &[&str]) -> Result<(), Failure> {
    let mut sizes = match what {
        "scale" => vec![10_000, 100_000],
        _ => vec![20_000],
    };
    let mut asked = Asked {
        engine: "engine".into(),
        root: ".".into(),
        records: 0,
        rounds: 3,
        page: 500,
        workers: 4,
    };
    for pair in words.chunks(2) {
        match pair {
            ["--engine", path] => asked.engine = path.into(),
            ["--root", path] => asked.root = path.into(),
            ["--records", list] => sizes = list.split(',').map(str::parse).collect::<Result<_, _>>()?,
            ["--rounds", count] => asked.rounds = count.parse::<usize>()?.max(1),
            ["--page", count] => asked.page = count.parse::<u64>()?.clamp(1, 1_000),
            ["--workers", count] => asked.workers = count.parse::<u64>()?.clamp(1, 64),
            _ => return Err(format!("{}?", pair.join(" ")).into()),
        }
    }
    let told = |error: Box<dyn std::error::Error>| Failure::from(error.to_string());
    if what == "dry" {
        let ms = dry_runs(&asked)
            .map_err(told)?
            .into_iter()
            .map(|s| s * 1e3)
            .collect();
        println!(
            "dry-run of {} records from the start of the process: median {:.0} ms of {}",
            asked.page,
            median(ms),
            asked.rounds
        );
        return Ok(());
    }
    println!(
        "| whole job, {} a page, {} at once | records | records/s | us of processor a record | peak MiB |",
        asked.page, asked.workers
    );
    println!("|---|---|---|---|---|");
    let mut peaks = Vec::new();
    for records in sizes {
        asked.records = records;
        if what == "scale" {
            let took = alone(&asked).map_err(told)?;
            line("engine", records, &[took]);
            peaks.push(took.peak_kib);
            continue;
        }
        let (hands, engines) = turns(&asked).map_err(told)?;
        let by_hand = line("by hand", records, &hands);
        let ours = line("engine", records, &engines);
        println!(
            "engine / by hand: time {:.2}, processor time {:.2}; every record arrived once, documents of a smaller run are the same",
            ours[0] / by_hand[0],
            ours[1] / by_hand[1]
        );
    }
    if let (Some(first), Some(last)) = (peaks.first(), peaks.last().filter(|_| peaks.len() > 1)) {
        #[expect(clippy::cast_precision_loss, reason = "KiB of a process")]
        let ratio = *last as f64 / *first as f64;
        println!("peak memory, last / first: {ratio:.2}");
    }
    Ok(())
}

/// Prints the medians; gives time and processor time.
fn line(name: &str, records: u64, runs: &[Took]) -> [f64; 2] {
    let of = |what: fn(&Took) -> f64| median(runs.iter().map(what).collect());
    let (wall, cpu) = (of(|run| run.wall), of(|run| run.cpu));
    let peak = runs.iter().map(|run| run.peak_kib).max().unwrap_or(0) / 1_024;
    #[expect(clippy::cast_precision_loss, reason = "a count of records")]
    let count = records as f64;
    println!(
        "| {name} | {records} | {:.0} | {:.1} | {peak} |",
        count / wall,
        cpu * 1e6 / count
    );
    [wall, cpu]
}
