//! What a person sees while a run goes on.

use std::sync::Mutex;

use app::{Clock, Progress, SystemClock, sentence};
use dsl::Lang;
use flow::window::Interval;
use flow::{Note, Waiting};
use indicatif::{ProgressBar, ProgressStyle};

use super::out::Out;
use super::text::Texts;
use super::time;

/// Where no line can be drawn over, so long apart are lines about how far a run is: nobody takes it for hung, and a log
/// of a night has some thousand.
const EVERY_MS: i64 = 15_000;

/// Draws one line on a terminal; elsewhere prints what matters, and now and then how far it is.
pub(crate) struct Shown {
    bar: Option<ProgressBar>,
    lang: Lang,
    quiet: bool,
    /// When how far it is was told last, where that is told at all.
    pace: Option<(SystemClock, Mutex<i64>)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pages: u64,
    rows: u64,
    calls: u64,
    records: u64,
}

impl Shown {
    /// A progress display for one command.
    pub(crate) fn new(out: &Out) -> Self {
        let bar = out.live.then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_style(ProgressStyle::default_spinner());
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        let is_told = bar.is_none() && !out.quiet && !out.json;
        let pace = is_told.then(|| {
            let clock = SystemClock::default();
            let began = Mutex::new(clock.now_ms());
            (clock, began)
        });
        Shown {
            bar,
            lang: out.lang,
            quiet: out.quiet,
            pace,
            state: Mutex::default(),
        }
    }

    /// Takes the line away.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn say(&self, key: &str, facts: &[(&str, String)]) -> String {
        Texts::new(self.lang).say(key, facts)
    }

    fn print(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None if !self.quiet => {
                use std::io::Write;
                if writeln!(std::io::stderr().lock(), "{text}").is_err() {
                    // Nobody listens.
                }
            }
            None => {}
        }
    }

    fn draw(&self, scheme: &str, change: impl FnOnce(&mut State)) {
        let Ok(mut state) = self.state.lock() else { return };
        change(&mut state);
        let said = || {
            self.say(
                "progress",
                &[
                    ("pages", state.pages.to_string()),
                    ("rows", state.rows.to_string()),
                    ("calls", state.calls.to_string()),
                    ("records", state.records.to_string()),
                ],
            )
        };
        if let Some(bar) = &self.bar {
            bar.set_message(said());
        } else if let Some((clock, last)) = &self.pace
            && last
                .lock()
                .is_ok_and(|mut last| is_due(&mut last, clock.now_ms()))
        {
            self.print(&format!("{scheme}: {}", said()));
        }
    }
}

/// Whether it is time for another line; then the next one counts from now. A clock that is put back begins anew.
fn is_due(last: &mut i64, now: i64) -> bool {
    let since = now - *last;
    if (0..EVERY_MS).contains(&since) {
        return false;
    }
    *last = now;
    since > 0
}

fn span(window: Interval) -> String {
    format!("{} → {}", time::shown(window.from), time::shown(window.to))
}

impl Progress for Shown {
    fn note(&self, scheme: &str, note: &Note) {
        let named = scheme;
        let scheme = ("scheme", scheme.to_owned());
        match note {
            Note::Staged { pages, rows } => self.draw(named, |state| {
                state.pages = *pages;
                state.rows = *rows;
            }),
            Note::Written { calls, records } => self.draw(named, |state| {
                state.calls = *calls;
                state.records = *records;
            }),
            Note::Reading(_) => {}
            Note::ReadingSince(version) => {
                self.print(&self.say("note-since", &[scheme, ("version", version.to_string())]));
            }
            Note::Recovered(count) => {
                self.print(&self.say("note-recovered", &[scheme, ("count", count.to_string())]));
            }
            Note::TaskResumed(task, count) => {
                let facts = [scheme, ("task", task.clone()), ("count", count.to_string())];
                self.print(&self.say("note-task", &facts));
            }
            Note::Extended(by) => {
                self.print(&self.say("note-extended", &[scheme, ("by", time::span(*by))]));
            }
            Note::Skewed(by) => {
                let key = if *by > 0 {
                    "note-skew-ahead"
                } else {
                    "note-skew-behind"
                };
                self.print(&self.say(key, &[scheme, ("by", time::span(by.abs()))]));
            }
            Note::Suspicious { asked, usual } => {
                let usual = ("usual", usual.to_string());
                self.print(&self.say("note-suspicious", &[scheme, ("window", span(*asked)), usual]));
            }
            Note::Lost(lost) => {
                self.print(&self.say("note-lost", &[scheme, ("window", span(*lost))]));
            }
            Note::Receiving(pushes) => {
                let pushes = ("pushes", pushes.to_string());
                self.print(&self.say("note-receiving", &[scheme, pushes]));
            }
            Note::Sweeping(range) => {
                self.print(&self.say("note-sweeping", &[scheme, ("window", span(*range))]));
            }
            Note::ReadAgain(reason) => {
                let reason = format!("{} {}", reason.code, sentence(reason, self.lang));
                self.print(&self.say("note-again", &[scheme, ("reason", reason)]));
            }
            Note::WindowLeft(reason) => {
                let reason = format!("{} {}", reason.code, sentence(reason, self.lang));
                self.print(&self.say("note-window-left", &[scheme, ("reason", reason)]));
            }
            Note::Stopping(reason) => {
                let reason = format!("{} {}", reason.code, sentence(reason, self.lang));
                self.print(&self.say("note-stopping", &[scheme, ("reason", reason)]));
            }
        }
    }

    fn waiting(&self, scheme: &str, until_ms: i64, why: Waiting) {
        let key = match why {
            Waiting::Source => "wait-source",
            Waiting::Target => "wait-target",
            Waiting::Quiet { .. } => "wait-quiet",
        };
        let unknown = match why {
            Waiting::Quiet { unknown } => unknown,
            Waiting::Source | Waiting::Target => 0,
        };
        self.print(&self.say(
            key,
            &[
                ("scheme", scheme.to_owned()),
                ("until", time::shown(until_ms)),
                ("unknown", unknown.to_string()),
            ],
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_now_and_then() {
        let mut last = 1_000;
        let told: Vec<i64> = (0..=60)
            .map(|second| 1_000 + second * 1_000)
            .filter(|now| is_due(&mut last, *now))
            .collect();
        assert_eq!(told, [16_000, 31_000, 46_000, 61_000]);
        assert!(!is_due(&mut last, 5_000), "the clock was put back");
        assert!(!is_due(&mut last, 19_999));
        assert!(is_due(&mut last, 20_000));
    }
}
