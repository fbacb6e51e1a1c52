//! `scheme`, `name`, `uuid`, `aliases`, `enabled`, `compat`, `zone`, `maps`.

use jiff::tz::TimeZone;

use super::{Reader, member, nearest, text_of};
use crate::catalogue::scheme as words;
use crate::facts::{ConnectorFacts, Text2};
use crate::path::Path;
use crate::tree::TreePlace;
use crate::yaml::Node;

/// What stands at the top of a file.
pub(crate) struct Head {
    pub(crate) scheme: Option<String>,
    pub(crate) name: Text2,
    pub(crate) uuid: Option<String>,
    pub(crate) enabled: bool,
}

impl Reader<'_> {
    pub(crate) fn head(&mut self, root: &Node) -> Head {
        let scheme = member(root, "scheme").map(str::to_owned);
        let name = root.get("name").map(|pair| &pair.value);
        let name = match name {
            Some(node) if node.map().is_some() => Text2 {
                zh: member(node, "zh").unwrap_or_default().to_owned(),
                en: member(node, "en").unwrap_or_default().to_owned(),
            },
            node => Text2::same(node.and_then(text_of).or(scheme.as_deref()).unwrap_or_default()),
        };
        self.compat_qeasy = member(root, "compat") == Some("qeasy");
        let aliases = root
            .get("aliases")
            .and_then(|pair| pair.value.map())
            .unwrap_or_default();
        self.aliases = aliases
            .iter()
            .filter_map(|pair| Some((pair.key.clone(), text_of(&pair.value)?.to_owned())))
            .collect();
        Head {
            scheme,
            name,
            uuid: member(root, "uuid").map(str::to_owned),
            enabled: member(root, "enabled") != Some("false"),
        }
    }

    /// The scheme's own zone, else its source connector's.
    pub(crate) fn zone_of(&mut self, root: &Node, connector: Option<&dyn ConnectorFacts>) -> TimeZone {
        if let Some(zone) = root.get("zone").and_then(|pair| self.zone_at(&pair.value)) {
            return zone;
        }
        connector
            .and_then(|connector| TimeZone::get(connector.zone()).ok())
            .unwrap_or(TimeZone::UTC)
    }

    pub(crate) fn zone_at(&mut self, node: &Node) -> Option<TimeZone> {
        let name = text_of(node).filter(|name| (crate::keys::ZONE.fits)(name))?;
        match TimeZone::get(name) {
            Ok(zone) => Some(zone),
            Err(_) => {
                self.report(
                    self.problem(&words::UNKNOWN_ZONE, node.span.clone())
                        .with("zone", name),
                );
                None
            }
        }
    }

    pub(crate) fn read_tables(&mut self, root: &Node) {
        let maps = root
            .get("maps")
            .and_then(|pair| pair.value.map())
            .unwrap_or_default();
        for pair in maps {
            let to = pair.value.get("to").filter(|to| to.value.map().is_some());
            let table = to.and_then(|to| self.compile(TreePlace::TARGET, None, None, |cx| cx.table(to)));
            self.tables.push((pair.key.clone(), table));
        }
    }

    pub(crate) fn check_aliases(&mut self, root: &Node, looks_up: &[(String, Vec<Path>)]) {
        let aliases = root
            .get("aliases")
            .and_then(|pair| pair.value.map())
            .unwrap_or_default();
        let known = self.lookups_are_known();
        for pair in aliases {
            let Some(id) = text_of(&pair.value) else {
                continue;
            };
            if let Err(near) = self.env.scheme(id) {
                self.report(
                    self.problem(&words::ALIAS_UNKNOWN, pair.value.span.clone())
                        .with("name", id)
                        .similar(nearest(id, near)),
                );
            } else if known && !looks_up.iter().any(|(scheme, _)| scheme == id) {
                self.report(
                    self.problem(&words::ALIAS_UNUSED, pair.key_span.clone())
                        .with("name", &pair.key),
                );
            }
        }
    }
}
