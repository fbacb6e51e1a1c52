//! Calls that are answered with the id of a task: `beginmethod` in a `BatchSave`, and `QueryAsyncResult`.
//!
//! Guesses of ours: that the work is executed before its id is told, that the result is what the call itself would have
//! answered, and that a restart forgets tasks.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Questions that find a task still running.
const RUNS_FOR: u32 = 2;
/// Most tasks that are remembered.
const MAX_TASKS: usize = 10_000;

/// Results that wait to be asked for, with the questions that found them running.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    results: BTreeMap<String, (Value, u32)>,
    begun: u64,
}

/// Whether a call wants to be answered with a task.
pub(crate) fn is_asked(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["beginmethod"] == "BeginQueryImpl" && body["querymethod"] == "QueryAsyncResult"
}

impl Tasks {
    /// Takes on a result; gives the task that will tell it.
    pub(crate) fn begin(&mut self, result: Value) -> Value {
        self.begun += 1;
        let id = format!("{:032x}", self.begun);
        if self.results.len() < MAX_TASKS {
            self.results.insert(id.clone(), (result, 0));
        }
        state(&id, 0, &Value::Null)
    }

    /// Answers a question, which names its task in JSON text.
    pub(crate) fn ask(&mut self, body: &[u8]) -> Value {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let info: Value =
            serde_json::from_str(body["queryInfo"].as_str().unwrap_or_default()).unwrap_or_default();
        let id = info["TaskId"].as_str().unwrap_or_default();
        match self.results.get_mut(id) {
            None => json!({"IsFaulted": true, "Message": "任务不存在"}),
            Some((_, asked)) if *asked < RUNS_FOR => {
                *asked += 1;
                state(id, 1, &Value::Null)
            }
            Some((result, _)) => state(id, 2, result),
        }
    }
}

fn state(id: &str, status: u32, result: &Value) -> Value {
    json!({
        "TaskId": id, "Status": status, "Result": result, "Successful": status == 2, "IsFaulted": false, "Message": "",
        "Progress": status * 50,
    })
}
