//! The further calls for a document that is there: which comes next, and what is sent.

use std::sync::Arc;

use dsl::diagnostic::Failure;
use dsl::facts::Action;
use dsl::plan::TargetPlan;
use dsl::value::{Map, Value};
use flow::op::{Reason, Refusal, WriteAction};
use flow::{Ready, Transformed};

use super::{Document, TargetWriter, Work, as_map, group};
use crate::payloads::BlobStore;
use crate::reason;

/// What stands for the id of a document that a rehearsal did not write.
pub(super) const NO_ID: &str = "$target.id";

impl TargetWriter {
    /// The call for the step at which a record stands.
    pub(super) fn step_document(
        &mut self,
        target: &TargetPlan,
        work: &Work<'_>,
        name: &str,
        blobs: &mut BlobStore,
    ) -> Transformed {
        let held = |text: &str| Transformed::Refused(Refusal::Held(reason::step_gone(text)));
        let Some(at) = target.step(name) else {
            return held(name);
        };
        let id = match &work.source.target_id {
            Some(id) => id.as_str(),
            None if self.dry => NO_ID,
            None => return held(name),
        };
        let step = &target.steps[at];
        let cx = self.cx(work, Action::Step);
        let built = target
            .step_options(&cx, step)
            .and_then(|options| Ok((options, self.step_from(target, work, at + 1, None)?)));
        let (options, next) = match built {
            Ok(built) => built,
            Err(failure) => {
                let reason = reason::of_failure(&failure, self.lang);
                let reason = Reason::new(reason.code, self.caller.redact(&reason.text));
                return Transformed::Refused(Refusal::Dead(reason));
            }
        };
        let mut payload = Map::new();
        payload.insert("id".to_owned(), Value::Text(id.to_owned()));
        if let Some(number) = &work.source.number {
            payload.insert("number".to_owned(), Value::Text(number.clone()));
        }
        let payload = Value::Map(payload);
        let ready = Ready {
            action: WriteAction::Step,
            group: group(&step.operation, &options),
            form: self.caller.connection.form(&as_map(&options)),
            tkey: "[]".to_owned(),
            payload: blobs.add(dsl::json::to_string(&payload).into_bytes()),
            wrote: Vec::new(),
            next,
            half: None,
        };
        let document = Document {
            frozen: None,
            key: work.source.key.clone(),
            target_id: work.source.target_id.clone(),
            behind: work.source.behind,
            version: work.source.version.clone(),
            label: work.source.label.clone(),
            payload: payload.into(),
            options: Arc::new(options),
            tkey: Vec::new(),
            lines: Vec::new(),
            operation: step.operation.as_str().into(),
            kept: None,
            trace: Vec::new(),
        };
        self.documents.insert(work.item.record, document);
        Transformed::Ready(ready)
    }

    /// The step after a document that was written as it was meant to be, and the first of those that the target makes in
    /// the same call.
    pub(super) fn after(
        &self,
        target: &TargetPlan,
        work: &Work<'_>,
        action: Action,
    ) -> Result<(Option<String>, Option<String>), Failure> {
        if action == Action::Void {
            return Ok((None, None));
        }
        let by_itself = target.steps.iter().take_while(|step| step.by_itself).count();
        let half = target.steps.first().filter(|step| step.by_itself);
        // Before anything of the record is written.
        target.check_lines(&work.row)?;
        Ok((
            self.step_from(target, work, by_itself, None)?,
            half.map(|step| step.name.clone()),
        ))
    }

    /// The first call that a record gets from a step on, behind the one of that step that was made last.
    pub(super) fn step_from(
        &self,
        target: &TargetPlan,
        work: &Work<'_>,
        place: usize,
        behind: Option<&str>,
    ) -> Result<Option<String>, Failure> {
        let is_made = |call: &str| work.steps.iter().any(|made| made.name == call);
        target.call_from(&self.cx(work, Action::Step), place, behind, &is_made)
    }
}
