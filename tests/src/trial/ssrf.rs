//! A23: nobody can lead the engine to an address that its connection does not name.
//!
//! Every request goes through the engine's own transport; what it connects to is seen at the socket. Where the kernel
//! permits it, the trial runs in a network of its own in which *every* address leads to its listener, so that a
//! connection to a metadata service or into a private network would succeed and be counted; elsewhere only loopback
//! addresses have a listener, and the rest is seen by the refusal alone. No packet leaves the machine either way.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use transport::{AllowList, Client, Found, Lookup, Reason, Request, Settings, Timeouts};

use super::named::{Given, Say};

/// Makes every address of both families lead to this machine, in a network that nothing else is in.
const ALONE: &str = "ip link set lo up && ip route add local 0.0.0.0/0 dev lo && \
                     ip -6 route add local ::/0 dev lo && exec \"$0\" ssrf";

/// The figure.
pub fn run(_given: &Given, _say: Say<'_>) -> Result<String, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    if program.file_stem().is_some_and(|stem| stem == "trial") {
        let alone = Command::new("unshare")
            .args(["-rn", "sh", "-c", ALONE])
            .arg(&program)
            .output();
        // Without `unshare`, `ip` or the right to a network of one's own, the rest is still worth having.
        if let Ok(output) = alone
            && let Some(line) = String::from_utf8_lossy(&output.stdout).lines().next()
        {
            return match line.split_once(": ") {
                Some(("held", figure)) => Ok(figure.to_owned()),
                _ => Err(line.to_owned()),
            };
        }
    }
    corpus(Scope::Loopback)
}

/// The same inside of that network; says `held: ` and the figure, or what broke.
pub fn inside(say: Say<'_>) -> Result<(), String> {
    let figure = corpus(Scope::Everywhere);
    say(match &figure {
        Ok(figure) => format!("held: {figure}"),
        Err(why) => format!("broken: {why}"),
    });
    figure.map(drop)
}

/// Which addresses have a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// 127.0.0.0/8 and `::1`.
    Loopback,
    /// All.
    Everywhere,
}

/// Runs the whole corpus.
pub fn corpus(scope: Scope) -> Result<String, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let watch = Watch::start().await.map_err(|error| error.to_string())?;
        let mut trial = Trial {
            watch,
            scope,
            blocked: 0,
            reached: 0,
            broken: Vec::new(),
        };
        trial.literals().await;
        trial.names().await;
        trial.rebinding().await;
        trial.redirects().await;
        trial.done()
    })
}

/// Addresses that no connection of the corpus names.
const V4: [[u8; 4]; 9] = [
    [127, 0, 0, 1],
    [127, 3, 2, 1],
    [0, 0, 0, 0],
    [10, 0, 0, 7],
    [172, 16, 0, 1],
    [192, 168, 1, 1],
    [100, 64, 0, 1],
    [169, 254, 169, 254],
    [100, 100, 100, 200],
];
const V6: [&str; 14] = [
    "::1",
    "::",
    "fe80::1",
    "fec0::1",
    "fc00::1",
    "fd12:3456::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "2001::7f00:1",
    "64:ff9b:1::1",
    "::ffff:0:7f00:1",
    "2001:db8::5efe:7f00:1",
    "ff02::1",
    "ff0e::1",
];

/// Never reached, whatever a list says.
fn is_never(address: IpAddr) -> bool {
    let text = address.to_canonical().to_string();
    !(text.starts_with("127.")
        || text.starts_with("10.")
        || text.starts_with("172.16.")
        || text.starts_with("192.168.")
        || text.starts_with("100.64.")
        || ["::1", "fc00::1", "fd12:3456::1"].contains(&text.as_str()))
}

