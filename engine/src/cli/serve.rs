//! `engine serve`: all schemes of a folder on their schedules, until somebody ends it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use app::service::events::{Event, RunEnd, Since, What};
use app::service::{Service, Setting, TURN};
use app::{AppError, Clock, ServiceClock, Simulators, Workspace};
use dsl::Value;
use flow::op::{Counts, Reason};
use flow::timetable::Places;
use server::listen::Tls;

use super::Done;
use super::args::{Global, ListenArgs, ServeArgs};
use super::attend::attend;
use super::ended;
use super::env::Environment;
use super::json::object;
use super::out::Out;
use super::run::{grouped, opening};
use super::simulators::{Keep, Simulation};
use super::time;
use super::whereabouts::Whereabouts;

/// How often `--watch` looks at the files.
const LOOK: Duration = Duration::from_secs(2);

/// Serves until a signal comes.
pub(crate) fn serve(args: ServeArgs, global: &Global, out: &mut Out, environment: &Environment) -> Done {
    if !args.schemes.is_dir() {
        let folder = args.schemes.display();
        return Err(AppError::wrong_use(
            format!("{folder} 不是文件夹;用 --schemes 指出方案所在的文件夹"),
            format!("{folder} is no folder; say with --schemes where the schemes are"),
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| AppError::bug(format!("no runtime: {error}")))?;
    runtime.block_on(served(&args, global, out, environment))
}

async fn served(args: &ServeArgs, global: &Global, out: &Out, environment: &Environment) -> Done {
    let clock: Arc<dyn Clock> = Arc::new(ServiceClock::default());
    let places = environment.places(global);
    let simulation = Simulation::start(&args.simulated, &args.schemes, &places, Keep::Always).await?;
    let opening = opening(&args.opening, "serve", clock.now_ms(), environment)?;
    let attending = Arc::clone(&clock);
    let service = Service::open(Setting {
        folder: args.schemes.clone(),
        load: loader(&args.schemes, places, simulation.simulators(), environment),
        clock,
        lang: out.lang,
        opening,
        places: Places {
            runs: args.runs,
            ..Places::default()
        },
        turn: TURN,
        read_only: args.read_only,
    })
    .await?;
    let mut encrypted = None;
    let mut _whereabouts = None;
    let server = match args.listen.no_api {
        true => None,
        false => {
            let address = args.listen.listen;
            let tls = tls(&args.listen)?;
            let scheme = if tls.is_some() { "https" } else { "http" };
            encrypted.clone_from(&tls);
            let server = server::open(&service, address, tls).await?;
            let address = server.address().unwrap_or(address);
            out.note("serve-listens", &[("address", format!("{scheme}://{address}"))]);
            if !args.read_only {
                let dir = service.loaded().engine.workspace.data_dir();
                _whereabouts = Some(Whereabouts::note(&dir, scheme, address)?);
            }
            Some(server)
        }
    };
    tell_start(&service, out);
    #[cfg(unix)]
    let hang_up = hang_up()?;
    // Before anything can begin: what happens meanwhile is told as soon as somebody tells it.
    let mut bell = service.events().bell();
    let mut seen = Some(*bell.borrow_and_update());
    let _attended = attend(&service, &attending, global, environment)?;
    let told = Told {
        out,
        ndjson: args.ndjson,
        // Elsewhere the log tells it.
        is_terminal: environment.stderr_is_terminal,
    };
    ended::watch(service.stopper());
    let renewal = renewal(encrypted, &args.listen);
    #[cfg(unix)]
    tokio::spawn(on_hang_up(Arc::clone(&service), renewal, hang_up));
    #[cfg(not(unix))]
    drop(renewal);
    if args.watch {
        tokio::spawn(watch(Arc::clone(&service)));
    }
    service.begin().await?;
    // Answers while runs finish what is out, and stops with the last of them.
    let (over, is_over) = tokio::sync::oneshot::channel::<()>();
    let answering = server.map(|server| {
        tokio::spawn(server.serve(async move {
            drop(is_over.await);
        }))
    });
    let served = tokio::select! {
        served = service.serve() => served,
        () = tell(&service, &told, &mut bell, &mut seen) => Ok(()),
    };
    told.news(&service, &mut seen);
    drop(over);
    if let Some(answering) = answering {
        drop(answering.await);
    }
    simulation.stop().await;
    served?;
    Ok(ended::code())
}

/// The certificate of the server, where one is given.
fn tls(args: &ListenArgs) -> Result<Option<Tls>, AppError> {
    let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) else {
        return Ok(None);
    };
    Tls::new(&read(cert)?, &read(key)?).map(Some)
}

fn read(path: &Path) -> Result<Vec<u8>, AppError> {
    std::fs::read(path).map_err(|error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    })
}

