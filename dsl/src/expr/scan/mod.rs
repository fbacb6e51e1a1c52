//! One linear pass over the text before the grammar sees it.
//!
//! It bounds what the grammar has to do (length, nesting, operators) and finds the mistakes that a grammar can
//! only call unexpected: open quotes and parentheses, CASE without END, `? :`, JavaScript, names without
//! placeholders, full-width punctuation. Each is told in the author's terms, all of them at once.

mod shape;

use std::ops::Range;

use shape::Shape;

use super::refused::refused;
use super::{Bounds, ExprError};
use crate::builtin::Registry;
use crate::catalogue::expression;

/// A word of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TokenKind {
    Number,
    Text,
    Placeholder,
    Find,
    Word,
    Operator,
    Open,
    Close,
    Comma,
}

/// Words that mean something of their own; not fields somebody forgot to mark.
const KEYWORDS: &[&str] = &[
    "AND", "AS", "BETWEEN", "CASE", "DIV", "ELSE", "END", "ESCAPE", "FALSE", "IN", "INTERVAL", "IS", "LIKE",
    "MOD", "NOT", "NULL", "OR", "REGEXP", "RLIKE", "THEN", "TRUE", "USING", "WHEN", "XOR",
];
/// Words that mean something behind INTERVAL or AS, or without parentheses.
const OTHER_WORDS: &[&str] = &[
    "CHAR",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DATETIME",
    "DAY",
    "DECIMAL",
    "DOUBLE",
    "FLOAT",
    "HOUR",
    "INTEGER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "MICROSECOND",
    "MINUTE",
    "MONTH",
    "QUARTER",
    "SECOND",
    "SIGNED",
    "UNSIGNED",
    "UTF8",
    "UTF8MB4",
    "WEEK",
    "YEAR",
];
const OPERATORS: &[&str] = &[
    "<=>", "<=", ">=", "<>", "!=", "&&", "||", "+", "-", "*", "/", "%", "=", "<", ">", "!",
];
/// What other languages write, and what to write instead.
const FOREIGN: &[(&str, &str, &str)] = &[
    ("===", "写作 `=`", "write `=`"),
    ("==", "写作 `=`", "write `=`"),
    ("!==", "写作 `<>`", "write `<>`"),
    ("=>", "写作 `>=`", "write `>=`"),
    ("**", "", ""),
    ("/*", "表达式里没有注释", "there are no comments in an expression"),
    (
        "-- ",
        "表达式里没有注释",
        "there are no comments in an expression",
    ),
    (
        "#",
        "表达式里没有注释;文本要加引号",
        "there are no comments in an expression; a text is written in quotes",
    ),
    ("`", "字段写作 `<<字段>>`", "a field is written `<<field>>`"),
    (";", "删掉它", "take it out"),
];
/// What a Chinese keyboard types, and what it stands for.
const FULL_WIDTH: &[(char, &str)] = &[
    ('\u{ff08}', "("),
    ('\u{ff09}', ")"),
    ('\u{ff0c}', ","),
    ('\u{3001}', ","),
    ('\u{2018}', "'"),
    ('\u{2019}', "'"),
    ('\u{201c}', "\""),
    ('\u{201d}', "\""),
    ('\u{ff1b}', ";"),
    ('\u{ff0b}', "+"),
    ('\u{ff0d}', "-"),
    ('\u{ff0a}', "*"),
    ('\u{d7}', "*"),
    ('\u{ff0f}', "/"),
    ('\u{f7}', "/"),
    ('\u{ff1d}', "="),
    ('\u{ff1c}', "<"),
    ('\u{ff1e}', ">"),
    ('\u{2264}', "<="),
    ('\u{2265}', ">="),
    ('\u{2260}', "<>"),
    ('\u{ff05}', "%"),
    ('\u{ff5b}', "{"),
    ('\u{ff5d}', "}"),
    ('\u{ff1f}', "?"),
    ('\u{ff01}', "!"),
];

/// Checks the text. What is only soft (a function that does not exist) is left to later passes when the rest is
/// in order, and told here when it is not.
pub(super) fn scan(text: &str, registry: &Registry, bounds: &Bounds) -> Result<(), Vec<ExprError>> {
    if text.len() > bounds.text {
        return Err(vec![
            ExprError::new(&expression::TOO_LONG, 0..text.len())
                .with("size", text.len())
                .with("most", bounds.text),
        ]);
    }
    if text.trim().is_empty() {
        return Err(vec![ExprError::new(&expression::EMPTY, 0..text.len())]);
    }
    let mut errors = Vec::new();
    let tokens = tokens(text, &mut errors);
    let mut shape = Shape::new(text, bounds, errors);
    let cut = shape.errors.iter().any(|error| hides_the_rest(text, error));
    shape.check(&tokens);
    if !cut {
        shape.finish();
    }
    let mut errors = shape.errors;
    words(text, &tokens, registry, &mut errors);
    errors.extend(star_counted(text, &tokens));
    if errors.is_empty() {
        return Ok(());
    }
    errors.extend(unknown_functions(text, registry));
    errors.sort_by_key(|error| error.span.start);
    Err(errors)
}

