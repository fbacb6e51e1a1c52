//! `options`: against what the operations declare.

use std::ops::Range;
use std::sync::Arc;

use super::{Reader, listed};
use crate::catalogue::scheme as words;
use crate::diagnostic::did_you_mean;
use crate::facts::{OperationFacts, OptionFacts};
use crate::filter::Fit;
use crate::tree::{Columns, Tree, TreePlace, compile_tree};
use crate::value::{Map, Value};
use crate::yaml::{Node, Pair};

impl Reader<'_> {
    /// Compiles the options of a part, checks them against its operations, and gives each the type of its place.
    pub(crate) fn options(
        &mut self,
        part: &Node,
        place: TreePlace,
        columns: Option<&Columns>,
        lets: Option<Vec<String>>,
        operations: &[Arc<OperationFacts>],
    ) -> Tree {
        let pair = part.get("options").filter(|pair| pair.value.map().is_some());
        let tree = match pair {
            Some(pair) => self
                .compile(place, columns, lets, |cx| compile_tree(&pair.value, cx))
                .settled(),
            None => Tree::literal(Value::Map(Map::new())),
        };
        if operations.is_empty() {
            return tree;
        }
        let whole = pair.is_some_and(|pair| pair.value.map().is_some_and(has_engine_key));
        if whole {
            return tree;
        }
        let written = pair.and_then(|pair| pair.value.map()).unwrap_or_default();
        let mut typed = tree.clone();
        for member in written {
            let declared = operations
                .iter()
                .find_map(|operation| operation.option(&member.key));
            match declared {
                None => self.unknown_option(member, operations),
                Some(option) => {
                    if let Some(part) = tree.at(&crate::path::Path::names([member.key.clone()])) {
                        let part = self.typed_option(member, option, part);
                        typed = typed.with(&crate::path::Path::names([member.key.clone()]), &part);
                    }
                }
            }
        }
        let span = pair
            .or_else(|| part.get("api"))
            .map_or(part.span.clone(), |pair| pair.key_span.clone());
        self.missing_options(written, &typed, operations, &span);
        self.option_faults(written, &typed, operations, &span);
        typed
    }

    /// What an operation finds wrong with the values that are known now.
    fn option_faults(
        &mut self,
        written: &[Pair],
        typed: &Tree,
        operations: &[Arc<OperationFacts>],
        whole: &Range<usize>,
    ) {
        let mut told: Vec<String> = Vec::new();
        for operation in operations {
            for (name, failure) in (operation.faults)(&constant_options(typed, operation)) {
                let member = written.iter().find(|member| member.key == name);
                if told.contains(&name) {
                    continue;
                }
                let span = member.map_or(whole.clone(), |member| member.value.span.clone());
                let mut problem = self.problem(failure.entry, span);
                problem.facts = failure.facts;
                self.report(problem);
                told.push(name);
            }
        }
    }

    fn unknown_option(&mut self, member: &Pair, operations: &[Arc<OperationFacts>]) {
        let names: Vec<&str> = operations
            .iter()
            .flat_map(|operation| operation.options.iter().map(|option| option.name.as_str()))
            .collect();
        let near = did_you_mean(&member.key, names.iter().copied());
        self.report(
            self.problem(&words::UNKNOWN_OPTION, member.key_span.clone())
                .with("operation", operation_names(operations))
                .with("name", &member.key)
                .with("all", listed(&names))
                .similar(near),
        );
    }

    fn missing_options(
        &mut self,
        written: &[Pair],
        typed: &Tree,
        operations: &[Arc<OperationFacts>],
        span: &Range<usize>,
    ) {
        let mut told: Vec<&str> = Vec::new();
        for operation in operations {
            let known = constant_options(typed, operation);
            for option in &operation.options {
                let given = option.default.is_some() || option.constant.is_some();
                let is_written = written.iter().any(|pair| pair.key == option.name);
                if given || is_written || told.contains(&option.name.as_str()) {
                    continue;
                }
                if let Some((other, value)) = option.needed_with(&known, &operation.options) {
                    told.push(&option.name);
                    self.report(
                        self.problem(&words::MISSING_OPTION_WITH, span.clone())
                            .with("operation", &operation.name)
                            .with("name", &option.name)
                            .with("other", other)
                            .with("value", value),
                    );
                } else if option.required {
                    told.push(&option.name);
                    self.report(
                        self.problem(&words::MISSING_OPTION, span.clone())
                            .with("operation", &operation.name)
                            .with("name", &option.name),
                    );
                }
            }
        }
    }

    /// A constant takes the option's type now, anything else when it is computed.
    fn typed_option(&mut self, member: &Pair, option: &OptionFacts, part: Tree) -> Tree {
        let fit = fit_of(&option.ty);
        let Some(value) = part.constant() else {
            return fit.map_or(part.clone(), |fit| part.fitted(fit));
        };
        let fitted = match fit {
            Some(fit) => fit
                .fit(value.clone(), &self.zone)
                .ok()
                .filter(|value| !value.is_null()),
            None => Some(value.clone()),
        };
        let text = fitted.as_ref().and_then(Value::to_plain_text);
        let constant = option.constant.as_ref().and_then(Value::to_plain_text);
        let (want, want_en) = match (&constant, option.ty.as_str()) {
            (Some(constant), _) => (constant.clone(), constant.clone()),
            (None, "choice") => {
                let choice = option.of.join(" ");
                (format!("以下之一:{choice}"), format!("one of {choice}"))
            }
            (None, "map") => ("对象".to_owned(), "a map".to_owned()),
            _ => fit.map_or_else(
                || (option.ty.clone(), option.ty.clone()),
                |fit| (fit.words().0.to_owned(), fit.words().1.to_owned()),
            ),
        };
        let good = match (&fitted, option.ty.as_str()) {
            (None, _) => false,
            (Some(_), _) if constant.is_some() => text == constant,
            (Some(_), "choice") => text.as_ref().is_some_and(|text| option.of.contains(text)),
            (Some(value), "map") => value.as_map().is_some(),
            (Some(_), _) => true,
        };
        if !good {
            let near = match (option.ty.as_str(), &text) {
                ("choice", Some(text)) => did_you_mean(text, option.of.iter().map(String::as_str)),
                _ => Vec::new(),
            };
            self.report(
                self.problem(&words::BAD_OPTION, member.value.span.clone())
                    .with("name", &option.name)
                    .with("want", want)
                    .with("want_en", want_en)
                    .similar(near),
            );
        }
        fitted.map_or(part, Tree::literal)
    }

    /// Fields of a request that are options in truth.
    pub(crate) fn options_in_request(&mut self, request: &Node, operations: &[Arc<OperationFacts>]) {
        for pair in request.map().unwrap_or_default() {
            let path = crate::path::Path::names([pair.key.clone()]);
            let option = operations
                .iter()
                .any(|operation| operation.option(&pair.key).is_some());
            let field = operations
                .iter()
                .filter_map(|operation| operation.request.as_ref())
                .any(|request| request.has(&path) == Some(true));
            if option && !field {
                self.report(
                    self.problem(&words::OPTION_IN_REQUEST, pair.key_span.clone())
                        .with("name", &pair.key),
                );
            }
        }
    }
}

