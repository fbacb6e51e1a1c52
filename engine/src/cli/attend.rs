//! What `engine serve` does beside running schemes: its log, its notifications, and what the service manager is told.

use std::sync::Arc;

use app::logging::{self, Look};
use app::manager::{Manager, State};
use app::service::Service;
use app::service::events::{Event, Since, What};
use app::{AppError, Clock, notify};

use super::args::Global;
use super::env::Environment;

/// Kept as long as the service runs.
pub(super) struct Attended {
    manager: Arc<Manager>,
    /// Sends the last of them when it is dropped.
    _traces: Traces,
}

impl Drop for Attended {
    fn drop(&mut self) {
        // Without a manager nothing is said.
        self.manager.tell(&State::Stopping);
    }
}

#[cfg(feature = "otlp")]
type Traces = Option<app::telemetry::Traces>;
#[cfg(not(feature = "otlp"))]
type Traces = ();

/// Traces go to the collector that the environment names, by the names of the OpenTelemetry specification.
#[cfg(feature = "otlp")]
fn traces(environment: &Environment, name: &str) -> Result<(Option<logging::Beside>, Traces), AppError> {
    use app::telemetry::{Collector, layer};
    let Some(endpoint) = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") else {
        return Ok((None, None));
    };
    let headers = environment.get("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let (beside, traces) = layer(&Collector::parse(endpoint, headers, name)?)?;
    Ok((Some(Box::new(beside)), Some(traces)))
}

/// This engine was built without them.
#[cfg(not(feature = "otlp"))]
#[expect(clippy::unnecessary_wraps, reason = "its twin reads settings")]
fn traces(_: &Environment, _: &str) -> Result<(Option<logging::Beside>, Traces), AppError> {
    Ok((None, ()))
}

/// Begins. The service has read its files, and begins its work right after.
pub(super) fn attend(
    service: &Arc<Service>,
    clock: &Arc<dyn Clock>,
    global: &Global,
    environment: &Environment,
) -> Result<Attended, AppError> {
    let loaded = service.loaded();
    let (beside, traces) = traces(environment, loaded.engine.workspace.environment())?;
    let folder = (!service.is_read_only()).then(|| loaded.engine.workspace.data_dir());
    let setting = logging::Setting {
        // On a terminal the news is told in the words of the command line.
        look: if environment.stderr_is_terminal {
            Look::Silent
        } else {
            Look::Json
        },
        verbosity: global.verbose,
        dir: folder,
        redactor: loaded.engine.redactor().clone(),
        clock: Arc::clone(clock),
    };
    logging::start(setting, beside)?;
    let manager = Arc::new(environment.manager());
    let (ready, broken) = loaded.fleet.counts();
    tracing::info!(ready, broken, folder = %service.folder().display(), "serving");
    // The number is taken here: the task may get its turn after the first runs began.
    let seen = *service.events().bell().borrow();
    tokio::spawn(log(Arc::clone(service), Arc::clone(&manager), seen));
    if !service.is_read_only() {
        tokio::spawn(notify::follow::follow(Arc::clone(service), Arc::clone(clock)));
    }
    if let Some(every) = manager.alive_every() {
        let (manager, service) = (Arc::clone(&manager), Arc::clone(service));
        tokio::spawn(async move {
            // Twice as often as is needed: once it may be found sleeping, as when the machine slept.
            let mut tick = tokio::time::interval(every / 2);
            // To the very end: what is under way is finished, and that takes minutes.
            loop {
                tick.tick().await;
                // A service whose loop stands still is started anew.
                if service.is_going() {
                    manager.tell(&State::Alive);
                }
            }
        });
    }
    {
        let (manager, stopper) = (Arc::clone(&manager), service.stopper());
        tokio::spawn(async move {
            stopper.wait().await;
            manager.tell(&State::Stopping);
        });
    }
    manager.tell(&State::Ready);
    manager.tell(&State::Status(format!("{ready} schemes, {broken} cannot run")));
    Ok(Attended {
        manager,
        _traces: traces,
    })
}

/// Writes down what happens.
async fn log(service: Arc<Service>, manager: Arc<Manager>, mut seen: u64) {
    let mut bell = service.events().bell();
    loop {
        bell.borrow_and_update();
        match service.events().since(Some(seen)) {
            Since::Events(events) => {
                for event in &events {
                    seen = event.id;
                    line(event);
                    if let What::Reloaded { ready, broken } = &event.what {
                        manager.tell(&State::Ready);
                        manager.tell(&State::Status(format!("{ready} schemes, {broken} cannot run")));
                    }
                }
            }
            Since::Lost(newest) => {
                tracing::warn!("more happened than could be written down");
                seen = newest;
            }
        }
        if bell.changed().await.is_err() {
            return;
        }
    }
}

fn line(event: &Event) {
    match &event.what {
        What::RunBegan {
            scheme, half, late, ..
        } => {
            tracing::debug!(scheme, half = half.word(), late_ms = late, "run began");
        }
        What::Paused { scheme, by, reason } => {
            tracing::warn!(scheme, by, code = reason.code, reason = reason.text, "paused");
        }
        What::Resumed { scheme, by } => tracing::info!(scheme, by, "resumed"),
        What::Reloaded { ready, broken } => tracing::info!(ready, broken, "files read again"),
        What::NotReloaded(reason) => {
            tracing::error!(code = reason.code, reason = reason.text, "files not read again");
        }
        What::Arrived { scheme } => tracing::debug!(scheme, "a push arrived"),
        What::Decided { scheme, records } => tracing::info!(scheme, records, "records decided on"),
        // A run tells of its end itself, with its number.
        What::RunGoes { .. } | What::RunEnded(_) => {}
    }
}
