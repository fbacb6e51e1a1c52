//! Values and operators take turns: what is missing between them is told here.
//!
//! Silent for everything the grammar takes. Where a keyword could mean several things nothing is said, and the
//! grammar finds the place.

use std::ops::Range;

use super::names::row;
use super::token::ends_operand;
use super::{Token, TokenKind, is_keyword, is_one_of, not_supported};
use crate::catalogue::expression;
use crate::expr::ExprError;

/// Operators that may stand before a value.
const SIGNS: &[&str] = &["-", "+", "!", "~"];
/// Behind these NOT begins a condition.
const LOGIC: &[&str] = &["&&", "||"];
/// Words between two values.
const BETWEEN_VALUES: &[&str] = &[
    "AND", "OR", "XOR", "DIV", "LIKE", "REGEXP", "RLIKE", "IN", "BETWEEN",
];
/// Of these, the ones whose right side takes no NOT.
const TIGHT: &[&str] = &["DIV", "LIKE", "REGEXP", "RLIKE", "IN", "BETWEEN", "BINARY"];
/// Words behind which a value or a name follows.
const OPENING: &[&str] = &[
    "NOT",
    "BINARY",
    "INTERVAL",
    "DISTINCT",
    "LEADING",
    "TRAILING",
    "BOTH",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "FROM",
    "FOR",
    "USING",
    "AS",
    "ESCAPE",
    "SEPARATOR",
    "IS",
    "BY",
    "ORDER",
];
/// Words of a literal.
const TIMES: &[&str] = &["DATE", "TIME", "TIMESTAMP"];
/// Problems of order in one text; a word that is lost early makes several.
const MOST: usize = 5;

struct Order<'t> {
    text: &'t str,
    tokens: &'t [Token],
    errors: Vec<ExprError>,
    /// For each open parenthesis: the word before it, and whether a list may stand in it.
    parens: Vec<Paren>,
}

struct Paren {
    lists: Lists,
    at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lists {
    /// Arguments, a length, or behind IN.
    Yes,
    /// One value.
    No,
    /// The function INTERVAL.
    Interval,
    Told,
}

pub(super) fn check(text: &str, tokens: &[Token], errors: &mut Vec<ExprError>) {
    let mut order = Order {
        text,
        tokens,
        errors: Vec::new(),
        parens: Vec::new(),
    };
    order.walk();
    order.errors.truncate(MOST);
    errors.append(&mut order.errors);
}

impl Order<'_> {
    fn word(&self, token: &Token) -> &str {
        &self.text[token.span.clone()]
    }

    fn walk(&mut self) {
        let mut value_next = true;
        for index in 0..self.tokens.len() {
            value_next = self.step(index, value_next);
        }
        if let Some(last) = self.tokens.last()
            && value_next
        {
            self.after(last);
        }
    }

    /// Looks at one word and says whether a value is to follow.
    fn step(&mut self, index: usize, value_next: bool) -> bool {
        let token = &self.tokens[index];
        match token.kind {
            TokenKind::Operator => self.operator(index, value_next),
            TokenKind::Comma => {
                if value_next {
                    self.empty(index);
                }
                self.comma(token);
                true
            }
            TokenKind::Open => {
                self.open(index, value_next);
                true
            }
            TokenKind::Close => {
                if value_next {
                    self.empty(index);
                }
                self.parens.pop();
                false
            }
            TokenKind::Word => self.by_word(index, value_next),
            TokenKind::Number | TokenKind::Text | TokenKind::Placeholder | TokenKind::Find => {
                if !value_next {
                    self.two_values(index);
                }
                false
            }
        }
    }

    fn before(&self, index: usize) -> Option<&Token> {
        index.checked_sub(1).and_then(|before| self.tokens.get(before))
    }

    fn is_before(&self, index: usize, words: &[&str]) -> bool {
        self.before(index)
            .is_some_and(|before| is_one_of(self.word(before), words))
    }

