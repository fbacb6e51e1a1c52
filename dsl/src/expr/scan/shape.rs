//! Nesting and number of operators, and what was opened but not closed.

use super::{Token, TokenKind, is_keyword, is_one_of};
use crate::catalogue::expression;
use crate::expr::{Bounds, ExprError};

/// Keywords that stand between two operands.
const OPERATOR_WORDS: &[&str] = &[
    "AND", "BETWEEN", "DIV", "IN", "IS", "LIKE", "MOD", "OR", "REGEXP", "RLIKE", "XOR",
];

/// An open parenthesis or CASE.
struct Group {
    kind: GroupKind,
    at: usize,
    when: bool,
    /// Where CASE is.
    phase: Phase,
    /// The WHEN that waits for its THEN.
    waits: usize,
    /// NOTs that are still open: each makes what follows it one level deeper.
    nots: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupKind {
    Base,
    Paren,
    Case,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Start,
    When,
    Then,
    Else,
}

impl Group {
    fn new(kind: GroupKind, at: usize) -> Group {
        Group {
            kind,
            at,
            when: false,
            phase: Phase::Start,
            waits: at,
            nots: 0,
        }
    }
}

pub(super) struct Shape<'t> {
    text: &'t str,
    bounds: &'t Bounds,
    pub(super) errors: Vec<ExprError>,
    groups: Vec<Group>,
    /// All NOTs that are open.
    nots: usize,
    operators: usize,
    /// Signs in a row before an operand.
    signs: usize,
    /// Whether a word of CASE stood outside of it.
    outside: bool,
    /// Whether the depth was complained about.
    told: bool,
}

