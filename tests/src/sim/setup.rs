//! One world per seed: the scheme, the target's abilities, and how bad the weather is.

use flow::Paging;
use flow::classify::{OnUnknown, Proof};
use flow::ids::Ms;
use flow::op::OnSeen;
use flow::window::{CatchUp, First, WindowRule};

use super::content::Content;
use super::rng::Rng;

/// Longest time of a task.
const TASK: Ms = 10 * MINUTE;
/// A second.
pub(crate) const SECOND: Ms = 1_000;
/// A minute.
pub(crate) const MINUTE: Ms = 60 * SECOND;
/// An hour.
pub(crate) const HOUR: Ms = 60 * MINUTE;
/// Customers whose documents another scheme writes, too.
pub(super) const RIVALS: u32 = 3;
/// When the simulated time begins.
pub(crate) const BEGIN: Ms = 1_700_000_000_000;

/// How the source moves while it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drift {
    /// Changes only between runs.
    Still,
    /// Rows change, and so leave the window.
    Leave,
    /// Rows arrive late, stamped earlier.
    Arrive,
    /// Both: in the source's total they may cancel out.
    Both,
}

/// Everything that is drawn once per seed.
#[derive(Debug, Clone)]
pub(super) struct Setup {
    /// What resolves a lost create.
    pub(super) proof: Proof,
    /// The target refuses a second document with a key.
    pub(super) unique: bool,
    /// The scheme's choice.
    pub(super) on_unknown: OnUnknown,
    /// Late commits may come after the quiet period (only where uniqueness is the second wall).
    pub(super) too_late: bool,
    /// Records a call.
    pub(super) batch: u32,
    /// Time-out of a call.
    pub(super) timeout: Ms,
    /// Quiet period.
    pub(super) quiet: Ms,
    /// One bad record fails the whole call, without naming it.
    pub(super) all_or_nothing: bool,
    /// Ask before every first create.
    pub(super) find_before_create: bool,
    /// A refused record stops the run.
    pub(super) stop_at_first_dead: bool,
    /// How long the target remembers the keys of calls.
    pub(super) remembers: Ms,
    /// Further calls that each document gets.
    pub(super) steps: &'static [&'static str],
    /// The target refuses the last of them for each document of so many.
    pub(super) refuses_each: u32,
    /// The target makes the first two of them in the same call, as far as it gets.
    pub(super) by_itself: bool,
    /// After so long a record is no longer worth waiting for.
    pub(super) wait_for: Ms,
    /// It is down for hours at a time.
    pub(super) outages: bool,
    /// Some documents are already there.
    pub(super) foreign: bool,
    /// Some customers share a key at the target.
    pub(super) collisions: bool,
    /// `None` = no window.
    pub(super) window: Option<WindowRule>,
    /// The author looks back so far.
    pub(super) look_back: Option<Ms>,
    /// Second readings.
    pub(super) on_seen: OnSeen,
    /// The scheme changes documents that are written.
    pub(super) updates: bool,
    /// Rows a page.
    pub(super) page: usize,
    /// The source says a total.
    pub(super) total: bool,
    /// Most rows one query gives.
    pub(super) ceiling: Option<u64>,
    /// How it moves.
    pub(super) drift: Drift,
    /// Several trades of one customer.
    pub(super) several: bool,
    /// Source faults in a thousand calls.
    pub(super) source_faults: u32,
    /// Target faults in a thousand calls.
    pub(super) target_faults: u32,
    /// Crashes in a thousand steps.
    pub(super) crashes: u32,
    /// Rows with something special in a thousand.
    pub(super) special: u32,
    /// Runs before the weather clears.
    pub(super) runs: u32,
    /// How long a run waits for lost answers.
    pub(super) settle_wait: Ms,
    /// People decide about records between the runs.
    pub(super) people: bool,
    /// The ledger is lost now and then; the target is not.
    pub(super) loses: bool,
    /// Another scheme writes documents with keys of this one.
    pub(super) rival: bool,
    /// The target may take a call on as a task.
    pub(super) tasks: bool,
}

