//! `_mongoQuery SCHEME findField=content.FIELD where={…}`: a look-up with comparison operators.
//!
//! The text becomes structure before any record is seen: operators, fields and patterns are the author's, and a
//! placeholder gives a value and nothing else. Equalities of texts become keys of the look-up, as `_findCollection`
//! has them; whatever else is asked becomes its [`Ask`].

mod json;

use std::ops::Range;

use json::{Json, JsonKind, Member};

use crate::catalogue::value as words;
use crate::diagnostic::did_you_mean;
use crate::facts::SchemeFacts;
use crate::keys::OPERATORS;
use crate::lookup::{Field, LookupSpec, Pattern, Within};
use crate::path::{Path, Segment};
use crate::template::has_placeholder;
use crate::tree::ask::{Ask, AskTest, Comparison};
use crate::tree::columns::{Columns, NotSingle};
use crate::tree::compile::{Compile, TEMPLATE_BYTES};
use crate::tree::term::{LookupTerm, Piece, Term, TermKind};
use crate::value::Value;
use crate::yaml::Node;

/// Operators beside fields.
const GROUPS: [&str; 3] = ["$and", "$or", "$nor"];

/// Operators below a field.
fn tests() -> Vec<&'static str> {
    let all = OPERATORS.iter().map(|(name, _, _)| *name);
    all.filter(|name| !GROUPS.contains(name)).collect()
}

/// Names that mean something in a row's own fields and are no fields of ours.
const RAW: &[(&str, &str)] = &[("id", "$key"), ("number", "$label")];

/// The words before the JSON, each with its bytes.
struct Head<'t> {
    scheme: (&'t str, Range<usize>),
    get: (&'t str, Range<usize>),
    /// Where the JSON begins.
    body: usize,
}

impl Compile<'_> {
    /// Compiles the text behind `_mongoQuery `, which begins at byte `at`.
    pub(crate) fn query(&mut self, node: &Node, at: usize) -> Term {
        let text = &node.scalar().expect("only scalars come here").text[at..];
        let nothing = Term::literal(Value::Null, node.span.clone());
        if text.len() > TEMPLATE_BYTES {
            self.report(
                self.problem(&words::TOO_BIG, node.span.clone())
                    .with("limit", TEMPLATE_BYTES),
            );
            return nothing;
        }
        let mut query = Query {
            place: &|span: Range<usize>| node.span_in(at + span.start..at + span.end),
            span: node.span.clone(),
            facts: None,
            cx: self,
        };
        match query.whole(text) {
            Some(lookup) => Term::new(TermKind::Find(Box::new(lookup)), node.span.clone()),
            None => nothing,
        }
    }
}

struct Query<'q, 'c, 'r> {
    place: &'q dyn Fn(Range<usize>) -> Range<usize>,
    span: Range<usize>,
    facts: Option<SchemeFacts>,
    cx: &'c mut Compile<'r>,
}

