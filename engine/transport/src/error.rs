//! What can go wrong with one send, sorted by the only question that matters: may the far side have acted?

use std::error::Error as _;
use std::fmt;

use crate::allow::Refusal;

/// Did a byte of the request possibly leave this machine?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Proven: nothing was sent. Sending again repeats nothing.
    NotSent,
    /// Anything else. A write may have been executed and must be asked about.
    Lost,
}

/// What happened. Each reason belongs to one [`Stage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The request could not be made: bad address, bad header. A mistake of ours or of a connector file.
    BadRequest,
    /// The allow-list refused host or address.
    NotAllowed,
    /// The host's name was not found.
    Dns,
    /// Nobody answered at that address, or it refused.
    Connect,
    /// No connection (address look-up, TCP and TLS together) within the time.
    ConnectTimeout,
    /// The TLS handshake failed: certificate, protocol, or no TLS at all.
    Tls,
    /// No complete answer head within the time.
    FirstByteTimeout,
    /// A pause between two pieces of the answer was too long.
    IdleTimeout,
    /// The whole exchange took too long.
    TotalTimeout,
    /// The connection ended or broke after bytes may have gone out.
    Broken,
    /// The answer's body ended early or its compression is damaged.
    Truncated,
    /// The answer's body, unpacked, is larger than the cap.
    TooLarge,
    /// The answer's body unpacks to more than 200 times its size: a bomb.
    Bomb,
    /// The answer uses a content encoding that was not asked for.
    Encoding,
}

impl Reason {
    /// Every reason; tables of tests and docs run over it.
    pub const ALL: [Reason; 14] = [
        Reason::BadRequest,
        Reason::NotAllowed,
        Reason::Dns,
        Reason::Connect,
        Reason::ConnectTimeout,
        Reason::Tls,
        Reason::FirstByteTimeout,
        Reason::IdleTimeout,
        Reason::TotalTimeout,
        Reason::Broken,
        Reason::Truncated,
        Reason::TooLarge,
        Reason::Bomb,
        Reason::Encoding,
    ];

    /// May the request have been executed?
    pub fn stage(self) -> Stage {
        match self {
            Reason::BadRequest
            | Reason::NotAllowed
            | Reason::Dns
            | Reason::Connect
            | Reason::ConnectTimeout
            | Reason::Tls => Stage::NotSent,
            Reason::FirstByteTimeout
            | Reason::IdleTimeout
            | Reason::TotalTimeout
            | Reason::Broken
            | Reason::Truncated
            | Reason::TooLarge
            | Reason::Bomb
            | Reason::Encoding => Stage::Lost,
        }
    }

    /// A word for logs, metrics and the ledger; never changes once released.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::BadRequest => "bad_request",
            Reason::NotAllowed => "not_allowed",
            Reason::Dns => "dns",
            Reason::Connect => "connect",
            Reason::ConnectTimeout => "connect_timeout",
            Reason::Tls => "tls",
            Reason::FirstByteTimeout => "first_byte_timeout",
            Reason::IdleTimeout => "idle_timeout",
            Reason::TotalTimeout => "total_timeout",
            Reason::Broken => "broken",
            Reason::Truncated => "truncated",
            Reason::TooLarge => "too_large",
            Reason::Bomb => "bomb",
            Reason::Encoding => "encoding",
        }
    }
}

/// The head of an answer that did not arrive whole, for the record's history.
#[derive(Clone, PartialEq, Eq)]
pub struct Partial {
    /// HTTP status.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The first bytes of the body, unpacked; at most [`crate::EXCERPT`].
    pub excerpt: Vec<u8>,
}

impl fmt::Debug for Partial {
    // As of a whole answer, nothing of its text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (headers, bytes) = (self.headers.len(), self.excerpt.len());
        write!(f, "Partial({}, {headers} headers, {bytes} bytes)", self.status)
    }
}

/// One send that gave no answer to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendError {
    /// May the far side have acted?
    pub stage: Stage,
    /// What happened.
    pub reason: Reason,
    /// One sentence for a person. Holds neither the request's address nor its headers, which may carry secrets.
    pub detail: String,
    /// What had arrived, when a head had.
    pub partial: Option<Box<Partial>>,
}

impl SendError {
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            stage: reason.stage(),
            reason,
            detail: detail.into(),
            partial: None,
        }
    }

    /// Sorts what the HTTP library says. Only a failure to connect proves that nothing was sent.
    pub(crate) fn from_http(error: reqwest::Error) -> Self {
        let error = error.without_url();
        let detail = sentence(&error);
        if error.is_builder() {
            return Self::new(Reason::BadRequest, detail);
        }
        if !error.is_connect() {
            return Self::new(Reason::Broken, detail);
        }
        if let Some(refusal) = cause::<Refusal>(&error) {
            return Self::new(Reason::NotAllowed, refusal.to_string());
        }
        let reason = if error.is_dns() {
            Reason::Dns
        } else if cause::<rustls::Error>(&error).is_some() {
            Reason::Tls
        } else if error.is_timeout() {
            Reason::ConnectTimeout
        } else {
            Reason::Connect
        };
        Self::new(reason, detail)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason.as_str(), self.detail)
    }
}

impl std::error::Error for SendError {}

impl From<Refusal> for SendError {
    fn from(refusal: Refusal) -> Self {
        Self::new(Reason::NotAllowed, refusal.to_string())
    }
}

/// The first cause of this type. I/O errors hide what they wrap from `source`, so they are opened.
fn cause<T: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&T> {
    let mut next = error.source();
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(io) = current.downcast_ref::<std::io::Error>()
            && let Some(inner) = io.get_ref()
        {
            if let Some(found) = inner.downcast_ref::<T>() {
                return Some(found);
            }
            next = Some(inner);
            continue;
        }
        next = current.source();
    }
    None
}

/// Error and causes in one line, each said once.
fn sentence(error: &reqwest::Error) -> String {
    let mut parts = vec![error.to_string()];
    let mut next = error.source();
    while let Some(current) = next {
        let text = current.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = current.source();
    }
    parts.join(": ")
}
