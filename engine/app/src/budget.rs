//! What a connection may still do today: calls a day, hours, and the end of a pause that a vendor has spoken.
//!
//! The count lies beside the ledger, one small file for each credential (or application, where that is what the vendor
//! counts), and is read and written under a lock for each call: neither a restart nor a second process forgets it. It
//! is written before the call goes out; a call that was counted and not made costs one of many. A file that is lost
//! begins the day anew, and the vendor's own refusal is then the wall.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use connector::Connection;
use dsl::catalogue::{auth, target};
use dsl::diagnostic::Failure;
use flow::ids::Ms;
use serde_json::{Value, json};

/// The folder in the data directory.
const FOLDER: &str = "limits";
/// A count is some hundred bytes, a vendor's sentence with it a few more.
const BYTES_MAX: u64 = 16 << 10;
/// The longest pause that is believed: what is further away was said by a clock that ran ahead.
const PAUSE_MAX: Ms = 32 * 86_400_000;
/// Characters of a vendor's sentence that are kept.
const SAID: usize = 300;

/// The budget of one credential.
#[derive(Debug)]
pub(crate) struct Budget {
    path: PathBuf,
}

/// What stands in the file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    day: String,
    calls: u64,
    until: Ms,
    why: String,
}

impl Count {
    /// Takes one of so many calls of a day; whether there was one.
    fn take(&mut self, today: String, per_day: u64) -> bool {
        // A clock that is set back gives no second day.
        if self.day < today {
            (self.day, self.calls) = (today, 0);
        }
        let is_there = self.calls < per_day;
        self.calls += u64::from(is_there);
        is_there
    }
}

impl Budget {
    /// The budget of a connection below a data directory. Nothing is opened yet.
    pub(crate) fn new(dir: &Path, connection: &Connection) -> Self {
        Budget {
            path: dir
                .join(FOLDER)
                .join(format!("{}.json", connection.budget_name())),
        }
    }

    /// What one side of a scheme may still call by its own word.
    pub(crate) fn of_scheme(dir: &Path, connection: &Connection, scheme: &str, side: &str) -> Self {
        let what = if connection.sandbox {
            "sandbox-scheme"
        } else {
            "scheme"
        };
        Budget {
            path: dir.join(FOLDER).join(format!("{what}-{scheme}-{side}.json")),
        }
    }

    /// Takes one of so many calls of today; whether there was one.
    pub(crate) fn take_one(&self, connection: &Connection, per_day: u64, now: Ms) -> Result<bool, Failure> {
        let failed = |error: std::io::Error| self.unkept(connection, &error);
        let mut file = self.open().map_err(failed)?;
        let mut count = load(&mut file).map_err(failed)?;
        let is_there = count.take(connection.day(now), per_day);
        if is_there {
            save(&mut file, &count).map_err(failed)?;
        }
        Ok(is_there)
    }

    fn unkept(&self, connection: &Connection, error: &std::io::Error) -> Failure {
        Failure::new(&auth::BUDGET_KEPT)
            .with("connection", &connection.name)
            .with("path", self.path.display())
            .with("why", error)
    }

    /// Takes one call of today's, or says why there is none and when it goes on.
    pub(crate) fn take(&self, connection: &Connection, now: Ms) -> Result<(), Failure> {
        if let (Some(opens), Some(hours)) = (connection.opens(now), &connection.limits.hours) {
            return Err(Failure::new(&target::OUT_OF_HOURS)
                .with("connection", &connection.name)
                .with("hours", hours.text())
                .with("until", connection.clock(opens)));
        }
        let per_day = connection.limits.per_day.map(u64::from);
        if per_day.is_none() && !self.path.exists() {
            return Ok(());
        }
        let failed = |error: std::io::Error| self.unkept(connection, &error);
        let mut file = self.open().map_err(failed)?;
        let mut count = load(&mut file).map_err(failed)?;
        if (now + 1..=now.saturating_add(PAUSE_MAX)).contains(&count.until) {
            return Err(Failure::new(&target::PAUSED)
                .with("connection", &connection.name)
                .with("until", connection.clock(count.until))
                .vendor(count.why));
        }
        let Some(per_day) = per_day else { return Ok(()) };
        if !count.take(connection.day(now), per_day) {
            return Err(Failure::new(&target::DAY_SPENT)
                .with("connection", &connection.name)
                .with("count", per_day)
                .with("until", connection.clock(connection.midnight(now))));
        }
        save(&mut file, &count).map_err(failed)
    }

    /// Nothing is called before an instant that the vendor has named. What cannot be written is said by the vendor
    /// again.
    pub(crate) fn close(&self, until: Ms, now: Ms, why: &str) {
        let write = || {
            // An instant that far away is somebody's slip: it would be read as one later.
            if until > now.saturating_add(PAUSE_MAX) {
                return Ok(());
            }
            let mut file = self.open()?;
            let mut count = load(&mut file)?;
            count.until = until;
            count.why = why.chars().take(SAID).collect();
            save(&mut file, &count)
        };
        drop::<std::io::Result<()>>(write());
    }

    /// The file, locked until it is closed.
    fn open(&self) -> std::io::Result<File> {
        std::fs::create_dir_all(self.path.parent().unwrap_or(&self.path))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&self.path)?;
        file.lock()?;
        Ok(file)
    }
}

fn load(file: &mut File) -> std::io::Result<Count> {
    let mut text = String::new();
    match (&mut *file).take(BYTES_MAX).read_to_string(&mut text) {
        Ok(_) => {}
        // Half a file, or somebody else's, is the beginning of a day.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => text.clear(),
        Err(error) => return Err(error),
    }
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    Ok(Count {
        day: text("day"),
        calls: value["calls"].as_u64().unwrap_or(0),
        until: value["until"].as_i64().unwrap_or(0),
        why: text("why"),
    })
}

