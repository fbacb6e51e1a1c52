//! Who speaks: which connections a request means, and whether it is believed.
//!
//! A tenant is what connections of [`CONNECTOR`](super::CONNECTOR) have as `tenant_id`; which of its data centres is
//! meant, the header `dataCenterId` says. Promised: an unknown tenant and a wrong token are one answer after the same
//! work, and nothing else is said to who is not believed but which header is missing.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use app::Workspace;
use app::service::Loaded;
use axum::http::{HeaderMap, StatusCode};
use connector::{Connection, NoSecrets};
use dsl::Lang;
use dsl::catalogue::erp as words;

use crate::problem::Problem;
use crate::receive::later;
use crate::state::State;

/// Which of a connection's secrets the header `token` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// Of what the platform sends by itself.
    Push,
    /// Of our ERP.
    Erp,
}

impl Token {
    fn param(self) -> &'static str {
        match self {
            Token::Push => "push_token",
            Token::Erp => "erp_token",
        }
    }
}

/// What is called: what it needs is told with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    /// `asyncpush`.
    Push,
    /// A mapping function.
    Mapping,
    /// Our ERP.
    Erp,
}

impl Call {
    /// The headers that it needs, in Chinese and English.
    fn needs(self) -> (&'static str, &'static str) {
        match self {
            Call::Push => (
                "asyncpush 需要 token、tenantId、objectApiName、version: v1;配置了多个数据中心时还要 dataCenterId",
                "asyncpush needs token, tenantId, objectApiName and version: v1, and dataCenterId where several are configured",
            ),
            Call::Mapping => (
                "映射接口需要 token、tenantId;配置了多个数据中心时还要 dataCenterId",
                "a mapping function needs token and tenantId, and dataCenterId where several are configured",
            ),
            Call::Erp => (
                "/erp/连接名/… 只需要请求头 token(= erp_token)",
                "/erp/CONNECTION/… needs the header token (= erp_token) and no other",
            ),
        }
    }
}

/// Somebody who is believed.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    /// The tenant; empty where only a token was asked for and the connection has none.
    pub(crate) tenant: String,
    /// The data centre that is meant; empty where its connection names none.
    pub(crate) data_center: String,
    /// The connections that are meant: several where they differ in other things.
    pub(crate) connections: Vec<Arc<Connection>>,
    /// Connections that cannot be used now and may be of the same tenant.
    perhaps: Vec<String>,
}

impl Speaker {
    /// Whether this connection is meant.
    pub(crate) fn is(&self, connection: &str) -> bool {
        self.connections.iter().any(|one| one.name == connection)
    }

    /// Whether this connection may be meant, once it can be used.
    pub(crate) fn may_be(&self, connection: &str) -> bool {
        self.perhaps.iter().any(|one| one == connection)
    }
}

/// Everybody there is, of one reading of the files: secrets are read once, not with every request.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    usable: Vec<Arc<Connection>>,
    unusable: Vec<Unusable>,
}

/// A connection that cannot be used now.
#[derive(Debug)]
struct Unusable {
    name: String,
    /// Its tenant, where it is known.
    tenant: Option<String>,
    /// Its data centre, where it is known; empty = it names none.
    data_center: Option<String>,
}

impl Unusable {
    /// Whether it may be of this tenant.
    fn may_be_of(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_none_or(|of| of == tenant)
    }
}

/// Where they are kept while the files stay.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Option<(Weak<Loaded>, Arc<Speakers>)>>);

impl Book {
    /// Of the files in force.
    pub(crate) fn speakers(&self, loaded: &Arc<Loaded>) -> Arc<Speakers> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, speakers)) = &*kept
            && std::ptr::eq(of.as_ptr(), Arc::as_ptr(loaded))
        {
            return Arc::clone(speakers);
        }
        let speakers = Arc::new(Speakers::of(&loaded.engine.workspace));
        *kept = Some((Arc::downgrade(loaded), Arc::clone(&speakers)));
        speakers
    }
}

/// Who sends this with the token of pushes, by the headers `token`, `tenantId` and `dataCenterId`.
pub(crate) fn speaker(state: &State, headers: &HeaderMap, call: Call) -> Result<Speaker, Problem> {
    speaker_for(state, headers, call, header(headers, "dataCenterId").as_deref())
}

