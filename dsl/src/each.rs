//! Steps that are made once for each line of a list of the row.
//!
//! To the ledger a line is a step of its own, whose name holds the identity of the line. The lines are read from the row
//! each time; nothing says which they are but the row.

use std::collections::BTreeSet;

use crate::catalogue::record;
use crate::diagnostic::Failure;
use crate::json;
use crate::path::Path;
use crate::value::Value;

/// Most lines of a row. Each is a call with a claim of its own, and the record is open until the last of them: at ten calls
/// a second that is a minute.
pub const MOST_LINES: usize = 500;

/// Longest identity of a line: it stands in the name of its call, which is in every answer about it.
const MOST_IDENTITY: usize = 200;

/// What stands between the name of a step and the identity of a line, which is a list.
pub(crate) const MARK: &str = "/[";

/// A step that is made once for each line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEach {
    /// The list of the row.
    pub list: Path,
    /// The fields of a line that identify it.
    pub key: Vec<Path>,
}

/// A line for which a step is made.
#[derive(Debug, Clone, PartialEq)]
pub struct StepLine<'r> {
    /// The name of its call: that of the step, and the identity of the line.
    pub name: String,
    /// Its number in the row, from 1.
    pub index: usize,
    /// The line.
    pub value: &'r Value,
}

impl StepEach {
    /// The lines of a row, in its order. Lines that cannot be told apart are none.
    pub fn lines<'r>(&self, step: &str, row: &'r Value) -> Result<Vec<StepLine<'r>>, Failure> {
        let list = match self.list.get(row) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Text(text)) if text.is_empty() => return Ok(Vec::new()),
            Some(Value::List(list)) => list,
            Some(_) => {
                return Err(self.failure(step, ("不是列表".to_owned(), "is no list".to_owned())));
            }
        };
        if list.len() > MOST_LINES {
            return Err(Failure::new(&record::STEP_LINES_MOST)
                .with("step", step)
                .with("list", &self.list)
                .with("lines", list.len())
                .with("most", MOST_LINES));
        }
        let mut known = BTreeSet::new();
        let mut lines = Vec::with_capacity(list.len());
        for (nth, value) in list.iter().enumerate() {
            let index = nth + 1;
            let name = self.identity(value).map_err(|path| {
                let (zh, en) = (
                    format!("第 {index} 行的 `{path}` 为空或过长"),
                    format!("line {index} has no `{path}`, or one that is too long"),
                );
                self.failure(step, (zh, en))
            })?;
            if !known.insert(name.clone()) {
                let zh = format!("第 {index} 行与前面某行的身份相同:{name}");
                let en = format!("line {index} has the identity of an earlier one: {name}");
                return Err(self.failure(step, (zh, en)));
            }
            lines.push(StepLine {
                name: format!("{step}/{name}"),
                index,
                value,
            });
        }
        Ok(lines)
    }

    /// The line of a call, as far as it is in the row.
    pub fn line<'r>(&self, call: &str, row: &'r Value) -> Result<Option<StepLine<'r>>, Failure> {
        let lines = self.lines(step_of(call), row)?;
        Ok(lines.into_iter().find(|line| line.name == call))
    }

    /// The fields that identify a line, as paths of the row.
    pub fn reads(&self) -> impl Iterator<Item = Path> {
        let star = self.list.join(&Path::parse("*").expect("a star is a path"));
        self.key.iter().map(move |key| star.join(key))
    }

    fn identity(&self, line: &Value) -> Result<String, &Path> {
        let mut parts = Vec::with_capacity(self.key.len());
        for path in &self.key {
            let text = path.get(line).and_then(Value::to_plain_text);
            let text = text.filter(|text| !text.is_empty() && text.len() <= MOST_IDENTITY);
            parts.push(Value::Text(text.ok_or(path)?));
        }
        Ok(json::to_string(&Value::List(parts)))
    }

    fn failure(&self, step: &str, (zh, en): (String, String)) -> Failure {
        Failure::new(&record::STEP_LINES)
            .with("step", step)
            .with("list", &self.list)
            .with("why", zh)
            .with("why_en", en)
    }
}

/// The step of a call: what stands before the identity of the line, where it is made for one.
pub fn step_of(call: &str) -> &str {
    call.split_once(MARK).map_or(call, |(step, _)| step)
}

/// Whether two calls are of one step whose lines were identified by another number of fields: nobody can say whether they
/// are of one line.
pub fn keyed_otherwise(one: &str, other: &str) -> bool {
    let parts = |call: &str| {
        let identity = json::parse(call.strip_prefix(step_of(call))?.strip_prefix('/')?.as_bytes());
        identity.ok()?.as_list().map(<[Value]>::len)
    };
    let both = parts(one).zip(parts(other));
    step_of(one) == step_of(other) && both.is_some_and(|(one, other)| one != other)
}

/// Whether a call is made for a line.
pub(crate) fn is_of_line(call: &str) -> bool {
    call.contains(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_other_fields_identify() {
        for (one, other, otherwise) in [
            (r#"tell/["1"]"#, r#"tell/["a","1"]"#, true),
            (r#"tell/["a","1"]"#, r#"tell/["1"]"#, true),
            (r#"tell/["1"]"#, r#"tell/["2"]"#, false),
            // A text is no list, whatever stands in it.
            (r#"tell/["1\",\"2"]"#, r#"tell/["2"]"#, false),
            (r#"tell/["1"]"#, r#"call/["a","1"]"#, false),
            ("tell", r#"tell/["1"]"#, false),
        ] {
            assert_eq!(keyed_otherwise(one, other), otherwise, "{one} {other}");
        }
    }
}
