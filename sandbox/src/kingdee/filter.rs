//! `FilterString`: the SQL-like text of a bill query.
//!
//! Understood: `AND OR NOT ( )`, `= <> != < <= > >=`, `[NOT] IN (...)`, `[NOT] LIKE` with `%` and `_`,
//! `IS [NOT] NULL`, texts in single quotes (a quote is doubled inside, `N'...'` too), numbers. Whatever
//! it does not understand is an error and never "all rows": a filter that quietly matches everything
//! would hide a client's mistake.

use std::cmp::Ordering;

/// Longest filter; 50 keys of 200 characters fit many times.
const MAX_LEN: usize = 256 * 1024;
/// Deepest nesting of parentheses and NOT.
const MAX_DEPTH: usize = 64;
/// Most comparisons.
const MAX_TERMS: usize = 5000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Expr {
    Always,
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    Compare { field: String, op: Op, value: Literal },
    In { field: String, values: Vec<Literal> },
    Like { field: String, pattern: String },
    IsNull { field: String },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    Text(String),
    Number(String),
}

/// What a field holds in one document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    /// A number as its digits.
    Number(String),
}

impl Literal {
    pub(crate) fn text(&self) -> &str {
        match self {
            Literal::Text(t) | Literal::Number(t) => t,
        }
    }
}

pub(crate) fn parse(text: &str) -> Result<Expr, String> {
    if text.trim().is_empty() {
        return Ok(Expr::Always);
    }
    if text.len() > MAX_LEN {
        return Err(format!("过滤条件超过 {MAX_LEN} 字节"));
    }
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        terms: 0,
    };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(format!("“{}”处语法错误", token.word())),
    }
}

impl Expr {
    /// Whether a document matches; comparisons with nothing are never true.
    pub(crate) fn matches(&self, cell: &dyn Fn(&str) -> Cell) -> bool {
        match self {
            Expr::Always => true,
            Expr::And(all) => all.iter().all(|e| e.matches(cell)),
            Expr::Or(any) => any.iter().any(|e| e.matches(cell)),
            Expr::Not(inner) => !inner.matches(cell),
            Expr::Compare { field, op, value } => compare(&cell(field), value).is_some_and(|o| op.holds(o)),
            Expr::In { field, values } => {
                let cell = cell(field);
                values.iter().any(|v| compare(&cell, v) == Some(Ordering::Equal))
            }
            Expr::Like { field, pattern } => match cell(field) {
                Cell::Null => false,
                Cell::Text(text) | Cell::Number(text) => like(&text, pattern),
            },
            Expr::IsNull { field } => cell(field) == Cell::Null,
        }
    }

    /// Values of `field` outside which nothing can match; `None` when the filter does not say.
    pub(crate) fn only(&self, field: &str) -> Option<Vec<&str>> {
        match self {
            Expr::Compare {
                field: f,
                op: Op::Eq,
                value,
            } if f.eq_ignore_ascii_case(field) => Some(vec![value.text()]),
            Expr::In { field: f, values } if f.eq_ignore_ascii_case(field) => {
                Some(values.iter().map(Literal::text).collect())
            }
            Expr::And(all) => all.iter().find_map(|e| e.only(field)),
            Expr::Or(any) => {
                let each: Option<Vec<_>> = any.iter().map(|e| e.only(field)).collect();
                each.map(|lists| lists.concat())
            }
            _ => None,
        }
    }

    /// Every field named.
    pub(crate) fn fields(&self) -> Vec<&str> {
        match self {
            Expr::Always => Vec::new(),
            Expr::And(list) | Expr::Or(list) => list.iter().flat_map(Expr::fields).collect(),
            Expr::Not(inner) => inner.fields(),
            Expr::Compare { field, .. }
            | Expr::In { field, .. }
            | Expr::Like { field, .. }
            | Expr::IsNull { field } => vec![field],
        }
    }
}

impl Op {
    fn holds(self, order: Ordering) -> bool {
        match self {
            Op::Eq => order == Ordering::Equal,
            Op::Ne => order != Ordering::Equal,
            Op::Lt => order == Ordering::Less,
            Op::Le => order != Ordering::Greater,
            Op::Gt => order == Ordering::Greater,
            Op::Ge => order != Ordering::Less,
        }
    }
}

