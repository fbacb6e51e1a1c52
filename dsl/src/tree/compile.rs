//! From nodes of a file to a [`Tree`]: scalars, templates, expressions, plain maps and lists.
//!
//! Maps with `$` keys are compiled in [`super::maker`]. All problems go into [`Compile::diags`]; what could not be
//! compiled becomes null, so that one problem does not hide the next.

use std::ops::Range;
use std::sync::Arc;

use crate::builtin::Registry;
use crate::catalogue::{Entry, scheme as scheme_words, value as words};
use crate::diagnostic::{Diagnostic, Lang, SourceFile, did_you_mean};
use crate::expr::{self, Bounds, ExprError, Use};
use crate::facts::{NotFound, SchemeFacts};
use crate::filter::Filter;
use crate::lookup::LookupSpec;
use crate::path::{Path, Segment};
use crate::template::{self, Piece as Part};
use crate::tree::columns::{Columns, NotSingle};
use crate::tree::formula::Formula;
use crate::tree::names::{self, TreePlace};
use crate::tree::slips;
use crate::tree::term::segment_name;
use crate::tree::term::{LookupTerm, Missing, Piece, Read, Ref, Term, TermKind, Tree};
use crate::value::{Map, Value};
use crate::yaml::{MAX_PROBLEMS, Node, NodeKind, Pair, Style};

/// Bytes of one template; longer ones are made of values by other means.
pub(crate) const TEMPLATE_BYTES: usize = 4 << 10;

/// How a name of another scheme is resolved.
pub type Schemes<'a> = &'a dyn Fn(&str) -> Result<SchemeFacts, NotFound>;

/// A table of `maps`.
#[derive(Debug, Clone, PartialEq)]
pub enum Table {
    /// What is translated, and into what.
    Constant(Arc<Map>),
    /// What the engine keeps: looked up, without the keys.
    Kept(LookupSpec),
}

/// What trees of one file are compiled with, and the problems found so far.
pub struct Compile<'a> {
    /// The file the nodes are from.
    pub file: &'a Arc<SourceFile>,
    /// The functions there are.
    pub registry: &'a Registry,
    /// The bounds of expressions.
    pub bounds: Bounds,
    /// What may be read here.
    pub place: TreePlace,
    /// The problems so far.
    pub diags: Vec<Diagnostic>,
    /// How many errors there were, also before; from [`MAX_PROBLEMS`] on values are no longer looked at.
    pub(crate) faults: usize,
    /// The fields of a row, where they are known.
    pub columns: Option<Columns>,
    /// The names after `$let` that may be used; `None` leaves that to the caller.
    pub lets: Option<Vec<String>>,
    /// The steps whose results may be read; `None` where there are none.
    pub steps: Option<Vec<String>>,
    /// Steps that are made once for each line.
    pub(crate) line_steps: Vec<String>,
    /// Other schemes.
    pub schemes: Option<Schemes<'a>>,
    /// The tables of `maps` by name; `None` is a table that could not be read and was complained about.
    pub tables: Vec<(String, Option<Table>)>,
    /// Old ways: missing is empty text, values are texts.
    pub compat_qeasy: bool,
    /// Whether a field that is missing is empty text where it is read now.
    reads_empty: bool,
    /// Whether `on_line` may stand in a condition.
    pub(crate) on_lines: bool,
    pub(crate) each: Vec<Around>,
    /// Where `$line_id` is used.
    pub(crate) line_ids: Vec<Range<usize>>,
}

/// More faults than there can be: it has been said that values are no longer looked at.
const TOLD: usize = usize::MAX / 2;

/// An `$each` around the value that is compiled.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    /// Its list.
    pub(crate) at: Path,
    /// Whether its lines have a key.
    pub(crate) keyed: bool,
}

impl Around {
    /// A list whose lines have no ids at the target.
    pub(crate) fn unkeyed(at: Path) -> Around {
        Around { at, keyed: false }
    }
}

