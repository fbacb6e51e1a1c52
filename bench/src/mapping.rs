//! A mapping of trades to documents, JSON to JSON, and what is measured of it.

use serde_json::Value;

use crate::measure::{cpu, median, nanoseconds};

/// Records of a page: rows are read, mapped and printed by pages.
const PAGE: usize = 500;
/// Times that all records are mapped; the median of each phase counts.
const ROUNDS: usize = 9;
/// Largest difference of two amounts that are the same: some mappings compute in binary floating point.
const SLACK: f64 = 1e-6;

/// One way to map.
pub trait Mapping {
    /// A record that was read.
    type Row<'r>;
    /// A document.
    type Out;

    /// What to call it.
    fn name(&self) -> &'static str;
    /// Reads a record.
    fn parse<'r>(&self, json: &'r str) -> Self::Row<'r>;
    /// Maps a page.
    fn map(&mut self, page: Vec<Self::Row<'_>>) -> Vec<Self::Out>;
    /// Prints a document.
    fn print(&self, document: &Self::Out, to: &mut Vec<u8>);
}

/// What a mapping costs, in microseconds a record, and what it gave.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// Reading, mapping, printing.
    pub phases: [f64; 3],
    /// The documents.
    pub documents: Vec<Value>,
}

impl Figure {
    /// All phases.
    pub fn total(&self) -> f64 {
        self.phases.iter().sum()
    }
}

/// Maps all records several times.
///
/// # Panics
/// When a mapping prints no JSON.
pub fn measure<M: Mapping>(mapping: &mut M, records: &[String]) -> Figure {
    let count = u64::try_from(records.len()).expect("a count of records");
    let mut rounds: [Vec<f64>; 3] = Default::default();
    let mut printed = Vec::new();
    // The first round warms up.
    for round in 0..=ROUNDS {
        let mut took = [std::time::Duration::ZERO; 3];
        printed.clear();
        for page in records.chunks(PAGE) {
            let begin = cpu();
            let rows = page.iter().map(|record| mapping.parse(record)).collect();
            let read = cpu();
            let documents = mapping.map(rows);
            let mapped = cpu();
            for document in &documents {
                mapping.print(document, &mut printed);
                printed.push(b'\n');
            }
            let done = cpu();
            took[0] += read.saturating_sub(begin);
            took[1] += mapped.saturating_sub(read);
            took[2] += done.saturating_sub(mapped);
        }
        if round > 0 {
            for (samples, took) in rounds.iter_mut().zip(took) {
                samples.push(nanoseconds(took, count) / 1e3);
            }
        }
    }
    let documents = printed
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).expect("a mapping prints JSON"))
        .collect();
    Figure {
        name: mapping.name(),
        phases: rounds.map(median),
        documents,
    }
}

/// How many documents differ from those that were written by hand.
pub fn differing(of: &Figure, from: &Figure) -> usize {
    let missing = of.documents.len().abs_diff(from.documents.len());
    let pairs = of.documents.iter().zip(&from.documents);
    missing + pairs.filter(|(one, other)| !same(one, other)).count()
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|with| same(value, with)))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() < SLACK,
            _ => false,
        },
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ceiling::Ceiling, jinja::Jinja, ours::Ours, slots::Slots, trade::trade};

    #[test]
    fn every_mapping_gives_the_same_documents() {
        let records: Vec<String> = (0..40).map(trade).collect();
        let by_hand = measure(&mut Ceiling::new(), &records);
        assert_eq!(by_hand.documents.len(), 40);
        let ours = measure(&mut Ours::new(), &records);
        assert_eq!(
            differing(&ours, &by_hand),
            0,
            "{:#} {:#}",
            ours.documents[0],
            by_hand.documents[0]
        );
        let slots = measure(&mut Slots::new(), &records);
        assert_eq!(
            differing(&slots, &by_hand),
            0,
            "{:#} {:#}",
            slots.documents[0],
            by_hand.documents[0]
        );
        // Not only the same, but the same digits and escapes.
        let print = |figure: &Figure| figure.documents.iter().map(Value::to_string).collect::<Vec<_>>();
        assert_eq!(print(&slots), print(&ours));
        let jinja = measure(&mut Jinja::new(), &records);
        assert_eq!(
            differing(&jinja, &by_hand),
            0,
            "{:#} {:#}",
            jinja.documents[0],
            by_hand.documents[0]
        );
    }

    #[test]
    fn a_difference_is_seen() {
        let figure = |documents: &[&str]| Figure {
            name: "",
            phases: [0.0; 3],
            documents: documents
                .iter()
                .map(|text| serde_json::from_str(text).expect("JSON"))
                .collect(),
        };
        let of = figure(&[r#"{"a": 1.50, "b": [1]}"#, r#"{"a": "x"}"#]);
        assert_eq!(
            differing(&of, &figure(&[r#"{"b": [1], "a": 1.5}"#, r#"{"a": "x"}"#])),
            0
        );
        assert_eq!(
            differing(&of, &figure(&[r#"{"b": [1], "a": "1.5"}"#, r#"{"a": "y"}"#])),
            2
        );
        assert_eq!(differing(&of, &figure(&[r#"{"b": [1], "a": 1.5}"#])), 1);
    }
}
