//! `--faults FILE`: how the simulators misbehave, read from YAML as strictly as any other file.
//!
//! Which keys, kinds and endpoints there are is said by the simulators themselves; this file turns their tables into
//! the strict walk that schemes are read with, so a slip is told with its line and what was probably meant.

use std::path::Path;
use std::sync::Arc;

use app::AppError;
use dsl::catalogue::files::FAULT_PLAN;
use dsl::diagnostic::did_you_mean;
use dsl::keys::{Block, KeyRow, Shape, walk};
use dsl::yaml::{self, Node, NodeKind};
use dsl::{Diagnostic, SourceFile};
use sandbox::{
    ENDPOINTS, FaultPlan, KINDS, Key, MAX_PLANS, NewSettings, PLAN_KEYS, SETTING_KEYS, TABLE, Takes, Wrong,
};
use serde_json::Value;

/// What a file orders.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Faults {
    pub(crate) settings: NewSettings,
    pub(crate) plans: Vec<FaultPlan>,
}

/// Most words that a message lists.
const MAX_TOLD: usize = 8;

static FILE: Block = Block {
    name: "--faults",
    rows: &[
        KeyRow::new("faults", Shape::List(&Shape::Block(&PLAN)), "", ""),
        KeyRow::new("settings", Shape::Block(&SETTINGS), "", ""),
    ],
    one_of: &[],
    least: 1,
};

static PLAN: Block = Block {
    name: "faults",
    rows: &PLAN_ROWS,
    one_of: &[&["kind"], &["kinds"]],
    least: 1,
};

static SETTINGS: Block = Block {
    name: "settings",
    rows: &SETTING_ROWS,
    one_of: &[],
    least: 1,
};

static WEIGHTS: Block = Block {
    name: "kinds",
    rows: &KIND_ROWS,
    one_of: &[],
    least: 1,
};

/// A list of words, or words with weights.
const KIND_SHAPES: &[Shape] = &[Shape::List(&Shape::Text), Shape::Block(&WEIGHTS)];
const PLAN_ROWS: [KeyRow; PLAN_KEYS.len()] = rows(PLAN_KEYS);
const SETTING_ROWS: [KeyRow; SETTING_KEYS.len()] = rows(SETTING_KEYS);

const fn rows<const N: usize>(keys: &'static [Key]) -> [KeyRow; N] {
    let mut rows = [KeyRow::new("", Shape::Text, "", ""); N];
    let mut at = 0;
    while at < N {
        let key = &keys[at];
        let shape = match key.takes {
            Takes::Truth => Shape::Bool,
            Takes::Number(low, high) => Shape::Int(low, high),
            Takes::Text => Shape::Text,
            // Nobody reads a list of all kinds in a message: those are looked up below.
            Takes::Word(words) if words.len() > MAX_TOLD => Shape::Text,
            Takes::Word(words) => Shape::Choice(words),
            Takes::Numbers => Shape::List(&Shape::Int(0, i64::MAX)),
            Takes::Kinds => Shape::OneOf(KIND_SHAPES),
        };
        let row = KeyRow::new(key.name, shape, key.zh, key.en);
        rows[at] = if key.required { row.required() } else { row };
        at += 1;
    }
    rows
}

/// Every kind as a key that takes its weight.
const KIND_ROWS: [KeyRow; TABLE.len()] = {
    let mut rows = [KeyRow::new("", Shape::Int(0, i64::MAX), "", ""); TABLE.len()];
    let mut at = 0;
    while at < TABLE.len() {
        rows[at].key = TABLE[at].word;
        at += 1;
    }
    rows
};

/// Reads a file of faults; every problem in it is told at once.
pub(crate) fn read(path: &Path) -> Result<Faults, AppError> {
    let file = app::read(path)?;
    parse(&file).map_err(AppError::Invalid)
}

