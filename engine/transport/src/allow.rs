//! Where a request may go.
//!
//! Two questions, asked apart: may this *host* be called (the connection names it), and may this *address* be
//! connected to (what the name resolves to just now). A name that is allowed but resolves to a private address
//! is refused unless that address is written in the list itself, so that whoever controls a DNS zone cannot
//! point the engine into the company's network. Some addresses are never reached, listed or not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use reqwest::Url;

/// The hosts and addresses one connection may call. An empty list allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AllowList {
    entries: Vec<Entry>,
    plain_http: bool,
    private_network: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Entry {
    host: HostRule,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum HostRule {
    Name(String),
    /// `*.example.com`: any name below it, not itself.
    Below(String),
    /// An address, or a block of them.
    Block {
        base: IpAddr,
        bits: u8,
    },
}

/// An entry of an allow-list that says nothing this module understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadEntry {
    /// The entry as written.
    pub entry: String,
}

impl std::fmt::Display for BadEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` is not a host, `*.domain`, host:port, address, address block or http(s) address",
            // Somebody may have written a user name and a password into it.
            self.entry.rsplit('@').next().unwrap_or_default()
        )
    }
}

impl std::error::Error for BadEntry {}

impl AllowList {
    /// Reads entries: `erp.example.com`, `erp.example.com:8443`, `*.example.com`, `10.0.0.7`, `10.1.0.0/16`,
    /// `[::1]:7070`, or a whole address such as `https://erp.example.com/k3cloud/`, of which host and port count.
    ///
    /// ```
    /// let list = transport::AllowList::parse(["https://erp.example.com/k3cloud/", "10.0.0.7"])?;
    /// assert!(list.permits("https://erp.example.com/k3cloud/x").is_ok());
    /// assert!(list.permits("https://evil.example.com/").is_err());
    /// # Ok::<(), transport::BadEntry>(())
    /// ```
    pub fn parse<S: AsRef<str>>(entries: impl IntoIterator<Item = S>) -> Result<Self, BadEntry> {
        let entries = entries
            .into_iter()
            .map(|text| {
                Entry::parse(text.as_ref().trim()).ok_or_else(|| BadEntry {
                    entry: text.as_ref().to_owned(),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            entries,
            plain_http: false,
            private_network: false,
        })
    }

    /// Permits `http://` to hosts other than the loopback and private addresses written in the list.
    #[must_use]
    pub fn plain_http(mut self, permitted: bool) -> Self {
        self.plain_http = permitted;
        self
    }

    /// Permits host names of the list to lead into a private network (RFC 1918 and unique local addresses), where many
    /// an ERP stands. Loopback, link-local and metadata addresses stay what they are.
    #[must_use]
    pub fn private_network(mut self, permitted: bool) -> Self {
        self.private_network = permitted;
        self
    }

    /// May this address be called, as far as its text tells? What a name resolves to is asked at connecting.
    pub fn permits(&self, url: &str) -> Result<(), Refusal> {
        let url = Url::parse(url).map_err(|_| Refusal::Unlisted { host: String::new() })?;
        self.permits_url(&url)
    }

    pub(crate) fn permits_url(&self, url: &Url) -> Result<(), Refusal> {
        let host = host_text(url);
        let port = url.port_or_known_default();
        let address = host.parse::<IpAddr>().ok();
        if let Some(address) = address {
            self.permits_address(address)?;
        }
        let listed = self.entries.iter().any(|entry| {
            entry.port.is_none_or(|wanted| Some(wanted) == port)
                && match address {
                    Some(address) => entry.host.covers(address),
                    None => entry.host.names(&host),
                }
        });
        if !listed {
            return Err(Refusal::Unlisted { host });
        }
        if url.scheme() != "https" && !self.plain_http && !is_near(&host, address) {
            return Err(Refusal::PlainHttp { host });
        }
        Ok(())
    }

    /// May a connection be made to this address?
    pub fn permits_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let address = address.to_canonical();
        match Reach::of(address) {
            Reach::Public => Ok(()),
            Reach::Never => Err(Refusal::Blocked {
                address,
                why: "never reached from here",
            }),
            Reach::Near | Reach::Private if self.entries.iter().any(|entry| entry.host.covers(address)) => {
                Ok(())
            }
            Reach::Private if self.private_network => Ok(()),
            Reach::Private => Err(Refusal::Blocked {
                address,
                why: "a private address needs `private_network: true` in the connection, or must be listed itself",
            }),
            Reach::Near => Err(Refusal::Blocked {
                address,
                why: "a loopback or shared address must be listed itself",
            }),
        }
    }
}

