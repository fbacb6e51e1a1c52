//! What inputs are compiled against, and the way of an input through the language.

use std::borrow::Cow;
use std::path::Path as FilePath;
use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::diagnostic::{Diagnostic, Lang, SourceFile, did_you_mean, render};
use dsl::expr::{Bounds, Env, compile, gather};
use dsl::facts::{Action, ConnectorFacts, Environment, NotFound, SchemeFacts};
use dsl::lookup::Hits;
use dsl::path::Path;
use dsl::scheme::compile_scheme;
use dsl::testing;
use dsl::tree::{Compile, Scope, TreePlace, compile_tree, eval_value};
use dsl::value::{Instant, Value};
use dsl::yaml;
use jiff::tz::TimeZone;

use crate::rows;
use crate::target::{Reached, Target};

/// Problems of one input that are drawn; a terminal shows about as many.
const DRAWN: usize = 20;
/// Tests of a scheme that are run; an input that repeats one a thousand times learns nothing more.
const TESTS: usize = 8;

/// Everything that stays the same from input to input.
pub struct World {
    registry: Registry,
    connections: Vec<(String, Arc<dyn ConnectorFacts>)>,
    schemes: Vec<SchemeFacts>,
    zone: TimeZone,
}

impl World {
    /// The functions, the connectors that the binary carries, and the repository's own connections.
    ///
    /// # Panics
    /// When the repository's own files are wrong.
    pub fn new() -> World {
        dsl::expr::limit_parser_calls();
        let registry = functions::registry();
        let connectors: Vec<_> = connector::builtin()
            .iter()
            .map(|(id, text)| {
                let file = SourceFile::new(format!("connectors/{id}/connector.yaml"), *text);
                Arc::new(connector::load(&file, &registry).expect("the repository's own connector"))
            })
            .collect();
        let path = repository().join("connections.yaml");
        let text = std::fs::read_to_string(path).expect("the repository has connections");
        let file = SourceFile::new("connections.yaml", text);
        let loaded =
            connector::connections::load(&file, &connectors, &registry).expect("it is checked in CI");
        let connections = loaded
            .names()
            .map(|name| {
                let env = connector::connections::DEFAULT_ENV;
                let facts = loaded.unresolved(name, env).expect("the name is its own").facts();
                (name.to_owned(), facts)
            })
            .collect();
        let known = |id: &str, columns: &[&str]| SchemeFacts {
            id: id.to_owned(),
            columns: Some(columns.iter().map(|&column| column.to_owned()).collect()),
            saved: Vec::new(),
            given: None,
            after: None,
            hidden: Some(Vec::new()),
        };
        World {
            registry,
            connections,
            schemes: vec![
                known("huke-customers", &["cid", "唯一ID"]),
                known("s", &["a", "b", "c"]),
            ],
            zone: TimeZone::get("Asia/Shanghai").expect("the zone database is built in"),
        }
    }

    /// The functions.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Sends one input all the way.
    pub fn run(&self, target: Target, input: &[u8]) -> Reached {
        let text = String::from_utf8_lossy(input);
        match target {
            Target::Template => self.template(&text),
            Target::Expression => self.expression(&text),
            Target::Scheme => self.scheme(input),
        }
    }

