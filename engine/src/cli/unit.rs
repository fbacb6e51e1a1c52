//! `engine service`: the engine as a service of this machine, under systemd.
//!
//! The unit lets the process read its files and write its data, and nothing else. What it says of time-outs fits the
//! engine's own: a stop waits for the call that is out.

use std::path::{Path, PathBuf};

use app::AppError;

use super::Done;
use super::args::{Global, ServiceInstallArgs, ServicePlaceArgs};
use super::ask::confirmed;
use super::env::Environment;
use super::json::object;
use super::ledgers;
use super::out::Out;

/// Seconds in which a run that is asked to stop finishes: one call and its settlement.
const STOP: u32 = 330;
/// Seconds without a word after which the process is taken for dead.
const WATCHDOG: u32 = 120;

/// `engine service install`
pub(crate) fn install(
    args: ServiceInstallArgs,
    global: &Global,
    out: &Out,
    environment: &Environment,
) -> Done {
    let unit = unit(&args, global, environment)?;
    let path = place(&args.place, environment)?;
    if args.print {
        out.raw(&unit);
        return Ok(0);
    }
    if let Some(there) = std::fs::read_to_string(&path).ok().filter(|there| *there != unit) {
        let lines = there.lines().count();
        out.note(
            "service-replaces",
            &[("path", path.display().to_string()), ("lines", lines.to_string())],
        );
        if !confirmed(out, environment, args.yes)? {
            return Ok(1);
        }
    }
    let fail = |error: std::io::Error| AppError::File {
        path: path.display().to_string(),
        what: error.to_string(),
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(fail)?;
    }
    // What is not there when the service starts, it could not make: the rest of the disk is not its own.
    let data = ledgers::dir(&super::args::LedgerArgs::real(), global, environment)?;
    std::fs::create_dir_all(&data).map_err(fail)?;
    std::fs::write(&path, unit).map_err(fail)?;
    tell("service-installed", "installed", &args.place, &path, &data, out);
    Ok(0)
}

/// `engine service uninstall`
pub(crate) fn uninstall(args: ServicePlaceArgs, out: &Out, environment: &Environment) -> Done {
    let path = place(&args, environment)?;
    match std::fs::remove_file(&path) {
        Ok(()) => {
            tell(
                "service-uninstalled",
                "uninstalled",
                &args,
                &path,
                Path::new(""),
                out,
            );
            Ok(0)
        }
        Err(error) => Err(AppError::File {
            path: path.display().to_string(),
            what: error.to_string(),
        }),
    }
}

fn tell(said: &str, action: &str, args: &ServicePlaceArgs, path: &Path, data: &Path, out: &Out) {
    let path = path.display().to_string();
    if out.json {
        out.document(&object! {"schema" => "engine.service/1", "action" => action, "path" => path, "name" => args.name});
        return;
    }
    let manager = if args.user {
        "systemctl --user"
    } else {
        "systemctl"
    };
    out.say(
        said,
        &[
            ("path", path),
            ("data", data.display().to_string()),
            ("manager", manager.to_owned()),
            ("name", args.name.clone()),
        ],
    );
}

/// Where units stand.
fn place(args: &ServicePlaceArgs, environment: &Environment) -> Result<PathBuf, AppError> {
    if dsl::SafeName::parse(&args.name).is_none() {
        return Err(AppError::wrong_use(
            format!("--name {} 不可用:只用字母、数字、_ 和 -", args.name),
            format!(
                "--name {} cannot be used: letters, digits, _ and - only",
                args.name
            ),
        ));
    }
    let folder = match (
        args.user,
        environment.get("XDG_CONFIG_HOME"),
        environment.get("HOME"),
    ) {
        (false, ..) => PathBuf::from("/etc/systemd/system"),
        (true, Some(config), _) => Path::new(config).join("systemd/user"),
        (true, None, Some(home)) => Path::new(home).join(".config/systemd/user"),
        (true, None, None) => {
            return Err(AppError::wrong_use(
                "不知道主文件夹在哪里:设置 HOME",
                "it is not known where the home folder is: set HOME",
            ));
        }
    };
    Ok(folder.join(format!("{}.service", args.name)))
}

