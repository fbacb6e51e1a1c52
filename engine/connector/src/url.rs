//! Addresses: taken apart far enough to say where a call goes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::sql::Driver;

/// An http or https address of a server, or that of a database: no user, query or fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) https: bool,
    /// In lower case; an IPv6 address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Begins and ends with `/`.
    pub(crate) path: String,
    /// What speaks there, where it is a database.
    pub(crate) driver: Option<Driver>,
    /// The database on its server, or the path of a file.
    pub(crate) database: String,
}

impl Server {
    /// Takes an address apart, or says in two languages what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Server, (&'static str, &'static str)> {
        if let Some((word, rest)) = text.split_once(':')
            && let Some(driver) = Driver::parse(word)
        {
            return Server::of_database(driver, rest);
        }
        let (https, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => {
                return Err((
                    "要以 http:// 或 https:// 开头",
                    "it must begin with http:// or https://",
                ));
            }
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (host, port) = authority_parts(authority).ok_or(("主机或端口不对", "host or port is wrong"))?;
        if path_fault(path).is_some() {
            return Err((
                "路径里有不允许的字符",
                "the path has characters that are not allowed",
            ));
        }
        let mut path = if path.is_empty() {
            "/".to_owned()
        } else {
            path.to_owned()
        };
        if !path.ends_with('/') {
            path.push('/');
        }
        Ok(Server {
            https,
            host,
            port: port.unwrap_or(if https { 443 } else { 80 }),
            path,
            driver: None,
            database: String::new(),
        })
    }

    /// `mysql://host:3306/erp`, or `sqlite:` and a path. What is not on this machine is spoken to under encryption.
    fn of_database(driver: Driver, rest: &str) -> Result<Server, (&'static str, &'static str)> {
        let mut server = Server {
            https: false,
            host: "localhost".to_owned(),
            port: 0,
            path: "/".to_owned(),
            driver: Some(driver),
            database: rest.to_owned(),
        };
        if matches!(driver, Driver::Sqlite | Driver::Files) {
            return match rest.is_empty() || rest.contains('\0') {
                true => Err(("缺少文件路径", "there is no path of a file")),
                false => Ok(server),
            };
        }
        let rest = rest.strip_prefix("//").ok_or((
            "要写成 驱动://主机:端口/库名",
            "write driver://host:port/database",
        ))?;
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = authority_parts(authority).ok_or(("主机或端口不对", "host or port is wrong"))?;
        let database = database.trim_end_matches('/');
        let named = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-' | '$' | '.');
        if database.is_empty() || !database.chars().all(named) {
            return Err((
                "主机之后要写 /库名,只能有字母、数字和 _ - $ .",
                "write /database behind the host: letters, digits and _ - $ .",
            ));
        }
        server.host = host;
        server.port = port.unwrap_or(driver.port());
        server.database = database.to_owned();
        server.https = !server.is_loopback();
        Ok(server)
    }

    /// `https://host:port`, the port only where it is not the usual one.
    pub(crate) fn origin(&self) -> String {
        match self.driver {
            None => {}
            Some(driver @ (Driver::Sqlite | Driver::Files)) => {
                return format!("{}:{}", driver.name(), self.database);
            }
            Some(driver) => {
                let host = self.bracketed();
                return format!("{}://{host}:{}/{}", driver.name(), self.port, self.database);
            }
        }
        let scheme = if self.https { "https" } else { "http" };
        let host = self.bracketed();
        let usual = if self.https { 443 } else { 80 };
        if self.port == usual {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{host}:{}", self.port)
        }
    }