/// Why an allow-list refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The host (with this port) is not in the list.
    Unlisted {
        /// The host of the request.
        host: String,
    },
    /// `http://` without permission for it.
    PlainHttp {
        /// The host of the request.
        host: String,
    },
    /// The address may not be reached.
    Blocked {
        /// The address, in canonical form.
        address: IpAddr,
        /// Which rule forbids it.
        why: &'static str,
    },
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Unlisted { host } => {
                write!(f, "host `{host}` is not among the hosts of this connection")
            }
            Refusal::PlainHttp { host } => {
                write!(
                    f,
                    "plain http to `{host}` needs allow_plain_http in the connection"
                )
            }
            Refusal::Blocked { address, why } => write!(f, "address {address} is blocked: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// How far an address is from us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Public,
    /// Private networks: when written in the list, or when the connection says that it lives in one.
    Private,
    /// Loopback, shared by carriers, benchmarks: only when written in the list.
    Near,
    /// Unspecified, link-local, cloud metadata, multicast, reserved, tunnels that hide a target.
    Never,
}

/// Metadata services of clouds that do not sit on 169.254/16: Alibaba, Oracle, Azure.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(192, 0, 0, 192),
    Ipv4Addr::new(168, 63, 129, 16),
];

/// Amazon's and Google's metadata services in unique local space.
const METADATA_V6: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

impl Reach {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    fn of_v4(v4: Ipv4Addr) -> Self {
        let [a, b, ..] = v4.octets();
        if a == 0 || v4.is_link_local() || v4.is_multicast() || a >= 240 || METADATA_V4.contains(&v4) {
            Reach::Never
        } else if v4.is_private() {
            Reach::Private
        } else if v4.is_loopback()
            || (a == 100 && (64..128).contains(&b)) // carrier-grade NAT
            || (a == 198 && (b & 0xfe) == 18) // benchmarks; also what local proxies answer with
            || (a == 192 && b == 0 && v4.octets()[2] == 0)
        {
            Reach::Near
        } else {
            Reach::Public
        }
    }

    fn of_v6(v6: Ipv6Addr) -> Self {
        let s = v6.segments();
        let embedded = |high: u16, low: u16| {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            // A public address behind a translator is public; anything else could not have been listed in
            // this form, so it is not reached at all.
            match Self::of_v4(Ipv4Addr::new(a, b, c, d)) {
                Reach::Public => Reach::Public,
                Reach::Private | Reach::Near | Reach::Never => Reach::Never,
            }
        };
        if v6.is_loopback() {
            Reach::Near
        } else if v6.is_unspecified()
            || v6.is_multicast()
            || (s[0] & 0xffc0) == 0xfe80 // link-local
            || (s[0] & 0xffc0) == 0xfec0 // site-local, long withdrawn
            || (s[0] == 0x2001 && s[1] == 0) // Teredo hides its target
            || (s[0] == 0x64 && s[1] == 0xff9b && s[2] == 1) // NAT64 of a private network
            || METADATA_V6.contains(&v6)
        {
            Reach::Never
        } else if (s[0] & 0xfe00) == 0xfc00 {
            Reach::Private
        } else if s[0] == 0x64 && s[1] == 0xff9b || s[..6] == [0; 6] {
            embedded(s[6], s[7]) // NAT64, and the old "compatible" form
        } else if s[0] == 0x2002 {
            embedded(s[1], s[2]) // 6to4
        } else if s[..6] == [0, 0, 0, 0, 0xffff, 0] || (s[4] & 0xfdff == 0 && s[5] == 0x5efe) {
            embedded(s[6], s[7]) // translated (SIIT), and ISATAP behind any prefix
        } else {
            Reach::Public
        }
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some((base, bits)) = text.split_once('/')
            && let Ok(base) = base.parse::<IpAddr>()
        {
            let longest = if base.is_ipv4() { 32 } else { 128 };
            let bits = bits.parse::<u8>().ok().filter(|bits| *bits <= longest)?;
            return Some(Self {
                host: HostRule::Block { base, bits },
                port: None,
            });
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self {
                host: HostRule::one(address),
                port: None,
            });
        }
        if let Some(domain) = text.strip_prefix("*.") {
            let Entry {
                host: HostRule::Name(domain),
                port,
            } = Self::parse(domain)?
            else {
                return None;
            };
            return Some(Self {
                host: HostRule::Below(domain),
                port,
            });
        }
        let whole = text.starts_with("http://") || text.starts_with("https://");
        if !whole && text.contains('/') {
            return None;
        }
        let url = Url::parse(&if whole {
            text.to_owned()
        } else {
            format!("http://{text}")
        })
        .ok()?;
        if !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let host = host_text(&url);
        let port = if whole {
            url.port_or_known_default()
        } else {
            // `Url` drops `:80` as the scheme's default; here it was written on purpose.
            url.port().or_else(|| text.ends_with(":80").then_some(80))
        };
        let host = match host.parse::<IpAddr>() {
            Ok(address) => HostRule::one(address),
            Err(_) if host.is_empty() || host.contains('*') => return None,
            Err(_) => HostRule::Name(host),
        };
        Some(Self { host, port })
    }
}

