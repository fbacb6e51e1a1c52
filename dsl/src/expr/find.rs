//! The text of `_findCollection`: `find FIELD from SCHEME where FIELD=VALUE …`.
//!
//! Conditions are told apart before anything is substituted, so a value may contain blanks. A condition begins at
//! a word with an equals sign that stands outside quotes and placeholders; bare values may contain blanks only
//! inside those.

use std::ops::Range;

use super::ExprError;
use crate::catalogue::expression;
use crate::diagnostic::Lang;
use crate::path::Path;

/// A look-up as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindSpec {
    /// The stored field to take.
    pub get: Path,
    /// Where it is named.
    pub get_span: Range<usize>,
    /// The scheme that stores it: an id, a uuid or an alias, not resolved yet.
    pub scheme: String,
    /// Where the scheme is named.
    pub scheme_span: Range<usize>,
    /// Equalities, all of which must hold: stored field and what it is compared with.
    pub by: Vec<(Path, FindKey)>,
    /// Where each of them names its field, and what it is compared with.
    pub by_spans: Vec<(Range<usize>, Range<usize>)>,
    /// The look-up in the text.
    pub span: Range<usize>,
}

impl FindSpec {
    /// The same look-up in a text that begins `by` bytes earlier.
    pub(crate) fn shift(&mut self, by: usize) {
        let spans = [&mut self.get_span, &mut self.scheme_span, &mut self.span];
        let pairs = self.by_spans.iter_mut().flat_map(|(field, value)| [field, value]);
        for span in spans.into_iter().chain(pairs) {
            *span = span.start + by..span.end + by;
        }
    }
}

/// What a stored field is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FindKey {
    /// A placeholder alone, without filters: the field's value.
    Field(Path),
    /// Text with placeholders or filters, as written.
    Text(String),
    /// Text without any.
    Literal(String),
}

/// One equality, with where its field and its value stand.
type Condition = ((Path, FindKey), (Range<usize>, Range<usize>));

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

/// Reads the text behind `_findCollection `; a final `_endFind` is allowed.
pub fn parse_find(text: &str) -> Result<FindSpec, Vec<ExprError>> {
    let mut reader = Reader { text, at: 0 };
    reader.whole().map_err(|error| vec![error])
}

fn wrong(span: Range<usize>, zh: &str, en: &str) -> ExprError {
    ExprError::new(&expression::BAD_FIND, span)
        .with("what_zh", zh)
        .with("what_en", en)
}

