//! `schedule`: never more often than the source's connector allows.

use super::window::duration_text;
use super::{Reader, member, text_of};
use crate::catalogue::scheme as words;
use crate::facts::ConnectorFacts;
use crate::keys::{CRON, duration_ms};
use crate::plan::{Schedule, When};
use crate::yaml::Node;

impl Reader<'_> {
    pub(crate) fn schedule(
        &mut self,
        root: &Node,
        connector: Option<&dyn ConnectorFacts>,
    ) -> Option<Schedule> {
        let node = root
            .get("schedule")
            .map(|pair| &pair.value)
            .filter(|node| node.map().is_some())?;
        if let Some(pair) = node.get("zone") {
            self.zone_at(&pair.value);
        }
        for key in ["every", "cron", "source"] {
            let Some(pair) = node.get(key) else {
                continue;
            };
            let Some(text) = text_of(&pair.value) else {
                continue;
            };
            let interval = if key == "every" {
                duration_ms(text)
            } else {
                cron_interval_ms(text)
            };
            if let (Some(connector), Some(interval)) = (connector, interval)
                && interval < connector.min_interval_ms()
            {
                let reason = connector.min_interval_reason();
                self.report(
                    self.problem(&words::TOO_OFTEN, pair.value.span.clone())
                        .with("given", text)
                        .with("connector", connector.id())
                        .with("least", duration_text(connector.min_interval_ms()))
                        .with("reason", if reason.is_empty() { "-" } else { reason }),
                );
            }
        }
        let text = |key: &str| member(node, key).map(str::to_owned);
        let when = match (
            member(node, "every").and_then(duration_ms),
            text("cron"),
            text("source"),
            text("target"),
        ) {
            (Some(ms), None, None, None) => When::Every(ms),
            (None, Some(cron), None, None) => When::Cron(cron),
            (None, None, Some(source), Some(target)) => When::Both { source, target },
            _ => return None,
        };
        Some(Schedule {
            when,
            zone: text("zone"),
            hours: text("hours"),
        })
    }
}

/// The shortest time between two runs of a cron text, as far as its seconds and minutes tell: an hour when it has a
/// single minute. `None` when the text is not understood here.
fn cron_interval_ms(text: &str) -> Option<i64> {
    if !(CRON.fits)(text) {
        return None;
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    let minutes = match fields.as_slice() {
        [seconds, minutes, _, _, _, _] => {
            if numbers(seconds)?.len() > 1 {
                return Some(1000);
            }
            minutes
        }
        [minutes, ..] => minutes,
        [] => return None,
    };
    let minutes = numbers(minutes)?;
    let (first, last) = (minutes.first()?, minutes.last()?);
    let around = 60 - last + first;
    let gap = minutes
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .chain([around])
        .min()?;
    Some(gap * 60_000)
}

/// The numbers below 60 that a field of a cron text names.
fn numbers(field: &str) -> Option<Vec<i64>> {
    let mut named = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<i64>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if matches!(range, "*" | "?") => (0, 59),
            Some((from, to)) => (from.parse::<i64>().ok()?, to.parse::<i64>().ok()?),
            None => {
                let from = range.parse::<i64>().ok()?;
                (from, if part.contains('/') { 59 } else { from })
            }
        };
        let mut number = from;
        while number <= to.min(59) {
            named.push(number);
            number += step;
        }
    }
    named.sort_unstable();
    named.dedup();
    (!named.is_empty()).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::cron_interval_ms;

    #[test]
    fn intervals() {
        let minutes = |text: &str| cron_interval_ms(text).map(|ms| ms / 60_000);
        assert_eq!(minutes("*/30 * * * *"), Some(30));
        assert_eq!(minutes("2-59/5 8-22 * * *"), Some(5));
        assert_eq!(minutes("0 */2 * * *"), Some(60));
        assert_eq!(minutes("1,4,50 * * * *"), Some(3));
        assert_eq!(minutes("* * * * *"), Some(1));
        assert_eq!(minutes("0 0/6 * * * ?"), Some(6));
        assert_eq!(minutes("0/10 * * * * ?"), Some(0));
        assert_eq!(minutes("L * * * *"), None);
    }
}
