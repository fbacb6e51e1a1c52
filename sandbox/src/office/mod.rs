//! What the simulated systems have in common that speak JSON behind a token or a signature and differ in words: tokens,
//! documents by id and number, a call that writes one or several of them, pages, refusals.
//!
//! Promises: a document is applied and written down before its call is answered; nothing is executed when there is no
//! room to write it down; the same journal gives the same documents. What a call looks like, and in which words it is
//! refused, is left to the file of each system.

pub(crate) mod dingtalk;
mod docs;
pub(crate) mod feishu;
mod grid;
pub(crate) mod landray;
pub(crate) mod mabang;
pub(crate) mod okki;
pub(crate) mod rest;
pub(crate) mod u8;
pub(crate) mod wecom;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::crypto;
use crate::form::Pairs;
use crate::journal::{Action, Line, RowLine, Write};
use crate::kingdee::auth::Sessions;
use crate::kingdee::store::{Fields, scalar};
use crate::reply::{Reply, Request};
use crate::state::World;
use crate::twist::{Fate, Twist};

pub(crate) use docs::Docs;

/// Longest number, name or subject, in characters.
const MAX_TEXT: usize = 200;

/// What each of these systems remembers, by its name.
pub(crate) type States = BTreeMap<&'static str, State>;

/// What one of them remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    tokens: Sessions,
    pub(crate) docs: Docs,
    /// Keys of calls that are taken once: when each came, and the line of what it wrote.
    keys: BTreeMap<String, (i64, RowLine)>,
}

/// Why a call or a document was refused; each system prints it in its own form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Problem {
    status: u16,
    code: &'static str,
    message: String,
}

/// Refused inside HTTP 200.
fn problem(code: &'static str, message: impl Into<String>) -> Problem {
    Problem {
        status: 200,
        code,
        message: message.into(),
    }
}

impl Problem {
    fn with_status(self, status: u16) -> Problem {
        Problem { status, ..self }
    }
}

/// A member as text; empty when it is missing, null or a tree.
pub(crate) fn text(fields: &Fields, name: &str) -> String {
    fields
        .get(name)
        .and_then(|value| scalar(value))
        .unwrap_or_default()
}

/// Members of the body.
fn members(request: &Request, code: &'static str) -> Result<Fields, Problem> {
    if !request.header("content-type").starts_with("application/json") {
        return Err(problem(code, "Content-Type 应为 application/json"));
    }
    serde_json::from_slice(&request.body).map_err(|e| problem(code, format!("不是 JSON 对象：{e}")))
}

fn query(request: &Request, code: &'static str) -> Result<Pairs, Problem> {
    Pairs::read(request.query.as_bytes()).map_err(|what| problem(code, what))
}

/// A member that is a list of trees.
fn list(fields: &Fields, name: &str, code: &'static str) -> Result<Vec<Box<RawValue>>, Problem> {
    let raw = fields.get(name).map_or("[]", |raw| raw.get());
    serde_json::from_str(raw).map_err(|_| problem(code, format!("{name} 应为数组")))
}

/// A whole number between two bounds; `usual` when it is not written.
fn number(written: &str, usual: u64, within: (u64, u64), what: &Problem) -> Result<u64, Problem> {
    if written.is_empty() {
        return Ok(usual);
    }
    let read = written.parse().ok();
    read.filter(|n| (within.0..=within.1).contains(n))
        .ok_or_else(|| what.clone())
}

impl World {
    fn office(&mut self, system: &'static str) -> &mut State {
        self.office.entry(system).or_default()
    }

    /// Documents of a system; the journal has made them, or there are none.
    fn docs(&self, system: &str) -> Option<&Docs> {
        self.office.get(system).map(|state| &state.docs)
    }

    /// A new token, and the seconds it is good for; `life_ms` unless the settings say something.
    fn give_token(&mut self, system: &'static str, life_ms: i64) -> (String, i64) {
        let (seed, now) = (self.data.seed, self.now_ms());
        let life_ms = self.settings.own_ttl_ms.unwrap_or(life_ms);
        let token = self.office(system).tokens.start(seed, now);
        (token, life_ms / 1000)
    }

    /// Whether a token still lives; counts the call.
    fn takes_token(&mut self, system: &'static str, token: &str, life_ms: i64) -> bool {
        let now = self.now_ms();
        let life_ms = self.settings.own_ttl_ms.unwrap_or(life_ms);
        let max = self.settings.session_max_calls;
        self.office(system).tokens.use_one(token, now, life_ms, max)
    }

    /// Whether these members, each with the name of a credential, are what the system knows.
    fn is_known<const N: usize>(&self, system: &str, given: [(&str, &str); N]) -> bool {
        given
            .iter()
            .all(|(name, value)| crypto::same(self.credential(system, name), value))
    }

    fn lose_token(&mut self, system: &'static str, token: &str) {
        self.office(system).tokens.end(token);
    }

    pub(crate) fn count_tokens(&self, system: &str) -> usize {
        self.office.get(system).map_or(0, |state| state.tokens.count())
    }

    pub(crate) fn count_docs(&self, system: &str) -> usize {
        self.docs(system).map_or(0, Docs::count)
    }

    /// Takes over the rows of a line of the journal that is of this system.
    pub(crate) fn apply_docs(&mut self, system: &'static str, form: &str, write: &Write) {
        if write.form == form {
            let docs = &mut self.office.entry(system).or_default().docs;
            write.rows.iter().for_each(|row| docs.apply(write.at_ms, row));
        }
    }
}

/// `Bearer ...` of a request.
fn bearer(request: &Request) -> &str {
    let header = request.header("authorization");
    header.strip_prefix("Bearer ").unwrap_or_default()
}

