//! A request as the simulators see it, and their answer.

use bytes::Bytes;
use hyper::{HeaderMap, Method};

#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Exactly as sent; signatures cover it.
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// A header as text; empty when it is missing or not text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Reply {
            status,
            content_type,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub(crate) fn json(body: impl Into<Vec<u8>>) -> Self {
        Reply::new(200, "application/json; charset=utf-8", body)
    }

    pub(crate) fn text(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply::new(status, "text/plain; charset=utf-8", body)
    }

    pub(crate) fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply::new(status, "text/html; charset=utf-8", body)
    }
}
