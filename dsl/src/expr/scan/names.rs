//! Words that are neither functions nor keywords, functions of other systems, and statements.

use std::ops::Range;

use super::foreign::{dotted, function, property};
use super::token::word_of;
use super::{Token, TokenKind, is_keyword, is_one_of, not_supported, tokens_of};
use crate::builtin::Registry;
use crate::catalogue::expression;
use crate::expr::ExprError;
use crate::expr::refused::refused;

/// Words that mean something behind INTERVAL or AS, or without parentheses.
const OTHER_WORDS: &[&str] = &[
    "ALL",
    "CHAR",
    "CHARACTER",
    "CHARSET",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DATETIME",
    "DAY",
    "DAY_HOUR",
    "DAY_MICROSECOND",
    "DAY_MINUTE",
    "DAY_SECOND",
    "DEC",
    "DECIMAL",
    "DOUBLE",
    "HOUR",
    "HOUR_MICROSECOND",
    "HOUR_MINUTE",
    "HOUR_SECOND",
    "INTEGER",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "MICROSECOND",
    "MINUTE",
    "MINUTE_MICROSECOND",
    "MINUTE_SECOND",
    "MONTH",
    "NCHAR",
    "QUARTER",
    "SECOND",
    "SECOND_MICROSECOND",
    "SIGNED",
    "TIME",
    "TIMESTAMP",
    "UNSIGNED",
    "UTC_DATE",
    "UTC_TIME",
    "UTC_TIMESTAMP",
    "UTF8",
    "UTF8MB3",
    "UTF8MB4",
    "VARCHAR",
    "WEEK",
    "YEAR",
    "YEAR_MONTH",
];
/// Calls that the grammar knows itself; types have a length in parentheses.
const SYNTAX: &[&str] = &[
    "BINARY", "CAST", "CHAR", "CONVERT", "DATETIME", "DEC", "DECIMAL", "NCHAR", "POSITION", "TIME", "VARCHAR",
];
/// Words that are no value elsewhere either.
const NOTHING: &[&str] = &["NIL", "NONE", "UNDEFINED"];
/// Parts of statements: the word, and what to write instead, in Chinese and English.
const STATEMENTS: &[(&str, &str, &str)] = &[
    (
        "SELECT",
        "查找另一个方案保存的数据用 `_findCollection`",
        "use `_findCollection` to look up what another scheme has stored",
    ),
    (
        "EXISTS",
        "查找另一个方案保存的数据用 `_findCollection`",
        "use `_findCollection` to look up what another scheme has stored",
    ),
    (
        "UNION",
        "查找另一个方案保存的数据用 `_findCollection`",
        "use `_findCollection` to look up what another scheme has stored",
    ),
];

/// What the server has and this language has not: the word, and what to write instead.
const NOT_HERE: &[(&str, &str, &str)] = &[
    (
        "COLLATE",
        "文本比较固定不分大小写;区分大小写写作 `BINARY 甲 = 乙`",
        "texts are always compared without case; with case write `BINARY a = b`",
    ),
    (
        "SOUNDS",
        "没有读音比较;用 LIKE 或 REGEXP",
        "there is no comparison by sound; use LIKE or REGEXP",
    ),
    (
        "OVER",
        "没有窗口函数;聚合函数按单据的明细行计算",
        "there are no window functions; SUM and its like run over the lines of a document",
    ),
];

/// Names behind which nothing but `(` would follow, and names that are none.
pub(super) fn check(text: &str, tokens: &[Token], registry: &Registry, errors: &mut Vec<ExprError>) {
    // The names in a query are not fields of the record.
    let query = tokens
        .iter()
        .any(|token| word_of(text, token).0.eq_ignore_ascii_case("SELECT"));
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Text) {
        let (written, span) = word_of(text, token);
        let body = written.trim_start_matches(['\'', '"', ' ']);
        if body
            .get(.."_findCollection".len())
            .is_some_and(|word| word.eq_ignore_ascii_case("_findCollection"))
        {
            errors.push(ExprError::new(&expression::FIND_IN_QUOTES, span));
        }
    }
    for (index, token) in tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| token.kind == TokenKind::Word)
    {
        let (name, span) = word_of(text, token);
        let called = is_open(tokens.get(index + 1));
        if let Some((_, zh, en)) = STATEMENTS
            .iter()
            .find(|(word, ..)| word.eq_ignore_ascii_case(name))
        {
            errors.push(statement(name, span, zh, en));
        } else if let Some((_, zh, en)) = NOT_HERE.iter().find(|(word, ..)| word.eq_ignore_ascii_case(name)) {
            errors.push(not_supported(name, span, zh, en));
        } else if name.eq_ignore_ascii_case("AS") && !is_in(text, tokens, index, &["CAST"]) {
            errors.push(statement(
                name,
                span,
                "AS 只给查询结果的列起名;删掉它",
                "AS names a column of a query; take it out",
            ));
        } else if called && name.eq_ignore_ascii_case("ROW") {
            errors.push(row(name, span));
        } else if called && name.contains('.') {
            errors.push(dotted(name, span, registry));
        } else if called
            && !(is_one_of(name, SYNTAX) && is_in(text, tokens, index, &["CAST", "CONVERT"]))
            && let Some(instead) = function(name, arguments(tokens, index + 1), registry)
        {
            let error = ExprError::new(&expression::FOREIGN_FUNCTION, span).with("name", name);
            errors.push(error.with("instead", instead));
        } else if !called && !query && !is_keyword(name) && !is_other_word(name, index, tokens, text) {
            errors.push(bare(name, span, registry));
        }
    }
}

