//! Differences that are meant, each with its reason. `docs/oracle.md` lists them for the reader.
//!
//! A rule judges an expression whose operands agree, so the place where two answers part: where they part further
//! down, the operand is judged, then put into the whole as the value that one side gave it, and both have to agree
//! on what is left. The rules of [`ask`] put the question again, written so that the server cannot take it in two
//! ways, and hold when its answer is then ours. Those of [`look`] know what exactly the server does and compute it.

mod ask;
mod look;
mod seen;

use super::Answer;
use super::node::Case;
use seen::{Ask, Place, Seen, operands, without};

/// One difference that is meant.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name in the summary and in `docs/oracle.md`.
    pub(super) name: &'static str,
    /// Why it is so.
    pub(super) why: &'static str,
    holds: fn(&mut Seen<'_>) -> bool,
}

/// How far down and how often a difference is looked for: more than the generator's depth of five, with one for
/// each of two operands that differ.
const DEEPEST: u8 = 12;

/// Every rule.
pub(super) fn all() -> impl Iterator<Item = &'static Rule> {
    look::ALL.iter().chain(ask::ALL)
}

/// The rule that explains a difference.
pub(super) fn explains(case: &Case, ours: &Answer, server: &Answer, ask: Ask<'_>) -> Option<&'static Rule> {
    search(case, ours, server, ask, DEEPEST)
}

fn search(case: &Case, ours: &Answer, server: &Answer, ask: Ask<'_>, left: u8) -> Option<&'static Rule> {
    // Nothing explains that.
    if *ours == Answer::Panicked {
        return None;
    }
    let mut seen = Seen::new(case, ours, server, ask);
    if let Some(rule) = all().find(|rule| (rule.holds)(&mut seen)) {
        return Some(rule);
    }
    let left = left.checked_sub(1)?;
    for (place, operand) in operands(case) {
        let (a, b) = ask(&operand);
        if a.agrees(&b) {
            continue;
        }
        let rule = search(&operand, &a, &b, ask, left)?;
        return agree_without(case, place, &[a, b], ask, left).then_some(rule);
    }
    None
}

/// Whether both sides agree, or differ for a reason, when an operand is the value that one of them gave it.
fn agree_without(case: &Case, place: Place, values: &[Answer; 2], ask: Ask<'_>, left: u8) -> bool {
    let cases = without(case, place, values);
    let differ: Vec<_> = cases
        .iter()
        .map(|case| (case, ask(case)))
        .filter(|(_, (a, b))| !a.agrees(b))
        .collect();
    differ.len() < cases.len()
        || differ
            .iter()
            .any(|(case, (a, b))| search(case, a, b, ask, left).is_some())
        || matches!(place, Place::Line(_)) && cases.is_empty()
}
