//! A22: texts that try to be more than a value (`corpus/injection/strings.txt`), through every place where a value of a
//! record may stand: each arrives as it is, and nothing around it changes.

use std::borrow::Cow;

use super::named::{Given, Say};
use crate::e2e::{Shop, World, repository};
use dsl::builtin::Registry;
use dsl::diagnostic::SourceFile;
use dsl::expr::gather;
use dsl::facts::{Action, NotFound, SchemeFacts};
use dsl::lookup::{Found, Hits, LookupWant};
use dsl::path::Path;
use dsl::tree::{Compile, Scope, Tree, TreePlace, compile_tree, eval_value, lookup_keys};
use dsl::value::{Instant, Map, Value};
use jiff::tz::TimeZone;
use serde_json::json;

/// The figure; what does not hold panics with the place and the text.
pub fn run(_given: &Given, say: Say<'_>) -> Result<String, String> {
    let held = std::panic::catch_unwind(|| {
        the_corpus_is_large_and_every_line_differs();
        a_value_arrives_unchanged_at_every_place();
        a_value_is_a_key_of_a_look_up_and_nothing_else();
        a_value_in_a_query_is_an_operand();
        what_is_no_json_does_not_become_a_row();
        through_the_binary_the_target_gets_the_very_texts();
    });
    if held.is_err() {
        return Err("a text was more than a value".to_owned());
    }
    say(
        "the filters, queries, forms, headers and paths of calls: crate `connector`, `it::injection`"
            .to_owned(),
    );
    Ok(format!(
        "{} texts through {} places of a document, {} of look-ups, and through the binary to the target's journal: each arrived as it was, 0 changes around it",
        strings().len(),
        PLACES.len(),
        LOOKUPS.len()
    ))
}

/// The corpus; a line is a JSON string, `#` begins a heading.
fn strings() -> Vec<String> {
    let text = std::fs::read_to_string(repository().join("tests/corpus/injection/strings.txt"))
        .expect("the corpus is there");
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
        .collect()
}

/// A row in which the text is everywhere.
struct Row {
    row: Value,
    text: String,
    zone: TimeZone,
}

impl Row {
    fn of(text: &str) -> Self {
        // Through bytes, as a row comes from a source.
        let row = json!({"v": text, "w": "another", "owner": {"v": text}, "lines": [{"v": text}, {"v": "x"}, {"v": text}]});
        Row {
            row: dsl::json::parse(row.to_string().as_bytes()).expect("JSON is read as it is written"),
            text: text.to_owned(),
            zone: TimeZone::UTC,
        }
    }
}

impl Scope for Row {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(&self.row).map(Cow::Borrowed)
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(&self.row, path)
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        match path.to_string().as_str() {
            "$now" => Some(Cow::Owned(Value::Instant(Instant { ms: self.now_ms() }))),
            "$key" | "$label" | "$let.v" | "$target.number" => Some(Cow::Owned(self.text.as_str().into())),
            _ => None,
        }
    }

    fn now_ms(&self) -> i64 {
        1_700_000_000_100
    }

    fn zone(&self) -> &TimeZone {
        &self.zone
    }

    fn action(&self) -> Option<Action> {
        Some(Action::Create)
    }
}

fn compiled(yaml: &str, registry: &Registry) -> Tree {
    let file = SourceFile::new("place.yaml", format!("v: {yaml}\n"));
    let node = dsl::yaml::read(&file).unwrap_or_else(|problems| panic!("{yaml}: {problems:#?}"));
    let schemes = |_: &str| -> Result<SchemeFacts, NotFound> {
        Ok(SchemeFacts {
            id: "s".to_owned(),
            columns: None,
            saved: Vec::new(),
            given: None,
            after: None,
            hidden: Some(Vec::new()),
        })
    };
    let mut cx = Compile::new(&file, registry, TreePlace::TARGET);
    cx.schemes = Some(&schemes);
    let tree = compile_tree(&node.get("v").expect("it is written above").value, &mut cx);
    let errors: Vec<_> = cx.diags.iter().filter(|problem| problem.is_error()).collect();
    assert!(errors.is_empty(), "{yaml}: {errors:#?}");
    tree
}

fn text(text: impl Into<String>) -> Value {
    Value::Text(text.into())
}

