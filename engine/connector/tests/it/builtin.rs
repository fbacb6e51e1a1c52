//! The built-in connector files load, and their own tests pass.

use std::sync::Arc;

use dsl::SourceFile;
use dsl::diagnostic::{Lang, render};

#[test]
fn files_load_and_their_tests_pass() {
    let registry = functions::registry();
    for (id, text) in connector::builtin() {
        let file = SourceFile::new(format!("connectors/{id}/connector.yaml"), *text);
        let loaded = connector::load(&file, &registry).unwrap_or_else(|problems| {
            panic!("{}", render(&problems, Lang::En, false, 20));
        });
        assert_eq!(loaded.id(), *id);
        let outcomes = connector::tests::run(&Arc::new(loaded));
        assert!(outcomes.len() > 5);
        for outcome in outcomes {
            assert!(
                outcome.passed(),
                "{id}: {}: {:#?}",
                outcome.name,
                outcome.problems
            );
        }
    }
}

#[test]
fn a_test_that_fails_says_so_in_both_languages() {
    let (_, text) = connector::builtin()
        .iter()
        .find(|(id, _)| *id == "kingdee-k3cloud")
        .expect("it is built in");
    let wrong = text.replace(
        "expect: {class: rejected, message: 名称必录, items: []}",
        "expect: {class: rows, message: 名称必录, items: []}",
    );
    let loaded = connector::load(&SourceFile::new("connector.yaml", wrong), &functions::registry());
    let outcomes = connector::tests::run(&Arc::new(loaded.expect("only a test is wrong")));
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed()).collect();
    let [failed] = failed.as_slice() else {
        panic!("{failed:?}")
    };
    assert_eq!(failed.name, "refused as a whole");
    assert_eq!(failed.problems.len(), 1);
    assert_eq!(failed.problems[0].zh, "class:得到 rejected,期望 rows");
    assert_eq!(failed.problems[0].en, "class: rejected, expected rows");
}
