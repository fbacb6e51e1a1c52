//! `two_way`: another scheme carries the same documents the other way. What the two must be for each other is checked
//! where both are known.

use super::{Reader, member, text_of};
use crate::catalogue::scheme as words;
use crate::path::Path;
use crate::plan::{SourcePlan, TargetPlan, TwoWayPlan};
use crate::tree::Columns;
use crate::two_way::compared;
use crate::yaml::Node;

impl Reader<'_> {
    pub(crate) fn two_way(
        &mut self,
        root: &Node,
        source: &SourcePlan,
        target: Option<&TargetPlan>,
        columns: Option<&Columns>,
    ) -> Option<TwoWayPlan> {
        let pair = root.get("two_way")?;
        let node = &pair.value;
        node.map()?;
        let unfit = unfit(source, target, member(node, "conflict"));
        if let Some((why, why_en)) = unfit {
            self.report(
                self.problem(&words::TWO_WAY_UNFIT, pair.key_span.clone())
                    .with("why", why)
                    .with("why_en", why_en),
            );
        }
        let id = node
            .get("id")
            .and_then(|pair| self.field_path("id", &pair.value, columns, false));
        let filled = node
            .get("filled")
            .and_then(|pair| self.paths(pair, columns, false));
        let mut named = Vec::new();
        let places = node.get("fields").and_then(|pair| pair.value.map());
        for pair in places.unwrap_or_default() {
            let place = text_of(&pair.value).and_then(|text| Path::parse(text).ok());
            if let (Ok(field), Some(place)) = (Path::parse(&pair.key), place) {
                named.push((field, place));
            }
        }
        Some(TwoWayPlan {
            with: member(node, "with")?.to_owned(),
            conflict: member(node, "conflict")?.to_owned(),
            id,
            filled: filled.unwrap_or_default(),
            named,
            linked: member(node, "linked") == Some("true"),
        })
    }
}

/// What a scheme cannot do that carries documents both ways, in both languages.
fn unfit(
    source: &SourcePlan,
    target: Option<&TargetPlan>,
    conflict: Option<&str>,
) -> Option<(&'static str, &'static str)> {
    let whole = || compared(source).iter().any(|path| path.segments().is_empty());
    let why = match target {
        None => ("`target: none` 不写任何单据", "`target: none` writes nothing"),
        Some(_) if !source.explode.is_empty() => (
            "`explode` 之后一行不再是一张单据",
            "with `explode` a row is not a document any more",
        ),
        Some(_) if source.key.len() != 1 => {
            ("`source.key` 要正好是一个字段", "`source.key` must be one field")
        }
        Some(target) if target.key.len() > 1 => (
            "`target.key` 不能多于一个字段",
            "`target.key` must not be more than one field",
        ),
        Some(_) if source.on_seen == Some(crate::plan::OnSeen::Update) => (
            "`on_seen: update` 会把没有改动的行也写回去",
            "`on_seen: update` would write back rows that nobody changed",
        ),
        Some(_) if whole() => (
            "请求把整行当作一个值来用;要写明用到哪些字段(或写 `source.version`)",
            "the request uses the whole row as one value: name the fields (or write `source.version`)",
        ),
        Some(_) if conflict == Some("newest_wins") && source.newest_by.is_none() => (
            "`newest_wins` 要有 `source.newest_by`",
            "`newest_wins` needs `source.newest_by`",
        ),
        Some(_) => return None,
    };
    Some(why)
}