/// Compiles one value place.
pub fn compile_tree(node: &Node, cx: &mut Compile<'_>) -> Tree {
    Tree::new(cx.term(node))
}

/// What a placeholder is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// It is sent as it is, a list too.
    Any,
    /// A single value.
    One,
    /// A number.
    Number,
}

impl<'a> Compile<'a> {
    /// A compiler for the trees of one file.
    pub fn new(file: &'a Arc<SourceFile>, registry: &'a Registry, place: TreePlace) -> Compile<'a> {
        Compile {
            file,
            registry,
            bounds: Bounds::default(),
            place,
            diags: Vec::new(),
            faults: 0,
            columns: None,
            lets: None,
            steps: None,
            line_steps: Vec::new(),
            schemes: None,
            tables: Vec::new(),
            compat_qeasy: false,
            reads_empty: false,
            on_lines: false,
            each: Vec::new(),
            line_ids: Vec::new(),
        }
    }

    /// Adds a problem.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.faults += usize::from(diagnostic.is_error());
        self.diags.push(diagnostic);
    }

    pub(crate) fn problem(&self, entry: &'static Entry, span: Range<usize>) -> Diagnostic {
        Diagnostic::new(entry, self.file, span)
    }

    pub(crate) fn term(&mut self, node: &Node) -> Term {
        match &node.kind {
            NodeKind::Scalar(_) => self.scalar(node),
            NodeKind::List(items) => {
                let items = items.iter().map(|item| self.term(item)).collect();
                Term::new(TermKind::List(items), node.span.clone())
            }
            NodeKind::Map(pairs) if pairs.iter().any(|pair| is_ours(&pair.key)) => self.made(node, pairs),
            NodeKind::Map(pairs) => self.plain_map(node, pairs),
        }
    }

    fn plain_map(&mut self, node: &Node, pairs: &[Pair]) -> Term {
        let members = pairs
            .iter()
            .map(|pair| (data_key(&pair.key), self.term(&pair.value)))
            .collect();
        Term::new(TermKind::Map(members), node.span.clone())
    }

    fn scalar(&mut self, node: &Node) -> Term {
        let scalar = node.scalar().expect("only scalars come here");
        let text = scalar.text.as_str();
        if scalar.style == Style::Plain && text == "$drop" {
            return Term::new(TermKind::Drop, node.span.clone());
        }
        // Also with placeholders in it, which would be filled and the rest sent as it is.
        if text.starts_with("function ") {
            self.report(self.problem(&words::FUNCTION_TYPO, node.span_in(0.."function".len())));
        }
        // Explaining each of thousands would take longer than anybody waits, and nobody reads it.
        if self.faults >= MAX_PROBLEMS {
            if self.faults < TOLD {
                self.report(
                    self.problem(&words::NOT_LOOKED_AT, node.span.clone())
                        .with("max", MAX_PROBLEMS),
                );
                self.faults = TOLD;
            }
            return Term::literal(node.plain_value(), node.span.clone());
        }
        let mut term = if let Some(at) = after_word(text, "_function") {
            self.formula(node, at)
        } else if let Some(at) = after_word(text, "_findCollection") {
            self.find(node, at)
        } else if let Some(at) = after_word(text, "_mongoQuery") {
            self.query(node, at)
        } else if template::has_placeholder(text) {
            self.template(node)
        } else {
            self.slips(node, text);
            return Term::literal(node.plain_value(), node.span.clone());
        };
        term.source = Some(text.into());
        term
    }

    /// Warns of what is sent as it is and was hardly meant so.
    fn slips(&mut self, node: &Node, text: &str) {
        let is_name = |name: &str| match (&self.columns, Path::parse(name)) {
            (_, Ok(path)) if path.is_special() => true,
            (Some(columns), Ok(path)) => columns.knows(&path) || !columns.near(&path).is_empty(),
            (None, Ok(_)) => true,
            (_, Err(_)) => false,
        };
        if let Some(slip) = slips::find(text, is_name) {
            self.report(
                self.problem(&words::SENT_AS_TEXT, node.span_in(slip.at.clone()))
                    .with("text", &text[slip.at])
                    .with("right", slip.right),
            );
        }
        // Only a scheme compiles with other schemes around it; in other files references are resolved.
        if self.schemes.is_some()
            && let Some(at) = slips::reference(text)
        {
            self.report(
                self.problem(&words::REFERENCE_IN_SCHEME, node.span_in(at.clone()))
                    .with("reference", &text[at]),
            );
        }
    }

    /// `<<a>>` alone keeps its kind; with anything around it, text.
    fn template(&mut self, node: &Node) -> Term {
        let text = &node.scalar().expect("only scalars come here").text;
        let span = node.span.clone();
        if text.len() > TEMPLATE_BYTES {
            self.report(
                self.problem(&words::TOO_BIG, span.clone())
                    .with("limit", TEMPLATE_BYTES),
            );
            return Term::literal(Value::Null, span);
        }
        match self.pieces(text, &|at| node.span_in(at)) {
            None => Term::literal(Value::Null, span),
            Some(mut pieces) => match pieces.as_mut_slice() {
                [Piece::Read(_)] => match pieces.pop() {
                    Some(Piece::Read(read)) => Term::new(TermKind::Read(read), span),
                    _ => Term::literal(Value::Null, span),
                },
                _ => Term::new(TermKind::Text(pieces), span),
            },
        }
    }

    /// The pieces of a template; `None` when something in it is wrong.
    pub(crate) fn pieces(
        &mut self,
        text: &str,
        place: &dyn Fn(Range<usize>) -> Range<usize>,
    ) -> Option<Vec<Piece>> {
        let parts = match template::pieces(text) {
            Ok(parts) => parts,
            Err(unclosed) => {
                self.report(
                    self.problem(&words::UNCLOSED, place(unclosed.at))
                        .with("mark", unclosed.mark),
                );
                return None;
            }
        };
        let mut good = true;
        let mut pieces = Vec::new();
        for part in parts {
            match part {
                Part::Text(text) => pieces.push(Piece::Text(text.to_owned())),
                Part::Placeholder { inside, at } => {
                    let start = at.start;
                    let read = self.placeholder(inside, &|part| place(start + part.start..start + part.end));
                    // With a filter (`json`, `text`) several values can be one text.
                    if let Some(read) = read.as_ref().filter(|read| read.filters.is_empty())
                        && let Ok(path) = Path::parse(inside.trim())
                    {
                        let alone = text.trim().len() == inside.len() + 4;
                        let need = if alone { Need::Any } else { Need::One };
                        self.single(&read.from, &path, need, place(at.clone()));
                    }
                    good &= read.is_some();
                    pieces.extend(read.map(Piece::Read));
                }
            }
        }
        good.then_some(pieces)
    }

    pub(crate) fn placeholder(
        &mut self,
        inside: &str,
        place: &dyn Fn(Range<usize>) -> Range<usize>,
    ) -> Option<Read> {
        let (path_at, filter_places) = template::path_and_filters(inside);
        let mut filters = Vec::new();
        let mut good = true;
        for at in filter_places {
            match Filter::parse(&inside[at.clone()]) {
                Some(filter) => filters.push(filter),
                None => {
                    good = false;
                    let name = &inside[at.clone()];
                    let near = did_you_mean(name, Filter::names());
                    self.report(
                        self.problem(&words::UNKNOWN_FILTER, place(at))
                            .with("name", name)
                            .with("all", Filter::names().collect::<Vec<_>>().join(" "))
                            .similar(near),
                    );
                }
            }
        }
        let span = place(if path_at.is_empty() {
            0..inside.len()
        } else {
            path_at.clone()
        });
        let path = self.path(&inside[path_at], span.clone())?;
        let bare = filters.first().is_none_or(|filter| !filter.prints_time());
        let read = self.softly(|cx| cx.read(&path, span, bare, filters))?;
        good.then_some(read)
    }

    /// A path that a file writes; reports one that is none.
    pub(crate) fn path(&mut self, text: &str, span: Range<usize>) -> Option<Path> {
        let odd = text.contains(['<', '>', '{', '}']);
        match Path::parse(text) {
            Ok(path) if !odd => Some(path),
            parsed => {
                let why = |lang: Lang| match &parsed {
                    Err(error) => error.what.words(lang),
                    Ok(_) => lang.pick("含有括号", "it holds a bracket"),
                };
                self.report(
                    self.problem(&words::BAD_PATH, span)
                        .with("path", text)
                        .with("why", why(Lang::Zh))
                        .with("why_en", why(Lang::En)),
                );
                None
            }
        }
    }

    /// What a path reads here, as a placeholder; `bare` says that nothing prints it if it is an instant.
    pub(crate) fn read(
        &mut self,
        path: &Path,
        span: Range<usize>,
        bare: bool,
        filters: Vec<Filter>,
    ) -> Option<Read> {
        let from = self.reference(path, span.clone())?;
        if let Ref::Name(name) = &from
            && bare
            && names::is_instant(name)
        {
            self.report(self.problem(&words::INSTANT_BARE, span).with("name", name));
            return None;
        }
        Some(Read {
            missing: self.missing(&from),
            plain: self.compat_qeasy,
            from,
            filters,
        })
    }

    fn missing(&self, from: &Ref) -> Missing {
        match from {
            Ref::Name(path) | Ref::Seconds(path)
                if path
                    .first_name()
                    .is_some_and(|first| self.place.omit.contains(&first)) =>
            {
                Missing::Omit
            }
            Ref::Field { .. } | Ref::Line { .. } if self.compat_qeasy => Missing::Empty,
            _ => Missing::Fail,
        }
    }

    /// What a path refers to here; reports what it cannot refer to.
    pub(crate) fn reference(&mut self, path: &Path, span: Range<usize>) -> Option<Ref> {
        if let Some(days) = names::days_ago(path) {
            return Some(Ref::DaysAgo(days));
        }
        if let Some((name, seconds)) = names::old_variable(path, &self.place) {
            self.allowed(&name, path, span)?;
            return Some(if seconds {
                Ref::Seconds(name)
            } else {
                Ref::Name(name)
            });
        }
        if path.is_special() {
            return self.name(path, span);
        }
        if let Some(line) = self.own_path(path) {
            self.known(path, span);
            return Some(line);
        }
        if !self.place.fields {
            let (zh, en) = self.place.words;
            self.report(
                self.problem(&words::FIELD_NOT_HERE, span)
                    .with("path", path)
                    .with("place", zh)
                    .with("place_en", en),
            );
            return None;
        }
        self.known(path, span);
        Some(Ref::Field {
            slot: 0,
            path: path.clone(),
        })
    }

    fn name(&mut self, path: &Path, span: Range<usize>) -> Option<Ref> {
        if let Err(near) = names::exists(path) {
            self.report(
                self.problem(&words::UNKNOWN_NAME, span)
                    .with("name", path)
                    .similar(near),
            );
            return None;
        }
        let first = path.first_name().unwrap_or_default();
        if matches!(first, "$line" | "$index" | "$line_id") {
            if first == "$line_id" {
                self.allowed(path, path, span.clone())?;
            }
            let Some(Around { at: each, keyed }) = self.each.last().cloned() else {
                self.report(self.problem(&words::LINE_OUTSIDE, span).with("name", path));
                return None;
            };
            if first == "$line_id" {
                if !keyed {
                    self.report(self.problem(&words::LINE_ID_WITHOUT_KEY, span));
                    return None;
                }
                self.line_ids.push(span);
                return Some(Ref::LineId);
            }
            if first == "$index" {
                return Some(Ref::Index { up: 0 });
            }
            let rest = below_first(path);
            if let Some(rest) = &rest {
                self.known(&each.join(rest), span);
            }
            return Some(Ref::Line { up: 0, each, rest });
        }
        if first == "$step" {
            return self.step_result(path, span);
        }
        self.allowed(path, path, span.clone())?;
        if first == "$answer" {
            return self.answer_part(path, span);
        }
        if first == "$let"
            && let Some(lets) = &self.lets
        {
            let name = path.segments().get(1).and_then(segment_name).unwrap_or_default();
            if !lets.contains(&name) {
                let near = did_you_mean(&name, lets.iter().map(String::as_str));
                self.report(
                    self.problem(&words::LET_UNKNOWN, span)
                        .with("name", name)
                        .similar(near),
                );
                return None;
            }
        }
        Some(Ref::Name(path.clone()))
    }

    /// What an earlier step came to: `$step.NAME.id` or `$step.NAME.number`.
    fn step_result(&mut self, path: &Path, span: Range<usize>) -> Option<Ref> {
        let Some(steps) = self.steps.clone() else {
            let (zh, en) = self.place.words;
            self.report(
                self.problem(&words::NAME_NOT_HERE, span)
                    .with("name", path)
                    .with("place", zh)
                    .with("place_en", en),
            );
            return None;
        };
        let names: Vec<String> = path.segments().iter().filter_map(segment_name).collect();
        let name = names.get(1).cloned().unwrap_or_default();
        if self.line_steps.contains(&name) {
            self.report(
                self.problem(&scheme_words::STEP_OF_LINES, span)
                    .with("name", name),
            );
            return None;
        }
        if !steps.contains(&name) {
            let near = did_you_mean(&name, steps.iter().map(String::as_str));
            let all = steps.join(" ");
            self.report(
                self.problem(&scheme_words::STEP_UNKNOWN, span)
                    .with("name", name)
                    .with("all", if all.is_empty() { "-".to_owned() } else { all })
                    .similar(
                        near.into_iter()
                            .map(|near| format!("$step.{near}"))
                            .collect::<Vec<_>>(),
                    ),
            );
            return None;
        }
        if names.len() != 3 || !matches!(names[2].as_str(), "id" | "number") {
            self.report(
                self.problem(&words::UNKNOWN_NAME, span)
                    .with("name", path)
                    .similar(vec![format!("$step.{name}.id"), format!("$step.{name}.number")]),
            );
            return None;
        }
        Some(Ref::Name(path.clone()))
    }

    /// What the target answered: `$answer.id`, `$answer.number`, and fields of its body.
    fn answer_part(&mut self, path: &Path, span: Range<usize>) -> Option<Ref> {
        let names: Vec<String> = path.segments().iter().filter_map(segment_name).collect();
        let known = match names.get(1).map(String::as_str) {
            Some("id" | "number") => names.len() == 2 && path.segments().len() == 2,
            Some("body") => true,
            _ => false,
        };
        if !known {
            let near = ["$answer.id", "$answer.number", "$answer.body"];
            self.report(
                self.problem(&words::UNKNOWN_NAME, span)
                    .with("name", path)
                    .similar(near.map(str::to_owned).to_vec()),
            );
            return None;
        }
        Some(Ref::Name(path.clone()))
    }

    fn allowed(&mut self, name: &Path, written: &Path, span: Range<usize>) -> Option<()> {
        let first = name.first_name().unwrap_or_default();
        if first == "$now" || self.place.names.contains(&first) {
            return Some(());
        }
        let (zh, en) = self.place.words;
        let later = names::LATER.contains(&first);
        self.report(if later {
            self.problem(&words::VALUE_LATER, span).with("what", written)
        } else {
            self.problem(&words::NAME_NOT_HERE, span)
                .with("name", written)
                .with("place", zh)
                .with("place_en", en)
        });
        None
    }

    /// The path of a line in old style, `details.qty` inside `$each: details`.
    fn own_path(&self, path: &Path) -> Option<Ref> {
        self.each
            .iter()
            .rev()
            .enumerate()
            .find_map(|(up, Around { at: each, .. })| {
                let rest = path.below(&without_stars(each))?;
                match rest.segments().first() {
                    None => Some(Ref::Line {
                        up,
                        each: each.clone(),
                        rest: None,
                    }),
                    Some(Segment::Name(_)) => Some(Ref::Line {
                        up,
                        each: each.clone(),
                        rest: Some(rest),
                    }),
                    Some(Segment::Index(_) | Segment::All) => None,
                }
            })
    }

    /// Compiles what reads a missing field as empty text in the old ways: one that nothing knows is no error there.
    fn softly<T>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        let around = std::mem::replace(&mut self.reads_empty, self.compat_qeasy);
        let result = run(self);
        self.reads_empty = around;
        result
    }

    /// Reports a field that nothing knows.
    pub(crate) fn known(&mut self, path: &Path, span: Range<usize>) {
        self.known_as(path, span, ("", ""));
    }

    /// The same, with something to add to the help in Chinese and English.
    pub(crate) fn known_as(&mut self, path: &Path, span: Range<usize>, also: (&str, &str)) {
        if let Some(columns) = &self.columns
            && !columns.knows(path)
        {
            let near = columns.near(path);
            let problem = match columns.is_unsure() {
                true => self.problem(&words::UNSEEN_FIELD, span),
                false if self.reads_empty => self.problem(&words::EMPTY_FIELD, span),
                false => self
                    .problem(&words::UNKNOWN_FIELD, span)
                    .with("also_zh", also.0)
                    .with("also_en", also.1),
            };
            self.report(problem.with("path", path).similar(near));
        }
    }

    /// Reports what samples say cannot be used as it is written: several values where one is needed, text as number.
    fn single(&mut self, from: &Ref, written: &Path, need: Need, span: Range<usize>) {
        let (path, in_line) = match from {
            Ref::Field { path, .. } => (path.clone(), false),
            Ref::Line {
                each,
                rest: Some(rest),
                ..
            } => (each.join(rest), true),
            _ => return,
        };
        let Some(columns) = &self.columns else { return };
        let sample = columns.word(&path).filter(|_| need == Need::Number);
        let sample = sample.map(|text| text.chars().take(20).collect::<String>());
        let several = columns.not_single(&path).filter(|why| match why {
            NotSingle::List | NotSingle::Object(_) => need != Need::Any,
            // Inside its own `$each` a line has passed the list.
            NotSingle::Through(_) => !in_line,
        });
        if let Some(sample) = sample {
            self.report(
                self.problem(&words::TEXT_AS_NUMBER, span.clone())
                    .with("path", written)
                    .with("sample", sample),
            );
        }
        let line = |first: String| {
            (
                format!("明细逐行处理用 `$each`,合计用 `SUM(<<{written}>>)`,某一行写下标,例如 `<<{first}>>`"),
                format!(
                    "for every line use `$each`, for a total `SUM(<<{written}>>)`, for one line its number, such as \
                     `<<{first}>>`"
                ),
            )
        };
        let (why, how) = match several {
            None => return,
            Some(NotSingle::List) => (
                ("是列表".to_owned(), "is a list".to_owned()),
                line(format!("{written}.0")),
            ),
            Some(NotSingle::Object(inside)) => (
                ("是对象".to_owned(), "is an object".to_owned()),
                (
                    format!("写它里面的字段,例如 `<<{inside}>>`"),
                    format!("name a field in it, such as `<<{inside}>>`"),
                ),
            ),
            Some(NotSingle::Through(list)) => {
                let whole = written.to_string();
                let rest = whole.strip_prefix(&list.to_string()).unwrap_or_default();
                let why = (
                    format!("在列表 `{list}` 里,每行一个值"),
                    format!("lies in the list `{list}`, one value a line"),
                );
                (why, line(format!("{list}.0{rest}")))
            }
        };
        self.report(
            self.problem(&words::SEVERAL_VALUES, span)
                .with("path", written)
                .with("why", why.0)
                .with("why_en", why.1)
                .with("how", how.0)
                .with("how_en", how.1),
        );
    }

    fn formula(&mut self, node: &Node, at: usize) -> Term {
        let text = &node.scalar().expect("only scalars come here").text[at..];
        let place = |span: Range<usize>| node.span_in(at + span.start..at + span.end);
        let expr = match expr::compile(text, self.registry, &self.bounds) {
            Ok(expr) => expr,
            Err(errors) => {
                self.expression_problems(&errors, &place);
                for (path, span) in expr::reads_in(text, self.registry, &self.bounds) {
                    self.reference(&path, place(span));
                }
                return Term::literal(Value::Null, node.span.clone());
            }
        };
        self.expression_problems(expr.warnings(), &place);
        let refs: Vec<Option<Ref>> = expr
            .reads()
            .iter()
            .map(|(path, span)| self.softly(|cx| cx.reference(path, place(span.clone()))))
            .collect();
        for (((path, span), from), wanted) in expr.reads().iter().zip(&refs).zip(expr.uses()) {
            let need = match wanted {
                Use::Lines => continue,
                Use::Number => Need::Number,
                Use::Value => Need::One,
            };
            if let Some(from) = from {
                self.single(from, path, need, place(span.clone()));
            }
        }
        let lookups: Vec<Option<LookupTerm>> = expr
            .lookups()
            .iter()
            .map(|spec| self.find_term(spec, &place, node.span.clone()))
            .collect();
        let (Some(refs), Some(lookups)) = (refs.into_iter().collect(), lookups.into_iter().collect()) else {
            return Term::literal(Value::Null, node.span.clone());
        };
        let formula = Formula {
            expr: Arc::new(expr),
            text: text.into(),
            refs,
            lookups,
        };
        Term::new(TermKind::Formula(formula), node.span.clone())
    }

    pub(crate) fn expression_problems(
        &mut self,
        errors: &[ExprError],
        place: &dyn Fn(Range<usize>) -> Range<usize>,
    ) {
        for error in errors {
            let mut diagnostic = self
                .problem(error.entry, place(error.span.clone()))
                .similar(error.similar.clone());
            diagnostic.facts = error.facts.clone();
            self.report(diagnostic);
        }
    }
}

