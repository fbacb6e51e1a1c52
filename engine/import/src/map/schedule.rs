//! Schedules: two crontabs, of five fields, of six as Quartz writes them, or cut to the first two.

use std::time::Duration;

use dsl::catalogue::imported as words;
use dsl::cron::Cron;
use dsl::diagnostic::{Failure, Lang};

use super::Mapper;
use crate::account::{LeafKind, leaves};
use crate::world::System;
use crate::write::{Body, Item};

/// The interval when nothing is said; connectors may ask for more.
const EVERY_S: i64 = 360;

/// A schedule, and how often it comes.
pub(super) struct Schedule {
    pub(super) item: Item,
    pub(super) every_s: i64,
}

impl Mapper<'_> {
    /// The schedule of the scheme.
    pub(super) fn schedule(&mut self, source: Option<&System>) -> Schedule {
        let least = source
            .and_then(|system| system.facts.as_ref())
            .map_or(EVERY_S, |facts| facts.min_interval_ms() / 1_000);
        let mut found: Vec<(String, String)> = Vec::new();
        leaves(&self.draft.value, "", &mut |path, value| {
            // The second pass of a source is another thing.
            let is_sweep = path.contains("omissionRemedy");
            if let (true, false, Some(text)) = (
                path.to_ascii_lowercase().contains("cron"),
                is_sweep,
                value.as_text(),
            ) && self.book.kind(path) == Some(LeafKind::Crontab)
            {
                found.push((path.to_owned(), text.to_owned()));
            }
        });
        let (mut source_cron, mut target_cron) = (None, None);
        for (at, text) in found {
            let Some(cron) = self.cron(&at, &text, "schedule") else {
                continue;
            };
            let place = match at.to_ascii_lowercase().contains("target") {
                true => &mut target_cron,
                false => &mut source_cron,
            };
            if place.is_none() {
                *place = Some((at, cron));
            }
        }
        let item =
            |key: &str, (at, cron): &(String, String)| Item::raw(key, format!("\"{cron}\"")).at(at.clone());
        let inner = match (&source_cron, &target_cron) {
            (Some(source), Some(target)) => vec![
                item("source", source).label("读取 · reads"),
                item("target", target).label("写入 · writes"),
            ],
            (Some(one), None) | (None, Some(one)) => vec![item("cron", one)],
            (None, None) => {
                let every = EVERY_S.max(least);
                let text = match every % 60 {
                    0 => format!("{}m", every / 60),
                    _ => format!("{every}s"),
                };
                self.note("", Failure::new(&words::NO_SCHEDULE).with("every", &text));
                vec![Item::raw("every", text)]
            }
        };
        let every_s = source_cron
            .as_ref()
            .and_then(|(_, cron)| Cron::parse(cron).ok())
            .and_then(|cron| interval_s(&cron))
            .unwrap_or(EVERY_S.max(least));
        Schedule {
            item: Item::new("schedule", Body::Map(inner)),
            every_s,
        }
    }

    /// A cron text in five fields. What was changed is told; a text that is no schedule is reported.
    pub(super) fn cron(&mut self, at: &str, text: &str, to: &str) -> Option<String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        // Pages print the first fields only: the others are every day.
        let filled = match fields.len() {
            2..=4 => {
                let all = ["*"; 5];
                let filled: Vec<&str> = fields.iter().copied().chain(all).take(5).collect();
                filled.join(" ")
            }
            // Quartz may have a seventh for years.
            7 if fields[6] == "*" => fields[..6].join(" "),
            _ => fields.join(" "),
        };
        match Cron::parse(&filled) {
            Ok(cron) => {
                let reading = cron.reading().to_owned();
                // Seconds of 0 say nothing.
                let short = reading
                    .strip_prefix("0 ")
                    .filter(|rest| rest.split(' ').count() == 5);
                let written = match cron.is_quartz() {
                    true => short.unwrap_or(&reading).to_owned(),
                    false => filled.clone(),
                };
                if (2..=4).contains(&fields.len()) {
                    self.note(
                        at,
                        Failure::new(&words::CRON_FILLED)
                            .with("text", text)
                            .with("filled", &filled),
                    );
                } else if cron.is_quartz() {
                    self.note(
                        at,
                        Failure::new(&words::CRON_QUARTZ)
                            .with("text", text)
                            .with("reading", &written),
                    );
                }
                self.book.carried(at, to);
                Some(written)
            }
            Err(faults) => {
                let why = |lang| {
                    faults.first().map_or(String::new(), |fault| match lang {
                        Lang::Zh => fault.zh.clone(),
                        Lang::En => fault.en.clone(),
                    })
                };
                self.left(
                    at,
                    Failure::new(&words::BAD_CRON)
                        .with("text", text)
                        .with("why", why(Lang::Zh))
                        .with("why_en", why(Lang::En)),
                );
                None
            }
        }
    }
}

/// The usual time between two instants of a schedule: the middle one of a few.
fn interval_s(cron: &Cron) -> Option<i64> {
    const LOOKED_AT: usize = 9;
    // A Monday in the middle of nothing, so that the answer is the same every day.
    let mut at = Duration::from_secs(1_700_452_800).as_millis().try_into().ok()?;
    let mut gaps = Vec::new();
    for _ in 0..LOOKED_AT {
        let next = cron.next(at, &jiff::tz::TimeZone::UTC)?;
        gaps.push((next - at) / 1_000);
        at = next;
    }
    gaps.remove(0);
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().filter(|gap| *gap > 0)
}