/// Numbers are compared as numbers when the field is one; `'00123'` and `'123'` are different texts.
fn compare(cell: &Cell, literal: &Literal) -> Option<Ordering> {
    match cell {
        Cell::Null => None,
        // A database takes times with a blank as well.
        Cell::Text(text) => Some(match time(text) {
            Some(time) => time.cmp(&literal.text().replace('T', " ")),
            None => text.as_str().cmp(literal.text()),
        }),
        Cell::Number(number) => {
            let (a, b) = (
                number.parse::<i128>().ok()?,
                literal.text().trim().parse::<i128>().ok()?,
            );
            Some(a.cmp(&b))
        }
    }
}

/// A time as it is told (`2026-01-02T03:04:05`), with a blank in place of the `T`; `None` for any other text.
fn time(text: &str) -> Option<String> {
    let is_time = text.bytes().enumerate().all(|(n, b)| match n {
        4 | 7 => b == b'-',
        10 => b == b'T',
        13 | 16 => b == b':',
        _ => b.is_ascii_digit(),
    });
    (text.len() == 19 && is_time).then(|| text.replace('T', " "))
}

/// `%` is any text, `_` one character. Linear in practice: only the last `%` is ever tried again.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p, mut again) = (0, 0, None);
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '%' {
            again = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '_' || pattern[p] == text[t]) {
            t += 1;
            p += 1;
        } else if let Some((star, from)) = again {
            again = Some((star, from + 1));
            t = from + 1;
            p = star + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Number(String),
    Sign(&'static str),
}

impl Token {
    fn word(&self) -> &str {
        match self {
            Token::Word(w) | Token::Text(w) | Token::Number(w) => w,
            Token::Sign(s) => s,
        }
    }
}

const SIGNS: [&str; 10] = ["<>", "!=", "<=", ">=", "=", "<", ">", "(", ")", ","];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let used = if let Some(quoted) = rest.strip_prefix('\'').or_else(|| rest.strip_prefix("N'")) {
            let (value, used) = quoted_text(quoted)?;
            out.push(Token::Text(value));
            rest.len() - quoted.len() + used
        } else if let Some(sign) = SIGNS.iter().find(|s| rest.starts_with(**s)) {
            out.push(Token::Sign(sign));
            sign.len()
        } else if first.is_ascii_digit() || first == '-' {
            let len = 1 + rest[1..]
                .find(|c: char| !c.is_ascii_digit() && c != '.')
                .unwrap_or(rest.len() - 1);
            if rest[len..].starts_with(|c: char| c.is_alphanumeric() || c == '_') || &rest[..len] == "-" {
                return Err(format!("“{}”处语法错误", &rest[..len]));
            }
            out.push(Token::Number(rest[..len].to_owned()));
            len
        } else if first.is_alphabetic() || first == '_' {
            let len = rest
                .find(|c: char| !(c.is_alphanumeric() || "_.".contains(c)))
                .unwrap_or(rest.len());
            out.push(Token::Word(rest[..len].to_owned()));
            len
        } else {
            return Err(format!("“{first}”处语法错误"));
        };
        rest = rest[used..].trim_start();
    }
    Ok(out)
}