/// Reached by name where the connection says that it lives in a private network.
fn is_private(address: IpAddr) -> bool {
    let text = address.to_canonical().to_string();
    ["10.", "172.16.", "192.168.", "fc00::1", "fd12:"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// Every spelling of one IPv4 address as the host of a URL.
fn spellings([a, b, c, d]: [u8; 4]) -> Vec<String> {
    let whole = u32::from_be_bytes([a, b, c, d]);
    let low = |bits: u32| whole & ((1 << bits) - 1);
    let dotted = format!("{a}.{b}.{c}.{d}");
    let (high, rest) = (whole >> 16, whole & 0xffff);
    let wide: String = dotted
        .chars()
        .map(|char| match char.to_digit(10) {
            Some(digit) => char::from_u32(0xff10 + digit).unwrap_or(char),
            None => char,
        })
        .collect();
    let encoded: String = dotted.bytes().map(|byte| format!("%{byte:02x}")).collect();
    vec![
        dotted.clone(),
        format!("{dotted}."),
        whole.to_string(),
        format!("{whole:#x}"),
        format!("0X{whole:X}"),
        format!("0{whole:o}"),
        format!("{a}.{}", low(24)),
        format!("{a}.{b}.{}", low(16)),
        format!("{a:#x}.{b:#x}.{c:#x}.{d:#x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.{b:#x}.{}", low(16)),
        dotted.replace('.', "\u{3002}"),
        dotted.replace('.', "\u{ff0e}"),
        wide,
        encoded,
        format!("[::ffff:{dotted}]"),
        format!("[0:0:0:0:0:ffff:{high:x}:{rest:x}]"),
        format!("[::{dotted}]"),
        format!("[64:ff9b::{high:x}:{rest:x}]"),
        format!("[2002:{high:x}:{rest:x}::]"),
        format!("[::ffff:0:{high:x}:{rest:x}]"),
        format!("[2001:db8::5efe:{dotted}]"),
        format!("erp.example.com@{dotted}"),
        format!("erp.example.com%40{dotted}"),
        format!("erp.example.com:80@{dotted}"),
        format!("{dotted}#@erp.example.com"),
        format!("{dotted}\\@erp.example.com"),
        format!("{dotted}\t"),
    ]
}

struct Trial {
    watch: Watch,
    scope: Scope,
    blocked: u64,
    reached: u64,
    broken: Vec<String>,
}

/// What a request must come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Want {
    Nothing,
    Reach(IpAddr),
}

impl Trial {
    /// Addresses in the request itself, which no resolver sees.
    async fn literals(&mut self) {
        let name = list(&["erp.example.com", "*.example.com", "203.0.113.5"]);
        let all = list(&["0.0.0.0/0", "::/0", "erp.example.com"]);
        let client = client(Answers::default());
        let hosts = V4.iter().flat_map(|address| {
            let spelt = spellings(*address).into_iter();
            spelt.map(|host| (host, IpAddr::from(Ipv4Addr::from(*address))))
        });
        let sixes = V6.iter().filter_map(|text| {
            let address: Ipv6Addr = text.parse().ok()?;
            Some((format!("[{text}]"), IpAddr::from(address)))
        });
        for (host, address) in hosts.chain(sixes) {
            for allow in [&name, &name.clone().private_network(true)] {
                self.send(&client, &host, allow, Want::Nothing).await;
            }
            // A list that names everything does not name these, nor any address that is wrapped up in another.
            let wrapped = host.starts_with('[') && address.is_ipv4() && !host.contains(":ffff:");
            if is_never(address) || wrapped && !host.contains("::ffff") {
                self.send(&client, &host, &all, Want::Nothing).await;
            }
        }
        let here = list(&["127.0.0.1"]);
        for host in ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"] {
            let want = Want::Reach(Ipv4Addr::LOCALHOST.into());
            self.send(&client, host, &here, want).await;
        }
    }

    /// Names that somebody made resolve to where nobody may go.
    async fn names(&mut self) {
        let fours = V4.iter().map(|bytes| IpAddr::from(Ipv4Addr::from(*bytes)));
        let mapped = V4
            .iter()
            .map(|bytes| IpAddr::from(Ipv4Addr::from(*bytes).to_ipv6_mapped()));
        let sixes = V6.iter().filter_map(|text| text.parse().ok());
        let public = IpAddr::from(Ipv4Addr::new(8, 8, 8, 8));
        let here = IpAddr::from(Ipv4Addr::LOCALHOST);
        for address in fours.chain(mapped).chain(sixes) {
            let client = client(Answers::of(&[&[address]]));
            let list = list(&["erp.example.com"]);
            self.send(&client, "erp.example.com", &list, Want::Nothing).await;
            self.send(&client, "ERP.example.com.", &list, Want::Nothing).await;
            let inside = list.private_network(true);
            match (is_private(address), self.scope) {
                (false, _) => {
                    self.send(&client, "erp.example.com", &inside, Want::Nothing)
                        .await
                }
                (true, Scope::Everywhere) => {
                    let want = Want::Reach(address.to_canonical());
                    self.send(&client, "erp.example.com", &inside, want).await;
                }
                (true, Scope::Loopback) => {}
            }
            // Beside an address that is permitted only that one is tried.
            let (good, names) = match self.scope {
                Scope::Everywhere => (public, &["erp.example.com"][..]),
                Scope::Loopback => (here, &["erp.example.com", "127.0.0.1"][..]),
            };
            if address.to_canonical() != good {
                let client = self::client(Answers::of(&[&[address, good]]));
                let list = self::list(names);
                self.send(&client, "erp.example.com", &list, Want::Reach(good))
                    .await;
            }
        }
    }

    /// A name that is harmless when it is asked first.
    async fn rebinding(&mut self) {
        let good = match self.scope {
            Scope::Everywhere => IpAddr::from(Ipv4Addr::new(8, 8, 8, 8)),
            Scope::Loopback => IpAddr::from(Ipv4Addr::LOCALHOST),
        };
        let names: &[&str] = match self.scope {
            Scope::Everywhere => &["erp.example.com"],
            Scope::Loopback => &["erp.example.com", "127.0.0.1"],
        };
        let list = list(names);
        let fours = V4.iter().map(|bytes| IpAddr::from(Ipv4Addr::from(*bytes)));
        for bad in fours.filter(|bad| *bad != good) {
            let client = client(Answers::of(&[&[good], &[bad], &[good], &[bad, bad], &[good]]));
            for want in [
                Want::Reach(good),
                Want::Nothing,
                Want::Reach(good),
                Want::Nothing,
                Want::Reach(good),
            ] {
                self.send(&client, "erp.example.com", &list, want).await;
            }
        }
    }

    /// An answer that points elsewhere is an answer.
    async fn redirects(&mut self) {
        let here = Ipv4Addr::LOCALHOST;
        let list = list(&["127.0.0.1", "erp.example.com"]).private_network(true);
        let client = client(Answers::of(&[&[here.into()]]));
        for status in ["301", "302", "303", "307", "308"] {
            for bytes in V4 {
                for host in spellings(bytes).into_iter().take(4) {
                    let port = self.watch.port;
                    *self.watch.says.lock().expect(ALONE_IN_IT) =
                        format!("HTTP/1.1 {status} Elsewhere\r\nlocation: http://{host}:{port}/latest/\r\n");
                    // It arrives where it was sent, and nowhere else.
                    self.send(&client, "127.0.0.1", &list, Want::Reach(here.into()))
                        .await;
                }
            }
        }
        *self.watch.says.lock().expect(ALONE_IN_IT) = PLAIN.to_owned();
    }

    async fn send(&mut self, client: &Client, host: &str, allow: &AllowList, want: Want) {
        let before = self.watch.seen().len();
        let port = self.watch.port;
        // The port stands behind the authority, wherever that ends.
        let url = match host.find(['#', '\\', '\t']) {
            Some(at) => format!("http://{}:{port}{}/", &host[..at], &host[at..]),
            None => format!("http://{host}:{port}/"),
        };
        let second = Duration::from_secs(2);
        let sent = client
            .send(Request {
                method: "GET",
                url: &url,
                headers: &[],
                body: Vec::new(),
                timeouts: Timeouts {
                    connect: second,
                    first_byte: second,
                    idle: second,
                    total: second,
                },
                read_cap: 1 << 16,
                gzip: false,
                allow,
            })
            .await;
        let seen = self.watch.seen()[before..].to_vec();
        let held = match want {
            Want::Nothing => {
                self.blocked += 1;
                let refused = sent
                    .as_ref()
                    .err()
                    .is_some_and(|error| matches!(error.reason, Reason::NotAllowed | Reason::BadRequest));
                refused && seen.is_empty()
            }
            Want::Reach(address) => {
                self.reached += 1;
                sent.is_ok() && seen == [address]
            }
        };
        if !held {
            let why = sent
                .map(|answer| answer.status)
                .map_err(|error| error.to_string());
            self.broken.push(format!(
                "{url:?} {allow:?}: wanted {want:?}, {why:?}, connected to {seen:?}"
            ));
        }
    }

    fn done(self) -> Result<String, String> {
        if !self.broken.is_empty() {
            return Err(self.broken.join("\n"));
        }
        let listeners = match self.scope {
            Scope::Everywhere => "every address has a listener",
            Scope::Loopback => "loopback addresses have a listener",
        };
        Ok(format!(
            "{} requests to blocked addresses, 0 connections; {} to permitted ones, each connected where it may ({listeners})",
            self.blocked, self.reached
        ))
    }
}

