//! What can only be judged once a whole connector is read: whether operations name each other rightly, whether an answer
//! can be a success at all, whether what proves a lost write can be asked for.

use dsl::catalogue::connector as words;
use dsl::diagnostic::did_you_mean;
use dsl::facts::{Action, OpKind, Proof};
use dsl::yaml::Node;

use super::reader::Reader;
use crate::model::{AskBy, Class, Connector, Encode, Operation, ProofPlace, Unknown};

/// What can only be checked once every operation is known.
pub(super) fn check_together(connector: &Connector, node: &Node, reader: &mut Reader<'_>) {
    let operations = node.get("operations").map(|pair| &pair.value);
    // A row that was refused above may be the one that says success.
    let is_sound = !reader.diags.iter().any(dsl::Diagnostic::is_error);
    for operation in &connector.operations {
        let pair = operations.and_then(|node| node.get(&operation.name));
        let place = |key: &str| {
            let inner = pair.and_then(|pair| pair.value.get(key));
            inner.or(pair).map_or(0..0, |pair| pair.key_span.clone())
        };
        check_one(connector, operation, &place, is_sound, reader);
    }
}

/// Whether an operation can be asked for a document: by a condition, or by an option that takes its key or id.
fn can_name(ask: &Operation, unknown: &Unknown) -> bool {
    match &unknown.option {
        Some(name) => {
            let is_one = ask.rows.as_ref().is_some_and(|rows| rows.one);
            is_one && ask.options.iter().any(|option| option.name == *name)
        }
        None => ask.filter.is_some(),
    }
}

/// The same of one operation. `place` is where a key of it stands, or else the operation itself.
pub(super) fn check_one(
    connector: &Connector,
    operation: &Operation,
    place: &dyn Fn(&str) -> std::ops::Range<usize>,
    is_sound: bool,
    reader: &mut Reader<'_>,
) {
    if let Some(task) = &operation.task {
        let asked = connector.operation(&task.poll);
        let takes = asked.is_some_and(|ask| ask.options.iter().any(|option| option.name == task.option));
        let asks = asked.is_some_and(|ask| matches!(ask.kind, OpKind::Read | OpKind::Call));
        if !takes || !asks {
            let name = format!("{} {}", task.poll, task.option);
            let near = did_you_mean(&task.poll, connector.operation_names());
            reader.push(
                reader
                    .at(&words::UNKNOWN_ASK, &place("async"))
                    .with("name", name)
                    .similar(near),
            );
        }
    }
    if let Some(unknown) = &operation.unknown {
        let span = place("unknown");
        let asked = unknown.ask.as_deref().and_then(|name| connector.operation(name));
        if let Some(name) = &unknown.ask
            && asked.is_none_or(|ask| ask.kind != OpKind::Read || !can_name(ask, unknown))
        {
            let near = did_you_mean(name, connector.operation_names());
            reader.push(
                reader
                    .at(&words::UNKNOWN_ASK, &span)
                    .with("name", name)
                    .similar(near),
            );
        }
        if unknown.by == AskBy::Id && operation.writes.contains(&Action::Create) {
            reader.push(reader.at(&words::ASK_BY_ID, &span));
        }
        if asked.is_some() && !unknown.fields.iter().any(|(name, _)| name == "id") {
            reader.push(
                reader
                    .at(&words::MISSING_KEY, &span)
                    .with("where", "unknown.fields")
                    .with("key", "id"),
            );
        }
    }
    if operation.kind != OpKind::Receive
        && (operation.encode == Encode::Sql) != connector.transport.driver.is_some()
    {
        let (at, key) = match operation.encode {
            Encode::Sql => ("transport", "driver"),
            _ => (operation.name.as_str(), "encode: sql"),
        };
        reader.push(
            reader
                .at(&words::MISSING_KEY, &place("encode"))
                .with("where", at)
                .with("key", key),
        );
    }
    // It is called and calls nobody: how a call is signed and what an answer means is not its matter.
    if operation.kind == OpKind::Receive {
        return;
    }
    if (operation.encode == Encode::OdataBatch) != operation.part.is_some() {
        let (key, span) = match operation.part {
            None => ("part", place("encode")),
            Some(_) => ("encode: odata_batch", place("part")),
        };
        reader.push(
            reader
                .at(&words::MISSING_KEY, &span)
                .with("where", &operation.name)
                .with("key", key),
        );
    }
    let in_form = |mode: &crate::model::Mode| mode.sign.as_ref().is_some_and(|sign| !sign.form.is_empty());
    if operation.encode != Encode::Form && connector.modes.iter().any(in_form) {
        let span = place("encode");
        reader.push(
            reader
                .at(&words::FORM_SIGNED, &span)
                .with("operation", &operation.name),
        );
    }
    for made in operation.options.iter().flat_map(|option| &option.makes) {
        let step = connector.operation(made);
        if step.is_none_or(|step| !step.writes.contains(&Action::Step)) {
            let near = did_you_mean(made, connector.operation_names());
            reader.push(
                reader
                    .at(&words::MAKES_NO_STEP, &place("options"))
                    .with("name", made)
                    .similar(near),
            );
        }
    }
    let succeeds = |row: &crate::model::Row| matches!(row.class, Class::Ok | Class::Rows);
    let modes = connector.modes.iter().flat_map(|mode| &mode.outcome);
    let mut rows = modes.chain(&operation.outcome).chain(&connector.outcome);
    if is_sound && !rows.any(succeeds) {
        let span = place("outcome");
        reader.push(
            reader
                .at(&words::NEVER_OK, &span)
                .with("operation", &operation.name),
        );
    }
    if let ProofPlace::Fixed(proof @ (Proof::UniqueKey | Proof::Query)) = &operation.proof
        && operation.writes.contains(&Action::Create)
        && operation
            .unknown
            .as_ref()
            .is_none_or(|unknown| unknown.ask.is_none())
    {
        let span = place("proof");
        reader.push(
            reader
                .at(&words::PROOF_WITHOUT_ASK, &span)
                .with("operation", &operation.name)
                .with("proof", proof.name()),
        );
    }
    let by_rows = |rows: &[crate::model::Row]| rows.iter().any(|row| row.class == Class::Rows);
    if by_rows(&operation.outcome) && operation.items.is_none() {
        reader.push(reader.at(&words::ROWS_WITHOUT_ITEMS, &place("outcome")));
    }
    if operation.kind == OpKind::Read && operation.rows.is_none() {
        let span = place("");
        reader.push(
            reader
                .at(&words::MISSING_KEY, &span)
                .with("where", &operation.name)
                .with("key", "rows"),
        );
    }
}