/// The words of a text that has been scanned; empty when it is not in order.
pub(super) fn tokens_of(text: &str) -> Vec<Token> {
    tokens(text, &mut Vec::new())
}

/// Calls of functions that do not exist.
pub(super) fn unknown_functions(text: &str, registry: &Registry) -> Vec<ExprError> {
    let tokens = tokens_of(text);
    calls(&tokens)
        .map(|token| (&text[token.span.clone()], token.span.clone()))
        .filter(|(name, _)| !name.contains('.') && !is_keyword(name) && !is_syntax(name))
        .filter(|(name, _)| registry.get(name).is_none())
        .map(|(name, span)| unknown_function(name, span, registry))
        .collect()
}

pub(super) fn unknown_function(name: &str, span: Range<usize>, registry: &Registry) -> ExprError {
    if let Some(refused) = refused(name) {
        return ExprError::new(&expression::FUNCTION_REFUSED, span)
            .with("name", name.to_ascii_uppercase())
            .with("why_zh", refused.why.zh)
            .with("why_en", refused.why.en)
            .with("help_zh", refused.instead.zh)
            .with("help_en", refused.instead.en);
    }
    let similar = registry.similar(name);
    let (zh, en) = match similar.is_empty() {
        true => (
            "`engine functions` 列出所有函数",
            "`engine functions` lists them all",
        ),
        false => ("", ""),
    };
    ExprError::new(&expression::UNKNOWN_FUNCTION, span)
        .with("name", name)
        .with("help_zh", zh)
        .with("help_en", en)
        .similar(similar)
}

/// `COUNT(*)`: there are no rows to count here, only the lines of one.
fn star_counted<'t>(text: &'t str, tokens: &'t [Token]) -> impl Iterator<Item = ExprError> + 't {
    let is = |token: &Token, word: &str| text[token.span.clone()].eq_ignore_ascii_case(word);
    tokens
        .windows(4)
        .filter(move |four| {
            ["COUNT", "(", "*", ")"]
                .iter()
                .zip(*four)
                .all(|(word, token)| is(token, word))
        })
        .map(|four| ExprError::new(&expression::COUNT_STAR, four[2].span.clone()))
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
}

/// Calls that the grammar knows itself; CHAR and DECIMAL have a length in parentheses.
fn is_syntax(word: &str) -> bool {
    ["CAST", "CONVERT", "CHAR", "DECIMAL", "DATETIME"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(word))
}

fn calls(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    tokens
        .windows(2)
        .filter(|pair| pair[0].kind == TokenKind::Word && pair[1].kind == TokenKind::Open)
        .map(|pair| &pair[0])
}

fn is_word_start(char: char) -> bool {
    char == '_' || char.is_alphabetic()
}

fn is_word_char(char: char) -> bool {
    is_word_start(char) || char == '$' || char.is_numeric()
}

fn tokens(text: &str, errors: &mut Vec<ExprError>) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        match token(text, at) {
            Ok((kind, end)) => {
                tokens.push(Token { kind, span: at..end });
                at = end;
            }
            Err(error) => {
                at = error.span.end.max(at + first.len_utf8());
                let after_question = first == ':' && errors.iter().any(|e| e.entry == &expression::TERNARY);
                if let Some(kind) = meant(&error) {
                    tokens.push(Token {
                        kind,
                        span: error.span.clone(),
                    });
                }
                let last = hides_the_rest(text, &error);
                if !after_question {
                    errors.push(error);
                }
                if last {
                    break;
                }
            }
        }
    }
    tokens
}

/// What a full-width character stands for, so that it is complained about only once.
fn meant(error: &ExprError) -> Option<TokenKind> {
    if error.entry != &expression::FULL_WIDTH {
        return None;
    }
    let instead = error
        .facts
        .iter()
        .find(|(name, _)| *name == "instead")
        .map(|(_, text)| text.as_str())?;
    Some(match instead {
        "(" => TokenKind::Open,
        ")" => TokenKind::Close,
        "," => TokenKind::Comma,
        "'" | "\"" => return None,
        _ => TokenKind::Operator,
    })
}

