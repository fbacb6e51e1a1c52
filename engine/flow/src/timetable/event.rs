//! What the timetable is told, and what it gives.

use std::fmt;
use std::sync::Arc;

use crate::ids::Ms;
use crate::op::Reason;

/// When something is due. Zones, cron texts and hours of the day are behind it; the timetable knows instants only.
pub trait Rule: Send + Sync {
    /// The first due instant after this one; `None` = never (again).
    fn next(&self, after: Ms) -> Option<Ms>;

    /// The first instant from this one on at which something may be started: hours and quiet hours. [`Rule::next`]
    /// gives only such instants.
    fn opens(&self, at: Ms) -> Ms {
        at
    }
}

/// Any function from an instant to the next one is a rule without hours.
impl<F: Fn(Ms) -> Option<Ms> + Send + Sync> Rule for F {
    fn next(&self, after: Ms) -> Option<Ms> {
        self(after)
    }
}

/// Which half of a scheme's work is meant. At most one of a scheme is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Half {
    /// Reading and writing.
    All,
    /// Reading only.
    Source,
    /// Writing only what is stored.
    Target,
}

impl Half {
    /// All of them.
    pub const ALL: [Half; 3] = [Half::All, Half::Source, Half::Target];

    /// The word stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Half::All => "all",
            Half::Source => "source",
            Half::Target => "target",
        }
    }

    /// The half of a stored word.
    pub fn from_word(word: &str) -> Option<Half> {
        Half::ALL.into_iter().find(|half| half.word() == word)
    }
}

/// One rule of a scheme.
#[derive(Clone)]
pub struct Timing {
    /// Which half it starts.
    pub half: Half,
    /// When.
    pub rule: Arc<dyn Rule>,
    /// The rule as text, zone and hours included: another text than the remembered one is a changed rule.
    pub text: String,
    /// What a scheme does that was never here before.
    pub first: First,
    /// Starts are spread over so long behind the due instant, by the scheme's id; never up to the next one.
    pub jitter: Ms,
}

impl fmt::Debug for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timing")
            .field("half", &self.half)
            .field("text", &self.text)
            .finish_non_exhaustive()
    }
}

/// When a scheme is due that has never been due before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// At once.
    AtOnce,
    /// At its rule's next instant.
    AtNext,
}

/// What becomes of instants that passed while nobody was there to see them, or the scheme was paused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missed {
    /// One run makes up for all of them. The only sense where the scheme has a window: nothing between is left out.
    #[default]
    Once,
    /// They are left out.
    Skip,
}

/// A scheme as the timetable knows it.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its id.
    pub scheme: String,
    /// When it is due; empty = only by hand, by a push, or after another scheme.
    pub timings: Vec<Timing>,
    /// It is due, too, when a run of this scheme ended well.
    pub after: Option<String>,
    /// 1 to 9; a greater one goes first. [`PRIORITY`] where nothing is said.
    pub priority: u8,
    /// The credentials its calls use. Schemes that share one share its places.
    pub credentials: Vec<String>,
    /// Schemes that name the same thing here never run at the same time.
    pub alone: Option<String>,
    /// Scheduled starts of one half are not nearer than this: the connector's least interval.
    pub least: Ms,
    /// What becomes of missed instants.
    pub missed: Missed,
    /// Nothing but a person starts it: it is disabled. A push, another scheme, lost answers do not.
    pub by_hand: bool,
    /// Nothing starts it, not even a person, until [`Event::Hold`] ends that: its target is not to be written to.
    pub held: bool,
}

impl Spec {
    /// A scheme without a rule: a person, a push or lost answers start it.
    pub fn new(scheme: impl Into<String>) -> Spec {
        Spec {
            scheme: scheme.into(),
            timings: Vec::new(),
            after: None,
            priority: PRIORITY,
            credentials: Vec::new(),
            alone: None,
            least: 0,
            missed: Missed::Once,
            by_hand: false,
            held: false,
        }
    }
}

/// The priority of a scheme that names none.
pub const PRIORITY: u8 = 5;

/// What is remembered of one half of a scheme, across restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueRow {
    /// The scheme.
    pub scheme: String,
    /// The half.
    pub half: Half,
    /// The rule this was reckoned with.
    pub rule: String,
    /// The instant that is due next. It stays while its run is under way, so that a run that a crash ends is owed still.
    pub next: Option<Ms>,
    /// When a run last began, and ended.
    pub started: Option<Ms>,
    /// When a run last ended.
    pub ended: Option<Ms>,
    /// Counts since the scheme came here.
    pub tally: Tally,
}

