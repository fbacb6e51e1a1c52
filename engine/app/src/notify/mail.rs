//! A message as an e-mail, handed in by SMTP. lettre makes the message and speaks the protocol; it is given the engine's
//! own way of TLS, and a time for the whole of it.

use std::error::Error as _;
use std::time::Duration;

use ledger::service::notices::NoticeRow;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::channel::{MailServer, Security, Verdict};

/// A mail is handed in within a minute or tried again later.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ports where nobody says one: submission with TLS, with STARTTLS, and a relay.
const PORTS: [(Security, u16); 3] = [
    (Security::Tls, 465),
    (Security::Starttls, 587),
    (Security::None, 25),
];

/// Hands one mail in.
pub(super) async fn send(server: &MailServer, row: &NoticeRow, body: &str) -> Verdict {
    match tokio::time::timeout(PATIENCE, hand_in(server, row, body)).await {
        Ok(Ok(said)) => Verdict::Taken(said),
        Ok(Err(why)) => Verdict::Refused(why),
        Err(_) => Verdict::Refused("no end within 60 s".to_owned()),
    }
}

async fn hand_in(server: &MailServer, row: &NoticeRow, body: &str) -> Result<String, String> {
    let (host, port) = address(server).ok_or_else(|| format!("`{}` is no host:port", server.server))?;
    let mailbox = |text: &str| {
        text.parse::<Mailbox>()
            .map_err(|error| format!("`{text}`: {error}"))
    };
    let mut message = Message::builder()
        .from(mailbox(&server.from)?)
        .subject(&row.notice.title)
        // The same for every try of one message: a reader's mail program shows one.
        .message_id(Some(format!("<{}.{}@engine.local>", row.at, row.id)))
        .header(ContentType::TEXT_PLAIN);
    for to in &server.to {
        message = message.to(mailbox(to)?);
    }
    let message = message.body(body.to_owned()).map_err(|error| error.to_string())?;
    let parameters = || TlsParameters::new(host.clone()).map_err(|error| error.to_string());
    let tls = match server.security {
        Security::Tls => Tls::Wrapper(parameters()?),
        Security::Starttls => Tls::Required(parameters()?),
        Security::None => Tls::None,
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
        .port(port)
        .tls(tls)
        .timeout(Some(PATIENCE))
        // The machine's own name is nobody's business beyond what its address tells.
        .hello_name(ClientId::Domain("engine.local".to_owned()));
    if let (Some(user), Some(password)) = (&server.user, &server.password) {
        if server.security == Security::None {
            return Err("a password is never sent without TLS".to_owned());
        }
        let credentials = Credentials::new(user.expose().to_owned(), password.expose().to_owned());
        transport = transport.credentials(credentials);
    }
    let answer = transport
        .build()
        .send(message)
        .await
        .map_err(|error| refusal(&error))?;
    Ok(format!(
        "{} {}",
        answer.code(),
        answer.message().collect::<Vec<_>>().join(" ")
    ))
}

/// What the server said, as it said it; else what went wrong on the way to it.
fn refusal(error: &Error) -> String {
    match (error.status(), error.source()) {
        (Some(code), Some(said)) => format!("{code} {said}"),
        _ => error.to_string(),
    }
}

fn address(server: &MailServer) -> Option<(String, u16)> {
    let usual = PORTS.iter().find(|(security, _)| *security == server.security);
    let usual = usual.map_or(25, |(_, port)| *port);
    match server.server.rsplit_once(':') {
        None => Some((server.server.clone(), usual)),
        Some((host, port)) => Some((host.to_owned(), port.parse().ok()?)),
    }
}
