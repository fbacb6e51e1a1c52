//! Connectors: a vendor's file and the data of a call in, bytes to send out; bytes of an answer in, rows and verdicts
//! out.
//!
//! Pure: no I/O, no clock, no randomness of its own; the instant and the entropy of an attempt are handed in. What a
//! vendor does differently stands in `connectors/*/connector.yaml`; no vendor is named here. Sending, waiting, limits
//! and sessions' storage are left to others.
//!
//! Promises: a body is rendered once, and the bytes that are signed are the bytes that are sent; a secret appears in no
//! `Debug`, failure or diagnostic; an answer that no row of the table knows is never a success.

mod answer;
mod ask;
mod batch;
mod builtin;
mod calendar;
mod conditions;
mod connection;
pub mod connections;
mod describe;
mod described;
mod facts;
mod filter;
mod frame;
pub mod holds;
mod judge;
pub mod keys;
mod load;
mod login;
mod model;
mod odata;
mod receive;
mod recipe;
mod redact;
pub mod reference;
mod request;
mod rows;
pub mod schema;
mod secret;
mod sign;
mod sql;
mod task;
pub mod tests;
mod units;
mod url;
mod xml;

pub use answer::HttpAnswer;
pub use ask::{Ask, Found, OwnedCall};
pub use builtin::{FIELD_CHANNELS, FIELD_TYPES, builtin};
pub use calendar::Hours;
pub use connection::{Connection, Proxy, Timeouts, Tls};
pub use connections::Connections;
pub use describe::AuthMode;
pub use described::DescribedField;
pub use facts::{Facts, Samples};
pub use filter::FilterValue;
pub use judge::{Judged, LineList, Until, Verdict};
pub use load::load;
pub use login::{Guard, LOGIN_CALLS_MAX, LoggingIn, Session};
pub use model::{Class, Connector, KnownAs, Limits, Param, ParamType, Scope, Transport, WhenNone};
pub use receive::{Content, Form, Inbound, PUSH_MAX, Pushed, RAW, Received, Refusal};
pub use redact::Redactor;
pub use request::{Call, Keys, PageState, Prepared, Records};
pub use rows::PageRows;
pub use secret::{MASK, NoSecrets, Secret, SecretKind, Secrets};
pub use sign::{HttpRequest, Preview, uuid4};
pub use sql::{Database, Driver};
pub use task::Task;
pub use units::Rate;
pub use xml::write as xml_document;
