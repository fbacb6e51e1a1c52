//! `check --online`: the names a scheme writes, held against what the other system says of its own fields.
//!
//! A connector declares which operation describes which objects. The names are those of the file, with their places:
//! what the target's request writes, list by list, and what the source asks for. Only names that begin with a letter of
//! the file are judged; what is computed is not. Nothing is written, and nothing but the description is asked for.

use std::path::Path;
use std::sync::Arc;

use connector::{Call, Connection, DescribedField};
use dsl::catalogue::connector as words;
use dsl::diagnostic::{Diagnostic, Lang, SourceFile, did_you_mean};
use dsl::plan::Plan;
use dsl::value::{Map, Value};
use dsl::yaml::{self, Node, Pair};
use transport::{Client, Settings};

use crate::caller::{Caller, Effect, Ended};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::error::AppError;
use crate::reason::{self, Side};
use crate::settings;
use crate::workspace::{Workspace, parent, read};

/// One side of a scheme, as far as its fields can be described.
struct Asked<'a> {
    side: &'static str,
    connection: &'a str,
    operation: &'a str,
    /// The part of the document in which the described fields stand.
    under: Option<String>,
}

/// Holds the scheme of a file against the descriptions of its systems.
pub async fn check(
    workspace: &Workspace,
    path: &Path,
    plan: &Plan,
    clock: Arc<dyn Clock>,
    lang: Lang,
) -> Result<Vec<Diagnostic>, AppError> {
    let file = read(path)?;
    let Some(node) = yaml::read_all(&file).node else {
        return Ok(Vec::new());
    };
    let mut problems = Vec::new();
    for asked in sides(plan) {
        let Some(part) = node.get(asked.side) else {
            continue;
        };
        let connection = Arc::new(workspace.resolve(asked.connection)?);
        let Some((teller, option)) = connection.described_by(asked.operation) else {
            continue;
        };
        let (teller, option) = (teller.to_owned(), option.to_owned());
        let Some(object) = constant(&part.value, &option) else {
            continue;
        };
        let fields = match describe(workspace, &connection, &teller, &option, object, &clock, lang).await? {
            Ok(fields) => fields,
            Err(why) => {
                problems.push(
                    Diagnostic::new(&words::NOT_DESCRIBED, &file, part.key_span.clone())
                        .with("object", object)
                        .with("why", why),
                );
                continue;
            }
        };
        let mut judge = Judge {
            file: &file,
            object,
            fields: &fields,
            problems: &mut problems,
        };
        match asked.side {
            "target" => judge.target(&part.value, asked.under.as_deref()),
            _ => judge.source(&part.value),
        }
    }
    Ok(problems)
}

fn sides(plan: &Plan) -> Vec<Asked<'_>> {
    let mut sides = Vec::new();
    if plan.source.from_scheme.is_none() {
        sides.push(Asked {
            side: "source",
            connection: &plan.source.connection,
            operation: &plan.source.operation,
            under: None,
        });
    }
    if let Some(target) = &plan.target
        && let Some(operation) = target.create.as_ref().or(target.update.as_ref())
    {
        sides.push(Asked {
            side: "target",
            connection: &target.connection,
            operation,
            under: target.key_under.as_ref().map(ToString::to_string),
        });
    }
    sides
}

/// The value of an option, where the file writes it out.
fn constant<'n>(part: &'n Node, option: &str) -> Option<&'n str> {
    let written = part.get("options")?.value.get(option)?.value.scalar()?;
    let text = written.text.as_str();
    let computed = text.contains("<<") || text.contains("{{") || text.starts_with('_');
    (!computed).then_some(text)
}

/// The fields of an object, or why the system does not tell them.
async fn describe(
    workspace: &Workspace,
    connection: &Arc<Connection>,
    teller: &str,
    option: &str,
    object: &str,
    clock: &Arc<dyn Clock>,
    lang: Lang,
) -> Result<Result<Vec<DescribedField>, String>, AppError> {
    let common = Client::new(Settings::default()).map_err(|error| AppError::bug(error.to_string()))?;
    let beside = workspace.connections_path().map(parent);
    let client = settings::client(connection, &Arc::new(common), beside)?;
    let all = [Arc::clone(connection)];
    let (held, time) = (Arc::clone(connection), Arc::clone(clock));
    let caller = Caller::new(
        held,
        &all,
        client,
        time,
        Entropy::default(),
        &workspace.data_dir(),
    )?;
    let options = Map::from_iter([(option.to_owned(), Value::from(object))]);
    let call = Call::new(teller, &options, clock.now_ms());
    let ended = caller.call(&call, 0, Effect::None).await;
    if let Some(failure) = reason::read_failure(&ended, &caller, lang, Side::Source) {
        return Ok(Err(caller.redact(&reason::sentence(&failure.reason, lang))));
    }
    let Ended::Answered { answer, .. } = &ended else {
        return Ok(Err(String::new()));
    };
    let told = connection.described_fields(teller, answer);
    Ok(told.map_err(|failure| caller.redact(&reason::of_failure(&failure, lang).text)))
}