    /// The codes of the problems that an input has, and of what fails when it is evaluated over the plainest row.
    pub fn codes(&self, target: Target, input: &[u8]) -> Vec<&'static str> {
        let text = String::from_utf8_lossy(input);
        match target {
            Target::Expression => match compile(&text, &self.registry, &Bounds::default()) {
                Err(errors) => errors.iter().map(|error| error.entry.code).collect(),
                Ok(expr) => self
                    .envs()
                    .take(1)
                    .filter_map(|env| expr.eval(&env).err().map(|failure| failure.code()))
                    .collect(),
            },
            Target::Template => self.value(&format!("v: {}", quoted(&text)), &text).0,
            Target::Scheme => match yaml::decode("scheme.yaml", input.to_vec()) {
                Err(problems) => problems.iter().map(|problem| problem.entry.code).collect(),
                Ok(file) => compile_scheme(&file, self, &self.registry)
                    .diagnostics
                    .iter()
                    .map(|problem| problem.entry.code)
                    .collect(),
            },
        }
    }

    /// The codes that a value place gives, written as YAML.
    pub fn value_codes(&self, yaml: &str) -> Vec<&'static str> {
        self.value(&format!("v: {yaml}"), yaml).0
    }

    fn expression(&self, text: &str) -> Reached {
        match compile(text, &self.registry, &Bounds::default()) {
            // What is wrong is told through the file, so its places are traced back into the file's bytes.
            Err(_) => {
                self.value(&format!("v: {}", quoted(&format!("_function {text}"))), text)
                    .1
            }
            Ok(expr) => {
                let mut reached = Reached::Compiled;
                for env in self.envs() {
                    match expr.eval(&env) {
                        Ok(_) => reached = Reached::Evaluated,
                        Err(failure) => {
                            failure.message(Lang::Zh);
                            failure.message(Lang::En);
                        }
                    }
                }
                reached
            }
        }
    }

    fn template(&self, text: &str) -> Reached {
        let quoted = quoted(text);
        let plain = self.value(&format!("v: {quoted}"), text).1;
        let made = self.value(&format!("v: {{$template: {quoted}}}"), text).1;
        if made == Reached::Evaluated { made } else { plain }
    }

    /// Compiles one value place and evaluates it over the rows.
    fn value(&self, yaml: &str, _text: &str) -> (Vec<&'static str>, Reached) {
        let file = SourceFile::new("value.yaml", yaml);
        let reading = yaml::read_all(&file);
        let Some(root) = reading.node else {
            return refused(&reading.problems);
        };
        let Some(pair) = root.get("v") else {
            return refused(&reading.problems);
        };
        let schemes = |name: &str| self.scheme_facts(name);
        let mut cx = Compile::new(&file, &self.registry, TreePlace::TARGET);
        cx.diags = reading.problems;
        cx.schemes = Some(&schemes);
        let tree = compile_tree(&pair.value, &mut cx);
        if cx.diags.iter().any(Diagnostic::is_error) {
            return refused(&cx.diags);
        }
        draw(&cx.diags);
        let (mut codes, mut reached) = (Vec::new(), Reached::Compiled);
        for env in self.envs() {
            match eval_value(&tree, &env, &Hits::new()) {
                Ok(_) => reached = Reached::Evaluated,
                Err(failure) => {
                    failure.message(Lang::Zh);
                    failure.message(Lang::En);
                    codes.push(failure.code());
                }
            }
        }
        (codes, reached)
    }

    fn scheme(&self, input: &[u8]) -> Reached {
        let file = match yaml::decode("scheme.yaml", input.to_vec()) {
            Ok(file) => file,
            Err(problems) => return refused(&problems).1,
        };
        let compiled = compile_scheme(&file, self, &self.registry);
        draw(&compiled.diagnostics);
        let Some(plan) = compiled.plan else {
            return Reached::Refused;
        };
        let mut reached = Reached::Compiled;
        for test in plan.tests.iter().take(TESTS) {
            let outcome = testing::run(&plan, test);
            for difference in outcome.diff.iter().take(DRAWN) {
                difference.line(Lang::Zh);
            }
            reached = Reached::Evaluated;
        }
        reached
    }

    fn envs(&self) -> impl Iterator<Item = Over<'_>> {
        rows::ALL.iter().map(|row| Over {
            row,
            zone: &self.zone,
        })
    }

    fn scheme_facts(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        let found = self.schemes.iter().find(|scheme| scheme.id == name).cloned();
        found.ok_or_else(|| {
            let all: Vec<String> = self.schemes.iter().map(|scheme| scheme.id.clone()).collect();
            NotFound {
                similar: did_you_mean(name, all.iter().map(String::as_str)),
                all,
            }
        })
    }
}

impl Default for World {
    fn default() -> Self {
        World::new()
    }
}

impl Environment for World {
    fn connection(&self, name: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound> {
        let found = self.connections.iter().find(|(known, _)| known == name);
        found.map(|(_, facts)| Arc::clone(facts)).ok_or_else(|| NotFound {
            similar: Vec::new(),
            all: self.connections.iter().map(|(name, _)| name.clone()).collect(),
        })
    }

    fn scheme(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        // The feeder of the main scheme is known by its old name too.
        let name = if name == "dd359ae0-f1c0-3d0a-b38e-df1d6bf1f756" {
            "huke-customers"
        } else {
            name
        };
        self.scheme_facts(name)
    }
}

/// One row as an expression and as a tree see it.
struct Over<'a> {
    row: &'a Value,
    zone: &'a TimeZone,
}

impl Over<'_> {
    fn at(&self, path: &Path) -> Option<Cow<'_, Value>> {
        path.get(self.row).map(Cow::Borrowed)
    }
}

impl Env for Over<'_> {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        if path.is_special() {
            self.name(path)
        } else {
            self.at(path)
        }
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(self.row, path)
    }

    fn lookup(&self, index: usize) -> Option<Value> {
        index.is_multiple_of(2).then(|| Value::Text("found".to_owned()))
    }

    fn now_ms(&self) -> i64 {
        testing::TEST_NOW_MS
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }
}

impl Scope for Over<'_> {
    fn field(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        self.at(path)
    }

    fn list(&self, _slot: usize, path: &Path) -> Option<Cow<'_, Value>> {
        gather(self.row, path)
    }

    fn name(&self, path: &Path) -> Option<Cow<'_, Value>> {
        match path.to_string().as_str() {
            "$now" => Some(Cow::Owned(Value::Instant(Instant {
                ms: testing::TEST_NOW_MS,
            }))),
            "$key" | "$label" | "$target.id" => Some(Cow::Owned(Value::Text("K-1".to_owned()))),
            _ => None,
        }
    }

    fn now_ms(&self) -> i64 {
        testing::TEST_NOW_MS
    }

    fn zone(&self) -> &TimeZone {
        self.zone
    }

    fn action(&self) -> Option<Action> {
        Some(Action::Create)
    }
}

fn refused(problems: &[Diagnostic]) -> (Vec<&'static str>, Reached) {
    draw(problems);
    (
        problems.iter().map(|problem| problem.entry.code).collect(),
        Reached::Refused,
    )
}

/// Draws problems as an author would see them: places that do not fit the file show themselves here.
fn draw(problems: &[Diagnostic]) {
    for lang in [Lang::Zh, Lang::En] {
        render(problems, lang, false, DRAWN);
    }
}

/// A text as a double-quoted scalar, which can hold anything.
pub(crate) fn quoted(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c if c.is_control() || ('\u{e000}'..='\u{f8ff}').contains(&c) || c == '\u{feff}' => {
                write!(out, "\\U{:08x}", u32::from(c)).expect("a String takes everything");
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The folder of the repository.
pub(crate) fn repository() -> &'static FilePath {
    FilePath::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("fuzz is a folder of the workspace")
}
