//! A small mail server on loopback, from RFC 5321 (the dialogue), 3207 (STARTTLS) and 4954 (AUTH): it takes what is
//! handed in by its rules, and remembers whether a password ever came in clear.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::certificates::Made;
use crate::patience::PATIENCE;

/// Lines of one dialogue, and bytes of one line: a mail of a test is a few dozen short ones.
const LINES_MAX: usize = 2_000;
const LINE_MAX: u64 = 8_192;

/// How it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// TLS from the first byte.
    Tls,
    /// TLS after `STARTTLS`, which is offered.
    Starttls,
    /// No TLS, and none offered.
    Plain,
}

/// What it asks for and refuses.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) door: Door,
    /// The account that may hand in; `None` = anybody.
    pub(crate) account: Option<(&'static str, &'static str)>,
    /// A recipient that does not exist.
    pub(crate) nobody: &'static str,
}

/// A mail that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
    pub(crate) was_secret: bool,
}

/// What it saw.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) mails: Vec<Mail>,
    /// Lines that came without TLS.
    pub(crate) clear: Vec<String>,
    /// A login was accepted, or refused.
    pub(crate) logins: Vec<bool>,
}

pub(crate) struct Smtp {
    addr: SocketAddr,
    seen: Arc<Mutex<Seen>>,
    /// The certificate, as a file of authorities has it.
    pub(crate) pem: String,
}

impl Smtp {
    pub(crate) fn start(house: House) -> Self {
        let made = Made::of("localhost");
        let key = PrivateKeyDer::try_from(made.key.clone()).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the usual versions")
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(made.certificate.clone())], key)
            .expect("they fit");
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let addr = listener.local_addr().expect("it listens");
        let seen = Arc::new(Mutex::new(Seen::default()));
        let (config, all) = (Arc::new(config), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (house, config, seen) = (house.clone(), Arc::clone(&config), Arc::clone(&all));
                // A client that goes away, or that refuses the certificate, ends its own dialogue.
                std::thread::spawn(move || drop(serve(stream, &house, &config, &seen)));
            }
        });
        Smtp {
            addr,
            seen,
            pem: made.pem(),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }

    pub(crate) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

trait Both: Read + Write {}
impl<T: Read + Write> Both for T {}

fn secret(stream: TcpStream, config: &Arc<ServerConfig>) -> io::Result<Box<dyn Both>> {
    let connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(connection, stream)))
}

