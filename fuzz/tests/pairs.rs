//! A few thousand pairs of a scheme and a row, by both ways. A million of them: `fuzz pairs --inputs 1000000`.

use std::path::Path;

use dsl::diagnostic::SourceFile;
use dsl::facts::Action;
use dsl::json;
use dsl::scheme::compile_scheme;
use dsl::slots::Fast;
use fuzz::World;
use fuzz::pairs::{Counts, try_rows, try_scheme};

#[test]
fn both_ways_give_the_same_bytes() {
    let (registry, mut counts) = (functions::registry(), Counts::default());
    for seed in 0..250 {
        if let Err(why) = try_scheme(seed, 24, &registry, &mut counts) {
            panic!("{why}");
        }
    }
    println!("{counts:?}");
    // Otherwise it compares nothing.
    assert!(counts.lowered * 10 > counts.schemes * 6, "{counts:?}");
    assert!(counts.built * 10 > counts.pairs * 3, "{counts:?}");
    assert!(counts.written * 10 > counts.built * 7, "{counts:?}");
}

/// The schemes of the repository over the rows of their own tests, each with a field taken away, too.
#[test]
fn schemes_of_the_repository() {
    let (world, registry, mut counts) = (World::new(), functions::registry(), Counts::default());
    let mut refused = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemes");
    for entry in std::fs::read_dir(folder).expect("the repository has schemes") {
        let path = entry.expect("a file").path();
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let compiled = compile_scheme(&SourceFile::new(name.as_str(), text), &world, &registry);
        // Some need others that are not here.
        let Some(plan) = compiled.plan else { continue };
        for target in plan.target.iter().flat_map(|target| target.documents()) {
            for action in [Action::Create, Action::Update] {
                let fast = match Fast::of(target, action, &plan.zone) {
                    Ok(fast) => fast,
                    Err(why) => {
                        refused.push(format!("{name}: {why}"));
                        continue;
                    }
                };
                let rows = plan.tests.iter().flat_map(|test| &test.rows).flat_map(|row| {
                    let fields = row.as_map().into_iter().flat_map(|members| members.keys());
                    let without = fields.map(|field| {
                        let mut less = row.as_map().cloned().unwrap_or_default();
                        less.shift_remove(field);
                        json::to_string(&less.into())
                    });
                    [json::to_string(row)]
                        .into_iter()
                        .chain(without)
                        .collect::<Vec<_>>()
                });
                if let Err(why) = try_rows(target, &plan.zone, &fast, action, rows, &mut counts) {
                    panic!("{name}: {why}");
                }
            }
        }
    }
    println!("{counts:?}");
    refused.sort();
    refused.dedup();
    assert_eq!(
        refused,
        [
            "huke-to-k3-contacts: it has values of `let` or of steps",
            "legacy-push-to-fx: options of the call depend on the record"
        ]
    );
    assert!(counts.written * 10 > counts.built * 7, "{counts:?}");
    assert!(counts.built > 50, "{counts:?}");
}