impl<'t> Reader<'t> {
    fn whole(&mut self) -> Result<FindSpec, ExprError> {
        let trimmed = self.text.trim_end();
        let cut = trimmed.len().checked_sub("_endFind".len()).filter(|at| {
            trimmed
                .get(*at..)
                .is_some_and(|end| end.eq_ignore_ascii_case("_endFind"))
        });
        self.text = cut.map_or(trimmed, |at| trimmed[..at].trim_end());
        self.blanks();
        let start = self.at;
        self.keyword("find")?;
        let (get, get_span) = self.word("from", "缺少要取的字段", "the field to take is missing")?;
        let get = path(get, get_span.clone())?;
        self.keyword("from")?;
        let (scheme, scheme_span) = self.word("where", "缺少方案", "the scheme is missing")?;
        self.keyword("where")?;
        let (mut by, mut by_spans) = (Vec::new(), Vec::new());
        while by.is_empty() || self.at < self.text.len() {
            let (condition, spans) = self.condition(by.is_empty())?;
            by.push(condition);
            by_spans.push(spans);
        }
        let span = start..self.text.len();
        Ok(FindSpec {
            get,
            get_span,
            scheme: scheme.to_owned(),
            scheme_span,
            by,
            by_spans,
            span,
        })
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn next_word(&self) -> Range<usize> {
        let length = self.rest().find(char::is_whitespace).unwrap_or(self.rest().len());
        self.at..self.at + length
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), ExprError> {
        let span = self.next_word();
        if self.text[span.clone()].eq_ignore_ascii_case(keyword) {
            self.at = span.end;
            self.blanks();
            return Ok(());
        }
        Err(wrong(
            span,
            &format!("缺少 `{keyword}`"),
            &format!("`{keyword}` is missing"),
        ))
    }

    /// A word that is not the keyword which follows it.
    fn word(&mut self, before: &str, zh: &str, en: &str) -> Result<(&'t str, Range<usize>), ExprError> {
        let mut span = self.next_word();
        if let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"'))
            && let Some(length) = self.rest()[1..].find(quote)
        {
            span = self.at..self.at + length + 2;
        }
        let word = &self.text[span.clone()];
        if word.is_empty() || word.eq_ignore_ascii_case(before) {
            return Err(wrong(span, zh, en));
        }
        self.at = span.end;
        self.blanks();
        Ok((unquoted(word).unwrap_or(word), span))
    }

    fn condition(&mut self, first: bool) -> Result<Condition, ExprError> {
        let span = self.next_word();
        let word = &self.text[span.clone()];
        if ["and", "or", "&&", "||", ","]
            .iter()
            .any(|joint| word.eq_ignore_ascii_case(joint))
        {
            return Err(wrong(
                span,
                "条件之间只用空格隔开,全部都要满足",
                "conditions stand side by side, and all of them must hold",
            ));
        }
        if !first
            && !word.contains('=')
            && !word.starts_with(['\'', '"'])
            && !self.text[span.end..].trim_start().starts_with('=')
        {
            return Err(wrong(
                span,
                "含有空格的值要写在单引号里",
                "a value with blanks stands in single quotes",
            ));
        }
        let Some(equals) = self.rest().find('=').map(|at| self.at + at) else {
            return Err(match self.text[span.clone()].is_empty() {
                true => wrong(span, "缺少条件", "the conditions are missing"),
                false => wrong(span, "条件里没有 `=`", "a condition has no `=`"),
            });
        };
        let name = self.text[self.at..equals].trim_end();
        let name_span = self.at..self.at + name.len();
        let quoted = unquoted(name);
        if name.is_empty() {
            return Err(wrong(
                equals..equals + 1,
                "`=` 前面没有字段",
                "no field stands before `=`",
            ));
        }
        if name.ends_with(['<', '>', '!']) || (quoted.is_none() && name.contains(char::is_whitespace)) {
            return Err(wrong(
                name_span,
                "条件只能写成 字段=值",
                "a condition is FIELD=VALUE",
            ));
        }
        let field = path(quoted.unwrap_or(name), name_span.clone())?;
        self.at = equals + 1;
        self.blanks();
        let start = self.at;
        let key = self.value()?;
        let key_span = start..self.at;
        self.blanks();
        Ok(((field, key), (name_span, key_span)))
    }

    fn value(&mut self) -> Result<FindKey, ExprError> {
        if let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"')) {
            let start = self.at;
            let Some(length) = self.rest()[1..].find(quote) else {
                return Err(
                    ExprError::new(&expression::TEXT_NOT_CLOSED, start..self.text.len()).with("quote", quote),
                );
            };
            self.at += length + 2;
            return Ok(key(&self.text[start + 1..start + 1 + length], false));
        }
        let start = self.at;
        loop {
            let rest = self.rest();
            let closing = match rest.get(..2) {
                Some("{{") => "}}",
                Some("<<") => ">>",
                _ => match rest.chars().next() {
                    Some(char) if !char.is_whitespace() => {
                        self.at += char.len_utf8();
                        continue;
                    }
                    _ => break,
                },
            };
            match rest.find(closing) {
                Some(length) => self.at += length + 2,
                None => {
                    let span = self.at..self.text.len();
                    return Err(ExprError::new(&expression::PLACEHOLDER_NOT_CLOSED, span)
                        .with("open", &rest[..2])
                        .with("close", closing));
                }
            }
        }
        if start == self.at {
            return Err(wrong(
                start..self.at,
                "`=` 后面没有值",
                "no value stands behind `=`",
            ));
        }
        Ok(key(&self.text[start..self.at], true))
    }
}

/// What stands between quotes: a name with blanks in it.
fn unquoted(name: &str) -> Option<&str> {
    let quote = name.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    name.strip_prefix(quote)?.strip_suffix(quote)
}