/// A key of the engine: one `$` in front.
pub(crate) fn is_ours(key: &str) -> bool {
    key.starts_with('$') && !key.starts_with("$$")
}

/// The name that is sent: `$$x` is `$x`.
pub(crate) fn data_key(key: &str) -> String {
    match key.strip_prefix("$$") {
        Some(rest) => format!("${rest}"),
        None => key.to_owned(),
    }
}

/// Where the text behind `word` and a blank begins.
fn after_word(text: &str, word: &str) -> Option<usize> {
    let rest = text.strip_prefix(word)?;
    rest.starts_with([' ', '\t', '\n']).then(|| word.len() + 1)
}

/// What follows the first name of a special path.
fn below_first(path: &Path) -> Option<Path> {
    path_of(path.segments().get(1..)?)
}

/// A path of these steps; `None` when there are none.
pub(crate) fn path_of(segments: &[Segment]) -> Option<Path> {
    (!segments.is_empty()).then(|| from_segments(segments))
}

pub(crate) fn from_segments(segments: &[Segment]) -> Path {
    segments
        .iter()
        .fold(Path::names(Vec::<String>::new()), |path, segment| match segment {
            Segment::Name(name) => path.child(name.clone()),
            Segment::Index(index) => path.join(&Path::parse(&index.to_string()).expect("a number is a path")),
            Segment::All => path.join(&Path::parse("*").expect("a star is a path")),
        })
}

fn without_stars(path: &Path) -> Path {
    let named: Vec<Segment> = path
        .segments()
        .iter()
        .filter(|segment| **segment != Segment::All)
        .cloned()
        .collect();
    from_segments(&named)
}
