//! The file of a recording: JSON, laid out for people and for the differences of a repository.

use std::collections::BTreeMap;

use dsl::diagnostic::Lang;
use dsl::facts::Text2;
use dsl::{Map, Value, json};
use flow::ids::Ms;
use jiff::Timestamp;

use super::{Recording, SetUp, both};
use crate::tape::{Body, Looked, Outcome, Said};

/// The version of the layout.
const VERSION: i64 = 1;

/// A place of the file that is not as it was written: its path.
type Bad = String;

/// The file.
pub(super) fn document(recording: &Recording) -> Value {
    let mut file = Members::default();
    file.put("recording", Value::from(VERSION));
    file.put("scheme", recording.scheme.as_str());
    file.put("simulated", Value::Bool(recording.simulated));
    file.put("env", recording.env.as_str());
    file.put("now", instant(recording.now_ms));
    if let Some((from, to)) = recording.window {
        file.put("window", Value::List(vec![instant(from), instant(to)]));
    }
    if let Some(limit) = recording.limit {
        file.put("limit", whole(limit.try_into().unwrap_or(i64::MAX)));
    }
    if let Some(wait) = recording.settle_wait {
        file.put("settle_wait_ms", whole(wait));
    }
    let connections = recording.connections.iter().map(|(name, set_up)| {
        let mut one = Members::default();
        let params = set_up.params.iter();
        let params = params.map(|(name, text)| (name.clone(), Value::from(text.as_str())));
        one.put("params", Value::Map(params.collect()));
        if let Some(quiet) = set_up.quiet_ms {
            one.put("quiet_ms", whole(quiet));
        }
        (name.clone(), one.value())
    });
    file.put("connections", Value::Map(connections.collect()));
    let said = said(recording);
    for part in ["lookups", "calls", "records"] {
        if let Some(value) = said.get(part) {
            file.put(part, value.clone());
        }
    }
    file.value()
}

/// What the systems and their rows said: where something could stand that must not be seen.
pub(super) fn said(recording: &Recording) -> Value {
    let mut file = Members::default();
    if !recording.lookups.is_empty() {
        file.put(
            "lookups",
            Value::List(recording.lookups.iter().map(look_up).collect()),
        );
    }
    file.put("calls", Value::List(recording.calls.iter().map(call).collect()));
    file.put("records", Value::List(recording.records.clone()));
    file.value()
}

fn look_up(looked: &Looked) -> Value {
    let mut one = Members::default();
    one.put("scheme", looked.scheme.as_str());
    one.put("get", looked.get.as_str());
    let by = looked.by.iter();
    let by = by.map(|(field, text)| Value::List(vec![field.as_str().into(), text.as_str().into()]));
    one.put("by", Value::List(by.collect()));
    if let Some(also) = &looked.also {
        one.put("also", also.as_str());
    }
    for (name, is) in [
        ("only", looked.only),
        ("dead", looked.is_dead),
        ("undecided", looked.is_undecided),
    ] {
        if is {
            one.put(name, Value::Bool(true));
        }
    }
    if let Some(value) = &looked.value {
        one.put("value", value.clone());
    }
    one.put("matches", whole(looked.matches.try_into().unwrap_or(i64::MAX)));
    one.value()
}

fn call(said: &Said) -> Value {
    let mut one = Members::default();
    one.put("connection", said.connection.as_str());
    one.put("operation", said.operation.as_str());
    one.put("request", said.request.clone());
    let mut outcome = Members::default();
    match &said.outcome {
        Outcome::Answer {
            status,
            headers,
            body,
        } => {
            outcome.put("status", whole(i64::from(*status)));
            let headers = headers.iter();
            let headers =
                headers.map(|(name, text)| Value::List(vec![name.as_str().into(), text.as_str().into()]));
            outcome.put("headers", Value::List(headers.collect()));
            match body {
                Body::Json(value) => outcome.put("json", value.clone()),
                Body::Text(text) => outcome.put("text", text.as_str()),
            }
            one.put("answer", outcome.value());
        }
        Outcome::Broken { reason, detail } => {
            outcome.put("reason", reason.as_str());
            outcome.put("detail", detail.as_str());
            one.put("broken", outcome.value());
        }
    }
    one.value()
}

fn whole(number: i64) -> Value {
    Value::from(number)
}

fn instant(at_ms: Ms) -> Value {
    // Every instant of a run is within the range of the calendar.
    let text = Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string());
    Value::Text(text)
}

#[derive(Default)]
struct Members(Map);

impl Members {
    fn put(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }

    fn value(self) -> Value {
        Value::Map(self.0)
    }
}