/// Reads the certificate again.
type Renewal = Box<dyn Fn() -> Result<(), AppError> + Send + Sync>;

fn renewal(tls: Option<Tls>, args: &ListenArgs) -> Renewal {
    let files = args.tls_cert.clone().zip(args.tls_key.clone());
    Box::new(move || match (&tls, &files) {
        (Some(tls), Some((cert, key))) => tls.renew(&read(cert)?, &read(key)?),
        _ => Ok(()),
    })
}

/// Reads the folder's files, again and again.
fn loader(
    folder: &Path,
    places: app::Places,
    simulators: Option<Simulators>,
    environment: &Environment,
) -> app::service::Load {
    let folder = folder.to_owned();
    let secrets = environment.secrets();
    Box::new(move || {
        Workspace::load(
            &folder,
            places.clone(),
            simulators.clone(),
            Box::new(secrets.clone()),
        )
    })
}

/// SIGHUP is caught from here on. Before the service manager is told that the service is ready: what it sends then would
/// end the process.
#[cfg(unix)]
fn hang_up() -> Result<tokio::signal::unix::Signal, AppError> {
    let caught = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    caught.map_err(|error| AppError::bug(format!("SIGHUP: {error}")))
}

/// SIGHUP reads the files again.
#[cfg(unix)]
async fn on_hang_up(service: Arc<Service>, renewal: Renewal, mut hang_up: tokio::signal::unix::Signal) {
    while hang_up.recv().await.is_some() {
        // A certificate that cannot be used keeps nothing else from being read again; the old one stays.
        if let Err(error) = renewal() {
            let why = Reason::new("", error.message(service.lang()));
            service.events().tell(service.now_ms(), What::NotReloaded(why));
        }
        // What came of it is told as an event.
        drop(service.reload().await);
    }
}

/// Reads the files again when one of them changes. They are looked at instead of listened to: that works on every file
/// system, and a file that is written in pieces is read when it has been left alone for a moment.
async fn watch(service: Arc<Service>) {
    let mut read = service.fingerprint();
    let mut seen = read;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = service.fingerprint();
        if now == seen && now != read {
            read = now;
            // What came of it is told as an event.
            drop(service.reload().await);
        }
        seen = now;
    }
}

fn tell_start(service: &Service, out: &Out) {
    let loaded = service.loaded();
    let (ready, broken) = loaded.fleet.counts();
    for (_, member) in loaded.fleet.iter() {
        if let Some(error) = member.trouble() {
            trouble(error, out);
        }
    }
    out.note(
        "serve-started",
        &[
            ("folder", service.folder().display().to_string()),
            ("ready", grouped(ready as u64)),
            ("broken", broken.to_string()),
        ],
    );
}

fn trouble(error: &AppError, out: &Out) {
    match error {
        AppError::Invalid(diagnostics) => out.diagnostics(diagnostics),
        other => drop(out.error(other)),
    }
}

/// How events are told.
struct Told<'a> {
    out: &'a Out,
    ndjson: bool,
    is_terminal: bool,
}

