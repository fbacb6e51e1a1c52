//! docs/add-a-function.md shows a function that exists, as it is.

const PAGE: &str = include_str!("../../docs/add-a-function.md");
const FILE: &str = include_str!("../src/space.rs");
const LIST: &str = include_str!("../src/lib.rs");

/// The code blocks of the page, in order.
fn blocks() -> Vec<&'static str> {
    PAGE.split("```rust\n")
        .skip(1)
        .filter_map(|rest| rest.split("\n```").next())
        .collect()
}

#[test]
fn the_page_shows_the_file_and_the_line() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 2, "the file and the line");
    assert_eq!(
        blocks[0],
        FILE.trim_end(),
        "docs/add-a-function.md is not functions/src/space.rs any more"
    );
    let line = blocks[1].trim();
    assert!(
        LIST.lines().any(|written| written.trim() == line),
        "{line} is not in lib.rs"
    );
    assert!(functions::ALL.iter().any(|builtin| builtin.name == "SPACE"));
}

#[test]
fn what_the_page_names_exists() {
    let builtin = include_str!("../../dsl/src/builtin.rs");
    for name in ["room_for", "text", "integer", "num", "decimal", "time", "bytes"] {
        assert!(
            PAGE.contains(&format!("args.{name}(")),
            "{name} is not on the page"
        );
        assert!(
            builtin.contains(&format!("pub fn {name}(")),
            "Args::{name} is gone"
        );
    }
    for variant in ["Eager", "Nullable", "Lazy", "Aggregate"] {
        assert!(PAGE.contains(&format!("Call::{variant}")) && builtin.contains(&format!("    {variant}(")));
    }
}
