//! What is sure to be meant: the edits that `check --fix` makes.
//!
//! A problem has a fix where there is one way out of it and no doubt about it: a misspelt word of the engine with one
//! near name, an option that stands under `request`, what YAML reads otherwise than it was written. Where a person must
//! choose there is none. The rules stand here, by row of the catalogue; whether a fix leads anywhere is asked of the
//! reader and the compiler afterwards.

use std::ops::Range;

use crate::catalogue::{connector, expression, scheme, value, yaml as words};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::edit::Edit;
use crate::yaml::{self, Node, Pair};

/// Shortest word that is recognised when one letter is wrong: of shorter ones too many are near each other.
const SHORTEST: usize = 4;

impl Diagnostic {
    /// The edits that mend this, if there is no doubt about them. They do not overlap.
    pub fn fix(&self) -> Option<Vec<Edit>> {
        if !self.is_error() {
            return None;
        }
        let entry = self.entry.code;
        let is = |other: &crate::catalogue::Entry| other.code == entry;
        if is(&words::PLACEHOLDER) {
            return self.fact("angles").map(|angles| self.instead(angles));
        }
        if is(&words::UNKNOWN_ALIAS) {
            return self.cron();
        }
        if is(&words::REFERENCE) {
            return self.reference();
        }
        if is(&words::FUNCTION_SPLIT) {
            return quoted(self.part()?).map(|text| self.instead(&text));
        }
        if is(&words::FUNCTION_COLON) || is(&words::FUNCTION_COMMENT) {
            return self.whole_expression();
        }
        if is(&words::FULL_WIDTH) {
            let behind = self.file.text.get(self.span.end..)?;
            let blank = if behind.starts_with([' ', '\r', '\n']) {
                ":"
            } else {
                ": "
            };
            return Some(self.instead(blank));
        }
        if is(&words::FULL_WIDTH_MARK) {
            return self.mark();
        }
        if is(&expression::FULL_WIDTH) {
            let found = self
                .fact("found")
                .filter(|found| *found == self.part().unwrap_or_default());
            return found
                .and(self.fact("instead"))
                .map(|instead| self.instead(instead));
        }
        if is(&expression::BRACE_TYPO) {
            return self.fact("right").map(|right| self.instead(right));
        }
        if is(&scheme::OPTION_IN_REQUEST) {
            return self.option();
        }
        self.near_name()
    }

    fn fact(&self, name: &str) -> Option<&str> {
        let found = self.facts.iter().find(|(known, _)| *known == name);
        found.map(|(_, text)| text.as_str())
    }

    /// The text that this is about.
    fn part(&self) -> Option<&str> {
        self.file.text.get(self.span.clone())
    }

    fn instead(&self, text: &str) -> Vec<Edit> {
        vec![Edit::new(self.span.clone(), text)]
    }

    /// Words that the engine or a connector declares. Of all others, which people made up, one may be as good as the
    /// other: `shop-a` and `shop-b`.
    fn is_about_declared_words(&self) -> bool {
        [
            &scheme::UNKNOWN_KEY,
            &scheme::WRONG_SHAPE,
            &scheme::UNKNOWN_API,
            &scheme::UNKNOWN_OPTION,
            &scheme::BAD_OPTION,
            &value::UNKNOWN_NAME,
            &value::UNKNOWN_FILTER,
            &value::UNKNOWN_MAKER,
            &expression::UNKNOWN_FUNCTION,
            &expression::UNKNOWN_UNIT,
            &connector::UNKNOWN_KEY,
            &connector::BAD_WORD,
        ]
        .iter()
        .any(|entry| entry.code == self.entry.code)
    }

    /// The one name that is near.
    fn near_name(&self) -> Option<Vec<Edit>> {
        let [near] = self.similar.as_slice() else {
            return None;
        };
        let whole = self.part()?;
        let quote = ['"', '\'']
            .into_iter()
            .find(|quote| whole.len() > 1 && whole.starts_with(*quote) && whole.ends_with(*quote));
        let span = match quote {
            Some(_) => self.span.start + 1..self.span.end - 1,
            None => self.span.clone(),
        };
        let word = self.file.text.get(span.clone())?;
        let is_plain = |char: char| char.is_alphanumeric() || "_-.$/".contains(char);
        let is_whole = near.chars().all(is_plain) && word.chars().all(is_plain);
        // The place must hold the word itself, and no more than it.
        let is_it = did_you_mean(word, std::iter::once(near.as_str())) == [near.as_str()];
        (is_whole && is_it && is_sure(word, near, self.is_about_declared_words()))
            .then(|| vec![Edit::new(span, near)])
    }