impl Query<'_, '_, '_> {
    fn form<T>(&mut self, at: Range<usize>, zh: &str, en: &str) -> Option<T> {
        let problem = self.cx.problem(&words::QUERY_FORM, (self.place)(at));
        self.cx.report(problem.with("what_zh", zh).with("what_en", en));
        None
    }

    fn whole(&mut self, text: &str) -> Option<LookupTerm> {
        let head = self.head(text)?;
        let (scheme, scheme_at) = head.scheme;
        self.facts = self.cx.scheme(scheme, (self.place)(scheme_at));
        let get = self.field(head.get.0, head.get.1.clone());
        let get = get.filter(|get| {
            self.cx
                .is_own(self.facts.as_ref(), &path_of(get), (self.place)(head.get.1))
        });
        let body = &text[head.body..];
        let ask = match json::read(body) {
            Ok(json) => self.filter(&json, head.body),
            Err(fault) => {
                let at = fault.at.start + head.body..fault.at.end + head.body;
                return self.form(at, fault.zh, fault.en);
            }
        }?;
        let (get, facts) = (get?, self.facts.take()?);
        let mut rest = Vec::new();
        let (mut by, mut keys) = (Vec::new(), Vec::new());
        for part in parts(ask) {
            match text_equality(part, &facts) {
                Ok((path, key)) if !by.contains(&path) => {
                    by.push(path);
                    keys.push(key);
                }
                Ok((path, key)) => rest.push(Ask::Test {
                    field: Field::Row(path),
                    test: AskTest::Compare(Comparison::Eq, key),
                }),
                Err(part) => rest.push(*part),
            }
        }
        let also = match rest.len() {
            0 if by.is_empty() => {
                let whole = head.body..text.len();
                return self.form(whole, "没有条件", "there is no condition");
            }
            0 => None,
            1 => rest.pop(),
            _ => Some(Ask::All(rest)),
        };
        Some(LookupTerm {
            spec: LookupSpec {
                id: 0,
                within: Within::Rows,
                scheme: facts.id,
                get: path_of(&get),
                by,
                only: false,
                filtered: also.is_some(),
            },
            keys,
            also: also.map(Box::new),
        })
    }

    fn head<'t>(&mut self, text: &'t str) -> Option<Head<'t>> {
        let mut at = text.len() - text.trim_start().len();
        let word = |at: usize| {
            let length = text[at..].find(char::is_whitespace).unwrap_or(text.len() - at);
            (&text[at..at + length], at..at + length)
        };
        let scheme = word(at);
        if scheme.0.is_empty() || scheme.0.starts_with("findField") {
            return self.form(scheme.1, "缺少方案", "the scheme is missing");
        }
        at = scheme.1.end;
        at += text[at..].len() - text[at..].trim_start().len();
        let (field, field_at) = word(at);
        let Some(name) = field.strip_prefix("findField=").filter(|name| !name.is_empty()) else {
            return self.form(field_at, "缺少 `findField=字段`", "`findField=FIELD` is missing");
        };
        let get = (name, field_at.end - name.len()..field_at.end);
        at = field_at.end;
        at += text[at..].len() - text[at..].trim_start().len();
        let rest = &text[at..];
        if !rest.starts_with("where=") {
            let (_, next) = word(at);
            return self.form(next, "缺少 `where={…}`", "`where={…}` is missing");
        }
        Some(Head {
            scheme,
            get,
            body: at + "where=".len(),
        })
    }

    /// A field as a query names it: `content.F`, or what the ledger knows of a row.
    fn field(&mut self, name: &str, at: Range<usize>) -> Option<Field> {
        let span = (self.place)(at);
        let raw = RAW.iter().find(|(raw, _)| *raw == name).map(|(_, known)| *known);
        let path = match (raw, name.strip_prefix("content.")) {
            (Some(known), _) => Path::parse(known).ok(),
            (None, Some(field)) => self.cx.path(field, span.clone()),
            (None, None) if name.starts_with('$') => self.cx.path(name, span.clone()),
            (None, None) => {
                let problem = self.cx.problem(&words::QUERY_FIELD, span.clone());
                self.cx.report(
                    problem
                        .with("name", name)
                        .with("right", format!("content.{name}")),
                );
                None
            }
        }?;
        let facts = self.facts.clone()?;
        self.cx.column(&facts, &path, span).map(|path| Field::of(&path))
    }

    /// A map of fields and groups; all of them must hold.
    fn filter(&mut self, json: &Json<'_>, from: usize) -> Option<Ask> {
        let JsonKind::Map(members) = &json.kind else {
            return self.form(here(json, from), "条件应为 `{…}`", "a condition is `{…}`");
        };
        let parts: Vec<Option<Ask>> = members.iter().map(|member| self.member(member, from)).collect();
        all(parts.into_iter().collect::<Option<Vec<Ask>>>()?)
    }

    fn member(&mut self, member: &Member<'_>, from: usize) -> Option<Ask> {
        let name = member.name.as_str();
        let name_at = member.name_at.start + from..member.name_at.end + from;
        if !name.starts_with('$') || Path::parse(name).is_ok_and(|path| is_ledger_name(&path)) {
            // Without the quotes.
            let field = self.field(name, name_at.start + 1..name_at.end - 1);
            return self.tests(field, &member.value, from);
        }
        if !GROUPS.contains(&name) {
            return self.unknown(name, name_at, &GROUPS);
        }
        let JsonKind::List(items) = &member.value.kind else {
            return self.operand(name, &member.value, from, ("条件的列表", "a list of conditions"));
        };
        if items.is_empty() {
            return self.operand(
                name,
                &member.value,
                from,
                ("至少一个条件", "at least one condition"),
            );
        }
        let parts: Vec<Option<Ask>> = items.iter().map(|item| self.filter(item, from)).collect();
        let parts: Vec<Ask> = parts.into_iter().collect::<Option<_>>()?;
        Some(match name {
            "$and" => Ask::All(parts),
            "$or" => Ask::Any(parts),
            _ => Ask::Not(Box::new(Ask::Any(parts))),
        })
    }

    fn unknown<T>(&mut self, name: &str, at: Range<usize>, known: &[&str]) -> Option<T> {
        let problem = self.cx.problem(&words::QUERY_OPERATOR, (self.place)(at));
        let near = match name {
            "$not" => vec!["$nor".to_owned()],
            _ => did_you_mean(name, OPERATORS.iter().map(|(known, _, _)| *known)),
        };
        self.cx.report(
            problem
                .with("name", name)
                .with("all", known.join(" "))
                .similar(near),
        );
        None
    }

    fn operand<T>(&mut self, op: &str, json: &Json<'_>, from: usize, want: (&str, &str)) -> Option<T> {
        let problem = self
            .cx
            .problem(&words::QUERY_OPERAND, (self.place)(here(json, from)));
        self.cx.report(
            problem
                .with("op", op)
                .with("want", want.0)
                .with("want_en", want.1),
        );
        None
    }

    /// What stands below a field: operators, or a value that it equals.
    fn tests(&mut self, field: Option<Field>, json: &Json<'_>, from: usize) -> Option<Ask> {
        let members = match &json.kind {
            JsonKind::Map(members) if members.iter().any(|member| member.name.starts_with('$')) => members,
            _ => {
                let value = self.value(json, from);
                return Some(compare(field?, Comparison::Eq, value?));
            }
        };
        let flags = members.iter().find(|member| member.name == "$options");
        let mut found = Vec::new();
        for member in members {
            found.push(match member.name.as_str() {
                "$options" if members.iter().any(|other| other.name == "$regex") => continue,
                _ => self.test(field.clone(), member, flags, from),
            });
        }
        all(found.into_iter().collect::<Option<Vec<Ask>>>()?)
    }

    fn test(
        &mut self,
        field: Option<Field>,
        member: &Member<'_>,
        flags: Option<&Member<'_>>,
        from: usize,
    ) -> Option<Ask> {
        let (name, json) = (member.name.as_str(), &member.value);
        let not = |ask: Ask| Ask::Not(Box::new(ask));
        let ask = match name {
            "$eq" | "$ne" => {
                let value = self.value(json, from);
                let same = compare(field?, Comparison::Eq, value?);
                if name == "$ne" { not(same) } else { same }
            }
            "$gt" | "$gte" | "$lt" | "$lte" => {
                let value = self.ordered(name, json, from);
                let comparison = match name {
                    "$gt" => Comparison::Gt,
                    "$gte" => Comparison::Gte,
                    "$lt" => Comparison::Lt,
                    _ => Comparison::Lte,
                };
                compare(field?, comparison, value?)
            }
            "$in" | "$nin" => {
                let values = match &json.kind {
                    JsonKind::List(items) => items.iter().map(|item| self.value(item, from)).collect(),
                    JsonKind::Placeholder(_) => vec![self.value(json, from)],
                    _ => return self.operand(name, json, from, ("列表", "a list")),
                };
                let values = values.into_iter().collect::<Option<Vec<Term>>>();
                let one = Ask::Test {
                    field: field?,
                    test: AskTest::In(values?),
                };
                if name == "$nin" { not(one) } else { one }
            }
            "$exists" => {
                let JsonKind::Plain(Value::Bool(there)) = json.kind else {
                    return self.operand(name, json, from, ("true 或 false", "true or false"));
                };
                let exists = Ask::Test {
                    field: field?,
                    test: AskTest::Exists,
                };
                if there { exists } else { not(exists) }
            }
            "$regex" => {
                let test = self.regex(json, flags, from);
                Ask::Test {
                    field: field?,
                    test: test?,
                }
            }
            "$not" => match &json.kind {
                JsonKind::Map(members) if !members.is_empty() => not(self.tests(field, json, from)?),
                _ => return self.operand(name, json, from, ("`{运算符: 值}`", "`{operator: value}`")),
            },
            name if name.starts_with('$') => {
                let at = member.name_at.start + from..member.name_at.end + from;
                return self.unknown(name, at, &tests());
            }
            _ => {
                let at = member.name_at.start + from..member.name_at.end + from;
                return self.form(
                    at,
                    "运算符与普通键不能写在一起",
                    "operators and plain keys do not mix",
                );
            }
        };
        Some(ask)
    }

    fn ordered(&mut self, name: &str, json: &Json<'_>, from: usize) -> Option<Term> {
        match &json.kind {
            JsonKind::Plain(Value::Number(_)) | JsonKind::Text(_) | JsonKind::Placeholder(_) => {
                self.value(json, from)
            }
            _ => self.operand(name, json, from, ("数字或文本", "a number or a text")),
        }
    }

    fn regex(&mut self, json: &Json<'_>, flags: Option<&Member<'_>>, from: usize) -> Option<AskTest> {
        let JsonKind::Text(text) = &json.kind else {
            return self.operand("$regex", json, from, ("文本", "a text"));
        };
        let flags = match flags.map(|member| &member.value) {
            None => "",
            Some(Json {
                kind: JsonKind::Text(flags),
                ..
            }) if flags.chars().all(|flag| "ims".contains(flag)) => flags,
            Some(json) => {
                return self.operand("$options", json, from, ("i、m、s 的组合", "any of i, m and s"));
            }
        };
        let span = (self.place)(here(json, from));
        // What a placeholder gives is as good as any text without signs that mean something.
        let mut trial = text.clone();
        let mut pieces = None;
        if has_placeholder(text) {
            let found = self.cx.pieces(text, &|_| span.clone())?;
            trial = found
                .iter()
                .map(|piece| match piece {
                    Piece::Text(text) => text.as_str(),
                    Piece::Read(_) => "x",
                })
                .collect();
            pieces = Some(found);
        }
        match (Pattern::new(&trial, flags), pieces) {
            (Ok(pattern), None) => Some(AskTest::Regex(pattern)),
            (Ok(_), Some(pieces)) => Some(AskTest::RegexOf(pieces, flags.to_owned())),
            (Err(why), _) => {
                let problem = self.cx.problem(&words::BAD_REGEX, span);
                self.cx.report(problem.with("why", why));
                None
            }
        }
    }

    /// A value: a constant, a text with placeholders, or a placeholder with its kind.
    fn value(&mut self, json: &Json<'_>, from: usize) -> Option<Term> {
        let span = (self.place)(here(json, from));
        let kind = match &json.kind {
            JsonKind::Plain(value) => TermKind::Literal(value.clone()),
            JsonKind::Text(text) if has_placeholder(text) => {
                TermKind::Text(self.cx.pieces(text, &|_| span.clone())?)
            }
            JsonKind::Text(text) => TermKind::Literal(text.as_str().into()),
            JsonKind::Placeholder(whole) => match self.cx.pieces(whole, &|_| span.clone())?.pop() {
                Some(Piece::Read(read)) => TermKind::Read(read),
                _ => return None,
            },
            JsonKind::List(_) | JsonKind::Map(_) => match constant(json) {
                Some(value) => TermKind::Literal(value),
                None => {
                    let at = here(json, from);
                    return self.form(
                        at,
                        "列表和对象里不能有占位符或运算符",
                        "a list or map to compare with holds neither placeholders nor operators",
                    );
                }
            },
        };
        let mut term = Term::new(kind, self.span.clone());
        term.source = match &json.kind {
            JsonKind::Placeholder(whole) => Some((*whole).into()),
            _ => None,
        };
        Some(term)
    }
}

