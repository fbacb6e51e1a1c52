//! Credentials of the simulated systems, and the connections that use them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::systems::{Kind, Row, SYSTEMS};

/// Made-up credentials; the secrets protect nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Huke appkey.
    pub huke_key: String,
    /// Huke secret.
    pub huke_secret: String,
    /// Kingdee data centre.
    pub acct: String,
    /// Kingdee user.
    pub user: String,
    /// Kingdee password, for `ValidateUser`.
    pub password: String,
    /// Kingdee app id: client id, underscore, 32 characters.
    pub app_id: String,
    /// Kingdee app secret.
    pub app_secret: String,
    /// Client of the plain system.
    pub plain_id: String,
    /// Its secret.
    pub plain_secret: String,
    /// Those of the other systems that are not the usual ones, as `jst.app_secret`.
    pub others: BTreeMap<String, String>,
}

impl Default for Credentials {
    fn default() -> Self {
        let usual = |system, name| usual(system, name).unwrap_or_default().to_owned();
        Credentials {
            huke_key: usual("huke", "key"),
            huke_secret: usual("huke", "secret"),
            acct: usual("kingdee", "acct"),
            user: usual("kingdee", "user"),
            password: usual("kingdee", "password"),
            app_id: usual("kingdee", "app_id"),
            app_secret: usual("kingdee", "app_secret"),
            plain_id: usual("plain", "client_id"),
            plain_secret: usual("plain", "client_secret"),
            others: BTreeMap::new(),
        }
    }
}

/// A credential as it stands in the row of its system.
fn usual(system: &str, name: &str) -> Option<&'static str> {
    let param = Row::named(system)?
        .params
        .iter()
        .find(|param| param.name == name)?;
    match param.kind {
        Kind::Open(text) | Kind::Secret(text, _) | Kind::Given(text) | Kind::Spare(text) => Some(text),
        Kind::Server(_) | Kind::Fixed(_) => None,
    }
}

impl Credentials {
    /// One of them, by system and parameter.
    ///
    /// # Panics
    /// When the row of that system has no such credential.
    pub(crate) fn get(&self, system: &str, name: &str) -> &str {
        match (system, name) {
            ("huke", "key") => &self.huke_key,
            ("huke", "secret") => &self.huke_secret,
            ("kingdee", "acct") => &self.acct,
            ("kingdee", "user") => &self.user,
            ("kingdee", "password") => &self.password,
            ("kingdee", "app_id") => &self.app_id,
            ("kingdee", "app_secret") => &self.app_secret,
            ("plain", "client_id") => &self.plain_id,
            ("plain", "client_secret") => &self.plain_secret,
            _ => match self.others.get(&format!("{system}.{name}")) {
                Some(own) => own,
                None => usual(system, name).expect("a system asks for what its row has"),
            },
        }
    }

    /// A name among [`Credentials::others`] that no system has.
    pub(crate) fn unknown(&self) -> Option<&str> {
        let is_known = |name: &&String| {
            let (system, param) = name.split_once('.').unwrap_or_default();
            usual(system, param).is_some()
        };
        self.others
            .keys()
            .find(|name| !is_known(name))
            .map(String::as_str)
    }

    fn value(&self, addr: SocketAddr, row: &Row, name: &str, kind: Kind) -> String {
        match kind {
            Kind::Server(path) => format!("http://{addr}{path}"),
            Kind::Fixed(text) => text.to_owned(),
            Kind::Open(_) | Kind::Secret(..) | Kind::Given(_) | Kind::Spare(_) => {
                self.get(row.name, name).to_owned()
            }
        }
    }

    /// What the connector with this id is told; `None` when there is no simulator for it.
    pub(crate) fn params(&self, addr: SocketAddr, connector: &str) -> Option<BTreeMap<String, String>> {
        let row = SYSTEMS.iter().find(|row| row.connector == connector)?;
        let given = row
            .params
            .iter()
            .filter(|param| !matches!(param.kind, Kind::Spare(_)));
        let pairs = given.map(|param| {
            let value = self.value(addr, row, param.name, param.kind);
            (param.name.to_owned(), value)
        });
        Some(pairs.collect())
    }