fn parse(file: &Arc<SourceFile>) -> Result<Faults, Vec<Diagnostic>> {
    let root = yaml::read(file)?;
    let mut problems = Vec::new();
    walk(&root, &FILE, file, &mut problems);
    for problem in &mut problems {
        // `kinds` takes two shapes; told for an empty one, either would be about the wrong thing.
        if file.text.get(problem.span.clone()) == Some("{}")
            && problem.facts.iter().any(|(_, told)| told == "kinds")
        {
            let words = (
                "至少写一个,如 [drop_after] 或 {drop_after: 3, delay: 1}".to_owned(),
                "name at least one, such as [drop_after] or {drop_after: 3, delay: 1}".to_owned(),
            );
            *problem = Diagnostic::new(&FAULT_PLAN, file, problem.span.clone())
                .with("key", "kinds")
                .with("what", &words.0)
                .with("what_en", &words.1);
        }
    }
    // What the walk complained about is not looked at again; everything else is, so that all is told at once.
    let spans: Vec<_> = problems.iter().map(|problem| problem.span.clone()).collect();
    let sound = |node: &Node| {
        let inside =
            |span: &std::ops::Range<usize>| node.span.start <= span.start && span.end <= node.span.end;
        !spans.iter().any(inside)
    };
    let mut faults = Faults::default();
    if let Some(pair) = root.get("settings").filter(|pair| sound(&pair.value)) {
        let settings = json(&pair.value, &Shape::Block(&SETTINGS));
        match serde_json::from_value(settings) {
            Ok(settings) => faults.settings = settings,
            Err(error) => problems.push(wrong(file, &pair.value, "settings", &unexpected(&error))),
        }
    }
    if let Some(pair) = root.get("faults") {
        let plans = pair.value.list().unwrap_or_default();
        if plans.len() > MAX_PLANS {
            let words = (format!("最多 {MAX_PLANS} 条"), format!("at most {MAX_PLANS}"));
            problems.push(wrong(file, &pair.value, "faults", &words));
        }
        for node in plans.iter().take(MAX_PLANS).filter(|node| sound(node)) {
            match plan(file, node) {
                Ok(plan) => faults.plans.push(plan),
                Err(more) => problems.extend(more),
            }
        }
    }
    if problems.is_empty() {
        Ok(faults)
    } else {
        problems.sort_by_key(|problem| problem.span.start);
        Err(problems)
    }
}

