//! Taking values out of nodes, and complaining where they are not what they should be.
//!
//! Every method reports what is wrong and goes on with something harmless, so that all problems of a file are found
//! at once.

use std::ops::Range;
use std::sync::Arc;

use dsl::builtin::Registry;
use dsl::catalogue::{Entry, connector as words};
use dsl::cond::{Cond, compile_cond};
use dsl::diagnostic::did_you_mean;
use dsl::facts::Text2;
use dsl::tree::{Compile, Tree, TreePlace, compile_tree};
use dsl::yaml::{Node, NodeKind, Pair};
use dsl::{Diagnostic, Path, SourceFile};

use crate::calendar::Hours;
use crate::keys::{self, Place, State};
use crate::recipe::{self, CompileError, Missing, Recipe};
use crate::units;

/// Reads one file.
pub(crate) struct Reader<'a> {
    pub(crate) file: &'a Arc<SourceFile>,
    pub(crate) registry: &'a Registry,
    pub(crate) diags: Vec<Diagnostic>,
}

/// The members of a map whose keys have been checked.
#[derive(Clone, Copy)]
pub(crate) struct Members<'n> {
    pairs: &'n [Pair],
    pub(crate) span_start: usize,
}

impl<'n> Members<'n> {
    pub(crate) fn get(&self, key: &str) -> Option<&'n Pair> {
        self.pairs.iter().find(|pair| pair.key == key)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a Arc<SourceFile>, registry: &'a Registry) -> Reader<'a> {
        Reader {
            file,
            registry,
            diags: Vec::new(),
        }
    }

    pub(crate) fn at(&self, entry: &'static Entry, span: &Range<usize>) -> Diagnostic {
        Diagnostic::new(entry, self.file, span.clone())
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        self.diags.push(diagnostic);
    }

