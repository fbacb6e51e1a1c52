//! `counted-ledger`: three transactions of a page under a counter of instructions, in a ledger that has some already.

use bench::counted::twice;
use job::pages::Pages;
use ledger::{Ledger, OpenOptions};

/// Records of a page.
const PAGE: u32 = 100;
/// Pages before the one that is counted.
const BEFORE: usize = 9;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let mut pages = Pages::new(Ledger::open(folder.path(), OpenOptions::new("bench"))?);
    for _ in 1..BEFORE {
        pages.pass(PAGE);
    }
    twice(&mut || pages.pass(PAGE));
    Ok(())
}
