//! The database servers that the tests start for themselves, and the programs that judge what is shipped for operators:
//! only the programs are needed here, and they are installed from Debian's packages when they are missing.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::finish;
use crate::{Place, oracle};

/// Makes sure of them. Other systems than Linux have no such tests.
pub(crate) fn for_tests(place: &Place) -> Result<(), String> {
    if cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    oracle::installed()?;
    postgresql()?;
    systemd()?;
    promtool(place)
}

/// `systemd-analyze verify` reads the unit that `engine service` writes.
fn systemd() -> Result<(), String> {
    if Path::new("/usr/bin/systemd-analyze").is_file() {
        return Ok(());
    }
    println!("installing systemd");
    let root = |why: String| format!("no systemd-analyze; as root: apt-get install systemd ({why})");
    finish(Command::new("apt-get").args(["update", "--quiet"])).map_err(root)?;
    let install = [
        "install",
        "--quiet",
        "--yes",
        "--no-install-recommends",
        "systemd",
    ];
    finish(
        Command::new("apt-get")
            .args(install)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("RUNLEVEL", "1"),
    )
    .map_err(root)
}

/// `promtool` judges the alert rules. It is taken out of its package into the build folder: installed, the package would
/// start a Prometheus on this machine.
fn promtool(place: &Place) -> Result<(), String> {
    let folder = place.target.join("tools");
    let there = |path: PathBuf| path.is_file();
    if there(folder.join("promtool")) || there(PathBuf::from("/usr/bin/promtool")) {
        return Ok(());
    }
    println!("unpacking promtool");
    let failed = |why: String| format!("no promtool; put Prometheus's promtool into the PATH ({why})");
    let io = |error: std::io::Error| failed(error.to_string());
    let unpacked = folder.join("prometheus");
    // What an earlier attempt left behind.
    drop(std::fs::remove_dir_all(&unpacked));
    std::fs::create_dir_all(&unpacked).map_err(io)?;
    let packages = || -> Result<Vec<PathBuf>, std::io::Error> {
        let entries = std::fs::read_dir(&unpacked)?.collect::<Result<Vec<_>, _>>()?;
        let paths = entries.into_iter().map(|entry| entry.path());
        Ok(paths
            .filter(|path| path.extension().is_some_and(|end| end == "deb"))
            .collect())
    };
    let download = || {
        finish(
            Command::new("apt-get")
                .args(["download", "--quiet", "prometheus"])
                .current_dir(&unpacked),
        )
    };
    // The lists of packages may be missing or old.
    if download().is_err() {
        finish(Command::new("apt-get").args(["update", "--quiet"])).map_err(failed)?;
        download().map_err(failed)?;
    }
    let package = packages().map_err(io)?.pop();
    let package = package.ok_or_else(|| failed("nothing was downloaded".to_owned()))?;
    finish(
        Command::new("dpkg-deb")
            .arg("--extract")
            .arg(&package)
            .arg(&unpacked),
    )
    .map_err(failed)?;
    std::fs::rename(unpacked.join("usr/bin/promtool"), folder.join("promtool")).map_err(io)?;
    std::fs::remove_dir_all(&unpacked).map_err(io)
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