struct Judge<'a> {
    file: &'a Arc<SourceFile>,
    object: &'a str,
    fields: &'a [DescribedField],
    problems: &'a mut Vec<Diagnostic>,
}

impl Judge<'_> {
    /// The document: its own names, and those of the lines of each list that is described.
    fn target(&mut self, part: &Node, under: Option<&str>) {
        let Some(mut request) = part.get("request").map(|pair| &pair.value) else {
            return;
        };
        for name in under.into_iter().flat_map(|under| under.split('.')) {
            match request.get(name) {
                Some(pair) => request = &pair.value,
                None => return,
            }
        }
        for pair in plain(request) {
            if self.is_list(&pair.key) {
                for line in lines(&pair.value) {
                    for inner in plain(line) {
                        self.name(&inner.key, inner.key_span.clone(), Some(&pair.key));
                    }
                }
            } else {
                self.name(&pair.key, pair.key_span.clone(), None);
            }
        }
    }

    /// What is asked for, and what is asked by. Names of lines stand beside those of the head, and behind a list's name.
    fn source(&mut self, part: &Node) {
        if let Some(pair) = part.get("fields") {
            let listed = pair.value.list().unwrap_or_default().iter();
            let named = pair
                .value
                .map()
                .unwrap_or_default()
                .iter()
                .map(|pair| &pair.value);
            for node in listed.chain(named) {
                self.asked(node);
            }
        }
        if let Some(pair) = part.get("filter") {
            self.filter(&pair.value);
        }
        if let Some(field) = part.get("window").and_then(|pair| pair.value.get("field")) {
            self.asked(&field.value);
        }
    }

    fn filter(&mut self, cond: &Node) {
        if let Some(field) = cond.get("field") {
            self.asked(&field.value);
        }
        for pair in cond.map().unwrap_or_default() {
            match pair.key.as_str() {
                "all" | "any" => pair
                    .value
                    .list()
                    .unwrap_or_default()
                    .iter()
                    .for_each(|one| self.filter(one)),
                "not" => self.filter(&pair.value),
                _ => {}
            }
        }
    }

    fn asked(&mut self, node: &Node) {
        let Some(scalar) = node.scalar() else { return };
        let name = scalar.text.split('.').next().unwrap_or_default();
        let of_list = |field: &DescribedField| {
            let within = field.within.as_deref();
            within.is_some_and(|list| {
                name.strip_prefix(list)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
            })
        };
        let known = |field: &DescribedField| field.name == name || of_list(field);
        if !name.is_empty() && !self.fields.iter().any(known) {
            self.unknown(
                name,
                node.span.clone(),
                self.fields.iter().map(|field| field.name.as_str()).collect(),
            );
        }
    }

    fn is_list(&self, name: &str) -> bool {
        self.fields
            .iter()
            .any(|field| field.within.as_deref() == Some(name))
    }

    fn name(&mut self, name: &str, span: std::ops::Range<usize>, within: Option<&str>) {
        let here = |field: &&DescribedField| field.within.as_deref() == within;
        let names: Vec<&str> = self
            .fields
            .iter()
            .filter(here)
            .map(|field| field.name.as_str())
            .collect();
        if names.contains(&name) {
            return;
        }
        let lists = self.fields.iter().filter_map(|field| field.within.as_deref());
        let lists: Vec<&str> = if within.is_none() {
            lists.collect()
        } else {
            Vec::new()
        };
        self.unknown(name, span, names.into_iter().chain(lists).collect());
    }

    fn unknown(&mut self, name: &str, span: std::ops::Range<usize>, known: Vec<&str>) {
        let near = did_you_mean(name, known.into_iter());
        self.problems.push(
            Diagnostic::new(&words::NO_SUCH_FIELD, self.file, span)
                .with("object", self.object)
                .with("name", name)
                .similar(near),
        );
    }
}

/// The members of a map that are data: a key that begins with `$` is the language's.
fn plain(node: &Node) -> impl Iterator<Item = &Pair> {
    let pairs = node.map().unwrap_or_default().iter();
    pairs.filter(|pair| !pair.key.starts_with('$'))
}

/// The lines of a list: what `$each` makes of every one, or those that are written out.
fn lines(node: &Node) -> Vec<&Node> {
    match (node.get("$do"), node.list()) {
        (Some(made), _) => vec![&made.value],
        (None, Some(list)) => list.iter().collect(),
        (None, None) => Vec::new(),
    }
}