fn map<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Map(Map::from_iter(
        members.map(|(name, value)| (name.to_owned(), value)),
    ))
}

/// What a place gives for a text; `None` where that depends on the text and is not about injection.
type Gives = fn(&str) -> Option<Value>;

/// Places of a document, and what each gives for a text.
const PLACES: &[(&str, Gives)] = &[
    // alone, in both spellings, at any depth
    ("<<v>>", |s| Some(text(s))),
    ("'{{v}}'", |s| Some(text(s))),
    ("\"{{ v }}\"", |s| Some(text(s))),
    ("<<owner.v>>", |s| Some(text(s))),
    ("<<$key>>", |s| Some(text(s))),
    ("<<$let.v>>", |s| Some(text(s))),
    ("{a: {b: <<v>>}}", |s| Some(map([("a", map([("b", text(s))]))]))),
    ("[<<v>>, x, <<v>>]", |s| {
        Some(Value::List(vec![text(s), text("x"), text(s)]))
    }),
    // glued, and between the marks of other languages
    ("C-<<v>>/<<v>>", |s| Some(text(format!("C-{s}/{s}")))),
    ("\"'<<v>>'\"", |s| Some(text(format!("'{s}'")))),
    ("'\"<<v>>\"'", |s| Some(text(format!("\"{s}\"")))),
    ("'FName = ''<<v>>'' and 1 = 1'", |s| {
        Some(text(format!("FName = '{s}' and 1 = 1")))
    }),
    ("'{\"a\": \"<<v>>\"}'", |s| {
        Some(text(format!("{{\"a\": \"{s}\"}}")))
    }),
    ("\"<<v>>{{v}}<<v>>\"", |s| Some(text(format!("{s}{s}{s}")))),
    // filters that keep the text
    ("<<v|text>>", |s| Some(text(s))),
    ("<<v|text|text>>!", |s| Some(text(format!("{s}!")))),
    // names are the author's: nothing is read in them
    ("{\"<<v>>\": 1, \"{{v}}\": x}", |_| {
        Some(map([("<<v>>", number("1")), ("{{v}}", text("x"))]))
    }),
    // expressions: bare, in quotes, as an argument, as an operand
    ("_function <<v>>", |s| Some(text(s))),
    ("_function '<<v>>'", |s| Some(text(s))),
    ("\"_function '{{v}}'\"", |s| Some(text(s))),
    ("_function 'C-<<v>>/''<<v>>'''", |s| {
        Some(text(format!("C-{s}/'{s}'")))
    }),
    ("_function CONCAT('a', <<v>>, 'b', '<<v>>')", |s| {
        Some(text(format!("a{s}b{s}")))
    }),
    ("_function CONCAT_WS(',', <<v>>, <<v>>)", |s| {
        Some(text(format!("{s},{s}")))
    }),
    ("_function IF('<<v>>' = <<v>>, <<v>>, 'changed')", |s| {
        Some(text(s))
    }),
    (
        "_function case <<v>> when <<v>> then <<v>> else 'changed' end",
        |s| Some(text(s)),
    ),
    (
        "_function case when '<<v>>' <=> <<v>> then '<<v>>' else 'changed' end",
        |s| Some(text(s)),
    ),
    ("_function COALESCE(NULL, <<v>>, 'changed')", |s| Some(text(s))),
    ("_function IFNULL(<<v>>, 'changed')", |s| Some(text(s))),
    ("_function REPLACE(<<v>>, 'no such text', <<v>>)", |s| {
        Some(text(s))
    }),
    ("_function REPLACE('a-b', '-', <<v>>)", |s| {
        Some(text(format!("a{s}b")))
    }),
    ("_function CAST(<<v>> AS CHAR)", |s| Some(text(s))),
    ("_function LEFT(CONCAT(<<v>>, 'x'), CHAR_LENGTH(<<v>>))", |s| {
        Some(text(s))
    }),
    ("_function CHAR_LENGTH(<<v>>)", |s| {
        Some(number(&s.chars().count().to_string()))
    }),
    ("_function LENGTH('<<v>>')", |s| {
        Some(number(&s.len().to_string()))
    }),
    ("_function LOCATE('b', CONCAT('ab', <<v>>))", |_| {
        Some(number("2"))
    }),
    ("_function '<<v>>' in ('no such text', <<v>>)", |_| {
        Some(number("1"))
    }),
    ("_function COUNT(<<lines.v>>)", |_| Some(number("3"))),
    (
        "{$value: \"_function NULLIF(<<v>>, <<v>>)\", $empty: keep}",
        |_| Some(Value::Null),
    ),
    // makers and manners
    ("{$value: <<v>>, $type: text}", |s| Some(text(s))),
    ("{$value: <<absent>>, $missing: omit, $default: <<v>>}", |s| {
        Some(text(s))
    }),
    ("{$value: \"\", $default: \"<<v>>\"}", |s| Some(text(s))),
    ("{$value: <<v>>, $sensitive: true, $required: true}", |s| {
        Some(text(s))
    }),
    (
        "{$map: <<v>>, $to: {\"no such text\": x}, $default: <<v>>}",
        |s| Some(text(s)),
    ),
    ("{$map: another, $to: {another: \"<<v>>\"}}", |_| None),
    (
        "{$each: lines, $do: {a: <<$line.v>>, b: <<lines.v>>, c: <<v>>, d: \"_function '<<$line.v>>'\"}}",
        |s| {
            let line = |v: &str| map([("a", text(v)), ("b", text(v)), ("c", text(s)), ("d", text(v))]);
            Some(Value::List(vec![line(s), line("x"), line(s)]))
        },
    ),
    ("{$each: lines, $where: {field: v, eq: x}, $do: <<v>>}", |_| None),
    ("{$join: lines.*.v}", |s| Some(text(format!("{s},x,{s}")))),
    ("{$join: lines.*.v, $with: \" | \"}", |s| {
        Some(text(format!("{s} | x | {s}")))
    }),
    ("{$split: <<v>>, $with: \"no such text\"}", |s| {
        Some(Value::List(vec![text(s)]))
    }),
    ("{$merge: [{a: <<v>>, b: 1}, {b: <<v>>}]}", |s| {
        Some(map([("a", text(s)), ("b", text(s))]))
    }),
    ("{$merge: [{a: <<v>>}, {a: $drop, b: <<v>>}]}", |s| {
        Some(map([("b", text(s))]))
    }),
    ("{$json: {a: <<v>>, b: [<<v>>]}}", |s| {
        Some(text(json!({"a": s, "b": [s]}).to_string()))
    }),
    ("{$literal: \"<<v>> {{v}} _function 1\"}", |_| {
        Some(text("<<v>> {{v}} _function 1"))
    }),
    ("{$template: \"{{ v }}\"}", |s| Some(text(s))),
    (
        "{$template: \"a {{ v }} b {% for l in lines %}[{{ l.v }}]{% endfor %}\"}",
        |s| Some(text(format!("a {s} b [{s}][x][{s}]"))),
    ),
];

