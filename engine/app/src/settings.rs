//! From a connection's settings to the transport's.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connector::{Connection, Timeouts as Own};
use flow::ids::Ms;
use transport::{AllowList, Client, Timeouts, Trust};

use crate::caller::Effect;
use crate::error::AppError;

/// The time-outs of one call: the transport's defaults, changed by connector and connection.
///
/// A page that is read begins to arrive within a minute or is asked for again. A write may take the target minutes
/// before it answers at all: giving up on it makes its outcome unknown, so that only the total counts.
pub(crate) fn timeouts(connection: &Connection, total_ms: Option<Ms>, effect: Effect) -> Timeouts {
    choose(
        connection.timeouts,
        connection.connector.transport().connect_ms,
        total_ms,
        effect,
    )
}

fn choose(own: Own, connect_ms: Option<Ms>, total_ms: Option<Ms>, effect: Effect) -> Timeouts {
    let defaults = Timeouts::default();
    let pick = |ms: Option<Ms>, default: Duration| {
        ms.and_then(|ms| u64::try_from(ms).ok())
            .map_or(default, Duration::from_millis)
    };
    let total = pick(own.total_ms.or(total_ms), defaults.total);
    let first_byte = match effect {
        Effect::None => defaults.first_byte.min(total),
        Effect::Writes => total,
    };
    Timeouts {
        connect: pick(own.connect_ms.or(connect_ms), defaults.connect),
        first_byte: pick(own.first_byte_ms, first_byte),
        idle: pick(own.idle_ms, defaults.idle),
        total,
    }
}

/// Longest time one call of an operation may take, a task that it starts included: what the quiet period is added to.
pub(crate) fn call_ms(connection: &Connection, operation: &str) -> Ms {
    let total_ms = connection.connector.transport().timeout_ms;
    let total = timeouts(connection, total_ms, Effect::Writes).total;
    let once = Ms::try_from(total.as_millis()).unwrap_or(Ms::MAX);
    // The last question is asked before the time is over, and may take as long as any call.
    match connection.task_ms(operation) {
        0 => once,
        task => once.saturating_mul(2).saturating_add(task),
    }
}

/// The way out that a connection takes: the common one, or one of its own where it goes through a proxy or trusts other
/// certificates. `beside` is the folder of the connections file.
pub(crate) fn client(
    connection: &Connection,
    common: &Arc<Client>,
    beside: Option<&Path>,
) -> Result<Arc<Client>, AppError> {
    let tls = &connection.tls;
    if connection.proxy.is_none() && *tls == connector::Tls::default() {
        return Ok(Arc::clone(common));
    }
    let mut settings = transport::Settings::default();
    if let Some(proxy) = &connection.proxy {
        settings.proxy = Some(proxy.url.clone());
        settings.proxy_login = proxy.login.clone();
    }
    settings.trust = match (tls.certificate, tls.insecure) {
        (Some(digest), _) => Trust::Certificate(digest),
        (None, true) => Trust::Anyone,
        (None, false) => Trust::Authorities,
    };
    let unusable = |path: &str, what: String| AppError::File {
        path: path.to_owned(),
        what,
    };
    if let Some(file) = &tls.ca_file {
        let path = beside.unwrap_or(Path::new(".")).join(file);
        let shown = path.display().to_string();
        let found = std::fs::File::open(&path).map_err(|error| unusable(&shown, error.to_string()))?;
        let mut pem = Vec::new();
        let read = std::io::Read::read_to_end(&mut std::io::Read::take(found, PEM_MAX), &mut pem);
        read.map_err(|error| unusable(&shown, error.to_string()))?;
        if !pem.windows(PEM_HEAD.len()).any(|bytes| bytes == PEM_HEAD) {
            return Err(unusable(&shown, "no certificate in PEM".to_owned()));
        }
        settings.extra_roots_pem = pem;
    }
    let named = tls
        .ca_file
        .as_deref()
        .or(connection.proxy.as_ref().map(|proxy| proxy.url.as_str()));
    let made = Client::new(settings);
    made.map(Arc::new)
        .map_err(|error| unusable(named.unwrap_or_default(), error.to_string()))
}