fn path(text: &str, span: Range<usize>) -> Result<Path, ExprError> {
    Path::parse(text).map_err(|error| {
        ExprError::new(&expression::BAD_PATH, span)
            .with("what_zh", error.what.words(Lang::Zh))
            .with("what_en", error.what.words(Lang::En))
    })
}

/// A placeholder alone keeps the kind of its value, unless it stands in quotes.
fn key(text: &str, bare: bool) -> FindKey {
    let inner = |open, close| {
        text.strip_prefix(open)
            .and_then(|rest: &str| rest.strip_suffix(close))
    };
    let alone = inner("{{", "}}").or_else(|| inner("<<", ">>"));
    match alone {
        Some(name) if bare && !name.contains(['|', '{', '<']) => match Path::parse(name.trim()) {
            Ok(path) => FindKey::Field(path),
            Err(_) => FindKey::Text(text.to_owned()),
        },
        _ if text.contains("{{") || text.contains("<<") => FindKey::Text(text.to_owned()),
        _ => FindKey::Literal(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_customers_write() {
        let field = |text: &str| FindKey::Field(Path::parse(text).unwrap());
        type Row = (
            &'static str,
            &'static str,
            &'static str,
            Vec<(&'static str, FindKey)>,
        );
        let rows: Vec<Row> = vec![
            (
                "find 唯一ID from dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756 where cid={{buyerCid}}",
                "唯一ID",
                "dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756",
                vec![("cid", field("buyerCid"))],
            ),
            (
                "find FEntryId from x where FBillNo=<<outer_no>> FMaterialId_FNumber={{lines.no}} _endFind",
                "FEntryId",
                "x",
                vec![
                    ("FBillNo", field("outer_no")),
                    ("FMaterialId_FNumber", field("lines.no")),
                ],
            ),
            (
                "FIND a FROM s WHERE b = 'x y'",
                "a",
                "s",
                vec![("b", FindKey::Literal("x y".into()))],
            ),
            (
                "find a from s where b=C-{{x y}}-1",
                "a",
                "s",
                vec![("b", FindKey::Text("C-{{x y}}-1".into()))],
            ),
            (
                "find a from s where b={{x|date}}",
                "a",
                "s",
                vec![("b", FindKey::Text("{{x|date}}".into()))],
            ),
            (
                "find '唯一 ID' from s where '仓库 名称'='上海 仓' b=<<x>>",
                "唯一 ID",
                "s",
                vec![
                    ("仓库 名称", FindKey::Literal("上海 仓".into())),
                    ("b", field("x")),
                ],
            ),
            (
                "find a from s where b=00123",
                "a",
                "s",
                vec![("b", FindKey::Literal("00123".into()))],
            ),
        ];
        for (text, get, scheme, by) in rows {
            let spec = parse_find(text).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
            assert_eq!(
                (spec.get.to_string().as_str(), spec.scheme.as_str()),
                (get, scheme),
                "{text}"
            );
            assert_eq!(&text[spec.scheme_span.clone()], scheme);
            let by: Vec<_> = by
                .into_iter()
                .map(|(name, key)| (Path::parse(name).unwrap(), key))
                .collect();
            assert_eq!(spec.by, by, "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        let rows = [
            ("", "E1318"),
            ("find a", "E1318"),
            ("find a from s", "E1318"),
            ("find a from s where", "E1318"),
            ("find from s where b=1", "E1318"),
            ("find a from s where b", "E1318"),
            ("find a from s where b=", "E1318"),
            ("find a from s where state in ('301')", "E1318"),
            ("find a from s where b>=1", "E1318"),
            ("find a from s where b=1 and c=2", "E1318"),
            ("find a from s where b=New York c=2", "E1318"),
            ("find a from s where b='x", "E1303"),
            ("find a from s where b={{x", "E1304"),
            ("find a..b from s where b=1", "E1316"),
        ];
        for (text, code) in rows {
            let errors = parse_find(text).expect_err(text);
            assert_eq!(errors[0].entry.code, code, "{text}");
        }
    }
}
