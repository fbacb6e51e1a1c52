//! `tests`: rows, stored rows of other schemes, and the documents that are expected.

use super::{Reader, member, resolve, text_of};
use crate::catalogue::scheme as words;
use crate::diagnostic::did_you_mean;
use crate::facts::{Action, ConnectorFacts, OperationFacts, Sample};
use crate::lines::LineIds;
use crate::lookup::FieldTable;
use crate::path::Path;
use crate::plan::{RecordingTest, TestCase};
use crate::testing::{FATES, Fate};
use crate::tree::line_key;
use crate::value::{Map, Value};
use crate::yaml::Node;

/// What the target calls lines that were written: `{list: {key: id}}`, keys of lines around it before a `/`.
fn line_ids(test: &Node) -> LineIds {
    let mut ids = LineIds::new();
    for list in test
        .get("line_ids")
        .and_then(|pair| pair.value.map())
        .unwrap_or_default()
    {
        for line in list.value.map().unwrap_or_default() {
            let keys: Vec<String> = line.key.split('/').map(str::to_owned).collect();
            if let Some(id) = text_of(&line.value) {
                ids.insert(&list.key, &line_key(&keys), id.to_owned());
            }
        }
    }
    ids
}

/// The samples of the rows that a source asks for.
pub(crate) fn fitting(operation: &OperationFacts, source: &Node) -> Vec<Sample> {
    let options = source.get("options").map(|pair| pair.value.plain_value());
    let written = match options {
        Some(Value::Map(options)) => options,
        _ => Map::new(),
    };
    let samples = operation.samples.iter().flatten();
    samples
        .filter(|sample| sample.fits(&operation.options, &written))
        .cloned()
        .collect()
}

/// Rows of the source's sample.
#[derive(Default)]
pub(crate) struct Samples {
    operation: String,
    rows: Vec<Value>,
}