/// The same, for a data centre that is named elsewhere.
pub(crate) fn speaker_for(
    state: &State,
    headers: &HeaderMap,
    call: Call,
    data_center: Option<&str>,
) -> Result<Speaker, Problem> {
    once(headers, &["token", "tenantId"]).map_err(unauthorized)?;
    let given = needed(headers, "token", call).map_err(unauthorized)?;
    let tenant = needed(headers, "tenantId", call).map_err(unauthorized)?;
    let speakers = state.speakers().speakers(&state.service().loaded());
    let again = state.service().inbox().again_seconds();
    let speaker = speakers.judge(Token::Push, &given, &tenant, data_center, again)?;
    once(headers, &SAID)?;
    Ok(speaker)
}

/// What is said in headers besides who speaks.
const SAID: [&str; 5] = ["dataCenterId", "objectApiName", "version", "operationType", "id"];

/// Refuses a header that says two things: whichever counted, the other was meant by somebody. Twice the same is a
/// proxy's.
fn once(headers: &HeaderMap, names: &[&'static str]) -> Result<(), Problem> {
    let says_two = |name: &&&str| {
        let mut values = headers.get_all(**name).iter();
        let first = values.next().map(|value| value.as_bytes().trim_ascii());
        values.any(|value| Some(value.as_bytes().trim_ascii()) != first)
    };
    match names.iter().find(says_two) {
        Some(name) => Err(refused(&words::TWICE).with("name", name)),
        None => Ok(()),
    }
}

/// Who calls the ERP that we are for this connection, by the header `token`.
pub(crate) fn caller(state: &State, headers: &HeaderMap, connection: &str) -> Result<Speaker, Problem> {
    once(headers, &["token"]).map_err(unauthorized)?;
    let given = needed(headers, "token", Call::Erp).map_err(unauthorized)?;
    let speakers = state.speakers().speakers(&state.service().loaded());
    let mut found = speakers.believed(Token::Erp, &given);
    found.retain(|one| one.name == connection);
    let one = found.first().ok_or_else(unbelieved)?;
    Ok(Speaker {
        tenant: one.plain_param("tenant_id").unwrap_or_default(),
        data_center: data_center_of(one),
        connections: found,
        perhaps: Vec::new(),
    })
}

impl Speakers {
    fn of(workspace: &Workspace) -> Speakers {
        let mut speakers = Speakers::default();
        for (name, resolved) in workspace.resolved(super::CONNECTOR) {
            match resolved {
                Ok(connection) => speakers.usable.push(Arc::new(connection)),
                Err(error) => {
                    tracing::warn!(
                        connection = name,
                        code = error.code(),
                        "{}",
                        error.message(Lang::En)
                    );
                    let (file, env) = (workspace.connections(), workspace.connections_env());
                    let known = file.and_then(|file| file.unresolved(&name, env).ok());
                    // What is written as a reference may be anything.
                    let open = file.map(|file| file.open_references(&name, env, &NoSecrets));
                    let is_open = |param: &str| open.iter().flatten().any(|(of, _)| of == param);
                    let said = |param: &str| {
                        let known = known.as_ref().filter(|_| !is_open(param))?;
                        Some(known.plain_param(param).unwrap_or_default())
                    };
                    speakers.unusable.push(Unusable {
                        tenant: said("tenant_id").filter(|tenant| !tenant.is_empty()),
                        data_center: said("data_center"),
                        name,
                    });
                }
            }
        }
        speakers
    }

    /// Those whose token this is. Everybody's is compared.
    fn believed(&self, token: Token, given: &str) -> Vec<Arc<Connection>> {
        let is_theirs = |one: &&Arc<Connection>| one.matches_secret(token.param(), given);
        self.usable.iter().filter(is_theirs).cloned().collect()
    }

    fn judge(
        &self,
        token: Token,
        given: &str,
        tenant: &str,
        data_center: Option<&str>,
        again: u32,
    ) -> Result<Speaker, Problem> {
        let is_of = |one: &Arc<Connection>| one.plain_param("tenant_id").as_deref() == Some(tenant);
        let mut believed = self.believed(token, given);
        believed.retain(is_of);
        if believed.is_empty() {
            return Err(unbelieved());
        }
        // A connection that names no data centre is meant by any.
        let own = self.usable.iter().filter(|one| is_of(one)).map(data_center_of);
        // What cannot be used now is there all the same.
        let shut = self.unusable.iter().filter(|one| one.may_be_of(tenant));
        let theirs = shut.clone().filter(|one| one.tenant.is_some());
        let named = own.chain(theirs.filter_map(|one| one.data_center.clone()));
        let mut centres: Vec<String> = named.filter(|name| !name.is_empty()).collect();
        centres.sort();
        centres.dedup();
        let known = || centres.join(" ");
        let may_be_shut = |name: &str| {
            let mut shut = shut.clone();
            shut.any(|one| one.data_center.as_deref().is_none_or(|own| own == name))
        };
        let meant = match (data_center, centres.as_slice()) {
            (None, [only]) => only.clone(),
            (None, []) => String::new(),
            (None, _) => return Err(refused(&words::NO_DATA_CENTER).with("known", known())),
            // Nothing to be held against.
            (Some(given), []) => given.to_owned(),
            (Some(given), _) if centres.iter().any(|one| one == given) => given.to_owned(),
            (Some(given), _) if may_be_shut(given) => return Err(later(again)),
            (Some(given), _) => {
                return Err(
                    Problem::from(app::mapping::other_data_center(given, &centres)).status_of(StatusCode::OK)
                );
            }
        };
        believed.retain(|one| {
            let own = data_center_of(one);
            own == meant || own.is_empty()
        });
        if believed.is_empty() {
            // The token is that of another data centre of the tenant, or its connection cannot be used now.
            return Err(match may_be_shut(&meant) {
                true => later(again),
                false => unbelieved(),
            });
        }
        Ok(Speaker {
            tenant: tenant.to_owned(),
            data_center: meant,
            connections: believed,
            perhaps: shut.clone().map(|one| one.name.clone()).collect(),
        })
    }
}

fn data_center_of(connection: &Arc<Connection>) -> String {
    connection.plain_param("data_center").unwrap_or_default()
}

/// A header's text, without blanks around it; what is empty is not there.
pub(crate) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(name)?.as_bytes())
        .trim()
        .to_owned();
    (!text.is_empty()).then_some(text)
}