    /// `cron: */5 * * * *`
    fn cron(&self) -> Option<Vec<Edit>> {
        let line = rest_of_line(&self.file.text, self.span.start);
        let is_part = |char: char| char.is_ascii_digit() || "*/,-? ".contains(char);
        let end = line.find(|char| !is_part(char)).unwrap_or(line.len());
        let text = line[..end].trim_end_matches([' ', ',']);
        let behind = line[text.len()..].trim_start();
        let ends = behind.is_empty() || behind.starts_with(['}', ',', '#']);
        let fields = text.split_ascii_whitespace().count();
        (ends && (5..=6).contains(&fields)).then(|| {
            vec![Edit::new(
                self.span.start..self.span.start + text.len(),
                &format!("\"{text}\""),
            )]
        })
    }

    /// `{server: ${env:SERVER}}`
    fn reference(&self) -> Option<Vec<Edit>> {
        let text = &self.file.text;
        let before = text.get(..self.span.start)?.trim_end_matches(' ');
        let behind = rest_of_line(text, self.span.end).trim_start();
        let is_alone = before.ends_with([':', ',', '[']) && behind.starts_with(['}', ']', ',']);
        let part = self
            .part()
            .filter(|part| part.starts_with("${") && part.ends_with('}'))?;
        is_alone.then(|| self.instead(&format!("\"{part}\"")))
    }

    /// An expression that takes the rest of its line, in quotes.
    fn whole_expression(&self) -> Option<Vec<Edit>> {
        let text = &self.file.text;
        let start = text[..self.span.start].rfind('\n').map_or(0, |at| at + 1);
        let line = rest_of_line(text, start).trim_end();
        let at = ["_function ", "_findCollection ", "_mongoQuery "]
            .iter()
            .find_map(|word| line.find(word))?;
        let before = line[..at].trim_start();
        let is_value = before.ends_with(": ") || before.ends_with("- ");
        let is_block = !before.contains(['{', '[', '"', '\'']);
        let expression = &line[at..];
        (is_value && is_block)
            .then(|| quoted(expression))
            .flatten()
            .map(|text| vec![Edit::new(start + at..start + line.len(), &text)])
    }

    /// A full-width mark, and the one that closes what it opens.
    fn mark(&self) -> Option<Vec<Edit>> {
        const PAIRS: [(&str, &str, char, char); 6] = [
            ("\u{ff5b}", "\u{ff5d}", '{', '}'),
            ("\u{ff3b}", "\u{ff3d}", '[', ']'),
            ("\u{3010}", "\u{3011}", '[', ']'),
            ("\u{201c}\u{201d}\u{ff02}", "\u{201c}\u{201d}\u{ff02}", '"', '"'),
            ("\u{2018}\u{2019}\u{ff07}", "\u{2018}\u{2019}\u{ff07}", '\'', '\''),
            ("\u{ff5b}", "}", '{', '}'),
        ];
        let mark = self.part()?.chars().next()?;
        let line = rest_of_line(&self.file.text, self.span.end);
        if matches!(mark, '\u{ff0c}' | '\u{3001}') {
            let text = if line.starts_with(' ') { "," } else { ", " };
            return Some(self.instead(text));
        }
        let (_, closing, open, close) = PAIRS.iter().find(|(opening, ..)| opening.contains(mark))?;
        let (at, closed) = line.char_indices().find(|(_, char)| closing.contains(*char))?;
        let inside = &line[..at];
        if inside.contains([*open, *close, '\\']) {
            return None;
        }
        let end = self.span.end + at;
        Some(vec![
            Edit::new(self.span.clone(), &open.to_string()),
            Edit::new(end..end + closed.len_utf8(), &close.to_string()),
        ])
    }

    /// An option under `request` moves to `options`.
    fn option(&self) -> Option<Vec<Edit>> {
        let text = &self.file.text;
        let root = yaml::read_all(&self.file).node?;
        let (around, request, member) = find(&root, &self.span)?;
        let of_one = around.iter().find(|pair| pair.key == "options");
        let value = text.get(member.value.span.start..member.value.end_in(text))?;
        let is_simple = member.value.scalar().is_some()
            && !value.contains('\n')
            && member.value.span.start > member.key_span.end;
        let members = request.value.map()?;
        if !is_simple
            || members.len() < 2
            || (value.contains(['{', '}', '[', ']', ',']) && !value.starts_with(['"', '\'']))
        {
            return None;
        }
        let entry = format!("{}: {value}", text.get(member.key_span.clone())?);
        let mut edits = vec![Edit::new(taken(text, request, members, member)?, "")];
        match of_one {
            Some(options) if options.value.is_flow_in(text) => {
                let pairs = options.value.map()?;
                let (at, before) = match pairs.last() {
                    Some(last) => (last.value.end_in(text), ", "),
                    None => (options.value.span.start + 1, ""),
                };
                edits.push(Edit::new(at..at, &format!("{before}{entry}")));
            }
            Some(options) => {
                let last = options.value.map()?.last()?;
                let end = last.value.end_in(text);
                let line_end = end + rest_of_line(text, end).len();
                let indent = indent_of(text, last.key_span.start)?;
                edits.push(Edit::new(
                    line_end..line_end,
                    &format!("{}{indent}{entry}", eol(text)),
                ));
            }
            None => {
                let indent = indent_of(text, request.key_span.start)?;
                let at = request.key_span.start;
                edits.push(Edit::new(
                    at..at,
                    &format!("options: {{{entry}}}{}{indent}", eol(text)),
                ));
            }
        }
        Some(edits)
    }
}