impl Reader<'_> {
    /// The rows that `sample` of a test counts. A wrong `api` is told where the source is read.
    pub(crate) fn sampled(&self, source: Option<&Node>, connector: Option<&dyn ConnectorFacts>) -> Samples {
        let api = source.and_then(|node| member(node, "api"));
        let found = api.and_then(|api| connector?.operation(api).ok());
        let Some((operation, source)) = found
            .zip(source)
            .filter(|(operation, _)| operation.samples.is_some())
        else {
            return Samples::default();
        };
        let first = fitting(&operation, source).into_iter().next();
        Samples {
            operation: operation.name.clone(),
            rows: first.map(|sample| sample.rows).unwrap_or_default(),
        }
    }

    /// The rows of a test.
    fn rows(&mut self, test: &Node, samples: &Samples) -> Option<Vec<Value>> {
        if let Some(pair) = test.get("row") {
            return pair.value.map().map(|_| vec![pair.value.plain_value()]);
        }
        if let Some(pair) = test.get("rows") {
            let rows: Vec<Value> = pair.value.list()?.iter().map(Node::plain_value).collect();
            if rows.is_empty() {
                self.report(
                    self.problem(&words::WRONG_SHAPE, pair.value.span.clone())
                        .with("key", "rows")
                        .with("want", "至少一行")
                        .with("want_en", "at least one row"),
                );
            }
            return Some(rows);
        }
        let pair = test.get("sample")?;
        let number = pair.value.text()?.parse::<usize>().ok()?;
        let row = samples.rows.get(number).cloned();
        // A source that is wrong in itself has told so.
        if row.is_none() && !samples.operation.is_empty() {
            self.report(
                self.problem(&words::NO_SAMPLE_ROW, pair.value.span.clone())
                    .with("operation", &samples.operation)
                    .with("number", number)
                    .with("count", samples.rows.len()),
            );
        }
        row.map(|row| vec![row])
    }

    /// What `expect` says of a record in the place of its document must be something that can become of one.
    fn fates(&mut self, expect: &Node) {
        let items = match expect.list() {
            Some(items) => items,
            None => std::slice::from_ref(expect),
        };
        for item in items {
            let Some([pair]) = item.map() else { continue };
            if !pair.key.starts_with('$') || pair.key.starts_with("$$") {
                continue;
            }
            let Some(word) = FATES.iter().find(|fate| fate.key == pair.key) else {
                let near = did_you_mean(&pair.key, FATES.iter().map(|fate| fate.key));
                let all: Vec<&str> = FATES.iter().map(|fate| fate.key).collect();
                self.report(
                    self.problem(&words::UNKNOWN_FATE, pair.key_span.clone())
                        .with("name", &pair.key)
                        .with("all", all.join(" "))
                        .similar(near),
                );
                continue;
            };
            let text = text_of(&pair.value).unwrap_or_default();
            if Fate::read(&item.plain_value()).is_none() {
                let near = match word.key {
                    "$failed" => did_you_mean(text, crate::catalogue::all().map(|entry| entry.code)),
                    _ => did_you_mean(text, word.words.iter().copied()),
                };
                self.report(
                    self.problem(&words::WRONG_SHAPE, pair.value.span.clone())
                        .with("key", &pair.key)
                        .with("want", word.want.0)
                        .with("want_en", word.want.1)
                        .similar(near),
                );
            }
        }
    }

    /// The tests as written; schemes of their look-ups are not resolved yet.
    pub(crate) fn read_tests(&mut self, root: &Node, samples: &Samples) -> Vec<TestCase> {
        let items = root
            .get("tests")
            .and_then(|pair| pair.value.list())
            .unwrap_or_default();
        items
            .iter()
            .filter_map(|node: &Node| {
                let lookups = node
                    .get("lookups")
                    .and_then(|pair| pair.value.map())
                    .unwrap_or_default();
                let rows = self.rows(node, samples);
                let expect = &node.get("expect")?.value;
                self.fates(expect);
                if node.get("rows").is_some() && expect.list().is_none() {
                    self.report(
                        self.problem(&words::WRONG_SHAPE, expect.span.clone())
                            .with("key", "expect")
                            .with("want", "列表:`rows` 的每条数据一项")
                            .with("want_en", "a list beside `rows`: one item for each record"),
                    );
                }
                Some(TestCase {
                    name: member(node, "name")?.to_owned(),
                    rows: rows?,
                    lookups: lookups
                        .iter()
                        .map(|pair| {
                            let rows = pair.value.list().unwrap_or_default();
                            (
                                pair.key.clone(),
                                rows.iter().map(Node::plain_value).collect::<Vec<Value>>(),
                            )
                        })
                        .collect(),
                    line_ids: line_ids(node),
                    action: member(node, "action").and_then(Action::parse),
                    expect: expect.plain_value(),
                    steps: node
                        .get("steps")
                        .and_then(|pair| pair.value.map())
                        .unwrap_or_default()
                        .iter()
                        .map(|pair| (pair.key.clone(), pair.value.plain_value()))
                        .collect(),
                    saved: node.get("saved").map(|pair| pair.value.plain_value()),
                    emitted: node.get("emitted").map(|pair| pair.value.plain_value()),
                    span: node.span.clone(),
                })
            })
            .collect()
    }

    /// The tests that replay a run. What else a test may say is in the recording.
    pub(crate) fn read_recordings(&mut self, root: &Node) -> Vec<RecordingTest> {
        let items = root
            .get("tests")
            .and_then(|pair| pair.value.list())
            .unwrap_or_default();
        let mut recordings = Vec::new();
        for node in items {
            let Some(pair) = node.get("recording") else {
                continue;
            };
            for key in ["lookups", "line_ids", "action", "steps", "saved", "emitted"] {
                if let Some(beside) = node.get(key) {
                    self.report(
                        self.problem(&words::BESIDE_RECORDING, beside.key_span.clone())
                            .with("key", key),
                    );
                }
            }
            if let (Some(name), Some(path)) = (member(node, "name"), pair.value.text()) {
                recordings.push(RecordingTest {
                    name: name.to_owned(),
                    path: path.to_owned(),
                    path_span: pair.value.span.clone(),
                    span: node.span.clone(),
                });
            }
        }
        recordings
    }

    /// A test names steps that there are, and those that write documents.
    pub(crate) fn steps_of_tests(&mut self, root: &Node, target: Option<&crate::plan::TargetPlan>) {
        let Some(target) = target else { return };
        let names: Vec<&str> = target
            .steps
            .iter()
            .filter(|step| step.document.is_some())
            .map(|step| step.name.as_str())
            .collect();
        let items = root
            .get("tests")
            .and_then(|pair| pair.value.list())
            .unwrap_or_default();
        for pair in items
            .iter()
            .filter_map(|node| node.get("steps")?.value.map())
            .flatten()
        {
            if !names.contains(&pair.key.as_str()) {
                let near = did_you_mean(&pair.key, names.iter().copied());
                self.report(
                    self.problem(&words::STEP_UNKNOWN, pair.key_span.clone())
                        .with("name", &pair.key)
                        .with("all", super::listed(&names))
                        .similar(near),
                );
            }
        }
    }

    /// Resolves the schemes of their look-ups; one that the scheme does not look up is a misspelt one.
    pub(crate) fn resolve_tests(
        &mut self,
        root: &Node,
        mut tests: Vec<TestCase>,
        looks_up: &[(String, Vec<Path>)],
        field_tables: &[(String, FieldTable)],
    ) -> Vec<TestCase> {
        let items = root
            .get("tests")
            .and_then(|pair| pair.value.list())
            .unwrap_or_default();
        let items = if self.lookups_are_known() { items } else { &[] };
        for node in items {
            for pair in node
                .get("lookups")
                .and_then(|pair| pair.value.map())
                .unwrap_or_default()
            {
                if field_tables.iter().any(|(name, _)| *name == pair.key) {
                    continue;
                }
                let id = resolve(self.env, &self.aliases, &pair.key).map(|facts| facts.id);
                if id
                    .as_ref()
                    .is_ok_and(|id| looks_up.iter().any(|(scheme, _)| scheme == id))
                {
                    continue;
                }
                let near = did_you_mean(&pair.key, looks_up.iter().map(|(scheme, _)| scheme.as_str()));
                self.report(
                    self.problem(&words::TEST_LOOKUP, pair.key_span.clone())
                        .with("name", &pair.key)
                        .similar(near),
                );
            }
        }
        for test in &mut tests {
            for (scheme, _) in &mut test.lookups {
                if field_tables.iter().any(|(name, _)| name == scheme) {
                    continue;
                }
                if let Ok(facts) = resolve(self.env, &self.aliases, scheme) {
                    *scheme = facts.id;
                }
            }
        }
        tests
    }
}
