//! `publish`: what of a scheme's rows others may read.

use super::{Reader, member, text_of};
use crate::catalogue::scheme as words;
use crate::diagnostic::did_you_mean;
use crate::keys;
use crate::path::Path;
use crate::plan::PublishPlan;
use crate::tree::{Columns, overlap};
use crate::yaml::{Node, NodeKind};

/// Rows a page when nothing is said.
const PAGE: u32 = 100;
/// Calls of one token when nothing is said: one a second.
const RATE: (u32, i64) = (60, 60_000);

impl Reader<'_> {
    /// `hidden`: fields of the row that people must not see.
    pub(crate) fn publish(
        &mut self,
        root: &Node,
        columns: Option<&Columns>,
        hidden: &[Path],
    ) -> Option<PublishPlan> {
        let node = &root.get("publish")?.value;
        node.map()?;
        let written: Vec<(String, &Node)> = match &node.get("fields")?.value.kind {
            NodeKind::List(items) => items
                .iter()
                .filter_map(|item| Some((text_of(item)?.replace('.', "_"), item)))
                .collect(),
            NodeKind::Map(pairs) => pairs.iter().map(|pair| (pair.key.clone(), &pair.value)).collect(),
            NodeKind::Scalar(_) => return None,
        };
        let mut fields: Vec<(String, Path)> = Vec::new();
        for (name, place) in written {
            if fields.iter().any(|(known, _)| *known == name) {
                self.report(
                    self.problem(&words::PUBLISH_TWICE, place.span.clone())
                        .with("name", &name),
                );
            } else if let Some(path) = self.field_path("fields", place, columns, false) {
                fields.push((name, path));
            }
        }
        let filter = self.published_filter(node, &fields, columns, hidden);
        let (calls, per_ms) = member(node, "rate").and_then(keys::rate).unwrap_or(RATE);
        let page = member(node, "page")
            .and_then(keys::integer)
            .and_then(|page| u32::try_from(page).ok());
        Some(PublishPlan {
            fields,
            filter,
            page: page.unwrap_or(PAGE),
            calls,
            per_ms,
        })
    }

    fn published_filter(
        &mut self,
        node: &Node,
        fields: &[(String, Path)],
        columns: Option<&Columns>,
        hidden: &[Path],
    ) -> Vec<String> {
        let mut names = Vec::new();
        let items = node.get("filter").and_then(|pair| pair.value.list());
        for item in items.unwrap_or_default() {
            let Some(name) = text_of(item) else { continue };
            let known = fields.iter().find(|(known, _)| known == name);
            let many =
                known.is_some_and(|(_, path)| columns.is_some_and(|columns| columns.holds_many(path, &[])));
            let is_hidden = known.is_some_and(|(_, path)| hidden.iter().any(|one| overlap(one, path)));
            let why = match known {
                // Whoever may ask for one value after another reads what is masked.
                Some(_) if is_hidden => Some((
                    "请求把它当作敏感内容($sensitive),能筛选就能试出它的值",
                    "the request takes it for sensitive ($sensitive), and by a filter its values could be guessed",
                )),
                None => Some(("它没有发布", "it is not published")),
                Some(_) if many => Some(("它是列表或对象", "it is a list or an object")),
                Some(_) if RESERVED.contains(&name) => Some((
                    "这个名称是接口自己的参数",
                    "the interface has a parameter of that name",
                )),
                Some(_) => None,
            };
            match why {
                None => names.push(name.to_owned()),
                Some((zh, en)) => self.report(
                    self.problem(&words::PUBLISH_FILTER, item.span.clone())
                        .with("name", name)
                        .with("why", zh)
                        .with("why_en", en)
                        .similar(did_you_mean(name, fields.iter().map(|(known, _)| known.as_str()))),
                ),
            }
        }
        names
    }
}

/// Parameters of the interface itself.
const RESERVED: [&str; 4] = ["limit", "cursor", "key", "since"];