fn number(digits: &str) -> Value {
    Value::Number(dsl::Number::parse(digits).expect("digits"))
}

fn the_corpus_is_large_and_every_line_differs() {
    let strings = strings();
    let different: std::collections::BTreeSet<&String> = strings.iter().collect();
    assert!(strings.len() >= 300, "{}", strings.len());
    assert_eq!(different.len(), strings.len());
}

fn a_value_arrives_unchanged_at_every_place() {
    let registry = functions::registry();
    let rows: Vec<Row> = strings().iter().map(|text| Row::of(text)).collect();
    let mut wrong = Vec::new();
    for (place, gives) in PLACES {
        let tree = compiled(place, &registry);
        for row in &rows {
            let got = eval_value(&tree, row, &Hits::new());
            let Some(mut want) = gives(&row.text) else {
                continue;
            };
            // Empty text is a value like any other, but `$default` stands in for it.
            if row.text.is_empty() && place.contains("$default") {
                want = text("");
            }
            if got.as_ref().ok().and_then(Option::as_ref) != Some(&want) {
                wrong.push(format!("{place} with {:?}: {got:?}", row.text));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

/// What a look-up asks for, given the hostile text.
type Keys = fn(&str) -> Vec<String>;

/// Places whose value becomes a key of a look-up, and the keys a text gives.
const LOOKUPS: &[(&str, Keys)] = &[
    ("{$lookup: s, $get: x, $by: {a: <<v>>}}", |s| vec![s.to_owned()]),
    (
        "{$lookup: s, $get: x, $by: {a: \"C-{{v}}\", b: \"_function '<<v>>'\"}}",
        |s| vec![format!("C-{s}"), s.to_owned()],
    ),
    ("_findCollection find x from s where a=<<v>>", |s| {
        vec![s.to_owned()]
    }),
    ("_findCollection find x from s where a={{v}} b='C <<v>>'", |s| {
        vec![s.to_owned(), format!("C {s}")]
    }),
    (
        "_function case _findCollection find x from s where a=<<v>> _endFind when true then 1 else 2 end",
        |s| vec![s.to_owned()],
    ),
    (
        "'_mongoQuery s findField=content.x where={\"content.a\":{\"$eq\":\"{{v}}\"},\"content.b\":\"<<v>>!\"}'",
        |s| vec![s.to_owned(), format!("{s}!")],
    ),
];

fn a_value_is_a_key_of_a_look_up_and_nothing_else() {
    let registry = functions::registry();
    for (place, keys) in LOOKUPS {
        let tree = compiled(place, &registry);
        for string in strings() {
            let row = Row::of(&string);
            let wants: Vec<LookupWant> = lookup_keys(&tree, 0, &row, &Hits::new())
                .unwrap_or_else(|failure| panic!("{place} with {string:?}: {failure:?}"));
            let [want] = wants.as_slice() else {
                panic!("{place} with {string:?}: {} look-ups", wants.len());
            };
            assert_eq!(want.keys, keys(&string), "{place} with {string:?}");
            assert_eq!(
                (want.spec.scheme.as_str(), &want.also),
                ("s", &None),
                "{place} with {string:?}"
            );
            if !place.starts_with("_function") {
                let mut hits = Hits::new();
                hits.insert(want, Found::one(string.as_str().into()));
                let got = eval_value(&tree, &row, &hits);
                assert_eq!(got, Ok(Some(text(&string))), "{place} with {string:?}");
            }
        }
    }
}

/// A comparison other than equality holds a value too, not a piece of a query.
fn a_value_in_a_query_is_an_operand() {
    let registry = functions::registry();
    let tree = compiled(
        "'_mongoQuery s findField=content.x where={\"content.a\":{\"$ne\":\"{{v}}\"},\"content.b\":{\"$in\":[\"<<v>>\",\"y\"]}}'",
        &registry,
    );
    let shape = |string: &str| {
        let wants = lookup_keys(&tree, 0, &Row::of(string), &Hits::new())
            .unwrap_or_else(|failure| panic!("{string:?}: {failure:?}"));
        let also = wants[0].also.clone().expect("more is asked than equality");
        format!("{also:?}").replace(&format!("{string:?}"), "VALUE")
    };
    let plain = shape("some text");
    for string in strings().iter().filter(|string| *string != "y") {
        assert_eq!(shape(string), plain, "{string:?}");
    }
}

/// JSON has no way to write half of a pair, and raw control characters are no JSON: such a page is refused as a whole,
/// so that no record of it is lost or changed. NUL and its like arrive when they are escaped.
fn what_is_no_json_does_not_become_a_row() {
    for bytes in [
        &b"{\"v\": \"\\ud83d\"}"[..],
        b"{\"v\": \"\\udc00\\ud83d\"}",
        b"{\"v\": \"a\nb\"}",
        b"{\"v\": \"a\0b\"}",
        b"{\"v\": \"\xc0\xae\"}",
        b"{\"v\": \"\xed\xa0\x80\"}",
        b"{\"v\": \"\xff\"}",
        b"{\"v\": \"x\"} {\"v\": \"y\"}",
        b"{\"v\": \"x\", \"v\": \"y\"",
        b"{\"v\": 'x'}",
    ] {
        let read = dsl::json::parse(bytes);
        assert!(read.is_err(), "{}: {read:?}", String::from_utf8_lossy(bytes));
    }
    let read = dsl::json::parse(b"{\"v\": \"a\\u0000b\\ud83d\\ude00\"}").expect("that is JSON");
    assert_eq!(read.get("v"), Some(&text("a\0b\u{1f600}")));
}

/// Rows of other people's making, read, looked up by, stored, asked about and written.
const FEEDER: (&str, &str) = (
    "schemes/texts.yaml",
    r#"
scheme: texts
source: {connection: huke, api: search_customers, window: none, request: {list: texts}, key: id}
target: none
schedule: {every: 30m}
tests: [{name: a text, row: {id: a, code: b}, expect: {id: a, code: b}}]
"#,
);

const DOCUMENTS: (&str, &str) = (
    "schemes/documents.yaml",
    r#"
scheme: documents
source: {connection: huke, api: search_customers, window: none, request: {list: documents}, key: no, label: name}
target:
  connection: k3
  api: batchSave
  options: {FormId: BD_Customer}
  request:
    FName: <<name>>
    FNumber: <<no>>
    FCreateOrgId: {FNumber: "100"}
    FUseOrgId: {FNumber: "100"}
    FDescription: _findCollection find code from texts where code=<<name>>
    FShortName: "_function CONCAT('<<name>>', '')"
  find: before_create
schedule: {every: 30m}
tests:
  - name: a document
    row: {no: a, name: b}
    lookups: {texts: [{id: a, code: b}]}
    expect: {FName: b, FNumber: a, FCreateOrgId: {FNumber: "100"}, FUseOrgId: {FNumber: "100"}, FDescription: b, FShortName: b}
"#,
);

/// What a question by key may hold (`engine/connector`): a key with anything else is refused before it is asked.
fn may_be_asked(text: &str) -> bool {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    text.chars().count() < 200 && !text.contains(odd)
}

fn through_the_binary_the_target_gets_the_very_texts() {
    let world = World::small();
    for (name, text) in [FEEDER, DOCUMENTS] {
        world.write(name, text);
    }
    let shop: Shop = world.shop();
    let texts: Vec<String> = strings()
        .into_iter()
        .filter(|text| !text.trim().is_empty())
        .collect();
    let key = |n: usize, text: &str| {
        let tail = if may_be_asked(text) { text.trim_end() } else { "" };
        format!("{n:03}{tail}")
    };
    let numbered = || texts.iter().enumerate();
    shop.put(
        "texts",
        numbered()
            .map(|(n, text)| json!({"id": format!("T{n}"), "code": text}))
            .collect(),
    );
    shop.put(
        "documents",
        numbered()
            .map(|(n, text)| json!({"no": key(n, text), "name": text}))
            .collect(),
    );
    world.pass(FEEDER.0, 0);
    let run = world.pass(DOCUMENTS.0, 0);
    assert_eq!(run["counts"]["done"], texts.len(), "{run:#}");

    let journal = world.journal();
    assert_eq!(journal.len(), texts.len(), "one write each");
    for (n, text) in numbered() {
        let number = key(n, text);
        let entry = journal.iter().find(|entry| entry.number == number);
        let entry = entry.unwrap_or_else(|| panic!("{number:?} did not arrive"));
        let document: serde_json::Value = serde_json::from_str(&entry.content).expect("a document");
        let want = json!({
            "FName": text, "FNumber": number, "FCreateOrgId": {"FNumber": "100"}, "FUseOrgId": {"FNumber": "100"},
            "FDescription": text, "FShortName": text,
        });
        assert_eq!(document, want, "{text:?}");
    }
    // A second pass finds every document by the very key it was written under.
    let again = world.pass(DOCUMENTS.0, 0);
    assert_eq!(again["counts"]["done"], 0, "{again:#}");
    assert_eq!(world.journal().len(), texts.len());
    world.verify();
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_corpus_is_large_and_every_line_differs() {
        super::the_corpus_is_large_and_every_line_differs();
    }

    #[test]
    fn a_value_arrives_unchanged_at_every_place() {
        super::a_value_arrives_unchanged_at_every_place();
    }

    #[test]
    fn a_value_is_a_key_of_a_look_up_and_nothing_else() {
        super::a_value_is_a_key_of_a_look_up_and_nothing_else();
    }

    #[test]
    fn a_value_in_a_query_is_an_operand() {
        super::a_value_in_a_query_is_an_operand();
    }

    #[test]
    fn what_is_no_json_does_not_become_a_row() {
        super::what_is_no_json_does_not_become_a_row();
    }

    #[test]
    fn through_the_binary_the_target_gets_the_very_texts() {
        super::through_the_binary_the_target_gets_the_very_texts();
    }
}