/// A call that writes documents.
struct Writing<'a> {
    system: &'static str,
    /// What the journal calls its documents.
    form: &'static str,
    request: &'a Request,
    endpoint: &'a str,
    twist: &'a Twist,
    /// The vendor's words for data that it does not take, whatever the request says.
    rule: Problem,
    /// One bad document refuses the whole call.
    is_whole: bool,
}

/// What became of one document, by its place in the call.
type Told = (usize, Result<RowLine, Problem>);

impl Writing<'_> {
    /// Judges and executes the documents in turn, and writes them down. What a fault leaves unnamed is not told.
    fn run(
        &self,
        world: &mut World,
        documents: &[&str],
        mut judge: impl FnMut(&mut World, usize, &str) -> Result<RowLine, Problem>,
    ) -> Result<Vec<Told>, Problem> {
        if world.journal.is_full() || self.twist.refuses_batch(documents.iter().copied()) {
            return Err(self.rule.clone());
        }
        if self.is_whole {
            for (place, document) in documents.iter().enumerate() {
                if self.twist.fate(place, document) == Fate::Refused {
                    return Err(self.rule.clone());
                }
                judge(world, place, document)?;
            }
        }
        let (mut rows, mut told) = (Vec::new(), Vec::new());
        // One instant for the documents and for the journal's line: after a restart they are as old as they were.
        let now = world.now_ms();
        for (place, document) in documents.iter().enumerate() {
            let fate = self.twist.fate(place, document);
            let judged = match fate {
                Fate::Dropped => continue,
                Fate::Refused => Err(self.rule.clone()),
                _ => judge(world, place, document),
            };
            if let Ok(row) = &judged {
                world.office(self.system).docs.apply(now, row);
                rows.push(row.clone());
            }
            if fate != Fate::Unnamed {
                told.push((place, judged));
            }
        }
        if !rows.is_empty() {
            let write = Write {
                at_ms: now,
                ..world.written(self.endpoint, self.form, &self.request.body, self.twist, rows)
            };
            let appended = world.journal.append(Line::Write(write));
            appended.map_err(|_| self.rule.clone())?;
        }
        if self.twist.adds_a_row() {
            let spare = line(Action::Create, documents.len(), "", "?", 0, "{}", 1);
            told.push((documents.len(), Ok(spare)));
        }
        Ok(told)
    }

    /// The same for the only document of a call.
    fn one(
        &self,
        world: &mut World,
        document: &str,
        judge: impl FnMut(&mut World, usize, &str) -> Result<RowLine, Problem>,
    ) -> Result<RowLine, Problem> {
        let told = self.run(world, &[document], judge)?;
        let first = told.into_iter().find(|(place, _)| *place == 0);
        first.map_or_else(|| Err(self.rule.clone()), |(_, judged)| judged)
    }
}

/// A row of the journal.
pub(crate) fn line(
    action: Action,
    dindex: usize,
    org: &str,
    number: &str,
    id: u64,
    content: &str,
    version: u64,
) -> RowLine {
    RowLine {
        dindex,
        action,
        org: org.to_owned(),
        number: number.to_owned(),
        id,
        status: 'A',
        content: content.to_owned(),
        keeps_lines: false,
        version,
    }
}

/// The rows of a page by what the page before gave to go on with: the first row, and the mark of the page after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    first: usize,
    size: usize,
}

impl Mark {
    /// A mark is a place with a letter in front, so that nobody takes it for a number of pages.
    fn read(mark: &str, size: u64, wrong: &Problem) -> Result<Mark, Problem> {
        let first = match mark {
            "" => 0,
            mark => {
                let place = mark.strip_prefix('c').and_then(|place| place.parse().ok());
                place.ok_or_else(|| wrong.clone())?
            }
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        Ok(Mark { first, size })
    }

    /// The rows to show, and the next mark; empty after the last page.
    fn cut<'r, T>(self, twist: &Twist, rows: &'r [T]) -> (&'r [T], String) {
        let after = self.first.saturating_add(self.size);
        let next = match twist.first_row(self.first, self.size) {
            Some(_) if after < rows.len() => format!("c{after}"),
            _ => String::new(),
        };
        let shown = twist.first_row(self.first, self.size).map_or(&[][..], |first| {
            let first = first.min(rows.len());
            &rows[first..first.saturating_add(self.size).min(rows.len())]
        });
        (shown, next)
    }
}

/// A mark or token that is wrong, kept short so that an answer is not as long as what was sent.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// What the target refuses whatever the request says (`--refuse`), and texts that are too long.
fn against(world: &World, number: &str, rule: &Problem) -> Result<(), Problem> {
    if number.chars().count() > MAX_TEXT || world.refusal(number).is_some() {
        return Err(rule.clone());
    }
    Ok(())
}

/// A plain answer with this status.
fn reply(status: u16, body: impl std::fmt::Display) -> Reply {
    Reply {
        status,
        ..Reply::json(body.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_lead_through_all_rows_once() {
        let rows: Vec<usize> = (0..7).collect();
        let wrong = problem("1", "wrong");
        let (mut seen, mut mark, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = Mark::read(&mark, 3, &wrong).unwrap();
            let (shown, next) = page.cut(&Twist::default(), &rows);
            seen.extend_from_slice(shown);
            pages += 1;
            if next.is_empty() {
                break;
            }
            mark = next;
        }
        assert_eq!((seen, pages), (rows.clone(), 3));
        assert_eq!(Mark::read("3", 3, &wrong), Err(wrong.clone()));
        let whole = Mark::read("", 7, &wrong).unwrap();
        assert_eq!(whole.cut(&Twist::default(), &rows), (&rows[..], String::new()));
    }
}