/// A list or map without placeholders and operators.
fn constant(json: &Json<'_>) -> Option<Value> {
    match &json.kind {
        JsonKind::Plain(value) => Some(value.clone()),
        JsonKind::Text(text) => (!has_placeholder(text)).then(|| text.as_str().into()),
        JsonKind::Placeholder(_) => None,
        JsonKind::List(items) => items
            .iter()
            .map(constant)
            .collect::<Option<Vec<_>>>()
            .map(Value::List),
        JsonKind::Map(members) => members
            .iter()
            .map(|member| {
                let plain = !member.name.starts_with('$');
                plain.then(|| Some((member.name.clone(), constant(&member.value)?)))?
            })
            .collect::<Option<_>>()
            .map(Value::Map),
    }
}

fn is_ledger_name(path: &Path) -> bool {
    matches!(path.first_name(), Some("$key" | "$label" | "$target"))
}

fn here(json: &Json<'_>, from: usize) -> Range<usize> {
    json.at.start + from..json.at.end + from
}

fn compare(field: Field, comparison: Comparison, term: Term) -> Ask {
    Ask::Test {
        field,
        test: AskTest::Compare(comparison, term),
    }
}

/// All of some parts; one part is itself.
fn all(mut parts: Vec<Ask>) -> Option<Ask> {
    match parts.len() {
        1 => parts.pop(),
        _ => Some(Ask::All(parts)),
    }
}

