//! Runs inputs one after the other and keeps what is wrong with them, and what they cost.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::target::{Reached, Target};
use crate::world::World;

/// What one input may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Processor time of one input.
    pub cpu: Duration,
    /// Most memory of the whole process, in KiB.
    pub memory_kib: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            cpu: Duration::from_millis(200),
            memory_kib: 256 << 10,
        }
    }
}

/// What was wrong with an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Offence {
    /// It panicked, with these words at this place.
    Panic(String),
    /// It took so long.
    Slow(Duration),
}

impl Offence {
    /// Whether another input goes wrong in the same way.
    pub fn is_like(&self, other: &Offence) -> bool {
        match (self, other) {
            (Offence::Slow(_), Offence::Slow(_)) => true,
            (Offence::Panic(one), Offence::Panic(other)) => place(one) == place(other),
            _ => false,
        }
    }
}

/// A panic is known by its place; its words often hold the input.
fn place(words: &str) -> &str {
    words.split(": ").next().unwrap_or(words)
}

impl std::fmt::Display for Offence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Offence::Panic(words) => write!(f, "panic at {words}"),
            Offence::Slow(took) => write!(f, "took {} ms", took.as_millis()),
        }
    }
}

/// What so many inputs came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Inputs.
    pub inputs: u64,
    /// Inputs that compiled.
    pub compiled: u64,
    /// Inputs that gave a value.
    pub evaluated: u64,
    /// Processor time of all.
    pub total: Duration,
    /// Processor time of the slowest.
    pub slowest: Duration,
}

/// One target's inputs under watch.
pub struct Judge {
    world: World,
    target: Target,
    limits: Limits,
    figures: Figures,
    offences: Vec<(Offence, Vec<u8>)>,
}

thread_local! {
    static LISTENING: Cell<bool> = const { Cell::new(false) };
    static WORDS: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps the words of panics of inputs instead of printing them: with a million inputs nobody reads them.
fn listen() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !LISTENING.with(Cell::get) {
            return usual(info);
        }
        let at = info.location().map_or_else(String::new, |at| {
            // A place of another crate begins with wherever its source lies on this machine.
            let file = at.file().rsplit_once("/src/").map_or(at.file(), |(_, file)| file);
            format!("{file}:{}", at.line())
        });
        let payload = info.payload();
        let words = payload
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| payload.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        WORDS.with(|slot| *slot.borrow_mut() = Some(format!("{at}: {}", words.unwrap_or_default())));
    }));
}

impl Judge {
    /// Nothing was tried yet. Panics of this process are listened to from now on.
    pub fn new(target: Target, limits: Limits) -> Judge {
        let world = World::new();
        listen();
        Judge {
            world,
            target,
            limits,
            figures: Figures::default(),
            offences: Vec::new(),
        }
    }

    /// Tries one input; gives what is wrong with it, also when something like it is known already.
    pub fn one(&mut self, input: &[u8]) -> Option<Offence> {
        let (took, reached) = self.timed(input);
        self.figures.inputs += 1;
        self.figures.total += took;
        self.figures.slowest = self.figures.slowest.max(took);
        let offence = match reached {
            Err(words) => Some(Offence::Panic(words)),
            Ok(reached) => {
                self.figures.compiled += u64::from(reached != Reached::Refused);
                self.figures.evaluated += u64::from(reached == Reached::Evaluated);
                (took > self.limits.cpu)
                    .then(|| self.steady(input, took))
                    .flatten()
            }
        }?;
        if !self.offences.iter().any(|(known, _)| known.is_like(&offence)) {
            self.offences.push((offence.clone(), input.to_vec()));
        }
        Some(offence)
    }

    /// A slow input is one that is slow whenever it is tried.
    fn steady(&self, input: &[u8], first: Duration) -> Option<Offence> {
        let least = (0..2).map(|_| self.timed(input).0).fold(first, Duration::min);
        (least > self.limits.cpu).then_some(Offence::Slow(least))
    }

    fn timed(&self, input: &[u8]) -> (Duration, Result<Reached, String>) {
        LISTENING.with(|flag| flag.set(true));
        let before = cpu();
        let reached = catch_unwind(AssertUnwindSafe(|| self.world.run(self.target, input)));
        let took = cpu().saturating_sub(before);
        LISTENING.with(|flag| flag.set(false));
        let said = || WORDS.with(|slot| slot.borrow_mut().take()).unwrap_or_default();
        (took, reached.map_err(|_| said()))
    }

    /// What the inputs came to so far.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// The first input of each kind of offence.
    pub fn offences(&self) -> &[(Offence, Vec<u8>)] {
        &self.offences
    }

    /// What inputs are compiled against.
    pub fn world(&self) -> &World {
        &self.world
    }
}

/// Processor time of this thread: what a shared machine does besides does not count.
#[cfg(unix)]
pub fn cpu() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap_or(0),
        u32::try_from(now.tv_nsec).unwrap_or(0),
    )
}

/// Time of the wall, where a thread's own is not to be had.
#[cfg(not(unix))]
pub fn cpu() -> Duration {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    #[expect(clippy::disallowed_methods, reason = "how long an input took on this machine")]
    let now = std::time::Instant::now();
    now.duration_since(*BEGAN.get_or_init(|| now))
}

/// The most memory this process has held, in KiB; 0 where the system does not say.
pub fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}