/// The rest of the line, without its end.
fn rest_of_line(text: &str, at: usize) -> &str {
    text.get(at..)
        .and_then(|rest| rest.lines().next())
        .unwrap_or_default()
}

fn eol(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// What stands before the first piece of a line; `None` when something else does.
fn indent_of(text: &str, at: usize) -> Option<&str> {
    let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
    let before = text.get(start..at)?;
    before.trim_matches(' ').is_empty().then_some(before)
}

/// The map that has a `request` with a key at a place, that request, and its member.
fn find<'n>(node: &'n Node, key: &Range<usize>) -> Option<(&'n [Pair], &'n Pair, &'n Pair)> {
    let pairs = match (node.map(), node.list()) {
        (Some(pairs), _) => pairs,
        (None, items) => return items?.iter().find_map(|item| find(item, key)),
    };
    let own = pairs
        .iter()
        .find(|pair| pair.key == "request")
        .and_then(|request| {
            let member = request
                .value
                .map()?
                .iter()
                .find(|member| member.key_span == *key)?;
            Some((pairs, request, member))
        });
    own.or_else(|| pairs.iter().find_map(|pair| find(&pair.value, key)))
}

/// What goes when a member is taken away: its lines, or in braces also one comma.
fn taken(text: &str, request: &Pair, members: &[Pair], member: &Pair) -> Option<Range<usize>> {
    let end = member.value.end_in(text);
    if !request.value.is_flow_in(text) {
        let indent = indent_of(text, member.key_span.start)?;
        let line_end = end + rest_of_line(text, end).len();
        // A comment that belongs to it would be lost.
        if !text[end..line_end].trim().is_empty() {
            return None;
        }
        let behind = line_end + text[line_end..].find('\n').map_or(0, |at| at + 1);
        return Some(member.key_span.start - indent.len()..behind);
    }
    let nth = members.iter().position(|one| one.key_span == member.key_span)?;
    let span = match (
        nth.checked_sub(1).and_then(|nth| members.get(nth)),
        members.get(nth + 1),
    ) {
        (_, Some(next)) => member.key_span.start..next.key_span.start,
        (Some(earlier), None) => earlier.value.end_in(text)..end,
        (None, None) => return None,
    };
    (!text[span.clone()].contains(['\n', '#', '*', '&'])).then_some(span)
}

/// A text in the quotes that need the least around it.
fn quoted(text: &str) -> Option<String> {
    let fine = !text.chars().any(char::is_control);
    fine.then(|| match text.contains(['"', '\\']) {
        false => format!("\"{text}\""),
        true => format!("'{}'", text.replace('\'', "''")),
    })
}

/// Whether a word can only be a slip for a name: the same digits, and one slip of the hand. A letter in place of
/// another is one only where the words are declared: `shop-a` may be right where there is no such shop yet.
fn is_sure(word: &str, name: &str, is_declared: bool) -> bool {
    let (word, name) = (word.to_lowercase(), name.to_lowercase());
    if word == name {
        return true;
    }
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let length = |text: &str| text.chars().count();
    if digits(&word) != digits(&name) || length(&word).min(length(&name)) < SHORTEST {
        return false;
    }
    let replaced = word
        .chars()
        .zip(name.chars())
        .filter(|(one, other)| one != other)
        .count();
    let is_one_letter_for_another = length(&word) == length(&name) && replaced == 1;
    match strsim::osa_distance(&word, &name) {
        1 => is_declared || !is_one_letter_for_another,
        2 => is_declared && length(&name) >= 2 * SHORTEST,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_other_words() {
        for (word, name) in [
            ("buyerNik", "buyerNick"),
            ("byuerNick", "buyerNick"),
            ("BUYERNICK", "buyerNick"),
            ("order", "orders"),
        ] {
            assert!(is_sure(word, name, false), "{word}");
        }
        for (word, name) in [
            ("shop-a", "shop-b"),
            ("shop1", "shop2"),
            ("shop", "shop2"),
            ("k4", "k3"),
            ("erp", "erps"),
            ("amount", "count"),
        ] {
            assert!(!is_sure(word, name, false), "{word}");
        }
        assert!(is_sure("labal", "label", true));
        assert!(is_sure("IsAutoSubmitAndAduti", "IsAutoSubmitAndAudit", true));
        assert!(!is_sure("kay", "key", true));
    }

    #[test]
    fn quotes() {
        assert_eq!(
            quoted("_function CONCAT('a: ', b)").as_deref(),
            Some("\"_function CONCAT('a: ', b)\"")
        );
        assert_eq!(
            quoted("_function CONCAT('a: ', \"b\")").as_deref(),
            Some("'_function CONCAT(''a: '', \"b\")'")
        );
        assert_eq!(quoted("a\nb"), None);
    }
}