/// What must hold together, taken apart.
fn parts(ask: Ask) -> Vec<Ask> {
    match ask {
        Ask::All(parts) => parts.into_iter().flat_map(self::parts).collect(),
        other => vec![other],
    }
}

/// An equality of one field with a text, which an index of texts answers; it does not reach into lists.
fn text_equality(ask: Ask, facts: &SchemeFacts) -> Result<(Path, Term), Box<Ask>> {
    match ask {
        Ask::Test {
            field: Field::Row(path),
            test: AskTest::Compare(Comparison::Eq, term),
        } if is_text(&term) && is_own(&path, facts) => Ok((path, term)),
        other => Err(Box::new(other)),
    }
}

/// Whether a field belongs to the row itself and is no list, as far as that is known. Of a field below another one
/// nobody knows that, unless it is listed.
fn is_own(path: &Path, facts: &SchemeFacts) -> bool {
    if path.segments().contains(&Segment::All) {
        return false;
    }
    let Some(columns) = &facts.columns else {
        return path.segments().len() == 1;
    };
    let text = path.to_string();
    let listed = columns.contains(&text);
    let lists = Columns::new(columns.iter().map(String::as_str)).not_single(path);
    (listed || path.segments().len() == 1) && !matches!(lists, Some(NotSingle::List | NotSingle::Through(_)))
}

/// Whether a term gives text, and not the empty one by itself, which is no key.
fn is_text(term: &Term) -> bool {
    match &term.kind {
        TermKind::Literal(Value::Text(text)) => !text.is_empty(),
        TermKind::Text(_) => true,
        _ => false,
    }
}

fn path_of(field: &Field) -> Path {
    match field {
        Field::Row(path) => path.clone(),
        other => Path::parse(&other.to_string()).expect("names of the ledger are paths"),
    }
}
