//! Work that is taken on and done later: the answer to a call is the id of a task, and another operation tells how far it
//! is. Waiting is left to the caller.

use std::sync::Arc;

use dsl::{Map, Value};

use crate::answer::HttpAnswer;
use crate::connection::Connection;
use crate::model::Async;

/// A task that the other system has taken on.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Its id there.
    pub id: String,
    /// The operation that tells how far it is.
    pub poll: String,
    /// Its options.
    pub options: Map,
    /// Pause between two questions, in milliseconds.
    pub every_ms: i64,
    /// How long it is asked about, in milliseconds; then nothing is known of it.
    pub timeout_ms: i64,
}

impl Connection {
    /// The task that an answer to this operation names; `None` where it names none, and means what it says itself.
    pub fn task(&self, api: &str, options: &Map, answer: &HttpAnswer) -> Option<Task> {
        let task = self.of_task(api)?;
        let id = self
            .read_at(&task.task, answer)?
            .to_plain_text()
            .filter(|id| !id.is_empty())?;
        self.task_of(api, options, &id)
    }

    /// The task with this id that an operation with these options was answered with; `None` where it is answered at once.
    pub fn task_of(&self, api: &str, options: &Map, id: &str) -> Option<Task> {
        let task = self.of_task(api)?;
        let poll = self.connector.operation(&task.poll)?;
        let declared = |name: &String| poll.options.iter().any(|option| option.name == *name);
        let shared = options.iter().filter(|(name, _)| declared(name));
        let mut options: Map = shared
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        options.insert(task.option.clone(), Value::from(id));
        Some(Task {
            id: id.to_owned(),
            poll: poll.name.clone(),
            options,
            every_ms: task.every_ms,
            timeout_ms: task.timeout_ms,
        })
    }

    /// What the operation would have answered if it had done the work at once; `None` while the task goes on.
    pub fn task_result(&self, api: &str, polled: &HttpAnswer) -> Option<HttpAnswer> {
        let task = self.of_task(api)?;
        let reading = self.reading(polled);
        reading.body.as_ref().ok()?;
        let (names, _) = self.answer_names(polled, &reading);
        if !task.until.holds(&names) {
            return None;
        }
        // Where it is over and holds no result, an empty answer proves nothing.
        let body = match self.read_at(&task.take, polled) {
            Some(Value::Text(text)) => text.into_bytes(),
            Some(value) => dsl::json::to_string(&value).into_bytes(),
            None => Vec::new(),
        };
        Some(HttpAnswer {
            // The work was done; whether it is a success says its result.
            status: self.connector.transport.ok_status.first().copied().unwrap_or(200),
            headers: vec![(
                "content-type".to_owned(),
                "application/json; charset=utf-8".to_owned(),
            )],
            body,
        })
    }

    /// How long a task of this operation is asked about, in milliseconds; none where it does its work at once.
    pub fn task_ms(&self, api: &str) -> i64 {
        self.of_task(api).map_or(0, |task| task.timeout_ms)
    }

    fn of_task(&self, api: &str) -> Option<&Async> {
        self.connector.operation(api)?.task.as_ref()
    }

    fn read_at(&self, path: &dsl::Path, answer: &HttpAnswer) -> Option<Value> {
        let reading = self.reading(answer);
        let body: Arc<Value> = reading.body.ok()?;
        path.get(&body).filter(|value| !value.is_null()).cloned()
    }
}
