//! One look at a server, step by step: its name, its port, its certificate. Nothing is sent but a TLS handshake, and
//! nothing is sent where the allow-list permits nobody to go.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::allow::AllowList;
use crate::client::Client;
use crate::error::{Reason, SendError};

/// What is looked at, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// The host's name.
    Dns,
    /// A connection to its port.
    Tcp,
    /// The handshake, and with it the certificate.
    Tls,
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It works: addresses, the one that answered, the protocol.
    Good(String),
    /// It does not.
    Bad(SendError),
    /// It was not looked at.
    NotMade(Why),
}

/// Why a step was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The host is written as an address: there is no name to look up.
    Address,
    /// Plain http: there is no handshake.
    Plain,
    /// A proxy does it.
    Proxy,
    /// A step before it failed.
    Before,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was looked at.
    pub look: Look,
    /// How long it took.
    pub took: Duration,
    /// What was seen.
    pub seen: Seen,
}

impl Step {
    /// Whether the steps behind it can be made.
    pub fn goes_on(&self) -> bool {
        !matches!(self.seen, Seen::Bad(_) | Seen::NotMade(Why::Before))
    }
}

impl Client {
    /// Looks at the server of an address: always three steps, each within `patience`.
    pub async fn probe(&self, url: &str, allow: &AllowList, patience: Duration) -> [Step; 3] {
        let mut steps = [Look::Dns, Look::Tcp, Look::Tls].map(|look| Step {
            look,
            took: Duration::ZERO,
            seen: Seen::NotMade(Why::Before),
        });
        let began = Instant::now();
        let url = match target(url, allow) {
            Ok(url) => url,
            Err(error) => {
                steps[0].seen = Seen::Bad(error);
                return steps;
            }
        };
        if self.uses_proxy() {
            for step in &mut steps {
                step.seen = Seen::NotMade(Why::Proxy);
            }
            return steps;
        }
        let found = self.addresses(&url, allow, began + patience).await;
        steps[0].took = began.elapsed();
        let addresses = match found {
            Ok((addresses, seen)) => {
                steps[0].seen = seen;
                addresses
            }
            Err(error) => {
                steps[0].seen = Seen::Bad(error);
                return steps;
            }
        };
        let began = Instant::now();
        let connected = connect(&addresses, began + patience).await;
        steps[1].took = began.elapsed();
        let stream = match connected {
            Ok((stream, address)) => {
                steps[1].seen = Seen::Good(address.to_string());
                stream
            }
            Err(error) => {
                steps[1].seen = Seen::Bad(error);
                return steps;
            }
        };
        if url.scheme() != "https" {
            steps[2].seen = Seen::NotMade(Why::Plain);
            return steps;
        }
        let began = Instant::now();
        let shaken = self.handshake(&url, stream, began + patience).await;
        steps[2].took = began.elapsed();
        steps[2].seen = shaken.map_or_else(Seen::Bad, Seen::Good);
        steps
    }

    async fn addresses(
        &self,
        url: &Url,
        allow: &AllowList,
        until: Instant,
    ) -> Result<(Vec<SocketAddr>, Seen), SendError> {
        let port = url.port_or_known_default().unwrap_or(443);
        // As in a URL: an address of version 6 stands in brackets.
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse() {
            let addresses = vec![SocketAddr::new(address, port)];
            return Ok((addresses, Seen::NotMade(Why::Address)));
        }
        let found = match timeout_at(until, self.lookup().lookup(host)).await {
            Ok(found) => found.map_err(|error| SendError::new(Reason::Dns, error.to_string()))?,
            Err(_) => return Err(SendError::new(Reason::ConnectTimeout, "")),
        };
        let mut permitted = Vec::new();
        let mut refused = None;
        for address in found {
            match allow.permits_address(address) {
                Ok(()) => permitted.push(SocketAddr::new(address, port)),
                Err(refusal) => refused = Some(refusal),
            }
        }
        match refused {
            Some(refusal) if permitted.is_empty() => Err(refusal.into()),
            _ if permitted.is_empty() => Err(SendError::new(Reason::Dns, "the name has no address")),
            _ => {
                let texts: Vec<String> = permitted.iter().map(|address| address.ip().to_string()).collect();
                Ok((permitted, Seen::Good(texts.join(" "))))
            }
        }
    }

    async fn handshake(&self, url: &Url, stream: TcpStream, until: Instant) -> Result<String, SendError> {
        let host = url.host_str().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|error| SendError::new(Reason::Tls, error.to_string()))?;
        let connector = tokio_rustls::TlsConnector::from(Arc::new(self.tls(true)?));
        let shaken = match timeout_at(until, connector.connect(name, stream)).await {
            Ok(shaken) => shaken,
            Err(_) => return Err(SendError::new(Reason::ConnectTimeout, "")),
        };
        let shaken =
            shaken.map_err(|error| self.without_roots(SendError::new(Reason::Tls, error.to_string())))?;
        let version = shaken.get_ref().1.protocol_version();
        Ok(version.map_or_else(String::new, |version| format!("{version:?}").replace('_', ".")))
    }
}

/// The address, where this connection may go there.
fn target(text: &str, allow: &AllowList) -> Result<Url, SendError> {
    let url = Url::parse(text).map_err(|error| SendError::new(Reason::BadRequest, error.to_string()))?;
    allow.permits_url(&url)?;
    Ok(url)
}

/// The first address that answers.
async fn connect(addresses: &[SocketAddr], until: Instant) -> Result<(TcpStream, SocketAddr), SendError> {
    let mut last = SendError::new(Reason::Connect, "");
    for address in addresses {
        match timeout_at(until, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok((stream, *address)),
            Ok(Err(error)) => last = SendError::new(Reason::Connect, error.to_string()),
            Err(_) => return Err(SendError::new(Reason::ConnectTimeout, address.to_string())),
        }
    }
    Err(last)
}
