//! Masks that stay the same for the same value, so that keys, pages and look-ups still fit together.
//!
//! A mask is a number that is counted up and says nothing of the value: `***1`, or as many digits as there were. What
//! a marked place holds is masked there, and wherever else it is quoted if it is long enough to be recognised.

use std::collections::{BTreeMap, BTreeSet};

use connector::Redactor;
use dsl::path::Path;
use dsl::value::Number;
use dsl::{Map, Value};

use crate::mask;

/// Bytes from which on a value is recognised where nobody marked it: a Chinese name has six. Shorter ones (`1`, `yes`)
/// stand everywhere.
const TOLD: usize = 4;

/// What became of which value.
#[derive(Default)]
pub(crate) struct Masks {
    of: BTreeMap<String, String>,
    /// Those that are recognised anywhere, longer ones first: one may be a part of another.
    known: Vec<(String, String)>,
    made: BTreeSet<String>,
    secrets: Vec<Redactor>,
}

impl Masks {
    /// Masks that take out secrets, too.
    pub(crate) fn new(secrets: Vec<Redactor>) -> Masks {
        Masks {
            secrets,
            ..Masks::default()
        }
    }

    /// The mask of a text.
    fn mask(&mut self, raw: &str) -> String {
        if let Some(mask) = self.of.get(raw) {
            return mask.clone();
        }
        if raw.is_empty() || self.made.contains(raw) {
            return raw.to_owned();
        }
        let nth = self.of.len() + 1;
        let mask = if raw.len() > 1 && raw.bytes().all(|byte| byte.is_ascii_digit()) {
            // Neither as a number does it lose a digit.
            format!("9{nth:0width$}", width = raw.len() - 1)
        } else if raw.parse::<f64>().is_ok() {
            nth.to_string()
        } else {
            format!("***{nth}")
        };
        self.of.insert(raw.to_owned(), mask.clone());
        if raw.len() >= TOLD {
            let at = self.known.partition_point(|(other, _)| other.len() >= raw.len());
            self.known.insert(at, (raw.to_owned(), mask.clone()));
        }
        self.made.insert(mask.clone());
        mask
    }

    /// Learns a text that must not be seen.
    pub(crate) fn learn_text(&mut self, raw: &str) {
        self.mask(raw);
    }

    /// Learns what stands at some places of a document.
    pub(crate) fn learn(&mut self, value: &Value, places: &[Path]) {
        let mut scratch = value.clone();
        for place in places {
            mask::each_mut(&mut scratch, place, &mut |value| self.hide(value));
        }
    }

    fn hide(&mut self, value: &mut Value) {
        match value {
            Value::Text(text) => *text = self.mask(text),
            Value::Number(number) => {
                let mask = self.mask(number.as_str());
                *value = Number::parse(&mask).map_or_else(|| Value::from(0_i64), Value::Number);
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.hide(item)),
            Value::Map(map) => map.values_mut().for_each(|member| self.hide(member)),
            Value::Bool(_) | Value::Null | Value::Instant(_) => {}
        }
    }

    /// Masks marked places wherever they may begin: rows stand somewhere within an answer. `columns` are the names of
    /// rows that are lists.
    pub(crate) fn cover_places(&mut self, value: &mut Value, places: &[Path], columns: &[String]) {
        if places.is_empty() {
            return;
        }
        for place in places {
            if matches!(value, Value::Map(_)) {
                mask::each_mut(value, place, &mut |value| self.hide(value));
            }
        }
        match value {
            Value::Map(map) => map
                .values_mut()
                .for_each(|member| self.cover_places(member, places, columns)),
            Value::List(items) => {
                let is_single = |item: &Value| !matches!(item, Value::Map(_) | Value::List(_));
                if !columns.is_empty() && items.len() == columns.len() && items.iter().all(is_single) {
                    for (item, column) in items.iter_mut().zip(columns) {
                        let is_marked = |place: &Path| place.to_string() == *column;
                        if places.iter().any(is_marked) {
                            self.hide(item);
                        }
                    }
                }
                items
                    .iter_mut()
                    .for_each(|item| self.cover_places(item, places, columns));
            }
            _ => {}
        }
    }

