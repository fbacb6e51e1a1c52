//! The only place that opens a client socket.
//!
//! [`Client::send`] sends one prepared request once and gives either the whole answer or an error that says
//! whether the far side may have acted ([`Stage`]). It promises bounds: on time, on bytes after unpacking, on
//! where a connection may go, and that nothing is repeated or redirected behind the caller's back.
//! [`Client::probe`] looks at a server without calling it. [`Gate`] keeps a credential's rate, a written one and one that refusals taught it.
//!
//! What an answer means, cookies, sessions and retries are the caller's. HTTP/1.1 only: every system of this
//! field speaks it, and it has no refusals that a library would want to repeat.

mod allow;
mod body;
mod client;
mod error;
mod limiter;
mod pace;
mod probe;
mod resolve;
mod trust;

pub use allow::{AllowList, BadEntry, Refusal};
pub use client::{
    Answer, Client, EXCERPT, Request, Settings, SetupError, Timeouts, http_date_ms, machine_authorities,
};
pub use error::{Partial, Reason, SendError, Stage};
pub use limiter::{Gate, Limiter, Next, Pass, Rate};
pub use probe::{Look, Seen, Step, Why};
pub use resolve::{Found, Lookup, SystemLookup};
pub use trust::Trust;
