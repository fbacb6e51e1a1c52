//! Rows that one scheme gives another: `on_success.emit` here, `source.scheme` there. Where the first says nothing of the
//! second, it is its stored rows that are taken.

use super::{Reader, Source, listed, member, nearest, resolve, text_of};
use crate::catalogue::scheme as words;
use crate::facts::SchemeLinks;
use crate::path::Path;
use crate::plan::{EmitPlan, ReceivePlan, TargetPlan};
use crate::tree::{Columns, Tree, TreePlace, compile_tree, overlap};
use crate::value::{Map, Value};
use crate::yaml::{Node, Pair};

/// Keys of a source that are about a system.
const ASKING: [&str; 12] = [
    "connection",
    "api",
    "operation",
    "options",
    "request",
    "fields",
    "filter",
    "window",
    "page_size",
    "detail",
    "receive",
    "sweep",
];

/// Schemes that are followed from one to the next: a longer chain is a circle of others, or nobody oversees it.
const CHAIN: usize = 64;

impl Reader<'_> {
    /// The fields of the rows that another scheme gives, or stores.
    pub(super) fn given_columns(&mut self, root: &Node, node: &Node) -> Option<Columns> {
        let name = member(node, "scheme")?;
        let facts = resolve(self.env, &self.aliases, name).ok()?;
        let links = self.env.links(&facts.id).ok()?;
        let own = member(root, "scheme").unwrap_or_default();
        let given = match self.gives_to(&links, own) {
            true => facts.given?,
            false => facts.columns?,
        };
        Some(Columns::new(given.iter().map(String::as_str)))
    }

    /// A source whose rows another scheme gives.
    pub(super) fn fed(&mut self, root: &Node, node: &Node, mut source: Source) -> Option<Source> {
        let pair = node.get("scheme")?;
        for other in ASKING.iter().filter_map(|key| node.get(key)) {
            self.report(
                self.problem(&words::SCHEME_SOURCE_KEY, other.key_span.clone())
                    .with("key", &other.key)
                    .with("scheme", text_of(&pair.value).unwrap_or_default()),
            );
        }
        let facts = self.partner(pair)?;
        let own = member(root, "scheme").unwrap_or_default();
        let is_circle = self.leads_back(&facts, own);
        if is_circle {
            self.untaken(
                pair,
                (
                    "的行(直接或经过别的方案)来自本方案:这样绕成一圈,永远不会有第一行",
                    "takes its rows from this one, or from others that do: in such a circle there is never a first row",
                ),
            );
        }
        if !self.gives_to(&facts, own) {
            source.plan.from_stored = true;
            let hidden = self.env.scheme(&facts.id).ok().and_then(|facts| facts.hidden);
            match hidden {
                Some(hidden) => self.inherit(&mut source, &hidden),
                None if is_circle => {}
                None => self.untaken(
                    pair,
                    (
                        "的文件有错误:不知道它的行里哪些字段要隐藏,不能取它存下的行",
                        "has errors in its file: which fields of its rows are hidden is not known, so its stored rows cannot be taken",
                    ),
                ),
            }
        }
        let target = root.get("target").map(|pair| &pair.value);
        let connection = target.and_then(|node| member(node, "connection"));
        match connection
            .map(str::to_owned)
            .or_else(|| self.connection_of(&facts))
        {
            Some(connection) => source.plan.connection = connection,
            None => {
                self.report(
                    self.problem(&words::SCHEME_SOURCE_STORES, pair.value.span.clone())
                        .with("name", text_of(&pair.value).unwrap_or_default()),
                );
                return None;
            }
        }
        source.plan.from_scheme = Some(facts.id);
        source.plan.receive = Some(ReceivePlan {
            operation: String::new(),
            only: true,
            options: Tree::literal(Value::Map(Map::new())),
            headers: Vec::new(),
        });
        Some(source)
    }

    /// What people do not see in the rows of the other scheme, they do not see here.
    fn inherit(&self, source: &mut Source, hidden: &[Path]) {
        let plan = &mut source.plan;
        plan.hidden = plan.inherited(hidden);
        for (_, tree) in &mut plan.derive {
            tree.hide_fields(&plan.hidden);
        }
    }

    /// Whether a scheme gives rows to the one with this id by its own word.
    fn gives_to(&self, giver: &SchemeLinks, id: &str) -> bool {
        let to = giver.gives_to.as_deref();
        to.is_some_and(|to| self.is_called(to, id))
    }

    /// The schemes whose rows are, directly or by way of others, those of one; itself first.
    fn chain(&self, from: &SchemeLinks) -> impl Iterator<Item = SchemeLinks> {
        let next = |links: &SchemeLinks| self.env.links(links.takes_from.as_deref()?).ok();
        std::iter::successors(Some(from.clone()), next).take(CHAIN)
    }

    /// Whether a scheme is this one, or takes its rows from this one, by however many others.
    fn leads_back(&self, from: &SchemeLinks, own: &str) -> bool {
        self.chain(from).any(|links| links.id == own) || self.chain(from).count() == CHAIN
    }

    /// The connection of a scheme, or of the first one behind it that has one: a scheme without a target calls nobody, and
    /// is at home where its rows come from.
    fn connection_of(&self, from: &SchemeLinks) -> Option<String> {
        self.chain(from).find_map(|links| links.connection)
    }

    /// What is given to another scheme.
    pub(super) fn emit(
        &mut self,
        root: &Node,
        node: &Node,
        columns: Option<&Columns>,
        target: &TargetPlan,
    ) -> Option<EmitPlan> {
        let emit = &node.get("on_success")?.value.get("emit")?.value;
        let (to, row) = (emit.get("scheme")?, emit.get("row")?);
        let first = target.first_step.iter();
        let steps = first.chain(target.steps.iter().map(|step| &step.name));
        self.steps = Some(steps.cloned().collect());
        let tree = self
            .compile(TreePlace::ANSWER, columns, None, |cx| {
                compile_tree(&row.value, cx)
            })
            .settled();
        self.steps = None;
        let hidden = &target.sensitive_source;
        let mut reads = tree.reads().iter();
        if !tree.sensitive().is_empty() || reads.any(|read| hidden.iter().any(|one| overlap(one, read))) {
            self.report(
                self.problem(&words::SAVE_SENSITIVE, row.key_span.clone())
                    .with("column", "row"),
            );
        }
        // The row follows the last step, whose answer is not that of the document.
        let body = Path::parse("$answer.body").expect("a path");
        let of_several = target.batch > 1 || !target.steps.is_empty();
        if of_several
            && tree
                .names()
                .iter()
                .any(|name| name == &body || name.below(&body).is_some())
        {
            self.report(
                self.problem(&words::ANSWER_OF_SEVERAL, row.value.span.clone())
                    .with("batch", target.batch),
            );
        }
        let facts = self.partner(to)?;
        let own = member(root, "scheme").unwrap_or_default();
        if facts.id == own
            || !facts
                .takes_from
                .as_deref()
                .is_some_and(|from| self.is_called(from, own))
        {
            self.untaken(
                to,
                (
                    "不接收本方案的行:它的 source 不是 {scheme: 本方案}",
                    "does not take rows of this one: its source is not {scheme: THIS}",
                ),
            );
        }
        Some(EmitPlan {
            scheme: facts.id,
            row: tree,
        })
    }

    /// The other scheme that a file names.
    fn partner(&mut self, pair: &Pair) -> Option<SchemeLinks> {
        let name = text_of(&pair.value)?;
        let meant = self.aliases.iter().find(|(alias, _)| alias == name);
        match self.env.links(meant.map_or(name, |(_, id)| id)) {
            Ok(facts) => Some(facts),
            Err(near) => {
                let all = listed(&near.all);
                self.report(
                    self.problem(&words::EMIT_UNTAKEN, pair.value.span.clone())
                        .with("name", name)
                        .with("what_zh", "不存在")
                        .with("what_en", format!("is not there ({all})"))
                        .similar(nearest(name, near)),
                );
                None
            }
        }
    }

    /// Whether a name in another file means the scheme with this id.
    fn is_called(&self, name: &str, id: &str) -> bool {
        name == id || self.env.links(name).is_ok_and(|links| links.id == id)
    }

    fn untaken(&mut self, pair: &Pair, (zh, en): (&str, &str)) {
        let name = text_of(&pair.value).unwrap_or_default();
        self.report(
            self.problem(&words::EMIT_UNTAKEN, pair.value.span.clone())
                .with("name", name)
                .with("what_zh", zh)
                .with("what_en", en),
        );
    }
}