    /// A text without secrets and with masks for what is known.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (raw, mask) in &self.known {
            if text.contains(raw.as_str()) {
                text = text.replace(raw.as_str(), mask);
            }
        }
        for secrets in &self.secrets {
            text = secrets.redact(&text);
        }
        text
    }

    /// Masks what is known wherever it is quoted.
    pub(crate) fn cover(&self, value: &mut Value) {
        match value {
            Value::Text(text) => *text = self.text(text),
            Value::Number(number) => {
                let covered = self.text(number.as_str());
                if covered != number.as_str() {
                    *value = Number::parse(&covered).map_or(Value::Text(covered), Value::Number);
                }
            }
            Value::List(items) => items.iter_mut().for_each(|item| self.cover(item)),
            Value::Map(map) => {
                let members: Map = std::mem::take(map)
                    .into_iter()
                    .map(|(name, mut member)| {
                        self.cover(&mut member);
                        (self.text(&name), member)
                    })
                    .collect();
                *map = members;
            }
            Value::Bool(_) | Value::Null | Value::Instant(_) => {}
        }
    }

    /// Where something that must not be seen still is, if anywhere; `at` is the place of the value.
    pub(crate) fn leak(&self, value: &Value, at: &str) -> Option<String> {
        let leaks = |text: &str| self.text(text) != text;
        match value {
            Value::Text(text) => leaks(text).then(|| at.to_owned()),
            Value::Number(number) => leaks(number.as_str()).then(|| at.to_owned()),
            Value::List(items) => {
                let mut numbered = items.iter().enumerate();
                numbered.find_map(|(nth, item)| self.leak(item, &format!("{at}.{nth}")))
            }
            Value::Map(map) => map.iter().find_map(|(name, member)| {
                // Not even the name is shown then.
                if leaks(name) {
                    return Some(at.to_owned());
                }
                self.leak(member, &format!("{at}.{name}"))
            }),
            Value::Bool(_) | Value::Null | Value::Instant(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dsl::json;

    fn paths(texts: &[&str]) -> Vec<Path> {
        texts
            .iter()
            .map(|text| Path::parse(text).expect("a path"))
            .collect()
    }

    #[test]
    fn the_same_value_has_the_same_mask_everywhere() {
        let mut masks = Masks::new(vec![Redactor::new(["canary-7731"])]);
        let answer = r#"{"ok":"1","rows":[{"id":"A1","phone":"13800138000","name":"王五","sex":"1"},{"id":"A2","phone":13800138001,"name":"王五"}],"said":"13800138000 by canary-7731"}"#;
        let mut answer = json::parse(answer.as_bytes()).expect("JSON");
        assert_eq!(
            masks.leak(&answer, "a").as_deref(),
            Some("a.said"),
            "a secret is in it"
        );
        masks.cover_places(&mut answer, &paths(&["phone", "name", "sex"]), &[]);
        masks.cover(&mut answer);
        assert_eq!(
            json::to_string(&answer),
            r#"{"ok":"1","rows":[{"id":"A1","phone":"90000000001","name":"***2","sex":"3"},{"id":"A2","phone":90000000004,"name":"***2"}],"said":"90000000001 by ***"}"#
        );
        assert_eq!(masks.leak(&answer, "a"), None, "nothing is left");
        // A second pass changes nothing: masks are not masked.
        let before = answer.clone();
        masks.cover_places(&mut answer, &paths(&["phone", "name", "sex"]), &[]);
        assert_eq!(answer, before);
    }

    #[test]
    fn rows_that_are_lists_and_short_values() {
        let mut masks = Masks::default();
        let mut rows = json::parse(br#"[["C1","x","n"],["C2","x","m"]]"#).expect("JSON");
        let columns = ["code", "secret_flag", "note"].map(str::to_owned);
        masks.cover_places(&mut rows, &paths(&["secret_flag"]), &columns);
        assert_eq!(json::to_string(&rows), r#"[["C1","***1","n"],["C2","***1","m"]]"#);
        // Too short to be recognised elsewhere.
        assert_eq!(masks.text("x"), "x");
    }
}
