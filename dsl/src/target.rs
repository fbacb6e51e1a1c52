//! A record becomes a document of the target: `let`, options, request, typed places, key.

use jiff::tz::TimeZone;

use crate::catalogue::record;
use crate::diagnostic::Failure;
use crate::each::{is_of_line, step_of};
use crate::facts::Action;
use crate::filter::Fit;
use crate::json;
use crate::lines::{LineIds, LineList};
use crate::lookup::{Hits, LookupWant};
use crate::path::Path;
use crate::plan::{StepPlan, TargetPlan};
use crate::scope::RecordScope;
pub use crate::scope::StepDone;
use crate::tree::{Evaluated, Left, Trace, Tree, ValueSink, eval_noting, lookup_keys, masked, overlap};
use crate::value::{Map, Value};

/// Bytes of one document. More is a mistake, and would let one row fill the memory.
pub(crate) const PAYLOAD_BYTES: usize = 8 << 20;

/// One record and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct RecordCx<'a> {
    /// The stored row.
    pub row: &'a Value,
    /// Its identity, as ingesting gave it.
    pub key: &'a str,
    /// What people see.
    pub label: &'a str,
    /// What the target calls it.
    pub target_id: Option<&'a str>,
    /// The target's number of it.
    pub target_number: Option<&'a str>,
    /// What is done.
    pub action: Action,
    /// The one instant of the run, in milliseconds since 1970.
    pub now_ms: i64,
    /// The zone in which times are read and printed.
    pub zone: &'a TimeZone,
    /// What the target calls the lines that it has; [`LineIds::none`] where nothing was written.
    pub line_ids: &'a LineIds,
    /// What its further steps came to, as far as they were made.
    pub steps: &'a [StepDone],
    /// The line that the document is made for, and its number from 1.
    pub line: Option<(&'a Value, usize)>,
}

/// A document ready to be claimed.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The document.
    pub payload: Value,
    /// The options of its call.
    pub options: Value,
    /// The texts of its key fields, in order.
    pub tkey: Vec<String>,
    /// Its key fields.
    pub key_fields: Vec<Path>,
    /// Its lists whose lines have keys, in the order of the document.
    pub lines: Vec<LineList>,
    /// The look-ups that were read and matched no row, or several, each with the number.
    pub looked: Vec<(LookupWant, usize)>,
}

/// What became of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Build {
    /// A document.
    Built(Built),
    /// It waits for a row that a look-up did not find.
    Defer(LookupWant),
}

impl TargetPlan {
    /// How many rounds of look-ups a record needs.
    pub fn lookup_levels(&self) -> usize {
        let last = self.options.lookups().len().max(self.request.lookups().len());
        self.lets
            .iter()
            .map(|(_, tree)| tree.lookups().len())
            .sum::<usize>()
            + last
    }

    /// The rows that a record looks up in one round; what `hits` knows already is not asked again.
    pub fn lookup_keys(
        &self,
        level: usize,
        cx: &RecordCx<'_>,
        hits: &Hits,
    ) -> Result<Vec<LookupWant>, Failure> {
        let mut scope = self.scope(cx);
        let mut first = 0;
        for (name, tree) in &self.lets {
            let levels = tree.lookups().len();
            if level < first + levels {
                return lookup_keys(tree, level - first, &scope, hits);
            }
            first += levels;
            // A value that cannot be computed matters only if the document reads it, and then building says so.
            if let Ok(Part::Value(Some(value))) = part(tree, &scope, hits, None, &mut Left::default()) {
                scope.lets.insert(name.clone(), value);
            }
        }
        let mut wants = lookup_keys(&self.options, level - first, &scope, hits)?;
        if cx.action != Action::Void {
            for want in lookup_keys(&self.request, level - first, &scope, hits)? {
                if !wants.contains(&want) {
                    wants.push(want);
                }
            }
        }
        Ok(wants)
    }