impl<'t> Shape<'t> {
    pub(super) fn new(text: &'t str, bounds: &'t Bounds, errors: Vec<ExprError>) -> Shape<'t> {
        Shape {
            text,
            bounds,
            errors,
            groups: vec![Group::new(GroupKind::Base, 0)],
            nots: 0,
            operators: 0,
            signs: 0,
            outside: false,
            told: false,
        }
    }

    pub(super) fn check(&mut self, tokens: &[Token]) {
        let mut operand_next = true;
        for (index, token) in tokens.iter().enumerate() {
            let word = &self.text[token.span.clone()];
            let called = tokens
                .get(index + 1)
                .is_some_and(|next| next.kind == TokenKind::Open);
            match token.kind {
                TokenKind::Open => self.open(GroupKind::Paren, token),
                TokenKind::Close => self.close(token),
                TokenKind::Comma => self.settle(),
                TokenKind::Operator => self.operator(word, operand_next, token),
                TokenKind::Word => self.word(&word.to_ascii_uppercase(), operand_next, called, token),
                _ => {}
            }
            let ends_operand = matches!(
                token.kind,
                TokenKind::Number
                    | TokenKind::Text
                    | TokenKind::Placeholder
                    | TokenKind::Find
                    | TokenKind::Close
            );
            let names_operand = token.kind == TokenKind::Word
                && (!is_keyword(word) || is_one_of(word, &["END", "NULL", "TRUE", "FALSE", "UNKNOWN"]));
            operand_next = !(ends_operand || names_operand);
            if !operand_next {
                self.signs = 0;
            }
        }
    }

    /// What is still open at the end of a text that was read to its end.
    pub(super) fn finish(&mut self) {
        self.leave(1);
    }

    fn open(&mut self, kind: GroupKind, token: &Token) {
        self.groups.push(Group::new(kind, token.span.start));
        self.depth(token);
    }

    fn close(&mut self, token: &Token) {
        let Some(paren) = self
            .groups
            .iter()
            .rposition(|group| group.kind == GroupKind::Paren)
        else {
            self.errors
                .push(ExprError::new(&expression::NOT_OPENED, token.span.clone()));
            return;
        };
        self.leave(paren + 1);
        self.nots -= self.groups[paren].nots;
        self.groups.truncate(paren);
    }

    /// Ends the groups from this one on: none of them was closed.
    fn leave(&mut self, from: usize) {
        for group in self.groups.drain(from..) {
            self.nots -= group.nots;
            self.errors.push(unclosed(&group));
        }
    }

    /// What NOT stands before is complete.
    fn settle(&mut self) {
        if let Some(group) = self.groups.last_mut() {
            self.nots -= group.nots;
            group.nots = 0;
        }
    }

    fn operator(&mut self, operator: &str, prefix: bool, token: &Token) {
        self.count(token);
        if prefix {
            self.signs += 1;
            self.depth(token);
        } else if matches!(operator, "&&" | "||") {
            self.settle();
        }
    }

    fn word(&mut self, word: &str, operand_next: bool, called: bool, token: &Token) {
        match word {
            "CASE" => self.open(GroupKind::Case, token),
            "WHEN" | "THEN" | "ELSE" => {
                self.settle();
                self.branch(word, token);
            }
            "END" => self.end(token),
            "NOT" if operand_next => {
                self.count(token);
                if let Some(group) = self.groups.last_mut() {
                    group.nots += 1;
                    self.nots += 1;
                }
                self.depth(token);
            }
            "BINARY" if operand_next => {
                self.count(token);
                self.signs += 1;
                self.depth(token);
            }
            "MOD" if operand_next && called => {}
            _ if OPERATOR_WORDS.contains(&word) => {
                self.count(token);
                if matches!(word, "AND" | "OR" | "XOR") {
                    self.settle();
                }
            }
            _ => {}
        }
    }

    /// WHEN, THEN or ELSE.
    fn branch(&mut self, word: &str, token: &Token) {
        let inside = self.groups.iter().any(|group| group.kind == GroupKind::Case);
        let Some(case) = self
            .groups
            .last_mut()
            .filter(|group| group.kind == GroupKind::Case)
        else {
            // In a parenthesis inside CASE the parenthesis is the fault, and it is told at END.
            if !inside && !self.outside {
                self.misplaced(token);
                self.outside = true;
            }
            return;
        };
        let (phase, waits) = (case.phase, case.waits);
        let next = match word {
            "WHEN" => Phase::When,
            "THEN" => Phase::Then,
            _ => Phase::Else,
        };
        case.phase = next;
        if next == Phase::When {
            case.when = true;
            case.waits = token.span.start;
        }
        match (phase, next) {
            (Phase::When, Phase::When | Phase::Else) => self.no_then(waits),
            (Phase::Start, _) | (Phase::When, Phase::Then) | (Phase::Then, Phase::When | Phase::Else) => {}
            _ => self.misplaced(token),
        }
    }

    fn misplaced(&mut self, token: &Token) {
        let word = self.text[token.span.clone()].to_owned();
        let error = ExprError::new(&expression::CASE_ORDER, token.span.clone());
        self.errors.push(error.with("word", word));
    }

    fn no_then(&mut self, when: usize) {
        self.errors.push(ExprError::new(
            &expression::THEN_MISSING,
            when..when + "WHEN".len(),
        ));
    }

    fn end(&mut self, token: &Token) {
        let Some(case) = self
            .groups
            .iter()
            .rposition(|group| group.kind == GroupKind::Case)
        else {
            if !self.outside {
                self.misplaced(token);
            }
            return;
        };
        self.leave(case + 1);
        let Some(case) = self.groups.pop() else {
            return;
        };
        self.nots -= case.nots;
        if !case.when {
            self.errors.push(ExprError::new(
                &expression::CASE_WITHOUT_WHEN,
                case.at..token.span.end,
            ));
        } else if case.phase == Phase::When {
            self.no_then(case.waits);
        }
    }

    fn count(&mut self, token: &Token) {
        self.operators += 1;
        if self.operators == self.bounds.operators + 1 {
            let error = ExprError::new(&expression::TOO_MANY_OPERATORS, token.span.clone());
            self.errors.push(error.with("most", self.bounds.operators));
        }
    }

    fn depth(&mut self, token: &Token) {
        let depth = self.groups.len() - 1 + self.signs + self.nots;
        if depth > self.bounds.depth && !self.told {
            self.told = true;
            let error = ExprError::new(&expression::TOO_DEEP, token.span.clone());
            self.errors.push(error.with("most", self.bounds.depth));
        }
    }
}

fn unclosed(group: &Group) -> ExprError {
    match group.kind {
        GroupKind::Case => ExprError::new(&expression::CASE_NOT_ENDED, group.at..group.at + "CASE".len()),
        _ => ExprError::new(&expression::NOT_CLOSED, group.at..group.at + 1),
    }
}
