//! What several tests need.

use std::collections::BTreeMap;
use std::sync::Arc;

use connector::{Connection, Connections, Connector, HttpAnswer, SecretKind, Secrets, connections};
use dsl::diagnostic::{Lang, render};
use dsl::{SourceFile, Value};

pub(crate) fn json(text: &str) -> Value {
    dsl::json::parse(text.as_bytes()).expect("a test writes JSON")
}

pub(crate) fn connectors() -> Vec<Arc<Connector>> {
    let registry = functions::registry();
    let load = |(id, text): &(&str, &str)| {
        let file = SourceFile::new(format!("connectors/{id}/connector.yaml"), *text);
        connector::load(&file, &registry)
            .map(Arc::new)
            .unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)))
    };
    connector::builtin().iter().map(load).collect()
}

pub(crate) struct Table(BTreeMap<(SecretKindName, String), String>);
pub(crate) type SecretKindName = &'static str;

impl Secrets for Table {
    fn get(&self, kind: SecretKind, name: &str) -> Option<String> {
        self.0.get(&(kind.name(), name.to_owned())).cloned()
    }
}

pub(crate) fn secrets(pairs: &[(SecretKindName, &str, &str)]) -> Table {
    Table(
        pairs
            .iter()
            .map(|(kind, name, value)| ((*kind, (*name).to_owned()), (*value).to_owned()))
            .collect(),
    )
}

pub(crate) fn connections_of(yaml: &str) -> Connections {
    let file = SourceFile::new("connections.yaml", yaml);
    connections::load(&file, &connectors(), &functions::registry())
        .unwrap_or_else(|problems| panic!("{}", render(&problems, Lang::En, false, 20)))
}

pub(crate) const TWO: &str = r#"
connections:
  huke:
    connector: netease-huke
    params: {key: testkey, secret: "${secret:huke}"}
  k3:
    connector: kingdee-k3cloud
    params:
      server: "https://erp.example.com/k3cloud/"
      acct: acct01
      user: demo
      app_id: "${env:K3_APP}"
      app_secret: "${secret:k3}"
      password: "${secret:k3_password}"
    quiet_period: 500ms
    env:
      signed: {params: {auth: sign}}
      app_secret: {params: {auth: login_by_app_secret}}
      password: {params: {auth: validate_user}}
"#;

pub(crate) fn two_secrets() -> Table {
    secrets(&[
        ("secret", "huke", "testsecret"),
        ("secret", "k3", "canary-app-secret"),
        ("secret", "k3_password", "canary/pass\"word"),
        ("env", "K3_APP", "240001_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"),
    ])
}

pub(crate) fn connect(name: &str, env: &str) -> Arc<Connection> {
    let connection = connections_of(TWO).resolve(name, env, &two_secrets());
    Arc::new(connection.unwrap_or_else(|failure| panic!("{failure:?}")))
}

pub(crate) fn answer(status: u16, body: &str) -> HttpAnswer {
    HttpAnswer {
        status,
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    }
}
