//! Signals that end a command: Ctrl-C, and SIGTERM as service managers send it. Both end a run in the same clean way.

use std::sync::atomic::{AtomicU8, Ordering};

use app::Cancel;

/// The exit code of a run that was ended: 128 and the number of the signal, Ctrl-C or SIGTERM.
static ENDED_BY: AtomicU8 = AtomicU8::new(INTERRUPTED);

/// Exit code after Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;
/// Exit code after SIGTERM.
const TERMINATED: u8 = 143;

/// The exit code of a run that somebody ended.
pub(crate) fn code() -> u8 {
    ENDED_BY.load(Ordering::Relaxed)
}

/// Whether a run ended because somebody ended the process.
pub(crate) fn is(code: u8) -> bool {
    matches!(code, INTERRUPTED | TERMINATED)
}

/// The first Ctrl-C or SIGTERM finishes what is in flight, the second stops at once.
pub(crate) fn watch(cancel: Cancel) {
    tokio::spawn(async move {
        if let Some(code) = signal_came().await {
            ENDED_BY.store(code, Ordering::Relaxed);
            cancel.cancel();
        }
        if let Some(code) = signal_came().await {
            #[expect(
                clippy::exit,
                clippy::disallowed_methods,
                reason = "a person insists; whatever is in flight becomes unknown and is asked about"
            )]
            std::process::exit(i32::from(code));
        }
    });
}

/// Waits until somebody ends the process; gives the exit code for it. `None` = the system has no signals.
pub(crate) async fn signal_came() -> Option<u8> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminated = signal(SignalKind::terminate()).ok()?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.ok().map(|()| INTERRUPTED),
            _ = terminated.recv() => Some(TERMINATED),
        }
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await.ok().map(|()| INTERRUPTED)
    }
}
