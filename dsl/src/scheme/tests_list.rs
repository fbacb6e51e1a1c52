//! `tests`: rows, stored rows of other schemes, and the documents that are expected.

use super::{Reader, member, resolve, text_of};
use crate::catalogue::scheme as words;
use crate::diagnostic::did_you_mean;
use crate::facts::Action;
use crate::lines::LineIds;
use crate::path::Path;
use crate::plan::TestCase;
use crate::tree::line_key;
use crate::value::Value;
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

impl Reader<'_> {
    /// The tests as written; schemes of their look-ups are not resolved yet.
    pub(crate) fn read_tests(&mut self, root: &Node) -> Vec<TestCase> {
        let items = root
            .get("tests")
            .and_then(|pair| pair.value.list())
            .unwrap_or_default();
        items
            .iter()
            .filter_map(|node| {
                let lookups = node
                    .get("lookups")
                    .and_then(|pair| pair.value.map())
                    .unwrap_or_default();
                Some(TestCase {
                    name: member(node, "name")?.to_owned(),
                    row: node
                        .get("row")
                        .filter(|pair| pair.value.map().is_some())?
                        .value
                        .plain_value(),
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
                    expect: node.get("expect")?.value.plain_value(),
                    span: node.span.clone(),
                })
            })
            .collect()
    }

    /// Resolves the schemes of their look-ups; one that the scheme does not look up is a misspelt one.
    pub(crate) fn resolve_tests(
        &mut self,
        root: &Node,
        mut tests: Vec<TestCase>,
        looks_up: &[(String, Vec<Path>)],
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
                if let Ok(facts) = resolve(self.env, &self.aliases, scheme) {
                    *scheme = facts.id;
                }
            }
        }
        tests
    }
}