/// Behind an open quote, placeholder or look-up, and in a comment, nothing can be told any more.
fn hides_the_rest(text: &str, error: &ExprError) -> bool {
    let open = [
        &expression::TEXT_NOT_CLOSED,
        &expression::PLACEHOLDER_NOT_CLOSED,
        &expression::FIND_NOT_ENDED,
    ];
    let comment = |mark: &str| text[error.span.start..].starts_with(mark);
    open.contains(&error.entry)
        || error.entry == &expression::NOT_SUPPORTED && ["#", "--", "/*"].into_iter().any(comment)
        || error.entry == &expression::FULL_WIDTH && comment("\u{2018}")
        || error.entry == &expression::FULL_WIDTH && comment("\u{201c}")
}

/// The token that begins at `at`, and its end.
fn token(text: &str, at: usize) -> Result<(TokenKind, usize), ExprError> {
    let rest = &text[at..];
    let first = rest.chars().next().unwrap_or(' ');
    if rest.starts_with("{{") || rest.starts_with("<<") && !rest.starts_with("<<<") {
        return Ok((TokenKind::Placeholder, at + placeholder(text, at, text.len())?));
    }
    match first {
        '\'' | '"' => return Ok((TokenKind::Text, at + quoted(text, at, first)?)),
        '(' => return Ok((TokenKind::Open, at + 1)),
        ')' => return Ok((TokenKind::Close, at + 1)),
        ',' => return Ok((TokenKind::Comma, at + 1)),
        _ => {}
    }
    if let Some((written, instead)) = FULL_WIDTH.iter().find(|(char, _)| *char == first) {
        return Err(
            ExprError::new(&expression::FULL_WIDTH, at..at + written.len_utf8())
                .with("found", written)
                .with("instead", instead),
        );
    }
    if first.is_ascii_digit() || first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit()) {
        return number(text, at);
    }
    if is_word_start(first) {
        return word(text, at);
    }
    if first == '?' {
        return Err(ExprError::new(&expression::TERNARY, at..at + 1));
    }
    if let Some((written, zh, en)) = FOREIGN.iter().find(|(written, ..)| rest.starts_with(written)) {
        let span = at..at + written.trim_end().len();
        return Err(not_supported(written.trim_end(), span, zh, en));
    }
    match OPERATORS.iter().find(|operator| rest.starts_with(**operator)) {
        Some(operator) => Ok((TokenKind::Operator, at + operator.len())),
        None => Err(not_supported(
            &first.to_string(),
            at..at + first.len_utf8(),
            "",
            "",
        )),
    }
}

fn not_supported(found: &str, span: Range<usize>, zh: &str, en: &str) -> ExprError {
    ExprError::new(&expression::NOT_SUPPORTED, span)
        .with("found", found)
        .with("instead_zh", zh)
        .with("instead_en", en)
}

/// The length of the placeholder at `at`, which ends before `limit`.
fn placeholder(text: &str, at: usize, limit: usize) -> Result<usize, ExprError> {
    let body = &text[at..limit];
    let (open, close) = if body.starts_with("{{") {
        ("{{", "}}")
    } else {
        ("<<", ">>")
    };
    let inner = &body[2..];
    let end = inner
        .find(close)
        .filter(|end| !inner[..*end].contains(['\n', '\r']));
    let Some(end) = end else {
        return Err(
            ExprError::new(&expression::PLACEHOLDER_NOT_CLOSED, at..limit.min(at + 2))
                .with("open", open)
                .with("close", close),
        );
    };
    let name = &inner[..end];
    let extra = close == "}}" && inner[end + 2..].starts_with('}');
    if name.starts_with('{') || extra {
        let length = 2 + end + 2 + usize::from(extra);
        let right = format!("{{{{{}}}}}", name.trim_matches('{').trim());
        return Err(ExprError::new(&expression::BRACE_TYPO, at..at + length).with("right", right));
    }
    if name.contains(open) {
        return Err(ExprError::new(&expression::PLACEHOLDER_NOT_CLOSED, at..at + 2)
            .with("open", open)
            .with("close", close));
    }
    Ok(end + 4)
}