fn list(entries: &[&str]) -> AllowList {
    AllowList::parse(entries)
        .expect("entries of the corpus are good")
        .plain_http(true)
}

fn client(answers: Answers) -> Client {
    Client::new(Settings {
        lookup: Arc::new(answers),
        ..Settings::default()
    })
    .expect("the settings of the corpus are good")
}

/// A resolver that gives its answers in turn, and the last one for ever.
#[derive(Default)]
struct Answers(Mutex<HashMap<String, usize>>, Vec<Vec<IpAddr>>);

impl Answers {
    fn of(answers: &[&[IpAddr]]) -> Self {
        Answers(Mutex::default(), answers.iter().map(|one| one.to_vec()).collect())
    }
}

impl Lookup for Answers {
    fn lookup<'a>(&'a self, host: &'a str) -> Found<'a> {
        let mut asked = self.0.lock().expect(ALONE_IN_IT);
        let nth = asked.entry(host.to_owned()).or_default();
        let found = self.1.get(*nth).or(self.1.last()).cloned();
        *nth += 1;
        Box::pin(async move { found.ok_or_else(|| io::Error::other("no such name")) })
    }
}

const ALONE_IN_IT: &str = "nobody panics while holding it";
const PLAIN: &str = "HTTP/1.1 200 OK\r\n";

