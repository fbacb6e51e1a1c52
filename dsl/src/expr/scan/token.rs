//! Cutting the text into words, and the mistakes that show in a word alone.

use std::ops::Range;

use super::foreign::{FOREIGN_SIGNS, FULL_WIDTH, INVISIBLE, method};
use super::{Token, TokenKind, is_one_of, not_supported};
use crate::catalogue::expression;
use crate::expr::ExprError;

const OPERATORS: &[&str] = &[
    "<=>", "->>", "<=", ">=", "<>", "!=", "&&", "||", "->", ">>", "+", "-", "*", "/", "%", "=", "<", ">",
    "!", "|", "&", "^", "~",
];
/// Words that end an operand.
const VALUES: &[&str] = &["END", "NULL", "TRUE", "FALSE", "UNKNOWN"];

pub(super) fn is_word_start(char: char) -> bool {
    char == '_' || char.is_alphabetic()
}

pub(super) fn is_word_char(char: char) -> bool {
    is_word_start(char) || char == '$' || char.is_numeric()
}

/// Whether an operator, and no value, may follow.
pub(super) fn ends_operand(token: &Token, text: &str) -> bool {
    match token.kind {
        TokenKind::Number | TokenKind::Text | TokenKind::Placeholder | TokenKind::Find | TokenKind::Close => {
            true
        }
        TokenKind::Word => is_one_of(&text[token.span.clone()], VALUES),
        TokenKind::Operator | TokenKind::Open | TokenKind::Comma => false,
    }
}

/// The words of a text, and the wrong ones among them.
pub(super) fn tokens(text: &str, errors: &mut Vec<ExprError>) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            at += 1;
            continue;
        }
        match token(text, at, tokens.last()) {
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
                let last = hides_the_rest(&error);
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

fn fact<'e>(error: &'e ExprError, wanted: &str) -> &'e str {
    let found = error.facts.iter().find(|(name, _)| *name == wanted);
    found.map_or("", |(_, text)| text.as_str())
}

/// What a wrong word stands for, so that it is complained about only once.
fn meant(error: &ExprError) -> Option<TokenKind> {
    let entry = error.entry;
    if entry == &expression::BRACE_TYPO || entry == &expression::BRACE_COUNT {
        return Some(TokenKind::Placeholder);
    }
    if entry == &expression::EQUALS_SIGN || entry == &expression::SHIFT_SIGN {
        return Some(TokenKind::Operator);
    }
    if entry == &expression::BAD_NUMBER {
        return Some(TokenKind::Number);
    }
    if entry == &expression::NOT_SUPPORTED && fact(error, "found").starts_with('`') {
        return Some(TokenKind::Placeholder);
    }
    if entry != &expression::FULL_WIDTH {
        return None;
    }
    let instead = fact(error, "instead");
    Some(match instead {
        "(" => TokenKind::Open,
        ")" => TokenKind::Close,
        "," => TokenKind::Comma,
        _ if instead.starts_with(['\'', '"']) => TokenKind::Text,
        _ if instead.starts_with(|first: char| first.is_ascii_digit()) => TokenKind::Number,
        _ if instead.contains('{') => TokenKind::Placeholder,
        _ => TokenKind::Operator,
    })
}

/// Behind an open quote, placeholder or look-up nothing can be told any more.
pub(super) fn hides_the_rest(error: &ExprError) -> bool {
    let open = [
        &expression::TEXT_NOT_CLOSED,
        &expression::PLACEHOLDER_NOT_CLOSED,
        &expression::FIND_NOT_ENDED,
    ];
    open.contains(&error.entry)
        || error.entry == &expression::FULL_WIDTH && matches!(fact(error, "instead"), "'" | "\"")
}

