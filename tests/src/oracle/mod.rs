//! The oracle: generated expressions, computed by us and by a real server, and compared byte by byte.
//!
//! A difference is made smaller, then either explained by a [`rules`] entry or counted against us. The server gets
//! what a text substitution would give it: the value of a bare placeholder as a literal, the text of a quoted one
//! inside the quotes. Both compute at the same instant, in the same zone.
//!
//! Starting a server is left to `cargo xtask oracle`, which hands over the path of its socket.

mod generate;
mod imported;
mod node;
mod ours;
mod pasted;
mod record;
mod rules;
mod server;
mod shrink;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

pub use generate::Family;
pub use imported::imported;
pub use ours::Ours;
pub use record::{Row, record};
pub use server::{SETTINGS, Server};

use generate::Generator;
use node::Case;

/// Cases asked for in one go.
const AT_ONCE: usize = 240;
/// Smallest forms of differences that are looked for; the rest is only counted.
const MOST_SHRUNK: usize = 600;
/// Different ones shown for an operator or function.
const SHOWN: usize = 5;

/// What an expression gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// NULL.
    Null,
    /// What is printed.
    Text(String),
    /// Printed bytes that are no UTF-8.
    Bytes(Vec<u8>),
    /// Refused, in the text or when computed; ours or the server's number of the problem.
    Failed(String),
    /// Ours came to a stop that it never may come to.
    Panicked,
    /// The server's process ended on it.
    Lost,
}

impl Answer {
    /// Text where it is text.
    fn printed(bytes: Vec<u8>) -> Answer {
        String::from_utf8(bytes).map_or_else(|e| Answer::Bytes(e.into_bytes()), Answer::Text)
    }

    /// Whether two answers count as the same: every refusal is one.
    pub fn agrees(&self, other: &Answer) -> bool {
        matches!((self, other), (Answer::Failed(_), Answer::Failed(_))) || self == other
    }

    /// Sort of a difference; a smaller case has to keep it.
    fn sort(&self) -> u8 {
        match self {
            Answer::Null => 0,
            Answer::Text(_) | Answer::Bytes(_) => 1,
            Answer::Failed(_) => 2,
            Answer::Panicked => 3,
            Answer::Lost => 4,
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Answer::Null => f.write_str("NULL"),
            Answer::Text(text) => f.write_str(text),
            Answer::Bytes(bytes) => write!(f, "bytes {bytes:02x?}"),
            Answer::Failed(code) => write!(f, "ERROR {code}"),
            Answer::Panicked => f.write_str("PANIC"),
            Answer::Lost => f.write_str("the server's end"),
        }
    }
}

/// What to compare.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server's socket.
    pub socket: PathBuf,
    /// How many expressions.
    pub cases: u64,
    /// Which ones.
    pub seed: u64,
    /// Only these, or all.
    pub family: Option<Family>,
    /// Only cases whose root has this label: an operator or a function's name.
    pub root: Option<String>,
    /// Only the cases with these numbers; empty for all.
    pub numbers: BTreeSet<u64>,
}

/// A difference in its smallest form.
struct Found {
    case: Case,
    ours: Answer,
    server: Answer,
    number: u64,
}

