//! Differences that are meant, each with its reason. A rule is narrow: it looks at the expression and at both
//! answers, and what it does not name stays unexplained. `docs/oracle.md` lists them for the reader.

use super::Answer;
use super::node::{Case, Node};

/// One difference that is meant.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name in the summary and in `docs/oracle.md`.
    pub(super) name: &'static str,
    /// Why it is so.
    pub(super) why: &'static str,
    holds: fn(&Seen<'_>) -> bool,
}

/// A difference as a rule sees it.
struct Seen<'s> {
    case: &'s Case,
    ours: &'s Answer,
    server: &'s Answer,
}

impl Seen<'_> {
    fn failed_with(&self, code: &str) -> bool {
        matches!(self.ours, Answer::Failed(ours) if ours == code)
    }

    fn any(&self, test: impl Fn(&Node) -> bool) -> bool {
        self.case.root.all().into_iter().any(test)
    }
}

/// Every rule.
pub(super) const ALL: &[Rule] = &[Rule {
    name: "bound of the language",
    why: "an expression that is too long, too deep or has too many operators is refused before it is read",
    holds: |seen| seen.failed_with("E1330") && seen.any(|node| node.size() > 40),
}];

/// The rule that explains a difference.
pub(super) fn explains(case: &Case, ours: &Answer, server: &Answer) -> Option<&'static Rule> {
    let seen = Seen { case, ours, server };
    ALL.iter().find(|rule| (rule.holds)(&seen))
}
