//! The bytes of a file that nobody is writing any more.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::FILE_MAX;

/// A stamp that lies further ahead is no clock that is a little wrong: waiting for it would be waiting for ever.
const AHEAD_MAX: Duration = Duration::from_secs(24 * 3600);

/// The bytes of a file that has not changed for so many seconds, and not while it was read. `None` = it is left for
/// later.
///
/// The clock of a share may be ahead of ours: a stamp of the future says nothing about how long ago the file changed,
/// so that it is left until that instant and the pause behind it are over.
pub(super) fn whole(path: &Path, settle: u64) -> Option<Result<Vec<u8>, String>> {
    let state = || {
        let about = std::fs::metadata(path).ok()?;
        Some((about.len(), about.modified().ok()?))
    };
    let before = state()?;
    if settle > 0 {
        match before.1.elapsed() {
            Ok(age) if age < Duration::from_secs(settle) => return None,
            Ok(_) => {}
            Err(ahead) if ahead.duration() <= AHEAD_MAX => return None,
            Err(_) => return Some(Err(far_ahead(before.1))),
        }
    }
    if before.0 > FILE_MAX {
        return Some(Err(format!("{} bytes; at most {FILE_MAX} are read", before.0)));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string());
    (state()? == before).then_some(bytes)
}

/// The words do not change while nothing else does: what is told about a file is told once.
fn far_ahead(stamp: SystemTime) -> String {
    let told = jiff::Timestamp::try_from(stamp).map_or_else(|_| "?".to_owned(), |at| at.to_string());
    format!("changed at {told}, more than a day ahead of this machine's clock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_left_while_somebody_may_be_writing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, "no\n1\n").unwrap();
        let now = path.metadata().unwrap().modified().unwrap();
        let (minute, day) = (Duration::from_secs(60), AHEAD_MAX);
        for (stamp, settle, want) in [
            (now - 2 * minute, 60, "read"),
            (now - minute / 2, 60, "later"),
            // The clock of the share is ahead, by less than the pause and by more.
            (now + minute / 2, 60, "later"),
            (now + 10 * minute, 60, "later"),
            (now + day + 10 * minute, 60, "told"),
            // Who wants no pause gets none.
            (now + 10 * minute, 0, "read"),
        ] {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(stamp).unwrap();
            let got = match whole(&path, settle) {
                None => "later",
                Some(Ok(_)) => "read",
                Some(Err(why)) if why.contains("ahead of this machine's clock") => "told",
                Some(Err(why)) => panic!("{why}"),
            };
            assert_eq!(got, want, "{stamp:?} {settle}");
        }
    }
}
