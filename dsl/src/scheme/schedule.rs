//! `schedule`, `priority`, `brakes`: rules that name an instant, never more often than the source's connector allows.

use std::sync::Arc;

use super::window::duration_text;
use super::{Reader, member, nearest, resolve, text_of};
use crate::catalogue::scheme as words;
use crate::cron::{Cron, Hours, Part};
use crate::diagnostic::Lang;
use crate::facts::ConnectorFacts;
use crate::keys::{self, CRON, HOURS, duration_ms};
use crate::plan::{Brakes, Missed, PRIORITY, Schedule, When};
use crate::yaml::{Node, Pair};

/// No rule is due more often: the loop sees whole milliseconds, and a second is less than any run takes.
const SHORTEST_MS: i64 = 1_000;

/// Schemes that are followed from one to the next; a longer chain is no mistake, and its circle is found from elsewhere.
const CHAIN: usize = 64;

/// An instant from which the first one of a rule is looked for: nothing here has a clock.
pub(crate) const SOME_DAY: i64 = 1_704_067_200_000;

impl Reader<'_> {
    pub(crate) fn schedule(
        &mut self,
        root: &Node,
        connector: Option<&dyn ConnectorFacts>,
        has_window: bool,
    ) -> Option<Schedule> {
        let node = root.get("schedule").map(|pair| &pair.value)?;
        if node.map().is_none() {
            self.own_pace(root, node);
            return (text_of(node) == Some("on_push")).then(|| self.bare(When::OnPush));
        }
        let zone = match node.get("zone") {
            Some(pair) => self.zone_at(&pair.value),
            None => None,
        };
        self.own_pace(root, node);
        let every = node.get("every").and_then(|pair| self.every(pair, connector));
        let cron = node.get("cron").and_then(|pair| self.cron(pair, connector));
        let source = node.get("source").and_then(|pair| self.cron(pair, connector));
        let target = node.get("target").and_then(|pair| self.cron(pair, None));
        let after = node.get("after").and_then(|pair| self.after(root, pair));
        let has = |key: &str| node.get(key).is_some();
        let when = match (every, cron, source, target) {
            (Some(ms), None, None, None) => When::Every(ms),
            (None, Some(cron), None, None) => When::Cron(cron),
            (None, None, Some(source), Some(target)) => When::Both { source, target },
            (None, None, None, None)
                if after.is_some() && !["every", "cron", "source", "target"].iter().any(|key| has(key)) =>
            {
                When::After
            }
            _ => return None,
        };
        let schedule = Schedule {
            after,
            zone: zone.unwrap_or_else(|| self.zone.clone()),
            hours: hours(node, "hours"),
            quiet: hours(node, "quiet"),
            missed: self.missed(node, has_window),
            jitter_ms: member(node, "jitter").and_then(duration_ms),
            ..self.bare(when)
        };
        self.comes(node, &schedule);
        Some(schedule)
    }

    fn bare(&self, when: When) -> Schedule {
        Schedule {
            when,
            after: None,
            zone: self.zone.clone(),
            hours: Hours::default(),
            quiet: Hours::default(),
            missed: Missed::Once,
            jitter_ms: None,
        }
    }

    pub(crate) fn priority(&self, root: &Node) -> u8 {
        let written = member(root, "priority").and_then(keys::integer);
        written
            .and_then(|priority| u8::try_from(priority).ok())
            .unwrap_or(PRIORITY)
    }

    pub(crate) fn brakes(&self, root: &Node) -> Brakes {
        let node = root.get("brakes").map(|pair| &pair.value);
        let number = |key: &str| {
            let text = node.and_then(|node| member(node, key))?;
            u64::try_from(keys::integer(text)?).ok()
        };
        Brakes {
            max_records: number("max_records"),
            max_change: number("max_change"),
            max_first: number("max_first"),
        }
    }

    fn every(&mut self, pair: &Pair, connector: Option<&dyn ConnectorFacts>) -> Option<i64> {
        let text = text_of(&pair.value)?;
        let every = duration_ms(text).filter(|every| *every >= 0)?;
        self.not_too_often(pair, text, every, connector);
        (every >= SHORTEST_MS).then_some(every)
    }

    /// A cron text that is not too frequent, for this connector where one is given.
    pub(crate) fn cron(&mut self, pair: &Pair, connector: Option<&dyn ConnectorFacts>) -> Option<Arc<Cron>> {
        let text = text_of(&pair.value).filter(|text| (CRON.fits)(text))?;
        let cron = match Cron::parse(text) {
            Ok(cron) => cron,
            Err(faults) => {
                for fault in faults {
                    self.report(
                        self.problem(&words::CRON_FIELD, pair.value.span_in(fault.at))
                            .with("what_zh", fault.zh)
                            .with("what_en", fault.en),
                    );
                }
                return None;
            }
        };
        if cron.is_quartz() {
            self.report(
                self.problem(&words::READ_AS_QUARTZ, pair.value.span.clone())
                    .with("reading", cron.reading()),
            );
        }
        let least = connector.map_or(SHORTEST_MS, ConnectorFacts::min_interval_ms);
        if let Some(gap) = cron.gap_below(least.max(SHORTEST_MS)) {
            self.not_too_often(pair, &duration_text(gap), gap, connector);
        }
        Some(cron)
    }

    fn not_too_often(
        &mut self,
        pair: &Pair,
        given: &str,
        interval: i64,
        connector: Option<&dyn ConnectorFacts>,
    ) {
        let least = connector.map_or(SHORTEST_MS, ConnectorFacts::min_interval_ms);
        let least = least.max(SHORTEST_MS);
        if interval >= least {
            return;
        }
        let reason = connector.and_then(ConnectorFacts::min_interval_reason);
        let reason = |lang| reason.map_or("-", |reason| reason.get(lang));
        self.report(
            self.problem(&words::TOO_OFTEN, pair.value.span.clone())
                .with("given", given)
                .with("connector", connector.map_or("-", ConnectorFacts::id))
                .with("least", duration_text(least))
                .with("reason_zh", reason(Lang::Zh))
                .with("reason_en", reason(Lang::En)),
        );
    }

    /// A schedule is never more often than the scheme's own `limits` say.
    fn own_pace(&mut self, root: &Node, schedule: &Node) {
        for (side, keys) in [
            ("source", ["every", "cron", "source"]),
            ("target", ["every", "cron", "target"]),
        ] {
            let Some((least, limit)) = Self::own_intervals(root, side) else {
                continue;
            };
            let rules: Vec<&Pair> = keys.iter().filter_map(|key| schedule.get(key)).collect();
            if rules.is_empty() {
                self.report(
                    self.problem(&words::LIMIT_UNUSED, limit.value.span.clone())
                        .with("key", "min_interval")
                        .with("why_zh", "schedule 没有 every 或 cron")
                        .with("why_en", "the schedule has neither every nor a cron text"),
                );
            }
            for pair in rules {
                let Some(text) = text_of(&pair.value) else {
                    continue;
                };
                let given = match pair.key.as_str() {
                    "every" => duration_ms(text).filter(|every| (0..least).contains(every)),
                    _ => Cron::parse(text).ok().and_then(|cron| cron.gap_below(least)),
                };
                if let Some(given) = given {
                    self.report(
                        self.problem(&words::OFTENER_THAN_SAID, pair.value.span.clone())
                            .with("given", duration_text(given))
                            .with("least", duration_text(least))
                            .with("side", side),
                    );
                }
            }
        }
    }

    fn missed(&mut self, node: &Node, has_window: bool) -> Missed {
        let Some(pair) = node
            .get("missed")
            .filter(|pair| text_of(&pair.value) == Some("skip"))
        else {
            return Missed::Once;
        };
        if has_window {
            self.report(self.problem(&words::SKIP_WITH_WINDOW, pair.value.span.clone()));
        }
        Missed::Skip
    }

    /// A rule that never comes is a mistake that nobody would notice.
    fn comes(&mut self, node: &Node, schedule: &Schedule) {
        if !schedule.ever_opens() {
            let pair = node.get("quiet").or_else(|| node.get("hours"));
            let span = pair.map_or(node.span.clone(), |pair| pair.value.span.clone());
            self.report(self.problem(&words::NEVER_OPEN, span));
            return;
        }
        for (part, key) in [
            (Part::All, "cron"),
            (Part::Source, "source"),
            (Part::Target, "target"),
        ] {
            let Some(pair) = node.get(key) else { continue };
            if schedule.parts().contains(&part) && schedule.next(part, SOME_DAY).is_none() {
                self.report(
                    self.problem(&words::NEVER_DUE, pair.value.span.clone())
                        .with("text", text_of(&pair.value).unwrap_or_default()),
                );
            }
        }
    }

    /// The scheme that is run after, by its id.
    fn after(&mut self, root: &Node, pair: &Pair) -> Option<String> {
        let name = text_of(&pair.value)?;
        let own = member(root, "scheme").unwrap_or_default();
        if name == own {
            return self.circle(pair, &[own, own]);
        }
        let first = match resolve(self.env, &self.aliases, name) {
            Ok(facts) => facts,
            Err(near) => {
                self.report(
                    self.problem(&words::AFTER_UNKNOWN, pair.value.span.clone())
                        .with("name", name)
                        .similar(nearest(name, near)),
                );
                return None;
            }
        };
        let id = first.id.clone();
        let mut chain = vec![own.to_owned()];
        let mut at = Some(first);
        while let Some(facts) = at.filter(|_| chain.len() < CHAIN) {
            // A circle of others is told where it is closed.
            let is_other = facts.id != own && chain.contains(&facts.id);
            chain.push(facts.id.clone());
            let next = facts.after.filter(|_| !is_other);
            if facts.id != own && next.as_deref() == Some(own) {
                chain.push(own.to_owned());
            }
            if chain.len() > 1 && chain.last().is_some_and(|last| last == own) {
                let names: Vec<&str> = chain.iter().map(String::as_str).collect();
                return self.circle(pair, &names);
            }
            at = next.and_then(|next| self.env.scheme(&next).ok());
        }
        Some(id)
    }

    fn circle(&mut self, pair: &Pair, chain: &[&str]) -> Option<String> {
        self.report(
            self.problem(&words::AFTER_CIRCLE, pair.value.span.clone())
                .with("chain", chain.join(" → ")),
        );
        None
    }
}

/// One stretch, or a list of them. What is none was complained about.
fn hours(node: &Node, key: &str) -> Hours {
    let mut hours = Hours::default();
    let Some(pair) = node.get(key) else {
        return hours;
    };
    let one = std::slice::from_ref(&pair.value);
    let texts = pair.value.list().unwrap_or(one).iter().filter_map(text_of);
    for text in texts.filter(|text| (HOURS.fits)(text)).take(Hours::MOST) {
        hours.add(text);
    }
    hours
}
