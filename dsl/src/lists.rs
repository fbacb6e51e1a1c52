//! Lists whose form does not say that they are lists: in XML, one line is an element like any other, and none is an
//! empty element or nothing.
//!
//! What the scheme names in `lists` is a list in whatever form the row came. What the scheme goes through line by line
//! is one in rows that came as XML; there nothing is made up where not even an empty element stands, so that a name that
//! is misspelt stays a field that is missing. All else stays as it came: a map of JSON under `$each` is a mistake.

use crate::path::{Path, Segment};
use crate::plan::SourcePlan;
use crate::value::{Map, Value};

impl SourcePlan {
    /// Makes lists of what the scheme says are lists.
    pub fn make_lists(&self, row: &mut Value) {
        for path in &self.lists {
            make(row, path.segments(), Absent::IsEmpty);
        }
    }

    /// The same for a row that was just read, of XML or not.
    pub(crate) fn read_lists(&self, row: &mut Value, is_xml: bool) {
        self.make_lists(row);
        let gone_through = self.each.iter().chain(&self.explode);
        for path in gone_through.filter(|_| is_xml) {
            make(row, path.segments(), Absent::StaysAbsent);
        }
    }
}

/// What a list is that is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Absent {
    /// One without elements, where the row has anything at the beginning of its path.
    IsEmpty,
    /// Not there, unless an empty element is in its place or around it.
    StaysAbsent,
}

fn make(place: &mut Value, segments: &[Segment], absent: Absent) {
    let Some((first, rest)) = segments.split_first() else {
        return as_list(place);
    };
    match (first, place) {
        (Segment::Name(name), Value::Map(members)) => {
            if !members.contains_key(name) && absent == Absent::IsEmpty && rest.is_empty() {
                members.insert(name.clone(), Value::Null);
            }
            if let Some(member) = members.get_mut(name) {
                below(member, rest, absent);
            }
        }
        (Segment::All, Value::List(list)) => list.iter_mut().for_each(|one| below(one, rest, absent)),
        (Segment::Index(at), Value::List(list)) => {
            if let Some(one) = list.get_mut(*at) {
                below(one, rest, absent);
            }
        }
        _ => {}
    }
}

/// What stands on the way to a list. An empty element can hold an empty list, and what is not there can where the scheme
/// says that a list belongs there.
fn below(place: &mut Value, rest: &[Segment], absent: Absent) {
    if let [Segment::Name(name), further @ ..] = rest
        && (absent == Absent::IsEmpty || further.is_empty())
    {
        let is_nothing = is_blank(place);
        if is_nothing {
            *place = Value::Map(Map::new());
        }
        if let Value::Map(members) = place
            && (is_nothing || absent == Absent::IsEmpty)
        {
            members.entry(name.clone()).or_insert(Value::Null);
        }
    }
    make(place, rest, absent);
}

fn as_list(value: &mut Value) {
    if !matches!(value, Value::List(_)) {
        let one = std::mem::replace(value, Value::Null);
        *value = Value::List(if is_blank(&one) { Vec::new() } else { vec![one] });
    }
}

/// Nothing, or an empty element; between the tags of one there may be a line feed.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.trim().is_empty(),
        Value::Map(members) => members.is_empty(),
        _ => false,
    }
}

/// Whether all elements on a path are lists of their own: what `lists` can name.
pub(crate) fn is_list_path(path: &Path) -> bool {
    let segments = path.segments();
    let named = |segment: &Segment| !matches!(segment, Segment::Index(_));
    segments.iter().all(named) && matches!(segments.last(), Some(Segment::Name(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, row: &str, declared: &str, of_xml: &str) {
        for (absent, want) in [(Absent::IsEmpty, declared), (Absent::StaysAbsent, of_xml)] {
            let mut value = crate::json::parse(row.as_bytes()).unwrap();
            make(&mut value, Path::parse(path).unwrap().segments(), absent);
            assert_eq!(crate::json::to_string(&value), want, "{path} of {row}");
        }
    }

    #[test]
    fn one_line_none_and_two() {
        let both = |row: &str, want: &str| check("o.l.x", row, want, want);
        both(r#"{"o":{"l":{"x":{"a":1}}}}"#, r#"{"o":{"l":{"x":[{"a":1}]}}}"#);
        both(r#"{"o":{"l":{"x":"a"}}}"#, r#"{"o":{"l":{"x":["a"]}}}"#);
        both(r#"{"o":{"l":{"x":[1,2]}}}"#, r#"{"o":{"l":{"x":[1,2]}}}"#);
        both(r#"{"o":{"l":{"x":""}}}"#, r#"{"o":{"l":{"x":[]}}}"#);
        both(r#"{"o":{"l":"\n "}}"#, r#"{"o":{"l":{"x":[]}}}"#);
        both(r#"{"o":{"l":7}}"#, r#"{"o":{"l":7}}"#);
        both(r#"{"p":1}"#, r#"{"p":1}"#);
        // What is not there is said to be a list only where the scheme says so.
        check(
            "o.l.x",
            r#"{"o":{"l":{"y":1}}}"#,
            r#"{"o":{"l":{"y":1,"x":[]}}}"#,
            r#"{"o":{"l":{"y":1}}}"#,
        );
        check(
            "o.l.x",
            r#"{"o":{"no":1}}"#,
            r#"{"o":{"no":1,"l":{"x":[]}}}"#,
            r#"{"o":{"no":1}}"#,
        );
        check("x", r#"{"y":1}"#, r#"{"y":1,"x":[]}"#, r#"{"y":1}"#);
    }

    #[test]
    fn lists_in_lists() {
        let row = r#"{"x":[{"p":{"q":1}},{"p":[]},{"r":0}]}"#;
        check(
            "x.*.p",
            row,
            r#"{"x":[{"p":[{"q":1}]},{"p":[]},{"r":0,"p":[]}]}"#,
            r#"{"x":[{"p":[{"q":1}]},{"p":[]},{"r":0}]}"#,
        );
    }
}
