//! `engine verify`: whether the ledger agrees with itself.

use dsl::catalogue;
use dsl::{Failure, Lang, Value};
use ledger::Finding;

use super::Done;
use super::args::{Global, VerifyArgs};
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;
use super::run::grouped;
use super::table::one_line;

/// Checks the identity of counts and the other invariants over the whole ledger, or one scheme of it.
pub(crate) fn verify(args: VerifyArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    if args.fix {
        return super::upkeep::fix(args, global, out, environment);
    }
    let reader = ledgers::open(&args.ledger, global, environment)?;
    ledgers::known(&reader, args.scheme.as_deref())?;
    let report = reader.verify(args.scheme.as_deref())?;
    let code = u8::from(!report.is_clean());
    if out.json {
        let findings: Vec<Value> = report
            .findings
            .iter()
            .map(|finding| object! {"code" => finding.code, "message" => sentence(finding, out.lang)})
            .collect();
        out.document(&object! {
            "schema" => "engine.verify/1",
            "exit_code" => code,
            "runs" => report.runs,
            "records" => report.records,
            "findings" => findings,
        });
        return Ok(code);
    }
    let repairs = if report.is_clean() {
        0
    } else {
        u64::try_from(reader.repairs()?.len()).unwrap_or(u64::MAX)
    };
    for finding in &report.findings {
        out.line(format!(
            "{} {}",
            finding.code,
            one_line(&sentence(finding, out.lang))
        ));
    }
    let facts = [
        ("runs", grouped(report.runs)),
        ("records", grouped(report.records)),
    ];
    if report.is_clean() {
        out.say("verify-clean", &facts);
    } else {
        let count = u64::try_from(report.findings.len()).unwrap_or(u64::MAX);
        let [runs, records] = facts;
        out.say("verify-findings", &[runs, records, ("count", grouped(count))]);
        if repairs > 0 {
            out.say_in("verify-fixable", &[("count", grouped(repairs))]);
        } else {
            out.say_in("verify-not-fixable", &[]);
        }
    }
    Ok(code)
}

pub(super) fn sentence(finding: &Finding, lang: Lang) -> String {
    match catalogue::find(finding.code) {
        Some(entry) => Failure {
            entry,
            facts: finding.facts.clone(),
            field: None,
            vendor: None,
        }
        .message(lang),
        None => finding.text.clone(),
    }
}
