//! Maps with `$` keys: exactly one maker, which gives the value, and any manners, which say how it is treated.

use std::ops::Range;
use std::sync::Arc;

use crate::catalogue::value as words;
use crate::cond::compile_cond;
use crate::diagnostic::did_you_mean;
use crate::facts::Action;
use crate::filter::Fit;
use crate::keys::{MAKERS, MANNERS, arguments, words as words_of};
use crate::lookup::{LookupSpec, Within};
use crate::path::Path;
use crate::tree::compile::{Around, Compile, Table, is_ours};
use crate::tree::term::{
    EachTerm, Empty, LookupTerm, Maker, Manners, Missing, OnError, Read, Ref, Term, TermKind, star_below,
};
use crate::value::{Map, Value};
use crate::yaml::{Node, Pair};

impl Compile<'_> {
    /// A map in which at least one key is the engine's.
    pub(crate) fn made(&mut self, node: &Node, pairs: &[Pair]) -> Term {
        let nothing = Term::literal(Value::Null, node.span.clone());
        let Some(maker_pair) = self.keys_fit(pairs, &node.span) else {
            return nothing;
        };
        let maker = self.maker(maker_pair, node, pairs);
        let manners = self.manners(pairs, maker.as_ref());
        let Some(maker) = maker else {
            return nothing;
        };
        let mut term = match (&maker, has_manners(pairs)) {
            (Maker::Value(term), false) if matches!(term.kind, TermKind::Literal(_)) => term.clone(),
            _ => Term::made(maker, manners, node.span.clone()),
        };
        term.source = self
            .file
            .text
            .get(node.span.clone())
            .map(str::trim)
            .map(Into::into);
        term
    }

    /// Checks the names of the keys; gives the maker's pair.
    fn keys_fit<'n>(&mut self, pairs: &'n [Pair], span: &Range<usize>) -> Option<&'n Pair> {
        if let Some(plain) = pairs.iter().find(|pair| !is_ours(&pair.key)) {
            self.report(
                self.problem(&words::MIXED_KEYS, plain.key_span.clone())
                    .with("key", &plain.key),
            );
            return None;
        }
        let mut maker: Option<&Pair> = None;
        let mut good = true;
        for pair in pairs {
            let key = pair.key.as_str();
            if MAKERS.iter().any(|maker| maker.row.key == key) {
                if let Some(first) = maker {
                    good = false;
                    self.report(
                        self.problem(&words::TWO_MAKERS, pair.key_span.clone())
                            .with("first", &first.key)
                            .with("second", key),
                    );
                }
                maker = maker.or(Some(pair));
            } else if !MANNERS.iter().any(|row| row.key == key) && !arguments().any(|name| name == key) {
                good = false;
                let all = MAKERS
                    .iter()
                    .map(|maker| maker.row.key)
                    .chain(MANNERS.iter().map(|row| row.key))
                    .chain(arguments());
                let near = did_you_mean(key, all);
                self.report(
                    self.problem(&words::UNKNOWN_MAKER, pair.key_span.clone())
                        .with("key", key)
                        .similar(near),
                );
            }
        }
        let Some(maker) = maker else {
            if good {
                let all: Vec<&str> = MAKERS.iter().map(|maker| maker.row.key).collect();
                self.report(
                    self.problem(&words::NO_MAKER, span.clone())
                        .with("all", all.join(" ")),
                );
            }
            return None;
        };
        let takes = MAKERS
            .iter()
            .find(|row| row.row.key == maker.key)
            .map_or(&[][..], |row| row.arguments);
        for pair in pairs {
            let key = pair.key.as_str();
            let argument = arguments().any(|name| name == key);
            if argument && !takes.iter().any(|row| row.key == key) {
                good = false;
                self.report(
                    self.problem(&words::MISPLACED_ARGUMENT, pair.key_span.clone())
                        .with("key", key)
                        .with("maker", &maker.key),
                );
            }
        }
        for needed in takes.iter().filter(|row| row.required) {
            if !pairs.iter().any(|pair| pair.key == needed.key) {
                good = false;
                self.report(
                    self.problem(&words::MAKER_NEEDS, maker.key_span.clone())
                        .with("maker", &maker.key)
                        .with("key", needed.key),
                );
            }
        }
        good.then_some(maker)
    }

    fn maker(&mut self, pair: &Pair, node: &Node, pairs: &[Pair]) -> Option<Maker> {
        let held = &pair.value;
        match pair.key.as_str() {
            "$value" => Some(Maker::Value(self.term(held))),
            "$json" => Some(Maker::Json(self.term(held))),
            "$merge" => match held.list() {
                Some(items) => Some(Maker::Merge(items.iter().map(|item| self.term(item)).collect())),
                None => self.bad(pair, "列表", "a list"),
            },
            "$literal" => match held.scalar() {
                Some(scalar) => Some(Maker::Value(Term::literal(
                    scalar.text.as_str().into(),
                    node.span.clone(),
                ))),
                None => self.bad(pair, "文本", "a text"),
            },
            "$split" => {
                let of = self.term(held);
                let with = self.text_of(node, "$with", ",")?;
                match node.get("$with").filter(|_| with.is_empty()) {
                    Some(pair) => self.bad(pair, "分隔符,不能为空", "a separator that is not empty"),
                    None => Some(Maker::Split { of, with }),
                }
            }
            "$join" => Some(Maker::Join {
                list: self.path_read(pair)?,
                with: self.text_of(node, "$with", ",")?,
            }),
            "$map" => self.map(pair, node),
            "$lookup" => self.lookup(pair, node).map(Maker::Lookup),
            "$each" => self
                .each_lines(pair, pairs)
                .map(|each| Maker::Each(Box::new(each))),
            // The last of the table.
            _ => self.text_template(pair),
        }
    }

    pub(crate) fn bad<T>(&mut self, pair: &Pair, want: &str, want_en: &str) -> Option<T> {
        self.report(
            self.problem(&words::BAD_ARGUMENT, pair.value.span.clone())
                .with("key", &pair.key)
                .with("want", want)
                .with("want_en", want_en),
        );
        None
    }

    fn text_of(&mut self, node: &Node, key: &str, default: &str) -> Option<String> {
        let Some(pair) = node.get(key) else {
            return Some(default.to_owned());
        };
        match pair.value.scalar() {
            Some(scalar) => Some(scalar.text.clone()),
            None => self.bad(pair, "文本", "a text"),
        }
    }

    /// A path place, as something to be read.
    fn path_read(&mut self, pair: &Pair) -> Option<Read> {
        let Some(scalar) = pair.value.scalar() else {
            return self.bad(pair, "字段路径", "the path of a field");
        };
        let span = pair.value.span.clone();
        let path = self.path(&scalar.text, span.clone())?;
        let mut read = self.read(&path, span, false, Vec::new())?;
        read.plain = false;
        Some(read)
    }

    fn map(&mut self, pair: &Pair, node: &Node) -> Option<Maker> {
        let of = self.term(&pair.value);
        let to = match (node.get("$to"), node.get("$table")) {
            (Some(to), None) => self.table(to).map(Table::Constant),
            (None, Some(table)) => {
                let Some(name) = table.value.scalar().map(|scalar| scalar.text.clone()) else {
                    return self.bad(table, "对照表名称", "the name of a table");
                };
                match self.tables.iter().find(|(known, _)| *known == name) {
                    Some((_, Some(Table::Kept(_)))) if !self.place.lookups => {
                        self.no_lookups_here(table.value.span.clone());
                        None
                    }
                    Some((_, table)) => table.clone(),
                    None => {
                        let near = did_you_mean(&name, self.tables.iter().map(|(known, _)| known.as_str()));
                        self.report(
                            self.problem(&words::UNKNOWN_TABLE, table.value.span.clone())
                                .with("name", name)
                                .similar(near),
                        );
                        None
                    }
                }
            }
            (None, None) => {
                self.report(
                    self.problem(&words::MAKER_NEEDS, pair.key_span.clone())
                        .with("maker", "$map")
                        .with("key", "$to"),
                );
                None
            }
            (Some(first), Some(second)) => {
                self.report(
                    self.problem(&words::TWO_MAKERS, second.key_span.clone())
                        .with("first", &first.key)
                        .with("second", &second.key),
                );
                None
            }
        };
        Some(match to? {
            Table::Constant(to) => Maker::Map { of, to },
            Table::Kept(spec) => Maker::Lookup(LookupTerm {
                spec,
                keys: vec![of],
                also: None,
            }),
        })
    }

    /// The members of a table: text to constant.
    pub(crate) fn table(&mut self, pair: &Pair) -> Option<Arc<Map>> {
        let Some(members) = pair.value.map() else {
            return self.bad(pair, "“原值: 目标值” 的对象", "a map of value to value");
        };
        let table: Map = members
            .iter()
            .map(|member| (member.key.clone(), member.value.plain_value()))
            .collect();
        Some(Arc::new(table))
    }

    fn lookup(&mut self, pair: &Pair, node: &Node) -> Option<LookupTerm> {
        let Some(name) = pair.value.scalar() else {
            return self.bad(pair, "方案 id", "the id of a scheme");
        };
        let only = self
            .word(node, "$pick", &["newest", "only"])
            .is_some_and(|word| word == "only");
        let facts = self.scheme(&name.text, pair.value.span.clone());
        let by_pair = node.get("$by")?;
        let Some(members) = by_pair.value.map() else {
            return self.bad(by_pair, "“字段: 值” 的对象", "a map of field to value");
        };
        let mut by = Vec::new();
        let mut keys = Vec::new();
        for member in members {
            let column = self.path(&member.key, member.key_span.clone());
            let column = match (&facts, column) {
                (Some(facts), Some(column)) => self.own_column(facts, &column, member.key_span.clone()),
                _ => None,
            };
            let key = self.term(&member.value);
            by.extend(column);
            keys.push(key);
        }
        if members.is_empty() {
            return self.bad(by_pair, "至少一个条件", "at least one condition");
        }
        let get = node.get("$get")?;
        let Some(text) = get.value.scalar() else {
            return self.bad(get, "字段路径", "the path of a field");
        };
        let path = self.path(&text.text, get.value.span.clone())?;
        let facts = facts?;
        let get = self.got_column(&facts, &path, get.value.span.clone())?;
        (by.len() == keys.len()).then(|| LookupTerm {
            spec: LookupSpec {
                id: 0,
                within: Within::Rows,
                scheme: facts.id,
                get,
                by,
                only,
                filtered: false,
            },
            keys,
            also: None,
        })
    }

    fn each_lines(&mut self, pair: &Pair, pairs: &[Pair]) -> Option<EachTerm> {
        let mut list = self.path_read(pair)?;
        // Empty text is no list, in the old ways either: what a missing one means is said by `$missing`.
        list.missing = Missing::Fail;
        let at = match &list.from {
            Ref::Field { path, .. } => path.clone(),
            Ref::Line {
                each,
                rest: Some(rest),
                ..
            } => star_below(each).join(rest),
            Ref::Name(path) => path.clone(),
            Ref::Line { rest: None, .. }
            | Ref::Index { .. }
            | Ref::LineId
            | Ref::Seconds(_)
            | Ref::DaysAgo(_) => {
                return self.bad(pair, "列表字段的路径", "the path of a list");
            }
        };
        let through = match &list.from {
            Ref::Line { rest, .. } => rest.as_ref(),
            _ => Some(&at),
        };
        if through.is_some_and(Path::has_all) {
            return self.bad(
                pair,
                "一个列表;列表里的列表在 `$do` 里再写 `$each: $line.…`",
                "one list; for lists in it, write `$each: $line.…` inside `$do`",
            );
        }
        let of = |key: &str| pairs.iter().find(|pair| pair.key == key);
        let keyed = of("$key");
        if let Some(pair) = keyed {
            self.line_key_fits(pair);
        }
        self.each.push(Around {
            at: at.clone(),
            keyed: keyed.is_some(),
        });
        let body = of("$do").map(|pair| self.term(&pair.value));
        let keep = of("$where").and_then(|pair| compile_cond(&pair.value, self));
        let key = of("$key").and_then(|pair| match pair.value.scalar() {
            Some(scalar) => self.path(&scalar.text, pair.value.span.clone()),
            None => self.bad(pair, "字段路径", "the path of a field"),
        });
        if let (Some(key), Some(pair)) = (&key, of("$key")) {
            self.known(&at.join(key), pair.value.span.clone());
        }
        self.each.pop();
        Some(EachTerm {
            list,
            keep,
            body: body?,
            key,
            place: None,
            hides: false,
        })
    }

    /// A key of lines serves ids of the target's lines, so it stands in a document, below lines that have keys, too.
    fn line_key_fits(&mut self, pair: &Pair) {
        let why = if !self.place.names.contains(&"$line_id") {
            ("这里不是目标单据", "this is no document of the target")
        } else if self.each.iter().any(|around| !around.keyed) {
            (
                "外层的 `$each` 没有 `$key`",
                "the `$each` around it has no `$key`",
            )
        } else {
            return;
        };
        self.report(
            self.problem(&words::LINE_KEY_PLACE, pair.key_span.clone())
                .with("why_zh", why.0)
                .with("why_en", why.1),
        );
    }

    fn manners(&mut self, pairs: &[Pair], maker: Option<&Maker>) -> Manners {
        let mut manners = Manners::default();
        for pair in pairs {
            let Some(row) = MANNERS.iter().find(|row| row.key == pair.key) else {
                continue;
            };
            let (key, words_of) = (row.key, words_of(row));
            if key == "$default" {
                manners.default = Some(self.term(&pair.value));
                continue;
            }
            let Some(word) = self.one_of(pair, words_of) else {
                continue;
            };
            match key {
                "$type" => manners.fit = Fit::parse(&word),
                "$missing" => {
                    manners.missing = Some(missing(&word));
                    if word == "defer" && maker.is_some_and(|maker| !waits(maker)) {
                        self.report(self.problem(&words::DEFER_WHERE, pair.value.span.clone()));
                    }
                }
                "$empty" => {
                    manners.empty = Some(match word.as_str() {
                        "omit" => Empty::Omit,
                        "null" => Empty::Null,
                        _ => Empty::Keep,
                    });
                }
                "$required" => manners.required = word == "true",
                "$sensitive" => manners.sensitive = word == "true",
                "$only" => manners.only = Action::parse(&word),
                _ => {
                    let formula = matches!(maker, Some(Maker::Value(term)) if matches!(term.kind, TermKind::Formula(_)));
                    if maker.is_some() && !formula {
                        self.report(self.problem(&words::ON_ERROR_WHERE, pair.key_span.clone()));
                    }
                    manners.on_error = Some(match word.as_str() {
                        "null" => OnError::Null,
                        "literal" => OnError::Literal,
                        _ => OnError::Fail,
                    });
                }
            }
        }
        manners
    }

    fn word(&mut self, node: &Node, key: &str, all: &[&str]) -> Option<String> {
        node.get(key).and_then(|pair| self.one_of(pair, all))
    }

    /// One of a list of words; `null` may be written without quotes.
    fn one_of(&mut self, pair: &Pair, all: &[&str]) -> Option<String> {
        let word = pair.value.scalar().map(|scalar| scalar.text.clone());
        match word {
            Some(word) if all.contains(&word.as_str()) => Some(word),
            word => {
                let near = did_you_mean(word.as_deref().unwrap_or_default(), all.iter().copied());
                let choice = all.join(" ");
                self.report(
                    self.problem(&words::BAD_ARGUMENT, pair.value.span.clone())
                        .with("key", &pair.key)
                        .with("want", format!("以下之一:{choice}"))
                        .with("want_en", format!("one of {choice}"))
                        .similar(near),
                );
                None
            }
        }
    }
}

/// Whether a look-up that finds nothing can make this wait.
fn waits(maker: &Maker) -> bool {
    let looks_up = |term: &Term| match &term.kind {
        TermKind::Find(_) => true,
        TermKind::Made(made) => waits(&made.maker),
        _ => false,
    };
    match maker {
        Maker::Lookup(_) => true,
        Maker::Value(of) | Maker::Map { of, .. } | Maker::Split { of, .. } => looks_up(of),
        Maker::Each(_) | Maker::Join { .. } | Maker::Merge(_) | Maker::Json(_) | Maker::Template(_) => false,
    }
}

fn has_manners(pairs: &[Pair]) -> bool {
    pairs
        .iter()
        .any(|pair| MANNERS.iter().any(|row| row.key == pair.key))
}

fn missing(word: &str) -> Missing {
    match word {
        "omit" => Missing::Omit,
        "null" => Missing::Null,
        "empty" => Missing::Empty,
        "defer" => Missing::Defer,
        _ => Missing::Fail,
    }
}