/// Counts of one half of a scheme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs begun.
    pub starts: u64,
    /// Instants that came while a run of them was under way or waiting: one run more, never two at once.
    pub overlaps: u64,
    /// Times that missed instants were left out.
    pub skipped: u64,
    /// Runs begun later than [`LATE`](super::LATE) behind their due instant.
    pub late: u64,
    /// How late the last one began.
    pub lateness: Ms,
    /// The most any began late.
    pub worst: Ms,
    /// Runs that were gone without a word, and starts that were lost: armed again by the watchdog.
    pub rearmed: u64,
}

/// What is remembered of a scheme that is new to the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    /// One row for each half that ever was due.
    pub rows: Vec<DueRow>,
    /// Its pause.
    pub paused: Option<Paused>,
}

/// Why a scheme is not started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paused {
    /// Since when.
    pub since: Ms,
    /// Who did it: a person's name, or the engine's.
    pub by: String,
    /// Why.
    pub reason: Reason,
}

/// Names one start. Never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// Why a run begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Something was pushed to it. Such a run takes that and asks nobody, so every other cause outweighs it.
    Push,
    /// What is stored is gone on with: it was not written, or answers were lost and the target may be asked about them.
    Settle,
    /// By its rule.
    Schedule,
    /// Another scheme ended well.
    After,
    /// A person asked for it.
    Manual,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A scheme is here, or has changed; what is remembered of it counts where it is new to the table. Starts nothing yet,
    /// so that many can be put before the first one begins: [`Event::Tick`] does.
    Put(Box<Spec>, Remembered),
    /// A scheme is not here any more. A run of it goes on to its end.
    Remove(String),
    /// Time has passed.
    Tick,
    /// A run ended.
    Ended(Token, Ended),
    /// The runs that are under way, all of them: what is missing is gone. Also the moment at which the watchdog looks for
    /// what should be started and is not. Every minute is often enough.
    Census(Vec<Token>),
    /// A person wants a run: hours, pause and back-off do not bind it, the places of its credentials do.
    RunNow(String, Half),
    /// Something was pushed to the scheme.
    Pushed(String),
    /// Something of the scheme is stored and not written, or its answer was lost, and it may be gone on with now.
    Settle(String),
    /// Nothing of the scheme is started.
    Pause(String, Paused),
    /// It is started again; what it missed is as if nobody had been there.
    Resume(String),
    /// Nothing starts the scheme, not even a person; or that ends. What is owed stays owed.
    Hold(String, bool),
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It did what it had to do; single records may have failed.
    Well,
    /// It failed; trying again sooner than its next instant may help.
    Failed,
    /// It failed in a way that trying again soon does not mend: credentials, a mistake in the files.
    Refused,
    /// A person ended it.
    Canceled,
    /// The process ends: it is owed still.
    Stopped,
    /// It could not be begun (too many open files, say), which says nothing about the scheme.
    NotBegun,
    /// A brake stopped it: the scheme is paused until a person resumes it.
    Braked(Reason),
    /// It panicked.
    Panicked,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Begin a run. Answered by [`Event::Ended`] with its token.
    Start(Start),
    /// Remember this. Rows for the same half that come later replace it, so that many may be written together.
    Keep(DueRow),
    /// The scheme was paused by the table itself: to be remembered, and told to people.
    Paused(String, Paused),
}

/// A run to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Its name in [`Event::Ended`].
    pub token: Token,
    /// The scheme.
    pub scheme: String,
    /// Which half.
    pub half: Half,
    /// Why.
    pub cause: Cause,
    /// When it was due: the first of the instants that it makes up for.
    pub due: Ms,
    /// How long after that it begins.
    pub late: Ms,
}

/// How one half of a scheme stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The scheme.
    pub scheme: String,
    /// The half.
    pub half: Half,
    /// The rule as text; `None` = it is started by hand, by a push or by lost answers.
    pub rule: Option<String>,
    /// What it is doing.
    pub standing: Standing,
    /// The instant due next, or the one that is owed; `None` = no rule, or never again.
    pub due: Option<Ms>,
    /// Not started before this, for whatever reason (spread, hours, least interval, back-off).
    pub not_before: Option<Ms>,
    /// Its pause.
    pub paused: Option<Paused>,
    /// Runs that failed, one after another, until now.
    pub failures: u32,
    /// When a run last began.
    pub started: Option<Ms>,
    /// When a run last ended.
    pub ended: Option<Ms>,
    /// Counts.
    pub tally: Tally,
}

/// What one half of a scheme is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is due.
    Idle,
    /// Due, and waits: for a place, for the scheme's other half, or for the end of a back-off.
    Waiting(Ms),
    /// A run is under way since then.
    Running(Token, Ms),
}