/// The token that begins at `at`, and its end.
fn token(text: &str, at: usize, before: Option<&Token>) -> Result<(TokenKind, usize), ExprError> {
    let rest = &text[at..];
    let first = rest.chars().next().unwrap_or(' ');
    if rest.starts_with("<<") && !rest.starts_with("<<<") {
        if let Some(end) = shift(text, at, before)? {
            return Ok((TokenKind::Operator, end));
        }
        return Ok((TokenKind::Placeholder, at + placeholder(text, at, text.len())?));
    }
    if rest.starts_with("{{") {
        return Ok((TokenKind::Placeholder, at + placeholder(text, at, text.len())?));
    }
    match first {
        '\'' | '"' => return Ok((TokenKind::Text, at + quoted(text, at, first)?)),
        '(' => return Ok((TokenKind::Open, at + 1)),
        ')' => return Ok((TokenKind::Close, at + 1)),
        ',' => return Ok((TokenKind::Comma, at + 1)),
        '{' | '$' => {
            if let Some(error) = single_brace(text, at) {
                return Err(error);
            }
        }
        '.' => {
            if let Some(error) = before.and_then(|before| method_call(text, at, before)) {
                return Err(error);
            }
        }
        _ => {}
    }
    if let Some(error) = full_width(text, at).or_else(|| invisible(text, at)) {
        return Err(error);
    }
    if first.is_ascii_digit() || first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit()) {
        return number(text, at);
    }
    if is_word_start(first) || first == '$' && rest[1..].starts_with(is_word_start) {
        return word(text, at);
    }
    if first == '?' {
        return Err(ExprError::new(&expression::TERNARY, at..at + 1));
    }
    if let Some(error) = comment(text, at) {
        return Err(error);
    }
    if let Some((written, instead)) = EQUALS_SIGNS.iter().find(|(written, _)| rest.starts_with(written)) {
        let error = ExprError::new(&expression::EQUALS_SIGN, at..at + written.len());
        return Err(error.with("found", written).with("instead", instead));
    }
    if first == '`'
        && let Some(length) = rest[1..].find('`')
    {
        let name = &rest[1..=length];
        let (zh, en) = (
            format!("字段写作 `<<{name}>>`"),
            format!("a field is written `<<{name}>>`"),
        );
        return Err(not_supported(&rest[..length + 2], at..at + length + 2, &zh, &en));
    }
    if let Some((written, zh, en)) = FOREIGN_SIGNS
        .iter()
        .find(|(written, ..)| rest.starts_with(written))
    {
        return Err(not_supported(written, at..at + written.len(), zh, en));
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

/// How other languages compare.
const EQUALS_SIGNS: &[(&str, &str)] = &[
    ("===", "="),
    ("!==", "<>"),
    ("==", "="),
    ("=>", ">="),
    ("=<", "<="),
    ("=!", "<>"),
];

/// `<<` between blanks and behind a value is the shift; without them it begins a placeholder, and when that never
/// ends the shift was meant.
fn shift(text: &str, at: usize, before: Option<&Token>) -> Result<Option<usize>, ExprError> {
    let Some(before) = before.filter(|before| ends_operand(before, text)) else {
        return Ok(None);
    };
    let blank = |char: char| matches!(char, ' ' | '\t' | '\r' | '\n');
    let behind = &text[at + 2..];
    if before.span.end < at && behind.starts_with(blank) {
        return Ok(Some(at + 2));
    }
    let line = behind.lines().next().unwrap_or("");
    let number = behind
        .trim_start()
        .starts_with(|next: char| next.is_ascii_digit());
    if number && !line.contains(">>") {
        return Err(ExprError::new(&expression::SHIFT_SIGN, at..at + 2));
    }
    Ok(None)
}

/// `{name}` and `${name}`.
fn single_brace(text: &str, at: usize) -> Option<ExprError> {
    let rest = &text[at..];
    let inner = rest.strip_prefix("${").or_else(|| rest.strip_prefix('{'))?;
    let length = inner.find(['{', '}', '\n', '\'', '"'])?;
    let name = inner[..length].trim();
    if !inner[length..].starts_with('}') || !name.starts_with(is_word_start) {
        return None;
    }
    let closing = 1 + usize::from(inner[length..].starts_with("}}"));
    let end = at + (rest.len() - inner.len()) + length + closing;
    let right = format!("{{{{{name}}}}}");
    Some(ExprError::new(&expression::BRACE_COUNT, at..end).with("right", right))
}

/// `.toFixed(2)` behind a value.
fn method_call(text: &str, at: usize, before: &Token) -> Option<ExprError> {
    let name: String = text[at + 1..]
        .chars()
        .take_while(|char| is_word_char(*char))
        .collect();
    if before.span.end != at || !name.starts_with(is_word_start) || !ends_operand(before, text) {
        return None;
    }
    let value = &text[before.span.clone()];
    let value = if before.kind == TokenKind::Close {
        "x"
    } else {
        value
    };
    let behind = &text[at + 1 + name.len()..];
    let argument = behind
        .strip_prefix('(')
        .and_then(|inner| inner.find(')').map(|end| &inner[..end]));
    Some(method(&name, value, argument, at..at + 1 + name.len()))
}

fn comment(text: &str, at: usize) -> Option<ExprError> {
    let rest = &text[at..];
    let (mark, end) = if rest.starts_with("/*") {
        ("/*", rest.find("*/").map_or(rest.len(), |end| end + 2))
    } else {
        let dashes = rest
            .strip_prefix("--")
            .is_some_and(|behind| behind.is_empty() || behind.starts_with(|next: char| next.is_whitespace()));
        let mark = match rest {
            _ if rest.starts_with('#') => "#",
            _ if dashes => "--",
            _ => return None,
        };
        (mark, rest.find('\n').unwrap_or(rest.len()))
    };
    let written = rest[..end].trim_end();
    let error = ExprError::new(&expression::COMMENT, at..at + written.len());
    Some(error.with("found", mark))
}

/// Full-width characters, a run or a whole quoted text at a time, with what they stand for.
fn full_width(text: &str, at: usize) -> Option<ExprError> {
    let rest = &text[at..];
    let first = rest.chars().next()?;
    let told = |end: usize, instead: &str| {
        let error = ExprError::new(&expression::FULL_WIDTH, at..at + end);
        Some(error.with("found", &rest[..end]).with("instead", instead))
    };
    for (family, quote) in [
        ("\u{2018}\u{2019}\u{2032}\u{ff07}", '\''),
        ("\u{201c}\u{201d}\u{2033}\u{ff02}", '"'),
    ] {
        if !family.contains(first) {
            continue;
        }
        let body = &rest[first.len_utf8()..];
        let Some(end) = body.find(|char: char| family.contains(char) || char == quote) else {
            return told(first.len_utf8(), &quote.to_string());
        };
        let closing = body[end..].chars().next().map_or(1, char::len_utf8);
        return told(
            first.len_utf8() + end + closing,
            &format!("{quote}{}{quote}", &body[..end]),
        );
    }
    let digit = |char: char| ('\u{ff10}'..='\u{ff19}').contains(&char);
    if digit(first) {
        let run: String = rest
            .chars()
            .take_while(|char| digit(*char) || char.is_ascii_digit() || matches!(char, '.' | '\u{ff0e}'))
            .collect();
        let ascii: String = run.chars().map(half_width).collect();
        return told(run.len(), &ascii);
    }
    let (_, instead) = FULL_WIDTH.iter().find(|(char, _)| *char == first)?;
    let twice = |char: char| rest.chars().take(2).eq([char, char]);
    if first == '\u{ff5b}' && twice(first) {
        // `｛｛name｝｝`
        let end = rest
            .find('\u{ff5d}')
            .map(|end| end + 2 * first.len_utf8())
            .filter(|end| rest.is_char_boundary(*end));
        if let Some(end) = end.filter(|end| rest[..*end].ends_with("\u{ff5d}\u{ff5d}")) {
            let name = rest[..end].trim_matches(['\u{ff5b}', '\u{ff5d}']);
            return told(end, &format!("{{{{{name}}}}}"));
        }
    }
    told(first.len_utf8(), instead)
}

/// The ASCII character of a full-width one.
fn half_width(char: char) -> char {
    match u32::from(char) {
        code @ 0xff01..=0xff5e => char::from_u32(code - 0xfee0).unwrap_or(char),
        _ => char,
    }
}

fn invisible(text: &str, at: usize) -> Option<ExprError> {
    let char = text[at..].chars().next()?;
    if !char.is_whitespace() && !char.is_control() && !INVISIBLE.contains(&char) {
        return None;
    }
    let name = format!("U+{:04X}", u32::from(char));
    let error = ExprError::new(&expression::INVISIBLE, at..at + char.len_utf8());
    Some(error.with("name", name))
}

/// The length of the placeholder at `at`, which ends before `limit`.
fn placeholder(text: &str, at: usize, limit: usize) -> Result<usize, ExprError> {
    let body = &text[at..limit];
    let (open, close, half) = if body.starts_with("{{") {
        ("{{", "}}", '}')
    } else {
        ("<<", ">>", '>')
    };
    let inner = &body[2..];
    let end = inner
        .find(close)
        .filter(|end| !inner[..*end].contains(['\n', '\r']));
    let open_error = || {
        let error = ExprError::new(&expression::PLACEHOLDER_NOT_CLOSED, at..limit.min(at + 2));
        error.with("open", open).with("close", close)
    };
    // `{{name}` with one brace at the end.
    let short = inner.find(half).filter(|stop| {
        !inner[*stop..].starts_with(close)
            && inner[..*stop]
                .trim()
                .starts_with(|first: char| is_word_start(first) || first == '$')
            && !inner[..*stop].contains(|char: char| "{}<>\n'\",()+*/=".contains(char))
    });
    if let Some(stop) = short
        && end.is_none_or(|end| stop < end)
    {
        let right = format!("{open}{}{close}", inner[..stop].trim());
        let error = ExprError::new(&expression::BRACE_COUNT, at..at + 2 + stop + 1);
        return Err(error.with("right", right));
    }
    let Some(end) = end else {
        return Err(open_error());
    };
    let name = &inner[..end];
    let extra = close == "}}" && inner[end + 2..].starts_with('}');
    if name.starts_with('{') || extra {
        let length = 2 + end + 2 + usize::from(extra);
        let right = format!("{{{{{}}}}}", name.trim_matches('{').trim());
        return Err(ExprError::new(&expression::BRACE_TYPO, at..at + length).with("right", right));
    }
    if name.contains(open) || name.trim().is_empty() {
        return Err(open_error());
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
    let run = |from: usize, fits: fn(&u8) -> bool| bytes[from..].iter().take_while(|b| fits(b)).count();
    let mut end = at + digits(at);
    let whole = end - at;
    let marked = &text[at..];
    if marked.starts_with("0x") && run(at + 2, u8::is_ascii_hexdigit) > 0 {
        end = at + 2 + run(at + 2, u8::is_ascii_hexdigit);
    } else if marked.starts_with("0b") && run(at + 2, |b| matches!(b, b'0' | b'1')) > 0 {
        end = at + 2 + run(at + 2, |b| matches!(b, b'0' | b'1'));
    } else {
        if bytes.get(end) == Some(&b'.') {
            end += 1 + digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
            if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
                end += 1 + sign + digits(end + 1 + sign);
            }
        }
    }
    let glued: String = text[end..]
        .chars()
        .take_while(|char| is_word_char(*char) || *char == '.')
        .collect();
    // `5.` has its point already; a method behind a number is told as one.
    let method = glued.starts_with('.') && glued[1..].starts_with(is_word_start);
    if !glued.is_empty() && !method || whole > 65 {
        let span = at..end + glued.len();
        return Err(ExprError::new(&expression::BAD_NUMBER, span.clone()).with("found", &text[span]));
    }
    Ok((TokenKind::Number, end))
}

fn word(text: &str, at: usize) -> Result<(TokenKind, usize), ExprError> {
    // `x'41'`, `b'101'` and `N'text'` are literals.
    if matches!(text.as_bytes()[at], b'x' | b'X' | b'b' | b'B' | b'n' | b'N')
        && let Some(quote) = text[at + 1..]
            .chars()
            .next()
            .filter(|next| matches!(next, '\'' | '"'))
    {
        return Ok((TokenKind::Text, at + 1 + quoted(text, at + 1, quote)?));
    }
    let end = word_end(text, at);
    if !text[at..end].eq_ignore_ascii_case("_findCollection") {
        return Ok((TokenKind::Word, end));
    }
    let marker = "_endfind";
    match text[end..].to_ascii_lowercase().find(marker) {
        Some(length) => Ok((TokenKind::Find, end + length + marker.len())),
        None => Err(ExprError::new(&expression::FIND_NOT_ENDED, at..end)),
    }
}

/// A name may have dots inside: a field whose placeholder was forgotten.
fn word_end(text: &str, at: usize) -> usize {
    let mut end = at;
    let mut chars = text[at..].chars().peekable();
    while let Some(char) = chars.next() {
        let dot = char == '.' && chars.peek().is_some_and(|next| is_word_char(*next));
        let dollar = char == '$' && end == at;
        if !dot && !dollar && !is_word_char(char) {
            break;
        }
        end += char.len_utf8();
    }
    end
}

/// The range of a word in a text that has been cut.
pub(super) fn word_of<'t>(text: &'t str, token: &Token) -> (&'t str, Range<usize>) {
    (&text[token.span.clone()], token.span.clone())
}