    fn operator(&mut self, index: usize, value_next: bool) -> bool {
        let token = &self.tokens[index];
        let written = self.word(token);
        if !value_next || SIGNS.contains(&written) {
            return true;
        }
        let in_call = self
            .before(index)
            .is_some_and(|before| before.kind == TokenKind::Open);
        let closed = self
            .tokens
            .get(index + 1)
            .is_some_and(|next| next.kind == TokenKind::Close);
        if written == "*" && in_call && closed {
            let span = token.span.clone();
            self.errors.push(ExprError::new(&expression::COUNT_STAR, span));
            return false;
        }
        self.missing(token.span.clone(), Side::Before);
        true
    }

    fn missing(&mut self, span: Range<usize>, side: Side) {
        let (zh, en) = match side {
            Side::Before => ("前面", "before"),
            Side::Behind => ("后面", "behind"),
        };
        let found = self.text[span.clone()].to_owned();
        let error = ExprError::new(&expression::OPERAND_MISSING, span).with("found", found);
        self.errors.push(error.with("side_zh", zh).with("side_en", en));
    }

    /// A value had to follow this word, and something else does.
    fn after(&mut self, token: &Token) {
        let word = self.word(token);
        let span = token.span.clone();
        let binds = token.kind == TokenKind::Operator
            || token.kind == TokenKind::Word
                && (is_one_of(word, BETWEEN_VALUES) || is_one_of(word, &["NOT", "BINARY", "MOD"]));
        let begins = token.kind == TokenKind::Word && is_one_of(word, &["WHEN", "THEN", "ELSE"]);
        if binds || begins {
            self.missing(span, Side::Behind);
        }
    }

    /// A comma or a closing parenthesis where a value had to stand.
    fn empty(&mut self, index: usize) {
        let Some(before) = self.before(index) else {
            let span = self.tokens[index].span.clone();
            self.errors
                .push(ExprError::new(&expression::EMPTY_ARGUMENT, span));
            return;
        };
        let (kind, closes) = (before.kind, self.tokens[index].kind == TokenKind::Close);
        let at = before.span.clone();
        match kind {
            TokenKind::Comma if closes => {
                self.errors.push(ExprError::new(&expression::TRAILING_COMMA, at));
            }
            TokenKind::Comma | TokenKind::Open if !closes => {
                let span = self.tokens[index].span.clone();
                self.errors
                    .push(ExprError::new(&expression::EMPTY_ARGUMENT, span));
            }
            TokenKind::Open => {
                let called = index
                    .checked_sub(2)
                    .and_then(|at| self.tokens.get(at))
                    .is_some_and(|name| name.kind == TokenKind::Word && self.is_name(name));
                if !called {
                    let span = at.start..self.tokens[index].span.end;
                    self.errors
                        .push(ExprError::new(&expression::EMPTY_PARENTHESES, span));
                }
            }
            _ => {
                let before = before.clone();
                self.after(&before);
            }
        }
    }

    /// Whether `(` behind it opens arguments.
    fn is_name(&self, token: &Token) -> bool {
        let word = self.word(token);
        !is_keyword(word) || is_one_of(word, &["MOD", "BINARY"])
    }

    fn open(&mut self, index: usize, value_next: bool) {
        let at = self.tokens[index].span.start;
        let before = self.before(index);
        let named = before.is_some_and(|before| before.kind == TokenKind::Word && self.is_name(before));
        let lists = match before {
            Some(_) if named || self.is_before(index, &["IN"]) => Lists::Yes,
            Some(_) if self.is_before(index, &["INTERVAL"]) => Lists::Interval,
            _ => Lists::No,
        };
        if !named && !value_next {
            self.two_values(index);
        }
        self.parens.push(Paren { lists, at });
    }