impl Told<'_> {
    /// What happened behind the event that was told last.
    fn news(&self, service: &Service, seen: &mut Option<u64>) {
        match service.events().since(*seen) {
            Since::Events(events) => {
                for event in &events {
                    self.event(event);
                    *seen = Some(event.id);
                }
            }
            Since::Lost(newest) => *seen = Some(newest),
        }
    }

    fn event(&self, event: &Event) {
        if self.ndjson {
            self.out.line(dsl::json::to_string(&document(event)));
            return;
        }
        if !self.is_terminal {
            return;
        }
        let scheme = event.what.scheme().unwrap_or_default().to_owned();
        let at = ("at", time::shown(event.at));
        match &event.what {
            What::RunEnded(end) => self.ended(end, at),
            What::Paused { by, reason, .. } => self.out.note(
                "serve-paused",
                &[
                    at,
                    ("scheme", scheme),
                    ("by", by.clone()),
                    ("why", app::sentence_of(reason, self.out.lang)),
                ],
            ),
            What::Resumed { by, .. } => {
                self.out
                    .note("serve-resumed", &[at, ("scheme", scheme), ("by", by.clone())]);
            }
            What::Reloaded { ready, broken } => self.out.note(
                "serve-reloaded",
                &[at, ("ready", ready.to_string()), ("broken", broken.to_string())],
            ),
            What::NotReloaded(reason) => {
                self.out
                    .note("serve-not-reloaded", &[at, ("why", reason.text.clone())]);
            }
            What::RunBegan { .. } | What::RunGoes { .. } | What::Arrived { .. } | What::Decided { .. } => {}
        }
    }

    fn ended(&self, end: &RunEnd, at: (&'static str, String)) {
        // A run that found nothing is no news.
        let counts = end.counts.unwrap_or_default();
        if end.status == "ok" && counts.fetched == counts.unchanged && end.written == 0 {
            return;
        }
        let why = end.reason.as_ref().map(|reason| {
            let code = &reason.code;
            format!("  {code} {}", app::sentence_of(reason, self.out.lang))
        });
        self.out.note(
            "serve-ended",
            &[
                at,
                ("scheme", end.scheme.clone()),
                ("status", self.out.text(&format!("status-{}", end.status), &[])),
                ("counts", super::run::identity(&counts, self.out)),
                ("why", why.unwrap_or_default()),
            ],
        );
    }
}

/// Tells events for ever: those behind the one that was seen, and those of which the bell rings.
async fn tell(
    service: &Service,
    told: &Told<'_>,
    bell: &mut tokio::sync::watch::Receiver<u64>,
    seen: &mut Option<u64>,
) {
    loop {
        told.news(service, seen);
        if bell.changed().await.is_err() {
            return;
        }
    }
}

/// One event as a line of `--ndjson`.
fn document(event: &Event) -> Value {
    let mut document = object! {
        "schema" => "engine.serve/1",
        "id" => i64::try_from(event.id).unwrap_or(i64::MAX),
        "at" => time::rfc3339(event.at),
        "event" => event.what.word()
    };
    if let Value::Map(map) = &mut document {
        if let Some(scheme) = event.what.scheme() {
            map.insert("scheme".to_owned(), scheme.into());
        }
        map.extend(details(&event.what));
    }
    document
}

fn details(what: &What) -> Vec<(String, Value)> {
    let text = |name: &str, value: &str| (name.to_owned(), Value::from(value));
    let number = |name: &str, value: i64| (name.to_owned(), Value::from(value));
    let reason = |reason: &Reason| {
        (
            "reason".to_owned(),
            object! {"code" => reason.code.as_str(), "text" => reason.text.as_str()},
        )
    };
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    match what {
        What::RunBegan { half, late, .. } => vec![text("half", half.word()), number("late_ms", *late)],
        What::RunGoes { rows, written, .. } => {
            vec![number("rows", count(*rows)), number("written", count(*written))]
        }
        What::RunEnded(end) => {
            let mut told = vec![
                text("half", end.half.word()),
                text("status", end.status),
                number("written", count(end.written)),
                number("windows_left", i64::from(end.windows_left)),
            ];
            told.extend(
                end.counts
                    .as_ref()
                    .map(|counts| ("counts".to_owned(), counted(counts))),
            );
            told.extend(end.reason.as_ref().map(reason));
            told
        }
        What::Paused { by, reason: why, .. } => vec![text("by", by), reason(why)],
        What::Resumed { by, .. } => vec![text("by", by)],
        What::Reloaded { ready, broken } => vec![
            number("ready", count(*ready as u64)),
            number("broken", count(*broken as u64)),
        ],
        What::NotReloaded(why) => vec![reason(why)],
        What::Arrived { .. } => Vec::new(),
        What::Decided { records, .. } => vec![number("records", count(*records))],
    }
}

fn counted(counts: &Counts) -> Value {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    object! {
        "fetched" => count(counts.fetched),
        "done" => count(counts.done),
        "dead" => count(counts.dead),
        "held" => count(counts.held),
        "skipped" => count(counts.skipped),
        "open" => count(counts.open())
    }
}
