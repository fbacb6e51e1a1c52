//! What the target has under the documents of a rehearsal, field by field.

use connector::{Ask, Found as Had};
use dsl::path::Path;
use dsl::value::{Map, Value};
use flow::{ReadFailure, ReadFailureKind};

use super::{Document, TargetWriter, as_map};
use crate::operate::Change;
use crate::preview::{Present, Why};

/// Calls of one batch to find out which fields the target lets itself be asked for. One that refuses a field refuses the
/// whole question: with halves, five fields among sixty are found in fewer.
const MOST_QUESTIONS: u32 = 40;
/// Fields asked about, of all documents of a call together: as many as a long query text carries.
const MOST_FIELDS: usize = 120;

/// One field of a document that can be compared.
struct Leaf {
    path: Path,
    value: Value,
}

/// The fields of a document that are one value each, and the places that are not compared.
#[derive(Default)]
struct Leaves {
    fields: Vec<Leaf>,
    left: Vec<(String, Why)>,
}

impl Leaves {
    fn of(document: &Value, masked: &Value) -> Leaves {
        let mut leaves = Leaves::default();
        leaves.add(&mut Vec::new(), document, Some(masked));
        leaves
    }

    fn add(&mut self, names: &mut Vec<String>, value: &Value, masked: Option<&Value>) {
        let place = || names.join(".");
        match value {
            Value::Map(members) => {
                for (name, value) in members {
                    names.push(name.clone());
                    self.add(names, value, masked.and_then(|masked| masked.get(name)));
                    names.pop();
                }
            }
            _ if masked != Some(value) => self.left.push((place(), Why::Sensitive)),
            Value::List(_) => self.left.push((place(), Why::Lines)),
            // A member that is sent with nothing in it says nothing of what is there.
            Value::Null => {}
            _ => self.fields.push(Leaf {
                path: Path::names(names.iter().cloned()),
                value: value.clone(),
            }),
        }
    }
}

/// An answer to the same question with some more fields.
struct Shown {
    fields: Vec<Path>,
    ask: Ask,
    rows: Vec<Value>,
}

impl TargetWriter {
    /// What is there of each of these documents, which would go out in one call.
    pub(super) async fn present(&self, documents: &[&Document]) -> Vec<Present> {
        match self.compared(documents).await {
            Ok(present) => present,
            Err(failure) => vec![Present::Unasked(Some(failure.reason)); documents.len()],
        }
    }

    async fn compared(&self, documents: &[&Document]) -> Result<Vec<Present>, ReadFailure> {
        let Some(base) = self.question(documents) else {
            return Ok(vec![Present::Unasked(None); documents.len()]);
        };
        let rows = self.answers(&base).await?;
        let found = self.caller.connection.ask_rows(&base, &rows);
        let under = self
            .plan
            .target
            .as_ref()
            .and_then(|target| target.key_under.as_ref());
        let all: Vec<Leaves> = documents
            .iter()
            .map(|document| {
                let payload = document.payload.tree();
                let masked = self.shown(payload);
                match under {
                    Some(under) => match (under.get(payload), under.get(&masked)) {
                        (Some(payload), Some(masked)) => Leaves::of(payload, masked),
                        _ => Leaves::default(),
                    },
                    None => Leaves::of(payload, &masked),
                }
            })
            .collect();
        let mut fields: Vec<Path> = Vec::new();
        let there = found
            .iter()
            .zip(&all)
            .filter(|(had, _)| matches!(had, Had::One { .. }));
        for leaf in there.flat_map(|(_, leaves)| &leaves.fields) {
            if !fields.contains(&leaf.path) {
                fields.push(leaf.path.clone());
            }
        }
        fields.truncate(MOST_FIELDS);
        let shown = match fields.is_empty() {
            true => Vec::new(),
            false => self.with_fields(&base, fields).await?,
        };
        let present = found.into_iter().zip(all).enumerate();
        Ok(present
            .map(|(nth, (had, leaves))| match had {
                Had::None => Present::Absent,
                Had::Many => Present::Several,
                Had::One { id, number } => {
                    let mut left = leaves.left;
                    let mut changes = Vec::new();
                    let mut compared = 0;
                    for leaf in leaves.fields {
                        match self.as_there(&shown, nth, &leaf) {
                            None => left.push((leaf.path.to_string(), Why::NotTold)),
                            Some(change) => {
                                compared += 1;
                                changes.extend(change);
                            }
                        }
                    }
                    Present::There {
                        id,
                        number,
                        changes,
                        compared,
                        left,
                    }
                }
            })
            .collect())
    }