/// Reads a file; why not, with the place.
pub(super) fn read(bytes: &[u8]) -> Result<Recording, Text2> {
    let file = json::parse(bytes).map_err(|error| {
        let before = &bytes[..error.offset.min(bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = before
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        both(
            format!(
                "不是 JSON,第 {line} 行第 {column} 列:{}",
                error.what.words(Lang::Zh)
            ),
            format!(
                "it is no JSON, line {line}, column {column}: {}",
                error.what.words(Lang::En)
            ),
        )
    })?;
    let version = file.get("recording").and_then(Value::to_plain_text);
    if version.as_deref() != Some("1") {
        return Err(both(
            "它不是 engine run --record 写出的文件",
            "engine run --record did not write it",
        ));
    }
    recording(&file).map_err(|place| {
        both(
            format!("`{place}` 缺失或不对"),
            format!("`{place}` is missing or wrong"),
        )
    })
}

fn recording(file: &Value) -> Result<Recording, Bad> {
    let at = Place {
        value: file,
        path: String::new(),
    };
    let window = match at.maybe("window") {
        None => None,
        Some(window) => {
            let bounds = window.list()?;
            let [from, to] = bounds.as_slice() else {
                return Err(window.path);
            };
            Some((from.instant()?, to.instant()?))
        }
    };
    let mut connections = BTreeMap::new();
    for (name, one) in at.of("connections")?.members()? {
        let params = one.of("params")?.members()?.into_iter();
        let params = params.map(|(name, text)| Ok((name, text.text()?)));
        let set_up = SetUp {
            params: params.collect::<Result<_, Bad>>()?,
            quiet_ms: one.maybe("quiet_ms").map(|quiet| quiet.whole()).transpose()?,
        };
        connections.insert(name, set_up);
    }
    let lookups = at.maybe("lookups").map(|lookups| lookups.list()).transpose()?;
    let lookups = lookups.unwrap_or_default();
    let records = at.of("records")?.list()?;
    for record in &records {
        record.of("key")?.text()?;
        record.of("state")?.text()?;
    }
    Ok(Recording {
        scheme: at.of("scheme")?.text()?,
        simulated: at.flag("simulated"),
        env: at.of("env")?.text()?,
        now_ms: at.of("now")?.instant()?,
        window,
        limit: at.maybe("limit").map(|limit| limit.count()).transpose()?,
        settle_wait: at.maybe("settle_wait_ms").map(|wait| wait.whole()).transpose()?,
        connections,
        lookups: lookups.iter().map(look_up_of).collect::<Result<_, Bad>>()?,
        calls: at
            .of("calls")?
            .list()?
            .iter()
            .map(call_of)
            .collect::<Result<_, Bad>>()?,
        records: records.into_iter().map(|record| record.value.clone()).collect(),
    })
}

fn look_up_of(at: &Place<'_>) -> Result<Looked, Bad> {
    Ok(Looked {
        scheme: at.of("scheme")?.text()?,
        get: at.of("get")?.text()?,
        by: at.of("by")?.pairs()?,
        also: at.maybe("also").map(|also| also.text()).transpose()?,
        only: at.flag("only"),
        value: at.maybe("value").map(|value| value.value.clone()),
        matches: usize::try_from(at.of("matches")?.count()?).map_err(|_| at.path.clone())?,
        is_dead: at.flag("dead"),
        is_undecided: at.flag("undecided"),
    })
}

fn call_of(at: &Place<'_>) -> Result<Said, Bad> {
    let outcome = match at.maybe("broken") {
        Some(broken) => {
            let word = broken.of("reason")?;
            let text = word.text()?;
            let reason = transport::Reason::ALL
                .into_iter()
                .find(|one| one.as_str() == text);
            Outcome::Broken {
                reason: reason.ok_or(word.path)?,
                detail: broken.of("detail")?.text()?,
            }
        }
        None => {
            let answer = at.of("answer")?;
            let status = answer.of("status")?;
            Outcome::Answer {
                status: u16::try_from(status.count()?).map_err(|_| status.path.clone())?,
                headers: answer.of("headers")?.pairs()?,
                body: match answer.maybe("json") {
                    Some(json) => Body::Json(json.value.clone()),
                    None => Body::Text(answer.of("text")?.text()?),
                },
            }
        }
    };
    let request = at.of("request")?;
    request.of("method")?.text()?;
    request.of("path")?.text()?;
    Ok(Said {
        connection: at.of("connection")?.text()?,
        operation: at.of("operation")?.text()?,
        request: request.value.clone(),
        outcome,
    })
}

/// A value of the file, and where it stands.
struct Place<'v> {
    value: &'v Value,
    path: String,
}

impl<'v> Place<'v> {
    fn below(&self, name: &str, value: &'v Value) -> Place<'v> {
        let dot = if self.path.is_empty() { "" } else { "." };
        Place {
            value,
            path: format!("{}{dot}{name}", self.path),
        }
    }

    fn maybe(&self, name: &str) -> Option<Place<'v>> {
        self.value.get(name).map(|value| self.below(name, value))
    }

    fn of(&self, name: &str) -> Result<Place<'v>, Bad> {
        self.maybe(name)
            .ok_or_else(|| self.below(name, &Value::Null).path)
    }

    fn flag(&self, name: &str) -> bool {
        self.value.get(name) == Some(&Value::Bool(true))
    }

    fn text(&self) -> Result<String, Bad> {
        self.value
            .as_text()
            .map(str::to_owned)
            .ok_or_else(|| self.path.clone())
    }

    fn whole(&self) -> Result<i64, Bad> {
        let number = match self.value {
            Value::Number(number) => number.as_str().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.path.clone())
    }

    fn count(&self) -> Result<u64, Bad> {
        u64::try_from(self.whole()?).map_err(|_| self.path.clone())
    }

    fn instant(&self) -> Result<Ms, Bad> {
        let at: Timestamp = self.text()?.parse().map_err(|_| self.path.clone())?;
        Ok(at.as_millisecond())
    }

    fn list(&self) -> Result<Vec<Place<'v>>, Bad> {
        match self.value {
            Value::List(items) => {
                let numbered = items.iter().enumerate();
                Ok(numbered
                    .map(|(nth, item)| self.below(&nth.to_string(), item))
                    .collect())
            }
            _ => Err(self.path.clone()),
        }
    }

    fn members(&self) -> Result<Vec<(String, Place<'v>)>, Bad> {
        match self.value {
            Value::Map(map) => Ok(map
                .iter()
                .map(|(name, value)| (name.clone(), self.below(name, value)))
                .collect()),
            _ => Err(self.path.clone()),
        }
    }

    fn pairs(&self) -> Result<Vec<(String, String)>, Bad> {
        let pair = |one: &Place<'v>| match one.list()?.as_slice() {
            [name, text] => Ok((name.text()?, text.text()?)),
            _ => Err(one.path.clone()),
        };
        self.list()?.iter().map(pair).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"{
  "recording": 1, "scheme": "a-to-b", "simulated": true, "env": "default", "now": "2026-11-22T00:00:00.123Z",
  "window": ["2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"], "limit": 5, "settle_wait_ms": 0,
  "connections": {"a": {"params": {"server": "https://a.invalid/x"}, "quiet_ms": 500}},
  "lookups": [{"scheme": "units", "get": "id", "by": [["name", "件"]], "value": 1.50, "matches": 1}],
  "calls": [
    {"connection": "a", "operation": "read", "request": {"method": "GET", "path": "/r"},
     "answer": {"status": 200, "headers": [["content-type", "text/xml; charset=utf-8"]], "text": "<a/>"}},
    {"connection": "b", "operation": "save", "request": {"method": "POST", "path": "/s", "body": {"n": 1.10}},
     "broken": {"reason": "truncated", "detail": "half"}}
  ],
  "records": [{"key": "[\"1\"]", "state": "done", "id": "7"}]
}"#;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let recording = read(WHOLE.as_bytes()).unwrap_or_else(|why| panic!("{}", why.en));
        assert_eq!(recording.calls.len(), 2);
        let text = json::pretty(&document(&recording));
        let again = read(text.as_bytes()).unwrap_or_else(|why| panic!("{}", why.en));
        assert!(again == recording, "{text}");
        assert!(
            text.contains("1.50") && text.contains("1.10"),
            "digits stay: {text}"
        );
    }

    /// Whatever is taken away or damaged is told with its place.
    #[test]
    fn damage_is_told_with_its_place() {
        for (from, to, want) in [
            ("\"recording\": 1", "\"recording\": 2", "did not write it"),
            (
                "\"now\": \"2026-11-22T00:00:00.123Z\"",
                "\"now\": \"today\"",
                "`now`",
            ),
            (
                "\"status\": 200",
                "\"status\": \"200\"",
                "`calls.0.answer.status`",
            ),
            ("\"status\": 200", "\"status\": 70000", "`calls.0.answer.status`"),
            ("\"text\": \"<a/>\"", "\"txt\": 1", "`calls.0.answer.text`"),
            ("\"truncated\"", "\"tired\"", "`calls.1.broken.reason`"),
            ("\"path\": \"/s\"", "\"way\": \"/s\"", "`calls.1.request.path`"),
            ("[\"name\", \"件\"]", "[\"name\"]", "`lookups.0.by.0`"),
            ("\"matches\": 1", "\"matches\": -1", "`lookups.0.matches`"),
            ("\"limit\": 5", "\"limit\": 1.5", "`limit`"),
            ("\"state\": \"done\"", "\"stat\": 1", "`records.0.state`"),
            ("\"calls\": [", "\"calls\": [}", "line 6, column 13"),
        ] {
            assert!(WHOLE.contains(from), "{from}");
            let told = read(WHOLE.replacen(from, to, 1).as_bytes()).err();
            let told = told.unwrap_or_else(|| panic!("{to} is taken"));
            assert!(told.en.contains(want), "{to}: {}", told.en);
            assert!(!told.zh.is_ascii(), "{}", told.zh);
        }
    }
}