    /// A `connections.yaml` over these connectors, its secrets by reference.
    pub(crate) fn yaml(&self, addr: SocketAddr, connectors: &[&str]) -> String {
        let mut out = "connections:\n".to_owned();
        let mut line = |text: String| writeln!(out, "{text}").expect("a String takes any text");
        for row in rows(connectors) {
            line(format!("  {}:", row.connection));
            line(format!("    connector: {}", row.connector));
            line("    params:".to_owned());
            for param in row.params {
                let value = match param.kind {
                    Kind::Given(_) | Kind::Spare(_) => continue,
                    Kind::Fixed(word) => word.to_owned(),
                    Kind::Secret(_, variable) => format!("\"${{env:{variable}}}\""),
                    kind => format!("\"{}\"", self.value(addr, row, param.name, kind)),
                };
                line(format!("      {}: {value}", param.name));
            }
            line("    quiet_period: 500ms".to_owned());
        }
        out
    }

    /// The variables that [`Credentials::yaml`] refers to.
    pub(crate) fn exports(&self, connectors: &[&str]) -> Vec<(String, String)> {
        rows(connectors)
            .flat_map(|row| row.params.iter().map(move |param| (row, param)))
            .filter_map(|(row, param)| match param.kind {
                Kind::Secret(_, variable) => {
                    Some((variable.to_owned(), self.get(row.name, param.name).to_owned()))
                }
                _ => None,
            })
            .collect()
    }
}

fn rows(connectors: &[&str]) -> impl Iterator<Item = &'static Row> {
    SYSTEMS.iter().filter(|row| connectors.contains(&row.connector))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_credential_is_found_by_its_name() {
        let (plain, addr) = (Credentials::default(), SocketAddr::from(([127, 0, 0, 1], 7070)));
        for row in SYSTEMS {
            let params = plain.params(addr, row.connector).unwrap();
            assert!(params.values().all(|value| !value.is_empty()), "{params:?}");
            for param in row.params {
                let same = row.params.iter().filter(|other| other.name == param.name).count();
                assert_eq!(same, 1, "{}: {} stands twice", row.name, param.name);
                match param.kind {
                    Kind::Open(text) | Kind::Secret(text, _) | Kind::Given(text) => {
                        assert_eq!(params[param.name], text);
                    }
                    Kind::Spare(text) => {
                        assert_eq!(plain.get(row.name, param.name), text);
                        assert!(!params.contains_key(param.name));
                    }
                    Kind::Server(_) | Kind::Fixed(_) => {}
                }
            }
        }
        assert_eq!(plain.params(addr, "none"), None);
    }

    #[test]
    fn what_is_printed() {
        let (plain, addr) = (Credentials::default(), SocketAddr::from(([127, 0, 0, 1], 7070)));
        let ids = ["kingdee-k3cloud", "netease-huke", "none"];
        assert_eq!(
            plain.yaml(addr, &ids),
            "connections:
  huke:
    connector: netease-huke
    params:
      server: \"http://127.0.0.1:7070/huke/openapi/\"
      key: \"sandbox-huke\"
      secret: \"${env:SANDBOX_HUKE_SECRET}\"
    quiet_period: 500ms
  k3:
    connector: kingdee-k3cloud
    params:
      server: \"http://127.0.0.1:7070/k3cloud/\"
      auth: login_by_sign
      acct: \"sandbox01\"
      user: \"integration\"
      app_id: \"240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX\"
      app_secret: \"${env:SANDBOX_K3_SECRET}\"
    quiet_period: 500ms
"
        );
        let exports = plain.exports(&ids);
        assert_eq!(
            exports[0],
            ("SANDBOX_HUKE_SECRET".to_owned(), plain.huke_secret.clone())
        );
        assert_eq!(
            exports[1],
            ("SANDBOX_K3_SECRET".to_owned(), plain.app_secret.clone())
        );
        assert_eq!(exports.len(), 2);
    }
}