impl Setup {
    /// Draws a world.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let proof = rng.pick(&[
            Proof::UniqueKey,
            Proof::UniqueKey,
            Proof::Query,
            Proof::Query,
            Proof::Upsert,
            Proof::IdempotencyKey,
            Proof::None,
        ]);
        let on_unknown = match rng.between(0, 12) {
            0 => OnUnknown::Hold,
            1 => OnUnknown::Resend,
            _ => OnUnknown::ByProof,
        };
        let drift = rng.pick(&[Drift::Still, Drift::Leave, Drift::Arrive, Drift::Both]);
        let window = rng.in_thousand(900).then(|| WindowRule {
            first: Some(First::Before(48 * HOUR)),
            overlap: rng.pick(&[0, 2 * MINUTE, 10 * MINUTE]),
            settle: rng.pick(&[0, MINUTE, 5 * MINUTE]),
            max: rng.pick(&[2 * HOUR, 6 * HOUR, 24 * HOUR, 400 * HOUR]),
            catch_up: if rng.in_thousand(100) {
                CatchUp::Ignore
            } else {
                CatchUp::Extend
            },
        });
        let steps: &[&str] = match rng.between(0, 5) {
            0 => &["submit"],
            // One that is made for each of two lines.
            1 => &["submit", r#"line/["1"]"#, r#"line/["2"]"#],
            2 => &["submit", "audit", "notify"],
            _ => &[],
        };
        let find_before_create = rng.in_thousand(250) && proof != Proof::None;
        let mut setup = Setup {
            proof,
            unique: proof == Proof::UniqueKey,
            on_unknown,
            too_late: proof == Proof::UniqueKey && rng.in_thousand(300),
            batch: rng.pick(&[1, 2, 5, 10]),
            timeout: rng.pick(&[5 * SECOND, 30 * SECOND]),
            quiet: rng.pick(&[SECOND, MINUTE, 5 * MINUTE]),
            all_or_nothing: rng.in_thousand(250),
            find_before_create,
            stop_at_first_dead: rng.in_thousand(100),
            remembers: rng.pick(&[2 * HOUR, 24 * HOUR]),
            steps,
            refuses_each: 11,
            by_itself: steps.len() > 1 && rng.in_thousand(500),
            wait_for: rng.pick(&[4 * HOUR, 24 * HOUR]),
            outages: rng.in_thousand(250),
            foreign: (proof == Proof::UniqueKey || find_before_create) && rng.in_thousand(400),
            collisions: rng.in_thousand(200),
            window,
            look_back: rng.in_thousand(300).then_some(20 * HOUR),
            on_seen: rng.pick(&[
                OnSeen::UpdateIfChanged,
                OnSeen::UpdateIfChanged,
                OnSeen::UpdateIfChanged,
                OnSeen::Skip,
                OnSeen::Update,
            ]),
            updates: true,
            page: usize::try_from(rng.between(2, 12)).expect("small"),
            total: rng.in_thousand(700),
            ceiling: (window.is_some() && rng.in_thousand(200)).then_some(20),
            drift,
            several: rng.in_thousand(400),
            source_faults: rng.pick(&[0, 50, 200]),
            target_faults: rng.pick(&[0, 100, 300, 600]),
            crashes: rng.pick(&[0, 5, 20, 60]),
            special: rng.pick(&[0, 100, 300]),
            runs: u32::try_from(rng.between(2, 9)).expect("small"),
            settle_wait: rng.pick(&[0, MINUTE, 20 * MINUTE]),
            people: rng.in_thousand(400),
            loses: rng.in_thousand(400),
            rival: rng.in_thousand(200),
            tasks: false,
        };
        // Whom a document belongs to must follow from its key, and the target must be one that can be asked.
        let asks = matches!(setup.proof, Proof::UniqueKey | Proof::Query) && on_unknown == OnUnknown::ByProof;
        setup.loses &= asks && !setup.several && !setup.collisions && !setup.foreign && !setup.too_late;
        setup.rival &= !setup.loses;
        // Follows from what was drawn: worlds without tasks stay the worlds they were.
        setup.tasks = setup.page.is_multiple_of(3);
        if setup.tasks {
            setup.timeout = TASK;
        }
        // Nor have worlds without updates moved. What a ledger that begins anew finds is done, whatever it says.
        setup.updates = setup.loses || setup.batch != 2;
        setup.reach(rng);
        setup
    }

    /// A ledger that begins anew knows only the rows that its first windows reach, and a row that keeps changing may slip
    /// from one window into the next: where nothing but the question guards the target, it must find them all.
    fn reach(&mut self, rng: &mut Rng) {
        if !self.loses || self.unique {
            return;
        }
        self.drift = Drift::Still;
        self.look_back = None;
        if let Some(window) = &mut self.window {
            window.first = Some(First::Before(2_000 * HOUR));
            window.catch_up = CatchUp::Extend;
            window.max = rng.pick(&[24 * HOUR, 400 * HOUR]);
        }
    }

    /// How the pages of its source hang together.
    pub(super) fn paging(&self) -> Paging {
        Paging {
            max_rows: self.ceiling,
            ..Paging::default()
        }
    }

    /// A lost create may be executed and sent again: the scheme or the target chose "at least once".
    pub(super) fn may_double(&self) -> bool {
        let forgets = matches!(self.proof, Proof::Query | Proof::None | Proof::IdempotencyKey);
        self.on_unknown == OnUnknown::Resend && forgets
    }

    /// The first step a document is to get from a place on.
    pub(super) fn step_from(&self, content: &Content, place: usize) -> Option<usize> {
        (place..self.steps.len()).find(|at| content.wants(self.steps[*at]))
    }

    /// How many steps a document has when all is done.
    pub(super) fn steps_of(&self, content: &Content) -> usize {
        self.steps.iter().filter(|step| content.wants(step)).count()
    }

    /// Whether the target refuses a step of a document.
    pub(super) fn refuses(&self, content: &Content, step: usize) -> bool {
        content.serial % self.refuses_each == 5 % self.refuses_each && step + 1 == self.steps_of(content)
    }

    /// The natural key of a customer's document.
    pub(super) fn tkey(&self, customer: u32) -> String {
        let shared = if self.collisions && customer % 7 == 3 {
            customer - 1
        } else {
            customer
        };
        format!("[\"K{shared}\"]")
    }

    /// A document with this customer's key was there before.
    pub(super) fn is_foreign(&self, customer: u32) -> bool {
        self.foreign && customer % 5 == 2
    }

    /// Another customer, or another scheme's, has the same key.
    pub(super) fn collides(&self, customer: u32) -> bool {
        self.collisions && matches!(customer % 7, 2 | 3) || self.rival && customer < RIVALS
    }
}
