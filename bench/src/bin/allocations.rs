//! `allocations`: how often the evaluator asks for memory. A program of its own, because counting takes time.
#![expect(clippy::print_stdout, reason = "a command line tool whose output is its work")]

use allocation_counter::measure;
use bench::mapping::Mapping;
use bench::ours::Ours;
use bench::slots::Slots;
use bench::table::shown;
use bench::{ceiling::Ceiling, expressions, jinja::Jinja, trade};

/// Records over which the mean of a mapping is taken.
const RECORDS: u64 = 1_000;

fn main() {
    println!("| expression | allocations an evaluation | bytes |\n|---|---|---|");
    for case in expressions::all() {
        // What is made once and kept is not of the evaluation.
        case.eval();
        let info = measure(|| drop(case.eval()));
        println!(
            "| {}: `{}` | {} | {} |",
            case.name,
            shown(case.text),
            info.count_total,
            info.bytes_total
        );
    }
    println!("\n| mapping | allocations a record: read / map / print | bytes |\n|---|---|---|");
    let records: Vec<String> = (0..RECORDS).map(trade::trade).collect();
    count(&mut Ceiling::new(), &records);
    count(&mut Slots::new(), &records);
    count(&mut Ours::new(), &records);
    count(&mut Jinja::new(), &records);
}

fn count<M: Mapping>(mapping: &mut M, records: &[String]) {
    let (mut rows, mut documents, mut out) = (Vec::new(), Vec::new(), Vec::new());
    let read = measure(|| rows = records.iter().map(|record| mapping.parse(record)).collect());
    let map = measure(|| documents = mapping.map(std::mem::take(&mut rows)));
    let print = measure(|| {
        documents
            .iter()
            .for_each(|document| mapping.print(document, &mut out))
    });
    let [r, m, p] = [read, map, print].map(|info| info.count_total / RECORDS);
    let bytes = (read.bytes_total + map.bytes_total + print.bytes_total) / RECORDS;
    println!("| {} | {r} / {m} / {p} | {bytes} |", mapping.name());
}