    /// The members of a map at a place; unknown keys and keys of later versions are reported.
    pub(crate) fn members<'n>(&mut self, node: &'n Node, name: &str, place: Place) -> Members<'n> {
        let pairs = self.pairs(node, name);
        let (zh, en) = place.words();
        for pair in pairs {
            match keys::at(place).find(|row| row.name == pair.key) {
                Some(row) if row.state == State::Now => {}
                Some(_) => self.push(self.at(&words::NOT_YET, &pair.key_span).with("key", &pair.key)),
                None => {
                    let near = did_you_mean(&pair.key, keys::at(place).map(|row| row.name));
                    self.push(
                        self.at(&words::UNKNOWN_KEY, &pair.key_span)
                            .with("key", &pair.key)
                            .with("where_zh", zh)
                            .with("where_en", en)
                            .similar(near),
                    );
                }
            }
        }
        Members {
            pairs,
            span_start: node.span.start,
        }
    }

    /// The members of a map whose keys are names.
    pub(crate) fn pairs<'n>(&mut self, node: &'n Node, name: &str) -> &'n [Pair] {
        node.map().unwrap_or_else(|| {
            self.kind(node, name, ("映射", "a map"));
            &[]
        })
    }

    /// The elements of a list.
    pub(crate) fn list<'n>(&mut self, node: &'n Node, name: &str) -> &'n [Node] {
        node.list().unwrap_or_else(|| {
            self.kind(node, name, ("列表", "a list"));
            &[]
        })
    }

    fn kind(&mut self, node: &Node, name: &str, (zh, en): (&str, &str)) {
        let (found_zh, found_en) = match node.kind {
            NodeKind::Map(_) => ("映射", "a map"),
            NodeKind::List(_) => ("列表", "a list"),
            NodeKind::Scalar(_) => ("单个值", "a single value"),
        };
        self.push(
            self.at(&words::KIND, &node.span)
                .with("key", name)
                .with("want_zh", zh)
                .with("want_en", en)
                .with("found_zh", found_zh)
                .with("found_en", found_en),
        );
    }

    /// The text of a scalar, however it was written.
    pub(crate) fn text<'n>(&mut self, node: &'n Node, name: &str) -> Option<&'n str> {
        if node.scalar().is_none() {
            self.kind(node, name, ("单个值", "a single value"));
        }
        node.scalar().map(|scalar| scalar.text.as_str())
    }

    /// Reports a value that is not what the key wants.
    pub(crate) fn bad_value(&mut self, node: &Node, name: &str, (zh, en): (&str, &str)) {
        let value = node
            .scalar()
            .map_or_else(|| "…".to_owned(), |scalar| scalar.text.clone());
        self.push(
            self.at(&words::BAD_VALUE, &node.span)
                .with("key", name)
                .with("want_zh", zh)
                .with("want_en", en)
                .with("value", value),
        );
    }

    /// A scalar that a function can read.
    pub(crate) fn parsed<T>(
        &mut self,
        pair: Option<&Pair>,
        want: (&str, &str),
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let pair = pair?;
        let text = self.text(&pair.value, &pair.key)?;
        let parsed = parse(text);
        if parsed.is_none() {
            self.bad_value(&pair.value, &pair.key, want);
        }
        parsed
    }

    pub(crate) fn duration(&mut self, pair: Option<&Pair>) -> Option<i64> {
        self.parsed(
            pair,
            ("时长,如 30s", "a duration such as 30s"),
            units::duration_ms,
        )
    }

    pub(crate) fn bool(&mut self, pair: Option<&Pair>) -> Option<bool> {
        self.parsed(pair, ("true 或 false", "true or false"), |text| {
            text.parse().ok()
        })
    }

    pub(crate) fn int(&mut self, pair: Option<&Pair>) -> Option<i64> {
        self.parsed(pair, ("整数", "a whole number"), |text| text.parse().ok())
    }

    /// A number of things, at least one.
    pub(crate) fn count(&mut self, pair: Option<&Pair>) -> Option<u32> {
        self.parsed(pair, ("正整数", "a positive number"), |text| {
            text.parse().ok().filter(|count| *count > 0)
        })
    }

    pub(crate) fn rates(&mut self, pair: Option<&Pair>) -> Vec<units::Rate> {
        let want = ("频率,如 60/min", "a rate such as 60/min");
        let Some(pair) = pair else { return Vec::new() };
        let nodes = pair.value.list().unwrap_or(std::slice::from_ref(&pair.value));
        let mut rates = Vec::new();
        for node in nodes {
            match self.text(node, &pair.key).map(units::rate) {
                Some(Some(rate)) => rates.push(rate),
                Some(None) => self.bad_value(node, &pair.key, want),
                None => {}
            }
        }
        rates
    }

    /// Stretches of the day, such as `22:00-06:00`.
    pub(crate) fn hours(&mut self, pair: Option<&Pair>) -> Option<Hours> {
        let pair = pair?;
        let nodes = pair.value.list().unwrap_or(std::slice::from_ref(&pair.value));
        let mut hours = Hours::default();
        for node in nodes {
            let added = self.text(node, &pair.key).map(|text| hours.add(text));
            if added == Some(false) {
                self.bad_value(
                    node,
                    &pair.key,
                    ("时段,如 22:00-06:00", "hours such as 22:00-06:00"),
                );
            }
        }
        Some(hours)
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&mut self, pair: Option<&Pair>, allowed: &[(&str, T)]) -> Option<T> {
        let pair = pair?;
        let text = self.text(&pair.value, &pair.key)?;
        self.word_in(&pair.value, &pair.key, text, allowed)
    }

    pub(crate) fn word_in<T: Copy>(
        &mut self,
        node: &Node,
        name: &str,
        text: &str,
        allowed: &[(&str, T)],
    ) -> Option<T> {
        self.word_at(&node.span, name, text, allowed)
    }

    pub(crate) fn word_at<T: Copy>(
        &mut self,
        span: &Range<usize>,
        name: &str,
        text: &str,
        allowed: &[(&str, T)],
    ) -> Option<T> {
        let found = allowed
            .iter()
            .find(|(word, _)| *word == text)
            .map(|(_, meaning)| *meaning);
        if found.is_none() {
            let all: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
            self.push(
                self.at(&words::BAD_WORD, span)
                    .with("key", name)
                    .with("value", text)
                    .with("allowed", all.join(" "))
                    .similar(did_you_mean(text, all.iter().copied())),
            );
        }
        found
    }

    /// A word that names something this version does not do.
    pub(crate) fn later_word(&mut self, pair: Option<&Pair>, words_later: &[&str]) -> bool {
        let Some((pair, text)) = pair.and_then(|pair| Some((pair, &pair.value.scalar()?.text))) else {
            return false;
        };
        let later = words_later.contains(&text.as_str());
        if later {
            let key = format!("{}: {text}", pair.key);
            self.push(self.at(&words::NOT_YET, &pair.value.span).with("key", key));
        }
        later
    }

    pub(crate) fn path(&mut self, pair: Option<&Pair>) -> Option<Path> {
        let pair = pair?;
        self.path_of(&pair.value, &pair.key)
    }

    pub(crate) fn path_of(&mut self, node: &Node, name: &str) -> Option<Path> {
        let text = self.text(node, name)?;
        let path = Path::parse(text).ok();
        if path.is_none() {
            self.bad_value(node, name, ("路径,如 a.b", "a path such as a.b"));
        }
        path
    }

    /// A text, or one for each language.
    pub(crate) fn text2(&mut self, pair: Option<&Pair>) -> Option<Text2> {
        let pair = pair?;
        match pair.value.map() {
            None => self.text(&pair.value, &pair.key).map(Text2::same),
            Some(pairs) => {
                let mut both = Text2::default();
                for inner in pairs {
                    let text = self.text(&inner.value, &inner.key).unwrap_or_default().to_owned();
                    match inner.key.as_str() {
                        "zh" => both.zh = text,
                        "en" => both.en = text,
                        other => self.push(
                            self.at(&words::UNKNOWN_KEY, &inner.key_span)
                                .with("key", other)
                                .with("where_zh", format!("`{}` ", pair.key))
                                .with("where_en", format!("`{}`", pair.key)),
                        ),
                    }
                }
                Some(both)
            }
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&mut self, pair: Option<&Pair>) -> Vec<String> {
        let Some(pair) = pair else { return Vec::new() };
        let mut texts = Vec::new();
        for node in self.list(&pair.value, &pair.key) {
            texts.extend(self.text(node, &pair.key).map(str::to_owned));
        }
        texts
    }

    /// Reports a key that must be there.
    pub(crate) fn need<'n>(&mut self, members: Members<'n>, key: &str, place: &str) -> Option<&'n Pair> {
        let pair = members.get(key);
        if pair.is_none() {
            let span = members.span_start..members.span_start;
            self.push(
                self.at(&words::MISSING_KEY, &span)
                    .with("where", place)
                    .with("key", key),
            );
        }
        pair
    }

    /// A value place.
    pub(crate) fn tree(&mut self, node: &Node, place: &Names<'_>) -> Tree {
        let mut compile = Compile::new(self.file, self.registry, place.tree);
        let tree = compile_tree(node, &mut compile);
        self.diags.append(&mut compile.diags);
        for name in tree.names() {
            self.check_name(name, node, place);
        }
        tree
    }

    /// A condition whose values are computed for each call.
    pub(crate) fn cond(&mut self, node: &Node, place: &Names<'_>) -> Option<Cond> {
        let mut compile = Compile::new(self.file, self.registry, place.tree);
        let cond = compile_cond(node, &mut compile);
        self.diags.append(&mut compile.diags);
        for name in cond.iter().flat_map(Cond::names) {
            self.check_name(&name, node, place);
        }
        cond
    }

    /// A map of names to value places.
    pub(crate) fn trees(&mut self, pair: Option<&Pair>, place: &Names<'_>) -> Vec<(String, Tree)> {
        let Some(pair) = pair else { return Vec::new() };
        let pairs = self.pairs(&pair.value, &pair.key);
        for pair in pairs.iter().filter(|pair| pair.key.contains("<<")) {
            let param = crate::frame::param_of(&pair.key);
            if param.is_none_or(|param| !place.params.iter().any(|known| known == param)) {
                let near = place.params.iter().map(|param| format!("<<$param.{param}>>"));
                let near = did_you_mean(&pair.key, near.collect::<Vec<_>>().iter().map(String::as_str));
                let problem = self.at(&words::UNKNOWN_NAME, &pair.key_span);
                self.push(problem.with("name", &pair.key).similar(near));
            }
        }
        pairs
            .iter()
            .map(|pair| (pair.key.clone(), self.tree(&pair.value, place)))
            .collect()
    }

    /// `$param.x` and its like must name something that the file declares.
    fn check_name(&mut self, name: &Path, node: &Node, place: &Names<'_>) {
        let (Some(first), Some(member)) = (name.first_name(), name.segments().get(1)) else {
            return;
        };
        let member = match member {
            dsl::path::Segment::Name(member) => member.as_str(),
            _ => return,
        };
        let declared = match first {
            "$param" => place.params,
            "$option" => place.options,
            "$let" => place.lets,
            "$auth" => place.auth,
            "$form" => place.form,
            _ => return,
        };
        if !declared.iter().any(|known| known == member) {
            let near = did_you_mean(member, declared.iter().map(String::as_str));
            let near = near.into_iter().map(|near| format!("{first}.{near}")).collect();
            self.push(
                self.at(&words::UNKNOWN_NAME, &node.span)
                    .with("name", name)
                    .similar(near),
            );
        }
    }

    /// A recipe. `known` are the names it may use.
    pub(crate) fn recipe(
        &mut self,
        node: &Node,
        name: &str,
        missing: Missing,
        known: &[String],
    ) -> Option<Recipe> {
        let text = self.text(node, name)?;
        let is_known = |name: &str| known.iter().any(|known| known == name);
        match Recipe::compile(text, missing, &is_known) {
            Ok(recipe) => Some(recipe),
            Err(error) => {
                let found = match error {
                    CompileError::TooLong => self
                        .at(&words::RECIPE_SYNTAX, &node.span)
                        .with("why", format!("> {} B", recipe::TEXT_MAX)),
                    CompileError::Syntax(why) => self.at(&words::RECIPE_SYNTAX, &node.span).with("why", why),
                    CompileError::Name(name) => self
                        .at(&words::RECIPE_NAME, &self.place_in(node, &name))
                        .similar(did_you_mean(&name, known.iter().map(String::as_str)))
                        .with("name", name),
                    CompileError::Filter(name) => self
                        .at(&words::RECIPE_FILTER, &self.place_in(node, &name))
                        .similar(did_you_mean(&name, recipe::filter_names()))
                        .with("name", name),
                };
                self.push(found);
                None
            }
        }
    }

    /// The first occurrence of a word in a scalar, as bytes of the file.
    fn place_in(&self, node: &Node, word: &str) -> Range<usize> {
        let found = node.scalar().and_then(|scalar| scalar.text.find(word));
        found.map_or_else(|| node.span.clone(), |at| node.span_in(at..at + word.len()))
    }

    /// Recipes in order; each may use those before it.
    pub(crate) fn lets(
        &mut self,
        pair: Option<&Pair>,
        missing: Missing,
        known: &mut Vec<String>,
    ) -> Vec<(String, Recipe)> {
        let Some(pair) = pair else { return Vec::new() };
        let mut lets = Vec::new();
        for pair in self.pairs(&pair.value, &pair.key) {
            let recipe = self.recipe(&pair.value, &pair.key, missing, known);
            lets.extend(recipe.map(|recipe| (pair.key.clone(), recipe)));
            known.push(pair.key.clone());
        }
        lets
    }
}

/// What a value place of a connector may name.
#[derive(Clone, Copy)]
pub(crate) struct Names<'n> {
    pub(crate) tree: TreePlace,
    pub(crate) params: &'n [String],
    pub(crate) options: &'n [String],
    pub(crate) lets: &'n [String],
    pub(crate) auth: &'n [String],
    pub(crate) form: &'n [String],
}
