//! What is stored and not settled, and when a service goes on with it without being asked.
//!
//! Rows that a push brought, a read staged or a refusal put back wait in the ledger. A scheme with a rule takes them at
//! its next instant, which may be a day away; one that runs on pushes would take them with the next push, which may never
//! come. So a service looks at the start, when a scheme becomes usable, when a pause ends, and after every run, and asks
//! for a run of the writing half when the first of them may be gone on with. What a person's decision put back is gone on
//! with at once where only a push would take it.
//!
//! It promises: such runs come further and further apart where they settle nothing ([`FIRST`] to [`MOST`]), or a record
//! that waits for what never comes would be a run a minute for years. Left to others: schemes whose writing has a rule
//! of its own, schemes without a schedule and disabled ones (a person runs them), and what a person canceled.

use std::collections::{BTreeMap, BTreeSet};

use dsl::plan::When;
use flow::decision::{Decided, Ruling};
use flow::ids::Ms;
use flow::timetable::{Ended, Half, MAX_BACK_OFF};
use ledger::service::schedule::OpenWork;

use super::Service;
use super::events::What;
use super::fleet::{Fleet, Standing};
use crate::error::AppError;

/// The wait after a run that left something; each further one doubles it.
const FIRST: Ms = 60_000;
/// The longest such wait.
const MOST: Ms = 6 * 3_600_000;
/// A lost answer may be asked about a little later than it could be: others become due meanwhile.
const SLACK: Ms = 1_000;

/// When schemes are asked to go on with what they have stored, if no run comes before.
#[derive(Debug, Default)]
pub(super) struct Questions {
    at: BTreeSet<(Ms, String)>,
    /// Runs one after another that left something.
    left: BTreeMap<String, u32>,
}

impl Questions {
    pub(super) fn ask(&mut self, at: Ms, scheme: &str) {
        self.at.insert((at, scheme.to_owned()));
    }

    /// Whether nobody is to be asked.
    pub(super) fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// The first instant.
    pub(super) fn first(&self) -> Option<Ms> {
        self.at.first().map(|(at, _)| *at)
    }

    /// A scheme that is asked by now.
    pub(super) fn due(&mut self, now: Ms) -> Option<String> {
        self.first().filter(|at| *at <= now)?;
        self.at.pop_first().map(|(_, scheme)| scheme)
    }

    /// A run begins. One that only reads asks nobody and writes nothing.
    pub(super) fn begun(&mut self, scheme: &str, half: Half) {
        if half != Half::Source {
            self.at.retain(|(_, asked)| asked != scheme);
        }
    }

    /// A run ended and left this (`pending` only as far as it is ours to go on with).
    pub(super) fn ended(&mut self, now: Ms, scheme: &str, how: &Ended, open: OpenWork) {
        let open = match how {
            // What a brake holds waits for a person; what was canceled, for the next instant or push.
            Ended::Braked(_) | Ended::Canceled => OpenWork {
                pending: None,
                ..open
            },
            _ => open,
        };
        if open == OpenWork::default() {
            self.left.remove(scheme);
            return;
        }
        let nth = self.left.entry(scheme.to_owned()).or_default();
        let wait = FIRST.saturating_mul(1 << (*nth).min(16)).min(MOST);
        *nth = nth.saturating_add(1);
        let wait = match how {
            // A login that is refused again and again locks the account.
            Ended::Refused => wait.max(MAX_BACK_OFF),
            _ => wait,
        };
        let later = now.saturating_add(wait);
        let pending = open.pending.map(|at| at.max(later));
        let unknown = open.unknown.map(|at| match at > now {
            true => at + SLACK,
            // It could have been asked about in this run, and was not.
            false => later,
        });
        if let Some(at) = pending.into_iter().chain(unknown).min() {
            self.ask(at, scheme);
        }
    }
}

/// What of a scheme's stored records is gone on with without being asked: everything, lost answers, or nothing.
fn ours(fleet: &Fleet, scheme: &str, open: OpenWork) -> OpenWork {
    let Some(Standing::Ready(plan, _)) = fleet.get(scheme).map(|member| &member.standing) else {
        return OpenWork::default();
    };
    let schedule = plan.schedule.as_ref().map(|schedule| &schedule.when);
    let writes = matches!(
        schedule,
        Some(When::Every(_) | When::Cron(_) | When::OnPush | When::After)
    );
    OpenWork {
        pending: open.pending.filter(|_| writes && plan.target.is_some()),
        unknown: open.unknown.filter(|_| plan.target.is_some()),
    }
}

/// Whether only a push begins a scheme.
fn is_pushed(fleet: &Fleet, scheme: &str) -> bool {
    let Some(Standing::Ready(plan, _)) = fleet.get(scheme).map(|member| &member.standing) else {
        return false;
    };
    let schedule = plan.schedule.as_ref().map(|schedule| &schedule.when);
    matches!(schedule, Some(When::OnPush))
}

