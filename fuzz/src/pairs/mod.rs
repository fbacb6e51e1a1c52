//! Pairs of a scheme and a row, made up, done by the plain evaluator and over slots: both ways must give the same bytes.
//!
//! The plain evaluator says what is right. Over slots a row may come back undone, which is never wrong; how many do not is
//! counted, because a test in which all of them come back would say nothing.

mod row;
mod scheme;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::diagnostic::{Lang, SourceFile, render};
use dsl::facts::{Action, ConnectorFacts, Environment, NotFound, OpKind, OperationFacts, SchemeFacts};
use dsl::json;
use dsl::lookup::{Found, Hits, LookupWant};
use dsl::plan::{Build, Plan, RecordCx, TargetPlan};
use dsl::scheme::compile_scheme;
use dsl::slots::{Fast, Outcome, Page, RowCx};
use dsl::value::Value;
use jiff::tz::TimeZone;

use crate::Rng;

/// The instant of every run.
const NOW_MS: i64 = 1_767_196_800_123;
/// Schemes that one seed may try until one compiles.
const TRIES: usize = 50;

/// What pairs came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Schemes that compiled.
    pub schemes: u64,
    /// Among them, those that have a way over slots.
    pub lowered: u64,
    /// Rows with such a scheme.
    pub pairs: u64,
    /// Among them, those that the plain evaluator makes a document of.
    pub built: u64,
    /// Among those, the ones done over slots.
    pub written: u64,
}

/// Tries one scheme with so many rows.
///
/// Says what differed: the scheme, the row, and both outcomes.
pub fn try_scheme(seed: u64, rows: usize, registry: &Registry, counts: &mut Counts) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let Some((text, plan)) = compiled(&mut rng, registry) else {
        return Ok(());
    };
    counts.schemes += 1;
    let target = plan.target.as_ref().ok_or("a scheme without a target")?;
    let action = if rng.one_in(4) {
        Action::Update
    } else {
        Action::Create
    };
    let Ok(fast) = Fast::of(target, action, &plan.zone) else {
        return Ok(());
    };
    counts.lowered += 1;
    let rows = (0..rows).map(|_| row::row(&mut rng));
    let tried = try_rows(target, &plan.zone, &fast, action, rows, counts);
    tried.map_err(|why| format!("seed {seed}\n{text}\n{why}"))
}

/// Tries one way over slots with rows.
///
/// Says what differed: the row, and both outcomes.
pub fn try_rows(
    target: &TargetPlan,
    zone: &TimeZone,
    fast: &Fast,
    action: Action,
    rows: impl IntoIterator<Item = String>,
    counts: &mut Counts,
) -> Result<(), String> {
    let (mut page, mut answers) = (Page::new(), fast.answers());
    let (mut out, mut wants) = (Vec::new(), Vec::new());
    for row in rows {
        counts.pairs += 1;
        let plain = plainly(target, zone, action, &row);
        page.clear();
        out.clear();
        let scanned = page.scan(fast, &row);
        let outcome = scanned.map(|at| {
            let cx = RowCx {
                key: r#"["K1"]"#,
                label: "L1",
                target_id: Some("77"),
                target_number: None,
                now_ms: NOW_MS,
            };
            wants.clear();
            fast.wants(&page, at, &row, &cx, &answers, &mut wants);
            for want in &wants {
                match answer(want) {
                    Ok(found) => answers.insert(want, found),
                    Err(several) => answers.insert_several(want, several),
                }
            }
            fast.write(&page, at, &row, &cx, &answers, &mut out)
        });
        let differs = |what: &str| {
            let fast = String::from_utf8_lossy(&out);
            Err(format!(
                "{what}\nrow: {row}\nplain: {plain:?}\nslots: {outcome:?} {fast}"
            ))
        };
        let built = match &plain {
            Some(Ok(Build::Built(built))) => Some(built),
            _ => None,
        };
        counts.built += u64::from(built.is_some());
        match (&outcome, built) {
            (None | Some(Outcome::Plain), _) if !out.is_empty() => return differs("left bytes behind"),
            (None | Some(Outcome::Plain), _) => {}
            (Some(Outcome::Written { .. }), None) => return differs("a document of what has none"),
            (Some(Outcome::Written { tkey }), Some(built)) => {
                counts.written += 1;
                let mut expected = Vec::new();
                json::write(&built.payload, &mut expected);
                if out != expected {
                    return differs("other bytes");
                }
                if *tkey != built.tkey || *fast.options() != built.options {
                    return differs("another key, or other options");
                }
                if *fast.key_fields() != built.key_fields
                    || !built.looked.is_empty()
                    || !built.lines.is_empty()
                {
                    return differs("something was left out beside the document");
                }
            }
        }
    }
    Ok(())
}

