//! The columns by which rows are looked up, all compared together, and the one text that stands for their values.
//!
//! Rows are indexed by the whole set, not column by column: a set of which one column says little (`shop`, `status`)
//! would otherwise lead through every row that shares it. The order of a set does not matter.

use std::borrow::Cow;

/// Marks the text of several parts; a single part that begins with it is written the same way.
const SEVERAL: char = '&';

/// What the ledger itself knows of a record, as a look-up names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Known {
    Key,
    Label,
    TargetId,
    TargetNumber,
}

impl Known {
    const ALL: [(&'static str, Known); 4] = [
        ("$key", Known::Key),
        ("$label", Known::Label),
        ("$target.id", Known::TargetId),
        ("$target.number", Known::TargetNumber),
    ];

    fn of(name: &str) -> Option<Known> {
        Self::ALL
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|row| row.1)
    }
}

/// A set of columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    names: Vec<String>,
    /// Places in `names` of the row's own columns, by rising name.
    own: Vec<usize>,
}

impl Columns {
    /// A set; texts of a key are later given in this order. `$key`, `$label`, `$target.id` and `$target.number` are what
    /// the ledger knows of a record, everything else is a field of its row.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut own: Vec<usize> = (0..names.len())
            .filter(|at| Known::of(&names[*at]).is_none())
            .collect();
        own.sort_by(|a, b| names[*a].cmp(&names[*b]));
        Columns { names, own }
    }

    /// The set behind the name of an index.
    pub fn parse(stored: &str) -> Self {
        Columns::new(split(stored))
    }

    /// The names, as given.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The fields of the row among them, in the order in which [`Columns::entry`] takes their texts.
    pub fn own(&self) -> impl ExactSizeIterator<Item = &str> {
        self.own.iter().map(|at| self.names[*at].as_str())
    }

    /// The name of the index; `None` when the ledger knows all of them without one.
    pub fn stored(&self) -> Option<String> {
        let own: Vec<&str> = self.own().collect();
        (!own.is_empty()).then(|| joined(&own))
    }

    /// The entry of a row, from the texts of [`Columns::own`].
    pub fn entry(texts: &[String]) -> String {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        joined(&texts)
    }

    /// The entry that a key asks for.
    pub(crate) fn wanted(&self, key: &[String]) -> String {
        let texts: Vec<&str> = self.own.iter().map(|at| key[*at].as_str()).collect();
        joined(&texts)
    }

    /// What the ledger knows itself, with its place in a key.
    pub(crate) fn known(&self) -> impl Iterator<Item = (usize, Known)> {
        self.names
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((at, Known::of(name)?)))
    }
}

/// One text as it is; of several each with its length, so that no two lists become the same text.
fn joined(parts: &[&str]) -> String {
    if let [only] = parts
        && !only.starts_with(SEVERAL)
    {
        return (*only).to_owned();
    }
    let mut text = SEVERAL.to_string();
    for part in parts {
        text.push_str(&part.len().to_string());
        text.push(':');
        text.push_str(part);
    }
    text
}

fn split(stored: &str) -> Vec<String> {
    let Some(mut rest) = stored.strip_prefix(SEVERAL) else {
        return vec![stored.to_owned()];
    };
    let mut parts = Vec::new();
    while let Some((length, after)) = rest.split_once(':') {
        let part: Option<Cow<'_, str>> = length
            .parse()
            .ok()
            .and_then(|length: usize| Some(after.get(..length)?.into()));
        let Some(part) = part else { break };
        rest = &after[part.len()..];
        parts.push(part.into_owned());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_indexes_come_back() {
        for names in [
            vec!["cid"],
            vec!["客户.编码", "shop"],
            vec!["a:b", "1:c"],
            vec!["&a"],
            vec!["a", "a"],
            vec!["", "x"],
        ] {
            let columns = Columns::new(names.clone());
            let stored = columns.stored().unwrap();
            let mut sorted = names.clone();
            sorted.sort_unstable();
            assert_eq!(Columns::parse(&stored).names(), sorted, "{stored}");
        }
        // An index that an older engine made is named by its column.
        assert_eq!(Columns::new(["buyer.cid"]).stored().as_deref(), Some("buyer.cid"));
        assert_eq!(
            Columns::new(["b", "a"]).stored(),
            Columns::new(["a", "b"]).stored(),
            "the order of a set does not matter"
        );
        assert_eq!(Columns::new(["$key", "$target.id"]).stored(), None);
    }

    #[test]
    fn entries_of_different_texts_differ() {
        let lists = [
            vec!["a", "b"],
            vec!["a1:b", ""],
            vec!["", "ab"],
            vec!["ab", ""],
            vec!["a", "b", ""],
            vec!["&1:a1:b"],
            vec!["ab"],
        ];
        for (n, one) in lists.iter().enumerate() {
            for other in &lists[n + 1..] {
                assert_ne!(joined(one), joined(other), "{one:?} {other:?}");
            }
        }
        // Texts follow their columns into the order of the index.
        let columns = Columns::new(["b", "$key", "a"]);
        assert_eq!(
            columns.wanted(&["2".to_owned(), "k".to_owned(), "1".to_owned()]),
            Columns::entry(&["1".to_owned(), "2".to_owned()])
        );
        assert_eq!(columns.known().collect::<Vec<_>>(), [(1, Known::Key)]);
    }
}