impl HostRule {
    fn one(address: IpAddr) -> Self {
        let base = address.to_canonical();
        HostRule::Block {
            base,
            bits: if base.is_ipv4() { 32 } else { 128 },
        }
    }

    fn names(&self, host: &str) -> bool {
        match self {
            HostRule::Name(name) => name == host,
            HostRule::Below(domain) => host
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')),
            HostRule::Block { .. } => false,
        }
    }

    /// `localhost` is the one name that is an address written literally.
    fn covers(&self, address: IpAddr) -> bool {
        match self {
            HostRule::Name(name) => name == "localhost" && address.is_loopback(),
            HostRule::Below(_) => false,
            HostRule::Block { base, bits } => match (base, address.to_canonical()) {
                (IpAddr::V4(base), IpAddr::V4(address)) => {
                    let shift = 32 - u32::from(*bits);
                    u32::from(*base).checked_shr(shift) == u32::from(address).checked_shr(shift)
                }
                (IpAddr::V6(base), IpAddr::V6(address)) => {
                    let shift = 128 - u32::from(*bits);
                    u128::from(*base).checked_shr(shift) == u128::from(address).checked_shr(shift)
                }
                _ => false,
            },
        }
    }
}

/// The host as it is compared: lower case (the parser has seen to it), no brackets, no closing dot.
fn host_text(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.strip_suffix('.').unwrap_or(host).to_owned()
}