/// The text up to its closing quote, and how many bytes it took with the quote.
fn quoted_text(text: &str) -> Result<(String, usize), String> {
    let (mut value, mut from) = (String::new(), 0);
    while let Some(end) = text[from..].find('\'') {
        value.push_str(&text[from..from + end]);
        from += end + 1;
        if !text[from..].starts_with('\'') {
            return Ok((value, from));
        }
        value.push('\'');
        from += 1;
    }
    Err("字符串缺少右引号".to_owned())
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    terms: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn keyword(&mut self, word: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Token::Sign(s)) if *s == sign);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(sign))
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.peek() {
            None => format!("过滤条件不完整，缺少“{wanted}”"),
            Some(token) => format!("“{}”处语法错误，应为“{wanted}”", token.word()),
        }
    }

    fn any(&mut self) -> Result<Expr, String> {
        let mut list = vec![self.all()?];
        while self.keyword("or") {
            list.push(self.all()?);
        }
        Ok(if list.len() == 1 {
            list.remove(0)
        } else {
            Expr::Or(list)
        })
    }

    fn all(&mut self) -> Result<Expr, String> {
        let mut list = vec![self.one()?];
        while self.keyword("and") {
            list.push(self.one()?);
        }
        Ok(if list.len() == 1 {
            list.remove(0)
        } else {
            Expr::And(list)
        })
    }

    fn one(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("过滤条件嵌套超过 {MAX_DEPTH} 层"));
        }
        let expr = if self.keyword("not") {
            Expr::Not(Box::new(self.one()?))
        } else if self.sign("(") {
            let inner = self.any()?;
            self.expect(")")?;
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn term(&mut self) -> Result<Expr, String> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(format!("过滤条件超过 {MAX_TERMS} 项"));
        }
        // `1=1` and the like, which people put before a list of conditions.
        if let Some(Token::Number(_) | Token::Text(_)) = self.peek() {
            let left = self.literal()?;
            let op = self.operator()?;
            let right = self.literal()?;
            let holds = op.holds(left.text().cmp(right.text()));
            return Ok(if holds {
                Expr::Always
            } else {
                Expr::Not(Box::new(Expr::Always))
            });
        }
        let field = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => word.clone(),
            _ => return Err(self.unexpected("字段名")),
        };
        self.at += 1;
        if self.keyword("is") {
            let not = self.keyword("not");
            if !self.keyword("null") {
                return Err(self.unexpected("NULL"));
            }
            return Ok(negate(not, Expr::IsNull { field }));
        }
        let not = self.keyword("not");
        if self.keyword("in") {
            self.expect("(")?;
            let mut values = vec![self.literal()?];
            while self.sign(",") {
                values.push(self.literal()?);
            }
            self.expect(")")?;
            self.terms += values.len();
            return Ok(negate(not, Expr::In { field, values }));
        }
        if self.keyword("like") {
            let pattern = self.literal()?.text().to_owned();
            return Ok(negate(not, Expr::Like { field, pattern }));
        }
        if not {
            return Err(self.unexpected("IN 或 LIKE"));
        }
        let op = self.operator()?;
        Ok(Expr::Compare {
            field,
            op,
            value: self.literal()?,
        })
    }

    fn operator(&mut self) -> Result<Op, String> {
        let op = match self.peek() {
            Some(Token::Sign("=")) => Op::Eq,
            Some(Token::Sign("<>" | "!=")) => Op::Ne,
            Some(Token::Sign("<")) => Op::Lt,
            Some(Token::Sign("<=")) => Op::Le,
            Some(Token::Sign(">")) => Op::Gt,
            Some(Token::Sign(">=")) => Op::Ge,
            _ => return Err(self.unexpected("比较符")),
        };
        self.at += 1;
        Ok(op)
    }

    fn literal(&mut self) -> Result<Literal, String> {
        let literal = match self.peek() {
            Some(Token::Text(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(number.clone()),
            _ => return Err(self.unexpected("值")),
        };
        self.at += 1;
        Ok(literal)
    }
}

fn negate(not: bool, expr: Expr) -> Expr {
    if not { Expr::Not(Box::new(expr)) } else { expr }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in", "like", "is", "null"]
        .iter()
        .any(|k| k.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(field: &str) -> Cell {
        match field {
            "FNumber" => Cell::Text("00123".to_owned()),
            "FName" => Cell::Text("老王's \"店\"".to_owned()),
            "FCUSTID" => Cell::Number("100001".to_owned()),
            "FCreateOrgId.FNumber" => Cell::Text("100".to_owned()),
            "FModifyDate" => Cell::Text("2026-01-02T03:04:05".to_owned()),
            _ => Cell::Null,
        }
    }

    #[test]
    fn what_matches() {
        let cases = [
            ("", true),
            ("FNumber='00123'", true),
            ("FNumber = '123'", false),
            ("fnumber='00123'", false), // case is the caller's business
            ("FNumber=N'00123'", true),
            ("FCreateOrgId.FNumber='100' AND FNumber='00123'", true),
            (
                "FCreateOrgId.FNumber='100' AND (FNumber='1' OR FNumber='00123')",
                true,
            ),
            (
                "FCreateOrgId.FNumber='101' AND FNumber='1' OR FNumber='00123'",
                true,
            ), // AND binds tighter
            (
                "FCreateOrgId.FNumber='101' AND (FNumber='1' OR FNumber='00123')",
                false,
            ),
            (
                "(FCreateOrgId.FNumber = '100' and FNumber = '00123') or (FNumber = 'x')",
                true,
            ),
            ("FNumber in ('a','00123')", true),
            ("FNumber not in ('a','00123')", false),
            ("FNumber NOT IN ('a')", true),
            ("FCUSTID=100001", true),
            ("FCUSTID='100001'", true),
            ("FCUSTID in (1, 100001)", true),
            ("FCUSTID>=100001 and FCUSTID<100002", true),
            ("FCUSTID<>100001", false),
            ("FCUSTID!=7", true),
            ("FName='老王''s \"店\"'", true),
            ("FName like '老%店\"'", true),
            ("FName like '_王%'", true),
            ("FName not like '%李%'", true),
            ("FNothing is null", true),
            ("FNumber is not null", true),
            ("FNothing='x'", false),
            ("FNothing<>'x'", false), // nothing is never compared
            ("not FNumber='1'", true),
            ("1=1 and FNumber='00123'", true),
            ("1=0 or FNumber='1'", false),
            ("FModifyDate>='2026-01-02T00:00:00'", true),
            ("FModifyDate>='2026-01-02 03:04:05'", true),
            ("FModifyDate<'2026-01-02 03:04:06'", true),
            ("FModifyDate<'2026-01-02 03:04:05'", false),
            ("FModifyDate>'2026-01-02' and FModifyDate<'2026-01-03'", true),
        ];
        for (text, want) in cases {
            let expr = parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(expr.matches(&document), want, "{text}");
        }
    }

    #[test]
    fn what_is_refused() {
        let deep = format!("{}FNumber='1'{}", "(".repeat(100), ")".repeat(100));
        let many = vec!["FNumber='1'"; 6000].join(" or ");
        let cases = [
            "FNumber=",
            "FNumber='abc",
            "FNumber='a'b'",
            "FNumber='x'; DROP TABLE T",
            "FNumber='x' -- comment",
            "FNumber='x' /* c */",
            "FNumber=FName",
            "FNumber='x' FName='y'",
            "FNumber in ()",
            "FNumber in ('a'",
            "FNumber not '1'",
            "(FNumber='1'",
            "FNumber='1')",
            "exists(select 1)",
            "FNumber=UPPER('x')",
            "FNumber BETWEEN 'a' AND 'b'",
            "and FNumber='1'",
            "FNumber=12ab",
            "客户编码",
            &deep,
            &many,
        ];
        for text in cases {
            let short: String = text.chars().take(60).collect();
            assert!(parse(text).is_err(), "{short}");
        }
    }

    #[test]
    fn an_injected_quote_stays_inside_its_text() {
        let hostile = "x' OR '1'='1";
        let filter = format!("FNumber='{}'", hostile.replace('\'', "''"));
        let expr = parse(&filter).unwrap();
        let want = Literal::Text(hostile.to_owned());
        assert_eq!(
            expr,
            Expr::Compare {
                field: "FNumber".to_owned(),
                op: Op::Eq,
                value: want
            }
        );
        assert!(!expr.matches(&document));
        // Unescaped, it is a different question; the simulator answers it as a database would.
        assert!(parse(&format!("FNumber='{hostile}'")).unwrap().matches(&document));
    }

    #[test]
    fn keys_are_found_for_the_index() {
        let only = |text: &str| parse(text).unwrap().only("FNumber").map(|v| v.join(","));
        assert_eq!(only("FNumber='a'").as_deref(), Some("a"));
        assert_eq!(only("FOrg='1' and FNumber in ('a','b')").as_deref(), Some("a,b"));
        assert_eq!(
            only("(FOrg='1' and FNumber='a') or (FOrg='1' and FNumber='b')").as_deref(),
            Some("a,b")
        );
        for all in ["FNumber<>'a'", "FNumber='a' or FOrg='1'", "not FNumber='a'", ""] {
            assert_eq!(only(all), None, "{all}");
        }
    }
}