fn statement(name: &str, span: Range<usize>, zh: &str, en: &str) -> ExprError {
    ExprError::new(&expression::STATEMENT, span)
        .with("found", name)
        .with("instead_zh", zh)
        .with("instead_en", en)
}

pub(super) fn row(found: &str, span: Range<usize>) -> ExprError {
    not_supported(
        found,
        span,
        "不能比较几个值组成的行;写作 `甲 = 1 AND 乙 = 2`",
        "rows of several values cannot be compared; write `a = 1 AND b = 2`",
    )
}

fn bare(name: &str, span: Range<usize>, registry: &Registry) -> ExprError {
    if is_one_of(name, NOTHING) {
        return not_supported(name, span, "写作 NULL", "write NULL");
    }
    if let Some(instead) = property(name) {
        return dotted_property(name, span, &instead);
    }
    match registry.get(name) {
        Some(builtin) => ExprError::new(&expression::NEEDS_PARENTHESES, span)
            .with("name", name)
            .with("signature", builtin.signature()),
        None => ExprError::new(&expression::BARE_WORD, span).with("name", name),
    }
}

fn dotted_property(name: &str, span: Range<usize>, instead: &str) -> ExprError {
    ExprError::new(&expression::METHOD, span)
        .with("name", name.rsplit('.').next().unwrap_or(name))
        .with("help_zh", format!("写作 `{instead}`"))
        .with("help_en", format!("write `{instead}`"))
}

fn is_open(token: Option<&Token>) -> bool {
    token.is_some_and(|token| token.kind == TokenKind::Open)
}

/// Arguments of the call whose parenthesis is the token at `open`.
fn arguments(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    let mut commas = 0;
    for token in &tokens[open..] {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close if depth <= 1 => break,
            TokenKind::Close => depth -= 1,
            TokenKind::Comma if depth == 1 => commas += 1,
            _ => {}
        }
        // Nobody asks for more than two.
        if commas > 2 {
            break;
        }
    }
    commas + 1
}

/// Whether one of these words stands before the parenthesis that is still open: AS belongs into CAST.
fn is_in(text: &str, tokens: &[Token], index: usize, words: &[&str]) -> bool {
    let mut depth = 0_usize;
    for at in (0..index).rev() {
        match tokens[at].kind {
            TokenKind::Close => depth += 1,
            TokenKind::Open if depth == 0 => return behind(text, tokens, at, 1, words),
            TokenKind::Open => depth -= 1,
            _ => {}
        }
    }
    false
}

fn behind(text: &str, tokens: &[Token], index: usize, steps: usize, words: &[&str]) -> bool {
    let token = index.checked_sub(steps).and_then(|at| tokens.get(at));
    token.is_some_and(|token| is_one_of(&text[token.span.clone()], words))
}

/// Types stand behind AS or a comma, units behind an operand, and what needs no parentheses anywhere.
fn is_other_word(name: &str, index: usize, tokens: &[Token], text: &str) -> bool {
    if is_one_of(name, OTHER_WORDS) || name.to_ascii_uppercase().starts_with("SQL_TSI_") {
        return true;
    }
    // A wrong unit, type or character set gets its own message.
    behind(
        text,
        tokens,
        index,
        1,
        &["AS", "USING", "SET", "CHARSET", "COLLATE"],
    ) || behind(text, tokens, index, 1, &["CHARACTER"]) && name.eq_ignore_ascii_case("SET")
        || behind(
            text,
            tokens,
            index,
            2,
            &["INTERVAL", "EXTRACT", "TIMESTAMPDIFF", "TIMESTAMPADD"],
        )
        || behind(text, tokens, index, 3, &["INTERVAL"])
}

/// Calls of functions that do not exist.
pub(in crate::expr) fn unknown_functions(text: &str, registry: &Registry) -> Vec<ExprError> {
    let tokens = tokens_of(text);
    let calls = tokens
        .windows(2)
        .filter(|pair| pair[0].kind == TokenKind::Word && is_open(pair.get(1)))
        .map(|pair| word_of(text, &pair[0]));
    calls
        .filter(|(name, _)| !name.contains('.') && !name.starts_with('$'))
        .filter(|(name, _)| !is_keyword(name) && !is_one_of(name, SYNTAX))
        .filter(|(name, _)| {
            !STATEMENTS
                .iter()
                .any(|(word, ..)| word.eq_ignore_ascii_case(name))
        })
        .filter(|(name, _)| registry.get(name).is_none() && function(name, 1, registry).is_none())
        .filter(|(name, _)| !name.eq_ignore_ascii_case("ROW"))
        .take(super::MOST_PROBLEMS)
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
