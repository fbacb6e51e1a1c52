//! A user's own connector with one write operation for each thing that a target can do, and the schemes that write
//! through it. `cargo xtask figure A1` and its sisters kill the engine at them; here they are only read.

use tests::e2e::{Run, repository};

#[test]
fn files_of_every_level_are_sound() {
    let run = |words: &[&str]| {
        let environment = [("ENGINE_LANG".to_owned(), "en".to_owned())];
        Run::new(repository(), &environment, words).finish()
    };
    let checked = run(&["check", "tests/levels"]);
    checked.expect(0);
    for promise in [
        "level-upsert: guarantee: exactly-once effect",
        "level-idempotency-key: guarantee: exactly-once effect as long as the target remembers",
        "level-unique-key: guarantee: exactly-once effect",
        "level-query: guarantee: exactly-once effect if the target never executes later",
        "level-none: guarantee: at most once",
    ] {
        checked.says(promise);
    }
    run(&["test", "tests/levels/connectors"])
        .expect(0)
        .says("tests passed: 11");
    run(&["test", "tests/levels/schemes"])
        .expect(0)
        .says("tests passed: 5");
}