/// A listener at every address that leads to this machine, and which of them were connected to.
struct Watch {
    port: u16,
    seen: Arc<Mutex<Vec<IpAddr>>>,
    says: Arc<Mutex<String>>,
}

impl Watch {
    async fn start() -> io::Result<Self> {
        let listener = match TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).await {
            Ok(both) => both,
            Err(_) => TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?,
        };
        let watch = Watch {
            port: listener.local_addr()?.port(),
            seen: Arc::default(),
            says: Arc::new(Mutex::new(PLAIN.to_owned())),
        };
        let (seen, says) = (Arc::clone(&watch.seen), Arc::clone(&watch.says));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                if let Ok(here) = stream.local_addr() {
                    seen.lock().expect(ALONE_IN_IT).push(here.ip().to_canonical());
                }
                let says = says.lock().expect(ALONE_IN_IT).clone();
                tokio::spawn(async move {
                    let mut head = [0; 4096];
                    let _read = stream.read(&mut head).await;
                    let answer = format!("{says}content-length: 0\r\nconnection: close\r\n\r\n");
                    let _sent = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Ok(watch)
    }

    fn seen(&self) -> Vec<IpAddr> {
        self.seen.lock().expect(ALONE_IN_IT).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_leads_us_astray() {
        let figure = corpus(Scope::Loopback).unwrap_or_else(|why| panic!("{why}"));
        assert!(figure.contains("0 connections"), "{figure}");
    }
}
