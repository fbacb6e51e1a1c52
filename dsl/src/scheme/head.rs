//! `scheme`, `name`, `uuid`, `aliases`, `enabled`, `compat`, `zone`, `maps`.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{Reader, member, nearest, resolve, text_of};
use crate::catalogue::{scheme as words, value as value_words};
use crate::diagnostic::did_you_mean;
use crate::facts::{ConnectorFacts, Text2};
use crate::keys::FIELD_SIDES;
use crate::lookup::{FieldTable, LookupSpec, Within, is_option_field};
use crate::path::Path;
use crate::tree::{Table, TreePlace};
use crate::value::Map;
use crate::yaml::{Node, Pair};

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
            let table = self.read_table(&pair.key, &pair.value);
            self.tables.push((pair.key.clone(), table));
        }
    }

    /// One table; `None` = it was complained about.
    fn read_table(&mut self, name: &str, node: &Node) -> Option<Table> {
        let fields = node.get("field_mapping");
        let data = node.get("data_mapping");
        let file = node.get("file");
        let (kind, takes): (_, &[&str]) = match (fields, data) {
            (None, None) if file.is_some() => ("file", &["file", "from", "to"]),
            (Some(_), None) => (
                "field_mapping",
                &["field_mapping", "from", "to", "channel", "data_center"],
            ),
            (None, Some(_)) => ("data_mapping", &["data_mapping", "reverse"]),
            (None, None) => ("to", &["to"]),
            // Said by the table of keys.
            (Some(_), Some(_)) => return None,
        };
        for pair in node.map().unwrap_or_default() {
            // What is no key at all is said by the table of keys.
            let is_known =
                ["to", "from", "channel", "data_center", "reverse", "file"].contains(&pair.key.as_str());
            if is_known && !takes.contains(&pair.key.as_str()) {
                let problem = self.problem(&words::TABLE_KEY, pair.key_span.clone());
                self.report(problem.with("key", &pair.key).with("kind", kind));
                return None;
            }
        }
        if let Some(file) = file {
            return self
                .file_table(node, file)
                .map(|table| Table::Constant(Arc::new(table)));
        }
        let constant = node.get("to").filter(|to| to.value.map().is_some());
        if let (Some(to), Some(_)) = (constant, fields) {
            let problem = self.problem(&words::TABLE_SIDES, to.value.span.clone());
            self.report(problem.with("all", FIELD_SIDES.join(" ")));
            return None;
        }
        let spec = |within, scheme: String, by: &str, get: &str, only| {
            Table::Kept(LookupSpec {
                id: 0,
                within,
                scheme,
                get: Path::parse(get).expect("a name of this file"),
                by: vec![Path::parse(by).expect("a name of this file")],
                only,
                filtered: false,
            })
        };
        if let Some(data) = data {
            let called = text_of(&data.value)?;
            let found = resolve(self.env, &self.aliases, called);
            let id = match found {
                Ok(facts) => facts.id,
                Err(near) => {
                    self.report(
                        self.problem(&value_words::LOOKUP_SCHEME, data.value.span.clone())
                            .with("name", called)
                            .similar(near.similar),
                    );
                    return None;
                }
            };
            let is_reverse = member(node, "reverse") == Some("true");
            let (by, get) = match is_reverse {
                true => ("$target.id", "$key"),
                false => ("$key", "$target.id"),
            };
            return Some(spec(Within::Mapping, id, by, get, is_reverse));
        }
        if let Some(fields) = fields {
            let own = |key: &str| member(node, key).map(str::to_owned);
            let side = |key: &str, default: &str| own(key).unwrap_or_else(|| default.to_owned());
            let (from, to) = (side("from", "fs_id"), side("to", "erp_id"));
            let is_side = |side: &String| FIELD_SIDES.contains(&side.as_str());
            let wrong = [("from", &from), ("to", &to)]
                .into_iter()
                .find(|(_, side)| !is_side(side));
            let wrong = wrong
                .and_then(|(key, _)| node.get(key))
                .map(|pair| pair.value.span.clone());
            if wrong.is_some() || from == to {
                let place = wrong.unwrap_or_else(|| fields.key_span.clone());
                let problem = self.problem(&words::TABLE_SIDES, place);
                self.report(problem.with("all", FIELD_SIDES.join(" ")));
                return None;
            }
            let channels = self.env.field_channels();
            if let Some(pair) = node.get("channel")
                && let Some(name) = text_of(&pair.value)
                && !channels.is_empty()
                && !channels.contains(&name)
            {
                self.report(
                    self.problem(&words::TABLE_CHANNEL, pair.value.span.clone())
                        .with("name", name)
                        .with("all", channels.join(" "))
                        .similar(did_you_mean(name, channels.iter().copied())),
                );
                return None;
            }
            let (data_type, types) = (text_of(&fields.value)?, self.env.field_types());
            if !types.is_empty() && !types.contains(&data_type) && !is_option_field(data_type) {
                self.report(
                    self.problem(&words::TABLE_TYPE, fields.value.span.clone())
                        .with("name", data_type)
                        .with("all", types.join(" "))
                        .similar(did_you_mean(data_type, types.iter().copied())),
                );
                return None;
            }
            let table = FieldTable {
                data_type: data_type.to_owned(),
                channel: own("channel"),
                data_center: own("data_center"),
            };
            return Some(spec(
                Within::Fields(Box::new(table)),
                name.to_owned(),
                &from,
                &to,
                true,
            ));
        }
        let Some(to) = constant else {
            if let Some(to) = node.get("to") {
                let problem = self.problem(&words::TABLE_KEY, to.key_span.clone());
                self.report(problem.with("key", "to").with("kind", "to"));
            }
            return None;
        };
        self.compile(TreePlace::TARGET, None, None, |cx| cx.table(to))
            .map(Table::Constant)
    }

    /// Two columns of a file as a table.
    fn file_table(&mut self, node: &Node, file: &Pair) -> Option<Map> {
        let name = text_of(&file.value)?;
        let table = match self.env.table_file(&self.file.name, name) {
            Ok(table) => table,
            Err(fault) => {
                let problem = self.problem(&words::TABLE_FILE, file.value.span.clone());
                self.report(
                    problem
                        .with("file", name)
                        .with("why_zh", fault.zh)
                        .with("why_en", fault.en),
                );
                return None;
            }
        };
        let mut column = |key: &str| {
            let pair = node.get(key)?;
            let Some(wanted) = text_of(&pair.value) else {
                let problem = self.problem(&words::TABLE_KEY, pair.key_span.clone());
                self.report(problem.with("key", key).with("kind", "file"));
                return None;
            };
            let found = table.columns.iter().position(|known| known == wanted);
            if found.is_none() {
                let near = did_you_mean(wanted, table.columns.iter().map(String::as_str));
                let problem = self.problem(&words::TABLE_COLUMN, pair.value.span.clone());
                self.report(
                    problem
                        .with("file", name)
                        .with("name", wanted)
                        .with("all", table.columns.join(" "))
                        .similar(near),
                );
            }
            found
        };
        let (from, to) = (column("from"), column("to"));
        let (from, to) = from.zip(to)?;
        let mut lines: HashMap<&str, (u64, &str)> = HashMap::with_capacity(table.lines.len());
        let mut found = Map::with_capacity(table.lines.len());
        for (line, cells) in &table.lines {
            let (key, value) = (cells.get(from)?, cells.get(to)?);
            let known = *lines.entry(key).or_insert((*line, value));
            if known.1 != value {
                let problem = self.problem(&words::TABLE_DOUBLE, file.value.span.clone());
                self.report(
                    problem
                        .with("file", name)
                        .with("value", key)
                        .with("line", line)
                        .with("first", known.0),
                );
                return None;
            }
            found.entry(key.clone()).or_insert_with(|| value.as_str().into());
        }
        Some(found)
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
