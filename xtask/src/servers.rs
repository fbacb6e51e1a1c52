//! The database servers that the tests start for themselves: only the programs are needed here, and they are installed
//! from Debian's packages when they are missing.

use std::path::Path;
use std::process::Command;

use crate::oracle;
use crate::run::finish;

/// Makes sure of them. Other systems than Linux have no such tests.
pub(crate) fn for_tests() -> Result<(), String> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    oracle::installed()?;
    postgresql()
}

/// Whether the programs of some version of PostgreSQL are there.
fn has_postgresql() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    versions
        .filter_map(Result::ok)
        .any(|version| version.path().join("bin/initdb").is_file())
}

fn postgresql() -> Result<(), String> {
    if has_postgresql() {
        return Ok(());
    }
    println!("installing postgresql");
    // The package would make a cluster of the machine's own and start it; ours are private.
    let common = Path::new("/etc/postgresql-common");
    let quiet = std::fs::create_dir_all(common)
        .and_then(|()| std::fs::write(common.join("createcluster.conf"), "create_main_cluster = false\n"));
    quiet.map_err(|why| format!("no PostgreSQL; as root: apt-get install postgresql ({why})"))?;
    finish(Command::new("apt-get").args(["update", "--quiet"]))
        .map_err(|why| format!("no PostgreSQL; as root: apt-get install postgresql ({why})"))?;
    let install = [
        "install",
        "--quiet",
        "--yes",
        "--no-install-recommends",
        "-o",
        "Dpkg::Options::=--force-confold",
        "postgresql",
        "postgresql-client",
    ];
    finish(
        Command::new("apt-get")
            .args(install)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1"),
    )?;
    match has_postgresql() {
        true => Ok(()),
        false => Err("postgresql is installed, but initdb is not found".to_owned()),
    }
}
