//! The wire below HTTP: bodies that break off or dribble, and a stream that sends a byte at a time.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;

use crate::clock::http_date;
use crate::reply::Reply;

/// Long enough that what was sent before a break reaches the client.
pub(crate) const BREAK_AFTER: Duration = Duration::from_millis(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    /// Half of the body, then a break.
    Half,
    /// The whole body under a length that promises more.
    Longer,
    /// A byte every so many milliseconds.
    Paced(u64),
}

pub(crate) fn respond(reply: Reply, now_ms: i64, ending: Ending) -> Response<Wire> {
    let mut response = Response::builder()
        .status(reply.status)
        .header(CONTENT_TYPE, reply.content_type);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    if let Ok(date) = http_date(now_ms).parse::<hyper::header::HeaderValue>() {
        response = response.header(DATE, date);
    }
    let mut body = reply.body;
    let mut pace_ms = 0;
    match ending {
        Ending::Whole => {}
        Ending::Half => body.truncate(body.len() / 2),
        Ending::Longer => response = response.header(CONTENT_LENGTH, body.len() + 7),
        Ending::Paced(ms) => pace_ms = ms,
    }
    let breaks = matches!(ending, Ending::Half | Ending::Longer);
    response
        .body(Wire {
            data: Bytes::from(body),
            pace_ms,
            wait: None,
            breaks: breaks.then(|| Box::pin(tokio::time::sleep(BREAK_AFTER))),
        })
        .expect("status and headers are our own, or were checked")
}

/// A body that may dribble, and may break off after its data.
pub(crate) struct Wire {
    data: Bytes,
    /// Milliseconds between bytes; 0 sends all at once.
    pace_ms: u64,
    wait: Option<Pin<Box<Sleep>>>,
    breaks: Option<Pin<Box<Sleep>>>,
}

impl Body for Wire {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        if !self.data.is_empty() {
            let size = if self.pace_ms == 0 { self.data.len() } else { 1 };
            let chunk = self.data.split_to(size);
            if !self.data.is_empty() {
                self.wait = Some(Box::pin(tokio::time::sleep(Duration::from_millis(self.pace_ms))));
            }
            return Poll::Ready(Some(Ok(Frame::data(chunk))));
        }
        let Some(wait) = &mut self.breaks else {
            return Poll::Ready(None);
        };
        ready!(wait.as_mut().poll(cx));
        Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.breaks.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match &self.breaks {
            None => SizeHint::with_exact(u64::try_from(self.data.len()).unwrap_or(0)),
            Some(_) => SizeHint::default(),
        }
    }
}

/// How fast a connection writes: milliseconds between bytes, 0 for full speed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace(Arc<AtomicU64>);

impl Pace {
    pub(crate) fn set(&self, ms: u64) {
        self.0.store(ms, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A stream that writes as its pace says.
pub(crate) struct Paced {
    stream: TcpStream,
    pace: Pace,
    wait: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(crate) fn new(stream: TcpStream, pace: Pace) -> Self {
        Paced {
            stream,
            pace,
            wait: None,
        }
    }

    fn poll_slowly(&mut self, cx: &mut Context<'_>, bytes: &[u8], ms: u64) -> Poll<io::Result<usize>> {
        if let Some(wait) = &mut self.wait {
            ready!(wait.as_mut().poll(cx));
            self.wait = None;
        }
        let byte = &bytes[..bytes.len().min(1)];
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, byte))?;
        self.wait = Some(Box::pin(tokio::time::sleep(Duration::from_millis(ms))));
        Poll::Ready(Ok(written))
    }
}

impl AsyncRead for Paced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Paced {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.pace.get() {
            0 => Pin::new(&mut self.stream).poll_write(cx, bytes),
            ms => self.poll_slowly(cx, bytes, ms),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.pace.get() {
            0 => Pin::new(&mut self.stream).poll_write_vectored(cx, parts),
            ms => {
                let first = parts.iter().find(|part| !part.is_empty());
                self.poll_slowly(cx, first.map_or(&[], |part| part), ms)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