    /// The host as it stands before a port.
    pub(crate) fn bracketed(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        }
    }

    /// Whether this names this machine literally.
    fn is_loopback(&self) -> bool {
        self.address()
            .map_or(self.host == "localhost", |ip| ip.is_loopback())
    }

    /// Whether this names this machine or a private network literally.
    pub(crate) fn is_near(&self) -> bool {
        match self.address() {
            Some(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_private(),
            Some(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unique_local(),
            None => self.host == "localhost",
        }
    }

    /// Whether nothing there may ever be called: metadata services, the unspecified address, multicast.
    pub(crate) fn is_blocked(&self) -> bool {
        let v4 = |ip: Ipv4Addr| {
            ip.is_link_local() || ip.is_unspecified() || ip.is_multicast() || ip.is_broadcast()
        };
        let v6 = |ip: Ipv6Addr| ip.is_unicast_link_local() || ip.is_unspecified() || ip.is_multicast();
        match self.address() {
            Some(IpAddr::V4(ip)) => v4(ip),
            Some(IpAddr::V6(ip)) => v6(ip) || ip.to_ipv4_mapped().is_some_and(v4),
            None => false,
        }
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }
}

fn authority_parts(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (
                host,
                if after.is_empty() {
                    None
                } else {
                    Some(after.strip_prefix(':')?)
                },
            )
        }
        None => authority
            .split_once(':')
            .map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-' || byte == b'_';
    let fine = !host.is_empty() && (authority.starts_with('[') || host.bytes().all(named));
    // `127.1`, `0x7f000001` and `2130706433` are addresses to a browser; here only what looks like one is one.
    let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().next().is_some_and(|byte| byte.is_ascii_digit())
        && (last.bytes().all(|byte| byte.is_ascii_digit())
            || last.starts_with("0x")
            || last.starts_with("0X"));
    if numeric && !authority.starts_with('[') && host.parse::<Ipv4Addr>().is_err() {
        return None;
    }
    let port = match port {
        None => None,
        Some(port) => Some(port.parse::<u16>().ok().filter(|port| *port > 0)?),
    };
    fine.then(|| (host.to_ascii_lowercase(), port))
}

/// What is wrong with a path that is put behind a server's address. Placeholders are looked at where their values
/// are known.
pub(crate) fn path_fault(path: &str) -> Option<&'static str> {
    if path.contains("://") {
        return Some("://");
    }
    if path.split('/').any(|part| part == ".." || part == ".") {
        return Some("..");
    }
    if path.contains("//") {
        return Some("//");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%!$&'()*+,;=:@<>|".contains(&byte);
    (!path.bytes().all(allowed)).then_some("?, #, blank or other sign")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers() {
        let parse = |text: &str| Server::parse(text).map(|server| (server.origin(), server.path));
        for (text, origin, path) in [
            (
                "https://ERP.example.com/k3cloud/",
                "https://erp.example.com",
                "/k3cloud/",
            ),
            (
                "https://erp.example.com/K3Cloud",
                "https://erp.example.com",
                "/K3Cloud/",
            ),
            ("http://127.0.0.1:9001", "http://127.0.0.1:9001", "/"),
            ("https://erp.example.com:443", "https://erp.example.com", "/"),
            ("http://[::1]:7070/x", "http://[::1]:7070", "/x/"),
        ] {
            assert_eq!(parse(text), Ok((origin.to_owned(), path.to_owned())), "{text}");
        }
        for bad in [
            "erp.example.com",
            "ftp://x/",
            "https://user:pw@host/",
            "https:///x",
            "https://host:0/",
            "https://host:99999/",
            "https://host/a?b=c",
            "https://host/a#b",
            "https://host/a/../b",
            "https://[::1/",
            "https://ho st/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://10.0.0.1./",
            "https://erp.0x10/",
            "",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn near_and_blocked() {
        let is = |text: &str| {
            Server::parse(text)
                .map(|server| (server.is_near(), server.is_blocked()))
                .unwrap()
        };
        for near in [
            "http://127.0.0.1/",
            "http://localhost:1/",
            "http://10.1.2.3/",
            "http://192.168.0.9/",
            "http://[::1]/",
        ] {
            assert_eq!(is(near), (true, false), "{near}");
        }
        for blocked in [
            "http://169.254.169.254/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.1.1]/",
            "http://224.0.0.1/",
        ] {
            assert!(is(blocked).1, "{blocked}");
        }
        assert_eq!(is("https://erp.example.com/"), (false, false));
    }
}