fn save(file: &mut File, count: &Count) -> std::io::Result<()> {
    let text = json!({"day": count.day, "calls": count.calls, "until": count.until, "why": count.why});
    let text = text.to_string();
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::tests::resolved;

    const NOON: Ms = 1_700_020_800_000; // 2023-11-15 12:00 in Beijing

    fn connection(per_day: Option<u32>) -> Connection {
        coded("code", per_day)
    }

    /// With this secret.
    fn coded(secret: &str, per_day: Option<u32>) -> Connection {
        let params =
            ["app_id", "app_secret", "code", "user_id"].map(|name| (name.to_owned(), name.to_owned()));
        let mut params: std::collections::BTreeMap<String, String> = params.into();
        params.insert("server".to_owned(), "https://crm.example.com/".to_owned());
        params.insert("code".to_owned(), secret.to_owned());
        let mut connection = resolved("schemes/fx-accounts.yaml", "crm", "fxiaoke", params);
        connection.limits.per_day = per_day;
        connection
    }

    fn code(taken: Result<(), Failure>) -> String {
        taken.map_or_else(
            |failure| failure.message(dsl::diagnostic::Lang::En),
            |()| "ok".to_owned(),
        )
    }

    /// Three calls a day: a new object (a restart) and a second one (another process) know what is left, and at the
    /// system's midnight there are three again.
    #[test]
    fn a_restart_does_not_forget_the_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = connection(Some(3));
        let one = Budget::new(folder.path(), &connection);
        for nth in 0..3 {
            let budget = Budget::new(folder.path(), &connection);
            assert_eq!(code(budget.take(&connection, NOON + nth)), "ok");
        }
        let failure = one.take(&connection, NOON + 10).expect_err("three were made");
        assert_eq!(failure.code(), "E4040");
        let said = code(Err(failure));
        assert!(said.contains("2023-11-16 00:00 Asia/Shanghai"), "{said}");
        let midnight = NOON + 12 * 3_600_000;
        assert!(one.take(&connection, midnight - 1).is_err());
        for _ in 0..3 {
            assert_eq!(code(one.take(&connection, midnight)), "ok");
        }
        assert!(one.take(&connection, midnight).is_err());
        // A clock that is set back gives no second day.
        assert!(one.take(&connection, midnight - 1).is_err());
    }

    /// Two companies whose credentials differ in a secret only are counted apart, and no secret stands in the name.
    #[test]
    fn a_secret_makes_another_credential() {
        let [one, two] = ["canary-1", "canary-2"].map(|secret| {
            let mut connection = coded(secret, Some(1));
            connection.sandbox = false;
            connection.budget_name()
        });
        assert_ne!(one, two);
        assert!(!one.contains("canary"), "{one}");
    }

    /// A vendor that has spoken of its pause is not asked again before it ends; a clock that ran ahead closes nothing.
    #[test]
    fn a_pause_is_remembered() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = connection(None);
        let budget = Budget::new(folder.path(), &connection);
        assert_eq!(code(budget.take(&connection, NOON)), "ok");
        assert!(
            !folder.path().join(FOLDER).exists(),
            "nothing is kept where nothing is counted"
        );
        budget.close(NOON + 3_600_000, NOON, "30002 超出每日调用总量");
        let again = Budget::new(folder.path(), &connection);
        let failure = again.take(&connection, NOON + 1).expect_err("closed");
        assert_eq!(failure.code(), "E4041");
        let said = code(Err(failure));
        assert!(
            said.contains("2023-11-15 13:00") && said.contains("30002"),
            "{said}"
        );
        assert_eq!(code(again.take(&connection, NOON + 3_600_000)), "ok");
        // Neither now nor when that day comes near.
        budget.close(NOON + 400 * 86_400_000, NOON, "a clock that ran ahead");
        for days in [0, 399] {
            let later = NOON + 3_600_000 + days * 86_400_000;
            assert_eq!(code(again.take(&connection, later)), "ok");
        }
    }

    #[test]
    fn a_count_that_cannot_be_kept_stops_the_call() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(FOLDER), "no folder").expect("our own folder");
        let connection = connection(Some(3));
        let failure = Budget::new(folder.path(), &connection).take(&connection, NOON);
        assert_eq!(failure.expect_err("nowhere to count").code(), "E7007");
    }

    #[test]
    fn nothing_is_called_outside_the_hours() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut connection = connection(None);
        connection.limits.hours = connector::Hours::parse("22:00-06:00");
        let budget = Budget::new(folder.path(), &connection);
        let failure = budget.take(&connection, NOON).expect_err("it is noon");
        assert_eq!(failure.code(), "E4042");
        let said = code(Err(failure));
        assert!(
            said.contains("22:00-06:00") && said.contains("2023-11-15 22:00"),
            "{said}"
        );
        assert_eq!(code(budget.take(&connection, NOON + 10 * 3_600_000)), "ok");
    }

    #[test]
    fn half_a_file_begins_the_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let connection = connection(Some(1));
        let budget = Budget::new(folder.path(), &connection);
        assert_eq!(code(budget.take(&connection, NOON)), "ok");
        std::fs::write(&budget.path, "{\"day\":\"2023-1").expect("our own file");
        assert_eq!(code(budget.take(&connection, NOON)), "ok");
        assert!(budget.take(&connection, NOON).is_err());
    }
}