    /// Builds the document. One that is to be cancelled has options only: the target knows it by its id.
    pub fn build(&self, cx: &RecordCx<'_>, hits: &Hits, trace: Option<&mut Trace>) -> Result<Build, Failure> {
        let mut scope = self.scope(cx);
        let mut left = Left::default();
        for (name, tree) in &self.lets {
            match part(tree, &scope, hits, None, &mut left)? {
                Part::Value(Some(value)) => {
                    scope.lets.insert(name.clone(), value);
                }
                Part::Value(None) => {}
                Part::Defer(want) => return Ok(Build::Defer(want)),
            }
        }
        let options = match part(&self.options, &scope, hits, None, &mut left)? {
            Part::Value(value) => self.declared_only(value.unwrap_or(Value::Map(Map::new())), cx.action),
            Part::Defer(want) => return Ok(Build::Defer(want)),
        };
        if cx.action == Action::Void {
            let payload = Value::Map(Map::new());
            return Ok(Build::Built(Built {
                payload,
                options,
                tkey: Vec::new(),
                key_fields: self.key_fields(),
                lines: Vec::new(),
                looked: left.looked,
            }));
        }
        // Only in the document: what `let` gives is read by its name.
        scope.drops_null = self.compat_qeasy;
        let mut payload = match part(&self.request, &scope, hits, trace, &mut left)? {
            Part::Value(value) => value.unwrap_or(Value::Map(Map::new())),
            Part::Defer(want) => return Ok(Build::Defer(want)),
        };
        type_places(&mut payload, &self.types, cx.zone).map_err(|failure| {
            let place = failure.field.as_deref().and_then(|field| Path::parse(field).ok());
            match place {
                Some(place) if self.sensitive.iter().any(|secret| overlap(secret, &place)) => masked(failure),
                _ => failure,
            }
        })?;
        if size(&payload) > PAYLOAD_BYTES {
            return Err(Failure::new(&record::TOO_LARGE).with("limit", PAYLOAD_BYTES));
        }
        let tkey = self.target_key(&payload)?;
        Ok(Build::Built(Built {
            payload,
            options,
            tkey,
            key_fields: self.key_fields(),
            lines: left.lines,
            looked: left.looked,
        }))
    }

    /// The options of a call about a record, without its document: what asking the target by key needs. `None` when they
    /// read a look-up that `hits` does not know: left out, the call would be about something else.
    pub fn call_options(&self, cx: &RecordCx<'_>, hits: &Hits) -> Result<Option<Value>, Failure> {
        let is_unknown = |left: &Left| {
            let mut wants = left.looked.iter().map(|(want, _)| want);
            wants.any(|want| !want.has_empty_key() && !hits.knows(want))
        };
        let mut scope = self.scope(cx);
        let mut unknown: Vec<&str> = Vec::new();
        for (name, tree) in &self.lets {
            let mut left = Left::default();
            let value = part(tree, &scope, hits, None, &mut left);
            if is_unknown(&left) || reads_let(tree, &unknown) {
                unknown.push(name);
            } else if let Ok(Part::Value(Some(value))) = value {
                scope.lets.insert(name.clone(), value);
            }
        }
        let mut left = Left::default();
        let options = part(&self.options, &scope, hits, None, &mut left);
        if is_unknown(&left) || reads_let(&self.options, &unknown) {
            return Ok(None);
        }
        Ok(match options? {
            Part::Value(value) => {
                let options = value.unwrap_or(Value::Map(Map::new()));
                Some(self.declared_only(options, cx.action))
            }
            Part::Defer(_) => None,
        })
    }

    /// The place of the step of a call.
    pub fn step(&self, call: &str) -> Option<usize> {
        self.steps.iter().position(|step| match step.each() {
            Some(_) => is_of_line(call) && step_of(call) == step.name,
            None => step.name == call,
        })
    }

