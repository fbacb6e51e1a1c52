//! The dashboard and the alert rules that are shipped: they name what `/metrics` gives, and Prometheus takes them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use server::metrics::{ALL, Described};

fn operations() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../operations")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(operations().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn dashboard() -> Value {
    serde_json::from_str(&read("grafana/dashboard.json")).expect("JSON")
}

/// The expressions of the panels, each with the title of its panel.
fn panels(dashboard: &Value) -> Vec<(String, String)> {
    let panels = dashboard["panels"].as_array().expect("a list");
    let of = |panel: &Value| {
        let title = panel["title"].as_str().expect("a title").to_owned();
        let targets = panel["targets"].as_array().expect("a list").clone();
        targets.into_iter().map(move |target| {
            let expr = target["expr"].as_str().expect("an expression").to_owned();
            (title.clone(), expr)
        })
    };
    panels.iter().flat_map(of).collect()
}

/// What a text says that looks like a name of PromQL: letters, digits and `_`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|char: char| !char.is_ascii_alphanumeric() && char != '_')
        .filter(|word| !word.is_empty())
}

fn family(name: &str) -> Option<&'static Described> {
    ALL.iter().find(|family| {
        let of_histogram = ["_bucket", "_sum", "_count"]
            .iter()
            .any(|suffix| name.strip_suffix(suffix) == Some(family.name));
        family.name == name || (family.kind == "histogram" && of_histogram)
    })
}

/// Labels that a scrape adds, and the one of buckets.
const SCRAPED: [&str; 3] = ["instance", "job", "le"];
/// The words that the labels take whose words are few.
const WORDS: [(&str, &[&str]); 3] = [
    (
        "state",
        &[
            "enabled", "draft", "paused", "invalid", "pending", "sending", "done", "dead", "unknown", "held",
            "skipped",
        ],
    ),
    ("outcome", &app::meter::OUTCOMES),
    ("status", &["1xx", "2xx", "3xx", "4xx", "5xx"]),
];

/// Every metric of an expression is one of ours, with the labels it is asked for.
#[track_caller]
fn check(place: &str, expr: &str) {
    let named: Vec<&str> = words(expr)
        .filter(|word| word.starts_with("engine_") || *word == "up")
        .collect();
    assert!(!named.is_empty(), "{place}: no metric in {expr}");
    let mut labels: BTreeSet<&str> = SCRAPED.into();
    for name in named.iter().filter(|name| **name != "up") {
        let family = family(name).unwrap_or_else(|| panic!("{place}: /metrics has no `{name}`: {expr}"));
        labels.extend(family.labels);
    }
    // `name{label="word"}` and `by (label)`, `on (label)`.
    for inside in between(expr, "{", "}") {
        for matcher in inside.split(", ") {
            let at = matcher
                .find(['=', '!'])
                .unwrap_or_else(|| panic!("{place}: {matcher}"));
            let (label, value) = (&matcher[..at], matcher[at..].trim_matches(['=', '!', '~', '"']));
            assert!(labels.contains(label), "{place}: no label `{label}`: {expr}");
            let known = WORDS.iter().find(|(name, _)| *name == label);
            for word in value.split('|').filter(|word| !word.starts_with('$')) {
                let is_known = known.is_none_or(|(_, words)| words.contains(&word));
                assert!(is_known, "{place}: `{label}` is never `{word}`: {expr}");
            }
        }
    }
    for kept in ["by (", "on ("]
        .iter()
        .flat_map(|start| between(expr, start, ")"))
    {
        for label in kept.split(", ") {
            assert!(labels.contains(label), "{place}: no label `{label}`: {expr}");
        }
    }
}

fn between<'t>(text: &'t str, start: &'t str, end: &'t str) -> impl Iterator<Item = &'t str> {
    text.split(start)
        .skip(1)
        .filter_map(move |rest| Some(rest.split_once(end)?.0))
}

/// The expressions of the rules. The file is read by Prometheus itself below; here its lines are enough.
fn alerts(text: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for rule in text.split("- alert: ").skip(1) {
        let name = rule.lines().next().expect("a name").to_owned();
        let expr = rule.split_once("expr: ").expect("an expression").1;
        let expr = match expr.strip_prefix("|\n") {
            Some(block) => block
                .lines()
                .take_while(|line| line.starts_with("          "))
                .collect::<Vec<_>>()
                .join("\n"),
            None => expr.lines().next().unwrap_or_default().to_owned(),
        };
        all.push((name, expr));
    }
    all
}

#[test]
fn alert_rules_name_what_metrics_gives() {
    let text = read("prometheus/alerts.yaml");
    let all = alerts(&text);
    assert_eq!(all.len(), text.matches("expr:").count(), "{all:#?}");
    for (name, expr) in &all {
        check(name, expr);
        // What a message names has to be in the answer of the expression.
        let (_, rule) = text.split_once(&format!("alert: {name}\n")).expect("it is there");
        let rule = rule.split("- alert:").next().unwrap_or_default();
        for label in rule
            .split("$labels.")
            .skip(1)
            .filter_map(|rest| words(rest).next())
        {
            let is_there = expr.contains(label)
                || SCRAPED.contains(&label)
                || (!expr.contains("by (")
                    && words(expr)
                        .filter_map(family)
                        .any(|family| family.labels.contains(&label)));
            assert!(is_there, "{name}: nothing gives `{label}`");
        }
    }
}

