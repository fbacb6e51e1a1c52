//! The contract suite, on a file and in memory.

use ledger::{Ledger, OpenOptions, contract};

#[test]
fn in_memory() {
    contract::check(&|| Ledger::in_memory().unwrap());
}

#[test]
fn on_a_file() {
    let base = tempfile::tempdir().unwrap();
    let n = std::cell::Cell::new(0);
    contract::check(&|| {
        n.set(n.get() + 1);
        Ledger::open(&base.path().join(n.get().to_string()), OpenOptions::new("test")).unwrap()
    });
}