    /// The first call that a record gets from a place on: the name of a step, and with the identity of a line where the
    /// step at that place is made for each. `behind` is the call that was made last, where that was one of this step.
    ///
    /// A document that cannot be changed is made once, whatever becomes of the row.
    pub fn call_from(
        &self,
        cx: &RecordCx<'_>,
        place: usize,
        behind: Option<&str>,
        is_made: &dyn Fn(&str) -> bool,
    ) -> Result<Option<String>, Failure> {
        let wanted = |step: &StepPlan, cx: &RecordCx<'_>| match &step.when {
            Some(cond) => cond.holds(&self.scope(cx), &Hits::default()),
            None => Ok(true),
        };
        for (at, step) in self.steps.iter().enumerate().skip(place) {
            let document = step.document.as_ref();
            let is_kept = document.is_some_and(|document| document.update.is_none());
            let Some(each) = step.each() else {
                if wanted(step, cx)? && !(is_kept && is_made(&step.name)) {
                    return Ok(Some(step.name.clone()));
                }
                continue;
            };
            let lines = each.lines(&step.name, cx.row)?;
            let behind = behind.filter(|_| at == place);
            let after = lines.iter().position(|line| Some(line.name.as_str()) == behind);
            for (nth, line) in lines.iter().enumerate() {
                // Lines may have changed places since: what was not made is made, wherever it stands.
                let again = || !is_kept && after.map_or(behind.is_none(), |after| nth > after);
                let is_due = Some(nth) != after && (!is_made(&line.name) || again());
                let line_cx = RecordCx {
                    line: Some((line.value, line.index)),
                    ..*cx
                };
                if is_due && wanted(step, &line_cx)? {
                    return Ok(Some(line.name.clone()));
                }
            }
        }
        Ok(None)
    }

    /// Whether the lines of a row for which steps are made can be told apart.
    pub fn check_lines(&self, row: &Value) -> Result<(), Failure> {
        for step in &self.steps {
            if let Some(each) = step.each() {
                each.lines(&step.name, row)?;
            }
        }
        Ok(())
    }

    /// The options of the call of a step.
    pub fn step_options(&self, cx: &RecordCx<'_>, step: &StepPlan) -> Result<Value, Failure> {
        let value = part(
            &step.options,
            &self.scope(cx),
            &Hits::default(),
            None,
            &mut Left::default(),
        )?;
        Ok(match value {
            Part::Value(Some(value)) => value,
            Part::Value(None) | Part::Defer(_) => Value::Map(Map::new()),
        })
    }

    fn scope<'a>(&'a self, cx: &RecordCx<'a>) -> RecordScope<'a> {
        let text = |text: Option<&str>| Value::Text(text.unwrap_or_default().to_owned());
        RecordScope {
            row: cx.row,
            key: Value::Text(plain_key(cx.key)),
            label: cx.label.into(),
            target_id: text(cx.target_id),
            target_number: text(cx.target_number),
            action: cx.action,
            lets: Map::new(),
            now_ms: cx.now_ms,
            zone: cx.zone,
            compat_qeasy: self.compat_qeasy,
            drops_null: false,
            line_ids: cx.line_ids,
            first_step: self.first_step.as_deref(),
            steps: cx.steps,
            line: cx.line,
            answer: None,
        }
    }

    /// The row that another scheme is given of a record that was written; `None` where there is none to give.
    pub fn emitted(&self, cx: &RecordCx<'_>, answer: &Value) -> Result<Option<Value>, Failure> {
        let Some(emit) = &self.emit else { return Ok(None) };
        let mut scope = self.scope(cx);
        scope.answer = Some(answer);
        match part(&emit.row, &scope, &Hits::default(), None, &mut Left::default())? {
            Part::Value(value) => Ok(value),
            Part::Defer(_) => Ok(None),
        }
    }

    /// What is kept beside a record whose document was written. A column whose value is not there, because nobody heard
    /// the answer or it does not say it, is left out; so is one that fails, and is named.
    pub fn saved(&self, cx: &RecordCx<'_>, answer: &Value) -> (Map, Vec<(String, Failure)>) {
        let mut scope = self.scope(cx);
        scope.answer = Some(answer);
        let (mut saved, mut failed) = (Map::new(), Vec::new());
        for (column, tree) in &self.saves {
            match part(tree, &scope, &Hits::default(), None, &mut Left::default()) {
                Ok(Part::Value(Some(value))) => {
                    saved.insert(column.clone(), value);
                }
                Ok(Part::Value(None) | Part::Defer(_)) => {}
                Err(failure) => failed.push((column.clone(), failure)),
            }
        }
        (saved, failed)
    }

    /// Each operation takes the options that it declares.
    pub(crate) fn declared_only(&self, options: Value, action: Action) -> Value {
        let declared = self
            .operation(action)
            .and_then(|name| self.declared.iter().find(|(operation, _)| operation == name))
            .map(|(_, declared)| declared);
        match (options, declared) {
            (Value::Map(mut map), Some(declared)) => {
                map.retain(|name, _| declared.contains(name));
                Value::Map(map)
            }
            (options, _) => options,
        }
    }

    fn key_fields(&self) -> Vec<Path> {
        self.key.clone()
    }

    fn target_key(&self, payload: &Value) -> Result<Vec<String>, Failure> {
        let below = match &self.key_under {
            Some(path) => path.get(payload),
            None => Some(payload),
        };
        self.key
            .iter()
            .map(|path| {
                let text = below
                    .and_then(|below| path.get(below))
                    .and_then(Value::to_plain_text);
                text.filter(|text| !text.is_empty()).ok_or_else(|| {
                    Failure::new(&record::TARGET_KEY_EMPTY)
                        .with("path", path)
                        .at(path.to_string())
                })
            })
            .collect()
    }
}