/// A header that must be there.
pub(crate) fn needed(headers: &HeaderMap, name: &'static str, call: Call) -> Result<String, Problem> {
    header(headers, name).ok_or_else(|| {
        let (zh, en) = call.needs();
        refused(&words::NO_HEADER)
            .with("name", name)
            .with("needs_zh", zh)
            .with("needs_en", en)
    })
}

/// What somebody who is believed is told: the platform answers refusals with HTTP 200, and so do we.
pub(crate) fn refused(entry: &'static dsl::catalogue::Entry) -> Problem {
    Problem::new(StatusCode::OK, entry)
}

fn unauthorized(problem: Problem) -> Problem {
    problem.status_of(StatusCode::UNAUTHORIZED)
}

fn unbelieved() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, &words::UNBELIEVED)
}

/// What somebody sent, as it may stand in an answer: short and without control characters.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(64).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use app::{Places, SecretTable};

    use super::*;

    fn speakers() -> Speakers {
        let dir = tempfile::tempdir().unwrap();
        let login =
            "app_id: FSAID_1, app_secret: \"${env:SECRET}\", code: \"${env:SECRET}\", user_id: \"1000\"";
        let tokens = "push_token: \"${env:PUSH}\", erp_token: \"${env:ERP}\"";
        let entry = |name: &str, more: &str| {
            format!("  {name}:\n    connector: fxiaoke\n    params: {{{login}{more}}}\n")
        };
        let text = [
            "connections:\n".to_owned(),
            entry("east", &format!(", {tokens}, tenant_id: \"81\", data_center: c1")),
            entry("west", &format!(", {tokens}, tenant_id: \"81\", data_center: c2")),
            entry(
                "west_too",
                &format!(", {tokens}, tenant_id: \"81\", data_center: c2"),
            ),
            entry("north", ", tenant_id: \"82\", push_token: \"${env:NORTH}\""),
            entry("south", ", tenant_id: \"84\", push_token: \"${env:NORTH}\""),
            entry(
                "south_c1",
                ", tenant_id: \"84\", push_token: \"${env:NORTH}\", data_center: c1",
            ),
            entry("north_too", ", tenant_id: \"82\", push_token: \"${env:NOWHERE}\""),
            // Of two data centres one cannot be used; of the third nobody can say which it is.
            entry(
                "up",
                ", tenant_id: \"85\", push_token: \"${env:NORTH}\", data_center: c1",
            ),
            entry(
                "down",
                ", tenant_id: \"85\", push_token: \"${env:NOWHERE}\", data_center: c2",
            ),
            entry(
                "level",
                ", tenant_id: \"86\", push_token: \"${env:NORTH}\", data_center: c1",
            ),
            entry(
                "unlevel",
                ", tenant_id: \"86\", push_token: \"${env:NORTH}\", data_center: \"${env:NOWHERE}\"",
            ),
            entry("bare", ""),
            entry("open", ", tenant_id: \"83\", push_token: \"${env:NOWHERE}\""),
        ];
        std::fs::write(dir.path().join("connections.yaml"), text.concat()).unwrap();
        let env = [("SECRET", "s"), ("PUSH", "推"), ("ERP", "erp"), ("NORTH", "n")];
        let secrets = SecretTable {
            env: env
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            secret: Default::default(),
        };
        let workspace = Workspace::load(dir.path(), Places::default(), None, Box::new(secrets)).unwrap();
        Speakers::of(&workspace)
    }

    #[test]
    fn who_is_meant() {
        let speakers = speakers();
        let judged = |token: &str, tenant: &str, centre: Option<&str>| match speakers.judge(
            Token::Push,
            token,
            tenant,
            centre,
            9,
        ) {
            Ok(speaker) => {
                let names: Vec<&str> = speaker.connections.iter().map(|one| one.name.as_str()).collect();
                format!("{} {}", speaker.data_center, names.join(" "))
            }
            Err(problem) => format!("{} {}", problem.status().as_u16(), problem.code()),
        };
        for (token, tenant, centre, want) in [
            ("推", "81", Some("c1"), "c1 east"),
            ("推", "81", Some("c2"), "c2 west west_too"),
            ("推", "81", None, "200 E6103"),
            ("推", "81", Some("c3"), "200 E6104"),
            // One data centre, that has no name: nothing to be held against.
            ("n", "82", None, " north"),
            ("n", "82", Some("c9"), "c9 north"),
            // One that names none beside one that does: any means it.
            ("n", "84", None, "c1 south south_c1"),
            ("n", "84", Some("c1"), "c1 south south_c1"),
            ("n", "84", Some("c2"), "200 E6104"),
            // What cannot be used now is to come again; which is meant is to be said all the same.
            ("n", "85", Some("c1"), "c1 up"),
            ("n", "85", Some("c2"), "503 E6031"),
            ("n", "85", Some("c3"), "200 E6104"),
            ("n", "85", None, "200 E6103"),
            ("n", "86", Some("c1"), "c1 level"),
            ("n", "86", Some("c2"), "503 E6031"),
            ("推", "85", Some("c2"), "401 E6101"),
            // Not believed: one answer.
            ("推", "82", None, "401 E6101"),
            ("n", "81", Some("c1"), "401 E6101"),
            ("erp", "81", Some("c1"), "401 E6101"),
            ("推", "80", None, "401 E6101"),
            ("", "82", None, "401 E6101"),
            // No token was ever given to these, and no tenant.
            ("", "", None, "401 E6101"),
            ("s", "", None, "401 E6101"),
            // A reference that leads nowhere is no token.
            ("", "83", None, "401 E6101"),
        ] {
            assert_eq!(judged(token, tenant, centre), want, "{token} {tenant} {centre:?}");
        }
        assert_eq!(speakers.believed(Token::Erp, "erp").len(), 3);
        // What cannot be used may still be meant, of the same tenant.
        let speaker = speakers.judge(Token::Push, "n", "82", None, 9).unwrap();
        let may_be = ["north_too", "north", "open", "bare"].map(|name| speaker.may_be(name));
        assert_eq!(may_be, [true, false, false, false]);
    }

    #[test]
    fn what_was_sent_is_shown_short() {
        assert_eq!(shown("a\n\u{1b}b"), "a\\n\\u{1b}b");
        assert_eq!(shown(&"x".repeat(1_000)).len(), 64);
    }
}