/// The length of the quoted text at `at`; its placeholders are looked at, too.
fn quoted(text: &str, at: usize, quote: char) -> Result<usize, ExprError> {
    let unclosed = || ExprError::new(&expression::TEXT_NOT_CLOSED, at..text.len()).with("quote", quote);
    let body = &text[at + 1..];
    let mut chars = body.char_indices().peekable();
    let end = loop {
        match chars.next() {
            None => return Err(unclosed()),
            Some((_, '\\')) => {
                chars.next();
            }
            Some((index, char)) if char == quote => match chars.peek() {
                Some((_, next)) if *next == quote => {
                    chars.next();
                }
                _ => break at + 1 + index,
            },
            Some(_) => {}
        }
    };
    let mut inside = at + 1;
    while inside < end {
        let rest = &text[inside..end];
        if rest.starts_with("{{") || rest.starts_with("<<") {
            inside += placeholder(text, inside, end)?;
            continue;
        }
        let mut chars = rest.chars();
        let first = chars.next().map_or(1, char::len_utf8);
        let escaped = if rest.starts_with('\\') {
            chars.next().map_or(0, char::len_utf8)
        } else {
            0
        };
        inside += first + escaped;
    }
    Ok(end + 1 - at)
}

fn number(text: &str, at: usize) -> Result<(TokenKind, usize), ExprError> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut end = at + digits(at);
    let whole = end - at;
    if bytes.get(end) == Some(&b'.') {
        end += 1 + digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end += 1 + sign + digits(end + 1 + sign);
        }
    }
    let glued: String = text[end..]
        .chars()
        .take_while(|char| is_word_char(*char))
        .collect();
    if !glued.is_empty() || whole > 65 {
        let span = at..end + glued.len();
        return Err(ExprError::new(&expression::BAD_NUMBER, span.clone()).with("found", &text[span]));
    }
    Ok((TokenKind::Number, end))
}

fn word(text: &str, at: usize) -> Result<(TokenKind, usize), ExprError> {
    let mut end = at;
    let mut chars = text[at..].chars().peekable();
    while let Some(char) = chars.next() {
        let dot = char == '.' && chars.peek().is_some_and(|next| is_word_char(*next));
        if !dot && !is_word_char(char) {
            break;
        }
        end += char.len_utf8();
    }
    if !text[at..end].eq_ignore_ascii_case("_findCollection") {
        return Ok((TokenKind::Word, end));
    }
    let marker = "_endfind";
    match text[end..].to_ascii_lowercase().find(marker) {
        Some(length) => Ok((TokenKind::Find, end + length + marker.len())),
        None => Err(ExprError::new(&expression::FIND_NOT_ENDED, at..end)),
    }
}

/// Names that are neither functions nor keywords, and calls that no function name looks like.
fn words(text: &str, tokens: &[Token], registry: &Registry, errors: &mut Vec<ExprError>) {
    for (index, token) in tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.kind == TokenKind::Word)
    {
        let name = &text[token.span.clone()];
        let called = tokens
            .get(index + 1)
            .is_some_and(|next| next.kind == TokenKind::Open);
        let span = token.span.clone();
        if name.eq_ignore_ascii_case("SELECT") {
            errors.push(not_supported(
                name,
                span,
                "用 `_findCollection` 查找",
                "use `_findCollection` to look up",
            ));
        } else if called && name.contains('.') {
            errors.push(dotted(name, span, registry));
        } else if !called && !is_keyword(name) && !is_other_word(name, index, tokens, text) {
            errors.push(ExprError::new(&expression::BARE_WORD, span).with("name", name));
        }
    }
}

/// Types stand behind AS or a comma, units behind an operand, and what needs no parentheses anywhere.
fn is_other_word(name: &str, index: usize, tokens: &[Token], text: &str) -> bool {
    if OTHER_WORDS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
        return true;
    }
    // A wrong unit, type or character set gets its own message.
    let before = |steps: usize| index.checked_sub(steps).and_then(|at| tokens.get(at));
    let is = |token: Option<&Token>, words: &[&str]| {
        token.is_some_and(|token| {
            words
                .iter()
                .any(|word| text[token.span.clone()].eq_ignore_ascii_case(word))
        })
    };
    is(before(1), &["AS", "USING"]) || is(before(2), &["INTERVAL"]) || is(before(3), &["INTERVAL"])
}

fn dotted(name: &str, span: Range<usize>, registry: &Registry) -> ExprError {
    let last = name.rsplit('.').next().unwrap_or(name);
    let instead = match name.to_ascii_lowercase().as_str() {
        "date.now" => Some("UNIX_TIMESTAMP(NOW(3))".to_owned()),
        _ => registry.get(last).map(|builtin| format!("{}(…)", builtin.name)),
    };
    let (zh, en) = match instead {
        Some(instead) => (format!(",请写 `{instead}`"), format!("; write `{instead}`")),
        None => (String::new(), String::new()),
    };
    ExprError::new(&expression::DOTTED_CALL, span)
        .with("name", name)
        .with("instead_zh", zh)
        .with("instead_en", en)
}
