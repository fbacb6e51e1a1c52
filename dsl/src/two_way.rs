//! What of rows and documents is compared where two schemes carry the same documents in opposite directions.
//!
//! A field counts by what it says: numbers by value, texts as they are, and null, missing and empty are one. Hashes
//! leave here, never values.

use sha2::{Digest, Sha256};

use crate::decimal::Decimal;
use crate::json;
use crate::path::{Path, Segment};
use crate::plan::SourcePlan;
use crate::value::Value;

/// The hash of nothing.
pub const EMPTY: u64 = 0;

/// The name under which it is compared whether a row means "cancelled".
pub const VOID: &str = "$void";

/// The fields of a row that a scheme carries over: those that make a version, as the source gives them.
pub fn compared(source: &SourcePlan) -> Vec<Path> {
    let mut fields = source.version.clone().unwrap_or_else(|| source.reads.clone());
    // A field that the scheme derives says what the fields say that it is made of.
    for (made, tree) in source.derive.iter().rev() {
        let is_made = |field: &Path| *field == *made || field.below(made).is_some();
        if fields.iter().any(is_made) {
            fields.retain(|field| !is_made(field));
            fields.extend(tree.reads().iter().cloned());
        }
    }
    fields.sort();
    fields.dedup();
    fields
}

/// What a row says. One that is cancelled says only that: the other fields are carried nowhere, and where somebody pushes
/// it, it has its id alone.
pub fn of_row(fields: &[Path], row: &Value, void: Option<bool>) -> Vec<(String, u64)> {
    if void == Some(true) {
        return vec![(VOID.to_owned(), hash_of_void(true))];
    }
    let mut said: Vec<(String, u64)> = fields
        .iter()
        .map(|field| (field.to_string(), hash_at(field, row).unwrap_or(EMPTY)))
        .collect();
    said.extend(void.map(|void| (VOID.to_owned(), hash_of_void(void))));
    said
}

/// Whether a document is cancelled; one that is not is nothing to speak of.
pub fn hash_of_void(void: bool) -> u64 {
    if void { hash(&Value::Bool(true)) } else { EMPTY }
}

/// Where in a document a field of the other scheme's row is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Name in the row, field asked for; as the other scheme reads.
    pub asked: Vec<(String, String)>,
    /// The author's own word: field of the row, place in the document.
    pub named: Vec<(Path, Path)>,
}

/// What a document says of these fields of the row that the other scheme will read; fields that it does not write are
/// not among them. A field stands in the document under the author's place, else under its own name, the name it is
/// asked by, or without the first step (a row may hold the document in a member); below `under`,
/// the part where keys are looked up, or in the whole.
pub fn of_document(
    under: Option<&Path>,
    places: &Places,
    fields: &[Path],
    document: &Value,
) -> Vec<(String, u64)> {
    let below = under.and_then(|under| under.get(document));
    let parts: Vec<&Value> = below.into_iter().chain([document]).collect();
    let mut wrote = Vec::new();
    for field in fields {
        let tried = stands_at(places, field);
        let found = tried
            .iter()
            .find_map(|place| parts.iter().find_map(|part| hash_at(place, part)));
        wrote.extend(found.map(|hash| (field.to_string(), hash)));
    }
    wrote
}

/// Where a field of a row may stand in the document that the other scheme writes, the likeliest first.
pub fn stands_at(places: &Places, field: &Path) -> Vec<Path> {
    if let Some((_, place)) = places.named.iter().find(|(named, _)| named == field) {
        return vec![place.clone()];
    }
    let mut tried = vec![field.clone()];
    if let [Segment::Name(first), rest @ ..] = field.segments() {
        let asked = places.asked.iter().find(|(name, _)| name == first);
        if let Some(asked) = asked.and_then(|(_, asked)| Path::parse(asked).ok()) {
            tried.push(asked.join(&of_segments(rest)));
        }
        if !rest.is_empty() && rest[0] != Segment::All {
            tried.push(of_segments(rest));
        }
    }
    tried
}

fn of_segments(segments: &[Segment]) -> Path {
    let empty = Path::names(Vec::<String>::new());
    segments.iter().fold(empty, |path, segment| match segment {
        Segment::Name(name) => path.child(name.as_str()),
        Segment::Index(number) => path.join(&Path::parse(&number.to_string()).expect("a number is a path")),
        Segment::All => path.join(&Path::parse("*").expect("a star is a path")),
    })
}

/// The hash of what is at a path; `None` = nothing is there, not even null. Elements of a list count in their order.
fn hash_at(path: &Path, value: &Value) -> Option<u64> {
    if !path.has_all() {
        return path.get(value).map(hash);
    }
    let list: Vec<Segment> = path
        .segments()
        .iter()
        .take_while(|segment| **segment != Segment::All)
        .cloned()
        .collect();
    of_segments(&list).get(value)?.as_list()?;
    let elements = path.get_all(value).into_iter().cloned().collect();
    Some(hash(&Value::List(elements)))
}

