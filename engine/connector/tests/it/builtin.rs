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