/// Whether a tree reads one of these values of `let`, or all of them.
fn reads_let(tree: &Tree, names: &[&str]) -> bool {
    let root = Path::parse("$let").expect("a name is a path");
    tree.names().iter().any(|name| match name.below(&root) {
        Some(rest) => match rest.first_name() {
            Some(first) => names.contains(&first),
            None => !names.is_empty(),
        },
        None => false,
    })
}

enum Part {
    Value(Option<Value>),
    Defer(LookupWant),
}

fn part(
    tree: &Tree,
    scope: &RecordScope<'_>,
    hits: &Hits,
    trace: Option<&mut Trace>,
    left: &mut Left,
) -> Result<Part, Failure> {
    let mut sink = ValueSink::new();
    Ok(match eval_noting(tree, scope, hits, &mut sink, trace, left)? {
        Evaluated::Written => Part::Value(sink.finish()),
        Evaluated::Omitted => Part::Value(None),
        Evaluated::Deferred(want) => Part::Defer(want),
    })
}

/// A key of one field is that field; of several, the list as it is stored.
pub(crate) fn plain_key(key: &str) -> String {
    match json::parse(key.as_bytes()) {
        Ok(Value::List(parts)) => match parts.as_slice() {
            [Value::Text(only)] => only.clone(),
            _ => key.to_owned(),
        },
        _ => key.to_owned(),
    }
}

/// Gives typed places their type, by last name at any depth.
///
/// The place is put together only for a failure: most documents have none, and all of their members pass here.
pub(crate) fn type_places(
    value: &mut Value,
    types: &[(String, String)],
    zone: &TimeZone,
) -> Result<(), Failure> {
    if types.is_empty() {
        return Ok(());
    }
    match value {
        Value::Map(map) => {
            for (name, member) in map {
                let typed = types.iter().find(|(typed, _)| typed == name);
                let done = match typed.and_then(|(_, ty)| Fit::parse(ty)) {
                    Some(fit) if !matches!(member, Value::Map(_) | Value::List(_)) => fit
                        .fit(std::mem::replace(member, Value::Null), zone)
                        .map(|fitted| *member = fitted),
                    _ => type_places(member, types, zone),
                };
                done.map_err(|failure| below(Path::names([name.clone()]), failure))?;
            }
        }
        Value::List(list) => {
            for (index, member) in list.iter_mut().enumerate() {
                type_places(member, types, zone).map_err(|failure| {
                    let at = Path::parse(&index.to_string()).expect("a number is a path");
                    below(at, failure)
                })?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// A failure whose place is inside of `at`.
fn below(at: Path, failure: Failure) -> Failure {
    let place = match &failure.field {
        Some(inner) => format!("{at}.{inner}"),
        None => at.to_string(),
    };
    failure.at(place)
}

/// About how many bytes a value takes as JSON.
fn size(value: &Value) -> usize {
    match value {
        Value::Map(map) => map.iter().map(|(name, value)| name.len() + 4 + size(value)).sum(),
        Value::List(list) => list.iter().map(|value| size(value) + 1).sum(),
        Value::Text(text) => text.len() + 2,
        Value::Number(number) => number.as_str().len(),
        Value::Null | Value::Bool(_) | Value::Instant(_) => 5,
    }
}
