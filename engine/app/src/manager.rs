//! Talking to the service manager: that the process is ready, reloads, stops, and is alive.
//!
//! systemd's protocol is one datagram of `KEY=value` lines to a unix socket whose name it gives in `NOTIFY_SOCKET`. Where
//! there is none, nothing is said. What cannot be said is not worth failing for. Nothing here reads the environment: the
//! binary passes on what it was given, and takes the variables from its children.

use std::time::Duration;

/// What a service manager is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It works.
    Ready,
    /// It reads its files again; followed by [`State::Ready`].
    Reloading {
        /// Microseconds of the monotonic clock, which systemd asks for.
        monotonic_us: u64,
    },
    /// It finishes what is under way.
    Stopping,
    /// It is alive.
    Alive,
    /// A line for `systemctl status`.
    Status(String),
}

impl State {
    fn text(&self) -> String {
        match self {
            State::Ready => "READY=1".to_owned(),
            State::Reloading { monotonic_us } => format!("RELOADING=1\nMONOTONIC_USEC={monotonic_us}"),
            State::Stopping => "STOPPING=1".to_owned(),
            State::Alive => "WATCHDOG=1".to_owned(),
            // A line end would begin another key.
            State::Status(text) => format!("STATUS={}", text.replace(['\n', '\r'], " ")),
        }
    }
}

/// The service manager that started this process, if one did.
#[derive(Debug, Default)]
pub struct Manager {
    #[cfg(unix)]
    socket: Option<std::os::unix::net::UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Manager {
    /// From the values of `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`.
    pub fn new(notify_socket: Option<&str>, watchdog_usec: Option<&str>, watchdog_pid: Option<&str>) -> Self {
        let is_ours = watchdog_pid.is_none_or(|pid| pid.parse() == Ok(std::process::id()));
        let watchdog = watchdog_usec
            .filter(|_| is_ours)
            .and_then(|text| text.parse().ok())
            .filter(|micros| *micros > 0)
            .map(Duration::from_micros);
        Manager {
            #[cfg(unix)]
            socket: notify_socket.and_then(connected),
            watchdog,
        }
    }

    /// Whether there is one.
    pub fn is_there(&self) -> bool {
        #[cfg(unix)]
        return self.socket.is_some();
        #[cfg(not(unix))]
        return false;
    }

    /// How often to say [`State::Alive`]: half of the time after which the manager would take the process for dead.
    /// `None` = it does not watch.
    pub fn alive_every(&self) -> Option<Duration> {
        self.watchdog.filter(|_| self.is_there()).map(|limit| limit / 2)
    }

    /// Tells it; says whether it could be told.
    pub fn tell(&self, state: &State) -> bool {
        #[cfg(unix)]
        if let Some(socket) = &self.socket {
            return socket.send(state.text().as_bytes()).is_ok();
        }
        #[cfg(not(unix))]
        let _ = state.text();
        false
    }

    /// That it reads its files again, now.
    pub fn reloading(&self) -> bool {
        self.tell(&State::Reloading {
            monotonic_us: monotonic_us(),
        })
    }
}

/// A socket that never waits: a manager that does not read must not stop the service.
#[cfg(unix)]
fn connected(name: &str) -> Option<std::os::unix::net::UnixDatagram> {
    let socket = std::os::unix::net::UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    match name.strip_prefix('@') {
        #[cfg(target_os = "linux")]
        Some(hidden) => {
            let address = abstract_name(hidden)?;
            socket.connect_addr(&address).ok()?;
        }
        #[cfg(not(target_os = "linux"))]
        Some(_) => return None,
        None if name.starts_with('/') => socket.connect(name).ok()?,
        None => return None,
    }
    Some(socket)
}

#[cfg(target_os = "linux")]
fn abstract_name(name: &str) -> Option<std::os::unix::net::SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    std::os::unix::net::SocketAddr::from_abstract_name(name.as_bytes()).ok()
}

fn monotonic_us() -> u64 {
    #[cfg(unix)]
    let micros = {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000
    };
    #[cfg(not(unix))]
    let micros = 0_i128;
    u64::try_from(micros).unwrap_or(0)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).expect("a datagram");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    #[test]
    fn a_manager_hears_what_it_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let own = std::process::id().to_string();
        let manager = Manager::new(path.to_str(), Some("30000000"), Some(&own));
        assert_eq!(manager.alive_every(), Some(Duration::from_secs(15)));
        assert!(manager.tell(&State::Ready));
        assert_eq!(heard(&socket), "READY=1");
        assert!(manager.reloading());
        let told = heard(&socket);
        let at: u64 = told
            .strip_prefix("RELOADING=1\nMONOTONIC_USEC=")
            .and_then(|digits| digits.parse().ok())
            .unwrap_or_else(|| panic!("{told}"));
        assert!(at > 0);
        assert!(manager.tell(&State::Status("20 schemes\nREADY=0".to_owned())));
        assert_eq!(heard(&socket), "STATUS=20 schemes READY=0");
        for (state, want) in [(State::Stopping, "STOPPING=1"), (State::Alive, "WATCHDOG=1")] {
            assert!(manager.tell(&state));
            assert_eq!(heard(&socket), want);
        }
        // A manager that is gone, or does not read, is no reason to fail or to wait.
        for _ in 0..10_000 {
            if !manager.tell(&State::Alive) {
                break;
            }
        }
        drop(socket);
        assert!(!manager.tell(&State::Alive));
    }

    #[test]
    fn without_a_manager_nothing_is_said() {
        for name in [None, Some(""), Some("relative"), Some("/nowhere/at/all")] {
            let manager = Manager::new(name, Some("30000000"), None);
            assert!(!manager.is_there() && !manager.tell(&State::Ready), "{name:?}");
            assert_eq!(manager.alive_every(), None);
        }
        #[cfg(target_os = "linux")]
        {
            let name = format!("engine-manager-{}", std::process::id());
            let address = abstract_name(&name).expect("a name");
            let socket = UnixDatagram::bind_addr(&address).expect("a socket");
            let manager = Manager::new(Some(&format!("@{name}")), Some("30000000"), Some("1"));
            assert!(manager.tell(&State::Ready));
            assert_eq!(heard(&socket), "READY=1");
            assert_eq!(manager.alive_every(), None, "the watchdog is another process's");
        }
    }
}