impl Service {
    /// Carries decisions out, each with the scheme of its record; schemes that only a push begins go on with what they put
    /// back, also with the newer version that waited behind what was skipped.
    pub async fn decide(
        &self,
        rows: Vec<(String, Decided)>,
        who: &str,
        why: &str,
        now: Ms,
    ) -> Result<Vec<Ruling>, AppError> {
        let (schemes, rows): (Vec<String>, Vec<Decided>) = rows.into_iter().unzip();
        let loaded = self.loaded();
        let rulings = loaded.engine.decide(rows, who, why, now).await?;
        let mut moved: BTreeMap<String, u64> = BTreeMap::new();
        for (scheme, ruling) in schemes.into_iter().zip(&rulings) {
            if matches!(ruling, Ruling::Moved(_)) {
                *moved.entry(scheme).or_default() += 1;
            }
        }
        for (scheme, records) in moved {
            let asked = match is_pushed(&loaded.fleet, &scheme) {
                true => self.ask_about_stored(Some(&scheme), |_| true).await,
                false => Ok(()),
            };
            // What is decided is decided; the next push or start takes it.
            if let Err(error) = asked {
                let text = error.message(self.setting.lang);
                tracing::error!(scheme, code = error.code(), "{text}");
            }
            self.events.tell(self.now_ms(), What::Decided { scheme, records });
        }
        Ok(rulings)
    }

    /// Schemes among these that have stored something are asked to go on with it as soon as it may be.
    pub(super) async fn ask_about_stored(
        &self,
        scheme: Option<&str>,
        among: impl Fn(&str) -> bool,
    ) -> Result<(), AppError> {
        let loaded = self.loaded();
        let only = scheme.map(str::to_owned);
        let open = loaded
            .engine
            .with_ledger(move |ledger| ledger.reader().open_work(only.as_deref()));
        let (open, now) = (open.await??, self.now_ms());
        let mut table = self.table();
        for (scheme, open) in open.into_iter().filter(|(scheme, _)| among(scheme)) {
            let open = ours(&loaded.fleet, &scheme, open);
            if let Some(at) = open.pending.into_iter().chain(open.unknown).min() {
                table.questions.ask(at.max(now), &scheme);
            }
        }
        drop(table);
        self.changed.notify_one();
        Ok(())
    }

    /// What a run of a scheme left that is ours to go on with. Where the ledger cannot say, nothing: the next start asks
    /// again.
    pub(super) async fn left_by_run(&self, scheme: &str, half: Half) -> OpenWork {
        let loaded = self.loaded();
        let id = scheme.to_owned();
        let open = loaded
            .engine
            .with_ledger(move |ledger| ledger.reader().open_work(Some(&id)))
            .await
            .and_then(|open| open.map_err(AppError::from));
        match open {
            Ok(mut open) => {
                let open = open.remove(scheme).unwrap_or_default();
                let open = ours(&loaded.fleet, scheme, open);
                OpenWork {
                    // Whoever only read did not mean to write.
                    pending: open.pending.filter(|_| half != Half::Source),
                    ..open
                }
            }
            Err(error) => {
                tracing::error!(
                    scheme,
                    code = error.code(),
                    "{}",
                    error.message(self.setting.lang)
                );
                OpenWork::default()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flow::op::Reason;

    use super::*;

    fn open(pending: Option<Ms>, unknown: Option<Ms>) -> OpenWork {
        OpenWork { pending, unknown }
    }

    #[test]
    fn when_a_scheme_goes_on_with_what_a_run_left() {
        const NOW: Ms = 1_000_000;
        let later = NOW + FIRST;
        let braked = Ended::Braked(Reason::new("E3082", "9 > 5"));
        for (how, left, want) in [
            (Ended::Well, open(None, None), None),
            (Ended::Well, open(Some(0), None), Some(later)),
            (Ended::Well, open(Some(NOW + 10_000), None), Some(later)),
            (Ended::Well, open(Some(NOW + 900_000), None), Some(NOW + 900_000)),
            (
                Ended::Well,
                open(None, Some(NOW + 5_000)),
                Some(NOW + 5_000 + SLACK),
            ),
            (Ended::Failed, open(None, Some(NOW - 5)), Some(later)),
            (
                Ended::Failed,
                open(Some(0), Some(NOW + 5_000)),
                Some(NOW + 5_000 + SLACK),
            ),
            (Ended::Refused, open(Some(0), None), Some(NOW + MAX_BACK_OFF)),
            (Ended::Canceled, open(Some(0), None), None),
            (braked.clone(), open(Some(0), None), None),
            (
                braked,
                open(Some(0), Some(NOW + 5_000)),
                Some(NOW + 5_000 + SLACK),
            ),
        ] {
            let mut questions = Questions::default();
            questions.ended(NOW, "a", &how, left);
            assert_eq!(questions.first(), want, "{how:?} {left:?}");
        }
    }

    /// A look-up that never comes true: nine runs in the first day, not a run a minute.
    #[test]
    fn what_stays_is_asked_for_less_and_less() {
        let mut questions = Questions::default();
        let (mut now, mut runs) = (0, 0);
        while now < 24 * 3_600_000 {
            runs += 1;
            questions.ended(now, "a", &Ended::Well, open(Some(0), None));
            let at = questions.first().expect("it is asked for");
            assert!(at - now <= MOST);
            now = at;
            assert_eq!(questions.due(now).as_deref(), Some("a"));
        }
        assert!((8..14).contains(&runs), "{runs}");
        questions.ended(now, "a", &Ended::Well, open(None, None));
        questions.ended(now, "a", &Ended::Well, open(Some(0), None));
        assert_eq!(questions.first(), Some(now + FIRST), "settled meanwhile");
    }

    /// A run that only reads settles no lost answer: the question stays. Any other one asks it by itself.
    #[test]
    fn a_run_that_reads_keeps_the_question() {
        for (half, want) in [(Half::Source, Some(7)), (Half::Target, None), (Half::All, None)] {
            let mut questions = Questions::default();
            questions.ask(7, "a");
            questions.begun("a", half);
            assert_eq!(questions.first(), want, "{half:?}");
        }
    }
}
