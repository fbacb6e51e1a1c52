//! What a scheme may refer to while it is brought over: the connections that are there and those that are made for it,
//! the other schemes of the same import, and the schemes that are there already.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector::connections::{self, Connections};
use connector::{Connector, KnownAs, NoSecrets};
use dsl::builtin::Registry;
use dsl::diagnostic::SourceFile;
use dsl::facts::{ConnectorFacts, Environment, NotFound, SchemeFacts};
use indexmap::IndexMap;

use crate::model::slug;

/// The connector for systems that have none of their own.
const GENERIC: &str = "http";

/// What is there before the import.
pub struct Known<'a> {
    /// All connectors.
    pub connectors: &'a [Arc<Connector>],
    /// The connections file, if there is one.
    pub connections: Option<&'a Connections>,
    /// The environment of connections that is meant.
    pub env: &'a str,
    /// The functions of expressions.
    pub registry: &'a Registry,
    /// The folder that is written to: its schemes may be looked up.
    pub around: Option<&'a dyn Environment>,
}

/// A connection that the files name and that was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeConnection {
    /// Its name.
    pub name: String,
    /// Its connector.
    pub connector: String,
    /// The platform, as the other tool calls it.
    pub platform: String,
    /// Its lines in connections.yaml.
    pub entry: String,
    /// References to secrets and variables in it.
    pub references: Vec<String>,
}

struct Made {
    told: MadeConnection,
    facts: Option<Arc<dyn ConnectorFacts>>,
}

/// A system that one side of a scheme speaks to.
pub(crate) struct System {
    /// The connection's name.
    pub(crate) connection: String,
    /// The connector's id.
    pub(crate) connector: String,
    /// What the connection can do.
    pub(crate) facts: Option<Arc<dyn ConnectorFacts>>,
    /// How the other tool writes requests to it.
    pub(crate) known_as: KnownAs,
    /// Whether it has no connector of its own.
    pub(crate) is_generic: bool,
}

pub(crate) struct World<'a> {
    known: &'a Known<'a>,
    made: IndexMap<String, Made>,
    /// Platform of a system without a connector -> its connection.
    generic: BTreeMap<String, String>,
    schemes: Vec<(String, Option<String>)>,
    columns: BTreeMap<String, Option<Vec<String>>>,
}