    /// A list in parentheses that hold one value.
    fn comma(&mut self, token: &Token) {
        let Some(paren) = self.parens.last_mut() else {
            return;
        };
        let (lists, span) = (paren.lists, paren.at..token.span.end);
        if lists == Lists::Yes || lists == Lists::Told {
            return;
        }
        paren.lists = Lists::Told;
        let found = self.text[span.clone()].to_owned();
        self.errors.push(match lists {
            Lists::Interval => not_supported(
                "INTERVAL(…)",
                span,
                "比较大小用 CASE 或 FIELD;时间长度写作 `INTERVAL 1 DAY`",
                "use CASE or FIELD to find a place; a length of time is `INTERVAL 1 DAY`",
            ),
            _ => row(&found, span),
        });
    }

    fn by_word(&mut self, index: usize, value_next: bool) -> bool {
        let token = &self.tokens[index];
        let word = self.word(token).to_ascii_uppercase();
        let next = self.tokens.get(index + 1);
        let called = next.is_some_and(|next| next.kind == TokenKind::Open);
        if word == "NOT" {
            return self.not(index, value_next);
        }
        if word == "MOD" && !(value_next && called) || is_one_of(&word, BETWEEN_VALUES) {
            if value_next {
                self.missing(token.span.clone(), Side::Before);
            }
            return true;
        }
        if is_one_of(&word, &["WHEN", "THEN", "ELSE", "END"]) {
            if value_next && let Some(before) = self.before(index).cloned() {
                self.after(&before);
            }
            return word != "END";
        }
        if word == "BINARY" && self.is_bare_type(index) {
            return false;
        }
        if is_one_of(&word, OPENING) {
            if word == "CASE" && !value_next {
                self.two_values(index);
            }
            // A function may be called like one of these; what stands in its parentheses counts.
            return true;
        }
        if word == "ALL"
            && self
                .before(index)
                .is_some_and(|before| before.kind == TokenKind::Open)
        {
            return true;
        }
        let literal = is_one_of(&word, TIMES) && next.is_some_and(|next| next.kind == TokenKind::Text);
        if !value_next && (called && !self.is_type(index) || literal) {
            self.two_values(index);
        }
        literal || called
    }

    /// `AS BINARY)` and `CONVERT(x, BINARY)`: a type without a length.
    fn is_bare_type(&self, index: usize) -> bool {
        let behind = self
            .tokens
            .get(index + 1)
            .is_some_and(|next| next.kind == TokenKind::Close);
        let before = self.before(index);
        behind && (self.is_type(index) || before.is_some_and(|before| before.kind == TokenKind::Comma))
    }

    /// `DECIMAL(10, 2)` behind AS or the comma of CONVERT, and `SIGNED INTEGER`.
    fn is_type(&self, index: usize) -> bool {
        self.is_before(index, &["AS", "USING", "CHARACTER", "SET"])
    }

    fn not(&mut self, index: usize, value_next: bool) -> bool {
        if !value_next {
            // NOT IN, NOT LIKE, NOT BETWEEN, NOT REGEXP.
            return false;
        }
        let tight = self.before(index).is_some_and(|before| {
            let word = self.word(before);
            before.kind == TokenKind::Operator && !LOGIC.contains(&word)
                || before.kind == TokenKind::Word && is_one_of(word, TIGHT)
        });
        if tight {
            let span = self.tokens[index].span.clone();
            self.errors.push(ExprError::new(&expression::NOT_INSIDE, span));
        }
        true
    }

    /// Two values side by side; texts are joined, as the server does.
    fn two_values(&mut self, index: usize) {
        let Some(before) = self.before(index) else {
            return;
        };
        let token = &self.tokens[index];
        let digits = |token: &Token| matches!(token.kind, TokenKind::Number | TokenKind::Placeholder);
        // Digits glued to a placeholder are one number.
        let glued = before.span.end == token.span.start && digits(before) && digits(token);
        let joined = before.kind == TokenKind::Text && token.kind == TokenKind::Text;
        if glued || joined || !ends_operand(before, self.text) {
            return;
        }
        let error = ExprError::new(&expression::OPERATOR_MISSING, before.span.start..token.span.end);
        let error = error
            .with("left", self.word(before))
            .with("right", self.word(token));
        self.errors.push(error);
    }
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    Behind,
}
