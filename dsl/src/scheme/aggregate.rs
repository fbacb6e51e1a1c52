//! `target.aggregate`: several rows become one document.

use std::sync::Arc;

use super::{Reader, member};
use crate::aggregate::{AggregatePlan, Calc, How, MOST_LINES};
use crate::catalogue::{aggregate as words, value as value_words};
use crate::diagnostic::Facts;
use crate::expr::{self, Bounds};
use crate::keys;
use crate::path::Path;
use crate::plan::{OnSeen, SourcePlan, TargetPlan};
use crate::tree::{Columns, Tree, TreePlace, compile_tree, overlap};
use crate::yaml::Node;

/// Values of one field that are reckoned together: all rows that may wait at a time, and some steps for each.
const FUEL: u64 = 20_000_000;

/// What a target makes documents of, and the fields that these have.
pub(crate) struct Gathered {
    pub(crate) plan: AggregatePlan,
    pub(crate) columns: Columns,
}

impl Reader<'_> {
    /// `None` = the rows are the documents, or what is written has problems.
    pub(crate) fn aggregate(&mut self, target: &Node, columns: Option<&Columns>) -> Option<Gathered> {
        let pair = target.get("aggregate")?;
        let node = &pair.value;
        let header = self.paths(node.get("header")?, columns, false);
        let by = self.paths(node.get("by")?, columns, false);
        let calc = self.calc(node, columns);
        let (header, by, calc) = (header?, by?, calc?);
        let lines = member(node, "lines")?.to_owned();
        self.apart(node, &header, &by, &calc, &lines)?;
        let number = node.get("number")?;
        let mut known = Columns::new([]);
        header.iter().for_each(|path| known.add(path));
        let tree = self
            .compile(TreePlace::NUMBER, Some(&known), None, |cx| {
                compile_tree(&number.value, cx)
            })
            .settled();
        let list = Path::names([lines.clone()]);
        let each = list.join(&Path::parse("*").expect("a star is a path"));
        for path in &by {
            known.add(&each.join(path));
        }
        for calc in &calc {
            let place = each.join(&calc.path);
            known.add(&place);
            if matches!(calc.how, How::Push | How::Set) {
                known.list(&place);
            }
        }
        let max_lines = node
            .get("max_lines")
            .and_then(|pair| keys::integer(pair.value.text()?))
            .and_then(|most| usize::try_from(most).ok());
        Some(Gathered {
            columns: known,
            plan: AggregatePlan {
                header,
                lines,
                by,
                calc,
                max_lines: max_lines.unwrap_or(MOST_LINES),
                number: tree,
                compat_qeasy: self.compat_qeasy,
            },
        })
    }

    fn calc(&mut self, node: &Node, columns: Option<&Columns>) -> Option<Vec<Calc>> {
        let Some(pairs) = node.get("calc").and_then(|pair| pair.value.map()) else {
            return Some(Vec::new());
        };
        let mut calcs = Vec::new();
        for pair in pairs {
            let span = pair.key_span.clone();
            let path = self.compile(TreePlace::ROW, columns, None, |cx| {
                let path = cx.path(&pair.key, span.clone())?;
                cx.known(&path, span);
                Some(path)
            });
            let how = match pair.value.text()? {
                "first" => How::First,
                "last" => How::Last,
                "push" => How::Push,
                "add_to_set" => How::Set,
                word => {
                    let bounds = Bounds {
                        fuel: FUEL,
                        ..Bounds::default()
                    };
                    let text = format!("{}(<<v>>)", word.to_ascii_uppercase());
                    How::Function(Arc::new(expr::compile(&text, self.registry, &bounds).ok()?))
                }
            };
            calcs.push(path.map(|path| Calc { path, how }));
        }
        calcs.into_iter().collect()
    }

    /// Each field has one place in the document.
    fn apart(&mut self, node: &Node, header: &[Path], by: &[Path], calc: &[Calc], lines: &str) -> Option<()> {
        let list = Path::names([lines]);
        let line: Vec<&Path> = by.iter().chain(calc.iter().map(|calc| &calc.path)).collect();
        let doubled = |paths: &[&Path]| -> Option<Path> {
            let later = paths.iter().enumerate();
            later
                .filter(|(nth, path)| paths[..*nth].iter().any(|other| overlap(other, path)))
                .map(|(_, path)| (**path).clone())
                .next()
        };
        let headers: Vec<&Path> = header.iter().collect();
        let found = [
            ("header", doubled(&headers)),
            ("by", doubled(&line)),
            ("lines", header.iter().find(|path| overlap(path, &list)).cloned()),
        ];
        let (key, path) = found
            .into_iter()
            .find_map(|(key, path)| Some((key, path?)))
            .unzip();
        let (Some(key), Some(path)) = (key, path) else {
            return Some(());
        };
        let span = node
            .get(key)
            .map_or(node.span.clone(), |pair| pair.value.span.clone());
        self.report(self.problem(&words::AGGREGATE_TWICE, span).with("path", path));
        None
    }

    /// A field that a document lacks because several rows were made one is told as that.
    pub(crate) fn vanished(&mut self, target: &Node) {
        let Some(pair) = target.get("aggregate") else {
            return;
        };
        let (all, own) = (&target.span, &pair.value.span);
        for diagnostic in &mut self.diags {
            let at = diagnostic.span.start;
            if diagnostic.entry.code == value_words::UNKNOWN_FIELD.code
                && all.contains(&at)
                && !own.contains(&at)
            {
                diagnostic.entry = &words::VANISHES;
            }
        }
    }

    /// What holds of a scheme that makes one document of several rows.
    pub(crate) fn aggregate_rules(
        &mut self,
        root: &Node,
        node: &Node,
        source: &SourcePlan,
        target: &TargetPlan,
    ) {
        let (Some(plan), Some(pair)) = (&target.aggregate, node.get("aggregate")) else {
            return;
        };
        if target.update.is_some() || target.void.is_some() {
            let span = ["actions", "api", "steps"]
                .iter()
                .find_map(|key| node.get(key))
                .map_or(pair.key_span.clone(), |pair| pair.value.span.clone());
            self.report(self.problem(&words::AGGREGATE_CREATES, span));
        }
        if let Some(number) = pair.value.get("number") {
            let span = number.value.span.clone();
            if !plan.number.mentions("$part") {
                self.report(self.problem(&words::NUMBER_WITHOUT_PART, span.clone()));
            }
            let absent: Vec<String> = plan
                .header
                .iter()
                .filter(|path| !plan.number.reads().iter().any(|read| overlap(read, path)))
                .map(ToString::to_string)
                .collect();
            if !absent.is_empty() {
                let problem = self.problem(&words::NUMBER_OF_SEVERAL, span);
                self.report(problem.with("fields", absent.join(" ")));
            }
        }
        if !target.key.iter().any(|key| is_number(target, key)) {
            let key = target.key.first().cloned();
            let whole = key.map(|key| whole(target, &key));
            let place = node.get("request").map(|pair| {
                let written = whole
                    .as_ref()
                    .and_then(|key| super::target::node_at(&pair.value, key));
                written.map_or(pair.key_span.clone(), |node| node.span.clone())
            });
            let names: Vec<String> = target.key.iter().map(ToString::to_string).collect();
            let problem = self.problem(&words::KEY_WITHOUT_NUMBER, place.unwrap_or(pair.key_span.clone()));
            self.report(problem.with("path", names.join(", ")));
        }
        if let (true, Some(schedule)) = (self.on_push, root.get("schedule")) {
            self.report(self.problem(&words::GATHERED_PER_PUSH, schedule.value.span.clone()));
        }
        self.unfit(root, node, source, target);
    }

    fn unfit(&mut self, root: &Node, node: &Node, source: &SourcePlan, target: &TargetPlan) {
        let mut found = Vec::new();
        let mut say = |key: &str, at: Option<&Node>, zh: &str, en: &str| {
            let mut facts = Facts::new();
            for (name, text) in [("key", key), ("why_zh", zh), ("why_en", en)] {
                facts.push((name, text.to_owned()));
            }
            found.push((facts, at.map_or(node.span.clone(), |node| node.span.clone())));
        };
        let at = |node: &Node, key: &str| node.get(key).map(|pair| pair.value.clone());
        if target.find_before_create {
            say(
                "find: before_create",
                at(node, "find").as_ref(),
                "按编号查到的单据是别的行合成的,不能接管",
                "a document that is found by its number was made of other rows and cannot be taken over",
            );
        }
        if !target.keyed.is_empty() {
            say(
                "$key",
                at(node, "request").as_ref(),
                "合成的单据不再更新,行不需要主键",
                "a document that was made of several rows is never updated, so its lines need no key",
            );
        }
        if source.on_seen == Some(OnSeen::Update) {
            let written = root.get("source").and_then(|pair| at(&pair.value, "on_seen"));
            say(
                "on_seen: update",
                written.as_ref(),
                "已合成的行再次读到时不会再写;写 `skip`,或不写",
                "a row that is in a document already is not written again; write `skip`, or leave it out",
            );
        }
        if root.get("two_way").is_some() {
            say(
                "two_way",
                at(root, "two_way").as_ref(),
                "合成的单据没有与它对应的一行",
                "a document that was made of several rows has no one row that it belongs to",
            );
        }
        for (facts, span) in found {
            let mut problem = self.problem(&words::AGGREGATE_UNFIT, span);
            for (name, text) in facts {
                problem = problem.with(name, text);
            }
            self.report(problem);
        }
    }
}

fn whole(target: &TargetPlan, key: &Path) -> Path {
    target
        .key_under
        .as_ref()
        .map_or_else(|| key.clone(), |under| under.join(key))
}

/// Whether a key field is made of `$number`, also by way of a `let`.
fn is_number(target: &TargetPlan, key: &Path) -> bool {
    fn reads(part: &Tree, lets: &[(String, Tree)]) -> bool {
        part.mentions("$number")
            || lets.iter().enumerate().any(|(nth, (name, tree))| {
                let whole = Path::names(["$let", name.as_str()]);
                part.names().iter().any(|read| overlap(read, &whole)) && reads(tree, &lets[..nth])
            })
    }
    target
        .request
        .at(&whole(target, key))
        .is_some_and(|part| reads(&part, &target.lets))
}
