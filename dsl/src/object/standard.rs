//! The form in which a document of an object travels: `{objAPIName, masterFieldVal, detailFieldVals}`.

use crate::diagnostic::did_you_mean;
use crate::value::{Map, Value};

/// The names of the form.
const NAMES: [&str; 3] = ["objAPIName", "masterFieldVal", "detailFieldVals"];
/// Lines of one document, over all its details; more is a file, not a document.
const LINES_MAX: usize = 10_000;

/// Why something has not the form, or does not fit; in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Misfit {
    pub(super) fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Misfit {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// A document.
#[derive(Debug, Clone, PartialEq)]
pub struct Standard {
    /// Whose it is.
    pub object: String,
    /// The fields of the master.
    pub master: Map,
    /// The lines of each detail.
    pub details: Vec<(String, Vec<Map>)>,
}

impl Standard {
    /// Reads a value strictly. `is_xml`: one line looks like none of a list, and nothing like a text that is empty.
    pub fn read(value: &Value, is_xml: bool) -> Result<Standard, Misfit> {
        let Value::Map(members) = value else {
            return Err(Misfit::new("正文不是对象", "the body is no map"));
        };
        if let Some(name) = members.keys().find(|name| !NAMES.contains(&name.as_str())) {
            let near = did_you_mean(name, NAMES.iter().copied()).join(" ");
            let (zh, en) = match near.as_str() {
                "" => Default::default(),
                near => (format!(",是否想写 {near}?"), format!("; did you mean {near}?")),
            };
            let name = shown(name);
            return Err(Misfit::new(
                format!("不认识的键 `{name}`{zh}"),
                format!("the key `{name}` is not known{en}"),
            ));
        }
        let object = match members.get("objAPIName") {
            Some(Value::Text(name)) if !name.is_empty() => name.clone(),
            _ => {
                return Err(Misfit::new("objAPIName 应为文本", "objAPIName must be a text"));
            }
        };
        let Some(master) = members.get("masterFieldVal").and_then(|one| as_map(one, is_xml)) else {
            return Err(Misfit::new(
                "masterFieldVal 应为对象",
                "masterFieldVal must be a map",
            ));
        };
        let details = match members.get("detailFieldVals") {
            None | Some(Value::Null) => Map::new(),
            Some(one) => as_map(one, is_xml)
                .ok_or_else(|| Misfit::new("detailFieldVals 应为对象", "detailFieldVals must be a map"))?,
        };
        let (mut read, mut count) = (Vec::with_capacity(details.len()), 0);
        for (name, lines) in details {
            let lines = lines_of(&lines, is_xml).ok_or_else(|| {
                let name = shown(&name);
                Misfit::new(
                    format!("detailFieldVals.{name} 应为对象的列表"),
                    format!("detailFieldVals.{name} must be a list of maps"),
                )
            })?;
            count += lines.len();
            if count > LINES_MAX {
                return Err(Misfit::new(
                    format!("超过 {LINES_MAX} 行明细"),
                    format!("more than {LINES_MAX} lines"),
                ));
            }
            read.push((name, lines));
        }
        Ok(Standard {
            object,
            master,
            details: read,
        })
    }

    /// As it travels.
    pub fn value(&self) -> Value {
        let details = self.details.iter().map(|(name, lines)| {
            let lines = lines.iter().cloned().map(Value::Map);
            (name.clone(), Value::List(lines.collect()))
        });
        Value::Map(Map::from_iter([
            ("objAPIName".to_owned(), Value::from(self.object.as_str())),
            ("masterFieldVal".to_owned(), Value::Map(self.master.clone())),
            ("detailFieldVals".to_owned(), Value::Map(details.collect())),
        ]))
    }
}

fn as_map(value: &Value, is_xml: bool) -> Option<Map> {
    match value {
        Value::Map(map) => Some(map.clone()),
        Value::Text(text) if is_xml && text.trim().is_empty() => Some(Map::new()),
        _ => None,
    }
}

fn lines_of(value: &Value, is_xml: bool) -> Option<Vec<Map>> {
    match value {
        Value::List(lines) => lines.iter().map(|line| as_map(line, is_xml)).collect(),
        Value::Null => Some(Vec::new()),
        Value::Map(line) if is_xml => Some(vec![line.clone()]),
        Value::Text(text) if is_xml && text.trim().is_empty() => Some(Vec::new()),
        _ => None,
    }
}

/// A name that somebody sent, as it may stand in a message.
pub(super) fn shown(name: &str) -> String {
    name.chars().take(64).flat_map(char::escape_debug).collect()
}
