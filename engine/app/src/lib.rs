//! The async shell around the flow: files found and checked, schemes run and rehearsed, the ledger asked. What the
//! command line and the server both call.
//!
//! It owns the clock, the connections and their sessions, and carries out what [`flow::Job`] asks for. It never prints
//! and never reads the environment; the order of things is the flow's, the meaning of bytes is the connector's.

pub mod adopt;
pub mod authoring;
mod brakes;
pub mod bring;
mod budget;
mod caller;
mod callers;
pub mod check;
mod clock;
pub mod diff;
mod entropy;
mod error;
mod failpoint;
mod files;
mod find;
pub mod fix;
pub mod inbox;
mod kept;
pub mod layout;
mod lines;
pub mod logging;
mod lookups;
pub mod manager;
pub mod mapping;
mod mask;
pub mod meter;
pub mod notify;
pub mod objects;
pub mod online;
pub mod operate;
mod own_pace;
mod paces;
mod payloads;
pub mod preview;
pub mod publish;
pub mod query;
mod reason;
pub mod recording;
mod replay;
pub mod revisions;
mod run;
pub mod samples;
mod scope;
pub mod secrets;
pub mod separated;
pub mod service;
mod settings;
mod shell;
mod source;
mod store;
pub mod systems;
mod tables;
mod tape;
mod target;
#[cfg(feature = "otlp")]
pub mod telemetry;
pub mod templates;
pub mod testing;
pub mod trial;
mod two_way;
mod workspace;

/// The target of the spans that a collector of traces is told of: runs, pages, batches, requests.
pub(crate) const TRACED: &str = "app::trace";

pub use clock::{Clock, ServiceClock, SystemClock};
pub use error::{Answered, AppError};
pub use failpoint::Failpoint;
pub use files::put_file;
pub use find::find_files;
pub use lookups::LookupReport;
pub use preview::{Present, Preview, PreviewRow, TraceLine, Why as NotCompared};
pub use query::sentence_of;
pub use reason::{sentence, spoken};
pub use replay::{ReplayPlan, Why};
pub use run::{Engine, Opening, Problem, Replay, RunOptions, RunReport, Seen};
pub use shell::{Cancel, Progress, Silent};
pub use target::{WAIT_FOR, Ways};
pub use transport::machine_authorities;
pub use workspace::{Places, SecretTable, Simulators, Workspace, knows_environment, read, yaml_files};