fn hash(value: &Value) -> u64 {
    let mut text = String::new();
    canonical(value, &mut text);
    if text.is_empty() {
        return EMPTY;
    }
    let digest = Sha256::digest(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    // No value is nothing.
    u64::from_be_bytes(first).max(1)
}

/// One text for values that say the same; nothing for what is empty. Lengths keep neighbours apart.
fn canonical(value: &Value, text: &mut String) {
    let part = |kind: char, inner: &str, text: &mut String| {
        text.push(kind);
        text.push_str(&inner.len().to_string());
        text.push(':');
        text.push_str(inner);
    };
    match value {
        Value::Null => {}
        Value::Bool(yes) => part('s', if *yes { "true" } else { "false" }, text),
        Value::Number(number) => part('s', &by_value(number.as_str()), text),
        Value::Text(plain) if plain.is_empty() => {}
        Value::Text(plain) => part('s', plain, text),
        Value::Instant(_) => part('s', json::to_string(value).trim_matches('"'), text),
        Value::List(items) => {
            let mut inner = String::new();
            for item in items {
                let mut one = String::new();
                canonical(item, &mut one);
                part('i', &one, &mut inner);
            }
            if !items.is_empty() {
                part('l', &inner, text);
            }
        }
        Value::Map(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by(|one, other| one.0.cmp(other.0));
            let mut inner = String::new();
            for (name, member) in sorted {
                let mut one = String::new();
                canonical(member, &mut one);
                if !one.is_empty() {
                    part('k', name, &mut inner);
                    inner.push_str(&one);
                }
            }
            if !inner.is_empty() {
                part('m', &inner, text);
            }
        }
    }
}

/// `1.50`, `1.5` and `15e-1` are one number. What no decimal can hold stays as it is written.
fn by_value(number: &str) -> String {
    let Some(decimal) = Decimal::parse_json(number) else {
        return number.to_owned();
    };
    let full = decimal.to_full_string();
    if !full.contains('.') {
        return full;
    }
    let short = full.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0" } else { short }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).expect("JSON")
    }

    #[test]
    fn what_says_the_same_is_the_same() {
        let same = |one: &str, other: &str| hash(&value(one)) == hash(&value(other));
        for (one, other) in [
            ("100", "100.00"),
            ("1.5e2", "150"),
            ("0", "-0.0"),
            ("100", "\"100\""),
            ("null", "\"\""),
            ("[]", "{}"),
            ("null", "{\"a\":null}"),
            ("{\"a\":1,\"b\":\"\"}", "{\"a\":1.0}"),
            ("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"),
            ("true", "\"true\""),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("\"00123\"", "\"123\""),
            ("\"100.00\"", "100"),
            ("\" a\"", "\"a\""),
            ("0", "null"),
            ("false", "null"),
            ("[1,2]", "[2,1]"),
            ("[1,23]", "[12,3]"),
            ("[null]", "[]"),
            ("{\"a\":\"b\"}", "{\"a\":{\"b\":1}}"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    /// A push that cancels has the id alone; what was cancelled may be edited, and nobody is told.
    #[test]
    fn what_is_cancelled_says_only_that() {
        let fields = ["id", "name"].map(|field| Path::parse(field).expect("a path"));
        let of = |row: &str, void| of_row(&fields, &value(row), void);
        let cancelled = vec![(VOID.to_owned(), hash_of_void(true))];
        assert_eq!(of(r#"{"id":"1"}"#, Some(true)), cancelled);
        assert_eq!(of(r#"{"id":"1","name":"云杉"}"#, Some(true)), cancelled);
        assert_eq!(of(r#"{"id":"1"}"#, Some(false)).len(), 3);
        assert_eq!(of(r#"{"id":"1"}"#, None).len(), 2);
    }

    /// What was written is found again in the row, whatever way the row tells it.
    #[test]
    fn a_document_and_the_row_it_becomes() {
        let check = |under: Option<&str>,
                     field: &str,
                     asked: &[(&str, &str)],
                     document: &str,
                     row: &str,
                     want: bool| {
            let field = [Path::parse(field).expect("a path")];
            let places = Places {
                asked: asked
                    .iter()
                    .map(|(name, path)| ((*name).to_owned(), (*path).to_owned()))
                    .collect(),
                named: vec![(
                    Path::parse("phone").expect("a path"),
                    Path::parse("tel.mobile").expect("a path"),
                )],
            };
            let under = under.map(|under| Path::parse(under).expect("a path"));
            let wrote = of_document(under.as_ref(), &places, &field, &value(document));
            let read = of_row(&field, &value(row), None);
            assert_eq!(wrote == read, want, "{document} {row}: {wrote:?} {read:?}");
        };
        check(
            None,
            "name",
            &[],
            r#"{"name":"云杉"}"#,
            r#"{"name":"云杉"}"#,
            true,
        );
        check(
            None,
            "name",
            &[],
            r#"{"name":"云杉"}"#,
            r#"{"name":"清荷"}"#,
            false,
        );
        // Not written at all, or emptied.
        check(None, "name", &[], r#"{"city":"x"}"#, r#"{}"#, false);
        check(None, "name", &[], r#"{"name":null}"#, r#"{}"#, true);
        check(
            Some("object_data"),
            "name",
            &[],
            r#"{"object_data":{"name":"a"}}"#,
            r#"{"name":"a"}"#,
            true,
        );
        check(
            None,
            "document.name",
            &[],
            r#"{"name":"a"}"#,
            r#"{"document":{"name":"a"}}"#,
            true,
        );
        check(
            None,
            "FOrg_FNumber",
            &[("FOrg_FNumber", "FOrg.FNumber")],
            r#"{"FOrg":{"FNumber":"100"}}"#,
            r#"{"FOrg_FNumber":"100"}"#,
            true,
        );
        check(
            None,
            "phone",
            &[],
            r#"{"tel":{"mobile":"1"}}"#,
            r#"{"phone":"1"}"#,
            true,
        );
        let lines = r#"{"lines":[{"qty":1,"id":7},{"qty":2.0,"id":8}]}"#;
        check(
            None,
            "lines.*.qty",
            &[],
            r#"{"lines":[{"qty":1},{"qty":2}]}"#,
            lines,
            true,
        );
        check(
            None,
            "lines.*.qty",
            &[],
            r#"{"lines":[{"qty":2},{"qty":1}]}"#,
            lines,
            false,
        );
        check(
            None,
            "lines.*.qty",
            &[],
            r#"{"lines":[]}"#,
            r#"{"lines":[]}"#,
            true,
        );
    }
}
