//! Differences that are meant, each with its reason. A rule is narrow: it looks at the expression, at both answers
//! and, where the cause lies deeper, at the answers to the parts; what it does not name stays unexplained.
//! `docs/oracle.md` lists them for the reader.

use super::Answer;
use super::node::{Case, Cell, Node};

/// One difference that is meant.
#[derive(Debug)]
pub(super) struct Rule {
    /// Its name in the summary and in `docs/oracle.md`.
    pub(super) name: &'static str,
    /// Why it is so.
    pub(super) why: &'static str,
    holds: fn(&mut Seen<'_>) -> bool,
}

/// Computes a part of a case, by us and by the server.
pub(super) type Ask<'a> = &'a mut dyn FnMut(&Case) -> (Answer, Answer);

/// A difference as a rule sees it.
struct Seen<'s> {
    case: &'s Case,
    ours: &'s Answer,
    server: &'s Answer,
    ask: Ask<'s>,
    parts: Option<Vec<(Node, Answer, Answer)>>,
}

impl Seen<'_> {
    fn failed_with(&self, code: &str) -> bool {
        matches!(self.ours, Answer::Failed(ours) if ours == code)
    }

    /// Every part that can be computed alone, with our answer and the server's; the whole is the first.
    fn parts(&mut self) -> &[(Node, Answer, Answer)] {
        if self.parts.is_none() {
            let nodes = self.case.root.all().into_iter();
            let found = nodes
                .filter(|node| node.is_sound() && node.label != "INTERVAL")
                .map(|node| {
                    let case = Case {
                        root: node.clone(),
                        lines: self.case.lines.clone(),
                    };
                    let (ours, server) = (self.ask)(&case);
                    (node.clone(), ours, server)
                })
                .collect();
            self.parts = Some(found);
        }
        self.parts.as_deref().unwrap_or_default()
    }
}

/// Digits after the point of a printed number.
fn scale(answer: &Answer) -> usize {
    match answer {
        Answer::Text(text) => text.split_once('.').map_or(0, |(_, fraction)| {
            if fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                fraction.len()
            } else {
                0
            }
        }),
        _ => 0,
    }
}

/// Ours with the placeholders written as a text substitution writes them is the server's answer.
fn is_bare_text(seen: &mut Seen<'_>) -> bool {
    let lines = seen
        .case
        .lines
        .rows
        .iter()
        .map(|line| line.iter().map(substituted).collect())
        .collect();
    let root = seen.case.root.with_literals();
    let case = Case {
        root,
        lines: super::node::Lines {
            rows: lines,
            ..seen.case.lines
        },
    };
    case.ours() != seen.case.ours() && (seen.ask)(&case).0.agrees(seen.server)
}

fn substituted(cell: &Cell) -> Cell {
    match cell {
        Cell::Digits(digits) => Cell::Number(digits.clone()),
        other => other.clone(),
    }
}

/// Every rule.
pub(super) const ALL: &[Rule] = &[
    Rule {
        name: "length of an expression",
        why: "one that is too long, too deep or has too many operators is refused before it is read",
        holds: |seen| seen.failed_with("E1330"),
    },
    Rule {
        name: "bare text",
        why: "the text of a bare placeholder is text where text will do and an exact number where one is needed; \
              as a literal, of digits or in quotes, it gives what the server gives",
        holds: is_bare_text,
    },
    Rule {
        name: "30 digits after the point",
        why: "a decimal has at most 30 of them, as in MySQL 8; MariaDB allows 38",
        holds: |seen| seen.parts().iter().any(|(_, _, server)| scale(server) > 30),
    },
];

/// The rule that explains a difference.
pub(super) fn explains(case: &Case, ours: &Answer, server: &Answer, ask: Ask<'_>) -> Option<&'static Rule> {
    let mut seen = Seen {
        case,
        ours,
        server,
        ask,
        parts: None,
    };
    ALL.iter().find(|rule| (rule.holds)(&mut seen))
}