impl<'a> World<'a> {
    pub(crate) fn new(known: &'a Known<'a>) -> World<'a> {
        World {
            known,
            made: IndexMap::new(),
            generic: BTreeMap::new(),
            schemes: Vec::new(),
            columns: BTreeMap::new(),
        }
    }

    pub(crate) fn registry(&self) -> &'a Registry {
        self.known.registry
    }

    /// The schemes of this import.
    pub(crate) fn schemes(&mut self, all: impl Iterator<Item = (String, Option<String>)>) {
        self.schemes = all.collect();
        self.columns.clear();
    }

    /// The columns of one of them.
    pub(crate) fn columns(&mut self, scheme: &str, columns: Option<Vec<String>>) {
        self.columns.insert(scheme.to_owned(), columns);
    }

    pub(crate) fn made(&self) -> Vec<MadeConnection> {
        self.made.values().map(|made| made.told.clone()).collect()
    }

    /// The system that an adapter class and a platform's name mean; `None` when neither says anything.
    pub(crate) fn system(&mut self, adapter: &str, platform: &str) -> Option<System> {
        if adapter.is_empty() && platform.is_empty() {
            return None;
        }
        let found = self.connector(adapter, platform).cloned();
        let is_generic = found.is_none();
        let generic = self
            .known
            .connectors
            .iter()
            .find(|connector| connector.id() == GENERIC);
        let connector = found.or_else(|| generic.cloned())?;
        let connection = match is_generic {
            true => self.generic_connection(&connector, adapter, platform),
            false => self.connection_to(&connector, platform),
        };
        let facts = self.connection(&connection).ok();
        Some(System {
            connection,
            connector: connector.id().to_owned(),
            facts,
            known_as: connector.known_as().clone(),
            is_generic,
        })
    }

    /// The connector whose words fit best: the longest that an adapter's class or the platform's name begins with.
    fn connector(&self, adapter: &str, platform: &str) -> Option<&'a Arc<Connector>> {
        let parts: Vec<&str> = adapter.split('\\').filter(|part| *part != "Adapter").collect();
        let by_adapter = |connector: &Arc<Connector>| {
            let words = connector.known_as().adapters.iter();
            words
                .filter(|word| parts.iter().any(|part| part.starts_with(word.as_str())))
                .map(String::len)
                .max()
        };
        let platform = platform.to_lowercase();
        let by_name = |connector: &Arc<Connector>| {
            let words = connector.known_as().names.iter();
            words
                .filter(|word| platform.starts_with(&word.to_lowercase()))
                .map(String::len)
                .max()
        };
        let best = |fit: &dyn Fn(&Arc<Connector>) -> Option<usize>| {
            let found = self
                .known
                .connectors
                .iter()
                .filter_map(|one| Some((fit(one)?, one)));
            found.max_by_key(|(length, _)| *length).map(|(_, one)| one)
        };
        best(&by_adapter).or_else(|| best(&by_name))
    }

    /// The first connection to a system; one is made when there is none.
    fn connection_to(&mut self, connector: &Arc<Connector>, platform: &str) -> String {
        let is_one = |name: &&str| {
            let of = self.known.connections.and_then(|all| all.connector(name));
            of.is_some_and(|of| of.id() == connector.id())
        };
        let names = self.known.connections.into_iter().flat_map(Connections::names);
        if let Some(name) = names.into_iter().find(is_one) {
            return name.to_owned();
        }
        let name = connector.id().to_owned();
        self.make(&name, connector, platform);
        name
    }

    fn generic_connection(&mut self, connector: &Arc<Connector>, adapter: &str, platform: &str) -> String {
        let vendor = adapter
            .split('\\')
            .find(|part| !part.is_empty() && *part != "Adapter");
        let known = if platform.is_empty() { adapter } else { platform };
        if let Some(name) = self.generic.get(known) {
            return name.clone();
        }
        let base = Some(slug(vendor.unwrap_or(platform)))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "system".to_owned());
        // One that an earlier import made.
        let there = self.known.connections.and_then(|all| all.connector(&base));
        if there.is_some_and(|there| there.id() == connector.id())
            && !self.generic.values().any(|name| *name == base)
        {
            self.generic.insert(known.to_owned(), base.clone());
            return base;
        }
        let is_taken = |name: &String| {
            let there = self
                .known
                .connections
                .is_some_and(|all| all.connector(name).is_some());
            there || self.made.contains_key(name)
        };
        let numbered = (2u32..).map(|number| format!("{base}-{number}"));
        let mut free = std::iter::once(base.clone()).chain(numbered);
        let name = free.find(|name| !is_taken(name)).unwrap_or(base.clone());
        self.generic.insert(known.to_owned(), name.clone());
        self.make(&name, connector, platform);
        name
    }

    fn make(&mut self, name: &str, connector: &Arc<Connector>, platform: &str) {
        if self.made.contains_key(name) {
            return;
        }
        let entry = connector.entry(name, &[]);
        let file = SourceFile::new("connections.yaml", format!("connections:\n{entry}"));
        let loaded = connections::load(&file, std::slice::from_ref(connector), self.known.registry).ok();
        let facts = loaded
            .as_ref()
            .and_then(|all| all.unresolved(name, connections::DEFAULT_ENV).ok())
            .map(|connection| connection.facts());
        let references = loaded.map_or_else(Vec::new, |all| {
            let open = all.open_references(name, connections::DEFAULT_ENV, &NoSecrets);
            open.into_iter().map(|(_, reference)| reference).collect()
        });
        let told = MadeConnection {
            name: name.to_owned(),
            connector: connector.id().to_owned(),
            platform: platform.to_owned(),
            entry,
            references,
        };
        self.made.insert(name.to_owned(), Made { told, facts });
    }
}

impl Environment for World<'_> {
    fn field_channels(&self) -> &'static [&'static str] {
        connector::FIELD_CHANNELS
    }

    fn field_types(&self) -> &'static [&'static str] {
        connector::FIELD_TYPES
    }

    fn connection(&self, name: &str) -> Result<Arc<dyn ConnectorFacts>, NotFound> {
        if let Some(made) = self.made.get(name) {
            return made.facts.clone().ok_or_else(NotFound::default);
        }
        let connections = self.known.connections.ok_or_else(NotFound::default)?;
        Ok(connections.unresolved(name, self.known.env)?.facts())
    }

    fn scheme(&self, name: &str) -> Result<SchemeFacts, NotFound> {
        let own = self
            .schemes
            .iter()
            .find(|(id, uuid)| id == name || uuid.as_deref() == Some(name));
        if let Some((id, _)) = own {
            return Ok(SchemeFacts {
                id: id.clone(),
                columns: self.columns.get(id).cloned().flatten(),
                saved: Vec::new(),
                given: None,
                after: None,
                hidden: Some(Vec::new()),
            });
        }
        match self.known.around {
            Some(around) => around.scheme(name),
            None => Err(NotFound::default()),
        }
    }
}
