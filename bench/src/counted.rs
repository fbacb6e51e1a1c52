//! Work of which a counter counts the instructions: everything inside of [`work`], and nothing outside of it.
//!
//! `cargo xtask bench micro` runs each case under callgrind, which is told the name of that function.

use std::hint::black_box;

use crate::mapping::Mapping;
use crate::ours::{self, Ours};
use crate::{ceiling::Ceiling, slots::Slots, trade};

/// Records of the page on which the work is done.
const PAGE: u64 = 100;

/// Does it once more. What is counted has to have a name that no compiler takes away.
#[inline(never)]
pub fn work(task: &mut dyn FnMut()) {
    task();
}

/// Does the work of a case once to warm up, then once to be counted; `None` for a name that is none of [`NAMES`].
pub fn count(name: &str) -> Option<()> {
    let records: Vec<String> = (0..PAGE).map(trade::trade).collect();
    match name {
        "hand" => mapped(&mut Ceiling::new(), &records),
        "slots" => mapped(&mut Slots::new(), &records),
        "plain" => mapped(&mut Ours::new(), &records),
        "scan" => {
            let mut slots = Slots::new();
            twice(&mut || slots.scan(&records));
        }
        "read" => twice(&mut || {
            for record in &records {
                black_box(dsl::json::parse(record.as_bytes()).expect("a trade"));
            }
        }),
        "compile" => {
            let registry = functions::registry();
            twice(&mut || drop(black_box(ours::compiled(&registry))));
        }
        _ => return None,
    }
    Some(())
}

/// The cases: a page by hand, over slots, by the plain evaluator; a page scanned into slots, and read into values; the
/// scheme compiled.
pub const NAMES: [&str; 6] = ["hand", "slots", "plain", "scan", "read", "compile"];

/// Both times of a piece of work.
pub fn twice(task: &mut dyn FnMut()) {
    task();
    work(task);
}

fn mapped<M: Mapping>(mapping: &mut M, records: &[String]) {
    let mut out = Vec::new();
    twice(&mut || {
        out.clear();
        let rows = records.iter().map(|record| mapping.parse(record)).collect();
        let documents = mapping.map(rows);
        documents
            .iter()
            .for_each(|document| mapping.print(document, &mut out));
        black_box(out.len());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_case() {
        for name in NAMES {
            assert_eq!(count(name), Some(()), "{name}");
        }
        assert_eq!(count("nothing"), None);
    }
}