/// Compares, tells what differs, and is an error when something differs without a reason.
pub fn run(plan: &Plan, say: &dyn Fn(&str)) -> Result<(), String> {
    let broken = |e: io::Error| format!("the server: {e}");
    let mut server = Server::connect(&plan.socket).map_err(broken)?;
    let ours = Ours::new();
    quiet();
    let generator = Generator::new(plan.family);
    say(&format!("server {}", server.version().map_err(broken)?));
    say(&format!("{} expressions, seed {}", plan.cases, plan.seed));
    let mut explained: BTreeMap<&'static str, u64> = BTreeMap::new();
    let mut groups: BTreeMap<String, (u64, BTreeMap<String, Found>)> = BTreeMap::new();
    let (mut unexplained, mut shrunk, mut refused, mut nulls, mut lost) = (0_u64, 0, 0_u64, 0_u64, 0_u64);
    let mut number = 0;
    while number < plan.cases {
        let mut some = Vec::with_capacity(AT_ONCE);
        while some.len() < AT_ONCE && number < plan.cases {
            if !plan.numbers.is_empty() && !plan.numbers.contains(&number) {
                number += 1;
                continue;
            }
            let case = generator.case(plan.seed, number);
            if plan
                .root
                .as_ref()
                .is_none_or(|root| case.root.label.eq_ignore_ascii_case(root))
            {
                some.push((number, case));
            }
            number += 1;
        }
        let texts: Vec<String> = some.iter().map(|(_, case)| case.server()).collect();
        let answers = server.answers(&texts).map_err(broken)?;
        for ((number, case), theirs) in some.into_iter().zip(answers) {
            refused += u64::from(matches!(theirs, Answer::Failed(_)));
            nulls += u64::from(theirs == Answer::Null);
            if theirs == Answer::Lost {
                lost += 1;
                say(&format!(
                    "the server ended on: SELECT {};   [case {number}]",
                    case.server()
                ));
                continue;
            }
            let mine = mine(&ours, &case);
            if mine.agrees(&theirs) {
                continue;
            }
            let mut sides = Sides {
                ours: &ours,
                server: &mut server,
                broken: None,
            };
            let found = if let Some(rule) = sides.explains(&case, &mine, &theirs) {
                *explained.entry(rule.name).or_default() += 1;
                None
            } else if shrunk < MOST_SHRUNK {
                shrunk += 1;
                Some(sides.smallest(&case, number))
            } else {
                Some(Found {
                    case,
                    ours: mine,
                    server: theirs,
                    number,
                })
            };
            if let Some(e) = sides.broken {
                return Err(broken(e));
            }
            let Some(found) = found else { continue };
            unexplained += 1;
            let group = groups.entry(found.case.root.label.to_uppercase()).or_default();
            group.0 += 1;
            group.1.insert(found.case.server(), found);
        }
    }
    tell(&groups, say);
    say("");
    for rule in rules::all() {
        let count = explained.get(rule.name).copied().unwrap_or(0);
        say(&format!("explained {count:>7}  {}: {}", rule.name, rule.why));
    }
    say(&format!(
        "{} expressions, seed {}: {nulls} NULL, {refused} refused by the server, {lost} it ended on, {} explained, \
         {unexplained} unexplained",
        plan.cases,
        plan.seed,
        explained.values().sum::<u64>(),
    ));
    if unexplained == 0 {
        Ok(())
    } else {
        Err(format!("{unexplained} differences without a reason"))
    }
}

/// One expression without placeholders, on both sides.
pub fn compare(socket: &std::path::Path, text: &str) -> io::Result<(Answer, Answer)> {
    let mut server = Server::connect(socket)?;
    Ok((Ours::new().answer(text, "{}"), server.answer(text)?))
}

/// A panic is shown with the expression that caused it, not when it happens.
fn quiet() {
    std::panic::set_hook(Box::new(|_| {}));
}

fn mine(ours: &Ours, case: &Case) -> Answer {
    let (text, row) = case.ours();
    ours.answer(&text, &row)
}

/// Both sides of one comparison.
struct Sides<'s> {
    ours: &'s Ours,
    server: &'s mut Server,
    /// The connection is lost: nothing said after that counts.
    broken: Option<io::Error>,
}

impl Sides<'_> {
    fn ask(&mut self, case: &Case) -> (Answer, Answer) {
        let theirs = self.server.answer(&case.server()).unwrap_or_else(|e| {
            self.broken = Some(e);
            Answer::Failed(String::new())
        });
        (mine(self.ours, case), theirs)
    }

    fn explains(&mut self, case: &Case, ours: &Answer, server: &Answer) -> Option<&'static rules::Rule> {
        rules::explains(case, ours, server, &mut |part| self.ask(part))
    }

    fn smallest(&mut self, case: &Case, number: u64) -> Found {
        let (first, second) = self.ask(case);
        let sort = (first.sort(), second.sort());
        let case = shrink::shrink(case, |smaller| {
            let (a, b) = self.ask(smaller);
            !a.agrees(&b) && (a.sort(), b.sort()) == sort && self.explains(smaller, &a, &b).is_none()
        });
        let (ours, server) = self.ask(&case);
        Found {
            case,
            ours,
            server,
            number,
        }
    }
}

fn tell(groups: &BTreeMap<String, (u64, BTreeMap<String, Found>)>, say: &dyn Fn(&str)) {
    if !groups.is_empty() {
        say(&format!("\nto try one by hand: {SETTINGS};"));
    }
    let mut by_count: Vec<_> = groups.iter().collect();
    by_count.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    for (label, (count, founds)) in by_count {
        say(&format!("\n== {label}: {count}"));
        let mut founds: Vec<&Found> = founds.values().collect();
        founds.sort_by_key(|found| found.case.server().len());
        for found in founds.into_iter().take(SHOWN) {
            let (text, row) = found.case.ours();
            let over = if row == "{}" {
                String::new()
            } else {
                format!("   over {row}\n  {text}\n")
            };
            say(&format!(
                "  SELECT {};\n{over}    ours   {}\n    server {}   [case {}]",
                found.case.server(),
                found.ours,
                found.server,
                found.number
            ));
        }
    }
}
