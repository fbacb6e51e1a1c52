//! Markdown, as far as the pages need it.

use dsl::Lang;

pub(crate) fn head(lang: Lang, name: &str, title: (&str, &str), about: (&str, &str)) -> String {
    let other = lang.pick(format!("[English]({name}.md)"), format!("[中文]({name}.zh.md)"));
    let made = lang.pick(
        "本页由测试根据代码写成,不要手工修改:`UPDATE_EXPECT=1 cargo test -p tests --test generated`。",
        "A test writes this page from the code; do not edit it: `UPDATE_EXPECT=1 cargo test -p tests --test generated`.",
    );
    format!(
        "# {}\n\n{other}\n\n{}\n\n{made}\n\n",
        lang.pick(title.0, title.1),
        lang.pick(about.0, about.1)
    )
}

pub(crate) fn table(names: &[&str]) -> String {
    format!("| {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len()))
}

pub(crate) fn row(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    text.push_str(&format!("| {} |\n", cells.join(" | ")));
}

/// Text that is shown as it was written.
pub(crate) fn code(text: &str) -> String {
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// A sentence: what Markdown would read as markup is escaped, except between backticks.
pub(crate) fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['`', '<', '*', '_', '\\']) {
        let (before, special) = rest.split_at(at);
        out.push_str(before);
        let is_part_of_a_word = |text: Option<char>| text.is_some_and(char::is_alphanumeric);
        if special.starts_with('_')
            && is_part_of_a_word(before.chars().next_back())
            && is_part_of_a_word(special[1..].chars().next())
        {
            out.push('_');
            rest = &special[1..];
            continue;
        }
        let closed = special.starts_with('`').then(|| special[1..].find('`')).flatten();
        let taken = match closed {
            Some(length) => {
                out.push_str(&special[..length + 2]);
                length + 2
            }
            None => {
                out.push('\\');
                out.push_str(&special[..1]);
                1
            }
        };
        rest = &special[taken..];
    }
    out + rest
}

/// The anchor that a forge gives to a heading.
pub(crate) fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

pub(crate) fn is_chinese(text: &str) -> bool {
    text.chars().any(|char| ('\u{4e00}'..='\u{9fff}').contains(&char))
}