/// A bundle of all public authorities has 200 KiB.
const PEM_MAX: u64 = 4 << 20;
const PEM_HEAD: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Where a connection may go.
pub(crate) fn allow_list(connection: &Connection) -> Result<AllowList, AppError> {
    // An address of a database is none that the list reads: host and port are.
    let allow = match connection.database().ok().flatten() {
        Some(database) if database.host.is_empty() => AllowList::parse(Vec::<String>::new()),
        Some(database) => AllowList::parse([format!("http://{}:{}/", database.host_text(), database.port)]),
        None => AllowList::parse(connection.hosts().iter().cloned().chain(connection.domains())),
    };
    let allow = allow.map_err(|bad| {
        AppError::wrong_use(
            format!("地址 `{}` 不可用", bad.entry),
            format!("`{}` is no host", bad.entry),
        )
    })?;
    Ok(allow
        .plain_http(connection.allow_plain_http)
        .private_network(connection.private_network))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of authorities is looked for beside the connections file, and one that is none is told by its name.
    #[test]
    fn a_way_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("none.pem"), "no certificate").expect("our own folder");
        let common = Arc::new(Client::new(transport::Settings::default()).expect("a client"));
        let params = ["key", "secret"].map(|name| (name.to_owned(), name.to_owned()));
        let mut params: std::collections::BTreeMap<String, String> = params.into();
        params.insert("server".to_owned(), "https://huke.example.com/".to_owned());
        let mut connection =
            crate::caller::tests::resolved("schemes/huke-to-k3.yaml", "huke", "netease-huke", params);
        let of = |connection: &Connection| client(connection, &common, Some(folder.path()));
        assert!(Arc::ptr_eq(&of(&connection).expect("the common one"), &common));
        for (file, why) in [("none.pem", "no certificate in PEM"), ("gone.pem", "gone.pem")] {
            connection.tls.ca_file = Some(file.to_owned());
            let error = of(&connection).map(drop).expect_err(file);
            let told = error.message(dsl::diagnostic::Lang::En);
            assert!(told.contains(why) && told.contains(file), "{told}");
        }
        connection.tls = connector::Tls {
            insecure: true,
            ..connector::Tls::default()
        };
        assert!(!Arc::ptr_eq(&of(&connection).expect("its own"), &common));
    }

    #[test]
    fn time_outs() {
        let none = Own::default();
        let own = |first_byte_ms, total_ms| Own {
            first_byte_ms,
            total_ms,
            ..none
        };
        // What the connection says, the connector's total, what is done; then first byte and total, in seconds.
        for (own, total_ms, effect, want) in [
            (none, None, Effect::None, (60, 300)),
            (none, None, Effect::Writes, (300, 300)),
            (none, Some(120_000), Effect::None, (60, 120)),
            (none, Some(120_000), Effect::Writes, (120, 120)),
            (none, Some(30_000), Effect::None, (30, 30)),
            (own(None, Some(20_000)), Some(120_000), Effect::None, (20, 20)),
            (own(Some(5_000), None), None, Effect::Writes, (5, 300)),
            (own(Some(90_000), None), None, Effect::None, (90, 300)),
        ] {
            let got = choose(own, None, total_ms, effect);
            assert_eq!(
                (got.first_byte.as_secs(), got.total.as_secs()),
                want,
                "{own:?} {effect:?}"
            );
            assert_eq!((got.connect.as_secs(), got.idle.as_secs()), (10, 15));
        }
        let own = Own {
            connect_ms: Some(1),
            idle_ms: Some(2),
            ..none
        };
        let got = choose(own, Some(7), None, Effect::None);
        assert_eq!((got.connect.as_millis(), got.idle.as_millis()), (1, 2));
        assert_eq!(choose(none, Some(7), None, Effect::None).connect.as_millis(), 7);
    }
}