fn compiled(rng: &mut Rng, registry: &Registry) -> Option<(String, Plan)> {
    (0..TRIES).find_map(|_| {
        let text = scheme::scheme(rng);
        let file = SourceFile::new("made-up.yaml", text.as_str());
        let compiled = compile_scheme(&file, &World, registry);
        compiled.plan.map(|plan| (text, plan))
    })
}

/// Why the schemes of some seeds do not compile; for whoever changes what is made up.
pub fn refusals(seeds: std::ops::Range<u64>, registry: &Registry) -> Vec<String> {
    seeds
        .filter_map(|seed| {
            let text = scheme::scheme(&mut Rng::new(seed));
            let file = SourceFile::new("made-up.yaml", text.as_str());
            let compiled = compile_scheme(&file, &World, registry);
            let why = render(&compiled.diagnostics, Lang::En, false, 3);
            compiled.plan.is_none().then_some(why)
        })
        .collect()
}

/// What the plain evaluator makes of a row; `None` for one that cannot be read.
fn plainly(target: &TargetPlan, zone: &TimeZone, action: Action, row: &str) -> Option<Result<Build, String>> {
    let row = json::parse(row.as_bytes()).ok()?;
    let cx = RecordCx {
        row: &row,
        line: None,
        key: r#"["K1"]"#,
        label: "L1",
        target_id: Some("77"),
        target_number: None,
        action,
        now_ms: NOW_MS,
        zone,
        line_ids: dsl::lines::LineIds::none(),
        steps: &[],
    };
    let mut hits = Hits::new();
    for level in 0..target.lookup_levels() {
        for want in target.lookup_keys(level, &cx, &hits).ok()? {
            match answer(&want) {
                Ok(found) => hits.insert(&want, found),
                Err(several) => hits.insert_several(&want, several),
            }
        }
    }
    Some(
        target
            .build(&cx, &hits, None)
            .map_err(|failure| failure.entry.code.to_owned()),
    )
}

/// The same for the same keys: mostly a row, now and then none, several, or one of several.
fn answer(want: &LookupWant) -> Result<Found, usize> {
    let mut hasher = DefaultHasher::new();
    want.keys.hash(&mut hasher);
    let hash = hasher.finish();
    let value = match hash / 16 % 5 {
        0 => Value::from(i64::try_from(hash % 1_000).unwrap_or(0)),
        1 => Value::Null,
        2 => Value::from(format!("号\"{}\n", hash % 1_000)),
        3 => json::parse(br#"{"FNumber": "1", "x": [1.50, null]}"#).unwrap_or(Value::Null),
        _ => Value::from(format!("C{}", hash % 1_000)),
    };
    match hash % 16 {
        0 => Ok(Found::none()),
        1 if want.spec.only => Err(2),
        1 => Ok(Found {
            value: Some(value),
            matches: 2,
        }),
        _ => Ok(Found::one(value)),
    }
}

/// One system that has rows and takes documents.
struct World;

impl Environment for World {
    fn connection(&self, _: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound> {
        Ok(Arc::new(World))
    }

    fn scheme(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        Ok(SchemeFacts {
            id: name.to_owned(),
            columns: None,
            saved: Vec::new(),
            given: None,
            after: None,
            hidden: Some(Vec::new()),
        })
    }
}

impl ConnectorFacts for World {
    fn id(&self) -> &str {
        "system"
    }

    fn zone(&self) -> &str {
        "Asia/Shanghai"
    }

    fn min_interval_ms(&self) -> i64 {
        360_000
    }

    fn operation(&self, api: &str) -> Result<Arc<OperationFacts>, NotFound> {
        let kind = if api.starts_with("save") {
            OpKind::Write
        } else {
            OpKind::Read
        };
        let mut facts = OperationFacts::new(api, kind);
        facts.writes = vec![Action::Create, Action::Update];
        if api == "save_typed" {
            let types = [
                ("FNumber", "text"),
                ("FQty", "decimal"),
                ("FDate", "date"),
                ("FFlag", "bool"),
                ("FTime", "ms"),
            ];
            facts.types = types.map(|(name, ty)| (name.to_owned(), ty.to_owned())).into();
        }
        Ok(Arc::new(facts))
    }
}