#[test]
fn the_dashboard_names_what_metrics_gives() {
    let dashboard = dashboard();
    for (title, expr) in panels(&dashboard) {
        check(&title, &expr);
    }
    let variables = dashboard["templating"]["list"].as_array().expect("a list");
    let names: BTreeSet<&str> = variables.iter().filter_map(|one| one["name"].as_str()).collect();
    for one in variables.iter().filter(|one| one["type"] == "query") {
        let query = one["query"]["query"].as_str().expect("a query");
        let inside = query
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')'));
        let (metric, label) = inside
            .and_then(|inside| inside.split_once(", "))
            .expect("two words");
        let family = family(metric).unwrap_or_else(|| panic!("no {metric}"));
        assert!(
            family.labels.contains(&label) || SCRAPED.contains(&label),
            "{query}"
        );
    }
    // `$name` in an expression is a variable of the dashboard, or Grafana's own.
    for (title, expr) in panels(&dashboard) {
        for name in expr.split('$').skip(1).filter_map(|rest| words(rest).next()) {
            assert!(
                names.contains(name) || name == "__rate_interval",
                "{title}: ${name}"
            );
        }
    }
    let legends = dashboard.to_string();
    for label in between(&legends, "{{", "}}") {
        let known = ALL.iter().any(|family| family.labels.contains(&label));
        assert!(known || SCRAPED.contains(&label), "no label {label}");
    }
}

#[test]
fn the_dashboard_is_put_together_as_grafana_reads_it() {
    let dashboard = dashboard();
    for key in ["title", "uid", "schemaVersion", "panels", "templating", "time"] {
        assert!(!dashboard[key].is_null(), "no {key}");
    }
    // Grafana gives an id by itself; one that is written would put the dashboard over another one.
    assert!(dashboard["id"].is_null());
    let panels = dashboard["panels"].as_array().expect("a list");
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(ids.insert(panel["id"].as_u64().expect("a number")), "{title}");
        assert!(
            ["stat", "timeseries"].contains(&panel["type"].as_str().expect("a type")),
            "{title}"
        );
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let place = |key: &str| panel["gridPos"][key].as_u64().expect("a place");
        let (x, y, w, h) = (place("x"), place("y"), place("w"), place("h"));
        assert!(x + w <= 24 && w > 0 && h > 0, "{title}");
        for column in x..x + w {
            for row in y..y + h {
                assert!(taken.insert((column, row)), "{title} lies over another panel");
            }
        }
        let refs: BTreeSet<&str> = panel["targets"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|target| target["refId"].as_str())
            .collect();
        assert_eq!(
            refs.len(),
            panel["targets"].as_array().map_or(0, Vec::len),
            "{title}"
        );
    }
    // Each family is looked at somewhere.
    let shown = dashboard.to_string();
    for family in &ALL {
        assert!(shown.contains(family.name), "nothing shows {}", family.name);
    }
}

/// Debian's, put there by `cargo xtask test`: in the build folder, or where programs are.
fn promtool(words: &[&str], at: &Path) {
    let own = std::env::current_exe().expect("a program has a path");
    let own = own.ancestors().map(|folder| folder.join("tools/promtool"));
    let program = own
        .into_iter()
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from("promtool"));
    let ran = Command::new(&program)
        .args(words)
        .current_dir(at)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}; `cargo xtask test` puts it there", program.display()));
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    assert!(ran.status.success(), "promtool {words:?}\n{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn prometheus_takes_the_rules_and_they_do_what_they_say() {
    let folder = operations().join("prometheus");
    promtool(&["check", "rules", "alerts.yaml"], &folder);
    promtool(&["test", "rules", "alerts.test.yaml"], &folder);
}

/// The expressions of the dashboard as rules: what Prometheus reads there, it reads in Grafana.
#[cfg(target_os = "linux")]
#[test]
fn prometheus_takes_the_expressions_of_the_dashboard() {
    let rules: Vec<Value> = panels(&dashboard())
        .into_iter()
        .zip(0..)
        .map(|((_, expr), at)| {
            let expr = expr.replace("$__rate_interval", "5m");
            serde_json::json!({"record": format!("panel:{at}"), "expr": expr})
        })
        .collect();
    let file = serde_json::json!({"groups": [{"name": "dashboard", "rules": rules}]});
    let folder = tempfile::tempdir().expect("a folder");
    // JSON is YAML.
    std::fs::write(folder.path().join("rules.yaml"), file.to_string()).expect("written");
    promtool(&["check", "rules", "rules.yaml"], folder.path());
}
