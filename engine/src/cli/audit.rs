//! `engine audit list`: what people decided about this ledger, with their names and reasons.

use app::query::key_text;
use dsl::Value;
use ledger::read::{AuditFilter, AuditRow};

use super::Done;
use super::args::{AuditListArgs, Global};
use super::env::Environment;
use super::json::{object, stored};
use super::ledgers;
use super::out::Out;
use super::table::one_line;
use super::time;

/// `engine audit list`
pub(crate) fn list(args: AuditListArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let filter = AuditFilter {
        scheme: args.scheme,
        since: args.since.as_deref().map(time::instant).transpose()?,
        action: args.action,
        // One more tells whether there are more.
        limit: args.limit.saturating_add(u32::from(args.limit > 0)),
        ..AuditFilter::default()
    };
    let reader = ledgers::open(&args.ledger, global, environment)?;
    ledgers::known(&reader, filter.scheme.as_deref())?;
    let mut rows = reader.audit(&filter)?;
    let more = args.limit > 0 && rows.len() > args.limit as usize;
    if more {
        rows.truncate(args.limit as usize);
    }
    if out.json {
        let rows: Vec<Value> = rows.iter().map(document).collect();
        out.document(&object! {"schema" => "engine.audit-list/1", "decisions" => rows, "more" => more});
        return Ok(0);
    }
    if rows.is_empty() {
        out.say("audit-none", &[]);
    }
    for row in &rows {
        out.line(format!("{}  {}", time::shown(row.at), line(row, out)));
    }
    if more {
        out.note("rows-more", &[("limit", args.limit.to_string())]);
    }
    Ok(0)
}

/// Who decided what about what, and why.
pub(crate) fn line(row: &AuditRow, out: &Out) -> String {
    let note = &row.note;
    let key = row.key.as_deref().map(key_text).unwrap_or_default();
    let about: Vec<&str> = [note.scheme.as_deref().unwrap_or_default(), &key, &note.what]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    out.text(
        "moment-decided",
        &[
            ("who", one_line(&note.who)),
            ("action", out.text(&format!("decision-{}", note.action), &[])),
            ("what", one_line(&about.join(" "))),
            ("reason", one_line(&note.reason)),
        ],
    )
}

/// The JSON form. Its shape is fixed by `schemas/audit-list.json`.
pub(crate) fn document(row: &AuditRow) -> Value {
    object! {
        "at" => time::rfc3339(row.at),
        "who" => row.note.who,
        "action" => row.note.action,
        "scheme" => row.note.scheme,
        "key" => row.key.as_deref().map(|key| stored(key.as_bytes())),
        "what" => row.note.what,
        "reason" => row.note.reason,
    }
}
