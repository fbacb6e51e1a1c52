//! `$filter` as far as sales orders are asked for: comparisons of four fields, `and`, `or`, `not` and brackets.

use super::Odata;
use crate::bills::Bill;
use crate::kingdee::store::{Fields, scalar};

/// Deepest nesting; a bound against a stack that ends.
const MAX_DEPTH: usize = 32;

#[derive(Debug)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Test(String, String, Value),
}

#[derive(Debug, PartialEq)]
pub(super) enum Value {
    Text(String),
    Instant(i64),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Word(String),
    /// A text in quotes, with what stands before the quotes.
    Quoted(String, String),
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(first) = chars.next() {
        match first {
            ' ' => {}
            '(' => tokens.push(Token::Open),
            ')' => tokens.push(Token::Close),
            _ => {
                let mut word = String::new();
                let mut next = Some(first);
                let mut quoted = None;
                while let Some(char) = next {
                    if char == '\'' {
                        quoted = Some(rest_of_text(&mut chars)?);
                        break;
                    }
                    word.push(char);
                    next = chars.next_if(|char| !" ()".contains(*char));
                }
                tokens.push(match quoted {
                    Some(text) => Token::Quoted(word, text),
                    None => Token::Word(word),
                });
            }
        }
    }
    Ok(tokens)
}

fn rest_of_text(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    let mut text = String::new();
    while let Some(char) = chars.next() {
        if char != '\'' {
            text.push(char);
        } else if chars.next_if_eq(&'\'').is_some() {
            text.push('\'');
        } else {
            return Ok(text);
        }
    }
    Err("Unterminated string".to_owned())
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    odata: Odata,
}

impl Parser {
    fn word(&mut self, word: &str) -> bool {
        self.tokens.next_if_eq(&Token::Word(word.to_owned())).is_some()
    }

    fn any(&mut self, depth: usize) -> Result<Filter, String> {
        if depth > MAX_DEPTH {
            return Err("Filter is nested too deeply".to_owned());
        }
        let mut parts = vec![self.all(depth)?];
        while self.word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Filter::Or(parts)
        })
    }

    fn all(&mut self, depth: usize) -> Result<Filter, String> {
        let mut parts = vec![self.one(depth)?];
        while self.word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Filter::And(parts)
        })
    }

    fn one(&mut self, depth: usize) -> Result<Filter, String> {
        if self.word("not") {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.tokens.next_if_eq(&Token::Open).is_some() {
            let inner = self.any(depth + 1)?;
            return match self.tokens.next() {
                Some(Token::Close) => Ok(inner),
                _ => Err("Bracket is not closed".to_owned()),
            };
        }
        let (Some(Token::Word(field)), Some(Token::Word(op)), Some(value)) =
            (self.tokens.next(), self.tokens.next(), self.tokens.next())
        else {
            return Err("Invalid token detected".to_owned());
        };
        if ![
            "SalesOrder",
            "PurchaseOrderByCustomer",
            "SoldToParty",
            "LastChangeDateTime",
        ]
        .contains(&field.as_str())
        {
            return Err(format!("Property {field} not found in type 'A_SalesOrderType'"));
        }
        if !["eq", "ne", "gt", "ge", "lt", "le"].contains(&op.as_str()) {
            return Err(format!("Invalid operator {op}"));
        }
        let instant = |text: &str| {
            let parsed = text.parse::<jiff::Timestamp>();
            parsed
                .map(|at| Value::Instant(at.as_millisecond()))
                .map_err(|_| format!("Invalid literal {text}"))
        };
        let value = match (value, self.odata) {
            (Token::Quoted(kind, text), _) if kind.is_empty() => Value::Text(text),
            (Token::Quoted(kind, text), Odata::V2) if kind == "datetimeoffset" => instant(&text)?,
            (Token::Word(text), Odata::V4) => instant(&text)?,
            (other, _) => return Err(format!("Invalid literal {other:?}")),
        };
        if (field == "LastChangeDateTime") != matches!(value, Value::Instant(_)) {
            return Err(format!("Type mismatch at {field}"));
        }
        Ok(Filter::Test(field, op, value))
    }
}

impl Filter {
    pub(super) fn read(text: &str, odata: Odata) -> Result<Filter, String> {
        let mut parser = Parser {
            tokens: tokens(text)?.into_iter().peekable(),
            odata,
        };
        let filter = parser.any(0)?;
        match parser.tokens.next() {
            None => Ok(filter),
            Some(token) => Err(format!("Unexpected {token:?}")),
        }
    }

    pub(super) fn holds(&self, bill: &Bill) -> bool {
        match self {
            Filter::And(parts) => parts.iter().all(|part| part.holds(bill)),
            Filter::Or(parts) => parts.iter().any(|part| part.holds(bill)),
            Filter::Not(inner) => !inner.holds(bill),
            Filter::Test(field, op, value) => {
                let order = match value {
                    Value::Instant(ms) => bill.modified_ms.cmp(ms),
                    Value::Text(text) => own(bill, field).as_str().cmp(text),
                };
                match op.as_str() {
                    "eq" => order.is_eq(),
                    "ne" => order.is_ne(),
                    "gt" => order.is_gt(),
                    "ge" => order.is_ge(),
                    "lt" => order.is_lt(),
                    _ => order.is_le(),
                }
            }
        }
    }
}

fn own(bill: &Bill, field: &str) -> String {
    if field == "SalesOrder" {
        return bill.id.to_string();
    }
    let fields: Fields = serde_json::from_str(&bill.content).unwrap_or_default();
    fields.get(field).and_then(|raw| scalar(raw)).unwrap_or_default()
}

/// An instant as version 4 writes it.
pub(super) fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map(|at| at.to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_asked() {
        for (text, odata, is_fine) in [
            (
                "PurchaseOrderByCustomer eq 'a''b' or (SalesOrder eq '7' and not (SoldToParty eq 'x'))",
                Odata::V2,
                true,
            ),
            (
                "LastChangeDateTime ge datetimeoffset'2023-11-14T22:13:20Z'",
                Odata::V2,
                true,
            ),
            ("LastChangeDateTime ge 2023-11-14T22:13:20Z", Odata::V4, true),
            ("LastChangeDateTime ge 2023-11-14T22:13:20Z", Odata::V2, false),
            (
                "LastChangeDateTime ge datetimeoffset'2023-11-14T22:13:20Z'",
                Odata::V4,
                false,
            ),
            ("PurchaseOrderByCustomer eq 'a'b'", Odata::V2, false),
            ("SalesOrder eq 'a' SalesOrder", Odata::V2, false),
            ("Nothing eq 'a'", Odata::V2, false),
            ("SalesOrder like 'a'", Odata::V2, false),
            ("(SalesOrder eq 'a'", Odata::V2, false),
            ("LastChangeDateTime ge 'x'", Odata::V2, false),
        ] {
            assert_eq!(Filter::read(text, odata).is_ok(), is_fine, "{text}");
        }
    }
}
