//! Which files a path argument means: a file, a folder with everything below, `dir/...`, or a pattern with `*`, `?`
//! and `**`. Nothing found is an error, never a silent success.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::error::AppError;

/// Files looked at in one command; a tree with more is not a tree of schemes.
const MAX_FILES: usize = 20_000;
/// Folders inside folders.
const MAX_DEPTH: usize = 32;

/// The YAML files that the arguments mean, sorted, each once. A file named outright may have any ending.
pub fn find_files(arguments: &[PathBuf]) -> Result<Vec<PathBuf>, AppError> {
    let mut found = BTreeSet::new();
    for argument in arguments {
        let before = found.len();
        let mut new = Vec::new();
        one(argument, &mut new)?;
        if new.is_empty() {
            let path = argument.display();
            return Err(AppError::wrong_use(
                format!("`{path}` 没有匹配到任何 YAML 文件"),
                format!("`{path}` matches no YAML file"),
            ));
        }
        found.extend(new);
        if found.len() > MAX_FILES {
            return Err(AppError::wrong_use(
                format!("匹配到的文件超过 {MAX_FILES} 个({before} 个之后)"),
                format!("more than {MAX_FILES} files match (after {before})"),
            ));
        }
    }
    Ok(found.into_iter().collect())
}

fn one(argument: &Path, found: &mut Vec<PathBuf>) -> Result<(), AppError> {
    if argument.is_file() {
        found.push(argument.to_owned());
        return Ok(());
    }
    if argument.is_dir() {
        return below(argument, 0, &|_| true, found);
    }
    if argument.file_name().is_some_and(|name| name == "...") {
        let folder = argument.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        return if folder.is_dir() {
            below(folder, 0, &|_| true, found)
        } else {
            missing(folder)
        };
    }
    let text = argument.to_string_lossy();
    if !text.contains(['*', '?']) {
        return missing(argument);
    }
    // Walk from the last folder without a wildcard.
    let fixed: PathBuf = argument
        .components()
        .take_while(|part| !part.as_os_str().to_string_lossy().contains(['*', '?']))
        .collect();
    let pattern: Vec<String> = segments(argument).split_off(segments(&fixed).len());
    let root = if fixed.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        fixed
    };
    if !root.is_dir() {
        return missing(&root);
    }
    let wanted = |path: &Path| {
        let inside = path.strip_prefix(&root).unwrap_or(path);
        matches(&pattern, &segments(inside))
    };
    below(&root, 0, &wanted, found)
}

fn missing(path: &Path) -> Result<(), AppError> {
    Err(AppError::File {
        path: path.display().to_string(),
        what: "No such file or directory".to_owned(),
    })
}

/// The YAML files below a folder. Hidden folders and links to folders are not entered.
fn below(
    folder: &Path,
    depth: usize,
    wanted: &dyn Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
) -> Result<(), AppError> {
    let fail = |error: std::io::Error| AppError::File {
        path: folder.display().to_string(),
        what: error.to_string(),
    };
    for entry in std::fs::read_dir(folder).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        let kind = entry.file_type().map_err(fail)?;
        let path = if folder == Path::new(".") {
            PathBuf::from(entry.file_name())
        } else {
            entry.path()
        };
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        if kind.is_dir() {
            if !is_hidden && depth < MAX_DEPTH {
                below(&path, depth + 1, wanted, found)?;
            }
        } else if !is_hidden && is_yaml(&path) && path.is_file() && wanted(&path) {
            found.push(path);
        }
        if found.len() > MAX_FILES {
            return Ok(());
        }
    }
    Ok(())
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|end| end == "yaml" || end == "yml")
}

fn segments(path: &Path) -> Vec<String> {
    path.components()
        .filter(|part| !matches!(part, Component::CurDir))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect()
}

/// Whether path segments fit a pattern; `**` is any number of segments.
fn matches(pattern: &[String], path: &[String]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((first, rest)), _) if first == "**" => {
            matches(rest, path)
                || path
                    .split_first()
                    .is_some_and(|(_, below)| matches(pattern, below))
        }
        (Some((first, rest)), Some((name, below))) => {
            let (first, name): (Vec<char>, Vec<char>) = (first.chars().collect(), name.chars().collect());
            name_matches(&first, &name) && matches(rest, below)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn name_matches(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            name_matches(rest, name)
                || name
                    .split_first()
                    .is_some_and(|(_, later)| name_matches(pattern, later))
        }
        (Some(('?', rest)), Some((_, later))) => name_matches(rest, later),
        (Some((wanted, rest)), Some((found, later))) => wanted == found && name_matches(rest, later),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, path: &str, want: bool| {
            let parts = |text: &str| segments(Path::new(text));
            assert_eq!(
                matches(&parts(pattern), &parts(path)),
                want,
                "{pattern} on {path}"
            );
        };
        check("*.yaml", "a.yaml", true);
        check("*.yaml", "x/a.yaml", false);
        check("**/*.yaml", "a.yaml", true);
        check("**/*.yaml", "x/y/a.yaml", true);
        check("huke-??-k3.yaml", "huke-to-k3.yaml", true);
        check("huke-??-k3.yaml", "huke-into-k3.yaml", false);
        check("x/**/客户*.yml", "x/y/客户档案.yml", true);
        check("*", "a.yaml/b", false);
    }

    #[test]
    fn nothing_found_is_an_error() {
        for argument in [
            "no-such-folder",
            "no-such-folder/...",
            "no-such-folder/*.yaml",
            "src/*.yaml",
        ] {
            assert!(find_files(&[PathBuf::from(argument)]).is_err(), "{argument}");
        }
    }
}