fn serve(stream: TcpStream, house: &House, config: &Arc<ServerConfig>, seen: &Mutex<Seen>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    if house.door == Door::Tls {
        let mut dialogue = Dialogue::new(secret(stream, config)?, house, seen, true);
        dialogue.say("220 mail.example.com ESMTP")?;
        return dialogue.go_on().map(drop);
    }
    let mut dialogue = Dialogue::new(Box::new(stream.try_clone()?), house, seen, false);
    dialogue.say("220 mail.example.com ESMTP")?;
    if dialogue.go_on()? == After::Starttls {
        // RFC 3207, 4.2: everything begins anew, without a greeting.
        Dialogue::new(secret(stream, config)?, house, seen, true).go_on()?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum After {
    End,
    Starttls,
}

struct Dialogue<'a> {
    stream: BufReader<Box<dyn Both>>,
    house: &'a House,
    seen: &'a Mutex<Seen>,
    is_secret: bool,
    is_known: bool,
    from: String,
    to: Vec<String>,
}

impl<'a> Dialogue<'a> {
    fn new(stream: Box<dyn Both>, house: &'a House, seen: &'a Mutex<Seen>, is_secret: bool) -> Self {
        Dialogue {
            stream: BufReader::new(stream),
            house,
            seen,
            is_secret,
            is_known: false,
            from: String::new(),
            to: Vec::new(),
        }
    }

    fn say(&mut self, line: &str) -> io::Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(format!("{line}\r\n").as_bytes())?;
        stream.flush()
    }

    /// The next line; `None` when there is no other.
    fn hear(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        (&mut self.stream).take(LINE_MAX).read_line(&mut line)?;
        if line.is_empty() {
            return Ok(None);
        }
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        if !self.is_secret {
            self.note(|seen| seen.clear.push(line.clone()));
        }
        Ok(Some(line))
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn go_on(&mut self) -> io::Result<After> {
        for _ in 0..LINES_MAX {
            let Some(line) = self.hear()? else { break };
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.greet()?,
                "HELO" => self.say("250 mail.example.com")?,
                "STARTTLS" if self.house.door == Door::Starttls && !self.is_secret => {
                    self.say("220 2.0.0 go ahead")?;
                    return Ok(After::Starttls);
                }
                "AUTH" => self.log_in(rest)?,
                "MAIL" if self.house.account.is_some() && !self.is_known => {
                    self.say("530 5.7.0 authentication required")?;
                }
                "MAIL" => {
                    self.from = inside(rest);
                    self.say("250 2.1.0 ok")?;
                }
                "RCPT" => self.recipient(&inside(rest))?,
                "DATA" if self.to.is_empty() => self.say("554 5.5.1 no valid recipients")?,
                "DATA" => self.take()?,
                "RSET" | "NOOP" => self.say("250 2.0.0 ok")?,
                "QUIT" => {
                    self.say("221 2.0.0 bye")?;
                    break;
                }
                _ => self.say("502 5.5.1 not here")?,
            }
        }
        Ok(After::End)
    }

    fn greet(&mut self) -> io::Result<()> {
        self.say("250-mail.example.com")?;
        if self.house.door == Door::Starttls && !self.is_secret {
            self.say("250-STARTTLS")?;
        }
        if self.house.account.is_some() && self.is_secret {
            self.say("250-AUTH PLAIN LOGIN")?;
        }
        self.say("250-8BITMIME")?;
        self.say("250 SIZE 1000000")
    }

    /// `AUTH PLAIN` with its first answer, and `AUTH LOGIN` with two questions.
    fn log_in(&mut self, rest: &str) -> io::Result<()> {
        let decoded = |text: &str| {
            let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (mechanism, first) = rest.split_once(' ').unwrap_or((rest, ""));
        let (user, password) = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => {
                let text = decoded(first);
                let mut parts = text.split('\0').skip(1).map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
            }
            "LOGIN" => {
                self.say("334 VXNlcm5hbWU6")?;
                let user = decoded(&self.hear()?.unwrap_or_default());
                self.say("334 UGFzc3dvcmQ6")?;
                (user, decoded(&self.hear()?.unwrap_or_default()))
            }
            _ => return self.say("504 5.5.4 no such mechanism"),
        };
        self.is_known = self.house.account == Some((user.as_str(), password.as_str()));
        let is_known = self.is_known;
        self.note(|seen| seen.logins.push(is_known));
        match is_known {
            true => self.say("235 2.7.0 welcome"),
            false => self.say("535 5.7.8 username and password not accepted"),
        }
    }

    fn recipient(&mut self, address: &str) -> io::Result<()> {
        if address == self.house.nobody {
            return self.say("550 5.1.1 no such user here");
        }
        self.to.push(address.to_owned());
        self.say("250 2.1.5 ok")
    }

    fn take(&mut self) -> io::Result<()> {
        self.say("354 end with a dot")?;
        let mut text = String::new();
        for _ in 0..LINES_MAX {
            let Some(line) = self.hear()? else { break };
            if line == "." {
                let mail = Mail {
                    from: std::mem::take(&mut self.from),
                    to: std::mem::take(&mut self.to),
                    text,
                    was_secret: self.is_secret,
                };
                self.note(|seen| seen.mails.push(mail));
                return self.say("250 2.0.0 queued as 7");
            }
            text.push_str(line.strip_prefix('.').unwrap_or(&line));
            text.push('\n');
        }
        Ok(())
    }
}

/// `FROM:<address> SIZE=...` -> `address`
fn inside(text: &str) -> String {
    let start = text.find('<').map_or(0, |at| at + 1);
    let end = text.find('>').unwrap_or(text.len());
    text.get(start..end).unwrap_or_default().to_owned()
}
