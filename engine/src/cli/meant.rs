//! Slips that are told before anything is read or opened: a folder in place of a file, an instant far ahead.

use std::path::Path;

use app::AppError;

use super::time;

/// How far `--now` may lie ahead of the clock: what is read up to there is never read again, and a source whose clock
/// is a little ahead, or a time zone that was mistaken, is within a day.
const MOST_AHEAD: i64 = 86_400_000;

/// Refuses an instant of a run that is so far ahead that a real ledger would skip what is still to come.
pub(crate) fn not_far_ahead(instant: i64, now: i64, harmless: bool) -> Result<(), AppError> {
    if harmless || instant <= now.saturating_add(MOST_AHEAD) {
        return Ok(());
    }
    let at = time::shown(instant);
    Err(AppError::wrong_use(
        format!("--now 比时钟晚一天以上({at}):这段时间会被当作已读完,之后的数据就读不到了"),
        format!(
            "--now is more than a day ahead of the clock ({at}): that time would count as read, and what comes later would be missed"
        ),
    ))
}

/// Files of a folder that are named in a message.
const MAX_NAMED: usize = 5;

/// Refuses a folder, or the name of a scheme, where its file is wanted, and says which file that is.
pub(crate) fn is_file(path: &Path) -> Result<(), AppError> {
    let shown = path.display();
    if path.is_dir() {
        let files = app::yaml_files(path)?;
        let named: Vec<String> = files
            .iter()
            .filter(|file| file.file_stem().is_none_or(|stem| stem != "connections"))
            .take(MAX_NAMED)
            .map(|file| file.display().to_string())
            .collect();
        let (zh, en) = match named.as_slice() {
            [] => (String::new(), String::new()),
            named => (
                format!(",如 {}", named.join("、")),
                format!(", such as {}", named.join(", ")),
            ),
        };
        return Err(AppError::wrong_use(
            format!("{shown} 是文件夹;请写出方案文件{zh}"),
            format!("{shown} is a folder; name the file of a scheme{en}"),
        ));
    }
    let bare = path.extension().is_none() && path.components().count() == 1;
    if path.exists() || !bare {
        return Ok(());
    }
    let places = ["schemes", "."]
        .iter()
        .flat_map(|folder| ["yaml", "yml"].map(|end| Path::new(folder).join(path).with_extension(end)));
    match places.into_iter().find(|place| place.is_file()) {
        None => Ok(()),
        Some(file) => {
            let file = file.display();
            Err(AppError::wrong_use(
                format!("没有文件 {shown};是否想写 {file}?"),
                format!("there is no file {shown}; did you mean {file}?"),
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_run_does_not_live_in_the_future() {
        let now = 1_700_000_000_000;
        for (instant, harmless, good) in [
            (0, false, true),
            (now + MOST_AHEAD, false, true),
            (now + MOST_AHEAD + 1, false, false),
            (i64::MAX, false, false),
            (i64::MAX, true, true),
        ] {
            assert_eq!(not_far_ahead(instant, now, harmless).is_ok(), good, "{instant}");
        }
    }

    #[test]
    fn the_file_meant_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.yaml", "b.yml", "connections.yaml", "notes.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let told = is_file(dir.path()).unwrap_err().to_string();
        let named = ["a.yaml", "b.yml"].map(|name| dir.path().join(name).display().to_string());
        assert!(told.ends_with(&named.join(", ")), "{told}");
        assert!(is_file(&dir.path().join("a.yaml")).is_ok());
        // What is missing is told by whoever reads it.
        assert!(is_file(&dir.path().join("missing")).is_ok());
    }
}
