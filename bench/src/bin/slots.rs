//! `slots [ROUNDS]`: nothing but the scheme over slots, for a profiler or a counter of instructions.
#![expect(clippy::print_stdout, reason = "a command line tool whose output is its work")]

use bench::mapping::Mapping;
use bench::slots::Slots;
use bench::trade;

fn main() {
    let rounds: usize = std::env::args()
        .nth(1)
        .and_then(|word| word.parse().ok())
        .unwrap_or(1);
    let records: Vec<String> = (0..2_000).map(trade::trade).collect();
    let (mut slots, mut out) = (Slots::new(), Vec::new());
    for _ in 0..rounds {
        for page in records.chunks(500) {
            out.clear();
            let rows = page.iter().map(|record| slots.parse(record)).collect();
            let documents = slots.map(rows);
            documents
                .iter()
                .for_each(|document| slots.print(document, &mut out));
        }
    }
    println!("{} bytes", out.len());
}
