//! `/system`: what this server is.

use axum::http::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::health::why_not;
use crate::access::Scope;
use crate::call::Call;
use crate::operation::{Json, Operation};
use crate::problem::Problem;
use crate::time;

pub(super) fn operations() -> Vec<Operation> {
    let op = Operation::new(Method::GET, "/system", "showSystem", "What this server is", show);
    vec![op.needs(Scope::Admin)]
}

/// What this server is.
#[derive(Debug, Serialize, ToSchema)]
struct System {
    /// Version of the program.
    version: String,
    /// Name of the environment.
    environment: String,
    /// The clock of the server.
    #[schema(format = DateTime)]
    now: String,
    /// When the service was started.
    #[schema(format = DateTime)]
    started: String,
    /// When the files of the schemes were last read.
    #[schema(format = DateTime)]
    loaded: String,
    /// Schemes by state.
    schemes: SchemeCounts,
    /// Bytes that the ledger takes.
    ledger_bytes: u64,
    /// Whether the service is ready for work; why not, otherwise.
    not_ready: Option<String>,
}

/// Schemes by state.
#[derive(Debug, Default, Serialize, ToSchema)]
struct SchemeCounts {
    enabled: u64,
    draft: u64,
    invalid: u64,
}

async fn show(call: Call, (): (), (): ()) -> Result<Json<System>, Problem> {
    let state = call.state.clone();
    let system = call.think(move || {
        let service = state.service();
        let loaded = service.loaded();
        let mut schemes = SchemeCounts::default();
        for (_, member) in loaded.fleet.iter() {
            let count = match member.word() {
                "draft" => &mut schemes.draft,
                "invalid" => &mut schemes.invalid,
                _ => &mut schemes.enabled,
            };
            *count += 1;
        }
        let workspace = &loaded.engine.workspace;
        Ok(System {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            environment: workspace.environment().to_owned(),
            now: time::text(state.now_ms()),
            started: time::text(service.started_ms()),
            loaded: time::text(loaded.at),
            schemes,
            ledger_bytes: ledger_bytes(&workspace.data_dir()),
            not_ready: why_not(&state).err(),
        })
    });
    Ok(Json(system.await?))
}

/// The file and its log.
fn ledger_bytes(dir: &std::path::Path) -> u64 {
    let names = [
        ledger::open::LEDGER_FILE.to_owned(),
        format!("{}-wal", ledger::open::LEDGER_FILE),
    ];
    let sizes = names
        .iter()
        .filter_map(|name| std::fs::metadata(dir.join(name)).ok());
    sizes.map(|file| file.len()).sum()
}
