//! Nesting and number of operators, and what was opened but not closed.

use super::{Token, TokenKind, is_keyword};
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
    /// NOTs that are still open: each makes what follows it one level deeper.
    nots: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GroupKind {
    Base,
    Paren,
    Case,
}

impl Group {
    fn base() -> Group {
        Group {
            kind: GroupKind::Base,
            at: 0,
            when: false,
            nots: 0,
        }
    }
}

pub(super) struct Shape<'t> {
    text: &'t str,
    bounds: &'t Bounds,
    pub(super) errors: Vec<ExprError>,
    groups: Vec<Group>,
    operators: usize,
    /// Signs in a row before an operand.
    signs: usize,
    /// Whether the depth was complained about.
    told: bool,
}

impl<'t> Shape<'t> {
    pub(super) fn new(text: &'t str, bounds: &'t Bounds, errors: Vec<ExprError>) -> Shape<'t> {
        Shape {
            text,
            bounds,
            errors,
            groups: vec![Group::base()],
            operators: 0,
            signs: 0,
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
                && (!is_keyword(word)
                    || ["END", "NULL", "TRUE", "FALSE"]
                        .iter()
                        .any(|k| k.eq_ignore_ascii_case(word)));
            operand_next = !(ends_operand || names_operand);
            if !operand_next {
                self.signs = 0;
            }
        }
    }

    /// What is still open at the end of a text that was read to its end.
    pub(super) fn finish(&mut self) {
        for group in self.groups.drain(1..) {
            self.errors.push(unclosed(&group));
        }
    }

    fn open(&mut self, kind: GroupKind, token: &Token) {
        self.groups.push(Group {
            kind,
            at: token.span.start,
            when: false,
            nots: 0,
        });
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
        for group in self.groups.drain(paren + 1..) {
            self.errors.push(unclosed(&group));
        }
        self.groups.truncate(paren);
    }

    /// What NOT stands before is complete.
    fn settle(&mut self) {
        if let Some(group) = self.groups.last_mut() {
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
                if let Some(group) = self.groups.last_mut() {
                    group.when |= word == "WHEN";
                }
            }
            "END" => self.end(token),
            "NOT" if operand_next => {
                self.count(token);
                if let Some(group) = self.groups.last_mut() {
                    group.nots += 1;
                }
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

    fn end(&mut self, token: &Token) {
        let Some(case) = self
            .groups
            .iter()
            .rposition(|group| group.kind == GroupKind::Case)
        else {
            return;
        };
        for group in self.groups.drain(case + 1..) {
            self.errors.push(unclosed(&group));
        }
        if let Some(case) = self.groups.pop()
            && !case.when
        {
            self.errors.push(ExprError::new(
                &expression::CASE_WITHOUT_WHEN,
                case.at..token.span.end,
            ));
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
        let nots: usize = self.groups.iter().map(|group| group.nots).sum();
        let depth = self.groups.len() - 1 + self.signs + nots;
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
