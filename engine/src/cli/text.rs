//! The words of the command line: two Fluent catalogues with the same keys.

use dsl::Lang;
use fluent_bundle::{FluentArgs, FluentBundle, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

const ZH: &str = include_str!("text/zh.ftl");
const EN: &str = include_str!("text/en.ftl");

/// The catalogue of one language.
pub(crate) struct Texts {
    bundle: FluentBundle<FluentResource>,
}

impl Texts {
    /// Loads a catalogue. Both are part of the program and proven to parse by a test.
    pub(crate) fn new(lang: Lang) -> Texts {
        let (source, tag) = match lang {
            Lang::Zh => (ZH, "zh-CN"),
            Lang::En => (EN, "en"),
        };
        // Both are well formed; the tag only decides Fluent's own plurals, which the catalogues do not use: they ask COUNT.
        let tag: LanguageIdentifier = tag.parse().unwrap_or_default();
        let resource = match FluentResource::try_new(source.to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let mut bundle = FluentBundle::new(vec![tag]);
        // No invisible direction marks around values: the output is read by scripts too.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(resource);
        // It fails where a bundle has a function of this name, and this one is new.
        drop(bundle.add_function("COUNT", |words, _| count(words)));
        Texts { bundle }
    }

    /// The text of a key, filled. An unknown key is shown as itself, which a test forbids.
    pub(crate) fn say(&self, key: &str, facts: &[(&str, String)]) -> String {
        self.find(key, facts).unwrap_or_else(|| key.to_owned())
    }

    /// The text of a key, if there is one.
    pub(crate) fn find(&self, key: &str, facts: &[(&str, String)]) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut args = FluentArgs::new();
        for (name, value) in facts {
            args.set((*name).to_owned(), value.clone());
        }
        let mut errors = Vec::new();
        Some(
            self.bundle
                .format_pattern(pattern, Some(&args), &mut errors)
                .into_owned(),
        )
    }
}

/// `COUNT(number, "# row", "# rows")`: the words for one or for any other number, which stands where `#` is.
fn count<'a>(words: &[FluentValue<'a>]) -> FluentValue<'a> {
    let [
        FluentValue::String(number),
        FluentValue::String(one),
        FluentValue::String(others),
    ] = words
    else {
        return FluentValue::Error;
    };
    let chosen = if number == "1" { one } else { others };
    FluentValue::from(chosen.replace('#', number))
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Key -> placeholders.
    fn keys(source: &str) -> BTreeMap<String, BTreeSet<String>> {
        assert!(
            FluentResource::try_new(source.to_owned()).is_ok(),
            "catalogue does not parse"
        );
        let mut keys = BTreeMap::new();
        for line in source
            .lines()
            .filter(|line| !line.starts_with(['#', ' ']) && line.contains(" ="))
        {
            let (key, text) = line.split_once(" =").expect("filtered");
            let names = text
                .split('$')
                .skip(1)
                .filter_map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next())
                .filter(|name| name.starts_with(char::is_lowercase))
                .map(str::to_owned)
                .collect();
            assert!(keys.insert(key.to_owned(), names).is_none(), "{key} twice");
        }
        keys
    }

    #[test]
    fn both_languages_have_the_same_keys_and_placeholders() {
        assert_eq!(keys(ZH), keys(EN));
    }

    /// Numbers in sentences: each text with a number and a word for what is counted says both.
    #[test]
    fn one_row_is_not_rows() {
        let texts = Texts::new(Lang::En);
        let say = |key: &str, name: &'static str, number: &str| texts.say(key, &[(name, number.to_owned())]);
        for (key, name, one, more) in [
            (
                "sample-more",
                "count",
                "and 1 more field",
                "and 1,200 more fields",
            ),
            (
                "run-all-unchanged",
                "count",
                "nothing was written: the row read is the version already written",
                "nothing was written: the 1,200 rows read are the versions already written",
            ),
            (
                "receive-repeats",
                "repeats",
                "came again once",
                "came again 1,200 times",
            ),
        ] {
            assert_eq!(say(key, name, "1"), one);
            assert_eq!(say(key, name, "1,200"), more);
        }
        assert_eq!(say("sample-more", "count", "0"), "and 0 more fields");
        let plain: Vec<&str> = EN.lines().filter(|line| counts_many(line)).collect();
        assert_eq!(plain, Vec::<&str>::new(), "write COUNT(number, one, many)");
    }

    /// Whether a line has a number, and behind it the plural of what is counted.
    fn counts_many(line: &str) -> bool {
        const MANY: [&str; 17] = [
            "calls", "records", "rows", "pages", "times", "pushes", "bytes", "entries", "fields", "lines",
            "values", "schemes", "errors", "tests", "windows", "places", "files",
        ];
        line.split(" } ").skip(1).any(|rest| {
            let mut words = rest.split(|c: char| !c.is_alphabetic());
            words.next().is_some_and(|word| MANY.contains(&word))
        })
    }

    /// The sources in which keys are used.
    const SOURCES: &[&str] = &[
        include_str!("adopt.rs"),
        include_str!("ask.rs"),
        include_str!("audit.rs"),
        include_str!("authoring.rs"),
        include_str!("check.rs"),
        include_str!("config.rs"),
        include_str!("connection.rs"),
        include_str!("connectors.rs"),
        include_str!("curl.rs"),
        include_str!("decide.rs"),
        include_str!("diff.rs"),
        include_str!("dry_run.rs"),
        include_str!("export.rs"),
        include_str!("expr/mod.rs"),
        include_str!("expr/prompt.rs"),
        include_str!("expr/complete.rs"),
        include_str!("fmt.rs"),
        include_str!("help.rs"),
        include_str!("import.rs"),
        include_str!("language.rs"),
        include_str!("logs.rs"),
        include_str!("map.rs"),
        include_str!("map_fields.rs"),
        include_str!("notify.rs"),
        include_str!("objects.rs"),
        include_str!("out.rs"),
        include_str!("pushes.rs"),
        include_str!("progress.rs"),
        include_str!("remote/mod.rs"),
        include_str!("replay.rs"),
        include_str!("retry.rs"),
        include_str!("rows.rs"),
        include_str!("run.rs"),
        include_str!("runs.rs"),
        include_str!("serve.rs"),
        include_str!("status.rs"),
        include_str!("tap.rs"),
        include_str!("token.rs"),
        include_str!("top.rs"),
        include_str!("user.rs"),
        include_str!("schemes.rs"),
        include_str!("secret.rs"),
        include_str!("simulators.rs"),
        include_str!("test.rs"),
        include_str!("unit.rs"),
        include_str!("usage.rs"),
        include_str!("upkeep.rs"),
        include_str!("verify.rs"),
    ];

    /// Keys that are put together from a family and a word.
    fn composed() -> BTreeSet<String> {
        let families: &[(&str, &[&str])] = &[
            (
                "state",
                &["pending", "sending", "unknown", "done", "dead", "held", "skipped"],
            ),
            (
                "status",
                &["running", "broken", "ok", "partial", "failed", "canceled"],
            ),
            ("run", &["ok", "partial", "failed", "canceled"]),
            ("trigger", &["manual", "schedule", "dry-run", "replay", "push"]),
            ("window", &["open", "closed", "failed", "unstable", "left"]),
            ("action", &["create", "update", "void", "step"]),
            (
                "outcome",
                &["new", "changed", "unchanged", "superseded", "filtered", "invalid"],
            ),
            ("settled", &["done", "dead", "retry", "unknown", "held"]),
            ("fix", &["counter", "orphan", "index"]),
            ("trial", &["settings", "dns", "tcp", "tls", "login", "call"]),
            ("scheme", &["enabled", "draft", "paused", "invalid"]),
            ("notice", &["waiting", "sent", "failed", "dropped"]),
            ("origin", &["flag", "environment", "default"]),
            ("secret-from", &["store", "environment", "nowhere"]),
            ("step", &["ok", "failed", "not_made"]),
            (
                "doctor",
                &[
                    "clock",
                    "rights",
                    "rights-help",
                    "broken",
                    "folder",
                    "folder-help",
                    "network",
                    "network-help",
                    "disk",
                    "disk-help",
                    "size",
                    "size-help",
                    "sqlite",
                    "version",
                    "version-help",
                    "file",
                    "file-help",
                    "generation",
                    "generation-help",
                    "holder",
                    "proxy",
                    "secrets",
                    "secrets-help",
                    "roots",
                    "roots-help",
                ],
            ),
            (
                "resolved",
                &[
                    "done",
                    "resend",
                    "ask-again",
                    "held",
                    "dead",
                    "known",
                    "unasked",
                    "person-held",
                    "person-done",
                    "person-not-there",
                ],
            ),
            ("receive-state", &["waiting", "staged"]),
            (
                "left",
                &["changed", "unfit", "taken", "keyless", "member", "nothing-stored"],
            ),
            (
                "decision",
                &[
                    "skip", "hold", "resolve", "retry", "adopt", "replay", "restore", "rollback", "suspect",
                    "fix", "pause", "resume", "deploy", "revert", "token", "user", "scheme", "run", "cancel",
                ],
            ),
            (
                "guarantee",
                &[
                    "stored",
                    "exactly-once",
                    "exactly-once-while-remembered",
                    "exactly-once-unless-late",
                    "at-most-once",
                    "at-least-once",
                ],
            ),
            (
                "adopted",
                &[
                    "found",
                    "unfinished",
                    "not-there",
                    "not-there-dry",
                    "several",
                    "foreign",
                    "shared",
                    "cannot-ask",
                    "not-made",
                    "unsettled",
                    "written-over",
                    "known",
                    "skipped",
                    "dead",
                ],
            ),
            ("present-left", &["lines", "sensitive", "not-told"]),
            ("flaw", &["no-record", "no-destination", "no-mapping", "double"]),
            ("moment", &["echo", "held", "lost", "won"]),
        ];
        let of = |(family, words): &(&str, &[&str])| {
            words
                .iter()
                .map(|word| format!("{family}-{word}"))
                .collect::<Vec<_>>()
        };
        families.iter().flat_map(of).collect()
    }

    #[test]
    fn every_key_used_exists_and_every_key_is_used() {
        let known: BTreeSet<String> = keys(ZH).into_keys().collect();
        let mut used = composed();
        for source in SOURCES {
            let code = source.split("#[cfg(test)]").next().unwrap_or_default();
            for call in ["say(", "say_in(", "text(", "note("] {
                for rest in code.split(&format!(".{call}")).skip(1) {
                    if let Some(literal) = rest.trim_start().strip_prefix('"') {
                        used.insert(literal.split('"').next().unwrap_or_default().to_owned());
                    }
                }
            }
            // Keys that reach a call through a variable.
            let literals = code.split('"').skip(1).step_by(2);
            used.extend(
                literals
                    .filter(|literal| known.contains(*literal))
                    .map(str::to_owned),
            );
        }
        let unknown: Vec<_> = used.difference(&known).collect();
        assert!(unknown.is_empty(), "used and not in the catalogue: {unknown:?}");
        let unused: Vec<_> = known
            .difference(&used)
            .filter(|key| !key.starts_with("help-"))
            .collect();
        assert!(unused.is_empty(), "in the catalogue and not used: {unused:?}");
    }
}
