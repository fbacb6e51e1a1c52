//! Names to addresses, filtered: a connection is only ever attempted to an address the allow-list permits.
//!
//! The filter sits in the resolver because this is the last moment before connecting: what was checked is what
//! is connected to, so a name that answers differently a second later changes nothing.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::allow::AllowList;

/// What [`Lookup::lookup`] gives.
pub type Found<'a> = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send + 'a>>;

/// Finds the addresses of a name. The system's resolver by default; a table in tests.
pub trait Lookup: Send + Sync {
    /// All addresses of `host`, in the order in which they are to be tried.
    fn lookup<'a>(&'a self, host: &'a str) -> Found<'a>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup<'a>(&'a self, host: &'a str) -> Found<'a> {
        Box::pin(async move {
            Ok(tokio::net::lookup_host((host, 0))
                .await?
                .map(|found| found.ip())
                .collect())
        })
    }
}

pub(crate) struct Guarded {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) allow: Arc<AllowList>,
    /// The configured proxy's own name: the operator's choice, not the connection's.
    pub(crate) proxy: Option<String>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allow) = (Arc::clone(&self.lookup), Arc::clone(&self.allow));
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found = lookup.lookup(name.as_str()).await?;
            if found.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            let mut refused = None;
            let mut permitted = Vec::with_capacity(found.len());
            for address in found {
                match allow.permits_address(address) {
                    Err(refusal) if !is_proxy => refused = Some(refusal),
                    _ => permitted.push(SocketAddr::new(address, 0)),
                }
            }
            match refused {
                Some(refusal) if permitted.is_empty() => Err(refusal.into()),
                _ => Ok(Box::new(permitted.into_iter()) as Addrs),
            }
        })
    }
}