    /// Whether a field of a document is as it would be sent; `None` = the target does not say.
    fn as_there(&self, shown: &[Shown], nth: usize, leaf: &Leaf) -> Option<Option<Change>> {
        let answer = shown.iter().find(|shown| shown.fields.contains(&leaf.path))?;
        let connection = &self.caller.connection;
        let field = leaf.path.to_string();
        let before = connection.present(&answer.ask, nth, &answer.rows, &field)?;
        let pairs = [(field.clone(), Some(&leaf.value))];
        let differs = connection.differs(&answer.ask, nth, &answer.rows, &pairs);
        Some((!differs.is_empty()).then(|| Change {
            field,
            before: Some(before),
            after: Some(leaf.value.clone()),
        }))
    }

    /// The question for these documents: by their keys, or by the ids that are known. `None` = there is none.
    fn question(&self, documents: &[&Document]) -> Option<Ask> {
        let target = self.plan.target.as_ref()?;
        let first = documents.first()?;
        let options: Map = as_map(&first.options);
        let connection = &self.caller.connection;
        let keys: Vec<Vec<String>> = documents.iter().map(|one| one.tkey.clone()).collect();
        let ids: Option<Vec<String>> = documents.iter().map(|one| one.target_id.clone()).collect();
        let operations = [
            Some(first.operation.as_ref()),
            target.create.as_deref(),
            target.update.as_deref(),
        ];
        let by_key = keys.iter().all(|key| !key.is_empty());
        for operation in operations.into_iter().flatten() {
            let ask = |fields: &[Path], keys: &[Vec<String>], ids: Option<&[String]>| {
                let ask = connection.ask(operation, &options, fields, keys, ids, self.instant);
                // An operation with other options than these has no question for these documents.
                ask.ok().flatten().filter(|ask| !ask.is_noted())
            };
            let by_key = by_key.then(|| ask(&target.key, &keys, None)).flatten();
            let by_id = || ids.as_ref().and_then(|ids| ask(&[], &[], Some(ids)));
            if let Some(ask) = by_key.or_else(by_id) {
                return Some(ask);
            }
        }
        None
    }

    /// The answers with further fields. A target that refuses a field refuses the question: it is put again in halves.
    async fn with_fields(&self, base: &Ask, fields: Vec<Path>) -> Result<Vec<Shown>, ReadFailure> {
        let (mut parts, mut shown) = (vec![fields], Vec::new());
        for _ in 0..MOST_QUESTIONS {
            let Some(mut fields) = parts.pop() else { break };
            let mut ask = base.clone();
            ask.show(&fields);
            match self.answers(&ask).await {
                Ok(rows) => shown.push(Shown { fields, ask, rows }),
                Err(failure) if is_passing(failure.kind) => return Err(failure),
                Err(_) if fields.len() == 1 => {}
                Err(_) => {
                    let second = fields.split_off(fields.len() / 2);
                    parts.extend([second, fields]);
                }
            }
        }
        Ok(shown)
    }
}

/// Nothing was said about the question itself.
fn is_passing(kind: ReadFailureKind) -> bool {
    matches!(
        kind,
        ReadFailureKind::Unreachable | ReadFailureKind::Lost | ReadFailureKind::Wait
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_of_a_document() {
        let parse = |text: &str| dsl::json::parse(text.as_bytes()).expect("JSON");
        let document = parse(r#"{"a":1,"b":{"c":"x","d":null},"l":[{"q":1}],"s":"6222","t":[1]}"#);
        let masked = parse(r#"{"a":1,"b":{"c":"x","d":null},"l":[{"q":1}],"s":"***","t":["***"]}"#);
        let leaves = Leaves::of(&document, &masked);
        let fields: Vec<String> = leaves.fields.iter().map(|leaf| leaf.path.to_string()).collect();
        assert_eq!(fields, ["a", "b.c"]);
        let left: Vec<(&str, Why)> = leaves
            .left
            .iter()
            .map(|(name, why)| (name.as_str(), *why))
            .collect();
        assert_eq!(
            left,
            [("l", Why::Lines), ("s", Why::Sensitive), ("t", Why::Sensitive)]
        );
    }
}