/// The values of options that do not depend on a record, defaults included: what decides keys and proof.
pub(crate) fn constant_options(tree: &Tree, operation: &OperationFacts) -> Map {
    let mut options = Map::new();
    for option in &operation.options {
        let given = option.constant.as_ref().or(option.default.as_ref());
        options.extend(given.map(|value| (option.name.clone(), value.clone())));
    }
    for (name, part) in tree.members() {
        if let (Some(value), Some(_)) = (part.constant(), operation.option(&name)) {
            options.insert(name, value);
        }
    }
    if let Some(Value::Map(all)) = tree.constant() {
        options.extend(
            all.into_iter()
                .filter(|(name, _)| operation.option(name).is_some()),
        );
    }
    options
}

pub(crate) fn operation_names(operations: &[Arc<OperationFacts>]) -> String {
    let mut names: Vec<&str> = operations
        .iter()
        .map(|operation| operation.name.as_str())
        .collect();
    names.dedup();
    names.join(" ")
}

fn has_engine_key(pairs: &[Pair]) -> bool {
    pairs
        .iter()
        .any(|pair| pair.key.starts_with('$') && !pair.key.starts_with("$$"))
}

/// The type of an option's place; `choice` is text, a `map` has none.
fn fit_of(ty: &str) -> Option<Fit> {
    match ty {
        "choice" | "url" | "path" | "" => Some(Fit::Text),
        "map" => None,
        ty => Fit::parse(ty),
    }
}
