//! Path places: `key`, `label`, `version`, `explode`, and what is mistaken for a path.

use super::{Reader, text_of};
use crate::catalogue::{scheme as words, value as value_words};
use crate::path::Path;
use crate::template;
use crate::tree::{Columns, TreePlace};
use crate::value::Kind;
use crate::yaml::{Node, Pair, Style};

impl Reader<'_> {
    /// The paths of a place that takes one or a list.
    pub(crate) fn paths(
        &mut self,
        pair: &Pair,
        columns: Option<&Columns>,
        row_number: bool,
    ) -> Option<Vec<Path>> {
        let nodes: Vec<&Node> = match pair.value.list() {
            Some(items) => items.iter().collect(),
            None => vec![&pair.value],
        };
        let paths: Vec<Option<Path>> = nodes
            .into_iter()
            .map(|node| self.field_path(&pair.key, node, columns, row_number))
            .collect();
        paths.into_iter().collect()
    }

    /// One path of a row field. A template or a constant is an error that names what to write.
    pub(crate) fn field_path(
        &mut self,
        key: &str,
        node: &Node,
        columns: Option<&Columns>,
        row_number: bool,
    ) -> Option<Path> {
        let path = self.plain_path(key, node)?;
        if path.is_special() {
            let row = path.first_name() == Some("$row") && path.segments().len() == 1;
            if row && row_number {
                return Some(path);
            }
            let entry = match path.first_name() {
                Some("$push") => self
                    .problem(&value_words::NAME_NOT_HERE, node.span.clone())
                    .with("name", &path)
                    .with("place", "写字段路径的地方(先用 `derive` 把它变成字段)")
                    .with(
                        "place_en",
                        "a place of a field path (make it a field by `derive` first)",
                    ),
                Some("$row") => self
                    .problem(&value_words::NAME_NOT_HERE, node.span.clone())
                    .with("name", &path)
                    .with("place", "没有 `explode` 的行")
                    .with("place_en", "a row without `explode`"),
                _ => self
                    .problem(&value_words::UNKNOWN_NAME, node.span.clone())
                    .with("name", &path),
            };
            self.report(entry);
            return None;
        }
        let also = if key == "key" {
            (
                ";`key` 写的是字段名,不是值",
                "; a `key` names a field, not a value",
            )
        } else {
            ("", "")
        };
        self.compile(TreePlace::ROW, columns, None, |cx| {
            cx.known_as(&path, node.span.clone(), also)
        });
        Some(path)
    }

    /// A path that is written as itself.
    pub(crate) fn plain_path(&mut self, key: &str, node: &Node) -> Option<Path> {
        self.plain_path_like(key, node, None)
    }

    /// The same, with a better example than the name inside a template.
    pub(crate) fn plain_path_like(
        &mut self,
        key: &str,
        node: &Node,
        example: Option<String>,
    ) -> Option<Path> {
        let text = text_of(node)?;
        let scalar = node.scalar()?;
        let templated = template::has_placeholder(text) || text.starts_with("_function");
        let number =
            scalar.style == Style::Plain && matches!(node.plain_value().kind(), Kind::Number | Kind::Bool);
        if templated || number || text.is_empty() {
            let inside = template::pieces(text).ok().and_then(|pieces| {
                pieces.into_iter().find_map(|piece| match piece {
                    template::Piece::Placeholder { inside, .. } => {
                        Some(inside[template::path_and_filters(inside).0].to_owned())
                    }
                    template::Piece::Text(_) => None,
                })
            });
            let (zh, en) = if templated {
                ("模板", "a template")
            } else {
                ("常量", "a constant")
            };
            self.report(
                self.problem(&words::KEY_NOT_A_FIELD, node.span.clone())
                    .with("key", key)
                    .with("what", zh)
                    .with("what_en", en)
                    .with("example", example.or(inside).unwrap_or_else(|| "tid".to_owned())),
            );
            return None;
        }
        self.compile(TreePlace::ROW, None, None, |cx| cx.path(text, node.span.clone()))
    }
}