fn is_near(host: &str, address: Option<IpAddr>) -> bool {
    let near = |address| matches!(Reach::of(address), Reach::Near | Reach::Private);
    host == "localhost" || address.is_some_and(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(entries: &[&str], url: &str, want: bool) {
        let list = AllowList::parse(entries).expect("entries of the table are good");
        assert_eq!(
            list.permits(url).is_ok(),
            want,
            "{entries:?} {url}: {:?}",
            list.permits(url)
        );
    }

    #[test]
    fn hosts() {
        check(&[], "https://erp.example.com/", false);
        check(&["erp.example.com"], "https://erp.example.com/x", true);
        check(&["erp.example.com"], "https://ERP.example.com./x", true);
        check(&["erp.example.com"], "https://erp.example.com:8443/x", true);
        check(&["erp.example.com:8443"], "https://erp.example.com/x", false);
        check(
            &["https://erp.example.com/k3cloud/"],
            "https://erp.example.com/other",
            true,
        );
        check(
            &["https://erp.example.com/k3cloud/"],
            "https://erp.example.com:444/",
            false,
        );
        check(&["erp.example.com"], "https://erp.example.com.evil.net/", false);
        check(&["erp.example.com"], "https://erp.example.com@evil.net/", false);
        check(&["*.example.com"], "https://a.b.example.com/", true);
        check(&["*.example.com"], "https://example.com/", false);
        check(&["*.example.com"], "https://evilexample.com/", false);
        check(&["客户.example.com"], "https://客户.example.com/", true);
    }

    #[test]
    fn plain_http_needs_a_word() {
        check(&["erp.example.com"], "http://erp.example.com/", false);
        check(&["10.0.0.7"], "http://10.0.0.7/", true);
        check(&["127.0.0.1:7070"], "http://127.0.0.1:7070/", true);
        check(&["localhost"], "http://localhost:7070/", true);
        let list = AllowList::parse(["erp.example.com"]).unwrap().plain_http(true);
        assert!(list.permits("http://erp.example.com/").is_ok());
    }

    /// Every spelling of a forbidden address, as a literal in the request; the list names only a public host.
    #[test]
    fn literals_that_are_refused() {
        for host in [
            "127.0.0.1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0177.0.0.1",
            "0.0.0.0",
            "0",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:169.254.169.254]",
            "[::127.0.0.1]",
            "[64:ff9b::10.0.0.1]",
            "[64:ff9b:1::1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[::ffff:0:127.0.0.1]",
            "[2001:db8::5efe:10.0.0.1]",
            "[2001:db8::200:5efe:127.0.0.1]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[fc00::1]",
            "[ff02::1]",
        ] {
            check(
                &["erp.example.com", "203.0.114.5"],
                &format!("https://{host}/"),
                false,
            );
        }
    }

    #[test]
    fn private_addresses_when_listed() {
        for (entry, address, want) in [
            ("10.0.0.7", "10.0.0.7", true),
            ("10.0.0.7", "10.0.0.8", false),
            ("10.0.0.7", "::ffff:10.0.0.7", true),
            ("10.0.0.0/8", "10.9.9.9", true),
            ("0.0.0.0/0", "10.9.9.9", true),
            ("0.0.0.0/0", "169.254.169.254", false),
            ("169.254.169.254", "169.254.169.254", false),
            ("100.100.100.200", "100.100.100.200", false),
            ("::/0", "fd00:ec2::254", false),
            ("::/0", "fd12::1", true),
            ("fd12::/16", "fd12::1", true),
            ("localhost", "127.0.0.1", true),
            ("localhost", "::1", true),
            ("localhost", "10.0.0.1", false),
            ("erp.example.com", "10.0.0.1", false),
            ("erp.example.com", "8.8.8.8", true),
        ] {
            let list = AllowList::parse([entry]).unwrap();
            let got = list.permits_address(address.parse().unwrap()).is_ok();
            assert_eq!(got, want, "{entry} {address}");
        }
    }

    #[test]
    fn a_private_network_is_no_more_than_that() {
        let list = AllowList::parse(["erp.example.com"])
            .unwrap()
            .private_network(true);
        for (address, want) in [
            ("10.0.0.1", true),
            ("172.31.255.255", true),
            ("192.168.1.1", true),
            ("::ffff:10.0.0.1", true),
            ("fd12::1", true),
            ("fc00::1", true),
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("::1", false),
            ("0.0.0.0", false),
            ("::", false),
            ("172.32.0.1", true), // public
            ("100.64.0.1", false),
            ("198.18.0.1", false),
            ("192.0.0.8", false),
            ("169.254.169.254", false),
            ("::ffff:169.254.169.254", false),
            ("100.100.100.200", false),
            ("168.63.129.16", false),
            ("fd00:ec2::254", false),
            ("fd20:ce::254", false),
            ("fe80::1", false),
            ("64:ff9b::10.0.0.1", false),
            ("2002:a00:1::", false),
            ("::10.0.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
        ] {
            assert_eq!(
                list.permits_address(address.parse().unwrap()).is_ok(),
                want,
                "{address}"
            );
        }
        // Names of the list, not addresses of a request.
        for url in [
            "https://10.0.0.1/",
            "https://[fd12::1]/",
            "https://lan.example.com/",
        ] {
            assert!(list.permits(url).is_err(), "{url}");
        }
        assert!(
            list.permits("http://erp.example.com/").is_err(),
            "plain http needs its own word"
        );
    }

    #[test]
    fn entries_that_say_nothing() {
        for entry in [
            "",
            "a b",
            "10.0.0.0/33",
            "*.",
            "*",
            "erp.example.com/path",
            "ftp://x/",
            "https://u:p@erp.example.com/",
        ] {
            assert!(AllowList::parse([entry]).is_err(), "{entry}");
        }
    }
}
