//! The pages of `docs/generated/` say what the code says.
//!
//! One function renders each page from the tables of the code, in either language. A committed page that differs fails
//! here; `UPDATE_EXPECT=1` rewrites it.

mod connector;
mod connectors;
mod errors;
mod faults;
mod functions;
mod markdown;
mod object;
mod scheme;

use std::collections::BTreeSet;

use dsl::Lang;
use markdown::{anchor, is_chinese};
use tests::tidy::root;

type Page = fn(Lang) -> String;

const PAGES: [(&str, Page); 6] = [
    ("functions", functions::page),
    ("errors", errors::page),
    ("scheme", scheme::page),
    ("object", object::page),
    ("connector", connector::page),
    ("connectors", connectors::page),
];

#[test]
fn pages_are_what_the_code_says() {
    #[expect(clippy::disallowed_methods, reason = "the usual switch of expectation tests")]
    let rewrite = std::env::var_os("UPDATE_EXPECT").is_some();
    let folder = root().join("docs/generated");
    let mut old = Vec::new();
    for (name, page) in PAGES {
        for (lang, end) in [(Lang::En, "md"), (Lang::Zh, "zh.md")] {
            let text = page(lang);
            let path = folder.join(format!("{name}.{end}"));
            if rewrite {
                std::fs::create_dir_all(&folder).expect("docs can be written");
                std::fs::write(&path, text).expect("docs can be written");
            } else if std::fs::read_to_string(&path).ok().as_deref() != Some(text.as_str()) {
                old.push(format!("docs/generated/{name}.{end}"));
            }
        }
    }
    assert!(
        old.is_empty(),
        "not what the code says any more: {}\nrewrite them with: UPDATE_EXPECT=1 cargo test -p tests --test generated",
        old.join(", ")
    );
}

/// Pages in which only the tables come from the code.
#[test]
fn tables_of_the_faults_are_what_the_simulators_say() {
    #[expect(clippy::disallowed_methods, reason = "the usual switch of expectation tests")]
    let rewrite = std::env::var_os("UPDATE_EXPECT").is_some();
    for (lang, name) in [
        (Lang::En, "sandbox-faults.md"),
        (Lang::Zh, "sandbox-faults.zh.md"),
    ] {
        let path = root().join("docs").join(name);
        let page = std::fs::read_to_string(&path).expect("the page is there");
        let filled = faults::filled(&page, lang);
        if rewrite {
            std::fs::write(&path, filled).expect("docs can be written");
        } else {
            assert!(
                page == filled,
                "docs/{name}: UPDATE_EXPECT=1 cargo test -p tests --test generated"
            );
        }
    }
}

#[test]
fn links_within_a_page_lead_somewhere() {
    for (name, page) in PAGES {
        for lang in [Lang::Zh, Lang::En] {
            let text = page(lang);
            let headings: BTreeSet<String> = text
                .lines()
                .filter(|line| line.starts_with('#'))
                .map(|line| anchor(line.trim_start_matches(['#', ' '])))
                .collect();
            for rest in text.split("](#").skip(1) {
                let link = rest.split(')').next().unwrap_or_default();
                assert!(headings.contains(link), "{name}, {lang:?}: #{link}");
            }
        }
    }
}

#[test]
fn chinese_pages_are_chinese_and_english_pages_are_not() {
    for (name, page) in PAGES {
        for (lang, wrong) in [(Lang::Zh, false), (Lang::En, true)] {
            let text = page(lang);
            // Outside of code a line of the one language has no place on a page of the other.
            let mut fenced = false;
            for line in text.lines().filter(|line| !line.starts_with("[")) {
                fenced ^= line.starts_with("```");
                let prose: String = line.split('`').step_by(2).collect();
                let latin = prose.split(|c: char| !c.is_ascii_alphabetic());
                let sentence = latin.filter(|word| word.len() > 1).count() > 9 && !is_chinese(&prose);
                let strange = if wrong { is_chinese(&prose) } else { sentence };
                assert!(fenced || !strange, "{name}, {lang:?}: {line}");
            }
        }
    }
}