/// One entry that has passed the walk.
fn plan(file: &Arc<SourceFile>, node: &Node) -> Result<FaultPlan, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    for (key, words) in [("endpoint", ENDPOINTS), ("kind", KINDS), ("kinds", KINDS)] {
        let Some(pair) = node.get(key) else { continue };
        let written = match &pair.value.kind {
            NodeKind::List(items) => items.as_slice(),
            // The words of a map are keys, which the walk has checked.
            NodeKind::Map(_) => &[],
            NodeKind::Scalar(_) => std::slice::from_ref(&pair.value),
        };
        for one in written {
            let word = one.scalar().map_or("", |scalar| scalar.text.as_str());
            if !words.contains(&word) {
                let none = (format!("没有 `{word}`"), format!("there is no `{word}`"));
                let near = did_you_mean(word, words.iter().copied());
                problems.push(wrong(file, one, key, &none).similar(near));
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let plan: FaultPlan = serde_json::from_value(json(node, &Shape::Block(&PLAN)))
        .map_err(|error| vec![wrong(file, node, "faults", &unexpected(&error))])?;
    let found = plan.problems().into_iter().map(|Wrong { key, zh, en }| {
        let place = node.get(key).map_or(node, |pair| &pair.value);
        wrong(file, place, key, &(zh, en))
    });
    problems.extend(found);
    if problems.is_empty() {
        Ok(plan)
    } else {
        Err(problems)
    }
}

fn wrong(file: &Arc<SourceFile>, node: &Node, key: &str, words: &(String, String)) -> Diagnostic {
    Diagnostic::new(&FAULT_PLAN, file, node.span.clone())
        .with("key", key)
        .with("what", &words.0)
        .with("what_en", &words.1)
}

/// The walk lets nothing through that the simulators cannot take; if it did, their own words are told.
fn unexpected(error: &serde_json::Error) -> (String, String) {
    (error.to_string(), error.to_string())
}

/// A node that has passed the walk, as the data its shape says it is.
fn json(node: &Node, shape: &Shape) -> Value {
    match (&node.kind, shape) {
        (NodeKind::Map(pairs), Shape::Block(block)) => {
            let member = |key: &str, node: &Node| Some((key.to_owned(), json(node, &block.row(key)?.shape)));
            Value::Object(
                pairs
                    .iter()
                    .filter_map(|pair| member(&pair.key, &pair.value))
                    .collect(),
            )
        }
        (NodeKind::List(items), Shape::List(of)) => items.iter().map(|item| json(item, of)).collect(),
        (NodeKind::List(_), Shape::OneOf(shapes)) => json(node, &shapes[0]),
        (NodeKind::Map(_), Shape::OneOf(shapes)) => json(node, &shapes[1]),
        (NodeKind::Scalar(scalar), Shape::Int(..)) => {
            scalar.text.parse::<i64>().map_or(Value::Null, Value::from)
        }
        (NodeKind::Scalar(scalar), Shape::Bool) => Value::from(scalar.text == "true"),
        (NodeKind::Scalar(scalar), _) => Value::from(scalar.text.as_str()),
        // The walk lets nothing else through.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl::Lang;
    use dsl::diagnostic::render;
    use sandbox::{FaultKind, Kinds, Level};

    fn of(text: &str) -> Result<Faults, Vec<Diagnostic>> {
        parse(&SourceFile::new("plan.yaml", text))
    }

    #[test]
    fn what_is_written_is_ordered() {
        let faults = of("settings: {plain: upsert, session_max_calls: 3}\n\
             faults:\n\
             - {endpoint: '*', kind: drop_after, nth: 2, commit: false}\n\
             - endpoint: plain\n\
             \x20 seed: 9\n\
             \x20 per_mille: 300\n\
             \x20 kinds: {drop_after: 3, row_errors: 1}\n\
             \x20 rows: [1, 2]\n\
             - {endpoint: token, kinds: [delay, hang]}\n")
        .unwrap_or_else(|d| panic!("{}", render(&d, Lang::En, false, 9)));
        assert_eq!(faults.settings.plain, Some(Level::Upsert));
        assert_eq!(faults.settings.session_max_calls, Some(3));
        let want = FaultPlan {
            commit: Some(false),
            ..FaultPlan::nth("*", 2, FaultKind::DropAfter)
        };
        assert_eq!(faults.plans[0], want);
        let weights = [("drop_after".to_owned(), 3), ("row_errors".to_owned(), 1)];
        let want = FaultPlan {
            endpoint: "plain".to_owned(),
            kinds: Some(Kinds::Weighted(weights.into())),
            seed: 9,
            per_mille: Some(300),
            rows: Some(vec![1, 2]),
            ..FaultPlan::default()
        };
        assert_eq!(faults.plans[1], want);
        let even = Kinds::Even(vec![FaultKind::Delay, FaultKind::Hang]);
        assert_eq!(faults.plans[2].kinds, Some(even));
    }

    /// Code and line of every problem, what stands at its place, and a part of what is said.
    #[track_caller]
    fn refused(text: &str, want: &[(&str, usize, &str, &str)]) {
        let problems = of(text).expect_err(text);
        let got: Vec<_> = problems
            .iter()
            .map(|problem| {
                let help = problem.help(Lang::En).unwrap_or_default();
                let said = format!("{} {help}", problem.message(Lang::En));
                let place = &problem.file.text[problem.span.clone()];
                (problem.entry.code, problem.position().0, place, said)
            })
            .collect();
        assert_eq!(got.len(), want.len(), "{text}\n{got:#?}");
        for (got, want) in got.iter().zip(want) {
            assert_eq!(
                (got.0, got.1, got.2),
                (want.0, want.1, want.2),
                "{text}\n{}",
                got.3
            );
            assert!(got.3.contains(want.3), "{text}\n{}", got.3);
        }
    }

    #[test]
    fn slips_are_told_with_their_place_and_what_was_meant() {
        let one = |entry: &str| format!("faults:\n- {{endpoint: '*', {entry}}}\n");
        refused("fault: []", &[("E1101", 1, "fault", "`faults`")]);
        refused("[]", &[("E1102", 1, "[]", "map")]);
        refused("settings: {plain: upsrt}", &[("E1102", 1, "upsrt", "`upsert`")]);
        refused("settings: {pain: upsert}", &[("E1101", 1, "pain", "`plain`")]);
        refused(
            "faults:\n- {endpoint: toke, kind: delay}",
            &[("E1054", 2, "toke", "`token`")],
        );
        refused("faults:\n- {kind: delay}", &[("E1103", 2, "kind", "`endpoint`")]);
        for (entry, code, place, said) in [
            ("kind: drop_aftr", "E1054", "drop_aftr", "`drop_after`"),
            ("kinds: [hnag]", "E1054", "hnag", "`hang`"),
            ("kinds: {hnag: 1}", "E1101", "hnag", "`hang`"),
            ("kinds: {}", "E1054", "{}", "at least one"),
            ("kinds: []", "E1054", "[]", "at least one"),
            ("kind: delay, nth: 0", "E1054", "0", "counted from 1"),
            ("kind: delay, nht: 1", "E1101", "nht", "`nth`"),
            ("kind: delay, delay_ms: 0.5", "E1102", "0.5", "integer"),
            ("kind: delay, kinds: [hang]", "E1104", "endpoint", "`kinds`"),
            ("nth: 1", "E1104", "endpoint", "`kind`"),
            ("kind: delay, mib: 5", "E1054", "5", "says nothing about `delay`"),
            ("kind: gzip_bomb, mib: 0", "E1054", "0", "1 to 4096"),
            ("kind: delay, nth: 1, per_mille: 5", "E1054", "5", "`nth`"),
            ("kinds: {delay: 0}", "E1054", "{delay: 0}", "weights"),
        ] {
            refused(&one(entry), &[(code, 2, place, said)]);
        }
        refused(
            "faults:\n- {endpoint: toke, kind: dely}\n- {endpoint: '*', kind: delay, mib: 5}",
            &[
                ("E1054", 2, "toke", "`token`"),
                ("E1054", 2, "dely", "`delay`"),
                ("E1054", 3, "5", "delay"),
            ],
        );
        // A slip of the walk hides nothing of the other entries, nor one slip of an entry the next.
        refused(
            "faults:\n- {endpoint: '*', kind: delay, nht: 1}\n- {endpoint: Save, kind: wrong_total, nth: 0, mib: 5}",
            &[
                ("E1101", 2, "nht", "`nth`"),
                ("E1054", 3, "wrong_total", "never happens at `Save`"),
                ("E1054", 3, "0", "counted from 1"),
                ("E1054", 3, "5", "says nothing"),
            ],
        );
        for (endpoint, kind) in [
            ("token", "row_errors"),
            ("Save", "empty_page"),
            ("kingdee", "rows_move"),
            ("BillQuery", "wrong_total"),
        ] {
            let entry = format!("faults:\n- {{endpoint: {endpoint}, kind: {kind}}}");
            refused(&entry, &[("E1054", 2, kind, "never happens")]);
        }
        let many = format!(
            "faults:\n{}",
            "- {endpoint: '*', kind: delay}\n".repeat(MAX_PLANS + 1)
        );
        let problems = of(&many).unwrap_err();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].message(Lang::En).contains("at most 1000"));
    }

    #[test]
    fn both_languages_say_what_is_wrong() {
        let problems = of("faults:\n- {endpoint: '*', kind: delay, mib: 5}").unwrap_err();
        let drawn = [Lang::Zh, Lang::En].map(|lang| render(&problems, lang, false, 9));
        assert!(drawn[0].contains("与 `delay` 无关"), "{}", drawn[0]);
        assert!(drawn[1].contains("says nothing about `delay`"), "{}", drawn[1]);
    }
}