/// The unit.
fn unit(args: &ServiceInstallArgs, global: &Global, environment: &Environment) -> Result<String, AppError> {
    let absolute = |path: &Path| {
        std::path::absolute(path).map_err(|error| AppError::File {
            path: path.display().to_string(),
            what: error.to_string(),
        })
    };
    let here = absolute(Path::new("."))?;
    let program = std::env::current_exe().map_err(|error| AppError::bug(format!("no program: {error}")))?;
    let data = absolute(&ledgers::dir(
        &super::args::LedgerArgs::real(),
        global,
        environment,
    )?)?;
    // Secrets and sessions stand beside the data directory.
    let around = match &global.data_dir {
        Some(_) => data.clone(),
        None => data.parent().unwrap_or(&data).to_owned(),
    };
    let schemes = absolute(&args.schemes)?;
    let mut command = vec![
        quoted(&program.display().to_string()),
        "serve".to_owned(),
        "--schemes".to_owned(),
        quoted(&schemes.display().to_string()),
    ];
    if let Some(file) = &global.connections {
        command.extend([
            "--connections".to_owned(),
            quoted(&absolute(file)?.display().to_string()),
        ]);
    }
    if global.data_dir.is_some() {
        command.extend(["--data-dir".to_owned(), quoted(&data.display().to_string())]);
    }
    if let Some(env) = &global.env {
        command.extend(["--env".to_owned(), quoted(env)]);
    }
    if let Some(file) = &global.key_file {
        command.extend([
            "--key-file".to_owned(),
            quoted(&absolute(file)?.display().to_string()),
        ]);
    }
    let account = match (args.place.user, &args.account) {
        (true, _) => String::new(),
        (false, Some(account)) => format!("User={account}\n"),
        (false, None) => format!("User={}\n", args.place.name),
    };
    let wanted = if args.place.user {
        "default.target"
    } else {
        "multi-user.target"
    };
    // Below /home, /root and /run/user the file system would otherwise be hidden from the service.
    let homes = ["/home", "/root", "/run/user"];
    let at_home = [&here, &schemes, &around, &program]
        .iter()
        .any(|path| homes.iter().any(|home| path.starts_with(home)));
    let home = if args.place.user || at_home {
        "read-only"
    } else {
        "yes"
    };
    let path = |path: &Path| escaped(&path.display().to_string());
    Ok(format!(
        "# Written by `engine service install`. After a change: systemctl daemon-reload
[Unit]
Description=Integration scheme engine ({name})
Wants=network-online.target time-sync.target
# Windows, signatures and schedules are reckoned by the clock.
After=network-online.target time-sync.target
StartLimitIntervalSec=600
StartLimitBurst=10

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
WorkingDirectory={here}
EnvironmentFile=-{here}/.env
{account}UMask=0077
Restart=on-failure
RestartSec=5
# Ended by SIGTERM, after what was out was settled.
SuccessExitStatus=143
# Wrong use and a data directory in use do not mend themselves.
RestartPreventExitStatus=2 4
WatchdogSec={WATCHDOG}
# The first signal lets the call that is out finish and settle; its time-out is five minutes.
KillMode=mixed
TimeoutStopSec={STOP}
LimitNOFILE=65536
StateDirectory={name}

# It reads its files and writes its data, and nothing else.
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={around}
ReadWritePaths={schemes}
ProtectHome={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy={wanted}
",
        name = args.place.name,
        command = command.join(" "),
        here = path(&here),
        around = listed(&around)?,
        schemes = listed(&schemes)?,
    ))
}

/// A word of a command line as systemd reads it.
fn quoted(text: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "/_-.".contains(char);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let inner = escaped(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "$$");
    format!("\"{inner}\"")
}

/// A path in a list of paths, which need not be there. Between quotes nothing is an escape there, so that a path with both
/// kinds of them cannot be written.
fn listed(path: &Path) -> Result<String, AppError> {
    let text = escaped(&path.display().to_string());
    let quote = ['"', '\''].into_iter().find(|quote| !text.contains(*quote));
    let is_one_line = !text.contains(char::is_control);
    match quote.filter(|_| is_one_line) {
        Some(quote) => Ok(format!("{quote}-{text}{quote}")),
        None => Err(AppError::wrong_use(
            format!("systemd 写不了这个路径:{}", path.display()),
            format!("systemd cannot be told this path: {}", path.display()),
        )),
    }
}

/// A path as systemd reads it: `%` begins a specifier.
fn escaped(text: &str) -> String {
    text.replace('%', "%%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_as_systemd_reads_them() {
        for (text, want) in [
            ("/opt/engine", "/opt/engine"),
            ("/opt/my engine", "\"/opt/my engine\""),
            ("/opt/100%/$x", "\"/opt/100%%/$$x\""),
            ("a\"b\\c", "\"a\\\"b\\\\c\""),
            ("方案", "\"方案\""),
            ("", "\"\""),
        ] {
            assert_eq!(quoted(text), want);
        }
    }

    #[test]
    fn paths_of_a_list_are_quoted_as_systemd_reads_them() {
        for (path, want) in [
            ("/srv/engine", Some("\"-/srv/engine\"")),
            ("/srv/my schemes", Some("\"-/srv/my schemes\"")),
            ("/srv/100%", Some("\"-/srv/100%%\"")),
            ("/srv/方案\\x", Some("\"-/srv/方案\\x\"")),
            ("/srv/a\"b", Some("'-/srv/a\"b'")),
            ("/srv/a\"b'c", None),
            ("/srv/a\nUser=root", None),
        ] {
            assert_eq!(listed(Path::new(path)).ok().as_deref(), want, "{path}");
        }
    }
}
