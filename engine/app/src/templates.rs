//! Schemes to begin with, for `engine init --template`. They are data: the folder `templates/` of the repository, with
//! `index.yaml` saying what each is for. Their files are tested like any other scheme.

use dsl::yaml::{self, Node};
use dsl::{Lang, SourceFile};

use crate::error::AppError;

const INDEX: &str = include_str!("../../../templates/index.yaml");

/// The files, by name.
const FILES: &[(&str, &str)] = &[
    ("store.yaml", include_str!("../../../templates/store.yaml")),
    (
        "create-or-update.yaml",
        include_str!("../../../templates/create-or-update.yaml"),
    ),
    (
        "order-with-lines.yaml",
        include_str!("../../../templates/order-with-lines.yaml"),
    ),
    ("push.yaml", include_str!("../../../templates/push.yaml")),
    (
        "two-way-there.yaml",
        include_str!("../../../templates/two-way-there.yaml"),
    ),
    (
        "two-way-back.yaml",
        include_str!("../../../templates/two-way-back.yaml"),
    ),
    (
        "database-to-api.yaml",
        include_str!("../../../templates/database-to-api.yaml"),
    ),
    ("file.yaml", include_str!("../../../templates/file.yaml")),
];

/// One way of moving data, as files to go on from.
#[derive(Debug, Clone)]
pub struct Template {
    /// As it is asked for.
    pub name: String,
    /// The connections that it names, and their connectors.
    pub connections: Vec<(String, String)>,
    /// The texts of its schemes; each goes to `schemes/ID.yaml`.
    pub schemes: Vec<&'static str>,
    about: (String, String),
}

impl Template {
    /// What it is for.
    pub fn about(&self, lang: Lang) -> &str {
        lang.pick(self.about.0.as_str(), self.about.1.as_str())
    }
}

/// All of them, the simplest first.
pub fn all() -> Result<Vec<Template>, AppError> {
    let index = yaml::read(&SourceFile::new("templates/index.yaml", INDEX)).map_err(AppError::Invalid)?;
    let pairs = index.get("templates").and_then(|pair| pair.value.map());
    let known = pairs.unwrap_or_default();
    known.iter().map(|pair| one(&pair.key, &pair.value)).collect()
}

/// The template of a name.
pub fn find(name: &str) -> Result<Template, AppError> {
    let all = all()?;
    let names: Vec<&str> = all.iter().map(|template| template.name.as_str()).collect();
    let found = all.iter().find(|template| template.name == name);
    found
        .cloned()
        .ok_or_else(|| AppError::no_such(("模板", "template"), name, &names))
}

fn one(name: &str, node: &Node) -> Result<Template, AppError> {
    let wrong = || AppError::bug(format!("templates/index.yaml: {name}"));
    let text = |node: &Node| node.text().map(str::to_owned).ok_or_else(wrong);
    let member = |node: &Node, key: &str| node.get(key).map(|pair| pair.value.clone()).ok_or_else(wrong);
    let about = member(node, "about")?;
    let connections = member(node, "connections")?;
    let schemes = member(node, "schemes")?;
    Ok(Template {
        name: name.to_owned(),
        about: (text(&member(&about, "zh")?)?, text(&member(&about, "en")?)?),
        connections: connections
            .map()
            .ok_or_else(wrong)?
            .iter()
            .map(|pair| Ok((pair.key.clone(), text(&pair.value)?)))
            .collect::<Result<_, AppError>>()?,
        schemes: schemes
            .list()
            .ok_or_else(wrong)?
            .iter()
            .map(|file| {
                let found = FILES.iter().find(|(name, _)| Some(*name) == file.text());
                found.map(|(_, text)| *text).ok_or_else(wrong)
            })
            .collect::<Result<_, AppError>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_belongs_to_a_template() {
        let all = all().expect("the index is right");
        let used: usize = all.iter().map(|template| template.schemes.len()).sum();
        assert_eq!(used, FILES.len());
        let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
        let files = std::fs::read_dir(here)
            .expect("the folder of the templates")
            .count();
        assert_eq!(files, FILES.len() + 1, "and the index");
        assert!(
            all.iter()
                .all(|template| !template.about(Lang::Zh).is_empty() && !template.about(Lang::En).is_empty())
        );
    }
}
